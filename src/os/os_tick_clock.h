/* The monotonic clock, read by the processor's count of time (os_ticks.h): some 15 ns where
 * clock_gettime takes 30.
 *
 * The time is told by a line: that of an anchor, a pair of (count, clock) read together, and what
 * has been counted since times a rate. An anchor holds for 250 us; who reads the time after that
 * reads the clock and makes the next one, so that nothing adds up, and a count that jumps or stands
 * still (a suspended or moved machine) is not believed for longer. The rate is taken between
 * anchors 10 ms and more apart, less one part in 1024: more than clocks are ever steered by, so
 * that a line stays behind the clock and the next anchor never leads back. Hence:
 *
 *   - a time is never later than the clock would have told, as long as the rate holds;
 *   - it is earlier by at most 250 us / 1024, a tick, and what reading the pair took (1 us at
 *     most);
 *   - no line begins below what was told before, whatever the count and the rate do. So the time
 *     never goes back by more than the count itself does within 250 us, as where processors'
 *     counts differ by some ticks, or one is read a little early: who needs order between threads
 *     holds it against the last one, as the journal does under its lock.
 *
 * Until a rate is known, and for as long as counts and clock do not agree on one, the clock itself
 * is read. Any number of threads may read at once; none waits for another.
 */
#ifndef FLSI_OS_TICK_CLOCK_H
#define FLSI_OS_TICK_CLOCK_H

#include <stdatomic.h>

#include "flatstream/allocator.h"
#include "os/os_ticks.h"

typedef struct flsi_tick_clock {
    /* The line, under `version`, which is odd while it is changed. */
    _Atomic uint32_t version;
    _Atomic uint64_t ticks; /* of the anchor */
    _Atomic uint64_t time_ns;
    _Atomic uint64_t rate;   /* nanoseconds in 2^32 ticks */
    _Atomic uint64_t window; /* ticks for which the anchor holds; 0: there is none */
    _Atomic uint64_t floor_ns;
    /* Of who changes it. */
    uint64_t first_ticks; /* the pair from which the rate is taken */
    uint64_t first_ns;
    uint32_t has_first;
    uint32_t steady; /* 1: there is a count that can be used */
    const fls_clock *clock;
    uint64_t (*count)(void); /* NULL: flsi_ticks_in_order */
} flsi_tick_clock;

/* clock NULL: the monotonic one. count NULL: the processor's, if it is steady; a test gives its
 * own, and passes that to flsi_tick_clock_at. */
void flsi_tick_clock_init(flsi_tick_clock *ticks, const fls_clock *clock, uint64_t (*count)(void));

/* The time by the clock, which makes an anchor if nobody else is about to; or by the line, where it
 * turns out to hold. */
uint64_t flsi_tick_clock_anchor(flsi_tick_clock *ticks);

/* The time at which that was the count, which was read just now. */
static inline uint64_t flsi_tick_clock_at(flsi_tick_clock *ticks, uint64_t count)
{
    uint32_t version = atomic_load_explicit(&ticks->version, memory_order_acquire);
    uint64_t passed = count - atomic_load_explicit(&ticks->ticks, memory_order_acquire);
    uint64_t time_ns = atomic_load_explicit(&ticks->time_ns, memory_order_acquire);
    uint64_t rate = atomic_load_explicit(&ticks->rate, memory_order_acquire);
    uint64_t window = atomic_load_explicit(&ticks->window, memory_order_acquire);
    uint64_t floor_ns = atomic_load_explicit(&ticks->floor_ns, memory_order_acquire);
    if (passed >= window || (version & 1) != 0 ||
        atomic_load_explicit(&ticks->version, memory_order_relaxed) != version) {
        return flsi_tick_clock_anchor(ticks);
    }
    time_ns += passed * rate >> 32;
    return time_ns > floor_ns ? time_ns : floor_ns;
}

/* Nanoseconds, as the clock has them. */
static inline uint64_t flsi_tick_clock_now(flsi_tick_clock *ticks)
{
    return flsi_tick_clock_at(ticks, flsi_ticks());
}

#endif
