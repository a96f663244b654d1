/* Every system call below sinks, sources and sockets fails once, at every place where it is made:
 * interrupted, out of space, broken. Also transfers of one byte at a time.
 *
 * The calls in place of the system's count, and the one with the number `fail_at` fails. A scenario
 * runs again and again until no call is left to fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "fake_calls.h"
#include "io/io_file.h"
#include "os/os_calls.h"
#include "os/os_socket.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

/* Scenarios. Each goes from nothing to nothing and returns the first status that is not FLS_OK.
 * What it did with a file is looked at by its check. */

static const char *target(void)
{
    static char path[300];
    (void)snprintf(path, sizeof path, "%s/target", directory);
    return path;
}

static fls_status put_text(fls_sink *sink, const char *text, fls_error *err)
{
    size_t half = strlen(text) / 2;
    const fls_span spans[] = {{text, half}, {text + half, strlen(text) - half}};
    size_t written = 0;
    fls_status status = fls_sink_writev_all(sink, spans, 2, &written, err);
    assert_true(written <= strlen(text));
    return status == FLS_OK ? fls_sink_write_all(sink, "!", 1, NULL, err) : status;
}

static fls_status end_sink(fls_sink *sink, fls_status status, fls_error *err)
{
    if (status == FLS_OK) {
        status = fls_sink_sync(sink, err);
    }
    fls_status closed = fls_sink_close(sink, status == FLS_OK ? err : NULL);
    return status == FLS_OK ? closed : status;
}

static fls_status run_file(fls_error *err)
{
    fls_sink sink;
    (void)unlink(target());
    fls_status status = flsi_sink_open_file(&sink, target(), fake_calls(), err);
    return status == FLS_OK ? end_sink(&sink, put_text(&sink, "new text", err), err) : status;
}

