/* Opening a stream to go on behind its last sound frame. The order matters: lock, prove that the
 * checksum is the stream's, recover, and only then write.
 */
#include "stream/append.h"

#include "core/error.h"
#include "core/options.h"
#include "flatstream/writer.h"

/* Enough bytes for the detection of a checksum, unless messages are very large. */
#define FIRST_LOOK_BYTES ((size_t)64 * 1024)

/* Grows a look at the first bytes until the checksum is decided. */
static fls_status detect_file(const flsi_file *file, const fls_writer_options *given,
                              fls_checksum *found, fls_error *err)
{
    const fls_allocator *allocator =
        given->allocator != NULL ? given->allocator : fls_allocator_libc();
    size_t capacity = FIRST_LOOK_BYTES;
    for (;;) {
        size_t have = 0;
        uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, capacity);
        if (bytes == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to prove the checksum");
        }
        fls_status status = FLS_OK;
        while (status == FLS_OK && have < capacity) {
            size_t got = 0;
            status = flsi_file_read_at(file, have, bytes + have, capacity - have, &got, err);
            have += got;
        }
        if (status == FLS_OK || status == FLS_END) {
            status = fls_detect_checksum(bytes, have, status == FLS_END, given->max_frame_bytes,
                                         found, err);
        }
        allocator->free(allocator->self, bytes, capacity);
        if (status != FLS_NEED_MORE) {
            return status;
        }
        capacity *= 4;
    }
}

/* Whether the checksum asked for is the one the stream has. A custom one is proven by recovery
 * itself. */
static fls_status prove_checksum(const flsi_file *file, const fls_writer_options *given,
                                 fls_error *err)
{
    fls_checksum wanted =
        given->checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_XXH3 : given->checksum;
    fls_checksum found;
    if (wanted == FLS_CHECKSUM_CUSTOM) {
        return FLS_OK;
    }
    fls_status status = detect_file(file, given, &found, err);
    if (status == FLS_END) {
        return FLS_OK;
    }
    if (status != FLS_OK || found == wanted) {
        return status;
    }
    fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0, NULL);
    if (err != NULL) {
        const char *parts[] = {"the stream has checksum ", fls_checksum_name(found), ", not ",
                               fls_checksum_name(wanted)};
        size_t at = 0;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            size_t length = strlen(parts[i]);
            memcpy(err->text + at, parts[i], length + 1);
            at += length;
        }
    }
    return FLS_CHECKSUM_MISMATCH;
}

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
        status = prove_checksum(file, given, err);
    }
    if (status == FLS_OK) {
        status = flsi_recover_locked(file, path, &recovering, report, err);
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
