/* A FlatBuffers builder without generated code.
 *
 * Makes everything that a FlatBuffer can hold, byte for byte as the official C++ builder does for
 * the same calls. Calls return no status: the first failure sticks in the builder and is reported
 * by fls_builder_finish (or fls_writer_write_root). The buffer grows back to front and is reused,
 * so a warm builder does not allocate. One thread at a time.
 *
 *     fls_ref name = fls_builder_string(b, "sensor", 6);
 *     fls_table t = fls_builder_table(b, 2);
 *     fls_builder_u64(b, t, 0, 7);
 *     fls_builder_ref(b, t, 1, name);
 *     status = fls_builder_finish(b, fls_builder_end(b, t), NULL, &data, &size, &err);
 */
#ifndef FLATSTREAM_BUILDER_H
#define FLATSTREAM_BUILDER_H

#include "flatstream/allocator.h"
#include "flatstream/schema.h"
#include "flatstream/status.h"
#include "flatstream/store.h"

FLS_BEGIN_DECLS

typedef struct fls_builder fls_builder;

/* A finished object in the buffer being built; {0} is none, other values mean nothing to the
 * caller. Valid until the buffer is finished or reset. */
typedef struct fls_ref {
    uint32_t position;
} fls_ref;

/* A table being built. Tables are built one at a time; strings, vectors and tables come before the
 * table that refers to them, and starting one inside it is a failure. */
typedef struct fls_table {
    uint32_t serial;
} fls_table;

/* What inline code reads of a builder: frozen. The object goes on behind it.
 *
 * A message that is made by the same calls as the one before is not built again: its values are
 * stored where they lie in the last one. The front knows, for each call that may come, after which
 * call it came, and where its value went. `last` is the call made last: a field set (its slot
 * shifted by 8), one of FLS_BUILDER_AT_, or anything else when nothing is repeated. */
#define FLS_BUILDER_REPEATED  32u      /* slots of a message that is repeated are below this */
#define FLS_BUILDER_AT_FINISH 0x10000u /* the buffer was finished */
#define FLS_BUILDER_AT_TABLE  0x20000u /* its only table was started */
#define FLS_BUILDER_AT_END    0x30000u /* its only table was ended */

typedef struct fls_builder_field {
    uint32_t key; /* the call before it | bytes of the value; 0: not set */
    uint32_t reserved;
    uint8_t *at;
} fls_builder_field;

typedef struct fls_builder_front {
    uint32_t last;
    uint32_t open;     /* serial of the open table; 0 when there is none */
    uint32_t serial;   /* of the last table started */
    uint32_t slots;    /* from here on, the message to be repeated: slots of its table, */
    uint32_t last_set; /* the call before its table's end, */
    uint32_t table;    /* the reference that the end returned, */
    uint32_t root;     /* what it was finished with, */
    uint32_t is_named; /* whether with an identifier, */
    uint8_t *message;  /* its bytes, */
    size_t message_bytes;
    fls_builder_field fields[FLS_BUILDER_REPEATED]; /* and its fields */
} fls_builder_front;

/* allocator may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_builder_new(fls_builder **builder,
                                                const fls_allocator *allocator, fls_error *err);
FLS_API void fls_builder_free(fls_builder *builder); /* NULL is harmless */

/* Forgets what is being built and any failure; keeps the memory. */
FLS_API void fls_builder_reset(fls_builder *builder);

/* Starts a table with room for field_count slots (0..32765). A table has at most 65,535 bytes, and
 * a message is smaller than 2^31. */
FLS_API fls_table fls_builder_table_slow(fls_builder *builder, uint32_t field_count);
FLS_API inline fls_table fls_builder_table(fls_builder *builder, uint32_t field_count)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (FLS_LIKELY(front->last == FLS_BUILDER_AT_FINISH && front->slots == field_count)) {
        fls_table table;
        table.serial = front->serial + 1u;
        table.serial += table.serial == 0u;
        front->serial = table.serial;
        front->open = table.serial;
        front->last = FLS_BUILDER_AT_TABLE;
        return table;
    }
    return fls_builder_table_slow(builder, field_count);
}

/* Whether setting a slot to a value of `bytes` is the next call of the message to be repeated. */
FLS_API inline int fls_builder_repeats(const fls_builder_front *front, fls_table table,
                                       uint32_t slot, uint32_t bytes)
{
    return FLS_LIKELY(slot < FLS_BUILDER_REPEATED) &&
           FLS_LIKELY(front->fields[slot].key == (front->last | bytes) &&
                      table.serial == front->open);
}

