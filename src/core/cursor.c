/* The reading rules of docs/FORMAT.md, over bytes in memory. Every reader of the project stands on
 * this file: the batch loops, one compiled for each checksum, take sound non-empty frames as fast
 * as the machine can; whatever is not plainly that is left to step(), which decides by the rules in
 * order.
 *
 * A frame at a boundary
 *   0. that begins with zero bytes: the whole run of zeros is looked at. It is held back until a
 * byte that is not zero, or the end, follows it. At the end, 16 or more are a zero tail.
 *   1. no bytes left is a clean end; fewer than 4 an unexpected end.
 *   2. a length over the maximum is an invalid frame.
 *   3. header or payload incomplete: an unexpected end.
 *   4. checksum differs: a mismatch.
 *
 * Held zeros are dropped from the bytes in whole frames (unit bytes: an empty frame's header), and
 * counted, so that a run may be longer than any buffer.
 */
#include "flatstream/cursor.h"

#include "core/cpu.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/options.h"
#include "core/rewind.h"

extern inline fls_status fls_cursor_next(fls_cursor *cursor, fls_message *message, fls_error *err);

_Alignas(64) const uint8_t flsi_empty_payload[64] = {0};

fls_status fls_cursor_init(fls_cursor *cursor, const void *data, size_t size,
                           const fls_cursor_options *options, fls_error *err)
{
    fls_cursor_options given;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    memset(cursor, 0, sizeof *cursor);
    status = flsi_digest_init(&cursor->digest, given.checksum, given.custom_checksum,
                              flsi_cpu_features(), err);
    if (status != FLS_OK) {
        return status;
    }
    cursor->max_frame_bytes =
        given.max_frame_bytes != 0 ? given.max_frame_bytes : FLS_DEFAULT_MAX_FRAME_BYTES;
    if (cursor->digest.checksum == FLS_CHECKSUM_NONE) {
        cursor->inline_limit = cursor->max_frame_bytes;
    }
    cursor->ordinal = given.first_ordinal;
    data = data != NULL ? data : flsi_empty_payload;
    cursor->next = data;
    cursor->end = cursor->next + size;
    cursor->offset_bias = given.first_offset - (uint64_t)(uintptr_t)data;
    cursor->more_may_follow = given.more_may_follow;
    return FLS_OK;
}

void fls_cursor_continue(fls_cursor *cursor, const void *data, size_t size, int more_may_follow)
{
    data = data != NULL ? data : flsi_empty_payload;
    cursor->offset_bias += (uint64_t)(uintptr_t)cursor->next - (uint64_t)(uintptr_t)data;
    cursor->next = data;
    cursor->end = cursor->next + size;
    cursor->more_may_follow = more_may_follow != 0;
}

static uint64_t offset_of(const fls_cursor *cursor, const uint8_t *byte)
{
    return (uint64_t)(uintptr_t)byte + cursor->offset_bias;
}

/* Bytes of an empty frame: what a run of zeros is counted in. */
static uint32_t unit_of(const fls_cursor *cursor)
{
    return FLS_LENGTH_BYTES + cursor->digest.width;
}

uint64_t fls_cursor_offset(const fls_cursor *cursor)
{
    return offset_of(cursor, cursor->next) - cursor->zeros_held -
           cursor->empties_left * unit_of(cursor);
}

size_t fls_cursor_left(const fls_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->next);
}

uint64_t fls_cursor_needed(const fls_cursor *cursor)
{
    size_t left = fls_cursor_left(cursor);
    uint64_t needed = FLS_LENGTH_BYTES;
    if (cursor->zeros_held > 0) { /* any byte that is not zero proves an empty message */
        return (uint64_t)left + 1;
    }
    if (left >= FLS_LENGTH_BYTES) {
        needed = (uint64_t)unit_of(cursor) + flsi_load_le32(cursor->next);
    }
    return needed > left ? needed : (uint64_t)left + 1;
}

