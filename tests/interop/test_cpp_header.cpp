// The C++ layer with the official library: what builders made goes in, generated types come out,
// and every fault is an exception that says where.
#include <flatbuffers/flatbuffers.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "everything_generated.h"
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

using bytes = std::vector<uint8_t>;

const fls_checksum checksums[] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16, FLS_CHECKSUM_CRC32,
                                  FLS_CHECKSUM_XXH3};

// Runs something that has to throw, and gives what it threw.
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

bool is_multiple(const void *address, uintptr_t of)
{
    return reinterpret_cast<uintptr_t>(address) % of == 0;
}

// A sample whose values follow from its number, its size too.
void build_sample(flatbuffers::FlatBufferBuilder &fbb, uint32_t number)
{
    using namespace telemetry;
    fbb.Clear();
    std::vector<double> channels(number % 4, number + 0.5);
    std::vector<uint8_t> raw(number % 7, static_cast<uint8_t>(number));
    Vec3 position(number, -1.0 * number, 0.25);
    auto pose = CreatePose(fbb, &position);
    auto text = fbb.CreateString("alert " + std::to_string(number));
    auto alert = CreateAlert(fbb, number, text, 3);
    auto channels_vector = fbb.CreateVector(channels);
    auto raw_vector = fbb.CreateVector(raw);
    SampleBuilder sample(fbb);
    sample.add_device_id(7);
    sample.add_timestamp_ns(1000ull * number);
    sample.add_sequence(number);
    sample.add_mode(Mode::Drive);
    sample.add_pose(pose);
    sample.add_channels(channels_vector);
    sample.add_extra_type(Extra::Alert);
    sample.add_extra(alert.Union());
    sample.add_raw(raw_vector);
    fbb.Finish(sample.Finish());
}

void check_sample(const telemetry::Sample &sample, uint32_t number)
{
    CHECK(sample.device_id() == 7);
    CHECK(sample.timestamp_ns() == 1000ull * number);
    CHECK(sample.sequence() == number);
    CHECK(sample.pose()->position()->x() == number);
    CHECK(sample.channels()->size() == number % 4);
    for (double channel : *sample.channels()) {
        CHECK(channel == number + 0.5);
    }
    CHECK(sample.extra_as_Alert()->text()->str() == "alert " + std::to_string(number));
    CHECK(sample.raw()->size() == number % 7);
}

bytes stream_of_samples(fls_checksum checksum, uint32_t count)
{
    flatstream::writer out = flatstream::writer::to_memory(checksum);
    flatbuffers::FlatBufferBuilder fbb;
    for (uint32_t i = 0; i < count; i++) {
        build_sample(fbb, i);
        out.write(fbb);
    }
    flatstream::byte_view all = out.memory();
    CHECK(out.messages() == count && out.offset() == all.size());
    return bytes(all.begin(), all.end());
}

void write_file(const char *path, const bytes &content)
{
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(content.data()),
               static_cast<std::streamsize>(content.size()));
    CHECK(file.good());
}

// Reads by all three ways, typed, and looks at each message's alignment.
template <class Stream> void read_samples(Stream &stream, uint32_t count)
{
    uint32_t number = 0;
    auto samples = stream.template as<telemetry::Sample>();
    for (auto &sample : samples) {
        CHECK(samples.raw().ordinal == number);
        CHECK(is_multiple(samples.raw().payload, 8));
        check_sample(sample, number++);
    }
    CHECK(number == count);
    flatstream::message message;
    CHECK(!stream.next(message));
}

