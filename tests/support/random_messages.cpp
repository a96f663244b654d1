#include "support/random_messages.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include <flatbuffers/flexbuffers.h>

#include "everything_generated.h"
#include "telemetry_generated.h"

namespace random_messages {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::String;
template <class T> using Vec = flatbuffers::Vector<T>;
template <class T> using Refs = flatbuffers::Vector<Offset<T>>;
namespace ev = everything;

// The builder stores structs with the alignment that they ask for, up to 32 bytes.
class AlignedAllocator : public flatbuffers::Allocator {
  public:
    std::uint8_t *allocate(std::size_t size) override
    {
        return static_cast<std::uint8_t *>(::operator new(size, std::align_val_t(64)));
    }
    void deallocate(std::uint8_t *memory, std::size_t) override
    {
        ::operator delete(memory, std::align_val_t(64));
    }
};

class Maker {
  public:
    Maker(prng &random, const Shape &shape, unsigned depth)
        : random_(random), shape_(shape), depth_(depth), fbb_(1024, &allocator_, false, 64)
    {
        fbb_.ForceDefaults(below(4) == 0);
        fbb_.DedupVtables(below(8) != 0);
    }

    Bytes everything()
    {
        const auto root = make_everything(depth_);
        if (below(8) == 0) {
            fbb_.Finish(root);
        } else {
            ev::FinishEverythingBuffer(fbb_, root);
        }
        return finished();
    }

    Bytes scalars()
    {
        fbb_.Finish(make_scalars());
        return finished();
    }

    Bytes tree()
    {
        fbb_.Finish(make_tree(depth_));
        return finished();
    }

    Bytes telemetry()
    {
        fbb_.Finish(make_sample());
        return finished();
    }

  private:
    Bytes finished()
    {
        const auto *at = fbb_.GetBufferPointer();
        return Bytes(at, at + fbb_.GetSize());
    }

    std::uint64_t below(std::uint64_t bound)
    {
        return prng_below(&random_, bound);
    }

    bool have()
    {
        return below(100) < shape_.percent;
    }

    std::size_t length()
    {
        const std::size_t least = shape_.no_empty ? 1 : 0;
        const std::size_t most = below(40) == 0 ? shape_.length * 8 : shape_.length;
        return least + static_cast<std::size_t>(below(most + 1 - std::min(least, most)));
    }

    // A whole number: small, at an edge, or any.
    template <class T> T whole()
    {
        switch (below(4)) {
        case 0: return static_cast<T>(below(3));
        case 1: {
            const T edges[] = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                               static_cast<T>(std::numeric_limits<T>::max() - 1),
                               static_cast<T>(-1)};
            return edges[below(4)];
        }
        default: return static_cast<T>(prng_next(&random_));
        }
    }

