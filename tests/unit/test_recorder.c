/* The recorder, stepped by hand on a journal in memory: what is offered arrives once, whole and in
 * the order of the stamps; every policy; gaps before the right message; failures of the journal. */
#include "recorder_testing.h"
#include "support/counting_allocator.h"

typedef struct counter {
    uint64_t now;
    uint64_t step;
} counter;

static uint64_t count_on(void *self)
{
    counter *it = self;
    return it->now += it->step;
}

static void step_all(fls_recorder *recorder)
{
    while (flsi_recorder_step(recorder)) {
    }
}

static fls_producer_figures figures_of(const fls_producer *producer)
{
    fls_producer_figures figures = FLS_PRODUCER_FIGURES_INIT;
    fls_producer_get_figures(producer, &figures);
    return figures;
}

static void every_size_arrives_whole(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    uint64_t word = 0;
    fls_error err;
    for (size_t size = 1; size <= 2032; size++, word++) {
        if (offer_word(producer, word, size) != FLS_OK) {
            step_all(recorder);
            assert_status(offer_word(producer, word, size), FLS_OK, NULL);
        }
    }
    uint8_t large[2040] = {0};
    assert_status(fls_producer_offer(producer, large, 2033), FLS_INVALID_ARGUMENT, NULL);
    assert_status(fls_producer_offer(producer, large, 0), FLS_INVALID_ARGUMENT, NULL);
    assert_status(fls_producer_offer(producer, large, SIZE_MAX), FLS_INVALID_ARGUMENT, NULL);
    assert_null(fls_producer_claim(producer, 2033));
    assert_status(fls_recorder_drain(recorder, &err), FLS_OK, &err);
    assert_int_equal(journal->count, 2032);
    for (size_t i = 0; i < journal->count; i++) {
        uint64_t wanted = i < 7 ? i & ((UINT64_C(1) << 8 * (i + 1)) - 1) : i;
        assert_int_equal(journal->messages[i].size, i + 1);
        assert_int_equal(journal->messages[i].first_word, wanted);
        assert_true(i < 8 || journal->messages[i].is_sound);
        assert_true(i == 0 || journal->messages[i].time_ns >= journal->messages[i - 1].time_ns);
    }
    fls_producer_figures figures = figures_of(producer);
    assert_int_equal(figures.offered, 2032);
    assert_int_equal(figures.offered_bytes, 2032 * 2033 / 2);
    assert_int_equal(figures.drained, 2032);
    assert_int_equal(figures.durable, 2032);
    assert_int_equal(figures.dropped, 0);
    assert_int_equal(figures.used_bytes, 0);
    assert_int_equal(figures.ring_bytes, 4096);
    assert_true(figures.high_water_bytes > 2048 && figures.high_water_bytes <= 4096);
    assert_true(figures.failed > 0);
    assert_string_equal(figures.name, "hot loop");
    assert_status(fls_recorder_close(recorder, &err), FLS_OK, &err);
    memory_journal_free(journal);
}

static void claims_are_published_or_forgotten(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    uint8_t *room = fls_producer_claim(producer, 1000);
    assert_non_null(room);
    assert_int_equal((uintptr_t)room % 8, 0);
    memset(room, 0xee, 1000);
    room = fls_producer_claim(producer, 100); /* in its place */
    fill(room, 100, 7);
    fls_producer_publish(producer, 60);
    fls_producer_publish(producer, 60); /* there is no claim any more */
    room = fls_producer_claim(producer, 100);
    fill(room, 100, 8);
    fls_producer_publish(producer, 101); /* more than was claimed: given up */
    room = fls_producer_claim(producer, 100);
    fill(room, 100, 9);
    fls_producer_publish(producer, 0);
    fls_producer_publish(producer, 100); /* gone with the one before */
    room = fls_producer_claim(producer, 100);
    fill(room, 100, 10);
    fls_producer_detach(producer);
    step_all(recorder);
    assert_int_equal(journal->count, 1);
    assert_int_equal(journal->messages[0].size, 60);
    assert_int_equal(journal->messages[0].first_word, 7);
    assert_true(journal->messages[0].is_sound);
    assert_int_equal(recorder->count, 0);
    fls_producer_figures sum = FLS_PRODUCER_FIGURES_INIT;
    fls_recorder_get_figures(recorder, &sum);
    assert_int_equal(sum.offered, 1);
    assert_int_equal(sum.drained, 1);
    assert_int_equal(sum.durable, 0);
    assert_status(fls_recorder_drain(recorder, NULL), FLS_OK, NULL);
    fls_recorder_get_figures(recorder, &sum);
    assert_int_equal(sum.durable, 1);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void stamps_are_merged(void **unused)
{
    (void)unused;
    counter count = {0, 10};
    const fls_clock stamps = {count_on, &count};
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, &stamps, 0);
    fls_producer *producers[3];
    uint64_t word = 0;
    for (size_t i = 0; i < 3; i++) {
        producers[i] = attach(recorder, FLS_RECORDER_FAIL, 4096);
    }
    for (unsigned i = 0; i < 300; i++) {
        assert_status(offer_word(producers[i * i % 7 % 3], word++, 16), FLS_OK, NULL);
        if (i % 67 == 66) {
            journal->now_ns += 100000;
            step_all(recorder);
        }
    }
    step_all(recorder);
    assert_int_equal(journal->count, 300);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(journal->messages[i].first_word, i);
        assert_true(i == 0 || journal->messages[i].time_ns >= journal->messages[i - 1].time_ns);
        assert_true(journal->messages[i].time_ns <= journal->now_ns);
    }
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

