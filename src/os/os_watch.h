/* Waiting for something to change in a directory: by inotify on Linux, elsewhere by looking again
 * after a while.
 */
#ifndef FLSI_OS_WATCH_H
#define FLSI_OS_WATCH_H

#include "os/os_directory.h"

typedef struct flsi_watch {
    int inotify_fd; /* -1 where there is none */
    int wake_read;  /* a pipe or eventfd */
    int wake_write;
    int names_changed; /* since it was last set to 0, files may have been made, renamed or removed;
                          always 1 without inotify */
} flsi_watch;

/* path NULL: nothing is watched; waiting is looking again after a while. So it is too where the
 * system has no more to give than it takes to be woken. */
fls_status flsi_watch_open(flsi_watch *watch, const char *path, fls_error *err);
void flsi_watch_close(flsi_watch *watch); /* harmless when closed */

/* FLS_OK: something was written, made, renamed or removed since the last call (or it may have
 * been); FLS_WOULD_BLOCK: timeout_ns passed (UINT64_MAX: none); FLS_STOPPED: flsi_watch_wake was
 * called. */
fls_status flsi_watch_wait(flsi_watch *watch, uint64_t timeout_ns, fls_error *err);
/* Forgets what has changed so far, but for names_changed, without waiting. For one who looks at
 * everything next. */
void flsi_watch_drain(flsi_watch *watch);
void flsi_watch_wake(const flsi_watch *watch); /* any thread, signal handlers too */

#endif
