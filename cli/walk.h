/* Going through the messages of an input that --range and --limit select. */
#ifndef FLS_CLI_WALK_H
#define FLS_CLI_WALK_H

#include "input.h"
#include "schemas.h"

typedef struct cli_walker {
    /* Takes a message; not 0 ends the walk, with CLI_DONE. */
    int (*take)(void *self, const fls_message *message);
    /* Called when there may be nothing more to read for a while; may be NULL. */
    void (*pause)(void *self);
    void *self;
    const cli_schemas *schemas; /* each message is checked against them first; NULL or empty: not */
    /* Instead of take for many messages that are all selected; may be NULL, and has to be where
     * there are schemas. */
    void (*take_all)(void *self, const fls_message *messages, size_t count);
} cli_walker;

/* What a verb does with the messages of a large file on several threads, in two steps: in results
 * that are made piece by piece beside each other, and with these in the order of the stream. What
 * comes out is to be what the walker's take makes of the same messages. */
typedef struct cli_shares {
    uint32_t jobs;       /* threads; 0: one for each processor */
    size_t piece_bytes;  /* of the stream, to a result, at most; 0: 4 MiB */
    fls_reader **reader; /* where the verb keeps its reader, which is another one afterwards */
    void *(*make)(void *self); /* a result; NULL when there is no memory for it */
    void (*dispose)(void *self, void *result);
    void (*begin)(void *self, void *result); /* empties it; on some thread */
    /* Takes messages, which are sound by the walker's schemas, on some thread; their ordinals count
     * from the first of the result. How many it took: the walker's take gets the one behind them,
     * and says what there is to be said. */
    size_t (*take)(void *self, void *result, const fls_message *messages, size_t count);
    /* On the calling thread, in order. Not 0 ends the walk, with CLI_DONE; but CLI_SHARE_LEFT means
     * that nothing was taken of the piece, whose messages the walker's take gets. */
    int (*collect)(void *self, void *result, const fls_parallel_piece *piece);
} cli_shares;

#define CLI_SHARE_LEFT (-1)

/* CLI_DONE when all that was selected was taken, or the taker ended it; else the exit code, after a
 * message about what is wrong with the stream. */
int cli_walk(cli_input *input, fls_reader *reader, const cli_walker *walker);

/* The same on several threads, where that pays and no --range or --limit is given. self is the
 * walker's. */
int cli_walk_shared(cli_input *input, const cli_walker *walker, const cli_shares *shares);

#endif
