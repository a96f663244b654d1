/* The alignment of two sequences of messages against what was done to make one of the other:
 * deletions, insertions and changes at random, messages that occur many times, and losses that are
 * larger than a window.
 */
#include "diff_walk.h"
#include "support/prng.h"
#include "support/testing.h"

enum { MOST = 6000 };

/* A message is a number, or one of a few that occur often. */
typedef struct sequence {
    uint64_t values[2 * MOST];
    size_t count;
    size_t at;
    size_t torn_at; /* damage is there; SIZE_MAX: none */
    int batch;
} sequence;

/* What the walk said, as an edit script. */
typedef struct script {
    const sequence *a;
    const sequence *b;
    size_t a_at;
    size_t b_at;
    uint64_t told;
    uint64_t missing;
    uint64_t added;
    uint64_t different;
} script;

static int give(void *self, fls_message *messages, size_t capacity, size_t *count, int *torn)
{
    sequence *s = self;
    *count = 0;
    while (s->at < s->count && s->at < s->torn_at && *count < capacity &&
           *count < (size_t)s->batch) {
        fls_message *message = &messages[(*count)++];
        memset(message, 0, sizeof *message);
        message->payload = &s->values[s->at];
        message->size = sizeof s->values[0];
        message->ordinal = s->at;
        message->offset = s->at * 20;
        s->at++;
    }
    *torn = *count == 0 && s->at == s->torn_at;
    return 0;
}

/* Messages before these on both sides were said to be equal: they have to be. */
static void pass_equal(script *x, size_t a, size_t b)
{
    while (x->a_at < a && x->b_at < b) {
        assert_true(x->a->values[x->a_at] == x->b->values[x->b_at]);
        x->a_at++;
        x->b_at++;
    }
}

static int on_missing(void *self, const fls_message *a)
{
    script *x = self;
    pass_equal(x, a->ordinal, SIZE_MAX);
    assert_int_equal(x->a_at, a->ordinal);
    assert_memory_equal(a->payload, &x->a->values[a->ordinal], a->size);
    x->a_at++;
    x->missing++;
    return 0;
}

static int on_added(void *self, const fls_message *b)
{
    script *x = self;
    pass_equal(x, SIZE_MAX, b->ordinal);
    assert_int_equal(x->b_at, b->ordinal);
    assert_memory_equal(b->payload, &x->b->values[b->ordinal], b->size);
    x->b_at++;
    x->added++;
    return 0;
}

static int on_different(void *self, const fls_message *a, const fls_message *b)
{
    script *x = self;
    pass_equal(x, a->ordinal, b->ordinal);
    assert_int_equal(x->a_at, a->ordinal);
    assert_int_equal(x->b_at, b->ordinal);
    assert_true(x->a->values[x->a_at] != x->b->values[x->b_at]);
    x->a_at++;
    x->b_at++;
    x->different++;
    return 0;
}

static uint64_t digest(void *self, const fls_message *message)
{
    (void)self;
    return fls_checksum_digest(FLS_CHECKSUM_XXH3, message->payload, message->size);
}

/* Walks, and checks that the script leads from a to b. */
static void walk(sequence *a, sequence *b, uint64_t memory, script *x, cli_diff_counts *counts)
{
    const cli_diff_source left = {give, a};
    const cli_diff_source right = {give, b};
    const cli_diff_taker taker = {NULL, digest, on_missing, on_added, on_different, x};
    memset(x, 0, sizeof *x);
    a->at = 0;
    b->at = 0;
    x->a = a;
    x->b = b;
    assert_int_equal(cli_diff_walk(&left, &right, &taker, memory, counts), 0);
    pass_equal(x, counts->messages[0], counts->messages[1]);
    assert_int_equal(x->a_at, counts->messages[0]);
    assert_int_equal(x->b_at, counts->messages[1]);
    assert_int_equal(counts->missing, x->missing);
    assert_int_equal(counts->added, x->added);
    assert_int_equal(counts->different, x->different);
    assert_int_equal(counts->equal + x->missing + x->different, counts->messages[0]);
    assert_int_equal(counts->equal + x->added + x->different, counts->messages[1]);
    if (a->torn_at == SIZE_MAX && b->torn_at == SIZE_MAX) {
        assert_int_equal(counts->messages[0], a->count);
        assert_int_equal(counts->messages[1], b->count);
        assert_true(counts->ended[0] && counts->ended[1]);
    }
}

