/* Segments that are being written; see journal_segment.h.
 *
 *     base                                                     edge          memory_bytes
 *     |  begin                            next      limit        |              |
 *     |  |<-- held: frames, open piece -->|<------>|             |<-- slack --->|
 *
 * A frame that ends before limit is copied and no more. One that does not ends the open piece, and
 * the frame of marks with it. The edge is where a multiple of HAND_BYTES in the file comes: the
 * frame that reaches over it goes into the slack, and what is held is handed to the file up to the
 * edge, which is what file systems do fastest. That frame stays held as a whole, and its beginning
 * is written once more, the same, with what comes behind it: so what is held is whole frames, and a
 * write that fails leaves everything in the buffer that the file does not have. Large frames go to
 * the file from where they lie, behind what is held.
 */
#include "journal/journal_segment.h"

#include "core/error.h"
#include "flatstream/frame.h"

#define PAGE_BYTES     ((size_t)4096)
#define HAND_BYTES     ((size_t)256 * 1024) /* are handed over at once */
#define PIECE_BYTES    ((size_t)64 * 1024)  /* at most, but for a frame that is longer */
#define MEMORY_BYTES   (HAND_BYTES + 2 * PIECE_BYTES + 3 * PAGE_BYTES)
#define MARKS_HEADER   (FLS_LENGTH_BYTES + 8u)
#define DURABLE_BYTES  (MARKS_HEADER + FLSI_RECORD_BYTES)
#define TYPE_ROOT_MOST 255u /* bytes of a root's name that a TYPE record can have */

static size_t held(const flsi_segment *segment)
{
    return (size_t)(segment->next - segment->begin);
}

static size_t header_bytes(const flsi_segment *segment)
{
    return FLS_LENGTH_BYTES + segment->digest->width;
}

/* ---- writing ---- */

static void set_proof(flsi_segment *segment, const uint8_t *end, size_t frame_bytes)
{
    size_t bytes = frame_bytes < FLSI_PROOF_BYTES ? frame_bytes : FLSI_PROOF_BYTES;
    segment->proof_bytes = (uint32_t)bytes;
    segment->proof = fls_checksum_digest(FLS_CHECKSUM_XXH3, end - bytes, bytes);
}

/* Nothing is held any more: the next frame goes where a page of the buffer and one of the file
 * begin together. The file ends at `end`: at the offset, or behind a part of the next frame. */
static void start_over(flsi_segment *segment, uint64_t offset, uint64_t end)
{
    segment->begin_offset = offset;
    segment->edge_offset = end - end % HAND_BYTES + HAND_BYTES;
    segment->begin_ordinal = segment->next_ordinal;
    segment->begin = segment->base + offset % PAGE_BYTES;
    segment->next = segment->begin;
    segment->last = segment->begin;
    segment->limit = segment->begin;
}

/* After a write that did not come to its end: what is whole of the first `done` bytes that are held
 * stays in the file, and the rest is held. */
static void keep_whole(flsi_segment *segment, size_t done)
{
    uint8_t *frame = segment->begin;
    uint8_t *end = frame + done;
    size_t header = header_bytes(segment);
    size_t frame_bytes = 0;
    flsi_redo_break(segment->redo);
    while (frame < segment->next) {
        size_t bytes = header + flsi_load_le32(frame);
        if (bytes > (size_t)(end - frame)) {
            break;
        }
        frame += bytes;
        frame_bytes = bytes;
        segment->begin_ordinal++;
    }
    segment->begin_offset += (uint64_t)(frame - segment->begin);
    segment->begin = frame;
    if (frame_bytes > 0) {
        set_proof(segment, frame, frame_bytes);
    }
    /* The file may have had the beginning of the first frame that was held. */
    int had_more = segment->edge_offset - HAND_BYTES > segment->begin_offset;
    if (frame != end || had_more) { /* best effort: readers wait before half a frame */
        (void)flsi_file_truncate(&segment->frames, segment->begin_offset, NULL);
    }
}

static void end_piece(flsi_segment *segment)
{
    flsi_marks_close_frame(&segment->marks);
    segment->limit = segment->next;
}

