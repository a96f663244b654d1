/* From one segment to the next, while writers come and go; how far each can be read; waiting for
 * more.
 *
 *   - Another segment behind the open one: the writer has done with that, and synced it. It is
 *     visible as a whole, up to the first ordinal of the next.
 *   - None: WRITTEN ends where the file does, DURABLE at the newest DURABLE record.
 *   - A next segment that begins below the place: recovery, or a writer whose sync had failed, has
 *     copied the end of the open one. The place is found again there, unless messages that were
 *     handed out are not there any more: then they were taken back.
 *   - The open one is not listed any more: retention has removed it. It is read to its end all the
 *     same, since it is open.
 */
#include "core/cpu.h"
#include "journal/journal_reader_private.h"
#include "os/os_thread.h"

/* How often a listing may be out of date before it is a failure. */
#define TRIES 100
/* Names that changed so long ago, and no later, are listed. */
#define SETTLED_NS INT64_C(2000000000)
/* What is looked at to find a checksum that nobody tells. */
#define DETECT_BYTES ((size_t)1 << 20)

/* ---- the listing ---- */

/* Where the segment ends that is open, by the listing. */
static uint64_t next_first(const fls_journal_reader *reader)
{
    const flsi_listing *listing = &reader->listing;
    size_t index = flsi_listing_find(listing, reader->view.first_ordinal);
    if (index == SIZE_MAX) {
        return UINT64_MAX;
    }
    if (listing->segments[index].first_ordinal <= reader->view.first_ordinal) {
        index++;
    }
    return index < listing->count ? listing->segments[index].first_ordinal : UINT64_MAX;
}

/* Whether a name of the open segment is another file's: recovery put its own in place. */
static int is_other(const fls_journal_reader *reader, flsi_name_kind kind, uint64_t inode)
{
    char name[FLSI_NAME_BYTES];
    flsi_file_info info;
    flsi_name_format(name, kind, reader->view.first_ordinal);
    return flsi_directory_info(&reader->directory, name, &info, NULL, NULL) == FLS_OK &&
           info.inode != inode;
}

static int is_replaced(const fls_journal_reader *reader)
{
    const flsi_segment_view *view = &reader->view;
    return (!view->is_compressed && is_other(reader, FLSI_NAME_SEGMENT, view->inode)) ||
           is_other(reader, FLSI_NAME_MARKS, view->marks_inode);
}

static int64_t mtime_of(const fls_journal_reader *reader)
{
    flsi_file_info info;
    return flsi_directory_info(&reader->directory, ".", &info, NULL, NULL) == FLS_OK
               ? info.modified_ns
               : 0;
}

/* A directory's time of change is as coarse as the system's ticks: it says something only when the
 * last change is long past. */
static void note_mtime(fls_journal_reader *reader)
{
    int64_t mtime_ns = reader->calls == NULL ? mtime_of(reader) : 0;
    int64_t now_ns = (int64_t)flsi_wall_now_ns();
    reader->listed_mtime_ns = now_ns - mtime_ns > SETTLED_NS ? mtime_ns : 0;
}

static int names_may_have_changed(const fls_journal_reader *reader)
{
    if (reader->is_watched) {
        return reader->watch.names_changed;
    }
    return reader->listed_mtime_ns == 0 || mtime_of(reader) != reader->listed_mtime_ns;
}

fls_status flsi_reader_list(fls_journal_reader *reader, int in_any_case, int *changed,
                            fls_error *err)
{
    if (changed != NULL) {
        *changed = 0;
    }
    flsi_watch_drain(&reader->watch);
    if (!in_any_case && !names_may_have_changed(reader)) {
        return FLS_OK;
    }
    note_mtime(reader);
    fls_status status = flsi_listing_again(&reader->listing, &reader->directory, reader->allocator,
                                           in_any_case, err);
    if (status != FLS_OK) {
        return status;
    }
    reader->watch.names_changed = !reader->is_watched;
    if (changed != NULL) {
        *changed = 1;
    }
    if (reader->is_open) {
        reader->is_replaced = is_replaced(reader);
        reader->end_ordinal = reader->is_replaced ? reader->view.first_ordinal : next_first(reader);
    }
    return FLS_OK;
}

/* ---- the durable end ---- */

void flsi_durable_end_close(flsi_durable_end *tail)
{
    if (tail->is_open) {
        flsi_marks_file_fini(&tail->marks);
        (void)flsi_file_close(&tail->file, NULL);
    }
    tail->is_open = 0;
}

