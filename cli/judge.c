/* Judging the end of a stream from the first fault on, by the library's recovery.
 *
 * A regular file is simply recovered. Of anything else there is only the part that the spool
 * holds, from the fault on, and recovery walks from the start of what it is given. So it is given
 * one stand-in message, followed by that part, at the same distance to the 512-byte boundaries that
 * the rule of zero tails looks at.
 */
#include "judge.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"

/* A stand-in payload may be up to this long; a sector and room for a header. */
#define SECTOR_BYTES 512u

typedef struct tail {
    int fd;
    uint64_t fd_offset; /* of the first byte of the tail in fd */
    uint64_t tail_bytes;
    uint64_t position;
    size_t stand_in_bytes; /* whole frame; 0: none is needed */
    uint8_t stand_in[2 * SECTOR_BYTES];
} tail;

static fls_status read_at(void *self, uint64_t offset, void *buffer, size_t capacity, size_t *got,
                          fls_error *err)
{
    tail *from = self;
    *got = 0;
    if (offset >= from->stand_in_bytes + from->tail_bytes) {
        return FLS_END;
    }
    if (offset < from->stand_in_bytes) {
        size_t left = from->stand_in_bytes - (size_t)offset;
        *got = capacity < left ? capacity : left;
        memcpy(buffer, from->stand_in + offset, *got);
        return FLS_OK;
    }
    uint64_t at = from->fd_offset + (offset - from->stand_in_bytes);
    ssize_t done;
    do {
        done = pread(from->fd, buffer, capacity, (off_t)at);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return fls_error_set(err, FLS_IO, errno, NULL);
    }
    *got = (size_t)done;
    return done == 0 ? FLS_END : FLS_OK;
}

static fls_status read_next(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    tail *from = self;
    fls_status status = read_at(from, from->position, buffer, capacity, got, err);
    from->position += *got;
    return status;
}

static fls_status size_of(void *self, uint64_t *bytes, fls_error *err)
{
    const tail *from = self;
    (void)err;
    *bytes = from->stand_in_bytes + from->tail_bytes;
    return FLS_OK;
}

static const fls_source_ops tail_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = read_next,
    .read_at = read_at,
    .size = size_of,
};

/* A frame of as many bytes as brings what follows it to its place within a sector. */
static void make_stand_in(tail *from, uint64_t good, fls_checksum checksum)
{
    uint32_t width = fls_checksum_width(checksum);
    size_t bytes = (size_t)(good % SECTOR_BYTES);
    if (bytes == 0) {
        return;
    }
    if (bytes <= FLS_MAX_HEADER_BYTES) {
        bytes += SECTOR_BYTES;
    }
    size_t header = FLS_LENGTH_BYTES + width;
    uint32_t size = (uint32_t)(bytes - header);
    memset(from->stand_in + header, 'x', size);
    (void)fls_frame_encode_header(
        from->stand_in, size, fls_checksum_digest(checksum, from->stand_in + header, size), width);
    from->stand_in_bytes = bytes;
}

static int recover_file(cli_input *input, const fls_recover_options *options,
                        fls_recover_report *report)
{
    fls_error err = FLS_ERROR_INIT;
    fls_source source;
    if (lseek(input->fd, 0, SEEK_SET) != 0) {
        return cli_complain_errno(input->job, input->name, NULL, errno);
    }
    fls_status status = fls_source_from_fd(&source, input->fd, 0, &err);
    if (status == FLS_OK) {
        status = fls_recover(&source, options, report, &err);
        fls_source_close(&source);
    }
    return status == FLS_OK ? CLI_DONE : cli_complain_error(input->job, input->name, &err);
}

static int recover_tail(cli_input *input, const fls_recover_options *options, uint64_t good,
                        fls_recover_report *report)
{
    fls_error err = FLS_ERROR_INIT;
    tail from = {.fd = input->spool_fd, .fd_offset = good - input->spool_base};
    int code = cli_input_drain(input);
    if (code != CLI_DONE) {
        return code;
    }
    from.tail_bytes = input->bytes - good;
    make_stand_in(&from, good, options->checksum);
    fls_source source = {&tail_ops, &from};
    if (fls_recover(&source, options, report, &err) != FLS_OK) {
        return cli_complain_error(input->job, input->name, &err);
    }
    report->last_good_offset += good - from.stand_in_bytes;
    report->proof_offset += good - from.stand_in_bytes;
    report->stream_bytes = input->bytes;
    return CLI_DONE;
}

/* What the reader's word alone is worth, for a file that changed after it was read. */
static fls_stream_end end_of(fls_status status)
{
    switch (status) {
    case FLS_UNEXPECTED_EOF: return FLS_STREAM_TORN_TAIL;
    case FLS_ZERO_TAIL: return FLS_STREAM_ZERO_TAIL;
    default: return FLS_STREAM_DAMAGED;
    }
}

int cli_judge(cli_input *input, fls_checksum checksum, fls_status status, const fls_error *err,
              uint64_t good, cli_ending *ending)
{
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    memset(ending, 0, sizeof *ending);
    ending->last_good_offset = good;
    if (status == FLS_END) {
        ending->end = FLS_STREAM_CLEAN;
        ending->stream_bytes = good;
        return CLI_DONE;
    }
    ending->fault = *err;
    ending->end = end_of(status);
    if (status == FLS_VALIDATION_FAILED) {
        /* Framing is sound there; recovery, which knows no validators, would go on. */
        int code = cli_input_drain(input);
        ending->stream_bytes = cli_input_size(input);
        return code;
    }
    options.checksum = checksum;
    options.max_frame_bytes = input->job->common.max_frame_bytes;
    int code = input->seekable ? recover_file(input, &options, &report)
                               : recover_tail(input, &options, good, &report);
    ending->stream_bytes = report.stream_bytes;
    if (code == CLI_DONE && report.last_good_offset == good && report.end != FLS_STREAM_CLEAN) {
        ending->end = report.end;
        ending->proof_found = report.proof_found != 0;
        ending->proof_offset = report.proof_offset;
        ending->fault = report.fault;
        ending->fault.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
        ending->fault.offset = err->offset;
        ending->fault.ordinal = err->ordinal;
    }
    return code;
}

const char *cli_ending_kind(const cli_ending *ending)
{
    if (ending->end == FLS_STREAM_TORN_TAIL) {
        return "torn_tail";
    }
    return cli_fault_kind(ending->fault.status);
}
