/* Numbers to text.
 *
 * Floats by Raffaello Giulietti, "The Schubfach way to render doubles" (2020): of the decimals that
 * lie between the halfway points to the neighbours of a float, either the only one with one digit
 * less is the shortest, or the nearest with all digits. Three products with a power of ten find it.
 * A product keeps in its lowest bit whether anything was cut ("round to odd"), so that comparing
 * two of them is exact.
 */
#include "flatbuf/decimal_digits.h"
#include "flatbuf/decimal_private.h"

char *flsi_print_u64(char *to, uint64_t value)
{
    return flsi_put_u64(to, value);
}

char *flsi_print_i64(char *to, int64_t value)
{
    return flsi_put_i64(to, value);
}

/* ---- floats ---- */

/* A float as digits * 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* The first 64 bits of value * power, which has 192; the last bit is also set when more than the
 * error of the power is cut. */
FLSI_ALWAYS_INLINE uint64_t scale64(flsi_power power, uint64_t value)
{
    flsi_power lower = flsi_multiply(value, power.low);
    flsi_power upper = flsi_multiply(value, power.high);
    uint64_t middle = upper.low + lower.high;
    upper.high += middle < lower.high;
    return upper.high | (middle > 1);
}

/* The first 32 bits of value * power, which has 96. */
FLSI_ALWAYS_INLINE uint64_t scale32(flsi_power power, uint64_t value)
{
    flsi_power product = flsi_multiply(value, power.high);
    uint32_t middle = (uint32_t)(product.low >> 32);
    return product.high | (middle > 1);
}

/* The shortest decimal between lower and upper, all in quarters of a unit of 10^exponent. */
FLSI_ALWAYS_INLINE decimal shortest(uint64_t lower, uint64_t value, uint64_t upper, int exponent)
{
    uint64_t units = value / 4;
    if (units >= 10) {
        uint64_t tens = units / 10;
        int below = lower <= 40 * tens;
        int above = 40 * tens + 40 <= upper;
        if (below != above) {
            return (decimal){tens + (uint64_t)above, exponent + 1};
        }
    }
    int below = lower <= 4 * units;
    int above = 4 * units + 4 <= upper;
    if (below != above) {
        return (decimal){units + (uint64_t)above, exponent};
    }
    uint64_t half = 4 * units + 2;
    int up = value > half || (value == half && (units & 1) != 0);
    return (decimal){units + (uint64_t)up, exponent};
}

/* The table's powers are cut; here one that is not less than the true one is needed. No low word is
 * all ones. */
FLSI_ALWAYS_INLINE flsi_power power_above(int exponent)
{
    flsi_power power = flsi_powers[exponent - FLSI_LEAST_POWER];
    power.low += !flsi_power_is_exact(exponent);
    return power;
}

/* The float is fraction * 2^exponent; is_lowest: of its exponent, so that the neighbour below is
 * nearer. */
FLSI_ALWAYS_INLINE decimal decimal_of(uint64_t fraction, int exponent, int is_lowest, int is_f32)
{
    uint64_t is_odd = fraction & 1; /* then the halfway points read back as another */
    int power10 =
        is_lowest ? flsi_log10_of_three_quarters(exponent) : flsi_log10_of_power2(exponent);
    int shift = exponent + flsi_log2_of_power10(-power10) + 1;
    uint64_t lower = (4 * fraction - 2 + (uint64_t)is_lowest) << shift;
    uint64_t value = (4 * fraction) << shift;
    uint64_t upper = (4 * fraction + 2) << shift;
    flsi_power power = power_above(-power10);
    if (is_f32) {
        power.high += power.low != 0; /* 64 bits do */
        return shortest(scale32(power, lower) + is_odd, scale32(power, value),
                        scale32(power, upper) - is_odd, power10);
    }
    return shortest(scale64(power, lower) + is_odd, scale64(power, value),
                    scale64(power, upper) - is_odd, power10);
}

static const uint64_t powers10[] = {1u,
                                    10u,
                                    100u,
                                    1000u,
                                    10000u,
                                    100000u,
                                    1000000u,
                                    10000000u,
                                    100000000u,
                                    1000000000u,
                                    10000000000u,
                                    100000000000u,
                                    1000000000000u,
                                    10000000000000u,
                                    100000000000000u,
                                    1000000000000000u,
                                    10000000000000000u};

#define TEN15 1000000000000000u
#define TEN16 10000000000000000u

/* value is below 10^17. */
static uint32_t count_digits(uint64_t value)
{
    uint32_t bits = 64 - flsi_high_zero_bits(value | 1);
    uint32_t guess = bits * 1233 >> 12; /* log10(2): it has that many digits or one more */
    guess -= guess > 16;
    return guess + (value >= powers10[guess]);
}

/* 17 digits as text: the first, and two words of eight. */
typedef struct digits17 {
    char first;
    uint64_t upper;
    uint64_t lower;
    int used; /* without zeros at the end, but at least 1 */
} digits17;

