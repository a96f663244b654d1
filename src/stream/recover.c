/* Walking a stream to its end, and cutting off a tail that was never a message. */
#include "flatstream/recover.h"

#include "core/bytes.h"
#include "core/error.h"
#include "core/options.h"
#include "flatstream/reader.h"
#include "io/io_ops.h"
#include "os/os_file.h"
#include "stream/append.h"
#include "stream/reader_private.h"

#define BATCH         64
#define PROGRESS_STEP ((uint64_t)4 * 1024 * 1024)

const char *fls_stream_end_name(fls_stream_end end)
{
    switch (end) {
    case FLS_STREAM_CLEAN: return "clean";
    case FLS_STREAM_TORN_TAIL: return "torn_tail";
    case FLS_STREAM_ZERO_TAIL: return "zero_tail";
    case FLS_STREAM_DAMAGED: return "damaged";
    }
    return "unknown";
}

fls_status flsi_report_start(fls_recover_report *report, fls_error *err)
{
    if (report == NULL || report->struct_bytes < sizeof *report) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "the report's struct_bytes is not set: use FLS_RECOVER_REPORT_INIT");
    }
    memset((char *)report + sizeof report->struct_bytes, 0,
           sizeof *report - sizeof report->struct_bytes);
    return FLS_OK;
}

static int is_ending(fls_status status)
{
    return status == FLS_END ||
           (fls_status_class_of(status) == FLS_CLASS_DAMAGE && status != FLS_CHECKSUM_UNPROVEN);
}

/* All messages of a reader, and then how the stream ends. */
static fls_status walk(fls_reader *reader, const fls_recover_options *options,
                       fls_recover_report *report, fls_error *err)
{
    fls_message messages[BATCH];
    size_t count;
    fls_status status;
    uint64_t next_progress = PROGRESS_STEP;
    fls_error fault = FLS_ERROR_INIT;
    while ((status = fls_reader_next_batch(reader, messages, BATCH, &count, &fault)) == FLS_OK) {
        if (options->progress != NULL && fls_reader_offset(reader) >= next_progress) {
            next_progress = fls_reader_offset(reader) + PROGRESS_STEP;
            options->progress(options->progress_self, fls_reader_offset(reader));
        }
    }
    if (!is_ending(status)) {
        if (err != NULL) {
            *err = fault;
        }
        return status;
    }
    status = fls_reader_ending(reader, status, &fault, report, err);
    uint64_t header = FLS_LENGTH_BYTES + flsi_reader_cursor(reader)->digest.width;
    report->payload_bytes = report->last_good_offset - report->frames * header;
    return status;
}

static fls_status recover_reader(fls_source source, const fls_recover_options *options,
                                 fls_recover_report *report, fls_error *err)
{
    fls_reader *reader;
    fls_reader_options reading = FLS_READER_OPTIONS_INIT;
    reading.checksum = options->checksum;
    reading.custom_checksum = options->custom_checksum;
    reading.max_frame_bytes = options->max_frame_bytes;
    reading.allocator = options->allocator;
    fls_status status = fls_reader_open(&reader, source, &reading, err);
    if (status == FLS_OK) {
        status = walk(reader, options, report, err);
        fls_reader_close(reader);
    }
    return status;
}

static fls_status read_both(const fls_recover_options *options, fls_recover_options *given,
                            fls_recover_report *report, fls_error *err)
{
    fls_status status = flsi_report_start(report, err);
    return status == FLS_OK ? flsi_options_read(given, sizeof *given, options, err) : status;
}

/* ---- a source that stays the caller's ---- */

static fls_status lent_read(void *self, void *buffer, size_t capacity, size_t *got, fls_error *err)
{
    const fls_source *source = self;
    return source->ops->read(source->self, buffer, capacity, got, err);
}

static fls_status lent_borrow(void *self, const void **data, size_t *size, fls_error *err)
{
    const fls_source *source = self;
    return source->ops->borrow(source->self, data, size, err);
}

static fls_status lent_read_at(void *self, uint64_t offset, void *buffer, size_t capacity,
                               size_t *got, fls_error *err)
{
    const fls_source *source = self;
    return source->ops->read_at(source->self, offset, buffer, capacity, got, err);
}

