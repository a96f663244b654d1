/* Messages from a source. The reader keeps a window of the stream in its buffer (or, for a source
 * in memory, the whole of it where it lies) and walks it with a cursor, which knows the reading
 * rules; what is done here is to keep bytes coming, and what happens to a message between the
 * cursor and the caller.
 *
 *     | head room |           area            |   tail room   |
 *                  ^ reads of a whole area start here, so that they are large and aligned
 *
 * What is left of a frame at the end of a read is moved into the head room when it is small. When
 * it is not, the rest of that frame is read straight behind it, and nothing is moved. A frame
 * larger than the buffer makes it grow, but never to more than twice the bytes that have really
 * arrived.
 */
#include "flatstream/reader.h"

#include "core/bytes.h"
#include "core/error.h"
#include "core/options.h"
#include "core/rewind.h"
#include "flatstream/recover.h"
#include "io/io_ops.h"
#include "io/io_source.h"
#include "stream/reader_state.h"

#define DEFAULT_BUFFER_BYTES ((size_t)256 * 1024)
#define MIN_BUFFER_BYTES     ((size_t)64)
#define HEAD_ROOM_BYTES      ((size_t)16 * 1024)
/* Copies of misaligned payloads are gathered in pieces of this size, unless one payload needs more.
 */
#define ALIGNED_BYTES ((size_t)64 * 1024)
#define MAX_ALIGNMENT 64u
#define EACH_BATCH    64
#define PAST_BYTES    ((size_t)16 * 1024)
/* What a read's place in memory and in the file should agree in; for buffers of at least so much.
 */
#define PAGE_BYTES  ((size_t)4096)
#define PAGED_BYTES ((size_t)64 * 1024)

static void *allocate(const fls_reader *reader, size_t bytes, fls_error *err)
{
    void *memory = reader->allocator->resize(reader->allocator->self, NULL, 0, bytes);
    if (memory == NULL) {
        fls_error_set(err, FLS_NO_MEMORY, 0, "the reader's buffer could not be allocated");
    }
    return memory;
}

static void release(const fls_reader *reader, void *memory, size_t bytes)
{
    if (memory != NULL) {
        reader->allocator->free(reader->allocator->self, memory, bytes);
    }
}

/* ---- opening and closing ---- */

static fls_status read_options(fls_reader *reader, const fls_reader_options *given, fls_error *err)
{
    reader->alignment = given->alignment != 0 ? given->alignment : 1;
    for (size_t i = 0; i < given->validator_count; i++) {
        if (given->validators[i].alignment > reader->alignment) {
            reader->alignment = given->validators[i].alignment;
        }
    }
    if (reader->alignment > MAX_ALIGNMENT || (reader->alignment & (reader->alignment - 1)) != 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "alignment has to be a power of two up to 64");
    }
    reader->validators = given->validators;
    reader->validator_count = given->validator_count;
    reader->observers = given->observers;
    reader->observer_count = given->observer_count;
    reader->max_frame_bytes = given->max_frame_bytes;
    reader->first_offset = given->first_offset;
    reader->first_ordinal = given->first_ordinal;
    reader->look_at = given->first_offset;
    reader->detecting = given->checksum == FLS_CHECKSUM_DETECT;
    reader->area = given->buffer_bytes != 0 ? given->buffer_bytes : DEFAULT_BUFFER_BYTES;
    if (reader->area > SIZE_MAX / 4) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "buffer_bytes is too large");
    }
    if (reader->area < MIN_BUFFER_BYTES) {
        reader->area = MIN_BUFFER_BYTES;
    }
    reader->head_room = reader->area / 4 < HEAD_ROOM_BYTES ? reader->area / 4 : HEAD_ROOM_BYTES;
    reader->head_room = (reader->head_room + MAX_ALIGNMENT - 1) & ~(size_t)(MAX_ALIGNMENT - 1);
    reader->baseline = reader->head_room + reader->area + reader->area / 2;
    return flsi_memory_state_init(&reader->memory, given->memory_policy, err);
}

