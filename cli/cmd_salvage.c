/* flatstream salvage: everything sound out of a damaged stream, into a new one, and a report of
 * every byte that was lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "commands.h"
#include "cores.h"
#include "input.h"
#include "report.h"
#include "spool.h"
#include "stream_index.h"

enum { ID_DRY_RUN = CLI_ID_FIRST, ID_KEEP_UNANCHORED };

static const char *const synopsis[] = {
    "[-c ALGO] [--keep-unanchored] [-j N] [--json] -o OUT FILE",
    "--dry-run [-c ALGO] [--max-frame SIZE] [-j N] [--json] FILE", NULL};
static const char *const description[] = {
    "Goes through a damaged stream and writes every message that proves sound into a new stream, "
    "OUT, "
    "which appears whole or not at all. FILE is not changed. What was recovered and what was lost "
    "are together the whole of FILE, byte by byte: each lost range is told on standard error, one "
    "line each, or in the report of --json.",
    "Where a frame does not hold, its own length is tried first, then that length with each of its "
    "bits flipped: a message of which only the length was hit is kept, and counted as repaired. "
    "Otherwise what follows is searched for the next frame that proves itself. What counts as "
    "proof "
    "depends on the checksum: with xxh3 the checksum alone; with narrower ones other sound frames "
    "beside it; without a checksum, a chain of frames.",
    "Frames that hold but are joined to nothing, neither to sound frames nor to an end of the "
    "stream, "
    "are unanchored: the payload of a lost message may itself have been a stream. They are "
    "reported, "
    "and left out unless --keep-unanchored is given.",
    "In a search, frames with more than the larger of 1 MiB and four times the largest sound "
    "message "
    "are not believed; --max-frame sets another limit. A FILE that is no regular file is first "
    "copied "
    "to a temporary one.",
    NULL};
static const cli_option option_table[] = {
    {ID_DRY_RUN, "dry-run", NULL, "Report only; write nothing."},
    {ID_KEEP_UNANCHORED, "keep-unanchored", NULL,
     "Keep messages whose frames hold but are joined to nothing."},
    CLI_JOBS_OPTION,
    {0, NULL, NULL, NULL}};
static const cli_pair keys[] = {
    {"file", "The FILE as given."},
    {"lost",
     "A list of from, to (offsets in FILE), bytes, reason, ordinal, detail; written as they are "
     "found. "
     "reason is payload (one frame, between sound ones), framing (up to the next sound frame), "
     "torn_tail, zero_tail or unanchored; ordinal counts the messages recovered before."},
    {"repaired", "A list of from, to, repair (length or checksum), ordinal."},
    {"messages", "Messages that were recovered, repaired ones included."},
    {"repaired_messages", "Of them, those of which the frame was repaired."},
    {"unanchored_messages", "Messages whose frames hold but are joined to nothing."},
    {"unanchored_bytes", "Bytes of their frames."},
    {"lost_ranges", "How many ranges were lost."},
    {"lost_bytes", "Bytes of FILE that were not recovered."},
    {"recovered_bytes", "Bytes of FILE that were; with lost_bytes all of it."},
    {"stream_bytes", "Bytes of FILE."},
    {"searches_cut_short", "Lost ranges in which the search was too costly to try everything."},
    {"checksum", "none, crc16, crc32 or xxh3; null for an empty stream, which fits each."},
    {"end", "clean, torn_tail, zero_tail or damaged: how FILE ends."},
    {"output", "The OUT as given, or null."},
    {"ok", "Whether nothing was lost."},
    {NULL, NULL}};
static const cli_pair exits[] = {{"0", "Nothing was lost."},
                                 {"1", "Something was lost, or the checksum cannot be proven."},
                                 {"2", "Wrong usage."},
                                 {"3", "FILE cannot be read, or OUT not be written."},
                                 {NULL, NULL}};
static const cli_pair examples[] = {
    {"flatstream salvage -o good.fls damaged.fls", "Save what can be saved:"},
    {"flatstream salvage --dry-run --json damaged.fls | jq '.lost[]'", "What would be lost?"},
    {NULL, NULL}};

/* A repaired message, kept for the report's second list. */
typedef struct mended {
    uint64_t from;
    uint64_t to;
    uint64_t ordinal;
    fls_salvage_repair repair;
} mended;

