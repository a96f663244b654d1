/* Any text to the JSON parser, with everything.fbs: it reads nothing beyond the text, what it takes
 * makes a sound message, and that printed, read and printed again is the same text.
 * The first byte chooses the options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/json.h"
#include "stream_case.h"
#include "support/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fls_schema *schema;
static fls_json_parser *parsers[4]; /* lenient, with defaults */
static fls_json_printer *printer;

static void set_up(void)
{
    byte_buffer bytes = BYTES_INIT;
    STREAM_CASE_CHECK(files_read(FLS_FUZZ_SCHEMA_DIR "/everything.bfbs", &bytes) == 0);
    STREAM_CASE_CHECK(fls_schema_new(&schema, bytes.data, bytes.size, NULL, NULL) == FLS_OK);
    bytes_free(&bytes);
    uint32_t root = fls_schema_root(schema);
    for (uint32_t i = 0; i < 4; i++) {
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        options.lenient = i & 1;
        options.with_defaults = i >> 1;
        STREAM_CASE_CHECK(fls_json_parser_new(&parsers[i], schema, root, &options, NULL) == FLS_OK);
    }
    STREAM_CASE_CHECK(fls_json_printer_new(&printer, schema, root, NULL, NULL) == FLS_OK);
}

static void check_error(const fls_json_error *where, const fls_error *err, const char *text,
                        size_t size)
{
    uint64_t lines = 1;
    STREAM_CASE_CHECK(where->offset <= size && where->line >= 1 && where->column >= 1);
    STREAM_CASE_CHECK(where->reason[0] != '\0' && err->text[0] != '\0');
    for (uint64_t i = 0; i < where->offset; i++) {
        lines += text[i] == '\n';
    }
    STREAM_CASE_CHECK(where->line == lines);
    STREAM_CASE_CHECK(memchr(where->path, '\0', sizeof where->path) != NULL);
}

/* The text printed of a message, on the heap. */
static char *print(const void *payload, size_t size, size_t *text_size)
{
    const char *text;
    STREAM_CASE_CHECK(fls_json_print(printer, payload, size, &text, text_size, NULL) == FLS_OK);
    char *copy = malloc(*text_size + 1);
    STREAM_CASE_CHECK(copy != NULL);
    memcpy(copy, text, *text_size);
    return copy;
}

static void check_message(const void *payload, size_t size)
{
    size_t text_size;
    size_t again_size;
    const void *again;
    size_t payload_size;
    STREAM_CASE_CHECK(fls_verify(schema, fls_schema_root(schema), payload, size, NULL, NULL) ==
                      FLS_OK);
    char *text = print(payload, size, &text_size);
    STREAM_CASE_CHECK(
        fls_json_parse(parsers[2], text, text_size, &again, &payload_size, NULL, NULL) == FLS_OK);
    char *text_again = print(again, payload_size, &again_size);
    STREAM_CASE_CHECK(again_size == text_size && memcmp(text_again, text, text_size) == 0);
    free(text_again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const void *payload;
    size_t payload_size;
    fls_json_error where;
    fls_error err = FLS_ERROR_INIT;
    if (size == 0) {
        return 0;
    }
    if (schema == NULL) {
        set_up();
    }
    uint8_t *exact = bytes_exact_copy(data + 1, size - 1);
    const char *text = (const char *)exact;
    fls_status status =
        fls_json_parse(parsers[data[0] & 3], text, size - 1, &payload, &payload_size, &where, &err);
    if (status == FLS_OK) {
        check_message(payload, payload_size);
    } else {
        STREAM_CASE_CHECK(status == FLS_VALIDATION_FAILED);
        check_error(&where, &err, text, size - 1);
    }
    free(exact);
    return 0;
}
