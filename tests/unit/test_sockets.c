/* Stream sockets on loopback and in the file system: names, connecting before anybody listens,
 * stale files, a reader slower than its writer, and ends that are told from breaks. */
#include "flatstream/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flatstream/sink.h"
#include "flatstream/source.h"
#include "os/os_calls.h"
#include "os/os_socket.h"
#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

static char directory[256];
static char unix_endpoint[300];

static int make_directory(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(unix_endpoint, sizeof unix_endpoint, "unix:%s/socket", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    files_remove_directory(directory);
    return 0;
}

static const char *socket_path(void)
{
    return unix_endpoint + strlen("unix:");
}

typedef struct pair {
    int listener;
    int client;
    int server;
    char bound[128];
    char peer[128];
} pair;

static void pair_open(pair *ends, const char *endpoint)
{
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_socket_listen(endpoint, &ends->listener, &err), FLS_OK, &err);
    assert_status(fls_socket_endpoint(ends->listener, ends->bound, sizeof ends->bound, &err),
                  FLS_OK, &err);
    assert_status(fls_socket_connect(ends->bound, 0, &ends->client, &err), FLS_OK, &err);
    assert_status(
        fls_socket_accept(ends->listener, &ends->server, ends->peer, sizeof ends->peer, &err),
        FLS_OK, &err);
}

static void pair_close(pair *ends)
{
    fls_socket_close(ends->client);
    fls_socket_close(ends->server);
    fls_socket_close(ends->listener);
}

static void malformed_endpoints_are_refused(void **state)
{
    (void)state;
    static const char *const malformed[] = {"",
                                            "tcp",
                                            "tcp://",
                                            "tcp://host",
                                            "tcp://host:",
                                            "tcp://host:65536",
                                            "tcp://host:99999999999999999999",
                                            "tcp://host:12x",
                                            "tcp://host:-1",
                                            "tcp://::1:80",
                                            "tcp://[::1:80",
                                            "tcp://[]:80",
                                            "tcp://[::1]",
                                            "udp://host:80",
                                            "unix:",
                                            "/run/socket"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        fls_error err = FLS_ERROR_INIT;
        int fd = 5;
        assert_status(fls_socket_connect(malformed[i], 0, &fd, &err), FLS_INVALID_ARGUMENT, &err);
        assert_int_equal(fd, -1);
        assert_string_not_equal(err.text, "");
        assert_status(fls_socket_listen(malformed[i], &fd, &err), FLS_INVALID_ARGUMENT, &err);
        assert_int_equal(fd, -1);
    }
    char letters[301];
    char long_name[400];
    int fd = 5;
    memset(letters, 'a', sizeof letters - 1);
    letters[sizeof letters - 1] = '\0';
    (void)snprintf(long_name, sizeof long_name, "tcp://%s:80", letters);
    assert_int_equal(fls_socket_connect(long_name, 0, &fd, NULL), FLS_INVALID_ARGUMENT);
    (void)snprintf(long_name, sizeof long_name, "unix:/%s", letters);
    assert_int_equal(fls_socket_connect(long_name, 0, &fd, NULL), FLS_INVALID_ARGUMENT);
    assert_int_equal(fls_socket_listen(long_name, &fd, NULL), FLS_INVALID_ARGUMENT);
}

static int flags_of(int fd, int get)
{
    int flags = fcntl(fd, get);
    assert_true(flags >= 0);
    return flags;
}

