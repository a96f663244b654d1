/* Lines of time between the processor's count and the clock; see os_tick_clock.h. */
#include "os/os_tick_clock.h"

#define WINDOW_NS   UINT64_C(250000)
#define RATE_NS     UINT64_C(10000000)   /* pairs so far apart give a rate */
#define RATE_MOST   UINT64_C(1000000000) /* and from here on the next first pair is taken */
#define SLOWER      10u                  /* a line is slower than its clock by 1 in 2 to this */
#define AGREE       11u                  /* two rates differ by less than 1 in 2 to this */
#define PAIR_NS     UINT64_C(1000)       /* a pair that took longer to read is none */
#define PAIR_TRIES  3
#define LOWEST_RATE (UINT64_C(1) << 24) /* a count of 256 GHz ... */
#define MOST_RATE   (UINT64_C(1) << 40) /* ... and of 4 MHz */

void flsi_tick_clock_init(flsi_tick_clock *ticks, const fls_clock *clock, uint64_t (*count)(void))
{
    atomic_init(&ticks->version, 0);
    atomic_init(&ticks->ticks, 0);
    atomic_init(&ticks->time_ns, 0);
    atomic_init(&ticks->rate, 0);
    atomic_init(&ticks->window, 0);
    atomic_init(&ticks->floor_ns, 0);
    ticks->first_ticks = 0;
    ticks->first_ns = 0;
    ticks->has_first = 0;
    ticks->steady = count != NULL || flsi_ticks_are_steady();
    ticks->clock = clock != NULL ? clock : fls_clock_monotonic();
    ticks->count = count;
}

static uint64_t count_now(const flsi_tick_clock *ticks)
{
    return ticks->count != NULL ? ticks->count() : flsi_ticks_in_order();
}

static uint64_t clock_now(const flsi_tick_clock *ticks)
{
    return ticks->clock->now_ns(ticks->clock->self);
}

/* Nothing below it is told any more. */
static uint64_t raise_floor(flsi_tick_clock *ticks, uint64_t time_ns)
{
    uint64_t floor_ns = atomic_load_explicit(&ticks->floor_ns, memory_order_relaxed);
    while (time_ns > floor_ns &&
           !atomic_compare_exchange_weak_explicit(&ticks->floor_ns, &floor_ns, time_ns,
                                                  memory_order_release, memory_order_relaxed)) {
    }
    return time_ns > floor_ns ? time_ns : floor_ns;
}

static uint64_t at_least_floor(const flsi_tick_clock *ticks, uint64_t time_ns)
{
    uint64_t floor_ns = atomic_load_explicit(&ticks->floor_ns, memory_order_relaxed);
    return time_ns > floor_ns ? time_ns : floor_ns;
}

/* Nanoseconds in 2^32 ticks by the pairs, 0 when that is none. */
static uint64_t rate_of(uint64_t ticks, uint64_t ns)
{
    for (; ns >= UINT64_C(1) << 32; ns >>= 1) {
        ticks >>= 1;
    }
    uint64_t rate = ticks != 0 ? (ns << 32) / ticks : 0;
    return rate >= LOWEST_RATE && rate <= MOST_RATE ? rate : 0;
}

static int agree(uint64_t one, uint64_t other)
{
    uint64_t apart = one > other ? one - other : other - one;
    return apart <= one >> AGREE;
}

/* The rate, as this pair and the ones before it have it; 0: not known. */
static uint64_t take_rate(flsi_tick_clock *ticks, uint64_t count, uint64_t now, uint64_t known)
{
    uint64_t passed = now - ticks->first_ns;
    if (!ticks->has_first || now < ticks->first_ns || count < ticks->first_ticks) {
        ticks->has_first = 1;
        ticks->first_ticks = count;
        ticks->first_ns = now;
        return 0;
    }
    if (passed < RATE_NS) {
        return known;
    }
    uint64_t rate = rate_of(count - ticks->first_ticks, passed);
    rate -= rate >> SLOWER;
    if (rate == 0 || (known != 0 && !agree(rate, known)) || passed >= RATE_MOST) {
        ticks->first_ticks = count;
        ticks->first_ns = now;
    }
    return known == 0 || agree(rate, known) ? rate : 0;
}

uint64_t flsi_tick_clock_anchor(flsi_tick_clock *ticks)
{
    uint32_t version = atomic_load_explicit(&ticks->version, memory_order_relaxed);
    if (!ticks->steady || (version & 1) != 0 ||
        !atomic_compare_exchange_strong_explicit(&ticks->version, &version, version + 1,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        /* Another thread makes one just now, and may read the clock before this one does. */
        return ticks->steady ? raise_floor(ticks, clock_now(ticks)) : clock_now(ticks);
    }
    uint64_t rate = atomic_load_explicit(&ticks->rate, memory_order_relaxed);
    uint64_t window = atomic_load_explicit(&ticks->window, memory_order_relaxed);
    uint64_t line_ns = atomic_load_explicit(&ticks->time_ns, memory_order_relaxed);
    uint64_t passed = count_now(ticks) - atomic_load_explicit(&ticks->ticks, memory_order_relaxed);
    if (passed < window) { /* made by another thread, since this one looked or read the count */
        atomic_store_explicit(&ticks->version, version, memory_order_release);
        return at_least_floor(ticks, line_ns + (passed * rate >> 32));
    }
    uint64_t told = line_ns + (window * rate >> 32); /* the last that the line can have told */
    uint64_t before = 0;
    uint64_t now = 0;
    uint64_t count = 0;
    uint64_t took = UINT64_MAX;
    for (int i = 0; i < PAIR_TRIES && took > PAIR_NS; i++) {
        before = clock_now(ticks);
        count = count_now(ticks);
        now = clock_now(ticks);
        took = now - before;
    }
    int paired = took <= PAIR_NS;
    rate = paired ? take_rate(ticks, count, now, rate) : rate;
    window = paired && rate != 0 ? (WINDOW_NS << 32) / rate : 0;
    uint64_t result = raise_floor(ticks, told > now ? told : now);
    before -= (rate >> 32) + 1; /* a tick may have been about to come, and come just behind it */
    atomic_store_explicit(&ticks->ticks, count, memory_order_release);
    atomic_store_explicit(&ticks->time_ns, before, memory_order_release);
    atomic_store_explicit(&ticks->rate, rate, memory_order_release);
    atomic_store_explicit(&ticks->window, window, memory_order_release);
    atomic_store_explicit(&ticks->version, version + 2, memory_order_release);
    return result;
}
