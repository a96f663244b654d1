/* What recovery keeps and what it sets aside: the sound frames behind the base copied into a new
 * segment, everything else into cut/. Every step ends durable.
 */
#ifndef FLSI_JOURNAL_KEEP_H
#define FLSI_JOURNAL_KEEP_H

#include "journal/journal_recovery.h"
#include "journal/journal_tail.h"

typedef struct flsi_keep {
    const flsi_manifest *manifest; /* the new writer's */
    const flsi_directory *directory;
    const fls_allocator *allocator;
    const flsi_journal_tail *tail;
    uint64_t end_ordinal; /* behind the last sound frame of the tail's file */
    uint64_t end_offset;
    uint64_t known_time_ns; /* no message behind the base was received before */
    uint64_t limit_time_ns; /* nor after; 0: not known */
    int cut;                /* something behind the end was set aside: a GAP says so */
} flsi_keep;

/* A new segment with what lies between base and end, named by the base's ordinal, in place of the
 * tail where that has nothing else; with the times, gaps and clock steps that the tail's marks have
 * of it. Without sound marks times are estimated. */
fls_status flsi_keep_sound(const flsi_keep *keep, flsi_journal_place *place, fls_error *err);

/* New marks for a segment, of its frames from the beginning (which is the base) to the end, in
 * place of those that are there. next_ordinal: another segment begins with it, and the marks are
 * sealed; UINT64_MAX: there is none, and nothing is said to be durable. */
fls_status flsi_keep_marks(const flsi_keep *keep, uint64_t next_ordinal, fls_error *err);

/* Copies [from, to) of a file into cut/, under a name that is not taken; name says which, as
 * "cut/...". Nothing is done for no bytes. */
fls_status flsi_keep_cut(const flsi_directory *directory, const flsi_file *file, uint64_t from,
                         uint64_t to, uint64_t epoch, uint64_t ordinal, const char *extension,
                         const fls_allocator *allocator, char name[FLSI_NAME_BYTES],
                         fls_error *err);

/* Ends a segment at its base: both files are cut back, and the marks sealed and synced. The frames'
 * file is not synced: a sync of it may have failed, and should the end come back it is superseded.
 * with_gap: a GAP before the seal says that something was set aside. */
fls_status flsi_keep_end_at_base(flsi_journal_tail *tail, int with_gap, fls_error *err);

#endif
