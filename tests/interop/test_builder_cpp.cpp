// The builder against the official C++ one: random sequences of calls made on both must give the
// same bytes, and the official verifier must find in them, table by table, what was put in.
// Messages that were damaged afterwards show that the table-root check passes all that the official
// verifier would.
//
// Usage: test_builder_cpp [SEQUENCES [SEED]]
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "flatstream/builder.h"
#include "flatstream/table_root.h"

extern "C" {
#include "support/prng.h"
}

namespace {

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

enum class Kind { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, boolean, reference };
constexpr unsigned kinds = 12;

struct Field {
    uint32_t slot;
    Kind kind;
    uint64_t bits; // of a scalar, or the number of the object referred to
};

// One thing in the buffer, as it was asked for and as both builders call it.
struct Object {
    enum Shape { string, vector, ref_vector, table } shape;
    std::vector<uint8_t> content; // of a string or vector
    uint32_t element_bytes;       // of a vector
    std::vector<size_t> elements; // of a vector of references: numbers of objects
    std::vector<Field> fields;    // of a table
    fls_ref ours;
    flatbuffers::uoffset_t theirs;
};

flatbuffers::voffset_t voffset(uint32_t slot)
{
    return static_cast<flatbuffers::voffset_t>(4 + 2 * slot);
}

class Sequence {
  public:
    Sequence(fls_builder *ours, flatbuffers::FlatBufferBuilder *theirs, prng *random)
        : ours_(ours), theirs_(theirs), random_(random)
    {
    }

    // Makes one message with both and compares.
    void run()
    {
        uint64_t count = 1 + below(below(8) == 0 ? 60 : 12);
        for (uint64_t i = 0; i < count; i++) {
            add_any();
        }
        add_table();
        finish(objects_.size() - 1, below(3) == 0 ? "TeSt" : nullptr);
    }

    // Makes several messages by nearly the same calls: mostly one table of scalars, as streams have
    // them, with a change in one or the other.
    void run_alike()
    {
        Object first{Object::table, {}, 0, {}, {}, {0}, 0};
        uint32_t slots = static_cast<uint32_t>(below(below(10) == 0 ? 40 : 6));
        for (uint32_t slot = 0; slot < slots; slot++) {
            if (below(6) != 0) {
                auto place = static_cast<long>(below(first.fields.size() + 1));
                first.fields.insert(first.fields.begin() + place, random_field(slot));
            }
        }
        const char *name = below(4) == 0 ? "SAME" : nullptr;
        for (uint64_t left = 2 + below(4); left > 0; left--) {
            Object object = first;
            for (Field &field : object.fields) {
                field.bits = field.kind == Kind::reference ? 0 : small_bits();
            }
            message_like(object, slots, name);
        }
    }

  private:
    uint64_t below(uint64_t bound)
    {
        return prng_below(random_, bound);
    }

    void finish(size_t number, const char *identifier)
    {
        const Object &root = objects_[number];
        const void *data = nullptr;
        size_t size = 0;
        fls_error err = FLS_ERROR_INIT;
        CHECK(fls_builder_finish(ours_, root.ours, identifier, &data, &size, &err) == FLS_OK);
        theirs_->Finish(flatbuffers::Offset<void>(root.theirs), identifier);
        CHECK(size == theirs_->GetSize());
        CHECK(std::memcmp(data, theirs_->GetBufferPointer(), size) == 0);
        CHECK(reinterpret_cast<uintptr_t>(data) % theirs_->GetBufferMinAlignment() == 0);
        verify(static_cast<const uint8_t *>(data), size, number, identifier);
        damage(static_cast<const uint8_t *>(data), size);
        theirs_->Clear();
        objects_.clear();
        shapes_.clear();
    }

    // Patterns that are no NaN in either width.
    uint64_t small_bits()
    {
        return prng_next(random_) & UINT64_C(0xBFFFFFFFBFFFFFFF);
    }

    // Begins a message and gives it up.
    void abandon(const Object &object, uint32_t slots)
    {
        fls_table t = fls_builder_table(ours_, slots);
        uint64_t calls = below(object.fields.size() + 1);
        for (uint64_t i = 0; i < calls; i++) {
            if (object.fields[i].kind != Kind::reference) {
                theirs_->Clear();
                theirs_->StartTable();
                set_scalar(t, object.fields[i]);
            }
        }
        theirs_->Clear();
        switch (below(3)) {
        case 0: fls_builder_reset(ours_); break;
        case 1:
            (void)fls_builder_end(ours_, t);
            fls_builder_reset(ours_);
            break;
        default: {
            const void *data;
            size_t size;
            CHECK(fls_builder_finish(ours_, fls_ref{0}, nullptr, &data, &size, nullptr) ==
                  FLS_INVALID_ARGUMENT);
        }
        }
    }

