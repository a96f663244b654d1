/* Finding a text in a text, in linear time whatever the two are. */
#ifndef FLSI_FLATBUF_TEXT_SEARCH_H
#define FLSI_FLATBUF_TEXT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* Whether `part` stands in the text. An empty one does. */
int flsi_text_contains(const uint8_t *text, size_t bytes, const uint8_t *part, size_t part_bytes);

/* The same for a part of 1 byte or more, without the quick tries before it. */
int flsi_text_contains_two_way(const uint8_t *text, size_t bytes, const uint8_t *part,
                               size_t part_bytes);

#endif
