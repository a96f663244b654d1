/* The types of messages that a journal says of itself: each segment names those that it uses. */
#ifndef FLS_CLI_OWN_TYPES_H
#define FLS_CLI_OWN_TYPES_H

#include "schemas.h"

/* Adds the types of the journal at path: of all its segments, the newest first; or of the newest
 * segment alone, which are those that a writer goes on with. None is fine. Exit code, after a
 * message; what was added stays to be closed. */
int cli_own_types_load(cli_schemas *schemas, cli_job *job, const char *path, int newest_only);

/* The messages that the reader handed out last are of these types from now on; those that were not
 * known are added. Cheap where nothing changed. Exit code, after a message. */
int cli_own_types_enter(cli_schemas *schemas, cli_job *job, const char *path,
                        const fls_journal_reader *reader);

/* Calls `use` for each run of segments with the same types, the oldest first, after
 * cli_own_types_load: messages first <= n < end are of the types `here`. Exit code, after a
 * message. */
int cli_own_types_each(cli_schemas *schemas, cli_job *job, const char *path,
                       void (*use)(void *self, const cli_schemas *schemas, uint64_t first,
                                   uint64_t end),
                       void *self);

#endif
