// Making messages: the telemetry table of three scalars by our builder, by the official one, and as
// a prepared message that is framed into memory; against copying 100 bytes.
#include <flatbuffers/flatbuffers.h>

#include <vector>

#include "flatbuf.hpp"
#include "flatstream/flatstream.h"

namespace {

const bench_table build_table = {"flatbuf-build",
                                 "Build a table of three scalars",
                                 "against copying 100 B, hot; goal: 2.5 times that",
                                 "messages",
                                 "memcpy 100 B",
                                 15,
                                 false,
                                 false,
                                 false,
                                 {"fls_builder", "C++ builder"}};

const bench_table other_table = {"flatbuf-build-all",
                                 "Build what is not the same as before",
                                 "a name, three tables and a vector of them, a union, a struct; "
                                 "no goal: ratios are to the official builder",
                                 "messages",
                                 "C++ builder",
                                 15,
                                 false,
                                 false,
                                 false,
                                 {"fls_builder"}};

const bench_table prepared_table = {
    "flatbuf-prepared",
    "Set three scalars of a prepared message and frame it into memory",
    "without a checksum, against copying 100 B, hot; goal: 0.8 times that",
    "messages",
    "memcpy 100 B",
    15,
    false,
    false,
    false,
    {"prepared", "in the image"}};

constexpr std::uint64_t messages = 512;

// Only counts: the messages are made while it is measured.
const FlatbufWork &counted(const char *name, std::size_t bytes)
{
    static std::vector<FlatbufWork> works(4); // which stay where they are
    static std::size_t used = 0;
    FlatbufWork &work = works[used++];
    work.name = name;
    work.messages.assign(messages, {nullptr, bytes});
    work.bytes = messages * bytes;
    return work;
}

fls_builder *our_builder()
{
    static fls_builder *builder = [] {
        fls_builder *made = nullptr;
        fls_error err;
        bench_must(fls_builder_new(&made, nullptr, &err), &err, "a builder");
        return made;
    }();
    return builder;
}

flatbuffers::FlatBufferBuilder &their_builder()
{
    static flatbuffers::FlatBufferBuilder builder;
    builder.ForceDefaults(true);
    return builder;
}

std::uint64_t build_ours()
{
    fls_builder *b = our_builder();
    std::uint64_t bytes = 0;
    double value = 20;
    for (std::uint64_t i = 0; i < messages; i++) {
        const void *data;
        std::size_t size;
        fls_table t = fls_builder_table(b, 3);
        fls_builder_u64(b, t, 0, 7);
        fls_builder_u64(b, t, 1, i);
        fls_builder_f64(b, t, 2, value += 0.5);
        if (fls_builder_finish(b, fls_builder_end(b, t), nullptr, &data, &size, nullptr) !=
            FLS_OK) {
            return 0;
        }
        bench_clobber();
        bytes += size;
    }
    return bytes;
}

std::uint64_t build_theirs()
{
    flatbuffers::FlatBufferBuilder &b = their_builder();
    std::uint64_t bytes = 0;
    double value = 20;
    for (std::uint64_t i = 0; i < messages; i++) {
        b.Clear();
        auto start = b.StartTable();
        b.AddElement<std::uint64_t>(4, 7, 0);
        b.AddElement<std::uint64_t>(6, i, 0);
        b.AddElement<double>(8, value += 0.5, 0);
        b.Finish(flatbuffers::Offset<void>(b.EndTable(start)));
        bench_clobber();
        bytes += b.GetSize();
    }
    return bytes;
}

struct alignas(8) Position {
    double at[3];
};

std::uint64_t build_all_ours()
{
    fls_builder *b = our_builder();
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < messages; i++) {
        const Position position = {{1, 2, static_cast<double>(i)}};
        fls_ref name = fls_builder_string(b, "a name of some length", 12 + i % 8);
        fls_ref parts[3];
        for (std::uint32_t k = 0; k < 3; k++) {
            fls_table part = fls_builder_table(b, 3);
            fls_builder_u64(b, part, 0, i);
            fls_builder_u32(b, part, 1, k);
            fls_builder_ref(b, part, 2, name);
            parts[k] = fls_builder_end(b, part);
        }
        fls_ref all = fls_builder_ref_vector(b, parts, 3);
        fls_table t = fls_builder_table(b, 6);
        fls_builder_struct(b, t, 0, &position, sizeof position, 8);
        fls_builder_u64(b, t, 1, i);
        fls_builder_ref(b, t, 2, all);
        fls_builder_union(b, t, 4, 1, parts[0]);
        fls_builder_u8(b, t, 5, 3);
        const void *data;
        std::size_t size;
        if (fls_builder_finish(b, fls_builder_end(b, t), "TEST", &data, &size, nullptr) != FLS_OK) {
            return 0;
        }
        bytes += size;
    }
    return bytes;
}

std::uint64_t build_all_theirs()
{
    flatbuffers::FlatBufferBuilder &b = their_builder();
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < messages; i++) {
        const Position position = {{1, 2, static_cast<double>(i)}};
        b.Clear();
        auto name = b.CreateString("a name of some length", 12 + i % 8);
        flatbuffers::Offset<void> parts[3];
        for (std::uint32_t k = 0; k < 3; k++) {
            auto start = b.StartTable();
            b.AddElement<std::uint64_t>(4, i, 0);
            b.AddElement<std::uint32_t>(6, k, 0);
            b.AddOffset(8, name);
            parts[k] = flatbuffers::Offset<void>(b.EndTable(start));
        }
        auto all = b.CreateVector(parts, 3);
        auto start = b.StartTable();
        b.AddStruct(4, &position);
        b.AddElement<std::uint64_t>(6, i, 0);
        b.AddOffset(8, all);
        b.AddOffset(12, parts[0]);
        b.AddElement<std::uint8_t>(10, 1, 0);
        b.AddElement<std::uint8_t>(14, 3, 0);
        b.Finish(flatbuffers::Offset<void>(b.EndTable(start)), "TEST");
        bytes += b.GetSize();
    }
    return bytes;
}

