/* -s and -r: from the command line to a set of types. */
#include "schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "complain.h"
#include "own_types.h"

enum { MOST_NAMES = 256, MOST_LISTED = 12 };

/* -r belongs to the -s before it, and where there is none yet to the first that comes. */
int cli_schemas_take(cli_job *job, int id, const char *argument)
{
    cli_common *common = &job->common;
    cli_given_type *last = common->type_count > 0 ? &common->types[common->type_count - 1] : NULL;
    if (id == 's' && last != NULL && last->schema == NULL) {
        for (uint32_t i = 0; i < common->type_count; i++) {
            common->types[i].schema = argument;
        }
        return CLI_DONE;
    }
    if (id == 'r' && last != NULL && last->schema != NULL && last->root == NULL) {
        last->root = argument;
        return CLI_DONE;
    }
    if (common->type_count == FLS_SCHEMA_SET_MOST) {
        return cli_usage(job, "more than %u types", FLS_SCHEMA_SET_MOST);
    }
    common->types[common->type_count++] =
        id == 's' ? (cli_given_type){argument, NULL}
                  : (cli_given_type){last != NULL ? last->schema : NULL, argument};
    return CLI_DONE;
}

int cli_schema_load(fls_schema **schema, cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    if (fls_schema_new_file(schema, path, job->common.include_directories, NULL, &err) == FLS_OK) {
        return CLI_DONE;
    }
    if (err.system_errno != 0) {
        return cli_complain_errno(job, path, NULL, err.system_errno);
    }
    int code = cli_complain_error(job, path, &err);
    if (err.status == FLS_UNSUPPORTED) {
        /* What a schema uses, or, when no schema came to be read, flatc that is not there. */
        code = err.name[0] != '\0' ? CLI_DAMAGED : CLI_SYSTEM;
    }
    return code;
}

int cli_is_schema(const cli_job *job, const struct stat *file)
{
    struct stat info;
    for (uint32_t i = 0; i < job->common.type_count; i++) {
        const char *path = job->common.types[i].schema;
        if (path != NULL && stat(path, &info) == 0 && info.st_dev == file->st_dev &&
            info.st_ino == file->st_ino) {
            return 1;
        }
    }
    return 0;
}

/* The name behind the last dot. */
static const char *short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/* Names of tables, with their namespace. Returns how many; none beyond most. */
static size_t table_names(const fls_schema *schema, const char **names, size_t most)
{
    size_t count = 0;
    for (uint32_t i = 0; i < fls_schema_object_count(schema) && count < most; i++) {
        fls_schema_object object;
        fls_schema_get_object(schema, i, &object);
        if (!object.is_struct) {
            names[count++] = object.name;
        }
    }
    return count;
}

