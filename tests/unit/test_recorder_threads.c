/* The recorder with its thread and several producers: under every policy, what was offered was
 * drained or dropped, what arrives is whole and in the order of its producer, and gaps say how many
 * are missing where they are missing. Meant for the thread sanitizer as well. */
#include "recorder_testing.h"

#include "support/prng.h"

#define PRODUCERS 3u

typedef struct loop {
    fls_recorder *recorder;
    fls_recorder_policy policy;
    fls_producer *producer;
    uint32_t number;
    uint32_t messages;
    uint64_t refused;
    flsi_thread thread;
} loop;

/* Words say who (top byte) and which; sizes go round the ring in all ways. */
static void offer_many(void *self)
{
    loop *it = self;
    prng random = prng_seeded(it->number + 1);
    for (uint32_t i = 0; i < it->messages; i++) {
        uint64_t word = (uint64_t)it->number << 56 | i;
        size_t size = 8 + (size_t)prng_below(&random, i % 16 == 0 ? 1000 : 60);
        if (i % 5 == 0) {
            uint8_t *room = fls_producer_claim(it->producer, size + 8);
            if (room != NULL) {
                fill(room, size, word);
                fls_producer_publish(it->producer, size);
            } else if (it->policy == FLS_RECORDER_FAIL) {
                it->refused++;
            }
            continue;
        }
        fls_status status = offer_word(it->producer, word, size);
        it->refused += status == FLS_WOULD_BLOCK ? 1 : 0;
        if (i % 997 == 0) {
            flsi_thread_yield();
        }
        if (i == it->messages / 2) {
            status = fls_recorder_drain(it->recorder, NULL);
        }
        if (status != FLS_OK && status != FLS_WOULD_BLOCK) {
            abort(); /* cmocka's asserts are for the main thread */
        }
    }
}

/* Messages of one producer: each is the one after the last or follows a gap that says how many are
 * not there. Under FAIL what was refused is missing without a gap. */
static void check_producer(const memory_journal *journal, const loop *it, uint32_t id,
                           const fls_producer_figures *figures)
{
    uint64_t expected = 0;
    uint64_t arrived = 0;
    uint64_t missing = 0;
    size_t gap = 0;
    for (size_t i = 0; i <= journal->count; i++) {
        for (; gap < journal->gap_count && journal->gaps[gap].before <= i; gap++) {
            if (journal->gaps[gap].producer == id) {
                expected += journal->gaps[gap].messages;
                missing += journal->gaps[gap].messages;
            }
        }
        if (i < journal->count && journal->messages[i].first_word >> 56 == it->number) {
            uint64_t which = journal->messages[i].first_word & UINT32_MAX;
            assert_true(journal->messages[i].is_sound);
            if (it->policy == FLS_RECORDER_FAIL) {
                assert_true(which >= expected);
                expected = which;
            }
            assert_int_equal(which, expected);
            expected++;
            arrived++;
        }
    }
    assert_int_equal(arrived, figures->drained);
    assert_int_equal(missing, figures->dropped);
    assert_int_equal(figures->offered, arrived + missing);
    assert_int_equal(figures->offered + it->refused, it->messages);
    assert_int_equal(figures->durable, arrived);
}

static void run_policy(fls_recorder_policy policy, uint32_t messages)
{
    memory_journal *journal = memory_journal_new();
    fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
    options.idle_ns = 20000;
    fls_recorder *recorder = memory_recorder(journal, &options, NULL, 1);
    loop loops[PRODUCERS];
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        loops[i] = (loop){.recorder = recorder,
                          .policy = policy,
                          .producer = attach(recorder, policy, i == 0 ? 4096 : 65536),
                          .number = i,
                          .messages = messages};
        assert_status(flsi_thread_start(&loops[i].thread, offer_many, &loops[i], NULL), FLS_OK,
                      NULL);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        flsi_thread_join(&loops[i].thread);
    }
    assert_status(fls_recorder_drain(recorder, NULL), FLS_OK, NULL);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        fls_producer_figures figures = FLS_PRODUCER_FIGURES_INIT;
        fls_producer_get_figures(loops[i].producer, &figures);
        check_producer(journal, &loops[i], figures.id, &figures);
        fls_producer_detach(loops[i].producer);
    }
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void blocked_producers_lose_nothing(void **unused)
{
    (void)unused;
    run_policy(FLS_RECORDER_BLOCK, 30000);
}

static void the_newest_are_accounted_for(void **unused)
{
    (void)unused;
    run_policy(FLS_RECORDER_DROP_NEWEST, 30000);
}

static void the_oldest_are_accounted_for(void **unused)
{
    (void)unused;
    run_policy(FLS_RECORDER_DROP_OLDEST, 30000);
}

static void refused_ones_are_accounted_for(void **unused)
{
    (void)unused;
    run_policy(FLS_RECORDER_FAIL, 30000);
}

static void offer_one_too_many(void *self)
{
    loop *it = self;
    fls_status status = FLS_OK;
    while (status == FLS_OK) {
        status = offer_word(it->producer, it->refused++, 100);
    }
    it->messages = (uint32_t)status;
}

/* A producer that waits hears of a journal that will never take anything again. */
static void a_blocked_producer_hears_of_an_error(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    journal->failure = FLS_IO;
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 1);
    loop it = {.producer = attach(recorder, FLS_RECORDER_BLOCK, 4096)};
    assert_status(flsi_thread_start(&it.thread, offer_one_too_many, &it, NULL), FLS_OK, NULL);
    flsi_thread_join(&it.thread);
    assert_int_equal(it.messages, FLS_CLOSED);
    assert_status(fls_recorder_close(recorder, NULL), FLS_IO, NULL);
    memory_journal_free(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocked_producers_lose_nothing),
        cmocka_unit_test(the_newest_are_accounted_for),
        cmocka_unit_test(the_oldest_are_accounted_for),
        cmocka_unit_test(refused_ones_are_accounted_for),
        cmocka_unit_test(a_blocked_producer_hears_of_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
