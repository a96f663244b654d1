/* Sockets: a thread that writes and one that reads, on a CPU each where there are two. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "roads.h"

#define KIB         ((size_t)1024)
#define MIB         (1024 * KIB)
#define PIECE_BYTES (256 * KIB)
#define POOL_BYTES  (64 * KIB)

typedef struct socket_road {
    const bench_pool *pool;
    fls_checksum checksum;
    size_t messages;
    size_t bytes;
    bool tcp;
    int sender;
    int receiver;
} socket_road;

static void connect_tcp(socket_road *road)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    road->sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || road->sender < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(road->sender, (struct sockaddr *)&address, sizeof address) != 0 ||
        (road->receiver = accept(listener, NULL, NULL)) < 0) {
        bench_fail("no TCP connection over loopback");
    }
    (void)setsockopt(road->sender, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)close(listener);
}

static void open_pair(void *self)
{
    socket_road *road = self;
    int pair[2];
    if (road->tcp) {
        connect_tcp(road);
    } else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
        road->sender = pair[0];
        road->receiver = pair[1];
    } else {
        bench_fail("no pair of Unix sockets");
    }
}

static void close_receiver(void *self)
{
    (void)close(((socket_road *)self)->receiver);
}

static void *send_bare(void *self)
{
    static _Alignas(4096) uint8_t piece[PIECE_BYTES];
    socket_road *road = self;
    size_t left = road->bytes;
    bench_pin(bench_other_cpu());
    while (left > 0) {
        ssize_t written = write(road->sender, piece, left < PIECE_BYTES ? left : PIECE_BYTES);
        if (written <= 0) {
            break;
        }
        left -= (size_t)written;
    }
    (void)close(road->sender);
    return NULL;
}

static void *send_messages(void *self)
{
    socket_road *road = self;
    fls_sink sink;
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = road_writer_options(road->checksum);
    bench_pin(bench_other_cpu());
    bench_must(fls_sink_from_fd(&sink, road->sender, 1, &err), &err, "fls_sink_from_fd");
    bench_must(fls_writer_open(&writer, sink, &options, &err), &err, "fls_writer_open");
    road_write_messages(writer, road->pool, road->messages);
    bench_must(fls_writer_close(writer, &err), &err, "fls_writer_close");
    return NULL;
}

static uint64_t receive_bare(socket_road *road)
{
    static _Alignas(4096) uint8_t buffer[PIECE_BYTES];
    size_t total = 0;
    ssize_t got;
    while ((got = read(road->receiver, buffer, sizeof buffer)) > 0) {
        total += (size_t)got;
    }
    return total == road->bytes ? road->messages : 0;
}

static uint64_t receive_messages(socket_road *road)
{
    fls_source source;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->checksum);
    read_road reading = {0};
    bench_must(fls_source_from_fd(&source, road->receiver, 0, &err), &err, "fls_source_from_fd");
    bench_must(fls_reader_open(&reading.reader, source, &options, &err), &err, "fls_reader_open");
    uint64_t messages = road_reader_batch(&reading);
    road_reader_close(&reading);
    return messages;
}

static uint64_t run_both(socket_road *road, void *(*send)(void *),
                         uint64_t (*receive)(socket_road *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, send, road) != 0) {
        bench_fail("no thread to send from");
    }
    uint64_t messages = receive(road);
    (void)pthread_join(thread, NULL);
    return messages;
}

static uint64_t run_bare(void *self)
{
    return run_both(self, send_bare, receive_bare);
}

static uint64_t run_ours(void *self)
{
    return run_both(self, send_messages, receive_messages);
}

void bench_sockets(void)
{
    static const bench_table table = {
        "sockets",
        "Through a socket, one thread to another",
        "256 MiB; limit: write(2) and read(2) in 256 KiB pieces; no goal of its own",
        "socket",
        "bare",
        5,
        true,
        true,
        false,
        {"none", "xxh3"}};
    size_t total = (bench_given()->smoke ? 2 : 256) * MIB;
    bench_table_begin(&table);
    for (int tcp = 0; tcp < 2; tcp++) {
        for (size_t i = 0; i < BENCH_SIZES; i++) {
            const char *variant = tcp ? "TCP" : "Unix";
            bench_pool pool;
            if (!bench_wanted(&table, bench_sizes[i], variant)) {
                continue;
            }
            bench_pool_init(&pool, bench_sizes[i], POOL_BYTES);
            size_t frame_bytes = bench_frame_bytes(bench_sizes[i], FLS_CHECKSUM_NONE);
            size_t messages = total / frame_bytes;
            socket_road none = {&pool, FLS_CHECKSUM_NONE, messages, messages * frame_bytes, tcp, -1,
                                -1};
            socket_road xxh3 = none;
            xxh3.checksum = FLS_CHECKSUM_XXH3;
            const bench_competitor competitors[] = {
                {"bare", BENCH_LIMIT, open_pair, run_bare, close_receiver, &none},
                {"none", BENCH_SHOWN, open_pair, run_ours, close_receiver, &none},
                {"xxh3", BENCH_SHOWN, open_pair, run_ours, close_receiver, &xxh3}};
            bench_row row = {bench_sizes[i], variant, (double)messages, (double)none.bytes,
                             messages,       0,       competitors,      3};
            bench_row_run(&row);
            bench_pool_fini(&pool);
        }
    }
}
