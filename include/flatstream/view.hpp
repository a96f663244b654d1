// Messages of a stream in memory or in a mapped file, in C++: an fls_cursor and what it stands on.
#ifndef FLATSTREAM_VIEW_HPP
#define FLATSTREAM_VIEW_HPP

#include "flatstream/cursor.h"
#include "flatstream/reader.hpp"
#include "flatstream/source.h"

namespace flatstream {

// The fields are those of fls_cursor_options; checksum may be DETECT.
struct view_options : fls_cursor_options {
    std::uint32_t alignment = 8; // of payloads handed out; 1: as they lie, nothing is copied

    view_options() : fls_cursor_options(fls_cursor_options FLS_CURSOR_OPTIONS_INIT)
    {
    }
    view_options(fls_checksum which) : view_options()
    {
        checksum = which;
    }
};

// The messages of a stream that lies in memory, or in a mapped file. No buffer is filled: payloads
// are handed out where they lie, or as one copy where they do not lie aligned.
class view : public message_stream<view> {
  public:
    view() noexcept : cursor_()
    {
    }
    ~view()
    {
        close();
    }
    view(view &&other) noexcept : view()
    {
        take(other);
    }
    view &operator=(view &&other) noexcept
    {
        if (this != &other) {
            close();
            take(other);
        }
        return *this;
    }
    view(const view &) = delete;
    view &operator=(const view &) = delete;

    // Bytes that outlive the view.
    FLS_MUST_USE fls_status try_open(byte_view bytes, const view_options &options = view_options(),
                                     fls_error *err = nullptr)
    {
        close();
        view_options used = options;
        fault_ = detail::no_error();
        alignment_ = used.alignment;
        if (alignment_ > 64 || (alignment_ & (alignment_ - 1)) != 0) {
            return detail::refuse(err, FLS_INVALID_ARGUMENT, "not an alignment up to 64");
        }
        if (used.checksum == FLS_CHECKSUM_DETECT) {
            fls_status status = fls_detect_checksum(bytes.data(), bytes.size(), 1,
                                                    used.max_frame_bytes, &used.checksum, err);
            if (status == FLS_END) {
                used.checksum = FLS_CHECKSUM_DEFAULT;
            } else if (status != FLS_OK) {
                return status;
            }
        }
        checksum_ = used.checksum == FLS_CHECKSUM_DEFAULT ? FLS_CHECKSUM_XXH3 : used.checksum;
        return fls_cursor_init(&cursor_, bytes.data(), bytes.size(), &used, err);
    }

    // A file, mapped; it must not be shortened while the view is there (fls_source_map_file).
    FLS_MUST_USE fls_status try_map(const std::string &path,
                                    const view_options &options = view_options(),
                                    fls_error *err = nullptr)
    {
        fls_source source;
        const void *data = nullptr;
        std::size_t size = 0;
        fls_status status = fls_source_map_file(&source, path.c_str(), err);
        if (status == FLS_OK) {
            status = source.ops->borrow(source.self, &data, &size, err);
            if (status == FLS_OK) {
                status = try_open(byte_view(data, size), options, err);
            }
            if (status == FLS_OK) {
                source_ = source;
            } else {
                fls_source_close(&source);
            }
        }
        return status;
    }

    // As reader::try_next. FLS_NEED_MORE where options.more_may_follow.
    FLS_MUST_USE fls_status try_next(message &into, fls_error *err = nullptr)
    {
        fls_status status = fls_cursor_next(&cursor_, &into, &fault_);
        if (status == FLS_OK && !detail::is_aligned(into.payload, alignment_)) {
            into.payload = copy_.make(into.payload, into.size);
            if (into.payload == nullptr) {
                status = detail::refuse(&fault_, FLS_NO_MEMORY, "no memory for an aligned copy");
            }
        }
        if (err != nullptr && status != FLS_OK) {
            *err = fault_;
        }
        return status;
    }
    // Steps over a message with a wrong checksum, after that fault.
    FLS_MUST_USE fls_status try_skip(fls_error *err = nullptr)
    {
        return fls_cursor_skip(&cursor_, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit view(byte_view bytes, const view_options &options = view_options()) : view()
    {
        fls_error err;
        detail::require(try_open(bytes, options, &err), err);
    }
    static view map(const std::string &path, const view_options &options = view_options())
    {
        view made;
        fls_error err;
        detail::require(made.try_map(path, options, &err), err);
        return made;
    }
    void skip()
    {
        fls_error err;
        detail::require(try_skip(&err), err);
    }
#endif

    void close() noexcept
    {
        if (source_.ops != nullptr) {
            fls_source_close(&source_);
        }
        source_ = fls_source{nullptr, nullptr};
        cursor_ = fls_cursor();
    }
    const fls_error &fault() const noexcept
    {
        return fault_;
    }
    fls_checksum checksum() const noexcept
    {
        return checksum_;
    }
    std::uint64_t ordinal() const noexcept
    {
        return cursor_.ordinal;
    }
    std::uint64_t offset() const noexcept
    {
        return fls_cursor_offset(&cursor_);
    }
    fls_cursor *get() noexcept
    {
        return &cursor_;
    }

  private:
    void take(view &other) noexcept
    {
        message_stream<view>::operator=(other);
        cursor_ = other.cursor_;
        source_ = other.source_;
        fault_ = other.fault_;
        alignment_ = other.alignment_;
        checksum_ = other.checksum_;
        copy_ = std::move(other.copy_);
        other.source_ = fls_source{nullptr, nullptr};
        other.close();
    }

    fls_cursor cursor_;
    fls_source source_ = {nullptr, nullptr}; // of a mapped file
    fls_error fault_ = FLS_ERROR_INIT;
    std::uint32_t alignment_ = 8;
    fls_checksum checksum_ = FLS_CHECKSUM_XXH3;
    detail::aligned_copy copy_;
};

} // namespace flatstream

#endif
