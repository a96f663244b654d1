/* A journal's own types: each segment names those that it uses, and DIR/schemas has the schemas. */
#include "own_types.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "journal_input.h"

typedef struct collection {
    cli_schemas *schemas;
    cli_job *job;
    const char *path;
    fls_journal_reader *reader;
    uint64_t *firsts; /* first ordinals of the segments, oldest first */
    size_t count;
    size_t capacity;
} collection;

static fls_status note_segment(void *self, const fls_journal_segment *segment)
{
    collection *c = self;
    if (c->count == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : 2 * c->capacity;
        uint64_t *firsts = realloc(c->firsts, capacity * sizeof *firsts);
        if (firsts == NULL) {
            return FLS_NO_MEMORY;
        }
        c->firsts = firsts;
        c->capacity = capacity;
    }
    c->firsts[c->count++] = segment->first_ordinal;
    return FLS_OK;
}

/* How many schemas the journal has. */
static size_t count_schemas(const char *path)
{
    char folder[PATH_MAX];
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/schemas", path);
    DIR *directory = opendir(folder);
    if (directory != NULL) {
        for (const struct dirent *entry = readdir(directory); entry != NULL;
             entry = readdir(directory)) {
            count += entry->d_name[0] != '.';
        }
        (void)closedir(directory);
    }
    return count;
}

static const char *root_name(const fls_message_type *type)
{
    fls_schema_object object;
    fls_schema_get_object(type->schema, type->root, &object);
    return object.name;
}

static int is_known(const cli_schemas *schemas, const fls_message_type *type)
{
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        if (memcmp(schemas->set.types[i].identifier, type->identifier, 4) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Loads the schema of a type as the reader has it. Returns it, or NULL after a message. */
static const fls_schema *load_schema(collection *c, const fls_message_type *type,
                                     char file[PATH_MAX])
{
    fls_error err = FLS_ERROR_INIT;
    cli_schemas *schemas = c->schemas;
    uint64_t hash = fls_schema_hash(type->schema);
    snprintf(file, PATH_MAX, "%s/schemas/%016llx.bfbs", c->path, (unsigned long long)hash);
    for (uint32_t i = 0; i < schemas->loaded_count; i++) {
        if (fls_schema_hash(schemas->loaded[i]) == hash) {
            return schemas->loaded[i];
        }
    }
    if (fls_schema_new_file(&schemas->loaded[schemas->loaded_count], file, NULL, NULL, &err) !=
        FLS_OK) {
        (void)cli_complain_error(c->job, file, &err);
        return NULL;
    }
    return schemas->loaded[schemas->loaded_count++];
}

static int add_type(collection *c, const fls_message_type *type)
{
    fls_error err = FLS_ERROR_INIT;
    cli_schemas *schemas = c->schemas;
    char identifier[5] = "";
    memcpy(identifier, type->identifier, 4);
    char file[PATH_MAX];
    const fls_schema *schema = load_schema(c, type, file);
    if (schema == NULL) {
        return CLI_DAMAGED;
    }
    uint32_t at = schemas->set.count;
    schemas->paths[at] = schemas->own_paths[at] = strdup(file);
    if (schemas->paths[at] == NULL) {
        return cli_complain_errno(c->job, NULL, NULL, ENOMEM);
    }
    int is_root = fls_schema_root(schema) == type->root && type->identifier[0] == '\0';
    if (fls_schema_set_add(&schemas->set, schema, is_root ? NULL : root_name(type),
                           identifier[0] != '\0' ? identifier : NULL, &err) != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    return CLI_DONE;
}

/* The types that the message at the reader's place has. */
static int add_here(collection *c)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    int code = CLI_DONE;
    if (fls_journal_reader_next(c->reader, &message, &err) != FLS_OK) {
        err.status = FLS_OK; /* what is damaged is told by who reads */
    }
    const fls_schema_set *set = fls_journal_reader_types(c->reader);
    for (uint32_t i = 0; set != NULL && i < set->count && code == CLI_DONE; i++) {
        if (c->schemas->set.count < FLS_SCHEMA_SET_MOST && !is_known(c->schemas, &set->types[i])) {
            code = add_type(c, &set->types[i]);
        }
    }
    return code;
}

static int collect(collection *c)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    fls_status status = fls_journal_reader_seek_end(c->reader, 1, &err);
    int code = status == FLS_OK ? add_here(c) : cli_journal_complain(c->job, c->path, &err);
    if (code != CLI_DONE || count_schemas(c->path) <= c->schemas->loaded_count) {
        return code;
    }
    status = fls_journal_inspect(c->path, &info, note_segment, c, &err);
    if (status != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    for (size_t i = c->count; i-- > 0 && code == CLI_DONE;) {
        status = fls_journal_reader_seek_ordinal(c->reader, c->firsts[i], &err);
        code = status == FLS_OK ? add_here(c) : cli_journal_complain(c->job, c->path, &err);
    }
    return code;
}

int cli_journal_types_load(cli_schemas *schemas, cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    collection c = {.schemas = schemas, .job = job, .path = path};
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.step_over = 1;
    options.without_times = 1;
    if (fls_journal_reader_open(&c.reader, path, &options, &err) != FLS_OK) {
        return cli_journal_complain(job, path, &err);
    }
    code = collect(&c);
    fls_journal_reader_close(c.reader);
    free(c.firsts);
    return code;
}
