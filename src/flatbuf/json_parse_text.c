/* The text's lowest level: white space, strings, and values that are passed over.
 *
 * Strings are looked at 16 bytes at a time where the compiler has SSE2 and 8 at a time elsewhere,
 * for the first byte that is a quote, a backslash, a control character or not ASCII.
 */
#include "flatbuf/characters.h"
#include "flatbuf/json_parse_private.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* A text ends in a zero, which no character goes on with: its end needs no other look. */
#define MOST_UTF8_BYTES 4u

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

FLSI_NOINLINE const uint8_t *flsi_parse_space_slow(const uint8_t *at)
{
    for (;;) {
        while (flsi_load_le64(at) == EACH_BYTE(' ')) {
            at += 8;
        }
        if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t') {
            return at;
        }
        at++;
    }
}

/* ---- strings ---- */

/* The first byte that does not simply stand for itself. */
FLSI_ALWAYS_INLINE const uint8_t *plain_end(const uint8_t *at)
{
#if defined(__SSE2__)
    for (;; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed: below a space are control characters and all that is not ASCII. */
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                    _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                                                 _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '))));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0) {
            return at + flsi_parse_lowest(mask);
        }
    }
#else
    for (;; at += 8) {
        uint64_t bytes = flsi_load_le64(at);
        uint64_t quote = bytes ^ EACH_BYTE('"');
        uint64_t escape = bytes ^ EACH_BYTE('\\');
        /* Wrong only above a byte for which it is right. */
        uint64_t stop = ((quote - EACH_BYTE(1)) & ~quote) | ((escape - EACH_BYTE(1)) & ~escape) |
                        ((bytes - EACH_BYTE(' ')) & ~bytes) | bytes;
        stop &= EACH_BYTE(0x80);
        if (stop != 0) {
            return at + flsi_parse_lowest(stop) / 8;
        }
    }
#endif
}

/* Over everything that needs no decoding. */
static const uint8_t *raw_end(const uint8_t *at)
{
    for (;;) {
        at = plain_end(at);
        size_t bytes = *at < 0x80 ? 0 : flsi_utf8_bytes(at, MOST_UTF8_BYTES);
        if (bytes == 0) {
            return at;
        }
        at += bytes;
        while (*at >= 0x80 && (bytes = flsi_utf8_bytes(at, MOST_UTF8_BYTES)) != 0) {
            at += bytes;
        }
    }
}

static const uint8_t *hex4(const uint8_t *at, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 4; i++) {
        int digit = flsi_hex_digit((char)at[i]);
        if (digit < 0) {
            return NULL;
        }
        *value = *value << 4 | (uint32_t)digit;
    }
    return at + 4;
}

