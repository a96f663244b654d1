// Numbers as text and back: the table of powers by big numbers, floats and whole numbers against
// the C and C++ libraries, the grammar of JSON, in a locale with a decimal comma too.
#include <cfenv>
#include <vector>

#include "decimal_testing.hpp"

extern "C" {
#include "support/comma_locale.h"
}

using namespace decimal_testing;

namespace {

// ---- the table ----

// Words of 32 bits, the lowest first, without zeros at the top.
using Big = std::vector<std::uint32_t>;

void multiply(Big &number, std::uint64_t factor)
{
    // By halves of the factor.
    Big sum(number.size() + 3, 0);
    const std::uint64_t halves[] = {factor & 0xFFFFFFFFu, factor >> 32};
    for (std::size_t shift = 0; shift < 2; shift++) {
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < number.size() || carry != 0; i++) {
            const std::uint64_t word = i < number.size() ? number[i] : 0;
            carry += sum[i + shift] + word * halves[shift];
            sum[i + shift] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }
    while (!sum.empty() && sum.back() == 0) {
        sum.pop_back();
    }
    number = sum;
}

Big product(const Big &a, const Big &b)
{
    Big sum(a.size() + b.size() + 1, 0);
    for (std::size_t i = 0; i < a.size(); i++) {
        std::uint64_t carry = 0;
        for (std::size_t k = 0; k < b.size() || carry != 0; k++) {
            const std::uint64_t word = k < b.size() ? b[k] : 0;
            carry += sum[i + k] + word * a[i];
            sum[i + k] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }
    while (!sum.empty() && sum.back() == 0) {
        sum.pop_back();
    }
    return sum;
}

Big power_of_two(std::size_t exponent)
{
    Big number(exponent / 32 + 1, 0);
    number.back() = std::uint32_t{1} << exponent % 32;
    return number;
}

int compare(const Big &a, const Big &b)
{
    if (a.size() != b.size()) {
        return a.size() < b.size() ? -1 : 1;
    }
    for (std::size_t i = a.size(); i-- != 0;) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

Big big_of(std::uint64_t high, std::uint64_t low)
{
    Big number = {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
                  static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32)};
    while (!number.empty() && number.back() == 0) {
        number.pop_back();
    }
    return number;
}

// m * 2^e <= 10^n < (m + 1) * 2^e, by whole numbers: 10^n = 5^n * 2^n goes to the right when n is
// positive, else 5^-n goes to the left, and twos to where they are not negative.
void check_power(int n)
{
    const flsi_power &power = flsi_powers[n - FLSI_LEAST_POWER];
    const std::string name = "10^" + std::to_string(n);
    const int e = flsi_log2_of_power10(n) - 127;
    check(power.high >> 63 != 0 && power.low != UINT64_MAX, "the form of", name);
    Big five = {1};
    for (int i = 0; i < std::abs(n); i++) {
        multiply(five, 5);
    }
    Big lower = big_of(power.high, power.low);
    Big upper = big_of(power.high, power.low + 1);
    Big right = {1};
    const int twos = e - n;
    if (twos >= 0) {
        lower = product(lower, power_of_two(static_cast<std::size_t>(twos)));
        upper = product(upper, power_of_two(static_cast<std::size_t>(twos)));
    } else {
        right = power_of_two(static_cast<std::size_t>(-twos));
    }
    if (n >= 0) {
        right = product(right, five);
    } else {
        lower = product(lower, five);
        upper = product(upper, five);
    }
    check(compare(lower, right) <= 0 && compare(right, upper) < 0, "the table's", name);
    check((compare(lower, right) == 0) == (flsi_power_is_exact(n) != 0), "whether exact:", name);
}

void check_table()
{
    for (int n = FLSI_LEAST_POWER; n <= FLSI_MOST_POWER; n++) {
        check_power(n);
    }
}

// The two ways to multiply.
void check_products(prng &random)
{
    const std::uint64_t edges[] = {0,         1, UINT32_MAX, std::uint64_t{1} << 32, UINT64_MAX - 1,
                                   UINT64_MAX};
    const auto any = [&] {
        return prng_below(&random, 4) == 0 ? edges[prng_below(&random, 6)] : prng_next(&random);
    };
    for (unsigned i = 0; i < 100000; i++) {
        const std::uint64_t a = any();
        const std::uint64_t b = any();
        const flsi_power one = flsi_multiply(a, b);
        const flsi_power other = flsi_multiply_halves(a, b);
        const Big wanted = product(big_of(0, a), big_of(0, b));
        check(big_of(one.high, one.low) == wanted && big_of(other.high, other.low) == wanted,
              "product of", std::to_string(a) + " and " + std::to_string(b));
    }
}

// floor(log10) of 2^n and 3/4 * 2^n, by digits of the exact value.
void check_logarithms()
{
    for (int n = -1074; n <= 971; n++) {
        char text[1200];
        std::snprintf(text, sizeof text, "%.1090Le", std::ldexp(1.0L, n));
        check(std::atoi(std::strchr(text, 'e') + 1) == flsi_log10_of_power2(n), "log10 of 2^",
              std::to_string(n));
        std::snprintf(text, sizeof text, "%.1090Le", std::ldexp(0.75L, n));
        check(std::atoi(std::strchr(text, 'e') + 1) == flsi_log10_of_three_quarters(n),
              "log10 of 3/4 * 2^", std::to_string(n));
    }
}

// ---- floats ----

template <class F> void check_edges(std::uint64_t fraction_bits, std::uint64_t exponents)
{
    for (std::uint64_t exponent = 0; exponent < exponents; exponent++) {
        for (std::uint64_t around = 0; around < 7; around++) {
            const std::uint64_t bits = (exponent << fraction_bits) + around - 3;
            const std::uint64_t sign = (around & 1) << (8 * sizeof(F) - 1);
            if (exponent + around >= 3 && finite_bits<F>(bits)) {
                check_float(of_bits<F>(bits | sign));
            }
        }
    }
}

void check_powers_of_ten()
{
    for (int n = -330; n <= 310; n++) {
        for (const char *digits : {"1", "2", "5", "9", "1.5", "9.999999999999999", "1.0000001"}) {
            const std::string text = digits + ("e" + std::to_string(n));
            check_text(text);
            const double value = std::strtod(text.c_str(), nullptr);
            if (std::isfinite(value)) {
                check_float(value);
            }
            const float narrow = std::strtof(text.c_str(), nullptr);
            if (std::isfinite(narrow)) {
                check_float(narrow);
            }
        }
    }
}

void check_written()
{
    const std::pair<double, const char *> cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-12.0, "-12.0"},
        {0.1, "0.1"},
        {21.53, "21.53"},
        {0.000001, "0.000001"},
        {0.00000123, "0.00000123"},
        {1e-7, "1e-7"},
        {1.5e-7, "1.5e-7"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {72057594037927936.0, "72057594037927940.0"},
        {99999999999999984.0, "99999999999999980.0"},
        {1e17, "1e17"},
        {1e21, "1e21"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {-1.7976931348623157e308, "-1.7976931348623157e308"},
        {0.30000000000000004, "0.30000000000000004"},
        {123456.789, "123456.789"},
        {9.5, "9.5"},
        {1234567890123.4567, "1234567890123.4568"},
    };
    for (const auto &one : cases) {
        if (print(one.first) != one.second) {
            fail("printed", print(one.first), one.second);
        }
    }
    const std::pair<float, const char *> narrow[] = {
        {0.1f, "0.1"},
        {16777216.0f, "16777216.0"},
        {123456792.0f, "123456790.0"},
        {1e11f, "100000000000.0"},
        {3.4028235e38f, "3.4028235e38"},
        {1e-45f, "1e-45"},
        {3.14159f, "3.14159"},
    };
    for (const auto &one : narrow) {
        if (print(one.first) != one.second) {
            fail("printed", print(one.first), one.second);
        }
    }
}

void check_hard_texts()
{
    const char *const texts[] = {
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000000000000000000000000000001",
        "9007199254740992.9999999999999999999999999999999999999999",
        "0.500000000000000166533453693773481063544750213623046875",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "4.9406564584124654e-324",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977"
        "58720709633028641669288791094655554785194040263065748867150582068e145",
        "7.0064923216240853e-46",
        "7.0064923216240854e-46",
        "3.4028235677973366e38",
        "3.4028235677973365e38",
        "1.17549435082228750796873653722224568e-38",
        "16777217",
        "16777217.0000000000000000001",
        "33554435.0",
        "1e-400",
        "1e400",
        "-1e400",
        "123456789012345678901234567890e-400",
        "0e999999999999999999999",
        "0.0e-999999999999999999999",
        "1e99999999999999999999999",
        "1e-99999999999999999999999",
        "6.631236846766476e-316",
        "3.237883913302901e-319",
        "8.98846567431158053e307",
        "1090544144181609348671888949248",
    };
    check_text("0." + std::string(87, '0') + "1e90");
    check_text("1" + std::string(86, '0') + "e-90");
    for (const char *text : texts) {
        check_text(text);
        check_text(std::string("-") + (text[0] == '-' ? text + 1 : text));
    }
    // As many zeros as the exponent takes back, far beyond any limit on it.
    const std::string zeros(400000, '0');
    check_text("0." + zeros + "123e400001");
    check_text("123" + zeros + "e-400000");
    check_text("1" + zeros + "e-400000");
    // 2000 digits, that decide by the last.
    const std::string half = "9007199254740993." + std::string(2000, '0');
    check_text(half);
    check_text(half + "1");
    check_text("9007199254740992." + std::string(2000, '9'));
}

void check_halves(prng &random, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const std::uint64_t bits = prng_next(&random);
        const float value = std::fabs(of_bits<float>(bits));
        const float next = std::nextafter(value, std::numeric_limits<float>::infinity());
        if (std::isfinite(value) && std::isfinite(next)) {
            check_half_above(value, next);
        }
        const double wide = std::fabs(of_bits<double>(bits));
        if (i % 16 == 0 && std::isfinite(wide) && wide < 1e308) {
            check_half_above_double(wide);
        }
    }
    check_half_above_double(0.0);
    check_half_above_double(5e-324);
    check_half_above_double(2.2250738585072009e-308);
    check_half_above(0.0f, 1e-45f);
}

// Rounding upwards changes what the processor's sums give, and nothing here.
void check_rounding_mode()
{
    const std::string texts[] = {"0.1",  "0.3",  "123456789.123", "9007199254740993",
                                 "1e23", "7e-10"};
    double wanted[6];
    std::string printed[6];
    for (unsigned i = 0; i < 6; i++) {
        check(parse(texts[i], &wanted[i]), "read", texts[i]);
        printed[i] = print(wanted[i]);
    }
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
        std::fesetround(mode);
        bool equal = true;
        for (unsigned i = 0; i < 6; i++) {
            double value = 0;
            equal = parse(texts[i], &value) && same(value, wanted[i]) &&
                    print(wanted[i]) == printed[i] && equal;
        }
        std::fesetround(FE_TONEAREST);
        check(equal, "a rounding mode", "changed something");
    }
}

