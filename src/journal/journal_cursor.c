/* Named cursors. A file of journal_text.h's kind each:
 *
 *   {
 *     "format": "flatstream cursor",
 *     "version": 1,
 *     "ordinal": N, "epoch": N, "offset": N, "checksum": "16 digits", "time_ns": N, one a line,
 *     "xxh3": "16 hexadecimal digits"
 *   }
 */
#include "journal/journal_cursor.h"

#include "core/bytes.h"
#include "core/error.h"
#include "journal/journal_names.h"
#include "journal/journal_tail.h"
#include "journal/journal_text.h"
#include "os/os_thread.h"

#define CURSOR_VERSION 1u

static const char cursor_begin[] = "{\n  \"format\": \"flatstream cursor\",\n";

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through out */
size_t flsi_cursor_encode(const fls_journal_cursor *cursor, char text[FLSI_CURSOR_BYTES])
{
    flsi_text_out out = {text, 0, FLSI_CURSOR_BYTES};
    flsi_out_text(&out, cursor_begin);
    flsi_out_number(&out, "version", CURSOR_VERSION);
    flsi_out_number(&out, "ordinal", cursor->ordinal);
    flsi_out_number(&out, "epoch", cursor->epoch);
    flsi_out_number(&out, "offset", cursor->offset);
    flsi_out_key(&out, "checksum");
    flsi_out_text(&out, "\"");
    flsi_out_hex(&out, cursor->checksum, 16);
    flsi_out_text(&out, "\",\n");
    flsi_out_number(&out, "time_ns", cursor->time_ns);
    return flsi_out_end(&out);
}

fls_status flsi_cursor_decode(fls_journal_cursor *cursor, const char *text, size_t size,
                              fls_error *err)
{
    uint64_t version = 0;
    flsi_text_in in;
    memset(cursor, 0, sizeof *cursor);
    fls_status status = flsi_take_frame(&in, text, size, cursor_begin, "a cursor", err);
    if (status != FLS_OK) {
        return status;
    }
    if (!flsi_take_number(&in, "version", UINT64_MAX, &version)) {
        return flsi_take_refused(&in, err);
    }
    if (version != CURSOR_VERSION) {
        return fls_error_set(err, FLS_UNSUPPORTED, 0, "a cursor of another version of the format");
    }
    if (!flsi_take_number(&in, "ordinal", UINT64_MAX, &cursor->ordinal) ||
        !flsi_take_number(&in, "epoch", UINT64_MAX, &cursor->epoch) ||
        !flsi_take_number(&in, "offset", UINT64_MAX, &cursor->offset) ||
        !flsi_take_key(&in, "checksum") || !flsi_take_text(&in, "\"") ||
        !flsi_take_hex(&in, 16, &cursor->checksum) || !flsi_take_text(&in, "\",\n") ||
        !flsi_take_number(&in, "time_ns", UINT64_MAX, &cursor->time_ns)) {
        return flsi_take_refused(&in, err);
    }
    return FLS_OK;
}

/* ---- by the journal's directory ---- */

static fls_status check_name(const char *name, fls_error *err)
{
    return name != NULL && flsi_name_is_cursor(name)
               ? FLS_OK
               : fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                               "a cursor's name is 1 to 63 letters, digits, '-', '_' and '.', "
                               "which is not first");
}

/* FLS_END when there are no cursors at all. */
static fls_status open_cursors(flsi_directory *cursors, const flsi_directory *journal, int create,
                               fls_error *err)
{
    int missing = 0;
    fls_status status =
        flsi_directory_open_in(cursors, journal, FLSI_CURSORS_NAME, create, &missing, err);
    return status != FLS_OK && missing ? FLS_END : status;
}

static fls_status load_in(const flsi_directory *cursors, const char *name,
                          fls_journal_cursor *cursor, const fls_allocator *allocator,
                          fls_error *err)
{
    void *text = NULL;
    size_t size = 0;
    int missing = 0;
    memset(cursor, 0, sizeof *cursor);
    fls_status status = flsi_directory_read_file(cursors, name, FLSI_CURSOR_BYTES, allocator, &text,
                                                 &size, &missing, err);
    if (status == FLS_NO_SPACE) {
        status = fls_error_set(err, FLS_INVALID_FRAME, 0, "too large to be a cursor");
    } else if (status == FLS_OK) {
        status = flsi_cursor_decode(cursor, text, size, err);
    } else if (missing) {
        return FLS_END;
    }
    if (text != NULL) {
        allocator->free(allocator->self, text, size);
    }
    if (fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
        flsi_error_name(err, name);
    }
    memcpy(cursor->name, name, strlen(name) + 1); /* its length was looked at */
    return status;
}

