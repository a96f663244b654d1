/* The JSON objects of an input, one after another: lines of NDJSON, but also objects over several
 * lines, several in a line, or in a list. Finds where each ends, and nothing else of it.
 */
#ifndef FLS_CLI_JSON_OBJECTS_H
#define FLS_CLI_JSON_OBJECTS_H

#include "input.h"

typedef struct cli_json_taker {
    /* Takes the text of an object, which it may change, and where its first byte stands, both from
     * 1. What cannot be an object to its end is given too, as far as that is plain, and has to be
     * refused. CLI_DONE to go on, else the exit code, after a message. */
    int (*take)(void *self, char *text, size_t size, uint64_t line, uint64_t column);
    void *self;
    /* Called when there may be nothing more to read for a while; may be NULL. Answers as take. */
    int (*pause)(void *self);
} cli_json_taker;

/* Gives all objects of the input. lenient: comments may stand between and in them, and a list may
 * end with a comma. Memory grows with the largest object. CLI_DONE, or the exit code after a
 * message. */
int cli_json_objects(cli_input *input, int lenient, const cli_json_taker *taker);

#endif
