/* Printing a message as JSON: the calls, and the walk over the message along the plan. The message
 * is sound: what is followed here was checked by the verifier.
 */
#include "core/options.h"
#include "flatbuf/json_print_private.h"
#include "flatbuf/message_values.h"

#define FIRST_TEXT_BYTES 1024u

static char *put_table(fls_json_printer *p, char *at, const uint8_t *table, uint32_t object);
static char *put_struct(fls_json_printer *p, char *at, const uint8_t *bytes, uint32_t object);

char *flsi_json_fail(fls_json_printer *p, fls_status status, const char *why)
{
    p->failure = status;
    p->why = why;
    return NULL;
}

char *flsi_json_grow(fls_json_printer *p, const char *at, size_t bytes)
{
    const size_t most = SIZE_MAX / 4;
    size_t used = at == NULL ? 0 : (size_t)(at - p->text);
    if (bytes > most || used > most) {
        return flsi_json_fail(p, FLS_NO_MEMORY, "no memory for the text of a message");
    }
    size_t wanted = used + bytes + FLSI_JSON_SLACK;
    size_t room = 2 * p->text_bytes;
    room = room < FIRST_TEXT_BYTES ? FIRST_TEXT_BYTES : room;
    room = room < wanted ? wanted : room;
    char *text = p->allocator->resize(p->allocator->self, p->text, p->text_bytes, room);
    if (text == NULL) {
        return flsi_json_fail(p, FLS_NO_MEMORY, "no memory for the text of a message");
    }
    p->text = text;
    p->text_bytes = room;
    p->limit = text + room - FLSI_JSON_SLACK;
    return text + used;
}

static char *put_word(fls_json_printer *p, char *at, const char *word)
{
    size_t bytes = strlen(word);
    at = flsi_json_room(p, at, bytes);
    if (at == NULL) {
        return NULL;
    }
    FLSI_COPY(at, word, bytes);
    return at + bytes;
}

/* Puts the braces around the fields printed since `start`: the first one's comma makes room. */
static char *close_object(fls_json_printer *p, char *at, size_t start)
{
    at = flsi_json_room(p, at, 2);
    if (at == NULL) {
        return NULL;
    }
    if (at == p->text + start) {
        at++;
    }
    p->text[start] = '{';
    *at++ = '}';
    return at;
}

/* The same for elements, whose last comma makes room; the opening bracket is there. */
static char *close_array(fls_json_printer *p, char *at, uint32_t count)
{
    if (count != 0) {
        at[-1] = ']';
        return at;
    }
    return put_word(p, at, "]");
}

static char *put_string(fls_json_printer *p, char *at, const uint8_t *string)
{
    return flsi_json_string(p, at, string + 4, flsi_load_le32(string));
}

/* The member of a union that a tag stands for, with a value that is there. */
static char *put_member(fls_json_printer *p, char *at, const flsi_value *member,
                        const uint8_t *value)
{
    switch (member->kind) {
    case FLSI_TABLE: return put_table(p, at, value, member->object);
    case FLSI_STRUCT: return put_struct(p, at, value, member->object);
    case FLSI_STRING: return put_string(p, at, value);
    default: return put_word(p, at, "null");
    }
}

static char *put_union(fls_json_printer *p, char *at, const flsi_json_field *field, uint8_t tag,
                       const uint8_t *reference)
{
    const flsi_value *member = flsi_schema_value(p->schema, field->enumeration, tag);
    if (tag == 0 || member == NULL) {
        return put_word(p, at, "null");
    }
    return put_member(p, at, member, flsi_follow(reference));
}

static char *put_unions(fls_json_printer *p, char *at, const flsi_json_field *field,
                        const flsi_table_view *view, const uint8_t *vector)
{
    const uint8_t *tags = flsi_view_field(view, field->tag_place);
    uint32_t count = flsi_load_le32(vector);
    vector += 4;
    if (tags == NULL || flsi_load_le32(flsi_follow(tags)) < count) {
        count = 0; /* not so in a sound message */
    }
    at = put_word(p, at, "[");
    for (uint32_t i = 0; i < count && at != NULL; i++) {
        uint8_t tag = flsi_follow(tags)[4 + i];
        at = put_union(p, at, field, tag, vector + (size_t)4 * i);
        at = at == NULL ? NULL : put_word(p, at, ",");
    }
    return at == NULL ? NULL : close_array(p, at, count);
}

