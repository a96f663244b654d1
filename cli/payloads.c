/* The readers of the forms that `flatstream write` takes. A length is only a claim: memory grows
 * with the bytes that really come, never with what a length says.
 */
#include "payloads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"

#define PIECE_BYTES ((size_t)256 * 1024)

/* A payload being gathered, and a piece of input. */
typedef struct gathering {
    cli_input *input;
    const cli_payload_taker *taker;
    uint64_t limit; /* largest payload */
    unsigned char *piece;
    unsigned char *payload;
    size_t size;
    size_t capacity;
} gathering;

static int begin(gathering *g, cli_input *input, const cli_payload_taker *taker)
{
    uint32_t limit = input->job->common.max_frame_bytes;
    memset(g, 0, sizeof *g);
    g->input = input;
    g->taker = taker;
    g->limit = limit != 0 ? limit : FLS_DEFAULT_MAX_FRAME_BYTES;
    g->piece = malloc(PIECE_BYTES);
    return g->piece != NULL ? CLI_DONE : cli_complain_errno(input->job, NULL, NULL, ENOMEM);
}

static int end(gathering *g, int code)
{
    free(g->piece);
    free(g->payload);
    return code;
}

/* Room for more bytes behind those gathered. */
static int reserve(gathering *g, size_t more)
{
    if (more > g->capacity - g->size) {
        size_t capacity = g->capacity * 2 > g->size + more ? g->capacity * 2 : g->size + more;
        unsigned char *payload = realloc(g->payload, capacity);
        if (payload == NULL) {
            (void)cli_complain_errno(g->input->job, g->input->name, "message too large", ENOMEM);
            return CLI_SYSTEM;
        }
        g->payload = payload;
        g->capacity = capacity;
    }
    return CLI_DONE;
}

/* The next bytes of the input, at least one; *got 0 at its end. */
static int read_some(gathering *g, void *buffer, size_t capacity, size_t *got)
{
    fls_error err = FLS_ERROR_INIT;
    fls_source source = cli_input_source(g->input);
    int code = CLI_DONE;
    if (g->taker->pause != NULL && !g->input->seekable) {
        code = g->taker->pause(g->taker->self);
    }
    if (code != CLI_DONE) {
        return code;
    }
    fls_status status = source.ops->read(source.self, buffer, capacity, got, &err);
    if (status == FLS_END) {
        *got = 0;
        return CLI_DONE;
    }
    return status == FLS_OK ? CLI_DONE : cli_complain_error(g->input->job, g->input->name, &err);
}

static int too_large(gathering *g, const char *place, uint64_t size)
{
    cli_complain(g->input->job, g->input->name,
                 "%s: a message of %llu bytes or more, over the limit of %llu (--max-frame)", place,
                 (unsigned long long)size, (unsigned long long)g->limit);
    return CLI_DAMAGED;
}

typedef struct hex_position {
    uint64_t line;
    uint64_t column; /* of the character to come, from 1 */
    int high;        /* first digit of a byte, or -1 */
    int returned;    /* a carriage return was seen; only a line end may follow */
} hex_position;

static int end_line(gathering *g, const hex_position *at)
{
    char place[64];
    if (at->high >= 0) {
        cli_complain(g->input->job, g->input->name,
                     "line %llu, column %llu: an odd number of digits",
                     (unsigned long long)at->line, (unsigned long long)at->column - 1);
        return CLI_DAMAGED;
    }
    snprintf(place, sizeof place, "line %llu", (unsigned long long)at->line);
    return g->taker->take(g->taker->self, g->size > 0 ? g->payload : g->piece, g->size, place);
}

/* One more than the value of a hexadecimal digit; 0 for everything else. */
static const unsigned char digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static int digit_of(unsigned char c)
{
    return digit_values[c] - 1;
}

/* Takes pairs of digits as long as there are any: nearly all of the input. Returns the place of
 * what is something else. */
static size_t take_pairs(gathering *g, hex_position *at, size_t from, size_t size)
{
    size_t i = from;
    unsigned char *to = g->payload + g->size;
    for (; size - i >= 2; i += 2) {
        int high = digit_of(g->piece[i]);
        int low = digit_of(g->piece[i + 1]);
        if ((high | low) < 0) {
            break;
        }
        *to++ = (unsigned char)(high << 4 | low);
    }
    g->size += (i - from) / 2;
    at->column += i - from;
    return i;
}

