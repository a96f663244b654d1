/* Recovery's report and cutting, case by case: the four ends, the zero tail that begins on a
 * 512-byte boundary, proof behind a fault, what is kept and what is left alone. */
#include "flatstream/recover.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/table_root.h"
#include "flatstream/writer.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static fls_recover_options with(fls_checksum checksum)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

static fls_recover_report recover(const byte_buffer *stream, fls_checksum checksum)
{
    fls_recover_options options = with(checksum);
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    memset(&report.end, 0xEE, sizeof report - offsetof(fls_recover_report, end));
    assert_status(fls_recover_memory(stream->data, stream->size, &options, &report, &err), FLS_OK,
                  &err);
    return report;
}

static void expect_end(const byte_buffer *stream, fls_checksum checksum, fls_stream_end end,
                       size_t frames, size_t last_good)
{
    fls_recover_report report = recover(stream, checksum);
    if (report.end != end || report.frames != frames || report.last_good_offset != last_good) {
        fail_msg("%s: %s after %llu frames at %llu, not %s after %zu at %zu (%s)",
                 fls_checksum_name(checksum), fls_stream_end_name(report.end),
                 (unsigned long long)report.frames, (unsigned long long)report.last_good_offset,
                 fls_stream_end_name(end), frames, last_good, report.fault.text);
    }
    assert_int_equal(report.checksum, checksum);
    assert_int_equal(report.stream_bytes, stream->size);
    assert_int_equal(report.truncated_bytes, 0);
    assert_string_equal(report.cut_suffix, "");
    assert_int_equal(report.fault.status == FLS_OK, end == FLS_STREAM_CLEAN);
    if (end != FLS_STREAM_CLEAN) {
        assert_int_equal(report.fault.offset, last_good);
        assert_int_equal(report.fault.ordinal, frames);
    }
}

/* Frames of FlatBuffers up to at least size bytes, and not much more. */
static size_t fill_to(byte_buffer *stream, const ref_format *format, size_t size)
{
    prng random = prng_seeded(size);
    size_t frames = 0;
    for (; stream->size < size; frames++) {
        frames_append_flatbuffers(stream, format, &random, 1, 20);
    }
    return frames;
}

static void the_four_ends(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        expect_end(&stream, format.checksum, FLS_STREAM_CLEAN, 0, 0);
        size_t frames = fill_to(&stream, &format, 400);
        size_t sound = stream.size;
        expect_end(&stream, format.checksum, FLS_STREAM_CLEAN, frames, sound);
        bytes_append(&stream, "\x40\0\0\0half a message", 18);
        expect_end(&stream, format.checksum, FLS_STREAM_TORN_TAIL, frames, sound);
        stream.size = sound;
        bytes_append_zeros(&stream, 16);
        expect_end(&stream, format.checksum, FLS_STREAM_ZERO_TAIL, frames, sound);
        stream.size = sound;
        bytes_append(&stream, "\xff\xff\xff\xff", 4);
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, sound);
        bytes_free(&stream);
    }
}

static void names_of_the_ends(void **state)
{
    (void)state;
    assert_string_equal(fls_stream_end_name(FLS_STREAM_CLEAN), "clean");
    assert_string_equal(fls_stream_end_name(FLS_STREAM_TORN_TAIL), "torn_tail");
    assert_string_equal(fls_stream_end_name(FLS_STREAM_ZERO_TAIL), "zero_tail");
    assert_string_equal(fls_stream_end_name(FLS_STREAM_DAMAGED), "damaged");
    assert_non_null(fls_stream_end_name((fls_stream_end)99));
}

/* A frame of size bytes of payload is started at offset `at`; from the boundary on all is zero, up
 * to total bytes. */
static void sector_case(byte_buffer *stream, const ref_format *format, size_t at, size_t payload,
                        size_t boundary, size_t total, size_t *frames, size_t *last_good)
{
    bytes_clear(stream);
    *frames = fill_to(stream, format, at);
    *last_good = stream->size;
    prng random = prng_seeded(1);
    frames_append_random(stream, format, &random, payload);
    stream->size = boundary < stream->size ? boundary : stream->size;
    bytes_append_zeros(stream, total - stream->size);
}

