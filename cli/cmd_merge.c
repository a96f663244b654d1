/* flatstream merge: streams that are each in order by a value into one that is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_line.h"
#include "commands.h"
#include "framing.h"
#include "interrupt.h"
#include "journal_input.h"
#include "output.h"
#include "sort_keys.h"

enum { ID_BY = CLI_ID_FIRST, ID_BY_TIME, ID_REVERSE, ID_TO };

static const char *const synopsis[] = {
    "--by PATH -s SCHEMA [--reverse] [-c FROM] [--to ALGO] -o OUT IN...",
    "--by PATH [--reverse] [--to ALGO] -o OUT JOURNAL...",
    "--by-time [--reverse] [--to ALGO] -o OUT JOURNAL...", NULL};
static const char *const description[] = {
    "Merges streams that are each in order by a value in their messages into one that is, OUT. "
    "Messages with equal values come in the order of the INs as given, and those of one IN in "
    "their own. OUT appears whole or not at all.",
    CLI_ORDER_OF_KEYS CLI_ORDER_REVERSED,
    "An IN that is not in order is refused, with the place and both values, and so is one that is "
    "not sound to its end: OUT does not appear then. 'flatstream sort' puts a stream in order. The "
    "INs may have different checksums, each found by proof unless -c names one for all. All of "
    "them "
    "are open at once; memory is some 32 KiB to 400 KiB for each.",
    "An IN may be a journal, and where no schema is given each is read with its own, those of each "
    "segment; streams need one. With --by-time all INs are journals, and are merged by the times "
    "of "
    "receipt. A "
    "damaged journal gives everything that is sound, and exit code 1; OUT appears all the same.",
    "To put one stream behind another whatever is in it, cat(1) will do where their checksums are "
    "the same.",
    NULL};
static const cli_option option_table[] = {
    {ID_BY, "by", "PATH",
     "The value, such as timestamp_ns, pose.position.x or tags[0] (docs/QUERIES.md)."},
    {ID_BY_TIME, "by-time", NULL, "Journals, by the times of receipt."},
    {ID_REVERSE, "reverse", NULL,
     "The INs are in order from the largest to the smallest, and so is OUT."},
    {ID_TO, "to", "ALGO", "Checksum of OUT: none, crc16, crc32 or xxh3, which is it unless given."},
    {0, NULL, NULL, NULL}};
static const cli_pair exits[] = {{"0", "Merged, and OUT is there."},
                                 {"1", "An IN is damaged, or not in order."},
                                 {"2", "Wrong usage."},
                                 {"3", "An IN cannot be read, or OUT not written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream merge --by timestamp_ns -s telemetry.fbs -o day.fls left.fls right.fls",
     "Two recordings of the same time into one:"},
    {"flatstream merge --by-time -o all.fls flight1 flight2", "Two journals:"},
    {NULL, NULL}};

#define LAST_TEXT 48

/* One IN. It has a job of its own, since each may be a journal. */
typedef struct lane {
    cli_job job;
    cli_input input;
    fls_reader *reader;
    cli_schemas own; /* of a journal, where none was given */
    cli_sort_keys own_keys;
    cli_sort_keys *keys;
    fls_message messages[CLI_BATCH];
    size_t count;
    size_t next;
    int ended;
    fls_sort_key key; /* of messages[next] */
    fls_value value;
    int has_last;
    cli_kept_key last; /* of the message before */
    fls_value last_value;
    char last_text[LAST_TEXT]; /* the beginning of a string */
} lane;

typedef struct merging {
    cli_job *job;
    const char *by;
    int by_time;
    int reverse;
    fls_checksum to;
    cli_schemas schemas;
    cli_sort_keys keys;
    lane *lanes;
    size_t lane_count;
    uint64_t total_bytes; /* of all inputs */
    int all_files;
    size_t *heap; /* lanes that have a message, the one with the least key first */
    size_t heap_count;
    fls_writer *writer;
} merging;

/* ---- the next message of an input ---- */

static const char *value_text(const lane *l, const fls_value *value,
                              char buffer[FLS_VALUE_TEXT_BYTES], int *size)
{
    size_t bytes;
    if (value->kind == FLS_VALUE_ABSENT || value->kind == FLS_VALUE_OBJECT) {
        *size = 4;
        return "none";
    }
    const fls_schema *schema = l->keys == NULL ? NULL : l->keys->schemas->set.types[0].schema;
    fls_value plain = *value; /* the number is what is compared */
    plain.enumeration = FLS_SCHEMA_NONE;
    const char *text = fls_value_text(&plain, schema, buffer, &bytes);
    *size = bytes < LAST_TEXT ? (int)bytes : LAST_TEXT;
    return text;
}

