/* A journal: a directory of streams that together are one long stream, with the time each message
 * was received, stated durability, and one writer. docs/JOURNAL.md is its format.
 *
 * This header is the writer's side. Any number of threads may use one fls_journal at once, but for
 * fls_journal_close; the order of their messages is that of the ordinals that they are given. Any
 * number of readers (journal_reader.h), in this process and others, may read beside it.
 *
 *     fls_journal *journal;
 *     fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
 *     if (fls_journal_open(&journal, "flight42", &options, NULL, &err) != FLS_OK) ...
 *     if (fls_journal_append(journal, payload, size, &ordinal, &err) != FLS_OK) ...
 *     if (fls_journal_wait_durable(journal, ordinal, &err) != FLS_OK) ...
 *     if (fls_journal_close(journal, &err) != FLS_OK) ...
 */
#ifndef FLATSTREAM_JOURNAL_H
#define FLATSTREAM_JOURNAL_H

#include "flatstream/allocator.h"
#include "flatstream/checksum.h"
#include "flatstream/sink.h"
#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* When what was appended is made durable. */
typedef enum fls_journal_sync {
    FLS_JOURNAL_SYNC_DEFAULT = 0,  /* FLS_JOURNAL_SYNC_INTERVAL */
    FLS_JOURNAL_SYNC_NONE = 1,     /* only on rotation, close and fls_journal_wait_durable */
    FLS_JOURNAL_SYNC_INTERVAL = 2, /* at the latest sync_interval_ns after it was appended */
    FLS_JOURNAL_SYNC_BYTES = 3,    /* each time sync_bytes of frames are not durable */
    FLS_JOURNAL_SYNC_EVERY = 4,    /* each time sync_messages messages are not durable */
    FLS_JOURNAL_SYNC_ALWAYS = 5    /* before an append returns */
} fls_journal_sync;

/* When the time of a message's receipt is read. */
typedef enum fls_journal_times {
    FLS_JOURNAL_TIMES_DEFAULT = 0, /* FLS_JOURNAL_TIMES_EACH */
    FLS_JOURNAL_TIMES_NONE = 1,    /* no times: searching by time is as exact as pieces are */
    FLS_JOURNAL_TIMES_EACH = 2     /* once for each call of append, as it is called */
} fls_journal_times;

/* A type of message in the journal. What it points to has to live until the call returns. */
typedef struct fls_journal_type {
    const void *bfbs; /* the compiled schema */
    size_t bfbs_bytes;
    const char *root;       /* NULL: the schema's own root type */
    const char *identifier; /* NULL: as fls_schema_set_add chooses */
} fls_journal_type;

typedef struct fls_journal_options {
    uint32_t struct_bytes; /* sizeof(fls_journal_options) */
    fls_checksum checksum; /* of a new journal; of an existing one DEFAULT or the one it has */
    fls_journal_sync sync;
    fls_journal_times times;
    uint64_t sync_interval_ns; /* 0: 10 ms */
    uint64_t sync_bytes;       /* 0: 1 MiB */
    uint64_t sync_messages;    /* 0: 100 */
    uint64_t linger_ns; /* how long a message may stay in memory before the file has it; 0: 10 ms */
    uint32_t write_through; /* 1: an append returns when the file has the message */
    uint32_t polled; /* 1: no thread of the journal's own: fls_journal_poll does what is due */
    uint32_t sync_starts_segment; /* 1: for devices that may lose durable bytes when their sector is
                                     written again */
    uint32_t max_frame_bytes;     /* largest payload; 0, and at most: FLS_DEFAULT_MAX_FRAME_BYTES */
    /* A segment ends when it reaches any of these; 0: 256 MiB, no limit, no limit. */
    uint64_t segment_bytes;
    uint64_t segment_messages;
    uint64_t segment_age_ns;
    /* Old segments go when there is more than any of these; 0: no limit. */
    uint64_t retain_bytes;
    uint64_t retain_segments;
    uint64_t retain_age_ns;
    uint64_t
        cursor_lag_messages; /* a cursor further behind holds nothing back; 0: every one does */
    uint32_t compress;       /* 1: sealed segments are compressed by the journal's thread */
    int32_t compress_level;  /* of zstd; 0: its default */
    uint32_t must_exist;     /* 1: FLS_IO when there is no journal yet */
    uint32_t must_be_new;    /* 1: FLS_IO when there is one */
    uint32_t no_redo;        /* 1: without the redo log, in which small commits are synced that
                                somebody waits for. It takes 2 MiB at most, goes when the journal is
                                closed, and belongs to a copy of one that is not */
    const fls_journal_type *types; /* what is appended from now on; NULL: as before */
    size_t type_count;
    const fls_allocator *allocator; /* NULL: libc; called on several threads */
    const fls_clock *clock;         /* monotonic; NULL: the system's; called on several threads */
    uint64_t reserved[4];
} fls_journal_options;

