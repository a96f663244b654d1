/* What can be said of a frame that does not hold, and of what is behind it: rules F, A and E of
 * docs/SALVAGE.md.
 */
#include "core/bytes.h"
#include "core/xxh3_stream.h"
#include "stream/evidence.h"
#include "stream/salvage_private.h"

#define LENGTH_BITS 32u
#define CHEAP_PART  8 /* of what is in the purse */
#define PIECE_BYTES ((size_t)64 * 1024)

fls_status flsi_salvage_know_zeros(fls_salvager *salvager, uint64_t from, fls_error *err)
{
    if (salvager->zeros_known) {
        return FLS_OK;
    }
    salvager->zeros_known = 1;
    return flsi_proof_find_zeros(&salvager->resync.prober, from, err);
}

/* ---- F: at a known boundary ---- */

static int fits(const fls_salvager *salvager, uint64_t offset, uint32_t length,
                flsi_candidate *frame)
{
    uint32_t unit = flsi_unit_of(&salvager->digest);
    uint64_t left = salvager->whole.end - offset;
    frame->offset = offset;
    frame->length = length;
    frame->end = offset + unit + length;
    return length <= salvager->resync.boundary_bytes && left >= unit && left - unit >= length &&
           (length > 0 || (salvager->digest.width == 8 && salvager->digest.of_empty != 0));
}

/* Whether a length is worth its hash: it is one that a search would believe, or what is behind it
 * is proven, which costs little. */
static fls_status is_worth(fls_salvager *salvager, const flsi_candidate *frame, int *worth,
                           fls_error *err)
{
    uint64_t sound;
    *worth =
        salvager->digest.width == 0 || frame->length <= salvager->resync.prober.max_frame_bytes;
    return *worth ? FLS_OK
                  : flsi_resync_expected(&salvager->resync, frame->end, &sound, worth, err);
}

/* F2: the lengths that differ in one bit; those behind which a header stands that a search would
 * believe, or nothing, or, in the second round, the others that are cheap. Only up to the length
 * `most`. */
static fls_status try_round(fls_salvager *salvager, uint64_t offset, uint32_t length, int second,
                            uint32_t most, flsi_verdict *verdict, fls_error *err)
{
    flsi_resync *resync = &salvager->resync;
    for (unsigned i = 0; i < 2 * LENGTH_BITS; i++) {
        /* The shortest first: a long one may lead to a boundary by chance, and costs more. */
        unsigned bit = i < LENGTH_BITS ? LENGTH_BITS - 1 - i : i - LENGTH_BITS;
        unsigned longer = (length >> bit & 1u) == 0;
        flsi_candidate frame;
        flsi_candidate behind;
        int good = 1;
        int proven = 0;
        fls_status status = FLS_OK;
        if (longer != (unsigned)(i >= LENGTH_BITS) ||
            !fits(salvager, offset, length ^ (UINT32_C(1) << bit), &frame) || frame.length > most) {
            continue;
        }
        if (frame.end < resync->prober.zeros_from) {
            status = flsi_proof_header(&resync->prober, frame.end, &behind, &good, err);
        }
        if (second) {
            good = !good && frame.length <= resync->prober.max_frame_bytes &&
                   (int64_t)frame.length <= resync->purse.left / CHEAP_PART;
        }
        if (status == FLS_OK && good) {
            status = is_worth(salvager, &frame, &good, err);
        }
        if (status == FLS_OK && good) {
            status = flsi_resync_proven(resync, &frame, &proven, err);
        }
        if (status != FLS_OK) {
            return status;
        }
        if (proven) {
            verdict->kind = FLSI_BAD_LENGTH;
            verdict->frame = frame;
            return FLS_OK;
        }
    }
    return FLS_OK;
}

fls_status flsi_salvage_neighbours(fls_salvager *salvager, uint64_t offset, uint32_t length,
                                   flsi_verdict *verdict, fls_error *err)
{
    fls_status status = try_round(salvager, offset, length, 0, UINT32_MAX, verdict, err);
    if (status == FLS_OK && verdict->kind == FLSI_LOST_COUNT && salvager->digest.width >= 4) {
        status = try_round(salvager, offset, length, 1, UINT32_MAX, verdict, err);
    }
    return status;
}

