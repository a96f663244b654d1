/* Where the JSON objects of what `write --from json` takes begin and end: the same as a plain
 * parser of JSON finds in the whole input, up to the same fault. */
#include <stdlib.h>
#include <string.h>

#include "json_objects.h"
#include "stream_case.h"
#include "tool_seam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a plain parser: each function takes what it names, or returns 0 ---- */

typedef struct text {
    const uint8_t *next;
    const uint8_t *end;
    int lenient;
    int depth;
} text;

static int take_one(text *t, char c)
{
    if (t->next < t->end && *t->next == (uint8_t)c) {
        t->next++;
        return 1;
    }
    return 0;
}

static int take_word(text *t, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(t->end - t->next) >= length && memcmp(t->next, word, length) == 0) {
        t->next += length;
        return 1;
    }
    return 0;
}

/* Any space, with comments where they may be. 0: a comment is wrong. */
static int skip_space(text *t)
{
    for (;;) {
        while (t->next < t->end && strchr(" \t\r\n", *t->next) != NULL && *t->next != '\0') {
            t->next++;
        }
        if (!t->lenient || !take_one(t, '/')) {
            return 1;
        }
        if (take_one(t, '/')) {
            while (t->next < t->end && *t->next != '\n') {
                t->next++;
            }
        } else if (take_one(t, '*')) {
            while (!take_word(t, "*/")) {
                if (t->next++ == t->end) {
                    return 0;
                }
            }
        } else {
            return 0;
        }
    }
}

static int take_string(text *t)
{
    if (!take_one(t, '"')) {
        return 0;
    }
    while (t->next < t->end) {
        uint8_t c = *t->next++;
        if (c == '"') {
            return 1;
        }
        if (c < 0x20 || (c == '\\' && (t->next == t->end || *t->next++ < 0x20))) {
            return 0;
        }
    }
    return 0;
}

static int take_number(text *t)
{
    const uint8_t *from = t->next;
    while (t->next < t->end && *t->next != '\0' && strchr("+-.0123456789eE", *t->next) != NULL) {
        t->next++;
    }
    return t->next > from;
}

static int take_value(text *t);

/* A list, or an object with keys. */
static int take_group(text *t, char open, char close)
{
    int first = 1;
    if (!take_one(t, open) || t->depth++ > 500) {
        return 0;
    }
    for (;; first = 0) {
        if (!skip_space(t)) {
            return 0;
        }
        if ((first || t->lenient) && take_one(t, close)) {
            t->depth--;
            return 1;
        }
        if (open == '{' && !(take_string(t) && skip_space(t) && take_one(t, ':'))) {
            return 0;
        }
        if (!skip_space(t) || !take_value(t) || !skip_space(t)) {
            return 0;
        }
        if (take_one(t, close)) {
            t->depth--;
            return 1;
        }
        if (!take_one(t, ',')) {
            return 0;
        }
    }
}

static int take_value(text *t)
{
    if (t->next == t->end) {
        return 0;
    }
    switch (*t->next) {
    case '{': return take_group(t, '{', '}');
    case '[': return take_group(t, '[', ']');
    case '"': return take_string(t);
    case 't': return take_word(t, "true");
    case 'f': return take_word(t, "false");
    case 'n': return take_word(t, "null");
    default: return take_number(t);
    }
}

/* ---- the comparison ---- */

typedef struct found {
    const uint8_t *data;
    int lenient;
    size_t ends[1024]; /* of the objects, in the input */
    size_t starts[1024];
    size_t count;
    size_t given;
} found;

static void line_and_column(const uint8_t *data, size_t at, uint64_t *line, uint64_t *column)
{
    *line = 1;
    *column = 1;
    size_t from =
        at >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* the mark is no column */
    for (size_t i = from; i < at; i++) {
        *column += 1;
        if (data[i] == '\n') {
            *line += 1;
            *column = 1;
        }
    }
}

static int take(void *self, char *given, size_t size, uint64_t line, uint64_t column)
{
    found *f = self;
    text t = {(const uint8_t *)given, (const uint8_t *)given + size, f->lenient, 0};
    uint64_t wanted_line;
    uint64_t wanted_column;
    if (!take_group(&t, '{', '}') || t.next != t.end) {
        STREAM_CASE_CHECK(f->given == f->count); /* all sound ones were before it */
        return CLI_DAMAGED;
    }
    STREAM_CASE_CHECK(f->given < f->count);
    size_t start = f->starts[f->given];
    STREAM_CASE_CHECK(size == f->ends[f->given] - start);
    STREAM_CASE_CHECK(memcmp(given, f->data + start, size) == 0);
    line_and_column(f->data, start, &wanted_line, &wanted_column);
    STREAM_CASE_CHECK(line == wanted_line && column == wanted_column);
    memset(given, 'x', size); /* it may be changed */
    f->given++;
    return CLI_DONE;
}

/* All objects up to a fault; whether there is none. */
static int find_all(found *f, size_t size)
{
    text t = {f->data, f->data + size, f->lenient, 0};
    int in_list = 0;
    int after_value = 0;
    int after_comma = 0;
    (void)take_word(&t, "\xef\xbb\xbf");
    while (skip_space(&t)) {
        if (t.next == t.end) {
            return !in_list;
        }
        if (!in_list && take_one(&t, '[')) {
            in_list = 1;
            after_value = 0;
            after_comma = 0;
        } else if (in_list && (!after_comma || f->lenient) && take_one(&t, ']')) {
            in_list = 0;
        } else if (in_list && after_value && take_one(&t, ',')) {
            after_value = 0;
            after_comma = 1;
        } else {
            f->starts[f->count] = (size_t)(t.next - f->data);
            t.depth = 0;
            if ((in_list && after_value) || f->count == 1023 || !take_group(&t, '{', '}')) {
                return 0;
            }
            f->ends[f->count++] = (size_t)(t.next - f->data);
            after_value = 1;
            after_comma = 0;
        }
    }
    return 0;
}

static void compare(int lenient, const uint8_t *data, size_t size, uint64_t seed)
{
    uint8_t *exact = bytes_exact_copy(data, size);
    found *f = calloc(1, sizeof *f);
    STREAM_CASE_CHECK(f != NULL);
    f->data = exact;
    f->lenient = lenient;
    int good = find_all(f, size);
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = (size_t)(seed % 50);
    tool_seam_read(&plan, exact, size, seed);
    cli_job job;
    cli_input input;
    memset(&job, 0, sizeof job);
    memset(&input, 0, sizeof input);
    input.job = &job;
    input.name = "fuzz";
    cli_json_taker taker = {take, f, NULL};
    int code = cli_json_objects(&input, lenient, &taker);
    if (f->count < 1023) {
        STREAM_CASE_CHECK(code == (good ? CLI_DONE : CLI_DAMAGED));
        STREAM_CASE_CHECK(f->given == f->count);
    }
    free(f);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && size <= 4096) {
        compare(data[0] & 1, data + 1, size - 1, data[0] >> 1);
    }
    return 0;
}
