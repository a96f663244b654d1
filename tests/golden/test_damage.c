/* The golden corpus: sound and damaged streams as another implementation wrote them, and what that
 * implementation's reader said of each, through every reader here and through recovery. The corpus
 * lies in data/; where the larger set of streams is present its copy is checked as well. */
#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/readers.h"
#include "support/testing.h"

typedef struct outcome {
    char file[64];
    fls_checksum checksum;
    uint32_t max_frame_bytes;
    size_t messages;
    fls_status end;
    uint64_t expected; /* on a mismatch */
    uint64_t computed;
    uint64_t declared; /* on an invalid frame */
    fls_stream_end recovered;
    uint64_t last_good_offset; /* UINT64_MAX where it is not told */
} outcome;

/* The text behind "key": in the object that starts at json, up to the end of the line. */
static void field(const char *json, const char *key, char *value, size_t capacity)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *found = strstr(json, quoted);
    assert_non_null(found);
    found += strlen(quoted);
    size_t size = strcspn(found, "\n");
    while (size > 0 && (found[size - 1] == ',' || found[size - 1] == '"')) {
        size--;
    }
    size_t skip = *found == '"' ? 1 : 0;
    snprintf(value, capacity, "%.*s", (int)(size - skip), found + skip);
}

static void parse_ends(outcome *self, const char *end, const char *recover)
{
    const char *calculated = strstr(end, "calculated=");
    const char *declared = strstr(end, "declared_len=Some(");
    self->end = FLS_END;
    self->recovered = FLS_STREAM_DAMAGED;
    self->last_good_offset = UINT64_MAX;
    if (calculated != NULL) {
        self->end = FLS_CHECKSUM_MISMATCH;
        self->expected = strtoull(strstr(end, "expected=") + 9, NULL, 16);
        self->computed = strtoull(calculated + 11, NULL, 16);
    } else if (declared != NULL) {
        self->end = FLS_INVALID_FRAME;
        self->declared = strtoull(declared + 18, NULL, 10);
    } else if (strcmp(end, "END UnexpectedEof") == 0) {
        self->end = FLS_UNEXPECTED_EOF;
    } else {
        assert_string_equal(end, "END clean");
    }
    const char *offset = strstr(recover, "last_good_offset ");
    if (offset != NULL) {
        self->last_good_offset = strtoull(offset + 17, NULL, 10);
        self->recovered =
            strstr(recover, "TornTail") != NULL ? FLS_STREAM_TORN_TAIL : FLS_STREAM_CLEAN;
    }
}

/* Reads the next object; returns where to go on, or NULL. */
static const char *parse(const char *json, outcome *self)
{
    char text[200];
    char recover[200];
    const char *object = strstr(json, "\"file\"");
    if (object == NULL) {
        return NULL;
    }
    memset(self, 0, sizeof *self);
    field(object, "file", text, sizeof text);
    const char *slash = strrchr(text, '/');
    snprintf(self->file, sizeof self->file, "%.60s", slash != NULL ? slash + 1 : text);
    field(object, "checksum", text, sizeof text);
    assert_status(fls_checksum_from_name(text, &self->checksum), FLS_OK, NULL);
    field(object, "max_frame", text, sizeof text);
    self->max_frame_bytes = (uint32_t)strtoul(text, NULL, 10);
    field(object, "messages", text, sizeof text);
    self->messages = strtoul(text, NULL, 10);
    field(object, "end", text, sizeof text);
    field(object, "recover", recover, sizeof recover);
    parse_ends(self, text, recover);
    return strchr(object, '}');
}

/* The one deliberate difference: zeros at the end were never messages. */
static void expect_zero_tail(outcome *self)
{
    self->messages = 6;
    self->end = FLS_ZERO_TAIL;
    self->recovered = FLS_STREAM_ZERO_TAIL;
    self->last_good_offset = UINT64_MAX;
    self->expected = 0;
    self->computed = 0;
}

