/* What a journal was given, held against a disk; see crash_model.h. */
#include "crash_model.h"

#include <inttypes.h>

#include "journal/journal_marks.h"
#include "journal/journal_redo.h"
#include "journal/journal_zstd.h"
#include "os/os_directory.h"
#include "support/testing.h"

#define SEGMENTS_MOST CRASH_SEGMENT_MOST
#define PLAIN_MOST    ((size_t)1 << 20)

/* The segments of a journal on a disk, in order. */
typedef struct segment_names {
    char names[SEGMENTS_MOST][CRASH_NAME_BYTES];
    size_t count;
    const char *ending;
} segment_names;

void crash_model_init(crash_model *model)
{
    memset(model, 0, sizeof *model);
    for (size_t i = 0; i < CRASH_CURSORS; i++) {
        model->cursors[i] = (crash_cursor){{CRASH_NO_CURSOR}, 1};
    }
}

void crash_model_copy(crash_model *to, const crash_model *from)
{
    *to = *from;
    to->capacity = from->count + 64;
    to->serials = malloc(to->capacity * sizeof *to->serials);
    assert_non_null(to->serials);
    if (from->count != 0) {
        memcpy(to->serials, from->serials, from->count * sizeof *to->serials);
    }
}

void crash_model_free(crash_model *model)
{
    free(model->serials);
    model->serials = NULL;
}

void crash_model_append(crash_model *model, uint64_t serial)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 64 : model->capacity * 2;
        model->serials = realloc(model->serials, model->capacity * sizeof *model->serials);
        assert_non_null(model->serials);
    }
    model->serials[model->count++] = serial;
}

static uint64_t highest_place(const crash_model *model)
{
    uint64_t places = 0;
    for (size_t i = 0; i < model->attempt_count; i++) {
        places = model->attempts[i].place >= places ? model->attempts[i].place + 1 : places;
    }
    return places;
}

void crash_model_cut(crash_model *model, uint64_t next_ordinal)
{
    size_t gaps = 0;
    uint64_t count = model->count;
    for (uint64_t ordinal = count; ordinal < next_ordinal; ordinal++) {
        for (size_t i = 0; i < model->attempt_count; i++) {
            if (model->attempts[i].found && model->attempts[i].place == ordinal - count) {
                crash_model_append(model, model->attempts[i].serial);
                break;
            }
        }
    }
    model->attempt_count = 0;
    if (model->count > next_ordinal) {
        model->count = next_ordinal;
    }
    for (size_t i = 0; i < model->gap_count; i++) {
        if (model->gaps[i].ordinal < next_ordinal) {
            model->gaps[gaps++] = model->gaps[i];
        }
    }
    model->gap_count = gaps;
}

size_t crash_payload(uint64_t serial, uint8_t payload[CRASH_PAYLOAD_MOST])
{
    prng random = prng_seeded(serial * 3 + 1);
    size_t size = 8 + (size_t)prng_below(&random, 120);
    if (serial % 16 == 5) {
        size = 8 + (size_t)prng_below(&random, CRASH_PAYLOAD_MOST - 8);
    }
    prng_fill(&random, payload, size);
    memcpy(payload, &serial, sizeof serial);
    return size;
}

static void wrong(crash_verdict *verdict, uint64_t *count, const char *what, const char *file,
                  uint64_t ordinal)
{
    if (verdict->text[0] == '\0') {
        (void)snprintf(verdict->text, sizeof verdict->text, "%s: %s, ordinal %" PRIu64, file, what,
                       ordinal);
    }
    *count += 1;
}

static void note_name(void *self, const char *name)
{
    segment_names *names = self;
    size_t length = strlen(name);
    if (length > 20 && strcmp(name + 20, names->ending) == 0) {
        assert_true(names->count < SEGMENTS_MOST);
        memcpy(names->names[names->count++], name, length + 1);
    }
}

static void list_segments(const crash_disk *disk, const char *ending, segment_names *names)
{
    names->count = 0;
    names->ending = ending;
    crash_disk_names(disk, CRASH_PATH, note_name, names);
}

static uint64_t ordinal_of(const char *name)
{
    return strtoull(name, NULL, 10);
}

