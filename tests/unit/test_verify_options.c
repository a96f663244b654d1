/* Options of fls_verify that cannot be meant, and those of older and newer callers. */
#include "flatstream/verify.h"
#include "support/files.h"
#include "support/testing.h"

static fls_schema *schema;
static uint32_t root;
/* A table without a field. */
static const uint8_t message[] = {8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};

static int setup(void **unused)
{
    (void)unused;
    byte_buffer file = BYTES_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &file), 0);
    assert_status(fls_schema_new(&schema, file.data, file.size, NULL, &err), FLS_OK, &err);
    root = fls_schema_find_object(schema, "everything.Empty");
    bytes_free(&file);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    fls_schema_free(schema);
    return 0;
}

static fls_verify_options asking_for(uint32_t checks)
{
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.checks = checks;
    return options;
}

/* Options that cannot be meant, of sound messages and of others. */
static void options_that_are_not_understood(void **unused)
{
    (void)unused;
    struct {
        fls_verify_options known;
        uint64_t later;
    } longer = {FLS_VERIFY_OPTIONS_INIT, 0};
    fls_violation violation;
    for (size_t size = 0; size <= sizeof message; size += sizeof message) {
        int verdict = size > 0 ? FLS_OK : FLS_VALIDATION_FAILED;
        for (uint32_t bit = 0; bit < 32; bit++) {
            const fls_verify_options options = asking_for(UINT32_C(1) << bit);
            fls_status status = fls_verify(schema, root, message, size, &options, NULL);
            assert_true((status == FLS_INVALID_ARGUMENT) == (bit > 3));
        }
        longer.later = 0;
        longer.known.struct_bytes = 3;
        assert_int_equal(fls_verify(schema, root, message, size, &longer.known, &violation),
                         FLS_INVALID_ARGUMENT);
        assert_int_equal(violation.rule, FLS_RULE_NONE);
        /* An older caller's, of which what is behind does not count. */
        longer.known = asking_for(UINT32_MAX);
        longer.known.struct_bytes = 4;
        assert_int_equal(fls_verify(schema, root, message, size, &longer.known, NULL), verdict);
        /* A newer caller's, who asks for nothing new, or for something. */
        longer.known = asking_for(0);
        longer.known.struct_bytes = sizeof longer;
        assert_int_equal(fls_verify(schema, root, message, size, &longer.known, NULL), verdict);
        longer.later = 1;
        assert_int_equal(fls_verify(schema, root, message, size, &longer.known, NULL),
                         FLS_INVALID_ARGUMENT);
    }
    fls_schema_set set = {0};
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_schema_set_add(&set, schema, "everything.Empty", NULL, &err), FLS_OK, &err);
    fls_schema_check check = {.types = &set};
    const fls_validator v = fls_validator_schema(&check);
    assert_status(v.check(v.self, message, sizeof message, &err), FLS_OK, &err);
    check.options.checks = FLS_VERIFY_UTF8; /* without struct_bytes */
    assert_status(v.check(v.self, message, sizeof message, &err), FLS_VALIDATION_FAILED, NULL);
    assert_non_null(strstr(err.text, "options"));
    assert_int_equal(v.check(v.self, message, sizeof message, NULL), FLS_VALIDATION_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_are_not_understood),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
