/* Walking a compiled path over a message, which may be any bytes: every step looks before it reads.
 *
 * What holds between steps: spot->at is where a table, vector or string stands, and then 4 bytes of
 * the message lie there; or where a value or struct stands, all of whose bytes lie there.
 */
#ifndef FLSI_FLATBUF_PATH_WALK_H
#define FLSI_FLATBUF_PATH_WALK_H

#include "core/bytes.h"
#include "flatbuf/query_private.h"
#include "flatbuf/scalars.h"

typedef struct flsi_spot {
    const uint8_t *bytes; /* of the message, or of the one nested in it; NULL: nowhere */
    uint64_t size;
    uint64_t at;
    uint64_t tag_at; /* of a union */
} flsi_spot;

#define FLSI_NO_TAG UINT64_MAX

typedef enum flsi_walked {
    FLSI_WALK_FOUND = 0,
    FLSI_WALK_ABSENT, /* the last step was to a field, and the table is there without it */
    FLSI_WALK_LOST    /* not there, or not reachable */
} flsi_walked;

/* To the root table of a message. */
FLSI_ALWAYS_INLINE void flsi_spot_root(flsi_spot *spot, const uint8_t *bytes, uint64_t size)
{
    spot->bytes = NULL;
    spot->size = size;
    spot->tag_at = FLSI_NO_TAG;
    if (size >= 4) {
        spot->at = flsi_load_le32(bytes);
        spot->bytes = spot->at <= size - 4 ? bytes : NULL;
    }
}

FLSI_ALWAYS_INLINE flsi_walked flsi_walk_field(flsi_spot *spot, uint32_t place, uint32_t bytes)
{
    uint32_t soffset = flsi_load_le32(spot->bytes + spot->at);
    /* A negative position wraps to one beyond any message. */
    uint64_t vtable = spot->at - (uint64_t)(int64_t)(int32_t)soffset;
    if (FLSI_UNLIKELY(vtable > spot->size - 2)) {
        return FLSI_WALK_LOST;
    }
    if (flsi_load_le16(spot->bytes + vtable) < place + 2) {
        return FLSI_WALK_ABSENT;
    }
    if (FLSI_UNLIKELY(spot->size - vtable < place + 2)) {
        return FLSI_WALK_LOST;
    }
    uint32_t entry = flsi_load_le16(spot->bytes + vtable + place);
    if (entry == 0) {
        return FLSI_WALK_ABSENT;
    }
    if (FLSI_UNLIKELY(spot->size - spot->at < (uint64_t)entry + bytes)) {
        return FLSI_WALK_LOST;
    }
    spot->at += entry;
    return FLSI_WALK_FOUND;
}

FLSI_ALWAYS_INLINE flsi_walked flsi_walk_follow(flsi_spot *spot, uint32_t bytes)
{
    spot->at += flsi_load_le32(spot->bytes + spot->at);
    return spot->at <= spot->size && spot->size - spot->at >= bytes ? FLSI_WALK_FOUND
                                                                    : FLSI_WALK_LOST;
}

/* Steps that are not in most paths; in path.c. */
flsi_walked flsi_walk_far(flsi_spot *spot, const flsi_step *step);

/* From where spot is along the steps. What spot is after anything but FLSI_WALK_FOUND is open. */
FLSI_ALWAYS_INLINE flsi_walked flsi_walk(flsi_spot *spot, const flsi_step *step, uint32_t count)
{
    flsi_walked walked = FLSI_WALK_FOUND;
    for (; count > 0; step++, count--) {
        switch ((flsi_step_code)step->code) {
        case FLSI_STEP_FIELD: walked = flsi_walk_field(spot, step->place, step->bytes); break;
        case FLSI_STEP_FOLLOW: walked = flsi_walk_follow(spot, step->bytes); break;
        case FLSI_STEP_MEMBER: spot->at += step->place; break;
        default: walked = flsi_walk_far(spot, step); break;
        }
        if (walked != FLSI_WALK_FOUND) {
            return walked == FLSI_WALK_ABSENT && count == 1 ? FLSI_WALK_ABSENT : FLSI_WALK_LOST;
        }
    }
    return FLSI_WALK_FOUND;
}

FLSI_ALWAYS_INLINE double flsi_float_of_bits(uint64_t bits, uint32_t type)
{
    double value;
    if (type == FLS_TYPE_F32) {
        uint32_t low = (uint32_t)bits;
        float narrow;
        FLSI_COPY(&narrow, &low, sizeof narrow);
        return (double)narrow;
    }
    FLSI_COPY(&value, &bits, sizeof value);
    return value;
}

FLSI_ALWAYS_INLINE double flsi_load_float(const uint8_t *from, uint32_t type)
{
    return flsi_float_of_bits(type == FLS_TYPE_F32 ? flsi_load_le32(from) : flsi_load_le64(from),
                              type);
}

/* Where the paths of an evaluation start: the root and the elements of the loops. */
typedef struct flsi_loop_state {
    flsi_spot base; /* the vector, array, or table with a vector of unions */
    uint32_t index;
    uint32_t count;
} flsi_loop_state;

typedef struct flsi_origins {
    flsi_spot spots[FLSI_LOOP_MOST + 1];
    flsi_loop_state loops[FLSI_LOOP_MOST];
    uint64_t visits; /* that are left to the loops; 0: given up */
} flsi_origins;

/* The root and all visits, for an evaluation that may have loops. */
FLSI_ALWAYS_INLINE void flsi_origins_begin(flsi_origins *origins, const uint8_t *bytes,
                                           uint64_t size)
{
    uint64_t most =
        size > UINT64_MAX / FLSI_VISITS_PER_BYTE ? UINT64_MAX : size * FLSI_VISITS_PER_BYTE;
    flsi_spot_root(&origins->spots[0], bytes, size);
    origins->visits = most > FLSI_VISITS_LEAST ? most : FLSI_VISITS_LEAST;
}

FLSI_ALWAYS_INLINE void flsi_origins_spend(flsi_origins *origins, uint64_t visits)
{
    origins->visits -= visits < origins->visits ? visits : origins->visits;
}

FLSI_ALWAYS_INLINE flsi_walked flsi_path_walk(const flsi_program *program, const flsi_path *path,
                                              const flsi_origins *origins, flsi_spot *spot)
{
    *spot = origins->spots[path->origin];
    if (FLSI_UNLIKELY(spot->bytes == NULL)) {
        return FLSI_WALK_LOST;
    }
    return flsi_walk(spot, program->steps + path->first_step, path->step_count);
}

/* Begins a loop: 0 when what it goes over is not there. Its first element is that of
 * flsi_loop_next. */
int flsi_loop_begin(const flsi_program *program, const flsi_loop *loop, flsi_origins *origins);

/* To the next element; 0 behind the last, and when no visits are left. */
int flsi_loop_next(const flsi_loop *loop, flsi_origins *origins);

/* Any value. */
void flsi_path_value(const flsi_program *program, const flsi_path *path,
                     const flsi_origins *origins, fls_value *value);

/* The bytes of a text; 0 when it is not there. */
int flsi_path_text(const flsi_program *program, const flsi_path *path, const flsi_origins *origins,
                   const uint8_t **text, size_t *size);

/* What a path's values are when they are there. */
fls_value_kind flsi_path_kind_of(const flsi_path *path);

#endif