static int read_below(const crash_disk *disk, const char *name, byte_buffer *into)
{
    char path[2 * CRASH_NAME_BYTES + 16];
    (void)snprintf(path, sizeof path, CRASH_PATH "/%s", name);
    return crash_disk_read(disk, path, into);
}

size_t crash_model_segments(const crash_disk *disk, uint64_t firsts[CRASH_SEGMENT_MOST])
{
    static segment_names plain;
    static segment_names stored;
    size_t count = 0;
    size_t k = 0;
    list_segments(disk, ".fls", &plain);
    list_segments(disk, ".fls.zst", &stored);
    for (size_t i = 0; i < plain.count || k < stored.count;) {
        uint64_t first = i < plain.count ? ordinal_of(plain.names[i]) : UINT64_MAX;
        uint64_t other = k < stored.count ? ordinal_of(stored.names[k]) : UINT64_MAX;
        assert_true(count < CRASH_SEGMENT_MOST);
        firsts[count++] = first < other ? first : other;
        i += first <= other;
        k += other <= first;
    }
    return count;
}

/* The plain bytes of a compressed segment, as far as they can be read. */
static void read_compressed(crash_disk *disk, const char *name, byte_buffer *into)
{
    char path[2 * CRASH_NAME_BYTES + 16];
    flsi_file file;
    flsi_zstd_reader *reader;
    crash_faults *faults = crash_disk_faults(disk);
    crash_faults saved = *faults;
    crash_disk *before = crash_disk_use(disk);
    (void)snprintf(path, sizeof path, CRASH_PATH "/%s", name);
    *faults = (crash_faults){0};
    bytes_clear(into);
    assert_int_equal(flsi_file_open(&file, path, FLSI_OPEN_READ, crash_disk_calls(), NULL), FLS_OK);
    if (flsi_zstd_open(&reader, &file, fls_allocator_libc(), NULL) == FLS_OK) {
        size_t got = 0;
        assert_true(flsi_zstd_bytes(reader) <= PLAIN_MOST);
        bytes_append_zeros(into, (size_t)flsi_zstd_bytes(reader));
        for (size_t at = 0; at < into->size; at += got) {
            if (flsi_zstd_read_at(reader, at, into->data + at, into->size - at, &got, NULL) !=
                FLS_OK) {
                bytes_clear(into);
            }
        }
        flsi_zstd_close(reader);
    }
    (void)flsi_file_close(&file, NULL);
    *faults = saved;
    (void)crash_disk_use(before);
}

/* The frames of a segment, of the plain file when both are there; the name that it has. */
static void read_frames(crash_disk *disk, uint64_t first, char name[CRASH_NAME_BYTES],
                        byte_buffer *into)
{
    (void)snprintf(name, CRASH_NAME_BYTES, "%020" PRIu64 ".fls", first);
    if (!read_below(disk, name, into)) {
        (void)snprintf(name, CRASH_NAME_BYTES, "%020" PRIu64 ".fls.zst", first);
        read_compressed(disk, name, into);
    }
}

/* Whether the message is what the model has, or may have, at that place. */
static int is_message(uint64_t serial, const uint8_t *payload, size_t size)
{
    uint8_t wanted[CRASH_PAYLOAD_MOST];
    return size >= sizeof serial && memcmp(&serial, payload, sizeof serial) == 0 &&
           crash_payload(serial, wanted) == size && memcmp(wanted, payload, size) == 0;
}

int crash_model_has(const crash_model *model, uint64_t ordinal, const void *payload, size_t size)
{
    return ordinal < model->count && is_message(model->serials[ordinal], payload, size);
}

static int is_expected(crash_model *model, uint64_t ordinal, const uint8_t *payload, size_t size)
{
    int found = 0;
    if (ordinal < model->count) {
        return is_message(model->serials[ordinal], payload, size);
    }
    for (size_t i = 0; i < model->attempt_count && !found; i++) {
        if (model->attempts[i].place == ordinal - model->count) {
            found = is_message(model->attempts[i].serial, payload, size);
            model->attempts[i].found = found;
        }
    }
    return found;
}