/* A vector of what takes room of its own. */
static char *put_vector(fls_json_printer *p, char *at, const flsi_json_field *field,
                        const uint8_t *from, uint32_t count)
{
    at = put_word(p, at, "[");
    for (uint32_t i = 0; i < count && at != NULL; i++) {
        switch (field->kind) {
        case FLSI_STRING_VECTOR: at = put_string(p, at, flsi_follow(from)); break;
        case FLSI_TABLE_VECTOR: at = put_table(p, at, flsi_follow(from), field->object); break;
        default: at = put_struct(p, at, from, field->object); break;
        }
        from += field->element_bytes;
        at = at == NULL ? NULL : put_word(p, at, ",");
    }
    return at == NULL ? NULL : close_array(p, at, count);
}

static char *put_nested(fls_json_printer *p, char *at, const flsi_json_field *field,
                        const uint8_t *vector)
{
    if (flsi_load_le32(vector) < 4) {
        return put_word(p, at, "null"); /* not so in a sound message */
    }
    return put_table(p, at, flsi_follow(vector + 4), field->object);
}

/* What stands at a reference in a table. */
static char *put_reference(fls_json_printer *p, char *at, const flsi_json_field *field,
                           const flsi_table_view *view, const uint8_t *to)
{
    switch (field->kind) {
    case FLSI_STRING: return put_string(p, at, to);
    case FLSI_TABLE: return put_table(p, at, to, field->object);
    case FLSI_SCALAR_VECTOR: return flsi_json_scalars(p, at, field, to + 4, flsi_load_le32(to));
    case FLSI_UNION_VECTOR: return put_unions(p, at, field, view, to);
    case FLSI_NESTED: return put_nested(p, at, field, to);
    default: return put_vector(p, at, field, to + 4, flsi_load_le32(to));
    }
}

static char *put_key(fls_json_printer *p, char *at, const flsi_json_field *field)
{
    at = flsi_json_room(p, at, field->room);
    return at == NULL ? NULL : flsi_json_put(at, field->key, field->key_bytes);
}

/* A field that is absent, with its default. */
static char *put_absent(fls_json_printer *p, char *at, const flsi_json_field *field)
{
    at = put_key(p, at, field);
    if (at == NULL) {
        return NULL;
    }
    if (field->kind != FLSI_SCALAR || field->optional) {
        return put_word(p, at, "null");
    }
    uint8_t bytes[8];
    flsi_store_le64(bytes, field->default_bits);
    return flsi_json_scalar(p, at, field, bytes);
}

/* A field of a table. */
static char *put_field(fls_json_printer *p, char *at, const flsi_json_field *field,
                       const flsi_table_view *view)
{
    const uint8_t *from = flsi_view_field(view, field->place);
    uint8_t tag = 0;
    if (field->kind == FLSI_UNION && from != NULL) {
        const uint8_t *tags = flsi_view_field(view, field->tag_place);
        tag = tags == NULL ? 0 : *tags;
        from = tag == 0 ? NULL : from; /* nothing that one could say of it */
    }
    if (from == NULL) {
        return p->with_defaults ? put_absent(p, at, field) : at;
    }
    at = put_key(p, at, field);
    if (at == NULL) {
        return NULL;
    }
    switch (field->kind) {
    case FLSI_SCALAR: return flsi_json_scalar(p, at, field, from);
    case FLSI_STRUCT: return put_struct(p, at, from, field->object);
    case FLSI_UNION: return put_union(p, at, field, tag, from);
    default: return put_reference(p, at, field, view, flsi_follow(from));
    }
}

