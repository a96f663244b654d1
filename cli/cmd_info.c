/* flatstream info: what a stream is and whether it is whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "input.h"
#include "journal_input.h"
#include "journal_show.h"
#include "report.h"
#include "sizes.h"
#include "type_counts.h"

enum { ID_TIME = CLI_ID_FIRST, ID_TIME_UNIT };

static const char *const synopsis[] = {
    "[-c ALGO] [-s SCHEMA [-r TYPE] [--time PATH]] [-j N] [--json] FILE", NULL};
static const char *const description[] = {
    "Reads a stream once and tells its checksum, how many messages and bytes it has, how large the "
    "messages are, and how it ends: clean, with a torn tail (an incomplete last message), with a "
    "zero tail (zero bytes that were never messages), or damaged.",
    "With -s each message is checked against its schema too, and there are figures for each type, "
    "and the time from the first message to the last. A message that is refused is counted as "
    "such.",
    "Messages, sizes and bytes are those up to the first fault; of a journal those before and "
    "behind "
    "what is damaged. Quantiles of sizes are exact for "
    "up to 65,536 different sizes, and within one per cent beyond that.",
    NULL};
static const cli_option option_table[] = {
    {ID_TIME, "time", "PATH",
     "The field that is a message's time. Unless given, the first number of the root whose name "
     "has 'time' in it or begins with ts_, and ends in _ns, _us, _ms or _s."},
    {ID_TIME_UNIT, "time-unit", "UNIT",
     "What the time counts, where its name does not say: ns, us, ms or s."},
    CLI_JOBS_OPTION,
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"checksum", "none, crc16, crc32 or xxh3; null for an empty stream, which fits each."},
    {"messages", "Sound messages before the end or the first fault."},
    {"payload_bytes", "Bytes of their payloads."},
    {"stream_bytes", "Bytes of the whole stream."},
    {"end", "clean, torn_tail, zero_tail or damaged."},
    {"last_good_offset", "Where the last of those messages ends."},
    {"size_min, size_median, size_p99, size_max",
     "Sizes of payloads in bytes; a quantile is the smallest size that so many messages do not "
     "exceed. null without messages."},
    {"histogram", "A list of from, to and messages: how many payloads have from..to bytes."},
    {"types", "With -s: a list of type, schema (the file), schema_hash, identifier, messages and "
              "payload_bytes, of sound messages."},
    {"refused, refusal",
     "With -s: how many messages are of no type or not sound; offset, ordinal, kind and detail of "
     "the first, or null."},
    {"time", "With -s: path, first_ns, last_ns (the least and the largest, in nanoseconds) and "
             "messages (that "
             "have one), or null."},
    {"journal", "Of a journal only: " CLI_JOURNAL_KEYS ", lost_messages (that damage took, as far "
                "as known)."},
    {"fault", "offset, ordinal, kind and detail of what is wrong, or null."},
    {"ok", "Whether the stream is clean and nothing was refused."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "The stream is clean."},
                                 {"1", "It is not, its checksum cannot be proven, or a message is "
                                       "refused."},
                                 {"2", "Wrong usage."},
                                 {"3", "It cannot be read."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream info capture.fls", "All about a capture:"},
    {"flatstream info -s telemetry.fbs capture.fls", "And is it telemetry?"},
    {"flatstream info --json capture.fls | jq .messages", "One figure of it:"},
    {"ssh host cat capture.fls | flatstream info -c xxh3 -", "A stream from a pipe:"},
    {NULL, NULL}};

typedef struct figures {
    cli_job *job;
    uint32_t jobs;
    int no_memory;
    cli_sizes sizes;
    cli_type_counts types;
    fls_journal_info journal; /* of a journal */
} figures;

/* 0 when there is no memory. */
static int add(figures *found, const fls_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cli_type_counts_add(&found->types, &found->types.all, &messages[i]);
        if (!cli_sizes_add(&found->sizes, messages[i].size)) {
            return 0;
        }
    }
    return 1;
}