static fls_status write_frames(flsi_segment *segment, fls_error *err)
{
    size_t bytes = held(segment);
    if (bytes == 0) {
        start_over(segment, segment->begin_offset, segment->begin_offset);
        return FLS_OK;
    }
    size_t done = 0;
    const fls_span span = {segment->begin, bytes};
    fls_status status =
        flsi_file_write_all_at(&segment->frames, segment->begin_offset, &span, 1, &done, err);
    if (status != FLS_OK) {
        keep_whole(segment, done);
        return status;
    }
    flsi_redo_note_frames(segment->redo, segment->begin_offset, segment->begin, bytes);
    set_proof(segment, segment->next, (size_t)(segment->next - segment->last));
    start_over(segment, segment->begin_offset + bytes, segment->begin_offset + bytes);
    return FLS_OK;
}

static fls_status write_marks(flsi_segment *segment, fls_error *err)
{
    size_t done = 0;
    const fls_span span = {segment->marks.frames, segment->marks.size};
    if (span.size == 0) {
        return FLS_OK;
    }
    fls_status status =
        flsi_file_write_all_at(&segment->marks_file, segment->marks_offset, &span, 1, &done, err);
    if (status == FLS_OK) {
        flsi_redo_note_marks(segment->redo, segment->marks_offset, span.data, done);
    } else { /* what is not whole is written again */
        flsi_redo_break(segment->redo);
        size_t whole = 0;
        while (done - whole >= MARKS_HEADER) {
            size_t frame = MARKS_HEADER + flsi_load_le32(segment->marks.frames + whole);
            if (frame > done - whole) {
                break;
            }
            whole += frame;
        }
        done = whole;
    }
    segment->marks_offset += done;
    flsi_marks_written(&segment->marks, done);
    return status;
}

fls_status flsi_segment_flush(flsi_segment *segment, fls_error *err)
{
    end_piece(segment);
    fls_status status = write_frames(segment, err);
    return status == FLS_OK ? write_marks(segment, err) : status;
}

flsi_segment_point flsi_segment_here(const flsi_segment *segment)
{
    const flsi_segment_point point = {.ordinal = segment->next_ordinal,
                                      .offset = segment->begin_offset,
                                      .marks_offset = segment->marks_offset,
                                      .last_time_ns = segment->last_time_ns,
                                      .proof = segment->proof,
                                      .proof_bytes = segment->proof_bytes};
    return point;
}

/* The marks go back too: those that speak of the messages would stand before others that speak of
 * the same ordinals, and the proof is that of the last frame that stays. */
fls_status flsi_segment_take_back(flsi_segment *segment, const flsi_segment_point *point,
                                  fls_error *err)
{
    flsi_marks_close_frame(&segment->marks);
    flsi_marks_written(&segment->marks, segment->marks.size);
    segment->next_ordinal = point->ordinal;
    segment->last_time_ns = point->last_time_ns;
    segment->marks_offset = point->marks_offset;
    segment->proof = point->proof;
    segment->proof_bytes = point->proof_bytes;
    start_over(segment, point->offset, point->offset);
    flsi_redo_break(segment->redo);
    fls_status status = flsi_file_truncate(&segment->marks_file, point->marks_offset, err);
    return status == FLS_OK ? flsi_file_truncate(&segment->frames, point->offset, err) : status;
}

/* ---- frames ---- */

/* Times of a piece that its marks may have to hold. */
static size_t most_times(const flsi_segment *segment)
{
    return segment->notes_times ? PIECE_BYTES / header_bytes(segment) + 1 : 0;
}

/* The frame of marks that speaks of the message that comes next and those behind it. Room was
 * reserved. */
static void begin_marks(flsi_segment *segment, uint64_t time_ns)
{
    const flsi_record record = {.type = FLSI_RECORD_OFFSET,
                                .ordinal = segment->next_ordinal,
                                .offset = flsi_segment_bytes(segment),
                                .time_ns = time_ns};
    flsi_marks_add(&segment->marks, &record, NULL);
}

/* Most messages come at the time of the one before or soon after, so that one byte or two hold
 * their times: appended here as flsi_marks_add_time would do it; room was reserved when the piece
 * was begun. */
