/* Other programs: one at a time, waited for, nothing of them left behind. */
#include "os/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "os/os_calls.h"
#include "os/os_error.h"

#define RETRY_INTERRUPTED(result, call) \
    do {                                \
        (result) = (call);              \
    } while ((result) < 0 && errno == EINTR)

/* What children of some C libraries end with, silently, when the program is not there. */
#define EXIT_NOT_FOUND 127

/* Reads to the end, keeping the last bytes. -1 with errno; what was read before is kept. */
static int read_end(int fd, char *said, size_t said_bytes, const flsi_os_calls *calls)
{
    char piece[1024];
    size_t have = 0;
    for (;;) {
        ssize_t got;
        RETRY_INTERRUPTED(got, calls->read(fd, piece, sizeof piece));
        said[have] = '\0';
        if (got <= 0)
            return (int)got;
        size_t take = (size_t)got < said_bytes - 1 ? (size_t)got : said_bytes - 1;
        if (take > said_bytes - 1 - have) {
            size_t drop = take - (said_bytes - 1 - have);
            memmove(said, said + drop, have - drop);
            have -= drop;
        }
        memcpy(said + have, piece + ((size_t)got - take), take);
        have += take;
    }
}

static fls_status wait_for(pid_t child, const char *name, int is_silent, flsi_process_end *end,
                           const flsi_os_calls *calls, fls_error *err)
{
    int how = 0;
    pid_t waited;
    RETRY_INTERRUPTED(waited, calls->waitpid(child, &how, 0));
    if (waited < 0 && errno != ECHILD)
        return flsi_os_error(err, errno, name, "waiting for a program failed");
    if (waited < 0) { /* it ended, and the system kept nothing of it */
        end->is_unknown = 1;
        return FLS_OK;
    }
    end->signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    end->code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
    /* A program that did run and ends with that code has said why. */
    end->is_missing = end->code == EXIT_NOT_FOUND && is_silent;
    return FLS_OK;
}

fls_status flsi_process_run(const char *const *arguments, char *said, size_t said_bytes,
                            flsi_process_end *end, const flsi_os_calls *calls, fls_error *err)
{
    int ends[2];
    int result;
    pid_t child = -1;
    const char *name = arguments[0];
    calls = calls != NULL ? calls : flsi_os_calls_system();
    memset(end, 0, sizeof *end);
    said[0] = '\0';
    if (calls->pipe_cloexec(ends) != 0)
        return flsi_os_error(err, errno, name, "making a pipe failed");
    do {
        result = calls->spawn(&child, arguments, ends[1]);
    } while (result == EINTR);
    (void)calls->close(ends[1]);
    if (result != 0) {
        (void)calls->close(ends[0]);
        end->is_missing = result == ENOENT || result == EACCES || result == ENOTDIR;
        return end->is_missing ? FLS_OK
                               : flsi_os_error(err, result, name, "starting a program failed");
    }
    int read_result = read_end(ends[0], said, said_bytes, calls);
    int read_errno = errno;
    (void)calls->close(ends[0]); /* a child that is still writing ends by that */
    fls_status status = wait_for(child, name, said[0] == '\0', end, calls, err);
    if (status == FLS_OK && read_result < 0)
        status = flsi_os_error(err, read_errno, name, "reading from a program failed");
    return status;
}

fls_status flsi_private_directory_make(char path[FLSI_PATH_BYTES], const flsi_os_calls *calls,
                                       fls_error *err)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0')
        parent = "/tmp";
    calls = calls != NULL ? calls : flsi_os_calls_system();
    int length = snprintf(path, FLSI_PATH_BYTES, "%s/flatstream-XXXXXX", parent);
    if (length < 0 || length >= FLSI_PATH_BYTES)
        return flsi_os_error(err, ENAMETOOLONG, parent, "making a directory failed");
    if (calls->mkdtemp(path) == NULL)
        return flsi_os_error(err, errno, parent, "making a directory failed");
    return FLS_OK;
}

void flsi_private_directory_remove(const char *path, const char *file, const flsi_os_calls *calls)
{
    int result;
    char whole[FLSI_PATH_BYTES];
    calls = calls != NULL ? calls : flsi_os_calls_system();
    int length = snprintf(whole, sizeof whole, "%s/%s", path, file);
    if (length > 0 && (size_t)length < sizeof whole)
        RETRY_INTERRUPTED(result, calls->unlinkat(AT_FDCWD, whole, 0));
    RETRY_INTERRUPTED(result, calls->unlinkat(AT_FDCWD, path, AT_REMOVEDIR));
}
