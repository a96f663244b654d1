/* Writers and recovery over sinks and sources that take and give in pieces, would block, and fail
 * with EIO, a full disk or a short write at every single call. What reached the sink is always a
 * prefix of the right stream, and nothing follows a torn frame. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/faulty_io.h"
#include "support/testing.h"

#define MESSAGES 60u

static size_t size_of(uint64_t i)
{
    static const size_t sizes[] = {1, 30, 100, 7, 450, 2000, 64, 12};
    return sizes[i % 8] + (size_t)i;
}

static const uint8_t *payload_of(uint64_t i)
{
    static uint8_t payload[4096];
    prng random = prng_seeded(i);
    prng_fill(&random, payload, size_of(i));
    return payload;
}

static byte_buffer right_stream(const ref_format *format)
{
    byte_buffer stream = BYTES_INIT;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        frames_append(&stream, format, payload_of(i), size_of(i));
    }
    return stream;
}

/* One operation of the script: every fifth message is flushed, every eleventh synced. */
static fls_status write_one(fls_writer *writer, uint64_t i, fls_error *err)
{
    const uint8_t *payload = payload_of(i);
    size_t size = size_of(i);
    fls_span spans[3] = {
        {payload, size / 3}, {payload + size / 3, 0}, {payload + size / 3, size - size / 3}};
    return i % 4 == 3 ? fls_writer_writev(writer, spans, 3, err)
                      : fls_writer_write(writer, payload, size, err);
}

static fls_status after_one(fls_writer *writer, uint64_t i, fls_error *err)
{
    if (i % 11 == 10) {
        return fls_writer_sync(writer, err);
    }
    return i % 5 == 4 ? fls_writer_flush(writer, err) : FLS_OK;
}

static fls_writer *open_on(faulty_sink *storage, const faulty_plan *plan, fls_checksum checksum,
                           size_t buffer_bytes, uint64_t seed)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = buffer_bytes;
    fls_writer *writer = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_writer_open(&writer, faulty_sink_init(storage, plan, seed), &options, &err),
                  FLS_OK, &err);
    return writer;
}

static void expect_prefix(const byte_buffer *whole, const byte_buffer *taken)
{
    assert_true(taken->size <= whole->size);
    assert_memory_equal(taken->data, whole->data, taken->size);
}

/* Whatever is in the sink can be recovered and gone on with. */
static void expect_recoverable(const ref_format *format, const byte_buffer *taken)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = format->checksum;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_recover_memory(taken->data, taken->size, &options, &report, &err), FLS_OK,
                  &err);
    assert_true(report.end == FLS_STREAM_CLEAN || report.end == FLS_STREAM_TORN_TAIL);
}

/* After the first failure the writer says the same of everything and offers the sink no more. */
static void expect_sticky(fls_writer *writer, faulty_sink *storage, const fls_error *first)
{
    fls_error err = FLS_ERROR_INIT;
    size_t taken = storage->taken.size;
    assert_status(fls_writer_write(writer, "abc", 3, &err), first->status, &err);
    assert_int_equal(err.system_errno, first->system_errno);
    fls_span span = {"abc", 3};
    assert_status(fls_writer_writev(writer, &span, 1, &err), first->status, &err);
    assert_status(fls_writer_flush(writer, &err), first->status, &err);
    assert_status(fls_writer_sync(writer, &err), first->status, &err);
    assert_status(fls_writer_close(writer, &err), first->status, &err);
    assert_int_equal(err.system_errno, first->system_errno);
    assert_int_equal(storage->taken.size, taken);
    assert_int_equal(storage->writes_after_fault, 0);
    assert_int_equal(storage->closed + storage->aborted, 1);
}

