/* flatstream slice: the messages of a stream that are asked for, as a stream. */
#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "framing.h"
#include "selector.h"
#include "walk.h"

enum { ID_BYTES = CLI_ID_FIRST, ID_TIME, ID_TIME_UNIT, ID_WHERE, ID_INVERT, ID_TO };

static const char *const synopsis[] = {
    "[--range A..B] [--bytes A..B] [--since T] [--until T] [--to ALGO] -o OUT IN",
    "[--where EXPR] [--time PATH] [--invert] [...] -s SCHEMA -o OUT IN", NULL};
static const char *const description[] = {
    "Writes the messages of IN that are asked for, as a stream: by ordinal (--range), by the "
    "offset at which their frames begin in IN (--bytes), by time (--since and --until), by a "
    "condition on their fields (--where). Those are taken for which all of what is given holds; "
    "with --invert the others.",
    "Frames are passed on byte for byte, unless --to asks for another checksum. Where nothing is "
    "selected OUT is empty, and the exit code 0 all the same: grep is there to ask whether there "
    "is any.",
    "The time of a message in a journal is that of its receipt. In a stream it is a field: that of "
    "--time, or the first number of the root whose name has 'time' in it or begins with ts_, and "
    "ends in _ns, _us, _ms or _s. With --time it is a field in a journal too. A message without a "
    "time is at none.",
    "What is damaged ends it with exit code 1 and without OUT, unless that is standard output, "
    "which gets what was sound before. Nothing is looked at behind the last message that can be "
    "selected by --range, --bytes and --limit. A damaged journal gives everything that is sound, "
    "before and behind the damage, of which each place is told; the exit code is 1, and OUT "
    "appears all the same. Messages are not checked against their schema, only read within bounds.",
    NULL};
static const cli_option option_table[] = {
    {ID_BYTES, "bytes", "A..B",
     "Only messages whose frames begin at offset A of a stream or behind it, and before B; sizes "
     "such as 100Mi..1Gi. Either may be left out."},
    {ID_WHERE, "where", "EXPR", "Only messages for which the condition holds, as in grep."},
    {ID_TIME, "time", "PATH", "The field that is a message's time, for --since and --until."},
    {ID_TIME_UNIT, "time-unit", "UNIT",
     "What it counts: ns, us, ms or s, where its name does not end so."},
    {ID_INVERT, "invert", NULL, "The messages for which not all of that holds."},
    {ID_TO, "to", "ALGO", "Checksum of OUT: none, crc16, crc32 or xxh3; that of IN unless given."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "OUT is there, with what was selected, be it nothing."},
                                 {"1", "IN is damaged."},
                                 {"2", "Wrong usage, such as a condition that cannot be."},
                                 {"3", "IN cannot be read, or OUT not written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream slice --range 1000..2000 -o part.fls capture.fls", "A thousand messages:"},
    {"flatstream slice --bytes 1Gi..2Gi -o part.fls capture.fls",
     "The frames that begin in the second gibibyte:"},
    {"flatstream slice --since 2026-09-21T14:00:00Z --until 2026-09-21T15:00:00Z -o h.fls "
     "flight42",
     "An hour of a journal:"},
    {"flatstream slice -s telemetry.fbs --where 'mode == Fault' --since -1h -o out.fls "
     "in.fls",
     "The faults of the last hour, by the field timestamp_ns:"},
    {"flatstream slice --range 41..42 --invert -o rest.fls capture.fls", "All but one:"},
    {NULL, NULL}};

typedef struct slicing {
    cli_job *job;
    cli_input input;
    fls_reader *reader;
    cli_selector selector;
    cli_framing framing;
    cli_out out;
    uint64_t empty_bytes; /* of the run of empty messages at the end */
    int by_bytes;
} slicing;

static int take(void *self, const fls_message *message)
{
    slicing *s = self;
    int verdict = cli_selector_judge(&s->selector, message);
    if (verdict != CLI_SELECT_TAKE) {
        return verdict == CLI_SELECT_END;
    }
    cli_framing_begin(&s->framing, &s->input, s->reader);
    fls_message framed = cli_framed(&s->framing, message);
    cli_out_frame(&s->out, &framed, s->framing.width);
    s->empty_bytes = cli_empty_end(&s->framing, message, s->empty_bytes);
    return s->out.status != FLS_OK || cli_selector_is_full(&s->selector);
}

