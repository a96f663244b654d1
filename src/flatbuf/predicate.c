/* Conditions over messages: the operations one after another, with one flag. */
#include "flatbuf/predicate_private.h"

#include "flatbuf/path_walk.h"
#include "flatbuf/scalars.h"
#include "flatbuf/text_search.h"

/* ---- order ---- */

enum { BELOW = -1, SAME = 0, ABOVE = 1, UNORDERED = 2 };

static int order_of_floats(double a, double b)
{
    return a < b ? BELOW : a > b ? ABOVE : a == b ? SAME : UNORDERED;
}

/* Exact: nothing is rounded to compare it. */
static int order_of_unsigned_and_float(uint64_t a, double b)
{
    if (b != b) {
        return UNORDERED;
    }
    if (b < 0) {
        return ABOVE;
    }
    if (b >= 18446744073709551616.0) {
        return BELOW;
    }
    uint64_t cut = (uint64_t)b;
    if (a != cut) {
        return a < cut ? BELOW : ABOVE;
    }
    /* Beyond 2^53 a double has no fraction. */
    return b > (double)cut ? BELOW : SAME;
}

static int order_of_signed_and_float(int64_t a, double b)
{
    if (a >= 0) {
        return order_of_unsigned_and_float((uint64_t)a, b);
    }
    int order = order_of_unsigned_and_float(0 - (uint64_t)a, -b);
    return order == UNORDERED ? order : -order;
}

static int order_of_whole(const fls_value *a, const fls_value *b)
{
    int a_negative = a->kind == FLS_VALUE_I64 && a->as.i < 0;
    int b_negative = b->kind == FLS_VALUE_I64 && b->as.i < 0;
    if (a_negative != b_negative) {
        return a_negative ? BELOW : ABOVE;
    }
    /* Of one sign, so that their bits have their order. */
    return a->as.u < b->as.u ? BELOW : a->as.u > b->as.u;
}

static int order_with_float(const fls_value *a, double b)
{
    return a->kind == FLS_VALUE_I64 ? order_of_signed_and_float(a->as.i, b)
                                    : order_of_unsigned_and_float(a->as.u, b);
}

static int order_of_texts(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    size_t bytes = a_bytes < b_bytes ? a_bytes : b_bytes;
    int order = bytes > 0 ? memcmp(a, b, bytes) : 0;
    if (order != 0) {
        return order < 0 ? BELOW : ABOVE;
    }
    return a_bytes < b_bytes ? BELOW : a_bytes > b_bytes;
}

static int order_of(const fls_value *a, const fls_value *b)
{
    if (a->kind == FLS_VALUE_STRING) {
        return order_of_texts(a->as.string.text, a->as.string.size, b->as.string.text,
                              b->as.string.size);
    }
    if (a->kind == FLS_VALUE_F64) {
        if (b->kind == FLS_VALUE_F64) {
            return order_of_floats(a->as.f, b->as.f);
        }
        int order = order_with_float(b, a->as.f);
        return order == UNORDERED ? order : -order;
    }
    return b->kind == FLS_VALUE_F64 ? order_with_float(a, b->as.f) : order_of_whole(a, b);
}

static int in_relation(int order, flsi_relation relation)
{
    switch (relation) {
    case FLSI_EQUAL: return order == SAME;
    case FLSI_NOT_EQUAL: return order != SAME;
    case FLSI_LESS: return order == BELOW;
    case FLSI_LESS_EQUAL: return order == BELOW || order == SAME;
    case FLSI_GREATER: return order == ABOVE;
    default: return order == ABOVE || order == SAME;
    }
}

/* ---- text ---- */

/* How many visits of elements it counts as to look for or compare texts. */
static uint64_t visits_of_texts(flsi_relation relation, size_t bytes, size_t other_bytes)
{
    size_t least = bytes < other_bytes ? bytes : other_bytes;
    return (relation == FLSI_CONTAINS ? bytes : least) / 16;
}

static int text_in_relation(const uint8_t *text, size_t bytes, flsi_relation relation,
                            const void *part, size_t part_bytes)
{
    switch (relation) {
    case FLSI_CONTAINS: return flsi_text_contains(text, bytes, part, part_bytes);
    case FLSI_STARTS:
        return bytes >= part_bytes && (part_bytes == 0 || memcmp(text, part, part_bytes) == 0);
    case FLSI_ENDS:
        return bytes >= part_bytes &&
               (part_bytes == 0 || memcmp(text + bytes - part_bytes, part, part_bytes) == 0);
    default: return in_relation(order_of_texts(text, bytes, part, part_bytes), relation);
    }
}

/* ---- operations ---- */

FLSI_ALWAYS_INLINE int in_ranges(const flsi_range *range, uint32_t count, uint64_t value)
{
    for (; count > 0; range++, count--) {
        if (value - range->low <= range->span) {
            return 1;
        }
    }
    return 0;
}

