/* The table-root check against its rules written a second time, plainly: on every truncation, every
 * change of one byte, and small random payloads, at every alignment. */
#include "flatstream/builder.h"
#include "flatstream/table_root.h"
#include "support/frames.h"
#include "support/prng.h"
#include "support/testing.h"

static int64_t number_at(const uint8_t *bytes, int64_t at, int width)
{
    int64_t value = 0;
    for (int i = width; i-- > 0;) {
        value = value * 256 + bytes[at + i];
    }
    return value;
}

static int is_sound(const uint8_t *bytes, int64_t size)
{
    if (size < 4) {
        return 0;
    }
    int64_t table = number_at(bytes, 0, 4);
    if (table % 4 != 0 || table + 4 > size) {
        return 0;
    }
    int64_t soffset = number_at(bytes, table, 4);
    if (soffset >= INT64_C(0x80000000)) {
        soffset -= INT64_C(0x100000000);
    }
    int64_t vtable = table - soffset;
    if (vtable < 0 || vtable >= size || soffset == -INT64_C(0x80000000)) {
        return 0;
    }
    if (vtable % 2 != 0 || vtable + 2 > size) {
        return 0;
    }
    int64_t vtable_bytes = number_at(bytes, vtable, 2);
    return vtable_bytes % 2 == 0 && vtable + vtable_bytes <= size;
}

static void compare(const uint8_t *bytes, size_t size)
{
    fls_error err;
    memset(&err, 0xEE, sizeof err);
    int expected = is_sound(bytes, (int64_t)size);
    fls_status status = fls_table_root_check(bytes, size, &err);
    if ((status == FLS_OK) != expected) {
        print_error("%zu bytes: %s, should be %s\n", size, fls_status_name(status),
                    expected ? "sound" : "refused");
    }
    assert_int_equal(status, expected ? FLS_OK : FLS_VALIDATION_FAILED);
    assert_int_equal(fls_table_root_check(bytes, size, NULL), status);
    if (status != FLS_OK) {
        assert_int_equal(err.status, FLS_VALIDATION_FAILED);
        assert_true(err.text[0] != '\0' && memchr(err.text, 0, sizeof err.text) != NULL);
        assert_int_equal(err.known, FLS_ERROR_LIMIT);
    }
}

static void build(byte_buffer *to, prng *random, uint32_t fields)
{
    fls_builder *b;
    const void *data;
    size_t size;
    char text[64];
    prng_fill(random, text, sizeof text);
    assert_int_equal(fls_builder_new(&b, NULL, NULL), FLS_OK);
    fls_ref string = fls_builder_string(b, text, prng_below(random, sizeof text));
    fls_table t = fls_builder_table(b, fields);
    for (uint32_t i = 0; i < fields; i++) {
        switch (prng_below(random, 5)) {
        case 0: fls_builder_ref(b, t, i, string); break;
        case 1: fls_builder_u8(b, t, i, (uint8_t)prng_next(random)); break;
        case 2: fls_builder_u16(b, t, i, (uint16_t)prng_next(random)); break;
        case 3: fls_builder_u64(b, t, i, prng_next(random)); break;
        default: break;
        }
    }
    fls_ref root = fls_builder_end(b, t);
    assert_int_equal(fls_builder_finish(b, root, NULL, &data, &size, NULL), FLS_OK);
    bytes_clear(to);
    bytes_append(to, data, size);
    fls_builder_free(b);
}

static void truncations(void **unused)
{
    (void)unused;
    prng random = prng_seeded(1);
    byte_buffer message = BYTES_INIT;
    for (uint32_t fields = 0; fields < 12; fields++) {
        build(&message, &random, fields);
        assert_int_equal(fls_table_root_check(message.data, message.size, NULL), FLS_OK);
        for (size_t size = 0; size <= message.size; size++) {
            uint8_t *exact = bytes_exact_copy(message.data, size);
            compare(exact, size);
            free(exact);
        }
    }
    bytes_free(&message);
}

static void mutations_of_one_byte(void **unused)
{
    (void)unused;
    prng random = prng_seeded(2);
    byte_buffer message = BYTES_INIT;
    for (uint32_t fields = 0; fields < 12; fields++) {
        build(&message, &random, fields);
        uint8_t *exact = bytes_exact_copy(message.data, message.size);
        for (size_t at = 0; at < message.size; at++) {
            for (unsigned value = 0; value < 256; value++) {
                exact[at] = (uint8_t)value;
                compare(exact, message.size);
            }
            exact[at] = message.data[at];
        }
        free(exact);
    }
    bytes_free(&message);
}

