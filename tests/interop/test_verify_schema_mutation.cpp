// A damaged schema that is loaded all the same, and damaged messages: the verifier, and who reads
// what it accepted, never leave the message. A sanitizer sees it, since every message lies in a
// block of just its size.
//
// Usage: test_verify_schema_mutation [SCHEMAS [SEED]]
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "flatstream/verify.h"
#include "support/random_messages.hpp"

extern "C" {
#include "support/visit_message.h"
}

namespace {

using random_messages::AlignedCopy;
using random_messages::Bytes;

Bytes contents(const char *name)
{
    std::ifstream file(std::string(FLS_TEST_SCHEMA_DIR "/") + name, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    const std::string bytes = all.str();
    return Bytes(bytes.begin(), bytes.end());
}

struct Tally {
    std::uint64_t schemas = 0;
    std::uint64_t loaded = 0;
    std::uint64_t messages = 0;
    std::uint64_t accepted = 0;
    std::uint64_t sum = 0;
};

void verify(const fls_schema *schema, std::uint32_t root, const Bytes &bytes, std::uint32_t checks,
            Tally &tally)
{
    const AlignedCopy message(bytes);
    fls_violation violation;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.checks = checks;
    options.max_apparent_bytes = 1 << 20;
    const fls_status status =
        fls_verify(schema, root, message.data(), message.size(), &options, &violation);
    tally.messages++;
    if ((status == FLS_OK) != (violation.rule == FLS_RULE_NONE) ||
        violation.offset > message.size()) {
        std::fprintf(stderr, "a verdict and its reason differ\n");
        std::exit(1);
    }
    if (status == FLS_OK) {
        tally.accepted++;
        tally.sum += visit_message(schema, root, message.data());
    }
}

template <class Make>
void run(const char *name, std::uint64_t schemas, std::uint64_t seed, Make make)
{
    const Bytes sound = contents(name);
    Tally tally;
    for (std::uint64_t i = 0; i < schemas; i++) {
        prng random = prng_seeded(seed + i);
        Bytes damaged = sound;
        random_messages::mutate(damaged, random, sound);
        const AlignedCopy copy(damaged);
        fls_schema *schema = nullptr;
        tally.schemas++;
        if (fls_schema_new(&schema, copy.data(), copy.size(), nullptr, nullptr) != FLS_OK) {
            continue;
        }
        tally.loaded++;
        Bytes message = make(random);
        for (unsigned round = 0; round < 6; round++) {
            for (std::uint32_t root = 0; root < fls_schema_object_count(schema); root++) {
                fls_schema_object object;
                fls_schema_get_object(schema, root, &object);
                if (!object.is_struct && (root == fls_schema_root(schema) || round == 0)) {
                    verify(schema, root, message, round % 2 == 0 ? 0u : FLS_VERIFY_SORTED, tally);
                }
            }
            random_messages::mutate(message, random, message);
        }
        fls_schema_free(schema);
    }
    std::printf("%s: %llu schemas, %llu loaded, %llu messages, %llu accepted\n", name,
                static_cast<unsigned long long>(tally.schemas),
                static_cast<unsigned long long>(tally.loaded),
                static_cast<unsigned long long>(tally.messages),
                static_cast<unsigned long long>(tally.accepted));
    if (tally.loaded < schemas / 50 || tally.accepted == 0) {
        std::fprintf(stderr, "too few schemas were loaded to show anything\n");
        std::exit(1);
    }
}

} // namespace

int main(int argc, char **argv)
{
    const std::uint64_t schemas = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 3000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    run("telemetry.bfbs", schemas, seed,
        [](prng &random) { return random_messages::telemetry(random); });
    run("everything.bfbs", schemas / 3, seed,
        [](prng &random) { return random_messages::everything(random); });
    return 0;
}
