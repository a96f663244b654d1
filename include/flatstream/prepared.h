/* Prepared messages: telemetry has a fixed shape, so its image is made once, and a message is then
 * a copy of the image with values stored at known places. The result is an ordinary FlatBuffer.
 *
 *     fls_prepared *p;
 *     fls_place_u64 time;
 *     fls_place_f64 value;
 *     if (fls_prepared_new(&p, schema, fls_schema_root(schema), NULL, 0, NULL, &err) != FLS_OK ||
 *         fls_prepared_u64(p, "timestamp_ns", &time, &err) != FLS_OK ||
 *         fls_prepared_f64(p, "value", &value, &err) != FLS_OK)
 *         ...
 *     for (;;) {
 *         fls_prepared_message m = fls_prepared_start(p, writer);
 *         fls_prepared_set_u64(m, time, now());
 *         fls_prepared_set_f64(m, value, read_sensor());
 *         if (fls_writer_write_prepared(writer, p, m, &err) != FLS_OK)
 *             ...
 *     }
 *
 * A message that was started lies in the writer's buffer already where that is possible, and has
 * its place in the stream then. So each one that is started has to be written, and between the two
 * nothing else may be done with that writer; afterwards it is not to be touched.
 *
 * Places are found, and their types checked, once at set-up; a place means nothing to another
 * prepared message. One thread at a time.
 */
#ifndef FLATSTREAM_PREPARED_H
#define FLATSTREAM_PREPARED_H

#include "flatstream/schema.h"
#include "flatstream/store.h"
#include "flatstream/writer.h"

FLS_BEGIN_DECLS

typedef struct fls_prepared fls_prepared;

/* What inline code reads of a prepared message: frozen. Behind it lies room for one message that
 * was started and cannot lie in a writer's buffer yet; then the object goes on. */
#define FLS_PREPARED_SMALL 60u /* the largest message that is copied inline */
typedef struct fls_prepared_front {
    uint32_t small_last; /* 1 less than the size of a small message; UINT32_MAX for a larger one */
    uint32_t size;
    uint8_t *image; /* its first byte; in small for a small one */
    void *rest;
    uint8_t reserved[52 - 2 * sizeof(void *)];
    uint8_t small[FLS_LENGTH_BYTES + FLS_PREPARED_SMALL]; /* size, message, zeros */
    uint32_t reserved_too;
} fls_prepared_front;

/* A message whose values can be set: the image, or one that was started. */
typedef struct fls_prepared_message {
    uint8_t *bytes;
} fls_prepared_message;

/* A field that the messages have: its path from the root table, such as "pose.position", through
 * tables and structs. A table stands for all its scalars and structs, a member of a struct for the
 * whole struct. */
typedef struct fls_prepared_field {
    const char *path;
    size_t capacity; /* of a string: bytes; of a vector: elements; of others: 0 */
} fls_prepared_field;

typedef struct fls_prepared_options {
    uint32_t struct_bytes; /* sizeof(fls_prepared_options) */
    uint32_t reserved;
    const char *identifier;         /* 4 bytes; NULL: the schema's, where root is its root type */
    const fls_allocator *allocator; /* NULL: libc */
} fls_prepared_options;

#define FLS_PREPARED_OPTIONS_INIT                   \
    {                                               \
        sizeof(fls_prepared_options), 0, NULL, NULL \
    }

/* An image with these fields of root, a table of the schema; with none given (NULL, 0), with all
 * scalars and structs of root. Scalars have their defaults, structs are zero, strings empty,
 * vectors full of zeros. Strings, and vectors of scalars and structs, can be changed within their
 * capacity. For unions, nested messages and vectors of anything else see fls_prepared_from. The
 * schema has to live for as long as places are asked for. FLS_INVALID_ARGUMENT: a path that leads
 * nowhere, to a deprecated field or into a FlexBuffer, or a capacity of 2^31 bytes;
 * FLS_VALIDATION_FAILED: the message would not be valid, as without a required field. options may
 * be NULL. */
FLS_API FLS_MUST_USE fls_status fls_prepared_new(fls_prepared **prepared, const fls_schema *schema,
                                                 uint32_t root, const fls_prepared_field *fields,
                                                 size_t count, const fls_prepared_options *options,
                                                 fls_error *err);

/* The image is a copy of a message that a builder made; the message is verified first
 * (FLS_VALIDATION_FAILED). Each string and vector has the capacity that it has there. What two
 * fields of it share stays shared. */
FLS_API FLS_MUST_USE fls_status fls_prepared_from(fls_prepared **prepared, const fls_schema *schema,
                                                  uint32_t root, const void *message, size_t size,
                                                  const fls_prepared_options *options,
                                                  fls_error *err);

