/* Payloads, streams and files to measure with. */
#include "workload.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"

const size_t bench_sizes[BENCH_SIZES] = {32, 100, 1024, 16384, 1048576};

const fls_checksum bench_checksums[BENCH_CHECKSUMS] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16,
                                                       FLS_CHECKSUM_CRC32, FLS_CHECKSUM_XXH3};

/* Pools begin in the middle of a page. `rep movsb`, which memcpy uses from some 2 KiB up, is twenty
 * times as slow on some CPUs when the target lies a few bytes behind the source modulo 4096, and
 * frames written at the start of a page from payloads at the start of another lie just so. The
 * kernel copies with it too, so what read(2) and write(2) are given here begins with a page. */
#define POOL_OFFSET 2048u

uint8_t *bench_allocate(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        bench_fail("no memory for %zu bytes", bytes);
    }
    return memory;
}

void bench_release(void *memory, size_t bytes)
{
    if (memory != NULL) {
        (void)munmap(memory, bytes);
    }
}

/* xorshift64*: the same payloads in every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

void bench_pool_init(bench_pool *pool, size_t payload_bytes, size_t total_bytes)
{
    uint64_t state = 0x9E3779B97F4A7C15u ^ payload_bytes;
    pool->payload_bytes = payload_bytes;
    pool->count = total_bytes / payload_bytes > 0 ? total_bytes / payload_bytes : 1;
    size_t bytes = pool->count * payload_bytes;
    pool->bytes = bench_allocate(bytes + POOL_OFFSET) + POOL_OFFSET;
    for (size_t at = 0; at < bytes; at += sizeof state) {
        uint64_t word = next_random(&state);
        memcpy(pool->bytes + at, &word, bytes - at < sizeof word ? bytes - at : sizeof word);
    }
    for (size_t i = 0; i < pool->count; i++) {
        pool->bytes[i * payload_bytes] |= 1;
    }
}

void bench_pool_fini(bench_pool *pool)
{
    bench_release(pool->bytes - POOL_OFFSET, pool->count * pool->payload_bytes + POOL_OFFSET);
    memset(pool, 0, sizeof *pool);
}

size_t bench_frame_bytes(size_t payload_bytes, fls_checksum checksum)
{
    return FLS_LENGTH_BYTES + fls_checksum_width(checksum) + payload_bytes;
}

static size_t put_little_endian(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
    return bytes;
}

void bench_stream_encode(bench_stream *stream, uint8_t *memory, size_t capacity, size_t max_frames,
                         const bench_pool *pool, fls_checksum checksum)
{
    size_t frame_bytes = bench_frame_bytes(pool->payload_bytes, checksum);
    size_t width = fls_checksum_width(checksum);
    uint8_t *to = memory;
    stream->pool = pool;
    stream->data = memory;
    stream->checksum = checksum;
    stream->frames = capacity / frame_bytes < max_frames ? capacity / frame_bytes : max_frames;
    stream->bytes = stream->frames * frame_bytes;
    size_t period = stream->frames < pool->count ? stream->frames : pool->count;
    for (size_t i = 0; i < period; i++) {
        const uint8_t *payload = pool->bytes + i * pool->payload_bytes;
        to += put_little_endian(to, pool->payload_bytes, FLS_LENGTH_BYTES);
        to += put_little_endian(to, fls_checksum_digest(checksum, payload, pool->payload_bytes),
                                width);
        memcpy(to, payload, pool->payload_bytes);
        to += pool->payload_bytes;
    }
    for (size_t left = stream->bytes - (size_t)(to - memory); left > 0;) {
        size_t piece = left < period * frame_bytes ? left : period * frame_bytes;
        memcpy(to, memory, piece);
        to += piece;
        left -= piece;
    }
}

void bench_check_message(const bench_stream *stream, const fls_message *message, uint64_t index)
{
    const bench_pool *pool = stream->pool;
    const uint8_t *payload = pool->bytes + index % pool->count * pool->payload_bytes;
    uint64_t offset = index * bench_frame_bytes(pool->payload_bytes, stream->checksum);
    if (index >= stream->frames || message->ordinal != index || message->offset != offset ||
        message->size != pool->payload_bytes ||
        memcmp(message->payload, payload, message->size) != 0) {
        bench_fail("message %llu of %zu bytes (%s) came out wrong", (unsigned long long)index,
                   pool->payload_bytes, fls_checksum_name(stream->checksum));
    }
}

/* ---- files ---- */

static char file_path[4096];

static void remove_file(void)
{
    if (file_path[0] != '\0') {
        (void)unlink(file_path);
    }
}

const char *bench_path(const char *name)
{
    if (file_path[0] == '\0') {
        (void)atexit(remove_file);
    } else {
        remove_file();
    }
    (void)snprintf(file_path, sizeof file_path, "%s/flatstream-bench.%ld.%s",
                   bench_given()->directory, (long)getpid(), name);
    return file_path;
}

void bench_write_path(const char *path, const void *memory, size_t bytes)
{
    const uint8_t *from = memory;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        bench_fail("%s cannot be made", path);
    }
    while (bytes > 0) {
        ssize_t written = write(fd, from, bytes < 262144 ? bytes : 262144);
        if (written <= 0) {
            bench_fail("%s cannot be written", path);
        }
        from += written;
        bytes -= (size_t)written;
    }
    (void)close(fd);
}