/* value is from 10^16 to below 10^17. */
FLSI_ALWAYS_INLINE digits17 digits_of(uint64_t value)
{
    digits17 digits;
    uint64_t rest = value % TEN16;
    uint64_t upper = flsi_eight_digits((uint32_t)(rest / 100000000));
    uint64_t lower = flsi_eight_digits((uint32_t)(rest % 100000000));
    digits.first = (char)('0' + value / TEN16);
    digits.upper = upper | FLSI_ASCII_ZEROS;
    digits.lower = lower | FLSI_ASCII_ZEROS;
    if (lower != 0) {
        digits.used = 17 - (int)flsi_high_zero_bits(lower) / 8;
    } else {
        digits.used = upper == 0 ? 1 : 9 - (int)flsi_high_zero_bits(upper) / 8;
    }
    return digits;
}

FLSI_ALWAYS_INLINE void put_digits(char *to, const digits17 *digits)
{
    *to = digits->first;
    flsi_store_le64(to + 1, digits->upper);
    flsi_store_le64(to + 9, digits->lower);
}

/* 21.53: the point stands behind 1 to 16 digits. Those behind it are written again one byte
 * further, from the words: what was just stored is slow to be loaded in other pieces. */
FLSI_ALWAYS_INLINE char *put_with_point(char *to, const digits17 *digits, int point)
{
    int bits = 8 * (point - 1); /* of the words, in front of the point */
    put_digits(to, digits);
    to[point] = '.';
    if (bits < 64) {
        uint64_t upper = digits->upper >> bits | digits->lower << 1 << (63 - bits);
        flsi_store_le64(to + point + 1, upper);
        flsi_store_le64(to + point + 9, digits->lower >> bits);
    } else {
        flsi_store_le64(to + point + 1, digits->lower >> (bits - 64));
    }
    return to + (digits->used > point ? digits->used + 1 : point + 2);
}

/* 1.5e-7 */
static char *put_with_exponent(char *to, const digits17 *digits, int exponent)
{
    to[0] = digits->first;
    to[1] = '.';
    flsi_store_le64(to + 2, digits->upper);
    flsi_store_le64(to + 10, digits->lower);
    to += digits->used == 1 ? 1 : digits->used + 1;
    *to++ = 'e';
    return flsi_put_i64(to, exponent);
}

/* value is not 0, and below 10^17. */
FLSI_ALWAYS_INLINE char *put_decimal(char *to, uint64_t value, int exponent)
{
    if (value < TEN16) {
        uint32_t missing = value >= TEN15 ? 1 : 17 - count_digits(value);
        value *= powers10[missing];
        exponent -= (int)missing;
    }
    digits17 digits = digits_of(value);
    int point = 17 + exponent; /* digits in front of it */
    if (point >= 1 && point <= 16) {
        return put_with_point(to, &digits, point);
    }
    if (point > 17 || point < -5) {
        return put_with_exponent(to, &digits, point - 1);
    }
    if (point == 17) {
        put_digits(to, &digits);
        FLSI_COPY(to + 17, ".0", 2);
        return to + 19;
    }
    FLSI_COPY(to, "0.000000", 8);
    put_digits(to + 2 - point, &digits);
    return to + 2 - point + digits.used;
}

FLSI_ALWAYS_INLINE char *put_float(char *to, uint64_t bits, int fraction_bits, int exponent_bits)
{
    uint64_t hidden = (uint64_t)1 << fraction_bits;
    uint64_t fraction = bits & (hidden - 1);
    int biased = (int)(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    int bias = (1 << (exponent_bits - 1)) - 1 + fraction_bits;
    *to = '-';
    to += bits >> (fraction_bits + exponent_bits);
    if (biased == 0 && fraction == 0) {
        FLSI_COPY(to, "0.0", 3);
        return to + 3;
    }
    int is_lowest = fraction == 0 && biased > 1;
    int exponent = (biased == 0 ? 1 : biased) - bias;
    fraction |= biased == 0 ? 0 : hidden;
    if (exponent <= 0 && exponent >= -fraction_bits &&
        (fraction & (((uint64_t)1 << -exponent) - 1)) == 0) {
        /* A whole number with no more bits than the fraction has: these are its digits. */
        to = flsi_put_u64(to, fraction >> -exponent);
        *to++ = '.';
        *to++ = '0';
        return to;
    }
    decimal value = decimal_of(fraction, exponent, is_lowest, fraction_bits == 23);
    return put_decimal(to, value.digits, value.exponent);
}

char *flsi_print_f64(char *to, double value)
{
    uint64_t bits;
    FLSI_COPY(&bits, &value, sizeof bits);
    return put_float(to, bits, 52, 11);
}

char *flsi_print_f32(char *to, float value)
{
    uint32_t bits;
    FLSI_COPY(&bits, &value, sizeof bits);
    return put_float(to, bits, 23, 8);
}