// A prepared message and the memory that it is framed into.
struct Prepared {
    fls_prepared *message;
    fls_place_u64 device;
    fls_place_u64 time;
    fls_place_u32 sequence;
    std::size_t size;
    fls_sink sink;
    fls_writer *writer;
    std::vector<std::uint8_t> memory;
};

void prepare(Prepared *p)
{
    static const fls_prepared_field fields[] = {
        {"device_id", 0}, {"timestamp_ns", 0}, {"sequence", 0}};
    const std::string &bfbs = flatbuf_bfbs();
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    fls_schema *schema;
    options.checksum = FLS_CHECKSUM_NONE;
    p->memory.resize(1 << 20);
    bench_must(fls_schema_new(&schema, bfbs.data(), bfbs.size(), nullptr, &err), &err, "schema");
    bench_must(
        fls_prepared_new(&p->message, schema, fls_schema_root(schema), fields, 3, nullptr, &err),
        &err, "prepared message");
    bench_must(fls_prepared_u64(p->message, "device_id", &p->device, &err), &err, "device_id");
    bench_must(fls_prepared_u64(p->message, "timestamp_ns", &p->time, &err), &err, "timestamp_ns");
    bench_must(fls_prepared_u32(p->message, "sequence", &p->sequence, &err), &err, "sequence");
    fls_prepared_image(p->message, &p->size);
    fls_schema_free(schema);
    bench_must(fls_sink_open_fixed(&p->sink, p->memory.data(), p->memory.size(), &err), &err,
               "sink");
    bench_must(fls_writer_open(&p->writer, p->sink, &options, &err), &err, "writer");
}

// How many bytes are in memory in the end, the frames' lengths among them.
std::uint64_t taken(const Prepared *p)
{
    const void *data;
    std::size_t size;
    bench_must(fls_writer_flush(p->writer, nullptr), nullptr, "flush");
    bench_must(fls_sink_memory(&p->sink, &data, &size), nullptr, "memory");
    return size;
}

std::uint64_t write_prepared(const Prepared *p)
{
    fls_prepared *const message = p->message;
    fls_writer *const writer = p->writer;
    const fls_place_u64 device = p->device;
    const fls_place_u64 time = p->time;
    const fls_place_u32 sequence = p->sequence;
    bench_must(fls_sink_memory_reset(&p->sink), nullptr, "reset");
    for (std::uint32_t i = 0; i < messages; i++) {
        fls_prepared_message m = fls_prepared_start(message, writer);
        fls_prepared_set_u64(m, device, 7);
        fls_prepared_set_u64(m, time, std::uint64_t{1000} * i);
        fls_prepared_set_u32(m, sequence, i);
        if (fls_writer_write_prepared(writer, message, m, nullptr) != FLS_OK) {
            return 0;
        }
    }
    return taken(p);
}

std::uint64_t write_image(const Prepared *p)
{
    std::size_t size;
    fls_prepared_message m = fls_prepared_image(p->message, &size);
    bench_must(fls_sink_memory_reset(&p->sink), nullptr, "reset");
    for (std::uint32_t i = 0; i < messages; i++) {
        fls_prepared_set_u64(m, p->device, 7);
        fls_prepared_set_u64(m, p->time, std::uint64_t{1000} * i);
        fls_prepared_set_u32(m, p->sequence, i);
        if (fls_writer_write(p->writer, m.bytes, size, nullptr) != FLS_OK) {
            return 0;
        }
    }
    return taken(p);
}

} // namespace

void flatbuf_measure_builder()
{
    static Prepared prepared;
    prepare(&prepared);
    const std::size_t built = build_ours() / messages;
    const FlatbufWork &small = counted("3 scalars", built);
    const auto copy = [&small](std::size_t bytes) {
        return [&small, bytes] { return flatbuf_copy_hundred(small) * bytes; };
    };
    flatbuf_row(build_table, small, 2.5, messages * built,
                {{"memcpy 100 B", BENCH_LIMIT, copy(built)},
                 {"fls_builder", BENCH_SHOWN | BENCH_JUDGED, build_ours},
                 {"C++ builder", BENCH_SHOWN, build_theirs}});
    const std::uint64_t all = build_all_ours();
    flatbuf_row(other_table, counted("11 fields", all / messages), 0, all,
                {{"C++ builder", BENCH_LIMIT, build_all_theirs},
                 {"fls_builder", BENCH_SHOWN, build_all_ours}});
    const std::size_t framed = prepared.size + FLS_LENGTH_BYTES;
    flatbuf_row(prepared_table, counted("3 scalars", prepared.size), 0.8, messages * framed,
                {{"memcpy 100 B", BENCH_LIMIT, copy(framed)},
                 {"prepared", BENCH_SHOWN | BENCH_JUDGED, [] { return write_prepared(&prepared); }},
                 {"in the image", BENCH_SHOWN, [] { return write_image(&prepared); }}});
}
