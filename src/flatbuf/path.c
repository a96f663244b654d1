/* Values by path: the steps that path_walk.h has not, loops, and values as text. */
#include "flatbuf/path_walk.h"

/* To an element of a vector; the index counts from the end when negative. */
static flsi_walked walk_element(flsi_spot *spot, uint32_t bytes, int64_t index)
{
    int64_t count = flsi_load_le32(spot->bytes + spot->at);
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count) {
        return FLSI_WALK_LOST;
    }
    uint64_t before = (uint64_t)index * bytes;
    uint64_t room = spot->size - spot->at - 4;
    if (room < bytes || room - bytes < before) {
        return FLSI_WALK_LOST;
    }
    spot->at += 4 + before;
    return FLSI_WALK_FOUND;
}

/* From a table to one of its vectors. */
static flsi_walked walk_vector(flsi_spot *spot, uint32_t place)
{
    flsi_walked walked = flsi_walk_field(spot, place, 4);
    return walked == FLSI_WALK_FOUND ? flsi_walk_follow(spot, 4) : walked;
}

static flsi_walked walk_union(flsi_spot *spot, const flsi_step *step)
{
    flsi_spot tag = *spot;
    flsi_walked walked = flsi_walk_field(&tag, step->tag_place, step->tag_bytes);
    spot->tag_at = walked == FLSI_WALK_FOUND ? tag.at : FLSI_NO_TAG;
    return flsi_walk_field(spot, step->place, 4);
}

static flsi_walked walk_union_element(flsi_spot *spot, const flsi_step *step)
{
    flsi_spot tag = *spot;
    int64_t index = step->index;
    if (walk_vector(spot, step->place) != FLSI_WALK_FOUND ||
        walk_vector(&tag, step->tag_place) != FLSI_WALK_FOUND) {
        return FLSI_WALK_LOST;
    }
    if (index < 0) {
        index += flsi_load_le32(spot->bytes + spot->at);
    }
    if (index < 0 || walk_element(spot, 4, index) != FLSI_WALK_FOUND ||
        walk_element(&tag, step->tag_bytes, index) != FLSI_WALK_FOUND) {
        return FLSI_WALK_LOST;
    }
    spot->tag_at = tag.at;
    return FLSI_WALK_FOUND;
}

static flsi_walked walk_is(const flsi_spot *spot, const flsi_step *step)
{
    if (spot->tag_at == FLSI_NO_TAG) {
        return FLSI_WALK_LOST;
    }
    uint64_t tag = flsi_load_le_width(spot->bytes + spot->tag_at, step->tag_bytes);
    uint64_t mask = step->tag_bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * step->tag_bytes) - 1;
    return tag == ((uint64_t)step->index & mask) ? FLSI_WALK_FOUND : FLSI_WALK_LOST;
}

static flsi_walked walk_nested(flsi_spot *spot)
{
    uint64_t count = flsi_load_le32(spot->bytes + spot->at);
    if (count > spot->size - spot->at - 4) {
        return FLSI_WALK_LOST;
    }
    flsi_spot_root(spot, spot->bytes + spot->at + 4, count);
    return spot->bytes != NULL ? FLSI_WALK_FOUND : FLSI_WALK_LOST;
}

flsi_walked flsi_walk_far(flsi_spot *spot, const flsi_step *step)
{
    switch ((flsi_step_code)step->code) {
    case FLSI_STEP_ELEMENT: return walk_element(spot, step->bytes, step->index);
    case FLSI_STEP_UNION: return walk_union(spot, step);
    case FLSI_STEP_UNION_ELEMENT: return walk_union_element(spot, step);
    case FLSI_STEP_IS: return walk_is(spot, step);
    default: return walk_nested(spot);
    }
}

/* ---- loops ---- */

int flsi_loop_begin(const flsi_program *program, const flsi_loop *loop, flsi_origins *origins)
{
    flsi_loop_state *state = &origins->loops[loop->slot];
    const flsi_path *path = &program->paths[loop->path];
    if (flsi_path_walk(program, path, origins, &state->base) != FLSI_WALK_FOUND) {
        return 0;
    }
    flsi_spot values = state->base;
    state->index = 0;
    if (loop->is_array) {
        state->count = loop->count;
        return 1;
    }
    if (loop->element.code == FLSI_STEP_UNION_ELEMENT &&
        walk_vector(&values, loop->element.place) != FLSI_WALK_FOUND) {
        return 0;
    }
    state->count = flsi_load_le32(values.bytes + values.at);
    return 1;
}

