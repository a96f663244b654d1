/* Open files by value: opening, locking, reading, writing, making durable. */
#include "os/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "os/os_calls.h"
#include "os/os_error.h"
#include "os/os_path.h"
#include "os/os_sigpipe.h"

/* One transfer moves at most this: some systems refuse more than INT_MAX. */
#define TRANSFER_MAX_BYTES ((size_t)1 << 30)

/* Pieces in one gathered write; no system has an IOV_MAX below 16. */
#if defined(IOV_MAX) && IOV_MAX < 64
#define PIECES_MAX ((size_t)IOV_MAX)
#else
#define PIECES_MAX ((size_t)64)
#endif

/* How often a path is opened again because it names another file by the time it is locked. */
#define LOCK_TRIES 100

#define RETRY_INTERRUPTED(result, call) \
    do {                                \
        (result) = (call);              \
    } while ((result) < 0 && errno == EINTR)

static flsi_file_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return FLSI_FILE_REGULAR;
    if (S_ISFIFO(mode))
        return FLSI_FILE_PIPE;
    if (S_ISSOCK(mode))
        return FLSI_FILE_SOCKET;
    return FLSI_FILE_OTHER;
}

static void file_init(flsi_file *file, const flsi_os_calls *calls, const char *name)
{
    memset(file, 0, sizeof *file);
    file->calls = calls != NULL ? calls : flsi_os_calls_system();
    file->fd = -1;
    file->directory_fd = -1;
    file->kind = FLSI_FILE_OTHER;
    flsi_os_copy_name(file->name, sizeof file->name, name);
}

static fls_status file_error(const flsi_file *file, fls_error *err, const char *text)
{
    return flsi_os_error(err, errno, file->name, text);
}

/* Closes without losing the errno that is about to be reported. */
static void file_drop(flsi_file *file)
{
    int saved = errno;
    (void)flsi_file_close(file, NULL);
    errno = saved;
}

static const char *open_text(unsigned how)
{
    return (how & FLSI_OPEN_WRITE) != 0 ? "open for writing failed" : "open for reading failed";
}

static int open_flags(unsigned how)
{
    if ((how & FLSI_OPEN_WRITE) == 0)
        return O_RDONLY | O_CLOEXEC;
    return ((how & FLSI_OPEN_READ) != 0 ? O_RDWR : O_WRONLY) | O_CLOEXEC;
}

/* Asks what the descriptor is; refuses a directory, which some systems let one open. */
static int file_identify(flsi_file *file, struct stat *status)
{
    if (file->calls->fstat(file->fd, status) != 0)
        return -1;
    if (S_ISDIR(status->st_mode)) {
        errno = EISDIR;
        return -1;
    }
    file->kind = kind_of(status->st_mode);
    return 0;
}

/* Keeps the directory of a file that is about to be made, so that its first sync can make the name
 * durable too. A directory that we may write to but not read cannot be synced at all; the file
 * systems in use then carry a new name with the file's own sync. */
static int file_remember_directory(flsi_file *file, const char *path)
{
    char directory[FLSI_PATH_BYTES];
    if (flsi_path_directory(path, directory) != 0)
        return -1;
    RETRY_INTERRUPTED(
        file->directory_fd,
        file->calls->openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    return file->directory_fd < 0 && errno != EACCES ? -1 : 0;
}

/* One try of opening path, made when it is not there and that was asked for. */
static int file_open_path(flsi_file *file, const char *path, unsigned how)
{
    const flsi_os_calls *calls = file->calls;
    int flags = open_flags(how);
    RETRY_INTERRUPTED(file->fd, calls->openat(AT_FDCWD, path, flags, 0));
    if (file->fd >= 0 || errno != ENOENT || (how & FLSI_OPEN_CREATE) == 0)
        return file->fd < 0 ? -1 : 0;
    if (file_remember_directory(file, path) != 0)
        return -1;
    RETRY_INTERRUPTED(file->fd, calls->openat(AT_FDCWD, path, flags | O_CREAT, 0666));
    return file->fd < 0 ? -1 : 0;
}

static int path_is_file(const flsi_file *file, const char *path, const struct stat *status)
{
    struct stat now;
    return file->calls->stat(path, &now) == 0 && now.st_dev == status->st_dev &&
           now.st_ino == status->st_ino;
}

/* Opens and locks until path names what was locked: another process may rename a file into its
 * place in between. */
static fls_status file_open_locked(flsi_file *file, const char *path, unsigned how, fls_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat status;
        if (file_open_path(file, path, how) != 0 || file_identify(file, &status) != 0)
            return file_error(file, err, open_text(how));
        if (file->kind != FLSI_FILE_REGULAR)
            return FLS_OK;
        fls_status locked = flsi_file_lock(file, err);
        if (locked != FLS_OK || path_is_file(file, path, &status))
            return locked;
        const flsi_os_calls *calls = file->calls;
        file_drop(file);
        file_init(file, calls, path);
        file->owned = 1;
    }
    return flsi_os_error_as(err, FLS_IO, EBUSY, file->name, "another file keeps taking its place");
}

