/* Conditions to operations, in one pass. docs/QUERIES.md has the grammar.
 *
 * Operations work on one flag: a comparison sets it, && and || jump over what need not be asked, !
 * turns it round. So there is no stack; only loops have a state, one for each that is open.
 */
#include "flatbuf/path_walk.h"
#include "flatbuf/predicate_private.h"

static int fail(flsi_compiler *compiler, const char *at, const char *text)
{
    return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at, "%s", text);
}

/* The entry's index, also after a failure. */
static uint32_t push(flsi_compiler *compiler, flsi_op op)
{
    flsi_program *program = compiler->program;
    if (program->op_count == compiler->room) {
        fail(compiler, compiler->next, "too long");
        return 0;
    }
    program->ops[program->op_count] = op;
    return program->op_count++;
}

/* Takes text when it comes next, which is no word. */
static int take(flsi_compiler *compiler, const char *text)
{
    size_t bytes = strlen(text);
    flsi_query_blanks(compiler);
    if ((size_t)(compiler->end - compiler->next) < bytes ||
        memcmp(compiler->next, text, bytes) != 0) {
        return 0;
    }
    compiler->next += bytes;
    return 1;
}

/* Takes a word when it comes next. */
static int take_word(flsi_compiler *compiler, const char *word)
{
    flsi_query_blanks(compiler);
    size_t bytes = flsi_query_word(compiler, compiler->next);
    if (bytes != strlen(word) || memcmp(compiler->next, word, bytes) != 0) {
        return 0;
    }
    compiler->next += bytes;
    return 1;
}

/* Takes a word and the parenthesis behind it. */
static int take_call(flsi_compiler *compiler, const char *word)
{
    const char *before = compiler->next;
    if (take_word(compiler, word) && take(compiler, "(")) {
        return 1;
    }
    compiler->next = before;
    return 0;
}

static int expect(flsi_compiler *compiler, const char *text, const char *complaint)
{
    return take(compiler, text) || fail(compiler, compiler->next, complaint);
}

/* ---- operands ---- */

/* A side of a comparison: a path, or a constant. */
typedef struct operand {
    const char *at;
    int is_path;
    flsi_stand stand;
    uint32_t path;
    uint32_t first_loop; /* the loops of its [*] */
    uint32_t loop_count;
    flsi_literal literal;
} operand;

static int is_literal_word(const flsi_compiler *compiler, const char *at, size_t bytes)
{
    return !flsi_path_is_field(compiler, at, bytes) &&
           ((bytes == 4 && memcmp(at, "true", 4) == 0) ||
            (bytes == 5 && memcmp(at, "false", 5) == 0) ||
            (bytes == 3 && memcmp(at, "inf", 3) == 0));
}

static int read_path(flsi_compiler *compiler, operand *side)
{
    side->is_path = 1;
    side->first_loop = compiler->program->loop_count;
    if (!flsi_path_compile(compiler, &side->stand)) {
        return 0;
    }
    side->path = compiler->program->path_count - 1;
    side->loop_count = compiler->program->loop_count - side->first_loop;
    return 1;
}

/* A word that is no field may be an enumerator, which the other side decides. */
static int read_operand(flsi_compiler *compiler, operand *side, int is_right)
{
    memset(side, 0, sizeof *side);
    flsi_query_blanks(compiler);
    side->at = compiler->next;
    size_t bytes = flsi_query_word(compiler, compiler->next);
    int is_at = compiler->next < compiler->end && *compiler->next == '@';
    if (is_at || (bytes > 0 && flsi_path_is_field(compiler, side->at, bytes))) {
        return read_path(compiler, side);
    }
    if (bytes > 0 && !is_right && !is_literal_word(compiler, side->at, bytes)) {
        /* An enumerator in front has its field behind it: Fault == mode. */
        const char *behind = side->at + bytes;
        while (behind < compiler->end && *behind == ' ') {
            behind++;
        }
        if (behind == compiler->end ||
            (*behind != '=' && *behind != '!' && *behind != '<' && *behind != '>')) {
            return read_path(compiler, side);
        }
    }
    return flsi_literal_read(compiler, &side->literal);
}

/* ---- comparisons ---- */

