/* Places in a segment whose ordinals are known, by its marks. They are looked for when they are
 * asked for: between two that are known the marks are jumped into, at a frame that proves itself,
 * until so little is left that it is read from frame to frame. What was found is kept.
 */
#ifndef FLSI_JOURNAL_PLACES_H
#define FLSI_JOURNAL_PLACES_H

#include "journal/journal_marks_file.h"

/* A message whose ordinal is known begins at an offset, or is to begin there. */
typedef struct flsi_place {
    uint64_t ordinal;
    uint64_t offset;
    uint64_t time_ns;  /* nothing behind it is older; 0: not known */
    int is_its_time;   /* nothing before it is newer than time_ns either */
    uint64_t marks_at; /* of the frame of marks that tells times from here on */
    uint64_t found_at; /* of the frame of marks that says so; UINT64_MAX: known otherwise */
    uint64_t seen_to;  /* in the marks: no other place is told of from found_at up to here, or it is
                          the next one */
} flsi_place;

/* In rising order of ordinals, offsets and times; the first is the segment's beginning. */
typedef struct flsi_places {
    flsi_marks_file marks;
    flsi_place *all;
    size_t count;
    size_t capacity;
    uint64_t marks_end; /* of what there is to be looked at; 0: nothing is */
} flsi_places;

/* What a place is looked for by. */
typedef enum flsi_place_key { FLSI_BY_ORDINAL, FLSI_BY_OFFSET, FLSI_BY_TIME } flsi_place_key;

int flsi_place_is_behind(const flsi_place *place, flsi_place_key by, uint64_t key);

void flsi_places_init(flsi_places *places, const flsi_file *marks, const fls_allocator *allocator);
void flsi_places_fini(flsi_places *places);

/* Forgets all but the segment's beginning. */
fls_status flsi_places_restart(flsi_places *places, uint64_t first_ordinal, uint64_t time_ns,
                               fls_error *err);

/* The last place at or below an ordinal or offset, or the last one older than a time: *index is its
 * index, until the next call. The first place where there is none. Nothing that the marks up to
 * marks_end tell of is between it and the one behind it. */
fls_status flsi_places_find(flsi_places *places, flsi_place_key by, uint64_t key, size_t *index,
                            fls_error *err);

/* A place that was found by reading; behind all others. */
fls_status flsi_places_add(flsi_places *places, const flsi_place *place, fls_error *err);

#endif
