// The messages, built with the official builder.
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "flatbuf.hpp"
#include "telemetry_generated.h"

namespace {

using flatbuffers::FlatBufferBuilder;

struct Random {
    std::uint64_t state;
    std::uint64_t below(std::uint64_t bound)
    {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % bound;
    }
    bool percent(unsigned wanted)
    {
        return below(100) < wanted;
    }
};

// Messages one behind another, each at a multiple of 16.
class Pool {
  public:
    void add(const void *message, std::size_t size)
    {
        const std::size_t at = (used_ + 15) / 16 * 16;
        places_.push_back({at, size});
        used_ = at + size;
        bytes_.resize((used_ + 15) / 16);
        std::memcpy(reinterpret_cast<std::uint8_t *>(bytes_.data()) + at, message, size);
    }

    FlatbufWork work(const char *name) const
    {
        FlatbufWork result = {name, {}, 0};
        for (const auto &[at, size] : places_) {
            result.messages.push_back(
                {reinterpret_cast<const std::uint8_t *>(bytes_.data()) + at, size});
            result.bytes += size;
        }
        return result;
    }

  private:
    struct alignas(16) Block {
        std::uint8_t bytes[16];
    };
    struct Place {
        std::size_t at;
        std::size_t size;
    };
    std::vector<Block> bytes_;
    std::vector<Place> places_;
    std::size_t used_ = 0;
};

flatbuffers::Offset<telemetry::Pose> add_pose(FlatBufferBuilder &builder, Random &random)
{
    const telemetry::Vec3 position(static_cast<double>(random.below(2000000)) / 997 - 1000,
                                   static_cast<double>(random.below(2000000)) / 997 - 1000,
                                   static_cast<double>(random.below(100000)) / 997);
    const telemetry::Quat attitude(1.0f, 0.0f, -0.5f, 0.125f);
    flatbuffers::Offset<flatbuffers::Vector<float>> covariance = 0;
    if (random.percent(50)) {
        const float values[] = {-3.0f, 0.5f, 1.5f, -3.0f, 0.25f, 2.0f};
        covariance = builder.CreateVector(values, 6);
    }
    return telemetry::CreatePose(builder, &position, &attitude, covariance);
}

flatbuffers::Offset<telemetry::Battery> add_battery(FlatBufferBuilder &builder, Random &random)
{
    std::uint16_t cells[12];
    for (std::uint16_t &cell : cells) {
        cell = static_cast<std::uint16_t>(3200 + random.below(1000));
    }
    const auto cell_mv = builder.CreateVector(cells, 12);
    return telemetry::CreateBattery(builder, cell_mv,
                                    static_cast<float>(random.below(4000)) / 16 - 100);
}

struct Extra {
    telemetry::Extra tag;
    flatbuffers::Offset<void> value;
};

Extra add_extra(FlatBufferBuilder &builder, Random &random)
{
    if (random.percent(50)) {
        const auto text = builder.CreateString("over temperature");
        return {telemetry::Extra::Alert,
                telemetry::CreateAlert(builder, static_cast<std::uint32_t>(random.below(1u << 31)),
                                       text, 6)
                    .Union()};
    }
    const auto peer = builder.CreateString("base-3");
    return {telemetry::Extra::Radio, telemetry::CreateRadio(builder, -71, peer).Union()};
}

// Rare parts in rare messages, as the samples of vehicles are.
void build_mixed(FlatBufferBuilder &builder, Random &random, std::uint32_t sequence)
{
    builder.Clear();
    flatbuffers::Offset<telemetry::Pose> pose = 0;
    flatbuffers::Offset<telemetry::Battery> battery = 0;
    flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> tags = 0;
    flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> raw = 0;
    Extra extra = {telemetry::Extra::NONE, 0};
    if (random.percent(50))
        pose = add_pose(builder, random);
    if (random.percent(34))
        battery = add_battery(builder, random);
    double channels[16];
    const std::size_t count = random.below(12);
    for (std::size_t i = 0; i < count; i++) {
        channels[i] = 100.0 * std::sin(static_cast<double>(random.below(100000)) / 1e4);
    }
    const auto values = builder.CreateVector(channels, count);
    if (random.percent(25)) {
        tags = builder.CreateVectorOfStrings({"a\"b",
                                              "\xc3\xbc"
                                              "bung",
                                              ""});
    }
    if (random.percent(20))
        extra = add_extra(builder, random);
    if (random.percent(20)) {
        std::vector<std::uint8_t> bytes(random.below(128));
        for (std::uint8_t &byte : bytes) {
            byte = static_cast<std::uint8_t>(random.below(256));
        }
        raw = builder.CreateVector(bytes);
    }
    const telemetry::Mode modes[] = {telemetry::Mode::Idle, telemetry::Mode::Drive,
                                     telemetry::Mode::Charge, telemetry::Mode::Fault};
    builder.Finish(telemetry::CreateSample(
        builder, 7 + sequence % 16, 1790000000000000000u + sequence * 1000003ull, sequence,
        modes[random.below(4)], pose, battery, values, tags, extra.tag, extra.value, raw));
}

// All parts, and raw bytes until the size is right.
void build_one_kib(FlatBufferBuilder &builder, std::uint64_t seed, std::uint32_t sequence)
{
    for (std::size_t fill = 240; fill < 1024; fill += 1) {
        Random random = {seed};
        builder.Clear();
        const auto pose = add_pose(builder, random);
        const auto battery = add_battery(builder, random);
        double channels[64];
        for (double &channel : channels) {
            channel = 100.0 * std::sin(static_cast<double>(random.below(100000)) / 1e4);
        }
        const auto values = builder.CreateVector(channels, 64);
        const auto tags = builder.CreateVectorOfStrings({"cell", "motor-left", "night run"});
        const Extra extra = add_extra(builder, random);
        std::vector<std::uint8_t> bytes(fill - 240, 0x5a);
        const auto raw = builder.CreateVector(bytes);
        builder.Finish(telemetry::CreateSample(
            builder, 7, 1790000000000000000u + sequence * 1000003ull, sequence,
            telemetry::Mode::Drive, pose, battery, values, tags, extra.tag, extra.value, raw));
        if (builder.GetSize() >= 1024) {
            return;
        }
    }
    bench_fail("no message of 1 KiB could be built");
}

} // namespace

