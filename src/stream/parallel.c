/* Several threads on one stream.
 *
 *     threads  take the next piece, find its first frame, walk to the first frame at or behind
 *              the next piece's start, and leave the result in the piece's slot
 *     caller   takes slots in order: a piece that begins where the one before ended is collected,
 *              any other is read again from there; while it waits it does what the others do
 *
 * A piece k covers the frames that begin in [start(k), start(k + 1)). A start is a multiple of the
 * pieces' size, or the first anchor behind it. Slots are a ring: piece k uses slot k % slot_count,
 * so that no thread runs far ahead. Everything in a slot belongs to whoever its state says; states
 * change under the mutex.
 */
#include "flatstream/parallel.h"

#include "core/bytes.h"
#include "core/cpu.h"
#include "core/digest.h"
#include "core/options.h"
#include "flatstream/salvage.h"
#include "io/io_ops.h"
#include "os/os_thread.h"
#include "stream/guess.h"
#include "stream/reader_private.h"

#define PIECE_BYTES    ((size_t)4 * 1024 * 1024)
#define PIECE_UNIT     ((size_t)64 * 1024) /* what reader.c looks at roots by */
#define MOST_THREADS   256u
#define SLOTS_A_THREAD 3u
#define BATCH          64
#define GUESS_BYTES    ((size_t)16 * 1024) /* read to guess where a frame begins */
#define HOP_BYTES      4096u /* of the stream, on average at least, that a hop has to pass */
#define NOWHERE        UINT64_MAX

typedef enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_DONE } slot_state;

typedef struct slot {
    slot_state state;
    int found;           /* a first frame was */
    int anchored;        /* it is an anchor */
    uint64_t first_look; /* state of its message, which the walk did not look at */
    fls_reader_position from;
    fls_reader_position to;
    fls_status status; /* FLS_OK: the next piece follows; FLS_END; FLS_STOPPED; or a failure */
    void *result;
    fls_error error;
} slot;

/* Where a walk over headers alone stands, which where frames are long is little work: it finds the
 * beginnings of pieces in their order, and keeps those of the pieces that may be asked for yet. */
typedef struct hops {
    flsi_mutex mutex;
    uint64_t at;    /* a frame begins there, as far as is known; NOWHERE: not known */
    uint64_t piece; /* the first whose beginning is not found yet */
    struct hops_find {
        uint64_t piece;
        uint64_t offset;
    } * finds; /* of piece k: at k % slot_count */
} hops;

typedef struct crew crew;

typedef struct member {
    crew *of;
    fls_reader *reader;
    uint8_t *glance; /* GUESS_BYTES, where the source does not lend its bytes */
    flsi_thread thread;
} member;

struct crew {
    const fls_parallel_work *work;
    fls_reader_options reading;
    fls_digest_state digest;
    const fls_allocator *allocator;
    const uint8_t *lent; /* the stream's bytes, or NULL */
    fls_source source;   /* the caller's, without its closing */
    fls_source_ops ops;
    uint64_t end;    /* of the stream, when we began */
    uint64_t origin; /* start of piece 0 is position.offset; of piece k: origin + k * piece_bytes */
    uint64_t piece_bytes;
    uint64_t pieces;
    fls_salvage_anchors anchors;
    fls_reader_position position;
    flsi_mutex mutex;
    flsi_condition changed;
    uint64_t next; /* piece that nobody has taken */
    int stop;
    int misled; /* an anchor was wrong */
    hops hops;
    slot *slots;
    uint32_t slot_count;
    uint32_t members;
    uint32_t started;
    member *all; /* the last one is the caller's own */
};

/* The first anchor at or behind an offset; UINT64_MAX: there is none. Whatever the anchors are, it
 * is not before the offset. */
