/* Named places of a reader. */
#include "core/xxh3_stream.h"
#include "flatstream/frame.h"
#include "journal/journal_cursor.h"
#include "journal/journal_reader_private.h"
#include "os/os_thread.h"

/* Of the whole frame, as it stands in its segment. */
static uint64_t digest_frame(const fls_message *message, uint32_t width, uint64_t *frame_bytes)
{
    uint8_t header[FLS_MAX_HEADER_BYTES];
    size_t header_bytes =
        fls_frame_encode_header(header, (uint32_t)message->size, message->checksum, width);
    flsi_xxh3_stream stream;
    flsi_xxh3_stream_init(&stream);
    flsi_xxh3_stream_add(&stream, header, header_bytes);
    flsi_xxh3_stream_add(&stream, message->payload, message->size);
    *frame_bytes = header_bytes + message->size;
    return flsi_xxh3_stream_digest(&stream);
}

void flsi_cursor_note_place(fls_journal_cursor *cursor, const char *path,
                            const flsi_os_calls *calls)
{
    const fls_journal_reader_options options = {
        .struct_bytes = sizeof options, .visibility = FLS_JOURNAL_DURABLE, .without_times = 1};
    fls_journal_reader *reader;
    fls_message before;
    uint64_t frame_bytes;
    if (flsi_journal_reader_open(&reader, path, &options, calls, NULL) != FLS_OK) {
        return;
    }
    flsi_reader_move(reader, cursor->ordinal);
    if (fls_journal_reader_previous(reader, &before, NULL) == FLS_OK &&
        before.ordinal + 1 == cursor->ordinal) {
        uint32_t width = fls_checksum_width(fls_journal_reader_checksum(reader));
        cursor->checksum = digest_frame(&before, width, &frame_bytes);
        /* At the beginning of the next segment, if there is one. */
        cursor->offset = reader->end_ordinal == cursor->ordinal ? 0 : before.offset + frame_bytes;
    }
    fls_journal_reader_close(reader);
}

static fls_status newest_epoch(const fls_journal_reader *reader, uint64_t *epoch, fls_error *err)
{
    const fls_allocator *allocator = reader->allocator;
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    if (manifest == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "the manifest could not be read");
    }
    fls_status status = flsi_manifest_load(manifest, &reader->directory, allocator, err);
    *epoch = status == FLS_OK ? manifest->epoch : 0;
    allocator->free(allocator->self, manifest, sizeof *manifest);
    return status == FLS_END
               ? fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there is no journal, or no manifest")
               : status;
}

/* What such a reader stands before is durable, so that nothing has to be looked at to know it. */
fls_status fls_journal_reader_save(fls_journal_reader *reader, const char *name, fls_error *err)
{
    if (!reader->durable) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "a cursor needs a reader that sees durable messages only");
    }
    if (name == NULL || !flsi_name_is_cursor(name)) { /* says so */
        return flsi_journal_cursor_set(reader->path, name, reader->ordinal, reader->calls, err);
    }
    fls_journal_cursor cursor = {.ordinal = reader->ordinal, .time_ns = flsi_wall_now_ns()};
    memcpy(cursor.name, name, strlen(name) + 1);
    fls_status status = newest_epoch(reader, &cursor.epoch, err);
    return status == FLS_OK ? flsi_cursor_store(&reader->directory, &cursor, err) : status;
}

fls_status fls_journal_reader_load(fls_journal_reader *reader, const char *name, fls_error *err)
{
    fls_journal_cursor cursor;
    uint64_t first;
    uint64_t end;
    fls_status status = flsi_journal_cursor_get(reader->path, name, &cursor, reader->calls, err);
    if (status == FLS_OK) {
        status = flsi_reader_bounds(reader, &first, &end, err);
    }
    if (status != FLS_OK) {
        return status;
    }
    /* What retention took meanwhile is told. */
    flsi_reader_move(reader, cursor.ordinal < end ? cursor.ordinal : end);
    return flsi_reader_settle(reader, err);
}