    void message_like(Object object, uint32_t slots, const char *name)
    {
        std::vector<Field> &fields = object.fields;
        size_t any = fields.empty() ? 0 : below(fields.size());
        uint64_t change = below(24);
        if (!fields.empty()) {
            switch (change) {
            case 0: fields.erase(fields.begin() + static_cast<long>(any)); break;
            case 1: std::swap(fields[any], fields[below(fields.size())]); break;
            case 2: fields[any].kind = static_cast<Kind>(below(kinds)); break;
            case 3: fields.pop_back(); break;
            default: break;
            }
        }
        switch (change) {
        case 4: slots++; break;
        case 5: fields.push_back(Field{slots++, Kind::u32, 5}); break;
        case 6: name = name == nullptr ? "ELSE" : nullptr; break;
        case 7: add_string(); break;
        case 8: abandon(object, slots); break;
        case 9: fls_builder_shrink(ours_, 0); break;
        default: break;
        }
        put_table(&object, slots);
        size_t root = objects_.size();
        objects_.push_back(object);
        switch (change) {
        case 10: add_table(); break;
        case 11: add_ref_vector(); break;
        case 12: add_vector(); break;
        case 13: fls_builder_shrink(ours_, 0); break;
        default: break;
        }
        finish(objects_.back().shape == Object::table ? objects_.size() - 1 : root, name);
    }

    void add_any()
    {
        switch (below(5)) {
        case 0: add_string(); break;
        case 1: add_vector(); break;
        case 2: add_ref_vector(); break;
        default: add_table(); break;
        }
    }

    std::vector<uint8_t> random_bytes(uint64_t size)
    {
        std::vector<uint8_t> bytes(size);
        prng_fill(random_, bytes.data(), bytes.size());
        return bytes;
    }

    void add_string()
    {
        Object object{
            Object::string, random_bytes(below(below(50) == 0 ? 5000 : 30)), 1, {}, {}, {0}, 0};
        const char *text = reinterpret_cast<const char *>(object.content.data());
        object.ours = fls_builder_string(ours_, text, object.content.size());
        object.theirs = theirs_->CreateString(text == nullptr ? "" : text, object.content.size()).o;
        objects_.push_back(object);
    }

    template <typename T> flatbuffers::uoffset_t their_vector(const std::vector<uint8_t> &content)
    {
        std::vector<T> elements(content.size() / sizeof(T));
        if (!elements.empty()) {
            std::memcpy(elements.data(), content.data(), content.size());
        }
        return theirs_->CreateVector(elements.data(), elements.size()).o;
    }

    void add_vector()
    {
        uint32_t width = 1u << below(4);
        uint64_t count = below(3) == 0 ? 0 : below(below(50) == 0 ? 2000 : 12);
        Object object{Object::vector, random_bytes(width * count), width, {}, {}, {0}, 0};
        object.ours = fls_builder_vector(ours_, object.content.data(), count, width);
        switch (width) {
        case 1: object.theirs = their_vector<uint8_t>(object.content); break;
        case 2: object.theirs = their_vector<uint16_t>(object.content); break;
        case 4: object.theirs = their_vector<uint32_t>(object.content); break;
        default: object.theirs = their_vector<uint64_t>(object.content); break;
        }
        objects_.push_back(object);
    }

    void add_ref_vector()
    {
        Object object{Object::ref_vector, {}, 4, {}, {}, {0}, 0};
        std::vector<fls_ref> ours;
        std::vector<flatbuffers::Offset<void>> theirs;
        uint64_t count = objects_.empty() ? 0 : below(6);
        for (uint64_t i = 0; i < count; i++) {
            size_t number = below(objects_.size());
            object.elements.push_back(number);
            ours.push_back(objects_[number].ours);
            theirs.push_back(flatbuffers::Offset<void>(objects_[number].theirs));
        }
        object.ours = fls_builder_ref_vector(ours_, ours.data(), ours.size());
        object.theirs = theirs_->CreateVector(theirs.data(), theirs.size()).o;
        objects_.push_back(object);
    }

    // The low bytes of a value, wherever the host keeps them.
    template <typename T> static T low(uint64_t bits)
    {
        return static_cast<T>(bits);
    }

