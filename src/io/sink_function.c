/* A sink that is one function of the caller's. */
#include "flatstream/sink.h"
#include "io/io_object.h"

typedef fls_status write_function(void *self, const void *data, size_t size, size_t *written,
                                  fls_error *err);

typedef struct function_sink {
    write_function *write;
    void *self;
} function_sink;

static fls_status function_write(void *self, const void *data, size_t size, size_t *written,
                                 fls_error *err)
{
    const function_sink *sink = self;
    return sink->write(sink->self, data, size, written, err);
}

static fls_status function_close(void *self, fls_error *err)
{
    (void)err;
    flsi_io_object_free(self, sizeof(function_sink));
    return FLS_OK;
}

static const fls_sink_ops function_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = function_write,
    .close = function_close,
};

fls_status fls_sink_from_function(fls_sink *sink, write_function *write, void *self, fls_error *err)
{
    sink->ops = NULL;
    sink->self = NULL;
    if (write == NULL)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no function was given");
    function_sink *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    *object = (function_sink){write, self};
    sink->ops = &function_ops;
    sink->self = object;
    return FLS_OK;
}
