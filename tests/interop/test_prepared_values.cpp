// Prepared messages of random shapes, made from lists of fields and from messages: whatever is set
// in them, the generated verifier accepts them, and the generated accessors read what was set.
//
// Usage: test_prepared_values [SHAPES [SEED]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "everything_generated.h"
#include "flatstream/flatstream.h"
#include "support/random_messages.hpp"

namespace {

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

using everything::Everything;
using random_messages::AlignedCopy;
using random_messages::Bytes;

Bytes bytes_of(const void *data, size_t size)
{
    Bytes bytes(size);
    if (size != 0) {
        std::memcpy(bytes.data(), data, size);
    }
    return bytes;
}

// One place: how it is found, set, and read by what flatc generated.
class Place {
  public:
    explicit Place(const char *path) : path_(path)
    {
    }
    virtual ~Place() = default;
    virtual fls_status find(const fls_prepared *prepared) = 0;
    virtual Bytes set(fls_prepared_message message, prng *random) = 0;
    virtual Bytes get(const Everything *root) const = 0;
    virtual size_t capacity(prng *)
    {
        return 0;
    }
    // Of a string, which several fields of a message may share.
    virtual uint32_t shared_at() const
    {
        return 0;
    }

    const char *path_;
};

fls_error err = FLS_ERROR_INIT;

// The functions of one type of the C API, by the type of C++.
#define SCALAR(type, name)                                                                    \
    fls_status find_place(const fls_prepared *p, const char *path, type *, fls_place_u64 *at) \
    {                                                                                         \
        fls_place_##name place;                                                               \
        fls_status status = fls_prepared_##name(p, path, &place, &err);                       \
        at->at = place.at;                                                                    \
        return status;                                                                        \
    }                                                                                         \
    void set_place(fls_prepared_message m, fls_place_u64 at, type value)                      \
    {                                                                                         \
        fls_place_##name place = {at.at};                                                     \
        fls_prepared_set_##name(m, place, value);                                             \
    }
SCALAR(bool, bool)
SCALAR(uint8_t, u8)
SCALAR(int8_t, i8)
SCALAR(uint16_t, u16)
SCALAR(int16_t, i16)
SCALAR(uint32_t, u32)
SCALAR(int32_t, i32)
SCALAR(uint64_t, u64)
SCALAR(int64_t, i64)
SCALAR(float, f32)
SCALAR(double, f64)

template <typename T> class Scalar : public Place {
  public:
    Scalar(const char *path, std::function<T(const Everything *)> read) : Place(path), read_(read)
    {
    }

    fls_status find(const fls_prepared *prepared) override
    {
        return find_place(prepared, path_, static_cast<T *>(nullptr), &at_);
    }

    Bytes set(fls_prepared_message message, prng *random) override
    {
        T value = static_cast<T>(static_cast<int64_t>(prng_next(random)));
        set_place(message, at_, value);
        return bytes_of(&value, sizeof value);
    }

    Bytes get(const Everything *root) const override
    {
        T value = read_(root);
        return bytes_of(&value, sizeof value);
    }

  private:
    std::function<T(const Everything *)> read_;
    fls_place_u64 at_;
};

class String : public Place {
  public:
    String(const char *path, std::function<const flatbuffers::String *(const Everything *)> read)
        : Place(path), read_(read)
    {
    }

    fls_status find(const fls_prepared *prepared) override
    {
        return fls_prepared_string(prepared, path_, &at_, &err);
    }

    size_t capacity(prng *random) override
    {
        return 1 + prng_below(random, 40);
    }

    Bytes set(fls_prepared_message message, prng *random) override
    {
        Bytes text(prng_below(random, at_.capacity + 1));
        prng_fill(random, text.data(), text.size());
        const char *data = reinterpret_cast<const char *>(text.data());
        CHECK(fls_prepared_set_string(message, at_, data, at_.capacity + 1) ==
              FLS_INVALID_ARGUMENT);
        CHECK(fls_prepared_set_string(message, at_, data, text.size()) == FLS_OK);
        return text;
    }

