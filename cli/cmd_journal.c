/* flatstream journal: looking after journals. */
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "journal_faults.h"
#include "journal_options.h"
#include "journal_upkeep.h"

enum { ID_BEFORE = CLI_ID_FIRST, ID_FORCE, ID_DRY_RUN, ID_LAG, ID_LEVEL, ID_SET, ID_REMOVE };

static const char *const synopsis[] = {
    "info|check|seal|rebuild [--json] DIRECTORY", "compress [--level N] [--json] DIRECTORY",
    "prune [--retain-... N] [--before ORDINAL] [--dry-run] DIRECTORY",
    "cursors [--set NAME=ORDINAL | --remove NAME] [--json] DIRECTORY", NULL};
static const char *const description[] = {
    "info tells what a journal is, with a line for each segment, without reading its messages. "
    "check looks at every byte of every file, as verify does. seal ends the segment that was "
    "written last. compress compresses all ended segments that are not yet, each proven first and "
    "read back before the plain file goes. prune removes whole segments, the oldest first, never "
    "the last, and none that a cursor still needs. cursors lists the named reading positions, sets "
    "or removes one. rebuild makes manifest and marks again where they are lost or damaged; what "
    "it "
    "replaces goes to DIRECTORY/cut, and times are estimates then.",
    "info, check, compress, prune and cursors work beside a writer; seal and rebuild need it gone.",
    NULL};
