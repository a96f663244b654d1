/* Comparing two messages: a walk over both at once, as the schema leads, until they differ. Both
 * were verified, so that nothing leads outside them and tables nest as deep as the verifier lets
 * them.
 */
#include "flatstream/message_diff.h"

#include <inttypes.h>
#include <stdio.h>

#include "flatbuf/characters.h"
#include "flatbuf/message_values.h"
#include "flatbuf/verify_private.h"
#include "flatstream/query.h"

typedef flsi_verify_step step;

/* Of a union in both messages, or of vectors of them, where they are there. */
typedef struct tag_pair {
    const uint8_t *a;
    const uint8_t *b;
} tag_pair;

typedef struct pair_walk {
    const fls_schema *schema;
    fls_message_difference *found;
} pair_walk;

/* Each answers whether the two are the same; where not, it was told. */
static int same_tables(pair_walk *w, const step *here, uint32_t object, const uint8_t *a,
                       const uint8_t *b);
static int same_structs(pair_walk *w, const step *here, uint32_t object, const uint8_t *a,
                        const uint8_t *b);

/* ---- telling ---- */

/* Bytes of a string that are shown, before escapes. */
#define SHOWN_BYTES 40u
/* And of these, before the first difference, where not all before it can be shown. */
#define SHOWN_BEFORE 8u

/* Room for what is before the difference, with escapes. */
#define ROOM_BEFORE 48u

/* The longest of what stands for a character, a closing quote with dots, and a zero. */
#define TEXT_TAIL 12u

static char *put_word(char *to, const char *word)
{
    size_t bytes = strlen(word);
    memcpy(to, word, bytes + 1);
    return to + bytes;
}

/* The character at `at`; *used is how many bytes it has. */
static char *put_character(char *to, const uint8_t *at, uint64_t left, uint32_t *used)
{
    uint32_t bytes = *at < 0x80 ? 1 : flsi_utf8_bytes(at, left);
    *used = bytes == 0 ? 1 : bytes;
    if (bytes == 0) {
        return to + snprintf(to, TEXT_TAIL, "\\udc%02x", *at);
    }
    if (*at < 0x20 || *at == 0x7f) {
        return to + snprintf(to, TEXT_TAIL, "\\u%04x", *at);
    }
    if (*at == '"' || *at == '\\') {
        *to++ = '\\';
    }
    memcpy(to, at, bytes);
    return to + bytes;
}

/* Whether the first `size` bytes can be shown, and more behind them. */
static int fits_before(const uint8_t *bytes, uint64_t size)
{
    uint64_t room = 0;
    for (uint64_t i = 0; i < size && room <= ROOM_BEFORE; i++) {
        room += bytes[i] < 0x20 || bytes[i] >= 0x7f || bytes[i] == '"' || bytes[i] == '\\' ? 6 : 1;
    }
    return size <= SHOWN_BYTES - SHOWN_BEFORE && room <= ROOM_BEFORE;
}

/* A string, from a little before the byte where it differs from the other one. */
static void text_of_string(char *text, size_t capacity, const uint8_t *string, uint64_t differs)
{
    const uint8_t *bytes = string + 4;
    uint64_t size = flsi_load_le32(string);
    uint64_t at = fits_before(bytes, differs) ? 0 : differs;
    at = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0;
    char *to = text;
    while (at > 0 && at < size && flsi_is_utf8_tail(bytes[at]) && differs - at < 16) {
        at--; /* not in the middle of a character */
    }
    at = at > size ? size : at;
    uint64_t end = size - at > SHOWN_BYTES ? at + SHOWN_BYTES : size;
    *to++ = '"';
    to = at > 0 ? put_word(to, "...") : to;
    while (at < end && (size_t)(to - text) + 2 * TEXT_TAIL < capacity) {
        uint32_t used;
        to = put_character(to, bytes + at, size - at, &used);
        at += used;
    }
    to = at < size ? put_word(to, "...") : to;
    to = put_word(to, "\"");
    *to = '\0';
}

