/* Writers that are killed: at any moment by SIGKILL, and at an exact byte in the middle of a write.
 * Whatever they had flushed is there, what was torn is cut and kept, the next writer goes on, and
 * in the end the file is one sound stream with every message in its place. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/files.h"
#include "support/frames.h"
#include "support/testing.h"

#define ROUNDS   24
#define NO_LIMIT UINT64_MAX

static char directory[256];

/* Message i is always the same FlatBuffer. */
static void payload_of(uint64_t i, byte_buffer *payload)
{
    prng random = prng_seeded(i);
    frames_flatbuffer(payload, &random, (size_t)prng_below(&random, i % 20 == 3 ? 9000 : 400));
}

/* The process that is killed: writes from message `first` on and says after each flush, by one byte
 * on a pipe, that ten more are out. Ends only by being killed, or after many messages. */
static void write_until_killed(const char *path, fls_checksum checksum, uint64_t first, int tell)
{
    fls_writer *writer;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    options.buffer_bytes = 2000;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    if (fls_writer_open_append(&writer, path, &options, &report, NULL) != FLS_OK ||
        report.frames != first) {
        _exit(3);
    }
    byte_buffer payload = BYTES_INIT;
    for (uint64_t i = first; i < first + 4000; i++) {
        payload_of(i, &payload);
        if (fls_writer_write(writer, payload.data, payload.size, NULL) != FLS_OK) {
            _exit(4);
        }
        if ((i - first) % 10 == 9 &&
            (fls_writer_flush(writer, NULL) != FLS_OK || write(tell, "", 1) != 1)) {
            _exit(5);
        }
    }
    if (fls_writer_close(writer, NULL) != FLS_OK) {
        _exit(6);
    }
    _exit(0);
}

/* Starts a writer and ends it: after `tokens` flushes by SIGKILL, or where the file reaches `limit`
 * bytes by the signal that the system has for that. Returns how many flushes were told. */
static uint64_t run_and_kill(const char *path, fls_checksum checksum, uint64_t first,
                             uint64_t tokens, uint64_t limit)
{
    int told[2];
    assert_int_equal(pipe(told), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        if (limit != NO_LIMIT) {
            struct rlimit most = {(rlim_t)limit, (rlim_t)limit};
            (void)setrlimit(RLIMIT_FSIZE, &most);
        }
        close(told[0]);
        write_until_killed(path, checksum, first, told[1]);
    }
    close(told[1]);
    uint64_t flushes = 0;
    char byte;
    while ((limit != NO_LIMIT || flushes < tokens) && read(told[0], &byte, 1) == 1) {
        flushes++;
    }
    if (limit == NO_LIMIT) {
        assert_int_equal(kill(child, SIGKILL), 0);
    }
    while (read(told[0], &byte, 1) == 1) { /* what it said before it died counts too */
        flushes++;
    }
    close(told[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0); /* it was done before the signal came */
    } else {
        assert_int_equal(WTERMSIG(status), limit == NO_LIMIT ? SIGKILL : SIGXFSZ);
    }
    return flushes;
}

/* Cuts what was torn; returns how many messages are sound. */
static uint64_t recover(const char *path, fls_checksum checksum, int round)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    options.checksum = checksum;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_error err = FLS_ERROR_INIT;
    uint64_t before = files_size(path);
    assert_status(fls_recover_truncate(path, &options, &report, &err), FLS_OK, &err);
    if (report.end != FLS_STREAM_CLEAN && report.end != FLS_STREAM_TORN_TAIL) {
        fail_msg("round %d: %s", round, fls_stream_end_name(report.end));
    }
    assert_int_equal(files_size(path), report.last_good_offset);
    if (report.cut_suffix[0] != '\0') {
        char kept[400];
        snprintf(kept, sizeof kept, "%s%s", path, report.cut_suffix);
        assert_int_equal(files_size(path) + files_size(kept), before);
        assert_int_equal(unlink(kept), 0);
    }
    return report.frames;
}

static void expect_whole_stream(const char *path, fls_checksum checksum, uint64_t count)
{
    fls_reader *reader;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_reader_open_file(&reader, path, &options, &err), FLS_OK, &err);
    byte_buffer payload = BYTES_INIT;
    fls_message message;
    for (uint64_t i = 0; i < count; i++) {
        assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
        payload_of(i, &payload);
        assert_int_equal(message.size, payload.size);
        assert_memory_equal(message.payload, payload.data, payload.size);
    }
    assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
    fls_reader_close(reader);
    bytes_free(&payload);
}

/* Rounds of killing on one file. exactly: at a byte, else at a moment. */
static void kill_again_and_again(fls_checksum checksum, int exactly)
{
    const char *path = files_join(directory, "killed.fls");
    files_write(path, "", 0);
    prng random = prng_seeded((uint64_t)checksum);
    uint64_t sound = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t limit =
            exactly ? files_size(path) + 1 + prng_below(&random, 20000) : (uint64_t)NO_LIMIT;
        uint64_t flushes = run_and_kill(path, checksum, sound, 1 + prng_below(&random, 20), limit);
        if (exactly) {
            assert_true(files_size(path) <= limit);
        }
        uint64_t now = recover(path, checksum, round);
        assert_true(now >= sound + 10 * flushes);
        assert_true(now <= sound + 10 * flushes + 4000);
        sound = now;
    }
    expect_whole_stream(path, checksum, sound);
}

static void at_any_moment(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        kill_again_and_again(frames_checksums[c], 0);
    }
}

static void at_an_exact_byte(void **state)
{
    (void)state;
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        kill_again_and_again(frames_checksums[c], 1);
    }
}

/* A file that appears whole does not appear when its writer is killed, and the old one stays. */
static void nothing_appears_by_halves(void **state)
{
    (void)state;
    const char *path = files_join(directory, "atomic.fls");
    for (int existed = 0; existed < 2; existed++) {
        if (existed) {
            files_write(path, "old", 3);
        }
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            fls_sink sink;
            fls_writer *writer;
            uint8_t payload[1000] = {1};
            if (fls_sink_open_file_atomic(&sink, path, 1, NULL) != FLS_OK ||
                fls_writer_open(&writer, sink, NULL, NULL) != FLS_OK ||
                fls_writer_write(writer, payload, sizeof payload, NULL) != FLS_OK ||
                fls_writer_sync(writer, NULL) != FLS_OK) {
                _exit(3);
            }
            raise(SIGKILL);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(files_exist(path), existed);
        if (existed) {
            assert_int_equal(files_size(path), 3);
        }
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
        cmocka_unit_test(at_any_moment),
        cmocka_unit_test(at_an_exact_byte),
        cmocka_unit_test(nothing_appears_by_halves),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