static fls_status run_append(fls_error *err)
{
    flsi_file file;
    fls_sink sink;
    files_write(target(), "new torn", 8);
    fls_status status = flsi_file_open(
        &file, target(), FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK,
        fake_calls(), err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_file_truncate(&file, 4, err);
    if (status == FLS_OK) {
        status = flsi_file_sync(&file, err);
    }
    if (status != FLS_OK) {
        (void)flsi_file_close(&file, NULL);
        return status;
    }
    status = flsi_sink_from_file(&sink, &file, err);
    return status == FLS_OK ? end_sink(&sink, put_text(&sink, "text", err), err) : status;
}

static fls_status run_create(fls_error *err)
{
    flsi_file file;
    fls_sink sink;
    int exists = 0;
    (void)unlink(target());
    fls_status status = flsi_file_create(&file, target(), &exists, fake_calls(), err);
    assert_int_equal(exists, 0);
    if (status == FLS_OK) {
        status = flsi_sink_from_file(&sink, &file, err);
    }
    if (status == FLS_OK) {
        status = end_sink(&sink, put_text(&sink, "new text", err), err);
    }
    return status == FLS_OK ? flsi_directory_sync(target(), fake_calls(), err) : status;
}

static fls_status run_atomic(fls_error *err)
{
    fls_sink sink;
    fls_status status = flsi_sink_open_file_atomic(&sink, target(), 1, fake_calls(), err);
    return status == FLS_OK ? end_sink(&sink, put_text(&sink, "new text", err), err) : status;
}

static fls_status run_atomic_replacing(fls_error *err)
{
    files_write(target(), "old", 3);
    return run_atomic(err);
}

static fls_status run_atomic_new(fls_error *err)
{
    (void)unlink(target());
    return run_atomic(err);
}

/* A file of that name is made in between, and nobody has it open any more. */
static fls_status run_atomic_raced(fls_error *err)
{
    fls_sink sink;
    (void)unlink(target());
    fls_status status = flsi_sink_open_file_atomic(&sink, target(), 1, fake_calls(), err);
    if (status == FLS_OK) {
        files_write(target(), "old", 3);
        status = end_sink(&sink, put_text(&sink, "new text", err), err);
    }
    return status;
}

static fls_status run_abort(fls_error *err)
{
    fls_sink sink;
    files_write(target(), "new text!", 9);
    fls_status status = flsi_sink_open_file_atomic(&sink, target(), 1, fake_calls(), err);
    if (status == FLS_OK) {
        status = put_text(&sink, "never seen", err);
        fls_sink_abort(&sink);
    }
    return status;
}

static fls_status use_source(fls_source *source, fls_error *err)
{
    char text[16] = "";
    size_t got = 0;
    uint64_t size = 0;
    fls_status status = fls_source_size(source, &size, err);
    if (status == FLS_OK) {
        assert_int_equal(size, 9);
        status = fls_source_read_all_at(source, 4, text, 5, &got, err);
    }
    if (status == FLS_OK) {
        assert_int_equal(got, 5);
        assert_string_equal(text, "text!");
        status = fls_source_read_all(source, text, sizeof text, &got, err);
    }
    if (status == FLS_OK) {
        assert_int_equal(got, 9);
        assert_memory_equal(text, "new text!", 9);
    }
    fls_source_close(source);
    return status;
}

static fls_status run_source(fls_error *err)
{
    fls_source source;
    files_write(target(), "new text!", 9);
    fls_status status = flsi_source_open_file(&source, target(), fake_calls(), err);
    return status == FLS_OK ? use_source(&source, err) : status;
}

static fls_status run_map(fls_error *err)
{
    fls_source source;
    files_write(target(), "new text!", 9);
    fls_status status = flsi_source_map_file(&source, target(), fake_calls(), err);
    return status == FLS_OK ? use_source(&source, err) : status;
}

/* Sends through a connection and ends it; the receiving side is read in another thread, with the
 * real calls, so that the order of the calls that can fail is always the same. */
typedef struct receiver {
    int fd;
    char text[16];
} receiver;

static void *receive(void *self)
{
    receiver *to = self;
    size_t at = 0;
    for (ssize_t got = 1; got > 0;) {
        got = read(to->fd, to->text + at, sizeof to->text - 1 - at);
        at += got > 0 ? (size_t)got : 0;
    }
    close(to->fd);
    return NULL;
}

static fls_status send_text(int client, int server, fls_error *err)
{
    flsi_file file;
    fls_sink sink;
    pthread_t thread;
    receiver to = {.fd = dup(server), .text = ""};
    (void)fake_close(server);
    assert_int_equal(pthread_create(&thread, NULL, receive, &to), 0);
    fls_status status = flsi_file_from_fd(&file, client, 0, fake_calls(), err);
    if (status == FLS_OK) {
        status = flsi_sink_from_file(&sink, &file, err);
    }
    if (status == FLS_OK) {
        status = put_text(&sink, "new text", err);
        fls_sink_abort(&sink);
    }
    if (status == FLS_OK) {
        status = flsi_socket_finish(client, fake_calls(), err);
    }
    flsi_socket_close(client, fake_calls());
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (status == FLS_OK) {
        assert_string_equal(to.text, "new text!");
    }
    return status;
}

static fls_status run_socket(const char *endpoint, fls_error *err)
{
    int listener = -1;
    int client = -1;
    int server = -1;
    char bound[320];
    fls_status status = flsi_socket_listen(endpoint, &listener, fake_calls(), err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_socket_endpoint(listener, bound, sizeof bound, fake_calls(), err);
    if (status == FLS_OK) {
        status = flsi_socket_connect(bound, 0, &client, fake_calls(), err);
    }
    if (status == FLS_OK) {
        status = flsi_socket_accept(listener, &server, NULL, 0, fake_calls(), err);
        if (status != FLS_OK) {
            flsi_socket_close(client, fake_calls());
        }
    }
    flsi_socket_close(listener, fake_calls());
    return status == FLS_OK ? send_text(client, server, err) : status;
}

static fls_status run_tcp(fls_error *err)
{
    return run_socket("tcp://127.0.0.1:0", err);
}

static fls_status run_unix(fls_error *err)
{
    char endpoint[320];
    (void)snprintf(endpoint, sizeof endpoint, "unix:%s", target());
    (void)unlink(target());
    return run_socket(endpoint, err);
}

/* Over a stale file. */
static fls_status run_unix_stale(fls_error *err)
{
    char endpoint[320];
    int fd = -1;
    (void)snprintf(endpoint, sizeof endpoint, "unix:%s", target());
    (void)unlink(target());
    assert_int_equal(flsi_socket_listen(endpoint, &fd, NULL, NULL), FLS_OK);
    close(fd);
    return run_socket(endpoint, err);
}

/* What has to be true of the target afterwards. */
typedef enum target_rule { ANY, WHOLE_WHEN_OK, OLD_OR_NEW } target_rule;

typedef struct scenario {
    const char *name;
    fls_status (*run)(fls_error *err);
    target_rule rule;
    const char *must_fail; /* calls whose failure may not be passed over, as " name name " */
} scenario;

static const scenario scenarios[] = {
    {"file", run_file, WHOLE_WHEN_OK,
     " fstat stat lseek write writev ftruncate sync_data sync_directory flock openat "},
    {"append", run_append, WHOLE_WHEN_OK,
     " openat fstat lseek write writev ftruncate sync_data flock "},
    {"create", run_create, WHOLE_WHEN_OK,
     " openat fstat lseek write writev sync_data sync_directory "},
    {"atomic replacing", run_atomic_replacing, OLD_OR_NEW,
     " openat fstat lstat write writev sync_data sync_directory flock fchmod renameat "},
    {"atomic new", run_atomic_new, OLD_OR_NEW,
     " openat lstat write writev sync_data sync_directory rename_new "},
    {"atomic raced", run_atomic_raced, OLD_OR_NEW,
     " lstat flock write writev sync_data sync_directory rename_new renameat "},
    {"abort", run_abort, WHOLE_WHEN_OK, " openat fstat lstat write writev flock fchmod "},
    {"source", run_source, ANY, " openat fstat lseek read pread "},
    {"map", run_map, ANY, " openat fstat mmap "},
    {"tcp", run_tcp, ANY, " socket bind listen connect accept sendmsg shutdown fstat read "},
    {"unix", run_unix, ANY, " socket bind listen connect accept sendmsg shutdown fstat read "},
    {"unix stale", run_unix_stale, ANY, " socket bind listen accept sendmsg shutdown "},
};

static int target_is(const char *text)
{
    byte_buffer content = BYTES_INIT;
    int same = files_read(target(), &content) == 0 && content.size == strlen(text) &&
               (content.size == 0 || memcmp(content.data, text, content.size) == 0);
    bytes_free(&content);
    return same;
}

/* Nothing but the target may be in the directory: rmdir says so. Only when removing failed is
 * something left. */
static void check_nothing_left(void)
{
    (void)unlink(target());
    if (fake.failed != NULL && strcmp(fake.failed, "unlinkat") == 0) {
        files_remove_directory(directory);
        files_make_directory(directory, sizeof directory);
        return;
    }
    if (rmdir(directory) != 0) {
        print_error("something is left in %s after %s failed\n", directory,
                    fake.failed != NULL ? fake.failed : "nothing");
        fail();
    }
    files_make_directory(directory, sizeof directory);
}

static void check_target(const scenario *at, fls_status status)
{
    if (at->rule == ANY) {
        return;
    }
    if (status == FLS_OK) {
        assert_true(target_is("new text!"));
    } else if (at->rule == OLD_OR_NEW) {
        assert_true(!files_exist(target()) || target_is("old") || target_is("new text!"));
    }
}

static fls_status run_once(const scenario *at, fls_error *err)
{
    fls_status status = at->run(err);
    if (fake.open != 0) {
        print_error("%s: %ld descriptors left open after %s\n", at->name, fake.open,
                    fake.failed != NULL ? fake.failed : "nothing");
        fail();
    }
    check_target(at, status);
    return status;
}

static int is_listed(const char *list, const char *name)
{
    const char *found = strstr(list, name);
    return found != NULL && found[-1] == ' ' && found[strlen(name)] == ' ';
}

/* Runs until the number of the failing call is beyond the last; returns how many there were. */
static long for_every_call(const scenario *at, int fail_errno, int only_waiting,
                           void (*check)(const scenario *at, fls_status status,
                                         const fls_error *err))
{
    for (long number = 0;; number++) {
        fls_error err = FLS_ERROR_INIT;
        fake_reset();
        fake.fail_at = number;
        fake.fail_errno = fail_errno;
        fake.only_waiting = only_waiting;
        fls_status status = run_once(at, &err);
        check_nothing_left();
        if (fake.failed == NULL) {
            assert_status(status, FLS_OK, &err);
            return number;
        }
        check(at, status, &err);
    }
}

static void check_interruption_is_nothing(const scenario *at, fls_status status,
                                          const fls_error *err)
{
    if (status != FLS_OK) {
        print_error("%s: interrupted %s\n", at->name, fake.failed);
    }
    assert_status(status, FLS_OK, err);
}

static void check_failure_is_told(const scenario *at, fls_status status, const fls_error *err)
{
    if (status == FLS_OK) {
        if (is_listed(at->must_fail, fake.failed)) {
            print_error("%s: a failing %s went by\n", at->name, fake.failed);
            fail();
        }
        return;
    }
    fls_status wanted = fake.fail_errno == ENOSPC   ? FLS_NO_SPACE
                        : fake.fail_errno == ENOMEM ? FLS_NO_MEMORY
                                                    : FLS_IO;
    if (status != wanted) {
        print_error("%s: %s failed\n", at->name, fake.failed);
    }
    assert_status(status, wanted, err);
    assert_int_equal(err->status, status);
    assert_int_equal(err->system_errno, fake.fail_errno);
    assert_string_not_equal(err->text, "");
}

#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

static void interrupted_calls_are_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        long calls = for_every_call(&scenarios[i], EINTR, 1, check_interruption_is_nothing);
        assert_true(calls >= 2);
    }
}