static int read_relation(flsi_compiler *compiler, flsi_relation *relation)
{
    static const struct {
        const char *text;
        flsi_relation relation;
    } signs[] = {{"==", FLSI_EQUAL},  {"!=", FLSI_NOT_EQUAL},     {"<=", FLSI_LESS_EQUAL},
                 {"<", FLSI_LESS},    {">=", FLSI_GREATER_EQUAL}, {">", FLSI_GREATER},
                 {"~", FLSI_CONTAINS}},
      words[] = {{"in", FLSI_IN},
                 {"contains", FLSI_CONTAINS},
                 {"starts_with", FLSI_STARTS},
                 {"ends_with", FLSI_ENDS}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (take(compiler, signs[i].text)) {
            *relation = signs[i].relation;
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (take_word(compiler, words[i].text)) {
            *relation = words[i].relation;
            return 1;
        }
    }
    if (compiler->next < compiler->end && *compiler->next == '=') {
        fail(compiler, compiler->next, "equal is ==");
    }
    return 0;
}

static flsi_relation turned(flsi_relation relation)
{
    switch (relation) {
    case FLSI_LESS: return FLSI_GREATER;
    case FLSI_LESS_EQUAL: return FLSI_GREATER_EQUAL;
    case FLSI_GREATER: return FLSI_LESS;
    case FLSI_GREATER_EQUAL: return FLSI_LESS_EQUAL;
    default: return relation;
    }
}

static const flsi_path *path_of(const flsi_compiler *compiler, const operand *side)
{
    return &compiler->program->paths[side->path];
}

static fls_value_kind kind_of(const flsi_compiler *compiler, const operand *side)
{
    return flsi_path_kind_of(path_of(compiler, side));
}

static int add_text(flsi_compiler *compiler, const flsi_literal *low, const flsi_literal *high)
{
    flsi_program *program = compiler->program;
    if (low->kind != FLSI_LITERAL_TEXT || high->kind != FLSI_LITERAL_TEXT) {
        const flsi_literal *wrong = low->kind != FLSI_LITERAL_TEXT ? low : high;
        if (wrong->kind == FLSI_LITERAL_NAME) {
            return flsi_query_fail(compiler, FLS_UNSUPPORTED, wrong->at,
                                   "there is no field '%.*s'; text stands in quotes",
                                   wrong->text_bytes < 48 ? (int)wrong->text_bytes : 48, wrong->at);
        }
        return fail(compiler, wrong->at, "this is compared with text, which stands in quotes");
    }
    if (program->text_count == compiler->room) {
        return fail(compiler, compiler->next, "too long");
    }
    program->texts[program->text_count++] =
        (flsi_text_range){low->text, low->text_bytes, high->text, high->text_bytes};
    return 1;
}

/* A word that is neither a field nor, where it stands, an enumerator. */
static int fail_no_field(flsi_compiler *compiler, const flsi_literal *name)
{
    size_t bytes = flsi_query_word(compiler, name->at);
    const char *near = flsi_query_near_field(compiler, compiler->root, name->at, bytes);
    int shown = bytes < 48 ? (int)bytes : 48;
    if (near != NULL) {
        return flsi_query_fail(compiler, FLS_UNSUPPORTED, name->at,
                               "there is no field '%.*s'; did you mean '%s'?", shown, name->at,
                               near);
    }
    return flsi_query_fail(compiler, FLS_UNSUPPORTED, name->at, "there is no field '%.*s'", shown,
                           name->at);
}

/* One constant, or with high a range of them, that a path is in relation to. */
static int add_constant(flsi_compiler *compiler, const operand *side, flsi_relation relation,
                        const flsi_literal *low, const flsi_literal *high, uint8_t *is_negated)
{
    const flsi_path *path = path_of(compiler, side);
    flsi_path number = *path;
    if (low->kind == FLSI_LITERAL_NAME && path->enumeration == FLS_SCHEMA_NONE &&
        path->end != FLSI_END_STRING) {
        return fail_no_field(compiler, low);
    }
    if (path->end == FLSI_END_STRING) {
        return add_text(compiler, low, high != NULL ? high : low);
    }
    if (path->end != FLSI_END_SCALAR) {
        number.type = FLS_TYPE_U32;
    }
    if (relation == FLSI_CONTAINS) {
        return flsi_literal_mask(compiler, &number, low);
    }
    return flsi_literal_range(compiler, &number, relation, low, high, is_negated);
}

/* {1, 5..9} or (1, 5..9), or 5..9 alone. */
static int read_set(flsi_compiler *compiler, const operand *side)
{
    int brace = take(compiler, "{");
    int parenthesis = !brace && take(compiler, "(");
    uint8_t unused;
    do {
        flsi_literal low;
        flsi_literal high;
        flsi_query_blanks(compiler);
        if (!flsi_literal_read(compiler, &low)) {
            return 0;
        }
        int is_range = take(compiler, "..");
        if (!is_range && !brace && !parenthesis) {
            return fail(compiler, compiler->next, "in takes a range 1..5 or a set {1, 2}");
        }
        flsi_query_blanks(compiler);
        if ((is_range && !flsi_literal_read(compiler, &high)) ||
            !add_constant(compiler, side, FLSI_IN, &low, is_range ? &high : NULL, &unused)) {
            return 0;
        }
    } while ((brace || parenthesis) && take(compiler, ","));
    if (brace) {
        return expect(compiler, "}", "a , or } belongs here");
    }
    return !parenthesis || expect(compiler, ")", "a , or ) belongs here");
}

static int is_of_text(flsi_relation relation)
{
    return relation >= FLSI_CONTAINS;
}

/* Whether a path can be in such a relation at all. */
static int suits(flsi_compiler *compiler, const operand *side, flsi_relation relation)
{
    fls_value_kind kind = kind_of(compiler, side);
    if (kind == FLS_VALUE_OBJECT) {
        return fail(compiler, side->at,
                    side->stand.kind >= FLSI_SCALAR_VECTOR
                        ? "this is a vector: compare an element, [*], or its length"
                    : side->stand.kind == FLSI_UNION
                        ? "this is a union: go on to a member, or compare its _type"
                        : "this is a table or struct: compare a field of it");
    }
    if (is_of_text(relation) && kind != FLS_VALUE_STRING &&
        !(relation == FLSI_CONTAINS && (kind == FLS_VALUE_I64 || kind == FLS_VALUE_U64))) {
        return fail(compiler, side->at, "only text can be asked that");
    }
    return 1;
}

static int push_constant_test(flsi_compiler *compiler, const operand *side, flsi_relation relation,
                              const flsi_literal *literal)
{
    const flsi_program *program = compiler->program;
    int is_text = kind_of(compiler, side) == FLS_VALUE_STRING;
    flsi_op op = {.code = FLSI_OP_TEST, .relation = (uint8_t)relation, .a = side->path};
    op.b = is_text ? program->text_count : program->range_count;
    if (relation == FLSI_IN) {
        if (!read_set(compiler, side)) {
            return 0;
        }
    } else if (!add_constant(compiler, side, relation, literal, NULL, &op.is_negated)) {
        return 0;
    }
    op.c = (is_text ? program->text_count : program->range_count) - op.b;
    if (is_text) {
        op.code = FLSI_OP_TEXT;
    } else if (relation == FLSI_CONTAINS) {
        op.code = FLSI_OP_MASK;
    }
    push(compiler, op);
    return compiler->status == FLS_OK;
}

static int is_number(fls_value_kind kind)
{
    return kind == FLS_VALUE_I64 || kind == FLS_VALUE_U64 || kind == FLS_VALUE_F64;
}

static int push_comparison(flsi_compiler *compiler, const operand *left, flsi_relation relation,
                           const operand *right)
{
    fls_value_kind a = kind_of(compiler, left);
    fls_value_kind b = kind_of(compiler, right);
    if (!suits(compiler, right, FLSI_EQUAL)) {
        return 0;
    }
    if (a != b && !(is_number(a) && is_number(b))) {
        return fail(compiler, right->at, "these two cannot be compared");
    }
    if (is_of_text(relation) && a != FLS_VALUE_STRING) {
        return fail(compiler, right->at, "a number belongs here");
    }
    if (a == FLS_VALUE_BOOL && relation != FLSI_EQUAL && relation != FLSI_NOT_EQUAL) {
        return fail(compiler, left->at, "true and false are not more or less");
    }
    push(compiler, (flsi_op){.code = FLSI_OP_COMPARE,
                             .relation = (uint8_t)relation,
                             .a = left->path,
                             .b = right->path});
    return compiler->status == FLS_OK;
}

static uint32_t push_loop(flsi_compiler *compiler, uint32_t loop, int is_all)
{
    return push(compiler, (flsi_op){.code = FLSI_OP_LOOP, .is_all = (uint8_t)is_all, .a = loop});
}

static void end_loop(flsi_compiler *compiler, uint32_t begin)
{
    flsi_op next = compiler->program->ops[begin];
    next.code = FLSI_OP_NEXT;
    next.c = begin + 1;
    push(compiler, next);
    compiler->program->ops[begin].c = compiler->program->op_count;
}

static void open_loops(flsi_compiler *compiler, const operand *side, uint32_t *begins,
                       uint32_t *count)
{
    for (uint32_t i = 0; side->is_path && i < side->loop_count; i++) {
        begins[(*count)++] = push_loop(compiler, side->first_loop + i, 0);
    }
}

/* A bare path of a bool, or has(path): no other side. */
static int push_single(flsi_compiler *compiler, const operand *side)
{
    const flsi_literal yes = {.kind = FLSI_LITERAL_BOOL, .at = side->at, .whole = 1};
    uint32_t begins[FLSI_LOOP_MOST];
    uint32_t count = 0;
    if (!side->is_path) {
        if (side->literal.kind != FLSI_LITERAL_BOOL) {
            return fail(compiler, compiler->next, "a comparison belongs here");
        }
        push(compiler, (flsi_op){.code = FLSI_OP_CONSTANT, .a = (uint32_t)side->literal.whole});
        return compiler->status == FLS_OK;
    }
    if (kind_of(compiler, side) != FLS_VALUE_BOOL) {
        return fail(compiler, compiler->next,
                    "a comparison belongs here; has(...) asks whether something is there");
    }
    open_loops(compiler, side, begins, &count);
    if (!push_constant_test(compiler, side, FLSI_EQUAL, &yes)) {
        return 0;
    }
    while (count > 0) {
        end_loop(compiler, begins[--count]);
    }
    return compiler->status == FLS_OK;
}

static int push_pair(flsi_compiler *compiler, operand *left, flsi_relation relation, operand *right)
{
    uint32_t begins[FLSI_LOOP_MOST];
    uint32_t count = 0;
    if (!left->is_path) {
        if (!right->is_path && left->literal.kind == FLSI_LITERAL_NAME) {
            return fail_no_field(compiler, &left->literal);
        }
        if (!right->is_path && right->literal.kind == FLSI_LITERAL_NAME) {
            return fail_no_field(compiler, &right->literal);
        }
        if (!right->is_path || is_of_text(relation) || relation == FLSI_IN) {
            return fail(compiler, left->at, "a field has to stand on the left side");
        }
        operand swapped = *left;
        *left = *right;
        *right = swapped;
        relation = turned(relation);
    }
    if (!suits(compiler, left, relation)) {
        return 0;
    }
    open_loops(compiler, left, begins, &count);
    open_loops(compiler, right, begins, &count);
    int pushed = right->is_path ? push_comparison(compiler, left, relation, right)
                                : push_constant_test(compiler, left, relation, &right->literal);
    while (count > 0) {
        end_loop(compiler, begins[--count]);
    }
    return pushed && compiler->status == FLS_OK;
}

static int parse_comparison(flsi_compiler *compiler)
{
    operand left;
    operand right;
    flsi_relation relation;
    uint32_t slots = compiler->slots;
    memset(&right, 0, sizeof right);
    if (!read_operand(compiler, &left, 0)) {
        return 0;
    }
    int done;
    if (!read_relation(compiler, &relation)) {
        done = compiler->status == FLS_OK && push_single(compiler, &left);
    } else if (relation != FLSI_IN && !read_operand(compiler, &right, 1)) {
        return 0;
    } else {
        done = push_pair(compiler, &left, relation, &right);
        flsi_query_blanks(compiler);
        const char *at = compiler->next;
        if (done && read_relation(compiler, &relation)) {
            return fail(compiler, at, "comparisons do not chain; join two with &&, or use in A..B");
        }
    }
    compiler->slots = slots;
    return done && compiler->status == FLS_OK;
}

/* ---- calls ---- */

static int parse_has(flsi_compiler *compiler)
{
    operand side;
    uint32_t begins[FLSI_LOOP_MOST];
    uint32_t count = 0;
    uint32_t slots = compiler->slots;
    memset(&side, 0, sizeof side);
    flsi_query_blanks(compiler);
    side.at = compiler->next;
    if (!read_path(compiler, &side)) {
        return 0;
    }
    open_loops(compiler, &side, begins, &count);
    push(compiler, (flsi_op){.code = FLSI_OP_HAS, .a = side.path});
    while (count > 0) {
        end_loop(compiler, begins[--count]);
    }
    compiler->slots = slots;
    return expect(compiler, ")", "a ) belongs here");
}

static int parse_or(flsi_compiler *compiler);

/* any(levels, @.price > 5 && @.size < 3) */
static int parse_loop(flsi_compiler *compiler, int is_all)
{
    operand side;
    uint32_t begins[FLSI_LOOP_MOST];
    uint32_t count = 0;
    uint32_t slots = compiler->slots;
    uint32_t at_slot = compiler->at_slot;
    memset(&side, 0, sizeof side);
    flsi_query_blanks(compiler);
    side.at = compiler->next;
    if (!read_path(compiler, &side)) {
        return 0;
    }
    if (side.stand.kind == FLSI_UNION_VECTOR) {
        flsi_path_leave_union_vector(compiler);
    }
    const flsi_loop *loop = flsi_path_loop(compiler, &side.stand, side.at);
    if (loop == NULL || !expect(compiler, ",", "a , and a condition belong here")) {
        return 0;
    }
    side.loop_count++;
    for (uint32_t i = 0; i < side.loop_count; i++) {
        begins[count++] = push_loop(compiler, side.first_loop + i, is_all);
    }
    compiler->at_slot = loop->slot + 1;
    if (!parse_or(compiler)) {
        return 0;
    }
    while (count > 0) {
        end_loop(compiler, begins[--count]);
    }
    compiler->slots = slots;
    compiler->at_slot = at_slot;
    return expect(compiler, ")", "a ) belongs here");
}

/* ---- the whole ---- */

static int parse_unary(flsi_compiler *compiler)
{
    flsi_query_blanks(compiler);
    const char *at = compiler->next;
    if (++compiler->depth > FLSI_DEPTH_MOST) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, at, "more than %u in each other",
                               FLSI_DEPTH_MOST);
    }
    int done;
    if (take(compiler, "!")) {
        done = parse_unary(compiler);
        push(compiler, (flsi_op){.code = FLSI_OP_NOT});
    } else if (take(compiler, "(")) {
        done = parse_or(compiler) && expect(compiler, ")", "a ) belongs here");
    } else if (take_call(compiler, "has")) {
        done = parse_has(compiler);
    } else if (take_call(compiler, "any")) {
        done = parse_loop(compiler, 0);
    } else if (take_call(compiler, "all")) {
        done = parse_loop(compiler, 1);
    } else {
        done = parse_comparison(compiler);
    }
    compiler->depth--;
    return done && compiler->status == FLS_OK;
}