/* "A, B and 3 more" */
static void list_names(const char **names, size_t count, char *buffer, size_t capacity)
{
    size_t used = 0;
    size_t listed = count > MOST_LISTED ? MOST_LISTED : count;
    buffer[0] = '\0';
    for (size_t i = 0; i < listed && used < capacity; i++) {
        used +=
            (size_t)snprintf(buffer + used, capacity - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    if (listed < count && used < capacity) {
        snprintf(buffer + used, capacity - used, " and %zu more", count - listed);
    }
}

static int unknown_table(cli_job *job, const fls_schema *schema, const char *path, const char *name)
{
    const char *names[MOST_NAMES];
    const char *shorts[MOST_NAMES];
    char list[800];
    size_t count = table_names(schema, names, MOST_NAMES);
    for (size_t i = 0; i < count; i++) {
        shorts[i] = short_name(names[i]);
        if (strcmp(shorts[i], name) == 0) { /* or it would have been found */
            return cli_usage(job,
                             "%s: there is more than one '%s': give it with its namespace, "
                             "such as %s",
                             path, name, names[i]);
        }
    }
    const char *nearest = cli_nearest(name, names, count);
    if (nearest == NULL) {
        nearest = cli_nearest(short_name(name), shorts, count);
    }
    if (nearest != NULL) {
        return cli_usage(job, "%s: there is no table '%s'; did you mean '%s'?", path, name,
                         nearest);
    }
    list_names(names, count, list, sizeof list);
    return cli_usage(job, "%s: there is no table '%s'; there are: %s", path, name, list);
}

int cli_schema_find_table(cli_job *job, const fls_schema *schema, const char *path,
                          const char *name, uint32_t *table)
{
    *table = fls_schema_find_object(schema, name);
    if (*table == FLS_SCHEMA_NONE) {
        return unknown_table(job, schema, path, name);
    }
    fls_schema_object object;
    fls_schema_get_object(schema, *table, &object);
    if (object.is_struct) {
        return cli_usage(job, "%s: %s is a struct; a message is a table", path, object.name);
    }
    return CLI_DONE;
}

static int no_root(cli_job *job, const fls_schema *schema, const char *path)
{
    const char *names[MOST_NAMES];
    char list[800];
    size_t count = table_names(schema, names, MOST_NAMES);
    if (count == 0) {
        cli_complain(job, path, "there is no table in this schema");
        return CLI_DAMAGED;
    }
    list_names(names, count, list, sizeof list);
    return cli_usage(job, "%s names no root type; which one? -r TYPE, of: %s", path, list);
}

/* TYPE or TYPE:IDENTIFIER into its two parts; *identifier NULL where there is none. */
static int split_root(cli_job *job, const char *given, char *root, size_t capacity,
                      const char **identifier)
{
    const char *colon = strchr(given, ':');
    size_t length = colon != NULL ? (size_t)(colon - given) : strlen(given);
    *identifier = colon != NULL ? colon + 1 : NULL;
    if (length == 0 || length >= capacity) {
        return cli_usage(job, "'%s' is not the name of a table", given);
    }
    if (colon != NULL && strlen(colon + 1) != 4) {
        return cli_usage(job, "'%s' is not a file identifier, which has 4 bytes", colon + 1);
    }
    memcpy(root, given, length);
    root[length] = '\0';
    return CLI_DONE;
}

static int add_type(cli_schemas *schemas, cli_job *job, const cli_given_type *given,
                    const fls_schema *schema)
{
    fls_error err = FLS_ERROR_INIT;
    char root[512];
    const char *identifier = NULL;
    uint32_t table = fls_schema_root(schema);
    int code = CLI_DONE;
    if (given->root != NULL) {
        code = split_root(job, given->root, root, sizeof root, &identifier);
        if (code == CLI_DONE) {
            code = cli_schema_find_table(job, schema, given->schema, root, &table);
        }
    } else if (table == FLS_SCHEMA_NONE) {
        code = no_root(job, schema, given->schema);
    }
    if (code != CLI_DONE) {
        return code;
    }
    fls_schema_object object;
    fls_schema_get_object(schema, table, &object);
    schemas->paths[schemas->set.count] = given->schema;
    const char *name = table == fls_schema_root(schema) ? NULL : object.name;
    if (fls_schema_set_add(&schemas->set, schema, name, identifier, &err) != FLS_OK) {
        return cli_usage(job, "%s: %s: %s; -r TYPE:IDENTIFIER can tell types apart", given->schema,
                         object.name, err.text);
    }
    return CLI_DONE;
}

int cli_schemas_open_given(cli_schemas *schemas, cli_job *job)
{
    const cli_common *common = &job->common;
    int code = CLI_DONE;
    memset(schemas, 0, sizeof *schemas);
    schemas->check.types = &schemas->set;
    schemas->check.options = (fls_verify_options)FLS_VERIFY_OPTIONS_INIT;
    if (common->type_count > 0 && common->types[0].schema == NULL) {
        return cli_usage(job, "-r %s of what? -s SCHEMA", common->types[0].root);
    }
    for (uint32_t i = 0; code == CLI_DONE && i < common->type_count; i++) {
        const cli_given_type *given = &common->types[i];
        /* Several roots of one -s share what was loaded. */
        if (i == 0 || given->schema != common->types[i - 1].schema) {
            code = cli_schema_load(&schemas->loaded[schemas->loaded_count], job, given->schema);
            schemas->loaded_count += code == CLI_DONE;
        }
        if (code == CLI_DONE) {
            code = add_type(schemas, job, given, schemas->loaded[schemas->loaded_count - 1]);
        }
    }
    if (code != CLI_DONE) {
        cli_schemas_close(schemas);
    }
    return code;
}

static int open_all(cli_schemas *schemas, cli_job *job, int newest_only)
{
    int code = cli_schemas_open_given(schemas, job);
    if (code == CLI_DONE && job->common.type_count == 0 && job->journal != NULL) {
        code = cli_own_types_load(schemas, job, job->journal, newest_only);
        if (code == CLI_DONE && newest_only && schemas->set.count == 0) {
            code = cli_own_types_load(schemas, job, job->journal, 0);
        }
        if (code != CLI_DONE) {
            cli_schemas_close(schemas);
        } else {
            job->own_types = schemas;
        }
    }
    return code;
}

int cli_schemas_open(cli_schemas *schemas, cli_job *job)
{
    return open_all(schemas, job, 1);
}

static int require(cli_schemas *schemas, cli_job *job, const char *what, int newest_only)
{
    if (job->common.type_count == 0 && job->journal == NULL) {
        memset(schemas, 0, sizeof *schemas);
        return cli_usage(job, "%s needs a schema: -s FILE.bfbs or FILE.fbs", what);
    }
    int code = open_all(schemas, job, newest_only);
    if (code == CLI_DONE && schemas->set.count == 0) {
        return cli_usage(job,
                         "%s needs a schema, and the journal has none: -s FILE.bfbs or "
                         "FILE.fbs",
                         what);
    }
    return code;
}

int cli_schemas_require(cli_schemas *schemas, cli_job *job, const char *what)
{
    return require(schemas, job, what, 0);
}

int cli_schemas_require_any(cli_schemas *schemas, cli_job *job, const char *what)
{
    return require(schemas, job, what, 1);
}

void cli_schemas_close(cli_schemas *schemas)
{
    for (uint32_t i = 0; i < schemas->loaded_count; i++) {
        fls_schema_free(schemas->loaded[i]);
    }
    for (uint32_t i = 0; i < FLS_SCHEMA_SET_MOST; i++) {
        free(schemas->own_paths[i]);
    }
    memset(schemas, 0, sizeof *schemas);
}

const char *cli_schemas_type_name(const cli_schemas *schemas, uint32_t type)
{
    fls_schema_object object;
    if (type == FLS_SCHEMA_NONE) {
        return "-";
    }
    fls_schema_get_object(schemas->set.types[type].schema, schemas->set.types[type].root, &object);
    return object.name;
}

uint32_t cli_schemas_select(const cli_schemas *schemas, const void *payload, size_t size)
{
    if (schemas->here.count == 0) {
        return fls_schema_set_select(&schemas->set, payload, size);
    }
    uint32_t at = fls_schema_set_select(&schemas->here, payload, size);
    return at != FLS_SCHEMA_NONE ? schemas->places[at] : FLS_SCHEMA_NONE;
}

fls_status cli_schemas_check(const cli_schemas *schemas, const fls_message *message, uint32_t *type,
                             fls_error *err)
{
    fls_violation violation;
    fls_status status;
    *type = cli_schemas_select(schemas, message->payload, message->size);
    if (*type == FLS_SCHEMA_NONE) {
        memset(&violation, 0, sizeof violation);
        uint32_t count = schemas->here.count > 0 ? schemas->here.count : schemas->set.count;
        violation.rule = count == 1 ? FLS_RULE_IDENTIFIER : FLS_RULE_NO_TYPE;
        violation.offset = message->size < 8 ? 0 : 4;
        status = FLS_VALIDATION_FAILED;
    } else {
        const fls_message_type *known = &schemas->set.types[*type];
        status = fls_verify(known->schema, known->root, message->payload, message->size,
                            &schemas->check.options, &violation);
    }
    if (status != FLS_OK) {
        status = fls_violation_to_error(&violation, err);
        err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        err->offset = message->offset;
        err->ordinal = message->ordinal;
        snprintf(err->name, sizeof err->name, "%s", "schema");
    }
    return status;
}

fls_validator cli_schemas_validator(const cli_schemas *schemas)
{
    return fls_validator_schema(&schemas->check);
}
