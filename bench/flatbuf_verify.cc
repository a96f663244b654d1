// Verifying: by schema against the code that flatc generates and the official verifier by
// reflection; and the check of a root alone.
#include <flatbuffers/reflection.h>

#include "flatbuf.hpp"
#include "flatstream/table_root.h"
#include "flatstream/verify.h"
#include "telemetry_generated.h"

namespace {

const bench_table generated_table = {
    "flatbuf-verify",
    "Verify: by schema, and generated code",
    "hot, telemetry; ratios are to the generated C++ verifier; goal: no slower",
    "messages",
    "generated",
    15,
    false,
    false,
    false,
    {"fls_verify"}};

const bench_table reflection_table = {
    "flatbuf-reflect",
    "Verify: by schema, ours and the official",
    "the same; ratios are to flatbuffers::Verify; goal: 3 times as fast",
    "messages",
    "official",
    15,
    false,
    false,
    false,
    {"fls_verify"}};

const bench_table root_table = {"flatbuf-root",
                                "Root table only",
                                "the smallest check, against copying 100 B, hot; goal: half of it",
                                "messages",
                                "memcpy 100 B",
                                15,
                                false,
                                false,
                                false,
                                {"table_root"}};

std::uint64_t verify_generated(const FlatbufWork &work)
{
    std::uint64_t sound = 0;
    for (const FlatbufMessage &message : work.messages) {
        flatbuffers::Verifier verifier(message.data, message.size);
        sound += telemetry::VerifySampleBuffer(verifier) ? 1 : 0;
    }
    return sound;
}

std::uint64_t verify_reflection(const FlatbufWork &work)
{
    const reflection::Schema *schema = reflection::GetSchema(flatbuf_bfbs().data());
    std::uint64_t sound = 0;
    for (const FlatbufMessage &message : work.messages) {
        sound +=
            flatbuffers::Verify(*schema, *schema->root_table(), message.data, message.size) ? 1 : 0;
    }
    return sound;
}

std::uint64_t verify_schema(const FlatbufWork &work)
{
    static fls_schema *schema = [] {
        fls_schema *loaded = nullptr;
        fls_error err;
        bench_must(
            fls_schema_new(&loaded, flatbuf_bfbs().data(), flatbuf_bfbs().size(), nullptr, &err),
            &err, "loading the schema");
        return loaded;
    }();
    const std::uint32_t root = fls_schema_root(schema);
    std::uint64_t sound = 0;
    for (const FlatbufMessage &message : work.messages) {
        sound += fls_verify(schema, root, message.data, message.size, nullptr, nullptr) == FLS_OK
                     ? 1
                     : 0;
    }
    return sound;
}

std::uint64_t check_roots(const FlatbufWork &work)
{
    std::uint64_t sound = 0;
    for (const FlatbufMessage &message : work.messages) {
        sound += fls_table_root_check(message.data, message.size, nullptr) == FLS_OK ? 1 : 0;
    }
    return sound;
}

} // namespace

void flatbuf_measure_verify()
{
    const FlatbufWork *const works[] = {&flatbuf_mixed(), &flatbuf_one_kib()};
    for (const FlatbufWork *work : works) {
        flatbuf_row(
            generated_table, *work, 1.0, work->messages.size(),
            {{"generated", BENCH_LIMIT | BENCH_SHOWN, [work] { return verify_generated(*work); }},
             {"fls_verify", BENCH_SHOWN | BENCH_JUDGED, [work] { return verify_schema(*work); }}});
    }
    for (const FlatbufWork *work : works) {
        flatbuf_row(
            reflection_table, *work, 1.0 / 3, work->messages.size(),
            {{"official", BENCH_LIMIT | BENCH_SHOWN, [work] { return verify_reflection(*work); }},
             {"fls_verify", BENCH_SHOWN | BENCH_JUDGED, [work] { return verify_schema(*work); }}});
    }
    const FlatbufWork &small = flatbuf_hundred();
    flatbuf_row(
        root_table, small, 0.5, small.messages.size(),
        {{"memcpy 100 B", BENCH_LIMIT, [&small] { return flatbuf_copy_hundred(small); }},
         {"table_root", BENCH_SHOWN | BENCH_JUDGED, [&small] { return check_roots(small); }}});
}
