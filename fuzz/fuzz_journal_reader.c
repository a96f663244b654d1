/* A whole journal of any bytes, read in every way that there is and then opened for writing:
 * forwards, backwards, from places, by cursors, as one stream, checked, recovered or rebuilt, and
 * read again. Whatever is handed out stands as a frame in a segment; no loop goes on for longer
 * than there are bytes, and no memory is asked for that the files do not account for. A journal in
 * which checking finds nothing is read whole by every way.
 *
 *   byte 0   bit 0: checksums are put right, so that a fuzzer need not guess them
 *            bit 1: what is written is read, not what is durable; bit 2: damage is stepped over
 *            bit 3: no times; bit 4: it is followed; bit 5: opened for writing
 *            bit 6: rebuilt when that is refused; bit 7: compressed and pruned afterwards
 *   byte 1   where is looked for a place
 *   then files, each a byte that says what it is, a byte that says which, their length in two
 *   bytes, and so many bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "flatstream/frame.h"
#include "journal/journal_cursor.h"
#include "journal/journal_names.h"
#include "journal/journal_reader_private.h"
#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "stream_case.h"
#include "support/counting_allocator.h"
#include "support/frames.h"
#include "unit/memory_files.h"

#define PATH         "flight"
#define INPUT_MOST   32768u
#define FILES_MOST   32u
#define BODY_MOST    ((size_t)1 << 20) /* of a compressed segment; larger ones are left out */
#define MEMORY_MOST  ((size_t)40 << 20)
#define HEADER_BYTES 12u

enum { SEGMENT, MARKS, MANIFEST, CURSOR, STORED, COMPRESSED, SCHEMA, OTHER, KINDS };
enum {
    REPAIR = 1,
    WRITTEN = 2,
    STEP_OVER = 4,
    NO_TIMES = 8,
    FOLLOW = 16,
    WRITE = 32,
    REBUILD = 64,
    UPKEEP = 128
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plain bytes of all segments. */
typedef struct bodies {
    byte_buffer list[2 * FILES_MOST + 16];
    size_t count;
    size_t bytes;
    int complete; /* all could be read */
} bodies;

typedef struct journal_case {
    uint8_t how;
    uint8_t place;
    size_t files;
    bodies held;
    counting_allocator memory;
    uint64_t faults; /* that checking found */
    uint64_t sound;
    uint64_t events;
} journal_case;

/* ---- the files ---- */

static uint64_t ordinal_for(uint8_t which)
{
    return which < 240   ? which
           : which < 248 ? FLSI_ORDINALS / 2 - 4 + (which - 240u)
                         : FLSI_ORDINALS - 4 + (which - 248u);
}

static void repair_frames(uint8_t *file, size_t size)
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

static void repair_text(byte_buffer *file)
{
    static const char key[] = "  \"xxh3\": \"";
    char line[64];
    for (size_t at = 0; at + sizeof key <= file->size; at++) {
        if (memcmp(file->data + at, key, sizeof key - 1) == 0) {
            file->size = at;
        }
    }
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, file->data, file->size);
    int length = snprintf(line, sizeof line, "%s%016llx\"\n}\n", key, (unsigned long long)digest);
    bytes_append(file, line, (size_t)length);
}

static void put_segment_file(flsi_name_kind kind, uint8_t which, const byte_buffer *file)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, ordinal_for(which));
    (void)memory_files_put(PATH, name, file->data, file->size);
}

static void open_directory(flsi_directory *directory)
{
    STREAM_CASE_CHECK(flsi_directory_open(directory, PATH, 1, memory_files_calls(), NULL) ==
                      FLS_OK);
}

