/* Compiling conditions and columns for every type, and showing what is wrong with them. */
#include "queries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"

/* The part of the text around a place, and a mark below it. */
static void show_place(const char *text, size_t at)
{
    enum { BEFORE = 50, AFTER = 20 };
    size_t length = strlen(text);
    size_t from = at > BEFORE ? at - BEFORE : 0;
    size_t to = length - at > AFTER ? at + AFTER : length;
    fputs("  ", stderr);
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)text[i];
        fputc(c < ' ' || c == 127 ? ' ' : c, stderr);
    }
    fputs("\n  ", stderr);
    for (size_t i = from; i < at; i++) {
        /* Bytes that go on a character of UTF-8 take no place of their own. */
        if (((unsigned char)text[i] & 0xC0) != 0x80) {
            fputc(' ', stderr);
        }
    }
    fputs("^\n", stderr);
}

static int complain_query(cli_job *job, const char *option, const char *text, const fls_error *err)
{
    if (err->status == FLS_NO_MEMORY) {
        return cli_complain_errno(job, NULL, NULL, ENOMEM);
    }
    cli_complain(job, job->command->name, "%s: %s", option, err->text);
    if (err->known & FLS_ERROR_OFFSET) {
        show_place(text, (size_t)err->offset);
    }
    return CLI_USAGE;
}

/* For the next type that is not known yet. */
static fls_status compile_where(cli_where *where, fls_error *err)
{
    uint32_t at = where->known++;
    const fls_message_type *type = &where->schemas->set.types[at];
    return fls_predicate_new(&where->predicates[at], type->schema, type->root, where->text, NULL,
                             err);
}

int cli_where_open(cli_where *where, cli_job *job, const cli_schemas *schemas, const char *text)
{
    fls_error first = FLS_ERROR_INIT;
    uint32_t compiled = 0;
    memset(where, 0, sizeof *where);
    where->schemas = schemas;
    where->text = text != NULL ? text : "true";
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_status status = compile_where(where, &err);
        if (status == FLS_OK) {
            compiled++;
        } else if (status != FLS_UNSUPPORTED) {
            cli_where_close(where);
            return complain_query(job, "--where", text, &err);
        } else if (first.status == FLS_OK) {
            first = err;
        }
    }
    if (compiled == 0) {
        return complain_query(job, "--where", text, &first);
    }
    return CLI_DONE;
}

void cli_where_close(cli_where *where)
{
    for (uint32_t i = 0; where->schemas != NULL && i < where->schemas->set.count; i++) {
        fls_predicate_free(where->predicates[i]);
        where->predicates[i] = NULL;
    }
}

int cli_where_holds(cli_where *where, const fls_message *message, uint32_t *type)
{
    const fls_schema_set *set = &where->schemas->set;
    if (set->count == 1) { /* then a message is of that type, whatever its identifier */
        *type = 0;
        return fls_predicate_holds(where->predicates[0], message->payload, message->size);
    }
    *type = cli_schemas_select(where->schemas, message->payload, message->size);
    while (where->known < set->count) {
        fls_error err = FLS_ERROR_INIT;
        fls_status status = compile_where(where, &err);
        (void)status; /* a type that has no such field never meets it */
    }
    return *type != FLS_SCHEMA_NONE && where->predicates[*type] != NULL &&
           fls_predicate_holds(where->predicates[*type], message->payload, message->size);
}

uint64_t cli_where_count(cli_where *where, const fls_message *messages, size_t count)
{
    uint64_t held = 0;
    uint32_t type;
    if (where->schemas->set.count == 1) {
        const fls_predicate *predicate = where->predicates[0];
        for (size_t i = 0; i < count; i++) {
            held += fls_predicate_holds(predicate, messages[i].payload, messages[i].size) != 0;
        }
        return held;
    }
    for (size_t i = 0; i < count; i++) {
        held += cli_where_holds(where, &messages[i], &type) != 0;
    }
    return held;
}

/* For the next type that is not known yet. */
static fls_status compile_column(cli_column *column, fls_error *err)
{
    uint32_t at = column->known++;
    const fls_message_type *type = &column->schemas->set.types[at];
    return fls_path_new(&column->paths[at], type->schema, type->root, column->name, NULL, err);
}

int cli_column_open(cli_column *column, cli_job *job, const cli_schemas *schemas,
                    const char *option, const char *path)
{
    fls_error first = FLS_ERROR_INIT;
    memset(column, 0, sizeof *column);
    column->name = path;
    column->schemas = schemas;
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        fls_error err = FLS_ERROR_INIT;
        fls_status status = compile_column(column, &err);
        if (status == FLS_OK && fls_path_kind(column->paths[i]) == FLS_VALUE_OBJECT) {
            cli_column_close(column);
            return cli_usage(job,
                             "%s: '%s' is a table, struct, vector or union: go on to a value in "
                             "it, such as .FIELD, [0] or .length",
                             option, path);
        }
        if (status != FLS_OK && status != FLS_UNSUPPORTED) {
            cli_column_close(column);
            return complain_query(job, option, path, &err);
        }
        if (status == FLS_OK) {
            column->any = column->paths[i];
        } else if (first.status == FLS_OK) {
            first = err;
        }
    }
    return column->any != NULL ? CLI_DONE : complain_query(job, option, path, &first);
}

const fls_path *cli_column_path(cli_column *column, uint32_t type)
{
    while (column->known <= type) {
        fls_error err = FLS_ERROR_INIT;
        uint32_t at = column->known;
        if (compile_column(column, &err) == FLS_OK &&
            fls_path_kind(column->paths[at]) == FLS_VALUE_OBJECT) {
            fls_path_free(column->paths[at]);
            column->paths[at] = NULL;
        }
    }
    return column->paths[type];
}

void cli_column_close(cli_column *column)
{
    for (size_t i = 0; i < FLS_SCHEMA_SET_MOST; i++) {
        fls_path_free(column->paths[i]);
        column->paths[i] = NULL;
    }
}

int cli_columns_open(cli_columns *columns, cli_job *job, const cli_schemas *schemas,
                     const char *text)
{
    int code = CLI_DONE;
    memset(columns, 0, sizeof *columns);
    columns->schemas = schemas;
    size_t bytes = strlen(text) + 1;
    char *next = columns->text = malloc(bytes);
    if (next == NULL) {
        return cli_complain_errno(job, NULL, NULL, ENOMEM);
    }
    memcpy(next, text, bytes);
    while (code == CLI_DONE && next != NULL) {
        char *comma = strchr(next, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        next += strspn(next, " \t");
        for (size_t end = strlen(next); end > 0 && (next[end - 1] == ' ' || next[end - 1] == '\t');
             end--) {
            next[end - 1] = '\0';
        }
        if (columns->count == CLI_MOST_COLUMNS) {
            code = cli_usage(job, "--select: more than %d columns", CLI_MOST_COLUMNS);
            break;
        }
        code = cli_column_open(&columns->columns[columns->count], job, schemas, "--select", next);
        columns->count += code == CLI_DONE;
        next = comma != NULL ? comma + 1 : NULL;
    }
    if (code != CLI_DONE) {
        cli_columns_close(columns);
    }
    return code;
}

void cli_columns_close(cli_columns *columns)
{
    while (columns->count > 0) {
        cli_column_close(&columns->columns[--columns->count]);
    }
    free(columns->text);
    columns->text = NULL;
}
