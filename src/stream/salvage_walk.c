/* Walking over what is sound: a cursor over a window of the stream. Zeros (rule Z of
 * docs/SALVAGE.md) are looked at here, since a cursor believes more of them than can be believed of
 * a stream that is damaged.
 */
#include "core/bytes.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/rewind.h"
#include "stream/evidence.h"
#include "stream/salvage_private.h"

#define WINDOW_BYTES ((size_t)256 * 1024)
#define GLANCE_BYTES ((size_t)16 * 1024) /* loaded first where other threads know what follows */
#define PAGE_BYTES   ((uint64_t)4096)
/* Frames up to here are read as a whole before they are hashed; longer ones if others were. */
#define TRUSTED_BYTES   ((uint64_t)1024 * 1024)
#define ROOMY_BYTES     ((uint64_t)4 * 1024 * 1024)
#define LOOK_EVERY      64u
#define NEAR_PAYLOAD    256u /* payloads up to here: all bytes ahead are asked for */
#define DOUBTED_EMPTIES 2u   /* more of them are none by chance */

fls_status flsi_walker_init(flsi_walker *walker, const flsi_view *view,
                            const fls_salvage_options *options, fls_error *err)
{
    fls_cursor_options cursor = FLS_CURSOR_OPTIONS_INIT;
    cursor.checksum = options->checksum;
    cursor.custom_checksum = options->custom_checksum;
    cursor.max_frame_bytes = options->max_frame_bytes;
    cursor.more_may_follow = 1;
    memset(walker, 0, sizeof *walker);
    flsi_view_copy(&walker->view, view);
    walker->max_frame_bytes = options->max_frame_bytes;
    walker->hashed_at = UINT64_MAX;
    walker->want = WINDOW_BYTES;
    return fls_cursor_init(&walker->cursor, NULL, 0, &cursor, err);
}

void flsi_walker_close(flsi_walker *walker)
{
    flsi_view_close(&walker->view);
}

/* The cursor stands at the walker's boundary, with so many bytes before it. */
static void place(flsi_walker *walker, const uint8_t *bytes, size_t size, int more)
{
    fls_cursor *cursor = &walker->cursor;
    cursor->next = bytes;
    cursor->end = bytes + size;
    cursor->offset_bias = walker->at - (uint64_t)(uintptr_t)bytes;
    cursor->zeros_held = 0;
    cursor->empties_left = 0;
    cursor->inline_limit =
        cursor->digest.checksum == FLS_CHECKSUM_NONE ? cursor->max_frame_bytes : 0;
    cursor->more_may_follow = more != 0;
}

void flsi_walker_go(flsi_walker *walker, uint64_t offset)
{
    walker->at = offset;
    walker->empties_to = offset;
    walker->known_to = offset;
    place(walker, flsi_empty_payload, 0, 1);
}

static fls_status shorter(fls_error *err)
{
    (void)fls_error_set(err, FLS_IO, 0, "the stream became shorter while it was read");
    return FLS_IO;
}

/* The bytes from the walker's boundary on, `need` of them at least, from a page on. */
static fls_status get(flsi_walker *walker, uint64_t need, const uint8_t **bytes, size_t *size,
                      fls_error *err)
{
    uint64_t skew = flsi_view_in_memory(&walker->view) ? 0 : walker->at % PAGE_BYTES;
    uint64_t want = skew + need;
    if (need + skew > SIZE_MAX / 2) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "a frame is larger than the address space");
        return FLS_NO_MEMORY;
    }
    if (want < walker->want) {
        want = walker->want;
    }
    walker->want = 2 * walker->want < WINDOW_BYTES ? 2 * walker->want : WINDOW_BYTES;
    fls_status status = flsi_view_get(&walker->view, walker->at - skew, (size_t)(skew + need),
                                      (size_t)want, bytes, size, err);
    if (status != FLS_OK) {
        return status == FLS_END ? shorter(err) : status;
    }
    *bytes += skew;
    *size -= (size_t)skew;
    return FLS_OK;
}

/* ---- a frame that is not in the window as a whole ---- */