/* The bytes as a compressed segment that is what it says. */
static void put_compressed(uint8_t which, const byte_buffer *file)
{
    char name[FLSI_NAME_BYTES];
    flsi_directory directory;
    flsi_file made;
    flsi_zstd_writer *writer = NULL;
    uint64_t bytes;
    if (!flsi_zstd_is_there()) {
        return;
    }
    flsi_name_format(name, FLSI_NAME_COMPRESSED, ordinal_for(which));
    open_directory(&directory);
    STREAM_CASE_CHECK(flsi_directory_file(&directory, &made, name,
                                          FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE, NULL,
                                          NULL) == FLS_OK);
    STREAM_CASE_CHECK(flsi_file_truncate(&made, 0, NULL) == FLS_OK);
    STREAM_CASE_CHECK(flsi_zstd_begin(&writer, &made, 1, fls_allocator_libc(), NULL) == FLS_OK);
    for (size_t at = 0; at < file->size; at += 500) {
        size_t left = file->size - at;
        STREAM_CASE_CHECK(flsi_zstd_put(writer, file->data + at, left < 500 ? left : 500, NULL) ==
                          FLS_OK);
    }
    STREAM_CASE_CHECK(flsi_zstd_end(writer, &bytes, NULL) == FLS_OK);
    flsi_zstd_free(writer);
    (void)flsi_file_close(&made, NULL);
    flsi_directory_close(&directory);
}

/* The hash in the name of a schema is its file's first 8 bytes. */
static void put_schema(const byte_buffer *file)
{
    char name[FLSI_NAME_BYTES];
    if (file->size >= 8) {
        flsi_name_schema(name, flsi_load_le64(file->data));
        (void)memory_files_put(PATH "/" FLSI_SCHEMAS_NAME, name, file->data + 8, file->size - 8);
    }
}

static void put_file(uint8_t kind, uint8_t which, byte_buffer *file, int repairs)
{
    static const char *const others[] = {".unfinished", FLSI_LOCK_NAME, "what.is.this",
                                         "00000000000000000001.fls.new"};
    char name[FLSI_NAME_BYTES];
    kind %= KINDS;
    if (repairs && (kind == SEGMENT || kind == MARKS || kind == COMPRESSED)) {
        repair_frames(file->data, file->size);
    } else if (repairs && (kind == MANIFEST || kind == CURSOR)) {
        repair_text(file);
    }
    switch (kind) {
    case SEGMENT: put_segment_file(FLSI_NAME_SEGMENT, which, file); break;
    case MARKS: put_segment_file(FLSI_NAME_MARKS, which, file); break;
    case STORED: put_segment_file(FLSI_NAME_COMPRESSED, which, file); break;
    case COMPRESSED: put_compressed(which, file); break;
    case MANIFEST: (void)memory_files_put(PATH, FLSI_MANIFEST_NAME, file->data, file->size); break;
    case CURSOR:
        (void)snprintf(name, sizeof name, "c%u", which % 4u);
        (void)memory_files_put(PATH "/" FLSI_CURSORS_NAME, name, file->data, file->size);
        break;
    case SCHEMA: put_schema(file); break;
    default: (void)memory_files_put(PATH, others[which % 4], file->data, file->size); break;
    }
}

static void lay_files(journal_case *self, const uint8_t *data, size_t size)
{
    byte_buffer file = BYTES_INIT;
    memory_files_reset();
    STREAM_CASE_CHECK(memory_files_put(PATH, "", NULL, 0));
    for (; size >= 4 && self->files < FILES_MOST; self->files++) {
        size_t length = data[2] | (size_t)data[3] << 8;
        length = length < size - 4 ? length : size - 4;
        bytes_clear(&file);
        bytes_append(&file, data + 4, length);
        put_file(data[0], data[1], &file, (self->how & REPAIR) != 0);
        data += 4 + length;
        size -= 4 + length;
    }
    bytes_free(&file);
}

/* ---- what they hold ---- */

static void forget_bodies(bodies *held)
{
    for (size_t i = 0; i < held->count; i++) {
        bytes_free(&held->list[i]);
    }
    memset(held, 0, sizeof *held);
}

