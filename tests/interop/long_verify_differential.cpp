// Ten million times what test_verify_differential does.
//
// Usage: long_verify_differential [MESSAGES [SEED]]
#include <cstdlib>

#include "support/verify_differential.hpp"

int main(int argc, char **argv)
{
    const std::uint64_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10400000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000000;
    return verify_differential::run(messages, seed);
}
