/* What the stream targets make of an input: two bytes choose the checksum, the limit, the splits
 * and whether checksums are put right, so that a fuzzer need not guess them; the rest is the
 * stream.
 *
 *   byte 0   bits 0-2 checksum (none, crc16, crc32, xxh3, custom ...), bit 3 repair,
 *            bit 4 a limit of 64 bytes a payload, bits 5-7 seed
 *   byte 1   width of a custom checksum (modulo 9), how many frames are repaired, and seed
 */
#ifndef FUZZ_STREAM_CASE_H
#define FUZZ_STREAM_CASE_H

#include "support/readers.h"

typedef struct stream_case {
    readers_case what; /* its data is a block of exactly the stream's size */
    prng random;
    fls_custom_checksum custom;
    uint64_t key;
} stream_case;

/* 0 when the input is too short or too long to be of use. */
int stream_case_init(stream_case *self, const uint8_t *data, size_t size);
void stream_case_fini(stream_case *self);

/* Ends the process with a message, for the fuzzer to see. */
#define STREAM_CASE_FAIL(...) stream_case_fail(__FILE__, __LINE__, __VA_ARGS__)
void stream_case_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
#define STREAM_CASE_CHECK(condition)                    \
    do {                                                \
        if (!(condition)) {                             \
            STREAM_CASE_FAIL("not so: %s", #condition); \
        }                                               \
    } while (0)

#endif
