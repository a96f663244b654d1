#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>

#include "support/random_messages.hpp"

namespace random_messages {

namespace {

void put(Bytes &message, std::size_t at, std::uint64_t value, std::size_t size)
{
    for (std::size_t i = 0; i < size && at + i < message.size(); i++) {
        message[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

std::uint64_t get(const Bytes &message, std::size_t at, std::size_t size)
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && at + i < message.size(); i++) {
        value |= std::uint64_t(message[at + i]) << (8 * i);
    }
    return value;
}

// What a reference, length or vtable entry could become that is still nearly right.
std::uint64_t nearly(const Bytes &message, std::size_t at, std::size_t size, prng &random)
{
    const std::uint64_t old = get(message, at, size);
    switch (prng_below(&random, 8)) {
    case 0: return old + 1 + prng_below(&random, 8);
    case 1: return old - 1 - prng_below(&random, 8);
    case 2: return old + 4 * prng_below(&random, 16);
    case 3: return old - 4 * prng_below(&random, 16);
    case 4: return message.size() - at - prng_below(&random, 9);
    case 5: return 0 - prng_below(&random, at + 4);
    case 6: return prng_below(&random, message.size() + 4);
    default: {
        static const std::uint64_t edges[] = {
            0, 1, 2, 4, 0x7f, 0xff, 0x7fff, 0xffff, 0x7ffffffc, 0x7fffffff, 0x80000000, 0xffffffff};
        return edges[prng_below(&random, std::size(edges))];
    }
    }
}

void splice(Bytes &message, prng &random, const Bytes &other)
{
    const Bytes &from = prng_below(&random, 2) == 0 && !other.empty() ? other : message;
    const auto length =
        static_cast<std::size_t>(1 + prng_below(&random, std::min<std::size_t>(32, from.size())));
    const auto source = static_cast<std::size_t>(prng_below(&random, from.size() - length + 1));
    const Bytes piece(from.begin() + static_cast<std::ptrdiff_t>(source),
                      from.begin() + static_cast<std::ptrdiff_t>(source + length));
    const auto target = static_cast<std::size_t>(prng_below(&random, message.size() / 4 + 1) * 4);
    for (std::size_t i = 0; i < length && target + i < message.size(); i++) {
        message[target + i] = piece[i];
    }
}

void mutate_once(Bytes &message, prng &random, const Bytes &other)
{
    const auto at = static_cast<std::size_t>(prng_below(&random, message.size()));
    switch (prng_below(&random, 12)) {
    case 0:
    case 1:
        message[at] = static_cast<std::uint8_t>(message[at] ^ 1u << prng_below(&random, 8));
        break;
    case 2: message[at] = static_cast<std::uint8_t>(prng_next(&random)); break;
    case 3:
    case 4:
    case 5:
        put(message, at & ~std::size_t(1), nearly(message, at & ~std::size_t(1), 2, random), 2);
        break;
    case 6:
    case 7:
    case 8:
        put(message, at & ~std::size_t(3), nearly(message, at & ~std::size_t(3), 4, random), 4);
        break;
    case 9:
        message.resize(
            prng_below(&random, 2) == 0
                ? at
                : message.size() -
                      std::min<std::size_t>(message.size(),
                                            static_cast<std::size_t>(1 + prng_below(&random, 16))));
        break;
    case 10:
        message.resize(message.size() + static_cast<std::size_t>(1 + prng_below(&random, 16)),
                       static_cast<std::uint8_t>(prng_below(&random, 2) * 0xff));
        break;
    default: splice(message, random, other); break;
    }
}

} // namespace

void mutate(Bytes &message, prng &random, const Bytes &other)
{
    std::uint64_t times = prng_below(&random, 2) == 0 ? 1 : 1 + prng_below(&random, 4);
    for (; times > 0 && !message.empty(); times--) {
        mutate_once(message, random, other);
    }
}

AlignedCopy::AlignedCopy(const void *payload, std::size_t size) : size_(size)
{
    if (posix_memalign(&memory_, 64, size + (size == 0 ? 1 : 0)) != 0) {
        throw std::bad_alloc();
    }
    if (size > 0) {
        std::memcpy(memory_, payload, size);
    }
}

AlignedCopy::~AlignedCopy()
{
    std::free(memory_);
}

} // namespace random_messages
