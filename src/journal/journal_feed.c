/* Marks in step with messages; see journal_feed.h. */
#include "journal/journal_feed.h"

#include "flatstream/frame.h"

void flsi_feed_init(flsi_feed *feed, const flsi_file *file, const fls_allocator *allocator)
{
    *feed = (flsi_feed){0};
    flsi_marks_file_init(&feed->marks, file, allocator);
}

static void release(const flsi_feed *feed, void *memory, size_t bytes)
{
    if (memory != NULL) {
        feed->marks.allocator->free(feed->marks.allocator->self, memory, bytes);
    }
}

void flsi_feed_fini(flsi_feed *feed)
{
    release(feed, feed->items, feed->item_capacity * sizeof *feed->items);
    release(feed, feed->bytes, feed->byte_capacity);
    release(feed, feed->events, feed->event_capacity * sizeof *feed->events);
    flsi_marks_file_fini(&feed->marks);
    *feed = (flsi_feed){0};
}

void flsi_feed_start(flsi_feed *feed, const flsi_file *file, uint64_t at)
{
    feed->marks.file = file;
    feed->marks.window_bytes = 0; /* it may be another file by now, in the same place */
    feed->at = at;
    feed->covered = 0;
    feed->estimated = 0;
    feed->broken = 0;
    feed->item_first = feed->item_count = 0;
    feed->byte_count = 0;
    feed->walking = 0;
    feed->time_ns = 0;
    feed->event_first = feed->event_count = 0;
}

/* Room for more of what is `bytes` large each, where so many are. */
static fls_status more_room(flsi_feed *feed, void **memory, size_t *capacity, size_t count,
                            size_t more, size_t bytes, fls_error *err)
{
    if (count + more <= *capacity) {
        return FLS_OK;
    }
    size_t wanted = 2 * *capacity > count + more ? 2 * *capacity : count + more + 8;
    void *grown = feed->marks.allocator->resize(feed->marks.allocator->self, *memory,
                                                *capacity * bytes, wanted * bytes);
    if (grown == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "times of messages could not be held");
    }
    *memory = grown;
    *capacity = wanted;
    return FLS_OK;
}

static fls_status add_item(flsi_feed *feed, const flsi_record *record, fls_error *err)
{
    int times = record->type == FLSI_RECORD_TIMES;
    size_t data_bytes = times ? record->small : 0;
    void *items = feed->items;
    fls_status status = more_room(feed, &items, &feed->item_capacity, feed->item_count, 1,
                                  sizeof *feed->items, err);
    feed->items = items;
    if (status == FLS_OK) {
        void *bytes = feed->bytes;
        status =
            more_room(feed, &bytes, &feed->byte_capacity, feed->byte_count, data_bytes, 1, err);
        feed->bytes = bytes;
    }
    if (status != FLS_OK) {
        return status;
    }
    feed->items[feed->item_count++] = (flsi_feed_item){
        .ordinal = record->ordinal,
        .time_ns = record->time_ns,
        .data = feed->byte_count,
        .data_bytes = data_bytes,
        .count = times ? (uint32_t)record->value : 0,
    };
    if (data_bytes > 0 && feed->bytes != NULL) {
        memcpy(feed->bytes + feed->byte_count, record->data, data_bytes);
        feed->byte_count += data_bytes;
    }
    return FLS_OK;
}

static fls_status add_event(flsi_feed *feed, const flsi_record *record, fls_error *err)
{
    void *events = feed->events;
    fls_status status = more_room(feed, &events, &feed->event_capacity, feed->event_count, 1,
                                  sizeof *feed->events, err);
    feed->events = events;
    if (status == FLS_OK) {
        feed->events[feed->event_count++] = *record;
    }
    return status;
}

static void cover_below(flsi_feed *feed, uint64_t ordinal)
{
    feed->covered = ordinal > feed->covered ? ordinal : feed->covered;
}

static fls_status take_record(flsi_feed *feed, const flsi_record *record, fls_error *err)
{
    switch (record->type) {
    case FLSI_RECORD_HEADER:
        feed->estimated = (record->header_flags & FLSI_HEADER_ESTIMATED) != 0;
        feed->time_ns = record->time_ns; /* none is older */
        return FLS_OK;
    case FLSI_RECORD_OFFSET:
        cover_below(feed, record->ordinal);
        return feed->without_times ? FLS_OK : add_item(feed, record, err);
    case FLSI_RECORD_TIMES:
        cover_below(feed, record->ordinal + record->value);
        return feed->without_times ? FLS_OK : add_item(feed, record, err);
    case FLSI_RECORD_GAP:
    case FLSI_RECORD_CLOCK: return add_event(feed, record, err);
    case FLSI_RECORD_SEAL: /* behind a clean end the next writer may have gone on */
        cover_below(feed, record->flags == FLSI_SEAL_CLOSED ? record->ordinal : UINT64_MAX);
        return FLS_OK;
    default: return FLS_OK;
    }
}