/* Where two strings first differ. */
static uint64_t find_difference(const uint8_t *a, const uint8_t *b)
{
    uint64_t a_size = a != NULL ? flsi_load_le32(a) : 0;
    uint64_t b_size = b != NULL ? flsi_load_le32(b) : 0;
    uint64_t least = a_size < b_size ? a_size : b_size;
    uint64_t at = 0;
    while (at < least && a[4 + at] == b[4 + at]) {
        at++;
    }
    return at;
}

static void text_of_scalar(const pair_walk *w, char *text, const flsi_field *field, uint64_t bits)
{
    char number[FLS_VALUE_TEXT_BYTES];
    size_t size;
    fls_value value;
    memset(&value, 0, sizeof value);
    value.enumeration = field->enumeration;
    if (flsi_is_float(field->type)) {
        uint32_t low = (uint32_t)bits;
        float narrow;
        FLSI_COPY(&narrow, &low, sizeof narrow);
        value.kind = FLS_VALUE_F64;
        value.is_f32 = field->type == FLS_TYPE_F32;
        value.as.f = value.is_f32 ? (double)narrow : flsi_of_bits(bits);
    } else {
        value.kind = field->type == FLS_TYPE_BOOL       ? FLS_VALUE_BOOL
                     : flsi_is_signed(field->type) != 0 ? FLS_VALUE_I64
                                                        : FLS_VALUE_U64;
        value.as.u = bits;
    }
    const char *from = fls_value_text(&value, w->schema, number, &size);
    int is_named = field->enumeration != FLS_SCHEMA_NONE && flsi_is_letter(*from);
    int is_word = flsi_is_float(field->type) && value.as.f - value.as.f != 0;
    const char *quote = is_named || is_word ? "\"" : "";
    snprintf(text, sizeof w->found->a, "%s%.*s%s", quote, (int)(size < 64 ? size : 64), from,
             quote);
}

static int tell_path(pair_walk *w, const step *here)
{
    fls_violation place;
    flsi_verify_tell(&place, FLS_RULE_NONE, 0, here);
    w->found->is_different = 1;
    memcpy(w->found->path, place.path, sizeof place.path);
    return 0;
}

static int tell_scalars(pair_walk *w, const step *here, const flsi_field *field, uint64_t a,
                        uint64_t b)
{
    fls_message_difference *found = w->found;
    text_of_scalar(w, found->a, field, a);
    text_of_scalar(w, found->b, field, b);
    if (strcmp(found->a, found->b) == 0) { /* NaNs */
        snprintf(found->a, sizeof found->a, "nan (0x%" PRIx64 ")", a);
        snprintf(found->b, sizeof found->b, "nan (0x%" PRIx64 ")", b);
    }
    return tell_path(w, here);
}

/* A short text of what stands for a field of a table; at NULL: nothing. */
static void text_of_field(const pair_walk *w, char *text, const flsi_field *field,
                          const uint8_t *at)
{
    switch (at == NULL ? 0 : (int)field->kind) {
    case 0: (void)put_word(text, "null"); return;
    case FLSI_SCALAR: text_of_scalar(w, text, field, flsi_scalar_bits(at, field->type)); return;
    case FLSI_STRING: text_of_string(text, sizeof w->found->a, flsi_follow(at), 0); return;
    case FLSI_STRUCT:
    case FLSI_TABLE:
    case FLSI_UNION:
    case FLSI_NESTED: (void)put_word(text, "{...}"); return;
    default: (void)put_word(text, flsi_load_le32(flsi_follow(at)) == 0 ? "[]" : "[...]"); return;
    }
}

/* One of them is there. */
static int tell_presence(pair_walk *w, const step *here, const flsi_field *field, const uint8_t *a,
                         const uint8_t *b)
{
    text_of_field(w, w->found->a, field, a);
    text_of_field(w, w->found->b, field, b);
    return tell_path(w, here);
}