static int is_paged(const fls_reader *reader)
{
    return reader->area >= PAGED_BYTES;
}

/* Memory of a buffer of that capacity, in all. */
static size_t memory_bytes(const fls_reader *reader, size_t capacity)
{
    return capacity + (is_paged(reader) ? PAGE_BYTES : 0);
}

static fls_status new_buffer(fls_reader *reader, size_t capacity, void **memory, uint8_t **buffer,
                             fls_error *err)
{
    *memory = allocate(reader, memory_bytes(reader, capacity), err);
    if (*memory == NULL) {
        return FLS_NO_MEMORY;
    }
    *buffer = *memory;
    if (is_paged(reader)) {
        *buffer += -(uintptr_t)*buffer & (PAGE_BYTES - 1);
    }
    return FLS_OK;
}

static void release_buffer(fls_reader *reader)
{
    if (reader->allocation != NULL) {
        release(reader, reader->allocation, memory_bytes(reader, reader->capacity));
    }
}

static fls_status start_cursor(fls_reader *reader, const fls_reader_options *given,
                               fls_checksum checksum, const void *data, size_t size, fls_error *err)
{
    fls_cursor_options options = {
        .struct_bytes = sizeof options,
        .checksum = checksum,
        .custom_checksum = given->custom_checksum,
        .max_frame_bytes = given->max_frame_bytes,
        .more_may_follow = !reader->at_end,
        .first_offset = given->first_offset,
        .first_ordinal = given->first_ordinal,
    };
    fls_status status = fls_cursor_init(&reader->cursor, data, size, &options, err);
    reader->roots = ROOTS_UNSEEN;
    if (reader->cursor.digest.width >= 4) {
        reader->roots = ROOTS_DO_NOT_MATTER;
        reader->look_at = UINT64_MAX;
    }
    return status;
}

static fls_status go_to(fls_reader *reader, const fls_reader_position *position, fls_error *err)
{
    if (!reader->borrowed && !FLSI_SOURCE_HAS(&reader->source, read_at)) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "the source cannot be read at an offset");
    }
    if (position->offset < reader->first_offset ||
        (reader->borrowed && position->offset - reader->first_offset > reader->borrowed_bytes)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the position is not in the stream");
    }
    flsi_reader_restart(reader, position, 0);
    return FLS_OK;
}

static fls_status set_up(fls_reader *reader, const fls_reader_options *given, fls_error *err)
{
    const void *data = "";
    size_t size = 0;
    fls_status status = read_options(reader, given, err);
    if (status != FLS_OK) {
        return status;
    }
    if (FLSI_SOURCE_HAS(&reader->source, borrow)) {
        status = reader->source.ops->borrow(reader->source.self, &data, &size, err);
        if (status != FLS_OK) {
            return status;
        }
        reader->borrowed = 1;
        reader->borrowed_data = data;
        reader->borrowed_bytes = size;
        reader->at_end = 1;
    } else if (!FLSI_SOURCE_HAS(&reader->source, read)) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the source is closed or has no read");
    } else {
        status = new_buffer(reader, reader->baseline, &reader->allocation, &reader->buffer, err);
        if (status != FLS_OK) {
            return status;
        }
        reader->capacity = reader->baseline;
        uint64_t bytes;
        reader->one_way = !FLSI_SOURCE_HAS(&reader->source, read_at) ||
                          fls_source_size(&reader->source, &bytes, NULL) != FLS_OK;
        data = reader->buffer + reader->head_room;
    }
    fls_checksum checksum = reader->detecting ? FLS_CHECKSUM_NONE : given->checksum;
    status = start_cursor(reader, given, checksum, data, size, err);
    if (status == FLS_OK && given->position != NULL) {
        status = go_to(reader, given->position, err);
    }
    return status;
}

