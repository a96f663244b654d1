/* Journals made by hand for tests of recovery: every message, its time and its place are known from
 * its ordinal, so that what is there afterwards can be held against it. For one program that
 * includes it once.
 */
#ifndef TESTS_UNIT_JOURNAL_MAKING_H
#define TESTS_UNIT_JOURNAL_MAKING_H

#include "flatstream/frame.h"
#include "journal/journal_recovery.h"
#include "journal/journal_tail.h"
#include "support/files.h"
#include "support/testing.h"

#define PER_PIECE  4u
#define MADE_EPOCH 5u

static char path[256];
static flsi_directory journal;
static flsi_manifest manifest;
static fls_error err;

static uint64_t time_of(uint64_t ordinal)
{
    return 1000000 + ordinal * 1000;
}

static size_t payload_of(uint64_t ordinal, char payload[128])
{
    size_t size = (size_t)snprintf(payload, 64, "message %llu", (unsigned long long)ordinal);
    memset(payload + size, (int)('a' + ordinal % 26), (size_t)(ordinal * 7 % 60));
    return size + (size_t)(ordinal * 7 % 60);
}

static void make_journal(fls_checksum checksum)
{
    files_make_directory(path, sizeof path);
    assert_status(flsi_directory_open(&journal, path, 0, NULL, &err), FLS_OK, &err);
    manifest = (flsi_manifest){.epoch = MADE_EPOCH,
                               .checksum = checksum,
                               .max_frame_bytes = 4096,
                               .has_times = 1,
                               .created_ns = 1,
                               .type_count = 1};
    memcpy(manifest.id, "01234567", 8);
    flsi_manifest_complete_id(&manifest);
    manifest.types[0].schema_hash = 42;
    strcpy(manifest.types[0].root, "Root");
    assert_status(flsi_manifest_store(&manifest, &journal, fls_allocator_libc(), &err), FLS_OK,
                  &err);
}

static void end_journal(void)
{
    flsi_directory_close(&journal);
    files_remove_directory(path);
}

static const char *name_of(flsi_name_kind kind, uint64_t ordinal)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, ordinal);
    return files_join(path, name);
}

/* The frames of messages in a row. */
static void frames_of(byte_buffer *frames, uint64_t first, uint64_t end)
{
    ref_format format = {.checksum = manifest.checksum};
    char payload[128];
    for (uint64_t i = first; i < end; i++) {
        frames_append(frames, &format, payload, payload_of(i, payload));
    }
}

static uint64_t offset_of(uint64_t first, uint64_t ordinal)
{
    byte_buffer frames = BYTES_INIT;
    frames_of(&frames, first, ordinal);
    uint64_t size = frames.size;
    bytes_free(&frames);
    return size;
}

static void add(flsi_marks_builder *marks, flsi_record record, const void *data)
{
    assert_status(flsi_marks_reserve(marks, 1 + (record.small + 31) / 32, 1, &err), FLS_OK, &err);
    flsi_marks_add(marks, &record, data);
}

static void add_durable(flsi_marks_builder *marks, const byte_buffer *frames, uint64_t first,
                        uint64_t ordinal)
{
    uint64_t end = offset_of(first, ordinal);
    uint64_t begin = ordinal == first ? end : offset_of(first, ordinal - 1);
    uint32_t size = (uint32_t)(end - begin);
    add(marks,
        (flsi_record){
            .type = FLSI_RECORD_DURABLE,
            .small = size,
            .ordinal = ordinal,
            .offset = end,
            .value =
                size == 0 ? 0 : fls_checksum_digest(FLS_CHECKSUM_XXH3, frames->data + begin, size)},
        NULL);
}

/* The marks of a segment: header, pieces with times, GAP before every tenth message, a DURABLE for
 * all below `durable` (none where that is the first), SEAL where flags say so. */
static void marks_of(byte_buffer *file, const byte_buffer *frames, uint64_t first, uint64_t end,
                     uint64_t durable, uint8_t seal)
{
    flsi_marks_builder marks;
    flsi_marks_builder_init(&marks, fls_allocator_libc());
    add(&marks,
        (flsi_record){.type = FLSI_RECORD_HEADER,
                      .flags = FLSI_MARKS_VERSION,
                      .checksum = (uint8_t)manifest.checksum,
                      .header_flags = FLSI_HEADER_TIMES,
                      .small = MADE_EPOCH,
                      .ordinal = first,
                      .id = flsi_load_le64(manifest.id),
                      .time_ns = time_of(first)},
        NULL);
    add(&marks, (flsi_record){.type = FLSI_RECORD_TYPE, .small = 4, .id = 42}, "Root");
    flsi_marks_close_frame(&marks);
    for (uint64_t i = first; i < end; i++) {
        if (i % 10 == 0) {
            add(&marks,
                (flsi_record){.type = FLSI_RECORD_GAP,
                              .flags = FLS_GAP_REFUSED,
                              .small = 3,
                              .ordinal = i,
                              .offset = i + 1},
                NULL);
        }
        if ((i - first) % PER_PIECE == 0) {
            flsi_marks_close_frame(&marks);
            add(&marks,
                (flsi_record){.type = FLSI_RECORD_OFFSET,
                              .ordinal = i,
                              .offset = offset_of(first, i),
                              .time_ns = time_of(i)},
                NULL);
        }
        flsi_marks_add_time(&marks, i, time_of(i));
        if (durable > first && i + 1 == durable) {
            add_durable(&marks, frames, first, durable);
        }
    }
    if (seal != 0) {
        add(&marks,
            (flsi_record){.type = FLSI_RECORD_SEAL,
                          .flags = seal,
                          .ordinal = end,
                          .offset = offset_of(first, end),
                          .time_ns = time_of(end - 1)},
            NULL);
    }
    flsi_marks_close_frame(&marks);
    bytes_append(file, marks.frames, marks.size);
    flsi_marks_builder_fini(&marks);
}

