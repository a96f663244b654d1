/* Messages as frames of another stream: with the checksum that they came with, or another one. */
#ifndef FLS_CLI_FRAMING_H
#define FLS_CLI_FRAMING_H

#include "output.h"

/* All zero but for `to`, which may be asked for. */
typedef struct cli_framing {
    fls_checksum to;   /* DEFAULT until the first message: that of the input */
    fls_checksum from; /* DEFAULT until the first message */
    uint32_t width;    /* of the checksum */
} cli_framing;

/* The argument of --to. Exit code, after a message. */
int cli_take_to(cli_job *job, const char *argument, fls_checksum *to);

/* With each message, or the first: the input's checksum is known by then. */
void cli_framing_begin(cli_framing *framing, const cli_input *input, const fls_reader *reader);

/* The message with the checksum of its new frame; a sound one that keeps its checksum is passed on
 * as it is. */
fls_message cli_framed(const cli_framing *framing, const fls_message *message);

/* Bytes of its new frame. */
uint64_t cli_frame_bytes(const cli_framing *framing, const fls_message *message);

/* Bytes of the empty messages that a stream ends in, once message is behind those counted. */
uint64_t cli_empty_end(const cli_framing *framing, const fls_message *message, uint64_t before);

/* Whether readers take a stream that ends in so many bytes of empty messages for a zero tail. */
int cli_is_like_zero_tail(const cli_framing *framing, uint64_t empty_bytes);

#endif