FLS_API void fls_prepared_free(fls_prepared *prepared); /* NULL is harmless */

typedef struct fls_place_bool {
    uint32_t at;
} fls_place_bool;
typedef struct fls_place_u8 {
    uint32_t at;
} fls_place_u8;
typedef struct fls_place_i8 {
    uint32_t at;
} fls_place_i8;
typedef struct fls_place_u16 {
    uint32_t at;
} fls_place_u16;
typedef struct fls_place_i16 {
    uint32_t at;
} fls_place_i16;
typedef struct fls_place_u32 {
    uint32_t at;
} fls_place_u32;
typedef struct fls_place_i32 {
    uint32_t at;
} fls_place_i32;
typedef struct fls_place_u64 {
    uint32_t at;
} fls_place_u64;
typedef struct fls_place_i64 {
    uint32_t at;
} fls_place_i64;
typedef struct fls_place_f32 {
    uint32_t at;
} fls_place_f32;
typedef struct fls_place_f64 {
    uint32_t at;
} fls_place_f64;
typedef struct fls_place_string {
    uint32_t at;
    uint32_t capacity;
} fls_place_string;
typedef struct fls_place_vector {
    uint32_t at;
    uint32_t capacity;
    uint32_t element_bytes;
    uint32_t swaps; /* elements are scalars, in the host's order in memory */
} fls_place_vector;
typedef struct fls_place_struct {
    uint32_t at;
    uint32_t bytes;
} fls_place_struct;
typedef struct fls_place_presence {
    uint32_t at;
    uint32_t offset;
} fls_place_presence;

/* Find a place by its path, such as "pose.position.x" or "levels[2].price"; through a union as
 * through the member that it has in the image. FLS_INVALID_ARGUMENT: there is no such field in the
 * image, or it is of another type. Enumerations have the type of their values. */
