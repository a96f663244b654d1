/* The root test of a FlatBuffer on any bytes: reads nothing beyond them, and says the same with and
 * without an error to fill. */
#include <stdlib.h>

#include "flatstream/table_root.h"
#include "flatstream/validator.h"
#include "stream_case.h"
#include "support/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = bytes_exact_copy(data, size);
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_table_root_check(exact, size, &err);
    STREAM_CASE_CHECK(status == FLS_OK || status == FLS_VALIDATION_FAILED);
    STREAM_CASE_CHECK(fls_table_root_check(exact, size, NULL) == status);
    STREAM_CASE_CHECK(status == FLS_OK || err.text[0] != '\0');
    fls_validator validator = fls_validator_table_root(NULL);
    STREAM_CASE_CHECK(fls_validator_check(&validator, exact, size, &err) == status);
    free(exact);
    return 0;
}