static const cli_option option_table[] = {
    CLI_RETAIN_OPTIONS,
    {ID_BEFORE, "before", "ORDINAL", "prune: segments that end at or below this message."},
    {ID_FORCE, "force", NULL, "prune: cursors hold nothing back."},
    {ID_LAG, "lag", "N", "prune: cursors that are more than N messages behind hold nothing back."},
    {ID_DRY_RUN, "dry-run", NULL, "prune: only tell what would go."},
    {ID_LEVEL, "level", "N", "compress: the level of zstd, 1 to 19; its default unless given."},
    {ID_SET, "set", "NAME=ORDINAL", "cursors: the message that comes next for NAME is ORDINAL."},
    {ID_REMOVE, "remove", "NAME", "cursors: remove this one."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The DIRECTORY as given."},
    {"segment_list",
     "info: a list of name, first_ordinal, end_ordinal (null: not known), bytes, stored_bytes, "
     "marks_bytes, first_time_ns, last_time_ns, epoch, sealed, compressed, estimated_times; then "
     "the keys of the whole, as in 'flatstream info': id, epoch and so on."},
    {"faults, fault_count, messages, lost, files, bytes", "check: as in 'flatstream verify'."},
    {"segments, saved_bytes", "compress: segments compressed, and bytes that are free now."},
    {"dry_run, segments, bytes, first_ordinal, held, holder",
     "prune: what was removed, the oldest message that is left, and whether a cursor held more "
     "back (which, or null)."},
    {"cursors, count",
     "cursors: a list of name, ordinal (of the message that comes next), epoch, time_ns (when it "
     "was set); or name and damage."},
    {"messages, epoch, recovered", "rebuild: as in 'flatstream record'."},
    {"ok", "Whether all is well."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Done, and sound."},
                                 {"1", "The journal is damaged."},
                                 {"2", "Wrong usage."},
                                 {"3", "It cannot be read or written, or a writer has it."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream journal info flight42", "What is in a journal?"},
    {"flatstream journal prune --retain-age 7d --dry-run log", "What is older than a week?"},
    {"flatstream journal cursors --set uploader=120000 flight42",
     "Say how far a consumer has come:"},
    {NULL, NULL}};

typedef struct upkeep {
    cli_job *job;
    fls_prune_options prune;
    int has_limit; /* what to prune by was given */
    uint64_t level;
    const char *set;
    const char *remove;
    const char *given_for; /* the action that the options belong to; NULL: none given */
} upkeep;

static int take_option(upkeep *u, int id, const char *argument)
{
    u->given_for = id == ID_LEVEL                    ? "compress"
                   : id == ID_SET || id == ID_REMOVE ? "cursors"
                                                     : "prune";
    switch (id) {
    case ID_SET: u->set = argument; return CLI_DONE;
    case ID_REMOVE: u->remove = argument; return CLI_DONE;
    case ID_FORCE: u->prune.force = 1; return CLI_DONE;
    case ID_DRY_RUN: u->prune.dry_run = 1; return CLI_DONE;
    case ID_LEVEL:
        return cli_parse_count(argument, &u->level) && u->level >= 1 && u->level <= 19
                   ? CLI_DONE
                   : cli_usage(u->job, "'%s' is not a level from 1 to 19", argument);
    case ID_BEFORE:
        u->has_limit = 1;
        return cli_parse_count(argument, &u->prune.before_ordinal)
                   ? CLI_DONE
                   : cli_usage(u->job, "'%s' is not an ordinal", argument);
    case ID_LAG:
        return cli_parse_count(argument, &u->prune.cursor_lag_messages) &&
                       u->prune.cursor_lag_messages > 0
                   ? CLI_DONE
                   : cli_usage(u->job, "'%s' is not a number of messages", argument);
    default: u->has_limit = 1; return cli_prune_option(u->job, &u->prune, id, argument);
    }
}

static int act(upkeep *u, const char *action, const char *path)
{
    cli_job *job = u->job;
    if (u->given_for != NULL && strcmp(action, u->given_for) != 0) {
        return cli_usage(job, "these options are for %s, not for %s", u->given_for, action);
    }
    if (strcmp(action, "info") == 0) {
        return cli_journal_info(job, path);
    }
    if (strcmp(action, "check") == 0) {
        return cli_journal_check(job, path, 1, NULL);
    }
    if (strcmp(action, "seal") == 0) {
        return job->common.json ? cli_usage(job, "seal has no report")
                                : cli_journal_seal(job, path);
    }
    if (strcmp(action, "rebuild") == 0) {
        return cli_journal_rebuild(job, path);
    }
    if (strcmp(action, "compress") == 0) {
        return cli_journal_compress(job, path, (int)u->level);
    }
    if (strcmp(action, "prune") == 0) {
        return u->has_limit ? cli_journal_prune(job, path, &u->prune)
                            : cli_usage(job, "down to what? --retain-bytes, --retain-segments, "
                                             "--retain-age or --before");
    }
    if (u->set != NULL) {
        return cli_journal_cursor_set(job, path, u->set);
    }
    return u->remove != NULL ? cli_journal_cursor_remove(job, path, u->remove)
                             : cli_journal_cursors(job, path);
}

static int run(cli_job *job, int argc, char **argv)
{
    static const char *const actions[] = {"info",  "check",   "seal",   "compress",
                                          "prune", "cursors", "rebuild"};
    const size_t count = sizeof actions / sizeof actions[0];
    const char *argument;
    upkeep u = {.job = job, .prune = {.struct_bytes = sizeof u.prune}};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&u, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count == 0) {
        return cli_usage(job, "do what? info, check, seal, compress, prune, cursors or rebuild");
    }
    const char *action = job->operands[0];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(action, actions[i]) == 0) {
            return job->operand_count == 2 ? act(&u, action, job->operands[1])
                                           : cli_usage(job, "%s of one DIRECTORY", action);
        }
    }
    const char *nearest = cli_nearest(action, actions, count);
    if (nearest != NULL) {
        return cli_usage(job, "there is no '%s'; did you mean '%s'?", action, nearest);
    }
    return cli_usage(job,
                     "there is no '%s': info, check, seal, compress, prune, cursors or "
                     "rebuild",
                     action);
}

const cli_command cli_cmd_journal = {
    "journal",      "look after journals: info, check, compress, prune, cursors",
    synopsis,       description,
    CLI_TAKES_JSON, option_table,
    keys,           exits,
    examples,       run};
