/* Sorters: the order of things. Messages gather in a block; a full one is sorted and written as a
 * run; in the end the runs are merged, or, without any, the block is handed out.
 */
#include <stdatomic.h>

#include "core/bytes.h"
#include "core/options.h"
#include "os/os_memory.h"
#include "stream/sort_private.h"

#define DEFAULT_DIRECTORY "/var/tmp"

#if SIZE_MAX > UINT32_MAX
#define MOST_MEMORY ((size_t)1 << 48)
#else
#define MOST_MEMORY ((size_t)1 << 30)
#endif
#define MOST_RECORD  ((size_t)1 << 30)
#define LEAST_BUFFER ((size_t)8 * 1024)
#define MOST_BUFFER  ((size_t)64 * 1024)
#define PAGE_BYTES   ((size_t)4096)
/* Of the first blocks, and how many there are before they grow. */
#define FIRST_BLOCK    ((size_t)16 * 1024 * 1024)
#define RUNS_OF_A_SIZE 32u
/* Of the limit, beside the block: a writer's buffer, the last key. */
#define BESIDE_BLOCK ((size_t)48 * 1024)

/* Messages handed out between two questions whether to go on. */
#define HANDED_BETWEEN 8192u

static void release(const fls_sorter *sorter, void *memory, size_t bytes)
{
    if (memory != NULL) {
        sorter->allocator->free(sorter->allocator->self, memory, bytes);
    }
}

fls_status flsi_sort_grow(const fls_sorter *sorter, void **memory, size_t *room, size_t wanted,
                          size_t element_bytes, fls_error *err)
{
    if (wanted <= *room) {
        return FLS_OK;
    }
    size_t grown = *room < SIZE_MAX / element_bytes / 2 && 2 * *room > wanted ? 2 * *room : wanted;
    void *moved = grown > SIZE_MAX / element_bytes
                      ? NULL
                      : sorter->allocator->resize(sorter->allocator->self, *memory,
                                                  *room * element_bytes, grown * element_bytes);
    if (moved == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    }
    *memory = moved;
    *room = grown;
    return FLS_OK;
}

fls_status flsi_sort_ask(const fls_sorter *sorter, fls_error *err)
{
    const fls_sorter_options *options = &sorter->options;
    return options->stop != NULL && options->stop(options->stop_self)
               ? fls_error_set(err, FLS_STOPPED, 0, NULL)
               : FLS_OK;
}

fls_status flsi_sort_go_on(const fls_sorter *sorter, fls_error *err)
{
    if (!sorter->crew.is_there) {
        return flsi_sort_ask(sorter, err);
    }
    return atomic_load_explicit(&sorter->crew.halt, memory_order_relaxed)
               ? fls_error_set(err, FLS_STOPPED, 0, NULL)
               : FLS_OK;
}

/* ---- opening and closing ---- */

/* How much of an empty block is to be used. What is sorted in a cache, and touches little memory,
 * is sorted faster; but runs should not be too many, so they become larger with what there is. */
static void take_share(const fls_sorter *sorter, flsi_sort_block *block)
{
    uint64_t share = sorter->gathered / RUNS_OF_A_SIZE;
    share = share < FIRST_BLOCK ? FIRST_BLOCK : share;
    block->capacity = share < block->room ? (size_t)share : block->room;
}

static void share_memory(fls_sorter *sorter, size_t wanted)
{
    size_t memory = wanted != 0 ? wanted : FLS_SORT_DEFAULT_MEMORY;
    memory = memory < FLS_SORT_LEAST_MEMORY ? FLS_SORT_LEAST_MEMORY : memory;
    memory = memory > MOST_MEMORY ? MOST_MEMORY : memory;
    size_t buffer = memory / 256;
    buffer = buffer < LEAST_BUFFER ? LEAST_BUFFER : buffer;
    size_t beside = memory / 16 < BESIDE_BLOCK ? BESIDE_BLOCK : memory / 16;
    sorter->memory = memory;
    buffer = buffer > MOST_BUFFER ? MOST_BUFFER : buffer;
    sorter->buffer_bytes = buffer - buffer % PAGE_BYTES;
    sorter->most_record = memory / 16 < MOST_RECORD ? memory / 16 : MOST_RECORD;
    size_t blocks = sorter->options.threads > 1 ? 2 : 1;
    sorter->block = &sorter->blocks[0];
    for (size_t i = 0; i < blocks; i++) {
        sorter->blocks[i].room = (memory - beside) / blocks;
        flsi_sort_block_clear(&sorter->blocks[i]);
        take_share(sorter, &sorter->blocks[i]);
    }
}

