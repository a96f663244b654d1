/* Making messages durable.
 *
 * One thread leads: it hands everything to the file, lets the mutex go, syncs, and says with a
 * DURABLE record how far that reaches. Those that wait meanwhile share the next sync: its leader
 * holds on a moment for as many as there were the last time, since they have just been let go and
 * will be back.
 *
 * The marks are synced beside the frames (by the journal's thread, if there is one): as far as they
 * were written at the commit before, and farther when a gap is among them, which has to be durable
 * no later than the message behind it.
 */
#include "core/error.h"
#include "journal/journal_private.h"

/* A leader waits for others for at most this part of what the last sync took, and this long. */
#define GATHER_PART   4u
#define GATHER_MOST   UINT64_C(500000)
#define MARKS_AT_MOST ((size_t)1 << 30)

void flsi_journal_wait_idle(fls_journal *journal)
{
    while (journal->syncing) {
        flsi_condition_wait(&journal->changed, &journal->mutex);
    }
}

fls_status flsi_journal_flush_held(fls_journal *journal, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_segment_flush(&journal->segment, &why);
    atomic_store_explicit(&journal->written, journal->segment.begin_ordinal, memory_order_release);
    if (status == FLS_OK) {
        journal->held_since = 0;
        journal->gap_unwritten = 0;
    }
    return flsi_journal_stick(journal, status, &why, err);
}

static void note_latency(fls_journal *journal, uint64_t ns)
{
    fls_journal_figures *figures = &journal->figures;
    uint32_t bucket = 0;
    while (bucket < FLS_JOURNAL_LATENCY_BUCKETS - 1 && ns >= UINT64_C(1024) << bucket) {
        bucket++;
    }
    figures->syncs++;
    figures->sync_ns_total += ns;
    figures->sync_ns_max = ns > figures->sync_ns_max ? ns : figures->sync_ns_max;
    figures->sync_latency[bucket]++;
}

/* ---- marks ---- */

/* Whether all of the marks are what was written: the cache may have dropped what it could not
 * write. */
static int are_sound(const void *data, size_t size)
{
    flsi_marks_walk walk;
    flsi_record record;
    fls_status status = flsi_marks_walk_begin(&walk, data, size, NULL);
    while (status == FLS_OK) {
        status = flsi_marks_walk_next(&walk, &record, NULL);
    }
    return status == FLS_END && walk.valid_bytes == size;
}

/* After a sync of the marks that failed: the same again in a new file, which takes its name. The
 * old file is never synced again. */
static fls_status write_marks_anew(fls_journal *journal, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    char name[FLSI_NAME_BYTES];
    void *data = NULL;
    size_t size = 0;
    flsi_name_format(name, FLSI_NAME_MARKS, segment->first_ordinal);
    fls_status status = flsi_directory_read_file(&journal->directory, name, MARKS_AT_MOST,
                                                 journal->allocator, &data, &size, NULL, err);
    if (status != FLS_OK) {
        return status;
    }
    if (size < segment->marks_offset || !are_sound(data, (size_t)segment->marks_offset)) {
        status = fls_error_set(err, FLS_IO, 0, "the marks are not what was written");
    } else {
        status = flsi_directory_write_file(&journal->directory, name, data,
                                           (size_t)segment->marks_offset, err);
    }
    journal->allocator->free(journal->allocator->self, data, size);
    if (status != FLS_OK) {
        return status;
    }
    flsi_file file;
    status = flsi_directory_file(&journal->directory, &file, name, FLSI_OPEN_WRITE, NULL, err);
    if (status == FLS_OK) {
        (void)flsi_file_close(&segment->marks_file, NULL);
        segment->marks_file = file;
        segment->marks_synced = segment->marks_offset;
    }
    return status;
}

