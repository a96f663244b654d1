/* Opening, reading and following an input. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "interrupt.h"

/* The spool starts anew when this much of it is not needed any more. */
#define SPOOL_BYTES ((uint64_t)64 << 20)

static int start(cli_input *input, cli_job *job, int fd, int owned, const char *name)
{
    fls_error err = FLS_ERROR_INIT;
    input->job = job;
    input->name = name;
    input->fd = fd;
    input->owned = owned;
    input->spool_fd = -1;
    if (fstat(fd, &input->info) != 0) {
        return cli_complain_errno(job, name, NULL, errno);
    }
    if (S_ISDIR(input->info.st_mode)) {
        cli_complain(job, name, "is a directory; this version reads streams, not journals");
        return CLI_SYSTEM;
    }
    input->seekable = S_ISREG(input->info.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    if (fls_source_from_fd(&input->inner, fd, 0, &err) != FLS_OK) {
        return cli_complain_error(job, name, &err);
    }
    int wanted = !job->common.quiet && (!job->common.json || isatty(STDOUT_FILENO));
    uint64_t total = input->seekable ? (uint64_t)input->info.st_size : 0;
    cli_progress_start(&job->progress, job->command->name, total, wanted);
    return CLI_DONE;
}

int cli_input_open(cli_input *input, cli_job *job, const char *path)
{
    int standard = strcmp(path, "-") == 0;
    memset(input, 0, sizeof *input);
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        input->fd = -1;
        input->spool_fd = -1;
        return cli_complain_errno(job, path, NULL, errno);
    }
    input->path = path;
    int code = start(input, job, fd, !standard, standard ? "standard input" : path);
    if (code != CLI_DONE) {
        cli_input_close(input);
    }
    return code;
}

int cli_input_from_fd(cli_input *input, cli_job *job, int fd, const char *name)
{
    memset(input, 0, sizeof *input);
    int code = start(input, job, fd, 1, name);
    if (code != CLI_DONE) {
        cli_input_close(input);
    }
    return code;
}

void cli_input_close(cli_input *input)
{
    if (input->inner.ops != NULL) {
        fls_source_close(&input->inner);
    }
    if (input->owned && input->fd >= 0) {
        (void)close(input->fd);
    }
    if (input->spool_fd >= 0) {
        (void)close(input->spool_fd);
    }
    input->fd = -1;
    input->spool_fd = -1;
}

int cli_input_spool(cli_input *input)
{
    char path[4096];
    if (input->seekable) {
        return CLI_DONE;
    }
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0') {
        folder = access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
    }
    snprintf(path, sizeof path, "%s/flatstream-XXXXXX", folder);
    input->spool_fd = mkstemp(path);
    if (input->spool_fd < 0) {
        return cli_complain_errno(input->job, folder, "no temporary file", errno);
    }
    (void)fcntl(input->spool_fd, F_SETFD, FD_CLOEXEC);
    (void)unlink(path);
    return CLI_DONE;
}

static fls_status spool_write(cli_input *input, const char *data, size_t size, fls_error *err)
{
    uint64_t at = input->bytes - input->spool_base;
    while (size > 0) {
        ssize_t done = pwrite(input->spool_fd, data, size, (off_t)at);
        if (done < 0 && errno != EINTR) {
            fls_status status = errno == ENOSPC ? FLS_NO_SPACE : FLS_IO;
            return fls_error_set(err, status, errno, "the temporary file cannot be written");
        }
        if (done > 0) {
            data += done;
            size -= (size_t)done;
            at += (uint64_t)done;
        }
    }
    return FLS_OK;
}

/* Moves what is still needed to the start of the spool. What cannot be moved stays where it is. */
void cli_input_forget(cli_input *input, uint64_t offset)
{
    char piece[65536];
    if (input->spool_fd < 0 || offset - input->spool_base < SPOOL_BYTES ||
        input->bytes - offset > SPOOL_BYTES / 2) {
        return;
    }
    uint64_t from = offset - input->spool_base;
    uint64_t end = input->bytes - input->spool_base;
    uint64_t to = 0;
    while (from < end) {
        size_t most = end - from < sizeof piece ? (size_t)(end - from) : sizeof piece;
        ssize_t got = pread(input->spool_fd, piece, most, (off_t)from);
        if (got <= 0 || pwrite(input->spool_fd, piece, (size_t)got, (off_t)to) != got) {
            return; /* only bytes before `from` were overwritten */
        }
        from += (uint64_t)got;
        to += (uint64_t)got;
    }
    if (ftruncate(input->spool_fd, (off_t)to) == 0) {
        input->spool_base = offset;
    }
}

static fls_status read_input(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    cli_input *input = self;
    fls_status status;
    for (;;) {
        if (cli_interrupt_wait(input->fd)) {
            return fls_error_set(err, FLS_IO, EINTR, NULL);
        }
        status = input->inner.ops->read(input->inner.self, buffer, capacity, got, err);
        if (status != FLS_WOULD_BLOCK) {
            break;
        }
        struct pollfd wait = {.fd = input->fd, .events = POLLIN};
        (void)poll(&wait, 1, -1);
    }
    if (status == FLS_OK) {
        if (input->spool_fd >= 0) {
            status = spool_write(input, buffer, *got, err);
        }
        input->bytes += *got;
        cli_progress_update(&input->job->progress, input->bytes);
    }
    return status;
}

static const fls_source_ops input_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = read_input,
};

fls_source cli_input_source(cli_input *input)
{
    return (fls_source){&input_ops, input};
}

int cli_reader_open(cli_input *input, fls_reader **reader, const fls_validator *validators,
                    size_t validator_count)
{
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    const cli_common *common = &input->job->common;
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    options.validators = validators;
    options.validator_count = validator_count;
    if (fls_reader_open(reader, cli_input_source(input), &options, &err) != FLS_OK) {
        return cli_complain_error(input->job, input->name, &err);
    }
    return CLI_DONE;
}

void cli_tell_checksum(cli_input *input, const fls_reader *reader)
{
    fls_checksum found = fls_reader_checksum(reader);
    fls_checksum asked = input->job->common.checksum;
    if ((asked == FLS_CHECKSUM_DEFAULT || asked == FLS_CHECKSUM_DETECT) &&
        found != FLS_CHECKSUM_DETECT) {
        cli_detail(input->job, "%s: the checksum is %s, found by proof", input->name,
                   fls_checksum_name(found));
    }
}

int cli_complain_read(cli_input *input, const fls_error *err)
{
    int code = cli_complain_error(input->job, input->name, err);
    if (err->status == FLS_CHECKSUM_UNPROVEN) {
        cli_complain(input->job, input->name,
                     "say which checksum it is: -c none, crc16, crc32 or xxh3");
    }
    return code;
}

int cli_input_drain(cli_input *input)
{
    char piece[65536];
    fls_error err = FLS_ERROR_INIT;
    fls_status status = input->seekable ? FLS_END : FLS_OK;
    size_t got;
    while (status == FLS_OK) {
        status = read_input(input, piece, sizeof piece, &got, &err);
    }
    return status == FLS_END ? CLI_DONE : cli_complain_error(input->job, input->name, &err);
}

uint64_t cli_input_size(const cli_input *input)
{
    struct stat now;
    if (input->seekable && fstat(input->fd, &now) == 0) {
        return (uint64_t)now.st_size;
    }
    return input->bytes;
}