    Bytes get(const Everything *root) const override
    {
        const flatbuffers::String *text = read_(root);
        for (size_t i = text->size(); i <= at_.capacity; i++) {
            CHECK(text->c_str()[i] == '\0'); // and so everything behind it
        }
        return bytes_of(text->data(), text->size());
    }

    uint32_t shared_at() const override
    {
        return at_.at;
    }

  private:
    std::function<const flatbuffers::String *(const Everything *)> read_;
    fls_place_string at_;
};

// A vector, of which `View` has size() and Data(); width is an element's.
class Vector : public Place {
  public:
    Vector(const char *path, fls_type element, size_t width,
           std::function<const flatbuffers::VectorOfAny *(const Everything *)> read)
        : Place(path), element_(element), width_(width), read_(read)
    {
    }

    fls_status find(const fls_prepared *prepared) override
    {
        return fls_prepared_vector(prepared, path_, element_, &at_, &err);
    }

    size_t capacity(prng *random) override
    {
        return 1 + prng_below(random, 9);
    }

    Bytes set(fls_prepared_message message, prng *random) override
    {
        Bytes content(width_ * prng_below(random, at_.capacity + 1));
        prng_fill(random, content.data(), content.size());
        CHECK(at_.element_bytes == width_);
        CHECK(fls_prepared_set_vector(message, at_, content.data(), at_.capacity + size_t{1}) ==
              FLS_INVALID_ARGUMENT);
        CHECK(fls_prepared_set_count(message, at_, at_.capacity + size_t{1}) ==
              FLS_INVALID_ARGUMENT);
        CHECK(fls_prepared_set_vector(message, at_, content.data(), content.size() / width_) ==
              FLS_OK);
        // Scalars were given in the host's byte order.
        for (size_t i = 0;
             !FLATBUFFERS_LITTLEENDIAN && element_ != FLS_TYPE_STRUCT && i < content.size();
             i += width_) {
            std::reverse(content.begin() + static_cast<long>(i),
                         content.begin() + static_cast<long>(i + width_));
        }
        return content;
    }

    Bytes get(const Everything *root) const override
    {
        const flatbuffers::VectorOfAny *vector = read_(root);
        for (size_t i = vector->size() * width_; i < at_.capacity * width_; i++) {
            CHECK(vector->Data()[i] == 0);
        }
        return bytes_of(vector->Data(), vector->size() * width_);
    }

  private:
    fls_type element_;
    size_t width_;
    std::function<const flatbuffers::VectorOfAny *(const Everything *)> read_;
    fls_place_vector at_;
};

class Struct : public Place {
  public:
    Struct(const char *path, size_t size, std::function<const void *(const Everything *)> read)
        : Place(path), size_(size), read_(read)
    {
    }

    fls_status find(const fls_prepared *prepared) override
    {
        CHECK(fls_prepared_struct(prepared, path_, size_ + 1, &at_, &err) != FLS_OK);
        return fls_prepared_struct(prepared, path_, size_, &at_, &err);
    }

    Bytes set(fls_prepared_message message, prng *random) override
    {
        Bytes bytes(size_);
        prng_fill(random, bytes.data(), bytes.size());
        fls_prepared_set_struct(message, at_, bytes.data());
        return bytes;
    }

    Bytes get(const Everything *root) const override
    {
        return bytes_of(read_(root), size_);
    }

