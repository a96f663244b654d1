/* A first message from a list of fields. Which fields a table gets is asked of the list by the
 * table's path; the list is short, and this is done once.
 */
#include "flatbuf/prepared_private.h"

#define MOST_PATH_BYTES 240u

typedef struct building {
    fls_builder *builder;
    const fls_schema *schema;
    const fls_prepared_field *fields;
    size_t count;
    const fls_allocator *allocator;
    uint8_t *zeros; /* as many as anything needed up to now */
    size_t zero_bytes;
    char path[MOST_PATH_BYTES + 2]; /* of the table being built, with a dot behind it */
    fls_error *err;
} building;

/* What the list says of a field of the table whose path has so many bytes. */
typedef struct wish {
    int is_listed;   /* itself, */
    int has_members; /* or something in it */
    size_t capacity;
} wish;

static wish wish_for(const building *all, size_t path_bytes, const flsi_field *field)
{
    wish is = {0, 0, 0};
    for (size_t i = 0; i < all->count; i++) {
        const char *path = all->fields[i].path;
        if (strncmp(path, all->path, path_bytes) != 0 ||
            strncmp(path + path_bytes, field->name, field->name_bytes) != 0) {
            continue;
        }
        switch (path[path_bytes + field->name_bytes]) {
        case '\0':
            is.is_listed = 1;
            if (all->fields[i].capacity > is.capacity) {
                is.capacity = all->fields[i].capacity;
            }
            break;
        case '.':
        case '[': is.has_members = 1; break;
        default: break;
        }
    }
    return is;
}

static fls_status refuse(const building *all, size_t path_bytes, const flsi_field *field,
                         const char *why)
{
    char path[2 * MOST_PATH_BYTES];
    size_t name_bytes =
        field->name_bytes < MOST_PATH_BYTES - 1 ? field->name_bytes : MOST_PATH_BYTES - 1;
    memcpy(path, all->path, path_bytes);
    memcpy(path + path_bytes, field->name, name_bytes);
    path[path_bytes + name_bytes] = '\0';
    return flsi_place_refuse(path, why, all->err);
}

/* Sees to it that there are so many zeros. */
static fls_status need_zeros(building *all, size_t bytes)
{
    if (bytes <= all->zero_bytes) {
        return FLS_OK;
    }
    const fls_allocator *allocator = all->allocator;
    uint8_t *zeros = allocator->resize(allocator->self, all->zeros, all->zero_bytes, bytes);
    if (zeros == NULL) {
        return fls_error_set(all->err, FLS_NO_MEMORY, 0, "no memory for a prepared message");
    }
    memset(zeros, 0, bytes);
    all->zeros = zeros;
    all->zero_bytes = bytes;
    return FLS_OK;
}

static int is_inline(const flsi_field *field)
{
    return (field->kind == FLSI_SCALAR && field->type != FLS_TYPE_UNION_TAG) ||
           field->kind == FLSI_STRUCT;
}

/* A table without a path has everything that lies in it itself. */
static int is_wanted(const wish *is, const flsi_field *field, int with_all)
{
    int is_part = is->is_listed || is->has_members;
    return is_part || (with_all && is_inline(field) && (field->flags & FLS_FIELD_DEPRECATED) == 0);
}

static fls_status build_table(building *all, size_t path_bytes, uint32_t object, int with_all,
                              fls_ref *table);

static fls_status build_below(building *all, size_t path_bytes, const flsi_field *field,
                              const wish *is, fls_ref *ref)
{
    size_t below = path_bytes + field->name_bytes + 1;
    if (below > MOST_PATH_BYTES) {
        return refuse(all, path_bytes, field, "is too long a path");
    }
    memcpy(all->path + path_bytes, field->name, field->name_bytes);
    all->path[below - 1] = '.';
    return build_table(all, below, field->object, is->is_listed, ref);
}

static fls_status build_zeros(building *all, size_t path_bytes, const flsi_field *field,
                              const wish *is, fls_ref *ref)
{
    size_t element_bytes = field->kind == FLSI_STRING ? 1 : field->element_bytes;
    if (is->capacity == 0) {
        return refuse(all, path_bytes, field, "needs a capacity");
    }
    if (is->capacity > INT32_MAX / element_bytes) {
        return refuse(all, path_bytes, field, "has a capacity of 2^31 bytes or more");
    }
    fls_status status = need_zeros(all, is->capacity * element_bytes);
    if (status != FLS_OK) {
        return status;
    }
    if (field->kind == FLSI_SCALAR_VECTOR) {
        *ref = fls_builder_aligned_vector(all->builder, all->zeros, is->capacity,
                                          field->element_bytes, field->content_alignment);
    } else if (field->kind == FLSI_STRUCT_VECTOR) {
        *ref = fls_builder_struct_vector(all->builder, all->zeros, is->capacity,
                                         field->element_bytes, field->content_alignment);
    } else {
        *ref = fls_builder_string(all->builder, (const char *)all->zeros, is->capacity);
    }
    return FLS_OK;
}