/* The messages of one segment that are below an ordinal. */
static void check_segment(crash_model *model, const char *name, const byte_buffer *content,
                          uint64_t end, crash_verdict *verdict)
{
    const ref_format format = {.checksum = model->checksum};
    ref_stream stream = ref_decode(&format, content->data, content->size);
    uint64_t first = ordinal_of(name);
    for (uint64_t ordinal = first; ordinal < end; ordinal++) {
        if (ordinal - first >= stream.count) {
            wrong(verdict, ordinal < model->durable ? &verdict->lost : &verdict->other,
                  "a message is missing", name, ordinal);
            continue;
        }
        const ref_message *message = &stream.messages[ordinal - first];
        verdict->messages++;
        if (!is_expected(model, ordinal, content->data + message->payload, message->size)) {
            wrong(verdict, &verdict->invented, "another message is there", name, ordinal);
        }
    }
    ref_free(&stream);
}

void crash_model_check(crash_model *model, crash_disk *disk, uint64_t next_ordinal,
                       crash_verdict *verdict)
{
    uint64_t firsts[CRASH_SEGMENT_MOST];
    byte_buffer content = BYTES_INIT;
    uint64_t at = model->retires ? UINT64_MAX : 0;
    size_t count = crash_model_segments(disk, firsts);
    for (size_t i = 0; i < model->attempt_count; i++) {
        model->attempts[i].found = 0;
    }
    if (next_ordinal < model->durable) {
        wrong(verdict, &verdict->lost, "it goes on below what was durable", "journal",
              next_ordinal);
        verdict->lost += model->durable - next_ordinal - 1;
    }
    if (next_ordinal > model->count + highest_place(model)) {
        wrong(verdict, &verdict->invented, "it goes on above what was appended", "journal",
              next_ordinal);
    }
    for (size_t i = 0; i < count; i++) {
        char name[CRASH_NAME_BYTES];
        uint64_t end = i + 1 < count ? firsts[i + 1] : next_ordinal;
        read_frames(disk, firsts[i], name, &content);
        if (firsts[i] > at) {
            wrong(verdict, &verdict->lost, "messages before it are missing", name, at);
        }
        check_segment(model, name, &content, end < next_ordinal ? end : next_ordinal, verdict);
        at = end;
    }
    if (at < next_ordinal) {
        wrong(verdict, &verdict->lost, "nothing has the last messages", "journal", at);
    }
    bytes_free(&content);
}

/* What the redo log has of a segment or its marks comes into the place of what the crash left
 * there.
 */
static void redo(const crash_disk *disk, const char *name, byte_buffer *content)
{
    byte_buffer log = BYTES_INIT;
    flsi_redo_entry entry;
    size_t size = 0;
    int is_marks = strstr(name, ".flm") != NULL;
    (void)read_below(disk, "REDO", &log);
    for (size_t at = 0; flsi_redo_decode(&entry, log.data + at, log.size - at, &size) == FLS_OK;
         at += size) {
        uint64_t offset = is_marks ? entry.marks_offset : entry.frames_offset;
        const uint8_t *bytes = is_marks ? entry.marks : entry.frames;
        size_t count = is_marks ? entry.marks_bytes : entry.frames_bytes;
        if (entry.owner.segment != ordinal_of(name) || offset > content->size) {
            break;
        }
        size_t room = content->size - (size_t)offset;
        size_t within = count < room ? count : room;
        memcpy(content->data + offset, bytes, within);
        bytes_append(content, bytes + within, count - within);
    }
    bytes_free(&log);
}

/* ---- what was set aside ---- */

typedef struct cut_search {
    const crash_disk *disk;
    const uint8_t *wanted;
    size_t size;
    int found;
} cut_search;

static void search_cut(void *self, const char *name)
{
    cut_search *search = self;
    char path[CRASH_NAME_BYTES + 8];
    byte_buffer content = BYTES_INIT;
    (void)snprintf(path, sizeof path, "cut/%s", name);
    if (read_below(search->disk, path, &content) && content.size >= search->size &&
        memmem(content.data, content.size, search->wanted, search->size) != NULL) {
        search->found = 1;
    }
    bytes_free(&content);
}

static int is_zeros(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    return size == 0;
}

