/* Which checksum a stream has, by proof: the first frames are walked under each of them. What
 * counts is how unlikely it is that bytes fit by chance:
 *
 *   xxh3   one frame whose checksum holds (64 bits).
 *   crc32  one non-empty frame whose checksum holds (32 bits).
 *   crc16  two of them, or one that ends where the stream ends, or one with a table root; and at
 *          least half of all that were looked at.
 *   none   nothing of the above; lengths that chain to the end of the stream (and not one frame
 *          whose payload has a table root only behind the bytes of a checksum), or two or more
 *          payloads that all have table roots, or lengths that chain so far that chance is out of
 *          the question: a length of L bits adds 32 - L bits of proof, and 64 are enough.
 *
 * Frames that are damaged do not hold, and do not disprove either.
 */
#include "flatstream/recover.h"

#include "core/bytes.h"
#include "core/cpu.h"
#include "core/digest.h"
#include "core/error.h"
#include "stream/evidence.h"

#define MOST_FRAMES 64u
#define PROOF_BITS  64u
#define MOST_BYTES  ((uint64_t)1024 * 1024)
/* A length beyond this is more often no length than the first message of a stream. */
#define MOST_FIRST_BYTES ((uint32_t)64 * 1024 * 1024)
#define PATIENCE_BYTES   ((size_t)256 * 1024)

typedef struct walked {
    unsigned frames; /* non-empty */
    unsigned sound;  /* of these, the checksum holds; empty ones too where that proves something */
    unsigned roots;
    unsigned bits; /* proof from the lengths alone */
    int at_end;    /* the frames end exactly where the bytes end */
    int shifted;   /* the first payload has a table root only behind the bytes of a checksum */
} walked;

/* Whether a payload begins like a FlatBuffer only behind some bytes that a checksum would take:
 * then it is not without a checksum, but a frame torn by just as many bytes as that takes. */
static int root_is_shifted(const uint8_t *payload, size_t size)
{
    if (flsi_looks_rooted(payload, size)) {
        return 0;
    }
    for (size_t width = 2; width <= FLS_MAX_CHECKSUM_BYTES && width < size; width *= 2) {
        if (flsi_looks_rooted(payload + width, size - width)) {
            return 1;
        }
    }
    return 0;
}

static void walk(const uint8_t *data, size_t size, const fls_digest_state *digest,
                 uint32_t max_frame_bytes, walked *found)
{
    size_t unit = FLS_LENGTH_BYTES + digest->width;
    size_t at = 0;
    memset(found, 0, sizeof *found);
    for (unsigned i = 0; i < 4 * MOST_FRAMES && found->frames < MOST_FRAMES; i++) {
        if (size - at < unit) {
            break;
        }
        uint32_t length = flsi_load_le32(data + at);
        if (length > max_frame_bytes || length > size - at - unit) {
            break;
        }
        const uint8_t *payload = data + at + unit;
        uint64_t stored = flsi_digest_load(digest, digest->checksum, data + at + FLS_LENGTH_BYTES);
        int sound = stored == flsi_digest_of(digest, digest->checksum, payload, length);
        at += unit + length;
        if (length == 0) {
            found->sound += (unsigned)(sound && digest->width == 8);
            continue;
        }
        if (found->frames == 0) {
            found->shifted = root_is_shifted(payload, length);
        }
        found->frames++;
        found->sound += (unsigned)sound;
        found->roots += (unsigned)flsi_looks_rooted(payload, length);
        for (uint32_t top = 0x80000000u; (length & top) == 0; top >>= 1) {
            found->bits++;
        }
    }
    found->at_end = at == size;
}

static int proven(fls_checksum checksum, const walked *found, int at_end, size_t size)
{
    int ends = at_end && found->at_end;
    switch (checksum) {
    case FLS_CHECKSUM_XXH3:
    case FLS_CHECKSUM_CRC32: return found->sound >= 1;
    case FLS_CHECKSUM_CRC16:
        return 2 * found->sound >= found->frames &&
               (found->sound >= 2 ||
                (found->sound == 1 && (ends || found->roots == found->frames)));
    default:
        if (!at_end && size < PATIENCE_BYTES && found->frames < MOST_FRAMES) {
            return 0; /* a little more patience can only make it surer */
        }
        return found->frames > 0 &&
               ((ends && (found->frames > 1 || !found->shifted)) ||
                (found->frames >= 2 && found->roots == found->frames) || found->bits >= PROOF_BITS);
    }
}

fls_status fls_detect_checksum(const void *data, size_t size, int at_end, uint32_t max_frame_bytes,
                               fls_checksum *checksum, fls_error *err)
{
    static const fls_checksum kinds[] = {FLS_CHECKSUM_XXH3, FLS_CHECKSUM_CRC32, FLS_CHECKSUM_CRC16,
                                         FLS_CHECKSUM_NONE};
    uint32_t most = max_frame_bytes != 0 ? max_frame_bytes : FLS_DEFAULT_MAX_FRAME_BYTES;
    if (size == 0) {
        return at_end ? FLS_END : FLS_NEED_MORE;
    }
    if (at_end && size >= FLS_ZERO_TAIL_BYTES && flsi_zero_run(data, size) == size) {
        return FLS_END; /* a zero tail and nothing else, under each of them */
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fls_digest_state digest;
        walked found;
        fls_status status = flsi_digest_init(&digest, kinds[i], NULL, flsi_cpu_features(), err);
        if (status != FLS_OK) {
            return status;
        }
        walk(data, size, &digest, most, &found);
        if (proven(kinds[i], &found, at_end, size)) {
            *checksum = kinds[i];
            return FLS_OK;
        }
    }
    uint32_t first = size >= FLS_LENGTH_BYTES ? flsi_load_le32(data) : 0;
    uint64_t enough = (uint64_t)first + FLS_MAX_HEADER_BYTES;
    if (!at_end && first <= most && first <= MOST_FIRST_BYTES &&
        size < (enough > MOST_BYTES ? enough : MOST_BYTES)) {
        return FLS_NEED_MORE;
    }
    if (first <= most && first > MOST_FIRST_BYTES) {
        return flsi_error_frame(err, FLS_CHECKSUM_UNPROVEN, 0, 0,
                                "the first message is too long to find it out: name one");
    }
    return flsi_error_frame(err, FLS_CHECKSUM_UNPROVEN, 0, 0,
                            "none of none, crc16, crc32, xxh3 fits the first frames: name one");
}