#define FLS_JOURNAL_OPTIONS_INIT                    \
    {                                               \
        .struct_bytes = sizeof(fls_journal_options) \
    }

/* What opening found and did. */
typedef struct fls_journal_report {
    uint32_t struct_bytes;  /* sizeof(fls_journal_report), set by the caller */
    uint32_t is_new;        /* 1: there was no journal */
    uint32_t was_clean;     /* 1: the last writer had closed it, or nothing was after the last sync
                               of its files */
    uint32_t rebuilt;       /* 1: manifest or marks were lost and made again; times are estimated */
    uint64_t epoch;         /* of this writer */
    uint64_t messages;      /* the ordinal that comes next */
    uint64_t base_ordinal;  /* newest durable mark that proved itself: messages below are durable */
    uint64_t kept_messages; /* from the base on, sound, and durable now */
    uint64_t cut_messages;  /* sound ones behind the first fault, set aside */
    uint64_t cut_bytes;     /* set aside in all */
    uint64_t moved_cursors; /* that pointed behind what there is */
    char cut_name[64];      /* file below the journal that holds them, "cut/..."; empty: none */
    fls_error fault;        /* the first fault behind the base, FLS_OK when there was none */
    uint64_t reserved[4];
} fls_journal_report;

#define FLS_JOURNAL_REPORT_INIT                    \
    {                                              \
        .struct_bytes = sizeof(fls_journal_report) \
    }

typedef struct fls_journal fls_journal;

/* Opens a journal for writing, made if it is not there; options may be NULL, report too. Takes the
 * writer's lock (FLS_LOCKED when another process or object has it; that of a dead one is free).
 * After an end that was not clean it recovers, and says in report what that came to; nothing that
 * was there is deleted. FLS_CHECKSUM_MISMATCH and other damage: durable marks speak of what is not
 * there; the journal can be read, and fls_journal_rebuild says what to do. FLS_UNSUPPORTED: it has
 * an incompatible feature that this version does not know. FLS_INVALID_ARGUMENT: the options
 * contradict each other or what the journal is. FLS_NO_SPACE: the disk is full, and retention made
 * no room; nothing is lost, and fls_journal_prune needs no room. */
FLS_API FLS_MUST_USE fls_status fls_journal_open(fls_journal **journal, const char *path,
                                                 const fls_journal_options *options,
                                                 fls_journal_report *report, fls_error *err);

/* Makes everything durable, seals the marks, and frees the journal in every case; reports the first
 * error. No other thread may use it any more. NULL is harmless. */
FLS_API FLS_MUST_USE fls_status fls_journal_close(fls_journal *journal, fls_error *err);

/* Frees the journal as if the process had died: what is in memory is lost, as is the lock. */
FLS_API void fls_journal_abandon(fls_journal *journal);

/* Appends one message; *ordinal (may be NULL) is its number. FLS_NO_SPACE: the disk is full, or a
 * limit is reached; no ordinal is used up, and appending goes on when there is room.
 * FLS_INVALID_FRAME: too large, or empty. Other failures stick: the journal says the same again.
 */
FLS_API FLS_MUST_USE fls_status fls_journal_append(fls_journal *journal, const void *payload,
                                                   size_t size, uint64_t *ordinal, fls_error *err);

/* One message of many. */
typedef struct fls_journal_entry {
    const void *payload;
    size_t size;
    uint64_t time_ns; /* when it was received, by fls_journal_now; 0: now. Times never go back: one
                         that would is set to that of the message before. */
} fls_journal_entry;

