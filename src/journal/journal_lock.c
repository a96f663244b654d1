/* The lock of a journal's one writer; see journal_lock.h. */
#include "journal/journal_lock.h"

#include "journal/journal_names.h"
#include "os/os_thread.h"

/* A writer has it for longer than these tries take. */
#define TRIES    20u
#define PAUSE_NS UINT64_C(5000000)

fls_status flsi_writer_lock(const flsi_directory *journal, flsi_file *lock, fls_error *err)
{
    const unsigned how = FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK;
    fls_status status = FLS_LOCKED;
    for (unsigned i = 0; status == FLS_LOCKED && i < TRIES; i++) {
        if (i > 0) {
            flsi_sleep_ns(PAUSE_NS);
        }
        status = flsi_directory_file(journal, lock, FLSI_LOCK_NAME, how, NULL, err);
    }
    return status;
}