static void every_failure_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC, ENOMEM};
    for (size_t i = 0; i < SCENARIOS; i++) {
        for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
            long calls = for_every_call(&scenarios[i], errors[e], 0, check_failure_is_told);
            assert_true(calls >= 4);
        }
    }
}

static void one_byte_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        fls_error err = FLS_ERROR_INIT;
        fake_reset();
        fake.at_most = 1;
        assert_status(run_once(&scenarios[i], &err), FLS_OK, &err);
        check_nothing_left();
    }
}

static void statuses_follow_errnos(void **state)
{
    (void)state;
    static const struct {
        int error;
        fls_status status;
    } wanted[] = {
        {ENOSPC, FLS_NO_SPACE},   {EDQUOT, FLS_NO_SPACE},
        {EFBIG, FLS_NO_SPACE},    {EPIPE, FLS_CLOSED},
        {ECONNRESET, FLS_CLOSED}, {EAGAIN, FLS_WOULD_BLOCK},
        {ENOMEM, FLS_NO_MEMORY},  {EIO, FLS_IO},
        {EBADF, FLS_IO},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        size_t written = 9;
        fake_reset();
        assert_status(flsi_sink_open_file(&sink, target(), fake_calls(), &err), FLS_OK, &err);
        fake.stuck = "write";
        fake.stuck_errno = wanted[i].error;
        assert_status(fls_sink_write_all(&sink, "a", 1, &written, &err), wanted[i].status, &err);
        assert_int_equal(written, 0);
        assert_int_equal(err.system_errno, wanted[i].error);
        assert_non_null(strstr(err.name, "target"));
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_int_equal(fake.open, 0);
    }
}

