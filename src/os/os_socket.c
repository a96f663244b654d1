/* Listening, accepting and ending; connecting is in os_connect.c. */
#include "os/os_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "os/os_calls.h"
#include "os/os_endpoint.h"
#include "os/os_error.h"
#include "os/os_path.h"

#define BACKLOG 64

static const flsi_os_calls *calls_or_system(const flsi_os_calls *calls)
{
    return calls != NULL ? calls : flsi_os_calls_system();
}

static void drop(const flsi_os_calls *calls, int fd)
{
    int saved = errno;
    (void)calls->close(fd);
    errno = saved;
}

/* One address. The listening descriptor, or -1 with errno. */
static int listen_tcp_address(const flsi_os_calls *calls, int family,
                              const struct sockaddr *address, socklen_t bytes, int only_v6)
{
    int on = 1;
    int fd = calls->socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        (void)calls->setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    if (calls->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        calls->bind(fd, address, bytes) == 0 && calls->listen(fd, BACKLOG) == 0)
        return fd;
    drop(calls, fd);
    return -1;
}

/* Every address: one socket of IPv6 that takes IPv4 as well, or where that is not to be had, IPv4.
 */
static int listen_everywhere(const flsi_os_calls *calls, const struct addrinfo *found)
{
    static const int families[] = {AF_INET6, AF_INET};
    for (int i = 0; i < 2; i++) {
        for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
            if (at->ai_family != families[i])
                continue;
            int fd = listen_tcp_address(calls, at->ai_family, at->ai_addr, at->ai_addrlen, 0);
            if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
                return fd;
        }
    }
    return -1;
}

static int listen_found(const flsi_os_calls *calls, const struct addrinfo *found)
{
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        int fd = listen_tcp_address(calls, at->ai_family, at->ai_addr, at->ai_addrlen, 1);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static fls_status listen_tcp(const flsi_endpoint *endpoint, const char *name, int *fd,
                             const flsi_os_calls *calls, fls_error *err)
{
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int everywhere = endpoint->host[0] == '\0';
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
    int code = calls->resolve(everywhere ? NULL : endpoint->host, endpoint->port, &hints, &found);
    if (code != 0)
        return flsi_os_error_as(err, code == EAI_MEMORY ? FLS_NO_MEMORY : FLS_IO,
                                code == EAI_SYSTEM ? errno : 0, name, gai_strerror(code));
    errno = EADDRNOTAVAIL;
    *fd = everywhere ? listen_everywhere(calls, found) : listen_found(calls, found);
    int saved = errno;
    freeaddrinfo(found);
    errno = saved;
    return *fd >= 0 ? FLS_OK : flsi_os_error(err, errno, name, "listen failed");
}

/* Whether somebody takes connections at a socket's path. 1, 0, or -1 with errno when that cannot be
 * told. */
static int is_live(const flsi_os_calls *calls, const struct sockaddr_un *address)
{
    int result = 0;
    int fd = calls->socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || calls->set_blocking(fd, 0) != 0) {
        if (fd >= 0)
            drop(calls, fd);
        return -1;
    }
    do {
        result = calls->connect(fd, (const struct sockaddr *)address, sizeof *address);
    } while (result != 0 && errno == EINTR);
    drop(calls, fd);
    if (result == 0 || errno == EAGAIN)
        return 1;
    return errno == ECONNREFUSED || errno == ENOENT ? 0 : -1;
}

/* Only a socket that nobody listens on is ever removed. 0, or -1 with errno. */
static int remove_stale(const flsi_os_calls *calls, const struct sockaddr_un *address, int *live)
{
    struct stat status;
    *live = 0;
    if (calls->lstat(address->sun_path, &status) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EADDRINUSE;
        return -1;
    }
    *live = is_live(calls, address);
    if (*live != 0) {
        *live = *live > 0;
        if (*live)
            errno = EADDRINUSE;
        return -1;
    }
    return calls->unlinkat(AT_FDCWD, address->sun_path, 0) == 0 || errno == ENOENT ? 0 : -1;
}

/* Two that find the same stale file would each remove the other's new one, and a socket that is
 * bound but does not listen yet looks stale. So looking, removing and binding happen under a lock
 * on the directory; where it cannot be locked, without. */
