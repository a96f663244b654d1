/* Names of pieces. */
#include "piece_names.h"

#include <ctype.h>
#include <flatstream/flatstream.h>
#include <stdio.h>
#include <string.h>

enum { KEPT_OF_LONG = 64 }; /* bytes of a name that is cut */

static const char hex_digits[] = "0123456789ABCDEF";

static int is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.';
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Whether what is before the first point is the name of a device on some systems. */
static int is_device(const char *value, size_t size)
{
    static const char *const names[] = {"con", "prn", "aux", "nul"};
    static const char *const ports[] = {"com", "lpt"};
    char word[5] = "";
    size_t length = 0;
    while (length < size && value[length] != '.') {
        if (length == 4) {
            return 0;
        }
        word[length] = (char)lower((unsigned char)value[length]);
        length++;
    }
    for (size_t i = 0; length == 3 && i < sizeof names / sizeof names[0]; i++) {
        if (memcmp(word, names[i], 3) == 0) {
            return 1;
        }
    }
    for (size_t i = 0; length == 4 && i < sizeof ports / sizeof ports[0]; i++) {
        if (memcmp(word, ports[i], 3) == 0 && word[3] >= '0' && word[3] <= '9') {
            return 1;
        }
    }
    return 0;
}

/* As much of the escaped value as fits into capacity bytes whole; *used of the value. */
static size_t escape(char *name, size_t capacity, const char *value, size_t size, int capitals,
                     size_t *used)
{
    size_t length = 0;
    int device = is_device(value, size);
    for (*used = 0; *used < size; (*used)++) {
        unsigned char c = (unsigned char)value[*used];
        int keep = is_plain(c) && !(*used == 0 && (c == '.' || device)) &&
                   !(capitals && c >= 'A' && c <= 'Z');
        if (length + (keep ? 1 : 3) > capacity) {
            break;
        }
        if (keep) {
            name[length++] = (char)c;
        } else {
            name[length++] = '%';
            name[length++] = hex_digits[c >> 4];
            name[length++] = hex_digits[c & 15];
        }
    }
    name[length] = '\0';
    return length;
}

static void make_name(char name[CLI_PIECE_NAME], const char *value, size_t size, int capitals)
{
    size_t used;
    if (size == 0) {
        memcpy(name, CLI_PIECE_EMPTY, sizeof CLI_PIECE_EMPTY);
        return;
    }
    (void)escape(name, CLI_MOST_PIECE_NAME, value, size, capitals, &used);
    if (used < size) {
        size_t kept = escape(name, KEPT_OF_LONG, value, size, capitals, &used);
        (void)snprintf(name + kept, CLI_PIECE_NAME - kept, "~%zu-%016llx%08llx", size,
                       (unsigned long long)fls_checksum_digest(FLS_CHECKSUM_XXH3, value, size),
                       (unsigned long long)fls_checksum_digest(FLS_CHECKSUM_CRC32, value, size));
    }
}

void cli_piece_name(char name[CLI_PIECE_NAME], const char *value, size_t size)
{
    make_name(name, value, size, 0);
}

static unsigned digit_value(char c)
{
    return (unsigned)(strchr(hex_digits, c) - hex_digits);
}

void cli_piece_name_caseless(char name[CLI_PIECE_NAME], const char *plain)
{
    char value[CLI_PIECE_NAME];
    size_t size = 0;
    if (strchr(plain, '~') != NULL) { /* the hash in it tells them apart already */
        memcpy(name, plain, strlen(plain) + 1);
        return;
    }
    for (; *plain != '\0'; plain++) {
        if (*plain == '%') {
            value[size++] = (char)(digit_value(plain[1]) << 4 | digit_value(plain[2]));
            plain += 2;
        } else {
            value[size++] = *plain;
        }
    }
    make_name(name, value, size, 1);
}

int cli_piece_names_alike(const char *a, const char *b)
{
    while (*a != '\0' && lower((unsigned char)*a) == lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

uint64_t cli_piece_name_hash(const char *name)
{
    char folded[CLI_PIECE_NAME];
    size_t length = 0;
    for (; name[length] != '\0'; length++) {
        folded[length] = (char)lower((unsigned char)name[length]);
    }
    return fls_checksum_digest(FLS_CHECKSUM_XXH3, folded, length);
}

int cli_piece_digits(uint64_t count)
{
    int digits = 1;
    for (uint64_t last = count > 0 ? count - 1 : 0; last >= 10; last /= 10) {
        digits++;
    }
    return digits < 6 ? 6 : digits;
}
