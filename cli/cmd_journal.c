/* flatstream journal: looking after journals. Each of its parts is a command of its own. */
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "journal_faults.h"
#include "journal_options.h"
#include "journal_upkeep.h"

enum { ID_BEFORE = CLI_ID_FIRST, ID_FORCE, ID_DRY_RUN, ID_LAG, ID_LEVEL, ID_SET, ID_REMOVE };

static const char *const plain_synopsis[] = {"[--json] DIRECTORY", NULL};

/* The options, with what takes them off the command line. */
typedef struct upkeep {
    cli_job *job;
    fls_prune_options prune;
    int has_limit; /* what to prune by was given */
    uint64_t level;
    const char *set;
    const char *remove;
} upkeep;

static int take_option(upkeep *u, int id, const char *argument)
{
    cli_job *job = u->job;
    switch (id) {
    case ID_BEFORE:
        u->has_limit = 1;
        return cli_parse_count(argument, &u->prune.before_ordinal) && u->prune.before_ordinal > 0
                   ? CLI_DONE
                   : cli_usage(job, "'%s' is not an ordinal from 1 on", argument);
    case ID_FORCE: u->prune.force = 1; return CLI_DONE;
    case ID_DRY_RUN: u->prune.dry_run = 1; return CLI_DONE;
    case ID_LAG:
        return cli_parse_count(argument, &u->prune.cursor_lag_messages) &&
                       u->prune.cursor_lag_messages > 0
                   ? CLI_DONE
                   : cli_usage(job, "'%s' is not a number of messages from 1 on", argument);
    case ID_LEVEL:
        return cli_parse_count(argument, &u->level) && u->level >= 1 && u->level <= 19
                   ? CLI_DONE
                   : cli_usage(job, "'%s' is not a level from 1 to 19", argument);
    case ID_SET: u->set = argument; return CLI_DONE;
    case ID_REMOVE: u->remove = argument; return CLI_DONE;
    default: u->has_limit = 1; return cli_prune_option(job, &u->prune, id, argument);
    }
}

/* The options and the one DIRECTORY that every part takes. CLI_DONE: *path is set; else, and where
 * help was asked for, *path is NULL and the answer the exit code. */
static int begin(upkeep *u, cli_job *job, int argc, char **argv, const char **path)
{
    const char *argument;
    int id;
    *path = NULL;
    *u = (upkeep){.job = job, .prune = {.struct_bytes = sizeof u->prune}};
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(u, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count != 1) {
        return cli_usage(job, "of one DIRECTORY, not %d", job->operand_count);
    }
    *path = job->operands[0];
    return CLI_DONE;
}

/* ---- info ---- */

static const char *const info_description[] = {
    "Tells what a journal is, with a line for each segment, without reading its messages. Works "
    "beside a writer.",
    NULL};
static const cli_pair info_keys[] = {
    {"file", "The DIRECTORY as given."},
    {"segment_list",
     "A list of name, first_ordinal, end_ordinal (null: not known), bytes, stored_bytes, "
     "marks_bytes, first_time_ns, last_time_ns, epoch, sealed, compressed, estimated_times."},
    {"checksum, id, epoch and so on", "The keys of the whole: as in 'flatstream info'."},
    {"ok", "Whether all could be read."},
    {NULL, NULL}};
static const cli_pair info_exits[] = {{"0", "Told."},
                                      {"1", "The journal is damaged."},
                                      {"2", "Wrong usage."},
                                      {"3", "It cannot be read, or is no journal."},
                                      {NULL, NULL}};
static const cli_pair info_examples[] = {
    {"flatstream journal info flight42", "What is in a journal?"}, {NULL, NULL}};

static int run_info(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    return path != NULL ? cli_journal_info(job, path) : code;
}

static const cli_command journal_info = {"journal info", "what a journal is, with a line a segment",
                                         plain_synopsis, info_description,
                                         CLI_TAKES_JSON, NULL,
                                         info_keys,      info_exits,
                                         info_examples,  run_info};

