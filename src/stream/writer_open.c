/* Making a writer from its options, and ending it. */
#include "core/cpu.h"
#include "core/options.h"
#include "io/io_ops.h"
#include "stream/writer_private.h"

#define DEFAULT_PIECE_BYTES ((size_t)256 * 1024)
#define MIN_PIECE_BYTES     ((size_t)64)

/* So that no sum of a buffer, the frame behind it and what either may grow by can wrap around. */
#define MAX_PIECE_BYTES   (SIZE_MAX / 8)
#define MAX_PAYLOAD_BYTES (SIZE_MAX / 2)

void flsi_writer_choose_path(fls_writer *writer)
{
    int asks_policy = !writer->lends && writer->capacity > writer->baseline &&
                      writer->memory.policy.kind != FLS_MEMORY_KEEP;
    int plain = writer->validator_count == 0 && writer->observer_count == 0 && !asks_policy &&
                writer->failure.status == FLS_OK;
    fls_checksum checksum = writer->digest.checksum;
    writer->plain_limit = plain ? writer->max_frame_bytes : 0;
    writer->plain_short = checksum == FLS_CHECKSUM_XXH3 && writer->plain_limit >= FLSI_SHORT_MAX;
    writer->front.inline_limit = checksum == FLS_CHECKSUM_NONE ? writer->plain_limit : 0;
}

size_t flsi_writer_edge(const fls_writer *writer)
{
    size_t to_edge = writer->piece - (size_t)(writer->buffer_offset % writer->piece);
    return writer->lends || writer->capacity > writer->baseline ? writer->capacity : to_edge;
}

void flsi_writer_set_limit(fls_writer *writer)
{
    size_t bytes_held = (size_t)(writer->front.next - writer->buffer);
    size_t edge = flsi_writer_edge(writer);
    writer->front.limit = writer->buffer + (edge > bytes_held ? edge : bytes_held);
}

void flsi_writer_use_buffer(fls_writer *writer, uint8_t *buffer, size_t capacity, size_t bytes_held)
{
    writer->buffer = buffer;
    writer->capacity = capacity;
    writer->front.next = NULL;
    writer->front.limit = NULL;
    if (buffer != NULL) {
        writer->front.next = buffer + bytes_held;
        flsi_writer_set_limit(writer);
    }
    if (!writer->lends) {
        flsi_writer_choose_path(writer);
    }
}

void *flsi_writer_allocate(const fls_writer *writer, size_t bytes, fls_error *err)
{
    void *memory = writer->allocator->resize(writer->allocator->self, NULL, 0, bytes);
    if (memory == NULL) {
        fls_error_set(err, FLS_NO_MEMORY, 0, "the writer's buffer could not be allocated");
    }
    return memory;
}

void flsi_writer_release(const fls_writer *writer, void *memory, size_t bytes)
{
    if (memory != NULL) {
        writer->allocator->free(writer->allocator->self, memory, bytes);
    }
}

static fls_status read_options(fls_writer *writer, const fls_writer_options *given, fls_error *err)
{
    uint64_t limit =
        given->max_frame_bytes != 0 ? given->max_frame_bytes : FLS_DEFAULT_MAX_FRAME_BYTES;
    writer->max_frame_bytes = (uint32_t)(limit < MAX_PAYLOAD_BYTES ? limit : MAX_PAYLOAD_BYTES);
    writer->allow_empty = given->allow_empty;
    writer->validators = given->validators;
    writer->validator_count = given->validator_count;
    writer->observers = given->observers;
    writer->observer_count = given->observer_count;
    writer->first_ordinal = given->first_ordinal;
    writer->buffer_offset = given->first_offset;
    writer->alignment = 1;
    for (size_t i = 0; i < given->validator_count; i++) {
        uint32_t alignment = given->validators[i].alignment;
        if (alignment > FLSI_WRITER_MAX_ALIGNMENT || (alignment & (alignment - 1)) != 0) {
            return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                                 "a validator's alignment has to be a power of two up to 64");
        }
        writer->alignment = alignment > writer->alignment ? alignment : writer->alignment;
    }
    if (given->buffer_bytes > MAX_PIECE_BYTES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "buffer_bytes is impossibly large");
    }
    writer->piece = given->buffer_bytes != 0 ? given->buffer_bytes : DEFAULT_PIECE_BYTES;
    writer->piece = writer->piece < MIN_PIECE_BYTES ? MIN_PIECE_BYTES : writer->piece;
    fls_status status = flsi_memory_state_init(&writer->memory, given->memory_policy, err);
    writer->scratch_memory = writer->memory;
    writer->builder_memory = writer->memory;
    if (status == FLS_OK) {
        status = flsi_digest_init(&writer->digest, given->checksum, given->custom_checksum,
                                  flsi_cpu_features(), err);
    }
    return status;
}

