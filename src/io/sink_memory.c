/* Sinks on memory: one that grows, and one on the caller's memory of a fixed size. Both lend what
 * they have left, so that frames can be built where they stay.
 */
#include <string.h>

#include "flatstream/sink.h"
#include "io/io_object.h"

#define FIRST_BYTES ((size_t)4096)

typedef struct memory_sink {
    const fls_allocator *allocator; /* NULL: fixed */
    uint8_t *data;
    size_t size;
    size_t capacity;
} memory_sink;

/* Makes room for more bytes, at least doubling so that appending stays linear. */
static fls_status grow(memory_sink *sink, size_t more, fls_error *err)
{
    if (sink->allocator == NULL)
        return fls_error_set(err, FLS_NO_SPACE, 0, "the memory given is full");
    if (more > SIZE_MAX - sink->size)
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    size_t wanted = sink->size + more;
    size_t doubled = sink->capacity > SIZE_MAX / 2 ? SIZE_MAX : sink->capacity * 2;
    size_t capacity = doubled > wanted ? doubled : wanted;
    if (capacity < FIRST_BYTES)
        capacity = FIRST_BYTES;
    void *data =
        sink->allocator->resize(sink->allocator->self, sink->data, sink->capacity, capacity);
    if (data == NULL)
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    sink->data = data;
    sink->capacity = capacity;
    return FLS_OK;
}

static size_t room(const memory_sink *sink)
{
    return sink->capacity - sink->size;
}

/* A fixed memory takes what still fits, as a disk does. */
static fls_status memory_write(void *self, const void *data, size_t size, size_t *written,
                               fls_error *err)
{
    memory_sink *sink = self;
    *written = 0;
    if (size == 0)
        return FLS_OK;
    if (size > room(sink)) {
        if (sink->allocator == NULL && room(sink) != 0) {
            size = room(sink);
        } else {
            fls_status status = grow(sink, size, err);
            if (status != FLS_OK)
                return status;
        }
    }
    memcpy(sink->data + sink->size, data, size);
    sink->size += size;
    *written = size;
    return FLS_OK;
}

static fls_status memory_close(void *self, fls_error *err)
{
    memory_sink *sink = self;
    const fls_allocator *allocator = sink->allocator;
    (void)err;
    if (allocator == NULL) {
        flsi_io_object_free(sink, sizeof *sink);
        return FLS_OK;
    }
    if (sink->data != NULL)
        allocator->free(allocator->self, sink->data, sink->capacity);
    allocator->free(allocator->self, sink, sizeof *sink);
    return FLS_OK;
}

static fls_status memory_lend(void *self, size_t min_bytes, void **memory, size_t *capacity,
                              fls_error *err)
{
    memory_sink *sink = self;
    if (room(sink) < min_bytes) {
        fls_status status = grow(sink, min_bytes, err);
        if (status != FLS_OK)
            return status;
    }
    *memory = sink->data + sink->size;
    *capacity = room(sink);
    return FLS_OK;
}

static void memory_commit(void *self, size_t bytes)
{
    memory_sink *sink = self;
    sink->size += bytes;
}

static const fls_sink_ops memory_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = memory_write,
    .close = memory_close,
    .lend = memory_lend,
    .commit = memory_commit,
};

fls_status fls_sink_open_memory(fls_sink *sink, const fls_allocator *allocator, fls_error *err)
{
    sink->ops = NULL;
    sink->self = NULL;
    if (allocator == NULL)
        allocator = fls_allocator_libc();
    memory_sink *object = allocator->resize(allocator->self, NULL, 0, sizeof *object);
    if (object == NULL)
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    *object = (memory_sink){allocator, NULL, 0, 0};
    sink->ops = &memory_ops;
    sink->self = object;
    return FLS_OK;
}

fls_status fls_sink_open_fixed(fls_sink *sink, void *memory, size_t capacity, fls_error *err)
{
    sink->ops = NULL;
    sink->self = NULL;
    if (memory == NULL && capacity != 0)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no memory was given");
    memory_sink *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    *object = (memory_sink){NULL, memory, 0, capacity};
    sink->ops = &memory_ops;
    sink->self = object;
    return FLS_OK;
}

fls_status fls_sink_memory(const fls_sink *sink, const void **data, size_t *size)
{
    *data = "";
    *size = 0;
    if (sink->ops != &memory_ops)
        return FLS_INVALID_ARGUMENT;
    const memory_sink *object = sink->self;
    if (object->size != 0)
        *data = object->data;
    *size = object->size;
    return FLS_OK;
}

fls_status fls_sink_memory_reset(const fls_sink *sink)
{
    if (sink->ops != &memory_ops)
        return FLS_INVALID_ARGUMENT;
    ((memory_sink *)sink->self)->size = 0;
    return FLS_OK;
}