fls_status fls_reader_open(fls_reader **reader, fls_source source,
                           const fls_reader_options *options, fls_error *err)
{
    fls_reader_options given;
    fls_reader *made = NULL;
    *reader = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status == FLS_OK) {
        const fls_allocator *allocator =
            given.allocator != NULL ? given.allocator : fls_allocator_libc();
        made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
        if (made == NULL) {
            status = fls_error_set(err, FLS_NO_MEMORY, 0, "the reader could not be allocated");
        } else {
            memset(made, 0, sizeof *made);
            made->allocator = allocator;
            made->source = source;
            status = set_up(made, &given, err);
        }
    }
    if (status == FLS_OK) {
        *reader = made;
    } else if (made != NULL) {
        fls_reader_close(made);
    } else {
        fls_source_close(&source);
    }
    return status;
}

fls_status fls_reader_open_file(fls_reader **reader, const char *path,
                                const fls_reader_options *options, fls_error *err)
{
    fls_source source;
    *reader = NULL;
    fls_status status = fls_source_open_file(&source, path, err);
    return status == FLS_OK ? fls_reader_open(reader, source, options, err) : status;
}

fls_status fls_reader_open_mapped(fls_reader **reader, const char *path,
                                  const fls_reader_options *options, fls_error *err)
{
    fls_source source;
    *reader = NULL;
    fls_status status = fls_source_map_file(&source, path, err);
    return status == FLS_OK ? fls_reader_open(reader, source, options, err) : status;
}

fls_status fls_reader_open_memory(fls_reader **reader, const void *data, size_t size,
                                  const fls_reader_options *options, fls_error *err)
{
    fls_source source;
    *reader = NULL;
    fls_status status = fls_source_from_memory(&source, data, size, err);
    return status == FLS_OK ? fls_reader_open(reader, source, options, err) : status;
}

void fls_reader_close(fls_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    fls_source_close(&reader->source);
    release_buffer(reader);
    release(reader, reader->aligned, reader->aligned_capacity);
    release(reader, reader, sizeof *reader);
}

fls_status flsi_reader_begin_again(fls_reader *reader, const fls_reader_options *given,
                                   fls_error *err)
{
    reader->at_end = 0;
    reader->skippable = 0;
    reader->first_offset = given->first_offset;
    reader->first_ordinal = given->first_ordinal;
    reader->look_at = given->first_offset;
    reader->source_at = 0;
    reader->failure = (fls_error)FLS_ERROR_INIT;
    const uint8_t *bytes = reader->buffer != NULL ? reader->buffer + reader->head_room : NULL;
    return start_cursor(reader, given, given->checksum, bytes, 0, err);
}

/* ---- keeping bytes coming ---- */

/* Moves the window to another place of a buffer, perhaps another one. */
static void move_window(fls_reader *reader, uint8_t *to)
{
    size_t left = fls_cursor_left(&reader->cursor);
    if (left > 0) {
        memmove(to, reader->cursor.next, left);
    }
    fls_cursor_continue(&reader->cursor, to, left, 1);
}

/* How far behind a page the next read should begin in memory, because it does so in the file: the
 * system's copy is several times slower when the two differ by less than a cache line (rep movsb).
 */
static size_t skew(const fls_reader *reader)
{
    uint64_t offset = (uint64_t)(uintptr_t)reader->cursor.end + reader->cursor.offset_bias;
    return is_paged(reader) ? (size_t)((offset - reader->first_offset) % PAGE_BYTES) : 0;
}

/* Where in a buffer the window is moved to: behind the head room with its end if it fits there, and
 * with that end at the right place in a page. */
static size_t place_of_window(const fls_reader *reader)
{
    size_t left = fls_cursor_left(&reader->cursor);
    size_t place = left <= reader->head_room ? reader->head_room - left : 0;
    return is_paged(reader) ? place + ((skew(reader) - (place + left)) & (PAGE_BYTES - 1)) : place;
}

/* A buffer of another size, with the window in it. */
static fls_status replace_buffer(fls_reader *reader, size_t capacity, fls_error *err)
{
    void *memory;
    uint8_t *buffer;
    fls_status status = new_buffer(reader, capacity, &memory, &buffer, err);
    if (status != FLS_OK) {
        return status;
    }
    move_window(reader, buffer + place_of_window(reader));
    release_buffer(reader);
    reader->allocation = memory;
    reader->buffer = buffer;
    reader->capacity = capacity;
    return FLS_OK;
}

