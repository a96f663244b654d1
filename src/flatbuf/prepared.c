/* Prepared messages: the object, and what changes a message by more than one store.
 *
 *   front    what inline code needs, with the image of a small message in it
 *   aside    a message that was started and does not lie in a writer's buffer
 *   rest     what else the object knows
 *   image    what each message starts with, when it is not small
 *   model    the message as it was built, unchanged, with every string and vector as long as it
 *            may get: paths are looked up in it
 *
 * All of them lie in one block, the messages as aligned as any may ask to be.
 */
#include "flatbuf/prepared_private.h"

#include "core/options.h"
#include "flatbuf/elements.h"
#include "flatstream/verify.h"

extern inline void fls_prepared_set_bool(fls_prepared_message message, fls_place_bool place,
                                         int value);
extern inline void fls_prepared_set_u8(fls_prepared_message message, fls_place_u8 place,
                                       uint8_t value);
extern inline void fls_prepared_set_i8(fls_prepared_message message, fls_place_i8 place,
                                       int8_t value);
extern inline void fls_prepared_set_u16(fls_prepared_message message, fls_place_u16 place,
                                        uint16_t value);
extern inline void fls_prepared_set_i16(fls_prepared_message message, fls_place_i16 place,
                                        int16_t value);
extern inline void fls_prepared_set_u32(fls_prepared_message message, fls_place_u32 place,
                                        uint32_t value);
extern inline void fls_prepared_set_i32(fls_prepared_message message, fls_place_i32 place,
                                        int32_t value);
extern inline void fls_prepared_set_u64(fls_prepared_message message, fls_place_u64 place,
                                        uint64_t value);
extern inline void fls_prepared_set_i64(fls_prepared_message message, fls_place_i64 place,
                                        int64_t value);
extern inline void fls_prepared_set_f32(fls_prepared_message message, fls_place_f32 place,
                                        float value);
extern inline void fls_prepared_set_f64(fls_prepared_message message, fls_place_f64 place,
                                        double value);
extern inline void fls_prepared_set_present(fls_prepared_message message, fls_place_presence place,
                                            int is_present);

#define ALIGNMENT ((size_t)64)

typedef struct prepared_rest {
    flsi_model model;
    const fls_allocator *allocator;
    void *block;
    size_t block_bytes;
} prepared_rest;

struct fls_prepared {
    fls_prepared_front front; /* first: inline code casts to it */
    uint8_t aside[];
};

_Static_assert(offsetof(fls_prepared_front, small) + FLS_LENGTH_BYTES == ALIGNMENT,
               "the image of a small message has to be aligned");
_Static_assert(sizeof(fls_prepared) == 2 * ALIGNMENT, "the message aside has to be aligned");

static const prepared_rest *rest_of(const fls_prepared *p)
{
    return p->front.rest;
}

static fls_status read_options(fls_prepared_options *options, const fls_schema *schema,
                               uint32_t root, const fls_prepared_options *given, fls_error *err)
{
    fls_status status = flsi_options_read(options, sizeof *options, given, err);
    if (status == FLS_OK && (root >= schema->object_count || schema->objects[root].is_struct)) {
        status = fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a root that is no table");
    }
    if (options->identifier == NULL && root == schema->root && schema->identifier[0] != '\0') {
        options->identifier = schema->identifier;
    }
    if (options->allocator == NULL) {
        options->allocator = fls_allocator_libc();
    }
    return status;
}

