/* Threads, locks and conditions: what a lock guards is whole, a wait ends by a signal and by time,
 * a new thread has all signals blocked. */
#include "os/os_thread.h"

#include <pthread.h>
#include <signal.h>

#include "flatstream/allocator.h"
#include "support/testing.h"

typedef struct shared {
    flsi_mutex mutex;
    flsi_condition changed;
    unsigned turn;
    uint64_t sum;
    int signals_blocked;
} shared;

static void shared_open(shared *it)
{
    memset(it, 0, sizeof *it);
    assert_status(flsi_mutex_init(&it->mutex, NULL), FLS_OK, NULL);
    assert_status(flsi_condition_init(&it->changed, NULL), FLS_OK, NULL);
}

static void shared_close(shared *it)
{
    flsi_condition_fini(&it->changed);
    flsi_mutex_fini(&it->mutex);
}

#define ADDITIONS 20000

static void add_often(void *self)
{
    shared *it = self;
    for (unsigned i = 0; i < ADDITIONS; i++) {
        flsi_mutex_lock(&it->mutex);
        uint64_t before = *(volatile uint64_t *)&it->sum;
        if (i % 4096 == 0) {
            flsi_thread_yield();
        }
        it->sum = before + 1;
        flsi_mutex_unlock(&it->mutex);
    }
}

static void a_lock_keeps_others_out(void **unused)
{
    (void)unused;
    shared it;
    flsi_thread threads[3];
    shared_open(&it);
    for (size_t i = 0; i < 3; i++) {
        assert_status(flsi_thread_start(&threads[i], add_often, &it, NULL), FLS_OK, NULL);
    }
    for (size_t i = 0; i < 3; i++) {
        flsi_thread_join(&threads[i]);
    }
    assert_int_equal(it.sum, 3 * ADDITIONS);
    shared_close(&it);
}

#define TURNS 200

static void answer_turns(void *self)
{
    shared *it = self;
    flsi_mutex_lock(&it->mutex);
    for (unsigned i = 0; i < TURNS; i++) {
        while (it->turn % 2 == 0) {
            flsi_condition_wait(&it->changed, &it->mutex);
        }
        it->turn++;
        flsi_condition_broadcast(&it->changed);
    }
    flsi_mutex_unlock(&it->mutex);
}

static void two_threads_take_turns(void **unused)
{
    (void)unused;
    shared it;
    flsi_thread thread;
    shared_open(&it);
    assert_status(flsi_thread_start(&thread, answer_turns, &it, NULL), FLS_OK, NULL);
    flsi_mutex_lock(&it.mutex);
    for (unsigned i = 0; i < TURNS; i++) {
        while (it.turn % 2 == 1) {
            (void)flsi_condition_wait_for(&it.changed, &it.mutex, UINT64_MAX);
        }
        it.turn++;
        flsi_condition_signal(&it.changed);
    }
    flsi_mutex_unlock(&it.mutex);
    flsi_thread_join(&thread);
    assert_int_equal(it.turn, 2 * TURNS);
    shared_close(&it);
}

static void a_wait_ends_when_its_time_has_passed(void **unused)
{
    (void)unused;
    const fls_clock *clock = fls_clock_monotonic();
    const uint64_t lengths[] = {0, 1, 3000000};
    shared it;
    shared_open(&it);
    flsi_mutex_lock(&it.mutex);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t start = clock->now_ns(clock->self);
        while (flsi_condition_wait_for(&it.changed, &it.mutex, lengths[i])) {
        }
        assert_true(clock->now_ns(clock->self) - start >= lengths[i]);
    }
    flsi_mutex_unlock(&it.mutex);
    uint64_t start = clock->now_ns(clock->self);
    flsi_sleep_ns(2000000);
    assert_true(clock->now_ns(clock->self) - start >= 2000000);
    shared_close(&it);
}

static void look_at_signals(void *self)
{
    shared *it = self;
    sigset_t mask;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    it->signals_blocked = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
                          sigismember(&mask, SIGUSR1) == 1;
}

static void a_new_thread_takes_no_signals(void **unused)
{
    (void)unused;
    shared it;
    flsi_thread thread;
    sigset_t mask;
    shared_open(&it);
    assert_status(flsi_thread_start(&thread, look_at_signals, &it, NULL), FLS_OK, NULL);
    flsi_thread_join(&thread);
    assert_true(it.signals_blocked);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    shared_close(&it);
}