/* What the source said in the end, for good: the error of the last read. */
static fls_status failed(const fls_reader *reader, fls_error *err)
{
    if (err != NULL) {
        *err = reader->failure;
    }
    return reader->failure.status;
}

/* Appends what one read gives, at most `most` bytes, to the window. Bytes that come together with
 * an end or an error are taken first. */
static fls_status read_behind(fls_reader *reader, size_t most, fls_error *err)
{
    size_t left = fls_cursor_left(&reader->cursor);
    uint8_t *end = reader->buffer + (reader->cursor.end - reader->buffer);
    size_t got = 0;
    fls_error detail = FLS_ERROR_INIT;
    fls_status status =
        reader->reads_at
            ? flsi_source_read_some_at(&reader->source, reader->source_at, end, most, &got, &detail)
            : flsi_source_read_some(&reader->source, end, most, &got, &detail);
    reader->source_at += got;
    reader->at_end = status == FLS_END;
    fls_cursor_continue(&reader->cursor, reader->cursor.next, left + got, !reader->at_end);
    if (status == FLS_OK || status == FLS_END || (status == FLS_WOULD_BLOCK && got > 0)) {
        return FLS_OK;
    }
    if (status == FLS_WOULD_BLOCK) {
        return fls_error_set(err, status, 0, NULL);
    }
    detail.known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
    detail.offset = fls_reader_offset(reader);
    detail.ordinal = fls_reader_ordinal(reader);
    detail.status = status;
    reader->failure = detail;
    return got > 0 ? FLS_OK : failed(reader, err);
}

/* Room behind the window for a frame of `need` bytes, or for as much of it as may be held now. */
static fls_status make_room(fls_reader *reader, uint64_t need, fls_error *err)
{
    size_t left = fls_cursor_left(&reader->cursor);
    uint64_t wanted = need + FLS_MAX_HEADER_BYTES;
    size_t begin = (size_t)(reader->cursor.next - reader->buffer);
    if (wanted <= reader->capacity - begin) {
        return FLS_OK;
    }
    size_t place = place_of_window(reader);
    if (wanted <= reader->capacity - place || (begin > place && left <= reader->capacity / 2)) {
        move_window(reader, reader->buffer + place);
        return FLS_OK;
    }
    if (reader->cursor.end < reader->buffer + reader->capacity) {
        return FLS_OK; /* not before the bytes have come that are claimed */
    }
    /* Room for the next frame of this size too, wherever its place will be. */
    uint64_t capacity = reader->head_room + (is_paged(reader) ? PAGE_BYTES : 0) + wanted;
    if (capacity > 2 * (uint64_t)left) {
        capacity = 2 * (uint64_t)left;
    }
    if (capacity > SIZE_MAX || capacity <= reader->capacity) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "a frame is larger than the address space");
    }
    return replace_buffer(reader, (size_t)capacity, err);
}

/* How much is read at once beyond what is needed: up to the limit, and little behind it. */
static size_t ahead(const fls_reader *reader, size_t most, uint64_t need)
{
    uint64_t at = (uint64_t)(uintptr_t)reader->cursor.end + reader->cursor.offset_bias;
    uint64_t wanted = need > PAST_BYTES ? need : PAST_BYTES;
    if (FLS_LIKELY(reader->limit == 0)) {
        return most;
    }
    if (at < reader->limit && reader->limit - at > wanted) {
        wanted = reader->limit - at;
    }
    return wanted < most ? (size_t)wanted : most;
}

