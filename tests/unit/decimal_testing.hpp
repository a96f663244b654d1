// Numbers as text, held against the C and C++ libraries: every check ends the program when it
// fails.
#ifndef TESTS_UNIT_DECIMAL_TESTING_HPP
#define TESTS_UNIT_DECIMAL_TESTING_HPP

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

extern "C" {
#include "flatbuf/decimal_private.h"
#include "support/prng.h"
}

namespace decimal_testing {

[[noreturn]] inline void fail(const char *what, const std::string &text, const std::string &wanted)
{
    std::fprintf(stderr, "%s: %s, not %s\n", what, text.c_str(), wanted.c_str());
    std::exit(1);
}

inline void check(bool holds, const char *what, const std::string &text)
{
    if (!holds) {
        fail(what, text, "so");
    }
}

template <class F> F of_bits(std::uint64_t bits)
{
    F value;
    if constexpr (sizeof(F) == 4) {
        const auto low = static_cast<std::uint32_t>(bits);
        std::memcpy(&value, &low, sizeof value);
    } else {
        std::memcpy(&value, &bits, sizeof value);
    }
    return value;
}

template <class F> std::string print(F value)
{
    char text[FLSI_DECIMAL_ROOM];
    char *end;
    if constexpr (sizeof(F) == 4) {
        end = flsi_print_f32(text, value);
    } else {
        end = flsi_print_f64(text, value);
    }
    return std::string(text, end);
}

// The text lies in memory of just its size, so that a sanitizer sees what is read beyond it.
inline bool scan(const std::string &text, flsi_number *number, std::string *copy)
{
    copy->assign(text);
    copy->shrink_to_fit();
    return flsi_number_scan(number, copy->data(), copy->data() + copy->size()) != 0 &&
           number->end == copy->data() + copy->size();
}

// False where the value is infinite.
template <class F> bool parse(const std::string &text, F *value)
{
    flsi_number number;
    std::string copy;
    check(scan(text, &number, &copy), "not a number", text);
    if constexpr (sizeof(F) == 4) {
        return flsi_number_to_f32(&number, value) != 0;
    } else {
        return flsi_number_to_f64(&number, value) != 0;
    }
}

template <class F> bool same(F a, F b)
{
    return std::memcmp(&a, &b, sizeof a) == 0;
}

// Digits without zeros around them, with the exponent behind: two texts of the same value by the
// same digits give the same.
inline std::string normalized(const char *text, const char *end)
{
    std::string digits;
    std::string sign;
    int exponent = 0;
    bool behind_point = false;
    if (*text == '-') {
        sign = "-";
        text++;
    }
    for (; text != end && *text != 'e'; text++) {
        if (*text == '.') {
            behind_point = true;
            continue;
        }
        if (!digits.empty() || *text != '0') {
            digits += *text;
        }
        exponent -= behind_point ? 1 : 0;
    }
    if (text != end) {
        exponent += std::atoi(std::string(text + 1, end).c_str());
    }
    while (!digits.empty() && digits.back() == '0') {
        digits.pop_back();
        exponent++;
    }
    return sign + (digits.empty() ? "0" : digits + "e" + std::to_string(exponent));
}

// The shape that docs/JSON.md gives to a magnitude.
template <class F> void check_shape(F value, const std::string &text)
{
    const F size = std::fabs(value);
    const bool has_exponent = text.find('e') != std::string::npos;
    const bool has_point = text.find('.') != std::string::npos;
    const bool is_plain =
        value == 0 || (size >= static_cast<F>(1e-6) && size < static_cast<F>(1e17));
    check(has_exponent == !is_plain, "written the other way", text);
    check(has_point || has_exponent, "looks like a whole number", text);
    check(text.find("e+") == std::string::npos, "a plus sign", text);
    check((text[0] == '-') == std::signbit(value), "the sign", text);
    if (is_plain) {
        const std::size_t point = text.find('.');
        check(text.back() != '0' || point == text.size() - 2, "zeros at the end", text);
    }
}

// The text of a finite value is the shortest, as the C++ library finds it, and reads back.
template <class F> void check_float(F value)
{
    const std::string text = print(value);
    char other[64];
    const auto made =
        std::to_chars(other, other + sizeof other, value, std::chars_format::scientific);
    const std::string wanted = normalized(other, made.ptr);
    if (normalized(text.data(), text.data() + text.size()) != wanted) {
        fail("printed", text, wanted);
    }
    check_shape(value, text);
    F back;
    check(parse(text, &back) && same(back, value), "does not read back", text);
}

// A text is read as the C library reads it, as both floats.
inline void check_text(const std::string &text)
{
    double wide = 0;
    float narrow = 0;
    const double wide_wanted = std::strtod(text.c_str(), nullptr);
    const float narrow_wanted = std::strtof(text.c_str(), nullptr);
    const bool wide_finite = parse(text, &wide);
    const bool narrow_finite = parse(text, &narrow);
    if (!same(wide, wide_wanted) || wide_finite != (std::isfinite(wide_wanted) != 0)) {
        fail("double", text + " is " + print(std::isfinite(wide) ? wide : 0.0), "as strtod");
    }
    if (!same(narrow, narrow_wanted) || narrow_finite != (std::isfinite(narrow_wanted) != 0)) {
        fail("float", text + " is " + print(std::isfinite(narrow) ? narrow : 0.0f), "as strtof");
    }
}

template <class F> bool finite_bits(std::uint64_t bits)
{
    return std::isfinite(of_bits<F>(bits)) != 0;
}

// Values of all kinds: any bits, whole numbers, decimals of few places.
inline void check_random_values(prng &random, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const std::uint64_t bits = prng_next(&random);
        if (finite_bits<double>(bits)) {
            check_float(of_bits<double>(bits));
        }
        if (finite_bits<float>(bits)) {
            check_float(of_bits<float>(bits));
        }
        const std::uint64_t whole = prng_next(&random) >> prng_below(&random, 64);
        check_float(static_cast<double>(whole));
        check_float(static_cast<float>(whole));
        const double places = std::pow(10.0, static_cast<double>(prng_below(&random, 9)));
        check_float(static_cast<double>(whole) / places);
        check_float(static_cast<float>(static_cast<double>(whole) / places));
    }
}