    void set_scalar(fls_table t, const Field &field)
    {
        uint32_t slot = field.slot;
        uint64_t bits = field.bits;
        float f32;
        double f64;
        uint32_t bits32 = low<uint32_t>(bits);
        std::memcpy(&f32, &bits32, sizeof f32);
        std::memcpy(&f64, &bits, sizeof f64);
        switch (field.kind) {
        case Kind::u8:
            fls_builder_u8(ours_, t, slot, low<uint8_t>(bits));
            theirs_->AddElement<uint8_t>(voffset(slot), low<uint8_t>(bits), 0);
            break;
        case Kind::i8:
            fls_builder_i8(ours_, t, slot, low<int8_t>(bits));
            theirs_->AddElement<int8_t>(voffset(slot), low<int8_t>(bits), 0);
            break;
        case Kind::u16:
            fls_builder_u16(ours_, t, slot, low<uint16_t>(bits));
            theirs_->AddElement<uint16_t>(voffset(slot), low<uint16_t>(bits), 0);
            break;
        case Kind::i16:
            fls_builder_i16(ours_, t, slot, low<int16_t>(bits));
            theirs_->AddElement<int16_t>(voffset(slot), low<int16_t>(bits), 0);
            break;
        case Kind::u32:
            fls_builder_u32(ours_, t, slot, low<uint32_t>(bits));
            theirs_->AddElement<uint32_t>(voffset(slot), low<uint32_t>(bits), 0);
            break;
        case Kind::i32:
            fls_builder_i32(ours_, t, slot, low<int32_t>(bits));
            theirs_->AddElement<int32_t>(voffset(slot), low<int32_t>(bits), 0);
            break;
        case Kind::u64:
            fls_builder_u64(ours_, t, slot, bits);
            theirs_->AddElement<uint64_t>(voffset(slot), bits, 0);
            break;
        case Kind::i64:
            fls_builder_i64(ours_, t, slot, low<int64_t>(bits));
            theirs_->AddElement<int64_t>(voffset(slot), low<int64_t>(bits), 0);
            break;
        case Kind::f32:
            fls_builder_f32(ours_, t, slot, f32);
            theirs_->AddElement<float>(voffset(slot), f32, 0);
            break;
        case Kind::f64:
            fls_builder_f64(ours_, t, slot, f64);
            theirs_->AddElement<double>(voffset(slot), f64, 0);
            break;
        case Kind::boolean:
            fls_builder_bool(ours_, t, slot, low<int>(bits & 0x7F00));
            theirs_->AddElement<uint8_t>(voffset(slot), (bits & 0x7F00) != 0, 0);
            break;
        case Kind::reference: CHECK(false);
        }
    }

    Field random_field(uint32_t slot)
    {
        return Field{slot, static_cast<Kind>(below(kinds)), below(4) == 0 ? 0 : small_bits()};
    }

    // A table like one that was there before shares its vtable; others differ in every way.
    void add_table()
    {
        Object object{Object::table, {}, 0, {}, {}, {0}, 0};
        uint32_t slots = static_cast<uint32_t>(below(below(30) == 0 ? 400 : 12));
        uint64_t fill = 1 + below(4);
        if (!shapes_.empty() && below(2) == 0) {
            object.fields = shapes_[below(shapes_.size())];
            slots = 0;
            for (const Field &field : object.fields) {
                slots = field.slot >= slots ? field.slot + 1 : slots;
            }
        } else {
            std::vector<uint32_t> order;
            for (uint32_t i = 0; i < slots; i++) {
                if (below(4) < fill) {
                    order.insert(order.begin() + static_cast<long>(below(order.size() + 1)), i);
                }
            }
            for (uint32_t slot : order) {
                object.fields.push_back(random_field(slot));
            }
            shapes_.push_back(object.fields);
        }
        put_table(&object, slots);
        objects_.push_back(object);
    }

    void put_table(Object *object, uint32_t slots)
    {
        fls_table t = fls_builder_table(ours_, slots);
        flatbuffers::uoffset_t start = theirs_->StartTable();
        for (Field &field : object->fields) {
            if (field.kind != Kind::reference) {
                set_scalar(t, field);
                continue;
            }
            // No object yet: a null reference, which both leave out.
            field.bits = objects_.empty() ? SIZE_MAX : below(objects_.size());
            bool is_null = field.bits == SIZE_MAX;
            fls_builder_ref(ours_, t, field.slot, is_null ? fls_ref{0} : objects_[field.bits].ours);
            theirs_->AddOffset(voffset(field.slot), flatbuffers::Offset<void>(
                                                        is_null ? 0 : objects_[field.bits].theirs));
        }
        object->ours = fls_builder_end(ours_, t);
        object->theirs = theirs_->EndTable(start);
    }