/* ---- check ---- */

static const char *const check_description[] = {
    "Looks at every byte of every file, as 'flatstream verify' does: frames, marks against frames, "
    "messages against the schemas of their segment, manifest, cursors. Works beside a writer.",
    NULL};
static const cli_pair check_keys[] = {
    {"file, faults, fault_count, messages, lost, files, bytes, ok", "As in 'flatstream verify'."},
    {NULL, NULL}};
static const cli_pair check_exits[] = {{"0", "It is sound."},
                                       {"1", "It is not; one line a fault."},
                                       {"2", "Wrong usage."},
                                       {"3", "It cannot be read, or is no journal."},
                                       {NULL, NULL}};
static const cli_pair check_examples[] = {{"flatstream journal check flight42", "Is it whole?"},
                                          {NULL, NULL}};

static int run_check(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    return path != NULL ? cli_journal_check(job, path, 1, NULL) : code;
}

static const cli_command journal_check = {
    "journal check", "every byte of every file; one line a fault",
    plain_synopsis,  check_description,
    CLI_TAKES_JSON,  NULL,
    check_keys,      check_exits,
    check_examples,  run_check};

/* ---- seal ---- */

static const char *const seal_synopsis[] = {"DIRECTORY", NULL};
static const char *const seal_description[] = {
    "Ends the segment that was written last, so that it can be compressed or taken away; what is "
    "written next begins a new one. Needs the journal's writer to be gone.",
    NULL};
static const cli_pair lock_exits[] = {{"0", "Done."},
                                      {"1", "The journal is damaged."},
                                      {"2", "Wrong usage."},
                                      {"3", "It cannot be written, or a writer has it open."},
                                      {NULL, NULL}};
static const cli_pair seal_examples[] = {
    {"flatstream journal seal flight42 && flatstream journal compress flight42",
     "Make all of a journal small that is not written any more:"},
    {NULL, NULL}};

static int run_seal(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    return path != NULL ? cli_journal_seal(job, path) : code;
}

static const cli_command journal_seal = {"journal seal",
                                         "end the segment that was written last",
                                         seal_synopsis,
                                         seal_description,
                                         0,
                                         NULL,
                                         NULL,
                                         lock_exits,
                                         seal_examples,
                                         run_seal};

/* ---- compress ---- */

static const char *const compress_synopsis[] = {"[--level N] [--json] DIRECTORY", NULL};
static const char *const compress_description[] = {
    "Compresses all segments that have ended and are not compressed yet, with zstd. Each is proven "
    "first, and read back before the plain file goes; they are read as if nothing had happened. "
    "Needs the journal's writer to be gone: 'flatstream record --compress' does it by itself.",
    NULL};
static const cli_option compress_options[] = {
    {ID_LEVEL, "level", "N", "The level of zstd, 1 to 19; its default unless given."},
    {0, NULL, NULL, NULL}};
static const cli_pair compress_keys[] = {
    {"file", "The DIRECTORY as given."},
    {"segments, saved_bytes", "Segments that were compressed, and the bytes that are free now."},
    {"ok", "Whether all went well."},
    {NULL, NULL}};
static const cli_pair change_exits[] = {{"0", "Done."},
                                        {"1", "The journal is damaged."},
                                        {"2", "Wrong usage."},
                                        {"3", "It cannot be read or written, or is no journal."},
                                        {NULL, NULL}};
static const cli_pair compress_examples[] = {
    {"flatstream journal compress --level 19 flight42", "As small as can be:"}, {NULL, NULL}};

static int run_compress(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    return path != NULL ? cli_journal_compress(job, path, (int)u.level) : code;
}

static const cli_command journal_compress = {
    "journal compress", "make segments that have ended small",
    compress_synopsis,  compress_description,
    CLI_TAKES_JSON,     compress_options,
    compress_keys,      change_exits,
    compress_examples,  run_compress};

