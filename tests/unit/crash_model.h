/* What a journal was given and what it said of it, and whether a disk holds that. */
#ifndef TESTS_UNIT_CRASH_MODEL_H
#define TESTS_UNIT_CRASH_MODEL_H

#include "crash_disk.h"
#include "flatstream/journal.h"

#define CRASH_PATH         "flight"
#define CRASH_ATTEMPT_MOST 64u
#define CRASH_GAP_MOST     64u
#define CRASH_CURSORS      3u
#define CRASH_CURSOR_MAY   8u
#define CRASH_NO_CURSOR    UINT64_MAX
#define CRASH_TYPES        3u /* kinds of messages' types; the first has none */
#define CRASH_CHANGE_MOST  64u
#define CRASH_SEGMENT_MOST 256u

typedef struct crash_gap {
    uint64_t ordinal;
    uint64_t messages;
} crash_gap;

/* A message that may be there: at ordinal count + place. */
typedef struct crash_attempt {
    uint64_t serial;
    uint64_t place;
    int found; /* by the last check */
} crash_attempt;

/* What a named cursor may be: what it was set to last, and what calls that have not returned, or
 * have failed, were to set. CRASH_NO_CURSOR: there is none. */
typedef struct crash_cursor {
    uint64_t may[CRASH_CURSOR_MAY];
    size_t count;
} crash_cursor;

/* From a message on they are of one of some kinds, a bit each. */
typedef struct crash_change {
    uint64_t serial;
    unsigned kinds;
} crash_change;

typedef struct crash_model {
    uint64_t *serials; /* of the messages, by ordinal */
    uint64_t count;
    uint64_t capacity;
    uint64_t durable; /* the highest that was acknowledged or shown */
    int retires;      /* retention may have taken the oldest segments ... */
    int retains;      /* ... as it thinks fit; else no message from here on: */
    uint64_t prunable;
    int compresses; /* the manifest may say that segments are compressed */
    uint64_t first; /* the oldest, as it was seen last */
    crash_cursor cursors[CRASH_CURSORS];
    crash_change changes[CRASH_CHANGE_MOST]; /* before the first: kind 0 */
    size_t change_count;
    uint64_t epoch; /* of the newest writer that came to be */
    fls_checksum checksum;
    /* What calls that are running, or have failed since one was acknowledged, were to append. */
    crash_attempt attempts[CRASH_ATTEMPT_MOST];
    size_t attempt_count;
    crash_gap gaps[CRASH_GAP_MOST];
    size_t gap_count;
    uint64_t next_serial;
} crash_model;

/* What a disk was found to hold. */
typedef struct crash_verdict {
    uint64_t messages; /* that were compared */
    uint64_t lost;
    uint64_t invented;
    uint64_t other;
    char text[256]; /* the first thing that is wrong */
} crash_verdict;

void crash_model_copy(crash_model *to, const crash_model *from);
void crash_model_init(crash_model *model);
void crash_model_free(crash_model *model);
void crash_model_append(crash_model *model, uint64_t serial);
/* What a journal that goes on at an ordinal has: attempts that the last check found are messages.
 */
void crash_model_cut(crash_model *model, uint64_t next_ordinal);

/* Whether that is the message at an ordinal. */
int crash_model_has(const crash_model *model, uint64_t ordinal, const void *payload, size_t size);

/* The payload of the message with a serial; returns its size. */
#define CRASH_PAYLOAD_MOST 2200u
size_t crash_payload(uint64_t serial, uint8_t payload[CRASH_PAYLOAD_MOST]);

/* First ordinals of the segments on a disk, plain or compressed, in order; how many. */
size_t crash_model_segments(const crash_disk *disk, uint64_t firsts[CRASH_SEGMENT_MOST]);

/* Holds the segments on the disk, read by the reference decoder, against the model: the messages
 * below next_ordinal, and nothing that is not them. */
void crash_model_check(crash_model *model, crash_disk *disk, uint64_t next_ordinal,
                       crash_verdict *verdict);
/* Whether all that was on the disk before the journal was opened, and is no message of it now, is
 * still somewhere. */
void crash_model_check_cut(crash_model *model, const crash_disk *before, const crash_disk *after,
                           uint64_t next_ordinal, crash_verdict *verdict);
/* Whether every gap that was to be durable is in the marks; the model forgets others that are not.
 */
void crash_model_check_gaps(crash_model *model, const crash_disk *disk, crash_verdict *verdict);

#endif