fls_status flsi_cursor_load(const flsi_directory *journal, const char *name,
                            fls_journal_cursor *cursor, const fls_allocator *allocator,
                            fls_error *err)
{
    flsi_directory cursors;
    fls_status status = check_name(name, err);
    status = status == FLS_OK ? open_cursors(&cursors, journal, 0, err) : status;
    if (status == FLS_OK) {
        status = load_in(&cursors, name, cursor, allocator, err);
        flsi_directory_close(&cursors);
    }
    return status;
}

fls_status flsi_cursor_store(const flsi_directory *journal, const fls_journal_cursor *cursor,
                             fls_error *err)
{
    char text[FLSI_CURSOR_BYTES];
    flsi_directory cursors;
    size_t size = flsi_cursor_encode(cursor, text);
    fls_status status = check_name(cursor->name, err);
    status = status == FLS_OK ? open_cursors(&cursors, journal, 1, err) : status;
    if (status == FLS_OK) {
        status = flsi_directory_write_file(&cursors, cursor->name, text, size, err);
        flsi_directory_close(&cursors);
    }
    return status;
}

fls_status flsi_cursor_remove(const flsi_directory *journal, const char *name, fls_error *err)
{
    flsi_directory cursors;
    flsi_file_info info;
    int missing = 0;
    fls_status status = check_name(name, err);
    status = status == FLS_OK ? open_cursors(&cursors, journal, 0, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_directory_info(&cursors, name, &info, &missing, err);
    if (status == FLS_OK) {
        status = flsi_directory_remove(&cursors, name, err);
        status = status == FLS_OK ? flsi_directory_sync_names(&cursors, err) : status;
    } else if (missing) {
        status = FLS_END;
    }
    flsi_directory_close(&cursors);
    return status;
}

/* Names first, since callbacks may change what is listed. */
typedef struct cursor_names {
    const fls_allocator *allocator;
    char (*names)[FLSI_NAME_BYTES];
    size_t count;
    size_t capacity;
    int failed;
} cursor_names;

static int see_cursor(void *self, const char *name)
{
    cursor_names *all = self;
    if (!flsi_name_is_cursor(name)) {
        return 0;
    }
    if (all->count == all->capacity) {
        size_t capacity = all->capacity == 0 ? 16 : all->capacity * 2;
        void *grown = all->allocator->resize(all->allocator->self, all->names,
                                             all->capacity * sizeof *all->names,
                                             capacity * sizeof *all->names);
        if (grown == NULL) {
            all->failed = 1;
            return 1;
        }
        all->names = grown;
        all->capacity = capacity;
    }
    memcpy(all->names[all->count++], name, strlen(name) + 1);
    return 0;
}

static fls_status each_of(const flsi_directory *cursors, cursor_names *all,
                          fls_status (*seen)(void *self, const fls_journal_cursor *cursor,
                                             const fls_error *damage),
                          void *self, fls_error *err)
{
    fls_status status = flsi_directory_list(cursors, see_cursor, all, err);
    if (all->failed) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the names of cursors");
    }
    for (size_t i = 0; status == FLS_OK && i < all->count; i++) {
        fls_journal_cursor cursor;
        fls_error damage = FLS_ERROR_INIT;
        status = load_in(cursors, all->names[i], &cursor, all->allocator, &damage);
        if (status == FLS_OK) {
            status = seen(self, &cursor, NULL);
        } else if (status == FLS_END) { /* removed meanwhile */
            status = FLS_OK;
        } else if (status == FLS_UNSUPPORTED || fls_status_class_of(status) == FLS_CLASS_DAMAGE) {
            status = seen(self, &cursor, &damage);
        } else if (err != NULL) {
            *err = damage;
        }
    }
    return status;
}

fls_status flsi_cursor_each(const flsi_directory *journal, const fls_allocator *allocator,
                            fls_status (*seen)(void *self, const fls_journal_cursor *cursor,
                                               const fls_error *damage),
                            void *self, fls_error *err)
{
    flsi_directory cursors;
    cursor_names all = {.allocator = allocator};
    fls_status status = open_cursors(&cursors, journal, 0, err);
    if (status != FLS_OK) {
        return status == FLS_END ? FLS_OK : status;
    }
    status = each_of(&cursors, &all, seen, self, err);
    if (all.names != NULL) {
        allocator->free(allocator->self, all.names, all.capacity * sizeof *all.names);
    }
    flsi_directory_close(&cursors);
    return status;
}