/* A claim much longer than all before need not be hashed if one that differs in a bit is proven. */
static fls_status doubt(fls_salvager *salvager, const flsi_walker *walker,
                        const flsi_candidate *frame, fls_error *fault, fls_error *err)
{
    flsi_resync *resync = &salvager->resync;
    flsi_verdict verdict = {FLSI_LOST_COUNT, {0, 0, 0}};
    fls_status status = flsi_salvage_know_zeros(salvager, walker->at, err);
    if (status != FLS_OK || frame->end >= resync->prober.zeros_from) {
        return status;
    }
    status = flsi_salvage_neighbours(salvager, walker->at, frame->length, &verdict, err);
    if (status != FLS_OK || verdict.kind == FLSI_LOST_COUNT) {
        return status;
    }
    flsi_error_frame(fault, FLS_CHECKSUM_MISMATCH, walker->at, walker->cursor.ordinal,
                     "the length does not lead to another frame");
    flsi_error_declared(fault, frame->length, verdict.frame.length);
    return FLS_CHECKSUM_MISMATCH;
}

/* Frames longer than this are hashed in pieces before memory is taken for them. */
static uint32_t long_bytes(const fls_salvager *salvager, const flsi_walker *walker)
{
    const fls_digest_state *digest = &salvager->digest;
    uint64_t most = 4 * walker->largest + 3;
    most = most > TRUSTED_BYTES ? most : TRUSTED_BYTES;
    return digest->width == 0 || digest->checksum == FLS_CHECKSUM_CUSTOM ||
                   most > walker->max_frame_bytes
               ? walker->max_frame_bytes
               : (uint32_t)most;
}

/* A long frame at the boundary. FLS_OK: it may be loaded. */
static fls_status hash_first(fls_salvager *salvager, flsi_walker *walker, uint32_t length,
                             fls_error *fault, fls_error *err)
{
    const fls_digest_state *digest = &salvager->digest;
    const flsi_candidate frame = {walker->at, length, walker->at + flsi_unit_of(digest) + length};
    uint64_t stored;
    uint64_t computed;
    int there;
    if (frame.end > walker->view.end) { /* which is told when it is loaded */
        walker->hashed_at = walker->at;
        return FLS_OK;
    }
    fls_status status = doubt(salvager, walker, &frame, fault, err);
    if (status != FLS_OK) {
        return status;
    }
    status =
        flsi_proof_checksums(&salvager->resync.prober, &frame, &stored, &computed, &there, err);
    if (status != FLS_OK || !there) {
        return status == FLS_OK ? shorter(err) : status;
    }
    if (stored == computed) {
        walker->hashed_at = walker->at;
        return FLS_OK;
    }
    salvager->resync.purse.left -= length;
    flsi_error_frame(fault, FLS_CHECKSUM_MISMATCH, walker->at, walker->cursor.ordinal, NULL);
    flsi_error_checksums(fault, stored, computed, digest->width);
    return FLS_CHECKSUM_MISMATCH;
}

/* More bytes for the cursor. FLS_OK, or what is wrong with the frame. */
static fls_status load(fls_salvager *salvager, flsi_walker *walker, fls_error *fault,
                       fls_error *err)
{
    const uint8_t *bytes;
    size_t size;
    uint64_t end = walker->view.end;
    uint64_t left = end - walker->at;
    uint32_t unit = flsi_unit_of(&salvager->digest);
    uint64_t need = left < unit ? left : unit;
    if (left == 0) {
        place(walker, flsi_empty_payload, 0, 0);
        return FLS_OK;
    }
    fls_status status = get(walker, need, &bytes, &size, err);
    if (status == FLS_OK && left >= unit) {
        uint32_t length = flsi_load_le32(bytes);
        if (length <= walker->max_frame_bytes && length > left - unit) {
            flsi_error_frame(fault, FLS_UNEXPECTED_EOF, walker->at, walker->cursor.ordinal,
                             "the payload is incomplete");
            flsi_error_declared(fault, length, left - unit);
            return FLS_UNEXPECTED_EOF;
        }
        need = length <= long_bytes(salvager, walker) || walker->hashed_at == walker->at
                   ? (uint64_t)unit + length
                   : unit;
        if (length == 0) { /* a short run of zeros is decided by what is behind it */
            need = left < unit + FLS_ZERO_TAIL_BYTES ? left : unit + FLS_ZERO_TAIL_BYTES;
        }
        if (size < need) {
            /* Room for several of this size, so that few bytes are read twice. */
            uint64_t roomy = 4 * need < ROOMY_BYTES ? 4 * need : need;
            roomy = roomy < left ? roomy : need;
            status = get(walker, roomy, &bytes, &size, err);
        }
    }
    if (status == FLS_OK) {
        place(walker, bytes, size, walker->at + size < end);
    }
    return status;
}

