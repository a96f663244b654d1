/* The walk over a segment's marks: any bytes, and the same bytes with the checksums of their frames
 * put right, so that a fuzzer need not guess them; whole and in pieces. What is valid is encoded
 * again to the same bytes. Then places are looked for in them by jumping, against those that
 * reading from frame to frame tells.
 *
 *   byte 0   bit 0: checksums are put right; the rest is the file
 */
#include <stdlib.h>
#include <string.h>

#include "flatstream/frame.h"
#include "journal/journal_marks.h"
#include "journal/journal_places.h"
#include "os/os_directory.h"
#include "stream_case.h"
#include "support/frames.h"
#include "unit/memory_files.h"

#define HEADER_BYTES 12u
#define PLACES_MOST  1024u
#define FILE_MOST    65536u /* that places are looked for in */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair(uint8_t *file, size_t size)
{
    for (size_t at = 0; size - at >= HEADER_BYTES;) {
        uint32_t length = flsi_load_le32(file + at);
        if (length > size - at - HEADER_BYTES) {
            return;
        }
        uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, file + at + HEADER_BYTES, length);
        (void)fls_frame_encode_header(file + at, length, digest, 8);
        at += HEADER_BYTES + length;
    }
}

/* Looks at all that a record has; returns a digest of it. */
static uint64_t look_at(const flsi_record *record)
{
    uint64_t seen = record->ordinal ^ record->offset ^ record->time_ns;
    if (record->type == FLSI_RECORD_TIMES) {
        flsi_times_walk times;
        uint64_t count = 1;
        flsi_times_begin(&times, record);
        uint64_t last = times.time_ns;
        for (; flsi_times_next(&times); count++) {
            STREAM_CASE_CHECK(times.time_ns >= last);
            last = times.time_ns;
        }
        STREAM_CASE_CHECK(count == record->value && times.next == times.end);
    } else if (record->data != NULL) {
        seen ^= fls_checksum_digest(FLS_CHECKSUM_XXH3, record->data, record->small);
    }
    return seen;
}

static void encodes_again(const flsi_marks_walk *walk, const flsi_record *record, uint64_t used)
{
    uint8_t again[FLSI_RECORD_BYTES];
    if (record->type < FLSI_RECORD_COMPATIBLE) {
        flsi_record_encode(again, record);
        STREAM_CASE_CHECK(memcmp(again, walk->data + walk->next - used, sizeof again) == 0);
    }
}

/* What the walk says of the file when it is there piece by piece is what it says of the whole. */
static void walk_in_pieces(const uint8_t *file, size_t size, uint64_t valid_bytes, uint64_t seen)
{
    flsi_marks_walk walk;
    flsi_record record;
    size_t first = size / 2;
    uint64_t in_pieces = 0;
    fls_status status = flsi_marks_walk_begin(&walk, file, first, NULL);
    if (status != FLS_OK) {
        return;
    }
    for (int whole = 0;;) {
        status = flsi_marks_walk_next(&walk, &record, NULL);
        if (status == FLS_OK) {
            in_pieces ^= look_at(&record);
        } else if (!whole && (status == FLS_END || status == FLS_UNEXPECTED_EOF)) {
            whole = 1;
            size_t valid = (size_t)walk.valid_bytes;
            flsi_marks_walk_continue(&walk, file + valid, size - valid);
        } else {
            break;
        }
    }
    STREAM_CASE_CHECK(walk.valid_bytes == valid_bytes && in_pieces == seen);
}

/* ---- places ---- */

typedef struct told_places {
    flsi_place all[PLACES_MOST];
    size_t count;
    int sure; /* they are all that there is to be found, whatever is looked at first */
} told_places;

static void take_told(told_places *told, const flsi_record *record)
{
    const flsi_place *last = &told->all[told->count - 1];
    int more_ordinal = record->ordinal > last->ordinal;
    int more_offset = record->offset > last->offset;
    if (record->type != FLSI_RECORD_OFFSET && record->type != FLSI_RECORD_DURABLE &&
        record->type != FLSI_RECORD_SEAL) {
        return;
    }
    if (more_ordinal != more_offset || told->count == PLACES_MOST) {
        told->sure = 0;
    } else if (more_ordinal) {
        told->all[told->count++] =
            (flsi_place){.ordinal = record->ordinal, .offset = record->offset};
    }
}

/* What the marks tell from frame to frame. Bytes within a frame that are a sound frame themselves
 * may be jumped to: nothing is sure then. */
