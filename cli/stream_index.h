/* The index beside a stream, FILE.fli, where there is one that fits. */
#ifndef FLS_CLI_STREAM_INDEX_H
#define FLS_CLI_STREAM_INDEX_H

#include "input.h"

/* The name of the index of a file, allocated; NULL when there is no memory. */
char *cli_index_path(const char *path);

/* The index at a path, held against the input. The status and error of opening it; FLS_END, and
 * nothing in *index: there is none. */
fls_status cli_index_read(cli_input *input, const char *path, fls_index **index, fls_error *err);

/* The index beside an input, or NULL where there is none that can be used, which is said where
 * there is one. Closed with fls_index_close. */
fls_index *cli_index_beside(cli_input *input);

/* The same for places to split the work on an input at, which change nothing but how fast it goes:
 * only --verbose says that it is used, and one that costs more than it brings is not used. The
 * input keeps it. */
const fls_index *cli_index_of_splits(cli_input *input);

/* Whether a reader can begin somewhere behind the start, for what the common options or
 * input->last ask for: *position is there, proven, and *checksum the stream's. */
int cli_index_jump(cli_input *input, fls_reader_position *position, fls_checksum *checksum);

#endif
