/* The names of a journal's files; see journal_names.h. */
#include "journal/journal_names.h"

#include <string.h>

#define ORDINAL_DIGITS 20u
#define EPOCH_DIGITS   10u
#define HASH_DIGITS    16u

static char *put_text(char *to, const char *text)
{
    size_t size = strlen(text);
    memcpy(to, text, size + 1);
    return to + size;
}

static char *put_decimal(char *to, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10) {
        to[i] = (char)('0' + value % 10);
    }
    return to + digits;
}

static const char *extension_of(flsi_name_kind kind)
{
    switch (kind) {
    case FLSI_NAME_MARKS: return ".flm";
    case FLSI_NAME_COMPRESSED: return ".fls.zst";
    case FLSI_NAME_SEGMENT:
    case FLSI_NAME_OTHER:
    case FLSI_NAME_UNFINISHED: break;
    }
    return ".fls";
}

void flsi_name_format(char name[FLSI_NAME_BYTES], flsi_name_kind kind, uint64_t ordinal)
{
    char *to = name;
    if (kind == FLSI_NAME_UNFINISHED) {
        *to++ = '.';
    }
    to = put_decimal(to, ordinal, ORDINAL_DIGITS);
    (void)put_text(to, kind == FLSI_NAME_UNFINISHED ? ".new" : extension_of(kind));
}

/* 20 digits, less than FLSI_ORDINALS; returns what stands behind them, or NULL. */
static const char *take_ordinal(const char *from, uint64_t *ordinal)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < ORDINAL_DIGITS; i++) {
        if (from[i] < '0' || from[i] > '9') {
            return NULL;
        }
        uint64_t digit = (uint64_t)(from[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return NULL;
        }
        value = value * 10 + digit;
    }
    *ordinal = value;
    return value < FLSI_ORDINALS ? from + ORDINAL_DIGITS : NULL;
}

flsi_name_kind flsi_name_parse(const char *name, uint64_t *ordinal)
{
    static const flsi_name_kind kinds[] = {FLSI_NAME_SEGMENT, FLSI_NAME_MARKS,
                                           FLSI_NAME_COMPRESSED};
    uint64_t value = 0;
    if (name[0] == '.') {
        return FLSI_NAME_UNFINISHED;
    }
    const char *extension = take_ordinal(name, &value);
    for (size_t i = 0; extension != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(extension, extension_of(kinds[i])) == 0) {
            *ordinal = value;
            return kinds[i];
        }
    }
    return FLSI_NAME_OTHER;
}

void flsi_name_schema(char name[FLSI_NAME_BYTES], uint64_t hash)
{
    for (unsigned i = HASH_DIGITS; i-- > 0; hash >>= 4) {
        name[i] = "0123456789abcdef"[hash & 15];
    }
    (void)put_text(name + HASH_DIGITS, ".bfbs");
}

int flsi_name_is_schema(const char *name)
{
    for (unsigned i = 0; i < HASH_DIGITS; i++) {
        if ((name[i] < '0' || name[i] > '9') && (name[i] < 'a' || name[i] > 'f')) {
            return 0;
        }
    }
    return strcmp(name + HASH_DIGITS, ".bfbs") == 0;
}

void flsi_name_cut(char name[FLSI_NAME_BYTES], uint64_t epoch, uint64_t ordinal,
                   const char *extension)
{
    char *to = put_decimal(name, epoch, EPOCH_DIGITS);
    *to++ = '-';
    to = put_decimal(to, ordinal, ORDINAL_DIGITS);
    *to++ = '.';
    (void)put_text(to, extension);
}

uint64_t flsi_name_cut_epoch(const char *name)
{
    uint64_t epoch = 0;
    for (unsigned i = 0; i < EPOCH_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return 0;
        }
        epoch = epoch * 10 + (uint64_t)(name[i] - '0');
    }
    return name[EPOCH_DIGITS] == '-' ? epoch : 0;
}

int flsi_name_is_cursor(const char *name)
{
    size_t size = 0;
    for (; name[size] != '\0'; size++) {
        char c = name[size];
        int word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        if (!word && (c != '.' || size == 0)) {
            return 0;
        }
        if (size + 1 >= FLSI_NAME_BYTES) {
            return 0;
        }
    }
    return size > 0;
}