static fls_status file_open_unlocked(flsi_file *file, const char *path, unsigned how,
                                     fls_error *err)
{
    struct stat status;
    int descriptor = flsi_path_descriptor(path);
    int failed = 0;
    if (descriptor >= 0) {
        file->inherited = 1;
        file->fd = file->calls->dup_cloexec(descriptor);
        failed = file->fd < 0;
    } else {
        failed = file_open_path(file, path, how) != 0;
    }
    if (failed || file_identify(file, &status) != 0)
        return file_error(file, err, open_text(how));
    return FLS_OK;
}

fls_status flsi_file_open(flsi_file *file, const char *path, unsigned how,
                          const flsi_os_calls *calls, fls_error *err)
{
    file_init(file, calls, path);
    file->owned = 1;
    int descriptor = flsi_path_descriptor(path) >= 0;
    if (descriptor && (how & FLSI_OPEN_BY_PATH) != 0)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, 0, file->name,
                                "an open descriptor cannot be changed so: name the file itself");
    int lock = (how & FLSI_OPEN_LOCK) != 0 && !descriptor;
    fls_status status =
        lock ? file_open_locked(file, path, how, err) : file_open_unlocked(file, path, how, err);
    if (status != FLS_OK)
        file_drop(file);
    return status;
}

fls_status flsi_file_create(flsi_file *file, const char *path, int *exists,
                            const flsi_os_calls *calls, fls_error *err)
{
    struct stat status;
    file_init(file, calls, path);
    file->owned = 1;
    if (exists != NULL)
        *exists = 0;
    if (file_remember_directory(file, path) == 0) {
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
        RETRY_INTERRUPTED(file->fd, file->calls->openat(AT_FDCWD, path, flags, 0666));
        if (file->fd < 0 && errno == EEXIST && exists != NULL)
            *exists = 1;
    }
    if (file->fd >= 0 && file_identify(file, &status) == 0)
        return FLS_OK;
    fls_status result = file_error(file, err, "making a new file failed");
    file_drop(file);
    return result;
}

void flsi_file_remove(const flsi_file *file, const char *path)
{
    (void)file->calls->unlinkat(AT_FDCWD, path, 0);
}

fls_status flsi_file_from_fd(flsi_file *file, int fd, int owned, const flsi_os_calls *calls,
                             fls_error *err)
{
    struct stat status;
    file_init(file, calls, "");
    file->fd = fd;
    if (file_identify(file, &status) != 0) {
        fls_status result = file_error(file, err, "not a usable descriptor");
        file->fd = -1;
        return result;
    }
    file->owned = owned != 0;
#if defined(SO_NOSIGPIPE)
    int on = 1;
    if (file->kind == FLSI_FILE_SOCKET)
        (void)file->calls->setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return FLS_OK;
}

flsi_file flsi_file_borrow(const flsi_file *file)
{
    flsi_file copy = *file;
    copy.owned = 0;
    copy.directory_fd = -1;
    return copy;
}

fls_status flsi_file_close(flsi_file *file, fls_error *err)
{
    fls_status status = FLS_OK;
    if (file->directory_fd >= 0)
        (void)file->calls->close(file->directory_fd);
    /* An interrupted close has closed the descriptor; a second one could hit somebody else's. */
    if (file->fd >= 0 && file->owned && file->calls->close(file->fd) != 0 && errno != EINTR &&
        errno != EINPROGRESS)
        status = flsi_os_error_as(err, errno == EAGAIN ? FLS_IO : flsi_os_status(errno), errno,
                                  file->name, "close failed");
    file->fd = -1;
    file->directory_fd = -1;
    return status;
}

