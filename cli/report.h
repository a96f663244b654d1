/* Reports: the one JSON object of --json, written as it comes, and plain lines for people. */
#ifndef FLS_CLI_REPORT_H
#define FLS_CLI_REPORT_H

#include "output.h"

/* A JSON object being written. Keys come in the order of the calls. Entries of the outermost object
 * stand on lines of their own, those of a list in it too; deeper ones in a row. */
typedef struct cli_json {
    cli_out *out;
    int depth;
    int filled[8]; /* whether something stands at that depth already */
    int after_key; /* the next value belongs to a key on its line */
} cli_json;

void cli_json_begin(cli_json *json, cli_out *out);
void cli_json_end(cli_json *json);

/* key is NULL within a list. */
void cli_json_open_object(cli_json *json, const char *key);
void cli_json_close_object(cli_json *json);
void cli_json_open_list(cli_json *json, const char *key);
void cli_json_close_list(cli_json *json);

void cli_json_null(cli_json *json, const char *key);
void cli_json_bool(cli_json *json, const char *key, int value);
void cli_json_count(cli_json *json, const char *key, uint64_t value);
void cli_json_number(cli_json *json, const char *key, double value);   /* three decimals at most */
void cli_json_text(cli_json *json, const char *key, const char *text); /* NULL: null */
void cli_json_literal(cli_json *json, const char *key, const char *text); /* JSON already */

/* offset, ordinal, kind, detail of a fault, within an object of their own. */
void cli_json_fault(cli_json *json, const char *key, const fls_error *fault, const char *kind);

/* checksum's name, or null when an empty stream left it open. */
void cli_json_checksum(cli_json *json, fls_checksum checksum);

#endif
