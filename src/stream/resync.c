/* The search for the next proven frame. Most offsets are decided sixteen at a time, by the upper
 * bytes of what would be the length. What is left is asked in the order of what an answer costs:
 * does the frame fit, does its checksum look like one, do headers follow that could be some, does
 * the checksum hold, and what is behind the frame.
 */
#include "stream/resync.h"

#include "core/bytes.h"
#include "core/digest.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define SCAN_BYTES     ((size_t)256 * 1024)
#define BURST_BYTES    ((int64_t)16 * 1024 * 1024)
#define PROBE_COST     8u    /* of looking at one place, in bytes hashed */
#define LOAD_COST      1024u /* of a call of the source */
#define HEADERS_BEHIND 4     /* that could be some: then nothing is held back for better ones */
#define CHEAP_PART     8     /* of the purse: what is dearer has to have HEADERS_BEHIND */
#define LANES          16u
#define LANES_REACH    (LANES + FLS_LENGTH_BYTES)
#define SECTOR_BYTES   512u
/* Bits of evidence under checksums of 1 to 3 bytes. */
#define BITS_NEEDED       64u
#define BITS_OF_PLACE     12u /* a header stands where the frame before ends */
#define BITS_OF_ROOT      12u
#define BITS_OF_END       32u
#define UNROOTED_IN_A_ROW 4u /* where messages are known to have roots */
/* Without a checksum. */
#define ROOTED_IN_A_ROW 4u
#define ROOTED_AT_END   2u
#define OPAQUE_IN_A_ROW 16u
#define OPAQUE_AT_END   4u
#define AT_END          3u /* where one is expected */

void flsi_resync_init(flsi_resync *resync, const fls_digest_state *digest, const flsi_view *view,
                      uint32_t boundary_bytes, uint32_t hash_per_byte)
{
    memset(resync, 0, sizeof *resync);
    flsi_view_copy(&resync->scan, view);
    flsi_view_copy(&resync->prober.probe, view);
    resync->prober.digest = digest;
    resync->prober.max_frame_bytes = boundary_bytes;
    resync->prober.zeros_from = view->end;
    resync->boundary_bytes = boundary_bytes;
    resync->earned_per_byte = hash_per_byte;
    resync->purse.left = BURST_BYTES;
}

void flsi_resync_close(flsi_resync *resync)
{
    flsi_view_close(&resync->scan);
    flsi_view_close(&resync->prober.probe);
}

/* Takes from the purse what looking has cost since. */
static void pay_for_probes(flsi_resync *resync)
{
    uint64_t loads = resync->prober.probe.loads;
    uint64_t cost = (resync->prober.probes - resync->charged_probes) * PROBE_COST +
                    (loads - resync->charged_loads) * LOAD_COST;
    resync->charged_probes = resync->prober.probes;
    resync->charged_loads = loads;
    resync->purse.left -= (int64_t)cost;
}

void flsi_resync_earn(flsi_resync *resync, uint64_t bytes)
{
    int64_t *left = &resync->purse.left;
    pay_for_probes(resync);
    if (*left >= BURST_BYTES) {
        return;
    }
    uint64_t lacking = (uint64_t)(BURST_BYTES - *left);
    *left = bytes > lacking / resync->earned_per_byte
                ? BURST_BYTES
                : *left + (int64_t)(bytes * resync->earned_per_byte);
}

