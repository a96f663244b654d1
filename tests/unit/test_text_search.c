/* Finding a text in a text: both ways say what looking at every place says, of random texts that
 * repeat themselves, and of hostile ones. */
#include "flatbuf/text_search.h"

#include <stdlib.h>

#include "support/prng.h"
#include "support/testing.h"

static int slowly(const uint8_t *text, size_t bytes, const uint8_t *part, size_t part_bytes)
{
    for (size_t at = 0; at + part_bytes <= bytes; at++) {
        if (memcmp(text + at, part, part_bytes) == 0) {
            return 1;
        }
    }
    return 0;
}

static void compare(const uint8_t *text, size_t bytes, const uint8_t *part, size_t part_bytes)
{
    uint8_t *exact = malloc(bytes + 1);
    assert_non_null(exact);
    uint8_t *moved = exact + 1; /* its end is that of the block */
    if (bytes > 0) {
        memcpy(moved, text, bytes);
    }
    int wanted = slowly(moved, bytes, part, part_bytes);
    assert_int_equal(flsi_text_contains(moved, bytes, part, part_bytes), wanted);
    if (part_bytes > 0) {
        assert_int_equal(flsi_text_contains_two_way(moved, bytes, part, part_bytes), wanted);
    }
    free(exact);
}

/* All texts of up to 10 and parts of up to 6 bytes of two letters. */
static void every_short_text(void **unused)
{
    (void)unused;
    uint8_t text[10];
    uint8_t part[6];
    for (size_t bytes = 0; bytes <= sizeof text; bytes++) {
        for (unsigned bits = 0; bits < 1u << bytes; bits++) {
            for (size_t i = 0; i < bytes; i++) {
                text[i] = (uint8_t)('a' + (bits >> i & 1));
            }
            for (size_t part_bytes = 0; part_bytes <= sizeof part; part_bytes++) {
                for (unsigned other = 0; other < 1u << part_bytes; other++) {
                    for (size_t i = 0; i < part_bytes; i++) {
                        part[i] = (uint8_t)('a' + (other >> i & 1));
                    }
                    int wanted = slowly(text, bytes, part, part_bytes);
                    assert_int_equal(flsi_text_contains(text, bytes, part, part_bytes), wanted);
                    assert_true(part_bytes == 0 || flsi_text_contains_two_way(
                                                       text, bytes, part, part_bytes) == wanted);
                }
            }
        }
    }
}

/* Periods of 1 to 9 bytes with few mistakes in them, so that much is alike. */
static void texts_that_repeat_themselves(void **unused)
{
    (void)unused;
    prng random = prng_seeded(7);
    uint8_t text[400];
    uint8_t part[60];
    for (int round = 0; round < 20000; round++) {
        size_t bytes = (size_t)prng_below(&random, sizeof text + 1);
        size_t part_bytes = (size_t)prng_below(&random, sizeof part + 1);
        size_t period = 1 + (size_t)prng_below(&random, 9);
        for (size_t i = 0; i < bytes; i++) {
            text[i] = i < period || prng_below(&random, 50) == 0 ? (uint8_t)prng_below(&random, 3)
                                                                 : text[i - period];
        }
        for (size_t i = 0; i < part_bytes; i++) {
            part[i] = i < period && i < bytes                      ? text[i]
                      : i < period || prng_below(&random, 80) == 0 ? (uint8_t)prng_below(&random, 3)
                                                                   : part[i - period];
        }
        compare(text, bytes, part, part_bytes);
    }
}

/* Long enough for the quick tries to be given up. */
static void hostile_texts(void **unused)
{
    (void)unused;
    enum { BYTES = 20000, PART = 1000 };
    uint8_t *text = malloc(BYTES);
    uint8_t part[PART];
    assert_non_null(text);
    memset(text, 'a', BYTES);
    memset(part, 'a', PART);
    compare(text, BYTES, part, PART);
    part[PART - 1] = 'b';
    compare(text, BYTES, part, PART);
    text[BYTES - 1] = 'b';
    compare(text, BYTES, part, PART);
    text[BYTES - PART] = 'b';
    compare(text, BYTES, part, PART);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text),
        cmocka_unit_test(texts_that_repeat_themselves),
        cmocka_unit_test(hostile_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