/* Store a scalar in a slot of the table, always, also when it equals a schema's default. A slot can
 * be set once. bool is stored as 0 or 1. */
FLS_API void fls_builder_u8_slow(fls_builder *builder, fls_table table, uint32_t slot,
                                 uint8_t value);
FLS_API inline void fls_builder_u8(fls_builder *builder, fls_table table, uint32_t slot,
                                   uint8_t value)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (fls_builder_repeats(front, table, slot, 1)) {
        *front->fields[slot].at = value;
        front->last = slot << 8; /* behind the value: then the next call knows it */
        return;
    }
    fls_builder_u8_slow(builder, table, slot, value);
}

FLS_API void fls_builder_u16_slow(fls_builder *builder, fls_table table, uint32_t slot,
                                  uint16_t value);
FLS_API inline void fls_builder_u16(fls_builder *builder, fls_table table, uint32_t slot,
                                    uint16_t value)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (fls_builder_repeats(front, table, slot, 2)) {
        fls_store_u16(front->fields[slot].at, value);
        front->last = slot << 8; /* behind the value: then the next call knows it */
        return;
    }
    fls_builder_u16_slow(builder, table, slot, value);
}

FLS_API void fls_builder_u32_slow(fls_builder *builder, fls_table table, uint32_t slot,
                                  uint32_t value);
FLS_API inline void fls_builder_u32(fls_builder *builder, fls_table table, uint32_t slot,
                                    uint32_t value)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (fls_builder_repeats(front, table, slot, 4)) {
        fls_store_u32(front->fields[slot].at, value);
        front->last = slot << 8; /* behind the value: then the next call knows it */
        return;
    }
    fls_builder_u32_slow(builder, table, slot, value);
}

FLS_API void fls_builder_u64_slow(fls_builder *builder, fls_table table, uint32_t slot,
                                  uint64_t value);
FLS_API inline void fls_builder_u64(fls_builder *builder, fls_table table, uint32_t slot,
                                    uint64_t value)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (fls_builder_repeats(front, table, slot, 8)) {
        fls_store_u64(front->fields[slot].at, value);
        front->last = slot << 8; /* behind the value: then the next call knows it */
        return;
    }
    fls_builder_u64_slow(builder, table, slot, value);
}

FLS_API inline void fls_builder_i8(fls_builder *builder, fls_table table, uint32_t slot,
                                   int8_t value)
{
    fls_builder_u8(builder, table, slot, (uint8_t)value);
}

FLS_API inline void fls_builder_i16(fls_builder *builder, fls_table table, uint32_t slot,
                                    int16_t value)
{
    fls_builder_u16(builder, table, slot, (uint16_t)value);
}

FLS_API inline void fls_builder_i32(fls_builder *builder, fls_table table, uint32_t slot,
                                    int32_t value)
{
    fls_builder_u32(builder, table, slot, (uint32_t)value);
}

FLS_API inline void fls_builder_i64(fls_builder *builder, fls_table table, uint32_t slot,
                                    int64_t value)
{
    fls_builder_u64(builder, table, slot, (uint64_t)value);
}

FLS_API inline void fls_builder_bool(fls_builder *builder, fls_table table, uint32_t slot,
                                     int value)
{
    fls_builder_u8(builder, table, slot, value != 0);
}

FLS_API inline void fls_builder_f32(fls_builder *builder, fls_table table, uint32_t slot,
                                    float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_builder_u32(builder, table, slot, bits);
}

FLS_API inline void fls_builder_f64(fls_builder *builder, fls_table table, uint32_t slot,
                                    double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_builder_u64(builder, table, slot, bits);
}

/* Store a reference to a string, vector, table or struct object that was finished before; none
 * leaves the slot unset. */
FLS_API void fls_builder_ref(fls_builder *builder, fls_table table, uint32_t slot, fls_ref ref);

/* Finishes the table. */
FLS_API fls_ref fls_builder_end_slow(fls_builder *builder, fls_table table);
FLS_API inline fls_ref fls_builder_end(fls_builder *builder, fls_table table)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (FLS_LIKELY(front->last == front->last_set && table.serial == front->open)) {
        fls_ref ref;
        ref.position = front->table;
        front->open = 0;
        front->last = FLS_BUILDER_AT_END;
        return ref;
    }
    return fls_builder_end_slow(builder, table);
}

/* A string of size bytes (any bytes; UTF-8 by FlatBuffers' convention); a terminating zero is
 * added. */
