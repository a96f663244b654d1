/* Strings, scalars and rows of scalars as JSON. docs/JSON.md is what they follow.
 */
#include "flatbuf/characters.h"
#include "flatbuf/json_print_private.h"

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))

/* So many bytes of a string are printed between two questions for room; each may become six. */
#define STRETCH_BYTES 2048u
#define ESCAPE_BYTES  6u

/* So many elements between two questions for room. */
#define BLOCK_ELEMENTS 64u

/* The high bit of each byte that is not printed as it is: a control character, a quote, a
 * backslash, and all that is not ASCII. Bytes above such a byte may be marked by mistake, those
 * below are right: only the first one counts. */
FLSI_ALWAYS_INLINE uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE('"');
    uint64_t backslash = word ^ EACH_BYTE('\\');
    return ((word - EACH_BYTE(0x20u)) | (quote - EACH_BYTE(1u)) | (backslash - EACH_BYTE(1u)) |
            word) &
           EACH_BYTE(0x80u);
}

/* Prints the character at `from` that is no plain one; *used is how many bytes it has. */
static char *put_special(char *to, const uint8_t *from, size_t left, uint32_t *used)
{
    static const char hexadecimal[] = "0123456789abcdef";
    uint8_t byte = *from;
    *used = 1;
    if (byte >= 0x80) {
        uint32_t bytes = flsi_utf8_bytes(from, left);
        if (bytes != 0) {
            FLSI_COPY(to, from, bytes);
            *used = bytes;
            return to + bytes;
        }
        FLSI_COPY(to, "\\udc", 4);
        to[4] = hexadecimal[byte >> 4];
        to[5] = hexadecimal[byte & 15];
        return to + 6;
    }
    *to++ = '\\';
    switch (byte) {
    case '"':
    case '\\': *to++ = (char)byte; return to;
    case '\b': *to++ = 'b'; return to;
    case '\t': *to++ = 't'; return to;
    case '\n': *to++ = 'n'; return to;
    case '\f': *to++ = 'f'; return to;
    case '\r': *to++ = 'r'; return to;
    default: break;
    }
    FLSI_COPY(to, "u00", 3);
    to[3] = hexadecimal[byte >> 4];
    to[4] = hexadecimal[byte & 15];
    return to + 5;
}

/* Prints characters until one ends at or behind `stop`, which is within the string, and returns
 * where that is in *from; there is room. Words are read up to `limit`, where the message ends. */
static char *put_characters(char *to, const uint8_t **from, const uint8_t *stop, const uint8_t *end,
                            const uint8_t *limit)
{
    const uint8_t *at = *from;
    while (at < stop) {
        size_t left = (size_t)(end - at);
        uint64_t word = FLSI_UNLIKELY(limit - at < 8)
                            ? flsi_load_le_width(at, (uint32_t)(limit - at))
                            : flsi_load_le64(at);
        uint64_t special = special_bytes(word);
        flsi_store_le64(to, word);
        if (left < 8) {
            special |= (uint64_t)0x80 << (8 * left);
        }
        if (special == 0) {
            to += 8;
            at += 8;
            continue;
        }
        uint32_t plain = flsi_low_zero_bits(special) / 8;
        to += plain;
        at += plain;
        if (at != end) {
            uint32_t bytes;
            to = put_special(to, at, (size_t)(end - at), &bytes);
            at += bytes;
        }
    }
    *from = at;
    return to;
}

char *flsi_json_string(fls_json_printer *p, char *at, const uint8_t *string, size_t bytes)
{
    const uint8_t *end = string + bytes;
    at = flsi_json_room(p, at, 2);
    if (at == NULL) {
        return NULL;
    }
    *at++ = '"';
    while (string != end) {
        size_t left = (size_t)(end - string);
        size_t wanted = left < STRETCH_BYTES ? left : STRETCH_BYTES;
        /* Up to a word or a sequence beyond that, and the closing quote. */
        at = flsi_json_room(p, at, (wanted + 8) * ESCAPE_BYTES + 1);
        if (at == NULL) {
            return NULL;
        }
        at = put_characters(at, &string, string + wanted, end, p->payload_end);
    }
    *at++ = '"';
    return at;
}

/* ---- scalars ---- */

/* Of a float that is no number: whether it has a fraction, and its sign. */
static char *put_not_finite(char *to, int is_nan, int is_negative)
{
    const char *text = is_nan ? "\"nan\"" : is_negative ? "\"-inf\"" : "\"inf\"";
    size_t bytes = strlen(text);
    FLSI_COPY(to, text, bytes);
    return to + bytes;
}

FLSI_ALWAYS_INLINE char *put_f64(char *to, uint64_t bits)
{
    const uint64_t infinity = (uint64_t)0x7FF << 52;
    double value;
    if (FLSI_UNLIKELY((bits & infinity) == infinity)) {
        return put_not_finite(to, bits << 12 != 0, bits >> 63 != 0);
    }
    FLSI_COPY(&value, &bits, sizeof value);
    return flsi_print_f64(to, value);
}

FLSI_ALWAYS_INLINE char *put_f32(char *to, uint32_t bits)
{
    const uint32_t infinity = (uint32_t)0xFF << 23;
    float value;
    if (FLSI_UNLIKELY((bits & infinity) == infinity)) {
        return put_not_finite(to, bits << 9 != 0, bits >> 31 != 0);
    }
    FLSI_COPY(&value, &bits, sizeof value);
    return flsi_print_f32(to, value);
}

