/* flatstream recover: the intact prefix of a stream, how it ends, and cutting off a tail that was
 * never a message.
 */
#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "input.h"
#include "report.h"

enum { ID_TRUNCATE = CLI_ID_FIRST, ID_DISCARD };

static const char *const synopsis[] = {
    "[-c ALGO] [--max-frame SIZE] [--truncate [--discard]] [--json] FILE", NULL};
static const char *const description[] = {
    "Reports the intact prefix of a stream and how the stream ends: clean; with a torn tail, an "
    "incomplete last message behind which nothing sound can be proven; with a zero tail, zero "
    "bytes that were never messages; or damaged, anything else. The stream is not changed.",
    "--truncate cuts a torn or zero tail off, and nothing else, under the stream's lock. What it "
    "cuts is kept as FILE.cut-OFFSET, unless --discard is given. A damaged stream is never cut: "
    "sound messages may follow the damage.",
    NULL};
static const cli_option option_table[] = {
    {ID_TRUNCATE, "truncate", NULL, "Cut a torn or zero tail off."},
    {ID_DISCARD, "discard", NULL, "With --truncate: do not keep what is cut."},
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"checksum", "none, crc16, crc32 or xxh3; null for an empty stream, which fits each."},
    {"frames", "Sound messages before the end or the fault."},
    {"payload_bytes", "Bytes of their payloads."},
    {"last_good_offset", "Where the last of them ends."},
    {"stream_bytes", "Bytes of the stream as it was found."},
    {"end", "clean, torn_tail, zero_tail or damaged, as it was found."},
    {"truncated_bytes", "Bytes that were cut off; 0 without --truncate."},
    {"cut_file", "Where they were kept, or null."},
    {"fault", "offset, ordinal, kind and detail of what is wrong, or null."},
    {"proof_offset", "Where a sound message was proven behind the fault, or null."},
    {"ok", "Whether the stream is clean now."},
    {NULL, NULL}};
static const cli_pair exits[] = {
    {"0", "The stream was clean, or is clean now."},
    {"1", "It has a tail that was not cut, or is damaged, or its checksum cannot be proven."},
    {"2", "Wrong usage."},
    {"3", "It cannot be read or changed, or another writer has the lock."},
    {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream recover capture.fls", "What did the crash leave?"},
    {"flatstream recover --truncate capture.fls", "Cut the torn tail, so that writing can go on:"},
    {NULL, NULL}};

typedef struct recovery {
    cli_job *job;
    const char *path;
    const char *name;
    int truncate;
    int discard;
    int unproven; /* the checksum could not be found, so nothing else could be */
    fls_recover_report report;
} recovery;

static void progress(void *self, uint64_t bytes)
{
    cli_job *job = self;
    cli_progress_update(&job->progress, bytes);
}

static fls_recover_options options_of(recovery *r)
{
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    const cli_common *common = &r->job->common;
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    options.discard_cut = (uint32_t)r->discard;
    return options;
}

static int recover_source(recovery *r, cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    fls_recover_options options = options_of(r);
    fls_source source = cli_input_source(input);
    fls_status status = fls_recover(&source, &options, &r->report, &err);
    if (status != FLS_OK) {
        r->unproven = status == FLS_CHECKSUM_UNPROVEN;
        r->report.fault = err;
        return cli_complain_read(input, &err);
    }
    int code = cli_input_drain(input);
    r->report.stream_bytes = cli_input_size(input);
    return code;
}

/* CLI_DONE also when there was damage: the report says so. */
static int truncate_file(recovery *r, cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    fls_recover_options options = options_of(r);
    options.progress = progress;
    options.progress_self = r->job;
    fls_status status = fls_recover_truncate(r->path, &options, &r->report, &err);
    int told = r->report.end == FLS_STREAM_DAMAGED && err.known & FLS_ERROR_OFFSET &&
               fls_status_class_of(status) == FLS_CLASS_DAMAGE;
    if (status == FLS_OK || told) {
        return CLI_DONE;
    }
    r->unproven = status == FLS_CHECKSUM_UNPROVEN;
    r->report.fault = err;
    return cli_complain_read(input, &err);
}

static int is_clean_now(const recovery *r)
{
    return r->report.end == FLS_STREAM_CLEAN ||
           (r->truncate && r->report.end != FLS_STREAM_DAMAGED);
}

static void cut_file(const recovery *r, char *buffer, size_t capacity)
{
    snprintf(buffer, capacity, "%s%s", r->path, r->report.cut_suffix);
}

static void put_json(cli_out *out, const recovery *r)
{
    const fls_recover_report *report = &r->report;
    char kept[4400];
    cli_json json;
    cut_file(r, kept, sizeof kept);
    cli_json_begin(&json, out);
    cli_json_text(&json, "file", r->path);
    cli_json_checksum(&json, report->checksum);
    cli_json_count(&json, "frames", report->frames);
    cli_json_count(&json, "payload_bytes", report->payload_bytes);
    cli_json_count(&json, "last_good_offset", report->last_good_offset);
    cli_json_count(&json, "stream_bytes", report->stream_bytes);
    cli_json_text(&json, "end", fls_stream_end_name(report->end));
    cli_json_count(&json, "truncated_bytes", report->truncated_bytes);
    cli_json_text(&json, "cut_file", report->cut_suffix[0] != '\0' ? kept : NULL);
    if (report->end == FLS_STREAM_CLEAN) {
        cli_json_null(&json, "fault");
    } else {
        cli_json_fault(&json, "fault", &report->fault, cli_fault_kind_at_end(report));
    }
    if (report->proof_found) {
        cli_json_count(&json, "proof_offset", report->proof_offset);
    } else {
        cli_json_null(&json, "proof_offset");
    }
    cli_json_bool(&json, "ok", is_clean_now(r));
    cli_json_end(&json);
}

static int put_json_unproven(const recovery *r, int code)
{
    static const char *const unknown[] = {"checksum",         "frames",       "payload_bytes",
                                          "last_good_offset", "stream_bytes", "end"};
    cli_out out;
    cli_json json;
    if (cli_out_open(&out, r->job, NULL, NULL) != CLI_DONE) {
        return code;
    }
    cli_json_begin(&json, &out);
    cli_json_text(&json, "file", r->path);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cli_json_null(&json, unknown[i]);
    }
    cli_json_count(&json, "truncated_bytes", 0);
    cli_json_null(&json, "cut_file");
    cli_json_fault(&json, "fault", &r->report.fault, cli_fault_kind(FLS_CHECKSUM_UNPROVEN));
    cli_json_null(&json, "proof_offset");
    cli_json_bool(&json, "ok", 0);
    cli_json_end(&json);
    return cli_out_end(&out, code);
}