int flsi_resync_is_anchor(const flsi_resync *resync, uint64_t offset)
{
    size_t low = 0;
    size_t high = resync->anchor_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (resync->anchors[middle] < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < resync->anchor_count && resync->anchors[low] == offset;
}

/* How many of the headers behind a frame could be some; HEADERS_BEHIND where the stream ends. */
static fls_status headers_behind(flsi_resync *resync, const flsi_candidate *frame, int *count,
                                 fls_error *err)
{
    flsi_candidate at = *frame;
    for (*count = 0; *count < HEADERS_BEHIND; (*count)++) {
        int good;
        if (at.end >= resync->prober.zeros_from) {
            *count = HEADERS_BEHIND;
            break;
        }
        fls_status status = flsi_proof_header(&resync->prober, at.end, &at, &good, err);
        if (status != FLS_OK || !good) {
            return status;
        }
    }
    return FLS_OK;
}

/* A checksum is as good as random: so many bytes in it of zeros or of ones are a number or what an
 * erased sector leaves, not a checksum. (Of 2^24 true ones about one looks so. The CRC-32 of four
 * bytes of ones is all ones.) */
static int looks_like_checksum(const fls_digest_state *digest, const uint8_t *stored)
{
    if (digest->checksum == FLS_CHECKSUM_CUSTOM || digest->width < 4) {
        return 1;
    }
    const unsigned most = digest->width == 8 ? 4 : 3;
    unsigned zeros = 0;
    unsigned ones = 0;
    for (uint32_t i = 0; i < digest->width; i++) {
        zeros += stored[i] == 0;
        ones += stored[i] == 0xFF;
    }
    return zeros < most && ones < most;
}

/* ---- where a frame is expected ---- */

/* Rule P2 without a checksum. Zeros are no end here: too many rows of what are no frames lead
 * there. */
static fls_status prove_row(flsi_resync *resync, const flsi_candidate *frame, flsi_purse *purse,
                            int *proven, fls_error *err)
{
    flsi_prober *prober = &resync->prober;
    uint64_t zeros_from = prober->zeros_from;
    flsi_chain chain;
    prober->zeros_from = prober->probe.end;
    fls_status status = flsi_proof_follow(prober, frame, 1, FLSI_CHAIN_FRAMES, purse, &chain, err);
    prober->zeros_from = zeros_from;
    if (chain.rooted == chain.frames) {
        *proven = chain.frames >= ROOTED_IN_A_ROW || (chain.ends_at_end && chain.frames >= AT_END);
    } else if (!prober->roots) {
        *proven =
            chain.frames >= 2 * ROOTED_IN_A_ROW || (chain.ends_at_end && chain.frames >= AT_END);
    }
    return status;
}

/* Rule P2. A hash here may take more than there is: frames that are expected may be long. */
static fls_status prove_expected(flsi_resync *resync, const flsi_candidate *frame, int *proven,
                                 fls_error *err)
{
    flsi_purse lent = {.left = INT64_MAX};
    int sound;
    *proven = 0;
    fls_status status = flsi_proof_holds(&resync->prober, frame, &lent, &sound, err);
    if (status == FLS_OK && sound) {
        *proven = resync->prober.digest->width >= 4;
        if (resync->prober.digest->width == 0) {
            status = prove_row(resync, frame, &lent, proven, err);
        } else if (!*proven) {
            status = flsi_proof_judge(&resync->prober, frame, 1, &lent, proven, err);
        }
    }
    resync->purse.left -= INT64_MAX - lent.left;
    return status;
}

fls_status flsi_resync_proven(flsi_resync *resync, const flsi_candidate *frame, int *proven,
                              fls_error *err)
{
    uint32_t believed = resync->prober.max_frame_bytes;
    uint32_t unit = flsi_unit_of(resync->prober.digest);
    int behind = HEADERS_BEHIND;
    const uint8_t *bytes;
    size_t got;
    *proven = 0;
    if (resync->purse.left <= 0) {
        resync->purse.empty = 1;
        return FLS_OK;
    }
    fls_status status =
        flsi_view_get(&resync->prober.probe, frame->offset, unit, unit, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    if (!looks_like_checksum(resync->prober.digest, bytes + FLS_LENGTH_BYTES)) {
        return FLS_OK;
    }
    if ((int64_t)frame->length > resync->purse.left / CHEAP_PART) {
        status = headers_behind(resync, frame, &behind, err);
    }
    resync->prober.max_frame_bytes = resync->boundary_bytes;
    if (status == FLS_OK && behind == HEADERS_BEHIND) {
        status = prove_expected(resync, frame, proven, err);
    }
    resync->prober.max_frame_bytes = believed;
    pay_for_probes(resync);
    return status;
}

/* Steps over empty frames that are all zero: less than a sector of them. */
static fls_status pass_empties(flsi_resync *resync, uint64_t *offset, fls_error *err)
{
    const fls_digest_state *digest = resync->prober.digest;
    const uint8_t *bytes;
    size_t got;
    if (digest->of_empty != 0) {
        return FLS_OK;
    }
    fls_status status = flsi_view_get(&resync->prober.probe, *offset, 1, (size_t)2 * SECTOR_BYTES,
                                      &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    size_t run = flsi_zero_run(bytes, got);
    if (run < got && run < SECTOR_BYTES) {
        *offset += run - run % flsi_unit_of(digest);
    }
    return FLS_OK;
}

fls_status flsi_resync_expected(flsi_resync *resync, uint64_t offset, uint64_t *sound, int *proven,
                                fls_error *err)
{
    flsi_candidate frame;
    int good = 0;
    *proven = 0;
    *sound = offset;
    if (offset >= resync->prober.zeros_from) {
        *proven = 1;
        return FLS_OK;
    }
    fls_status status = pass_empties(resync, &offset, err);
    *sound = offset;
    if (status == FLS_OK) {
        uint32_t believed = resync->prober.max_frame_bytes;
        resync->prober.max_frame_bytes = resync->boundary_bytes;
        status = flsi_proof_header(&resync->prober, offset, &frame, &good, err);
        resync->prober.max_frame_bytes = believed;
    }
    if (status != FLS_OK || !good) {
        return status;
    }
    return flsi_resync_proven(resync, &frame, proven, err);
}

/* ---- where none is ---- */

/* Which of LANES offsets from `at` on have a length of 1 to at most about `limit`, a bit each; of
 * LANES_REACH bytes that are there. With lone (a first byte, or -1) also those of length 0 that
 * this byte follows: an empty frame whose checksum is not zero begins so. */
FLSI_ALWAYS_INLINE uint32_t plausible(const uint8_t *at, uint32_t limit, int lone)
{
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    const __m128i b3 = _mm_loadu_si128((const __m128i *)(const void *)(at + 3));
    const __m128i b2 = _mm_loadu_si128((const __m128i *)(const void *)(at + 2));
    const __m128i top = limit >> 24 != 0 ? b3 : b2;
    const __m128i most = _mm_set1_epi8((char)(limit >> 24 != 0 ? limit >> 24 : limit >> 16));
    __m128i good = _mm_cmpeq_epi8(_mm_min_epu8(top, most), top);
    if (limit >> 24 == 0) {
        good = _mm_and_si128(good, _mm_cmpeq_epi8(b3, zero));
    }
    uint32_t mask = (uint32_t)_mm_movemask_epi8(good);
    if (FLSI_UNLIKELY(mask != 0)) {
        const __m128i b1 = _mm_loadu_si128((const __m128i *)(const void *)(at + 1));
        const __m128i b0 = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i any = _mm_or_si128(_mm_or_si128(b0, b1), _mm_or_si128(b2, b3));
        __m128i none = _mm_cmpeq_epi8(any, zero);
        if (lone >= 0) {
            const __m128i b4 = _mm_loadu_si128((const __m128i *)(const void *)(at + 4));
            none = _mm_andnot_si128(_mm_cmpeq_epi8(b4, _mm_set1_epi8((char)lone)), none);
        }
        mask &= ~(uint32_t)_mm_movemask_epi8(none);
    }
    return mask;
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < LANES; i++) {
        const uint32_t length = flsi_load_le32(at + i);
        const uint32_t good = length - 1u < limit;
        const uint32_t empty = (uint32_t)(length == 0) & (uint32_t)((int)at[i + 4] == lone);
        mask |= (good | empty) << i;
    }
    return mask;
#endif
}

/* Rule P3, for a frame whose checksum holds. */
static fls_status believe(flsi_resync *resync, const flsi_candidate *frame, int *proven,
                          fls_error *err)
{
    uint32_t width = resync->prober.digest->width;
    unsigned most = width >= 4 ? 2 : width >= 2 ? 4 : FLSI_CHAIN_FRAMES;
    flsi_chain chain;
    *proven = width >= 8 || (width >= 4 && flsi_resync_is_anchor(resync, frame->end));
    if (*proven) {
        return FLS_OK;
    }
    fls_status status =
        flsi_proof_follow(&resync->prober, frame, 0, most, &resync->purse, &chain, err);
    if (status != FLS_OK) {
        return status;
    }
    int all_rooted = chain.rooted == chain.frames;
    if (width >= 4) {
        *proven = chain.frames > 1 || chain.ends_at_end;
    } else if (width > 0) {
        unsigned bits = chain.frames * 8 * width + (chain.frames - 1) * BITS_OF_PLACE +
                        chain.rooted * BITS_OF_ROOT + (chain.ends_at_end ? BITS_OF_END : 0);
        int alike = all_rooted || (chain.roots == 0 && chain.frames >= UNROOTED_IN_A_ROW);
        *proven = bits >= BITS_NEEDED && (alike || !resync->prober.roots);
    } else if (all_rooted) {
        *proven =
            chain.frames >= ROOTED_IN_A_ROW || (chain.ends_at_end && chain.frames >= ROOTED_AT_END);
    } else if (!resync->prober.roots) {
        *proven =
            chain.frames >= OPAQUE_IN_A_ROW || (chain.ends_at_end && chain.frames >= OPAQUE_AT_END);
    }
    return FLS_OK;
}

/* One candidate that passed the filter. */
static fls_status try_offset(flsi_resync *resync, uint64_t offset, flsi_candidate *frame,
                             int *proven, fls_error *err)
{
    flsi_prober *prober = &resync->prober;
    uint32_t unit = flsi_unit_of(prober->digest);
    const uint8_t *bytes;
    size_t got;
    int sound = 0;
    int behind;
    *proven = 0;
    if (resync->purse.left <= 0) {
        resync->purse.empty = 1;
        return FLS_OK;
    }
    prober->probes++;
    fls_status status = flsi_view_get(&resync->scan, offset, unit, unit, &bytes, &got, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    if (!flsi_proof_fits(prober, offset, flsi_load_le32(bytes), frame) ||
        (frame->length == 0 && prober->digest->width < 8) ||
        !looks_like_checksum(prober->digest, bytes + FLS_LENGTH_BYTES)) {
        return FLS_OK;
    }
    status = headers_behind(resync, frame, &behind, err);
    if (status == FLS_OK) {
        /* The fewer headers follow, the more is held back for what is likelier. */
        int64_t held_back = BURST_BYTES / 2 / HEADERS_BEHIND * (HEADERS_BEHIND - behind);
        resync->purse.left -= held_back;
        status = flsi_proof_holds(prober, frame, &resync->purse, &sound, err);
        resync->purse.left += held_back;
    }
    if (status == FLS_OK && sound) {
        status = believe(resync, frame, proven, err);
    }
    pay_for_probes(resync);
    return status;
}

/* The offsets of one piece that is there: as many as have LANES_REACH bytes behind them. */
static fls_status scan_piece(flsi_resync *resync, const uint8_t *bytes, uint64_t offset,
                             size_t count, flsi_candidate *found, int *proven, fls_error *err)
{
    const fls_digest_state *digest = resync->prober.digest;
    const uint32_t limit = resync->prober.max_frame_bytes;
    const int lone =
        digest->width == 8 && digest->of_empty != 0 ? (int)(digest->of_empty & 255) : -1;
    size_t earned = 0;
    for (size_t i = 0; i < count; i += LANES) {
        uint32_t mask = plausible(bytes + i, limit, lone);
        if (FLSI_UNLIKELY(mask != 0)) {
            if (count - i < LANES) {
                mask &= (1u << (count - i)) - 1u;
            }
            flsi_resync_earn(resync, i - earned);
            earned = i;
            for (uint32_t lane = 0; mask != 0; lane++, mask >>= 1) {
                if ((mask & 1u) == 0) {
                    continue;
                }
                fls_status status = try_offset(resync, offset + i + lane, found, proven, err);
                if (status != FLS_OK || *proven) {
                    return status;
                }
            }
        }
    }
    flsi_resync_earn(resync, count - earned);
    return FLS_OK;
}

/* The offsets [from, to), none of which is an anchor. */
static fls_status scan(flsi_resync *resync, uint64_t from, uint64_t to, flsi_candidate *found,
                       int *proven, fls_error *err)
{
    uint64_t end = resync->scan.end;
    uint32_t unit = flsi_unit_of(resync->prober.digest);
    to = end < unit ? from : to < end - unit + 1 ? to : end - unit + 1;
    while (from < to) {
        const uint8_t *bytes;
        size_t got;
        uint8_t copy[LANES + LANES_REACH] = {0};
        /* Enough for more than the last lanes, so that a window's end is not read bit by bit. */
        size_t need = end - from > 2 * (uint64_t)LANES_REACH ? 2 * (size_t)LANES_REACH + 1 : 1;
        fls_status status = flsi_view_get(&resync->scan, from, need, SCAN_BYTES, &bytes, &got, err);
        if (status != FLS_OK) {
            return status == FLS_END ? FLS_OK : status;
        }
        size_t count;
        if (got > 2 * (size_t)LANES_REACH) {
            count = got - 2 * (size_t)LANES_REACH;
        } else { /* the last ones: in a place with room behind it */
            status = flsi_view_get(&resync->scan, from, unit, LANES_REACH, &bytes, &got, err);
            if (status != FLS_OK) {
                return status == FLS_END ? FLS_OK : status;
            }
            memcpy(copy, bytes, got);
            bytes = copy;
            count = got > FLS_LENGTH_BYTES ? got - FLS_LENGTH_BYTES : 1;
        }
        count = to - from < count ? (size_t)(to - from) : count;
        status = scan_piece(resync, bytes, from, count, found, proven, err);
        if (status != FLS_OK || *proven) {
            return status;
        }
        from += count;
    }
    return FLS_OK;
}

fls_status flsi_resync_find(flsi_resync *resync, uint64_t from, uint64_t to, flsi_candidate *found,
                            int *proven, fls_error *err)
{
    size_t next = 0;
    fls_status status = FLS_OK;
    *proven = 0;
    while (next < resync->anchor_count && resync->anchors[next] < from) {
        next++;
    }
    while (status == FLS_OK && from < to && !*proven) {
        uint64_t anchor = next < resync->anchor_count ? resync->anchors[next] : to;
        status = scan(resync, from, anchor < to ? anchor : to, found, proven, err);
        if (status != FLS_OK || *proven || anchor >= to) {
            break;
        }
        int good;
        uint32_t believed = resync->prober.max_frame_bytes;
        resync->prober.max_frame_bytes = resync->boundary_bytes;
        status = flsi_proof_header(&resync->prober, anchor, found, &good, err);
        resync->prober.max_frame_bytes = believed;
        if (status == FLS_OK && good) {
            status = flsi_resync_proven(resync, found, proven, err);
        }
        from = anchor + (*proven ? 0 : 1);
        next++;
        while (!*proven && next < resync->anchor_count && resync->anchors[next] < from) {
            next++;
        }
    }
    return status;
}
