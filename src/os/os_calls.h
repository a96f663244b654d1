/* The system calls that the library makes on files and sockets, as a table. Objects hold a pointer
 * to one, so that a test can let any call of one object fail without touching anything shared.
 * Only src/os includes this header, and tests that write such tables.
 */
#ifndef FLSI_OS_CALLS_H
#define FLSI_OS_CALLS_H

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "os/os_file.h"

/* Each member is the call of the same name and returns what that returns, errno included; what
 * differs is said. */
struct flsi_os_calls {
    int (*openat)(int directory, const char *path, int flags, mode_t mode);
    int (*dup_cloexec)(int fd);
    int (*close)(int fd);
    int (*fstat)(int fd, struct stat *status);
    int (*lstat)(const char *path, struct stat *status);
    int (*stat)(const char *path, struct stat *status);
    ssize_t (*readlink)(const char *path, char *buffer, size_t capacity);
    off_t (*lseek)(int fd, off_t offset, int whence);
    ssize_t (*read)(int fd, void *buffer, size_t capacity);
    ssize_t (*pread)(int fd, void *buffer, size_t capacity, off_t offset);
    ssize_t (*write)(int fd, const void *data, size_t size);
    ssize_t (*writev)(int fd, const struct iovec *pieces, int count);
    ssize_t (*pwrite)(int fd, const void *data, size_t size, off_t offset);
    /* Where the system has no such call the first piece alone is written. */
    ssize_t (*pwritev)(int fd, const struct iovec *pieces, int count, off_t offset);
    int (*ftruncate)(int fd, off_t size);
    int (*sync_data)(int fd); /* content and length: the strongest the system has */
    int (*sync_directory)(int fd);
    int (*flock)(int fd, int operation);
    int (*fchmod)(int fd, mode_t mode);
    int (*fchown)(int fd, uid_t owner, gid_t group);
    int (*renameat)(int from_directory, const char *from, int to_directory, const char *to);
    /* renameat that fails with EEXIST where `to` names something; EINVAL, ENOSYS or ENOTSUP where
     * the system or the file system has no such call. */
    int (*rename_new)(int from_directory, const char *from, int to_directory, const char *to);
    int (*unlinkat)(int directory, const char *path, int flags);
    int (*mkdirat)(int directory, const char *path, mode_t mode);
    int (*fstatat)(int directory, const char *path, struct stat *status, int flags);
    /* Calls back with every name but "." and ".." until that returns not 0; 0, or -1 and errno. The
     * descriptor's position is left alone. */
    int (*list)(int directory, int (*seen)(void *self, const char *name), void *self);
    void (*advise_sequential)(int fd);
    void *(*mmap)(void *address, size_t size, int protection, int flags, int fd, off_t offset);
    int (*munmap)(void *address, size_t size);

    int (*resolve)(const char *host, const char *port, const struct addrinfo *hints,
                   struct addrinfo **found);           /* getaddrinfo */
    int (*socket)(int family, int type, int protocol); /* close-on-exec */
    int (*set_blocking)(int fd, int blocking);
    int (*setsockopt)(int fd, int level, int option, const void *value, socklen_t size);
    int (*getsockopt)(int fd, int level, int option, void *value, socklen_t *size);
    int (*bind)(int fd, const struct sockaddr *address, socklen_t size);
    int (*listen)(int fd, int backlog);
    int (*connect)(int fd, const struct sockaddr *address, socklen_t size);
    int (*accept)(int fd, struct sockaddr *address, socklen_t *size); /* close-on-exec, blocking */
    int (*getsockname)(int fd, struct sockaddr *address, socklen_t *size);
    int (*getpeername)(int fd, struct sockaddr *address, socklen_t *size);
    ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
    ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
    int (*shutdown)(int fd, int how);
    /* Bytes sent and not acknowledged; 0 where the system does not tell. */
    int (*unacknowledged)(int fd);
    int (*poll)(struct pollfd *fds, nfds_t count, int timeout_ms);

    int (*pipe_cloexec)(int ends[2]);
    /* posix_spawnp of arguments[0]: nothing to read, both outputs to `output`. An errno, or 0. */
    int (*spawn)(pid_t *child, const char *const *arguments, int output);
    pid_t (*waitpid)(pid_t child, int *how, int options);
    char *(*mkdtemp)(char *pattern);
};

/* What the system says of a file, in our words. */
void flsi_file_info_from(flsi_file_info *info, const struct stat *status);

#endif
