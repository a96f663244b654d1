/* What diff tells: a line or an entry of the report for each difference, those of a kind that
 * follow each other in one.
 */
#ifndef FLS_CLI_DIFF_REPORT_H
#define FLS_CLI_DIFF_REPORT_H

#include "diff_walk.h"
#include "report.h"

/* Room for a key's text with what stands around it. */
#define CLI_DIFF_KEY 96

/* Messages of one side that follow each other. */
typedef struct cli_diff_range {
    int side; /* 0: missing, of the first; 1: added, of the second */
    uint64_t first;
    uint64_t count; /* 0: none */
    uint64_t offset;
    uint64_t bytes;
    char first_key[CLI_DIFF_KEY];
    char last_key[CLI_DIFF_KEY];
} cli_diff_range;

typedef struct cli_diff_report {
    cli_job *job;
    cli_out out;
    cli_json json;
    int json_too; /* the JSON object, not lines */
    uint64_t limit;
    uint64_t found; /* lines so far, those beyond the limit too */
    cli_diff_range range;
} cli_diff_report;

/* How two messages differ, as far as it is known. */
typedef struct cli_diff_detail {
    const char *path; /* NULL: only bytes were compared */
    const char *a;
    const char *b;
    const char *why; /* why only bytes were, or NULL */
    const char *key; /* or NULL */
} cli_diff_detail;

/* A message that stands on one side only; key may be NULL. */
void cli_diff_tell_single(cli_diff_report *report, int side, const fls_message *message,
                          const char *key);
void cli_diff_tell_different(cli_diff_report *report, const fls_message *a, const fls_message *b,
                             const cli_diff_detail *detail);
/* What was gathered is told. */
void cli_diff_flush(cli_diff_report *report);

/* Totals for people. */
void cli_diff_tell_totals(cli_diff_report *report, const cli_diff_counts *counts);

#endif
