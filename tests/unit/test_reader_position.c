/* A reader that goes on where another one was: the rest of the messages, and the same end. */
#include <fcntl.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/testing.h"

static fls_reader_options options_of(fls_checksum checksum, const fls_reader_position *position)
{
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = 100;
    options.position = position;
    return options;
}

/* Opaque messages behind rooted ones, and a torn end: without a checksum the verdict depends on
 * what the messages at the beginning were like. */
static void make_stream(byte_buffer *stream, fls_checksum checksum, uint64_t seed)
{
    prng random = prng_seeded(seed);
    const ref_format format = {checksum, NULL, 0};
    frames_append_flatbuffers(stream, &format, &random, 40, 50);
    if (seed % 2 != 0) {
        frames_append_random(stream, &format, &random, 9);
    }
    frames_append_flatbuffers(stream, &format, &random, 700, 200);
    stream->size -= 5;
}

static void finish(fls_reader *reader, uint64_t ordinal, uint64_t offset,
                   fls_recover_report *ending)
{
    fls_message message;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    while ((status = fls_reader_next(reader, &message, &err)) == FLS_OK) {
        assert_int_equal(message.ordinal, ordinal);
        assert_int_equal(message.offset, offset);
        ordinal++;
        offset = fls_reader_offset(reader);
    }
    assert_int_equal(fls_reader_ending(reader, status, &err, ending, NULL), FLS_OK);
    fls_reader_close(reader);
}

static void expect_same(const fls_recover_report *a, const fls_recover_report *b)
{
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->last_good_offset, b->last_good_offset);
    assert_int_equal(a->stream_bytes, b->stream_bytes);
    assert_int_equal(a->proof_found, b->proof_found);
}

static void goes_on_anywhere(void **state)
{
    char directory[200];
    (void)state;
    files_make_directory(directory, sizeof directory);
    const char *path = files_join(directory, "stream");
    for (uint64_t seed = 0; seed < 2 * FRAMES_CHECKSUMS; seed++) {
        byte_buffer stream = BYTES_INIT;
        fls_checksum checksum = frames_checksums[seed / 2];
        make_stream(&stream, checksum, seed);
        files_write(path, stream.data, stream.size);
        fls_reader *reader;
        fls_reader_options plain = options_of(checksum, NULL);
        fls_recover_report whole = FLS_RECOVER_REPORT_INIT;
        assert_int_equal(fls_reader_open_file(&reader, path, &plain, NULL), FLS_OK);
        finish(reader, 0, 0, &whole);

        fls_reader *walker;
        fls_message message;
        assert_int_equal(fls_reader_open_file(&walker, path, &plain, NULL), FLS_OK);
        for (uint64_t ordinal = 0; fls_reader_next(walker, &message, NULL) == FLS_OK; ordinal++) {
            fls_reader_position position;
            fls_recover_report rest = FLS_RECOVER_REPORT_INIT;
            fls_reader_get_position(walker, &position);
            assert_int_equal(position.ordinal, ordinal + 1);
            if (ordinal % 29 != 0 && ordinal > 45) {
                continue;
            }
            fls_reader_options there = options_of(checksum, &position);
            assert_int_equal(fls_reader_open_file(&reader, path, &there, NULL), FLS_OK);
            finish(reader, position.ordinal, position.offset, &rest);
            expect_same(&rest, &whole);
            assert_int_equal(
                fls_reader_open_memory(&reader, stream.data, stream.size, &there, NULL), FLS_OK);
            finish(reader, position.ordinal, position.offset, &rest);
            expect_same(&rest, &whole);
        }
        fls_reader_close(walker);
        bytes_free(&stream);
    }
    files_remove_directory(directory);
}

static void places_that_cannot_be(void **state)
{
    (void)state;
    static const uint8_t stream[] = "\3\0\0\0abc\3\0\0\0def";
    fls_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    int ends[2];
    const fls_reader_position behind = {sizeof stream, 1, 0};
    const fls_reader_position last = {7, 1, 0};
    fls_reader_options options = options_of(FLS_CHECKSUM_NONE, &behind);
    assert_status(fls_reader_open_memory(&reader, stream, sizeof stream - 1, &options, &err),
                  FLS_INVALID_ARGUMENT, &err);

    options = options_of(FLS_CHECKSUM_NONE, &last);
    fls_message message;
    assert_status(fls_reader_open_memory(&reader, stream, sizeof stream - 1, &options, &err),
                  FLS_OK, &err);
    assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_memory_equal(message.payload, "def", 3);
    assert_int_equal(message.ordinal, 1);
    assert_int_equal(message.offset, 7);
    assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
    fls_reader_close(reader);

    assert_int_equal(pipe(ends), 0);
    fls_source source;
    assert_status(fls_source_from_fd(&source, ends[0], 1, &err), FLS_OK, &err);
    assert_status(fls_reader_open(&reader, source, &options, &err), FLS_UNSUPPORTED, &err);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_anywhere),
        cmocka_unit_test(places_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
