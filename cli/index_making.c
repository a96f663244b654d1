/* Building, checking and showing the index of a stream. */
#include "index_making.h"

#include <errno.h>
#include <stdlib.h>

#include "complain.h"
#include "report.h"
#include "schemas.h"
#include "stream_index.h"
#include "time_field.h"

typedef struct indexing {
    cli_job *job;
    const cli_index_wishes *wishes;
    cli_input input;
    char *beside;
    const char *path; /* of the index */
    cli_schemas schemas;
    cli_time_field field;
    int timed;
    fls_index_options options;
    char fault[400]; /* what is wrong; empty: nothing */
} indexing;

/* ---- opening ---- */

static int open_input(indexing *x, const char *path)
{
    int code = cli_input_open(&x->input, x->job, path);
    if (code != CLI_DONE) {
        return code;
    }
    if (!x->input.seekable || !x->input.owned) {
        cli_input_close(&x->input);
        return cli_usage(x->job, "an index is of a file; %s is none", x->input.name);
    }
    x->beside = cli_index_path(path);
    x->path = x->job->common.output != NULL ? x->job->common.output : x->beside;
    if (x->beside == NULL) {
        cli_input_close(&x->input);
        return cli_complain_errno(x->job, NULL, NULL, ENOMEM);
    }
    return CLI_DONE;
}

static void close_input(indexing *x)
{
    free(x->beside);
    cli_input_close(&x->input);
}

static int time_of(void *self, const fls_message *message, uint64_t *time_ns)
{
    indexing *x = self;
    int64_t time = 0;
    uint32_t type = cli_schemas_select(&x->schemas, message->payload, message->size);
    if (type == FLS_SCHEMA_NONE || !cli_time_of(&x->field, message, type, &time) || time <= 0) {
        return 0;
    }
    *time_ns = (uint64_t)time;
    return 1;
}

static void progress(void *self, uint64_t bytes)
{
    cli_progress_update(&((indexing *)self)->job->progress, bytes);
}

/* Schemas and the field of --time. */
static int open_times(indexing *x)
{
    const cli_index_wishes *wishes = x->wishes;
    int code = cli_schemas_open(&x->schemas, x->job);
    if (code != CLI_DONE) {
        return code;
    }
    if (x->schemas.set.count > 0) {
        code = cli_time_field_open(&x->field, x->job, &x->schemas, wishes->time, wishes->unit);
        x->timed = code == CLI_DONE;
    } else if (wishes->time != NULL || wishes->unit != NULL) {
        code = cli_usage(x->job, "--time is of messages whose schema is given: -s SCHEMA");
    }
    if (code != CLI_DONE) {
        cli_schemas_close(&x->schemas);
    }
    return code;
}

static void close_times(indexing *x)
{
    if (x->timed) {
        cli_time_field_close(&x->field);
    }
    cli_schemas_close(&x->schemas);
}

static void set_options(indexing *x)
{
    const cli_common *common = &x->job->common;
    x->options = (fls_index_options)FLS_INDEX_OPTIONS_INIT;
    if (common->checksum != FLS_CHECKSUM_DEFAULT) {
        x->options.checksum = common->checksum;
    }
    x->options.max_frame_bytes = common->max_frame_bytes;
    x->options.threads = x->wishes->jobs;
    x->options.interval_bytes = x->wishes->interval_bytes;
    x->options.progress = progress;
    x->options.progress_self = x;
    if (x->timed) {
        x->options.time_of = time_of;
        x->options.time_self = x;
        x->options.label = x->field.column.name;
    }
}

/* ---- telling ---- */

static void say_entries(cli_json *json, const fls_index *index)
{
    fls_reader_position place;
    uint64_t time_ns;
    cli_json_open_list(json, "places");
    for (uint64_t i = 0; fls_index_entry(index, i, &place, &time_ns) == FLS_OK; i++) {
        cli_json_open_object(json, NULL);
        cli_json_count(json, "ordinal", place.ordinal);
        cli_json_count(json, "offset", place.offset);
        if (time_ns != 0) {
            cli_json_count(json, "time_ns", time_ns);
        } else {
            cli_json_null(json, "time_ns");
        }
        cli_json_close_object(json);
    }
    cli_json_close_list(json);
}