static char *put_table(fls_json_printer *p, char *at, const uint8_t *table, uint32_t object)
{
    const flsi_json_field *field = p->fields + p->objects[object].first;
    const flsi_json_field *end = field + p->objects[object].count;
    flsi_table_view view = flsi_view_table(table);
    size_t start = (size_t)(at - p->text);
    if (p->depth == FLSI_JSON_MOST_DEPTH) {
        return flsi_json_fail(p, FLS_UNSUPPORTED, "a message nested too deeply to be printed");
    }
    p->depth++;
    for (; field != end && at != NULL; field++) {
        at = put_field(p, at, field, &view);
    }
    p->depth--;
    return at == NULL ? NULL : close_object(p, at, start);
}

static char *put_struct(fls_json_printer *p, char *at, const uint8_t *bytes, uint32_t object)
{
    const flsi_json_field *field = p->fields + p->objects[object].first;
    const flsi_json_field *end = field + p->objects[object].count;
    size_t start = (size_t)(at - p->text);
    for (; field != end && at != NULL; field++) {
        const uint8_t *from = bytes + field->place;
        at = put_key(p, at, field);
        if (at == NULL) {
            return NULL;
        }
        switch (field->kind) {
        case FLSI_SCALAR: at = flsi_json_scalar(p, at, field, from); break;
        case FLSI_STRUCT: at = put_struct(p, at, from, field->object); break;
        case FLSI_SCALAR_ARRAY: at = flsi_json_scalars(p, at, field, from, field->length); break;
        default: at = put_vector(p, at, field, from, field->length); break;
        }
    }
    return at == NULL ? NULL : close_object(p, at, start);
}

/* ---- the calls ---- */

fls_status fls_json_printer_new(fls_json_printer **printer, const fls_schema *schema, uint32_t root,
                                const fls_json_print_options *options, fls_error *err)
{
    fls_json_print_options wanted;
    *printer = NULL;
    fls_status status = flsi_options_read(&wanted, sizeof wanted, options, err);
    if (status != FLS_OK) {
        return status;
    }
    if (root >= schema->object_count || schema->objects[root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the root of a message is a table");
    }
    const fls_allocator *allocator =
        wanted.allocator != NULL ? wanted.allocator : fls_allocator_libc();
    fls_json_printer *p = allocator->resize(allocator->self, NULL, 0, sizeof *p);
    if (p == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a printer");
    }
    memset(p, 0, sizeof *p);
    p->schema = schema;
    p->root = root;
    p->allocator = allocator;
    p->with_defaults = wanted.with_defaults;
    p->is_verified = wanted.is_verified;
    p->numbers_for_enums = wanted.numbers_for_enums;
    if (flsi_json_plan(p) != FLS_OK || flsi_json_grow(p, NULL, FIRST_TEXT_BYTES) == NULL) {
        fls_json_printer_free(p);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a printer");
    }
    *printer = p;
    return FLS_OK;
}

void fls_json_printer_free(fls_json_printer *printer)
{
    if (printer == NULL) {
        return;
    }
    const fls_allocator *allocator = printer->allocator;
    if (printer->text != NULL) {
        allocator->free(allocator->self, printer->text, printer->text_bytes);
    }
    if (printer->plan != NULL) {
        allocator->free(allocator->self, printer->plan, printer->plan_bytes);
    }
    allocator->free(allocator->self, printer, sizeof *printer);
}

fls_status fls_json_print(fls_json_printer *printer, const void *payload, size_t size,
                          const char **text, size_t *text_size, fls_error *err)
{
    const uint8_t *message = payload;
    *text = NULL;
    *text_size = 0;
    if (!printer->is_verified) {
        fls_violation violation;
        fls_status status =
            fls_verify(printer->schema, printer->root, payload, size, NULL, &violation);
        if (status != FLS_OK) {
            return fls_violation_to_error(&violation, err);
        }
    }
    printer->payload_end = message + size;
    printer->depth = 0;
    char *end = put_table(printer, printer->text, flsi_follow(message), printer->root);
    if (end == NULL) {
        return fls_error_set(err, printer->failure, 0, printer->why);
    }
    *text = printer->text;
    *text_size = (size_t)(end - printer->text);
    return FLS_OK;
}
