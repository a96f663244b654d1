/* Upkeep of journals. */
#include "journal_upkeep.h"

#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "complain.h"
#include "journal_input.h"
#include "journal_show.h"
#include "moment.h"

/* ---- info ---- */

typedef struct listing {
    cli_out out;
    cli_json json;
    int as_json;
    int any;
} listing;

static fls_status list_segment(void *self, const fls_journal_segment *segment)
{
    listing *list = self;
    if (list->as_json) {
        cli_segment_put_json(&list->json, segment);
    } else {
        if (!list->any) {
            cli_segment_print_head(&list->out);
        }
        cli_segment_print(&list->out, segment);
    }
    list->any = 1;
    return list->out.status == FLS_OK ? FLS_OK : FLS_STOPPED;
}

int cli_journal_info(cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    listing list = {.as_json = job->common.json};
    int code = cli_journal_require(job, path);
    if (code == CLI_DONE) {
        code = cli_out_open(&list.out, job, NULL, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (list.as_json) {
        cli_json_begin(&list.json, &list.out);
        cli_json_text(&list.json, "file", path);
        cli_json_open_list(&list.json, "segment_list");
    }
    fls_status status = fls_journal_inspect(path, &info, list_segment, &list, &err);
    if (status != FLS_OK && list.out.status == FLS_OK) {
        code = cli_journal_complain(job, path, &err);
    }
    if (list.as_json) {
        cli_json_close_list(&list.json);
        if (code == CLI_DONE) {
            cli_json_checksum(&list.json, info.checksum);
            cli_journal_put_json(&list.json, &info);
        }
        cli_json_bool(&list.json, "ok", code == CLI_DONE);
        cli_json_end(&list.json);
    } else if (code == CLI_DONE) {
        cli_out_format(&list.out, "%schecksum     %s\n", list.any ? "\n" : "",
                       fls_checksum_name(info.checksum));
        cli_journal_print(&list.out, &info);
    }
    return cli_out_end(&list.out, code);
}

/* ---- what needs the lock ---- */

static int complain_open(cli_job *job, const char *path, const fls_error *err)
{
    if (err->status == FLS_LOCKED) {
        cli_complain(job, path, "a writer has this journal open");
        return CLI_SYSTEM;
    }
    return cli_journal_complain(job, path, err);
}

int cli_journal_seal(cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    options.must_exist = 1;
    if (fls_journal_open(&journal, path, &options, &report, &err) != FLS_OK) {
        return complain_open(job, path, &err);
    }
    cli_recovery_tell(job, path, &report);
    fls_status status = fls_journal_rotate(journal, &err);
    fls_status closed = fls_journal_close(journal, status == FLS_OK ? &err : NULL);
    if (status != FLS_OK || closed != FLS_OK) {
        return cli_journal_complain(job, path, &err);
    }
    cli_note(job, "%s: what is written next begins a new segment", path);
    return CLI_DONE;
}

int cli_journal_rebuild(cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    cli_out out;
    char count[CLI_NUMBER];
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    if (fls_journal_rebuild(path, &report, &err) != FLS_OK) {
        return complain_open(job, path, &err);
    }
    if (job->common.json) {
        cli_json json;
        code = cli_out_open(&out, job, NULL, NULL);
        if (code != CLI_DONE) {
            return code;
        }
        cli_json_begin(&json, &out);
        cli_json_text(&json, "file", path);
        cli_json_count(&json, "messages", report.messages);
        cli_json_count(&json, "epoch", report.epoch);
        report.is_new = 0;
        cli_recovery_put_json(&json, &report);
        cli_json_bool(&json, "ok", 1);
        cli_json_end(&json);
        return cli_out_end(&out, CLI_DONE);
    }
    cli_recovery_tell(job, path, &report);
    cli_note(job, "%s: the next message is number %s", path, cli_count(count, report.messages));
    return CLI_DONE;
}

/* ---- compress, prune ---- */

int cli_journal_compress(cli_job *job, const char *path, int level)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t segments = 0;
    uint64_t saved = 0;
    cli_out out;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    fls_status status = fls_journal_compress(path, level, &segments, &saved, &err);
    if (status != FLS_OK) {
        code = cli_journal_complain(job, path, &err);
    }
    if (job->common.json && cli_out_open(&out, job, NULL, NULL) == CLI_DONE) {
        cli_json json;
        cli_json_begin(&json, &out);
        cli_json_text(&json, "file", path);
        cli_json_count(&json, "segments", segments);
        cli_json_count(&json, "saved_bytes", saved);
        cli_json_bool(&json, "ok", code == CLI_DONE);
        cli_json_end(&json);
        return cli_out_end(&out, code);
    }
    if (code == CLI_DONE) {
        cli_note(job, "%s: %s segment%s compressed, %s saved", path, cli_count(a, segments),
                 segments == 1 ? "" : "s", cli_bytes(b, (double)saved));
    }
    return code;
}

int cli_journal_prune(cli_job *job, const char *path, const fls_prune_options *options)
{
    fls_error err = FLS_ERROR_INIT;
    fls_prune_report report = {.struct_bytes = sizeof report};
    cli_out out;
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char c[CLI_NUMBER];
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    if (fls_journal_prune(path, options, &report, &err) != FLS_OK) {
        return cli_journal_complain(job, path, &err);
    }
    if (job->common.json) {
        cli_json json;
        code = cli_out_open(&out, job, NULL, NULL);
        if (code != CLI_DONE) {
            return code;
        }
        cli_json_begin(&json, &out);
        cli_json_text(&json, "file", path);
        cli_json_bool(&json, "dry_run", options->dry_run != 0);
        cli_json_count(&json, "segments", report.segments);
        cli_json_count(&json, "bytes", report.bytes);
        cli_json_count(&json, "first_ordinal", report.first_ordinal);
        cli_json_bool(&json, "held", report.held != 0);
        cli_json_text(&json, "holder", report.holder[0] != '\0' ? report.holder : NULL);
        cli_json_bool(&json, "ok", 1);
        cli_json_end(&json);
        return cli_out_end(&out, CLI_DONE);
    }
    cli_note(job, "%s: %s segment%s %s, %s; the oldest message is number %s", path,
             cli_count(a, report.segments), report.segments == 1 ? "" : "s",
             options->dry_run ? "would go" : "removed", cli_bytes(b, (double)report.bytes),
             cli_count(c, report.first_ordinal));
    if (report.held) {
        cli_note(job, "%s: the cursor %s holds more segments back (--force)", path, report.holder);
    }
    return CLI_DONE;
}

/* ---- cursors ---- */

typedef struct cursor_list {
    cli_job *job;
    cli_out out;
    cli_json json;
    uint64_t count;
    uint64_t damaged;
} cursor_list;

static void put_cursor(cursor_list *list, const fls_journal_cursor *cursor, const fls_error *damage)
{
    char sentence[400];
    cli_json_open_object(&list->json, NULL);
    cli_json_text(&list->json, "name", cursor->name);
    if (damage != NULL) {
        cli_error_sentence(damage, sentence, sizeof sentence);
        cli_json_text(&list->json, "damage", sentence);
    } else {
        cli_json_count(&list->json, "ordinal", cursor->ordinal);
        cli_json_count(&list->json, "epoch", cursor->epoch);
        cli_json_count(&list->json, "time_ns", cursor->time_ns);
    }
    cli_json_close_object(&list->json);
}

static fls_status list_cursor(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    cursor_list *list = self;
    char sentence[400];
    char moment[CLI_MOMENT];
    list->count++;
    list->damaged += damage != NULL;
    if (list->job->common.json) {
        put_cursor(list, cursor, damage);
    } else if (damage != NULL) {
        cli_error_sentence(damage, sentence, sizeof sentence);
        cli_out_format(&list->out, "%-24s damaged: %s\n", cursor->name, sentence);
    } else {
        cli_out_format(&list->out, "%-24s %14llu  epoch %llu, set %s\n", cursor->name,
                       (unsigned long long)cursor->ordinal, (unsigned long long)cursor->epoch,
                       cli_moment(moment, cursor->time_ns));
    }
    return list->out.status == FLS_OK ? FLS_OK : FLS_STOPPED;
}

int cli_journal_cursors(cli_job *job, const char *path)
{
    fls_error err = FLS_ERROR_INIT;
    cursor_list list = {.job = job};
    int code = cli_journal_require(job, path);
    if (code == CLI_DONE) {
        code = cli_out_open(&list.out, job, NULL, NULL);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (job->common.json) {
        cli_json_begin(&list.json, &list.out);
        cli_json_text(&list.json, "file", path);
        cli_json_open_list(&list.json, "cursors");
    }
    fls_status status = fls_journal_cursor_each(path, list_cursor, &list, &err);
    if (status != FLS_OK && list.out.status == FLS_OK) {
        code = cli_journal_complain(job, path, &err);
    } else if (list.damaged > 0) {
        code = CLI_DAMAGED;
    }
    if (job->common.json) {
        cli_json_close_list(&list.json);
        cli_json_count(&list.json, "count", list.count);
        cli_json_bool(&list.json, "ok", code == CLI_DONE);
        cli_json_end(&list.json);
    }
    return cli_out_end(&list.out, code);
}

int cli_journal_cursor_set(cli_job *job, const char *path, const char *assignment)
{
    fls_error err = FLS_ERROR_INIT;
    char name[64];
    uint64_t ordinal;
    const char *equals = strchr(assignment, '=');
    size_t length = equals != NULL ? (size_t)(equals - assignment) : 0;
    if (length == 0 || length >= sizeof name || !cli_parse_count(equals + 1, &ordinal)) {
        return cli_usage(job, "'%s' is not NAME=ORDINAL", assignment);
    }
    snprintf(name, sizeof name, "%.*s", (int)length, assignment);
    int code = cli_journal_require(job, path);
    if (code == CLI_DONE && fls_journal_cursor_set(path, name, ordinal, &err) != FLS_OK) {
        code = cli_journal_complain(job, path, &err);
    }
    return code;
}

int cli_journal_cursor_remove(cli_job *job, const char *path, const char *name)
{
    fls_error err = FLS_ERROR_INIT;
    int code = cli_journal_require(job, path);
    if (code != CLI_DONE) {
        return code;
    }
    fls_status status = fls_journal_cursor_remove(path, name, &err);
    if (status == FLS_END) {
        cli_complain(job, path, "there is no cursor '%s'", name);
        return CLI_SYSTEM;
    }
    return status == FLS_OK ? CLI_DONE : cli_journal_complain(job, path, &err);
}
