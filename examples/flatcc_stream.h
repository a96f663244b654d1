/* Messages that flatcc builds, into a stream. Copy this file beside a program that uses flatcc
 * (https://github.com/dvidelabs/flatcc, 0.4 or later); nothing else of flatstream knows flatcc.
 */
#ifndef FLATCC_STREAM_H
#define FLATCC_STREAM_H

#include <stdlib.h>

#include <flatcc/flatcc_builder.h>
#include <flatstream/writer.h>

/* Writes the buffer that was just ended (..._end_as_root, ..._create_as_root) from where flatcc's
 * default emitter holds it, page by page, without putting it together first. Go on with
 * flatcc_builder_reset. FLS_INVALID_ARGUMENT when nothing was built. */
static inline fls_status flatcc_stream_write(fls_writer *writer, flatcc_builder_t *builder,
                                             fls_error *err)
{
    flatcc_emitter_t *emitter = (flatcc_emitter_t *)flatcc_builder_get_emit_context(builder);
    size_t size = flatcc_builder_get_buffer_size(builder);
    if (size == 0 || emitter == NULL || emitter->front == NULL)
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "flatcc has built nothing");
    if (emitter->front == emitter->back) /* the usual case: it fits one page */
        return fls_writer_write(writer, emitter->front_cursor, size, err);

    fls_span few[16];
    fls_span *spans = few;
    size_t count = 2;
    for (flatcc_emitter_page_t *page = emitter->front->next; page != emitter->back;
         page = page->next)
        count++;
    if (count > sizeof few / sizeof few[0] &&
        (spans = (fls_span *)malloc(count * sizeof *spans)) == NULL)
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the list of pages");

    /* The first page is filled up to its end, the last from its start, those between are full. */
    fls_span *next = spans;
    *next++ = (fls_span){emitter->front_cursor, FLATCC_EMITTER_PAGE_SIZE - emitter->front_left};
    for (flatcc_emitter_page_t *page = emitter->front->next; page != emitter->back;
         page = page->next)
        *next++ = (fls_span){page->page, FLATCC_EMITTER_PAGE_SIZE};
    *next++ = (fls_span){emitter->back->page, FLATCC_EMITTER_PAGE_SIZE - emitter->back_left};
    fls_status status = fls_writer_writev(writer, spans, count, err);
    if (spans != few)
        free(spans);
    return status;
}

#endif