// ---- whole numbers ----

void check_whole(std::uint64_t value)
{
    char text[FLSI_DECIMAL_ROOM];
    const std::string wanted = std::to_string(value);
    const std::string wanted_signed = std::to_string(static_cast<std::int64_t>(value));
    check(std::string(text, flsi_print_u64(text, value)) == wanted, "printed", wanted);
    check(std::string(text, flsi_print_i64(text, static_cast<std::int64_t>(value))) ==
              wanted_signed,
          "printed", wanted_signed);
    flsi_number number;
    std::string copy;
    std::uint64_t back = 0;
    std::int64_t back_signed = 0;
    check(scan(wanted, &number, &copy) && flsi_number_to_u64(&number, &back) != 0 && back == value,
          "reads back", wanted);
    check((flsi_number_to_i64(&number, &back_signed) != 0) == (value <= INT64_MAX), "fits", wanted);
    check(scan(wanted_signed, &number, &copy) && flsi_number_to_i64(&number, &back_signed) != 0 &&
              back_signed == static_cast<std::int64_t>(value),
          "reads back", wanted_signed);
}

void check_whole_numbers(prng &random, unsigned count)
{
    for (std::uint64_t value = 0; value < 100000; value++) {
        check_whole(value);
    }
    std::uint64_t power = 1;
    for (int n = 0; n < 20; n++, power *= 10) {
        check_whole(power - 1);
        check_whole(power);
        check_whole(power + 1);
        check_whole(9 * power);
    }
    for (unsigned n = 0; n < 64; n++) {
        check_whole((std::uint64_t{1} << n) - 1);
        check_whole(std::uint64_t{1} << n);
    }
    check_whole(UINT64_MAX);
    for (unsigned i = 0; i < count; i++) {
        check_whole(prng_next(&random) >> prng_below(&random, 64));
    }
}

