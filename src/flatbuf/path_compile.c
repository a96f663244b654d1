/* Paths to steps, by the schema; and what every compiler of queries needs: its memory, its errors,
 * words and what they may have been meant to be.
 */
#include <stdarg.h>
#include <stdio.h>

#include "flatbuf/characters.h"
#include "flatbuf/query_private.h"

/* ---- memory ---- */

/* Cuts a block into arrays; with block NULL only counts. */
static size_t lay_out(flsi_program *program, char *block, size_t head_bytes, size_t room)
{
    size_t at = (head_bytes + 15) / 16 * 16;
    size_t places[7];
    const size_t entries[7] = {sizeof(flsi_step), sizeof(flsi_path),  sizeof(flsi_loop),
                               sizeof(flsi_op),   sizeof(flsi_range), sizeof(flsi_text_range),
                               sizeof(char)};
    for (size_t i = 0; i < 7; i++) {
        places[i] = at;
        at = (at + entries[i] * room + 15) / 16 * 16;
    }
    if (block != NULL) {
        program->steps = (void *)(block + places[0]);
        program->paths = (void *)(block + places[1]);
        program->loops = (void *)(block + places[2]);
        program->ops = (void *)(block + places[3]);
        program->ranges = (void *)(block + places[4]);
        program->texts = (void *)(block + places[5]);
        program->pool = block + places[6];
    }
    return at;
}

fls_status flsi_query_begin(flsi_compiler *compiler, void **object, size_t head_bytes,
                            const fls_schema *schema, uint32_t root, const char *text,
                            const fls_allocator *allocator, fls_error *err)
{
    memset(compiler, 0, sizeof *compiler);
    if (schema == NULL || text == NULL || root >= schema->object_count ||
        schema->objects[root].is_struct) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no schema, text, or root table");
    }
    size_t size = strlen(text);
    if (size > FLS_QUERY_MOST_BYTES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a query of more than 65536 bytes");
    }
    allocator = allocator != NULL ? allocator : fls_allocator_libc();
    /* No byte of the text makes more than two entries of an array, but for the first and last. */
    size_t room = 2 * size + 8;
    size_t bytes = lay_out(NULL, NULL, head_bytes, room);
    char *block = allocator->resize(allocator->self, NULL, 0, bytes);
    if (block == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a query");
    }
    flsi_program *program = (void *)block;
    memset(block, 0, head_bytes);
    (void)lay_out(program, block, head_bytes, room);
    program->allocator = allocator;
    program->block_bytes = bytes;
    compiler->schema = schema;
    compiler->root = root;
    compiler->text = text;
    compiler->next = text;
    compiler->end = text + size;
    compiler->program = program;
    compiler->room = (uint32_t)room;
    compiler->err = err;
    *object = block;
    return FLS_OK;
}

void flsi_query_free(flsi_program *program)
{
    const fls_allocator *allocator = program->allocator;
    allocator->free(allocator->self, program, program->block_bytes);
}

/* ---- errors and words ---- */

int flsi_query_fail(flsi_compiler *compiler, fls_status status, const char *at, const char *format,
                    ...)
{
    if (compiler->status != FLS_OK) {
        return 0;
    }
    char text[sizeof compiler->err->text];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    compiler->status = fls_error_set(compiler->err, status, 0, text);
    if (compiler->err != NULL) {
        compiler->err->known = FLS_ERROR_OFFSET;
        compiler->err->offset = (uint64_t)(at - compiler->text);
    }
    return 0;
}

size_t flsi_query_word(const flsi_compiler *compiler, const char *at)
{
    const char *end = at;
    while (end < compiler->end && (flsi_is_letter(*end) || (end > at && flsi_is_digit(*end)))) {
        end++;
    }
    return (size_t)(end - at);
}