static int out_of_order(merging *m, lane *l)
{
    char a[FLS_VALUE_TEXT_BYTES];
    char b[FLS_VALUE_TEXT_BYTES];
    int a_size;
    int b_size;
    const fls_message *message = &l->messages[l->next];
    const char *is = value_text(l, &l->value, a, &a_size);
    const char *was = value_text(l, &l->last_value, b, &b_size);
    cli_progress_clear(&m->job->progress);
    cli_complain(m->job, l->input.name,
                 "offset %llu, message %llu: not in order: %s is %.*s, and was %.*s before%s",
                 (unsigned long long)message->offset, (unsigned long long)message->ordinal,
                 m->by_time ? "the time of receipt" : m->by, a_size, is, b_size, was,
                 m->by_time ? "" : " ('flatstream sort' puts it in order)");
    return CLI_DAMAGED;
}

static int keep_last(lane *l)
{
    l->has_last = 1;
    l->last_value = l->value;
    if (l->value.kind == FLS_VALUE_STRING) {
        size_t size = l->value.as.string.size < LAST_TEXT ? l->value.as.string.size : LAST_TEXT;
        if (size > 0) {
            memcpy(l->last_text, l->value.as.string.text, size);
        }
        l->last_value.as.string.text = l->last_text;
        l->last_value.as.string.size = size;
    }
    return cli_kept_key_set(&l->last, &l->key);
}

static int find_key(merging *m, lane *l)
{
    const fls_message *message = &l->messages[l->next];
    if (m->by_time) {
        l->value = (fls_value){.kind = FLS_VALUE_U64, .enumeration = FLS_SCHEMA_NONE};
        l->value.as.u = message->time_ns;
        fls_sort_key_of_value(&l->key, &l->value, 0);
    } else {
        cli_sort_key_of(l->keys, message, &l->key, &l->value);
    }
    if (l->has_last && fls_sort_key_compare(&l->last.key, &l->key, m->reverse) > 0) {
        return out_of_order(m, l);
    }
    return CLI_DONE;
}

static int fill(merging *m, lane *l)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status =
        l->input.is_journal
            ? cli_journal_input_next(&l->input, l->messages, &l->count, &err)
            : fls_reader_next_batch(l->reader, l->messages, CLI_BATCH, &l->count, &err);
    l->next = 0;
    if (status == FLS_OK) {
        return CLI_DONE;
    }
    l->count = 0;
    l->ended = 1;
    if (status == FLS_END || (l->input.is_journal && status == FLS_WOULD_BLOCK)) {
        return CLI_DONE;
    }
    cli_progress_clear(&m->job->progress);
    return cli_complain_read(&l->input, &err);
}

/* On to the next message of an input, if it has one. */
static int advance(merging *m, lane *l)
{
    int code = CLI_DONE;
    if (l->count > 0) {
        if (!keep_last(l)) {
            return cli_complain_errno(m->job, NULL, NULL, ENOMEM);
        }
        l->next++;
    }
    if (l->next == l->count) {
        code = fill(m, l);
    }
    return code == CLI_DONE && !l->ended ? find_key(m, l) : code;
}

/* ---- the heap ---- */

static int comes_before(const merging *m, size_t a, size_t b)
{
    int order = fls_sort_key_compare(&m->lanes[a].key, &m->lanes[b].key, m->reverse);
    return order != 0 ? order < 0 : a < b;
}

/* Lets what is at a place sink to where it belongs. */
static void sink(merging *m, size_t at)
{
    size_t moved = m->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->heap_count) {
            break;
        }
        if (child + 1 < m->heap_count && comes_before(m, m->heap[child + 1], m->heap[child])) {
            child++;
        }
        if (!comes_before(m, m->heap[child], moved)) {
            break;
        }
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = moved;
}

static int begin(merging *m)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < m->lane_count && code == CLI_DONE; i++) {
        code = advance(m, &m->lanes[i]);
        if (code == CLI_DONE && !m->lanes[i].ended) {
            m->heap[m->heap_count++] = i;
        }
    }
    for (size_t i = m->heap_count; i-- > 0;) {
        sink(m, i);
    }
    return code;
}