static void say_json(indexing *x, cli_out *out, const fls_index *index, const fls_index_info *info,
                     const char *label)
{
    cli_json json;
    cli_json_begin(&json, out);
    cli_json_text(&json, "file", x->input.path);
    cli_json_text(&json, "index", x->path);
    if (index != NULL) {
        say_entries(&json, index);
    }
    cli_json_checksum(&json, info->checksum);
    cli_json_count(&json, "messages", info->messages);
    cli_json_count(&json, "covered_bytes", info->covered_bytes);
    cli_json_count(&json, "stream_bytes", cli_input_size(&x->input));
    cli_json_count(&json, "payload_bytes", info->payload_bytes);
    cli_json_count(&json, "size_min", info->size_min);
    cli_json_count(&json, "size_max", info->size_max);
    cli_json_count(&json, "entries", info->entries);
    cli_json_count(&json, "interval_bytes", info->interval_bytes);
    cli_json_count(&json, "index_bytes", info->index_bytes);
    cli_json_text(&json, "time", label[0] != '\0' ? label : NULL);
    cli_json_count(&json, "timed_messages", info->timed);
    if (info->timed > 0) {
        cli_json_count(&json, "time_min_ns", info->time_min_ns);
        cli_json_count(&json, "time_max_ns", info->time_max_ns);
    } else {
        cli_json_null(&json, "time_min_ns");
        cli_json_null(&json, "time_max_ns");
    }
    cli_json_text(&json, "fault", x->fault[0] != '\0' ? x->fault : NULL);
    cli_json_bool(&json, "ok", x->fault[0] == '\0');
    cli_json_end(&json);
}

static void say_lines(indexing *x, cli_out *out, const fls_index_info *info, const char *label)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char first[CLI_TIME_TEXT];
    char last[CLI_TIME_TEXT];
    cli_out_format(out, "%-10s %s\n", "index", x->path);
    cli_out_format(out, "%-10s %s of %s bytes\n", "covers", cli_count(a, info->covered_bytes),
                   cli_count(b, cli_input_size(&x->input)));
    cli_out_format(out, "%-10s %s\n", "checksum",
                   info->messages > 0 ? fls_checksum_name(info->checksum) : "empty");
    cli_out_format(out, "%-10s %s", "messages", cli_count(a, info->messages));
    if (info->messages > 0) {
        cli_out_format(out, ", of %s bytes to %s bytes", cli_count(a, info->size_min),
                       cli_count(b, info->size_max));
    }
    cli_out_text(out, "\n");
    cli_out_format(out, "%-10s %s, each %s bytes\n", "places", cli_count(a, info->entries),
                   cli_count(b, info->interval_bytes));
    if (info->timed > 0) {
        cli_out_format(out, "%-10s %s to %s%s%s\n", "times",
                       cli_time_text(first, (int64_t)info->time_min_ns, 1),
                       cli_time_text(last, (int64_t)info->time_max_ns, 1),
                       label[0] != '\0' ? ", " : "", label);
    }
    if (x->fault[0] != '\0') {
        cli_out_format(out, "%-10s %s\n", "fault", x->fault);
    }
}

/* index NULL: without its places. people: lines where there is no --json. */
static int say(indexing *x, const fls_index *index, const fls_index_info *info, const char *label,
               int people, int code)
{
    cli_out out;
    if (!x->job->common.json && !people) {
        return code;
    }
    int opened = cli_out_open(&out, x->job, NULL, &x->input);
    if (opened != CLI_DONE) {
        return opened;
    }
    cli_progress_clear(&x->job->progress);
    if (x->job->common.json) {
        say_json(x, &out, index, info, label);
    } else {
        say_lines(x, &out, info, label);
    }
    return cli_out_end(&out, code);
}

/* ---- building ---- */

static void note_fault(indexing *x, const fls_error *fault)
{
    char sentence[300];
    if (fault->status != FLS_OK) {
        cli_error_sentence(fault, sentence, sizeof sentence);
        (void)snprintf(x->fault, sizeof x->fault, "offset %llu, message %llu: %s",
                       (unsigned long long)fault->offset, (unsigned long long)fault->ordinal,
                       sentence);
    }
}

