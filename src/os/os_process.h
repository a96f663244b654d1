/* Running another program to its end, and a directory of one's own for what it makes. No shell is
 * between, so that no character of a path means anything but itself.
 */
#ifndef FLSI_OS_PROCESS_H
#define FLSI_OS_PROCESS_H

#include "os/os_file.h"
#include "os/os_path.h"

/* How a program ended. */
typedef struct flsi_process_end {
    int is_missing; /* there is no such program in the PATH; nothing ran */
    int is_unknown; /* nobody can tell how: this process ignores SIGCHLD */
    int signal;     /* that killed it, or 0 */
    int code;       /* its exit code */
} flsi_process_end;

/* Runs the program arguments[0] of the PATH (or at a path) with arguments, which end with NULL,
 * and waits for it. It reads nothing, and has only the standard descriptors
 * (where the C library cannot close the others, also those that are not close-on-exec). What it
 * says on its output and error output goes to said, the last bytes of it when it is more than
 * said_bytes, with a zero at the end. FLS_OK when it ran, however it ended, or is missing. calls
 * may be NULL. */
fls_status flsi_process_run(const char *const *arguments, char *said, size_t said_bytes,
                            flsi_process_end *end, const flsi_os_calls *calls, fls_error *err);

/* Makes a directory that only this user may enter, below $TMPDIR or /tmp. */
fls_status flsi_private_directory_make(char path[FLSI_PATH_BYTES], const flsi_os_calls *calls,
                                       fls_error *err);

/* Removes one file of the directory, if it is there, and then the directory; never fails. */
void flsi_private_directory_remove(const char *path, const char *file, const flsi_os_calls *calls);

#endif
