/* A journal as a writer leaves it, with every kind of file, and a bit of any byte of any file
 * changed: checking names that file, and all messages are read but the one that was hit. In a
 * compressed segment those of the piece that was hit may be lost. A writer either opens it, or says
 * why not and changes nothing; rebuilding then helps. */
#include "crash_disk.h"
#include "journal/journal_cursor.h"
#include "journal/journal_names.h"
#include "journal/journal_reader_private.h"
#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "support/files.h"
#include "support/testing.h"

#define PATH            "flight"
#define MESSAGES        24u
#define SEGMENT         6u /* messages in each */
#define PIECE           2u /* messages in a compressed piece */
#define COMPRESSED_FROM 6u

static crash_disk *disk;
static byte_buffer schema = BYTES_INIT;
static fls_error err;
static uint64_t clock_ns;

static uint64_t read_clock(void *self)
{
    (void)self;
    return clock_ns += 1000;
}

static size_t payload_of(uint64_t i, uint8_t payload[64])
{
    size_t size = 9 + (size_t)(i * 7 % 40);
    for (size_t k = 0; k < size; k++) {
        payload[k] = (uint8_t)(i * 31 + k);
    }
    return size;
}

/* ---- making it ---- */

/* Another file in place of a plain segment: compressed, a piece for every two messages. */
static void compress_segment(void)
{
    char name[FLSI_NAME_BYTES];
    char path[2 * FLSI_NAME_BYTES];
    flsi_directory directory;
    flsi_file file;
    flsi_zstd_writer *writer;
    byte_buffer plain = BYTES_INIT;
    uint64_t bytes;
    flsi_name_format(name, FLSI_NAME_SEGMENT, COMPRESSED_FROM);
    (void)snprintf(path, sizeof path, PATH "/%s", name);
    assert_true(crash_disk_read(disk, path, &plain));
    assert_status(flsi_directory_open(&directory, PATH, 0, crash_disk_calls(), &err), FLS_OK, &err);
    assert_status(flsi_directory_remove(&directory, name, &err), FLS_OK, &err);
    flsi_name_format(name, FLSI_NAME_COMPRESSED, COMPRESSED_FROM);
    assert_status(flsi_directory_file(&directory, &file, name, FLSI_OPEN_WRITE | FLSI_OPEN_CREATE,
                                      NULL, &err),
                  FLS_OK, &err);
    assert_status(flsi_zstd_begin(&writer, &file, 3, fls_allocator_libc(), &err), FLS_OK, &err);
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    ref_stream stream = ref_decode(&format, plain.data, plain.size);
    assert_int_equal(stream.count, SEGMENT);
    for (size_t i = 0; i < SEGMENT; i += PIECE) {
        size_t from = stream.messages[i].offset;
        size_t end = i + PIECE < SEGMENT ? stream.messages[i + PIECE].offset : plain.size;
        assert_status(flsi_zstd_put(writer, plain.data + from, end - from, &err), FLS_OK, &err);
    }
    assert_status(flsi_zstd_end(writer, &bytes, &err), FLS_OK, &err);
    flsi_zstd_free(writer);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
    ref_free(&stream);
    bytes_free(&plain);
}

static void make_disk(void)
{
    uint8_t payload[64];
    fls_journal *journal;
    const fls_clock clock = {read_clock, NULL};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", &schema), 0);
    const fls_journal_type type = {schema.data, schema.size, NULL, NULL};
    disk = crash_disk_new(1);
    (void)crash_disk_use(disk);
    options.polled = 1;
    options.clock = &clock;
    options.segment_messages = SEGMENT;
    options.sync = FLS_JOURNAL_SYNC_EVERY;
    options.sync_messages = 2;
    options.compress = flsi_zstd_is_there() != 0;
    options.types = &type;
    options.type_count = 1;
    assert_status(flsi_journal_open(&journal, PATH, &options, crash_disk_calls(), NULL, &err),
                  FLS_OK, &err);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        size_t size = payload_of(i, payload);
        if (i == 3 || i == 13) {
            const fls_journal_gap gap = {.messages = 9, .producer = 1, .reason = FLS_GAP_REFUSED};
            assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
        }
        assert_status(fls_journal_append(journal, payload, size, NULL, &err), FLS_OK, &err);
    }
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    assert_status(flsi_journal_cursor_set(PATH, "near", 3, crash_disk_calls(), &err), FLS_OK, &err);
    assert_status(flsi_journal_cursor_set(PATH, "far", 20, crash_disk_calls(), &err), FLS_OK, &err);
    if (flsi_zstd_is_there()) {
        compress_segment();
    }
}

static int set_up(void **state)
{
    (void)state;
    make_disk();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(crash_disk_open_files(disk), 0);
    (void)crash_disk_use(NULL);
    crash_disk_free(disk);
    bytes_free(&schema);
    schema = (byte_buffer)BYTES_INIT;
    return 0;
}

/* ---- looking at it ---- */

static void count_lost(void *self, const fls_journal_event *event)
{
    if (event->kind == FLS_JOURNAL_EVENT_LOST) {
        assert_non_null(event->fault);
        *(uint64_t *)self += event->messages;
    }
}

