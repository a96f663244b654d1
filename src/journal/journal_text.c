/* The journal's small text files; see journal_text.h. */
#include "journal/journal_text.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "flatstream/checksum.h"

/* ---- out ---- */

void flsi_out_bytes(flsi_text_out *out, const char *bytes, size_t size)
{
    if (out->size <= out->capacity && size <= out->capacity - out->size) {
        memcpy(out->text + out->size, bytes, size);
    }
    out->size += size;
}

void flsi_out_text(flsi_text_out *out, const char *text)
{
    flsi_out_bytes(out, text, strlen(text));
}

void flsi_out_hex(flsi_text_out *out, uint64_t value, unsigned digits)
{
    while (digits-- > 0) {
        flsi_out_bytes(out, &"0123456789abcdef"[value >> (4 * digits) & 15], 1);
    }
}

void flsi_out_decimal(flsi_text_out *out, uint64_t value)
{
    char digits[20];
    size_t count = sizeof digits;
    do {
        digits[--count] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    flsi_out_bytes(out, digits + count, sizeof digits - count);
}

/* 1 for a byte that stands for itself in a string. */
static int is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

void flsi_out_string(flsi_text_out *out, const char *bytes, size_t size)
{
    flsi_out_text(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_plain(c)) {
            flsi_out_bytes(out, bytes + i, 1);
        } else {
            flsi_out_text(out, "\\u00");
            flsi_out_hex(out, c, 2);
        }
    }
    flsi_out_text(out, "\"");
}

void flsi_out_key(flsi_text_out *out, const char *key)
{
    flsi_out_text(out, "  \"");
    flsi_out_text(out, key);
    flsi_out_text(out, "\": ");
}

void flsi_out_number(flsi_text_out *out, const char *key, uint64_t value)
{
    flsi_out_key(out, key);
    flsi_out_decimal(out, value);
    flsi_out_text(out, ",\n");
}

size_t flsi_out_end(flsi_text_out *out)
{
    if (out->size > out->capacity) {
        return SIZE_MAX;
    }
    uint64_t digest = fls_checksum_digest(FLS_CHECKSUM_XXH3, out->text, out->size);
    flsi_out_key(out, "xxh3");
    flsi_out_text(out, "\"");
    flsi_out_hex(out, digest, 16);
    flsi_out_text(out, "\"\n}\n");
    return out->size > out->capacity ? SIZE_MAX : out->size;
}

/* ---- in ---- */

int flsi_take_text(flsi_text_in *in, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(in->end - in->next) < size || memcmp(in->next, text, size) != 0) {
        return 0;
    }
    in->next += size;
    return 1;
}

int flsi_take_hex(flsi_text_in *in, unsigned digits, uint64_t *value)
{
    *value = 0;
    for (; digits > 0; digits--, in->next++) {
        int c = in->next < in->end ? *in->next : 0;
        if (c >= '0' && c <= '9') {
            *value = *value << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return 0;
        }
    }
    return 1;
}

/* Decimal, as it is written here: no sign, no leading zero. */
int flsi_take_decimal(flsi_text_in *in, uint64_t *value)
{
    const char *begin = in->next;
    *value = 0;
    for (; in->next < in->end && *in->next >= '0' && *in->next <= '9'; in->next++) {
        uint64_t digit = (uint64_t)(*in->next - '0');
        if (*value > (UINT64_MAX - digit) / 10) {
            return 0;
        }
        *value = *value * 10 + digit;
    }
    return in->next > begin && (*begin != '0' || in->next == begin + 1);
}

/* A string of less than capacity bytes, of which *size are used; a zero stands behind them. */
int flsi_take_string(flsi_text_in *in, char *bytes, size_t capacity, size_t *size)
{
    *size = 0;
    if (!flsi_take_text(in, "\"")) {
        return 0;
    }
    while (in->next < in->end && *in->next != '"') {
        uint64_t c = (unsigned char)*in->next;
        if (is_plain((unsigned char)c)) {
            in->next++;
        } else if (!flsi_take_text(in, "\\u00") || !flsi_take_hex(in, 2, &c) ||
                   is_plain((unsigned char)c)) {
            return 0;
        }
        if (*size + 1 >= capacity) {
            return 0;
        }
        bytes[(*size)++] = (char)c;
    }
    bytes[*size] = '\0';
    return flsi_take_text(in, "\"");
}

/* Passes over lines to the one with the key; stands behind its colon. */
int flsi_take_key(flsi_text_in *in, const char *key)
{
    in->missing = key;
    while (in->next < in->end) {
        const char *line = in->next;
        if (flsi_take_text(in, "  \"") && flsi_take_text(in, key) && flsi_take_text(in, "\": ")) {
            return 1;
        }
        const char *line_end = memchr(line, '\n', (size_t)(in->end - line));
        in->next = line_end == NULL ? in->end : line_end + 1;
    }
    return 0;
}

int flsi_take_number(flsi_text_in *in, const char *key, uint64_t most, uint64_t *value)
{
    return flsi_take_key(in, key) && flsi_take_decimal(in, value) && *value <= most &&
           flsi_take_text(in, ",\n");
}

fls_status flsi_take_frame(flsi_text_in *in, const char *text, size_t size, const char *begin,
                           const char *what, fls_error *err)
{
    static const char last[] = "  \"xxh3\": \"0123456789abcdef\"\n}\n";
    size_t last_bytes = sizeof last - 1;
    size_t begin_bytes = strlen(begin);
    char why[96];
    uint64_t expected = 0;
    if (size < begin_bytes + last_bytes || memcmp(text, begin, begin_bytes) != 0) {
        (void)snprintf(why, sizeof why, "not %s", what);
        return fls_error_set(err, FLS_INVALID_FRAME, 0, why);
    }
    size_t body_bytes = size - last_bytes;
    flsi_text_in end = {text + body_bytes, text + size, ""};
    if (!flsi_take_text(&end, "  \"xxh3\": \"") || !flsi_take_hex(&end, 16, &expected) ||
        !flsi_take_text(&end, "\"\n}\n")) {
        (void)snprintf(why, sizeof why, "%s does not end with its checksum", what);
        return fls_error_set(err, FLS_INVALID_FRAME, 0, why);
    }
    uint64_t computed = fls_checksum_digest(FLS_CHECKSUM_XXH3, text, body_bytes);
    if (computed != expected) {
        (void)snprintf(why, sizeof why, "%s is not what was written", what);
        (void)fls_error_set(err, FLS_CHECKSUM_MISMATCH, 0, why);
        flsi_error_checksums(err, expected, computed, 8);
        return FLS_CHECKSUM_MISMATCH;
    }
    *in = (flsi_text_in){text + begin_bytes, text + body_bytes, ""};
    return FLS_OK;
}

fls_status flsi_take_refused(const flsi_text_in *in, fls_error *err)
{
    char why[96];
    (void)snprintf(why, sizeof why, "the line of a member is missing or wrong: %s", in->missing);
    return fls_error_set(err, FLS_INVALID_FRAME, 0, why);
}
