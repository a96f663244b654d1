// Whether JSON says of a message what the official library reads in it by reflection: every field,
// in its order, and nothing else.
#ifndef TESTS_SUPPORT_JSON_ORACLE_HPP
#define TESTS_SUPPORT_JSON_ORACLE_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <flatbuffers/reflection.h>

#include "support/json_reader.hpp"

namespace json_oracle {

struct Rules {
    bool with_defaults = false;
    bool numbers_for_enums = false;
};

class Oracle {
  public:
    Oracle(const std::string &bfbs, const Rules &rules);

    // Throws std::runtime_error with the path of the first difference. The message is sound.
    void check(const std::uint8_t *message, const json_reader::Json &json) const;

  private:
    using Json = json_reader::Json;

    void check_table(const reflection::Object &object, const flatbuffers::Table &table,
                     const Json &json, const std::string &path) const;
    void check_struct(const reflection::Object &object, const std::uint8_t *bytes, const Json &json,
                      const std::string &path) const;
    bool check_field(const reflection::Object &object, const reflection::Field &field,
                     const flatbuffers::Table &table, const Json &json,
                     const std::string &path) const;
    void check_absent(const reflection::Field &field, const Json &json,
                      const std::string &path) const;
    void check_reference(const reflection::Object &object, const reflection::Field &field,
                         const flatbuffers::Table &table, const std::uint8_t *to, const Json &json,
                         const std::string &path) const;
    void check_scalar(reflection::BaseType base, int enumeration, const std::uint8_t *bytes,
                      const Json &json, const std::string &path) const;
    void check_named(const reflection::Enum &names, std::int64_t value, bool is_unsigned,
                     const Json &json, const std::string &path) const;
    void check_elements(const reflection::Type &type, std::size_t count, const std::uint8_t *first,
                        const Json &json, const std::string &path) const;
    void check_unions(const reflection::Object &object, const reflection::Field &field,
                      const flatbuffers::Table &table, const std::uint8_t *vector, const Json &json,
                      const std::string &path) const;
    void check_member(int enumeration, std::uint8_t tag, const std::uint8_t *to, const Json &json,
                      const std::string &path) const;
    const reflection::Object &nested_root(const reflection::Object &object,
                                          const std::string &name) const;

    const std::string bfbs_;
    const reflection::Schema &schema_;
    const Rules rules_;
};

} // namespace json_oracle

#endif
