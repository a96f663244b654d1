// Delimited protobuf messages through one coded stream for the whole file; the message read into is
// reused.
#include <fcntl.h>
#include <unistd.h>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include "peers.hpp"
#include "record_protobuf.pb.h"

namespace {

namespace io = google::protobuf::io;
using fls_bench_protobuf::Record;

class Protobuf : public Peer {
  public:
    Protobuf() : Peer("protobuf", BENCH_SHOWN | BENCH_LIMIT)
    {
    }

    void prepare(const PeerWork &work) override
    {
        records.assign(work.pool.count, Record());
        for (std::size_t i = 0; i < work.pool.count; i++) {
            records[i].set_payload(work.pool.bytes + i * work.pool.payload_bytes,
                                   work.pool.payload_bytes);
        }
    }

    std::uint64_t write(const PeerWork &work, const std::string &path) override
    {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        io::FileOutputStream file(fd, static_cast<int>(peer_buffer_bytes));
        std::uint64_t messages = 0;
        {
            io::CodedOutputStream coded(&file);
            std::size_t number = 0;
            for (; messages < work.messages && !coded.HadError(); messages++) {
                const Record &record = records[number];
                coded.WriteVarint32(static_cast<std::uint32_t>(record.ByteSizeLong()));
                record.SerializeWithCachedSizes(&coded);
                number = number + 1 < records.size() ? number + 1 : 0;
            }
        }
        return file.Close() ? messages : 0;
    }

    std::uint64_t read(const PeerWork &, const std::string &path) override
    {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        io::FileInputStream file(fd, static_cast<int>(peer_buffer_bytes));
        io::CodedInputStream coded(&file);
        Record record;
        std::uint32_t size = 0;
        std::uint64_t sum = 0;
        while (coded.ReadVarint32(&size)) {
            const auto limit = coded.PushLimit(static_cast<int>(size));
            record.Clear();
            if (!record.MergeFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
                break;
            }
            coded.PopLimit(limit);
            sum += use_payload(record.payload().data(), record.payload().size());
        }
        (void)file.Close();
        return sum;
    }

  private:
    std::vector<Record> records;
};

} // namespace

Peer &peer_protobuf()
{
    static Protobuf peer;
    return peer;
}
