/* recv with a peer that is not our own sender: connections that end or break in the middle. What
 * was sound is kept beside the result, which does not appear.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <flatstream/flatstream.h>

/* "abc" under xxh3, twice. */
static const uint8_t two_frames[] = {
    3, 0, 0, 0, 0x50, 0x39, 0x2f, 0x89, 0x94, 0x5f, 0xaf, 0x78, 'a', 'b', 'c',
    3, 0, 0, 0, 0x50, 0x39, 0x2f, 0x89, 0x94, 0x5f, 0xaf, 0x78, 'a', 'b', 'c',
};

static char folder[] = "/tmp/flatstream-peer-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"result", "result.partial", "result.partial.1", "err",
                                        "socket"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(names[i]);
    }
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static pid_t start_recv(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(err, STDERR_FILENO);
        execl(FLS_TOOL_PATH, "flatstream", "recv", "-o", "result", "unix:socket", (char *)NULL);
        _exit(127);
    }
    return child;
}

static int exit_code(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Sends the first `size` bytes of the frames and closes. The exit code of recv. */
static int receive(size_t size)
{
    fls_error err = FLS_ERROR_INIT;
    int fd = -1;
    pid_t child = start_recv();
    assert_int_equal(fls_socket_connect("unix:socket", 30000, &fd, &err), FLS_OK);
    if (size > 0) {
        assert_int_equal(write(fd, two_frames, size), (ssize_t)size);
    }
    fls_socket_close(fd);
    return exit_code(child);
}

static int is_file_of(const char *path, size_t size)
{
    uint8_t bytes[sizeof two_frames + 1];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return 0;
    }
    ssize_t got = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    return got == (ssize_t)size && memcmp(bytes, two_frames, size) == 0;
}

static void a_good_end(void **state)
{
    (void)state;
    assert_int_equal(receive(30), 0);
    assert_true(is_file_of("result", 30));
    assert_int_equal(access("result.partial", F_OK), -1);
    assert_int_equal(unlink("result"), 0);
}

static void an_end_within_a_message(void **state)
{
    (void)state;
    for (size_t size = 16; size < 30; size++) {
        assert_int_equal(receive(size), 1);
        assert_int_equal(access("result", F_OK), -1);
        assert_true(is_file_of("result.partial", 15));
        assert_int_equal(unlink("result.partial"), 0);
    }
}

static void an_end_within_the_first_message(void **state)
{
    (void)state;
    assert_int_equal(receive(14), 1);
    assert_int_equal(access("result", F_OK), -1);
    assert_int_equal(access("result.partial", F_OK), -1);
}

/* Neither a result of before nor something kept before is touched. */
static void nothing_is_overwritten(void **state)
{
    (void)state;
    assert_int_equal(receive(30), 0);
    assert_int_equal(receive(20), 1);
    assert_true(is_file_of("result", 30));
    assert_true(is_file_of("result.partial", 15));
    assert_int_equal(receive(20), 1);
    assert_true(is_file_of("result.partial", 15));
    assert_true(is_file_of("result.partial.1", 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_end),
        cmocka_unit_test(an_end_within_a_message),
        cmocka_unit_test(an_end_within_the_first_message),
        cmocka_unit_test(nothing_is_overwritten),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
