// A JSON reader for tests that shares nothing with the library: strict by RFC 8259, with what
// docs/JSON.md adds to it (lone surrogates that stand for bytes). Numbers stay text.
#ifndef TESTS_SUPPORT_JSON_READER_HPP
#define TESTS_SUPPORT_JSON_READER_HPP

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace json_reader {

struct Json {
    enum Kind { Null, False, True, Number, String, Array, Object };
    Kind kind = Null;
    std::string text; // of a number as it is written, of a string with all escapes undone
    std::vector<Json> items;
    std::vector<std::pair<std::string, Json>> members; // in their order

    bool has(const std::string &name) const;
    const Json &at(const std::string &name) const; // throws when there is none
};

// Throws std::runtime_error for what is no JSON text, holds a key twice, or is not UTF-8.
Json read(const std::string &text);

} // namespace json_reader

#endif