/* ---- zeros ---- */

/* How many zero bytes there are from the walker's boundary on. */
static fls_status measure(fls_salvager *salvager, const flsi_walker *walker, uint64_t *run,
                          fls_error *err)
{
    flsi_prober *prober = &salvager->resync.prober;
    uint64_t end = prober->probe.end;
    *run = 0;
    if (salvager->zeros_known && walker->at >= prober->zeros_from) {
        *run = end - walker->at;
        return FLS_OK;
    }
    while (walker->at + *run < end) {
        const uint8_t *bytes;
        size_t got;
        size_t want = *run < PAGE_BYTES ? (size_t)PAGE_BYTES : (size_t)WINDOW_BYTES;
        fls_status status =
            flsi_view_get(&prober->probe, walker->at + *run, 1, want, &bytes, &got, err);
        if (status != FLS_OK) {
            return status == FLS_END ? shorter(err) : status;
        }
        size_t zeros = flsi_zero_run(bytes, got);
        *run += zeros;
        if (zeros < got) {
            break;
        }
    }
    return FLS_OK;
}

/* Whether a run of zeros at the walker's boundary is, with those before it, as long as a sector:
 * what a lost page leaves is, and it may begin within the frame before, or where the stream does.
 */
static fls_status fills_sector(fls_salvager *salvager, const flsi_walker *walker, uint64_t run,
                               int *fills, fls_error *err)
{
    size_t want = walker->at < FLSI_SECTOR_BYTES ? (size_t)walker->at : FLSI_SECTOR_BYTES;
    const uint8_t *bytes;
    size_t got;
    *fills = run >= FLSI_SECTOR_BYTES;
    if (*fills || want == 0) {
        return FLS_OK;
    }
    fls_status status = flsi_view_get(&salvager->resync.prober.probe, walker->at - want, want, want,
                                      &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? shorter(err) : status;
    }
    while (want > 0 && bytes[want - 1] == 0) {
        want--;
        run++;
    }
    *fills = run >= FLSI_SECTOR_BYTES;
    return FLS_OK;
}

static fls_status refuse_zeros(const flsi_walker *walker, fls_status why, const char *text,
                               uint64_t run, fls_error *fault)
{
    flsi_error_frame(fault, why, walker->at, walker->cursor.ordinal, text);
    flsi_error_declared(fault, 0, run);
    return why;
}

/* Behind damage, and where the stream begins, zeros are empty messages only if the stream is known
 * to have some: before the damage, or a few between sound frames behind it. */
static fls_status doubt_zeros(fls_salvager *salvager, flsi_walker *walker, uint64_t run,
                              int *doubted, fls_error *err)
{
    flsi_walker *walk = &salvager->walk;
    uint64_t sound;
    int proven = 0;
    fls_status status = FLS_OK;
    *doubted = (salvager->met_damage || walker->at == 0) && !walk->met_empties &&
               !salvager->options.believe_zeros;
    if (*doubted && walker == walk && run < FLS_ZERO_TAIL_BYTES) {
        status = flsi_salvage_know_zeros(salvager, walker->at, err);
        if (status == FLS_OK) {
            uint32_t unit = flsi_unit_of(&salvager->digest);
            status =
                flsi_resync_expected(&salvager->resync, walker->at + unit, &sound, &proven, err);
        }
        salvager->doubted_empties += (unsigned)(status == FLS_OK && proven);
        walk->met_empties = salvager->doubted_empties > DOUBTED_EMPTIES;
        *doubted = !walk->met_empties;
    }
    return status;
}

/* Whether a reader meets no fault from an offset on: then there is no damage to be careful about.
 */
static int is_whole(fls_salvager *salvager, uint64_t from)
{
    fls_message messages[FLSI_SALVAGE_BATCH];
    fls_error fault;
    size_t count;
    fls_status status = FLS_OK;
    uint32_t believes = salvager->options.believe_zeros;
    salvager->options.believe_zeros = 1;
    flsi_walker_go(&salvager->scout, from);
    while (status == FLS_OK) {
        status = flsi_walker_next(salvager, &salvager->scout, messages, &count, &fault, NULL);
    }
    salvager->options.believe_zeros = believes;
    return status == FLS_END || status == FLS_ZERO_TAIL;
}