/* What was stamped after the drain looked at the time is left for the next pass. */
static void a_pass_takes_only_what_is_older(void **unused)
{
    (void)unused;
    counter count = {1000, 0};
    const fls_clock stamps = {count_on, &count};
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, &stamps, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    assert_status(offer_word(producer, 1, 8), FLS_OK, NULL);
    count.now = 999;
    assert_false(flsi_recorder_step(recorder));
    assert_int_equal(journal->count, 0);
    count.now = 1000;
    assert_true(flsi_recorder_step(recorder));
    assert_int_equal(journal->count, 1);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

/* Messages of 112 payload bytes are records of 128: 32 fill a ring of 4 KiB. */
#define SIZE 112u

static void the_newest_is_dropped(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_DROP_NEWEST, 4096);
    for (uint64_t word = 0; word < 40; word++) {
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
    }
    assert_null(fls_producer_claim(producer, SIZE));
    assert_int_equal(figures_of(producer).dropped, 9);
    /* It also writes the gap behind which nothing follows. */
    assert_status(fls_recorder_drain(recorder, NULL), FLS_OK, NULL);
    assert_int_equal(journal->count, 32);
    assert_int_equal(journal->gap_count, 1);
    assert_int_equal(journal->gaps[0].before, 32);
    assert_int_equal(journal->gaps[0].messages, 9);
    assert_int_equal(journal->gaps[0].producer, figures_of(producer).id);
    assert_int_equal(journal->gaps[0].reason, FLS_GAP_DROPPED_NEWEST);
    for (uint64_t word = 0; word < 35; word++) {
        assert_status(offer_word(producer, 100 + word, SIZE), FLS_OK, NULL);
    }
    assert_true(flsi_recorder_step(recorder)); /* a part: there is room, and a gap in between */
    assert_status(offer_word(producer, 200, SIZE), FLS_OK, NULL);
    step_all(recorder);
    assert_int_equal(journal->count, 65);
    assert_int_equal(journal->messages[64].first_word, 200);
    assert_int_equal(journal->gap_count, 2);
    assert_int_equal(journal->gaps[1].before, 64);
    assert_int_equal(journal->gaps[1].messages, 3);
    fls_producer_figures figures = figures_of(producer);
    assert_int_equal(figures.offered, figures.drained + figures.dropped);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void the_oldest_is_dropped(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_DROP_OLDEST, 4096);
    uint64_t from;
    uint64_t to;
    for (uint64_t word = 0; word < 40; word++) {
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
    }
    assert_int_equal(figures_of(producer).dropped, 8);
    /* While the drain reads, the newest is dropped instead. */
    assert_true(flsi_ring_reserve(&producer->ring, &from, &to));
    assert_status(offer_word(producer, 40, SIZE), FLS_OK, NULL);
    assert_status(offer_word(producer, 41, SIZE), FLS_OK, NULL);
    flsi_ring_free(&producer->ring, from, 0);
    assert_status(offer_word(producer, 42, SIZE), FLS_OK, NULL); /* drops 8 */
    step_all(recorder);
    assert_int_equal(journal->count, 32);
    assert_int_equal(journal->messages[0].first_word, 9);
    assert_int_equal(journal->messages[30].first_word, 39);
    assert_int_equal(journal->messages[31].first_word, 42);
    assert_int_equal(journal->gap_count, 2);
    assert_int_equal(journal->gaps[0].before, 0);
    assert_int_equal(journal->gaps[0].messages, 9);
    assert_int_equal(journal->gaps[0].reason, FLS_GAP_DROPPED_OLDEST);
    assert_int_equal(journal->gaps[1].before, 31);
    assert_int_equal(journal->gaps[1].messages, 2);
    fls_producer_figures figures = figures_of(producer);
    assert_int_equal(figures.offered, figures.drained + figures.dropped);
    assert_int_equal(figures.offered, 43);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void keeps_the_ring_full(fls_status full)
{
    memory_journal *journal = memory_journal_new();
    journal->full = full;
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    fls_error err;
    journal->space = 5;
    for (uint64_t word = 0; word < 32; word++) {
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
    }
    assert_status(offer_word(producer, 32, SIZE), FLS_WOULD_BLOCK, NULL);
    assert_status(fls_recorder_drain(recorder, &err), full, &err);
    assert_int_equal(journal->count, 5);
    for (uint64_t word = 32; word < 37; word++) {
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
    }
    assert_status(offer_word(producer, 37, SIZE), FLS_WOULD_BLOCK, NULL);
    journal->space = SIZE_MAX;
    assert_status(fls_recorder_drain(recorder, &err), FLS_OK, &err);
    assert_int_equal(journal->count, 37);
    for (size_t i = 0; i < 37; i++) {
        assert_int_equal(journal->messages[i].first_word, i);
    }
    assert_int_equal(journal->gap_count, 0);
    assert_int_equal(fls_producer_durable(producer), 37);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void a_full_disk_keeps_the_ring_full(void **unused)
{
    (void)unused;
    keeps_the_ring_full(FLS_NO_SPACE);
}

/* As much as a full disk: the journal takes messages again when there is memory. */
static void short_memory_keeps_the_ring_full(void **unused)
{
    (void)unused;
    keeps_the_ring_full(FLS_NO_MEMORY);
}

static void what_the_journal_refuses_is_a_gap(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    journal->largest = 200;
    assert_status(offer_word(producer, 0, 100), FLS_OK, NULL);
    assert_status(offer_word(producer, 1, 201), FLS_OK, NULL);
    assert_status(offer_word(producer, 2, 200), FLS_OK, NULL);
    step_all(recorder);
    assert_int_equal(journal->count, 2);
    assert_int_equal(journal->messages[1].first_word, 2);
    assert_int_equal(journal->gap_count, 1);
    assert_int_equal(journal->gaps[0].before, 1);
    assert_int_equal(journal->gaps[0].reason, FLS_GAP_REFUSED);
    fls_producer_figures figures = figures_of(producer);
    assert_int_equal(figures.drained, 2);
    assert_int_equal(figures.dropped, 1);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void an_error_of_the_journal_sticks(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    fls_error err;
    assert_status(offer_word(producer, 0, SIZE), FLS_OK, NULL);
    journal->failure = FLS_IO;
    step_all(recorder);
    assert_status(offer_word(producer, 1, SIZE), FLS_CLOSED, NULL);
    assert_null(fls_producer_claim(producer, SIZE));
    assert_status(fls_recorder_drain(recorder, &err), FLS_IO, &err);
    assert_string_equal(err.text, "as the test says");
    journal->failure = FLS_OK;
    assert_status(fls_recorder_close(recorder, &err), FLS_IO, &err);
    assert_int_equal(journal->count, 0);
    memory_journal_free(journal);
}

static void durable_never_says_too_much(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder *recorder = memory_recorder(journal, NULL, NULL, 0);
    fls_producer *one = attach(recorder, FLS_RECORDER_FAIL, 4096);
    fls_producer *two = attach(recorder, FLS_RECORDER_FAIL, 4096);
    for (uint64_t word = 0; word < 300; word++) {
        assert_status(offer_word(word % 3 == 0 ? one : two, word, 8), FLS_OK, NULL);
        step_all(recorder);
    }
    uint64_t before = 0;
    for (uint64_t durable = 0; durable <= 300; durable++) {
        journal->durable = durable;
        uint64_t of_two = fls_producer_durable(two);
        assert_true(of_two >= before && of_two <= durable - (durable + 2) / 3);
        before = of_two;
    }
    assert_int_equal(fls_producer_durable(two), 200);
    assert_int_equal(fls_producer_durable(one), 100);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void a_snapshot_is_the_newest(void **unused)
{
    (void)unused;
    fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
    memory_journal *journal = memory_journal_new();
    options.snapshot_bytes = 1280; /* ten records */
    fls_recorder *recorder = memory_recorder(journal, &options, NULL, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_DROP_NEWEST, 4096);
    uint64_t messages = 99;
    for (uint64_t word = 0; word < 100; word++) {
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
        step_all(recorder);
    }
    assert_int_equal(journal->count, 0);
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_OK, NULL);
    assert_int_equal(messages, 10);
    assert_int_equal(journal->count, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(journal->messages[i].first_word, 90 + i);
        assert_true(journal->messages[i].is_sound);
    }
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_OK, NULL);
    assert_int_equal(messages, 0);
    for (uint64_t word = 0; word < 40; word++) { /* 8 are lost */
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
    }
    step_all(recorder);
    assert_status(offer_word(producer, 40, SIZE), FLS_OK, NULL);
    journal->space = 3;
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_NO_SPACE, NULL);
    journal->space = 3;
    journal->full = FLS_NO_MEMORY;
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_NO_MEMORY, NULL);
    journal->space = SIZE_MAX;
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_OK, NULL);
    assert_int_equal(journal->messages[journal->count - 1].first_word, 40);
    assert_int_equal(journal->gap_count, 1);
    assert_int_equal(journal->gaps[0].before, journal->count - 1);
    assert_int_equal(journal->gaps[0].messages, 8);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