static uint64_t anchor_from(const fls_salvage_anchors *anchors, uint64_t offset)
{
    size_t low = 0;
    size_t high = anchors->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (anchors->offsets[middle] < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < anchors->count && anchors->offsets[low] >= offset ? anchors->offsets[low]
                                                                   : UINT64_MAX;
}

/* Starts rise from piece to piece, and are before the end of the stream. */
static uint64_t find_start_of(const crew *of, uint64_t piece, int *anchored)
{
    uint64_t start = of->origin + piece * of->piece_bytes;
    *anchored = 0;
    if (piece == 0) {
        return of->position.offset;
    }
    uint64_t anchor = anchor_from(&of->anchors, start);
    if (anchor >= of->end || anchor - start >= of->piece_bytes) {
        return start;
    }
    *anchored = 1;
    return anchor;
}

static uint64_t start_of(const crew *of, uint64_t piece)
{
    int anchored;
    return find_start_of(of, piece, &anchored);
}

/* What a walk of the piece has to reach. The last one goes on while there is anything. */
static uint64_t bound_of(const crew *of, uint64_t piece)
{
    return piece + 1 == of->pieces ? UINT64_MAX : start_of(of, piece + 1);
}

/* ---- one piece ---- */

/* Messages of a batch that begin before the bound. */
static size_t before(const fls_message *messages, size_t count, uint64_t bound)
{
    while (count > 0 && messages[count - 1].offset >= bound) {
        count--;
    }
    return count;
}

/* Reads from into->from up to the bound. */
static void walk(const crew *of, fls_reader *reader, slot *into, uint64_t bound)
{
    const fls_parallel_work *work = of->work;
    fls_message messages[BATCH];
    const fls_reader_position from = {into->from.offset, 0, into->from.state};
    fls_status status = FLS_OK;
    if (work->begin != NULL) {
        work->begin(work->self, into->result);
    }
    into->first_look = 0;
    flsi_reader_restart(reader, &from, bound);
    while (status == FLS_OK && fls_reader_offset(reader) < bound) {
        size_t count = 0;
        status = fls_reader_next_batch(reader, messages, BATCH, &count, &into->error);
        if (status == FLS_OK) {
            size_t within = before(messages, count, bound);
            size_t taken = within;
            if (into->first_look == 0 && within > 0) {
                into->first_look = flsi_state_of_look(&messages[0]);
            }
            if (work->take != NULL) {
                status =
                    work->take(work->self, into->result, messages, within, &taken, &into->error);
                taken = status == FLS_OK ? within : taken;
            }
            if (taken < count) {
                flsi_reader_give_back(reader, messages, taken, count);
                break;
            }
        }
    }
    fls_reader_get_position(reader, &into->to);
    into->status = status;
}

/* What the reader said: an end, a failure to be passed on, or something for a reader to meet. */
static fls_status sort_out(fls_status status)
{
    if (status == FLS_OK || status == FLS_END || status == FLS_STOPPED) {
        return status;
    }
    return fls_status_class_of(status) == FLS_CLASS_SYSTEM ? status : FLS_STOPPED;
}

/* A cheap guess by what is near. What is at an offset that is not read well is found out by a
 * search, and by the walk. */
static int guess(const member *one, uint64_t from, uint64_t *offset)
{
    const crew *of = one->of;
    uint64_t left = of->end - of->reading.first_offset - from;
    size_t size = left < GUESS_BYTES ? (size_t)left : GUESS_BYTES;
    const uint8_t *bytes = one->glance;
    size_t at;
    if (of->lent != NULL) {
        bytes = of->lent + (size_t)from;
    } else {
        fls_status status =
            fls_source_read_all_at(&of->source, from, one->glance, size, &size, NULL);
        if (status != FLS_OK && status != FLS_END) {
            return 0;
        }
    }
    uint32_t most = of->reading.max_frame_bytes;
    most = most != 0 ? most : FLS_DEFAULT_MAX_FRAME_BYTES;
    if (!flsi_guess_frame(&of->digest, most, bytes, size, &at)) {
        return 0;
    }
    *offset = from + at;
    return 1;
}

/* The first frame that is proven. */
static fls_status search(const crew *of, uint64_t from, uint64_t to, slot *into)
{
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    options.checksum = of->reading.checksum;
    options.custom_checksum = of->reading.custom_checksum;
    options.max_frame_bytes = of->reading.max_frame_bytes;
    options.allocator = of->allocator;
    return fls_salvage_find(&of->source, from, to, &options, &into->from.offset, &into->error);
}

/* ---- hops ---- */

/* Over the frame at hops.at. 0: none can be there, or it is not known. */
static int hop(crew *of)
{
    uint8_t header[FLS_LENGTH_BYTES];
    uint64_t at = of->hops.at;
    uint32_t unit = FLS_LENGTH_BYTES + of->digest.width;
    uint32_t most = of->reading.max_frame_bytes;
    size_t got = sizeof header;
    if (at >= of->end || of->end - at < unit) {
        return 0;
    }
    uint64_t from = at - of->reading.first_offset;
    if (of->lent != NULL) {
        memcpy(header, of->lent + (size_t)from, sizeof header);
    } else if (fls_source_read_all_at(&of->source, from, header, sizeof header, &got, NULL) !=
                   FLS_OK ||
               got != sizeof header) {
        return 0;
    }
    uint32_t length = flsi_load_le32(header);
    if (length > (most != 0 ? most : FLS_DEFAULT_MAX_FRAME_BYTES) || of->end - at - unit < length) {
        return 0;
    }
    of->hops.at += unit + length;
    return 1;
}

/* Notes hops.at for the pieces up to one that begin at or before it. */
static void note_hop(crew *of, uint64_t piece)
{
    hops *h = &of->hops;
    while (h->piece <= piece && start_of(of, h->piece) <= h->at) {
        h->finds[h->piece % of->slot_count] = (struct hops_find){h->piece, h->at};
        h->piece++;
    }
}

/* The first frame at or behind the start of a piece, which may be in a later one or at the end. 0:
 * it is not known, and would take too many hops. */
static int hop_to(crew *of, uint64_t piece, uint64_t *offset)
{
    hops *h = &of->hops;
    uint64_t left = 2 * of->piece_bytes / HOP_BYTES;
    flsi_mutex_lock(&h->mutex);
    note_hop(of, piece);
    while (h->piece <= piece && h->at != NOWHERE && left > 0) {
        left--;
        if (hop(of)) {
            note_hop(of, piece);
        } else {
            h->at = NOWHERE;
        }
    }
    const struct hops_find *find = &h->finds[piece % of->slot_count];
    int found = h->piece > piece && find->piece == piece;
    *offset = find->offset;
    flsi_mutex_unlock(&h->mutex);
    return found;
}

/* The beginning of a piece was found in another way. */
static void hop_on_from(crew *of, uint64_t piece, uint64_t offset)
{
    hops *h = &of->hops;
    flsi_mutex_lock(&h->mutex);
    if (h->at == NOWHERE || h->at < offset) {
        h->at = offset;
        h->piece = piece + 1;
    }
    flsi_mutex_unlock(&h->mutex);
}

/* Where the first frame of a piece begins: at its anchor, or guessed, or where frames are long
 * found by hops or by proof. */
static fls_status find_start(const member *one, uint64_t piece, int believes, slot *into)
{
    crew *of = one->of;
    uint64_t first = of->reading.first_offset;
    uint64_t from = find_start_of(of, piece, &into->anchored) - first;
    uint64_t bound = bound_of(of, piece);
    into->from = of->position;
    into->found = 1;
    if (piece == 0) {
        return FLS_OK;
    }
    into->from.state = FLSI_STATE_SOMEWHERE;
    if (into->anchored) {
        /* Whether its message is to be looked at depends on the piece before. */
        into->from.state = FLSI_STATE_KNOWN;
        if (believes) {
            into->from.offset = first + from;
            return FLS_OK;
        }
    }
    fls_status status = FLS_OK;
    uint64_t hopped;
    if (guess(one, from, &into->from.offset)) {
        into->from.offset += first;
    } else if (hop_to(of, piece, &hopped)) {
        into->found = hopped < bound && hopped < of->end;
        into->from.offset = hopped;
        return FLS_OK;
    } else {
        status = search(of, from, (bound < of->end ? bound : of->end) - first, into);
        into->from.offset += first;
        into->found = status == FLS_OK;
    }
    if (into->found) {
        hop_on_from(of, piece, into->from.offset);
    }
    return status == FLS_END ? FLS_OK : status;
}

/* ---- threads ---- */

/* A piece that nobody has taken and whose slot is free, if there is one now. */
static int take_at_once(crew *of, uint64_t *piece)
{
    if (of->next >= of->pieces || of->slots[of->next % of->slot_count].state != SLOT_FREE) {
        return 0;
    }
    *piece = of->next++;
    of->slots[*piece % of->slot_count].state = SLOT_TAKEN;
    return 1;
}

/* The next one, which is waited for; 0 when there is nothing more to do. */
static int take_piece(crew *of, uint64_t *piece)
{
    while (!of->stop && of->next < of->pieces) {
        if (take_at_once(of, piece)) {
            return 1;
        }
        flsi_condition_wait(&of->changed, &of->mutex);
    }
    return 0;
}

/* Works on a piece that was taken; the mutex is held before and afterwards. */
static void work_on(const member *one, uint64_t piece)
{
    crew *of = one->of;
    slot *into = &of->slots[piece % of->slot_count];
    int believes = !of->misled;
    flsi_mutex_unlock(&of->mutex);
    into->status = find_start(one, piece, believes, into);
    if (into->status == FLS_OK && into->found) {
        walk(of, one->reader, into, bound_of(of, piece));
    }
    flsi_mutex_lock(&of->mutex);
    into->state = SLOT_DONE;
}

static void run(void *self)
{
    const member *one = self;
    crew *of = one->of;
    uint64_t piece;
    flsi_mutex_lock(&of->mutex);
    while (take_piece(of, &piece)) {
        work_on(one, piece);
        flsi_condition_broadcast(&of->changed);
    }
    flsi_mutex_unlock(&of->mutex);
}

static void dismiss(crew *of)
{
    flsi_mutex_lock(&of->mutex);
    of->stop = 1;
    flsi_condition_broadcast(&of->changed);
    flsi_mutex_unlock(&of->mutex);
    while (of->started > 0) {
        flsi_thread_join(&of->all[--of->started].thread);
    }
}

/* ---- in order, on the calling thread ---- */

/* A piece whose first frame was not found, or is another one: from where the walk stands. */
static void read_again(crew *of, slot *into, uint64_t bound, fls_parallel_report *report)
{
    into->from = report->position;
    into->from.state &= ~(FLSI_STATE_ROOTS_MASK << FLSI_STATE_ROOTS_SHIFT);
    flsi_mutex_lock(&of->mutex);
    of->misled |= into->anchored;
    flsi_mutex_unlock(&of->mutex);
    into->anchored = 0;
    walk(of, of->all[of->members - 1].reader, into, bound);
    report->again++;
}

/* What is known behind a piece, of the messages in it and before. */
static uint64_t state_behind(uint64_t before, const slot *piece, uint64_t messages)
{
    if (piece->anchored && messages == 0) {
        return before;
    }
    if (piece->anchored && (before & FLSI_STATE_LOOK_DUE) != 0) {
        before = flsi_state_joined(before, piece->first_look);
    }
    return flsi_state_joined(before, piece->to.state);
}

static fls_status collect(crew *of, slot *from, fls_parallel_report *report, fls_error *err)
{
    const fls_parallel_piece piece = {report->position.ordinal, from->to.ordinal, from->from.offset,
                                      from->to.offset};
    fls_status status = sort_out(from->status);
    if (status != FLS_OK && status != FLS_END && status != FLS_STOPPED) {
        if (err != NULL) {
            *err = from->error;
            err->ordinal += (err->known & FLS_ERROR_ORDINAL) != 0 ? piece.first_ordinal : 0;
        }
        return status;
    }
    fls_status collected = of->work->collect(of->work->self, from->result, &piece, err);
    if (collected != FLS_OK) {
        return collected;
    }
    report->messages += piece.messages;
    report->position.offset = piece.to;
    report->position.ordinal += piece.messages;
    report->position.state = state_behind(report->position.state, from, piece.messages);
    report->pieces++;
    return status;
}

/* Until a slot is done. Meanwhile the caller works on pieces itself: no thread more than were asked
 * for, and none that only waits. */
static void wait_for(crew *of, const slot *from)
{
    uint64_t piece;
    flsi_mutex_lock(&of->mutex);
    while (from->state != SLOT_DONE) {
        if (take_at_once(of, &piece)) {
            work_on(&of->all[of->members - 1], piece);
        } else {
            flsi_condition_wait(&of->changed, &of->mutex);
        }
    }
    flsi_mutex_unlock(&of->mutex);
}

static fls_status take_in_order(crew *of, fls_parallel_report *report, fls_error *err)
{
    fls_status status = FLS_OK;
    for (uint64_t piece = 0; status == FLS_OK && piece < of->pieces; piece++) {
        slot *from = &of->slots[piece % of->slot_count];
        uint64_t bound = bound_of(of, piece);
        wait_for(of, from);
        if (report->position.offset < bound) {
            if (!from->found || from->from.offset != report->position.offset) {
                read_again(of, from, bound, report);
            }
            status = collect(of, from, report, err);
        }
        flsi_mutex_lock(&of->mutex);
        from->state = SLOT_FREE;
        flsi_condition_broadcast(&of->changed);
        flsi_mutex_unlock(&of->mutex);
    }
    return status;
}

/* ---- setting up ---- */

/* The checksum by its proof at the beginning. FLS_END, FLS_STOPPED: there is nothing to share out.
 */
static fls_status find_checksum(crew *of, fls_error *err)
{
    fls_reader *reader;
    fls_message message;
    fls_error why = FLS_ERROR_INIT;
    if (of->reading.checksum != FLS_CHECKSUM_DETECT) {
        return FLS_OK;
    }
    fls_status status = fls_reader_open(&reader, of->source, &of->reading, err);
    if (status != FLS_OK) {
        return status;
    }
    status = sort_out(fls_reader_next(reader, &message, &why));
    of->reading.checksum = fls_reader_checksum(reader);
    fls_reader_close(reader);
    if (err != NULL && status != FLS_OK && status != FLS_END && status != FLS_STOPPED) {
        *err = why;
    }
    return status;
}

/* How long the stream is, however its bytes are had. */
static fls_status find_end(crew *of, fls_error *err)
{
    uint64_t bytes = 0;
    fls_status status = FLS_OK;
    if (FLSI_SOURCE_HAS(&of->source, borrow)) {
        const void *data;
        size_t size = 0;
        status = of->source.ops->borrow(of->source.self, &data, &size, err);
        of->lent = data;
        bytes = size;
    } else if (FLSI_SOURCE_HAS(&of->source, read_at)) {
        status = fls_source_size(&of->source, &bytes, err);
    } else {
        status = fls_error_set(err, FLS_UNSUPPORTED, 0, "the source cannot be read at an offset");
    }
    of->end = of->reading.first_offset + bytes;
    return status;
}

static void lay_out(crew *of, const fls_parallel_options *given)
{
    uint64_t begin = of->position.offset - of->reading.first_offset;
    uint64_t bytes = given->piece_bytes != 0 ? given->piece_bytes : PIECE_BYTES;
    of->piece_bytes = (bytes + PIECE_UNIT - 1) / PIECE_UNIT * PIECE_UNIT;
    of->origin = of->reading.first_offset + begin / PIECE_UNIT * PIECE_UNIT;
    of->pieces =
        of->end > of->origin ? (of->end - of->origin + of->piece_bytes - 1) / of->piece_bytes : 1;
    uint32_t threads = given->threads != 0 ? given->threads : fls_parallel_processors();
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    threads = threads < of->pieces ? threads : (uint32_t)of->pieces;
    of->members = threads;
    of->slot_count = SLOTS_A_THREAD * threads;
}

static void *zeroed(const fls_allocator *allocator, size_t bytes, fls_error *err)
{
    void *memory = allocator->resize(allocator->self, NULL, 0, bytes);
    if (memory == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to read in parallel");
    } else {
        memset(memory, 0, bytes);
    }
    return memory;
}

/* Readers and results for all, before the first thread starts. */
static fls_status equip(crew *of, fls_error *err)
{
    const fls_parallel_work *work = of->work;
    of->slots = zeroed(of->allocator, of->slot_count * sizeof *of->slots, err);
    of->hops.finds = of->slots == NULL
                         ? NULL
                         : zeroed(of->allocator, of->slot_count * sizeof *of->hops.finds, err);
    of->all =
        of->hops.finds == NULL ? NULL : zeroed(of->allocator, of->members * sizeof *of->all, err);
    if (of->all == NULL) {
        return FLS_NO_MEMORY;
    }
    of->hops.at = of->position.offset;
    of->hops.piece = 1;
    for (uint32_t i = 0; work->make != NULL && i < of->slot_count; i++) {
        of->slots[i].result = work->make(work->self);
        if (of->slots[i].result == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for results");
        }
    }
    for (uint32_t i = 0; i < of->members; i++) {
        of->all[i].of = of;
        of->all[i].glance = of->lent != NULL ? NULL : zeroed(of->allocator, GUESS_BYTES, err);
        if (of->lent == NULL && of->all[i].glance == NULL) {
            return FLS_NO_MEMORY;
        }
        fls_status status = fls_reader_open(&of->all[i].reader, of->source, &of->reading, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    return FLS_OK;
}

static void put_away(crew *of)
{
    for (uint32_t i = 0; of->all != NULL && i < of->members; i++) {
        fls_reader_close(of->all[i].reader);
        if (of->all[i].glance != NULL) {
            of->allocator->free(of->allocator->self, of->all[i].glance, GUESS_BYTES);
        }
    }
    for (uint32_t i = 0; of->slots != NULL && i < of->slot_count; i++) {
        if (of->slots[i].result != NULL) {
            of->work->dispose(of->work->self, of->slots[i].result);
        }
    }
    if (of->all != NULL) {
        of->allocator->free(of->allocator->self, of->all, of->members * sizeof *of->all);
    }
    if (of->hops.finds != NULL) {
        of->allocator->free(of->allocator->self, of->hops.finds,
                            of->slot_count * sizeof *of->hops.finds);
    }
    if (of->slots != NULL) {
        of->allocator->free(of->allocator->self, of->slots, of->slot_count * sizeof *of->slots);
    }
}

static fls_status work_together(crew *of, fls_parallel_report *report, fls_error *err)
{
    fls_status status = equip(of, err);
    if (status == FLS_OK) {
        int started = 1; /* fewer than asked for are enough */
        for (uint32_t i = 0; started && i + 1 < of->members; i++) {
            started = flsi_thread_start(&of->all[i].thread, run, &of->all[i], NULL) == FLS_OK;
            of->started += (uint32_t)started;
        }
        status = take_in_order(of, report, err);
        dismiss(of);
    }
    put_away(of);
    return status;
}

static fls_status with_locks(crew *of, fls_parallel_report *report, fls_error *err)
{
    fls_status status = flsi_mutex_init(&of->mutex, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_condition_init(&of->changed, err);
    if (status == FLS_OK) {
        status = flsi_mutex_init(&of->hops.mutex, err);
        if (status == FLS_OK) {
            status = work_together(of, report, err);
            flsi_mutex_fini(&of->hops.mutex);
        }
        flsi_condition_fini(&of->changed);
    }
    flsi_mutex_fini(&of->mutex);
    return status;
}

/* Fills the crew in from what was asked for; the source without its closing, since each reader
 * closes what it was given. */
static fls_status prepare(crew *of, const fls_source *source, const fls_parallel_options *given,
                          fls_error *err)
{
    fls_status status = flsi_options_read(&of->reading, sizeof of->reading, given->reading, err);
    if (status != FLS_OK) {
        return status;
    }
    if (of->reading.observer_count > 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "observers cannot be told of messages in parallel");
    }
    if (source->ops == NULL) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed");
    }
    size_t bytes =
        source->ops->struct_bytes < sizeof of->ops ? source->ops->struct_bytes : sizeof of->ops;
    memcpy(&of->ops, source->ops, bytes);
    of->ops.struct_bytes = sizeof of->ops;
    of->ops.close = NULL;
    of->source = (fls_source){&of->ops, source->self};
    if (given->anchors != NULL) {
        of->anchors = *given->anchors;
    }
    of->allocator = of->reading.allocator != NULL ? of->reading.allocator : fls_allocator_libc();
    of->position = (fls_reader_position){of->reading.first_offset, of->reading.first_ordinal,
                                         FLSI_STATE_SOMEWHERE};
    if (of->reading.position != NULL) {
        of->position = *of->reading.position;
        of->position.state = of->position.state != 0 ? of->position.state : FLSI_STATE_SOMEWHERE;
    }
    of->reading.position = &of->position;
    return FLS_OK;
}

fls_status fls_parallel_read(const fls_source *source, const fls_parallel_options *options,
                             const fls_parallel_work *work, fls_parallel_report *report,
                             fls_error *err)
{
    fls_parallel_options given;
    fls_parallel_report result = FLS_PARALLEL_REPORT_INIT;
    crew of = {.work = work};
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status == FLS_OK) {
        status = prepare(&of, source, &given, err);
    }
    result.position = of.position;
    if (status == FLS_OK) {
        status = find_end(&of, err);
    }
    if (status == FLS_OK) {
        status = find_checksum(&of, err);
    }
    if (status == FLS_OK) {
        status = flsi_digest_init(&of.digest, of.reading.checksum, of.reading.custom_checksum,
                                  flsi_cpu_features(), err);
    }
    if (status == FLS_OK) {
        lay_out(&of, &given);
        status = with_locks(&of, &result, err);
    }
    result.checksum = (fls_checksum)of.reading.checksum;
    if (report != NULL) {
        uint32_t bytes = report->struct_bytes;
        memcpy(report, &result, bytes < sizeof result ? bytes : sizeof result);
        report->struct_bytes = bytes;
    }
    return status;
}

uint32_t fls_parallel_processors(void)
{
    return flsi_processors();
}
