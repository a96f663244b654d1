/* Two tables or two structs: fields are matched by id, as readers do, and names tell what was
 * meant.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/bytes.h"
#include "flatbuf/schema_diff.h"

#define TYPE_TEXT_BYTES (FLSI_SCHEMA_NAME_MOST + 32)

/* One table or struct of one schema. */
typedef struct side {
    const fls_schema *schema;
    uint32_t index;
    const flsi_object *object;
} side;

static side side_of(const fls_schema *schema, uint32_t index)
{
    side one = {schema, index, &schema->objects[index]};
    return one;
}

static const flsi_field *field_at(const side *one, uint32_t i)
{
    return &one->schema->fields[one->object->first_field + i];
}

static const flsi_field *by_name(const side *one, const flsi_field *field)
{
    uint32_t found =
        flsi_schema_field_named(one->schema, one->index, field->name, field->name_bytes);
    return found == FLS_SCHEMA_NONE ? NULL : &one->schema->fields[found];
}

static int is_tag(const flsi_field *field)
{
    return field->type == FLS_TYPE_UNION_TAG;
}

static int is_deprecated(const flsi_field *field)
{
    return (field->flags & FLS_FIELD_DEPRECATED) != 0;
}

static int is_required(const flsi_field *field)
{
    return (field->flags & FLS_FIELD_REQUIRED) != 0;
}

/* ---- types as text ---- */

/* As a .fbs has it. */
static const char *scalar_text(uint8_t type)
{
    static const char *const texts[] = {"nothing", "union tag", "bool",  "byte", "ubyte",
                                        "short",   "ushort",    "int",   "uint", "long",
                                        "ulong",   "float",     "double"};
    return type < sizeof texts / sizeof texts[0] ? texts[type] : "?";
}

static void type_text(char text[TYPE_TEXT_BYTES], const fls_schema *schema, const flsi_field *field)
{
    const char *name = scalar_text(field->type);
    if (field->enumeration != FLS_SCHEMA_NONE) {
        name = schema->enumerations[field->enumeration].name;
    } else if (field->object != FLS_SCHEMA_NONE) {
        name = schema->objects[field->object].name;
    } else if (field->type == FLS_TYPE_STRING) {
        name = "string";
    }
    switch (field->kind) {
    case FLSI_NESTED: (void)snprintf(text, TYPE_TEXT_BYTES, "a nested %s", name); break;
    case FLSI_SCALAR_ARRAY:
    case FLSI_STRUCT_ARRAY:
        (void)snprintf(text, TYPE_TEXT_BYTES, "[%s:%" PRIu32 "]", name, field->length);
        break;
    case FLSI_SCALAR_VECTOR:
    case FLSI_STRUCT_VECTOR:
    case FLSI_STRING_VECTOR:
    case FLSI_TABLE_VECTOR:
    case FLSI_UNION_VECTOR: (void)snprintf(text, TYPE_TEXT_BYTES, "[%s]", name); break;
    default: (void)snprintf(text, TYPE_TEXT_BYTES, "%s", name); break;
    }
}

static void detail_types(flsi_schema_diff *diff, const flsi_field *before, const flsi_field *after)
{
    char old_text[TYPE_TEXT_BYTES];
    char new_text[TYPE_TEXT_BYTES];
    type_text(old_text, diff->old_schema, before);
    type_text(new_text, diff->new_schema, after);
    flsi_diff_detail(diff, old_text, new_text);
}

/* ---- types ---- */

static flsi_diff_effects both(fls_compat_effect effect)
{
    flsi_diff_effects effects = {effect, effect};
    return effects;
}

static flsi_diff_effects scalar_effects(uint8_t before, uint8_t after)
{
    int is_whole = before >= FLS_TYPE_BOOL && before <= FLS_TYPE_U64 && after >= FLS_TYPE_BOOL &&
                   after <= FLS_TYPE_U64;
    if (before == after) {
        return both(FLS_COMPAT_FINE);
    }
    return both(is_whole && flsi_schema_scalar_bytes((fls_type)before) ==
                                flsi_schema_scalar_bytes((fls_type)after)
                    ? FLS_COMPAT_CHANGED
                    : FLS_COMPAT_BROKEN);
}