void test_types_and_alignment()
{
    const uint32_t count = 300;
    for (fls_checksum checksum : checksums) {
        bytes stream = stream_of_samples(checksum, count);
        // At an odd address, so that nothing lies aligned by luck.
        bytes shifted(stream.size() + 1);
        std::copy(stream.begin(), stream.end(), shifted.begin() + 1);
        flatstream::byte_view odd(shifted.data() + 1, stream.size());
        write_file("typed.fls", stream);

        flatstream::reader from_file("typed.fls", checksum);
        read_samples(from_file, count);
        flatstream::reader from_memory = flatstream::reader::from_memory(odd, checksum);
        read_samples(from_memory, count);
        flatstream::reader from_map = flatstream::reader::mapped("typed.fls", checksum);
        read_samples(from_map, count);
        flatstream::view in_memory(odd, checksum);
        read_samples(in_memory, count);
        flatstream::view mapped = flatstream::view::map("typed.fls", checksum);
        read_samples(mapped, count);

        // What hands payloads out as they lie is aligned by the typed range all the same.
        flatstream::reader_options as_it_lies = checksum;
        as_it_lies.alignment = 1;
        flatstream::reader unaligned = flatstream::reader::from_memory(odd, as_it_lies);
        read_samples(unaligned, count);
    }
}

void test_larger_alignment()
{
    flatbuffers::FlatBufferBuilder fbb;
    flatstream::writer out = flatstream::writer::to_memory(FLS_CHECKSUM_CRC16);
    for (int i = 0; i < 20; i++) {
        fbb.Clear();
        everything::Wide wide;
        everything::Vec3 required(1, 2, 3);
        everything::StructsBuilder structs(fbb);
        structs.add_wide(&wide);
        structs.add_vec3_required(&required);
        fbb.Finish(structs.Finish());
        out.write(fbb);
    }
    flatstream::view in(out.memory(), FLS_CHECKSUM_CRC16);
    flatstream::verification how;
    how.alignment = 32;
    int count = 0;
    for (auto &structs : in.as<everything::Structs>(how)) {
        CHECK(is_multiple(structs.wide(), 32));
        CHECK(structs.vec3_required()->z() == 3);
        count++;
    }
    CHECK(count == 20);
    // A single message says no rather than be read where it lies.
    flatstream::view_options as_it_lies = FLS_CHECKSUM_CRC16;
    as_it_lies.alignment = 1;
    int refused = 0;
    flatstream::view raw(out.memory(), as_it_lies);
    for (auto &message : raw) {
        fls_error err = FLS_ERROR_INIT;
        bool lies_well = is_multiple(message.payload, 32);
        CHECK(static_cast<const uint8_t *>(message.payload) ==
              out.memory().data() + message.offset + 6);
        CHECK((message.try_as<everything::Structs>(&err, how) != nullptr) == lies_well);
        CHECK(lies_well || err.status == FLS_INVALID_ARGUMENT);
        refused += !lies_well;
    }
    CHECK(refused > 0);
}

