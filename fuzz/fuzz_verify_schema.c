/* A schema and a message, both any bytes: a schema that was loaded cannot make the verifier, or who
 * reads what it accepted, leave the message. Two bytes say how long the schema is; it stands behind
 * them, and the message behind it. */
#include <stdlib.h>

#include "flatstream/message_diff.h"
#include "flatstream/verify.h"
#include "stream_case.h"
#include "support/frames.h"
#include "support/visit_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message is the same as itself, whatever the schema makes of it, and so is its digest. With a
 * byte changed it may be sound no more, and if it is, what differs is found within it. */
static void compare_with_itself(const fls_schema *schema, uint32_t root, const uint8_t *message,
                                size_t size)
{
    fls_message_difference difference;
    uint64_t digest;
    uint64_t other_digest;
    uint8_t *other = bytes_exact_copy(message, size);
    if (fls_message_diff(schema, root, message, size, other, size, &difference, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(!difference.is_different);
    }
    other[size / 2] ^= 1;
    if (fls_message_diff(schema, root, message, size, other, size, &difference, NULL) == FLS_OK &&
        fls_message_digest(schema, root, message, size, &digest, NULL) == FLS_OK &&
        fls_message_digest(schema, root, other, size, &other_digest, NULL) == FLS_OK) {
        STREAM_CASE_CHECK(difference.is_different || digest == other_digest);
    }
    free(other);
}

static void verify_all(const fls_schema *schema, const uint8_t *message, size_t size)
{
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.max_apparent_bytes = 1 << 18;
    for (uint32_t root = 0; root < fls_schema_object_count(schema); root++) {
        fls_schema_object object;
        fls_schema_get_object(schema, root, &object);
        if (object.is_struct) {
            continue;
        }
        options.checks = 0;
        if (fls_verify(schema, root, message, size, &options, NULL) == FLS_OK) {
            (void)visit_message(schema, root, message);
            compare_with_itself(schema, root, message, size);
        }
        options.checks = FLS_VERIFY_UTF8 | FLS_VERIFY_SORTED;
        fls_violation violation;
        fls_status status = fls_verify(schema, root, message, size, &options, &violation);
        STREAM_CASE_CHECK((status == FLS_OK) == (violation.rule == FLS_RULE_NONE));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t schema_size = data[0] | (size_t)data[1] << 8;
    schema_size = schema_size < size - 2 ? schema_size : size - 2;
    uint8_t *schema_bytes = bytes_exact_copy(data + 2, schema_size);
    size_t message_size = size - 2 - schema_size;
    uint8_t *message = bytes_exact_copy(data + 2 + schema_size, message_size);
    fls_schema *schema = NULL;
    if (fls_schema_new(&schema, schema_bytes, schema_size, NULL, NULL) == FLS_OK) {
        free(schema_bytes);
        schema_bytes = NULL; /* is not needed any more */
        verify_all(schema, message, message_size);
    }
    fls_schema_free(schema);
    free(schema_bytes);
    free(message);
    return 0;
}
