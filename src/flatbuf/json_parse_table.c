/* Tables and unions.
 *
 * A union's type may come after its value. The value is then passed over, and read once the type is
 * there: text under n such unions is looked at n + 1 times, and n is at most the depth.
 */
#include "flatbuf/builder_private.h"
#include "flatbuf/json_parse_private.h"

/* The state of a union: what is known in the two low bits, and above them the tag, or where the
 * value (of a vector: the tags' entry) is. */
enum { UNION_NOTHING = 0, UNION_TAGGED = 1, UNION_WAITING = 2, UNION_DONE = 3 };

/* A table that is open. Offsets are of the stack. */
typedef struct open_table {
    flsi_parse_frame frame;
    const flsi_object *object;
    uint32_t *guess;
    uint32_t index;
    uint32_t alignments; /* of all entries, or-ed */
    uint32_t half;       /* unions of which there is only the type, or only the value */
    uint64_t seen;       /* fields, by id, when there are at most 64 */
    size_t many_seen;    /* else */
    size_t unions;
    size_t entries;
} open_table;

const uint8_t *flsi_parse_text(fls_json_parser *p, const uint8_t *at, fls_ref *ref)
{
    const uint8_t *text;
    size_t bytes;
    if (FLSI_UNLIKELY(*at != '"')) {
        return flsi_parse_unexpected(p, at, "not a string");
    }
    const uint8_t *next = flsi_parse_string(p, at + 1, &text, &bytes);
    if (FLSI_UNLIKELY(next == NULL)) {
        return NULL;
    }
    *ref = fls_builder_string(p->builder, (const char *)text, bytes);
    return FLS_LIKELY(ref->position != 0) ? next : flsi_parse_fail_builder(p, at);
}

/* ---- entries ---- */

FLSI_ALWAYS_INLINE int push_entry(fls_json_parser *p, open_table *table, const flsi_field *field,
                                  uint64_t bits, const uint8_t *at)
{
    flsi_parse_entry entry = {(uint32_t)(field - p->schema->fields), 0, bits};
    if (!flsi_parse_ensure(p, sizeof entry, at)) {
        return 0;
    }
    memcpy(p->stack + p->used, &entry, sizeof entry);
    p->used += sizeof entry;
    table->alignments |= field->alignment;
    return 1;
}

/* An entry with bytes behind it, which are zero. Returns their place, 0 after a failure. */
static size_t push_bytes(fls_json_parser *p, open_table *table, const flsi_field *field,
                         size_t bytes, const uint8_t *at)
{
    size_t room = (bytes + 15) & ~(size_t)15;
    flsi_parse_entry entry = {(uint32_t)(field - p->schema->fields), (uint32_t)room, 0};
    if (!flsi_parse_ensure(p, sizeof entry + room, at)) {
        return 0;
    }
    uint8_t *to = p->stack + p->used;
    memcpy(to, &entry, sizeof entry);
    memset(to + sizeof entry, 0, room);
    size_t place = p->used + sizeof entry;
    p->used = place + room;
    table->alignments |= field->alignment;
    return place;
}

static int was_seen(fls_json_parser *p, open_table *table, uint32_t id)
{
    if (FLS_LIKELY(table->object->field_count <= 64)) {
        int seen = (int)(table->seen >> id & 1);
        table->seen |= UINT64_C(1) << id;
        return seen;
    }
    uint8_t *byte = p->stack + table->many_seen + id / 8;
    int seen = *byte >> (id % 8) & 1;
    *byte |= (uint8_t)(1u << (id % 8));
    return seen;
}

/* ---- unions ---- */

static size_t union_place(const fls_json_parser *p, const open_table *table,
                          const flsi_field *field)
{
    return table->unions + 8 * (size_t)p->keys[field - p->schema->fields].union_place;
}

static uint64_t union_state(const fls_json_parser *p, size_t place)
{
    uint64_t state;
    memcpy(&state, p->stack + place, sizeof state);
    return state;
}

static void set_union(fls_json_parser *p, size_t place, uint64_t known, uint64_t value)
{
    uint64_t state = known | value << 2;
    memcpy(p->stack + place, &state, sizeof state);
}

/* A struct in a union stands on its own, behind a reference. */
static const uint8_t *union_struct(fls_json_parser *p, const uint8_t *at, uint32_t index,
                                   fls_ref *ref)
{
    const flsi_object *object = &p->schema->objects[index];
    size_t place = p->used;
    if (!flsi_parse_ensure(p, object->bytes, at)) {
        return NULL;
    }
    memset(p->stack + place, 0, object->bytes);
    p->used = place + object->bytes;
    const uint8_t *next = flsi_parse_struct(p, at, index, place);
    if (next == NULL) {
        return NULL;
    }
    *ref =
        fls_builder_struct_object(p->builder, p->stack + place, object->bytes, object->alignment);
    p->used = place;
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}

