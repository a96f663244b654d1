/* Finding the place where a journal's next writer goes on, and putting in order what the last one
 * left. docs/JOURNAL.md, "Opening", has the rules by number. The lock is held.
 */
#ifndef FLSI_JOURNAL_RECOVERY_H
#define FLSI_JOURNAL_RECOVERY_H

#include "journal/journal_listing.h"
#include "journal/journal_manifest.h"

/* Where appending goes on. */
typedef struct flsi_journal_place {
    uint64_t next_ordinal;
    uint64_t last_time_ns; /* of the newest time that the journal knows, or 0 */
    /* The segment that can be gone on with: the end was clean, and it is neither rotated nor
     * compressed. Else a new one named by next_ordinal is begun. */
    int has_segment;
    int has_other_types; /* that segment names other types than the manifest: not to be gone on */
    uint64_t segment_first_ordinal;
    uint64_t segment_offset;   /* size of its file */
    uint64_t marks_offset;     /* size of its marks file */
    uint64_t segment_begun_ns; /* the header's time */
    uint32_t segment_epoch;    /* the header's */
} flsi_journal_place;

/* Looks, and recovers if need be, by the rules of docs/JOURNAL.md. The segment to go on with may be
 * empty; who cannot use it (other types) replaces it by one of the same name. report is filled from
 * was_clean on; NULL is allowed. FLS_CHECKSUM_MISMATCH: durable marks speak of what is not there;
 * nothing was changed. The manifest's epoch is then already that of the new writer, and
 * stored. manifest is in and out: as loaded (FLS_OK), or rebuilt by flsi_journal_rebuild first. */
fls_status flsi_journal_recover(flsi_journal_place *place, flsi_manifest *manifest,
                                const flsi_directory *directory, const fls_allocator *allocator,
                                fls_journal_report *report, fls_error *err);

/* Makes manifest and marks again where they are lost. */
fls_status flsi_journal_remake(flsi_manifest *manifest, const flsi_directory *directory,
                               const fls_allocator *allocator, fls_journal_report *report,
                               fls_error *err);

/* fls_journal_open and others of the public header on other system calls, NULL: the real ones. */
fls_status flsi_journal_open(fls_journal **journal, const char *path,
                             const fls_journal_options *options, const flsi_os_calls *calls,
                             fls_journal_report *report, fls_error *err);
fls_status flsi_journal_rebuild(const char *path, const flsi_os_calls *calls,
                                fls_journal_report *report, fls_error *err);
fls_status flsi_journal_prune(const char *path, const fls_prune_options *options,
                              const flsi_os_calls *calls, fls_prune_report *report, fls_error *err);
fls_status flsi_journal_compress(const char *path, int level, const flsi_os_calls *calls,
                                 uint64_t *segments, uint64_t *saved_bytes, fls_error *err);

#endif
