/* Messages into a sink. Frames are gathered in a buffer:
 *
 *     |<------------- piece ------------->|<-- slack -->|
 *
 * The fast paths fill it up to a multiple of the piece size in the stream. The frame that reaches
 * over that edge goes into the slack; then the piece is handed on, whole and ending at the edge,
 * which is what file systems do fastest, and the rest of the frame moves to the front. A frame that
 * does not fit the slack is handed on from where it lies, up to the last edge in it, together with
 * what is in the buffer. A sink that lends its memory has the frames built in it.
 */
#include "flatstream/writer.h"

#include "core/digest.h"
#include "core/error.h"
#include "io/io_ops.h"
#include "stream/writer_private.h"

extern inline fls_status fls_writer_write(fls_writer *writer, const void *payload, size_t size,
                                          fls_error *err);

/* ---- small things ---- */

static size_t held(const fls_writer *writer)
{
    return (size_t)(writer->front.next - writer->buffer);
}

static size_t room(const fls_writer *writer)
{
    return (size_t)(writer->front.limit - writer->front.next);
}

/* Up to the buffer's end, slack included. */
static size_t all_room(const fls_writer *writer)
{
    return writer->capacity - held(writer);
}

static size_t header_bytes(const fls_writer *writer)
{
    return FLS_LENGTH_BYTES + writer->digest.width;
}

uint64_t fls_writer_messages(const fls_writer *writer)
{
    return writer->front.messages;
}

uint64_t fls_writer_offset(const fls_writer *writer)
{
    return writer->buffer_offset + held(writer);
}

static fls_status again(const fls_writer *writer, fls_error *err)
{
    if (err != NULL) {
        *err = writer->failure;
    }
    return writer->failure.status;
}

/* Remembers a failure of the sink for good. Nothing is written after it. The status is what the
 * sink answered: one that fails need not say why in an fls_error. */
static fls_status stick(fls_writer *writer, fls_status status, const fls_error *failure,
                        fls_error *err)
{
    writer->failure = *failure;
    writer->failure.status = status;
    flsi_writer_choose_path(writer);
    return again(writer, err);
}

static fls_status refuse(const fls_writer *writer, fls_status status, const char *text,
                         fls_error *err)
{
    return flsi_error_frame(err, status, fls_writer_offset(writer),
                            writer->first_ordinal + writer->front.messages, text);
}

/* ---- handing on ---- */

/* Hands on the first `bytes` of the buffer, and moves what stays to its front. */
static fls_status hand_on(fls_writer *writer, size_t bytes, fls_error *err)
{
    size_t written = 0;
    fls_error detail = FLS_ERROR_INIT;
    fls_status status = fls_sink_write_all(&writer->sink, writer->buffer, bytes, &written, &detail);
    size_t stays = held(writer) - written;
    if (written > 0 && stays > 0) {
        memmove(writer->buffer, writer->buffer + written, stays);
    }
    writer->buffer_offset += written;
    writer->front.next = writer->buffer + stays;
    flsi_writer_set_limit(writer);
    if (status == FLS_OK) {
        return FLS_OK;
    }
    if (status == FLS_WOULD_BLOCK) {
        return fls_error_set(err, status, 0, NULL);
    }
    detail.known |= FLS_ERROR_OFFSET;
    detail.offset = writer->buffer_offset;
    return stick(writer, status, &detail, err);
}

/* The bytes to hand on when room runs out: up to the last multiple of the piece size in the stream.
 */
static size_t whole_pieces(const fls_writer *writer)
{
    size_t bytes = held(writer);
    size_t over = (size_t)((writer->buffer_offset + bytes) % writer->piece);
    return over < bytes ? bytes - over : bytes;
}

/* Says how much of the sink's memory is written, and has none of it then. */
static void commit(fls_writer *writer)
{
    if (writer->buffer != NULL) {
        size_t done = held(writer);
        writer->sink.ops->commit(writer->sink.self, done);
        writer->buffer_offset += done;
        flsi_writer_use_buffer(writer, NULL, 0, 0);
    }
}

