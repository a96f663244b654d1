// Messages compared field by field, against an oracle: two messages have the same values when they
// are the same as JSON with all defaults in it, which says of everything what it is.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <flatstream/flatstream.h>

#include "everything_generated.h"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

extern "C" {
#include "support/testing.h"
}

namespace {

using random_messages::Bytes;

fls_schema *schema;
fls_json_printer *printer;
fls_json_parser *parser;

std::string json_of(const Bytes &message)
{
    const char *text;
    std::size_t size;
    const fls_status status =
        fls_json_print(printer, message.data(), message.size(), &text, &size, nullptr);
    return status == FLS_OK ? std::string(text, size) : std::string();
}

fls_message_difference compare(const Bytes &a, const Bytes &b)
{
    fls_message_difference difference;
    assert_int_equal(fls_message_diff(schema, fls_schema_root(schema), a.data(), a.size(), b.data(),
                                      b.size(), &difference, nullptr),
                     FLS_OK);
    return difference;
}

std::uint64_t digest_of(const Bytes &message)
{
    std::uint64_t digest;
    assert_int_equal(fls_message_digest(schema, fls_schema_root(schema), message.data(),
                                        message.size(), &digest, nullptr),
                     FLS_OK);
    return digest;
}

// The text of a value by the path that was told; where that is one of queries.
bool value_at(const char *path, const Bytes &message, std::string &text)
{
    char buffer[FLS_VALUE_TEXT_BYTES];
    fls_path *compiled = nullptr;
    fls_value value;
    std::size_t size;
    if (fls_path_new(&compiled, schema, fls_schema_root(schema), path, nullptr, nullptr) !=
        FLS_OK) {
        return false;
    }
    const bool is_value = fls_path_kind(compiled) != FLS_VALUE_OBJECT;
    fls_path_get(compiled, message.data(), message.size(), &value);
    const char *from = fls_value_text(&value, schema, buffer, &size);
    text = value.kind == FLS_VALUE_ABSENT ? "null" : std::string(from, size);
    fls_path_free(compiled);
    return is_value;
}

void check_pair(const Bytes &a, const Bytes &b, unsigned &paths_tried)
{
    const bool same = json_of(a) == json_of(b);
    const fls_message_difference found = compare(a, b);
    if (same != (found.is_different == 0)) {
        fail_msg("said %u at %s: %s -> %s", found.is_different, found.path, found.a, found.b);
    }
    if (same) {
        assert_true(digest_of(a) == digest_of(b));
        assert_string_equal(found.path, "");
        return;
    }
    assert_false(digest_of(a) == digest_of(b));
    assert_string_not_equal(found.path, "");
    if (std::strcmp(found.a, found.b) == 0) {
        fail_msg("%s: %s -> %s", found.path, found.a, found.b);
    }
    std::string left;
    std::string right;
    if (value_at(found.path, a, left) && value_at(found.path, b, right)) {
        if (left == "null" && right == "null") {
            return; // in a union's member, which queries name
        }
        if (left == right) {
            fail_msg("%s: %s -> %s, but %s", found.path, found.a, found.b, left.c_str());
        }
        paths_tried++;
    }
}

random_messages::Shape shape_of(unsigned seed)
{
    random_messages::Shape shape;
    shape.only_finite = true; // JSON does not tell NaNs apart
    shape.only_utf8 = true;
    shape.percent = 10 + seed % 70;
    return shape;
}

// The same values in another layout: by way of JSON, and of the objects that flatc makes.
void test_other_layouts(void **state)
{
    (void)state;
    unsigned other_bytes = 0;
    for (unsigned seed = 0; seed < 400; seed++) {
        prng random = prng_seeded(seed);
        const Bytes message = random_messages::everything(random, shape_of(seed));
        const std::string text = json_of(message);
        const void *payload;
        std::size_t size;
        if (text.empty() || fls_json_parse(parser, text.data(), text.size(), &payload, &size,
                                           nullptr, nullptr) != FLS_OK) {
            continue;
        }
        const auto *bytes = static_cast<const std::uint8_t *>(payload);
        const Bytes again(bytes, bytes + size);
        other_bytes += again != message;
        assert_int_equal(compare(message, message).is_different, 0);
        // What JSON leaves out, such as empty unions, may be lost on the way.
        if (json_of(again) == text) {
            const fls_message_difference found = compare(message, again);
            if (found.is_different != 0) {
                fail_msg("%u: %s: %s -> %s", seed, found.path, found.a, found.b);
            }
            assert_true(digest_of(message) == digest_of(again));
        }
    }
    assert_true(other_bytes > 200);
}

// A message with a few bytes changed, where it is still sound.
void test_changes(void **state)
{
    (void)state;
    unsigned sound = 0;
    unsigned different = 0;
    unsigned paths_tried = 0;
    for (unsigned seed = 0; seed < 400; seed++) {
        prng random = prng_seeded(seed + 1000);
        const Bytes message = random_messages::everything(random, shape_of(seed));
        for (unsigned i = 0; i < 40; i++) {
            Bytes changed = message;
            changed[prng_below(&random, changed.size())] ^=
                static_cast<std::uint8_t>(1U << prng_below(&random, 8));
            const std::string text = json_of(changed);
            if (text.empty() || text.find("\"nan\"") != std::string::npos) {
                continue;
            }
            sound++;
            different += text != json_of(message);
            check_pair(message, changed, paths_tried);
        }
    }
    assert_true(sound > 2000);
    assert_true(different > 1000);
    assert_true(paths_tried > 500);
}

// Any two messages.
void test_pairs(void **state)
{
    (void)state;
    unsigned paths_tried = 0;
    for (unsigned seed = 0; seed < 300; seed++) {
        prng random = prng_seeded(seed + 5000);
        random_messages::Shape shape = shape_of(seed);
        shape.percent = seed % 4; // almost nothing in them
        const Bytes a = random_messages::everything(random, shape);
        const Bytes b = random_messages::everything(random, shape);
        check_pair(a, b, paths_tried);
    }
}

Bytes sample(double channel, bool on_top)
{
    flatbuffers::FlatBufferBuilder fbb;
    const auto channels = fbb.CreateVector(&channel, 1);
    const auto tag =
        fbb.CreateString(on_top ? std::string(70, 'x') + "\"b" : std::string(70, 'x') + "a");
    const auto tags = fbb.CreateVector(&tag, 1);
    fbb.Finish(telemetry::CreateSample(fbb, 1, 2, 3, telemetry::Mode::Idle, 0, 0, channels, tags));
    return Bytes(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
}

double of_bits(std::uint64_t bits)
{
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// NaNs go by their bits, zeros by their sign; long strings are shown where they differ.
void test_texts(void **state)
{
    (void)state;
    fls_schema *telemetry = nullptr;
    fls_message_difference found;
    assert_int_equal(fls_schema_new_file(&telemetry, FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", nullptr,
                                         nullptr, nullptr),
                     FLS_OK);
    const struct {
        Bytes a;
        Bytes b;
        const char *path;
        const char *a_text;
        const char *b_text;
    } cases[] = {
        {sample(of_bits(0x7ff8000000000000), false), sample(of_bits(0x7ff8000000000000), false), "",
         "", ""},
        {sample(of_bits(0x7ff8000000000000), false), sample(of_bits(0x7ff8000000000001), false),
         "channels[0]", "nan (0x7ff8000000000000)", "nan (0x7ff8000000000001)"},
        {sample(of_bits(0x7ff0000000000000), false), sample(2.5, false), "channels[0]", "\"inf\"",
         "2.5"},
        {sample(0.0, false), sample(-0.0, false), "channels[0]", "0.0", "-0.0"},
        {sample(1, false), sample(1, true), "tags[0]", "\"...xxxxxxxxa\"", "\"...xxxxxxxx\\\"b\""},
    };
    for (const auto &one : cases) {
        assert_int_equal(fls_message_diff(telemetry, fls_schema_root(telemetry), one.a.data(),
                                          one.a.size(), one.b.data(), one.b.size(), &found,
                                          nullptr),
                         FLS_OK);
        assert_string_equal(found.path, one.path);
        assert_string_equal(found.a, one.a_text);
        assert_string_equal(found.b, one.b_text);
    }
    fls_schema_free(telemetry);
}

// What is not sound is refused, and which of the two it is.
void test_unsound(void **state)
{
    (void)state;
    prng random = prng_seeded(7);
    const Bytes message = random_messages::everything(random);
    const Bytes cut(message.begin(), message.begin() + 8);
    fls_message_difference difference;
    std::uint64_t digest;
    fls_error err = FLS_ERROR_INIT;
    const std::uint32_t root = fls_schema_root(schema);
    assert_int_equal(fls_message_diff(schema, root, cut.data(), cut.size(), message.data(),
                                      message.size(), &difference, &err),
                     FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "a");
    assert_int_equal(fls_message_diff(schema, root, message.data(), message.size(), cut.data(),
                                      cut.size(), &difference, &err),
                     FLS_VALIDATION_FAILED);
    assert_string_equal(err.name, "b");
    assert_int_equal(difference.is_different, 0);
    assert_int_equal(fls_message_digest(schema, root, cut.data(), cut.size(), &digest, &err),
                     FLS_VALIDATION_FAILED);
    assert_int_equal(fls_message_diff(schema, 100000, message.data(), message.size(), cut.data(),
                                      cut.size(), &difference, &err),
                     FLS_INVALID_ARGUMENT);
}

int set_up(void **state)
{
    (void)state;
    fls_json_print_options print = FLS_JSON_PRINT_OPTIONS_INIT;
    fls_json_parse_options parse = FLS_JSON_PARSE_OPTIONS_INIT;
    print.with_defaults = 1;
    parse.with_defaults = 1;
    return fls_schema_new_file(&schema, FLS_TEST_SCHEMA_DIR "/everything.bfbs", nullptr, nullptr,
                               nullptr) != FLS_OK ||
           fls_json_printer_new(&printer, schema, fls_schema_root(schema), &print, nullptr) !=
               FLS_OK ||
           fls_json_parser_new(&parser, schema, fls_schema_root(schema), &parse, nullptr) != FLS_OK;
}

int tear_down(void **state)
{
    (void)state;
    fls_json_printer_free(printer);
    fls_json_parser_free(parser);
    fls_schema_free(schema);
    return 0;
}

} // namespace

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(test_other_layouts), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_pairs),         cmocka_unit_test(test_texts),
        cmocka_unit_test(test_unsound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
