/* The segments of a journal as its writer knows them, so that neither rotation nor retention nor
 * figures read the directory again for each segment.
 *
 * It is read once, when it is asked for first, and then kept up: the writer alone adds segments, at
 * the end; whoever prunes removes them from the front, which one look at the oldest shows; and
 * where the manifest allows it others may compress them, so that those that were plain are looked
 * at again. On any thread, with the journal's mutex or without it, but not the other way round.
 */
#ifndef FLSI_JOURNAL_KEPT_H
#define FLSI_JOURNAL_KEPT_H

#include "journal/journal_listing.h"
#include "os/os_thread.h"

typedef struct flsi_kept {
    const flsi_directory *directory;
    const fls_allocator *allocator;
    flsi_mutex mutex;     /* guards what follows */
    flsi_listing listing; /* with bytes, but for the last one's */
    size_t gone;          /* so many of its first ones are not there any more */
    uint64_t bytes;       /* of all but the last */
    int is_read;
} flsi_kept;

/* directory and allocator outlive it. */
fls_status flsi_kept_init(flsi_kept *kept, const flsi_directory *directory,
                          const fls_allocator *allocator, fls_error *err);
void flsi_kept_fini(flsi_kept *kept);

/* Something else happened to the directory: it is read again when it is asked for next. */
void flsi_kept_forget(flsi_kept *kept);
/* A segment was begun; the one before it has come to so many bytes, marks included. */
void flsi_kept_add(flsi_kept *kept, uint64_t first_ordinal, uint64_t bytes_before);

/* With the mutex: makes it say what is there now. may_be_compressed: by others too. */
fls_status flsi_kept_refresh(flsi_kept *kept, int may_be_compressed, fls_error *err);
/* With the mutex: the oldest one was removed. */
void flsi_kept_pop(flsi_kept *kept);

/* How many there are, the oldest one's first ordinal, and the bytes of all of them. */
fls_status flsi_kept_count(flsi_kept *kept, int may_be_compressed, uint64_t *segments,
                           uint64_t *first_ordinal, uint64_t *bytes, fls_error *err);
/* A copy from the oldest one on that is not compressed, for who compresses; FLS_OK and an empty one
 * when there is none but the last. */
fls_status flsi_kept_plain(flsi_kept *kept, flsi_listing *plain, fls_error *err);

#endif