// text: a whole number below 2^64 or above -2^63 when `unsigned_wanted` or `signed_wanted` says so.
void check_integer(const std::string &text, const char *unsigned_wanted, const char *signed_wanted)
{
    flsi_number number;
    std::string copy;
    std::uint64_t value = 0;
    std::int64_t signed_value = 0;
    check(scan(text, &number, &copy), "a number", text);
    const bool is_unsigned = flsi_number_to_u64(&number, &value) != 0;
    const bool is_signed = flsi_number_to_i64(&number, &signed_value) != 0;
    check(is_unsigned == (unsigned_wanted != nullptr), "an u64", text);
    check(is_signed == (signed_wanted != nullptr), "an i64", text);
    check(!is_unsigned || std::to_string(value) == unsigned_wanted, "its u64", text);
    check(!is_signed || std::to_string(signed_value) == signed_wanted, "its i64", text);
}

void check_integers()
{
    const char *const most = "18446744073709551615";
    check_integer("18446744073709551615", most, nullptr);
    check_integer("18446744073709551616", nullptr, nullptr);
    check_integer("18446744073709551620", nullptr, nullptr);
    check_integer("184467440737095516150", nullptr, nullptr);
    check_integer("184467440737095516150e-1", most, nullptr);
    check_integer("18446744073709551615.000000", most, nullptr);
    check_integer("18446744073709551615.000001", nullptr, nullptr);
    check_integer("1844674407370955161.5e1", most, nullptr);
    check_integer("1.8446744073709551615e19", most, nullptr);
    check_integer("9223372036854775807", "9223372036854775807", "9223372036854775807");
    check_integer("9223372036854775808", "9223372036854775808", nullptr);
    check_integer("-9223372036854775808", nullptr, "-9223372036854775808");
    check_integer("-9223372036854775809", nullptr, nullptr);
    check_integer("-0", "0", "0");
    check_integer("-0.0e5", "0", "0");
    check_integer("-1", nullptr, "-1");
    check_integer("1.5", nullptr, nullptr);
    check_integer("1.5e1", "15", "15");
    check_integer("1500e-2", "15", "15");
    check_integer("1500e-3", nullptr, nullptr);
    check_integer("1e19", "10000000000000000000", nullptr);
    check_integer("1e20", nullptr, nullptr);
    check_integer("0e1000000000000000000000", "0", "0");
    check_integer("1e-1000000000000000000000", nullptr, nullptr);
    check_integer("100000000000000000000000000000e-29", "1", "1");
    check_integer("0.00000000000000000000000000000000000001e38", "1", "1");
    const std::string zeros(2000000, '0');
    check_integer("1" + zeros + "e-2000000", "1", "1");
    check_integer("0." + zeros + "7e2000001", "7", "7");
}

