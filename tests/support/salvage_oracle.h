/* What salvage makes of damage, judged by what is known of every byte: which messages of the true
 * stream came back, which did not although nothing of them was hit, and which never were. */
#ifndef TESTS_SUPPORT_SALVAGE_ORACLE_H
#define TESTS_SUPPORT_SALVAGE_ORACLE_H

#include <stdio.h>

#include "flatstream/checksum.h"
#include "support/damage.h"

/* Damage beside the kinds of damage.h. */
enum {
    SALVAGE_PLANTED = DAMAGE_KINDS, /* frames of another stream come in between */
    SALVAGE_MIXTURE,                /* 2 to 6 of all kinds */
    SALVAGE_DAMAGES
};

/* What streams are made of; a seed has the kind seed % SALVAGE_STREAMS. */
enum {
    SALVAGE_ROOTED, /* FlatBuffers of some hundred bytes */
    SALVAGE_OPAQUE, /* random bytes */
    SALVAGE_SMALL,  /* 20 to 52 bytes of small numbers, as market data has them */
    SALVAGE_LARGE,  /* up to 60 KiB, among small ones */
    SALVAGE_EMPTY,  /* some have no payload */
    SALVAGE_NESTED, /* some payloads hold whole streams */
    SALVAGE_STREAMS
};

#define SALVAGE_CHECKSUMS 5 /* none, crc16, a custom one of 3 bytes, crc32, xxh3 */
#define SALVAGE_CRC32     3
#define SALVAGE_XXH3      4

typedef struct salvage_tally {
    uint64_t seeds;
    uint64_t messages;    /* of the true streams */
    uint64_t intact;      /* of them, those of which every byte is still there in one piece */
    uint64_t recovered;   /* handed out as they were, intact or repaired */
    uint64_t repaired;    /* of them, those repaired */
    uint64_t unanchored;  /* intact but not handed out: reported as unanchored (rule A) */
    uint64_t within;      /* in what is lost as the payload of one frame (rule F1) */
    uint64_t unproven;    /* too few sound ones follow, or an empty one among zeros (rules P3, Z) */
    uint64_t unexplained; /* for no reason that the rules give */
    uint64_t altered;     /* handed out at their place and with their length, with other bytes */
    uint64_t foreign;     /* whole frames of other streams, which the damage or a payload brought */
    uint64_t invented;    /* handed out, and no such message ever was there */
    uint64_t lost_bytes;  /* reported as lost or unanchored */
    uint64_t hit_bytes;   /* of the damaged stream, in no intact frame */
    uint64_t gave_up;
} salvage_tally;

const char *salvage_damage_name(unsigned kind);
const char *salvage_checksum_name(unsigned checksum);

/* What salvage_try salvages; *custom is set for the checksum that is no built-in one. */
damaged salvage_damaged(unsigned kind, unsigned checksum, uint64_t seed, fls_checksum *known,
                        const fls_custom_checksum **custom);

/* Makes a stream, damages it, salvages it and adds what came of it. Fails the test where events do
 * not tile the stream. What is unexplained or invented is printed to `tell`, unless that is NULL.
 */
void salvage_try(unsigned kind, unsigned checksum, uint64_t seed, salvage_tally *tally, FILE *tell);

#endif
