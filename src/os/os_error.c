/* From errno to fls_status and fls_error. */
#include "os/os_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

fls_status flsi_os_status(int system_errno)
{
    switch (system_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return FLS_NO_SPACE;
    case EPIPE:
    case ECONNRESET: return FLS_CLOSED;
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
        return FLS_WOULD_BLOCK;
    case ENOMEM: return FLS_NO_MEMORY;
    default: return FLS_IO;
    }
}

void flsi_os_copy_name(char *to, size_t capacity, const char *name)
{
    size_t length = strlen(name);
    if (length >= capacity) {
        name += length - (capacity - 1);
        while (((unsigned char)*name & 0xC0u) == 0x80u)
            name++;
        length = strlen(name);
    }
    memcpy(to, name, length);
    to[length] = '\0';
}

/* strerror's text without its shared buffer. Two functions have this name: glibc's returns the
 * text, which may lie elsewhere, and POSIX's always writes into the buffer. */
static const char *reason(int system_errno, char *buffer, size_t capacity)
{
#if defined(__GLIBC__)
    return strerror_r(system_errno, buffer, capacity);
#else
    return strerror_r(system_errno, buffer, capacity) == 0 ? buffer : "unknown error";
#endif
}

fls_status flsi_os_error_as(fls_error *err, fls_status status, int system_errno, const char *name,
                            const char *text)
{
    char why[64];
    char whole[160]; /* cut to what fls_error holds */
    if (err == NULL)
        return status;
    if (text != NULL && system_errno != 0) {
        (void)snprintf(whole, sizeof whole, "%s: %s", text, reason(system_errno, why, sizeof why));
        text = whole;
    }
    (void)fls_error_set(err, status, system_errno, text);
    if (name != NULL)
        flsi_os_copy_name(err->name, sizeof err->name, name);
    return status;
}

fls_status flsi_os_error(fls_error *err, int system_errno, const char *name, const char *text)
{
    fls_status status = flsi_os_status(system_errno);
    return flsi_os_error_as(err, status, system_errno, name,
                            status == FLS_WOULD_BLOCK ? NULL : text);
}