static void print_advice(cli_out *out, const recovery *r)
{
    const fls_recover_report *report = &r->report;
    char kept[4400];
    char proof[128];
    char count[CLI_NUMBER];
    if (report->truncated_bytes > 0) {
        cut_file(r, kept, sizeof kept);
        cli_out_format(out, "cut          %s bytes", cli_count(count, report->truncated_bytes));
        cli_out_format(out, report->cut_suffix[0] != '\0' ? ", kept as %s\n" : ", not kept\n",
                       kept);
    } else if (report->end == FLS_STREAM_DAMAGED && report->proof_found) {
        cli_proof_sentence(report->fault.offset, report->proof_offset, proof, sizeof proof);
        cli_out_format(out, "not cut      %s\n", proof);
    } else if (report->end == FLS_STREAM_DAMAGED) {
        cli_out_text(out, "not cut      what follows may be sound\n");
    } else if (report->end != FLS_STREAM_CLEAN) {
        cli_out_format(out, "not cut      --truncate cuts %s bytes\n",
                       cli_count(count, report->stream_bytes - report->last_good_offset));
    }
}

static void print(cli_out *out, const recovery *r)
{
    const fls_recover_report *report = &r->report;
    char sentence[400];
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    cli_out_format(out, "%s\n", r->name);
    cli_out_format(out, "checksum     %s\n",
                   report->checksum == FLS_CHECKSUM_DETECT ? "any (there is nothing in the stream)"
                                                           : fls_checksum_name(report->checksum));
    cli_out_format(out, "sound        %s messages, %s bytes\n", cli_count(a, report->frames),
                   cli_count(b, report->last_good_offset));
    cli_out_format(out, "end          %s", fls_stream_end_name(report->end));
    if (report->end != FLS_STREAM_CLEAN) {
        cli_error_sentence(&report->fault, sentence, sizeof sentence);
        cli_out_format(out, " at offset %s of %s\n             %s",
                       cli_count(a, report->last_good_offset), cli_count(b, report->stream_bytes),
                       sentence);
    }
    cli_out_text(out, "\n");
    print_advice(out, r);
}

static int recover(recovery *r)
{
    cli_input input;
    cli_out out;
    int code = cli_input_open(&input, r->job, r->path);
    if (code != CLI_DONE) {
        return code;
    }
    r->name = input.name;
    if (r->truncate && !input.seekable) {
        code = cli_usage(r->job, "%s is no file that could be cut", r->name);
    } else {
        code = r->truncate ? truncate_file(r, &input) : recover_source(r, &input);
    }
    if (r->unproven && r->job->common.json) {
        code = put_json_unproven(r, code);
    }
    if (code == CLI_DONE) {
        code = cli_out_open(&out, r->job, NULL, NULL);
    }
    if (code == CLI_DONE) {
        cli_progress_clear(&r->job->progress);
        if (r->job->common.json) {
            put_json(&out, r);
        } else if (!r->job->common.quiet) {
            print(&out, r);
        }
        code = cli_out_end(&out, is_clean_now(r) ? CLI_DONE : CLI_DAMAGED);
    }
    cli_input_close(&input);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    recovery r = {.job = job, .report = FLS_RECOVER_REPORT_INIT};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        r.truncate |= id == ID_TRUNCATE;
        r.discard |= id == ID_DISCARD;
    }
    if (id < 0) {
        return job->option_exit;
    }
    int code = cli_one_operand(job, &r.path);
    if (code == CLI_DONE && r.truncate && strcmp(r.path, "-") == 0) {
        code = cli_usage(job, "--truncate needs the name of the file");
    }
    if (code == CLI_DONE && r.discard && !r.truncate) {
        code = cli_usage(job, "--discard goes with --truncate");
    }
    return code == CLI_DONE ? recover(&r) : code;
}

const cli_command cli_cmd_recover = {"recover",
                                     "report the intact prefix; cut a torn or zero tail",
                                     synopsis,
                                     description,
                                     CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME | CLI_TAKES_JSON,
                                     option_table,
                                     keys,
                                     exits,
                                     examples,
                                     run};