/* Asks the sink for memory of its own for at least `bytes`. */
static fls_status borrow_room(fls_writer *writer, size_t bytes, fls_error *err)
{
    void *memory = NULL;
    size_t capacity = 0;
    fls_error detail = FLS_ERROR_INIT;
    commit(writer);
    fls_status status =
        writer->sink.ops->lend(writer->sink.self, bytes, &memory, &capacity, &detail);
    if (status == FLS_OK && (memory == NULL || capacity < bytes)) {
        status =
            fls_error_set(&detail, FLS_IO, 0, "the sink lent less memory than it was asked for");
    }
    if (status != FLS_OK) { /* nothing was torn: what was written stays good */
        refuse(writer, status, detail.text, err);
        flsi_error_name(err, detail.name);
        return status;
    }
    flsi_writer_use_buffer(writer, memory, capacity, 0);
    return FLS_OK;
}

/* Hands on the pieces that are whole, after a frame has gone over the edge. A sink that would block
 * keeps them waiting here: the message is taken all the same. */
static fls_status pass_pieces(fls_writer *writer, fls_error *err)
{
    if (writer->lends || held(writer) < flsi_writer_edge(writer)) {
        return FLS_OK;
    }
    fls_status status = hand_on(writer, whole_pieces(writer), err);
    return status == FLS_WOULD_BLOCK ? FLS_OK : status;
}

/* Room in the buffer for a frame that is not larger than the buffer. */
static fls_status find_room(fls_writer *writer, size_t bytes, fls_error *err)
{
    if (writer->lends) {
        return bytes <= room(writer) ? FLS_OK : borrow_room(writer, bytes, err);
    }
    if (bytes <= all_room(writer)) {
        return FLS_OK;
    }
    fls_status status = hand_on(writer, held(writer), err);
    return status == FLS_WOULD_BLOCK && bytes <= all_room(writer) ? FLS_OK : status;
}

/* Gives the buffer another capacity; what it holds, which has to fit, stays. */
static fls_status resize(fls_writer *writer, size_t capacity, fls_error *err)
{
    size_t bytes = held(writer);
    uint8_t *buffer = flsi_writer_allocate(writer, capacity, err);
    if (buffer == NULL) {
        return FLS_NO_MEMORY;
    }
    if (bytes > 0) {
        memcpy(buffer, writer->buffer, bytes);
    }
    flsi_writer_release(writer, writer->buffer, writer->capacity);
    flsi_writer_use_buffer(writer, buffer, capacity, bytes);
    return FLS_OK;
}

fls_status fls_writer_flush(fls_writer *writer, fls_error *err)
{
    if (writer->failure.status != FLS_OK) {
        return again(writer, err);
    }
    if (writer->lends) {
        commit(writer);
    } else if (held(writer) > 0) {
        fls_status status = hand_on(writer, held(writer), err);
        if (status != FLS_OK) {
            return status;
        }
    }
    if (!FLSI_SINK_HAS(&writer->sink, flush)) {
        return FLS_OK;
    }
    fls_error detail = FLS_ERROR_INIT;
    fls_status status = fls_sink_flush(&writer->sink, &detail);
    if (status == FLS_WOULD_BLOCK) {
        return fls_error_set(err, status, 0, NULL);
    }
    return status == FLS_OK ? FLS_OK : stick(writer, status, &detail, err);
}

fls_status fls_writer_sync(fls_writer *writer, fls_error *err)
{
    fls_status status = fls_writer_flush(writer, err);
    if (status != FLS_OK) {
        return status;
    }
    fls_error detail = FLS_ERROR_INIT;
    status = fls_sink_sync(&writer->sink, &detail);
    if (status == FLS_OK) {
        return FLS_OK;
    }
    if (status == FLS_UNSUPPORTED) { /* the sink cannot be made durable: nothing failed */
        if (err != NULL) {
            *err = detail;
            err->status = status;
        }
        return status;
    }
    return stick(writer, status, &detail, err);
}

/* ---- frames ---- */

/* The most frequent kind of frame: short enough that nothing has to be called. */
static FLSI_NOINLINE fls_status put_short_xxh3(fls_writer *writer, const void *payload, size_t size)
{
    if (size < FLSI_SHORT_MIN || size > FLSI_SHORT_MAX) {
        FLSI_UNREACHABLE();
    }
    uint8_t *frame = writer->front.next;
    uint8_t *to = frame + FLS_LENGTH_BYTES + sizeof(uint64_t);
    flsi_store_le32(frame, (uint32_t)size);
    flsi_copy_short(to, payload, size);
    flsi_store_le64(frame + FLS_LENGTH_BYTES, flsi_digest_xxh3(&writer->digest, payload, size));
    writer->front.next = to + size;
    writer->front.messages++;
    return FLS_OK;
}

