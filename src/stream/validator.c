/* The validators that come with the library, and running any of them. */
#include "flatstream/validator.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/bytes.h"
#include "core/error.h"
#include "flatstream/table_root.h"

static fls_status check_size_range(void *self, const void *payload, size_t size, fls_error *err)
{
    const fls_size_range *range = self;
    (void)payload;
    if (FLS_LIKELY(size >= range->min_bytes && size <= range->max_bytes)) {
        return FLS_OK;
    }
    if (err != NULL) {
        int is_small = size < range->min_bytes;
        uint64_t limit = is_small ? range->min_bytes : range->max_bytes;
        char text[sizeof err->text];
        (void)snprintf(text, sizeof text, "payload of %" PRIu64 " bytes, %s %" PRIu64,
                       (uint64_t)size, is_small ? "less than" : "more than", limit);
        fls_error_set(err, FLS_VALIDATION_FAILED, 0, text);
        err->known = FLS_ERROR_LIMIT;
        err->limit_bytes = limit;
    }
    return FLS_VALIDATION_FAILED;
}

fls_validator fls_validator_size_range(const fls_size_range *range)
{
    return (fls_validator){"size_range", check_size_range, (void *)range, 1, 0};
}

static fls_status check_table_root(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)self;
    return fls_table_root_check(payload, size, err);
}

fls_validator fls_validator_table_root(const fls_table_root *limits)
{
    /* A root alone is one table at depth one, and neither limit can be less than one: they are what
     * a check of the whole message would be held to, and have nothing to say here. */
    (void)limits;
    return (fls_validator){"table_root", check_table_root, NULL, 1, 0};
}

static fls_status check_function(void *self, const void *payload, size_t size, fls_error *err)
{
    const fls_verify_function *function = self;
    int code = function->verify(payload, size);
    if (FLS_LIKELY(code == 0)) {
        return FLS_OK;
    }
    char text[48];
    (void)snprintf(text, sizeof text, "verify function returned %d", code);
    return fls_error_set(err, FLS_VALIDATION_FAILED, 0, text);
}

fls_validator fls_validator_verify_function(const char *name, const fls_verify_function *function,
                                            uint32_t alignment)
{
    return (fls_validator){name, check_function, (void *)function, alignment, 0};
}

static fls_status check_all(void *self, const void *payload, size_t size, fls_error *err)
{
    const fls_validator_chain *chain = self;
    for (size_t i = 0; i < chain->count; i++) {
        fls_status status = fls_validator_check(&chain->validators[i], payload, size, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    return FLS_OK;
}

fls_validator fls_validator_all(const fls_validator_chain *chain)
{
    uint32_t alignment = 1;
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->validators[i].alignment > alignment) {
            alignment = chain->validators[i].alignment;
        }
    }
    return (fls_validator){"all", check_all, (void *)chain, alignment, 0};
}

/* What the validator said stays; what it did not say is filled in. */
static FLSI_NOINLINE fls_status refused(const fls_validator *validator, fls_error *err)
{
    if (err != NULL) {
        err->status = FLS_VALIDATION_FAILED;
        if (err->text[0] == '\0') {
            static const char text[] = "refused without a reason";
            memcpy(err->text, text, sizeof text);
        }
        if (err->name[0] == '\0') {
            flsi_error_name(err, validator->name != NULL ? validator->name : "validator");
        }
    }
    return FLS_VALIDATION_FAILED;
}

fls_status fls_validator_check(const fls_validator *validator, const void *payload, size_t size,
                               fls_error *err)
{
    if (err != NULL) {
        /* A check that refuses and says nothing must not seem to have said what an earlier failure
         * left here. */
        err->known = 0;
        err->system_errno = 0;
        err->name[0] = '\0';
        err->text[0] = '\0';
    }
    if (FLS_LIKELY(validator->check(validator->self, payload, size, err) == FLS_OK)) {
        return FLS_OK;
    }
    return refused(validator, err);
}