/* ---- prune ---- */

static const char *const prune_synopsis[] = {
    "[--retain-... N] [--before ORDINAL] [options] DIRECTORY", NULL};
static const char *const prune_description[] = {
    "Removes whole segments, the oldest first, down to what is asked for; never the last one, and "
    "none that a cursor still needs. Works beside a writer.",
    NULL};
static const cli_option prune_options[] = {
    CLI_RETAIN_OPTIONS,
    {ID_BEFORE, "before", "ORDINAL", "Remove segments that end at or below this message."},
    {ID_FORCE, "force", NULL, "Cursors hold nothing back."},
    {ID_LAG, "lag", "N", "Cursors that are more than N messages behind hold nothing back."},
    {ID_DRY_RUN, "dry-run", NULL, "Only tell what would go."},
    {0, NULL, NULL, NULL}};
static const cli_pair prune_keys[] = {
    {"file", "The DIRECTORY as given."},
    {"dry_run", "Whether this is what would be."},
    {"segments, bytes", "What was removed."},
    {"first_ordinal", "The oldest message that is left."},
    {"held, holder", "Whether a cursor held more back, and which (or null)."},
    {"ok", "Whether all went well."},
    {NULL, NULL}};
static const cli_pair prune_examples[] = {
    {"flatstream journal prune --retain-age 7d --dry-run log", "What is older than a week?"},
    {"flatstream journal prune --retain-bytes 10Gi log", "Not more than 10 GiB:"},
    {NULL, NULL}};

static int run_prune(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    if (path == NULL) {
        return code;
    }
    return u.has_limit ? cli_journal_prune(job, path, &u.prune)
                       : cli_usage(job, "down to what? --retain-bytes, --retain-segments, "
                                        "--retain-age or --before");
}

static const cli_command journal_prune = {"journal prune", "remove the oldest segments",
                                          prune_synopsis,  prune_description,
                                          CLI_TAKES_JSON,  prune_options,
                                          prune_keys,      change_exits,
                                          prune_examples,  run_prune};

/* ---- cursors ---- */

static const char *const cursors_synopsis[] = {
    "[--json] DIRECTORY", "--set NAME=ORDINAL | --remove NAME DIRECTORY", NULL};
static const char *const cursors_description[] = {
    "Lists the named reading positions of a journal, or sets or removes one. A cursor says how far "
    "some consumer has come: retention keeps what it still needs. Works beside a writer.",
    NULL};
static const cli_option cursors_options[] = {
    {ID_SET, "set", "NAME=ORDINAL", "The message that comes next for NAME is ORDINAL."},
    {ID_REMOVE, "remove", "NAME", "Remove this one."},
    {0, NULL, NULL, NULL}};
static const cli_pair cursors_keys[] = {
    {"file", "The DIRECTORY as given."},
    {"cursors",
     "A list of name, ordinal (of the message that comes next), epoch, time_ns (when it was set); "
     "or of name and damage."},
    {"count", "How many there are."},
    {"ok", "Whether all of them are sound."},
    {NULL, NULL}};
static const cli_pair cursors_exits[] = {{"0", "Listed, set or removed."},
                                         {"1", "A cursor, or the journal, is damaged."},
                                         {"2", "Wrong usage, such as an ordinal beyond the end."},
                                         {"3", "It cannot be read or written, or is not there."},
                                         {NULL, NULL}};
static const cli_pair cursors_examples[] = {
    {"flatstream journal cursors --set uploader=120000 flight42",
     "Say how far a consumer has come:"},
    {NULL, NULL}};

static int run_cursors(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    if (path == NULL) {
        return code;
    }
    if ((u.set != NULL || u.remove != NULL) && (job->common.json || (u.set && u.remove))) {
        return cli_usage(job, "--set, --remove or --json: one at a time");
    }
    if (u.set != NULL) {
        return cli_journal_cursor_set(job, path, u.set);
    }
    return u.remove != NULL ? cli_journal_cursor_remove(job, path, u.remove)
                            : cli_journal_cursors(job, path);
}

