/* Taking back messages of a batch that a reader does not hand out after all, and starting at
 * another place. */
#ifndef FLSI_CORE_REWIND_H
#define FLSI_CORE_REWIND_H

#include "flatstream/cursor.h"

/* The payload of an empty message that has no bytes of its own; aligned for any request. */
extern const uint8_t flsi_empty_payload[64];

/* Of the count messages that the last fls_cursor_next_batch gave, only the first `keep` (fewer than
 * count) count as read. Their payload pointers must be as the cursor gave them. */
void flsi_cursor_rewind(fls_cursor *cursor, const fls_message *messages, size_t keep, size_t count);

/* Starts again at the first of other bytes, a frame boundary at that stream offset: what was held
 * is forgotten, checksum and limit stay. */
void flsi_cursor_restart(fls_cursor *cursor, const void *data, size_t size, int more_may_follow,
                         uint64_t offset, uint64_t ordinal);

#endif