int flsi_loop_next(const flsi_loop *loop, flsi_origins *origins)
{
    flsi_loop_state *state = &origins->loops[loop->slot];
    flsi_spot *spot = &origins->spots[loop->slot + 1];
    flsi_step step = loop->element;
    flsi_origins_spend(origins, 1);
    if (state->index >= state->count || origins->visits == 0) {
        return 0;
    }
    *spot = state->base;
    step.index = state->index++;
    if (loop->is_array) {
        spot->at += (uint64_t)step.index * step.bytes;
        return 1;
    }
    /* What follows an element that is not within the message is not either. */
    return flsi_walk_far(spot, &step) == FLSI_WALK_FOUND;
}

/* ---- values ---- */

fls_value_kind flsi_path_kind_of(const flsi_path *path)
{
    switch ((flsi_path_end)path->end) {
    case FLSI_END_STRING: return FLS_VALUE_STRING;
    case FLSI_END_OBJECT: return FLS_VALUE_OBJECT;
    case FLSI_END_SCALAR: break;
    default: return FLS_VALUE_U64;
    }
    switch (path->type) {
    case FLS_TYPE_BOOL: return FLS_VALUE_BOOL;
    case FLS_TYPE_I8:
    case FLS_TYPE_I16:
    case FLS_TYPE_I32:
    case FLS_TYPE_I64: return FLS_VALUE_I64;
    case FLS_TYPE_F32:
    case FLS_TYPE_F64: return FLS_VALUE_F64;
    default: return FLS_VALUE_U64;
    }
}

static void set_scalar(const flsi_path *path, const uint8_t *from, fls_value *value)
{
    value->enumeration = path->enumeration;
    if (value->kind == FLS_VALUE_F64) {
        value->is_f32 = path->type == FLS_TYPE_F32;
        value->as.f = from != NULL ? flsi_load_float(from, path->type)
                                   : flsi_float_of_bits(path->default_bits, path->type);
    } else {
        value->as.u = from != NULL ? flsi_load_whole(from, path->type) : path->default_bits;
    }
}

static void set_string(const flsi_spot *spot, fls_value *value)
{
    uint32_t bytes = flsi_load_le32(spot->bytes + spot->at);
    if (bytes > spot->size - spot->at - 4) {
        value->kind = FLS_VALUE_ABSENT;
        return;
    }
    value->as.string.text = (const char *)(spot->bytes + spot->at + 4);
    value->as.string.size = bytes;
}

void flsi_path_value(const flsi_program *program, const flsi_path *path,
                     const flsi_origins *origins, fls_value *value)
{
    flsi_spot spot;
    flsi_walked walked = flsi_path_walk(program, path, origins, &spot);
    memset(value, 0, sizeof *value);
    value->enumeration = FLS_SCHEMA_NONE;
    value->kind = flsi_path_kind_of(path);
    if (walked == FLSI_WALK_ABSENT && path->has_default) {
        value->is_default = 1;
        set_scalar(path, NULL, value);
    } else if (walked != FLSI_WALK_FOUND) {
        value->kind = FLS_VALUE_ABSENT;
    } else if (path->end == FLSI_END_SCALAR) {
        set_scalar(path, spot.bytes + spot.at, value);
    } else if (path->end == FLSI_END_STRING) {
        set_string(&spot, value);
    } else if (path->end == FLSI_END_LENGTH) {
        value->as.u = flsi_load_le32(spot.bytes + spot.at);
    } else if (path->end == FLSI_END_FIXED) {
        value->as.u = path->default_bits;
    }
}

int flsi_path_text(const flsi_program *program, const flsi_path *path, const flsi_origins *origins,
                   const uint8_t **text, size_t *size)
{
    fls_value value;
    flsi_path_value(program, path, origins, &value);
    if (value.kind != FLS_VALUE_STRING) {
        return 0;
    }
    *text = (const uint8_t *)value.as.string.text;
    *size = value.as.string.size;
    return 1;
}

fls_value_kind fls_path_kind(const fls_path *path)
{
    return path->kind;
}

int fls_path_is_many(const fls_path *path)
{
    return path->loop_count > 0;
}

