/* The walk over two sequences of messages. */
#include "diff_walk.h"

#include <stdlib.h>
#include <string.h>

enum {
    A = 0,
    B = 1,
    BATCH = 256,
    FIRST_LOOK = 64, /* messages on each side */
    GROWTH = 4,
    SURE_RUN = 16, /* counterparts in a row that cannot be by chance */
    SURE_SHARE = 4 /* or one of so many messages has a counterpart */
};

/* A message that was copied to be looked ahead at. */
typedef struct held {
    fls_message message;
    uint64_t digest;
    int has_digest;
} held;

/* A side: first what is held, then what was borrowed last, then what the source still gives. */
typedef struct side {
    cli_diff_source source;
    held *queue;
    size_t first; /* held[first .. first + count) */
    size_t count;
    size_t capacity;
    uint64_t cost; /* of what is held */
    fls_message batch[BATCH];
    size_t at;
    size_t batch_count;
    int ended;
    int torn;
} side;

typedef struct diff_walk {
    side sides[2];
    const cli_diff_taker *taker;
    uint64_t limit; /* of the cost of a side */
    cli_alignment alignment;
    uint64_t *digests[2];
    size_t digest_room[2];
    size_t look; /* messages to look ahead at */
    cli_diff_counts *counts;
} diff_walk;

static int have_equal_bytes(const fls_message *a, const fls_message *b)
{
    return a->size == b->size && memcmp(a->payload, b->payload, a->size) == 0;
}

/* ---- a side ---- */

static int fetch(side *s)
{
    s->at = 0;
    s->batch_count = 0;
    int code = s->source.next(s->source.self, s->batch, BATCH, &s->batch_count, &s->torn);
    s->ended = s->batch_count == 0;
    return code;
}

/* The next message, or NULL at the end. */
static int peek(side *s, const fls_message **message)
{
    int code = 0;
    *message = NULL;
    if (s->count > 0) {
        *message = &s->queue[s->first].message;
        return 0;
    }
    if (s->at == s->batch_count && !s->ended) {
        code = fetch(s);
    }
    if (code == 0 && s->at < s->batch_count) {
        *message = &s->batch[s->at];
    }
    return code;
}

static uint64_t cost_of(const fls_message *message)
{
    return (uint64_t)message->size + CLI_DIFF_MESSAGE_COST;
}

static void drop(diff_walk *w, int which)
{
    side *s = &w->sides[which];
    w->counts->messages[which]++;
    if (s->count == 0) {
        s->at++;
        return;
    }
    held *h = &s->queue[s->first++];
    s->cost -= cost_of(&h->message);
    free((void *)(uintptr_t)h->message.payload);
    s->count--;
    s->first = s->count == 0 ? 0 : s->first;
}

/* Room for one more in the queue. */
static int make_room(side *s)
{
    if (s->first + s->count < s->capacity) {
        return 0;
    }
    if (s->first > s->count) {
        memmove(s->queue, s->queue + s->first, s->count * sizeof *s->queue);
        s->first = 0;
        return 0;
    }
    size_t capacity = s->capacity == 0 ? 2 * FIRST_LOOK : 2 * s->capacity;
    held *grown = realloc(s->queue, capacity * sizeof *grown);
    if (grown == NULL) {
        return -1;
    }
    s->queue = grown;
    s->capacity = capacity;
    return 0;
}

static int hold(side *s, const fls_message *message)
{
    if (make_room(s) != 0) {
        return -1;
    }
    void *copy = malloc(message->size > 0 ? message->size : 1);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, message->payload, message->size);
    held *h = &s->queue[s->first + s->count++];
    h->message = *message;
    h->message.payload = copy;
    h->has_digest = 0;
    s->cost += cost_of(message);
    return 0;
}

/* Holds messages until there are `look` of them, or the limit is reached, or the end. One is held
 * always. Returns 0. *full: no more can be. */
static int look_ahead(diff_walk *w, side *s, int *full)
{
    *full = 0;
    while (s->count < w->look) {
        if (s->at == s->batch_count) {
            int code = s->ended ? 0 : fetch(s);
            if (code != 0) {
                return code;
            }
            if (s->ended) {
                *full = 1;
                return 0;
            }
        }
        const fls_message *message = &s->batch[s->at];
        if (s->count > 0 && s->cost + cost_of(message) > w->limit) {
            *full = 1;
            return 0;
        }
        if (hold(s, message) != 0) {
            return -1;
        }
        s->at++;
    }
    return 0;
}

/* Nothing is behind what is held. */
static int is_last(const side *s)
{
    return s->ended && s->at == s->batch_count;
}

static int make_digests(diff_walk *w, int which)
{
    side *s = &w->sides[which];
    if (w->digest_room[which] < s->count) {
        uint64_t *grown = realloc(w->digests[which], s->count * sizeof *grown);
        if (grown == NULL) {
            return -1;
        }
        w->digests[which] = grown;
        w->digest_room[which] = s->count;
    }
    for (size_t i = 0; i < s->count; i++) {
        held *h = &s->queue[s->first + i];
        if (!h->has_digest) {
            h->digest = w->taker->digest(w->taker->self, &h->message);
            h->has_digest = 1;
        }
        w->digests[which][i] = h->digest;
    }
    return 0;
}

