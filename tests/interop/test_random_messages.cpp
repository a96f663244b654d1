// What random_messages gives out as sound is sound by the generated verifiers, is not all alike,
// and mutated it is mostly, but not always, refused: what the differential tests stand on.
#include <cstdio>
#include <cstdlib>
#include <set>

#include "everything_generated.h"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

namespace {

using random_messages::Bytes;

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

// With or without the identifier.
bool sound_everything(const Bytes &message)
{
    flatbuffers::Verifier verifier(message.data(), message.size());
    return verifier.VerifyBuffer<everything::Everything>(nullptr);
}

bool sound_telemetry(const Bytes &message)
{
    flatbuffers::Verifier verifier(message.data(), message.size());
    return telemetry::VerifySampleBuffer(verifier);
}

template <class Make, class Sound> void try_messages(const char *name, Make make, Sound sound)
{
    prng random = prng_seeded(1);
    std::set<Bytes> seen;
    Bytes last;
    std::size_t bytes = 0;
    unsigned accepted = 0;
    const unsigned count = 2000;
    for (unsigned i = 0; i < count; i++) {
        Bytes message = make(random);
        CHECK(sound(message));
        seen.insert(message);
        bytes += message.size();
        const Bytes before = message;
        random_messages::mutate(message, random, last);
        accepted += sound(message) ? 1 : 0;
        last = before;
    }
    std::printf("%s: %u messages, %zu different, %zu bytes on average, %u still sound when "
                "mutated\n",
                name, count, seen.size(), bytes / count, accepted);
    CHECK(seen.size() > count * 9 / 10);
    CHECK(accepted > count / 10 && accepted < count * 9 / 10);
}

} // namespace

int main()
{
    try_messages(
        "everything", [](prng &random) { return random_messages::everything(random); },
        sound_everything);
    try_messages(
        "telemetry", [](prng &random) { return random_messages::telemetry(random); },
        sound_telemetry);
    return 0;
}
