// Two messages of everything.fbs hold the same if they are equal after this: everything read by
// generated accessors and written again in one way. What becomes equal by it is only a field that
// is absent and one that has its default, or is empty.
#ifndef TESTS_INTEROP_JSON_CANONICAL_HPP
#define TESTS_INTEROP_JSON_CANONICAL_HPP

#include <cstdlib>

#include "everything_generated.h"
#include "support/random_messages.hpp"
#include "telemetry_generated.h"

namespace json_canonical {

using random_messages::AlignedCopy;
using random_messages::Bytes;

// The official builder stores structs as if its block were aligned to what they ask for.
class AlignedAllocator : public flatbuffers::Allocator {
  public:
    std::uint8_t *allocate(std::size_t size) override
    {
        return static_cast<std::uint8_t *>(std::aligned_alloc(64, (size + 63) / 64 * 64));
    }
    void deallocate(std::uint8_t *memory, std::size_t) override
    {
        std::free(memory);
    }
};

template <class Table> Bytes packed(const typename Table::NativeTableType &object)
{
    AlignedAllocator allocator;
    flatbuffers::FlatBufferBuilder builder(1024, &allocator, false, 64);
    builder.Finish(Table::Pack(builder, &object));
    return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

template <class Table> Bytes canonical(const void *message, std::size_t size)
{
    AlignedCopy copy(message, size);
    typename Table::NativeTableType object;
    flatbuffers::GetRoot<Table>(copy.data())->UnPackTo(&object);
    return packed<Table>(object);
}

template <class Table> void settle(Bytes &nested)
{
    if (!nested.empty()) {
        nested = canonical<Table>(nested.data(), nested.size());
    }
}

inline Bytes canonical_everything(const void *message, std::size_t size);

inline void settle(everything::EverythingT &object)
{
    if (object.required) {
        settle<everything::Scalars>(object.required->nested);
    }
    if (object.nests) {
        settle<everything::Scalars>(object.nests->scalars);
        settle<everything::Tree>(object.nests->tree);
        if (!object.nests->itself.empty()) {
            object.nests->itself =
                canonical_everything(object.nests->itself.data(), object.nests->itself.size());
        }
    }
    for (auto &inner : object.all) {
        settle(*inner);
    }
}

inline Bytes canonical_everything(const void *message, std::size_t size)
{
    AlignedCopy copy(message, size);
    everything::EverythingT object;
    flatbuffers::GetRoot<everything::Everything>(copy.data())->UnPackTo(&object);
    settle(object);
    return packed<everything::Everything>(object);
}

} // namespace json_canonical

#endif