/* After a failed sync the system may say that all is well although it has dropped what it could not
 * write: it must not be asked again. */
static void failed_sync_is_final(void **state)
{
    (void)state;
    for (int atomic = 0; atomic < 2; atomic++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        files_write(target(), "old", 3);
        fake_reset();
        fls_status opened = atomic
                                ? flsi_sink_open_file_atomic(&sink, target(), 0, fake_calls(), &err)
                                : flsi_sink_open_file(&sink, target(), fake_calls(), &err);
        assert_status(opened, FLS_OK, &err);
        assert_status(fls_sink_write_all(&sink, "abc", 3, NULL, &err), FLS_OK, &err);
        fake.stuck = "sync_data";
        fake.stuck_errno = EIO;
        assert_status(fls_sink_sync(&sink, &err), FLS_IO, &err);
        fake.stuck_errno = ENOSPC;
        for (int i = 0; i < 3; i++) {
            assert_status(fls_sink_sync(&sink, &err), FLS_IO, &err);
            assert_int_equal(err.system_errno, EIO);
        }
        assert_int_equal(fake.stuck_calls, 1);
        assert_status(fls_sink_close(&sink, &err), atomic ? FLS_IO : FLS_OK, &err);
        assert_true(target_is(atomic ? "old" : "abc"));
        assert_int_equal(fake.open, 0);
        check_nothing_left();
    }
}