static void zeros_from_a_sector(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        size_t frames;
        size_t last_good;
        /* The frame is whole by its length, and wrong. */
        sector_case(&stream, &format, 400, 300, 512, 4096, &frames, &last_good);
        expect_end(&stream, format.checksum, FLS_STREAM_ZERO_TAIL, frames, last_good);
        /* It is incomplete. */
        sector_case(&stream, &format, 400, 9000, 1024, 4096, &frames, &last_good);
        expect_end(&stream, format.checksum, FLS_STREAM_ZERO_TAIL, frames, last_good);
        /* One zero byte beyond the boundary is enough. */
        sector_case(&stream, &format, 400, 3000, 1536, 1537, &frames, &last_good);
        expect_end(&stream, format.checksum, FLS_STREAM_ZERO_TAIL, frames, last_good);
        /* Zeros that begin one byte behind the boundary only: a mismatch is damage. */
        sector_case(&stream, &format, 400, 300, 512, 4096, &frames, &last_good);
        stream.data[512] = 1;
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, last_good);
        /* The last byte of all is not zero. */
        stream.data[512] = 0;
        stream.data[4095] = 1;
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, last_good);
        /* The zeros begin on a boundary that is not in the frame, which is wrong and shorter. */
        sector_case(&stream, &format, 520, 100, 4096, 1024, &frames, &last_good);
        stream.data[last_good + 30] ^= 1;
        memset(stream.data + last_good + 4 + ref_width(&format) + 100, 0,
               1024 - (last_good + 4 + ref_width(&format) + 100));
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, last_good);
        bytes_free(&stream);
    }
}

/* The same zeros, but a sound frame lies between the faulty frame's start and them: its length was
 * hit, and what follows must not be cut. */
static void a_sound_frame_before_the_zeros(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        size_t frames = fill_to(&stream, &format, 300);
        size_t hit = stream.size;
        fill_to(&stream, &format, 450);
        bytes_append_zeros(&stream, 4096 - stream.size);
        stream.data[hit + 1] ^= 0x02; /* 512 more: into the zeros */
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, hit);
        stream.data[hit + 1] ^= 0x02;
        stream.data[hit + 1] ^= 0x40; /* 16384 more: beyond the end */
        expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, frames, hit);
        fls_recover_report report = recover(&stream, format.checksum);
        assert_int_equal(report.proof_found, 1);
        assert_true(report.proof_offset >= hit);
        bytes_free(&stream);
    }
}

/* A length hit in the middle: the sound frames behind it are proven, wherever the first one is. */
static void lengths_beyond_the_end(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        fill_to(&stream, &format, 1200);
        ref_stream whole = ref_decode(&format, stream.data, stream.size);
        for (size_t i = 0; i + 4 < whole.count; i++) {
            size_t hit = whole.messages[i].offset;
            uint8_t saved[4];
            memcpy(saved, stream.data + hit, 4);
            memcpy(stream.data + hit, "\x12\x34\x56\x78", 4); /* not one bit: no neighbour helps */
            fls_recover_report report = recover(&stream, format.checksum);
            assert_int_equal(report.end, FLS_STREAM_DAMAGED);
            assert_int_equal(report.last_good_offset, hit);
            assert_int_equal(report.fault.status, FLS_UNEXPECTED_EOF);
            assert_int_equal(report.proof_found, 1);
            assert_true(report.proof_offset > hit);
            if (ref_width(&format) >= 4) { /* no chance of another place that looks like a frame */
                assert_int_equal(report.proof_offset, whole.messages[i + 1].offset);
            }
            memcpy(stream.data + hit, saved, 4);
            stream.data[hit + 3] ^= 0x20; /* one bit: the frame itself is the proof */
            report = recover(&stream, format.checksum);
            assert_int_equal(report.end, FLS_STREAM_DAMAGED);
            assert_int_equal(report.proof_found, 1);
            assert_int_equal(report.proof_offset, hit);
            memcpy(stream.data + hit, saved, 4);
        }
        ref_free(&whole);
        bytes_free(&stream);
    }
}

