/* JSON objects into messages, for `flatstream write --from json`. */
#include <stdio.h>
#include <string.h>

#include "complain.h"
#include "json_objects.h"
#include "payloads.h"

typedef struct making {
    cli_input *input;
    const cli_schemas *schemas;
    const cli_payload_taker *taker;
    fls_json_parser *parsers[FLS_SCHEMA_SET_MOST];
} making;

/* Where an object stands in the input. */
typedef struct place {
    uint64_t line;
    uint64_t column;
} place;

static int open_parsers(making *m, const cli_json_options *given)
{
    fls_error err = FLS_ERROR_INIT;
    for (uint32_t i = 0; i < m->schemas->set.count; i++) {
        const fls_message_type *type = &m->schemas->set.types[i];
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        options.lenient = (uint32_t)given->lenient;
        options.with_defaults = (uint32_t)given->with_defaults;
        options.identifier = type->identifier[0] != '\0' ? type->identifier : NULL;
        if (fls_json_parser_new(&m->parsers[i], type->schema, type->root, &options, &err) !=
            FLS_OK) {
            return cli_complain_error(m->input->job, m->schemas->paths[i], &err);
        }
    }
    return CLI_DONE;
}

/* "line 3, column 14: pose.position.x: not a number" */
static int refused(const making *m, const place *at, const fls_json_error *where,
                   const fls_error *err, const char *of)
{
    if (err->status != FLS_VALIDATION_FAILED) {
        return cli_complain_error(m->input->job, m->input->name, err);
    }
    uint64_t line = at->line + where->line - 1;
    uint64_t column = where->line == 1 ? at->column + where->column - 1 : where->column;
    cli_complain(m->input->job, m->input->name, "line %llu, column %llu: %s%s%s%s%s",
                 (unsigned long long)line, (unsigned long long)column, where->path,
                 where->path[0] != '\0' ? ": " : "", where->reason, of[0] != '\0' ? " " : "", of);
    return CLI_DAMAGED;
}

static int give(const making *m, const void *payload, size_t size, const place *at)
{
    char text[64];
    snprintf(text, sizeof text, "line %llu", (unsigned long long)at->line);
    return m->taker->take(m->taker->self, payload, size, text);
}

static int take_as(const making *m, uint32_t type, const char *text, size_t size, const place *at)
{
    fls_error err = FLS_ERROR_INIT;
    fls_json_error where;
    const void *payload;
    size_t payload_size;
    if (fls_json_parse(m->parsers[type], text, size, &payload, &payload_size, &where, &err) !=
        FLS_OK) {
        return refused(m, at, &where, &err, "");
    }
    return give(m, payload, payload_size, at);
}

/* The only type that takes the object. When none does, the one that came furthest says why. */
static int take_fitting(const making *m, const char *text, size_t size, const place *at)
{
    fls_error err = FLS_ERROR_INIT;
    fls_error nearest_err = FLS_ERROR_INIT;
    fls_json_error where;
    fls_json_error nearest_where = {0, 0, 0, NULL, ""};
    uint32_t nearest = 0;
    uint32_t fitting = FLS_SCHEMA_NONE;
    const void *payload = NULL;
    size_t payload_size = 0;
    for (uint32_t i = 0; i < m->schemas->set.count; i++) {
        const void *made;
        size_t made_size;
        if (fls_json_parse(m->parsers[i], text, size, &made, &made_size, &where, &err) != FLS_OK) {
            if (err.status != FLS_VALIDATION_FAILED || nearest_where.reason == NULL ||
                where.offset > nearest_where.offset) {
                nearest = i;
                nearest_where = where;
                nearest_err = err;
            }
            if (err.status != FLS_VALIDATION_FAILED) {
                return refused(m, at, &where, &err, "");
            }
        } else if (fitting != FLS_SCHEMA_NONE) {
            cli_complain(m->input->job, m->input->name,
                         "line %llu, column %llu: may be %s or %s; a first key \"$type\" tells",
                         (unsigned long long)at->line, (unsigned long long)at->column,
                         cli_schemas_type_name(m->schemas, fitting),
                         cli_schemas_type_name(m->schemas, i));
            return CLI_DAMAGED;
        } else {
            fitting = i;
            payload = made;
            payload_size = made_size;
        }
    }
    if (fitting == FLS_SCHEMA_NONE) {
        char of[320];
        snprintf(of, sizeof of, "in %s, which is nearest of the types",
                 cli_schemas_type_name(m->schemas, nearest));
        return refused(m, at, &nearest_where, &nearest_err, of);
    }
    return give(m, payload, payload_size, at);
}