static fls_status copy_directory(fls_sorter *sorter, fls_error *err)
{
    const char *given =
        sorter->options.directory != NULL ? sorter->options.directory : DEFAULT_DIRECTORY;
    size_t bytes = strlen(given) + 1;
    sorter->directory = sorter->allocator->resize(sorter->allocator->self, NULL, 0, bytes);
    if (sorter->directory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    }
    sorter->directory_bytes = bytes;
    memcpy(sorter->directory, given, bytes);
    return FLS_OK;
}

fls_status flsi_sorter_open(fls_sorter **sorter, const fls_sorter_options *options,
                            const flsi_os_calls *calls, fls_error *err)
{
    fls_sorter_options given;
    *sorter = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    const fls_allocator *allocator =
        given.allocator != NULL ? given.allocator : fls_allocator_libc();
    fls_sorter *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    }
    memset(made, 0, sizeof *made);
    made->options = given;
    made->allocator = allocator;
    made->calls = calls;
    made->descending = given.descending != 0;
    made->files[0].fd = made->files[1].fd = made->aside.fd = -1;
    made->files[0].directory_fd = made->files[1].directory_fd = made->aside.directory_fd = -1;
    made->failure = made->why = (fls_error)FLS_ERROR_INIT;
    share_memory(made, given.memory_bytes);
    status = copy_directory(made, err);
    if (status != FLS_OK) {
        fls_sorter_close(made);
        return status;
    }
    *sorter = made;
    return FLS_OK;
}

fls_status fls_sorter_open(fls_sorter **sorter, const fls_sorter_options *options, fls_error *err)
{
    return flsi_sorter_open(sorter, options, NULL, err);
}

void flsi_sort_free_blocks(fls_sorter *sorter)
{
    for (int i = 0; i < 2; i++) {
        release(sorter, sorter->blocks[i].memory, sorter->blocks[i].room);
        sorter->blocks[i].memory = NULL;
    }
}

void fls_sorter_close(fls_sorter *sorter)
{
    if (sorter == NULL) {
        return;
    }
    flsi_sort_crew_dismiss(sorter);
    flsi_sort_merge_end(sorter);
    flsi_sort_free_blocks(sorter);
    for (int i = 0; i < 2; i++) {
        (void)flsi_file_close(&sorter->files[i], NULL);
    }
    (void)flsi_file_close(&sorter->aside, NULL);
    release(sorter, sorter->runs, sorter->run_room * sizeof *sorter->runs);
    release(sorter, sorter->last_text, sorter->last_room);
    release(sorter, sorter->large, sorter->large_room);
    release(sorter, sorter->directory, sorter->directory_bytes);
    release(sorter, sorter, sizeof *sorter);
}

/* ---- in ---- */

static fls_status again(const fls_sorter *sorter, fls_error *err)
{
    if (err != NULL) {
        *err = sorter->failure;
    }
    return sorter->failure.status;
}

/* A failure is for good. */
static fls_status keep(fls_sorter *sorter, fls_status status, fls_error *err)
{
    if (status == FLS_OK) {
        return status;
    }
    sorter->failure = sorter->why;
    sorter->failure.status = status;
    return again(sorter, err);
}

