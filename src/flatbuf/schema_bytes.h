/* Reading a .bfbs, whatever its bytes are: each step looks whether what it reads lies in the file.
 * A step outside sets `damaged` and reads nothing; from then on everything reads as absent or
 * empty, so that a caller may look once, at the end of what it does.
 *
 * Positions are counted from the first byte of the file and are below 2^31. 0 stands for "absent":
 * nothing but the root offset lies there.
 */
#ifndef FLSI_FLATBUF_SCHEMA_BYTES_H
#define FLSI_FLATBUF_SCHEMA_BYTES_H

#include "core/bytes.h"

typedef struct flsi_bfbs {
    const uint8_t *bytes;
    uint32_t size;
    int damaged;
} flsi_bfbs;

typedef struct flsi_bfbs_table {
    uint32_t at;
    uint32_t vtable;
    uint32_t vtable_bytes; /* 0: absent; has no fields */
} flsi_bfbs_table;

/* Of references. */
typedef struct flsi_bfbs_vector {
    uint32_t at; /* of the first; 0: absent */
    uint32_t count;
} flsi_bfbs_vector;

typedef struct flsi_bfbs_text {
    const char *text; /* zero-terminated; NULL: absent */
    uint32_t bytes;
} flsi_bfbs_text;

static inline int flsi_bfbs_has(flsi_bfbs *file, uint64_t at, uint64_t bytes)
{
    if (at > file->size || bytes > file->size - at) {
        file->damaged = 1;
    }
    return !file->damaged;
}

/* Where the reference at a position leads; 0 when damaged. */
static inline uint32_t flsi_bfbs_follow(flsi_bfbs *file, uint32_t at)
{
    if (!flsi_bfbs_has(file, at, 4)) {
        return 0;
    }
    uint64_t target = (uint64_t)at + flsi_load_le32(file->bytes + at);
    return flsi_bfbs_has(file, target, 4) ? (uint32_t)target : 0;
}

static inline flsi_bfbs_table flsi_bfbs_table_at(flsi_bfbs *file, uint32_t at)
{
    flsi_bfbs_table table = {0, 0, 0};
    if (at == 0 || !flsi_bfbs_has(file, at, 4)) {
        return table;
    }
    int64_t vtable = (int64_t)at - (int32_t)flsi_load_le32(file->bytes + at);
    if (vtable < 0 || !flsi_bfbs_has(file, (uint64_t)vtable, 4)) {
        file->damaged = 1;
        return table;
    }
    uint32_t vtable_bytes = flsi_load_le16(file->bytes + vtable);
    if (flsi_bfbs_has(file, (uint64_t)vtable, vtable_bytes)) {
        table.at = at;
        table.vtable = (uint32_t)vtable;
        table.vtable_bytes = vtable_bytes;
    }
    return table;
}

/* The position of a field of so many bytes; 0 when it is absent or damaged. */
static inline uint32_t flsi_bfbs_field(flsi_bfbs *file, const flsi_bfbs_table *table, uint32_t slot,
                                       uint32_t bytes)
{
    uint32_t entry = 4 + 2 * slot;
    if (file->damaged || entry + 2 > table->vtable_bytes) {
        return 0;
    }
    uint32_t offset = flsi_load_le16(file->bytes + table->vtable + entry);
    if (offset == 0 || !flsi_bfbs_has(file, (uint64_t)table->at + offset, bytes)) {
        return 0;
    }
    return table->at + offset;
}

/* A scalar of 1 to 8 bytes, not extended by its sign. */
static inline uint64_t flsi_bfbs_bits(flsi_bfbs *file, const flsi_bfbs_table *table, uint32_t slot,
                                      uint32_t bytes, uint64_t absent)
{
    uint32_t at = flsi_bfbs_field(file, table, slot, bytes);
    return at == 0 ? absent : flsi_load_le_width(file->bytes + at, bytes);
}

static inline flsi_bfbs_table flsi_bfbs_subtable(flsi_bfbs *file, const flsi_bfbs_table *table,
                                                 uint32_t slot)
{
    uint32_t at = flsi_bfbs_field(file, table, slot, 4);
    return flsi_bfbs_table_at(file, at == 0 ? 0 : flsi_bfbs_follow(file, at));
}

static inline flsi_bfbs_vector flsi_bfbs_references(flsi_bfbs *file, const flsi_bfbs_table *table,
                                                    uint32_t slot)
{
    flsi_bfbs_vector vector = {0, 0};
    uint32_t at = flsi_bfbs_field(file, table, slot, 4);
    uint32_t start = at == 0 ? 0 : flsi_bfbs_follow(file, at);
    if (start != 0) {
        uint32_t count = flsi_load_le32(file->bytes + start);
        if (flsi_bfbs_has(file, (uint64_t)start + 4, (uint64_t)count * 4)) {
            vector.at = start + 4;
            vector.count = count;
        }
    }
    return vector;
}

/* index is below the vector's count. */
static inline flsi_bfbs_table flsi_bfbs_element(flsi_bfbs *file, const flsi_bfbs_vector *vector,
                                                uint32_t index)
{
    return flsi_bfbs_table_at(file, flsi_bfbs_follow(file, vector->at + 4 * index));
}

static inline flsi_bfbs_text flsi_bfbs_string(flsi_bfbs *file, const flsi_bfbs_table *table,
                                              uint32_t slot)
{
    flsi_bfbs_text string = {NULL, 0};
    uint32_t at = flsi_bfbs_field(file, table, slot, 4);
    uint32_t start = at == 0 ? 0 : flsi_bfbs_follow(file, at);
    if (start != 0) {
        uint32_t bytes = flsi_load_le32(file->bytes + start);
        if (flsi_bfbs_has(file, (uint64_t)start + 4, (uint64_t)bytes + 1)) {
            if (file->bytes[start + 4 + bytes] != 0) {
                file->damaged = 1;
                return string;
            }
            string.text = (const char *)file->bytes + start + 4;
            string.bytes = bytes;
        }
    }
    return string;
}

#endif
