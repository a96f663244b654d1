/* The recorder's parts: producer.c is the hot loop's side, drain.c takes messages from the rings to
 * the journal, ledger.c knows which of them are durable, snapshot.c keeps them in memory instead,
 * recorder.c opens, closes and runs the thread.
 *
 * Who touches what: a producer's hot path only its own fls_producer and `stuck`. The list of
 * producers and all that callers ask of the drain are guarded by `lock`. What is under "the
 * drain's" belongs to the drain thread, or to who calls flsi_recorder_step when there is none.
 */
#ifndef FLSI_RECORDER_PRIVATE_H
#define FLSI_RECORDER_PRIVATE_H

#include "flatstream/recorder.h"
#include "os/os_thread.h"
#include "os/os_ticks.h"
#include "recorder/ring.h"

/* What a recorder asks of its journal: so that tests can be the journal. */
typedef struct flsi_recorder_journal {
    fls_status (*append_batch)(void *self, const fls_journal_entry *entries, size_t count,
                               uint64_t *first_ordinal, size_t *taken, fls_error *err);
    fls_status (*record_gap)(void *self, const fls_journal_gap *gap, fls_error *err);
    uint64_t (*durable)(void *self);
    fls_status (*sync)(void *self, fls_error *err);
    uint64_t (*now)(void *self);
    void *self;
} flsi_recorder_journal;

/* stamps: NULL for the processor's count, or the monotonic clock where that is not steady.
 * threaded 0: there is no thread, flsi_recorder_step is the drain; draining and closing step. */
fls_status flsi_recorder_open(fls_recorder **recorder, const flsi_recorder_journal *journal,
                              const fls_recorder_options *options, const fls_clock *stamps,
                              int threaded, fls_error *err);

/* One pass of the drain: 1 when anything was moved. */
int flsi_recorder_step(fls_recorder *recorder);

#define FLSI_BATCH_MESSAGES 512u
#define FLSI_BATCH_BYTES    ((uint64_t)256 * 1024)
#define FLSI_LEDGER_ENTRIES 64u

/* The first `count` messages that were drained are below `ordinal`. */
typedef struct flsi_ledger_entry {
    uint64_t ordinal;
    uint64_t count;
} flsi_ledger_entry;

/* Of a producer, or of all of them together; under the recorder's ledger_lock. */
typedef struct flsi_ledger {
    flsi_ledger_entry entries[FLSI_LEDGER_ENTRIES];
    size_t first;
    size_t count;
    uint64_t noted;
    uint64_t durable;
} flsi_ledger;

struct fls_producer {
    /* never changes */
    fls_recorder *recorder;
    const fls_clock *stamps; /* NULL: flsi_ticks */
    fls_recorder_policy policy;
    uint32_t id;
    size_t largest;
    size_t block_bytes;
    char name[32];
    flsi_ring ring;
    /* the producer's; the atomic ones are written by it only */
    uint64_t last_stamp;
    _Atomic uint64_t offered; /* published and dropped: the sequence of the next message */
    _Atomic uint64_t offered_bytes;
    _Atomic uint64_t dropped;
    _Atomic uint64_t failed;
    _Atomic uint64_t blocked;
    _Atomic int detached;
    unsigned char apart[FLSI_RING_APART];
    /* the drain's; the atomic ones are written by it only */
    uint64_t at;     /* next record that a pass reads */
    uint64_t to;     /* what it has reserved; at == to: nothing more */
    uint64_t limit;  /* where it stops, so that not too much is reserved for long */
    uint64_t freed;  /* below it all has been handed on */
    uint64_t target; /* position that a request waits for */
    uint64_t stamp;  /* of the record at `at` */
    int is_reserved;
    uint64_t seen;         /* sequence that is expected next, with gaps that are written down */
    uint64_t seen_ahead;   /* the same, with the batch that is being gathered */
    uint64_t taken;        /* of the batch that is being freed */
    uint64_t lost_written; /* of `dropped`, those whose gaps are written down */
    _Atomic uint64_t drained;
    _Atomic uint64_t refused;
    _Atomic uint64_t high_water;
    flsi_ledger ledger;
};

typedef struct flsi_batch {
    fls_journal_entry entries[FLSI_BATCH_MESSAGES];
    fls_producer *owners[FLSI_BATCH_MESSAGES];
    uint64_t ends[FLSI_BATCH_MESSAGES]; /* position behind the record in the owner's ring */
    size_t count;
    uint64_t bytes;
} flsi_batch;

/* Kept messages, oldest first, in a ring with both ends here: sequence is the producer, stamp the
 * time; a gap has the top bit of sequence, and an flsi_kept_gap as its payload. */
