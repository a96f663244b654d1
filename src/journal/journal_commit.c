/* Making messages durable.
 *
 * One thread leads: it hands everything to the file, lets the mutex go, syncs, and says with a
 * DURABLE record how far that reaches. Those that wait meanwhile share the next sync, which is
 * begun when as many have come as the last time, since those that were let go will be back; the
 * first of them holds on for the others for a moment, and the last leads.
 *
 * The marks are synced by the journal's thread, if there is one, while those that were let go do
 * what they do next: the commit after the one that the marks speak of then finds that done, or
 * waits for it. With a gap among the marks, which has to be durable no later than the message
 * behind it, it is done beside the frames.
 *
 * Small commits that somebody waits for go to the redo log instead (journal_redo.h), and a LOGGED
 * record says so. The files are synced when the log is full, and by every commit that it does not
 * take: then they have all that it had, and it begins again.
 */
#include "core/error.h"
#include "journal/journal_private.h"

/* Others are waited for at most for this part of what a sync takes, and this long: as soon as all
 * are there that are expected, it begins. */
#define GATHER_PART   1u
#define GATHER_MOST   UINT64_C(500000)
#define MARKS_AT_MOST ((size_t)1 << 30)

/* The redo log is made after so many commits that it would have taken, of a part of a segment's
 * bytes. */
#define REDO_AFTER_COMMITS 4u
#define REDO_MISSES        8u /* so many in a row that it does not take, and it goes */
#define REDO_PART          8u
#define PAGE_BYTES         ((uint64_t)4096)

/* What the thread has not begun can wait for the next commit. */
void flsi_journal_wait_idle(fls_journal *journal)
{
    while (journal->syncing || journal->marks_job == 2) {
        flsi_condition_wait(&journal->changed, &journal->mutex);
    }
    journal->marks_job = 0;
}