const uint8_t *flsi_parse_union(fls_json_parser *p, const uint8_t *at, uint32_t enumeration,
                                uint8_t tag, fls_ref *ref)
{
    const flsi_value *member = flsi_schema_value(p->schema, enumeration, tag);
    if (member == NULL || member->kind == 0) {
        return flsi_parse_fail(p, at,
                               member == NULL ? "a value of a union member that is not known"
                                              : "a value of a union whose type is NONE");
    }
    switch ((flsi_kind)member->kind) {
    case FLSI_TABLE: return flsi_parse_table(p, at, member->object, ref);
    case FLSI_STRUCT: return union_struct(p, at, member->object, ref);
    default: return flsi_parse_text(p, at, ref);
    }
}

/* A union's value, or a vector of unions, whose tags have been read. */
static const uint8_t *tagged_value(fls_json_parser *p, open_table *table, const uint8_t *at,
                                   const flsi_field *field)
{
    size_t place = union_place(p, table, field);
    size_t tag = (size_t)(union_state(p, place) >> 2);
    fls_ref ref = {0};
    set_union(p, place, UNION_DONE, 0);
    table->half--;
    if (field->kind == FLSI_UNION) {
        at = flsi_parse_union(p, at, field->enumeration, (uint8_t)tag, &ref);
    } else {
        flsi_parse_entry entry;
        memcpy(&entry, p->stack + tag, sizeof entry);
        at = flsi_parse_unions(p, at, field, tag + sizeof entry, (size_t)(entry.bits >> 32), &ref);
    }
    return at != NULL && push_entry(p, table, field, ref.position, at) ? at : NULL;
}

static const uint8_t *union_value(fls_json_parser *p, open_table *table, const uint8_t *at,
                                  const flsi_field *field)
{
    size_t place = union_place(p, table, field);
    if ((union_state(p, place) & 3) == UNION_TAGGED) {
        return tagged_value(p, table, at, field);
    }
    set_union(p, place, UNION_WAITING, (uint64_t)(at - p->text));
    table->half++;
    return flsi_parse_skip(p, at);
}

/* The tag is known; what waited for it is read now. tag: as in the state. `at` is behind it. */
static const uint8_t *union_tag(fls_json_parser *p, open_table *table, const uint8_t *at,
                                const flsi_field *field, size_t tag)
{
    size_t place = union_place(p, table, field);
    uint64_t state = union_state(p, place);
    set_union(p, place, UNION_TAGGED, tag);
    if (FLS_LIKELY((state & 3) != UNION_WAITING)) {
        table->half++;
        return at;
    }
    flsi_parse_name(&table->frame, field + 1);
    return tagged_value(p, table, p->text + (state >> 2), field + 1) != NULL ? at : NULL;
}

/* The tags of a vector of unions stay on the stack until the table is closed, with their count in
 * the upper half of the entry's bits. */
static const uint8_t *tag_vector(fls_json_parser *p, open_table *table, const uint8_t *at,
                                 const flsi_field *field)
{
    size_t place = push_bytes(p, table, field, 0, at);
    size_t count;
    const uint8_t *next;
    if (place == 0) {
        return NULL;
    }
    if (*at != '[') {
        return flsi_parse_unexpected(p, at, "not an array in brackets");
    }
    next = flsi_parse_scalars(p, at + 1, field, &count);
    if (next == NULL) {
        return NULL;
    }
    fls_ref ref = fls_builder_vector(p->builder, p->stack + place, count, 1);
    if (ref.position == 0) {
        return flsi_parse_fail_builder(p, at);
    }
    size_t room = (count + 15) & ~(size_t)15;
    if (!flsi_parse_ensure(p, room - count, at)) {
        return NULL;
    }
    p->used = place + room;
    flsi_parse_entry entry = {(uint32_t)(field - p->schema->fields), (uint32_t)room,
                              (uint64_t)count << 32 | ref.position};
    memcpy(p->stack + place - sizeof entry, &entry, sizeof entry);
    return union_tag(p, table, next, field, place - sizeof entry);
}

/* ---- fields ---- */

/* A .bfbs has 0 for the default of a ulong that is above INT64_MAX; so zero may not be the default.
 */