static void fill(prng *random, sequence *s, size_t count, unsigned often)
{
    static const uint64_t unique = UINT64_C(1) << 40;
    memset(s, 0, sizeof *s);
    s->count = count;
    s->torn_at = SIZE_MAX;
    s->batch = 1 + (int)prng_below(random, 256);
    for (size_t i = 0; i < count; i++) {
        s->values[i] = prng_below(random, 100) < often ? prng_below(random, 3) : unique + i;
    }
}

/* What was done to a to make b, where all messages are unlike. */
typedef struct edits {
    uint64_t missing;
    uint64_t added;
    uint64_t different;
} edits;

/* Stretches of edits with equal messages between; each stretch is one kind of edit. */
static edits edit(prng *random, const sequence *a, sequence *b, unsigned percent, size_t longest)
{
    static const uint64_t fresh = UINT64_C(1) << 50;
    edits done = {0, 0, 0};
    uint64_t next = fresh;
    size_t i = 0;
    int was_edit = 0;
    memset(b, 0, sizeof *b);
    b->torn_at = SIZE_MAX;
    b->batch = 1 + (int)prng_below(random, 256);
    while (i < a->count) {
        size_t run = 1 + (size_t)prng_below(random, longest);
        run = run < a->count - i ? run : a->count - i;
        if (was_edit || prng_below(random, 100) >= percent) {
            b->values[b->count++] = a->values[i++];
            was_edit = 0;
            continue;
        }
        was_edit = 1;
        switch (prng_below(random, 3)) {
        case 0:
            i += run;
            done.missing += run;
            break;
        case 1:
            for (; run > 0 && b->count < MOST; run--, done.added++) {
                b->values[b->count++] = next++;
            }
            break;
        default:
            done.different += run;
            for (; run > 0; run--, i++) {
                b->values[b->count++] = next++;
            }
            break;
        }
    }
    return done;
}

static sequence a;
static sequence b;

/* With messages that are all unlike, exactly what was done is told. */
static void test_known_edits(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        prng random = prng_seeded(seed);
        script x;
        cli_diff_counts counts;
        fill(&random, &a, prng_below(&random, MOST / 2), 0);
        size_t longest = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 5 : 400;
        edits done = edit(&random, &a, &b, 1 + seed % 12, longest);
        walk(&a, &b, 16u << 20, &x, &counts);
        assert_int_equal(x.missing, done.missing);
        assert_int_equal(x.added, done.added);
        assert_int_equal(x.different, done.different);
    }
}

/* Messages that occur many times: the script is right, and no longer than what was done. */
static void test_frequent_messages(void **state)
{
    (void)state;
    uint64_t told = 0;
    uint64_t made = 0;
    for (unsigned seed = 0; seed < 300; seed++) {
        prng random = prng_seeded(seed + 1000);
        script x;
        cli_diff_counts counts;
        fill(&random, &a, prng_below(&random, MOST / 2), 10 + seed % 80);
        edits done = edit(&random, &a, &b, 1 + seed % 8, 4);
        walk(&a, &b, 16u << 20, &x, &counts);
        told += x.missing + x.added + 2 * x.different;
        made += done.missing + done.added + 2 * done.different;
    }
    assert_true(told <= made);
}

/* With little memory it is still a script that is right, whatever is in the sequences. */
static void test_little_memory(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        prng random = prng_seeded(seed + 2000);
        script x;
        cli_diff_counts counts;
        uint64_t memory = 2 * (1 + prng_below(&random, 300)) * (CLI_DIFF_MESSAGE_COST + 8);
        fill(&random, &a, prng_below(&random, MOST / 2), (unsigned)prng_below(&random, 100));
        (void)edit(&random, &a, &b, 1 + seed % 30, 200);
        walk(&a, &b, memory, &x, &counts);
        assert_true(counts.farthest * (CLI_DIFF_MESSAGE_COST + 8) <=
                    memory / 2 + CLI_DIFF_MESSAGE_COST + 8);
    }
}

