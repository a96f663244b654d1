/* An open directory and the files in it, by names relative to it: so that it may be renamed while
 * it is in use, and a test's table of calls sees all that happens.
 */
#ifndef FLSI_OS_DIRECTORY_H
#define FLSI_OS_DIRECTORY_H

#include "flatstream/allocator.h"
#include "os/os_file.h"

typedef struct flsi_directory {
    const flsi_os_calls *calls;
    int fd;
    char name[32]; /* end of the path, for errors */
} flsi_directory;

/* create 1: made, mode 0777 less the umask, when it is not there, and its parent synced. calls may
 * be NULL. */
fls_status flsi_directory_open(flsi_directory *directory, const char *path, int create,
                               const flsi_os_calls *calls, fls_error *err);
/* A directory in a directory. *missing (may be NULL) is 1 when that is why it failed. */
fls_status flsi_directory_open_in(flsi_directory *directory, const flsi_directory *parent,
                                  const char *name, int create, int *missing, fls_error *err);
void flsi_directory_close(flsi_directory *directory); /* harmless when closed */

/* Opens a regular file; how as for flsi_file_open, and FLSI_OPEN_NEW. A new file's name becomes
 * durable with its first flsi_file_sync. *missing (may be NULL) is 1 when there is none. */
#define FLSI_OPEN_NEW 32u /* with CREATE: fails when there is one already */
fls_status flsi_directory_file(const flsi_directory *directory, flsi_file *file, const char *name,
                               unsigned how, int *missing, fls_error *err);

/* Calls back with every name but "." and "..", in no order; not 0 ends it. */
fls_status flsi_directory_list(const flsi_directory *directory,
                               int (*seen)(void *self, const char *name), void *self,
                               fls_error *err);

/* Size and times of a file by its name. *missing (may be NULL). */
fls_status flsi_directory_info(const flsi_directory *directory, const char *name,
                               flsi_file_info *info, int *missing, fls_error *err);

/* Renames, within and between directories. replace 0: fails when `to` names something. */
fls_status flsi_directory_rename(const flsi_directory *from_directory, const char *from,
                                 const flsi_directory *to_directory, const char *to, int replace,
                                 fls_error *err);
/* A file that is not there is no failure. */
fls_status flsi_directory_remove(const flsi_directory *directory, const char *name, fls_error *err);
/* Makes the names durable. */
fls_status flsi_directory_sync_names(const flsi_directory *directory, fls_error *err);

/* A small file as a whole, in memory of allocator's (free *data with *size bytes). FLS_NO_SPACE
 * when it is larger than limit. *missing (may be NULL). */
fls_status flsi_directory_read_file(const flsi_directory *directory, const char *name, size_t limit,
                                    const fls_allocator *allocator, void **data, size_t *size,
                                    int *missing, fls_error *err);
/* Replaces a file whole: ".NAME.new", sync, rename, sync of the directory. */
fls_status flsi_directory_write_file(const flsi_directory *directory, const char *name,
                                     const void *data, size_t size, fls_error *err);

#endif
