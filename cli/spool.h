/* An input that has to be read at any offset: a file as it is; anything else by way of a temporary
 * file that has no name.
 */
#ifndef FLS_CLI_SPOOL_H
#define FLS_CLI_SPOOL_H

#include "input.h"

typedef struct cli_spool {
    fls_source source; /* of the input or of its copy; can be read at an offset */
    int is_copy;
} cli_spool;

/* Reads an input that is no file to its end. Exit code, after a message. The input stays open. */
int cli_spool_open(cli_spool *spool, cli_input *input);
void cli_spool_close(cli_spool *spool);

#endif
