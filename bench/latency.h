/* Latencies: single times, of which the median and the tails count. Beside the harness's rows,
 * whose figures are of many messages together.
 */
#ifndef FLS_BENCH_LATENCY_H
#define FLS_BENCH_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct bench_latency {
    const char *table; /* for --filter and JSON */
    const char *name;
    double *ns;
    size_t count;
    size_t capacity;
} bench_latency;

/* What is asked of one; 0: nothing. */
typedef struct bench_latency_goal {
    double median_ns;
    double p999_ns;
    double
        ratio; /* of its median to that of `limit`, the median over rounds of which is `measured` */
    double measured;
    const char *limit;
} bench_latency_goal;

void latency_init(bench_latency *latency, const char *table, const char *name, size_t capacity);
void latency_add(bench_latency *latency, uint64_t ns); /* what is beyond the capacity is left out */
void latency_fini(bench_latency *latency);

/* Whether --filter lets it be measured: its name is "table/name". */
bool latency_wanted(const char *table, const char *name);

/* Puts the values in order. */
double latency_median_of(double *values, size_t count);
/* The median of those from `first` on. */
double latency_median(const bench_latency *latency, size_t first);

void latency_heading(const char *title, const char *key, const char *note);
/* Prints the row and keeps it for the end. */
void latency_report(bench_latency *latency, const bench_latency_goal *goal);

/* For the harness: rows kept so far; lines about goals that are not met; JSON, a list. */
size_t latency_rows(void);
void latency_goals(FILE *out);
void latency_json(FILE *out);

#endif