/* F3: whether only a bit of the checksum is wrong, of a frame whose end is proven. */
static fls_status try_checksum(fls_salvager *salvager, flsi_verdict *verdict, fls_error *err)
{
    uint64_t stored = 0;
    uint64_t computed = 0;
    int there;
    if (salvager->digest.checksum != FLS_CHECKSUM_XXH3 || salvager->resync.purse.left <= 0) {
        return FLS_OK;
    }
    salvager->resync.purse.left -= verdict->frame.length;
    fls_status status = flsi_proof_checksums(&salvager->resync.prober, &verdict->frame, &stored,
                                             &computed, &there, err);
    uint64_t differs = stored ^ computed;
    if (status == FLS_OK && there && differs != 0 && (differs & (differs - 1)) == 0) {
        verdict->kind = FLSI_BAD_CHECKSUM;
    }
    return status;
}

fls_status flsi_salvage_examine(fls_salvager *salvager, uint64_t offset, flsi_verdict *verdict,
                                fls_error *err)
{
    flsi_prober *prober = &salvager->resync.prober;
    const uint8_t *bytes;
    size_t got;
    int proven = 0;
    uint64_t sound = 0;
    verdict->kind = FLSI_LOST_COUNT;
    fls_status status = flsi_salvage_know_zeros(salvager, offset, err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_view_get(&prober->probe, offset, FLS_LENGTH_BYTES, FLS_LENGTH_BYTES, &bytes, &got,
                           err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    uint32_t length = flsi_load_le32(bytes);
    flsi_candidate frame;
    if (length == 0 && salvager->digest.width > 0) { /* zeros that are no messages */
        status = flsi_resync_expected(&salvager->resync, offset, &sound, &proven, err);
        if (status == FLS_OK && proven && sound > offset) {
            verdict->kind = FLSI_LOST_PAYLOAD;
            verdict->frame = (flsi_candidate){offset, 0, sound};
            return FLS_OK;
        }
        proven = 0;
    }
    if (status == FLS_OK && salvager->digest.width > 0 && fits(salvager, offset, length, &frame)) {
        status = flsi_resync_expected(&salvager->resync, frame.end, &sound, &proven, err);
    }
    if (status == FLS_OK && !proven) {
        return flsi_salvage_neighbours(salvager, offset, length, verdict, err);
    }
    /* A length that grew may lead to a true boundary by chance: the right one is within. */
    if (status == FLS_OK) {
        status = try_round(salvager, offset, length, 0, length, verdict, err);
    }
    if (status == FLS_OK && verdict->kind == FLSI_LOST_COUNT) {
        verdict->kind = FLSI_LOST_PAYLOAD;
        verdict->frame = frame;
        status = try_checksum(salvager, verdict, err);
    }
    /* Where none were met before, zeros are no empty messages, but more that was hit. */
    if (verdict->kind == FLSI_LOST_PAYLOAD && !salvager->walk.met_empties) {
        verdict->frame.end = sound;
    }
    return status;
}

/* ---- A: anchoring ---- */

fls_status flsi_salvage_search(fls_salvager *salvager, uint64_t from, flsi_candidate *found,
                               int *proven, fls_error *err)
{
    flsi_foreseen *foreseen = &salvager->foreseen;
    if (foreseen->known && from >= foreseen->from &&
        (!foreseen->proven || from <= foreseen->frame.offset)) {
        *proven = foreseen->proven;
        *found = foreseen->frame;
        return FLS_OK;
    }
    foreseen->known = 0;
    fls_status status = flsi_salvage_know_zeros(salvager, from, err);
    if (status == FLS_OK) {
        status = flsi_resync_find(&salvager->resync, from, salvager->resync.prober.zeros_from,
                                  found, proven, err);
    }
    if (status == FLS_OK) {
        foreseen->known = 1;
        foreseen->proven = *proven;
        foreseen->from = from;
        foreseen->frame = *found;
    }
    return status;
}

/* Whether one of the messages is where a frame is known to begin. */
static int meets_anchor(const fls_salvager *salvager, const fls_message *messages, size_t count)
{
    for (size_t i = 0; i < count && salvager->resync.anchor_count > 0; i++) {
        if (flsi_resync_is_anchor(&salvager->resync, messages[i].offset)) {
            return 1;
        }
    }
    return 0;
}

/* The digest of what would be the payload of the frame at the origin, as far as the chain has come.
 */
typedef struct outer_payload {
    int watched;
    uint64_t stored;
    flsi_xxh3_stream running;
} outer_payload;

/* F5: the bytes between the header at the origin and the chain. */
static fls_status watch_outer(fls_salvager *salvager, uint64_t to, outer_payload *outer,
                              fls_error *err)
{
    flsi_resync *resync = &salvager->resync;
    uint64_t at = salvager->origin;
    uint64_t header = at + flsi_unit_of(&salvager->digest);
    const uint8_t *bytes;
    size_t got;
    outer->watched = 0;
    if (!salvager->at_boundary || salvager->digest.checksum != FLS_CHECKSUM_XXH3 || to < header ||
        to - header > salvager->distance) {
        return FLS_OK;
    }
    fls_status status = flsi_view_get(&resync->prober.probe, at, (size_t)(header - at),
                                      (size_t)(header - at), &bytes, &got, err);
    if (status == FLS_OK) {
        outer->stored = flsi_load_le64(bytes + FLS_LENGTH_BYTES);
        outer->watched = 1;
        flsi_xxh3_stream_init(&outer->running);
    }
    for (at = header; status == FLS_OK && at < to; at += got) {
        size_t want = to - at < PIECE_BYTES ? (size_t)(to - at) : PIECE_BYTES;
        status = flsi_view_get(&resync->prober.probe, at, want, want, &bytes, &got, err);
        if (status == FLS_OK) {
            flsi_xxh3_stream_add(&outer->running, bytes, got);
            resync->prober.hashed += got;
            resync->purse.left -= (int64_t)got;
        }
    }
    return status == FLS_END ? FLS_OK : status;
}

/* Whether the frame at the origin ends with one of these messages. */
static int ends_outer(fls_salvager *salvager, outer_payload *outer, const fls_message *messages,
                      size_t count, uint64_t *end)
{
    uint32_t unit = flsi_unit_of(&salvager->digest);
    for (size_t i = 0; i < count && outer->watched; i++) {
        size_t size = unit + messages[i].size;
        flsi_xxh3_stream_add(&outer->running, (const uint8_t *)messages[i].payload - unit, size);
        salvager->resync.prober.hashed += size;
        salvager->resync.purse.left -= (int64_t)size;
        if (flsi_xxh3_stream_digest(&outer->running) == outer->stored) {
            *end = messages[i].offset + size;
            return 1;
        }
    }
    return 0;
}

/* A fault in a chain: goes on behind it, or the chain ends. *over: it is decided. */
static fls_status pass_fault(fls_salvager *salvager, const fls_error *fault, int *over,
                             fls_error *err)
{
    flsi_walker *scout = &salvager->scout;
    flsi_scouted *scouted = &salvager->scouted;
    flsi_verdict verdict;
    flsi_candidate next;
    int proven;
    fls_status status = flsi_salvage_examine(salvager, scout->at, &verdict, err);
    if (status == FLS_OK && verdict.kind != FLSI_LOST_COUNT) {
        scouted->frames += verdict.kind != FLSI_LOST_PAYLOAD;
        flsi_walker_go(scout, verdict.frame.end);
        return FLS_OK;
    }
    *over = 1;
    scouted->fault = *fault;
    if (status != FLS_OK || fault->status != FLS_UNEXPECTED_EOF ||
        fault->declared_bytes > salvager->resync.prober.max_frame_bytes) {
        return status;
    }
    /* Torn, if nothing is behind it. */
    status = flsi_salvage_search(salvager, scout->at + 1, &next, &proven, err);
    scouted->anchored = status == FLS_OK && !proven;
    return status;
}

fls_status flsi_salvage_scout(fls_salvager *salvager, const flsi_candidate *first, fls_error *err)
{
    fls_message messages[FLSI_SALVAGE_BATCH];
    flsi_walker *scout = &salvager->scout;
    flsi_scouted *scouted = &salvager->scouted;
    uint64_t far = salvager->origin + flsi_unit_of(&salvager->digest) + salvager->distance;
    int over = 0;
    outer_payload outer;
    memset(scouted, 0, sizeof *scouted);
    scouted->from = first->offset;
    flsi_walker_go(scout, first->offset);
    fls_status watched = watch_outer(salvager, first->offset, &outer, err);
    if (watched != FLS_OK) {
        return watched;
    }
    while (!over) {
        size_t count;
        fls_error fault = FLS_ERROR_INIT;
        fls_status status = FLS_OK;
        if (scout->at > far) {
            scouted->anchored = 1;
            break;
        }
        status = flsi_walker_next(salvager, scout, messages, &count, &fault, err);
        scouted->frames += count;
        if (status == FLS_OK) {
            over = scouted->anchored = meets_anchor(salvager, messages, count);
            if (!over && ends_outer(salvager, &outer, messages, count, &scouted->outer_end)) {
                return FLS_OK;
            }
        } else if (status == FLS_END || status == FLS_ZERO_TAIL) {
            over = scouted->anchored = 1;
        } else if (fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            outer.watched = 0;
            status = pass_fault(salvager, &fault, &over, err);
            if (status != FLS_OK) {
                return status;
            }
        } else {
            return status;
        }
    }
    scouted->to = scout->at;
    return FLS_OK;
}

/* ---- E: the end ---- */

/* Whether the last frame holds a boundary of a sector from which on all is zero. */
static int ends_in_zeros(const fls_salvager *salvager, uint64_t from, const fls_error *fault)
{
    uint64_t end = salvager->whole.end;
    uint64_t zeros = salvager->resync.prober.zeros_from;
    uint64_t frame_end = end;
    if (end - from >= flsi_unit_of(&salvager->digest) && (fault->known & FLS_ERROR_DECLARED) != 0) {
        frame_end = from + flsi_unit_of(&salvager->digest) + fault->declared_bytes;
        frame_end = frame_end < end ? frame_end : end;
    }
    uint64_t sector = (frame_end - 1) / FLSI_SECTOR_BYTES * FLSI_SECTOR_BYTES;
    return frame_end > 0 && sector >= from && sector >= zeros && sector < end;
}

fls_status flsi_salvage_tail(fls_salvager *salvager, uint64_t from, const fls_error *fault,
                             fls_salvage_loss *loss, fls_error *err)
{
    *loss = FLS_LOSS_FRAMING;
    if (fault->status == FLS_ZERO_TAIL) {
        *loss = FLS_LOSS_ZERO_TAIL;
        return FLS_OK;
    }
    int zeros = ends_in_zeros(salvager, from, fault);
    if (fault->status != FLS_UNEXPECTED_EOF && (fault->status != FLS_CHECKSUM_MISMATCH || !zeros)) {
        return FLS_OK;
    }
    flsi_search search = {
        .digest = &salvager->digest,
        .max_frame_bytes = salvager->resync.boundary_bytes,
        .frame = from,
        .from = from + 1,
        .to = salvager->whole.end,
        .quick = 1,
        .roots = salvager->resync.prober.roots,
    };
    fls_status status = flsi_search_sound_frame(&search, &salvager->whole, err);
    if (status == FLS_OK && !search.found && !search.gave_up) {
        *loss = zeros ? FLS_LOSS_ZERO_TAIL : FLS_LOSS_TORN_TAIL;
    }
    return status;
}
