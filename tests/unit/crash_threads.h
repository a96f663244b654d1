/* Threads that append to one journal at once and wait for durability together, on a disk that loses
 * power. What they do when is chance; what has to hold is not: after a crash the messages of each
 * thread are there in its order, without a gap, and all of those that it was told are durable.
 */
#ifndef TESTS_UNIT_CRASH_THREADS_H
#define TESTS_UNIT_CRASH_THREADS_H

#include "crash_journal.h"

/* Adds to tally; sync: fls_journal_sync. */
void crash_threads_run(uint64_t seed, unsigned sync, unsigned stride, crash_tally *tally);

#endif
