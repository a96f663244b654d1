/* --by: the value that messages of two streams are matched by, and its order, which is that of
 * sort and merge (sort_keys.h). */
#ifndef FLS_CLI_DIFF_KEYS_H
#define FLS_CLI_DIFF_KEYS_H

#include "diff_report.h"
#include "sort_keys.h"

typedef struct cli_diff_key {
    int is_there;
    fls_value value;
    fls_sort_key key; /* of the value: the order is that of sort and merge */
    char *text;       /* of a string, which is kept beyond its message */
    size_t room;
    char shown[CLI_DIFF_KEY];
} cli_diff_key;

typedef struct cli_diff_keys {
    cli_job *job;
    cli_sort_keys by;
    const char *names[2]; /* of the sides, for messages */
    cli_diff_key last[2];
    cli_diff_key next;
} cli_diff_keys;

/* As cli_sort_keys_open. */
int cli_diff_keys_open(cli_diff_keys *keys, cli_job *job, const cli_schemas *schemas,
                       const char *path);
void cli_diff_keys_close(cli_diff_keys *keys);

/* For cli_diff_order. A side that is not in order is told, and ends the walk with CLI_DAMAGED; -1:
 * no memory. */
int cli_diff_keys_read(void *self, int side, const fls_message *message);
int cli_diff_keys_compare(void *self);

#endif
