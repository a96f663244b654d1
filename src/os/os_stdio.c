/* FILE streams; see os_stdio.h. */
#include "os/os_stdio.h"

#include <errno.h>
#include <string.h>

#include "os/os_error.h"
#include "os/os_sigpipe.h"

static const char stream_name[] = "stdio stream";

void flsi_stdio_init(flsi_stdio *stdio, FILE *stream)
{
    stdio->stream = stream;
    (void)flsi_file_from_fd(&stdio->file, fileno(stream), 0, NULL, NULL);
    flsi_os_copy_name(stdio->file.name, sizeof stdio->file.name, stream_name);
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

static fls_status read_error(int system_errno, fls_error *err)
{
    /* A stream that fails without an errno, such as one on a caller's own functions. */
    if (system_errno == 0)
        return flsi_os_error_as(err, FLS_IO, 0, stream_name, "read failed");
    return flsi_os_error(err, system_errno, stream_name, "read failed");
}

/* Nothing passes by itself here, neither "would block" nor an interruption: bytes may be gone. */
static fls_status write_error(int system_errno, const char *text, fls_error *err)
{
    fls_status status = system_errno == 0 ? FLS_IO : flsi_os_status(system_errno);
    return flsi_os_error_as(err, status == FLS_WOULD_BLOCK ? FLS_IO : status, system_errno,
                            stream_name, text);
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
        /* Errors that pass by themselves must not stick to the stream; reading loses nothing. */
        if (failed == EINTR || flsi_os_status(failed) == FLS_WOULD_BLOCK)
            clearerr(stdio->stream);
        if (*got != 0)
            break;
        if (failed != EINTR)
            return read_error(failed, err);
    }
    return FLS_OK;
}

fls_status flsi_stdio_write(const flsi_stdio *stdio, const void *data, size_t size, size_t *written,
                            fls_error *err)
{
    *written = 0;
    if (size == 0)
        return FLS_OK;
    if (stdio->file.fd >= 0) {
        fls_status status = flsi_stdio_flush(stdio, err);
        if (status != FLS_OK)
            return status;
        return flsi_file_write(&stdio->file, data, size, written, err);
    }
    errno = 0;
    *written = fwrite(data, 1, size, stdio->stream);
    return *written == size ? FLS_OK : write_error(errno, "write failed", err);
}

fls_status flsi_stdio_flush(const flsi_stdio *stdio, fls_error *err)
{
    flsi_sigpipe_guard guard;
    hold(stdio, &guard);
    int result = fflush(stdio->stream);
    release(stdio, &guard);
    return result == 0 ? FLS_OK : write_error(errno, "write failed", err);
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
    return result == 0 ? FLS_OK : write_error(errno, "close failed", err);
}
