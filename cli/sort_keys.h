/* --by: the value that messages are put in order by (sort, merge), or matched by (diff), with one
 * order and one treatment of types that have different kinds of values there. */
#ifndef FLS_CLI_SORT_KEYS_H
#define FLS_CLI_SORT_KEYS_H

#include "queries.h"

typedef struct cli_sort_keys {
    const cli_schemas *schemas;
    cli_column column;
    int mixed;     /* the types have numbers of different kinds there */
    int is_string; /* the path leads to strings */
    uint32_t type; /* of the message whose key was asked for last, or FLS_SCHEMA_NONE */
} cli_sort_keys;

/* The path has to lead to one value, in all types to strings or in all to numbers and booleans.
 * Exit code, after a message. The schemas have to outlive it. */
int cli_sort_keys_open(cli_sort_keys *keys, cli_job *job, const cli_schemas *schemas,
                       const char *path);
void cli_sort_keys_close(cli_sort_keys *keys);

/* Makes keys of two comparable: numbers of different kinds are mixed in both. Before the first key
 * is asked for. 0: strings and numbers are not. */
int cli_sort_keys_join(cli_sort_keys *a, cli_sort_keys *b);

/* A message's value, and the key of that, which borrow from the message. A message of another type,
 * or of one that has no such field, has none. */
void cli_sort_key_of(cli_sort_keys *keys, const fls_message *message, fls_sort_key *key,
                     fls_value *value);

/* The order, for descriptions of commands, and what --reverse makes of it. */
#define CLI_ORDER_OF_KEYS                                                                         \
    "Numbers are compared by size, exactly also where one type has whole numbers and another "    \
    "fractions; -0 is 0. False comes before true, enumerators go by their numbers, not their "    \
    "names, and strings by their bytes, whatever the language. A field that is not in a message " \
    "has its default. NaN comes behind all other numbers, and messages without a value, such as " \
    "those of a type without that field, come last."
#define CLI_ORDER_REVERSED " So they do with --reverse, which turns round the order of values only."

/* A key that is kept beyond its message. */
typedef struct cli_kept_key {
    fls_sort_key key;
    char *text;
    size_t room;
} cli_kept_key;

/* 0 when memory ran out. */
int cli_kept_key_set(cli_kept_key *kept, const fls_sort_key *key);
void cli_kept_key_free(cli_kept_key *kept);

#endif
