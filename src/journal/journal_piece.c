/* Pieces of segments; see journal_piece.h. Where frames are damaged the next frame that proves
 * itself is looked for: first where the damaged one says that it ends, then everywhere behind it.
 * How many messages were lost is told by counting what is sound up to the end of the piece, whose
 * ordinal is known: so that a changed bit costs no more than the frame that it is in. Where several
 * places of a piece are damaged, each that is one frame has cost one, and the others share the
 * rest.
 */
#include "journal/journal_piece.h"

#include "flatstream/cursor.h"
#include "stream/evidence.h"

#define BATCH       ((size_t)256)
#define FIRST_BYTES ((size_t)1 << 20)

void flsi_piece_init(flsi_piece *piece, const fls_allocator *allocator)
{
    *piece = (flsi_piece){.allocator = allocator};
}

static void release(const flsi_piece *piece, void *memory, size_t bytes)
{
    if (memory != NULL) {
        piece->allocator->free(piece->allocator->self, memory, bytes);
    }
}

void flsi_piece_fini(flsi_piece *piece)
{
    if (piece->allocator == NULL) {
        return;
    }
    release(piece, piece->bytes, piece->byte_capacity);
    release(piece, piece->messages, piece->capacity * sizeof *piece->messages);
    *piece = (flsi_piece){0};
}

static fls_status no_memory(fls_error *err)
{
    return fls_error_set(err, FLS_NO_MEMORY, 0, "a piece of a segment could not be held");
}

static fls_status make_room(flsi_piece *piece, size_t size, fls_error *err)
{
    if (size > piece->byte_capacity) {
        uint8_t *grown = piece->allocator->resize(piece->allocator->self, piece->bytes,
                                                  piece->byte_capacity, size);
        if (grown == NULL) {
            return no_memory(err);
        }
        piece->bytes = grown;
        piece->byte_capacity = size;
    }
    return FLS_OK;
}

/* The bytes; *got fewer only where the file is shorter. However many are claimed to be there, no
 * more is allocated than twice what has come. */
static fls_status read_bytes(flsi_piece *piece, const flsi_segment_view *view, uint64_t offset,
                             size_t size, size_t *got, fls_error *err)
{
    *got = 0;
    while (*got < size) {
        size_t some = 0;
        size_t room = *got < FIRST_BYTES / 2 ? FIRST_BYTES : 2 * *got;
        room = room < size ? room : size;
        fls_status status = make_room(piece, room, err);
        if (status == FLS_OK) {
            status = flsi_view_read_past(view, offset + *got, piece->bytes + *got, room - *got,
                                         &some, err);
        }
        if (status != FLS_OK) {
            return status == FLS_END ? FLS_OK : status;
        }
        *got += some;
    }
    return FLS_OK;
}

static fls_status start_cursor(const flsi_segment_view *view, fls_cursor *cursor,
                               const uint8_t *bytes, size_t size, uint64_t offset, uint64_t ordinal,
                               fls_error *err)
{
    const fls_cursor_options options = {
        .struct_bytes = sizeof options,
        .checksum = (fls_checksum)view->digest->checksum,
        .max_frame_bytes = view->max_frame_bytes,
        .first_offset = offset,
        .first_ordinal = ordinal,
    };
    return fls_cursor_init(cursor, bytes, size, &options, err);
}

/* Takes sound messages up to the first thing that is none: FLS_END, or the fault. */
static fls_status take_messages(flsi_piece *piece, fls_cursor *cursor, fls_error *fault)
{
    for (;;) {
        if (piece->capacity - piece->count < BATCH) {
            size_t capacity = 2 * piece->capacity + BATCH;
            fls_message *grown =
                piece->allocator->resize(piece->allocator->self, piece->messages,
                                         piece->capacity * sizeof *grown, capacity * sizeof *grown);
            if (grown == NULL) {
                return no_memory(fault);
            }
            piece->messages = grown;
            piece->capacity = capacity;
        }
        size_t count;
        fls_status status =
            fls_cursor_next_batch(cursor, piece->messages + piece->count, BATCH, &count, fault);
        if (status != FLS_OK) {
            return status;
        }
        piece->count += count;
    }
}