void flsi_journal_let_all_go(fls_journal *journal)
{
    journal->round++;
    journal->waiting = 0;
    journal->gathering = 0;
    flsi_gate_open(&journal->gates[0]);
    flsi_gate_open(&journal->gates[1]);
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

/* What fails is for the next commit to say. */
void flsi_journal_do_marks_job(fls_journal *journal)
{
    fls_error why = FLS_ERROR_INIT;
    flsi_file *file = &journal->segment.marks_file; /* stays while there is a job */
    uint64_t end = journal->segment.marks_offset;
    journal->marks_job = 2;
    flsi_mutex_unlock(&journal->mutex);
    fls_status status = flsi_file_sync(file, &why);
    flsi_mutex_lock(&journal->mutex);
    (void)marks_were_synced(journal, status, end, &why, NULL);
    journal->marks_job = 0;
    flsi_condition_broadcast(&journal->changed);
}

static void start_marks_job(fls_journal *journal)
{
    journal->marks_job = 1;
    flsi_condition_signal(&journal->wake);
}

/* Until the marks are synced up to an end, by the thread if that has begun. */
static fls_status await_marks(fls_journal *journal, uint64_t end, fls_error *err)
{
    while (journal->marks_job == 2) {
        flsi_condition_wait(&journal->changed, &journal->mutex);
    }
    journal->marks_job = 0;
    if (journal->failure.status != FLS_OK) {
        return flsi_journal_again(journal, err);
    }
    return journal->segment.marks_synced >= end ? FLS_OK : flsi_journal_sync_marks(journal, err);
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
    uint64_t marks_end; /* the marks have to be durable up to here */
    uint64_t began;     /* when, by the monotonic clock */
    uint32_t proof_bytes;
    int frames;
    int marks; /* they are not yet */
} sync_end;

/* A sync of the frames returned, or of the redo log that has them: says so, in memory and in the
 * marks. A record that found no room is written with the next one's. */
static fls_status was_synced(fls_journal *journal, const sync_end *end, uint8_t type,
                             fls_error *err)
{
    const flsi_record record = {.type = type,
                                .small = end->proof_bytes,
                                .ordinal = end->ordinal,
                                .offset = end->offset,
                                .value = end->proof};
    fls_error why = FLS_ERROR_INIT;
    atomic_store_explicit(&journal->durable, end->ordinal, memory_order_release);
    journal->durable_offset = end->offset;
    /* Those that are let go will be back, and join those that have come meanwhile. */
    journal->expected = journal->captured + journal->waiting;
    if (end->proof_bytes == 0 && end->offset > 0) {
        return FLS_OK; /* a segment gone on with, and nothing written to it: it has its marks */
    }
    fls_status status = flsi_segment_mark_durable(&journal->segment, &record, &why);
    if (status == FLS_NO_SPACE) {
        return FLS_OK;
    }
    return flsi_journal_stick(journal, status, &why, err);
}

/* Both syncs: that of the marks by the thread if there is one and the mutex need not be held. The
 * thread may have begun, or have finished by now. *marked says what became of the marks. */
static fls_status sync_files(fls_journal *journal, const sync_end *end, flsi_commit_how how,
                             fls_status *marked, fls_error *marks_why, fls_error *why)
{
    flsi_segment *segment = &journal->segment;
    fls_error own_why = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    fls_status own_status = FLS_OK;
    int alone = how == FLSI_COMMIT_ALONE;
    if (end->marks && end->frames && how == FLSI_COMMIT_SHARED && journal->has_thread &&
        journal->marks_job == 0) {
        start_marks_job(journal);
    }
    int own = end->marks && journal->marks_job == 0;
    uint64_t own_end = segment->marks_offset;
    if (!alone) {
        flsi_mutex_unlock(&journal->mutex);
    }
    if (own) {
        own_status = flsi_file_sync(&segment->marks_file, &own_why);
    }
    if (end->frames) {
        status = flsi_file_sync(&segment->frames, why);
    }
    if (!alone) {
        flsi_mutex_lock(&journal->mutex);
    }
    *marked = FLS_OK;
    if (own) {
        *marked = marks_were_synced(journal, own_status, own_end, &own_why, marks_why);
    } else if (end->marks) {
        *marked = await_marks(journal, end->marks_end, marks_why);
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

/* ---- the redo log ---- */

/* Whether the log can have this commit: one that somebody waits for, when all that is not synced in
 * the files is in it or can be. */
static int log_takes(const fls_journal *journal, const sync_end *end, flsi_commit_how how)
{
    const flsi_redo *redo = &journal->redo;
    const flsi_segment *segment = &journal->segment;
    if (how != FLSI_COMMIT_SHARED || !end->frames ||
        !flsi_redo_has(redo, end->offset, segment->marks_offset)) {
        return 0;
    }
    return redo->end > 0 || (redo->frames_from == journal->redo_base && redo->proof_bytes > 0 &&
                             redo->marks_from <= segment->marks_synced);
}

/* What is gathered becomes the log's next entry, and what is written from now on that of the next
 * commit. */
static void turn_log(fls_journal *journal, const sync_end *end, int takes)
{
    const flsi_redo_owner owner = {.epoch = (uint32_t)journal->manifest.epoch,
                                   .journal_id = journal->journal_id,
                                   .segment = journal->segment.first_ordinal};
    if (takes) {
        flsi_redo_seal(&journal->redo, &owner);
    }
    flsi_redo_begin(&journal->redo, end->offset, journal->segment.marks_offset, end->proof,
                    end->proof_bytes);
}

/* Writes the entry, and syncs. After a failure the log is off: what it has is synced where it
 * belongs by the commit that goes on. */
static fls_status sync_log(fls_journal *journal, const sync_end *end)
{
    flsi_mutex_unlock(&journal->mutex);
    fls_status status = flsi_redo_write(&journal->redo, NULL);
    flsi_mutex_lock(&journal->mutex);
    if (status != FLS_OK) {
        journal->figures.failed_syncs++;
        journal->redo_refused = FLSI_REDO_FAILED;
        flsi_redo_close(&journal->redo);
        return status;
    }
    note_latency(journal, flsi_journal_clock(journal) - end->began);
    journal->log_misses = 0;
    return FLS_OK;
}

/* More each time that the log went because it had nothing to take. */
static uint32_t small_commits_wanted(const fls_journal *journal)
{
    uint32_t times = journal->redo_offs < 5 ? journal->redo_offs : 5;
    return REDO_AFTER_COMMITS << 3 * times;
}

/* Everything is synced where it belongs. After some small commits that somebody waited for the log
 * is made; one that cannot be made is done without. */
static void renew_log(fls_journal *journal, const sync_end *end, uint64_t bytes,
                      flsi_commit_how how)
{
    const fls_journal_options *options = &journal->options;
    if (journal->redo.is_on) {
        journal->redo_base = end->offset;
        flsi_redo_begin_pass(&journal->redo);
        if (++journal->log_misses > REDO_MISSES) { /* commits are not small any more */
            flsi_redo_close(&journal->redo);
            (void)flsi_redo_remove(&journal->directory, NULL);
            journal->small_commits = 0;
            journal->redo_offs++;
        }
        return;
    }
    if (how != FLSI_COMMIT_SHARED || bytes > FLSI_REDO_FRAMES_BYTES || journal->redo_refused ||
        options->no_redo || options->sync_starts_segment ||
        ++journal->small_commits < small_commits_wanted(journal)) {
        return;
    }
    flsi_redo made;
    uint64_t file_bytes = options->segment_bytes / REDO_PART / PAGE_BYTES * PAGE_BYTES;
    file_bytes = file_bytes < FLSI_REDO_MOST_BYTES ? file_bytes : FLSI_REDO_MOST_BYTES;
    file_bytes = file_bytes > FLSI_REDO_LEAST_BYTES ? file_bytes : FLSI_REDO_LEAST_BYTES;
    flsi_mutex_unlock(&journal->mutex);
    fls_status status =
        flsi_redo_open(&made, &journal->directory, file_bytes, journal->allocator, NULL);
    flsi_mutex_lock(&journal->mutex);
    journal->log_misses = 0;
    journal->redo_refused = status != FLS_OK ? FLSI_REDO_REFUSED : 0;
    if (status == FLS_OK) {
        journal->redo = made; /* it begins with what the next commit leaves behind it */
    }
}

/* ---- a commit ---- */

/* The marks of a gap have to be durable with this commit, and all of them where a pass of the redo
 * log ends: what the thread does may not cover them. */
static void await_marks_job(fls_journal *journal)
{
    while ((journal->gap_pending || journal->redo.is_on) && journal->marks_job == 2) {
        flsi_condition_wait(&journal->changed, &journal->mutex);
    }
    if (journal->gap_pending || journal->redo.is_on) {
        journal->marks_job = 0;
    }
}

/* Syncs the files, and says what is durable. */
static fls_status commit_to_files(fls_journal *journal, sync_end *end, flsi_commit_how how,
                                  fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    fls_error why = FLS_ERROR_INIT;
    fls_status marked;
    uint64_t bytes = end->offset - journal->durable_offset;
    end->marks = end->marks_end > segment->marks_synced;
    fls_status status = sync_files(journal, end, how, &marked, err, &why);
    note_latency(journal, flsi_journal_clock(journal) - end->began);
    if (marked != FLS_OK) {
        return marked;
    }
    if (status != FLS_OK) {
        return move_to_new_segment(journal, err);
    }
    status = end->frames ? was_synced(journal, end, FLSI_RECORD_DURABLE, err) : FLS_OK;
    journal->rotation_due |= end->frames && journal->options.sync_starts_segment;
    if (status == FLS_OK && end->frames) {
        renew_log(journal, end, bytes, how);
    }
    journal->marks_due = segment->marks_offset;
    if (status == FLS_OK && how == FLSI_COMMIT_SHARED && journal->has_thread &&
        !journal->redo.is_on && journal->marks_due > segment->marks_synced) {
        journal->marks_job = 1; /* the thread is told when the mutex is free */
    }
    return status;
}

/* What is handed to the files by now, as a whole or as far as a full disk took it. */
static sync_end capture(fls_journal *journal)
{
    const flsi_segment *segment = &journal->segment;
    const sync_end end = {.began = flsi_journal_clock(journal),
                          .ordinal = segment->begin_ordinal,
                          .offset = segment->begin_offset,
                          .proof_bytes = segment->proof_bytes,
                          .proof = segment->proof,
                          .marks_end = journal->gap_pending || journal->redo.is_on
                                           ? segment->marks_offset
                                           : journal->marks_due,
                          .frames = segment->begin_ordinal !=
                                    atomic_load_explicit(&journal->durable, memory_order_relaxed)};
    return end;
}

/* All of it but the flag. */
static fls_status commit(fls_journal *journal, flsi_commit_how how, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    fls_error full = FLS_ERROR_INIT;
    await_marks_job(journal);
    if (journal->failure.status != FLS_OK) { /* of that job */
        return flsi_journal_again(journal, err);
    }
    journal->round++;
    journal->round_end = segment->next_ordinal;
    journal->captured = journal->waiting;
    journal->waiting = 0;
    journal->gathering = 0;
    fls_status flushed = flsi_journal_flush_held(journal, &full);
    /* What a full disk took is made durable all the same, but for messages behind a gap of which it
     * did not take the record. */
    int passed_on = flushed == FLS_NO_SPACE && !journal->gap_unwritten;
    if (flushed != FLS_OK && !passed_on) {
        return give_error(&full, err);
    }
    sync_end end = capture(journal);
    int all = segment->next_ordinal == end.ordinal;
    int takes = log_takes(journal, &end, how);
    /* What only the log has goes into the files together with what it does not take. */
    end.frames |= !takes && journal->redo.end > 0;
    journal->round_end = end.ordinal;
    journal->gap_pending = 0;
    if (!end.frames && end.marks_end <= segment->marks_synced) {
        journal->undurable_since = all ? 0 : end.began + (end.began == 0);
        return all ? FLS_OK : give_error(&full, err);
    }
    if (journal->redo.is_on) {
        turn_log(journal, &end, takes);
    }
    fls_status status;
    if (takes && sync_log(journal, &end) == FLS_OK) {
        status = was_synced(journal, &end, FLSI_RECORD_LOGGED, err);
    } else {
        status = commit_to_files(journal, &end, how, err);
    }
    if (status == FLS_OK) {
        journal->undurable_since =
            segment->next_ordinal > end.ordinal ? end.began + (end.began == 0) : 0;
    }
    return status == FLS_OK && flushed != FLS_OK && !all ? give_error(&full, err) : status;
}

/* Whether wait_durable leaves the sync to the journal's thread. */
static int is_patient(const fls_journal *journal)
{
    return journal->has_thread && journal->options.sync == FLS_JOURNAL_SYNC_INTERVAL;
}

/* Who is to be told of a commit's end: the thread, all that wait for it, and one of those that wait
 * for the next. */
typedef struct told {
    flsi_condition *thread;
    flsi_gate *all;
    flsi_gate *one;
    flsi_gate *others; /* all of them too, where not everybody would lead */
} told;

static told run_commit(fls_journal *journal, flsi_commit_how how, fls_status *status,
                       fls_error *err)
{
    journal->syncing = 1;
    *status = commit(journal, how, err);
    journal->syncing = 0;
    flsi_condition_broadcast(&journal->changed);
    flsi_gate *next = &journal->gates[(journal->round + 1) & 1];
    int patient = is_patient(journal);
    const told who = {.thread = journal->marks_job == 1 ? &journal->wake : NULL,
                      .all = &journal->gates[journal->round & 1],
                      .one = !patient && journal->waiting > 0 ? next : NULL,
                      .others = patient && journal->waiting > 0 ? next : NULL};
    return who;
}

static void tell(const told *who)
{
    if (who->thread != NULL) {
        flsi_condition_signal(who->thread);
    }
    flsi_gate_open(who->all);
    if (who->one != NULL) {
        flsi_gate_nudge(who->one);
    }
    if (who->others != NULL) {
        flsi_gate_open(who->others);
    }
}

fls_status flsi_journal_commit(fls_journal *journal, flsi_commit_how how, fls_error *err)
{
    fls_status status;
    const told who = run_commit(journal, how, &status, err);
    tell(&who);
    return status;
}

/* ---- waiting ---- */

#define NOT_COUNTED UINT64_MAX

typedef struct waiter {
    uint64_t end;
    uint64_t round;    /* it was counted when that was the newest */
    uint64_t hold_end; /* it holds on for others until then; 0: it does not */
    int patient;       /* the journal's thread will sync, at the interval */
} waiter;

static void count_in(fls_journal *journal, waiter *me)
{
    if (me->patient || me->round == journal->round) {
        return;
    }
    if (journal->syncing && me->round != NOT_COUNTED && me->round + 1 == journal->round) {
        return; /* it came to hold on no longer: the sync that it waits for has begun */
    }
    me->round = journal->round;
    me->hold_end = 0;
    if (journal->syncing && me->end <= journal->round_end) {
        journal->captured++;
    } else {
        journal->waiting++;
    }
}

/* Whether to lead, now. If not: *hold_ns is how long to wait at most. */
static int is_to_lead(fls_journal *journal, waiter *me, uint64_t *hold_ns)
{
    const fls_journal_figures *figures = &journal->figures;
    *hold_ns = FLSI_GATE_FOREVER;
    if (me->patient || journal->syncing) {
        return 0;
    }
    if (journal->options.polled || journal->waiting >= journal->expected || figures->syncs == 0) {
        return 1;
    }
    if (journal->gathering && me->hold_end == 0) {
        return 0; /* another one holds on */
    }
    uint64_t now = fls_clock_monotonic()->now_ns(NULL);
    if (me->hold_end == 0) {
        uint64_t most = figures->sync_ns_total / figures->syncs / GATHER_PART;
        me->hold_end = now + (most < GATHER_MOST ? most : GATHER_MOST) + 1;
        journal->gathering = 1;
    }
    *hold_ns = me->hold_end > now ? me->hold_end - now : 0;
    return *hold_ns == 0;
}

/* One try: leads, or waits for who does. 1: it is durable, and the mutex was given back. */
static int lead_or_wait(fls_journal *journal, waiter *me, fls_status *status, fls_error *err)
{
    uint64_t hold_ns;
    count_in(journal, me);
    if (is_to_lead(journal, me, &hold_ns)) {
        const told who = run_commit(journal, FLSI_COMMIT_SHARED, status, err);
        flsi_mutex_unlock(&journal->mutex);
        tell(&who);
    } else {
        int this_round = journal->syncing && me->end <= journal->round_end;
        flsi_gate *gate = &journal->gates[(journal->round + !this_round) & 1];
        uint32_t turn = flsi_gate_turn(gate);
        flsi_mutex_unlock(&journal->mutex);
        (void)flsi_gate_wait(gate, turn, hold_ns);
    }
    if (fls_journal_durable(journal) >= me->end) {
        return 1;
    }
    flsi_mutex_lock(&journal->mutex);
    return 0;
}

/* Until everything below end is durable. Gives the mutex back. */
static fls_status wait_to(fls_journal *journal, uint64_t end, int patient, fls_error *err)
{
    waiter me = {.end = end, .round = NOT_COUNTED, .patient = patient};
    uint64_t failures = journal->thread_failures;
    fls_status status = FLS_OK;
    while (status == FLS_OK &&
           atomic_load_explicit(&journal->durable, memory_order_relaxed) < end) {
        if (journal->failure.status != FLS_OK) {
            status = flsi_journal_again(journal, err);
        } else if (patient && journal->thread_failures != failures &&
                   end <= journal->thread_tried) {
            status = give_error(&journal->thread_error, err); /* a disk that is full */
        } else if (lead_or_wait(journal, &me, &status, err)) {
            return FLS_OK;
        }
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}

fls_status flsi_journal_commit_to(fls_journal *journal, uint64_t end, fls_error *err)
{
    return wait_to(journal, end, 0, err);
}

fls_status fls_journal_wait_durable(fls_journal *journal, uint64_t ordinal, fls_error *err)
{
    if (fls_journal_durable(journal) > ordinal) {
        return FLS_OK;
    }
    flsi_mutex_lock(&journal->mutex);
    if (ordinal >= journal->segment.next_ordinal && journal->failure.status == FLS_OK) {
        flsi_mutex_unlock(&journal->mutex);
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "there is no message of that ordinal yet");
    }
    return wait_to(journal, ordinal + 1, is_patient(journal), err);
}

/* Messages, and gaps behind the last one. */
fls_status fls_journal_sync_now(fls_journal *journal, fls_error *err)
{
    flsi_mutex_lock(&journal->mutex);
    fls_status status = wait_to(journal, journal->segment.next_ordinal, 0, err);
    flsi_mutex_lock(&journal->mutex);
    if (status == FLS_OK && journal->failure.status != FLS_OK) {
        status = flsi_journal_again(journal, err);
    }
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
