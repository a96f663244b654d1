/* Reading a journal from front to back. A segment is read by a plain reader over what of it is
 * visible; its marks are read in step, and say when each message was received and what happened
 * before it. What to do where a segment ends is in journal_follow.c, finding places in
 * journal_seek.c.
 */
#include "core/cpu.h"
#include "core/options.h"
#include "journal/journal_reader_private.h"

/* ---- opening and closing ---- */

static fls_status copy_path(fls_journal_reader *reader, const char *path, fls_error *err)
{
    reader->path_bytes = strlen(path) + 1;
    reader->path = reader->allocator->resize(reader->allocator->self, NULL, 0, reader->path_bytes);
    if (reader->path == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the journal's path could not be held");
    }
    memcpy(reader->path, path, reader->path_bytes);
    return FLS_OK;
}

/* What the manifest says, if it is there and sound: it can be done without. */
static fls_status read_manifest(fls_journal_reader *reader, int *missing, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    if (manifest == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the manifest could not be read");
    }
    fls_status status = flsi_manifest_load(manifest, &reader->directory, allocator, err);
    *missing = status == FLS_END;
    reader->max_frame_bytes = FLS_DEFAULT_MAX_FRAME_BYTES;
    if (status == FLS_OK) {
        reader->max_frame_bytes =
            manifest->max_frame_bytes != 0 ? manifest->max_frame_bytes : reader->max_frame_bytes;
        status =
            flsi_digest_init(&reader->digest, manifest->checksum, NULL, flsi_cpu_features(), err);
        reader->knows_checksum = status == FLS_OK;
    } else if (status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
        status =
            flsi_digest_init(&reader->digest, FLS_CHECKSUM_DEFAULT, NULL, flsi_cpu_features(), err);
    }
    allocator->free(allocator->self, manifest, sizeof *manifest);
    return status;
}

static fls_status read_options(fls_journal_reader *reader, fls_error *err)
{
    const fls_journal_reader_options *given = &reader->given;
    if (given->visibility > FLS_JOURNAL_DURABLE) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "no such visibility");
    }
    reader->durable = given->visibility != FLS_JOURNAL_WRITTEN;
    for (size_t i = 0; i < given->validator_count; i++) {
        if (given->validators[i].alignment > reader->given.alignment) {
            reader->given.alignment = given->validators[i].alignment;
        }
    }
    if (given->alignment > 64 || (given->alignment & (given->alignment - 1)) != 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "alignment has to be a power of two up to 64");
    }
    return FLS_OK;
}

static fls_status set_up(fls_journal_reader *reader, const char *path, fls_error *err)
{
    int missing = 0;
    fls_status status = read_options(reader, err);
    if (status == FLS_OK) {
        status = flsi_reader_types_init(reader, err);
    }
    if (status == FLS_OK) {
        status = copy_path(reader, path, err);
    }
    if (status == FLS_OK) {
        status = flsi_directory_open(&reader->directory, path, 0, reader->calls, err);
    }
    /* Watched before it is looked at for the first time, so that nothing is missed. */
    if (status == FLS_OK) {
        const char *watched = reader->given.follow && reader->calls == NULL ? path : NULL;
        status = flsi_watch_open(&reader->watch, watched, err);
        reader->is_watched = status == FLS_OK && reader->watch.inotify_fd >= 0;
    }
    if (status == FLS_OK) {
        status = read_manifest(reader, &missing, err);
    }
    if (status == FLS_OK) {
        status = flsi_reader_list(reader, 1, NULL, err);
    }
    if (status == FLS_OK && missing && reader->listing.count == 0) {
        return fls_error_set(err, FLS_IO, 0, "there is no journal in this directory");
    }
    if (status == FLS_OK) {
        flsi_reader_move(reader,
                         reader->listing.count > 0 ? reader->listing.segments[0].first_ordinal : 0);
        status = flsi_reader_enter(reader, err);
    }
    return status == FLS_END ? FLS_OK : status;
}