/* What a sync of the marks came to: status is that of the sync, which covered them up to `end`. */
static fls_status marks_were_synced(fls_journal *journal, fls_status status, uint64_t end,
                                    const fls_error *why, fls_error *err)
{
    fls_error again = *why;
    if (status == FLS_OK) {
        journal->segment.marks_synced = end;
        return FLS_OK;
    }
    journal->figures.failed_syncs++;
    status = write_marks_anew(journal, &again);
    if (status == FLS_NO_SPACE || status == FLS_NO_MEMORY) {
        status = FLS_IO; /* what the failed sync left cannot be told: no second try */
    }
    return flsi_journal_stick(journal, status, &again, err);
}

fls_status flsi_journal_sync_marks(fls_journal *journal, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    uint64_t end = journal->segment.marks_offset;
    if (journal->segment.marks_synced == end) {
        return FLS_OK;
    }
    fls_status status = flsi_file_sync(&journal->segment.marks_file, &why);
    return marks_were_synced(journal, status, end, &why, err);
}

void flsi_journal_do_marks_job(fls_journal *journal)
{
    journal->marks_job = 2;
    flsi_file *file = &journal->segment.marks_file; /* stays while somebody syncs */
    flsi_mutex_unlock(&journal->mutex);
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_file_sync(file, &why);
    flsi_mutex_lock(&journal->mutex);
    journal->marks_status = status;
    journal->marks_error = why;
    journal->marks_job = 0;
    flsi_condition_broadcast(&journal->changed);
}

/* ---- frames ---- */

/* After a sync of the frames that failed. Recovery does what has to be done: what lies behind the
 * newest durable mark is read, proven and copied into a new segment, and synced there. All of it
 * has to be there. */
static fls_status move_to_new_segment(fls_journal *journal, fls_error *err)
{
    flsi_journal_place place;
    fls_error why = FLS_ERROR_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    uint64_t next = journal->segment.next_ordinal;
    uint64_t last_time_ns = journal->segment.last_time_ns;
    journal->figures.failed_syncs++;
    fls_status status = flsi_segment_flush(&journal->segment, &why);
    journal->figures.appended_bytes +=
        flsi_segment_bytes(&journal->segment) - journal->opened_offset;
    flsi_segment_end(&journal->segment);
    if (status == FLS_OK) {
        status = flsi_journal_recover(&place, &journal->manifest, &journal->directory,
                                      journal->allocator, &report, &why);
    }
    if (status == FLS_OK && place.next_ordinal != next) {
        status = fls_error_set(&why, FLS_IO, 0,
                               "a sync failed, and what was written cannot be read back");
    }
    if (status == FLS_OK) {
        place.last_time_ns = place.last_time_ns > last_time_ns ? place.last_time_ns : last_time_ns;
        status = flsi_journal_go_on(journal, &place, 1, &why);
    }
    if (status == FLS_NO_SPACE || status == FLS_NO_MEMORY) {
        status = FLS_IO; /* the old file must not be trusted, and there is no other */
    }
    return flsi_journal_stick(journal, status, &why, err);
}

/* What is synced together. */
typedef struct sync_end {
    uint64_t ordinal;
    uint64_t offset;
    uint64_t proof;
    uint64_t marks_end;
    uint32_t proof_bytes;
    int frames;
    int marks;
} sync_end;

/* A sync of the frames returned: says so, in memory and in the marks. A DURABLE record that found
 * no room is written with the next one's. */
static fls_status was_synced(fls_journal *journal, const sync_end *end, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    atomic_store_explicit(&journal->durable, end->ordinal, memory_order_release);
    journal->durable_offset = end->offset;
    journal->waiting -= journal->captured < journal->waiting ? journal->captured : journal->waiting;
    journal->let_go = journal->capture;
    /* Those that were let go will be back, and join those that have come meanwhile. */
    journal->expected = journal->captured + journal->waiting;
    fls_status status = flsi_segment_mark_durable(&journal->segment, end->ordinal, end->offset,
                                                  end->proof_bytes, end->proof, &why);
    if (status == FLS_NO_SPACE) {
        return FLS_OK;
    }
    return flsi_journal_stick(journal, status, &why, err);
}