FLSI_ALWAYS_INLINE void note_time(flsi_segment *segment, uint64_t time_ns)
{
    flsi_marks_builder *marks = &segment->marks;
    if (!segment->notes_times || time_ns == 0) {
        return;
    }
    uint64_t delta = time_ns - marks->times_last_ns;
    if (marks->times_count != 0 && delta < 0x4000 &&
        segment->next_ordinal == marks->times_first_ordinal + marks->times_count) {
        uint8_t *to = marks->times + marks->times_bytes;
        uint32_t longer = delta >= 0x80;
        to[0] = (uint8_t)(delta | longer << 7);
        to[longer] = (uint8_t)(longer ? delta >> 7 : delta);
        marks->times_bytes += 1 + longer;
        marks->times_last_ns = time_ns;
        marks->times_count++;
    } else {
        flsi_marks_add_time(marks, segment->next_ordinal, time_ns);
    }
}

/* The same for messages behind that one. */
static void note_same_times(flsi_segment *segment, uint64_t time_ns, size_t count)
{
    flsi_marks_builder *marks = &segment->marks;
    if (segment->notes_times && time_ns != 0) {
        memset(marks->times + marks->times_bytes, 0, count);
        marks->times_bytes += count;
        marks->times_count += (uint32_t)count;
    }
}

FLSI_ALWAYS_INLINE void count_frame(flsi_segment *segment, uint8_t *end, uint64_t time_ns)
{
    note_time(segment, time_ns);
    segment->last = segment->next;
    segment->next = end;
    segment->next_ordinal++;
    if (time_ns != 0) {
        segment->last_time_ns = time_ns;
    }
}

/* The most frequent kind of frame, there; the end of it. */
FLSI_ALWAYS_INLINE uint8_t *build_short_xxh3(const fls_digest_state *digest, uint8_t *frame,
                                             const void *payload, size_t size)
{
    if (size < FLSI_SHORT_MIN || size > FLSI_SHORT_MAX) {
        FLSI_UNREACHABLE();
    }
    uint8_t *to = frame + FLS_LENGTH_BYTES + sizeof(uint64_t);
    flsi_store_le32(frame, (uint32_t)size);
    flsi_copy_short(to, payload, size);
    flsi_store_le64(frame + FLS_LENGTH_BYTES, flsi_digest_xxh3(digest, payload, size));
    return to + size;
}

/* Any frame, there; the end of it. The checksum comes first, while the payload is in the cache. */
FLSI_ALWAYS_INLINE uint8_t *build_frame(const fls_digest_state *digest, uint8_t *frame,
                                        const void *payload, size_t size)
{
    uint8_t *to = frame + FLS_LENGTH_BYTES + digest->width;
    uint64_t value = flsi_digest_of(digest, digest->checksum, payload, size);
    flsi_store_le32(frame, (uint32_t)size);
    flsi_digest_store(digest, digest->checksum, frame + FLS_LENGTH_BYTES, value);
    if (FLSI_UNLIKELY(size > 2048)) {
        flsi_copy_long(to, payload, size);
    } else if (size > 0) {
        memcpy(to, payload, size);
    }
    return to + size;
}

/* Any frame for which there is room. */
static FLSI_NOINLINE void put_any(flsi_segment *segment, const void *payload, size_t size,
                                  uint64_t time_ns)
{
    uint8_t *end = build_frame(segment->digest, segment->next, payload, size);
    count_frame(segment, end, time_ns);
}

/* A frame too large to be worth a copy: handed over from where it lies, behind what is held. A
 * frame of marks of its own speaks of it. Marks that cannot be written stay held: the message is
 * taken all the same. */