static void expect_neighbour(byte_buffer *stream, fls_checksum checksum, size_t last, unsigned bit)
{
    fls_recover_options options = with(checksum);
    options.max_frame_bytes = UINT32_MAX;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    stream->data[last + bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_status(fls_recover_memory(stream->data, stream->size, &options, &report, NULL), FLS_OK,
                  NULL);
    assert_int_equal(report.end, FLS_STREAM_DAMAGED);
    assert_int_equal(report.fault.status, FLS_UNEXPECTED_EOF);
    assert_int_equal(report.proof_found, 1);
    assert_int_equal(report.proof_offset, last);
    stream->data[last + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Every bit of a length, under the largest limit: where the frame then seems incomplete, the frame
 * as it was is found, the last one of the stream too. */
static void every_neighbour_is_tried(void **state)
{
    (void)state;
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        for (size_t size = 6; size <= 9; size++) {
            ref_format format = {frames_checksums[c], NULL, UINT32_MAX};
            byte_buffer stream = BYTES_INIT;
            frames_append(&stream, &format, "opaque", 6);
            size_t last = stream.size;
            frames_append(&stream, &format, "a message", size);
            for (unsigned bit = 0; bit < 32; bit++) {
                if ((size >> bit & 1) == 0) { /* else it would be shorter */
                    expect_neighbour(&stream, format.checksum, last, bit);
                }
            }
            bytes_free(&stream);
        }
    }
}

/* One opaque frame between a fault and a torn end: eight bytes under 32 bits of checksum are proof,
 * seven are not, and 16 bits never are. */
static void a_lonely_frame(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t size = 7; size <= 8; size++) {
            ref_format format = {frames_checksums[c], NULL, 0};
            byte_buffer stream = BYTES_INIT;
            frames_append(&stream, &format, "before", 6);
            size_t fault = stream.size;
            bytes_append(&stream, "\x12\x34\x56\x78garbage that was a frame", 28);
            frames_append(&stream, &format, "a lonely one", size);
            bytes_append(&stream, "\x99\x99\x11\x22 torn", 9);
            int proven = format.checksum == FLS_CHECKSUM_XXH3 ||
                         (format.checksum == FLS_CHECKSUM_CRC32 && size == 8);
            expect_end(&stream, format.checksum, proven ? FLS_STREAM_DAMAGED : FLS_STREAM_TORN_TAIL,
                       1, fault);
            bytes_free(&stream);
        }
    }
}

/* A large FlatBuffer with its vtable at the very end, as some builders put it. */
static void append_large_flatbuffer(byte_buffer *stream, const ref_format *format, prng *random)
{
    enum { VECTOR_BYTES = 100000 };
    byte_buffer payload = BYTES_INIT;
    bytes_append_le(&payload, 8, 4); /* the table at 8 */
    bytes_append_le(&payload, 0, 4);
    bytes_append_le(&payload, 8 - (uint64_t)(20 + VECTOR_BYTES), 4); /* the vtable lies behind it */
    bytes_append_le(&payload, 4, 4);                                 /* slot 0: the vector at 16 */
    bytes_append_le(&payload, VECTOR_BYTES, 4);
    for (int i = 0; i < VECTOR_BYTES; i += 8) {
        bytes_append_le(&payload, prng_next(random), 8);
    }
    bytes_append_le(&payload, 6, 2); /* the vtable */
    bytes_append_le(&payload, 8, 2);
    bytes_append_le(&payload, 4, 2);
    assert_status(fls_table_root_check(payload.data, payload.size, NULL), FLS_OK, NULL);
    frames_append(stream, format, payload.data, payload.size);
    bytes_free(&payload);
}

/* Long messages are looked for like short ones, from memory and from a file: garbage over the
 * header of the fourth of ten, the last one torn, opaque or not. */
