/* Opening a stream to go on behind its last sound frame. The order matters: make the writer, which
 * finds what is wrong with the options; lock; recover; prove that the checksum is the stream's;
 * cut; and only then write.
 */
#include "stream/append.h"

#include "core/options.h"
#include "stream/writer_private.h"

static fls_status recover_locked(flsi_file *file, const char *path, const fls_writer_options *given,
                                 fls_recover_report *report, fls_error *err)
{
    fls_recover_options recovering = FLS_RECOVER_OPTIONS_INIT;
    recovering.checksum = given->checksum;
    recovering.custom_checksum = given->custom_checksum;
    recovering.max_frame_bytes = given->max_frame_bytes;
    recovering.discard_cut = given->discard_cut;
    recovering.allocator = given->allocator;
    if (file->kind != FLSI_FILE_REGULAR) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "only a regular file can be appended to");
    }
    return flsi_recover_locked(file, path, &recovering, 1, report, err);
}

/* Gives the writer the file at path for a sink, recovered and at its end. */
static fls_status go_on(fls_writer *writer, const char *path, const fls_writer_options *given,
                        fls_recover_report *report, fls_error *err)
{
    flsi_file file;
    fls_sink sink;
    unsigned how = FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK;
    fls_status status = flsi_file_open(&file, path, how | FLSI_OPEN_BY_PATH, NULL, err);
    if (status != FLS_OK) {
        return status;
    }
    status = recover_locked(&file, path, given, report, err);
    if (status != FLS_OK) {
        fls_status closed = flsi_file_close(&file, NULL); /* what came first is told */
        (void)closed;
        return status;
    }
    status = flsi_sink_from_file(&sink, &file, err);
    if (status == FLS_OK) {
        flsi_writer_start(writer, sink, report->last_good_offset, report->frames);
    }
    return status;
}

fls_status fls_writer_open_append(fls_writer **writer, const char *path,
                                  const fls_writer_options *options, fls_recover_report *report,
                                  fls_error *err)
{
    fls_writer_options given;
    fls_recover_report own = FLS_RECOVER_REPORT_INIT;
    fls_writer *made = NULL;
    *writer = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    report = report != NULL ? report : &own;
    status = flsi_report_start(report, err);
    if (status == FLS_OK) {
        status = flsi_writer_new(&made, options, 0, err);
    }
    if (status == FLS_OK) {
        status = go_on(made, path, &given, report, err);
    }
    if (status != FLS_OK) {
        fls_writer_abort(made);
        return status;
    }
    *writer = made;
    return FLS_OK;
}
