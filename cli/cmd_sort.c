/* flatstream sort: the messages of a stream in the order of a value in them, within a limit on
 * memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "framing.h"
#include "interrupt.h"
#include "output.h"
#include "sort_keys.h"
#include "walk.h"

enum { ID_BY = CLI_ID_FIRST, ID_REVERSE, ID_MEMORY, ID_TEMPORARY, ID_TO };

static const char *const synopsis[] = {
    "--by PATH -s SCHEMA [--reverse] [-c FROM] [--to ALGO] -o OUT IN",
    "--by PATH -s SCHEMA [--memory SIZE] [--temporary DIR] -o OUT IN", NULL};
static const char *const description[] = {
    "Writes the messages of IN in the order of a value in them. Messages with equal values stay in "
    "the order that they had. OUT appears whole or not at all: when IN is not sound to its end it "
    "does not appear.",
    CLI_ORDER_OF_KEYS CLI_ORDER_REVERSED,
    "What does not fit in memory goes to temporary files and is merged from there, in several "
    "passes where one is not enough; they take about as much room as IN, and are gone when the "
    "command ends, however it ends. What was written to them is checked when it comes back. A "
    "message larger than a sixteenth of the limit is set aside in a file as well; the one such "
    "message that is being read or written is what memory is used for beyond the limit. An IN that "
    "is in order already is copied.",
    "Messages are not checked against their schema, only read within bounds: 'flatstream verify "
    "-s' does that. IN may be a journal; OUT is then one plain stream. A damaged journal gives "
    "everything that is sound, and exit code 1.",
    NULL};
static const cli_option option_table[] = {
    {ID_BY, "by", "PATH",
     "The value, such as timestamp_ns, pose.position.x or tags[0] (docs/QUERIES.md)."},
    {ID_REVERSE, "reverse", NULL, "From the largest to the smallest."},
    {ID_MEMORY, "memory", "SIZE",
     "The limit on memory for sorting: 256Ki or more; 256Mi unless given."},
    {ID_TEMPORARY, "temporary", "DIR",
     "Where temporary files are made. Unless given, where OUT is; for standard output $TMPDIR, or "
     "else /var/tmp."},
    {ID_TO, "to", "ALGO", "Checksum of OUT: none, crc16, crc32 or xxh3, which is it unless given."},
    {'j', "jobs", "N",
     "Cores to use: with 2 or more, of which 2 are used, and so unless given, one reads and writes "
     "while another sorts and merges. OUT is the same."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "Sorted, and OUT is there."},
    {"1", "IN is damaged."},
    {"2", "Wrong usage."},
    {"3", "IN cannot be read, or OUT or a temporary file not written."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream sort --by timestamp_ns -s telemetry.fbs -o sorted.fls capture.fls", "By time:"},
    {"flatstream sort --by battery.soc --reverse --memory 1Gi -s telemetry.fbs -o o.fls in.fls",
     "The fullest batteries first, with more memory:"},
    {NULL, NULL}};

typedef struct sorting {
    cli_job *job;
    const char *by;
    const char *temporary;
    int reverse;
    uint64_t memory_bytes;
    uint32_t jobs;
    fls_checksum to;
    cli_input input;
    fls_reader *reader;
    cli_schemas schemas;
    cli_sort_keys keys;
    cli_kept_key last; /* while messages are copied */
    uint64_t copied;
    int out_of_order; /* it was not, after all */
    fls_writer *writer;
    fls_sorter *sorter;
    char directory[4096]; /* of its files */
    fls_error err;        /* of a message that is taken: making one for each would cost more */
    int failed;
} sorting;

static int open_writer(sorting *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = s->to;
    options.max_frame_bytes = s->job->common.max_frame_bytes;
    options.allow_empty = 1;
    int code = cli_sink_open(s->job, &sink, s->job->common.output, &s->input);
    if (code == CLI_DONE && fls_writer_open(&s->writer, sink, &options, &err) != FLS_OK) {
        code = cli_complain_error(s->job, s->job->common.output, &err);
    }
    return code;
}

static void drop_writer(sorting *s)
{
    if (s->writer != NULL) {
        fls_writer_abort(s->writer);
    }
    s->writer = NULL;
}

static int close_writer(sorting *s)
{
    fls_error err = FLS_ERROR_INIT;
    cli_progress_say(&s->job->progress, "waiting for the disk");
    fls_status status = fls_writer_close(s->writer, &err);
    s->writer = NULL;
    return status == FLS_OK ? CLI_DONE : cli_write_failed(s->job, s->job->common.output, &err);
}

