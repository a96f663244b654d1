/* Constants of conditions: reading them, and making of each what the compared field can be tested
 * against at once.
 *
 * Whole numbers are compared exactly, whatever is written: x > 2.5 is x >= 3. Against a float a
 * constant is first rounded to the float's own width, so that 0.1 is what 0.1 was stored as.
 */
#include "flatbuf/characters.h"
#include "flatbuf/query_private.h"
#include "flatbuf/scalars.h"

/* ---- reading ---- */

/* A number that is not in the way of the two points of a range. */
static const char *number_end(const flsi_compiler *compiler, const char *at)
{
    const char *end = at;
    while (end < compiler->end) {
        char c = *end;
        int sign = (c == '-' || c == '+') && (end == at || end[-1] == 'e' || end[-1] == 'E');
        int point = c == '.' && !(end + 1 < compiler->end && end[1] == '.');
        if (!sign && !point && !(c >= '0' && c <= '9') && c != 'e' && c != 'E') {
            break;
        }
        end++;
    }
    return end;
}

/* At the x of 0x. */
static int read_hex(flsi_compiler *compiler, flsi_literal *literal, const char *at)
{
    const char *next = at + 1;
    for (; next < compiler->end && flsi_hex_digit(*next) >= 0; next++) {
        if (literal->whole >> 60 != 0) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                                   "more than 64 bits");
        }
        literal->whole = literal->whole * 16 + (uint64_t)flsi_hex_digit(*next);
    }
    if (next == at + 1) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, next, "digits belong here");
    }
    literal->is_hex = 1;
    compiler->next = next;
    return 1;
}

static int read_number(flsi_compiler *compiler, flsi_literal *literal)
{
    const char *at = literal->at;
    literal->kind = FLSI_LITERAL_NUMBER;
    if (*at == '-' || *at == '+') {
        literal->is_negative = *at == '-';
        at++;
    }
    if (flsi_query_word(compiler, at) == 3 && memcmp(at, "inf", 3) == 0) {
        literal->special = 'i';
        compiler->next = at + 3;
        return 1;
    }
    if (compiler->end - at > 1 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        return read_hex(compiler, literal, at + 1);
    }
    const char *end = number_end(compiler, at);
    at -= literal->is_negative;
    if (!flsi_number_scan(&literal->number, at, end) || literal->number.end != end) {
        const char *wrong = literal->number.end != NULL ? literal->number.end : at;
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, wrong, "not a number");
    }
    if (flsi_query_word(compiler, end) > 0) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, end,
                               "numbers have no units: write them out");
    }
    compiler->next = end;
    return 1;
}

static void put(flsi_compiler *compiler, uint32_t byte)
{
    compiler->program->pool[compiler->program->pool_bytes++] = (char)byte;
}

/* count hexadecimal digits at next; -1 when there are not so many. */
static int64_t hex_at(const flsi_compiler *compiler, const char *next, int count)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++, next++) {
        if (next >= compiler->end || flsi_hex_digit(*next) < 0) {
            return -1;
        }
        value = value * 16 + flsi_hex_digit(*next);
    }
    return value;
}

