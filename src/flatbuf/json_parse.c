/* The calls of the JSON parser: its memory, and one text from beginning to end. */
#include "flatbuf/builder_private.h"
#include "flatbuf/json_parse_private.h"

#include "core/options.h"

#define DEFAULT_DEPTH 64u
#define MOST_DEPTH    512u /* as the verifier's */

/* A failure of the builder is memory's, or the text asks for more than a message can have. */
const uint8_t *flsi_parse_fail_builder(fls_json_parser *p, const uint8_t *at)
{
    fls_status status =
        p->builder->status == FLS_INVALID_ARGUMENT ? FLS_VALIDATION_FAILED : p->builder->status;
    const char *why = p->builder->why;
    return flsi_parse_fail_status(p, at, status, why != NULL ? why : "a message that cannot be");
}

/* ---- new and free ---- */

/* What a message of this schema can ask for at most. */
static uint32_t largest_alignment(const fls_schema *schema)
{
    uint32_t largest = 8;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const flsi_field *field = &schema->fields[i];
        largest = field->alignment > largest ? field->alignment : largest;
        largest = field->content_alignment > largest ? field->content_alignment : largest;
    }
    for (uint32_t i = 0; i < schema->object_count; i++) {
        const flsi_object *object = &schema->objects[i];
        largest = object->is_struct && object->alignment > largest ? object->alignment : largest;
    }
    return largest < FLSI_BLOCK_ALIGN ? largest : FLSI_BLOCK_ALIGN; /* more cannot be built */
}

static void set_identifier(fls_json_parser *p, const char *identifier)
{
    if (identifier == NULL && p->root == p->schema->root && p->schema->identifier[0] != '\0') {
        identifier = p->schema->identifier;
    }
    if (identifier != NULL) {
        memcpy(p->identifier_bytes, identifier, 4);
        p->identifier = p->identifier_bytes;
    }
}

static fls_status take_block(fls_json_parser *p)
{
    size_t names = (flsi_parse_names_bytes(p->schema) + 15) & ~(size_t)15;
    p->block_bytes = names + (p->max_depth + 1) * sizeof(void *);
    p->block = p->allocator->resize(p->allocator->self, NULL, 0, p->block_bytes);
    if (p->block == NULL) {
        return FLS_NO_MEMORY;
    }
    flsi_parse_names_build(p);
    p->builders = (fls_builder **)(void *)((uint8_t *)p->block + names);
    fls_status status = fls_builder_new(&p->builders[0], p->allocator, NULL);
    p->level_count = status == FLS_OK;
    return status;
}

fls_status fls_json_parser_new(fls_json_parser **parser, const fls_schema *schema, uint32_t root,
                               const fls_json_parse_options *options, fls_error *err)
{
    fls_json_parse_options wanted;
    *parser = NULL;
    fls_status status = flsi_options_read(&wanted, sizeof wanted, options, err);
    if (status != FLS_OK) {
        return status;
    }
    if (root >= schema->object_count || schema->objects[root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the root of JSON is not a table");
    }
    if (wanted.max_depth > MOST_DEPTH) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a depth of JSON of more than 512");
    }
    const fls_allocator *from = wanted.allocator != NULL ? wanted.allocator : fls_allocator_libc();
    fls_json_parser *p = from->resize(from->self, NULL, 0, sizeof *p);
    if (p == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a JSON parser");
    }
    memset(p, 0, sizeof *p);
    p->schema = schema;
    p->root = root;
    p->allocator = from;
    p->lenient = wanted.lenient;
    p->with_defaults = wanted.with_defaults;
    p->max_depth = wanted.max_depth != 0 ? wanted.max_depth : DEFAULT_DEPTH;
    p->message_alignment = largest_alignment(schema);
    set_identifier(p, wanted.identifier);
    if (take_block(p) != FLS_OK) {
        fls_json_parser_free(p);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a JSON parser");
    }
    *parser = p;
    return FLS_OK;
}

static void give(const fls_json_parser *p, void *memory, size_t bytes)
{
    if (memory != NULL) {
        p->allocator->free(p->allocator->self, memory, bytes);
    }
}

void fls_json_parser_free(fls_json_parser *parser)
{
    if (parser == NULL) {
        return;
    }
    for (uint32_t i = 0; i < parser->level_count; i++) {
        fls_builder_free(parser->builders[i]);
    }
    give(parser, parser->text, parser->text_bytes);
    give(parser, parser->stack, parser->stack_bytes);
    give(parser, parser->block, parser->block_bytes);
    give(parser, parser, sizeof *parser);
}

/* ---- errors ---- */

/* A text of bounded size, always with a zero behind it. */
typedef struct line {
    char *text;
    size_t room;
    size_t bytes;
} line;