static int tell_lengths(pair_walk *w, const step *here, uint32_t a, uint32_t b)
{
    char *path = w->found->path;
    snprintf(w->found->a, sizeof w->found->a, "%" PRIu32, a);
    snprintf(w->found->b, sizeof w->found->b, "%" PRIu32, b);
    (void)tell_path(w, here);
    size_t length = strlen(path);
    if (length + sizeof ".length" <= sizeof w->found->path) {
        memcpy(path + length, ".length", sizeof ".length");
    }
    return 0;
}

/* ---- values ---- */

static int same_strings(pair_walk *w, const step *here, const uint8_t *a, const uint8_t *b)
{
    uint32_t bytes = flsi_load_le32(a);
    if (bytes == flsi_load_le32(b) && memcmp(a + 4, b + 4, bytes) == 0) {
        return 1;
    }
    uint64_t differs = find_difference(a, b);
    text_of_string(w->found->a, sizeof w->found->a, a, differs);
    text_of_string(w->found->b, sizeof w->found->b, b, differs);
    return tell_path(w, here);
}

/* Elements of a vector or array. */
static int same_scalars(pair_walk *w, const step *here, const flsi_field *field, const uint8_t *a,
                        const uint8_t *b, uint32_t count)
{
    if (memcmp(a, b, (size_t)count * field->element_bytes) == 0) {
        return 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t a_bits = flsi_scalar_bits(a + (size_t)i * field->element_bytes, field->type);
        uint64_t b_bits = flsi_scalar_bits(b + (size_t)i * field->element_bytes, field->type);
        if (a_bits != b_bits) {
            step inner = {here->outer, field, i};
            return tell_scalars(w, &inner, field, a_bits, b_bits);
        }
    }
    return 1;
}

/* Elements of a vector that are references or structs, or of an array of structs. */
static int same_elements(pair_walk *w, const step *here, const flsi_field *field, const uint8_t *a,
                         const uint8_t *b, uint32_t count)
{
    int is_same = 1;
    for (uint32_t i = 0; i < count && is_same; i++) {
        step inner = {here->outer, field, i};
        switch ((flsi_kind)field->kind) {
        case FLSI_STRING_VECTOR:
            is_same = same_strings(w, &inner, flsi_follow(a), flsi_follow(b));
            break;
        case FLSI_TABLE_VECTOR:
            is_same = same_tables(w, &inner, field->object, flsi_follow(a), flsi_follow(b));
            break;
        default: is_same = same_structs(w, &inner, field->object, a, b); break;
        }
        a += field->element_bytes;
        b += field->element_bytes;
    }
    return is_same;
}

/* Two values of a union with the same tag. A member that the schema does not know cannot be looked
 * at. */
static int same_members(pair_walk *w, const step *here, const flsi_value *member, const uint8_t *a,
                        const uint8_t *b)
{
    switch (member == NULL ? 0 : (int)member->kind) {
    case FLSI_TABLE: return same_tables(w, here, member->object, a, b);
    case FLSI_STRUCT: return same_structs(w, here, member->object, a, b);
    case FLSI_STRING: return same_strings(w, here, a, b);
    default: return 1;
    }
}

static const flsi_value *member_of(const pair_walk *w, const flsi_field *field, uint8_t tag)
{
    return tag == 0 ? NULL : flsi_schema_value(w->schema, field->enumeration, tag);
}

/* The tags were compared before, as the field before; but that one may be deprecated, and what is
 * followed here must be what the tag of either side says. */
static int same_tags(pair_walk *w, const step *here, const flsi_field *field, uint8_t a, uint8_t b)
{
    step tag = {here->outer, field - 1, here->element};
    return a == b || tell_scalars(w, &tag, field - 1, a, b);
}