    template <typename T>
    static bool scalar_is(const flatbuffers::Table *table, flatbuffers::Verifier &verifier,
                          const Field &field)
    {
        T expected = low<T>(field.bits);
        return table->VerifyField<T>(verifier, voffset(field.slot), sizeof(T)) &&
               table->CheckField(voffset(field.slot)) &&
               table->GetField<T>(voffset(field.slot), T(1)) == expected;
    }

    bool field_is(const flatbuffers::Table *table, flatbuffers::Verifier &verifier,
                  const Field &field)
    {
        flatbuffers::voffset_t at = voffset(field.slot);
        switch (field.kind) {
        case Kind::u8:
        case Kind::i8: return scalar_is<uint8_t>(table, verifier, field);
        case Kind::u16:
        case Kind::i16: return scalar_is<uint16_t>(table, verifier, field);
        case Kind::u32:
        case Kind::i32:
        case Kind::f32: return scalar_is<uint32_t>(table, verifier, field);
        case Kind::u64:
        case Kind::i64:
        case Kind::f64: return scalar_is<uint64_t>(table, verifier, field);
        case Kind::boolean:
            return table->VerifyField<uint8_t>(verifier, at, 1) &&
                   table->GetField<uint8_t>(at, 2) == ((field.bits & 0x7F00) != 0);
        case Kind::reference: break;
        }
        if (field.bits == SIZE_MAX) {
            return !table->CheckField(at);
        }
        return table->VerifyOffsetRequired(verifier, at) &&
               object_is(table->GetPointer<const uint8_t *>(at), verifier, field.bits);
    }

    // The builders take elements in the host's byte order.
    static bool content_is(const uint8_t *data, const Object &object)
    {
        std::vector<uint8_t> wire = object.content;
        for (size_t at = 0; !FLATBUFFERS_LITTLEENDIAN && at < wire.size();
             at += object.element_bytes) {
            std::reverse(wire.data() + at, wire.data() + at + object.element_bytes);
        }
        return wire.empty() || std::memcmp(data, wire.data(), wire.size()) == 0;
    }

    bool elements_are(const uint8_t *at, flatbuffers::Verifier &verifier, const Object &object)
    {
        auto vector = reinterpret_cast<const flatbuffers::Vector<flatbuffers::uoffset_t> *>(at);
        if (!verifier.VerifyVector(vector) || vector->size() != object.elements.size()) {
            return false;
        }
        for (flatbuffers::uoffset_t i = 0; i < vector->size(); i++) {
            const uint8_t *element = vector->Data() + 4 * i;
            element += flatbuffers::ReadScalar<flatbuffers::uoffset_t>(element);
            if (!object_is(element, verifier, object.elements[i])) {
                return false;
            }
        }
        return true;
    }

    // Each object once: an object referred to often would be visited exponentially often.
    bool object_is(const uint8_t *at, flatbuffers::Verifier &verifier, size_t number)
    {
        if (visited_[number] != nullptr) {
            return visited_[number] == at;
        }
        visited_[number] = at;
        const Object &object = objects_[number];
        auto string = reinterpret_cast<const flatbuffers::Vector<uint8_t> *>(at);
        size_t bytes = object.content.size();
        switch (object.shape) {
        case Object::string:
            return verifier.VerifyString(reinterpret_cast<const flatbuffers::String *>(at)) &&
                   string->size() == bytes && content_is(string->Data(), object);
        case Object::vector:
            return verifier.VerifyVectorOrString(at, object.element_bytes) &&
                   string->size() * object.element_bytes == bytes &&
                   content_is(string->Data(), object);
        case Object::ref_vector: return elements_are(at, verifier, object);
        case Object::table: break;
        }
        auto table = reinterpret_cast<const flatbuffers::Table *>(at);
        if (!table->VerifyTableStart(verifier)) {
            return false;
        }
        for (const Field &field : object.fields) {
            if (!field_is(table, verifier, field)) {
                return false;
            }
        }
        return verifier.EndTable();
    }

    void verify(const uint8_t *data, size_t size, size_t number, const char *identifier)
    {
        flatbuffers::Verifier verifier(data, size, 1000, 1000000);
        flatbuffers::uoffset_t root = verifier.VerifyOffset(0);
        CHECK(root != 0);
        CHECK(identifier == nullptr || flatbuffers::BufferHasIdentifier(data, identifier));
        visited_.assign(objects_.size(), nullptr);
        CHECK(object_is(data + root, verifier, number));
        CHECK(fls_table_root_check(data, size, nullptr) == FLS_OK);
    }

