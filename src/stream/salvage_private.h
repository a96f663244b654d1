/* A salvager in parts: the walk over what is sound (salvage_walk.c), what can be said of a frame
 * that is not (salvage_fault.c), and the order of both (salvage.c).
 */
#ifndef FLSI_STREAM_SALVAGE_PRIVATE_H
#define FLSI_STREAM_SALVAGE_PRIVATE_H

#include "flatstream/salvage.h"
#include "stream/resync.h"
#include "stream/salvage_ahead.h"

#define FLSI_SALVAGE_BATCH 128
#define FLSI_SECTOR_BYTES  512u
#define FLSI_FOLLOWERS     8u /* that speak for a frame without a checksum */
#define FLSI_SAW_ROOT      1
#define FLSI_SAW_NO_ROOT   2

/* Goes from boundary to boundary through what is sound. */
typedef struct flsi_walker {
    fls_cursor cursor;
    flsi_view view;
    uint64_t at;         /* the boundary, where the next frame begins */
    uint64_t empties_to; /* zeros up to here are empty messages */
    uint64_t largest;    /* payload of a sound frame so far */
    int met_empties;     /* empty messages were handed out */
    uint32_t max_frame_bytes;
    uint64_t hashed_at; /* the frame here is long, and was hashed in pieces: it may be loaded */
    size_t want;        /* loaded at once, unless a frame needs more */
    /* Frames that other threads know to be sound, from at - before `at` moves - up to known_to. */
    flsi_ahead *ahead; /* or NULL */
    const uint8_t *known;
    uint64_t known_to;
} flsi_walker;

typedef enum flsi_verdict_kind {
    FLSI_LOST_COUNT,   /* nothing is proven */
    FLSI_LOST_PAYLOAD, /* the frame is wrong, where it ends is proven */
    FLSI_BAD_CHECKSUM, /* nothing but a bit of its checksum is wrong */
    FLSI_BAD_LENGTH    /* a bit of its length */
} flsi_verdict_kind;

/* What examining a frame that does not hold comes to. */
typedef struct flsi_verdict {
    flsi_verdict_kind kind;
    flsi_candidate frame; /* with the length that it should have */
} flsi_verdict;

typedef enum flsi_salvage_phase {
    FLSI_PHASE_START,
    FLSI_PHASE_WALK,       /* from a known boundary */
    FLSI_PHASE_SEARCH,     /* for the next proven frame */
    FLSI_PHASE_FOUND,      /* what is before it was reported as lost; it and its chain were not */
    FLSI_PHASE_UNANCHORED, /* kept messages of a chain that is not anchored */
    FLSI_PHASE_END
} flsi_salvage_phase;

/* What scouting along a chain came to. */
typedef struct flsi_scouted {
    int anchored;
    uint64_t from;
    uint64_t to;
    uint64_t frames;
    uint64_t
        outer_end;   /* the frame at the origin holds if it ends here: the chain is its payload */
    fls_error fault; /* at its end, if it is not anchored */
} flsi_scouted;

/* The answer of a search that was asked early. */
typedef struct flsi_foreseen {
    int known;
    int proven; /* else: there is nothing to the end of the stream */
    uint64_t from;
    flsi_candidate frame;
} flsi_foreseen;

struct fls_salvager {
    const fls_allocator *allocator;
    fls_source source; /* the caller's, or of the caller's memory */
    fls_salvage_options options;
    flsi_view whole;
    fls_digest_state digest;
    flsi_resync resync;
    flsi_walker walk;
    flsi_walker scout;
    flsi_ahead *ahead;  /* of the walk; or NULL */
    int share_due;      /* it is to be started, perhaps anew */
    size_t piece_bytes; /* of each of its threads; 0: by the size of the stream */
    flsi_salvage_phase phase;
    int zeros_known; /* the resync's zeros_from is set */
    int met_damage;
    unsigned doubted_empties; /* between sound frames, behind damage */
    int at_boundary;          /* of a search: what is lost begins at a known boundary */
    uint64_t origin;          /* of a search: the last known boundary */
    uint64_t lost_from;
    uint64_t search_from;
    fls_error lost_fault;
    flsi_scouted scouted;
    flsi_foreseen foreseen;
    int roots_seen;        /* FLSI_SAW_... */
    uint64_t distance;     /* how far behind a boundary a chain has to reach to be anchored */
    uint64_t failed_bytes; /* hashed by walks in vain */
    fls_salvage_report report;
    fls_message messages[FLSI_SALVAGE_BATCH];
};

/* Work so far that was not handing out sound messages: bytes hashed, places looked at. */
void flsi_salvage_work(const fls_salvager *salvager, uint64_t *hashed, uint64_t *probes);

/* ---- salvage_walk.c ---- */

fls_status flsi_walker_init(flsi_walker *walker, const flsi_view *view,
                            const fls_salvage_options *options, fls_error *err);
void flsi_walker_close(flsi_walker *walker);

/* Goes to another boundary. */
void flsi_walker_go(flsi_walker *walker, uint64_t offset);

/* FLS_OK: *count messages, the walker stands behind them. FLS_END: a clean end. A status of class
 * damage: the frame at `at` is not sound, fault says why. Others: as err says. */
fls_status flsi_walker_next(fls_salvager *salvager, flsi_walker *walker, fls_message *messages,
                            size_t *count, fls_error *fault, fls_error *err);

/* A message that is proven but does not stand so in the stream; the walker goes behind it. */
fls_status flsi_walker_take(flsi_walker *walker, const flsi_candidate *frame, fls_message *message,
                            fls_error *err);

/* Whether messages have roots, from some of these. */
void flsi_salvage_learn_roots(fls_salvager *salvager, const fls_message *messages, size_t count);

/* ---- salvage_trust.c ---- */

/* Rule N, without a checksum: how many of the count frames that a walk has from `at` on, the last
 * of which ends at `end`, may be handed out because of what is behind them. 0: the first is wrong.
 */
fls_status flsi_salvage_trust(fls_salvager *salvager, uint64_t at, size_t count, uint64_t end,
                              size_t *trusted, fls_error *err);

/* ---- salvage_fault.c ---- */

/* F2 for the frame at an offset that has this length. */
fls_status flsi_salvage_neighbours(fls_salvager *salvager, uint64_t offset, uint32_t length,
                                   flsi_verdict *verdict, fls_error *err);

/* Rules F1 and F2 for the frame at a known boundary that a walk called wrong. */
fls_status flsi_salvage_examine(fls_salvager *salvager, uint64_t offset, flsi_verdict *verdict,
                                fls_error *err);

/* Sets what is known of the zeros at the end of the stream. */
fls_status flsi_salvage_know_zeros(fls_salvager *salvager, uint64_t from, fls_error *err);

/* Rule A: follows the chain from a proven frame until it is anchored or ends. */
fls_status flsi_salvage_scout(fls_salvager *salvager, const flsi_candidate *first, fls_error *err);

/* The next proven frame behind `from`, from what is foreseen where that is so. */
fls_status flsi_salvage_search(fls_salvager *salvager, uint64_t from, flsi_candidate *found,
                               int *proven, fls_error *err);

/* Rule E: what the bytes from `from` to the end of the stream are, in which nothing is proven. */
fls_status flsi_salvage_tail(fls_salvager *salvager, uint64_t from, const fls_error *fault,
                             fls_salvage_loss *loss, fls_error *err);

#endif
