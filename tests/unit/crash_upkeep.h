/* What is done to a journal beside appending, in a run of crash_journal.h: other types of messages,
 * named cursors, compression, pruning. And what has to be there of it after a crash:
 *
 *   - each message lies in a segment that names its types, whose schemas are there whole;
 *   - a cursor is the one that was set last, or the one before while that call had not returned,
 *     never a third; it points to no more than there is, or is set to the end and counted;
 *   - no segment is gone that was not to go, nor one that a cursor needs.
 */
#ifndef TESTS_UNIT_CRASH_UPKEEP_H
#define TESTS_UNIT_CRASH_UPKEEP_H

#include "crash_model.h"
#include "support/prng.h"

/* What an act of it came to. */
typedef struct crash_upkeep {
    fls_status status;
    const char *what; /* the act */
} crash_upkeep;

/* Chances upon one and does it; on the disk in use. */
crash_upkeep crash_upkeep_act(crash_model *model, fls_journal *journal, prng *random,
                              fls_error *err);

/* Holds what is there after an opening against the model, which then is what is there. moved: how
 * many cursors the opening said that it moved; UINT64_MAX: one before it may have moved some. */
void crash_upkeep_check(crash_model *model, crash_disk *disk, uint64_t next_ordinal, uint64_t moved,
                        crash_verdict *verdict);

#endif
