/* Rule N of docs/SALVAGE.md: without a checksum, a wrong length is noticed only where it leads. So
 * a frame is not handed out before some more follow it, or the stream ends behind it as it should;
 * and at a fault, those before it are asked which of them led there.
 */
#include "core/bytes.h"
#include "stream/evidence.h"
#include "stream/salvage_private.h"

#define STEPS 64u

/* Frames in a row from a boundary, up to a fault; empty ones are passed over. */
typedef struct row {
    flsi_candidate frames[FLSI_FOLLOWERS + 1];
    size_t count;
    int well; /* as many as were asked for, or the stream ends behind them */
    uint64_t end;
} row;

/* Where frames lead to from an offset; with rooted, to the first that has no root. */
static fls_status follow(fls_salvager *salvager, uint64_t at, size_t most, int rooted, row *found,
                         fls_error *err)
{
    flsi_prober *prober = &salvager->resync.prober;
    fls_status status = FLS_OK;
    memset(found, 0, sizeof *found);
    for (unsigned step = 0; status == FLS_OK && step < STEPS; step++) {
        int good;
        int root = 1;
        found->end = at;
        if (found->count == most || at >= prober->zeros_from) {
            found->well = 1;
            break;
        }
        flsi_candidate *frame = &found->frames[found->count];
        status = flsi_proof_header(prober, at, frame, &good, err);
        if (status != FLS_OK || !good) {
            break;
        }
        at = frame->end;
        if (frame->length == 0) {
            found->well = salvager->options.believe_zeros != 0;
            if (found->well) {
                break;
            }
            continue;
        }
        if (rooted) {
            status = flsi_proof_root(prober, frame, &root, err);
        }
        if (!root) {
            break;
        }
        found->count++;
    }
    return status;
}

/* Whether a bit of a length puts right what is wrong: it does not lead to the same fault. */
static fls_status is_cure(fls_salvager *salvager, uint64_t offset, uint32_t length, int *cure,
                          fls_error *err)
{
    flsi_verdict verdict = {FLSI_LOST_COUNT, {0, 0, 0}};
    row cured;
    *cure = 0;
    fls_status status = flsi_salvage_neighbours(salvager, offset, length, &verdict, err);
    if (status == FLS_OK && verdict.kind != FLSI_LOST_COUNT) {
        status = follow(salvager, verdict.frame.end, FLSI_FOLLOWERS + 1, 0, &cured, err);
        *cure = status == FLS_OK && cured.well;
    }
    return status;
}

/* The same of the header at which a row breaks off. */
static fls_status is_cured_there(fls_salvager *salvager, const row *found, int *cure,
                                 fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    *cure = 0;
    fls_status status = flsi_view_get(&salvager->resync.prober.probe, found->end, FLS_LENGTH_BYTES,
                                      FLS_LENGTH_BYTES, &bytes, &got, err);
    if (status == FLS_OK) {
        uint32_t length = flsi_load_le32(bytes);
        status = is_cure(salvager, found->end, length, cure, err);
    }
    return status == FLS_END ? FLS_OK : status;
}

/* Which of a row's frames led to the fault behind it: the last that a bit of its length puts right,
 * the wrong one itself before all (then *culprit is their number), or else the last. */
static fls_status find_culprit(fls_salvager *salvager, const row *whole, const row *rooted,
                               size_t *culprit, fls_error *err)
{
    flsi_candidate next;
    int cure;
    int proven = 1;
    fls_status status = is_cured_there(salvager, whole, &cure, err);
    *culprit = whole->count;
    if (status != FLS_OK || cure) {
        return status;
    }
    for (size_t i = rooted->count; i-- > 0;) {
        status = is_cure(salvager, rooted->frames[i].offset, rooted->frames[i].length, &cure, err);
        if (status != FLS_OK || cure) {
            *culprit = i;
            return status;
        }
    }
    if (whole->count == rooted->count) {
        status = flsi_salvage_search(salvager, whole->end + 1, &next, &proven, err);
    }
    if (proven) {
        *culprit = rooted->count > 0 ? rooted->count - 1 : 0;
    }
    return status;
}

static fls_status trust(fls_salvager *salvager, uint64_t at, size_t count, uint64_t end,
                        size_t *trusted, fls_error *err)
{
    row whole;
    size_t culprit = 1;
    fls_status status = follow(salvager, end, FLSI_FOLLOWERS, 0, &whole, err);
    if (status != FLS_OK || whole.well) {
        return status;
    }
    if (count > FLSI_FOLLOWERS) {
        *trusted = count - FLSI_FOLLOWERS;
        return FLS_OK;
    }
    /* Close to the fault: one at a time. */
    status = follow(salvager, at, FLSI_FOLLOWERS + 1, 0, &whole, err);
    if (status == FLS_OK && !whole.well) {
        row rooted = whole;
        if (salvager->resync.prober.roots) {
            status = follow(salvager, at, FLSI_FOLLOWERS + 1, 1, &rooted, err);
        }
        if (status == FLS_OK) {
            status = find_culprit(salvager, &whole, &rooted, &culprit, err);
        }
    }
    *trusted = culprit > 0;
    return status;
}

fls_status flsi_salvage_trust(fls_salvager *salvager, uint64_t at, size_t count, uint64_t end,
                              size_t *trusted, fls_error *err)
{
    flsi_prober *prober = &salvager->resync.prober;
    uint32_t believed = prober->max_frame_bytes;
    *trusted = count;
    fls_status status = flsi_salvage_know_zeros(salvager, at, err);
    if (status == FLS_OK) {
        prober->max_frame_bytes = salvager->resync.boundary_bytes;
        status = trust(salvager, at, count, end, trusted, err);
        prober->max_frame_bytes = believed;
    }
    return status;
}