/* A file system without locks is written all the same; one that another holds is not. */
static void lock_answers(void **state)
{
    (void)state;
    static const struct {
        int error;
        fls_status status;
    } wanted[] = {{EOPNOTSUPP, FLS_OK}, {ENOLCK, FLS_OK}, {EWOULDBLOCK, FLS_LOCKED}, {EIO, FLS_IO}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        files_write(target(), "old", 3);
        fake_reset();
        fake.stuck = "flock";
        fake.stuck_errno = wanted[i].error;
        assert_status(flsi_sink_open_file(&sink, target(), fake_calls(), &err), wanted[i].status,
                      &err);
        assert_true(target_is(wanted[i].status == FLS_OK ? "" : "old"));
        assert_int_equal(fls_sink_close(&sink, NULL), FLS_OK);
        assert_int_equal(fake.open, 0);
    }
}

static int replacements;

/* Another process renames a file into the path's place between our open and our lock. */
static int lock_too_late(int fd, int operation)
{
    if (replacements > 0) {
        replacements--;
        files_write(files_join(directory, "rival"), "rival", 5);
        assert_int_equal(rename(files_join(directory, "rival"), target()), 0);
    }
    return real()->flock(fd, operation);
}

static void lock_is_on_what_the_path_names(void **state)
{
    (void)state;
    flsi_os_calls table = *real();
    table.flock = lock_too_late;
    for (replacements = 0; replacements <= 3;) {
        int wanted = replacements;
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        files_write(target(), "old", 3);
        assert_status(flsi_sink_open_file(&sink, target(), &table, &err), FLS_OK, &err);
        assert_int_equal(replacements, 0);
        assert_status(fls_sink_write_all(&sink, "mine", 4, NULL, &err), FLS_OK, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_true(target_is("mine"));
        replacements = wanted + 1;
    }
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    replacements = 1000000;
    assert_status(flsi_sink_open_file(&sink, target(), &table, &err), FLS_IO, &err);
    replacements = 0;
    check_nothing_left();
}

/* Where a name cannot be taken only if it is free, what has it is locked before all the same. */
static void a_name_is_taken_without_the_call_for_it(void **state)
{
    (void)state;
    static const int errors[] = {ENOSYS, EINVAL, ENOTSUP};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        for (int rival = 0; rival < 3; rival++) {
            fls_error err = FLS_ERROR_INIT;
            fls_sink sink;
            fls_sink other = {NULL, NULL};
            (void)unlink(target());
            fake_reset();
            fake.stuck = "rename_new";
            fake.stuck_errno = errors[i];
            assert_status(flsi_sink_open_file_atomic(&sink, target(), 0, fake_calls(), &err),
                          FLS_OK, &err);
            assert_status(fls_sink_write_all(&sink, "mine", 4, NULL, &err), FLS_OK, &err);
            if (rival > 0) {
                assert_status(fls_sink_open_file(&other, target(), &err), FLS_OK, &err);
                assert_status(fls_sink_write_all(&other, "rival", 5, NULL, &err), FLS_OK, &err);
            }
            if (rival == 1) {
                assert_status(fls_sink_close(&other, &err), FLS_OK, &err);
            }
            assert_status(fls_sink_close(&sink, &err), rival == 2 ? FLS_LOCKED : FLS_OK, &err);
            assert_status(fls_sink_close(&other, &err), FLS_OK, &err);
            assert_true(target_is(rival == 2 ? "rival" : "mine"));
            assert_int_equal(fake.stuck_calls, 1);
            assert_int_equal(fake.open, 0);
            check_nothing_left();
        }
    }
}

/* Another process renames a file into the path's place between the lock at close and the rename:
 * the lock is tried again on what has the name now. */
static void the_newcomer_that_is_replaced_is_locked(void **state)
{
    (void)state;
    flsi_os_calls table = *real();
    table.flock = lock_too_late;
    for (int times = 0; times <= 3; times++) {
        fls_error err = FLS_ERROR_INIT;
        fls_sink sink;
        (void)unlink(target());
        assert_status(flsi_sink_open_file_atomic(&sink, target(), 0, &table, &err), FLS_OK, &err);
        assert_status(fls_sink_write_all(&sink, "mine", 4, NULL, &err), FLS_OK, &err);
        files_write(target(), "newcomer", 8);
        replacements = times;
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_int_equal(replacements, 0);
        assert_true(target_is("mine"));
        check_nothing_left();
    }
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_status(flsi_sink_open_file_atomic(&sink, target(), 0, &table, &err), FLS_OK, &err);
    files_write(target(), "newcomer", 8);
    replacements = 1000000;
    assert_status(fls_sink_close(&sink, &err), FLS_IO, &err);
    replacements = 0;
    assert_true(target_is("rival"));
    check_nothing_left();
}

