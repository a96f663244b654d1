// The index of a stream, in C++: making one, and where in the stream a reader can begin.
//
// An index can be moved and not copied; one thread at a time. What it says is only used after
// prove(): see index.h and docs/INDEX.md.
#ifndef FLATSTREAM_INDEX_HPP
#define FLATSTREAM_INDEX_HPP

#include "flatstream/error.hpp"
#include "flatstream/index.h"

namespace flatstream {

// The fields are those of fls_index_options.
struct index_options : fls_index_options {
    index_options() : fls_index_options(fls_index_options FLS_INDEX_OPTIONS_INIT)
    {
    }
    index_options(fls_checksum which) : index_options()
    {
        checksum = which;
    }
};

struct index_info : fls_index_info {
    index_info() : fls_index_info()
    {
        struct_bytes = sizeof(fls_index_info);
    }
};

// Writes the index of a file; index_path empty: the path with ".fli" behind it. It appears whole or
// not at all. info.fault says where the stream is damaged: the index covers what is before.
FLS_MUST_USE inline fls_status try_build_index(const std::string &path, index_info &info,
                                               const index_options &options = index_options(),
                                               const std::string &index_path = std::string(),
                                               fls_error *err = nullptr)
{
    info = index_info();
    return fls_index_build_file(path.c_str(), index_path.empty() ? nullptr : index_path.c_str(),
                                &options, &info, err);
}

#if FLATSTREAM_EXCEPTIONS
inline index_info build_index(const std::string &path,
                              const index_options &options = index_options(),
                              const std::string &index_path = std::string())
{
    index_info info;
    fls_error err;
    detail::require(try_build_index(path, info, options, index_path, &err), err);
    return info;
}
#endif

// An index and its stream.
class stream_index {
  public:
    stream_index() noexcept = default;
    ~stream_index()
    {
        close();
    }
    stream_index(stream_index &&other) noexcept : index_(other.index_), stream_(other.stream_)
    {
        other.index_ = nullptr;
        other.stream_ = fls_source();
    }
    stream_index &operator=(stream_index &&other) noexcept
    {
        if (this != &other) {
            close();
            index_ = other.index_;
            stream_ = other.stream_;
            other.index_ = nullptr;
            other.stream_ = fls_source();
        }
        return *this;
    }
    stream_index(const stream_index &) = delete;
    stream_index &operator=(const stream_index &) = delete;

    // Of a stream in a file, and held against it; index_path empty: the path with ".fli" behind it.
    // Statuses are those of fls_index_open, and FLS_IO where one of the files is not there.
    FLS_MUST_USE fls_status try_open(const std::string &path,
                                     const std::string &index_path = std::string(),
                                     fls_error *err = nullptr)
    {
        const std::string beside = index_path.empty() ? path + ".fli" : index_path;
        fls_source source = fls_source();
        close();
        fls_status status = fls_source_open_file(&stream_, path.c_str(), err);
        if (status == FLS_OK) {
            status = fls_source_open_file(&source, beside.c_str(), err);
        }
        if (status == FLS_OK) {
            status = fls_index_open(&index_, &source, &stream_, nullptr, err);
            fls_source_close(&source);
        }
        if (status != FLS_OK) {
            close();
        }
        return status;
    }

    // Reads the stream from a position of this index to the next one. FLS_OK: a reader can begin
    // there. Else one has to begin at the start.
    FLS_MUST_USE fls_status try_prove(const fls_reader_position &position,
                                      std::uint32_t max_frame_bytes = 0, fls_error *err = nullptr)
    {
        return fls_index_prove(index_, &stream_, &position, max_frame_bytes, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit stream_index(const std::string &path, const std::string &index_path = std::string())
    {
        fls_error err;
        detail::require(try_open(path, index_path, &err), err);
    }
    // Whether a reader can begin there; false where the stream is not what the index says, or is
    // damaged.
    bool prove(const fls_reader_position &position, std::uint32_t max_frame_bytes = 0)
    {
        fls_error err;
        fls_status status = try_prove(position, max_frame_bytes, &err);
        if (fls_status_class_of(status) != FLS_CLASS_DAMAGE) {
            detail::require(status, err);
        }
        return status == FLS_OK;
    }
#endif

    index_info info() const
    {
        index_info made;
        fls_index_get_info(index_, &made);
        return made;
    }
    // What the times are.
    const char *label() const noexcept
    {
        return fls_index_label(index_);
    }
    // The last place that is known at or before a message, for reader_options::position.
    fls_reader_position find_ordinal(std::uint64_t ordinal) const noexcept
    {
        fls_reader_position position;
        fls_index_find_ordinal(index_, ordinal, &position);
        return position;
    }
    // A place before which all messages have an earlier time, or none.
    fls_reader_position find_time(std::uint64_t time_ns) const noexcept
    {
        fls_reader_position position;
        fls_index_find_time(index_, time_ns, &position);
        return position;
    }
    // Lent until the index is closed: for fls_salvage_options and fls_parallel_options.
    fls_salvage_anchors anchors() const noexcept
    {
        fls_salvage_anchors made;
        fls_index_anchors(index_, &made);
        return made;
    }
    void close() noexcept
    {
        fls_index_close(index_);
        index_ = nullptr;
        fls_source_close(&stream_);
    }
    explicit operator bool() const noexcept
    {
        return index_ != nullptr;
    }
    fls_index *get() const noexcept
    {
        return index_;
    }

  private:
    fls_index *index_ = nullptr;
    fls_source stream_ = fls_source();
};

} // namespace flatstream

#endif
