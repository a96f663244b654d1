/* See readers.h. Each way of reading is a function that walks the stream and reports every message
 * and the end to a walk, which compares with the reference. */
#include "support/readers.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/decoder.h"
#include "flatstream/reader.h"
#include "support/faulty_io.h"
#include "support/frames.h"

typedef struct walk {
    const readers_case *what;
    const ref_stream *expected;
    const char *who;
    prng *random;
    size_t max_piece;
    size_t seen;
    readers_verdict verdict;
} walk;

static void disagree(walk *self, const char *format, ...)
{
    if (!self->verdict.agree) {
        return;
    }
    self->verdict.agree = 0;
    size_t room = sizeof self->verdict.why;
    int used = snprintf(self->verdict.why, room, "%s: ", self->who);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->verdict.why + used, room - (size_t)used, format, arguments);
    va_end(arguments);
}

/* One message was handed out. Returns whether to go on. */
static int take(walk *self, const fls_message *message)
{
    if (self->seen >= self->expected->count) {
        disagree(self, "message %zu at %" PRIu64 " is one too many", self->seen, message->offset);
        return 0;
    }
    const ref_message *wanted = &self->expected->messages[self->seen];
    if (message->ordinal != self->seen) {
        disagree(self, "ordinal %" PRIu64 " instead of %zu", message->ordinal, self->seen);
    } else if (message->offset != wanted->offset) {
        disagree(self, "message %zu at %" PRIu64 " instead of %zu", self->seen, message->offset,
                 wanted->offset);
    } else if (message->size != wanted->size) {
        disagree(self, "message %zu has %zu bytes instead of %zu", self->seen, message->size,
                 wanted->size);
    } else if (message->checksum != wanted->checksum) {
        disagree(self, "message %zu shows checksum %" PRIx64, self->seen, message->checksum);
    } else if (message->payload == NULL) {
        disagree(self, "message %zu has no payload pointer", self->seen);
    } else if (wanted->size > 0 &&
               memcmp(message->payload, (const uint8_t *)self->what->data + wanted->payload,
                      wanted->size) != 0) {
        disagree(self, "payload of message %zu differs", self->seen);
    }
    self->seen++;
    return self->verdict.agree;
}

static void check_context(walk *self, fls_status status, const fls_error *err)
{
    const ref_stream *expected = self->expected;
    const uint32_t place = FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
    if (err->status != status || (err->known & place) != place) {
        disagree(self, "error without status or place (%d, %x)", (int)err->status, err->known);
    } else if (err->offset != expected->offset || err->ordinal != expected->count) {
        disagree(self, "fault at %" PRIu64 " ordinal %" PRIu64 " instead of %zu, %zu", err->offset,
                 err->ordinal, expected->offset, expected->count);
    }
    if (status == FLS_CHECKSUM_MISMATCH &&
        ((err->known & FLS_ERROR_CHECKSUMS) == 0 || err->expected != expected->expected ||
         err->computed != expected->computed ||
         err->checksum_width != ref_width(&self->what->format))) {
        disagree(self, "mismatch %" PRIx64 " / %" PRIx64 " instead of %" PRIx64 " / %" PRIx64,
                 err->expected, err->computed, expected->expected, expected->computed);
    }
    if (status == FLS_INVALID_FRAME &&
        ((err->known & FLS_ERROR_DECLARED) == 0 || err->declared_bytes != expected->declared ||
         (err->known & FLS_ERROR_LIMIT) == 0)) {
        disagree(self, "invalid frame of %" PRIu64 " instead of %" PRIu64, err->declared_bytes,
                 expected->declared);
    }
}

/* The last status was given, with the reader standing at offset. */
static void finish(walk *self, fls_status status, const fls_error *err, uint64_t offset)
{
    const ref_stream *expected = self->expected;
    if (self->seen < expected->count) {
        disagree(self, "%s after %zu of %zu messages", fls_status_name(status), self->seen,
                 expected->count);
    } else if (status != expected->end) {
        disagree(self, "ends with %s instead of %s at %zu", fls_status_name(status),
                 fls_status_name(expected->end), expected->offset);
    } else if (offset != expected->offset) {
        disagree(self, "stands at %" PRIu64 " instead of %zu", offset, expected->offset);
    } else if (status != FLS_END) {
        check_context(self, status, err);
    }
}

static size_t draw_piece(walk *self, size_t left)
{
    size_t most = self->max_piece;
    if (most == 0) {
        static const size_t choices[] = {1, 3, 8, 17, 64, 513, 4096, 70000};
        most = choices[prng_below(self->random, sizeof choices / sizeof choices[0])];
    }
    size_t piece = 1 + (size_t)prng_below(self->random, most);
    return piece < left ? piece : left;
}