static fls_status check(const fls_sorter *sorter, const fls_sort_key *key, size_t size,
                        fls_error *err)
{
    if (sorter->finished) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the sorter is finished");
    }
    if (key->group > UINT8_MAX || key->fine > UINT16_MAX) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a key is out of its bounds");
    }
#if SIZE_MAX > UINT32_MAX
    if (size > UINT32_MAX) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a payload has 4 GiB or more");
    }
#else
    (void)size;
#endif
    if (key->text_size > sorter->most_record / 2) {
        return fls_error_set(err, FLS_NO_SPACE, 0,
                             "a key is longer than a thirty-second of the memory for sorting");
    }
    return FLS_OK;
}

static fls_status need_memory(const fls_sorter *sorter, flsi_sort_block *block, fls_error *err)
{
    if (block->memory == NULL) {
        block->memory = sorter->allocator->resize(sorter->allocator->self, NULL, 0, block->room);
        if (block->memory == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to sort in");
        }
        flsi_memory_prefer_large_pages(block->memory, block->room);
    }
    return FLS_OK;
}

/* A full block goes to the thread beside, and the other one is filled. */
static fls_status empty_block(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_block *full = sorter->block;
    fls_status status;
    sorter->gathered += full->capacity;
    if (sorter->options.threads < 2 || !flsi_sort_crew_start(sorter)) {
        status = flsi_sort_spill(sorter, full, err);
    } else {
        status = flsi_sort_crew_settle(sorter, err);
        if (status == FLS_OK) {
            flsi_sort_crew_give(sorter, FLSI_SORT_SPILL, full);
            sorter->block = &sorter->blocks[full == &sorter->blocks[0]];
            status = need_memory(sorter, sorter->block, err);
        }
    }
    take_share(sorter, sorter->block);
    return status;
}

static fls_status make_room(fls_sorter *sorter, size_t record_bytes, fls_error *err)
{
    fls_status status = need_memory(sorter, sorter->block, err);
    return status != FLS_OK || flsi_sort_block_has_room(sorter->block, record_bytes)
               ? status
               : empty_block(sorter, err);
}