/* Whole transfers at an offset, whatever a single call takes or gives. */
static void all_at_an_offset(void **state)
{
    (void)state;
    static const fls_span spans[] = {{"", 0}, {"tel", 3}, {"", 0}, {"emetry", 6}, {"!", 1}};
    for (size_t most = 0; most < 12; most++) {
        fls_error err = FLS_ERROR_INIT;
        char got[16] = {0};
        size_t moved = 0;
        flsi_file file;
        (void)unlink(target());
        memset(&fake, 0, sizeof fake);
        fake.fail_at = -1;
        fake.at_most = most;
        assert_status(flsi_file_open(&file, target(),
                                     FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE,
                                     fake_calls(), &err),
                      FLS_OK, &err);
        assert_status(flsi_file_write_all_at(&file, 2, spans, 5, &moved, &err), FLS_OK, &err);
        assert_int_equal(moved, 10);
        assert_status(flsi_file_read_all_at(&file, 2, got, 10, &moved, &err), FLS_OK, &err);
        assert_int_equal(moved, 10);
        assert_string_equal(got, "telemetry!");
        /* The end is no failure. */
        assert_status(flsi_file_read_all_at(&file, 8, got, 10, &moved, &err), FLS_OK, &err);
        assert_int_equal(moved, 4);
        assert_status(flsi_file_read_all_at(&file, 99, got, 10, &moved, &err), FLS_OK, &err);
        assert_int_equal(moved, 0);
        assert_status(flsi_file_write_all_at(&file, 2, spans, 1, &moved, &err), FLS_OK, &err);
        assert_int_equal(moved, 0);
        /* A failure tells how far it came. */
        fake.at_most = 4;
        fake.fail_at = fake.calls + 2;
        fake.fail_errno = ENOSPC;
        assert_status(flsi_file_write_all_at(&file, 2, spans + 3, 2, &moved, &err), FLS_NO_SPACE,
                      &err);
        assert_int_equal(moved, 6);
        fake.fail_at = fake.calls + 1;
        fake.fail_errno = EIO;
        assert_status(flsi_file_read_all_at(&file, 2, got, 10, &moved, &err), FLS_IO, &err);
        assert_int_equal(moved, 4);
        fake.fail_at = -1;
        assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
        assert_int_equal(fake.open, 0);
    }
}

/* A call that takes nothing is not made for ever. */
static ssize_t takes_nothing(int fd, const void *data, size_t size, off_t offset)
{
    (void)fd;
    (void)data;
    (void)offset;
    return size > 3 ? 3 : 0;
}

static void a_write_that_takes_nothing(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    const fls_span span = {"bytes", 5};
    size_t moved;
    flsi_file file;
    flsi_os_calls table = *flsi_os_calls_system();
    table.pwrite = takes_nothing;
    assert_status(flsi_file_open(&file, target(), FLSI_OPEN_WRITE | FLSI_OPEN_CREATE, &table, &err),
                  FLS_OK, &err);
    assert_status(flsi_file_write_all_at(&file, 0, &span, 1, &moved, &err), FLS_IO, &err);
    assert_int_equal(moved, 3);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
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
        cmocka_unit_test(interrupted_calls_are_repeated),
        cmocka_unit_test(every_failure_is_told_and_leaves_nothing),
        cmocka_unit_test(one_byte_at_a_time),
        cmocka_unit_test(statuses_follow_errnos),
        cmocka_unit_test(failed_sync_is_final),
        cmocka_unit_test(lock_answers),
        cmocka_unit_test(lock_is_on_what_the_path_names),
        cmocka_unit_test(a_name_is_taken_without_the_call_for_it),
        cmocka_unit_test(all_at_an_offset),
        cmocka_unit_test(a_write_that_takes_nothing),
        cmocka_unit_test(the_newcomer_that_is_replaced_is_locked),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