static fls_status lent_size(void *self, uint64_t *bytes, fls_error *err)
{
    const fls_source *source = self;
    return source->ops->size(source->self, bytes, err);
}

fls_status fls_recover(const fls_source *source, const fls_recover_options *options,
                       fls_recover_report *report, fls_error *err)
{
    static const fls_source_ops in_memory = {
        sizeof in_memory, 0, NULL, lent_borrow, NULL, NULL, NULL};
    static const fls_source_ops at_offsets = {sizeof at_offsets, 0,         lent_read, NULL,
                                              lent_read_at,      lent_size, NULL};
    static const fls_source_ops one_way = {sizeof one_way, 0, lent_read, NULL, NULL, NULL, NULL};
    fls_recover_options given;
    fls_status status = read_both(options, &given, report, err);
    if (status != FLS_OK) {
        return status;
    }
    const fls_source_ops *ops = &one_way;
    int at_any_offset = FLSI_SOURCE_HAS(source, read_at);
    int sized = FLSI_SOURCE_HAS(source, size);
    if (FLSI_SOURCE_HAS(source, borrow)) {
        ops = &in_memory;
    } else if (at_any_offset && sized) {
        ops = &at_offsets;
    } else if (!FLSI_SOURCE_HAS(source, read)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed or has no read");
    }
    fls_source lent = {ops, (void *)(uintptr_t)source};
    return recover_reader(lent, &given, report, err);
}

fls_status fls_recover_file(const char *path, const fls_recover_options *options,
                            fls_recover_report *report, fls_error *err)
{
    fls_recover_options given;
    fls_source source;
    fls_status status = read_both(options, &given, report, err);
    if (status == FLS_OK) {
        status = fls_source_open_file(&source, path, err);
    }
    return status == FLS_OK ? recover_reader(source, &given, report, err) : status;
}

fls_status fls_recover_memory(const void *data, size_t size, const fls_recover_options *options,
                              fls_recover_report *report, fls_error *err)
{
    fls_recover_options given;
    fls_source source;
    fls_status status = read_both(options, &given, report, err);
    if (status == FLS_OK) {
        status = fls_source_from_memory(&source, data, size, err);
    }
    return status == FLS_OK ? recover_reader(source, &given, report, err) : status;
}

/* ---- cutting ---- */

fls_status flsi_recover_locked(flsi_file *file, const char *path,
                               const fls_recover_options *options, int must_be_proven,
                               fls_recover_report *report, fls_error *err)
{
    fls_source source;
    flsi_file borrowed = flsi_file_borrow(file);
    fls_status status = flsi_source_from_file(&source, &borrowed, err);
    if (status == FLS_OK) {
        status = recover_reader(source, options, report, err);
    }
    if (status == FLS_OK) {
        status = flsi_prove_checksum(file, options, report->frames, must_be_proven, err);
    }
    if (status != FLS_OK || report->end == FLS_STREAM_CLEAN) {
        return status;
    }
    if (report->end == FLS_STREAM_DAMAGED) {
        if (err != NULL) {
            *err = report->fault;
        }
        return report->fault.status;
    }
    flsi_file_info info;
    status = flsi_file_info_get(file, &info, err);
    if (status == FLS_OK && info.size_bytes != report->stream_bytes) {
        status = fls_error_set(err, FLS_IO, 0, "the file changed while it was examined");
    }
    if (status == FLS_OK && !options->discard_cut) {
        status = flsi_keep_tail(file, path, options, report, err);
    }
    if (status == FLS_OK) {
        status = flsi_file_truncate(file, report->last_good_offset, err);
    }
    if (status == FLS_OK) {
        report->truncated_bytes = report->stream_bytes - report->last_good_offset;
        status = flsi_file_sync(file, err);
    }
    return status;
}

fls_status fls_recover_truncate(const char *path, const fls_recover_options *options,
                                fls_recover_report *report, fls_error *err)
{
    fls_recover_options given;
    flsi_file file;
    fls_status status = read_both(options, &given, report, err);
    if (status == FLS_OK) {
        unsigned how = FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_LOCK;
        status = flsi_file_open(&file, path, how | FLSI_OPEN_BY_PATH, NULL, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_recover_locked(&file, path, &given, 0, report, err);
    fls_status closed = flsi_file_close(&file, status == FLS_OK ? err : NULL);
    return status == FLS_OK ? closed : status;
}
