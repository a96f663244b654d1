// The tool's JSON, both ways, against the official library: messages that went through cat and
// write are accepted by the generated verifiers and have the content they had; and what cat prints
// equals, value by value, the JSON that other streams were made of, where those are there.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "everything_generated.h"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

extern "C" {
#include "support/files.h"
}

namespace {

using random_messages::Bytes;

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

std::string directory;

std::string in(const std::string &name)
{
    return directory + "/" + name;
}

void run(const std::string &arguments)
{
    const std::string command = "'" FLS_TOOL_PATH "' " + arguments;
    if (std::system(command.c_str()) != 0) {
        std::fprintf(stderr, "failed: %s\n", command.c_str());
        std::exit(1);
    }
}

std::string read_text(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    CHECK(file.good());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<Bytes> read_delimited(const std::string &path)
{
    const std::string all = read_text(path);
    std::vector<Bytes> messages;
    for (std::size_t at = 0; at < all.size();) {
        CHECK(all.size() - at >= 4);
        std::size_t size = 0;
        for (unsigned i = 4; i-- > 0;) {
            size = size << 8 | static_cast<unsigned char>(all[at + i]);
        }
        at += 4;
        CHECK(size <= all.size() - at);
        messages.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                              all.begin() + static_cast<std::ptrdiff_t>(at + size));
        at += size;
    }
    return messages;
}

void write_delimited(const std::string &path, const std::vector<Bytes> &messages)
{
    std::ofstream file(path, std::ios::binary);
    for (const Bytes &message : messages) {
        for (unsigned i = 0; i < 4; i++) {
            file.put(static_cast<char>(message.size() >> (8 * i) & 0xff));
        }
        file.write(reinterpret_cast<const char *>(message.data()),
                   static_cast<std::streamsize>(message.size()));
    }
    CHECK(file.good());
}

// ---- content: what the official object API reads, written again by the official builder ----

template <class Root> Bytes content(const Bytes &message)
{
    const random_messages::AlignedCopy copy(message);
    flatbuffers::Verifier verifier(copy.data(), copy.size(), 1000);
    CHECK(verifier.VerifyBuffer<Root>(nullptr));
    typename Root::NativeTableType object;
    flatbuffers::GetRoot<Root>(copy.data())->UnPackTo(&object);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(Root::Pack(builder, &object));
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Through cat and write, with and without defaults. check is given what there was and what came.
template <class Check>
void there_and_back(const std::string &schema, const std::vector<Bytes> &messages, Check check)
{
    const std::string s = " -s '" FLS_TEST_SCHEMA_DIR "/" + schema + "' ";
    write_delimited(in("first.delim"), messages);
    run("write --from delimited" + s + "-o " + in("first.fls") + " " + in("first.delim"));
    run("cat --defaults" + s + "-o " + in("all") + " " + in("first.fls"));
    for (const char *defaults : {"", "--defaults "}) {
        run(std::string("cat ") + defaults + s + "-o " + in("lines") + " " + in("first.fls"));
        run(std::string("write --from json ") + defaults + s + "-o " + in("second.fls") + " " +
            in("lines"));
        run("cat --as delimited -o " + in("second.delim") + " " + in("second.fls"));
        const std::vector<Bytes> back = read_delimited(in("second.delim"));
        CHECK(back.size() == messages.size());
        for (std::size_t i = 0; i < back.size(); i++) {
            CHECK(check(messages[i], back[i]));
        }
        run("cat --defaults" + s + "-o " + in("lines") + " " + in("second.fls"));
        CHECK(read_text(in("all")) == read_text(in("lines")));
    }
}

bool same_sample(const Bytes &there, const Bytes &back)
{
    return content<telemetry::Sample>(there) == content<telemetry::Sample>(back);
}

// The official object API cannot write structs that are aligned to 32 bytes, so that there is only
// the verdict, and what is printed of both.
bool sound_everything(const Bytes &there, const Bytes &back)
{
    (void)there;
    const random_messages::AlignedCopy copy(back);
    flatbuffers::Verifier verifier(copy.data(), copy.size());
    return verifier.VerifyBuffer<everything::Everything>(nullptr);
}

void try_random_messages()
{
    prng random = prng_seeded(20);
    random_messages::Shape shape;
    shape.only_finite = true; // which nan it is does not survive
    shape.only_known = true;
    std::vector<Bytes> samples;
    std::vector<Bytes> others;
    for (unsigned i = 0; i < 1000; i++) {
        samples.push_back(random_messages::telemetry(random, shape));
    }
    for (unsigned i = 0; i < 300; i++) {
        others.push_back(random_messages::everything(random, shape));
    }
    there_and_back("telemetry.bfbs", samples, same_sample);
    there_and_back("everything.bfbs", others, sound_everything);
}

// ---- JSON as values: a plain parser that keeps numbers as text ----

struct Value {
    char kind = 0; // { [ " or the first letter of a number or word
    std::string text;
    std::vector<Value> list;
    std::map<std::string, Value> fields;
};

struct Parser {
    const char *next;

    void space()
    {
        next += std::strspn(next, " \t\r\n");
    }

    std::string string()
    {
        std::string text;
        CHECK(*next++ == '"');
        while (*next != '"') {
            CHECK(*next != '\0');
            if (*next != '\\') {
                text += *next++;
                continue;
            }
            next++;
            static const char from[] = "\"\\/bfnrt";
            static const char to[] = "\"\\/\b\f\n\r\t";
            const char *found = std::strchr(from, *next);
            CHECK(*next != '\0' && found != nullptr); // \u is not in those streams
            text += to[found - from];
            next++;
        }
        next++;
        return text;
    }

    Value value()
    {
        Value result;
        space();
        result.kind = *next;
        if (*next == '{') {
            next++;
            for (space(); *next != '}'; space()) {
                const std::string key = string();
                space();
                CHECK(*next++ == ':');
                CHECK(result.fields.emplace(key, value()).second);
                space();
                next += *next == ',';
            }
            next++;
        } else if (*next == '[') {
            next++;
            for (space(); *next != ']'; space()) {
                result.list.push_back(value());
                space();
                next += *next == ',';
            }
            next++;
        } else if (*next == '"') {
            result.text = string();
        } else {
            const std::size_t length = std::strcspn(next, ",]} \t\r\n");
            CHECK(length > 0);
            result.text.assign(next, length);
            next += length;
        }
        return result;
    }
};

// Whole numbers by their digits, others by the double, or by the float that they are near.
bool same_number(const std::string &a, const std::string &b)
{
    if (a == b) {
        return true;
    }
    const bool whole = (a + b).find_first_of(".eE") == std::string::npos;
    const double x = std::strtod(a.c_str(), nullptr);
    const double y = std::strtod(b.c_str(), nullptr);
    return !whole && (x == y || static_cast<float>(x) == static_cast<float>(y));
}

bool is_default(const std::string &key, const Value &value)
{
    if (key == "mode") {
        return value.text == "Idle";
    }
    return value.kind != '{' && value.kind != '[' && value.kind != '"' &&
           std::strtod(value.text.c_str(), nullptr) == (key == "soc" ? 1.0 : 0.0);
}

bool same(const Value &printed, const Value &wanted)
{
    if (printed.kind == '{') {
        for (const auto &field : printed.fields) {
            const auto found = wanted.fields.find(field.first);
            if (found == wanted.fields.end() || !same(field.second, found->second)) {
                return false;
            }
        }
        for (const auto &field : wanted.fields) {
            if (printed.fields.count(field.first) == 0 && !is_default(field.first, field.second)) {
                return false;
            }
        }
        return wanted.kind == '{';
    }
    if (printed.kind == '[') {
        bool equal = wanted.kind == '[' && printed.list.size() == wanted.list.size();
        for (std::size_t i = 0; equal && i < printed.list.size(); i++) {
            equal = same(printed.list[i], wanted.list[i]);
        }
        return equal;
    }
    if (printed.kind == '"' || wanted.kind == '"') {
        return printed.kind == wanted.kind && printed.text == wanted.text;
    }
    return same_number(printed.text, wanted.text);
}

void compare_lines(const std::string &printed, const std::string &wanted)
{
    Parser a{printed.c_str()};
    Parser b{wanted.c_str()};
    std::size_t count = 0;
    for (b.space(); *b.next != '\0'; b.space()) {
        a.space();
        CHECK(*a.next != '\0');
        const Value x = a.value();
        const Value y = b.value();
        if (!same(x, y)) {
            std::fprintf(stderr, "line %zu of what cat printed is another\n", count + 1);
            std::exit(1);
        }
        count++;
    }
    a.space();
    CHECK(*a.next == '\0' && count > 0);
    std::printf("%zu lines of JSON compared\n", count);
}

void try_parser()
{
    const char *const line = "{\"a\": [1, 2.5, {\"b\": \"x\\\"\"}], \"soc\": 1.0}";
    const char *const others[] = {"{\"a\": [1, 2.5, {\"b\": \"x\"}]}", "{\"a\": [1, 2.5, {}]}",
                                  "{\"a\": [1, 2.25, {\"b\": \"x\\\"\"}]}", "{\"a\": []}", "{}"};
    Value wanted = Parser{line}.value();
    CHECK(same(Parser{"{\"a\":[1,2.5,{\"b\":\"x\\\"\"}]}"}.value(), wanted));
    for (const char *other : others) {
        CHECK(!same(Parser{other}.value(), wanted));
    }
}

void try_foreign_streams()
{
    const char *foreign = files_interop_directory();
    if (foreign == nullptr) {
        return;
    }
    const std::string at = std::string(foreign) + "/telemetry.";
    const std::string s = " -s '" + at + "bfbs' ";
    const std::string wanted = read_text(at + "ndjson");
    for (const char *sum : {"none", "crc16", "crc32", "xxh3"}) {
        run("cat --as json" + s + "'" + at + sum + ".fls' >" + in("lines"));
        compare_lines(read_text(in("lines")), wanted);
    }
    run("write --from json" + s + "-o " + in("stream") + " '" + at + "ndjson'");
    run("cat --as delimited -o " + in("delim") + " " + in("stream"));
    const std::vector<Bytes> theirs = read_delimited(at + "delim");
    const std::vector<Bytes> ours = read_delimited(in("delim"));
    CHECK(theirs.size() == ours.size());
    for (std::size_t i = 0; i < ours.size(); i++) {
        CHECK(same_sample(theirs[i], ours[i]));
    }
    there_and_back("telemetry.bfbs", theirs, same_sample);
}

} // namespace

int main()
{
    char path[4096];
    files_make_directory(path, sizeof path);
    directory = path;
    try_parser();
    try_random_messages();
    try_foreign_streams();
    files_remove_directory(path);
    return 0;
}
