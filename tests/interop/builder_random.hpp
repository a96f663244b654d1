// Random sequences of every call of the builder, made on it and on the official C++ builder: both
// have to give the same bytes, as aligned as they ask for. Shared by a quick and a long test.
#ifndef TESTS_INTEROP_BUILDER_RANDOM_HPP
#define TESTS_INTEROP_BUILDER_RANDOM_HPP

#define FLATBUFFERS_MAX_ALIGNMENT 64
#include <flatbuffers/flatbuffers.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "flatstream/builder.h"

extern "C" {
#include "support/prng.h"
}

namespace builder_random {

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                       \
        }                                                                                       \
    } while (0)

// The official builder stores structs by assignment, which needs memory as aligned as they are.
class AlignedAllocator : public flatbuffers::Allocator {
  public:
    uint8_t *allocate(size_t size) override
    {
        return static_cast<uint8_t *>(std::aligned_alloc(64, (size + 63) / 64 * 64));
    }

    void deallocate(uint8_t *memory, size_t) override
    {
        std::free(memory);
    }
};

// A struct of `units` times its alignment.
template <size_t alignment, size_t units> struct alignas(alignment) Struct {
    uint8_t bytes[alignment * units];
};

struct Object {
    fls_ref ours;
    flatbuffers::Offset<void> theirs;
};

// Calls one of these for a struct of random alignment and size.
struct AddStruct {
    flatbuffers::FlatBufferBuilder *builder;
    flatbuffers::voffset_t field;

    template <typename T> void operator()(const std::vector<T> &structs)
    {
        builder->AddStruct(field, &structs[0]);
    }
};

struct CreateStruct {
    flatbuffers::FlatBufferBuilder *builder;
    flatbuffers::Offset<void> made;

    template <typename T> void operator()(const std::vector<T> &structs)
    {
        made = flatbuffers::Offset<void>(builder->CreateStruct(structs[0]).o);
    }
};

struct CreateStructVector {
    flatbuffers::FlatBufferBuilder *builder;
    flatbuffers::Offset<void> made;

    template <typename T> void operator()(const std::vector<T> &structs)
    {
        made = flatbuffers::Offset<void>(
            builder->CreateVectorOfStructs(structs.data(), structs.size()).o);
    }
};

class Sequence {
  public:
    Sequence(fls_builder *ours, flatbuffers::FlatBufferBuilder *theirs, prng *random, int depth)
        : ours_(ours), theirs_(theirs), random_(random), depth_(depth)
    {
    }

    // Makes one message with both and compares; it is left in the builders.
    void run(const void **data, size_t *size)
    {
        uint64_t count = 1 + below(below(10) == 0 ? 80 : 14);
        for (uint64_t i = 0; i < count; i++) {
            add_any();
        }
        const char *identifier = below(3) == 0 ? "IDEN" : nullptr;
        Object root = add_table();
        fls_error err = FLS_ERROR_INIT;
        CHECK(fls_builder_finish(ours_, root.ours, identifier, data, size, &err) == FLS_OK);
        theirs_->Finish(root.theirs, identifier);
        CHECK(*size == theirs_->GetSize());
        CHECK(std::memcmp(*data, theirs_->GetBufferPointer(), *size) == 0);
        CHECK(reinterpret_cast<uintptr_t>(*data) % theirs_->GetBufferMinAlignment() == 0);
    }

  private:
    uint64_t below(uint64_t bound)
    {
        return prng_below(random_, bound);
    }

    std::vector<uint8_t> random_bytes(uint64_t size)
    {
        std::vector<uint8_t> bytes(size);
        if (size != 0) {
            prng_fill(random_, bytes.data(), bytes.size());
        }
        return bytes;
    }

    const Object &any_object()
    {
        return objects_[below(objects_.size())];
    }

    static flatbuffers::voffset_t voffset(uint32_t slot)
    {
        return static_cast<flatbuffers::voffset_t>(4 + 2 * slot);
    }

