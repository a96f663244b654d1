/* Checking frames ahead of a salvager's walk.
 *
 *     threads   take the next piece of the stream, find a first frame in it, and follow sound
 * frames up to the piece's end, in several runs where something is not sound between them the walk
 * asks what stands at its boundary: if that is a boundary of a run of its piece, the rest of the
 * run is sound, and need not be hashed again
 *
 * Piece k covers the frames that begin in [k * piece_bytes, (k + 1) * piece_bytes). Slots are a
 * ring: piece k uses slot k % slot_count, and no thread runs further ahead of the walk than that.
 * What is in a slot belongs to whoever its state says; states change under the mutex. The walk
 * keeps what it was given of a slot until it asks again.
 *
 * Where a first frame is found is no more than a guess, and so is where a run goes on behind a
 * fault. What is hashed in vain is paid from a purse that each thread has: no more in the long run
 * than the bytes that it reads.
 */
#include "stream/salvage_ahead.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/rewind.h"
#include "os/os_thread.h"
#include "stream/resync.h"

#define MOST_PIECE_BYTES  ((size_t)512 * 1024) /* some fit into a cache that cores share */
#define LONG_PIECE_BYTES  ((size_t)2 * 1024 * 1024)
#define LEAST_PIECE_BYTES ((size_t)64 * 1024)
#define PIECES_A_THREAD   4u
#define SLOTS_A_THREAD    2u
#define MOST_THREADS      256u
#define MOST_RUNS         64u
#define STEP_BYTES        ((size_t)256 * 1024) /* read at once, and hashed while they are near */
#define PAGE_BYTES        ((size_t)4096)
#define SEARCH_BYTES      (UINT32_C(1024) * 1024) /* largest payload that a search believes */
#define PURSE_BYTES       ((int64_t)16 * 1024 * 1024)
#define BATCH             64

typedef enum slot_state { SLOT_IDLE, SLOT_TAKEN, SLOT_DONE } slot_state;

typedef struct run {
    uint64_t from;
    uint64_t to;
} run;

typedef struct slot {
    slot_state state;
    uint64_t piece;
    const uint8_t *bytes; /* of the stream from `start` on */
    uint64_t start;
    size_t filled;
    void *block; /* where the source does not lend its bytes: capacity of them from a page on */
    uint8_t *buffer;
    size_t run_count;
    run runs[MOST_RUNS];
    /* The walk's: */
    size_t current;    /* runs before it are passed */
    uint64_t boundary; /* one of runs[current], not behind where the walk was */
} slot;

typedef struct worker {
    flsi_ahead *of;
    fls_cursor cursor;
    flsi_purse purse;
    flsi_thread thread;
} worker;

struct flsi_ahead {
    const fls_allocator *allocator;
    const flsi_view *view;
    const fls_digest_state *digest;
    uint32_t max_frame_bytes;
    size_t piece_bytes;
    size_t
        capacity; /* of a slot: what crosses a piece's end is in it if it is no longer than that */
    uint64_t pieces;
    flsi_mutex mutex;
    flsi_condition changed;
    uint64_t first; /* piece in which the walk is */
    uint64_t next;  /* piece that nobody has taken */
    int stop;
    slot *slots;
    uint32_t slot_count;
    worker *workers;
    uint32_t worker_count;
    uint32_t started;
};

/* ---- one piece, on a thread ---- */

static uint64_t bound_of(const flsi_ahead *of, const slot *into)
{
    uint64_t bound = into->start + of->piece_bytes;
    return bound < of->view->end ? bound : of->view->end;
}

/* Whether the stream's bytes up to `to` are in the slot, or can be read into it. */
static int fill(const flsi_ahead *of, slot *into, uint64_t to)
{
    uint64_t have = into->start + into->filled;
    size_t got = 0;
    if (to <= have) {
        return 1;
    }
    if (into->buffer == NULL || to > of->view->end || to - into->start > of->capacity) {
        return 0;
    }
    uint64_t bound = bound_of(of, into);
    uint64_t step = have + STEP_BYTES < bound ? have + STEP_BYTES : bound;
    size_t want = (size_t)((step > to ? step : to) - have);
    fls_status status = fls_source_read_all_at(of->view->source, have - of->view->first_offset,
                                               into->buffer + into->filled, want, &got, NULL);
    into->filled += status == FLS_OK || status == FLS_END ? got : 0;
    return to - into->start <= into->filled;
}

