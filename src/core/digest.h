/* The digest of one payload: which kernels, chosen once when an object is opened, and the call
 * itself, inlined so that a loop compiled for one checksum has no choice left to make.
 */
#ifndef FLSI_CORE_DIGEST_H
#define FLSI_CORE_DIGEST_H

#include "core/bytes.h"
#include "core/xxh3.h"
#include "flatstream/cursor.h"

/* checksum DEFAULT is XXH3; DETECT is FLS_INVALID_ARGUMENT. features are FLSI_CPU_ bits: those of
 * flsi_cpu_features(), or fewer. custom must outlive the state. */
fls_status flsi_digest_init(fls_digest_state *digest, fls_checksum checksum,
                            const fls_custom_checksum *custom, uint32_t features, fls_error *err);

FLSI_ALWAYS_INLINE uint64_t flsi_digest_xxh3(const fls_digest_state *digest, const void *data,
                                             size_t size)
{
#ifdef __SIZEOF_INT128__
    if (size >= FLSI_SHORT_MIN && size <= FLSI_SHORT_MAX) {
        return flsi_xxh3_17to128(data, size);
    }
#endif
    return size <= FLSI_XXH3_SHORT_BYTES ? flsi_xxh3_baseline(data, size)
                                         : digest->xxh3_long(data, size);
}

/* checksum is digest->checksum, written out by the caller where it is a constant there. */
FLSI_ALWAYS_INLINE uint64_t flsi_digest_of(const fls_digest_state *digest, uint32_t checksum,
                                           const void *data, size_t size)
{
    switch (checksum) {
    case FLS_CHECKSUM_CRC16: return digest->crc16(0, data, size);
    case FLS_CHECKSUM_CRC32: return digest->crc32(0, data, size);
    case FLS_CHECKSUM_XXH3: return flsi_digest_xxh3(digest, data, size);
    case FLS_CHECKSUM_CUSTOM: {
        uint64_t value = digest->custom(digest->custom_self, data, size);
        /* No width is over 8: flsi_digest_init refuses it. */
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        return digest->width == 8 ? value : value & ((UINT64_C(1) << (8 * digest->width)) - 1);
    }
    default: return 0;
    }
}

FLSI_ALWAYS_INLINE uint64_t flsi_digest_load(const fls_digest_state *digest, uint32_t checksum,
                                             const uint8_t *from)
{
    switch (checksum) {
    case FLS_CHECKSUM_CRC16: return flsi_load_le16(from);
    case FLS_CHECKSUM_CRC32: return flsi_load_le32(from);
    case FLS_CHECKSUM_XXH3: return flsi_load_le64(from);
    case FLS_CHECKSUM_CUSTOM: return flsi_load_le_width(from, digest->width);
    default: return 0;
    }
}

FLSI_ALWAYS_INLINE void flsi_digest_store(const fls_digest_state *digest, uint32_t checksum,
                                          uint8_t *to, uint64_t value)
{
    switch (checksum) {
    case FLS_CHECKSUM_CRC16: flsi_store_le16(to, (uint16_t)value); break;
    case FLS_CHECKSUM_CRC32: flsi_store_le32(to, (uint32_t)value); break;
    case FLS_CHECKSUM_XXH3: flsi_store_le64(to, value); break;
    case FLS_CHECKSUM_CUSTOM: flsi_store_le_width(to, value, digest->width); break;
    default: break;
    }
}

/* Bytes of a checksum on the wire, a constant where checksum is one. */
FLSI_ALWAYS_INLINE uint32_t flsi_digest_width(const fls_digest_state *digest, uint32_t checksum)
{
    switch (checksum) {
    case FLS_CHECKSUM_CRC16: return 2;
    case FLS_CHECKSUM_CRC32: return 4;
    case FLS_CHECKSUM_XXH3: return 8;
    case FLS_CHECKSUM_CUSTOM: return digest->width;
    default: return 0;
    }
}

#endif
