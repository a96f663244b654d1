/* Random access to a stream's bytes through one window. */
#include "stream/view.h"

#include "core/bytes.h"

#define WINDOW_BYTES ((size_t)256 * 1024)
#define PAGE_BYTES   ((size_t)4096)

void flsi_view_of_memory(flsi_view *view, const void *data, size_t size, uint64_t offset)
{
    memset(view, 0, sizeof *view);
    view->memory = data;
    view->memory_offset = offset;
    view->memory_end = offset + size;
    view->end = offset + size;
}

void flsi_view_copy(flsi_view *copy, const flsi_view *view)
{
    *copy = *view;
    copy->window = NULL;
    copy->block = NULL;
    copy->window_capacity = 0;
    copy->window_bytes = 0;
}

static void release_window(flsi_view *view)
{
    if (view->block != NULL) {
        view->allocator->free(view->allocator->self, view->block,
                              view->window_capacity + PAGE_BYTES);
    }
}

void flsi_view_close(flsi_view *view)
{
    release_window(view);
    memset(view, 0, sizeof *view);
}

static fls_status make_window(flsi_view *view, size_t need, fls_error *err)
{
    if (need <= view->window_capacity) {
        return FLS_OK;
    }
    size_t capacity = need > WINDOW_BYTES ? need : WINDOW_BYTES;
    if (capacity > SIZE_MAX - PAGE_BYTES) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "a frame is larger than the address space");
    }
    void *block = view->allocator->resize(view->allocator->self, NULL, 0, capacity + PAGE_BYTES);
    if (block == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory to look at the end of the stream");
    }
    release_window(view);
    view->block = block;
    view->window = (uint8_t *)block + (-(uintptr_t)block & (PAGE_BYTES - 1));
    view->window_capacity = capacity;
    view->window_bytes = 0;
    return FLS_OK;
}

/* Fills the window from memory with zeros around it. */
static void load_memory(flsi_view *view, uint64_t offset, size_t bytes)
{
    uint64_t from = offset > view->memory_offset ? offset : view->memory_offset;
    uint64_t to = offset + bytes < view->memory_end ? offset + bytes : view->memory_end;
    memset(view->window, 0, bytes);
    if (from < to) {
        memcpy(view->window + (size_t)(from - offset),
               view->memory + (size_t)(from - view->memory_offset), (size_t)(to - from));
    }
}

static fls_status load(flsi_view *view, uint64_t offset, size_t need, size_t want, fls_error *err)
{
    fls_status status = make_window(view, need, err);
    if (status != FLS_OK) {
        return status;
    }
    /* A scan asks for much at once and moves on; a probe asks for little, and gets little. */
    size_t most = want > view->window_capacity ? view->window_capacity : want;
    size_t got = 0;
    view->loads++;
    if (view->memory != NULL) {
        load_memory(view, offset, most);
        got = most;
    } else {
        status = fls_source_read_all_at(view->source, offset - view->first_offset, view->window,
                                        most, &got, err);
    }
    if (status != FLS_OK && status != FLS_END) {
        view->window_bytes = 0;
        return status;
    }
    view->window_offset = offset;
    view->window_bytes = got;
    return FLS_OK;
}

fls_status flsi_view_get(flsi_view *view, uint64_t offset, size_t need, size_t want,
                         const uint8_t **bytes, size_t *got, fls_error *err)
{
    *got = 0;
    if (offset > view->end || view->end - offset < need ||
        (view->memory != NULL && offset < view->memory_offset - view->zeros_before)) {
        return FLS_END;
    }
    if (want > view->end - offset) {
        want = (size_t)(view->end - offset);
    }
    if (view->memory != NULL && offset >= view->memory_offset && offset <= view->memory_end &&
        view->memory_end - offset >= need) {
        uint64_t there = view->memory_end - offset;
        *bytes = view->memory + (size_t)(offset - view->memory_offset);
        *got = there < want ? (size_t)there : want;
        return FLS_OK;
    }
    uint64_t into = offset - view->window_offset;
    if (offset < view->window_offset || into > view->window_bytes ||
        view->window_bytes - into < need) {
        fls_status status = load(view, offset, need, want, err);
        if (status != FLS_OK) {
            return status;
        }
        into = 0;
        if (view->window_bytes < need) {
            return FLS_END; /* the file became shorter */
        }
    }
    size_t there = view->window_bytes - (size_t)into;
    *bytes = view->window + into;
    *got = there < want ? there : want;
    return FLS_OK;
}
