/* Whether anything sound can be proven behind a frame that cannot be read: what decides between a
 * torn tail, which may be cut, and damage, which may not.
 */
#ifndef FLSI_STREAM_EVIDENCE_H
#define FLSI_STREAM_EVIDENCE_H

#include "core/bytes.h"
#include "flatstream/cursor.h"
#include "flatstream/table_root.h"
#include "stream/view.h"

/* Whether bytes speak for being a FlatBuffer: more than not speaking against it, as zeros do. The
 * search asks the same of what it cannot see as a whole. */
static inline int flsi_looks_rooted(const uint8_t *payload, size_t size)
{
    if (size < 8 || flsi_load_le32(payload) < 4 ||
        fls_table_root_check(payload, size, NULL) != FLS_OK) {
        return 0;
    }
    uint64_t table = flsi_load_le32(payload);
    uint64_t vtable = table - (uint64_t)(int64_t)(int32_t)flsi_load_le32(payload + table);
    return flsi_load_le16(payload + vtable) >= 4;
}

typedef struct flsi_search {
    const fls_digest_state *digest;
    uint32_t max_frame_bytes;
    uint64_t frame; /* offset of the frame that cannot be read; a known boundary */
    uint64_t from;  /* offsets of candidates: from (more than frame) up to before `to` */
    uint64_t to;
    int quick;   /* 1: the answer gives a loss its name and no more; less is hashed for it */
    int roots;   /* the messages before the frame all have a table root: so will those behind it */
    int found;   /* out: a frame was proven, at found_offset */
    int gave_up; /* out: the budget ran out before all candidates were tried */
    uint64_t found_offset;
} flsi_search;

/* Tries the 32 one-bit neighbours of the frame's length, then every offset. FLS_OK: found says the
 * result; otherwise the source failed or memory ran out. */
fls_status flsi_search_sound_frame(flsi_search *search, const flsi_view *view, fls_error *err);

#endif