/* Behind the backslash; where it ends, or NULL. */
static const char *read_escape(flsi_compiler *compiler, const char *next)
{
    static const char letters[] = "\"\\/'bfnrt";
    static const char meanings[] = "\"\\/'\b\f\n\r\t";
    if (next == compiler->end) {
        return NULL;
    }
    const char *letter = *next != '\0' ? strchr(letters, *next) : NULL;
    if (letter != NULL) {
        put(compiler, (uint8_t)meanings[letter - letters]);
        return next + 1;
    }
    int64_t value = hex_at(compiler, next + 1, *next == 'x' ? 2 : 4);
    if ((*next != 'x' && *next != 'u') || value < 0) {
        return NULL;
    }
    if (*next == 'x') {
        put(compiler, (uint32_t)value);
        return next + 3;
    }
    next += 5;
    if (value >= 0xDC00 && value < 0xE000) {
        return NULL;
    }
    if (value >= 0xD800 && value < 0xDC00) {
        int64_t low = compiler->end - next >= 6 && next[0] == '\\' && next[1] == 'u'
                          ? hex_at(compiler, next + 2, 4)
                          : -1;
        if (low < 0xDC00 || low >= 0xE000) {
            return NULL;
        }
        value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    flsi_program *program = compiler->program;
    program->pool_bytes +=
        flsi_utf8_put((uint8_t *)program->pool + program->pool_bytes, (uint32_t)value);
    return next;
}

/* "text" or 'text'; what it means is never longer than what is written. */
static int read_text(flsi_compiler *compiler, flsi_literal *literal)
{
    char quote = *literal->at;
    const char *next = literal->at + 1;
    literal->kind = FLSI_LITERAL_TEXT;
    literal->text = compiler->program->pool_bytes;
    while (next < compiler->end && *next != quote) {
        if (*next != '\\') {
            put(compiler, (uint8_t)*next++);
            continue;
        }
        const char *behind = read_escape(compiler, next + 1);
        if (behind == NULL) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, next,
                                   "no escape: \\\" \\\\ \\n \\t \\xHH \\uHHHH and so on");
        }
        next = behind;
    }
    if (next == compiler->end) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                               "the text has no closing quote");
    }
    literal->text_bytes = compiler->program->pool_bytes - literal->text;
    compiler->next = next + 1;
    return 1;
}

/* true, false, inf, or an enumerator: Fault or Mode.Fault. */
static int read_name(flsi_compiler *compiler, flsi_literal *literal)
{
    size_t bytes = flsi_query_word(compiler, literal->at);
    if ((bytes == 4 && memcmp(literal->at, "true", 4) == 0) ||
        (bytes == 5 && memcmp(literal->at, "false", 5) == 0)) {
        literal->kind = FLSI_LITERAL_BOOL;
        literal->whole = bytes == 4;
    } else if (bytes == 3 && memcmp(literal->at, "inf", 3) == 0) {
        return read_number(compiler, literal);
    } else {
        literal->kind = FLSI_LITERAL_NAME;
        while (literal->at + bytes < compiler->end && literal->at[bytes] == '.') {
            size_t more = flsi_query_word(compiler, literal->at + bytes + 1);
            if (more == 0) {
                break;
            }
            bytes += 1 + more;
        }
        literal->text_bytes = (uint32_t)bytes;
    }
    compiler->next = literal->at + bytes;
    return 1;
}

int flsi_literal_read(flsi_compiler *compiler, flsi_literal *literal)
{
    memset(literal, 0, sizeof *literal);
    literal->at = compiler->next;
    if (compiler->next == compiler->end) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next,
                               "something to compare with belongs here");
    }
    char c = *compiler->next;
    if (c == '"' || c == '\'') {
        return read_text(compiler, literal);
    }
    if ((c >= '0' && c <= '9') || c == '-' || c == '+') {
        return read_number(compiler, literal);
    }
    if (flsi_query_word(compiler, compiler->next) > 0) {
        return read_name(compiler, literal);
    }
    return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next,
                           "a field, number or text belongs here, not '%c'", c);
}

/* ---- whole numbers ---- */

/* A number cut to the whole one next to it towards zero. */
typedef struct cut_number {
    uint64_t magnitude;
    uint8_t is_negative;
    uint8_t is_huge;    /* beyond 64 bits */
    uint8_t is_between; /* something was cut off */
} cut_number;

/* 20 digits, which may be in range, and more behind the point: those before it. 0 when they cannot
 * be told apart so. */
static int cut_at_point(const flsi_number *number, cut_number *cut)
{
    flsi_number before;
    const char *point = memchr(number->text, '.', (size_t)(number->end - number->text));
    size_t bytes = (size_t)(number->end - number->text);
    if (point == NULL || memchr(number->text, 'e', bytes) != NULL ||
        memchr(number->text, 'E', bytes) != NULL ||
        !flsi_number_scan(&before, number->text, point)) {
        return 0;
    }
    cut->is_between = 1;
    /* That there is something behind the largest number puts it beyond all of them. */
    cut->is_huge = !flsi_number_to_u64(&before, &cut->magnitude) || cut->magnitude == UINT64_MAX;
    return 1;
}

