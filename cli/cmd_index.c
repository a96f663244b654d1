/* flatstream index: the index of a stream, a file beside it; and that of a journal, its marks. */
#include "command_line.h"
#include "commands.h"
#include "complain.h"
#include "cores.h"
#include "index_making.h"
#include "journal_faults.h"
#include "journal_upkeep.h"

enum { ID_BUILD = CLI_ID_FIRST, ID_CHECK, ID_SHOW, ID_EXTEND, ID_INTERVAL, ID_TIME, ID_TIME_UNIT };

static const char *const synopsis[] = {
    "[--build | --extend] [-c ALGO] [--interval SIZE] [-j N] [-o INDEX] FILE",
    "[--build | --extend] -s SCHEMA [--time PATH] [-o INDEX] FILE",
    "--check | --show [--json] [-o INDEX] FILE", "[--build | --check | --show] [--json] JOURNAL",
    NULL};
static const char *const description[] = {
    "Makes the index of a stream, FILE.fli beside it: where the first message in each 64 KiB "
    "stands, and with -s its time. With it whatever takes --range, and tail, begin near the "
    "first message that is asked for, instead of at the start of FILE; salvage knows where "
    "messages stood; and verify, info, cat, grep, stats and convert begin there what each core "
    "does. They use it where it is there and fits; -v says so. An index "
    "never changes what messages come out, but for one thing: damage before the place where "
    "reading begins is not met.",
    "An index may be removed at any time. It is held against FILE before it is used: of a stream "
    "that grew it is good for what was there, of one that was cut for most of what is left, and "
    "one of another stream is not used. A stream that was edited in its middle and kept its "
    "length wants a new index, which --check would tell.",
    "Where FILE is damaged, or ends within a message, the index covers what is before, and the "
    "exit code is 1.",
    "The index of a journal are its marks, beside each segment: where messages are, when they "
    "were received, and what is durable. It makes them as it is written; nothing is to be done "
    "for it. Without an option, or with --show, they are shown, a line a segment. --check holds "
    "every one against the messages; --build makes those again that are lost or damaged, with "
    "estimated times, which needs the journal's writer to be gone.",
    NULL};
static const cli_option option_table[] = {
    {ID_BUILD, "build", NULL,
     "Make the index; of a journal lost or damaged marks, the same as journal rebuild."},
    {ID_EXTEND, "extend", NULL,
     "Make it of a stream that grew: what the old one covers is not read again."},
    {ID_CHECK, "check", NULL,
     "Read the stream and compare; of a journal marks and messages, the same as verify."},
    {ID_SHOW, "show", NULL, "Say what the index has; with --json all places too."},
    {ID_INTERVAL, "interval", "SIZE",
     "Note the first message in each SIZE bytes; 64Ki if not given."},
    {ID_TIME, "time", "PATH",
     "With -s: the field that is the time of a message; without it the first one of the root "
     "whose name says so."},
    {ID_TIME_UNIT, "time-unit", "UNIT",
     "What the time counts: ns, us, ms or s, if its name does not end so."},
    {'j', "jobs", "N", "Cores to use; all of them unless given."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given. Of a journal the keys are those of 'flatstream journal': of info, "
             "with --check of check, with --build of rebuild."},
    {"index", "The file that is its index."},
    {"places", "With --show: a list of ordinal, offset and time_ns (the greatest time up to that "
               "message, or null)."},
    {"checksum", "none, crc16, crc32 or xxh3; null of an empty stream, which fits each."},
    {"messages", "How many are covered."},
    {"covered_bytes", "Bytes of the stream that are."},
    {"stream_bytes", "Bytes of the stream."},
    {"payload_bytes", "Bytes of the covered messages."},
    {"size_min", "Size of the smallest of them."},
    {"size_max", "Size of the largest."},
    {"entries", "Places that are noted."},
    {"interval_bytes", "One in each so many bytes."},
    {"index_bytes", "Bytes of the index that are valid."},
    {"time", "The field that is the time, or null."},
    {"timed_messages", "Covered messages that have a time."},
    {"time_min_ns", "The least of them, or null."},
    {"time_max_ns", "The greatest, or null."},
    {"fault", "What is wrong with the stream, or with the index, or null."},
    {"ok", "Whether nothing is."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Made, shown, or right."},
    {"1", "The stream or journal is damaged; the index is not right, or does not cover all."},
    {"2", "Wrong usage."},
    {"3", "It cannot be read or written, or a writer has it."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream index capture.fls", "Make capture.fls.fli:"},
    {"flatstream cat --as hex --range 5000000..5000003 capture.fls", "Use it:"},
    {"flatstream index -s telemetry.fbs --time timestamp_ns capture.fls", "With times:"},
    {"flatstream index --check flight42", "Is that of a journal right?"},
    {NULL, NULL}};

static int run_on_journal(cli_job *job, const char *path, int action, int streams_only)
{
    if (streams_only || action == ID_EXTEND || job->common.output != NULL ||
        job->common.type_count > 0) {
        return cli_usage(job,
                         "%s is a journal, which makes its index itself: --build, --check or "
                         "--show alone",
                         path);
    }
    switch (action) {
    case ID_BUILD: return cli_journal_rebuild(job, path);
    case ID_CHECK: return cli_journal_check(job, path, 0, NULL);
    default: return cli_journal_info(job, path);
    }
}

static int take_option(cli_job *job, int id, const char *argument, cli_index_wishes *wishes,
                       int *action)
{
    switch (id) {
    case ID_INTERVAL:
        if (!cli_parse_size(argument, &wishes->interval_bytes) || wishes->interval_bytes < 64 ||
            wishes->interval_bytes > UINT64_C(1) << 40) {
            return cli_usage(job, "'%s' is not an interval of 64 bytes or more", argument);
        }
        return CLI_DONE;
    case ID_TIME: wishes->time = argument; return CLI_DONE;
    case ID_TIME_UNIT: wishes->unit = argument; return CLI_DONE;
    case 'j': return cli_parallel_take(job, argument, &wishes->jobs);
    default:
        if (*action != 0 && *action != id) {
            return cli_usage(job, "one of --build, --extend, --check and --show");
        }
        *action = id;
        return CLI_DONE;
    }
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    cli_index_wishes wishes = {0};
    int action = 0;
    int code = CLI_DONE;
    int id;
    while (code == CLI_DONE && (id = cli_next_option(job, argc, argv, &argument)) > 0) {
        code = take_option(job, id, argument, &wishes, &action);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code != CLI_DONE) {
        return code;
    }
    if (job->journal != NULL) {
        return run_on_journal(job, path, action, wishes.interval_bytes != 0 || wishes.time != NULL);
    }
    if ((action == ID_CHECK || action == ID_SHOW) && wishes.interval_bytes != 0) {
        return cli_usage(job, "--interval is of an index that is made");
    }
    wishes.extend = action == ID_EXTEND;
    switch (action) {
    case ID_CHECK: return cli_index_check(job, path, &wishes);
    case ID_SHOW: return cli_index_show(job, path);
    default: return cli_index_build(job, path, &wishes);
    }
}

const cli_command cli_cmd_index = {"index",
                                   "make, check or show the index of a stream or journal",
                                   synopsis,
                                   description,
                                   CLI_TAKES_JSON | CLI_TAKES_JOURNAL | CLI_TAKES_SCHEMA |
                                       CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                       CLI_TAKES_OUTPUT,
                                   option_table,
                                   keys,
                                   exits,
                                   examples,
                                   run};