void flsi_query_blanks(flsi_compiler *compiler)
{
    while (compiler->next < compiler->end &&
           (*compiler->next == ' ' || (*compiler->next >= '\t' && *compiler->next <= '\r'))) {
        compiler->next++;
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Letters to insert, remove or change to make one word of the other, upper or lower case the same
 * (Levenshtein). */
static size_t distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    enum { LONGEST = 48 };
    size_t row[LONGEST + 1];
    if (a_bytes > LONGEST || b_bytes > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_bytes];
}

typedef struct nearness {
    const char *name;
    size_t distance;
} nearness;

static void consider(nearness *best, const char *name, size_t name_bytes, const char *word,
                     size_t bytes)
{
    size_t apart = distance(word, bytes, name, name_bytes);
    if (apart < best->distance && apart < name_bytes) {
        best->name = name;
        best->distance = apart;
    }
}

const char *flsi_query_near_field(const flsi_compiler *compiler, uint32_t object, const char *name,
                                  size_t bytes)
{
    const flsi_object *in = &compiler->schema->objects[object];
    nearness best = {NULL, bytes < 4 ? 2 : 3};
    for (uint32_t i = 0; i < in->field_count; i++) {
        const flsi_field *field = &compiler->schema->fields[in->first_field + i];
        /* One that was not found before is taken for none at all.
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        if (!(field->flags & FLS_FIELD_DEPRECATED)) {
            consider(&best, field->name, field->name_bytes, name, bytes);
        }
    }
    return best.name;
}

const char *flsi_query_near_value(const flsi_compiler *compiler, uint32_t enumeration,
                                  const char *name, size_t bytes)
{
    const flsi_enumeration *in = &compiler->schema->enumerations[enumeration];
    nearness best = {NULL, bytes < 4 ? 2 : 3};
    for (uint32_t i = 0; i < in->value_count; i++) {
        const flsi_value *value = &compiler->schema->values[in->first_value + i];
        consider(&best, value->name, value->name_bytes, name, bytes);
    }
    return best.name;
}

/* "there is no field 'prise' in market.Order; did you mean 'price'?" */
static int fail_unknown(flsi_compiler *compiler, const char *at, size_t bytes, const char *what,
                        const char *in, const char *near)
{
    int shown = bytes < 48 ? (int)bytes : 48;
    if (near != NULL) {
        return flsi_query_fail(compiler, FLS_UNSUPPORTED, at,
                               "there is no %s '%.*s' in %s; did you mean '%s'?", what, shown, at,
                               in, near);
    }
    return flsi_query_fail(compiler, FLS_UNSUPPORTED, at, "there is no %s '%.*s' in %s", what,
                           shown, at, in);
}

/* ---- steps ---- */

static void push(flsi_compiler *compiler, flsi_step step)
{
    flsi_program *program = compiler->program;
    if (program->step_count == compiler->room) {
        flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next, "too long");
        return;
    }
    program->steps[program->step_count++] = step;
}

static void push_field(flsi_compiler *compiler, uint32_t place, uint32_t bytes)
{
    push(compiler, (flsi_step){.code = FLSI_STEP_FIELD, .place = place, .bytes = bytes});
}

static void push_follow(flsi_compiler *compiler, uint32_t bytes)
{
    push(compiler, (flsi_step){.code = FLSI_STEP_FOLLOW, .bytes = bytes});
}

static void push_member(flsi_compiler *compiler, uint32_t bytes)
{
    push(compiler, (flsi_step){.code = FLSI_STEP_MEMBER, .place = bytes});
}

static void stand_on(flsi_stand *stand, flsi_kind kind, uint32_t object)
{
    memset(stand, 0, sizeof *stand);
    stand->kind = (uint8_t)kind;
    stand->object = object;
    stand->enumeration = FLS_SCHEMA_NONE;
}

static void stand_on_field(flsi_stand *stand, const flsi_field *field, int in_table)
{
    stand_on(stand, (flsi_kind)field->kind, field->object);
    stand->type = field->type;
    stand->enumeration = field->enumeration;
    stand->field = field;
    if (field->kind == FLSI_SCALAR && in_table && !(field->flags & FLS_FIELD_OPTIONAL)) {
        stand->has_default = 1;
        stand->default_bits = field->default_bits;
    }
}

/* UNION or UNION_ELEMENT; the tag is the field before. */
static flsi_step union_step(flsi_step_code code, const flsi_field *field)
{
    const flsi_field *tag = field - 1;
    return (flsi_step){.code = (uint8_t)code,
                       .tag_bytes =
                           (uint8_t)(code == FLSI_STEP_UNION ? tag->bytes : tag->element_bytes),
                       .tag_place = (uint16_t)tag->place,
                       .place = field->place};
}

static const flsi_field *find_field(const flsi_compiler *compiler, uint32_t object,
                                    const char *name, size_t bytes)
{
    uint32_t index = flsi_schema_field_named(compiler->schema, object, name, bytes);
    return index == FLS_SCHEMA_NONE ? NULL : &compiler->schema->fields[index];
}

int flsi_path_is_field(const flsi_compiler *compiler, const char *name, size_t bytes)
{
    return find_field(compiler, compiler->root, name, bytes) != NULL;
}

static int enter_field(flsi_compiler *compiler, flsi_stand *stand, const char *name, size_t bytes)
{
    const flsi_object *object = &compiler->schema->objects[stand->object];
    const flsi_field *field = find_field(compiler, stand->object, name, bytes);
    if (field == NULL) {
        return fail_unknown(compiler, name, bytes, "field", object->name,
                            flsi_query_near_field(compiler, stand->object, name, bytes));
    }
    if (field->flags & FLS_FIELD_DEPRECATED) {
        return flsi_query_fail(compiler, FLS_UNSUPPORTED, name, "'%s' of %s is deprecated",
                               field->name, object->name);
    }
    if (object->is_struct) {
        push_member(compiler, field->place);
    } else if (field->kind == FLSI_UNION) {
        push(compiler, union_step(FLSI_STEP_UNION, field));
    } else if (field->kind != FLSI_UNION_VECTOR) {
        push_field(compiler, field->place, field->bytes);
        if (field->kind != FLSI_SCALAR && field->kind != FLSI_STRUCT) {
            push_follow(compiler, 4);
        }
    }
    stand_on_field(stand, field, !object->is_struct);
    return compiler->status == FLS_OK;
}

static int enter_union_member(flsi_compiler *compiler, flsi_stand *stand, const char *name,
                              size_t bytes)
{
    const fls_schema *schema = compiler->schema;
    const flsi_enumeration *in = &schema->enumerations[stand->enumeration];
    uint32_t index = flsi_schema_value_named(schema, stand->enumeration, name, bytes);
    if (index == FLS_SCHEMA_NONE || schema->values[index].kind == 0) {
        const char *near = flsi_query_near_value(compiler, stand->enumeration, name, bytes);
        if (near == NULL && in->value_count > 0) {
            return flsi_query_fail(compiler, FLS_UNSUPPORTED, name,
                                   "%s is a union and has no member '%.*s': name one, such as %s",
                                   in->name, bytes < 48 ? (int)bytes : 48, name,
                                   schema->values[in->first_value + in->value_count - 1].name);
        }
        return fail_unknown(compiler, name, bytes, "member", in->name, near);
    }
    const flsi_value *value = &schema->values[index];
    const flsi_field *tag = stand->field - 1;
    uint32_t tag_bytes = stand->field->kind == FLSI_UNION ? tag->bytes : tag->element_bytes;
    push(compiler,
         (flsi_step){.code = FLSI_STEP_IS, .tag_bytes = (uint8_t)tag_bytes, .index = value->value});
    push_follow(compiler, value->kind == FLSI_STRUCT ? schema->objects[value->object].bytes : 4);
    stand_on(stand, (flsi_kind)value->kind, value->object);
    return compiler->status == FLS_OK;
}

static int has_elements(const flsi_stand *stand)
{
    return stand->kind >= FLSI_SCALAR_VECTOR;
}

static int is_array(const flsi_stand *stand)
{
    return stand->kind == FLSI_SCALAR_ARRAY || stand->kind == FLSI_STRUCT_ARRAY;
}

/* Where one stands at an element of what `stand` is on. */
static void stand_on_element(flsi_stand *stand)
{
    const flsi_stand whole = *stand;
    switch ((flsi_kind)whole.kind) {
    case FLSI_STRUCT_VECTOR:
    case FLSI_STRUCT_ARRAY: stand_on(stand, FLSI_STRUCT, whole.object); break;
    case FLSI_STRING_VECTOR: stand_on(stand, FLSI_STRING, FLS_SCHEMA_NONE); break;
    case FLSI_TABLE_VECTOR: stand_on(stand, FLSI_TABLE, whole.object); break;
    case FLSI_UNION_VECTOR:
        stand_on(stand, FLSI_UNION, whole.object);
        stand->field = whole.field;
        break;
    default:
        stand_on(stand, FLSI_SCALAR, FLS_SCHEMA_NONE);
        stand->type = whole.type;
        break;
    }
    stand->enumeration = whole.enumeration;
}

/* From an element's bytes to what it is. */
static void enter_element(flsi_compiler *compiler, const flsi_stand *stand)
{
    if (stand->kind == FLSI_STRING || stand->kind == FLSI_TABLE) {
        push_follow(compiler, 4);
    }
}

static int enter_index(flsi_compiler *compiler, flsi_stand *stand, int64_t index, const char *at)
{
    const flsi_field *field = stand->field;
    if (is_array(stand)) {
        if (index < 0) {
            index += field->length;
        }
        if (index < 0 || index >= field->length) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at,
                                   "'%s' has %u elements, not that many", field->name,
                                   (unsigned)field->length);
        }
        push_member(compiler, (uint32_t)index * field->element_bytes);
    } else if (stand->kind == FLSI_UNION_VECTOR) {
        flsi_step step = union_step(FLSI_STEP_UNION_ELEMENT, field);
        step.index = index;
        push(compiler, step);
    } else {
        push(compiler,
             (flsi_step){.code = FLSI_STEP_ELEMENT, .bytes = field->element_bytes, .index = index});
    }
    stand_on_element(stand);
    enter_element(compiler, stand);
    return compiler->status == FLS_OK;
}

