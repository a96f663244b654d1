/* The search for a sound frame behind one that cannot be read.
 *
 * A frame of L bytes whose end lies beyond the end of the stream is a torn tail, or a frame whose
 * length was damaged, with sound frames behind it. Nothing is cut unless the search finds no proof
 * of the second. A frame counts as proven by its checksum, of width W, and
 *
 *   W = 8      nothing else.
 *   W = 4..7   at the known boundary (a neighbour of L), or with a payload of 8 bytes or more,
 *              nothing else; otherwise a frame behind it holds too, or it ends where the stream
 * ends. W = 2, 3   one of: a frame behind it holds too; it ends where the stream ends (*);
 * elsewhere than at the known boundary, it has a table root. W = 1      the same, but two frames
 * behind it. W = 0      two frames in a row that end where the stream ends, or four in a row, all
 * with table roots (at the known boundary, all but the first); or (*: not) three in a row that end
 * where the stream ends (two at the known boundary), or eight in a row.
 *
 *   (*) When the messages before the frame have table roots, so do those behind it, and what has
 *       none is taken for the inside of a payload. (Looked at are the messages in the first 8
 *       KiB, and the first at or behind each multiple of 64 KiB; one without is enough to doubt
 * it.)
 *
 * To end where the stream ends is also to have nothing but zeros behind. Empty frames prove
 * nothing, except under a checksum of 8 bytes whose digest of nothing is not zero. A doubt is
 * decided for damage, because then nothing is cut. (Why a table root alone is not enough without a
 * checksum: in a payload, an offset to a table that follows another number looks just like a frame,
 * and where the stream was torn is no witness.)
 *
 * The work is bounded. Payloads are hashed at the cost of two purses, each of 4 GiB and 64 times
 * the bytes searched (256 MiB and twice, where the answer is only a name): one for payloads with a
 * table root, and for what stands at a known place; one for all others. If the first runs out, or
 * the second where payloads are not known to have table roots, the search says that it gave up, and
 * nothing is cut.
 */
#include "stream/evidence.h"

#include "core/bytes.h"
#include "stream/proof.h"

#define SCAN_BYTES    ((size_t)256 * 1024)
#define HASH_PER_BYTE 64u
#define HASH_FREE     ((uint64_t)4 << 30)

#define QUICK_PER_BYTE 2u
#define QUICK_FREE     ((uint64_t)256 << 20)

/* What may be hashed of payloads, by how likely they are to be messages; see above. */
typedef enum purse { PURSE_LIKELY, PURSE_UNLIKELY, PURSES } purse;

typedef struct proof_search {
    const flsi_search *search;
    flsi_prober prober;
    flsi_purse purses[PURSES];
} proof_search;

/* One candidate: its hash, then the evidence around it. */
static fls_status try_frame(proof_search *trial, const flsi_candidate *frame, int at_boundary,
                            int *proven, fls_error *err)
{
    int good;
    int root = 0;
    *proven = 0;
    fls_status status = at_boundary ? FLS_OK : flsi_proof_root(&trial->prober, frame, &root, err);
    if (status != FLS_OK) {
        return status;
    }
    purse from = at_boundary || root ? PURSE_LIKELY : PURSE_UNLIKELY;
    status = flsi_proof_holds(&trial->prober, frame, &trial->purses[from], &good, err);
    if (status != FLS_OK || !good) {
        return status;
    }
    return flsi_proof_judge(&trial->prober, frame, at_boundary, &trial->purses[PURSE_LIKELY],
                            proven, err);
}

static fls_status try_neighbours(proof_search *trial, int *proven, fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    uint64_t offset = trial->search->frame;
    *proven = 0;
    fls_status status = flsi_view_get(&trial->prober.probe, offset, FLS_LENGTH_BYTES,
                                      FLS_LENGTH_BYTES, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    uint32_t length = flsi_load_le32(bytes);
    for (unsigned bit = 0; bit < 32 && status == FLS_OK && !*proven; bit++) {
        flsi_candidate frame;
        if (flsi_proof_fits(&trial->prober, offset, length ^ (UINT32_C(1) << bit), &frame)) {
            status = try_frame(trial, &frame, 1, proven, err);
        }
    }
    return status;
}

/* A purse ran out that it matters for. */
static int gave_up(const proof_search *trial)
{
    return trial->purses[PURSE_LIKELY].empty ||
           (trial->purses[PURSE_UNLIKELY].empty && !trial->search->roots);
}

/* Every offset, a window at a time. */
static fls_status scan(proof_search *trial, flsi_view *view, flsi_search *search, fls_error *err)
{
    uint64_t at = search->from;
    while (at < search->to && !search->found) {
        const uint8_t *bytes;
        size_t got;
        fls_status status =
            flsi_view_get(view, at, FLS_LENGTH_BYTES, SCAN_BYTES, &bytes, &got, err);
        if (status != FLS_OK) {
            return status == FLS_END ? FLS_OK : status;
        }
        uint64_t most =
            view->end - at < search->max_frame_bytes ? view->end - at : search->max_frame_bytes;
        for (size_t i = 0; i + FLS_LENGTH_BYTES <= got && at + i < search->to; i++) {
            flsi_candidate frame;
            uint32_t length = flsi_load_le32(bytes + i);
            if (length > most || (length == 0 && search->digest->width < 8) ||
                !flsi_proof_fits(&trial->prober, at + i, length, &frame)) {
                continue;
            }
            status = try_frame(trial, &frame, 0, &search->found, err);
            if (status != FLS_OK || (search->quick && gave_up(trial))) {
                return status; /* proof or no proof would give the same name */
            }
            if (search->found) {
                search->found_offset = at + i;
                return FLS_OK;
            }
        }
        at += got - (FLS_LENGTH_BYTES - 1);
    }
    return FLS_OK;
}

fls_status flsi_search_sound_frame(flsi_search *search, const flsi_view *view, fls_error *err)
{
    proof_search trial = {.search = search,
                          .prober = {.digest = search->digest,
                                     .max_frame_bytes = search->max_frame_bytes,
                                     .roots = search->roots}};
    flsi_view scanned;
    flsi_view_copy(&scanned, view);
    flsi_view_copy(&trial.prober.probe, view);
    uint64_t searched = view->end - search->frame;
    uint64_t per_byte = search->quick ? QUICK_PER_BYTE : HASH_PER_BYTE;
    uint64_t given = search->quick ? QUICK_FREE : HASH_FREE;
    uint64_t most = (uint64_t)INT64_MAX;
    for (int i = 0; i < PURSES; i++) {
        trial.purses[i].left = searched < (most - given) / per_byte
                                   ? (int64_t)(given + per_byte * searched)
                                   : INT64_MAX;
    }
    fls_status status = flsi_proof_find_zeros(&trial.prober, search->frame, err);
    if (status == FLS_OK) {
        status = try_neighbours(&trial, &search->found, err);
    }
    if (status == FLS_OK && search->found) {
        search->found_offset = search->frame;
    } else if (status == FLS_OK) {
        status = scan(&trial, &scanned, search, err);
    }
    search->gave_up = !search->found && gave_up(&trial);
    flsi_view_close(&scanned);
    flsi_view_close(&trial.prober.probe);
    return status;
}
