/* The walk that holds a file of marks against the rules, the numbers of which are those of
 * journal_marks.h.
 */
#include "journal/journal_marks.h"

#include "core/error.h"
#include "flatstream/frame.h"
#include "journal/journal_names.h"

static fls_status bad(fls_error *err, const char *text)
{
    return fls_error_set(err, FLS_INVALID_FRAME, 0, text);
}

/* What is at walk->next, in the data that is there. */
static const uint8_t *bytes_at_next(const flsi_marks_walk *walk)
{
    return walk->data + (size_t)(walk->next - walk->data_offset);
}

/* Rule 1: the frame at walk->next, whole and sound; the walk then stands at its first record. */
static fls_status walk_frame(flsi_marks_walk *walk, fls_error *err)
{
    size_t left = (size_t)(walk->size - walk->next);
    walk->frame = walk->next;
    if (left == 0) {
        return FLS_END;
    }
    uint32_t length;
    fls_status status = flsi_marks_frame(bytes_at_next(walk), left, walk->frame, &length, err);
    if (status != FLS_OK) {
        return status;
    }
    walk->next += FLSI_MARKS_HEADER_BYTES;
    walk->frame_end = walk->next + length;
    return FLS_OK;
}

fls_status flsi_marks_walk_begin(flsi_marks_walk *walk, const void *data, size_t size,
                                 fls_error *err)
{
    size_t used;
    *walk = (flsi_marks_walk){.data = data, .size = size};
    fls_status status = walk_frame(walk, err);
    if (status == FLS_OK) {
        status = flsi_record_decode(&walk->header, bytes_at_next(walk),
                                    (size_t)(walk->frame_end - walk->next), &used, err);
    }
    if (status == FLS_OK && walk->header.type != FLSI_RECORD_HEADER) { /* rule 2 */
        status = bad(err, "marks that do not begin with a header");
    }
    walk->ordinal = walk->header.ordinal;
    walk->durable_ordinal = walk->header.ordinal;
    walk->logged_ordinal = walk->header.ordinal;
    return status;
}

/* Rules 2 to 4, for a record that is sound by itself. */
static fls_status hold_to_rules(flsi_marks_walk *walk, const flsi_record *record, int is_first,
                                fls_error *err)
{
    if ((walk->sealed & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) != 0) {
        return bad(err, "marks go on behind their seal");
    }
    walk->sealed = 0;
    if (is_first) {
        walk->begins_with_offset = record->type == FLSI_RECORD_OFFSET;
    }
    switch (record->type) {
    case FLSI_RECORD_HEADER:
        return is_first && walk->frame == 0 ? FLS_OK : bad(err, "a second header in marks");
    case FLSI_RECORD_TYPE:
        return walk->frame == 0 ? FLS_OK : bad(err, "a type of messages amid the marks");
    case FLSI_RECORD_OFFSET:
        if (record->ordinal < walk->ordinal || record->offset < walk->offset) {
            return bad(err, "marks that go back");
        }
        walk->ordinal = record->ordinal;
        walk->offset = record->offset;
        return FLS_OK;
    case FLSI_RECORD_TIMES:
        if (record->ordinal < walk->ordinal) {
            return bad(err, "marks that go back");
        }
        if (!walk->begins_with_offset &&
            (walk->times_end == 0 || record->ordinal != walk->times_end)) {
            return bad(err, "times in marks without a place");
        }
        walk->ordinal = walk->times_end = record->ordinal + record->value;
        return FLS_OK;
    case FLSI_RECORD_DURABLE:
        if (record->ordinal < walk->durable_ordinal || record->offset < walk->durable_offset) {
            return bad(err, "durable marks that go back");
        }
        walk->durable_ordinal = record->ordinal;
        walk->durable_offset = record->offset;
        return FLS_OK;
    case FLSI_RECORD_LOGGED:
        if (record->ordinal < walk->logged_ordinal || record->offset < walk->logged_offset) {
            return bad(err, "durable marks that go back");
        }
        walk->logged_ordinal = record->ordinal;
        walk->logged_offset = record->offset;
        return FLS_OK;
    case FLSI_RECORD_SEAL: walk->sealed = record->flags; return FLS_OK;
    case FLSI_RECORD_CLOCK:
    case FLSI_RECORD_GAP: return FLS_OK;
    default:
        return record->type >= FLSI_RECORD_COMPATIBLE
                   ? FLS_OK
                   : fls_error_set(err, FLS_UNSUPPORTED, 0,
                                   "a record of marks that this version does not know");
    }
}

fls_status flsi_marks_walk_next(flsi_marks_walk *walk, flsi_record *record, fls_error *err)
{
    fls_status status = FLS_OK;
    size_t used = 0;
    if (walk->next == walk->frame_end) {
        status = walk_frame(walk, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    int is_first = walk->next == walk->frame + FLSI_MARKS_HEADER_BYTES;
    status = flsi_record_decode(record, bytes_at_next(walk), (size_t)(walk->frame_end - walk->next),
                                &used, err);
    if (status == FLS_OK) {
        status = hold_to_rules(walk, record, is_first, err);
    }
    if (status != FLS_OK) {
        if (err != NULL) {
            err->offset = walk->frame;
            err->known |= FLS_ERROR_OFFSET;
        }
        return status;
    }
    walk->next += used;
    if (walk->next == walk->frame_end) {
        walk->valid_bytes = walk->next;
    }
    return FLS_OK;
}

void flsi_marks_walk_continue(flsi_marks_walk *walk, const void *data, size_t size)
{
    walk->data = data;
    walk->data_offset = walk->valid_bytes;
    walk->size = walk->valid_bytes + size;
    walk->next = walk->valid_bytes;
    walk->frame_end = walk->valid_bytes;
}

void flsi_times_begin(flsi_times_walk *times, const flsi_record *record)
{
    times->next = record->data;
    times->end = record->small > 0 ? record->data + record->small : record->data;
    times->ordinal = record->ordinal;
    times->time_ns = record->time_ns;
    times->count = (uint32_t)record->value;
}

int flsi_times_next(flsi_times_walk *times)
{
    uint64_t delta = 0;
    if (times->count <= 1) {
        times->count = 0;
        return 0;
    }
    for (unsigned shift = 0; times->next < times->end && shift <= 63; shift += 7) {
        uint8_t byte = *times->next++;
        delta |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    times->count--;
    times->ordinal++;
    times->time_ns += delta;
    return 1;
}
