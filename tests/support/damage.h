/* Damage as disks, networks and people do it, to bytes of which every one remembers where it came
 * from: so a test knows what is still there, and what never was. */
#ifndef TESTS_SUPPORT_DAMAGE_H
#define TESTS_SUPPORT_DAMAGE_H

#include "support/frames.h"

typedef enum damage_kind {
    DAMAGE_FLIP,       /* a bit */
    DAMAGE_CUT_OUT,    /* bytes are missing */
    DAMAGE_INSERT,     /* random bytes that were never there */
    DAMAGE_SECTOR,     /* a sector is overwritten by random bytes */
    DAMAGE_ZERO_PAGE,  /* a page is zeros */
    DAMAGE_SWAP_PAGES, /* two pages have changed places */
    DAMAGE_TRUNCATE,   /* the end is missing */
    DAMAGE_FLIPS,      /* 2 to 20 bits */
    DAMAGE_ZEROS,      /* a sector is zeros */
    DAMAGE_ONES,       /* a sector is ones */
    DAMAGE_OLD,        /* a sector has what another sector has */
    DAMAGE_KINDS
} damage_kind;

#define DAMAGE_FOREIGN SIZE_MAX
/* A copy of bytes that are elsewhere: with the offset there. */
#define DAMAGE_COPY (SIZE_MAX / 4 + 1)

typedef struct damaged {
    uint8_t *data;
    size_t *origin; /* of each byte: its offset in the true stream, DAMAGE_FOREIGN, or a copy's */
    size_t size;
    size_t capacity;
} damaged;

const char *damage_name(damage_kind kind);

/* A copy without damage; freed by damage_free. */
damaged damage_start(const void *data, size_t size);
void damage_free(damaged *self);

/* One damage at a random place. sector_bytes is the size of a sector; pages have eight of them. */
void damage_apply(damaged *self, damage_kind kind, size_t sector_bytes, prng *random);

/* Bytes of which `origin` is the offset elsewhere come in between. */
void damage_plant(damaged *self, size_t at, const void *data, size_t size, size_t origin);

/* One bit; the byte is foreign from then on. */
void damage_flip(damaged *self, size_t offset, unsigned bit);

/* Whether bytes of the true stream are still there in one piece, as they were; *at says where. */
int damage_survives(const damaged *self, size_t from, size_t size, size_t *at);

#endif
