/* Payloads out of what a user brings: lines of hexadecimal digits, delimited bytes, whole files. */
#ifndef FLS_CLI_PAYLOADS_H
#define FLS_CLI_PAYLOADS_H

#include "input.h"

typedef struct cli_payload_taker {
    /* Takes a payload; place says where it came from, for messages. CLI_DONE to go on, else the
     * exit code, after a message. */
    int (*take)(void *self, const void *payload, size_t size, const char *place);
    void *self;
} cli_payload_taker;

/* Each gives all payloads of the input, and CLI_DONE, or the exit code after a message. */

/* A line of hexadecimal digits is a payload; an empty line is an empty one. */
int cli_payloads_hex(cli_input *input, const cli_payload_taker *taker);

/* A length as four bytes, little-endian, and so many bytes, again and again. */
int cli_payloads_delimited(cli_input *input, const cli_payload_taker *taker);

/* The whole input is one payload. */
int cli_payloads_whole(cli_input *input, const cli_payload_taker *taker);

#endif
