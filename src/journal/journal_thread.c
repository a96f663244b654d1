/* What is due without anybody's call: handing over what lingers, syncing at the interval, ending
 * segments by age, pairs of clocks, retention and compression. On a thread of the journal's own, or
 * in fls_journal_poll.
 */
#include "core/error.h"
#include "journal/journal_compress.h"
#include "journal/journal_private.h"
#include "journal/journal_prune.h"

#define SECOND          UINT64_C(1000000000)
#define STEP_NS         UINT64_C(1000000) /* the wall clock against the monotonic one */
#define UPKEEP_EVERY_NS (10 * SECOND)
#define RETIRED_AT_ONCE 4u /* segments; then syncs that are due have their turn */

static int is_due(uint64_t since, uint64_t after, uint64_t now)
{
    return since != 0 && now >= since && now - since >= after;
}

static void note_wait(uint64_t *wait_ns, uint64_t since, uint64_t after, uint64_t now)
{
    if (since != 0) {
        uint64_t gone = now > since ? now - since : 0;
        uint64_t left = gone < after ? after - gone : 0;
        *wait_ns = left < *wait_ns ? left : *wait_ns;
    }
}

/* ---- pairs of clocks ---- */

fls_status flsi_journal_pair_clocks(fls_journal *journal, int must, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    uint64_t now = fls_journal_now(journal);
    uint64_t wall = flsi_wall_now_ns();
    uint64_t progress = now - journal->pair_time;
    uint64_t wall_progress = wall - journal->pair_wall;
    uint64_t apart = wall_progress - progress;
    apart = apart >> 63 != 0 ? 0 - apart : apart;
    int step = journal->pair_wall != 0 && apart > STEP_NS;
    journal->next_pair_at = flsi_journal_clock(journal) + SECOND;
    if (!must && !step && journal->pair_ordinal == journal->segment.next_ordinal) {
        return FLS_OK;
    }
    const flsi_record record = {.type = FLSI_RECORD_CLOCK,
                                .flags = step ? FLSI_CLOCK_STEP : 0,
                                .ordinal = journal->segment.next_ordinal,
                                .time_ns = now,
                                .value = wall};
    fls_status status = flsi_segment_mark(&journal->segment, &record, &why);
    if (status == FLS_OK) {
        journal->pair_ordinal = journal->segment.next_ordinal;
        journal->pair_wall = wall;
        journal->pair_time = now;
    }
    return flsi_journal_stick(journal, status, &why, err);
}

/* ---- retention and compression ---- */

/* For a compression or removals that take long: what may not wait is done in between. */
static fls_status between(void *self)
{
    fls_journal *journal = self;
    uint64_t wait_ns;
    flsi_mutex_lock(&journal->mutex);
    fls_status status = journal->stop ? FLS_STOPPED : FLS_OK;
    uint32_t due = journal->upkeep_due;
    journal->upkeep_due = 0;
    journal->in_upkeep = 1;
    if (journal->marks_job == 1) {
        flsi_journal_do_marks_job(journal);
    }
    if (status == FLS_OK) {
        (void)flsi_journal_do_due(journal, &wait_ns, NULL);
    }
    journal->in_upkeep = 0;
    journal->upkeep_due |= due;
    flsi_mutex_unlock(&journal->mutex);
    return status;
}

/* By this writer, or by others. */
static int may_be_compressed(const fls_journal *journal)
{
    return (journal->manifest.incompatible & FLSI_FEATURE_COMPRESSED) != 0;
}

