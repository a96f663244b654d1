/* flatstream: the table of commands, and finding the one that is asked for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "help.h"
#include "interrupt.h"

/* One a line, so that a new one is a line of its own. */
/* clang-format off */
const cli_command *const cli_commands[] = {
    &cli_cmd_info,
    &cli_cmd_verify,
    &cli_cmd_ls,
    &cli_cmd_cat,
    &cli_cmd_write,
    &cli_cmd_recover,
    &cli_cmd_salvage,
    &cli_cmd_diff,
    &cli_cmd_convert,
    &cli_cmd_slice,
    &cli_cmd_split,
    &cli_cmd_merge,
    &cli_cmd_sort,
    &cli_cmd_grep,
    &cli_cmd_stats,
    &cli_cmd_schema,
    &cli_cmd_record,
    &cli_cmd_tail,
    &cli_cmd_replay,
    &cli_cmd_journal,
    &cli_cmd_index,
    &cli_cmd_send,
    &cli_cmd_recv,
    &cli_cmd_bench,
    &cli_cmd_version,
    &cli_cmd_help,
    NULL,
};
/* clang-format on */

#define COMMAND_COUNT (sizeof cli_commands / sizeof cli_commands[0] - 1)

/* Commands of later versions, so that they are answered better than a typing error. */
static const char *const later_commands[] = {"serve", "publish", "subscribe", "export", "import"};

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0) {
            return cli_commands[i];
        }
    }
    return NULL;
}

const cli_command *const *cli_command_parts(const cli_command *command)
{
    return command == &cli_cmd_journal ? cli_journal_parts : NULL;
}

const cli_command *cli_command_part(const cli_command *command, const char *name)
{
    const cli_command *const *parts = cli_command_parts(command);
    size_t skip = strlen(command->name) + 1;
    for (; parts != NULL && *parts != NULL; parts++) {
        if (strcmp((*parts)->name + skip, name) == 0) {
            return *parts;
        }
    }
    return NULL;
}

static int unknown_command(cli_job *job, const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = cli_commands[i]->name;
    }
    for (size_t i = 0; i < sizeof later_commands / sizeof later_commands[0]; i++) {
        if (strcmp(name, later_commands[i]) == 0) {
            return cli_usage(job, "'%s' is not in this version", name);
        }
    }
    const char *nearest = cli_nearest(name, names, COMMAND_COUNT);
    if (nearest != NULL) {
        return cli_usage(job, "there is no command '%s'; did you mean '%s'?", name, nearest);
    }
    return cli_usage(job, "there is no command '%s'", name);
}

/* A file opened by the tool must not become its standard output. Where one of the three is closed,
 * something that fails in the same way takes its place. */
static void open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

static int dispatch(cli_job *job, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name == NULL) {
        return cli_usage(job, "which command?");
    }
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        return cli_help_command(job, NULL);
    }
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        name = "version";
    }
    job->command = cli_command_find(name);
    if (job->command == NULL) {
        return unknown_command(job, name);
    }
    return job->command->run(job, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    cli_job job = {
        .common = {.range_end = UINT64_MAX, .limit = UINT64_MAX, .until_ns = UINT64_MAX}};
    open_standard_files();
    (void)signal(SIGPIPE, SIG_IGN);
    int code = dispatch(&job, argc, argv);
    cli_progress_clear(&job.progress);
    if (cli_interrupt_pending() > 0) {
        cli_interrupt_raise();
    }
    /* A network file system may report a failed write only now. */
    if (close(STDOUT_FILENO) != 0 && errno != EBADF && errno != EINTR && code == CLI_DONE) {
        code = cli_complain_errno(&job, "standard output", NULL, errno);
    }
    return code;
}