static fls_status put_large(flsi_segment *segment, const void *payload, size_t size,
                            uint64_t time_ns, fls_error *err)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t done = 0;
    size_t before = held(segment);
    fls_status status = flsi_marks_reserve(&segment->marks, 2, 1, err);
    if (status != FLS_OK) {
        return status;
    }
    end_piece(segment);
    uint64_t value = flsi_digest_of(segment->digest, segment->digest->checksum, payload, size);
    size_t header_size =
        fls_frame_encode_header(header, (uint32_t)size, value, segment->digest->width);
    /* The header goes behind what is held: there is always room for one. */
    memcpy(segment->next, header, header_size);
    const fls_span spans[2] = {{segment->begin, before + header_size}, {payload, size}};
    status = flsi_file_write_all_at(&segment->frames, segment->begin_offset, spans, 2, &done, err);
    if (status != FLS_OK) {
        uint64_t end = segment->begin_offset + before;
        keep_whole(segment, done < before ? done : before);
        if (done > before) {
            (void)flsi_file_truncate(&segment->frames, end, NULL);
        }
        return status;
    }
    flsi_redo_break(segment->redo);
    begin_marks(segment, time_ns);
    note_time(segment, time_ns);
    flsi_marks_close_frame(&segment->marks);
    set_proof(segment, (const uint8_t *)payload + size, size); /* longer than any proof */
    segment->next_ordinal++;
    segment->last_time_ns = time_ns != 0 ? time_ns : segment->last_time_ns;
    uint64_t end = segment->begin_offset + before + header_size + size;
    start_over(segment, end, end);
    (void)write_marks(segment, NULL);
    return FLS_OK;
}

static const uint8_t *memory_end(const flsi_segment *segment)
{
    return segment->memory + segment->memory_bytes - FLS_MAX_HEADER_BYTES;
}

/* A piece that begins with the next frame; room in the marks was reserved. */
static void begin_piece(flsi_segment *segment, uint64_t time_ns)
{
    begin_marks(segment, time_ns);
    size_t room = (size_t)(memory_end(segment) - segment->next);
    size_t to_edge = (size_t)(segment->edge_offset - flsi_segment_bytes(segment));
    room = room < to_edge ? room : to_edge;
    segment->limit = segment->next + (room < PIECE_BYTES ? room : PIECE_BYTES);
}

/* A frame that reaches the edge or goes over it, and for which there is room in the buffer: what is
 * held before the edge goes to the file, and with it the frame's beginning. The frame is the first
 * that is held then, in a piece of its own. When the file or that of the marks takes less, the
 * message is not taken. */
static fls_status put_across(flsi_segment *segment, const void *payload, size_t size,
                             uint64_t time_ns, fls_error *err)
{
    size_t done = 0;
    size_t before = held(segment);
    uint8_t *frame = segment->next;
    uint64_t offset = flsi_segment_bytes(segment);
    uint64_t edge_offset = segment->edge_offset;
    const fls_span span = {segment->begin, (size_t)(edge_offset - segment->begin_offset)};
    fls_status status = flsi_marks_reserve(&segment->marks, 2, most_times(segment), err);
    if (status != FLS_OK) {
        return status;
    }
    size_t bytes = (size_t)(build_frame(segment->digest, frame, payload, size) - frame);
    status = flsi_file_write_all_at(&segment->frames, segment->begin_offset, &span, 1, &done, err);
    if (status != FLS_OK) {
        keep_whole(segment, done < before ? done : before);
    } else {
        if (before > 0) {
            flsi_redo_note_frames(segment->redo, segment->begin_offset, segment->begin, before);
            set_proof(segment, frame, (size_t)(frame - segment->last));
        }
        start_over(segment, offset, edge_offset);
        status = write_marks(segment, err);
    }
    if (status != FLS_OK) {
        if (done > before) {
            (void)flsi_file_truncate(&segment->frames, offset, NULL);
        }
        return status;
    }
    memmove(segment->next, frame, bytes);
    begin_piece(segment, time_ns);
    count_frame(segment, segment->next + bytes, time_ns);
    return FLS_OK;
}

