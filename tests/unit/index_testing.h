/* A stream whose messages carry times, what an index of it has to say, and sources on it. */
#ifndef TESTS_UNIT_INDEX_TESTING_H
#define TESTS_UNIT_INDEX_TESTING_H

#include "flatstream/index.h"
#include "support/frames.h"
#include "support/testing.h"

typedef struct index_truth {
    byte_buffer stream;
    fls_checksum checksum;
    size_t count;
    size_t room;
    uint64_t *offsets; /* of messages */
    uint64_t *times;   /* 0: it has none */
    uint64_t *sizes;
} index_truth;

/* The first 8 bytes of a payload; one that is shorter has no time. */
static inline int index_time_of(void *self, const fls_message *message, uint64_t *time_ns)
{
    uint64_t time = 0;
    (void)self;
    for (size_t i = 0; message->size >= 8 && i < 8; i++) {
        time |= (uint64_t)((const uint8_t *)message->payload)[i] << (8 * i);
    }
    *time_ns = time;
    return time != 0;
}

static inline void truth_free(index_truth *truth)
{
    bytes_free(&truth->stream);
    free(truth->offsets);
    free(truth->times);
    free(truth->sizes);
    *truth = (index_truth){.count = 0};
}

static inline void truth_add(index_truth *truth, prng *random, size_t size, uint64_t time)
{
    const ref_format format = {.checksum = truth->checksum};
    uint8_t *payload = malloc(size + 8);
    assert_non_null(payload);
    prng_fill(random, payload, size + 8);
    for (size_t i = 0; size >= 8 && i < 8; i++) {
        payload[i] = (uint8_t)(time >> (8 * i));
    }
    if (truth->count == truth->room) {
        truth->room = truth->room == 0 ? 256 : 2 * truth->room;
        truth->offsets = realloc(truth->offsets, truth->room * sizeof *truth->offsets);
        truth->times = realloc(truth->times, truth->room * sizeof *truth->times);
        truth->sizes = realloc(truth->sizes, truth->room * sizeof *truth->sizes);
        assert_true(truth->offsets != NULL && truth->times != NULL && truth->sizes != NULL);
    }
    truth->offsets[truth->count] = truth->stream.size;
    truth->times[truth->count] = size >= 8 ? time : 0;
    truth->sizes[truth->count++] = size;
    frames_append(&truth->stream, &format, payload, size);
    free(payload);
}

/* Times rise for the most part, now and then fall back, and now and then there is none. */
static inline void truth_add_many(index_truth *truth, prng *random, size_t count, size_t most)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t kind = prng_below(random, 40);
        uint64_t time = 1000 + 10 * (uint64_t)truth->count;
        size_t size = 8 + (size_t)prng_below(random, most);
        if (kind == 0) {
            time = 1 + prng_below(random, time);
        } else if (kind == 1) {
            time = 0;
        } else if (kind == 2) {
            size = (size_t)prng_below(random, 8);
        } else if (kind == 3) {
            time += prng_below(random, 3000);
        }
        truth_add(truth, random, size, time);
    }
}

/* A source without state, for several threads, that gives little at once. */
static inline fls_status truth_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                                       size_t *got, fls_error *err)
{
    const byte_buffer *bytes = self;
    (void)err;
    if (offset >= bytes->size) {
        return FLS_END;
    }
    size_t left = bytes->size - (size_t)offset;
    *got = left < capacity ? left : capacity;
    *got = *got > 3000 ? 3000 : *got;
    memcpy(buffer, bytes->data + offset, *got);
    return FLS_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is that of fls_source_ops.read */
static inline fls_status truth_read(void *self, void *buffer, size_t capacity, size_t *got,
                                    fls_error *err)
{
    (void)self;
    (void)buffer;
    (void)capacity;
    (void)got;
    return fls_error_set(err, FLS_IO, 0, "nobody is to read this in order");
}

static inline fls_status truth_size(void *self, uint64_t *bytes, fls_error *err)
{
    (void)err;
    *bytes = ((const byte_buffer *)self)->size;
    return FLS_OK;
}

static inline fls_source truth_source(const byte_buffer *bytes)
{
    static const fls_source_ops ops = {sizeof ops,    0,          truth_read, NULL,
                                       truth_read_at, truth_size, NULL};
    return (fls_source){&ops, (void *)(uintptr_t)bytes};
}

/* What an index is of these bytes, made with these options. */
static inline fls_status index_make(byte_buffer *out, const byte_buffer *stream,
                                    const fls_index *old, const fls_index_options *options,
                                    fls_index_info *info, fls_error *err)
{
    const fls_source source = truth_source(stream);
    const void *data;
    size_t size;
    fls_sink sink;
    assert_int_equal(fls_sink_open_memory(&sink, NULL, err), FLS_OK);
    fls_status status = old != NULL ? fls_index_extend(old, &source, &sink, options, info, err)
                                    : fls_index_build(&source, &sink, options, info, err);
    bytes_clear(out);
    if (status == FLS_OK) {
        assert_int_equal(fls_sink_memory(&sink, &data, &size), FLS_OK);
        bytes_append(out, data, size);
    }
    fls_sink_abort(&sink);
    return status;
}

/* stream NULL: it is held against nothing. */
static inline fls_status index_open(fls_index **index, const byte_buffer *bytes,
                                    const byte_buffer *stream, fls_error *err)
{
    const fls_source source = truth_source(bytes);
    fls_source of_stream;
    if (stream != NULL) {
        of_stream = truth_source(stream);
    }
    return fls_index_open(index, &source, stream != NULL ? &of_stream : NULL, NULL, err);
}

#endif