static fls_status build_content(building *all, size_t path_bytes, const flsi_field *field,
                                const wish *is, fls_ref *ref)
{
    if (field->kind == FLSI_TABLE) {
        return build_below(all, path_bytes, field, is, ref);
    }
    int is_scalars = field->kind == FLSI_SCALAR_VECTOR && field->type != FLS_TYPE_UNION_TAG &&
                     (field->flags & FLS_FIELD_FLEXBUFFER) == 0;
    if (!is_scalars && field->kind != FLSI_STRING && field->kind != FLSI_STRUCT_VECTOR) {
        return refuse(all, path_bytes, field, "can only be prepared from a message that has it");
    }
    return build_zeros(all, path_bytes, field, is, ref);
}

/* What put_inline needs, which is for as much as a table can hold. */
static fls_status see_to_inline(building *all, size_t path_bytes, const flsi_field *field)
{
    if (field->bytes > UINT16_MAX) {
        return refuse(all, path_bytes, field, "does not fit in a table");
    }
    return field->kind == FLSI_STRUCT ? need_zeros(all, field->bytes) : FLS_OK;
}

static void put_inline(building *all, fls_table table, const flsi_field *field)
{
    uint64_t bits = field->default_bits;
    if (field->kind == FLSI_STRUCT) {
        fls_builder_struct(all->builder, table, field->id, all->zeros, field->bytes,
                           field->alignment);
        return;
    }
    switch (field->bytes) {
    case 1: fls_builder_u8(all->builder, table, field->id, (uint8_t)bits); break;
    case 2: fls_builder_u16(all->builder, table, field->id, (uint16_t)bits); break;
    case 4: fls_builder_u32(all->builder, table, field->id, (uint32_t)bits); break;
    default: fls_builder_u64(all->builder, table, field->id, bits); break;
    }
}

/* refs has one for each field: none for those that are not wanted, or lie in the table. */
static fls_status build_contents(building *all, size_t path_bytes, const flsi_object *type,
                                 int with_all, fls_ref *refs)
{
    const flsi_field *fields = all->schema->fields + type->first_field;
    fls_status status = FLS_OK;
    for (uint32_t i = 0; i < type->field_count && status == FLS_OK; i++) {
        wish is = wish_for(all, path_bytes, &fields[i]);
        if (!is_wanted(&is, &fields[i], with_all)) {
            continue;
        }
        if ((fields[i].flags & FLS_FIELD_DEPRECATED) != 0) {
            status = refuse(all, path_bytes, &fields[i], "is deprecated");
        } else if (is_inline(&fields[i])) {
            status = is.capacity == 0 ? see_to_inline(all, path_bytes, &fields[i])
                                      : refuse(all, path_bytes, &fields[i], "has no capacity");
        } else {
            status = build_content(all, path_bytes, &fields[i], &is, &refs[i]);
        }
    }
    return status;
}

static fls_status build_table(building *all, size_t path_bytes, uint32_t object, int with_all,
                              fls_ref *table)
{
    const flsi_object *type = &all->schema->objects[object];
    const flsi_field *fields = all->schema->fields + type->first_field;
    size_t bytes = (type->field_count + 1) * sizeof(fls_ref);
    fls_ref *refs = all->allocator->resize(all->allocator->self, NULL, 0, bytes);
    if (refs == NULL) {
        return fls_error_set(all->err, FLS_NO_MEMORY, 0, "no memory for a prepared message");
    }
    memset(refs, 0, bytes);
    fls_status status = build_contents(all, path_bytes, type, with_all, refs);
    if (status == FLS_OK) {
        fls_table t = fls_builder_table(all->builder, type->field_count);
        /* With the largest alignment first there is no padding between them. */
        for (uint32_t alignment = FLSI_SCHEMA_ALIGN_MOST; alignment != 0; alignment /= 2) {
            for (uint32_t i = 0; i < type->field_count; i++) {
                wish is = wish_for(all, path_bytes, &fields[i]);
                if (fields[i].alignment != alignment || !is_wanted(&is, &fields[i], with_all)) {
                    continue;
                }
                if (is_inline(&fields[i])) {
                    put_inline(all, t, &fields[i]);
                } else {
                    fls_builder_ref(all->builder, t, fields[i].id, refs[i]);
                }
            }
        }
        *table = fls_builder_end_checked(all->builder, t, all->schema, object);
    }
    all->allocator->free(all->allocator->self, refs, bytes);
    return status;
}

fls_status flsi_prepared_build(fls_builder *builder, const fls_schema *schema, uint32_t root,
                               const fls_prepared_field *fields, size_t count,
                               const char *identifier, const fls_allocator *allocator,
                               const void **data, size_t *size, fls_error *err)
{
    building all = {.builder = builder,
                    .schema = schema,
                    .fields = fields,
                    .count = count,
                    .allocator = allocator,
                    .err = err};
    fls_ref table = {0};
    fls_status status = build_table(&all, 0, root, count == 0, &table);
    if (status == FLS_OK) {
        status = fls_builder_finish(builder, table, identifier, data, size, err);
    }
    if (all.zeros != NULL) {
        allocator->free(allocator->self, all.zeros, all.zero_bytes);
    }
    return status;
}
