/* Frames for messages. */
#include "framing.h"

int cli_take_to(cli_job *job, const char *argument, fls_checksum *to)
{
    if (fls_checksum_from_name(argument, to) != FLS_OK || *to > FLS_CHECKSUM_XXH3) {
        return cli_usage(job, "'%s' is not a checksum: none, crc16, crc32 or xxh3", argument);
    }
    return CLI_DONE;
}

void cli_framing_begin(cli_framing *framing, const cli_input *input, const fls_reader *reader)
{
    if (framing->from != FLS_CHECKSUM_DEFAULT) {
        return;
    }
    framing->from = cli_input_checksum(input, reader);
    if (framing->to == FLS_CHECKSUM_DEFAULT) {
        framing->to = framing->from;
    }
    framing->width = fls_checksum_width(framing->to);
}

fls_message cli_framed(const cli_framing *framing, const fls_message *message)
{
    fls_message framed = *message;
    if (framing->to != framing->from) {
        framed.checksum = fls_checksum_digest(framing->to, message->payload, message->size);
    }
    return framed;
}

uint64_t cli_frame_bytes(const cli_framing *framing, const fls_message *message)
{
    return (uint64_t)FLS_LENGTH_BYTES + framing->width + message->size;
}

uint64_t cli_empty_end(const cli_framing *framing, const fls_message *message, uint64_t before)
{
    return message->size == 0 ? before + cli_frame_bytes(framing, message) : 0;
}

int cli_is_like_zero_tail(const cli_framing *framing, uint64_t empty_bytes)
{
    return empty_bytes >= FLS_ZERO_TAIL_BYTES && framing->to != FLS_CHECKSUM_XXH3;
}