/* Conditions with a sign between them; a jump goes over all that follow. */
static int parse_list(flsi_compiler *compiler, const char *sign, flsi_op_code jump,
                      int (*parse)(flsi_compiler *compiler))
{
    if (!parse(compiler)) {
        return 0;
    }
    while (take(compiler, sign)) {
        uint32_t at = push(compiler, (flsi_op){.code = (uint8_t)jump});
        if (compiler->status != FLS_OK || !parse(compiler)) {
            return 0;
        }
        compiler->program->ops[at].c = compiler->program->op_count;
    }
    return compiler->status == FLS_OK;
}

static int parse_and(flsi_compiler *compiler)
{
    return parse_list(compiler, "&&", FLSI_OP_JUMP_FALSE, parse_unary);
}

static int parse_or(flsi_compiler *compiler)
{
    return parse_list(compiler, "||", FLSI_OP_JUMP_TRUE, parse_and);
}

int flsi_predicate_parse(flsi_compiler *compiler)
{
    if (!parse_or(compiler)) {
        return 0;
    }
    flsi_query_blanks(compiler);
    if (compiler->next == compiler->end) {
        return 1;
    }
    char c = *compiler->next;
    if (c == '&' || c == '|') {
        return fail(compiler, compiler->next, c == '&' ? "and is &&" : "or is ||");
    }
    return fail(compiler, compiler->next, "&& or || belongs here");
}
