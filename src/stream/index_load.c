/* Taking in an index: what is valid of it by the rules of index_private.h, the numbers of which are
 * used here.
 */
#include "core/error.h"
#include "io/io_ops.h"
#include "stream/index_private.h"

/* Two frames, so that one that is whole lies in it. */
#define WINDOW_BYTES ((size_t)2 * (FLSI_MARKS_HEADER_BYTES + FLSI_INDEX_FRAME_BYTES))

typedef struct loading {
    fls_index *index;
    const fls_source *source;
    int borrowed;
    uint8_t *window; /* where bytes from `at` on are; allocated unless they are borrowed */
    const uint8_t *bytes;
    size_t left;
    uint64_t at; /* offset in the index of the frame that is next */
    int at_end;
    /* The part that is being read. */
    size_t entries;
    flsi_index_sum before; /* the part before it */
    flsi_index_sum sum;
    uint64_t last_ordinal; /* of the last OFFSET */
    uint64_t last_offset;
    uint64_t last_time_ns;
    int stage; /* a stage_of */
} loading;

enum stage_of { STAGE_OFFSETS, STAGE_SIZES, STAGE_SPAN, STAGE_DURABLE };

static fls_status bad(fls_error *err, const char *text)
{
    return fls_error_set(err, FLS_INVALID_FRAME, 0, text);
}

/* ---- bytes ---- */

/* As many bytes as the window holds, from `at` on, or all that there are. */
static fls_status refill(loading *l, fls_error *err)
{
    size_t got = 0;
    if (l->borrowed || l->at_end) {
        return FLS_OK;
    }
    if (l->left > 0) {
        memmove(l->window, l->bytes, l->left);
    }
    fls_status status =
        FLSI_SOURCE_HAS(l->source, read_at)
            ? fls_source_read_all_at(l->source, l->at + l->left, l->window + l->left,
                                     WINDOW_BYTES - l->left, &got, err)
            : fls_source_read_all(l->source, l->window + l->left, WINDOW_BYTES - l->left, &got,
                                  err);
    l->bytes = l->window;
    l->at_end = got < WINDOW_BYTES - l->left;
    l->left += got;
    return status == FLS_END ? FLS_OK : status;
}

static fls_status begin(loading *l, fls_error *err)
{
    const fls_allocator *allocator = l->index->allocator;
    l->borrowed = FLSI_SOURCE_HAS(l->source, borrow);
    if (l->borrowed) {
        const void *data;
        fls_status status = l->source->ops->borrow(l->source->self, &data, &l->left, err);
        l->bytes = status == FLS_OK ? data : NULL;
        return status;
    }
    l->window = allocator->resize(allocator->self, NULL, 0, WINDOW_BYTES);
    if (l->window == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to read an index");
    }
    l->bytes = l->window;
    return refill(l, err);
}

static void end(loading *l)
{
    const fls_allocator *allocator = l->index->allocator;
    if (l->window != NULL) {
        allocator->free(allocator->self, l->window, WINDOW_BYTES);
    }
}

/* The records of the next frame (rule 1). FLS_END: there is none. */
static fls_status next_frame(loading *l, const uint8_t **records, size_t *size, fls_error *err)
{
    uint32_t length;
    fls_status status = FLS_OK;
    if (l->left < WINDOW_BYTES / 2) {
        status = refill(l, err);
    }
    if (status != FLS_OK || l->left == 0) {
        return status == FLS_OK ? FLS_END : status;
    }
    if (l->left >= FLS_LENGTH_BYTES && flsi_load_le32(l->bytes) > FLSI_INDEX_FRAME_BYTES) {
        return bad(err, "a frame of the index has a length that cannot be");
    }
    status = flsi_marks_frame(l->bytes, l->left, l->at, &length, err);
    if (status == FLS_OK) {
        size_t bytes = FLSI_MARKS_HEADER_BYTES + (size_t)length;
        *records = l->bytes + FLSI_MARKS_HEADER_BYTES;
        *size = length;
        l->bytes += bytes;
        l->left -= bytes;
        l->at += bytes;
    }
    return status;
}

/* ---- room ---- */

static void *grown(const fls_index *index, void *memory, size_t old, size_t room, size_t size)
{
    const fls_allocator *allocator = index->allocator;
    if (room > SIZE_MAX / size) {
        return NULL;
    }
    return allocator->resize(allocator->self, memory, old * size, room * size);
}

static fls_status no_memory(fls_error *err)
{
    return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for an index");
}

/* For one entry more than there are, those of a part that is being read among them. */
static fls_status make_room(fls_index *index, size_t wanted, fls_error *err)
{
    uint64_t **all[] = {&index->offsets, &index->ordinals, &index->times};
    if (wanted <= index->room) {
        return FLS_OK;
    }
    size_t room = index->room < 512 ? 1024 : index->room * 2;
    uint64_t *fresh[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < 3; i++) {
        fresh[i] = grown(index, NULL, 0, room, sizeof **all[i]);
    }
    int enough = fresh[0] != NULL && fresh[1] != NULL && fresh[2] != NULL;
    for (size_t i = 0; i < 3; i++) {
        uint64_t *old = enough ? *all[i] : fresh[i];
        size_t old_room = enough ? index->room : room;
        if (enough) {
            if (wanted > 1) {
                memcpy(fresh[i], old, (wanted - 1) * sizeof *old);
            }
            *all[i] = fresh[i];
        }
        if (old != NULL) {
            index->allocator->free(index->allocator->self, old, old_room * sizeof *old);
        }
    }
    index->room = enough ? room : index->room;
    return enough ? FLS_OK : no_memory(err);
}