static fls_journal_reader *open_reader(uint64_t *lost)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.step_over = 1;
    options.event = count_lost;
    options.event_self = lost;
    assert_status(flsi_journal_reader_open(&reader, PATH, &options, crash_disk_calls(), &err),
                  FLS_OK, &err);
    return reader;
}

static void assert_original(const fls_message *message)
{
    uint8_t payload[64];
    size_t size = payload_of(message->ordinal, payload);
    assert_in_range(message->ordinal, 0, MESSAGES - 1);
    assert_int_equal(message->size, size);
    assert_memory_equal(message->payload, payload, size);
}

/* Which messages are read, a bit each; what is missing was told. */
static uint32_t read_all(void)
{
    uint64_t lost = 0;
    uint32_t seen = 0;
    uint32_t back = 0;
    fls_message message;
    fls_status status;
    fls_journal_reader *reader = open_reader(&lost);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        assert_original(&message);
        assert_int_equal(seen >> message.ordinal, 0);
        seen |= UINT32_C(1) << message.ordinal;
    }
    assert_status(status, FLS_END, &err);
    unsigned missing = 0;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        missing += (seen >> i & 1) == 0;
    }
    assert_int_equal(lost, missing);
    while ((status = fls_journal_reader_previous(reader, &message, &err)) == FLS_OK) {
        assert_original(&message);
        back |= UINT32_C(1) << message.ordinal;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(back, seen);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_status(fls_journal_reader_seek_ordinal(reader, i, &err), FLS_OK, &err);
        status = fls_journal_reader_next(reader, &message, &err);
        assert_true(status == FLS_OK || status == FLS_END);
        assert_int_equal(status == FLS_OK && message.ordinal == i, seen >> i & 1);
    }
    fls_journal_reader_close(reader);
    return seen;
}

typedef struct named_files {
    const char *file;
    unsigned named;  /* how often it was */
    unsigned others; /* how often another one was */
} named_files;

static fls_status see_fault(void *self, const char *file, const fls_error *fault)
{
    named_files *named = self;
    assert_int_not_equal(fault->status, FLS_OK);
    int is_it = named->file != NULL && strcmp(file, named->file) == 0;
    /* Segments are told whose schema is missing, too. */
    int is_schema = named->file != NULL && strncmp(named->file, FLSI_SCHEMAS_NAME, 7) == 0;
    named->named += (unsigned)is_it;
    named->others += !is_it && !(is_schema && fault->status == FLS_SCHEMA_INVALID);
    return FLS_OK;
}

static named_files check(const char *file)
{
    named_files named = {file, 0, 0};
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options options = {
        .struct_bytes = sizeof options, .fault = see_fault, .self = &named};
    assert_status(flsi_journal_check(PATH, &options, crash_disk_calls(), &report, &err), FLS_OK,
                  &err);
    return named;
}

/* ---- flips ---- */

enum { MANIFEST, LOCK, PLAIN, MARKS, STORED, SCHEMA, CURSOR, KINDS };
static uint64_t flips[KINDS];

static int kind_of(const char *file)
{
    uint64_t ordinal;
    if (strncmp(file, FLSI_SCHEMAS_NAME "/", 8) == 0) {
        return SCHEMA;
    }
    if (strncmp(file, FLSI_CURSORS_NAME "/", 8) == 0) {
        return CURSOR;
    }
    switch (flsi_name_parse(file, &ordinal)) {
    case FLSI_NAME_SEGMENT: return PLAIN;
    case FLSI_NAME_MARKS: return MARKS;
    case FLSI_NAME_COMPRESSED: return STORED;
    default: return strcmp(file, FLSI_LOCK_NAME) == 0 ? LOCK : MANIFEST;
    }
}

/* What may be missing when one frame, or one piece, was hit. */
static void assert_lost(int kind, uint32_t missing)
{
    const uint32_t piece = (UINT32_C(1) << PIECE) - 1;
    if (kind == PLAIN) {
        assert_true(missing != 0 && (missing & (missing - 1)) == 0);
        return;
    }
    int one = missing == 0;
    for (unsigned i = 0; kind == STORED && i < SEGMENT; i += PIECE) {
        one |= missing == piece << (COMPRESSED_FROM + i);
    }
    assert_true(one);
}