static int is_sound(worker *one, slot *into, uint64_t at, uint64_t *end)
{
    const flsi_ahead *of = one->of;
    const fls_digest_state *digest = of->digest;
    uint32_t unit = flsi_unit_of(digest);
    if (!fill(of, into, at + unit)) {
        return 0;
    }
    uint32_t length = flsi_load_le32(into->bytes + (size_t)(at - into->start));
    *end = at + unit + length;
    if (length > of->max_frame_bytes || (length == 0 && digest->of_empty == 0) ||
        !fill(of, into, *end)) {
        return 0;
    }
    const uint8_t *stored = into->bytes + (size_t)(at - into->start) + FLS_LENGTH_BYTES;
    if (flsi_digest_load(digest, digest->checksum, stored) ==
        flsi_digest_of(digest, digest->checksum, stored + digest->width, length)) {
        return 1;
    }
    one->purse.left -= length;
    return 0;
}

/* Goes over sound frames that are in the slot as a whole, as fast as a cursor can; the last of them
 * is left. Not over zeros, which a cursor may take for messages. */
static uint64_t follow(worker *one, const slot *into, uint64_t at, uint64_t bound)
{
    fls_message messages[BATCH];
    const uint64_t have = into->start + into->filled;
    const uint32_t unit = flsi_unit_of(one->of->digest);
    while (at < bound && have > at + unit) {
        const uint8_t *frame = into->bytes + (size_t)(at - into->start);
        size_t count;
        flsi_cursor_restart(&one->cursor, frame, (size_t)(have - at), 1, at, 0);
        if (flsi_load_le32(frame) == 0 ||
            fls_cursor_next_batch(&one->cursor, messages, BATCH, &count, NULL) != FLS_OK) {
            break;
        }
        while (count > 0 && messages[count - 1].offset >= bound) {
            count--;
        }
        at = messages[count - 1].offset + unit + messages[count - 1].size;
    }
    return at;
}

/* The first proven frame from an offset on, by what is in the slot. */
static int search(worker *one, slot *into, uint64_t from, uint64_t *found)
{
    const flsi_ahead *of = one->of;
    uint64_t bound = bound_of(of, into);
    for (;;) {
        flsi_view there;
        flsi_resync resync;
        flsi_candidate frame;
        int proven = 0;
        flsi_view_of_memory(&there, into->bytes, into->filled, into->start);
        flsi_resync_init(&resync, of->digest, &there, of->max_frame_bytes, 1);
        if (resync.prober.max_frame_bytes > SEARCH_BYTES) {
            resync.prober.max_frame_bytes = SEARCH_BYTES;
        }
        resync.purse = one->purse;
        uint64_t to = there.end < bound ? there.end : bound;
        fls_status status = flsi_resync_find(&resync, from, to, &frame, &proven, NULL);
        one->purse = resync.purse;
        flsi_resync_close(&resync);
        if (status == FLS_OK && proven) {
            *found = frame.offset;
            return 1;
        }
        if (there.end >= bound || !fill(of, into, bound)) {
            return 0;
        }
    }
}

/* Where frames go on behind one that is not sound: where that one ends, or zeros do, or where a
 * search finds some. */
static int find_next(worker *one, slot *into, uint64_t fault, uint64_t *next)
{
    const flsi_ahead *of = one->of;
    uint64_t bound = bound_of(of, into);
    uint32_t unit = flsi_unit_of(of->digest);
    uint64_t end;
    if (one->purse.left <= 0) {
        return 0;
    }
    if (fill(of, into, fault + unit)) {
        const uint8_t *bytes = into->bytes + (size_t)(fault - into->start);
        uint32_t length = flsi_load_le32(bytes);
        *next = fault + unit + length;
        if (length == 0 && of->digest->of_empty == 0) {
            size_t zeros = flsi_zero_run(bytes, into->filled - (size_t)(fault - into->start));
            *next = fault + zeros - zeros % unit;
        }
        if (*next > fault && *next < bound && length <= of->max_frame_bytes &&
            is_sound(one, into, *next, &end)) {
            return 1;
        }
    }
    return search(one, into, fault + 1, next);
}

static void check_piece(worker *one, slot *into)
{
    const flsi_ahead *of = one->of;
    uint64_t bound = bound_of(of, into);
    uint64_t at = into->start;
    into->run_count = 0;
    into->filled = 0;
    into->bytes = into->buffer;
    if (into->buffer == NULL) {
        uint64_t left = of->view->end - into->start;
        into->bytes = of->view->memory + (size_t)(into->start - of->view->memory_offset);
        into->filled = left < of->capacity ? (size_t)left : of->capacity;
    }
    one->purse.left += (int64_t)of->piece_bytes;
    one->purse.left = one->purse.left < PURSE_BYTES ? one->purse.left : PURSE_BYTES;
    int there = into->piece == 0 || (fill(of, into, at + 1) && search(one, into, at, &at));
    while (there && into->run_count < MOST_RUNS) {
        run sound = {at, at};
        uint64_t end;
        for (end = at; end < bound && is_sound(one, into, end, &end);) {
            end = follow(one, into, end, bound);
            sound.to = end;
        }
        if (sound.to > sound.from) {
            into->runs[into->run_count++] = sound;
        }
        there = sound.to < bound && find_next(one, into, sound.to, &at);
    }
}