static const cli_command journal_cursors = {
    "journal cursors", "list, set or remove named reading positions",
    cursors_synopsis,  cursors_description,
    CLI_TAKES_JSON,    cursors_options,
    cursors_keys,      cursors_exits,
    cursors_examples,  run_cursors};

/* ---- rebuild ---- */

static const char *const rebuild_description[] = {
    "Makes manifest and marks again where they are lost or damaged; what it replaces goes to "
    "DIRECTORY/cut, and times are estimates then. Needs the journal's writer to be gone.",
    NULL};
static const cli_pair rebuild_keys[] = {
    {"file", "The DIRECTORY as given."},
    {"messages, epoch, recovered", "As in 'flatstream record'."},
    {"ok", "Whether all went well."},
    {NULL, NULL}};
static const cli_pair rebuild_examples[] = {
    {"flatstream journal rebuild flight42", "Mend what 'journal check' names:"}, {NULL, NULL}};

static int run_rebuild(cli_job *job, int argc, char **argv)
{
    upkeep u;
    const char *path;
    int code = begin(&u, job, argc, argv, &path);
    return path != NULL ? cli_journal_rebuild(job, path) : code;
}

static const cli_command journal_rebuild = {"journal rebuild", "make lost manifest and marks again",
                                            plain_synopsis,    rebuild_description,
                                            CLI_TAKES_JSON,    NULL,
                                            rebuild_keys,      lock_exits,
                                            rebuild_examples,  run_rebuild};

/* ---- all of them ---- */

const cli_command *const cli_journal_parts[] = {
    &journal_info,  &journal_check,   &journal_seal,    &journal_compress,
    &journal_prune, &journal_cursors, &journal_rebuild, NULL};

enum { PARTS = sizeof cli_journal_parts / sizeof cli_journal_parts[0] - 1 };

static const char *const synopsis[] = {"PART [options] DIRECTORY", NULL};
static const char *const description[] = {
    "Looks after journals. Each part has options of its own: 'flatstream journal PART --help' says "
    "all about it.",
    NULL};
static const cli_pair examples[] = {
    {"flatstream journal info flight42", "What is in a journal?"},
    {"flatstream journal prune --help", "How are old segments removed?"},
    {NULL, NULL}};

/* The place of the part's name among the arguments: the first, but for options before it. */
static int find_part(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && strcmp(argv[at], "-h") != 0 &&
           strcmp(argv[at], "--help") != 0) {
        at++;
    }
    return at;
}

static int unknown_part(cli_job *job, const char *name)
{
    static const char known[] = "info, check, seal, compress, prune, cursors or rebuild";
    const char *names[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        names[i] = cli_journal_parts[i]->name + sizeof "journal";
    }
    const char *nearest = cli_nearest(name, names, PARTS);
    return nearest != NULL ? cli_usage(job, "there is no '%s'; did you mean '%s'?", name, nearest)
                           : cli_usage(job, "there is no '%s': %s", name, known);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    int at = find_part(argc, argv);
    if (at < argc && argv[at][0] != '-') {
        const cli_command *part = cli_command_part(job->command, argv[at]);
        if (part == NULL) {
            return unknown_part(job, argv[at]);
        }
        job->command = part;
        memmove(argv + 1, argv, (size_t)at * sizeof *argv); /* over its name */
        return part->run(job, argc - 1, argv + 1);
    }
    if (cli_next_option(job, argc, argv, &argument) < 0) {
        return job->option_exit;
    }
    return cli_usage(job, "do what? info, check, seal, compress, prune, cursors or rebuild");
}

const cli_command cli_cmd_journal = {
    "journal", "look after journals: info, check, compress, prune, cursors",
    synopsis,  description,
    0,         NULL,
    NULL,      change_exits,
    examples,  run};
