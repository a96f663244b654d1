/* One flipped bit for each so many KiB of a stream whose payloads are full of small numbers, so
 * that many places look like headers: each costs one message at most, and nothing is passed over
 * for want of a budget.
 */
#include "flatstream/flatstream.h"
#include "support/frames.h"
#include "support/testing.h"

#define STREAM_BYTES ((size_t)24 * 1024 * 1024)
#define FLIPS        96

/* Numbers below 2^20, as counters and times in microseconds are. */
static void make_stream(byte_buffer *stream, const ref_format *format, prng *random,
                        uint64_t *count)
{
    uint32_t payload[300];
    while (stream->size < STREAM_BYTES) {
        size_t words = 5 + (size_t)prng_below(random, sizeof payload / sizeof payload[0] - 5);
        for (size_t i = 0; i < words; i++) {
            payload[i] = (uint32_t)prng_below(random, UINT64_C(1) << prng_below(random, 21));
        }
        payload[0] |= 1; /* no payload is all zeros */
        frames_append(stream, format, payload, 4 * words);
        ++*count;
    }
}

static void flips(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        prng random = prng_seeded(seed);
        const ref_format format = {seed % 2 == 0 ? FLS_CHECKSUM_XXH3 : FLS_CHECKSUM_CRC32, NULL, 0};
        byte_buffer stream = BYTES_INIT;
        uint64_t count = 0;
        make_stream(&stream, &format, &random, &count);
        for (int i = 0; i < FLIPS; i++) {
            size_t bit = (size_t)prng_below(&random, 8 * (uint64_t)stream.size);
            stream.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        fls_salvager *salvager;
        fls_salvage_event event;
        fls_error err = FLS_ERROR_INIT;
        fls_status status;
        uint64_t at = 0;
        fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
        options.checksum = format.checksum;
        assert_status(fls_salvage_open_memory(&salvager, stream.data, stream.size, &options, &err),
                      FLS_OK, &err);
        while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK) {
            assert_int_equal(event.from, at);
            at = event.to;
        }
        assert_status(status, FLS_END, &err);
        assert_int_equal(at, stream.size);
        fls_salvage_report report = FLS_SALVAGE_REPORT_INIT;
        fls_salvage_get_report(salvager, &report);
        fls_salvage_close(salvager);
        bytes_free(&stream);
        assert_true(report.messages <= count && report.messages + FLIPS >= count);
        assert_true(report.repaired > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
