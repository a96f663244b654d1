/* flatstream index: the index of a journal, which is its marks. */
#include <sys/stat.h>

#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "journal_faults.h"
#include "journal_upkeep.h"

enum { ID_BUILD = CLI_ID_FIRST, ID_CHECK };

static const char *const synopsis[] = {"[--build | --check] [--json] JOURNAL", NULL};
static const char *const description[] = {
    "The index of a journal are its marks, beside each segment: where messages are, when they were "
    "received, and what is durable. Without an option they are shown, a line a segment. --check "
    "holds every one against the messages; --build makes those again that are lost or damaged, "
    "with estimated times, which needs the journal's writer to be gone.",
    "A journal makes its index as it is written; nothing is to be done for it. Streams that are no "
    "journals have none in this version.",
    NULL};
static const cli_option option_table[] = {
    {ID_BUILD, "build", NULL, "Make lost or damaged marks again: the same as journal rebuild."},
    {ID_CHECK, "check", NULL, "Check the journal, marks and messages: the same as verify."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"(all)", "As in 'flatstream journal': of info, with --check of check, with --build of "
              "rebuild."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Shown, sound, or made."},
                                 {"1", "It is damaged."},
                                 {"2", "Wrong usage, such as a stream that is no journal."},
                                 {"3", "It cannot be read or written, or a writer has it."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {{"flatstream index flight42", "Show it:"},
                                    {"flatstream index --check flight42", "Is it right?"},
                                    {NULL, NULL}};

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    struct stat info;
    int action = 0;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (action != 0 && action != id) {
            return cli_usage(job, "--build or --check, not both");
        }
        action = id;
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = cli_one_operand(job, &path);
    if (code != CLI_DONE) {
        return code;
    }
    if (job->journal == NULL && (stat(path, &info) == 0 || job->operand_count == 0)) {
        return cli_usage(job, "%s is no journal; this version has no index for plain streams",
                         path);
    }
    switch (action) {
    case ID_BUILD: return cli_journal_rebuild(job, path);
    case ID_CHECK: return cli_journal_check(job, path, 0, NULL);
    default: return cli_journal_info(job, path);
    }
}

const cli_command cli_cmd_index = {"index",
                                   "show, check or build the index of a journal",
                                   synopsis,
                                   description,
                                   CLI_TAKES_JSON | CLI_TAKES_JOURNAL,
                                   option_table,
                                   keys,
                                   exits,
                                   examples,
                                   run};