/* Runs the script on a sink with a plan. Returns whether anything failed. */
static int run_script(const faulty_plan *plan, fls_checksum checksum, size_t buffer_bytes,
                      uint64_t seed)
{
    ref_format format = {checksum, NULL, 0};
    byte_buffer whole = right_stream(&format);
    faulty_sink storage;
    fls_writer *writer = open_on(&storage, plan, checksum, buffer_bytes, seed);
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    for (uint64_t i = 0; i < MESSAGES && status == FLS_OK; i++) {
        status = write_one(writer, i, &err);
        status = status == FLS_OK ? after_one(writer, i, &err) : status;
        expect_prefix(&whole, &storage.taken);
    }
    int failed = status != FLS_OK;
    if (failed) {
        assert_int_equal(fls_status_class_of(status), FLS_CLASS_SYSTEM);
        assert_int_equal(err.status, status);
        expect_sticky(writer, &storage, &err);
    } else {
        status = fls_writer_close(writer, &err);
        failed = status != FLS_OK;
        assert_int_equal(storage.closed + storage.aborted, 1);
        if (storage.taken.size < whole.size) {
            assert_true(failed);
        }
    }
    if (failed) {
        fls_status wanted = plan->space != 0 ? FLS_NO_SPACE : plan->fail_status;
        assert_status(status, wanted, &err);
    }
    expect_prefix(&whole, &storage.taken);
    expect_recoverable(&format, &storage.taken);
    bytes_free(&whole);
    faulty_sink_fini(&storage);
    return failed;
}

static void a_failure_at_every_call(void **state)
{
    (void)state;
    static const struct {
        fls_status status;
        int number;
        size_t takes;
    } faults[] = {{FLS_IO, EIO, 0},
                  {FLS_IO, EIO, 1},
                  {FLS_NO_SPACE, ENOSPC, 0},
                  {FLS_NO_SPACE, ENOSPC, 333},
                  {FLS_CLOSED, EPIPE, 17}};
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
            for (uint64_t call = 0;; call++) {
                faulty_plan plan = FAULTY_PLAN_INIT;
                plan.fail_call = call;
                plan.fail_status = faults[f].status;
                plan.fail_errno = faults[f].number;
                plan.fail_takes = faults[f].takes;
                plan.max_piece = f % 2 == 0 ? 0 : 900;
                plan.without_writev = (int)(call & 1);
                if (!run_script(&plan, frames_checksums[c], 1000, 5)) {
                    assert_true(call > 20);
                    break;
                }
            }
        }
    }
}

static void a_disk_that_fills_up_at_every_byte(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_CRC32, NULL, 0};
    byte_buffer whole = right_stream(&format);
    for (size_t space = 1; space < whole.size; space += 1 + space / 64) {
        faulty_plan plan = FAULTY_PLAN_INIT;
        plan.space = space;
        assert_true(run_script(&plan, FLS_CHECKSUM_CRC32, 300, space));
    }
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.space = whole.size;
    assert_false(run_script(&plan, FLS_CHECKSUM_CRC32, 300, 1));
    bytes_free(&whole);
}

/* Pieces of any size down to one byte, and sinks that would block: the same bytes in the end, and
 * nothing counted as written that was not taken. */
static void pieces_and_blocking(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        ref_format format = {frames_checksums[seed % FRAMES_CHECKSUMS], NULL, 0};
        byte_buffer whole = right_stream(&format);
        faulty_plan plan = FAULTY_PLAN_INIT;
        static const size_t pieces[] = {1, 2, 7, 100, 3000};
        plan.max_piece = pieces[seed % 5];
        plan.block_one_in = (uint32_t)(seed % 3) * 2;
        plan.without_writev = (int)(seed / 3 % 2);
        static const size_t buffers[] = {1, 50, 700, 5000, 0};
        faulty_sink storage;
        fls_writer *writer = open_on(&storage, &plan, format.checksum, buffers[seed / 5 % 5], seed);
        fls_error err = FLS_ERROR_INIT;
        fls_status status;
        for (uint64_t i = 0; i < MESSAGES; i++) {
            uint64_t offset = fls_writer_offset(writer);
            while ((status = write_one(writer, i, &err)) == FLS_WOULD_BLOCK) {
                assert_int_equal(fls_writer_offset(writer), offset);
                assert_int_equal(fls_writer_messages(writer), i);
                status = fls_writer_flush(writer, &err);
                assert_true(status == FLS_OK || status == FLS_WOULD_BLOCK);
            }
            assert_status(status, FLS_OK, &err);
            assert_int_equal(fls_writer_messages(writer), i + 1);
            do {
                status = after_one(writer, i, &err);
            } while (status == FLS_WOULD_BLOCK);
            assert_status(status, FLS_OK, &err);
            if (i % 5 == 4) {
                assert_int_equal(storage.taken.size, fls_writer_offset(writer));
            }
            expect_prefix(&whole, &storage.taken);
        }
        while ((status = fls_writer_close(writer, &err)) == FLS_WOULD_BLOCK) {
        }
        assert_status(status, FLS_OK, &err);
        assert_int_equal(storage.taken.size, whole.size);
        expect_prefix(&whole, &storage.taken);
        assert_int_equal(storage.closed, 1);
        bytes_free(&whole);
        faulty_sink_fini(&storage);
    }
}

