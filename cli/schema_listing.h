/* A schema as a readable listing, and as a report. */
#ifndef FLS_CLI_SCHEMA_LISTING_H
#define FLS_CLI_SCHEMA_LISTING_H

#include "report.h"

/* What of a schema is shown: all, or a table and what it is made of. */
typedef struct cli_schema_view {
    const fls_schema *schema;
    const char *path;
    uint32_t root;         /* or FLS_SCHEMA_NONE */
    uint8_t *objects;      /* whether each is shown */
    uint8_t *enumerations; /* whether each is shown */
} cli_schema_view;

/* root FLS_SCHEMA_NONE shows all of the schema, with its own root. 0 when memory ran out. */
int cli_schema_view_init(cli_schema_view *view, const fls_schema *schema, const char *path,
                         uint32_t root);
void cli_schema_view_free(cli_schema_view *view);

void cli_schema_print(cli_out *out, const cli_schema_view *view);
void cli_schema_put_json(cli_out *out, const cli_schema_view *view);
/* Its keys alone, into an object that is open. */
void cli_schema_put_keys(cli_json *json, const cli_schema_view *view);

#define CLI_TYPE_TEXT 600
/* A field's type as a .fbs has it: "[telemetry.Vec3]". */
const char *cli_field_type_text(const fls_schema *schema, const fls_schema_field *field,
                                char text[CLI_TYPE_TEXT]);

#endif