fls_status flsi_journal_reader_open(fls_journal_reader **reader, const char *path,
                                    const fls_journal_reader_options *options,
                                    const flsi_os_calls *calls, fls_error *err)
{
    fls_journal_reader_options given;
    *reader = NULL;
    fls_status status = flsi_options_read(&given, sizeof given, options, err);
    if (status != FLS_OK) {
        return status;
    }
    const fls_allocator *allocator =
        given.allocator != NULL ? given.allocator : fls_allocator_libc();
    fls_journal_reader *made = allocator->resize(allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the reader could not be allocated");
    }
    memset(made, 0, sizeof *made);
    made->allocator = allocator;
    made->given = given;
    made->calls = calls;
    made->directory.fd = -1;
    made->watch = (flsi_watch){-1, -1, -1, 1};
    made->end_ordinal = UINT64_MAX;
    flsi_feed_init(&made->feed, NULL, allocator);
    flsi_feed_init(&made->piece_feed, NULL, allocator);
    made->feed.without_times = made->given.without_times != 0;
    flsi_piece_init(&made->piece, allocator);
    status = set_up(made, path, err);
    if (status == FLS_OK) {
        *reader = made;
    } else {
        fls_journal_reader_close(made);
    }
    return status;
}

fls_status fls_journal_reader_open(fls_journal_reader **reader, const char *path,
                                   const fls_journal_reader_options *options, fls_error *err)
{
    return flsi_journal_reader_open(reader, path, options, NULL, err);
}

void fls_journal_reader_close(fls_journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    const fls_allocator *allocator = reader->allocator;
    flsi_reader_drop_stream(reader);
    fls_reader_close(reader->idle);
    flsi_feed_fini(&reader->feed);
    flsi_feed_fini(&reader->piece_feed);
    flsi_piece_fini(&reader->piece);
    flsi_view_shut(&reader->view);
    flsi_durable_end_close(&reader->tail);
    flsi_reader_types_fini(reader);
    if (reader->listing.allocator != NULL) {
        flsi_listing_fini(&reader->listing);
    }
    flsi_watch_close(&reader->watch);
    if (reader->directory.fd >= 0) {
        flsi_directory_close(&reader->directory);
    }
    if (reader->aligned != NULL) {
        allocator->free(allocator->self, reader->aligned, reader->aligned_capacity);
    }
    if (reader->path != NULL) {
        allocator->free(allocator->self, reader->path, reader->path_bytes);
    }
    allocator->free(allocator->self, reader, sizeof *reader);
}

/* ---- the place ---- */

void flsi_reader_drop_stream(fls_journal_reader *reader)
{
    if (reader->stream != NULL) {
        reader->idle = reader->stream;
        reader->stream = NULL;
    }
}

void flsi_reader_move(fls_journal_reader *reader, uint64_t ordinal)
{
    flsi_reader_drop_stream(reader);
    reader->ordinal = ordinal;
    reader->has_offset = 0;
    reader->events_from = ordinal;
    reader->faulted = 0;
    reader->has_last = 0;
    reader->newest_ns = 0;
}

uint64_t flsi_reader_digest(const fls_journal_reader *reader, const fls_message *message)
{
    return flsi_digest_xxh3(&reader->digest, message->payload, message->size);
}

/* ---- events ---- */

void flsi_reader_tell(fls_journal_reader *reader, const fls_journal_event *event)
{
    if (reader->given.event != NULL) {
        reader->given.event(reader->given.event_self, event);
    }
}

static void tell_clock(fls_journal_reader *reader, const flsi_record *record)
{
    const flsi_clock_pair now = {record->time_ns, record->value};
    uint64_t wall_before = reader->has_clock
                               ? reader->clock.wall_ns + (now.time_ns - reader->clock.time_ns)
                               : now.time_ns;
    reader->clock = now;
    reader->has_clock = 1;
    if ((record->flags & FLSI_CLOCK_STEP) != 0 && record->ordinal >= reader->events_from) {
        const fls_journal_event event = {.kind = FLS_JOURNAL_EVENT_CLOCK,
                                         .ordinal = record->ordinal,
                                         .epoch = reader->epoch,
                                         .step_ns = (int64_t)(now.wall_ns - wall_before)};
        flsi_reader_tell(reader, &event);
    }
}

