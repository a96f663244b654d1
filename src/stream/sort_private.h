/* The parts of a sorter: keys and records (sort_record.c), the block in memory where messages are
 * gathered and sorted (sort_block.c), the files (sort_spill.c), merging runs (sort_merge.c), and
 * the order of things (sort.c).
 *
 * A record is a key and a payload, in the block and in the files:
 *
 *   bytes  what
 *   1      group
 *   1      flags: FINE, TEXT, ASIDE
 *   8      number
 *   2      fine, with FINE
 *   4 + n  length of the text, and the text, with TEXT
 *   rest   the payload; with ASIDE, 8 bytes each of its offset and size in the file of large ones
 *
 * The number is complemented in a descending sort, so that only what comes behind it has to be
 * compared the other way round.
 */
#ifndef FLSI_SORT_PRIVATE_H
#define FLSI_SORT_PRIVATE_H

#include "flatstream/reader.h"
#include "flatstream/sort.h"
#include "flatstream/writer.h"
#include "os/os_file.h"

/* ---- records ---- */

enum { FLSI_SORT_FINE = 1, FLSI_SORT_TEXT = 2, FLSI_SORT_ASIDE = 4 };

#define FLSI_SORT_FIXED_BYTES 10u
#define FLSI_SORT_MORE_BYTES  6u /* fine and the length of a text */
#define FLSI_SORT_ASIDE_BYTES 16u

typedef struct flsi_sort_record {
    fls_sort_key key; /* as stored */
    unsigned flags;
    const uint8_t *payload;
    size_t size;
} flsi_sort_record;

/* The key as it is stored. */
void flsi_sort_key_store(fls_sort_key *stored, const fls_sort_key *key, int descending);
/* Of stored keys. */
int flsi_sort_key_compare(const fls_sort_key *a, const fls_sort_key *b, int descending);

size_t flsi_sort_record_bytes(const fls_sort_key *key, size_t payload_bytes);
/* Writes everything but the payload; returns where that goes. */
uint8_t *flsi_sort_record_write(uint8_t *to, const fls_sort_key *key, unsigned flags);
/* 0 when the bytes are no record. */
int flsi_sort_record_read(flsi_sort_record *record, const void *bytes, size_t size);

/* ---- the block ---- */

/* Records lie one behind another, each behind 4 bytes of length; sorting makes entries at the
 * block's end, and needs as much room again before them. */
typedef struct flsi_sort_block {
    uint8_t *memory; /* NULL until the first record */
    size_t capacity;
    size_t used;
    size_t count;
    size_t last;   /* where the last record is */
    int in_order;  /* none is less than the one before it */
    int has_more;  /* some keys have fine or text */
    int has_group; /* some group is not 0 */
} flsi_sort_block;

typedef struct flsi_sort_entry {
    uint64_t number;
    uint64_t place; /* group in the highest byte, offset in the block below */
} flsi_sort_entry;

void flsi_sort_block_clear(flsi_sort_block *block);
int flsi_sort_block_has_room(const flsi_sort_block *block, size_t record_bytes);
/* There has to be room. Returns where the payload goes, for the caller to write it. */
uint8_t *flsi_sort_block_add(flsi_sort_block *block, const fls_sort_key *key, unsigned flags,
                             size_t payload_bytes, int descending);
/* The records in order; valid until the block changes. */
const flsi_sort_entry *flsi_sort_block_sort(flsi_sort_block *block, int descending);
const uint8_t *flsi_sort_block_record(const flsi_sort_block *block, const flsi_sort_entry *entry,
                                      size_t *size);
/* The record is wanted soon: so many records before it is. */
#define FLSI_SORT_AHEAD 16u
void flsi_sort_block_expect(const flsi_sort_block *block, const flsi_sort_entry *entry);

/* ---- files and runs ---- */

/* A sorted stream of records in one of the two files. */
typedef struct flsi_sort_run {
    uint64_t offset;
    uint64_t bytes;
    uint64_t records;
    uint32_t largest; /* record */
    uint32_t file;
} flsi_sort_run;

