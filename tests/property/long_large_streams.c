/* Streams beyond 4 GiB: offsets, ordinals and runs of zeros that need more than 32 bits, through
 * writer, reader, decoder and recovery. Generated and sparse, so that no disk has to hold them. */
#include <sys/mman.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/frames.h"
#include "support/testing.h"

#define GIB ((uint64_t)1 << 30)

/* ---- a stream of equal frames, made while it is read ---- */

#define FRAME_PAYLOAD (256u * 1024u)

typedef struct generator {
    const uint8_t *frame;
    size_t frame_bytes;
    uint64_t total; /* bytes of the stream */
    uint64_t place;
} generator;

static fls_status generate(void *self_pointer, void *buffer, size_t capacity, size_t *got,
                           fls_error *err)
{
    generator *self = self_pointer;
    size_t within = (size_t)(self->place % self->frame_bytes);
    size_t piece = self->frame_bytes - within;
    (void)err;
    piece = piece < capacity ? piece : capacity;
    piece = piece < self->total - self->place ? piece : (size_t)(self->total - self->place);
    memcpy(buffer, self->frame + within, piece);
    self->place += piece;
    *got = piece;
    return piece > 0 ? FLS_OK : FLS_END;
}

static void reading_and_recovering(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer frame = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_random(&frame, &format, &random, FRAME_PAYLOAD);
        uint64_t count = 4 * GIB / frame.size + 100;
        /* Torn in the last frame, far beyond 4 GiB. */
        generator stream = {frame.data, frame.size, count * frame.size - 1000, 0};
        fls_source source;
        fls_reader *reader;
        fls_error err = FLS_ERROR_INIT;
        fls_reader_options options = FLS_READER_OPTIONS_INIT;
        options.checksum = format.checksum;
        assert_status(fls_source_from_function(&source, generate, &stream, &err), FLS_OK, &err);
        assert_status(fls_reader_open(&reader, source, &options, &err), FLS_OK, &err);
        fls_message message;
        for (uint64_t i = 0; i < count - 1; i++) {
            assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
            assert_int_equal(message.ordinal, i);
            assert_int_equal(message.offset, i * frame.size);
            assert_int_equal(message.size, FRAME_PAYLOAD);
        }
        assert_status(fls_reader_next(reader, &message, &err), FLS_UNEXPECTED_EOF, &err);
        assert_int_equal(err.offset, (count - 1) * frame.size);
        assert_int_equal(err.ordinal, count - 1);
        fls_reader_close(reader);

        stream.place = 0;
        assert_status(fls_source_from_function(&source, generate, &stream, &err), FLS_OK, &err);
        fls_recover_options recovering = FLS_RECOVER_OPTIONS_INIT;
        recovering.checksum = format.checksum;
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        assert_status(fls_recover(&source, &recovering, &report, &err), FLS_OK, &err);
        fls_source_close(&source);
        assert_int_equal(report.end, FLS_STREAM_TORN_TAIL);
        assert_int_equal(report.frames, count - 1);
        assert_int_equal(report.last_good_offset, (count - 1) * frame.size);
        assert_int_equal(report.payload_bytes, (count - 1) * FRAME_PAYLOAD);
        bytes_free(&frame);
    }
}

/* ---- writing ---- */

typedef struct swallower {
    const byte_buffer *frame;
    uint64_t bytes;
} swallower;

/* Takes bytes that must be the same frame again and again. */
static fls_status swallow(void *self_pointer, const void *data, size_t size, size_t *written,
                          fls_error *err)
{
    swallower *self = self_pointer;
    size_t within = (size_t)(self->bytes % self->frame->size);
    size_t piece = self->frame->size - within < size ? self->frame->size - within : size;
    if (memcmp(data, self->frame->data + within, piece) != 0) {
        return fls_error_set(err, FLS_IO, 0, "other bytes than the frame's");
    }
    self->bytes += piece;
    *written = piece;
    return FLS_OK;
}

static void writing(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer frame = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_random(&frame, &format, &random, 60000);
        uint64_t count = 4 * GIB / frame.size + 100;
        swallower swallowed = {&frame, 0};
        fls_sink sink;
        fls_writer *writer;
        fls_error err = FLS_ERROR_INIT;
        fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
        options.checksum = format.checksum;
        assert_status(fls_sink_from_function(&sink, swallow, &swallowed, &err), FLS_OK, &err);
        assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
        const uint8_t *payload = frame.data + frame.size - 60000;
        for (uint64_t i = 0; i < count; i++) {
            assert_status(fls_writer_write(writer, payload, 60000, &err), FLS_OK, &err);
        }
        assert_int_equal(fls_writer_offset(writer), count * frame.size);
        assert_int_equal(fls_writer_messages(writer), count);
        assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
        assert_int_equal(swallowed.bytes, count * frame.size);
        bytes_free(&frame);
    }
}

/* ---- the largest payload ---- */

typedef struct counter {
    uint64_t bytes;
    uint8_t first[16];
} counter;

