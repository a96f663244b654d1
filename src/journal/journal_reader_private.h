/* The reader of a journal on other system calls, and what its parts share. */
#ifndef FLSI_JOURNAL_READER_PRIVATE_H
#define FLSI_JOURNAL_READER_PRIVATE_H

#include "flatstream/journal_reader.h"
#include "flatstream/reader.h"
#include "journal/journal_feed.h"
#include "journal/journal_piece.h"
#include "journal/journal_source.h"
#include "os/os_watch.h"

/* The public functions on other system calls, NULL: the real ones. With others nothing is watched:
 * whoever follows calls again. */
fls_status flsi_journal_reader_open(fls_journal_reader **reader, const char *path,
                                    const fls_journal_reader_options *options,
                                    const flsi_os_calls *calls, fls_error *err);
fls_status flsi_source_open_journal(fls_source *source, const char *path,
                                    fls_journal_visibility visibility, const flsi_os_calls *calls,
                                    fls_error *err);
fls_status flsi_journal_inspect(const char *path, fls_journal_info *info,
                                fls_status (*segment)(void *self,
                                                      const fls_journal_segment *segment),
                                void *self, const flsi_os_calls *calls, fls_error *err);
fls_status flsi_journal_check(const char *path, const fls_journal_check_options *options,
                              const flsi_os_calls *calls, fls_journal_check_report *report,
                              fls_error *err);

/* How far the last segment is durable: its marks, read as they are written. */
typedef struct flsi_durable_end {
    int is_open;
    uint64_t first_ordinal; /* whose */
    flsi_file file;
    flsi_marks_file marks;
    uint64_t at;
    int broken;
    uint64_t ordinal; /* of the newest DURABLE or LOGGED record */
    uint64_t offset;
    uint64_t synced_ordinal; /* of the newest DURABLE: behind it the redo log may have to be used */
} flsi_durable_end;

/* Wall and journal time, of the same moment. */
typedef struct flsi_clock_pair {
    uint64_t time_ns;
    uint64_t wall_ns;
} flsi_clock_pair;

/* The clock pairs of a segment, for telling wall time; filled when it is asked for. */
typedef struct flsi_clock_table {
    const fls_allocator *allocator;
    uint64_t first_ordinal; /* whose they are */
    uint64_t inode;
    uint64_t at; /* in its marks: so far */
    int has_segment;
    flsi_clock_pair *pairs;
    size_t count;
    size_t capacity;
    flsi_marks_file marks;
} flsi_clock_table;

/* Schemas that were loaded, and the types that messages have now. */
typedef struct flsi_reader_types {
    fls_schema_set set;
    fls_schema_set named;    /* those without a schema too; root: the index in now */
    int has_any;             /* a segment's types were taken over */
    uint32_t count;          /* of the records that the set was made from */
    flsi_manifest_type *now; /* room for FLSI_MANIFEST_TYPES, or NULL */
    fls_schema *schemas[FLSI_MANIFEST_TYPES];
    uint64_t hashes[FLSI_MANIFEST_TYPES];
    uint32_t schema_count;
} flsi_reader_types;

struct fls_journal_reader {
    const fls_allocator *allocator;
    fls_journal_reader_options given;
    int durable;    /* visibility */
    int is_watched; /* names_changed of the watch can be believed */
    int knows_checksum;
    uint32_t max_frame_bytes;
    flsi_directory directory;
    char *path;
    size_t path_bytes;
    const flsi_os_calls *calls;
    flsi_watch watch;
    int64_t listed_mtime_ns; /* of the directory when it was listed; 0: not to be relied on */
    uint64_t epoch;          /* of the last segment that was read from; 0: none was */
    fls_digest_state digest;
    flsi_listing listing;
    flsi_durable_end tail;
    /* The segment that is open. */
    int has_offset; /* of the place */
    int faulted;    /* the last answer was a fault at the place */
    int has_last;   /* last_ordinal and last_digest are of a message */
    int has_clock;
    int piece_is_prepared; /* its messages have times */
    int is_open;
    int is_replaced; /* its name is another file's by now */
    flsi_segment_view view;
    uint64_t end_ordinal;     /* the next one's first; UINT64_MAX: it is the last */
    uint64_t visible_ordinal; /* of what is behind the visible bytes; UINT64_MAX: not known */
    /* The place: before this message. Its offset is known while the segment is open. */
    uint64_t ordinal;
    uint64_t offset;
    uint64_t events_from;         /* events before this ordinal are not told */
    fls_reader *stream;           /* at the place, or NULL */
    fls_reader *idle;             /* one with nothing to read, kept for its buffer, or NULL */
    fls_checksum stream_checksum; /* of both */
    flsi_segment_source source;
    flsi_feed feed;
    flsi_piece piece;         /* for going back and over damage */
    flsi_piece_end piece_end; /* as it was read */
    uint64_t piece_marks_at;  /* where the marks tell its times */
    flsi_feed piece_feed;
    uint8_t *aligned; /* a copy of a message that does not lie as asked for */
    size_t aligned_capacity;
    fls_error fault;
    uint64_t newest_ns; /* time of the last message that was handed out, since the last seek */
    /* The last message that was handed out: whether recovery took it back. */
    uint64_t last_ordinal;
    uint64_t last_digest;
    flsi_clock_pair clock;
    flsi_clock_table *clocks;
    flsi_reader_types types;
};