static int merge(merging *m)
{
    fls_error err = FLS_ERROR_INIT;
    int code = begin(m);
    while (code == CLI_DONE && m->heap_count > 0) {
        lane *l = &m->lanes[m->heap[0]];
        const fls_message *message = &l->messages[l->next];
        if (fls_writer_write(m->writer, message->payload, message->size, &err) != FLS_OK) {
            return cli_write_failed(m->job, m->job->common.output, &err);
        }
        if (fls_writer_messages(m->writer) % CLI_BATCH == 0) {
            cli_progress_update(&m->job->progress, fls_writer_offset(m->writer));
            code = cli_interrupt_pending() ? CLI_SYSTEM : CLI_DONE;
        }
        code = code == CLI_DONE ? advance(m, l) : code;
        if (l->ended) {
            m->heap[0] = m->heap[--m->heap_count];
        }
        if (m->heap_count > 0) {
            sink(m, 0);
        }
    }
    return code;
}

/* ---- inputs and output ---- */

/* Each input takes a descriptor, or a few. */
static int may_open(cli_job *job, size_t count)
{
    const rlim_t wanted = (rlim_t)count * 4 + 32;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return CLI_DONE;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)count + 16) {
        cli_complain(job, NULL,
                     "%zu files at once are more than the %llu that may be open (ulimit -n): merge "
                     "some of them first, and then the results",
                     count, (unsigned long long)limit.rlim_cur);
        return CLI_SYSTEM;
    }
    return CLI_DONE;
}

/* Many inputs share what buffers may take. */
static int open_reader(const merging *m, lane *l)
{
    const size_t all = (size_t)64 * 1024 * 1024;
    const size_t most = (size_t)256 * 1024;
    const size_t least = (size_t)16 * 1024;
    const cli_common *common = &l->job.common;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    size_t share = all / (size_t)m->job->operand_count;
    if (l->input.is_journal) {
        return cli_journal_input_read(&l->input, NULL, 0);
    }
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    options.buffer_bytes = share > most ? most : share < least ? least : share;
    if (fls_reader_open(&l->reader, cli_input_source(&l->input), &options, &err) != FLS_OK) {
        return cli_complain_error(m->job, l->input.name, &err);
    }
    return CLI_DONE;
}

/* Those of the schemas given, or of the journal's own. */
static int find_keys(merging *m, lane *l)
{
    l->keys = &m->keys;
    if (m->job->common.type_count > 0) {
        return CLI_DONE;
    }
    int code = cli_schemas_require(&l->own, &l->job, "--by");
    if (code == CLI_DONE) {
        code = cli_sort_keys_open(&l->own_keys, &l->job, &l->own, m->by);
    }
    l->keys = &l->own_keys;
    return code;
}

/* Whether there is an order of all: strings and numbers have none. */
static int join_keys(const merging *m)
{
    for (size_t round = 0; round < 2; round++) { /* the last may be what mixes the first */
        for (size_t i = 1; i < m->lane_count; i++) {
            if (!cli_sort_keys_join(m->lanes[0].keys, m->lanes[i].keys)) {
                return cli_usage(m->job,
                                 "--by: '%s' is a string in one journal and a number in "
                                 "another",
                                 m->by);
            }
        }
    }
    return CLI_DONE;
}

static int open_lane(merging *m, const char *path)
{
    lane *l = &m->lanes[m->lane_count++];
    l->job = *m->job;
    cli_note_operand(&l->job, path);
    int code = cli_input_open(&l->input, &l->job, path);
    l->job.progress.enabled = 0; /* one line for all */
    if (code == CLI_DONE && m->by_time && !l->input.is_journal) {
        code = cli_usage(m->job, "%s is a stream, and knows no times of receipt: --by PATH",
                         l->input.name);
    }
    if (code == CLI_DONE && !m->by_time) {
        code = find_keys(m, l);
    }
    if (code == CLI_DONE) {
        m->all_files = m->all_files && l->input.seekable;
        m->total_bytes += l->input.is_journal ? 0 : cli_input_size(&l->input);
        code = open_reader(m, l);
    }
    return code;
}

static int open_lanes(merging *m)
{
    size_t count = (size_t)m->job->operand_count;
    m->all_files = 1;
    m->lanes = calloc(count, sizeof *m->lanes);
    m->heap = calloc(count, sizeof *m->heap);
    if (m->lanes == NULL || m->heap == NULL) {
        return cli_complain_errno(m->job, NULL, NULL, ENOMEM);
    }
    int code = may_open(m->job, count);
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        code = open_lane(m, m->job->operands[i]);
    }
    if (code == CLI_DONE && !m->by_time) {
        code = join_keys(m);
    }
    cli_progress_start(&m->job->progress, "merge", m->total_bytes,
                       m->all_files && !m->job->common.quiet);
    return code;
}