static char *skip_space(char *next, const char *end)
{
    while (next < end && (*next == ' ' || *next == '\t' || *next == '\r' || *next == '\n')) {
        next++;
    }
    return next;
}

/* Whether the object begins with "$type": "NAME". The name's bytes, and all of it from key to
 * comma. */
static int find_type_key(char *text, size_t size, char **from, char **to, const char **name,
                         size_t *name_size)
{
    static const char key[] = "\"$type\"";
    const char *end = text + size;
    char *next = skip_space(text + 1, end);
    *from = next;
    if ((size_t)(end - next) < sizeof key || memcmp(next, key, sizeof key - 1) != 0) {
        return 0;
    }
    next = skip_space(next + sizeof key - 1, end);
    if (next == end || *next++ != ':') {
        return 0;
    }
    next = skip_space(next, end);
    if (next == end || *next++ != '"') {
        return 0;
    }
    *name = next;
    next = memchr(next, '"', (size_t)(end - next));
    if (next == NULL) {
        return 0;
    }
    *name_size = (size_t)(next - *name);
    next = skip_space(next + 1, end);
    if (next == end || (*next != ',' && *next != '}')) {
        return 0;
    }
    *to = *next == ',' ? next + 1 : next;
    return 1;
}

static int is_name(const char *full, const char *name, size_t size)
{
    size_t length = strlen(full);
    return length >= size && memcmp(full + length - size, name, size) == 0 &&
           (length == size || full[length - size - 1] == '.');
}

/* The type named; the key makes way for spaces, so that columns stay. */
static int take_named(const making *m, char *text, size_t size, const place *at, char *from,
                      const char *to, const char *name, size_t name_size)
{
    uint32_t type = FLS_SCHEMA_NONE;
    for (uint32_t i = 0; i < m->schemas->set.count && type == FLS_SCHEMA_NONE; i++) {
        if (is_name(cli_schemas_type_name(m->schemas, i), name, name_size)) {
            type = i;
        }
    }
    if (type == FLS_SCHEMA_NONE) {
        cli_complain(m->input->job, m->input->name,
                     "line %llu, column %llu: \"$type\" is '%.*s', which -s does not give",
                     (unsigned long long)at->line, (unsigned long long)at->column,
                     (int)(name_size < 200 ? name_size : 200), name);
        return CLI_DAMAGED;
    }
    for (char *next = from; next < to; next++) {
        *next = *next == '\n' ? '\n' : ' ';
    }
    return take_as(m, type, text, size, at);
}

static int take(void *self, char *text, size_t size, uint64_t line, uint64_t column)
{
    const making *m = self;
    place at = {line, column};
    char *from;
    char *to;
    const char *name;
    size_t name_size;
    if (find_type_key(text, size, &from, &to, &name, &name_size)) {
        return take_named(m, text, size, &at, from, to, name, name_size);
    }
    return m->schemas->set.count == 1 ? take_as(m, 0, text, size, &at)
                                      : take_fitting(m, text, size, &at);
}

static int pause_making(void *self)
{
    const making *m = self;
    return m->taker->pause != NULL ? m->taker->pause(m->taker->self) : CLI_DONE;
}

int cli_payloads_json(cli_input *input, const cli_schemas *schemas, const cli_json_options *options,
                      const cli_payload_taker *taker)
{
    making m = {.input = input, .schemas = schemas, .taker = taker};
    cli_json_taker objects = {take, &m, pause_making};
    int code = open_parsers(&m, options);
    if (code == CLI_DONE) {
        code = cli_json_objects(input, options->lenient, &objects);
    }
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        fls_json_parser_free(m.parsers[i]);
    }
    return code;
}