/* While zeros are held or empty messages are still to come, the inline road of the header is
 * closed. */
static void set_inline_limit(fls_cursor *cursor)
{
    int open = cursor->digest.checksum == FLS_CHECKSUM_NONE && cursor->zeros_held == 0 &&
               cursor->empties_left == 0;
    cursor->inline_limit = open ? cursor->max_frame_bytes : 0;
}

static fls_status fault(const fls_cursor *cursor, fls_status status, const char *text,
                        fls_error *err)
{
    return flsi_error_frame(err, status, fls_cursor_offset(cursor), cursor->ordinal, text);
}

static void take_empty(fls_cursor *cursor, fls_message *message)
{
    memset(message, 0, sizeof *message);
    message->payload = flsi_empty_payload;
    message->ordinal = cursor->ordinal++;
    message->offset = fls_cursor_offset(cursor);
    cursor->empties_left--;
    set_inline_limit(cursor);
}

/* Rule 0. FLS_OK: the zeros at the position are decided, and decoding goes on (empties_left says
 * whether with empty messages); the rest is what to answer. */
static fls_status resolve_zeros(fls_cursor *cursor, fls_error *err)
{
    uint32_t unit = unit_of(cursor);
    size_t left = fls_cursor_left(cursor);
    size_t run = flsi_zero_run(cursor->next, left);
    uint64_t total = cursor->zeros_held + run;
    if (run == left && cursor->more_may_follow) {
        size_t whole = run - run % unit;
        cursor->next += whole;
        cursor->zeros_held += whole;
        set_inline_limit(cursor);
        return FLS_NEED_MORE;
    }
    if (run == left && total >= FLS_ZERO_TAIL_BYTES) {
        fault(cursor, FLS_ZERO_TAIL, NULL, err);
        flsi_error_declared(err, 0, total);
        return FLS_ZERO_TAIL;
    }
    if (total < unit) {
        return FLS_OK;
    }
    if (cursor->digest.of_empty != 0) { /* zeros are no frame under this checksum */
        fault(cursor, FLS_CHECKSUM_MISMATCH, NULL, err);
        flsi_error_checksums(err, 0, cursor->digest.of_empty, cursor->digest.width);
        return FLS_CHECKSUM_MISMATCH;
    }
    cursor->empties_left = total / unit;
    cursor->next += run - run % unit;
    cursor->zeros_held = 0;
    set_inline_limit(cursor);
    return FLS_OK;
}

/* Rules 1 to 3 for the frame at the position. FLS_OK: it is whole. */
static fls_status check_bounds(const fls_cursor *cursor, fls_error *err)
{
    size_t left = fls_cursor_left(cursor);
    if (left < FLS_LENGTH_BYTES) {
        if (cursor->more_may_follow) {
            return FLS_NEED_MORE;
        }
        if (left == 0) {
            return FLS_END;
        }
        return fault(cursor, FLS_UNEXPECTED_EOF, "the length is incomplete", err);
    }
    uint32_t length = flsi_load_le32(cursor->next);
    if (length > cursor->max_frame_bytes) {
        fault(cursor, FLS_INVALID_FRAME, "the length is over the limit", err);
        flsi_error_declared(err, length, cursor->max_frame_bytes);
        return FLS_INVALID_FRAME;
    }
    size_t header = unit_of(cursor);
    if (left >= header && length <= left - header) {
        return FLS_OK;
    }
    if (cursor->more_may_follow) {
        return FLS_NEED_MORE;
    }
    fault(cursor, FLS_UNEXPECTED_EOF,
          left < header ? "the checksum is incomplete" : "the payload is incomplete", err);
    flsi_error_declared(err, length, left < header ? 0 : left - header);
    return FLS_UNEXPECTED_EOF;
}

