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
#include "journal_input.h"
#include "stream_index.h"

static int start(cli_input *input, cli_job *job, int fd, int owned, const char *name)
{
    fls_error err = FLS_ERROR_INIT;
    input->job = job;
    input->name = name;
    input->fd = fd;
    input->owned = owned;
    if (fstat(fd, &input->info) != 0) {
        return cli_complain_errno(job, name, NULL, errno);
    }
    if (S_ISDIR(input->info.st_mode)) {
        cli_complain(job, name, "is a directory, not a stream or other file that %s can read",
                     job->command->name);
        return CLI_SYSTEM;
    }
    input->seekable = S_ISREG(input->info.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    if (fls_source_from_fd(&input->inner, fd, 0, &err) != FLS_OK) {
        return cli_complain_error(job, name, &err);
    }
    int wanted = !job->common.quiet && (!job->common.json || isatty(STDOUT_FILENO)) &&
                 !isatty(fd); /* somebody types */
    uint64_t total = input->seekable ? (uint64_t)input->info.st_size : 0;
    cli_progress_start(&job->progress, job->command->name, total, wanted);
    return CLI_DONE;
}

int cli_input_open(cli_input *input, cli_job *job, const char *path)
{
    int standard = strcmp(path, "-") == 0;
    memset(input, 0, sizeof *input);
    if (job->journal != NULL && strcmp(path, job->journal) == 0) {
        return cli_journal_input_open(input, job, path);
    }
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        input->fd = -1;
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
    fls_journal_reader_close(input->journal);
    input->journal = NULL;
    fls_index_close(input->splits);
    input->splits = NULL;
    if (input->inner.ops != NULL) {
        fls_source_close(&input->inner);
    }
    if (input->owned && input->fd >= 0) {
        (void)close(input->fd);
    }
    input->fd = -1;
}

#define IDLE_MS 100

/* Nothing is there to read for now: waits a little. Not 0: a signal came. */
static int wait_a_little(cli_input *input, int grows)
{
    if (input->idle != NULL) {
        input->idle(input->idle_self);
    }
    return grows ? cli_interrupt_pause(IDLE_MS)
                 : cli_interrupt_wait(input->fd, input->idle != NULL ? IDLE_MS : -1);
}

/* Waits until there is something to read, or the end. Not 0: a signal came. */
static int wait_readable(cli_input *input)
{
    int waited = cli_interrupt_wait(input->fd, input->idle != NULL ? IDLE_MS : -1);
    while (waited == CLI_INTERRUPT_NOTHING) {
        waited = wait_a_little(input, 0);
    }
    return waited == CLI_INTERRUPT_SIGNAL;
}

/* How many of the bytes read so far are zeros at their end. */
static void count_zeros(cli_input *input, const unsigned char *data, size_t size)
{
    size_t zeros = 0;
    while (zeros < size && data[size - 1 - zeros] == 0) {
        zeros++;
    }
    input->zeros = zeros == size ? input->zeros + size : zeros;
}

static fls_status read_input(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    cli_input *input = self;
    fls_status status;
    for (;;) {
        if (wait_readable(input)) {
            return fls_error_set(err, FLS_IO, EINTR, NULL);
        }
        status = input->inner.ops->read(input->inner.self, buffer, capacity, got, err);
        if (status == FLS_END && input->follow) {
            if (cli_interrupt_unread()) {
                cli_interrupt_ask();
            }
            if (wait_a_little(input, 1) == CLI_INTERRUPT_SIGNAL) {
                return fls_error_set(err, FLS_IO, EINTR, NULL);
            }
            continue;
        }
        if (status != FLS_WOULD_BLOCK) {
            break;
        }
        struct pollfd wait = {.fd = input->fd, .events = POLLIN};
        (void)poll(&wait, 1, -1);
    }
    if (status == FLS_OK) {
        input->bytes += *got;
        count_zeros(input, buffer, *got);
        cli_progress_update(&input->job->progress, input->bytes);
    }
    return status;
}

static fls_status read_input_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                                size_t *got, fls_error *err)
{
    const cli_input *input = self;
    return input->inner.ops->read_at(input->inner.self, offset, buffer, capacity, got, err);
}

static fls_status size_of_input(void *self, uint64_t *bytes, fls_error *err)
{
    const cli_input *input = self;
    return input->inner.ops->size(input->inner.self, bytes, err);
}

fls_source cli_input_source(cli_input *input)
{
    static const fls_source_ops one_way = {
        .struct_bytes = sizeof(fls_source_ops),
        .read = read_input,
    };
    static const fls_source_ops at_offsets = {
        .struct_bytes = sizeof(fls_source_ops),
        .read = read_input,
        .read_at = read_input_at,
        .size = size_of_input,
    };
    return (fls_source){input->seekable && !input->follow ? &at_offsets : &one_way, input};
}

int cli_reader_open(cli_input *input, fls_reader **reader, const fls_validator *validators,
                    size_t validator_count)
{
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    const cli_common *common = &input->job->common;
    *reader = NULL;
    if (input->is_journal) {
        return cli_journal_input_read(input, validators, validator_count);
    }
    if (common->since_ns != 0 || common->until_ns != UINT64_MAX) {
        return cli_usage(input->job,
                         "--since and --until go by times of receipt, which a journal has, and "
                         "%s is a stream",
                         input->name);
    }
    options.checksum =
        common->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_DETECT : common->checksum;
    options.max_frame_bytes = common->max_frame_bytes;
    options.validators = validators;
    options.validator_count = validator_count;
    fls_reader_position position;
    if (cli_index_jump(input, &position, &options.checksum)) {
        options.position = &position;
    }
    if (fls_reader_open(reader, cli_input_source(input), &options, &err) != FLS_OK) {
        return cli_complain_error(input->job, input->name, &err);
    }
    return CLI_DONE;
}

fls_checksum cli_input_checksum(const cli_input *input, const fls_reader *reader)
{
    return input->journal != NULL ? fls_journal_reader_checksum(input->journal)
                                  : fls_reader_checksum(reader);
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
    char sentence[400];
    if (input->is_journal) {
        return cli_journal_complain(input->job, input->name, err);
    }
    if (err->status != FLS_CHECKSUM_UNPROVEN) {
        return cli_complain_error(input->job, input->name, err);
    }
    cli_error_sentence(err, sentence, sizeof sentence);
    cli_complain(input->job, input->name, "%s (-c ALGO names it)", sentence);
    return CLI_DAMAGED;
}

int cli_input_refused(cli_input *input, const fls_error *err)
{
    enum { MOST_TOLD = 10 };
    if (!input->is_journal) {
        return cli_complain_read(input, err);
    }
    if (input->refused++ < MOST_TOLD) {
        char sentence[400];
        cli_error_sentence(err, sentence, sizeof sentence);
        cli_complain(input->job, input->name, "message %llu: %s", (unsigned long long)err->ordinal,
                     sentence);
    } else if (input->refused == MOST_TOLD + 1) {
        cli_complain(input->job, input->name, "more messages are refused");
    }
    return CLI_DONE;
}

int cli_input_verdict(const cli_input *input, int code)
{
    return code == CLI_DONE && (input->damages > 0 || input->refused > 0) ? CLI_DAMAGED : code;
}

int cli_input_use(cli_input *input, fls_reader **reader, cli_job *job, const char *path,
                  int (*work)(void *self), void *self)
{
    int code = cli_input_open(input, job, path);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_reader_open(input, reader, NULL, 0);
    if (code == CLI_DONE) {
        code = cli_input_verdict(input, work(self));
    }
    fls_reader_close(*reader);
    *reader = NULL;
    cli_input_close(input);
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