/* Any frame. The checksum comes first, while the payload is in the cache, and the copy last. */
static FLSI_NOINLINE fls_status put_any(fls_writer *writer, const void *payload, size_t size)
{
    const fls_digest_state *digest = &writer->digest;
    uint8_t *frame = writer->front.next;
    uint8_t *to = frame + FLS_LENGTH_BYTES + digest->width;
    uint64_t value = flsi_digest_of(digest, digest->checksum, payload, size);
    flsi_store_le32(frame, (uint32_t)size);
    flsi_digest_store(digest, digest->checksum, frame + FLS_LENGTH_BYTES, value);
    writer->front.next = to + size;
    writer->front.messages++;
    if (FLSI_UNLIKELY(size > 2048)) {
        flsi_copy_long(to, payload, size);
    } else {
        memcpy(to, payload, size);
    }
    return FLS_OK;
}

static void observe(const fls_writer *writer, const void *payload, size_t size)
{
    uint64_t ordinal = writer->first_ordinal + writer->front.messages - 1;
    for (size_t i = 0; i < writer->observer_count; i++) {
        writer->observers[i].seen(writer->observers[i].self, payload, size, ordinal);
    }
}

/* The payload where its address suits the validators: itself, or a copy. */
static const void *aligned_for_validators(fls_writer *writer, const void *payload, size_t size,
                                          fls_error *err)
{
    if (((uintptr_t)payload & (writer->alignment - 1)) == 0) {
        return payload;
    }
    if (size + FLSI_WRITER_MAX_ALIGNMENT > writer->scratch_capacity) {
        size_t capacity = size + size / 2 + FLSI_WRITER_MAX_ALIGNMENT;
        uint8_t *scratch = flsi_writer_allocate(writer, capacity, err);
        if (scratch == NULL) {
            return NULL;
        }
        flsi_writer_release(writer, writer->scratch, writer->scratch_capacity);
        writer->scratch = scratch;
        writer->scratch_capacity = capacity;
    }
    uint8_t *place =
        writer->scratch + (-(uintptr_t)writer->scratch & (FLSI_WRITER_MAX_ALIGNMENT - 1));
    memcpy(place, payload, size);
    return place;
}

static fls_status validate(fls_writer *writer, const void *payload, size_t size, fls_error *err)
{
    if (writer->validator_count == 0) {
        return FLS_OK;
    }
    const void *aligned = aligned_for_validators(writer, payload, size, err);
    if (aligned == NULL) {
        return FLS_NO_MEMORY;
    }
    for (size_t i = 0; i < writer->validator_count; i++) {
        fls_status status = fls_validator_check(&writer->validators[i], aligned, size, err);
        if (status != FLS_OK) {
            if (err != NULL) {
                err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
                err->offset = fls_writer_offset(writer);
                err->ordinal = writer->first_ordinal + writer->front.messages;
            }
            return status;
        }
    }
    return FLS_OK;
}

/* What can be said of a payload without looking into it. */
static fls_status check_size(const fls_writer *writer, uint64_t size, fls_error *err)
{
    if (writer->failure.status != FLS_OK) {
        return again(writer, err);
    }
    if (size == 0 && !writer->allow_empty) {
        return refuse(writer, FLS_INVALID_FRAME,
                      "an empty payload is not a FlatBuffer; allow_empty permits it", err);
    }
    if (size > writer->max_frame_bytes) {
        refuse(writer, FLS_INVALID_FRAME, "the payload is over the limit", err);
        flsi_error_declared(err, size, writer->max_frame_bytes);
        return FLS_INVALID_FRAME;
    }
    return FLS_OK;
}

/* Keeps in the buffer what a sink that would block did not take of a large frame. */
static fls_status keep_rest(fls_writer *writer, const fls_span spans[3], size_t written,
                            fls_error *err)
{
    size_t stays = spans[0].size + spans[1].size + spans[2].size - written;
    uint8_t *buffer = flsi_writer_allocate(writer, stays + writer->baseline, err);
    if (buffer == NULL) { /* part of the frame is out: the stream is torn here */
        fls_error torn = FLS_ERROR_INIT;
        refuse(writer, FLS_NO_MEMORY, "no memory for the rest of a message partly written", &torn);
        return stick(writer, FLS_NO_MEMORY, &torn, err);
    }
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t gone = written < spans[i].size ? written : spans[i].size;
        size_t rest = spans[i].size - gone;
        if (rest > 0) {
            memcpy(buffer + at, (const uint8_t *)spans[i].data + gone, rest);
        }
        at += rest;
        written -= gone;
    }
    flsi_writer_release(writer, writer->buffer, writer->capacity);
    flsi_writer_use_buffer(writer, buffer, stays + writer->baseline, stays);
    return FLS_OK;
}

