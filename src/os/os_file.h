/* Open files, pipes, terminals and sockets, without the operating system's headers: what io and
 * stream stand on. Each function is one try of one transfer: interrupted calls are repeated,
 * partial transfers are not, but by the two whose names have "all" in them (and for sinks and
 * sources by fls_sink_write_all and fls_source_read_all).
 */
#ifndef FLSI_OS_FILE_H
#define FLSI_OS_FILE_H

#include "flatstream/sink.h"
#include "flatstream/status.h"

/* The system calls in use; os_calls.h shows inside. Tests put their own table in its place. */
typedef struct flsi_os_calls flsi_os_calls;

/* The real ones. */
const flsi_os_calls *flsi_os_calls_system(void);

typedef enum flsi_file_kind {
    FLSI_FILE_REGULAR = 1,
    FLSI_FILE_PIPE = 2,
    FLSI_FILE_SOCKET = 3,
    FLSI_FILE_OTHER = 4 /* terminal, device */
} flsi_file_kind;

/* An open descriptor, held by value. Plain data: copying it copies no ownership, so one of the
 * copies has to have owned 0 (flsi_file_borrow). A closed one has fd -1. */
typedef struct flsi_file {
    const flsi_os_calls *calls;
    int fd;
    int directory_fd; /* of a file that was made here, until its first sync; else -1 */
    flsi_file_kind kind;
    int owned;     /* 0: close leaves fd open */
    int inherited; /* opened by the name of an open descriptor: no lock, nothing emptied */
    char name[32]; /* end of the path, for errors */
} flsi_file;

typedef struct flsi_file_info {
    uint64_t device; /* device and inode together say which file this is */
    uint64_t inode;
    uint64_t size_bytes;
    int64_t modified_ns; /* since 1970 */
    flsi_file_kind kind;
} flsi_file_info;

/* How to open; READ or WRITE or both. */
#define FLSI_OPEN_READ  1u
#define FLSI_OPEN_WRITE 2u
/* Makes a file that is not there, mode 0666 less the umask. Nothing is ever emptied by opening. */
#define FLSI_OPEN_CREATE 4u
/* Takes the writer's lock as flsi_file_lock does, and makes sure that path still names the locked
 * file. Only a regular file is locked. */
#define FLSI_OPEN_LOCK 8u
/* Refuses the name of an open descriptor with FLS_UNSUPPORTED: its position is its owner's, and no
 * lock keeps others away. */
#define FLSI_OPEN_BY_PATH 16u

/* Opens path; calls may be NULL for the real ones. Close-on-exec. "/dev/stdin", "/dev/stdout",
 * "/dev/fd/N" are the open descriptors, with their position, whatever they are. A directory is
 * refused. FLS_LOCKED when the lock is another's; nothing is changed then. */
fls_status flsi_file_open(flsi_file *file, const char *path, unsigned how,
                          const flsi_os_calls *calls, fls_error *err);

/* Makes a new file, mode 0666 less the umask, open for writing. When there is something at path
 * already: FLS_IO, and *exists (may be NULL) is 1. */
fls_status flsi_file_create(flsi_file *file, const char *path, int *exists,
                            const flsi_os_calls *calls, fls_error *err);

/* Takes the name of a file that was made and is not wanted after all; never fails. */
void flsi_file_remove(const flsi_file *file, const char *path);

/* An open descriptor. With owned not 0 flsi_file_close closes it; on failure it stays open. */
fls_status flsi_file_from_fd(flsi_file *file, int fd, int owned, const flsi_os_calls *calls,
                             fls_error *err);

/* The same file for a second user: closing what is returned leaves the file open. */
flsi_file flsi_file_borrow(const flsi_file *file);

/* Closes what is owned and forgets the rest; reports what close(2) reports. Harmless when closed.
 * A lock ends here, or with the process. */
fls_status flsi_file_close(flsi_file *file, fls_error *err);

/* The writer's lock: exclusive, advisory, on the open file (flock); not waited for. FLS_LOCKED when
 * another open file has it, in this process or another. A file system that has no locks at all is
 * written without. */
fls_status flsi_file_lock(const flsi_file *file, fls_error *err);

fls_status flsi_file_info_get(const flsi_file *file, flsi_file_info *info, fls_error *err);

/* From the file's position. FLS_END at the end, *got 0. */
fls_status flsi_file_read(const flsi_file *file, void *buffer, size_t capacity, size_t *got,
                          fls_error *err);
/* Regular files only; does not move the position. FLS_END at or behind the end. */
fls_status flsi_file_read_at(const flsi_file *file, uint64_t offset, void *buffer, size_t capacity,
                             size_t *got, fls_error *err);

/* At the file's position. Never raises SIGPIPE: a reader or peer that went away is FLS_CLOSED. */
fls_status flsi_file_write(const flsi_file *file, const void *data, size_t size, size_t *written,
                           fls_error *err);
fls_status flsi_file_writev(const flsi_file *file, const fls_span *spans, size_t count,
                            size_t *written, fls_error *err);

/* Regular files only; at an offset, and the position stays where it is. */
fls_status flsi_file_write_at(const flsi_file *file, uint64_t offset, const void *data, size_t size,
                              size_t *written, fls_error *err);
fls_status flsi_file_writev_at(const flsi_file *file, uint64_t offset, const fls_span *spans,
                               size_t count, size_t *written, fls_error *err);

/* Whole transfers at an offset. Reading ends before size only where the file ends, which is no
 * failure; *got says where. Writing takes all of the spans or fails, and *written says how much of
 * them is in the file in any case. */
fls_status flsi_file_read_all_at(const flsi_file *file, uint64_t offset, void *buffer, size_t size,
                                 size_t *got, fls_error *err);
fls_status flsi_file_write_all_at(const flsi_file *file, uint64_t offset, const fls_span *spans,
                                  size_t count, size_t *written, fls_error *err);

/* Sets the length; the position stays where it is. */
fls_status flsi_file_truncate(const flsi_file *file, uint64_t size_bytes, fls_error *err);

fls_status flsi_file_position(const flsi_file *file, uint64_t *offset, fls_error *err);
/* Moves the position to the end, and says where that is. offset may be NULL. */
fls_status flsi_file_seek_end(const flsi_file *file, uint64_t *offset, fls_error *err);

/* Makes content and length durable, and the name too the first time for a file that was made here.
 * FLS_UNSUPPORTED for what cannot be durable (pipes, sockets, terminals). A failure is final: it
 * must not be repeated and believed. */
fls_status flsi_file_sync(flsi_file *file, fls_error *err);

/* Tells the system that the file will be read from front to back; never fails. */
void flsi_file_will_read_all(const flsi_file *file);

/* Makes the names in an open directory durable; file says whose name stands in err. */
fls_status flsi_directory_fd_sync(const flsi_file *file, int directory_fd, fls_error *err);

/* Makes the names in the directory that holds path durable: after a rename or removal. */
fls_status flsi_directory_sync(const char *path, const flsi_os_calls *calls, fls_error *err);

#endif