typedef struct rescue {
    cli_job *job;
    cli_input *input;
    int dry_run;
    int keep_unanchored;
    uint32_t jobs; /* 0: one for each processor */
    fls_salvager *salvager;
    fls_index *index; /* of the stream as it was, for its anchors; or NULL */
    fls_salvage_report report;
    cli_out out; /* the new stream */
    int writes;
    cli_out told; /* the report on standard output */
    cli_json json;
    mended *repaired;
    size_t repaired_count;
    size_t repaired_room;
    uint64_t messages; /* so far */
} rescue;

static const char *repair_name(fls_salvage_repair repair)
{
    return repair == FLS_REPAIR_LENGTH ? "length" : "checksum";
}

/* ---- telling ---- */

static void tell_lost(rescue *r, const fls_salvage_event *event)
{
    char sentence[400] = "";
    char count[CLI_NUMBER];
    int unanchored = event->kind == FLS_SALVAGE_UNANCHORED;
    const char *reason = unanchored ? "unanchored" : fls_salvage_loss_name(event->loss);
    if (unanchored) {
        (void)snprintf(sentence, sizeof sentence,
                       "%s frame%s hold%s, but nothing joins them to the stream",
                       cli_count(count, event->frames), event->frames == 1 ? "" : "s",
                       event->frames == 1 ? "s" : "");
    } else {
        cli_error_sentence(&event->fault, sentence, sizeof sentence);
    }
    if (r->job->common.json) {
        cli_json_open_object(&r->json, NULL);
        cli_json_count(&r->json, "from", event->from);
        cli_json_count(&r->json, "to", event->to);
        cli_json_count(&r->json, "bytes", event->to - event->from);
        cli_json_text(&r->json, "reason", reason);
        cli_json_count(&r->json, "ordinal", r->messages);
        cli_json_text(&r->json, "detail", sentence);
        cli_json_close_object(&r->json);
    } else if (!r->job->common.quiet) {
        cli_complain(r->job, r->input->name, "lost %llu..%llu (%s bytes): %s: %s%s",
                     (unsigned long long)event->from, (unsigned long long)event->to,
                     cli_count(count, event->to - event->from), reason, sentence,
                     event->gave_up ? " (not everything could be tried)" : "");
    }
}

static int note_repaired(rescue *r, const fls_salvage_event *event)
{
    if (!r->job->common.json) {
        cli_detail(r->job, "%s: repaired the %s of message %llu at offset %llu", r->input->name,
                   repair_name(event->repair), (unsigned long long)r->messages,
                   (unsigned long long)event->from);
        return CLI_DONE;
    }
    if (r->repaired_count == r->repaired_room) {
        size_t room = r->repaired_room == 0 ? 64 : 2 * r->repaired_room;
        mended *grown = realloc(r->repaired, room * sizeof *grown);
        if (grown == NULL) {
            return cli_complain_errno(r->job, NULL, "no memory for the report", ENOMEM);
        }
        r->repaired = grown;
        r->repaired_room = room;
    }
    const mended one = {event->from, event->to, r->messages, event->repair};
    r->repaired[r->repaired_count++] = one;
    return CLI_DONE;
}

static void begin_json(rescue *r)
{
    cli_json_begin(&r->json, &r->told);
    cli_json_text(&r->json, "file", r->input->path);
    cli_json_open_list(&r->json, "lost");
}

