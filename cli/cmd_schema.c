/* flatstream schema: what a schema says, and whether one can take the place of another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "schema_journal.h"
#include "schema_listing.h"
#include "schemas.h"

enum { ID_CHECK = CLI_ID_FIRST, ID_READERS };

static const char *const synopsis[] = {
    "[-r TYPE] [--json] FILE|JOURNAL",
    "[--check] [-r TYPE] [--readers old|new|both] [--json] OLD NEW", NULL};
static const char *const description[] = {
    "Shows a schema, FILE.bfbs or FILE.fbs, as it is understood: its root type, file identifier "
    "and "
    "hash; tables with the ids, types, defaults and flags of their fields; structs with offsets; "
    "unions and enums. The schemas may be given with -s as well. -r TYPE shows only that table or "
    "struct and what it is made of.",
    "With two schemas, it tells what becomes of messages when NEW takes the place of OLD: each "
    "difference, and what it means to old readers (programs with OLD that get messages of NEW) and "
    "to new readers (programs with NEW that get messages of OLD). fine: everything reads as it was "
    "written; unseen: something is not seen, or is a number without a name; changed: something may "
    "read as another value than was written; broken: messages may be refused, or bytes be taken "
    "for what they are not. Schemas are compatible when nothing is changed or broken.",
    "A journal can stand for a schema: shown are all those that its messages were written with, "
    "and "
    "which messages have which; compared is the one that it goes on with.",
    "The hash is of what bears on messages, and of names: comments, file names and the order of "
    "declarations do not change it.",
    NULL};
static const cli_option option_table[] = {
    {ID_CHECK, "check", NULL, "Compare two schemas, which two operands mean anyway."},
    {ID_READERS, "readers", "WHOSE",
     "Whom the exit code is about: old readers, new readers, or both (the default)."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file, root, identifier, hash", "Of one schema: its file, root type (or null), file "
                                     "identifier (or null), hash (hexadecimal)."},
    {"tables, structs",
     "Lists of name and fields, of structs bytes and alignment too. A field has name, type, id (in "
     "a struct offset), default, and those of required, optional, key, deprecated, flexbuffer that "
     "are true; nested names the root type of a nested buffer."},
    {"unions, enums", "Lists of name, type, and values with name and value, in a union type."},
    {"uses, schemas", "Of a journal instead: a list of first_ordinal, end_ordinal (messages first "
                      "<= n < end), type, "
                      "identifier, schema_hash (null: no schema), and a list of such schemas."},
    {"old, new", "Of two schemas: their files."},
    {"findings",
     "A list of change (such as field_added), where, detail, old_readers, new_readers, why."},
    {"old_readers, new_readers", "The worst of them: fine, unseen, changed or broken."},
    {"ok", "Whether the schema could be read; of two, whether they are compatible."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Shown; of two schemas: compatible."},
    {"1", "A file is no sound schema; of two schemas: not compatible."},
    {"2", "Wrong usage."},
    {"3", "A file cannot be read, or flatc is not there."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream schema telemetry.fbs", "What is in a schema:"},
    {"flatstream schema --check released.bfbs telemetry.fbs",
     "May this schema be released, or would it break what runs?"},
    {"flatstream schema flight42", "What were the messages of a journal written with?"},
    {NULL, NULL}};

typedef enum readers { BOTH_READERS, OLD_READERS, NEW_READERS } readers;

typedef struct showing {
    cli_job *job;
    int compare;
    readers readers;
    const char *files[2];
    size_t file_count;
    char *own_files[2]; /* of journals: the schema's file, and the name of its root */
    char *own_roots[2];
    fls_schema *schemas[2];
    uint32_t roots[2];
    cli_out out;
    cli_json json;
} showing;

static int show_one(showing *s)
{
    cli_schema_view view;
    if (!cli_schema_view_init(&view, s->schemas[0], s->files[0], s->roots[0])) {
        return cli_complain_errno(s->job, NULL, NULL, ENOMEM);
    }
    if (s->job->common.json) {
        cli_schema_put_json(&s->out, &view);
    } else {
        cli_schema_print(&s->out, &view);
    }
    cli_schema_view_free(&view);
    return CLI_DONE;
}