/* More bytes behind the window: at least one, or at_end. */
static fls_status fill(fls_reader *reader, fls_error *err)
{
    size_t left = fls_cursor_left(&reader->cursor);
    uint64_t need = fls_cursor_needed(&reader->cursor);
    if (reader->failure.status != FLS_OK) {
        return failed(reader, err);
    }
    if (reader->detecting && need < 2 * (uint64_t)left) {
        need = 2 * (uint64_t)left;
    }
    size_t area_end = reader->head_room + reader->area;
    size_t end = (size_t)(reader->cursor.end - reader->buffer);
    size_t begin = end - left;
    if (left > 0 && end < area_end - reader->area / 4 && need <= area_end - begin) {
        return read_behind(reader, ahead(reader, area_end - end, need - left), err);
    }
    if (left <= reader->head_room && need <= reader->area) {
        size_t behind = skew(reader);
        move_window(reader, reader->buffer + reader->head_room + behind - left);
        return read_behind(reader, ahead(reader, reader->area - behind, need - left), err);
    }
    fls_status status = make_room(reader, need, err);
    if (status != FLS_OK) {
        return status;
    }
    size_t room = reader->capacity - (size_t)(reader->cursor.end - reader->buffer);
    uint64_t most = need - left + FLS_MAX_HEADER_BYTES;
    return read_behind(reader, most < room ? (size_t)most : room, err);
}

/* Finds the checksum from the first bytes, before the first message. */
static fls_status detect(fls_reader *reader, fls_error *err)
{
    for (;;) {
        fls_checksum checksum = FLS_CHECKSUM_NONE;
        fls_status status =
            fls_detect_checksum(reader->cursor.next, fls_cursor_left(&reader->cursor),
                                reader->at_end, reader->max_frame_bytes, &checksum, err);
        if (status == FLS_NEED_MORE) {
            status = fill(reader, err);
            if (status != FLS_OK) {
                return status;
            }
            continue;
        }
        if (status == FLS_END && fls_cursor_left(&reader->cursor) == 0) {
            return FLS_END;
        }
        if (status == FLS_END) {
            checksum = FLS_CHECKSUM_XXH3; /* nothing but zeros: the same under each of them */
        } else if (status != FLS_OK) {
            return status;
        }
        fls_reader_options given = FLS_READER_OPTIONS_INIT;
        given.max_frame_bytes = reader->max_frame_bytes;
        given.first_offset = fls_cursor_offset(&reader->cursor);
        given.first_ordinal = reader->cursor.ordinal;
        reader->detecting = 0;
        int roots = reader->roots; /* of the messages before a position */
        status = start_cursor(reader, &given, checksum, reader->cursor.next,
                              fls_cursor_left(&reader->cursor), err);
        reader->roots = reader->roots == ROOTS_UNSEEN ? roots : reader->roots;
        return status;
    }
}

/* Memory that is never given back, and what there is beyond it. */
static size_t least_memory(const fls_reader *reader)
{
    return memory_bytes(reader, reader->baseline) +
           (reader->aligned_capacity > 0 ? ALIGNED_BYTES : 0);
}

/* Brings buffers that had to grow back to their baseline, when the policy says so. Nothing is
 * borrowed now. */
static fls_status reclaim(fls_reader *reader, fls_error *err)
{
    size_t from = fls_reader_buffer_bytes(reader);
    if (fls_cursor_left(&reader->cursor) > reader->baseline / 2 ||
        !flsi_memory_should_reclaim(&reader->memory, reader->largest, from, least_memory(reader))) {
        return FLS_OK;
    }
    if (reader->aligned_capacity > ALIGNED_BYTES) {
        release(reader, reader->aligned, reader->aligned_capacity);
        reader->aligned = NULL;
        reader->aligned_capacity = 0;
    }
    fls_status status = FLS_OK;
    if (reader->capacity > reader->baseline) {
        status = replace_buffer(reader, reader->baseline, err);
    }
    if (status == FLS_OK) {
        flsi_memory_reclaimed(&reader->memory, from, fls_reader_buffer_bytes(reader));
    }
    return status;
}

/* ---- between the cursor and the caller ---- */

/* Copies payloads that are not aligned as asked for. Returns how many messages of the batch can be
 * handed out together; at least one, or 0 with FLS_NO_MEMORY in *status. */