void flatbuf_each_mixed(const std::function<bool(const void *message, std::size_t size)> &take)
{
    FlatBufferBuilder builder;
    Random random = {1};
    for (std::uint32_t i = 0;; i++) {
        build_mixed(builder, random, i);
        if (!take(builder.GetBufferPointer(), builder.GetSize())) {
            return;
        }
    }
}

const FlatbufWork &flatbuf_mixed()
{
    static Pool pool;
    static const FlatbufWork work = [] {
        std::size_t count = 0;
        flatbuf_each_mixed([&count](const void *message, std::size_t size) {
            pool.add(message, size);
            return ++count < 512;
        });
        return pool.work("telemetry");
    }();
    return work;
}

const FlatbufWork &flatbuf_one_kib()
{
    static Pool pool;
    static const FlatbufWork work = [] {
        FlatBufferBuilder builder;
        for (std::uint32_t i = 0; i < 64; i++) {
            build_one_kib(builder, i, i);
            pool.add(builder.GetBufferPointer(), builder.GetSize());
        }
        return pool.work("1 KiB");
    }();
    return work;
}

const FlatbufWork &flatbuf_hundred()
{
    static const FlatbufWork work = [] {
        FlatbufWork result = {"small", {}, 0};
        for (const FlatbufMessage &message : flatbuf_mixed().messages) {
            if (message.size >= 80 && message.size <= 120 && result.messages.size() < 64) {
                result.messages.push_back(message);
                result.bytes += message.size;
            }
        }
        return result;
    }();
    return work;
}

std::uint64_t flatbuf_copy_hundred(const FlatbufWork &work)
{
    alignas(64) static std::uint8_t from[128];
    alignas(64) static std::uint8_t to[128];
    std::uint64_t copied = 0;
    for (; copied < work.messages.size(); copied++) {
        std::memcpy(to, from, bench_opaque(100));
        bench_clobber();
    }
    return copied;
}

const std::string &flatbuf_bfbs()
{
    static const std::string bytes = [] {
        std::ifstream file(FLS_BENCH_BFBS, std::ios::binary);
        std::stringstream content;
        content << file.rdbuf();
        if (!file || content.str().empty()) {
            bench_fail("%s cannot be read", FLS_BENCH_BFBS);
        }
        return content.str();
    }();
    return bytes;
}

void flatbuf_wanted_row(const bench_table &table, const FlatbufAmount &amount, double goal,
                        std::uint64_t expected, const std::vector<FlatbufCompetitor> &competitors)
{
    static const bench_table *begun = nullptr;
    if (begun != &table) {
        bench_table_begin(&table);
        begun = &table;
    }
    std::vector<bench_competitor> all;
    for (const FlatbufCompetitor &one : competitors) {
        const auto run = [](void *self) {
            return static_cast<const FlatbufCompetitor *>(self)->run();
        };
        all.push_back(
            {one.name, one.kind, nullptr, run, nullptr, const_cast<FlatbufCompetitor *>(&one)});
    }
    const bench_row row = {amount.payload_bytes,
                           amount.variant,
                           static_cast<double>(amount.messages),
                           static_cast<double>(amount.bytes),
                           expected,
                           goal,
                           all.data(),
                           all.size()};
    bench_row_run(&row);
}

void flatbuf_row(const bench_table &table, const FlatbufWork &work, double goal,
                 std::uint64_t expected, const std::vector<FlatbufCompetitor> &competitors)
{
    if (bench_wanted(&table, work.mean_bytes(), work.name)) {
        flatbuf_wanted_row(table, {work.mean_bytes(), work.name, work.messages.size(), work.bytes},
                           goal, expected, competitors);
    }
}
