// Paths and conditions over random messages against what generated accessors read: values of every
// kind, each comparison with constants near the value and far from it, and damaged messages, over
// which everything has to stay within bounds and be the same twice.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <flatbuffers/util.h>

#include "everything_generated.h"
#include "flatstream/query.h"
#include "support/random_messages.hpp"

namespace {

using everything::Everything;
using random_messages::AlignedCopy;
using random_messages::Bytes;
using random_messages::Shape;

[[noreturn]] void fail(const std::string &why)
{
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

fls_schema *load(const std::string &name)
{
    std::string bytes;
    fls_schema *schema = nullptr;
    fls_error err = FLS_ERROR_INIT;
    if (!flatbuffers::LoadFile((FLS_TEST_SCHEMA_DIR "/" + name).c_str(), true, &bytes) ||
        fls_schema_new(&schema, bytes.data(), bytes.size(), nullptr, &err) != FLS_OK) {
        fail(name + ": " + err.text);
    }
    return schema;
}

class Path {
  public:
    Path(const fls_schema *schema, const std::string &text) : text_(text)
    {
        fls_error err = FLS_ERROR_INIT;
        if (fls_path_new(&path_, schema, fls_schema_root(schema), text.c_str(), nullptr, &err) !=
            FLS_OK) {
            fail(text + ": " + err.text);
        }
    }
    Path(Path &&other) noexcept : text_(other.text_), path_(other.path_)
    {
        other.path_ = nullptr;
    }
    Path(const Path &) = delete;
    Path &operator=(const Path &) = delete;
    ~Path()
    {
        fls_path_free(path_);
    }
    fls_value get(const AlignedCopy &message) const
    {
        fls_value value;
        fls_path_get(path_, message.data(), message.size(), &value);
        return value;
    }
    const std::string &text() const
    {
        return text_;
    }

  private:
    std::string text_;
    fls_path *path_ = nullptr;
};

bool holds(const fls_schema *schema, const std::string &text, const AlignedCopy &message)
{
    fls_error err = FLS_ERROR_INIT;
    fls_predicate *predicate;
    if (fls_predicate_new(&predicate, schema, fls_schema_root(schema), text.c_str(), nullptr,
                          &err) != FLS_OK) {
        fail(text + ": " + err.text);
    }
    bool answer = fls_predicate_holds(predicate, message.data(), message.size()) != 0;
    fls_predicate_free(predicate);
    return answer;
}

// What an accessor says of a path.
struct Wanted {
    bool is_there = false;
    bool is_text = false;
    bool is_float = false;
    bool is_f32 = false;
    bool is_negative = false; // of whole numbers
    std::uint64_t bits = 0;   // of whole numbers, sign-extended
    double number = 0;
    std::string text;
};

template <typename T> Wanted number(T value)
{
    Wanted wanted;
    wanted.is_there = true;
    if constexpr (std::is_floating_point_v<T>) {
        wanted.is_float = true;
        wanted.is_f32 = sizeof(T) == 4;
        wanted.number = value;
    } else if constexpr (std::is_enum_v<T>) {
        return number(static_cast<std::underlying_type_t<T>>(value));
    } else {
        wanted.bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
        if constexpr (std::is_unsigned_v<T>) {
            wanted.bits = static_cast<std::uint64_t>(value);
        }
        wanted.is_negative = value < T(0);
    }
    return wanted;
}

template <typename T> Wanted number(flatbuffers::Optional<T> value)
{
    return value.has_value() ? number(*value) : Wanted();
}

Wanted text(const flatbuffers::String *string)
{
    Wanted wanted;
    if (string != nullptr) {
        wanted.is_there = wanted.is_text = true;
        wanted.text = string->str();
    }
    return wanted;
}

template <typename V> Wanted length(const V *vector)
{
    return vector != nullptr ? number(vector->size()) : Wanted();
}

template <typename V> Wanted element(const V *vector, unsigned index)
{
    return vector != nullptr && index < vector->size() ? number(vector->Get(index)) : Wanted();
}

struct Case {
    Path path;
    std::function<Wanted(const void *root)> accessor;
};

#define EVERY(text, expression)                              \
    Case                                                     \
    {                                                        \
        Path(schema, text), [](const void *root) -> Wanted { \
            auto m = flatbuffers::GetRoot<Everything>(root); \
            (void)m;                                         \
            return expression;                               \
        }                                                    \
    }
#define SCALAR(table, field) \
    EVERY(#table "." #field, m->table() ? number(m->table()->field()) : Wanted())

std::vector<Case> everything_cases(const fls_schema *schema)
{
    std::vector<Case> cases;
#define ADD(...) cases.push_back(__VA_ARGS__)
    ADD(SCALAR(scalars, a_bool));
    ADD(SCALAR(scalars, a_byte));
    ADD(SCALAR(scalars, a_ubyte));
    ADD(SCALAR(scalars, a_short));
    ADD(SCALAR(scalars, a_ushort));
    ADD(SCALAR(scalars, an_int));
    ADD(SCALAR(scalars, a_uint));
    ADD(SCALAR(scalars, a_long));
    ADD(SCALAR(scalars, a_ulong));
    ADD(SCALAR(scalars, a_float));
    ADD(SCALAR(scalars, a_double));
    ADD(SCALAR(defaults, a_bool));
    ADD(SCALAR(defaults, a_byte));
    ADD(SCALAR(defaults, a_short));
    ADD(SCALAR(defaults, an_int));
    ADD(SCALAR(defaults, a_uint));
    ADD(SCALAR(defaults, a_long));
    ADD(SCALAR(defaults, a_ulong));
    ADD(SCALAR(defaults, a_float));
    ADD(SCALAR(defaults, a_double));
    ADD(SCALAR(defaults, not_a_float));
    ADD(SCALAR(defaults, infinite));
    ADD(SCALAR(defaults, negative_infinite));
    ADD(SCALAR(defaults, small));
    ADD(SCALAR(optionals, a_byte));
    ADD(SCALAR(optionals, a_ulong));
    ADD(SCALAR(optionals, a_float));
    ADD(SCALAR(optionals, a_double));
    ADD(SCALAR(enums, tiny));
    ADD(EVERY("enums.signed", m->enums() ? number(m->enums()->signed_()) : Wanted()));
    ADD(EVERY("enums.long", m->enums() ? number(m->enums()->long_()) : Wanted()));
    ADD(SCALAR(enums, huge));
    ADD(SCALAR(enums, flags));
    // Not wide_flags: a .bfbs loses its default, which is above the largest i64.
    ADD(EVERY("structs.mixed.b", m->structs() && m->structs()->mixed()
                                     ? number(m->structs()->mixed()->b())
                                     : Wanted()));
    ADD(EVERY("structs.mixed.e", m->structs() && m->structs()->mixed()
                                     ? number(m->structs()->mixed()->e())
                                     : Wanted()));
    ADD(EVERY("structs.nested.body.c", m->structs() && m->structs()->nested()
                                           ? number(m->structs()->nested()->body().c())
                                           : Wanted()));
    ADD(EVERY("structs.arrays.points[1].y",
              m->structs() && m->structs()->arrays()
                  ? number(m->structs()->arrays()->points()->Get(1)->y())
                  : Wanted()));
    ADD(EVERY("structs.arrays.halves[-1]", m->structs() && m->structs()->arrays()
                                               ? number(m->structs()->arrays()->halves()->Get(4))
                                               : Wanted()));
    ADD(EVERY("vectors.longs[1]", m->vectors() ? element(m->vectors()->longs(), 1) : Wanted()));
    ADD(EVERY("vectors.floats[0]", m->vectors() ? element(m->vectors()->floats(), 0) : Wanted()));
    ADD(EVERY("vectors.ubytes.length", m->vectors() ? length(m->vectors()->ubytes()) : Wanted()));
    ADD(EVERY("vectors.strings[-1]",
              m->vectors() && m->vectors()->strings() && m->vectors()->strings()->size() > 0
                  ? text(m->vectors()->strings()->Get(m->vectors()->strings()->size() - 1))
                  : Wanted()));
    ADD(EVERY("vectors.tables[0].an_int",
              m->vectors() && m->vectors()->tables() && m->vectors()->tables()->size() > 0
                  ? number(m->vectors()->tables()->Get(0)->an_int())
                  : Wanted()));
    ADD(EVERY("vectors.mixeds[0].e",
              m->vectors() && m->vectors()->mixeds() && m->vectors()->mixeds()->size() > 0
                  ? number(m->vectors()->mixeds()->Get(0)->e())
                  : Wanted()));
    ADD(EVERY("unions.any_type", m->unions() ? number(m->unions()->any_type()) : Wanted()));
    ADD(EVERY("unions.any.Scalars.a_double", m->unions() && m->unions()->any_as_Scalars()
                                                 ? number(m->unions()->any_as_Scalars()->a_double())
                                                 : Wanted()));
    ADD(EVERY("unions.any.Vec3.y", m->unions() && m->unions()->any_as_Vec3()
                                       ? number(m->unions()->any_as_Vec3()->y())
                                       : Wanted()));
    ADD(EVERY("unions.any.text", m->unions() ? text(m->unions()->any_as_text()) : Wanted()));
    ADD(EVERY("unions.any_many.length", m->unions() ? length(m->unions()->any_many()) : Wanted()));
    ADD(EVERY(
        "unions.any_many[0].Scalars.an_int",
        m->unions() && m->unions()->any_many() && m->unions()->any_many()->size() > 0 &&
                m->unions()->any_many_type()->Get(0) == everything::Any::Scalars
            ? number(reinterpret_cast<const everything::Scalars *>(m->unions()->any_many()->Get(0))
                         ->an_int())
            : Wanted()));
    ADD(EVERY("nests.scalars.a_uint", m->nests() && m->nests()->scalars()
                                          ? number(m->nests()->scalars_nested_root()->a_uint())
                                          : Wanted()));
    ADD(EVERY("tree.children[0].name",
              m->tree() && m->tree()->children() && m->tree()->children()->size() > 0
                  ? text(m->tree()->children()->Get(0)->name())
                  : Wanted()));
    ADD(EVERY("text", text(m->text())));
    ADD(EVERY("text.length", m->text() ? number(m->text()->size()) : Wanted()));
#undef ADD
    return cases;
}

bool same_float(double a, double b)
{
    return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

void check_value(const Path &path, const fls_value &value, const Wanted &wanted)
{
    bool same = (value.kind != FLS_VALUE_ABSENT) == wanted.is_there;
    if (same && wanted.is_there) {
        if (wanted.is_text) {
            same = value.kind == FLS_VALUE_STRING &&
                   std::string(value.as.string.text, value.as.string.size) == wanted.text;
        } else if (wanted.is_float) {
            same = value.kind == FLS_VALUE_F64 && same_float(value.as.f, wanted.number) &&
                   (value.is_f32 != 0) == wanted.is_f32;
        } else {
            same = value.kind != FLS_VALUE_F64 && value.as.u == wanted.bits;
        }
    }
    if (!same) {
        fail(path.text() + " is another value");
    }
}

// The order of a value and a constant; 2: none (NaN).
int order(const Wanted &a, long double b)
{
    long double left = a.is_float      ? static_cast<long double>(a.number)
                       : a.is_negative ? static_cast<long double>(static_cast<std::int64_t>(a.bits))
                                       : static_cast<long double>(a.bits);
    return left < b ? -1 : left > b ? 1 : left == b ? 0 : 2;
}

const struct {
    const char *sign;
    bool (*of)(int order);
} relations[] = {
    {"==", [](int o) { return o == 0; }}, {"!=", [](int o) { return o != 0; }},
    {"<", [](int o) { return o == -1; }}, {"<=", [](int o) { return o == -1 || o == 0; }},
    {">", [](int o) { return o == 1; }},  {">=", [](int o) { return o == 1 || o == 0; }},
};

void check_relations(const fls_schema *schema, const Path &path, const Wanted &wanted,
                     const std::string &constant, int o, const AlignedCopy &message)
{
    for (const auto &relation : relations) {
        std::string condition = path.text() + " " + relation.sign + " " + constant;
        bool expected = wanted.is_there && relation.of(o);
        if (holds(schema, condition, message) != expected) {
            fail(condition + " should " + (expected ? "" : "not ") + "hold");
        }
    }
    bool in = wanted.is_there && o == 0;
    if (holds(schema, path.text() + " in " + constant + ".." + constant, message) != in) {
        fail(path.text() + " in " + constant + ".." + constant);
    }
}

std::string quoted(const std::string &bytes)
{
    std::string text = "\"";
    char escape[8];
    for (char c : bytes) {
        std::snprintf(escape, sizeof escape, "\\x%02X", static_cast<unsigned char>(c));
        text += escape;
    }
    return text + "\"";
}

void check_text(const fls_schema *schema, const Path &path, const Wanted &wanted,
                const AlignedCopy &message)
{
    std::string near = wanted.text;
    near.empty() ? near.push_back('a') : near.pop_back();
    for (const std::string &constant : {wanted.text, near, wanted.text + "a", std::string("m")}) {
        // Bytes in order, as unsigned.
        int o = wanted.text.compare(constant);
        check_relations(schema, path, wanted, quoted(constant), o < 0 ? -1 : o > 0, message);
        bool part = wanted.is_there && wanted.text.find(constant) != std::string::npos;
        if (holds(schema, path.text() + " contains " + quoted(constant), message) != part) {
            fail(path.text() + " contains " + quoted(constant));
        }
    }
}

// Constants at, just beside and far from a value, as text; with the order that they should have.
void check_number(const fls_schema *schema, const Path &path, const Wanted &wanted, prng &random,
                  const AlignedCopy &message)
{
    char text[64];
    std::vector<double> floats = {0.0,
                                  -1.5,
                                  1e300,
                                  -1e300,
                                  18446744073709551615.0,
                                  static_cast<double>(prng_below(&random, 1000)) / 8};
    if (wanted.is_float && std::isfinite(wanted.number)) {
        double up = wanted.is_f32
                        ? static_cast<double>(std::nextafterf(static_cast<float>(wanted.number),
                                                              std::numeric_limits<float>::max()))
                        : std::nextafter(wanted.number, std::numeric_limits<double>::max());
        floats.push_back(wanted.number);
        floats.push_back(up);
    }
    for (double constant : floats) {
        std::snprintf(text, sizeof text, "%.17g", constant);
        double rounded = constant;
        if (wanted.is_f32 && std::isfinite(static_cast<float>(constant))) {
            rounded = static_cast<double>(static_cast<float>(constant));
        }
        check_relations(schema, path, wanted, text, order(wanted, rounded), message);
    }
    if (wanted.is_float || !wanted.is_there) {
        return;
    }
    for (int step = -1; step <= 1; step++) {
        std::uint64_t bits = wanted.bits + static_cast<std::uint64_t>(step);
        bool negative = wanted.is_negative ? static_cast<std::int64_t>(bits) < 0 : false;
        if ((step < 0 && (wanted.bits == 0 || wanted.bits == std::uint64_t(1) << 63)) ||
            (step > 0 && wanted.bits + 1 == 0)) {
            continue;
        }
        std::snprintf(text, sizeof text, negative ? "%lld" : "%llu",
                      static_cast<unsigned long long>(bits));
        check_relations(schema, path, wanted, text, -step, message);
        // Half a step further from zero: 7.5, -7.5.
        std::string half = std::string(text) + ".5";
        int o = negative ? (step <= 0 ? 1 : -1) : (step >= 0 ? -1 : 1);
        check_relations(schema, path, wanted, half, o, message);
    }
}

void check_message(const fls_schema *schema, const std::vector<Case> &cases, const Bytes &bytes,
                   prng &random)
{
    AlignedCopy message(bytes);
    for (const Case &one : cases) {
        Wanted wanted = one.accessor(message.data());
        fls_value value = one.path.get(message);
        check_value(one.path, value, wanted);
        if (prng_below(&random, 8) != 0) {
            continue;
        }
        if (wanted.is_text) {
            check_text(schema, one.path, wanted, message);
        } else if (value.kind != FLS_VALUE_BOOL && value.kind != FLS_VALUE_ABSENT) {
            check_number(schema, one.path, wanted, random, message);
        }
    }
}

// Two fields of any kinds against each other; a long double holds each of them exactly.
void check_pairs(const fls_schema *schema, const std::vector<Case> &cases, const Bytes &bytes,
                 prng &random)
{
    static_assert(std::numeric_limits<long double>::digits >= 64, "x86 extended or wider");
    AlignedCopy message(bytes);
    for (int i = 0; i < 20; i++) {
        const Case &a = cases[prng_below(&random, cases.size())];
        const Case &b = cases[prng_below(&random, cases.size())];
        Wanted left = a.accessor(message.data());
        Wanted right = b.accessor(message.data());
        if (a.path.get(message).kind == FLS_VALUE_BOOL ||
            b.path.get(message).kind == FLS_VALUE_BOOL || left.is_text || right.is_text ||
            !left.is_there || !right.is_there) {
            continue;
        }
        long double number = right.is_float ? static_cast<long double>(right.number)
                             : right.is_negative
                                 ? static_cast<long double>(static_cast<std::int64_t>(right.bits))
                                 : static_cast<long double>(right.bits);
        int o = order(left, number);
        for (const auto &relation : relations) {
            std::string condition = a.path.text() + " " + relation.sign + " " + b.path.text();
            if (holds(schema, condition, message) != relation.of(o)) {
                fail(condition);
            }
        }
    }
}

// Whatever a damaged message says, nothing beyond it is read (which a sanitizer sees), and it says
// the same twice.
void check_damaged(const std::vector<Case> &cases, Bytes bytes, const Bytes &other, prng &random)
{
    random_messages::mutate(bytes, random, other);
    AlignedCopy message(bytes);
    for (const Case &one : cases) {
        fls_value a = one.path.get(message);
        fls_value b = one.path.get(message);
        if (std::memcmp(&a, &b, sizeof a) != 0) {
            fail(one.path.text() + " differs");
        }
        if (a.kind == FLS_VALUE_STRING) {
            std::string copy(a.as.string.text, a.as.string.size);
            if (copy.size() > message.size()) {
                fail(one.path.text() + " is longer than its message");
            }
        }
    }
}

} // namespace

int main()
{
    fls_schema *schema = load("everything.bfbs");
    prng random = prng_seeded(2024);
    Shape shape;
    shape.percent = 70;
    {
        std::vector<Case> cases = everything_cases(schema);
        for (int i = 0; i < 1500; i++) {
            Bytes message = random_messages::everything(random, shape);
            Bytes other = random_messages::everything(random, shape);
            if (i < 250) {
                check_message(schema, cases, message, random);
                check_pairs(schema, cases, message, random);
            }
            for (int k = 0; k < 4; k++) {
                check_damaged(cases, message, other, random);
            }
        }
    }
    fls_schema_free(schema);
    std::puts("queries agree with generated accessors");
    return 0;
}
