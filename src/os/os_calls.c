/* The real system calls. Where systems differ, the difference ends here. */
#include "os/os_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif

static int sys_set_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

static int sys_openat(int directory, const char *path, int flags, mode_t mode)
{
    return openat(directory, path, flags, mode);
}

static int sys_dup_cloexec(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int sys_fstat(int fd, struct stat *status)
{
    return fstat(fd, status);
}

static int sys_lstat(const char *path, struct stat *status)
{
    return lstat(path, status);
}

static int sys_stat(const char *path, struct stat *status)
{
    return stat(path, status);
}

static ssize_t sys_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
#if defined(__APPLE__)
    (void)count;
    return pwrite(fd, pieces[0].iov_base, pieces[0].iov_len, offset);
#else
    return pwritev(fd, pieces, count, offset);
#endif
}

static int sys_fstatat(int directory, const char *path, struct stat *status, int flags)
{
    return fstatat(directory, path, status, flags);
}

/* Closes without losing the errno that is about to be reported. */
static int close_listing(DIR *listing, int result)
{
    int saved = errno;
    (void)closedir(listing);
    errno = saved;
    return result;
}

/* A directory that was removed reads as one without names: POSIX wants no error there. */
static int is_removed(DIR *listing)
{
    struct stat status;
    return fstat(dirfd(listing), &status) == 0 && status.st_nlink == 0;
}

static int sys_list(int directory, int (*seen)(void *self, const char *name), void *self)
{
    int fd;
    do {
        fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -1;
    DIR *listing = fdopendir(fd);
    if (listing == NULL) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(listing);
        if (entry == NULL) {
            int failed = errno != 0;
            if (!failed && is_removed(listing)) {
                errno = ENOENT;
                failed = 1;
            }
            return close_listing(listing, failed ? -1 : 0);
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (seen(self, entry->d_name) != 0)
            return close_listing(listing, 0);
    }
}

static int sys_sync_data(int fd)
{
#if defined(__APPLE__)
    /* fsync stops at the drive's cache there; file systems without F_FULLFSYNC have only fsync. */
    int rc = fcntl(fd, F_FULLFSYNC);
    return rc == -1 && (errno == ENOTSUP || errno == ENOTTY || errno == EINVAL) ? fsync(fd) : rc;
#else
    return fdatasync(fd);
#endif
}

static void sys_advise_sequential(int fd)
{
#if defined(POSIX_FADV_SEQUENTIAL)
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#elif defined(__APPLE__)
    (void)fcntl(fd, F_RDAHEAD, 1);
#else
    (void)fd;
#endif
}

static int sys_set_blocking(int fd, int blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

/* Where the flag of each send cannot keep SIGPIPE away, an option of the socket does. */
static int finish_socket(int fd)
{
    if (fd < 0)
        return fd;
#if defined(SO_NOSIGPIPE)
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
#if !defined(SOCK_CLOEXEC)
    if (sys_set_cloexec(fd) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
#else
    (void)sys_set_cloexec;
#endif
    return fd;
}

static int sys_socket(int family, int type, int protocol)
{
#if defined(SOCK_CLOEXEC)
    return finish_socket(socket(family, type | SOCK_CLOEXEC, protocol));
#else
    return finish_socket(socket(family, type, protocol));
#endif
}

static int sys_accept(int fd, struct sockaddr *address, socklen_t *size)
{
#if defined(SOCK_CLOEXEC)
    return finish_socket(accept4(fd, address, size, SOCK_CLOEXEC));
#else
    int accepted = finish_socket(accept(fd, address, size));
    /* Here a new socket takes over the listener's mode. */
    if (accepted >= 0)
        (void)sys_set_blocking(accepted, 1);
    return accepted;
#endif
}

/* The C library declares these with parameter types of its own. */
static int sys_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return bind(fd, address, size);
}

static int sys_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return connect(fd, address, size);
}

static int sys_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return getsockname(fd, address, size);
}

static int sys_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return getpeername(fd, address, size);
}

static int sys_unacknowledged(int fd)
{
    int bytes = 0;
#if defined(SIOCOUTQ)
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
#elif defined(FIONWRITE)
    return ioctl(fd, FIONWRITE, &bytes) == 0 ? bytes : 0;
#elif defined(SO_NWRITE)
    socklen_t size = sizeof bytes;
    return getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &size) == 0 ? bytes : 0;