/* ---- on several threads ---- */

/* Of one piece. */
typedef struct part {
    cli_sizes sizes;
    cli_type_tally types;
    int ready;
} part;

static void *make_part(void *self)
{
    part *made = calloc(1, sizeof *made);
    (void)self;
    return made;
}

static void dispose_part(void *self, void *result)
{
    part *p = result;
    (void)self;
    cli_sizes_free(&p->sizes);
    free(p);
}

static void begin_part(void *self, void *result)
{
    part *p = result;
    (void)self;
    p->ready = cli_sizes_clear(&p->sizes);
    memset(&p->types, 0, sizeof p->types);
}

static fls_status take_part(void *self, void *result, const fls_message *messages, size_t count,
                            size_t *taken, fls_error *err)
{
    figures *found = self;
    part *p = result;
    (void)err;
    for (*taken = 0; *taken < count; ++*taken) {
        if (!p->ready || !cli_sizes_add(&p->sizes, messages[*taken].size)) {
            return FLS_STOPPED;
        }
        cli_type_counts_add(&found->types, &p->types, &messages[*taken]);
    }
    return FLS_OK;
}

static fls_status collect_part(void *self, void *result, const fls_parallel_piece *piece,
                               fls_error *err)
{
    figures *found = self;
    const part *p = result;
    (void)err;
    cli_progress_update(&found->job->progress, piece->to);
    found->no_memory = !cli_sizes_merge(&found->sizes, &p->sizes);
    cli_type_tally_merge(&found->types.all, &p->types, piece->first_ordinal);
    return found->no_memory ? FLS_STOPPED : FLS_OK;
}

static fls_status count_in_parallel(cli_parallel *parallel, fls_reader **reader, figures *found,
                                    fls_error *err)
{
    const fls_parallel_work work = {sizeof work,  0,          found,     make_part,
                                    dispose_part, begin_part, take_part, collect_part};
    uint64_t messages;
    return cli_parallel_read(parallel, reader, &work, &messages, err);
}

/* Reads until the end or a fault. *status says which; CLI_DONE when that is about the data. */
static int walk(cli_input *input, fls_reader **reader, figures *found, fls_status *status,
                fls_error *err)
{
    cli_parallel parallel = {.input = input, .jobs = found->jobs};
    fls_message messages[CLI_BATCH];
    size_t count = 0;
    *status = FLS_OK;
    while (*status == FLS_OK && !found->no_memory) {
        if (!input->is_journal && cli_parallel_pays(&parallel, *reader)) {
            *status = count_in_parallel(&parallel, reader, found, err);
            continue;
        }
        *status = input->is_journal
                      ? cli_journal_input_next(input, messages, &count, err)
                      : fls_reader_next_batch(*reader, messages, CLI_BATCH, &count, err);
        found->no_memory = *status == FLS_OK && !add(found, messages, count);
    }
    if (found->no_memory) {
        fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
        return cli_complain_error(input->job, NULL, err);
    }
    if (*status == FLS_END || fls_status_class_of(*status) == FLS_CLASS_DAMAGE) {
        return CLI_DONE;
    }
    return cli_complain_error(input->job, input->name, err);
}

static void put_size(cli_json *json, const char *key, const cli_sizes *sizes, uint64_t size)
{
    if (sizes->messages == 0) {
        cli_json_null(json, key);
    } else {
        cli_json_count(json, key, size);
    }
}

static uint64_t quantile(cli_sizes *sizes, double share)
{
    return sizes->messages == 0 ? 0 : cli_sizes_quantile(sizes, share);
}

static uint64_t class_from(unsigned class)
{
    return class == 0 ? 0 : (uint64_t)1 << (class - 1);
}

static uint64_t class_to(unsigned class)
{
    return ((uint64_t)1 << class) - 1;
}