/* The old index that is to be gone on with; NULL: there is none that fits. */
static fls_index *open_old(indexing *x)
{
    fls_error err = FLS_ERROR_INIT;
    fls_index *old = NULL;
    if (!x->wishes->extend) {
        return NULL;
    }
    fls_status status = cli_index_read(&x->input, x->path, &old, &err);
    fls_index_info info = FLS_INDEX_INFO_INIT;
    if (status == FLS_OK) {
        fls_index_get_info(old, &info);
        if ((info.has_times != 0) != (x->timed != 0)) {
            cli_note(x->job, "%s has %s times: it is made anew", x->path,
                     info.has_times ? "" : "no");
            fls_index_close(old);
            return NULL;
        }
        cli_detail(x->job, "%s: goes on behind message %llu", x->path,
                   (unsigned long long)info.messages);
    } else if (status != FLS_END) {
        cli_note(x->job, "%s does not fit: it is made anew", x->path);
    }
    return old;
}

static int build(indexing *x)
{
    fls_error err = FLS_ERROR_INIT;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    fls_sink sink;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    int code = cli_sink_open(x->job, &sink, x->path, &x->input);
    if (code != CLI_DONE) {
        return code;
    }
    fls_index *old = open_old(x);
    const fls_source stream = cli_input_source(&x->input);
    fls_status status = old != NULL
                            ? fls_index_extend(old, &stream, &sink, &x->options, &info, &err)
                            : fls_index_build(&stream, &sink, &x->options, &info, &err);
    fls_index_close(old);
    if (status != FLS_OK) {
        fls_sink_abort(&sink);
        return err.status == FLS_NO_SPACE ? cli_complain_error(x->job, x->path, &err)
                                          : cli_complain_read(&x->input, &err);
    }
    if (fls_sink_close(&sink, &err) != FLS_OK) {
        return cli_complain_error(x->job, x->path, &err);
    }
    cli_progress_clear(&x->job->progress);
    note_fault(x, &info.fault);
    if (info.fault.status != FLS_OK) {
        code = cli_complain_read(&x->input, &info.fault);
    }
    cli_note(x->job, "%s: %s messages, %s places", x->path, cli_count(a, info.messages),
             cli_count(b, info.entries));
    return say(x, NULL, &info, x->timed ? x->options.label : "", 0, code);
}

int cli_index_build(cli_job *job, const char *path, const cli_index_wishes *wishes)
{
    indexing x = {.job = job, .wishes = wishes};
    if (cli_is_stdout(job->common.output) && job->common.output != NULL) {
        return cli_usage(job, "an index is a file: -o FILE");
    }
    int code = open_times(&x);
    if (code != CLI_DONE) {
        return code;
    }
    code = open_input(&x, path);
    if (code == CLI_DONE) {
        set_options(&x);
        code = build(&x);
        close_input(&x);
    }
    close_times(&x);
    return code;
}

/* ---- an index that is there ---- */

static int open_index(indexing *x, fls_index **index)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status = cli_index_read(&x->input, x->path, index, &err);
    if (status == FLS_OK) {
        return CLI_DONE;
    }
    if (status == FLS_END) {
        return cli_complain_errno(x->job, x->path, NULL, ENOENT);
    }
    return cli_complain_error(x->job, x->path, &err);
}

/* What can be seen of it without reading the stream. */
static void judge(indexing *x, const fls_index_info *info)
{
    unsigned long long covered = info->covered_bytes;
    if (info->stale != 0) {
        (void)snprintf(x->fault, sizeof x->fault,
                       "the stream is no longer what it was behind offset %llu", covered);
    } else if (info->fault.status != FLS_OK) {
        (void)snprintf(x->fault, sizeof x->fault,
                       "the index is damaged: it is good for the first %llu bytes only", covered);
    } else if (covered < cli_input_size(&x->input)) {
        (void)snprintf(x->fault, sizeof x->fault,
                       "the stream goes on behind what is covered, the first %llu bytes", covered);
    }
}