/* Both syncs, side by side if there is a thread for the marks and the mutex need not be held. */
static fls_status sync_files(fls_journal *journal, const sync_end *end, flsi_commit_how how,
                             fls_status *marks_status, fls_error *marks_why, fls_error *why)
{
    flsi_file *frames = &journal->segment.frames;
    flsi_file *marks = &journal->segment.marks_file;
    fls_status status = FLS_OK;
    int alone = how == FLSI_COMMIT_ALONE;
    int job = how == FLSI_COMMIT_SHARED && end->marks && end->frames && journal->has_thread;
    if (job) {
        journal->marks_job = 1;
        flsi_condition_signal(&journal->wake);
    }
    if (!alone) {
        flsi_mutex_unlock(&journal->mutex);
    }
    *marks_status = end->marks && !job ? flsi_file_sync(marks, marks_why) : FLS_OK;
    if (end->frames) {
        status = flsi_file_sync(frames, why);
    }
    if (!alone) {
        flsi_mutex_lock(&journal->mutex);
    }
    if (job && journal->marks_job == 1) { /* the thread has other work */
        journal->marks_job = 0;
        *marks_status = flsi_file_sync(marks, marks_why);
    } else if (job) {
        while (journal->marks_job != 0) {
            flsi_condition_wait(&journal->changed, &journal->mutex);
        }
        *marks_status = journal->marks_status;
        *marks_why = journal->marks_error;
    }
    return status;
}

static fls_status give_error(const fls_error *why, fls_error *err)
{
    if (err != NULL) {
        *err = *why;
    }
    return why->status;
}

/* All of it but the flag. */
static fls_status commit(fls_journal *journal, flsi_commit_how how, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    fls_error full = FLS_ERROR_INIT;
    fls_status flushed = flsi_journal_flush_held(journal, &full);
    /* What a full disk took is made durable all the same, but for messages behind a gap of which it
     * did not take the record. */
    int passed_on = flushed == FLS_NO_SPACE && !journal->gap_unwritten;
    if (flushed != FLS_OK && !passed_on) {
        return give_error(&full, err);
    }
    uint64_t began = flsi_journal_clock(journal);
    journal->captured = journal->waiting;
    journal->capture++;
    int gaps = journal->gap_pending != 0;
    sync_end end = {.ordinal = segment->begin_ordinal,
                    .offset = segment->begin_offset,
                    .proof_bytes = segment->proof_bytes,
                    .proof = segment->proof,
                    .marks_end = segment->marks_offset,
                    .frames = segment->begin_ordinal !=
                              atomic_load_explicit(&journal->durable, memory_order_relaxed),
                    .marks = gaps || journal->marks_due > segment->marks_synced};
    int all = segment->next_ordinal == end.ordinal;
    if (!end.frames && !end.marks) {
        journal->undurable_since = all ? 0 : began + (began == 0);
        return all ? FLS_OK : give_error(&full, err);
    }
    fls_error why = FLS_ERROR_INIT;
    fls_error marks_why = FLS_ERROR_INIT;
    fls_status marks_status;
    journal->gap_pending = 0;
    fls_status status = sync_files(journal, &end, how, &marks_status, &marks_why, &why);
    note_latency(journal, flsi_journal_clock(journal) - began);
    if (end.marks) {
        fls_status marked =
            marks_were_synced(journal, marks_status, end.marks_end, &marks_why, err);
        if (marked != FLS_OK) {
            return marked;
        }
    }
    if (status != FLS_OK) {
        return move_to_new_segment(journal, err);
    }
    status = end.frames ? was_synced(journal, &end, err) : FLS_OK;
    journal->marks_due = segment->marks_offset;
    journal->undurable_since = segment->next_ordinal > end.ordinal ? began + (began == 0) : 0;
    journal->rotation_due |= end.frames && journal->options.sync_starts_segment;
    return status == FLS_OK && flushed != FLS_OK && !all ? give_error(&full, err) : status;
}

fls_status flsi_journal_commit(fls_journal *journal, flsi_commit_how how, fls_error *err)
{
    journal->syncing = 1;
    fls_status status = commit(journal, how, err);
    journal->syncing = 0;
    flsi_condition_broadcast(&journal->changed);
    return status;
}

