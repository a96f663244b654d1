/* What speaks for a frame: that it fits, that its checksum holds, that it has a root, and what
 * follows it. The searches that ask this (for the end of a stream, and for what can be salvaged of
 * it) have their own ways of choosing what they ask about.
 */
#ifndef FLSI_STREAM_PROOF_H
#define FLSI_STREAM_PROOF_H

#include "flatstream/cursor.h"
#include "stream/view.h"

/* A place and a length that declare a frame within the stream. */
typedef struct flsi_candidate {
    uint64_t offset;
    uint32_t length;
    uint64_t end; /* offset behind the frame */
} flsi_candidate;

/* Bytes that may be looked at and hashed. What one hash of what nobody could know to be so long
 * takes more than there is, is owed. */
typedef struct flsi_purse {
    int64_t left;
    int empty; /* something was not hashed for want of it */
} flsi_purse;

typedef struct flsi_prober {
    const fls_digest_state *digest;
    uint32_t max_frame_bytes; /* largest payload of a candidate */
    int roots;           /* the messages before are known to have a table root: so will others */
    uint64_t zeros_from; /* from here to the end of the stream all is zero */
    flsi_view probe;     /* a window of its own, so that probing does not disturb other views */
    uint64_t hashed;     /* bytes so far, and headers and roots looked at */
    uint64_t probes;
} flsi_prober;

static inline uint32_t flsi_unit_of(const fls_digest_state *digest)
{
    return FLS_LENGTH_BYTES + digest->width;
}

/* A header at offset that declares a frame within the stream. */
int flsi_proof_fits(const flsi_prober *prober, uint64_t offset, uint32_t length,
                    flsi_candidate *found);

/* The same of the header that stands there. *good 0: it does not fit, or is not there. */
fls_status flsi_proof_header(flsi_prober *prober, uint64_t offset, flsi_candidate *found, int *good,
                             fls_error *err);

/* Whether the frame's payload looks like a FlatBuffer: flsi_looks_rooted with three short looks,
 * wherever in the payload the table and its vtable lie. */
fls_status flsi_proof_root(flsi_prober *prober, const flsi_candidate *frame, int *root,
                           fls_error *err);

/* The checksum that the frame has and the one that it should have, which may be what they are: no
 * purse is asked. *there 0: the stream ends before. */
fls_status flsi_proof_checksums(flsi_prober *prober, const flsi_candidate *frame, uint64_t *stored,
                                uint64_t *computed, int *there, fls_error *err);

/* Whether the frame's checksum holds; an empty frame that is all zero never does. Not where its
 * payload is longer than what is left in the purse. */
fls_status flsi_proof_holds(flsi_prober *prober, const flsi_candidate *frame, flsi_purse *purse,
                            int *sound, fls_error *err);

#define FLSI_CHAIN_FRAMES 16u

typedef struct flsi_chain {
    unsigned frames; /* non-empty, sound, in a row, the first included */
    unsigned rooted; /* how many of them, before the first that has none, have a table root */
    unsigned roots;  /* how many of them have one */
    int first_root;
    int ends_at_end; /* nothing, or nothing but zeros, is behind them */
} flsi_chain;

/* Follows sound frames from one that is sound, until they are `most` (FLSI_CHAIN_FRAMES at most).
 * The one at a known boundary counts as rooted: it is not the guess of a place that has to be
 * confirmed. */
fls_status flsi_proof_follow(flsi_prober *prober, const flsi_candidate *first, int at_boundary,
                             unsigned most, flsi_purse *purse, flsi_chain *found, fls_error *err);

/* The table of docs/FORMAT.md, section 8, for a frame whose checksum holds. */
fls_status flsi_proof_judge(flsi_prober *prober, const flsi_candidate *frame, int at_boundary,
                            flsi_purse *purse, int *proven, fls_error *err);

/* Sets zeros_from: where the zeros begin with which the stream ends, not before `from`. */
fls_status flsi_proof_find_zeros(flsi_prober *prober, uint64_t from, fls_error *err);

#endif
