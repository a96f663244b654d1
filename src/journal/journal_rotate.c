/* The end of one segment and the beginning of the next. Synced in this order: the old segment, its
 * marks with the SEAL, the new segment, its marks, the directory. Each step that fails for want of
 * room can be gone on with later, and nothing goes into the old segment any more.
 */
#include "core/error.h"
#include "journal/journal_marks_file.h"
#include "journal/journal_private.h"

int flsi_journal_is_full(const fls_journal *journal, uint64_t now)
{
    const fls_journal_options *options = &journal->options;
    const flsi_segment *segment = &journal->segment;
    uint64_t messages = segment->next_ordinal - segment->first_ordinal;
    if (FLSI_UNLIKELY(journal->sealing != FLSI_NOT_SEALED)) {
        return 1;
    }
    return messages != 0 &&
           (flsi_segment_bytes(segment) >= options->segment_bytes || journal->rotation_due ||
            (options->segment_messages != 0 && messages >= options->segment_messages) ||
            (options->segment_age_ns != 0 && now > segment->begun_ns &&
             now - segment->begun_ns >= options->segment_age_ns));
}

/* Gaps that stand before the first message of a segment that has none, and so begins again. */
typedef struct kept_gaps {
    flsi_record *records;
    size_t count;
    size_t capacity;
} kept_gaps;

static fls_status keep_gap(kept_gaps *gaps, const flsi_record *record,
                           const fls_allocator *allocator, fls_error *err)
{
    if (gaps->count == gaps->capacity) {
        size_t capacity = 2 * gaps->capacity + 8;
        flsi_record *grown =
            allocator->resize(allocator->self, gaps->records, gaps->capacity * sizeof *grown,
                              capacity * sizeof *grown);
        if (grown == NULL) {
            return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for gaps");
        }
        gaps->records = grown;
        gaps->capacity = capacity;
    }
    gaps->records[gaps->count++] = *record;
    return FLS_OK;
}

/* From the marks that are there under the name; there may be none. */
static fls_status read_gaps(const fls_journal *journal, uint64_t ordinal, kept_gaps *gaps,
                            fls_error *err)
{
    char name[FLSI_NAME_BYTES];
    flsi_file file;
    flsi_marks_file marks;
    uint64_t at = 0;
    int missing = 0;
    flsi_name_format(name, FLSI_NAME_MARKS, ordinal);
    fls_status status =
        flsi_directory_file(&journal->directory, &file, name, FLSI_OPEN_READ, &missing, err);
    if (status != FLS_OK) {
        return missing ? FLS_OK : status;
    }
    flsi_marks_file_init(&marks, &file, journal->allocator);
    while (status == FLS_OK) {
        const uint8_t *records;
        size_t size;
        status = flsi_marks_file_frame(&marks, at, &records, &size, &at, err);
        while (status == FLS_OK && size > 0) {
            flsi_record record;
            size_t used;
            status = flsi_record_decode(&record, records, size, &used, err);
            if (status == FLS_OK && record.type == FLSI_RECORD_GAP && record.ordinal == ordinal) {
                status = keep_gap(gaps, &record, journal->allocator, err);
            }
            records += status == FLS_OK ? used : 0;
            size -= status == FLS_OK ? used : 0;
        }
    }
    flsi_marks_file_fini(&marks);
    (void)flsi_file_close(&file, NULL);
    /* What is behind the end or damaged is no mark (rule 1 of marks). */
    return status == FLS_END || fls_status_class_of(status) == FLS_CLASS_DAMAGE ? FLS_OK : status;
}

static fls_status write_gaps(flsi_segment *segment, const kept_gaps *gaps, fls_error *err)
{
    fls_status status = FLS_OK;
    for (size_t i = 0; status == FLS_OK && i < gaps->count; i++) {
        status = flsi_segment_mark(segment, &gaps->records[i], err);
    }
    return status == FLS_OK && gaps->count > 0 ? flsi_segment_flush(segment, err) : status;
}