static int is_stored(const fls_json_parser *p, const flsi_field *field, uint64_t bits)
{
    return bits != field->default_bits || (field->flags & FLS_FIELD_OPTIONAL) != 0 ||
           p->with_defaults || (field->type == FLS_TYPE_U64 && bits == 0);
}

static const uint8_t *scalar_field(fls_json_parser *p, open_table *table, const uint8_t *at,
                                   const flsi_field *field)
{
    uint64_t bits;
    const uint8_t *next =
        flsi_parse_scalar(p, at, (fls_type)field->type, field->enumeration, &bits);
    if (FLSI_UNLIKELY(next == NULL)) {
        return NULL;
    }
    if (is_stored(p, field, bits) && !push_entry(p, table, field, bits, at)) {
        return NULL;
    }
    return FLSI_UNLIKELY(field->type == FLS_TYPE_UNION_TAG)
               ? union_tag(p, table, next, field, (uint8_t)bits)
               : next;
}

static const uint8_t *struct_field(fls_json_parser *p, open_table *table, const uint8_t *at,
                                   const flsi_field *field)
{
    size_t place = push_bytes(p, table, field, field->bytes, at);
    return place != 0 ? flsi_parse_struct(p, at, field->object, place) : NULL;
}

static const uint8_t *reference_field(fls_json_parser *p, open_table *table, const uint8_t *at,
                                      const flsi_field *field)
{
    fls_ref ref = {0};
    switch ((flsi_kind)field->kind) {
    case FLSI_STRING: at = flsi_parse_text(p, at, &ref); break;
    case FLSI_TABLE: at = flsi_parse_table(p, at, field->object, &ref); break;
    case FLSI_NESTED: at = flsi_parse_nested(p, at, field, &ref); break;
    default: at = flsi_parse_vector(p, at, field, &ref); break;
    }
    return at != NULL && push_entry(p, table, field, ref.position, at) ? at : NULL;
}

static const uint8_t *null_field(fls_json_parser *p, const uint8_t *at, const flsi_field *field)
{
    if ((field->flags & FLS_FIELD_REQUIRED) != 0) {
        return flsi_parse_fail(p, at, "a required field is null");
    }
    return at + 4;
}

static const uint8_t *read_field(fls_json_parser *p, open_table *table, const uint8_t *at,
                                 const flsi_field *field)
{
    if (FLSI_UNLIKELY(*at == 'n') && flsi_parse_is_null(at)) {
        return null_field(p, at, field);
    }
    switch ((flsi_kind)field->kind) {
    case FLSI_SCALAR: return scalar_field(p, table, at, field);
    case FLSI_STRUCT: return struct_field(p, table, at, field);
    case FLSI_UNION:
    case FLSI_UNION_VECTOR: return union_value(p, table, at, field);
    case FLSI_SCALAR_VECTOR:
        return field->type == FLS_TYPE_UNION_TAG ? tag_vector(p, table, at, field)
                                                 : reference_field(p, table, at, field);
    default: return reference_field(p, table, at, field);
    }
}

/* ---- the table as a whole ---- */

static const uint8_t *open_it(fls_json_parser *p, const uint8_t *at, uint32_t index,
                              open_table *table)
{
    const flsi_object *object = &p->schema->objects[index];
    flsi_parse_enter(p, &table->frame);
    if (FLSI_UNLIKELY(*at != '{')) {
        return flsi_parse_unexpected(p, at, "not an object in braces");
    }
    if (FLSI_UNLIKELY(++p->depth > p->max_depth)) {
        return flsi_parse_fail(p, at, "tables nested too deeply");
    }
    table->object = object;
    table->index = index;
    table->guess = &p->objects[index].first;
    table->alignments = 0;
    table->half = 0;
    table->seen = 0;
    table->many_seen = p->used;
    size_t seen = object->field_count <= 64 ? 0 : ((size_t)object->field_count + 7) / 8;
    size_t unions = 8 * (size_t)p->objects[index].union_count;
    if (FLSI_UNLIKELY(seen + unions != 0)) {
        if (!flsi_parse_ensure(p, seen + unions, at)) {
            return NULL;
        }
        memset(p->stack + p->used, 0, seen + unions);
    }
    table->unions = p->used + seen;
    table->entries = table->unions + unions;
    p->used = table->entries;
    return flsi_parse_space(at + 1);
}

/* A type without its value is sound only where the generated verifiers take it for that: not if the
 * value is a struct or a vector. */