/* The object, with its model and image. */
static fls_status make(fls_prepared **prepared, const flsi_model *model,
                       const fls_allocator *allocator, fls_error *err)
{
    fls_violation violation;
    fls_status status =
        fls_verify(model->schema, model->root, model->bytes, model->size, NULL, &violation);
    if (status != FLS_OK) {
        (void)fls_violation_to_error(&violation, err);
        return status;
    }
    size_t size = model->size;
    size_t room = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    size_t rest_room = (sizeof(prepared_rest) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    size_t bytes = ALIGNMENT + sizeof(fls_prepared) + rest_room;
    uint8_t *block = NULL;
    if (room <= (SIZE_MAX - bytes) / 3) {
        bytes += 3 * room;
        block = allocator->resize(allocator->self, NULL, 0, bytes);
    }
    if (block == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a prepared message");
        return FLS_NO_MEMORY;
    }
    memset(block, 0, bytes);
    fls_prepared *p = (fls_prepared *)(void *)(block + (-(uintptr_t)block & (ALIGNMENT - 1)));
    prepared_rest *rest = (prepared_rest *)(void *)(p->aside + room);
    uint8_t *copied = p->aside + room + rest_room;
    int is_small = size <= FLS_PREPARED_SMALL;
    p->front.small_last = is_small ? (uint32_t)size - 1 : UINT32_MAX;
    p->front.size = (uint32_t)size;
    p->front.image = is_small ? p->front.small + FLS_LENGTH_BYTES : copied + room;
    p->front.rest = rest;
    *rest = (prepared_rest){*model, allocator, block, bytes};
    rest->model.bytes = copied;
    flsi_store_le32(p->front.small, p->front.size);
    memcpy(p->front.image, model->bytes, size);
    memcpy(copied, model->bytes, size);
    *prepared = p;
    return FLS_OK;
}

/* Every path of the list has to lead somewhere; strings are empty from the start. */
static fls_status settle(fls_prepared *p, const fls_prepared_field *fields, size_t count,
                         fls_error *err)
{
    fls_status status = FLS_OK;
    for (size_t i = 0; i < count && status == FLS_OK; i++) {
        flsi_part part;
        status = flsi_place_find(&rest_of(p)->model, fields[i].path, &part, err);
        if (status == FLS_OK && part.kind == FLSI_STRING) {
            flsi_store_le32(p->front.image + part.at, 0);
        }
    }
    return status;
}

fls_status fls_prepared_new(fls_prepared **prepared, const fls_schema *schema, uint32_t root,
                            const fls_prepared_field *fields, size_t count,
                            const fls_prepared_options *options, fls_error *err)
{
    fls_prepared_options given;
    fls_builder *builder = NULL;
    flsi_model model = {schema, root, NULL, 0};
    const void *data = NULL;
    *prepared = NULL;
    fls_status status = read_options(&given, schema, root, options, err);
    if (status == FLS_OK) {
        status = fls_builder_new(&builder, given.allocator, err);
    }
    if (status == FLS_OK) {
        status = flsi_prepared_build(builder, schema, root, fields, count, given.identifier,
                                     given.allocator, &data, &model.size, err);
    }
    if (status == FLS_OK) {
        model.bytes = data;
        status = make(prepared, &model, given.allocator, err);
    }
    if (status == FLS_OK) {
        status = settle(*prepared, fields, count, err);
    }
    if (status != FLS_OK) {
        fls_prepared_free(*prepared);
        *prepared = NULL;
    }
    fls_builder_free(builder);
    return status;
}

fls_status fls_prepared_from(fls_prepared **prepared, const fls_schema *schema, uint32_t root,
                             const void *message, size_t size, const fls_prepared_options *options,
                             fls_error *err)
{
    fls_prepared_options given;
    flsi_model model = {schema, root, message, size};
    *prepared = NULL;
    fls_status status = read_options(&given, schema, root, options, err);
    return status == FLS_OK ? make(prepared, &model, given.allocator, err) : status;
}

void fls_prepared_free(fls_prepared *prepared)
{
    if (prepared != NULL) {
        const prepared_rest *rest = rest_of(prepared);
        const fls_allocator *from = rest->allocator;
        from->free(from->self, rest->block, rest->block_bytes);
    }
}

/* ---- places ---- */

static fls_status find_scalar(const fls_prepared *p, const char *path, uint8_t type, uint32_t *at,
                              fls_error *err)
{
    flsi_part part;
    fls_status status = flsi_place_find(&rest_of(p)->model, path, &part, err);
    if (status == FLS_OK && (part.kind != FLSI_SCALAR || part.type != type)) {
        status = flsi_place_refuse(path, "is of another type", err);
    }
    *at = status == FLS_OK ? part.at : 0;
    return status;
}

#define FIND_SCALAR(name, type)                                                    \
    fls_status fls_prepared_##name(const fls_prepared *prepared, const char *path, \
                                   fls_place_##name *place, fls_error *err)        \
    {                                                                              \
        return find_scalar(prepared, path, type, &place->at, err);                 \
    }
FIND_SCALAR(bool, FLS_TYPE_BOOL)
FIND_SCALAR(u8, FLS_TYPE_U8)
FIND_SCALAR(i8, FLS_TYPE_I8)
FIND_SCALAR(u16, FLS_TYPE_U16)
FIND_SCALAR(i16, FLS_TYPE_I16)
FIND_SCALAR(u32, FLS_TYPE_U32)
FIND_SCALAR(i32, FLS_TYPE_I32)
FIND_SCALAR(u64, FLS_TYPE_U64)
FIND_SCALAR(i64, FLS_TYPE_I64)
FIND_SCALAR(f32, FLS_TYPE_F32)
FIND_SCALAR(f64, FLS_TYPE_F64)

fls_status fls_prepared_string(const fls_prepared *prepared, const char *path,
                               fls_place_string *place, fls_error *err)
{
    flsi_part part;
    *place = (fls_place_string){0, 0};
    fls_status status = flsi_place_find(&rest_of(prepared)->model, path, &part, err);
    if (status != FLS_OK) {
        return status;
    }
    if (part.kind != FLSI_STRING) {
        return flsi_place_refuse(path, "is no string", err);
    }
    *place = (fls_place_string){part.at, part.count};
    return FLS_OK;
}

fls_status fls_prepared_vector(const fls_prepared *prepared, const char *path, fls_type element,
                               fls_place_vector *place, fls_error *err)
{
    flsi_part part;
    *place = (fls_place_vector){0, 0, 0, 0};
    fls_status status = flsi_place_find(&rest_of(prepared)->model, path, &part, err);
    if (status != FLS_OK) {
        return status;
    }
    int is_structs = part.kind == FLSI_STRUCT_VECTOR;
    int is_scalars = part.kind == FLSI_SCALAR_VECTOR && part.type != FLS_TYPE_UNION_TAG &&
                     (part.field->flags & FLS_FIELD_FLEXBUFFER) == 0;
    if (!is_structs && !is_scalars) {
        return flsi_place_refuse(path, "is no vector of scalars or structs", err);
    }
    if (is_structs ? element != FLS_TYPE_STRUCT : (uint8_t)element != part.type) {
        return flsi_place_refuse(path, "has elements of another type", err);
    }
    *place =
        (fls_place_vector){part.at, part.count, part.field->element_bytes, (uint32_t)is_scalars};
    return FLS_OK;
}

fls_status fls_prepared_struct(const fls_prepared *prepared, const char *path, size_t bytes,
                               fls_place_struct *place, fls_error *err)
{
    flsi_part part;
    *place = (fls_place_struct){0, 0};
    fls_status status = flsi_place_find(&rest_of(prepared)->model, path, &part, err);
    if (status != FLS_OK) {
        return status;
    }
    if (part.kind != FLSI_STRUCT || part.bytes != bytes) {
        return flsi_place_refuse(path, "is no struct of so many bytes", err);
    }
    *place = (fls_place_struct){part.at, part.bytes};
    return FLS_OK;
}

fls_status fls_prepared_presence(const fls_prepared *prepared, const char *path,
                                 fls_place_presence *place, fls_error *err)
{
    const flsi_model *model = &rest_of(prepared)->model;
    flsi_part part;
    *place = (fls_place_presence){0, 0};
    fls_status status = flsi_place_find(model, path, &part, err);
    if (status != FLS_OK) {
        return status;
    }
    if (part.table == 0) {
        return flsi_place_refuse(path, "is no field of a table", err);
    }
    const flsi_field *field = part.field;
    if ((field->flags & FLS_FIELD_REQUIRED) != 0) {
        return flsi_place_refuse(path, "is required", err);
    }
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR ||
        field->type == FLS_TYPE_UNION_TAG) {
        return flsi_place_refuse(path, "is part of a union", err);
    }
    uint32_t vtable = part.table - flsi_load_le32(model->bytes + part.table);
    if (flsi_place_count_vtable(model, vtable) != 1) {
        return flsi_place_refuse(path, "is in a table that shares its layout with another", err);
    }
    uint32_t entry = vtable + field->place;
    *place = (fls_place_presence){entry, flsi_load_le16(model->bytes + entry)};
    return FLS_OK;
}