/* ---- paths ---- */

static void begin_path(flsi_compiler *compiler, flsi_path *path, uint32_t origin)
{
    memset(path, 0, sizeof *path);
    path->first_step = compiler->program->step_count;
    path->origin = (uint8_t)origin;
    path->enumeration = FLS_SCHEMA_NONE;
}

static int end_path(flsi_compiler *compiler, flsi_path *path, flsi_path_end end)
{
    flsi_program *program = compiler->program;
    if (program->path_count == compiler->room) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next, "too long");
    }
    path->step_count = program->step_count - path->first_step;
    path->end = (uint8_t)end;
    program->paths[program->path_count++] = *path;
    return compiler->status == FLS_OK;
}

flsi_loop *flsi_path_loop(flsi_compiler *compiler, const flsi_stand *stand, const char *at)
{
    flsi_program *program = compiler->program;
    if (!has_elements(stand)) {
        flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at, "this is no vector or array");
        return NULL;
    }
    if (compiler->slots == FLSI_LOOP_MOST || program->loop_count == compiler->room) {
        flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at,
                        "more than %u of [*], any() and all() in each other", FLSI_LOOP_MOST);
        return NULL;
    }
    flsi_loop *loop = &program->loops[program->loop_count++];
    memset(loop, 0, sizeof *loop);
    loop->path = program->path_count - 1;
    loop->slot = compiler->slots++;
    loop->is_array = is_array(stand) ? 1 : 0;
    loop->count = stand->field->length;
    if (stand->kind == FLSI_UNION_VECTOR) {
        loop->element = union_step(FLSI_STEP_UNION_ELEMENT, stand->field);
    } else {
        loop->element.code = FLSI_STEP_ELEMENT;
        loop->element.bytes = stand->field->element_bytes;
    }
    compiler->elements[loop->slot] = *stand;
    stand_on_element(&compiler->elements[loop->slot]);
    return loop;
}

