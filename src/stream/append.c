/* Opening a stream to go on behind its last sound frame. The order matters: lock, prove that the
 * checksum is the stream's, recover, and only then write.
 */
#include "stream/append.h"

#include "core/options.h"
#include "flatstream/writer.h"

static fls_status open_locked(fls_writer **writer, flsi_file *file, const char *path,
                              const fls_writer_options *given, fls_recover_report *report,
                              fls_error *err)
{
    fls_recover_options recovering = FLS_RECOVER_OPTIONS_INIT;
    recovering.checksum = given->checksum;
    recovering.custom_checksum = given->custom_checksum;
    recovering.max_frame_bytes = given->max_frame_bytes;
    recovering.discard_cut = given->discard_cut;
    recovering.allocator = given->allocator;
    flsi_file_info info;
    fls_status status = flsi_file_info_get(file, &info, err);
    if (status == FLS_OK && info.kind != FLSI_FILE_REGULAR) {
        status = fls_error_set(err, FLS_UNSUPPORTED, 0, "only a regular file can be appended to");
    }
    if (status == FLS_OK) {
        status = flsi_recover_locked(file, path, &recovering, 1, report, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    fls_writer_options writing = *given;
    fls_sink sink;
    writing.struct_bytes = sizeof writing;
    writing.first_offset = report->last_good_offset;
    writing.first_ordinal = report->frames;
    status = flsi_sink_from_file(&sink, file, err);
    return status == FLS_OK ? fls_writer_open(writer, sink, &writing, err) : status;
}

fls_status fls_writer_open_append(fls_writer **writer, const char *path,
                                  const fls_writer_options *options, fls_recover_report *report,
                                  fls_error *err)
{
    fls_writer_options given;
    fls_recover_report own = FLS_RECOVER_REPORT_INIT;
    flsi_file file;
    *writer = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    report = report != NULL ? report : &own;
    status = flsi_report_start(report, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_file_open(&file, path,
                            FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK,
                            NULL, err);
    if (status != FLS_OK) {
        return status;
    }
    status = open_locked(writer, &file, path, &given, report, err);
    if (status != FLS_OK) {
        fls_status closed = flsi_file_close(&file, NULL); /* harmless where it was handed over */
        (void)closed;
    }
    return status;
}
