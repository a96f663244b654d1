/* The reader of a journal on other system calls, and what its parts share. */
#ifndef FLSI_JOURNAL_READER_PRIVATE_H
#define FLSI_JOURNAL_READER_PRIVATE_H

#include "flatstream/journal_reader.h"
#include "os/os_file.h"

/* The public functions on other system calls, NULL: the real ones. With others nothing is watched:
 * whoever follows calls again. */
fls_status flsi_journal_reader_open(fls_journal_reader **reader, const char *path,
                                    const fls_journal_reader_options *options,
                                    const flsi_os_calls *calls, fls_error *err);
fls_status flsi_source_open_journal(fls_source *source, const char *path,
                                    fls_journal_visibility visibility, const flsi_os_calls *calls,
                                    fls_error *err);
fls_status flsi_journal_inspect(const char *path, fls_journal_info *info,
                                fls_status (*segment)(void *self,
                                                      const fls_journal_segment *segment),
                                void *self, const flsi_os_calls *calls, fls_error *err);
fls_status flsi_journal_check(const char *path, const fls_journal_check_options *options,
                              const flsi_os_calls *calls, fls_journal_check_report *report,
                              fls_error *err);

#endif
