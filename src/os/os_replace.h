/* A file that takes its name, whole, at the end: written under another name in the same directory
 * and renamed. What is at the name before stays as it is until then.
 */
#ifndef FLSI_OS_REPLACE_H
#define FLSI_OS_REPLACE_H

#include "os/os_file.h"

#define FLSI_REPLACE_NAME_BYTES 256

typedef struct flsi_replace {
    flsi_file file; /* written by the caller */
    flsi_file old;  /* the existing file, held under the writer's lock; may be closed */
    int directory_fd;
    int direct; /* not a regular file: written straight, nothing is renamed */
    char temporary[FLSI_REPLACE_NAME_BYTES];
    char final[FLSI_REPLACE_NAME_BYTES];
} flsi_replace;

/* Opens for path. The mode of an existing file is kept, and its owner where the system allows that;
 * of a symbolic link, the target is replaced. FLS_LOCKED while another writer has the existing
 * file. What is no regular file is opened itself. */
fls_status flsi_replace_open(flsi_replace *replace, const char *path, const flsi_os_calls *calls,
                             fls_error *err);

/* Closes the file and gives it its name. durable: syncs it before and the directory after. On
 * failure before the rename nothing has appeared, and nothing is left behind. FLS_LOCKED when there
 * was nothing at the name before and now there is a file that another writer has open. */
fls_status flsi_replace_commit(flsi_replace *replace, int durable, fls_error *err);

/* Closes and removes what was written; a direct file is only closed. */
void flsi_replace_abort(flsi_replace *replace);

#endif