static fls_status begin_segment(fls_journal *journal, flsi_segment *segment, uint64_t ordinal,
                                fls_error *err)
{
    const fls_allocator *allocator = journal->allocator;
    kept_gaps gaps = {NULL, 0, 0};
    const flsi_manifest *manifest = &journal->manifest;
    const flsi_segment_start start = {
        .first_ordinal = ordinal,
        .begun_ns = fls_journal_now(journal),
        .epoch = manifest->epoch,
        .journal_id = journal->journal_id,
        .header_flags = manifest->has_times ? FLSI_HEADER_TIMES : 0,
        .type_count = manifest->type_count,
        .types = manifest->types,
    };
    fls_status status = read_gaps(journal, ordinal, &gaps, err);
    int begun = 0;
    if (status == FLS_OK) {
        status = flsi_segment_begin(segment, &journal->directory, NULL, NULL, &start,
                                    &journal->digest, allocator, err);
        begun = status == FLS_OK;
    }
    if (status == FLS_OK) {
        status = write_gaps(segment, &gaps, err);
    }
    if (gaps.records != NULL) {
        allocator->free(allocator->self, gaps.records, gaps.capacity * sizeof *gaps.records);
    }
    if (!begun) {
        return status;
    }
    status = status == FLS_OK ? flsi_file_sync(&segment->frames, err) : status;
    uint64_t end = segment->marks_offset;
    if (status == FLS_OK) {
        status = flsi_file_sync(&segment->marks_file, err);
    }
    if (status == FLS_OK) {
        status = flsi_directory_sync_names(&journal->directory, err);
    }
    segment->marks_synced = end;
    if (status != FLS_OK) {
        flsi_segment_end(segment);
    }
    return status;
}

/* The segment that was begun or gone on with, in the place of the one before. */
static fls_status take_segment(fls_journal *journal, const flsi_segment *segment, fls_error *err)
{
    uint64_t last_time_ns = atomic_load_explicit(&journal->last_time_ns, memory_order_relaxed);
    journal->segment = *segment;
    journal->opened_offset = segment->begin_offset;
    journal->segment.last_time_ns =
        segment->last_time_ns > last_time_ns ? segment->last_time_ns : last_time_ns;
    journal->stop_ordinal = journal->options.segment_messages != 0
                                ? segment->first_ordinal + journal->options.segment_messages
                                : UINT64_MAX;
    journal->sealing = FLSI_NOT_SEALED;
    journal->rotation_due = 0;
    journal->durable_offset = segment->begin_offset;
    journal->marks_due = segment->marks_offset;
    journal->segment.redo = &journal->redo;
    journal->redo_base = UINT64_MAX;
    if (journal->redo_refused == FLSI_REDO_REFUSED) {
        journal->redo_refused = 0;
    }
    flsi_redo_break(&journal->redo);
    flsi_redo_begin_pass(&journal->redo); /* what it has is in the segments that are there */
    journal->held_since = 0;
    journal->undurable_since = 0;
    atomic_store_explicit(&journal->durable, segment->begin_ordinal, memory_order_release);
    flsi_journal_was_put(journal, 0);
    flsi_journal_let_all_go(journal);
    return flsi_journal_pair_clocks(journal, 1, err);
}

fls_status flsi_journal_go_on(fls_journal *journal, const flsi_journal_place *place, int same_types,
                              fls_error *err)
{
    flsi_segment segment;
    fls_status status;
    int resumes = place->has_segment && same_types && !place->has_other_types;
    flsi_kept_forget(&journal->kept);
    if (place->last_time_ns > atomic_load_explicit(&journal->last_time_ns, memory_order_relaxed)) {
        atomic_store_explicit(&journal->last_time_ns, place->last_time_ns, memory_order_relaxed);
    }
    if (resumes) {
        uint32_t flags = journal->manifest.has_times ? FLSI_HEADER_TIMES : 0;
        status = flsi_segment_resume(&segment, &journal->directory, place, flags, &journal->digest,
                                     journal->allocator, err);
    } else {
        status = begin_segment(journal, &segment, place->next_ordinal, err);
    }
    return status == FLS_OK ? take_segment(journal, &segment, err) : status;
}