static fls_cursor_options cursor_options(const walk *self)
{
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    options.checksum = self->what->format.checksum;
    options.custom_checksum = self->what->format.custom;
    options.max_frame_bytes = self->what->format.max_frame_bytes;
    return options;
}

static void cursor_whole(walk *self)
{
    fls_cursor cursor;
    fls_error err = FLS_ERROR_INIT;
    fls_cursor_options options = cursor_options(self);
    fls_message message;
    fls_status status =
        fls_cursor_init(&cursor, self->what->data, self->what->size, &options, &err);
    while (status == FLS_OK && (status = fls_cursor_next(&cursor, &message, &err)) == FLS_OK) {
        if (!take(self, &message)) {
            return;
        }
    }
    finish(self, status, &err, fls_cursor_offset(&cursor));
    fls_error again = FLS_ERROR_INIT;
    status = fls_cursor_next(&cursor, &message, &again);
    finish(self, status, &again, fls_cursor_offset(&cursor));
    if (fls_cursor_next(&cursor, &message, NULL) != status) {
        disagree(self, "another answer without an error to fill");
    }
}

#define MAX_BATCH 9

static void cursor_batches(walk *self)
{
    fls_cursor cursor;
    fls_error err = FLS_ERROR_INIT;
    fls_cursor_options options = cursor_options(self);
    fls_message messages[MAX_BATCH];
    fls_status status =
        fls_cursor_init(&cursor, self->what->data, self->what->size, &options, &err);
    while (status == FLS_OK) {
        size_t capacity = 1 + (size_t)prng_below(self->random, MAX_BATCH);
        size_t count = 99;
        status = fls_cursor_next_batch(&cursor, messages, capacity, &count, &err);
        if ((status == FLS_OK) != (count > 0) || count > capacity) {
            disagree(self, "%s with %zu messages", fls_status_name(status), count);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            if (!take(self, &messages[i])) {
                return;
            }
        }
    }
    finish(self, status, &err, fls_cursor_offset(&cursor));
}

/* Takes what the cursor gives now. must_reach: no message may be complete before that many bytes.
 */
static fls_status drain_cursor(walk *self, fls_cursor *cursor, size_t arrived, size_t must_reach,
                               fls_error *err)
{
    fls_message message;
    fls_status status;
    while ((status = fls_cursor_next(cursor, &message, err)) == FLS_OK) {
        if (arrived < must_reach) {
            disagree(self, "a message after %zu bytes, %zu were said to be needed", arrived,
                     must_reach);
        }
        must_reach = 0;
        if (!take(self, &message)) {
            break;
        }
    }
    return status;
}

static void cursor_continued(walk *self)
{
    fls_cursor cursor;
    fls_error err = FLS_ERROR_INIT;
    fls_cursor_options options = cursor_options(self);
    const uint8_t *data = self->what->data;
    size_t size = self->what->size;
    options.more_may_follow = size > 0;
    uint8_t *block = bytes_exact_copy(data, 0);
    fls_status status = fls_cursor_init(&cursor, block, 0, &options, &err);
    size_t arrived = 0;
    size_t place = 0; /* of the cursor's first byte */
    size_t must_reach = 0;
    while (status == FLS_OK || status == FLS_NEED_MORE) {
        status = drain_cursor(self, &cursor, arrived, must_reach, &err);
        if (status != FLS_NEED_MORE || !self->verdict.agree) {
            break;
        }
        size_t left = fls_cursor_left(&cursor);
        uint64_t needed = fls_cursor_needed(&cursor);
        if (left > arrived - place || needed <= left) {
            disagree(self, "%zu bytes left of %zu, needs %" PRIu64, left, arrived - place, needed);
            break;
        }
        if (arrived == size) {
            disagree(self, "wants more although no more may follow");
            break;
        }
        place = arrived - left;
        must_reach = needed < size - place ? place + (size_t)needed : size;
        arrived += draw_piece(self, size - arrived);
        free(block);
        block = bytes_exact_copy(data + place, arrived - place);
        fls_cursor_continue(&cursor, block, arrived - place, arrived < size);
    }
    if (self->verdict.agree) {
        finish(self, status, &err, fls_cursor_offset(&cursor));
    }
    free(block);
}

