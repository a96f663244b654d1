/* Bytes that arrive in pieces, made into messages. The decoder's cursor walks either the piece that
 * was fed or, for a message that spans pieces, the buffer in which it is gathered; the rules are
 * the cursor's.
 */
#include "flatstream/decoder.h"

#include "core/bytes.h"
#include "core/error.h"
#include "core/options.h"

fls_status fls_decoder_init(fls_decoder *decoder, const fls_decoder_options *options,
                            fls_error *err)
{
    fls_decoder_options given;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    memset(decoder, 0, sizeof *decoder);
    fls_cursor_options cursor_options = {
        .struct_bytes = sizeof cursor_options,
        .checksum = given.checksum,
        .custom_checksum = given.custom_checksum,
        .max_frame_bytes = given.max_frame_bytes,
        .more_may_follow = 1,
    };
    decoder->allocator = given.allocator;
    decoder->gathered = given.storage;
    decoder->gathered_capacity = given.storage != NULL ? given.storage_bytes : 0;
    return fls_cursor_init(&decoder->cursor, "", 0, &cursor_options, err);
}

void fls_decoder_fini(fls_decoder *decoder)
{
    if (decoder->owns_gathered) {
        decoder->allocator->free(decoder->allocator->self, decoder->gathered,
                                 decoder->gathered_capacity);
    }
    memset(decoder, 0, sizeof *decoder);
}

fls_status fls_decoder_feed(fls_decoder *decoder, const void *data, size_t size, fls_error *err)
{
    if (decoder->ended || decoder->fed_bytes > 0 ||
        (!decoder->gathering && fls_cursor_left(&decoder->cursor) > 0)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             decoder->ended ? "the decoder was told that no more bytes come"
                                            : "bytes fed before are still unread");
    }
    if (decoder->gathering) {
        decoder->fed = data;
        decoder->fed_bytes = size;
    } else {
        fls_cursor_continue(&decoder->cursor, data, size, 1);
    }
    return FLS_OK;
}

void fls_decoder_end(fls_decoder *decoder)
{
    decoder->ended = 1;
    decoder->cursor.more_may_follow = decoder->fed_bytes > 0;
}

/* Room for need bytes in the gathering buffer, whose content stays. */
static fls_status reserve(fls_decoder *decoder, size_t need, fls_error *err)
{
    if (need <= decoder->gathered_capacity) {
        return FLS_OK;
    }
    const fls_allocator *allocator = decoder->allocator;
    if (allocator == NULL) {
        fls_error_set(err, FLS_NO_MEMORY, 0,
                      "a message spans two pieces and is larger than the decoder's storage");
        flsi_error_declared(err, need, decoder->gathered_capacity);
        return FLS_NO_MEMORY;
    }
    size_t capacity = decoder->gathered_capacity < 512 ? 512 : decoder->gathered_capacity;
    while (capacity < need) {
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    }
    uint8_t *memory = allocator->resize(allocator->self, NULL, 0, capacity);
    if (memory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the decoder's buffer could not grow");
    }
    if (decoder->gathered_bytes > 0) {
        memcpy(memory, decoder->gathered, decoder->gathered_bytes);
    }
    if (decoder->owns_gathered) {
        allocator->free(allocator->self, decoder->gathered, decoder->gathered_capacity);
    }
    decoder->gathered = memory;
    decoder->gathered_capacity = capacity;
    decoder->owns_gathered = 1;
    return FLS_OK;
}

/* Moves what the cursor could not use into the gathering buffer. */
static fls_status begin_gathering(fls_decoder *decoder, fls_error *err)
{
    size_t left = fls_cursor_left(&decoder->cursor);
    if (left == 0) {
        return FLS_OK;
    }
    fls_status status = reserve(decoder, left, err);
    if (status != FLS_OK) {
        return status;
    }
    memmove(decoder->gathered, decoder->cursor.next, left);
    decoder->gathered_bytes = left;
    decoder->gathering = 1;
    fls_cursor_continue(&decoder->cursor, decoder->gathered, left, !decoder->ended);
    return FLS_OK;
}

/* Adds fed bytes to the gathered frame, no more than it needs, so that what follows is read in
 * place. */
static fls_status gather(fls_decoder *decoder, fls_error *err)
{
    size_t left = fls_cursor_left(&decoder->cursor);
    uint64_t missing = fls_cursor_needed(&decoder->cursor) - left;
    size_t more = missing < decoder->fed_bytes ? (size_t)missing : decoder->fed_bytes;
    if (left > 0 && decoder->cursor.next != decoder->gathered) {
        memmove(decoder->gathered, decoder->cursor.next, left);
    }
    decoder->gathered_bytes = left;
    fls_status status = reserve(decoder, left + more, err);
    if (status != FLS_OK) {
        fls_cursor_continue(&decoder->cursor, decoder->gathered, left, 1);
        return status;
    }
    memcpy(decoder->gathered + left, decoder->fed, more);
    decoder->gathered_bytes = left + more;
    decoder->fed += more;
    decoder->fed_bytes -= more;
    int more_may_follow = !decoder->ended || decoder->fed_bytes > 0;
    fls_cursor_continue(&decoder->cursor, decoder->gathered, left + more, more_may_follow);
    return FLS_OK;
}

/* The gathered frame is done with: goes on in the piece that was fed. */
static void end_gathering(fls_decoder *decoder)
{
    decoder->gathering = 0;
    decoder->gathered_bytes = 0;
    fls_cursor_continue(&decoder->cursor, decoder->fed, decoder->fed_bytes, !decoder->ended);
    decoder->fed = NULL;
    decoder->fed_bytes = 0;
}

fls_status fls_decoder_next(fls_decoder *decoder, fls_message *message, fls_error *err)
{
    for (;;) {
        if (decoder->gathering && fls_cursor_left(&decoder->cursor) == 0) {
            end_gathering(decoder);
        }
        fls_status status = fls_cursor_next(&decoder->cursor, message, err);
        if (status != FLS_NEED_MORE) {
            return status;
        }
        if (!decoder->gathering) {
            status = begin_gathering(decoder, err);
            return status == FLS_OK ? FLS_NEED_MORE : status;
        }
        if (fls_cursor_left(&decoder->cursor) == 0) {
            continue; /* held zeros used up the gathered bytes */
        }
        if (decoder->fed_bytes == 0) {
            return FLS_NEED_MORE;
        }
        status = gather(decoder, err);
        if (status != FLS_OK) {
            return status;
        }
    }
}

uint64_t fls_decoder_needed(const fls_decoder *decoder)
{
    return fls_cursor_needed(&decoder->cursor) - fls_cursor_left(&decoder->cursor);
}

uint64_t fls_decoder_offset(const fls_decoder *decoder)
{
    return fls_cursor_offset(&decoder->cursor);
}
