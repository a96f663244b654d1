/* Any bytes as a .bfbs: loading stays within them and says why it refuses; what it accepts can be
 * walked, found by its names, hashed to the same again, and differs in nothing from itself.
 */
#include <stdlib.h>
#include <string.h>

#include "flatstream/schema.h"
#include "flatstream/schema_compat.h"
#include "flatstream/schema_set.h"
#include "stream_case.h"
#include "support/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_objects(const fls_schema *schema)
{
    uint32_t objects = fls_schema_object_count(schema);
    uint32_t enumerations = fls_schema_enumeration_count(schema);
    for (uint32_t o = 0; o < objects; o++) {
        fls_schema_object object;
        fls_schema_get_object(schema, o, &object);
        STREAM_CASE_CHECK(fls_schema_find_object(schema, object.name) == o);
        STREAM_CASE_CHECK(!object.is_struct ||
                          (object.bytes > 0 && object.bytes % object.alignment == 0));
        for (uint32_t f = 0; f < object.field_count; f++) {
            fls_schema_field field;
            fls_schema_get_field(schema, o, f, &field);
            STREAM_CASE_CHECK(field.id == f && field.alignment > 0);
            STREAM_CASE_CHECK(fls_schema_find_field(schema, o, field.name) == f);
            STREAM_CASE_CHECK(field.object < objects || field.object == FLS_SCHEMA_NONE);
            STREAM_CASE_CHECK(field.nested < objects || field.nested == FLS_SCHEMA_NONE);
            STREAM_CASE_CHECK(field.enumeration < enumerations ||
                              field.enumeration == FLS_SCHEMA_NONE);
            STREAM_CASE_CHECK(!object.is_struct ||
                              (uint64_t)field.offset + field.bytes <= object.bytes);
        }
    }
}

static void walk_enumerations(const fls_schema *schema)
{
    for (uint32_t e = 0; e < fls_schema_enumeration_count(schema); e++) {
        fls_schema_enumeration enumeration;
        fls_schema_value last = {0};
        fls_schema_get_enumeration(schema, e, &enumeration);
        STREAM_CASE_CHECK(fls_schema_find_enumeration(schema, enumeration.name) == e);
        for (uint32_t v = 0; v < enumeration.value_count; v++) {
            fls_schema_value value;
            fls_schema_get_value(schema, e, v, &value);
            STREAM_CASE_CHECK(strlen(value.name) > 0);
            STREAM_CASE_CHECK(v == 0 || value.value > last.value);
            last = value;
        }
    }
}

static void compare_with_itself(const fls_schema *schema)
{
    fls_compat_result result;
    fls_schema_set set = {0};
    if (fls_schema_root(schema) == FLS_SCHEMA_NONE) {
        return;
    }
    STREAM_CASE_CHECK(fls_schema_compare(schema, FLS_SCHEMA_NONE, schema, FLS_SCHEMA_NONE, NULL,
                                         NULL, &result, NULL, NULL) == FLS_OK);
    STREAM_CASE_CHECK(result.findings == 0);
    STREAM_CASE_CHECK(fls_schema_set_add(&set, schema, NULL, NULL, NULL) == FLS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = bytes_exact_copy(data, size);
    fls_schema *schema = NULL;
    fls_schema *again = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_schema_new(&schema, exact, size, NULL, &err);
    STREAM_CASE_CHECK(status == FLS_OK || status == FLS_SCHEMA_INVALID ||
                      status == FLS_UNSUPPORTED);
    STREAM_CASE_CHECK((status == FLS_OK) == (schema != NULL));
    STREAM_CASE_CHECK(status == FLS_OK || err.text[0] != '\0');
    STREAM_CASE_CHECK(fls_schema_new(&again, exact, size, NULL, NULL) == status);
    free(exact);
    if (schema != NULL) {
        walk_objects(schema);
        walk_enumerations(schema);
        compare_with_itself(schema);
        STREAM_CASE_CHECK(fls_schema_hash(schema) == fls_schema_hash(again));
    }
    fls_schema_free(schema);
    fls_schema_free(again);
    return 0;
}