static void decode_pieces(walk *self, fls_decoder *decoder)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    const uint8_t *data = self->what->data;
    size_t size = self->what->size;
    size_t arrived = 0;
    size_t must_reach = 0;
    uint8_t *block = NULL;
    int ended = 0;
    fls_status status;
    for (;;) {
        status = fls_decoder_next(decoder, &message, &err);
        if (status == FLS_OK) {
            if (arrived < must_reach) {
                disagree(self, "a message after %zu bytes, %zu were said to be needed", arrived,
                         must_reach);
            }
            if (!take(self, &message)) {
                break;
            }
            must_reach = 0;
            continue;
        }
        if (status != FLS_NEED_MORE || ended) {
            break;
        }
        uint64_t needed = fls_decoder_needed(decoder);
        if (needed == 0) {
            disagree(self, "needs more, but nothing");
            break;
        }
        free(block);
        block = NULL;
        if (arrived == size) {
            fls_decoder_end(decoder);
            ended = 1;
            continue;
        }
        must_reach = needed < size - arrived ? arrived + (size_t)needed : size;
        size_t piece = draw_piece(self, size - arrived);
        block = bytes_exact_copy(data + arrived, piece);
        status = fls_decoder_feed(decoder, block, piece, &err);
        arrived += piece;
        if (status != FLS_OK) {
            break;
        }
    }
    if (self->verdict.agree) {
        finish(self, status, &err, fls_decoder_offset(decoder));
        fls_error again = FLS_ERROR_INIT;
        status = fls_decoder_next(decoder, &message, &again);
        finish(self, status, &again, fls_decoder_offset(decoder));
    }
    free(block);
}

static fls_decoder_options decoder_options(const walk *self)
{
    fls_decoder_options options = FLS_DECODER_OPTIONS_INIT;
    options.checksum = self->what->format.checksum;
    options.custom_checksum = self->what->format.custom;
    options.max_frame_bytes = self->what->format.max_frame_bytes;
    return options;
}

static void decoder_allocating(walk *self)
{
    fls_decoder decoder;
    fls_error err = FLS_ERROR_INIT;
    fls_decoder_options options = decoder_options(self);
    options.allocator = fls_allocator_libc();
    if (fls_decoder_init(&decoder, &options, &err) != FLS_OK) {
        disagree(self, "init refused: %s", err.text);
        return;
    }
    decode_pieces(self, &decoder);
    fls_decoder_fini(&decoder);
}

static void decoder_in_storage(walk *self)
{
    fls_decoder decoder;
    fls_error err = FLS_ERROR_INIT;
    fls_decoder_options options = decoder_options(self);
    options.storage_bytes = self->what->size + FLS_MAX_HEADER_BYTES;
    options.storage = malloc(options.storage_bytes);
    if (options.storage == NULL || fls_decoder_init(&decoder, &options, &err) != FLS_OK) {
        disagree(self, "init refused: %s", err.text);
    } else {
        decode_pieces(self, &decoder);
        fls_decoder_fini(&decoder);
    }
    free(options.storage);
}

static fls_reader_options reader_options(const walk *self)
{
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = self->what->format.checksum;
    options.custom_checksum = self->what->format.custom;
    options.max_frame_bytes = self->what->format.max_frame_bytes;
    return options;
}

static void reader_finish(walk *self, fls_reader *reader, fls_status status, const fls_error *err)
{
    if (!self->verdict.agree) {
        return;
    }
    finish(self, status, err, fls_reader_offset(reader));
    if (fls_reader_ordinal(reader) != self->seen) {
        disagree(self, "counts %" PRIu64 " messages", fls_reader_ordinal(reader));
    }
    fls_error again = FLS_ERROR_INIT;
    fls_message message;
    do {
        status = fls_reader_next(reader, &message, &again);
    } while (status == FLS_WOULD_BLOCK);
    finish(self, status, &again, fls_reader_offset(reader));
}

static void reader_over_memory(walk *self)
{
    fls_reader *reader = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = reader_options(self);
    fls_message message;
    fls_status status =
        fls_reader_open_memory(&reader, self->what->data, self->what->size, &options, &err);
    if (status != FLS_OK) {
        disagree(self, "open refused: %s", err.text);
        return;
    }
    while ((status = fls_reader_next(reader, &message, &err)) == FLS_OK) {
        if (!take(self, &message)) {
            break;
        }
    }
    reader_finish(self, reader, status, &err);
    fls_reader_close(reader);
}

