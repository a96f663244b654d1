/* Fields and enumerators by their names.
 *
 * Keys come in the same order message after message. So each field remembers which one followed it
 * the last time, and the text is compared with that one's name first; only when it is another one
 * is the name read and looked for in a table of all names of the schema (open addressing, at most
 * half full).
 */
#include "flatbuf/json_parse_private.h"

#define NO_UNION UINT32_MAX

/* How many fields behind the expected one are tried before the table is asked. */
#define NEAR 4u

/* A key as it stands in the text, with zeros to a multiple of 8. */
static size_t quoted_bytes(const flsi_field *field)
{
    return ((size_t)field->name_bytes + 2 + 7) & ~(size_t)7;
}

static size_t name_slots(const fls_schema *schema)
{
    size_t slots = 8;
    while (slots < 2 * ((size_t)schema->field_count + schema->value_count)) {
        slots *= 2;
    }
    return slots;
}

size_t flsi_parse_names_bytes(const fls_schema *schema)
{
    size_t bytes = schema->field_count * sizeof(flsi_parse_key) +
                   schema->object_count * sizeof(flsi_parse_object) +
                   name_slots(schema) * sizeof(uint32_t);
    for (uint32_t i = 0; i < schema->field_count; i++) {
        bytes += quoted_bytes(&schema->fields[i]);
    }
    return bytes;
}

/* scope: an object's index, or an enumeration's from the other end. */
static uint32_t hash_name(uint32_t scope, const uint8_t *name, size_t bytes)
{
    uint64_t hash = (uint64_t)scope * UINT64_C(0x9E3779B97F4A7C15) + bytes;
    for (; bytes > 8; bytes -= 8, name += 8) {
        hash = (hash ^ flsi_load_le64(name)) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    hash = (hash ^ flsi_load_le_width(name, (uint32_t)bytes)) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(hash >> 32);
}

static void insert(fls_json_parser *p, uint32_t scope, const char *name, uint32_t bytes,
                   uint32_t index)
{
    uint32_t slot = hash_name(scope, (const uint8_t *)name, bytes);
    while (p->names[slot & p->name_mask] != 0) {
        slot++;
    }
    p->names[slot & p->name_mask] = 1 + index;
}

const flsi_field *flsi_parse_find_field(const fls_json_parser *p, uint32_t object, const void *name,
                                        size_t bytes)
{
    const flsi_object *in = &p->schema->objects[object];
    for (uint32_t slot = hash_name(object, name, bytes);; slot++) {
        uint32_t index = p->names[slot & p->name_mask];
        if (index == 0) {
            return NULL;
        }
        index -= 1;
        if (index >= in->first_field && index - in->first_field < in->field_count) {
            const flsi_field *field = &p->schema->fields[index];
            if (field->name_bytes == bytes && memcmp(field->name, name, bytes) == 0) {
                return field;
            }
        }
    }
}

const flsi_value *flsi_parse_find_value(const fls_json_parser *p, uint32_t enumeration,
                                        const void *name, size_t bytes)
{
    const flsi_enumeration *in = &p->schema->enumerations[enumeration];
    for (uint32_t slot = hash_name(~enumeration, name, bytes);; slot++) {
        uint32_t index = p->names[slot & p->name_mask];
        if (index == 0) {
            return NULL;
        }
        index -= 1 + p->schema->field_count;
        if (index >= in->first_value && index - in->first_value < in->value_count) {
            const flsi_value *value = &p->schema->values[index];
            if (value->name_bytes == bytes && memcmp(value->name, name, bytes) == 0) {
                return value;
            }
        }
    }
}

/* ---- building ---- */

/* Whether the key can be found by comparing: it stands for itself, and may be there. */
static int is_plain(const flsi_field *field)
{
    if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
        return 0;
    }
    for (uint32_t i = 0; i < field->name_bytes; i++) {
        unsigned char c = (unsigned char)field->name[i];
        if (c < ' ' || c >= 0x80 || c == '"' || c == '\\') {
            return 0;
        }
    }
    return 1;
}

/* Returns where the next key's text belongs. */
static uint8_t *build_key(flsi_parse_key *key, const flsi_field *field, uint8_t *text)
{
    size_t room = quoted_bytes(field);
    memset(text, 0, room);
    key->quoted = text;
    key->union_place = NO_UNION;
    key->first = 1; /* which no masked bytes are */
    if (is_plain(field)) {
        memcpy(text, field->name, field->name_bytes);
        text[field->name_bytes] = '"';
        text[field->name_bytes + 1] = ':';
        key->bytes = field->name_bytes + 2;
        key->first = flsi_load_le64(text);
        key->mask = key->bytes >= 8 ? UINT64_MAX : UINT64_MAX >> (64 - 8 * (unsigned)key->bytes);
    }
    return text + room;
}

