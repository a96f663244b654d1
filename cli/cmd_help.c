/* flatstream help: help for the tool or a command, and the source of the man pages. */
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "help.h"
#include "output.h"

enum { ID_SCDOC = CLI_ID_FIRST, ID_SCDOC_LIST };

static const char *const synopsis[] = {"[COMMAND [PART]]", "--scdoc PAGE", "--scdoc-list", NULL};
static const char *const description[] = {
    "Shows what the tool can do, or all about one command. The man pages are made from the same "
    "words: --scdoc prints the source of one for scdoc(1).",
    NULL};
static const cli_option option_table[] = {
    {ID_SCDOC, "scdoc", "PAGE", "Source of a man page: flatstream, or flatstream-COMMAND."},
    {ID_SCDOC_LIST, "scdoc-list", NULL, "The names of all pages, one a line."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "Shown."}, {"2", "No such command."}, {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream help verify", "All about one command:"},
    {"flatstream help --scdoc flatstream-verify | scdoc > flatstream-verify.1", "Make a man page:"},
    {NULL, NULL}};

static int list_pages(cli_job *job)
{
    cli_out out;
    int code = cli_out_open(&out, job, NULL, NULL);
    if (code != CLI_DONE) {
        return code;
    }
    cli_out_text(&out, "flatstream\n");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        cli_out_format(&out, "flatstream-%s\n", cli_commands[i]->name);
    }
    return cli_out_end(&out, CLI_DONE);
}

static int page(cli_job *job, const char *name)
{
    static const char prefix[] = "flatstream-";
    const cli_command *command = NULL;
    if (strcmp(name, "flatstream") != 0) {
        if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
            command = cli_command_find(name + sizeof prefix - 1);
        }
        if (command == NULL) {
            return cli_usage(job, "there is no page '%s'; see --scdoc-list", name);
        }
    }
    return cli_help_scdoc(job, command);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        return id == ID_SCDOC ? page(job, argument) : list_pages(job);
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (job->operand_count == 0) {
        return cli_help_command(job, NULL);
    }
    const cli_command *command = cli_command_find(job->operands[0]);
    if (command == NULL) {
        return cli_usage(job, "there is no command '%s'", job->operands[0]);
    }
    if (job->operand_count > 1) {
        command = cli_command_part(command, job->operands[1]);
    }
    if (job->operand_count > 2 || command == NULL) {
        return cli_usage(job, "one command at a time");
    }
    return cli_help_command(job, command);
}

const cli_command cli_cmd_help = {"help",   "help for the tool or a command",
                                  synopsis, description,
                                  0,        option_table,
                                  NULL,     exits,
                                  examples, run};
