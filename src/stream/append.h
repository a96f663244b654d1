/* What recovery, truncating and appending share. */
#ifndef FLSI_STREAM_APPEND_H
#define FLSI_STREAM_APPEND_H

#include "flatstream/recover.h"
#include "io/io_file.h"

/* Empties a report whose struct_bytes the caller has set; FLS_INVALID_ARGUMENT when it is not. */
fls_status flsi_report_start(fls_recover_report *report, fls_error *err);

/* Whether the checksum asked for is the file's, judged by its first messages and by how many
 * recovery found under it. FLS_CHECKSUM_MISMATCH, with both names, when another one is proven.
 * FLS_CHECKSUM_UNPROVEN when nothing is proven, and nothing but the caller's word speaks for it:
 * not a message, nor (unless must_be_proven) that the file is as short as a torn first message may
 * be, or begins like one. */
fls_status flsi_prove_checksum(const flsi_file *file, const fls_recover_options *options,
                               uint64_t frames, int must_be_proven, fls_error *err);

/* Copies what lies behind the report's last good offset to PATH.cut-OFFSET, syncs that, and says in
 * the report what it is called. On failure nothing is left behind. */
fls_status flsi_keep_tail(const flsi_file *file, const char *path,
                          const fls_recover_options *options, fls_recover_report *report,
                          fls_error *err);

/* As fls_recover_truncate, on a file open for reading and writing under the writer's lock, at its
 * start. path is where it was opened, for the name of what is kept. */
fls_status flsi_recover_locked(flsi_file *file, const char *path,
                               const fls_recover_options *options, int must_be_proven,
                               fls_recover_report *report, fls_error *err);

#endif