/* ---- journal_reader.c ---- */

void flsi_reader_tell(fls_journal_reader *reader, const fls_journal_event *event);
void flsi_reader_drop_stream(fls_journal_reader *reader);
/* Puts the place before a message; nothing is looked at. */
void flsi_reader_move(fls_journal_reader *reader, uint64_t ordinal);
uint64_t flsi_reader_digest(const fls_journal_reader *reader, const fls_message *message);

/* ---- journal_follow.c ---- */

/* Lists the segments again if that may have changed, or in any case. *changed (may be NULL). */
fls_status flsi_reader_list(fls_journal_reader *reader, int in_any_case, int *changed,
                            fls_error *err);
/* Whether a writer has the journal open. */
int flsi_reader_journal_in_use(const fls_journal_reader *reader);
/* Whether what is durable at the place and not there can be in the redo log, which the next writer
 * that opens the journal uses: no damage. */
int flsi_reader_awaits_redo(const fls_journal_reader *reader);
/* Opens the segment that holds the place, if it is another one, and sees how far it can be read.
 * FLS_END: there is none. */
fls_status flsi_reader_enter(fls_journal_reader *reader, fls_error *err);
/* The open segment, which may have been opened only to look, is the one that is read now: tells of
 * another writer and of other types. */
fls_status flsi_reader_arrive(fls_journal_reader *reader, fls_error *err);
/* How far the open segment can be read now. */
fls_status flsi_reader_look(fls_journal_reader *reader, fls_error *err);
/* Opens the segment at an index of the listing for looking into it, and no more. */
fls_status flsi_reader_open_at(fls_journal_reader *reader, size_t index, fls_error *err);
/* The reader has seen all that is visible of the open segment: FLS_OK when there is more now, or
 * the place is in another segment; FLS_END. */
fls_status flsi_reader_more(fls_journal_reader *reader, fls_error *err);
/* One more than the newest message that is visible. */
fls_status flsi_reader_end(fls_journal_reader *reader, uint64_t *end, fls_error *err);
void flsi_durable_end_close(flsi_durable_end *tail);

/* ---- journal_seek.c ---- */

/* Opens the stream at the place, whose segment is open. */
fls_status flsi_reader_locate(fls_journal_reader *reader, fls_error *err);
/* Reads the piece of the open segment that holds a key. */
fls_status flsi_reader_piece(fls_journal_reader *reader, flsi_place_key by, uint64_t key,
                             fls_error *err);
/* The oldest ordinal and the end. The place stays, though its segment may not be the open one any
 * more. */
fls_status flsi_reader_bounds(fls_journal_reader *reader, uint64_t *first, uint64_t *end,
                              fls_error *err);
/* Opens the stream at the place, which a seek has moved. At the end, where nothing is yet, is no
 * failure. */
fls_status flsi_reader_settle(fls_journal_reader *reader, fls_error *err);
/* Over the damage at the place. FLS_END: nothing is behind it yet. */
fls_status flsi_reader_step_over(fls_journal_reader *reader, fls_error *err);

/* ---- journal_types.c ---- */

/* Takes the types of the open segment over; tells when they are other ones. */
fls_status flsi_reader_take_types(fls_journal_reader *reader, fls_error *err);
fls_status flsi_reader_types_init(fls_journal_reader *reader, fls_error *err);
void flsi_reader_types_fini(fls_journal_reader *reader);

#endif
