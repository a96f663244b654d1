/* Percentiles of single times, their goals and their JSON. */
#include "latency.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define MAX_ROWS    64
#define QUANTILES   6
#define MICROSECOND 1e3

typedef struct latency_row {
    const char *table;
    const char *name;
    size_t count;
    double ns[QUANTILES];
    bench_latency_goal goal;
    bool judged;
    bool met;
} latency_row;

static const double levels[QUANTILES] = {0, 0.5, 0.9, 0.99, 0.999, 1};
static const char *const titles[QUANTILES] = {"min", "median", "p90", "p99", "p99.9", "max"};
static latency_row rows[MAX_ROWS];
static size_t row_count;

void latency_init(bench_latency *latency, const char *table, const char *name, size_t capacity)
{
    latency->table = table;
    latency->name = name;
    latency->count = 0;
    latency->capacity = capacity;
    latency->ns = calloc(capacity, sizeof *latency->ns);
    if (latency->ns == NULL) {
        bench_fail("out of memory");
    }
}

void latency_add(bench_latency *latency, uint64_t ns)
{
    if (latency->count < latency->capacity) {
        latency->ns[latency->count++] = (double)ns;
    }
}

void latency_fini(bench_latency *latency)
{
    free(latency->ns);
    latency->ns = NULL;
}

bool latency_wanted(const char *table, const char *name)
{
    char full[96];
    (void)snprintf(full, sizeof full, "%s/%s", table, name);
    return bench_given()->filter == NULL || strstr(full, bench_given()->filter) != NULL;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(const double *ordered, size_t count, double level)
{
    return ordered[(size_t)(level * (double)(count - 1) + 0.5)];
}

double latency_median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return quantile(values, count, 0.5);
}

double latency_median(const bench_latency *latency, size_t first)
{
    size_t count = latency->count - first;
    double *ordered = calloc(count + 1, sizeof *ordered);
    if (ordered == NULL || count == 0) {
        bench_fail("%s/%s: no samples", latency->table, latency->name);
    }
    memcpy(ordered, latency->ns + first, count * sizeof *ordered);
    double median = latency_median_of(ordered, count);
    free(ordered);
    return median;
}

void latency_heading(const char *title, const char *key, const char *note)
{
    (void)printf("\n%s [%s]\n  %s\n\n%-22s %7s", title, key, note, "microseconds", "samples");
    for (size_t i = 0; i < QUANTILES; i++) {
        (void)printf(" %9s", titles[i]);
    }
    (void)printf("  %-30s met\n", "goal");
}

static void goal_text(const bench_latency_goal *goal, char *text, size_t capacity)
{
    size_t used = 0;
    text[0] = '\0';
    if (goal->median_ns > 0) {
        used += (size_t)snprintf(text + used, capacity - used, "median %.0f us ",
                                 goal->median_ns / MICROSECOND);
    }
    if (goal->p999_ns > 0) {
        used += (size_t)snprintf(text + used, capacity - used, "p99.9 %.0f us ",
                                 goal->p999_ns / MICROSECOND);
    }
    if (goal->ratio > 0) {
        (void)snprintf(text + used, capacity - used, "%.2f of %s: %.2f", goal->ratio, goal->limit,
                       goal->measured);
    }
}

void latency_report(bench_latency *latency, const bench_latency_goal *goal)
{
    char text[80];
    if (latency->count == 0 || row_count == MAX_ROWS) {
        bench_fail("%s/%s: no samples, or too many rows", latency->table, latency->name);
    }
    latency_row *row = &rows[row_count++];
    memset(row, 0, sizeof *row);
    row->table = latency->table;
    row->name = latency->name;
    row->count = latency->count;
    row->goal = *goal;
    qsort(latency->ns, latency->count, sizeof *latency->ns, compare_doubles);
    for (size_t i = 0; i < QUANTILES; i++) {
        row->ns[i] = quantile(latency->ns, latency->count, levels[i]);
    }
    row->judged = goal->median_ns > 0 || goal->p999_ns > 0 || goal->ratio > 0;
    row->met = (goal->median_ns <= 0 || row->ns[1] <= goal->median_ns) &&
               (goal->p999_ns <= 0 || row->ns[4] <= goal->p999_ns) &&
               (goal->ratio <= 0 || goal->measured <= goal->ratio);
    (void)printf("%-22s %7zu", row->name, row->count);
    for (size_t i = 0; i < QUANTILES; i++) {
        (void)printf(" %9.1f", row->ns[i] / MICROSECOND);
    }
    goal_text(goal, text, sizeof text);
    (void)printf("  %-30s %s\n", text, row->judged ? (row->met ? "yes" : "NO") : "-");
    (void)fflush(stdout);
}

size_t latency_rows(void)
{
    return row_count;
}

void latency_goals(FILE *out)
{
    size_t judged = 0;
    size_t met = 0;
    char text[80];
    for (size_t i = 0; i < row_count; i++) {
        judged += rows[i].judged;
        met += rows[i].judged && rows[i].met;
    }
    if (judged == 0) {
        return;
    }
    (void)fprintf(out, "Goals of latencies met: %zu of %zu%s\n", met, judged,
                  met < judged ? "; not met:" : "");
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].judged && !rows[i].met) {
            goal_text(&rows[i].goal, text, sizeof text);
            (void)fprintf(out, "  %-16s %-22s median %.1f us, p99.9 %.1f us; goal %s\n",
                          rows[i].table, rows[i].name, rows[i].ns[1] / MICROSECOND,
                          rows[i].ns[4] / MICROSECOND, text);
        }
    }
}

void latency_json(FILE *out)
{
    (void)fputs("[", out);
    for (size_t i = 0; i < row_count; i++) {
        const latency_row *row = &rows[i];
        (void)fprintf(out, "%s\n    {\"table\": \"%s\", \"name\": \"%s\", \"samples\": %zu",
                      i == 0 ? "" : ",", row->table, row->name, row->count);
        for (size_t k = 0; k < QUANTILES; k++) {
            (void)fprintf(out, ", \"%s_ns\": %.0f", titles[k], row->ns[k]);
        }
        if (row->goal.median_ns > 0) {
            (void)fprintf(out, ", \"goal_median_ns\": %.0f", row->goal.median_ns);
        }
        if (row->goal.p999_ns > 0) {
            (void)fprintf(out, ", \"goal_p99.9_ns\": %.0f", row->goal.p999_ns);
        }
        if (row->goal.ratio > 0) {
            (void)fprintf(out, ", \"limit\": \"%s\", \"ratio\": %.4f, \"goal_ratio\": %.2f",
                          row->goal.limit, row->goal.measured, row->goal.ratio);
        }
        (void)fprintf(out, ", \"met\": %s}", row->judged ? (row->met ? "true" : "false") : "null");
    }
    (void)fputs(row_count == 0 ? "]" : "\n  ]", out);
}