/* What is missing in a snapshot is told with the reason why. */
static void a_snapshot_knows_why(void **unused)
{
    (void)unused;
    static const struct {
        fls_recorder_policy policy;
        fls_gap_reason reason;
    } cases[] = {{FLS_RECORDER_DROP_NEWEST, FLS_GAP_DROPPED_NEWEST},
                 {FLS_RECORDER_DROP_OLDEST, FLS_GAP_DROPPED_OLDEST}};
    for (size_t i = 0; i < 2; i++) {
        fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
        memory_journal *journal = memory_journal_new();
        options.snapshot_bytes = 65536;
        fls_recorder *recorder = memory_recorder(journal, &options, NULL, 0);
        fls_producer *producer = attach(recorder, cases[i].policy, 4096);
        for (uint64_t word = 0; word < 40; word++) { /* 8 are lost */
            assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
        }
        step_all(recorder);
        assert_status(offer_word(producer, 40, SIZE + 8), FLS_OK, NULL);
        journal->largest = SIZE;
        assert_status(fls_recorder_trigger(recorder, NULL, NULL), FLS_OK, NULL);
        assert_int_equal(journal->gap_count, 2);
        assert_int_equal(journal->gaps[0].reason, cases[i].reason);
        assert_int_equal(journal->gaps[0].messages, 8);
        assert_int_equal(journal->gaps[1].reason, FLS_GAP_REFUSED);
        assert_int_equal(journal->gaps[1].messages, 1);
        assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
        memory_journal_free(journal);
    }
}

