/* What the marks of one segment say of its end, held against its frames: the base that recovery
 * starts from. docs/JOURNAL.md, "Opening".
 */
#ifndef FLSI_JOURNAL_TAIL_H
#define FLSI_JOURNAL_TAIL_H

#include "journal/journal_listing.h"
#include "journal/journal_manifest.h"
#include "journal/journal_scan.h"

typedef struct flsi_journal_tail {
    const fls_allocator *allocator;
    uint64_t first_ordinal;
    char frames_name[FLSI_NAME_BYTES];
    char marks_name[FLSI_NAME_BYTES];
    flsi_file frames; /* closed when there is no plain file */
    flsi_file marks;  /* closed when there is none */
    uint64_t frames_bytes;
    uint64_t marks_bytes;
    uint64_t valid_bytes; /* of the marks */
    uint64_t read_from;   /* of the marks between the first frame and here nothing was read; or 0 */
    int whole;            /* all of the marks are valid */
    int sound;            /* there are marks with a header that fits the segment and the journal */
    int superseding;      /* the marks speak of places behind the base */
    uint32_t sealed;      /* flags of the SEAL at the end, else 0 */
    flsi_record header;
    flsi_record seal;
    uint64_t near_base;    /* a frame of the marks at or before which nothing speaks of the base */
    uint64_t base_ordinal; /* the newest durable mark, or the segment's beginning */
    uint64_t base_offset;
    uint32_t proof_bytes;
    uint64_t proof;
    flsi_record logged;    /* the newest LOGGED; its ordinal 0: none */
    uint64_t last_time_ns; /* newest time in the marks, or 0 */
    uint32_t type_count;
    flsi_manifest_type *types; /* FLSI_MANIFEST_TYPES of them */
} flsi_journal_tail;

/* Opens the segment's files and reads its marks: all, or only what has to do with the end (rule 1
 * of "Opening"). Close in every case. how: FLSI_OPEN_READ, and FLSI_OPEN_WRITE for who changes
 * them. */
fls_status flsi_journal_tail_open(flsi_journal_tail *tail, const flsi_manifest *manifest,
                                  const flsi_directory *directory,
                                  const flsi_listed_segment *segment, int all, unsigned how,
                                  const fls_allocator *allocator, fls_error *err);
void flsi_journal_tail_close(flsi_journal_tail *tail);

/* A pass over the marks that have to do with what is behind the base, and with the message before
 * it. */
fls_status flsi_journal_tail_pass(const flsi_journal_tail *tail, flsi_marks_pass *pass,
                                  fls_error *err);

/* Whether the base and the seal speak of what is there. FLS_CHECKSUM_MISMATCH when they do not. */
fls_status flsi_journal_tail_prove(const flsi_journal_tail *tail, fls_error *err);

/* Whether the messages between the base and the newest LOGGED record are there, which the redo log
 * had: FLS_CHECKSUM_MISMATCH when they are not. Reads them. */
fls_status flsi_journal_tail_prove_logged(const flsi_journal_tail *tail,
                                          const flsi_manifest *manifest, fls_error *err);

/* Whether nothing is behind the base, in frames and marks. */
int flsi_journal_tail_is_clean(const flsi_journal_tail *tail);

/* How far the newest durable mark of the last segment reaches, and the journal's epoch; nothing is
 * proven. FLS_INVALID_ARGUMENT when there is no manifest. */
fls_status flsi_journal_durable_end(const flsi_directory *journal, const fls_allocator *allocator,
                                    uint64_t *ordinal, uint64_t *epoch, fls_error *err);

#endif
