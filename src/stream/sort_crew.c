/* A thread beside the caller's. While the caller fills one block it sorts the other and writes it
 * as a run; in the end it merges, into slabs that the caller hands out of:
 *
 *     caller   fill a block ............ fill the other .......... finish ... take from slabs
 *     thread                 sort, write it           sort, write it  reduce, merge into slabs
 *
 * So every run, and every merge, is what it would be with one thread and blocks of that size.
 * Whatever goes wrong in it is kept, and told where the caller waits for it next.
 */
#include <stdatomic.h>

#include "core/bytes.h"
#include "stream/sort_private.h"

#define SLAB_BYTES  ((size_t)128 * 1024)
#define SLAB_HEADER 8u

/* Between two questions whether to go on, while waiting. */
#define ASK_AFTER_NS UINT64_C(50000000)

/* ---- on the thread ---- */

static fls_status make_slabs(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    size_t most = sorter->memory / 16;
    size_t bytes = most / FLSI_SORT_SLABS < SLAB_BYTES ? most / FLSI_SORT_SLABS : SLAB_BYTES;
    for (size_t i = 0; i < sorter->run_count; i++) {
        size_t whole = (size_t)sorter->runs[i].largest + SLAB_HEADER;
        bytes = whole > bytes ? whole : bytes;
    }
    crew->slab_bytes = bytes;
    crew->slab_count = most / bytes < 2 ? 2 : most / bytes;
    crew->slab_count = crew->slab_count < FLSI_SORT_SLABS ? crew->slab_count : FLSI_SORT_SLABS;
    for (size_t i = 0; i < crew->slab_count; i++) {
        crew->slabs[i].memory = sorter->allocator->resize(sorter->allocator->self, NULL, 0, bytes);
        if (crew->slabs[i].memory == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
        }
    }
    return FLS_OK;
}

/* Hands a slab over, if there is anything in it, and waits for the next one to be free. Neither
 * side wakes the other for less than half of the slabs: that would cost more than what is in one.
 */
static fls_status pass_on(flsi_sort_crew *crew, flsi_sort_slab **slab, fls_error *err)
{
    int halt;
    flsi_mutex_lock(&crew->mutex);
    if (*slab != NULL && (*slab)->used > 0) {
        crew->filled++;
        if (crew->filled - crew->emptied >= crew->slab_count / 2) {
            flsi_condition_broadcast(&crew->changed);
        }
    }
    while (!(halt = atomic_load_explicit(&crew->halt, memory_order_relaxed)) &&
           crew->filled - crew->emptied == crew->slab_count) {
        flsi_condition_wait(&crew->changed, &crew->mutex);
    }
    *slab = &crew->slabs[crew->filled % crew->slab_count];
    flsi_mutex_unlock(&crew->mutex);
    (*slab)->used = 0;
    return halt ? fls_error_set(err, FLS_STOPPED, 0, NULL) : FLS_OK;
}

static void put(flsi_sort_slab *slab, const flsi_sort_record *record)
{
    uint8_t *to = slab->memory + slab->used;
    flsi_store_le32(to, (uint32_t)record->size);
    flsi_store_le32(to + 4, record->flags);
    flsi_copy_short(to + SLAB_HEADER, record->payload, record->size);
    slab->used += SLAB_HEADER + record->size;
}

static fls_status merge_into_slabs(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    const flsi_sort_record *record = NULL;
    fls_span bytes;
    flsi_sort_slab *slab = NULL;
    fls_status status = pass_on(crew, &slab, err);
    while (status == FLS_OK) {
        status = flsi_sort_merge_next(sorter, &record, &bytes, err);
        if (status != FLS_OK || record == NULL) {
            break;
        }
        if (crew->slab_bytes - slab->used < SLAB_HEADER + record->size) {
            status = pass_on(crew, &slab, err);
        }
        if (status == FLS_OK) {
            put(slab, record);
        }
    }
    if (slab->used > 0) { /* what was merged before a failure comes out too */
        flsi_mutex_lock(&crew->mutex);
        crew->filled++;
        flsi_mutex_unlock(&crew->mutex);
    }
    return status;
}

static fls_status finish(fls_sorter *sorter, flsi_sort_block *block, fls_error *err)
{
    fls_status status = flsi_sort_begin_merging(sorter, block, err);
    if (status == FLS_OK) {
        status = make_slabs(sorter, err);
    }
    return status == FLS_OK ? merge_into_slabs(sorter, err) : status;
}

static void run(void *self)
{
    fls_sorter *sorter = self;
    flsi_sort_crew *crew = &sorter->crew;
    flsi_mutex_lock(&crew->mutex);
    while (!atomic_load_explicit(&crew->halt, memory_order_relaxed)) {
        if (crew->job == FLSI_SORT_IDLE) {
            flsi_condition_wait(&crew->changed, &crew->mutex);
            continue;
        }
        flsi_mutex_unlock(&crew->mutex);
        fls_status status = crew->job == FLSI_SORT_SPILL
                                ? flsi_sort_spill(sorter, crew->block, &crew->error)
                                : finish(sorter, crew->block, &crew->error);
        flsi_mutex_lock(&crew->mutex);
        crew->status = status;
        crew->job = FLSI_SORT_IDLE;
        flsi_condition_broadcast(&crew->changed);
    }
    flsi_mutex_unlock(&crew->mutex);
}

