/* The roads on which messages go to a file or into a journal: what a competitor of the journal's
 * tables opens, runs and closes. Each function takes a journal_road, or what begins with one. */
#ifndef FLS_BENCH_JOURNAL_ROADS_H
#define FLS_BENCH_JOURNAL_ROADS_H

#include "journal_bench.h"

#define PIECE_BYTES (256 * KIB)

typedef struct journal_road {
    const bench_pool *pool;
    size_t messages;
    size_t bytes; /* of frames */
    const char *path;
    const bench_stream *frames; /* for a bare file */
    fls_journal_options options;
    void (*append)(fls_journal *journal, const bench_pool *pool, size_t messages);
    bool durable; /* a run ends when everything is; else when the system has it */
    fls_writer *writer;
    fls_journal *journal;
    int fd;
} journal_road;

void journal_must(int holds, const char *what);

/* As many messages as make so many bytes of frames with xxh3, one a call. */
void journal_road_init(journal_road *road, const bench_pool *pool, size_t bytes, const char *path);
/* The same, 64 a call. */
journal_road journal_road_in_batches(const journal_road *road);

void road_open_writer(void *self);
uint64_t road_run_writer(void *self);
void road_close_writer(void *self);

void road_open_journal(void *self);
uint64_t road_run_journal(void *self);
void road_close_journal(void *self);

void road_open_bare(void *self);
void road_close_bare(void *self);

/* Runs it once, reads back what is in the journal then, and compares. */
void journal_road_check(journal_road *road, const char *name);

#endif