static fls_status open_tail(fls_journal_reader *reader, uint64_t first_ordinal, fls_error *err)
{
    flsi_durable_end *tail = &reader->tail;
    char name[FLSI_NAME_BYTES];
    int missing = 0;
    flsi_durable_end_close(tail);
    *tail = (flsi_durable_end){.first_ordinal = first_ordinal, .ordinal = first_ordinal};
    flsi_name_format(name, FLSI_NAME_MARKS, first_ordinal);
    fls_status status =
        flsi_directory_file(&reader->directory, &tail->file, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    tail->is_open = 1;
    flsi_marks_file_init(&tail->marks, &tail->file, reader->allocator);
    return FLS_OK;
}

static void take_tail_frame(flsi_durable_end *tail, const uint8_t *records, size_t size)
{
    while (size > 0) {
        flsi_record record;
        size_t used;
        if (flsi_record_decode(&record, records, size, &used, NULL) != FLS_OK ||
            (tail->at == 0 && record.type == FLSI_RECORD_HEADER &&
             record.ordinal != tail->first_ordinal)) {
            tail->broken = 1;
            return;
        }
        if ((record.type == FLSI_RECORD_DURABLE || record.type == FLSI_RECORD_LOGGED) &&
            record.ordinal >= tail->ordinal) {
            tail->ordinal = record.ordinal;
            tail->offset = record.offset;
        }
        if (record.type == FLSI_RECORD_DURABLE) {
            tail->synced_ordinal = record.ordinal;
        }
        records += used;
        size -= used;
    }
}

/* Behind the header of marks: on to what they say of their end. */
static fls_status skip_to_end(flsi_durable_end *tail, fls_error *err)
{
    flsi_file_info info;
    uint64_t from = 0;
    fls_status status = flsi_file_info_get(&tail->file, &info, err);
    if (status == FLS_OK) {
        status = flsi_marks_file_near_end(&tail->marks, info.size_bytes, &from, err);
    }
    tail->at = from > tail->at ? from : tail->at;
    return status;
}

/* The newest DURABLE record of the last segment. */
static fls_status look_at_tail(fls_journal_reader *reader, uint64_t first_ordinal, fls_error *err)
{
    flsi_durable_end *tail = &reader->tail;
    fls_status status = FLS_OK;
    if (!tail->is_open || tail->first_ordinal != first_ordinal) {
        status = open_tail(reader, first_ordinal, err);
    }
    while (status == FLS_OK && tail->is_open && !tail->broken) {
        const uint8_t *records;
        size_t size;
        uint64_t next;
        status = flsi_marks_file_frame(&tail->marks, tail->at, &records, &size, &next, err);
        if (fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            tail->broken = 1;
            status = FLS_OK;
        } else if (status == FLS_OK) {
            int is_first = tail->at == 0;
            take_tail_frame(tail, records, size);
            tail->at = next;
            status = is_first && !tail->broken ? skip_to_end(tail, err) : FLS_OK;
        }
    }
    return status == FLS_END ? FLS_OK : status;
}

int flsi_reader_journal_in_use(const fls_journal_reader *reader)
{
    flsi_file file;
    if (flsi_directory_file(&reader->directory, &file, FLSI_LOCK_NAME, FLSI_OPEN_READ, NULL,
                            NULL) != FLS_OK) {
        return 0;
    }
    int locked = flsi_file_lock(&file, NULL) == FLS_LOCKED;
    (void)flsi_file_close(&file, NULL);
    return locked;
}

int flsi_reader_awaits_redo(const fls_journal_reader *reader)
{
    flsi_file_info info;
    return reader->durable && reader->is_open && reader->end_ordinal == UINT64_MAX &&
           reader->tail.is_open && reader->tail.first_ordinal == reader->view.first_ordinal &&
           reader->ordinal >= reader->tail.synced_ordinal &&
           flsi_directory_info(&reader->directory, FLSI_REDO_NAME, &info, NULL, NULL) == FLS_OK &&
           !flsi_reader_journal_in_use(reader);
}

/* Another writer since the last message? */
static void tell_epoch(fls_journal_reader *reader)
{
    uint64_t epoch = reader->view.has_header ? reader->view.header.small : reader->epoch;
    if (reader->epoch != 0 && epoch != reader->epoch) {
        const fls_journal_event event = {
            .kind = FLS_JOURNAL_EVENT_EPOCH, .ordinal = reader->ordinal, .epoch = epoch};
        reader->epoch = epoch;
        flsi_reader_tell(reader, &event);
    }
    reader->epoch = epoch;
}

fls_status flsi_reader_arrive(fls_journal_reader *reader, fls_error *err)
{
    tell_epoch(reader);
    return flsi_reader_take_types(reader, err);
}

/* A segment that was opened before its marks were written has them now. */
static fls_status take_late_marks(fls_journal_reader *reader, fls_error *err)
{
    int found;
    fls_status status = flsi_view_find_marks(&reader->view, &reader->directory, &found, err);
    if (status != FLS_OK || !found) {
        return status;
    }
    reader->piece.view = NULL;
    if (reader->stream == NULL) {
        return FLS_OK; /* told by who enters */
    }
    flsi_feed_start(&reader->feed, &reader->view.marks, 0);
    return flsi_reader_arrive(reader, err);
}

fls_status flsi_reader_look(fls_journal_reader *reader, fls_error *err)
{
    uint64_t size = 0;
    reader->visible_ordinal = reader->end_ordinal;
    reader->source.finished = reader->end_ordinal != UINT64_MAX;
    int bounded = reader->durable && !reader->source.finished && !reader->view.is_compressed;
    fls_status status = bounded ? look_at_tail(reader, reader->view.first_ordinal, err) : FLS_OK;
    if (status == FLS_OK) {
        status = flsi_view_size(&reader->view, &size, err);
    }
    if (status == FLS_OK && bounded) {
        reader->visible_ordinal = reader->tail.ordinal;
        size = reader->tail.offset < size ? reader->tail.offset : size;
    }
    if (status == FLS_OK) {
        reader->source.visible = size;
    }
    /* Marks are begun before the first frame is written. */
    return status == FLS_OK && !reader->view.has_header ? take_late_marks(reader, err) : status;
}

/* ---- opening segments ---- */

/* The checksum of a journal that has lost its manifest: as the marks have it, or as is proven. */
static fls_status find_checksum(fls_journal_reader *reader, fls_error *err)
{
    fls_checksum checksum = FLS_CHECKSUM_DEFAULT;
    flsi_segment_view *view = &reader->view;
    if (reader->knows_checksum) {
        return FLS_OK;
    }
    if (view->has_header) {
        checksum = (fls_checksum)view->header.checksum;
        reader->knows_checksum = 1;
    } else {
        const fls_allocator *allocator = reader->allocator;
        uint8_t *bytes = allocator->resize(allocator->self, NULL, 0, DETECT_BYTES);
        size_t size = 0;
        if (bytes == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "a checksum could not be looked for");
        }
        fls_status status = flsi_view_read_at(view, 0, bytes, DETECT_BYTES, &size, err);
        if (status == FLS_OK) {
            status = fls_detect_checksum(bytes, size, size < DETECT_BYTES, reader->max_frame_bytes,
                                         &checksum, err);
            reader->knows_checksum = status == FLS_OK;
            checksum = status == FLS_OK ? checksum : FLS_CHECKSUM_DEFAULT;
        }
        allocator->free(allocator->self, bytes, DETECT_BYTES);
        if (fls_status_class_of(status) == FLS_CLASS_SYSTEM) {
            return status;
        }
    }
    return flsi_digest_init(&reader->digest, checksum, NULL, flsi_cpu_features(), err);
}

