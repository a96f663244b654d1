/* A stream cut at every byte, for every checksum: readers and reference agree, recovery says clean,
 * torn_tail or zero_tail and where; cutting the tail keeps everything sound, what is left and what
 * was cut are together the file as it was, and appending goes on to the same stream as if nothing
 * had happened. */
#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/readers.h"
#include "support/testing.h"

static char directory[256];

/* FlatBuffers, as they are meant to be. */
static void flatbuffer_stream(byte_buffer *stream, const ref_format *format)
{
    prng random = prng_seeded(21);
    frames_append_flatbuffers(stream, format, &random, 9, 60);
}

/* Opaque payloads of any size, some ending in zeros, one long enough for a 512-byte boundary. */
static void opaque_stream(byte_buffer *stream, const ref_format *format)
{
    /* Not all zeros, nor small numbers before them: crc16 holds for a frame of zeros. */
    static const uint8_t zeros[20] = {0xa7, 0xb6, 0xc5, 0xd4};
    prng random = prng_seeded(22);
    frames_append_random(stream, format, &random, 40);
    frames_append(stream, format, zeros, sizeof zeros);
    frames_append_random(stream, format, &random, 600);
    frames_append(stream, format, "x\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
    frames_append_random(stream, format, &random, 3);
}

/* Rule of the zero tail that only recovery knows: the last frame's bytes from a 512-byte boundary
 * in it to the end are all zero. */
static int zeros_from_a_boundary(const ref_stream *cut, const byte_buffer *stream, size_t size)
{
    size_t boundary = (size - 1) / 512 * 512;
    if (cut->end != FLS_UNEXPECTED_EOF || boundary < cut->offset) {
        return 0;
    }
    while (boundary < size && stream->data[boundary] == 0) {
        boundary++;
    }
    return boundary == size;
}

static fls_stream_end end_of(const ref_stream *cut, const byte_buffer *stream, size_t size)
{
    if (cut->end == FLS_END) {
        return FLS_STREAM_CLEAN;
    }
    if (cut->end == FLS_ZERO_TAIL || zeros_from_a_boundary(cut, stream, size)) {
        return FLS_STREAM_ZERO_TAIL;
    }
    assert_status(cut->end, FLS_UNEXPECTED_EOF, NULL);
    return FLS_STREAM_TORN_TAIL;
}

static void check_report(const fls_recover_report *report, const ref_stream *cut,
                         fls_stream_end end, size_t size, uint64_t payload_bytes)
{
    if (report->end != end) {
        fail_msg("cut at %zu ends %s (%s), not %s", size, fls_stream_end_name(report->end),
                 report->fault.text, fls_stream_end_name(end));
    }
    assert_int_equal(report->frames, cut->count);
    assert_int_equal(report->last_good_offset, cut->offset);
    assert_int_equal(report->stream_bytes, size);
    assert_int_equal(report->payload_bytes, payload_bytes);
    assert_int_equal(report->proof_found, 0);
    assert_int_equal(report->fault.status, cut->end == FLS_END ? FLS_OK : cut->end);
}

/* Truncates the file of the first size bytes and checks both halves. */
static void check_cutting(const ref_format *format, const byte_buffer *stream, size_t size,
                          const ref_stream *cut)
{
    const char *path = files_join(directory, "stream.fls");
    files_write(path, stream->data, size);
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = format->checksum;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_truncate(path, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.truncated_bytes, size - cut->offset);
    byte_buffer left = BYTES_INIT;
    assert_int_equal(files_read(path, &left), 0);
    assert_int_equal(left.size, cut->offset);
    assert_memory_equal(left.data, stream->data, left.size);
    if (cut->offset == size) {
        assert_string_equal(report.cut_suffix, "");
    } else {
        char name[400];
        byte_buffer kept = BYTES_INIT;
        snprintf(name, sizeof name, "%s%s", path, report.cut_suffix);
        assert_int_equal(files_read(name, &kept), 0);
        assert_int_equal(left.size + kept.size, size);
        assert_memory_equal(kept.data, stream->data + left.size, kept.size);
        assert_int_equal(remove(name), 0);
        bytes_free(&kept);
    }
    bytes_free(&left);
}

/* Appends the messages that were lost to the (untouched) torn file and expects the whole stream. */
static void check_appending(const ref_format *format, const byte_buffer *stream, size_t size,
                            const ref_stream *whole, const ref_stream *cut)
{
    const char *path = files_join(directory, "append.fls");
    files_write(path, stream->data, size);
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = format->checksum;
    options.allow_empty = 1;
    options.discard_cut = 1;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    fls_writer *writer;
    fls_status status = fls_writer_open_append(&writer, path, &options, &report, &err);
    if (status == FLS_CHECKSUM_UNPROVEN || (status == FLS_CHECKSUM_MISMATCH && cut->count == 0)) {
        assert_true(cut->count <= 2); /* too little is left to tell: nothing may change */
        assert_int_equal(files_size(path), size);
        assert_int_equal(remove(path), 0);
        return;
    }
    assert_status(status, FLS_OK, &err);
    assert_int_equal(report.truncated_bytes, size - cut->offset);
    assert_int_equal(fls_writer_offset(writer), cut->offset);
    for (size_t i = cut->count; i < whole->count; i++) {
        const ref_message *message = &whole->messages[i];
        assert_status(
            fls_writer_write(writer, stream->data + message->payload, message->size, &err), FLS_OK,
            &err);
    }
    assert_status(fls_writer_close(writer, &err), FLS_OK, &err);
    byte_buffer now = BYTES_INIT;
    assert_int_equal(files_read(path, &now), 0);
    assert_int_equal(now.size, stream->size);
    assert_memory_equal(now.data, stream->data, now.size);
    bytes_free(&now);
    assert_int_equal(remove(path), 0);
}

static void check_cut(const ref_format *format, const byte_buffer *stream, const ref_stream *whole,
                      size_t size, prng *random)
{
    readers_case what = {*format, bytes_exact_copy(stream->data, size), size};
    readers_verdict verdict = readers_agree(&what, random);
    if (!verdict.agree) {
        fail_msg("%s cut at %zu: %s", fls_checksum_name(format->checksum), size, verdict.why);
    }
    ref_stream cut = ref_decode(format, what.data, size);
    uint64_t payload_bytes = 0;
    for (size_t i = 0; i < cut.count; i++) {
        payload_bytes += cut.messages[i].size;
    }
    fls_stream_end end = end_of(&cut, stream, size);
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = format->checksum;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(what.data, size, &options, &report, &err), FLS_OK, &err);
    check_report(&report, &cut, end, size, payload_bytes);
    check_cutting(format, stream, size, &cut);
    check_appending(format, stream, size, whole, &cut);
    free((void *)(uintptr_t)what.data);
    ref_free(&cut);
}

static void every_byte(void (*make)(byte_buffer *stream, const ref_format *format))
{
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        make(&stream, &format);
        ref_stream whole = ref_decode(&format, stream.data, stream.size);
        assert_status(whole.end, FLS_END, NULL);
        prng random = prng_seeded(c);
        for (size_t size = 0; size <= stream.size; size++) {
            check_cut(&format, &stream, &whole, size, &random);
        }
        ref_free(&whole);
        bytes_free(&stream);
    }
}

static void flatbuffers_cut_at_every_byte(void **state)
{
    (void)state;
    every_byte(flatbuffer_stream);
}

static void opaque_payloads_cut_at_every_byte(void **state)
{
    (void)state;
    every_byte(opaque_stream);
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
        cmocka_unit_test(flatbuffers_cut_at_every_byte),
        cmocka_unit_test(opaque_payloads_cut_at_every_byte),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
