// Messages out of a damaged stream, in C++: the owner of an fls_salvager, and of its file.
//
// A salvager can be moved and not copied; one thread at a time. What counts as proof of a message
// is in docs/SALVAGE.md.
#ifndef FLATSTREAM_SALVAGE_HPP
#define FLATSTREAM_SALVAGE_HPP

#include "flatstream/error.hpp"
#include "flatstream/salvage.h"

namespace flatstream {

// The fields are those of fls_salvage_options.
struct salvage_options : fls_salvage_options {
    salvage_options() : fls_salvage_options(fls_salvage_options FLS_SALVAGE_OPTIONS_INIT)
    {
    }
    salvage_options(fls_checksum which) : salvage_options()
    {
        checksum = which;
    }
};

struct salvage_report : fls_salvage_report {
    salvage_report() : fls_salvage_report()
    {
        struct_bytes = sizeof(fls_salvage_report);
    }
};

class salvager {
  public:
    salvager() noexcept = default;
    ~salvager()
    {
        close();
    }
    salvager(salvager &&other) noexcept : salvager_(other.salvager_), source_(other.source_)
    {
        other.salvager_ = nullptr;
        other.source_ = fls_source();
    }
    salvager &operator=(salvager &&other) noexcept
    {
        if (this != &other) {
            close();
            salvager_ = other.salvager_;
            source_ = other.source_;
            other.salvager_ = nullptr;
            other.source_ = fls_source();
        }
        return *this;
    }
    salvager(const salvager &) = delete;
    salvager &operator=(const salvager &) = delete;

    FLS_MUST_USE fls_status try_open(const std::string &path,
                                     const salvage_options &options = salvage_options(),
                                     fls_error *err = nullptr)
    {
        close();
        fls_status status = fls_source_open_file(&source_, path.c_str(), err);
        if (status == FLS_OK) {
            status = fls_salvage_open(&salvager_, &source_, &options, err);
        }
        return keep(status);
    }
    // Bytes that outlive the salvager.
    FLS_MUST_USE fls_status try_open_memory(byte_view bytes,
                                            const salvage_options &options = salvage_options(),
                                            fls_error *err = nullptr)
    {
        close();
        return keep(fls_salvage_open_memory(&salvager_, bytes.data(), bytes.size(), &options, err));
    }

    // FLS_OK with an event, FLS_END when the stream is through. What an event lends is there until
    // the next one is asked for.
    FLS_MUST_USE fls_status try_next(fls_salvage_event &into, fls_error *err = nullptr)
    {
        return fls_salvage_next(salvager_, &into, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit salvager(const std::string &path, const salvage_options &options = salvage_options())
    {
        fls_error err;
        detail::require(try_open(path, options, &err), err);
    }
    static salvager from_memory(byte_view bytes, const salvage_options &options = salvage_options())
    {
        salvager made;
        fls_error err;
        detail::require(made.try_open_memory(bytes, options, &err), err);
        return made;
    }
    // One event: false when the stream is through.
    bool next(fls_salvage_event &into)
    {
        fls_error err;
        fls_status status = try_next(into, &err);
        if (status != FLS_END) {
            detail::require(status, err);
        }
        return status == FLS_OK;
    }
#endif

    salvage_report report() const
    {
        salvage_report made;
        fls_salvage_get_report(salvager_, &made);
        return made;
    }
    void close() noexcept
    {
        fls_salvage_close(salvager_);
        salvager_ = nullptr;
        fls_source_close(&source_);
    }
    explicit operator bool() const noexcept
    {
        return salvager_ != nullptr;
    }
    fls_salvager *get() const noexcept
    {
        return salvager_;
    }

  private:
    fls_status keep(fls_status status) noexcept
    {
        if (status != FLS_OK) {
            salvager_ = nullptr;
            fls_source_close(&source_);
        }
        return status;
    }

    fls_salvager *salvager_ = nullptr;
    fls_source source_ = fls_source();
};

} // namespace flatstream

#endif
