// Sound messages of schemas/everything.fbs and schemas/telemetry.fbs, made at random with the
// official builder, and damage to do to them. The same seed gives the same messages.
#ifndef TESTS_SUPPORT_RANDOM_MESSAGES_HPP
#define TESTS_SUPPORT_RANDOM_MESSAGES_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" {
#include "support/prng.h"
}

namespace random_messages {

using Bytes = std::vector<std::uint8_t>;

struct Shape {
    unsigned percent = 40;       // how many of the fields there are
    unsigned length = 6;         // of strings and vectors, at most (now and then more)
    unsigned depth = 3;          // of trees, nested buffers and messages in messages
    bool only_utf8 = false;      // no string with other bytes
    bool only_finite = false;    // no nan, no infinity
    bool only_known = false;     // no enum value or union member that the schema does not name
    bool only_sound_flex = true; // FlexBuffers that are some
    bool no_zero_byte = false;   // no zero byte inside strings
    bool sorted = true;          // vectors of tables with a key
    bool no_empty = false;       // no empty vector or string is present
};

// With the identifier "EVRY", most of the time; no larger than some 10 KiB by the defaults.
Bytes everything(prng &random, const Shape &shape = {});
Bytes telemetry(prng &random, const Shape &shape = {});

// Damages a message in one to four places: flipped bits, bytes, 16 and 32 bit values that offsets,
// lengths and vtables could have, pieces of itself or of other moved about, cut off or added to.
void mutate(Bytes &message, prng &random, const Bytes &other);

// A copy on the heap of just that size, aligned to 64 bytes: generated accessors may read structs
// only where they are aligned, and a sanitizer sees the first byte read behind the end.
class AlignedCopy {
  public:
    AlignedCopy(const void *payload, std::size_t size);
    explicit AlignedCopy(const Bytes &message) : AlignedCopy(message.data(), message.size())
    {
    }
    AlignedCopy(const AlignedCopy &) = delete;
    AlignedCopy &operator=(const AlignedCopy &) = delete;
    ~AlignedCopy();

    const std::uint8_t *data() const
    {
        return static_cast<const std::uint8_t *>(memory_);
    }
    std::size_t size() const
    {
        return size_;
    }

  private:
    void *memory_ = nullptr;
    std::size_t size_;
};

} // namespace random_messages

#endif
