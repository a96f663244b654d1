/* Sinks on files and pipes of the running system: emptied and appended files, files that appear
 * whole, locks, full devices, readers that went away. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flatstream/sink.h"
#include "io/io_file.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];

static const char *in_directory(const char *name)
{
    return files_join(directory, name);
}

static void assert_file(const char *path, const char *wanted)
{
    byte_buffer content = BYTES_INIT;
    assert_int_equal(files_read(path, &content), 0);
    assert_int_equal(content.size, strlen(wanted));
    if (content.size != 0) {
        assert_memory_equal(content.data, wanted, content.size);
    }
    bytes_free(&content);
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
    /* Fails when anything is left behind that the test does not know of. */
    static const char *const names[] = {"a", "b", "link", "other", "pipe", "full", "created"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(in_directory(names[i]));
    }
    int rc = rmdir(directory);
    if (rc != 0) {
        files_remove_directory(directory);
    }
    return rc;
}

static void put(fls_sink *sink, const char *text)
{
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_sink_write_all(sink, text, strlen(text), NULL, &err), FLS_OK, &err);
}

static void file_is_made_and_emptied(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    for (int i = 0; i < 2; i++) {
        const fls_span spans[] = {{"gathered ", 9}, {"", 0}, {"pieces", 6}};
        size_t written = 0;
        assert_status(fls_sink_open_file(&sink, path, &err), FLS_OK, &err);
        assert_file(path, "");
        put(&sink, i == 0 ? "a long first text, " : "short, ");
        assert_status(fls_sink_writev_all(&sink, spans, 3, &written, &err), FLS_OK, &err);
        assert_int_equal(written, 15);
        assert_status(fls_sink_flush(&sink, &err), FLS_OK, &err);
        assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
        assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    }
    assert_file(path, "short, gathered pieces");
    assert_status(fls_sink_open_file(&sink, directory, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EISDIR);
    assert_status(fls_sink_open_file(&sink, in_directory("none/a"), &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
    assert_null(sink.ops);
}

static void error_names_the_end_of_the_path(void **state)
{
    (void)state;
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    const char *path = "/nowhere/a-rather-long-folder-name-for-this/telemetry.fls";
    assert_status(fls_sink_open_file(&sink, path, &err), FLS_IO, &err);
    assert_int_equal(strlen(err.name), sizeof err.name - 1);
    assert_string_equal(err.name, path + strlen(path) - (sizeof err.name - 1));
    assert_non_null(strstr(err.text, "open for writing failed"));
    /* A cut never leaves half a character: each of these has three bytes, and 31 is no multiple. */
    assert_status(fls_sink_open_file(&sink, "/nowhere/€€€€€€€€€€€€", &err), FLS_IO, &err);
    assert_string_equal(err.name, "€€€€€€€€€€");
}

static void writer_is_alone(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink first;
    fls_sink second;
    flsi_file file;
    assert_status(fls_sink_open_file(&first, path, &err), FLS_OK, &err);
    put(&first, "kept");
    assert_status(fls_sink_open_file(&second, path, &err), FLS_LOCKED, &err);
    assert_null(second.ops);
    assert_status(fls_sink_open_file_atomic(&second, path, 0, &err), FLS_LOCKED, &err);
    assert_status(flsi_file_open(&file, path, FLSI_OPEN_WRITE | FLSI_OPEN_LOCK, NULL, &err),
                  FLS_LOCKED, &err);
    assert_int_equal(file.fd, -1);
    assert_file(path, "kept");
    assert_status(fls_sink_close(&first, &err), FLS_OK, &err);
    assert_status(fls_sink_open_file(&second, path, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&second, &err), FLS_OK, &err);
}

static void append_goes_on_at_the_end(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    flsi_file file;
    flsi_file_info info;
    fls_sink sink;
    unsigned how = FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK;
    files_write(path, "0123456789", 10);
    assert_status(flsi_file_open(&file, path, how, NULL, &err), FLS_OK, &err);
    assert_status(flsi_file_info_get(&file, &info, &err), FLS_OK, &err);
    assert_int_equal(info.size_bytes, 10);
    assert_int_equal(info.kind, FLSI_FILE_REGULAR);
    assert_true(info.inode != 0 && info.modified_ns > 0);
    char read[4] = "";
    size_t got = 0;
    assert_status(flsi_file_read_at(&file, 3, read, 3, &got, &err), FLS_OK, &err);
    assert_string_equal(read, "345");
    assert_status(flsi_file_read_at(&file, 10, read, 3, &got, &err), FLS_END, &err);
    assert_status(flsi_file_read_at(&file, UINT64_MAX, read, 3, &got, &err), FLS_END, &err);
    assert_status(flsi_file_truncate(&file, 6, &err), FLS_OK, &err);
    assert_status(flsi_file_sync(&file, &err), FLS_OK, &err);
    assert_status(flsi_sink_from_file(&sink, &file, &err), FLS_OK, &err);
    assert_int_equal(file.fd, -1);
    put(&sink, "abc");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_file(path, "012345abc");
}

static void new_file_is_never_an_old_one(void **state)
{
    (void)state;
    const char *path = in_directory("created");
    fls_error err = FLS_ERROR_INIT;
    flsi_file file;
    fls_sink sink;
    int exists = 7;
    assert_status(flsi_file_create(&file, path, &exists, NULL, &err), FLS_OK, &err);
    assert_int_equal(exists, 0);
    assert_status(flsi_sink_from_file(&sink, &file, &err), FLS_OK, &err);
    put(&sink, "cut");
    assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_status(flsi_file_create(&file, path, &exists, NULL, &err), FLS_IO, &err);
    assert_int_equal(exists, 1);
    assert_int_equal(file.fd, -1);
    assert_file(path, "cut");
    assert_status(flsi_directory_sync(path, NULL, &err), FLS_OK, &err);
}

static void descriptor_keeps_its_place(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    char name[64];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "head ", 5), 5);
    assert_status(fls_sink_from_fd(&sink, fd, 0, &err), FLS_OK, &err);
    put(&sink, "body ");
    assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    /* By its name a descriptor is neither emptied nor renamed over. */
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    assert_status(fls_sink_open_file(&sink, name, &err), FLS_OK, &err);
    put(&sink, "more ");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_status(fls_sink_open_file_atomic(&sink, name, 1, &err), FLS_OK, &err);
    put(&sink, "tail");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_file(path, "head body more tail");
    assert_status(fls_sink_from_fd(&sink, fd, 1, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_status(fls_sink_from_fd(&sink, -1, 1, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EBADF);
}

static void atomic_appears_on_close(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    for (int durable = 0; durable < 2; durable++) {
        (void)unlink(path);
        assert_status(fls_sink_open_file_atomic(&sink, path, durable, &err), FLS_OK, &err);
        put(&sink, "new");
        assert_status(fls_sink_sync(&sink, &err), FLS_OK, &err);
        assert_false(files_exist(path));
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_file(path, "new");

        assert_status(fls_sink_open_file_atomic(&sink, path, durable, &err), FLS_OK, &err);
        put(&sink, "newer");
        assert_file(path, "new");
        fls_sink_abort(&sink);
        assert_file(path, "new");
    }
    assert_status(fls_sink_open_file_atomic(&sink, directory, 0, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EISDIR);
    assert_status(fls_sink_open_file_atomic(&sink, in_directory("none/a"), 0, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
}

static void atomic_keeps_mode_and_umask(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    struct stat status;
    static const mode_t modes[] = {0640, 0606, 0755, 0600};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        files_write(path, "old", 3);
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_status(fls_sink_open_file_atomic(&sink, path, 0, &err), FLS_OK, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i]);
    }
    mode_t mask = umask(027);
    assert_int_equal(unlink(path), 0);
    assert_status(fls_sink_open_file_atomic(&sink, path, 0, &err), FLS_OK, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    (void)umask(mask);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void atomic_replaces_what_a_link_means(void **state)
{
    (void)state;
    const char *target = in_directory("a");
    const char *link = in_directory("link");
    const char *other = in_directory("other");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    struct stat status;
    /* A chain of a relative and an absolute link, first to nothing, then to a file. */
    assert_int_equal(symlink("other", link), 0);
    assert_int_equal(symlink(target, other), 0);
    for (int i = 0; i < 2; i++) {
        const char *text = i == 0 ? "made" : "replaced";
        assert_status(fls_sink_open_file_atomic(&sink, link, 0, &err), FLS_OK, &err);
        put(&sink, text);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        assert_file(target, text);
        assert_int_equal(lstat(link, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(lstat(other, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
    }
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink("link", other), 0);
    assert_status(fls_sink_open_file_atomic(&sink, link, 0, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ELOOP);
}

static void atomic_survives_a_changed_directory(void **state)
{
    (void)state;
    char before[1024];
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(directory), 0);
    assert_status(fls_sink_open_file_atomic(&sink, "a", 1, &err), FLS_OK, &err);
    put(&sink, "here");
    assert_int_equal(chdir(before), 0);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    assert_file(in_directory("a"), "here");
}

/* A file that was made after the sink was opened is another writer's as long as that has it open.
 */
static void atomic_respects_who_came_in_between(void **state)
{
    (void)state;
    const char *path = in_directory("a");
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_sink other;
    for (int closed = 0; closed < 2; closed++) {
        (void)unlink(path);
        assert_status(fls_sink_open_file_atomic(&sink, path, 0, &err), FLS_OK, &err);
        put(&sink, "mine");
        assert_status(fls_sink_open_file(&other, path, &err), FLS_OK, &err);
        put(&other, "durable");
        assert_status(fls_sink_sync(&other, &err), FLS_OK, &err);
        if (closed) {
            assert_status(fls_sink_close(&other, &err), FLS_OK, &err);
        }
        assert_status(fls_sink_close(&sink, &err), closed ? FLS_OK : FLS_LOCKED, &err);
        assert_file(path, closed ? "mine" : "durable");
        if (!closed) {
            assert_string_equal(err.name + strlen(err.name) - 2, "/a");
            put(&other, " on");
            assert_status(fls_sink_close(&other, &err), FLS_OK, &err);
            assert_file(path, "durable on");
        }
    }
    /* What is no file is not replaced by one, whether it can be opened or not. */
    for (int readers = 0; readers < 2; readers++) {
        assert_int_equal(unlink(path), 0);
        assert_status(fls_sink_open_file_atomic(&sink, path, 0, &err), FLS_OK, &err);
        assert_int_equal(mkfifo(path, 0600), 0);
        int reader = readers > 0 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
        assert_status(fls_sink_close(&sink, &err), FLS_IO, &err);
        assert_int_equal(err.system_errno, readers > 0 ? EEXIST : ENXIO);
        if (reader >= 0) {
            close(reader);
        }
    }
    assert_int_equal(unlink(path), 0);
}

static void atomic_writes_devices_directly(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    size_t written = 0;
    assert_status(fls_sink_open_file_atomic(&sink, "/dev/null", 1, &err), FLS_OK, &err);
    put(&sink, "gone");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);

    const char *path = in_directory("pipe");
    char got[8] = "";
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_status(fls_sink_open_file_atomic(&sink, path, 1, &err), FLS_OK, &err);
    put(&sink, "through");
    assert_int_equal(read(reader, got, 7), 7);
    assert_string_equal(got, "through");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    close(reader);

    if (files_exist("/dev/full")) {
        assert_status(fls_sink_open_file_atomic(&sink, "/dev/full", 0, &err), FLS_OK, &err);
        assert_status(fls_sink_write_all(&sink, "x", 1, &written, &err), FLS_NO_SPACE, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_NO_SPACE, &err);
    }
}

static void full_device_is_told(void **state)
{
    (void)state;
    if (!files_exist("/dev/full")) {
        skip();
    }
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    size_t written = 9;
    assert_status(fls_sink_open_file(&sink, "/dev/full", &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "x", 1, &written, &err), FLS_NO_SPACE, &err);
    assert_int_equal(written, 0);
    assert_int_equal(err.system_errno, ENOSPC);
    assert_string_equal(err.name, "/dev/full");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void nothing_durable_about_a_pipe(void **state)
{
    (void)state;
    int ends[2];
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    assert_int_equal(pipe(ends), 0);
    assert_status(fls_sink_from_fd(&sink, ends[1], 1, &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    put(&sink, "goes on");
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    close(ends[0]);
    assert_status(fls_sink_open_file(&sink, "/dev/null", &err), FLS_OK, &err);
    assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void full_pipe_would_block(void **state)
{
    (void)state;
    int ends[2];
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    static char data[1 << 20];
    static char back[1 << 20];
    size_t written = 0;
    size_t more = 0;
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 31 >> 3);
    }
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_sink_from_fd(&sink, ends[1], 1, &err), FLS_OK, &err);
    size_t at = 0;
    size_t drained = 0;
    while (at < sizeof data) {
        fls_status status = fls_sink_write_all(&sink, data + at, sizeof data - at, &written, &err);
        at += written;
        if (status == FLS_OK) {
            break;
        }
        assert_status(status, FLS_WOULD_BLOCK, &err);
        assert_string_equal(err.text, "");
        assert_status(fls_sink_write_all(&sink, data + at, 1, &more, &err), FLS_WOULD_BLOCK, &err);
        assert_int_equal(more, 0);
        while (drained < at) {
            ssize_t got = read(ends[0], back + drained, at - drained);
            assert_true(got > 0);
            drained += (size_t)got;
        }
    }
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    for (ssize_t got = 1; got > 0;) {
        got = read(ends[0], back + drained, sizeof back - drained);
        assert_true(got >= 0);
        drained += (size_t)got;
    }
    assert_int_equal(drained, sizeof data);
    assert_memory_equal(back, data, sizeof data);
    close(ends[0]);
}

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int signal_number)
{
    (void)signal_number;
    broken_pipes++;
}

static void write_to_nobody(void)
{
    int ends[2];
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    const fls_span spans[] = {{"a", 1}, {"b", 1}};
    size_t written = 0;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_status(fls_sink_from_fd(&sink, ends[1], 1, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "x", 1, &written, &err), FLS_CLOSED, &err);
    assert_int_equal(written, 0);
    assert_int_equal(err.system_errno, EPIPE);
    assert_status(fls_sink_writev_all(&sink, spans, 2, &written, &err), FLS_CLOSED, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static int sigpipe_is(int (*question)(sigset_t *), int how)
{
    sigset_t set;
    sigemptyset(&set);
    if (question != NULL) {
        (void)question(&set);
    } else {
        (void)pthread_sigmask(how, NULL, &set);
    }
    return sigismember(&set, SIGPIPE);
}

/* With the default action a single SIGPIPE ends this program, and the test with it. */
static void gone_reader_is_no_signal(void **state)
{
    (void)state;
    struct sigaction counting = {.sa_handler = count_broken_pipe};
    struct sigaction before;
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    static const int actions[] = {0, 1};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        (void)signal(SIGPIPE, actions[i] ? SIG_IGN : SIG_DFL);
        write_to_nobody();
        assert_int_equal(sigpipe_is(NULL, SIG_BLOCK), 0);
        assert_int_equal(sigpipe_is(sigpending, 0), 0);
    }
    assert_int_equal(sigaction(SIGPIPE, &counting, NULL), 0);
    write_to_nobody();
    assert_int_equal(broken_pipes, 0);
    (void)raise(SIGPIPE);
    assert_int_equal(broken_pipes, 1);

    /* One that was pending before is somebody else's, and is still there afterwards. */
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL), 0);
    write_to_nobody();
    assert_int_equal(sigpipe_is(sigpending, 0), 0);
    (void)raise(SIGPIPE);
    write_to_nobody();
    assert_int_equal(sigpipe_is(sigpending, 0), 1);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL), 0);
    assert_int_equal(broken_pipes, 2);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(file_is_made_and_emptied),
        cmocka_unit_test(error_names_the_end_of_the_path),
        IN_DIRECTORY(writer_is_alone),
        IN_DIRECTORY(append_goes_on_at_the_end),
        IN_DIRECTORY(new_file_is_never_an_old_one),
        IN_DIRECTORY(descriptor_keeps_its_place),
        IN_DIRECTORY(atomic_appears_on_close),
        IN_DIRECTORY(atomic_keeps_mode_and_umask),
        IN_DIRECTORY(atomic_replaces_what_a_link_means),
        IN_DIRECTORY(atomic_survives_a_changed_directory),
        IN_DIRECTORY(atomic_respects_who_came_in_between),
        IN_DIRECTORY(atomic_writes_devices_directly),
        cmocka_unit_test(full_device_is_told),
        cmocka_unit_test(nothing_durable_about_a_pipe),
        cmocka_unit_test(full_pipe_would_block),
        cmocka_unit_test(gone_reader_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