static int lock_directory(const flsi_os_calls *calls, const char *path)
{
    char directory[FLSI_PATH_BYTES];
    int result = 0;
    if (flsi_path_directory(path, directory) != 0)
        return -1;
    int fd = calls->openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    do {
        result = calls->flock(fd, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    return fd;
}

static fls_status listen_unix(const flsi_endpoint *endpoint, const char *name, int *fd,
                              const flsi_os_calls *calls, fls_error *err)
{
    const struct sockaddr_un *address = &endpoint->address;
    fls_status status = FLS_OK;
    int live = 0;
    *fd = calls->socket(AF_UNIX, SOCK_STREAM, 0);
    if (*fd < 0)
        return flsi_os_error(err, errno, name, "listen failed");
    int directory = lock_directory(calls, address->sun_path);
    if (remove_stale(calls, address, &live) != 0 ||
        calls->bind(*fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        calls->listen(*fd, BACKLOG) != 0) {
        status = live ? flsi_os_error_as(err, FLS_LOCKED, errno, name, "another process listens")
                      : flsi_os_error(err, errno, name, "listen failed");
        (void)calls->close(*fd);
        *fd = -1;
    }
    if (directory >= 0)
        (void)calls->close(directory);
    return status;
}

fls_status flsi_socket_listen(const char *endpoint, int *fd, const flsi_os_calls *calls,
                              fls_error *err)
{
    flsi_endpoint parsed;
    *fd = -1;
    fls_status status = flsi_endpoint_parse(&parsed, endpoint, err);
    if (status != FLS_OK)
        return status;
    calls = calls_or_system(calls);
    return parsed.is_unix ? listen_unix(&parsed, endpoint, fd, calls, err)
                          : listen_tcp(&parsed, endpoint, fd, calls, err);
}

static int is_datagram(const flsi_os_calls *calls, int fd)
{
    int type = 0;
    socklen_t bytes = sizeof type;
    return calls->getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_DGRAM;
}

fls_status flsi_socket_endpoint(int fd, char *buffer, size_t capacity, const flsi_os_calls *calls,
                                fls_error *err)
{
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;
    memset(&address, 0, sizeof address);
    if (capacity != 0)
        buffer[0] = '\0';
    if (calls_or_system(calls)->getsockname(fd, (struct sockaddr *)&address, &bytes) != 0)
        return flsi_os_error(err, errno, NULL, "asking for a socket's address failed");
    fls_status status = flsi_endpoint_format(&address, bytes, buffer, capacity, err);
    if (status == FLS_OK && is_datagram(calls_or_system(calls), fd) && buffer[0] == 't')
        memcpy(buffer, "udp", 3);
    return status;
}

/* A peer that gave up before it was taken is none; the next one is waited for. */
static int accept_passes(int system_errno)
{
    return system_errno == EINTR || system_errno == ECONNABORTED || system_errno == EPROTO;
}

fls_status flsi_socket_accept(int listener, int *fd, char *peer, size_t peer_capacity,
                              const flsi_os_calls *calls, fls_error *err)
{
    struct sockaddr_storage address;
    socklen_t bytes = 0;
    int on = 1;
    calls = calls_or_system(calls);
    if (peer != NULL && peer_capacity != 0)
        peer[0] = '\0';
    do {
        bytes = sizeof address;
        memset(&address, 0, sizeof address);
        *fd = calls->accept(listener, (struct sockaddr *)&address, &bytes);
    } while (*fd < 0 && accept_passes(errno));
    if (*fd < 0)
        return flsi_os_error(err, errno, NULL, "accept failed");
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
        (void)calls->setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (peer == NULL)
        return FLS_OK;
    /* Some systems give a peer without a name no family either. */
    if (bytes <= sizeof address.ss_family)
        address.ss_family = AF_UNIX;
    /* A text that does not fit is no reason to lose the peer. */
    (void)flsi_endpoint_format(&address, bytes, peer, peer_capacity, NULL);
    return FLS_OK;
}

static fls_status finish_error(fls_error *err)
{
    fls_status status = errno == ENOTCONN ? FLS_CLOSED : flsi_os_status(errno);
    return flsi_os_error_as(err, status, errno, NULL,
                            "the connection broke before the peer had taken everything");
}

/* The peer's end says that it read what had arrived when it closed. If it closed on its own
 * account, before it saw our end, bytes may still have been on their way and come back as a reset;
 * so all has to be acknowledged too. Behind our own end it is, and nothing is waited for. */
static fls_status wait_acknowledged(int fd, const flsi_os_calls *calls, fls_error *err)
{
    for (;;) {
        int failure = 0;
        socklen_t failure_bytes = sizeof failure;
        if (calls->getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &failure_bytes) != 0)
            return finish_error(err);
        errno = failure;
        if (failure != 0)
            return finish_error(err);
        if (calls->unacknowledged(fd) <= 0)
            return FLS_OK;
        (void)calls->poll(NULL, 0, 1);
    }
}

fls_status flsi_socket_finish(int fd, const flsi_os_calls *calls, fls_error *err)
{
    char ignored[4096];
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    calls = calls_or_system(calls);
    if (calls->shutdown(fd, SHUT_WR) != 0)
        return finish_error(err);
    for (;;) {
        ssize_t got = calls->read(fd, ignored, sizeof ignored);
        if (got == 0)
            return wait_acknowledged(fd, calls, err);
        if (got > 0 || errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return finish_error(err);
        if (calls->poll(&waiting, 1, -1) < 0 && errno != EINTR)
            return finish_error(err);
    }
}

/* Removed before it is closed: as long as we listen nobody takes it for stale, so what stands at
 * the path is ours. */
static void remove_own_file(const flsi_os_calls *calls, int fd)
{
    struct sockaddr_un address;
    socklen_t bytes = sizeof address;
    struct stat status;
    int listens = 0;
    socklen_t listens_bytes = sizeof listens;
    memset(&address, 0, sizeof address);
    if (calls->getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_bytes) != 0 ||
        !listens || calls->getsockname(fd, (struct sockaddr *)&address, &bytes) != 0 ||
        address.sun_family != AF_UNIX || bytes >= sizeof address + 1 || address.sun_path[0] == '\0')
        return;
    address.sun_path[sizeof address.sun_path - 1] = '\0';
    if (calls->lstat(address.sun_path, &status) == 0 && S_ISSOCK(status.st_mode))
        (void)calls->unlinkat(AT_FDCWD, address.sun_path, 0);
}

void flsi_socket_close(int fd, const flsi_os_calls *calls)
{
    if (fd < 0)
        return;
    calls = calls_or_system(calls);
    remove_own_file(calls, fd);
    (void)calls->close(fd);
}
