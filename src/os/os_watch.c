/* Waiting for a change in a directory; see os_watch.h. */
#include "os/os_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "flatstream/allocator.h"
#include "os/os_error.h"

#ifdef __linux__
#include <sys/eventfd.h>
#include <sys/inotify.h>
#define HAS_INOTIFY 1
#else
#define HAS_INOTIFY 0
#endif

/* How often to look where nobody tells. */
#define LOOK_AGAIN_NS UINT64_C(5000000)
#define SECOND_NS     UINT64_C(1000000000)

#if HAS_INOTIFY
#define NAME_EVENTS                                                                        \
    (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | \
     IN_Q_OVERFLOW | IN_UNMOUNT)

static void open_inotify(flsi_watch *watch, const char *path)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0 && inotify_add_watch(
                       fd, path, IN_MODIFY | (NAME_EVENTS & ~(IN_Q_OVERFLOW | IN_UNMOUNT))) < 0) {
        (void)close(fd);
        fd = -1;
    }
    watch->inotify_fd = fd;
}

static int open_wake(flsi_watch *watch)
{
    watch->wake_read = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    watch->wake_write = watch->wake_read;
    return watch->wake_read;
}

/* Takes all events that are there; how many. */
static int take_events(flsi_watch *watch)
{
    _Alignas(struct inotify_event) char events[4096];
    int taken = 0;
    ssize_t got;
    while ((got = read(watch->inotify_fd, events, sizeof events)) > 0) {
        const char *next = events;
        while (next < events + got) {
            const struct inotify_event *event = (const void *)next;
            watch->names_changed |= (event->mask & (NAME_EVENTS | IN_IGNORED)) != 0;
            next += sizeof *event + event->len;
            taken++;
        }
    }
    return taken;
}
#else
static void open_inotify(flsi_watch *watch, const char *path)
{
    (void)watch;
    (void)path;
}

static int open_wake(flsi_watch *watch)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    watch->wake_read = ends[0];
    watch->wake_write = ends[1];
    return 0;
}

static int take_events(flsi_watch *watch)
{
    (void)watch;
    return 0;
}
#endif

fls_status flsi_watch_open(flsi_watch *watch, const char *path, fls_error *err)
{
    *watch = (flsi_watch){-1, -1, -1, 1};
    if (open_wake(watch) < 0) {
        return flsi_os_error(err, errno, path, "making something to be woken by failed");
    }
    if (path != NULL) {
        open_inotify(watch, path);
    }
    return FLS_OK;
}

void flsi_watch_close(flsi_watch *watch)
{
    if (watch->inotify_fd >= 0) {
        (void)close(watch->inotify_fd);
    }
    if (watch->wake_read >= 0) {
        (void)close(watch->wake_read);
    }
    if (watch->wake_write >= 0 && watch->wake_write != watch->wake_read) {
        (void)close(watch->wake_write);
    }
    *watch = (flsi_watch){-1, -1, -1, 1};
}

/* Whether there was a wake since the last time. */
static int take_wake(flsi_watch *watch)
{
    char bytes[64];
    int woken = 0;
    while (read(watch->wake_read, bytes, sizeof bytes) > 0) {
        woken = 1;
    }
    return woken;
}

static uint64_t now_ns(void)
{
    return fls_clock_monotonic()->now_ns(NULL);
}

/* poll(2) with nanoseconds where the system has it, else with whole milliseconds, rounded up. */
static int poll_for(struct pollfd *fds, nfds_t count, uint64_t ns)
{
#if HAS_INOTIFY
    struct timespec timeout = {(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
    return ppoll(fds, count, &timeout, NULL);
#else
    return poll(fds, count, (int)((ns + 999999) / 1000000));
#endif
}

fls_status flsi_watch_wait(flsi_watch *watch, uint64_t timeout_ns, fls_error *err)
{
    uint64_t begun = timeout_ns == UINT64_MAX ? 0 : now_ns();
    const int watched = watch->inotify_fd >= 0;
    for (;;) {
        struct pollfd fds[2] = {{watch->wake_read, POLLIN, 0}, {watch->inotify_fd, POLLIN, 0}};
        uint64_t passed = timeout_ns == UINT64_MAX ? 0 : now_ns() - begun;
        uint64_t left = passed < timeout_ns ? timeout_ns - passed : 0;
        uint64_t most = watched ? 100 * SECOND_NS : LOOK_AGAIN_NS;
        int ready = poll_for(fds, watched ? 2 : 1, left < most ? left : most);
        if (ready < 0 && errno != EINTR) {
            return flsi_os_error(err, errno, NULL, "waiting for a change failed");
        }
        if (ready > 0 && fds[0].revents != 0 && take_wake(watch)) {
            return fls_error_set(err, FLS_STOPPED, 0, NULL);
        }
        if (watched && ready > 0 && take_events(watch) > 0) {
            return FLS_OK;
        }
        if (!watched && ready == 0 && left > most) {
            watch->names_changed = 1;
            return FLS_OK; /* it may have changed */
        }
        if (ready == 0 && left <= most) {
            return fls_error_set(err, FLS_WOULD_BLOCK, 0, NULL);
        }
    }
}

void flsi_watch_drain(flsi_watch *watch)
{
    if (watch->inotify_fd >= 0) {
        (void)take_events(watch);
    } else {
        watch->names_changed = 1;
    }
}

void flsi_watch_wake(const flsi_watch *watch)
{
    uint64_t one = 1;
    int saved_errno = errno;
    ssize_t written = write(watch->wake_write, &one, sizeof one);
    (void)written; /* full: it is awake already */
    errno = saved_errno;
}