/* ---- what is in order already is copied ---- */

static int copy_one(void *self, const fls_message *message)
{
    sorting *s = self;
    fls_sort_key key;
    fls_value value;
    cli_sort_key_of(&s->keys, message, &key, &value);
    if (s->copied > 0 && fls_sort_key_compare(&s->last.key, &key, s->reverse) > 0) {
        s->out_of_order = 1;
        return 1;
    }
    if (!cli_kept_key_set(&s->last, &key)) {
        s->failed = cli_complain_errno(s->job, NULL, NULL, ENOMEM);
    } else if (fls_writer_write(s->writer, message->payload, message->size, &s->err) != FLS_OK) {
        s->failed = cli_write_failed(s->job, s->job->common.output, &s->err);
    }
    s->copied++;
    return s->failed != CLI_DONE;
}

/* Copies to the first message that is out of order; then nothing has been done but reading. */
static int copy_ordered(sorting *s)
{
    cli_walker walker = {copy_one, NULL, s, NULL, NULL};
    int code = open_writer(s);
    if (code == CLI_DONE) {
        code = cli_walk(&s->input, s->reader, &walker);
        code = s->failed != CLI_DONE ? s->failed : code;
    }
    if (code == CLI_DONE && !s->out_of_order) {
        return close_writer(s);
    }
    drop_writer(s);
    return code;
}

static int read_again(sorting *s)
{
    s->job->common.checksum = cli_input_checksum(&s->input, s->reader);
    fls_reader_close(s->reader);
    s->reader = NULL;
    s->input.bytes = 0;
    if (lseek(s->input.fd, 0, SEEK_SET) != 0) {
        return cli_complain_errno(s->job, s->input.name, NULL, errno);
    }
    return cli_reader_open(&s->input, &s->reader, NULL, 0);
}

/* ---- sorting ---- */

static int interrupted(void *self)
{
    (void)self;
    return cli_interrupt_pending();
}

/* Where OUT is, or where temporary files go. */
static int find_directory(sorting *s)
{
    const size_t capacity = sizeof s->directory;
    const char *output = s->job->common.output;
    const char *given = s->temporary;
    if (given == NULL && cli_is_stdout(output)) {
        given = getenv("TMPDIR");
        given = given != NULL && *given != '\0' ? given : "/var/tmp";
    }
    const char *slash = given == NULL ? strrchr(output, '/') : NULL;
    int length;
    if (given != NULL) {
        length = snprintf(s->directory, capacity, "%s", given);
    } else if (slash != NULL) {
        length = snprintf(s->directory, capacity, "%.*s/", (int)(slash - output), output);
    } else {
        length = snprintf(s->directory, capacity, ".");
    }
    return length >= 0 && (size_t)length < capacity
               ? CLI_DONE
               : cli_complain_errno(s->job, given != NULL ? given : output, NULL, ENAMETOOLONG);
}

static int open_sorter(sorting *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_sorter_options options = FLS_SORTER_OPTIONS_INIT;
    int code = find_directory(s);
    if (code != CLI_DONE) {
        return code;
    }
    options.descending = (uint32_t)s->reverse;
    options.memory_bytes = s->memory_bytes < SIZE_MAX ? (size_t)s->memory_bytes : SIZE_MAX;
    options.directory = s->directory;
    options.stop = interrupted;
    options.threads = s->jobs != 0 ? s->jobs : fls_parallel_processors();
    if (fls_sorter_open(&s->sorter, &options, &err) != FLS_OK) {
        return cli_complain_error(s->job, NULL, &err);
    }
    return CLI_DONE;
}

static int sorter_failed(sorting *s, const fls_error *err)
{
    if (err->status == FLS_STOPPED) {
        return CLI_SYSTEM; /* a signal, by which the command ends */
    }
    int is_file = err->system_errno != 0 || err->status == FLS_IO;
    return cli_complain_error(s->job, is_file ? s->directory : NULL, err);
}

static int push_one(void *self, const fls_message *message)
{
    sorting *s = self;
    fls_sort_key key;
    fls_value value;
    cli_sort_key_of(&s->keys, message, &key, &value);
    if (fls_sorter_push(s->sorter, &key, message->payload, message->size, &s->err) == FLS_OK) {
        return 0;
    }
    s->failed = sorter_failed(s, &s->err);
    return 1;
}

