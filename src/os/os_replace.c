/* Replacing a file whole; see os_replace.h. */
#include "os/os_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flatstream/allocator.h"
#include "os/os_calls.h"
#include "os/os_error.h"
#include "os/os_path.h"

#define LINKS_MAX   40
#define NAME_TRIES  100
#define NAME_PREFIX 200 /* bytes of the final name that the temporary one repeats */

static const char rename_failed[] = "rename failed";

static fls_status replace_error(const flsi_replace *replace, fls_error *err, const char *text)
{
    return flsi_os_error(err, errno, replace->file.name, text);
}

/* Follows symbolic links at the end of path until target is no link, or nothing. */
static int follow_links(const flsi_os_calls *calls, const char *path, char target[FLSI_PATH_BYTES])
{
    char text[FLSI_PATH_BYTES];
    char next[FLSI_PATH_BYTES];
    struct stat status;
    if (flsi_path_follow("", path, target) != 0)
        return -1;
    for (int i = 0; i < LINKS_MAX; i++) {
        if (calls->lstat(target, &status) != 0)
            return errno == ENOENT ? 0 : -1;
        if (!S_ISLNK(status.st_mode))
            return 0;
        ssize_t bytes = calls->readlink(target, text, sizeof text - 1);
        if (bytes < 0)
            return -1;
        text[bytes] = '\0';
        if (flsi_path_follow(target, text, next) != 0)
            return -1;
        memcpy(target, next, sizeof next);
    }
    errno = ELOOP;
    return -1;
}

/* Nothing here is secret: O_EXCL makes the name ours, the number only makes a clash rare. */
static void make_temporary_name(flsi_replace *replace, uint64_t seed)
{
    const fls_clock *clock = fls_clock_monotonic();
    uint64_t number = (clock->now_ns(clock->self) + seed) * UINT64_C(0x9E3779B97F4A7C15);
    (void)snprintf(replace->temporary, sizeof replace->temporary, ".%.*s.tmp-%ld-%08" PRIx32,
                   NAME_PREFIX, replace->final, (long)getpid(), (uint32_t)(number >> 32));
}