    template <class T> T real()
    {
        using Limits = std::numeric_limits<T>;
        switch (below(6)) {
        case 0: {
            const T edges[] = {T(0),          T(-0.0),
                               Limits::max(), Limits::lowest(),
                               Limits::min(), Limits::denorm_min()};
            return edges[below(6)];
        }
        case 1:
            if (!shape_.only_finite) {
                const T odd[] = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()};
                return odd[below(3)];
            }
            return T(0.1);
        case 2: return static_cast<T>(static_cast<double>(below(2000000)) / 1000 - 1000);
        default: {
            T value = 0;
            do {
                const std::uint64_t bits = prng_next(&random_);
                std::memcpy(&value, &bits, sizeof value);
            } while (shape_.only_finite && !std::isfinite(value));
            return value;
        }
        }
    }

    bool boolean()
    {
        return below(2) == 0;
    }

    template <class T> T named(std::initializer_list<T> values)
    {
        if (!shape_.only_known && below(6) == 0) {
            return static_cast<T>(prng_next(&random_));
        }
        return values.begin()[below(values.size())];
    }

    ev::Tiny tiny()
    {
        return named({ev::Tiny::Minus, ev::Tiny::Zero, ev::Tiny::One, ev::Tiny::Plus});
    }
    ev::Word word()
    {
        return named({ev::Word::First, ev::Word::Second, ev::Word::Last});
    }
    ev::Huge huge()
    {
        return named({ev::Huge::None, ev::Huge::Half, ev::Huge::Most});
    }
    ev::Flags flags()
    {
        using U = std::uint8_t;
        const unsigned known = 0x87; // bits 0, 1, 2 and 7
        return static_cast<ev::Flags>(static_cast<U>(below(256) & (boolean() ? known : 0xff) &
                                                     (shape_.only_known ? known : 0xff)));
    }
    ev::WideFlags wide_flags()
    {
        const std::uint64_t known = 3 | std::uint64_t(1) << 40 | std::uint64_t(1) << 63;
        const std::uint64_t bits = prng_next(&random_);
        return static_cast<ev::WideFlags>(
            bits & (shape_.only_known || boolean() ? known : ~std::uint64_t(0)));
    }

    std::string text()
    {
        static const char *const pieces[] = {"a",
                                             "Z",
                                             "0",
                                             " ",
                                             "\"",
                                             "\\",
                                             "/",
                                             "\n",
                                             "\t",
                                             "\x01",
                                             "\x7f",
                                             "\xc3\xa9",
                                             "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80",
                                             "\xef\xbf\xbf",
                                             "<tag>",
                                             "name"};
        std::string result;
        for (std::size_t left = length(); left > 0; left--) {
            if (!shape_.only_utf8 && below(20) == 0) {
                result += static_cast<char>(0x80 + below(0x80));
            } else if (!shape_.no_zero_byte && below(60) == 0) {
                result += '\0';
            } else {
                result += pieces[below(std::size(pieces))];
            }
        }
        return result;
    }

    Offset<String> string()
    {
        const std::string content = text();
        return below(4) == 0 ? fbb_.CreateSharedString(content) : fbb_.CreateString(content);
    }

    Offset<String> maybe_string()
    {
        return have() ? string() : 0;
    }

    template <class T, class F> Offset<Vec<T>> vector(F make)
    {
        std::vector<T> content(length());
        std::generate(content.begin(), content.end(), make);
        return fbb_.CreateVector(content);
    }

    template <class T> Offset<Vec<T>> whole_vector()
    {
        return have() ? vector<T>([this] { return whole<T>(); }) : Offset<Vec<T>>(0);
    }

    template <class T> Offset<Vec<T>> real_vector()
    {
        return have() ? vector<T>([this] { return real<T>(); }) : Offset<Vec<T>>(0);
    }

    template <class T, class F> Offset<Vec<const T *>> structs(F make)
    {
        if (!have()) {
            return 0;
        }
        std::vector<T> content(length());
        std::generate(content.begin(), content.end(), make);
        return fbb_.CreateVectorOfStructs(content);
    }

    // Some elements are the same object, as in messages whose parts are shared.
    template <class T, class F> Offset<Refs<T>> refs(F make)
    {
        std::vector<Offset<T>> content(length());
        for (auto &one : content) {
            one = &one != &content[0] && below(5) == 0 ? content[0] : make();
        }
        return fbb_.CreateVector(content);
    }

    Offset<Vec<std::uint8_t>> bytes(const Bytes &content)
    {
        fbb_.ForceVectorAlignment(content.size(), 1, 32);
        return fbb_.CreateVector(content);
    }

    ev::Vec3 vec3()
    {
        return ev::Vec3(real<float>(), real<float>(), real<float>());
    }

    ev::Mixed mixed()
    {
        return ev::Mixed(whole<std::int8_t>(), real<double>(), whole<std::int16_t>(), tiny(),
                         whole<std::uint64_t>(), boolean(), wide_flags());
    }

    other::Point other_point()
    {
        return other::Point(whole<std::int16_t>(), whole<std::int16_t>());
    }

    ev::Nested nested()
    {
        return ev::Nested(ev::Byte(whole<std::uint8_t>()), mixed(), vec3(), other_point());
    }

    template <class T, std::size_t N, class F> std::array<T, N> array(F make)
    {
        std::array<T, N> content;
        std::generate(content.begin(), content.end(), make);
        return content;
    }

    ev::Arrays arrays()
    {
        const auto octets = array<std::uint8_t, 3>([this] { return whole<std::uint8_t>(); });
        const auto halves = array<std::int16_t, 5>([this] { return whole<std::int16_t>(); });
        const auto words = array<std::int64_t, 2>([this] { return whole<std::int64_t>(); });
        const auto reals = array<float, 3>([this] { return real<float>(); });
        const auto kinds = array<ev::Word, 4>([this] { return word(); });
        const auto points = array<ev::Vec3, 2>([this] { return vec3(); });
        const auto both = array<ev::Mixed, 2>([this] { return mixed(); });
        const auto bools =
            array<std::uint8_t, 2>([this] { return static_cast<std::uint8_t>(below(2)); });
        return ev::Arrays(octets, halves, words, reals, kinds, points, both, bools);
    }

    ev::Aligned aligned()
    {
        return ev::Aligned(whole<std::uint32_t>(), whole<std::uint8_t>());
    }

    ev::Wide wide()
    {
        const auto parts = array<ev::Aligned, 2>([this] { return aligned(); });
        const auto longs = array<std::int64_t, 3>([this] { return whole<std::int64_t>(); });
        return ev::Wide(parts, longs);
    }

    Offset<ev::Scalars> make_scalars()
    {
        ev::ScalarsBuilder b(fbb_);
        if (have())
            b.add_a_long(whole<std::int64_t>());
        if (have())
            b.add_a_ulong(whole<std::uint64_t>());
        if (have())
            b.add_a_double(real<double>());
        if (have())
            b.add_an_int(whole<std::int32_t>());
        if (have())
            b.add_a_uint(whole<std::uint32_t>());
        if (have())
            b.add_a_float(real<float>());
        if (have())
            b.add_a_short(whole<std::int16_t>());
        if (have())
            b.add_a_ushort(whole<std::uint16_t>());
        if (have())
            b.add_a_bool(boolean());
        if (have())
            b.add_a_byte(whole<std::int8_t>());
        if (have())
            b.add_a_ubyte(whole<std::uint8_t>());
        return b.Finish();
    }

    Offset<ev::Defaults> make_defaults()
    {
        ev::DefaultsBuilder b(fbb_);
        if (have())
            b.add_a_bool(boolean());
        if (have())
            b.add_a_byte(whole<std::int8_t>());
        if (have())
            b.add_a_ubyte(whole<std::uint8_t>());
        if (have())
            b.add_a_short(whole<std::int16_t>());
        if (have())
            b.add_a_ushort(whole<std::uint16_t>());
        if (have())
            b.add_an_int(whole<std::int32_t>());
        if (have())
            b.add_a_uint(whole<std::uint32_t>());
        if (have())
            b.add_a_long(whole<std::int64_t>());
        if (have())
            b.add_a_ulong(whole<std::uint64_t>());
        if (have())
            b.add_a_huge(whole<std::uint64_t>());
        if (have())
            b.add_a_float(real<float>());
        if (have())
            b.add_a_double(real<double>());
        if (have())
            b.add_not_a_float(real<float>());
        if (have())
            b.add_not_a_double(real<double>());
        if (have())
            b.add_infinite(real<float>());
        if (have())
            b.add_negative_infinite(real<double>());
        if (have())
            b.add_small(real<float>());
        return b.Finish();
    }

    Offset<ev::Optionals> make_optionals()
    {
        ev::OptionalsBuilder b(fbb_);
        if (have())
            b.add_a_bool(boolean());
        if (have())
            b.add_a_byte(whole<std::int8_t>());
        if (have())
            b.add_a_ubyte(whole<std::uint8_t>());
        if (have())
            b.add_a_short(whole<std::int16_t>());
        if (have())
            b.add_a_ushort(whole<std::uint16_t>());
        if (have())
            b.add_an_int(whole<std::int32_t>());
        if (have())
            b.add_a_uint(whole<std::uint32_t>());
        if (have())
            b.add_a_long(whole<std::int64_t>());
        if (have())
            b.add_a_ulong(whole<std::uint64_t>());
        if (have())
            b.add_a_float(real<float>());
        if (have())
            b.add_a_double(real<double>());
        if (have())
            b.add_a_tiny(tiny());
        if (have())
            b.add_some_flags(flags());
        return b.Finish();
    }

    Offset<ev::Enums> make_enums()
    {
        ev::EnumsBuilder b(fbb_);
        if (have())
            b.add_tiny(tiny());
        if (have())
            b.add_word(word());
        if (have())
            b.add_signed_(named({ev::Signed::Least, ev::Signed::Nought, ev::Signed::Most}));
        if (have())
            b.add_plain(named({ev::Plain::A, ev::Plain::B, ev::Plain::C}));
        if (have())
            b.add_long_(named({ev::Long::Least, ev::Long::Nought, ev::Long::Most}));
        if (have())
            b.add_huge(huge());
        if (have())
            b.add_flags(flags());
        if (have())
            b.add_flags_both(flags());
        if (have())
            b.add_wide_flags(wide_flags());
        if (have())
            b.add_level(
                named({ev::deep::Level::Bottom, ev::deep::Level::Sea, ev::deep::Level::Top}));
        if (have())
            b.add_other_level(named({other::Level::Low, other::Level::Middle, other::Level::High}));
        return b.Finish();
    }

    Offset<ev::Structs> make_structs()
    {
        ev::StructsBuilder b(fbb_);
        if (have()) {
            const ev::Byte one(whole<std::uint8_t>());
            b.add_byte(&one);
        }
        const auto add = [this](auto make, auto put) {
            if (have()) {
                const auto one = make();
                put(&one);
            }
        };
        add([this] { return vec3(); }, [&](auto *one) { b.add_vec3(one); });
        add([this] { return mixed(); }, [&](auto *one) { b.add_mixed(one); });
        add([this] { return nested(); }, [&](auto *one) { b.add_nested(one); });
        add([this] { return arrays(); }, [&](auto *one) { b.add_arrays(one); });
        add([this] { return aligned(); }, [&](auto *one) { b.add_aligned(one); });
        add([this] { return wide(); }, [&](auto *one) { b.add_wide(one); });
        add([this] { return ev::deep::Point(real<double>(), real<double>()); },
            [&](auto *one) { b.add_deep_point(one); });
        add([this] { return other_point(); }, [&](auto *one) { b.add_other_point(one); });
        const ev::Vec3 last = vec3();
        b.add_vec3_required(&last);
        return b.Finish();
    }

    Offset<other::Note> make_other_note()
    {
        const auto content = maybe_string();
        const other::Point at = other_point();
        return other::CreateNote(
            fbb_, content, named({other::Level::Low, other::Level::Middle, other::Level::High}),
            have() ? &at : nullptr);
    }

    Offset<ev::deep::Note> make_deep_note(unsigned depth)
    {
        Offset<ev::deep::Note> next = 0;
        if (depth > 0 && have()) {
            next = make_deep_note(depth - 1);
        }
        return ev::deep::CreateNote(fbb_, whole_vector<std::uint8_t>(), next);
    }

    // A member, or NONE, or a tag that the schema does not know, with or without a value.
    Offset<void> make_any(ev::Any &tag, unsigned depth, bool present)
    {
        tag = static_cast<ev::Any>(present ? 1 + below(7) : below(8));
        if (!shape_.only_known && below(15) == 0) {
            tag = static_cast<ev::Any>(8 + below(240));
            return string().Union();
        }
        switch (tag) {
        case ev::Any::Scalars:
        case ev::Any::again: return make_scalars().Union();
        case ev::Any::Vec3: return fbb_.CreateStruct(vec3()).Union();
        case ev::Any::text: return string().Union();
        case ev::Any::other_Note: return make_other_note().Union();
        case ev::Any::DeepNote: return make_deep_note(depth).Union();
        case ev::Any::Tree: return make_tree(depth > 0 ? depth - 1 : 0).Union();
        default: return 0;
        }
    }

    Offset<void> make_sparse(ev::Sparse &tag)
    {
        tag = named({ev::Sparse::text, ev::Sparse::Scalars, ev::Sparse::Vec3});
        switch (tag) {
        case ev::Sparse::text: return string().Union();
        case ev::Sparse::Scalars: return make_scalars().Union();
        case ev::Sparse::Vec3: return fbb_.CreateStruct(vec3()).Union();
        case ev::Sparse::NONE: return 0;
        default: return string().Union();
        }
    }

    // Vectors hold no absent values: NONE stands with a reference to some string.
    void make_any_vector(Offset<Vec<ev::Any>> &tags, Offset<Vec<Offset<void>>> &values,
                         unsigned depth)
    {
        std::vector<ev::Any> tag_content(length());
        std::vector<Offset<void>> content(tag_content.size());
        for (std::size_t i = 0; i < content.size(); i++) {
            content[i] = make_any(tag_content[i], depth, true);
        }
        tags = fbb_.CreateVectorScalarCast<std::uint8_t>(tag_content.data(), tag_content.size()).o;
        values = fbb_.CreateVector(content);
    }

    void make_sparse_vector(Offset<Vec<ev::Sparse>> &tags, Offset<Vec<Offset<void>>> &values)
    {
        std::vector<ev::Sparse> tag_content(length());
        std::vector<Offset<void>> content(tag_content.size());
        for (std::size_t i = 0; i < content.size(); i++) {
            do {
                content[i] = make_sparse(tag_content[i]);
            } while (content[i].IsNull());
        }
        tags = fbb_.CreateVectorScalarCast<std::uint8_t>(tag_content.data(), tag_content.size()).o;
        values = fbb_.CreateVector(content);
    }

    Offset<ev::Unions> make_unions(unsigned depth)
    {
        ev::Any any = ev::Any::NONE;
        ev::Sparse sparse = ev::Sparse::NONE;
        Offset<void> any_value = 0;
        Offset<void> sparse_value = 0;
        Offset<Vec<ev::Any>> any_tags = 0;
        Offset<Vec<ev::Sparse>> sparse_tags = 0;
        Offset<Vec<Offset<void>>> any_values = 0;
        Offset<Vec<Offset<void>>> sparse_values = 0;
        if (have())
            any_value = make_any(any, depth, false);
        if (have())
            sparse_value = make_sparse(sparse);
        if (have())
            make_any_vector(any_tags, any_values, depth);
        if (have())
            make_sparse_vector(sparse_tags, sparse_values);
        return ev::CreateUnions(fbb_, any, any_value, sparse, sparse_value, any_tags, any_values,
                                sparse_tags, sparse_values);
    }

    Offset<ev::Tree> make_tree(unsigned depth)
    {
        Offset<ev::Tree> left = 0;
        Offset<ev::Tree> right = 0;
        Offset<Refs<ev::Tree>> children = 0;
        ev::Any any = ev::Any::NONE;
        Offset<void> value = 0;
        if (depth > 0) {
            if (have())
                left = make_tree(depth - 1);
            if (have())
                right = below(3) == 0 ? left : make_tree(depth - 1);
            if (have())
                children = refs<ev::Tree>([&] { return make_tree(depth - 1); });
            if (have())
                value = make_any(any, depth - 1, false);
        }
        return ev::CreateTree(fbb_, maybe_string(), left, right, children, any, value,
                              whole<std::uint8_t>());
    }

    Offset<ev::Required> make_required(unsigned depth)
    {
        const auto content = string();
        const auto table = make_scalars();
        const auto numbers = vector<std::int32_t>([this] { return whole<std::int32_t>(); });
        const auto texts = refs<String>([this] { return string(); });
        const auto tables = refs<ev::Scalars>([this] { return make_scalars(); });
        ev::Any any = ev::Any::NONE;
        Offset<void> value = 0;
        while (value.IsNull()) {
            value = make_any(any, depth, true);
        }
        const auto inner = bytes(Maker(random_, shape_, 0).scalars());
        return ev::CreateRequired(fbb_, content, table, numbers, texts, tables, any, value, inner);
    }

    Offset<ev::Vectors> make_vectors()
    {
        const auto bools =
            have() ? vector<std::uint8_t>([this] { return static_cast<std::uint8_t>(below(2)); })
                   : Offset<Vec<std::uint8_t>>(0);
        const auto i8 = whole_vector<std::int8_t>();
        const auto u8 = whole_vector<std::uint8_t>();
        const auto i16 = whole_vector<std::int16_t>();
        const auto u16 = whole_vector<std::uint16_t>();
        const auto i32 = whole_vector<std::int32_t>();
        const auto u32 = whole_vector<std::uint32_t>();
        const auto i64 = whole_vector<std::int64_t>();
        const auto u64 = whole_vector<std::uint64_t>();
        const auto f32 = real_vector<float>();
        const auto f64 = real_vector<double>();
        const auto tinies =
            have() ? vector<ev::Tiny>([this] { return tiny(); }) : Offset<Vec<ev::Tiny>>(0);
        const auto words =
            have() ? vector<ev::Word>([this] { return word(); }) : Offset<Vec<ev::Word>>(0);
        const auto huges =
            have() ? vector<ev::Huge>([this] { return huge(); }) : Offset<Vec<ev::Huge>>(0);
        const auto masks =
            have() ? vector<ev::Flags>([this] { return flags(); }) : Offset<Vec<ev::Flags>>(0);
        const auto strings =
            have() ? refs<String>([this] { return string(); }) : Offset<Refs<String>>(0);
        const auto tables = have() ? refs<ev::Scalars>([this] { return make_scalars(); })
                                   : Offset<Refs<ev::Scalars>>(0);
        const auto octets = structs<ev::Byte>([this] { return ev::Byte(whole<std::uint8_t>()); });
        const auto vec3s = structs<ev::Vec3>([this] { return vec3(); });
        const auto mixeds = structs<ev::Mixed>([this] { return mixed(); });
        const auto many = structs<ev::Arrays>([this] { return arrays(); });
        const auto alone = structs<ev::Aligned>([this] { return aligned(); });
        const auto wides = structs<ev::Wide>([this] { return wide(); });
        Offset<Vec<std::uint8_t>> forced = 0;
        if (have()) {
            Bytes content(length());
            prng_fill(&random_, content.data(), content.size());
            forced = bytes(content);
        }
        Offset<Vec<double>> forced_doubles = 0;
        if (have()) {
            std::vector<double> content(length());
            std::generate(content.begin(), content.end(), [this] { return real<double>(); });
            fbb_.ForceVectorAlignment(content.size(), 8, 16);
            forced_doubles = fbb_.CreateVector(content);
        }
        return ev::CreateVectors(fbb_, bools, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64,
                                 tinies, words, huges, masks, strings, tables, octets, vec3s,
                                 mixeds, many, alone, wides, forced, forced_doubles);
    }

    template <class T> Offset<Refs<T>> keyed(std::vector<Offset<T>> content)
    {
        return shape_.sorted ? fbb_.CreateVectorOfSortedTables(&content)
                             : fbb_.CreateVector(content);
    }

    Offset<ev::Sorted> make_sorted()
    {
        Offset<Refs<ev::ByNumber>> by_number = 0;
        Offset<Refs<ev::ByName>> by_name = 0;
        Offset<Refs<ev::BySigned>> by_signed = 0;
        Offset<Vec<const ev::Keyed *>> by_id = 0;
        if (have()) {
            std::vector<Offset<ev::ByNumber>> content(length());
            for (auto &one : content) {
                const auto name = maybe_string();
                one = ev::CreateByNumber(fbb_, whole<std::uint16_t>(), name);
            }
            by_number = keyed(content);
        }
        if (have()) {
            std::vector<Offset<ev::ByName>> content(length());
            for (auto &one : content) {
                const auto name = string();
                one = ev::CreateByName(fbb_, name, whole<std::int64_t>());
            }
            by_name = keyed(content);
        }
        if (have()) {
            std::vector<Offset<ev::BySigned>> content(length());
            for (auto &one : content) {
                one = ev::CreateBySigned(fbb_, whole<std::int64_t>(), whole<std::int32_t>());
            }
            by_signed = keyed(content);
        }
        if (have()) {
            std::vector<ev::Keyed> content(length());
            for (auto &one : content) {
                one = ev::Keyed(whole<std::uint32_t>(), real<float>());
            }
            by_id = shape_.sorted ? fbb_.CreateVectorOfSortedStructs(&content)
                                  : fbb_.CreateVectorOfStructs(content);
        }
        return ev::CreateSorted(fbb_, by_number, by_name, by_signed, by_id);
    }

    Bytes flex()
    {
        if (!shape_.only_sound_flex && below(4) == 0) {
            Bytes content(length());
            prng_fill(&random_, content.data(), content.size());
            return content;
        }
        flexbuffers::Builder b;
        b.Map([&] {
            b.Int("whole", whole<std::int64_t>());
            b.Double("real", real<double>());
            b.String("text", text());
            b.Null("nothing");
            if (boolean()) {
                b.Vector("any", [&] {
                    b.Null();
                    b.UInt(whole<std::uint64_t>());
                    b.Bool(boolean());
                    b.IndirectInt(whole<std::int32_t>());
                    b.IndirectDouble(real<double>());
                    b.Vector([&] { b.String(text()); });
                });
            }
            if (boolean()) {
                const std::vector<std::int16_t> typed = {1, -2, 300};
                b.Vector("typed", typed.data(), typed.size());
                const float fixed[] = {1, 2, 3};
                b.FixedTypedVector("fixed", fixed, 3);
                b.TypedVector("strings", [&] {
                    b.Key("k");
                    b.Key("l");
                });
                b.Blob("blob", "a blob", 6);
            }
        });
        b.Finish();
        return b.GetBuffer();
    }

    Offset<ev::Nests> make_nests(unsigned depth)
    {
        Offset<Vec<std::uint8_t>> scalars = 0;
        Offset<Vec<std::uint8_t>> tree = 0;
        Offset<Vec<std::uint8_t>> itself = 0;
        Offset<Vec<std::uint8_t>> flexible = 0;
        if (have())
            scalars = bytes(Maker(random_, shape_, 0).scalars());
        if (depth > 0) {
            if (have())
                tree = bytes(Maker(random_, shape_, depth - 1).tree());
            if (below(4) == 0)
                itself = bytes(Maker(random_, shape_, 0).everything());
        }
        if (have())
            flexible = bytes(flex());
        return ev::CreateNests(fbb_, scalars, tree, itself, flexible);
    }

    // The deprecated fields are left to be written as what they were, or as something else.
    Offset<ev::Old> make_old()
    {
        const auto content = maybe_string();
        const auto start = fbb_.StartTable();
        if (have())
            fbb_.AddElement<std::int32_t>(4, whole<std::int32_t>(), 0);
        if (have())
            fbb_.AddElement<std::int32_t>(6, whole<std::int32_t>(), 0);
        if (have())
            fbb_.AddElement<std::uint16_t>(8, whole<std::uint16_t>(), 0);
        fbb_.AddOffset(10, content);
        if (have())
            fbb_.AddElement<std::uint32_t>(12, whole<std::uint32_t>(), 0);
        if (have())
            fbb_.AddElement<std::uint8_t>(14, whole<std::uint8_t>(), 0);
        if (have())
            fbb_.AddElement<std::uint64_t>(16, whole<std::uint64_t>(), 0);
        if (have())
            fbb_.AddElement<std::uint8_t>(18, whole<std::uint8_t>(), 0);
        return Offset<ev::Old>(fbb_.EndTable(start));
    }

    Offset<ev::Ids> make_ids(unsigned depth)
    {
        ev::Any any = ev::Any::NONE;
        Offset<void> value = 0;
        Offset<Vec<ev::Any>> tags = 0;
        Offset<Vec<Offset<void>>> values = 0;
        if (have())
            value = make_any(any, depth, false);
        if (have())
            make_any_vector(tags, values, depth);
        const auto last = maybe_string();
        return ev::CreateIds(fbb_, whole<std::int32_t>(), any, value, tags, values, last);
    }

    Offset<ev::Everything> make_everything(unsigned depth)
    {
        const unsigned less = depth > 0 ? depth - 1 : 0;
        const auto scalars = have() ? make_scalars() : Offset<ev::Scalars>(0);
        const auto defaults = have() ? make_defaults() : Offset<ev::Defaults>(0);
        const auto optionals = have() ? make_optionals() : Offset<ev::Optionals>(0);
        const auto enums = have() ? make_enums() : Offset<ev::Enums>(0);
        const auto all_structs = have() ? make_structs() : Offset<ev::Structs>(0);
        const auto required = have() ? make_required(less) : Offset<ev::Required>(0);
        const auto vectors = have() ? make_vectors() : Offset<ev::Vectors>(0);
        const auto sorted = have() ? make_sorted() : Offset<ev::Sorted>(0);
        const auto unions = have() ? make_unions(less) : Offset<ev::Unions>(0);
        const auto tree = have() ? make_tree(depth) : Offset<ev::Tree>(0);
        const auto nests = have() ? make_nests(depth) : Offset<ev::Nests>(0);
        const auto old = have() ? make_old() : Offset<ev::Old>(0);
        const auto ids = have() ? make_ids(less) : Offset<ev::Ids>(0);
        const auto hashed =
            have() ? ev::CreateHashed(fbb_, whole<std::uint32_t>(), whole<std::uint64_t>(),
                                      whole<std::int32_t>(), whole<std::int64_t>())
                   : Offset<ev::Hashed>(0);
        const auto empty = have() ? ev::CreateEmpty(fbb_) : Offset<ev::Empty>(0);
        const auto deep_note = have() ? make_deep_note(depth) : Offset<ev::deep::Note>(0);
        const auto other_note = have() ? make_other_note() : Offset<other::Note>(0);
        const auto content = maybe_string();
        Offset<Refs<ev::Everything>> all = 0;
        if (depth > 0 && below(6) == 0) {
            all = refs<ev::Everything>([&] { return make_everything(0); });
        }
        return ev::CreateEverything(fbb_, scalars, defaults, optionals, enums, all_structs,
                                    required, vectors, sorted, unions, tree, nests, old, ids,
                                    hashed, empty, deep_note, other_note, content, all);
    }

    Offset<telemetry::Sample> make_sample()
    {
        namespace tm = telemetry;
        Offset<tm::Pose> pose = 0;
        Offset<tm::Battery> battery = 0;
        Offset<void> extra = 0;
        tm::Extra tag = tm::Extra::NONE;
        if (have()) {
            const tm::Vec3 position(real<double>(), real<double>(), real<double>());
            const tm::Quat attitude(real<float>(), real<float>(), real<float>(), real<float>());
            const auto covariance = real_vector<float>();
            pose = tm::CreatePose(fbb_, have() ? &position : nullptr, have() ? &attitude : nullptr,
                                  covariance);
        }
        if (have()) {
            const auto cells = whole_vector<std::uint16_t>();
            battery = tm::CreateBattery(fbb_, cells, real<float>(), real<float>());
        }
        const auto channels = real_vector<double>();
        const auto tags =
            have() ? refs<String>([this] { return string(); }) : Offset<Refs<String>>(0);
        if (have()) {
            const auto content = maybe_string();
            if (boolean()) {
                tag = tm::Extra::Alert;
                extra = tm::CreateAlert(fbb_, whole<std::uint32_t>(), content, whole<std::int8_t>())
                            .Union();
            } else {
                tag = tm::Extra::Radio;
                extra = tm::CreateRadio(fbb_, whole<std::int16_t>(), content).Union();
            }
        }
        const auto raw = whole_vector<std::uint8_t>();
        return tm::CreateSample(
            fbb_, whole<std::uint64_t>(), whole<std::uint64_t>(), whole<std::uint32_t>(),
            named({tm::Mode::Idle, tm::Mode::Drive, tm::Mode::Charge, tm::Mode::Fault}), pose,
            battery, channels, tags, tag, extra, raw);
    }

    prng &random_;
    const Shape &shape_;
    unsigned depth_;
    AlignedAllocator allocator_;
    FlatBufferBuilder fbb_;
};

} // namespace

Bytes everything(prng &random, const Shape &shape)
{
    return Maker(random, shape, shape.depth).everything();
}

Bytes telemetry(prng &random, const Shape &shape)
{
    return Maker(random, shape, shape.depth).telemetry();
}

} // namespace random_messages