static void long_messages_are_found(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (int rooted = c == 0; rooted < 2; rooted++) {
            ref_format format = {frames_checksums[c], NULL, 0};
            byte_buffer stream = BYTES_INIT;
            prng random = prng_seeded(c);
            size_t hit = 0;
            size_t next = 0;
            for (int i = 0; i < 10; i++) {
                hit = i == 3 ? stream.size : hit;
                next = i == 4 ? stream.size : next;
                if (rooted) {
                    append_large_flatbuffer(&stream, &format, &random);
                } else {
                    frames_append_random(&stream, &format, &random, 100000);
                }
            }
            stream.size -= 70000;
            memcpy(stream.data + hit, "\x12\x34\x56\x78", 4);
            expect_end(&stream, format.checksum, FLS_STREAM_DAMAGED, 3, hit);
            fls_recover_options options = with(format.checksum);
            fls_recover_report report = FLS_RECOVER_REPORT_INIT;
            fls_error err = FLS_ERROR_INIT;
            const char *path = files_join(directory, "long.fls");
            files_write(path, stream.data, stream.size);
            assert_status(fls_recover_file(path, &options, &report, &err), FLS_OK, &err);
            assert_int_equal(report.end, FLS_STREAM_DAMAGED);
            assert_int_equal(report.proof_offset, next);
            bytes_free(&stream);
        }
    }
}

static void the_checksum_may_be_detected(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        size_t frames = fill_to(&stream, &format, 1000);
        fls_recover_options options = with(FLS_CHECKSUM_DETECT);
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_recover_memory(stream.data, stream.size, &options, &report, &err), FLS_OK,
                      &err);
        assert_int_equal(report.checksum, format.checksum);
        assert_int_equal(report.frames, frames);
        assert_int_equal(report.end, FLS_STREAM_CLEAN);
        bytes_free(&stream);
    }
    fls_recover_options options = with(FLS_CHECKSUM_DETECT);
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory("", 0, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.checksum, FLS_CHECKSUM_DETECT);
    assert_int_equal(report.end, FLS_STREAM_CLEAN);
    assert_status(fls_recover_memory("no stream", 9, &options, &report, &err),
                  FLS_CHECKSUM_UNPROVEN, &err);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    fls_recover_options options = with((fls_checksum)99);
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory("", 0, &options, &report, &err), FLS_INVALID_ARGUMENT, &err);
    fls_recover_report unset;
    memset(&unset, 0, sizeof unset);
    assert_status(fls_recover_memory("", 0, NULL, &unset, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_recover_memory("", 0, NULL, &report, NULL), FLS_OK, NULL);
    const char *path = files_join(directory, "missing.fls");
    fls_status status = fls_recover_file(path, NULL, &report, &err);
    assert_int_equal(fls_status_class_of(status), FLS_CLASS_SYSTEM);
    status = fls_recover_truncate(path, NULL, &report, &err);
    assert_int_equal(fls_status_class_of(status), FLS_CLASS_SYSTEM);
    assert_false(files_exist(path));
}

static void limits_are_kept(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    frames_append(&stream, &format, "0123456789", 10);
    frames_append(&stream, &format, "0123456789+", 11);
    fls_recover_options options = with(FLS_CHECKSUM_XXH3);
    options.max_frame_bytes = 10;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(stream.data, stream.size, &options, &report, &err), FLS_OK,
                  &err);
    assert_int_equal(report.end, FLS_STREAM_DAMAGED);
    assert_int_equal(report.frames, 1);
    assert_int_equal(report.payload_bytes, 10);
    assert_int_equal(report.fault.status, FLS_INVALID_FRAME);
    bytes_free(&stream);
}

static void count_progress(void *self, uint64_t bytes)
{
    uint64_t *last = self;
    assert_true(bytes >= *last);
    *last = bytes;
}

static void progress_is_told(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    prng random = prng_seeded(1);
    for (int i = 0; i < 200; i++) {
        frames_append_random(&stream, &format, &random, 100000);
    }
    uint64_t last = 0;
    fls_recover_options options = with(FLS_CHECKSUM_XXH3);
    options.progress = count_progress;
    options.progress_self = &last;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(stream.data, stream.size, &options, &report, &err), FLS_OK,
                  &err);
    assert_true(last > stream.size / 2 && last <= stream.size);
    bytes_free(&stream);
}

/* ---- cutting ---- */

/* The system calls that make things durable, counted: what is cut has to be safe before the file is
 * shortened, and the shortened file before the caller is told. */
static unsigned syncs;
static unsigned syncs_before_cut;

int fsync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
    syncs_before_cut = syncs;
    return (int)syscall(SYS_ftruncate, fd, size);
}