static void a_snapshot_forgets_what_is_old(void **unused)
{
    (void)unused;
    fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
    memory_journal *journal = memory_journal_new();
    counter count = {0, 1};
    const fls_clock stamps = {count_on, &count};
    options.snapshot_ns = 5000;
    fls_recorder *recorder = memory_recorder(journal, &options, &stamps, 0);
    fls_producer *producer = attach(recorder, FLS_RECORDER_FAIL, 4096);
    uint64_t messages;
    for (uint64_t word = 0; word < 20; word++) {
        journal->now_ns += 1000;
        count.now += 1000;
        assert_status(offer_word(producer, word, SIZE), FLS_OK, NULL);
        step_all(recorder);
    }
    assert_status(fls_recorder_trigger(recorder, &messages, NULL), FLS_OK, NULL);
    assert_in_range(messages, 4, 6);
    assert_int_equal(journal->messages[journal->count - 1].first_word, 19);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

static void bad_options_are_refused(void **unused)
{
    (void)unused;
    memory_journal *journal = memory_journal_new();
    fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
    options.max_producers = 1;
    fls_recorder *recorder = memory_recorder(journal, &options, NULL, 0);
    fls_producer_options wrong = FLS_PRODUCER_OPTIONS_INIT;
    fls_producer *producer;
    const size_t sizes[] = {1, 2048, 4097, 5000, (size_t)1 << 40};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        wrong.ring_bytes = sizes[i];
        assert_status(fls_recorder_attach(recorder, &wrong, &producer, NULL), FLS_INVALID_ARGUMENT,
                      NULL);
        assert_null(producer);
    }
    wrong = (fls_producer_options)FLS_PRODUCER_OPTIONS_INIT;
    wrong.reserved[3] = 1;
    assert_status(fls_recorder_attach(recorder, &wrong, &producer, NULL), FLS_INVALID_ARGUMENT,
                  NULL);
    wrong = (fls_producer_options){.struct_bytes = 0};
    assert_status(fls_recorder_attach(recorder, &wrong, &producer, NULL), FLS_INVALID_ARGUMENT,
                  NULL);
    const struct {
        fls_producer_options known;
        uint64_t newer;
    } later = {{.struct_bytes = sizeof later}, 1};
    assert_status(fls_recorder_attach(recorder, &later.known, &producer, NULL), FLS_UNSUPPORTED,
                  NULL);
    assert_status(fls_recorder_trigger(recorder, NULL, NULL), FLS_INVALID_ARGUMENT, NULL);
    fls_producer *only = attach(recorder, FLS_RECORDER_FAIL, 4096);
    assert_status(fls_recorder_attach(recorder, NULL, &producer, NULL), FLS_NO_SPACE, NULL);
    fls_producer_detach(only);
    step_all(recorder);
    fls_producer_figures sum = FLS_PRODUCER_FIGURES_INIT;
    fls_recorder_get_figures(recorder, &sum);
    assert_int_equal(sum.ring_bytes, 0);
    assert_status(fls_recorder_attach(recorder, NULL, &producer, NULL), FLS_OK, NULL);
    fls_producer_detach(NULL);
    assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
    assert_status(fls_recorder_close(NULL, NULL), FLS_OK, NULL);
    memory_journal_free(journal);
}

