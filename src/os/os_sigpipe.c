/* Holding SIGPIPE back around a write; see os_sigpipe.h. */
#include "os/os_sigpipe.h"

#include <errno.h>
#include <stddef.h>

static int sigpipe_is_pending(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    (void)sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

void flsi_sigpipe_hold(flsi_sigpipe_guard *guard)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&guard->saved);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->saved);
    /* A signal that is not blocked is delivered, never pending: nothing to ask then. */
    guard->was_pending = sigismember(&guard->saved, SIGPIPE) == 1 && sigpipe_is_pending();
}

void flsi_sigpipe_release(const flsi_sigpipe_guard *guard, int broken)
{
    int saved_errno = errno;
    if (broken && !guard->was_pending && sigpipe_is_pending()) {
        sigset_t pipe_only;
        int taken = 0;
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        /* A write's SIGPIPE goes to the thread itself, so it is here already. */
        (void)sigwait(&pipe_only, &taken);
    }
    (void)pthread_sigmask(SIG_SETMASK, &guard->saved, NULL);
    errno = saved_errno;
}