static int wrong_character(gathering *g, const hex_position *at, unsigned char c)
{
    char shown[16];
    snprintf(shown, sizeof shown, c > 0x20 && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    cli_complain(g->input->job, g->input->name, "line %llu, column %llu: %s is no hex digit",
                 (unsigned long long)at->line, (unsigned long long)at->column, shown);
    return CLI_DAMAGED;
}

/* One piece of lines. Its bytes become at most half as many of the payload. */
static int take_hex(gathering *g, hex_position *at, size_t size)
{
    int code = reserve(g, size / 2 + 1);
    if (g->payload == NULL) {
        return code;
    }
    for (size_t i = 0; code == CLI_DONE && i < size; i++) {
        if (at->high < 0 && !at->returned) {
            i = take_pairs(g, at, i, size);
            if (i == size) {
                break;
            }
        }
        unsigned char c = g->piece[i];
        int digit = digit_of(c);
        if (c == '\n') {
            code = end_line(g, at);
            *at = (hex_position){at->line + 1, 1, -1, 0};
            g->size = 0;
            continue;
        }
        if (at->returned || (digit < 0 && c != '\r')) {
            return wrong_character(g, at, at->returned ? '\r' : c);
        }
        if (c == '\r') {
            at->returned = 1;
            continue;
        }
        at->column++;
        if (at->high < 0) {
            at->high = digit;
        } else {
            g->payload[g->size++] = (unsigned char)(at->high << 4 | digit);
            at->high = -1;
        }
    }
    if (code == CLI_DONE && g->size > g->limit) {
        char place[64];
        snprintf(place, sizeof place, "line %llu", (unsigned long long)at->line);
        code = too_large(g, place, g->size);
    }
    return code;
}

int cli_payloads_hex(cli_input *input, const cli_payload_taker *taker)
{
    gathering g;
    hex_position at = {1, 1, -1, 0};
    size_t got;
    int code = begin(&g, input, taker);
    while (code == CLI_DONE) {
        code = read_some(&g, g.piece, PIECE_BYTES, &got);
        if (code != CLI_DONE || got == 0) {
            break;
        }
        code = take_hex(&g, &at, got);
    }
    if (code == CLI_DONE && (at.column > 1 || at.returned)) {
        code = end_line(&g, &at); /* the last line need not have an end */
    }
    return end(&g, code);
}

/* A piece of delimited input: bytes [next, end) of it are not taken yet. */
typedef struct delimited {
    gathering g;
    size_t next;
    size_t end;
    uint64_t offset; /* of the byte at next, in the input */
} delimited;

/* Reads more until `size` bytes are in the piece, or the input ends. */
static int fill(delimited *d, size_t size)
{
    int code = CLI_DONE;
    size_t got = 1;
    if (d->end - d->next >= size) {
        return code;
    }
    memmove(d->g.piece, d->g.piece + d->next, d->end - d->next);
    d->end -= d->next;
    d->next = 0;
    while (code == CLI_DONE && got > 0 && d->end < size) {
        code = read_some(&d->g, d->g.piece + d->end, PIECE_BYTES - d->end, &got);
        d->end += code == CLI_DONE ? got : 0;
    }
    return code;
}

/* Gathers a payload that is larger than a piece. d->g.size is what came of it. */
static int gather(delimited *d, size_t size)
{
    gathering *g = &d->g;
    size_t there = d->end - d->next;
    int code = reserve(g, there);
    if (code != CLI_DONE) {
        return code;
    }
    if (there > 0) { /* nothing is allocated for nothing */
        memcpy(g->payload, g->piece + d->next, there);
    }
    g->size = there;
    d->next = d->end;
    while (g->size < size) {
        size_t more = size - g->size < PIECE_BYTES ? size - g->size : PIECE_BYTES;
        size_t got = 0;
        code = reserve(g, more);
        if (code == CLI_DONE) {
            code = read_some(g, g->payload + g->size, more, &got);
        }
        if (code != CLI_DONE || got == 0) {
            return code;
        }
        g->size += got;
    }
    return CLI_DONE;
}

/* The first length is none: most likely the input has no lengths. */
static const char hint[] = "; is it of another form? --from names it";

static int cut_short(const delimited *d, const char *what, uint64_t declared, uint64_t there)
{
    cli_complain(d->g.input->job, d->g.input->name,
                 "offset %llu: the input ends within a %s: %llu bytes there, %llu expected%s",
                 (unsigned long long)d->offset, what, (unsigned long long)there,
                 (unsigned long long)declared, d->offset == 0 ? hint : "");
    return CLI_DAMAGED;
}

/* The payload behind a length. */
static int take_delimited(delimited *d, uint32_t size)
{
    char place[64];
    const unsigned char *payload;
    size_t there;
    snprintf(place, sizeof place, "offset %llu", (unsigned long long)d->offset);
    if (size > d->g.limit) {
        return too_large(&d->g, place, size);
    }
    d->next += FLS_LENGTH_BYTES;
    d->g.size = 0;
    int code;
    if (size <= PIECE_BYTES) {
        code = fill(d, size);
        payload = d->g.piece + d->next;
        there = d->end - d->next < size ? d->end - d->next : size;
        d->next += there;
    } else {
        code = gather(d, size);
        payload = d->g.payload;
        there = d->g.size;
    }
    if (code == CLI_DONE && there < size) {
        return cut_short(d, "message", size, there);
    }
    if (code == CLI_DONE) {
        code = d->g.taker->take(d->g.taker->self, payload, size, place);
        d->offset += (uint64_t)FLS_LENGTH_BYTES + size;
    }
    return code;
}

int cli_payloads_delimited(cli_input *input, const cli_payload_taker *taker)
{
    delimited d = {.next = 0};
    uint32_t size = 0;
    int code = begin(&d.g, input, taker);
    while (code == CLI_DONE) {
        code = fill(&d, FLS_LENGTH_BYTES);
        size_t there = d.end - d.next;
        if (code != CLI_DONE || there == 0) {
            break;
        }
        uint64_t checksum;
        if (fls_frame_decode_header(d.g.piece + d.next, there, 0, &size, &checksum) != FLS_OK) {
            code = cut_short(&d, "length", FLS_LENGTH_BYTES, there);
            break;
        }
        code = take_delimited(&d, size);
    }
    return end(&d.g, code);
}

int cli_payloads_whole(cli_input *input, const cli_payload_taker *taker)
{
    gathering g;
    size_t got = 1;
    int code = begin(&g, input, taker);
    while (code == CLI_DONE && got > 0) {
        code = reserve(&g, PIECE_BYTES);
        if (code == CLI_DONE) {
            code = read_some(&g, g.payload + g.size, PIECE_BYTES, &got);
        }
        g.size += code == CLI_DONE ? got : 0;
        if (code == CLI_DONE && g.size > g.limit) {
            code = too_large(&g, "whole file", g.size);
        }
    }
    if (code == CLI_DONE) {
        code = taker->take(taker->self, g.payload, g.size, NULL);
    }
    return end(&g, code);
}
