/* The object behind a journal that is written. One mutex guards all of it but what is marked.
 *
 * journal_open.c makes and ends it, journal_append.c puts messages in, journal_commit.c makes them
 * durable, journal_rotate.c ends segments and begins others, journal_thread.c does what is due
 * without anybody's call.
 */
#ifndef FLSI_JOURNAL_PRIVATE_H
#define FLSI_JOURNAL_PRIVATE_H

#include <stdatomic.h>

#include "flatstream/schema_set.h"
#include "journal/journal_kept.h"
#include "journal/journal_segment.h"
#include "os/os_thread.h"
#include "os/os_tick_clock.h"

/* How far the end of a segment has come. */
enum { FLSI_NOT_SEALED = 0, FLSI_SEAL_PUT = 1, FLSI_SEALED = 2 };

/* Why there is no redo log: it could not be made, until the next segment; or failed, for good. */
enum { FLSI_REDO_REFUSED = 1, FLSI_REDO_FAILED = 2 };

struct fls_journal {
    /* Do not change. */
    const fls_allocator *allocator;
    const fls_clock *clock;
    const flsi_os_calls *calls;
    fls_journal_options options; /* with every default filled in; the pointers are not used */
    char *path;
    size_t path_bytes;
    flsi_directory directory;
    flsi_file lock_file;
    flsi_kept kept; /* its segments; by its own mutex */
    fls_digest_state digest;
    uint64_t journal_id;
    uint64_t time_base;     /* journal time ... */
    uint64_t clock_base;    /* ... at which the monotonic clock stood here */
    flsi_tick_clock *ticks; /* the monotonic clock, read faster; NULL: only clock, a caller's own */
    uint32_t reads_time;    /* 1: each call of append looks at the clock */
    uint32_t through;       /* 1: the file has what an append returned for */
    uint32_t simple;        /* 1: no file has to have anything when an append returns */
    uint32_t has_thread;
    flsi_tick_clock tick_clock; /* has locks of its own; ticks points to it */

    flsi_mutex mutex;
    flsi_condition changed; /* a sync or marks_job ended, a batch's turn, or the journal failed */
    flsi_condition wake;    /* there is something for the journal's thread */
    flsi_gate gates[2];     /* threads that wait for the sync of an even round, and of an odd one */
    flsi_thread thread;

    flsi_manifest manifest;
    flsi_segment segment;
    uint32_t sealing;      /* FLSI_NOT_SEALED ...: no message goes into it any more */
    uint32_t rotation_due; /* 1: the next message begins a segment */
    uint32_t types_due;    /* 1: the manifest's types are not stored, nor those of the segment */
    uint64_t stop_ordinal; /* the segment takes no message from here on, by their number */
    uint32_t turn;         /* 1: a batch waits in the middle, and nobody puts anything between */
    fls_error put_error;   /* of the last put: clearing one for each would cost more than the put */
    fls_error failure;     /* sticky; status FLS_OK: none */

    /* Read without the mutex. */
    _Atomic uint64_t next_ordinal;
    _Atomic uint64_t durable;
    _Atomic uint64_t written;
    _Atomic uint64_t last_time_ns;

    /* Syncing. */
    uint32_t syncing;        /* 1: somebody syncs, without the mutex, or rotates: segment stays */
    uint32_t gap_pending;    /* 1: a gap record that no sync covers */
    uint32_t gap_unwritten;  /* 1: and that the file may not have */
    uint64_t durable_offset; /* in the segment, where `durable` begins */
    uint64_t marks_due;      /* the commit that comes syncs the marks up to here */
    uint32_t marks_job;      /* 1: the thread shall sync the marks; 2: it does */
    uint64_t round;          /* number of the newest sync */
    uint64_t round_end;      /* all below that ordinal is what it makes durable */
    uint32_t captured;       /* threads that it lets go */
    uint32_t waiting;        /* threads that wait for the one that comes after it */
    uint32_t expected;       /* that will soon, as far as the last sync tells */
    uint32_t gathering;      /* 1: one of them holds on for the others */

    /* The redo log. */
    flsi_redo redo;
    uint32_t small_commits; /* that it would have taken, while it was off */
    uint32_t log_misses;    /* commits in a row that it did not take, while it was on */
    uint32_t redo_offs;     /* how often it went because of that */
    uint32_t redo_refused;  /* FLSI_REDO_...: why it is off */
    uint64_t redo_base;     /* a pass may begin here: the segment's file is synced so far, and its
                               marks about that; UINT64_MAX: nowhere yet */

