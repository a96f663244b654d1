/* Damaged schemas: whatever is changed in a .bfbs, the loader stays within its bytes, says why it
 * refuses, and what it accepts holds to all that is relied on. The verifier in front of the loader
 * is left out in every second try, so that the loader has to see for itself.
 */
#include "flatbuf/schema_load.h"
#include "flatstream/schema_compat.h"
#include "schema_invariants.h"
#include "support/files.h"
#include "support/prng.h"

#define TRIES 12000 /* of each schema */

static const char *const names[] = {"everything.bfbs", "everything.plain.bfbs", "telemetry.bfbs",
                                    "bfbs.bfbs"};
#define SCHEMAS (sizeof names / sizeof names[0])

static byte_buffer originals[SCHEMAS];
static fls_schema *sound[SCHEMAS];

/* Walks all of it by the public functions. */
static uint64_t walk(const fls_schema *schema)
{
    uint64_t sum = 0;
    for (uint32_t o = 0; o < fls_schema_object_count(schema); o++) {
        fls_schema_object object;
        fls_schema_get_object(schema, o, &object);
        for (uint32_t f = 0; f < object.field_count; f++) {
            fls_schema_field field;
            fls_schema_get_field(schema, o, f, &field);
            sum += strlen(field.name) + field.bytes + field.alignment;
        }
    }
    for (uint32_t e = 0; e < fls_schema_enumeration_count(schema); e++) {
        fls_schema_enumeration enumeration;
        fls_schema_get_enumeration(schema, e, &enumeration);
        for (uint32_t v = 0; v < enumeration.value_count; v++) {
            fls_schema_value value;
            fls_schema_get_value(schema, e, v, &value);
            sum += strlen(value.name) + (uint64_t)value.value;
        }
    }
    return sum;
}

/* Returns whether it was accepted. */
static int try_schema(const uint8_t *data, size_t size, int verified, size_t original)
{
    fls_schema *schema = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = verified ? fls_schema_new(&schema, data, size, NULL, &err)
                                 : flsi_schema_compile(&schema, data, size, NULL, &err);
    if (status != FLS_OK) {
        assert_true(status == FLS_SCHEMA_INVALID || status == FLS_UNSUPPORTED);
        assert_null(schema);
        assert_int_equal(err.status, status);
        assert_true(err.text[0] != '\0' && memchr(err.text, 0, sizeof err.text) != NULL);
        return 0;
    }
    check_invariants(schema);
    assert_true(walk(schema) != 1);
    if (schema->root != FLS_SCHEMA_NONE) {
        status = fls_schema_compare(sound[original], FLS_SCHEMA_NONE, schema, FLS_SCHEMA_NONE, NULL,
                                    NULL, NULL, NULL, &err);
        assert_true(status == FLS_OK || status == FLS_UNSUPPORTED);
    }
    fls_schema_free(schema);
    return 1;
}

static void change_bytes(prng *random, uint8_t *data, size_t size)
{
    static const uint32_t telling[] = {0,    1,      2,      4,          0x7F,      0x80,
                                       0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF};
    for (uint64_t changes = 1 + prng_below(random, 3); changes > 0; changes--) {
        size_t at = (size_t)prng_below(random, size);
        switch (prng_below(random, 5)) {
        case 0: data[at] ^= (uint8_t)(1u << prng_below(random, 8)); break;
        case 1: data[at] = (uint8_t)prng_next(random); break;
        case 2: data[at] = (uint8_t)(data[at] + 1); break;
        case 3: { /* a whole word */
            uint32_t word = telling[prng_below(random, sizeof telling / sizeof telling[0])];
            at = at / 4 * 4;
            for (size_t i = 0; i < 4 && at + i < size; i++) {
                data[at + i] = (uint8_t)(word >> (8 * i));
            }
            break;
        }
        default: { /* a word from elsewhere, such as another reference or vtable entry */
            size_t from = (size_t)prng_below(random, size);
            for (size_t i = 0; i < 2 && at + i < size && from + i < size; i++) {
                data[at + i] = data[from + i];
            }
            break;
        }
        }
    }
}

static void changed_bytes(void **state)
{
    prng random = prng_seeded(20);
    uint64_t accepted = 0;
    (void)state;
    for (size_t s = 0; s < SCHEMAS; s++) {
        for (int i = 0; i < TRIES; i++) {
            uint8_t *copy = bytes_exact_copy(originals[s].data, originals[s].size);
            change_bytes(&random, copy, originals[s].size);
            accepted += (uint64_t)try_schema(copy, originals[s].size, i % 2, s);
            free(copy);
        }
    }
    assert_in_range(accepted, SCHEMAS * TRIES / 20, SCHEMAS * TRIES * 9 / 10);
}

/* Every byte of a small schema, each with a few values. */
static void every_byte(void **state)
{
    static const uint8_t changes[] = {0x01, 0x02, 0x04, 0x80, 0xFF};
    const byte_buffer *original = &originals[2];
    (void)state;
    for (size_t at = 0; at < original->size; at++) {
        for (size_t c = 0; c < sizeof changes; c++) {
            uint8_t *copy = bytes_exact_copy(original->data, original->size);
            copy[at] ^= changes[c];
            (void)try_schema(copy, original->size, (int)(at + c) % 2, 2);
            free(copy);
        }
    }
}

static void every_truncation(void **state)
{
    const byte_buffer *original = &originals[2];
    (void)state;
    for (size_t size = 0; size < original->size; size++) {
        uint8_t *copy = bytes_exact_copy(original->data, size);
        (void)try_schema(copy, size, 0, 2);
        (void)try_schema(copy, size, 1, 2);
        free(copy);
    }
}

/* At any address. */
static void every_alignment(void **state)
{
    const byte_buffer *original = &originals[2];
    (void)state;
    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t *room = malloc(original->size + shift);
        assert_non_null(room);
        memcpy(room + shift, original->data, original->size);
        assert_true(try_schema(room + shift, original->size, 1, 2));
        free(room);
    }
}

static int load(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMAS; s++) {
        fls_error err = FLS_ERROR_INIT;
        if (files_read(files_join(FLS_TEST_SCHEMA_DIR, names[s]), &originals[s]) != 0) {
            return -1;
        }
        assert_status(fls_schema_new(&sound[s], originals[s].data, originals[s].size, NULL, &err),
                      FLS_OK, &err);
        check_invariants(sound[s]);
    }
    return 0;
}

static int unload(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMAS; s++) {
        fls_schema_free(sound[s]);
        bytes_free(&originals[s]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_bytes),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_alignment),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
