/* Open directories and the files in them; see os_directory.h. */
#include "os/os_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "os/os_calls.h"
#include "os/os_error.h"
#include "os/os_path.h"

/* How often a file is opened again because its name is another file's by the time it is locked. */
#define LOCK_TRIES 100

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

#define RETRY_INTERRUPTED(result, call) \
    do {                                \
        (result) = (call);              \
    } while ((result) < 0 && errno == EINTR)

static fls_status name_error(fls_error *err, const char *name, const char *text)
{
    return flsi_os_error(err, errno, name, text);
}

static void note_missing(int *missing, int is)
{
    if (missing != NULL)
        *missing = is;
}

/* Opens a directory, made before if need be. */
static int open_or_make(const flsi_os_calls *calls, int at, const char *path, int create)
{
    int fd;
    int made;
    RETRY_INTERRUPTED(fd, calls->openat(at, path, DIRECTORY_FLAGS, 0));
    if (fd >= 0 || errno != ENOENT || !create)
        return fd;
    RETRY_INTERRUPTED(made, calls->mkdirat(at, path, 0777));
    if (made != 0 && errno != EEXIST)
        return -1;
    RETRY_INTERRUPTED(fd, calls->openat(at, path, DIRECTORY_FLAGS, 0));
    return fd;
}