static int tell_finding(void *self, const fls_compat_finding *finding)
{
    showing *s = self;
    const char *where = finding->where[0] != '\0' ? finding->where : "the schema";
    const char *old_effect = fls_compat_effect_name(finding->old_readers);
    const char *new_effect = fls_compat_effect_name(finding->new_readers);
    if (s->job->common.json) {
        cli_json_open_object(&s->json, NULL);
        cli_json_text(&s->json, "change", fls_compat_change_name(finding->change));
        cli_json_text(&s->json, "where", finding->where);
        cli_json_text(&s->json, "detail", finding->detail);
        cli_json_text(&s->json, "old_readers", old_effect);
        cli_json_text(&s->json, "new_readers", new_effect);
        cli_json_text(&s->json, "why", finding->why);
        cli_json_close_object(&s->json);
    } else if (!s->job->common.quiet) {
        cli_out_format(&s->out, "%s: %s%s%s\n    old readers: %-8s new readers: %s\n    %s\n",
                       where, fls_compat_change_text(finding->change),
                       finding->detail[0] != '\0' ? ": " : "", finding->detail, old_effect,
                       new_effect, finding->why);
    }
    return s->out.status != FLS_OK;
}

static const char *meaning(fls_compat_effect effect)
{
    switch (effect) {
    case FLS_COMPAT_FINE: return "read everything as it was written";
    case FLS_COMPAT_UNSEEN: return "read it, but do not see everything";
    case FLS_COMPAT_CHANGED: return "may read other values than were written";
    default: return "may refuse messages, or take bytes for what they are not";
    }
}

static int is_compatible(const showing *s, const fls_compat_result *result)
{
    int old_fit = s->readers == NEW_READERS || result->old_readers <= FLS_COMPAT_UNSEEN;
    int new_fit = s->readers == OLD_READERS || result->new_readers <= FLS_COMPAT_UNSEEN;
    return old_fit && new_fit;
}

static void conclude(showing *s, const fls_compat_result *result)
{
    int fit = is_compatible(s, result);
    if (s->job->common.json) {
        cli_json_close_list(&s->json);
        cli_json_text(&s->json, "old_readers", fls_compat_effect_name(result->old_readers));
        cli_json_text(&s->json, "new_readers", fls_compat_effect_name(result->new_readers));
        cli_json_bool(&s->json, "ok", fit);
        cli_json_end(&s->json);
    } else if (!s->job->common.quiet) {
        cli_out_format(&s->out, "%sold readers, given new messages: %s\n",
                       result->findings > 0 ? "\n" : "no differences\n",
                       meaning(result->old_readers));
        cli_out_format(&s->out, "new readers, given old messages: %s\n",
                       meaning(result->new_readers));
        cli_out_format(&s->out, "%s\n", fit ? "compatible" : "not compatible");
    }
}

static int compare(showing *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_compat_result result = {FLS_COMPAT_FINE, FLS_COMPAT_FINE, 0};
    if (s->job->common.json) {
        cli_json_begin(&s->json, &s->out);
        cli_json_text(&s->json, "old", s->files[0]);
        cli_json_text(&s->json, "new", s->files[1]);
        cli_json_open_list(&s->json, "findings");
    }
    fls_status status = fls_schema_compare(s->schemas[0], s->roots[0], s->schemas[1], s->roots[1],
                                           tell_finding, s, &result, NULL, &err);
    if (status == FLS_STOPPED) {
        return CLI_DONE;
    }
    if (status != FLS_OK) {
        return cli_complain_error(s->job, s->files[1], &err);
    }
    conclude(s, &result);
    return is_compatible(s, &result) ? CLI_DONE : CLI_DAMAGED;
}

/* -r TYPE is a table of each, or to show one a struct too; without, a comparison needs the schemas'
 * own. */