/* "]" behind an index. */
static int close_index(flsi_compiler *compiler)
{
    if (compiler->next == compiler->end || *compiler->next != ']') {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next,
                               "an index is [0], [-1] for the last, or [*]");
    }
    compiler->next++;
    return 1;
}

/* Behind "[". */
static int read_index(flsi_compiler *compiler, flsi_path *path, flsi_stand *stand)
{
    const char *at = compiler->next;
    int64_t index = 0;
    if (!has_elements(stand)) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at - 1,
                               "only vectors and arrays have elements");
    }
    if (at < compiler->end && *at == '*') {
        compiler->next++;
        if (!close_index(compiler) || !end_path(compiler, path, FLSI_END_OBJECT)) {
            return 0;
        }
        const flsi_loop *loop = flsi_path_loop(compiler, stand, at);
        if (loop == NULL) {
            return 0;
        }
        *stand = compiler->elements[loop->slot];
        begin_path(compiler, path, loop->slot + 1);
        enter_element(compiler, stand);
        return compiler->status == FLS_OK;
    }
    int is_negative = at < compiler->end && *at == '-';
    compiler->next += is_negative;
    const char *digits = compiler->next;
    while (compiler->next < compiler->end && flsi_is_digit(*compiler->next)) {
        index = index * 10 + (*compiler->next++ - '0');
        if (index > UINT32_MAX) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at, "too large for an index");
        }
    }
    if (compiler->next == digits || (is_negative && index == 0)) {
        compiler->next = at;
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at,
                               "an index is [0], [-1] for the last, or [*]");
    }
    return close_index(compiler) && enter_index(compiler, stand, is_negative ? -index : index, at);
}

