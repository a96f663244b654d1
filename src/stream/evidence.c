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
 * the bytes searched: one for payloads with a table root, and for what stands at a known place; one
 * for all others. If the first runs out, or the second where payloads are not known to have table
 * roots, the search says that it gave up, and nothing is cut.
 */
#include "stream/evidence.h"

#include "core/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SCAN_BYTES      ((size_t)256 * 1024)
#define PROBE_BYTES     ((size_t)4096)
#define LONG_PAYLOAD    ((uint64_t)64 * 1024)
#define HASH_PER_BYTE   64u
#define HASH_FREE       ((uint64_t)4 << 30)
#define LONG_ENOUGH     8u
#define CHAIN_FRAMES    16u
#define CHAIN_AT_END    2u
#define CHAIN_IN_A_ROW  4u
#define OPAQUE_AT_END   3u
#define OPAQUE_IN_A_ROW 8u

/* What may be hashed of payloads, by how likely they are to be messages; see above. */
typedef enum purse { PURSE_LIKELY, PURSE_UNLIKELY, PURSES } purse;

typedef struct proof_search {
    const flsi_search *search;
    flsi_view probe;     /* a window of its own, so that probing does not disturb the scan */
    uint64_t zeros_from; /* from here to the end of the stream all is zero */
    uint64_t purses[PURSES];
    int empty[PURSES]; /* something was not hashed for want of it */
} proof_search;

typedef struct candidate {
    uint64_t offset;
    uint32_t length;
    uint64_t end; /* offset behind the frame */
} candidate;

static uint32_t unit_of(const proof_search *prober)
{
    return FLS_LENGTH_BYTES + prober->search->digest->width;
}

/* A header at offset that declares a frame within the stream. */
static int fits(const proof_search *prober, uint64_t offset, uint32_t length, candidate *found)
{
    uint64_t end = prober->probe.end;
    uint32_t unit = unit_of(prober);
    if (length > prober->search->max_frame_bytes || end - offset < unit ||
        end - offset - unit < length) {
        return 0;
    }
    found->offset = offset;
    found->length = length;
    found->end = offset + unit + length;
    return 1;
}

static fls_status read_header(proof_search *prober, uint64_t offset, candidate *found, int *good,
                              fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    *good = 0;
    fls_status status =
        flsi_view_get(&prober->probe, offset, FLS_LENGTH_BYTES, PROBE_BYTES, &bytes, &got, err);
    if (status == FLS_OK) {
        *good = fits(prober, offset, flsi_load_le32(bytes), found);
    }
    return status == FLS_END ? FLS_OK : status;
}

/* Whether the frame's payload looks like a FlatBuffer: flsi_looks_rooted with three short looks,
 * wherever in the payload the table and its vtable lie. */