  private:
    size_t size_;
    std::function<const void *(const Everything *)> read_;
    fls_place_struct at_;
};

template <typename T> const flatbuffers::VectorOfAny *any(const T *vector)
{
    return reinterpret_cast<const flatbuffers::VectorOfAny *>(vector);
}

using Places = std::vector<std::unique_ptr<Place>>;

template <typename T> void add(Places *places, const char *path, T (*read)(const Everything *))
{
    places->emplace_back(new Scalar<T>(path, read));
}

void add_scalars(Places *places)
{
    using E = const Everything *;
    add<bool>(places, "scalars.a_bool", [](E e) { return e->scalars()->a_bool(); });
    add<int8_t>(places, "scalars.a_byte", [](E e) { return e->scalars()->a_byte(); });
    add<uint8_t>(places, "scalars.a_ubyte", [](E e) { return e->scalars()->a_ubyte(); });
    add<int16_t>(places, "scalars.a_short", [](E e) { return e->scalars()->a_short(); });
    add<uint16_t>(places, "scalars.a_ushort", [](E e) { return e->scalars()->a_ushort(); });
    add<int32_t>(places, "scalars.an_int", [](E e) { return e->scalars()->an_int(); });
    add<uint32_t>(places, "scalars.a_uint", [](E e) { return e->scalars()->a_uint(); });
    add<int64_t>(places, "scalars.a_long", [](E e) { return e->scalars()->a_long(); });
    add<uint64_t>(places, "scalars.a_ulong", [](E e) { return e->scalars()->a_ulong(); });
    add<float>(places, "scalars.a_float", [](E e) { return e->scalars()->a_float(); });
    add<double>(places, "scalars.a_double", [](E e) { return e->scalars()->a_double(); });
    add<int64_t>(places, "defaults.a_long", [](E e) { return e->defaults()->a_long(); });
    add<uint64_t>(places, "defaults.a_ulong", [](E e) { return e->defaults()->a_ulong(); });
    add<double>(places, "defaults.a_double", [](E e) { return e->defaults()->a_double(); });
    add<float>(places, "defaults.infinite", [](E e) { return e->defaults()->infinite(); });
    add<int16_t>(places, "optionals.a_short", [](E e) { return *e->optionals()->a_short(); });
    add<int8_t>(places, "optionals.a_tiny",
                [](E e) { return static_cast<int8_t>(*e->optionals()->a_tiny()); });
    add<uint16_t>(places, "enums.word",
                  [](E e) { return static_cast<uint16_t>(e->enums()->word()); });
    add<uint64_t>(places, "enums.huge",
                  [](E e) { return static_cast<uint64_t>(e->enums()->huge()); });
    add<uint8_t>(places, "enums.flags",
                 [](E e) { return static_cast<uint8_t>(e->enums()->flags()); });
    add<uint8_t>(places, "old.kept_last", [](E e) { return e->old()->kept_last(); });
    add<int32_t>(places, "ids.first", [](E e) { return e->ids()->first(); });
    add<uint32_t>(places, "hashed.h32", [](E e) { return e->hashed()->h32(); });
    add<uint8_t>(places, "tree.depth", [](E e) { return e->tree()->depth(); });
    add<uint8_t>(places, "tree.left.right.depth",
                 [](E e) { return e->tree()->left()->right()->depth(); });
}

void add_structs(Places *places)
{
    using E = const Everything *;
    add<float>(places, "structs.vec3.y", [](E e) { return e->structs()->vec3()->y(); });
    add<double>(places, "structs.mixed.b", [](E e) { return e->structs()->mixed()->b(); });
    add<bool>(places, "structs.nested.body.f",
              [](E e) { return e->structs()->nested()->body().f(); });
    add<int16_t>(places, "structs.nested.place.y",
                 [](E e) { return e->structs()->nested()->place().y(); });
    add<int64_t>(places, "structs.arrays.words[1]",
                 [](E e) { return e->structs()->arrays()->words()->Get(1); });
    add<float>(places, "structs.arrays.points[0].z",
               [](E e) { return e->structs()->arrays()->points()->Get(0)->z(); });
    add<uint64_t>(places, "structs.arrays.mixed[1].e",
                  [](E e) { return e->structs()->arrays()->mixed()->Get(1)->e(); });
    add<uint8_t>(places, "structs.wide.a[1].b",
                 [](E e) { return e->structs()->wide()->a()->Get(1)->b(); });
    add<int64_t>(places, "structs.wide.b[2]",
                 [](E e) { return e->structs()->wide()->b()->Get(2); });
    add<float>(places, "structs.vec3_required.x",
               [](E e) { return e->structs()->vec3_required()->x(); });
    places->emplace_back(new Struct("structs.aligned", sizeof(everything::Aligned),
                                    [](E e) { return e->structs()->aligned(); }));
    places->emplace_back(new Struct("structs.deep_point", sizeof(everything::deep::Point),
                                    [](E e) { return e->structs()->deep_point(); }));
    places->emplace_back(new Struct("structs.byte", 1, [](E e) { return e->structs()->byte(); }));
    places->emplace_back(new String("text", [](E e) { return e->text(); }));
    places->emplace_back(
        new String("other_note.text", [](E e) { return e->other_note()->text(); }));
    places->emplace_back(new String("tree.name", [](E e) { return e->tree()->name(); }));
    places->emplace_back(
        new String("tree.right.name", [](E e) { return e->tree()->right()->name(); }));
}

#define VECTOR(name, type, width)                                                            \
    places->emplace_back(new Vector("vectors." #name, type, width, [](const Everything *e) { \
        return any(e->vectors()->name());                                                    \
    }))

