/* Reading a journal: all segments as one stream, from any ordinal or time, forwards and back, to
 * the end or following a writer through rotation, retention and restarts.
 *
 * A reader takes no lock and changes nothing (but a cursor, when told). One thread at a time; any
 * number of readers.
 */
#ifndef FLATSTREAM_JOURNAL_READER_H
#define FLATSTREAM_JOURNAL_READER_H

#include "flatstream/frame.h"
#include "flatstream/journal.h"
#include "flatstream/schema_set.h"
#include "flatstream/source.h"
#include "flatstream/validator.h"

FLS_BEGIN_DECLS

/* What of a journal a reader sees. */
typedef enum fls_journal_visibility {
    FLS_JOURNAL_VISIBLE_DEFAULT = 0, /* FLS_JOURNAL_DURABLE */
    FLS_JOURNAL_WRITTEN = 1, /* whatever is in the files: recovery after a crash may take it back */
    FLS_JOURNAL_DURABLE = 2  /* what the newest durable mark covers: never taken back */
} fls_journal_visibility;

/* What is not a message and still happened. */
typedef enum fls_journal_event_kind {
    FLS_JOURNAL_EVENT_GAP = 1,        /* the writer said so: fls_journal_gap */
    FLS_JOURNAL_EVENT_RETIRED = 2,    /* retention removed what was to come next */
    FLS_JOURNAL_EVENT_LOST = 3,       /* damage: see fault */
    FLS_JOURNAL_EVENT_TAKEN_BACK = 4, /* recovery took back what VISIBLE_WRITTEN had shown */
    FLS_JOURNAL_EVENT_CLOCK = 5,      /* the wall clock stepped */
    FLS_JOURNAL_EVENT_TYPES = 6,      /* other types of messages from here on */
    FLS_JOURNAL_EVENT_EPOCH = 7       /* another writer from here on */
} fls_journal_event_kind;

typedef struct fls_journal_event {
    uint32_t kind;     /* fls_journal_event_kind */
    uint32_t reason;   /* GAP: fls_gap_reason */
    uint32_t producer; /* GAP */
    /* LOST, 1: messages is an estimate, and so are ordinals from here to the next place that the
     * marks know of. Between two of those all that are lost add up to what is missing. */
    uint32_t estimated;
    uint64_t ordinal;  /* of the message that follows */
    uint64_t messages; /* missing; UINT64_MAX: not known */
    uint64_t epoch;
    int64_t step_ns;      /* CLOCK: by how much */
    uint64_t from_offset; /* LOST: bytes from..to of the segment */
    uint64_t to_offset;
    const char *segment;    /* LOST: its file's name; until the callback returns */
    const fls_error *fault; /* LOST; until the callback returns */
    uint64_t reserved[2];
} fls_journal_event;

typedef struct fls_journal_reader_options {
    uint32_t struct_bytes; /* sizeof(fls_journal_reader_options) */
    fls_journal_visibility visibility;
    uint32_t follow;    /* 1: the end is FLS_WOULD_BLOCK, and more may come */
    uint32_t step_over; /* 1: damage is an event and reading goes on behind it; 0: it is a fault */
    uint32_t alignment; /* of payloads; as in fls_reader_options */
    uint32_t without_times; /* 1: message times are not asked for */
    size_t buffer_bytes;    /* 0: 256 KiB */
    const fls_validator *validators;
    size_t validator_count;
    /* May be NULL: called before the message that follows the event is handed out. With WRITTEN, at
     * the end that is being written, a gap may be told, and a time known, after its message. */
    void (*event)(void *self, const fls_journal_event *event);
    void *event_self;
    const fls_allocator *allocator; /* NULL: libc */
    uint64_t reserved[4];
} fls_journal_reader_options;

#define FLS_JOURNAL_READER_OPTIONS_INIT                    \
    {                                                      \
        .struct_bytes = sizeof(fls_journal_reader_options) \
    }

typedef struct fls_journal_reader fls_journal_reader;

/* Stands before the oldest message. options may be NULL. Works on a journal that has lost its
 * manifest or marks, as far as can be; without marks nothing is known to be durable but by a later
 * segment, so that WRITTEN is what shows the last one. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_open(fls_journal_reader **reader,
                                                        const char *path,
                                                        const fls_journal_reader_options *options,
                                                        fls_error *err);
FLS_API void fls_journal_reader_close(fls_journal_reader *reader); /* NULL is harmless */

