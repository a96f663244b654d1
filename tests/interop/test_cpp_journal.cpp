// Journals and recorders in C++: what builders made goes in through a journal or a recorder, comes
// out as generated types, and every fault is an exception that says where.
#include <flatbuffers/flatbuffers.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "flatstream/flatstream.hpp"
#include "telemetry_generated.h"

namespace {

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

template <class Function> flatstream::error caught(Function function)
{
    try {
        function();
    } catch (const flatstream::error &error) {
        return error;
    }
    std::fprintf(stderr, "nothing was thrown\n");
    std::exit(1);
}

// A directory that goes with the scope.
class directory {
  public:
    directory()
    {
        char made[] = "/tmp/fls_cpp_journal_XXXXXX";
        CHECK(mkdtemp(made) != nullptr);
        path = made;
    }
    ~directory()
    {
        std::string remove = "rm -r " + path;
        CHECK(std::system(remove.c_str()) == 0);
    }
    std::string path;
};

void build_sample(flatbuffers::FlatBufferBuilder &fbb, uint32_t number)
{
    fbb.Clear();
    telemetry::SampleBuilder sample(fbb);
    sample.add_sequence(number);
    sample.add_device_id(7);
    sample.add_timestamp_ns(1000 + 10 * number);
    fbb.Finish(sample.Finish());
}

void append_samples(flatstream::journal &log, uint32_t from, uint32_t to)
{
    flatbuffers::FlatBufferBuilder fbb;
    for (uint32_t number = from; number < to; number++) {
        build_sample(fbb, number);
        CHECK(log.append(fbb) == number);
    }
}

// From the reader's place to the end.
uint32_t expect_samples(flatstream::journal_reader &in, uint32_t from)
{
    for (const telemetry::Sample &sample : in.as<telemetry::Sample>()) {
        CHECK(sample.sequence() == from++);
    }
    return from;
}

void test_writing_and_reading()
{
    directory at;
    flatstream::journal_report report;
    flatstream::journal_options options = FLS_JOURNAL_SYNC_NONE;
    options.segment_messages = 30;
    flatstream::journal log(at.path, options, &report);
    CHECK(report.is_new == 1 && report.epoch == 1);
    append_samples(log, 0, 100);
    CHECK(log.next_ordinal() == 100 && log.durable() < 100);
    log.wait_durable(99);
    CHECK(log.durable() == 100 && log.written() == 100);
    CHECK(caught([&] { log.wait_durable(100); }).status() == FLS_INVALID_ARGUMENT);
    CHECK(caught([&] { log.append("", 0); }).status() == FLS_INVALID_FRAME);
    CHECK(caught([&] { flatstream::journal second(at.path); }).status() == FLS_LOCKED);
    log.record_gap(fls_journal_gap{0, 5, 3, FLS_GAP_REFUSED});
    flatbuffers::FlatBufferBuilder fbb;
    build_sample(fbb, 100);
    const fls_journal_entry entry = {fbb.GetBufferPointer(), fbb.GetSize(), 0};
    std::size_t taken = 0;
    CHECK(log.append_batch(&entry, 1, &taken) == 100 && taken == 1);
    log.rotate();
    log.flush();
    log.sync();
    CHECK(log.figures().appended == 101 && log.figures().rotations >= 4 && log.now() > 0);
    flatstream::journal moved(std::move(log));
    CHECK(!log && moved);
    moved.close();
    CHECK(!moved);

    uint64_t missing = 0;
    flatstream::journal_reader_options reading;
    reading.validate<telemetry::Sample>();
    reading.on_event([&missing](const fls_journal_event &event) {
        missing += event.kind == FLS_JOURNAL_EVENT_GAP ? event.messages : 0;
    });
    flatstream::journal_reader in(at.path, reading);
    CHECK(expect_samples(in, 0) == 101 && missing == 5);
    flatstream::message message;
    CHECK(!in.next(message) && in.fault().status == FLS_END);
    CHECK(in.previous(message) && message.ordinal == 100 && in.ordinal() == 100);
    CHECK(message.as<telemetry::Sample>().sequence() == 100);
    CHECK(in.wall_ns(message.time_ns) > 0 && in.checksum() == FLS_CHECKSUM_XXH3);
    in.seek_ordinal(42);
    CHECK(expect_samples(in, 42) == 101);
    in.seek_end(7);
    CHECK(expect_samples(in, 94) == 101);
    in.seek_key(
        [](const flatstream::message &sample, int64_t &key) {
            key = static_cast<int64_t>(sample.as<telemetry::Sample>().timestamp_ns());
            return true;
        },
        1000 + 10 * 55);
    in.save("reader-1");
    CHECK(expect_samples(in, 55) == 101);
    CHECK(in.load("reader-1") && in.ordinal() == 55 && !in.load("nobody"));
    in.seek_time(message.time_ns + 1);
    CHECK(in.ordinal() == 101);
    uint64_t first = 1;
    uint64_t end = 0;
    CHECK(in.try_bounds(first, end) == FLS_OK && first == 0 && end == 101);
    flatstream::journal_reader other;
    other = std::move(in);
    other.seek_ordinal(100);
    CHECK(!in && expect_samples(other, 100) == 101);
}

void test_damage()
{
    directory at;
    {
        flatstream::journal log(at.path);
        append_samples(log, 0, 10); // made durable by leaving the scope
    }
    {
        std::fstream file(at.path + "/00000000000000000000.fls",
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(20);
        file.put('\x7f');
    }
    flatstream::journal_reader in(at.path);
    flatstream::message message;
    const flatstream::error fault = caught([&] { in.next(message); });
    CHECK(fault.status() == FLS_CHECKSUM_MISMATCH && fault.ordinal() == 0 && fault.has_offset());
    CHECK(in.fault().status == FLS_CHECKSUM_MISMATCH);
    in.skip();
    CHECK(expect_samples(in, 1) == 10);
    CHECK(caught([&] { flatstream::journal_reader none(at.path + "/none"); }).status() == FLS_IO);
}

void test_following()
{
    directory at;
    flatstream::journal log(at.path);
    flatstream::journal_reader_options reading = FLS_JOURNAL_WRITTEN;
    reading.follow = 1;
    flatstream::journal_reader in(at.path, reading);
    flatstream::message message;
    CHECK(in.try_next(message) == FLS_WOULD_BLOCK && !in.wait(1000));
    std::thread writer([&log] {
        append_samples(log, 0, 500);
        log.flush();
    });
    for (uint32_t number = 0; number < 500;) {
        fls_status status = in.try_next(message);
        if (status == FLS_WOULD_BLOCK) {
            in.wait();
            continue;
        }
        CHECK(status == FLS_OK && message.as<telemetry::Sample>().sequence() == number++);
    }
    writer.join();
    in.wake();
    CHECK(!in.wait());
    log.abandon();
    CHECK(!log);
}

void test_recording()
{
    directory at;
    flatstream::journal log(at.path);
    flatstream::recorder rec(log);
    std::atomic<uint64_t> offered{0};
    std::vector<std::thread> loops;
    for (int i = 0; i < 3; i++) {
        loops.emplace_back([&rec, &offered] {
            flatstream::producer hot = rec.attach(FLS_RECORDER_BLOCK);
            flatbuffers::FlatBufferBuilder fbb;
            for (uint32_t number = 0; number < 1000; number++) {
                build_sample(fbb, number);
                offered += hot.offer(fbb);
            }
            CHECK(hot.figures().offered == 1000);
        });
    }
    for (std::thread &loop : loops) {
        loop.join();
    }
    flatstream::producer built = rec.attach();
    void *room = built.claim(100);
    CHECK(room != nullptr);
    std::memset(room, 5, 100);
    built.publish(60);
    CHECK(caught([&] { built.offer("", 0); }).status() == FLS_INVALID_ARGUMENT);
    rec.drain();
    CHECK(built.durable() == 1 && offered == 3000 && rec.figures().durable == 3001);
    CHECK(caught([&] { rec.trigger(); }).status() == FLS_INVALID_ARGUMENT);
    flatstream::producer moved(std::move(built));
    CHECK(!built && moved && moved.get() != nullptr);
    moved.detach();
    rec.close();
    CHECK(!rec && log.next_ordinal() == 3001);

    flatstream::recorder_options options;
    options.snapshot_bytes = 65536;
    flatstream::recorder kept(log, options);
    flatstream::producer hot = kept.attach();
    CHECK(hot.offer("last words", 10) && kept.trigger() == 1);
    CHECK(log.durable() == 3002);
    hot.detach();
}

} // namespace

int main()
{
    test_writing_and_reading();
    test_damage();
    test_following();
    test_recording();
    return 0;
}
