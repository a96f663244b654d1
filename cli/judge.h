/* How a stream ends behind the place where a reader stopped. */
#ifndef FLS_CLI_JUDGE_H
#define FLS_CLI_JUDGE_H

#include "input.h"

typedef struct cli_ending {
    fls_stream_end end;
    uint64_t last_good_offset; /* end of the last sound message before the fault */
    uint64_t stream_bytes;     /* all there are */
    int proof_found;           /* a sound message was proven behind the fault, at proof_offset */
    uint64_t proof_offset;
    fls_error fault; /* FLS_OK when the end is clean */
} cli_ending;

/* Judges what a reader reported: status is FLS_END, or the first fault, described in err and found
 * behind offset good. An input that cannot be read twice needs its spool, and is read to its end.
 * Returns CLI_DONE when *ending is whole, else the exit code after a message. */
int cli_judge(cli_input *input, fls_checksum checksum, fls_status status, const fls_error *err,
              uint64_t good, cli_ending *ending);

/* The fault's kind in reports, such as "torn_tail". */
const char *cli_ending_kind(const cli_ending *ending);

#endif