static fls_status count_bytes(void *self_pointer, const void *data, size_t size, size_t *written,
                              fls_error *err)
{
    counter *self = self_pointer;
    (void)err;
    for (size_t i = 0; i < size && self->bytes + i < sizeof self->first; i++) {
        self->first[self->bytes + i] = ((const uint8_t *)data)[i];
    }
    self->bytes += size;
    *written = size;
    return FLS_OK;
}

static void the_largest_payload(void **state)
{
    (void)state;
    size_t size = (size_t)2 * GIB;
    uint8_t *zeros =
        mmap(NULL, size + 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(zeros != MAP_FAILED);
    counter counted = {0, {0}};
    fls_sink sink;
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_CRC32;
    assert_status(fls_sink_from_function(&sink, count_bytes, &counted, &err), FLS_OK, &err);
    assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, zeros, size + 1, &err), FLS_INVALID_FRAME, &err);
    assert_status(fls_writer_write(writer, zeros, size, &err), FLS_OK, &err);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    assert_int_equal(counted.bytes, size + 8);
    assert_memory_equal(counted.first, "\0\0\0\x80", 4);
    munmap(zeros, size + 4096);
}

/* ---- zeros ---- */

typedef struct zero_stream {
    uint64_t zeros;
    uint64_t place;
    const uint8_t *then;
    size_t then_bytes;
} zero_stream;

static fls_status give_zeros(void *self_pointer, void *buffer, size_t capacity, size_t *got,
                             fls_error *err)
{
    zero_stream *self = self_pointer;
    (void)err;
    uint64_t end = self->zeros + self->then_bytes;
    size_t piece;
    if (self->place < self->zeros) {
        uint64_t left = self->zeros - self->place;
        piece = left < capacity ? (size_t)left : capacity;
        memset(buffer, 0, piece);
    } else {
        size_t within = (size_t)(self->place - self->zeros);
        piece = end - self->place < capacity ? (size_t)(end - self->place) : capacity;
        memcpy(buffer, self->then + within, piece);
    }
    self->place += piece;
    *got = piece;
    return piece > 0 ? FLS_OK : FLS_END;
}

/* More than 2^32 empty messages, proven by the one behind them; and as many zeros that never were.
 */
static void runs_of_zeros(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_NONE, NULL, 0};
    byte_buffer frame = BYTES_INIT;
    frames_append(&frame, &format, "abc", 3);
    for (int ends = 0; ends < 2; ends++) {
        zero_stream stream = {17 * GIB, 0, frame.data, ends ? 0 : frame.size};
        fls_source source;
        fls_reader *reader;
        fls_error err = FLS_ERROR_INIT;
        fls_reader_options options = FLS_READER_OPTIONS_INIT;
        options.checksum = FLS_CHECKSUM_NONE;
        assert_status(fls_source_from_function(&source, give_zeros, &stream, &err), FLS_OK, &err);
        assert_status(fls_reader_open(&reader, source, &options, &err), FLS_OK, &err);
        static fls_message messages[4096];
        uint64_t seen = 0;
        size_t count = 0;
        fls_status status;
        while ((status = fls_reader_next_batch(reader, messages, 4096, &count, &err)) == FLS_OK) {
            assert_int_equal(messages[0].ordinal, seen);
            assert_int_equal(messages[0].offset, 4 * seen);
            seen += count;
        }
        if (ends) {
            assert_status(status, FLS_ZERO_TAIL, &err);
            assert_int_equal(seen, 0);
            assert_int_equal(fls_reader_offset(reader), 0);
        } else {
            assert_status(status, FLS_END, &err);
            assert_int_equal(seen, 17 * GIB / 4 + 1);
            assert_int_equal(fls_reader_offset(reader), 17 * GIB + frame.size);
        }
        assert_true(fls_reader_buffer_bytes(reader) < 4u << 20);
        fls_reader_close(reader);
    }
    bytes_free(&frame);
}

/* A sparse file: some frames, and a hole of 5 GiB that was never written. */
static void a_hole_behind_a_stream(void **state)
{
    (void)state;
    char directory[256];
    files_make_directory(directory, sizeof directory);
    const char *path = files_join(directory, "sparse.fls");
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        prng random = prng_seeded(c);
        frames_append_flatbuffers(&stream, &format, &random, 100, 300);
        files_write(path, stream.data, stream.size);
        assert_int_equal(truncate(path, (off_t)(5 * GIB)), 0);
        fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
        options.checksum = format.checksum;
        options.discard_cut = 1;
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_recover_truncate(path, &options, &report, &err), FLS_OK, &err);
        assert_int_equal(report.end, FLS_STREAM_ZERO_TAIL);
        assert_int_equal(report.frames, 100);
        assert_int_equal(report.last_good_offset, stream.size);
        assert_int_equal(report.truncated_bytes, 5 * GIB - stream.size);
        assert_int_equal(files_size(path), stream.size);
        bytes_free(&stream);
    }
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_and_recovering), cmocka_unit_test(writing),
        cmocka_unit_test(the_largest_payload),    cmocka_unit_test(runs_of_zeros),
        cmocka_unit_test(a_hole_behind_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
