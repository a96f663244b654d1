// JSON that the official library makes of random messages, read by its parser and by ours: what the
// two make of it holds the same, and the generated verifiers accept ours.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <flatbuffers/idl.h>
#include <flatbuffers/util.h>

#include "flatstream/json.h"
#include "json_canonical.hpp"

namespace {

using random_messages::Bytes;

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

std::string read_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    CHECK(file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class Schema {
  public:
    explicit Schema(const std::string &name)
    {
        const std::string bfbs = read_file(FLS_TEST_SCHEMA_DIR "/" + name + ".bfbs");
        CHECK(fls_schema_new(&schema_, bfbs.data(), bfbs.size(), nullptr, nullptr) == FLS_OK);
    }
    Schema(const Schema &) = delete;
    Schema &operator=(const Schema &) = delete;
    ~Schema()
    {
        fls_schema_free(schema_);
    }
    const fls_schema *get() const
    {
        return schema_;
    }

  private:
    fls_schema *schema_ = nullptr;
};

class Ours {
  public:
    Ours(const Schema &schema, bool lenient, bool with_defaults = false)
    {
        fls_json_parse_options options = FLS_JSON_PARSE_OPTIONS_INIT;
        options.lenient = lenient ? 1 : 0;
        options.with_defaults = with_defaults ? 1 : 0;
        CHECK(fls_json_parser_new(&parser_, schema.get(), fls_schema_root(schema.get()), &options,
                                  nullptr) == FLS_OK);
    }
    Ours(const Ours &) = delete;
    Ours &operator=(const Ours &) = delete;
    ~Ours()
    {
        fls_json_parser_free(parser_);
    }
    Bytes parse(const std::string &text)
    {
        Bytes made;
        CHECK(parse(text, made, ""));
        return made;
    }
    // False for text that is refused with the reason that is tolerated.
    bool parse(const std::string &text, Bytes &made, const std::string &tolerated)
    {
        const void *payload = nullptr;
        std::size_t size = 0;
        fls_json_error where;
        fls_error err = FLS_ERROR_INIT;
        if (fls_json_parse(parser_, text.data(), text.size(), &payload, &size, &where, &err) !=
            FLS_OK) {
            if (where.reason == tolerated) {
                return false;
            }
            std::fprintf(stderr, "%s\nin %s\n", err.text, text.c_str());
            std::exit(1);
        }
        const auto *bytes = static_cast<const std::uint8_t *>(payload);
        made.assign(bytes, bytes + size);
        return true;
    }

  private:
    fls_json_parser *parser_ = nullptr;
};

class Theirs {
  public:
    Theirs(const std::string &name, bool strict)
    {
        flatbuffers::IDLOptions options;
        options.strict_json = strict;
        options.lang_to_generate = flatbuffers::IDLOptions::kCpp; // else no vectors of unions
        options.indent_step = strict ? -1 : 2;
        parser_ = std::make_unique<flatbuffers::Parser>(options);
        const char *directories[] = {FLS_SOURCE_DIR "/tests/schemas", nullptr};
        const std::string path = FLS_SOURCE_DIR "/tests/schemas/" + name + ".fbs";
        CHECK(parser_->Parse(read_file(path).c_str(), directories, path.c_str()));
    }
    std::string print(const Bytes &message)
    {
        std::string text;
        random_messages::AlignedCopy copy(message);
        CHECK(flatbuffers::GenerateText(*parser_, copy.data(), &text));
        return text;
    }
    Bytes parse(const std::string &text)
    {
        if (!parser_->Parse(text.c_str())) {
            std::fprintf(stderr, "%s\nin %s\n", parser_->error_.c_str(), text.c_str());
            std::exit(1);
        }
        const auto &builder = parser_->builder_;
        return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
    }

  private:
    std::unique_ptr<flatbuffers::Parser> parser_;
};

template <class Vector, class Key> void drop_equal(Vector &sorted, Key key)
{
    auto is_equal = [key](const auto &a, const auto &b) { return key(a) == key(b); };
    sorted.erase(std::unique(sorted.begin(), sorted.end(), is_equal), sorted.end());
}

// What the official printer and a .bfbs can express: FlexBuffers are printed as what is in them,
// and the default of a_huge is lost in a .bfbs. Where keys are equal the official parser's order is
// any.
void limit(everything::EverythingT &object)
{
    if (object.nests) {
        object.nests->flex.clear();
        if (!object.nests->itself.empty()) {
            object.nests->itself.clear();
        }
    }
    if (object.defaults) {
        object.defaults->not_a_float = 1.5f;
        object.defaults->not_a_double = 1.5;
        object.defaults->infinite = 1.5f;
        object.defaults->negative_infinite = 1.5;
    }
    if (object.sorted) {
        drop_equal(object.sorted->by_number, [](const auto &a) { return a->id; });
        drop_equal(object.sorted->by_name, [](const auto &a) { return a->name; });
        drop_equal(object.sorted->by_signed, [](const auto &a) { return a->id; });
        drop_equal(object.sorted->keyed, [](const auto &a) { return a.id(); });
    }
    for (auto &inner : object.all) {
        limit(*inner);
    }
}

Bytes limited(const Bytes &message)
{
    random_messages::AlignedCopy copy(message);
    everything::EverythingT object;
    flatbuffers::GetRoot<everything::Everything>(copy.data())->UnPackTo(&object);
    limit(object);
    return json_canonical::packed<everything::Everything>(object);
}

void try_everything(bool strict)
{
    const Schema schema("everything");
    Ours ours(schema, !strict);
    Theirs theirs("everything", strict);
    prng random = prng_seeded(strict ? 21 : 22);
    random_messages::Shape shape;
    shape.only_utf8 = true;
    shape.only_known = true;
    shape.only_finite = true; // not all that the official printer writes of others is read by it
    std::size_t bytes = 0;
    const unsigned count = 500;
    for (unsigned i = 0; i < count; i++) {
        shape.percent = 10 + i % 90;
        const std::string text = theirs.print(limited(random_messages::everything(random, shape)));
        const Bytes made = ours.parse(text);
        const Bytes wanted = theirs.parse(text);
        flatbuffers::Verifier verifier(made.data(), made.size());
        CHECK(everything::VerifyEverythingBuffer(verifier));
        const Bytes left = json_canonical::canonical_everything(made.data(), made.size());
        const Bytes right = json_canonical::canonical_everything(wanted.data(), wanted.size());
        if (left != right) {
            std::fprintf(stderr, "not the same is made of\n%s\nbut\n%s\nand\n%s\n", text.c_str(),
                         theirs.print(left).c_str(), theirs.print(right).c_str());
            std::exit(1);
        }
        bytes += text.size();
    }
    std::printf("everything, %s: %u texts of %zu bytes on average\n", strict ? "strict" : "lenient",
                count, bytes / count);
}

// Message to JSON and back by the library alone; then nothing is left out but which of the many nan
// it was, and union members that the schema does not know.
void try_round_trip()
{
    const Schema schema("everything");
    Ours ours(schema, false, true);
    fls_json_printer *printer = nullptr;
    CHECK(fls_json_printer_new(&printer, schema.get(), fls_schema_root(schema.get()), nullptr,
                               nullptr) == FLS_OK);
    auto print = [printer](const Bytes &message) {
        const char *text = nullptr;
        std::size_t size = 0;
        fls_error err = FLS_ERROR_INIT;
        if (fls_json_print(printer, message.data(), message.size(), &text, &size, &err) != FLS_OK) {
            std::fprintf(stderr, "%s\n", err.text);
            std::exit(1);
        }
        return std::string(text, size);
    };
    prng random = prng_seeded(24);
    random_messages::Shape shape;
    for (unsigned i = 0; i < 1000; i++) {
        shape.percent = 10 + i % 90;
        shape.only_known = shape.only_finite = i % 2 == 0;
        const Bytes message = random_messages::everything(random, shape);
        std::string text = print(message);
        Bytes made;
        if (!ours.parse(text, made, shape.only_known ? "" : "a required field is null")) {
            continue; // an unknown member of a union that is required
        }
        if (!shape.only_known) { // what was there of an unknown member is gone now
            text = print(made);
            CHECK(ours.parse(text, made, ""));
        }
        if (print(made) != text) {
            std::fprintf(stderr, "not the same is printed of what was made of\n%s\nbut\n%s\n",
                         text.c_str(), print(made).c_str());
            std::exit(1);
        }
        flatbuffers::Verifier verifier(made.data(), made.size());
        CHECK(everything::VerifyEverythingBuffer(verifier));
        CHECK(!shape.only_known ||
              json_canonical::canonical_everything(made.data(), made.size()) ==
                  json_canonical::canonical_everything(message.data(), message.size()));
    }
    fls_json_printer_free(printer);
}

void try_telemetry()
{
    const Schema schema("telemetry");
    Ours ours(schema, false);
    Theirs theirs("telemetry", true);
    prng random = prng_seeded(23);
    random_messages::Shape shape;
    shape.only_utf8 = true;
    shape.only_known = true;
    shape.only_finite = true;
    for (unsigned i = 0; i < 500; i++) {
        const std::string text = theirs.print(random_messages::telemetry(random, shape));
        const Bytes made = ours.parse(text);
        const Bytes wanted = theirs.parse(text);
        flatbuffers::Verifier verifier(made.data(), made.size());
        CHECK(telemetry::VerifySampleBuffer(verifier));
        CHECK(json_canonical::canonical<telemetry::Sample>(made.data(), made.size()) ==
              json_canonical::canonical<telemetry::Sample>(wanted.data(), wanted.size()));
    }
}

} // namespace

int main()
{
    try_everything(true);
    try_everything(false);
    try_telemetry();
    try_round_trip();
    return 0;
}