fls_status flsi_file_lock(const flsi_file *file, fls_error *err)
{
    int result = 0;
    RETRY_INTERRUPTED(result, file->calls->flock(file->fd, LOCK_EX | LOCK_NB));
    if (result == 0)
        return FLS_OK;
    switch (errno) {
    case EOPNOTSUPP:
    case ENOSYS:
    case EINVAL:
    case ENOLCK: return FLS_OK;
    case EWOULDBLOCK:
        return flsi_os_error_as(err, FLS_LOCKED, errno, file->name, "another writer has it open");
    default: return file_error(file, err, "lock failed");
    }
}

void flsi_file_info_from(flsi_file_info *info, const struct stat *status)
{
#if defined(__APPLE__)
    const struct timespec *modified = &status->st_mtimespec;
#else
    const struct timespec *modified = &status->st_mtim;
#endif
    info->device = (uint64_t)status->st_dev;
    info->inode = (uint64_t)status->st_ino;
    info->size_bytes = (uint64_t)status->st_size;
    info->modified_ns = (int64_t)modified->tv_sec * 1000000000 + (int64_t)modified->tv_nsec;
    info->kind = kind_of(status->st_mode);
}

fls_status flsi_file_info_get(const flsi_file *file, flsi_file_info *info, fls_error *err)
{
    struct stat status;
    if (file->calls->fstat(file->fd, &status) != 0)
        return file_error(file, err, "asking for the file's size failed");
    flsi_file_info_from(info, &status);
    return FLS_OK;
}

static fls_status read_result(const flsi_file *file, ssize_t result, size_t *got, fls_error *err)
{
    if (result < 0)
        return file_error(file, err, "read failed");
    *got = (size_t)result;
    return result == 0 ? FLS_END : FLS_OK;
}

static size_t at_most(size_t size, size_t limit)
{
    return size < limit ? size : limit;
}

fls_status flsi_file_read(const flsi_file *file, void *buffer, size_t capacity, size_t *got,
                          fls_error *err)
{
    ssize_t result = 0;
    *got = 0;
    if (capacity == 0)
        return FLS_OK;
    RETRY_INTERRUPTED(result,
                      file->calls->read(file->fd, buffer, at_most(capacity, TRANSFER_MAX_BYTES)));
    return read_result(file, result, got, err);
}

/* Offsets that no file can have are behind every end. */
static int offset_fits(uint64_t offset)
{
    return offset <= (uint64_t)INT64_MAX && (uint64_t)(off_t)offset == offset;
}

fls_status flsi_file_read_at(const flsi_file *file, uint64_t offset, void *buffer, size_t capacity,
                             size_t *got, fls_error *err)
{
    ssize_t result = 0;
    *got = 0;
    if (capacity == 0)
        return FLS_OK;
    if (!offset_fits(offset))
        return FLS_END;
    RETRY_INTERRUPTED(
        result,
        file->calls->pread(file->fd, buffer, at_most(capacity, TRANSFER_MAX_BYTES), (off_t)offset));
    return read_result(file, result, got, err);
}

static ssize_t send_pieces(const flsi_file *file, struct iovec *pieces, size_t count)
{
    struct msghdr message;
    int flags = 0;
#if defined(MSG_NOSIGNAL)
    flags = MSG_NOSIGNAL;
#endif
    memset(&message, 0, sizeof message);
    message.msg_iov = pieces;
    message.msg_iovlen = (__typeof__(message.msg_iovlen))count;
    return file->calls->sendmsg(file->fd, &message, flags);
}

static ssize_t write_pieces(const flsi_file *file, struct iovec *pieces, size_t count)
{
    if (count == 1)
        return file->calls->write(file->fd, pieces->iov_base, pieces->iov_len);
    return file->calls->writev(file->fd, pieces, (int)count);
}