/* A frame of length 0 at the boundary. FLS_OK: the cursor may go on, or empties_to says what are
 * empty messages. */
static fls_status decide_zeros(fls_salvager *salvager, flsi_walker *walker, fls_error *fault,
                               fls_error *err)
{
    const fls_digest_state *digest = &salvager->digest;
    uint32_t unit = flsi_unit_of(digest);
    uint64_t run;
    fls_status status = measure(salvager, walker, &run, err);
    if (status != FLS_OK) {
        return status;
    }
    int at_end = walker->at + run == walker->view.end;
    if (at_end && run >= FLS_ZERO_TAIL_BYTES) {
        return refuse_zeros(walker, FLS_ZERO_TAIL, NULL, run, fault);
    }
    if (run < unit || at_end) {
        return FLS_OK;
    }
    if (digest->of_empty != 0) {
        flsi_error_frame(fault, FLS_CHECKSUM_MISMATCH, walker->at, walker->cursor.ordinal, NULL);
        flsi_error_checksums(fault, 0, digest->of_empty, digest->width);
        return FLS_CHECKSUM_MISMATCH;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a unit is 4 to 12 bytes */
    uint64_t empties_to = walker->at + run - run % unit;
    int believed = salvager->options.believe_zeros != 0;
    int doubted;
    status = doubt_zeros(salvager, walker, run, &doubted, err);
    believed |= !doubted && run < FLS_ZERO_TAIL_BYTES && digest->width > 1;
    if (status == FLS_OK && !believed && !doubted) {
        status = fills_sector(salvager, walker, run, &doubted, err);
    }
    if (status == FLS_OK && !believed && !doubted) {
        flsi_verdict verdict;
        uint64_t sound;
        status = flsi_salvage_know_zeros(salvager, walker->at, err);
        if (status == FLS_OK && digest->width == 0) {
            size_t trusted = 0;
            status = flsi_salvage_trust(salvager, walker->at, 1, empties_to, &trusted, err);
            believed = trusted > 0;
        }
        if (status == FLS_OK && !believed) {
            status = flsi_resync_expected(&salvager->resync, empties_to, &sound, &believed, err);
        }
        if (status == FLS_OK && !believed) {
            status = flsi_salvage_examine(salvager, empties_to, &verdict, err);
            believed = verdict.kind != FLSI_LOST_COUNT;
        }
    }
    if (status == FLS_OK && !believed && walker->at == 0 && run < FLSI_SECTOR_BYTES) {
        believed = is_whole(salvager, empties_to);
    }
    if (status == FLS_OK && !believed) {
        return refuse_zeros(walker, FLS_INVALID_FRAME, "zeros that are no messages", run, fault);
    }
    walker->empties_to = empties_to;
    return status;
}

static void take_empties(flsi_walker *walker, fls_message *messages, size_t *count)
{
    uint32_t unit = flsi_unit_of(&walker->cursor.digest);
    walker->met_empties = 1;
    for (*count = 0; *count < FLSI_SALVAGE_BATCH && walker->at < walker->empties_to; (*count)++) {
        fls_message *message = &messages[*count];
        memset(message, 0, sizeof *message);
        message->payload = flsi_empty_payload;
        message->ordinal = walker->cursor.ordinal++;
        message->offset = walker->at;
        walker->at += unit;
    }
    place(walker, flsi_empty_payload, 0, 1);
}

/* ---- */

void flsi_salvage_learn_roots(fls_salvager *salvager, const fls_message *messages, size_t count)
{
    if (salvager->digest.width >= 4 || count == 0) {
        return;
    }
    /* The first ones, and then every so many, however they come in batches. */
    for (size_t at = 0; at < count; at++) {
        const uint64_t ordinal = messages[at].ordinal;
        if (ordinal >= LOOK_EVERY && ordinal % LOOK_EVERY != 0) {
            at += LOOK_EVERY - 1 - (size_t)(ordinal % LOOK_EVERY);
            continue;
        }
        if (messages[at].size > 0) {
            int rooted = flsi_looks_rooted(messages[at].payload, messages[at].size);
            salvager->roots_seen |= rooted ? FLSI_SAW_ROOT : FLSI_SAW_NO_ROOT;
        }
    }
    salvager->resync.prober.roots = salvager->roots_seen == FLSI_SAW_ROOT;
}

/* Whether enough headers follow in the window; the common case. */
static int is_followed(const fls_cursor *cursor)
{
    const uint8_t *at = cursor->next;
    for (unsigned i = 0; i < FLSI_FOLLOWERS; i++) {
        size_t left = (size_t)(cursor->end - at);
        if (left < FLS_LENGTH_BYTES) {
            return 0;
        }
        uint32_t length = flsi_load_le32(at);
        if (length == 0 || length > cursor->max_frame_bytes || length > left - FLS_LENGTH_BYTES) {
            return 0;
        }
        at += FLS_LENGTH_BYTES + length;
    }
    return 1;
}

/* Rule N: what follows has to speak for messages without a checksum. Others go back. */
static fls_status hold_back(fls_salvager *salvager, flsi_walker *walker, fls_message *messages,
                            size_t *count, fls_error *fault, fls_error *err)
{
    size_t trusted;
    if (is_followed(&walker->cursor)) {
        return FLS_OK;
    }
    flsi_salvage_learn_roots(salvager, messages, *count);
    fls_status status = flsi_salvage_trust(salvager, walker->at, *count,
                                           fls_cursor_offset(&walker->cursor), &trusted, err);
    if (status != FLS_OK || trusted == *count) {
        return status;
    }
    flsi_cursor_rewind(&walker->cursor, messages, trusted, *count);
    *count = trusted;
    if (trusted > 0) {
        return FLS_OK;
    }
    flsi_error_frame(fault, FLS_INVALID_FRAME, walker->at, walker->cursor.ordinal,
                     "the length does not lead to another frame");
    flsi_error_declared(fault, messages[0].size, walker->view.end - walker->at);
    return FLS_INVALID_FRAME;
}

static void note_largest(flsi_walker *walker, const fls_message *messages, size_t count)
{
    size_t largest = 0;
    size_t smallest = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        largest = messages[i].size > largest ? messages[i].size : largest;
        smallest = messages[i].size < smallest ? messages[i].size : smallest;
    }
    walker->met_empties |= smallest == 0;
    if (largest > walker->largest) {
        walker->largest = largest;
    }
}

