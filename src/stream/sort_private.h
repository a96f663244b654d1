/* The parts of a sorter: keys and records (sort_record.c), the block in memory where messages are
 * gathered and sorted (sort_block.c), the files (sort_spill.c), merging runs (sort_merge.c), the
 * thread beside the caller's (sort_crew.c), and the order of things (sort.c).
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
#include "os/os_thread.h"

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
static inline void flsi_sort_key_store(fls_sort_key *stored, const fls_sort_key *key,
                                       int descending)
{
    *stored = *key;
    if (descending) {
        stored->number = ~key->number;
    }
}
/* Of stored keys. */
int flsi_sort_key_compare(const fls_sort_key *a, const fls_sort_key *b, int descending);

static inline size_t flsi_sort_record_bytes(const fls_sort_key *key, size_t payload_bytes)
{
    return FLSI_SORT_FIXED_BYTES + (key->fine != 0 ? 2u : 0u) +
           (key->text_size != 0 ? 4u + key->text_size : 0u) + payload_bytes;
}
/* Writes everything but the payload; returns where that goes. */
uint8_t *flsi_sort_record_write(uint8_t *to, const fls_sort_key *key, unsigned flags);
/* 0 when the bytes are no record. */
int flsi_sort_record_read(flsi_sort_record *record, const void *bytes, size_t size);

/* ---- the block ---- */

/* Records lie one behind another, each behind 4 bytes of length. Their entries are made from the
 * block's end down, and sorting them needs as much room again. */
typedef struct flsi_sort_block {
    uint8_t *memory; /* NULL until the first record */
    size_t room;     /* of the memory */
    size_t capacity; /* what of it may be used now */
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

#define FLSI_SORT_LENGTH_BYTES 4u

void flsi_sort_block_clear(flsi_sort_block *block);
/* Entries twice, and as much as it takes to align them. */
static inline int flsi_sort_block_has_room(const flsi_sort_block *block, size_t record_bytes)
{
    const size_t entry = 2 * sizeof(flsi_sort_entry);
    size_t left = block->capacity - block->used;
    size_t wanted = FLSI_SORT_LENGTH_BYTES + record_bytes + (block->count + 2) * entry;
    return left >= wanted;
}
/* There has to be room. Returns where the payload goes, for the caller to write it. */
uint8_t *flsi_sort_block_add(flsi_sort_block *block, const fls_sort_key *key, unsigned flags,
                             size_t payload_bytes, int descending);
/* The records in order; valid until the block changes. */
const flsi_sort_entry *flsi_sort_block_sort(flsi_sort_block *block, int descending);
const uint8_t *flsi_sort_block_record(const flsi_sort_block *block, const flsi_sort_entry *entry,
                                      size_t *size);
/* What is there is wanted soon. */
static inline void flsi_sort_expect(const uint8_t *at)
{
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
#else
    (void)at;
#endif
}

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
    uint16_t file;
    uint16_t is_plain; /* keys are numbers, and nothing else */
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
#define FLSI_SORT_BATCH 8u

/* A lane in the tree, with what tells its record from most others. */
typedef struct flsi_sort_node {
    uint64_t number; /* UINT64_MAX where the lane has no record left */
    uint32_t lane;   /* with FLSI_SORT_ENDED then, so that it comes behind all others */
    uint32_t group;  /* and UINT8_MAX */
} flsi_sort_node;

#define FLSI_SORT_ENDED UINT32_C(0x80000000)

typedef struct flsi_sort_merge {
    flsi_sort_lane *lanes;
    size_t lane_count;
    flsi_sort_node *tree; /* tree[0] has the least record; the others lost to some lane */
    int is_plain;         /* keys are numbers, and nothing else */
    int taken;            /* the least record was handed out */
} flsi_sort_merge;

/* ---- the thread beside the caller's ---- */

/* Merged records on their way from one thread to the other: 4 bytes of size, 4 of flags, and the
 * payload of each. */
typedef struct flsi_sort_slab {
    uint8_t *memory;
    size_t used;
} flsi_sort_slab;

#define FLSI_SORT_SLABS 8u

typedef enum flsi_sort_job {
    FLSI_SORT_IDLE,
    FLSI_SORT_SPILL, /* a block */
    FLSI_SORT_FINISH /* the last block, and merge into slabs */
} flsi_sort_job;

/* While there is a job the thread owns its block, the files but that of large messages, the runs,
 * the merge, the last key and the tally; in between the caller does. */
typedef struct flsi_sort_crew {
    int is_there;
    flsi_mutex mutex;
    flsi_condition changed;
    flsi_thread thread;
    flsi_sort_job job; /* this and what follows under the mutex */
    flsi_sort_block *block;
    fls_status status; /* of the last job */
    fls_error error;
    uint64_t filled; /* slabs, since the beginning; */
    uint64_t emptied;
    _Atomic int halt;
    size_t slab_bytes;
    size_t slab_count; /* as few as 2 where messages are large */
    flsi_sort_slab slabs[FLSI_SORT_SLABS];
    const flsi_sort_slab *in_hand; /* the caller's: what is being emptied, or NULL */
    size_t taken;                  /* bytes of it */
} flsi_sort_crew;

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
    flsi_sort_block blocks[2];      /* with a crew both are filled by turns */
    flsi_sort_block *block;         /* that is being filled */
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
    uint64_t messages;
    uint64_t set_aside;
    uint64_t gathered;        /* bytes of blocks that were full */
    fls_sorter_report tally;  /* of runs, by whoever owns them */
    fls_sorter_report report; /* it, as of when the caller last owned it, with a crew */
    flsi_sort_crew crew;
    fls_error why;     /* where calls say what went wrong */
    fls_error failure; /* FLS_OK until then */
};