    void damage(const uint8_t *data, size_t size)
    {
        for (int i = 0; i < 20; i++) {
            size_t left = below(4) == 0 ? 1 + below(size) : size;
            std::vector<uint8_t> damaged(data, data + left);
            uint64_t root = flatbuffers::ReadScalar<uint32_t>(data);
            uint64_t at = below(2) == 0 ? below(left) : (root - below(12)) + below(16);
            damaged[at < left ? at : 0] ^= static_cast<uint8_t>(1 + below(255));
            flatbuffers::Verifier verifier(damaged.data(), damaged.size());
            flatbuffers::uoffset_t table = verifier.VerifyOffset(0);
            bool theirs = table != 0 && verifier.VerifyTableStart(damaged.data() + table);
            bool ours = fls_table_root_check(damaged.data(), damaged.size(), nullptr) == FLS_OK;
            CHECK(ours || !theirs);
        }
    }

    fls_builder *ours_;
    flatbuffers::FlatBufferBuilder *theirs_;
    prng *random_;
    std::vector<Object> objects_;
    std::vector<std::vector<Field>> shapes_;
    std::vector<const uint8_t *> visited_;
};

// Tables with thousands of different vtables, each used again later, among them many of one size.
void compare_many_vtables(fls_builder *ours, flatbuffers::FlatBufferBuilder *theirs, prng *random)
{
    const uint32_t numbers = 3000;
    std::vector<fls_ref> refs;
    std::vector<flatbuffers::Offset<void>> offsets;
    for (uint32_t i = 0; i < 3 * numbers; i++) {
        uint32_t number = i < numbers ? i : static_cast<uint32_t>(prng_below(random, numbers));
        fls_table t = fls_builder_table(ours, 30);
        flatbuffers::uoffset_t start = theirs->StartTable();
        for (uint32_t bit = 0; bit < 12; bit++) {
            uint32_t slot = 2 * bit + (number >> bit & 1);
            uint16_t value = static_cast<uint16_t>(i + bit);
            fls_builder_u16(ours, t, slot, value);
            theirs->AddElement<uint16_t>(voffset(slot), value);
        }
        if (number % 3 == 0) {
            fls_builder_u8(ours, t, 24 + number % 5, 1);
            theirs->AddElement<uint8_t>(voffset(24 + number % 5), 1);
        }
        refs.push_back(fls_builder_end(ours, t));
        offsets.push_back(flatbuffers::Offset<void>(theirs->EndTable(start)));
    }
    fls_ref all = fls_builder_ref_vector(ours, refs.data(), refs.size());
    auto all_of_theirs = theirs->CreateVector(offsets);
    fls_table t = fls_builder_table(ours, 1);
    fls_builder_ref(ours, t, 0, all);
    flatbuffers::uoffset_t start = theirs->StartTable();
    theirs->AddOffset(voffset(0), all_of_theirs);
    theirs->Finish(flatbuffers::Offset<void>(theirs->EndTable(start)));
    const void *data = nullptr;
    size_t size = 0;
    CHECK(fls_builder_finish(ours, fls_builder_end(ours, t), nullptr, &data, &size, nullptr) ==
          FLS_OK);
    CHECK(size == theirs->GetSize());
    CHECK(std::memcmp(data, theirs->GetBufferPointer(), size) == 0);
    theirs->Clear();
}

} // namespace

int main(int argc, char **argv)
{
    uint64_t sequences = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20000;
    uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    std::printf("%llu sequences from seed %llu\n", static_cast<unsigned long long>(sequences),
                static_cast<unsigned long long>(seed));
    prng random = prng_seeded(seed);
    fls_builder *ours = nullptr;
    CHECK(fls_builder_new(&ours, nullptr, nullptr) == FLS_OK);
    flatbuffers::FlatBufferBuilder theirs;
    theirs.ForceDefaults(true);
    for (uint64_t i = 0; i < sequences; i++) {
        Sequence(ours, &theirs, &random).run();
        if (i % 512 == 0) {
            fls_builder_shrink(ours, 0);
        }
        // A new builder learns from its first message, a used one only now and then.
        fls_builder *other = nullptr;
        CHECK(fls_builder_new(&other, nullptr, nullptr) == FLS_OK);
        Sequence(other, &theirs, &random).run_alike();
        Sequence(other, &theirs, &random).run_alike();
        Sequence(ours, &theirs, &random).run_alike();
        fls_builder_free(other);
    }
    for (int i = 0; i < 2; i++) {
        compare_many_vtables(ours, &theirs, &random);
    }
    fls_builder_free(ours);
    return 0;
}