fls_status flsi_reader_open_at(fls_journal_reader *reader, size_t index, fls_error *err)
{
    const flsi_listed_segment *listed = &reader->listing.segments[index];
    if (reader->is_open && !reader->is_replaced &&
        reader->view.first_ordinal == listed->first_ordinal) {
        return FLS_OK;
    }
    flsi_reader_drop_stream(reader);
    if (reader->is_replaced) {
        flsi_durable_end_close(&reader->tail);
    }
    flsi_view_shut(&reader->view);
    reader->is_open = 0;
    reader->is_replaced = 0;
    reader->piece.view = NULL;
    reader->end_ordinal = UINT64_MAX;
    fls_status status = flsi_view_open(&reader->view, &reader->directory, listed, &reader->digest,
                                       reader->max_frame_bytes, reader->allocator, err);
    if (status != FLS_OK) {
        return status;
    }
    reader->is_open = 1;
    reader->end_ordinal = next_first(reader);
    status = find_checksum(reader, err);
    return status == FLS_OK ? flsi_reader_look(reader, err) : status;
}

/* What the place was to read next was removed. */
static void tell_retired(fls_journal_reader *reader, uint64_t first)
{
    const fls_journal_event event = {.kind = FLS_JOURNAL_EVENT_RETIRED,
                                     .ordinal = first,
                                     .messages = first - reader->ordinal,
                                     .epoch = reader->epoch};
    flsi_reader_move(reader, first);
    flsi_reader_tell(reader, &event);
}

