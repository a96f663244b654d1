/* Keeping what is cut off a stream, in a file beside it. */
#include "core/bytes.h"
#include "stream/append.h"

#define COPY_BYTES ((size_t)256 * 1024)

/* Copies [from, to) of a file to a new file beside it, and makes that durable. */
static fls_status copy_tail(const flsi_file *file, uint64_t from, uint64_t to, flsi_file *kept,
                            const fls_allocator *allocator, fls_error *err)
{
    fls_status status = FLS_OK;
    uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, COPY_BYTES);
    if (bytes == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to keep what is cut");
    }
    while (status == FLS_OK && from < to) {
        size_t most = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        size_t got = 0;
        status = flsi_file_read_at(file, from, bytes, most, &got, err);
        for (size_t done = 0; status == FLS_OK && done < got;) {
            size_t written = 0;
            status = flsi_file_write(kept, bytes + done, got - done, &written, err);
            done += written;
        }
        from += got;
    }
    allocator->free(allocator->self, bytes, COPY_BYTES);
    if (status == FLS_END) {
        return fls_error_set(err, FLS_IO, 0, "the file became shorter while it was examined");
    }
    return status == FLS_OK ? flsi_file_sync(kept, err) : status;
}

static char *append_number(char *to, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        *to++ = digits[--count];
    }
    *to = '\0';
    return to;
}

/* ".cut-OFFSET", or ".cut-OFFSET.N" for the Nth time. */
static void cut_suffix(char suffix[48], uint64_t offset, unsigned times)
{
    memcpy(suffix, ".cut-", 6);
    char *end = append_number(suffix + 5, offset);
    if (times > 0) {
        *end++ = '.';
        append_number(end, times);
    }
}

/* Makes a file for what is cut, under the first name that is free. */
static fls_status create_kept(const char *path, uint64_t offset, char suffix[48], char *name,
                              size_t path_bytes, flsi_file *kept, const flsi_os_calls *calls,
                              fls_error *err)
{
    fls_status status = FLS_OK;
    for (unsigned times = 0; times < 1000; times++) {
        int exists = 0;
        cut_suffix(suffix, offset, times);
        memcpy(name, path, path_bytes);
        memcpy(name + path_bytes, suffix, strlen(suffix) + 1);
        status = flsi_file_create(kept, name, &exists, calls, err);
        if (status == FLS_OK || !exists) {
            return status;
        }
    }
    return status;
}

fls_status flsi_keep_tail(const flsi_file *file, const char *path,
                          const fls_recover_options *options, fls_recover_report *report,
                          fls_error *err)
{
    const fls_allocator *allocator =
        options->allocator != NULL ? options->allocator : fls_allocator_libc();
    size_t path_bytes = strlen(path);
    size_t name_bytes = path_bytes + sizeof report->cut_suffix;
    char suffix[48];
    flsi_file kept;
    char *name = allocator->resize(allocator->self, NULL, 0, name_bytes);
    if (name == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to keep what is cut");
    }
    fls_status status = create_kept(path, report->last_good_offset, suffix, name, path_bytes, &kept,
                                    file->calls, err);
    if (status == FLS_OK) {
        status =
            copy_tail(file, report->last_good_offset, report->stream_bytes, &kept, allocator, err);
        if (status != FLS_OK) { /* half of it helps nobody, and may be what fills the disk */
            flsi_file_remove(&kept, name);
        }
        fls_status closed = flsi_file_close(&kept, status == FLS_OK ? err : NULL);
        status = status == FLS_OK ? closed : status;
    }
    allocator->free(allocator->self, name, name_bytes);
    if (status == FLS_OK) {
        memcpy(report->cut_suffix, suffix, sizeof suffix);
    }
    return status;
}