/* Keeps the end of a large frame in the buffer, which holds nothing else. */
static void keep_tail(fls_writer *writer, const void *payload, size_t size, size_t tail)
{
    writer->front.next = writer->buffer + tail;
    if (tail > 0) {
        memcpy(writer->buffer, (const uint8_t *)payload + (size - tail), tail);
    }
    flsi_writer_set_limit(writer);
}

/* A frame too large to be worth a copy: handed on from where it lies, behind what the buffer holds,
 * up to the last edge of a piece in its payload. */
static fls_status write_large(fls_writer *writer, const void *payload, size_t size, fls_error *err)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    uint64_t digest = flsi_digest_of(&writer->digest, writer->digest.checksum, payload, size);
    size_t header_size =
        fls_frame_encode_header(header, (uint32_t)size, digest, writer->digest.width);
    const fls_span whole[3] = {
        {writer->buffer, held(writer)}, {header, header_size}, {payload, size}};
    uint64_t end = fls_writer_offset(writer) + header_size + size;
    size_t tail = (size_t)(end % writer->piece);
    tail = tail < size ? tail : 0;
    const fls_span spans[3] = {whole[0], whole[1], {payload, size - tail}};
    size_t written = 0;
    fls_error detail = FLS_ERROR_INIT;
    fls_status status = fls_sink_writev_all(&writer->sink, spans, 3, &written, &detail);
    if (status == FLS_WOULD_BLOCK && written > spans[0].size) {
        status = keep_rest(writer, whole, written, err);
        if (status == FLS_OK) {
            writer->buffer_offset += written;
            writer->front.messages++;
            flsi_writer_set_limit(writer);
        }
        return status;
    }
    writer->buffer_offset += written;
    if (status == FLS_OK) {
        writer->front.messages++;
        keep_tail(writer, payload, size, tail);
        return FLS_OK;
    }
    if (status == FLS_WOULD_BLOCK) {
        size_t stays = spans[0].size - written;
        memmove(writer->buffer, writer->buffer + written, stays);
        writer->front.next = writer->buffer + stays;
        flsi_writer_set_limit(writer);
        return fls_error_set(err, status, 0, NULL);
    }
    writer->front.next = writer->buffer;
    detail.known |= FLS_ERROR_OFFSET;
    detail.offset = writer->buffer_offset;
    return stick(writer, status, &detail, err);
}

/* As reclaim below, for the copies that validators need. */
static void reclaim_scratch(fls_writer *writer, size_t payload_bytes)
{
    size_t from = writer->scratch_capacity;
    if (flsi_memory_should_reclaim(&writer->scratch_memory, payload_bytes, from,
                                   FLS_MEMORY_BASELINE_BYTES)) {
        flsi_writer_release(writer, writer->scratch, from);
        writer->scratch = NULL;
        writer->scratch_capacity = 0;
        flsi_memory_reclaimed(&writer->scratch_memory, from, 0);
    }
}

/* Gives memory back that a large gathered message made the buffer take, when the policy says so.
 * What the buffer holds goes to the sink first; when that fails, the next call says so. */
static void reclaim(fls_writer *writer, size_t frame_bytes)
{
    reclaim_scratch(writer, frame_bytes);
    size_t from = writer->capacity;
    if (writer->lends ||
        !flsi_memory_should_reclaim(&writer->memory, frame_bytes, from, writer->baseline)) {
        return;
    }
    if (held(writer) > writer->baseline && hand_on(writer, held(writer), NULL) != FLS_OK) {
        return;
    }
    if (resize(writer, writer->baseline, NULL) == FLS_OK) {
        flsi_memory_reclaimed(&writer->memory, from, writer->capacity);
    }
}

