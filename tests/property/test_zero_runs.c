/* Rule 0 of docs/FORMAT.md: runs of zero bytes of every length up to 40, at the end, in front of
 * more frames and in front of a single byte, for every checksum and for every place where the input
 * is split in two. */
#include "flatstream/flatstream.h"
#include "support/frames.h"
#include "support/readers.h"
#include "support/testing.h"

#define LONGEST_RUN 40

/* The stream in two pieces, through decoder and continued cursor, and in one to the others. */
static void expect_agreement(const ref_format *format, const byte_buffer *stream, size_t run)
{
    readers_case what = {*format, stream->data, stream->size};
    ref_stream expected = ref_decode(format, stream->data, stream->size);
    prng random = prng_seeded(run);
    for (unsigned way = 0; way < READERS_WAYS; way++) {
        readers_verdict verdict = readers_way_agrees(way, &what, &expected, &random);
        if (!verdict.agree) {
            fail_msg("%s, run of %zu: %s", fls_checksum_name(format->checksum), run, verdict.why);
        }
    }
    ref_free(&expected);
}

static fls_status decode_split(const ref_format *format, const byte_buffer *stream, size_t split,
                               size_t *count, uint64_t *offset)
{
    fls_decoder decoder;
    fls_decoder_options options = FLS_DECODER_OPTIONS_INIT;
    options.checksum = format->checksum;
    options.allocator = fls_allocator_libc();
    fls_message message;
    assert_status(fls_decoder_init(&decoder, &options, NULL), FLS_OK, NULL);
    uint8_t *first = bytes_exact_copy(stream->data, split);
    uint8_t *second = bytes_exact_copy(stream->data + split, stream->size - split);
    fls_status status;
    *count = 0;
    assert_status(fls_decoder_feed(&decoder, first, split, NULL), FLS_OK, NULL);
    while ((status = fls_decoder_next(&decoder, &message, NULL)) == FLS_OK) {
        *count += 1;
    }
    free(first);
    if (status == FLS_NEED_MORE) {
        assert_status(fls_decoder_feed(&decoder, second, stream->size - split, NULL), FLS_OK, NULL);
        fls_decoder_end(&decoder);
        while ((status = fls_decoder_next(&decoder, &message, NULL)) == FLS_OK) {
            *count += 1;
        }
    }
    free(second);
    *offset = fls_decoder_offset(&decoder);
    fls_decoder_fini(&decoder);
    return status;
}

static void expect_same_at_every_split(const ref_format *format, const byte_buffer *stream)
{
    ref_stream expected = ref_decode(format, stream->data, stream->size);
    for (size_t split = 0; split <= stream->size; split++) {
        size_t count;
        uint64_t offset;
        fls_status status = decode_split(format, stream, split, &count, &offset);
        assert_status(status, expected.end, NULL);
        assert_int_equal(count, expected.count);
        assert_int_equal(offset, expected.offset);
    }
    ref_free(&expected);
}

static void check_run(fls_checksum checksum, size_t before, size_t run, int then)
{
    ref_format format = {checksum, NULL, 0};
    prng random = prng_seeded(run);
    byte_buffer stream = BYTES_INIT;
    for (size_t i = 0; i < before; i++) {
        frames_append_random(&stream, &format, &random, 1 + 2 * i);
    }
    bytes_append_zeros(&stream, run);
    if (then == 1) {
        bytes_append(&stream, "\x7f", 1);
    } else if (then == 2) {
        frames_append(&stream, &format, "abc", 3);
        frames_append(&stream, &format, "", 0);
        frames_append(&stream, &format, "de", 2);
    } else if (then == 3) { /* a length whose low bytes are zero, read from the run's end */
        bytes_append(&stream, "\x01\x00\x00", 3);
    }
    expect_agreement(&format, &stream, run);
    expect_same_at_every_split(&format, &stream);
    bytes_free(&stream);
}

static void every_run(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t run = 0; run <= LONGEST_RUN; run++) {
            for (int then = 0; then < 4; then++) {
                for (size_t before = 0; before < 3; before += 2) {
                    check_run(frames_checksums[c], before, run, then);
                }
            }
        }
    }
}

/* What the table under rule 0 says, spelled out for a stream of one frame and a run. */
static void ends_by_length_of_the_run(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        size_t unit = 4 + ref_width(&format);
        int empties_are_sound = format.checksum != FLS_CHECKSUM_XXH3;
        for (size_t run = 0; run <= LONGEST_RUN; run++) {
            byte_buffer stream = BYTES_INIT;
            frames_append(&stream, &format, "abc", 3);
            size_t boundary = stream.size;
            bytes_append_zeros(&stream, run);
            fls_status wanted = run >= 16                           ? FLS_ZERO_TAIL
                                : run >= unit && !empties_are_sound ? FLS_CHECKSUM_MISMATCH
                                : run % unit != 0                   ? FLS_UNEXPECTED_EOF
                                                                    : FLS_END;
            size_t empties = run < 16 && empties_are_sound ? run / unit : 0;
            size_t count;
            uint64_t offset;
            assert_status(decode_split(&format, &stream, 0, &count, &offset), wanted, NULL);
            assert_int_equal(count, 1 + empties);
            assert_int_equal(offset, boundary + empties * unit);
            bytes_free(&stream);
        }
    }
}

/* A run much longer than any buffer, in front of a message and at the end. */
static void long_runs(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        for (int ends = 0; ends < 2; ends++) {
            byte_buffer stream = BYTES_INIT;
            frames_append(&stream, &format, "abc", 3);
            bytes_append_zeros(&stream, 12 * 25000);
            if (!ends) {
                frames_append(&stream, &format, "abc", 3);
            }
            prng random = prng_seeded(1);
            readers_case what = {format, stream.data, stream.size};
            readers_verdict verdict = readers_agree_in_pieces(&what, &random, 70000);
            if (!verdict.agree) {
                fail_msg("%s: %s", fls_checksum_name(format.checksum), verdict.why);
            }
            bytes_free(&stream);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run),
        cmocka_unit_test(ends_by_length_of_the_run),
        cmocka_unit_test(long_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
