/* A second witness of how a stream ends: sections 7 and 8 of docs/FORMAT.md, written down once more
 * without any bound on the work. For streams of a few thousand bytes. */
#ifndef TESTS_SUPPORT_REFERENCE_RECOVERY_H
#define TESTS_SUPPORT_REFERENCE_RECOVERY_H

#include "flatstream/recover.h"
#include "support/reference.h"

typedef struct ref_recovery {
    fls_stream_end end;
    size_t frames;
    size_t last_good_offset;
    int proven; /* something sound, behind the start of the frame that is not */
} ref_recovery;

ref_recovery ref_recover(const ref_format *format, const void *data, size_t size);

#endif