/* A reader over a source that gives pieces and often has nothing now; the buffer is often tiny. */
static fls_reader *open_pieces(walk *self, faulty_source *storage)
{
    faulty_plan plan = FAULTY_PLAN_INIT;
    plan.max_piece = draw_piece(self, SIZE_MAX);
    plan.block_one_in = (uint32_t)prng_below(self->random, 3) * 3;
    plan.without_random = (int)prng_below(self->random, 2);
    fls_source source = faulty_source_init(storage, &plan, self->what->data, self->what->size,
                                           prng_next(self->random));
    fls_reader_options options = reader_options(self);
    static const size_t buffers[] = {0, 1, 16, 64, 1000, 20000};
    options.buffer_bytes = buffers[prng_below(self->random, sizeof buffers / sizeof buffers[0])];
    fls_reader *reader = NULL;
    fls_error err = FLS_ERROR_INIT;
    if (fls_reader_open(&reader, source, &options, &err) != FLS_OK) {
        disagree(self, "open refused: %s", err.text);
        return NULL;
    }
    return reader;
}

static void close_pieces(walk *self, fls_reader *reader, const faulty_source *storage)
{
    fls_reader_close(reader);
    if (storage->closed != 1) {
        disagree(self, "closed its source %d times", storage->closed);
    }
}

static void reader_in_pieces(walk *self)
{
    faulty_source storage;
    fls_reader *reader = open_pieces(self, &storage);
    if (reader == NULL) {
        return;
    }
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    do {
        status = fls_reader_next(reader, &message, &err);
    } while (status == FLS_WOULD_BLOCK || (status == FLS_OK && take(self, &message)));
    reader_finish(self, reader, status, &err);
    close_pieces(self, reader, &storage);
}

static void reader_in_batches(walk *self)
{
    faulty_source storage;
    fls_reader *reader = open_pieces(self, &storage);
    if (reader == NULL) {
        return;
    }
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[MAX_BATCH];
    fls_status status;
    do {
        size_t capacity = 1 + (size_t)prng_below(self->random, MAX_BATCH);
        size_t count = 99;
        status = fls_reader_next_batch(reader, messages, capacity, &count, &err);
        if ((status == FLS_OK) != (count > 0) || count > capacity) {
            disagree(self, "%s with %zu messages", fls_status_name(status), count);
            count = 0;
        }
        for (size_t i = 0; i < count && take(self, &messages[i]); i++) {
        }
    } while (self->verdict.agree && (status == FLS_OK || status == FLS_WOULD_BLOCK));
    reader_finish(self, reader, status, &err);
    close_pieces(self, reader, &storage);
}

static fls_status each_message(void *self_pointer, const fls_message *message)
{
    walk *self = self_pointer;
    if (!take(self, message)) {
        return FLS_STOPPED;
    }
    /* Stopping now and then, to be called again. */
    return prng_below(self->random, 5) == 0 ? FLS_STOPPED : FLS_OK;
}

static void reader_with_callback(walk *self)
{
    faulty_source storage;
    fls_reader *reader = open_pieces(self, &storage);
    if (reader == NULL) {
        return;
    }
    fls_error err = FLS_ERROR_INIT;
    fls_status status;
    do {
        status = fls_reader_each(reader, each_message, self, &err);
    } while (self->verdict.agree && (status == FLS_STOPPED || status == FLS_WOULD_BLOCK));
    reader_finish(self, reader, status == FLS_OK ? FLS_END : status, &err);
    close_pieces(self, reader, &storage);
}

static const struct {
    const char *name;
    void (*run)(walk *self);
} ways[READERS_WAYS] = {
    {"cursor", cursor_whole},
    {"cursor batches", cursor_batches},
    {"cursor continued", cursor_continued},
    {"decoder", decoder_allocating},
    {"decoder in storage", decoder_in_storage},
    {"reader over memory", reader_over_memory},
    {"reader in pieces", reader_in_pieces},
    {"reader batches", reader_in_batches},
    {"reader each", reader_with_callback},
};

const char *readers_way_name(unsigned way)
{
    return ways[way].name;
}

static readers_verdict run_way(unsigned way, const readers_case *what, const ref_stream *expected,
                               prng *random, size_t max_piece)
{
    walk self = {what, expected, ways[way].name, random, max_piece, 0, {1, ""}};
    ways[way].run(&self);
    return self.verdict;
}

readers_verdict readers_way_agrees(unsigned way, const readers_case *what,
                                   const ref_stream *expected, prng *random)
{
    return run_way(way, what, expected, random, 0);
}

readers_verdict readers_agree_in_pieces(const readers_case *what, prng *random, size_t max_piece)
{
    ref_stream expected = ref_decode(&what->format, what->data, what->size);
    readers_verdict verdict = {1, ""};
    for (unsigned way = 0; way < READERS_WAYS && verdict.agree; way++) {
        verdict = run_way(way, what, &expected, random, max_piece);
    }
    ref_free(&expected);
    return verdict;
}

readers_verdict readers_agree(const readers_case *what, prng *random)
{
    return readers_agree_in_pieces(what, random, 0);
}
