/* What other parts of this room may see of a reader: the bytes around its position. */
#ifndef FLSI_STREAM_READER_PRIVATE_H
#define FLSI_STREAM_READER_PRIVATE_H

#include "flatstream/cursor.h"
#include "flatstream/reader.h"
#include "stream/view.h"

/* The reader's bytes from its position on as a view: all of the stream if they can be had at any
 * offset, else what is in the buffer. *whole says whether the view reaches the end of the stream.
 */
fls_status flsi_reader_view(const fls_reader *reader, flsi_view *view, int *whole, fls_error *err);

/* Whether messages with a payload were read, and all that were looked at have a table root. Looked
 * at are the first 64 and then every 64th, and only under checksums so narrow that it matters. */
int flsi_reader_saw_roots(const fls_reader *reader);

uint64_t flsi_reader_first_ordinal(const fls_reader *reader);

/* The reader's cursor, at its position. */
const fls_cursor *flsi_reader_cursor(const fls_reader *reader);

/* Reads on while all that comes behind the reader's buffer is zero. *zeros: it was, to the end of
 * the stream, which is at *end. For sources without read_at; the bytes are gone afterwards. */
fls_status flsi_reader_drain_zeros(fls_reader *reader, int *zeros, uint64_t *end, fls_error *err);

#endif
