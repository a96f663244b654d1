/* Sinks and sources on files that are open already, for the rooms above and for tests.
 *
 * Each takes the file over, also when it fails: *file is closed or moved, and is empty afterwards.
 * To keep it, hand in flsi_file_borrow's copy.
 */
#ifndef FLSI_IO_FILE_H
#define FLSI_IO_FILE_H

#include "flatstream/sink.h"
#include "flatstream/source.h"
#include "os/os_file.h"

/* Writes go on at the end of a regular file (so truncate before), and into anything else. Sync is
 * sticky: after a failed one each later one fails the same without asking the system. */
fls_status flsi_sink_from_file(fls_sink *sink, flsi_file *file, fls_error *err);

/* Reads from the file's position, which is offset 0 of the source's read_at and size. Those two are
 * there for regular files only. */
fls_status flsi_source_from_file(fls_source *source, flsi_file *file, fls_error *err);

/* The public openers with the system calls to use; calls may be NULL for the real ones. */
fls_status flsi_sink_open_file(fls_sink *sink, const char *path, const flsi_os_calls *calls,
                               fls_error *err);
fls_status flsi_sink_open_file_atomic(fls_sink *sink, const char *path, int durable,
                                      const flsi_os_calls *calls, fls_error *err);
fls_status flsi_source_open_file(fls_source *source, const char *path, const flsi_os_calls *calls,
                                 fls_error *err);
fls_status flsi_source_map_file(fls_source *source, const char *path, const flsi_os_calls *calls,
                                fls_error *err);

#endif
