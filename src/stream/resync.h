/* The search for the next frame that is proven in bytes where no boundary is known, and the proof
 * of a frame where one is expected. docs/SALVAGE.md says what is proof; the numbers are its.
 *
 * All work is paid for from one purse, which earns with each byte that is passed and holds no more
 * than it can earn in a while. So whatever the bytes are, the work is at most so much a byte, and
 * what would cost more is passed over, which the purse remembers.
 */
#ifndef FLSI_STREAM_RESYNC_H
#define FLSI_STREAM_RESYNC_H

#include "stream/proof.h"

typedef struct flsi_resync {
    flsi_prober prober; /* its max_frame_bytes: the largest payload that a search believes */
    flsi_view scan;
    flsi_purse purse;
    uint32_t earned_per_byte;
    uint32_t boundary_bytes; /* largest payload where a frame is expected */
    const uint64_t *anchors; /* offsets where a frame is known to begin, rising */
    size_t anchor_count;
    uint64_t charged_probes; /* what of the prober's counts has been paid for */
    uint64_t charged_loads;
} flsi_resync;

/* Both views become copies of view. digest is kept, not copied. */
void flsi_resync_init(flsi_resync *resync, const fls_digest_state *digest, const flsi_view *view,
                      uint32_t boundary_bytes, uint32_t hash_per_byte);
void flsi_resync_close(flsi_resync *resync);

/* So many bytes were passed. What was looked at before is paid first. */
void flsi_resync_earn(flsi_resync *resync, uint64_t bytes);

/* The first proven frame that begins in [from, to). *proven 0: there is none. */
fls_status flsi_resync_find(flsi_resync *resync, uint64_t from, uint64_t to, flsi_candidate *found,
                            int *proven, fls_error *err);

/* Whether what is at an offset proves that a frame ends there: the end of the stream or zeros up to
 * it, or a sound frame, perhaps behind a few empty ones: then *sound is where that one is. Where
 * nothing is left in the purse the answer is no. */
fls_status flsi_resync_expected(flsi_resync *resync, uint64_t offset, uint64_t *sound, int *proven,
                                fls_error *err);

/* Whether a frame of that length at an offset where one is expected is proven. */
fls_status flsi_resync_proven(flsi_resync *resync, const flsi_candidate *frame, int *proven,
                              fls_error *err);

int flsi_resync_is_anchor(const flsi_resync *resync, uint64_t offset);

#endif