/* Vectors of single bytes, which a nested message and a string are too. */
static int is_bytes(const flsi_field *field)
{
    return field->kind == FLSI_NESTED ||
           (field->kind == FLSI_SCALAR_VECTOR && field->element_bytes == 1 && !is_tag(field));
}

/* What a reader makes of a field of another kind than it has itself. */
static fls_compat_effect other_kind(const flsi_field *reader, const flsi_field *writer)
{
    if (reader->kind == FLSI_STRING || !is_bytes(reader)) {
        return FLS_COMPAT_BROKEN; /* bytes have no zero at their end */
    }
    if (writer->kind != FLSI_STRING && !is_bytes(writer)) {
        return FLS_COMPAT_BROKEN;
    }
    return writer->kind == FLSI_NESTED ? FLS_COMPAT_FINE : FLS_COMPAT_CHANGED;
}

/* What the types of two fields come to, but for what is inside of the tables, structs and
 * enumerations that they name. */
static flsi_diff_effects type_effects(const flsi_schema_diff *diff, const flsi_field *before,
                                      const flsi_field *after)
{
    if (before->kind != after->kind) {
        flsi_diff_effects effects = {other_kind(before, after), other_kind(after, before)};
        return effects;
    }
    switch (before->kind) {
    case FLSI_SCALAR:
    case FLSI_SCALAR_VECTOR: return scalar_effects(before->type, after->type);
    case FLSI_SCALAR_ARRAY:
        return before->length == after->length ? scalar_effects(before->type, after->type)
                                               : both(FLS_COMPAT_BROKEN);
    case FLSI_STRUCT_ARRAY:
        if (before->length != after->length) {
            return both(FLS_COMPAT_BROKEN);
        }
        break;
    case FLSI_STRING:
    case FLSI_STRING_VECTOR:
    case FLSI_UNION:
    case FLSI_UNION_VECTOR: return both(FLS_COMPAT_FINE);
    default: break;
    }
    return both(flsi_diff_is_other(diff, before->object, after->object) ? FLS_COMPAT_CHANGED
                                                                        : FLS_COMPAT_FINE);
}

/* Has what two fields of one kind name compared. */
static void follow(flsi_schema_diff *diff, const flsi_field *before, const flsi_field *after)
{
    if (before->kind != after->kind) {
        return;
    }
    if (before->object != FLS_SCHEMA_NONE) {
        flsi_diff_later(diff, 0, before->object, after->object);
    }
    if (before->enumeration != FLS_SCHEMA_NONE && after->enumeration != FLS_SCHEMA_NONE) {
        flsi_diff_later(diff, 1, before->enumeration, after->enumeration);
    } else if (before->enumeration != after->enumeration) {
        detail_types(diff, before, after);
        flsi_diff_found(diff, FLS_COMPAT_ENUM_NAMES,
                        before->enumeration == FLS_SCHEMA_NONE ? FLS_COMPAT_FINE
                                                               : FLS_COMPAT_UNSEEN,
                        after->enumeration == FLS_SCHEMA_NONE ? FLS_COMPAT_FINE : FLS_COMPAT_UNSEEN,
                        "a reader that has names may meet numbers without one");
    }
}

static void compare_types(flsi_schema_diff *diff, const flsi_field *before, const flsi_field *after)
{
    flsi_diff_effects effects = type_effects(diff, before, after);
    int is_content = before->kind != after->kind && is_bytes(before) && is_bytes(after);
    int is_broken =
        effects.old_readers == FLS_COMPAT_BROKEN || effects.new_readers == FLS_COMPAT_BROKEN;
    if (is_content) {
        detail_types(diff, before, after);
        flsi_diff_found(diff, FLS_COMPAT_FIELD_CONTENT, effects.old_readers, effects.new_readers,
                        "bytes are not a message unless both say so, which only a .bfbs with "
                        "builtins can");
    } else if (effects.old_readers != FLS_COMPAT_FINE || effects.new_readers != FLS_COMPAT_FINE) {
        detail_types(diff, before, after);
        flsi_diff_found(diff, FLS_COMPAT_FIELD_TYPE, effects.old_readers, effects.new_readers,
                        is_broken ? "bytes are taken for what they are not"
                                  : "of the same size, so that it is read, but as something else");
    }
    if (!is_broken) {
        follow(diff, before, after);
    }
}