static void put_histogram(cli_json *json, const cli_sizes *sizes)
{
    uint64_t counts[CLI_SIZE_CLASSES];
    cli_sizes_classes(sizes, counts);
    cli_json_open_list(json, "histogram");
    for (unsigned class = 0; class < CLI_SIZE_CLASSES; class ++) {
        if (counts[class] > 0) {
            cli_json_open_object(json, NULL);
            cli_json_count(json, "from", class_from(class));
            cli_json_count(json, "to", class_to(class));
            cli_json_count(json, "messages", counts[class]);
            cli_json_close_object(json);
        }
    }
    cli_json_close_list(json);
}

static int is_sound(const figures *found, const fls_recover_report *ending)
{
    return ending->end == FLS_STREAM_CLEAN && found->types.all.refused == 0;
}

static void put_json(cli_out *out, const cli_input *input, figures *found,
                     const fls_recover_report *ending)
{
    cli_sizes *sizes = &found->sizes;
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "file", input->path);
    cli_json_checksum(&json, ending->checksum);
    cli_json_count(&json, "messages", sizes->messages);
    cli_json_count(&json, "payload_bytes", sizes->bytes);
    cli_json_count(&json, "stream_bytes", ending->stream_bytes);
    cli_json_text(&json, "end", fls_stream_end_name(ending->end));
    cli_json_count(&json, "last_good_offset", ending->last_good_offset);
    put_size(&json, "size_min", sizes, sizes->min);
    put_size(&json, "size_median", sizes, quantile(sizes, 0.5));
    put_size(&json, "size_p99", sizes, quantile(sizes, 0.99));
    put_size(&json, "size_max", sizes, sizes->max);
    put_histogram(&json, sizes);
    cli_type_counts_put_json(&json, &found->types);
    if (input->is_journal) {
        cli_json_open_object(&json, "journal");
        cli_journal_put_json(&json, &found->journal);
        cli_json_count(&json, "lost_messages", input->lost);
        cli_json_close_object(&json);
    }
    if (ending->end == FLS_STREAM_CLEAN) {
        cli_json_null(&json, "fault");
    } else {
        cli_json_fault(&json, "fault", &ending->fault, cli_fault_kind_at_end(ending));
    }
    cli_json_bool(&json, "ok", is_sound(found, ending));
    cli_json_end(&json);
}

/* Without a checksum nothing can be said about messages. */
static void put_json_unproven(cli_out *out, const cli_input *input, const fls_error *err)
{
    static const char *const unknown[] = {
        "checksum", "messages",    "payload_bytes", "stream_bytes", "end",      "last_good_offset",
        "size_min", "size_median", "size_p99",      "size_max",     "histogram"};
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "file", input->path);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cli_json_null(&json, unknown[i]);
    }
    cli_json_fault(&json, "fault", err, cli_fault_kind(err->status));
    cli_json_bool(&json, "ok", 0);
    cli_json_end(&json);
}

static int report_unproven(cli_input *input, const fls_error *err)
{
    cli_out out;
    int code = cli_complain_read(input, err);
    if (input->job->common.json && cli_out_open(&out, input->job, NULL, NULL) == CLI_DONE) {
        put_json_unproven(&out, input, err);
        code = cli_out_end(&out, code);
    }
    return code;
}

static void print_histogram(cli_out *out, const cli_sizes *sizes)
{
    static const char bar[] = "########################################";
    uint64_t counts[CLI_SIZE_CLASSES];
    uint64_t most = 0;
    char from[CLI_NUMBER];
    char to[CLI_NUMBER];
    char many[CLI_NUMBER];
    cli_sizes_classes(sizes, counts);
    for (unsigned class = 0; class < CLI_SIZE_CLASSES; class ++) {
        most = counts[class] > most ? counts[class] : most;
    }
    for (unsigned class = 0; class < CLI_SIZE_CLASSES; class ++) {
        if (counts[class] > 0) {
            double share = (double)counts[class] / (double)most;
            int cells = (int)(share * (double)(sizeof bar - 1));
            cli_out_format(out, "  %13s .. %-13s %13s  %.*s\n", cli_count(from, class_from(class)),
                           cli_count(to, class_to(class)), cli_count(many, counts[class]),
                           cells > 0 ? cells : 1, bar);
        }
    }
}

