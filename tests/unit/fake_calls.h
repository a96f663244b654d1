/* The system calls with a fault among them: a table that counts its calls and lets the one with a
 * chosen number fail, or every call of one name, and that can cut transfers short. For one program
 * that includes it once.
 */
#ifndef TESTS_UNIT_FAKE_CALLS_H
#define TESTS_UNIT_FAKE_CALLS_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "os/os_calls.h"
#include "support/testing.h"

static struct {
    long calls;
    long fail_at;       /* -1: never */
    int dies;           /* every call from that one on fails */
    const char *failed; /* the call that was made to fail, or NULL */
    int fail_errno;
    int only_waiting;  /* only calls that can be interrupted while they wait fail */
    size_t at_most;    /* bytes a transfer; 0: all */
    long open;         /* descriptors and mappings that are open */
    const char *stuck; /* this call fails every time */
    int stuck_errno;
    long stuck_calls;
} fake;

static int fails(const char *name, int waits)
{
    if (fake.stuck != NULL && strcmp(fake.stuck, name) == 0) {
        fake.stuck_calls++;
        errno = fake.stuck_errno;
        return 1;
    }
    if (fake.only_waiting && !waits) {
        return 0;
    }
    long call = fake.calls++;
    if (call != fake.fail_at && !(fake.dies && fake.fail_at >= 0 && call > fake.fail_at)) {
        return 0;
    }
    fake.failed = name;
    errno = fake.fail_errno;
    return 1;
}

static size_t cut(size_t size)
{
    return fake.at_most != 0 && fake.at_most < size ? fake.at_most : size;
}

static int opened(int fd)
{
    fake.open += fd >= 0;
    return fd;
}

static const flsi_os_calls *real(void)
{
    return flsi_os_calls_system();
}

static int fake_openat(int at, const char *path, int flags, mode_t mode)
{
    return fails("openat", 1) ? -1 : opened(real()->openat(at, path, flags, mode));
}

static int fake_dup(int fd)
{
    return fails("dup", 0) ? -1 : opened(real()->dup_cloexec(fd));
}

/* As on Linux: a close that fails has closed all the same. */
static int fake_close(int fd)
{
    fake.open--;
    int result = real()->close(fd);
    assert_int_equal(result, 0);
    return fails("close", 1) ? -1 : 0;
}

static int fake_fstat(int fd, struct stat *status)
{
    return fails("fstat", 0) ? -1 : real()->fstat(fd, status);
}

static int fake_lstat(const char *path, struct stat *status)
{
    return fails("lstat", 0) ? -1 : real()->lstat(path, status);
}

static int fake_stat(const char *path, struct stat *status)
{
    return fails("stat", 0) ? -1 : real()->stat(path, status);
}

static ssize_t fake_readlink(const char *path, char *buffer, size_t capacity)
{
    return fails("readlink", 0) ? -1 : real()->readlink(path, buffer, capacity);
}

static off_t fake_lseek(int fd, off_t offset, int whence)
{
    return fails("lseek", 0) ? -1 : real()->lseek(fd, offset, whence);
}

static ssize_t fake_read(int fd, void *buffer, size_t capacity)
{
    return fails("read", 1) ? -1 : real()->read(fd, buffer, cut(capacity));
}

static ssize_t fake_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    return fails("pread", 1) ? -1 : real()->pread(fd, buffer, cut(capacity), offset);
}

static ssize_t fake_write(int fd, const void *data, size_t size)
{
    return fails("write", 1) ? -1 : real()->write(fd, data, cut(size));
}

static ssize_t fake_writev(int fd, const struct iovec *pieces, int count)
{
    if (fails("writev", 1)) {
        return -1;
    }
    if (fake.at_most != 0) {
        return real()->write(fd, pieces[0].iov_base, cut(pieces[0].iov_len));
    }
    return real()->writev(fd, pieces, count);
}