    void add_any()
    {
        switch (below(13)) {
        case 0: objects_.push_back(add_string(false)); break;
        case 1:
        case 2: objects_.push_back(add_string(true)); break;
        case 3: objects_.push_back(add_vector(1)); break;
        case 4: objects_.push_back(add_vector(1u << below(7))); break;
        case 5: objects_.push_back(add_ref_vector()); break;
        case 6: objects_.push_back(add_struct_object()); break;
        case 7: objects_.push_back(add_struct_vector()); break;
        case 8: add_unions(); break;
        case 9: objects_.push_back(add_nested()); break;
        default: objects_.push_back(add_table()); break;
        }
    }

    // Few different ones, so that some are shared.
    Object add_string(bool shared)
    {
        static const char letters[] = "a string of which only a part is taken";
        std::string text(letters, below(10));
        if (below(8) == 0) {
            std::vector<uint8_t> bytes = random_bytes(below(below(20) == 0 ? 3000 : 20));
            text.assign(bytes.begin(), bytes.end());
        }
        if (shared) {
            return {fls_builder_shared_string(ours_, text.data(), text.size()),
                    theirs_->CreateSharedString(text).Union()};
        }
        return {fls_builder_string(ours_, text.data(), text.size()),
                theirs_->CreateString(text).Union()};
    }

    template <typename T> Object vector_of(uint64_t count, uint32_t alignment)
    {
        std::vector<uint8_t> bytes = random_bytes(count * sizeof(T));
        std::vector<T> elements(count);
        if (count != 0) {
            std::memcpy(elements.data(), bytes.data(), bytes.size());
        }
        uint32_t width = sizeof(T);
        if (alignment == 1) {
            return {fls_builder_vector(ours_, elements.data(), count, width),
                    theirs_->CreateVector(elements.data(), count).Union()};
        }
        theirs_->ForceVectorAlignment(count, width, alignment);
        return {fls_builder_aligned_vector(ours_, elements.data(), count, width, alignment),
                theirs_->CreateVector(elements.data(), count).Union()};
    }

    Object add_vector(uint32_t alignment)
    {
        uint64_t count = below(4) == 0 ? 0 : below(below(40) == 0 ? 2000 : 12);
        switch (below(4)) {
        case 0: return vector_of<uint8_t>(count, alignment);
        case 1: return vector_of<uint16_t>(count, alignment);
        case 2: return vector_of<uint32_t>(count, alignment);
        default: return vector_of<uint64_t>(count, alignment);
        }
    }

    Object add_ref_vector()
    {
        std::vector<fls_ref> ours;
        std::vector<flatbuffers::Offset<void>> theirs;
        for (uint64_t i = objects_.empty() ? 0 : below(7); i > 0; i--) {
            const Object &object = any_object();
            ours.push_back(object.ours);
            theirs.push_back(object.theirs);
        }
        fls_ref made = below(2) == 0 ? fls_builder_ref_vector(ours_, ours.data(), ours.size())
                                     : fls_builder_union_vector(ours_, ours.data(), ours.size());
        return {made, theirs_->CreateVector(theirs).Union()};
    }

    // A vector of tags and one of values.
    void add_unions()
    {
        objects_.push_back(vector_of<uint8_t>(below(5), 1));
        objects_.push_back(add_ref_vector());
    }

    template <size_t alignment, size_t units, typename Visit>
    void with(uint64_t count, const std::vector<uint8_t> &bytes, Visit &visit)
    {
        std::vector<Struct<alignment, units>> structs(count);
        for (uint64_t i = 0; i < count; i++) {
            std::memcpy(&structs[i], bytes.data() + i * alignment * units, alignment * units);
        }
        visit(structs);
    }

