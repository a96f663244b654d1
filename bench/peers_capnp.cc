// Cap'n Proto messages, unpacked, through buffered streams over a descriptor.
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/io.h>

#include "peers.hpp"
#include "record_capnp.capnp.h"

namespace {

class Capnp : public Peer {
  public:
    Capnp() : Peer("capnp", BENCH_SHOWN | BENCH_LIMIT), buffer(peer_buffer_bytes)
    {
    }

    void prepare(const PeerWork &work) override
    {
        messages.clear();
        for (std::size_t i = 0; i < work.pool.count; i++) {
            const std::uint8_t *payload = work.pool.bytes + i * work.pool.payload_bytes;
            auto message = std::make_unique<capnp::MallocMessageBuilder>();
            message->initRoot<fls_bench_capnp::Record>().setPayload(
                capnp::Data::Reader(payload, work.pool.payload_bytes));
            messages.push_back(std::move(message));
        }
    }

    std::uint64_t write(const PeerWork &work, const std::string &path) override
    {
        kj::FdOutputStream file(
            kj::AutoCloseFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)));
        kj::BufferedOutputStreamWrapper buffered(file, whole_buffer());
        std::size_t number = 0;
        for (std::size_t i = 0; i < work.messages; i++) {
            capnp::writeMessage(buffered, *messages[number]);
            number = number + 1 < messages.size() ? number + 1 : 0;
        }
        buffered.flush();
        return work.messages;
    }

    std::uint64_t read(const PeerWork &, const std::string &path) override
    {
        kj::FdInputStream file(kj::AutoCloseFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
        kj::BufferedInputStreamWrapper buffered(file, whole_buffer());
        std::uint64_t sum = 0;
        while (buffered.tryGetReadBuffer().size() > 0) {
            capnp::InputStreamMessageReader message(buffered, capnp::ReaderOptions(),
                                                    kj::arrayPtr(scratch.data(), scratch.size()));
            const auto payload = message.getRoot<fls_bench_capnp::Record>().getPayload();
            sum += use_payload(payload.begin(), payload.size());
        }
        return sum;
    }

  private:
    kj::ArrayPtr<kj::byte> whole_buffer()
    {
        return kj::arrayPtr(buffer.data(), buffer.size());
    }

    std::vector<kj::byte> buffer;
    // Messages are read to here when they fit, instead of to new memory each time.
    std::vector<capnp::word> scratch{std::size_t(1) << 18};
    std::vector<std::unique_ptr<capnp::MallocMessageBuilder>> messages;
};

} // namespace

Peer &peer_capnp()
{
    static Capnp peer;
    return peer;
}