static void make_segment(uint64_t first, uint64_t end, uint64_t durable, uint8_t seal)
{
    byte_buffer frames = BYTES_INIT;
    byte_buffer marks = BYTES_INIT;
    frames_of(&frames, first, end);
    marks_of(&marks, &frames, first, end, durable, seal);
    files_write(name_of(FLSI_NAME_SEGMENT, first), frames.data, frames.size);
    files_write(name_of(FLSI_NAME_MARKS, first), marks.data, marks.size);
    bytes_free(&frames);
    bytes_free(&marks);
}

/* ---- what is there ---- */

static fls_status expect_next(void *self, const fls_message *message, fls_error *error)
{
    uint64_t *next = self;
    char payload[128];
    (void)error;
    assert_int_equal(message->ordinal, *next);
    assert_int_equal(message->size, payload_of(*next, payload));
    assert_memory_equal(message->payload, payload, message->size);
    (*next)++;
    return FLS_OK;
}

/* Marks of a segment: valid to their end; times of messages are their own; all that is durable is
 * there. Returns how many messages have a time. */
static uint64_t expect_marks(uint64_t first, uint64_t end, uint64_t gaps[2])
{
    byte_buffer file = BYTES_INIT;
    flsi_marks_walk walk;
    flsi_record record;
    fls_status status;
    uint64_t timed = 0;
    assert_int_equal(files_read(name_of(FLSI_NAME_MARKS, first), &file), 0);
    assert_status(flsi_marks_walk_begin(&walk, file.data, file.size, &err), FLS_OK, &err);
    while ((status = flsi_marks_walk_next(&walk, &record, &err)) == FLS_OK) {
        flsi_times_walk times;
        if (record.type == FLSI_RECORD_GAP && record.ordinal <= end) {
            gaps[record.flags == FLS_GAP_CUT]++;
        } else if (record.type == FLSI_RECORD_OFFSET && record.ordinal < end) {
            assert_int_equal(record.offset, offset_of(first, record.ordinal));
        } else if (record.type == FLSI_RECORD_TIMES) {
            flsi_times_begin(&times, &record);
            do {
                if ((walk.header.header_flags & FLSI_HEADER_ESTIMATED) == 0) {
                    assert_int_equal(times.time_ns, time_of(times.ordinal));
                }
                timed += times.ordinal < end;
            } while (flsi_times_next(&times));
        }
    }
    assert_status(status, FLS_END, &err);
    bytes_free(&file);
    return timed;
}

typedef struct found {
    uint64_t messages;
    uint64_t timed;
    uint64_t gaps; /* those made by marks_of */
    uint64_t cut_gaps;
} found;

/* Reads the whole journal, which has to be the messages in a row from `first` on, each segment
 * alone sound to its end. */
static found expect_journal(uint64_t first)
{
    flsi_listing listing;
    found result = {first, 0, 0, 0};
    uint64_t gaps[2] = {0, 0};
    assert_status(flsi_listing_read(&listing, &journal, fls_allocator_libc(), &err), FLS_OK, &err);
    for (size_t i = 0; i < listing.count; i++) {
        uint64_t ordinal = listing.segments[i].first_ordinal;
        flsi_file file;
        assert_int_equal(ordinal, result.messages);
        char name[FLSI_NAME_BYTES];
        flsi_name_format(name, FLSI_NAME_SEGMENT, ordinal);
        assert_status(flsi_directory_file(&journal, &file, name, FLSI_OPEN_READ, NULL, &err),
                      FLS_OK, &err);
        flsi_scan scan = {.file = &file,
                          .allocator = fls_allocator_libc(),
                          .checksum = manifest.checksum,
                          .max_frame_bytes = manifest.max_frame_bytes,
                          .end = files_size(files_join(path, name)),
                          .ordinal = ordinal};
        assert_status(flsi_scan_frames(&scan, expect_next, &result.messages, &err), FLS_OK, &err);
        assert_status(scan.fault.status, FLS_OK, &scan.fault);
        assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
        result.timed += expect_marks(ordinal, result.messages, gaps);
    }
    flsi_listing_fini(&listing);
    result.gaps = gaps[0];
    result.cut_gaps = gaps[1];
    return result;
}

static fls_status recover_with(flsi_journal_place *place, fls_journal_report *report)
{
    *report = (fls_journal_report)FLS_JOURNAL_REPORT_INIT;
    assert_status(flsi_manifest_load(&manifest, &journal, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    return flsi_journal_recover(place, &manifest, &journal, fls_allocator_libc(), report, &err);
}

#endif
