/* A source that is one function of the caller's. */
#include "flatstream/source.h"
#include "io/io_object.h"

typedef fls_status read_function(void *self, void *buffer, size_t capacity, size_t *got,
                                 fls_error *err);

typedef struct function_source {
    read_function *read;
    void *self;
} function_source;

static fls_status function_read(void *self, void *buffer, size_t capacity, size_t *got,
                                fls_error *err)
{
    const function_source *source = self;
    return source->read(source->self, buffer, capacity, got, err);
}

static void function_close(void *self)
{
    flsi_io_object_free(self, sizeof(function_source));
}

static const fls_source_ops function_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = function_read,
    .close = function_close,
};

fls_status fls_source_from_function(fls_source *source, read_function *read, void *self,
                                    fls_error *err)
{
    source->ops = NULL;
    source->self = NULL;
    if (read == NULL)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no function was given");
    function_source *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    *object = (function_source){read, self};
    source->ops = &function_ops;
    source->self = object;
    return FLS_OK;
}
