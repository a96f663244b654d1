// Messages into a stream, in C++: the owner of an fls_writer.
//
// Options are the C struct with its defaults filled in: set fields by name. A writer can be moved
// and not copied; one thread at a time.
#ifndef FLATSTREAM_WRITER_HPP
#define FLATSTREAM_WRITER_HPP

#include "flatstream/message.hpp"
#include "flatstream/recover.hpp"
#include "flatstream/writer.h"

namespace flatstream {

// The fields are those of fls_writer_options; a checksum alone will do.
struct writer_options : detail::with_checks<fls_writer_options> {
    writer_options() : with_checks(fls_writer_options FLS_WRITER_OPTIONS_INIT)
    {
    }
    writer_options(fls_checksum which) : writer_options()
    {
        checksum = which;
    }
};

// Messages into a stream. Leaving the scope closes it like close(), but cannot report an error:
// call close() to know. A writer of atomic() leaves nothing behind unless close() was called.
class writer {
  public:
    writer() noexcept = default;
    ~writer()
    {
        finish();
    }
    writer(writer &&other) noexcept
        : writer_(other.writer_), sink_(other.sink_), publishes_(other.publishes_),
          own_(std::move(other.own_))
    {
        other.writer_ = nullptr;
    }
    writer &operator=(writer &&other) noexcept
    {
        if (this != &other) {
            finish();
            writer_ = other.writer_;
            sink_ = other.sink_;
            publishes_ = other.publishes_;
            own_ = std::move(other.own_);
            other.writer_ = nullptr;
        }
        return *this;
    }
    writer(const writer &) = delete;
    writer &operator=(const writer &) = delete;

    // A new file, or an existing one emptied.
    FLS_MUST_USE fls_status try_open(const std::string &path,
                                     const writer_options &options = writer_options(),
                                     fls_error *err = nullptr)
    {
        fls_writer_options raw = start(options);
        return keep(fls_writer_open_file(&writer_, path.c_str(), &raw, err));
    }

    // Behind the last sound message of a file, after recovery; see fls_writer_open_append.
    FLS_MUST_USE fls_status try_open_append(const std::string &path,
                                            const writer_options &options = writer_options(),
                                            fls_recover_report *report = nullptr,
                                            fls_error *err = nullptr)
    {
        fls_writer_options raw = start(options);
        return keep(fls_writer_open_append(&writer_, path.c_str(), &raw, report, err));
    }

    // A file that appears whole when close() is called, and not at all otherwise.
    FLS_MUST_USE fls_status try_open_atomic(const std::string &path,
                                            const writer_options &options = writer_options(),
                                            bool durable = true, fls_error *err = nullptr)
    {
        fls_sink sink;
        fls_status status = fls_sink_open_file_atomic(&sink, path.c_str(), durable, err);
        if (status == FLS_OK) {
            status = try_open_sink(sink, options, err);
            publishes_ = status == FLS_OK;
        }
        return status;
    }

    // Memory of the writer's own: see memory().
    FLS_MUST_USE fls_status try_open_memory(const writer_options &options = writer_options(),
                                            fls_error *err = nullptr)
    {
        fls_sink sink;
        fls_status status = fls_sink_open_memory(&sink, options.allocator, err);
        return status == FLS_OK ? try_open_sink(sink, options, err) : status;
    }

    // A descriptor: file, pipe or socket. With owned, closing the writer closes it.
    FLS_MUST_USE fls_status try_open_fd(int fd, bool owned,
                                        const writer_options &options = writer_options(),
                                        fls_error *err = nullptr)
    {
        fls_sink sink;
        fls_status status = fls_sink_from_fd(&sink, fd, owned, err);
        return status == FLS_OK ? try_open_sink(sink, options, err) : status;
    }

    // Any sink, which is taken over also when this fails.
    FLS_MUST_USE fls_status try_open_sink(fls_sink sink,
                                          const writer_options &options = writer_options(),
                                          fls_error *err = nullptr)
    {
        fls_writer_options raw = start(options);
        fls_status status = keep(fls_writer_open(&writer_, sink, &raw, err));
        sink_ = sink;
        return status;
    }

