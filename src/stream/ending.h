/* How a stream ends: the decision between clean, torn tail, zero tail and damaged. */
#ifndef FLSI_STREAM_ENDING_H
#define FLSI_STREAM_ENDING_H

#include "flatstream/reader.h"
#include "flatstream/recover.h"

/* Fills end, proof and stream_bytes of a report, after a reader gave `status`, which is FLS_END or
 * a fault of the stream described by report->fault. The reader stays as it is, but for what is read
 * of a source that cannot be read at an offset. Other statuses than FLS_OK: the source failed or
 * memory ran out. */
fls_status flsi_reader_ending(fls_reader *reader, fls_status status, fls_recover_report *report,
                              fls_error *err);

#endif