static void close_lanes(merging *m)
{
    for (size_t i = 0; i < m->lane_count; i++) {
        fls_reader_close(m->lanes[i].reader);
        cli_input_close(&m->lanes[i].input);
        cli_kept_key_free(&m->lanes[i].last);
        cli_sort_keys_close(&m->lanes[i].own_keys);
        cli_schemas_close(&m->lanes[i].own);
    }
    free(m->lanes);
    free(m->heap);
}

/* No input may be what is written. */
static int open_writer(merging *m)
{
    const char *output = m->job->common.output;
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    struct stat info;
    int is_file =
        (cli_is_stdout(output) ? fstat(STDOUT_FILENO, &info) : stat(output, &info)) == 0 &&
        S_ISREG(info.st_mode);
    for (size_t i = 0; i < m->lane_count && is_file; i++) {
        const struct stat *input = &m->lanes[i].input.info;
        if (input->st_dev == info.st_dev && input->st_ino == info.st_ino) {
            return cli_usage(m->job, "%s is an input too, and would be lost",
                             cli_is_stdout(output) ? "standard output" : output);
        }
    }
    options.checksum = m->to;
    options.max_frame_bytes = m->job->common.max_frame_bytes;
    options.allow_empty = 1;
    int code = cli_sink_open(m->job, &sink, output, NULL);
    if (code == CLI_DONE && fls_writer_open(&m->writer, sink, &options, &err) != FLS_OK) {
        code = cli_complain_error(m->job, output, &err);
    }
    return code;
}

static int close_writer(merging *m, int code)
{
    fls_error err = FLS_ERROR_INIT;
    char count[CLI_NUMBER];
    if (code != CLI_DONE) {
        if (m->writer != NULL) {
            fls_writer_abort(m->writer);
        }
        return code;
    }
    cli_progress_say(&m->job->progress, "waiting for the disk");
    uint64_t messages = fls_writer_messages(m->writer);
    if (fls_writer_close(m->writer, &err) != FLS_OK) {
        return cli_write_failed(m->job, m->job->common.output, &err);
    }
    cli_detail(m->job, "%s messages merged", cli_count(count, messages));
    for (size_t i = 0; i < m->lane_count && code == CLI_DONE; i++) {
        code = cli_input_verdict(&m->lanes[i].input, code);
    }
    return code;
}

/* ---- the command ---- */

static int merge_inputs(merging *m)
{
    int code = open_lanes(m);
    if (code == CLI_DONE) {
        code = open_writer(m);
    }
    if (code == CLI_DONE) {
        code = merge(m);
    }
    code = close_writer(m, code);
    close_lanes(m);
    return code;
}

static int merge_by_value(merging *m)
{
    if (m->job->common.type_count == 0) {
        return merge_inputs(m); /* by what the journals know */
    }
    int code = cli_schemas_require(&m->schemas, m->job, "--by");
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_sort_keys_open(&m->keys, m->job, &m->schemas, m->by);
    if (code == CLI_DONE) {
        code = merge_inputs(m);
        cli_sort_keys_close(&m->keys);
    }
    cli_schemas_close(&m->schemas);
    return code;
}

static int check_usage(const merging *m)
{
    cli_job *job = m->job;
    int standard = 0;
    if (m->by != NULL && m->by_time) {
        return cli_usage(job, "--by or --by-time, not both");
    }
    if (m->by == NULL && !m->by_time) {
        return cli_usage(job, "by what? --by PATH, or --by-time for journals");
    }
    if (job->operand_count == 0) {
        return cli_usage(job, "which streams? IN...");
    }
    for (int i = 0; i < job->operand_count; i++) {
        standard += strcmp(job->operands[i], "-") == 0;
    }
    if (standard > 1) {
        return cli_usage(job, "standard input can be read only once");
    }
    return cli_stream_output(job);
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    merging m = {.job = job};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        switch (id) {
        case ID_BY: m.by = argument; break;
        case ID_BY_TIME: m.by_time = 1; break;
        case ID_REVERSE: m.reverse = 1; break;
        default:
            if (cli_take_to(job, argument, &m.to) != CLI_DONE) {
                return CLI_USAGE;
            }
            break;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = check_usage(&m);
    if (code != CLI_DONE) {
        return code;
    }
    return m.by_time ? merge_inputs(&m) : merge_by_value(&m);
}

const cli_command cli_cmd_merge = {"merge",
                                   "streams in order into one, by a value or time of receipt",
                                   synopsis,
                                   description,
                                   CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ |
                                       CLI_TAKES_MAX_FRAME | CLI_TAKES_JOURNAL | CLI_TAKES_OUTPUT,
                                   option_table,
                                   NULL,
                                   exits,
                                   examples,
                                   run};
