// Messages as JSON, read by a reader of its own, against what the official library reads in them:
// by reflection over all of the schemas, by generated accessors, by its own text, and by its
// parser.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

#include <flatbuffers/idl.h>
#include <flatbuffers/util.h>

#include "everything_generated.h"
#include "flatstream/json.h"
#include "support/json_oracle.hpp"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

namespace {

using json_oracle::Oracle;
using json_reader::Json;
using random_messages::AlignedCopy;
using random_messages::Bytes;
using random_messages::Shape;

[[noreturn]] void fail(const std::string &why, const std::string &text = "")
{
    std::fprintf(stderr, "%s\n%s\n", why.c_str(), text.substr(0, 2000).c_str());
    std::exit(1);
}

std::string load(const std::string &path)
{
    std::string content;
    if (!flatbuffers::LoadFile(path.c_str(), true, &content)) {
        fail("no " + path);
    }
    return content;
}

class Printer {
  public:
    Printer(const std::string &bfbs, const fls_json_print_options &options)
    {
        fls_error err = FLS_ERROR_INIT;
        if (fls_schema_new(&schema_, bfbs.data(), bfbs.size(), nullptr, &err) != FLS_OK ||
            fls_json_printer_new(&printer_, schema_, fls_schema_root(schema_), &options, &err) !=
                FLS_OK) {
            fail(err.text);
        }
    }
    Printer(const Printer &) = delete;
    Printer &operator=(const Printer &) = delete;
    ~Printer()
    {
        fls_json_printer_free(printer_);
        fls_schema_free(schema_);
    }

    std::string print(const std::uint8_t *message, std::size_t size) const
    {
        fls_error err = FLS_ERROR_INIT;
        const char *text;
        std::size_t bytes;
        if (fls_json_print(printer_, message, size, &text, &bytes, &err) != FLS_OK) {
            fail(std::string("not printed: ") + err.text);
        }
        return std::string(text, bytes);
    }

  private:
    fls_schema *schema_ = nullptr;
    fls_json_printer *printer_ = nullptr;
};

Bytes make(const std::string &name, prng &random, const Shape &shape)
{
    return name == "everything" ? random_messages::everything(random, shape)
                                : random_messages::telemetry(random, shape);
}

// ---- by reflection ----

void check_by_reflection(const std::string &name, const std::string &file, unsigned count,
                         unsigned options_bits)
{
    const std::string bfbs = load(FLS_TEST_SCHEMA_DIR "/" + file);
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    options.with_defaults = options_bits & 1;
    options.numbers_for_enums = options_bits >> 1 & 1;
    options.is_verified = options_bits >> 2 & 1;
    const Printer printer(bfbs, options);
    const Oracle oracle(bfbs, {options.with_defaults != 0, options.numbers_for_enums != 0});
    prng random = prng_seeded(100 + options_bits);
    for (unsigned i = 0; i < count; i++) {
        const Bytes message = make(name, random, {});
        const AlignedCopy copy(message);
        const std::string text = printer.print(copy.data(), copy.size());
        try {
            oracle.check(copy.data(), json_reader::read(text));
        } catch (const std::runtime_error &error) {
            fail(file + ": " + error.what(), text);
        }
    }
}

// ---- by generated accessors, every field with its default ----

std::string as_text(bool value)
{
    return value ? "true" : "false";
}

template <class T> std::string as_text(T value)
{
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(value)) {
            return "nan";
        }
        char text[64];
        std::snprintf(text, sizeof text, sizeof(T) == 4 ? "%.9g" : "%.17g",
                      static_cast<double>(value));
        return text;
    } else {
        return std::to_string(value);
    }
}

// What a scalar's JSON says, in the same form.
template <class T> std::string said(const Json &json)
{
    switch (json.kind) {
    case Json::True: return "true";
    case Json::False: return "false";
    case Json::Null: return "null";
    default: break;
    }
    if constexpr (std::is_floating_point_v<T>) {
        return as_text(static_cast<T>(sizeof(T) == 4 ? std::strtof(json.text.c_str(), nullptr)
                                                     : std::strtod(json.text.c_str(), nullptr)));
    } else {
        return json.text;
    }
}

void same(const char *what, const std::string &said, const std::string &wanted)
{
    if (said != wanted) {
        fail(std::string(what) + ": " + said + ", not " + wanted);
    }
}

template <class T> void same_scalar(const Json &json, const char *name, T value)
{
    same(name, said<T>(json.at(name)), as_text(value));
}