/* From the table, where the steps to a vector of unions end, to the vector itself. */
static void enter_union_vector(flsi_compiler *compiler, const flsi_stand *stand)
{
    push_field(compiler, stand->field->place, 4);
    push_follow(compiler, 4);
}

void flsi_path_leave_union_vector(flsi_compiler *compiler)
{
    flsi_program *program = compiler->program;
    program->paths[program->path_count - 1].step_count -= 2;
}

/* Makes the path one to the length of what it led to. */
static int take_length(flsi_compiler *compiler, flsi_path *path, const flsi_stand *stand)
{
    if (is_array(stand)) {
        path->default_bits = stand->field->length;
        return end_path(compiler, path, FLSI_END_FIXED);
    }
    if (stand->kind == FLSI_UNION_VECTOR) {
        enter_union_vector(compiler, stand);
    }
    return end_path(compiler, path, FLSI_END_LENGTH);
}

/* A name behind a point (or the first). 2 when it was a length, which ends a path. */
static int read_name(flsi_compiler *compiler, flsi_path *path, flsi_stand *stand)
{
    const char *name = compiler->next;
    size_t bytes = flsi_query_word(compiler, name);
    if (bytes == 0) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, name, "a field's name belongs here");
    }
    compiler->next += bytes;
    int is_length = bytes == 6 && memcmp(name, "length", 6) == 0;
    switch ((flsi_kind)stand->kind) {
    case FLSI_TABLE:
    case FLSI_STRUCT: return enter_field(compiler, stand, name, bytes);
    case FLSI_UNION: return enter_union_member(compiler, stand, name, bytes);
    case FLSI_NESTED:
        if (!is_length || find_field(compiler, stand->object, name, bytes) != NULL) {
            push(compiler, (flsi_step){.code = FLSI_STEP_NESTED});
            return enter_field(compiler, stand, name, bytes);
        }
        break;
    default: break;
    }
    if (is_length && stand->kind != FLSI_SCALAR) {
        return take_length(compiler, path, stand) ? 2 : 0;
    }
    if (has_elements(stand)) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, name,
                               "'%s' is a vector: [0] or [*] goes before the point, or .length",
                               stand->field->name);
    }
    return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, name, "%s has no fields",
                           stand->kind == FLSI_STRING ? "a string" : "a number");
}

/* What kind of end where the compiler stands. */
static int finish(flsi_compiler *compiler, flsi_path *path, const flsi_stand *stand)
{
    if (stand->kind == FLSI_SCALAR) {
        path->type = stand->type;
        path->has_default = stand->has_default;
        path->default_bits = stand->default_bits;
        path->enumeration = stand->enumeration;
        return end_path(compiler, path, FLSI_END_SCALAR);
    }
    if (stand->kind == FLSI_UNION_VECTOR) {
        enter_union_vector(compiler, stand);
    }
    return end_path(compiler, path, stand->kind == FLSI_STRING ? FLSI_END_STRING : FLSI_END_OBJECT);
}

int flsi_path_compile(flsi_compiler *compiler, flsi_stand *stand)
{
    flsi_path path;
    int answer = 1;
    if (compiler->next < compiler->end && *compiler->next == '@') {
        if (compiler->at_slot == 0) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next,
                                   "@ is the element within any() and all()");
        }
        compiler->next++;
        *stand = compiler->elements[compiler->at_slot - 1];
        begin_path(compiler, &path, compiler->at_slot);
        enter_element(compiler, stand);
    } else {
        stand_on(stand, FLSI_TABLE, compiler->root);
        begin_path(compiler, &path, 0);
        answer = read_name(compiler, &path, stand);
    }
    while (answer == 1 && compiler->next < compiler->end) {
        if (*compiler->next == '[') {
            compiler->next++;
            answer = read_index(compiler, &path, stand);
        } else if (*compiler->next == '.') {
            compiler->next++;
            answer = read_name(compiler, &path, stand);
        } else {
            break;
        }
    }
    if (answer == 2) {
        stand_on(stand, FLSI_SCALAR, FLS_SCHEMA_NONE);
        stand->type = FLS_TYPE_U32;
    }
    return answer == 1 ? finish(compiler, &path, stand) : answer;
}
