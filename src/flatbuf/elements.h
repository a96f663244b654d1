/* The elements of a vector of scalars, from the host's byte order to that of the wire. */
#ifndef FLSI_FLATBUF_ELEMENTS_H
#define FLSI_FLATBUF_ELEMENTS_H

#include "core/bytes.h"

/* count is not 0. */
static inline void flsi_copy_elements(uint8_t *to, const uint8_t *from, size_t count,
                                      uint32_t element_bytes)
{
    if (element_bytes == 1 || FLSI_LE16(UINT16_C(1)) == 1) {
        memcpy(to, from, count * element_bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < element_bytes; k++) {
            to[i * element_bytes + k] = from[i * element_bytes + (element_bytes - 1 - k)];
        }
    }
}

#endif