static int make_temporary(flsi_replace *replace)
{
    const flsi_os_calls *calls = replace->file.calls;
    int existing = replace->old.fd >= 0;
    for (uint64_t i = 0; i < NAME_TRIES; i++) {
        make_temporary_name(replace, i);
        /* Nobody else reads it before it has the existing file's mode. */
        replace->file.fd =
            calls->openat(replace->directory_fd, replace->temporary,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, existing ? 0600 : 0666);
        if (replace->file.fd >= 0) {
            replace->file.owned = 1;
            replace->file.kind = FLSI_FILE_REGULAR;
            return 0;
        }
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    replace->temporary[0] = '\0';
    return -1;
}

/* The owner first, since changing it drops bits of the mode. Only a privileged process may give
 * files away; for others the new file is theirs. */
static int copy_ownership(const flsi_replace *replace)
{
    const flsi_os_calls *calls = replace->file.calls;
    struct stat old;
    struct stat new;
    if (calls->fstat(replace->old.fd, &old) != 0 || calls->fstat(replace->file.fd, &new) != 0)
        return -1;
    if (old.st_uid != new.st_uid || old.st_gid != new.st_gid)
        (void)calls->fchown(replace->file.fd, old.st_uid, old.st_gid);
    return calls->fchmod(replace->file.fd, old.st_mode & 07777);
}

/* Opens the directory that will hold the new name, and takes the name itself apart from it. */
static int open_place(flsi_replace *replace, const char *path)
{
    const flsi_os_calls *calls = replace->file.calls;
    char target[FLSI_PATH_BYTES];
    char directory[FLSI_PATH_BYTES];
    if (follow_links(calls, path, target) != 0 || flsi_path_directory(target, directory) != 0)
        return -1;
    const char *base = flsi_path_base(target);
    size_t bytes = strlen(base);
    if (bytes == 0 || bytes >= sizeof replace->final) {
        errno = bytes == 0 ? EISDIR : ENAMETOOLONG;
        return -1;
    }
    memcpy(replace->final, base, bytes + 1);
    do {
        replace->directory_fd =
            calls->openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    } while (replace->directory_fd < 0 && errno == EINTR);
    return replace->directory_fd < 0 ? -1 : 0;
}

/* Looks at what is there. An existing regular file has to be writable by us, and is locked so that
 * nobody appends to what is about to lose its name. */
static fls_status open_existing(flsi_replace *replace, const char *path, const flsi_os_calls *calls,
                                fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    fls_status status =
        flsi_file_open(&replace->old, path, FLSI_OPEN_WRITE | FLSI_OPEN_LOCK, calls, &why);
    if (status == FLS_OK) {
        replace->direct = replace->old.inherited || replace->old.kind != FLSI_FILE_REGULAR;
        return FLS_OK;
    }
    if (why.system_errno == ENOENT)
        return FLS_OK;
    if (err != NULL)
        *err = why;
    return status;
}

fls_status flsi_replace_open(flsi_replace *replace, const char *path, const flsi_os_calls *calls,
                             fls_error *err)
{
    static const char *const failed = "open for writing failed";
    memset(replace, 0, sizeof *replace);
    replace->directory_fd = -1;
    fls_status status = open_existing(replace, path, calls, err);
    replace->file = replace->old;
    if (status != FLS_OK)
        return status;
    if (replace->direct) {
        replace->old.fd = -1;
        replace->old.directory_fd = -1;
        return FLS_OK;
    }
    replace->file.fd = -1;
    if (open_place(replace, path) != 0 || make_temporary(replace) != 0 ||
        (replace->old.fd >= 0 && copy_ownership(replace) != 0)) {
        status = replace_error(replace, err, failed);
        flsi_replace_abort(replace);
    }
    return status;
}

static void close_place(flsi_replace *replace)
{
    if (replace->directory_fd >= 0)
        (void)replace->file.calls->close(replace->directory_fd);
    replace->directory_fd = -1;
    (void)flsi_file_close(&replace->old, NULL);
}

void flsi_replace_abort(flsi_replace *replace)
{
    (void)flsi_file_close(&replace->file, NULL);
    if (replace->temporary[0] != '\0')
        (void)replace->file.calls->unlinkat(replace->directory_fd, replace->temporary, 0);
    replace->temporary[0] = '\0';
    close_place(replace);
}

/* Opens what has the final name; without waiting, should that be a pipe. */
static int open_final(const flsi_replace *replace)
{
    int fd;
    do {
        fd = replace->file.calls->openat(replace->directory_fd, replace->final,
                                         O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Whether the name is still that of the file in old. */
static int names_old(const flsi_replace *replace)
{
    const flsi_os_calls *calls = replace->file.calls;
    struct stat old;
    struct stat now;
    int fd = open_final(replace);
    int same = fd >= 0 && calls->fstat(fd, &now) == 0 && calls->fstat(replace->old.fd, &old) == 0 &&
               now.st_dev == old.st_dev && now.st_ino == old.st_ino;
    if (fd >= 0)
        (void)calls->close(fd);
    return same;
}

/* Locks what has taken the name since it was looked at, because another writer's file is not
 * replaced under its hands. old stays closed when that lost the name again; *nothing: nothing has
 * it. */
static fls_status hold_newcomer(flsi_replace *replace, int *nothing, fls_error *err)
{
    const flsi_os_calls *calls = replace->file.calls;
    fls_status status = FLS_OK;
    int fd = open_final(replace);
    *nothing = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return *nothing ? FLS_OK : replace_error(replace, err, rename_failed);
    status = flsi_file_from_fd(&replace->old, fd, 1, calls, err);
    if (status != FLS_OK) {
        (void)calls->close(fd);
        return status;
    }
    memcpy(replace->old.name, replace->file.name, sizeof replace->old.name);
    if (replace->old.kind != FLSI_FILE_REGULAR)
        status = flsi_os_error_as(err, FLS_IO, EEXIST, replace->file.name, rename_failed);
    else
        status = flsi_file_lock(&replace->old, err);
    if (status != FLS_OK || !names_old(replace))
        (void)flsi_file_close(&replace->old, NULL);
    return status;
}

/* Gives the file its name. Where nothing had that name when it was looked at, nothing may have it
 * now either, unless it can be locked. */
static fls_status take_name(flsi_replace *replace, fls_error *err)
{
    const flsi_os_calls *calls = replace->file.calls;
    int directory = replace->directory_fd;
    int may_replace = replace->old.fd >= 0;
    for (int i = 0; i < NAME_TRIES; i++) {
        int result =
            may_replace
                ? calls->renameat(directory, replace->temporary, directory, replace->final)
                : calls->rename_new(directory, replace->temporary, directory, replace->final);
        if (result == 0) {
            replace->temporary[0] = '\0';
            return FLS_OK;
        }
        int taken = errno == EEXIST;
        if (may_replace || (!taken && errno != EINVAL && errno != ENOSYS && errno != ENOTSUP))
            return replace_error(replace, err, rename_failed);
        int nothing;
        fls_status status = hold_newcomer(replace, &nothing, err);
        if (status != FLS_OK)
            return status;
        may_replace = replace->old.fd >= 0 || (nothing && !taken);
    }
    return flsi_os_error_as(err, FLS_IO, EBUSY, replace->file.name, rename_failed);
}

/* The order is the promise: content durable, descriptor closed without complaint, name moved, name
 * durable. */
static fls_status put_in_place(flsi_replace *replace, int durable, fls_error *err)
{
    fls_status status = durable ? flsi_file_sync(&replace->file, err) : FLS_OK;
    if (status == FLS_OK)
        status = flsi_file_close(&replace->file, err);
    if (status != FLS_OK)
        return status;
    status = take_name(replace, err);
    if (status != FLS_OK)
        return status;
    return durable ? flsi_directory_fd_sync(&replace->file, replace->directory_fd, err) : FLS_OK;
}

/* A pipe or terminal cannot be durable, and nobody who names one expects it to be. */
static fls_status close_direct(flsi_replace *replace, int durable, fls_error *err)
{
    fls_status status = durable ? flsi_file_sync(&replace->file, err) : FLS_OK;
    if (status == FLS_OK || status == FLS_UNSUPPORTED)
        return flsi_file_close(&replace->file, err);
    (void)flsi_file_close(&replace->file, NULL);
    return status;
}

fls_status flsi_replace_commit(flsi_replace *replace, int durable, fls_error *err)
{
    if (replace->direct)
        return close_direct(replace, durable, err);
    fls_status status = put_in_place(replace, durable, err);
    flsi_replace_abort(replace);
    return status;
}
