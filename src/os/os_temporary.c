/* Files without a name; see os_temporary.h. */
#include "os/os_temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "flatstream/allocator.h"
#include "os/os_calls.h"
#include "os/os_error.h"

#define NAME_TRIES 100
#define NAME_BYTES 64

/* Nothing here is secret: O_EXCL makes the name ours, the number only makes a clash rare. */
static void make_name(char name[NAME_BYTES], uint64_t seed)
{
    const fls_clock *clock = fls_clock_monotonic();
    uint64_t number = (clock->now_ns(clock->self) + seed) * UINT64_C(0x9E3779B97F4A7C15);
    (void)snprintf(name, NAME_BYTES, ".flatstream.tmp-%ld-%08" PRIx32, (long)getpid(),
                   (uint32_t)(number >> 32));
}

static int open_unnamed(const flsi_os_calls *calls, int directory)
{
#if defined(O_TMPFILE)
    int fd;
    do {
        fd = calls->openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    return fd;
#else
    (void)calls;
    (void)directory;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

/* A file that loses its name at once. One that cannot lose it is not used. */
static int open_named(const flsi_os_calls *calls, int directory)
{
    char name[NAME_BYTES];
    int fd = -1;
    for (uint64_t i = 0; i < NAME_TRIES && fd < 0; i++) {
        make_name(name, i);
        fd = calls->openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST && errno != EINTR)
            return -1;
    }
    if (fd >= 0 && calls->unlinkat(directory, name, 0) != 0) {
        int saved = errno;
        (void)calls->close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

fls_status flsi_file_open_temporary(flsi_file *file, const char *directory,
                                    const flsi_os_calls *calls, fls_error *err)
{
    static const char failed[] = "cannot make a temporary file";
    int place;
    int fd = -1;
    memset(file, 0, sizeof *file);
    file->fd = -1;
    file->directory_fd = -1;
    calls = calls != NULL ? calls : flsi_os_calls_system();
    do {
        place = calls->openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    } while (place < 0 && errno == EINTR);
    if (place >= 0) {
        fd = open_unnamed(calls, place);
        if (fd < 0)
            fd = open_named(calls, place);
        int saved = errno;
        (void)calls->close(place);
        errno = saved;
    }
    if (fd < 0)
        return flsi_os_error(err, errno, directory, failed);
    fls_status status = flsi_file_from_fd(file, fd, 1, calls, err);
    if (status != FLS_OK) {
        (void)calls->close(fd);
        file->fd = -1;
        return status;
    }
    flsi_os_copy_name(file->name, sizeof file->name, directory);
    return FLS_OK;
}