static int same_unions(pair_walk *w, const step *here, const flsi_field *field,
                       const tag_pair *tags, const uint8_t *a, const uint8_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        step inner = {here->outer, field, i};
        const flsi_value *member = member_of(w, field, tags->a[4 + i]);
        const uint8_t *a_at = a + (size_t)4 * i;
        const uint8_t *b_at = b + (size_t)4 * i;
        if (!same_tags(w, &inner, field, tags->a[4 + i], tags->b[4 + i]) ||
            !same_members(w, &inner, member, flsi_follow(a_at), flsi_follow(b_at))) {
            return 0;
        }
    }
    return 1;
}

/* Both vectors are there, and where they are of unions those of their tags. */
static int same_vectors(pair_walk *w, const step *here, const flsi_field *field,
                        const tag_pair *tags, const uint8_t *a, const uint8_t *b)
{
    uint32_t a_count = flsi_load_le32(a);
    uint32_t b_count = flsi_load_le32(b);
    uint32_t count = a_count < b_count ? a_count : b_count;
    int is_same;
    switch ((flsi_kind)field->kind) {
    case FLSI_SCALAR_VECTOR: is_same = same_scalars(w, here, field, a + 4, b + 4, count); break;
    case FLSI_UNION_VECTOR: is_same = same_unions(w, here, field, tags, a + 4, b + 4, count); break;
    default: is_same = same_elements(w, here, field, a + 4, b + 4, count); break;
    }
    if (is_same && a_count != b_count) {
        return tell_lengths(w, here, a_count, b_count);
    }
    return is_same;
}

/* ---- fields ---- */

static int same_scalar_fields(pair_walk *w, const step *here, const flsi_field *field,
                              const uint8_t *a, const uint8_t *b)
{
    if ((field->flags & FLS_FIELD_OPTIONAL) != 0 && (a == NULL || b == NULL)) {
        return a == b || tell_presence(w, here, field, a, b);
    }
    uint64_t a_bits = flsi_field_bits(field, a);
    uint64_t b_bits = flsi_field_bits(field, b);
    return a_bits == b_bits || tell_scalars(w, here, field, a_bits, b_bits);
}

static int same_union_fields(pair_walk *w, const step *here, const flsi_field *field,
                             const tag_pair *tags, const uint8_t *a, const uint8_t *b)
{
    uint8_t tag = tags->a == NULL ? 0 : *tags->a;
    const flsi_value *member = member_of(w, field, tag);
    if (!same_tags(w, here, field, tag, tags->b == NULL ? 0 : *tags->b)) {
        return 0;
    }
    if (member == NULL || (a == NULL && b == NULL)) {
        return 1;
    }
    if (a == NULL || b == NULL) {
        return tell_presence(w, here, field, a, b);
    }
    return same_members(w, here, member, flsi_follow(a), flsi_follow(b));
}

static int same_references(pair_walk *w, const step *here, const flsi_field *field,
                           const tag_pair *tags, const uint8_t *a, const uint8_t *b)
{
    switch ((flsi_kind)field->kind) {
    case FLSI_STRING: return same_strings(w, here, a, b);
    case FLSI_TABLE: return same_tables(w, here, field->object, a, b);
    case FLSI_NESTED:
        return same_tables(w, here, field->object, flsi_follow(a + 4), flsi_follow(b + 4));
    default: return same_vectors(w, here, field, tags, a, b);
    }
}

