// Messages out of a journal, in C++: the owner of an fls_journal_reader.
//
//   flatstream::journal_reader in("flight42");
//   in.seek_end(100);
//   for (auto &sample : in.as<telemetry::Sample>())    // verified, aligned
//       use(sample, in.ordinal());
//
// Payloads are handed out aligned to 8 bytes unless the options say otherwise. A reader can be
// moved and not copied; one thread at a time, but for wake().
#ifndef FLATSTREAM_JOURNAL_READER_HPP
#define FLATSTREAM_JOURNAL_READER_HPP

#include "flatstream/journal_reader.h"
#include "flatstream/reader.hpp"

namespace flatstream {

namespace detail {

template <class Function> void call_event(void *self, const fls_journal_event *event) noexcept
{
    (*static_cast<Function *>(self))(*event);
}

// For seek_key: a function of the caller, and what the C interface asks of it.
template <class Function>
int call_key(void *self, const fls_message *raw, std::int64_t *key) noexcept
{
    return (*static_cast<Function *>(self))(message(*raw), *key) ? 0 : 1;
}

inline fls_journal_reader_options journal_reader_defaults() noexcept
{
    fls_journal_reader_options raw = fls_journal_reader_options();
    raw.struct_bytes = sizeof raw;
    raw.alignment = 8;
    return raw;
}

} // namespace detail

// The fields are those of fls_journal_reader_options, alignment 8.
struct journal_reader_options : detail::with_checks<fls_journal_reader_options> {
    journal_reader_options() : with_checks(detail::journal_reader_defaults())
    {
    }
    journal_reader_options(fls_journal_visibility what) : journal_reader_options()
    {
        visibility = what;
    }

    // function(const fls_journal_event &) is told what is not a message and still happened. It must
    // not throw.
    template <class Function> void on_event(Function function)
    {
        std::shared_ptr<Function> kept = std::make_shared<Function>(std::move(function));
        event = &detail::call_event<Function>;
        event_self = kept.get();
        keep_alive(std::move(kept));
    }
};

// All segments as one stream. A message is borrowed until the next one is asked for. With follow,
// where there is nothing yet is FLS_WOULD_BLOCK: for ranges and next() that is an error like any
// other, so that a follower calls try_next() and wait().
class journal_reader : public message_stream<journal_reader> {
  public:
    journal_reader() noexcept = default;
    ~journal_reader()
    {
        close();
    }
    journal_reader(journal_reader &&other) noexcept
        : message_stream<journal_reader>(other), reader_(other.reader_), fault_(other.fault_),
          own_(std::move(other.own_))
    {
        other.reader_ = nullptr;
    }
    journal_reader &operator=(journal_reader &&other) noexcept
    {
        if (this != &other) {
            close();
            message_stream<journal_reader>::operator=(other);
            reader_ = other.reader_;
            fault_ = other.fault_;
            own_ = std::move(other.own_);
            other.reader_ = nullptr;
        }
        return *this;
    }
    journal_reader(const journal_reader &) = delete;
    journal_reader &operator=(const journal_reader &) = delete;

    // Before the oldest message of a journal.
    FLS_MUST_USE fls_status try_open(
        const std::string &path, const journal_reader_options &options = journal_reader_options(),
        fls_error *err = nullptr)
    {
        close();
        fault_ = detail::no_error();
        fls_journal_reader_options raw = options.prepare(own_);
        fls_status status = fls_journal_reader_open(&reader_, path.c_str(), &raw, err);
        if (status != FLS_OK) {
            reader_ = nullptr;
        }
        return status;
    }

    // FLS_OK with a message, FLS_END at the end, with follow FLS_WOULD_BLOCK; both may be asked
    // again. Anything else is a fault.
    FLS_MUST_USE fls_status try_next(message &into, fls_error *err = nullptr)
    {
        return note(fls_journal_reader_next(reader_, &into, &fault_), err);
    }
    // The message before the place, which the reader then stands before.
    FLS_MUST_USE fls_status try_previous(message &into, fls_error *err = nullptr)
    {
        return note(fls_journal_reader_previous(reader_, &into, &fault_), err);
    }
    // Steps over damage, after that fault.
    FLS_MUST_USE fls_status try_skip(fls_error *err = nullptr)
    {
        return fls_journal_reader_skip(reader_, err);
    }
    // FLS_OK: there may be more; FLS_WOULD_BLOCK: not within that time; FLS_STOPPED: woken.
    FLS_MUST_USE fls_status try_wait(std::uint64_t timeout_ns, fls_error *err = nullptr)
    {
        return fls_journal_reader_wait(reader_, timeout_ns, err);
    }
    // Any thread.
    void wake() noexcept
    {
        fls_journal_reader_wake(reader_);
    }

