/* Signals, noted through a pipe of their own, so that waiting for input and for a signal is one
 * call without a gap between them.
 */
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A signal handler has no other way to its data. */
static volatile sig_atomic_t caught_signal;
static int wake_pipe[2] = {-1, -1};

static void note(int number)
{
    int saved = errno;
    caught_signal = number;
    ssize_t ignored = write(wake_pipe[1], "", 1);
    (void)ignored;
    errno = saved;
}

void cli_interrupt_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    if (wake_pipe[0] >= 0 || pipe(wake_pipe) != 0) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        (void)fcntl(wake_pipe[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(wake_pipe[i], F_SETFL, O_NONBLOCK);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;
        struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        /* What was ignored from the start (nohup) stays ignored. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
}

int cli_interrupt_pending(void)
{
    return caught_signal;
}

void cli_interrupt_ask(void)
{
    if (!caught_signal) {
        note(CLI_INTERRUPT_ASKED);
    }
}

int cli_interrupt_wait(int fd, int timeout_ms)
{
    if (wake_pipe[0] < 0 && timeout_ms < 0) {
        return CLI_INTERRUPT_READY;
    }
    struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = wake_pipe[0], .events = POLLIN}};
    while (!caught_signal) {
        int ready = poll(wait, 2, timeout_ms);
        if ((ready < 0 && errno != EINTR) || (ready > 0 && wait[0].revents != 0)) {
            break;
        }
        if (ready == 0) {
            return CLI_INTERRUPT_NOTHING;
        }
    }
    return caught_signal ? CLI_INTERRUPT_SIGNAL : CLI_INTERRUPT_READY;
}

int cli_interrupt_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

int cli_interrupt_pause(int timeout_ms)
{
    struct pollfd wait = {.fd = wake_pipe[0], .events = POLLIN};
    if (!caught_signal) {
        (void)poll(&wait, 1, timeout_ms);
    }
    return caught_signal ? CLI_INTERRUPT_SIGNAL : CLI_INTERRUPT_NOTHING;
}

int cli_interrupt_fd(void)
{
    return wake_pipe[0];
}

void cli_interrupt_forget(void)
{
    caught_signal = 0;
}

void cli_interrupt_raise(void)
{
    (void)signal(caught_signal, SIG_DFL);
    (void)raise(caught_signal);
}