/* ---- what else a field of a table has ---- */

static uint64_t default_of(const flsi_field *field)
{
    return field->bytes == 8 ? field->default_bits
                             : field->default_bits & ((UINT64_C(1) << (8 * field->bytes)) - 1);
}

static void compare_defaults(flsi_schema_diff *diff, const flsi_field *before,
                             const flsi_field *after)
{
    if (before->kind != FLSI_SCALAR || after->kind != FLSI_SCALAR ||
        before->bytes != after->bytes) {
        return;
    }
    int was_optional = (before->flags & FLS_FIELD_OPTIONAL) != 0;
    int is_optional = (after->flags & FLS_FIELD_OPTIONAL) != 0;
    if (was_optional != is_optional) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_OPTIONAL, FLS_COMPAT_CHANGED, FLS_COMPAT_CHANGED,
                        "when it is absent, one reads null and the other its default");
    } else if (default_of(before) != default_of(after)) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_DEFAULT, FLS_COMPAT_CHANGED, FLS_COMPAT_CHANGED,
                        "when it is absent, each reads its own default");
    }
}

static void compare_flags(flsi_schema_diff *diff, const flsi_field *before, const flsi_field *after)
{
    int had = (before->flags & FLS_FIELD_FLEXBUFFER) != 0;
    int has = (after->flags & FLS_FIELD_FLEXBUFFER) != 0;
    if (!is_required(before) && is_required(after)) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_REQUIRED, FLS_COMPAT_FINE, FLS_COMPAT_BROKEN,
                        "new readers refuse messages without it");
    } else if (is_required(before) && !is_required(after)) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_NOT_REQUIRED, FLS_COMPAT_BROKEN, FLS_COMPAT_FINE,
                        "old readers refuse messages without it");
    }
    if (had != has && before->kind == after->kind) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_CONTENT, had ? FLS_COMPAT_CHANGED : FLS_COMPAT_FINE,
                        has ? FLS_COMPAT_CHANGED : FLS_COMPAT_FINE,
                        "bytes are not a FlexBuffer unless both say so, which only a .bfbs with "
                        "builtins can");
    }
}

static void compare_alignment(flsi_schema_diff *diff, const flsi_field *before,
                              const flsi_field *after)
{
    if (before->kind != after->kind || before->element_bytes != after->element_bytes ||
        before->content_alignment == after->content_alignment) {
        return;
    }
    if (before->kind == FLSI_STRUCT_VECTOR &&
        diff->old_schema->objects[before->object].alignment !=
            diff->new_schema->objects[after->object].alignment) {
        return; /* told of with the struct */
    }
    int is_less = before->content_alignment > after->content_alignment;
    flsi_diff_found(diff, FLS_COMPAT_FIELD_ALIGNMENT,
                    is_less ? FLS_COMPAT_CHANGED : FLS_COMPAT_FINE,
                    is_less ? FLS_COMPAT_FINE : FLS_COMPAT_CHANGED,
                    "a reader that counts on the larger alignment does not find it");
}

/* ---- the fields of a table ---- */

static void removed_field(flsi_schema_diff *diff, const flsi_field *field)
{
    flsi_diff_found(diff, FLS_COMPAT_FIELD_REMOVED,
                    is_required(field) ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE, FLS_COMPAT_UNSEEN,
                    is_required(field) ? "old readers refuse messages without it"
                                       : "new readers pass over it; its id must not be used again");
}

static void added_field(flsi_schema_diff *diff, const flsi_field *field)
{
    flsi_diff_found(diff, FLS_COMPAT_FIELD_ADDED, FLS_COMPAT_UNSEEN,
                    is_required(field) ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE,
                    is_required(field) ? "new readers refuse messages without it"
                                       : "old readers pass over it");
}

static void moved_field(flsi_schema_diff *diff, const flsi_field *before, const flsi_field *after)
{
    char old_text[24];
    char new_text[24];
    (void)snprintf(old_text, sizeof old_text, "id %" PRIu32, before->id);
    (void)snprintf(new_text, sizeof new_text, "id %" PRIu32, after->id);
    flsi_diff_detail(diff, old_text, new_text);
    flsi_diff_found(diff, FLS_COMPAT_FIELD_MOVED, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                    "fields are found by their id, so each reads another field in its place");
}

