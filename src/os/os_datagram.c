/* UDP sockets; see os_datagram.h. */
#include "os/os_datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "os/os_calls.h"
#include "os/os_endpoint.h"
#include "os/os_error.h"

/* Room for bursts while the receiver is busy; the system may give less. */
#define RECEIVE_BYTES (8 << 20)

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

/* Only for what helps: a socket without it does its work. */
static void prepare(const flsi_os_calls *calls, int fd)
{
    int bytes = RECEIVE_BYTES;
    (void)calls->setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
#ifdef SO_RXQ_OVFL
    int on = 1;
    (void)calls->setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
#endif
}

/* One address. The descriptor, or -1 with errno. */
static int open_address(const flsi_os_calls *calls, const struct addrinfo *address, int to_listen,
                        int everywhere)
{
    int only_v6 = !everywhere;
    int fd = calls->socket(address->ai_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return -1;
    if (to_listen) {
        if (address->ai_family == AF_INET6)
            (void)calls->setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
        prepare(calls, fd);
    }
    int result = to_listen ? calls->bind(fd, address->ai_addr, address->ai_addrlen)
                           : calls->connect(fd, address->ai_addr, address->ai_addrlen);
    if (result == 0)
        return fd;
    drop(calls, fd);
    return -1;
}

/* Every address is one socket of IPv6 that takes IPv4 as well, or where that is not to be had, one
 * of IPv4; so IPv6 is tried first then. */
static int open_found(const flsi_os_calls *calls, const struct addrinfo *found, int to_listen,
                      int everywhere)
{
    errno = EADDRNOTAVAIL;
    for (int pass = everywhere ? 0 : 1; pass < 2; pass++) {
        for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
            if (pass == 0 && at->ai_family != AF_INET6)
                continue;
            int fd = open_address(calls, at, to_listen, everywhere);
            if (fd >= 0 || (everywhere && (errno == EADDRINUSE || errno == EACCES)))
                return fd;
        }
    }
    return -1;
}

static fls_status open_endpoint(const char *endpoint, int to_listen, int *fd,
                                const flsi_os_calls *calls, fls_error *err)
{
    flsi_endpoint parsed;
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    *fd = -1;
    fls_status status = flsi_endpoint_parse_datagram(&parsed, endpoint, err);
    if (status != FLS_OK)
        return status;
    calls = calls_or_system(calls);
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
    int everywhere = to_listen && parsed.host[0] == '\0';
    const char *host = parsed.host[0] != '\0' ? parsed.host : NULL;
    int code = calls->resolve(host, parsed.port, &hints, &found);
    if (code != 0)
        return flsi_os_error_as(err, code == EAI_MEMORY ? FLS_NO_MEMORY : FLS_IO,
                                code == EAI_SYSTEM ? errno : 0, endpoint, gai_strerror(code));
    *fd = open_found(calls, found, to_listen, everywhere);
    int saved = errno;
    freeaddrinfo(found);
    if (*fd >= 0)
        return FLS_OK;
    return flsi_os_error(err, saved, endpoint, to_listen ? "listen failed" : "connect failed");
}

fls_status flsi_datagram_listen(const char *endpoint, int *fd, const flsi_os_calls *calls,
                                fls_error *err)
{
    return open_endpoint(endpoint, 1, fd, calls, err);
}

fls_status flsi_datagram_connect(const char *endpoint, int *fd, const flsi_os_calls *calls,
                                 fls_error *err)
{
    return open_endpoint(endpoint, 0, fd, calls, err);
}

/* What the system says about lost datagrams, beside one that was not. */
static void read_dropped(struct msghdr *message, uint32_t *dropped)
{
#ifdef SO_RXQ_OVFL
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL)
            memcpy(dropped, CMSG_DATA(at), sizeof *dropped);
#else
    (void)message;
    (void)dropped;
#endif
}

fls_status flsi_datagram_receive(int fd, void *buffer, size_t capacity, size_t *size,
                                 uint32_t *dropped, const flsi_os_calls *calls, fls_error *err)
{
    union {
        struct cmsghdr align;
        unsigned char space[256];
    } control;
    struct iovec piece = {buffer, capacity};
    struct msghdr message;
    ssize_t got = 0;
    *size = 0;
    calls = calls_or_system(calls);
    do {
        memset(&message, 0, sizeof message);
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        got = calls->recvmsg(fd, &message, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return FLS_WOULD_BLOCK;
    if (got < 0)
        return flsi_os_error(err, errno, NULL, "receiving a datagram failed");
    read_dropped(&message, dropped);
    *size = (size_t)got;
    if (message.msg_flags & MSG_TRUNC)
        return flsi_os_error_as(err, FLS_INVALID_FRAME, 0, NULL,
                                "a datagram that is larger than the buffer");
    return FLS_OK;
}

fls_status flsi_datagram_send(int fd, const void *data, size_t size, const flsi_os_calls *calls,
                              fls_error *err)
{
    /* The structures of the system have no const. */
    union {
        const void *from;
        void *to;
    } bytes = {data};
    struct iovec piece = {bytes.to, size};
    struct msghdr message;
    ssize_t sent = 0;
    calls = calls_or_system(calls);
    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    do {
        sent = calls->sendmsg(fd, &message, 0);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? flsi_os_error(err, errno, NULL, "sending a datagram failed") : FLS_OK;
}
