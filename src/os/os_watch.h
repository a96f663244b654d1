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
} flsi_watch;

fls_status flsi_watch_open(flsi_watch *watch, const char *path, fls_error *err);
void flsi_watch_close(flsi_watch *watch);

/* FLS_OK: something was written, made, renamed or removed since the last call (or it may have
 * been); FLS_WOULD_BLOCK: timeout_ns passed (UINT64_MAX: none); FLS_STOPPED: flsi_watch_wake was
 * called. */
fls_status flsi_watch_wait(flsi_watch *watch, uint64_t timeout_ns, fls_error *err);
void flsi_watch_wake(flsi_watch *watch); /* any thread, signal handlers too */

#endif