static ssize_t fake_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return fails("pwrite", 1) ? -1 : real()->pwrite(fd, data, cut(size), offset);
}

static ssize_t fake_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    if (fails("pwritev", 1)) {
        return -1;
    }
    if (fake.at_most != 0) {
        return real()->pwrite(fd, pieces[0].iov_base, cut(pieces[0].iov_len), offset);
    }
    return real()->pwritev(fd, pieces, count, offset);
}

static int fake_ftruncate(int fd, off_t size)
{
    return fails("ftruncate", 1) ? -1 : real()->ftruncate(fd, size);
}

static int fake_sync_data(int fd)
{
    return fails("sync_data", 1) ? -1 : real()->sync_data(fd);
}

static int fake_sync_directory(int fd)
{
    return fails("sync_directory", 1) ? -1 : real()->sync_directory(fd);
}

static int fake_flock(int fd, int operation)
{
    return fails("flock", 1) ? -1 : real()->flock(fd, operation);
}

static int fake_fchmod(int fd, mode_t mode)
{
    return fails("fchmod", 0) ? -1 : real()->fchmod(fd, mode);
}

static int fake_fchown(int fd, uid_t owner, gid_t group)
{
    return fails("fchown", 0) ? -1 : real()->fchown(fd, owner, group);
}

static int fake_renameat(int from_at, const char *from, int to_at, const char *to)
{
    return fails("renameat", 0) ? -1 : real()->renameat(from_at, from, to_at, to);
}

static int fake_rename_new(int from_at, const char *from, int to_at, const char *to)
{
    return fails("rename_new", 0) ? -1 : real()->rename_new(from_at, from, to_at, to);
}

static int fake_unlinkat(int at, const char *path, int flags)
{
    return fails("unlinkat", 0) ? -1 : real()->unlinkat(at, path, flags);
}

static int fake_mkdirat(int at, const char *path, mode_t mode)
{
    return fails("mkdirat", 0) ? -1 : real()->mkdirat(at, path, mode);
}

static int fake_fstatat(int at, const char *path, struct stat *status, int flags)
{
    return fails("fstatat", 0) ? -1 : real()->fstatat(at, path, status, flags);
}

static int fake_list(int at, int (*seen)(void *self, const char *name), void *self)
{
    return fails("list", 0) ? -1 : real()->list(at, seen, self);
}

static void *fake_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails("mmap", 0)) {
        return MAP_FAILED;
    }
    void *data = real()->mmap(address, size, protection, flags, fd, offset);
    fake.open += data != MAP_FAILED;
    return data;
}

static int fake_munmap(void *address, size_t size)
{
    fake.open--;
    return real()->munmap(address, size);
}

static int fake_socket(int family, int type, int protocol)
{
    return fails("socket", 0) ? -1 : opened(real()->socket(family, type, protocol));
}

static int fake_set_blocking(int fd, int blocking)
{
    return fails("set_blocking", 0) ? -1 : real()->set_blocking(fd, blocking);
}

static int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    return fails("setsockopt", 0) ? -1 : real()->setsockopt(fd, level, option, value, size);
}

static int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
    return fails("getsockopt", 0) ? -1 : real()->getsockopt(fd, level, option, value, size);
}

static int fake_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return fails("bind", 0) ? -1 : real()->bind(fd, address, size);
}

static int fake_listen(int fd, int backlog)
{
    return fails("listen", 0) ? -1 : real()->listen(fd, backlog);
}

/* An interrupted connect of TCP goes on by itself, one of a Unix socket has not begun. */
static int fake_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    if (!fails("connect", 1)) {
        return real()->connect(fd, address, size);
    }
    if (errno == EINTR && address->sa_family != AF_UNIX) {
        (void)real()->connect(fd, address, size);
        errno = EINTR;
    }
    return -1;
}

static int fake_accept(int fd, struct sockaddr *address, socklen_t *size)
{
    return fails("accept", 1) ? -1 : opened(real()->accept(fd, address, size));
}

