/* What examples/flatcc_stream.h uses of flatcc, declared for its test, since flatcc is not
 * packaged: the names, signatures and fields of flatcc_builder.h and flatcc_emitter.h, and no more.
 */
#ifndef FLS_TEST_FLATCC_BUILDER_H
#define FLS_TEST_FLATCC_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define FLATCC_EMITTER_PAGE_SIZE 2944 /* as it comes out there without other settings */

typedef struct flatcc_emitter_page flatcc_emitter_page_t;
struct flatcc_emitter_page {
    uint8_t page[FLATCC_EMITTER_PAGE_SIZE];
    flatcc_emitter_page_t *next;
    flatcc_emitter_page_t *prev;
    int32_t page_offset;
};

typedef struct flatcc_emitter {
    flatcc_emitter_page_t *front, *back;
    uint8_t *front_cursor;
    size_t front_left;
    uint8_t *back_cursor;
    size_t back_left;
    size_t used;
    size_t capacity;
    size_t used_average;
} flatcc_emitter_t;

typedef struct flatcc_builder {
    flatcc_emitter_t emitter; /* of the test's own; there the builder is large and opaque */
} flatcc_builder_t;

size_t flatcc_builder_get_buffer_size(flatcc_builder_t *B);
void *flatcc_builder_get_emit_context(flatcc_builder_t *B);
int flatcc_builder_reset(flatcc_builder_t *B);

#endif