void add_vectors(Places *places)
{
    VECTOR(bytes, FLS_TYPE_I8, 1);
    VECTOR(ubytes, FLS_TYPE_U8, 1);
    VECTOR(shorts, FLS_TYPE_I16, 2);
    VECTOR(ushorts, FLS_TYPE_U16, 2);
    VECTOR(ints, FLS_TYPE_I32, 4);
    VECTOR(uints, FLS_TYPE_U32, 4);
    VECTOR(longs, FLS_TYPE_I64, 8);
    VECTOR(ulongs, FLS_TYPE_U64, 8);
    VECTOR(floats, FLS_TYPE_F32, 4);
    VECTOR(doubles, FLS_TYPE_F64, 8);
    VECTOR(tinies, FLS_TYPE_I8, 1);
    VECTOR(huges, FLS_TYPE_U64, 8);
    VECTOR(forced, FLS_TYPE_U8, 1);
    VECTOR(forced_doubles, FLS_TYPE_F64, 8);
    VECTOR(byte_structs, FLS_TYPE_STRUCT, 1);
    VECTOR(vec3s, FLS_TYPE_STRUCT, sizeof(everything::Vec3));
    VECTOR(arrays, FLS_TYPE_STRUCT, sizeof(everything::Arrays));
    VECTOR(wide, FLS_TYPE_STRUCT, sizeof(everything::Wide));
}

// Reached only where a message already has them.
void add_deeper(Places *places)
{
    using E = const Everything *;
    add<bool>(places, "vectors.bools[0]", [](E e) { return e->vectors()->bools()->Get(0) != 0; });
    add<uint16_t>(places, "vectors.words[1]",
                  [](E e) { return static_cast<uint16_t>(e->vectors()->words()->Get(1)); });
    add<double>(places, "vectors.mixeds[1].b",
                [](E e) { return e->vectors()->mixeds()->Get(1)->b(); });
    add<int64_t>(places, "vectors.tables[0].a_long",
                 [](E e) { return e->vectors()->tables()->Get(0)->a_long(); });
    places->emplace_back(
        new String("vectors.strings[1]", [](E e) { return e->vectors()->strings()->Get(1); }));
    places->emplace_back(
        new String("required.texts[0]", [](E e) { return e->required()->texts()->Get(0); }));
    add<int64_t>(places, "unions.any.a_long", [](E e) {
        auto kind = e->unions()->any_type();
        CHECK(kind == everything::Any::Scalars || kind == everything::Any::again);
        return static_cast<const everything::Scalars *>(e->unions()->any())->a_long();
    });
    add<float>(places, "unions.sparse.z", [](E e) {
        CHECK(e->unions()->sparse_type() == everything::Sparse::Vec3);
        return static_cast<const everything::Vec3 *>(e->unions()->sparse())->z();
    });
    add<uint8_t>(places, "unions.any_many[0].depth", [](E e) {
        CHECK(e->unions()->any_many_type()->Get(0) == everything::Any::Tree);
        return static_cast<const everything::Tree *>(e->unions()->any_many()->GetAs<void>(0))
            ->depth();
    });
}

