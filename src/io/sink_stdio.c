/* A sink on a FILE stream. */
#include "flatstream/stdio_io.h"
#include "io/io_failure.h"
#include "io/io_object.h"
#include "os/os_stdio.h"

typedef struct stdio_sink {
    flsi_stdio stdio;
    int owned;
    fls_error failure; /* the first one; FLS_OK until then */
} stdio_sink;

static fls_status stdio_write(void *self, const void *data, size_t size, size_t *written,
                              fls_error *err)
{
    stdio_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    if (sink->failure.status != FLS_OK)
        return flsi_failure_repeat(&sink->failure, err);
    fls_status status = flsi_stdio_write(&sink->stdio, data, size, written, &why);
    return flsi_failure_keep(&sink->failure, status, &why, err);
}

static fls_status stdio_flush(void *self, fls_error *err)
{
    stdio_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    if (sink->failure.status != FLS_OK)
        return flsi_failure_repeat(&sink->failure, err);
    return flsi_failure_keep(&sink->failure, flsi_stdio_flush(&sink->stdio, &why), &why, err);
}

static fls_status stdio_sync(void *self, fls_error *err)
{
    stdio_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    if (sink->failure.status != FLS_OK)
        return flsi_failure_repeat(&sink->failure, err);
    return flsi_failure_keep(&sink->failure, flsi_stdio_sync(&sink->stdio, &why), &why, err);
}

/* A stream that stays the caller's is flushed, so that a late error is told here. */
static fls_status stdio_close(void *self, fls_error *err)
{
    stdio_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    fls_error kept = sink->failure;
    fls_status status =
        sink->owned ? flsi_stdio_close(&sink->stdio, &why) : flsi_stdio_flush(&sink->stdio, &why);
    status = flsi_failure_keep(&kept, status, &why, err);
    flsi_io_object_free(sink, sizeof *sink);
    return kept.status != FLS_OK ? flsi_failure_repeat(&kept, err) : status;
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
    object->failure = (fls_error)FLS_ERROR_INIT;
    sink->ops = &stdio_ops;
    sink->self = object;
    return FLS_OK;
}