/* ---- telling, and going on ---- */

static int take_missing(diff_walk *w)
{
    const fls_message *a = NULL;
    int code = peek(&w->sides[A], &a);
    if (code == 0 && a != NULL) {
        code = w->taker->missing(w->taker->self, a);
        w->counts->missing++;
        drop(w, A);
    }
    return code;
}

static int take_added(diff_walk *w)
{
    const fls_message *b = NULL;
    int code = peek(&w->sides[B], &b);
    if (code == 0 && b != NULL) {
        code = w->taker->added(w->taker->self, b);
        w->counts->added++;
        drop(w, B);
    }
    return code;
}

/* 1: the two are equal or have the same values, and were counted. */
static int count_if_same(diff_walk *w, const fls_message *a, const fls_message *b)
{
    if (have_equal_bytes(a, b)) {
        w->counts->equal++;
        return 1;
    }
    if (w->taker->same != NULL && w->taker->same(w->taker->self, a, b)) {
        w->counts->same_values++;
        return 1;
    }
    return 0;
}

/* The next message of each side are counterparts, or stand in the same place. */
static int take_both(diff_walk *w)
{
    const fls_message *a = NULL;
    const fls_message *b = NULL;
    int code = peek(&w->sides[A], &a);
    if (code == 0) {
        code = peek(&w->sides[B], &b);
    }
    if (code != 0 || a == NULL || b == NULL) {
        return code;
    }
    if (!count_if_same(w, a, b)) {
        code = w->taker->different(w->taker->self, a, b);
        w->counts->different++;
    }
    drop(w, A);
    drop(w, B);
    return code;
}

/* So many messages of each side without counterparts. */
static int take_gap(diff_walk *w, size_t a_count, size_t b_count)
{
    int code = 0;
    if (a_count == b_count) {
        for (; a_count > 0 && code == 0; a_count--) {
            code = take_both(w);
        }
        return code;
    }
    for (; a_count > 0 && code == 0; a_count--) {
        code = take_missing(w);
    }
    for (; b_count > 0 && code == 0; b_count--) {
        code = take_added(w);
    }
    return code;
}

/* The last of both sides. What damage took on one side may be what the other has more. */
static int take_last_gap(diff_walk *w, size_t a_count, size_t b_count)
{
    size_t least = a_count < b_count ? a_count : b_count;
    if (!w->sides[A].torn && !w->sides[B].torn) {
        return take_gap(w, a_count, b_count);
    }
    int code = take_gap(w, least, least);
    if (code == 0 && a_count > least && !w->sides[B].torn) {
        code = take_gap(w, a_count - least, 0);
    }
    if (code == 0 && b_count > least && !w->sides[A].torn) {
        code = take_gap(w, 0, b_count - least);
    }
    return code;
}

/* Takes the first `used` matches, and what is before and between them. */
static int take_matches(diff_walk *w, size_t used)
{
    uint32_t a = 0;
    uint32_t b = 0;
    int code = 0;
    for (size_t i = 0; i < used && code == 0; i++) {
        const cli_match *match = &w->alignment.matches[i];
        code = take_gap(w, match->a - a, match->b - b);
        if (code == 0) {
            code = take_both(w);
        }
        a = match->a + 1;
        b = match->b + 1;
    }
    return code;
}

/* ---- where the two sides part ---- */

/* How many of the matches are believed, with more behind the window: those up to the end of the
 * last long run, or most of them when there are many. */
static size_t believed(const diff_walk *w)
{
    const cli_alignment *found = &w->alignment;
    size_t sure = 0;
    size_t run = 0;
    for (size_t i = 0; i < found->count; i++) {
        int joins = i > 0 && found->matches[i].a == found->matches[i - 1].a + 1 &&
                    found->matches[i].b == found->matches[i - 1].b + 1;
        run = joins ? run + 1 : 1;
        sure = run >= SURE_RUN ? i + 1 : sure;
    }
    size_t least = w->sides[A].count < w->sides[B].count ? w->sides[A].count : w->sides[B].count;
    if (sure == 0 && found->count >= least / SURE_SHARE) {
        sure = found->count - found->count / 4;
    }
    return sure;
}

/* One window; *settled: something of it was taken. */
static int try_window(diff_walk *w, int *settled)
{
    side *a = &w->sides[A];
    side *b = &w->sides[B];
    int a_full = 0;
    int b_full = 0;
    *settled = 0;
    int code = look_ahead(w, a, &a_full);
    if (code == 0) {
        code = look_ahead(w, b, &b_full);
    }
    if (code != 0) {
        return code;
    }
    size_t most = a->count > b->count ? a->count : b->count;
    w->counts->farthest = most > w->counts->farthest ? most : w->counts->farthest;
    int whole = is_last(a) && is_last(b);
    if (make_digests(w, A) != 0 || make_digests(w, B) != 0 ||
        !cli_alignment_find(&w->alignment, w->digests[A], (uint32_t)a->count, w->digests[B],
                            (uint32_t)b->count, whole)) {
        return -1;
    }
    size_t used = whole ? w->alignment.count : believed(w);
    if (used == 0 && a_full && b_full) {
        used = w->alignment.count;
    }
    *settled = used > 0 || whole || (a_full && b_full);
    if (!*settled) {
        return 0;
    }
    code = take_matches(w, used);
    if (code == 0 && whole) {
        code = take_last_gap(w, a->count, b->count);
    } else if (code == 0 && used == 0) { /* nothing in common as far as can be seen */
        size_t least = a->count < b->count ? a->count : b->count;
        code = take_gap(w, least, least);
    }
    return code;
}

