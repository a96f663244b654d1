// Messages as generated code sees them: from bytes to a type of the schema, verified and aligned.
//
// Nothing here includes the FlatBuffers library. What is needed of it comes with the type, from the
// header that flatc generated, and only where a typed function is used.
#ifndef FLATSTREAM_MESSAGE_HPP
#define FLATSTREAM_MESSAGE_HPP

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "flatstream/error.hpp"
#include "flatstream/frame.h"
#include "flatstream/sink.h"
#include "flatstream/validator.h"

namespace flatstream {

// Passed instead of a verification: the message is believed. A damaged or hostile one can then make
// generated code read anywhere; for streams of one's own.
struct unverified_t {};
constexpr unverified_t unverified{};

// The file identifier that messages of type T have to carry, unless a verification says otherwise.
// A program can give its types theirs once:
//
//   template <> struct flatstream::identifier_of<telemetry::Sample> {
//       static const char *get() { return telemetry::SampleIdentifier(); }
//   };
template <class T> struct identifier_of {
    static const char *get() noexcept
    {
        return nullptr;
    }
};

// What is asked of a message before it is handed out as a type.
struct verification {
    const char *identifier = nullptr; // 4 characters; null: that of identifier_of, if any
    std::uint32_t max_depth = 64;
    std::uint32_t max_tables = 1000000;
    std::uint32_t alignment = 8; // of the payload in memory, up to 64: more for force_align
    bool verify = true;

    verification() = default;
    verification(const char *file_identifier) : identifier(file_identifier)
    {
    }
    verification(unverified_t) : verify(false)
    {
    }
};

namespace detail {

// The verifier's class, found in the signature of T::Verify: a member function, or a template of
// them in newer versions of the library.
template <class T, class Verifier> Verifier verifier_of(bool (T::*)(Verifier &) const);
template <class T> auto find_verifier(int) -> decltype(verifier_of(&T::template Verify<false>));
template <class T> auto find_verifier(long) -> decltype(verifier_of(&T::Verify));

inline bool has_identifier(const void *payload, std::size_t size, const char *identifier) noexcept
{
    return size >= 8 && std::strncmp(static_cast<const char *>(payload) + 4, identifier, 4) == 0;
}

inline bool is_aligned(const void *payload, std::uint32_t alignment) noexcept
{
    return alignment < 2 || (reinterpret_cast<std::uintptr_t>(payload) & (alignment - 1)) == 0;
}

// The root table of a payload that lies aligned, or null with the reason in *err.
template <class T>
const T *root(const void *payload, std::size_t size, const verification &how, fls_error *err)
{
    const std::uint8_t *bytes = static_cast<const std::uint8_t *>(payload);
    const char *identifier = how.identifier ? how.identifier : identifier_of<T>::get();
    if (size < 4 || size >= 0x7fffffff) {
        refuse(err, FLS_VALIDATION_FAILED, "no FlatBuffer has this size");
        return nullptr;
    }
    if (identifier != nullptr && !has_identifier(payload, size, identifier)) {
        refuse(err, FLS_VALIDATION_FAILED, "another file identifier than that asked for");
        return nullptr;
    }
    if (how.verify) {
        using verifier_type = decltype(find_verifier<T>(0));
        if (!is_aligned(payload, how.alignment)) {
            refuse(err, FLS_INVALID_ARGUMENT, "the payload does not lie as aligned as asked for");
            return nullptr;
        }
        verifier_type verifier(bytes, size, how.max_depth, how.max_tables);
        if (!verifier.template VerifyBuffer<T>(nullptr)) {
            refuse(err, FLS_VALIDATION_FAILED, "the type's verifier refuses it");
            return nullptr;
        }
    }
    std::uint32_t offset =
        static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
        static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
    return reinterpret_cast<const T *>(bytes + offset);
}

// One copy of a payload at an aligned address; its memory is used again.
class aligned_copy {
  public:
    // Null when memory ran out.
    const void *make(const void *payload, std::size_t size) noexcept
    {
        constexpr std::size_t most = 64;
        if (!memory_ || size > capacity_) {
            std::size_t capacity = size + size / 2 + 256;
            memory_.reset(static_cast<std::uint8_t *>(std::malloc(capacity + most)));
            capacity_ = memory_ ? capacity : 0;
        }
        if (!memory_) {
            return nullptr;
        }
        std::uintptr_t address = reinterpret_cast<std::uintptr_t>(memory_.get());
        std::uint8_t *aligned = memory_.get() + (most - address % most) % most;
        std::memcpy(aligned, payload, size);
        return aligned;
    }

  private:
    struct freer {
        void operator()(void *memory) const noexcept
        {
            std::free(memory);
        }
    };
    std::unique_ptr<std::uint8_t, freer> memory_;
    std::size_t capacity_ = 0;
};

} // namespace detail

// A message as a stream hands it out: an fls_message, its payload borrowed until the next one is
// asked for. The fields are payload, size, ordinal, offset and checksum.
struct message : fls_message {
    message() noexcept : fls_message()
    {
    }
    explicit message(const fls_message &raw) noexcept : fls_message(raw)
    {
    }

