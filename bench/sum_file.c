/* What cores can do at most with a file in the page cache:
 * sum_file map|read THREADS FILE adds up its words, each thread those of its share, through a
 * mapping or with pread(2), and prints the sum.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_THREADS 256
#define PIECE_BYTES  ((size_t)256 * 1024)
#define WORDS        8

typedef struct share {
    int fd;
    const uint8_t *mapped; /* or NULL */
    size_t from;
    size_t to;
    uint64_t sum;
    pthread_t thread;
} share;

static uint64_t add_up(const uint8_t *bytes, size_t size)
{
    uint64_t sums[WORDS] = {0};
    uint64_t sum = 0;
    for (size_t at = 0; at + sizeof sums <= size; at += sizeof sums) {
        uint64_t words[WORDS];
        memcpy(words, bytes + at, sizeof words);
        for (int k = 0; k < WORDS; k++) {
            sums[k] += words[k];
        }
    }
    for (int k = 0; k < WORDS; k++) {
        sum += sums[k];
    }
    return sum;
}

static void *run(void *self)
{
    share *mine = self;
    if (mine->mapped != NULL) {
        mine->sum = add_up(mine->mapped + mine->from, mine->to - mine->from);
        return NULL;
    }
    uint8_t *piece = malloc(PIECE_BYTES);
    size_t at = mine->from;
    while (piece != NULL && at < mine->to) {
        size_t wanted = mine->to - at < PIECE_BYTES ? mine->to - at : PIECE_BYTES;
        ssize_t got = pread(mine->fd, piece, wanted, (off_t)at);
        if (got <= 0) {
            break;
        }
        mine->sum += add_up(piece, (size_t)got);
        at += (size_t)got;
    }
    free(piece);
    return NULL;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "sum_file: %s\n", what);
    return 1;
}

int main(int argc, char **argv)
{
    static share shares[MOST_THREADS];
    struct stat info;
    uint64_t sum = 0;
    long threads = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (threads < 1 || threads > MOST_THREADS ||
        (strcmp(argv[1], "map") != 0 && strcmp(argv[1], "read") != 0)) {
        return fail("sum_file map|read THREADS FILE");
    }
    int fd = open(argv[3], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size <= 0) {
        return fail("the file cannot be read, or is empty");
    }
    size_t bytes = (size_t)info.st_size;
    void *mapped = NULL;
    if (argv[1][0] == 'm') {
        mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED) {
            return fail("the file cannot be mapped");
        }
    }
    for (long i = 0; i < threads; i++) {
        size_t part = bytes / (size_t)threads;
        size_t from = (size_t)i * part;
        shares[i] = (share){
            .fd = fd, .mapped = mapped, .from = from, .to = i + 1 < threads ? from + part : bytes};
        if (pthread_create(&shares[i].thread, NULL, run, &shares[i]) != 0) {
            return fail("a thread cannot be started");
        }
    }
    for (long i = 0; i < threads; i++) {
        (void)pthread_join(shares[i].thread, NULL);
        sum += shares[i].sum;
    }
    (void)printf("%llu\n", (unsigned long long)sum);
    return 0;
}
