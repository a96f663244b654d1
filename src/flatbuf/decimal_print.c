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

/* value is below 10^17. */
static uint32_t count_digits(uint64_t value)
{
    uint32_t bits = 64 - flsi_high_zero_bits(value | 1);
    uint32_t guess = bits * 1233 >> 12; /* log10(2): it has that many digits or one more */
    guess -= guess > 16;
    return guess + (value >= powers10[guess]);
}

/* The digits of a fraction: `places` places, 1 to 16, of which the last ones are left out when they
 * are zeros, but for the first. */
FLSI_ALWAYS_INLINE char *put_fraction(char *to, uint64_t fraction, uint32_t places)
{
    uint64_t whole = fraction * powers10[16 - places];
    uint64_t first = flsi_eight_digits((uint32_t)(whole / 100000000));
    uint64_t second = flsi_eight_digits((uint32_t)(whole % 100000000));
    flsi_store_le64(to, first | FLSI_ASCII_ZEROS);
    flsi_store_le64(to + 8, second | FLSI_ASCII_ZEROS);
    if (second != 0) {
        return to + 16 - flsi_high_zero_bits(second) / 8;
    }
    return to + 8 - flsi_high_zero_bits(first | 1) / 8;
}

static char *without_zeros(char *end)
{
    while (end[-1] == '0') {
        end--;
    }
    return end;
}

/* 1.5e-7 */
static char *put_with_exponent(char *to, uint64_t digits, int exponent)
{
    char *end = without_zeros(flsi_put_u64(to + 1, digits));
    to[0] = to[1];
    to[1] = '.';
    if (end == to + 2) {
        end--;
    }
    *end++ = 'e';
    return flsi_print_i64(end, exponent);
}

/* digits is not 0, and below 10^17. */
static char *put_decimal(char *to, uint64_t digits, int exponent)
{
    int point = (int)count_digits(digits) + exponent; /* digits in front of it */
    if (point > 17 || point < -5) {
        return put_with_exponent(to, digits, point - 1);
    }
    if (exponent >= 0) {
        to = flsi_put_u64(to, digits * powers10[exponent]);
        *to++ = '.';
        *to++ = '0';
        return to;
    }
    if (point <= 0) {
        memcpy(to, "0.00000", 7);
        return without_zeros(flsi_put_u64(to + 2 - point, digits));
    }
    uint64_t unit = powers10[-exponent];
    to = flsi_put_u64(to, digits / unit);
    *to++ = '.';
    return put_fraction(to, digits % unit, (uint32_t)-exponent);
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
        memcpy(to, "0.0", 3);
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
    memcpy(&bits, &value, sizeof bits);
    return put_float(to, bits, 52, 11);
}

char *flsi_print_f32(char *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return put_float(to, bits, 23, 8);
}
