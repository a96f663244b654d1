/* UDP sockets on loopback: a message a datagram, sizes, nothing there, too large, and the
 * endpoints that are none. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "flatstream/socket.h"
#include "os/os_calls.h"
#include "os/os_datagram.h"
#include "support/testing.h"

typedef struct pair {
    int to;
    int from;
    char bound[128];
} pair;

static pair open_pair(const char *endpoint)
{
    pair p;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(fls_datagram_listen(endpoint, &p.to, &err), FLS_OK);
    assert_int_equal(fls_socket_endpoint(p.to, p.bound, sizeof p.bound, &err), FLS_OK);
    assert_memory_equal(p.bound, "udp://", 6);
    const char *target = p.bound;
    char local[160];
    if (strncmp(p.bound, "udp://[::]", 10) == 0) { /* every address is none to send to */
        (void)snprintf(local, sizeof local, "udp://127.0.0.1%s", strrchr(p.bound, ':'));
        target = local;
    }
    assert_int_equal(fls_datagram_connect(target, &p.from, &err), FLS_OK);
    return p;
}

static void close_pair(const pair *p)
{
    fls_socket_close(p->from);
    fls_socket_close(p->to);
}

static void wait_for(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 20000), 1);
}

static void datagrams_keep_their_bounds(void **state)
{
    static const size_t sizes[] = {1, 0, 100, 1500, 65000};
    static unsigned char sent[FLS_DATAGRAM_BYTES];
    static unsigned char got[FLS_DATAGRAM_BYTES];
    const char *endpoints[] = {"udp://127.0.0.1:0", "udp://:0"};
    (void)state;
    for (size_t e = 0; e < 2; e++) {
        pair p = open_pair(endpoints[e]);
        size_t size = 7;
        uint32_t dropped = 0;
        fls_error err = FLS_ERROR_INIT;
        assert_int_equal(fls_datagram_receive(p.to, got, sizeof got, &size, &dropped, &err),
                         FLS_WOULD_BLOCK);
        assert_int_equal(size, 0);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            memset(sent, (int)(i + 1), sizes[i]);
            assert_int_equal(fls_datagram_send(p.from, sent, sizes[i], &err), FLS_OK);
            wait_for(p.to);
            assert_int_equal(fls_datagram_receive(p.to, got, sizeof got, &size, &dropped, &err),
                             FLS_OK);
            assert_int_equal(size, sizes[i]);
            assert_memory_equal(got, sent, size);
        }
        assert_int_equal(dropped, 0);
        close_pair(&p);
    }
}

static void what_does_not_fit_is_lost_and_told(void **state)
{
    unsigned char got[8];
    size_t size = 0;
    uint32_t dropped = 0;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    pair p = open_pair("udp://127.0.0.1:0");
    assert_int_equal(fls_datagram_send(p.from, "nine byte", 9, &err), FLS_OK);
    assert_int_equal(fls_datagram_send(p.from, "eight by", 8, &err), FLS_OK);
    wait_for(p.to);
    assert_int_equal(fls_datagram_receive(p.to, got, sizeof got, &size, &dropped, &err),
                     FLS_INVALID_FRAME);
    wait_for(p.to);
    assert_int_equal(fls_datagram_receive(p.to, got, sizeof got, &size, &dropped, &err), FLS_OK);
    assert_int_equal(size, 8);
    assert_memory_equal(got, "eight by", 8);
    /* And one that no datagram can hold does not leave. */
    static const unsigned char large[FLS_DATAGRAM_BYTES + 1];
    assert_int_equal(fls_status_class_of(fls_datagram_send(p.from, large, sizeof large, &err)),
                     FLS_CLASS_SYSTEM);
    close_pair(&p);
}

static void other_endpoints_are_refused(void **state)
{
    static const char *const wrong[] = {"udp://host", "udp://:99999",      "udp:host:1",
                                        "unix:x",     "tcp://127.0.0.1:1", "udp://::1:5"};
    int fd = 5;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        assert_int_equal(fls_datagram_listen(wrong[i], &fd, &err), FLS_INVALID_ARGUMENT);
        assert_int_equal(fd, -1);
        assert_int_equal(fls_datagram_connect(wrong[i], &fd, &err), FLS_INVALID_ARGUMENT);
    }
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(fls_socket_connect("udp://127.0.0.1:1", 0, &fd, &err), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_socket_listen("udp://127.0.0.1:0", &fd, &err), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_datagram_listen("udp://127.0.0.1:0", &fd, &err), FLS_OK);
    fls_socket_close(fd);
}

static int interruptions;

static ssize_t interrupted_receive(int fd, struct msghdr *message, int flags)
{
    if (interruptions++ < 2) {
        errno = EINTR;
        return -1;
    }
    return flsi_os_calls_system()->recvmsg(fd, message, flags);
}

static ssize_t refused_receive(int fd, struct msghdr *message, int flags)
{
    (void)fd;
    (void)message;
    (void)flags;
    errno = ECONNREFUSED;
    return -1;
}

static void receiving_is_repeated_and_fails(void **state)
{
    flsi_os_calls calls = *flsi_os_calls_system();
    char got[16];
    size_t size = 0;
    uint32_t dropped = 0;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    pair p = open_pair("udp://127.0.0.1:0");
    assert_int_equal(fls_datagram_send(p.from, "abc", 3, &err), FLS_OK);
    wait_for(p.to);
    interruptions = 0;
    calls.recvmsg = interrupted_receive;
    assert_int_equal(flsi_datagram_receive(p.to, got, sizeof got, &size, &dropped, &calls, &err),
                     FLS_OK);
    assert_int_equal(size, 3);
    assert_int_equal(interruptions, 3);
    calls.recvmsg = refused_receive;
    assert_int_equal(fls_status_class_of(flsi_datagram_receive(p.to, got, sizeof got, &size,
                                                               &dropped, &calls, &err)),
                     FLS_CLASS_SYSTEM);
    assert_int_equal(err.system_errno, ECONNREFUSED);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_keep_their_bounds),
        cmocka_unit_test(what_does_not_fit_is_lost_and_told),
        cmocka_unit_test(other_endpoints_are_refused),
        cmocka_unit_test(receiving_is_repeated_and_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