/* After a hopeless window the next one begins large too. */
static int join_again(diff_walk *w)
{
    int settled = 0;
    int code = try_window(w, &settled);
    while (code == 0 && !settled) {
        w->look *= GROWTH;
        code = try_window(w, &settled);
    }
    if (settled && w->alignment.count > 0) {
        w->look = FIRST_LOOK;
    }
    return code;
}

/* ---- the walk ---- */

/* Equal messages where they lie, as far as both batches reach. */
static void pass_equal(diff_walk *w)
{
    side *a = &w->sides[A];
    side *b = &w->sides[B];
    if (a->count > 0 || b->count > 0) {
        return;
    }
    size_t left = a->batch_count - a->at;
    left = b->batch_count - b->at < left ? b->batch_count - b->at : left;
    size_t passed = 0;
    while (passed < left &&
           have_equal_bytes(&a->batch[a->at + passed], &b->batch[b->at + passed])) {
        passed++;
    }
    a->at += passed;
    b->at += passed;
    w->counts->equal += passed;
    w->counts->messages[A] += passed;
    w->counts->messages[B] += passed;
}

static int step(diff_walk *w, int *ended)
{
    const fls_message *a = NULL;
    const fls_message *b = NULL;
    pass_equal(w);
    int code = peek(&w->sides[A], &a);
    if (code == 0) {
        code = peek(&w->sides[B], &b);
    }
    if (code != 0) {
        return code;
    }
    *ended = (a == NULL && (b == NULL || w->sides[A].torn)) || (b == NULL && w->sides[B].torn);
    if (*ended) {
        return 0;
    }
    if (a == NULL) {
        return take_added(w);
    }
    if (b == NULL) {
        return take_missing(w);
    }
    if (count_if_same(w, a, b)) {
        drop(w, A);
        drop(w, B);
        return 0;
    }
    return join_again(w);
}

static void begin(diff_walk *w, const cli_diff_source *a, const cli_diff_source *b,
                  const cli_diff_taker *taker, cli_diff_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    w->sides[A].source = *a;
    w->sides[B].source = *b;
    w->taker = taker;
    w->counts = counts;
    w->look = FIRST_LOOK;
}

static int end(diff_walk *w, int code)
{
    for (int i = A; i <= B; i++) {
        side *s = &w->sides[i];
        w->counts->torn[i] = s->torn;
        w->counts->ended[i] = is_last(s) && s->count == 0;
        for (size_t k = 0; k < s->count; k++) {
            free((void *)(uintptr_t)s->queue[s->first + k].message.payload);
        }
        free(s->queue);
        free(w->digests[i]);
    }
    cli_alignment_free(&w->alignment);
    free(w);
    return code;
}

int cli_diff_walk(const cli_diff_source *a, const cli_diff_source *b, const cli_diff_taker *taker,
                  uint64_t memory, cli_diff_counts *counts)
{
    int ended = 0;
    int code = 0;
    diff_walk *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return -1;
    }
    begin(w, a, b, taker, counts);
    w->limit = memory / 2;
    while (code == 0 && !ended) {
        code = step(w, &ended);
    }
    return end(w, code);
}

/* ---- by key ---- */

/* The next message of a side, and its key unless that was read. */
static int peek_key(diff_walk *w, const cli_diff_order *order, int which, int *known,
                    const fls_message **message)
{
    int code = peek(&w->sides[which], message);
    if (code == 0 && *message != NULL && !*known) {
        code = order->key(order->self, which, *message);
        *known = 1;
    }
    return code;
}

int cli_diff_walk_ordered(const cli_diff_source *a, const cli_diff_source *b,
                          const cli_diff_taker *taker, const cli_diff_order *order,
                          cli_diff_counts *counts)
{
    int known[2] = {0, 0};
    int code = 0;
    diff_walk *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return -1;
    }
    begin(w, a, b, taker, counts);
    while (code == 0) {
        const fls_message *left = NULL;
        const fls_message *right = NULL;
        code = peek_key(w, order, A, &known[A], &left);
        if (code == 0) {
            code = peek_key(w, order, B, &known[B], &right);
        }
        if (code != 0 || (left == NULL && (right == NULL || w->sides[A].torn)) ||
            (right == NULL && w->sides[B].torn)) {
            break;
        }
        int compared = left == NULL ? 1 : right == NULL ? -1 : order->compare(order->self);
        known[A] = compared > 0;
        known[B] = compared < 0;
        code = compared < 0 ? take_missing(w) : compared > 0 ? take_added(w) : take_both(w);
    }
    return end(w, code);
}
