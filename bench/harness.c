/* Rounds, samples and medians. */
#include "harness.h"

#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "flatstream/stdio_io.h"
#include "harness_report.h"
#include "latency.h"

/* A sample of a light row: runs are repeated until their times add up to this. */
#define SAMPLE_NS       1500000u
#define SMOKE_SAMPLE_NS 20000u
#define CLOCK_TRIES     101
#define MAX_RUNS        512

static struct {
    bench_options options;
    const bench_table *table;
    bool heading_printed;
    uint64_t clock_ns; /* what reading the clock twice costs */
    bench_result *results;
    size_t count;
    size_t capacity;
} bench;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s: ", bench.options.program);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void bench_must(fls_status status, const fls_error *err, const char *what)
{
    if (status != FLS_OK) {
        if (err != NULL) {
            fls_error_print(stderr, err);
        }
        bench_fail("%s: %s", what, fls_status_text(status));
    }
}

void bench_pin(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) {
        return;
    }
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* where it is refused, we measure unpinned */
}

int bench_other_cpu(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (bench.options.cpu < 0 || cpus < 2) {
        return -1;
    }
    return bench.options.cpu == 0 ? 1 : 0;
}

/* ---- options ---- */

static void usage(FILE *out, const char *program)
{
    (void)fprintf(out,
                  "usage: %s [--filter TEXT] [--json FILE] [--dir DIR] [--rounds N] [--cpu N]\n"
                  "       [--cpu-time] [--smoke]\n"
                  "  --filter TEXT  only rows whose name, TABLE/BYTES/VARIANT, holds TEXT\n"
                  "  --json FILE    write the results there too\n"
                  "  --dir DIR      where files are written and read (default: .)\n"
                  "  --rounds N     rounds of each row (default: as fits the work)\n"
                  "  --cpu N        pin to this CPU (default: the last; -1: not at all)\n"
                  "  --cpu-time     of long runs take the thread's CPU time: for a busy machine\n"
                  "  --smoke        tiny work: shows that all runs and comes out right\n",
                  program);
}

static int number(const char *text, const char *program)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < -1 || value > 4096) {
        (void)fprintf(stderr, "%s: '%s' is no number that makes sense here\n", program, text);
        exit(2);
    }
    return (int)value;
}

static void read_options(bench_options *options, int argc, char **argv)
{
    static const struct option names[] = {{"filter", required_argument, NULL, 'f'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"dir", required_argument, NULL, 'd'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"cpu", required_argument, NULL, 'c'},
                                          {"cpu-time", no_argument, NULL, 't'},
                                          {"smoke", no_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'f': options->filter = optarg; break;
        case 'j': options->json_path = optarg; break;
        case 'd': options->directory = optarg; break;
        case 'r': options->rounds = number(optarg, options->program); break;
        case 'c': options->cpu = number(optarg, options->program); break;
        case 's': options->smoke = true; break;
        case 't': options->cpu_time = true; break;
        case 'h': usage(stdout, options->program); exit(0);
        default: usage(stderr, options->program); exit(2);
        }
    }
    if (optind < argc) {
        usage(stderr, options->program);
        exit(2);
    }
}

const bench_options *bench_given(void)
{
    return &bench.options;
}

bool bench_wanted(const bench_table *table, size_t payload_bytes, const char *variant)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s/%zu/%s", table->key, payload_bytes, variant);
    return bench.options.filter == NULL || strstr(name, bench.options.filter) != NULL;
}

/* ---- quantiles ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* values are put in order. */
static bench_quantiles quantiles(double *values, int count)
{
    bench_quantiles result;
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    result.p10 = values[(count - 1) / 10];
    result.median =
        count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    result.p90 = values[count - 1 - (count - 1) / 10];
    return result;
}

static uint64_t clock_cost(void)
{
    double values[CLOCK_TRIES];
    for (int i = 0; i < CLOCK_TRIES; i++) {
        uint64_t from = bench_now_ns();
        values[i] = (double)(bench_now_ns() - from);
    }
    return (uint64_t)quantiles(values, CLOCK_TRIES).median;
}

void bench_start(const char *program, int argc, char **argv)
{
    bench.options.program = program;
    bench.options.directory = ".";
    bench.options.cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    read_options(&bench.options, argc, argv);
    bench_pin(bench.options.cpu);
    bench.clock_ns = clock_cost();
    report_machine(stdout, &bench.options);
}

/* ---- rows ---- */

/* One run, in nanoseconds without the clock's own. */
static uint64_t run_once(const bench_row *row, const bench_competitor *one)
{
    if (one->before != NULL) {
        one->before(one->self);
    }
    bool by_cpu = bench.options.cpu_time && bench.table->heavy && !bench.table->threads;
    clockid_t clock = by_cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    bench_clobber();
    uint64_t from = read_clock(clock);
    uint64_t did = one->run(one->self);
    uint64_t ns = read_clock(clock) - from;
    if (one->after != NULL) {
        one->after(one->self);
    }
    if (did != row->expected) {
        bench_fail("%s, %zu bytes, %s: '%s' gave %llu where %llu was expected", bench.table->key,
                   row->payload_bytes, row->variant, one->name, (unsigned long long)did,
                   (unsigned long long)row->expected);
    }
    return ns > bench.clock_ns ? ns - bench.clock_ns : 0;
}

