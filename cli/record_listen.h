/* Recording from sockets: many peers over TCP and Unix sockets, and datagrams. */
#ifndef FLS_CLI_RECORD_LISTEN_H
#define FLS_CLI_RECORD_LISTEN_H

#include "recording.h"

enum { CLI_MOST_LISTENERS = 16 };

typedef struct cli_listening {
    const char *endpoints[CLI_MOST_LISTENERS];
    size_t count;
    int delimited;         /* peers send each message after its length */
    fls_checksum checksum; /* of the frames that they send; DETECT: found by proof, for each */
    uint64_t peers;        /* end after so many have come and gone; 0: never */
} cli_listening;

/* Listens, opens the journal, and takes messages until a signal comes, or so many peers have ended.
 * Exit code, after a message. */
int cli_record_listen(cli_recording *rec, const cli_listening *listening);

#endif
