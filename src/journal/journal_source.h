/* A segment as a source: from an offset to where it is visible. */
#ifndef FLSI_JOURNAL_SOURCE_H
#define FLSI_JOURNAL_SOURCE_H

#include "flatstream/source.h"
#include "journal/journal_view.h"

typedef struct flsi_segment_source {
    const flsi_segment_view *view;
    uint64_t position; /* of the next read */
    size_t most;       /* that it gives: little behind a jump, and more and more from there on */
    uint64_t visible;  /* nothing is read from here on */
    int finished;      /* what ends at `visible` ends for good: FLS_END, else FLS_WOULD_BLOCK */
} flsi_segment_source;

/* What is read next is at an offset. */
void flsi_segment_source_start(flsi_segment_source *segment, const flsi_segment_view *view,
                               uint64_t offset);

/* The source borrows the struct, which may be changed while it is open. */
void flsi_segment_source_open(fls_source *source, flsi_segment_source *segment);

#endif