static void check_readers(const outcome *wanted, const byte_buffer *stream)
{
    readers_case what = {
        {wanted->checksum, NULL, wanted->max_frame_bytes}, stream->data, stream->size};
    ref_stream expected = ref_decode(&what.format, stream->data, stream->size);
    assert_int_equal(expected.count, wanted->messages);
    assert_status(expected.end, wanted->end, NULL);
    assert_int_equal(expected.expected, wanted->expected);
    assert_int_equal(expected.computed, wanted->computed);
    assert_int_equal(expected.declared, wanted->declared);
    if (wanted->last_good_offset != UINT64_MAX) {
        assert_int_equal(expected.offset, wanted->last_good_offset);
    }
    prng random = prng_seeded(stream->size);
    for (unsigned way = 0; way < READERS_WAYS; way++) {
        readers_verdict verdict = readers_way_agrees(way, &what, &expected, &random);
        if (!verdict.agree) {
            fail_msg("%s: %s", wanted->file, verdict.why);
        }
    }
    ref_free(&expected);
}

static void check_report(const outcome *wanted, const fls_recover_report *report, size_t size)
{
    if (report->end != wanted->recovered) {
        fail_msg("%s ends %s, not %s", wanted->file, fls_stream_end_name(report->end),
                 fls_stream_end_name(wanted->recovered));
    }
    assert_int_equal(report->frames, wanted->messages);
    if (wanted->last_good_offset != UINT64_MAX) {
        assert_int_equal(report->last_good_offset, wanted->last_good_offset);
    }
    assert_int_equal(report->stream_bytes, size);
    assert_int_equal(report->fault.status, wanted->end == FLS_END ? FLS_OK : wanted->end);
    if (wanted->end == FLS_CHECKSUM_MISMATCH) {
        assert_int_equal(report->fault.expected, wanted->expected);
        assert_int_equal(report->fault.computed, wanted->computed);
    }
    if (wanted->end == FLS_INVALID_FRAME) {
        assert_int_equal(report->fault.declared_bytes, wanted->declared);
    }
}

static void check_recovery(const outcome *wanted, const byte_buffer *stream, const char *path)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = wanted->checksum;
    options.max_frame_bytes = wanted->max_frame_bytes;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(stream->data, stream->size, &options, &report, &err), FLS_OK,
                  &err);
    check_report(wanted, &report, stream->size);
    fls_recover_report from_file = FLS_RECOVER_REPORT_INIT;
    assert_status(fls_recover_file(path, &options, &from_file, &err), FLS_OK, &err);
    check_report(wanted, &from_file, stream->size);
    assert_int_equal(from_file.last_good_offset, report.last_good_offset);
}

static size_t check_corpus(const char *directory)
{
    byte_buffer json = BYTES_INIT;
    byte_buffer stream = BYTES_INIT;
    assert_int_equal(files_read(files_join(directory, "expected.json"), &json), 0);
    bytes_append(&json, "", 1);
    size_t files = 0;
    outcome wanted;
    const char *at = (const char *)json.data;
    while ((at = parse(at, &wanted)) != NULL) {
        if (strncmp(wanted.file, "zero-tail.", 10) == 0) {
            expect_zero_tail(&wanted);
        }
        const char *path = files_join(directory, wanted.file);
        assert_int_equal(files_read(path, &stream), 0);
        check_readers(&wanted, &stream);
        check_recovery(&wanted, &stream, path);
        files++;
    }
    bytes_free(&json);
    bytes_free(&stream);
    return files;
}

static void committed_corpus(void **state)
{
    (void)state;
    assert_int_equal(check_corpus(files_golden_directory()), 38);
}

static void present_corpus(void **state)
{
    (void)state;
    const char *directory = files_interop_directory();
    if (directory == NULL) {
        skip();
    }
    char damage[1000];
    snprintf(damage, sizeof damage, "%s/damage", directory);
    assert_int_equal(check_corpus(damage), 42);
}

/* The committed corpus leaves out what is the sound stream and 4096 zeros. */
static void zero_tails(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        outcome wanted = {.checksum = frames_checksums[c]};
        expect_zero_tail(&wanted);
        byte_buffer stream = BYTES_INIT;
        snprintf(wanted.file, sizeof wanted.file, "sound.%s.fls",
                 fls_checksum_name(wanted.checksum));
        assert_int_equal(files_read(files_join(files_golden_directory(), wanted.file), &stream), 0);
        wanted.last_good_offset = stream.size;
        bytes_append_zeros(&stream, 4096);
        check_readers(&wanted, &stream);
        char directory[256];
        files_make_directory(directory, sizeof directory);
        const char *path = files_join(directory, "zero-tail.fls");
        files_write(path, stream.data, stream.size);
        check_recovery(&wanted, &stream, path);
        files_remove_directory(directory);
        bytes_free(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_corpus),
        cmocka_unit_test(present_corpus),
        cmocka_unit_test(zero_tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
