// The C++ layer as the oldest standard it is for and without exceptions: every call gives a status.
// CMake compiles this file with -std=c++11 -fno-exceptions.
#include <flatbuffers/flatbuffers.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "flatstream/flatstream.hpp"
#include "telemetry_generated.h"

#if FLATSTREAM_EXCEPTIONS || __cplusplus >= 201402L
#error "this is to be compiled as C++11 without exceptions"
#endif

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

static void journals_and_recorders(const flatbuffers::FlatBufferBuilder &fbb)
{
    char path[] = "/tmp/fls_cpp_quiet_XXXXXX";
    fls_error err = FLS_ERROR_INIT;
    CHECK(mkdtemp(path) != nullptr);
    flatstream::journal log;
    flatstream::journal_options options;
    options.must_exist = 1;
    CHECK(log.try_open(path, options, nullptr, &err) == FLS_IO && !log);
    CHECK(log.try_open(path) == FLS_OK && log);
    uint64_t ordinal = 99;
    CHECK(log.try_append(fbb, &ordinal, &err) == FLS_OK && ordinal == 0);
    CHECK(log.try_append("", 0, &ordinal, &err) == FLS_INVALID_FRAME);
    flatstream::recorder rec;
    flatstream::producer hot;
    CHECK(rec.try_open(log) == FLS_OK && rec.try_attach(hot) == FLS_OK);
    CHECK(hot.try_offer(fbb) == FLS_OK && rec.try_drain(&err) == FLS_OK && hot.durable() == 1);
    hot.detach();
    CHECK(rec.try_close(&err) == FLS_OK && log.try_close(&err) == FLS_OK && !log && !rec && !hot);
    flatstream::journal_reader in;
    CHECK(in.try_open(path) == FLS_OK);
    uint32_t number = 0;
    for (const telemetry::Sample &sample : in.try_as<telemetry::Sample>(err)) {
        CHECK(sample.sequence() == 9);
        number++;
    }
    CHECK(number == 2 && err.status == FLS_OK);
    in.close();
    std::string remove = std::string("rm -r ") + path;
    CHECK(std::system(remove.c_str()) == 0);
}

int main()
{
    fls_error err = FLS_ERROR_INIT;
    flatstream::writer out;
    flatstream::writer_options options = FLS_CHECKSUM_CRC16;
    options.validate<telemetry::Sample>();
    CHECK(out.try_open("not/there.fls", options, &err) == FLS_IO && err.system_errno != 0);
    CHECK(!out);
    CHECK(out.try_open_memory(options, &err) == FLS_OK);
    flatbuffers::FlatBufferBuilder fbb;
    for (uint32_t i = 0; i < 10; i++) {
        fbb.Clear();
        telemetry::SampleBuilder sample(fbb);
        sample.add_sequence(i);
        sample.add_device_id(7);
        fbb.Finish(sample.Finish());
        CHECK(out.try_write(fbb, &err) == FLS_OK);
    }
    CHECK(out.try_write("no message", 10, &err) == FLS_VALIDATION_FAILED);
    CHECK(out.try_flush(&err) == FLS_OK);
    flatstream::byte_view all = out.try_memory();

    flatstream::reader in;
    CHECK(in.try_open_memory(all, FLS_CHECKSUM_DETECT, &err) == FLS_OK);
    uint32_t number = 0;
    for (const telemetry::Sample &sample : in.try_as<telemetry::Sample>(err)) {
        CHECK(sample.sequence() == number++);
    }
    CHECK(number == 10 && err.status == FLS_OK && in.checksum() == FLS_CHECKSUM_CRC16);

    flatstream::salvager salvaging;
    fls_salvage_event event;
    CHECK(salvaging.try_open("not/there.fls", FLS_CHECKSUM_CRC16, &err) == FLS_IO);
    CHECK(salvaging.try_open_memory(all, FLS_CHECKSUM_CRC16, &err) == FLS_OK);
    while (salvaging.try_next(event, &err) == FLS_OK) {
        CHECK(event.kind == FLS_SALVAGE_MESSAGES);
    }
    CHECK(salvaging.report().messages == 10 && salvaging.report().lost_bytes == 0);

    flatstream::index_info made;
    flatstream::stream_index places;
    CHECK(flatstream::try_build_index("not/there.fls", made, FLS_CHECKSUM_CRC16, "", &err) ==
          FLS_IO);
    CHECK(places.try_open("not/there.fls", "", &err) == FLS_IO && !places);

    // A flipped bit ends the range, with what and where in the error.
    std::vector<uint8_t> damaged(all.begin(), all.end());
    damaged[damaged.size() - 1] ^= 1;
    flatstream::view view;
    CHECK(view.try_open(flatstream::byte_view(damaged.data(), damaged.size()), FLS_CHECKSUM_CRC16,
                        &err) == FLS_OK);
    number = 0;
    for (const flatstream::message &message : view.try_messages(err)) {
        CHECK(message.try_as<telemetry::Sample>()->sequence() == number++);
    }
    CHECK(number == 9 && err.status == FLS_CHECKSUM_MISMATCH && err.ordinal == 9);
    CHECK(flatstream::describe(err).find("checksum mismatch") != std::string::npos);
    flatstream::message message;
    flatstream::reader broken;
    CHECK(broken.try_open_memory(flatstream::byte_view(damaged.data(), damaged.size()),
                                 FLS_CHECKSUM_CRC16, nullptr) == FLS_OK);
    while (broken.try_next(message, &err) == FLS_OK) {
        err = flatstream::detail::no_error();
    }
    CHECK(err.status == FLS_CHECKSUM_MISMATCH && err.ordinal == 9);
    CHECK(broken.last() == FLS_CHECKSUM_MISMATCH && broken.fault().ordinal == 9);
    CHECK(view.try_skip(&err) == FLS_OK);
    CHECK(view.try_next(message, &err) == FLS_END);
    CHECK(out.try_close(&err) == FLS_OK);
    journals_and_recorders(fbb);
    return 0;
}