/* Whether a frame at a place is sound; *end is where it ends. */
static int is_sound(const flsi_segment_view *view, const uint8_t *bytes, size_t size, size_t at,
                    uint32_t length, size_t *end)
{
    const fls_digest_state *digest = view->digest;
    const size_t header = FLS_LENGTH_BYTES + digest->width;
    if (size - at < header || length > size - at - header || length > view->max_frame_bytes ||
        length == 0 || digest->width == 0) {
        return 0;
    }
    *end = at + header + length;
    return flsi_digest_load(digest, digest->checksum, bytes + at + FLS_LENGTH_BYTES) ==
           flsi_digest_of(digest, digest->checksum, bytes + at + header, length);
}

/* Whether a frame at a place is sound, or it is the end and that is known to be a frame's. */
static int goes_on(const flsi_piece *piece, const flsi_segment_view *view, size_t at, size_t size,
                   int end_is_known)
{
    size_t end;
    if (at == size) {
        return end_is_known;
    }
    return size - at >= FLS_LENGTH_BYTES &&
           is_sound(view, piece->bytes, size, at, flsi_load_le32(piece->bytes + at), &end);
}

/* The frame's end, if one bit of its length was changed, or something in it that is not its length.
 * 0: neither. */
static size_t find_end(const flsi_piece *piece, const flsi_segment_view *view, size_t at,
                       size_t size, int end_is_known)
{
    const size_t header = FLS_LENGTH_BYTES + view->digest->width;
    size_t end;
    if (size - at <= header) {
        return 0;
    }
    uint32_t length = flsi_load_le32(piece->bytes + at);
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (is_sound(view, piece->bytes, size, at, length ^ UINT32_C(1) << bit, &end) &&
            (view->digest->width >= 4 || goes_on(piece, view, end, size, end_is_known))) {
            return end;
        }
    }
    if (length <= size - at - header &&
        goes_on(piece, view, at + header + length, size, end_is_known)) {
        return at + header + length;
    }
    return 0;
}

/* Where to go on behind a frame that is not sound: in bytes from the piece's beginning; size where
 * nothing proves itself before the end. */
static fls_status find_next(const flsi_piece *piece, const flsi_segment_view *view, size_t at,
                            size_t size, int end_is_known, size_t *next, int *is_one,
                            fls_error *err)
{
    size_t end = find_end(piece, view, at, size, end_is_known);
    *is_one = end != 0;
    *next = end != 0 ? end : size;
    if (end != 0 || size - at <= 1 || view->digest->width == 0) {
        return FLS_OK;
    }
    flsi_view memory;
    flsi_view_of_memory(&memory, piece->bytes, size, 0);
    flsi_search found = {.digest = view->digest,
                         .max_frame_bytes = view->max_frame_bytes,
                         .frame = at,
                         .from = at + 1,
                         .to = size};
    fls_status status = flsi_search_sound_frame(&found, &memory, err);
    if (status == FLS_OK && found.found && found.found_offset > at) {
        *next = (size_t)found.found_offset;
    }
    return status;
}

static void note_fault(flsi_piece *piece, uint64_t from, uint64_t to, int is_one,
                       const fls_error *error)
{
    if (piece->fault_count == FLSI_PIECE_FAULTS) {
        piece->faults[FLSI_PIECE_FAULTS - 1].to_offset = to;
        piece->faults[FLSI_PIECE_FAULTS - 1].is_one = 0;
        return;
    }
    piece->faults[piece->fault_count++] = (flsi_piece_fault){.index = piece->count,
                                                             .from_offset = from,
                                                             .to_offset = to,
                                                             .lost = 1,
                                                             .is_one = is_one,
                                                             .error = *error};
}

/* Shares what is missing among the faults that may have cost more than one message: one each, and
 * the rest by their bytes. */
static void share_out(flsi_piece *piece, uint64_t missing, size_t sharers)
{
    double bytes = 0;
    uint64_t rest = missing > sharers ? missing - sharers : 0;
    int exact = sharers == 1 || missing == sharers;
    for (size_t i = 0; i < piece->fault_count; i++) {
        const flsi_piece_fault *fault = &piece->faults[i];
        bytes += fault->is_one ? 0 : (double)(fault->to_offset - fault->from_offset);
    }
    for (size_t i = 0; i < piece->fault_count; i++) {
        flsi_piece_fault *fault = &piece->faults[i];
        if (fault->is_one) {
            continue;
        }
        uint64_t one = missing > 0;
        double part = (double)(fault->to_offset - fault->from_offset) / bytes;
        uint64_t more = sharers == 1 ? rest : (uint64_t)((double)rest * part);
        bytes -= (double)(fault->to_offset - fault->from_offset);
        more = more < rest ? more : rest;
        fault->lost = one + more;
        fault->estimated = !exact;
        missing -= one;
        rest -= more;
        sharers--;
    }
}