fls_status flsi_reader_enter(fls_journal_reader *reader, fls_error *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        const flsi_listing *listing = &reader->listing;
        size_t index = flsi_listing_find(listing, reader->ordinal);
        if (reader->is_open && reader->view.first_ordinal <= reader->ordinal &&
            reader->ordinal < reader->end_ordinal) {
            fls_status looked = flsi_reader_look(reader, err);
            return looked == FLS_OK ? flsi_reader_arrive(reader, err) : looked;
        }
        if (index == SIZE_MAX) {
            return FLS_END;
        }
        if (listing->segments[index].first_ordinal > reader->ordinal) {
            tell_retired(reader, listing->segments[index].first_ordinal);
        }
        fls_status status = flsi_reader_open_at(reader, index, err);
        if (status == FLS_OK) {
            reader->has_offset = 0;
            return flsi_reader_arrive(reader, err);
        }
        if (status != FLS_END) {
            return status;
        }
        status = flsi_reader_list(reader, 1, NULL, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    return fls_error_set(err, FLS_IO, 0,
                         "segments of the journal vanish faster than they are read");
}

/* ---- at the end of what is visible ---- */

/* Segments between the open one and the next are not there. */
static int open_one_is_retired(const fls_journal_reader *reader)
{
    return reader->listing.count > 0 &&
           reader->listing.segments[0].first_ordinal > reader->view.first_ordinal;
}

/* The message that was handed out last, as it is now. FLS_END: it is not there. */
static fls_status last_is_same(fls_journal_reader *reader, int *same, fls_error *err)
{
    uint64_t place = reader->ordinal;
    *same = 0;
    reader->ordinal = reader->last_ordinal;
    fls_status status = flsi_reader_enter(reader, err);
    if (status == FLS_OK) {
        status = flsi_reader_piece(reader, FLSI_BY_ORDINAL, reader->last_ordinal, err);
    }
    for (size_t i = 0; status == FLS_OK && i < reader->piece.count; i++) {
        const fls_message *message = &reader->piece.messages[i];
        if (message->ordinal == reader->last_ordinal) {
            *same = flsi_reader_digest(reader, message) == reader->last_digest;
        }
    }
    reader->ordinal = place;
    reader->has_offset = 0;
    return status;
}

/* Where another writer than that of an epoch went on, by the marks of the open segment: behind what
 * its recovery had kept. */
static fls_status find_kept_end(fls_journal_reader *reader, uint64_t *ordinal, fls_error *err)
{
    uint64_t at = 0;
    uint64_t durable = UINT64_MAX;
    flsi_marks_file marks;
    fls_status status = FLS_OK;
    *ordinal = UINT64_MAX;
    flsi_marks_file_init(&marks, &reader->view.marks, reader->allocator);
    while (status == FLS_OK && *ordinal == UINT64_MAX) {
        const uint8_t *records;
        size_t size;
        status = flsi_marks_file_frame(&marks, at, &records, &size, &at, err);
        while (status == FLS_OK && size > 0) {
            flsi_record record;
            size_t used;
            status = flsi_record_decode(&record, records, size, &used, err);
            if (record.type == FLSI_RECORD_GAP && record.flags == FLS_GAP_CUT) {
                *ordinal = record.ordinal;
            } else if (record.type == FLSI_RECORD_DURABLE && durable == UINT64_MAX) {
                durable = record.ordinal;
            }
            records += status == FLS_OK ? used : 0;
            size -= status == FLS_OK ? used : 0;
        }
    }
    flsi_marks_file_fini(&marks);
    *ordinal = *ordinal == UINT64_MAX ? durable : *ordinal;
    return status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK : status;
}

/* The first message that is another one than was handed out under its ordinal: below the place, and
 * not below *first. */
static fls_status find_taken(fls_journal_reader *reader, uint64_t epoch, uint64_t place,
                             uint64_t *first, fls_error *err)
{
    for (size_t i = 0; i < reader->listing.count; i++) {
        uint64_t candidate = reader->listing.segments[i].first_ordinal;
        if (candidate < *first || candidate > place) {
            continue;
        }
        fls_status status = flsi_reader_open_at(reader, i, err);
        if (status == FLS_END) {
            continue;
        }
        if (status != FLS_OK) {
            return status;
        }
        *first = candidate;
        if (reader->view.has_header && reader->view.header.small > epoch) {
            uint64_t kept = UINT64_MAX;
            status = find_kept_end(reader, &kept, err);
            *first = kept > candidate && kept <= place ? kept : candidate;
            return status;
        }
    }
    return FLS_OK;
}

/* The place is beyond what the open segment may say: another one holds it, or a part of what was
 * handed out was taken back. */
static fls_status follow_superseded(fls_journal_reader *reader, fls_error *err)
{
    int same = 0;
    uint64_t epoch = reader->epoch;
    uint64_t first = reader->end_ordinal;
    uint64_t place = reader->ordinal;
    reader->epoch = 0; /* not told yet: it is told below, or by who enters next */
    fls_status status =
        reader->has_last ? last_is_same(reader, &same, err) : flsi_reader_enter(reader, err);
    if (status != FLS_OK && status != FLS_END) {
        return status;
    }
    if (same || !reader->has_last) {
        reader->has_offset = 0;
        flsi_reader_drop_stream(reader);
        reader->epoch = epoch;
        tell_epoch(reader);
        return FLS_OK;
    }
    status = find_taken(reader, epoch, place, &first, err);
    if (status != FLS_OK) {
        return status;
    }
    flsi_reader_move(reader, first);
    reader->epoch = epoch;
    const fls_journal_event event = {.kind = FLS_JOURNAL_EVENT_TAKEN_BACK,
                                     .ordinal = first,
                                     .messages = place - first,
                                     .epoch = epoch};
    flsi_reader_tell(reader, &event);
    tell_epoch(reader);
    return FLS_OK;
}

/* There are bytes at the end that are no whole frame. They are one that is not written yet, unless
 * the marks, which are written behind the frames, know of it or of others behind it. */
static fls_status see_half(fls_journal_reader *reader, fls_error *err)
{
    fls_status status = flsi_feed_cover(&reader->feed, reader->ordinal, err);
    if (status == FLS_OK && reader->feed.covered > reader->ordinal) {
        return FLS_UNEXPECTED_EOF;
    }
    if (status != FLS_OK || reader->view.has_header) {
        return status == FLS_OK ? FLS_END : status;
    }
    /* No marks: then only what proves itself behind it can tell. */
    status = flsi_reader_piece(reader, FLSI_BY_OFFSET, reader->offset, err);
    const flsi_piece *piece = &reader->piece;
    return status == FLS_OK && piece->count > 0 &&
                   piece->messages[piece->count - 1].offset > reader->offset
               ? FLS_UNEXPECTED_EOF
               : (status == FLS_OK ? FLS_END : status);
}

fls_status flsi_reader_more(fls_journal_reader *reader, fls_error *err)
{
    if (!reader->is_open) {
        fls_status listed = flsi_reader_list(reader, 0, NULL, err);
        if (listed != FLS_OK) {
            return listed;
        }
        return flsi_listing_find(&reader->listing, reader->ordinal) != SIZE_MAX ? FLS_OK : FLS_END;
    }
    if (reader->ordinal == reader->end_ordinal && !reader->is_replaced) { /* the next is known */
        flsi_reader_drop_stream(reader);
        return flsi_reader_enter(reader, err);
    }
    uint64_t visible = reader->source.visible;
    uint64_t end = reader->end_ordinal;
    fls_status status = flsi_reader_list(reader, 0, NULL, err);
    if (status == FLS_OK) {
        status = flsi_reader_look(reader, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    if (reader->ordinal == reader->end_ordinal) { /* on to the next one */
        flsi_reader_drop_stream(reader);
        return flsi_reader_enter(reader, err);
    }
    if (reader->ordinal > reader->end_ordinal) {
        flsi_reader_drop_stream(reader);
        return follow_superseded(reader, err);
    }
    if (reader->source.visible > visible || reader->end_ordinal != end) {
        /* A reader that was told of the end asks again only of a new one. */
        if (reader->end_ordinal != end) {
            flsi_reader_drop_stream(reader);
        }
        return FLS_OK;
    }
    if (reader->end_ordinal != UINT64_MAX && open_one_is_retired(reader)) {
        tell_retired(reader, reader->end_ordinal);
        return flsi_reader_enter(reader, err);
    }
    if (reader->visible_ordinal != UINT64_MAX && reader->ordinal < reader->visible_ordinal) {
        return FLS_UNEXPECTED_EOF;
    }
    return reader->has_offset && reader->source.visible > reader->offset ? see_half(reader, err)
                                                                         : FLS_END;
}

/* ---- waiting ---- */

fls_status fls_journal_reader_wait(fls_journal_reader *reader, uint64_t timeout_ns, fls_error *err)
{
    return flsi_watch_wait(&reader->watch, timeout_ns, err);
}

void fls_journal_reader_wake(fls_journal_reader *reader)
{
    flsi_watch_wake(&reader->watch);
}
