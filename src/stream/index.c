/* An index in use: which part of it is of the stream, and the places that it knows. */
#include "io/io_ops.h"
#include "stream/index_private.h"

/* Ends of parts that are tried, from the last one that lies in the stream on. */
#define MOST_TRIED 16u
#define BATCH      64

/* ---- the stream ---- */

static fls_status measure(const fls_source *stream, uint64_t *bytes, fls_error *err)
{
    const void *data;
    size_t size = 0;
    if (!FLSI_SOURCE_HAS(stream, borrow)) {
        return fls_source_size(stream, bytes, err);
    }
    fls_status status = stream->ops->borrow(stream->self, &data, &size, err);
    *bytes = size;
    return status;
}

/* Whether the bytes before the end of a part are those that were there. */
static fls_status holds(const flsi_index_part *part, const fls_source *stream, int *same,
                        fls_error *err)
{
    uint8_t room[FLSI_PROOF_BYTES];
    const uint8_t *bytes = room;
    uint64_t from = part->sum.offset - part->proof_bytes;
    size_t got = 0;
    fls_status status;
    if (FLSI_SOURCE_HAS(stream, borrow)) {
        const void *data;
        status = stream->ops->borrow(stream->self, &data, &got, err);
        bytes = status == FLS_OK && got >= part->sum.offset ? (const uint8_t *)data + from : NULL;
        got = bytes != NULL ? part->proof_bytes : 0;
    } else {
        status = fls_source_read_all_at(stream, from, room, part->proof_bytes, &got, err);
    }
    *same = status == FLS_OK && got == part->proof_bytes &&
            fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes, got) == part->proof;
    return status == FLS_END ? FLS_OK : status;
}

/* Leaves the parts up to the last one that holds. */
static fls_status hold_against(fls_index *index, const fls_source *stream, fls_error *err)
{
    size_t count = index->part_count;
    unsigned tried = 0;
    int same = 0;
    fls_status status = measure(stream, &index->stream_bytes, err);
    while (status == FLS_OK && count > 0 && !same && tried < MOST_TRIED) {
        const flsi_index_part *part = &index->parts[count - 1];
        if (part->sum.offset <= index->stream_bytes) {
            status = holds(part, stream, &same, err);
            tried++;
        }
        count -= same ? 0 : 1;
    }
    if (status != FLS_OK) {
        return status;
    }
    if (index->part_count > 0 && !same) {
        return fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0,
                             "the index is of another stream, or the stream was changed");
    }
    index->stale = count < index->part_count;
    index->part_count = count;
    index->entries = count > 0 ? (size_t)index->parts[count - 1].entries : 0;
    return FLS_OK;
}

/* ---- opening ---- */

fls_status fls_index_open(fls_index **index, const fls_source *source, const fls_source *stream,
                          const fls_allocator *allocator, fls_error *err)
{
    *index = NULL;
    allocator = allocator != NULL ? allocator : fls_allocator_libc();
    fls_index *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for an index");
    }
    memset(made, 0, sizeof *made);
    made->allocator = allocator;
    fls_status status = flsi_index_load(made, source, err);
    if (status == FLS_OK && stream != NULL) {
        status = hold_against(made, stream, err);
    }
    if (status != FLS_OK) {
        fls_index_close(made);
        return status;
    }
    *index = made;
    return FLS_OK;
}

void fls_index_close(fls_index *index)
{
    if (index == NULL) {
        return;
    }
    const fls_allocator *allocator = index->allocator;
    uint64_t *arrays[] = {index->offsets, index->ordinals, index->times};
    for (size_t i = 0; i < 3; i++) {
        if (arrays[i] != NULL) {
            allocator->free(allocator->self, arrays[i], index->room * sizeof *arrays[i]);
        }
    }
    if (index->parts != NULL) {
        allocator->free(allocator->self, index->parts, index->part_room * sizeof *index->parts);
    }
    allocator->free(allocator->self, index, sizeof *index);
}

/* ---- what it says ---- */

void flsi_index_info_out(fls_index_info *to, const fls_index_info *from)
{
    if (to != NULL && to->struct_bytes >= sizeof to->struct_bytes) {
        uint32_t bytes = to->struct_bytes;
        memcpy(to, from, bytes < sizeof *from ? bytes : sizeof *from);
        to->struct_bytes = bytes;
    }
}

void fls_index_get_info(const fls_index *index, fls_index_info *info)
{
    const flsi_index_sum sum = flsi_index_total(index);
    fls_index_info made = FLS_INDEX_INFO_INIT;
    made.checksum = index->checksum;
    made.covered_bytes = sum.offset;
    made.messages = sum.messages;
    if (sum.messages > 0) {
        made.payload_bytes = sum.offset - sum.messages * flsi_index_unit(index->checksum);
    }
    made.size_min = sum.smallest;
    made.size_max = sum.largest;
    made.entries = index->entries;
    made.interval_bytes = index->interval_bytes;
    made.has_times = (uint32_t)index->has_times;
    made.stale = (uint32_t)index->stale;
    made.timed = sum.timed;
    made.time_min_ns = sum.time_min_ns;
    made.time_max_ns = sum.time_max_ns;
    made.stream_bytes = index->stream_bytes;
    made.index_bytes = index->part_count > 0 ? index->parts[index->part_count - 1].index_bytes
                                             : index->header_bytes;
    made.fault = index->fault;
    flsi_index_info_out(info, &made);
}

