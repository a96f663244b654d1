/* Every single bit of a small checksummed stream, flipped: no payload that is not the original is
 * handed out as good, the readers stop at the frame that was hit, and the stream ends damaged, so
 * that nothing is cut. Only when the very last frame was hit may it look like a tail; then all
 * frames before it stay. */
#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/readers.h"
#include "support/testing.h"

static char directory[256];

static void flatbuffer_stream(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(31);
    frames_append_flatbuffers(stream, format, &random, 7, 40);
}

/* Random bytes, with an empty message in the middle, then one at the end. */
static void opaque_stream(byte_buffer *stream, const ref_format *format, int ends_empty)
{
    prng random = prng_seeded(32);
    frames_append_random(stream, format, &random, 30);
    frames_append(stream, format, "", 0);
    frames_append_random(stream, format, &random, 50);
    frames_append_random(stream, format, &random, 1);
    frames_append_random(stream, format, &random, 20);
    if (ends_empty) {
        frames_append(stream, format, "", 0);
    }
}

/* Frames over 512 bytes that end in zeros, as padding does: a tail of zeros that belongs to a
 * frame. */
static void padded_stream(byte_buffer *stream, const ref_format *format)
{
    uint8_t payload[600] = {0};
    prng random = prng_seeded(33);
    for (int i = 0; i < 3; i++) {
        prng_fill(&random, payload, 380);
        frames_append(stream, format, payload, sizeof payload);
    }
}

static void check_readers(const ref_format *format, const byte_buffer *stream,
                          const ref_stream *whole, size_t hit, prng *random)
{
    readers_case what = {*format, stream->data, stream->size};
    ref_stream flipped = ref_decode(format, stream->data, stream->size);
    if (flipped.count != hit || flipped.end == FLS_END) {
        fail_msg("%s: %zu messages although frame %zu was hit", fls_checksum_name(format->checksum),
                 flipped.count, hit);
    }
    assert_int_equal(flipped.offset, whole->messages[hit].offset);
    for (unsigned way = 0; way < READERS_WAYS; way++) {
        readers_verdict verdict = readers_way_agrees(way, &what, &flipped, random);
        if (!verdict.agree) {
            fail_msg("%s: %s", fls_checksum_name(format->checksum), verdict.why);
        }
    }
    ref_free(&flipped);
}

static void check_recovery(const ref_format *format, const byte_buffer *stream,
                           const ref_stream *whole, size_t hit, size_t bit)
{
    const char *path = files_join(directory, "flipped.fls");
    files_write(path, stream->data, stream->size);
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = format->checksum;
    options.discard_cut = 1;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_recover_truncate(path, &options, &report, &err);
    assert_int_equal(report.frames, hit);
    assert_int_equal(report.last_good_offset, whole->messages[hit].offset);
    if (report.end == FLS_STREAM_DAMAGED) {
        assert_int_equal(fls_status_class_of(status), FLS_CLASS_DAMAGE);
        assert_int_equal(files_size(path), stream->size);
        return;
    }
    if (hit + 1 != whole->count || report.end == FLS_STREAM_CLEAN) {
        fail_msg("%s, bit %zu in frame %zu of %zu: %s", fls_checksum_name(format->checksum), bit,
                 hit, whole->count, fls_stream_end_name(report.end));
    }
    assert_status(status, FLS_OK, &err);
    assert_int_equal(files_size(path), whole->messages[hit].offset);
}

static void flip_every_bit(const ref_format *format, byte_buffer *stream, size_t readers_every)
{
    ref_stream whole = ref_decode(format, stream->data, stream->size);
    assert_status(whole.end, FLS_END, NULL);
    prng random = prng_seeded(stream->size);
    size_t hit = 0;
    for (size_t bit = 0; bit < 8 * stream->size; bit++) {
        while (hit + 1 < whole.count && whole.messages[hit + 1].offset <= bit / 8) {
            hit++;
        }
        stream->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bit % readers_every == 0) {
            check_readers(format, stream, &whole, hit, &random);
        }
        check_recovery(format, stream, &whole, hit, bit);
        stream->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ref_free(&whole);
}

static void every_kind(fls_checksum checksum)
{
    ref_format format = {checksum, NULL, 0};
    for (int kind = 0; kind < 4; kind++) {
        byte_buffer stream = BYTES_INIT;
        if (kind == 0) {
            flatbuffer_stream(&stream, &format);
        } else if (kind == 3) {
            padded_stream(&stream, &format);
        } else {
            opaque_stream(&stream, &format, kind == 2);
        }
        flip_every_bit(&format, &stream, kind == 3 ? 13 : 1);
        bytes_free(&stream);
    }
}

static void crc16(void **state)
{
    (void)state;
    every_kind(FLS_CHECKSUM_CRC16);
}

static void crc32(void **state)
{
    (void)state;
    every_kind(FLS_CHECKSUM_CRC32);
}

static void xxh3(void **state)
{
    (void)state;
    every_kind(FLS_CHECKSUM_XXH3);
}

/* Without a checksum a payload cannot be protected, but a length can: a stream of FlatBuffers whose
 * frame's length was hit, and which then looks torn, is never cut while two sound frames follow. */
static void lengths_without_a_checksum(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_NONE, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    flatbuffer_stream(&stream, &format);
    ref_stream whole = ref_decode(&format, stream.data, stream.size);
    for (size_t hit = 0; hit + 2 < whole.count; hit++) {
        for (size_t bit = 0; bit < 32; bit++) {
            uint8_t *byte = &stream.data[whole.messages[hit].offset + bit / 8];
            *byte ^= (uint8_t)(1u << bit % 8);
            fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
            options.checksum = FLS_CHECKSUM_NONE;
            fls_recover_report report = FLS_RECOVER_REPORT_INIT;
            fls_error err = FLS_ERROR_INIT;
            assert_status(fls_recover_memory(stream.data, stream.size, &options, &report, &err),
                          FLS_OK, &err);
            if (report.end != FLS_STREAM_DAMAGED && report.end != FLS_STREAM_CLEAN) {
                /* Mis-framed: the place where it looks torn may only lie in the last two frames. */
                assert_true(report.last_good_offset >= whole.messages[whole.count - 2].offset);
            }
            *byte ^= (uint8_t)(1u << bit % 8);
        }
    }
    ref_free(&whole);
    bytes_free(&stream);
}

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc16),
        cmocka_unit_test(crc32),
        cmocka_unit_test(xxh3),
        cmocka_unit_test(lengths_without_a_checksum),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