/* The path without the slashes at its end, so that its directory can be told. */
static int trim_path(const char *path, char trimmed[FLSI_PATH_BYTES])
{
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    if (bytes == 0 || bytes >= FLSI_PATH_BYTES) {
        errno = bytes == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(trimmed, path, bytes);
    trimmed[bytes] = '\0';
    return 0;
}

/* The parent is synced whether the directory is new or not: who made it may have died before. One
 * that we may not read cannot be synced at all. */
static fls_status sync_parent(const char *path, const flsi_os_calls *calls, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_directory_sync(path, calls, &why);
    if (status == FLS_OK || why.system_errno == EACCES)
        return FLS_OK;
    if (err != NULL)
        *err = why;
    return status;
}

fls_status flsi_directory_open(flsi_directory *directory, const char *path, int create,
                               const flsi_os_calls *calls, fls_error *err)
{
    static const char *const failed = "opening the directory failed";
    char trimmed[FLSI_PATH_BYTES];
    directory->calls = calls != NULL ? calls : flsi_os_calls_system();
    directory->fd = -1;
    flsi_os_copy_name(directory->name, sizeof directory->name, path);
    if (trim_path(path, trimmed) != 0)
        return name_error(err, directory->name, failed);
    flsi_os_copy_name(directory->name, sizeof directory->name, trimmed);
    directory->fd = open_or_make(directory->calls, AT_FDCWD, trimmed, create);
    if (directory->fd < 0)
        return name_error(err, directory->name, failed);
    fls_status status = create ? sync_parent(trimmed, directory->calls, err) : FLS_OK;
    if (status != FLS_OK)
        flsi_directory_close(directory);
    return status;
}

fls_status flsi_directory_open_in(flsi_directory *directory, const flsi_directory *parent,
                                  const char *name, int create, int *missing, fls_error *err)
{
    directory->calls = parent->calls;
    flsi_os_copy_name(directory->name, sizeof directory->name, name);
    note_missing(missing, 0);
    directory->fd = open_or_make(parent->calls, parent->fd, name, create);
    if (directory->fd < 0) {
        note_missing(missing, errno == ENOENT);
        return name_error(err, directory->name, "opening the directory failed");
    }
    fls_status status = create ? flsi_directory_sync_names(parent, err) : FLS_OK;
    if (status != FLS_OK)
        flsi_directory_close(directory);
    return status;
}

void flsi_directory_close(flsi_directory *directory)
{
    if (directory->fd >= 0)
        (void)directory->calls->close(directory->fd);
    directory->fd = -1;
}

/* One try of opening a file that is there, or of making it. */
static int open_name(const flsi_directory *directory, flsi_file *file, const char *name,
                     unsigned how)
{
    const flsi_os_calls *calls = directory->calls;
    /* Without O_NONBLOCK a pipe in a file's place would hold us up. */
    int flags = O_CLOEXEC | O_NONBLOCK;
    if ((how & FLSI_OPEN_WRITE) == 0)
        flags |= O_RDONLY;
    else
        flags |= (how & FLSI_OPEN_READ) != 0 ? O_RDWR : O_WRONLY;
    if ((how & FLSI_OPEN_NEW) == 0) {
        RETRY_INTERRUPTED(file->fd, calls->openat(directory->fd, name, flags, 0));
        if (file->fd >= 0 || errno != ENOENT || (how & FLSI_OPEN_CREATE) == 0)
            return file->fd < 0 ? -1 : 0;
    } else {
        flags |= O_EXCL;
    }
    file->directory_fd = calls->dup_cloexec(directory->fd);
    if (file->directory_fd < 0)
        return -1;
    RETRY_INTERRUPTED(file->fd, calls->openat(directory->fd, name, flags | O_CREAT, 0666));
    return file->fd < 0 ? -1 : 0;
}

static fls_status open_regular(const flsi_directory *directory, flsi_file *file, const char *name,
                               unsigned how, flsi_file_info *info, int *missing, fls_error *err)
{
    memset(file, 0, sizeof *file);
    file->calls = directory->calls;
    file->fd = -1;
    file->directory_fd = -1;
    file->kind = FLSI_FILE_REGULAR;
    file->owned = 1;
    flsi_os_copy_name(file->name, sizeof file->name, name);
    if (open_name(directory, file, name, how) != 0) {
        note_missing(missing, errno == ENOENT);
        return name_error(err, file->name,
                          (how & FLSI_OPEN_WRITE) != 0 ? "open for writing failed"
                                                       : "open for reading failed");
    }
    fls_status status = flsi_file_info_get(file, info, err);
    if (status == FLS_OK && info->kind != FLSI_FILE_REGULAR)
        status = flsi_os_error_as(err, FLS_IO, 0, file->name, "not a regular file");
    return status;
}

fls_status flsi_directory_file(const flsi_directory *directory, flsi_file *file, const char *name,
                               unsigned how, int *missing, fls_error *err)
{
    flsi_file_info info = {.device = 0};
    flsi_file_info now = {.device = 0};
    note_missing(missing, 0);
    for (int i = 0; i < LOCK_TRIES; i++) {
        fls_status status = open_regular(directory, file, name, how, &info, missing, err);
        if (status == FLS_OK && (how & FLSI_OPEN_LOCK) != 0) {
            status = flsi_file_lock(file, err);
            if (status == FLS_OK &&
                (flsi_directory_info(directory, name, &now, NULL, NULL) != FLS_OK ||
                 now.device != info.device || now.inode != info.inode)) {
                (void)flsi_file_close(file, NULL);
                continue;
            }
        }
        if (status != FLS_OK)
            (void)flsi_file_close(file, NULL);
        return status;
    }
    return flsi_os_error_as(err, FLS_IO, EBUSY, file->name, "another file keeps taking its place");
}

fls_status flsi_directory_list(const flsi_directory *directory,
                               int (*seen)(void *self, const char *name), void *self,
                               fls_error *err)
{
    if (directory->calls->list(directory->fd, seen, self) == 0)
        return FLS_OK;
    return name_error(err, directory->name, "listing the directory failed");
}

fls_status flsi_directory_info(const flsi_directory *directory, const char *name,
                               flsi_file_info *info, int *missing, fls_error *err)
{
    struct stat status;
    note_missing(missing, 0);
    if (directory->calls->fstatat(directory->fd, name, &status, 0) != 0) {
        note_missing(missing, errno == ENOENT);
        return name_error(err, name, "asking for the file's size failed");
    }
    flsi_file_info_from(info, &status);
    return FLS_OK;
}

/* Where no call renames only to a free name, a look before has to do: the directory is its
 * writer's. */
static int rename_free(const flsi_directory *from_directory, const char *from,
                       const flsi_directory *to_directory, const char *to)
{
    struct stat status;
    const flsi_os_calls *calls = from_directory->calls;
    int result;
    RETRY_INTERRUPTED(result, calls->rename_new(from_directory->fd, from, to_directory->fd, to));
    if (result == 0 || (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP))
        return result;
    if (calls->fstatat(to_directory->fd, to, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    if (errno != ENOENT)
        return -1;
    RETRY_INTERRUPTED(result, calls->renameat(from_directory->fd, from, to_directory->fd, to));
    return result;
}

fls_status flsi_directory_rename(const flsi_directory *from_directory, const char *from,
                                 const flsi_directory *to_directory, const char *to, int replace,
                                 fls_error *err)
{
    int result;
    if (replace)
        RETRY_INTERRUPTED(result, from_directory->calls->renameat(from_directory->fd, from,
                                                                  to_directory->fd, to));
    else
        result = rename_free(from_directory, from, to_directory, to);
    return result == 0 ? FLS_OK : name_error(err, from, "rename failed");
}

fls_status flsi_directory_remove(const flsi_directory *directory, const char *name, fls_error *err)
{
    int result;
    RETRY_INTERRUPTED(result, directory->calls->unlinkat(directory->fd, name, 0));
    if (result == 0 || errno == ENOENT)
        return FLS_OK;
    return name_error(err, name, "removing the file failed");
}

fls_status flsi_directory_sync_names(const flsi_directory *directory, fls_error *err)
{
    flsi_file file;
    memset(&file, 0, sizeof file);
    file.calls = directory->calls;
    memcpy(file.name, directory->name, sizeof file.name);
    return flsi_directory_fd_sync(&file, directory->fd, err);
}

/* The block is as large as the file was when it was opened; one that has shrunk since is given as
 * large as it turned out to be. */
static fls_status read_open(const flsi_file *file, size_t limit, const fls_allocator *allocator,
                            void **data, size_t *size, fls_error *err)
{
    flsi_file_info info;
    size_t got = 0;
    fls_status status = flsi_file_info_get(file, &info, err);
    if (status != FLS_OK)
        return status;
    if (info.size_bytes > limit)
        return flsi_os_error_as(err, FLS_NO_SPACE, 0, file->name, "the file is too large");
    size_t bytes = (size_t)info.size_bytes;
    if (bytes == 0)
        return FLS_OK;
    uint8_t *block = allocator->resize(allocator->self, NULL, 0, bytes);
    if (block == NULL)
        return flsi_os_error_as(err, FLS_NO_MEMORY, 0, file->name, "no memory for the file");
    status = flsi_file_read_all_at(file, 0, block, bytes, &got, err);
    if (status == FLS_OK && got != 0 && got != bytes) {
        void *smaller = allocator->resize(allocator->self, block, bytes, got);
        if (smaller == NULL)
            status = flsi_os_error_as(err, FLS_NO_MEMORY, 0, file->name, "no memory for the file");
        else
            block = smaller;
    }
    if (status != FLS_OK || got == 0) {
        allocator->free(allocator->self, block, bytes);
        return status;
    }
    *data = block;
    *size = got;
    return FLS_OK;
}

fls_status flsi_directory_read_file(const flsi_directory *directory, const char *name, size_t limit,
                                    const fls_allocator *allocator, void **data, size_t *size,
                                    int *missing, fls_error *err)
{
    flsi_file file;
    *data = NULL;
    *size = 0;
    fls_status status = flsi_directory_file(directory, &file, name, FLSI_OPEN_READ, missing, err);
    if (status != FLS_OK)
        return status;
    status = read_open(&file, limit, allocator, data, size, err);
    (void)flsi_file_close(&file, NULL);
    return status;
}

/* Opens ".NAME.new", empty and locked, so that two that replace the same file do not write into
 * each other's. What an earlier one left is removed and not written over: its sync may have failed,
 * and then nothing it says of a later one can be believed. */
static fls_status open_replacement(const flsi_directory *directory, flsi_file *file,
                                   const char *name, fls_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        flsi_file_info info;
        fls_status status = flsi_directory_file(
            directory, file, name, FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK, NULL, err);
        if (status != FLS_OK)
            return status;
        status = flsi_file_info_get(file, &info, err);
        if (status == FLS_OK && info.size_bytes == 0)
            return FLS_OK;
        if (status == FLS_OK)
            status = flsi_directory_remove(directory, name, err);
        (void)flsi_file_close(file, NULL);
        if (status != FLS_OK)
            return status;
    }
    return flsi_os_error_as(err, FLS_IO, EBUSY, name, "another file keeps taking its place");
}

/* The order is the promise: content durable, name moved, name durable. The unfinished name need
 * not be durable. */
static fls_status replace_file(const flsi_directory *directory, flsi_file *file,
                               const char *temporary, const char *name, const void *data,
                               size_t size, fls_error *err)
{
    if (file->directory_fd >= 0)
        (void)file->calls->close(file->directory_fd);
    file->directory_fd = -1;
    const fls_span all = {data, size};
    size_t written;
    fls_status status = flsi_file_write_all_at(file, 0, &all, 1, &written, err);
    if (status == FLS_OK)
        status = flsi_file_sync(file, err);
    if (status == FLS_OK)
        status = flsi_directory_rename(directory, temporary, directory, name, 1, err);
    if (status != FLS_OK)
        (void)flsi_directory_remove(directory, temporary, NULL);
    return status;
}

fls_status flsi_directory_write_file(const flsi_directory *directory, const char *name,
                                     const void *data, size_t size, fls_error *err)
{
    char temporary[256];
    flsi_file file;
    int length = snprintf(temporary, sizeof temporary, ".%s.new", name);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return name_error(err, name, "open for writing failed");
    }
    fls_status status = open_replacement(directory, &file, temporary, err);
    if (status != FLS_OK)
        return status;
    status = replace_file(directory, &file, temporary, name, data, size, err);
    fls_status closed = flsi_file_close(&file, status == FLS_OK ? err : NULL);
    if (status == FLS_OK)
        status = closed;
    return status == FLS_OK ? flsi_directory_sync_names(directory, err) : status;
}
