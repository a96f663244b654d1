/* A sink on a FILE stream. */
#include "flatstream/stdio_io.h"
#include "io/io_object.h"
#include "os/os_stdio.h"

typedef struct stdio_sink {
    flsi_stdio stdio;
    int owned;
    fls_error sync_error; /* of the sync that failed; FLS_OK until then */
} stdio_sink;

static fls_status stdio_write(void *self, const void *data, size_t size, size_t *written,
                              fls_error *err)
{
    return flsi_stdio_write(&((stdio_sink *)self)->stdio, data, size, written, err);
}

static fls_status stdio_flush(void *self, fls_error *err)
{
    return flsi_stdio_flush(&((stdio_sink *)self)->stdio, err);
}

static fls_status stdio_sync(void *self, fls_error *err)
{
    stdio_sink *sink = self;
    fls_error why = sink->sync_error;
    fls_status status = why.status;
    if (status == FLS_OK) {
        status = flsi_stdio_sync(&sink->stdio, &why);
        if (status != FLS_OK && status != FLS_WOULD_BLOCK && status != FLS_UNSUPPORTED)
            sink->sync_error = why;
    }
    if (status != FLS_OK && err != NULL)
        *err = why;
    return status;
}

/* A stream that stays the caller's is flushed, so that a late error is told here. */
static fls_status stdio_close(void *self, fls_error *err)
{
    stdio_sink *sink = self;
    fls_status status =
        sink->owned ? flsi_stdio_close(&sink->stdio, err) : flsi_stdio_flush(&sink->stdio, err);
    flsi_io_object_free(sink, sizeof *sink);
    return status;
}

static const fls_sink_ops stdio_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = stdio_write,
    .flush = stdio_flush,
    .sync = stdio_sync,
    .close = stdio_close,
};

fls_status fls_sink_from_stdio(fls_sink *sink, FILE *stream, int owned, fls_error *err)
{
    sink->ops = NULL;
    sink->self = NULL;
    if (stream == NULL)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no stream was given");
    stdio_sink *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    flsi_stdio_init(&object->stdio, stream);
    object->owned = owned != 0;
    object->sync_error = (fls_error)FLS_ERROR_INIT;
    sink->ops = &stdio_ops;
    sink->self = object;
    return FLS_OK;
}
