/* Going through two sequences of messages and telling where they differ: equal stretches at once;
 * where they part, both are looked ahead until they join again. How far is bounded by memory.
 *
 * A lookahead begins with a few messages on each side and grows by a factor until enough of them
 * are counterparts of each other, or it is at its limit. What is then between two counterparts is
 * different, one by one, when there are as many messages on one side as on the other, and else
 * missing and added. Where not a single one has a counterpart within the limit, messages are
 * different one by one, and the walk goes on behind them.
 */
#ifndef FLS_CLI_DIFF_WALK_H
#define FLS_CLI_DIFF_WALK_H

#include <flatstream/flatstream.h>

#include "alignment.h"

/* One side. */
typedef struct cli_diff_source {
    /* Up to `capacity` messages, borrowed until the next call; *count 0 at the end, also when that
     * is where damage begins: *torn is then 1. Not 0: the walk ends with that. */
    int (*next)(void *self, fls_message *messages, size_t capacity, size_t *count, int *torn);
    void *self;
} cli_diff_source;

/* What is made of it. Each that returns int ends the walk with what it returns, but for 0. */
typedef struct cli_diff_taker {
    /* 1: two messages of other bytes have the same values. NULL: never. */
    int (*same)(void *self, const fls_message *a, const fls_message *b);
    /* The same for messages that are equal or have the same values. */
    uint64_t (*digest)(void *self, const fls_message *message);
    int (*missing)(void *self, const fls_message *a); /* in the first only */
    int (*added)(void *self, const fls_message *b);   /* in the second only */
    int (*different)(void *self, const fls_message *a, const fls_message *b);
    void *self;
} cli_diff_taker;

typedef struct cli_diff_counts {
    uint64_t messages[2]; /* that were compared */
    uint64_t equal;
    uint64_t same_values; /* of other bytes */
    uint64_t missing;
    uint64_t added;
    uint64_t different;
    int torn[2];       /* where damage ended the side */
    int ended[2];      /* whether all of the side was compared */
    uint64_t farthest; /* messages that a lookahead took, at most */
} cli_diff_counts;

/* What a message costs that is looked ahead at, beside its bytes. */
#define CLI_DIFF_MESSAGE_COST 192u

/* memory: bytes that lookahead may take on both sides together. Returns 0; what a source or taker
 * returned; or -1 when there is no memory. What ends early for damage is not missing or added on
 * the other side: the rest of that is not compared. */
int cli_diff_walk(const cli_diff_source *a, const cli_diff_source *b, const cli_diff_taker *taker,
                  uint64_t memory, cli_diff_counts *counts);

/* The same by key, where both sides are in its order. */
typedef struct cli_diff_order {
    /* Reads the key of the next message of a side and looks whether it stands in order. Not 0 ends
     * the walk. */
    int (*key)(void *self, int side, const fls_message *message);
    /* The keys read last: below 0 when that of the first side is before that of the second. */
    int (*compare)(void *self);
    void *self;
} cli_diff_order;

int cli_diff_walk_ordered(const cli_diff_source *a, const cli_diff_source *b,
                          const cli_diff_taker *taker, const cli_diff_order *order,
                          cli_diff_counts *counts);

#endif