static void pause_slicing(void *self)
{
    slicing *s = self;
    cli_out_flush(&s->out);
}

static void tell(const slicing *s)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    if (s->selector.taken == 0) {
        cli_note(s->job, "nothing was selected, and %s is empty", s->out.name);
    } else {
        cli_detail(s->job, "%s of the %s messages looked at were selected",
                   cli_count(a, s->selector.taken), cli_count(b, s->selector.looked_at));
    }
    if (cli_is_like_zero_tail(&s->framing, s->empty_bytes)) {
        cli_note(s->job,
                 "the last messages are empty, and with %s readers will take them for a zero tail",
                 fls_checksum_name(s->framing.to));
    }
}

static int slice(void *self)
{
    slicing *s = self;
    int code = cli_out_open(&s->out, s->job, s->job->common.output, &s->input);
    if (code != CLI_DONE) {
        return code;
    }
    const cli_walker walker = {take, s->out.whole ? NULL : pause_slicing, s, NULL, NULL};
    if (!cli_selector_is_full(&s->selector)) {
        code = cli_walk(&s->input, s->reader, &walker);
    }
    int is_sound = code == CLI_DONE;
    code = cli_out_end(&s->out, code);
    if (is_sound && code == CLI_DONE) {
        tell(s);
    }
    return code;
}

static int run_on(slicing *s, const char *path)
{
    cli_job *job = s->job;
    int code = cli_selector_open(&s->selector, job);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_use(&s->input, &s->reader, job, path, slice, s);
    cli_selector_close(&s->selector);
    return code;
}

/* A size, or nothing, which leaves *bytes as it is. */
static int parse_end(const char *text, size_t length, uint64_t *bytes)
{
    char number[32];
    if (length >= sizeof number) {
        return 0;
    }
    memcpy(number, text, length);
    number[length] = '\0';
    return length == 0 || cli_parse_size(number, bytes);
}

static int take_bytes(slicing *s, const char *argument)
{
    const char *dots = strstr(argument, "..");
    s->by_bytes = 1;
    s->selector.from_byte = 0;
    s->selector.end_byte = UINT64_MAX;
    if (dots == NULL || !parse_end(argument, (size_t)(dots - argument), &s->selector.from_byte) ||
        !parse_end(dots + 2, strlen(dots + 2), &s->selector.end_byte) ||
        s->selector.from_byte > s->selector.end_byte) {
        return cli_usage(s->job, "'%s' is not a range of offsets like 100Mi..1Gi", argument);
    }
    return CLI_DONE;
}

static int take_option(slicing *s, int id, const char *argument)
{
    switch (id) {
    case ID_BYTES: return take_bytes(s, argument);
    case ID_TIME: s->selector.time_path = argument; break;
    case ID_TIME_UNIT: s->selector.time_unit = argument; break;
    case ID_WHERE: s->selector.condition = argument; break;
    case ID_INVERT: s->selector.invert = 1; break;
    default: return cli_take_to(s->job, argument, &s->framing.to);
    }
    return CLI_DONE;
}

static int check_usage(const slicing *s)
{
    cli_job *job = s->job;
    const cli_common *common = &job->common;
    const cli_selector *by = &s->selector;
    int timed = common->since_ns != 0 || common->until_ns != UINT64_MAX;
    if ((by->time_path != NULL || by->time_unit != NULL) && !timed) {
        return cli_usage(job, "--time is for --since and --until");
    }
    if (s->by_bytes && job->journal != NULL) {
        return cli_usage(job, "--bytes goes by offsets in one stream, and a journal is many: "
                              "--range, --since, --until");
    }
    return cli_stream_output(job);
}

static int run(cli_job *job, int argc, char **argv)
{
    static slicing s; /* too large for some stacks */
    const char *argument;
    const char *path;
    int id;
    s.job = job;
    cli_selector_begin(&s.selector);
    s.selector.by_field = 1;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&s, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = check_usage(&s);
    }
    return code == CLI_DONE ? run_on(&s, path) : code;
}

const cli_command cli_cmd_slice = {"slice",
                                   "messages by ordinal, offset, time or condition, as a stream",
                                   synopsis,
                                   description,
                                   CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                       CLI_TAKES_MAX_FRAME | CLI_TAKES_RANGE | CLI_TAKES_TIMES |
                                       CLI_TAKES_JOURNAL | CLI_TAKES_OUTPUT,
                                   option_table,
                                   NULL,
                                   exits,
                                   examples,
                                   run};