static fls_status has_root(proof_search *prober, const candidate *frame, int *root, fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    uint64_t payload = frame->offset + unit_of(prober);
    uint64_t size = frame->length;
    *root = 0;
    if (size < 8) {
        return FLS_OK;
    }
    fls_status status = flsi_view_get(&prober->probe, payload, 4, PROBE_BYTES, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    uint64_t table = flsi_load_le32(bytes);
    if (table < 4 || table > size - 4 || table % 4 != 0) {
        return FLS_OK;
    }
    status = flsi_view_get(&prober->probe, payload + table, 4, PROBE_BYTES, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    uint64_t vtable = table - (uint64_t)(int64_t)(int32_t)flsi_load_le32(bytes);
    if (vtable > size - 2 || vtable % 2 != 0) {
        return FLS_OK;
    }
    status = flsi_view_get(&prober->probe, payload + vtable, 2, PROBE_BYTES, &bytes, &got, err);
    if (status == FLS_OK) {
        uint64_t vtable_bytes = flsi_load_le16(bytes);
        *root = vtable_bytes >= 4 && vtable_bytes % 2 == 0 && vtable_bytes <= size - vtable;
    }
    return status == FLS_END ? FLS_OK : status;
}

/* The digest of a long payload of a built-in checksum, piece by piece. */
static fls_status digest_in_pieces(proof_search *prober, const candidate *frame, uint64_t *digest,
                                   fls_error *err)
{
    XXH3_state_t state;
    const fls_digest_state *kernels = prober->search->digest;
    uint64_t at = frame->offset + unit_of(prober);
    uint64_t running = 0;
    XXH3_64bits_reset(&state);
    while (at < frame->end) {
        const uint8_t *bytes;
        size_t got;
        size_t want = frame->end - at < SCAN_BYTES ? (size_t)(frame->end - at) : SCAN_BYTES;
        fls_status status = flsi_view_get(&prober->probe, at, want, want, &bytes, &got, err);
        if (status != FLS_OK) {
            return status;
        }
        switch (kernels->checksum) {
        case FLS_CHECKSUM_CRC16: running = kernels->crc16((uint16_t)running, bytes, got); break;
        case FLS_CHECKSUM_CRC32: running = kernels->crc32((uint32_t)running, bytes, got); break;
        default: XXH3_64bits_update(&state, bytes, got); break;
        }
        at += got;
    }
    *digest = kernels->checksum == FLS_CHECKSUM_XXH3 ? XXH3_64bits_digest(&state) : running;
    return FLS_OK;
}

/* Whether the frame's checksum holds; an empty frame that is all zero never does. */
static fls_status holds(proof_search *prober, const candidate *frame, purse from, int *sound,
                        fls_error *err)
{
    const fls_digest_state *digest = prober->search->digest;
    const uint8_t *bytes;
    size_t got;
    uint64_t stored;
    uint64_t computed;
    *sound = 0;
    if (frame->length == 0 && (digest->width < 8 || digest->of_empty == 0)) {
        return FLS_OK;
    }
    if (digest->width == 0) {
        *sound = 1;
        return FLS_OK;
    }
    if (frame->length > prober->purses[from]) {
        prober->empty[from] = 1;
        return FLS_OK;
    }
    prober->purses[from] -= frame->length;
    uint32_t unit = unit_of(prober);
    fls_status status = flsi_view_get(&prober->probe, frame->offset, unit, unit, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    stored = flsi_digest_load(digest, digest->checksum, bytes + FLS_LENGTH_BYTES);
    if (frame->length > LONG_PAYLOAD && digest->checksum != FLS_CHECKSUM_CUSTOM &&
        !flsi_view_in_memory(&prober->probe)) {
        status = digest_in_pieces(prober, frame, &computed, err);
    } else {
        status = flsi_view_get(&prober->probe, frame->offset + unit, frame->length, frame->length,
                               &bytes, &got, err);
        computed =
            status == FLS_OK ? flsi_digest_of(digest, digest->checksum, bytes, frame->length) : 0;
    }
    *sound = status == FLS_OK && stored == computed;
    return status == FLS_END ? FLS_OK : status;
}

typedef struct chain {
    unsigned frames; /* non-empty, sound, in a row, the first included */
    unsigned rooted; /* how many of them, before the first that has none, have a table root */
    int first_root;
    int ends_at_end; /* nothing, or nothing but zeros, is behind them */
} chain;

/* Follows sound frames from one that is sound. The one at the known boundary counts as rooted: it
 * is not the guess of a place that has to be confirmed. */
static fls_status follow(proof_search *prober, const candidate *first, int at_boundary,
                         chain *found, fls_error *err)
{
    candidate at = *first;
    unsigned steps = 1;
    found->frames = 1;
    fls_status status = has_root(prober, first, &found->first_root, err);
    found->rooted = at_boundary || found->first_root;
    while (status == FLS_OK && at.end < prober->probe.end && steps < 4 * CHAIN_FRAMES &&
           found->frames < CHAIN_FRAMES) {
        int good = 0;
        int root = 0;
        uint64_t offset = at.end;
        status = read_header(prober, offset, &at, &good, err);
        if (status != FLS_OK || !good) {
            at.end = offset;
            break;
        }
        steps++;
        if (at.length == 0) {
            continue;
        }
        status = holds(prober, &at, PURSE_LIKELY, &good, err);
        if (status == FLS_OK && good) {
            status = has_root(prober, &at, &root, err);
        }
        if (status != FLS_OK || !good) {
            at.end = offset;
            break;
        }
        found->rooted += (unsigned)(root && found->rooted == found->frames);
        found->frames++;
    }
    found->ends_at_end = at.end >= prober->zeros_from;
    return status;
}

/* The table at the top, for a frame whose checksum holds. */
static fls_status judge(proof_search *prober, const candidate *frame, int at_boundary, int *proven,
                        fls_error *err)
{
    uint32_t width = prober->search->digest->width;
    chain found;
    *proven = 0;
    if (width >= 8 || (width >= 4 && (at_boundary || frame->length >= LONG_ENOUGH))) {
        *proven = 1;
        return FLS_OK;
    }
    fls_status status = follow(prober, frame, at_boundary, &found, err);
    if (status != FLS_OK) {
        return status;
    }
    int roots = prober->search->roots;
    if (width > 0) {
        int ends = found.ends_at_end && width > 1 &&
                   (width >= 4 || at_boundary || found.first_root || !roots);
        *proven =
            found.frames > (width == 1 ? 2u : 1u) || ends || (found.first_root && !at_boundary);
    } else if (found.rooted >= CHAIN_IN_A_ROW) {
        *proven = 1;
    } else if (found.rooted == found.frames) {
        *proven = found.ends_at_end && found.frames >= CHAIN_AT_END;
    } else if (!roots) {
        unsigned at_end = at_boundary ? CHAIN_AT_END : OPAQUE_AT_END;
        *proven = (found.ends_at_end && found.frames >= at_end) || found.frames >= OPAQUE_IN_A_ROW;
    }
    return FLS_OK;
}

/* One candidate: its hash, then the evidence around it. */
static fls_status try_frame(proof_search *prober, const candidate *frame, int at_boundary,
                            int *proven, fls_error *err)
{
    int good;
    int root = 0;
    *proven = 0;
    fls_status status = at_boundary ? FLS_OK : has_root(prober, frame, &root, err);
    if (status != FLS_OK) {
        return status;
    }
    status = holds(prober, frame, at_boundary || root ? PURSE_LIKELY : PURSE_UNLIKELY, &good, err);
    if (status != FLS_OK || !good) {
        return status;
    }
    return judge(prober, frame, at_boundary, proven, err);
}

/* Where the zeros begin with which the stream ends; its end if it does not end with any. */
static fls_status find_zeros_at_end(proof_search *prober, fls_error *err)
{
    uint64_t at = prober->probe.end;
    while (at > prober->search->frame) {
        const uint8_t *bytes;
        size_t got;
        uint64_t before = at - prober->search->frame;
        size_t piece = before < SCAN_BYTES ? (size_t)before : SCAN_BYTES;
        fls_status status =
            flsi_view_get(&prober->probe, at - piece, piece, piece, &bytes, &got, err);
        if (status != FLS_OK) {
            return status == FLS_END ? FLS_OK : status;
        }
        while (piece > 0 && bytes[piece - 1] == 0) {
            piece--;
            at--;
        }
        prober->zeros_from = at;
        if (piece > 0) {
            return FLS_OK;
        }
    }
    return FLS_OK;
}

static fls_status try_neighbours(proof_search *prober, int *proven, fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    *proven = 0;
    fls_status status = flsi_view_get(&prober->probe, prober->search->frame, FLS_LENGTH_BYTES,
                                      FLS_LENGTH_BYTES, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    uint32_t length = flsi_load_le32(bytes);
    for (unsigned bit = 0; bit < 32 && status == FLS_OK && !*proven; bit++) {
        candidate frame;
        if (fits(prober, prober->search->frame, length ^ (UINT32_C(1) << bit), &frame)) {
            status = try_frame(prober, &frame, 1, proven, err);
        }
    }
    return status;
}

/* Every offset, a window at a time. */
static fls_status scan(proof_search *prober, flsi_view *view, flsi_search *search, fls_error *err)
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
        for (size_t i = 0; i + FLS_LENGTH_BYTES <= got && at + i < search->to; i++) {
            candidate frame;
            if (!fits(prober, at + i, flsi_load_le32(bytes + i), &frame) ||
                (frame.length == 0 && search->digest->width < 8)) {
                continue;
            }
            status = try_frame(prober, &frame, 0, &search->found, err);
            if (status != FLS_OK) {
                return status;
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
    proof_search prober = {.search = search};
    flsi_view scanned;
    flsi_view_copy(&scanned, view);
    flsi_view_copy(&prober.probe, view);
    for (int i = 0; i < PURSES; i++) {
        prober.purses[i] = HASH_FREE + HASH_PER_BYTE * (view->end - search->frame);
    }
    prober.zeros_from = view->end;
    fls_status status = find_zeros_at_end(&prober, err);
    if (status == FLS_OK) {
        status = try_neighbours(&prober, &search->found, err);
    }
    if (status == FLS_OK && search->found) {
        search->found_offset = search->frame;
    } else if (status == FLS_OK) {
        status = scan(&prober, &scanned, search, err);
    }
    search->gave_up = !search->found && (prober.empty[PURSE_LIKELY] ||
                                         (prober.empty[PURSE_UNLIKELY] && !search->roots));
    flsi_view_close(&scanned);
    flsi_view_close(&prober.probe);
    return status;
}