    byte_view bytes() const noexcept
    {
        return byte_view(payload, size);
    }

    bool has_identifier(const char *identifier) const noexcept
    {
        return detail::has_identifier(payload, size, identifier);
    }

    // The root table, or null with the reason, and this message's offset and ordinal, in *err.
    template <class T>
    const T *try_as(fls_error *err = nullptr, const verification &how = verification()) const
    {
        const T *table = detail::root<T>(payload, size, how, err);
        if (table == nullptr && err != nullptr) {
            err->known |= FLS_ERROR_OFFSET | FLS_ERROR_ORDINAL;
            err->offset = offset;
            err->ordinal = ordinal;
        }
        return table;
    }

#if FLATSTREAM_EXCEPTIONS
    template <class T> const T &as(const verification &how = verification()) const
    {
        fls_error err = FLS_ERROR_INIT;
        const T *table = try_as<T>(&err, how);
        if (table == nullptr) {
            throw error(err);
        }
        return *table;
    }
#endif
};

// The messages of a stream, one after another, for range-for. Each is there until the next is asked
// for; a stream is gone through once. At a fault it throws, or where an error was given ends and
// leaves the fault in it; that error is FLS_OK after a clean end.
template <class Range, class Value> class message_iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = const Value *;
    using reference = const Value &;

    message_iterator() noexcept : range_(nullptr)
    {
    }
    explicit message_iterator(Range *range) : range_(range && range->advance() ? range : nullptr)
    {
    }
    reference operator*() const
    {
        return range_->current();
    }
    pointer operator->() const
    {
        return &range_->current();
    }
    message_iterator &operator++()
    {
        range_ = range_->advance() ? range_ : nullptr;
        return *this;
    }
    void operator++(int)
    {
        ++*this;
    }
    friend bool operator==(const message_iterator &a, const message_iterator &b) noexcept
    {
        return a.range_ == b.range_;
    }
    friend bool operator!=(const message_iterator &a, const message_iterator &b) noexcept
    {
        return a.range_ != b.range_;
    }

  private:
    Range *range_;
};

namespace detail {

// What both ranges below do with the status of a step: true to go on.
inline bool went_on(fls_status status, const fls_error &fault, fls_error *given)
{
    if (status == FLS_OK) {
        return true;
    }
    if (status != FLS_END) {
#if FLATSTREAM_EXCEPTIONS
        if (given == nullptr) {
            throw error(fault);
        }
#endif
        *given = fault;
    }
    return false;
}

} // namespace detail

template <class Stream> class message_range {
  public:
    using iterator = message_iterator<message_range, message>;

    message_range(Stream &stream, fls_error *err) noexcept : stream_(&stream), err_(err)
    {
        if (err != nullptr) {
            *err = detail::no_error();
        }
    }
    iterator begin()
    {
        return iterator(this);
    }
    iterator end() noexcept
    {
        return iterator();
    }
    bool advance()
    {
        fls_status status = stream_->try_next(message_);
        return detail::went_on(status, stream_->fault(), err_);
    }
    const message &current() const noexcept
    {
        return message_;
    }

  private:
    Stream *stream_;
    fls_error *err_;
    message message_;
};

// The same as tables of a type. After a refused message the stream stands behind it: another range
// goes on there.
template <class T, class Stream> class typed_range {
  public:
    using iterator = message_iterator<typed_range, T>;

    typed_range(Stream &stream, const verification &how, fls_error *err)
        : stream_(&stream), how_(how), err_(err), table_(nullptr)
    {
        if (err != nullptr) {
            *err = detail::no_error();
        }
    }
    iterator begin()
    {
        return iterator(this);
    }
    iterator end() noexcept
    {
        return iterator();
    }
    bool advance()
    {
        fls_status status = stream_->try_next(message_);
        if (status != FLS_OK) {
            return detail::went_on(status, stream_->fault(), err_);
        }
        if (!detail::is_aligned(message_.payload, how_.alignment)) {
            message_.payload = copy_.make(message_.payload, message_.size);
        }
        fls_error fault;
        if (message_.payload == nullptr) {
            status = detail::refuse(&fault, FLS_NO_MEMORY, "no memory for an aligned copy");
        } else {
            table_ = message_.template try_as<T>(&fault, how_);
            status = table_ != nullptr ? FLS_OK : fault.status;
        }
        return detail::went_on(status, fault, err_);
    }
    const T &current() const noexcept
    {
        return *table_;
    }
    // The message that the current table is in: its ordinal, offset and bytes.
    const message &raw() const noexcept
    {
        return message_;
    }

  private:
    Stream *stream_;
    verification how_;
    fls_error *err_;
    const T *table_;
    message message_;
    detail::aligned_copy copy_;
};

// A validator of the C interface together with what it stands on.
struct kept_validator {
    fls_validator validator;
    std::shared_ptr<void> kept;
};

