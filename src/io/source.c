/* What is common to all sources: calling an operation that may not be there, and the one loop that
 * repeats partial reads.
 */
#include "flatstream/source.h"

#include "io/io_ops.h"
#include "io/io_source.h"

/* As with sinks: a source that lies is an error, not a loop or an overrun. */
static fls_status check_given(fls_status status, size_t wanted, size_t *given, fls_error *err)
{
    if (*given > wanted) {
        *given = 0;
        return fls_error_set(err, FLS_IO, 0, "the source says it gave more than it was asked for");
    }
    if (status == FLS_OK && *given == 0)
        return fls_error_set(err, FLS_IO, 0, "the source gave nothing and no reason");
    return status;
}

fls_status flsi_source_read_some(const fls_source *source, void *buffer, size_t capacity,
                                 size_t *got, fls_error *err)
{
    *got = 0;
    if (!FLSI_SOURCE_HAS(source, read))
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed or has no read");
    fls_status status = source->ops->read(source->self, buffer, capacity, got, err);
    return check_given(status, capacity, got, err);
}

fls_status flsi_source_read_some_at(const fls_source *source, uint64_t offset, void *buffer,
                                    size_t capacity, size_t *got, fls_error *err)
{
    *got = 0;
    if (!FLSI_SOURCE_HAS(source, read_at))
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "the source cannot be read at an offset");
    fls_status status = source->ops->read_at(source->self, offset, buffer, capacity, got, err);
    return check_given(status, capacity, got, err);
}

fls_status fls_source_read_all(const fls_source *source, void *buffer, size_t capacity, size_t *got,
                               fls_error *err)
{
    fls_status status = FLS_OK;
    *got = 0;
    if (!FLSI_SOURCE_HAS(source, read))
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed or has no read");
    while (status == FLS_OK && *got < capacity) {
        size_t wanted = capacity - *got;
        size_t given = 0;
        status = source->ops->read(source->self, (char *)buffer + *got, wanted, &given, err);
        status = check_given(status, wanted, &given, err);
        *got += given;
    }
    return status == FLS_END && *got != 0 ? FLS_OK : status;
}

fls_status fls_source_read_all_at(const fls_source *source, uint64_t offset, void *buffer,
                                  size_t capacity, size_t *got, fls_error *err)
{
    fls_status status = FLS_OK;
    *got = 0;
    if (!FLSI_SOURCE_HAS(source, read_at))
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "the source cannot be read at an offset");
    while (status == FLS_OK && *got < capacity) {
        size_t wanted = capacity - *got;
        size_t given = 0;
        if (*got > UINT64_MAX - offset)
            status = FLS_END;
        else
            status = source->ops->read_at(source->self, offset + *got, (char *)buffer + *got,
                                          wanted, &given, err);
        status = check_given(status, wanted, &given, err);
        *got += given;
    }
    return status == FLS_END && *got != 0 ? FLS_OK : status;
}

fls_status fls_source_size(const fls_source *source, uint64_t *bytes, fls_error *err)
{
    *bytes = 0;
    if (FLSI_SOURCE_HAS(source, size))
        return source->ops->size(source->self, bytes, err);
    return fls_error_set(err, FLS_UNSUPPORTED, 0, "the size of the source cannot be told");
}

void fls_source_close(fls_source *source)
{
    fls_source taken = *source;
    source->ops = NULL;
    source->self = NULL;
    if (FLSI_SOURCE_HAS(&taken, close))
        taken.ops->close(taken.self);
}
