/* What is finished before the table that refers to it: strings, vectors, structs on their own. How
 * they lie in the buffer is said in builder.c.
 */
#include "flatbuf/builder_private.h"
#include "flatbuf/elements.h"

/* After flsi_builder_between_tables. */
static fls_ref push_string(fls_builder *b, const char *text, size_t size)
{
    if (!flsi_builder_ensure(b, size <= FLSI_MOST_BYTES ? size : FLSI_MOST_BYTES)) {
        return (fls_ref){0};
    }
    uint8_t *content = flsi_align_down(b->cursor - size - 1, 4);
    flsi_store_le32(b->cursor - 4, 0);
    if (size != 0) {
        memcpy(content, text, size);
    }
    b->cursor = content - 4;
    flsi_store_le32(b->cursor, (uint32_t)size);
    return flsi_builder_refer(b, b->cursor, FLSI_REF_STRING);
}

fls_ref fls_builder_string(fls_builder *builder, const char *text, size_t size)
{
    if (!flsi_builder_between_tables(builder)) {
        return (fls_ref){0};
    }
    return push_string(builder, text, size);
}

fls_ref fls_builder_shared_string(fls_builder *builder, const char *text, size_t size)
{
    fls_builder *b = builder;
    if (!flsi_builder_between_tables(b)) {
        return (fls_ref){0};
    }
    if (size > FLSI_MOST_BYTES) {
        return push_string(b, text, size); /* which refuses it */
    }
    flsi_shared *place = flsi_builder_find_shared(b, &b->strings, size != 0 ? text : "", size);
    if (place == NULL) {
        return (fls_ref){0};
    }
    uint32_t position = flsi_builder_shared_at(b, place);
    if (position != 0) {
        return (fls_ref){position | FLSI_REF_STRING};
    }
    fls_ref string = push_string(b, text, size);
    if (string.position != 0) {
        flsi_builder_share(b, &b->strings, place, flsi_ref_position(string));
    }
    return string;
}

static int is_alignment(uint32_t alignment)
{
    return alignment != 0 && alignment <= FLSI_BLOCK_ALIGN && (alignment & (alignment - 1)) == 0;
}

static int is_struct(fls_builder *b, size_t bytes, uint32_t alignment)
{
    if (!is_alignment(alignment)) {
        flsi_builder_misuse(b, "an alignment that is not a power of two up to 64");
    } else if (bytes == 0 || bytes % alignment != 0) {
        flsi_builder_misuse(b, "a struct whose size is not a multiple of its alignment");
    } else {
        return 1;
    }
    return 0;
}

uint8_t *flsi_builder_push_struct(fls_builder *b, const void *bytes, size_t size,
                                  uint32_t alignment)
{
    if (!is_struct(b, size, alignment) ||
        !flsi_builder_ensure(b, size <= FLSI_MOST_BYTES ? size + alignment : FLSI_MOST_BYTES)) {
        return NULL;
    }
    uint8_t *at = flsi_align_down(b->cursor - size, alignment);
    if (FLS_LIKELY(alignment <= 8)) {
        flsi_store_le64(b->cursor - 8, 0);
    } else {
        memset(at + size, 0, (size_t)(b->cursor - (at + size)));
    }
    memcpy(at, bytes, size);
    b->cursor = at;
    b->alignments |= alignment;
    return at;
}

fls_ref fls_builder_struct_object(fls_builder *builder, const void *bytes, size_t size,
                                  uint32_t alignment)
{
    fls_builder *b = builder;
    const uint8_t *at =
        flsi_builder_between_tables(b) ? flsi_builder_push_struct(b, bytes, size, alignment) : NULL;
    return at != NULL ? flsi_builder_refer(b, at, FLSI_REF_STRUCT) : (fls_ref){0};
}

/* Makes room for a vector and writes its count; an alignment of less than 4 is one of 4. Returns
 * where its elements belong, NULL after a failure. */
