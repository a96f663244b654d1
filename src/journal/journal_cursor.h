/* Named cursors by the journal's directory: for recovery, prune and readers. */
#ifndef FLSI_JOURNAL_CURSOR_H
#define FLSI_JOURNAL_CURSOR_H

#include "flatstream/journal.h"
#include "os/os_directory.h"

/* FLS_END when there is none; FLS_INVALID_FRAME and FLS_CHECKSUM_MISMATCH: damaged. */
fls_status flsi_cursor_load(const flsi_directory *journal, const char *name,
                            fls_journal_cursor *cursor, const fls_allocator *allocator,
                            fls_error *err);
/* Durable when it returns; the cursor's name says which. */
fls_status flsi_cursor_store(const flsi_directory *journal, const fls_journal_cursor *cursor,
                             fls_error *err);
fls_status flsi_cursor_remove(const flsi_directory *journal, const char *name, fls_error *err);
/* As fls_journal_cursor_each. */
fls_status flsi_cursor_each(const flsi_directory *journal, const fls_allocator *allocator,
                            fls_status (*seen)(void *self, const fls_journal_cursor *cursor,
                                               const fls_error *damage),
                            void *self, fls_error *err);
/* Sets those that point behind an ordinal to it; *moved of them. */
fls_status flsi_cursors_limit(const flsi_directory *journal, uint64_t ordinal, uint64_t epoch,
                              const fls_allocator *allocator, uint64_t *moved, fls_error *err);

/* Fills in offset and checksum of a cursor that points to what is durable; leaves both 0 where the
 * frame before it cannot be read (journal_saved.c). */
void flsi_cursor_note_place(fls_journal_cursor *cursor, const char *path,
                            const flsi_os_calls *calls);

/* The public functions on other system calls, NULL: the real ones. */
fls_status flsi_journal_cursor_get(const char *path, const char *name, fls_journal_cursor *cursor,
                                   const flsi_os_calls *calls, fls_error *err);
fls_status flsi_journal_cursor_set(const char *path, const char *name, uint64_t ordinal,
                                   const flsi_os_calls *calls, fls_error *err);

/* The text of a cursor: at most FLSI_CURSOR_BYTES; returns the length. */
#define FLSI_CURSOR_BYTES 512u
size_t flsi_cursor_encode(const fls_journal_cursor *cursor, char text[FLSI_CURSOR_BYTES]);
/* All but the name. */
fls_status flsi_cursor_decode(fls_journal_cursor *cursor, const char *text, size_t size,
                              fls_error *err);

#endif
