/* Two enums or two unions: what a number meant, and what it means now. */
#include <inttypes.h>
#include <stdio.h>

#include "core/bytes.h"
#include "flatbuf/schema_diff.h"

typedef struct side {
    const fls_schema *schema;
    uint32_t index;
    const flsi_enumeration *enumeration;
} side;

static side side_of(const fls_schema *schema, uint32_t index)
{
    side one = {schema, index, &schema->enumerations[index]};
    return one;
}

static const flsi_value *value_at(const side *one, uint32_t i)
{
    return &one->schema->values[one->enumeration->first_value + i];
}

static const flsi_value *by_number(const side *one, int64_t value)
{
    return flsi_schema_value(one->schema, one->index, value);
}

static const flsi_value *by_name(const side *one, const flsi_value *value)
{
    uint32_t found =
        flsi_schema_value_named(one->schema, one->index, value->name, value->name_bytes);
    return found == FLS_SCHEMA_NONE ? NULL : &one->schema->values[found];
}

static int same_name(const flsi_value *a, const flsi_value *b)
{
    return strcmp(a->name, b->name) == 0;
}

static void number_text(char text[24], const side *one, int64_t value)
{
    if (one->enumeration->type == FLS_TYPE_U64) {
        (void)snprintf(text, 24, "%" PRIu64, (uint64_t)value);
    } else {
        (void)snprintf(text, 24, "%" PRId64, value);
    }
}

static void detail_numbers(flsi_schema_diff *diff, const side *old_side, const flsi_value *before,
                           const side *new_side, const flsi_value *after)
{
    char old_text[24];
    char new_text[24];
    number_text(old_text, old_side, before->value);
    number_text(new_text, new_side, after->value);
    flsi_diff_detail(diff, old_text, new_text);
}

/* ---- enums ---- */

static void old_value(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                      const flsi_value *value)
{
    const flsi_value *here = by_number(new_side, value->value);
    const flsi_value *moved = by_name(new_side, value);
    flsi_diff_at(diff, old_side->enumeration->name, value->name);
    if (here != NULL && same_name(here, value)) {
        return;
    }
    if (moved != NULL) {
        detail_numbers(diff, old_side, value, new_side, moved);
        flsi_diff_found(diff, FLS_COMPAT_VALUE_RENUMBERED, FLS_COMPAT_CHANGED, FLS_COMPAT_CHANGED,
                        "messages hold the number, which now means something else");
    } else if (here != NULL && by_name(old_side, here) == NULL) {
        flsi_diff_detail(diff, value->name, here->name);
        flsi_diff_found(diff, FLS_COMPAT_VALUE_RENAMED, FLS_COMPAT_FINE, FLS_COMPAT_FINE,
                        "messages hold the number, but programs and JSON have the name");
    } else {
        flsi_diff_found(diff, FLS_COMPAT_VALUE_REMOVED, FLS_COMPAT_FINE,
                        here == NULL ? FLS_COMPAT_UNSEEN : FLS_COMPAT_CHANGED,
                        here == NULL ? "new readers have no name for its number"
                                     : "new readers have another name for its number");
    }
}

static void new_value(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                      const flsi_value *value)
{
    const flsi_value *here = by_number(old_side, value->value);
    if (by_name(old_side, value) != NULL || (here != NULL && by_name(new_side, here) == NULL)) {
        return; /* the same, or told of with the old values */
    }
    flsi_diff_at(diff, old_side->enumeration->name, value->name);
    flsi_diff_found(diff, FLS_COMPAT_VALUE_ADDED,
                    here == NULL ? FLS_COMPAT_UNSEEN : FLS_COMPAT_CHANGED, FLS_COMPAT_FINE,
                    here == NULL ? "old readers have no name for its number"
                                 : "old readers have another name for its number");
}

/* ---- unions ---- */

static const char *kind_text(const flsi_value *value)
{
    switch (value->kind) {
    case FLSI_TABLE: return "a table";
    case FLSI_STRUCT: return "a struct";
    case FLSI_STRING: return "a string";
    default: return "nothing";
    }
}

