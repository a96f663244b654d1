// Size-prefixed FlatBuffers with file streams.
#include <fstream>

#include "peers.hpp"

namespace {

class Iostream : public Peer {
  public:
    Iostream() : Peer("fb iostream", BENCH_SHOWN | BENCH_LIMIT), buffer(peer_buffer_bytes)
    {
    }

    std::uint64_t write(const PeerWork &work, const std::string &path) override
    {
        std::ofstream file;
        file.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        file.open(path, std::ios::binary | std::ios::trunc);
        const std::size_t stride = work.pool.payload_bytes + 4;
        const auto *from = reinterpret_cast<const char *>(work.prefixed.data());
        std::size_t number = 0;
        for (std::size_t i = 0; i < work.messages; i++) {
            file.write(from + number * stride, static_cast<std::streamsize>(stride));
            number = number + 1 < work.pool.count ? number + 1 : 0;
        }
        file.close();
        return file.good() ? work.messages : 0;
    }

    std::uint64_t read(const PeerWork &, const std::string &path) override
    {
        std::ifstream file;
        file.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        file.open(path, std::ios::binary);
        std::vector<char> payload;
        char prefix[4];
        std::uint64_t sum = 0;
        while (file.read(prefix, sizeof prefix)) {
            std::size_t size = 0;
            for (unsigned i = 0; i < sizeof prefix; i++) {
                size |= static_cast<std::size_t>(static_cast<unsigned char>(prefix[i])) << (8 * i);
            }
            if (payload.size() < size) {
                payload.resize(size);
            }
            if (!file.read(payload.data(), static_cast<std::streamsize>(size))) {
                break;
            }
            sum += use_payload(payload.data(), size);
        }
        return sum;
    }

  private:
    std::vector<char> buffer;
};

} // namespace

Peer &peer_iostream()
{
    static Iostream peer;
    return peer;
}
