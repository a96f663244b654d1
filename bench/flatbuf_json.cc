// JSON: printing messages against the official text generator, and reading what was printed against
// the official parser.
#include <cstdio>
#include <cstdlib>

#include <flatbuffers/idl.h>

#include "flatbuf.hpp"
#include "flatstream/json.h"

namespace {

const bench_table print_table = {"flatbuf-json-out",
                                 "JSON out",
                                 "hot, telemetry; ratios are to flatbuffers::GenerateText without "
                                 "blanks; goal: 10 times as fast",
                                 "messages",
                                 "official",
                                 15,
                                 false,
                                 false,
                                 false,
                                 {"official", "verified", "verifying"}};

const bench_table read_table = {"flatbuf-json-in",
                                "JSON in",
                                "hot, telemetry as printed by the library; ratios are to "
                                "flatbuffers::Parser::ParseJson; goal: 5 times as fast",
                                "texts",
                                "official",
                                15,
                                false,
                                false,
                                false,
                                {"official", "strict"}};

[[noreturn]] void die(const char *what, const fls_error &err)
{
    std::fprintf(stderr, "%s: %s\n", what, err.text);
    std::exit(1);
}

struct Printing {
    fls_schema *schema = nullptr;
    fls_json_printer *verified = nullptr;  // the caller verified
    fls_json_printer *verifying = nullptr; // it verifies first
    flatbuffers::Parser official;
    std::string text;

    Printing() : official(official_options())
    {
        fls_error err = FLS_ERROR_INIT;
        const std::string &bfbs = flatbuf_bfbs();
        if (fls_schema_new(&schema, bfbs.data(), bfbs.size(), nullptr, &err) != FLS_OK) {
            die("the schema", err);
        }
        verified = printer(1);
        verifying = printer(0);
        if (!official.Deserialize(reinterpret_cast<const std::uint8_t *>(bfbs.data()),
                                  bfbs.size())) {
            std::fputs("the official library does not take the schema\n", stderr);
            std::exit(1);
        }
    }

    Printing(const Printing &) = delete;
    Printing &operator=(const Printing &) = delete;

    ~Printing()
    {
        fls_json_printer_free(verified);
        fls_json_printer_free(verifying);
        fls_schema_free(schema);
    }

    static flatbuffers::IDLOptions official_options()
    {
        flatbuffers::IDLOptions options;
        options.strict_json = true;
        options.indent_step = -1; // one line, like ours
        return options;
    }

    fls_json_printer *printer(std::uint32_t is_verified) const
    {
        fls_error err = FLS_ERROR_INIT;
        fls_json_printer *made = nullptr;
        fls_json_print_options options = FLS_JSON_PRINT_OPTIONS_INIT;
        options.is_verified = is_verified;
        if (fls_json_printer_new(&made, schema, fls_schema_root(schema), &options, &err) !=
            FLS_OK) {
            die("a printer", err);
        }
        return made;
    }
};

std::uint64_t print_ours(fls_json_printer *printer, const FlatbufWork &work)
{
    std::uint64_t printed = 0;
    for (const FlatbufMessage &message : work.messages) {
        const char *text;
        std::size_t bytes;
        printed +=
            fls_json_print(printer, message.data, message.size, &text, &bytes, nullptr) == FLS_OK
                ? 1
                : 0;
    }
    return printed;
}

std::uint64_t print_official(Printing &printing, const FlatbufWork &work)
{
    std::uint64_t printed = 0;
    for (const FlatbufMessage &message : work.messages) {
        printing.text.clear();
        printed +=
            flatbuffers::GenerateText(printing.official, message.data, &printing.text) ? 1 : 0;
    }
    return printed;
}

// What the library prints of the messages.
struct Texts {
    std::vector<std::string> texts;
    FlatbufWork work;

    Texts(const Printing &printing, const FlatbufWork &from) : work{from.name, {}, 0}
    {
        for (const FlatbufMessage &message : from.messages) {
            const char *text;
            std::size_t bytes;
            fls_error err = FLS_ERROR_INIT;
            if (fls_json_print(printing.verified, message.data, message.size, &text, &bytes,
                               &err) != FLS_OK) {
                die("a message", err);
            }
            texts.emplace_back(text, bytes);
        }
        for (const std::string &text : texts) {
            work.messages.push_back(
                {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()});
            work.bytes += text.size();
        }
    }
};

struct Reading {
    fls_json_parser *parser = nullptr;

    explicit Reading(const Printing &printing)
    {
        fls_error err = FLS_ERROR_INIT;
        if (fls_json_parser_new(&parser, printing.schema, fls_schema_root(printing.schema), nullptr,
                                &err) != FLS_OK) {
            die("a parser", err);
        }
    }
    Reading(const Reading &) = delete;
    Reading &operator=(const Reading &) = delete;
    ~Reading()
    {
        fls_json_parser_free(parser);
    }
};

std::uint64_t read_ours(const Reading &reading, const Texts &texts)
{
    std::uint64_t read = 0;
    for (const std::string &text : texts.texts) {
        const void *payload;
        std::size_t bytes;
        read += fls_json_parse(reading.parser, text.data(), text.size(), &payload, &bytes, nullptr,
                               nullptr) == FLS_OK
                    ? 1
                    : 0;
    }
    return read;
}

std::uint64_t read_official(Printing &printing, const Texts &texts)
{
    std::uint64_t read = 0;
    for (const std::string &text : texts.texts) {
        read += printing.official.ParseJson(text.c_str()) ? 1 : 0;
    }
    return read;
}

void measure_reading(Printing &printing)
{
    const Reading reading(printing);
    for (const FlatbufWork *work : {&flatbuf_mixed(), &flatbuf_one_kib()}) {
        const Texts texts(printing, *work);
        flatbuf_row(read_table, texts.work, 0.2, texts.texts.size(),
                    {{"official", BENCH_LIMIT | BENCH_SHOWN,
                      [&texts, &printing] { return read_official(printing, texts); }},
                     {"strict", BENCH_SHOWN | BENCH_JUDGED,
                      [&texts, &reading] { return read_ours(reading, texts); }}});
    }
}

} // namespace

void flatbuf_measure_json()
{
    Printing printing;
    for (const FlatbufWork *work : {&flatbuf_mixed(), &flatbuf_one_kib()}) {
        flatbuf_row(print_table, *work, 0.1, work->messages.size(),
                    {{"official", BENCH_LIMIT | BENCH_SHOWN,
                      [work, &printing] { return print_official(printing, *work); }},
                     {"verified", BENCH_SHOWN | BENCH_JUDGED,
                      [work, &printing] { return print_ours(printing.verified, *work); }},
                     {"verifying", BENCH_SHOWN | BENCH_JUDGED,
                      [work, &printing] { return print_ours(printing.verifying, *work); }}});
    }
    measure_reading(printing);
}