FLSI_ALWAYS_INLINE int in_float_ranges(const flsi_range *range, uint32_t count, double value)
{
    for (; count > 0; range++, count--) {
        if (flsi_of_bits(range->low) <= value && value <= flsi_of_bits(range->span)) {
            return 1;
        }
    }
    return 0;
}

/* The value of a whole number, bool or length; 0 when it is absent. */
static int whole_value(const flsi_program *program, const flsi_path *path,
                       const flsi_origins *origins, uint64_t *whole)
{
    fls_value value;
    flsi_path_value(program, path, origins, &value);
    *whole = value.as.u;
    return value.kind != FLS_VALUE_ABSENT;
}

/* From the root or an element at spot. */
FLSI_ALWAYS_INLINE int test_scalar(const flsi_program *program, const flsi_op *op,
                                   const flsi_path *path, flsi_spot *spot)
{
    const flsi_range *ranges = program->ranges + op->b;
    flsi_walked walked = flsi_walk(spot, program->steps + path->first_step, path->step_count);
    if (FLSI_UNLIKELY(walked != FLSI_WALK_FOUND)) {
        if (walked != FLSI_WALK_ABSENT || !path->has_default) {
            return 0;
        }
        return op->is_negated ^
               (flsi_is_float(path->type)
                    ? in_float_ranges(ranges, op->c,
                                      flsi_float_of_bits(path->default_bits, path->type))
                    : in_ranges(ranges, op->c, path->default_bits));
    }
    const uint8_t *from = spot->bytes + spot->at;
    if (flsi_is_float(path->type)) {
        return op->is_negated ^ in_float_ranges(ranges, op->c, flsi_load_float(from, path->type));
    }
    return op->is_negated ^ in_ranges(ranges, op->c, flsi_load_whole(from, path->type));
}

static int test(const flsi_program *program, const flsi_op *op, const flsi_origins *origins)
{
    const flsi_path *path = &program->paths[op->a];
    uint64_t value;
    if (path->end == FLSI_END_SCALAR) {
        flsi_spot spot = origins->spots[path->origin];
        return spot.bytes != NULL && test_scalar(program, op, path, &spot);
    }
    return whole_value(program, path, origins, &value) &&
           (op->is_negated ^ in_ranges(program->ranges + op->b, op->c, value));
}

static int test_text(const flsi_program *program, const flsi_op *op, flsi_origins *origins)
{
    const flsi_text_range *part = program->texts + op->b;
    const uint8_t *text;
    size_t bytes;
    if (!flsi_path_text(program, &program->paths[op->a], origins, &text, &bytes)) {
        return 0;
    }
    flsi_origins_spend(origins,
                       visits_of_texts((flsi_relation)op->relation, bytes, program->pool_bytes));
    if (op->relation != FLSI_IN) {
        return text_in_relation(text, bytes, (flsi_relation)op->relation, program->pool + part->low,
                                part->low_bytes);
    }
    for (uint32_t i = 0; i < op->c; i++, part++) {
        if (order_of_texts(text, bytes, program->pool + part->low, part->low_bytes) != BELOW &&
            order_of_texts(text, bytes, program->pool + part->high, part->high_bytes) != ABOVE) {
            return 1;
        }
    }
    return 0;
}

static int compare(const flsi_program *program, const flsi_op *op, flsi_origins *origins)
{
    flsi_relation relation = (flsi_relation)op->relation;
    fls_value a;
    fls_value b;
    flsi_path_value(program, &program->paths[op->a], origins, &a);
    flsi_path_value(program, &program->paths[op->b], origins, &b);
    if (a.kind == FLS_VALUE_ABSENT || b.kind == FLS_VALUE_ABSENT) {
        return 0;
    }
    if (a.kind == FLS_VALUE_STRING) {
        flsi_origins_spend(origins, visits_of_texts(relation, a.as.string.size, b.as.string.size));
    }
    if (relation >= FLSI_CONTAINS) {
        return text_in_relation((const uint8_t *)a.as.string.text, a.as.string.size, relation,
                                b.as.string.text, b.as.string.size);
    }
    return in_relation(order_of(&a, &b), relation);
}

static int has(const flsi_program *program, const flsi_op *op, const flsi_origins *origins)
{
    fls_value value;
    flsi_path_value(program, &program->paths[op->a], origins, &value);
    return value.kind != FLS_VALUE_ABSENT && !value.is_default;
}

static int has_bits(const flsi_program *program, const flsi_op *op, const flsi_origins *origins)
{
    uint64_t bits = program->ranges[op->b].low;
    uint64_t value;
    return whole_value(program, &program->paths[op->a], origins, &value) && (value & bits) == bits;
}