void test_every_way_to_write()
{
    flatbuffers::FlatBufferBuilder fbb;
    build_sample(fbb, 5);
    bytes copy(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
    fls_span halves[2] = {{copy.data(), 10}, {copy.data() + 10, copy.size() - 10}};
    flatstream::writer out("ways.fls", FLS_CHECKSUM_CRC32);
    out.write(fbb);
    out.write(copy);
    out.write(copy.data(), copy.size());
    out.write(flatstream::byte_view(copy.data(), copy.size()));
    out.write(std::string(copy.begin(), copy.end()));
    out.writev(halves, 2);
    CHECK(out.try_write(fbb) == FLS_OK);
    CHECK(out.try_write(copy.data(), copy.size()) == FLS_OK);
    out.write(fbb.Release()); // a DetachedBuffer
    out.sync();
    out.close();
    CHECK(!out);
    flatstream::reader in("ways.fls", FLS_CHECKSUM_DETECT);
    int count = 0;
    for (auto &sample : in.as<telemetry::Sample>()) {
        check_sample(sample, 5);
        count++;
    }
    CHECK(count == 9);
    CHECK(in.checksum() == FLS_CHECKSUM_CRC32);

    // Without generated code: the library's own builder.
    flatstream::writer simple = flatstream::writer::to_memory();
    fls_table table = fls_builder_table(simple.builder(), 3);
    fls_builder_u64(simple.builder(), table, 0, 42);
    simple.write_root(fls_builder_end(simple.builder(), table));
    flatstream::view simple_in(simple.memory());
    auto samples = simple_in.as<telemetry::Sample>();
    CHECK(samples.begin()->device_id() == 42);
}

void test_damage()
{
    for (fls_checksum checksum : checksums) {
        bytes stream = stream_of_samples(checksum, 10);
        std::vector<flatstream::message> messages;
        flatstream::view whole(flatstream::byte_view(stream.data(), stream.size()), checksum);
        for (auto &message : whole) {
            messages.push_back(message);
        }
        CHECK(messages.size() == 10);
        // One bit of the last string of message 6, or a length beyond the limit without a checksum.
        uint64_t header = 4 + fls_checksum_width(checksum);
        bytes damaged = stream;
        if (checksum == FLS_CHECKSUM_NONE) {
            damaged[messages[6].offset + 3] ^= 0x90;
        } else {
            damaged[messages[6].offset + header + messages[6].size / 2] ^= 4;
        }
        flatstream::byte_view view(damaged.data(), damaged.size());
        flatstream::reader in = flatstream::reader::from_memory(view, checksum);
        uint32_t good = 0;
        flatstream::error fault = caught([&] {
            for (auto &sample : in.as<telemetry::Sample>()) {
                check_sample(sample, good++);
            }
        });
        CHECK(good == 6);
        CHECK(fault.has_offset() && fault.offset() == messages[6].offset);
        CHECK(fault.has_ordinal() && fault.ordinal() == 6);
        if (checksum == FLS_CHECKSUM_NONE) {
            CHECK(fault.status() == FLS_INVALID_FRAME);
            CHECK(fault.code() == FLS_INVALID_FRAME);
        } else {
            CHECK(fault.status() == FLS_CHECKSUM_MISMATCH);
            CHECK(fault.code() == FLS_CHECKSUM_MISMATCH && fault.code() != FLS_IO);
            CHECK(std::string(fault.what()).find("checksum mismatch") != std::string::npos);
            in.skip();
            flatstream::message next;
            CHECK(in.next(next) && next.ordinal == 7);
            CHECK(in.ending().end != FLS_STREAM_DAMAGED || in.last() == FLS_OK);
        }
        // A view says the same, and so does the form that throws nothing.
        flatstream::view again(view, checksum);
        flatstream::error same = caught([&] {
            for (auto &message : again) {
                CHECK(message.ordinal < 6);
            }
        });
        CHECK(same.status() == fault.status() && same.offset() == fault.offset());
        flatstream::view quiet(view, checksum);
        fls_error err;
        good = 0;
        for (auto &sample : quiet.try_as<telemetry::Sample>(err)) {
            check_sample(sample, good++);
        }
        CHECK(good == 6 && err.status == fault.status() && err.ordinal == 6);
        // Torn in the middle of the last message.
        flatstream::reader torn = flatstream::reader::from_memory(
            flatstream::byte_view(stream.data(), stream.size() - 5), checksum);
        flatstream::error end = caught([&] {
            for (auto &message : torn) {
                CHECK(message.ordinal < 9);
            }
        });
        CHECK(end.status() == FLS_UNEXPECTED_EOF && end.ordinal() == 9);
        CHECK(torn.ending().end == FLS_STREAM_TORN_TAIL);
    }
    CHECK(caught([] { flatstream::reader("not/there.fls"); }).status() == FLS_IO);
    CHECK(caught([] { flatstream::reader("not/there.fls"); }).system_errno() == ENOENT);
    CHECK(caught([] { flatstream::writer("not/there.fls"); }).code() == FLS_IO);
    CHECK(caught([] { flatstream::view::map("not/there.fls"); }).status() == FLS_IO);
    std::error_code code = FLS_NO_SPACE;
    CHECK(code.message() == "no space left" && std::string(code.category().name()) == "flatstream");
}

// A sample whose text has no end: sound as a frame, refused by the type's verifier.
bytes unsound_sample()
{
    flatbuffers::FlatBufferBuilder fbb;
    build_sample(fbb, 1);
    bytes unsound(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
    const char *text = reinterpret_cast<const char *>(
        telemetry::GetSample(unsound.data())->extra_as_Alert()->text());
    std::memset(unsound.data() + (text - reinterpret_cast<const char *>(unsound.data())), 0x7f, 4);
    return unsound;
}

void test_verification()
{
    bytes unsound = unsound_sample();
    flatbuffers::FlatBufferBuilder fbb;
    flatstream::writer out("unsound.fls");
    build_sample(fbb, 0);
    out.write(fbb);
    uint64_t at = out.offset();
    out.write(unsound);
    build_sample(fbb, 2);
    out.write(fbb);
    out.close();

    flatstream::reader in("unsound.fls");
    uint32_t good = 0;
    flatstream::error refused = caught([&] {
        for (auto &sample : in.as<telemetry::Sample>()) {
            check_sample(sample, good++);
        }
    });
    CHECK(good == 1 && refused.status() == FLS_VALIDATION_FAILED);
    CHECK(refused.offset() == at && refused.ordinal() == 1);
    CHECK(refused.has_offset() && refused.has_ordinal());
    for (auto &sample : in.as<telemetry::Sample>()) { // goes on behind it
        check_sample(sample, 2);
        good++;
    }
    CHECK(good == 2);

    flatstream::reader believed("unsound.fls");
    uint64_t sum = 0;
    for (auto &sample : believed.as<telemetry::Sample>(flatstream::unverified)) {
        sum += sample.device_id();
    }
    CHECK(sum == 21);

    // As validators, of a writer and of a reader: what is refused there leaves the stream as it
    // was.
    flatstream::writer_options strict;
    strict.validate<telemetry::Sample>();
    flatstream::writer guarded = flatstream::writer::to_memory(strict);
    CHECK(caught([&] { guarded.write(unsound); }).status() == FLS_VALIDATION_FAILED);
    build_sample(fbb, 3);
    guarded.write(fbb);
    CHECK(guarded.messages() == 1);
    flatstream::reader_options checked;
    checked.validate<telemetry::Sample>();
    flatstream::reader guarded_in("unsound.fls", checked);
    CHECK(caught([&] {
              for (auto &message : guarded_in) {
                  CHECK(message.ordinal == 0);
              }
          }).ordinal() == 1);
    guarded_in.skip();
    flatstream::message third;
    CHECK(guarded_in.next(third) && third.ordinal == 2);

    // Limits are passed on: a pose is a table, at depth 2.
    flatstream::verification shallow;
    shallow.max_depth = 1;
    CHECK(third.try_as<telemetry::Sample>(nullptr, shallow) == nullptr);
    check_sample(third.as<telemetry::Sample>(), 2);
    // Tiny payloads are refused, not read.
    for (size_t size = 0; size < 12; size++) {
        fls_message tiny{};
        tiny.payload = "\4\0\0\0\0\0\0\0\0\0\0";
        tiny.size = size;
        CHECK(flatstream::message(tiny).try_as<telemetry::Sample>() == nullptr);
        CHECK(size >= 4 || flatstream::message(tiny).try_as<telemetry::Sample>(
                               nullptr, flatstream::unverified) == nullptr);
    }
}

} // namespace

// What a program writes once for each type that has an identifier.
template <> struct flatstream::identifier_of<everything::Everything> {
    static const char *get() noexcept
    {
        return everything::EverythingIdentifier();
    }
};

namespace {

void test_several_types()
{
    flatbuffers::FlatBufferBuilder fbb;
    flatstream::writer out = flatstream::writer::to_memory();
    for (uint32_t i = 0; i < 30; i++) {
        if (i % 3 == 0) {
            fbb.Clear();
            auto text = fbb.CreateString("number " + std::to_string(i));
            everything::EverythingBuilder everything(fbb);
            everything.add_text(text);
            everything::FinishEverythingBuffer(fbb, everything.Finish());
        } else {
            build_sample(fbb, i);
        }
        out.write(fbb);
    }
    flatstream::reader in = flatstream::reader::from_memory(out.memory());
    uint32_t number = 0;
    for (auto &message : in) {
        if (message.has_identifier(everything::EverythingIdentifier())) {
            auto &found = message.as<everything::Everything>();
            CHECK(found.text()->str() == "number " + std::to_string(number));
        } else {
            check_sample(message.as<telemetry::Sample>(), number);
        }
        number++;
    }
    CHECK(number == 30);
    // The identifier is asked for where the type has one, and where the caller names one.
    flatstream::view mixed(out.memory());
    number = 0;
    flatstream::error other = caught([&] {
        for (auto &found : mixed.as<everything::Everything>()) {
            CHECK(found.text() != nullptr);
            number++;
        }
    });
    CHECK(number == 1 && other.ordinal() == 1 && other.status() == FLS_VALIDATION_FAILED);
    CHECK(std::string(other.text()).find("identifier") != std::string::npos);
    flatstream::view named(out.memory());
    CHECK(caught([&] {
              for (auto &found : named.as<telemetry::Sample>("SMPL")) {
                  CHECK(!found.device_id());
              }
          }).ordinal() == 0);
}

void test_owners()
{
    bytes stream = stream_of_samples(FLS_CHECKSUM_XXH3, 20);
    flatstream::byte_view view(stream.data(), stream.size());
    flatstream::reader none;
    CHECK(!none && none.get() == nullptr);
    flatstream::reader first = flatstream::reader::from_memory(view);
    for (auto &sample : first.as<telemetry::Sample>()) { // leaves early
        if (sample.sequence() == 4) {
            break;
        }
    }
    flatstream::reader second = std::move(first);
    CHECK(!first && second && second.ordinal() == 5);
    none = std::move(second);
    CHECK(!second && none.ordinal() == 5);
    flatstream::message next;
    CHECK(none.next(next) && next.ordinal == 5);
    none = flatstream::reader::from_memory(view); // the old one is closed
    CHECK(none.ordinal() == 0);

    write_file("moved.fls", stream);
    flatstream::view mapped = flatstream::view::map("moved.fls");
    CHECK(mapped.next(next));
    flatstream::view moved = std::move(mapped);
    CHECK(moved.next(next) && next.ordinal == 1);
    check_sample(next.as<telemetry::Sample>(), 1);
    moved = flatstream::view(view, FLS_CHECKSUM_DETECT);
    CHECK(moved.checksum() == FLS_CHECKSUM_XXH3 && moved.next(next) && next.ordinal == 0);
    CHECK(!mapped.next(next)); // empty, as one that was never opened

    // A writer that goes away closes; one of atomic() leaves nothing unless closed.
    flatbuffers::FlatBufferBuilder fbb;
    build_sample(fbb, 0);
    {
        flatstream::writer out("closed.fls");
        out.write(fbb);
        flatstream::writer other = std::move(out);
        CHECK(!out);
        other.write(fbb);
        flatstream::writer third("third.fls");
        third.write(fbb);
        third = std::move(other); // third.fls is closed, whole
    }
    CHECK(flatstream::recover("closed.fls").frames == 2);
    CHECK(flatstream::recover("third.fls").frames == 1);
    std::remove("whole.fls");
    {
        flatstream::writer out = flatstream::writer::atomic("whole.fls");
        out.write(fbb);
    }
    CHECK(!std::ifstream("whole.fls").good());
    {
        flatstream::writer out = flatstream::writer::atomic("whole.fls");
        out.write(fbb);
        out.close();
    }
    CHECK(flatstream::recover("whole.fls").frames == 1);
}

void test_checks_and_observers()
{
    bytes seen;
    flatstream::writer_options options;
    std::string text(10, 'x'); // what the functions hold lives as long as the writer
    options.validate("even", [text](flatstream::byte_view payload) {
        if (payload.size() > 100) {
            throw std::runtime_error("too long for " + text);
        }
        return payload.size() % 2 == 0;
    });
    options.observe([&seen](flatstream::byte_view payload, uint64_t ordinal) {
        CHECK(ordinal == seen.size());
        seen.push_back(payload[0]);
    });
    flatstream::writer moved;
    {
        flatstream::writer out = flatstream::writer::to_memory(options);
        options = flatstream::writer_options();
        out.write("ab", 2);
        flatstream::error odd = caught([&] { out.write("abc", 3); });
        CHECK(odd.status() == FLS_VALIDATION_FAILED && std::string(odd.name()) == "even");
        flatstream::error length = caught([&] { out.write(std::string(102, 'l')); });
        CHECK(std::string(length.text()) == "too long for xxxxxxxxxx");
        flatstream::writer other = std::move(out);
        other.write("cd", 2);
        moved = std::move(other);
    }
    moved.write("ef", 2);
    CHECK(caught([&] { moved.write("abc", 3); }).status() == FLS_VALIDATION_FAILED);
    CHECK((seen == bytes{'a', 'c', 'e'}));

    flatstream::reader_options counting;
    int count = 0;
    counting.observe([&count](flatstream::byte_view, uint64_t) { count++; });
    flatstream::reader in = flatstream::reader::from_memory(moved.memory(), counting);
    // Input iterators: the standard algorithms work.
    auto messages = in.messages();
    CHECK(std::count_if(messages.begin(), messages.end(),
                        [](const flatstream::message &m) { return m.size == 2; }) == 3);
    CHECK(count == 3);
}

void test_recovery()
{
    bytes stream = stream_of_samples(FLS_CHECKSUM_CRC32, 8);
    bytes torn(stream.begin(), stream.end() - 3);
    write_file("torn.fls", torn);
    flatstream::recover_report report = flatstream::recover("torn.fls", FLS_CHECKSUM_DETECT);
    CHECK(report.end == FLS_STREAM_TORN_TAIL && report.frames == 7);
    CHECK(caught([] { flatstream::writer::append("torn.fls", FLS_CHECKSUM_XXH3); }).status() ==
          FLS_CHECKSUM_MISMATCH);
    flatbuffers::FlatBufferBuilder fbb;
    flatstream::recover_report appended;
    flatstream::writer_options options = FLS_CHECKSUM_CRC32;
    options.discard_cut = 1;
    flatstream::writer out = flatstream::writer::append("torn.fls", options, &appended);
    CHECK(appended.frames == 7 && appended.truncated_bytes > 0);
    build_sample(fbb, 7);
    out.write(fbb);
    out.close();
    flatstream::reader in("torn.fls", FLS_CHECKSUM_CRC32);
    read_samples(in, 8);
    write_file("torn.fls", torn);
    flatstream::recover_options cut = FLS_CHECKSUM_CRC32;
    cut.discard_cut = 1;
    CHECK(flatstream::recover_truncate("torn.fls", cut).truncated_bytes > 0);
    CHECK(flatstream::recover("torn.fls", cut).end == FLS_STREAM_CLEAN);
}

void test_salvage()
{
    bytes stream = stream_of_samples(FLS_CHECKSUM_XXH3, 8);
    stream[1] ^= 0x40;                 // the length of the first
    stream[stream.size() - 1] ^= 0x08; // the payload of the last
    write_file("damaged.fls", stream);
    flatstream::salvager salvaging("damaged.fls");
    flatstream::salvager in(std::move(salvaging));
    CHECK(in && !salvaging);
    fls_salvage_event event;
    std::size_t messages = 0;
    std::uint64_t at = 0;
    while (in.next(event)) {
        CHECK(event.from == at);
        at = event.to;
        messages += event.count;
        CHECK(event.from != 0 || event.repair == FLS_REPAIR_LENGTH);
    }
    CHECK(at == stream.size() && messages == 7);
    CHECK(in.report().lost_ranges == 1 && in.report().repaired == 1);
    in = flatstream::salvager::from_memory({stream.data(), stream.size()}, FLS_CHECKSUM_XXH3);
    CHECK(in.next(event) && event.kind == FLS_SALVAGE_REPAIRED);
    CHECK(caught([] { flatstream::salvager("not/there.fls"); }).status() == FLS_IO);
    bytes noise(100, 0xA5);
    in = flatstream::salvager::from_memory({noise.data(), noise.size()});
    CHECK(caught([&] { in.next(event); }).status() == FLS_CHECKSUM_UNPROVEN);
}

void test_index()
{
    bytes stream = stream_of_samples(FLS_CHECKSUM_CRC32, 500);
    write_file("indexed.fls", stream);
    flatstream::index_options options = FLS_CHECKSUM_CRC32;
    options.interval_bytes = 256;
    flatstream::index_info made = flatstream::build_index("indexed.fls", options);
    CHECK(made.messages == 500 && made.covered_bytes == stream.size());
    flatstream::stream_index opened("indexed.fls");
    flatstream::stream_index places(std::move(opened));
    CHECK(places && !opened && places.info().messages == 500);
    CHECK(places.anchors().count == places.info().entries && *places.label() == '\0');
    fls_reader_position at = places.find_ordinal(321);
    CHECK(at.ordinal > 300 && at.ordinal <= 321 && places.prove(at));
    CHECK(places.find_time(1).ordinal == 0);
    flatstream::reader_options from = places.info().checksum;
    from.position = &at;
    flatstream::reader in("indexed.fls", from);
    flatstream::message first;
    CHECK(in.next(first) && first.ordinal == at.ordinal);
    stream[static_cast<std::size_t>(at.offset) + 9] ^= 1;
    write_file("indexed.fls", stream);
    places = flatstream::stream_index("indexed.fls");
    CHECK(!places.prove(at));
    stream.resize(300);
    write_file("indexed.fls", stream);
    CHECK(caught([] { flatstream::stream_index("indexed.fls"); }).status() ==
          FLS_CHECKSUM_MISMATCH);
    CHECK(caught([] { flatstream::stream_index("not/there.fls"); }).status() == FLS_IO);
    CHECK(caught([] { flatstream::build_index("not/there.fls"); }).status() == FLS_IO);
}

void test_sockets()
{
    flatstream::socket listener = flatstream::socket::listen("tcp://127.0.0.1:0");
    std::string endpoint = listener.endpoint();
    std::thread sending([endpoint] {
        flatstream::socket peer = flatstream::socket::connect(endpoint, 2000);
        flatstream::writer out = flatstream::writer::to_fd(peer.get(), false);
        flatbuffers::FlatBufferBuilder fbb;
        for (uint32_t i = 0; i < 1000; i++) {
            build_sample(fbb, i);
            out.write(fbb);
        }
        out.close();
        peer.finish();
    });
    flatstream::socket peer = listener.accept();
    flatstream::reader in = flatstream::reader::from_fd(peer.get(), false);
    read_samples(in, 1000);
    in.close();
    peer.close();
    sending.join();
}

char folder[] = "/tmp/flatstream-cpp-XXXXXX";

void remove_folder()
{
    if (chdir("/") != 0 || std::system(("rm -rf " + std::string(folder)).c_str()) != 0) {
        std::fprintf(stderr, "left behind: %s\n", folder);
    }
}

void test_all()
{
    test_types_and_alignment();
    test_larger_alignment();
    test_every_way_to_write();
    test_damage();
    test_verification();
    test_several_types();
    test_owners();
    test_checks_and_observers();
    test_recovery();
    test_salvage();
    test_index();
    test_sockets();
}

} // namespace

int main()
{
    CHECK(mkdtemp(folder) != nullptr);
    CHECK(std::atexit(remove_folder) == 0); // also when a check fails
    CHECK(chdir(folder) == 0);
    try {
        test_all();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "thrown: %s\n", error.what());
        return 1;
    }
    return 0;
}
