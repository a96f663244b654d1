/* The verifier, with the schema that has every feature, on any bytes: reads nothing beyond them,
 * says the same with options that ask for no more, and never accepts with a check what it refuses
 * without. The first byte chooses the checks. What is accepted is read, all of it. */
#include <stdlib.h>

#include "flatstream/verify.h"
#include "stream_case.h"
#include "support/files.h"
#include "support/frames.h"
#include "support/visit_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const fls_schema *fixed_schema(void)
{
    static fls_schema *schema;
    if (schema == NULL) {
        fls_error err = FLS_ERROR_INIT;
        fls_status status =
            fls_schema_new_file(&schema, FLS_FUZZ_SCHEMA_DIR "/everything.bfbs", NULL, NULL, &err);
        STREAM_CASE_CHECK(status == FLS_OK);
    }
    return schema;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fls_schema *schema = fixed_schema();
    const uint32_t root = fls_schema_root(schema);
    if (size == 0) {
        return 0;
    }
    uint8_t *exact = bytes_exact_copy(data + 1, size - 1);
    fls_violation violation;
    fls_violation again;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    /* Small limits, so that what refers to itself a million times takes no time. */
    options.max_apparent_bytes = 1 << 20;
    fls_status status = fls_verify(schema, root, exact, size - 1, &options, &violation);
    STREAM_CASE_CHECK((status == FLS_OK) == (violation.rule == FLS_RULE_NONE));
    STREAM_CASE_CHECK(violation.offset <= size - 1);
    if (status == FLS_OK) {
        STREAM_CASE_CHECK(fls_verify(schema, root, exact, size - 1, NULL, &again) == FLS_OK);
        (void)visit_message(schema, root, exact);
    }
    options.checks = data[0] & 15u;
    fls_status checked = fls_verify(schema, root, exact, size - 1, &options, &again);
    STREAM_CASE_CHECK(checked != FLS_OK || status == FLS_OK);
    STREAM_CASE_CHECK((checked == FLS_OK) == (again.rule == FLS_RULE_NONE));
    free(exact);
    return 0;
}
