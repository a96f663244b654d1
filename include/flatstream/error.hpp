// Errors of the C++ layer, and the two kinds of views that it hands out.
//
// Functions come in pairs. `write(...)` throws flatstream::error; `try_write(..., err)` returns the
// status, fills *err (which may be null) and throws nothing. In a build without exceptions only the
// second of each pair is there.
#ifndef FLATSTREAM_ERROR_HPP
#define FLATSTREAM_ERROR_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

#include "flatstream/status.h"

#ifndef FLATSTREAM_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define FLATSTREAM_EXCEPTIONS 1
#else
#define FLATSTREAM_EXCEPTIONS 0
#endif
#endif

#if FLATSTREAM_EXCEPTIONS
#include <stdexcept>
#endif
#if __cplusplus >= 201703L
#include <string_view>
#endif
#if __cplusplus >= 202002L
#include <span>
#endif

namespace flatstream {

// Bytes that belong to somebody else. Each function says until when.
class byte_view {
  public:
    byte_view() noexcept : data_(nullptr), size_(0)
    {
    }
    byte_view(const void *data, std::size_t size) noexcept
        : data_(static_cast<const std::uint8_t *>(data)), size_(size)
    {
    }

    const std::uint8_t *data() const noexcept
    {
        return data_;
    }
    std::size_t size() const noexcept
    {
        return size_;
    }
    bool empty() const noexcept
    {
        return size_ == 0;
    }
    const std::uint8_t *begin() const noexcept
    {
        return data_;
    }
    const std::uint8_t *end() const noexcept
    {
        return data_ + size_;
    }
    std::uint8_t operator[](std::size_t at) const noexcept
    {
        return data_[at];
    }

#if __cplusplus >= 202002L
    operator std::span<const std::byte>() const noexcept
    {
        return {reinterpret_cast<const std::byte *>(data_), size_};
    }
    operator std::span<const std::uint8_t>() const noexcept
    {
        return {data_, size_};
    }
#endif

  private:
    const std::uint8_t *data_;
    std::size_t size_;
};

// Text that belongs to somebody else, not terminated: a std::string_view where there is one.
#if __cplusplus >= 201703L
using text_view = std::string_view;
#else
class text_view {
  public:
    text_view() noexcept : data_(""), size_(0)
    {
    }
    text_view(const char *text) noexcept : data_(text), size_(std::strlen(text))
    {
    }
    text_view(const std::string &text) noexcept : data_(text.data()), size_(text.size())
    {
    }
    text_view(const char *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }

    const char *data() const noexcept
    {
        return data_;
    }
    std::size_t size() const noexcept
    {
        return size_;
    }
    bool empty() const noexcept
    {
        return size_ == 0;
    }
    const char *begin() const noexcept
    {
        return data_;
    }
    const char *end() const noexcept
    {
        return data_ + size_;
    }
    explicit operator std::string() const
    {
        return std::string(data_, size_);
    }

  private:
    const char *data_;
    std::size_t size_;
};
#endif

// One line about an error, as the tool prints it.
inline std::string describe(const fls_error &err)
{
    char line[512];
    fls_error_format(&err, line, sizeof line);
    return line;
}

// The statuses as a std::error_category, for programs whose errors are std::error_code.
inline const std::error_category &category() noexcept
{
    class statuses final : public std::error_category {
      public:
        const char *name() const noexcept override
        {
            return "flatstream";
        }
        std::string message(int number) const override
        {
            return fls_status_text(static_cast<fls_status>(number));
        }
    };
    static const statuses only;
    return only;
}

inline std::error_code make_error_code(fls_status code) noexcept
{
    return std::error_code(static_cast<int>(code), category());
}

#if FLATSTREAM_EXCEPTIONS

// What the throwing functions throw. what() is one line with all that is known.
class error : public std::runtime_error {
  public:
    explicit error(const fls_error &detail) : std::runtime_error(describe(detail)), detail_(detail)
    {
    }

    fls_status status() const noexcept
    {
        return detail_.status;
    }
    std::error_code code() const noexcept
    {
        return make_error_code(detail_.status);
    }

    // Where in the stream, if that is known: see has_offset and has_ordinal.
    bool has_offset() const noexcept
    {
        return (detail_.known & FLS_ERROR_OFFSET) != 0;
    }
    bool has_ordinal() const noexcept
    {
        return (detail_.known & FLS_ERROR_ORDINAL) != 0;
    }
    std::uint64_t offset() const noexcept
    {
        return detail_.offset;
    }
    std::uint64_t ordinal() const noexcept
    {
        return detail_.ordinal;
    }

    int system_errno() const noexcept
    {
        return detail_.system_errno;
    }
    const char *name() const noexcept
    {
        return detail_.name;
    } // of a validator, file or peer
    const char *text() const noexcept
    {
        return detail_.text;
    } // the reason alone
    const fls_error &detail() const noexcept
    {
        return detail_;
    }

  private:
    fls_error detail_;
};

#endif

namespace detail {

inline fls_error no_error() noexcept
{
    return FLS_ERROR_INIT;
}

#if FLATSTREAM_EXCEPTIONS
inline void require(fls_status status, const fls_error &err)
{
    if (status != FLS_OK) {
        throw error(err);
    }
}
#endif

// A failure that this layer found itself.
inline fls_status refuse(fls_error *err, fls_status status, const char *text) noexcept
{
    return fls_error_set(err, status, 0, text);
}

} // namespace detail

} // namespace flatstream

// A status can be compared with a std::error_code, and become one.
namespace std {
template <> struct is_error_code_enum<fls_status> : true_type {
};
} // namespace std

// Found by argument-dependent lookup, as the status is declared outside any namespace.
inline std::error_code make_error_code(fls_status code) noexcept
{
    return flatstream::make_error_code(code);
}

#endif
