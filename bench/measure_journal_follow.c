/* Following: from the call of append in one thread to the message in another's hands, against a
 * ping-pong between the same threads over a Unix socket.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal_bench.h"

#define PAUSE_US 200

enum { ROUNDS = 9, SAMPLES = 400, PAYLOAD = 100 };

static const char table[] = "journal-follow";

/* One exchange at a time: the other thread says when it has got number `done`. */
typedef struct exchange {
    bench_latency *latency;
    size_t samples;
    _Atomic uint64_t done;
    fls_journal *journal;
    fls_journal_reader *reader;
    int near_end;
    int far_end;
} exchange;

/* A CPU for each of the two threads, where there are two: else both may run on one or not, and each
 * round would measure something else. */
static void take_cpu(int cpu)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        bench_pin(cpu);
    }
}

static void must(int holds, const char *what)
{
    if (!holds) {
        bench_fail("%s failed", what);
    }
}

/* ---- the journal ---- */

static void *follow(void *self)
{
    exchange *one = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    take_cpu(1);
    while (one->done < one->samples) {
        fls_status status = fls_journal_reader_next(one->reader, &message, &err);
        uint64_t now = bench_now_ns();
        if (status == FLS_WOULD_BLOCK) {
            bench_must(fls_journal_reader_wait(one->reader, UINT64_MAX, &err), &err,
                       "fls_journal_reader_wait");
            continue;
        }
        uint64_t sent;
        bench_must(status, &err, "fls_journal_reader_next");
        must(message.size == PAYLOAD, "following");
        memcpy(&sent, message.payload, sizeof sent);
        latency_add(one->latency, now - sent);
        one->done++;
    }
    return NULL;
}

static void run_follow(exchange *one)
{
    uint8_t payload[PAYLOAD] = {0};
    pthread_t thread;
    fls_error err = FLS_ERROR_INIT;
    one->done = 0;
    must(pthread_create(&thread, NULL, follow, one) == 0, "pthread_create");
    for (uint64_t i = 0; i < one->samples; i++) {
        (void)usleep(PAUSE_US);
        uint64_t now = bench_now_ns();
        memcpy(payload, &now, sizeof now);
        bench_must(fls_journal_append(one->journal, payload, sizeof payload, NULL, &err), &err,
                   "fls_journal_append");
        while (one->done <= i) {
            (void)usleep(PAUSE_US / 4);
        }
    }
    (void)pthread_join(thread, NULL);
}

static void open_journal(exchange *one, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_reader_options reading = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.write_through = 1;
    reading.visibility = FLS_JOURNAL_WRITTEN;
    reading.follow = 1;
    one->journal = journal_open(path, &options);
    bench_must(fls_journal_reader_open(&one->reader, path, &reading, &err), &err,
               "fls_journal_reader_open");
}

/* ---- the socket ---- */

static void *echo(void *self)
{
    exchange *one = self;
    uint8_t payload[PAYLOAD];
    take_cpu(1);
    for (size_t i = 0; i < one->samples; i++) {
        must(read(one->far_end, payload, sizeof payload) == PAYLOAD, "read(2)");
        must(write(one->far_end, payload, sizeof payload) == PAYLOAD, "write(2)");
    }
    return NULL;
}

static void run_ping_pong(exchange *one)
{
    uint8_t payload[PAYLOAD] = {0};
    pthread_t thread;
    must(pthread_create(&thread, NULL, echo, one) == 0, "pthread_create");
    for (size_t i = 0; i < one->samples; i++) {
        (void)usleep(PAUSE_US);
        uint64_t from = bench_now_ns();
        must(write(one->near_end, payload, sizeof payload) == PAYLOAD, "write(2)");
        must(read(one->near_end, payload, sizeof payload) == PAYLOAD, "read(2)");
        latency_add(one->latency, bench_now_ns() - from);
    }
    (void)pthread_join(thread, NULL);
}

/* ---- */

void bench_journal_follow(void)
{
    double ratios[ROUNDS];
    int ends[2];
    bench_latency times[2];
    size_t rounds = bench_given()->smoke ? 1 : ROUNDS;
    size_t samples = bench_given()->smoke ? 10 : SAMPLES;
    exchange follows = {.latency = &times[1], .samples = samples};
    exchange pings = {.latency = &times[0], .samples = samples};
    if (!latency_wanted(table, "append to reader")) {
        return;
    }
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair(2)");
    pings.near_end = ends[0];
    pings.far_end = ends[1];
    latency_init(&times[0], table, "socket ping-pong", rounds * samples);
    latency_init(&times[1], table, "append to reader", rounds * samples);
    open_journal(&follows, journal_path("followed")); /* its thread runs where it likes */
    take_cpu(0);
    for (size_t i = 0; i < rounds; i++) {
        run_ping_pong(&pings);
        run_follow(&follows);
        ratios[i] = latency_median(&times[1], i * samples) / latency_median(&times[0], i * samples);
    }
    bench_latency_goal none = {0};
    bench_latency_goal goal = {
        .ratio = 1.5, .measured = latency_median_of(ratios, rounds), .limit = "a ping-pong"};
    latency_heading(
        "Follow", table,
        "100 B a time, a thread on each of two CPUs, visible as soon as written; against "
        "there and back over a Unix socket; goal: 1.5 of its median");
    latency_report(&times[0], &none);
    latency_report(&times[1], &goal);
    fls_journal_reader_close(follows.reader);
    fls_journal_abandon(follows.journal);
    journal_remove(journal_path("followed"));
    (void)close(ends[0]);
    (void)close(ends[1]);
    latency_fini(&times[0]);
    latency_fini(&times[1]);
}