/* Opens with the system calls to use; calls may be NULL for the real ones. */
fls_status flsi_sorter_open(fls_sorter **sorter, const fls_sorter_options *options,
                            const flsi_os_calls *calls, fls_error *err);

/* Grows memory of elements to hold at least `wanted` of them. */
fls_status flsi_sort_grow(const fls_sorter *sorter, void **memory, size_t *room, size_t wanted,
                          size_t element_bytes, fls_error *err);

/* FLS_STOPPED when the caller wants no more: asks it, or with a crew looks whether it said so. */
fls_status flsi_sort_go_on(const fls_sorter *sorter, fls_error *err);
/* Asks it, on its own thread. */
fls_status flsi_sort_ask(const fls_sorter *sorter, fls_error *err);

/* Writes a block as a run, or behind the last one where it goes on in order, and empties it. */
fls_status flsi_sort_spill(fls_sorter *sorter, flsi_sort_block *block, fls_error *err);
void flsi_sort_free_blocks(fls_sorter *sorter);
/* Spills what is in the block, and gets ready to merge. */
fls_status flsi_sort_begin_merging(fls_sorter *sorter, flsi_sort_block *block, fls_error *err);

/* Starts the thread, unless it is there. 0: there is none to be had. */
int flsi_sort_crew_start(fls_sorter *sorter);
/* Waits for the last job. Its status. */
fls_status flsi_sort_crew_settle(fls_sorter *sorter, fls_error *err);
/* A job for the thread, which is idle. */
void flsi_sort_crew_give(fls_sorter *sorter, flsi_sort_job job, flsi_sort_block *block);
/* Waits until a slab is there, or will never be. */
fls_status flsi_sort_crew_await_slab(fls_sorter *sorter, int *there, fls_error *err);
/* The next merged record, all but its key. */
fls_status flsi_sort_crew_next(fls_sorter *sorter, flsi_sort_record *record, int *there,
                               fls_error *err);
void flsi_sort_crew_dismiss(fls_sorter *sorter);

/* A writer of a run at the end of a file, which is made if need be; joined: of more of the run that
 * ends there. */
fls_status flsi_sort_run_begin(fls_sorter *sorter, uint16_t file, int joined, fls_writer **writer,
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
