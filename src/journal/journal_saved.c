/* Named places of a reader. */
#include "journal/journal_cursor.h"
#include "journal/journal_reader_private.h"

fls_status fls_journal_reader_save(fls_journal_reader *reader, const char *name, fls_error *err)
{
    if (!reader->durable) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "a cursor needs a reader that sees durable messages only");
    }
    return flsi_journal_cursor_set(reader->path, name, reader->ordinal, reader->calls, err);
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
