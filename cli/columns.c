/* Rows of values. */
#include "columns.h"

#include <string.h>

static int is_text(const fls_value *value, const fls_schema *schema)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    size_t size;
    switch (value->kind) {
    case FLS_VALUE_STRING: return 1;
    case FLS_VALUE_F64: return value->as.f - value->as.f != 0; /* nan and inf */
    case FLS_VALUE_I64:
    case FLS_VALUE_U64:
        /* An enumerator's name begins with a letter. */
        return fls_value_text(value, schema, buffer, &size)[0] > '9';
    default: return 0;
    }
}

/* ---- CSV ---- */

static void put_quoted(cli_out *out, const char *text, size_t size)
{
    const char *end = text + size;
    cli_out_bytes(out, "\"", 1);
    while (text < end) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        const char *to = quote != NULL ? quote + 1 : end;
        cli_out_bytes(out, text, (size_t)(to - text));
        if (quote != NULL) {
            cli_out_bytes(out, "\"", 1);
        }
        text = to;
    }
    cli_out_bytes(out, "\"", 1);
}

/* Text that would be taken apart, or for something else, without quotes. */
static int needs_quotes(const char *text, size_t size)
{
    if (size == 0 || text[0] == ' ' || text[size - 1] == ' ') {
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r') {
            return 1;
        }
    }
    return 0;
}

void cli_columns_csv_header(const cli_columns *columns, cli_out *out)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        cli_out_text(out, i > 0 ? "," : "");
        cli_out_text(out, columns->columns[i].name);
    }
    cli_out_text(out, "\n");
}

void cli_columns_csv(cli_columns *columns, cli_out *out, const fls_message *message, uint32_t type)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    const fls_schema *schema = columns->schemas->set.types[type].schema;
    for (uint32_t i = 0; i < columns->count; i++) {
        const fls_path *path = cli_column_path(&columns->columns[i], type);
        fls_value value = {.kind = FLS_VALUE_ABSENT};
        size_t size;
        if (path != NULL) {
            fls_path_get(path, message->payload, message->size, &value);
        }
        const char *text = fls_value_text(&value, schema, buffer, &size);
        cli_out_bytes(out, ",", i > 0 ? 1 : 0);
        if (value.kind == FLS_VALUE_STRING && needs_quotes(text, size)) {
            put_quoted(out, text, size);
        } else {
            cli_out_bytes(out, text, size);
        }
    }
    cli_out_bytes(out, "\n", 1);
}

int cli_columns_check_csv(const cli_columns *columns, cli_job *job)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        if (fls_path_is_many(columns->columns[i].any)) {
            return cli_usage(job, "'%s' has many values, and CSV one in a column; JSON has lists",
                             columns->columns[i].name);
        }
    }
    return CLI_DONE;
}

/* ---- JSON ---- */

/* The bytes of the character at text if it is well-formed UTF-8, else 0. */
static size_t utf8_bytes(const unsigned char *text, size_t size)
{
    size_t bytes = text[0] < 0x80   ? 1
                   : text[0] < 0xC2 ? 0
                   : text[0] < 0xE0 ? 2
                   : text[0] < 0xF0 ? 3
                   : text[0] < 0xF5 ? 4
                                    : 0;
    if (bytes == 0 || bytes > size) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* Longer than need be, a half of a surrogate pair, beyond U+10FFFF. */
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F)) {
        return 0;
    }
    return bytes;
}

static void put_escape(cli_out *out, unsigned char c)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *letter = c != 0 ? strchr(letters, c) : NULL;
    if (letter != NULL) {
        cli_out_format(out, "\\%c", names[letter - letters]);
    } else {
        /* Not UTF-8: half of a surrogate pair, as in docs/JSON.md. */
        cli_out_format(out, c < 0x80 ? "\\u%04x" : "\\udc%02x", c);
    }
}

static void put_json_text(cli_out *out, const char *text, size_t size)
{
    const unsigned char *next = (const unsigned char *)text;
    const unsigned char *end = next + size;
    const unsigned char *plain = next;
    cli_out_bytes(out, "\"", 1);
    while (next < end) {
        size_t bytes = utf8_bytes(next, (size_t)(end - next));
        if (bytes > 0 && *next >= ' ' && *next != '"' && *next != '\\') {
            next += bytes;
            continue;
        }
        cli_out_bytes(out, plain, (size_t)(next - plain));
        put_escape(out, *next++);
        plain = next;
    }
    cli_out_bytes(out, plain, (size_t)(next - plain));
    cli_out_bytes(out, "\"", 1);
}

typedef struct json_list {
    cli_out *out;
    const fls_schema *schema;
    int is_filled;
} json_list;

static void put_json(cli_out *out, const fls_value *value, const fls_schema *schema)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    size_t size;
    if (value->kind == FLS_VALUE_ABSENT) {
        cli_out_text(out, "null");
        return;
    }
    const char *text = fls_value_text(value, schema, buffer, &size);
    if (is_text(value, schema)) {
        put_json_text(out, text, size);
    } else {
        cli_out_bytes(out, text, size);
    }
}

static int put_element(void *self, const fls_value *value)
{
    json_list *list = self;
    cli_out_text(list->out, list->is_filled ? "," : "");
    put_json(list->out, value, list->schema);
    list->is_filled = 1;
    return 0;
}

void cli_columns_json(cli_columns *columns, cli_out *out, const fls_message *message, uint32_t type)
{
    const fls_schema *schema = columns->schemas->set.types[type].schema;
    for (uint32_t i = 0; i < columns->count; i++) {
        cli_column *column = &columns->columns[i];
        const fls_path *path = cli_column_path(column, type);
        fls_value value = {.kind = FLS_VALUE_ABSENT};
        cli_out_text(out, i > 0 ? ",\"" : "{\"");
        cli_out_text(out, column->name);
        cli_out_text(out, "\":");
        if (path != NULL && fls_path_is_many(path)) {
            json_list list = {out, schema, 0};
            cli_out_text(out, "[");
            (void)fls_path_each(path, message->payload, message->size, put_element, &list);
            cli_out_text(out, "]");
            continue;
        }
        if (path != NULL) {
            fls_path_get(path, message->payload, message->size, &value);
        }
        put_json(out, &value, schema);
    }
    cli_out_text(out, "}\n");
}