namespace detail {

// Where the bytes of a finished message are: a FlatBufferBuilder, or anything with data and size,
// such as a DetachedBuffer, a std::vector<uint8_t> or a std::span.
template <class Built>
auto bytes_of(const Built &built, int)
    -> decltype(byte_view(built.GetBufferPointer(), built.GetSize()))
{
    return byte_view(built.GetBufferPointer(), built.GetSize());
}
template <class Bytes>
auto bytes_of(const Bytes &bytes, long) -> decltype(byte_view(bytes.data(), bytes.size()))
{
    static_assert(sizeof(*bytes.data()) == 1, "a message is given as bytes");
    return byte_view(bytes.data(), bytes.size());
}

// Validators and observers that options carry along, and what they stand on.
struct attachments {
    std::vector<fls_validator> validators;
    std::vector<fls_observer> observers;
    std::vector<std::shared_ptr<void>> kept;
};

template <class T>
fls_status check_type(void *self, const void *payload, std::size_t size, fls_error *err) noexcept
{
    const verification *how = static_cast<const verification *>(self);
    return root<T>(payload, size, *how, err) != nullptr ? FLS_OK : FLS_VALIDATION_FAILED;
}

template <class Function>
fls_status check_function(void *self, const void *payload, std::size_t size,
                          fls_error *err) noexcept
{
    Function &function = *static_cast<Function *>(self);
#if FLATSTREAM_EXCEPTIONS
    try {
#endif
        if (function(byte_view(payload, size))) {
            return FLS_OK;
        }
        return refuse(err, FLS_VALIDATION_FAILED, "refused");
#if FLATSTREAM_EXCEPTIONS
    } catch (const std::exception &reason) {
        return refuse(err, FLS_VALIDATION_FAILED, reason.what());
    } catch (...) {
        return refuse(err, FLS_VALIDATION_FAILED, "refused by an exception");
    }
#endif
}

template <class Function>
void call_observer(void *self, const void *payload, std::size_t size,
                   std::uint64_t ordinal) noexcept
{
    (*static_cast<Function *>(self))(byte_view(payload, size), ordinal);
}

// Not all options have observers.
template <class Raw>
auto join_observers(Raw &raw, attachments &own, int) -> decltype(void(raw.observers))
{
    if (!own.observers.empty()) {
        own.observers.insert(own.observers.begin(), raw.observers,
                             raw.observers + raw.observer_count);
        raw.observers = own.observers.data();
        raw.observer_count = own.observers.size();
    }
}
template <class Raw> void join_observers(Raw &, attachments &, long)
{
}
template <class Raw> auto has_observers(int) -> decltype(void(&Raw::observers), std::true_type());
template <class Raw> std::false_type has_observers(long);

// Options of a reader or writer with validators and observers that live as long as what uses them.
template <class Raw> class with_checks : public Raw {
  public:
    explicit with_checks(const Raw &raw) : Raw(raw)
    {
    }

    // Messages have to be sound tables of type T, on their way in as well as out.
    template <class T> void validate(const verification &how = verification())
    {
        attach("type", &check_type<T>, std::make_shared<verification>(how), how.alignment);
    }

    // function(byte_view) says whether a message is good, or throws the reason. name has to outlive
    // the options and what was opened with them.
    template <class Function>
    void validate(const char *name, Function function, std::uint32_t aligned_to = 1)
    {
        attach(name, &check_function<Function>, std::make_shared<Function>(std::move(function)),
               aligned_to);
    }

    void validate(const kept_validator &given)
    {
        attached_.validators.push_back(given.validator);
        attached_.kept.push_back(given.kept);
    }

    // Any validator of the C interface; what it stands on stays the caller's.
    void validate(const fls_validator &validator)
    {
        attached_.validators.push_back(validator);
    }

    // function(byte_view, ordinal) sees every accepted message. It must not throw.
    template <class Function> void observe(Function function)
    {
        static_assert(decltype(has_observers<Raw>(0))::value, "these options have no observers");
        std::shared_ptr<Function> kept = std::make_shared<Function>(std::move(function));
        attached_.observers.push_back(fls_observer{&call_observer<Function>, kept.get()});
        attached_.kept.push_back(std::move(kept));
    }

    // The options as the C interface takes them. own receives what they point to.
    Raw prepare(attachments &own) const
    {
        Raw raw = *this;
        own = attached_;
        if (!own.validators.empty()) {
            own.validators.insert(own.validators.begin(), raw.validators,
                                  raw.validators + raw.validator_count);
            raw.validators = own.validators.data();
            raw.validator_count = own.validators.size();
        }
        join_observers(raw, own, 0);
        return raw;
    }

  protected:
    // For what the options point to beside their checks.
    void keep_alive(std::shared_ptr<void> what)
    {
        attached_.kept.push_back(std::move(what));
    }

  private:
    template <class Self>
    void attach(const char *name,
                fls_status (*check)(void *, const void *, std::size_t, fls_error *),
                std::shared_ptr<Self> self, std::uint32_t aligned_to)
    {
        attached_.validators.push_back(fls_validator{name, check, self.get(), aligned_to, 0});
        attached_.kept.push_back(std::move(self));
    }

    attachments attached_;
};

} // namespace detail

} // namespace flatstream

#endif