static void print_sizes(cli_out *out, cli_sizes *sizes)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    char d[CLI_NUMBER];
    if (sizes->messages == 0) {
        return;
    }
    cli_out_format(out, "sizes        min %s, median %s, p99 %s, max %s bytes\n",
                   cli_count(a, sizes->min), cli_count(b, quantile(sizes, 0.5)),
                   cli_count(c, quantile(sizes, 0.99)), cli_count(d, sizes->max));
    if (sizes->min != sizes->max) {
        print_histogram(out, sizes);
    }
}

static void print_end(cli_out *out, const cli_input *input, const fls_recover_report *ending)
{
    char sentence[400];
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    cli_out_format(out, "end          %s", fls_stream_end_name(ending->end));
    if (ending->end != FLS_STREAM_CLEAN) {
        cli_error_sentence(&ending->fault, sentence, sizeof sentence);
        cli_out_format(out, " at offset %s, message %s\n             %s",
                       cli_count(a, ending->fault.offset), cli_count(b, ending->fault.ordinal),
                       sentence);
        if (ending->proof_found) {
            cli_proof_sentence(ending->fault.offset, ending->proof_offset, sentence,
                               sizeof sentence);
            cli_out_format(out, "\n             %s", sentence);
        }
        if (input->is_journal) {
            cli_out_format(out,
                           "\n             %s messages are lost by damage in %s place%s; "
                           "'flatstream verify' looks at all of it",
                           cli_count(a, input->lost), cli_count(b, input->damages),
                           input->damages == 1 ? "" : "s");
        } else if (ending->end != FLS_STREAM_DAMAGED) {
            cli_out_text(out, "\n             'flatstream recover --truncate' can cut it off");
        }
    }
    cli_out_text(out, "\n");
}

static void print(cli_out *out, const cli_input *input, figures *found,
                  const fls_recover_report *ending)
{
    cli_sizes *sizes = &found->sizes;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    fls_checksum asked = input->job->common.checksum;
    int by_proof =
        !input->is_journal && (asked == FLS_CHECKSUM_DEFAULT || asked == FLS_CHECKSUM_DETECT);
    cli_out_format(out, "%s\n", input->name);
    if (ending->checksum == FLS_CHECKSUM_DETECT) {
        cli_out_text(out, "checksum     any (there is nothing in the stream)\n");
    } else {
        cli_out_format(out, "checksum     %s%s\n", fls_checksum_name(ending->checksum),
                       by_proof ? ", found by proof" : "");
    }
    cli_out_format(out, "messages     %s\n", cli_count(a, sizes->messages));
    cli_out_format(out, "stream       %s bytes (%s)\n", cli_count(a, ending->stream_bytes),
                   cli_bytes(b, (double)ending->stream_bytes));
    cli_out_format(out, "payloads     %s bytes", cli_count(a, sizes->bytes));
    if (ending->last_good_offset > 0) {
        cli_out_format(out, " (%.1f %% of the sound part)",
                       100.0 * (double)sizes->bytes / (double)ending->last_good_offset);
    }
    cli_out_text(out, "\n");
    print_sizes(out, sizes);
    cli_type_counts_print(out, &found->types);
    if (input->is_journal) {
        cli_journal_print(out, &found->journal);
    }
    print_end(out, input, ending);
}