static void append(line *to, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && to->bytes + 1 < to->room; i++) {
        to->text[to->bytes++] = text[i];
    }
    to->text[to->bytes] = '\0';
}

static void append_number(line *to, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    append(to, digits + first, sizeof digits - first);
}

/* "orders[3].price: not a number, at line 1, column 42"; a path for which there is no room loses
 * its middle. */
static void describe(const fls_json_error *where, line *to)
{
    char tail[80];
    line end = {tail, sizeof tail, 0};
    append(&end, ", at line ", 10);
    append_number(&end, where->line);
    append(&end, ", column ", 9);
    append_number(&end, where->column);
    size_t path = strlen(where->path);
    size_t rest = strlen(where->reason) + end.bytes + 3; /* ": " and the zero */
    size_t room = to->room > rest + 20 ? to->room - rest : 20;
    if (path > room) {
        size_t half = (room - 3) / 2;
        append(to, where->path, half);
        append(to, "...", 3);
        append(to, where->path + path - half, half);
    } else {
        append(to, where->path, path);
    }
    append(to, ": ", path != 0 ? 2 : 0);
    append(to, where->reason, strlen(where->reason));
    append(to, tail, end.bytes);
}

static void locate(const fls_json_parser *p, fls_json_error *where)
{
    const uint8_t *start = p->text;
    where->line = 1;
    for (const uint8_t *at = p->text; at < p->at; at++) {
        if (*at == '\n') {
            where->line++;
            start = at + 1;
        }
    }
    where->offset = (uint64_t)(p->at - p->text);
    where->column = (uint64_t)(p->at - start) + 1;
    where->reason = p->reason;
    memcpy(where->path, p->path, sizeof where->path);
}

static fls_status report(const fls_json_parser *p, fls_json_error *where, fls_error *err)
{
    fls_json_error here;
    char text[sizeof err->text];
    line to = {text, sizeof text, 0};
    if (p->status != FLS_VALIDATION_FAILED) {
        return fls_error_set(err, p->status, 0, p->reason);
    }
    locate(p, &here);
    describe(&here, &to);
    if (where != NULL) {
        *where = here;
    }
    return fls_error_set(err, FLS_VALIDATION_FAILED, 0, text);
}

/* ---- parsing ---- */

static fls_status copy_text(fls_json_parser *p, const char *text, size_t bytes)
{
    if (bytes > SIZE_MAX / 2 - FLSI_PARSE_PADDING) {
        return FLS_NO_MEMORY;
    }
    size_t needed = bytes + FLSI_PARSE_PADDING;
    if (needed > p->text_bytes) {
        size_t room = needed < 2 * p->text_bytes ? 2 * p->text_bytes : needed;
        give(p, p->text, p->text_bytes);
        p->text = p->allocator->resize(p->allocator->self, NULL, 0, room);
        p->text_bytes = p->text != NULL ? room : 0;
        if (p->text == NULL) {
            return FLS_NO_MEMORY;
        }
    }
    if (bytes != 0) {
        memcpy(p->text, text, bytes);
    }
    memset(p->text + bytes, 0, FLSI_PARSE_PADDING);
    p->end = p->text + bytes;
    return FLS_OK;
}

static void start(fls_json_parser *p)
{
    p->builder = p->builders[0];
    p->level = 0;
    p->frame = NULL;
    p->used = 0;
    p->depth = 0;
    p->struct_depth = 0;
    fls_builder_reset(p->builder);
}

static const uint8_t *parse(fls_json_parser *p, fls_ref *root)
{
    if (p->lenient) {
        flsi_parse_blank_comments(p->text);
    }
    const uint8_t *at = flsi_parse_table(p, flsi_parse_space(p->text), p->root, root);
    if (at == NULL) {
        return NULL;
    }
    at = flsi_parse_space(at);
    return at == p->end ? at : flsi_parse_fail(p, at, "more text behind the object");
}

fls_status fls_json_parse(fls_json_parser *parser, const char *text, size_t text_size,
                          const void **payload, size_t *size, fls_json_error *where, fls_error *err)
{
    fls_json_parser *p = parser;
    fls_ref root;
    *payload = NULL;
    *size = 0;
    if (where != NULL) {
        memset(where, 0, sizeof *where);
        where->reason = "";
    }
    if (copy_text(p, text, text_size) != FLS_OK) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a text of JSON");
    }
    start(p);
    if (parse(p, &root) == NULL) {
        return report(p, where, err);
    }
    fls_status status = fls_builder_finish(p->builder, root, p->identifier, payload, size, err);
    if (status == FLS_INVALID_ARGUMENT) {
        (void)flsi_parse_fail(p, p->end, "a message of 2^31 bytes or more");
        return report(p, where, err);
    }
    return status;
}