/* A frame of at most PIECE_BYTES for which the open piece has no room. */
static fls_status put_in_next_piece(flsi_segment *segment, const void *payload, size_t size,
                                    uint64_t time_ns, fls_error *err)
{
    size_t frame = header_bytes(segment) + size;
    fls_status status = FLS_OK;
    end_piece(segment);
    if (frame > (size_t)(memory_end(segment) - segment->next)) { /* after a write that failed */
        status = flsi_segment_flush(segment, err);
    }
    if (status == FLS_OK && flsi_segment_bytes(segment) + frame >= segment->edge_offset) {
        return put_across(segment, payload, size, time_ns, err);
    }
    if (status == FLS_OK) {
        status = flsi_marks_reserve(&segment->marks, 2, most_times(segment), err);
    }
    if (status == FLS_OK) {
        begin_piece(segment, time_ns);
        put_any(segment, payload, size, time_ns);
    }
    return status;
}

static FLSI_NOINLINE fls_status put_slow(flsi_segment *segment, const void *payload, size_t size,
                                         uint64_t time_ns, fls_error *err)
{
    size_t frame = header_bytes(segment) + size;
    if (frame > PIECE_BYTES) {
        return put_large(segment, payload, size, time_ns, err);
    }
    if (frame > (size_t)(segment->limit - segment->next)) {
        return put_in_next_piece(segment, payload, size, time_ns, err);
    }
    put_any(segment, payload, size, time_ns);
    return FLS_OK;
}

fls_status flsi_segment_put(flsi_segment *segment, const void *payload, size_t size,
                            uint64_t time_ns, fls_error *err)
{
    size_t room = (size_t)(segment->limit - segment->next);
    if (FLSI_UNLIKELY(size > UINT32_MAX || size + FLS_MAX_HEADER_BYTES > room)) {
        return put_slow(segment, payload, size, time_ns, err);
    }
    if (segment->short_xxh3 && size >= FLSI_SHORT_MIN && size <= FLSI_SHORT_MAX) {
        uint8_t *end = build_short_xxh3(segment->digest, segment->next, payload, size);
        count_frame(segment, end, time_ns);
    } else {
        put_any(segment, payload, size, time_ns);
    }
    return FLS_OK;
}

static FLSI_NOINLINE uint8_t *build_any(const fls_digest_state *digest, uint8_t *frame,
                                        const void *payload, size_t size)
{
    return build_frame(digest, frame, payload, size);
}

size_t flsi_segment_put_run(flsi_segment *segment, const fls_journal_entry *entries, size_t count,
                            size_t most_bytes, uint64_t end_offset, uint64_t time_ns)
{
    const fls_digest_state *digest = segment->digest;
    const uint8_t *limit = segment->limit;
    const uint8_t *stop = limit;
    const int short_xxh3 = (int)segment->short_xxh3;
    uint8_t *next = segment->next;
    uint8_t *last = segment->last;
    size_t done = 0;
    uint64_t bytes = flsi_segment_bytes(segment);
    if (end_offset - bytes < (uint64_t)(limit - next)) {
        stop = next + (end_offset - bytes);
    }
    for (; done < count && next < stop; done++) {
        const fls_journal_entry *entry = &entries[done];
        size_t size = entry->size;
        if (FLSI_UNLIKELY(size - 1 >= most_bytes || entry->payload == NULL || entry->time_ns != 0 ||
                          size + FLS_MAX_HEADER_BYTES > (size_t)(limit - next))) {
            break;
        }
        last = next;
        next = short_xxh3 && size >= FLSI_SHORT_MIN && size <= FLSI_SHORT_MAX
                   ? build_short_xxh3(digest, next, entry->payload, size)
                   : build_any(digest, next, entry->payload, size);
    }
    if (done > 0) {
        note_time(segment, time_ns);
        note_same_times(segment, time_ns, done - 1);
        segment->last = last;
        segment->next = next;
        segment->next_ordinal += done;
        segment->last_time_ns = time_ns != 0 ? time_ns : segment->last_time_ns;
    }
    return done;
}

/* ---- marks ---- */

fls_status flsi_segment_mark(flsi_segment *segment, const flsi_record *record, fls_error *err)
{
    size_t data = record->data == NULL ? 0 : record->small;
    int in_piece = segment->limit != segment->next;
    fls_status status =
        flsi_marks_reserve(&segment->marks, 3 + (data + FLSI_RECORD_BYTES - 1) / FLSI_RECORD_BYTES,
                           in_piece ? most_times(segment) : 0, err);
    if (status == FLS_OK) {
        flsi_marks_add(&segment->marks, record, record->data);
    }
    return status;
}

