#include "support/json_oracle.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace json_oracle {

using json_reader::Json;
using reflection::BaseType;

namespace {

[[noreturn]] void differ(const std::string &path, const std::string &why)
{
    throw std::runtime_error(path + ": " + why);
}

void expect(bool holds, const std::string &path, const std::string &why)
{
    if (!holds) {
        differ(path, why);
    }
}

template <class T> T load(const std::uint8_t *bytes)
{
    return flatbuffers::ReadScalar<T>(bytes);
}

const std::uint8_t *follow(const std::uint8_t *reference)
{
    return reference + load<flatbuffers::uoffset_t>(reference);
}

bool is_unsigned(BaseType base)
{
    return base == reflection::ULong || base == reflection::UInt || base == reflection::UShort ||
           base == reflection::UByte || base == reflection::UType;
}

std::int64_t whole(BaseType base, const std::uint8_t *bytes)
{
    switch (base) {
    case reflection::Byte: return load<std::int8_t>(bytes);
    case reflection::Short: return load<std::int16_t>(bytes);
    case reflection::UShort: return load<std::uint16_t>(bytes);
    case reflection::Int: return load<std::int32_t>(bytes);
    case reflection::UInt: return load<std::uint32_t>(bytes);
    case reflection::Long:
    case reflection::ULong: return load<std::int64_t>(bytes);
    default: return load<std::uint8_t>(bytes);
    }
}

std::string digits(std::int64_t value, bool as_unsigned)
{
    return as_unsigned ? std::to_string(static_cast<std::uint64_t>(value)) : std::to_string(value);
}

template <class T> void check_real(T value, const Json &json, const std::string &path)
{
    if (!std::isfinite(value)) {
        const char *wanted = std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
        expect(json.kind == Json::String && json.text == wanted, path, wanted);
        return;
    }
    expect(json.kind == Json::Number, path, "no number");
    expect(json.text.find_first_of(".e") != std::string::npos, path, "no sign of a float");
    T back;
    if constexpr (sizeof(T) == 4) {
        back = std::strtof(json.text.c_str(), nullptr);
    } else {
        back = std::strtod(json.text.c_str(), nullptr);
    }
    expect(std::memcmp(&back, &value, sizeof back) == 0, path, "another float: " + json.text);
}

void check_text(const std::uint8_t *string, const Json &json, const std::string &path)
{
    const auto &text = *reinterpret_cast<const flatbuffers::String *>(string);
    expect(json.kind == Json::String && json.text == text.str(), path, "another string");
}

std::size_t inline_bytes(const reflection::Schema &schema, const reflection::Type &type)
{
    if (type.element() == reflection::Obj) {
        const auto &object = *schema.objects()->Get(static_cast<unsigned>(type.index()));
        return object.is_struct() ? static_cast<std::size_t>(object.bytesize()) : 4;
    }
    return flatbuffers::GetTypeSize(type.element());
}

// The fields of an object by their ids.
std::vector<const reflection::Field *> by_id(const reflection::Object &object)
{
    std::vector<const reflection::Field *> fields(object.fields()->size());
    for (const reflection::Field *field : *object.fields()) {
        fields[field->id()] = field;
    }
    return fields;
}

// Not by key: the values of an ulong are sorted as what they are, but searched for as if signed.
const reflection::EnumVal *find(const reflection::Enum &names, std::int64_t value)
{
    for (const reflection::EnumVal *one : *names.values()) {
        if (one->value() == value) {
            return one;
        }
    }
    return nullptr;
}

template <class T> bool has_attribute(const T &of, const char *name)
{
    return of.attributes() != nullptr && of.attributes()->LookupByKey(name) != nullptr;
}

} // namespace

Oracle::Oracle(const std::string &bfbs, const Rules &rules)
    : bfbs_(bfbs), schema_(*reflection::GetSchema(bfbs_.data())), rules_(rules)
{
}

void Oracle::check(const std::uint8_t *message, const Json &json) const
{
    check_table(*schema_.root_table(), *flatbuffers::GetAnyRoot(message), json, "");
}

void Oracle::check_table(const reflection::Object &object, const flatbuffers::Table &table,
                         const Json &json, const std::string &path) const
{
    expect(json.kind == Json::Object, path, "no object");
    std::size_t next = 0;
    for (const reflection::Field *field : by_id(object)) {
        const std::string name = field->name()->str();
        const std::string below = path + "." + name;
        const bool is_next = next < json.members.size() && json.members[next].first == name;
        const Json nothing;
        if (field->deprecated()) {
            expect(!json.has(name), below, "deprecated, but printed");
            continue;
        }
        const bool wanted = check_field(object, *field, table,
                                        is_next ? json.members[next].second : nothing, below);
        expect(wanted == is_next, below, "printed, or not printed, or elsewhere");
        next += is_next ? 1 : 0;
    }
    expect(next == json.members.size(), path, "more than the fields");
}

