// Messages as JSON and back, in C++; docs/JSON.md says how every type is written.
#ifndef FLATSTREAM_JSON_HPP
#define FLATSTREAM_JSON_HPP

#include "flatstream/json.h"
#include "flatstream/schema.hpp"

namespace flatstream {

// The fields are those of fls_json_print_options.
struct json_print_options : fls_json_print_options {
    json_print_options()
        : fls_json_print_options(fls_json_print_options FLS_JSON_PRINT_OPTIONS_INIT)
    {
    }
};

// The fields are those of fls_json_parse_options.
struct json_parse_options : fls_json_parse_options {
    json_parse_options()
        : fls_json_parse_options(fls_json_parse_options FLS_JSON_PARSE_OPTIONS_INIT)
    {
    }
};

// Messages out as JSON, a line each. The schema has to outlive it; one thread at a time.
class json_printer {
  public:
    json_printer() noexcept = default;
    ~json_printer()
    {
        fls_json_printer_free(printer_);
    }
    json_printer(json_printer &&other) noexcept : printer_(other.printer_)
    {
        other.printer_ = nullptr;
    }
    json_printer &operator=(json_printer &&other) noexcept
    {
        std::swap(printer_, other.printer_);
        return *this;
    }
    json_printer(const json_printer &) = delete;
    json_printer &operator=(const json_printer &) = delete;

    // root is a table's index; FLS_SCHEMA_NONE is the schema's own root.
    FLS_MUST_USE fls_status try_open(const schema &of, std::uint32_t root = FLS_SCHEMA_NONE,
                                     const json_print_options &options = json_print_options(),
                                     fls_error *err = nullptr)
    {
        fls_json_printer *made = nullptr;
        fls_status status = fls_json_printer_new(
            &made, of.get(), root == FLS_SCHEMA_NONE ? of.root() : root, &options, err);
        if (status == FLS_OK) {
            fls_json_printer_free(printer_);
            printer_ = made;
        }
        return status;
    }
    // The text is borrowed until the next call.
    FLS_MUST_USE fls_status try_print(byte_view payload, text_view &text, fls_error *err = nullptr)
    {
        const char *start = nullptr;
        std::size_t size = 0;
        fls_status status =
            fls_json_print(printer_, payload.data(), payload.size(), &start, &size, err);
        text = status == FLS_OK ? text_view(start, size) : text_view();
        return status;
    }

#if FLATSTREAM_EXCEPTIONS
    explicit json_printer(const schema &of, std::uint32_t root = FLS_SCHEMA_NONE,
                          const json_print_options &options = json_print_options())
    {
        fls_error err;
        detail::require(try_open(of, root, options, &err), err);
    }
    text_view print(byte_view payload)
    {
        text_view text;
        fls_error err;
        detail::require(try_print(payload, text, &err), err);
        return text;
    }
    text_view print(const message &of)
    {
        return print(of.bytes());
    }
#endif

    explicit operator bool() const noexcept
    {
        return printer_ != nullptr;
    }

  private:
    fls_json_printer *printer_ = nullptr;
};

// Messages made of JSON. The schema has to outlive it; one thread at a time.
class json_parser {
  public:
    json_parser() noexcept = default;
    ~json_parser()
    {
        fls_json_parser_free(parser_);
    }
    json_parser(json_parser &&other) noexcept : parser_(other.parser_)
    {
        other.parser_ = nullptr;
    }
    json_parser &operator=(json_parser &&other) noexcept
    {
        std::swap(parser_, other.parser_);
        return *this;
    }
    json_parser(const json_parser &) = delete;
    json_parser &operator=(const json_parser &) = delete;

    FLS_MUST_USE fls_status try_open(const schema &of, std::uint32_t root = FLS_SCHEMA_NONE,
                                     const json_parse_options &options = json_parse_options(),
                                     fls_error *err = nullptr)
    {
        fls_json_parser *made = nullptr;
        fls_status status = fls_json_parser_new(
            &made, of.get(), root == FLS_SCHEMA_NONE ? of.root() : root, &options, err);
        if (status == FLS_OK) {
            fls_json_parser_free(parser_);
            parser_ = made;
        }
        return status;
    }
    // The payload is borrowed until the next call. where says where the text is wrong.
    FLS_MUST_USE fls_status try_parse(text_view text, byte_view &payload,
                                      fls_json_error *where = nullptr, fls_error *err = nullptr)
    {
        const void *data = nullptr;
        std::size_t size = 0;
        fls_status status =
            fls_json_parse(parser_, text.data(), text.size(), &data, &size, where, err);
        payload = status == FLS_OK ? byte_view(data, size) : byte_view();
        return status;
    }

#if FLATSTREAM_EXCEPTIONS
    explicit json_parser(const schema &of, std::uint32_t root = FLS_SCHEMA_NONE,
                         const json_parse_options &options = json_parse_options())
    {
        fls_error err;
        detail::require(try_open(of, root, options, &err), err);
    }
    byte_view parse(text_view text)
    {
        byte_view payload;
        fls_error err;
        detail::require(try_parse(text, payload, nullptr, &err), err);
        return payload;
    }
#endif

    explicit operator bool() const noexcept
    {
        return parser_ != nullptr;
    }

  private:
    fls_json_parser *parser_ = nullptr;
};

} // namespace flatstream

#endif