/* ---- waiting ---- */

/* A leader holds on for those that the last sync let go. */
static void gather(fls_journal *journal)
{
    const fls_journal_figures *figures = &journal->figures;
    if (journal->options.polled || journal->waiting >= journal->expected || figures->syncs == 0) {
        return;
    }
    uint64_t most = figures->sync_ns_total / figures->syncs / GATHER_PART;
    most = most < GATHER_MOST ? most : GATHER_MOST;
    uint64_t until = fls_clock_monotonic()->now_ns(NULL) + most;
    journal->syncing = 1; /* nobody else leads meanwhile */
    journal->gathering = 1;
    while (journal->waiting < journal->expected) {
        uint64_t now = fls_clock_monotonic()->now_ns(NULL);
        if (now >= until ||
            !flsi_condition_wait_for(&journal->gather, &journal->mutex, until - now)) {
            break;
        }
    }
    journal->gathering = 0;
}

static fls_status lead(fls_journal *journal, fls_error *err)
{
    gather(journal);
    return flsi_journal_commit(journal, FLSI_COMMIT_SHARED, err);
}

/* patient: the journal's thread will sync, at the interval. */
static fls_status wait_to(fls_journal *journal, uint64_t end, int patient, fls_error *err)
{
    while (atomic_load_explicit(&journal->durable, memory_order_relaxed) < end) {
        if (journal->failure.status != FLS_OK) {
            return flsi_journal_again(journal, err);
        }
        if (journal->syncing || patient) {
            flsi_condition_wait(&journal->changed, &journal->mutex);
            if (patient && journal->thread_status != FLS_OK) { /* a disk that is full */
                if (err != NULL) {
                    *err = journal->thread_error;
                }
                return journal->thread_status;
            }
            continue;
        }
        fls_status status = lead(journal, err);
        if (status != FLS_OK &&
            atomic_load_explicit(&journal->durable, memory_order_relaxed) < end) {
            return status;
        }
    }
    return FLS_OK;
}

static fls_status counted_wait(fls_journal *journal, uint64_t end, int patient, fls_error *err)
{
    uint64_t came = journal->capture;
    journal->waiting++;
    if (journal->gathering && journal->waiting >= journal->expected) {
        flsi_condition_signal(&journal->gather);
    }
    fls_status status = wait_to(journal, end, patient, err);
    if (journal->let_go <= came) { /* else it was counted off with its group */
        journal->waiting--;
    }
    return status;
}

fls_status flsi_journal_commit_to(fls_journal *journal, uint64_t end, fls_error *err)
{
    return counted_wait(journal, end, 0, err);
}

fls_status fls_journal_wait_durable(fls_journal *journal, uint64_t ordinal, fls_error *err)
{
    if (fls_journal_durable(journal) > ordinal) {
        return FLS_OK;
    }
    flsi_mutex_lock(&journal->mutex);
    fls_status status;
    if (ordinal >= journal->segment.next_ordinal && journal->failure.status == FLS_OK) {
        status =
            fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there is no message of that ordinal yet");
    } else {
        int patient = journal->has_thread && journal->options.sync == FLS_JOURNAL_SYNC_INTERVAL;
        status = counted_wait(journal, ordinal + 1, patient, err);
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}

/* Messages, and gaps behind the last one. */
fls_status fls_journal_sync_now(fls_journal *journal, fls_error *err)
{
    flsi_mutex_lock(&journal->mutex);
    fls_status status = journal->failure.status != FLS_OK
                            ? flsi_journal_again(journal, err)
                            : counted_wait(journal, journal->segment.next_ordinal, 0, err);
    while (status == FLS_OK && journal->gap_pending) {
        flsi_journal_wait_idle(journal);
        if (journal->failure.status != FLS_OK) {
            status = flsi_journal_again(journal, err);
        } else if (journal->gap_pending) {
            status = flsi_journal_commit(journal, FLSI_COMMIT_SHARED, err);
        }
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}
