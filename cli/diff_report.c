/* Differences as lines and as JSON. */
#include "diff_report.h"

#include <stdio.h>
#include <string.h>

/* ---- ranges ---- */

static void print_range(cli_diff_report *report, const cli_diff_range *range)
{
    char count[CLI_NUMBER];
    char bytes[CLI_NUMBER];
    char sign = range->side == 0 ? '-' : '+';
    cli_out_format(&report->out, "%c %llu", sign, (unsigned long long)range->first);
    if (range->count > 1) {
        unsigned long long end = range->first + range->count;
        cli_out_format(&report->out, "..%llu", end);
    }
    cli_out_format(&report->out, " offset %llu (", (unsigned long long)range->offset);
    if (range->count > 1) {
        cli_out_format(&report->out, "%s messages, ", cli_count(count, range->count));
    }
    cli_out_format(&report->out, "%s bytes)", cli_count(bytes, range->bytes));
    if (range->first_key[0] != '\0') {
        cli_out_format(&report->out, " key %s", range->first_key);
        if (range->count > 1) {
            cli_out_format(&report->out, " to %s", range->last_key);
        }
    }
    cli_out_text(&report->out, "\n");
}

static void add_range(cli_diff_report *report, const cli_diff_range *range)
{
    cli_json *json = &report->json;
    int missing = range->side == 0;
    cli_json_open_object(json, NULL);
    cli_json_text(json, "kind", missing ? "missing" : "added");
    cli_json_count(json, missing ? "a_ordinal" : "b_ordinal", range->first);
    cli_json_count(json, missing ? "a_offset" : "b_offset", range->offset);
    cli_json_count(json, "messages", range->count);
    cli_json_count(json, "payload_bytes", range->bytes);
    if (range->first_key[0] != '\0') {
        cli_json_text(json, "key", range->first_key);
        cli_json_text(json, "last_key", range->last_key);
    }
    cli_json_close_object(json);
}

void cli_diff_flush(cli_diff_report *report)
{
    cli_diff_range *range = &report->range;
    if (range->count == 0) {
        return;
    }
    if (report->found++ < report->limit) {
        if (report->json_too) {
            add_range(report, range);
        } else if (!report->job->common.quiet) {
            cli_progress_clear(&report->job->progress);
            print_range(report, range);
        }
    }
    range->count = 0;
}

static void copy_key(char *to, const char *key)
{
    (void)snprintf(to, CLI_DIFF_KEY, "%s", key != NULL ? key : "");
}

void cli_diff_tell_single(cli_diff_report *report, int side, const fls_message *message,
                          const char *key)
{
    cli_diff_range *range = &report->range;
    if (range->side != side || range->first + range->count != message->ordinal) {
        cli_diff_flush(report);
    }
    if (range->count == 0) {
        range->side = side;
        range->first = message->ordinal;
        range->offset = message->offset;
        range->bytes = 0;
        copy_key(range->first_key, key);
    }
    copy_key(range->last_key, key);
    range->count++;
    range->bytes += message->size;
}

/* ---- pairs ---- */

/* The first byte that differs, or is there on one side only. */
static size_t first_byte(const fls_message *a, const fls_message *b)
{
    const unsigned char *left = a->payload;
    const unsigned char *right = b->payload;
    size_t least = a->size < b->size ? a->size : b->size;
    size_t at = 0;
    while (at < least && left[at] == right[at]) {
        at++;
    }
    return at;
}

static void print_bytes(cli_diff_report *report, const fls_message *a, const fls_message *b)
{
    size_t at = first_byte(a, b);
    char left[8] = "none";
    char right[8] = "none";
    if (at < a->size) {
        (void)snprintf(left, sizeof left, "0x%02x", ((const unsigned char *)a->payload)[at]);
    }
    if (at < b->size) {
        (void)snprintf(right, sizeof right, "0x%02x", ((const unsigned char *)b->payload)[at]);
    }
    cli_out_format(&report->out, "byte %zu: %s -> %s", at, left, right);
    if (a->size != b->size) {
        cli_out_format(&report->out, ", %zu -> %zu bytes", a->size, b->size);
    }
}

static void print_pair(cli_diff_report *report, const fls_message *a, const fls_message *b,
                       const cli_diff_detail *detail)
{
    cli_progress_clear(&report->job->progress);
    cli_out_format(&report->out, "! %llu/%llu ", (unsigned long long)a->ordinal,
                   (unsigned long long)b->ordinal);
    if (detail->path != NULL) {
        cli_out_format(&report->out, "%s: %s -> %s", detail->path, detail->a, detail->b);
    } else {
        print_bytes(report, a, b);
    }
    if (detail->why != NULL) {
        cli_out_format(&report->out, " (%s)", detail->why);
    }
    if (detail->key != NULL) {
        cli_out_format(&report->out, " key %s", detail->key);
    }
    cli_out_text(&report->out, "\n");
}

static void add_pair(cli_diff_report *report, const fls_message *a, const fls_message *b,
                     const cli_diff_detail *detail)
{
    cli_json *json = &report->json;
    cli_json_open_object(json, NULL);
    cli_json_text(json, "kind", "different");
    cli_json_count(json, "a_ordinal", a->ordinal);
    cli_json_count(json, "a_offset", a->offset);
    cli_json_count(json, "b_ordinal", b->ordinal);
    cli_json_count(json, "b_offset", b->offset);
    cli_json_count(json, "a_bytes", a->size);
    cli_json_count(json, "b_bytes", b->size);
    cli_json_count(json, "byte", first_byte(a, b));
    cli_json_text(json, "path", detail->path);
    cli_json_text(json, "a", detail->a);
    cli_json_text(json, "b", detail->b);
    if (detail->why != NULL) {
        cli_json_text(json, "detail", detail->why);
    }
    if (detail->key != NULL) {
        cli_json_text(json, "key", detail->key);
    }
    cli_json_close_object(json);
}

void cli_diff_tell_different(cli_diff_report *report, const fls_message *a, const fls_message *b,
                             const cli_diff_detail *detail)
{
    cli_diff_flush(report);
    if (report->found++ >= report->limit) {
        return;
    }
    if (report->json_too) {
        add_pair(report, a, b, detail);
    } else if (!report->job->common.quiet) {
        print_pair(report, a, b, detail);
    }
}

/* ---- totals ---- */

void cli_diff_tell_totals(cli_diff_report *report, const cli_diff_counts *counts)
{
    char text[5][CLI_NUMBER];
    cli_progress_clear(&report->job->progress);
    if (report->found > report->limit) {
        cli_out_format(&report->out, "... and %s more differences\n",
                       cli_count(text[0], report->found - report->limit));
    }
    cli_out_format(&report->out, "%s equal, %s different, %s missing, %s added",
                   cli_count(text[0], counts->equal), cli_count(text[1], counts->different),
                   cli_count(text[2], counts->missing), cli_count(text[3], counts->added));
    if (counts->same_values > 0) {
        cli_out_format(&report->out, ", %s with the same values in other bytes",
                       cli_count(text[4], counts->same_values));
    }
    cli_out_text(&report->out, "\n");
}
