/* A model check of the ring: every order in which a producer and the drain can take their steps.
 *
 * The code of ring.c itself runs, included below, with each access to a shared word turned into a
 * step at which the other side may go on first. Words that the producer fills and the drain looks
 * at are steps too, so that overwriting what is being read is seen. The two sides are coroutines; a
 * run follows a list of choices, and the last choice that has another way is changed for the next
 * run, until there is none.
 *
 * Each scenario is run twice: with steps that all see at once, and with store buffers as processors
 * of the x86 family have them: a store to a shared word waits, and when it arrives is a choice of
 * its own; an exchange and a sequentially consistent store wait until all before it have arrived.
 * Orders that only weaker processors have are not covered.
 *
 * What must hold: messages come whole, in order, and each is drained or counted as dropped.
 */
#include <stdatomic.h>
#include <stdint.h>

static uint64_t model_load(_Atomic uint64_t *word);
static void model_store(_Atomic uint64_t *word, uint64_t value, memory_order order);
static int model_exchange(_Atomic uint64_t *word, uint64_t *expected, uint64_t wanted);

#define FLSI_RING_LOAD(word, order)                model_load((_Atomic uint64_t *)(uintptr_t)(word))
#define FLSI_RING_STORE(word, value, order)        model_store((word), (value), (order))
#define FLSI_RING_EXCHANGE(word, expected, wanted) model_exchange((word), (expected), (wanted))

/* The very code, not what the library was built of. */
#define flsi_ring_init           model_ring_init
#define flsi_ring_look           model_ring_look
#define flsi_ring_claim_dropping model_ring_claim_dropping
#define flsi_ring_reserve        model_ring_reserve
#define flsi_ring_read           model_ring_read
#define flsi_ring_free           model_ring_free
#define flsi_ring_used           model_ring_used
#include "recorder/ring.c" /* NOLINT(bugprone-suspicious-include) */

#include <setjmp.h>
#include <ucontext.h>

#include "support/testing.h"

/* Sanitizers follow swapcontext, which makes system calls, but no jump to another stack. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#if __has_feature(thread_sanitizer)
#define IS_THREAD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif
#if defined(__SANITIZE_THREAD__)
#define IS_THREAD_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define SIDES       2
#define STACK_BYTES ((size_t)64 * 1024)
#define MOST_STEPS  256
#define BUFFERED    4
#define MESSAGES    8

typedef struct scenario {
    const char *name;
    uint64_t capacity;
    uint8_t sizes[MESSAGES]; /* of what is offered, 0 behind the last */
    int is_dropping;
    unsigned passes;        /* of the drain beside the producer; */
    unsigned buffer_passes; /* the same with store buffers, which make many more orders; 0: none */
    unsigned most;          /* messages it takes in one */
} scenario;

typedef struct buffered {
    _Atomic uint64_t *word;
    uint64_t value;
} buffered;

static struct {
    const scenario *is;
    int has_buffers;
    flsi_ring ring;
    _Alignas(8) uint8_t memory[256];
    ucontext_t home;
    ucontext_t sides[SIDES];
    jmp_buf home_jump;
    jmp_buf side_jumps[SIDES];
    int is_started[SIDES];
    uint8_t *stacks[SIDES];
    int is_done[SIDES];
    int running; /* the side, -1: none */
    buffered stores[SIDES][BUFFERED];
    size_t stored[SIDES];
    uint8_t chosen[MOST_STEPS];
    uint8_t ways[MOST_STEPS];
    size_t steps;
    size_t given; /* of chosen, those that this run has to follow */
    /* what the two sides saw */
    uint64_t next;    /* number of the message that the producer offers */
    uint64_t dropped; /* of them */
    uint64_t drained;
    uint64_t expected; /* lowest number that the drain may see */
    uint64_t taken[MESSAGES];
    const char *fault;
} model;

/* ---- steps ---- */

#if IS_SANITIZED

static void step(void)
{
    int side = model.running;
    if (side >= 0) {
        (void)swapcontext(&model.sides[side], &model.home);
    }
}

static void go_on(int side)
{
    model.running = side;
    (void)swapcontext(&model.home, &model.sides[side]);
    model.running = -1;
}

#else

/* Not inlined: no variable of a caller may be in a register that a jump gives back. */
__attribute__((noinline)) static void step(void)
{
    int side = model.running;
    if (side >= 0 && _setjmp(model.side_jumps[side]) == 0) {
        _longjmp(model.home_jump, 1);
    }
}

