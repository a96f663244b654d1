/* Moments as people write and read them. */
#ifndef FLS_CLI_MOMENT_H
#define FLS_CLI_MOMENT_H

#include <stdint.h>

/* RFC 3339 ("2026-09-21T14:13:20.5Z", "...+02:00"), or "-5m": so long ago. Nanoseconds since 1970.
 * 0 when text is neither, or before 1970 or beyond 2^64. */
int cli_parse_moment(const char *text, uint64_t *time_ns);

uint64_t cli_wall_ns(void);
uint64_t cli_monotonic_ns(void);

/* "2026-09-21T14:13:20.123456789Z"; "-" for 0, which is no time. */
#define CLI_MOMENT 48
const char *cli_moment(char buffer[CLI_MOMENT], uint64_t time_ns);

#endif