/* A piece that is damaged counts as zeros. */
static void read_compressed(bodies *held, const flsi_file *file, byte_buffer *body)
{
    flsi_zstd_reader *reader;
    if (flsi_zstd_open(&reader, file, fls_allocator_libc(), NULL) != FLS_OK) {
        held->complete = 0;
        if (flsi_zstd_open_damaged(&reader, file, fls_allocator_libc(), NULL) != FLS_OK) {
            return;
        }
    }
    uint64_t bytes = flsi_zstd_bytes(reader);
    bytes_append_zeros(body, bytes < BODY_MOST ? (size_t)bytes : BODY_MOST);
    for (size_t at = 0; at < body->size;) {
        size_t got = 0;
        if (flsi_zstd_read_at(reader, at, body->data + at, body->size - at, &got, NULL) != FLS_OK) {
            held->complete = 0;
            got = 1;
        }
        at += got;
    }
    flsi_zstd_close(reader);
}

static void see_body(void *self, const char *name, const uint8_t *data, size_t size)
{
    bodies *held = self;
    uint64_t ordinal;
    flsi_name_kind kind = flsi_name_parse(name, &ordinal);
    if (kind != FLSI_NAME_SEGMENT && kind != FLSI_NAME_COMPRESSED) {
        return;
    }
    STREAM_CASE_CHECK(held->count < sizeof held->list / sizeof held->list[0]);
    byte_buffer *body = &held->list[held->count++];
    if (kind == FLSI_NAME_SEGMENT) {
        bytes_append(body, data, size);
    } else {
        flsi_directory directory;
        flsi_file file;
        open_directory(&directory);
        STREAM_CASE_CHECK(
            flsi_directory_file(&directory, &file, name, FLSI_OPEN_READ, NULL, NULL) == FLS_OK);
        read_compressed(held, &file, body);
        (void)flsi_file_close(&file, NULL);
        flsi_directory_close(&directory);
    }
    held->bytes += body->size;
}

static void see_bodies(bodies *held)
{
    forget_bodies(held);
    held->complete = 1;
    memory_files_each(PATH, see_body, held);
}

typedef struct too_large {
    char name[FLSI_NAME_BYTES];
} too_large;

static void see_too_large(void *self, const char *name, const uint8_t *data, size_t size)
{
    too_large *found = self;
    uint64_t bytes = 0;
    flsi_directory directory;
    flsi_file file;
    flsi_zstd_reader *reader;
    size_t length = strlen(name);
    (void)data;
    (void)size;
    if (length < 4 || strcmp(name + length - 4, ".zst") != 0 || length >= sizeof found->name) {
        return;
    }
    open_directory(&directory);
    if (flsi_directory_file(&directory, &file, name, FLSI_OPEN_READ, NULL, NULL) == FLS_OK) {
        if (flsi_zstd_open(&reader, &file, fls_allocator_libc(), NULL) == FLS_OK ||
            flsi_zstd_open_damaged(&reader, &file, fls_allocator_libc(), NULL) == FLS_OK) {
            bytes = flsi_zstd_bytes(reader);
            flsi_zstd_close(reader);
        }
        (void)flsi_file_close(&file, NULL);
    }
    flsi_directory_close(&directory);
    if (bytes > BODY_MOST) {
        memcpy(found->name, name, length + 1);
    }
}

/* Whether some segment is larger than is good for a fuzzer. */
static int is_too_large(void)
{
    too_large found = {""};
    memory_files_each(PATH, see_too_large, &found);
    return found.name[0] != '\0';
}

/* The message stands as a frame at its offset in one of the segments. */
static int stands_somewhere(const journal_case *self, const fls_message *message,
                            fls_checksum checksum)
{
    const ref_format format = {checksum, NULL, 0};
    size_t header = 4 + ref_width(&format);
    for (size_t i = 0; i < self->held.count; i++) {
        const byte_buffer *body = &self->held.list[i];
        if (message->offset > body->size || body->size - message->offset < header ||
            body->size - message->offset - header < message->size) {
            continue;
        }
        const uint8_t *frame = body->data + message->offset;
        uint64_t digest = ref_digest(&format, frame + header, message->size);
        int sound = flsi_load_le32(frame) == message->size &&
                    memcmp(frame + header, message->payload, message->size) == 0;
        for (size_t k = 0; k < header - 4; k++) {
            sound = sound && frame[4 + k] == (uint8_t)(digest >> (8 * k));
        }
        if (sound) {
            return 1;
        }
    }
    return 0;
}

