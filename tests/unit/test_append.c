/* Opening for append, in every state that a file can be in: missing, empty, clean, torn, zeros,
 * damaged, another checksum's, not a file. */
#include "flatstream/writer.h"

#include <unistd.h>

#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static const char *path_of_stream(void)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/append.fls", directory);
    return path;
}

static fls_writer_options with(fls_checksum checksum)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static void expect_file(const char *path, const byte_buffer *wanted)
{
    byte_buffer now = BYTES_INIT;
    assert_int_equal(files_read(path, &now), 0);
    assert_int_equal(now.size, wanted->size);
    if (wanted->size > 0) {
        assert_memory_equal(now.data, wanted->data, wanted->size);
    }
    bytes_free(&now);
}

/* Appends one message and expects the file to be `before` and that message. */
static fls_recover_report append_one(const fls_writer_options *options, const ref_format *format,
                                     const byte_buffer *before)
{
    fls_writer *writer;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_open_append(&writer, path_of_stream(), options, &report, &err), FLS_OK,
                  &err);
    assert_int_equal(fls_writer_offset(writer), before->size);
    assert_int_equal(fls_writer_messages(writer), 0);
    assert_status(fls_writer_write(writer, "appended", 8, &err), FLS_OK, &err);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    byte_buffer wanted = BYTES_INIT;
    bytes_append(&wanted, before->data, before->size);
    frames_append(&wanted, format, "appended", 8);
    expect_file(path_of_stream(), &wanted);
    bytes_free(&wanted);
    return report;
}

static size_t make_stream(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(9);
    frames_append_flatbuffers(stream, format, &random, 10, 60);
    return 10;
}

static void a_missing_file_is_made(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(format.checksum);
        byte_buffer empty = BYTES_INIT;
        (void)unlink(path_of_stream());
        fls_recover_report report = append_one(&options, &format, &empty);
        assert_int_equal(report.end, FLS_STREAM_CLEAN);
        assert_int_equal(report.frames, 0);
        files_write(path_of_stream(), "", 0);
        append_one(&options, &format, &empty);
    }
}

static void a_clean_stream_goes_on(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(format.checksum);
        byte_buffer stream = BYTES_INIT;
        size_t frames = make_stream(&stream, &format);
        files_write(path_of_stream(), stream.data, stream.size);
        fls_recover_report report = append_one(&options, &format, &stream);
        assert_int_equal(report.end, FLS_STREAM_CLEAN);
        assert_int_equal(report.frames, frames);
        assert_int_equal(report.truncated_bytes, 0);
        bytes_free(&stream);
    }
}

static void tails_are_cut_first(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (int kind = 0; kind < 4; kind++) {
            ref_format format = {frames_checksums[c], NULL, 0};
            fls_writer_options options = with(format.checksum);
            options.discard_cut = (uint32_t)kind & 1;
            byte_buffer stream = BYTES_INIT;
            size_t frames = make_stream(&stream, &format);
            size_t sound = stream.size;
            if (kind < 2) {
                bytes_append(&stream, "\x77\0\0\0torn", 8);
            } else {
                bytes_append_zeros(&stream, 700);
            }
            files_write(path_of_stream(), stream.data, stream.size);
            byte_buffer before = {stream.data, sound, 0};
            fls_recover_report report = append_one(&options, &format, &before);
            assert_int_equal(report.end, kind < 2 ? FLS_STREAM_TORN_TAIL : FLS_STREAM_ZERO_TAIL);
            assert_int_equal(report.frames, frames);
            assert_int_equal(report.truncated_bytes, stream.size - sound);
            char kept[400];
            snprintf(kept, sizeof kept, "%s%s", path_of_stream(), report.cut_suffix);
            if (kind & 1) {
                assert_string_equal(report.cut_suffix, "");
            } else {
                byte_buffer cut = {stream.data + sound, stream.size - sound, 0};
                expect_file(kept, &cut);
                assert_int_equal(unlink(kept), 0);
            }
            bytes_free(&stream);
        }
    }
}

static void expect_refused(const fls_writer_options *options, const byte_buffer *stream,
                           fls_status wanted, fls_stream_end end)
{
    files_write(path_of_stream(), stream->data, stream->size);
    fls_writer *writer = (fls_writer *)&writer;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_open_append(&writer, path_of_stream(), options, &report, &err), wanted,
                  &err);
    assert_null(writer);
    assert_int_equal(err.status, wanted);
    if (end != 0) {
        assert_int_equal(report.end, end);
        assert_int_equal(report.fault.status, wanted);
    }
    expect_file(path_of_stream(), stream);
}

static void damage_is_refused_and_left_alone(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(format.checksum);
        byte_buffer stream = BYTES_INIT;
        make_stream(&stream, &format);
        ref_stream whole = ref_decode(&format, stream.data, stream.size);
        stream.data[whole.messages[5].payload] ^= 1;
        expect_refused(&options, &stream, FLS_CHECKSUM_MISMATCH, FLS_STREAM_DAMAGED);
        stream.data[whole.messages[5].payload] ^= 1;
        stream.data[whole.messages[6].offset + 2] ^= 1;
        expect_refused(&options, &stream, FLS_UNEXPECTED_EOF, FLS_STREAM_DAMAGED);
        ref_free(&whole);
        bytes_free(&stream);
    }
}