    /* What is due, by the monotonic clock; 0: nothing. */
    uint64_t held_since;      /* the oldest message that no file has */
    uint64_t undurable_since; /* ... that is not durable */
    uint64_t next_pair_at;    /* of clocks */
    uint64_t next_upkeep_at;
    uint64_t pair_ordinal; /* next ordinal at the last pair: none is written while nothing comes */
    uint64_t pair_wall;
    uint64_t pair_time;
    uint64_t thread_failures; /* commits of the thread that failed */
    uint64_t thread_tried;    /* the last one of them: all below that ordinal */
    fls_error thread_error;   /* ... and why */
    uint32_t upkeep_due;
    uint32_t in_upkeep; /* 1: what is due is done in the middle of a compression */
    uint32_t idle;      /* 1: the thread waits for a message that is the first not written, or
                           not durable */
    uint32_t stop;

    uint64_t opened_offset;      /* of the segment: what is behind it was appended by this one */
    fls_journal_figures figures; /* but for what is known elsewhere */
};

/* Monotonic clock. */
FLSI_ALWAYS_INLINE uint64_t flsi_journal_clock(const fls_journal *journal)
{
    return journal->clock->now_ns(journal->clock->self);
}

/* ---- journal_append.c; with the mutex ---- */

/* Keeps a failure that nothing can be done about; FLS_NO_SPACE and FLS_NO_MEMORY pass. */
fls_status flsi_journal_stick(fls_journal *journal, fls_status status, const fls_error *why,
                              fls_error *err);
fls_status flsi_journal_again(const fls_journal *journal, fls_error *err);
/* Something was put: the numbers that others see, and what is due. now 0: not read yet. */
void flsi_journal_was_put(fls_journal *journal, uint64_t now);

/* ---- journal_commit.c; with the mutex, which is not held in between ---- */

/* Flushes, syncs, marks. Nobody else syncs. */
typedef enum flsi_commit_how {
    FLSI_COMMIT_SHARED = 0,    /* the mutex is let go while it is synced */
    FLSI_COMMIT_IN_THREAD = 1, /* the same on the journal's thread */
    FLSI_COMMIT_ALONE = 2      /* it is held */
} flsi_commit_how;
fls_status flsi_journal_commit(fls_journal *journal, flsi_commit_how how, fls_error *err);
/* Until everything below end is durable, by this thread or another. Gives the mutex back: those
 * that a sync lets go need not queue for it. */
fls_status flsi_journal_commit_to(fls_journal *journal, uint64_t end, fls_error *err);
/* Everything may be durable now, or never will be: those that wait look for themselves. */
void flsi_journal_let_all_go(fls_journal *journal);
/* Waits until nobody syncs anything. */
void flsi_journal_wait_idle(fls_journal *journal);
fls_status flsi_journal_flush_held(fls_journal *journal, fls_error *err);
/* Makes the marks durable as far as they are written. */
fls_status flsi_journal_sync_marks(fls_journal *journal, fls_error *err);
/* For the journal's thread: the sync of marks that a leader asked for. */
void flsi_journal_do_marks_job(fls_journal *journal);

/* ---- journal_rotate.c; with the mutex, nobody syncs ---- */

fls_status flsi_journal_rotate_now(fls_journal *journal, fls_error *err);
/* The segment at the place where recovery says to go on; or a new one. */
fls_status flsi_journal_go_on(fls_journal *journal, const flsi_journal_place *place, int same_types,
                              fls_error *err);
/* Rotates before the next message when a limit is reached. now: journal time or 0. */
int flsi_journal_is_full(const fls_journal *journal, uint64_t now);

/* ---- journal_schemas.c ---- */

/* Checks the types, stores their schemas, and says in manifest types what they are. *same: 1 when
 * that changes nothing. */
fls_status flsi_journal_use_types(fls_journal *journal, const fls_journal_type *types, size_t count,
                                  int *same, fls_error *err);

/* ---- journal_thread.c; with the mutex ---- */

/* A pair of clocks, if it is time for one or must is set. */
fls_status flsi_journal_pair_clocks(fls_journal *journal, int must, fls_error *err);
/* Removes what retention does not leave, but no more than so many; how many segments: `most` when
 * there may be more. With the mutex or without it. */
#define FLSI_RETIRED_AT_ONCE 64u
uint64_t flsi_journal_retain(fls_journal *journal, uint32_t most);
/* Does what is due; *wait_ns: until the next thing is, UINT64_MAX: nothing will be. */
fls_status flsi_journal_do_due(fls_journal *journal, uint64_t *wait_ns, fls_error *err);
void flsi_journal_run(void *self);

#endif
