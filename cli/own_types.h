/* The types of messages that a journal says of itself. */
#ifndef FLS_CLI_OWN_TYPES_H
#define FLS_CLI_OWN_TYPES_H

#include "schemas.h"

/* Adds the types of the journal at path, of all its segments. Of types that share identifier and
 * name the newest counts, which reads what was written with older ones too. None is fine. Exit
 * code, after a message; what was added stays to be closed. */
int cli_journal_types_load(cli_schemas *schemas, cli_job *job, const char *path);

#endif
