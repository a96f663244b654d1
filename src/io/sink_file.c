/* Sinks on descriptors: files, pipes, terminals, sockets; and the file that appears whole. */
#include "flatstream/sink.h"
#include "io/io_failure.h"
#include "io/io_file.h"
#include "io/io_object.h"
#include "os/os_replace.h"

typedef struct file_sink {
    flsi_file file;
    fls_error sync_error; /* of the sync that failed; FLS_OK until then */
} file_sink;

typedef struct atomic_sink {
    flsi_replace replace;
    int durable;
    fls_error failure; /* of the first write or sync that failed: the file will not appear */
} atomic_sink;

static fls_status file_write(void *self, const void *data, size_t size, size_t *written,
                             fls_error *err)
{
    return flsi_file_write(&((file_sink *)self)->file, data, size, written, err);
}

static fls_status file_writev(void *self, const fls_span *spans, size_t count, size_t *written,
                              fls_error *err)
{
    return flsi_file_writev(&((file_sink *)self)->file, spans, count, written, err);
}

static fls_status file_sync(void *self, fls_error *err)
{
    file_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    if (sink->sync_error.status != FLS_OK)
        return flsi_failure_repeat(&sink->sync_error, err);
    return flsi_failure_keep(&sink->sync_error, flsi_file_sync(&sink->file, &why), &why, err);
}

static fls_status file_close(void *self, fls_error *err)
{
    file_sink *sink = self;
    fls_status status = flsi_file_close(&sink->file, err);
    flsi_io_object_free(sink, sizeof *sink);
    return status;
}

static const fls_sink_ops file_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = file_write,
    .writev = file_writev,
    .sync = file_sync,
    .close = file_close,
};

static fls_status atomic_write(void *self, const void *data, size_t size, size_t *written,
                               fls_error *err)
{
    atomic_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_file_write(&sink->replace.file, data, size, written, &why);
    return flsi_failure_keep(&sink->failure, status, &why, err);
}

static fls_status atomic_writev(void *self, const fls_span *spans, size_t count, size_t *written,
                                fls_error *err)
{
    atomic_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_file_writev(&sink->replace.file, spans, count, written, &why);
    return flsi_failure_keep(&sink->failure, status, &why, err);
}

static fls_status atomic_sync(void *self, fls_error *err)
{
    atomic_sink *sink = self;
    fls_error why = FLS_ERROR_INIT;
    if (sink->failure.status != FLS_OK)
        return flsi_failure_repeat(&sink->failure, err);
    return flsi_failure_keep(&sink->failure, flsi_file_sync(&sink->replace.file, &why), &why, err);
}

static void atomic_abort(void *self)
{
    atomic_sink *sink = self;
    flsi_replace_abort(&sink->replace);
    flsi_io_object_free(sink, sizeof *sink);
}

/* What could not be written whole must not appear, so an earlier failure ends here again. */
static fls_status atomic_close(void *self, fls_error *err)
{
    atomic_sink *sink = self;
    fls_status status = FLS_OK;
    if (sink->failure.status != FLS_OK) {
        status = flsi_failure_repeat(&sink->failure, err);
        atomic_abort(sink);
        return status;
    }
    status = flsi_replace_commit(&sink->replace, sink->durable, err);
    flsi_io_object_free(sink, sizeof *sink);
    return status;
}

static const fls_sink_ops atomic_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = atomic_write,
    .writev = atomic_writev,
    .sync = atomic_sync,
    .close = atomic_close,
    .abort = atomic_abort,
};

/* Leaves the file alone when it fails. */
static fls_status wrap_file(fls_sink *sink, const flsi_file *file, fls_error *err)
{
    file_sink *object = flsi_io_object_new(sizeof *object, err);
    sink->ops = NULL;
    sink->self = NULL;
    if (object == NULL)
        return FLS_NO_MEMORY;
    object->file = *file;
    object->sync_error = (fls_error)FLS_ERROR_INIT;
    sink->ops = &file_ops;
    sink->self = object;
    return FLS_OK;
}

fls_status flsi_sink_from_file(fls_sink *sink, flsi_file *file, fls_error *err)
{
    fls_status status = FLS_OK;
    if (file->kind == FLSI_FILE_REGULAR && !file->inherited)
        status = flsi_file_seek_end(file, NULL, err);
    if (status == FLS_OK)
        status = wrap_file(sink, file, err);
    if (status != FLS_OK)
        (void)flsi_file_close(file, NULL);
    file->fd = -1;
    file->directory_fd = -1;
    return status;
}

fls_status flsi_sink_open_file(fls_sink *sink, const char *path, const flsi_os_calls *calls,
                               fls_error *err)
{
    flsi_file file;
    fls_status status = flsi_file_open(
        &file, path, FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK, calls, err);
    sink->ops = NULL;
    sink->self = NULL;
    if (status != FLS_OK)
        return status;
    if (file.kind == FLSI_FILE_REGULAR && !file.inherited) {
        flsi_file_info info;
        status = flsi_file_info_get(&file, &info, err);
        /* ext4 writes a file that was emptied out when it is closed, also one that was empty. */
        if (status == FLS_OK && info.size_bytes > 0)
            status = flsi_file_truncate(&file, 0, err);
    }
    if (status == FLS_OK)
        return flsi_sink_from_file(sink, &file, err);
    (void)flsi_file_close(&file, NULL);
    return status;
}

fls_status flsi_sink_open_file_atomic(fls_sink *sink, const char *path, int durable,
                                      const flsi_os_calls *calls, fls_error *err)
{
    atomic_sink *object = flsi_io_object_new(sizeof *object, err);
    sink->ops = NULL;
    sink->self = NULL;
    if (object == NULL)
        return FLS_NO_MEMORY;
    object->durable = durable != 0;
    object->failure = (fls_error)FLS_ERROR_INIT;
    fls_status status = flsi_replace_open(&object->replace, path, calls, err);
    if (status != FLS_OK) {
        flsi_io_object_free(object, sizeof *object);
        return status;
    }
    sink->ops = &atomic_ops;
    sink->self = object;
    return FLS_OK;
}

fls_status fls_sink_open_file(fls_sink *sink, const char *path, fls_error *err)
{
    return flsi_sink_open_file(sink, path, NULL, err);
}

fls_status fls_sink_open_file_atomic(fls_sink *sink, const char *path, int durable, fls_error *err)
{
    return flsi_sink_open_file_atomic(sink, path, durable, NULL, err);
}

fls_status fls_sink_from_fd(fls_sink *sink, int fd, int owned, fls_error *err)
{
    flsi_file file;
    sink->ops = NULL;
    sink->self = NULL;
    fls_status status = flsi_file_from_fd(&file, fd, owned, NULL, err);
    return status == FLS_OK ? wrap_file(sink, &file, err) : status;
}