static int fake_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return fails("getsockname", 0) ? -1 : real()->getsockname(fd, address, size);
}

static int fake_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return fails("getpeername", 0) ? -1 : real()->getpeername(fd, address, size);
}

static ssize_t fake_sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (fails("sendmsg", 1)) {
        return -1;
    }
    if (fake.at_most != 0) {
        const struct iovec *first = message->msg_iov;
        return send(fd, first->iov_base, cut(first->iov_len), flags);
    }
    return real()->sendmsg(fd, message, flags);
}

static int fake_shutdown(int fd, int how)
{
    return fails("shutdown", 0) ? -1 : real()->shutdown(fd, how);
}

static int fake_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return fails("poll", 1) ? -1 : real()->poll(fds, count, timeout_ms);
}

static int fake_pipe(int ends[2])
{
    if (fails("pipe", 0)) {
        return -1;
    }
    int result = real()->pipe_cloexec(ends);
    fake.open += result == 0 ? 2 : 0;
    return result;
}

static int fake_spawn(pid_t *child, const char *const *arguments, int output)
{
    return fails("spawn", 1) ? errno : real()->spawn(child, arguments, output);
}

/* One that fails has waited all the same, so that no child is left, unless it was interrupted. */
static pid_t fake_waitpid(pid_t child, int *how, int options)
{
    if (!fails("waitpid", 1)) {
        return real()->waitpid(child, how, options);
    }
    int saved = errno;
    while (saved != EINTR && real()->waitpid(child, how, options) < 0 && errno == EINTR) {
    }
    errno = saved;
    return -1;
}

static char *fake_mkdtemp(char *pattern)
{
    return fails("mkdtemp", 0) ? NULL : real()->mkdtemp(pattern);
}

static const flsi_os_calls *fake_calls(void)
{
    static flsi_os_calls table;
    table = *real(); /* what is not replaced cannot fail */
    table.openat = fake_openat;
    table.dup_cloexec = fake_dup;
    table.close = fake_close;
    table.fstat = fake_fstat;
    table.lstat = fake_lstat;
    table.stat = fake_stat;
    table.readlink = fake_readlink;
    table.lseek = fake_lseek;
    table.read = fake_read;
    table.pread = fake_pread;
    table.write = fake_write;
    table.writev = fake_writev;
    table.pwrite = fake_pwrite;
    table.pwritev = fake_pwritev;
    table.ftruncate = fake_ftruncate;
    table.sync_data = fake_sync_data;
    table.sync_directory = fake_sync_directory;
    table.flock = fake_flock;
    table.fchmod = fake_fchmod;
    table.fchown = fake_fchown;
    table.renameat = fake_renameat;
    table.rename_new = fake_rename_new;
    table.unlinkat = fake_unlinkat;
    table.mkdirat = fake_mkdirat;
    table.fstatat = fake_fstatat;
    table.list = fake_list;
    table.mmap = fake_mmap;
    table.munmap = fake_munmap;
    table.socket = fake_socket;
    table.set_blocking = fake_set_blocking;
    table.setsockopt = fake_setsockopt;
    table.getsockopt = fake_getsockopt;
    table.bind = fake_bind;
    table.listen = fake_listen;
    table.connect = fake_connect;
    table.accept = fake_accept;
    table.getsockname = fake_getsockname;
    table.getpeername = fake_getpeername;
    table.sendmsg = fake_sendmsg;
    table.shutdown = fake_shutdown;
    table.poll = fake_poll;
    table.pipe_cloexec = fake_pipe;
    table.spawn = fake_spawn;
    table.waitpid = fake_waitpid;
    table.mkdtemp = fake_mkdtemp;
    return &table;
}

static void fake_reset(void)
{
    memset(&fake, 0, sizeof fake);
    fake.fail_at = -1;
}

#endif
