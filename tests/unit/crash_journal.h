/* A journal on a disk that loses power at every call, and a memory of what was acknowledged.
 *
 * A run does what its seed says: opens, appends, marks gaps, syncs, rotates, closes, opens again.
 * Before every call that changes the disk, copies of the disk are made as a crash might leave it;
 * on each the journal is opened (with crashes in the midst of that, too), read, compared, gone on
 * with, closed and opened once more. Everything follows from the seed.
 */
#ifndef TESTS_UNIT_CRASH_JOURNAL_H
#define TESTS_UNIT_CRASH_JOURNAL_H

#include "crash_disk.h"

typedef struct crash_plan {
    uint64_t seed;
    unsigned steps;   /* of the run */
    unsigned depth;   /* crashes within recoveries from crashes; 0: none at all */
    unsigned stride;  /* one point in so many is tried; 0: every one */
    unsigned sync;    /* fls_journal_sync; 0: as the seed says */
    uint64_t fail_at; /* as in crash_faults, of the run itself */
    uint64_t fail_calls;
    uint64_t fail_sync;
    uint64_t fail_syncs;
    int fail_errno;
    uint32_t evict;
    uint64_t room_bytes;  /* half-way through the run there is room again */
    size_t transfer_most; /* as in crash_faults, like the next one */
    uint32_t interrupt;
    uint32_t upkeep;          /* types, cursors, compression and pruning, too */
    uint64_t fail_allocation; /* the one with this number, from 1; 0: none */
} crash_plan;

typedef struct crash_tally {
    uint64_t points;       /* at which a crash was tried */
    uint64_t crashes;      /* disks that were opened after one; several a point */
    uint64_t nested;       /* of these: after a crash within a recovery */
    uint64_t acknowledged; /* messages, over all runs */
    uint64_t checked;      /* messages that were compared */
    uint64_t lost;         /* acknowledged as durable, or shown as such, and not there */
    uint64_t invented;     /* there, and never appended so */
    uint64_t recovered;    /* sound, kept, and not acknowledged yet */
    uint64_t cut;          /* crashes after which something was set aside */
    uint64_t refused;      /* opens that failed */
    uint64_t other;        /* faults of other kinds */
    uint64_t calls;        /* of the last run itself */
    uint64_t syncs;
    uint64_t allocations;
    int failed;  /* the run's fault was met */
    int stopped; /* the run ended with a failure of the journal */
} crash_tally;

/* Adds to tally; prints what is wrong, with what repeats it. */
void crash_journal_run(const crash_plan *plan, crash_tally *tally);
/* One line of the table; name NULL: its head. */
void crash_tally_print(const char *name, const crash_tally *tally);
/* The number of faults of all kinds. */
uint64_t crash_tally_faults(const crash_tally *tally);

#endif