/* A journal has one end, and no tail: its reader stops before what is not whole. */
static int judge_journal(cli_input *input, fls_status status, const fls_error *fault,
                         figures *found, fls_recover_report *ending)
{
    fls_error err = FLS_ERROR_INIT;
    found->journal = (fls_journal_info)FLS_JOURNAL_INFO_INIT;
    if (fls_journal_inspect(input->path, &found->journal, NULL, NULL, &err) != FLS_OK) {
        return cli_journal_complain(input->job, input->name, &err);
    }
    ending->checksum = fls_journal_reader_checksum(input->journal);
    int is_whole = status == FLS_END && input->damages == 0;
    ending->end = is_whole ? FLS_STREAM_CLEAN : FLS_STREAM_DAMAGED;
    ending->stream_bytes = found->journal.bytes;
    ending->last_good_offset =
        found->sizes.bytes +
        found->sizes.messages * (FLS_LENGTH_BYTES + fls_checksum_width(ending->checksum));
    ending->fault = input->damages > 0 ? input->first_fault : *fault;
    return CLI_DONE;
}

/* How the stream ends. CLI_DONE when the report is whole. */
static int judge(cli_input *input, fls_reader *reader, fls_status status, const fls_error *fault,
                 figures *found, fls_recover_report *ending)
{
    fls_error err = FLS_ERROR_INIT;
    if (input->is_journal) {
        return judge_journal(input, status, fault, found, ending);
    }
    if (fls_reader_ending(reader, status, fault, ending, &err) != FLS_OK) {
        return cli_complain_error(input->job, input->name, &err);
    }
    int code = cli_input_drain(input);
    ending->stream_bytes = cli_input_size(input);
    return code;
}

static int report(cli_input *input, fls_reader **reader, figures *found)
{
    fls_recover_report ending = FLS_RECOVER_REPORT_INIT;
    cli_out out;
    fls_error fault = FLS_ERROR_INIT;
    fls_status status;
    int code = walk(input, reader, found, &status, &fault);
    if (code != CLI_DONE) {
        return code;
    }
    if (status == FLS_CHECKSUM_UNPROVEN) {
        return report_unproven(input, &fault);
    }
    code = judge(input, *reader, status, &fault, found, &ending);
    if (code == CLI_DONE) {
        code = cli_out_open(&out, input->job, NULL, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    cli_progress_clear(&input->job->progress);
    if (input->job->common.json) {
        put_json(&out, input, found, &ending);
    } else if (!input->job->common.quiet) {
        print(&out, input, found, &ending);
    }
    return cli_out_end(&out, is_sound(found, &ending) ? CLI_DONE : CLI_DAMAGED);
}

static int run_on(cli_input *input, figures *found)
{
    fls_reader *reader = NULL;
    int code = CLI_DONE;
    if (!cli_sizes_init(&found->sizes)) {
        code = cli_complain_errno(input->job, NULL, NULL, ENOMEM);
    }
    if (code == CLI_DONE) {
        code = cli_reader_open(input, &reader, NULL, 0);
    }
    if (code == CLI_DONE) {
        code = report(input, &reader, found);
    }
    fls_reader_close(reader);
    cli_sizes_free(&found->sizes);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    const char *time_path = NULL;
    const char *time_unit = NULL;
    cli_input input;
    figures found = {.job = job};
    int code = CLI_DONE;
    int id;
    while (code == CLI_DONE && (id = cli_next_option(job, argc, argv, &argument)) > 0) {
        if (id == 'j') {
            code = cli_parallel_take(job, argument, &found.jobs);
        } else {
            *(id == ID_TIME ? &time_path : &time_unit) = argument;
        }
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (id < 0) {
        return job->option_exit;
    }
    code = cli_one_operand(job, &path);
    if (code == CLI_DONE) {
        code = cli_type_counts_open(&found.types, job, time_path, time_unit);
    }
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_input_open(&input, job, path);
    if (code == CLI_DONE) {
        code = run_on(&input, &found);
        cli_input_close(&input);
    }
    cli_type_counts_close(&found.types);
    return code;
}

const cli_command cli_cmd_info = {"info",
                                  "what a stream is: checksum, messages, sizes, and how it ends",
                                  synopsis,
                                  description,
                                  CLI_TAKES_SCHEMA | CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                      CLI_TAKES_JOURNAL | CLI_TAKES_JSON,
                                  option_table,
                                  keys,
                                  exits,
                                  examples,
                                  run};
