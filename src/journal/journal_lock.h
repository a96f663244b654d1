/* The lock of a journal's one writer. */
#ifndef FLSI_JOURNAL_LOCK_H
#define FLSI_JOURNAL_LOCK_H

#include "os/os_directory.h"

/* Takes it; it lasts until the file is closed. FLS_LOCKED when somebody else has it and keeps it:
 * who only looks whether there is a writer has it for a moment, and is waited for. */
fls_status flsi_writer_lock(const flsi_directory *journal, flsi_file *lock, fls_error *err);

#endif