/* ---- reading ---- */

static void on_event(void *self, const fls_journal_event *event)
{
    journal_case *the_case = self;
    the_case->events++;
    if (event->kind == FLS_JOURNAL_EVENT_LOST) {
        STREAM_CASE_CHECK(event->fault != NULL && event->segment != NULL);
        STREAM_CASE_CHECK(event->to_offset >= event->from_offset);
    }
}

static uint64_t turns_most(const journal_case *self)
{
    return 64 + 4 * self->files + self->held.bytes / 2;
}

static void see_message(const journal_case *self, fls_journal_reader *reader,
                        const fls_message *message)
{
    STREAM_CASE_CHECK(message->size == 0 || message->payload != NULL);
    STREAM_CASE_CHECK(stands_somewhere(self, message, fls_journal_reader_checksum(reader)));
    (void)fls_journal_reader_wall_ns(reader, message->time_ns);
    STREAM_CASE_CHECK(fls_journal_reader_types(reader) != NULL);
}

/* All that comes from the place on; how many messages. *clean: nothing was wrong. */
static uint64_t read_forwards(const journal_case *self, fls_journal_reader *reader, int *clean)
{
    fls_message message;
    uint64_t count = 0;
    uint64_t turns = 0;
    uint64_t next = 0;
    fls_status status;
    *clean = 1;
    do {
        STREAM_CASE_CHECK(turns++ < turns_most(self));
        status = fls_journal_reader_next(reader, &message, NULL);
        if (status == FLS_OK) {
            see_message(self, reader, &message);
            STREAM_CASE_CHECK(message.ordinal >= next);
            next = message.ordinal + 1;
            count++;
        } else if (fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            *clean = 0;
            status = fls_journal_reader_skip(reader, NULL);
        }
    } while (status == FLS_OK);
    *clean = *clean && (status == FLS_END || status == FLS_WOULD_BLOCK);
    return count;
}