/* The one way out: every write of the library to a descriptor goes through here. */
static fls_status put_pieces(const flsi_file *file, struct iovec *pieces, size_t count,
                             size_t *written, fls_error *err)
{
    ssize_t result = 0;
    size_t offered = 0;
    flsi_sigpipe_guard guard;
    for (size_t i = 0; i < count; i++)
        offered += pieces[i].iov_len;
    switch (file->kind) {
    case FLSI_FILE_SOCKET: RETRY_INTERRUPTED(result, send_pieces(file, pieces, count)); break;
    case FLSI_FILE_PIPE:
        flsi_sigpipe_hold(&guard);
        RETRY_INTERRUPTED(result, write_pieces(file, pieces, count));
        /* A write that was blocked when the reader went away is cut short, with the signal too. */
        flsi_sigpipe_release(&guard, result < 0 ? errno == EPIPE : (size_t)result < offered);
        break;
    default: RETRY_INTERRUPTED(result, write_pieces(file, pieces, count)); break;
    }
    if (result < 0)
        return file_error(file, err, "write failed");
    *written = (size_t)result;
    return FLS_OK;
}

fls_status flsi_file_write(const flsi_file *file, const void *data, size_t size, size_t *written,
                           fls_error *err)
{
    const fls_span span = {data, size};
    return flsi_file_writev(file, &span, 1, written, err);
}

/* As many of the spans as one call takes; empty ones are left out. */
static size_t gather_pieces(struct iovec pieces[PIECES_MAX], const fls_span *spans, size_t count)
{
    size_t used = 0;
    size_t room = TRANSFER_MAX_BYTES;
    for (size_t i = 0; i < count && used < PIECES_MAX && room != 0; i++) {
        size_t size = at_most(spans[i].size, room);
        if (size == 0)
            continue;
        pieces[used].iov_base = (void *)(uintptr_t)spans[i].data;
        pieces[used].iov_len = size;
        used++;
        room -= size;
    }
    return used;
}

fls_status flsi_file_writev(const flsi_file *file, const fls_span *spans, size_t count,
                            size_t *written, fls_error *err)
{
    struct iovec pieces[PIECES_MAX];
    size_t used = gather_pieces(pieces, spans, count);
    *written = 0;
    return used == 0 ? FLS_OK : put_pieces(file, pieces, used, written, err);
}

fls_status flsi_file_write_at(const flsi_file *file, uint64_t offset, const void *data, size_t size,
                              size_t *written, fls_error *err)
{
    const fls_span span = {data, size};
    return flsi_file_writev_at(file, offset, &span, 1, written, err);
}

fls_status flsi_file_writev_at(const flsi_file *file, uint64_t offset, const fls_span *spans,
                               size_t count, size_t *written, fls_error *err)
{
    struct iovec pieces[PIECES_MAX];
    size_t used = gather_pieces(pieces, spans, count);
    ssize_t result = 0;
    *written = 0;
    if (used == 0)
        return FLS_OK;
    if (!offset_fits(offset) || !offset_fits(offset + TRANSFER_MAX_BYTES)) {
        errno = EFBIG;
        return file_error(file, err, "write failed");
    }
    if (used == 1)
        RETRY_INTERRUPTED(result, file->calls->pwrite(file->fd, pieces->iov_base, pieces->iov_len,
                                                      (off_t)offset));
    else
        RETRY_INTERRUPTED(result, file->calls->pwritev(file->fd, pieces, (int)used, (off_t)offset));
    if (result < 0)
        return file_error(file, err, "write failed");
    *written = (size_t)result;
    return FLS_OK;
}

fls_status flsi_file_read_all_at(const flsi_file *file, uint64_t offset, void *buffer, size_t size,
                                 size_t *got, fls_error *err)
{
    *got = 0;
    while (*got < size) {
        size_t part = 0;
        fls_status status = flsi_file_read_at(file, offset + *got, (uint8_t *)buffer + *got,
                                              size - *got, &part, err);
        if (status != FLS_OK)
            return status == FLS_END ? FLS_OK : status;
        *got += part;
    }
    return FLS_OK;
}