static int cut_decimal(const flsi_number *number, cut_number *cut)
{
    int64_t whole;
    if (flsi_number_to_u64(number, &cut->magnitude)) {
        cut->is_negative = 0;
        return 1;
    }
    if (flsi_number_to_i64(number, &whole)) {
        cut->magnitude = 0 - (uint64_t)whole;
        return 1;
    }
    if (number->is_cut && number->exponent == 1 && !number->is_whole) {
        return cut_at_point(number, cut);
    }
    if (number->exponent > 0 || (number->exponent == 0 && !number->is_cut)) {
        cut->is_huge = 1;
        return 1;
    }
    uint64_t divisor = 1;
    int32_t places = -number->exponent;
    cut->is_between = 1;
    for (; places > 0 && divisor <= UINT64_MAX / 10; places--) {
        divisor *= 10;
    }
    cut->magnitude = places > 0 ? 0 : number->digits / divisor;
    return 1;
}

/* The enumerator of a text or name; FLS_SCHEMA_NONE after a failure. */
static const flsi_value *find_name(flsi_compiler *compiler, const flsi_path *path,
                                   const flsi_literal *literal, const char *name, size_t bytes)
{
    const fls_schema *schema = compiler->schema;
    const flsi_enumeration *in = &schema->enumerations[path->enumeration];
    size_t in_bytes = strlen(in->name);
    for (size_t i = bytes; i-- > 0;) {
        /* Mode.Fault, and telemetry.Mode.Fault: the end of the enumeration's name is in front. */
        if (i <= in_bytes && name[i] == '.' && memcmp(in->name + in_bytes - i, name, i) == 0 &&
            (i == in_bytes || in->name[in_bytes - i - 1] == '.')) {
            name += i + 1;
            bytes -= i + 1;
            break;
        }
    }
    uint32_t index = flsi_schema_value_named(schema, path->enumeration, name, bytes);
    if (index != FLS_SCHEMA_NONE) {
        return &schema->values[index];
    }
    const char *near = flsi_query_near_value(compiler, path->enumeration, name, bytes);
    int shown = bytes < 48 ? (int)bytes : 48;
    if (near != NULL) {
        flsi_query_fail(compiler, FLS_UNSUPPORTED, literal->at,
                        "there is no '%.*s' in %s; did you mean '%s'?", shown, name, in->name,
                        near);
    } else {
        flsi_query_fail(compiler, FLS_UNSUPPORTED, literal->at, "there is no '%.*s' in %s", shown,
                        name, in->name);
    }
    return NULL;
}

/* Of bit flags several names with blanks between are all of them. */
static int read_enumerator(flsi_compiler *compiler, const flsi_path *path,
                           const flsi_literal *literal, uint64_t *bits)
{
    const char *name =
        literal->kind == FLSI_LITERAL_TEXT ? compiler->program->pool + literal->text : literal->at;
    size_t left = literal->text_bytes;
    int many = compiler->schema->enumerations[path->enumeration].is_bit_flags;
    *bits = 0;
    do {
        const char *blank = many ? memchr(name, ' ', left) : NULL;
        size_t bytes = blank != NULL ? (size_t)(blank - name) : left;
        const flsi_value *value = find_name(compiler, path, literal, name, bytes);
        if (value == NULL) {
            return 0;
        }
        *bits |= (uint64_t)value->value;
        name += bytes + (blank != NULL);
        left -= bytes + (blank != NULL);
    } while (left > 0);
    return 1;
}

/* A constant for a whole number or bool. 0 after a failure. */
static int read_cut(flsi_compiler *compiler, const flsi_path *path, const flsi_literal *literal,
                    cut_number *cut)
{
    uint64_t bits;
    memset(cut, 0, sizeof *cut);
    cut->is_negative = literal->is_negative;
    if (literal->kind == FLSI_LITERAL_TEXT || literal->kind == FLSI_LITERAL_NAME) {
        if (path->enumeration == FLS_SCHEMA_NONE) {
            return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                                   "a number and text cannot be compared");
        }
        if (!read_enumerator(compiler, path, literal, &bits)) {
            return 0;
        }
        cut->is_negative = flsi_is_signed(path->type) && bits >> 63 != 0;
        cut->magnitude = cut->is_negative ? 0 - bits : bits;
        return 1;
    }
    if ((literal->kind == FLSI_LITERAL_BOOL) != (path->type == FLS_TYPE_BOOL)) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                               path->type == FLS_TYPE_BOOL ? "this is true or false, no number"
                                                           : "this is a number, not true or false");
    }
    if (literal->kind == FLSI_LITERAL_BOOL || literal->is_hex) {
        cut->magnitude = literal->whole;
        return 1;
    }
    if (literal->special) {
        cut->is_huge = 1;
        return 1;
    }
    return cut_decimal(&literal->number, cut) ||
           flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                           "too many digits to compare with a whole number");
}

