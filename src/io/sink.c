/* What is common to all sinks: calling an operation that may not be there, and the one loop that
 * repeats partial writes.
 */
#include "flatstream/sink.h"

#include "io/io_ops.h"

/* Spans offered to a gathered write at once. */
#define WINDOW_SPANS ((size_t)16)

static fls_status no_sink(fls_error *err)
{
    return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "the sink is closed or has no write");
}

/* A sink that takes nothing without saying why would be asked for ever, and one that claims more
 * than it was offered would make us read behind the data. */
static fls_status check_taken(fls_status status, size_t offered, size_t *taken, fls_error *err)
{
    if (*taken > offered) {
        *taken = 0;
        return fls_error_set(err, FLS_IO, 0, "the sink says it took more than it was given");
    }
    if (status == FLS_OK && *taken == 0)
        return fls_error_set(err, FLS_IO, 0, "the sink took nothing and gave no reason");
    return status;
}

fls_status fls_sink_write_all(const fls_sink *sink, const void *data, size_t size, size_t *written,
                              fls_error *err)
{
    size_t done = 0;
    fls_status status = FLSI_SINK_HAS(sink, write) ? FLS_OK : no_sink(err);
    while (status == FLS_OK && done < size) {
        size_t taken = 0;
        status = sink->ops->write(sink->self, (const char *)data + done, size - done, &taken, err);
        status = check_taken(status, size - done, &taken, err);
        done += taken;
    }
    if (written != NULL)
        *written = done;
    return status;
}

/* Where a gathered write stands: byte `offset` of span `index`. */
typedef struct place {
    size_t index;
    size_t offset;
} place;

static void place_advance(place *at, const fls_span *spans, size_t count, size_t bytes)
{
    while (at->index < count && bytes >= spans[at->index].size - at->offset) {
        bytes -= spans[at->index].size - at->offset;
        at->index++;
        at->offset = 0;
    }
    at->offset += bytes;
}

/* Fills window with the next spans that are not empty. Returns how many, and their bytes. */
static size_t place_window(const place *at, const fls_span *spans, size_t count,
                           fls_span window[WINDOW_SPANS], size_t *bytes)
{
    size_t used = 0;
    size_t skip = at->offset;
    *bytes = 0;
    for (size_t i = at->index; i < count && used < WINDOW_SPANS; i++, skip = 0) {
        size_t size = spans[i].size - skip;
        if (size == 0)
            continue;
        if (size > SIZE_MAX - *bytes)
            break;
        window[used].data = (const char *)spans[i].data + skip;
        window[used].size = size;
        *bytes += size;
        used++;
    }
    return used;
}

static fls_status writev_once(const fls_sink *sink, const fls_span *window, size_t count,
                              size_t *taken, fls_error *err)
{
    if (count > 1 && FLSI_SINK_HAS(sink, writev))
        return sink->ops->writev(sink->self, window, count, taken, err);
    return sink->ops->write(sink->self, window[0].data, window[0].size, taken, err);
}

fls_status fls_sink_writev_all(const fls_sink *sink, const fls_span *spans, size_t count,
                               size_t *written, fls_error *err)
{
    fls_span window[WINDOW_SPANS];
    place at = {0, 0};
    size_t done = 0;
    fls_status status = FLSI_SINK_HAS(sink, write) ? FLS_OK : no_sink(err);
    while (status == FLS_OK) {
        size_t taken = 0;
        size_t offered = 0;
        size_t used = place_window(&at, spans, count, window, &offered);
        if (used == 0)
            break;
        status = writev_once(sink, window, used, &taken, err);
        status = check_taken(status, offered, &taken, err);
        place_advance(&at, spans, count, taken);
        done += taken;
    }
    if (written != NULL)
        *written = done;
    return status;
}

fls_status fls_sink_flush(const fls_sink *sink, fls_error *err)
{
    return FLSI_SINK_HAS(sink, flush) ? sink->ops->flush(sink->self, err) : FLS_OK;
}

fls_status fls_sink_sync(const fls_sink *sink, fls_error *err)
{
    if (FLSI_SINK_HAS(sink, sync))
        return sink->ops->sync(sink->self, err);
    return fls_error_set(err, FLS_UNSUPPORTED, 0, "bytes cannot be made durable there");
}

fls_status fls_sink_close(fls_sink *sink, fls_error *err)
{
    fls_sink taken = *sink;
    sink->ops = NULL;
    sink->self = NULL;
    return FLSI_SINK_HAS(&taken, close) ? taken.ops->close(taken.self, err) : FLS_OK;
}

void fls_sink_abort(fls_sink *sink)
{
    fls_sink taken = *sink;
    sink->ops = NULL;
    sink->self = NULL;
    if (FLSI_SINK_HAS(&taken, abort))
        taken.ops->abort(taken.self);
    else if (FLSI_SINK_HAS(&taken, close))
        (void)taken.ops->close(taken.self, NULL);
}