/* Nanoseconds a message. Of a light row the median of many runs, so that an interrupt, or another
 * program that takes the CPU for a while, does not count. */
static double sample(const bench_row *row, const bench_competitor *one)
{
    double times[MAX_RUNS];
    uint64_t wanted = bench.options.smoke ? SMOKE_SAMPLE_NS : SAMPLE_NS;
    uint64_t total = 0;
    int runs = 0;
    if (!bench.table->heavy) {
        (void)run_once(row, one);
    }
    do {
        uint64_t ns = run_once(row, one);
        times[runs++] = (double)ns;
        total += ns;
    } while (!bench.table->heavy && total < wanted && runs < MAX_RUNS);
    return quantiles(times, runs).median / row->messages;
}

static size_t fastest_limit(const bench_result *result)
{
    size_t best = result->count;
    for (size_t i = 0; i < result->count; i++) {
        const bench_measured *one = &result->measured[i];
        if ((one->kind & BENCH_LIMIT) != 0 &&
            (best == result->count || one->ns.median < result->measured[best].ns.median)) {
            best = i;
        }
    }
    return best < result->count ? best : 0;
}

static bench_result *new_result(void)
{
    if (bench.count == bench.capacity) {
        bench.capacity = bench.capacity == 0 ? 128 : bench.capacity * 2;
        bench.results = realloc(bench.results, bench.capacity * sizeof *bench.results);
        if (bench.results == NULL) {
            bench_fail("out of memory");
        }
    }
    return memset(&bench.results[bench.count++], 0, sizeof *bench.results);
}

static void evaluate(bench_result *result, double (*samples)[BENCH_MAX_ROUNDS])
{
    double ordered[BENCH_MAX_ROUNDS];
    size_t bytes = (size_t)result->rounds * sizeof ordered[0];
    for (size_t i = 0; i < result->count; i++) {
        memcpy(ordered, samples[i], bytes);
        result->measured[i].ns = quantiles(ordered, result->rounds);
    }
    result->limit = fastest_limit(result);
    for (size_t i = 0; i < result->count; i++) {
        bench_measured *one = &result->measured[i];
        for (int round = 0; round < result->rounds; round++) {
            double limit = samples[result->limit][round];
            ordered[round] = samples[i][round] / (limit > 0 ? limit : 1e-9);
        }
        one->ratio = quantiles(ordered, result->rounds);
        one->met = result->goal <= 0 || one->ratio.median <= result->goal;
    }
}

void bench_table_begin(const bench_table *table)
{
    bench.table = table;
    bench.heading_printed = false;
}

void bench_row_run(const bench_row *row)
{
    static double samples[BENCH_MAX_COMPETITORS][BENCH_MAX_ROUNDS];
    bench_result *result = new_result();
    int rounds = bench.options.rounds > 0 ? bench.options.rounds : bench.table->rounds;
    rounds = bench.options.smoke ? 2 : rounds;
    rounds = rounds > BENCH_MAX_ROUNDS ? BENCH_MAX_ROUNDS : rounds;
    result->table = bench.table;
    result->payload_bytes = row->payload_bytes;
    (void)snprintf(result->variant, sizeof result->variant, "%s", row->variant);
    result->messages = row->messages;
    result->bytes = row->bytes;
    result->goal = row->goal;
    result->rounds = rounds;
    result->count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        bench_measured *one = &result->measured[i];
        (void)snprintf(one->name, sizeof one->name, "%s", row->competitors[i].name);
        one->kind = row->competitors[i].kind;
    }
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < row->count; i++) {
            samples[i][round] = sample(row, &row->competitors[i]);
        }
    }
    evaluate(result, samples);
    if (!bench.heading_printed) {
        report_heading(stdout, bench.table);
        bench.heading_printed = true;
    }
    report_row(stdout, result);
    (void)fflush(stdout);
}

int bench_finish(void)
{
    int status = 0;
    if (bench.options.smoke) {
        (void)printf("\nSmoke run: all %zu rows ran and came out right\n",
                     bench.count + latency_rows());
    } else {
        report_goals(stdout, bench.results, bench.count);
        latency_goals(stdout);
    }
    if (bench.options.json_path != NULL &&
        !report_json(bench.options.json_path, &bench.options, bench.results, bench.count)) {
        (void)fprintf(stderr, "%s: %s could not be written\n", bench.options.program,
                      bench.options.json_path);
        status = 1;
    }
    free(bench.results);
    bench.results = NULL;
    return status;
}
