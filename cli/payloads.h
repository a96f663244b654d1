/* Payloads out of what a user brings: lines of hexadecimal digits, delimited bytes, JSON, whole
 * files.
 */
#ifndef FLS_CLI_PAYLOADS_H
#define FLS_CLI_PAYLOADS_H

#include "input.h"
#include "schemas.h"

typedef struct cli_payload_taker {
    /* Takes a payload; place says where it came from, for messages. CLI_DONE to go on, else the
     * exit code, after a message. */
    int (*take)(void *self, const void *payload, size_t size, const char *place);
    void *self;
    /* Called when there may be nothing more to read for a while; may be NULL. Answers as take. */
    int (*pause)(void *self);
} cli_payload_taker;

/* Each gives all payloads of the input, and CLI_DONE, or the exit code after a message. */

/* A line of hexadecimal digits is a payload; an empty line is an empty one. */
int cli_payloads_hex(cli_input *input, const cli_payload_taker *taker);

/* A length as four bytes, little-endian, and so many bytes, again and again. */
int cli_payloads_delimited(cli_input *input, const cli_payload_taker *taker);

/* JSON objects, each a message of one of the types. Where there are several, the one that a first
 * key "$type" names, else the only one that takes the object. */
typedef struct cli_json_options {
    int lenient;
    int with_defaults; /* values that equal the default are stored too */
} cli_json_options;

int cli_payloads_json(cli_input *input, const cli_schemas *schemas, const cli_json_options *options,
                      const cli_payload_taker *taker);

/* The whole input is one payload. */
int cli_payloads_whole(cli_input *input, const cli_payload_taker *taker);

#endif