static int find_root(showing *s, size_t which, const char *root)
{
    s->roots[which] = FLS_SCHEMA_NONE;
    if (root != NULL) {
        s->roots[which] = fls_schema_find_object(s->schemas[which], root);
        if (s->roots[which] != FLS_SCHEMA_NONE && !s->compare) {
            return CLI_DONE;
        }
        return cli_schema_find_table(s->job, s->schemas[which], s->files[which], root,
                                     &s->roots[which]);
    }
    if (s->compare && fls_schema_root(s->schemas[which]) == FLS_SCHEMA_NONE) {
        return cli_usage(s->job, "%s names no root type; which one? -r TYPE", s->files[which]);
    }
    return CLI_DONE;
}

static int is_directory(const char *path)
{
    struct stat info;
    return path != NULL && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int show(showing *s, const char *root)
{
    int code = CLI_DONE;
    for (size_t i = 0; code == CLI_DONE && i < s->file_count; i++) {
        if (is_directory(s->files[i])) {
            code =
                cli_schema_newest_of(s->job, s->files[i], root, &s->own_files[i], &s->own_roots[i]);
            s->files[i] = code == CLI_DONE ? s->own_files[i] : s->files[i];
        }
        if (code == CLI_DONE) {
            code = cli_schema_load(&s->schemas[i], s->job, s->files[i]);
        }
        if (code == CLI_DONE) {
            code = find_root(s, i, s->own_roots[i] != NULL ? s->own_roots[i] : root);
        }
    }
    if (code == CLI_DONE) {
        code = cli_out_open(&s->out, s->job, NULL, NULL);
        if (code == CLI_DONE) {
            code = cli_out_end(&s->out, s->compare ? compare(s) : show_one(s));
        }
    }
    for (size_t i = 0; i < 2; i++) {
        fls_schema_free(s->schemas[i]);
        free(s->own_files[i]);
        free(s->own_roots[i]);
    }
    return code;
}

static int add_file(showing *s, const char *path)
{
    if (s->file_count == 2) {
        return cli_usage(s->job, "one schema to show, or two to compare");
    }
    s->files[s->file_count++] = path;
    return CLI_DONE;
}

/* The files of -s and those that are operands; the one -r there may be. */
static int gather(showing *s, const char **root)
{
    const cli_common *common = &s->job->common;
    int code = CLI_DONE;
    *root = NULL;
    for (uint32_t i = 0; code == CLI_DONE && i < common->type_count; i++) {
        const cli_given_type *given = &common->types[i];
        if (given->root != NULL && *root != NULL) {
            return cli_usage(s->job, "one -r at a time");
        }
        *root = given->root != NULL ? given->root : *root;
        code = given->schema != NULL ? add_file(s, given->schema) : CLI_DONE;
    }
    for (int i = 0; code == CLI_DONE && i < s->job->operand_count; i++) {
        code = add_file(s, s->job->operands[i]);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (s->file_count == 0 || (s->compare && s->file_count == 1)) {
        return cli_usage(s->job, s->compare ? "which schemas? OLD and NEW" : "which schema? FILE");
    }
    s->compare = s->file_count == 2;
    return CLI_DONE;
}

static int parse_readers(showing *s, const char *name)
{
    static const char *const names[] = {"both", "old", "new"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            s->readers = (readers)i;
            return CLI_DONE;
        }
    }
    return cli_usage(s->job, "'%s' are no readers: old, new or both", name);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *root;
    showing s = {.job = job};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (id == ID_CHECK) {
            s.compare = 1;
        } else if (parse_readers(&s, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = gather(&s, &root);
    if (code == CLI_DONE && !s.compare && is_directory(s.files[0])) {
        return cli_schema_show_journal(job, s.files[0], root);
    }
    return code == CLI_DONE ? show(&s, root) : code;
}

const cli_command cli_cmd_schema = {"schema",
                                    "show a schema; check two for compatible evolution",
                                    synopsis,
                                    description,
                                    CLI_TAKES_SCHEMA | CLI_TAKES_JSON,
                                    option_table,
                                    keys,
                                    exits,
                                    examples,
                                    run};