static void free_all(fls_writer *writer)
{
    fls_builder_free(writer->builder);
    if (!writer->lends) {
        flsi_writer_release(writer, writer->buffer, writer->capacity);
    }
    flsi_writer_release(writer, writer->scratch, writer->scratch_capacity);
    flsi_writer_release(writer, writer, sizeof *writer);
}

fls_status flsi_writer_new(fls_writer **writer, const fls_writer_options *options, int lends,
                           fls_error *err)
{
    fls_writer_options given;
    *writer = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    const fls_allocator *allocator =
        given.allocator != NULL ? given.allocator : fls_allocator_libc();
    fls_writer *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        fls_error_set(err, FLS_NO_MEMORY, 0, "the writer could not be allocated");
        return FLS_NO_MEMORY;
    }
    memset(made, 0, sizeof *made);
    made->allocator = allocator;
    made->lends = lends;
    status = read_options(made, &given, err);
    flsi_writer_choose_path(made);
    if (status == FLS_OK && !lends) {
        made->baseline = made->piece + made->piece / 4;
        uint8_t *buffer = flsi_writer_allocate(made, made->baseline, err);
        if (buffer == NULL) {
            status = FLS_NO_MEMORY;
        } else {
            flsi_writer_use_buffer(made, buffer, made->baseline, 0);
        }
    }
    if (status != FLS_OK) {
        free_all(made);
        return status;
    }
    *writer = made;
    return FLS_OK;
}

void flsi_writer_start(fls_writer *writer, fls_sink sink, uint64_t first_offset,
                       uint64_t first_ordinal)
{
    writer->sink = sink;
    writer->buffer_offset = first_offset;
    writer->first_ordinal = first_ordinal;
}

fls_status fls_writer_open(fls_writer **writer, fls_sink sink, const fls_writer_options *options,
                           fls_error *err)
{
    *writer = NULL;
    if (!FLSI_SINK_HAS(&sink, write)) {
        fls_sink_abort(&sink);
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the sink is closed or has no write");
    }
    int lends = FLSI_SINK_HAS(&sink, lend);
    int commits = FLSI_SINK_HAS(&sink, commit);
    fls_status status = flsi_writer_new(writer, options, lends && commits, err);
    if (status == FLS_OK) {
        (*writer)->sink = sink;
    } else {
        fls_sink_abort(&sink);
    }
    return status;
}

fls_status fls_writer_open_file(fls_writer **writer, const char *path,
                                const fls_writer_options *options, fls_error *err)
{
    fls_writer *made;
    fls_sink sink;
    *writer = NULL;
    fls_status status = flsi_writer_new(&made, options, 0, err);
    if (status != FLS_OK) {
        return status;
    }
    status = fls_sink_open_file(&sink, path, err);
    if (status != FLS_OK) {
        free_all(made);
        return status;
    }
    made->sink = sink;
    *writer = made;
    return FLS_OK;
}

fls_status fls_writer_close(fls_writer *writer, fls_error *err)
{
    if (writer == NULL) {
        return FLS_OK;
    }
    fls_error first = FLS_ERROR_INIT;
    fls_status status = fls_writer_flush(writer, &first);
    if (status == FLS_WOULD_BLOCK) {
        if (err != NULL) {
            *err = first;
        }
        return status;
    }
    if (status == FLS_OK) {
        status = fls_sink_close(&writer->sink, &first);
        first.status = status;
    } else {
        fls_sink_abort(&writer->sink);
    }
    if (status != FLS_OK && err != NULL) {
        *err = first;
    }
    free_all(writer);
    return status;
}

void fls_writer_abort(fls_writer *writer)
{
    if (writer != NULL) {
        fls_sink_abort(&writer->sink);
        free_all(writer);
    }
}
