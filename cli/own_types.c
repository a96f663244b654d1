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
    uint64_t end;     /* one more than the newest message */
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

/* Where in the set a type is that a reader has; FLS_SCHEMA_NONE: not there. */
static uint32_t find_type(const cli_schemas *schemas, const fls_message_type *type)
{
    for (uint32_t i = 0; i < schemas->set.count; i++) {
        const fls_message_type *known = &schemas->set.types[i];
        if (memcmp(known->identifier, type->identifier, 4) == 0 && known->root == type->root &&
            fls_schema_hash(known->schema) == fls_schema_hash(type->schema)) {
            return i;
        }
    }
    return FLS_SCHEMA_NONE;
}

/* Loads the schema of a type as the reader has it, which is the reader's alone. Returns it, or NULL
 * after a message. */
static const fls_schema *load_schema(cli_schemas *schemas, cli_job *job,
                                     const fls_message_type *type, const char *file)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t hash = fls_schema_hash(type->schema);
    for (uint32_t i = 0; i < schemas->loaded_count; i++) {
        if (fls_schema_hash(schemas->loaded[i]) == hash) {
            return schemas->loaded[i];
        }
    }
    if (fls_schema_new_file(&schemas->loaded[schemas->loaded_count], file, NULL, NULL, &err) !=
        FLS_OK) {
        (void)cli_complain_error(job, file, &err);
        return NULL;
    }
    return schemas->loaded[schemas->loaded_count++];
}

static int add_type(cli_schemas *schemas, cli_job *job, const char *path,
                    const fls_message_type *type)
{
    char file[PATH_MAX];
    uint32_t at = schemas->set.count;
    if (at == FLS_SCHEMA_SET_MOST) {
        if (!schemas->is_full) {
            cli_complain(job, path,
                         "has had more than %u types of messages; those of the others are not "
                         "known here (-s names a schema)",
                         FLS_SCHEMA_SET_MOST);
        }
        schemas->is_full = 1;
        return CLI_DONE;
    }
    snprintf(file, sizeof file, "%s/schemas/%016llx.bfbs", path,
             (unsigned long long)fls_schema_hash(type->schema));
    const fls_schema *schema = load_schema(schemas, job, type, file);
    if (schema == NULL) {
        return CLI_DAMAGED;
    }
    schemas->paths[at] = schemas->own_paths[at] = strdup(file);
    if (schemas->paths[at] == NULL) {
        return cli_complain_errno(job, NULL, NULL, ENOMEM);
    }
    schemas->set.types[at] = *type;
    schemas->set.types[at].schema = schema;
    schemas->set.count++;
    return CLI_DONE;
}

/* Of which types a set is, in a number. */
static uint64_t signature_of(const fls_schema_set *set)
{
    uint64_t signature = set->count;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t identifier;
        memcpy(&identifier, set->types[i].identifier, sizeof identifier);
        uint64_t type = (uint64_t)identifier << 32 | set->types[i].root;
        signature =
            (signature ^ fls_schema_hash(set->types[i].schema)) * UINT64_C(0x9e3779b97f4a7c15);
        signature = (signature ^ signature >> 29 ^ type) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return signature;
}

int cli_own_types_enter(cli_schemas *schemas, cli_job *job, const char *path,
                        const fls_journal_reader *reader)
{
    const fls_schema_set *set = fls_journal_reader_types(reader);
    uint64_t signature = signature_of(set);
    int code = CLI_DONE;
    if (schemas->signature == signature) {
        return CLI_DONE;
    }
    schemas->signature = signature;
    schemas->here.count = 0;
    for (uint32_t i = 0; i < set->count && code == CLI_DONE; i++) {
        uint32_t at = find_type(schemas, &set->types[i]);
        if (at == FLS_SCHEMA_NONE) {
            at = schemas->set.count;
            code = add_type(schemas, job, path, &set->types[i]);
        }
        if (code == CLI_DONE && at < schemas->set.count) {
            schemas->places[schemas->here.count] = at;
            schemas->here.types[schemas->here.count++] = schemas->set.types[at];
        }
    }
    return code;
}

/* The types that the message at an ordinal has. */
static int enter_at(collection *c, uint64_t ordinal)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status = fls_journal_reader_seek_ordinal(c->reader, ordinal, &err);
    if (status != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    status = fls_journal_reader_next(c->reader, &message, &err);
    (void)status; /* what is damaged is told by who reads */
    return cli_own_types_enter(c->schemas, c->job, c->path, c->reader);
}

static int list_segments(collection *c)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    if (fls_journal_inspect(c->path, &info, note_segment, c, &err) != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    c->end = info.end_ordinal;
    return CLI_DONE;
}

static int begin(collection *c)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    int code = cli_journal_require(c->job, c->path);
    if (code != CLI_DONE) {
        return code;
    }
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.step_over = 1;
    options.without_times = 1;
    if (fls_journal_reader_open(&c->reader, c->path, &options, &err) != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    return CLI_DONE;
}

static int end(collection *c, int code)
{
    fls_journal_reader_close(c->reader);
    free(c->firsts);
    return code;
}

int cli_own_types_load(cli_schemas *schemas, cli_job *job, const char *path, int newest_only)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    collection c = {.schemas = schemas, .job = job, .path = path};
    int code = begin(&c);
    if (code == CLI_DONE && fls_journal_reader_seek_end(c.reader, 1, &err) != FLS_OK) {
        code = cli_journal_complain(job, path, &err);
    }
    if (code == CLI_DONE) {
        fls_status status = fls_journal_reader_next(c.reader, &message, &err);
        (void)status;
        code = cli_own_types_enter(schemas, job, path, c.reader);
    }
    if (code == CLI_DONE && !newest_only && count_schemas(path) > schemas->loaded_count) {
        code = list_segments(&c);
        for (size_t i = c.count; i-- > 0 && code == CLI_DONE;) {
            code = enter_at(&c, c.firsts[i]);
        }
    }
    schemas->here.count = 0;
    schemas->signature = 0;
    return end(&c, code);
}

int cli_own_types_each(cli_schemas *schemas, cli_job *job, const char *path,
                       void (*use)(void *self, const cli_schemas *schemas, uint64_t first,
                                   uint64_t end),
                       void *self)
{
    collection c = {.schemas = schemas, .job = job, .path = path};
    uint64_t first = 0;
    int code = begin(&c);
    if (code == CLI_DONE) {
        code = list_segments(&c);
    }
    for (size_t i = 0; i < c.count && code == CLI_DONE; i++) {
        const cli_schemas before = *schemas;
        code = enter_at(&c, c.firsts[i]);
        if (i > 0 && before.signature != schemas->signature) {
            use(self, &before, first, c.firsts[i]);
        }
        first = i == 0 || before.signature != schemas->signature ? c.firsts[i] : first;
    }
    if (code == CLI_DONE && c.count > 0) {
        use(self, schemas, first, c.end);
    }
    return end(&c, code);
}
