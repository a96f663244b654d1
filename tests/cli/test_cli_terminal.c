/* What a person at a terminal sees: progress on standard error only, gone at the end, and none of
 * it when nobody wants it; binary output is kept off a terminal.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/files.h"

static const uint8_t frame[] = {3, 0, 0, 0, 'a', 'b', 'c'};

typedef struct session {
    pid_t child;
    int input;    /* where the stream is written */
    int terminal; /* the other side of the terminal */
    char shown[65536];
    size_t shown_bytes;
} session;

/* The tool with a terminal as its standard error, and where wanted as its standard output too. */
static void start(session *s, int output_too, const char *const *arguments)
{
    int pipe_ends[2];
    /* Lines are cut to the width, and the path of a test's files may be long. */
    const struct winsize wide = {.ws_row = 50, .ws_col = 400};
    memset(s, 0, sizeof *s);
    assert_int_equal(pipe(pipe_ends), 0);
    s->terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(s->terminal >= 0);
    assert_int_equal(grantpt(s->terminal), 0);
    assert_int_equal(unlockpt(s->terminal), 0);
    assert_int_equal(ioctl(s->terminal, TIOCSWINSZ, &wide), 0);
    const char *name = ptsname(s->terminal);
    assert_non_null(name);
    s->child = fork();
    assert_true(s->child >= 0);
    if (s->child == 0) {
        int fd = open(name, O_RDWR | O_NOCTTY);
        int null = open("/dev/null", O_WRONLY);
        dup2(pipe_ends[0], STDIN_FILENO);
        dup2(output_too ? fd : null, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        (void)close(pipe_ends[1]);
        execv(FLS_TOOL_PATH, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(pipe_ends[0]);
    s->input = pipe_ends[1];
}

/* Takes what the terminal shows, waiting at most so long for something new. */
static void look(session *s, int wait_ms)
{
    struct pollfd wait = {.fd = s->terminal, .events = POLLIN};
    while (s->shown_bytes < sizeof s->shown - 1 && poll(&wait, 1, wait_ms) > 0) {
        ssize_t got =
            read(s->terminal, s->shown + s->shown_bytes, sizeof s->shown - 1 - s->shown_bytes);
        if (got <= 0) {
            return; /* the tool has ended */
        }
        s->shown_bytes += (size_t)got;
        wait_ms = 0;
    }
}

static int finish(session *s)
{
    int status = 0;
    (void)close(s->input);
    while (waitpid(s->child, &status, WNOHANG) == 0) {
        look(s, 10);
    }
    look(s, 0);
    (void)close(s->terminal);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Slow input, a message at a time, until something is shown or so many messages were written. */
static void feed(session *s, int messages)
{
    for (int i = 0; i < messages && s->shown_bytes == 0; i++) {
        assert_int_equal(write(s->input, frame, sizeof frame), sizeof frame);
        look(s, 20);
    }
}

static void progress_is_shown_and_goes_away(void **state)
{
    static const char *const arguments[] = {"flatstream", "info", "-c", "none", "-", NULL};
    session s;
    (void)state;
    start(&s, 0, arguments);
    feed(&s, 5000);
    assert_int_equal(finish(&s), 0);
    assert_non_null(strstr(s.shown, "info: "));
    assert_non_null(strstr(s.shown, "/s"));
    assert_string_equal(s.shown + s.shown_bytes - 4, "\r\033[K");
}

/* Half a second and more of work, and not a byte. */
static void quiet_shows_nothing(void **state)
{
    static const char *const quiet[] = {"flatstream", "info", "-q", "-c", "none", "-", NULL};
    static const char *const json[] = {"flatstream", "info", "--json", "-c", "none", "-", NULL};
    session s;
    (void)state;
    start(&s, 0, quiet);
    feed(&s, 40);
    assert_int_equal(finish(&s), 0);
    assert_int_equal(s.shown_bytes, 0);
    start(&s, 0, json);
    feed(&s, 40);
    assert_int_equal(finish(&s), 0);
    assert_int_equal(s.shown_bytes, 0);
}

static void binary_is_kept_off(void **state)
{
    static const char *const raw[] = {"flatstream", "cat", "--as", "frames", "-", NULL};
    static const char *const convert[] = {"flatstream", "convert", "--to", "none", "-", NULL};
    static const char *const asked[] = {"flatstream", "cat", "--as", "raw", "-c",
                                        "none",       "-o",  "-",    "-",   NULL};
    session s;
    (void)state;
    start(&s, 1, raw);
    assert_int_equal(finish(&s), 2);
    assert_non_null(strstr(s.shown, "not for terminals"));
    start(&s, 1, convert);
    assert_int_equal(finish(&s), 2);
    start(&s, 1, asked);
    assert_int_equal(write(s.input, frame, sizeof frame), sizeof frame);
    assert_int_equal(finish(&s), 0);
    assert_string_equal(s.shown, "abc");
}

static void ls_has_a_head_on_a_terminal(void **state)
{
    static const char *const arguments[] = {"flatstream", "ls", "-c", "none", "-", NULL};
    session s;
    (void)state;
    start(&s, 1, arguments);
    assert_int_equal(write(s.input, frame, sizeof frame), sizeof frame);
    assert_int_equal(finish(&s), 0);
    assert_non_null(strstr(s.shown, "ordinal"));
}

/* A recording shows figures while it waits for input, and Ctrl-C ends it well. */
static void recording_is_watched_and_interrupted(void **state)
{
    char journal[300];
    static const uint8_t delimited[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    const char *const arguments[] = {"flatstream", "record", "-o", journal, NULL};
    const char *const verify[] = {"flatstream", "verify", journal, NULL};
    char directory[256];
    session s;
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(journal, sizeof journal, "%s/j", directory);
    start(&s, 0, arguments);
    assert_int_equal(write(s.input, delimited, sizeof delimited), sizeof delimited);
    for (int i = 0; i < 1000 && strstr(s.shown, ": 1 messages, 3 B") == NULL; i++) {
        look(&s, 20);
    }
    assert_non_null(strstr(s.shown, ": 1 messages, 3 B"));
    assert_int_equal(kill(s.child, SIGINT), 0);
    int status = 0;
    while (waitpid(s.child, &status, WNOHANG) == 0) { /* its input is still open */
        look(&s, 10);
    }
    look(&s, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_non_null(strstr(s.shown, "durable below 1, which is all"));
    (void)close(s.input);
    (void)close(s.terminal);
    start(&s, 1, verify);
    assert_int_equal(finish(&s), 0);
    assert_non_null(strstr(s.shown, "sound: 1 messages"));
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_shown_and_goes_away),
        cmocka_unit_test(quiet_shows_nothing),
        cmocka_unit_test(binary_is_kept_off),
        cmocka_unit_test(ls_has_a_head_on_a_terminal),
        cmocka_unit_test(recording_is_watched_and_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
