/* Two processes and a socket between them: a writer that is always ahead of its reader, which takes
 * a few bytes at a time out of small socket buffers. Blocking and not, TCP, Unix and a pipe; a
 * writer that dies in the middle of a frame; a reader that goes away. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/frames.h"
#include "support/testing.h"

#define MESSAGES 1500u

static size_t size_of(uint64_t i)
{
    return 1 + (size_t)(i * 7919 % (i % 100 == 7 ? 40000 : 300));
}

static const uint8_t *payload_of(uint64_t i)
{
    static uint8_t payload[40960];
    prng random = prng_seeded(i);
    prng_fill(&random, payload, size_of(i));
    return payload;
}

/* Repeats what would block until the descriptor takes more. */
static fls_status until_taken(fls_writer *writer, fls_status status, int fd)
{
    while (status == FLS_WOULD_BLOCK) {
        struct pollfd wait = {fd, POLLOUT, 0};
        if (poll(&wait, 1, -1) < 0) {
            return FLS_IO;
        }
        status = fls_writer_flush(writer, NULL);
    }
    return status;
}

/* The writing process. Returns its exit code: the status it ended with. */
static int write_all(int fd, fls_checksum checksum)
{
    fls_sink sink;
    fls_writer *writer;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = 3000;
    fls_status status = fls_sink_from_fd(&sink, fd, 1, NULL);
    if (status != FLS_OK || fls_writer_open(&writer, sink, &options, NULL) != FLS_OK) {
        return 255;
    }
    for (uint64_t i = 0; status == FLS_OK && i < MESSAGES; i++) {
        do {
            status = fls_writer_write(writer, payload_of(i), size_of(i), NULL);
            if (status == FLS_WOULD_BLOCK) {
                fls_status flushed = until_taken(writer, status, fd);
                status = flushed == FLS_OK ? FLS_WOULD_BLOCK : flushed;
            }
        } while (status == FLS_WOULD_BLOCK);
        if (status == FLS_OK && i % 50 == 49) {
            status = until_taken(writer, fls_writer_flush(writer, NULL), fd);
        }
    }
    if (status == FLS_OK) {
        status = until_taken(writer, fls_writer_flush(writer, NULL), fd);
    }
    fls_status closed = fls_writer_close(writer, NULL);
    return status == FLS_OK ? (int)closed : (int)status;
}

/* A source that takes 1 to 97 bytes at a time out of a descriptor. */
typedef struct slow_source {
    int fd;
    prng random;
} slow_source;

static fls_status read_slowly(void *self_pointer, void *buffer, size_t capacity, size_t *got,
                              fls_error *err)
{
    slow_source *self = self_pointer;
    size_t most = 1 + (size_t)prng_below(&self->random, 97);
    ssize_t count = read(self->fd, buffer, most < capacity ? most : capacity);
    *got = count > 0 ? (size_t)count : 0;
    if (count < 0) {
        return fls_error_set(err, FLS_IO, 0, "read failed");
    }
    return count == 0 ? FLS_END : FLS_OK;
}

static fls_reader *open_slow_reader(slow_source *slow, int fd, fls_checksum checksum)
{
    fls_source source;
    fls_reader *reader = NULL;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = 500;
    slow->fd = fd;
    slow->random = prng_seeded(1);
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_source_from_function(&source, read_slowly, slow, &err), FLS_OK, &err);
    assert_status(fls_reader_open(&reader, source, &options, &err), FLS_OK, &err);
    return reader;
}

static void expect_message(const fls_message *message, uint64_t i)
{
    assert_int_equal(message->ordinal, i);
    assert_int_equal(message->size, size_of(i));
    assert_memory_equal(message->payload, payload_of(i), message->size);
}

static void expect_all(int fd, fls_checksum checksum)
{
    slow_source slow;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_reader *reader = open_slow_reader(&slow, fd, checksum);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
        expect_message(&message, i);
    }
    assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
    fls_reader_close(reader);
    close(fd);
}

