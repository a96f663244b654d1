/* The names of a split's pieces: PREFIX, a number or the value of a key, and ".fls".
 *
 * A value is written so that it is a name on every file system, and that no two have the same:
 * letters, digits, '_', '-' and '.' stand as they are, but for '.' at the beginning and the first
 * letter of names that some systems keep for devices (con, nul, com1 ...); every other byte is
 * "%XX". What has no such text, or too long a one, begins with or has a '~', which no escaped value
 * has.
 */
#ifndef FLS_CLI_PIECE_NAMES_H
#define FLS_CLI_PIECE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define CLI_MOST_PIECE_NAME 120 /* bytes of what stands between PREFIX and ".fls" */
#define CLI_PIECE_NAME      (CLI_MOST_PIECE_NAME + 1)

#define CLI_PIECE_ABSENT "~absent" /* of messages without a value */
#define CLI_PIECE_EMPTY  "~empty"  /* of those whose value is an empty text */

/* A value's name. One that would be too long is cut, and has its length, its XXH3-64 and its CRC-32
 * behind a '~'. */
void cli_piece_name(char name[CLI_PIECE_NAME], const char *value, size_t size);

/* The same with capital letters escaped too, for a name that another one differs from only by the
 * case of letters, which not every file system tells apart. */
void cli_piece_name_caseless(char name[CLI_PIECE_NAME], const char *plain);

/* Whether two names are one where case does not count, and a hash for which that holds. */
int cli_piece_names_alike(const char *a, const char *b);
uint64_t cli_piece_name_hash(const char *name);

/* Digits of a number among count, six at least: names sort in the order of the pieces. */
int cli_piece_digits(uint64_t count);

#endif