const char *fls_index_label(const fls_index *index)
{
    return index->label;
}

fls_status fls_index_entry(const fls_index *index, uint64_t number, fls_reader_position *position,
                           uint64_t *time_ns)
{
    if (number >= index->entries) {
        return FLS_INVALID_ARGUMENT;
    }
    if (position != NULL) {
        *position = (fls_reader_position){index->offsets[number], index->ordinals[number], 0};
    }
    if (time_ns != NULL) {
        *time_ns = index->times[number];
    }
    return FLS_OK;
}

void fls_index_anchors(const fls_index *index, fls_salvage_anchors *anchors)
{
    *anchors = (fls_salvage_anchors){index->offsets, index->entries};
}

/* ---- places ---- */

/* How many of the numbers, which never fall, are below a limit. */
static size_t count_below(const uint64_t *numbers, size_t count, uint64_t limit)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (numbers[middle] < limit) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

/* The entry before a number of them, or the start. */
static void place_before(const fls_index *index, size_t number, fls_reader_position *position)
{
    *position = (fls_reader_position){0, 0, 0};
    if (number > 0) {
        position->offset = index->offsets[number - 1];
        position->ordinal = index->ordinals[number - 1];
    }
}

void fls_index_find_ordinal(const fls_index *index, uint64_t ordinal, fls_reader_position *position)
{
    const flsi_index_sum sum = flsi_index_total(index);
    if (ordinal >= sum.messages) {
        *position = (fls_reader_position){sum.offset, sum.messages, 0};
        return;
    }
    place_before(index, count_below(index->ordinals, index->entries, ordinal + 1), position);
}

void fls_index_find_time(const fls_index *index, uint64_t time_ns, fls_reader_position *position)
{
    const flsi_index_sum sum = flsi_index_total(index);
    if (index->has_times && sum.time_max_ns < time_ns) {
        *position = (fls_reader_position){sum.offset, sum.messages, 0};
        return;
    }
    place_before(index, index->has_times ? count_below(index->times, index->entries, time_ns) : 0,
                 position);
}

/* ---- proof of a place ---- */

fls_status flsi_index_lend(const fls_source *from, fls_source_ops *ops, fls_source *lent,
                           fls_error *err)
{
    memset(ops, 0, sizeof *ops);
    if (from->ops == NULL) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed");
    }
    size_t bytes = from->ops->struct_bytes < sizeof *ops ? from->ops->struct_bytes : sizeof *ops;
    memcpy(ops, from->ops, bytes);
    ops->struct_bytes = sizeof *ops;
    ops->close = NULL;
    *lent = (fls_source){ops, from->self};
    return FLS_OK;
}

/* Where the entry at a position ends: at the next one, or with all that is covered. 0: there is no
 * such entry. */
static int find_end(const fls_index *index, const fls_reader_position *position, uint64_t *offset,
                    uint64_t *ordinal)
{
    const flsi_index_sum sum = flsi_index_total(index);
    size_t at = count_below(index->offsets, index->entries, position->offset);
    if (position->offset == sum.offset) {
        *offset = sum.offset;
        *ordinal = sum.messages;
        return position->ordinal == sum.messages;
    }
    if (at == index->entries || index->offsets[at] != position->offset ||
        index->ordinals[at] != position->ordinal) {
        return 0;
    }
    *offset = at + 1 < index->entries ? index->offsets[at + 1] : sum.offset;
    *ordinal = at + 1 < index->entries ? index->ordinals[at + 1] : sum.messages;
    return 1;
}

static fls_status read_up_to(fls_reader *reader, uint64_t offset, uint64_t ordinal, fls_error *err)
{
    fls_message messages[BATCH];
    while (fls_reader_offset(reader) < offset && fls_reader_ordinal(reader) < ordinal) {
        uint64_t left = ordinal - fls_reader_ordinal(reader);
        size_t count;
        fls_status status = fls_reader_next_batch(reader, messages,
                                                  left < BATCH ? (size_t)left : BATCH, &count, err);
        if (status == FLS_END) {
            break;
        }
        if (status != FLS_OK) {
            return status;
        }
    }
    if (fls_reader_offset(reader) != offset || fls_reader_ordinal(reader) != ordinal) {
        return fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0,
                             "the stream is not what its index says");
    }
    return FLS_OK;
}

fls_status fls_index_prove(const fls_index *index, const fls_source *stream,
                           const fls_reader_position *position, uint32_t max_frame_bytes,
                           fls_error *err)
{
    const fls_reader_position from = {position->offset, position->ordinal, 0};
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    fls_source_ops ops;
    fls_source lent = {NULL, NULL};
    fls_reader *reader;
    uint64_t offset;
    uint64_t ordinal;
    if (!find_end(index, position, &offset, &ordinal)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the index has no such position");
    }
    if (offset == position->offset) {
        return FLS_OK; /* held when it was opened */
    }
    fls_status status = flsi_index_lend(stream, &ops, &lent, err);
    if (status != FLS_OK) {
        return status;
    }
    options.checksum = index->checksum;
    options.max_frame_bytes = max_frame_bytes;
    options.position = &from;
    options.buffer_bytes = FLS_INDEX_INTERVAL_BYTES;
    options.allocator = index->allocator;
    status = fls_reader_open(&reader, lent, &options, err);
    if (status == FLS_OK) {
        status = read_up_to(reader, offset, ordinal, err);
        fls_reader_close(reader);
    }
    return status;
}
