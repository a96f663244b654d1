// flatstream-bench-peers: files in the page cache, written and read by flatstream and by what a C
// or C++ programmer would otherwise take from Debian's packages. `make bench` runs it.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#ifdef FLS_BENCH_FLATBUFFERS
#include <flatbuffers/flatbuffers.h>
#endif

#include "peers.hpp"

namespace {

constexpr std::size_t mib = 1024 * 1024;

std::string directory; // of the files, removed at exit

void remove_directory()
{
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

void make_directory()
{
    directory = std::string(bench_given()->directory) + "/flatstream-bench-peers." +
                std::to_string(getpid());
    std::filesystem::create_directory(directory);
    (void)std::atexit(remove_directory);
}

#ifdef FLS_BENCH_FLATBUFFERS
// A table with one vector of bytes that is exactly size bytes long, in place of random bytes.
void make_flatbuffer(std::uint8_t *payload, std::size_t size)
{
    const std::vector<std::uint8_t> content(payload, payload + size);
    flatbuffers::FlatBufferBuilder builder;
    for (std::size_t length = size; length > 0; length--) {
        builder.Clear();
        const auto bytes = builder.CreateVector(content.data(), length);
        const auto table = builder.StartTable();
        builder.AddOffset(4, bytes);
        builder.Finish(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(table)));
        if (builder.GetSize() == size) {
            std::memcpy(payload, builder.GetBufferPointer(), size);
            return;
        }
        if (builder.GetSize() > size + 64) {
            length -= builder.GetSize() - size - 64;
        }
    }
    bench_fail("no FlatBuffer of %zu bytes could be built", size);
}
#else
void make_flatbuffer(std::uint8_t *, std::size_t)
{
} // random bytes do as well
#endif

void make_work(PeerWork &work, std::size_t payload_bytes, std::size_t total_bytes)
{
    bench_pool_init(&work.pool, payload_bytes, 64 * 1024);
    work.prefixed.clear();
    for (std::size_t i = 0; i < work.pool.count; i++) {
        std::uint8_t *payload = work.pool.bytes + i * payload_bytes;
        make_flatbuffer(payload, payload_bytes);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            work.prefixed.push_back(static_cast<std::uint8_t>(payload_bytes >> shift));
        }
        work.prefixed.insert(work.prefixed.end(), payload, payload + payload_bytes);
    }
    work.messages = total_bytes / payload_bytes;
}

std::uint64_t expected_use(const PeerWork &work)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < work.messages; i++) {
        const std::size_t at = i % work.pool.count * work.pool.payload_bytes;
        sum += use_payload(work.pool.bytes + at, work.pool.payload_bytes);
    }
    return sum;
}

// A peer in one row, as the harness sees it.
struct Competitor {
    Peer *peer;
    const PeerWork *work;
    std::string path;
};

std::uint64_t run_write(void *self)
{
    auto *one = static_cast<Competitor *>(self);
    return one->peer->write(*one->work, one->path);
}

void remove_written(void *self)
{
    (void)unlink(static_cast<Competitor *>(self)->path.c_str());
}

std::uint64_t run_read(void *self)
{
    auto *one = static_cast<Competitor *>(self);
    return one->peer->read(*one->work, one->path);
}

std::vector<Peer *> all_peers(bool reading)
{
    std::vector<Peer *> peers = {&ours_none(), &ours_xxh3()};
    if (reading) {
        peers.push_back(&ours_none_mapped());
        peers.push_back(&ours_xxh3_mapped());
    }
    peers.push_back(&peer_stdio());
    peers.push_back(&peer_iostream());
#ifdef FLS_BENCH_PROTOBUF
    peers.push_back(&peer_protobuf());
#endif
#ifdef FLS_BENCH_CAPNP
    peers.push_back(&peer_capnp());
#endif
    return peers;
}

void measure(const PeerWork &work, bool reading)
{
    std::vector<Competitor> all;
    std::vector<bench_competitor> competitors;
    for (Peer *peer : all_peers(reading)) {
        all.push_back({peer, &work, directory + "/" + std::to_string(all.size())});
    }
    for (Competitor &one : all) {
        one.peer->prepare(work);
        if (reading) {
            one.peer->write(work, one.path);
        }
        competitors.push_back({one.peer->name, one.peer->kind, nullptr,
                               reading ? run_read : run_write, reading ? nullptr : remove_written,
                               &one});
    }
    const auto messages = static_cast<double>(work.messages);
    const bench_row row = {work.pool.payload_bytes,
                           "file",
                           messages,
                           messages * static_cast<double>(work.pool.payload_bytes),
                           reading ? expected_use(work) : work.messages,
                           1.0,
                           competitors.data(),
                           competitors.size()};
    bench_row_run(&row);
    for (Competitor &one : all) {
        remove_written(&one);
    }
}

const bench_table write_table = {
    "peers-write",
    "Write a file: flatstream and others",
    "128 MiB of payloads, page cache, 256 KiB buffers; ratios are to the fastest of the others; "
    "goal: ahead of it",
    "where",
    "best other",
    5,
    true,
    false,
    false,
    {"none", "xxh3", "fb stdio", "fb iostream", "protobuf", "capnp"}};

const bench_table read_table = {
    "peers-read",
    "Read a file: flatstream and others",
    "the same files; each payload's first and last byte used; ratios are to the fastest of the "
    "others; goal: ahead of it",
    "where",
    "best other",
    5,
    true,
    false,
    false,
    {"none", "xxh3", "none mapped", "xxh3 mapped", "fb stdio", "fb iostream", "protobuf", "capnp"}};

void measure_table(const bench_table &table, bool reading)
{
    const std::size_t total = bench_given()->smoke ? 2 * mib : 128 * mib;
    bench_table_begin(&table);
    for (const std::size_t payload_bytes : bench_sizes) {
        if (bench_wanted(&table, payload_bytes, "file")) {
            PeerWork work = {};
            make_work(work, payload_bytes, total);
            measure(work, reading);
            bench_pool_fini(&work.pool);
        }
    }
}

} // namespace

int main(int argc, char **argv)
{
    bench_start("flatstream-bench-peers", argc, argv);
    make_directory();
    measure_table(write_table, false);
    measure_table(read_table, true);
    return bench_finish();
}
