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

/* CLI_DONE when all that was selected was taken, or the taker ended it; else the exit code, after a
 * message about what is wrong with the stream. */
int cli_walk(cli_input *input, fls_reader *reader, const cli_walker *walker);

#endif