static const uint8_t *check_union(fls_json_parser *p, const open_table *table, const uint8_t *at,
                                  const flsi_field *field)
{
    uint64_t state = union_state(p, union_place(p, table, field));
    if ((state & 3) == UNION_WAITING) {
        return flsi_parse_fail(p, p->text + (state >> 2), "a union without its type");
    }
    if ((state & 3) == UNION_TAGGED) {
        const flsi_value *member = NULL;
        if (field->kind == FLSI_UNION) {
            member = flsi_schema_value(p->schema, field->enumeration, (int64_t)(state >> 2));
        }
        if (field->kind == FLSI_UNION_VECTOR || (member != NULL && member->kind == FLSI_STRUCT)) {
            return flsi_parse_fail(p, at, "a union's type without its value");
        }
    }
    return at;
}

/* What must be there but is not. `at` is the closing brace. */
static const uint8_t *check_complete(fls_json_parser *p, open_table *table, const uint8_t *at)
{
    for (uint32_t i = 0; i < table->object->field_count; i++) {
        const flsi_field *field = &p->schema->fields[table->object->first_field + i];
        flsi_parse_name(&table->frame, field);
        if ((field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) &&
            check_union(p, table, at, field) == NULL) {
            return NULL;
        }
        if ((field->flags & FLS_FIELD_REQUIRED) != 0 && !was_seen(p, table, i)) {
            return flsi_parse_fail(p, at, "a required field is missing");
        }
    }
    return at;
}

static void put_entry(fls_json_parser *p, fls_table to, const flsi_field *field,
                      const flsi_parse_entry *entry, const uint8_t *bytes)
{
    fls_builder *b = p->builder;
    if (field->kind == FLSI_STRUCT) {
        fls_builder_struct(b, to, field->id, bytes, field->bytes, field->alignment);
    } else if (field->kind != FLSI_SCALAR) {
        fls_builder_ref(b, to, field->id, (fls_ref){(uint32_t)entry->bits});
    } else {
        switch (field->bytes) {
        case 1: fls_builder_u8(b, to, field->id, (uint8_t)entry->bits); break;
        case 2: fls_builder_u16(b, to, field->id, (uint16_t)entry->bits); break;
        case 4: fls_builder_u32(b, to, field->id, (uint32_t)entry->bits); break;
        default: fls_builder_u64(b, to, field->id, entry->bits); break;
        }
    }
}

/* The largest alignment first, so that little padding is needed. */
static fls_ref build(fls_json_parser *p, const open_table *table)
{
    fls_table to = fls_builder_table(p->builder, table->object->field_count);
    uint32_t left = table->alignments;
    for (uint32_t alignment = FLSI_SCHEMA_ALIGN_MOST; left != 0; alignment >>= 1) {
        if ((left & alignment) == 0) {
            continue;
        }
        left -= alignment;
        for (size_t place = table->entries; place < p->used;) {
            flsi_parse_entry entry;
            memcpy(&entry, p->stack + place, sizeof entry);
            const flsi_field *field = &p->schema->fields[entry.field];
            place += sizeof entry;
            if (field->alignment == alignment) {
                put_entry(p, to, field, &entry, p->stack + place);
            }
            place += entry.bytes;
        }
    }
    return fls_builder_end(p->builder, to);
}

const uint8_t *flsi_parse_table(fls_json_parser *p, const uint8_t *at, uint32_t index, fls_ref *ref)
{
    open_table table;
    at = open_it(p, at, index, &table);
    if (at == NULL) {
        return NULL;
    }
    int more = *at != '}';
    at += !more;
    while (more > 0) {
        const flsi_field *field;
        const uint8_t *key = at;
        at = flsi_parse_member(p, at, index, &table.guess, &table.frame, &field);
        if (FLS_LIKELY(at != NULL && field != NULL)) {
            if (FLSI_UNLIKELY(was_seen(p, &table, field->id))) {
                return flsi_parse_fail(p, key, "a key that was there before");
            }
            at = read_field(p, &table, at, field);
        } else if (at != NULL) {
            at = flsi_parse_skip(p, at);
        }
        if (FLSI_UNLIKELY(at == NULL)) {
            return NULL;
        }
        more = flsi_parse_more(p, &at, '}');
    }
    if (more < 0 || ((table.half != 0 || table.object->has_required) &&
                     check_complete(p, &table, at - 1) == NULL)) {
        return NULL;
    }
    *ref = build(p, &table);
    if (FLSI_UNLIKELY(ref->position == 0)) {
        return flsi_parse_fail_builder(p, at - 1);
    }
    p->used = table.many_seen;
    p->depth--;
    flsi_parse_leave(p, &table.frame);
    return at;
}
