// flatstream itself, by its public roads.
#include "flatstream/flatstream.h"
#include "peers.hpp"

namespace {

class Ours : public Peer {
  public:
    Ours(const char *own_name, fls_checksum of_stream, bool by_mapping)
        : Peer(own_name, BENCH_SHOWN | BENCH_JUDGED), checksum(of_stream), mapped(by_mapping)
    {
    }

    std::uint64_t write(const PeerWork &work, const std::string &path) override
    {
        fls_writer *writer = nullptr;
        fls_error err = FLS_ERROR_INIT;
        fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
        options.checksum = checksum;
        bench_must(fls_writer_open_file(&writer, path.c_str(), &options, &err), &err, "open");
        const bench_pool &pool = work.pool;
        std::size_t number = 0;
        for (std::size_t i = 0; i < work.messages; i++) {
            const fls_status status = fls_writer_write(
                writer, pool.bytes + number * pool.payload_bytes, pool.payload_bytes, &err);
            if (status != FLS_OK) {
                bench_must(status, &err, "write");
            }
            number = number + 1 < pool.count ? number + 1 : 0;
        }
        const std::uint64_t messages = fls_writer_messages(writer);
        bench_must(fls_writer_close(writer, &err), &err, "close");
        return messages;
    }

    std::uint64_t read(const PeerWork &, const std::string &path) override
    {
        fls_reader *reader = nullptr;
        fls_error err = FLS_ERROR_INIT;
        fls_reader_options options = FLS_READER_OPTIONS_INIT;
        options.checksum = checksum;
        bench_must(mapped ? fls_reader_open_mapped(&reader, path.c_str(), &options, &err)
                          : fls_reader_open_file(&reader, path.c_str(), &options, &err),
                   &err, "open");
        fls_message messages[64];
        std::size_t count = 0;
        std::uint64_t sum = 0;
        fls_status status = FLS_OK;
        while ((status = fls_reader_next_batch(reader, messages, 64, &count, &err)) == FLS_OK) {
            for (std::size_t i = 0; i < count; i++) {
                sum += use_payload(messages[i].payload, messages[i].size);
            }
        }
        if (status != FLS_END) {
            bench_must(status, &err, "read");
        }
        fls_reader_close(reader);
        return sum;
    }

  private:
    fls_checksum checksum;
    bool mapped;
};

} // namespace

Peer &ours_none()
{
    static Ours ours("none", FLS_CHECKSUM_NONE, false);
    return ours;
}

Peer &ours_xxh3()
{
    static Ours ours("xxh3", FLS_CHECKSUM_XXH3, false);
    return ours;
}

Peer &ours_none_mapped()
{
    static Ours ours("none mapped", FLS_CHECKSUM_NONE, true);
    return ours;
}

Peer &ours_xxh3_mapped()
{
    static Ours ours("xxh3 mapped", FLS_CHECKSUM_XXH3, true);
    return ours;
}
