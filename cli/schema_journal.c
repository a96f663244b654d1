/* Journals in schema: what messages were written with, and what comes next. */
#include "schema_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "own_types.h"
#include "schema_listing.h"

typedef struct showing {
    cli_out out;
    cli_json json;
    int as_json;
} showing;

/* One line, or object, for each type of a run of segments. */
static void show_use(void *self, const cli_schemas *schemas, uint64_t first, uint64_t end)
{
    showing *s = self;
    char from[CLI_NUMBER];
    char to[CLI_NUMBER];
    char hash[32] = "";
    uint32_t count = schemas->here.count;
    for (uint32_t i = 0; i < count || i == 0; i++) {
        const fls_message_type *type = count > 0 ? &schemas->here.types[i] : NULL;
        char identifier[5] = "";
        const char *name = count > 0 ? cli_schemas_type_name(schemas, schemas->places[i]) : NULL;
        if (type != NULL) {
            memcpy(identifier, type->identifier, 4);
            snprintf(hash, sizeof hash, "%016llx",
                     (unsigned long long)fls_schema_hash(type->schema));
        }
        if (s->as_json) {
            cli_json_open_object(&s->json, NULL);
            cli_json_count(&s->json, "first_ordinal", first);
            cli_json_count(&s->json, "end_ordinal", end);
            cli_json_text(&s->json, "type", name);
            cli_json_text(&s->json, "identifier", identifier[0] != '\0' ? identifier : NULL);
            cli_json_text(&s->json, "schema_hash", type != NULL ? hash : NULL);
            cli_json_close_object(&s->json);
        } else if (end > first) {
            cli_out_format(&s->out, "messages %s .. %s: %s%s%s%s%s\n", cli_count(from, first),
                           cli_count(to, end - 1), name != NULL ? name : "no schema",
                           identifier[0] != '\0' ? ", identifier " : "", identifier,
                           type != NULL ? ", schema " : "", hash);
        }
    }
}

static int show_schema(showing *s, cli_job *job, const fls_schema *schema, const char *file,
                       uint32_t root)
{
    cli_schema_view view;
    if (!cli_schema_view_init(&view, schema, file, root)) {
        return cli_complain_errno(job, NULL, NULL, ENOMEM);
    }
    if (s->as_json) {
        cli_json_open_object(&s->json, NULL);
        cli_schema_put_keys(&s->json, &view);
        cli_json_close_object(&s->json);
    } else {
        cli_out_text(&s->out, "\n");
        cli_schema_print(&s->out, &view);
    }
    cli_schema_view_free(&view);
    return CLI_DONE;
}

/* The place of a loaded schema among the types, for its file. */
static const char *file_of(const cli_schemas *schemas, const fls_schema *schema)
{
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        if (schemas->set.types[i].schema == schema) {
            return schemas->paths[i];
        }
    }
    return "";
}

static int show_all(showing *s, cli_schemas *schemas, cli_job *job, const char *path,
                    const char *root)
{
    if (s->as_json) {
        cli_json_begin(&s->json, &s->out);
        cli_json_text(&s->json, "file", path);
        cli_json_open_list(&s->json, "uses");
    } else {
        cli_out_format(&s->out, "%s\n", path);
    }
    int code = cli_own_types_each(schemas, job, path, show_use, s);
    uint32_t shown = 0;
    if (!s->as_json && schemas->loaded_count == 0) {
        cli_out_text(&s->out, "no schema\n");
    }
    if (s->as_json) {
        cli_json_close_list(&s->json);
        cli_json_open_list(&s->json, "schemas");
    }
    for (uint32_t i = 0; i < schemas->loaded_count && code == CLI_DONE; i++) {
        const fls_schema *schema = schemas->loaded[i];
        uint32_t table = root != NULL ? fls_schema_find_object(schema, root) : FLS_SCHEMA_NONE;
        if (root == NULL || table != FLS_SCHEMA_NONE) {
            code = show_schema(s, job, schema, file_of(schemas, schema), table);
            shown++;
        }
    }
    if (code == CLI_DONE && root != NULL && shown == 0) {
        code = cli_usage(job, "%s: no schema has a table or struct '%s'", path, root);
    }
    if (s->as_json) {
        cli_json_close_list(&s->json);
        cli_json_bool(&s->json, "ok", code == CLI_DONE);
        cli_json_end(&s->json);
    }
    return code;
}

int cli_schema_show_journal(cli_job *job, const char *path, const char *root)
{
    cli_schemas schemas;
    showing s = {.as_json = job->common.json};
    memset(&schemas, 0, sizeof schemas);
    int code = cli_own_types_load(&schemas, job, path, 0);
    if (code == CLI_DONE) {
        code = cli_out_open(&s.out, job, NULL, NULL);
        if (code == CLI_DONE) {
            code = cli_out_end(&s.out, show_all(&s, &schemas, job, path, root));
        }
    }
    cli_schemas_close(&schemas);
    return code;
}

/* Which type is meant: the only one, or that with the name, with its namespace or without. */
static uint32_t choose(const cli_schemas *schemas, const char *root)
{
    uint32_t chosen = FLS_SCHEMA_NONE;
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        const char *name = cli_schemas_type_name(schemas, i);
        const char *dot = strrchr(name, '.');
        if (root == NULL || strcmp(name, root) == 0 ||
            (dot != NULL && strcmp(dot + 1, root) == 0)) {
            if (chosen != FLS_SCHEMA_NONE) {
                return FLS_SCHEMA_NONE;
            }
            chosen = i;
        }
    }
    return chosen;
}

int cli_schema_newest_of(cli_job *job, const char *path, const char *root, char **file,
                         char **own_root)
{
    cli_schemas schemas;
    memset(&schemas, 0, sizeof schemas);
    int code = cli_own_types_load(&schemas, job, path, 1);
    uint32_t chosen = code == CLI_DONE ? choose(&schemas, root) : FLS_SCHEMA_NONE;
    if (code == CLI_DONE && schemas.set.count == 0) {
        code = cli_usage(job, "%s has no schema", path);
    } else if (code == CLI_DONE && chosen == FLS_SCHEMA_NONE) {
        code = cli_usage(job, "%s has %u types of messages; which one? -r TYPE", path,
                         schemas.set.count);
    }
    if (code == CLI_DONE) {
        *file = strdup(schemas.paths[chosen]);
        *own_root = strdup(cli_schemas_type_name(&schemas, chosen));
        if (*file == NULL || *own_root == NULL) {
            code = cli_complain_errno(job, NULL, NULL, ENOMEM);
        }
    }
    cli_schemas_close(&schemas);
    return code;
}