    FLS_MUST_USE fls_status try_write(const void *payload, std::size_t size,
                                      fls_error *err = nullptr)
    {
        return fls_writer_write(writer_, payload, size, err);
    }
    // A finished FlatBufferBuilder, a DetachedBuffer, or bytes in any container.
    template <class Built, class = decltype(detail::bytes_of(std::declval<const Built &>(), 0))>
    FLS_MUST_USE fls_status try_write(const Built &built, fls_error *err = nullptr)
    {
        byte_view bytes = detail::bytes_of(built, 0);
        return fls_writer_write(writer_, bytes.data(), bytes.size(), err);
    }
    FLS_MUST_USE fls_status try_write_root(fls_ref root, fls_error *err = nullptr)
    {
        return fls_writer_write_root(writer_, root, err);
    }
    FLS_MUST_USE fls_status try_writev(const fls_span *spans, std::size_t count,
                                       fls_error *err = nullptr)
    {
        return fls_writer_writev(writer_, spans, count, err);
    }
    FLS_MUST_USE fls_status try_flush(fls_error *err = nullptr)
    {
        return fls_writer_flush(writer_, err);
    }
    FLS_MUST_USE fls_status try_sync(fls_error *err = nullptr)
    {
        return fls_writer_sync(writer_, err);
    }
    FLS_MUST_USE fls_status try_close(fls_error *err = nullptr)
    {
        fls_status status = fls_writer_close(writer_, err);
        if (status != FLS_WOULD_BLOCK) {
            writer_ = nullptr;
        }
        return status;
    }

#if FLATSTREAM_EXCEPTIONS
    explicit writer(const std::string &path, const writer_options &options = writer_options())
    {
        fls_error err;
        detail::require(try_open(path, options, &err), err);
    }
    static writer append(const std::string &path, const writer_options &options = writer_options(),
                         fls_recover_report *report = nullptr)
    {
        writer made;
        fls_error err;
        detail::require(made.try_open_append(path, options, report, &err), err);
        return made;
    }
    static writer atomic(const std::string &path, const writer_options &options = writer_options(),
                         bool durable = true)
    {
        writer made;
        fls_error err;
        detail::require(made.try_open_atomic(path, options, durable, &err), err);
        return made;
    }
    static writer to_memory(const writer_options &options = writer_options())
    {
        writer made;
        fls_error err;
        detail::require(made.try_open_memory(options, &err), err);
        return made;
    }
    static writer to_fd(int fd, bool owned, const writer_options &options = writer_options())
    {
        writer made;
        fls_error err;
        detail::require(made.try_open_fd(fd, owned, options, &err), err);
        return made;
    }
    static writer to(fls_sink sink, const writer_options &options = writer_options())
    {
        writer made;
        fls_error err;
        detail::require(made.try_open_sink(sink, options, &err), err);
        return made;
    }

    void write(const void *payload, std::size_t size)
    {
        // The error is not cleared before each message: it is read only after a failure sets it.
        fls_error err;
        detail::require(fls_writer_write(writer_, payload, size, &err), err);
    }
    template <class Built> void write(const Built &built)
    {
        byte_view bytes = detail::bytes_of(built, 0);
        write(bytes.data(), bytes.size());
    }
    void write_root(fls_ref root)
    {
        fls_error err;
        detail::require(try_write_root(root, &err), err);
    }
    void writev(const fls_span *spans, std::size_t count)
    {
        fls_error err;
        detail::require(try_writev(spans, count, &err), err);
    }
    void flush()
    {
        fls_error err;
        detail::require(try_flush(&err), err);
    }
    void sync()
    {
        fls_error err;
        detail::require(try_sync(&err), err);
    }
    void close()
    {
        fls_error err;
        detail::require(try_close(&err), err);
    }
    // What a writer of to_memory holds, borrowed until its next call.
    byte_view memory()
    {
        flush();
        byte_view bytes = try_memory();
        return bytes;
    }
#endif

    // The same as far as it was flushed; empty for other writers.
    byte_view try_memory() const noexcept
    {
        const void *data = nullptr;
        std::size_t size = 0;
        if (writer_ == nullptr || sink_.ops == nullptr ||
            fls_sink_memory(&sink_, &data, &size) != FLS_OK) {
            size = 0;
        }
        return byte_view(data, size);
    }

    // Frees the writer without flushing: a file of atomic() does not appear.
    void abort() noexcept
    {
        if (writer_ != nullptr) {
            fls_writer_abort(writer_);
            writer_ = nullptr;
        }
    }

    // The library's own builder, for messages without generated code; null when memory ran out.
    fls_builder *builder() noexcept
    {
        return fls_writer_builder(writer_);
    }
    std::uint64_t messages() const noexcept
    {
        return fls_writer_messages(writer_);
    }
    std::uint64_t offset() const noexcept
    {
        return fls_writer_offset(writer_);
    }
    explicit operator bool() const noexcept
    {
        return writer_ != nullptr;
    }
    fls_writer *get() const noexcept
    {
        return writer_;
    }

  private:
    fls_writer_options start(const writer_options &options)
    {
        finish();
        sink_ = fls_sink{nullptr, nullptr};
        publishes_ = false;
        return options.prepare(own_);
    }
    fls_status keep(fls_status status) noexcept
    {
        if (status != FLS_OK) {
            writer_ = nullptr;
        }
        return status;
    }
    void finish() noexcept
    {
        if (writer_ != nullptr && !publishes_ &&
            fls_writer_close(writer_, nullptr) != FLS_WOULD_BLOCK) {
            writer_ = nullptr;
        }
        abort();
    }

    fls_writer *writer_ = nullptr;
    fls_sink sink_ = {nullptr, nullptr}; // to ask for its memory; the writer owns it
    bool publishes_ = false;             // close makes a file appear
    detail::attachments own_;
};

} // namespace flatstream

#endif
