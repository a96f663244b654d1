/* A guess where a frame begins: from any place in a stream the next frame, nothing where there is
 * none, and never a byte read beyond.
 */
#include "core/cpu.h"
#include "stream/guess.h"
#include "support/frames.h"
#include "support/testing.h"

enum { FRAMES = 40 };

typedef struct made {
    byte_buffer stream;
    size_t starts[FRAMES + 1];
    fls_digest_state digest;
} made;

static void make(made *self, fls_checksum checksum, size_t size)
{
    const ref_format format = {.checksum = checksum};
    prng random = prng_seeded(7);
    for (int i = 0; i < FRAMES; i++) {
        self->starts[i] = self->stream.size;
        frames_append_random(&self->stream, &format, &random, size + (size_t)i);
    }
    self->starts[FRAMES] = self->stream.size;
    assert_int_equal(flsi_digest_init(&self->digest, checksum, NULL, flsi_cpu_features(), NULL),
                     FLS_OK);
}

static void the_next_frame_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < FRAMES_CHECKSUMS; i++) {
        made m = {.stream = BYTES_INIT};
        make(&m, frames_checksums[i], 60);
        for (size_t from = 0; from < m.starts[FRAMES - 14]; from++) {
            size_t size = m.stream.size - from;
            uint8_t *bytes = bytes_exact_copy(m.stream.data + from, size);
            size_t at = 0;
            size_t next = 0;
            while (m.starts[next] < from) {
                next++;
            }
            assert_true(flsi_guess_frame(&m.digest, 1000, bytes, size, &at));
            assert_int_equal(from + at, m.starts[next]);
            free(bytes);
        }
        bytes_free(&m.stream);
    }
}

static void a_wrong_checksum_or_length_is_passed_over(void **state)
{
    made m = {.stream = BYTES_INIT};
    size_t at = 0;
    (void)state;
    make(&m, FLS_CHECKSUM_XXH3, 60);
    m.stream.data[20] ^= 1; /* in the first payload */
    assert_true(flsi_guess_frame(&m.digest, 1000, m.stream.data, m.stream.size, &at));
    assert_int_equal(at, m.starts[1]);
    m.stream.data[m.starts[1] + 1] ^= 0x40;
    assert_true(flsi_guess_frame(&m.digest, 1000, m.stream.data, m.stream.size, &at));
    assert_int_equal(at, m.starts[2]);
    assert_false(flsi_guess_frame(&m.digest, 50, m.stream.data, m.stream.size, &at));
    bytes_free(&m.stream);
}

static void there_may_be_none(void **state)
{
    made m = {.stream = BYTES_INIT};
    uint8_t zeros[300] = {0};
    size_t at;
    (void)state;
    make(&m, FLS_CHECKSUM_CRC16, 60);
    for (size_t size = 0; size < m.starts[11]; size++) { /* too few in a row */
        uint8_t *bytes = bytes_exact_copy(m.stream.data, size);
        assert_false(flsi_guess_frame(&m.digest, 1000, bytes, size, &at));
        free(bytes);
    }
    for (size_t size = 0; size <= sizeof zeros; size++) {
        assert_false(flsi_guess_frame(&m.digest, 1000, zeros, size, &at));
    }
    bytes_free(&m.stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_frame_is_found),
        cmocka_unit_test(a_wrong_checksum_or_length_is_passed_over),
        cmocka_unit_test(there_may_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
