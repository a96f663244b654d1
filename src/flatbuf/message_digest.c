/* A digest of a message's values, whatever its layout: a walk as that of message_diff.c over one
 * message. Two messages in which that finds no difference have the same digest, so everything that
 * counts there is mixed in here, in the same order, and nothing else.
 */
#include "flatbuf/message_values.h"
#include "flatstream/checksum.h"
#include "flatstream/message_diff.h"
#include "flatstream/verify.h"

typedef struct digest_walk {
    const fls_schema *schema;
    uint64_t digest;
} digest_walk;

static void mix_table(digest_walk *w, uint32_t object, const uint8_t *table);
static void mix_struct(digest_walk *w, uint32_t object, const uint8_t *from);

static inline void mix(digest_walk *w, uint64_t word)
{
    uint64_t mixed = (w->digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    w->digest = mixed ^ mixed >> 29;
}

static void mix_bytes(digest_walk *w, const uint8_t *bytes, uint64_t size)
{
    mix(w, size);
    mix(w, fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes, (size_t)size));
}

static void mix_string(digest_walk *w, const uint8_t *string)
{
    mix_bytes(w, string + 4, flsi_load_le32(string));
}

static void mix_scalars(digest_walk *w, const flsi_field *field, const uint8_t *from,
                        uint32_t count)
{
    if (field->type != FLS_TYPE_BOOL) {
        mix_bytes(w, from, (uint64_t)count * field->element_bytes);
        return;
    }
    mix(w, count);
    for (uint32_t i = 0; i < count; i++) {
        mix(w, from[i] != 0);
    }
}

static void mix_elements(digest_walk *w, const flsi_field *field, const uint8_t *from,
                         uint32_t count)
{
    mix(w, count);
    for (uint32_t i = 0; i < count; i++) {
        switch ((flsi_kind)field->kind) {
        case FLSI_STRING_VECTOR: mix_string(w, flsi_follow(from)); break;
        case FLSI_TABLE_VECTOR: mix_table(w, field->object, flsi_follow(from)); break;
        default: mix_struct(w, field->object, from); break;
        }
        from += field->element_bytes;
    }
}

static void mix_member(digest_walk *w, const flsi_field *field, uint8_t tag, const uint8_t *value)
{
    const flsi_value *member =
        tag == 0 ? NULL : flsi_schema_value(w->schema, field->enumeration, tag);
    switch (member == NULL ? 0 : (int)member->kind) {
    case FLSI_TABLE: mix_table(w, member->object, value); break;
    case FLSI_STRUCT: mix_struct(w, member->object, value); break;
    case FLSI_STRING: mix_string(w, value); break;
    default: break;
    }
}

/* tags is NULL where there are none, which a sound message does not have. */
static void mix_unions(digest_walk *w, const flsi_field *field, const uint8_t *tags,
                       const uint8_t *from, uint32_t count)
{
    mix(w, count);
    for (uint32_t i = 0; tags != NULL && i < count; i++) {
        const uint8_t *at = from + (size_t)4 * i;
        mix_member(w, field, tags[4 + i], flsi_follow(at));
    }
}

static void mix_union(digest_walk *w, const flsi_field *field, const uint8_t *tag,
                      const uint8_t *from)
{
    const flsi_value *member =
        tag == NULL || *tag == 0 ? NULL : flsi_schema_value(w->schema, field->enumeration, *tag);
    if (member == NULL) {
        return; /* whether there is a value does not count either */
    }
    mix(w, from != NULL);
    if (from != NULL) {
        mix_member(w, field, *tag, flsi_follow(from));
    }
}

static void mix_reference(digest_walk *w, const flsi_field *field, const uint8_t *tags,
                          const uint8_t *to)
{
    switch ((flsi_kind)field->kind) {
    case FLSI_STRING: mix_string(w, to); break;
    case FLSI_TABLE: mix_table(w, field->object, to); break;
    case FLSI_NESTED: mix_table(w, field->object, flsi_follow(to + 4)); break;
    case FLSI_SCALAR_VECTOR: mix_scalars(w, field, to + 4, flsi_load_le32(to)); break;
    case FLSI_UNION_VECTOR: mix_unions(w, field, tags, to + 4, flsi_load_le32(to)); break;
    default: mix_elements(w, field, to + 4, flsi_load_le32(to)); break;
    }
}

static void mix_field(digest_walk *w, const flsi_field *field, const flsi_table_view *view)
{
    const uint8_t *from = flsi_view_field(view, field->place);
    const uint8_t *tags = NULL;
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        tags = flsi_view_field(view, field[-1].place);
    }
    if (field->kind == FLSI_UNION) {
        mix_union(w, field, tags, from);
        return;
    }
    if (field->kind != FLSI_SCALAR || (field->flags & FLS_FIELD_OPTIONAL) != 0) {
        mix(w, from != NULL);
        if (from == NULL) {
            return;
        }
    }
    if (field->kind == FLSI_SCALAR) {
        mix(w, flsi_field_bits(field, from));
    } else if (field->kind == FLSI_STRUCT) {
        mix_struct(w, field->object, from);
    } else {
        mix_reference(w, field, tags != NULL ? flsi_follow(tags) : NULL, flsi_follow(from));
    }
}

static void mix_table(digest_walk *w, uint32_t object, const uint8_t *table)
{
    const flsi_object *type = &w->schema->objects[object];
    const flsi_field *fields = w->schema->fields + type->first_field;
    flsi_table_view view = flsi_view_table(table);
    for (uint32_t i = 0; i < type->field_count; i++) {
        if ((fields[i].flags & FLS_FIELD_DEPRECATED) == 0) {
            mix_field(w, &fields[i], &view);
        }
    }
}

static void mix_struct(digest_walk *w, uint32_t object, const uint8_t *from)
{
    const flsi_object *type = &w->schema->objects[object];
    const flsi_field *fields = w->schema->fields + type->first_field;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const flsi_field *field = &fields[i];
        const uint8_t *at = from + field->place;
        if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
            continue;
        }
        switch ((flsi_kind)field->kind) {
        case FLSI_SCALAR: mix(w, flsi_scalar_bits(at, field->type)); break;
        case FLSI_STRUCT: mix_struct(w, field->object, at); break;
        case FLSI_SCALAR_ARRAY: mix_scalars(w, field, at, field->length); break;
        default: mix_elements(w, field, at, field->length); break;
        }
    }
}

fls_status fls_message_digest(const fls_schema *schema, uint32_t root, const void *payload,
                              size_t size, uint64_t *digest, fls_error *err)
{
    fls_violation violation;
    digest_walk w = {schema, UINT64_C(0x2545f4914f6cdd1d)};
    *digest = 0;
    if (root >= schema->object_count || schema->objects[root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the root of a message is a table");
    }
    if (fls_verify(schema, root, payload, size, NULL, &violation) != FLS_OK) {
        return fls_violation_to_error(&violation, err);
    }
    mix_table(&w, root, flsi_follow(payload));
    *digest = w.digest;
    return FLS_OK;
}
