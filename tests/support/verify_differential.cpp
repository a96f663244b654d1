#include "support/verify_differential.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "everything_generated.h"
#include "flatstream/verify.h"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

extern "C" {
#include "support/visit_message.h"
}

namespace verify_differential {

namespace {

using random_messages::AlignedCopy;
using random_messages::Bytes;

// How many copies of a message are damaged, each in its own way.
constexpr unsigned copies = 12;

struct Schema {
    explicit Schema(const char *name)
    {
        const std::string path = std::string(FLS_TEST_SCHEMA_DIR "/") + name + ".bfbs";
        std::ifstream file(path, std::ios::binary);
        std::stringstream content;
        content << file.rdbuf();
        const std::string bytes = content.str();
        fls_error err;
        if (fls_schema_new(&loaded, bytes.data(), bytes.size(), nullptr, &err) != FLS_OK) {
            std::fprintf(stderr, "%s: %s\n", path.c_str(), err.text);
            std::exit(1);
        }
    }
    ~Schema()
    {
        fls_schema_free(loaded);
    }
    Schema(const Schema &) = delete;
    Schema &operator=(const Schema &) = delete;

    fls_schema *loaded = nullptr;
};

template <class T> bool aligned_to(const flatbuffers::Vector<const T *> *vector)
{
    return vector == nullptr || reinterpret_cast<std::uintptr_t>(vector->data()) % alignof(T) == 0;
}

// No verifier asks where a vector's elements lie, but what copies structs of 16 bytes and more
// does.
bool may_unpack(const everything::Everything *message)
{
    const auto *vectors = message->vectors();
    if (vectors != nullptr && !(aligned_to(vectors->aligned()) && aligned_to(vectors->wide()))) {
        return false;
    }
    if (message->all() != nullptr) {
        for (const auto *one : *message->all()) {
            if (!may_unpack(one)) {
                return false;
            }
        }
    }
    return true;
}

bool may_unpack(const telemetry::Sample *)
{
    return true;
}

struct Tally {
    std::uint64_t messages = 0;
    std::uint64_t accepted = 0;
    std::uint64_t by_rule[32] = {};
};

class Trial {
  public:
    Trial(const Schema &schema, Tally &tally, const AlignedCopy &message)
        : schema_(schema.loaded), tally_(tally), message_(message)
    {
    }

    template <class Root> bool compare(const char *identifier)
    {
        flatbuffers::Verifier verifier(message_.data(), message_.size());
        const bool theirs = verifier.VerifyBuffer<Root>(identifier);
        const bool ours = verify(identifier != nullptr);
        tally_.messages++;
        tally_.accepted += ours ? 1 : 0;
        if (ours != theirs) {
            std::fprintf(stderr, "%s: generated code says %s, ours %s: %s: %s at %" PRIu64 "\n",
                         Root::GetFullyQualifiedName(), theirs ? "sound" : "not sound",
                         ours ? "sound" : "not sound", violation_.path,
                         fls_rule_text(violation_.rule), violation_.offset);
            return false;
        }
        if (ours) {
            visit<Root>();
        }
        return true;
    }

  private:
    bool verify(bool with_identifier)
    {
        fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
        options.checks = with_identifier ? FLS_VERIFY_IDENTIFIER : 0u;
        const bool is_sound = fls_verify(schema_, fls_schema_root(schema_), message_.data(),
                                         message_.size(), &options, &violation_) == FLS_OK;
        tally_.by_rule[violation_.rule]++;
        if (is_sound != (violation_.rule == FLS_RULE_NONE)) {
            std::fprintf(stderr, "a verdict and its reason differ\n");
            std::exit(1);
        }
        return is_sound;
    }

    template <class Root> void visit()
    {
        sum_ += visit_message(schema_, fls_schema_root(schema_), message_.data());
        const auto *root = flatbuffers::GetRoot<Root>(message_.data());
        if (may_unpack(root)) {
            const std::unique_ptr<typename Root::NativeTableType> unpacked(root->UnPack());
        }
    }

    const fls_schema *schema_;
    Tally &tally_;
    const AlignedCopy &message_;
    fls_violation violation_ = {};
    std::uint64_t sum_ = 0;
};

void print(const char *name, const Tally &tally)
{
    std::printf("%s: %" PRIu64 " messages, %" PRIu64 " sound\n", name, tally.messages,
                tally.accepted);
    for (unsigned rule = 1; rule < 32; rule++) {
        if (tally.by_rule[rule] != 0) {
            std::printf("  %10" PRIu64 "  %s\n", tally.by_rule[rule],
                        fls_rule_text(static_cast<fls_rule>(rule)));
        }
    }
}

bool fail(const char *name, std::uint64_t seed, const AlignedCopy &message)
{
    std::fprintf(stderr, "%s, seed %" PRIu64 ", %zu bytes:", name, seed, message.size());
    for (std::size_t i = 0; i < message.size(); i++) {
        std::fprintf(stderr, "%s%02x", i % 16 == 0 ? "\n  " : " ", message.data()[i]);
    }
    std::fprintf(stderr, "\n");
    return false;
}

template <class Root, class Make>
bool run_type(const char *name, std::uint64_t messages, std::uint64_t seed, Make make)
{
    const Schema schema(name);
    Tally tally;
    Bytes other;
    const bool has_identifier = fls_schema_identifier(schema.loaded)[0] != '\0';
    for (std::uint64_t round = seed; tally.messages < messages; round++) {
        prng random = prng_seeded(round);
        const Bytes message = make(random);
        for (unsigned i = 0; i <= copies; i++) {
            Bytes damaged = message;
            if (i > 0) {
                random_messages::mutate(damaged, random, other);
            }
            const AlignedCopy copy(damaged);
            const char *identifier =
                has_identifier && i % 4 == 3 ? fls_schema_identifier(schema.loaded) : nullptr;
            if (!Trial(schema, tally, copy).compare<Root>(identifier)) {
                return fail(name, round, copy);
            }
        }
        other = message;
    }
    print(name, tally);
    return tally.accepted > tally.messages / 10 && tally.accepted < tally.messages * 9 / 10;
}

} // namespace

int run(std::uint64_t messages, std::uint64_t seed)
{
    const bool is_same =
        run_type<everything::Everything>("everything", messages * 3 / 4, seed,
                                         [](prng &random) {
                                             random_messages::Shape shape;
                                             shape.percent = 10 + static_cast<unsigned>(
                                                                      prng_below(&random, 60));
                                             shape.only_sound_flex = false;
                                             return random_messages::everything(random, shape);
                                         }) &&
        run_type<telemetry::Sample>("telemetry", messages / 4, seed, [](prng &random) {
            return random_messages::telemetry(random);
        });
    return is_same ? 0 : 1;
}

} // namespace verify_differential
