/* What `write` takes: lines of hexadecimal digits, or delimited bytes, as the first byte says. The
 * same payloads come out, up to the same fault, as from a plain parser of the whole input. */
#include <stdlib.h>
#include <string.h>

#include "payloads.h"
#include "stream_case.h"
#include "support/frames.h"
#include "tool_seam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the plain parsers: payloads as a stream of "none", and whether all was well ---- */

static const ref_format plain = {FLS_CHECKSUM_NONE, NULL, 0};

static int digit_of(int c)
{
    const char *found = c != '\0' ? strchr("0123456789abcdefABCDEF", c) : NULL;
    if (found == NULL) {
        return -1;
    }
    int place = (int)(found - "0123456789abcdefABCDEF");
    return place < 16 ? place : place - 6;
}

/* One line, without its end. */
static int parse_line(const uint8_t *line, size_t size, byte_buffer *payload)
{
    bytes_clear(payload);
    if (size > 0 && line[size - 1] == '\r') {
        size--;
    }
    for (size_t i = 0; i + 1 < size; i += 2) {
        int high = digit_of(line[i]);
        int low = digit_of(line[i + 1]);
        if (high < 0 || low < 0) {
            return 0;
        }
        bytes_append_le(payload, (uint64_t)(high << 4 | low), 1);
    }
    return size % 2 == 0;
}

static int parse_hex(const uint8_t *data, size_t size, byte_buffer *payloads)
{
    byte_buffer payload = BYTES_INIT;
    int good = 1;
    for (size_t at = 0; good && at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t line = end != NULL ? (size_t)(end - data) - at : size - at;
        good = parse_line(data + at, line, &payload);
        if (good) {
            frames_append(payloads, &plain, payload.data, payload.size);
        }
        at += line + 1;
    }
    bytes_free(&payload);
    return good;
}

static int parse_delimited(const uint8_t *data, size_t size, byte_buffer *payloads)
{
    for (size_t at = 0; at < size;) {
        if (size - at < 4) {
            return 0;
        }
        size_t length = (size_t)data[at] | (size_t)data[at + 1] << 8 | (size_t)data[at + 2] << 16 |
                        (size_t)data[at + 3] << 24;
        if (length > size - at - 4) {
            return 0;
        }
        frames_append(payloads, &plain, data + at + 4, length);
        at += 4 + length;
    }
    return 1;
}

/* ---- the comparison ---- */

static int take(void *self, const void *payload, size_t size, const char *place)
{
    (void)place;
    frames_append(self, &plain, payload, size);
    return CLI_DONE;
}

static void compare(int hex, const uint8_t *data, size_t size, uint64_t seed)
{
    byte_buffer wanted = BYTES_INIT;
    byte_buffer got = BYTES_INIT;
    uint8_t *exact = bytes_exact_copy(data, size);
    int good = hex ? parse_hex(exact, size, &wanted) : parse_delimited(exact, size, &wanted);
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = (size_t)(seed % 50);
    tool_seam_read(&plan, exact, size, seed);
    cli_job job;
    cli_input input;
    memset(&job, 0, sizeof job);
    memset(&input, 0, sizeof input);
    input.job = &job;
    input.name = "fuzz";
    cli_payload_taker taker = {take, &got, NULL};
    int code = hex ? cli_payloads_hex(&input, &taker) : cli_payloads_delimited(&input, &taker);
    STREAM_CASE_CHECK(code == (good ? CLI_DONE : CLI_DAMAGED));
    STREAM_CASE_CHECK(got.size == wanted.size);
    STREAM_CASE_CHECK(got.size == 0 || memcmp(got.data, wanted.data, got.size) == 0);
    bytes_free(&wanted);
    bytes_free(&got);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        compare(data[0] & 1, data + 1, size - 1, data[0] >> 1);
    }
    return 0;
}
