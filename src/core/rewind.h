/* Taking back messages of a batch that a reader does not hand out after all. */
#ifndef FLSI_CORE_REWIND_H
#define FLSI_CORE_REWIND_H

#include "flatstream/cursor.h"

/* The payload of an empty message that has no bytes of its own; aligned for any request. */
extern const uint8_t flsi_empty_payload[64];

/* Of the count messages that the last fls_cursor_next_batch gave, only the first `keep` (fewer than
 * count) count as read. Their payload pointers must be as the cursor gave them. */
void flsi_cursor_rewind(fls_cursor *cursor, const fls_message *messages, size_t keep, size_t count);

#endif
