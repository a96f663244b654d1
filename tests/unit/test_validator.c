/* The built-in validators, and what an error says after a refusal. */
#include "flatstream/validator.h"
#include "support/testing.h"

static const uint8_t empty_table[12] = {8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};

/* An error as an earlier failure may have left it. */
static fls_error stale_error(void)
{
    fls_error err;
    memset(&err, 0xEE, sizeof err);
    strcpy(err.name, "stale");
    strcpy(err.text, "stale");
    return err;
}

static void size_range(void **unused)
{
    (void)unused;
    static const fls_size_range range = {3, 5};
    fls_validator validator = fls_validator_size_range(&range);
    for (size_t size = 0; size < 10; size++) {
        fls_error err = stale_error();
        fls_status status = fls_validator_check(&validator, empty_table, size, &err);
        if (size >= 3 && size <= 5) {
            assert_int_equal(status, FLS_OK);
            continue;
        }
        assert_int_equal(status, FLS_VALIDATION_FAILED);
        assert_int_equal(err.status, FLS_VALIDATION_FAILED);
        assert_string_equal(err.name, "size_range");
        assert_true(err.known & FLS_ERROR_LIMIT);
        assert_int_equal(err.limit_bytes, size < 3 ? 3 : 5);
        assert_int_equal(fls_validator_check(&validator, empty_table, size, NULL),
                         FLS_VALIDATION_FAILED);
    }
    fls_error err = stale_error();
    assert_int_equal(fls_validator_check(&validator, empty_table, 2, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.text, "payload of 2 bytes, less than 3");
    assert_int_equal(fls_validator_check(&validator, empty_table, 7, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.text, "payload of 7 bytes, more than 5");
}

static void table_root(void **unused)
{
    (void)unused;
    static const fls_table_root limits[] = {{0, 0}, {1, 1}, {64, 1000000}};
    for (size_t i = 0; i <= sizeof limits / sizeof limits[0]; i++) {
        fls_validator validator = fls_validator_table_root(i == 0 ? NULL : &limits[i - 1]);
        fls_error err = stale_error();
        assert_int_equal(fls_validator_check(&validator, empty_table, 12, &err), FLS_OK);
        assert_int_equal(fls_validator_check(&validator, empty_table, 11, &err),
                         FLS_VALIDATION_FAILED);
        assert_string_equal(err.name, "table_root");
        assert_non_null(strstr(err.text, "root table outside the payload"));
        assert_int_equal(err.limit_bytes, 8);
        assert_true(validator.alignment <= 1);
    }
}

static int verify_twelve(const void *buffer, size_t size)
{
    return buffer != NULL && size == 12 ? 0 : 17;
}

static void verify_function(void **unused)
{
    (void)unused;
    static const fls_verify_function function = {verify_twelve};
    fls_validator validator = fls_validator_verify_function("Monster", &function, 8);
    fls_error err = stale_error();
    assert_int_equal(validator.alignment, 8);
    assert_int_equal(fls_validator_check(&validator, empty_table, 12, &err), FLS_OK);
    assert_int_equal(fls_validator_check(&validator, empty_table, 11, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "Monster");
    assert_string_equal(err.text, "verify function returned 17");
    assert_int_equal(fls_validator_check(&validator, empty_table, 11, NULL), FLS_VALIDATION_FAILED);
}

/* Refuses in the way that self says. */
enum { SILENT = 1, WITH_TEXT = 2, OTHER_STATUS = 3 };

static fls_status custom_check(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)payload;
    (void)size;
    switch (*(const int *)self) {
    case SILENT: return FLS_VALIDATION_FAILED;
    case WITH_TEXT: return fls_error_set(err, FLS_VALIDATION_FAILED, 0, "price is negative");
    case OTHER_STATUS: return fls_error_set(err, FLS_NO_MEMORY, 12, "no memory");
    default: return FLS_OK;
    }
}

static void custom(void **unused)
{
    (void)unused;
    int mode = 0;
    fls_validator validator = {"mine", custom_check, &mode, 0, 0};
    fls_error err = stale_error();
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_OK);
    mode = SILENT;
    err = stale_error();
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_VALIDATION_FAILED);
    assert_int_equal(err.status, FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "mine");
    assert_string_equal(err.text, "refused without a reason");
    assert_int_equal(err.known, 0);
    assert_int_equal(err.system_errno, 0);
    mode = WITH_TEXT;
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "mine");
    assert_string_equal(err.text, "price is negative");
    mode = OTHER_STATUS;
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_VALIDATION_FAILED);
    assert_int_equal(err.status, FLS_VALIDATION_FAILED);
    assert_string_equal(err.text, "no memory");
    mode = SILENT;
    validator.name = NULL;
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "validator");
    assert_int_equal(fls_validator_check(&validator, "x", 1, NULL), FLS_VALIDATION_FAILED);
}

static fls_status count_check(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)payload;
    (void)size;
    (void)err;
    ++*(int *)self;
    return FLS_OK;
}

static void chain(void **unused)
{
    (void)unused;
    static const fls_size_range range = {0, 12};
    int before = 0;
    int after = 0;
    int mode = SILENT;
    fls_validator parts[] = {
        {"before", count_check, &before, 16, 0},
        fls_validator_size_range(&range),
        {"refuses", custom_check, &mode, 4, 0},
        {"after", count_check, &after, 0, 0},
    };
    fls_validator_chain all = {parts, 4};
    fls_validator inner = fls_validator_all(&all);
    fls_validator_chain around = {&inner, 1};
    fls_validator outer = fls_validator_all(&around);
    fls_error err = stale_error();

    assert_int_equal(outer.alignment, 16);
    assert_int_equal(fls_validator_check(&outer, empty_table, 12, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "refuses");
    assert_string_equal(err.text, "refused without a reason");
    assert_int_equal(before, 1);
    assert_int_equal(after, 0);
    assert_int_equal(fls_validator_check(&outer, empty_table, 13, &err), FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "size_range");
    assert_int_equal(fls_validator_check(&outer, empty_table, 13, NULL), FLS_VALIDATION_FAILED);
    mode = 0;
    assert_int_equal(fls_validator_check(&outer, empty_table, 12, &err), FLS_OK);
    assert_int_equal(before, 4);
    assert_int_equal(after, 1);
    fls_validator_chain none = {NULL, 0};
    fls_validator empty = fls_validator_all(&none);
    assert_int_equal(fls_validator_check(&empty, NULL, 0, &err), FLS_OK);
}

static void long_names_are_cut(void **unused)
{
    (void)unused;
    int mode = SILENT;
    fls_validator validator = {"a name that is a good deal longer than an error has room for",
                               custom_check, &mode, 0, 0};
    fls_error err = stale_error();
    assert_int_equal(fls_validator_check(&validator, "x", 1, &err), FLS_VALIDATION_FAILED);
    assert_int_equal(strlen(err.name), sizeof err.name - 1);
    assert_non_null(strstr(validator.name, err.name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_range),      cmocka_unit_test(table_root),
        cmocka_unit_test(verify_function), cmocka_unit_test(custom),
        cmocka_unit_test(chain),           cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
