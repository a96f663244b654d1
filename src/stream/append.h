/* Recovery of a file that is open and locked already: what truncating and appending share. */
#ifndef FLSI_STREAM_APPEND_H
#define FLSI_STREAM_APPEND_H

#include "flatstream/recover.h"
#include "io/io_file.h"

/* As fls_recover_truncate, on a file open for reading and writing under the writer's lock, at its
 * start. path is where it was opened, for the name of what is kept. */
fls_status flsi_recover_locked(flsi_file *file, const char *path,
                               const fls_recover_options *options, fls_recover_report *report,
                               fls_error *err);

#endif