/* Nothing in common: as many as there are on both sides are different, the rest is on one side. */
static void test_nothing_in_common(void **state)
{
    (void)state;
    prng random = prng_seeded(3);
    script x;
    cli_diff_counts counts;
    fill(&random, &a, 3000, 0);
    fill(&random, &b, 2500, 0);
    for (size_t i = 0; i < b.count; i++) {
        b.values[i] = UINT64_C(7) << 50 | i;
    }
    walk(&a, &b, 100 * (CLI_DIFF_MESSAGE_COST + 8), &x, &counts);
    assert_int_equal(counts.equal, 0);
    assert_int_equal(x.different + x.missing, 3000);
    assert_int_equal(x.different + x.added, 2500);
    assert_true(x.different >= 2450);
    b.count = 0;
    walk(&a, &b, 1 << 20, &x, &counts);
    assert_int_equal(x.missing, 3000);
    walk(&b, &a, 1 << 20, &x, &counts);
    assert_int_equal(x.added, 3000);
    walk(&b, &b, 1 << 20, &x, &counts);
    assert_int_equal(counts.messages[0], 0);
}

/* What damage took of one side is not missing on the other. */
static void test_damage(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 100; seed++) {
        prng random = prng_seeded(seed + 4000);
        script x;
        cli_diff_counts counts;
        fill(&random, &a, 1000, 0);
        b = a;
        b.torn_at = prng_below(&random, 1000);
        walk(&a, &b, 1 << 20, &x, &counts);
        assert_int_equal(x.missing + x.added + x.different, 0);
        assert_int_equal(counts.equal, b.torn_at);
        assert_true(counts.torn[1] && !counts.torn[0]);
        walk(&b, &a, 1 << 20, &x, &counts);
        assert_int_equal(counts.equal, b.torn_at);
        assert_int_equal(x.missing + x.added + x.different, 0);
        /* One message less before. */
        if (b.torn_at > 1) {
            size_t lost = (size_t)prng_below(&random, b.torn_at - 1);
            memmove(b.values + lost, b.values + lost + 1, (b.count - lost - 1) * sizeof *b.values);
            b.count--;
            walk(&a, &b, 1 << 20, &x, &counts);
            assert_int_equal(x.missing, 1);
            assert_int_equal(x.added + x.different, 0);
        }
    }
}

/* A key is the number itself. */
typedef struct keys {
    uint64_t last[2];
} keys;

static int read_key(void *self, int side, const fls_message *message)
{
    keys *k = self;
    memcpy(&k->last[side], message->payload, sizeof k->last[side]);
    return 0;
}

static int compare_keys(void *self)
{
    const keys *k = self;
    return k->last[0] < k->last[1] ? -1 : k->last[0] > k->last[1];
}

static int by_value(const void *left, const void *right)
{
    uint64_t x = *(const uint64_t *)left;
    uint64_t y = *(const uint64_t *)right;
    return x < y ? -1 : x > y;
}

/* By key, what is on one side only is that, duplicates are matched in order. */
static void test_by_key(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 100; seed++) {
        prng random = prng_seeded(seed + 6000);
        script x;
        cli_diff_counts counts;
        keys k;
        uint64_t missing = 0;
        uint64_t added = 0;
        size_t of_a[400] = {0};
        size_t of_b[400] = {0};
        fill(&random, &a, prng_below(&random, 600), 0);
        fill(&random, &b, prng_below(&random, 600), 0);
        for (size_t i = 0; i < a.count; i++) {
            a.values[i] = prng_below(&random, 400);
            of_a[a.values[i]]++;
        }
        for (size_t i = 0; i < b.count; i++) {
            b.values[i] = prng_below(&random, 400);
            of_b[b.values[i]]++;
        }
        for (size_t i = 0; i < 400; i++) {
            missing += of_a[i] > of_b[i] ? of_a[i] - of_b[i] : 0;
            added += of_b[i] > of_a[i] ? of_b[i] - of_a[i] : 0;
        }
        qsort(a.values, a.count, sizeof *a.values, by_value);
        qsort(b.values, b.count, sizeof *b.values, by_value);
        const cli_diff_source left = {give, &a};
        const cli_diff_source right = {give, &b};
        const cli_diff_taker taker = {NULL, digest, on_missing, on_added, on_different, &x};
        const cli_diff_order order = {read_key, compare_keys, &k};
        memset(&x, 0, sizeof x);
        x.a = &a;
        x.b = &b;
        assert_int_equal(cli_diff_walk_ordered(&left, &right, &taker, &order, &counts), 0);
        assert_int_equal(counts.missing, missing);
        assert_int_equal(counts.added, added);
        assert_int_equal(counts.different, 0);
        assert_int_equal(counts.equal, a.count - missing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_edits),   cmocka_unit_test(test_frequent_messages),
        cmocka_unit_test(test_little_memory), cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