    template <size_t units, typename Visit>
    void with_alignment(uint32_t alignment, uint64_t count, const std::vector<uint8_t> &bytes,
                        Visit &visit)
    {
        switch (alignment) {
        case 1: with<1, units>(count, bytes, visit); break;
        case 2: with<2, units>(count, bytes, visit); break;
        case 4: with<4, units>(count, bytes, visit); break;
        case 8: with<8, units>(count, bytes, visit); break;
        case 16: with<16, units>(count, bytes, visit); break;
        case 32: with<32, units>(count, bytes, visit); break;
        default: with<64, units>(count, bytes, visit); break;
        }
    }

    // Structs of one shape; the same are in bytes.
    template <typename Visit>
    std::vector<uint8_t> structs(uint64_t count, size_t *size, uint32_t *alignment, Visit &visit)
    {
        static const size_t units[] = {1, 2, 3, 5, 17};
        size_t which = below(5);
        *alignment = 1u << below(below(3) == 0 ? 7 : 4);
        *size = *alignment * units[which];
        std::vector<uint8_t> bytes = random_bytes(count * *size);
        switch (which) {
        case 0: with_alignment<1>(*alignment, count, bytes, visit); break;
        case 1: with_alignment<2>(*alignment, count, bytes, visit); break;
        case 2: with_alignment<3>(*alignment, count, bytes, visit); break;
        case 3: with_alignment<5>(*alignment, count, bytes, visit); break;
        default: with_alignment<17>(*alignment, count, bytes, visit); break;
        }
        return bytes;
    }

    Object add_struct_object()
    {
        size_t size;
        uint32_t alignment;
        CreateStruct create = {theirs_, 0};
        std::vector<uint8_t> bytes = structs(1, &size, &alignment, create);
        return {fls_builder_struct_object(ours_, bytes.data(), size, alignment), create.made};
    }

    Object add_struct_vector()
    {
        size_t size;
        uint32_t alignment;
        uint64_t count = below(4) == 0 ? 0 : below(9);
        CreateStructVector create = {theirs_, 0};
        std::vector<uint8_t> bytes = structs(count, &size, &alignment, create);
        return {fls_builder_struct_vector(ours_, bytes.data(), count, size, alignment),
                create.made};
    }

    Object add_nested()
    {
        if (depth_ == 0) {
            return add_vector(1);
        }
        fls_builder *ours = nullptr;
        CHECK(fls_builder_new(&ours, nullptr, nullptr) == FLS_OK);
        AlignedAllocator allocator;
        flatbuffers::FlatBufferBuilder theirs(64, &allocator, false, 64);
        theirs.ForceDefaults(true);
        const void *data;
        size_t size;
        Sequence(ours, &theirs, random_, depth_ - 1).run(&data, &size);
        size_t alignment = theirs.GetBufferMinAlignment();
        if (alignment <= 8 && below(2) == 0) {
            alignment = 8;
        }
        theirs_->ForceVectorAlignment(size, 1, alignment);
        Object made = {fls_builder_nested(ours_, data, size,
                                          alignment == 8 ? 0 : static_cast<uint32_t>(alignment)),
                       theirs_->CreateVector(theirs.GetBufferPointer(), size).Union()};
        fls_builder_free(ours);
        return made;
    }

    template <typename T> T low()
    {
        return static_cast<T>(below(4) == 0 ? 0 : prng_next(random_));
    }

    template <typename T> void add_scalar(uint32_t slot, T value)
    {
        theirs_->AddElement<T>(voffset(slot), value, 0);
    }