fls_status flsi_segment_mark_durable(flsi_segment *segment, const flsi_record *record,
                                     fls_error *err)
{
    uint8_t bytes[DURABLE_BYTES];
    size_t done = 0;
    const fls_span span = {bytes, sizeof bytes};
    flsi_record_encode(bytes + MARKS_HEADER, record);
    (void)fls_frame_encode_header(
        bytes, FLSI_RECORD_BYTES,
        fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes + MARKS_HEADER, FLSI_RECORD_BYTES), 8);
    fls_status status =
        flsi_file_write_all_at(&segment->marks_file, segment->marks_offset, &span, 1, &done, err);
    if (status == FLS_OK) {
        flsi_redo_note_marks(segment->redo, segment->marks_offset, bytes, sizeof bytes);
        segment->marks_offset += sizeof bytes;
    } else {
        flsi_redo_break(segment->redo);
    }
    return status;
}

fls_status flsi_segment_seal(flsi_segment *segment, uint32_t flags, fls_error *err)
{
    const flsi_record record = {.type = FLSI_RECORD_SEAL,
                                .flags = (uint8_t)flags,
                                .ordinal = segment->next_ordinal,
                                .offset = flsi_segment_bytes(segment),
                                .time_ns = segment->last_time_ns};
    fls_status status = flsi_segment_mark(segment, &record, err);
    if (status == FLS_OK) {
        flsi_marks_close_frame(&segment->marks);
        status = write_marks(segment, err);
    }
    return status;
}

/* ---- beginning and end ---- */

static fls_status take_memory(flsi_segment *segment, const fls_digest_state *digest,
                              const fls_allocator *allocator, fls_error *err)
{
    memset(segment, 0, sizeof *segment);
    segment->frames.fd = -1;
    segment->frames.directory_fd = -1;
    segment->marks_file = segment->frames;
    segment->allocator = allocator;
    segment->digest = digest;
    segment->short_xxh3 = digest->checksum == FLS_CHECKSUM_XXH3;
    flsi_marks_builder_init(&segment->marks, allocator);
    segment->memory = allocator->resize(allocator->self, NULL, 0, MEMORY_BYTES);
    if (segment->memory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a segment's buffer");
    }
    segment->memory_bytes = MEMORY_BYTES;
    segment->base = segment->memory + (-(uintptr_t)segment->memory & (PAGE_BYTES - 1));
    return FLS_OK;
}

