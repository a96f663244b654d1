// The verdicts of generated code on mutated messages, every feature of the language among them, and
// ours: the same. long_verify_differential does more of it.
//
// Usage: test_verify_differential [MESSAGES [SEED]]
#include <cstdlib>

#include "support/verify_differential.hpp"

int main(int argc, char **argv)
{
    const std::uint64_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 160000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    return verify_differential::run(messages, seed);
}
