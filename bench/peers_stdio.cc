// Size-prefixed FlatBuffers with fwrite and fread.
#include <cstdio>

#include "peers.hpp"

namespace {

std::uint32_t length_of(const std::uint8_t *prefix)
{
    return static_cast<std::uint32_t>(prefix[0]) | static_cast<std::uint32_t>(prefix[1]) << 8 |
           static_cast<std::uint32_t>(prefix[2]) << 16 |
           static_cast<std::uint32_t>(prefix[3]) << 24;
}

class Stdio : public Peer {
  public:
    Stdio() : Peer("fb stdio", BENCH_SHOWN | BENCH_LIMIT)
    {
    }

    std::uint64_t write(const PeerWork &work, const std::string &path) override
    {
        std::FILE *file = open(path, "wb");
        const std::size_t stride = work.pool.payload_bytes + 4;
        std::size_t number = 0;
        std::uint64_t messages = 0;
        for (; messages < work.messages; messages++) {
            if (std::fwrite(work.prefixed.data() + number * stride, stride, 1, file) != 1) {
                break;
            }
            number = number + 1 < work.pool.count ? number + 1 : 0;
        }
        return std::fclose(file) == 0 ? messages : 0;
    }

    std::uint64_t read(const PeerWork &, const std::string &path) override
    {
        std::FILE *file = open(path, "rb");
        std::vector<std::uint8_t> payload;
        std::uint8_t prefix[4];
        std::uint64_t sum = 0;
        while (std::fread(prefix, sizeof prefix, 1, file) == 1) {
            const std::size_t size = length_of(prefix);
            if (payload.size() < size) {
                payload.resize(size);
            }
            if (std::fread(payload.data(), size, 1, file) != 1) {
                break;
            }
            sum += use_payload(payload.data(), size);
        }
        (void)std::fclose(file);
        return sum;
    }

  private:
    std::FILE *open(const std::string &path, const char *mode)
    {
        std::FILE *file = std::fopen(path.c_str(), mode);
        if (file == nullptr) {
            bench_fail("%s cannot be opened", path.c_str());
        }
        buffer.resize(peer_buffer_bytes);
        (void)std::setvbuf(file, buffer.data(), _IOFBF, buffer.size());
        return file;
    }

    std::vector<char> buffer;
};

} // namespace

Peer &peer_stdio()
{
    static Stdio peer;
    return peer;
}