/* As fls_reader_next and fls_reader_next_batch: messages are borrowed until the next call; ordinals
 * are the journal's, offsets those in the segment, times are journal time (fls_message.time_ns).
 * FLS_END: the end, as it was just now; with follow FLS_WOULD_BLOCK. Both may be called again. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_next(fls_journal_reader *reader,
                                                        fls_message *message, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_journal_reader_next_batch(fls_journal_reader *reader,
                                                              fls_message *messages,
                                                              size_t capacity, size_t *count,
                                                              fls_error *err);

/* The message before the place; the reader then stands before it. FLS_END at the oldest. Damage is
 * passed over, with its event. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_previous(fls_journal_reader *reader,
                                                            fls_message *message, fls_error *err);

/* After a fault: steps over the damage, to the next message that proves itself; the event says what
 * was lost. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_skip(fls_journal_reader *reader, fls_error *err);

/* Waits until there may be more to read: FLS_OK; FLS_WOULD_BLOCK when timeout_ns have passed
 * (UINT64_MAX: for ever); FLS_STOPPED after fls_journal_reader_wake, which any thread may call. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_wait(fls_journal_reader *reader,
                                                        uint64_t timeout_ns, fls_error *err);
FLS_API void fls_journal_reader_wake(fls_journal_reader *reader);

/* Places. Each looks at what is there now; beyond the end is the end, before the oldest message is
 * the oldest. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_seek_ordinal(fls_journal_reader *reader,
                                                                uint64_t ordinal, fls_error *err);
/* Before the first message received at or after a journal time. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_seek_time(fls_journal_reader *reader,
                                                             uint64_t time_ns, fls_error *err);
/* Before the last `messages` messages; 0: the end. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_seek_end(fls_journal_reader *reader,
                                                            uint64_t messages, fls_error *err);
/* Before the first message whose key is at or above `key`, where keys never fall from message to
 * message: a binary search over pieces. key_of returns 0 and the key, or not 0 for a message
 * without one, which is passed over. For time fields of a schema. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_seek_key(
    fls_journal_reader *reader, int (*key_of)(void *self, const fls_message *message, int64_t *key),
    void *self, int64_t key, fls_error *err);

/* The ordinal of the message that comes next; the oldest there is; one more than the newest that
 * this reader may see now. */
FLS_API uint64_t fls_journal_reader_ordinal(const fls_journal_reader *reader);
FLS_API FLS_MUST_USE fls_status fls_journal_reader_bounds(fls_journal_reader *reader,
                                                          uint64_t *first, uint64_t *end,
                                                          fls_error *err);

/* Wall time of a journal time: as the wall clock had it then, so far as the journal noted it. */
FLS_API uint64_t fls_journal_reader_wall_ns(const fls_journal_reader *reader, uint64_t time_ns);

FLS_API fls_checksum fls_journal_reader_checksum(const fls_journal_reader *reader);

/* The types of the message that was handed out last (of the first one, before any): the reader's,
 * until the next call on it. An empty set when the journal has no schemas. */
FLS_API const fls_schema_set *fls_journal_reader_types(const fls_journal_reader *reader);

/* A type of messages as a segment names it: what messages of that type in it were written with. */
typedef struct fls_journal_message_type {
    uint32_t struct_bytes; /* sizeof(fls_journal_message_type), set by the caller */
    char identifier[4];    /* zeros: none */
    uint64_t schema_hash;  /* of the schema: its file is schemas/HASH.bfbs, 16 hexadecimal digits */
    const fls_schema *schema; /* NULL: that file is missing or damaged. The reader's */
    const char *root;         /* name of the root table. The reader's */
    uint64_t reserved[2];
} fls_journal_message_type;

#define FLS_JOURNAL_MESSAGE_TYPE_INIT                    \
    {                                                    \
        .struct_bytes = sizeof(fls_journal_message_type) \
    }