// ---- the grammar ----

// The bytes of the number at the front of a text by a second reading of the grammar, 0: none.
std::size_t grammar(const std::string &text)
{
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t start = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return at - start;
    };
    at += text[0] == '-' ? 1 : 0;
    if (at < text.size() && text[at] == '0') {
        at++;
    } else if (digits() == 0) {
        return 0;
    }
    if (at < text.size() && text[at] == '.') {
        at++;
        if (digits() == 0) {
            return 0;
        }
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < text.size() && (text[at] == '+' || text[at] == '-') ? 1 : 0;
        if (digits() == 0) {
            return 0;
        }
    }
    return at;
}

void check_grammar_of(const std::string &text)
{
    flsi_number number;
    const std::string copy = text;
    const std::size_t wanted = grammar(text);
    const int found = flsi_number_scan(&number, copy.data(), copy.data() + copy.size());
    check((found != 0) == (wanted != 0), "whether a number begins", text);
    check(found == 0 || number.end == copy.data() + wanted, "where the number ends", text);
    check(number.end >= copy.data() && number.end <= copy.data() + copy.size(), "within", text);
    const bool is_whole = text.substr(0, wanted).find_first_of(".eE") == std::string::npos;
    check(found == 0 || (number.is_whole != 0) == is_whole, "whether it is written whole", text);
}

// Every text of up to six bytes of the alphabet of numbers.
void check_grammar()
{
    const char alphabet[] = "019.-+eEx";
    std::string text;
    const auto all = [&](const auto &self, unsigned left) -> void {
        check_grammar_of(text);
        for (const char *byte = alphabet; left != 0 && *byte != '\0'; byte++) {
            text.push_back(*byte);
            self(self, left - 1);
            text.pop_back();
        }
    };
    all(all, 6);
}

void check_floats()
{
    prng random = prng_seeded(7);
    check_written();
    check_edges<double>(52, 2048);
    check_edges<float>(23, 256);
    check_powers_of_ten();
    check_random_values(random, 60000);
    for (unsigned i = 0; i < 200000; i++) {
        check_text(random_number(random));
    }
    check_halves(random, 6000);
}

} // namespace

int main()
{
    prng random = prng_seeded(11);
    check_table();
    check_logarithms();
    check_products(random);
    check_hard_texts();
    check_rounding_mode();
    check_whole_numbers(random, 200000);
    check_integers();
    check_grammar();
    check_floats();
    if (comma_locale_enter()) {
        check_written();
        check_random_values(random, 1000); // against what knows no locale either
        comma_locale_leave();
    } else {
        std::puts("no locale with a decimal comma: not tried in one");
    }
    return 0;
}
