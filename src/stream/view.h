/* Random access to a stream's bytes, wherever they are: in memory, or behind a source that can read
 * at an offset, through one window. What is handed out is valid until the next call.
 */
#ifndef FLSI_STREAM_VIEW_H
#define FLSI_STREAM_VIEW_H

#include "flatstream/allocator.h"
#include "flatstream/source.h"

typedef struct flsi_view {
    const uint8_t *memory; /* bytes from memory_offset to end, or NULL */
    uint64_t memory_offset;
    uint64_t memory_end;
    uint64_t
        zeros_before; /* bytes before the memory that are known to be zero; all behind it are */
    const fls_source *source; /* with read_at, when memory is NULL */
    uint64_t first_offset;    /* stream offset of the source's first byte */
    uint64_t end;             /* offset behind the last byte */
    const fls_allocator *allocator;
    uint8_t *window; /* at a page, in a block that begins before it */
    void *block;
    size_t window_capacity;
    uint64_t window_offset;
    size_t window_bytes;
    uint64_t loads; /* of the window so far */
} flsi_view;

/* A view of bytes in memory, the first of which has the given offset. */
void flsi_view_of_memory(flsi_view *view, const void *data, size_t size, uint64_t offset);

/* Whether bytes at any offset can be had where they lie. */
static inline int flsi_view_in_memory(const flsi_view *view)
{
    return view->memory != NULL && view->zeros_before == 0 && view->end == view->memory_end;
}

/* A second view of the same bytes with a window of its own; closed before the first one. */
void flsi_view_copy(flsi_view *copy, const flsi_view *view);

void flsi_view_close(flsi_view *view);

/* Up to `want` bytes at an offset: fewer only where the stream ends or where more than a window of
 * bytes was asked for and `need` are there. *got is at least need, unless the stream ends before:
 * FLS_END. */
fls_status flsi_view_get(flsi_view *view, uint64_t offset, size_t need, size_t want,
                         const uint8_t **bytes, size_t *got, fls_error *err);

#endif