/* One of the two is deprecated: messages of that side do not have the field. */
static void compare_deprecation(flsi_schema_diff *diff, const flsi_field *before,
                                const flsi_field *after)
{
    if (is_deprecated(after)) {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_DEPRECATED,
                        is_required(before) ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE,
                        FLS_COMPAT_UNSEEN,
                        is_required(before) ? "old readers refuse messages without it"
                                            : "new readers pass over it");
    } else {
        flsi_diff_found(diff, FLS_COMPAT_FIELD_REVIVED, FLS_COMPAT_UNSEEN,
                        is_required(after) ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE,
                        is_required(after) ? "new readers refuse messages without it"
                                           : "old readers pass over it");
    }
}

/* Two fields of one id and two names. Returns whether they are still one field. */
static int compare_names(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                         const flsi_field *before, const flsi_field *after)
{
    const flsi_field *moved = by_name(new_side, before);
    flsi_diff_effects effects = type_effects(diff, before, after);
    int fits = effects.old_readers != FLS_COMPAT_BROKEN && effects.new_readers != FLS_COMPAT_BROKEN;
    if (moved != NULL) {
        moved_field(diff, before, moved);
        if (by_name(old_side, after) == NULL && !is_tag(after)) {
            flsi_diff_at(diff, old_side->object->name, after->name);
            flsi_diff_found(diff, FLS_COMPAT_FIELD_ADDED, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                            "its id was another field's, so each takes the other's for its own");
        }
        return 0;
    }
    flsi_diff_detail(diff, before->name, after->name);
    if (fits && by_name(old_side, after) == NULL) {
        flsi_diff_found(
            diff, FLS_COMPAT_FIELD_RENAMED, FLS_COMPAT_FINE, FLS_COMPAT_FINE,
            "messages hold the id, but programs and JSON have the name; were it another "
            "field with the id of the old one, its values would be misread");
        return 1;
    }
    flsi_diff_found(diff, FLS_COMPAT_FIELD_REUSED, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                    "fields are found by their id, so each takes the other's for its own");
    return 0;
}

static void both_fields(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                        uint32_t i)
{
    const flsi_field *before = field_at(old_side, i);
    const flsi_field *after = field_at(new_side, i);
    if ((is_tag(before) && is_tag(after)) || (is_deprecated(before) && is_deprecated(after))) {
        return; /* a tag goes with its union, the next field */
    }
    flsi_diff_at(diff, old_side->object->name, before->name);
    if (is_deprecated(before) || is_deprecated(after)) {
        compare_deprecation(diff, before, after);
        return;
    }
    if (strcmp(before->name, after->name) != 0 &&
        !compare_names(diff, old_side, new_side, before, after)) {
        return;
    }
    compare_types(diff, before, after);
    compare_defaults(diff, before, after);
    compare_flags(diff, before, after);
    compare_alignment(diff, before, after);
}

static void compare_keys(flsi_schema_diff *diff, const side *old_side, const side *new_side)
{
    uint32_t before = old_side->object->key;
    uint32_t after = new_side->object->key;
    if (before != after) {
        flsi_diff_at(diff, old_side->object->name, NULL);
        flsi_diff_detail(diff,
                         before == FLS_SCHEMA_NONE ? "none" : field_at(old_side, before)->name,
                         after == FLS_SCHEMA_NONE ? "none" : field_at(new_side, after)->name);
        flsi_diff_found(diff, FLS_COMPAT_KEY,
                        before == FLS_SCHEMA_NONE ? FLS_COMPAT_FINE : FLS_COMPAT_CHANGED,
                        after == FLS_SCHEMA_NONE ? FLS_COMPAT_FINE : FLS_COMPAT_CHANGED,
                        "who searches by the key may not find what is there");
    }
}

