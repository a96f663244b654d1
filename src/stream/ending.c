/* How a stream ends, as docs/FORMAT.md defines it:
 *
 *   clean      between two frames.
 *   zero_tail  zeros from a frame boundary to the end (the reader saw them itself), or a last frame
 *              that is wrong or incomplete and whose bytes from a 512-byte boundary to the end are
 *              all zero, with nothing sound to be proven behind its start.
 *   torn_tail  an incomplete last frame, with nothing sound to be proven behind its start.
 *   damaged    everything else.
 */
#include "core/bytes.h"
#include "flatstream/reader.h"
#include "stream/append.h"
#include "stream/evidence.h"
#include "stream/reader_private.h"

#define SECTOR_BYTES 512u

/* Whether all bytes of the view from an offset on are zero. */
static fls_status zeros_from(flsi_view *view, uint64_t offset, int *zeros, fls_error *err)
{
    *zeros = 1;
    while (offset < view->end && *zeros) {
        const uint8_t *bytes;
        size_t got;
        fls_status status = flsi_view_get(view, offset, 1, (size_t)256 * 1024, &bytes, &got, err);
        if (status != FLS_OK) {
            return status == FLS_END ? FLS_OK : status;
        }
        *zeros = flsi_zero_run(bytes, got) == got;
        offset += got;
    }
    return FLS_OK;
}

/* The part of the zero tail's rule that looks at the last frame [frame, frame_end): some 512-byte
 * boundary in it, from which on all is zero. */
static fls_status sector_zeros(fls_reader *reader, flsi_view *view, int whole, uint64_t frame,
                               uint64_t frame_end, int *zeros, fls_error *err)
{
    uint64_t last = frame_end < view->end ? frame_end : view->end;
    uint64_t boundary = (last - 1) / SECTOR_BYTES * SECTOR_BYTES;
    *zeros = 0;
    if (last == 0 || boundary < frame) {
        return FLS_OK;
    }
    fls_status status = zeros_from(view, boundary, zeros, err);
    if (status == FLS_OK && *zeros && !whole) {
        uint64_t end;
        status = flsi_reader_drain_zeros(reader, zeros, &end, err);
        view->end = status == FLS_OK && *zeros ? end : view->end;
    }
    return status;
}

/* An incomplete or wrong last frame: nothing may be cut if anything sound can be proven behind its
 * start. */
static fls_status search(const fls_reader *reader, flsi_view *view, uint64_t frame,
                         fls_recover_report *report, int *gave_up, fls_error *err)
{
    const fls_cursor *cursor = flsi_reader_cursor(reader);
    flsi_search search = {
        .digest = &cursor->digest,
        .max_frame_bytes = cursor->max_frame_bytes,
        .frame = frame,
        .from =
            view->memory != NULL && frame < view->memory_offset ? view->memory_offset : frame + 1,
        .to = view->end,
        .roots = flsi_reader_saw_roots(reader),
    };
    fls_status status = flsi_search_sound_frame(&search, view, err);
    report->proof_found = (uint32_t)search.found;
    report->proof_offset = search.found ? search.found_offset : 0;
    *gave_up = search.gave_up;
    return status;
}

/* Where the frame at an offset ends by its own length, or where the stream does. */
static fls_status end_of_frame(const fls_reader *reader, flsi_view *view, uint64_t frame,
                               uint64_t *end, fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    *end = view->end;
    fls_status status =
        flsi_view_get(view, frame, FLS_LENGTH_BYTES, FLS_LENGTH_BYTES, &bytes, &got, err);
    if (status == FLS_OK) {
        uint64_t header = FLS_LENGTH_BYTES + flsi_reader_cursor(reader)->digest.width;
        *end = frame + header + flsi_load_le32(bytes);
    }
    return status == FLS_END ? FLS_OK : status;
}

static void say(fls_recover_report *report, const char *text)
{
    size_t length = strlen(text);
    memcpy(report->fault.text, text, length + 1);
}

static fls_status decide(fls_reader *reader, fls_status status, flsi_view *view, int whole,
                         fls_recover_report *report, fls_error *err)
{
    uint64_t frame = fls_reader_offset(reader);
    int zeros = 0;
    int gave_up = 0;
    uint64_t frame_end = view->end;
    fls_status done = end_of_frame(reader, view, frame, &frame_end, err);
    if (done == FLS_OK) {
        done = sector_zeros(reader, view, whole, frame, frame_end, &zeros, err);
    }
    if (done != FLS_OK || (status == FLS_CHECKSUM_MISMATCH && !zeros)) {
        return done;
    }
    done = search(reader, view, frame, report, &gave_up, err);
    if (done != FLS_OK) {
        return done;
    }
    if (report->proof_found) {
        say(report, "the frame is not sound, and a sound frame follows");
    } else if (gave_up) {
        say(report, "too many possible frames follow to rule them all out");
    } else {
        report->end = zeros ? FLS_STREAM_ZERO_TAIL : FLS_STREAM_TORN_TAIL;
    }
    return FLS_OK;
}

fls_status fls_reader_ending(fls_reader *reader, fls_status status, const fls_error *fault,
                             fls_recover_report *report, fls_error *err)
{
    uint64_t frame = fls_reader_offset(reader);
    flsi_view view;
    int whole;
    fls_status done = flsi_report_start(report, err);
    if (done != FLS_OK) {
        return done;
    }
    report->checksum = fls_reader_checksum(reader);
    report->frames = fls_reader_ordinal(reader) - flsi_reader_first_ordinal(reader);
    report->last_good_offset = frame;
    report->stream_bytes = frame;
    if (status == FLS_END) {
        report->end = FLS_STREAM_CLEAN;
        return FLS_OK;
    }
    report->end = FLS_STREAM_DAMAGED;
    report->fault = *fault;
    done = flsi_reader_view(reader, &view, &whole, err);
    if (done != FLS_OK) {
        return done;
    }
    if (status == FLS_ZERO_TAIL) {
        report->end = FLS_STREAM_ZERO_TAIL;
        report->stream_bytes = frame + report->fault.limit_bytes;
    } else {
        if (status == FLS_UNEXPECTED_EOF || status == FLS_CHECKSUM_MISMATCH) {
            done = decide(reader, status, &view, whole, report, err);
        }
        if (view.end > frame) {
            report->stream_bytes = view.end;
        }
    }
    flsi_view_close(&view);
    return done;
}
