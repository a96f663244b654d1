// Messages out of a stream, in C++: the owner of an fls_reader.
//
// Payloads are handed out aligned to 8 bytes unless the options say otherwise. A reader can be
// moved and not copied; one thread at a time.
#ifndef FLATSTREAM_READER_HPP
#define FLATSTREAM_READER_HPP

#include "flatstream/message.hpp"
#include "flatstream/reader.h"
#include "flatstream/recover.hpp"

namespace flatstream {

// The fields are those of fls_reader_options, alignment 8. alignment 1 hands payloads out as they
// lie, without a copy.
struct reader_options : detail::with_checks<fls_reader_options> {
    reader_options() : with_checks(fls_reader_options FLS_READER_OPTIONS_INIT)
    {
        alignment = 8;
    }
    reader_options(fls_checksum which) : reader_options()
    {
        checksum = which;
    }
};

// What reader and view share: going through the messages. Stream has try_next and fault.
template <class Stream> class message_stream {
  public:
    // Tables of generated type T, each verified: for (auto &sample : stream.as<Sample>()). With an
    // error the range ends at a fault and leaves it there; without one it throws.
    template <class T>
    typed_range<T, Stream> try_as(fls_error &err, const verification &how = verification()) &
    {
        return typed_range<T, Stream>(self(), how, &err);
    }
    // The messages as they are.
    message_range<Stream> try_messages(fls_error &err) &
    {
        return message_range<Stream>(self(), &err);
    }

#if FLATSTREAM_EXCEPTIONS
    template <class T> typed_range<T, Stream> as(const verification &how = verification()) &
    {
        return typed_range<T, Stream>(self(), how, nullptr);
    }
    message_range<Stream> messages() &
    {
        return message_range<Stream>(self(), nullptr);
    }

    // One message: false at a clean end.
    bool next(message &into)
    {
        return detail::went_on(self().try_next(into), self().fault(), nullptr);
    }

    // The stream itself as a range of messages.
    using iterator = message_iterator<message_stream, message>;
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
        return next(message_);
    }
    const message &current() const noexcept
    {
        return message_;
    }
#endif

  protected:
    message_stream() noexcept = default;
    ~message_stream() = default;
    message_stream(const message_stream &) noexcept = default;
    message_stream &operator=(const message_stream &) noexcept = default;

  private:
    Stream &self() noexcept
    {
        return static_cast<Stream &>(*this);
    }
    message message_;
};

// Messages from a source. A message is borrowed until the next one is asked for.
class reader : public message_stream<reader> {
  public:
    reader() noexcept = default;
    ~reader()
    {
        close();
    }
    reader(reader &&other) noexcept
        : message_stream<reader>(other), reader_(other.reader_), last_(other.last_),
          fault_(other.fault_), own_(std::move(other.own_))
    {
        other.reader_ = nullptr;
    }
    reader &operator=(reader &&other) noexcept
    {
        if (this != &other) {
            close();
            message_stream<reader>::operator=(other);
            reader_ = other.reader_;
            last_ = other.last_;
            fault_ = other.fault_;
            own_ = std::move(other.own_);
            other.reader_ = nullptr;
        }
        return *this;
    }
    reader(const reader &) = delete;
    reader &operator=(const reader &) = delete;

    FLS_MUST_USE fls_status try_open(const std::string &path,
                                     const reader_options &options = reader_options(),
                                     fls_error *err = nullptr)
    {
        fls_reader_options raw = start(options);
        return keep(fls_reader_open_file(&reader_, path.c_str(), &raw, err));
    }
    // A mapped file, read where it lies; see fls_source_map_file for what it must not do.
    FLS_MUST_USE fls_status try_open_mapped(const std::string &path,
                                            const reader_options &options = reader_options(),
                                            fls_error *err = nullptr)
    {
        fls_reader_options raw = start(options);
        return keep(fls_reader_open_mapped(&reader_, path.c_str(), &raw, err));
    }
    // Bytes that outlive the reader.
    FLS_MUST_USE fls_status try_open_memory(byte_view bytes,
                                            const reader_options &options = reader_options(),
                                            fls_error *err = nullptr)
    {
        fls_reader_options raw = start(options);
        return keep(fls_reader_open_memory(&reader_, bytes.data(), bytes.size(), &raw, err));
    }
    // A descriptor: file, pipe or socket. With owned, closing the reader closes it.
    FLS_MUST_USE fls_status try_open_fd(int fd, bool owned,
                                        const reader_options &options = reader_options(),
                                        fls_error *err = nullptr)
    {
        fls_source source;
        fls_status status = fls_source_from_fd(&source, fd, owned, err);
        return status == FLS_OK ? try_open_source(source, options, err) : status;
    }
    // Any source, which is taken over also when this fails.
    FLS_MUST_USE fls_status try_open_source(fls_source source,
                                            const reader_options &options = reader_options(),
                                            fls_error *err = nullptr)
    {
        fls_reader_options raw = start(options);
        return keep(fls_reader_open(&reader_, source, &raw, err));
    }