uint64_t flsi_journal_retain(fls_journal *journal, uint32_t most)
{
    const fls_journal_options *options = &journal->options;
    fls_prune_report report = {.struct_bytes = sizeof report};
    if (options->retain_bytes != 0 || options->retain_segments != 0 ||
        options->retain_age_ns != 0) {
        const fls_prune_options prune = {.struct_bytes = sizeof prune,
                                         .retain_bytes = options->retain_bytes,
                                         .retain_segments = options->retain_segments,
                                         .retain_age_ns = options->retain_age_ns,
                                         .cursor_lag_messages = options->cursor_lag_messages};
        /* Not by the path, which may lead elsewhere by now. */
        (void)flsi_prune_kept(&journal->kept, &prune, most, may_be_compressed(journal),
                              fls_journal_durable(journal), flsi_wall_now_ns(), &report, NULL);
    }
    return report.segments;
}

/* Without the mutex. What fails is tried again the next time. */
static uint64_t do_upkeep(fls_journal *journal)
{
    const fls_journal_options *options = &journal->options;
    uint64_t some = flsi_journal_retain(journal, RETIRED_AT_ONCE);
    uint64_t removed = some;
    while (some == RETIRED_AT_ONCE && (!journal->has_thread || between(journal) == FLS_OK)) {
        some = flsi_journal_retain(journal, RETIRED_AT_ONCE);
        removed += some;
    }
    if (options->compress) {
        flsi_compress_job job = {.directory = &journal->directory,
                                 .kept = &journal->kept,
                                 .checksum = options->checksum,
                                 .max_frame_bytes = journal->manifest.max_frame_bytes,
                                 .level = options->compress_level,
                                 .allocator = journal->allocator,
                                 .between = journal->has_thread ? between : NULL,
                                 .between_self = journal};
        (void)flsi_compress_sealed(&job, NULL);
    }
    return removed;
}

static void upkeep(fls_journal *journal, uint64_t now)
{
    const fls_journal_options *options = &journal->options;
    if (journal->in_upkeep) {
        return;
    }
    if (options->retain_age_ns != 0 && now >= journal->next_upkeep_at) {
        journal->upkeep_due = 1;
    }
    if (!journal->upkeep_due) {
        return;
    }
    journal->upkeep_due = 0;
    journal->next_upkeep_at = now + UPKEEP_EVERY_NS;
    flsi_mutex_unlock(&journal->mutex);
    uint64_t removed = do_upkeep(journal);
    flsi_mutex_lock(&journal->mutex);
    journal->figures.retired_segments += removed;
}

/* ---- what is due ---- */

/* The sync at the interval, or what lingers handed over. */
static fls_status write_due(fls_journal *journal, uint64_t now, fls_error *err)
{
    const fls_journal_options *options = &journal->options;
    int interval = options->sync == FLS_JOURNAL_SYNC_INTERVAL;
    flsi_commit_how how = journal->has_thread ? FLSI_COMMIT_IN_THREAD : FLSI_COMMIT_SHARED;
    fls_error why = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    if (interval && is_due(journal->undurable_since, options->sync_interval_ns, now)) {
        flsi_journal_wait_idle(journal);
        uint64_t tried = journal->segment.next_ordinal;
        if (journal->failure.status == FLS_OK) {
            status = flsi_journal_commit(journal, how, &why);
        }
        if (status != FLS_OK) { /* the next try an interval from now */
            journal->undurable_since = now;
            journal->thread_failures++;
            journal->thread_tried = tried;
            journal->thread_error = why;
            if (err != NULL) {
                *err = why;
            }
        }
    } else if (is_due(journal->held_since, options->linger_ns, now) &&
               journal->failure.status == FLS_OK) {
        /* Of a segment that is sealed too, or this would be due for as long as there is no room for
         * the next one. */
        status = flsi_journal_flush_held(journal, err);
        journal->held_since = status != FLS_OK ? now : 0;
    }
    return status;
}

static fls_status rotate_due(fls_journal *journal, fls_error *err)
{
    flsi_journal_wait_idle(journal);
    if (journal->failure.status != FLS_OK || journal->options.segment_age_ns == 0 ||
        !flsi_journal_is_full(journal, fls_journal_now(journal))) {
        return FLS_OK;
    }
    return flsi_journal_rotate_now(journal, err);
}