/* Moves what is not used up to the front. */
static void compact(flsi_feed *feed)
{
    size_t count = feed->item_count - feed->item_first;
    if (feed->item_first > 0 && count <= 1 && !feed->walking) {
        size_t data = count > 0 ? feed->items[feed->item_first].data : feed->byte_count;
        if (count > 0) {
            memmove(feed->items, feed->items + feed->item_first, count * sizeof *feed->items);
            if (feed->byte_count > data) { /* else there may be no bytes at all yet */
                memmove(feed->bytes, feed->bytes + data, feed->byte_count - data);
            }
            feed->items[0].data = 0;
        }
        feed->byte_count -= data;
        feed->item_first = 0;
        feed->item_count = count;
    }
    if (feed->event_first > 0 && feed->event_first == feed->event_count) {
        feed->event_first = feed->event_count = 0;
    }
}

/* The walk points into the bytes, which move when there are more of them. */
static fls_status take_frame(flsi_feed *feed, const uint8_t *records, size_t size, fls_error *err)
{
    size_t next =
        feed->walking && feed->bytes != NULL ? (size_t)(feed->walk.next - feed->bytes) : 0;
    size_t end = feed->walking && feed->bytes != NULL ? (size_t)(feed->walk.end - feed->bytes) : 0;
    fls_status status = FLS_OK;
    while (size > 0 && status == FLS_OK) {
        flsi_record record;
        size_t used;
        if (flsi_record_decode(&record, records, size, &used, NULL) != FLS_OK) {
            feed->broken = 1;
            break;
        }
        status = take_record(feed, &record, err);
        records += used;
        size -= used;
    }
    if (feed->walking && feed->bytes != NULL) {
        feed->walk.next = feed->bytes + next;
        feed->walk.end = feed->bytes + end;
    }
    return status;
}

fls_status flsi_feed_cover(flsi_feed *feed, uint64_t ordinal, fls_error *err)
{
    while (feed->covered <= ordinal && !feed->broken) {
        const uint8_t *records;
        size_t size;
        uint64_t next;
        compact(feed);
        fls_status status =
            flsi_marks_file_frame(&feed->marks, feed->at, &records, &size, &next, err);
        if (status == FLS_END) {
            return FLS_OK;
        }
        if (status == FLS_INVALID_FRAME || status == FLS_CHECKSUM_MISMATCH) {
            feed->broken = 1;
            return FLS_OK;
        }
        if (status == FLS_OK) {
            status = take_frame(feed, records, size, err);
        }
        if (status != FLS_OK) {
            return status;
        }
        feed->at = next;
    }
    return FLS_OK;
}

uint64_t flsi_feed_time(flsi_feed *feed, uint64_t ordinal, uint32_t *flags)
{
    uint32_t exact = 0;
    for (;;) {
        if (feed->walking) {
            while (feed->walk.ordinal < ordinal && flsi_times_next(&feed->walk)) {
            }
            feed->time_ns = feed->walk.time_ns;
            exact = feed->walk.ordinal == ordinal;
            if (feed->walk.ordinal >= ordinal) {
                break;
            }
            feed->walking = 0;
        }
        if (feed->item_first == feed->item_count ||
            feed->items[feed->item_first].ordinal > ordinal) {
            break;
        }
        const flsi_feed_item *item = &feed->items[feed->item_first++];
        if (item->count > 0) {
            const flsi_record record = {.type = FLSI_RECORD_TIMES,
                                        .small = (uint32_t)item->data_bytes,
                                        .ordinal = item->ordinal,
                                        .time_ns = item->time_ns,
                                        .value = item->count,
                                        .data =
                                            feed->bytes != NULL ? feed->bytes + item->data : NULL};
            flsi_times_begin(&feed->walk, &record);
            feed->walking = 1;
        } else {
            feed->time_ns = item->time_ns != 0 ? item->time_ns : feed->time_ns;
            exact = item->time_ns != 0 && item->ordinal == ordinal;
        }
    }
    *flags = (exact && !feed->estimated) || feed->time_ns == 0 ? 0 : FLS_MESSAGE_TIME_ESTIMATED;
    return feed->time_ns;
}

const flsi_record *flsi_feed_event(const flsi_feed *feed)
{
    return feed->event_first < feed->event_count ? &feed->events[feed->event_first] : NULL;
}

void flsi_feed_event_taken(flsi_feed *feed)
{
    feed->event_first++;
}
