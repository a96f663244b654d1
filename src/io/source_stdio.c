/* A source on a FILE stream. */
#include "flatstream/stdio_io.h"
#include "io/io_object.h"
#include "os/os_stdio.h"

typedef struct stdio_source {
    flsi_stdio stdio;
    int owned;
} stdio_source;

static fls_status stdio_read(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    return flsi_stdio_read(&((stdio_source *)self)->stdio, buffer, capacity, got, err);
}

static void stdio_close(void *self)
{
    stdio_source *source = self;
    if (source->owned)
        (void)flsi_stdio_close(&source->stdio, NULL);
    flsi_io_object_free(source, sizeof *source);
}

static const fls_source_ops stdio_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = stdio_read,
    .close = stdio_close,
};

fls_status fls_source_from_stdio(fls_source *source, FILE *stream, int owned, fls_error *err)
{
    source->ops = NULL;
    source->self = NULL;
    if (stream == NULL)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no stream was given");
    stdio_source *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    flsi_stdio_init(&object->stdio, stream);
    object->owned = owned != 0;
    source->ops = &stdio_ops;
    source->self = object;
    return FLS_OK;
}