static void read_told(told_places *told, const uint8_t *file, size_t size, uint64_t first)
{
    flsi_marks_walk walk;
    flsi_record record;
    size_t frames = 0;
    size_t sound = 0;
    uint64_t frame = UINT64_MAX;
    told->all[0] = (flsi_place){.ordinal = first};
    told->count = 1;
    told->sure = 1;
    fls_status status = flsi_marks_walk_begin(&walk, file, size, NULL);
    while (status == FLS_OK && (status = flsi_marks_walk_next(&walk, &record, NULL)) == FLS_OK) {
        frames += walk.frame != frame;
        frame = walk.frame;
        take_told(told, &record);
    }
    for (size_t at = 0; size >= HEADER_BYTES && at <= size - HEADER_BYTES; at += 4) {
        uint32_t length = flsi_load_le32(file + at);
        if (length != 0 && length % FLSI_RECORD_BYTES == 0 && length <= size - at - HEADER_BYTES) {
            sound += flsi_load_le64(file + at + 4) ==
                     fls_checksum_digest(FLS_CHECKSUM_XXH3, file + at + HEADER_BYTES, length);
        }
    }
    told->sure = told->sure && status == FLS_END && walk.valid_bytes == size && sound == frames;
}

static void find_place(flsi_places *places, const told_places *told, flsi_place_key by,
                       uint64_t key)
{
    size_t index;
    size_t low = 0;
    STREAM_CASE_CHECK(flsi_places_find(places, by, key, &index, NULL) == FLS_OK);
    STREAM_CASE_CHECK(index < places->count);
    const flsi_place *found = &places->all[index];
    STREAM_CASE_CHECK(index == 0 || !flsi_place_is_behind(found, by, key));
    STREAM_CASE_CHECK(index + 1 == places->count ||
                      (found->ordinal < found[1].ordinal && found->offset < found[1].offset));
    if (!told->sure || by == FLSI_BY_TIME) {
        return;
    }
    while (low + 1 < told->count && !flsi_place_is_behind(&told->all[low + 1], by, key)) {
        low++;
    }
    const flsi_place *wanted = &told->all[low];
    STREAM_CASE_CHECK(found->ordinal == wanted->ordinal && found->offset == wanted->offset);
    STREAM_CASE_CHECK((index + 1 < places->count) == (low + 1 < told->count));
    STREAM_CASE_CHECK(index + 1 == places->count || found[1].ordinal == wanted[1].ordinal);
}

static void find_places(const uint8_t *file, size_t size, uint64_t first)
{
    static told_places told;
    flsi_directory directory;
    flsi_file marks;
    flsi_places places;
    memory_files_reset();
    STREAM_CASE_CHECK(memory_files_put("journal", "marks", file, size));
    STREAM_CASE_CHECK(flsi_directory_open(&directory, "journal", 0, memory_files_calls(), NULL) ==
                      FLS_OK);
    STREAM_CASE_CHECK(
        flsi_directory_file(&directory, &marks, "marks", FLSI_OPEN_READ, NULL, NULL) == FLS_OK);
    read_told(&told, file, size, first);
    flsi_places_init(&places, &marks, fls_allocator_libc());
    for (uint32_t i = 0; i < 24; i++) {
        const flsi_place *some = &told.all[i * 0x9E3779B1u % told.count];
        if (i % 6 == 0) { /* with nothing known yet */
            STREAM_CASE_CHECK(flsi_places_restart(&places, first, 0, NULL) == FLS_OK);
            places.marks_end = size;
        }
        find_place(&places, &told, FLSI_BY_ORDINAL, some->ordinal + i % 2);
        find_place(&places, &told, FLSI_BY_OFFSET, some->offset + i % 3);
        find_place(&places, &told, FLSI_BY_TIME, (uint64_t)i << (2 * i));
    }
    flsi_places_fini(&places);
    (void)flsi_file_close(&marks, NULL);
    flsi_directory_close(&directory);
    STREAM_CASE_CHECK(memory_files_open() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flsi_marks_walk walk;
    flsi_record record;
    uint64_t seen = 0;
    if (size < 1) {
        return 0;
    }
    size_t file_bytes = size - 1;
    uint8_t *file = bytes_exact_copy(data + 1, file_bytes);
    if ((data[0] & 1) != 0) {
        repair(file, file_bytes);
    }
    if (flsi_marks_walk_begin(&walk, file, file_bytes, NULL) == FLS_OK) {
        uint64_t before = walk.next;
        while (flsi_marks_walk_next(&walk, &record, NULL) == FLS_OK) {
            seen ^= look_at(&record);
            encodes_again(&walk, &record,
                          record.data == NULL
                              ? FLSI_RECORD_BYTES
                              : walk.next - (uint64_t)((record.data - FLSI_RECORD_BYTES) - file));
            STREAM_CASE_CHECK(walk.next > before && walk.valid_bytes <= file_bytes);
            before = walk.next;
        }
        walk_in_pieces(file, file_bytes, walk.valid_bytes, seen);
        if (file_bytes <= FILE_MOST) {
            find_places(file, file_bytes, walk.header.ordinal);
        }
    }
    free(file);
    return 0;
}