/* From behind "\u". */
static const uint8_t *unicode_escape(fls_json_parser *p, const uint8_t *at, uint8_t *to,
                                     size_t *bytes)
{
    static const char lone[] = "half of a surrogate pair";
    uint32_t code;
    uint32_t low;
    const uint8_t *next = hex4(at, &code);
    if (next == NULL) {
        return flsi_parse_fail(p, at - 2, "an escape without four hexadecimal digits");
    }
    if (code >= 0xDC80 && code <= 0xDCFF) { /* a byte that is not UTF-8, as it is printed */
        *to = (uint8_t)code;
        *bytes = 1;
        return next;
    }
    if (code >= 0xDC00 && code < 0xE000) {
        return flsi_parse_fail(p, at - 2, lone);
    }
    if (code >= 0xD800 && code < 0xDC00) {
        next = next[0] == '\\' && next[1] == 'u' ? hex4(next + 2, &low) : NULL;
        if (next == NULL || low < 0xDC00 || low >= 0xE000) {
            return flsi_parse_fail(p, at - 2, lone);
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *bytes = flsi_utf8_put(to, code);
    return next;
}

/* From a backslash. */
static const uint8_t *escape(fls_json_parser *p, const uint8_t *at, uint8_t *to, size_t *bytes)
{
    uint8_t byte;
    switch (at[1]) {
    case '"':
    case '\\':
    case '/': byte = at[1]; break;
    case 'b': byte = '\b'; break;
    case 'f': byte = '\f'; break;
    case 'n': byte = '\n'; break;
    case 'r': byte = '\r'; break;
    case 't': byte = '\t'; break;
    case 'u': return unicode_escape(p, at + 2, to, bytes);
    default: return flsi_parse_fail(p, at, "an escape that JSON does not have");
    }
    *to = byte;
    *bytes = 1;
    return at + 2;
}

/* With escapes: decoded on top of the stack, which is not moved up. stop is the first of them. */
static FLSI_NOINLINE const uint8_t *decode(fls_json_parser *p, const uint8_t *at,
                                           const uint8_t *stop, const uint8_t **text, size_t *bytes)
{
    size_t used = p->used;
    size_t length = 0;
    for (;;) {
        size_t raw = (size_t)(stop - at);
        if (!flsi_parse_ensure(p, raw + 4, at)) {
            return NULL;
        }
        memcpy(p->stack + p->used, at, raw);
        p->used += raw;
        if (*stop == '"') {
            break;
        }
        if (*stop != '\\') {
            p->used = used;
            return flsi_parse_unexpected(
                p, stop, *stop < ' ' ? "a control character in a string" : "not UTF-8");
        }
        at = escape(p, stop, p->stack + p->used, &length);
        if (at == NULL) {
            return NULL;
        }
        p->used += length;
        stop = raw_end(at);
    }
    *text = p->stack + used;
    *bytes = p->used - used;
    p->used = used;
    return stop + 1;
}

const uint8_t *flsi_parse_string(fls_json_parser *p, const uint8_t *at, const uint8_t **text,
                                 size_t *bytes)
{
    const uint8_t *stop = plain_end(at);
    if (FLSI_UNLIKELY(*stop >= 0x80)) {
        stop = raw_end(stop);
    }
    if (FLSI_UNLIKELY(*stop != '"')) {
        return decode(p, at, stop, text, bytes);
    }
    *text = at;
    *bytes = (size_t)(stop - at);
    return stop + 1;
}

/* ---- passing over ---- */

static const uint8_t *digits_end(const uint8_t *at)
{
    while (*at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* NULL when it is not a number. */
static const uint8_t *number_end(const uint8_t *at)
{
    at += *at == '-';
    const uint8_t *next = *at == '0' ? at + 1 : digits_end(at);
    if (next == at) {
        return NULL;
    }
    if (*next == '.') {
        at = next + 1;
        next = digits_end(at);
        if (next == at) {
            return NULL;
        }
    }
    if ((*next | 0x20) == 'e') {
        at = next + 1 + (next[1] == '+' || next[1] == '-');
        next = digits_end(at);
        if (next == at) {
            return NULL;
        }
    }
    return next;
}

static const uint8_t *skip_plain(fls_json_parser *p, const uint8_t *at)
{
    static const char *const words[] = {"null", "true", "false"};
    const uint8_t *text;
    size_t bytes;
    if (*at == '"') {
        return flsi_parse_string(p, at + 1, &text, &bytes);
    }
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        bytes = strlen(words[i]);
        if (memcmp(at, words[i], bytes) == 0) {
            return at + bytes;
        }
    }
    text = number_end(at);
    return text != NULL ? text : flsi_parse_unexpected(p, at, "not a JSON value");
}

const uint8_t *flsi_parse_bare_name(const uint8_t *at)
{
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' ||
           (*at >= '0' && *at <= '9')) {
        at++;
    }
    return at;
}

static const uint8_t *skip_key(fls_json_parser *p, const uint8_t *at)
{
    const uint8_t *text;
    size_t bytes;
    const uint8_t *next = p->lenient ? flsi_parse_bare_name(at) : at;
    if (*at == '"') {
        next = flsi_parse_string(p, at + 1, &text, &bytes);
        if (next == NULL) {
            return NULL;
        }
    } else if (next == at) {
        return flsi_parse_unexpected(p, at, "not a key in quotes");
    }
    at = flsi_parse_space(next);
    return *at == ':' ? flsi_parse_space(at + 1)
                      : flsi_parse_unexpected(p, at, "a key without a colon");
}

/* Behind a value in the brackets above base: closes those that end here, and goes on to the next
 * value, or behind the outermost. */
static const uint8_t *skip_closing(fls_json_parser *p, const uint8_t *at, size_t base)
{
    while (p->used > base) {
        uint8_t closing = p->stack[p->used - 1];
        int more = flsi_parse_more(p, &at, closing);
        if (more < 0) {
            return NULL;
        }
        if (more > 0) {
            return closing == '}' ? skip_key(p, at) : at;
        }
        p->used--;
    }
    return at;
}

/* The brackets that are open lie on the stack, so that no depth of nesting matters. */
const uint8_t *flsi_parse_skip(fls_json_parser *p, const uint8_t *at)
{
    size_t base = p->used;
    do {
        if (*at == '{' || *at == '[') {
            uint8_t closing = *at == '{' ? '}' : ']';
            if (!flsi_parse_ensure(p, 1, at)) {
                return NULL;
            }
            at = flsi_parse_space(at + 1);
            if (*at != closing) {
                p->stack[p->used++] = closing;
                at = closing == '}' ? skip_key(p, at) : at;
                if (at == NULL) {
                    return NULL;
                }
                continue;
            }
            at++;
        } else {
            at = skip_plain(p, at);
            if (at == NULL) {
                return NULL;
            }
        }
        at = skip_closing(p, at, base);
        if (at == NULL) {
            return NULL;
        }
    } while (p->used > base);
    return at;
}

/* ---- comments ---- */

static uint8_t *blank_comment(uint8_t *at)
{
    int is_line = at[1] == '/';
    at[0] = ' ';
    at[1] = ' ';
    for (at += 2; *at != '\0'; at++) {
        if (is_line ? *at == '\n' : at[0] == '*' && at[1] == '/') {
            break;
        }
        *at = *at == '\n' ? '\n' : ' ';
    }
    if (!is_line && *at != '\0') {
        at[0] = ' ';
        at[1] = ' ';
    }
    return at;
}

void flsi_parse_blank_comments(uint8_t *text)
{
    int in_string = 0;
    for (uint8_t *at = text; *at != '\0'; at++) {
        if (in_string) {
            in_string = *at != '"';
            at += *at == '\\' && at[1] != '\0';
        } else if (*at == '"') {
            in_string = 1;
        } else if (*at == '/' && (at[1] == '/' || at[1] == '*')) {
            at = blank_comment(at) - 1;
        }
    }
}
