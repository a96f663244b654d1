/* Sources whose bytes lie in memory: the caller's, and a mapped file's. */
#include <string.h>

#include "flatstream/source.h"
#include "io/io_file.h"
#include "io/io_object.h"
#include "os/os_map.h"

typedef struct memory_source {
    const uint8_t *data;
    size_t size;
    size_t at;    /* where read goes on */
    flsi_map map; /* what holds data; nothing for the caller's memory */
} memory_source;

static size_t copy_from(const memory_source *source, size_t at, void *buffer, size_t capacity)
{
    size_t left = source->size - at;
    size_t bytes = capacity < left ? capacity : left;
    if (bytes != 0)
        memcpy(buffer, source->data + at, bytes);
    return bytes;
}

static fls_status memory_read(void *self, void *buffer, size_t capacity, size_t *got,
                              fls_error *err)
{
    memory_source *source = self;
    (void)err;
    *got = copy_from(source, source->at, buffer, capacity);
    source->at += *got;
    return *got == 0 && capacity != 0 ? FLS_END : FLS_OK;
}

static fls_status memory_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                                 size_t *got, fls_error *err)
{
    const memory_source *source = self;
    (void)err;
    *got = offset < source->size ? copy_from(source, (size_t)offset, buffer, capacity) : 0;
    return *got == 0 && capacity != 0 ? FLS_END : FLS_OK;
}

static fls_status memory_borrow(void *self, const void **data, size_t *size, fls_error *err)
{
    const memory_source *source = self;
    (void)err;
    *data = source->data + source->at;
    *size = source->size - source->at;
    return FLS_OK;
}

static fls_status memory_size(void *self, uint64_t *bytes, fls_error *err)
{
    (void)err;
    *bytes = ((const memory_source *)self)->size;
    return FLS_OK;
}

static void memory_close(void *self)
{
    memory_source *source = self;
    flsi_map_close(&source->map);
    flsi_io_object_free(source, sizeof *source);
}

static const fls_source_ops memory_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = memory_read,
    .borrow = memory_borrow,
    .read_at = memory_read_at,
    .size = memory_size,
    .close = memory_close,
};

static fls_status wrap_memory(fls_source *source, const void *data, size_t size,
                              const flsi_map *map, fls_error *err)
{
    memory_source *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    /* Arithmetic on a null pointer is undefined even when nothing is added. */
    *object = (memory_source){size != 0 ? data : (const void *)"", size, 0, *map};
    source->ops = &memory_ops;
    source->self = object;
    return FLS_OK;
}

fls_status fls_source_from_memory(fls_source *source, const void *data, size_t size, fls_error *err)
{
    static const flsi_map nothing = FLSI_MAP_INIT;
    source->ops = NULL;
    source->self = NULL;
    if (data == NULL && size != 0)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no memory was given");
    return wrap_memory(source, data, size, &nothing, err);
}

fls_status flsi_source_map_file(fls_source *source, const char *path, const flsi_os_calls *calls,
                                fls_error *err)
{
    flsi_file file;
    flsi_map map = FLSI_MAP_INIT;
    source->ops = NULL;
    source->self = NULL;
    fls_status status = flsi_file_open(&file, path, FLSI_OPEN_READ, calls, err);
    if (status != FLS_OK)
        return status;
    status = flsi_map_open(&map, &file, err);
    (void)flsi_file_close(&file, NULL); /* the mapping holds the file */
    if (status == FLS_OK)
        status = wrap_memory(source, map.data, map.size, &map, err);
    if (status != FLS_OK)
        flsi_map_close(&map);
    return status;
}

fls_status fls_source_map_file(fls_source *source, const char *path, fls_error *err)
{
    return flsi_source_map_file(source, path, NULL, err);
}