static int write_sorted(sorting *s)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    while ((status = fls_sorter_next(s->sorter, &message, &err)) == FLS_OK) {
        if (fls_writer_write(s->writer, message.payload, message.size, &err) != FLS_OK) {
            return cli_write_failed(s->job, s->job->common.output, &err);
        }
        cli_progress_update(&s->job->progress, fls_writer_offset(s->writer));
    }
    return status == FLS_END ? CLI_DONE : sorter_failed(s, &err);
}

static void tell(const sorting *s)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    fls_sorter_report report = FLS_SORTER_REPORT_INIT;
    fls_sorter_get_report(s->sorter, &report);
    cli_detail(s->job, "%s messages sorted; %s runs in temporary files, %s",
               cli_count(a, report.messages), cli_count(b, report.runs),
               cli_bytes(c, (double)report.spilled_bytes));
}

static int sort_all(sorting *s)
{
    cli_walker walker = {push_one, NULL, s, NULL, NULL};
    fls_error err = FLS_ERROR_INIT;
    uint64_t size = 0;
    int code = open_writer(s); /* before the work, so that it is not in vain */
    if (code == CLI_DONE) {
        code = open_sorter(s);
    }
    if (code == CLI_DONE) {
        code = cli_walk(&s->input, s->reader, &walker);
        code = s->failed != CLI_DONE ? s->failed : code;
        size = s->input.bytes;
        fls_reader_close(s->reader);
        s->reader = NULL;
    }
    if (code == CLI_DONE) {
        cli_progress_say(&s->job->progress, "merging");
        code = fls_sorter_finish(s->sorter, &err) == FLS_OK ? CLI_DONE : sorter_failed(s, &err);
    }
    if (code == CLI_DONE) {
        cli_progress_start(&s->job->progress, "sort: writing", size, s->job->progress.enabled);
        code = write_sorted(s);
    }
    if (code == CLI_DONE) {
        code = close_writer(s);
    }
    if (code == CLI_DONE) {
        tell(s);
    }
    drop_writer(s);
    fls_sorter_close(s->sorter);
    return code;
}

/* ---- the command ---- */

static int sort_input(void *self)
{
    sorting *s = self;
    int may_copy =
        s->input.seekable && !s->input.is_journal && !cli_is_stdout(s->job->common.output);
    int code = CLI_DONE;
    if (may_copy) {
        code = copy_ordered(s);
        if (code != CLI_DONE || !s->out_of_order) {
            return code;
        }
        code = read_again(s);
    }
    return code == CLI_DONE ? sort_all(s) : code;
}

static int run_on(sorting *s, const char *path)
{
    int code = cli_schemas_require(&s->schemas, s->job, "--by");
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_sort_keys_open(&s->keys, s->job, &s->schemas, s->by);
    if (code == CLI_DONE) {
        code = cli_input_use(&s->input, &s->reader, s->job, path, sort_input, s);
        cli_sort_keys_close(&s->keys);
    }
    cli_kept_key_free(&s->last);
    cli_schemas_close(&s->schemas);
    return code;
}

static int take_option(sorting *s, int id, const char *argument)
{
    switch (id) {
    case ID_BY: s->by = argument; return CLI_DONE;
    case ID_REVERSE: s->reverse = 1; return CLI_DONE;
    case ID_TEMPORARY: s->temporary = argument; return CLI_DONE;
    case 'j': return cli_parallel_take(s->job, argument, &s->jobs);
    case ID_TO: return cli_take_to(s->job, argument, &s->to);
    default:
        return cli_parse_size(argument, &s->memory_bytes) &&
                       s->memory_bytes >= FLS_SORT_LEAST_MEMORY
                   ? CLI_DONE
                   : cli_usage(s->job, "'%s' is not a limit on memory: 256Ki or more", argument);
    }
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    sorting s = {.job = job, .err = FLS_ERROR_INIT};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (take_option(&s, id, argument) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    if (s.by == NULL) {
        return cli_usage(job, "by what? --by PATH");
    }
    int code = cli_stream_output(job);
    if (code == CLI_DONE) {
        code = cli_one_operand(job, &path);
    }
    return code == CLI_DONE ? run_on(&s, path) : code;
}

const cli_command cli_cmd_sort = {"sort",
                                  "messages in the order of a value in them",
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