static void build_object(fls_json_parser *p, uint32_t index)
{
    const flsi_object *object = &p->schema->objects[index];
    flsi_parse_object *own = &p->objects[index];
    uint32_t first = object->first_field;
    own->first = object->field_count == 0 ? FLS_SCHEMA_NONE : first;
    for (uint32_t i = 0; i < object->field_count; i++) {
        const flsi_field *field = &p->schema->fields[first + i];
        flsi_parse_key *key = &p->keys[first + i];
        key->next = i + 1 < object->field_count ? first + i + 1 : FLS_SCHEMA_NONE;
        if (i > 0 && (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR)) {
            key->union_place = own->union_count;
            key[-1].union_place = own->union_count++;
        }
        insert(p, index, field->name, field->name_bytes, first + i);
    }
}

void flsi_parse_names_build(fls_json_parser *p)
{
    const fls_schema *schema = p->schema;
    uint8_t *block = p->block;
    size_t slots = name_slots(schema);
    memset(block, 0, p->block_bytes);
    p->keys = (flsi_parse_key *)(void *)block;
    block += schema->field_count * sizeof *p->keys;
    p->objects = (flsi_parse_object *)(void *)block;
    block += schema->object_count * sizeof *p->objects;
    p->names = (uint32_t *)(void *)block;
    p->name_mask = (uint32_t)slots - 1;
    block += slots * sizeof *p->names;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        block = build_key(&p->keys[i], &schema->fields[i], block);
    }
    for (uint32_t i = 0; i < schema->object_count; i++) {
        build_object(p, i);
    }
    for (uint32_t i = 0; i < schema->enumeration_count; i++) {
        const flsi_enumeration *in = &schema->enumerations[i];
        for (uint32_t k = 0; k < in->value_count; k++) {
            const flsi_value *value = &schema->values[in->first_value + k];
            insert(p, ~i, value->name, value->name_bytes,
                   schema->field_count + in->first_value + k);
        }
    }
}

/* ---- reading ---- */

/* A field or two that were there the last time, or are there at other times, are absent: the key is
 * one of the next. */
static const flsi_field *find_near(const fls_json_parser *p, const uint8_t *at, uint32_t object,
                                   uint32_t guess)
{
    const flsi_object *in = &p->schema->objects[object];
    uint32_t stop = in->first_field + in->field_count;
    for (uint32_t i = 1; i <= NEAR && guess < stop && i < stop - guess; i++) {
        if (flsi_parse_is_key(at, &p->keys[guess + i])) {
            return &p->schema->fields[guess + i];
        }
    }
    return NULL;
}

FLSI_NOINLINE const uint8_t *flsi_parse_key_slow(fls_json_parser *p, const uint8_t *at,
                                                 uint32_t object, uint32_t guess,
                                                 flsi_parse_frame *frame, const flsi_field **field)
{
    const uint8_t *name = at;
    const uint8_t *next = at;
    size_t bytes;
    frame->name = "";
    frame->number = 0;
    if (*at == '"' && (*field = find_near(p, at + 1, object, guess)) != NULL) {
        flsi_parse_name(frame, *field);
        return flsi_parse_space(at + 1 + (*field)->name_bytes + 2);
    }
    if (*at == '"') {
        next = flsi_parse_string(p, at + 1, &name, &bytes);
        if (next == NULL) {
            return NULL;
        }
    } else {
        next = p->lenient ? flsi_parse_bare_name(at) : at;
        bytes = (size_t)(next - at);
        if (bytes == 0) {
            return flsi_parse_unexpected(p, at, "not a key in quotes");
        }
    }
    frame->name = (const char *)name;
    frame->number = bytes;
    *field = flsi_parse_find_field(p, object, name, bytes);
    if (*field != NULL) {
        flsi_parse_name(frame, *field);
    } else if (!p->lenient) {
        return flsi_parse_fail(p, at, "a field that the schema does not have");
    }
    next = flsi_parse_space(next);
    if (*next != ':') {
        return flsi_parse_unexpected(p, next, "a key without a colon");
    }
    next = flsi_parse_space(next + 1);
    if (*field == NULL) {
        frame->name = ""; /* it may lie on the stack */
        frame->number = 0;
    } else if ((*field)->flags & FLS_FIELD_DEPRECATED) {
        *field = p->lenient ? NULL : *field;
        return p->lenient ? next : flsi_parse_fail(p, at, "a deprecated field");
    }
    return next;
}
