/* When memory is given back: each policy against what its header promises. */
#include "stream/memory_state.h"
#include "support/prng.h"
#include "support/testing.h"

#define BASELINE 16384u

typedef struct manual_clock {
    fls_clock table;
    uint64_t now;
    unsigned calls;
} manual_clock;

static uint64_t manual_now(void *self)
{
    manual_clock *clock = self;
    clock->calls++;
    return clock->now;
}

static void manual_clock_init(manual_clock *clock)
{
    *clock = (manual_clock){{manual_now, clock}, 1000, 0};
}

static flsi_memory_state state_of(const fls_memory_policy *policy)
{
    flsi_memory_state state;
    fls_error err = FLS_ERROR_INIT;
    assert_int_equal(flsi_memory_state_init(&state, policy, &err), FLS_OK);
    return state;
}

static void keep_never_reclaims(void **unused)
{
    (void)unused;
    fls_memory_policy keep = {.kind = FLS_MEMORY_KEEP};
    flsi_memory_state none = state_of(NULL);
    flsi_memory_state kept = state_of(&keep);
    for (int i = 0; i < 100; i++) {
        assert_false(flsi_memory_should_reclaim(&none, 0, SIZE_MAX, BASELINE));
        assert_false(flsi_memory_should_reclaim(&kept, 0, SIZE_MAX, BASELINE));
    }
}

static void watermark_defaults(void **unused)
{
    (void)unused;
    fls_memory_policy policy = {.kind = FLS_MEMORY_ADAPTIVE_WATERMARK};
    flsi_memory_state state = state_of(&policy);
    size_t capacity = 1 << 20;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            assert_false(flsi_memory_should_reclaim(&state, capacity / 4, capacity, BASELINE));
        }
        assert_true(flsi_memory_should_reclaim(&state, capacity / 4, capacity, BASELINE));
    }
    /* One byte more than a fourth is not far less, and ends the run. */
    for (int i = 0; i < 100; i++) {
        size_t last = i % 5 == 4 ? capacity / 4 + 1 : 1;
        assert_false(flsi_memory_should_reclaim(&state, last, capacity, BASELINE));
    }
    /* At or below the baseline nobody asks. */
    for (int i = 0; i < 100; i++) {
        assert_false(flsi_memory_should_reclaim(&state, 1, BASELINE, BASELINE));
    }
}

/* A buffer that grows as it must and shrinks as it is told, against the rule written again. */
static void watermark_follows_its_rule(void **unused)
{
    (void)unused;
    const uint64_t seed = 20240611;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng random = prng_seeded(seed);
    for (int round = 0; round < 200; round++) {
        manual_clock clock;
        manual_clock_init(&clock);
        fls_memory_policy policy = {.kind = FLS_MEMORY_ADAPTIVE_WATERMARK,
                                    .ratio = (uint32_t)(1 + prng_below(&random, 8)),
                                    .messages = (uint32_t)(1 + prng_below(&random, 6)),
                                    .cooldown_ns = prng_below(&random, 3) * 500,
                                    .clock = &clock.table};
        flsi_memory_state state = state_of(&policy);
        size_t capacity = BASELINE;
        uint64_t run = 0;
        uint64_t last_time = 0;
        int has_time = 0;
        for (int i = 0; i < 500; i++) {
            size_t need = prng_below(&random, 10) == 0 ? prng_below(&random, 1 << 22)
                                                       : prng_below(&random, 1 << 13);
            clock.now += prng_below(&random, 100);
            capacity = need > capacity ? need : capacity;
            int expected = 0;
            if (capacity > BASELINE) {
                run = need * policy.ratio <= capacity - capacity % policy.ratio ? run + 1 : 0;
                int is_warm = has_time && policy.cooldown_ns != 0 &&
                              clock.now - last_time < policy.cooldown_ns;
                expected = run >= policy.messages && !is_warm;
            }
            assert_int_equal(flsi_memory_should_reclaim(&state, need, capacity, BASELINE),
                             expected);
            if (expected) {
                run = 0;
                has_time = 1;
                last_time = clock.now;
                capacity = need > BASELINE ? need : BASELINE;
            }
        }
        assert_true(policy.cooldown_ns != 0 || clock.calls == 0);
    }
}