    void set_scalar(fls_table t, uint32_t slot)
    {
        switch (below(11)) {
        case 0: {
            auto value = low<uint8_t>();
            fls_builder_u8(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 1: {
            auto value = low<int8_t>();
            fls_builder_i8(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 2: {
            auto value = low<uint16_t>();
            fls_builder_u16(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 3: {
            auto value = low<int16_t>();
            fls_builder_i16(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 4: {
            auto value = low<uint32_t>();
            fls_builder_u32(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 5: {
            auto value = low<int32_t>();
            fls_builder_i32(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 6: {
            auto value = low<uint64_t>();
            fls_builder_u64(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 7: {
            auto value = low<int64_t>();
            fls_builder_i64(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 8: {
            auto value = static_cast<float>(low<int32_t>());
            fls_builder_f32(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        case 9: {
            auto value = static_cast<double>(low<int64_t>());
            fls_builder_f64(ours_, t, slot, value);
            return add_scalar(slot, value);
        }
        default: {
            auto value = static_cast<uint8_t>(below(2));
            fls_builder_bool(ours_, t, slot, value * 0x300);
            return add_scalar(slot, value);
        }
        }
    }

    void set_struct(fls_table t, uint32_t slot)
    {
        size_t size;
        uint32_t alignment;
        AddStruct add = {theirs_, voffset(slot)};
        std::vector<uint8_t> bytes = structs(1, &size, &alignment, add);
        fls_builder_struct(ours_, t, slot, bytes.data(), size, alignment);
    }

    // The slot before is free for the tag.
    void set_union(fls_table t, uint32_t slot)
    {
        auto tag = static_cast<uint8_t>(objects_.empty() ? 0 : below(4));
        Object value = objects_.empty() ? Object{{0}, 0} : any_object();
        fls_builder_union(ours_, t, slot, tag, value.ours);
        if (tag != 0) {
            theirs_->AddOffset(voffset(slot), value.theirs);
            add_scalar(slot - 1, tag);
        }
    }

    void set_any(fls_table t, uint32_t slot, bool with_tag)
    {
        if (with_tag) {
            set_union(t, slot);
            return;
        }
        switch (below(6)) {
        case 0: set_struct(t, slot); break;
        case 1:
        case 2: {
            bool is_none = objects_.empty() || below(8) == 0;
            Object object = is_none ? Object{{0}, 0} : any_object();
            fls_builder_ref(ours_, t, slot, object.ours);
            theirs_->AddOffset(voffset(slot), object.theirs);
            break;
        }
        default: set_scalar(t, slot); break;
        }
    }

    Object add_table()
    {
        auto slots = static_cast<uint32_t>(below(below(20) == 0 ? 60 : 9));
        std::vector<uint32_t> order;
        std::vector<bool> is_union(slots);
        for (uint32_t slot = 0; slot < slots; slot++) {
            if (slot + 1 < slots && below(10) == 0) {
                is_union[++slot] = true;
            } else if (below(4) == 0) {
                continue;
            }
            order.insert(order.begin() + static_cast<long>(below(order.size() + 1)), slot);
        }
        fls_table t = fls_builder_table(ours_, slots);
        flatbuffers::uoffset_t start = theirs_->StartTable();
        for (uint32_t slot : order) {
            set_any(t, slot, is_union[slot]);
        }
        return {fls_builder_end(ours_, t), flatbuffers::Offset<void>(theirs_->EndTable(start))};
    }

    fls_builder *ours_;
    flatbuffers::FlatBufferBuilder *theirs_;
    prng *random_;
    int depth_;
    std::vector<Object> objects_;
};

// [SEQUENCES [SEED]]
inline int run(int argc, char **argv, uint64_t sequences)
{
    sequences = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : sequences;
    uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    std::printf("%llu sequences from seed %llu\n", static_cast<unsigned long long>(sequences),
                static_cast<unsigned long long>(seed));
    prng random = prng_seeded(seed);
    fls_builder *ours = nullptr;
    CHECK(fls_builder_new(&ours, nullptr, nullptr) == FLS_OK);
    AlignedAllocator allocator;
    flatbuffers::FlatBufferBuilder theirs(1024, &allocator, false, 64);
    theirs.ForceDefaults(true);
    for (uint64_t i = 0; i < sequences; i++) {
        const void *data;
        size_t size;
        Sequence(ours, &theirs, &random, 2).run(&data, &size);
        theirs.Clear();
        if (i % 256 == 0) {
            fls_builder_shrink(ours, 0);
        }
    }
    fls_builder_free(ours);
    return 0;
}

} // namespace builder_random

#endif
