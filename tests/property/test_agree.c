/* Cursor, decoder and reader against the reference decoder, on sound and on spoilt streams of every
 * checksum, in every size of pieces. */
#include "flatstream/flatstream.h"
#include "support/frames.h"
#include "support/readers.h"
#include "support/testing.h"

static uint64_t sum_of_bytes(void *self, const void *data, size_t size)
{
    const uint8_t *byte = data;
    uint64_t sum = *(const uint64_t *)self;
    for (size_t i = 0; i < size; i++) {
        sum = sum * 131 + byte[i];
    }
    return sum;
}

static void expect_agreement(const ref_format *format, const byte_buffer *stream, prng *random,
                             uint64_t seed)
{
    readers_case what = {*format, bytes_exact_copy(stream->data, stream->size), stream->size};
    readers_verdict verdict = readers_agree(&what, random);
    free((void *)(uintptr_t)what.data);
    if (!verdict.agree) {
        fail_msg("seed %llu, %s: %s", (unsigned long long)seed, fls_checksum_name(format->checksum),
                 verdict.why);
    }
}

/* Frames of all kinds of sizes, empty ones among them. */
static void make_stream(byte_buffer *stream, const ref_format *format, prng *random)
{
    static const size_t limits[] = {1, 4, 40, 300, 5000, 70000};
    size_t count = (size_t)prng_below(random, 30);
    size_t limit = limits[prng_below(random, sizeof limits / sizeof limits[0])];
    for (size_t i = 0; i < count; i++) {
        frames_append_random(stream, format, random, (size_t)prng_below(random, limit));
    }
}

/* Zeros, overwritten bytes, flipped bits, a cut: up to three of them. */
static void spoil(byte_buffer *stream, prng *random)
{
    for (uint64_t n = prng_below(random, 4); n > 0; n--) {
        size_t at = (size_t)prng_below(random, stream->size + 1);
        switch (prng_below(random, 6)) {
        case 0: stream->size = at; break;
        case 1: bytes_append_zeros(stream, (size_t)prng_below(random, 70)); break;
        case 2:
            for (; at < stream->size && prng_below(random, 20) != 0; at++) {
                stream->data[at] = 0;
            }
            break;
        case 3: bytes_append_le(stream, prng_next(random), (uint32_t)prng_below(random, 9)); break;
        default:
            if (at < stream->size) {
                stream->data[at] ^= (uint8_t)(1u << prng_below(random, 8));
            }
            break;
        }
    }
}

static void streams_of_every_kind(void **state)
{
    (void)state;
    uint64_t key = 7;
    for (uint64_t seed = 0; seed < 700; seed++) {
        prng random = prng_seeded(seed);
        fls_custom_checksum custom = {sizeof custom, (uint32_t)prng_below(&random, 9), "sum",
                                      sum_of_bytes, &key};
        key = prng_below(&random, 2) * 7; /* 0: an empty payload has digest 0 */
        ref_format format = {FLS_CHECKSUM_CUSTOM, &custom, 0};
        if (seed % 5 < FRAMES_CHECKSUMS) {
            format.checksum = frames_checksums[seed % 5];
            format.custom = NULL;
        }
        byte_buffer stream = BYTES_INIT;
        make_stream(&stream, &format, &random);
        if (seed % 3 != 0) {
            spoil(&stream, &random);
        }
        if (seed % 7 == 0) {
            format.max_frame_bytes = 1 + (uint32_t)prng_below(&random, 300);
        }
        expect_agreement(&format, &stream, &random, seed);
        bytes_free(&stream);
    }
}

static void noise(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        prng random = prng_seeded(seed);
        ref_format format = {frames_checksums[seed % FRAMES_CHECKSUMS], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        uint8_t piece[64];
        size_t size = (size_t)prng_below(&random, sizeof piece);
        prng_fill(&random, piece, sizeof piece);
        for (size_t i = 0; i < size; i++) { /* mostly zeros and small numbers, as lengths are */
            piece[i] = (uint8_t)(piece[i] < 180 ? 0 : piece[i] & 15);
        }
        bytes_append(&stream, piece, size);
        expect_agreement(&format, &stream, &random, seed);
        bytes_free(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_every_kind),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