static uint64_t read_backwards(const journal_case *self, fls_journal_reader *reader)
{
    fls_message message;
    uint64_t count = 0;
    uint64_t before = UINT64_MAX;
    while (fls_journal_reader_previous(reader, &message, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(count++ < turns_most(self));
        see_message(self, reader, &message);
        STREAM_CASE_CHECK(message.ordinal < before);
        before = message.ordinal;
    }
    return count;
}

static int first_byte(void *self, const fls_message *message, int64_t *key)
{
    ++*(uint64_t *)self;
    *key = *(const uint8_t *)message->payload;
    return 0;
}

static void read_here(const journal_case *self, fls_journal_reader *reader, fls_status sought)
{
    fls_message messages[5];
    size_t count = 0;
    if (sought != FLS_OK) {
        return;
    }
    if (fls_journal_reader_next_batch(reader, messages, 5, &count, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(count > 0 && count <= 5);
        for (size_t i = 0; i < count; i++) {
            see_message(self, reader, &messages[i]);
        }
    }
    if (fls_journal_reader_previous(reader, messages, NULL) == FLS_OK) {
        see_message(self, reader, messages);
    }
}

static void read_from_places(const journal_case *self, fls_journal_reader *reader)
{
    uint64_t place = self->place;
    uint64_t looks = 0;
    read_here(self, reader, fls_journal_reader_seek_ordinal(reader, place, NULL));
    read_here(self, reader, fls_journal_reader_seek_time(reader, 1000 + place * 10, NULL));
    read_here(self, reader, fls_journal_reader_seek_time(reader, UINT64_MAX - place, NULL));
    read_here(self, reader, fls_journal_reader_seek_end(reader, place / 16, NULL));
    read_here(self, reader,
              fls_journal_reader_seek_key(reader, first_byte, &looks, (int64_t)place, NULL));
    STREAM_CASE_CHECK(looks < 64 * turns_most(self));
    read_here(self, reader, fls_journal_reader_load(reader, "c1", NULL));
    if (fls_journal_reader_save(reader, "saved", NULL) == FLS_OK) {
        uint64_t ordinal = fls_journal_reader_ordinal(reader);
        uint64_t first = 0;
        uint64_t end = 0;
        if (fls_journal_reader_load(reader, "saved", NULL) == FLS_OK &&
            fls_journal_reader_bounds(reader, &first, &end, NULL) == FLS_OK && ordinal >= first &&
            ordinal <= end && self->faults == 0) {
            STREAM_CASE_CHECK(fls_journal_reader_ordinal(reader) == ordinal);
        }
    }
}

static fls_journal_reader *open_reader(journal_case *self, unsigned how)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = (how & WRITTEN) != 0 ? FLS_JOURNAL_WRITTEN : FLS_JOURNAL_DURABLE;
    options.step_over = (how & STEP_OVER) != 0;
    options.without_times = (how & NO_TIMES) != 0;
    options.follow = (how & FOLLOW) != 0;
    options.buffer_bytes = 512;
    options.event = on_event;
    options.event_self = self;
    options.allocator = &self->memory.table;
    if (flsi_journal_reader_open(&reader, PATH, &options, memory_files_calls(), NULL) != FLS_OK) {
        STREAM_CASE_CHECK(reader == NULL);
    }
    return reader;
}

/* How many messages there are forwards, when nothing was wrong; else UINT64_MAX. */
static uint64_t read_all(journal_case *self, unsigned how)
{
    int clean = 0;
    fls_journal_reader *reader = open_reader(self, how);
    if (reader == NULL) {
        return UINT64_MAX;
    }
    uint64_t there = read_forwards(self, reader, &clean);
    uint64_t back = read_backwards(self, reader);
    read_from_places(self, reader);
    fls_journal_reader_close(reader);
    if (self->faults == 0 && self->held.complete) {
        STREAM_CASE_CHECK(clean);
        STREAM_CASE_CHECK(there == back);
    }
    return clean ? there : UINT64_MAX;
}

static void read_as_stream(const journal_case *self)
{
    uint8_t bytes[4096];
    fls_source source;
    size_t got = 0;
    uint64_t turns = 0;
    if (flsi_source_open_journal(&source, PATH, FLS_JOURNAL_WRITTEN, memory_files_calls(), NULL) !=
        FLS_OK) {
        return;
    }
    while (source.ops->read(source.self, bytes, sizeof bytes, &got, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(got > 0 && got <= sizeof bytes);
        STREAM_CASE_CHECK(turns++ < turns_most(self));
    }
    fls_source_close(&source);
}

static fls_status on_fault(void *self, const char *file, const fls_error *fault)
{
    STREAM_CASE_CHECK(file != NULL && file[0] != '\0' && fault->status != FLS_OK);
    ++((journal_case *)self)->faults;
    return FLS_OK;
}

static fls_status on_segment(void *self, const fls_journal_segment *segment)
{
    (void)self;
    STREAM_CASE_CHECK(segment->end_ordinal >= segment->first_ordinal);
    return FLS_OK;
}

/* The journal as it is now, by every way; NOT_KNOWN faults when it could not be checked. */
static void look_at_all(journal_case *self)
{
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options options = {
        .struct_bytes = sizeof options, .schemas = 1, .fault = on_fault, .self = self};
    see_bodies(&self->held);
    self->faults = 0;
    if (flsi_journal_check(PATH, &options, memory_files_calls(), &report, NULL) != FLS_OK) {
        self->faults = UINT64_MAX;
    } else {
        STREAM_CASE_CHECK(report.faults == self->faults);
    }
    self->sound = report.messages;
    uint64_t count = read_all(self, WRITTEN | (self->how & NO_TIMES));
    if (self->faults == 0 && self->held.complete && count != UINT64_MAX) {
        STREAM_CASE_CHECK(count == self->sound);
    }
    (void)read_all(self, self->how);
    read_as_stream(self);
    (void)flsi_journal_inspect(PATH, &info, on_segment, NULL, memory_files_calls(), NULL);
    STREAM_CASE_CHECK(memory_files_open() == 0);
    STREAM_CASE_CHECK(self->memory.live_blocks == 0);
    STREAM_CASE_CHECK(self->memory.peak_bytes < MEMORY_MOST);
}

/* ---- writing ---- */

static fls_status open_writer(journal_case *self, fls_journal **journal, fls_journal_report *report)
{
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.must_exist = 1;
    options.compress = (self->how & UPKEEP) != 0;
    options.allocator = &self->memory.table;
    *report = (fls_journal_report)FLS_JOURNAL_REPORT_INIT;
    return flsi_journal_open(journal, PATH, &options, memory_files_calls(), report, NULL);
}

/* What was appended is the newest message, whatever is before it. */
static void expect_appended(journal_case *self, uint64_t ordinal, const char *text, size_t size)
{
    fls_message message;
    fls_journal_reader *reader = open_reader(self, STEP_OVER);
    see_bodies(&self->held);
    STREAM_CASE_CHECK(reader != NULL);
    STREAM_CASE_CHECK(fls_journal_reader_seek_end(reader, 1, NULL) == FLS_OK);
    STREAM_CASE_CHECK(fls_journal_reader_next(reader, &message, NULL) == FLS_OK);
    STREAM_CASE_CHECK(message.ordinal == ordinal && message.size == size &&
                      memcmp(message.payload, text, size) == 0);
    fls_journal_reader_close(reader);
}

static void write_on(journal_case *self)
{
    static const char text[] = "written afterwards";
    fls_journal *journal = NULL;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    uint64_t ordinal = UINT64_MAX;
    uint64_t saved = 0;
    uint64_t segments = 0;
    const fls_prune_options prune = {.struct_bytes = sizeof prune, .retain_segments = 2};
    fls_status status = open_writer(self, &journal, &report);
    if (status != FLS_OK && (self->how & REBUILD) != 0 &&
        flsi_journal_rebuild(PATH, memory_files_calls(), &report, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(open_writer(self, &journal, &report) == FLS_OK);
        STREAM_CASE_CHECK(report.was_clean);
        status = FLS_OK;
    }
    if (status != FLS_OK) {
        STREAM_CASE_CHECK(journal == NULL);
        return;
    }
    STREAM_CASE_CHECK(report.messages == fls_journal_next_ordinal(journal));
    STREAM_CASE_CHECK(fls_journal_durable(journal) == report.messages);
    status = fls_journal_append(journal, text, sizeof text, &ordinal, NULL);
    if (status == FLS_OK) {
        STREAM_CASE_CHECK(ordinal == report.messages);
        STREAM_CASE_CHECK(fls_journal_sync_now(journal, NULL) == FLS_OK);
        expect_appended(self, ordinal, text, sizeof text);
        STREAM_CASE_CHECK(fls_journal_rotate(journal, NULL) == FLS_OK);
    }
    fls_status polled = fls_journal_poll(journal, NULL, NULL);
    STREAM_CASE_CHECK(polled == FLS_OK || status != FLS_OK);
    STREAM_CASE_CHECK(fls_journal_close(journal, NULL) == FLS_OK || status != FLS_OK);
    if ((self->how & UPKEEP) != 0) {
        (void)flsi_journal_compress(PATH, 1, memory_files_calls(), &segments, &saved, NULL);
        (void)flsi_journal_prune(PATH, &prune, memory_files_calls(), NULL, NULL);
    }
    STREAM_CASE_CHECK(memory_files_open() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static journal_case self; /* large */
    if (size < 2 || size > INPUT_MOST) {
        return 0;
    }
    memset(&self, 0, sizeof self);
    counting_allocator_init(&self.memory);
    self.how = data[0];
    self.place = data[1];
    lay_files(&self, data + 2, size - 2);
    if (!is_too_large()) {
        look_at_all(&self);
        if ((self.how & WRITE) != 0) {
            write_on(&self);
            look_at_all(&self);
        }
    }
    forget_bodies(&self.held);
    memory_files_reset();
    return 0;
}
