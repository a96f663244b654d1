/* The benchmark harness: rows of competitors that do the same work, measured in interleaved rounds
 * (A B C, A B C, ...), so that what the machine does meanwhile hits all of them alike. A ratio is
 * the median over the rounds of the ratio within a round. Every run returns what it did, and a run
 * that did something else than the row expects fails the program: a wrong road cannot win.
 */
#ifndef FLS_BENCH_HARNESS_H
#define FLS_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "flatstream/checksum.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_MAX_COMPETITORS 16
#define BENCH_MAX_ROUNDS      64
#define BENCH_MAX_COLUMNS     10

/* What a competitor is; bits. */
#define BENCH_LIMIT  1u /* the fastest of these is what the row's ratios are to */
#define BENCH_SHOWN  2u /* has a column of its own, which bears its name */
#define BENCH_JUDGED 4u /* its ratio is held against the row's goal */

typedef struct bench_competitor {
    const char *name;
    uint32_t kind;
    void (*before)(void *self);  /* may be NULL; not timed */
    uint64_t (*run)(void *self); /* timed; returns what it did */
    void (*after)(void *self);   /* may be NULL; not timed */
    void *self;
} bench_competitor;

typedef struct bench_row {
    size_t payload_bytes;
    const char *variant; /* the checksum, as a rule */
    double messages;     /* one run does this many, */
    double bytes;        /* and moves this many */
    uint64_t expected;   /* what a run has to return */
    double goal;         /* largest good ratio; 0: none is set */
    const bench_competitor *competitors;
    size_t count;
} bench_row;

typedef struct bench_table {
    const char *key; /* for --filter and JSON */
    const char *title;
    const char *note; /* one line: what is measured, and what the goal is */
    const char *variant_title;
    const char *limit_title;
    int rounds;
    bool heavy;   /* one run is long: it is a sample by itself */
    bool threads; /* more than one thread works: --cpu-time does not apply */
    bool rates;   /* bytes a nanosecond instead of which limit was the fastest */
    const char *columns[BENCH_MAX_COLUMNS];
} bench_table;

typedef struct bench_options {
    const char *program;
    const char *json_path;
    const char *filter;
    const char *directory; /* where files are written */
    int cpu;               /* that the measuring thread is pinned to, or -1 */
    int rounds;            /* 0: as each table says */
    bool cpu_time;         /* of heavy tables, instead of the time that passes */
    bool smoke;            /* tiny work, two rounds: does everything run and come out right? */
} bench_options;

/* Reads the arguments, pins the thread, prints what machine this is. Exits on --help and on
 * arguments that make no sense. */
void bench_start(const char *program, int argc, char **argv);
const bench_options *bench_given(void);

/* Whether --filter lets a row be measured: its name is "key/payload/variant". */
bool bench_wanted(const bench_table *table, size_t payload_bytes, const char *variant);

/* Rows follow their table; the table's heading is printed with its first row. */
void bench_table_begin(const bench_table *table);
void bench_row_run(const bench_row *row);

/* Prints which goals are met, writes JSON. Returns the program's exit status: 1 when a result was
 * wrong. */
int bench_finish(void);

/* Says what went wrong and exits. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void bench_fail(const char *format, ...);

/* For calls of the library that have to succeed here. */
void bench_must(fls_status status, const fls_error *err, const char *what);

uint64_t bench_now_ns(void);
void bench_pin(int cpu);
int bench_other_cpu(void);

/* Makes the compiler believe that memory was read and written, and that a value is not known. */
static inline void bench_clobber(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline size_t bench_opaque(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

#ifdef __cplusplus
}
#endif

#endif