// Whether the field is to be printed; if so, what it is.
bool Oracle::check_field(const reflection::Object &object, const reflection::Field &field,
                         const flatbuffers::Table &table, const Json &json,
                         const std::string &path) const
{
    const std::uint8_t *bytes = table.GetAddressOf(field.offset());
    const BaseType base = field.type()->base_type();
    if (bytes != nullptr && base == reflection::Union) {
        const auto tag_place = static_cast<flatbuffers::voffset_t>(field.offset() - 2);
        if (table.GetField<std::uint8_t>(tag_place, 0) == 0) {
            bytes = nullptr;
        }
    }
    if (bytes == nullptr) {
        if (rules_.with_defaults) {
            check_absent(field, json, path);
        }
        return rules_.with_defaults;
    }
    if (base <= reflection::Double) {
        check_scalar(base, field.type()->index(), bytes, json, path);
        return true;
    }
    if (base == reflection::Obj) {
        const auto &target = *schema_.objects()->Get(static_cast<unsigned>(field.type()->index()));
        if (target.is_struct()) {
            check_struct(target, bytes, json, path);
            return true;
        }
    }
    check_reference(object, field, table, follow(bytes), json, path);
    return true;
}

void Oracle::check_absent(const reflection::Field &field, const Json &json,
                          const std::string &path) const
{
    const BaseType base = field.type()->base_type();
    if (base > reflection::Double || field.optional()) {
        expect(json.kind == Json::Null, path, "absent, but not null");
        return;
    }
    std::uint8_t bytes[8];
    if (base == reflection::Float) {
        flatbuffers::WriteScalar(bytes, static_cast<float>(field.default_real()));
    } else if (base == reflection::Double) {
        flatbuffers::WriteScalar(bytes, field.default_real());
    } else {
        flatbuffers::WriteScalar(bytes, field.default_integer());
    }
    check_scalar(base, field.type()->index(), bytes, json, path);
}

const reflection::Object &Oracle::nested_root(const reflection::Object &object,
                                              const std::string &name) const
{
    const std::string owner = object.name()->str();
    const auto *found =
        schema_.objects()->LookupByKey((owner.substr(0, owner.rfind('.') + 1) + name).c_str());
    expect(found != nullptr, name, "no root of a nested buffer");
    return *found;
}

void Oracle::check_reference(const reflection::Object &object, const reflection::Field &field,
                             const flatbuffers::Table &table, const std::uint8_t *to,
                             const Json &json, const std::string &path) const
{
    const reflection::Type &type = *field.type();
    switch (type.base_type()) {
    case reflection::String: check_text(to, json, path); return;
    case reflection::Obj:
        check_table(*schema_.objects()->Get(static_cast<unsigned>(type.index())),
                    *reinterpret_cast<const flatbuffers::Table *>(to), json, path);
        return;
    case reflection::Union:
        check_member(type.index(),
                     table.GetField<std::uint8_t>(
                         static_cast<flatbuffers::voffset_t>(field.offset() - 2), 0),
                     to, json, path);
        return;
    default: break;
    }
    if (type.element() == reflection::Union) {
        check_unions(object, field, table, to, json, path);
        return;
    }
    if (has_attribute(field, "nested_flatbuffer")) {
        const auto *root = field.attributes()->LookupByKey("nested_flatbuffer")->value();
        check_table(nested_root(object, root->str()), *flatbuffers::GetAnyRoot(to + 4), json, path);
        return;
    }
    check_elements(type, load<std::uint32_t>(to), to + 4, json, path);
}

void Oracle::check_elements(const reflection::Type &type, std::size_t count,
                            const std::uint8_t *first, const Json &json,
                            const std::string &path) const
{
    expect(json.kind == Json::Array && json.items.size() == count, path, "another length");
    const std::size_t step = inline_bytes(schema_, type);
    for (std::size_t i = 0; i < count; i++) {
        const std::string below = path + "[" + std::to_string(i) + "]";
        const std::uint8_t *at = first + i * step;
        if (type.element() == reflection::String) {
            check_text(follow(at), json.items[i], below);
        } else if (type.element() == reflection::Obj) {
            const auto &object = *schema_.objects()->Get(static_cast<unsigned>(type.index()));
            if (object.is_struct()) {
                check_struct(object, at, json.items[i], below);
            } else {
                check_table(object, *reinterpret_cast<const flatbuffers::Table *>(follow(at)),
                            json.items[i], below);
            }
        } else {
            check_scalar(type.element(), type.index(), at, json.items[i], below);
        }
    }
}