static void both_members(flsi_schema_diff *diff, const flsi_value *before, const flsi_value *after)
{
    if (!same_name(before, after)) {
        flsi_diff_detail(diff, before->name, after->name);
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_RENAMED, FLS_COMPAT_FINE, FLS_COMPAT_FINE,
                        "messages hold its number, but programs and JSON have the name");
    }
    if (before->kind != after->kind) {
        flsi_diff_detail(diff, kind_text(before), kind_text(after));
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_TYPE, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                        "bytes are taken for what they are not");
        return;
    }
    if (before->object == FLS_SCHEMA_NONE) {
        return;
    }
    if (flsi_diff_is_other(diff, before->object, after->object)) {
        flsi_diff_detail(diff, diff->old_schema->objects[before->object].name,
                         diff->new_schema->objects[after->object].name);
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_TYPE, FLS_COMPAT_CHANGED, FLS_COMPAT_CHANGED,
                        "each takes the other's type for its own; both are compared below");
    }
    flsi_diff_later(diff, 0, before->object, after->object);
}

static void old_member(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                       const flsi_value *member)
{
    const flsi_value *here = by_number(new_side, member->value);
    const flsi_value *moved = by_name(new_side, member);
    flsi_diff_at(diff, old_side->enumeration->name, member->name);
    if (moved != NULL && moved->value != member->value) {
        detail_numbers(diff, old_side, member, new_side, moved);
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_MOVED, FLS_COMPAT_BROKEN, FLS_COMPAT_BROKEN,
                        "messages hold its number, by which readers take it for another member or "
                        "for none");
    } else if (here == NULL) {
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_REMOVED, FLS_COMPAT_FINE, FLS_COMPAT_UNSEEN,
                        "new readers pass over it");
    } else if (moved == NULL && by_name(old_side, here) != NULL) {
        flsi_diff_found(diff, FLS_COMPAT_MEMBER_REMOVED, FLS_COMPAT_FINE, FLS_COMPAT_BROKEN,
                        "new readers take it for another member");
    } else {
        both_members(diff, member, here);
    }
}

static void new_member(flsi_schema_diff *diff, const side *old_side, const side *new_side,
                       const flsi_value *member)
{
    const flsi_value *here = by_number(old_side, member->value);
    if (by_name(old_side, member) != NULL || (here != NULL && by_name(new_side, here) == NULL)) {
        return; /* the same, or told of with the old members */
    }
    flsi_diff_at(diff, old_side->enumeration->name, member->name);
    flsi_diff_found(diff, FLS_COMPAT_MEMBER_ADDED,
                    here == NULL ? FLS_COMPAT_UNSEEN : FLS_COMPAT_BROKEN, FLS_COMPAT_FINE,
                    here == NULL ? "old readers pass over it"
                                 : "old readers take it for another member");
}

void flsi_diff_enumerations(flsi_schema_diff *diff, uint32_t old_index, uint32_t new_index)
{
    side old_side = side_of(diff->old_schema, old_index);
    side new_side = side_of(diff->new_schema, new_index);
    int is_union = old_side.enumeration->is_union;
    flsi_diff_type_names(diff, old_side.enumeration->name, new_side.enumeration->name);
    for (uint32_t i = 0; i < old_side.enumeration->value_count && diff->status == FLS_OK; i++) {
        const flsi_value *value = value_at(&old_side, i);
        if (is_union && value->value != 0) {
            old_member(diff, &old_side, &new_side, value);
        } else if (!is_union) {
            old_value(diff, &old_side, &new_side, value);
        }
    }
    for (uint32_t i = 0; i < new_side.enumeration->value_count && diff->status == FLS_OK; i++) {
        const flsi_value *value = value_at(&new_side, i);
        if (is_union && value->value != 0) {
            new_member(diff, &old_side, &new_side, value);
        } else if (!is_union) {
            new_value(diff, &old_side, &new_side, value);
        }
    }
}