template <class T>
void same_optional(const Json &json, const char *name, flatbuffers::Optional<T> value)
{
    same(name, said<T>(json.at(name)), value.has_value() ? as_text(*value) : "null");
}

template <class V> void same_scalars(const Json &json, const char *name, const V *vector)
{
    const Json &array = json.at(name);
    if (vector == nullptr) {
        same(name, said<int>(array), "null");
        return;
    }
    same(name, std::to_string(array.items.size()), std::to_string(vector->size()));
    for (unsigned i = 0; i < vector->size(); i++) {
        const auto value = vector->Get(i);
        same(name, said<std::decay_t<decltype(value)>>(array.items[i]), as_text(value));
    }
}

void same_string(const char *name, const Json &json, const flatbuffers::String *string)
{
    same(name, json.kind == Json::Null ? "null" : "\"" + json.text,
         string == nullptr ? "null" : "\"" + string->str());
}

// Name, or number where there is none.
template <class E> void same_enum(const Json &json, const char *name, E value, const char *known)
{
    const auto number = static_cast<std::underlying_type_t<E>>(value);
    same(name, json.at(name).text, *known != '\0' ? known : as_text(number));
}

#define SAME(name)          same_scalar(json, #name, from->name())
#define SAME_OPTIONAL(name) same_optional(json, #name, from->name())
#define SAME_VECTOR(name)   same_scalars(json, #name, from->name())
#define SAME_ENUM(name, type) \
    same_enum(json, #name, from->name(), everything::EnumName##type(from->name()))

void same_scalars_table(const Json &json, const everything::Scalars *from)
{
    SAME(a_bool);
    SAME(a_byte);
    SAME(a_ubyte);
    SAME(a_short);
    SAME(a_ushort);
    SAME(an_int);
    SAME(a_uint);
    SAME(a_long);
    SAME(a_ulong);
    SAME(a_float);
    SAME(a_double);
}

void same_defaults(const Json &json, const everything::Defaults *from)
{
    SAME(a_bool);
    SAME(a_byte);
    SAME(a_ubyte);
    SAME(a_short);
    SAME(a_ushort);
    SAME(an_int);
    SAME(a_uint);
    SAME(a_long);
    SAME(a_ulong);
    if (from->a_huge() != UINT64_MAX) { // a .bfbs does not hold that default
        SAME(a_huge);
    }
    SAME(a_float);
    SAME(a_double);
    SAME(not_a_float);
    SAME(not_a_double);
    SAME(infinite);
    SAME(negative_infinite);
    SAME(small);
}

void same_optionals(const Json &json, const everything::Optionals *from)
{
    SAME_OPTIONAL(a_bool);
    SAME_OPTIONAL(a_byte);
    SAME_OPTIONAL(a_ubyte);
    SAME_OPTIONAL(a_short);
    SAME_OPTIONAL(a_ushort);
    SAME_OPTIONAL(an_int);
    SAME_OPTIONAL(a_uint);
    SAME_OPTIONAL(a_long);
    SAME_OPTIONAL(a_ulong);
    SAME_OPTIONAL(a_float);
    SAME_OPTIONAL(a_double);
}

void same_enums(const Json &json, const everything::Enums *from)
{
    SAME_ENUM(tiny, Tiny);
    SAME_ENUM(word, Word);
    same_enum(json, "signed", from->signed_(), everything::EnumNameSigned(from->signed_()));
    SAME_ENUM(plain, Plain);
    same_enum(json, "long", from->long_(), everything::EnumNameLong(from->long_()));
    SAME_ENUM(huge, Huge);
}

void same_vectors(const Json &json, const everything::Vectors *from)
{
    SAME_VECTOR(bytes);
    SAME_VECTOR(ubytes);
    SAME_VECTOR(shorts);
    SAME_VECTOR(ushorts);
    SAME_VECTOR(ints);
    SAME_VECTOR(uints);
    SAME_VECTOR(longs);
    SAME_VECTOR(ulongs);
    SAME_VECTOR(floats);
    SAME_VECTOR(doubles);
    SAME_VECTOR(forced);
    SAME_VECTOR(forced_doubles);
    for (unsigned i = 0; from->strings() != nullptr && i < from->strings()->size(); i++) {
        same_string("strings", json.at("strings").items.at(i), from->strings()->Get(i));
    }
    for (unsigned i = 0; from->tables() != nullptr && i < from->tables()->size(); i++) {
        same_scalars_table(json.at("tables").items.at(i), from->tables()->Get(i));
    }
}

unsigned same_everything(const Json &json, const everything::Everything *from)
{
    unsigned seen = 0;
    const auto both = [&](const char *name, const auto *table, const auto &check) {
        same(name, json.at(name).kind == Json::Null ? "null" : "there",
             table == nullptr ? "null" : "there");
        if (table != nullptr) {
            check(json.at(name), table);
            seen++;
        }
    };
    both("scalars", from->scalars(), same_scalars_table);
    both("defaults", from->defaults(), same_defaults);
    both("optionals", from->optionals(), same_optionals);
    both("enums", from->enums(), same_enums);
    both("vectors", from->vectors(), same_vectors);
    same_string("text", json.at("text"), from->text());
    return seen;
}

void same_vec3(const Json &json, const telemetry::Vec3 *from)
{
    SAME(x);
    SAME(y);
    SAME(z);
}

void same_sample(const Json &json, const telemetry::Sample *from)
{
    SAME(device_id);
    SAME(timestamp_ns);
    SAME(sequence);
    same_enum(json, "mode", from->mode(), telemetry::EnumNameMode(from->mode()));
    if (from->pose() != nullptr && from->pose()->position() != nullptr) {
        same_vec3(json.at("pose").at("position"), from->pose()->position());
    }
    if (from->battery() != nullptr) {
        same_scalar(json.at("battery"), "current_a", from->battery()->current_a());
        same_scalar(json.at("battery"), "soc", from->battery()->soc());
        same_scalars(json.at("battery"), "cell_mv", from->battery()->cell_mv());
    }
    SAME_VECTOR(channels);
    SAME_VECTOR(raw);
    for (unsigned i = 0; from->tags() != nullptr && i < from->tags()->size(); i++) {
        same_string("tags", json.at("tags").items.at(i), from->tags()->Get(i));
    }
    same_enum(json, "extra_type", from->extra_type(), telemetry::EnumNameExtra(from->extra_type()));
    if (const telemetry::Alert *alert = from->extra_as_Alert()) {
        same_scalar(json.at("extra"), "code", alert->code());
        same_string("text", json.at("extra").at("text"), alert->text());
        same_scalar(json.at("extra"), "severity", alert->severity());
    } else if (const telemetry::Radio *radio = from->extra_as_Radio()) {
        same_scalar(json.at("extra"), "rssi_dbm", radio->rssi_dbm());
        same_string("peer", json.at("extra").at("peer"), radio->peer());
    }
}

void check_by_accessors(unsigned count)
{
    fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    options.with_defaults = 1;
    const Printer everything(load(FLS_TEST_SCHEMA_DIR "/everything.bfbs"), options);
    const Printer telemetry(load(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs"), options);
    prng random = prng_seeded(9);
    unsigned seen = 0;
    for (unsigned i = 0; i < count; i++) {
        const AlignedCopy large(random_messages::everything(random));
        seen += same_everything(json_reader::read(everything.print(large.data(), large.size())),
                                everything::GetEverything(large.data()));
        const AlignedCopy small(random_messages::telemetry(random));
        same_sample(json_reader::read(telemetry.print(small.data(), small.size())),
                    telemetry::GetSample(small.data()));
    }
    if (seen < count) {
        fail("too few tables were there to be compared");
    }
}

// ---- by the official text and parser ----

// The official generator writes 12 decimals at most (6 for a float), and its text of a number is no
// other's.
void same_tree(const Json &ours, Json theirs, const std::string &path)
{
    // It prints deprecated fields (those of everything.Old), and keys that are absent.
    auto &members = theirs.members;
    const auto is_extra = [&ours](const auto &member) {
        return member.first.compare(0, 4, "gone") == 0 ||
               (member.first == "id" && member.second.text == "0" && !ours.has("id"));
    };
    members.erase(std::remove_if(members.begin(), members.end(), is_extra), members.end());
    if (ours.kind == Json::Number && theirs.kind == Json::Number) {
        const double a = std::strtod(ours.text.c_str(), nullptr);
        const double b = std::strtod(theirs.text.c_str(), nullptr);
        const bool is_whole = ours.text.find_first_of(".e") == std::string::npos;
        if (is_whole ? ours.text != theirs.text : std::fabs(a - b) > 1e-6 + std::fabs(a) * 1e-6) {
            fail(path + ": " + ours.text + ", not " + theirs.text);
        }
        return;
    }
    if (ours.kind != theirs.kind || ours.text != theirs.text ||
        ours.items.size() != theirs.items.size() || ours.members.size() != theirs.members.size()) {
        fail(path + ": something else");
    }
    for (std::size_t i = 0; i < ours.items.size(); i++) {
        same_tree(ours.items[i], theirs.items[i], path + "[" + std::to_string(i) + "]");
    }
    for (std::size_t i = 0; i < ours.members.size(); i++) {
        same(path.c_str(), ours.members[i].first, theirs.members[i].first);
        same_tree(ours.members[i].second, theirs.members[i].second,
                  path + "." + ours.members[i].first);
    }
}

// The official parser takes the bytes of a FlexBuffer for a value of another kind, no null in a
// vector of unions, and sorts what has a key, but not stably.
bool is_beyond_official(const std::string &text)
{
    for (const char *key :
         {"\"any_many\":", "\"sparse_many\":", "\"many\":", "\"flex\":", "\"sorted\":{\""}) {
        if (text.find(key) != std::string::npos) {
            return true;
        }
    }
    return false;
}

// The official text, empty where there is none: the generator refuses some unions, and crashes on
// others, so that it has a process of its own.
std::string official_text(const flatbuffers::Parser &parser, const std::uint8_t *message)
{
    int ends[2];
    if (pipe(ends) != 0) {
        fail("no pipe");
    }
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) {
        fail("no process");
    }
    if (child == 0) {
        std::string text;
        close(ends[0]);
        close(2);
        bool done = flatbuffers::GenerateText(parser, message, &text);
        for (std::size_t at = 0; done && at < text.size();) {
            const ssize_t written = write(ends[1], text.data() + at, text.size() - at);
            done = written > 0;
            at += done ? static_cast<std::size_t>(written) : 0;
        }
        _exit(done ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    char piece[4096];
    for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;) {
        text.append(piece, static_cast<std::size_t>(got));
    }
    close(ends[0]);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return "";
    }
    return text;
}

void check_by_official(const std::string &name, unsigned count)
{
    flatbuffers::IDLOptions idl;
    idl.strict_json = true;
    idl.indent_step = -1;
    idl.force_defaults = true;
    idl.lang_to_generate = flatbuffers::IDLOptions::kCpp; // else no struct in a union
    flatbuffers::Parser parser(idl);
    const char *include[] = {FLS_SOURCE_DIR "/tests/schemas", nullptr};
    const std::string fbs = load(FLS_SOURCE_DIR "/tests/schemas/" + name + ".fbs");
    if (!parser.Parse(fbs.c_str(), include)) {
        fail(parser.error_);
    }
    const fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
    const Printer printer(load(FLS_TEST_SCHEMA_DIR "/" + name + ".bfbs"), options);
    fls_json_print_options all = FLS_JSON_PRINT_OPTIONS_INIT;
    all.with_defaults = 1; // since the official parser adds some in nested buffers
    const Printer whole(load(FLS_TEST_SCHEMA_DIR "/" + name + ".bfbs"), all);
    Shape shape;
    shape.only_utf8 = shape.only_finite = shape.only_known = true;
    prng random = prng_seeded(77);
    unsigned compared = 0;
    for (unsigned i = 0; i < count; i++) {
        const AlignedCopy copy(make(name, random, shape));
        const std::string text = printer.print(copy.data(), copy.size());
        if (is_beyond_official(text)) {
            continue;
        }
        const std::string official = official_text(parser, copy.data());
        if (official.empty()) {
            continue;
        }
        same_tree(json_reader::read(text), json_reader::read(official), name);
        if (!parser.Parse(text.c_str())) {
            fail("the official parser refuses: " + parser.error_, text);
        }
        const AlignedCopy again(parser.builder_.GetBufferPointer(), parser.builder_.GetSize());
        same(name.c_str(), whole.print(again.data(), again.size()),
             whole.print(copy.data(), copy.size()));
        compared++;
    }
    std::printf("%s: %u of %u messages compared with the official text\n", name.c_str(), compared,
                count);
    if (compared < count / 10) {
        fail("too few messages could be compared with the official library");
    }
}

} // namespace

int main()
{
    for (unsigned options = 0; options < 8; options++) {
        check_by_reflection("everything", "everything.bfbs", 300, options);
        check_by_reflection("everything", "everything.plain.bfbs", 60, options);
        check_by_reflection("telemetry", "telemetry.bfbs", 300, options);
    }
    check_by_accessors(500);
    check_by_official("telemetry", 200);
    check_by_official("everything", 400);
    return 0;
}
