/* FILE streams; see os_stdio.h. */
#include "os/os_stdio.h"

#include <errno.h>
#include <string.h>

#include "os/os_error.h"
#include "os/os_sigpipe.h"

static const char *const stream_name = "stdio stream";

void flsi_stdio_init(flsi_stdio *stdio, FILE *stream)
{
    stdio->stream = stream;
    /* A stream on memory has no descriptor; then there is nothing to sync. */
    (void)flsi_file_from_fd(&stdio->file, fileno(stream), 0, NULL, NULL);
}

/* stdio writes with write(2), also to sockets, so both need SIGPIPE held back. */
static int may_break(const flsi_stdio *stdio)
{
    return stdio->file.kind == FLSI_FILE_PIPE || stdio->file.kind == FLSI_FILE_SOCKET;
}

static void hold(const flsi_stdio *stdio, flsi_sigpipe_guard *guard)
{
    if (may_break(stdio))
        flsi_sigpipe_hold(guard);
    errno = 0;
}

static void release(const flsi_stdio *stdio, const flsi_sigpipe_guard *guard)
{
    if (may_break(stdio))
        flsi_sigpipe_release(guard, errno == EPIPE);
}

/* Errors that pass by themselves must not stick to the stream. */
static int is_passing(int system_errno)
{
    return system_errno == EINTR || flsi_os_status(system_errno) == FLS_WOULD_BLOCK;
}

static fls_status stdio_error(int system_errno, const char *text, fls_error *err)
{
    /* A stream that fails without an errno, such as one on a caller's own functions. */
    if (system_errno == 0)
        return flsi_os_error_as(err, FLS_IO, 0, stream_name, text);
    return flsi_os_error(err, system_errno, stream_name, text);
}

fls_status flsi_stdio_read(const flsi_stdio *stdio, void *buffer, size_t capacity, size_t *got,
                           fls_error *err)
{
    *got = 0;
    while (capacity != 0) {
        errno = 0;
        *got = fread(buffer, 1, capacity, stdio->stream);
        int failed = errno;
        if (*got == 0 && feof(stdio->stream) && !ferror(stdio->stream))
            return FLS_END;
        if (is_passing(failed))
            clearerr(stdio->stream);
        if (*got != 0)
            break;
        if (failed != EINTR)
            return stdio_error(failed, "read failed", err);
    }
    return FLS_OK;
}

fls_status flsi_stdio_write(const flsi_stdio *stdio, const void *data, size_t size, size_t *written,
                            fls_error *err)
{
    flsi_sigpipe_guard guard;
    *written = 0;
    while (size != 0) {
        hold(stdio, &guard);
        *written = fwrite(data, 1, size, stdio->stream);
        release(stdio, &guard);
        int failed = errno;
        if (is_passing(failed))
            clearerr(stdio->stream);
        if (*written != 0)
            break;
        if (failed != EINTR)
            return stdio_error(failed, "write failed", err);
    }
    return FLS_OK;
}

fls_status flsi_stdio_flush(const flsi_stdio *stdio, fls_error *err)
{
    flsi_sigpipe_guard guard;
    for (;;) {
        hold(stdio, &guard);
        int result = fflush(stdio->stream);
        release(stdio, &guard);
        int failed = errno;
        if (result == 0)
            return FLS_OK;
        if (is_passing(failed))
            clearerr(stdio->stream);
        if (failed != EINTR)
            return stdio_error(failed, "write failed", err);
    }
}

fls_status flsi_stdio_sync(flsi_stdio *stdio, fls_error *err)
{
    fls_status status = flsi_stdio_flush(stdio, err);
    if (status != FLS_OK)
        return status;
    if (stdio->file.fd < 0)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, 0, stream_name,
                                "bytes cannot be made durable there");
    return flsi_file_sync(&stdio->file, err);
}

fls_status flsi_stdio_close(const flsi_stdio *stdio, fls_error *err)
{
    flsi_sigpipe_guard guard;
    hold(stdio, &guard);
    int result = fclose(stdio->stream);
    release(stdio, &guard);
    return result == 0 ? FLS_OK : stdio_error(errno, "close failed", err);
}
