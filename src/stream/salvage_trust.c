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

/* Whether a row that breaks off is the end of the stream, torn: nothing is behind it. */
static fls_status is_torn(fls_salvager *salvager, const row *found, int *torn, fls_error *err)
{
    flsi_prober *prober = &salvager->resync.prober;
    const uint8_t *bytes;
    size_t got;
    flsi_candidate next;
    int proven = 0;
    *torn = 0;
    fls_status status = flsi_view_get(&prober->probe, found->end, FLS_LENGTH_BYTES,
                                      FLS_LENGTH_BYTES, &bytes, &got, err);
    if (status == FLS_OK && flsi_load_le32(bytes) > salvager->resync.boundary_bytes) {
        return FLS_OK; /* not torn, wrong */
    }
    if (status == FLS_OK) {
        flsi_verdict verdict = {FLSI_LOST_COUNT, {0, 0, 0}};
        status =
            flsi_salvage_neighbours(salvager, found->end, flsi_load_le32(bytes), &verdict, err);
        if (status != FLS_OK || verdict.kind != FLSI_LOST_COUNT) {
            return status;
        }
        status = flsi_salvage_search(salvager, found->end + 1, &next, &proven, err);
    }
    *torn = !proven;
    return status == FLS_END ? FLS_OK : status;
}

/* Which of a row's frames led to the fault behind it: the last that a bit of its length puts right,
 * or else the last. *sure: it was the first. */
static fls_status find_culprit(fls_salvager *salvager, const row *found, size_t *culprit, int *sure,
                               fls_error *err)
{
    *sure = 0;
    *culprit = found->count > 0 ? found->count - 1 : 0;
    for (size_t i = found->count; i-- > 0;) {
        flsi_verdict verdict = {FLSI_LOST_COUNT, {0, 0, 0}};
        fls_status status = flsi_salvage_neighbours(salvager, found->frames[i].offset,
                                                    found->frames[i].length, &verdict, err);
        if (status != FLS_OK) {
            return status;
        }
        if (verdict.kind != FLSI_LOST_COUNT) { /* a cure does not lead to the same fault */
            row cured;
            status = follow(salvager, verdict.frame.end, FLSI_FOLLOWERS + 1, 0, &cured, err);
            if (status != FLS_OK) {
                return status;
            }
            *sure = cured.well;
        }
        if (*sure) {
            *culprit = i;
            break;
        }
    }
    return FLS_OK;
}

static fls_status trust(fls_salvager *salvager, uint64_t at, size_t count, uint64_t end,
                        size_t *trusted, fls_error *err)
{
    row found;
    int torn = 0;
    int sure = 0;
    size_t culprit = 0;
    fls_status status = follow(salvager, end, FLSI_FOLLOWERS, 0, &found, err);
    if (status != FLS_OK || found.well) {
        return status;
    }
    if (count > FLSI_FOLLOWERS) {
        *trusted = count - FLSI_FOLLOWERS;
        return FLS_OK;
    }
    /* Close to the fault: one at a time. */
    *trusted = 1;
    status = follow(salvager, at, FLSI_FOLLOWERS + 1, 0, &found, err);
    if (status != FLS_OK || found.well) {
        return status;
    }
    row whole = found;
    if (salvager->resync.prober.roots) {
        status = follow(salvager, at, FLSI_FOLLOWERS + 1, 1, &found, err);
    }
    if (status == FLS_OK) {
        status = find_culprit(salvager, &found, &culprit, &sure, err);
    }
    if (status == FLS_OK && !sure && whole.count == found.count) {
        status = is_torn(salvager, &whole, &torn, err);
    }
    *trusted = torn || culprit > 0;
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