static void another_checksum_is_refused(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        make_stream(&stream, &format);
        for (size_t other = 0; other < FRAMES_CHECKSUMS; other++) {
            if (other == c) {
                continue;
            }
            fls_writer_options options = with(frames_checksums[other]);
            expect_refused(&options, &stream, FLS_CHECKSUM_MISMATCH, 0);
            /* Both names are said. */
            fls_writer *writer;
            fls_error err = FLS_ERROR_INIT;
            assert_status(fls_writer_open_append(&writer, path_of_stream(), &options, NULL, &err),
                          FLS_CHECKSUM_MISMATCH, &err);
            assert_non_null(strstr(err.text, fls_checksum_name(frames_checksums[c])));
            assert_non_null(strstr(err.text, fls_checksum_name(frames_checksums[other])));
        }
        bytes_free(&stream);
    }
}

static void what_cannot_be_told_is_refused(void **state)
{
    (void)state;
    byte_buffer noise = BYTES_INIT;
    prng random = prng_seeded(77);
    uint8_t block[200];
    prng_fill(&random, block, sizeof block);
    bytes_append(&noise, block, sizeof block);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        fls_writer_options options = with(frames_checksums[c]);
        expect_refused(&options, &noise, FLS_CHECKSUM_UNPROVEN, 0);
    }
    bytes_free(&noise);
}

static uint64_t sum_of_bytes(void *self, const void *data, size_t size)
{
    uint64_t sum = 3;
    (void)self;
    for (size_t i = 0; i < size; i++) {
        sum = sum * 31 + ((const uint8_t *)data)[i];
    }
    return sum;
}

static void custom_checksums_too(void **state)
{
    (void)state;
    fls_custom_checksum custom = {sizeof custom, 5, "sum", sum_of_bytes, NULL};
    ref_format format = {FLS_CHECKSUM_CUSTOM, &custom, 0};
    fls_writer_options options = with(FLS_CHECKSUM_CUSTOM);
    options.custom_checksum = &custom;
    options.discard_cut = 1;
    byte_buffer stream = BYTES_INIT;
    make_stream(&stream, &format);
    files_write(path_of_stream(), stream.data, stream.size);
    append_one(&options, &format, &stream);
    size_t sound = stream.size;
    bytes_append(&stream, "\x11\0\0\0", 4);
    files_write(path_of_stream(), stream.data, stream.size);
    stream.size = sound;
    append_one(&options, &format, &stream);
    /* A custom checksum that is not the stream's: the first frame does not hold. */
    ref_format other = {FLS_CHECKSUM_CRC32, NULL, 0};
    bytes_clear(&stream);
    make_stream(&stream, &other);
    files_write(path_of_stream(), stream.data, stream.size);
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_writer_open_append(&writer, path_of_stream(), &options, NULL, &err);
    assert_int_equal(fls_status_class_of(status), FLS_CLASS_DAMAGE);
    expect_file(path_of_stream(), &stream);
    bytes_free(&stream);
}

static void not_a_regular_file(void **state)
{
    (void)state;
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = fls_writer_open_append(&writer, directory, NULL, NULL, &err);
    assert_true(status != FLS_OK);
    assert_null(writer);
    status = fls_writer_open_append(&writer, "/dev/null", NULL, NULL, &err);
    assert_true(status != FLS_OK);
    const char *missing = files_join(directory, "no/such/place.fls");
    status = fls_writer_open_append(&writer, missing, NULL, NULL, &err);
    assert_int_equal(fls_status_class_of(status), FLS_CLASS_SYSTEM);
}

static void many_sessions_make_one_stream(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        fls_writer_options options = with(format.checksum);
        byte_buffer wanted = BYTES_INIT;
        prng random = prng_seeded(c);
        (void)unlink(path_of_stream());
        byte_buffer payload = BYTES_INIT;
        for (int session = 0; session < 20; session++) {
            fls_writer *writer;
            fls_recover_report report = FLS_RECOVER_REPORT_INIT;
            fls_error err = FLS_ERROR_INIT;
            assert_status(
                fls_writer_open_append(&writer, path_of_stream(), &options, &report, &err), FLS_OK,
                &err);
            assert_int_equal(report.last_good_offset, wanted.size);
            for (uint64_t n = prng_below(&random, 4); n > 0; n--) {
                frames_flatbuffer(&payload, &random, (size_t)prng_below(&random, 400));
                frames_append(&wanted, &format, payload.data, payload.size);
                assert_status(fls_writer_write(writer, payload.data, payload.size, &err), FLS_OK,
                              &err);
            }
            assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        }
        expect_file(path_of_stream(), &wanted);
        bytes_free(&payload);
        bytes_free(&wanted);
    }
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
        cmocka_unit_test(a_missing_file_is_made),
        cmocka_unit_test(a_clean_stream_goes_on),
        cmocka_unit_test(tails_are_cut_first),
        cmocka_unit_test(damage_is_refused_and_left_alone),
        cmocka_unit_test(another_checksum_is_refused),
        cmocka_unit_test(what_cannot_be_told_is_refused),
        cmocka_unit_test(custom_checksums_too),
        cmocka_unit_test(not_a_regular_file),
        cmocka_unit_test(many_sessions_make_one_stream),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