static size_t align(fls_reader *reader, fls_message *messages, size_t count, fls_status *status,
                    fls_error *err)
{
    size_t mask = reader->alignment - 1;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        fls_message *message = &messages[i];
        if (((uintptr_t)message->payload & mask) == 0) {
            continue;
        }
        size_t bytes = message->size + MAX_ALIGNMENT;
        if (bytes > reader->aligned_capacity - used) {
            if (used > 0) {
                return i;
            }
            size_t capacity = bytes > ALIGNED_BYTES ? bytes : ALIGNED_BYTES;
            uint8_t *grown = allocate(reader, capacity, err);
            if (grown == NULL) {
                *status = FLS_NO_MEMORY;
                return i;
            }
            release(reader, reader->aligned, reader->aligned_capacity);
            reader->aligned = grown;
            reader->aligned_capacity = capacity;
        }
        uint8_t *place = reader->aligned + used;
        place += (size_t)(-(uintptr_t)place & mask);
        memcpy(place, message->payload, message->size);
        message->payload = place;
        used = (size_t)(place - reader->aligned) + message->size;
    }
    return count;
}

static fls_status validate(const fls_reader *reader, const fls_message *message, fls_error *err)
{
    for (size_t i = 0; i < reader->validator_count; i++) {
        fls_status status =
            fls_validator_check(&reader->validators[i], message->payload, message->size, err);
        if (status != FLS_OK) {
            if (err != NULL) {
                err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
                err->offset = message->offset;
                err->ordinal = message->ordinal;
            }
            return status;
        }
    }
    return FLS_OK;
}

static void observe(const fls_reader *reader, const fls_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < reader->observer_count; k++) {
            reader->observers[k].seen(reader->observers[k].self, messages[i].payload,
                                      messages[i].size, messages[i].ordinal);
        }
    }
}

/* Gives the messages from `keep` on back to the cursor. */
void flsi_reader_give_back(fls_reader *reader, const fls_message *messages, size_t keep,
                           size_t count)
{
    if (keep == count) {
        return;
    }
    fls_message first = messages[keep];
    if (first.payload != flsi_empty_payload) { /* it may be a copy: say where the bytes lie */
        uint64_t frame = first.offset - reader->cursor.offset_bias;
        first.payload =
            (const uint8_t *)(uintptr_t)frame + FLS_LENGTH_BYTES + reader->cursor.digest.width;
    }
    flsi_cursor_rewind(&reader->cursor, &first, 0, count - keep);
}

/* Aligns and validates a batch as the cursor gave it; what cannot be handed out now goes back to
 * it. */
static fls_status prepare(fls_reader *reader, fls_message *messages, size_t *count, fls_error *err)
{
    fls_status status = FLS_OK;
    size_t given = *count;
    size_t keep = given;
    if (reader->alignment > 1) {
        keep = align(reader, messages, given, &status, err);
    }
    for (size_t i = 0; i < keep; i++) {
        fls_status refusal = validate(reader, &messages[i], err);
        if (refusal != FLS_OK) {
            status = refusal;
            keep = i;
        }
    }
    flsi_reader_give_back(reader, messages, keep, given);
    *count = keep;
    return keep > 0 ? FLS_OK : status;
}

static void note_largest(fls_reader *reader, const fls_message *messages, size_t count)
{
    size_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].size > largest) {
            largest = messages[i].size;
        }
    }
    reader->largest = largest + FLS_MAX_HEADER_BYTES;
}

