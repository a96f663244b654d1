/* Whether bytes can be a FlatBuffer: the root table and its vtable, nothing of the fields.
 *
 * Sound if and only if, with all positions counted from the payload's first byte:
 *
 * 1. The payload has at least 4 bytes. The first four are the position of the root table (u32).
 * 2. That position is a multiple of 4, and 4 bytes of the payload lie there: the soffset (i32).
 * 3. position - soffset is the vtable's position. It is not negative and lies in the payload; an
 *    soffset of -2^31, which has no opposite, is refused.
 * 4. The vtable's position is even, and 2 bytes of the payload lie there: the vtable's size (u16).
 * 5. That size is even, and so many bytes of the payload lie at the vtable's position.
 *
 * These are the rules by which the Rust implementation's verifier enters a root table, and so they
 * leave out what only other verifiers ask: a vtable of fewer than 4 bytes passes, and so does one
 * that lies over the root offset or the table. Four zero bytes are the smallest payload that
 * passes. How deep tables may nest and how many there may be cannot refuse a lone root.
 */
#include "flatstream/table_root.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/bytes.h"

static fls_status refuse(fls_error *err, const char *rule, uint64_t position)
{
    if (err != NULL) {
        char text[sizeof err->text];
        (void)snprintf(text, sizeof text, "%s, at byte %" PRIu64, rule, position);
        fls_error_set(err, FLS_VALIDATION_FAILED, 0, text);
        err->known = FLS_ERROR_LIMIT;
        err->limit_bytes = position;
    }
    return FLS_VALIDATION_FAILED;
}

extern inline fls_status fls_table_root_check(const void *payload, size_t size, fls_error *err);

/* Walks the rules once more, to tell which one is broken. */
FLSI_NOINLINE fls_status fls_table_root_check_slow(const void *payload, size_t size, fls_error *err)
{
    const uint8_t *bytes = payload;
    if (size < 4) {
        return refuse(err, "payload too short for a root offset", 0);
    }
    uint64_t table = flsi_load_le32(bytes);
    if (table % 4 != 0) {
        return refuse(err, "root table not aligned to 4 bytes", table);
    }
    if (table > size - 4) {
        return refuse(err, "root table outside the payload", table);
    }
    uint32_t soffset = flsi_load_le32(bytes + table);
    uint64_t vtable = table - (uint64_t)(int64_t)(int32_t)soffset;
    if (soffset == UINT32_C(1) << 31 || vtable >= size) {
        return refuse(err, "vtable of the root table outside the payload", table);
    }
    if (vtable % 2 != 0) {
        return refuse(err, "vtable of the root table not aligned to 2 bytes", vtable);
    }
    if (vtable > size - 2) {
        return refuse(err, "vtable of the root table outside the payload", vtable);
    }
    if (flsi_load_le16(bytes + vtable) % 2 != 0) {
        return refuse(err, "vtable of the root table with an odd size", vtable);
    }
    if (flsi_load_le16(bytes + vtable) > size - vtable) {
        return refuse(err, "vtable of the root table reaches beyond the payload", vtable);
    }
    return FLS_OK;
}
