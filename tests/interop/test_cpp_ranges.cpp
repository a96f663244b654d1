// The C++ layer in C++20: streams are ranges of the standard library, and bytes are spans. CMake
// compiles this file with -std=c++20.
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <span>

#include "flatstream/flatstream.hpp"
#include "telemetry_generated.h"

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

using samples = flatstream::typed_range<telemetry::Sample, flatstream::reader>;
static_assert(std::ranges::input_range<flatstream::reader>);
static_assert(std::ranges::input_range<flatstream::view>);
static_assert(std::ranges::input_range<samples>);
static_assert(!std::ranges::forward_range<samples>);
static_assert(!std::copyable<flatstream::writer> && std::movable<flatstream::writer>);
static_assert(!std::copyable<flatstream::reader> && std::movable<flatstream::reader>);
static_assert(!std::copyable<flatstream::view> && std::movable<flatstream::view>);
static_assert(std::convertible_to<flatstream::byte_view, std::span<const std::byte>>);
static_assert(std::convertible_to<flatstream::byte_view, std::span<const std::uint8_t>>);

int main()
{
    flatstream::writer out = flatstream::writer::to_memory();
    flatbuffers::FlatBufferBuilder fbb;
    for (uint32_t i = 0; i < 100; i++) {
        fbb.Clear();
        telemetry::SampleBuilder sample(fbb);
        sample.add_sequence(i);
        fbb.Finish(sample.Finish());
        out.write(std::span<const std::uint8_t>(fbb.GetBufferPointer(), fbb.GetSize()));
    }
    std::span<const std::byte> all = out.memory();
    CHECK(all.size() == out.offset());
    flatstream::reader in = flatstream::reader::from_memory(out.memory());
#if !defined(__clang__) || __clang_major__ >= 16 // older ones do not compile libstdc++'s views
    auto of_reader = in.as<telemetry::Sample>();
    uint32_t wanted = 7;
    for (uint32_t sequence : of_reader | std::views::filter([](const telemetry::Sample &s) {
                                 return s.sequence() % 10 == 7;
                             }) | std::views::transform([](const telemetry::Sample &s) {
                                 return s.sequence();
                             }) | std::views::take(5)) {
        CHECK(sequence == wanted);
        wanted += 10;
    }
    CHECK(wanted == 57);
#endif
    flatstream::view again(out.memory());
    CHECK(std::ranges::count_if(again, [](const flatstream::message &message) {
              return message.ordinal % 2 == 0;
          }) == 50);
    return 0;
}
