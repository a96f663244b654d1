/* What a segment's marks say of its messages, in step with reading them: when each was received,
 * and what happened before it. Ordinals are asked for in rising order.
 */
#ifndef FLSI_JOURNAL_FEED_H
#define FLSI_JOURNAL_FEED_H

#include "journal/journal_marks_file.h"

/* Something that times come from: an OFFSET (count 0), which is that of one message and a guess for
 * those behind it, or TIMES. */
typedef struct flsi_feed_item {
    uint64_t ordinal;
    uint64_t time_ns;
    size_t data; /* in the feed's bytes */
    size_t data_bytes;
    uint32_t count;
} flsi_feed_item;

typedef struct flsi_feed {
    flsi_marks_file marks;
    uint64_t at;      /* of the frame that comes next */
    uint64_t covered; /* all is known of messages below this ordinal */
    int without_times;
    int estimated; /* all times are */
    int broken;    /* what comes next is not valid */
    flsi_feed_item *items;
    size_t item_capacity;
    size_t item_first;
    size_t item_count;
    uint8_t *bytes;
    size_t byte_capacity;
    size_t byte_count;
    flsi_times_walk walk; /* where walking is 1: of the newest item taken */
    int walking;
    uint64_t time_ns;    /* the newest that is known at or before where the feed is; 0: none */
    flsi_record *events; /* GAP and CLOCK */
    size_t event_capacity;
    size_t event_first;
    size_t event_count;
} flsi_feed;

void flsi_feed_init(flsi_feed *feed, const flsi_file *file, const fls_allocator *allocator);
void flsi_feed_fini(flsi_feed *feed);

/* Goes on from a frame at an offset in the file; keeps memory. */
void flsi_feed_start(flsi_feed *feed, const flsi_file *file, uint64_t at);

/* Reads on until all that is noted about a message is known, or the file ends. */
fls_status flsi_feed_cover(flsi_feed *feed, uint64_t ordinal, fls_error *err);

/* When a message was received; *flags FLS_MESSAGE_TIME_ESTIMATED or 0. */
uint64_t flsi_feed_time(flsi_feed *feed, uint64_t ordinal, uint32_t *flags);

/* The event that comes next, NULL: none is known. flsi_feed_event_taken passes on. */
const flsi_record *flsi_feed_event(const flsi_feed *feed);
void flsi_feed_event_taken(flsi_feed *feed);

#endif