static int same_fields(pair_walk *w, const step *outer, const flsi_field *field,
                       const flsi_table_view *a_view, const flsi_table_view *b_view)
{
    step here = {outer, field, UINT64_MAX};
    const uint8_t *a = flsi_view_field(a_view, field->place);
    const uint8_t *b = flsi_view_field(b_view, field->place);
    tag_pair tags = {NULL, NULL};
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        tags.a = flsi_view_field(a_view, field[-1].place);
        tags.b = flsi_view_field(b_view, field[-1].place);
    }
    if (field->kind == FLSI_SCALAR) {
        return same_scalar_fields(w, &here, field, a, b);
    }
    if (field->kind == FLSI_UNION) {
        return same_union_fields(w, &here, field, &tags, a, b);
    }
    if (a == NULL || b == NULL) {
        return a == b || tell_presence(w, &here, field, a, b);
    }
    if (field->kind == FLSI_STRUCT) {
        return same_structs(w, &here, field->object, a, b);
    }
    if (field->kind == FLSI_UNION_VECTOR) {
        if (tags.a == NULL || tags.b == NULL) {
            return 1; /* not so in a sound message */
        }
        tags.a = flsi_follow(tags.a);
        tags.b = flsi_follow(tags.b);
    }
    return same_references(w, &here, field, &tags, flsi_follow(a), flsi_follow(b));
}

static int same_tables(pair_walk *w, const step *here, uint32_t object, const uint8_t *a,
                       const uint8_t *b)
{
    const flsi_object *type = &w->schema->objects[object];
    const flsi_field *field = w->schema->fields + type->first_field;
    const flsi_field *end = field + type->field_count;
    flsi_table_view a_view = flsi_view_table(a);
    flsi_table_view b_view = flsi_view_table(b);
    for (; field != end; field++) {
        if ((field->flags & FLS_FIELD_DEPRECATED) == 0 &&
            !same_fields(w, here, field, &a_view, &b_view)) {
            return 0;
        }
    }
    return 1;
}

static int same_structs(pair_walk *w, const step *here, uint32_t object, const uint8_t *a,
                        const uint8_t *b)
{
    const flsi_object *type = &w->schema->objects[object];
    const flsi_field *field = w->schema->fields + type->first_field;
    const flsi_field *end = field + type->field_count;
    int is_same = memcmp(a, b, type->bytes) == 0;
    for (; field != end && !is_same; field++) {
        const uint8_t *a_at = a + field->place;
        const uint8_t *b_at = b + field->place;
        step inner = {here, field, UINT64_MAX};
        int goes_on;
        if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
            continue;
        }
        switch ((flsi_kind)field->kind) {
        case FLSI_SCALAR: goes_on = same_scalar_fields(w, &inner, field, a_at, b_at); break;
        case FLSI_STRUCT: goes_on = same_structs(w, &inner, field->object, a_at, b_at); break;
        case FLSI_SCALAR_ARRAY:
            goes_on = same_scalars(w, &inner, field, a_at, b_at, field->length);
            break;
        default: goes_on = same_elements(w, &inner, field, a_at, b_at, field->length); break;
        }
        if (!goes_on) {
            return 0;
        }
    }
    return 1; /* what differs is padding, if anything */
}

/* ---- the call ---- */

static fls_status verify_side(const fls_schema *schema, uint32_t root, const void *payload,
                              size_t size, const char *side, fls_error *err)
{
    fls_violation violation;
    fls_status status = fls_verify(schema, root, payload, size, NULL, &violation);
    if (status == FLS_OK) {
        return FLS_OK;
    }
    (void)fls_violation_to_error(&violation, err);
    if (err != NULL) {
        snprintf(err->name, sizeof err->name, "%s", side);
    }
    return FLS_VALIDATION_FAILED;
}

fls_status fls_message_diff(const fls_schema *schema, uint32_t root, const void *a, size_t a_size,
                            const void *b, size_t b_size, fls_message_difference *difference,
                            fls_error *err)
{
    const step start = {NULL, NULL, UINT64_MAX};
    pair_walk w = {schema, difference};
    memset(difference, 0, sizeof *difference);
    if (root >= schema->object_count || schema->objects[root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the root of a message is a table");
    }
    fls_status status = verify_side(schema, root, a, a_size, "a", err);
    if (status == FLS_OK) {
        status = verify_side(schema, root, b, b_size, "b", err);
    }
    if (status == FLS_OK) {
        (void)same_tables(&w, &start, root, flsi_follow(a), flsi_follow(b));
    }
    return status;
}