/* One end of a range of whole numbers, on a scale on which the order is that of u64: of signed ones
 * moved up by 2^63. */
typedef struct scale_end {
    uint64_t value;
    int beyond; /* -1 below the scale, 1 above it */
} scale_end;

static scale_end on_scale(int negative, uint64_t magnitude, int with_sign)
{
    const uint64_t half = UINT64_C(1) << 63;
    negative = negative && magnitude > 0;
    if (!with_sign) {
        return (scale_end){magnitude, negative ? -1 : 0};
    }
    if (negative) {
        return (scale_end){half - magnitude, magnitude > half ? -1 : 0};
    }
    return (scale_end){half + magnitude, magnitude >= half ? 1 : 0};
}

/* The largest whole number that is not more, and the smallest that is not less. */
static scale_end floor_of(const cut_number *cut, int with_sign)
{
    if (cut->is_huge) {
        return (scale_end){0, cut->is_negative ? -1 : 1};
    }
    if (cut->is_negative && cut->is_between) {
        return on_scale(1, cut->magnitude + 1, with_sign);
    }
    return on_scale(cut->is_negative, cut->magnitude, with_sign);
}

static scale_end ceiling_of(const cut_number *cut, int with_sign)
{
    if (!cut->is_huge && !cut->is_negative && cut->is_between) {
        return on_scale(0, cut->magnitude + 1, with_sign);
    }
    if (!cut->is_huge) {
        return on_scale(cut->is_negative, cut->magnitude, with_sign);
    }
    return floor_of(cut, with_sign);
}

static void add_range(flsi_compiler *compiler, uint64_t low, uint64_t span)
{
    flsi_program *program = compiler->program;
    if (program->range_count == compiler->room) {
        flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, compiler->next, "too long");
        return;
    }
    program->ranges[program->range_count++] = (flsi_range){low, span};
}

/* From low to high on the scale, where both belong to it; the ends pushed in by a number if `open`.
 */
static void add_whole(flsi_compiler *compiler, scale_end low, int low_open, scale_end high,
                      int high_open, int with_sign)
{
    uint64_t from = low.beyond < 0 ? 0 : low.value;
    uint64_t to = high.beyond > 0 ? UINT64_MAX : high.value;
    if (low.beyond > 0 || high.beyond < 0) {
        return;
    }
    if (low_open && low.beyond == 0) {
        if (from == UINT64_MAX) {
            return;
        }
        from++;
    }
    if (high_open && high.beyond == 0) {
        if (to == 0) {
            return;
        }
        to--;
    }
    if (from <= to) {
        add_range(compiler, with_sign ? from ^ UINT64_C(1) << 63 : from, to - from);
    }
}

static int whole_range(flsi_compiler *compiler, const flsi_path *path, flsi_relation relation,
                       const flsi_literal *low, const flsi_literal *high)
{
    const scale_end first = {0, -1};
    const scale_end last = {0, 1};
    int with_sign = flsi_is_signed(path->type);
    cut_number from;
    cut_number to;
    if (!read_cut(compiler, path, low, &from) ||
        !read_cut(compiler, path, high != NULL ? high : low, &to)) {
        return 0;
    }
    if (path->type == FLS_TYPE_BOOL && relation >= FLSI_LESS && relation <= FLSI_GREATER_EQUAL) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, low->at,
                               "true and false are not more or less");
    }
    scale_end floor = floor_of(&to, with_sign);
    scale_end ceiling = ceiling_of(&from, with_sign);
    int whole = !from.is_between;
    switch (relation) {
    case FLSI_LESS: add_whole(compiler, first, 0, floor, whole, with_sign); break;
    case FLSI_LESS_EQUAL: add_whole(compiler, first, 0, floor, 0, with_sign); break;
    case FLSI_GREATER: add_whole(compiler, ceiling, whole, last, 0, with_sign); break;
    case FLSI_GREATER_EQUAL: add_whole(compiler, ceiling, 0, last, 0, with_sign); break;
    default: add_whole(compiler, ceiling, 0, floor, 0, with_sign); break;
    }
    return compiler->status == FLS_OK;
}