/* One message, or why there is none, by all the rules. */
static fls_status step(fls_cursor *cursor, fls_message *message, fls_error *err)
{
    const fls_digest_state *digest = &cursor->digest;
    size_t left = fls_cursor_left(cursor);
    if (cursor->empties_left == 0 &&
        (cursor->zeros_held > 0 || (left > 0 && cursor->next[0] == 0))) {
        fls_status status = resolve_zeros(cursor, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    if (cursor->empties_left > 0) {
        take_empty(cursor, message);
        return FLS_OK;
    }
    fls_status status = check_bounds(cursor, err);
    if (status != FLS_OK) {
        return status;
    }
    const uint8_t *frame = cursor->next;
    const uint8_t *payload = frame + unit_of(cursor);
    uint32_t length = flsi_load_le32(frame);
    uint64_t stored = flsi_digest_load(digest, digest->checksum, frame + FLS_LENGTH_BYTES);
    uint64_t computed = flsi_digest_of(digest, digest->checksum, payload, length);
    if (stored != computed) {
        fault(cursor, FLS_CHECKSUM_MISMATCH, NULL, err);
        flsi_error_checksums(err, stored, computed, digest->width);
        return FLS_CHECKSUM_MISMATCH;
    }
    message->payload = payload;
    message->size = length;
    message->ordinal = cursor->ordinal++;
    message->offset = offset_of(cursor, frame);
    message->checksum = stored;
    cursor->next = payload + length;
    return FLS_OK;
}

/* Plainly sound frames, up to capacity. Returns how many. One comparison a frame sees to it that
 * the frame is there and the header of another behind it; the last frame of the bytes is left to
 * step(). The message is filled in before its checksum is computed, so that little outlives that
 * call. With ahead not 0 memory is asked for before the walk gets there. */
FLSI_ALWAYS_INLINE size_t take_plain(fls_cursor *cursor, fls_message *messages, size_t capacity,
                                     const uint32_t checksum, const int ahead)
{
    const fls_digest_state *digest = &cursor->digest;
    const size_t header = FLS_LENGTH_BYTES + flsi_digest_width(digest, checksum);
    const uint32_t max_frame_bytes = cursor->max_frame_bytes;
    const uint64_t bias = cursor->offset_bias;
    const fls_message *const first = messages;
    const fls_message *const full = messages + capacity;
    const uint8_t *frame = cursor->next;
    uint64_t ordinal = cursor->ordinal;
    if ((size_t)(cursor->end - frame) < header) {
        return 0;
    }
    const uint64_t last_header = (uint64_t)(uintptr_t)(cursor->end - header);
    while (messages != full) {
        const uint32_t length = flsi_load_le32(frame);
        const uint8_t *const payload = frame + header;
        if (FLSI_UNLIKELY(length - 1u >= max_frame_bytes ||
                          (uint64_t)(uintptr_t)payload + length > last_header)) {
            break;
        }
        if (ahead) {
            FLS_PREFETCH((const char *)payload + length + FLS_PREFETCH_BYTES);
            FLS_PREFETCH((const char *)payload + length + FLS_PREFETCH_BYTES + 64);
        }
        messages->payload = payload;
        messages->size = length;
        messages->ordinal = ordinal;
        messages->offset = (uint64_t)(uintptr_t)frame + bias;
        messages->checksum = flsi_digest_load(digest, checksum, frame + FLS_LENGTH_BYTES);
        if (checksum != FLS_CHECKSUM_NONE &&
            FLSI_UNLIKELY(messages->checksum !=
                          flsi_digest_of(digest, checksum, payload, length))) {
            break;
        }
        messages++;
        ordinal++;
        frame = payload + length;
    }
    cursor->next = frame;
    cursor->ordinal = ordinal;
    return (size_t)(messages - first);
}

static FLSI_NOINLINE size_t take_none(fls_cursor *cursor, fls_message *messages, size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_NONE, 0);
}

static FLSI_NOINLINE size_t take_short_none(fls_cursor *cursor, fls_message *messages,
                                            size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_NONE, 1);
}

