/* Writing to a pipe without SIGPIPE. Sockets need none of this (MSG_NOSIGNAL), files have no such
 * signal; only write(2) on a pipe has no flag against it. So the thread holds the signal back
 * around the write, and takes away the one that its own write caused; one that was pending before
 * is left for whom it was meant. Nothing of the process is changed.
 */
#ifndef FLSI_OS_SIGPIPE_H
#define FLSI_OS_SIGPIPE_H

#include <signal.h>

typedef struct flsi_sigpipe_guard {
    sigset_t saved; /* the thread's mask before */
    int was_pending;
} flsi_sigpipe_guard;

void flsi_sigpipe_hold(flsi_sigpipe_guard *guard);

/* broken: the write failed with EPIPE. errno is left as it is. */
void flsi_sigpipe_release(const flsi_sigpipe_guard *guard, int broken);

#endif