static FLSI_NOINLINE fls_status write_checked(fls_writer *writer, const void *payload, size_t size,
                                              fls_error *err)
{
    fls_status status = check_size(writer, size, err);
    if (status == FLS_OK && payload == NULL && size > 0) {
        status = refuse(writer, FLS_INVALID_ARGUMENT, "the payload is NULL", err);
    }
    if (status == FLS_OK) {
        status = validate(writer, payload, size, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    if (payload == NULL) {
        payload = ""; /* of no bytes: check_size saw to that */
    }
    size_t frame = header_bytes(writer) + size;
    int fits = frame <= room(writer) || (size <= writer->piece / 2 && frame <= all_room(writer));
    if (writer->lends || fits) {
        status = find_room(writer, frame, err);
        if (status == FLS_OK) {
            (void)put_any(writer, payload, size);
            status = pass_pieces(writer, err);
        }
    } else {
        status = write_large(writer, payload, size, err);
    }
    if (status == FLS_OK) {
        observe(writer, payload, size);
        reclaim(writer, frame);
    }
    return status;
}

fls_status fls_writer_write_slow(fls_writer *writer, const void *payload, size_t size,
                                 fls_error *err)
{
    size_t most = size + FLS_MAX_HEADER_BYTES;
    if (size >= FLSI_SHORT_MIN && size <= FLSI_SHORT_MAX && writer->plain_short &&
        most <= room(writer)) {
        return put_short_xxh3(writer, payload, size);
    }
    if (FLSI_UNLIKELY(size - 1u >= writer->plain_limit || most > room(writer))) {
        return write_checked(writer, payload, size, err);
    }
    return put_any(writer, payload, size);
}

/* ---- gathered and built payloads ---- */

/* Room for a whole frame of any size in the buffer. */
static fls_status find_room_for_all(fls_writer *writer, size_t frame, fls_error *err)
{
    if (writer->lends || frame <= writer->capacity) {
        return find_room(writer, frame, err);
    }
    fls_status status = held(writer) > 0 ? hand_on(writer, held(writer), err) : FLS_OK;
    return status == FLS_OK ? resize(writer, frame, err) : status;
}

fls_status fls_writer_writev(fls_writer *writer, const fls_span *spans, size_t count,
                             fls_error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count && total <= UINT32_MAX; i++) {
        total = spans[i].size > UINT32_MAX ? UINT64_MAX : total + spans[i].size;
    }
    if (count == 1) {
        return fls_writer_write(writer, spans[0].data, spans[0].size, err);
    }
    fls_status status = check_size(writer, total, err);
    if (status != FLS_OK) {
        return status;
    }
    if (total > SIZE_MAX / 2) {
        return refuse(writer, FLS_NO_MEMORY, "the payload is larger than memory can be", err);
    }
    size_t size = (size_t)total;
    size_t frame = header_bytes(writer) + size;
    status = find_room_for_all(writer, frame, err);
    if (status != FLS_OK) {
        return status;
    }
    uint8_t *payload = writer->front.next + header_bytes(writer);
    for (size_t i = 0, at = 0; i < count; i++) {
        if (spans[i].size > 0) {
            memcpy(payload + at, spans[i].data, spans[i].size);
        }
        at += spans[i].size;
    }
    status = validate(writer, payload, size, err);
    if (status != FLS_OK) {
        return status; /* front.next has not moved: it is as if nothing had been offered */
    }
    uint64_t digest = flsi_digest_of(&writer->digest, writer->digest.checksum, payload, size);
    fls_frame_encode_header(writer->front.next, (uint32_t)size, digest, writer->digest.width);
    writer->front.next = payload + size;
    writer->front.messages++;
    flsi_writer_set_limit(writer);
    observe(writer, payload, size);
    reclaim(writer, frame);
    return FLS_OK;
}

fls_builder *fls_writer_builder(fls_writer *writer)
{
    if (writer->builder == NULL) {
        fls_status status = fls_builder_new(&writer->builder, writer->allocator, NULL);
        if (status != FLS_OK) {
            return NULL;
        }
    }
    return writer->builder;
}

fls_status fls_writer_write_root(fls_writer *writer, fls_ref root, fls_error *err)
{
    const void *payload;
    size_t size;
    fls_builder *builder = fls_writer_builder(writer);
    if (builder == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the writer has no builder");
    }
    fls_status status = fls_builder_finish(builder, root, NULL, &payload, &size, err);
    if (status != FLS_OK) {
        return status;
    }
    status = fls_writer_write(writer, payload, size, err);
    size_t capacity = fls_builder_capacity(builder);
    if (FLSI_UNLIKELY(capacity > FLS_MEMORY_BASELINE_BYTES) &&
        flsi_memory_should_reclaim(&writer->builder_memory, size, capacity,
                                   FLS_MEMORY_BASELINE_BYTES)) {
        fls_builder_shrink(builder, FLS_MEMORY_BASELINE_BYTES);
        flsi_memory_reclaimed(&writer->builder_memory, capacity, fls_builder_capacity(builder));
    }
    return status;
}
