// What the benchmarks of FlatBuffers share: telemetry messages made in code, the schema, and rows
// whose competitors are lambdas. One file a subject: flatbuf_verify.cc and so on, each with a
// function that flatbuf_main.cc calls.
#ifndef FLS_BENCH_FLATBUF_HPP
#define FLS_BENCH_FLATBUF_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness.h"

struct FlatbufMessage {
    const std::uint8_t *data; // aligned to 16 bytes
    std::size_t size;
};

struct FlatbufWork {
    const char *name; // the variant of its rows
    std::vector<FlatbufMessage> messages;
    std::size_t bytes; // of all of them
    std::size_t mean_bytes() const
    {
        return bytes / messages.size();
    }
};

// telemetry.Sample: a mix as vehicles send it, 200 bytes on average, from 60 to 600; messages of
// just 1 KiB, half of it numbers; and some of about 100 bytes. The first two stay in the
// second-level cache, the last in the first.
const FlatbufWork &flatbuf_mixed();
const FlatbufWork &flatbuf_one_kib();
const FlatbufWork &flatbuf_hundred();

// Hands on messages like flatbuf_mixed's, numbered in `sequence`, for as long as the callback
// wants.
void flatbuf_each_mixed(const std::function<bool(const void *message, std::size_t size)> &take);

// A hot memcpy of 100 bytes whose size the compiler does not know, once a message of the work: the
// limit that small things are held against. Returns how many.
std::uint64_t flatbuf_copy_hundred(const FlatbufWork &work);

// The bytes of the telemetry schema, as flatc writes them with builtins.
const std::string &flatbuf_bfbs();

// One run does the work once and returns what the row expects.
struct FlatbufCompetitor {
    const char *name;
    std::uint32_t kind; // BENCH_LIMIT and so on
    std::function<std::uint64_t()> run;
};

// What a row is about, where it is no FlatbufWork.
struct FlatbufAmount {
    std::size_t payload_bytes;
    const char *variant;
    std::size_t messages;
    std::size_t bytes;
};

// A row that bench_wanted was asked for. The first row of a table begins it.
void flatbuf_wanted_row(const bench_table &table, const FlatbufAmount &amount, double goal,
                        std::uint64_t expected, const std::vector<FlatbufCompetitor> &competitors);

// A row for some work; does nothing when --filter leaves it out.
void flatbuf_row(const bench_table &table, const FlatbufWork &work, double goal,
                 std::uint64_t expected, const std::vector<FlatbufCompetitor> &competitors);

void flatbuf_measure_builder();
void flatbuf_measure_json();
void flatbuf_measure_query();
void flatbuf_measure_verify();

#endif