/* ---- on the caller's ---- */

int flsi_sort_crew_start(fls_sorter *sorter)
{
    flsi_sort_crew *crew = &sorter->crew;
    if (crew->is_there) {
        return 1;
    }
    crew->error = (fls_error)FLS_ERROR_INIT;
    atomic_init(&crew->halt, 0);
    if (flsi_mutex_init(&crew->mutex, NULL) != FLS_OK) {
        return 0;
    }
    if (flsi_condition_init(&crew->changed, NULL) == FLS_OK) {
        crew->is_there = 1;
        if (flsi_thread_start(&crew->thread, run, sorter, NULL) == FLS_OK) {
            return 1;
        }
        crew->is_there = 0;
        flsi_condition_fini(&crew->changed);
    }
    flsi_mutex_fini(&crew->mutex);
    return 0;
}

/* Under the mutex: waits until the thread changes something, and asks now and then whether to. */
static fls_status wait_for_change(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    fls_status status = FLS_OK;
    if (!flsi_condition_wait_for(&crew->changed, &crew->mutex, ASK_AFTER_NS)) {
        flsi_mutex_unlock(&crew->mutex);
        status = flsi_sort_ask(sorter, err);
        flsi_mutex_lock(&crew->mutex);
    }
    return status;
}

static fls_status outcome(const flsi_sort_crew *crew, fls_error *err)
{
    if (crew->status != FLS_OK && err != NULL) {
        *err = crew->error;
    }
    return crew->status;
}

fls_status flsi_sort_crew_settle(fls_sorter *sorter, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    fls_status status = FLS_OK;
    flsi_mutex_lock(&crew->mutex);
    while (status == FLS_OK && crew->job != FLSI_SORT_IDLE) {
        status = wait_for_change(sorter, err);
    }
    if (status == FLS_OK) {
        sorter->report = sorter->tally;
        status = outcome(crew, err);
    }
    flsi_mutex_unlock(&crew->mutex);
    return status;
}

void flsi_sort_crew_give(fls_sorter *sorter, flsi_sort_job job, flsi_sort_block *block)
{
    flsi_sort_crew *crew = &sorter->crew;
    flsi_mutex_lock(&crew->mutex);
    crew->job = job;
    crew->block = block;
    flsi_condition_broadcast(&crew->changed);
    flsi_mutex_unlock(&crew->mutex);
}

fls_status flsi_sort_crew_await_slab(fls_sorter *sorter, int *there, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    fls_status status = FLS_OK;
    flsi_mutex_lock(&crew->mutex);
    while (status == FLS_OK && crew->filled == crew->emptied && crew->job != FLSI_SORT_IDLE) {
        status = wait_for_change(sorter, err);
    }
    *there = status == FLS_OK && crew->filled != crew->emptied;
    if (status == FLS_OK) { /* nothing is added to it once there is a slab */
        sorter->report = sorter->tally;
    }
    if (status == FLS_OK && !*there) {
        status = outcome(crew, err);
    }
    flsi_mutex_unlock(&crew->mutex);
    return status;
}

/* Gives back the slab that was taken, if there is one, and takes the next. */
static fls_status take_slab(fls_sorter *sorter, int *there, fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    if (crew->in_hand != NULL) {
        crew->in_hand = NULL;
        flsi_mutex_lock(&crew->mutex);
        crew->emptied++;
        if (crew->filled - crew->emptied <= crew->slab_count / 2) {
            flsi_condition_broadcast(&crew->changed);
        }
        flsi_mutex_unlock(&crew->mutex);
    }
    fls_status status = flsi_sort_crew_await_slab(sorter, there, err);
    if (*there) {
        crew->in_hand = &crew->slabs[crew->emptied % crew->slab_count];
        crew->taken = 0;
    }
    return status;
}

fls_status flsi_sort_crew_next(fls_sorter *sorter, flsi_sort_record *record, int *there,
                               fls_error *err)
{
    flsi_sort_crew *crew = &sorter->crew;
    *there = 1;
    if (crew->in_hand == NULL || crew->taken == crew->in_hand->used) {
        fls_status status = take_slab(sorter, there, err);
        if (!*there) {
            return status;
        }
    }
    const uint8_t *from = crew->in_hand->memory + crew->taken;
    record->size = flsi_load_le32(from);
    record->flags = flsi_load_le32(from + 4);
    record->payload = from + SLAB_HEADER;
    crew->taken += SLAB_HEADER + record->size;
    return FLS_OK;
}

void flsi_sort_crew_dismiss(fls_sorter *sorter)
{
    flsi_sort_crew *crew = &sorter->crew;
    if (!crew->is_there) {
        return;
    }
    flsi_mutex_lock(&crew->mutex);
    atomic_store_explicit(&crew->halt, 1, memory_order_relaxed);
    flsi_condition_broadcast(&crew->changed);
    flsi_mutex_unlock(&crew->mutex);
    flsi_thread_join(&crew->thread);
    flsi_condition_fini(&crew->changed);
    flsi_mutex_fini(&crew->mutex);
    for (size_t i = 0; i < FLSI_SORT_SLABS; i++) {
        if (crew->slabs[i].memory != NULL) {
            sorter->allocator->free(sorter->allocator->self, crew->slabs[i].memory,
                                    crew->slab_bytes);
        }
    }
}
