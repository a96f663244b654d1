/* Sources and sinks on FILE streams, and printing errors. */
#include "flatstream/stdio_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/files.h"
#include "support/testing.h"

static void round_trip(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_source source;
    char text[32] = "";
    size_t got = 0;
    assert_non_null(file);
    assert_status(fls_sink_from_stdio(&sink, file, 0, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "first second", 12, &got, &err), FLS_OK, &err);
    assert_int_equal(got, 12);
    assert_status(fls_sink_flush(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    rewind(file);
    assert_status(fls_source_from_stdio(&source, file, 1, &err), FLS_OK, &err);
    assert_status(fls_source_read_all(&source, text, 6, &got, &err), FLS_OK, &err);
    assert_string_equal(text, "first ");
    assert_status(fls_source_read_all(&source, text, sizeof text, &got, &err), FLS_OK, &err);
    assert_int_equal(got, 6);
    assert_status(fls_source_read_all(&source, text, sizeof text, &got, &err), FLS_END, &err);
    fls_source_close(&source);
    assert_status(fls_sink_from_stdio(&sink, NULL, 1, &err), FLS_INVALID_ARGUMENT, &err);
    assert_status(fls_source_from_stdio(&source, NULL, 1, &err), FLS_INVALID_ARGUMENT, &err);
}

/* Closing a sink on a stream that stays the caller's hands its bytes on. */
static void borrowed_stream_is_flushed(void **state)
{
    (void)state;
    int ends[2];
    char text[8] = "";
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_int_equal(pipe(ends), 0);
    FILE *file = fdopen(ends[1], "w");
    assert_status(fls_sink_from_stdio(&sink, file, 0, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_sink_write_all(&sink, "def", 3, NULL, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_int_equal(read(ends[0], text, sizeof text), 6);
    assert_memory_equal(text, "abcdef", 6);
    fclose(file);
    close(ends[0]);
}

/* What the caller writes to the stream itself keeps its place among what the sink is given. */
static void callers_bytes_keep_their_order(void **state)
{
    (void)state;
    int ends[2];
    char text[32] = "";
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_int_equal(pipe(ends), 0);
    FILE *file = fdopen(ends[1], "w");
    assert_status(fls_sink_from_stdio(&sink, file, 1, &err), FLS_OK, &err);
    assert_true(fputs("one ", file) >= 0);
    assert_status(fls_sink_write_all(&sink, "two ", 4, NULL, &err), FLS_OK, &err);
    assert_true(fputs("three ", file) >= 0);
    assert_status(fls_sink_write_all(&sink, "four ", 5, NULL, &err), FLS_OK, &err);
    assert_true(fputs("five", file) >= 0);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_int_equal(read(ends[0], text, sizeof text), 23);
    assert_string_equal(text, "one two three four five");
    close(ends[0]);
}

static void full_device_is_told(void **state)
{
    (void)state;
    if (!files_exist("/dev/full")) {
        skip();
    }
    for (int owned = 0; owned < 2; owned++) {
        FILE *file = fopen("/dev/full", "w");
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        size_t written = 9;
        assert_non_null(file);
        assert_status(fls_sink_from_stdio(&sink, file, owned, &err), FLS_OK, &err);
        assert_status(fls_sink_write_all(&sink, "abc", 3, &written, &err), FLS_NO_SPACE, &err);
        assert_int_equal(written, 0);
        assert_int_equal(err.system_errno, ENOSPC);
        assert_status(fls_sink_flush(&sink, &err), FLS_NO_SPACE, &err);
        assert_status(fls_sink_sync(&sink, &err), FLS_NO_SPACE, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_NO_SPACE, &err);
        if (!owned) {
            fclose(file);
        }
    }
}

/* What the caller left in the stream's buffer fails when the sink is closed, if not before. */
static void late_error_is_told(void **state)
{
    (void)state;
    if (!files_exist("/dev/full")) {
        skip();
    }
    for (int owned = 0; owned < 2; owned++) {
        FILE *file = fopen("/dev/full", "w");
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        assert_non_null(file);
        assert_status(fls_sink_from_stdio(&sink, file, owned, &err), FLS_OK, &err);
        assert_true(fputs("late", file) >= 0);
        assert_status(fls_sink_close(&sink, &err), FLS_NO_SPACE, &err);
        assert_int_equal(err.system_errno, ENOSPC);
        if (!owned) {
            fclose(file);
        }
    }
}

/* The default action of SIGPIPE would end this program. */
static void gone_reader_is_no_signal(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        int ends[2];
        int is_socket = round % 2;
        int late = round / 2;
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        assert_int_equal(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
        close(ends[0]);
        FILE *file = fdopen(ends[1], "w");
        assert_status(fls_sink_from_stdio(&sink, file, 1, &err), FLS_OK, &err);
        if (late) {
            assert_true(fputs("late", file) >= 0);
        } else {
            assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_CLOSED, &err);
            assert_int_equal(err.system_errno, EPIPE);
        }
        assert_status(fls_sink_close(&sink, &err), FLS_CLOSED, &err);
    }
}

static void empty_pipe_would_block(void **state)
{
    (void)state;
    int ends[2];
    char text[8];
    size_t got = 0;
    fls_error err = FLS_ERROR_INIT;
    fls_source source;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_source_from_stdio(&source, fdopen(ends[0], "r"), 1, &err), FLS_OK, &err);
    assert_status(fls_source_read_all(&source, text, 8, &got, &err), FLS_WOULD_BLOCK, &err);
    assert_int_equal(got, 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_status(fls_source_read_all(&source, text, 3, &got, &err), FLS_OK, &err);
    assert_memory_equal(text, "abc", 3);
    close(ends[1]);
    assert_status(fls_source_read_all(&source, text, 3, &got, &err), FLS_END, &err);
    fls_source_close(&source);
}

/* A pipe that takes nothing more: a C library would lose what it has buffered. */
static void full_pipe_would_block(void **state)
{
    (void)state;
    enum { SIZE = 400000 };
    int ends[2];
    char *data = malloc(SIZE);
    char *back = malloc(SIZE);
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    size_t at = 0;
    size_t drained = 0;
    for (size_t i = 0; i < SIZE; i++) {
        data[i] = (char)(i * 131 >> 4);
    }
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_sink_from_stdio(&sink, fdopen(ends[1], "w"), 1, &err), FLS_OK, &err);
    fls_status status = FLS_WOULD_BLOCK;
    int blocked = 0;
    while (status == FLS_WOULD_BLOCK) {
        size_t written = 0;
        status = fls_sink_write_all(&sink, data + at, SIZE - at, &written, &err);
        at += written;
        blocked += status == FLS_WOULD_BLOCK;
        ssize_t got = 0;
        while ((got = read(ends[0], back + drained, SIZE - drained)) > 0) {
            drained += (size_t)got;
        }
    }
    assert_status(status, FLS_OK, &err);
    assert_true(blocked > 0);
    assert_int_equal(drained, SIZE);
    assert_memory_equal(back, data, SIZE);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    close(ends[0]);
    free(data);
    free(back);
}

static void stream_on_memory_has_no_descriptor(void **state)
{
    (void)state;
    char memory[16] = "";
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    FILE *file = fmemopen(memory, sizeof memory, "w");
    assert_non_null(file);
    assert_status(fls_sink_from_stdio(&sink, file, 1, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_string_equal(memory, "abc");
}

static void error_is_one_line(void **state)
{
    (void)state;
    char printed[600] = "";
    fls_error err = FLS_ERROR_INIT;
    FILE *file = fmemopen(printed, sizeof printed, "w");
    assert_non_null(file);
    fls_error_print(file, &err);
    fflush(file);
    assert_string_equal(printed, "");
    (void)fls_error_set(&err, FLS_IO, 0, "two\nlines and an \x1b[31mescape");
    fls_error_print(file, &err);
    fclose(file);
    assert_int_equal(strncmp(printed, "flatstream: ", 12), 0);
    assert_non_null(strstr(printed, "two?lines and an ?[31mescape"));
    assert_ptr_equal(strchr(printed, '\n'), printed + strlen(printed) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(borrowed_stream_is_flushed),
        cmocka_unit_test(callers_bytes_keep_their_order),
        cmocka_unit_test(full_device_is_told),
        cmocka_unit_test(late_error_is_told),
        cmocka_unit_test(gone_reader_is_no_signal),
        cmocka_unit_test(empty_pipe_would_block),
        cmocka_unit_test(full_pipe_would_block),
        cmocka_unit_test(stream_on_memory_has_no_descriptor),
        cmocka_unit_test(error_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
