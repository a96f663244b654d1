/* Records of marks gathered into frames; see marks.h. */
#include "stream/marks.h"

#define TIME_BYTES   10u /* the longest LEB128 of 64 bits */
#define PADDED(size) (((size) + FLSI_RECORD_BYTES - 1) & ~(size_t)(FLSI_RECORD_BYTES - 1))

/* Times of one record: two of them fit a frame, so that a full one need not be torn apart. */
#define TIMES_MAX_BYTES (FLSI_MARKS_FRAME_BYTES / 2 - FLSI_RECORD_BYTES)

void flsi_marks_builder_init(flsi_marks_builder *marks, const fls_allocator *allocator)
{
    *marks = (flsi_marks_builder){.allocator = allocator, .open_frame = SIZE_MAX};
}

void flsi_marks_builder_fini(flsi_marks_builder *marks)
{
    const fls_allocator *allocator = marks->allocator;
    if (marks->frames != NULL) {
        allocator->free(allocator->self, marks->frames, marks->capacity);
    }
    if (marks->times != NULL) {
        allocator->free(allocator->self, marks->times, marks->times_capacity);
    }
    flsi_marks_builder_init(marks, allocator);
}

static fls_status grow(const fls_allocator *allocator, uint8_t **memory, size_t *capacity,
                       size_t wanted, fls_error *err)
{
    if (wanted <= *capacity) {
        return FLS_OK;
    }
    size_t grown = *capacity < 2048 ? 4096 : *capacity * 2;
    grown = grown < wanted ? wanted : grown;
    uint8_t *moved = allocator->resize(allocator->self, *memory, *capacity, grown);
    if (moved == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for marks");
    }
    *memory = moved;
    *capacity = grown;
    return FLS_OK;
}

fls_status flsi_marks_reserve(flsi_marks_builder *marks, size_t records, size_t times,
                              fls_error *err)
{
    /* What times that are gathered come to, should each record cut them in two; every half frame
     * that they fill costs a header. */
    if (records > SIZE_MAX / 256 || times > SIZE_MAX / 256) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for marks");
    }
    size_t times_bytes = marks->times_bytes + times * TIME_BYTES;
    size_t cuts = records + 2 + times_bytes / (TIMES_MAX_BYTES - TIME_BYTES);
    size_t wanted = marks->size + times_bytes +
                    cuts * (2 * FLSI_RECORD_BYTES + FLSI_MARKS_HEADER_BYTES) +
                    records * FLSI_RECORD_BYTES + FLSI_MARKS_HEADER_BYTES;
    fls_status status = grow(marks->allocator, &marks->frames, &marks->capacity, wanted, err);
    return status != FLS_OK
               ? status
               : grow(marks->allocator, &marks->times, &marks->times_capacity, times_bytes, err);
}

static size_t open_bytes(const flsi_marks_builder *marks)
{
    return marks->open_frame == SIZE_MAX
               ? 0
               : marks->size - marks->open_frame - FLSI_MARKS_HEADER_BYTES;
}

static void end_frame(flsi_marks_builder *marks)
{
    size_t length = open_bytes(marks);
    if (length > 0) {
        uint8_t *frame = marks->frames + marks->open_frame;
        uint64_t digest =
            fls_checksum_digest(FLS_CHECKSUM_XXH3, frame + FLSI_MARKS_HEADER_BYTES, length);
        (void)fls_frame_encode_header(frame, (uint32_t)length, digest, 8);
    }
    marks->open_frame = SIZE_MAX;
}

/* Room for size bytes in the open frame, or in the next one. */
static uint8_t *take(flsi_marks_builder *marks, size_t size)
{
    if (open_bytes(marks) + size > FLSI_MARKS_FRAME_BYTES) {
        end_frame(marks);
    }
    if (marks->open_frame == SIZE_MAX) {
        marks->open_frame = marks->size;
        marks->size += FLSI_MARKS_HEADER_BYTES;
    }
    uint8_t *place = marks->frames + marks->size;
    marks->size += size;
    return place;
}