/* Appends many messages with one lock and one look at the clock: the fast road. They get ordinals
 * in a row, *first_ordinal (may be NULL) on. On a failure *taken says how many of them, from the
 * first, were taken all the same; may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_journal_append_batch(fls_journal *journal,
                                                         const fls_journal_entry *entries,
                                                         size_t count, uint64_t *first_ordinal,
                                                         size_t *taken, fls_error *err);

/* Why there are messages that are in no journal. */
typedef enum fls_gap_reason {
    FLS_GAP_DROPPED_NEWEST = 1, /* a full queue took no more */
    FLS_GAP_DROPPED_OLDEST = 2, /* a full queue gave up its oldest */
    FLS_GAP_REFUSED = 3,        /* the journal did not take them: no space, too large */
    FLS_GAP_CUT = 4,            /* set aside by recovery, in cut/ */
    FLS_GAP_DAMAGED = 5         /* lost by damage, said by who rebuilt the journal */
} fls_gap_reason;

typedef struct fls_journal_gap {
    uint64_t ordinal;  /* of the message that follows; 0 when given: the next one */
    uint64_t messages; /* how many are missing; UINT64_MAX: not known */
    uint32_t producer; /* whose they were */
    uint32_t reason;   /* fls_gap_reason */
} fls_journal_gap;

/* Writes down that messages are missing before the next one; durable no later than that. */
FLS_API FLS_MUST_USE fls_status fls_journal_record_gap(fls_journal *journal,
                                                       const fls_journal_gap *gap, fls_error *err);

/* The ordinal that the next message gets; the ordinal below which everything has survived a
 * completed sync; that below which everything is in the file. Each is a moment's truth. */
FLS_API uint64_t fls_journal_next_ordinal(const fls_journal *journal);
FLS_API uint64_t fls_journal_durable(const fls_journal *journal);
FLS_API uint64_t fls_journal_written(const fls_journal *journal);

/* Journal time, now: nanoseconds since 1970 as the wall clock had it when the journal was opened,
 * and as the monotonic clock counts from there. Never goes back, over restarts either. */
FLS_API uint64_t fls_journal_now(const fls_journal *journal);

/* Hands everything to the operating system. */
FLS_API FLS_MUST_USE fls_status fls_journal_flush(fls_journal *journal, fls_error *err);

/* Blocks until the message is durable. Threads that wait at the same time share one sync. Under
 * SYNC_INTERVAL the next one is waited for; under the others, and without a thread, one is made. */
FLS_API FLS_MUST_USE fls_status fls_journal_wait_durable(fls_journal *journal, uint64_t ordinal,
                                                         fls_error *err);

/* Makes everything durable that was appended before the call, now. */
FLS_API FLS_MUST_USE fls_status fls_journal_sync_now(fls_journal *journal, fls_error *err);

/* For options.polled: does what is due (linger, interval, rotation by age, retention, compression).
 * *wait_ns (may be NULL) says in how many nanoseconds something will be. */
FLS_API FLS_MUST_USE fls_status fls_journal_poll(fls_journal *journal, uint64_t *wait_ns,
                                                 fls_error *err);

/* Ends the segment and starts the next one. With nothing in the segment nothing is done. */
FLS_API FLS_MUST_USE fls_status fls_journal_rotate(fls_journal *journal, fls_error *err);

/* From now on messages are of these types; a new segment begins when they are other ones. */
FLS_API FLS_MUST_USE fls_status fls_journal_set_types(fls_journal *journal,
                                                      const fls_journal_type *types, size_t count,
                                                      fls_error *err);

/* Latencies in powers of two: bucket i counts those below 1024 << i nanoseconds that are in no
 * bucket before it; the last one counts all others. */
#define FLS_JOURNAL_LATENCY_BUCKETS 24

typedef struct fls_journal_figures {
    uint32_t struct_bytes; /* sizeof(fls_journal_figures), set by the caller */
    uint32_t reserved0;
    uint64_t appended;       /* messages since it was opened */
    uint64_t appended_bytes; /* of frames */
    uint64_t next_ordinal;
    uint64_t written_ordinal;
    uint64_t durable_ordinal;
    uint64_t segments;      /* that are there now */
    uint64_t bytes;         /* of all segments and marks */
    uint64_t first_ordinal; /* the oldest that retention left */
    uint64_t rotations;
    uint64_t retired_segments;
    uint64_t syncs;
    uint64_t failed_syncs;
    uint64_t sync_ns_total;
    uint64_t sync_ns_max;
    uint64_t sync_latency[FLS_JOURNAL_LATENCY_BUCKETS];
    uint64_t reserved[8];
} fls_journal_figures;