static void cooldown_waits_and_then_answers_at_once(void **unused)
{
    (void)unused;
    manual_clock clock;
    manual_clock_init(&clock);
    fls_memory_policy policy = {.kind = FLS_MEMORY_ADAPTIVE_WATERMARK,
                                .messages = 1,
                                .cooldown_ns = 100,
                                .clock = &clock.table};
    flsi_memory_state state = state_of(&policy);
    assert_true(flsi_memory_should_reclaim(&state, 1, 1 << 20, BASELINE));
    clock.now += 99;
    assert_false(flsi_memory_should_reclaim(&state, 1, 1 << 20, BASELINE));
    clock.now += 1;
    assert_true(flsi_memory_should_reclaim(&state, 1, 1 << 20, BASELINE));
}

static void threshold(void **unused)
{
    (void)unused;
    fls_memory_policy policy = {.kind = FLS_MEMORY_SIZE_THRESHOLD};
    flsi_memory_state state = state_of(&policy);
    size_t mebi = 1 << 20;
    assert_false(flsi_memory_should_reclaim(&state, 1, mebi, BASELINE));
    assert_true(flsi_memory_should_reclaim(&state, 1, mebi + 1, BASELINE));
    assert_true(flsi_memory_should_reclaim(&state, mebi, mebi + 1, BASELINE));
    assert_false(flsi_memory_should_reclaim(&state, mebi + 1, mebi + 1, BASELINE));
    policy.threshold_bytes = 100;
    state = state_of(&policy);
    assert_false(flsi_memory_should_reclaim(&state, 1, 200, 200));
    assert_true(flsi_memory_should_reclaim(&state, 1, 201, 200));
}

typedef struct custom_calls {
    unsigned asked;
    size_t last;
    size_t capacity;
    size_t baseline;
    int answer;
    size_t from;
    size_t to;
} custom_calls;

static int custom_reclaim(void *self, size_t last_bytes, size_t capacity, size_t baseline)
{
    custom_calls *calls = self;
    calls->asked++;
    calls->last = last_bytes;
    calls->capacity = capacity;
    calls->baseline = baseline;
    return calls->answer;
}

static void custom_reclaimed(void *self, size_t from_bytes, size_t to_bytes)
{
    custom_calls *calls = self;
    calls->from = from_bytes;
    calls->to = to_bytes;
}

static void custom(void **unused)
{
    (void)unused;
    custom_calls calls = {.answer = 0};
    fls_memory_policy policy = {.kind = FLS_MEMORY_CUSTOM,
                                .reclaim = custom_reclaim,
                                .reclaimed = custom_reclaimed,
                                .self = &calls};
    flsi_memory_state state = state_of(&policy);
    assert_false(flsi_memory_should_reclaim(&state, 7, BASELINE, BASELINE));
    assert_int_equal(calls.asked, 0);
    assert_false(flsi_memory_should_reclaim(&state, 7, BASELINE + 1, BASELINE));
    assert_int_equal(calls.asked, 1);
    assert_int_equal(calls.last, 7);
    assert_int_equal(calls.capacity, BASELINE + 1);
    assert_int_equal(calls.baseline, BASELINE);
    calls.answer = -3;
    assert_true(flsi_memory_should_reclaim(&state, 7, BASELINE + 1, BASELINE));
    flsi_memory_reclaimed(&state, 5000, 4000);
    assert_int_equal(calls.from, 5000);
    assert_int_equal(calls.to, 4000);
    state = state_of(NULL);
    flsi_memory_reclaimed(&state, 1, 2);
}

static void bad_policies_are_refused(void **unused)
{
    (void)unused;
    flsi_memory_state state;
    fls_error err = FLS_ERROR_INIT;
    fls_memory_policy policy = {.kind = (fls_memory_policy_kind)4};
    assert_int_equal(flsi_memory_state_init(&state, &policy, &err), FLS_INVALID_ARGUMENT);
    assert_int_equal(err.status, FLS_INVALID_ARGUMENT);
    assert_false(flsi_memory_should_reclaim(&state, 1, SIZE_MAX, BASELINE));
    policy.kind = FLS_MEMORY_CUSTOM;
    assert_int_equal(flsi_memory_state_init(&state, &policy, NULL), FLS_INVALID_ARGUMENT);
    assert_false(flsi_memory_should_reclaim(&state, 1, SIZE_MAX, BASELINE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_never_reclaims),
        cmocka_unit_test(watermark_defaults),
        cmocka_unit_test(watermark_follows_its_rule),
        cmocka_unit_test(cooldown_waits_and_then_answers_at_once),
        cmocka_unit_test(threshold),
        cmocka_unit_test(custom),
        cmocka_unit_test(bad_policies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
