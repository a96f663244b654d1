/* Connecting, again and again until somebody listens or the time is over. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "flatstream/allocator.h"
#include "os/os_calls.h"
#include "os/os_endpoint.h"
#include "os/os_error.h"
#include "os/os_socket.h"

/* Pauses between tries: short at first, since a peer often starts at the same moment. */
#define FIRST_PAUSE_MS 5
#define LAST_PAUSE_MS  100

typedef struct attempt {
    const flsi_os_calls *calls;
    const char *name;
    uint64_t deadline_ns; /* UINT64_MAX: one try, as long as the system takes */
} attempt;

static uint64_t now_ns(void)
{
    const fls_clock *clock = fls_clock_monotonic();
    return clock->now_ns(clock->self);
}

static int has_deadline(const attempt *try)
{
    return try->deadline_ns != UINT64_MAX;
}

/* For poll: milliseconds that are left, rounded up; -1 without a deadline. */
static int left_ms(const attempt *try)
{
    if (!has_deadline(try))
        return -1;
    uint64_t now = now_ns();
    if (now >= try->deadline_ns)
        return 0;
    uint64_t left = (try->deadline_ns - now + 999999u) / 1000000u;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

static int is_worth_another_try(int system_errno)
{
    switch (system_errno) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOENT:
    case EAGAIN:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH: return 1;
    default: return 0;
    }
}

/* Waits for a connection that is being made. 0, or -1 with errno. */
static int wait_connected(const attempt *try, int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    int failure = 0;
    socklen_t failure_bytes = sizeof failure;
    for (;;) {
        int ready = try->calls->poll(&waiting, 1, left_ms(try));
        if (ready > 0)
            break;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (errno != EINTR)
            return -1;
    }
    if (try->calls->getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &failure_bytes) != 0)
        return -1;
    errno = failure;
    return failure == 0 ? 0 : -1;
}

/* A port that nobody listens on can be the one that the system picks for our own end, and then the
 * socket is connected to itself. */
static int is_own_peer(const flsi_os_calls *calls, int fd)
{
    struct sockaddr_storage own;
    struct sockaddr_storage peer;
    socklen_t own_bytes = sizeof own;
    socklen_t peer_bytes = sizeof peer;
    memset(&own, 0, sizeof own);
    memset(&peer, 0, sizeof peer);
    return calls->getsockname(fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
           calls->getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
           own_bytes == peer_bytes && memcmp(&own, &peer, own_bytes) == 0;
}

static int connect_tcp_address(const attempt *try, int fd, const struct addrinfo *address)
{
    const flsi_os_calls *calls = try->calls;
    int on = 1;
    /* Not blocking, so that the deadline holds; and what a signal interrupts goes on by itself. */
    if (calls->set_blocking(fd, 0) != 0)
        return -1;
    if (calls->connect(fd, address->ai_addr, address->ai_addrlen) != 0 &&
        ((errno != EINPROGRESS && errno != EINTR) || wait_connected(try, fd) != 0))
        return -1;
    if (is_own_peer(calls, fd)) {
        errno = ECONNREFUSED;
        return -1;
    }
    (void)calls->setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return calls->set_blocking(fd, 1);
}

static void drop(const flsi_os_calls *calls, int fd)
{
    int saved = errno;
    (void)calls->close(fd);
    errno = saved;
}

/* Every address of the host once. The descriptor, or -1 with errno. */
static int connect_tcp(const attempt *try, const struct addrinfo *found)
{
    errno = EADDRNOTAVAIL;
    for (const struct addrinfo *address = found; address != NULL; address = address->ai_next) {
        int fd = try->calls->socket(address->ai_family, SOCK_STREAM, 0);
        if (fd < 0)
            continue;
        if (connect_tcp_address(try, fd, address) == 0)
            return fd;
        drop(try->calls, fd);
    }
    return -1;
}

/* A full backlog makes a blocking connect wait, which is right for a single try; with a deadline it
 * is one more reason to try again. */
static int connect_unix(const attempt *try, const struct sockaddr_un *address)
{
    const flsi_os_calls *calls = try->calls;
    int result = 0;
    int fd = calls->socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    result = has_deadline(try) ? calls->set_blocking(fd, 0) : 0;
    if (result == 0) {
        do {
            result = calls->connect(fd, (const struct sockaddr *)address, sizeof *address);
        } while (result != 0 && errno == EINTR);
    }
    if (result == 0 && calls->set_blocking(fd, 1) == 0)
        return fd;
    drop(calls, fd);
    return -1;
}

static fls_status resolve_error(const attempt *try, int code, fls_error *err)
{
    if (code == EAI_SYSTEM)
        return flsi_os_error(err, errno, try->name, "looking up the host failed");
    if (code == EAI_MEMORY)
        return flsi_os_error(err, ENOMEM, try->name, NULL);
    return flsi_os_error_as(err, FLS_IO, 0, try->name, gai_strerror(code));
}

static fls_status try_once(const attempt *try, const flsi_endpoint *endpoint, int *fd, int *again,
                           fls_error *err)
{
    *again = 0;
    if (endpoint->is_unix) {
        *fd = connect_unix(try, &endpoint->address);
    } else {
        struct addrinfo hints;
        struct addrinfo *found = NULL;
        memset(&hints, 0, sizeof hints);
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        const char *host = endpoint->host[0] != '\0' ? endpoint->host : NULL;
        int code = try->calls->resolve(host, endpoint->port, &hints, &found);
        if (code != 0) {
            *again = code == EAI_AGAIN;
            return resolve_error(try, code, err);
        }
        *fd = connect_tcp(try, found);
        int saved = errno;
        freeaddrinfo(found);
        errno = saved;
    }
    if (*fd >= 0)
        return FLS_OK;
    *again = is_worth_another_try(errno);
    /* A peer that was too busy all the time is no reason to come back at once. */
    fls_status status = flsi_os_status(errno);
    return flsi_os_error_as(err, status == FLS_WOULD_BLOCK ? FLS_IO : status, errno, try->name,
                            "connect failed");
}

fls_status flsi_socket_connect(const char *endpoint, uint32_t timeout_ms, int *fd,
                               const flsi_os_calls *calls, fls_error *err)
{
    flsi_endpoint parsed;
    attempt try = {calls != NULL ? calls : flsi_os_calls_system(), endpoint, UINT64_MAX};
    int pause_ms = FIRST_PAUSE_MS;
    *fd = -1;
    fls_status status = flsi_endpoint_parse(&parsed, endpoint, err);
    if (status != FLS_OK)
        return status;
    if (timeout_ms != 0)
        try.deadline_ns = now_ns() + (uint64_t)timeout_ms * 1000000u;
    for (;;) {
        int again = 0;
        status = try_once(&try, &parsed, fd, &again, err);
        int left = left_ms(&try);
        if (status == FLS_OK || !again || left <= 0)
            return status;
        /* Poll on nothing is a pause; a signal only makes it shorter. */
        (void)try.calls->poll(NULL, 0, pause_ms < left ? pause_ms : left);
        pause_ms = pause_ms * 2 < LAST_PAUSE_MS ? pause_ms * 2 : LAST_PAUSE_MS;
    }
}
