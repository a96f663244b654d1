/* Journals in words and JSON. */
#include "journal_show.h"

#include "complain.h"
#include "moment.h"

void cli_journal_put_json(cli_json *json, const fls_journal_info *info)
{
    cli_json_text(json, "id", info->id);
    cli_json_count(json, "epoch", info->epoch);
    cli_json_bool(json, "locked", info->locked != 0);
    cli_json_count(json, "segments", info->segments);
    cli_json_count(json, "first_ordinal", info->first_ordinal);
    cli_json_count(json, "durable_ordinal", info->durable_ordinal);
    cli_json_count(json, "end_ordinal", info->end_ordinal);
    cli_json_count(json, "bytes", info->bytes);
    cli_json_count(json, "stored_bytes", info->stored_bytes);
    cli_json_count(json, "first_time_ns", info->first_time_ns);
    cli_json_count(json, "last_time_ns", info->last_time_ns);
    cli_json_count(json, "cursors", info->cursors);
    cli_json_count(json, "cut_files", info->cut_files);
}

void cli_journal_print(cli_out *out, const fls_journal_info *info)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char from[CLI_MOMENT];
    char to[CLI_MOMENT];
    cli_out_format(out, "journal      %s, epoch %llu%s\n", info->id,
                   (unsigned long long)info->epoch, info->locked ? ", a writer has it open" : "");
    cli_out_format(out, "segments     %s (%s in files)\n", cli_count(a, info->segments),
                   cli_bytes(b, (double)info->stored_bytes));
    if (info->end_ordinal > info->first_ordinal) {
        cli_out_format(out, "ordinals     %s .. %s\n", cli_count(a, info->first_ordinal),
                       cli_count(b, info->end_ordinal - 1));
    }
    if (info->durable_ordinal >= info->end_ordinal) {
        cli_out_text(out, "durable      all\n");
    } else {
        cli_out_format(out, "durable      below %s; %s are not known to be\n",
                       cli_count(a, info->durable_ordinal),
                       cli_count(b, info->end_ordinal - info->durable_ordinal));
    }
    if (info->first_time_ns != 0) {
        cli_out_format(out, "received     %s\n             %s\n",
                       cli_moment(from, info->first_time_ns), cli_moment(to, info->last_time_ns));
    }
    if (info->cursors > 0) {
        cli_out_format(out, "cursors      %s\n", cli_count(a, info->cursors));
    }
    if (info->cut_files > 0) {
        cli_out_format(out, "set aside    %s file%s in cut/\n", cli_count(a, info->cut_files),
                       info->cut_files == 1 ? "" : "s");
    }
}

void cli_segment_put_json(cli_json *json, const fls_journal_segment *segment)
{
    cli_json_open_object(json, NULL);
    cli_json_text(json, "name", segment->name);
    cli_json_count(json, "first_ordinal", segment->first_ordinal);
    if (segment->end_ordinal == UINT64_MAX) {
        cli_json_null(json, "end_ordinal");
    } else {
        cli_json_count(json, "end_ordinal", segment->end_ordinal);
    }
    cli_json_count(json, "bytes", segment->bytes);
    cli_json_count(json, "stored_bytes", segment->stored_bytes);
    cli_json_count(json, "marks_bytes", segment->marks_bytes);
    cli_json_count(json, "first_time_ns", segment->first_time_ns);
    cli_json_count(json, "last_time_ns", segment->last_time_ns);
    cli_json_count(json, "epoch", segment->epoch);
    cli_json_bool(json, "sealed", segment->sealed != 0);
    cli_json_bool(json, "compressed", segment->compressed != 0);
    cli_json_bool(json, "estimated_times", segment->estimated_times != 0);
    cli_json_close_object(json);
}

void cli_segment_print_head(cli_out *out)
{
    cli_out_format(out, "%-28s %14s %10s %10s %10s %6s  %s\n", "segment", "messages", "bytes",
                   "stored", "marks", "epoch", "first received");
}

void cli_segment_print(cli_out *out, const fls_journal_segment *segment)
{
    char messages[CLI_NUMBER] = "?";
    char bytes[CLI_NUMBER];
    char stored[CLI_NUMBER];
    char marks[CLI_NUMBER];
    char moment[CLI_MOMENT];
    if (segment->end_ordinal != UINT64_MAX) {
        cli_count(messages, segment->end_ordinal - segment->first_ordinal);
    }
    cli_out_format(out, "%-28s %14s %10s %10s %10s %6llu  %s%s%s%s\n", segment->name, messages,
                   cli_bytes(bytes, (double)segment->bytes),
                   cli_bytes(stored, (double)segment->stored_bytes),
                   cli_bytes(marks, (double)segment->marks_bytes),
                   (unsigned long long)segment->epoch, cli_moment(moment, segment->first_time_ns),
                   segment->sealed ? "" : ", open", segment->compressed ? ", compressed" : "",
                   segment->estimated_times ? ", times estimated" : "");
}

void cli_recovery_put_json(cli_json *json, const fls_journal_report *report)
{
    if (report->is_new) {
        cli_json_null(json, "recovered");
        return;
    }
    cli_json_open_object(json, "recovered");
    cli_json_bool(json, "was_clean", report->was_clean != 0);
    cli_json_bool(json, "rebuilt", report->rebuilt != 0);
    cli_json_count(json, "base_ordinal", report->base_ordinal);
    cli_json_count(json, "kept_messages", report->kept_messages);
    cli_json_count(json, "cut_messages", report->cut_messages);
    cli_json_count(json, "cut_bytes", report->cut_bytes);
    cli_json_text(json, "cut_name", report->cut_name[0] != '\0' ? report->cut_name : NULL);
    cli_json_count(json, "moved_cursors", report->moved_cursors);
    cli_json_close_object(json);
}

void cli_recovery_tell(cli_job *job, const char *path, const fls_journal_report *report)
{
    char a[CLI_NUMBER];
    char b[CLI_NUMBER];
    char sentence[400];
    if (report->is_new || (report->was_clean && !report->rebuilt)) {
        return;
    }
    cli_note(job,
             "%s: its last writer did not end well: %s messages were durable, and %s behind them "
             "were kept",
             path, cli_count(a, report->base_ordinal), cli_count(b, report->kept_messages));
    if (report->rebuilt) {
        cli_note(job, "%s: manifest or marks were lost and made again; times are estimated", path);
    }
    if (report->cut_bytes > 0) {
        cli_error_sentence(&report->fault, sentence, sizeof sentence);
        cli_note(job, "%s: %s bytes were set aside as %s, with %s sound messages in them%s%s", path,
                 cli_count(a, report->cut_bytes), report->cut_name,
                 cli_count(b, report->cut_messages), report->fault.status != FLS_OK ? ": " : "",
                 report->fault.status != FLS_OK ? sentence : "");
    }
    if (report->moved_cursors > 0) {
        cli_note(job, "%s: %s cursors pointed behind that, and were set to the end", path,
                 cli_count(a, report->moved_cursors));
    }
}
