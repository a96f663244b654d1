/* Byte equality with other implementations: the golden frames of docs/FORMAT.md, the sound streams
 * of the corpus in data/, and, where they are present, the larger streams of the other
 * implementation: what our writer makes of the same payloads is the same file, and reading it gives
 * the payloads. */
#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/readers.h"
#include "support/testing.h"

/* The payloads of a delimited file: each a u32 LE length and its bytes, which is a stream of
 * "none". */
static ref_stream payloads_of(const byte_buffer *delimited)
{
    ref_format format = {FLS_CHECKSUM_NONE, NULL, 0};
    ref_stream payloads = ref_decode(&format, delimited->data, delimited->size);
    assert_status(payloads.end, FLS_END, NULL);
    return payloads;
}

/* What the writer makes of payloads; the sink is the caller's to close. */
static void write_stream(fls_checksum checksum, const byte_buffer *delimited, byte_buffer *written)
{
    ref_stream payloads = payloads_of(delimited);
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_writer *writer;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    options.allow_empty = 1;
    byte_buffer memory = BYTES_INIT;
    bytes_append_zeros(&memory, delimited->size + 12 * payloads.count + 1);
    assert_status(fls_sink_open_fixed(&sink, memory.data, memory.size, &err), FLS_OK, &err);
    assert_status(fls_writer_open(&writer, sink, &options, &err), FLS_OK, &err);
    for (size_t i = 0; i < payloads.count; i++) {
        const ref_message *message = &payloads.messages[i];
        const uint8_t *payload = delimited->data + message->payload;
        if (i % 3 == 2) { /* gathered from two pieces */
            size_t half = message->size / 2;
            fls_span spans[2] = {{payload, half}, {payload + half, message->size - half}};
            assert_status(fls_writer_writev(writer, spans, 2, &err), FLS_OK, &err);
        } else {
            assert_status(fls_writer_write(writer, payload, message->size, &err), FLS_OK, &err);
        }
    }
    assert_int_equal(fls_writer_messages(writer), payloads.count);
    size_t size = (size_t)fls_writer_offset(writer);
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    bytes_clear(written);
    bytes_append(written, memory.data, size);
    bytes_free(&memory);
    ref_free(&payloads);
}

static void expect_payloads(fls_checksum checksum, const byte_buffer *stream,
                            const byte_buffer *delimited)
{
    ref_stream payloads = payloads_of(delimited);
    fls_error err = FLS_ERROR_INIT;
    fls_reader *reader;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    assert_status(fls_reader_open_memory(&reader, stream->data, stream->size, &options, &err),
                  FLS_OK, &err);
    fls_message message;
    for (size_t i = 0; i < payloads.count; i++) {
        assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_int_equal(message.size, payloads.messages[i].size);
        assert_memory_equal(message.payload, delimited->data + payloads.messages[i].payload,
                            message.size);
    }
    assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
    fls_reader_close(reader);
    ref_free(&payloads);
}

static void expect_all_readers(fls_checksum checksum, const byte_buffer *stream)
{
    readers_case what = {{checksum, NULL, 0}, stream->data, stream->size};
    prng random = prng_seeded(stream->size);
    readers_verdict verdict = readers_agree(&what, &random);
    if (!verdict.agree) {
        fail_msg("%s: %s", fls_checksum_name(checksum), verdict.why);
    }
}

/* One family of files: NAME.none.fls and so on, all of the same payloads. */
static void check_family(const char *directory, const char *name, const char *delimited_name)
{
    byte_buffer delimited = BYTES_INIT;
    byte_buffer golden = BYTES_INIT;
    byte_buffer written = BYTES_INIT;
    assert_int_equal(files_read(files_join(directory, delimited_name), &delimited), 0);
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        char file[64];
        snprintf(file, sizeof file, "%s.%s.fls", name, fls_checksum_name(frames_checksums[c]));
        assert_int_equal(files_read(files_join(directory, file), &golden), 0);
        write_stream(frames_checksums[c], &delimited, &written);
        assert_int_equal(written.size, golden.size);
        assert_memory_equal(written.data, golden.data, golden.size);
        expect_payloads(frames_checksums[c], &golden, &delimited);
        expect_all_readers(frames_checksums[c], &golden);
    }
    bytes_free(&delimited);
    bytes_free(&golden);
    bytes_free(&written);
}

static void committed_streams(void **state)
{
    (void)state;
    check_family(files_golden_directory(), "sound", "sound.none.fls");
}

static void telemetry_streams(void **state)
{
    (void)state;
    const char *directory = files_interop_directory();
    if (directory == NULL) {
        skip();
    }
    check_family(directory, "telemetry", "telemetry.delim");
}

static void edge_streams(void **state)
{
    (void)state;
    const char *directory = files_interop_directory();
    if (directory == NULL) {
        skip();
    }
    check_family(directory, "edge", "edge.delim");
}

static const struct {
    fls_checksum checksum;
    size_t size;
    uint8_t frame[16];
    uint64_t of_digits; /* "123456789" */
    uint64_t of_empty;
} golden_frames[] = {
    {FLS_CHECKSUM_NONE, 7, {3, 0, 0, 0, 'a', 'b', 'c'}, 0, 0},
    {FLS_CHECKSUM_CRC16, 9, {3, 0, 0, 0, 0xd6, 0x9d, 'a', 'b', 'c'}, 0x31C3, 0},
    {FLS_CHECKSUM_CRC32, 11, {3, 0, 0, 0, 0xc2, 0x41, 0x24, 0x35, 'a', 'b', 'c'}, 0xCBF43926, 0},
    {FLS_CHECKSUM_XXH3,
     15,
     {3, 0, 0, 0, 0x50, 0x39, 0x2f, 0x89, 0x94, 0x5f, 0xaf, 0x78, 'a', 'b', 'c'},
     UINT64_C(0x72DCB18B67A17DFF),
     UINT64_C(0x2D06800538D394C2)},
};

static void frames_and_check_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_frames / sizeof golden_frames[0]; i++) {
        fls_checksum checksum = golden_frames[i].checksum;
        ref_format format = {checksum, NULL, 0};
        assert_int_equal(fls_checksum_digest(checksum, "123456789", 9), golden_frames[i].of_digits);
        assert_int_equal(fls_checksum_digest(checksum, "", 0), golden_frames[i].of_empty);
        assert_int_equal(ref_digest(&format, "123456789", 9), golden_frames[i].of_digits);
        assert_int_equal(ref_digest(&format, "", 0), golden_frames[i].of_empty);
        byte_buffer written = BYTES_INIT;
        byte_buffer delimited = BYTES_INIT;
        bytes_append(&delimited, golden_frames[0].frame, 7);
        write_stream(checksum, &delimited, &written);
        assert_int_equal(written.size, golden_frames[i].size);
        assert_memory_equal(written.data, golden_frames[i].frame, written.size);
        byte_buffer frame = BYTES_INIT;
        frames_append(&frame, &format, "abc", 3);
        assert_int_equal(frame.size, written.size);
        assert_memory_equal(frame.data, written.data, frame.size);
        uint8_t header[FLS_MAX_HEADER_BYTES];
        size_t size = fls_frame_encode_header(header, 3, fls_checksum_digest(checksum, "abc", 3),
                                              fls_checksum_width(checksum));
        assert_int_equal(size + 3, frame.size);
        assert_memory_equal(header, frame.data, size);
        bytes_free(&frame);
        bytes_free(&written);
        bytes_free(&delimited);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_and_check_values),
        cmocka_unit_test(committed_streams),
        cmocka_unit_test(telemetry_streams),
        cmocka_unit_test(edge_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
