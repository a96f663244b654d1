/* Where a reader is, and what it knows of the messages before: positions, and what the rest of this
 * room may see.
 */
#include "core/bytes.h"
#include "core/rewind.h"
#include "io/io_ops.h"
#include "stream/evidence.h"
#include "stream/reader_state.h"

/* Messages that are looked at: those in the first bytes, and one in each block. */
#define LOOK_FIRST ((uint64_t)8 * 1024)
#define LOOK_SHIFT 16 /* 64 KiB */

/* From where on a message is looked at, when the one at an offset was. */
static uint64_t next_look(const fls_reader *reader, uint64_t offset)
{
    uint64_t into = offset - reader->first_offset;
    return into < LOOK_FIRST ? offset + 1
                             : reader->first_offset + (((into >> LOOK_SHIFT) + 1) << LOOK_SHIFT);
}

void flsi_reader_note_roots(fls_reader *reader, const fls_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const fls_message *message = &messages[i];
        if (message->offset < reader->look_at) {
            continue;
        }
        reader->look_at = next_look(reader, message->offset);
        if (message->size > 0 && reader->roots <= ROOTS_ALL) {
            int rooted = flsi_looks_rooted(message->payload, message->size);
            reader->roots = rooted ? ROOTS_ALL : ROOTS_NOT_ALL;
        }
    }
}

/* ---- positions ---- */

void fls_reader_get_position(const fls_reader *reader, fls_reader_position *position)
{
    position->offset = fls_reader_offset(reader);
    position->ordinal = reader->cursor.ordinal;
    position->state = FLSI_STATE_KNOWN;
    if (reader->roots != ROOTS_DO_NOT_MATTER) {
        position->state |= (uint64_t)reader->roots << FLSI_STATE_ROOTS_SHIFT;
        position->state |= reader->look_at <= position->offset ? FLSI_STATE_LOOK_DUE : 0;
    }
}

void flsi_reader_restart(fls_reader *reader, const fls_reader_position *position, uint64_t limit)
{
    uint64_t from = position->offset - reader->first_offset;
    uint64_t state = position->state != 0 ? position->state : FLSI_STATE_SOMEWHERE;
    const uint8_t *bytes = reader->buffer != NULL ? reader->buffer + reader->head_room : NULL;
    size_t size = 0;
    if (reader->borrowed) {
        bytes = reader->borrowed_data + (size_t)from;
        size = reader->borrowed_bytes - (size_t)from;
    } else {
        reader->reads_at = 1;
        reader->source_at = from;
        reader->at_end = 0;
    }
    flsi_cursor_restart(&reader->cursor, bytes, size, !reader->borrowed, position->offset,
                        position->ordinal);
    reader->limit = limit;
    reader->skippable = 0;
    reader->failure = (fls_error)FLS_ERROR_INIT;
    if (reader->roots != ROOTS_DO_NOT_MATTER) {
        reader->roots = (int)(state >> FLSI_STATE_ROOTS_SHIFT & FLSI_STATE_ROOTS_MASK);
        reader->look_at = (state & FLSI_STATE_LOOK_DUE) != 0 ? position->offset
                                                             : next_look(reader, position->offset);
    }
}

uint64_t flsi_state_joined(uint64_t before, uint64_t behind)
{
    uint64_t roots = before >> FLSI_STATE_ROOTS_SHIFT & FLSI_STATE_ROOTS_MASK;
    uint64_t later = behind >> FLSI_STATE_ROOTS_SHIFT & FLSI_STATE_ROOTS_MASK;
    uint64_t most = roots > later ? roots : later; /* unseen, all, not all: the higher one holds */
    uint64_t rest = behind & ~(FLSI_STATE_ROOTS_MASK << FLSI_STATE_ROOTS_SHIFT);
    return rest | most << FLSI_STATE_ROOTS_SHIFT;
}

uint64_t flsi_state_of_look(const fls_message *message)
{
    roots_seen seen = ROOTS_UNSEEN;
    if (message->size > 0) {
        seen = flsi_looks_rooted(message->payload, message->size) ? ROOTS_ALL : ROOTS_NOT_ALL;
    }
    return FLSI_STATE_KNOWN | (uint64_t)seen << FLSI_STATE_ROOTS_SHIFT;
}

/* ---- for the other parts of this room ---- */

int flsi_reader_saw_roots(const fls_reader *reader)
{
    return reader->roots == ROOTS_ALL;
}

uint64_t flsi_reader_first_ordinal(const fls_reader *reader)
{
    return reader->first_ordinal;
}

const fls_cursor *flsi_reader_cursor(const fls_reader *reader)
{
    return &reader->cursor;
}

fls_status flsi_reader_view(const fls_reader *reader, flsi_view *view, int *whole, fls_error *err)
{
    *whole = 1;
    if (reader->borrowed) {
        flsi_view_of_memory(view, reader->borrowed_data, reader->borrowed_bytes,
                            reader->first_offset);
        return FLS_OK;
    }
    uint64_t offset = reader->cursor.offset_bias + (uint64_t)(uintptr_t)reader->cursor.next;
    flsi_view_of_memory(view, reader->cursor.next, fls_cursor_left(&reader->cursor), offset);
    view->zeros_before = reader->cursor.zeros_held;
    view->allocator = reader->allocator;
    if (!reader->one_way) {
        uint64_t bytes;
        fls_status status = fls_source_size(&reader->source, &bytes, err);
        if (status == FLS_OK) {
            view->memory = NULL;
            view->source = &reader->source;
            view->first_offset = reader->first_offset;
            view->end = reader->first_offset + bytes;
        }
        return status;
    }
    *whole = reader->at_end;
    return FLS_OK;
}

fls_status flsi_reader_drain_zeros(fls_reader *reader, int *zeros, uint64_t *end, fls_error *err)
{
    uint8_t bytes[4096];
    *zeros = 1;
    *end = reader->cursor.offset_bias + (uint64_t)(uintptr_t)reader->cursor.end;
    while (!reader->at_end && *zeros) {
        size_t got = 0;
        fls_status status = fls_source_read_all(&reader->source, bytes, sizeof bytes, &got, err);
        if (status != FLS_OK && status != FLS_END) {
            return status;
        }
        reader->at_end = got < sizeof bytes;
        *end += got;
        *zeros = flsi_zero_run(bytes, got) == got;
    }
    return FLS_OK;
}
