/* Checking journals. */
#include "journal_faults.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "journal_input.h"
#include "own_types.h"
#include "report.h"

typedef struct checking {
    cli_job *job;
    const char *path;
    cli_out out;
    cli_json json;
    int interactive;
    uint64_t faults;
    uint64_t refused; /* of the faults, by more validators */
    uint64_t bytes;
} checking;

static void put_fault(checking *c, const char *file, const fls_error *fault, const char *kind)
{
    char detail[400];
    cli_error_sentence(fault, detail, sizeof detail);
    cli_json_open_object(&c->json, NULL);
    cli_json_text(&c->json, "file", file);
    if (fault->known & FLS_ERROR_OFFSET) {
        cli_json_count(&c->json, "offset", fault->offset);
    } else {
        cli_json_null(&c->json, "offset");
    }
    if (fault->known & FLS_ERROR_ORDINAL) {
        cli_json_count(&c->json, "ordinal", fault->ordinal);
    } else {
        cli_json_null(&c->json, "ordinal");
    }
    cli_json_text(&c->json, "kind", kind);
    cli_json_text(&c->json, "detail", detail);
    cli_json_close_object(&c->json);
}

static void print_fault(checking *c, const char *file, const fls_error *fault, const char *kind)
{
    char sentence[400];
    char offset[24] = "-";
    char ordinal[24] = "-";
    cli_error_sentence(fault, sentence, sizeof sentence);
    if (fault->known & FLS_ERROR_OFFSET) {
        snprintf(offset, sizeof offset, "%llu", (unsigned long long)fault->offset);
    }
    if (fault->known & FLS_ERROR_ORDINAL) {
        snprintf(ordinal, sizeof ordinal, "%llu", (unsigned long long)fault->ordinal);
    }
    cli_progress_clear(&c->job->progress);
    cli_out_format(&c->out, "%-28s %12s %10s  %-18s %s\n", file, offset, ordinal, kind, sentence);
    if (c->interactive) {
        cli_out_flush(&c->out);
    }
}

static fls_status tell(void *self, const char *file, const fls_error *fault)
{
    checking *c = self;
    const char *kind = cli_fault_kind(fault->status);
    c->faults++;
    if (c->job->common.json) {
        put_fault(c, file, fault, kind);
    } else if (!c->job->common.quiet) {
        print_fault(c, file, fault, kind);
    }
    return c->out.status == FLS_OK ? FLS_OK : FLS_STOPPED;
}

static void show_progress(void *self, uint64_t bytes)
{
    checking *c = self;
    c->bytes = bytes;
    cli_progress_update(&c->job->progress, bytes);
}

/* What was damaged is known by now: only what is refused is told. FLS_OK goes on. */
static fls_status check_batch(checking *c, const cli_more_checks *more, const fls_message *messages,
                              size_t count)
{
    fls_status status = FLS_OK;
    for (size_t i = 0; i < count && status == FLS_OK; i++) {
        fls_error err = FLS_ERROR_INIT;
        uint32_t type;
        if (more->table_root &&
            fls_table_root_check(messages[i].payload, messages[i].size, &err) != FLS_OK) {
            err.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
            err.offset = messages[i].offset;
            err.ordinal = messages[i].ordinal;
        } else if (more->schemas == NULL ||
                   cli_schemas_check(more->schemas, &messages[i], &type, &err) == FLS_OK) {
            continue;
        }
        c->refused++;
        status = tell(c, "messages", &err);
    }
    return status;
}

static int refuse(checking *c, const cli_more_checks *more)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_journal_reader *reader;
    fls_message messages[CLI_BATCH];
    size_t got;
    fls_status status = FLS_OK;
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.step_over = 1;
    if (fls_journal_reader_open(&reader, c->path, &options, &err) != FLS_OK) {
        return cli_journal_complain(c->job, c->path, &err);
    }
    while (status == FLS_OK) {
        status = fls_journal_reader_next_batch(reader, messages, CLI_BATCH, &got, &err);
        if (status == FLS_OK && c->job->own_types != NULL &&
            cli_own_types_enter(c->job->own_types, c->job, c->path, reader) != CLI_DONE) {
            break;
        }
        if (status == FLS_OK) {
            status = check_batch(c, more, messages, got);
        }
    }
    fls_journal_reader_close(reader);
    return fls_status_class_of(status) == FLS_CLASS_FLOW
               ? CLI_DONE
               : cli_journal_complain(c->job, c->path, &err);
}

static void summarize(checking *c, const fls_journal_check_report *report)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char d[CLI_NUMBER];
    cli_progress_clear(&c->job->progress);
    if (c->job->common.json) {
        cli_json_close_list(&c->json);
        cli_json_count(&c->json, "fault_count", c->faults);
        cli_json_count(&c->json, "messages", report->messages);
        cli_json_count(&c->json, "lost", report->lost);
        cli_json_count(&c->json, "files", report->files);
        cli_json_count(&c->json, "bytes", report->bytes);
        cli_json_bool(&c->json, "ok", c->faults == 0);
        cli_json_end(&c->json);
    } else if (c->job->common.quiet) {
        return;
    } else if (c->faults == 0) {
        cli_out_format(&c->out, "%s: sound: %s messages, %s bytes in %s files\n", c->path,
                       cli_count(a, report->messages), cli_count(b, report->bytes),
                       cli_count(d, report->files));
    } else {
        cli_out_format(&c->out, "%s: damaged: %s fault%s, %s sound messages", c->path,
                       cli_count(a, c->faults), c->faults == 1 ? "" : "s",
                       cli_count(b, report->messages));
        if (report->lost > 0) {
            cli_out_format(&c->out, ", %s lost", cli_count(d, report->lost));
        }
        cli_out_text(&c->out, "\n");
    }
}

static int check(checking *c, int schemas, const cli_more_checks *more)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_check_options options = {.struct_bytes = sizeof options};
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    options.schemas = (uint32_t)schemas;
    options.fault = tell;
    options.self = c;
    options.progress = show_progress;
    options.progress_self = c;
    if (c->job->common.json) {
        cli_json_begin(&c->json, &c->out);
        cli_json_text(&c->json, "file", c->path);
        cli_json_open_list(&c->json, "faults");
    }
    if (fls_journal_check(c->path, &options, &report, &err) != FLS_OK) {
        return c->out.status != FLS_OK ? CLI_DONE : cli_journal_complain(c->job, c->path, &err);
    }
    int code = more != NULL ? refuse(c, more) : CLI_DONE;
    if (code != CLI_DONE) {
        return code;
    }
    report.messages -= c->refused < report.messages ? c->refused : report.messages;
    summarize(c, &report);
    return c->faults == 0 ? CLI_DONE : CLI_DAMAGED;
}

int cli_journal_check(cli_job *job, const char *path, int schemas, const cli_more_checks *more)
{
    checking c = {.job = job, .path = path, .interactive = isatty(STDOUT_FILENO)};
    int code = cli_journal_require(job, path);
    cli_progress_start(&job->progress, job->command->name, 0,
                       !job->common.quiet && (!job->common.json || isatty(STDOUT_FILENO)));
    if (code == CLI_DONE) {
        code = cli_out_open(&c.out, job, NULL, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    return cli_out_end(&c.out, check(&c, schemas, more));
}
