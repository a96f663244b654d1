/* Writing JSON, and nothing else of it. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void cli_json_begin(cli_json *json, cli_out *out)
{
    memset(json, 0, sizeof *json);
    json->out = out;
    cli_out_text(out, "{");
    json->depth = 1;
}

void cli_json_end(cli_json *json)
{
    json->depth = 0;
    cli_out_text(json->out, "\n}\n");
}

/* Length of the UTF-8 sequence that text begins with; 0 when it is not a sound one. */
static size_t utf8_length(const unsigned char *text)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80                       ? 1
                    : text[0] >= 0xc2 && text[0] < 0xe0  ? 2
                    : (text[0] & 0xf0) == 0xe0           ? 3
                    : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                         : 0;
    if (length <= 1) {
        return length;
    }
    unsigned point = text[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (text[i] & 0x3fu);
    }
    int sound = point >= least[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    return sound ? length : 0;
}

/* A string with its quotes. Bytes that are no UTF-8, as names of files may have, become U+FFFD. */
static void put_string(cli_out *out, const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    cli_out_text(out, "\"");
    while (*next != '\0') {
        size_t length = utf8_length(next);
        if (length == 0) {
            cli_out_text(out, "\\ufffd");
            length = 1;
        } else if (*next == '"' || *next == '\\') {
            cli_out_format(out, "\\%c", *next);
        } else if (*next == '\n') {
            cli_out_text(out, "\\n");
        } else if (*next < 0x20 || *next == 0x7f) {
            cli_out_format(out, "\\u%04x", *next);
        } else {
            cli_out_bytes(out, next, length);
        }
        next += length;
    }
    cli_out_text(out, "\"");
}

/* What stands before a value: comma, line, key. */
static void lead(cli_json *json, const char *key)
{
    static const char *const breaks[] = {"", "\n  ", "\n    "};
    if (json->filled[json->depth]) {
        cli_out_text(json->out, ",");
    }
    if (json->depth <= 2) {
        cli_out_text(json->out, breaks[json->depth]);
    } else if (json->filled[json->depth]) {
        cli_out_text(json->out, " ");
    }
    json->filled[json->depth] = 1;
    if (key != NULL) {
        put_string(json->out, key);
        cli_out_text(json->out, ": ");
    }
}

static void enter(cli_json *json, const char *key, const char *bracket)
{
    lead(json, key);
    cli_out_text(json->out, bracket);
    json->depth++;
    json->filled[json->depth] = 0;
}

static void leave(cli_json *json, const char *bracket)
{
    if (json->depth == 2 && json->filled[2]) {
        cli_out_text(json->out, "\n  ");
    }
    json->depth--;
    cli_out_text(json->out, bracket);
}

void cli_json_open_object(cli_json *json, const char *key)
{
    enter(json, key, "{");
}

void cli_json_close_object(cli_json *json)
{
    leave(json, "}");
}

void cli_json_open_list(cli_json *json, const char *key)
{
    enter(json, key, "[");
}

void cli_json_close_list(cli_json *json)
{
    leave(json, "]");
}

void cli_json_null(cli_json *json, const char *key)
{
    lead(json, key);
    cli_out_text(json->out, "null");
}

void cli_json_bool(cli_json *json, const char *key, int value)
{
    lead(json, key);
    cli_out_text(json->out, value ? "true" : "false");
}

void cli_json_count(cli_json *json, const char *key, uint64_t value)
{
    lead(json, key);
    cli_out_format(json->out, "%llu", (unsigned long long)value);
}

void cli_json_number(cli_json *json, const char *key, double value)
{
    if (!isfinite(value)) {
        cli_json_null(json, key);
        return;
    }
    lead(json, key);
    cli_out_format(json->out, "%.3f", value);
}

void cli_json_text(cli_json *json, const char *key, const char *text)
{
    if (text == NULL) {
        cli_json_null(json, key);
        return;
    }
    lead(json, key);
    put_string(json->out, text);
}

void cli_json_literal(cli_json *json, const char *key, const char *text)
{
    lead(json, key);
    cli_out_text(json->out, text);
}

void cli_json_checksum(cli_json *json, fls_checksum checksum)
{
    cli_json_text(json, "checksum",
                  checksum == FLS_CHECKSUM_DETECT ? NULL : fls_checksum_name(checksum));
}

void cli_json_fault(cli_json *json, const char *key, const fls_error *fault, const char *kind)
{
    char sentence[400];
    cli_error_sentence(fault, sentence, sizeof sentence);
    cli_json_open_object(json, key);
    if (fault->known & FLS_ERROR_OFFSET) {
        cli_json_count(json, "offset", fault->offset);
    } else {
        cli_json_null(json, "offset");
    }
    if (fault->known & FLS_ERROR_ORDINAL) {
        cli_json_count(json, "ordinal", fault->ordinal);
    } else {
        cli_json_null(json, "ordinal");
    }
    cli_json_text(json, "kind", kind);
    cli_json_text(json, "detail", sentence);
    cli_json_close_object(json);
}