    FLS_MUST_USE fls_status try_seek_ordinal(std::uint64_t ordinal, fls_error *err = nullptr)
    {
        return fls_journal_reader_seek_ordinal(reader_, ordinal, err);
    }
    FLS_MUST_USE fls_status try_seek_time(std::uint64_t time_ns, fls_error *err = nullptr)
    {
        return fls_journal_reader_seek_time(reader_, time_ns, err);
    }
    FLS_MUST_USE fls_status try_seek_end(std::uint64_t messages = 0, fls_error *err = nullptr)
    {
        return fls_journal_reader_seek_end(reader_, messages, err);
    }
    // function(const message &, std::int64_t &key) says whether a message has a key, and which: a
    // time field, say, that never falls. It must not throw.
    template <class Function>
    FLS_MUST_USE fls_status try_seek_key(Function function, std::int64_t key,
                                         fls_error *err = nullptr)
    {
        return fls_journal_reader_seek_key(reader_, &detail::call_key<Function>, &function, key,
                                           err);
    }
    FLS_MUST_USE fls_status try_bounds(std::uint64_t &first, std::uint64_t &end,
                                       fls_error *err = nullptr)
    {
        return fls_journal_reader_bounds(reader_, &first, &end, err);
    }

    // Named cursors: before the message that comes next, and back to there.
    FLS_MUST_USE fls_status try_save(const std::string &name, fls_error *err = nullptr)
    {
        return fls_journal_reader_save(reader_, name.c_str(), err);
    }
    FLS_MUST_USE fls_status try_load(const std::string &name, fls_error *err = nullptr)
    {
        return fls_journal_reader_load(reader_, name.c_str(), err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit journal_reader(const std::string &path,
                            const journal_reader_options &options = journal_reader_options())
    {
        fls_error err;
        detail::require(try_open(path, options, &err), err);
    }
    // False at the oldest.
    bool previous(message &into)
    {
        return detail::went_on(try_previous(into), fault_, nullptr);
    }
    void skip()
    {
        fls_error err;
        detail::require(try_skip(&err), err);
    }
    // True when there may be more; false when the time has passed, or it was woken.
    bool wait(std::uint64_t timeout_ns = UINT64_MAX)
    {
        fls_error err;
        fls_status status = try_wait(timeout_ns, &err);
        if (status != FLS_WOULD_BLOCK && status != FLS_STOPPED) {
            detail::require(status, err);
        }
        return status == FLS_OK;
    }
    void seek_ordinal(std::uint64_t ordinal)
    {
        fls_error err;
        detail::require(try_seek_ordinal(ordinal, &err), err);
    }
    void seek_time(std::uint64_t time_ns)
    {
        fls_error err;
        detail::require(try_seek_time(time_ns, &err), err);
    }
    void seek_end(std::uint64_t messages = 0)
    {
        fls_error err;
        detail::require(try_seek_end(messages, &err), err);
    }
    template <class Function> void seek_key(Function function, std::int64_t key)
    {
        fls_error err;
        detail::require(try_seek_key(std::move(function), key, &err), err);
    }
    void save(const std::string &name)
    {
        fls_error err;
        detail::require(try_save(name, &err), err);
    }
    // False when there is no cursor of that name: the place stays.
    bool load(const std::string &name)
    {
        fls_error err;
        fls_status status = try_load(name, &err);
        if (status != FLS_END) {
            detail::require(status, err);
        }
        return status == FLS_OK;
    }
#endif

    void close() noexcept
    {
        fls_journal_reader_close(reader_);
        reader_ = nullptr;
    }
    // What was wrong with the last message asked for.
    const fls_error &fault() const noexcept
    {
        return fault_;
    }
    // Of the message that comes next.
    std::uint64_t ordinal() const noexcept
    {
        return fls_journal_reader_ordinal(reader_);
    }
    std::uint64_t wall_ns(std::uint64_t time_ns) const noexcept
    {
        return fls_journal_reader_wall_ns(reader_, time_ns);
    }
    fls_checksum checksum() const noexcept
    {
        return fls_journal_reader_checksum(reader_);
    }
    explicit operator bool() const noexcept
    {
        return reader_ != nullptr;
    }
    fls_journal_reader *get() const noexcept
    {
        return reader_;
    }

  private:
    fls_status note(fls_status status, fls_error *err) noexcept
    {
        if (status != FLS_OK && err != nullptr) {
            *err = fault_;
        }
        return status;
    }

    fls_journal_reader *reader_ = nullptr;
    fls_error fault_ = FLS_ERROR_INIT;
    detail::attachments own_;
};

} // namespace flatstream

#endif