static void any_alignment(void **unused)
{
    (void)unused;
    prng random = prng_seeded(3);
    byte_buffer message = BYTES_INIT;
    build(&message, &random, 6);
    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t *block = malloc(message.size + shift);
        assert_non_null(block);
        memcpy(block + shift, message.data, message.size);
        assert_int_equal(fls_table_root_check(block + shift, message.size, NULL), FLS_OK);
        for (size_t at = 0; at < message.size; at++) {
            block[shift + at] ^= 0x41;
            compare(block + shift, message.size);
            block[shift + at] ^= 0x41;
        }
        free(block);
    }
    bytes_free(&message);
}

/* Payloads whose numbers are small or near a border more often than chance would make them. */
static void random_payloads(void **unused)
{
    (void)unused;
    const uint64_t seed = 4;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng random = prng_seeded(seed);
    static const uint32_t borders[] = {0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xFFFFFFFC};
    unsigned sound = 0;
    for (int round = 0; round < 300000; round++) {
        uint8_t payload[40] = {0};
        size_t size = prng_below(&random, sizeof payload + 1);
        for (size_t at = 0; at < sizeof payload; at += 4) {
            uint32_t value = (uint32_t)prng_below(&random, 44);
            switch (prng_below(&random, 8)) {
            case 0: value = borders[prng_below(&random, 5)]; break;
            case 1: value = ~value; break;
            case 2: value = (uint32_t)prng_next(&random); break;
            default: break;
            }
            for (int i = 0; i < 4; i++) {
                payload[at + (size_t)i] = (uint8_t)(value >> (8 * i));
            }
        }
        uint8_t *exact = bytes_exact_copy(payload, size);
        compare(exact, size);
        sound += fls_table_root_check(exact, size, NULL) == FLS_OK;
        free(exact);
    }
    assert_true(sound > 1000);
}

static void each_rule_names_itself(void **unused)
{
    (void)unused;
    static const struct {
        uint8_t bytes[12];
        size_t size;
        const char *text;
        uint64_t position;
    } cases[] = {
        {{0}, 3, "payload too short for a root offset, at byte 0", 0},
        {{6}, 12, "root table not aligned to 4 bytes, at byte 6", 6},
        {{12}, 12, "root table outside the payload, at byte 12", 12},
        {{4, 0, 0, 0, 8}, 12, "vtable of the root table outside the payload, at byte 4", 4},
        {{4, 0, 0, 0, 3}, 12, "vtable of the root table not aligned to 2 bytes, at byte 1", 1},
        {{4, 0, 0, 0, 0xFA, 0xFF, 0xFF, 0xFF},
         11,
         "vtable of the root table outside the payload, at byte 10",
         10},
        {{8, 0, 0, 0, 5, 0, 0, 0, 4},
         12,
         "vtable of the root table with an odd size, at byte 4",
         4},
        {{8, 0, 0, 0, 10, 0, 0, 0, 4},
         12,
         "vtable of the root table reaches beyond the payload, at byte 4",
         4},
        {{4, 0, 0, 0, 0, 0, 0, 0x80},
         12,
         "vtable of the root table outside the payload, at byte 4",
         4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        assert_int_equal(fls_table_root_check(cases[i].bytes, cases[i].size, &err),
                         FLS_VALIDATION_FAILED);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.limit_bytes, cases[i].position);
    }
}

/* What the Rust verifier lets pass, though a C++ one would not. */
static void lenient_where_the_rules_are(void **unused)
{
    (void)unused;
    static const uint8_t zeros[8] = {0};
    static const uint8_t tiny_vtable[8] = {4, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(fls_table_root_check(zeros, 4, NULL), FLS_OK);
    assert_int_equal(fls_table_root_check(zeros, 8, NULL), FLS_OK);
    assert_int_equal(fls_table_root_check(tiny_vtable, 8, NULL), FLS_OK);
    assert_int_equal(fls_table_root_check(NULL, 0, NULL), FLS_VALIDATION_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncations),
        cmocka_unit_test(mutations_of_one_byte),
        cmocka_unit_test(any_alignment),
        cmocka_unit_test(random_payloads),
        cmocka_unit_test(each_rule_names_itself),
        cmocka_unit_test(lenient_where_the_rules_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
