/* Standard output, -o files, and the buffer before them. */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "schemas.h"

#define BUFFER_BYTES ((size_t)256 * 1024)
#define KEPT_BYTES   ((size_t)16 * 1024 * 1024) /* what a part in memory keeps when it is emptied */

int cli_is_stdout(const char *path)
{
    return path == NULL || strcmp(path, "-") == 0;
}

int cli_stream_output(cli_job *job)
{
    return job->common.output == NULL && isatty(STDOUT_FILENO)
               ? cli_usage(job, "a stream is not for terminals; where to? -o OUT")
               : CLI_DONE;
}

/* Standard output may be shared with a program that made it non-blocking, so waiting is done here.
 */
static fls_status write_stdout(void *self, const void *data, size_t size, size_t *written,
                               fls_error *err)
{
    (void)self;
    *written = 0;
    for (;;) {
        ssize_t done = write(STDOUT_FILENO, data, size);
        if (done >= 0) {
            *written = (size_t)done;
            return FLS_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            break;
        }
    }
    fls_status status = FLS_IO;
    if (errno == EPIPE) {
        status = FLS_CLOSED;
    } else if (errno == ENOSPC || errno == EDQUOT) {
        status = FLS_NO_SPACE;
    }
    return fls_error_set(err, status, errno, NULL);
}

static int same_file(const struct stat *a, const struct stat *b)
{
    return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int cli_sink_open(cli_job *job, fls_sink *sink, const char *path, const cli_input *input)
{
    fls_error err = FLS_ERROR_INIT;
    struct stat info;
    int to_stdout = cli_is_stdout(path);
    int exists = (to_stdout ? fstat(STDOUT_FILENO, &info) : stat(path, &info)) == 0;
    if (exists && ((input != NULL && same_file(&info, &input->info)) ||
                   (S_ISREG(info.st_mode) && cli_is_schema(job, &info)))) {
        return cli_usage(job, "%s is the input too, and would be lost",
                         to_stdout ? "standard output" : path);
    }
    if (to_stdout) {
        fls_status status = fls_sink_from_function(sink, write_stdout, NULL, &err);
        return status == FLS_OK ? CLI_DONE : cli_complain_error(job, "standard output", &err);
    }
    if (exists && S_ISDIR(info.st_mode)) {
        return cli_complain_errno(job, path, NULL, EISDIR);
    }
    if (!exists || S_ISREG(info.st_mode)) {
        cli_interrupt_catch();
    }
    if (fls_sink_open_file_atomic(sink, path, !job->common.no_sync, &err) != FLS_OK) {
        return cli_complain_error(job, path, &err);
    }
    return CLI_DONE;
}

int cli_out_from_sink(cli_out *out, cli_job *job, fls_sink sink, const char *name)
{
    memset(out, 0, sizeof *out);
    out->job = job;
    out->name = name;
    out->sink = sink;
    out->capacity = BUFFER_BYTES;
    out->buffer = malloc(BUFFER_BYTES);
    if (out->buffer == NULL) {
        fls_sink_abort(&out->sink);
        return cli_complain_errno(job, NULL, NULL, ENOMEM);
    }
    return CLI_DONE;
}

int cli_out_open(cli_out *out, cli_job *job, const char *path, const cli_input *input)
{
    fls_sink sink;
    int to_stdout = cli_is_stdout(path);
    memset(out, 0, sizeof *out);
    int code = cli_sink_open(job, &sink, path, input);
    if (code == CLI_DONE) {
        code = cli_out_from_sink(out, job, sink, to_stdout ? "standard output" : path);
        out->to_stdout = to_stdout;
        out->whole = !to_stdout;
    }
    return code;
}

void cli_out_in_memory(cli_out *out, cli_job *job)
{
    memset(out, 0, sizeof *out);
    out->job = job;
    out->in_memory = 1;
}

void cli_out_forget(cli_out *out)
{
    free(out->buffer);
    out->buffer = NULL;
    out->capacity = 0;
}

void cli_out_empty(cli_out *out)
{
    if (out->capacity > KEPT_BYTES) { /* few parts are as large as that */
        cli_out_forget(out);
    }
    out->used = 0;
    out->status = FLS_OK;
}

void cli_out_join(cli_out *out, const cli_out *part)
{
    if (part->used > 0) {
        cli_out_bytes(out, part->buffer, part->used);
    }
}

/* 0 when there is no memory, which sticks. */
static int grow(cli_out *out, size_t size)
{
    size_t wanted = out->capacity > 0 ? out->capacity : BUFFER_BYTES;
    while (wanted - out->used < size && wanted <= SIZE_MAX / 2) {
        wanted *= 2;
    }
    char *larger = wanted - out->used < size ? NULL : realloc(out->buffer, wanted);
    if (larger == NULL) {
        out->status = fls_error_set(&out->err, FLS_NO_MEMORY, 0, NULL);
        return 0;
    }
    out->buffer = larger;
    out->capacity = wanted;
    return 1;
}

void cli_out_flush(cli_out *out)
{
    if (out->status == FLS_OK && out->used > 0) {
        out->status = fls_sink_write_all(&out->sink, out->buffer, out->used, NULL, &out->err);
    }
    out->used = 0;
}

/* What does not fit into the buffer. */
static void put_large(cli_out *out, const void *data, size_t size)
{
    if (!out->in_memory) {
        cli_out_flush(out);
        if (size > BUFFER_BYTES / 2) {
            if (out->status == FLS_OK) {
                out->status = fls_sink_write_all(&out->sink, data, size, NULL, &out->err);
            }
            return;
        }
    } else if (out->status != FLS_OK || !grow(out, size)) {
        return;
    }
    memcpy(out->buffer + out->used, data, size);
    out->used += size;
}

void cli_out_bytes(cli_out *out, const void *data, size_t size)
{
    if (size >= out->capacity - out->used) {
        put_large(out, data, size);
        return;
    }
    memcpy(out->buffer + out->used, data, size);
    out->used += size;
}

void cli_out_text(cli_out *out, const char *text)
{
    cli_out_bytes(out, text, strlen(text));
}

void cli_out_format(cli_out *out, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0) {
        size_t there = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        cli_out_bytes(out, line, there);
    }
}