static fls_status add_part(fls_index *index, const flsi_index_part *part, fls_error *err)
{
    if (index->part_count == index->part_room) {
        size_t room = index->part_room == 0 ? 64 : index->part_room * 2;
        flsi_index_part *parts =
            grown(index, index->parts, index->part_room, room, sizeof *index->parts);
        if (parts == NULL) {
            return no_memory(err);
        }
        index->parts = parts;
        index->part_room = room;
    }
    index->parts[index->part_count++] = *part;
    return FLS_OK;
}

/* ---- the header ---- */

static int is_passed_over(const flsi_record *record)
{
    return record->type >= FLSI_RECORD_COMPATIBLE;
}

/* Rule 2. */
static fls_status take_header(loading *l, const uint8_t *records, size_t size, fls_error *err)
{
    fls_index *index = l->index;
    int labels = 0;
    for (size_t at = 0, used = 0; at < size; at += used) {
        flsi_record record;
        fls_status status = flsi_record_decode(&record, records + at, size - at, &used, err);
        if (status != FLS_OK) {
            return status;
        }
        if ((record.type == FLSI_RECORD_INDEX) != (at == 0)) {
            return bad(err, "this is not an index");
        }
        if (record.type == FLSI_RECORD_INDEX) {
            index->checksum =
                record.checksum == 0 ? FLS_CHECKSUM_DETECT : (fls_checksum)record.checksum;
            index->has_times = record.header_flags == FLSI_HEADER_TIMES;
            index->interval_bytes = record.value;
        } else if (record.type == FLSI_RECORD_LABEL && labels++ == 0 && index->has_times) {
            memcpy(index->label, record.data, record.small);
            index->label[record.small] = '\0';
        } else if (!is_passed_over(&record)) {
            return bad(err, "the header of an index has a record that does not belong there");
        }
    }
    index->header_bytes = l->at;
    return FLS_OK;
}

/* ---- parts ---- */

/* Whether `count` messages can come to so many bytes of the stream. */
static int can_be(const fls_index *index, uint64_t count, uint64_t bytes)
{
    return count <= bytes / flsi_index_unit(index->checksum);
}

/* Rules 4 and 7. */
static fls_status take_offset(loading *l, const flsi_record *record, fls_error *err)
{
    fls_index *index = l->index;
    int first = l->entries == index->entries;
    if (l->stage != STAGE_OFFSETS) {
        return bad(err, "a place in an index behind the end of its part");
    }
    int fits = first ? record->ordinal == l->before.messages && record->offset == l->before.offset
                     : record->ordinal > l->last_ordinal && record->offset > l->last_offset &&
                           can_be(index, record->ordinal - l->last_ordinal,
                                  record->offset - l->last_offset);
    if (!fits || record->time_ns < l->last_time_ns || (!index->has_times && record->time_ns != 0)) {
        return bad(err, "a place in an index that cannot be");
    }
    fls_status status = make_room(index, l->entries + 1, err);
    if (status != FLS_OK) {
        return status;
    }
    index->offsets[l->entries] = l->last_offset = record->offset;
    index->ordinals[l->entries] = l->last_ordinal = record->ordinal;
    index->times[l->entries] = l->last_time_ns = record->time_ns;
    l->entries++;
    return FLS_OK;
}

/* Rule 7. */
static int span_fits(const loading *l)
{
    const flsi_index_sum *sum = &l->sum;
    const flsi_index_sum *before = &l->before;
    if (sum->timed == 0) {
        return sum->time_min_ns == 0 && sum->time_max_ns == 0 && before->timed == 0 &&
               l->last_time_ns == 0;
    }
    return sum->timed >= before->timed && sum->time_min_ns != 0 &&
           (before->timed == 0 || sum->time_min_ns <= before->time_min_ns) &&
           sum->time_max_ns >= before->time_max_ns && sum->time_max_ns >= l->last_time_ns;
}

/* Rules 4 to 7, for the sum of a part of which the last record is this. */
static int durable_fits(const loading *l, const flsi_record *record, uint64_t payload)
{
    const flsi_index_sum *sum = &l->sum;
    uint64_t unit = flsi_index_unit(l->index->checksum);
    if (record->ordinal <= l->last_ordinal || record->offset <= l->last_offset ||
        !can_be(l->index, record->ordinal - l->last_ordinal, record->offset - l->last_offset)) {
        return 0;
    }
    if (record->small == 0 || record->small > record->offset - l->last_offset) {
        return 0;
    }
    uint64_t mean = payload / record->ordinal;
    uint64_t mean_up = mean + (payload % record->ordinal != 0);
    return payload == record->offset - record->ordinal * unit && sum->smallest <= mean &&
           sum->largest >= mean_up && sum->largest >= l->before.largest &&
           (l->before.messages == 0 || sum->smallest <= l->before.smallest) &&
           sum->timed <= record->ordinal;
}

