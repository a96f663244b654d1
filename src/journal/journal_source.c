/* Segments as sources; see journal_source.h. */
#include "journal/journal_source.h"

#define FIRST_BYTES ((size_t)16 * 1024)

void flsi_segment_source_start(flsi_segment_source *segment, const flsi_segment_view *view,
                               uint64_t offset)
{
    segment->view = view;
    segment->position = offset;
    segment->most = FIRST_BYTES;
}

static fls_status segment_read(void *self, void *buffer, size_t capacity, size_t *got,
                               fls_error *err)
{
    flsi_segment_source *segment = self;
    fls_status end = segment->finished ? FLS_END : FLS_WOULD_BLOCK;
    *got = 0;
    if (segment->position >= segment->visible) {
        return fls_error_set(err, end, 0, NULL);
    }
    uint64_t left = segment->visible - segment->position;
    size_t most = capacity < segment->most ? capacity : segment->most;
    fls_status status = flsi_view_read_past(segment->view, segment->position, buffer,
                                            left < most ? (size_t)left : most, got, err);
    if (status == FLS_OK) {
        segment->position += *got;
        segment->most = segment->most > SIZE_MAX / 4 ? SIZE_MAX : 4 * segment->most;
    }
    /* It was shortened since it was looked at: what is missing may come again. */
    return status == FLS_END ? fls_error_set(err, end, 0, NULL) : status;
}

static const fls_source_ops segment_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = segment_read,
};

void flsi_segment_source_open(fls_source *source, flsi_segment_source *segment)
{
    source->ops = &segment_ops;
    source->self = segment;
}
