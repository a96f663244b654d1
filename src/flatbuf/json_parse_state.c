/* The JSON parser's stack, and what it says of text that it refuses. */
#include "flatbuf/json_parse_private.h"

/* More than this cannot be part of a message. */
#define MOST_STACK_BYTES (UINT64_C(1) << 33)

#define FIRST_STACK_BYTES 1024u

FLSI_NOINLINE int flsi_parse_grow(fls_json_parser *p, size_t bytes, const uint8_t *at)
{
    uint64_t needed = (uint64_t)p->used + bytes;
    uint64_t wanted = 2 * (uint64_t)p->stack_bytes;
    if (wanted < needed) {
        wanted = needed;
    }
    if (wanted < FIRST_STACK_BYTES) {
        wanted = FIRST_STACK_BYTES;
    }
    if (needed > MOST_STACK_BYTES) {
        (void)flsi_parse_fail(p, at, "a message of 2^31 bytes or more");
        return 0;
    }
    uint8_t *stack = NULL;
    if (wanted <= SIZE_MAX) {
        stack = p->allocator->resize(p->allocator->self, p->stack, p->stack_bytes, (size_t)wanted);
    }
    if (stack == NULL) {
        (void)flsi_parse_fail_status(p, at, FLS_NO_MEMORY, "out of memory for a message in JSON");
        return 0;
    }
    p->stack = stack;
    p->stack_bytes = (size_t)wanted;
    return 1;
}

/* ---- paths ---- */

/* Of a path that is too long, the beginning and the end, with dots between. */
enum { PATH_MOST = sizeof((fls_json_parser *)0)->path - 1, PATH_HALF = (PATH_MOST - 3) / 2 };

static unsigned digits_of(uint64_t number)
{
    unsigned digits = 1;
    for (; number >= 10; number /= 10) {
        digits++;
    }
    return digits;
}

/* Of one frame: ".name", "[12]" or nothing. */
static uint64_t part_bytes(const flsi_parse_frame *frame)
{
    if (frame->name == NULL) {
        return 2 + digits_of(frame->number);
    }
    return frame->number == 0 ? 0 : 1 + (uint64_t)frame->number;
}

static void set_char(fls_json_parser *p, uint64_t total, uint64_t place, char character)
{
    if ((unsigned char)character < ' ') {
        character = '?';
    }
    if (total <= PATH_MOST || place < PATH_HALF) {
        p->path[place] = character;
    } else if (place >= total - PATH_HALF) {
        p->path[PATH_MOST - (total - place)] = character;
    }
}

/* place counts from the path's beginning, where the first name has no dot. */
static void set_part(fls_json_parser *p, const flsi_parse_frame *frame, uint64_t total,
                     uint64_t place)
{
    if (frame->name == NULL) {
        uint64_t number = frame->number;
        unsigned digits = digits_of(number);
        set_char(p, total, place, '[');
        for (unsigned i = digits; i > 0; i--, number /= 10) {
            set_char(p, total, place + i, (char)('0' + number % 10));
        }
        set_char(p, total, place + digits + 1, ']');
        return;
    }
    if (place != 0) {
        set_char(p, total, place - 1, '.');
    }
    for (size_t i = 0; i < frame->number; i++) {
        set_char(p, total, place + i, frame->name[i]);
    }
}

static void set_path(fls_json_parser *p)
{
    uint64_t total = 0;
    for (const flsi_parse_frame *frame = p->frame; frame != NULL; frame = frame->up) {
        total += part_bytes(frame);
    }
    memset(p->path, 0, sizeof p->path);
    if (total == 0) {
        return;
    }
    total -= 1; /* the dot before the first name */
    if (total > PATH_MOST) {
        memset(p->path + PATH_HALF, '.', PATH_MOST - 2 * (size_t)PATH_HALF);
    }
    uint64_t place = total;
    for (const flsi_parse_frame *frame = p->frame; frame != NULL; frame = frame->up) {
        uint64_t bytes = part_bytes(frame);
        if (bytes != 0) {
            int is_name = frame->name != NULL;
            place -= is_name ? bytes - 1 : bytes;
            set_part(p, frame, total, place);
            place -= is_name && place != 0;
        }
    }
}

/* ---- failures ---- */

FLSI_NOINLINE const uint8_t *flsi_parse_fail_status(fls_json_parser *p, const uint8_t *at,
                                                    fls_status status, const char *reason)
{
    p->status = status;
    p->reason = reason;
    p->at = at;
    set_path(p);
    return NULL;
}

const uint8_t *flsi_parse_fail(fls_json_parser *p, const uint8_t *at, const char *reason)
{
    return flsi_parse_fail_status(p, at, FLS_VALIDATION_FAILED, reason);
}

const uint8_t *flsi_parse_unexpected(fls_json_parser *p, const uint8_t *at, const char *wanted)
{
    return flsi_parse_fail(p, at, at == p->end ? "the text ends too early" : wanted);
}
