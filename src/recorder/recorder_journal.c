/* A recorder on a real journal. */
#include "recorder/recorder_private.h"

static fls_status journal_append_batch(void *self, const fls_journal_entry *entries, size_t count,
                                       uint64_t *first_ordinal, size_t *taken, fls_error *err)
{
    return fls_journal_append_batch(self, entries, count, first_ordinal, taken, err);
}

static fls_status journal_record_gap(void *self, const fls_journal_gap *gap, fls_error *err)
{
    return fls_journal_record_gap(self, gap, err);
}

static uint64_t journal_durable(void *self)
{
    return fls_journal_durable(self);
}

static fls_status journal_sync(void *self, fls_error *err)
{
    return fls_journal_sync_now(self, err);
}

static uint64_t journal_now(void *self)
{
    return fls_journal_now(self);
}

fls_status fls_recorder_open(fls_recorder **recorder, fls_journal *journal,
                             const fls_recorder_options *options, fls_error *err)
{
    const flsi_recorder_journal seam = {journal_append_batch, journal_record_gap, journal_durable,
                                        journal_sync,         journal_now,        journal};
    return flsi_recorder_open(recorder, &seam, options, NULL, 1, err);
}