static void put_record(flsi_marks_builder *marks, const flsi_record *record, const void *data,
                       size_t data_bytes)
{
    size_t padded = PADDED(data_bytes);
    uint8_t *place = take(marks, FLSI_RECORD_BYTES + padded);
    flsi_record_encode(place, record);
    if (data_bytes > 0) {
        memcpy(place + FLSI_RECORD_BYTES, data, data_bytes);
        memset(place + FLSI_RECORD_BYTES + data_bytes, 0, padded - data_bytes);
    }
}

static void close_times(flsi_marks_builder *marks)
{
    if (marks->times_count > 0) {
        flsi_record record = {.type = FLSI_RECORD_TIMES,
                              .small = (uint32_t)marks->times_bytes,
                              .ordinal = marks->times_first_ordinal,
                              .time_ns = marks->times_first_ns,
                              .value = marks->times_count};
        put_record(marks, &record, marks->times, marks->times_bytes);
    }
    marks->times_count = 0;
    marks->times_bytes = 0;
}

/* Rule 3: the first OFFSET of a frame stands at its beginning. */
static void put_offset(flsi_marks_builder *marks, const flsi_record *record)
{
    size_t events = 0;
    size_t bytes = open_bytes(marks);
    const uint8_t *first = marks->frames + (marks->size - bytes);
    while (events < bytes &&
           (first[events] == FLSI_RECORD_CLOCK || first[events] == FLSI_RECORD_GAP)) {
        events += FLSI_RECORD_BYTES;
    }
    if (bytes > 0 && events < bytes && first[0] != FLSI_RECORD_OFFSET) {
        end_frame(marks);
        bytes = 0;
    }
    put_record(marks, record, NULL, 0);
    if (bytes > 0 && events == bytes && open_bytes(marks) > bytes) {
        uint8_t *begin = marks->frames + marks->open_frame + FLSI_MARKS_HEADER_BYTES;
        memmove(begin + FLSI_RECORD_BYTES, begin, bytes);
        flsi_record_encode(begin, record);
    }
}

void flsi_marks_add(flsi_marks_builder *marks, const flsi_record *record, const void *data)
{
    close_times(marks);
    if (record->type == FLSI_RECORD_OFFSET) {
        put_offset(marks, record);
    } else {
        put_record(marks, record, data, data == NULL ? 0 : record->small);
    }
}

void flsi_marks_add_time(flsi_marks_builder *marks, uint64_t ordinal, uint64_t time_ns)
{
    if (marks->times_count > 0 &&
        (ordinal != marks->times_first_ordinal + marks->times_count ||
         marks->times_bytes > TIMES_MAX_BYTES - TIME_BYTES || marks->times_count == UINT32_MAX)) {
        close_times(marks);
    }
    if (time_ns < marks->times_last_ns) {
        time_ns = marks->times_last_ns;
    }
    if (marks->times_count == 0) {
        marks->times_first_ordinal = ordinal;
        marks->times_first_ns = time_ns;
        marks->times_last_ns = time_ns;
        marks->times_count = 1;
        return;
    }
    uint64_t delta = time_ns - marks->times_last_ns;
    uint8_t *to = marks->times + marks->times_bytes;
    marks->times_last_ns = time_ns;
    for (; delta >= 0x80; delta >>= 7) {
        *to++ = (uint8_t)(delta | 0x80);
    }
    *to++ = (uint8_t)delta;
    marks->times_bytes = (size_t)(to - marks->times);
    marks->times_count++;
}

void flsi_marks_close_frame(flsi_marks_builder *marks)
{
    close_times(marks);
    end_frame(marks);
}

void flsi_marks_written(flsi_marks_builder *marks, size_t bytes)
{
    size_t left = marks->size - bytes;
    if (left > 0 && bytes > 0) {
        memmove(marks->frames, marks->frames + bytes, left);
    }
    marks->size = left;
    if (marks->open_frame != SIZE_MAX) {
        marks->open_frame -= bytes;
    }
}
