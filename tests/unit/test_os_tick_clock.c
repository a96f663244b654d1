/* The clock read by the processor's count: near the clock behind it and never back, whatever count
 * and clock do; on several threads too. */
#include "os/os_tick_clock.h"

#include "os/os_thread.h"
#include "support/prng.h"
#include "support/testing.h"

/* A machine: its clock, and a count of so many ticks in 1024 ns. */
static struct {
    uint64_t now_ns;
    uint64_t count;
    uint64_t part; /* of a tick, in 1024 */
    uint64_t rate;
    uint64_t read_ns; /* what reading the clock takes */
    unsigned reads;
} machine;

static void pass(uint64_t ns)
{
    machine.now_ns += ns;
    machine.part += ns * machine.rate;
    machine.count += machine.part / 1024;
    machine.part %= 1024;
}

static uint64_t machine_clock(void *self)
{
    (void)self;
    machine.reads++;
    pass(machine.read_ns);
    return machine.now_ns;
}

static uint64_t machine_count(void)
{
    return machine.count;
}

static const fls_clock clock_of_machine = {machine_clock, NULL};
static flsi_tick_clock ticks;
static uint64_t told;

static int set_up(void **state)
{
    (void)state;
    machine.now_ns = 5000;
    machine.count = UINT64_C(1) << 63;
    machine.rate = 2500;
    machine.read_ns = 30;
    machine.reads = 0;
    told = 0;
    flsi_tick_clock_init(&ticks, &clock_of_machine, machine_count);
    return 0;
}

/* Not before what was told, and not behind the clock by more. */
static void expect_time(uint64_t behind)
{
    uint64_t time = flsi_tick_clock_at(&ticks, machine_count());
    assert_true(time >= told);
    assert_true(time <= machine.now_ns);
    assert_true(time + behind >= machine.now_ns);
    told = time;
}

/* In small steps, so that the rate is known. */
static void warm_up(void)
{
    for (int i = 0; i < 40000; i++) {
        pass(1000);
        expect_time(1300);
    }
}

static void test_is_near_the_clock(void **state)
{
    const uint64_t rates[] = {24, 1024, 2500, 5001};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        prng random = prng_seeded(r);
        (void)set_up(state);
        machine.rate = rates[r];
        warm_up();
        unsigned before = machine.reads;
        for (int i = 0; i < 100000; i++) {
            pass(prng_below(&random, 100));
            expect_time(1300);
        }
        assert_true(machine.reads - before < 200); /* some 5 ms, anchored every 250 us */
        for (int i = 0; i < 2000; i++) {           /* idle for long, too */
            pass(prng_below(&random, UINT64_C(1) << prng_below(&random, 40)));
            expect_time(1300);
        }
    }
}

/* A clock that is steered, as time services do it, is never overtaken. */
static void test_clock_that_is_steered(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        machine.rate = round % 2 == 0 ? 2500 : 2501;
        warm_up();
    }
}

/* Until there is a rate, and where reading a pair takes too long, it is the clock's own time. */
static void test_is_the_clock_without_a_rate(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        pass(1000000);
        expect_time(0);
    }
    machine.read_ns = 2000;
    for (int i = 0; i < 100; i++) {
        pass(1000000);
        expect_time(0);
    }
    machine.read_ns = 30;
    warm_up();
}

/* A count that jumps, or stands, or runs at another rate is believed for 250 us at most. */
static void test_count_that_cannot_be_trusted(void **state)
{
    (void)state;
    prng random = prng_seeded(3);
    warm_up();
    for (int round = 0; round < 300; round++) {
        switch (round % 4) {
        case 0: machine.count += prng_below(&random, UINT64_C(1) << 40); break;
        case 1: machine.count -= prng_below(&random, UINT64_C(1) << 40); break;
        case 2: machine.rate = 1 + prng_below(&random, 10000); break;
        default: machine.rate = round % 8 == 3 ? 0 : 2500; break;
        }
        for (int i = 0; i < 3000; i++) {
            pass(prng_below(&random, 1000));
            uint64_t time = flsi_tick_clock_at(&ticks, machine_count());
            assert_true(time >= told);
            assert_true(time <= machine.now_ns + 251000);
            told = time;
        }
        machine.rate = machine.rate < 4 ? 2500 : machine.rate;
    }
    machine.rate = 2500;
    for (int i = 0; i < 1000; i++) { /* and is forgotten */
        pass(100000);
        (void)flsi_tick_clock_at(&ticks, machine_count());
    }
    told = 0;
    warm_up();
}

/* A machine that sleeps: the clock stands, the count goes on. */
static void test_clock_that_stood(void **state)
{
    (void)state;
    warm_up();
    machine.count += UINT64_C(3600) * 2441406250;
    uint64_t time = flsi_tick_clock_at(&ticks, machine_count());
    assert_true(time >= told && time <= machine.now_ns + 250000);
    told = time;
    pass(250000); /* it waits for the clock */
    warm_up();
}

/* A thread that read the count, and was held up while others made an anchor behind that: once
 * before it looks at the line, and once when it had found the old one at its end. Neither is any
 * reason to run ahead. */
static void test_thread_that_was_held_up(void **state)
{
    (void)state;
    warm_up();
    for (int round = 0; round < 2000; round++) {
        uint64_t count = machine_count();
        pass(260000);
        expect_time(1300);
        pass((uint64_t)round % 1000);
        uint64_t time =
            round % 2 == 0 ? flsi_tick_clock_at(&ticks, count) : flsi_tick_clock_anchor(&ticks);
        assert_true(time >= told && time <= machine.now_ns);
        told = time;
        for (int i = 0; i < 300; i++) {
            pass(1000);
            expect_time(1300);
        }
    }
}

/* ---- threads ---- */

static _Atomic uint64_t newest;
static _Atomic int wrong;

static void read_often(void *self)
{
    flsi_tick_clock *shared = self;
    for (int i = 0; i < 200000; i++) {
        uint64_t before = atomic_load(&newest);
        /* In order: read early, the count can be from before what the other thread told. */
        uint64_t time = flsi_tick_clock_at(shared, flsi_ticks_in_order());
        if (time < before) {
            atomic_store(&wrong, 1);
        }
        while (time > before && !atomic_compare_exchange_weak(&newest, &before, time)) {
        }
    }
}

static void test_threads(void **state)
{
    (void)state;
    flsi_thread threads[3];
    static flsi_tick_clock shared;
    flsi_tick_clock_init(&shared, NULL, NULL);
    uint64_t from = fls_clock_monotonic()->now_ns(NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_status(flsi_thread_start(&threads[i], read_often, &shared, NULL), FLS_OK, NULL);
    }
    for (size_t i = 0; i < 3; i++) {
        flsi_thread_join(&threads[i]);
    }
    assert_int_equal(wrong, 0);
    assert_true(newest >= from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_is_near_the_clock, set_up),
        cmocka_unit_test_setup(test_clock_that_is_steered, set_up),
        cmocka_unit_test_setup(test_is_the_clock_without_a_rate, set_up),
        cmocka_unit_test_setup(test_count_that_cannot_be_trusted, set_up),
        cmocka_unit_test_setup(test_clock_that_stood, set_up),
        cmocka_unit_test_setup(test_thread_that_was_held_up, set_up),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