/* 0 as well when a loop had to be given up, whatever else there is in the condition. */
static int run(const flsi_program *program, flsi_origins *origins)
{
    const flsi_op *ops = program->ops;
    uint32_t at = 0;
    int flag = 0;
    while (at < program->op_count) {
        const flsi_op *op = &ops[at++];
        switch ((flsi_op_code)op->code) {
        case FLSI_OP_CONSTANT: flag = (int)op->a; break;
        case FLSI_OP_TEST: flag = test(program, op, origins); break;
        case FLSI_OP_TEXT: flag = test_text(program, op, origins); break;
        case FLSI_OP_MASK: flag = has_bits(program, op, origins); break;
        case FLSI_OP_COMPARE: flag = compare(program, op, origins); break;
        case FLSI_OP_HAS: flag = has(program, op, origins); break;
        case FLSI_OP_NOT: flag = !flag; break;
        case FLSI_OP_JUMP_FALSE: at = flag ? at : op->c; break;
        case FLSI_OP_JUMP_TRUE: at = flag ? op->c : at; break;
        case FLSI_OP_LOOP:
            /* No vector: neither any nor all. An empty one: all, but not any. */
            flag = flsi_loop_begin(program, &program->loops[op->a], origins);
            if (!flag || !flsi_loop_next(&program->loops[op->a], origins)) {
                flag = flag && op->is_all;
                at = op->c;
            }
            if (origins->visits == 0) {
                return 0;
            }
            break;
        case FLSI_OP_NEXT:
            if (flag == op->is_all && flsi_loop_next(&program->loops[op->a], origins)) {
                at = op->c;
            } else if (origins->visits == 0) {
                return 0;
            }
            break;
        }
    }
    return flag;
}

/* The most usual condition, without any table of steps. */
FLSI_ALWAYS_INLINE int test_field(const fls_predicate *predicate, const uint8_t *bytes,
                                  uint64_t size)
{
    flsi_spot spot;
    flsi_spot_root(&spot, bytes, size);
    if (FLSI_UNLIKELY(spot.bytes == NULL)) {
        return 0;
    }
    flsi_walked walked = flsi_walk_field(&spot, predicate->place, predicate->bytes);
    if (walked != FLSI_WALK_FOUND) {
        return walked == FLSI_WALK_ABSENT && predicate->holds_by_default;
    }
    const uint8_t *from = bytes + spot.at;
    int is_in = flsi_is_float(predicate->type)
                    ? in_float_ranges(&predicate->range, 1, flsi_load_float(from, predicate->type))
                    : in_ranges(&predicate->range, 1, flsi_load_whole(from, predicate->type));
    return is_in ^ (int)predicate->is_negated;
}

static FLSI_NOINLINE int hold(const fls_predicate *predicate, const void *payload, size_t size)
{
    const flsi_program *program = &predicate->program;
    flsi_origins origins;
    if (predicate->is_one_test) {
        flsi_spot_root(&origins.spots[0], payload, size);
        return origins.spots[0].bytes != NULL &&
               test_scalar(program, program->ops, &program->paths[program->ops->a],
                           &origins.spots[0]);
    }
    flsi_origins_begin(&origins, payload, size);
    return run(program, &origins);
}

int fls_predicate_holds(const fls_predicate *predicate, const void *payload, size_t size)
{
    return predicate->place != 0 ? test_field(predicate, payload, size)
                                 : hold(predicate, payload, size);
}

/* Notes what a condition has in which it is one of the usual ones. */
static void specialise(fls_predicate *predicate)
{
    const flsi_program *program = &predicate->program;
    const flsi_op *op = program->ops;
    const flsi_path *path = &program->paths[op->a];
    if (program->op_count != 1 || op->code != FLSI_OP_TEST || path->end != FLSI_END_SCALAR ||
        path->origin != 0) {
        return;
    }
    const flsi_step *step = &program->steps[path->first_step];
    predicate->is_one_test = 1;
    if (path->step_count != 1 || step->code != FLSI_STEP_FIELD || op->c != 1) {
        return;
    }
    predicate->place = step->place;
    predicate->bytes = step->bytes;
    predicate->type = path->type;
    predicate->is_negated = op->is_negated;
    predicate->range = program->ranges[op->b];
    /* What a table without any field says. */
    static const uint8_t bare[] = {8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};
    predicate->holds_by_default = hold(predicate, bare, sizeof bare) != 0;
}

void fls_predicate_free(fls_predicate *predicate)
{
    if (predicate != NULL) {
        flsi_query_free(&predicate->program);
    }
}

fls_status fls_predicate_new(fls_predicate **predicate, const fls_schema *schema, uint32_t root,
                             const char *text, const fls_allocator *allocator, fls_error *err)
{
    flsi_compiler compiler;
    void *object;
    *predicate = NULL;
    fls_status status = flsi_query_begin(&compiler, &object, sizeof **predicate, schema, root, text,
                                         allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_predicate *made = object;
    (void)flsi_predicate_parse(&compiler);
    if (compiler.status != FLS_OK) {
        flsi_query_free(&made->program);
        return compiler.status;
    }
    specialise(made);
    *predicate = made;
    return FLS_OK;
}
