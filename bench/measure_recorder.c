/* What a message costs the loop that offers it to a recorder, at a steady pace, while the drain
 * takes it to a journal on the other processor.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/recorder.h"
#include "journal_bench.h"

#define KEY         "recorder"
#define PAYLOAD     ((size_t)100)
#define BATCH_NS    ((uint64_t)64000) /* 64 messages at a million a second */
#define LIMIT_MOST  8.0
#define SECOND_MOST 1.5
#define TAIL_NS     (1000.0 * BATCH)

enum { ROUNDS = 5, MOST_BATCHES = 20000, SMOKE_BATCHES = 200 };

typedef struct pacer {
    fls_producer *producer;
    bench_latency *latency; /* NULL: nobody looks */
    size_t batches;
    size_t full; /* batches that met a full ring and are no samples */
    int cpu;
    _Atomic int must_stop;
} pacer;

static uint8_t payload[PAYLOAD];

/* Offers batches at the pace; each is a sample. */
static void offer_paced(pacer *it)
{
    uint64_t next = bench_now_ns();
    for (size_t i = 0; i < it->batches && !atomic_load(&it->must_stop); i++) {
        uint64_t start;
        fls_status worst = FLS_OK;
        next += BATCH_NS;
        while ((start = bench_now_ns()) < next) {
        }
        for (unsigned k = 0; k < BATCH; k++) {
            fls_status status = fls_producer_offer(it->producer, payload, bench_opaque(PAYLOAD));
            worst = status != FLS_OK ? status : worst;
        }
        uint64_t end = bench_now_ns();
        if (worst != FLS_OK && worst != FLS_WOULD_BLOCK) {
            bench_fail("an offer came to %s", fls_status_name(worst));
        }
        /* Somebody else had the drain's processor for long: the goals are for rings with room. */
        it->full += worst != FLS_OK;
        if (it->latency != NULL && worst == FLS_OK) {
            latency_add(it->latency, end - start);
        }
        if (end > next + BATCH_NS) {
            next = end; /* this thread was away: the pace goes on from here */
        }
    }
}

static void *run_second(void *argument)
{
    pacer *it = argument;
    bench_pin(it->cpu);
    offer_paced(it);
    return NULL;
}

static fls_producer *attach(fls_recorder *recorder)
{
    fls_error err = FLS_ERROR_INIT;
    fls_producer *producer;
    bench_must(fls_recorder_attach(recorder, NULL, &producer, &err), &err, "fls_recorder_attach");
    return producer;
}

/* One producer, or two, for so many batches of the first. The drain runs on the other processor,
 * as the second producer does. */
static void measure_offers(bench_latency *latency, size_t batches, bool two)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_producer_figures figures = FLS_PRODUCER_FIGURES_INIT;
    fls_recorder *recorder;
    pthread_t thread;
    const char *path = journal_path("recorder");
    int cpu = bench_given()->cpu >= 0 ? bench_given()->cpu : 1;
    int other_cpu = cpu == 0 ? 1 : 0;
    options.retain_bytes = 256 * MIB;
    options.segment_bytes = 64 * MIB;
    bench_pin(other_cpu); /* threads begin where their maker is */
    fls_journal *journal = journal_open(path, &options);
    bench_must(fls_recorder_open(&recorder, journal, NULL, &err), &err, "fls_recorder_open");
    pacer first = {attach(recorder), latency, batches, 0, cpu, 0};
    pacer second = {two ? attach(recorder) : NULL, NULL, SIZE_MAX, 0, other_cpu, 0};
    if (two && pthread_create(&thread, NULL, run_second, &second) != 0) {
        bench_fail("starting a thread failed");
    }
    bench_pin(cpu);
    offer_paced(&first);
    atomic_store(&second.must_stop, 1);
    if (two) {
        (void)pthread_join(thread, NULL);
    }
    if (first.full * 10 > batches) {
        bench_fail("the ring was full in %zu of %zu batches", first.full, batches);
    }
    bench_must(fls_recorder_drain(recorder, &err), &err, "fls_recorder_drain");
    fls_recorder_get_figures(recorder, &figures);
    if (figures.drained != figures.offered || figures.dropped != 0 ||
        figures.offered + figures.failed < batches * BATCH) {
        bench_fail("not every message was drained");
    }
    bench_must(fls_recorder_close(recorder, &err), &err, "fls_recorder_close");
    bench_must(fls_journal_close(journal, &err), &err, "fls_journal_close");
    journal_remove(path);
}

/* The limit: batches of copies between the same hot bytes. */
static void measure_copies(bench_latency *latency, size_t batches)
{
    enum { COPIES = 64 * BATCH };
    static uint8_t to[PAYLOAD];
    for (size_t i = 0; i < batches; i++) {
        uint64_t start = bench_now_ns();
        for (unsigned k = 0; k < COPIES; k++) {
            memcpy(to, payload, bench_opaque(PAYLOAD));
            bench_clobber();
        }
        latency->ns[latency->count++] = (double)(bench_now_ns() - start) * BATCH / COPIES;
    }
}

void bench_recorder(void)
{
    bench_latency copies;
    bench_latency one;
    bench_latency two;
    double to_limit[ROUNDS];
    double to_one[ROUNDS];
    size_t batches = bench_given()->smoke ? SMOKE_BATCHES : MOST_BATCHES;
    if (!latency_wanted(KEY, "offer")) {
        return;
    }
    latency_heading(
        "Recorder", KEY,
        "64 calls of fls_producer_offer with 100 B, at a million a second; the drain runs on "
        "the other processor. Goals: 8 times 64 copies, p99.9 1 us a message");
    latency_init(&copies, KEY, "64 hot memcpy", batches * ROUNDS);
    latency_init(&one, KEY, "64 offers", batches * ROUNDS);
    latency_init(&two, KEY, "64 offers, 2 producers", batches * ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t from = one.count;
        measure_copies(&copies, batches / 10);
        measure_offers(&one, batches, false);
        measure_offers(&two, batches, true);
        double limit = latency_median(&copies, copies.count - batches / 10);
        to_limit[i] = latency_median(&one, from) / limit;
        to_one[i] = latency_median(&two, from) / latency_median(&one, from);
    }
    latency_report(&copies, &(bench_latency_goal){0, 0, 0, 0, NULL});
    latency_report(&one, &(bench_latency_goal){0, TAIL_NS, LIMIT_MOST,
                                               latency_median_of(to_limit, ROUNDS), "memcpy"});
    latency_report(&two, &(bench_latency_goal){0, 0, SECOND_MOST, latency_median_of(to_one, ROUNDS),
                                               "one producer"});
    latency_fini(&copies);
    latency_fini(&one);
    latency_fini(&two);
}