static const char *write_stream(const byte_buffer *stream)
{
    const char *path = files_join(directory, "stream.fls");
    files_write(path, stream->data, stream->size);
    return path;
}

static void expect_file(const char *path, const void *data, size_t size)
{
    byte_buffer now = BYTES_INIT;
    assert_int_equal(files_read(path, &now), 0);
    assert_int_equal(now.size, size);
    if (size > 0) {
        assert_memory_equal(now.data, data, size);
    }
    bytes_free(&now);
}

static void what_is_cut_is_kept(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    size_t frames = fill_to(&stream, &format, 500);
    size_t sound = stream.size;
    bytes_append(&stream, "\x40\0\0\0half a message", 18);
    fls_recover_options options = with(FLS_CHECKSUM_CRC32);
    char wanted[48];
    for (int times = 0; times < 3; times++) { /* the same cut again takes another name */
        const char *path = write_stream(&stream);
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        fls_error err = FLS_ERROR_INIT;
        syncs = 0;
        syncs_before_cut = 0;
        assert_status(fls_recover_truncate(path, &options, &report, &err), FLS_OK, &err);
        assert_true(syncs_before_cut > 0 && syncs > syncs_before_cut);
        assert_int_equal(report.end, FLS_STREAM_TORN_TAIL);
        assert_int_equal(report.frames, frames);
        assert_int_equal(report.truncated_bytes, 18);
        snprintf(wanted, sizeof wanted, times == 0 ? ".cut-%zu" : ".cut-%zu.%d", sound, times);
        assert_string_equal(report.cut_suffix, wanted);
        expect_file(path, stream.data, sound);
        char kept[400];
        snprintf(kept, sizeof kept, "%s%s", path, wanted);
        expect_file(kept, stream.data + sound, 18);
        fls_recover_report again = FLS_RECOVER_REPORT_INIT;
        assert_status(fls_recover_truncate(path, &options, &again, &err), FLS_OK, &err);
        assert_int_equal(again.end, FLS_STREAM_CLEAN);
        assert_int_equal(again.truncated_bytes, 0);
        assert_string_equal(again.cut_suffix, "");
    }
    for (int times = 0; times < 3; times++) {
        char kept[400];
        snprintf(wanted, sizeof wanted, times == 0 ? ".cut-%zu" : ".cut-%zu.%d", sound, times);
        snprintf(kept, sizeof kept, "%s/stream.fls%s", directory, wanted);
        expect_file(kept, stream.data + sound, 18);
        assert_int_equal(unlink(kept), 0);
    }
    bytes_free(&stream);
}

static void what_is_cut_may_be_discarded(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_NONE, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    fill_to(&stream, &format, 500);
    size_t sound = stream.size;
    bytes_append_zeros(&stream, 4096);
    const char *path = write_stream(&stream);
    fls_recover_options options = with(FLS_CHECKSUM_NONE);
    options.discard_cut = 1;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_truncate(path, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.end, FLS_STREAM_ZERO_TAIL);
    assert_int_equal(report.truncated_bytes, 4096);
    assert_string_equal(report.cut_suffix, "");
    expect_file(path, stream.data, sound);
    char kept[400];
    snprintf(kept, sizeof kept, "%s.cut-%zu", path, sound);
    assert_false(files_exist(kept));
    bytes_free(&stream);
}

static void damage_is_left_alone(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    byte_buffer stream = BYTES_INIT;
    fill_to(&stream, &format, 500);
    ref_stream whole = ref_decode(&format, stream.data, stream.size);
    for (int kind = 0; kind < 3; kind++) {
        byte_buffer damaged = BYTES_INIT;
        bytes_append(&damaged, stream.data, stream.size);
        uint8_t *frame = damaged.data + whole.messages[3].offset;
        if (kind == 0) {
            frame[20] ^= 1;
        } else if (kind == 1) {
            memset(frame, 0xff, 4);
        } else {
            frame[2] ^= 1;
        }
        const char *path = write_stream(&damaged);
        fls_recover_report report = FLS_RECOVER_REPORT_INIT;
        fls_error err = FLS_ERROR_INIT;
        static const fls_status wanted[] = {FLS_CHECKSUM_MISMATCH, FLS_INVALID_FRAME,
                                            FLS_UNEXPECTED_EOF};
        assert_status(fls_recover_truncate(path, NULL, &report, &err), wanted[kind], &err);
        assert_int_equal(err.offset, whole.messages[3].offset);
        assert_int_equal(report.end, FLS_STREAM_DAMAGED);
        assert_int_equal(report.truncated_bytes, 0);
        expect_file(path, damaged.data, damaged.size);
        bytes_free(&damaged);
    }
    ref_free(&whole);
    bytes_free(&stream);
}