int fls_path_each(const fls_path *path, const void *payload, size_t size,
                  int (*callback)(void *self, const fls_value *value), void *self)
{
    const flsi_program *program = &path->program;
    flsi_origins origins;
    fls_value value;
    uint32_t depth = 0; /* loops that are under way */
    int begun = 1;
    flsi_origins_begin(&origins, payload, size);
    for (;;) {
        /* Into the loops below, then over one value, then on in the innermost that has more. */
        while (begun && depth < path->loop_count) {
            begun = flsi_loop_begin(program, &program->loops[depth], &origins) &&
                    flsi_loop_next(&program->loops[depth], &origins);
            depth += begun != 0;
        }
        if (begun) {
            flsi_path_value(program, &program->paths[path->path], &origins, &value);
            int answer = value.kind != FLS_VALUE_ABSENT ? callback(self, &value) : 0;
            if (answer != 0) {
                return answer;
            }
        }
        while (depth > 0 && !flsi_loop_next(&program->loops[depth - 1], &origins)) {
            depth--;
        }
        if (depth == 0) {
            return 0;
        }
        begun = 1;
    }
}

static int take_first(void *self, const fls_value *value)
{
    *(fls_value *)self = *value;
    return 1;
}

void fls_path_get(const fls_path *path, const void *payload, size_t size, fls_value *value)
{
    if (path->loop_count == 0) {
        flsi_origins origins;
        origins.visits = 0; /* there are no loops */
        flsi_spot_root(&origins.spots[0], payload, size);
        flsi_path_value(&path->program, &path->program.paths[path->path], &origins, value);
        return;
    }
    memset(value, 0, sizeof *value);
    value->enumeration = FLS_SCHEMA_NONE;
    (void)fls_path_each(path, payload, size, take_first, value);
}

void fls_path_free(fls_path *path)
{
    if (path != NULL) {
        flsi_query_free(&path->program);
    }
}

fls_status fls_path_new(fls_path **path, const fls_schema *schema, uint32_t root, const char *text,
                        const fls_allocator *allocator, fls_error *err)
{
    flsi_compiler compiler;
    flsi_stand stand;
    void *object;
    *path = NULL;
    fls_status status =
        flsi_query_begin(&compiler, &object, sizeof **path, schema, root, text, allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_path *made = object;
    flsi_query_blanks(&compiler);
    if (flsi_path_compile(&compiler, &stand)) {
        flsi_query_blanks(&compiler);
        if (compiler.next != compiler.end) {
            flsi_query_fail(&compiler, FLS_INVALID_ARGUMENT, compiler.next,
                            "'%c' does not belong to a path", *compiler.next);
        }
    }
    if (compiler.status != FLS_OK) {
        flsi_query_free(&made->program);
        return compiler.status;
    }
    made->path = made->program.path_count - 1;
    made->loop_count = made->program.loop_count;
    made->kind = flsi_path_kind_of(&made->program.paths[made->path]);
    *path = made;
    return FLS_OK;
}

/* ---- text ---- */

static const char *put_float(const fls_value *value, char *buffer, size_t *size)
{
    double f = value->as.f;
    char *end = buffer;
    if (f - f != 0) {
        for (const char *word = f != f ? "nan" : f < 0 ? "-inf" : "inf"; *word != '\0'; word++) {
            *end++ = *word;
        }
    } else {
        end = value->is_f32 ? flsi_print_f32(buffer, (float)f) : flsi_print_f64(buffer, f);
    }
    *end = '\0';
    *size = (size_t)(end - buffer);
    return buffer;
}

const char *fls_value_text(const fls_value *value, const fls_schema *schema,
                           char buffer[FLS_VALUE_TEXT_BYTES], size_t *size)
{
    char *end = buffer;
    switch (value->kind) {
    case FLS_VALUE_BOOL: *size = value->as.u ? 4 : 5; return value->as.u ? "true" : "false";
    case FLS_VALUE_I64:
    case FLS_VALUE_U64:
        if (value->enumeration != FLS_SCHEMA_NONE && schema != NULL) {
            const flsi_value *named = flsi_schema_value(schema, value->enumeration, value->as.i);
            if (named != NULL) {
                *size = named->name_bytes;
                return named->name;
            }
        }
        end = value->kind == FLS_VALUE_I64 ? flsi_print_i64(buffer, value->as.i)
                                           : flsi_print_u64(buffer, value->as.u);
        break;
    case FLS_VALUE_F64: return put_float(value, buffer, size);
    case FLS_VALUE_STRING: *size = value->as.string.size; return value->as.string.text;
    default: break;
    }
    *end = '\0';
    *size = (size_t)(end - buffer);
    return buffer;
}