fls_status flsi_journal_do_due(fls_journal *journal, uint64_t *wait_ns, fls_error *err)
{
    const fls_journal_options *options = &journal->options;
    uint64_t now = flsi_journal_clock(journal);
    *wait_ns = UINT64_MAX;
    if (journal->failure.status != FLS_OK) {
        return flsi_journal_again(journal, err);
    }
    fls_status status = write_due(journal, now, err);
    if (status == FLS_OK && options->segment_age_ns != 0 &&
        journal->segment.next_ordinal != journal->segment.first_ordinal) {
        status = rotate_due(journal, err);
    }
    if (status == FLS_OK && journal->failure.status == FLS_OK &&
        journal->sealing == FLSI_NOT_SEALED && now >= journal->next_pair_at) {
        status = flsi_journal_pair_clocks(journal, 0, err);
    }
    upkeep(journal, now);
    if (journal->failure.status != FLS_OK) {
        return flsi_journal_again(journal, err);
    }
    now = flsi_journal_clock(journal);
    if (options->sync == FLS_JOURNAL_SYNC_INTERVAL) {
        note_wait(wait_ns, journal->undurable_since, options->sync_interval_ns, now);
    }
    note_wait(wait_ns, journal->held_since, options->linger_ns, now);
    if (journal->next_pair_at > now && journal->next_pair_at - now < *wait_ns) {
        *wait_ns = journal->next_pair_at - now;
    }
    return status;
}

fls_status fls_journal_poll(fls_journal *journal, uint64_t *wait_ns, fls_error *err)
{
    uint64_t wait = UINT64_MAX;
    flsi_mutex_lock(&journal->mutex);
    fls_status status = journal->has_thread ? FLS_OK : flsi_journal_do_due(journal, &wait, err);
    flsi_mutex_unlock(&journal->mutex);
    if (wait_ns != NULL) {
        *wait_ns = wait;
    }
    return status;
}

void flsi_journal_run(void *self)
{
    fls_journal *journal = self;
    flsi_mutex_lock(&journal->mutex);
    while (!journal->stop) {
        uint64_t wait_ns = UINT64_MAX;
        fls_error why = FLS_ERROR_INIT;
        if (journal->marks_job == 1) {
            flsi_journal_do_marks_job(journal);
            continue;
        }
        fls_status status = flsi_journal_do_due(journal, &wait_ns, &why);
        if (journal->stop || journal->marks_job == 1) {
            continue;
        }
        if (status != FLS_OK && journal->failure.status != FLS_OK) {
            wait_ns = SECOND;
        }
        /* A first message, held or not durable, is due at a time that was not known here. */
        journal->idle = journal->held_since == 0 || journal->undurable_since == 0;
        (void)flsi_condition_wait_for(&journal->wake, &journal->mutex,
                                      wait_ns < SECOND ? wait_ns : SECOND);
        journal->idle = 0;
    }
    flsi_mutex_unlock(&journal->mutex);
}

/* ---- figures ---- */

void fls_journal_get_figures(fls_journal *journal, fls_journal_figures *figures)
{
    uint32_t given = figures->struct_bytes;
    fls_journal_figures now;
    flsi_mutex_lock(&journal->mutex);
    now = journal->figures;
    if (journal->failure.status == FLS_OK) {
        now.appended_bytes += flsi_segment_bytes(&journal->segment) - journal->opened_offset;
    }
    flsi_mutex_unlock(&journal->mutex);
    now.struct_bytes = given;
    now.next_ordinal = fls_journal_next_ordinal(journal);
    now.written_ordinal = fls_journal_written(journal);
    now.durable_ordinal = fls_journal_durable(journal);
    (void)flsi_kept_count(&journal->kept, may_be_compressed(journal), &now.segments,
                          &now.first_ordinal, &now.bytes, NULL);
    memcpy(figures, &now, given < sizeof now ? given : sizeof now);
}