/* ---- threads ---- */

/* The next piece whose slot is nobody's; 0 when there is nothing more to do. */
static int take_piece(flsi_ahead *of, slot **taken)
{
    while (!of->stop) {
        of->next = of->next > of->first ? of->next : of->first;
        slot *into = &of->slots[of->next % of->slot_count];
        if (of->next >= of->pieces) {
            return 0;
        }
        if (of->next < of->first + of->slot_count && into->state != SLOT_TAKEN) {
            into->state = SLOT_TAKEN;
            into->piece = of->next++;
            into->start = into->piece * of->piece_bytes;
            *taken = into;
            return 1;
        }
        flsi_condition_wait(&of->changed, &of->mutex);
    }
    return 0;
}

static void work(void *self)
{
    worker *one = self;
    flsi_ahead *of = one->of;
    slot *into;
    flsi_mutex_lock(&of->mutex);
    while (take_piece(of, &into)) {
        flsi_mutex_unlock(&of->mutex);
        check_piece(one, into);
        flsi_mutex_lock(&of->mutex);
        into->state = SLOT_DONE;
        into->current = 0;
        into->boundary = into->runs[0].from;
        flsi_condition_broadcast(&of->changed);
    }
    flsi_mutex_unlock(&of->mutex);
}

/* ---- the walk ---- */

/* The bytes of a run from `offset` on, if that is one of its boundaries. */
static void look_up(const flsi_ahead *of, slot *from, uint64_t offset, const uint8_t **bytes,
                    size_t *size)
{
    while (from->current < from->run_count && from->runs[from->current].to <= offset) {
        from->current++;
        from->boundary = from->current < from->run_count ? from->runs[from->current].from : 0;
    }
    if (from->current == from->run_count) {
        return;
    }
    while (from->boundary < offset) {
        const uint8_t *frame = from->bytes + (size_t)(from->boundary - from->start);
        from->boundary += flsi_unit_of(of->digest) + (uint64_t)flsi_load_le32(frame);
    }
    if (from->boundary == offset) {
        *bytes = from->bytes + (size_t)(offset - from->start);
        *size = (size_t)(from->runs[from->current].to - offset);
    }
}

void flsi_ahead_get(flsi_ahead *ahead, uint64_t offset, const uint8_t **bytes, size_t *size)
{
    uint64_t piece = offset / ahead->piece_bytes;
    *size = 0;
    if (piece >= ahead->pieces) {
        return;
    }
    slot *from = &ahead->slots[piece % ahead->slot_count];
    flsi_mutex_lock(&ahead->mutex);
    if (piece > ahead->first) {
        ahead->first = piece;
        flsi_condition_broadcast(&ahead->changed);
    }
    while (from->piece != piece || from->state != SLOT_DONE) {
        flsi_condition_wait(&ahead->changed, &ahead->mutex);
    }
    flsi_mutex_unlock(&ahead->mutex);
    look_up(ahead, from, offset, bytes, size);
}

/* ---- starting and stopping ---- */

static void *zeroed(const fls_allocator *allocator, size_t bytes, fls_error *err)
{
    void *memory = allocator->resize(allocator->self, NULL, 0, bytes);
    if (memory == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to salvage with several threads");
    } else {
        memset(memory, 0, bytes);
    }
    return memory;
}

static void release(const flsi_ahead *of, void *memory, size_t bytes)
{
    if (memory != NULL) {
        of->allocator->free(of->allocator->self, memory, bytes);
    }
}

static fls_status equip(flsi_ahead *of, fls_error *err)
{
    of->slots = zeroed(of->allocator, of->slot_count * sizeof *of->slots, err);
    of->workers = of->slots == NULL
                      ? NULL
                      : zeroed(of->allocator, of->worker_count * sizeof *of->workers, err);
    if (of->workers == NULL) {
        return FLS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < of->slot_count; i++) {
        slot *one = &of->slots[i];
        one->piece = UINT64_MAX;
        if (flsi_view_in_memory(of->view)) {
            continue;
        }
        one->block = of->allocator->resize(of->allocator->self, NULL, 0, of->capacity + PAGE_BYTES);
        if (one->block == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0,
                                 "no memory to salvage with several threads");
        }
        one->buffer = (uint8_t *)one->block + (-(uintptr_t)one->block & (PAGE_BYTES - 1));
    }
    return FLS_OK;
}