fls_schema *load_schema()
{
    fls_schema *schema = nullptr;
    std::FILE *file = std::fopen(FLS_TEST_SCHEMA_DIR "/everything.bfbs", "rb");
    CHECK(file != nullptr);
    Bytes bytes(1 << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    CHECK(fls_schema_new(&schema, bytes.data(), bytes.size(), nullptr, &err) == FLS_OK);
    return schema;
}

using Values = std::vector<Bytes>;

void check_message(const fls_schema *schema, const void *payload, size_t size,
                   const std::vector<Place *> &places, const Values &values)
{
    AlignedCopy copy(payload, size);
    flatbuffers::Verifier verifier(copy.data(), size);
    CHECK(verifier.VerifyBuffer<Everything>(nullptr));
    CHECK(fls_verify(schema, fls_schema_root(schema), copy.data(), size, nullptr, nullptr) ==
          FLS_OK);
    auto root = flatbuffers::GetRoot<Everything>(copy.data());
    for (size_t i = 0; i < places.size(); i++) {
        if (places[i]->get(root) != values[i]) {
            std::fprintf(stderr, "%s\n", places[i]->path_);
        }
        CHECK(places[i]->get(root) == values[i]);
    }
}

// Writes messages in every way and reads them back from the stream.
void use(const fls_schema *schema, fls_prepared *prepared, const std::vector<Place *> &places,
         prng *random)
{
    static const fls_checksum checksums[] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_XXH3,
                                             FLS_CHECKSUM_CRC32};
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    fls_cursor_options reading = FLS_CURSOR_OPTIONS_INIT;
    options.checksum = reading.checksum = checksums[prng_below(random, 3)];
    options.buffer_bytes = prng_below(random, 2) * 1024;
    fls_sink sink;
    fls_writer *writer;
    CHECK(fls_sink_open_memory(&sink, nullptr, &err) == FLS_OK);
    CHECK(fls_writer_open(&writer, sink, &options, &err) == FLS_OK);
    size_t size;
    fls_prepared_message image = fls_prepared_image(prepared, &size);
    Values now;
    {
        AlignedCopy copy(image.bytes, size);
        for (Place *place : places) {
            now.push_back(place->get(flatbuffers::GetRoot<Everything>(copy.data())));
        }
        check_message(schema, image.bytes, size, places, now);
    }
    std::vector<Values> expected;
    for (uint64_t left = 1 + prng_below(random, 12); left > 0; left--) {
        bool to_image = prng_below(random, 4) == 0;
        Values values = now;
        fls_prepared_message message = to_image ? image : fls_prepared_start(prepared, writer);
        for (size_t i = 0; i < places.size(); i++) {
            if (prng_below(random, 3) != 0) {
                values[i] = places[i]->set(message, random);
            }
        }
        if (to_image) {
            now = values;
            CHECK(fls_writer_write(writer, image.bytes, size, &err) == FLS_OK);
        } else {
            CHECK(fls_writer_write_prepared(writer, prepared, message, &err) == FLS_OK);
        }
        expected.push_back(values);
    }
    CHECK(fls_writer_messages(writer) == expected.size());
    CHECK(fls_writer_flush(writer, &err) == FLS_OK);
    const void *stream;
    size_t stream_size;
    CHECK(fls_sink_memory(&sink, &stream, &stream_size) == FLS_OK);
    fls_cursor cursor;
    fls_message read;
    CHECK(fls_cursor_init(&cursor, stream, stream_size, &reading, &err) == FLS_OK);
    for (const Values &values : expected) {
        CHECK(fls_cursor_next(&cursor, &read, &err) == FLS_OK);
        CHECK(read.size == size);
        check_message(schema, read.payload, read.size, places, values);
    }
    CHECK(fls_cursor_next(&cursor, &read, &err) == FLS_END);
    CHECK(fls_writer_close(writer, &err) == FLS_OK);
}