static void end_json(rescue *r)
{
    const fls_salvage_report *report = &r->report;
    cli_json *json = &r->json;
    cli_json_close_list(json);
    cli_json_open_list(json, "repaired");
    for (size_t i = 0; i < r->repaired_count; i++) {
        cli_json_open_object(json, NULL);
        cli_json_count(json, "from", r->repaired[i].from);
        cli_json_count(json, "to", r->repaired[i].to);
        cli_json_text(json, "repair", repair_name(r->repaired[i].repair));
        cli_json_count(json, "ordinal", r->repaired[i].ordinal);
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
    cli_json_count(json, "messages", report->messages);
    cli_json_count(json, "repaired_messages", report->repaired);
    cli_json_count(json, "unanchored_messages", report->unanchored_frames);
    cli_json_count(json, "unanchored_bytes", report->unanchored_bytes);
    cli_json_count(json, "lost_ranges", report->lost_ranges);
    cli_json_count(json, "lost_bytes", report->lost_bytes);
    cli_json_count(json, "recovered_bytes", report->stream_bytes - report->lost_bytes);
    cli_json_count(json, "stream_bytes", report->stream_bytes);
    cli_json_count(json, "searches_cut_short", report->gave_up);
    cli_json_checksum(json, report->checksum);
    cli_json_text(json, "end", report->end == 0 ? NULL : fls_stream_end_name(report->end));
    cli_json_text(json, "output", r->writes ? r->job->common.output : NULL);
    cli_json_bool(json, "ok", report->lost_bytes == 0 && report->end != 0);
    cli_json_end(json);
}

static void tell_totals(const rescue *r)
{
    const fls_salvage_report *report = &r->report;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    char d[CLI_NUMBER];
    char share[32] = "";
    if (report->lost_bytes > 0) {
        (void)snprintf(share, sizeof share, " (%.3g %%)",
                       100.0 * (double)report->lost_bytes / (double)report->stream_bytes);
    }
    cli_note(r->job,
             "%s: %s messages recovered, %s of them repaired; %s bytes lost in %s range%s%s",
             r->input->name, cli_count(a, report->messages), cli_count(b, report->repaired),
             cli_count(c, report->lost_bytes), cli_count(d, report->lost_ranges),
             report->lost_ranges == 1 ? "" : "s", share);
    if (report->unanchored_frames > 0) {
        cli_note(r->job, "%s: %s messages are unanchored and were %s", r->input->name,
                 cli_count(a, report->unanchored_frames),
                 r->keep_unanchored ? "kept" : "left out; --keep-unanchored keeps them");
    }
}

/* ---- the walk ---- */

/* How many of the messages stand in memory as in the stream, one frame behind another. */
static size_t in_a_row(const fls_message *messages, size_t count, uint32_t width)
{
    size_t row = 1;
    while (row < count && (const char *)messages[row].payload ==
                              (const char *)messages[row - 1].payload + messages[row - 1].size +
                                  FLS_LENGTH_BYTES + width) {
        row++;
    }
    return row;
}

static void put_messages(rescue *r, const fls_salvage_event *event)
{
    uint32_t width = fls_checksum_width(r->report.checksum);
    size_t row;
    for (size_t i = 0; r->writes && i < event->count; i += row) {
        fls_message message = event->messages[i];
        if (event->repair == FLS_REPAIR_CHECKSUM) { /* the one that was found is wrong */
            message.checksum =
                fls_checksum_digest(r->report.checksum, message.payload, message.size);
        }
        cli_out_frame(&r->out, &message, width);
        row = in_a_row(event->messages + i, event->count - i, width);
        const fls_message *last = &event->messages[i + row - 1];
        const char *rest = (const char *)message.payload + message.size;
        cli_out_bytes(&r->out, rest, (size_t)((const char *)last->payload + last->size - rest));
    }
    r->messages += event->count;
}

static int take(rescue *r, const fls_salvage_event *event)
{
    int kept = event->kind != FLS_SALVAGE_UNANCHORED || r->keep_unanchored;
    int code = CLI_DONE;
    if (event->kind == FLS_SALVAGE_LOST || !kept) {
        tell_lost(r, event);
        return code;
    }
    if (event->kind == FLS_SALVAGE_REPAIRED) {
        code = note_repaired(r, event);
    }
    if (r->report.checksum == FLS_CHECKSUM_DETECT) {
        fls_salvage_get_report(r->salvager, &r->report);
    }
    put_messages(r, event);
    cli_progress_update(&r->job->progress, event->to);
    return code;
}

static int walk(rescue *r)
{
    fls_salvage_event event;
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    int code = CLI_DONE;
    while (code == CLI_DONE && (!r->writes || r->out.status == FLS_OK) &&
           (status = fls_salvage_next(r->salvager, &event, &err)) == FLS_OK) {
        code = take(r, &event);
    }
    fls_salvage_get_report(r->salvager, &r->report);
    if (status == FLS_OK || status == FLS_END) {
        return code;
    }
    return cli_complain_read(r->input, &err);
}

static int open_salvager(rescue *r, const fls_source *source)
{
    fls_error err = FLS_ERROR_INIT;
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    const cli_common *common = &r->job->common;
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    options.search_frame_bytes = common->max_frame_bytes;
    options.keep_unanchored = (uint32_t)r->keep_unanchored;
    options.threads = cli_parallel_threads(r->input, r->jobs);
    r->index = cli_index_beside(r->input);
    if (r->index != NULL) {
        fls_index_anchors(r->index, &options.anchors);
        cli_detail(r->job, "%s: its index says where %zu messages begin", r->input->name,
                   options.anchors.count);
    }
    if (fls_salvage_open(&r->salvager, source, &options, &err) != FLS_OK) {
        return cli_complain_error(r->job, r->input->name, &err);
    }
    return CLI_DONE;
}

/* The new stream appears also when something was lost: that is what it is for. */
static int rescue_to_end(rescue *r)
{
    int json = r->job->common.json;
    if (json) {
        begin_json(r);
    }
    int code = walk(r);
    if (r->writes) {
        if (code == CLI_DONE) {
            cli_progress_say(&r->job->progress, "waiting for the disk");
        }
        code = cli_out_end(&r->out, code);
    }
    if (json) {
        end_json(r);
    } else if (code == CLI_DONE) {
        tell_totals(r);
    }
    return code == CLI_DONE && r->report.lost_bytes > 0 ? CLI_DAMAGED : code;
}

static int with_salvager(rescue *r, const fls_source *source)
{
    int code = open_salvager(r, source);
    if (code == CLI_DONE && !r->dry_run) {
        code = cli_out_open(&r->out, r->job, r->job->common.output, r->input);
        r->writes = code == CLI_DONE;
    }
    if (code == CLI_DONE && r->job->common.json) {
        code = cli_out_open(&r->told, r->job, NULL, NULL);
        if (code == CLI_DONE) {
            code = cli_out_end(&r->told, rescue_to_end(r));
        }
    } else if (code == CLI_DONE) {
        code = rescue_to_end(r);
    }
    fls_salvage_close(r->salvager);
    fls_index_close(r->index);
    free(r->repaired);
    return code;
}

static int run_on(rescue *r, const char *path)
{
    cli_spool spool;
    r->report = (fls_salvage_report)FLS_SALVAGE_REPORT_INIT;
    r->report.checksum = FLS_CHECKSUM_DETECT;
    int code = cli_input_open(r->input, r->job, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_spool_open(&spool, r->input);
    if (code == CLI_DONE) {
        code = with_salvager(r, &spool.source);
        cli_spool_close(&spool);
    }
    cli_input_close(r->input);
    return code;
}

static int run(cli_job *job, int argc, char **argv)
{
    const char *argument;
    const char *path;
    cli_input input;
    rescue r = {.job = job, .input = &input};
    int id;
    while ((id = cli_next_option(job, argc, argv, &argument)) > 0) {
        r.dry_run |= id == ID_DRY_RUN;
        r.keep_unanchored |= id == ID_KEEP_UNANCHORED;
        if (id == 'j' && cli_parallel_take(job, argument, &r.jobs) != CLI_DONE) {
            return CLI_USAGE;
        }
    }
    if (id < 0) {
        return job->option_exit;
    }
    const char *output = job->common.output;
    if (r.dry_run && output != NULL) {
        return cli_usage(job, "--dry-run writes nothing: leave -o away");
    }
    if (!r.dry_run && output == NULL) {
        return cli_usage(job, "where to? -o OUT, or --dry-run for the report alone");
    }
    if (!r.dry_run && job->common.json && cli_is_stdout(output)) {
        return cli_usage(job, "the report of --json and the new stream cannot both go to "
                              "standard output");
    }
    int code = cli_one_operand(job, &path);
    return code == CLI_DONE ? run_on(&r, path) : code;
}

const cli_command cli_cmd_salvage = {"salvage",
                                     "everything sound out of a damaged stream",
                                     synopsis,
                                     description,
                                     CLI_TAKES_CHECKSUM_READ | CLI_TAKES_MAX_FRAME |
                                         CLI_TAKES_JSON | CLI_TAKES_OUTPUT,
                                     option_table,
                                     keys,
                                     exits,
                                     examples,
                                     run};
