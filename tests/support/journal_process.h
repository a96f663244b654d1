/* A process that appends to a journal, and tells how far it came in memory that outlives it. */
#ifndef TESTS_SUPPORT_JOURNAL_PROCESS_H
#define TESTS_SUPPORT_JOURNAL_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct journal_told {
    _Atomic uint64_t durable;  /* ordinals below were reported durable */
    _Atomic uint64_t written;  /* ordinals below were reported to be in the file */
    _Atomic uint64_t appended; /* ordinals below were given out */
    _Atomic uint32_t failed;   /* a call of the journal failed: nothing more is appended */
} journal_told;

/* Shared with processes that are started later; aborts the test when there is no memory. */
journal_told *journal_told_new(void);

/* Starts a process that opens the journal as the seed says and appends until it is killed, or until
 * a call fails. The journal has first_ordinal messages. */
pid_t journal_process_start(journal_told *told, const char *path, uint64_t seed,
                            uint64_t first_ordinal);
/* Kills it and waits for it. */
void journal_process_kill(pid_t child);

/* Opens the journal as the next writer does and closes it again; returns how many messages it has,
 * each of them compared. *cut is counted up when something was set aside. Aborts the test when one
 * is missing, or is another. */
uint64_t journal_process_recover(const char *path, uint64_t at_least, uint64_t *cut);

#endif