// Numbers with up to 40 digits before and behind the point, and any exponent that matters.
inline std::string random_number(prng &random)
{
    std::string text = prng_below(&random, 2) != 0 ? "-" : "";
    const auto digit = [&random] { return static_cast<char>('0' + prng_below(&random, 10)); };
    const auto few = [&random] {
        return prng_below(&random, prng_below(&random, 8) == 0 ? 40 : 12);
    };
    if (prng_below(&random, 4) == 0) {
        text += '0';
    } else {
        text += static_cast<char>('1' + prng_below(&random, 9));
        for (std::uint64_t left = few(); left != 0; left--) {
            text += digit();
        }
    }
    if (prng_below(&random, 2) != 0) {
        text += '.';
        text += digit();
        for (std::uint64_t left = few(); left != 0; left--) {
            text += prng_below(&random, 3) == 0 ? '0' : digit();
        }
    }
    if (prng_below(&random, 4) != 0) {
        const std::int64_t most = prng_below(&random, 2) != 0 ? 50 : 360;
        const std::int64_t exponent =
            static_cast<std::int64_t>(prng_below(&random, 2 * static_cast<std::uint64_t>(most))) -
            most;
        text +=
            (exponent >= 0 && prng_below(&random, 2) != 0 ? "E+" : "e") + std::to_string(exponent);
    }
    return text;
}

// The decimal halfway between a float and the next, all digits of it, and its neighbours.
inline void check_half_above(float value, float next)
{
    char text[300];
    const double half = (static_cast<double>(value) + static_cast<double>(next)) / 2;
    const int bytes = std::snprintf(text, sizeof text, "%.160e", half);
    std::string exact(text, static_cast<std::size_t>(bytes));
    const std::size_t last = exact.find('e') - 1;
    check_text(exact);
    exact[last] = '1';
    check_text(exact);
    exact = std::string(text, static_cast<std::size_t>(bytes));
    // One less in the last place that is not zero: below the half by very little.
    std::size_t at = last;
    while (exact[at] == '0' || exact[at] == '.') {
        at--;
    }
    exact[at]--;
    for (at++; at <= last; at++) {
        exact[at] = exact[at] == '.' ? '.' : '9';
    }
    check_text(exact);
}

// The same for a double: its exact half has up to 767 digits.
inline void check_half_above_double(double value)
{
    static_assert(std::numeric_limits<long double>::digits >= 54, "one more bit than a double");
    char text[1300];
    const long double half =
        (static_cast<long double>(value) +
         static_cast<long double>(std::nextafter(value, std::numeric_limits<double>::infinity()))) /
        2;
    const int bytes = std::snprintf(text, sizeof text, "%.1100Le", half);
    std::string exact(text, static_cast<std::size_t>(bytes));
    const std::size_t last = exact.find('e') - 1;
    check_text(exact);
    exact[last] = '1';
    check_text(exact);
    exact[last] = '0';
    std::size_t at = last;
    while (exact[at] == '0' || exact[at] == '.') {
        at--;
    }
    exact[at]--;
    for (at++; at <= last; at++) {
        exact[at] = exact[at] == '.' ? '.' : '9';
    }
    check_text(exact);
}

} // namespace decimal_testing

#endif