/* A number, or true or false. */
FLSI_ALWAYS_INLINE char *put_number(char *to, uint8_t type, const uint8_t *from)
{
    switch (type) {
    case FLS_TYPE_BOOL:
        if (*from != 0) {
            FLSI_COPY(to, "true", 4);
            return to + 4;
        }
        FLSI_COPY(to, "false", 5);
        return to + 5;
    case FLS_TYPE_I8: return flsi_put_i64(to, (int8_t)*from);
    case FLS_TYPE_I16: return flsi_put_i64(to, (int16_t)flsi_load_le16(from));
    case FLS_TYPE_U16: return flsi_put_up_to_eight(to, flsi_load_le16(from));
    case FLS_TYPE_I32: return flsi_put_i64(to, (int32_t)flsi_load_le32(from));
    case FLS_TYPE_U32: return flsi_put_u64(to, flsi_load_le32(from));
    case FLS_TYPE_I64: return flsi_put_i64(to, (int64_t)flsi_load_le64(from));
    case FLS_TYPE_U64: return flsi_put_u64(to, flsi_load_le64(from));
    case FLS_TYPE_F32: return put_f32(to, flsi_load_le32(from));
    case FLS_TYPE_F64: return put_f64(to, flsi_load_le64(from));
    default: return flsi_put_up_to_eight(to, *from);
    }
}

/* The names of all bits, ascending, joined by blanks; NULL when a bit has none, or there are no
 * bits. */
static char *put_flags(const fls_json_printer *p, char *to, uint32_t enumeration, uint64_t bits)
{
    const flsi_enumeration *owner = &p->schema->enumerations[enumeration];
    const flsi_value *values = p->schema->values + owner->first_value;
    uint64_t unnamed = bits;
    /* A highest bit of 64 makes a value negative, and the first; it belongs behind the others. */
    uint32_t first = owner->value_count != 0 && values[0].value < 0;
    for (uint32_t i = 0; i < owner->value_count; i++) {
        uint32_t index = i + first < owner->value_count ? i + first : 0;
        uint64_t mask = (uint64_t)values[index].value;
        if ((bits & mask) != 0) {
            const flsi_json_text *name = &p->names[owner->first_value + index];
            FLSI_COPY(to, name->text, name->bytes - 1); /* with a quote in front */
            *to = ' ';
            to += name->bytes - 1;
            unnamed &= ~mask;
        }
    }
    return bits != 0 && unnamed == 0 ? to : NULL;
}

char *flsi_json_scalar(const fls_json_printer *p, char *at, const flsi_json_field *field,
                       const uint8_t *from)
{
    if (field->names == FLSI_JSON_NUMBERS) {
        return put_number(at, field->type, from);
    }
    int64_t whole = flsi_json_whole(field->type, from);
    const flsi_value *value = flsi_schema_value(p->schema, field->enumeration, whole);
    if (value != NULL) {
        const flsi_json_text *name = &p->names[value - p->schema->values];
        return flsi_json_put(at, name->text, name->bytes);
    }
    if (field->names == FLSI_JSON_FLAGS) {
        char *end = put_flags(p, at, field->enumeration, (uint64_t)whole);
        if (end != NULL) {
            *at = '"';
            *end++ = '"';
            return end;
        }
    }
    return put_number(at, field->type, from);
}

/* ---- rows ---- */

/* `count` elements of `bytes` bytes, each with a comma behind; there is room. */
#define PUT_EACH(bytes, put)               \
    for (uint32_t i = 0; i < count; i++) { \
        at = put;                          \
        *at++ = ',';                       \
        from += (bytes);                   \
    }                                      \
    break

static char *put_block(const fls_json_printer *p, char *at, const flsi_json_field *field,
                       const uint8_t *from, uint32_t count)
{
    if (field->names != FLSI_JSON_NUMBERS) {
        for (uint32_t i = 0; i < count; i++) {
            at = flsi_json_scalar(p, at, field, from + (size_t)i * field->element_bytes);
            *at++ = ',';
        }
        return at;
    }
    switch (field->type) {
    case FLS_TYPE_U8:
        for (uint32_t i = 0; i < count; i++) {
            FLSI_COPY(at, &p->byte_texts[from[i]], sizeof p->byte_texts[0]);
            at += p->byte_text_bytes[from[i]];
        }
        return at;
    case FLS_TYPE_U16: PUT_EACH(2, flsi_put_up_to_eight(at, flsi_load_le16(from)));
    case FLS_TYPE_F32: PUT_EACH(4, put_f32(at, flsi_load_le32(from)));
    case FLS_TYPE_F64: PUT_EACH(8, put_f64(at, flsi_load_le64(from)));
    default: PUT_EACH(field->element_bytes, put_number(at, field->type, from));
    }
    return at;
}

char *flsi_json_scalars(fls_json_printer *p, char *at, const flsi_json_field *field,
                        const uint8_t *from, uint32_t count)
{
    size_t element_room = field->element_room;
    at = flsi_json_room(p, at, 2);
    if (at == NULL) {
        return NULL;
    }
    *at++ = '[';
    if (count == 0) {
        *at++ = ']';
        return at;
    }
    while (count != 0) {
        uint32_t block = count < BLOCK_ELEMENTS ? count : BLOCK_ELEMENTS;
        at = flsi_json_room(p, at, block * element_room);
        if (at == NULL) {
            return NULL;
        }
        at = put_block(p, at, field, from, block);
        from += (size_t)block * field->element_bytes;
        count -= block;
    }
    at[-1] = ']';
    return at;
}