/* What each fault has cost, from what the piece lacks up to the ordinal at its end. */
static void tell_costs(flsi_piece *piece, uint64_t end_ordinal)
{
    uint64_t all = end_ordinal - piece->ordinal;
    uint64_t missing = all > piece->count ? all - piece->count : 0;
    size_t ones = 0;
    for (size_t i = 0; i < piece->fault_count; i++) {
        ones += piece->faults[i].is_one != 0;
    }
    if (ones > missing || (ones == piece->fault_count && ones < missing)) {
        ones = 0; /* the frames do not end where they seem to */
        for (size_t i = 0; i < piece->fault_count; i++) {
            piece->faults[i].is_one = 0;
        }
    }
    share_out(piece, missing - ones, piece->fault_count - ones);
}

/* Ordinals, once all messages are there: those behind a fault move up by what was lost in it.
 * Without an ordinal at the end (UINT64_MAX), each is taken to have cost one message. */
static void count_lost(flsi_piece *piece, uint64_t end_ordinal)
{
    uint64_t moved = 0;
    size_t fault = 0;
    if (end_ordinal != UINT64_MAX) {
        tell_costs(piece, end_ordinal);
    } else {
        for (size_t i = 0; i < piece->fault_count; i++) {
            piece->faults[i].estimated = !piece->faults[i].is_one;
        }
    }
    for (size_t i = 0; i < piece->count; i++) {
        while (fault < piece->fault_count && piece->faults[fault].index <= i) {
            moved += piece->faults[fault++].lost;
        }
        piece->messages[i].ordinal = piece->ordinal + i + moved;
    }
    while (fault < piece->fault_count) {
        moved += piece->faults[fault++].lost;
    }
    piece->end_ordinal = piece->ordinal + piece->count + moved;
}

/* Nothing sound behind the frame at `at`, and the end says nothing: it is not known yet what this
 * is; or the end is known, and everything up to it is lost. */
static int is_open_end(const fls_error *fault, const flsi_piece_end *end, size_t next, size_t size)
{
    return end->ordinal == UINT64_MAX && next == size &&
           (fault->status == FLS_UNEXPECTED_EOF || fault->status == FLS_ZERO_TAIL);
}

fls_status flsi_piece_read(flsi_piece *piece, const flsi_segment_view *view,
                           const flsi_place *place, const flsi_piece_end *end, fls_error *err)
{
    size_t size = 0;
    size_t at = 0;
    piece->view = NULL;
    piece->count = 0;
    piece->fault_count = 0;
    piece->ordinal = place->ordinal;
    piece->offset = place->offset;
    if (end->offset - place->offset > SIZE_MAX / 2) {
        return no_memory(err);
    }
    fls_status status =
        read_bytes(piece, view, place->offset, (size_t)(end->offset - place->offset), &size, err);
    if (status != FLS_OK) {
        return status;
    }
    int end_is_known = end->ordinal != UINT64_MAX && size == end->offset - place->offset;
    fls_error fault = FLS_ERROR_INIT;
    for (;;) {
        fls_cursor cursor;
        const uint8_t *from = size > 0 ? piece->bytes + at : piece->bytes; /* which may be NULL */
        status = start_cursor(view, &cursor, from, size - at, place->offset + at,
                              place->ordinal + piece->count, err);
        if (status != FLS_OK) {
            return status;
        }
        status = take_messages(piece, &cursor, &fault);
        at = (size_t)(fls_cursor_offset(&cursor) - place->offset);
        if (status == FLS_END) {
            break;
        }
        if (fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
            if (err != NULL) {
                *err = fault;
            }
            return status;
        }
        size_t next;
        int is_one;
        status = find_next(piece, view, at, size, end_is_known, &next, &is_one, err);
        if (status != FLS_OK) {
            return status;
        }
        if (is_open_end(&fault, end, next, size)) {
            break;
        }
        note_fault(piece, place->offset + at, place->offset + next, is_one, &fault);
        at = next;
    }
    count_lost(piece, end_is_known ? end->ordinal : UINT64_MAX);
    piece->end_offset = place->offset + at;
    piece->view = view;
    return FLS_OK;
}
