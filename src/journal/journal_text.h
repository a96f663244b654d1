/* The journal's small text files: JSON of one member a line in a fixed order, so that any JSON
 * reader can read them and ours need not read any JSON; the last member is the XXH3-64 of all bytes
 * before its line. Making and reading of lines. A take returns 1, or 0 when something else stands
 * there.
 */
#ifndef FLSI_JOURNAL_TEXT_H
#define FLSI_JOURNAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/status.h"

typedef struct flsi_text_out {
    char *text;
    size_t size; /* may pass the capacity: then nothing is kept */
    size_t capacity;
} flsi_text_out;

typedef struct flsi_text_in {
    const char *next;
    const char *end;
    const char *missing; /* what was looked for last and is not there, or is not right */
} flsi_text_in;

/* A string of any bytes: those that are not printable ASCII, quotes and backslashes are \u00XX. */
void flsi_out_string(flsi_text_out *out, const char *bytes, size_t size);
void flsi_out_bytes(flsi_text_out *out, const char *bytes, size_t size);
void flsi_out_text(flsi_text_out *out, const char *text);
void flsi_out_hex(flsi_text_out *out, uint64_t value, unsigned digits);
void flsi_out_decimal(flsi_text_out *out, uint64_t value);
/* The beginning of a member's line; and a whole one of a number. */
void flsi_out_key(flsi_text_out *out, const char *key);
void flsi_out_number(flsi_text_out *out, const char *key, uint64_t value);
/* The last member and the end, over all that is there. SIZE_MAX when it does not fit, else the
 * size.
 */
size_t flsi_out_end(flsi_text_out *out);

int flsi_take_text(flsi_text_in *in, const char *text);
int flsi_take_hex(flsi_text_in *in, unsigned digits, uint64_t *value);
/* As it is written here: no sign, no leading zero. */
int flsi_take_decimal(flsi_text_in *in, uint64_t *value);
/* A string of less than capacity bytes, of which *size are used; a zero stands behind them. */
int flsi_take_string(flsi_text_in *in, char *bytes, size_t capacity, size_t *size);
/* Passes over lines to the one with the key; stands behind its colon. */
int flsi_take_key(flsi_text_in *in, const char *key);
int flsi_take_number(flsi_text_in *in, const char *key, uint64_t most, uint64_t *value);
/* Whether a text begins with such a line and ends with its checksum; *in is then what is between.
 * FLS_INVALID_FRAME, FLS_CHECKSUM_MISMATCH. what: such as "the manifest of a journal". */
fls_status flsi_take_frame(flsi_text_in *in, const char *text, size_t size, const char *begin,
                           const char *what, fls_error *err);
/* FLS_INVALID_FRAME: which member was looked for last. */
fls_status flsi_take_refused(const flsi_text_in *in, fls_error *err);

#endif
