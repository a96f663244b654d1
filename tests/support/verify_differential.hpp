// Our verifier against the code that flatc generates, over mutated messages.
#ifndef TESTS_SUPPORT_VERIFY_DIFFERENTIAL_HPP
#define TESTS_SUPPORT_VERIFY_DIFFERENTIAL_HPP

#include <cstdint>

namespace verify_differential {

// Compares that many verdicts and visits every message that was accepted. Returns 0, or 1 after
// having said what differed.
int run(std::uint64_t messages, std::uint64_t seed);

} // namespace verify_differential

#endif
