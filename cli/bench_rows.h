/* The measurements behind `flatstream bench`: each gives one row of the table. */
#ifndef FLS_CLI_BENCH_ROWS_H
#define FLS_CLI_BENCH_ROWS_H

#include "command.h"

typedef struct bench_row {
    const char *what;     /* "frame in memory" and so on */
    const char *checksum; /* or NULL where there is none */
    uint32_t message_bytes;
    double ns;         /* a message, median of some rounds */
    double spread;     /* half of the middle half of the rounds, as a share of the median */
    double gb_s;       /* payload bytes; 0 where that says nothing */
    double limit_ns;   /* what it is compared with took, in the same run; 0: nothing */
    const char *limit; /* what that is */
} bench_row;

#define BENCH_MOST_ROWS 64

typedef struct bench_table {
    cli_job *job;
    const char *folder; /* where files are made */
    bench_row rows[BENCH_MOST_ROWS];
    size_t count;
} bench_table;

/* Each adds rows. CLI_DONE, or the exit code after a message. */
int bench_memory(bench_table *table);
int bench_files(bench_table *table);

/* Seconds that a function takes, by rounds: the median in *median, see bench_row.spread. The
 * function is run until a round has taken a while; it does `repeats` of its work a call. */
typedef struct bench_work {
    int (*run)(void *self); /* CLI_DONE, or the exit code after a message */
    void *self;
    uint64_t repeats;
} bench_work;

int bench_measure(const bench_work *work, double *median_ns, double *spread);

#endif
