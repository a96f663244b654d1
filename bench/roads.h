/* The library's roads as competitors: one object's worth of state, and the functions that walk it.
 */
#ifndef FLS_BENCH_ROADS_H
#define FLS_BENCH_ROADS_H

#include "flatstream/flatstream.h"
#include "harness.h"
#include "limit_loops.h"
#include "workload.h"

/* Reading. Opening and closing are not timed in memory, where one run may be a microsecond. */
typedef struct read_road {
    const bench_stream *stream;
    const char *path;      /* of a file that holds the stream, where there is one */
    bench_read_loop *loop; /* a limit's */
    const bench_kernels *kernels;
    fls_cursor cursor;
    fls_reader *reader;
} read_road;

void road_cursor_init(void *self); /* fls_cursor_init over the stream's bytes */
void road_reader_open(void *self); /* fls_reader_open_memory */
void road_reader_close(void *self);

/* All return the number of messages. */
uint64_t road_limit_read(void *self);
uint64_t road_limit_each(void *self);
uint64_t road_cursor_batch(void *self);
uint64_t road_cursor_next(void *self);
uint64_t road_reader_batch(void *self);
uint64_t road_reader_each(void *self);
uint64_t road_reader_next(void *self);
uint64_t road_recover_memory(void *self);

/* Reads the stream by each of the library's roads and compares every payload. */
void road_check_read(const bench_stream *stream);

/* Writing a pool of messages over and over. */
typedef struct write_road {
    const bench_pool *pool;
    fls_checksum checksum;
    size_t messages; /* a run writes this many; a multiple of the pool's */
    uint8_t *memory; /* where a limit or a fixed sink writes */
    size_t capacity;
    bench_write_loop *loop;
    const bench_kernels *kernels;
    fls_writer *writer;
    fls_sink sink;
} write_road;

/* Writes the messages with fls_writer_write. */
void road_write_messages(fls_writer *writer, const bench_pool *pool, size_t messages);

/* The options of a reader and a writer that differ from the default by the checksum only. */
fls_reader_options road_reader_options(fls_checksum checksum);
fls_writer_options road_writer_options(fls_checksum checksum);

typedef enum road_how { ROAD_PLAIN, ROAD_AHEAD, ROAD_EACH } road_how;

/* The limit competitors of a read: plain, wider vectors where they can matter, other kernels, all
 * plain, prefetching or calling back. Returns how many were put into competitors and roads (both
 * BENCH_MAX_COMPETITORS long). */
size_t road_read_limits(bench_competitor *competitors, read_road *roads, const bench_stream *stream,
                        road_how how);

/* The sections of the program. */
void bench_machine(void);
void bench_checksum_kernels(void);
void bench_read_hot(void);
void bench_read_large(void);
void bench_write_hot(void);
void bench_write_large(void);
void bench_write_file(void);
void bench_read_file(void);
void bench_read_mapped(void);
void bench_salvage(void);
void bench_resync(void);
void bench_cores(void);
void bench_sockets(void);

#endif
