/* Killing a writer in the middle of a write, on purpose and every time. A SIGKILL at a random
 * moment mostly leaves a torn frame too, because a full buffer ends in the middle of one, but not
 * always. Here the sink below the library's writer hands on the bytes up to the middle of a frame,
 * tells the parent process, and waits; the parent kills the writer within that call.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sampler.h"

enum { TORN_BYTES = 40 }; /* of a frame that is left; every message of the sampler is longer */

struct kill_sink {
    fls_sink file;
    uint64_t written_bytes;
    uint64_t kill_ns;              /* the first write from this time on is the one */
    const struct sampler *sampler; /* knows where the frames begin */
    int parent;
};

/* Bytes of the size offered that end in the middle of a frame, or size when that frame is not
 * known: then the next write is the one. */
static size_t torn_size(const struct kill_sink *sink, size_t size)
{
    uint64_t offsets[] = {sink->sampler->frame_offset, sink->sampler->previous_frame_offset};
    for (size_t i = 0; i < 2; i++) {
        uint64_t cut = offsets[i] + TORN_BYTES;
        if (cut > sink->written_bytes && cut - sink->written_bytes < size)
            return (size_t)(cut - sink->written_bytes);
    }
    return size;
}

static void wait_to_be_killed(const struct kill_sink *sink)
{
    ssize_t sent = write(sink->parent, &sink->written_bytes, sizeof sink->written_bytes);
    while (sent == (ssize_t)sizeof sink->written_bytes)
        pause();
}

static fls_status kill_sink_write(void *self, const void *data, size_t size, size_t *written,
                                  fls_error *err)
{
    struct kill_sink *sink = self;
    size_t part = size;
    if (sampler_now_ns() >= sink->kill_ns)
        part = torn_size(sink, size);
    fls_status st = fls_sink_write_all(&sink->file, data, part, written, err);
    sink->written_bytes += *written;
    if (st == FLS_OK && part < size)
        wait_to_be_killed(sink);
    return st;
}

static fls_status kill_sink_close(void *self, fls_error *err)
{
    struct kill_sink *sink = self;
    return fls_sink_close(&sink->file, err);
}

static const fls_sink_ops kill_sink_ops = {
    .struct_bytes = sizeof(fls_sink_ops),
    .write = kill_sink_write,
    .close = kill_sink_close,
};

static int run_child(const char *path, double seconds, sampler_body *body, const void *self,
                     int parent)
{
    fls_error err = FLS_ERROR_INIT;
    struct sampler sampler = {.err = &err};
    uint64_t kill_ns = sampler_now_ns() + (uint64_t)(seconds * (double)SAMPLER_NS_PER_S);
    struct kill_sink sink = {.kill_ns = kill_ns, .sampler = &sampler, .parent = parent};
    if (fls_sink_open_file(&sink.file, path, &err) != FLS_OK)
        return fls_error_print(stderr, &err), 1;
    return body(self, &sampler, (fls_sink){&kill_sink_ops, &sink});
}

int sampler_run_and_kill(const char *path, double seconds, sampler_body *body, const void *self)
{
    int ends[2];
    pid_t child = -1;
    if (pipe(ends) == 0)
        child = fork();
    if (child < 0)
        return perror("sampler"), 1;
    if (child == 0) {
        close(ends[0]);
        exit(run_child(path, seconds, body, self, ends[1]));
    }
    close(ends[1]);

    uint64_t written_bytes = 0;
    ssize_t got;
    do
        got = read(ends[0], &written_bytes, sizeof written_bytes);
    while (got < 0 && errno == EINTR);
    close(ends[0]);
    if (got == (ssize_t)sizeof written_bytes)
        kill(child, SIGKILL);

    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return perror("sampler"), 1;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        fputs("sampler: ended before it was to be killed\n", stderr);
        return 1;
    }
    char number[32];
    fprintf(stderr, "sampler: process %ld killed with SIGKILL inside a write; %s bytes are in %s\n",
            (long)child, sampler_grouped(number, written_bytes), path);
    return 0;
}
