/* Which checksum a stream has: right for every checksum and kind of payload, patient while bytes
 * may still come, never wrong about a part of a stream, and honest when nothing can be told. */
#include "flatstream/recover.h"

#include "support/frames.h"
#include "support/testing.h"

static fls_status detect(const void *data, size_t size, int at_end, fls_checksum *found)
{
    uint8_t *exact = bytes_exact_copy(data, size);
    fls_error err = FLS_ERROR_INIT;
    *found = FLS_CHECKSUM_DEFAULT;
    fls_status status = fls_detect_checksum(exact, size, at_end, 0, found, &err);
    if (status == FLS_CHECKSUM_UNPROVEN) {
        assert_int_equal(err.status, status);
        assert_true(err.text[0] != '\0');
    }
    free(exact);
    return status;
}

static void expect_found(const byte_buffer *stream, fls_checksum wanted)
{
    fls_checksum found;
    fls_status status = detect(stream->data, stream->size, 1, &found);
    if (status != FLS_OK || found != wanted) {
        fail_msg("%s, but %s %s", fls_checksum_name(wanted), fls_status_name(status),
                 fls_checksum_name(found));
    }
}

static void whole_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        prng random = prng_seeded(seed);
        ref_format format = {frames_checksums[seed % FRAMES_CHECKSUMS], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        size_t count = 2 + (size_t)prng_below(&random, 40);
        if (seed % 3 == 0) {
            for (size_t i = 0; i < count; i++) {
                frames_append_random(&stream, &format, &random,
                                     1 + (size_t)prng_below(&random, 200));
            }
        } else {
            frames_append_flatbuffers(&stream, &format, &random, count, 100);
        }
        expect_found(&stream, format.checksum);
        bytes_free(&stream);
    }
}

static void one_message(void **state)
{
    (void)state;
    prng random = prng_seeded(1);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 1, 20);
        expect_found(&stream, format.checksum);
        bytes_free(&stream);
    }
}

/* Empty messages in front prove nothing, but are no obstacle. */
static void empty_messages_first(void **state)
{
    (void)state;
    prng random = prng_seeded(1);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        frames_append(&stream, &format, "", 0);
        frames_append(&stream, &format, "", 0);
        frames_append_flatbuffers(&stream, &format, &random, 5, 20);
        expect_found(&stream, format.checksum);
        bytes_free(&stream);
    }
}

/* While more may follow, a part of a stream is never taken for another checksum's; and the answer
 * comes well before all of a long stream was seen. */
static void parts_of_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 16; seed++) {
        prng random = prng_seeded(seed);
        ref_format format = {frames_checksums[seed % FRAMES_CHECKSUMS], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        if (seed < 8) {
            frames_append_flatbuffers(&stream, &format, &random, 20, 60);
        } else {
            for (int i = 0; i < 20; i++) {
                frames_append_random(&stream, &format, &random,
                                     1 + (size_t)prng_below(&random, 120));
            }
        }
        for (size_t size = 0; size < stream.size; size++) {
            fls_checksum found;
            fls_status status = detect(stream.data, size, 0, &found);
            if (status != FLS_NEED_MORE && (status != FLS_OK || found != format.checksum)) {
                fail_msg("seed %llu, %s, %zu bytes: %s %s", (unsigned long long)seed,
                         fls_checksum_name(format.checksum), size, fls_status_name(status),
                         fls_checksum_name(found));
            }
        }
        bytes_free(&stream);
    }
}

static void long_streams_are_decided_early(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        prng random = prng_seeded(c);
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 20000, 100);
        fls_checksum found;
        assert_status(detect(stream.data, 300000, 0, &found), FLS_OK, NULL);
        assert_int_equal(found, format.checksum);
        bytes_free(&stream);
    }
}

static void damaged_beginnings(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        prng random = prng_seeded(c);
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 12, 100);
        ref_stream whole = ref_decode(&format, stream.data, stream.size);
        for (size_t i = 0; i < 3; i++) { /* payloads hit, lengths not */
            stream.data[whole.messages[i].payload + 5] ^= 0x40;
            expect_found(&stream, format.checksum);
        }
        ref_free(&whole);
        bytes_free(&stream);
    }
}