int cli_index_show(cli_job *job, const char *path)
{
    static const cli_index_wishes none = {0};
    indexing x = {.job = job, .wishes = &none};
    fls_index *index = NULL;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    int code = open_input(&x, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = open_index(&x, &index);
    if (code == CLI_DONE) {
        fls_index_get_info(index, &info);
        judge(&x, &info);
        code = say(&x, index, &info, fls_index_label(index), 1,
                   info.fault.status != FLS_OK || info.stale != 0 ? CLI_DAMAGED : CLI_DONE);
        fls_index_close(index);
    }
    close_input(&x);
    return code;
}

/* The first place in which an index and one that was made for comparison are not the same. */
static void compare(indexing *x, const fls_index *index, const fls_index *made)
{
    fls_index_info is = FLS_INDEX_INFO_INIT;
    fls_index_info should = FLS_INDEX_INFO_INIT;
    fls_reader_position a;
    fls_reader_position b;
    uint64_t a_ns;
    uint64_t b_ns;
    fls_index_get_info(index, &is);
    fls_index_get_info(made, &should);
    for (uint64_t i = 0; fls_index_entry(index, i, &a, &a_ns) == FLS_OK; i++) {
        if (fls_index_entry(made, i, &b, &b_ns) != FLS_OK || a.offset != b.offset ||
            a.ordinal != b.ordinal || (x->timed && a_ns != b_ns)) {
            (void)snprintf(x->fault, sizeof x->fault,
                           "message %llu at offset %llu is not where or when it says",
                           (unsigned long long)a.ordinal, (unsigned long long)a.offset);
            return;
        }
    }
    if (is.covered_bytes == should.covered_bytes &&
        (is.messages != should.messages || is.size_min != should.size_min ||
         is.size_max != should.size_max)) {
        (void)snprintf(x->fault, sizeof x->fault, "what it says of all messages is wrong");
    }
}

/* Makes the index again in memory and compares. */
static int check_all(indexing *x, const fls_index *index, const fls_index_info *info)
{
    fls_error err = FLS_ERROR_INIT;
    fls_index_info made_info = FLS_INDEX_INFO_INIT;
    fls_index *made = NULL;
    fls_sink sink;
    fls_source source;
    const void *data;
    size_t size;
    const fls_source stream = cli_input_source(&x->input);
    x->options.interval_bytes = info->interval_bytes;
    x->options.checksum = info->messages > 0 ? info->checksum : x->options.checksum;
    fls_status status = fls_sink_open_memory(&sink, NULL, &err);
    if (status == FLS_OK) {
        status = fls_index_build(&stream, &sink, &x->options, &made_info, &err);
        if (status == FLS_OK) {
            status = fls_sink_memory(&sink, &data, &size);
        }
        if (status == FLS_OK) {
            status = fls_source_from_memory(&source, data, size, &err);
        }
        if (status == FLS_OK) {
            status = fls_index_open(&made, &source, NULL, NULL, &err);
            fls_source_close(&source);
        }
        fls_sink_abort(&sink);
    }
    if (status != FLS_OK) {
        return cli_complain_read(&x->input, &err);
    }
    compare(x, index, made);
    fls_index_close(made);
    if (x->fault[0] == '\0') {
        judge(x, info);
    }
    if (made_info.fault.status != FLS_OK) {
        note_fault(x, &made_info.fault);
        return cli_complain_read(&x->input, &made_info.fault);
    }
    return CLI_DONE;
}

static int check(indexing *x)
{
    fls_index *index = NULL;
    fls_index_info info = FLS_INDEX_INFO_INIT;
    char a[CLI_NUMBER];
    int code = open_index(x, &index);
    if (code != CLI_DONE) {
        return code;
    }
    fls_index_get_info(index, &info);
    if (x->timed && info.has_times == 0) {
        fls_index_close(index);
        return cli_usage(x->job, "%s has no times", x->path);
    }
    set_options(x);
    code = check_all(x, index, &info);
    if (code == CLI_DONE && x->fault[0] != '\0') {
        cli_complain(x->job, x->path, "%s", x->fault);
        code = CLI_DAMAGED;
    } else if (code == CLI_DONE) {
        cli_note(x->job, "%s: right: %s places", x->path, cli_count(a, info.entries));
    }
    if (code == CLI_DONE || code == CLI_DAMAGED) {
        code = say(x, NULL, &info, fls_index_label(index), 0, code);
    }
    fls_index_close(index);
    return code;
}

int cli_index_check(cli_job *job, const char *path, const cli_index_wishes *wishes)
{
    indexing x = {.job = job, .wishes = wishes};
    int code = open_times(&x);
    if (code != CLI_DONE) {
        return code;
    }
    code = open_input(&x, path);
    if (code == CLI_DONE) {
        code = check(&x);
        close_input(&x);
    }
    close_times(&x);
    return code;
}