/* What another thread has hashed is in that one's cache. */
static void prefetch(const uint8_t *frame)
{
    for (size_t line = 0; line < NEAR_PAYLOAD; line += 64) {
        FLS_PREFETCH((const char *)frame + FLS_PREFETCH_BYTES + line);
    }
}

/* Sound frames that other threads have found at the boundary, except those that are to be examined
 * before they are read. 0: there are none. */
static int take_known(fls_salvager *salvager, flsi_walker *walker, fls_message *messages,
                      size_t *count)
{
    const fls_digest_state *digest = &salvager->digest;
    const uint32_t unit = flsi_unit_of(digest);
    const uint32_t most = long_bytes(salvager, walker);
    if (walker->at >= walker->known_to) {
        size_t size;
        flsi_ahead_get(walker->ahead, walker->at, &walker->known, &size);
        walker->known_to = walker->at + size;
    }
    for (*count = 0; *count < FLSI_SALVAGE_BATCH && walker->at < walker->known_to; ++*count) {
        fls_message *message = &messages[*count];
        const uint8_t *frame = walker->known;
        const uint32_t length = flsi_load_le32(frame);
        if (length > most) {
            break;
        }
        if (length <= NEAR_PAYLOAD) {
            prefetch(frame);
        }
        message->payload = frame + unit;
        message->size = length;
        message->ordinal = walker->cursor.ordinal++;
        message->offset = walker->at;
        message->checksum = flsi_digest_load(digest, digest->checksum, frame + FLS_LENGTH_BYTES);
        walker->known += unit + (size_t)length;
        walker->at += (uint64_t)unit + length;
    }
    if (*count == 0) {
        walker->known_to = walker->at;
        return 0;
    }
    place(walker, flsi_empty_payload, 0, 1);
    walker->want = GLANCE_BYTES;
    return 1;
}

/* What has to be decided of the frame at the boundary before the cursor is asked, and how many
 * frames that may be asked for. FLS_NEED_MORE: by more bytes. None of it depends on how many bytes
 * happen to be loaded. */