/* Any checksum would do for no bytes, and for zeros that were never messages. */
static void nothing_to_tell_from(void **state)
{
    (void)state;
    fls_checksum found;
    uint8_t zeros[64] = {0};
    assert_status(detect("", 0, 0, &found), FLS_NEED_MORE, NULL);
    assert_status(detect("", 0, 1, &found), FLS_END, NULL);
    assert_status(detect(zeros, 64, 1, &found), FLS_END, NULL);
    assert_status(detect(zeros, 16, 1, &found), FLS_END, NULL);
    assert_status(detect(zeros, 64, 0, &found), FLS_NEED_MORE, NULL);
}

static void noise_is_not_a_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        prng random = prng_seeded(seed);
        uint8_t noise[300];
        fls_checksum found;
        prng_fill(&random, noise, sizeof noise);
        size_t size = 1 + (size_t)prng_below(&random, sizeof noise);
        assert_status(detect(noise, size, 1, &found), FLS_CHECKSUM_UNPROVEN, NULL);
    }
}

/* A tail cut anywhere does not change the answer once two messages are there. */
static void torn_streams(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        prng random = prng_seeded(c);
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        frames_append_flatbuffers(&stream, &format, &random, 6, 60);
        ref_stream whole = ref_decode(&format, stream.data, stream.size);
        for (size_t size = whole.messages[2].offset; size < stream.size; size++) {
            fls_checksum found;
            assert_status(detect(stream.data, size, 1, &found), FLS_OK, NULL);
            assert_int_equal(found, format.checksum);
        }
        ref_free(&whole);
        bytes_free(&stream);
    }
}

/* One opaque frame that holds under crc16, and half of another: 16 bits are not enough. */
static void one_crc16_frame_is_not_enough(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC16, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    frames_append(&stream, &format, "first", 5);
    expect_found(&stream, FLS_CHECKSUM_CRC16); /* it ends where the stream ends */
    frames_append(&stream, &format, "second", 6);
    expect_found(&stream, FLS_CHECKSUM_CRC16);
    stream.size -= 3;
    fls_checksum found;
    assert_status(detect(stream.data, stream.size, 1, &found), FLS_CHECKSUM_UNPROVEN, NULL);
    assert_status(detect(stream.data, 11, 0, &found), FLS_NEED_MORE, NULL);
    bytes_free(&stream);
}

/* Two frames that hold among many that do not are no proof for crc16: chance finds such two. */
static void most_crc16_frames_must_hold(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC16, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(5);
    for (int i = 0; i < 9; i++) {
        frames_append_random(&stream, &format, &random, 40);
        stream.data[stream.size - 1] ^= (uint8_t)(i % 4 != 0);
    }
    bytes_append(&stream, "torn", 4);
    fls_checksum found;
    assert_status(detect(stream.data, stream.size, 1, &found), FLS_CHECKSUM_UNPROVEN, NULL);
    bytes_free(&stream);
}

static void limits_are_kept(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(1);
    frames_append_random(&stream, &format, &random, 1000);
    fls_checksum found;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_detect_checksum(stream.data, stream.size, 1, 1000, &found, &err), FLS_OK,
                  &err);
    assert_status(fls_detect_checksum(stream.data, stream.size, 1, 999, &found, &err),
                  FLS_CHECKSUM_UNPROVEN, &err);
    assert_status(fls_detect_checksum(stream.data, stream.size, 0, 999, &found, NULL),
                  FLS_CHECKSUM_UNPROVEN, NULL);
    bytes_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_streams),
        cmocka_unit_test(one_message),
        cmocka_unit_test(empty_messages_first),
        cmocka_unit_test(parts_of_streams),
        cmocka_unit_test(long_streams_are_decided_early),
        cmocka_unit_test(damaged_beginnings),
        cmocka_unit_test(nothing_to_tell_from),
        cmocka_unit_test(noise_is_not_a_stream),
        cmocka_unit_test(torn_streams),
        cmocka_unit_test(one_crc16_frame_is_not_enough),
        cmocka_unit_test(most_crc16_frames_must_hold),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