typedef struct taken_part {
    uint64_t payload;
    flsi_record durable;
} taken_part;

/* Rule 3: a record of a part, in its turn. */
static fls_status take_record(loading *l, const flsi_record *record, taken_part *taken,
                              fls_error *err)
{
    int timed = l->index->has_times;
    if (is_passed_over(record) && l->stage != STAGE_DURABLE) {
        return FLS_OK;
    }
    if (record->type == FLSI_RECORD_OFFSET) {
        return take_offset(l, record, err);
    }
    if (record->type == FLSI_RECORD_SIZES && l->stage == STAGE_OFFSETS &&
        l->entries > l->index->entries) {
        l->stage = STAGE_SIZES;
        l->sum.smallest = record->smallest;
        l->sum.largest = record->largest;
        taken->payload = record->value;
        return FLS_OK;
    }
    if (record->type == FLSI_RECORD_SPAN && timed && l->stage == STAGE_SIZES) {
        l->stage = STAGE_SPAN;
        l->sum.timed = record->ordinal;
        l->sum.time_min_ns = record->time_ns;
        l->sum.time_max_ns = record->last_ns;
        return span_fits(l) ? FLS_OK : bad(err, "times in an index that cannot be");
    }
    if (record->type == FLSI_RECORD_DURABLE && l->stage == (timed ? STAGE_SPAN : STAGE_SIZES)) {
        l->stage = STAGE_DURABLE;
        taken->durable = *record;
        return durable_fits(l, record, taken->payload)
                   ? FLS_OK
                   : bad(err, "a part of an index that does not add up");
    }
    return bad(err, "a record in an index that does not belong there");
}

static fls_status take_part(loading *l, const uint8_t *records, size_t size, fls_error *err)
{
    fls_index *index = l->index;
    taken_part taken = {0};
    l->before = flsi_index_total(index);
    l->sum = (flsi_index_sum){0};
    l->entries = index->entries;
    l->last_time_ns = index->entries > 0 ? index->times[index->entries - 1] : 0;
    l->stage = STAGE_OFFSETS;
    if (index->checksum == FLS_CHECKSUM_DETECT) {
        return bad(err, "an index of messages under an unknown checksum");
    }
    for (size_t at = 0, used = 0; at < size; at += used) {
        flsi_record record;
        fls_status status = flsi_record_decode(&record, records + at, size - at, &used, err);
        if (status == FLS_OK) {
            status = take_record(l, &record, &taken, err);
        }
        if (status != FLS_OK) {
            return status;
        }
    }
    if (l->stage != STAGE_DURABLE) {
        return bad(err, "a part of an index without its end");
    }
    l->sum.messages = taken.durable.ordinal;
    l->sum.offset = taken.durable.offset;
    const flsi_index_part part = {.sum = l->sum,
                                  .proof = taken.durable.value,
                                  .proof_bytes = taken.durable.small,
                                  .entries = l->entries,
                                  .index_bytes = l->at};
    fls_status status = add_part(index, &part, err);
    if (status == FLS_OK) {
        index->entries = l->entries;
    }
    return status;
}

/* ---- all of it ---- */

flsi_index_sum flsi_index_total(const fls_index *index)
{
    return index->part_count > 0 ? index->parts[index->part_count - 1].sum : (flsi_index_sum){0};
}

static fls_status load_parts(loading *l, fls_error *err)
{
    for (;;) {
        const uint8_t *records = NULL;
        size_t size = 0;
        uint64_t at = l->at;
        fls_error why = FLS_ERROR_INIT;
        fls_status status = next_frame(l, &records, &size, &why);
        if (status == FLS_OK) {
            status = take_part(l, records, size, &why);
        }
        if (status == FLS_END) {
            return FLS_OK;
        }
        if (status == FLS_OK) {
            continue;
        }
        if (fls_status_class_of(status) == FLS_CLASS_DAMAGE || status == FLS_UNSUPPORTED) {
            why.offset = at;
            why.known |= FLS_ERROR_OFFSET;
            l->index->fault = why;
            return FLS_OK;
        }
        if (err != NULL) {
            *err = why;
        }
        return status;
    }
}

fls_status flsi_index_load(fls_index *index, const fls_source *source, fls_error *err)
{
    loading l = {.index = index, .source = source};
    const uint8_t *records = NULL;
    size_t size = 0;
    fls_status status = begin(&l, err);
    if (status == FLS_OK) {
        status = next_frame(&l, &records, &size, err);
        if (status == FLS_END) {
            status = flsi_error_frame(err, FLS_UNEXPECTED_EOF, 0, 0, "the index is empty");
        }
    }
    if (status == FLS_OK) {
        status = take_header(&l, records, size, err);
    }
    if (status == FLS_OK) {
        status = load_parts(&l, err);
    }
    end(&l);
    return status;
}
