/* A journal as one plain stream: the frames of its segments, one behind the other, as they lie in
 * their files. It ends where the journal did when it was opened.
 */
#include "journal/journal_reader_private.h"

typedef struct journal_stream {
    fls_journal_reader *reader;
    uint64_t end_ordinal; /* of all */
    uint64_t next_first;  /* first ordinal of the segment that comes next */
    int is_open;          /* a segment is being read */
    uint64_t position;    /* in it */
    uint64_t limit;
} journal_stream;

/* Where the frames end that the stream has of the open segment: behind its file's last whole frame,
 * unless the next segment says some of them again. */
static fls_status find_limit(journal_stream *stream, fls_error *err)
{
    fls_journal_reader *reader = stream->reader;
    const flsi_piece *piece = &reader->piece;
    uint64_t end =
        reader->end_ordinal < stream->end_ordinal ? reader->end_ordinal : stream->end_ordinal;
    fls_status status = flsi_reader_piece(reader, FLSI_BY_OFFSET, reader->source.visible, err);
    if (status == FLS_OK && piece->ordinal >= end && end > reader->view.first_ordinal) {
        status = flsi_reader_piece(reader, FLSI_BY_ORDINAL, end - 1, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    stream->limit = piece->end_offset;
    for (size_t i = piece->count; i-- > 0 && piece->messages[i].ordinal >= end;) {
        stream->limit = piece->messages[i].offset;
    }
    return FLS_OK;
}

static fls_status open_next(journal_stream *stream, fls_error *err)
{
    fls_journal_reader *reader = stream->reader;
    for (;;) {
        size_t index = flsi_listing_find(&reader->listing, stream->next_first);
        if (index == SIZE_MAX || stream->next_first >= stream->end_ordinal) {
            return fls_error_set(err, FLS_END, 0, NULL);
        }
        if (reader->listing.segments[index].first_ordinal != stream->next_first) {
            return fls_error_set(err, FLS_IO, 0,
                                 "a segment of the journal was removed while it was read");
        }
        fls_status status = flsi_reader_open_at(reader, index, err);
        if (status == FLS_OK) {
            status = find_limit(stream, err);
            stream->is_open = status == FLS_OK;
            stream->position = 0;
            stream->next_first = reader->end_ordinal;
            return status;
        }
        if (status != FLS_END) {
            return status;
        }
        status = flsi_reader_list(reader, 1, NULL, err);
        if (status != FLS_OK) {
            return status;
        }
    }
}

static fls_status stream_read(void *self, void *buffer, size_t capacity, size_t *got,
                              fls_error *err)
{
    journal_stream *stream = self;
    *got = 0;
    while (!stream->is_open || stream->position >= stream->limit) {
        stream->is_open = 0;
        fls_status status = open_next(stream, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    uint64_t left = stream->limit - stream->position;
    fls_status status = flsi_view_read_at(&stream->reader->view, stream->position, buffer,
                                          left < capacity ? (size_t)left : capacity, got, err);
    stream->position += *got;
    if (status == FLS_END) {
        return fls_error_set(err, FLS_IO, 0, "a segment was shortened while it was read");
    }
    return status;
}

static void stream_close(void *self)
{
    journal_stream *stream = self;
    const fls_allocator *allocator = stream->reader->allocator;
    fls_journal_reader_close(stream->reader);
    allocator->free(allocator->self, stream, sizeof *stream);
}

static const fls_source_ops stream_ops = {
    .struct_bytes = sizeof(fls_source_ops),
    .read = stream_read,
    .close = stream_close,
};

fls_status flsi_source_open_journal(fls_source *source, const char *path,
                                    fls_journal_visibility visibility, const flsi_os_calls *calls,
                                    fls_error *err)
{
    const fls_journal_reader_options options = {
        .struct_bytes = sizeof options, .visibility = visibility, .without_times = 1};
    fls_journal_reader *reader;
    source->ops = NULL;
    source->self = NULL;
    fls_status status = flsi_journal_reader_open(&reader, path, &options, calls, err);
    if (status != FLS_OK) {
        return status;
    }
    journal_stream *made =
        reader->allocator->resize(reader->allocator->self, NULL, 0, sizeof *made);
    if (made == NULL) {
        fls_journal_reader_close(reader);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the source could not be allocated");
    }
    *made = (journal_stream){.reader = reader};
    status = flsi_reader_bounds(reader, &made->next_first, &made->end_ordinal, err);
    if (status != FLS_OK) {
        stream_close(made);
        return status;
    }
    source->ops = &stream_ops;
    source->self = made;
    return FLS_OK;
}

fls_status fls_source_open_journal(fls_source *source, const char *path,
                                   fls_journal_visibility visibility, fls_error *err)
{
    return flsi_source_open_journal(source, path, visibility, NULL, err);
}
