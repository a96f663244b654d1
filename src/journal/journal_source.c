/* Segments as sources; see journal_source.h. */
#include "journal/journal_source.h"

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
    fls_status status = flsi_view_read_past(segment->view, segment->position, buffer,
                                            left < capacity ? (size_t)left : capacity, got, err);
    if (status == FLS_OK) {
        segment->position += *got;
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