/* Which of the types of its segment a message is of, by its identifier (as fls_schema_set_select
 * has it): of a message of those that were handed out last. Another segment may have another schema
 * for the same identifier. What it points to lives until the next call on the reader. FLS_END: it
 * is of none. Messages of a segment whose marks are lost are taken to have the types of the segment
 * that was read before it. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_type_of(const fls_journal_reader *reader,
                                                           const fls_message *message,
                                                           fls_journal_message_type *type,
                                                           fls_error *err);

/* Sets a named cursor before the message that comes next. DURABLE visibility only. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_save(fls_journal_reader *reader,
                                                        const char *name, fls_error *err);
/* Seeks to a cursor. FLS_END when there is none of that name: the place stays. */
FLS_API FLS_MUST_USE fls_status fls_journal_reader_load(fls_journal_reader *reader,
                                                        const char *name, fls_error *err);

/* All that is visible now as one plain stream, for anything that reads streams: the segments'
 * frames, one behind the other. Ends there, also while a writer goes on. */
FLS_API FLS_MUST_USE fls_status fls_source_open_journal(fls_source *source, const char *path,
                                                        fls_journal_visibility visibility,
                                                        fls_error *err);

/* ---- what a journal is made of ---- */

typedef struct fls_journal_segment {
    char name[40]; /* of the file, "00000000000000000000.fls" or ".fls.zst" */
    uint64_t first_ordinal;
    uint64_t end_ordinal;  /* one more than its last message; UINT64_MAX when not known */
    uint64_t bytes;        /* of frames */
    uint64_t stored_bytes; /* of the file */
    uint64_t marks_bytes;
    uint64_t first_time_ns; /* 0: not known */
    uint64_t last_time_ns;
    uint64_t epoch;
    uint32_t sealed;
    uint32_t compressed;
    uint32_t estimated_times;
    uint32_t reserved0;
    uint64_t reserved[4];
} fls_journal_segment;

typedef struct fls_journal_info {
    uint32_t struct_bytes; /* sizeof(fls_journal_info), set by the caller */
    fls_checksum checksum;
    char id[33]; /* 32 hexadecimal digits */
    char reserved0[3];
    uint32_t locked; /* 1: a writer has it open */
    uint64_t epoch;
    uint64_t segments;
    uint64_t first_ordinal;
    uint64_t durable_ordinal;
    uint64_t end_ordinal; /* as written */
    uint64_t bytes;
    uint64_t stored_bytes;
    uint64_t cursors;
    uint64_t cut_files;
    uint64_t first_time_ns;
    uint64_t last_time_ns;
    uint64_t reserved[8];
} fls_journal_info;

#define FLS_JOURNAL_INFO_INIT                    \
    {                                            \
        .struct_bytes = sizeof(fls_journal_info) \
    }

/* Tells what a journal is; segment (may be NULL) is called with each, oldest first. */
FLS_API FLS_MUST_USE fls_status
fls_journal_inspect(const char *path, fls_journal_info *info,
                    fls_status (*segment)(void *self, const fls_journal_segment *segment),
                    void *self, fls_error *err);

typedef struct fls_journal_check_options {
    uint32_t struct_bytes; /* sizeof(fls_journal_check_options) */
    uint32_t schemas;      /* 1: every message against the journal's schemas too */
    /* Each fault: which file, and what is wrong with it where. Not NULL. FLS_OK goes on. */
    fls_status (*fault)(void *self, const char *file, const fls_error *fault);
    void *self;
    void (*progress)(void *self, uint64_t bytes); /* may be NULL */
    void *progress_self;
    uint64_t reserved[4];
} fls_journal_check_options;

typedef struct fls_journal_check_report {
    uint32_t struct_bytes; /* sizeof(fls_journal_check_report), set by the caller */
    uint32_t reserved0;
    uint64_t messages; /* sound */
    uint64_t lost;     /* ordinals that no sound message has, as far as known */
    uint64_t faults;
    uint64_t bytes;
    uint64_t files;
    uint64_t reserved[4];
} fls_journal_check_report;

#define FLS_JOURNAL_CHECK_REPORT_INIT                    \
    {                                                    \
        .struct_bytes = sizeof(fls_journal_check_report) \
    }

/* Looks at every byte of every file: frames, marks against frames, manifest, schemas, cursors.
 * FLS_OK when it could look, whatever it found. */
FLS_API FLS_MUST_USE fls_status fls_journal_check(const char *path,
                                                  const fls_journal_check_options *options,
                                                  fls_journal_check_report *report, fls_error *err);

FLS_END_DECLS

#endif