static void put_away(flsi_ahead *of)
{
    for (uint32_t i = 0; of->slots != NULL && i < of->slot_count; i++) {
        release(of, of->slots[i].block, of->capacity + PAGE_BYTES);
    }
    release(of, of->workers, of->worker_count * sizeof *of->workers);
    release(of, of->slots, of->slot_count * sizeof *of->slots);
    release(of, of, sizeof *of);
}

/* Frames are found if they are not longer than a piece. */
static size_t fitting_piece(uint64_t bytes, uint32_t threads, uint64_t largest)
{
    uint64_t share = bytes / ((uint64_t)threads * PIECES_A_THREAD);
    uint64_t most = largest > MOST_PIECE_BYTES / 4 ? LONG_PIECE_BYTES : MOST_PIECE_BYTES;
    share = share / LEAST_PIECE_BYTES * LEAST_PIECE_BYTES;
    return share > most                ? (size_t)most
           : share < LEAST_PIECE_BYTES ? LEAST_PIECE_BYTES
                                       : (size_t)share;
}

int flsi_ahead_is_short(const flsi_ahead *ahead, uint64_t largest)
{
    return largest > ahead->piece_bytes / 4 && ahead->piece_bytes < LONG_PIECE_BYTES &&
           ahead->piece_bytes >= MOST_PIECE_BYTES;
}

static fls_status start_threads(flsi_ahead *of, fls_error *err)
{
    fls_status status = flsi_mutex_init(&of->mutex, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_condition_init(&of->changed, err);
    if (status != FLS_OK) {
        flsi_mutex_fini(&of->mutex);
        return status;
    }
    for (uint32_t i = 0; i < of->worker_count; i++) { /* fewer than asked for are enough */
        of->workers[i].of = of;
        of->workers[i].cursor.digest = *of->digest;
        of->workers[i].cursor.max_frame_bytes = of->max_frame_bytes;
        of->workers[i].purse.left = PURSE_BYTES;
        if (flsi_thread_start(&of->workers[i].thread, work, &of->workers[i], NULL) != FLS_OK) {
            break;
        }
        of->started++;
    }
    return FLS_OK;
}

fls_status flsi_ahead_start(flsi_ahead **ahead, const flsi_ahead_options *options, fls_error *err)
{
    uint32_t threads = options->threads < MOST_THREADS ? options->threads : MOST_THREADS;
    uint64_t end = options->view->end;
    *ahead = NULL;
    if (threads < 2) {
        return FLS_OK;
    }
    size_t piece = options->piece_bytes != 0
                       ? options->piece_bytes
                       : fitting_piece(end - options->from, threads, options->largest);
    uint64_t pieces = (end + piece - 1) / piece;
    uint64_t first = options->from / piece;
    if (pieces < first + 2) {
        return FLS_OK;
    }
    flsi_ahead *made = zeroed(options->allocator, sizeof *made, err);
    if (made == NULL) {
        return FLS_NO_MEMORY;
    }
    made->allocator = options->allocator;
    made->view = options->view;
    made->digest = options->digest;
    made->max_frame_bytes = options->max_frame_bytes;
    made->piece_bytes = piece;
    made->capacity = 2 * piece;
    made->pieces = pieces;
    made->first = first;
    made->next = first;
    made->worker_count = threads < pieces - first ? threads : (uint32_t)(pieces - first);
    made->slot_count = SLOTS_A_THREAD * made->worker_count + 1;
    fls_status status = equip(made, err);
    if (status == FLS_OK) {
        status = start_threads(made, err);
    }
    if (status != FLS_OK) {
        put_away(made);
        return status;
    }
    if (made->started == 0) {
        flsi_ahead_stop(made);
        return FLS_OK;
    }
    *ahead = made;
    return FLS_OK;
}

void flsi_ahead_stop(flsi_ahead *ahead)
{
    if (ahead == NULL) {
        return;
    }
    flsi_mutex_lock(&ahead->mutex);
    ahead->stop = 1;
    flsi_condition_broadcast(&ahead->changed);
    flsi_mutex_unlock(&ahead->mutex);
    while (ahead->started > 0) {
        flsi_thread_join(&ahead->workers[--ahead->started].thread);
    }
    flsi_condition_fini(&ahead->changed);
    flsi_mutex_fini(&ahead->mutex);
    put_away(ahead);
}