static uint8_t *push_vector(fls_builder *b, size_t count, size_t element_bytes, uint32_t alignment)
{
    size_t bytes =
        count <= FLSI_MOST_BYTES / element_bytes ? count * element_bytes : FLSI_MOST_BYTES;
    uint32_t larger = count != 0 && alignment > 4 ? alignment : 4;
    if (!flsi_builder_ensure(b, bytes < FLSI_MOST_BYTES ? bytes + larger : bytes)) {
        return NULL;
    }
    uint8_t *content = flsi_align_down(b->cursor - bytes, larger);
    if (FLSI_UNLIKELY(larger > 8)) {
        memset(content + bytes, 0, (size_t)(b->cursor - (content + bytes)));
    } else {
        flsi_store_le64(b->cursor - 8, 0);
    }
    b->cursor = content - 4;
    flsi_store_le32(b->cursor, (uint32_t)count);
    b->alignments |= larger;
    return content;
}

static fls_ref push_scalars(fls_builder *b, const void *elements, size_t count,
                            uint32_t element_bytes, uint32_t alignment)
{
    if (element_bytes == 0 || element_bytes > 8 || (element_bytes & (element_bytes - 1)) != 0) {
        flsi_builder_misuse(b, "a vector whose elements are not of 1, 2, 4 or 8 bytes");
        return (fls_ref){0};
    }
    uint8_t *content =
        push_vector(b, count, element_bytes, alignment > element_bytes ? alignment : element_bytes);
    if (content == NULL) {
        return (fls_ref){0};
    }
    if (count != 0) {
        flsi_copy_elements(content, elements, count, element_bytes);
    }
    return flsi_builder_refer(b, b->cursor, FLSI_REF_VECTOR);
}

fls_ref fls_builder_vector(fls_builder *builder, const void *elements, size_t count,
                           uint32_t element_bytes)
{
    if (!flsi_builder_between_tables(builder)) {
        return (fls_ref){0};
    }
    return push_scalars(builder, elements, count, element_bytes, 1);
}

fls_ref fls_builder_aligned_vector(fls_builder *builder, const void *elements, size_t count,
                                   uint32_t element_bytes, uint32_t alignment)
{
    if (!flsi_builder_between_tables(builder)) {
        return (fls_ref){0};
    }
    if (!is_alignment(alignment)) {
        flsi_builder_misuse(builder, "an alignment that is not a power of two up to 64");
        return (fls_ref){0};
    }
    return push_scalars(builder, elements, count, element_bytes, alignment);
}

fls_ref fls_builder_nested(fls_builder *builder, const void *message, size_t size,
                           uint32_t alignment)
{
    return fls_builder_aligned_vector(builder, message, size, 1, alignment != 0 ? alignment : 8);
}

fls_ref fls_builder_struct_vector(fls_builder *builder, const void *structs, size_t count,
                                  size_t struct_bytes, uint32_t alignment)
{
    fls_builder *b = builder;
    if (!flsi_builder_between_tables(b) || !is_struct(b, struct_bytes, alignment)) {
        return (fls_ref){0};
    }
    uint8_t *content = push_vector(b, count, struct_bytes, alignment);
    if (content == NULL) {
        return (fls_ref){0};
    }
    if (count != 0) {
        memcpy(content, structs, count * struct_bytes);
    }
    return flsi_builder_refer(b, b->cursor, FLSI_REF_VECTOR);
}

static fls_ref push_references(fls_builder *b, const fls_ref *refs, size_t count, int with_none)
{
    if (!flsi_builder_between_tables(b)) {
        return (fls_ref){0};
    }
    for (size_t i = 0; i < count; i++) {
        if (!flsi_builder_has_finished(b, refs[i]) && !(with_none && refs[i].position == 0)) {
            flsi_builder_misuse(b, "a reference to something that is not in this buffer");
            return (fls_ref){0};
        }
    }
    uint8_t *content = push_vector(b, count, 4, 4);
    if (content == NULL) {
        return (fls_ref){0};
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = content + 4 * i;
        flsi_store_le32(at, refs[i].position != 0 ? flsi_builder_offset(b, at, refs[i]) : 0);
    }
    return flsi_builder_refer(b, b->cursor, FLSI_REF_VECTOR);
}

fls_ref fls_builder_ref_vector(fls_builder *builder, const fls_ref *refs, size_t count)
{
    return push_references(builder, refs, count, 0);
}

fls_ref fls_builder_union_vector(fls_builder *builder, const fls_ref *values, size_t count)
{
    return push_references(builder, values, count, 1);
}
