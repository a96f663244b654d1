/* What speaks for a frame; see proof.h, and evidence.c for what counts as proof of one. */
#include "stream/proof.h"

#include "core/bytes.h"
#include "core/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define PIECE_BYTES     ((size_t)256 * 1024)
#define PROBE_BYTES     ((size_t)4096)
#define LONG_PAYLOAD    ((uint64_t)64 * 1024)
#define LONG_ENOUGH     8u
#define CHAIN_FRAMES    FLSI_CHAIN_FRAMES
#define SOUND_ENOUGH    3u
#define CHAIN_AT_END    2u
#define CHAIN_IN_A_ROW  4u
#define OPAQUE_AT_END   3u
#define OPAQUE_IN_A_ROW 8u

int flsi_proof_fits(const flsi_prober *prober, uint64_t offset, uint32_t length,
                    flsi_candidate *found)
{
    uint64_t end = prober->probe.end;
    uint32_t unit = flsi_unit_of(prober->digest);
    if (length > prober->max_frame_bytes || end - offset < unit || end - offset - unit < length) {
        return 0;
    }
    found->offset = offset;
    found->length = length;
    found->end = offset + unit + length;
    return 1;
}

fls_status flsi_proof_header(flsi_prober *prober, uint64_t offset, flsi_candidate *found, int *good,
                             fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    *good = 0;
    prober->probes++;
    fls_status status =
        flsi_view_get(&prober->probe, offset, FLS_LENGTH_BYTES, PROBE_BYTES, &bytes, &got, err);
    if (status == FLS_OK) {
        *good = flsi_proof_fits(prober, offset, flsi_load_le32(bytes), found);
    }
    return status == FLS_END ? FLS_OK : status;
}

fls_status flsi_proof_root(flsi_prober *prober, const flsi_candidate *frame, int *root,
                           fls_error *err)
{
    const uint8_t *bytes;
    size_t got;
    uint64_t payload = frame->offset + flsi_unit_of(prober->digest);
    uint64_t size = frame->length;
    *root = 0;
    prober->probes++;
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
static fls_status digest_in_pieces(flsi_prober *prober, const flsi_candidate *frame,
                                   uint64_t *digest, fls_error *err)
{
    XXH3_state_t state;
    const fls_digest_state *kernels = prober->digest;
    uint64_t at = frame->offset + flsi_unit_of(prober->digest);
    uint64_t running = 0;
    XXH3_64bits_reset(&state);
    while (at < frame->end) {
        const uint8_t *bytes;
        size_t got;
        size_t want = frame->end - at < PIECE_BYTES ? (size_t)(frame->end - at) : PIECE_BYTES;
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

fls_status flsi_proof_checksums(flsi_prober *prober, const flsi_candidate *frame, uint64_t *stored,
                                uint64_t *computed, int *there, fls_error *err)
{
    const fls_digest_state *digest = prober->digest;
    const uint8_t *bytes;
    size_t got;
    uint32_t unit = flsi_unit_of(digest);
    *there = 0;
    prober->hashed += frame->length;
    fls_status status = flsi_view_get(&prober->probe, frame->offset, unit, unit, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    *stored = flsi_digest_load(digest, digest->checksum, bytes + FLS_LENGTH_BYTES);
    if (frame->length > LONG_PAYLOAD && digest->checksum != FLS_CHECKSUM_CUSTOM &&
        !flsi_view_in_memory(&prober->probe)) {
        status = digest_in_pieces(prober, frame, computed, err);
    } else {
        status = flsi_view_get(&prober->probe, frame->offset + unit, frame->length, frame->length,
                               &bytes, &got, err);
        *computed =
            status == FLS_OK ? flsi_digest_of(digest, digest->checksum, bytes, frame->length) : 0;
    }
    *there = status == FLS_OK;
    return status == FLS_END ? FLS_OK : status;
}

fls_status flsi_proof_holds(flsi_prober *prober, const flsi_candidate *frame, flsi_purse *purse,
                            int *sound, fls_error *err)
{
    const fls_digest_state *digest = prober->digest;
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
    if ((int64_t)frame->length > purse->left) {
        purse->empty = 1;
        return FLS_OK;
    }
    purse->left -= frame->length;
    fls_status status = flsi_proof_checksums(prober, frame, &stored, &computed, sound, err);
    *sound = status == FLS_OK && *sound && stored == computed;
    return status;
}

fls_status flsi_proof_follow(flsi_prober *prober, const flsi_candidate *first, int at_boundary,
                             unsigned most, flsi_purse *purse, flsi_chain *found, fls_error *err)
{
    flsi_candidate at = *first;
    unsigned steps = 1;
    found->frames = 1;
    fls_status status = flsi_proof_root(prober, first, &found->first_root, err);
    found->rooted = at_boundary || found->first_root;
    found->roots = (unsigned)found->first_root;
    while (status == FLS_OK && at.end < prober->probe.end && steps < 4 * CHAIN_FRAMES &&
           found->frames < most) {
        int good = 0;
        int root = 0;
        uint64_t offset = at.end;
        status = flsi_proof_header(prober, offset, &at, &good, err);
        if (status != FLS_OK || !good) {
            at.end = offset;
            break;
        }
        steps++;
        if (at.length == 0) {
            continue;
        }
        status = flsi_proof_holds(prober, &at, purse, &good, err);
        if (status == FLS_OK && good) {
            status = flsi_proof_root(prober, &at, &root, err);
        }
        if (status != FLS_OK || !good) {
            at.end = offset;
            break;
        }
        found->rooted += (unsigned)(root && found->rooted == found->frames);
        found->roots += (unsigned)root;
        found->frames++;
    }
    found->ends_at_end = at.end >= prober->zeros_from;
    return status;
}

fls_status flsi_proof_judge(flsi_prober *prober, const flsi_candidate *frame, int at_boundary,
                            flsi_purse *purse, int *proven, fls_error *err)
{
    uint32_t width = prober->digest->width;
    flsi_chain found;
    *proven = 0;
    if (width >= 8 || (width >= 4 && (at_boundary || frame->length >= LONG_ENOUGH))) {
        *proven = 1;
        return FLS_OK;
    }
    /* No more than can matter: they are hashed. */
    unsigned most = width > 0 ? SOUND_ENOUGH : CHAIN_FRAMES;
    fls_status status = flsi_proof_follow(prober, frame, at_boundary, most, purse, &found, err);
    if (status != FLS_OK) {
        return status;
    }
    int roots = prober->roots;
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

fls_status flsi_proof_find_zeros(flsi_prober *prober, uint64_t from, fls_error *err)
{
    uint64_t at = prober->probe.end;
    prober->zeros_from = at;
    while (at > from) {
        const uint8_t *bytes;
        size_t got;
        uint64_t before = at - from;
        size_t piece = before < PIECE_BYTES ? (size_t)before : PIECE_BYTES;
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