fls_status flsi_file_write_all_at(const flsi_file *file, uint64_t offset, const fls_span *spans,
                                  size_t count, size_t *written, fls_error *err)
{
    size_t first = 0;
    size_t inside = 0; /* of the first span that is not all written */
    *written = 0;
    for (;;) {
        size_t part = 0;
        fls_status status;
        for (; first < count && inside >= spans[first].size; first++)
            inside -= spans[first].size;
        if (first == count)
            return FLS_OK;
        if (inside == 0)
            status = flsi_file_writev_at(file, offset + *written, spans + first, count - first,
                                         &part, err);
        else
            status = flsi_file_write_at(file, offset + *written,
                                        (const uint8_t *)spans[first].data + inside,
                                        spans[first].size - inside, &part, err);
        if (status == FLS_OK && part == 0) /* not to be tried for ever */
            status = flsi_os_error_as(err, FLS_IO, 0, file->name, "a write took nothing");
        if (status != FLS_OK)
            return status;
        *written += part;
        inside += part;
    }
}

fls_status flsi_file_truncate(const flsi_file *file, uint64_t size_bytes, fls_error *err)
{
    int result = 0;
    if (!offset_fits(size_bytes)) {
        errno = EFBIG;
        return file_error(file, err, "truncate failed");
    }
    RETRY_INTERRUPTED(result, file->calls->ftruncate(file->fd, (off_t)size_bytes));
    return result == 0 ? FLS_OK : file_error(file, err, "truncate failed");
}

static fls_status file_seek(const flsi_file *file, int whence, uint64_t *offset, fls_error *err)
{
    off_t place = file->calls->lseek(file->fd, 0, whence);
    if (place < 0)
        return file_error(file, err, "seek failed");
    if (offset != NULL)
        *offset = (uint64_t)place;
    return FLS_OK;
}

fls_status flsi_file_position(const flsi_file *file, uint64_t *offset, fls_error *err)
{
    return file_seek(file, SEEK_CUR, offset, err);
}

fls_status flsi_file_seek_end(const flsi_file *file, uint64_t *offset, fls_error *err)
{
    return file_seek(file, SEEK_END, offset, err);
}

fls_status flsi_directory_fd_sync(const flsi_file *file, int directory_fd, fls_error *err)
{
    int result = 0;
    RETRY_INTERRUPTED(result, file->calls->sync_directory(directory_fd));
    /* Some file systems cannot sync a directory and say so; nothing is left to be done there. */
    if (result == 0 || errno == EINVAL || errno == ENOTSUP)
        return FLS_OK;
    return file_error(file, err, "sync of the directory failed");
}

fls_status flsi_file_sync(flsi_file *file, fls_error *err)
{
    static const char *const unsupported = "bytes cannot be made durable there";
    int result = 0;
    if (file->kind == FLSI_FILE_PIPE || file->kind == FLSI_FILE_SOCKET)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, 0, file->name, unsupported);
    RETRY_INTERRUPTED(result, file->calls->sync_data(file->fd));
    if (result != 0) {
        if (file->kind == FLSI_FILE_OTHER &&
            (errno == EINVAL || errno == EROFS || errno == ENOTSUP))
            return flsi_os_error_as(err, FLS_UNSUPPORTED, errno, file->name, unsupported);
        return file_error(file, err, "sync failed");
    }
    if (file->directory_fd < 0)
        return FLS_OK;
    fls_status status = flsi_directory_fd_sync(file, file->directory_fd, err);
    (void)file->calls->close(file->directory_fd);
    file->directory_fd = -1;
    return status;
}

void flsi_file_will_read_all(const flsi_file *file)
{
    file->calls->advise_sequential(file->fd);
}

fls_status flsi_directory_sync(const char *path, const flsi_os_calls *calls, fls_error *err)
{
    flsi_file directory;
    char directory_path[FLSI_PATH_BYTES];
    file_init(&directory, calls, path);
    if (flsi_path_directory(path, directory_path) != 0)
        return file_error(&directory, err, "sync of the directory failed");
    RETRY_INTERRUPTED(directory.fd, directory.calls->openat(AT_FDCWD, directory_path,
                                                            O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    if (directory.fd < 0)
        return file_error(&directory, err, "sync of the directory failed");
    directory.owned = 1;
    fls_status status = flsi_directory_fd_sync(&directory, directory.fd, err);
    (void)flsi_file_close(&directory, NULL);
    return status;
}