__attribute__((noinline)) static void go_on(int side)
{
    model.running = side;
    if (_setjmp(model.home_jump) == 0) {
        if (model.is_started[side]) {
            _longjmp(model.side_jumps[side], 1);
        }
        model.is_started[side] = 1;
        (void)setcontext(&model.sides[side]);
    }
    model.running = -1;
}

#endif

static void arrive(int side)
{
    atomic_store(model.stores[side][0].word, model.stores[side][0].value);
    model.stored[side]--;
    memmove(model.stores[side], model.stores[side] + 1,
            model.stored[side] * sizeof model.stores[side][0]);
}

static void arrive_all(int side)
{
    while (side >= 0 && model.stored[side] > 0) {
        arrive(side);
    }
}

static uint64_t model_load(_Atomic uint64_t *word)
{
    step();
    int side = model.running;
    for (size_t i = side >= 0 ? model.stored[side] : 0; i-- > 0;) {
        if (model.stores[side][i].word == word) {
            return model.stores[side][i].value;
        }
    }
    return atomic_load(word);
}

static void model_store(_Atomic uint64_t *word, uint64_t value, memory_order order)
{
    step();
    int side = model.running;
    if (side < 0 || !model.has_buffers || order == memory_order_seq_cst) {
        arrive_all(side);
        atomic_store(word, value);
        return;
    }
    if (model.stored[side] == BUFFERED) {
        arrive(side);
    }
    model.stores[side][model.stored[side]++] = (buffered){word, value};
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the exchange stores to it */
static int model_exchange(_Atomic uint64_t *word, uint64_t *expected, uint64_t wanted)
{
    step();
    arrive_all(model.running);
    return atomic_compare_exchange_strong(word, expected, wanted);
}

static void fault(const char *text)
{
    if (model.fault == NULL) {
        model.fault = text;
    }
}

/* ---- the two sides ---- */

static uint8_t letter(uint64_t number, size_t at)
{
    return (uint8_t)(number * 16 + at + 1);
}

static void produce(void)
{
    for (size_t i = 0; i < MESSAGES && model.is->sizes[i] != 0; i++) {
        size_t size = model.is->sizes[i];
        uint8_t *room = flsi_ring_claim(&model.ring, size);
        if (room == NULL && model.is->is_dropping) {
            uint64_t dropped = 0;
            room = flsi_ring_claim_dropping(&model.ring, size, &dropped);
            model.dropped += dropped;
        }
        if (room == NULL) {
            model.dropped++;
        } else {
            for (size_t at = 0; at < size; at++) {
                if (at % 8 == 0) {
                    step();
                }
                room[at] = letter(model.next, at);
            }
            flsi_ring_publish(&model.ring, size, (uint32_t)model.next, model.next);
        }
        model.next++;
    }
    model.is_done[0] = 1;
    step();
}

static void check(const flsi_ring_record *record)
{
    uint64_t number = record->sequence;
    const uint8_t *payload = (const uint8_t *)(record + 1);
    if (number < model.expected || number >= MESSAGES || record->stamp != number ||
        record->size != model.is->sizes[number]) {
        fault("a record that was not published, or not now");
        return;
    }
    for (size_t at = 0; at < record->size; at++) {
        if (at % 8 == 0) {
            step();
        }
        if (payload[at] != letter(number, at)) {
            fault("a payload that is not whole");
        }
    }
    if (record->sequence != number) {
        fault("a record that changed while it was read");
    }
    model.expected = number + 1;
    model.taken[number]++;
    model.drained++;
}

static void drain_once(unsigned most)
{
    uint64_t from;
    uint64_t to;
    if (!flsi_ring_reserve(&model.ring, &from, &to)) {
        return;
    }
    for (unsigned i = 0; i < most && model.fault == NULL; i++) {
        const flsi_ring_record *record = flsi_ring_read(&model.ring, &from, to);
        if (record == NULL) {
            break;
        }
        check(record);
        if (i + 1 < most) {
            flsi_ring_free(&model.ring, from, 1);
        }
    }
    flsi_ring_free(&model.ring, from, 0);
}

static void consume(void)
{
    unsigned passes = model.has_buffers ? model.is->buffer_passes : model.is->passes;
    for (unsigned i = 0; i < passes; i++) {
        drain_once(model.is->most);
    }
    model.is_done[1] = 1;
    step();
}

/* ---- all runs ---- */

static void start_side(int side, void (*code)(void))
{
    model.is_started[side] = 0;
    model.sides[side].uc_stack.ss_sp = model.stacks[side];
    model.sides[side].uc_stack.ss_size = STACK_BYTES;
    model.sides[side].uc_link = &model.home;
    makecontext(&model.sides[side], code, 0);
    model.is_done[side] = 0;
    model.stored[side] = 0;
}

/* One of `ways` ways, by the list. */
static uint8_t choose(uint8_t ways)
{
    if (model.steps == MOST_STEPS) {
        fault("a run without an end");
        return 0;
    }
    if (model.steps >= model.given) {
        model.chosen[model.steps] = 0;
    }
    model.ways[model.steps] = ways;
    return model.chosen[model.steps++];
}

/* Lets a side go to its next step, or a store arrive, until both are done. */
static void run(void)
{
    memset(model.memory, 0, sizeof model.memory);
    flsi_ring_init(&model.ring, model.memory, model.is->capacity);
    memset(model.taken, 0, sizeof model.taken);
    model.steps = 0;
    model.next = model.dropped = model.drained = model.expected = 0;
    start_side(0, produce);
    start_side(1, consume);
    while (model.fault == NULL) {
        int ready[2 * SIDES];
        uint8_t ways = 0;
        for (int side = 0; side < SIDES; side++) {
            if (model.is_done[1 - side]) {
                arrive_all(side); /* nobody looks any more */
            }
            if (!model.is_done[side]) {
                ready[ways++] = side;
            }
            if (model.stored[side] > 0) {
                ready[ways++] = SIDES + side;
            }
        }
        if (ways == 0) {
            break;
        }
        int way = ready[ways == 1 ? 0 : choose(ways)];
        if (way >= SIDES) {
            arrive(way - SIDES);
            continue;
        }
        go_on(way);
    }
    if (model.fault == NULL) {
        drain_once(MESSAGES + 1); /* what is left */
    }
    for (uint64_t i = 0; i < model.next && model.fault == NULL; i++) {
        if (model.taken[i] > 1) {
            fault("a message that came twice");
        }
    }
    if (model.fault == NULL && model.drained + model.dropped != model.next) {
        fault("a message that is neither drained nor counted as dropped");
    }
}

/* Changes the last choice that has another way. 0: all have been tried. */
static int next_run(void)
{
    while (model.steps > 0) {
        size_t last = model.steps - 1;
        if (model.chosen[last] + 1 < model.ways[last]) {
            model.chosen[last]++;
            model.given = model.steps;
            return 1;
        }
        model.steps--;
    }
    return 0;
}

static void try_all(const scenario *is, int has_buffers)
{
    uint64_t runs = 0;
    size_t longest = 0;
    model.is = is;
    model.has_buffers = has_buffers;
    model.given = 0;
    model.fault = NULL;
    model.running = -1;
    do {
        run();
        runs++;
        longest = longest > model.steps ? longest : model.steps;
    } while (model.fault == NULL && next_run());
    print_message("%s, %s: %llu orders, up to %zu choices\n", is->name,
                  has_buffers ? "store buffers" : "all at once", (unsigned long long)runs, longest);
    if (model.fault != NULL) {
        print_error("%s: %s; choices", is->name, model.fault);
        for (size_t i = 0; i < model.steps; i++) {
            print_error(" %d", model.chosen[i]);
        }
        fail_msg("%s", "the ring is broken");
    }
}

/* Records take 24 bytes with a payload of up to 8, 32 with one of up to 16. */
static const scenario scenarios[] = {
    {"newest dropped", 64, {8, 3, 8}, 0, 2, 1, 2},
    {"newest dropped, wrap", 64, {8, 8, 16, 5}, 0, 1, 1, 2},
    {"newest dropped, single", 64, {8, 8, 8}, 0, 2, 1, 1},
    {"oldest dropped", 64, {8, 8, 8}, 1, 2, 1, 2},
    {"oldest dropped, wrap", 64, {8, 16, 5}, 1, 1, 1, 2},
    {"oldest dropped, twice", 64, {8, 8, 8, 8}, 1, 1, 0, 2},
    {"oldest dropped, single", 64, {8, 8, 8}, 1, 2, 1, 1},
};

__attribute__((noinline)) static void make_context(int side)
{
    assert_int_equal(getcontext(&model.sides[side]), 0);
}

static void every_order(void **unused)
{
    (void)unused;
#if defined(IS_THREAD_SANITIZED)
    print_message(
        "skipped: there is one thread, whose stacks the thread sanitizer cannot follow\n");
    skip();
#endif
    for (int side = 0; side < SIDES; side++) {
        model.stacks[side] = malloc(STACK_BYTES);
        assert_non_null(model.stacks[side]);
        make_context(side);
    }
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        try_all(&scenarios[i], 0);
        if (!IS_SANITIZED && scenarios[i].buffer_passes != 0) {
            try_all(&scenarios[i], 1);
        }
    }
    for (int side = 0; side < SIDES; side++) {
        free(model.stacks[side]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
