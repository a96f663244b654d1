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
 * at are those in the first 8 KiB, and the first one at or behind each multiple of 64 KiB in the
 * stream, and only under checksums so narrow that it matters. */
int flsi_reader_saw_roots(const fls_reader *reader);

uint64_t flsi_reader_first_ordinal(const fls_reader *reader);

/* The reader's cursor, at its position. */
const fls_cursor *flsi_reader_cursor(const fls_reader *reader);

/* Reads on while all that comes behind the reader's buffer is zero. *zeros: it was, to the end of
 * the stream, which is at *end. For sources without read_at; the bytes are gone afterwards. */
fls_status flsi_reader_drain_zeros(fls_reader *reader, int *zeros, uint64_t *end, fls_error *err);

/* fls_reader_position.state: 0, or KNOWN and where narrow checksums are concerned what messages
 * were like: whether they all had roots (a roots_seen of reader.c), and whether the next one is
 * looked at. */
#define FLSI_STATE_KNOWN       UINT64_C(1)
#define FLSI_STATE_ROOTS_SHIFT 1
#define FLSI_STATE_ROOTS_MASK  UINT64_C(3)
#define FLSI_STATE_LOOK_DUE    UINT64_C(8)
/* Of a place of which nothing else is known. */
#define FLSI_STATE_SOMEWHERE (FLSI_STATE_KNOWN | FLSI_STATE_LOOK_DUE)

/* Gives the messages from `keep` on, of a batch of count, back to be read again. */
void flsi_reader_give_back(fls_reader *reader, const fls_message *messages, size_t keep,
                           size_t count);

/* Begins anew with what the source gives next, without giving up what is allocated: with another
 * first ordinal and offset, and otherwise the options that it was opened with. Not for a source
 * that lends its bytes, nor for a checksum that is detected. */
fls_status flsi_reader_begin_again(fls_reader *reader, const fls_reader_options *given,
                                   fls_error *err);

/* Goes on at a position, which is in the stream, without giving up what is allocated. Of a source
 * that does not lend its bytes it needs read_at. Little is read beyond the stream offset `limit`;
 * 0: there is none. */
void flsi_reader_restart(fls_reader *reader, const fls_reader_position *position, uint64_t limit);

/* The state behind a stretch that was read from a state of no roots, when that in front of it was
 * `before`. */
uint64_t flsi_state_joined(uint64_t before, uint64_t behind);

/* The state behind one message that was looked at, to be joined. */
uint64_t flsi_state_of_look(const fls_message *message);

#endif