/* A run that is read. */
typedef struct flsi_sort_lane {
    fls_reader *reader;
    fls_message *messages;
    size_t count;
    size_t next;
    uint64_t left; /* records that have to come yet, those in messages included */
    flsi_sort_record record;
    const flsi_file *file;
    uint64_t place; /* of the source */
    uint64_t end;
} flsi_sort_lane;

/* Messages asked for at once. */
#define FLSI_SORT_BATCH 16u

typedef struct flsi_sort_merge {
    flsi_sort_lane *lanes;
    size_t lane_count;
    uint32_t *tree; /* tree[0] is the lane with the least record; the others lost to some lane */
    int taken;      /* the least record was handed out */
} flsi_sort_merge;

struct fls_sorter {
    fls_sorter_options options;
    const fls_allocator *allocator;
    const flsi_os_calls *calls;
    char *directory;
    size_t directory_bytes;
    size_t memory;       /* the limit */
    size_t buffer_bytes; /* of each reader and writer of a file */
    size_t most_record;  /* larger ones are set aside */
    int descending;
    int finished;
    flsi_sort_block block;
    const flsi_sort_entry *entries; /* of the block, when all is in memory */
    size_t next_entry;
    flsi_file files[2];
    flsi_file aside;
    uint64_t aside_end;
    flsi_sort_run *runs;
    size_t run_count;
    size_t run_room;
    uint8_t *last_text; /* of the key that ends the last run */
    size_t last_room;
    fls_sort_key last_key;
    flsi_sort_merge merge;
    uint8_t *large; /* a message that was set aside, handed out */
    size_t large_room;
    uint64_t handed_out;
    fls_sorter_report report;
    fls_error failure; /* FLS_OK until then */
};

/* Opens with the system calls to use; calls may be NULL for the real ones. */
fls_status flsi_sorter_open(fls_sorter **sorter, const fls_sorter_options *options,
                            const flsi_os_calls *calls, fls_error *err);

/* Grows memory of elements to hold at least `wanted` of them. */
fls_status flsi_sort_grow(const fls_sorter *sorter, void **memory, size_t *room, size_t wanted,
                          size_t element_bytes, fls_error *err);

/* FLS_STOPPED when the caller wants no more. */
fls_status flsi_sort_go_on(const fls_sorter *sorter, fls_error *err);

/* Writes the block as a run, or behind the last one where it goes on in order, and empties it. */
fls_status flsi_sort_spill(fls_sorter *sorter, fls_error *err);

/* A writer of a run at the end of a file, which is made if need be; joined: of more of the run that
 * ends there. */
fls_status flsi_sort_run_begin(fls_sorter *sorter, uint32_t file, int joined, fls_writer **writer,
                               flsi_sort_run *run, fls_error *err);
/* Closes the writer. */
fls_status flsi_sort_run_end(fls_sorter *sorter, fls_writer *writer, flsi_sort_run *run,
                             fls_error *err);

/* Sets a payload aside: its reference in *offset. */
fls_status flsi_sort_set_aside(fls_sorter *sorter, const void *payload, size_t size,
                               uint64_t *offset, fls_error *err);
/* Reads it again, into sorter->large. */
fls_status flsi_sort_fetch(fls_sorter *sorter, const uint8_t *reference, fls_message *message,
                           fls_error *err);

/* A file has not what was written to it. */
fls_status flsi_sort_damaged(const flsi_file *file, fls_error *err);

/* Merges runs into fewer, until they can be merged at once. */
fls_status flsi_sort_reduce(fls_sorter *sorter, fls_error *err);
/* Begins merging count runs. */
fls_status flsi_sort_merge_begin(fls_sorter *sorter, const flsi_sort_run *runs, size_t count,
                                 fls_error *err);
/* The least record, valid until the next call; NULL in *record at the end. *bytes are those of the
 * whole record. */
fls_status flsi_sort_merge_next(fls_sorter *sorter, const flsi_sort_record **record,
                                fls_span *bytes, fls_error *err);
void flsi_sort_merge_end(fls_sorter *sorter);

#endif