/* What the marks have noted before the message that is handed out next. */
static void tell_marks(fls_journal_reader *reader, uint64_t ordinal)
{
    const flsi_record *record;
    while ((record = flsi_feed_event(&reader->feed)) != NULL && record->ordinal <= ordinal) {
        if (record->type == FLSI_RECORD_CLOCK) {
            tell_clock(reader, record);
        } else if (record->ordinal >= reader->events_from) {
            const fls_journal_event event = {.kind = FLS_JOURNAL_EVENT_GAP,
                                             .reason = record->flags,
                                             .producer = record->small,
                                             .ordinal = record->ordinal,
                                             .messages = record->offset,
                                             .epoch = reader->epoch};
            flsi_reader_tell(reader, &event);
        }
        flsi_feed_event_taken(&reader->feed);
    }
}

/* ---- messages ---- */

/* How many messages may be handed out together: none that has an event before it, but the first;
 * none whose time is not known yet though its marks are there; none of the next segment. */
static size_t most_messages(const fls_journal_reader *reader, size_t capacity)
{
    uint64_t ordinal = reader->ordinal;
    uint64_t end = reader->end_ordinal;
    if (reader->feed.covered > ordinal && reader->feed.covered < end) {
        end = reader->feed.covered;
    }
    for (size_t i = reader->feed.event_first; i < reader->feed.event_count; i++) {
        uint64_t event = reader->feed.events[i].ordinal;
        if (event > ordinal) {
            end = event < end ? event : end;
            break;
        }
    }
    return end - ordinal < capacity ? (size_t)(end - ordinal) : capacity;
}

/* When messages were received. What is not noted, or not yet, is no earlier than what was handed
 * out before. */
static void set_times(fls_journal_reader *reader, fls_message *messages, size_t count)
{
    uint64_t newest = reader->newest_ns;
    for (size_t i = 0; i < count; i++) {
        fls_message *message = &messages[i];
        message->time_ns = flsi_feed_time(&reader->feed, message->ordinal, &message->flags);
        if (FLSI_UNLIKELY(message->time_ns < newest)) {
            message->time_ns = newest;
            message->flags = FLS_MESSAGE_TIME_ESTIMATED;
        }
        newest = message->time_ns;
    }
    reader->newest_ns = newest;
}

static void hand_out(fls_journal_reader *reader, fls_message *messages, size_t count)
{
    const fls_message *last = &messages[count - 1];
    if (!reader->given.without_times) {
        set_times(reader, messages, count);
    }
    reader->ordinal += count;
    reader->offset = fls_reader_offset(reader->stream);
    reader->faulted = 0;
    if (!reader->durable && reader->given.follow) {
        reader->has_last = 1;
        reader->last_ordinal = last->ordinal;
        reader->last_digest = flsi_reader_digest(reader, last);
    }
}

/* The stream cannot go on: because the segment is another one by now, or there is damage. FLS_OK:
 * try again. */
static fls_status take_fault(fls_journal_reader *reader, fls_status status, const fls_error *fault,
                             fls_error *err)
{
    int changed = 0;
    if (fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
        if (err != NULL) {
            *err = *fault;
        }
        return status;
    }
    uint64_t before = reader->end_ordinal;
    fls_status listed = flsi_reader_list(reader, 0, &changed, err);
    if (listed != FLS_OK) {
        return listed;
    }
    if (changed && reader->end_ordinal != before) {
        flsi_reader_drop_stream(reader);
        return flsi_reader_look(reader, err);
    }
    if (status != FLS_VALIDATION_FAILED && flsi_reader_awaits_redo(reader)) {
        flsi_reader_drop_stream(reader);
        return fls_error_set(err, reader->given.follow ? FLS_WOULD_BLOCK : FLS_END, 0, NULL);
    }
    reader->faulted = 1;
    reader->fault = *fault;
    reader->fault.status = status;
    if (reader->given.step_over) {
        fls_status stepped = flsi_reader_step_over(reader, err);
        if (stepped != FLS_END) {
            return stepped;
        }
        return fls_error_set(err, reader->given.follow ? FLS_WOULD_BLOCK : FLS_END, 0, NULL);
    }
    if (status != FLS_VALIDATION_FAILED) {
        flsi_reader_drop_stream(reader);
    }
    if (err != NULL) {
        *err = reader->fault;
    }
    return status;
}