/* On a copy of the disk: a writer opens it, or rebuilding helps; nothing more is lost. */
static void write_on(int kind, uint32_t seen)
{
    fls_journal *journal = NULL;
    uint8_t payload[64];
    uint64_t ordinal = 0;
    crash_disk *copy = crash_disk_crash(disk, CRASH_KEEP, 1);
    crash_disk *before = crash_disk_use(copy);
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    fls_status status = flsi_journal_open(&journal, PATH, &options, crash_disk_calls(), NULL, &err);
    if (status != FLS_OK) {
        assert_true(kind == MANIFEST || kind == MARKS || kind == PLAIN);
        assert_true(fls_status_class_of(status) == FLS_CLASS_DAMAGE || status == FLS_UNSUPPORTED);
        assert_int_equal(read_all(), seen);
        assert_status(flsi_journal_rebuild(PATH, crash_disk_calls(), NULL, &err), FLS_OK, &err);
        assert_status(flsi_journal_open(&journal, PATH, &options, crash_disk_calls(), NULL, &err),
                      FLS_OK, &err);
    }
    uint64_t next = fls_journal_next_ordinal(journal);
    /* Of what is behind a fault in the last segment sound frames are set aside, when there is no
     * proof of the end. */
    assert_true(next == MESSAGES || kind == PLAIN);
    if (next < MESSAGES) {
        size_t size = payload_of(next, payload);
        assert_status(fls_journal_append(journal, payload, size, &ordinal, &err), FLS_OK, &err);
        seen &= (UINT32_C(1) << next) - 1;
        seen |= UINT32_C(1) << next;
    }
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    if (next == MESSAGES) {
        assert_int_equal(read_all(), seen);
    }
    assert_int_equal(crash_disk_open_files(copy), 0);
    (void)crash_disk_use(before);
    crash_disk_free(copy);
}

/* A schema's name is the hash of what it says: there are bytes in it that say nothing. */
static int says_the_same(const byte_buffer *content, const char *file)
{
    fls_schema *loaded = NULL;
    char name[FLSI_NAME_BYTES] = "";
    if (fls_schema_new(&loaded, content->data, content->size, NULL, NULL) == FLS_OK) {
        flsi_name_schema(name, fls_schema_hash(loaded));
    }
    fls_schema_free(loaded);
    return strcmp(file + strlen(FLSI_SCHEMAS_NAME "/"), name) == 0;
}

/* Bits of zstd's formats that may be anything: one in the header of each frame, two in the footer.
 */
static int says_nothing(const byte_buffer *content, size_t at, unsigned bit)
{
    static const uint8_t magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
    return (at == content->size - 5 && bit < 2) ||
           (bit == 4 && at >= 4 && memcmp(content->data + at - 4, magic, 4) == 0);
}

static void flip_all_of(const char *file)
{
    char path[160];
    byte_buffer content = BYTES_INIT;
    const uint32_t all = (UINT32_C(1) << MESSAGES) - 1;
    int kind = kind_of(file);
    (void)snprintf(path, sizeof path, PATH "/%s", file);
    assert_true(crash_disk_read(disk, path, &content));
    for (size_t at = 0; at < content.size; at++) {
        for (unsigned bit = at % 8; bit < 8; bit += kind == PLAIN ? 3 : 8) {
            if (kind == STORED && says_nothing(&content, at, bit)) {
                continue;
            }
            content.data[at] ^= (uint8_t)(1u << bit);
            crash_disk_write(disk, path, content.data, content.size);
            uint32_t seen = read_all();
            assert_lost(kind, all & ~seen);
            named_files named = check(file);
            int is_told = kind != LOCK && !(kind == SCHEMA && says_the_same(&content, file));
            if ((int)named.named != is_told || named.others != 0) {
                print_error("%s: bit %u of byte %zu\n", file, bit, at);
            }
            assert_int_equal(named.named, is_told);
            assert_int_equal(named.others, 0);
            if (bit == at % 8 && at % 3 == 0) {
                write_on(kind, seen);
            }
            content.data[at] ^= (uint8_t)(1u << bit);
            flips[kind]++;
        }
    }
    crash_disk_write(disk, path, content.data, content.size);
    bytes_free(&content);
}

typedef struct file_names {
    char names[64][2 * FLSI_NAME_BYTES];
    size_t count;
    const char *below;
} file_names;

static void note_file(void *self, const char *name)
{
    file_names *all = self;
    char path[4 * FLSI_NAME_BYTES];
    byte_buffer content = BYTES_INIT;
    (void)snprintf(all->names[all->count], sizeof all->names[0], "%s%.64s", all->below, name);
    (void)snprintf(path, sizeof path, PATH "/%s", all->names[all->count]);
    all->count += crash_disk_read(disk, path, &content) != 0; /* no directory */
    bytes_free(&content);
}

static void test_flips_everywhere(void **state)
{
    static file_names all;
    static const char *const directories[] = {"", FLSI_SCHEMAS_NAME "/", FLSI_CURSORS_NAME "/"};
    (void)state;
    assert_int_equal(read_all(), (UINT32_C(1) << MESSAGES) - 1);
    assert_int_equal(check(NULL).others, 0);
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, PATH "/%s", directories[i]);
        all.below = directories[i];
        crash_disk_names(disk, path, note_file, &all);
    }
    for (size_t i = 0; i < all.count; i++) {
        flip_all_of(all.names[i]);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        assert_true(flips[kind] > 0 || (kind == STORED && !flsi_zstd_is_there()));
    }
    print_message(
        "bits changed in %zu files: %u in segments, %u in marks, %u compressed, %u in the "
        "manifest, %u in schemas, %u in cursors\n",
        all.count, (unsigned)flips[PLAIN], (unsigned)flips[MARKS], (unsigned)flips[STORED],
        (unsigned)flips[MANIFEST], (unsigned)flips[SCHEMA], (unsigned)flips[CURSOR]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flips_everywhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