static void random_bytes_differ(void **unused)
{
    (void)unused;
    uint8_t one[700];
    uint8_t two[700];
    memset(one, 0, sizeof one);
    memset(two, 0, sizeof two);
    assert_status(flsi_random_bytes(one, sizeof one, NULL), FLS_OK, NULL);
    assert_status(flsi_random_bytes(two, sizeof two, NULL), FLS_OK, NULL);
    assert_memory_not_equal(one, two, sizeof one);
    assert_memory_not_equal(one + 640, two + 640, 60);
    assert_status(flsi_random_bytes(one, 0, NULL), FLS_OK, NULL);
}

static void the_wall_clock_is_past_2020(void **unused)
{
    (void)unused;
    assert_true(flsi_wall_now_ns() > UINT64_C(1577836800) * UINT64_C(1000000000));
    assert_true(flsi_process_id() != 0);
}

#define AT_GATE 6

typedef struct gated {
    flsi_gate gate;
    _Atomic unsigned open;
    _Atomic unsigned through;
} gated;

static void wait_at_gate(void *self)
{
    gated *it = self;
    uint32_t turn = flsi_gate_turn(&it->gate);
    while (!it->open) {
        (void)flsi_gate_wait(&it->gate, turn, FLSI_GATE_FOREVER);
        turn = flsi_gate_turn(&it->gate);
    }
    it->through++;
}

/* Whenever they came: each looks at `open` after it read the turn. */
static void a_gate_lets_all_go(void **unused)
{
    (void)unused;
    static gated it;
    for (int round = 0; round < 50; round++) {
        flsi_thread threads[AT_GATE];
        assert_status(flsi_gate_init(&it.gate, NULL), FLS_OK, NULL);
        it.open = 0;
        it.through = 0;
        for (size_t i = 0; i < AT_GATE; i++) {
            assert_status(flsi_thread_start(&threads[i], wait_at_gate, &it, NULL), FLS_OK, NULL);
        }
        for (int i = 0; i < round; i++) {
            flsi_thread_yield();
        }
        flsi_gate_nudge(&it.gate); /* for no reason */
        assert_int_equal(it.through, 0);
        it.open = 1;
        flsi_gate_open(&it.gate);
        for (size_t i = 0; i < AT_GATE; i++) {
            flsi_thread_join(&threads[i]);
        }
        assert_int_equal(it.through, AT_GATE);
        flsi_gate_fini(&it.gate);
    }
}

static void wait_for_a_nudge(void *self)
{
    gated *it = self;
    uint32_t turn = flsi_gate_turn(&it->gate);
    it->open++;
    (void)flsi_gate_wait(&it->gate, turn, FLSI_GATE_FOREVER);
    it->through++;
}

/* Enough of them let go all that wait, also those that were about to. */
static void a_nudge_lets_one_go(void **unused)
{
    (void)unused;
    static gated it;
    flsi_thread threads[AT_GATE];
    assert_status(flsi_gate_init(&it.gate, NULL), FLS_OK, NULL);
    for (size_t i = 0; i < AT_GATE; i++) {
        assert_status(flsi_thread_start(&threads[i], wait_for_a_nudge, &it, NULL), FLS_OK, NULL);
    }
    while (it.open < AT_GATE) {
        flsi_thread_yield();
    }
    for (unsigned i = 1; i <= AT_GATE; i++) {
        flsi_gate_nudge(&it.gate);
        while (it.through < i) {
            flsi_thread_yield();
        }
    }
    for (size_t i = 0; i < AT_GATE; i++) {
        flsi_thread_join(&threads[i]);
    }
    flsi_gate_fini(&it.gate);
}

static void a_gate_is_left_by_time(void **unused)
{
    (void)unused;
    const fls_clock *clock = fls_clock_monotonic();
    flsi_gate gate;
    assert_status(flsi_gate_init(&gate, NULL), FLS_OK, NULL);
    uint32_t turn = flsi_gate_turn(&gate);
    uint64_t began = clock->now_ns(clock->self);
    while (flsi_gate_wait(&gate, turn, 2000000)) {
    }
    assert_true(clock->now_ns(clock->self) - began >= 2000000);
    flsi_gate_open(&gate);
    assert_int_equal(flsi_gate_wait(&gate, turn, FLSI_GATE_FOREVER),
                     1); /* not that turn any more */
    flsi_gate_fini(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_keeps_others_out),
        cmocka_unit_test(two_threads_take_turns),
        cmocka_unit_test(a_wait_ends_when_its_time_has_passed),
        cmocka_unit_test(a_new_thread_takes_no_signals),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(a_gate_lets_all_go),
        cmocka_unit_test(a_nudge_lets_one_go),
        cmocka_unit_test(a_gate_is_left_by_time),
        cmocka_unit_test(the_wall_clock_is_past_2020),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