static void tcp_takes_a_free_port(void **state)
{
    (void)state;
    pair ends;
    fls_error err = FLS_ERROR_INIT;
    char text[64] = "";
    int nodelay = 0;
    pair_open(&ends, "tcp://127.0.0.1:0");
    assert_int_equal(strncmp(ends.bound, "tcp://127.0.0.1:", 16), 0);
    assert_int_not_equal(strcmp(ends.bound, "tcp://127.0.0.1:0"), 0);
    assert_status(fls_socket_endpoint(ends.client, text, sizeof text, &err), FLS_OK, &err);
    assert_string_equal(text, ends.peer);
    const int both[] = {ends.client, ends.server};
    for (size_t i = 0; i < 2; i++) {
        socklen_t size = sizeof nodelay;
        assert_int_equal(getsockopt(both[i], IPPROTO_TCP, TCP_NODELAY, &nodelay, &size), 0);
        assert_int_not_equal(nodelay, 0);
        assert_int_equal(flags_of(both[i], F_GETFL) & O_NONBLOCK, 0);
        assert_int_equal(flags_of(both[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    assert_status(fls_socket_endpoint(ends.client, text, 10, &err), FLS_INVALID_ARGUMENT, &err);
    assert_string_equal(text, "");
    pair_close(&ends);
    /* Nobody listens there any more. */
    assert_status(fls_socket_connect(ends.bound, 0, &ends.client, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ECONNREFUSED);
    assert_int_equal(ends.client, -1);
}

static void empty_host_is_every_address(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    char bound[128];
    char endpoint[64];
    int listener = -1;
    int client = -1;
    int server = -1;
    assert_status(fls_socket_listen("tcp://:0", &listener, &err), FLS_OK, &err);
    assert_status(fls_socket_endpoint(listener, bound, sizeof bound, &err), FLS_OK, &err);
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1%s", strrchr(bound, ':'));
    assert_status(fls_socket_connect(endpoint, 0, &client, &err), FLS_OK, &err);
    assert_status(fls_socket_accept(listener, &server, NULL, 0, &err), FLS_OK, &err);
    close(client);
    close(server);
    fls_socket_close(listener);
}

static void ipv6_stands_in_brackets(void **state)
{
    (void)state;
    int listener = -1;
    fls_error err = FLS_ERROR_INIT;
    if (fls_socket_listen("tcp://[::1]:0", &listener, &err) != FLS_OK) {
        skip();
    }
    fls_socket_close(listener);
    pair ends;
    pair_open(&ends, "tcp://[::1]:0");
    assert_int_equal(strncmp(ends.bound, "tcp://[::1]:", 12), 0);
    assert_int_equal(strncmp(ends.peer, "tcp://[::1]:", 12), 0);
    pair_close(&ends);
}

static void unix_file_comes_and_goes(void **state)
{
    (void)state;
    pair ends;
    struct stat status;
    pair_open(&ends, unix_endpoint);
    assert_string_equal(ends.bound, unix_endpoint);
    assert_string_equal(ends.peer, "unix:");
    assert_int_equal(lstat(socket_path(), &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    fls_socket_close(ends.client);
    fls_socket_close(ends.server);
    assert_int_equal(lstat(socket_path(), &status), 0);
    fls_socket_close(ends.listener);
    assert_int_equal(lstat(socket_path(), &status), -1);
    fls_socket_close(-1);
}

static void stale_file_is_replaced_and_live_one_is_not(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    int first = -1;
    int second = -1;
    int client = -1;
    assert_status(fls_socket_listen(unix_endpoint, &first, &err), FLS_OK, &err);
    assert_status(fls_socket_listen(unix_endpoint, &second, &err), FLS_LOCKED, &err);
    assert_int_equal(second, -1);
    /* As a process that was killed leaves it. */
    close(first);
    assert_true(files_exist(socket_path()));
    assert_status(fls_socket_connect(unix_endpoint, 0, &client, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ECONNREFUSED);
    assert_status(fls_socket_listen(unix_endpoint, &second, &err), FLS_OK, &err);
    assert_status(fls_socket_connect(unix_endpoint, 0, &client, &err), FLS_OK, &err);
    close(client);
    fls_socket_close(second);
    /* Something that is no socket is never touched. */
    files_write(socket_path(), "data", 4);
    assert_status(fls_socket_listen(unix_endpoint, &second, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EADDRINUSE);
    assert_int_equal(files_size(socket_path()), 4);
    assert_int_equal(unlink(socket_path()), 0);
}

/* The tables below are the real one, but for one call. */
static flsi_os_calls altered;
static int late_listener;
static int attempts;

static int connect_then_listen(int fd, const struct sockaddr *address, socklen_t size)
{
    int result = flsi_os_calls_system()->connect(fd, address, size);
    int saved = errno;
    attempts++;
    if (result != 0 && attempts == 3) {
        fls_error err = FLS_ERROR_INIT;
        assert_status(fls_socket_listen(unix_endpoint, &late_listener, &err), FLS_OK, &err);
    }
    errno = saved;
    return result;
}

/* Somebody begins to listen only when the third try has failed already. */
static void connecting_waits_for_a_listener(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    int client = -1;
    altered = *flsi_os_calls_system();
    altered.connect = connect_then_listen;
    attempts = 0;
    assert_status(flsi_socket_connect(unix_endpoint, 60000, &client, &altered, &err), FLS_OK, &err);
    assert_int_equal(attempts, 4);
    assert_int_equal(flags_of(client, F_GETFL) & O_NONBLOCK, 0);
    close(client);
    fls_socket_close(late_listener);
}

static void connecting_gives_up(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    int client = 3;
    assert_status(fls_socket_connect(unix_endpoint, 30, &client, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
    assert_int_equal(client, -1);
    assert_non_null(strstr(err.name, "/socket"));
    altered = *flsi_os_calls_system();
    altered.connect = connect_then_listen;
    attempts = 10;
    assert_status(flsi_socket_connect(unix_endpoint, 0, &client, &altered, &err), FLS_IO, &err);
    assert_int_equal(attempts, 11);
}

static int lookup_result;
static int lookups;

static int look_up(const char *host, const char *port, const struct addrinfo *hints,
                   struct addrinfo **found)
{
    lookups++;
    if (lookup_result == EAI_AGAIN && lookups == 3) {
        return flsi_os_calls_system()->resolve("127.0.0.1", port, hints, found);
    }
    (void)host;
    errno = EMFILE;
    return lookup_result;
}

static void unknown_hosts_are_told(void **state)
{
    (void)state;
    static const struct {
        int code;
        fls_status status;
    } wanted[] = {{EAI_NONAME, FLS_IO}, {EAI_MEMORY, FLS_NO_MEMORY}, {EAI_SYSTEM, FLS_IO}};
    fls_error err = FLS_ERROR_INIT;
    int fd = 3;
    altered = *flsi_os_calls_system();
    altered.resolve = look_up;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        lookup_result = wanted[i].code;
        lookups = 0;
        assert_status(flsi_socket_connect("tcp://no.such.host:9", 60000, &fd, &altered, &err),
                      wanted[i].status, &err);
        assert_int_equal(lookups, 1);
        assert_int_equal(fd, -1);
        assert_string_equal(err.name, "tcp://no.such.host:9");
        assert_status(flsi_socket_listen("tcp://no.such.host:9", &fd, &altered, &err),
                      wanted[i].status, &err);
    }
    /* A name server that is not there yet is one more reason to try again. */
    int listener = -1;
    char bound[128];
    char endpoint[128];
    assert_status(fls_socket_listen("tcp://127.0.0.1:0", &listener, &err), FLS_OK, &err);
    assert_status(fls_socket_endpoint(listener, bound, sizeof bound, &err), FLS_OK, &err);
    (void)snprintf(endpoint, sizeof endpoint, "tcp://no.such.host%s", strrchr(bound, ':'));
    lookup_result = EAI_AGAIN;
    lookups = 0;
    assert_status(flsi_socket_connect(endpoint, 60000, &fd, &altered, &err), FLS_OK, &err);
    assert_int_equal(lookups, 3);
    fls_socket_close(fd);
    fls_socket_close(listener);
}

static int never_ready(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    (void)fds;
    (void)count;
    (void)timeout_ms;
    return 0;
}

static int peer_is_self(int fd, struct sockaddr *address, socklen_t *size)
{
    return flsi_os_calls_system()->getsockname(fd, address, size);
}

static int connect_in_progress(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)flsi_os_calls_system()->connect(fd, address, size);
    errno = EINPROGRESS;
    return -1;
}

/* A peer that never answers, and a socket that the system has connected to itself. */
static void half_connections_are_none(void **state)
{
    (void)state;
    fls_error err = FLS_ERROR_INIT;
    int listener = -1;
    int fd = 3;
    char bound[128];
    assert_status(fls_socket_listen("tcp://127.0.0.1:0", &listener, &err), FLS_OK, &err);
    assert_status(fls_socket_endpoint(listener, bound, sizeof bound, &err), FLS_OK, &err);
    altered = *flsi_os_calls_system();
    altered.connect = connect_in_progress;
    altered.poll = never_ready;
    assert_status(flsi_socket_connect(bound, 0, &fd, &altered, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ETIMEDOUT);
    assert_int_equal(fd, -1);
    altered = *flsi_os_calls_system();
    altered.getpeername = peer_is_self;
    assert_status(flsi_socket_connect(bound, 0, &fd, &altered, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ECONNREFUSED);
    assert_int_equal(fd, -1);
    fls_socket_close(listener);
}

/* The reader begins to read only when the writer could not write any more, so it is slower. */
typedef struct slow_reader {
    int fd;
    int gate; /* closed by the writer when it was blocked */
    uint64_t received;
    int sound;
} slow_reader;

static void *read_slowly(void *self)
{
    slow_reader *reader = self;
    prng random = prng_seeded(77);
    uint8_t buffer[4099];
    uint8_t wanted[4096];
    char ignored = 0;
    size_t got = 0;
    fls_source source;
    if (read(reader->gate, &ignored, 1) != 0 ||
        fls_source_from_fd(&source, reader->fd, 1, NULL) != FLS_OK) {
        return NULL;
    }
    reader->sound = 1;
    while (fls_source_read_all(&source, buffer, sizeof wanted, &got, NULL) == FLS_OK) {
        prng_fill(&random, wanted, sizeof wanted);
        reader->sound &= got == sizeof wanted && memcmp(buffer, wanted, got) == 0;
        reader->received += got;
    }
    fls_source_close(&source);
    return NULL;
}

/* Writes blocks; when one would block opens the reader's gate, and waits for room. */
static void write_to_slow_reader(int fd, int gate, int blocks)
{
    prng random = prng_seeded(77);
    uint8_t block[4096];
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_sink_from_fd(&sink, fd, 0, &err), FLS_OK, &err);
    for (int i = 0; i < blocks; i++) {
        size_t at = 0;
        prng_fill(&random, block, sizeof block);
        while (at < sizeof block) {
            size_t written = 0;
            fls_status status =
                fls_sink_write_all(&sink, block + at, sizeof block - at, &written, &err);
            at += written;
            if (status == FLS_OK) {
                break;
            }
            assert_status(status, FLS_WOULD_BLOCK, &err);
            if (gate >= 0) {
                close(gate);
                gate = -1;
            }
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            assert_true(poll(&room, 1, -1) == 1);
        }
    }
    assert_int_equal(gate, -1);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
}

static void slow_reader_gets_everything(void **state)
{
    (void)state;
    const char *const endpoints[] = {"tcp://127.0.0.1:0", unix_endpoint};
    enum { BLOCKS = 8192 };
    for (size_t i = 0; i < 2; i++) {
        pair ends;
        int gate[2];
        pthread_t thread;
        fls_error err = FLS_ERROR_INIT;
        pair_open(&ends, endpoints[i]);
        assert_int_equal(pipe(gate), 0);
        slow_reader reader = {.fd = ends.server, .gate = gate[0]};
        assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
        write_to_slow_reader(ends.client, gate[1], BLOCKS);
        assert_status(fls_socket_finish(ends.client, &err), FLS_OK, &err);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(reader.received, BLOCKS * UINT64_C(4096));
        assert_true(reader.sound);
        close(gate[0]);
        ends.server = -1;
        pair_close(&ends);
    }
}

static void unread_bytes_are_no_success(void **state)
{
    (void)state;
    const char *const endpoints[] = {"tcp://127.0.0.1:0", unix_endpoint};
    for (size_t i = 0; i < 2; i++) {
        pair ends;
        fls_sink sink;
        fls_error err = FLS_ERROR_INIT;
        char byte = 0;
        pair_open(&ends, endpoints[i]);
        assert_status(fls_sink_from_fd(&sink, ends.client, 0, &err), FLS_OK, &err);
        assert_status(fls_sink_write_all(&sink, "four", 4, NULL, &err), FLS_OK, &err);
        assert_int_equal(read(ends.server, &byte, 1), 1);
        close(ends.server);
        ends.server = -1;
        assert_status(fls_socket_finish(ends.client, &err), FLS_CLOSED, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        pair_close(&ends);
    }
}

/* The peer reads all that is there and closes; what is written then is lost, although the peer's
 * end looks as it should. */
static void bytes_behind_the_peers_end_are_no_success(void **state)
{
    (void)state;
    pair ends;
    fls_sink sink;
    fls_error err = FLS_ERROR_INIT;
    char byte = 0;
    pair_open(&ends, "tcp://127.0.0.1:0");
    assert_status(fls_sink_from_fd(&sink, ends.client, 0, &err), FLS_OK, &err);
    assert_status(fls_sink_write_all(&sink, "a", 1, NULL, &err), FLS_OK, &err);
    assert_int_equal(read(ends.server, &byte, 1), 1);
    close(ends.server);
    ends.server = -1;
    assert_status(fls_sink_write_all(&sink, "b", 1, NULL, &err), FLS_OK, &err);
    assert_status(fls_socket_finish(ends.client, &err), FLS_CLOSED, &err);
    assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
    pair_close(&ends);
}

static int unacknowledged_calls;

static int never_acknowledged(int fd)
{
    (void)fd;
    return ++unacknowledged_calls < 4 ? 5 : 0;
}

/* The same while the bytes are still on their way: asked again until they are acknowledged. */
static void end_waits_for_acknowledgement(void **state)
{
    (void)state;
    pair ends;
    fls_error err = FLS_ERROR_INIT;
    altered = *flsi_os_calls_system();
    altered.unacknowledged = never_acknowledged;
    unacknowledged_calls = 0;
    pair_open(&ends, "tcp://127.0.0.1:0");
    close(ends.server);
    ends.server = -1;
    assert_status(flsi_socket_finish(ends.client, &altered, &err), FLS_OK, &err);
    assert_int_equal(unacknowledged_calls, 4);
    pair_close(&ends);
}

/* SIGPIPE's default action would end this program. */
static void gone_peer_is_no_signal(void **state)
{
    (void)state;
    const char *const endpoints[] = {"tcp://127.0.0.1:0", unix_endpoint};
    for (size_t i = 0; i < 2; i++) {
        pair ends;
        fls_sink sink;
        fls_error err = FLS_ERROR_INIT;
        const fls_span spans[] = {{"a", 1}, {"b", 1}};
        fls_status status = FLS_OK;
        pair_open(&ends, endpoints[i]);
        close(ends.server);
        ends.server = -1;
        assert_status(fls_sink_from_fd(&sink, ends.client, 0, &err), FLS_OK, &err);
        assert_status(fls_sink_sync(&sink, &err), FLS_UNSUPPORTED, &err);
        /* TCP learns of it from the answer to the first bytes. */
        while (status == FLS_OK) {
            status = fls_sink_writev_all(&sink, spans, 2, NULL, &err);
        }
        assert_status(status, FLS_CLOSED, &err);
        assert_true(err.system_errno == EPIPE || err.system_errno == ECONNRESET);
        assert_status(fls_sink_write_all(&sink, "c", 1, NULL, &err), FLS_CLOSED, &err);
        assert_status(fls_sink_close(&sink, &err), FLS_OK, &err);
        pair_close(&ends);
    }
}

static void nobody_to_accept_would_block(void **state)
{
    (void)state;
    int listener = -1;
    int fd = -1;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_socket_listen(unix_endpoint, &listener, &err), FLS_OK, &err);
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    assert_status(fls_socket_accept(listener, &fd, NULL, 0, &err), FLS_WOULD_BLOCK, &err);
    assert_int_equal(fd, -1);
    fls_socket_close(listener);
    assert_status(fls_socket_accept(-1, &fd, NULL, 0, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EBADF);
    assert_status(fls_socket_finish(-1, &err), FLS_IO, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_endpoints_are_refused),
        cmocka_unit_test(tcp_takes_a_free_port),
        cmocka_unit_test(empty_host_is_every_address),
        cmocka_unit_test(ipv6_stands_in_brackets),
        cmocka_unit_test(unix_file_comes_and_goes),
        cmocka_unit_test(stale_file_is_replaced_and_live_one_is_not),
        cmocka_unit_test(connecting_waits_for_a_listener),
        cmocka_unit_test(connecting_gives_up),
        cmocka_unit_test(unknown_hosts_are_told),
        cmocka_unit_test(half_connections_are_none),
        cmocka_unit_test(slow_reader_gets_everything),
        cmocka_unit_test(unread_bytes_are_no_success),
        cmocka_unit_test(bytes_behind_the_peers_end_are_no_success),
        cmocka_unit_test(end_waits_for_acknowledgement),
        cmocka_unit_test(gone_peer_is_no_signal),
        cmocka_unit_test(nobody_to_accept_would_block),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
