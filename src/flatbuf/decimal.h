/* Numbers as decimal text and back: exact, without locale, and without arithmetic on floats, so
 * that neither rounding mode nor compiler flags can change a result.
 *
 *   decimal_print.c   to text
 *   decimal_scan.c    from text: the grammar of JSON, whole numbers
 *   decimal_float.c   from text: the nearest float
 *   decimal_powers.c  128 bits of each power of ten, for both ways
 */
#ifndef FLSI_FLATBUF_DECIMAL_H
#define FLSI_FLATBUF_DECIMAL_H

#include <stddef.h>

#include "core/bytes.h"

/* Room that any of the functions below needs at `to`: the bytes of the text, and those behind it
 * that it may write to. */
#define FLSI_DECIMAL_ROOM 40u

/* Each writes the number at `to` and returns where the text ends. */
char *flsi_print_u64(char *to, uint64_t value);
char *flsi_print_i64(char *to, int64_t value);

/* The fewest digits that read back the same, and of those the nearest: "12.0", "-0.0", "0.000001",
 * "1.5e-7", "12345678901234567.0" below 1e17, "1e17" from there on. A point or an exponent is
 * always there. The value has to be finite. */
char *flsi_print_f64(char *to, double value);
char *flsi_print_f32(char *to, float value);

/* A number in a text. */
typedef struct flsi_number {
    const char *text; /* its first byte: a digit or the sign */
    const char *end;  /* behind its last byte */
    uint64_t digits;  /* all its digits but for leading zeros, when that is at most 19, ... */
    int32_t exponent; /* ... so that its value is digits * 10^exponent */
    uint8_t is_negative;
    uint8_t is_whole; /* written as a whole number: neither point nor exponent */
    uint8_t is_cut;   /* there are more than 19 digits, and this is about the first 19 */
    uint8_t reserved;
} flsi_number;

/* Reads the longest number by the grammar of JSON (RFC 8259) at text, which ends before `end`. 0
 * when there is none; number->end then says where it went wrong. What follows a number is for the
 * caller to look at. */
int flsi_number_scan(flsi_number *number, const char *text, const char *end);

/* The value, if it is a whole number in range, however it is written (1.5e1 is 15); else 0. -0 is
 * 0. */
int flsi_number_to_u64(const flsi_number *number, uint64_t *value);
int flsi_number_to_i64(const flsi_number *number, int64_t *value);

/* The nearest float, of two the even one; 0 when that would be infinite. Each rounds once. */
int flsi_number_to_f64(const flsi_number *number, double *value);
int flsi_number_to_f32(const flsi_number *number, float *value);

#endif