/* Asked to cut with another checksum than the stream's, nothing is lost. */
static void a_wrong_checksum_cuts_nothing(void **state)
{
    (void)state;
    for (size_t actual = 0; actual < FRAMES_CHECKSUMS; actual++) {
        ref_format format = {frames_checksums[actual], NULL, 0};
        byte_buffer stream = BYTES_INIT;
        fill_to(&stream, &format, 3000);
        for (size_t asked = 0; asked < FRAMES_CHECKSUMS; asked++) {
            if (asked == actual) {
                continue;
            }
            const char *path = write_stream(&stream);
            fls_recover_options options = with(frames_checksums[asked]);
            options.discard_cut = 1;
            fls_recover_report report = FLS_RECOVER_REPORT_INIT;
            fls_error err = FLS_ERROR_INIT;
            fls_status status = fls_recover_truncate(path, &options, &report, &err);
            if (files_size(path) != stream.size) {
                fail_msg("%s taken for %s (%s): cut to %llu of %zu",
                         fls_checksum_name(frames_checksums[actual]),
                         fls_checksum_name(frames_checksums[asked]), fls_status_name(status),
                         (unsigned long long)files_size(path), stream.size);
            }
        }
        bytes_free(&stream);
    }
}

/* While another process writes the file, nothing is cut. */
static void a_locked_file_is_left_alone(void **state)
{
    (void)state;
    byte_buffer stream = BYTES_INIT;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    fill_to(&stream, &format, 100);
    bytes_append(&stream, "torn", 3);
    const char *path = write_stream(&stream);
    int ready[2];
    int go_on[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go_on), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fls_writer *writer;
        fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
        char byte = fls_writer_open_append(&writer, path, &options, NULL, NULL) == FLS_OK;
        ssize_t done = write(ready[1], &byte, 1);
        done += read(go_on[0], &byte, 1);
        _exit(done == 2 ? 0 : 1);
    }
    char opened = 0;
    assert_int_equal(read(ready[0], &opened, 1), 1);
    assert_int_equal(opened, 1);
    uint64_t size = files_size(path);
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_truncate(path, NULL, &report, &err), FLS_LOCKED, &err);
    fls_writer *writer = NULL;
    assert_status(fls_writer_open_append(&writer, path, NULL, NULL, &err), FLS_LOCKED, &err);
    assert_null(writer);
    assert_status(fls_writer_open_file(&writer, path, NULL, &err), FLS_LOCKED, &err);
    assert_int_equal(files_size(path), size);
    assert_status(fls_recover_file(path, NULL, &report, &err), FLS_OK, &err); /* looking is fine */
    assert_int_equal(write(go_on[1], "x", 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ready[0]);
    close(ready[1]);
    close(go_on[0]);
    close(go_on[1]);
    assert_status(fls_recover_truncate(path, NULL, &report, &err), FLS_OK, &err);
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
        cmocka_unit_test(the_four_ends),
        cmocka_unit_test(names_of_the_ends),
        cmocka_unit_test(zeros_from_a_sector),
        cmocka_unit_test(a_sound_frame_before_the_zeros),
        cmocka_unit_test(lengths_beyond_the_end),
        cmocka_unit_test(every_neighbour_is_tried),
        cmocka_unit_test(a_lonely_frame),
        cmocka_unit_test(long_messages_are_found),
        cmocka_unit_test(the_checksum_may_be_detected),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(progress_is_told),
        cmocka_unit_test(what_is_cut_is_kept),
        cmocka_unit_test(what_is_cut_may_be_discarded),
        cmocka_unit_test(damage_is_left_alone),
        cmocka_unit_test(a_wrong_checksum_cuts_nothing),
        cmocka_unit_test(a_locked_file_is_left_alone),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