    // FLS_OK with a message, FLS_END at a clean end, FLS_WOULD_BLOCK when there is nothing yet;
    // anything else is a fault.
    FLS_MUST_USE fls_status try_next(message &into, fls_error *err = nullptr)
    {
        last_ = fls_reader_next(reader_, &into, &fault_);
        if (err != nullptr && last_ != FLS_OK) {
            *err = fault_;
        }
        return last_;
    }
    // Steps over a message with a wrong checksum or refused by a validator, after that fault.
    FLS_MUST_USE fls_status try_skip(fls_error *err = nullptr)
    {
        return fls_reader_skip(reader_, err);
    }
    // How the stream ends, once the last message was asked for; see fls_reader_ending.
    FLS_MUST_USE fls_status try_ending(recover_report &report, fls_error *err = nullptr)
    {
        report = recover_report();
        return fls_reader_ending(reader_, last_, &fault_, &report, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit reader(const std::string &path, const reader_options &options = reader_options())
    {
        fls_error err;
        detail::require(try_open(path, options, &err), err);
    }
    static reader mapped(const std::string &path, const reader_options &options = reader_options())
    {
        reader made;
        fls_error err;
        detail::require(made.try_open_mapped(path, options, &err), err);
        return made;
    }
    static reader from_memory(byte_view bytes, const reader_options &options = reader_options())
    {
        reader made;
        fls_error err;
        detail::require(made.try_open_memory(bytes, options, &err), err);
        return made;
    }
    static reader from_fd(int fd, bool owned, const reader_options &options = reader_options())
    {
        reader made;
        fls_error err;
        detail::require(made.try_open_fd(fd, owned, options, &err), err);
        return made;
    }
    static reader from(fls_source source, const reader_options &options = reader_options())
    {
        reader made;
        fls_error err;
        detail::require(made.try_open_source(source, options, &err), err);
        return made;
    }
    void skip()
    {
        fls_error err;
        detail::require(try_skip(&err), err);
    }
    recover_report ending()
    {
        recover_report report;
        fls_error err;
        detail::require(try_ending(report, &err), err);
        return report;
    }
#endif

    void close() noexcept
    {
        fls_reader_close(reader_);
        reader_ = nullptr;
    }
    // What the last message asked for came to, and its fault.
    fls_status last() const noexcept
    {
        return last_;
    }
    const fls_error &fault() const noexcept
    {
        return fault_;
    }
    fls_checksum checksum() const noexcept
    {
        return fls_reader_checksum(reader_);
    }
    std::uint64_t ordinal() const noexcept
    {
        return fls_reader_ordinal(reader_);
    }
    std::uint64_t offset() const noexcept
    {
        return fls_reader_offset(reader_);
    }
    explicit operator bool() const noexcept
    {
        return reader_ != nullptr;
    }
    fls_reader *get() const noexcept
    {
        return reader_;
    }

  private:
    fls_reader_options start(const reader_options &options)
    {
        close();
        last_ = FLS_OK;
        fault_ = detail::no_error();
        return options.prepare(own_);
    }
    fls_status keep(fls_status status) noexcept
    {
        if (status != FLS_OK) {
            reader_ = nullptr;
        }
        return status;
    }

    fls_reader *reader_ = nullptr;
    fls_status last_ = FLS_OK;
    fls_error fault_ = FLS_ERROR_INIT;
    detail::attachments own_;
};

} // namespace flatstream

#endif
