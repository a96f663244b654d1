/* Places in a journal: by ordinal, time, key, from the end, backwards; and over damage. All of them
 * find a piece of a segment, from one place that is known to the next, and look at its messages.
 */
#include "journal/journal_reader_private.h"
#include "stream/reader_private.h"

/* A piece that is longer than this is divided first, by reading: marks are missing there. */
#define LONG_PIECE ((uint64_t)4 << 20)
#define SCAN_BYTES ((uint64_t)1 << 20)
/* Messages that are looked at one by one rather than divided again. */
#define FEW_MESSAGES 64u

/* ---- pieces ---- */

/* Adds places behind the last one by reading, until the key is before the last or little is left.
 */
static fls_status scan(fls_journal_reader *reader, flsi_place_key by, uint64_t key, fls_error *err)
{
    flsi_segment_view *view = &reader->view;
    uint64_t step = SCAN_BYTES;
    for (;;) {
        flsi_place last = view->places.all[view->places.count - 1];
        uint64_t left = reader->source.visible - last.offset;
        if (flsi_place_is_behind(&last, by, key) || last.offset >= reader->source.visible ||
            left <= LONG_PIECE || step > left) {
            return FLS_OK;
        }
        const flsi_piece_end end = {last.offset + step, UINT64_MAX};
        fls_status status = flsi_piece_read(&reader->piece, view, &last, &end, err);
        reader->piece.view = NULL;
        if (status != FLS_OK) {
            return status;
        }
        if (reader->piece.end_offset == last.offset) {
            step *= 2; /* a long frame */
            continue;
        }
        step = SCAN_BYTES;
        last.ordinal = reader->piece.end_ordinal;
        last.offset = reader->piece.end_offset;
        last.found_at = UINT64_MAX;
        last.is_its_time = 0;
        status = flsi_places_add(&view->places, &last, err);
        if (status != FLS_OK) {
            return status;
        }
    }
}

fls_status flsi_reader_piece(fls_journal_reader *reader, flsi_place_key by, uint64_t key,
                             fls_error *err)
{
    flsi_segment_view *view = &reader->view;
    size_t index;
    uint64_t visible = reader->source.visible;
    fls_status status = flsi_view_find(view, by, key, &index, err);
    if (status == FLS_OK && index + 1 == view->places.count &&
        visible > view->places.all[index].offset &&
        visible - view->places.all[index].offset > LONG_PIECE) {
        status = scan(reader, by, key, err);
        if (status == FLS_OK) {
            status = flsi_view_find(view, by, key, &index, err);
        }
    }
    if (status != FLS_OK) {
        return status;
    }
    const flsi_place *place = &view->places.all[index];
    flsi_piece_end end = {visible, reader->visible_ordinal};
    if (index + 1 < view->places.count && place[1].offset <= visible) {
        end = (flsi_piece_end){place[1].offset, place[1].ordinal};
    }
    if (end.offset < place->offset) {
        end = (flsi_piece_end){place->offset, place->ordinal};
    }
    if (reader->piece.view == view && reader->piece.offset == place->offset &&
        reader->piece_end.offset == end.offset && reader->piece_end.ordinal == end.ordinal) {
        return FLS_OK;
    }
    reader->piece_is_prepared = 0;
    reader->piece_end = end;
    reader->piece_marks_at = place->marks_at;
    return flsi_piece_read(&reader->piece, view, place, &end, err);
}

