/* flatstream cat: the messages of a stream, in the form that is asked for. */
#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "message_out.h"

static const char *const synopsis[] = {
    "[--as json] -s SCHEMA [-r TYPE] [--defaults] [-c ALGO] [-n N] [-o FILE] IN",
    "--as csv|json --select PATHS -s SCHEMA [--range A..B] [-n N] [-o FILE] IN",
    "--as hex|raw|frames|delimited [-c ALGO] [--range A..B] [-n N] [-o FILE] IN", NULL};
static const char *const description[] = {
    "Prints the messages of a stream or of a journal, which knows its own schemas. Each is checked "
    "first, with -s against its schema too. Where "
    "the stream is damaged or a message refused, what was sound before is still printed to "
    "standard output, and the exit code is 1; with -o FILE nothing appears then.",
    "A journal is read on behind what is lost or refused, of which each place is told, with FILE "
    "as "
    "without; the exit code is 1 too. Its messages are read with the schemas of the segment that "
    "they stand in, unless -s is given.",
    "As JSON, each message is a line: an object of its fields in the order of the schema, "
    "enumerators by name, whole numbers exact, floats in the shortest form that reads back the "
    "same. Fields that are absent, so that they have their default, are left out unless --defaults "
    "is given. 'flatstream write --from json' is the way back.",
    NULL};
static const cli_option option_table[] = {
    CLI_MESSAGE_OUT_OPTIONS, CLI_JOBS_OPTION, {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Everything that was asked for is sound."},
    {"1", "It is damaged, a message is refused, or it does not end cleanly."},
    {"2", "Wrong usage."},
    {"3", "The stream cannot be read, or the output not written."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream cat -s telemetry.fbs capture.fls | head -3", "Look at the first messages:"},
    {"flatstream cat -s telemetry.fbs capture.fls | jq 'select(.mode == \"Fault\").timestamp_ns'",
     "Ask something of them:"},
    {"flatstream cat -s telemetry.fbs --as csv --select timestamp_ns,battery.soc capture.fls",
     "Two columns for a spreadsheet:"},
    {"flatstream cat --since -5m flight42", "What a journal got in the last five minutes:"},
    {"flatstream cat --as raw --range 17..18 -o message.bin capture.fls",
     "Take message 17 out into a file:"},
    {"flatstream cat --as frames --range 1000.. -o rest.fls capture.fls",
     "A stream of all but the first thousand messages:"},
    {NULL, NULL}};

static int run_on(cli_job *job, cli_message_out *print, uint32_t jobs, const char *path)
{
    cli_input input;
    int code = cli_message_out_schemas(print, job);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_open(&input, job, path);
    if (code == CLI_DONE) {
        const cli_walker walker = {cli_message_out_take, cli_message_out_pause, print,
                                   &print->schemas, NULL};
        const cli_shares shares = cli_message_out_shares(print, jobs);
        code = cli_message_out_open(print, &input);
        if (code == CLI_DONE) {
            code = cli_walk_shared(&input, &walker, &shares);
        }
        code = cli_message_out_finish(print, &input, code);
    }
    cli_schemas_close(&print->schemas);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    cli_message_out print = {.as = CLI_AS_DEFAULT};
    uint32_t jobs = 0;
    int code = CLI_DONE;
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        code = id == 'j' ? cli_parallel_take(job, argument, &jobs)
                         : cli_message_out_option(&print, job, id, argument);
        if (code != CLI_DONE) {
            return code;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = cli_message_out_check(&print, job);
    }
    return code == CLI_DONE ? run_on(job, &print, jobs, path) : code;
}

const cli_command cli_cmd_cat = {"cat",
                                 "messages out: as JSON, CSV, hex, raw, frames or delimited",
                                 synopsis,
                                 description,
                                 CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                     CLI_TAKES_RANGE | CLI_TAKES_TIMES | CLI_TAKES_JOURNAL |
                                     CLI_TAKES_OUTPUT,
                                 option_table,
                                 NULL,
                                 exits,
                                 examples,
                                 run};