/* All that is visible of the segment was read, and it should be more: not damage of a frame. */
static fls_status take_shortage(fls_journal_reader *reader, fls_error *err)
{
    fls_error fault = FLS_ERROR_INIT;
    fls_error_set(&fault, FLS_UNEXPECTED_EOF, 0, "messages that the journal had are missing");
    if (reader->is_open && reader->view.damage.status != FLS_OK) {
        fault = reader->view.damage; /* that is why */
    }
    fault.known = FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
    fault.offset = reader->offset;
    fault.ordinal = reader->ordinal;
    return take_fault(reader, fault.status == FLS_UNSUPPORTED ? FLS_INVALID_FRAME : fault.status,
                      &fault, err);
}

/* The stream has no more. FLS_OK: there is more to try. */
static fls_status take_end(fls_journal_reader *reader, fls_error *err)
{
    fls_status status = flsi_reader_more(reader, err);
    if (status == FLS_UNEXPECTED_EOF) {
        return take_shortage(reader, err);
    }
    if (status == FLS_END) {
        return fls_error_set(err, reader->given.follow ? FLS_WOULD_BLOCK : FLS_END, 0, NULL);
    }
    return status;
}

/* One try: messages, or FLS_NEED_MORE when it has to be tried again. */
static fls_status try_batch(fls_journal_reader *reader, fls_message *messages, size_t capacity,
                            size_t *count, fls_error *err)
{
    fls_status status = FLS_OK;
    if (reader->stream == NULL) {
        status = flsi_reader_enter(reader, err);
        if (status == FLS_OK) {
            status = flsi_reader_locate(reader, err);
        }
        if (status == FLS_END || status == FLS_NEED_MORE) {
            status = status == FLS_END ? take_end(reader, err) : FLS_OK;
            return status == FLS_OK ? FLS_NEED_MORE : status;
        }
        if (status != FLS_OK) {
            return status;
        }
    }
    if (reader->given.event != NULL || !reader->given.without_times) {
        status = flsi_feed_cover(&reader->feed, reader->ordinal, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    if (reader->ordinal >= reader->end_ordinal) {
        tell_marks(reader, reader->end_ordinal);
        status = take_end(reader, err);
        return status == FLS_OK ? FLS_NEED_MORE : status;
    }
    fls_error fault = FLS_ERROR_INIT;
    status = fls_reader_next_batch(reader->stream, messages, most_messages(reader, capacity), count,
                                   &fault);
    if (status == FLS_OK) {
        tell_marks(reader, messages[0].ordinal);
        hand_out(reader, messages, *count);
        return FLS_OK;
    }
    *count = 0;
    if (status == FLS_END || status == FLS_WOULD_BLOCK) {
        status = take_end(reader, err);
    } else {
        status = take_fault(reader, status, &fault, err);
    }
    return status == FLS_OK ? FLS_NEED_MORE : status;
}

fls_status fls_journal_reader_next_batch(fls_journal_reader *reader, fls_message *messages,
                                         size_t capacity, size_t *count, fls_error *err)
{
    fls_status status;
    *count = 0;
    if (capacity == 0) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a batch needs room for a message");
    }
    do {
        status = try_batch(reader, messages, capacity, count, err);
    } while (status == FLS_NEED_MORE);
    return status;
}

fls_status fls_journal_reader_next(fls_journal_reader *reader, fls_message *message, fls_error *err)
{
    size_t count;
    return fls_journal_reader_next_batch(reader, message, 1, &count, err);
}

fls_status fls_journal_reader_skip(fls_journal_reader *reader, fls_error *err)
{
    if (!reader->faulted) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there is no damage to step over here");
    }
    fls_status status = flsi_reader_step_over(reader, err);
    return status == FLS_END ? fls_error_set(err, FLS_END, 0, "nothing sound is behind the damage")
                             : status;
}

/* ---- what is known without looking ---- */

uint64_t fls_journal_reader_ordinal(const fls_journal_reader *reader)
{
    return reader->ordinal;
}

fls_checksum fls_journal_reader_checksum(const fls_journal_reader *reader)
{
    return (fls_checksum)reader->digest.checksum;
}