/* Index of the first message of the piece at or above an ordinal. */
static size_t find_message(const flsi_piece *piece, uint64_t ordinal)
{
    size_t low = 0;
    size_t high = piece->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (piece->messages[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Times of the piece's messages. */
static fls_status prepare_piece(fls_journal_reader *reader, fls_error *err)
{
    flsi_piece *piece = &reader->piece;
    flsi_feed *feed = &reader->piece_feed;
    if (reader->piece_is_prepared || reader->given.without_times) {
        return FLS_OK;
    }
    flsi_feed_start(feed, &reader->view.marks, reader->piece_marks_at);
    feed->estimated = (reader->view.header.header_flags & FLSI_HEADER_ESTIMATED) != 0;
    for (size_t i = 0; i < piece->count; i++) {
        fls_message *message = &piece->messages[i];
        fls_status status = flsi_feed_cover(feed, message->ordinal, err);
        if (status != FLS_OK) {
            return status;
        }
        while (flsi_feed_event(feed) != NULL) {
            flsi_feed_event_taken(feed);
        }
        message->time_ns = flsi_feed_time(feed, message->ordinal, &message->flags);
    }
    reader->piece_is_prepared = 1;
    return FLS_OK;
}

/* ---- the stream ---- */

static void tell_lost(fls_journal_reader *reader, uint64_t ordinal, uint64_t messages,
                      int estimated, uint64_t from, uint64_t to, const fls_error *fault)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_kind kind = reader->view.is_compressed ? FLSI_NAME_COMPRESSED : FLSI_NAME_SEGMENT;
    flsi_name_format(name, kind, reader->view.first_ordinal);
    const fls_journal_event event = {.kind = FLS_JOURNAL_EVENT_LOST,
                                     .ordinal = ordinal,
                                     .messages = messages,
                                     .estimated = estimated != 0,
                                     .epoch = reader->epoch,
                                     .from_offset = from,
                                     .to_offset = to,
                                     .segment = name,
                                     .fault = fault};
    flsi_reader_tell(reader, &event);
}

/* The fault of the piece before the message at an index, NULL: none. */
static const flsi_piece_fault *fault_before(const flsi_piece *piece, size_t index)
{
    for (size_t i = piece->fault_count; i-- > 0;) {
        if (piece->faults[i].index == index) {
            return &piece->faults[i];
        }
    }
    return NULL;
}

/* Where the place is in the open segment. FLS_END: nowhere yet. */
static fls_status find_offset(fls_journal_reader *reader, fls_error *err)
{
    const flsi_piece *piece = &reader->piece;
    if (reader->ordinal == reader->view.first_ordinal) {
        reader->offset = 0;
        return FLS_OK;
    }
    fls_status status = flsi_reader_piece(reader, FLSI_BY_ORDINAL, reader->ordinal, err);
    if (status != FLS_OK) {
        return status;
    }
    size_t index = find_message(piece, reader->ordinal);
    if (index < piece->count && piece->messages[index].ordinal == reader->ordinal) {
        reader->offset = piece->messages[index].offset;
        return FLS_OK;
    }
    const flsi_piece_fault *fault = fault_before(piece, index);
    if (fault != NULL && reader->ordinal < piece->end_ordinal) { /* damage: found again there */
        reader->ordinal = index > 0 ? piece->messages[index - 1].ordinal + 1 : piece->ordinal;
        reader->offset = fault->from_offset;
        return FLS_OK;
    }
    if (reader->ordinal == piece->end_ordinal) {
        reader->offset = piece->end_offset;
        return FLS_OK;
    }
    reader->offset = piece->end_offset; /* what is missing would come there */
    return FLS_END;
}

/* A stream at the place. */
static fls_status open_stream(fls_journal_reader *reader, fls_error *err)
{
    const fls_reader_options options = {
        .struct_bytes = sizeof options,
        .checksum = (fls_checksum)reader->digest.checksum,
        .max_frame_bytes = reader->max_frame_bytes,
        .alignment = reader->given.alignment,
        .buffer_bytes = reader->given.buffer_bytes,
        .validators = reader->given.validators,
        .validator_count = reader->given.validator_count,
        .allocator = reader->allocator,
        .first_ordinal = reader->ordinal,
        .first_offset = reader->offset,
    };
    if (reader->idle != NULL && reader->stream_checksum == options.checksum) {
        fls_status status = flsi_reader_begin_again(reader->idle, &options, err);
        if (status == FLS_OK) {
            reader->stream = reader->idle;
            reader->idle = NULL;
        }
        return status;
    }
    fls_source source;
    fls_reader_close(reader->idle);
    reader->idle = NULL;
    reader->stream_checksum = options.checksum;
    flsi_segment_source_open(&source, &reader->source);
    return fls_reader_open(&reader->stream, source, &options, err);
}

fls_status flsi_reader_locate(fls_journal_reader *reader, fls_error *err)
{
    fls_status status = reader->has_offset ? FLS_OK : find_offset(reader, err);
    if (status != FLS_OK) {
        return status;
    }
    reader->has_offset = 1;
    /* From where the message before is told of: what happened between the two is noted behind that.
     */
    uint64_t marks_at = 0;
    if (reader->ordinal > reader->view.first_ordinal) {
        size_t index;
        status = flsi_view_find(&reader->view, FLSI_BY_ORDINAL, reader->ordinal - 1, &index, err);
        if (status != FLS_OK) {
            return status;
        }
        marks_at = reader->view.places.all[index].marks_at;
    }
    flsi_feed_start(&reader->feed, &reader->view.marks, marks_at);
    reader->feed.estimated = (reader->view.header.header_flags & FLSI_HEADER_ESTIMATED) != 0;
    if (!reader->view.has_header) {
        reader->feed.broken = 1;
    }
    flsi_segment_source_start(&reader->source, &reader->view, reader->offset);
    return open_stream(reader, err);
}

/* ---- damage ---- */

/* Whether it is not known how many messages were lost from an offset on, where the reader takes the
 * next one to have an ordinal, up to another. */
static int is_estimate(const flsi_piece *piece, uint64_t ordinal, uint64_t from, uint64_t to)
{
    int estimated = 0;
    for (size_t i = 0; i < piece->fault_count; i++) {
        const flsi_piece_fault *fault = &piece->faults[i];
        if (fault->from_offset >= from && fault->from_offset < to) {
            estimated |= fault->estimated;
        }
        if (fault->from_offset == from) { /* told otherwise when less was known? */
            size_t index = fault->index;
            uint64_t before = index > 0 ? piece->messages[index - 1].ordinal + 1 : piece->ordinal;
            estimated |= before != ordinal;
        }
    }
    return estimated;
}

/* To the place at fault, whose segment need not be the open one any more. FLS_OK and no fault: the
 * place is another one, since retention was there. */
static fls_status come_back(fls_journal_reader *reader, fls_error *err)
{
    if (reader->has_offset) {
        return FLS_OK;
    }
    fls_status status = flsi_reader_enter(reader, err);
    if (status == FLS_OK && reader->faulted) {
        status = find_offset(reader, err);
        reader->has_offset = status == FLS_OK;
        status = status == FLS_END ? FLS_OK : status; /* what is at fault is missing there */
    }
    return status;
}

fls_status flsi_reader_step_over(fls_journal_reader *reader, fls_error *err)
{
    const flsi_piece *piece = &reader->piece;
    const fls_error fault = reader->fault;
    fls_status status = come_back(reader, err);
    if (status != FLS_OK || !reader->faulted) {
        return status;
    }
    uint64_t ordinal = reader->ordinal;
    uint64_t offset = reader->offset;
    if (fault.status == FLS_VALIDATION_FAILED && reader->stream != NULL) {
        fls_status skipped = fls_reader_skip(reader->stream, err);
        if (skipped == FLS_OK) {
            reader->ordinal = fls_reader_ordinal(reader->stream);
            reader->offset = fls_reader_offset(reader->stream);
            reader->faulted = 0;
            tell_lost(reader, reader->ordinal, 1, 0, offset, reader->offset, &fault);
        }
        return skipped;
    }
    status = flsi_reader_piece(reader, FLSI_BY_OFFSET, offset, err);
    if (status != FLS_OK) {
        return status;
    }
    uint64_t to_ordinal = 0;
    uint64_t to_offset = 0;
    for (size_t i = 0; i < piece->count && to_offset == 0; i++) {
        if (piece->messages[i].offset > offset && piece->messages[i].ordinal >= ordinal) {
            to_ordinal = piece->messages[i].ordinal;
            to_offset = piece->messages[i].offset;
        }
    }
    if (to_offset == 0 && reader->piece_end.ordinal != UINT64_MAX) {
        to_ordinal = reader->piece_end.ordinal;
        to_offset = reader->piece_end.offset;
    }
    if (to_ordinal <= ordinal && to_offset <= offset) {
        return FLS_END;
    }
    flsi_reader_drop_stream(reader);
    reader->ordinal = to_ordinal > ordinal ? to_ordinal : ordinal;
    reader->offset = to_offset;
    reader->has_offset = 1;
    reader->faulted = 0;
    reader->events_from = reader->ordinal;
    tell_lost(reader, reader->ordinal, reader->ordinal - ordinal,
              is_estimate(piece, ordinal, offset, to_offset), offset, to_offset, &fault);
    return FLS_OK;
}

/* ---- places ---- */

/* Opens the stream at the place. Going to the end, where nothing is yet, is no failure. Another
 * writer and other types there are no events: nothing was read across. */
fls_status flsi_reader_settle(fls_journal_reader *reader, fls_error *err)
{
    reader->epoch = 0;
    reader->types.has_any = 0;
    fls_status status = flsi_reader_enter(reader, err);
    if (status == FLS_OK) {
        status = flsi_reader_locate(reader, err);
    }
    return status == FLS_END ? FLS_OK : status;
}

static uint64_t first_of(const fls_journal_reader *reader)
{
    return reader->listing.count > 0 ? reader->listing.segments[0].first_ordinal : 0;
}

fls_status flsi_reader_end(fls_journal_reader *reader, uint64_t *end, fls_error *err)
{
    *end = 0;
    for (size_t count; (count = reader->listing.count) > 0;) {
        fls_status status = flsi_reader_open_at(reader, count - 1, err);
        if (status == FLS_OK) {
            status = flsi_reader_look(reader, err);
            *end = reader->visible_ordinal;
            if (status == FLS_OK && *end == UINT64_MAX) {
                status = flsi_reader_piece(reader, FLSI_BY_OFFSET, reader->source.visible, err);
                *end = reader->piece.end_ordinal;
            }
            return status;
        }
        if (status != FLS_END) {
            return status;
        }
        status = flsi_reader_list(reader, 1, NULL, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    return FLS_OK;
}

/* The place stays, though its segment may not be the open one any more. */
fls_status flsi_reader_bounds(fls_journal_reader *reader, uint64_t *first, uint64_t *end,
                              fls_error *err)
{
    fls_status status = flsi_reader_list(reader, 0, NULL, err);
    *end = 0;
    if (status == FLS_OK) {
        status = flsi_reader_end(reader, end, err);
    }
    *first = first_of(reader);
    *end = *end > *first ? *end : *first;
    return status;
}

fls_status fls_journal_reader_bounds(fls_journal_reader *reader, uint64_t *first, uint64_t *end,
                                     fls_error *err)
{
    uint64_t open = reader->is_open ? reader->view.first_ordinal : UINT64_MAX;
    fls_status status = flsi_reader_bounds(reader, first, end, err);
    if (!reader->is_open || reader->view.first_ordinal != open) {
        reader->has_offset = 0; /* the place is in another segment than the one that is open */
    }
    return status;
}

fls_status fls_journal_reader_seek_ordinal(fls_journal_reader *reader, uint64_t ordinal,
                                           fls_error *err)
{
    uint64_t end = UINT64_MAX;
    fls_status status = flsi_reader_list(reader, 0, NULL, err);
    size_t count = reader->listing.count;
    if (status == FLS_OK &&
        (count == 0 || ordinal >= reader->listing.segments[count - 1].first_ordinal)) {
        status = flsi_reader_end(reader, &end, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    ordinal = ordinal < end ? ordinal : end;
    ordinal = ordinal > first_of(reader) ? ordinal : first_of(reader);
    flsi_reader_move(reader, ordinal);
    return flsi_reader_settle(reader, err);
}

fls_status fls_journal_reader_seek_end(fls_journal_reader *reader, uint64_t messages,
                                       fls_error *err)
{
    uint64_t first = 0;
    uint64_t end = 0;
    fls_status status = flsi_reader_bounds(reader, &first, &end, err);
    if (status != FLS_OK) {
        return status;
    }
    flsi_reader_move(reader, end - first > messages ? end - messages : first);
    return flsi_reader_settle(reader, err);
}

/* ---- by time ---- */

/* When a segment was begun; of one whose marks are lost what is known of those before it. */
static fls_status begun_at(fls_journal_reader *reader, size_t index, uint64_t *time_ns,
                           fls_error *err)
{
    *time_ns = 0;
    for (size_t i = index + 1; i-- > 0;) {
        fls_status status = flsi_reader_open_at(reader, i, err);
        if (status != FLS_OK && status != FLS_END) {
            return status;
        }
        if (status == FLS_OK && reader->view.has_header) {
            *time_ns = reader->view.header.time_ns;
            return FLS_OK;
        }
    }
    return FLS_OK;
}

/* The last segment that was begun before a time, or the first one. */
static fls_status find_segment_by_time(fls_journal_reader *reader, uint64_t time_ns, size_t *index,
                                       fls_error *err)
{
    size_t low = 0;
    size_t high = reader->listing.count;
    while (high - low > 1) {
        uint64_t begun;
        size_t middle = low + (high - low) / 2;
        fls_status status = begun_at(reader, middle, &begun, err);
        if (status != FLS_OK) {
            return status;
        }
        if (begun < time_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *index = low;
    return FLS_OK;
}

/* The first message of the open segment at or after a time; UINT64_MAX: none. */
static fls_status find_in_segment(fls_journal_reader *reader, uint64_t time_ns, uint64_t *ordinal,
                                  fls_error *err)
{
    const flsi_piece *piece = &reader->piece;
    *ordinal = UINT64_MAX;
    fls_status status = flsi_reader_piece(reader, FLSI_BY_TIME, time_ns, err);
    if (status == FLS_OK && !(reader->view.header.header_flags & FLSI_HEADER_TIMES)) {
        *ordinal = piece->count > 0 ? piece->ordinal : UINT64_MAX; /* as exact as pieces are */
        return FLS_OK;
    }
    while (status == FLS_OK) {
        uint64_t end = piece->end_ordinal;
        status = prepare_piece(reader, err);
        for (size_t i = 0; status == FLS_OK && i < piece->count; i++) {
            if (piece->messages[i].time_ns >= time_ns) {
                *ordinal = piece->messages[i].ordinal;
                return FLS_OK;
            }
        }
        if (status != FLS_OK || reader->piece_end.offset >= reader->source.visible) {
            return status;
        }
        status = flsi_reader_piece(reader, FLSI_BY_ORDINAL, end, err);
        if (status == FLS_OK && piece->end_ordinal <= end) {
            return FLS_OK;
        }
    }
    return status;
}

fls_status fls_journal_reader_seek_time(fls_journal_reader *reader, uint64_t time_ns,
                                        fls_error *err)
{
    uint32_t without_times = reader->given.without_times;
    size_t index = 0;
    uint64_t ordinal = UINT64_MAX;
    fls_status status = flsi_reader_list(reader, 0, NULL, err);
    if (status == FLS_OK) {
        status = find_segment_by_time(reader, time_ns, &index, err);
    }
    reader->given.without_times = 0;
    while (status == FLS_OK && ordinal == UINT64_MAX && index < reader->listing.count) {
        status = flsi_reader_open_at(reader, index++, err);
        if (status == FLS_OK) {
            status = flsi_reader_look(reader, err);
        }
        if (status == FLS_OK) {
            status = find_in_segment(reader, time_ns, &ordinal, err);
        }
        status = status == FLS_END ? FLS_OK : status;
        if (ordinal != UINT64_MAX && ordinal >= reader->end_ordinal) {
            ordinal = UINT64_MAX; /* superseded */
        }
    }
    reader->given.without_times = without_times;
    if (status == FLS_OK && ordinal == UINT64_MAX) {
        status = flsi_reader_end(reader, &ordinal, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    flsi_reader_move(reader, ordinal > first_of(reader) ? ordinal : first_of(reader));
    return flsi_reader_settle(reader, err);
}

/* ---- by key ---- */

typedef struct key_search {
    int (*key_of)(void *self, const fls_message *message, int64_t *key);
    void *self;
    uint64_t ordinal; /* of the message with the key */
    int64_t key;
} key_search;

/* The first message with a key from the place on, below an ordinal. FLS_END: none. */
static fls_status next_key(fls_journal_reader *reader, key_search *search, uint64_t end,
                           fls_error *err)
{
    fls_message message;
    while (reader->ordinal < end) {
        fls_status status = fls_journal_reader_next(reader, &message, err);
        if (status != FLS_OK) {
            return status == FLS_WOULD_BLOCK ? FLS_END : status;
        }
        search->ordinal = message.ordinal;
        if (message.ordinal < end && search->key_of(search->self, &message, &search->key) == 0) {
            return FLS_OK;
        }
    }
    return FLS_END;
}

/* Narrows first..end down to few messages; the first with a key at or above it is among them, or
 * the first with any behind them. */
static fls_status divide(fls_journal_reader *reader, key_search *search, int64_t key,
                         uint64_t *first, uint64_t *end, fls_error *err)
{
    while (*end - *first > FEW_MESSAGES) {
        uint64_t middle = *first + (*end - *first) / 2;
        flsi_reader_move(reader, middle);
        fls_status status = next_key(reader, search, *end, err);
        if (status != FLS_OK && status != FLS_END) {
            return status;
        }
        if (status == FLS_OK && search->key < key) {
            *first = search->ordinal + 1;
        } else {
            *end = middle;
        }
    }
    return FLS_OK;
}

fls_status fls_journal_reader_seek_key(fls_journal_reader *reader,
                                       int (*key_of)(void *self, const fls_message *message,
                                                     int64_t *key),
                                       void *self, int64_t key, fls_error *err)
{
    key_search search = {key_of, self, 0, 0};
    void (*event)(void *, const fls_journal_event *) = reader->given.event;
    uint32_t step_over = reader->given.step_over;
    uint32_t without_times = reader->given.without_times;
    uint64_t first;
    uint64_t last;
    uint64_t found;
    fls_status status = flsi_reader_bounds(reader, &first, &last, err);
    if (status != FLS_OK) {
        return status;
    }
    found = last;
    reader->given.event = NULL; /* nothing of this is reading */
    reader->given.step_over = 1;
    reader->given.without_times = 1;
    uint64_t end = last;
    status = divide(reader, &search, key, &first, &end, err);
    if (status == FLS_OK) {
        flsi_reader_move(reader, first);
        while ((status = next_key(reader, &search, last, err)) == FLS_OK) {
            if (search.key >= key) {
                found = search.ordinal;
                break;
            }
        }
    }
    reader->given.event = event;
    reader->given.step_over = step_over;
    reader->given.without_times = without_times;
    if (status != FLS_OK && status != FLS_END) {
        return status;
    }
    flsi_reader_move(reader, found);
    return flsi_reader_settle(reader, err);
}

/* ---- backwards ---- */

/* Hands a message of the piece out as a reader would have: aligned, validated. */
static fls_status hand_back(fls_journal_reader *reader, const fls_message *from,
                            fls_message *message, fls_error *err)
{
    const fls_journal_reader_options *given = &reader->given;
    size_t mask = given->alignment > 1 ? given->alignment - 1 : 0;
    *message = *from;
    if (((uintptr_t)from->payload & mask) != 0) {
        size_t bytes = from->size + mask;
        if (bytes > reader->aligned_capacity) {
            uint8_t *grown = reader->allocator->resize(reader->allocator->self, reader->aligned,
                                                       reader->aligned_capacity, bytes);
            if (grown == NULL) {
                return fls_error_set(err, FLS_NO_MEMORY, 0, "a message could not be aligned");
            }
            reader->aligned = grown;
            reader->aligned_capacity = bytes;
        }
        uint8_t *place = reader->aligned;
        place += (size_t)(-(uintptr_t)place & mask);
        memcpy(place, from->payload, from->size);
        message->payload = place;
    }
    for (size_t i = 0; i < given->validator_count; i++) {
        fls_status status =
            fls_validator_check(&given->validators[i], message->payload, message->size, err);
        if (status != FLS_OK) {
            if (err != NULL) {
                err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
                err->offset = from->offset;
                err->ordinal = from->ordinal;
            }
            return status;
        }
    }
    return FLS_OK;
}

/* The piece that holds what is before an ordinal. FLS_END: nothing is. */
static fls_status piece_before(fls_journal_reader *reader, uint64_t ordinal, fls_error *err)
{
    for (;;) {
        size_t index = flsi_listing_find(&reader->listing, ordinal - 1);
        if (ordinal == 0 || index == SIZE_MAX ||
            reader->listing.segments[index].first_ordinal >= ordinal) {
            return FLS_END;
        }
        fls_status status = flsi_reader_open_at(reader, index, err);
        if (status == FLS_OK) {
            flsi_reader_drop_stream(reader);
            status = flsi_reader_look(reader, err);
            return status == FLS_OK ? flsi_reader_piece(reader, FLSI_BY_ORDINAL, ordinal - 1, err)
                                    : status;
        }
        if (status != FLS_END) {
            return status;
        }
        status = flsi_reader_list(reader, 1, NULL, err);
        if (status != FLS_OK) {
            return status;
        }
    }
}

fls_status fls_journal_reader_previous(fls_journal_reader *reader, fls_message *message,
                                       fls_error *err)
{
    uint64_t ordinal = reader->ordinal;
    uint64_t lost_to = ordinal;
    flsi_piece *piece = &reader->piece;
    for (;;) {
        fls_status status = FLS_OK;
        if (!reader->is_open || piece->view != &reader->view || ordinal <= piece->ordinal ||
            ordinal > piece->end_ordinal || reader->is_replaced) {
            status = piece_before(reader, ordinal, err);
            status = status == FLS_OK ? flsi_reader_arrive(reader, err) : status;
        }
        if (status == FLS_OK) {
            status = prepare_piece(reader, err);
        }
        if (status != FLS_OK) {
            return status == FLS_END ? fls_error_set(err, FLS_END, 0, NULL) : status;
        }
        size_t index = find_message(piece, ordinal);
        const flsi_piece_fault *fault = fault_before(piece, index);
        if (index > 0 && piece->messages[index - 1].ordinal + 1 < lost_to && fault != NULL) {
            uint64_t before = piece->messages[index - 1].ordinal;
            tell_lost(reader, lost_to, lost_to - before - 1, fault->estimated, fault->from_offset,
                      fault->to_offset, &fault->error);
        }
        if (index == 0) {
            if (piece->ordinal >= ordinal) {
                return fls_error_set(err, FLS_END, 0, NULL);
            }
            if (fault != NULL && piece->ordinal < lost_to) {
                tell_lost(reader, lost_to, lost_to - piece->ordinal, fault->estimated,
                          fault->from_offset, fault->to_offset, &fault->error);
                lost_to = piece->ordinal;
            }
            ordinal = piece->ordinal; /* all of it is lost */
            continue;
        }
        const fls_message *found = &piece->messages[index - 1];
        status = hand_back(reader, found, message, err);
        if (status == FLS_OK || status == FLS_VALIDATION_FAILED) {
            flsi_reader_move(reader, found->ordinal);
            reader->offset = found->offset;
            reader->has_offset = 1;
        }
        return status;
    }
}
