// Schemas, JSON, queries and prepared messages in C++, against what generated code reads of the
// same messages.
#include <flatbuffers/flatbuffers.h>

#include <cstdio>
#include <cstdlib>
#include <string>
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
    std::abort();
}

void build(flatbuffers::FlatBufferBuilder &fbb, uint32_t number)
{
    fbb.Clear();
    telemetry::Vec3 position(number * 0.5, 0, 0);
    auto pose = telemetry::CreatePose(fbb, &position);
    auto tags = fbb.CreateVectorOfStrings({"a", "b" + std::to_string(number)});
    telemetry::SampleBuilder sample(fbb);
    sample.add_sequence(number);
    sample.add_device_id(18446744073709551615u - number);
    sample.add_mode(number % 2 == 0 ? telemetry::Mode::Idle : telemetry::Mode::Charge);
    sample.add_pose(pose);
    sample.add_tags(tags);
    fbb.Finish(sample.Finish());
}

std::vector<uint8_t> stream(uint32_t count)
{
    flatbuffers::FlatBufferBuilder fbb;
    flatstream::writer out = flatstream::writer::to_memory();
    for (uint32_t i = 0; i < count; i++) {
        build(fbb, i);
        out.write(fbb);
    }
    flatstream::byte_view all = out.memory();
    return std::vector<uint8_t>(all.begin(), all.end());
}