/* A source that fails is never mistaken for a stream that ends: recovery says so, at every call. */
static void recovery_over_a_failing_source(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer stream = right_stream(&format);
        bytes_append(&stream, "\x00\x50\x00\x00 a message that was torn", 28);
        for (int without_random = 0; without_random < 2; without_random++) {
            for (uint64_t call = 0;; call++) {
                faulty_plan plan = FAULTY_PLAN_INIT;
                plan.fail_call = call;
                plan.fails_on = (int)(call & 1);
                plan.fail_status = FLS_IO;
                plan.fail_errno = EIO;
                plan.max_piece = 3000;
                plan.without_random = without_random;
                faulty_source storage;
                fls_source source =
                    faulty_source_init(&storage, &plan, stream.data, stream.size, call);
                fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
                options.checksum = format.checksum;
                fls_recover_report report = FLS_RECOVER_REPORT_INIT;
                fls_error err = FLS_ERROR_INIT;
                fls_status status = fls_recover(&source, &options, &report, &err);
                if (storage.calls <= call) {
                    assert_status(status, FLS_OK, &err);
                    assert_int_equal(report.end, FLS_STREAM_TORN_TAIL);
                    assert_true(call > 3);
                    break;
                }
                assert_status(status, FLS_IO, &err);
                assert_int_equal(err.system_errno, EIO);
            }
        }
        bytes_free(&stream);
    }
}

static void the_full_device(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0) {
        print_message("skipped: no /dev/full here\n");
        skip();
    }
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_sink_from_fd(&sink, fd, 1, &err), FLS_OK, &err);
    fls_writer *writer;
    assert_status(fls_writer_open(&writer, sink, NULL, &err), FLS_OK, &err);
    assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
    assert_status(fls_writer_flush(writer, &err), FLS_NO_SPACE, &err);
    assert_int_equal(err.system_errno, ENOSPC);
    assert_status(fls_writer_close(writer, &err), FLS_NO_SPACE, &err);
}

/* A peer that went away is an error, not a signal. */
static void a_closed_peer(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int ends[2];
        assert_int_equal(kind == 0 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
        close(ends[0]);
        fls_sink sink;
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_sink_from_fd(&sink, ends[1], 1, &err), FLS_OK, &err);
        fls_writer *writer;
        assert_status(fls_writer_open(&writer, sink, NULL, &err), FLS_OK, &err);
        assert_status(fls_writer_write(writer, "abc", 3, &err), FLS_OK, &err);
        assert_status(fls_writer_flush(writer, &err), FLS_CLOSED, &err);
        assert_status(fls_writer_close(writer, &err), FLS_CLOSED, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_at_every_call),
        cmocka_unit_test(a_disk_that_fills_up_at_every_byte),
        cmocka_unit_test(pieces_and_blocking),
        cmocka_unit_test(recovery_over_a_failing_source),
        cmocka_unit_test(the_full_device),
        cmocka_unit_test(a_closed_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