static fls_status look_first(fls_salvager *salvager, flsi_walker *walker, size_t *capacity,
                             fls_error *fault, fls_error *err)
{
    fls_cursor *cursor = &walker->cursor;
    const fls_digest_state *digest = &cursor->digest;
    const uint32_t unit = flsi_unit_of(digest);
    const size_t left = fls_cursor_left(cursor);
    *capacity = FLSI_SALVAGE_BATCH;
    if (left < FLS_LENGTH_BYTES) {
        return FLS_OK;
    }
    const uint32_t length = flsi_load_le32(cursor->next);
    const uint32_t most = long_bytes(salvager, walker);
    if (FLS_LIKELY(length - 1u < most)) {
        cursor->max_frame_bytes = most;
        return FLS_OK;
    }
    cursor->max_frame_bytes = walker->max_frame_bytes;
    if (length > 0) {
        *capacity = 1;
        return length > walker->max_frame_bytes || walker->hashed_at == walker->at
                   ? FLS_OK
                   : hash_first(salvager, walker, length, fault, err);
    }
    const uint64_t rest = walker->view.end - walker->at;
    if (left < rest && left < unit + FLS_ZERO_TAIL_BYTES) {
        return FLS_NEED_MORE;
    }
    if (digest->of_empty != 0 && left >= unit &&
        flsi_digest_load(digest, digest->checksum, cursor->next + FLS_LENGTH_BYTES) ==
            digest->of_empty) {
        return FLS_OK;
    }
    return decide_zeros(salvager, walker, fault, err);
}

/* Messages as the cursor has them in what is loaded, if it has some. */
static fls_status next_loaded(fls_salvager *salvager, flsi_walker *walker, fls_message *messages,
                              size_t *count, fls_error *fault, fls_error *err)
{
    fls_cursor *cursor = &walker->cursor;
    size_t capacity;
    fls_status status = look_first(salvager, walker, &capacity, fault, err);
    if (status != FLS_OK || walker->at < walker->empties_to) {
        return status;
    }
    status = fls_cursor_next_batch(cursor, messages, capacity, count, fault);
    if (status == FLS_OK && cursor->digest.width == 0) {
        status = hold_back(salvager, walker, messages, count, fault, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    if (status == FLS_OK) {
        walker->at = fls_cursor_offset(cursor);
    } else if (status == FLS_CHECKSUM_MISMATCH) {
        uint32_t length = flsi_load_le32(cursor->next);
        salvager->failed_bytes += length;
        salvager->resync.purse.left -= length;
    }
    return status;
}

fls_status flsi_walker_next(fls_salvager *salvager, flsi_walker *walker, fls_message *messages,
                            size_t *count, fls_error *fault, fls_error *err)
{
    fls_status status = FLS_OK;
    while (status == FLS_OK) {
        const uint64_t before = walker->at;
        *count = 0;
        if (walker->at < walker->empties_to) {
            take_empties(walker, messages, count);
            return FLS_OK;
        }
        if (walker->ahead == NULL || !take_known(salvager, walker, messages, count)) {
            status = next_loaded(salvager, walker, messages, count, fault, err);
        }
        if (*count > 0 && status == FLS_OK) {
            note_largest(walker, messages, *count);
            flsi_resync_earn(&salvager->resync, walker->at - before);
            return FLS_OK;
        }
        if (status == FLS_NEED_MORE) {
            status = load(salvager, walker, fault, err);
        }
    }
    return status;
}

fls_status flsi_walker_take(flsi_walker *walker, const flsi_candidate *frame, fls_message *message,
                            fls_error *err)
{
    const fls_digest_state *digest = &walker->cursor.digest;
    uint32_t unit = flsi_unit_of(digest);
    const uint8_t *bytes;
    size_t size;
    fls_status status = get(walker, (uint64_t)unit + frame->length, &bytes, &size, err);
    if (status != FLS_OK) {
        return status;
    }
    memset(message, 0, sizeof *message);
    message->payload = frame->length > 0 ? bytes + unit : flsi_empty_payload;
    message->size = frame->length;
    message->ordinal = walker->cursor.ordinal++;
    message->offset = frame->offset;
    message->checksum = flsi_load_le_width(bytes + FLS_LENGTH_BYTES, digest->width);
    flsi_walker_go(walker, frame->end);
    return FLS_OK;
}
