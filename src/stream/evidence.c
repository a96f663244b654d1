/* The search for a sound frame behind one that cannot be read.
 *
 * A frame of L bytes whose end lies beyond the end of the stream is a torn tail, or a frame whose
 * length was damaged, with sound frames behind it. Nothing is cut unless the search finds no proof
 * of the second. A frame counts as proven by its checksum, of width W, and
 *
 *   W = 8      nothing else.
 *   W = 4..7   at the known boundary (a neighbour of L) nothing else; elsewhere one of: a frame
 *              behind it holds too; it ends where the stream ends; it has a table root.
 *   W = 2, 3   one of: a frame behind it holds too; it ends where the stream ends (*); elsewhere
 *              than at the known boundary, it has a table root.
 *   W = 1      the same, but two frames behind it.
 *   W = 0      two frames in a row that end where the stream ends, or four in a row, all with
 *              table roots (at the known boundary, all but the first); or (*: not) three in a row
 *              that end where the stream ends (two at the known boundary), or eight in a row.
 *
 *   (*) When the messages before the frame all have a table root, so do those behind it, and what
 *       has none is taken for the inside of a payload.
 *
 * Empty frames prove nothing, except under a checksum of 8 bytes whose digest of nothing is not
 * zero. A doubt is decided for damage, because then nothing is cut. (Why a table root alone is not
 * enough without a checksum: in a payload, an offset to a table that follows another number looks
 * just like a frame, and where the stream was torn is no witness.)
 *
 * The work is bounded: payloads are hashed only while their sum stays below a budget for the bytes
 * searched, and a long payload only if the headers behind it chain. Payloads with a table root are
 * not counted. If the budget runs out, and the messages before did not all have table roots, the
 * search says that it gave up, and nothing is cut.
 */
#include "stream/evidence.h"

#include "core/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SCAN_BYTES      ((size_t)256 * 1024)
#define PROBE_BYTES     ((size_t)4096)
#define LONG_PAYLOAD    ((uint64_t)64 * 1024)
#define HASH_PER_BYTE   64u
#define HASH_FREE       ((uint64_t)1 << 30)
#define CHAIN_FRAMES    16u
#define CHAIN_AT_END    2u
#define CHAIN_IN_A_ROW  4u
#define OPAQUE_AT_END   3u
#define OPAQUE_IN_A_ROW 8u

typedef struct proof_search {
    const flsi_search *search;
    flsi_view probe; /* a window of its own, so that probing does not disturb the scan */
    uint64_t hashed;
    uint64_t budget;
    int gave_up;
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

/* Whether the payload begins like a FlatBuffer; looked at as far as 64 KiB. */
static fls_status has_root(proof_search *prober, const candidate *frame, int *root, fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    uint64_t payload = frame->offset + unit_of(prober);
    size_t look = frame->length < LONG_PAYLOAD ? frame->length : (size_t)LONG_PAYLOAD;
    *root = 0;
    if (look < 8) {
        return FLS_OK;
    }
    fls_status status = flsi_view_get(&prober->probe, payload, 8, PROBE_BYTES, &bytes, &got, err);
    if (status == FLS_OK && got < look && flsi_load_le32(bytes) <= frame->length) {
        status = flsi_view_get(&prober->probe, payload, look, look, &bytes, &got, err);
    }
    if (status == FLS_OK) {
        *root = flsi_looks_rooted(bytes, got < look ? got : look, frame->length);
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
static fls_status holds(proof_search *prober, const candidate *frame, int counted, int *sound,
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
    if (counted) {
        prober->hashed += frame->length;
        if (prober->hashed > prober->budget) {
            prober->gave_up = 1;
            return FLS_OK;
        }
    }
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

/* Whether at least `count` further headers behind the frame declare frames within the stream, or
 * the frames end where the stream ends. Costs no hashing. */
static fls_status headers_chain(proof_search *prober, const candidate *frame, unsigned count,
                                int *chain, fls_error *err)
{
    candidate at = *frame;
    *chain = 1;
    for (unsigned i = 0; i < count && at.end != prober->probe.end; i++) {
        fls_status status = read_header(prober, at.end, &at, chain, err);
        if (status != FLS_OK || !*chain) {
            return status;
        }
    }
    return FLS_OK;
}

typedef struct chain {
    unsigned frames; /* non-empty, sound, in a row, the first included */
    unsigned rooted; /* how many of them, before the first that has none, have a table root */
    int first_root;
    int ends_at_end; /* the last of them, or an empty one behind it, ends where the stream ends */
} chain;

/* Follows sound frames from one that is sound. The one at the known boundary counts as rooted: it is
 * not the guess of a place that has to be confirmed. */
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
        status = holds(prober, &at, 1, &good, err);
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
    found->ends_at_end = at.end == prober->probe.end;
    return status;
}

/* The table at the top, for a frame whose checksum holds. */
static fls_status judge(proof_search *prober, const candidate *frame, int at_boundary, int *proven,
                        fls_error *err)
{
    uint32_t width = prober->search->digest->width;
    chain found;
    *proven = 0;
    if (width >= 8 || (width >= 4 && at_boundary)) {
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

/* One candidate: its headers, then its hash, then the evidence around it. */
static fls_status try_frame(proof_search *prober, const candidate *frame, int at_boundary,
                            int *proven, fls_error *err)
{
    int good = 1;
    int root = 0;
    *proven = 0;
    fls_status status = FLS_OK;
    if (!at_boundary) {
        if (frame->length > LONG_PAYLOAD) {
            status = headers_chain(prober, frame, 3, &good, err);
        }
        if (status == FLS_OK && good) {
            status = has_root(prober, frame, &root, err);
        }
        if (status != FLS_OK || !good) {
            return status;
        }
    }
    status = holds(prober, frame, !at_boundary && !root, &good, err);
    if (status != FLS_OK || !good) {
        return status;
    }
    return judge(prober, frame, at_boundary, proven, err);
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
    prober.budget = HASH_FREE + HASH_PER_BYTE * (view->end - search->frame);
    fls_status status = try_neighbours(&prober, &search->found, err);
    if (status == FLS_OK && search->found) {
        search->found_offset = search->frame;
    } else if (status == FLS_OK) {
        status = scan(&prober, &scanned, search, err);
    }
    search->gave_up = prober.gave_up && !search->found && !search->roots;
    flsi_view_close(&scanned);
    flsi_view_close(&prober.probe);
    return status;
}
