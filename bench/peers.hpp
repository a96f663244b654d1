// What others would use for the same work: each peer writes a file of messages and reads it back,
// as its own documentation would have one do it, with buffers as large as ours. The payloads, real
// FlatBuffers, are built before; a reader uses the first and the last byte of each.
#ifndef FLS_BENCH_PEERS_HPP
#define FLS_BENCH_PEERS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"
#include "workload.h"

constexpr std::size_t peer_buffer_bytes = 256 * 1024;

// The messages of a row; message i is number i % pool.count.
struct PeerWork {
    bench_pool pool; // payloads one behind another
    std::vector<std::uint8_t>
        prefixed; // the same, each behind its length: size-prefixed FlatBuffers
    std::size_t messages;
};

inline std::uint64_t use_payload(const void *payload, std::size_t size)
{
    const auto *bytes = static_cast<const std::uint8_t *>(payload);
    return static_cast<std::uint64_t>(bytes[0]) + bytes[size - 1];
}

// A peer in a row: its messages made ready, and a file of its own.
class Peer {
  public:
    Peer(const char *own_name, std::uint32_t own_kind) : name(own_name), kind(own_kind)
    {
    }
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;
    virtual ~Peer() = default;

    // Makes what is written ready; not timed.
    virtual void prepare(const PeerWork &)
    {
    }

    // Makes the file, or empties it, and writes the messages. Returns how many.
    virtual std::uint64_t write(const PeerWork &work, const std::string &path) = 0;

    // Returns the sum of use_payload over the messages.
    virtual std::uint64_t read(const PeerWork &work, const std::string &path) = 0;

    const char *name;
    std::uint32_t kind;
};

Peer &ours_none();
Peer &ours_xxh3();
Peer &ours_none_mapped(); // reads only
Peer &ours_xxh3_mapped(); // reads only
Peer &peer_stdio();
Peer &peer_iostream();
#ifdef FLS_BENCH_PROTOBUF
Peer &peer_protobuf();
#endif
#ifdef FLS_BENCH_CAPNP
Peer &peer_capnp();
#endif

#endif
