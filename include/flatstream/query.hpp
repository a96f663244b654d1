// Values out of messages by path, and conditions on them, in C++; docs/QUERIES.md has the grammar.
#ifndef FLATSTREAM_QUERY_HPP
#define FLATSTREAM_QUERY_HPP

#include "flatstream/query.h"
#include "flatstream/schema.hpp"

namespace flatstream {

// What a path leads to in a message: an fls_value. Text is borrowed from the message.
struct value : fls_value {
    value() noexcept : fls_value()
    {
    }
    explicit value(const fls_value &raw) noexcept : fls_value(raw)
    {
    }

    bool exists() const noexcept
    {
        return kind != FLS_VALUE_ABSENT;
    }
    bool is_number() const noexcept
    {
        return kind >= FLS_VALUE_BOOL && kind <= FLS_VALUE_F64;
    }
    // Of a number, rounded where a double cannot hold it; 0 for anything else.
    double number() const noexcept
    {
        switch (kind) {
        case FLS_VALUE_I64: return static_cast<double>(as.i);
        case FLS_VALUE_BOOL:
        case FLS_VALUE_U64: return static_cast<double>(as.u);
        case FLS_VALUE_F64: return as.f;
        default: return 0;
        }
    }
    // Of a string; empty for anything else.
    text_view text() const noexcept
    {
        return kind == FLS_VALUE_STRING ? text_view(as.string.text, as.string.size) : text_view();
    }
};

// A path such as wind.speed, compiled once. The schema has to outlive it. Any number of threads may
// use one.
class path {
  public:
    path() noexcept = default;
    ~path()
    {
        fls_path_free(path_);
    }
    path(path &&other) noexcept : path_(other.path_)
    {
        other.path_ = nullptr;
    }
    path &operator=(path &&other) noexcept
    {
        std::swap(path_, other.path_);
        return *this;
    }
    path(const path &) = delete;
    path &operator=(const path &) = delete;

    FLS_MUST_USE fls_status try_open(const schema &of, const char *text,
                                     std::uint32_t root = FLS_SCHEMA_NONE, fls_error *err = nullptr)
    {
        fls_path *made = nullptr;
        fls_status status = fls_path_new(
            &made, of.get(), root == FLS_SCHEMA_NONE ? of.root() : root, text, nullptr, err);
        if (status == FLS_OK) {
            fls_path_free(path_);
            path_ = made;
        }
        return status;
    }

#if FLATSTREAM_EXCEPTIONS
    path(const schema &of, const char *text, std::uint32_t root = FLS_SCHEMA_NONE)
    {
        fls_error err;
        detail::require(try_open(of, text, root, &err), err);
    }
#endif

    // Bounds are checked at each step: a payload that was not verified can do no harm.
    value operator()(byte_view payload) const noexcept
    {
        value found;
        fls_path_get(path_, payload.data(), payload.size(), &found);
        return found;
    }
    value operator()(const message &of) const noexcept
    {
        return (*this)(of.bytes());
    }
    // Calls function(value) with each value of a path with [*] in it. It must not throw.
    template <class Function> void each(byte_view payload, Function function) const
    {
        fls_path_each(path_, payload.data(), payload.size(), &path::call<Function>, &function);
    }
    fls_value_kind kind() const noexcept
    {
        return fls_path_kind(path_);
    }
    explicit operator bool() const noexcept
    {
        return path_ != nullptr;
    }

  private:
    // It passes through C, where nothing may be thrown.
    template <class Function> static int call(void *self, const fls_value *found) noexcept
    {
        (*static_cast<Function *>(self))(value(*found));
        return 0;
    }

    fls_path *path_ = nullptr;
};

// A condition such as: temperature > 20 && (sky == "Rain" || wind.speed in 5..10). As path.
class predicate {
  public:
    predicate() noexcept = default;
    ~predicate()
    {
        fls_predicate_free(predicate_);
    }
    predicate(predicate &&other) noexcept : predicate_(other.predicate_)
    {
        other.predicate_ = nullptr;
    }
    predicate &operator=(predicate &&other) noexcept
    {
        std::swap(predicate_, other.predicate_);
        return *this;
    }
    predicate(const predicate &) = delete;
    predicate &operator=(const predicate &) = delete;

    FLS_MUST_USE fls_status try_open(const schema &of, const char *text,
                                     std::uint32_t root = FLS_SCHEMA_NONE, fls_error *err = nullptr)
    {
        fls_predicate *made = nullptr;
        fls_status status = fls_predicate_new(
            &made, of.get(), root == FLS_SCHEMA_NONE ? of.root() : root, text, nullptr, err);
        if (status == FLS_OK) {
            fls_predicate_free(predicate_);
            predicate_ = made;
        }
        return status;
    }

#if FLATSTREAM_EXCEPTIONS
    predicate(const schema &of, const char *text, std::uint32_t root = FLS_SCHEMA_NONE)
    {
        fls_error err;
        detail::require(try_open(of, text, root, &err), err);
    }
#endif

    bool operator()(byte_view payload) const noexcept
    {
        return fls_predicate_holds(predicate_, payload.data(), payload.size()) != 0;
    }
    bool operator()(const message &of) const noexcept
    {
        return (*this)(of.bytes());
    }
    explicit operator bool() const noexcept
    {
        return predicate_ != nullptr;
    }

  private:
    fls_predicate *predicate_ = nullptr;
};

} // namespace flatstream

#endif
