/* Values in messages that were verified, for whoever walks over them: no bounds are looked at. */
#ifndef FLSI_FLATBUF_MESSAGE_VALUES_H
#define FLSI_FLATBUF_MESSAGE_VALUES_H

#include "core/bytes.h"
#include "flatbuf/scalars.h"
#include "flatbuf/schema_private.h"

/* Where a table's fields are. */
typedef struct flsi_table_view {
    const uint8_t *table;
    const uint8_t *vtable;
    uint32_t vtable_bytes;
} flsi_table_view;

static inline const uint8_t *flsi_follow(const uint8_t *reference)
{
    return reference + flsi_load_le32(reference);
}

static inline flsi_table_view flsi_view_table(const uint8_t *table)
{
    flsi_table_view view;
    view.table = table;
    view.vtable = table - (int32_t)flsi_load_le32(table);
    view.vtable_bytes = flsi_load_le16(view.vtable);
    return view;
}

/* Where a field is, or NULL. */
static inline const uint8_t *flsi_view_field(const flsi_table_view *view, uint32_t place)
{
    uint32_t offset = place < view->vtable_bytes ? flsi_load_le16(view->vtable + place) : 0;
    return offset == 0 ? NULL : view->table + offset;
}

/* A scalar's value as bits that are equal for equal values: whole numbers extended, a bool 0 or 1,
 * floats as they are stored. */
static inline uint64_t flsi_scalar_bits(const uint8_t *from, uint32_t type)
{
    switch (type) {
    case FLS_TYPE_F32: return flsi_load_le32(from);
    case FLS_TYPE_F64: return flsi_load_le64(from);
    default: return flsi_load_whole(from, type);
    }
}

/* The same of a field of a table, from NULL: its default. */
static inline uint64_t flsi_field_bits(const flsi_field *field, const uint8_t *from)
{
    return from != NULL ? flsi_scalar_bits(from, field->type) : field->default_bits;
}

#endif
