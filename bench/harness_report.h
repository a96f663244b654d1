/* What the harness keeps of a measured row, and the two forms it is reported in: text and JSON. */
#ifndef FLS_BENCH_HARNESS_REPORT_H
#define FLS_BENCH_HARNESS_REPORT_H

#include "harness.h"

/* Over the rounds. */
typedef struct bench_quantiles {
    double p10;
    double median;
    double p90;
} bench_quantiles;

typedef struct bench_measured {
    char name[32];
    uint32_t kind;
    bench_quantiles ns; /* a message */
    bench_quantiles ratio;
    bool met;
} bench_measured;

typedef struct bench_result {
    const bench_table *table;
    size_t payload_bytes;
    char variant[24];
    double messages;
    double bytes;
    double goal;
    int rounds;
    size_t limit; /* of measured: the fastest limit */
    size_t count;
    bench_measured measured[BENCH_MAX_COMPETITORS];
} bench_result;

void report_machine(FILE *out, const bench_options *options);
void report_heading(FILE *out, const bench_table *table);
void report_row(FILE *out, const bench_result *result);
void report_goals(FILE *out, const bench_result *results, size_t count);

/* false when the file could not be written. */
bool report_json(const char *path, const bench_options *options, const bench_result *results,
                 size_t count);

#endif