void cli_out_frame(cli_out *out, const fls_message *message, uint32_t checksum_width)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t size =
        fls_frame_encode_header(header, (uint32_t)message->size, message->checksum, checksum_width);
    cli_out_bytes(out, header, size);
    cli_out_bytes(out, message->payload, message->size);
}

int cli_write_failed(cli_job *job, const char *path, const fls_error *err)
{
    if (cli_is_stdout(path) && err->status == FLS_CLOSED) {
        return CLI_DONE;
    }
    return cli_complain_error(job, cli_is_stdout(path) ? "standard output" : path, err);
}

int cli_out_end(cli_out *out, int code)
{
    if (out->whole && code != CLI_DONE) {
        fls_sink_abort(&out->sink);
    } else {
        cli_out_flush(out);
        if (out->status != FLS_OK && out->whole) {
            fls_sink_abort(&out->sink);
        } else {
            if (out->whole) {
                cli_progress_say(&out->job->progress, "waiting for the disk");
            }
            fls_error late = FLS_ERROR_INIT;
            fls_status status = fls_sink_close(&out->sink, &late);
            if (out->status == FLS_OK && status != FLS_OK) {
                out->status = status;
                out->err = late;
            }
        }
    }
    free(out->buffer);
    out->buffer = NULL;
    cli_progress_clear(&out->job->progress);
    if (out->status == FLS_OK) {
        return code;
    }
    return cli_write_failed(out->job, out->to_stdout ? NULL : out->name, &out->err);
}

const char *cli_count(char buffer[CLI_NUMBER], uint64_t value)
{
    char digits[CLI_NUMBER];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    char *to = buffer;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return buffer;
}

const char *cli_bytes(char buffer[CLI_NUMBER], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    snprintf(buffer, CLI_NUMBER, "%.*f %s", decimals, bytes, units[unit]);
    return buffer;
}

const char *cli_duration(char buffer[CLI_NUMBER], double seconds)
{
    if (seconds >= 3600) {
        unsigned long long minutes = (unsigned long long)(seconds / 60);
        snprintf(buffer, CLI_NUMBER, "%llu h %02llu min", minutes / 60, minutes % 60);
    } else if (seconds >= 60) {
        unsigned whole = (unsigned)seconds;
        snprintf(buffer, CLI_NUMBER, "%u min %02u s", whole / 60, whole % 60);
    } else if (seconds >= 10) {
        snprintf(buffer, CLI_NUMBER, "%.0f s", seconds);
    } else if (seconds >= 0.1) {
        snprintf(buffer, CLI_NUMBER, "%.1f s", seconds);
    } else if (seconds >= 1e-3) {
        snprintf(buffer, CLI_NUMBER, "%.3g ms", seconds * 1e3);
    } else if (seconds >= 1e-6) {
        snprintf(buffer, CLI_NUMBER, "%.3g us", seconds * 1e6);
    } else {
        snprintf(buffer, CLI_NUMBER, "%.1f ns", seconds * 1e9);
    }
    return buffer;
}