void Oracle::check_unions(const reflection::Object &, const reflection::Field &field,
                          const flatbuffers::Table &table, const std::uint8_t *vector,
                          const Json &json, const std::string &path) const
{
    const auto *tags = table.GetPointer<const flatbuffers::Vector<std::uint8_t> *>(
        static_cast<flatbuffers::voffset_t>(field.offset() - 2));
    const std::uint32_t count = load<std::uint32_t>(vector);
    expect(tags != nullptr && tags->size() == count, path, "tags of another number");
    expect(json.kind == Json::Array && json.items.size() == count, path, "another length");
    for (std::uint32_t i = 0; i < count; i++) {
        const std::string below = path + "[" + std::to_string(i) + "]";
        const std::uint8_t tag = tags->Get(i);
        if (tag == 0) {
            expect(json.items[i].kind == Json::Null, below, "not null");
        } else {
            check_member(field.type()->index(), tag, follow(vector + 4 + 4 * i), json.items[i],
                         below);
        }
    }
}

void Oracle::check_member(int enumeration, std::uint8_t tag, const std::uint8_t *to,
                          const Json &json, const std::string &path) const
{
    const auto &names = *schema_.enums()->Get(static_cast<unsigned>(enumeration));
    const reflection::EnumVal *member = find(names, tag);
    if (member == nullptr) {
        expect(json.kind == Json::Null, path, "an unknown member");
        return;
    }
    const reflection::Type &type = *member->union_type();
    if (type.base_type() == reflection::String) {
        check_text(to, json, path);
        return;
    }
    const auto &object = *schema_.objects()->Get(static_cast<unsigned>(type.index()));
    if (object.is_struct()) {
        check_struct(object, to, json, path);
    } else {
        check_table(object, *reinterpret_cast<const flatbuffers::Table *>(to), json, path);
    }
}

void Oracle::check_struct(const reflection::Object &object, const std::uint8_t *bytes,
                          const Json &json, const std::string &path) const
{
    const auto fields = by_id(object);
    expect(json.kind == Json::Object && json.members.size() == fields.size(), path,
           "another number of fields");
    for (std::size_t i = 0; i < fields.size(); i++) {
        const reflection::Type &type = *fields[i]->type();
        const std::string below = path + "." + fields[i]->name()->str();
        const Json &value = json.members[i].second;
        const std::uint8_t *at = bytes + fields[i]->offset();
        expect(json.members[i].first == fields[i]->name()->str(), below, "another order");
        if (type.base_type() == reflection::Obj) {
            check_struct(*schema_.objects()->Get(static_cast<unsigned>(type.index())), at, value,
                         below);
        } else if (type.base_type() == reflection::Array) {
            check_elements(type, type.fixed_length(), at, value, below);
        } else {
            check_scalar(type.base_type(), type.index(), at, value, below);
        }
    }
}

void Oracle::check_scalar(BaseType base, int enumeration, const std::uint8_t *bytes,
                          const Json &json, const std::string &path) const
{
    if (base == reflection::Float) {
        check_real(load<float>(bytes), json, path);
        return;
    }
    if (base == reflection::Double) {
        check_real(load<double>(bytes), json, path);
        return;
    }
    const std::int64_t value = whole(base, bytes);
    if (enumeration >= 0 && !rules_.numbers_for_enums) {
        check_named(*schema_.enums()->Get(static_cast<unsigned>(enumeration)), value,
                    is_unsigned(base), json, path);
    } else if (base == reflection::Bool) {
        expect(json.kind == (value != 0 ? Json::True : Json::False), path, "another bool");
    } else {
        expect(json.kind == Json::Number && json.text == digits(value, is_unsigned(base)), path,
               "another number than " + digits(value, is_unsigned(base)));
    }
}

void Oracle::check_named(const reflection::Enum &names, std::int64_t value, bool as_unsigned,
                         const Json &json, const std::string &path) const
{
    std::string wanted;
    std::uint64_t left = static_cast<std::uint64_t>(value);
    if (const reflection::EnumVal *found = find(names, value)) {
        wanted = found->name()->str();
    } else if (has_attribute(names, "bit_flags")) {
        for (unsigned bit = 0; bit < 64; bit++) {
            for (const reflection::EnumVal *one : *names.values()) {
                const std::uint64_t mask = std::uint64_t{1} << bit;
                if (static_cast<std::uint64_t>(one->value()) == mask && (left & mask) != 0) {
                    wanted += (wanted.empty() ? "" : " ") + one->name()->str();
                    left &= ~mask;
                }
            }
        }
        wanted = left == 0 ? wanted : "";
    }
    if (wanted.empty()) {
        expect(json.kind == Json::Number && json.text == digits(value, as_unsigned), path,
               "no name, and another number");
    } else {
        expect(json.kind == Json::String && json.text == wanted, path, "not " + wanted);
    }
}

} // namespace json_oracle