#else
    (void)fd;
    return bytes;
#endif
}

static int sys_rename_new(int from_directory, const char *from, int to_directory, const char *to)
{
#if defined(RENAME_NOREPLACE)
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
#elif defined(RENAME_EXCL)
    return renameatx_np(from_directory, from, to_directory, to, RENAME_EXCL);
#else
    (void)from_directory;
    (void)from;
    (void)to_directory;
    (void)to;
    errno = ENOSYS;
    return -1;
#endif
}

static int sys_pipe_cloexec(int ends[2])
{
#if defined(__APPLE__)
    if (pipe(ends) != 0)
        return -1;
    (void)sys_set_cloexec(ends[0]);
    (void)sys_set_cloexec(ends[1]);
    return 0;
#else
    return pipe2(ends, O_CLOEXEC);
#endif
}

#if !defined(__GLIBC__) /* where unistd.h has it, as POSIX does not ask for */
extern char **environ;
#endif

/* What this thread holds back and this process ignores is not the child's business. */
static int spawn_signals(posix_spawnattr_t *how)
{
    sigset_t none;
    sigset_t broken_pipe;
    sigemptyset(&none);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    int result = posix_spawnattr_setsigmask(how, &none);
    if (result == 0)
        result = posix_spawnattr_setsigdefault(how, &broken_pipe);
    if (result == 0)
        result = posix_spawnattr_setflags(how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return result;
}

/* Descriptors that others opened without close-on-exec are not the child's either. */
static int spawn_without_others(posix_spawn_file_actions_t *files)
{
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    return posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
#endif
#endif
    (void)files;
    return 0;
}

static int sys_spawn(pid_t *child, const char *const *arguments, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    int result = posix_spawn_file_actions_init(&files);
    if (result != 0)
        return result;
    result = posix_spawnattr_init(&how);
    if (result != 0) {
        posix_spawn_file_actions_destroy(&files);
        return result;
    }
    result = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (result == 0)
        result = posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    if (result == 0)
        result = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (result == 0)
        result = spawn_without_others(&files);
    if (result == 0)
        result = spawn_signals(&how);
    if (result == 0)
        /* The strings are not written to: the type is that of exec, which is older than const. */
        result = posix_spawnp(child, arguments[0], &files, &how,
                              (char *const *)(uintptr_t)arguments, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return result;
}

static const flsi_os_calls system_calls = {
    .openat = sys_openat,
    .dup_cloexec = sys_dup_cloexec,
    .close = close,
    .fstat = sys_fstat,
    .lstat = sys_lstat,
    .stat = sys_stat,
    .readlink = readlink,
    .lseek = lseek,
    .read = read,
    .pread = pread,
    .write = write,
    .writev = writev,
    .pwrite = pwrite,
    .pwritev = sys_pwritev,
    .ftruncate = ftruncate,
    .sync_data = sys_sync_data,
    .sync_directory = fsync,
    .flock = flock,
    .fchmod = fchmod,
    .fchown = fchown,
    .renameat = renameat,
    .rename_new = sys_rename_new,
    .unlinkat = unlinkat,
    .mkdirat = mkdirat,
    .fstatat = sys_fstatat,
    .list = sys_list,
    .advise_sequential = sys_advise_sequential,
    .mmap = mmap,
    .munmap = munmap,
    .resolve = getaddrinfo,
    .socket = sys_socket,
    .set_blocking = sys_set_blocking,
    .setsockopt = setsockopt,
    .getsockopt = getsockopt,
    .bind = sys_bind,
    .listen = listen,
    .connect = sys_connect,
    .accept = sys_accept,
    .getsockname = sys_getsockname,
    .getpeername = sys_getpeername,
    .sendmsg = sendmsg,
    .recvmsg = recvmsg,
    .shutdown = shutdown,
    .unacknowledged = sys_unacknowledged,
    .poll = poll,
    .pipe_cloexec = sys_pipe_cloexec,
    .spawn = sys_spawn,
    .waitpid = waitpid,
    .mkdtemp = mkdtemp,
};

const flsi_os_calls *flsi_os_calls_system(void)
{
    return &system_calls;
}
