/* A sink and a source in memory that give and take in pieces, would block, and fail at a chosen
 * call: ordinary sinks and sources to the code under test. */
#ifndef TESTS_SUPPORT_FAULTY_IO_H
#define TESTS_SUPPORT_FAULTY_IO_H

#include "flatstream/sink.h"
#include "flatstream/source.h"
#include "support/frames.h"

#define FAULTY_NEVER UINT64_MAX

/* Zero means "as an ordinary sink would"; fail_call must be FAULTY_NEVER where nothing fails. */
typedef struct faulty_plan {
    uint64_t fail_call;     /* number of the operation that fails, counted from 0 */
    int fails_on;           /* 1: all later ones fail too */
    fls_status fail_status; /* FLS_IO, FLS_NO_SPACE ... */
    int fail_errno;
    size_t fail_takes;     /* bytes that the failing write takes all the same */
    size_t max_piece;      /* pieces of 1 .. max_piece bytes a call, at random; 0: whole */
    uint32_t block_one_in; /* one call in so many would block, at random; 0: none */
    size_t space;          /* sink: FLS_NO_SPACE beyond so many bytes; 0: no end of space */
    int without_writev;    /* sink: the operation is missing */
    int without_random;    /* source: neither read_at nor size */
} faulty_plan;

#define FAULTY_PLAN_INIT          \
    {                             \
        .fail_call = FAULTY_NEVER \
    }

typedef struct faulty_sink {
    faulty_plan plan;
    byte_buffer taken; /* what arrived, in order */
    uint64_t calls;    /* operations so far: write, writev, flush, sync, close */
    uint64_t writes;
    uint64_t writes_after_fault; /* bytes offered after an operation had failed */
    uint64_t syncs;
    uint64_t synced_bytes; /* how much had arrived at the last good sync */
    int failed;
    int closed;  /* times */
    int aborted; /* times */
    prng random;
    fls_sink_ops ops;
} faulty_sink;

/* The fls_sink borrows self. Reading what arrived stays possible after it was closed, until
 * faulty_sink_fini. */
fls_sink faulty_sink_init(faulty_sink *self, const faulty_plan *plan, uint64_t seed);
void faulty_sink_fini(faulty_sink *self);

typedef struct faulty_source {
    faulty_plan plan;
    const uint8_t *data;
    size_t size;
    size_t place;
    uint64_t calls; /* of read and read_at */
    int closed;
    prng random;
    fls_source_ops ops;
} faulty_source;

/* Borrows self and data. */
fls_source faulty_source_init(faulty_source *self, const faulty_plan *plan, const void *data,
                              size_t size, uint64_t seed);

#endif