/* Everything durable, and the SEAL behind it. */
static fls_status seal(fls_journal *journal, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    uint64_t first = journal->segment.first_ordinal;
    fls_status status = FLS_OK;
    if (journal->sealing == FLSI_NOT_SEALED) {
        status = flsi_journal_commit(journal, FLSI_COMMIT_ALONE, err);
        if (status != FLS_OK || journal->segment.first_ordinal != first) {
            return status; /* after a sync that failed it is another one already */
        }
        status = flsi_segment_seal(&journal->segment, FLSI_SEAL_ROTATED, &why);
        journal->sealing = status == FLS_NO_MEMORY ? FLSI_NOT_SEALED : FLSI_SEAL_PUT;
    } else {
        status = flsi_segment_flush(&journal->segment, &why);
    }
    status = flsi_journal_stick(journal, status, &why, err);
    if (status == FLS_OK) {
        status = flsi_journal_sync_marks(journal, err);
    }
    if (status == FLS_OK) {
        journal->sealing = FLSI_SEALED;
    }
    return status;
}

fls_status flsi_journal_rotate_now(fls_journal *journal, fls_error *err)
{
    flsi_segment next;
    fls_error why = FLS_ERROR_INIT;
    uint64_t first = journal->segment.first_ordinal;
    journal->syncing = 1;
    fls_status status = journal->sealing == FLSI_SEALED ? FLS_OK : seal(journal, err);
    if (status == FLS_OK && journal->sealing == FLSI_SEALED) {
        if (journal->upkeep_due) { /* who appends is faster than the thread */
            journal->figures.retired_segments += flsi_journal_retain(journal, FLSI_RETIRED_AT_ONCE);
        }
        status = begin_segment(journal, &next, journal->segment.next_ordinal, &why);
        if (status == FLS_OK) {
            uint64_t bytes = flsi_segment_bytes(&journal->segment);
            journal->figures.appended_bytes += bytes - journal->opened_offset;
            flsi_kept_add(&journal->kept, next.first_ordinal,
                          bytes + journal->segment.marks_offset);
            flsi_segment_end(&journal->segment);
            status = take_segment(journal, &next, &why);
            journal->figures.rotations++;
        }
        status = flsi_journal_stick(journal, status, &why, err);
    }
    if (status == FLS_OK && journal->segment.first_ordinal != first) {
        journal->upkeep_due = 1;
        if (journal->idle) {
            journal->idle = 0;
            flsi_condition_signal(&journal->wake);
        }
    }
    journal->syncing = 0;
    flsi_condition_broadcast(&journal->changed);
    return status;
}

fls_status fls_journal_rotate(fls_journal *journal, fls_error *err)
{
    flsi_mutex_lock(&journal->mutex);
    flsi_journal_wait_idle(journal);
    fls_status status = FLS_OK;
    if (journal->failure.status != FLS_OK) {
        status = flsi_journal_again(journal, err);
    } else if (journal->segment.next_ordinal != journal->segment.first_ordinal ||
               journal->sealing != FLSI_NOT_SEALED) {
        status = flsi_journal_rotate_now(journal, err);
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}

/* A segment without messages begins again, with other types in its marks. */
static fls_status begin_again(fls_journal *journal, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    flsi_segment again;
    uint64_t ordinal = journal->segment.first_ordinal;
    fls_status status = flsi_journal_flush_held(journal, err); /* gaps, which go on */
    if (status != FLS_OK) {
        return status;
    }
    flsi_segment_end(&journal->segment);
    status = begin_segment(journal, &again, ordinal, &why);
    if (status == FLS_OK) {
        status = take_segment(journal, &again, &why);
    } else if (status == FLS_NO_SPACE || status == FLS_NO_MEMORY) {
        status = FLS_IO; /* there is no segment any more */
    }
    return flsi_journal_stick(journal, status, &why, err);
}

fls_status fls_journal_set_types(fls_journal *journal, const fls_journal_type *types, size_t count,
                                 fls_error *err)
{
    int same = 1;
    flsi_mutex_lock(&journal->mutex);
    flsi_journal_wait_idle(journal);
    fls_status status = journal->failure.status != FLS_OK
                            ? flsi_journal_again(journal, err)
                            : flsi_journal_use_types(journal, types, count, &same, err);
    journal->types_due |= !same;
    if (status == FLS_OK && journal->types_due) { /* or the last call could not store them */
        status =
            flsi_manifest_store(&journal->manifest, &journal->directory, journal->allocator, err);
        if (status == FLS_OK && journal->segment.next_ordinal == journal->segment.first_ordinal &&
            journal->sealing == FLSI_NOT_SEALED) {
            status = begin_again(journal, err);
        } else if (status == FLS_OK) {
            journal->rotation_due = 1;
        }
        journal->types_due = status != FLS_OK;
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}
