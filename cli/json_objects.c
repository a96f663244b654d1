/* Finding the ends of JSON objects.
 *
 * An object ends with the brace that closes its first, outside of strings. A brace that is missing
 * would make the rest of the input one object; so what stands before each string, list and object
 * is looked at too, and an object is given up at the first byte that no JSON can have there. The
 * parser, which is given the text up to that byte, says what is wrong with it.
 */
#include "json_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"

enum { FIRST_BYTES = 256 * 1024, MOST_DEPTH = 4096 };

/* What a byte is outside of strings; all that are not named are OTHER. */
enum { OTHER, SPACE, LINE_END, QUOTE, OPEN, CLOSE, SLASH };
static const unsigned char kinds[256] = {
    [' '] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, ['\n'] = LINE_END, ['"'] = QUOTE,
    ['{'] = OPEN,  ['['] = OPEN,   ['}'] = CLOSE,  [']'] = CLOSE,     ['/'] = SLASH};

typedef enum within { IN_VALUES, IN_STRING, IN_SLASH, IN_LINE_COMMENT, IN_COMMENT } within;
typedef enum list { NO_LIST, LIST_BEGUN, LIST_VALUE, LIST_COMMA } list;

typedef struct splitter {
    cli_input *input;
    const cli_json_taker *taker;
    int lenient;
    char *buffer;
    size_t capacity;
    size_t end;   /* bytes that are there */
    size_t next;  /* the byte to look at */
    size_t start; /* of the object, when depth > 0 */
    uint64_t line;
    uint64_t before; /* bytes of the input before the buffer */
    uint64_t line_start;
    uint64_t object_line;
    uint64_t object_column;
    within within;
    int escaped; /* the byte before, in a string, was a backslash */
    int starred; /* the byte before, in a comment, was a star */
    list list;
    char previous;  /* the last byte in the object that is neither space nor comment */
    unsigned depth; /* 0: between objects */
    unsigned char opened[MOST_DEPTH]; /* the brackets */
} splitter;

static uint64_t column_of(const splitter *s, size_t at)
{
    return s->before + at - s->line_start + 1;
}

static void count_line(splitter *s)
{
    s->line++;
    s->line_start = s->before + s->next + 1;
}

/* Gives the bytes from the start up to the next one. */
static int give(splitter *s)
{
    s->depth = 0;
    s->within = IN_VALUES;
    return s->taker->take(s->taker->self, s->buffer + s->start, s->next - s->start, s->object_line,
                          s->object_column);
}

/* The object ends wrongly with the next byte, as the taker finds out. */
static int give_up(splitter *s)
{
    s->next++;
    int code = give(s);
    if (code == CLI_DONE) {
        cli_complain(s->input->job, s->input->name, "line %llu, column %llu: this is no object",
                     (unsigned long long)s->object_line, (unsigned long long)s->object_column);
        code = CLI_DAMAGED;
    }
    return code;
}

/* Whether a string, list or object may begin behind the previous byte. */
static int may_begin(const splitter *s, char c)
{
    if (s->opened[s->depth - 1] == '[') {
        return s->previous == '[' || s->previous == ',';
    }
    return s->previous == ':' || (c == '"' && (s->previous == '{' || s->previous == ','));
}

static int open_bracket(splitter *s, char c)
{
    if (!may_begin(s, c) || s->depth == MOST_DEPTH) {
        return give_up(s);
    }
    s->opened[s->depth++] = (unsigned char)c;
    s->previous = c;
    s->next++;
    return CLI_DONE;
}

static int close_bracket(splitter *s, char c)
{
    if (s->opened[s->depth - 1] != (c == '}' ? '{' : '[')) {
        return give_up(s);
    }
    s->previous = c;
    s->next++;
    s->depth--;
    return s->depth == 0 ? give(s) : CLI_DONE;
}