/* The header and the types, in the first frame (rule 2 of marks). */
static fls_status write_start(flsi_segment *segment, const flsi_segment_start *start,
                              fls_error *err)
{
    const flsi_record header = {.type = FLSI_RECORD_HEADER,
                                .flags = FLSI_MARKS_VERSION,
                                .checksum = (uint8_t)segment->digest->checksum,
                                .header_flags = (uint8_t)start->header_flags,
                                .small = (uint32_t)start->epoch,
                                .ordinal = start->first_ordinal,
                                .id = start->journal_id,
                                .time_ns = start->begun_ns};
    fls_status status = flsi_segment_mark(segment, &header, err);
    for (uint32_t i = 0; status == FLS_OK && i < start->type_count; i++) {
        const flsi_manifest_type *type = &start->types[i];
        size_t bytes = strlen(type->root);
        const flsi_record record = {.type = FLSI_RECORD_TYPE,
                                    .small =
                                        (uint32_t)(bytes < TYPE_ROOT_MOST ? bytes : TYPE_ROOT_MOST),
                                    .id = type->schema_hash,
                                    .value = flsi_load_le32(type->identifier),
                                    .data = (const uint8_t *)type->root};
        status = flsi_segment_mark(segment, &record, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    flsi_marks_close_frame(&segment->marks);
    return write_marks(segment, err);
}

/* Makes the two files, or takes empty ones that are there. */
static fls_status make_files(flsi_segment *segment, const flsi_directory *directory,
                             const char *name, const char *marks_name, fls_error *err)
{
    const unsigned how = FLSI_OPEN_WRITE | FLSI_OPEN_CREATE;
    flsi_file_info info;
    fls_status status = flsi_directory_file(directory, &segment->frames, name, how, NULL, err);
    if (status == FLS_OK) {
        status = flsi_file_info_get(&segment->frames, &info, err);
    }
    if (status == FLS_OK && info.size_bytes != 0) {
        status = fls_error_set(err, FLS_IO, 0, "a segment of that name is there already");
        flsi_error_name(err, name);
    }
    if (status == FLS_OK) {
        status = flsi_directory_file(directory, &segment->marks_file, marks_name, how, NULL, err);
    }
    if (status == FLS_OK) {
        status = flsi_file_info_get(&segment->marks_file, &info, err);
    }
    if (status == FLS_OK && info.size_bytes != 0) {
        status = flsi_file_truncate(&segment->marks_file, 0, err);
    }
    return status;
}

fls_status flsi_segment_begin(flsi_segment *segment, const flsi_directory *directory,
                              const char *name, const char *marks_name,
                              const flsi_segment_start *start, const fls_digest_state *digest,
                              const fls_allocator *allocator, fls_error *err)
{
    char names[2][FLSI_NAME_BYTES];
    flsi_name_format(names[0], FLSI_NAME_SEGMENT, start->first_ordinal);
    flsi_name_format(names[1], FLSI_NAME_MARKS, start->first_ordinal);
    fls_status status = take_memory(segment, digest, allocator, err);
    segment->first_ordinal = start->first_ordinal;
    segment->begun_ns = start->begun_ns;
    segment->epoch = start->epoch;
    segment->notes_times = (start->header_flags & FLSI_HEADER_TIMES) != 0;
    segment->next_ordinal = start->first_ordinal;
    if (status == FLS_OK) {
        start_over(segment, 0, 0);
        status = make_files(segment, directory, name != NULL ? name : names[0],
                            name != NULL ? marks_name : names[1], err);
    }
    if (status == FLS_OK) {
        status = write_start(segment, start, err);
    }
    if (status != FLS_OK) {
        flsi_segment_end(segment);
    }
    return status;
}

fls_status flsi_segment_resume(flsi_segment *segment, const flsi_directory *directory,
                               const flsi_journal_place *place, uint32_t header_flags,
                               const fls_digest_state *digest, const fls_allocator *allocator,
                               fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    fls_status status = take_memory(segment, digest, allocator, err);
    segment->first_ordinal = place->segment_first_ordinal;
    segment->begun_ns = place->segment_begun_ns;
    segment->epoch = place->segment_epoch;
    segment->notes_times = (header_flags & FLSI_HEADER_TIMES) != 0;
    segment->next_ordinal = place->next_ordinal;
    segment->last_time_ns = place->last_time_ns;
    segment->marks_offset = place->marks_offset;
    segment->marks_synced = 0; /* who wrote them may have died before its sync of them */
    if (status == FLS_OK) {
        start_over(segment, place->segment_offset, place->segment_offset);
        flsi_name_format(name, FLSI_NAME_SEGMENT, place->segment_first_ordinal);
        status = flsi_directory_file(directory, &segment->frames, name, FLSI_OPEN_WRITE, NULL, err);
    }
    if (status == FLS_OK) {
        flsi_name_format(name, FLSI_NAME_MARKS, place->segment_first_ordinal);
        status =
            flsi_directory_file(directory, &segment->marks_file, name, FLSI_OPEN_WRITE, NULL, err);
    }
    if (status != FLS_OK) {
        flsi_segment_end(segment);
    }
    return status;
}

void flsi_segment_end(flsi_segment *segment)
{
    if (segment->allocator == NULL) {
        return;
    }
    (void)flsi_file_close(&segment->frames, NULL);
    (void)flsi_file_close(&segment->marks_file, NULL);
    flsi_marks_builder_fini(&segment->marks);
    if (segment->memory != NULL) {
        segment->allocator->free(segment->allocator->self, segment->memory, segment->memory_bytes);
    }
    memset(segment, 0, sizeof *segment);
    segment->frames.fd = -1;
    segment->frames.directory_fd = -1;
    segment->marks_file = segment->frames;
}
