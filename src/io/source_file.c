/* Sources on descriptors: files, pipes, terminals, sockets. */
#include "flatstream/source.h"
#include "io/io_file.h"
#include "io/io_object.h"

typedef struct file_source {
    flsi_file file;
    uint64_t start; /* the file's offset that is offset 0 of the source */
} file_source;

static fls_status file_read(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    return flsi_file_read(&((file_source *)self)->file, buffer, capacity, got, err);
}

static fls_status file_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                               size_t *got, fls_error *err)
{
    const file_source *source = self;
    *got = 0;
    if (offset > UINT64_MAX - source->start)
        return FLS_END;
    return flsi_file_read_at(&source->file, source->start + offset, buffer, capacity, got, err);
}

static fls_status file_size(void *self, uint64_t *bytes, fls_error *err)
{
    const file_source *source = self;
    flsi_file_info info;
    fls_status status = flsi_file_info_get(&source->file, &info, err);
    if (status == FLS_OK)
        *bytes = info.size_bytes > source->start ? info.size_bytes - source->start : 0;
    return status;
}

static void file_close(void *self)
{
    file_source *source = self;
    (void)flsi_file_close(&source->file, NULL);
    flsi_io_object_free(source, sizeof *source);
}

static const fls_source_ops file_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = file_read,
    .read_at = file_read_at,
    .size = file_size,
    .close = file_close,
};

/* Pipes, terminals, sockets: no offsets and no size. */
static const fls_source_ops stream_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = file_read,
    .close = file_close,
};

/* Leaves the file alone when it fails. */
static fls_status wrap_file(fls_source *source, const flsi_file *file, fls_error *err)
{
    uint64_t start = 0;
    source->ops = NULL;
    source->self = NULL;
    if (file->kind == FLSI_FILE_REGULAR) {
        fls_status status = flsi_file_position(file, &start, err);
        if (status != FLS_OK)
            return status;
        flsi_file_will_read_all(file);
    }
    file_source *object = flsi_io_object_new(sizeof *object, err);
    if (object == NULL)
        return FLS_NO_MEMORY;
    *object = (file_source){*file, start};
    source->ops = file->kind == FLSI_FILE_REGULAR ? &file_ops : &stream_ops;
    source->self = object;
    return FLS_OK;
}

fls_status flsi_source_from_file(fls_source *source, flsi_file *file, fls_error *err)
{
    fls_status status = wrap_file(source, file, err);
    if (status != FLS_OK)
        (void)flsi_file_close(file, NULL);
    file->fd = -1;
    file->directory_fd = -1;
    return status;
}

fls_status flsi_source_open_file(fls_source *source, const char *path, const flsi_os_calls *calls,
                                 fls_error *err)
{
    flsi_file file;
    source->ops = NULL;
    source->self = NULL;
    fls_status status = flsi_file_open(&file, path, FLSI_OPEN_READ, calls, err);
    return status == FLS_OK ? flsi_source_from_file(source, &file, err) : status;
}

fls_status fls_source_open_file(fls_source *source, const char *path, fls_error *err)
{
    return flsi_source_open_file(source, path, NULL, err);
}

fls_status fls_source_from_fd(fls_source *source, int fd, int owned, fls_error *err)
{
    flsi_file file;
    source->ops = NULL;
    source->self = NULL;
    fls_status status = flsi_file_from_fd(&file, fd, owned, NULL, err);
    return status == FLS_OK ? wrap_file(source, &file, err) : status;
}
