/* Progress of long work, for a person at a terminal: on standard error only, ten times a second at
 * most, and only once the work has taken a while.
 */
#ifndef FLS_CLI_PROGRESS_H
#define FLS_CLI_PROGRESS_H

#include <stdint.h>

typedef struct cli_progress {
    int enabled;
    int shown; /* a line stands on the terminal */
    const char *label;
    uint64_t started_ns;
    uint64_t shown_ns;
    uint64_t total_bytes; /* 0: not known */
} cli_progress;

/* Starts the clock. Nothing will be shown when wanted is 0 or standard error is no terminal. */
void cli_progress_start(cli_progress *progress, const char *label, uint64_t total_bytes,
                        int wanted);

/* Says how many bytes are done; cheap when there is nothing to show. */
void cli_progress_update(cli_progress *progress, uint64_t done_bytes);

/* Shows a word in place of figures, where a line stands. */
void cli_progress_say(cli_progress *progress, const char *text);

/* Takes the line away, so that something else can be printed; it comes back with an update. */
void cli_progress_clear(cli_progress *progress);

/* A line on standard error that the next one takes the place of, as far as it fits in the
 * terminal's width; label (may be NULL) before it is made shorter first. */
void cli_progress_line(cli_progress *progress, const char *label, const char *text);

#endif
