/* What a journal is, for reports. */
#ifndef FLS_CLI_JOURNAL_SHOW_H
#define FLS_CLI_JOURNAL_SHOW_H

#include "report.h"

/* The keys of a journal, into the object that is open. */
void cli_journal_put_json(cli_json *json, const fls_journal_info *info);
void cli_journal_print(cli_out *out, const fls_journal_info *info);

/* One segment: an object of a list, or a line. */
void cli_segment_put_json(cli_json *json, const fls_journal_segment *segment);
void cli_segment_print_head(cli_out *out);
void cli_segment_print(cli_out *out, const fls_journal_segment *segment);

/* What opening for writing found, where there was something to find. NULL where nothing was. */
void cli_recovery_put_json(cli_json *json, const fls_journal_report *report);
void cli_recovery_tell(cli_job *job, const char *path, const fls_journal_report *report);

/* The keys that cli_journal_put_json writes, for tables of keys. */
#define CLI_JOURNAL_KEYS                                                                        \
    "id, epoch (of the newest writer), locked (a writer has it open), segments, first_ordinal " \
    "(the oldest that is left), durable_ordinal (all below it is durable), end_ordinal (one "   \
    "more than the newest), bytes (of frames), stored_bytes (of files), first_time_ns, "        \
    "last_time_ns (of receipt, since 1970; 0: not known), cursors, cut_files (set aside by "    \
    "recoveries)"

#endif