FLS_API FLS_MUST_USE fls_status fls_prepared_bool(const fls_prepared *prepared, const char *path,
                                                  fls_place_bool *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_u8(const fls_prepared *prepared, const char *path,
                                                fls_place_u8 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_i8(const fls_prepared *prepared, const char *path,
                                                fls_place_i8 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_u16(const fls_prepared *prepared, const char *path,
                                                 fls_place_u16 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_i16(const fls_prepared *prepared, const char *path,
                                                 fls_place_i16 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_u32(const fls_prepared *prepared, const char *path,
                                                 fls_place_u32 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_i32(const fls_prepared *prepared, const char *path,
                                                 fls_place_i32 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_u64(const fls_prepared *prepared, const char *path,
                                                 fls_place_u64 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_i64(const fls_prepared *prepared, const char *path,
                                                 fls_place_i64 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_f32(const fls_prepared *prepared, const char *path,
                                                 fls_place_f32 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_f64(const fls_prepared *prepared, const char *path,
                                                 fls_place_f64 *place, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_prepared_string(const fls_prepared *prepared, const char *path,
                                                    fls_place_string *place, fls_error *err);

/* element is the type of the elements: a scalar's, or FLS_TYPE_STRUCT. */
FLS_API FLS_MUST_USE fls_status fls_prepared_vector(const fls_prepared *prepared, const char *path,
                                                    fls_type element, fls_place_vector *place,
                                                    fls_error *err);

/* A whole struct of so many bytes. */
FLS_API FLS_MUST_USE fls_status fls_prepared_struct(const fls_prepared *prepared, const char *path,
                                                    size_t bytes, fls_place_struct *place,
                                                    fls_error *err);

/* Whether a field is there. Not of required fields, unions, members of structs, and tables that
 * share their layout with another one in the image. */
FLS_API FLS_MUST_USE fls_status fls_prepared_presence(const fls_prepared *prepared,
                                                      const char *path, fls_place_presence *place,
                                                      fls_error *err);

/* The image itself: what is set in it, each message that is started later begins with. Its bytes
 * are those of a whole message, which fls_writer_write takes as any other. size may be NULL. */
FLS_API fls_prepared_message fls_prepared_image(fls_prepared *prepared, size_t *size);

/* Starts a message with the image's values; one at a time. */
FLS_API fls_prepared_message fls_prepared_start_slow(fls_prepared *prepared, fls_writer *writer);
FLS_API inline fls_prepared_message fls_prepared_start(fls_prepared *prepared, fls_writer *writer)
{
    const fls_prepared_front *front = (const fls_prepared_front *)prepared;
    fls_writer_front *to = (fls_writer_front *)writer;
    uint8_t *frame = to->next;
    uint32_t last = front->small_last;
    if (FLS_LIKELY(last < to->inline_limit && (size_t)(to->limit - frame) >= sizeof front->small)) {
        fls_prepared_message message;
        message.bytes = frame + FLS_LENGTH_BYTES;
        to->next = message.bytes + last + 1;
        to->messages++;
        memcpy(frame, front->small, sizeof front->small); /* a constant size needs no call */
        return message;
    }
    return fls_prepared_start_slow(prepared, writer);
}

/* Writes the message that was started. When that fails, it can be tried again. */
FLS_API FLS_MUST_USE fls_status fls_writer_write_prepared_slow(fls_writer *writer,
                                                               fls_prepared *prepared,
                                                               fls_prepared_message message,
                                                               fls_error *err);
FLS_API FLS_MUST_USE inline fls_status fls_writer_write_prepared(fls_writer *writer,
                                                                 fls_prepared *prepared,
                                                                 fls_prepared_message message,
                                                                 fls_error *err)
{
    if (FLS_LIKELY(message.bytes != (uint8_t *)prepared + sizeof(fls_prepared_front))) {
        return FLS_OK; /* it has its place in the stream since it was started */
    }
    return fls_writer_write_prepared_slow(writer, prepared, message, err);
}

FLS_API inline void fls_prepared_set_bool(fls_prepared_message message, fls_place_bool place,
                                          int value)
{
    message.bytes[place.at] = value != 0;
}
FLS_API inline void fls_prepared_set_u8(fls_prepared_message message, fls_place_u8 place,
                                        uint8_t value)
{
    message.bytes[place.at] = value;
}
FLS_API inline void fls_prepared_set_i8(fls_prepared_message message, fls_place_i8 place,
                                        int8_t value)
{
    message.bytes[place.at] = (uint8_t)value;
}
FLS_API inline void fls_prepared_set_u16(fls_prepared_message message, fls_place_u16 place,
                                         uint16_t value)
{
    fls_store_u16(message.bytes + place.at, value);
}
FLS_API inline void fls_prepared_set_i16(fls_prepared_message message, fls_place_i16 place,
                                         int16_t value)
{
    fls_store_u16(message.bytes + place.at, (uint16_t)value);
}
FLS_API inline void fls_prepared_set_u32(fls_prepared_message message, fls_place_u32 place,
                                         uint32_t value)
{
    fls_store_u32(message.bytes + place.at, value);
}
FLS_API inline void fls_prepared_set_i32(fls_prepared_message message, fls_place_i32 place,
                                         int32_t value)
{
    fls_store_u32(message.bytes + place.at, (uint32_t)value);
}
FLS_API inline void fls_prepared_set_u64(fls_prepared_message message, fls_place_u64 place,
                                         uint64_t value)
{
    fls_store_u64(message.bytes + place.at, value);
}
FLS_API inline void fls_prepared_set_i64(fls_prepared_message message, fls_place_i64 place,
                                         int64_t value)
{
    fls_store_u64(message.bytes + place.at, (uint64_t)value);
}
FLS_API inline void fls_prepared_set_f32(fls_prepared_message message, fls_place_f32 place,
                                         float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_store_u32(message.bytes + place.at, bits);
}
FLS_API inline void fls_prepared_set_f64(fls_prepared_message message, fls_place_f64 place,
                                         double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_store_u64(message.bytes + place.at, bits);
}

/* What is longer than the capacity is FLS_INVALID_ARGUMENT, and nothing changes. What is shorter
 * has zeros behind it. Elements are in the host's byte order, structs as they stand on the wire. */
FLS_API FLS_MUST_USE fls_status fls_prepared_set_string(fls_prepared_message message,
                                                        fls_place_string place, const char *text,
                                                        size_t size);
FLS_API FLS_MUST_USE fls_status fls_prepared_set_vector(fls_prepared_message message,
                                                        fls_place_vector place,
                                                        const void *elements, size_t count);

/* Sets the count alone: for elements that are set one by one by places of their own. */
FLS_API FLS_MUST_USE fls_status fls_prepared_set_count(fls_prepared_message message,
                                                       fls_place_vector place, size_t count);

/* As it stands on the wire. */
FLS_API void fls_prepared_set_struct(fls_prepared_message message, fls_place_struct place,
                                     const void *bytes);
FLS_API inline void fls_prepared_set_present(fls_prepared_message message, fls_place_presence place,
                                             int is_present)
{
    fls_store_u16(message.bytes + place.at, (uint16_t)(is_present ? place.offset : 0u));
}

FLS_END_DECLS

#endif