/* ---- floats ---- */

#define INFINITE UINT64_C(0x7FF0000000000000)
#define SIGN     UINT64_C(0x8000000000000000)

/* The next double up; of the largest that is infinity. */
static double above(double value)
{
    uint64_t bits = flsi_to_bits(value);
    if (value == 0) {
        return flsi_of_bits(1);
    }
    if (bits == INFINITE) {
        return value;
    }
    return flsi_of_bits(bits & SIGN ? bits - 1 : bits + 1);
}

static double below(double value)
{
    return -above(-value);
}

static int read_float(flsi_compiler *compiler, const flsi_path *path, const flsi_literal *literal,
                      double *value)
{
    float narrow;
    if (literal->kind != FLSI_LITERAL_NUMBER) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                               "a number belongs here: this is compared with a float");
    }
    if (literal->special || literal->is_hex) {
        *value = literal->special ? flsi_of_bits(INFINITE) : (double)literal->whole;
        *value =
            literal->is_hex && path->type == FLS_TYPE_F32 ? (double)(float)literal->whole : *value;
        *value = literal->is_negative ? -*value : *value;
        return 1;
    }
    if (path->type == FLS_TYPE_F32 && flsi_number_to_f32(&literal->number, &narrow)) {
        *value = (double)narrow;
        return 1;
    }
    /* What no f32 can be stands for itself. */
    return flsi_number_to_f64(&literal->number, value) ||
           flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at, "too large for a float");
}

static int float_range(flsi_compiler *compiler, const flsi_path *path, flsi_relation relation,
                       const flsi_literal *low, const flsi_literal *high)
{
    const double infinite = flsi_of_bits(INFINITE);
    double from = 0;
    double to = 0;
    if (!read_float(compiler, path, low, &from) ||
        !read_float(compiler, path, high != NULL ? high : low, &to)) {
        return 0;
    }
    switch (relation) {
    case FLSI_LESS:
        if (to == -infinite) {
            return 1;
        }
        from = -infinite;
        to = below(to);
        break;
    case FLSI_LESS_EQUAL: from = -infinite; break;
    case FLSI_GREATER:
        if (from == infinite) {
            return 1;
        }
        from = above(from);
        to = infinite;
        break;
    case FLSI_GREATER_EQUAL: to = infinite; break;
    default: break;
    }
    add_range(compiler, flsi_to_bits(from), flsi_to_bits(to));
    return compiler->status == FLS_OK;
}

int flsi_literal_range(flsi_compiler *compiler, const flsi_path *path, flsi_relation relation,
                       const flsi_literal *low, const flsi_literal *high, uint8_t *is_negated)
{
    *is_negated = relation == FLSI_NOT_EQUAL;
    if (path->type == FLS_TYPE_F32 || path->type == FLS_TYPE_F64) {
        return float_range(compiler, path, relation, low, high);
    }
    return whole_range(compiler, path, relation, low, high);
}

int flsi_literal_mask(flsi_compiler *compiler, const flsi_path *path, const flsi_literal *literal)
{
    cut_number cut;
    if (path->type == FLS_TYPE_BOOL || path->type == FLS_TYPE_F32 || path->type == FLS_TYPE_F64) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                               "only text and whole numbers contain something");
    }
    if (!read_cut(compiler, path, literal, &cut)) {
        return 0;
    }
    if (cut.is_huge || cut.is_between) {
        return flsi_query_fail(compiler, FLS_INVALID_ARGUMENT, literal->at,
                               "bits are those of a whole number");
    }
    add_range(compiler, cut.is_negative ? 0 - cut.magnitude : cut.magnitude, 0);
    return compiler->status == FLS_OK;
}
