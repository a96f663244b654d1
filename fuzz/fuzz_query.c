/* A path and a condition over a message, both of any bytes, by a fixed schema: a byte that chooses
 * the root table, the text up to a zero, the message. Nothing is read beyond text or message, an
 * error says where, a condition and its opposite never both hold, and the paths' values lie in the
 * message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/query.h"
#include "flatstream/statistics.h"
#include "stream_case.h"
#include "support/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fls_schema *load(void)
{
    byte_buffer file = BYTES_INIT;
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    STREAM_CASE_CHECK(files_read(FLS_FUZZ_SCHEMA_DIR "/everything.bfbs", &file) == 0);
    STREAM_CASE_CHECK(fls_schema_new(&schema, file.data, file.size, NULL, &err) == FLS_OK);
    bytes_free(&file);
    return schema;
}

/* 0: the schema's root. */
static uint32_t choose_root(const fls_schema *schema, uint8_t choice)
{
    fls_schema_object object;
    uint32_t index = choice % fls_schema_object_count(schema);
    fls_schema_get_object(schema, index, &object);
    return choice == 0 || object.is_struct ? fls_schema_root(schema) : index;
}

static void check_failure(fls_status status, const fls_error *err, const char *text)
{
    STREAM_CASE_CHECK(status == FLS_INVALID_ARGUMENT || status == FLS_UNSUPPORTED);
    STREAM_CASE_CHECK(err->status == status && err->text[0] != '\0');
    STREAM_CASE_CHECK(memchr(err->text, '\0', sizeof err->text) != NULL);
    STREAM_CASE_CHECK(!(err->known & FLS_ERROR_OFFSET) || err->offset <= strlen(text));
}

/* How many loops may be in each other: what they cost is the product of their lengths. */
static size_t loops_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '*' || strncmp(text, "any", 3) == 0 || strncmp(text, "all", 3) == 0;
    }
    return count;
}

typedef struct seen {
    const uint8_t *message;
    size_t size;
    uint64_t count;
    fls_statistics *statistics;
} seen;

static int see(void *self, const fls_value *value)
{
    seen *s = self;
    STREAM_CASE_CHECK(value->kind != FLS_VALUE_ABSENT);
    if (value->kind == FLS_VALUE_STRING) {
        const uint8_t *text = (const uint8_t *)value->as.string.text;
        STREAM_CASE_CHECK(text >= s->message && text <= s->message + s->size);
        STREAM_CASE_CHECK(value->as.string.size <= (size_t)(s->message + s->size - text));
    } else if (value->kind != FLS_VALUE_OBJECT) {
        STREAM_CASE_CHECK(fls_statistics_add(s->statistics, value, NULL) == FLS_OK);
    }
    return ++s->count == 1000;
}

static void try_path(const fls_schema *schema, uint32_t root, const char *text,
                     const uint8_t *message, size_t size)
{
    fls_error err = FLS_ERROR_INIT;
    fls_path *path;
    fls_status status = fls_path_new(&path, schema, root, text, NULL, &err);
    if (status != FLS_OK) {
        check_failure(status, &err, text);
        return;
    }
    char buffer[FLS_VALUE_TEXT_BYTES];
    size_t text_bytes;
    fls_value value;
    seen s = {message, size, 0, NULL};
    STREAM_CASE_CHECK(fls_statistics_new(&s.statistics, NULL, NULL) == FLS_OK);
    fls_path_get(path, message, size, &value);
    STREAM_CASE_CHECK(value.kind == FLS_VALUE_ABSENT || value.kind == fls_path_kind(path));
    (void)fls_value_text(&value, schema, buffer, &text_bytes);
    STREAM_CASE_CHECK(value.kind == FLS_VALUE_STRING || text_bytes < 1025);
    (void)fls_path_each(path, message, size, see, &s);
    STREAM_CASE_CHECK((s.count > 0) == (value.kind != FLS_VALUE_ABSENT));
    fls_statistics_quantile(s.statistics, 0.5, &value);
    fls_statistics_free(s.statistics);
    fls_path_free(path);
}

static void try_predicate(const fls_schema *schema, uint32_t root, const char *text,
                          const uint8_t *message, size_t size)
{
    fls_error err = FLS_ERROR_INIT;
    fls_predicate *predicate;
    fls_predicate *opposite;
    fls_status status = fls_predicate_new(&predicate, schema, root, text, NULL, &err);
    if (status != FLS_OK) {
        check_failure(status, &err, text);
        return;
    }
    int holds = fls_predicate_holds(predicate, message, size);
    STREAM_CASE_CHECK(holds == 0 || holds == 1);
    char *turned = malloc(strlen(text) + 4);
    STREAM_CASE_CHECK(turned != NULL);
    sprintf(turned, "!(%s)", text);
    if (fls_predicate_new(&opposite, schema, root, turned, NULL, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(fls_predicate_holds(opposite, message, size) == !holds);
        fls_predicate_free(opposite);
    }
    free(turned);
    fls_predicate_free(predicate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fls_schema *schema;
    const uint8_t *zero = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    if (zero == NULL) {
        return 0;
    }
    if (schema == NULL) {
        schema = load();
    }
    char *text = (char *)bytes_exact_copy(data + 1, (size_t)(zero - data));
    size_t message_bytes = (size_t)(data + size - zero - 1);
    size_t most = loops_of(text) > 2 ? 48 : 4096;
    message_bytes = message_bytes < most ? message_bytes : most;
    uint8_t *message = bytes_exact_copy(zero + 1, message_bytes);
    uint32_t root = choose_root(schema, data[0]);
    try_path(schema, root, text, message, message_bytes);
    try_predicate(schema, root, text, message, message_bytes);
    free(message);
    free(text);
    return 0;
}
