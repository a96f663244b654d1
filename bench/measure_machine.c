/* What this machine can do at all: copies, system calls, the page cache. */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "roads.h"

#define KIB         ((size_t)1024)
#define MIB         (1024 * KIB)
#define PIECE_BYTES (256 * KIB)

typedef struct machine_road {
    uint8_t *from;
    uint8_t *to;
    size_t bytes; /* of one operation */
    size_t times;
    const char *path;
} machine_road;

static uint64_t run_memcpy(void *self)
{
    machine_road *road = self;
    for (size_t i = 0; i < road->times; i++) {
        memcpy(road->to, road->from, bench_opaque(road->bytes));
        bench_clobber();
    }
    return road->times;
}

static uint64_t run_sum(void *self)
{
    machine_road *road = self;
    for (size_t i = 0; i < road->times; i++) {
        uint64_t sums[4] = {0, 0, 0, 0};
        for (size_t at = 0; at + sizeof sums <= road->bytes; at += sizeof sums) {
            uint64_t words[4];
            memcpy(words, road->from + at, sizeof words);
            for (int k = 0; k < 4; k++) {
                sums[k] += words[k];
            }
        }
        __asm__ volatile("" ::"m"(sums));
    }
    return road->times;
}

static uint64_t run_syscall(void *self)
{
    machine_road *road = self;
    for (size_t i = 0; i < road->times; i++) {
        (void)syscall(SYS_getppid);
    }
    return road->times;
}

static uint64_t run_write(void *self)
{
    machine_road *road = self;
    int fd = open(road->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < road->bytes) {
        ssize_t written = write(fd, road->from, PIECE_BYTES);
        if (written <= 0) {
            break;
        }
        done += (size_t)written;
    }
    (void)close(fd);
    return done == road->bytes ? road->times : 0;
}

static void remove_path(void *self)
{
    (void)unlink(((machine_road *)self)->path);
}

static uint64_t run_read(void *self)
{
    machine_road *road = self;
    int fd = open(road->path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t got;
    while (fd >= 0 && (got = read(fd, road->to, PIECE_BYTES)) > 0) {
        done += (size_t)got;
    }
    (void)close(fd);
    return done == road->bytes ? road->times : 0;
}

typedef struct machine_case {
    const char *variant;
    size_t bytes;
    size_t times;
    uint64_t (*run)(void *self);
    void (*after)(void *self);
} machine_case;

static void measure(const bench_table *table, const machine_case *one, machine_road *road)
{
    if (!bench_wanted(table, one->bytes, one->variant)) {
        return;
    }
    road->bytes = one->bytes;
    road->times = one->times;
    bench_competitor competitor = {one->variant, BENCH_LIMIT, NULL, one->run, one->after, road};
    bench_row row = {one->bytes,         one->variant,
                     (double)one->times, (double)(one->times * one->bytes),
                     one->times,         0,
                     &competitor,        1};
    bench_row_run(&row);
}

void bench_machine(void)
{
    static const bench_table table = {
        "machine", "The machine", "one operation of so many bytes", "what", "ns", 7, false, false,
        true,      {NULL}};
    size_t large = bench_given()->smoke ? 2 * MIB : 256 * MIB;
    const machine_case in_memory[] = {
        {"syscall", 0, 1000, run_syscall, NULL},    {"memcpy", 100, 1000, run_memcpy, NULL},
        {"memcpy", 8 * KIB, 100, run_memcpy, NULL}, {"memcpy", 256 * KIB, 10, run_memcpy, NULL},
        {"memcpy", large, 1, run_memcpy, NULL},     {"sum", large, 1, run_sum, NULL},
    };
    const machine_case write_case = {"write(2)", large, 1, run_write, remove_path};
    const machine_case read_case = {"read(2)", large, 1, run_read, NULL};
    if (bench_given()->filter != NULL && strstr(bench_given()->filter, table.key) == NULL) {
        return;
    }
    machine_road road = {.from = bench_allocate(large), .to = bench_allocate(large)};
    bench_table_begin(&table);
    for (size_t i = 0; i < sizeof in_memory / sizeof in_memory[0]; i++) {
        measure(&table, &in_memory[i], &road);
    }
    road.path = bench_path("machine");
    measure(&table, &write_case, &road);
    bench_write_path(road.path, road.from, large);
    measure(&table, &read_case, &road);
    remove_path(&road);
    bench_release(road.from, large);
    bench_release(road.to, large);
}