static fls_status add(fls_sorter *sorter, const fls_sort_key *key, const void *payload, size_t size,
                      fls_error *err)
{
    fls_sort_key stored;
    uint64_t offset = 0;
    flsi_sort_key_store(&stored, key, sorter->descending);
    int is_large =
        size > sorter->most_record || flsi_sort_record_bytes(&stored, size) > sorter->most_record;
    size_t inside = is_large ? FLSI_SORT_ASIDE_BYTES : size;
    fls_status status = make_room(sorter, flsi_sort_record_bytes(&stored, inside), err);
    if (status == FLS_OK && is_large) {
        status = flsi_sort_set_aside(sorter, payload, size, &offset, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    uint8_t *to =
        flsi_sort_block_add(sorter->block, &stored, is_large ? (unsigned)FLSI_SORT_ASIDE : 0u,
                            inside, sorter->descending);
    if (is_large) {
        flsi_store_le64(to, offset);
        flsi_store_le64(to + 8, size);
    } else {
        flsi_copy_short(to, payload, size);
    }
    sorter->messages++;
    return FLS_OK;
}

fls_status fls_sorter_push(fls_sorter *sorter, const fls_sort_key *key, const void *payload,
                           size_t size, fls_error *err)
{
    if (sorter->failure.status != FLS_OK) {
        return again(sorter, err);
    }
    fls_status status = check(sorter, key, size, err);
    return status == FLS_OK ? keep(sorter, add(sorter, key, payload, size, &sorter->why), err)
                            : status;
}

/* ---- out ---- */

fls_status flsi_sort_begin_merging(fls_sorter *sorter, flsi_sort_block *block, fls_error *err)
{
    fls_status status = block->count > 0 ? flsi_sort_spill(sorter, block, err) : FLS_OK;
    flsi_sort_free_blocks(sorter);
    if (status == FLS_OK) {
        status = flsi_sort_reduce(sorter, err);
    }
    return status == FLS_OK ? flsi_sort_merge_begin(sorter, sorter->runs, sorter->run_count, err)
                            : status;
}

static fls_status finish(fls_sorter *sorter, fls_error *err)
{
    fls_status status = FLS_OK;
    int there;
    if (sorter->crew.is_there) {
        status = flsi_sort_crew_settle(sorter, err);
        if (status == FLS_OK) {
            flsi_sort_crew_give(sorter, FLSI_SORT_FINISH, sorter->block);
            status = flsi_sort_crew_await_slab(sorter, &there, err);
        }
    } else if (sorter->run_count > 0) {
        status = flsi_sort_begin_merging(sorter, sorter->block, err);
    } else if (sorter->block->count > 0) {
        sorter->entries = flsi_sort_block_sort(sorter->block, sorter->descending);
    }
    return status;
}

fls_status fls_sorter_finish(fls_sorter *sorter, fls_error *err)
{
    if (sorter->failure.status != FLS_OK) {
        return again(sorter, err);
    }
    if (sorter->finished) {
        return FLS_OK;
    }
    sorter->finished = 1;
    return keep(sorter, finish(sorter, &sorter->why), err);
}

static fls_status next_record(fls_sorter *sorter, flsi_sort_record *record, int *there,
                              fls_error *err)
{
    const flsi_sort_record *merged;
    fls_span raw;
    if (sorter->crew.is_there) {
        return flsi_sort_crew_next(sorter, record, there, err);
    }
    if (sorter->run_count > 0) {
        fls_status status = flsi_sort_merge_next(sorter, &merged, &raw, err);
        *there = status == FLS_OK && merged != NULL;
        if (*there) {
            *record = *merged;
        }
        return status;
    }
    const flsi_sort_block *block = sorter->block;
    *there = sorter->next_entry < block->count;
    if (*there) {
        size_t size;
        if (block->count - sorter->next_entry > FLSI_SORT_AHEAD) {
            flsi_sort_block_expect(block, &sorter->entries[sorter->next_entry + FLSI_SORT_AHEAD]);
        }
        const uint8_t *bytes =
            flsi_sort_block_record(block, &sorter->entries[sorter->next_entry++], &size);
        (void)flsi_sort_record_read(record, bytes, size);
    }
    return FLS_OK;
}

static fls_status hand_out(fls_sorter *sorter, fls_message *message, fls_error *err)
{
    flsi_sort_record record;
    int there;
    fls_status status =
        sorter->handed_out % HANDED_BETWEEN == 0 ? flsi_sort_ask(sorter, err) : FLS_OK;
    if (status == FLS_OK) {
        status = next_record(sorter, &record, &there, err);
    }
    if (status != FLS_OK || !there) {
        return status == FLS_OK ? FLS_END : status;
    }
    memset(message, 0, sizeof *message);
    message->payload = record.payload;
    message->size = record.size;
    message->ordinal = sorter->handed_out;
    if (record.flags & FLSI_SORT_ASIDE) {
        status = flsi_sort_fetch(sorter, record.payload, message, err);
    }
    sorter->handed_out += status == FLS_OK;
    return status;
}

fls_status fls_sorter_next(fls_sorter *sorter, fls_message *message, fls_error *err)
{
    if (sorter->failure.status != FLS_OK) {
        return again(sorter, err);
    }
    if (!sorter->finished) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the sorter is not finished");
    }
    fls_status status = hand_out(sorter, message, &sorter->why);
    return status == FLS_END ? status : keep(sorter, status, err);
}

void fls_sorter_get_report(const fls_sorter *sorter, fls_sorter_report *report)
{
    uint32_t bytes = report->struct_bytes;
    fls_sorter_report now = sorter->crew.is_there ? sorter->report : sorter->tally;
    now.struct_bytes = bytes;
    now.messages = sorter->messages;
    now.set_aside = sorter->set_aside;
    now.spilled_bytes += sorter->aside_end;
    memcpy(report, &now, bytes < sizeof now ? bytes : sizeof now);
}