// A random part of the catalogue becomes the list of fields.
void from_fields(const fls_schema *schema, const Places &all, prng *random)
{
    std::vector<fls_prepared_field> fields;
    std::vector<Place *> places;
    uint64_t part = 1 + prng_below(random, 20);
    bool with_structs = false;
    bool required = false;
    for (const auto &place : all) {
        if (prng_below(random, 20) < part) {
            places.push_back(place.get());
            fields.push_back({place->path_, place->capacity(random)});
            with_structs |= std::strncmp(place->path_, "structs.", 8) == 0;
            required |= std::strstr(place->path_, "vec3_required") != nullptr;
        }
    }
    if (fields.empty()) {
        return;
    }
    fls_prepared *prepared;
    fls_status status = fls_prepared_new(&prepared, schema, fls_schema_root(schema), fields.data(),
                                         fields.size(), nullptr, &err);
    if (with_structs && !required) {
        CHECK(status == FLS_VALIDATION_FAILED);
        CHECK(std::strstr(err.text, "vec3_required") != nullptr);
        fields.push_back({"structs.vec3_required", 0});
        status = fls_prepared_new(&prepared, schema, fls_schema_root(schema), fields.data(),
                                  fields.size(), nullptr, &err);
    }
    if (status != FLS_OK) {
        std::fprintf(stderr, "%s\n", err.text);
    }
    CHECK(status == FLS_OK);
    for (Place *place : places) {
        CHECK(place->find(prepared) == FLS_OK);
    }
    use(schema, prepared, places, random);
    fls_prepared_free(prepared);
}

size_t found;

void from_message(const fls_schema *schema, const Places &all, prng *random)
{
    random_messages::Shape shape;
    shape.percent = 80;
    Bytes bytes = random_messages::everything(*random, shape);
    fls_prepared *prepared;
    CHECK(fls_prepared_from(&prepared, schema, fls_schema_root(schema), bytes.data(), bytes.size(),
                            nullptr, &err) == FLS_OK);
    std::vector<Place *> places;
    std::set<uint32_t> shared;
    for (const auto &place : all) {
        if (place->find(prepared) != FLS_OK) {
            CHECK(err.status == FLS_INVALID_ARGUMENT);
        } else if (place->shared_at() == 0 || shared.insert(place->shared_at()).second) {
            places.push_back(place.get());
        }
    }
    found += places.size();
    use(schema, prepared, places, random);
    fls_prepared_free(prepared);
}

} // namespace

int main(int argc, char **argv)
{
    uint64_t shapes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1500;
    uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    std::printf("%llu shapes from seed %llu\n", static_cast<unsigned long long>(shapes),
                static_cast<unsigned long long>(seed));
    prng random = prng_seeded(seed);
    fls_schema *schema = load_schema();
    Places plain;
    add_scalars(&plain);
    add_structs(&plain);
    add_vectors(&plain);
    Places all;
    add_scalars(&all);
    add_structs(&all);
    add_vectors(&all);
    add_deeper(&all);
    for (uint64_t i = 0; i < shapes; i++) {
        from_fields(schema, plain, &random);
        from_message(schema, all, &random);
    }
    std::printf("%zu places in messages\n", found);
    CHECK(shapes < 100 || found > 20 * shapes);
    fls_schema_free(schema);
    return 0;
}