void test_schema(const flatstream::schema &schema)
{
    CHECK(std::string(schema.object(schema.root()).name) == "telemetry.Sample");
    CHECK(std::string(schema.identifier()).empty());
    uint32_t sample = schema.find_object("telemetry.Sample");
    CHECK(sample == schema.root() && schema.object(sample).field_count == 11);
    uint32_t mode = schema.find_field(sample, "mode");
    CHECK(schema.field(sample, mode).type == FLS_TYPE_U8);
    uint32_t modes = schema.field(sample, mode).enumeration;
    CHECK(schema.enumeration(modes).value_count == 4);
    CHECK(std::string(schema.value(modes, 3).name) == "Fault" && schema.value(modes, 3).value == 9);
    CHECK(schema.find_object("telemetry.Nobody") == FLS_SCHEMA_NONE);
    CHECK(caught([] { flatstream::schema("not/there.bfbs"); }).status() == FLS_IO);
    CHECK(caught([] {
              flatstream::schema::from_memory(flatstream::byte_view("abc", 3));
          }).status() == FLS_SCHEMA_INVALID);
    flatstream::schema first(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs");
    flatstream::schema second = std::move(first);
    CHECK(!first && second && second.hash() == schema.hash());
}

void test_verification(const flatstream::schema &schema)
{
    flatbuffers::FlatBufferBuilder fbb;
    build(fbb, 1);
    std::vector<uint8_t> payload(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
    schema.verify(flatstream::byte_view(payload.data(), payload.size()));
    const char *tag = telemetry::GetSample(payload.data())->tags()->Get(1)->c_str();
    payload[static_cast<size_t>(tag - reinterpret_cast<char *>(payload.data())) - 1] = 0x7f;
    flatstream::byte_view unsound(payload.data(), payload.size());
    flatstream::error refused = caught([&] { schema.verify(unsound); });
    CHECK(refused.status() == FLS_VALIDATION_FAILED);
    CHECK(std::string(refused.text()).find("tags[1]") != std::string::npos);
    fls_violation violation;
    CHECK(schema.try_verify(unsound, &violation) == FLS_VALIDATION_FAILED);
    CHECK(std::string(violation.path) == "tags[1]");

    // As a validator, which carries along what it stands on.
    flatstream::writer out;
    {
        flatstream::writer_options options;
        options.validate(flatstream::message_types(schema).check(FLS_VERIFY_UTF8));
        out = flatstream::writer::to_memory(options);
    }
    out.write(fbb);
    CHECK(caught([&] { out.write(payload); }).status() == FLS_VALIDATION_FAILED);
    CHECK(out.messages() == 1);
    fbb.Clear();
    auto tags = fbb.CreateVectorOfStrings({"\xff"});
    telemetry::SampleBuilder sample(fbb);
    sample.add_tags(tags);
    fbb.Finish(sample.Finish());
    schema.verify(flatstream::byte_view(fbb.GetBufferPointer(), fbb.GetSize()));
    CHECK(caught([&] { out.write(fbb); }).status() == FLS_VALIDATION_FAILED); // not UTF-8
    flatstream::message_types types(schema);
    CHECK(types.size() == 1 && types.select(unsound) == 0 && types[0].root == schema.root());
    CHECK(caught([&] { types.add(schema); }).status() == FLS_INVALID_ARGUMENT);
}

void test_queries(const flatstream::schema &schema)
{
    std::vector<uint8_t> all = stream(50);
    flatstream::view in(flatstream::byte_view(all.data(), all.size()));
    flatstream::path position(schema, "pose.position.x"), device(schema, "device_id"),
        mode(schema, "mode"), tag(schema, "tags[1]"), none(schema, "battery.soc");
    flatstream::predicate charging(schema, "mode == \"Charge\" && pose.position.x >= 10");
    flatstream::path tags(schema, "tags[*]");
    int found = 0;
    for (auto &message : in) {
        std::string all_tags;
        tags.each(message.bytes(),
                  [&](flatstream::value one) { all_tags += std::string(one.text()); });
        CHECK(all_tags == "ab" + std::to_string(message.ordinal));
        auto &sample = message.as<telemetry::Sample>();
        CHECK(position(message).number() == sample.pose()->position()->x());
        CHECK(device(message).as.u == sample.device_id());
        CHECK(mode(message).number() == static_cast<double>(sample.mode()));
        CHECK(std::string(tag(message).text()) == sample.tags()->Get(1)->str());
        CHECK(!none(message).exists());
        CHECK(charging(message) ==
              (sample.mode() == telemetry::Mode::Charge && sample.pose()->position()->x() >= 10));
        found += charging(message);
    }
    CHECK(found == 15);
    CHECK(position.kind() == FLS_VALUE_F64 && tag.kind() == FLS_VALUE_STRING);
    CHECK(caught([&] { flatstream::path(schema, "pose.nowhere"); }).status() == FLS_UNSUPPORTED);
    CHECK(caught([&] { flatstream::predicate(schema, "mode =="); }).status() ==
          FLS_INVALID_ARGUMENT);
    flatstream::predicate moved = std::move(charging);
    CHECK(moved && !charging);
}

void test_json(const flatstream::schema &schema)
{
    std::vector<uint8_t> all = stream(20);
    flatstream::view in(flatstream::byte_view(all.data(), all.size()));
    flatstream::json_printer printer(schema);
    flatstream::json_parser parser(schema);
    flatstream::writer again = flatstream::writer::to_memory();
    for (auto &message : in) {
        std::string text(printer.print(message));
        CHECK(text.find("\"device_id\":") != std::string::npos && text.back() == '}');
        again.write(parser.parse(text));
    }
    flatstream::view back(again.memory());
    uint32_t number = 0;
    for (auto &sample : back.as<telemetry::Sample>()) {
        CHECK(sample.sequence() == number);
        CHECK(sample.device_id() == 18446744073709551615u - number);
        CHECK(sample.tags()->Get(1)->str() == "b" + std::to_string(number));
        number++;
    }
    CHECK(number == 20);
    flatstream::error wrong = caught([&] { parser.parse("{\"sequence\": -1}"); });
    CHECK(wrong.status() == FLS_VALIDATION_FAILED);
    CHECK(std::string(wrong.text()).find("sequence") != std::string::npos);
    fls_json_error where;
    flatstream::byte_view none;
    CHECK(parser.try_parse("{\n\"sequence\": true}", none, &where) == FLS_VALIDATION_FAILED);
    CHECK(where.line == 2 && none.empty());
}

void test_prepared(const flatstream::schema &schema)
{
    flatstream::prepared shape(schema, {{"device_id", 0},
                                        {"sequence", 0},
                                        {"mode", 0},
                                        {"pose.position", 0},
                                        {"channels", 4},
                                        {"battery.soc", 0}});
    auto device = shape.place<uint64_t>("device_id");
    auto sequence = shape.place<uint32_t>("sequence");
    auto mode = shape.place<telemetry::Mode>("mode");
    auto x = shape.place<double>("pose.position.x");
    auto position = shape.structure<telemetry::Vec3>("pose.position");
    auto channels = shape.vector("channels", FLS_TYPE_F64);
    auto soc = shape.place<float>("battery.soc");
    CHECK(caught([&] { shape.place<double>("sequence"); }).status() == FLS_INVALID_ARGUMENT);
    CHECK(caught([&] { shape.place<double>("nowhere"); }).status() == FLS_INVALID_ARGUMENT);
    CHECK(caught([&] { shape.structure<telemetry::Quat>("pose.position"); }).status() ==
          FLS_INVALID_ARGUMENT);
    shape.image().set(device, 18446744073709551615u);

    for (fls_checksum checksum : {FLS_CHECKSUM_NONE, FLS_CHECKSUM_XXH3}) {
        flatstream::writer out = flatstream::writer::to_memory(checksum);
        for (uint32_t i = 0; i < 1000; i++) {
            flatstream::prepared_message message = shape.start(out);
            double values[4] = {1.0 * i, 2.0 * i, 3.0 * i, 4.0 * i};
            message.set(sequence, i);
            message.set(mode, telemetry::Mode::Fault);
            message.set(position, telemetry::Vec3(0, i, 2.5));
            message.set(x, -1.0 * i);
            message.set(channels, values, i % 5);
            message.set(soc, 0.5f);
            CHECK(message.try_set(channels, values, 5) == FLS_INVALID_ARGUMENT);
            float narrow[1] = {0};
            CHECK(message.try_set(channels, narrow, 1) == FLS_INVALID_ARGUMENT);
            shape.write(out, message);
        }
        flatstream::view in(out.memory(), checksum);
        uint32_t number = 0;
        for (auto &sample : in.as<telemetry::Sample>()) {
            CHECK(sample.device_id() == 18446744073709551615u && sample.sequence() == number);
            CHECK(sample.mode() == telemetry::Mode::Fault);
            CHECK(sample.pose()->position()->x() == -1.0 * number);
            CHECK(sample.pose()->position()->y() == number);
            CHECK(sample.pose()->position()->z() == 2.5);
            CHECK(sample.channels()->size() == number % 5);
            CHECK(number % 5 == 0 || sample.channels()->Get(number % 5 - 1) == number % 5 * number);
            CHECK(sample.battery()->soc() == 0.5f);
            number++;
        }
        CHECK(number == 1000);
    }

    // After a message that a builder made, with text in its place.
    flatbuffers::FlatBufferBuilder fbb;
    build(fbb, 10);
    flatstream::prepared like = flatstream::prepared::from(
        schema, flatstream::byte_view(fbb.GetBufferPointer(), fbb.GetSize()));
    auto tag = like.string("tags[1]");
    like.image().set(tag, "b9");
    CHECK(telemetry::GetSample(like.bytes().data())->tags()->Get(1)->str() == "b9");
    CHECK(caught([&] { like.image().set(tag, "longer"); }).status() == FLS_INVALID_ARGUMENT);
    auto presence = like.presence("sequence");
    like.image().set_present(presence, false);
    CHECK(telemetry::GetSample(like.bytes().data())->sequence() == 0);
    flatstream::prepared moved = std::move(like);
    CHECK(moved && !like);
}

} // namespace

int main()
{
    flatstream::schema schema(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs");
    test_schema(schema);
    test_verification(schema);
    test_queries(schema);
    test_json(schema);
    test_prepared(schema);
    return 0;
}