static int exit_code_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status)) {
        fail_msg("the writer was ended by signal %d", WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

/* The writer's side only: a tiny window on the other makes TCP wait for its own timers. */
static void shrink_buffer(int fd)
{
    int bytes = 2048;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static void make_ends(int kind, int ends[2])
{
    if (kind == 0) {
        assert_int_equal(pipe(ends), 0);
        (void)fcntl(ends[1], F_SETPIPE_SZ, 4096);
        return;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    shrink_buffer(ends[1]);
}

static void a_slow_reader_gets_everything(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        fls_checksum checksum = frames_checksums[kind];
        int ends[2];
        make_ends(kind % 2, ends);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            if (kind >= 2 && fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
                _exit(254);
            }
            _exit(write_all(ends[1], checksum));
        }
        close(ends[1]);
        expect_all(ends[0], checksum);
        assert_int_equal(exit_code_of(child), FLS_OK);
    }
}

/* By name, as two programs would. */
static void over_endpoints(void **state)
{
    (void)state;
    char directory[200];
    char unix_endpoint[256];
    files_make_directory(directory, sizeof directory);
    snprintf(unix_endpoint, sizeof unix_endpoint, "unix:%s/s", directory);
    const char *const endpoints[] = {"tcp://127.0.0.1:0", unix_endpoint};
    for (int kind = 0; kind < 2; kind++) {
        int listener;
        char bound[256];
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_socket_listen(endpoints[kind], &listener, &err), FLS_OK, &err);
        assert_status(fls_socket_endpoint(listener, bound, sizeof bound, &err), FLS_OK, &err);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int fd;
            if (fls_socket_connect(bound, 10000, &fd, NULL) != FLS_OK) {
                _exit(253);
            }
            shrink_buffer(fd);
            _exit(write_all(fd, FLS_CHECKSUM_XXH3));
        }
        int fd;
        assert_status(fls_socket_accept(listener, &fd, NULL, 0, &err), FLS_OK, &err);
        expect_all(fd, FLS_CHECKSUM_XXH3);
        assert_int_equal(exit_code_of(child), FLS_OK);
        fls_socket_close(listener);
    }
    files_remove_directory(directory);
}

/* The writer is killed after it wrote half of its last frame: the reader gives every whole message,
 * then an unexpected end. */
static void a_writer_that_dies(void **state)
{
    (void)state;
    ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    int ends[2];
    make_ends(1, ends);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        byte_buffer stream = BYTES_INIT;
        for (uint64_t i = 0; i < 100; i++) {
            frames_append(&stream, &format, payload_of(i), size_of(i));
        }
        stream.size -= size_of(99) / 2 + 1;
        for (size_t at = 0; at < stream.size;) {
            ssize_t count = write(ends[1], stream.data + at, stream.size - at);
            at += count > 0 ? (size_t)count : 0;
        }
        raise(SIGKILL);
    }
    close(ends[1]);
    slow_source slow;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_reader *reader = open_slow_reader(&slow, ends[0], FLS_CHECKSUM_XXH3);
    for (uint64_t i = 0; i < 99; i++) {
        assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
        expect_message(&message, i);
    }
    assert_status(fls_reader_next(reader, &message, &err), FLS_UNEXPECTED_EOF, &err);
    assert_int_equal(err.ordinal, 99);
    fls_reader_close(reader);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The reader goes away: the writer is told, and no signal ends it. */
static void a_reader_that_goes_away(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int ends[2];
        make_ends(kind, ends);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            _exit(write_all(ends[1], FLS_CHECKSUM_NONE));
        }
        close(ends[1]);
        char some[100];
        assert_true(read(ends[0], some, sizeof some) > 0);
        close(ends[0]);
        assert_int_equal(exit_code_of(child), FLS_CLOSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_gets_everything),
        cmocka_unit_test(over_endpoints),
        cmocka_unit_test(a_writer_that_dies),
        cmocka_unit_test(a_reader_that_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
