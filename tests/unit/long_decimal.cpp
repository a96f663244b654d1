// The tests of numbers as text at length: every 16th float of 32 bits, and some ten million random
// values and texts.
#include "decimal_testing.hpp"

using namespace decimal_testing;

int main()
{
    prng random = prng_seeded(2024);
    const std::uint64_t start = prng_below(&random, 16);
    for (std::uint64_t bits = start; bits < std::uint64_t{1} << 32; bits += 16) {
        if (finite_bits<float>(bits)) {
            check_float(of_bits<float>(bits));
        }
    }
    check_random_values(random, 5000000);
    for (unsigned i = 0; i < 10000000; i++) {
        check_text(random_number(random));
    }
    for (unsigned i = 0; i < 1000000; i++) {
        const double value = std::fabs(of_bits<double>(prng_next(&random)));
        const float narrow = std::fabs(of_bits<float>(prng_next(&random)));
        const float next = std::nextafter(narrow, std::numeric_limits<float>::infinity());
        if (i % 8 == 0 && std::isfinite(value) && value < 1e308) {
            check_half_above_double(value);
        }
        if (std::isfinite(narrow) && std::isfinite(next)) {
            check_half_above(narrow, next);
        }
    }
    return 0;
}