FLS_API fls_ref fls_builder_string(fls_builder *builder, const char *text, size_t size);

/* A vector of count scalars of element_bytes (1, 2, 4 or 8) each, given in the host's byte order.
 */
FLS_API fls_ref fls_builder_vector(fls_builder *builder, const void *elements, size_t count,
                                   uint32_t element_bytes);

/* A vector of references, such as strings; none of them may be none. */
FLS_API fls_ref fls_builder_ref_vector(fls_builder *builder, const fls_ref *refs, size_t count);

/* The values of a vector of unions, beside a vector of u8 with their tags; a value may be none,
 * where its tag has to be 0. */
FLS_API fls_ref fls_builder_union_vector(fls_builder *builder, const fls_ref *values, size_t count);

/* A string that this function wrote to the same buffer before is referred to again. */
FLS_API fls_ref fls_builder_shared_string(fls_builder *builder, const char *text, size_t size);

/* Stores a struct inline: size bytes as they stand on the wire (little-endian, padding zero),
 * aligned to alignment (a power of two up to 64, of which size is a multiple). */
FLS_API void fls_builder_struct(fls_builder *builder, fls_table table, uint32_t slot,
                                const void *bytes, size_t size, uint32_t alignment);

/* A vector of count structs of struct_bytes each, as they stand on the wire. */
FLS_API fls_ref fls_builder_struct_vector(fls_builder *builder, const void *structs, size_t count,
                                          size_t struct_bytes, uint32_t alignment);

/* A vector of scalars whose first element is aligned to more than its size (force_align). */
FLS_API fls_ref fls_builder_aligned_vector(fls_builder *builder, const void *elements, size_t count,
                                           uint32_t element_bytes, uint32_t alignment);

/* A struct on its own, which a union may refer to. */
FLS_API fls_ref fls_builder_struct_object(fls_builder *builder, const void *bytes, size_t size,
                                          uint32_t alignment);

/* A union: its value in slot, then its tag in slot - 1; a tag of 0 leaves both unset, any other
 * needs a value. */
FLS_API void fls_builder_union(fls_builder *builder, fls_table table, uint32_t slot, uint8_t tag,
                               fls_ref value);

/* A finished message as a vector of bytes, aligned so that the message lies in the buffer as
 * aligned as it asks for (alignment: a power of two up to 64; 0: 8, which suffices for messages
 * without force_align). The message has to come from another builder, or from a copy: the next call
 * on the builder that made it starts another one in its place. */
FLS_API fls_ref fls_builder_nested(fls_builder *builder, const void *message, size_t size,
                                   uint32_t alignment);

/* Finishes the table as fls_builder_end does, and fails when it is not what a table of the schema
 * has to be: a required field that was not set, a slot that no field has, a value of another width
 * or kind than the field's. The schema has to be the same for as long as the builder is used. */
FLS_API fls_ref fls_builder_end_checked(fls_builder *builder, fls_table table,
                                        const fls_schema *schema, uint32_t object);

/* Finishes the buffer with root as its root table. identifier is 4 bytes or NULL. *data is borrowed
 * until the next call on the builder, which starts the next buffer, and must not be changed: what
 * the next message has in common with it is not written again. Reports the first failure since
 * the last finish; then the builder is empty again too. */
FLS_API FLS_MUST_USE fls_status fls_builder_finish_slow(fls_builder *builder, fls_ref root,
                                                        const char *identifier, const void **data,
                                                        size_t *size, fls_error *err);
FLS_API FLS_MUST_USE inline fls_status fls_builder_finish(fls_builder *builder, fls_ref root,
                                                          const char *identifier, const void **data,
                                                          size_t *size, fls_error *err)
{
    fls_builder_front *front = (fls_builder_front *)builder;
    if (FLS_LIKELY(front->last == FLS_BUILDER_AT_END && front->root == root.position &&
                   front->is_named == (identifier != NULL))) {
        if (identifier != NULL) {
            memcpy(front->message + 4, identifier, 4);
        }
        front->last = FLS_BUILDER_AT_FINISH;
        *data = front->message;
        *size = front->message_bytes;
        return FLS_OK;
    }
    return fls_builder_finish_slow(builder, root, identifier, data, size, err);
}

/* Memory that the builder holds, and giving back what is over a capacity while nothing is being
 * built. */
FLS_API size_t fls_builder_capacity(const fls_builder *builder);
FLS_API void fls_builder_shrink(fls_builder *builder, size_t capacity);

FLS_END_DECLS

#endif
