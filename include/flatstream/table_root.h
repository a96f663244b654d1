/* The smallest test of whether bytes can be a FlatBuffer: a root offset to a table with a sound
 * vtable. */
#ifndef FLATSTREAM_TABLE_ROOT_H
#define FLATSTREAM_TABLE_ROOT_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* FLS_OK when the root table and its vtable lie within the payload, aligned relative to its start,
 * by the rules of the Rust implementation's verifier and without looking at fields; otherwise
 * FLS_VALIDATION_FAILED with the rule in err->text and the position in err->limit_bytes. A payload
 * of zero bytes only passes from 4 bytes on. Any alignment of payload itself is fine. Constant
 * time, no allocation, any thread. */
FLS_API FLS_MUST_USE fls_status fls_table_root_check_slow(const void *payload, size_t size,
                                                          fls_error *err);
FLS_API FLS_MUST_USE inline fls_status fls_table_root_check(const void *payload, size_t size,
                                                            fls_error *err)
{
    const uint8_t *bytes = (const uint8_t *)payload;
    uint64_t have = size;
    if (FLS_LIKELY(have >= 4)) {
        uint64_t table = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                         (uint32_t)bytes[3] << 24;
        if (FLS_LIKELY(table <= have - 4 && table % 4 == 0)) {
            const uint8_t *at = bytes + table;
            uint32_t soffset = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                               (uint32_t)at[3] << 24;
            /* A negative position wraps to one beyond any payload. */
            uint64_t vtable = table - (uint64_t)(int64_t)(int32_t)soffset;
            if (FLS_LIKELY(vtable <= have - 2 && soffset != 0x80000000u)) {
                uint32_t vtable_bytes = (uint32_t)bytes[vtable] | (uint32_t)bytes[vtable + 1] << 8;
                if (FLS_LIKELY(vtable_bytes <= have - vtable &&
                               ((vtable_bytes | vtable) & 1) == 0)) {
                    return FLS_OK;
                }
            }
        }
    }
    return fls_table_root_check_slow(payload, size, err);
}

FLS_END_DECLS

#endif