static int scan_string(splitter *s)
{
    static const unsigned char stops[256] = {['"'] = 1, ['\\'] = 1, ['\n'] = 1};
    const unsigned char *bytes = (const unsigned char *)s->buffer;
    while (s->next < s->end) {
        if (s->escaped) {
            s->escaped = 0;
            if (bytes[s->next] == '\n') {
                return give_up(s);
            }
            s->next++;
            continue;
        }
        size_t next = s->next;
        while (next < s->end && !stops[bytes[next]]) {
            next++;
        }
        s->next = next;
        if (next == s->end) {
            break;
        }
        if (bytes[next] == '\n') { /* a quote is missing */
            return give_up(s);
        }
        s->next++;
        if (bytes[next] == '"') {
            s->previous = '"';
            s->within = IN_VALUES;
            break;
        }
        s->escaped = 1;
    }
    return CLI_DONE;
}

static int open_string(splitter *s)
{
    if (!may_begin(s, '"')) {
        return give_up(s);
    }
    s->within = IN_STRING;
    s->escaped = 0;
    s->next++;
    return scan_string(s);
}

/* Over all that neither begins nor ends anything: nearly all of the input but strings. */
static void skip_plain(splitter *s)
{
    const unsigned char *bytes = (const unsigned char *)s->buffer;
    size_t from = s->next;
    size_t next = from;
    while (next < s->end && kinds[bytes[next]] <= SPACE) {
        next++;
    }
    s->next = next;
    while (next > from && kinds[bytes[next - 1]] == SPACE) {
        next--;
    }
    if (next > from) {
        s->previous = (char)bytes[next - 1];
    }
}

/* What stands outside of strings, to the end of the buffer or object, or a slash. */
static int scan_values(splitter *s)
{
    int code = CLI_DONE;
    while (code == CLI_DONE && s->next < s->end && s->depth > 0 && s->within == IN_VALUES) {
        char c = s->buffer[s->next];
        switch (kinds[(unsigned char)c]) {
        case OPEN: code = open_bracket(s, c); break;
        case CLOSE: code = close_bracket(s, c); break;
        case QUOTE: code = open_string(s); break;
        case LINE_END:
            count_line(s);
            s->next++;
            break;
        case SLASH:
            if (s->lenient) {
                s->within = IN_SLASH;
            } else {
                s->previous = c;
            }
            s->next++;
            break;
        default: skip_plain(s); break;
        }
    }
    return code;
}

/* Behind a slash, or within a comment; between objects too. */
static int scan_comment(splitter *s)
{
    char c = s->buffer[s->next];
    int starred = c == '*' && s->within == IN_COMMENT;
    if (s->within == IN_SLASH) {
        if (c == '/' || c == '*') {
            s->within = c == '/' ? IN_LINE_COMMENT : IN_COMMENT;
        } else if (s->depth > 0) {
            return give_up(s);
        } else {
            cli_complain(s->input->job, s->input->name, "line %llu, column %llu: a lone slash",
                         (unsigned long long)s->line,
                         (unsigned long long)column_of(s, s->next) - 1);
            return CLI_DAMAGED;
        }
    } else if (s->within == IN_COMMENT && s->starred && c == '/') {
        s->within = IN_VALUES;
    }
    if (c == '\n') {
        count_line(s);
        s->within = s->within == IN_LINE_COMMENT ? IN_VALUES : s->within;
    }
    s->starred = starred;
    s->next++;
    return CLI_DONE;
}