/* Whatever allocation fails, opening and attaching say so and leave nothing behind. */
static void failing_allocations_are_told(void **unused)
{
    (void)unused;
    counting_allocator allocator;
    memory_journal *journal = memory_journal_new();
    const flsi_recorder_journal seam = {memory_append, memory_gap, memory_durable,
                                        memory_sync,   memory_now, journal};
    fls_status status = FLS_NO_MEMORY;
    uint64_t fail_from = 0;
    for (; status == FLS_NO_MEMORY; fail_from++) {
        fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
        fls_recorder *recorder;
        fls_producer *producer;
        counting_allocator_init(&allocator);
        allocator.fail_from = fail_from;
        allocator.fail_calls = 1;
        options.allocator = &allocator.table;
        options.snapshot_bytes = 4096;
        status = flsi_recorder_open(&recorder, &seam, &options, NULL, 0, NULL);
        if (status == FLS_OK) {
            status = fls_recorder_attach(recorder, NULL, &producer, NULL);
        }
        assert_status(fls_recorder_close(recorder, NULL), FLS_OK, NULL);
        assert_int_equal(allocator.live_blocks, 0);
    }
    assert_status(status, FLS_OK, NULL);
    assert_int_equal(fail_from, 4);
    memory_journal_free(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_arrives_whole),
        cmocka_unit_test(claims_are_published_or_forgotten),
        cmocka_unit_test(stamps_are_merged),
        cmocka_unit_test(a_pass_takes_only_what_is_older),
        cmocka_unit_test(the_newest_is_dropped),
        cmocka_unit_test(the_oldest_is_dropped),
        cmocka_unit_test(a_full_disk_keeps_the_ring_full),
        cmocka_unit_test(short_memory_keeps_the_ring_full),
        cmocka_unit_test(what_the_journal_refuses_is_a_gap),
        cmocka_unit_test(an_error_of_the_journal_sticks),
        cmocka_unit_test(durable_never_says_too_much),
        cmocka_unit_test(a_snapshot_is_the_newest),
        cmocka_unit_test(a_snapshot_knows_why),
        cmocka_unit_test(a_snapshot_forgets_what_is_old),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(failing_allocations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