/* Whether the frames here are so short that looking ahead pays; decided once a batch. */
static int are_short(const fls_cursor *cursor)
{
    return fls_cursor_left(cursor) >= FLS_LENGTH_BYTES &&
           flsi_load_le32(cursor->next) <= FLS_PREFETCH_PAYLOAD;
}

static FLSI_NOINLINE size_t take_crc16(fls_cursor *cursor, fls_message *messages, size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_CRC16, 0);
}

static FLSI_NOINLINE size_t take_crc32(fls_cursor *cursor, fls_message *messages, size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_CRC32, 0);
}

static FLSI_NOINLINE size_t take_xxh3(fls_cursor *cursor, fls_message *messages, size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_XXH3, 0);
}

static FLSI_NOINLINE size_t take_custom(fls_cursor *cursor, fls_message *messages, size_t capacity)
{
    return take_plain(cursor, messages, capacity, FLS_CHECKSUM_CUSTOM, 0);
}

fls_status fls_cursor_next_batch(fls_cursor *cursor, fls_message *messages, size_t capacity,
                                 size_t *count, fls_error *err)
{
    size_t taken = 0;
    *count = 0;
    if (capacity == 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a batch needs room for a message");
    }
    if (cursor->zeros_held == 0 && cursor->empties_left == 0) {
        switch (cursor->digest.checksum) {
        case FLS_CHECKSUM_NONE:
            taken = are_short(cursor) ? take_short_none(cursor, messages, capacity)
                                      : take_none(cursor, messages, capacity);
            break;
        case FLS_CHECKSUM_CRC16: taken = take_crc16(cursor, messages, capacity); break;
        case FLS_CHECKSUM_CRC32: taken = take_crc32(cursor, messages, capacity); break;
        case FLS_CHECKSUM_XXH3: taken = take_xxh3(cursor, messages, capacity); break;
        default: taken = take_custom(cursor, messages, capacity); break;
        }
    }
    if (taken == 0) {
        fls_status status = step(cursor, messages, err);
        if (status != FLS_OK) {
            return status;
        }
        taken = 1;
        for (; taken < capacity && cursor->empties_left > 0; taken++) {
            take_empty(cursor, &messages[taken]);
        }
    }
    *count = taken;
    return FLS_OK;
}

fls_status fls_cursor_next_slow(fls_cursor *cursor, fls_message *message, fls_error *err)
{
    size_t count;
    return fls_cursor_next_batch(cursor, message, 1, &count, err);
}

fls_status fls_cursor_skip(fls_cursor *cursor, fls_error *err)
{
    fls_cursor looking = *cursor;
    fls_message message;
    uint32_t unit = unit_of(cursor);
    if (step(&looking, &message, NULL) != FLS_CHECKSUM_MISMATCH) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "there is no message with a wrong checksum to step over");
    }
    if (cursor->zeros_held >= unit) {
        cursor->zeros_held -= unit;
        set_inline_limit(cursor);
    } else {
        cursor->next += (size_t)unit + flsi_load_le32(cursor->next);
    }
    cursor->ordinal++;
    return FLS_OK;
}

void flsi_cursor_rewind(fls_cursor *cursor, const fls_message *messages, size_t keep, size_t count)
{
    cursor->ordinal = messages[keep].ordinal;
    if (messages[keep].payload ==
        flsi_empty_payload) { /* a batch of a zero run holds nothing else */
        cursor->empties_left += count - keep;
        set_inline_limit(cursor);
        return;
    }
    cursor->next = (const uint8_t *)messages[keep].payload - unit_of(cursor);
}

void flsi_cursor_restart(fls_cursor *cursor, const void *data, size_t size, int more_may_follow,
                         uint64_t offset, uint64_t ordinal)
{
    cursor->next = data;
    cursor->end = cursor->next + size;
    cursor->offset_bias = offset - (uint64_t)(uintptr_t)data;
    cursor->ordinal = ordinal;
    cursor->more_may_follow = more_may_follow != 0;
    cursor->zeros_held = 0;
    cursor->empties_left = 0;
    set_inline_limit(cursor);
}