static int not_an_object(const splitter *s, const char *expected)
{
    unsigned char c = (unsigned char)s->buffer[s->next];
    char shown[16];
    snprintf(shown, sizeof shown, c > 0x20 && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    cli_complain(s->input->job, s->input->name,
                 "line %llu, column %llu: %s where %s is expected; each message is a JSON object, "
                 "as in NDJSON",
                 (unsigned long long)s->line, (unsigned long long)column_of(s, s->next), shown,
                 expected);
    return CLI_DAMAGED;
}

/* A byte between objects that is no space. */
static int between(splitter *s)
{
    char c = s->buffer[s->next];
    if (c == '/' && s->lenient) {
        s->within = IN_SLASH;
    } else if (c == '{' && s->list != LIST_VALUE) {
        s->list = s->list == NO_LIST ? NO_LIST : LIST_VALUE;
        s->start = s->next;
        s->object_line = s->line;
        s->object_column = column_of(s, s->next);
        s->opened[0] = '{';
        s->previous = '{';
        s->depth = 1;
    } else if (c == '[' && s->list == NO_LIST) {
        s->list = LIST_BEGUN;
    } else if (c == ']' && (s->list == LIST_BEGUN || s->list == LIST_VALUE ||
                            (s->list == LIST_COMMA && s->lenient))) {
        s->list = NO_LIST;
    } else if (c == ',' && s->list == LIST_VALUE) {
        s->list = LIST_COMMA;
    } else {
        return not_an_object(s, s->list == LIST_VALUE ? "',' or ']'" : "'{'");
    }
    s->next++;
    return CLI_DONE;
}

/* All that is in the buffer. */
static int scan(splitter *s)
{
    int code = CLI_DONE;
    while (code == CLI_DONE && s->next < s->end) {
        if (s->within == IN_STRING) {
            code = scan_string(s);
        } else if (s->within != IN_VALUES) {
            code = scan_comment(s);
        } else if (s->depth > 0) {
            code = scan_values(s);
        } else if (s->buffer[s->next] == '\n') {
            count_line(s);
            s->next++;
        } else if (kinds[(unsigned char)s->buffer[s->next]] == SPACE) {
            s->next++;
        } else {
            code = between(s);
        }
    }
    return code;
}

/* Reads more. Only the object that is being looked at stays. *got 0 at the end of the input. */
static int refill(splitter *s, size_t *got)
{
    fls_error err = FLS_ERROR_INIT;
    size_t from = s->depth > 0 ? s->start : s->next;
    memmove(s->buffer, s->buffer + from, s->end - from);
    s->before += from;
    s->end -= from;
    s->next -= from;
    s->start = 0;
    if (s->capacity - s->end < s->capacity / 2) {
        char *larger = realloc(s->buffer, s->capacity * 2);
        if (larger == NULL) {
            return cli_complain_errno(s->input->job, s->input->name, "object too large", ENOMEM);
        }
        s->buffer = larger;
        s->capacity *= 2;
    }
    fls_source source = cli_input_source(s->input);
    int code = CLI_DONE;
    if (s->taker->pause != NULL && !s->input->seekable) {
        code = s->taker->pause(s->taker->self);
    }
    if (code != CLI_DONE) {
        return code;
    }
    fls_status status =
        source.ops->read(source.self, s->buffer + s->end, s->capacity - s->end, got, &err);
    if (status == FLS_END) {
        *got = 0;
        return CLI_DONE;
    }
    if (status != FLS_OK) {
        return cli_complain_error(s->input->job, s->input->name, &err);
    }
    s->end += *got;
    return CLI_DONE;
}

/* A byte order mark, which some systems put before UTF-8. */
static int skip_mark(splitter *s, size_t *got)
{
    int code = CLI_DONE;
    do {
        code = refill(s, got);
    } while (code == CLI_DONE && *got > 0 && s->end < 3);
    if (code == CLI_DONE && s->end >= 3 && memcmp(s->buffer, "\xef\xbb\xbf", 3) == 0) {
        s->next = 3;
        s->line_start = 3;
    }
    return code;
}

/* The end of the input is no place to stop in everything. */
static int finish(splitter *s)
{
    if (s->depth > 0) {
        s->next--; /* give_up counts a byte that is not there */
        return give_up(s);
    }
    if (s->within == IN_COMMENT || s->within == IN_SLASH || s->list != NO_LIST) {
        cli_complain(s->input->job, s->input->name, "line %llu: the input ends within a %s",
                     (unsigned long long)s->line, s->list != NO_LIST ? "list" : "comment");
        return CLI_DAMAGED;
    }
    return CLI_DONE;
}

int cli_json_objects(cli_input *input, int lenient, const cli_json_taker *taker)
{
    splitter s;
    size_t got = 0;
    memset(&s, 0, sizeof s);
    s.input = input;
    s.taker = taker;
    s.lenient = lenient;
    s.line = 1;
    s.capacity = FIRST_BYTES;
    s.buffer = malloc(s.capacity);
    if (s.buffer == NULL) {
        return cli_complain_errno(input->job, NULL, NULL, ENOMEM);
    }
    int code = skip_mark(&s, &got);
    while (code == CLI_DONE) {
        code = scan(&s);
        if (code != CLI_DONE || got == 0) {
            break;
        }
        code = refill(&s, &got);
    }
    if (code == CLI_DONE) {
        code = finish(&s);
    }
    free(s.buffer);
    return code;
}