/* ---- messages ---- */

fls_prepared_message fls_prepared_image(fls_prepared *prepared, size_t *size)
{
    if (size != NULL) {
        *size = prepared->front.size;
    }
    return (fls_prepared_message){prepared->front.image};
}

fls_prepared_message flsi_prepared_start_aside(fls_prepared *p)
{
    memcpy(p->aside, p->front.image, p->front.size);
    return (fls_prepared_message){p->aside};
}

fls_status fls_prepared_set_string(fls_prepared_message message, fls_place_string place,
                                   const char *text, size_t size)
{
    uint8_t *at = message.bytes + place.at;
    if (size > place.capacity) {
        return FLS_INVALID_ARGUMENT;
    }
    flsi_store_le32(at, (uint32_t)size);
    if (size != 0) {
        memcpy(at + 4, text, size);
    }
    memset(at + 4 + size, 0, place.capacity - size);
    return FLS_OK;
}

fls_status fls_prepared_set_count(fls_prepared_message message, fls_place_vector place,
                                  size_t count)
{
    if (count > place.capacity) {
        return FLS_INVALID_ARGUMENT;
    }
    flsi_store_le32(message.bytes + place.at, (uint32_t)count);
    return FLS_OK;
}

fls_status fls_prepared_set_vector(fls_prepared_message message, fls_place_vector place,
                                   const void *elements, size_t count)
{
    uint8_t *content = message.bytes + place.at + 4;
    fls_status status = fls_prepared_set_count(message, place, count);
    if (status == FLS_OK) {
        size_t bytes = count * place.element_bytes;
        if (count != 0 && place.swaps != 0) {
            flsi_copy_elements(content, elements, count, place.element_bytes);
        } else if (count != 0) {
            memcpy(content, elements, bytes);
        }
        memset(content + bytes, 0, (size_t)place.capacity * place.element_bytes - bytes);
    }
    return status;
}

void fls_prepared_set_struct(fls_prepared_message message, fls_place_struct place,
                             const void *bytes)
{
    memcpy(message.bytes + place.at, bytes, place.bytes);
}