#define FLS_JOURNAL_FIGURES_INIT                    \
    {                                               \
        .struct_bytes = sizeof(fls_journal_figures) \
    }

FLS_API void fls_journal_get_figures(fls_journal *journal, fls_journal_figures *figures);

/* ---- upkeep ---- */

typedef struct fls_prune_report {
    uint32_t struct_bytes; /* sizeof(fls_prune_report), set by the caller */
    uint32_t held;         /* 1: a cursor kept segments that would have gone */
    uint64_t segments;     /* removed */
    uint64_t bytes;
    uint64_t first_ordinal; /* the oldest that is left */
    char holder[64];        /* the cursor that kept most; empty: none */
    uint64_t reserved[4];
} fls_prune_report;

/* What retention may leave; 0: no limit. */
typedef struct fls_prune_options {
    uint32_t struct_bytes; /* sizeof(fls_prune_options) */
    uint32_t force;        /* 1: cursors hold nothing back */
    uint32_t dry_run;      /* 1: only tell */
    uint32_t reserved0;
    uint64_t retain_bytes;
    uint64_t retain_segments;
    uint64_t retain_age_ns;
    uint64_t before_ordinal; /* segments that end at or below it */
    uint64_t cursor_lag_messages;
    uint64_t reserved[4];
} fls_prune_options;

/* Removes whole old segments, oldest first, never the last. Beside a writer or without one. */
FLS_API FLS_MUST_USE fls_status fls_journal_prune(const char *path,
                                                  const fls_prune_options *options,
                                                  fls_prune_report *report, fls_error *err);

/* Compresses sealed segments, each proven first and read back before the plain file goes. level 0:
 * the default of zstd. *segments, *saved_bytes may be NULL. FLS_UNSUPPORTED in a build without
 * zstd. Beside a writer or without one. */
FLS_API FLS_MUST_USE fls_status fls_journal_compress(const char *path, int level,
                                                     uint64_t *segments, uint64_t *saved_bytes,
                                                     fls_error *err);

/* Makes manifest and marks again from what is left of them and from the segments; says in report
 * that times are estimated. Needs the lock. Nothing is deleted: what is replaced goes to cut/. */
FLS_API FLS_MUST_USE fls_status fls_journal_rebuild(const char *path, fls_journal_report *report,
                                                    fls_error *err);

/* ---- named cursors: how far a consumer has come ---- */

typedef struct fls_journal_cursor {
    char name[64];    /* letters, digits, '-', '_' and '.', not first */
    uint64_t ordinal; /* of the message that comes next */
    uint64_t epoch;
    uint64_t offset;   /* of it in its segment; 0 when it is not known */
    uint64_t checksum; /* XXH3-64 of the frame before it, 0 when it is not known */
    uint64_t time_ns;  /* when the cursor was set, since 1970 */
    uint64_t reserved[2];
} fls_journal_cursor;

/* FLS_END when there is no cursor of that name. FLS_INVALID_FRAME: its file is damaged. */
FLS_API FLS_MUST_USE fls_status fls_journal_cursor_get(const char *path, const char *name,
                                                       fls_journal_cursor *cursor, fls_error *err);

/* Durable when the call returns. Only what is durable can be pointed to, or FLS_INVALID_ARGUMENT.
 * Offset and checksum are noted where the message before can be read. */
FLS_API FLS_MUST_USE fls_status fls_journal_cursor_set(const char *path, const char *name,
                                                       uint64_t ordinal, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_journal_cursor_remove(const char *path, const char *name,
                                                          fls_error *err);

/* Calls back with each; a status other than FLS_OK ends it and is returned. A damaged one is
 * reported with its name and `damage` (else NULL). */
FLS_API FLS_MUST_USE fls_status fls_journal_cursor_each(
    const char *path,
    fls_status (*seen)(void *self, const fls_journal_cursor *cursor, const fls_error *damage),
    void *self, fls_error *err);

FLS_END_DECLS

#endif