static void compare_tables(flsi_schema_diff *diff, const side *old_side, const side *new_side)
{
    uint32_t old_count = old_side->object->field_count;
    uint32_t new_count = new_side->object->field_count;
    for (uint32_t i = 0; i < old_count && i < new_count && diff->status == FLS_OK; i++) {
        both_fields(diff, old_side, new_side, i);
    }
    for (uint32_t i = new_count; i < old_count && diff->status == FLS_OK; i++) {
        const flsi_field *field = field_at(old_side, i);
        const flsi_field *moved = by_name(new_side, field);
        if (is_tag(field) || is_deprecated(field)) {
            continue;
        }
        flsi_diff_at(diff, old_side->object->name, field->name);
        if (moved != NULL) {
            moved_field(diff, field, moved);
        } else {
            removed_field(diff, field);
        }
    }
    for (uint32_t i = old_count; i < new_count && diff->status == FLS_OK; i++) {
        const flsi_field *field = field_at(new_side, i);
        if (!is_tag(field) && !is_deprecated(field) && by_name(old_side, field) == NULL) {
            flsi_diff_at(diff, old_side->object->name, field->name);
            added_field(diff, field);
        }
    }
}

/* ---- structs ---- */

static void found_layout(flsi_schema_diff *diff, fls_compat_effect old_readers,
                         fls_compat_effect new_readers, const char *why)
{
    flsi_diff_found(diff, FLS_COMPAT_STRUCT_LAYOUT, old_readers, new_readers, why);
}

/* Whether both have the same bytes at the same places, as far as the structs in them allow. */
static int same_layout(const flsi_schema_diff *diff, const side *old_side, const side *new_side)
{
    int same = old_side->object->bytes == new_side->object->bytes &&
               old_side->object->field_count == new_side->object->field_count;
    for (uint32_t i = 0; same && i < old_side->object->field_count; i++) {
        const flsi_field *before = field_at(old_side, i);
        const flsi_field *after = field_at(new_side, i);
        same = before->place == after->place && before->bytes == after->bytes &&
               type_effects(diff, before, after).old_readers != FLS_COMPAT_BROKEN;
    }
    return same;
}

static void compare_structs(flsi_schema_diff *diff, const side *old_side, const side *new_side)
{
    char old_text[40];
    char new_text[40];
    uint32_t old_alignment = old_side->object->alignment;
    uint32_t new_alignment = new_side->object->alignment;
    flsi_diff_at(diff, old_side->object->name, NULL);
    if (!same_layout(diff, old_side, new_side)) {
        (void)snprintf(old_text, sizeof old_text, "%" PRIu32 " bytes in %" PRIu32 " fields",
                       old_side->object->bytes, old_side->object->field_count);
        (void)snprintf(new_text, sizeof new_text, "%" PRIu32 " bytes in %" PRIu32 " fields",
                       new_side->object->bytes, new_side->object->field_count);
        flsi_diff_detail(diff, old_text, new_text);
        found_layout(diff, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                     "a struct has no room for change: bytes are taken for what they are not");
        return;
    }
    if (old_alignment != new_alignment) {
        (void)snprintf(old_text, sizeof old_text, "aligned to %" PRIu32, old_alignment);
        (void)snprintf(new_text, sizeof new_text, "%" PRIu32, new_alignment);
        flsi_diff_detail(diff, old_text, new_text);
        found_layout(diff, old_alignment > new_alignment ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE,
                     new_alignment > old_alignment ? FLS_COMPAT_BROKEN : FLS_COMPAT_FINE,
                     "readers refuse what is less aligned than they know it");
    }
    for (uint32_t i = 0; i < old_side->object->field_count && diff->status == FLS_OK; i++) {
        const flsi_field *before = field_at(old_side, i);
        const flsi_field *after = field_at(new_side, i);
        flsi_diff_at(diff, old_side->object->name, before->name);
        if (strcmp(before->name, after->name) == 0 ||
            compare_names(diff, old_side, new_side, before, after)) {
            compare_types(diff, before, after);
        }
    }
}

void flsi_diff_objects(flsi_schema_diff *diff, uint32_t old_index, uint32_t new_index)
{
    side old_side = side_of(diff->old_schema, old_index);
    side new_side = side_of(diff->new_schema, new_index);
    flsi_diff_type_names(diff, old_side.object->name, new_side.object->name);
    if (old_side.object->is_struct) {
        compare_structs(diff, &old_side, &new_side);
    } else {
        compare_tables(diff, &old_side, &new_side);
    }
    compare_keys(diff, &old_side, &new_side);
}