typedef struct flsi_snapshot {
    flsi_ring ring;
    size_t block_bytes;
    uint64_t limit_bytes; /* of records, 0: snapshot mode is off */
    uint64_t limit_ns;
} flsi_snapshot;

#define FLSI_SNAPSHOT_GAP UINT32_C(0x80000000)

typedef struct flsi_kept_gap {
    uint64_t messages;
    uint64_t reason; /* fls_gap_reason */
} flsi_kept_gap;

/* What the rates of ticks and journal time are had from. */
typedef struct flsi_tick_pair {
    uint64_t ticks;
    uint64_t time_ns;
} flsi_tick_pair;

struct fls_recorder {
    /* never changes after opening */
    flsi_recorder_journal journal;
    fls_allocator allocator;
    const fls_clock *stamps;
    uint64_t idle_ns;
    uint32_t max_producers;
    int threaded;
    size_t block_bytes;
    unsigned char apart0[FLSI_RING_APART];
    _Atomic int stuck; /* an fls_status other than FLS_OK: the drain has given up */
    unsigned char apart1[FLSI_RING_APART];

    flsi_mutex lock;
    flsi_condition work; /* the drain sleeps on it */
    flsi_condition room; /* blocked producers */
    flsi_condition done; /* who waits for requests */
    flsi_thread thread;
    _Atomic unsigned waiters; /* producers that are blocked */
    /* under lock */
    fls_producer **producers; /* in the order of their ids */
    uint32_t count;
    uint32_t next_id;
    int stopping;
    uint64_t asked;  /* requests made */
    uint64_t served; /* and answered */
    int wants_snapshot;
    uint64_t snapshot_messages; /* that the last one wrote */
    fls_error answer;           /* to the last request */
    fls_producer_figures gone;  /* sums of those that are freed */

    /* the drain's */
    fls_producer **active; /* copy of producers for a pass */
    uint32_t active_count;
    uint64_t serving; /* request that targets are set for; 0: none */
    int serving_snapshot;
    int is_stalled;  /* the journal had no space or memory at the last try */
    fls_error fault; /* why it is stalled or stuck */
    flsi_tick_pair first;
    flsi_tick_pair latest;
    uint64_t last_time_ns;
    flsi_batch batch;
    flsi_snapshot snapshot;

    flsi_mutex ledger_lock;
    flsi_ledger ledger; /* of all producers */
};

static inline uint64_t flsi_load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* For words that one thread writes. */
static inline void flsi_add(_Atomic uint64_t *word, uint64_t more)
{
    atomic_store_explicit(word, atomic_load_explicit(word, memory_order_relaxed) + more,
                          memory_order_release);
}

/* ---- drain.c ---- */

/* Takes what is there to the journal or the snapshot; 1 when anything moved. Sets is_stalled or
 * stuck on failures. */
int flsi_drain_pass(fls_recorder *recorder);
/* Writes down gaps behind which nothing follows so far; frees producers that are gone. */
void flsi_drain_tidy(fls_recorder *recorder);
/* What a status of the journal comes to. */
fls_status flsi_drain_failed(fls_recorder *recorder, fls_status status, const fls_error *err);

/* ---- producer.c ---- */

fls_producer *flsi_producer_new(fls_recorder *recorder, const fls_producer_options *options,
                                fls_error *err);
void flsi_producer_free(fls_producer *producer);
/* Adds to sum, whose id, name and struct_bytes stay. */
void flsi_producer_add_figures(const fls_producer *producer, fls_producer_figures *sum);

/* ---- ledger.c ---- */

/* The next count messages are in the journal, below ordinal. */
void flsi_ledger_note(fls_recorder *recorder, flsi_ledger *ledger, uint64_t ordinal,
                      uint64_t count);
uint64_t flsi_ledger_durable(fls_recorder *recorder, flsi_ledger *ledger);

/* ---- snapshot.c ---- */

fls_status flsi_snapshot_open(fls_recorder *recorder, uint64_t bytes, uint64_t ns, fls_error *err);
void flsi_snapshot_close(fls_recorder *recorder);
void flsi_snapshot_keep(fls_recorder *recorder, uint32_t producer, const void *payload,
                        uint64_t size, uint64_t time_ns);
void flsi_snapshot_keep_gap(fls_recorder *recorder, uint32_t producer, uint64_t messages,
                            fls_gap_reason reason, uint64_t time_ns);
/* Writes what is kept to the journal, from the oldest on, and forgets what was written. */
fls_status flsi_snapshot_write(fls_recorder *recorder, uint64_t *messages, fls_error *err);

#endif
