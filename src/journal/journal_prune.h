/* Retention: removing whole old segments of a journal, for fls_journal_prune and for a writer.
 */
#ifndef FLSI_JOURNAL_PRUNE_H
#define FLSI_JOURNAL_PRUNE_H

#include "flatstream/journal.h"
#include "journal/journal_kept.h"

/* Removes segments, oldest first, while there is more than the options allow; never the last one,
 * nor, unless forced, one that a cursor may still need: one that lags less than allowed, or whose
 * file is damaged. next_ordinal is where the journal ends (for lags), now_ns the journal's time
 * (for ages). report may be NULL. Beside readers, a writer, and others that prune. */
fls_status flsi_prune_segments(const flsi_directory *journal, const fls_prune_options *options,
                               uint64_t next_ordinal, uint64_t now_ns,
                               const fls_allocator *allocator, fls_prune_report *report,
                               fls_error *err);

/* The same for a writer, by what it knows of its segments: at most so many at once, so that who
 * begins a segment does not wait for long. How often the directory is asked does not depend on how
 * many segments there are. */
fls_status flsi_prune_kept(flsi_kept *kept, const fls_prune_options *options, size_t most,
                           int may_be_compressed, uint64_t next_ordinal, uint64_t now_ns,
                           fls_prune_report *report, fls_error *err);

#endif