typedef struct cursor_limit {
    const flsi_directory *journal;
    uint64_t ordinal;
    uint64_t epoch;
    uint64_t moved;
    fls_error *err;
} cursor_limit;

static fls_status limit_one(void *self, const fls_journal_cursor *cursor, const fls_error *damage)
{
    cursor_limit *limit = self;
    if (damage != NULL || cursor->ordinal <= limit->ordinal) {
        return FLS_OK; /* a damaged one points nowhere; who uses it is told */
    }
    fls_journal_cursor moved = *cursor;
    moved.ordinal = limit->ordinal;
    moved.epoch = limit->epoch;
    moved.offset = 0;
    moved.checksum = 0;
    limit->moved++;
    return flsi_cursor_store(limit->journal, &moved, limit->err);
}

fls_status flsi_cursors_limit(const flsi_directory *journal, uint64_t ordinal, uint64_t epoch,
                              const fls_allocator *allocator, uint64_t *moved, fls_error *err)
{
    cursor_limit limit = {journal, ordinal, epoch, 0, err};
    fls_status status = flsi_cursor_each(journal, allocator, limit_one, &limit, err);
    *moved = limit.moved;
    return status;
}

/* ---- the public ones ---- */

fls_status flsi_journal_cursor_get(const char *path, const char *name, fls_journal_cursor *cursor,
                                   const flsi_os_calls *calls, fls_error *err)
{
    flsi_directory journal;
    fls_status status = flsi_directory_open(&journal, path, 0, calls, err);
    if (status == FLS_OK) {
        status = flsi_cursor_load(&journal, name, cursor, fls_allocator_libc(), err);
        flsi_directory_close(&journal);
        /* Both are damage of its file. */
        status = status == FLS_CHECKSUM_MISMATCH ? FLS_INVALID_FRAME : status;
    }
    return status;
}

fls_status fls_journal_cursor_get(const char *path, const char *name, fls_journal_cursor *cursor,
                                  fls_error *err)
{
    return flsi_journal_cursor_get(path, name, cursor, NULL, err);
}

fls_status flsi_journal_cursor_set(const char *path, const char *name, uint64_t ordinal,
                                   const flsi_os_calls *calls, fls_error *err)
{
    flsi_directory journal;
    fls_journal_cursor cursor = {.ordinal = ordinal, .time_ns = flsi_wall_now_ns()};
    uint64_t durable = 0;
    fls_status status = check_name(name, err);
    status = status == FLS_OK ? flsi_directory_open(&journal, path, 0, calls, err) : status;
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_journal_durable_end(&journal, fls_allocator_libc(), &durable, &cursor.epoch, err);
    if (status == FLS_OK && ordinal > durable) {
        status = fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                               "a cursor can only point to what is durable");
    }
    if (status == FLS_OK) {
        memcpy(cursor.name, name, strlen(name) + 1);
        flsi_cursor_note_place(&cursor, path, calls);
        status = flsi_cursor_store(&journal, &cursor, err);
    }
    flsi_directory_close(&journal);
    return status;
}

fls_status fls_journal_cursor_set(const char *path, const char *name, uint64_t ordinal,
                                  fls_error *err)
{
    return flsi_journal_cursor_set(path, name, ordinal, NULL, err);
}

fls_status fls_journal_cursor_remove(const char *path, const char *name, fls_error *err)
{
    flsi_directory journal;
    fls_status status = flsi_directory_open(&journal, path, 0, NULL, err);
    if (status == FLS_OK) {
        status = flsi_cursor_remove(&journal, name, err);
        flsi_directory_close(&journal);
    }
    return status;
}

fls_status fls_journal_cursor_each(const char *path,
                                   fls_status (*seen)(void *self, const fls_journal_cursor *cursor,
                                                      const fls_error *damage),
                                   void *self, fls_error *err)
{
    flsi_directory journal;
    fls_status status = flsi_directory_open(&journal, path, 0, NULL, err);
    if (status == FLS_OK) {
        status = flsi_cursor_each(&journal, fls_allocator_libc(), seen, self, err);
        flsi_directory_close(&journal);
    }
    return status;
}