/* Where in a segment that which is no message of the journal begins. */
static size_t strange_from(crash_model *model, const char *name, const byte_buffer *content,
                           uint64_t next_ordinal)
{
    const ref_format format = {.checksum = model->checksum};
    ref_stream stream = ref_decode(&format, content->data, content->size);
    uint64_t ordinal = ordinal_of(name);
    size_t from = 0;
    for (size_t i = 0; i < stream.count; i++, ordinal++) {
        const ref_message *message = &stream.messages[i];
        if (ordinal >= next_ordinal ||
            !is_expected(model, ordinal, content->data + message->payload, message->size)) {
            break;
        }
        from = message->payload + message->size;
    }
    ref_free(&stream);
    return from;
}

static int is_kept(const crash_disk *after, const char *name, const byte_buffer *old, size_t from)
{
    byte_buffer new = BYTES_INIT;
    (void)read_below(after, name, &new);
    cut_search search = {after, old->data + from, old->size - from, 0};
    search.found =
        new.size >= old->size &&memcmp(new.data + from, old->data + from, old->size - from) == 0;
    if (!search.found) {
        crash_disk_names(after, CRASH_PATH "/cut", search_cut, &search);
    }
    bytes_free(&new);
    return search.found;
}

void crash_model_check_cut(crash_model *model, const crash_disk *before, const crash_disk *after,
                           uint64_t next_ordinal, crash_verdict *verdict)
{
    static segment_names names;
    byte_buffer old = BYTES_INIT;
    list_segments(before, ".fls", &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.names[i];
        (void)read_below(before, name, &old);
        size_t from = strange_from(model, name, &old, next_ordinal);
        if (is_zeros(old.data + from, old.size - from) || is_kept(after, name, &old, from)) {
            continue;
        }
        redo(before, name, &old);
        from = strange_from(model, name, &old, next_ordinal);
        if (!is_zeros(old.data + from, old.size - from) && !is_kept(after, name, &old, from)) {
            wrong(verdict, &verdict->other, "bytes of it are nowhere any more", name, from);
        }
    }
    bytes_free(&old);
}

/* ---- gaps ---- */

static void find_gaps(const crash_model *model, const byte_buffer *marks, uint8_t *found)
{
    flsi_marks_walk walk;
    flsi_record record;
    if (flsi_marks_walk_begin(&walk, marks->data, marks->size, NULL) != FLS_OK) {
        return;
    }
    while (flsi_marks_walk_next(&walk, &record, NULL) == FLS_OK) {
        for (size_t i = 0; record.type == FLSI_RECORD_GAP && i < model->gap_count; i++) {
            found[i] |= record.ordinal == model->gaps[i].ordinal &&
                        record.offset == model->gaps[i].messages;
        }
    }
}

void crash_model_check_gaps(crash_model *model, const crash_disk *disk, crash_verdict *verdict)
{
    static segment_names names;
    uint8_t found[CRASH_GAP_MOST] = {0};
    byte_buffer marks = BYTES_INIT;
    uint64_t firsts[CRASH_SEGMENT_MOST];
    size_t count = crash_model_segments(disk, firsts);
    list_segments(disk, ".flm", &names);
    for (size_t i = 0; i < names.count; i++) {
        for (size_t k = 0; k < count && firsts[k] <= ordinal_of(names.names[i]); k++) {
            if (firsts[k] == ordinal_of(names.names[i]) &&
                read_below(disk, names.names[i], &marks)) {
                find_gaps(model, &marks, found);
                redo(disk, names.names[i], &marks);
                find_gaps(model, &marks, found);
            }
        }
    }
    /* One right before the oldest message went with those before it. */
    uint64_t oldest = model->retires && count != 0 ? firsts[0] + 1 : 0;
    size_t left = 0;
    for (size_t i = 0; i < model->gap_count; i++) {
        if (found[i]) {
            model->gaps[left++] = model->gaps[i];
        } else if (model->gaps[i].ordinal < model->durable && model->gaps[i].ordinal >= oldest) {
            wrong(verdict, &verdict->other, "a gap is not told of", "marks",
                  model->gaps[i].ordinal);
        }
    }
    model->gap_count = left;
    bytes_free(&marks);
}