/* Messages from the cursor, filling the window as needed, prepared but not yet observed. */
static fls_status take(fls_reader *reader, fls_message *messages, size_t capacity, size_t *count,
                       fls_error *err)
{
    fls_status status;
    *count = 0;
    int grown = fls_reader_buffer_bytes(reader) > least_memory(reader);
    if (FLSI_UNLIKELY(grown)) {
        status = reclaim(reader, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    if (FLSI_UNLIKELY(reader->detecting)) {
        status = detect(reader, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    while ((status = fls_cursor_next_batch(&reader->cursor, messages, capacity, count, err)) ==
           FLS_NEED_MORE) {
        status = fill(reader, err);
        if (status != FLS_OK) {
            break;
        }
    }
    if (status == FLS_OK && reader->alignment + reader->validator_count > 1) {
        status = prepare(reader, messages, count, err);
    }
    if (status == FLS_OK) {
        if (messages[*count - 1].offset >= reader->look_at) {
            flsi_reader_note_roots(reader, messages, *count);
        }
        if (FLSI_UNLIKELY(fls_reader_buffer_bytes(reader) > least_memory(reader))) {
            note_largest(reader, messages, *count);
        }
    }
    reader->skippable = status == FLS_CHECKSUM_MISMATCH || status == FLS_VALIDATION_FAILED;
    return status;
}

fls_status fls_reader_next_batch(fls_reader *reader, fls_message *messages, size_t capacity,
                                 size_t *count, fls_error *err)
{
    fls_status status = take(reader, messages, capacity, count, err);
    if (status == FLS_OK && reader->observer_count > 0) {
        observe(reader, messages, *count);
    }
    return status;
}

fls_status fls_reader_next(fls_reader *reader, fls_message *message, fls_error *err)
{
    size_t count;
    return fls_reader_next_batch(reader, message, 1, &count, err);
}

/* Without a checksum, and with nothing to be done to a message, a batch would only be in the way.
 */
static int is_bare(const fls_reader *reader)
{
    return reader->cursor.digest.checksum == FLS_CHECKSUM_NONE && !reader->detecting &&
           reader->alignment + reader->validator_count == 1 && reader->observer_count == 0;
}

/* Messages straight from the window to the callback, up to its end or what is not plain. */
static fls_status each_bare(fls_reader *reader,
                            fls_status (*callback)(void *self, const fls_message *message),
                            void *self)
{
    fls_message message;
    fls_status status = FLS_OK;
    fls_cursor *cursor = &reader->cursor;
    while (status == FLS_OK && cursor->inline_limit != 0 &&
           fls_cursor_next(cursor, &message, NULL) == FLS_OK) {
        if (FLSI_UNLIKELY(message.offset >= reader->look_at)) {
            flsi_reader_note_roots(reader, &message, 1);
        }
        status = callback(self, &message);
    }
    return status;
}

fls_status fls_reader_each(fls_reader *reader,
                           fls_status (*callback)(void *self, const fls_message *message),
                           void *self, fls_error *err)
{
    fls_message messages[EACH_BATCH];
    size_t count;
    fls_status status;
    while ((status = take(reader, messages, EACH_BATCH, &count, err)) == FLS_OK) {
        for (size_t i = 0; i < count; i++) {
            if (reader->observer_count > 0) {
                observe(reader, &messages[i], 1);
            }
            status = callback(self, &messages[i]);
            if (status != FLS_OK) {
                flsi_reader_give_back(reader, messages, i + 1, count);
                return status;
            }
        }
        if (is_bare(reader)) {
            status = each_bare(reader, callback, self);
            if (status != FLS_OK) {
                return status;
            }
        }
    }
    return status == FLS_END ? FLS_OK : status;
}

fls_status fls_reader_skip(fls_reader *reader, fls_error *err)
{
    fls_message message;
    if (!reader->skippable) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "only a message that was refused can be stepped over");
    }
    reader->skippable = 0;
    fls_status status = fls_cursor_next(&reader->cursor, &message, err);
    return status == FLS_CHECKSUM_MISMATCH ? fls_cursor_skip(&reader->cursor, err) : status;
}

fls_checksum fls_reader_checksum(const fls_reader *reader)
{
    return reader->detecting ? FLS_CHECKSUM_DETECT : (fls_checksum)reader->cursor.digest.checksum;
}

uint64_t fls_reader_ordinal(const fls_reader *reader)
{
    return reader->cursor.ordinal;
}

uint64_t fls_reader_offset(const fls_reader *reader)
{
    return fls_cursor_offset(&reader->cursor);
}

size_t fls_reader_buffer_bytes(const fls_reader *reader)
{
    size_t buffer = reader->allocation != NULL ? memory_bytes(reader, reader->capacity) : 0;
    return buffer + reader->aligned_capacity;
}
