// Journals in C++: the owner of an fls_journal, for writing.
//
// Options are the C struct with its size filled in: set fields by name. A journal can be moved and
// not copied; any thread may append.
#ifndef FLATSTREAM_JOURNAL_HPP
#define FLATSTREAM_JOURNAL_HPP

#include "flatstream/journal.h"
#include "flatstream/message.hpp"

namespace flatstream {

// The fields are those of fls_journal_options.
struct journal_options : fls_journal_options {
    journal_options() noexcept : fls_journal_options()
    {
        struct_bytes = sizeof(fls_journal_options);
    }
    journal_options(fls_journal_sync when) noexcept : journal_options()
    {
        sync = when;
    }
};

// What opening found and did.
struct journal_report : fls_journal_report {
    journal_report() noexcept : fls_journal_report()
    {
        struct_bytes = sizeof(fls_journal_report);
    }
};

struct journal_figures : fls_journal_figures {
    journal_figures() noexcept : fls_journal_figures()
    {
        struct_bytes = sizeof(fls_journal_figures);
    }
};

// Messages into a journal. Leaving the scope makes everything durable like close(), but cannot
// report an error: call close() to know.
class journal {
  public:
    journal() noexcept = default;
    ~journal()
    {
        finish();
    }
    journal(journal &&other) noexcept : journal_(other.journal_)
    {
        other.journal_ = nullptr;
    }
    journal &operator=(journal &&other) noexcept
    {
        if (this != &other) {
            finish();
            journal_ = other.journal_;
            other.journal_ = nullptr;
        }
        return *this;
    }
    journal(const journal &) = delete;
    journal &operator=(const journal &) = delete;

    // A directory, made if it is not there; recovered if its last writer did not end well.
    FLS_MUST_USE fls_status try_open(const std::string &path,
                                     const journal_options &options = journal_options(),
                                     journal_report *report = nullptr, fls_error *err = nullptr)
    {
        finish();
        fls_status status = fls_journal_open(&journal_, path.c_str(), &options, report, err);
        if (status != FLS_OK) {
            journal_ = nullptr;
        }
        return status;
    }

    FLS_MUST_USE fls_status try_append(const void *payload, std::size_t size,
                                       std::uint64_t *ordinal = nullptr, fls_error *err = nullptr)
    {
        return fls_journal_append(journal_, payload, size, ordinal, err);
    }
    // A finished FlatBufferBuilder, a DetachedBuffer, or bytes in any container.
    template <class Built, class = decltype(detail::bytes_of(std::declval<const Built &>(), 0))>
    FLS_MUST_USE fls_status try_append(const Built &built, std::uint64_t *ordinal = nullptr,
                                       fls_error *err = nullptr)
    {
        byte_view bytes = detail::bytes_of(built, 0);
        return fls_journal_append(journal_, bytes.data(), bytes.size(), ordinal, err);
    }
    // Many at once: the fast road. *taken says how many were taken, also on a failure.
    FLS_MUST_USE fls_status try_append_batch(const fls_journal_entry *entries, std::size_t count,
                                             std::uint64_t *first_ordinal = nullptr,
                                             std::size_t *taken = nullptr, fls_error *err = nullptr)
    {
        return fls_journal_append_batch(journal_, entries, count, first_ordinal, taken, err);
    }
    FLS_MUST_USE fls_status try_record_gap(const fls_journal_gap &gap, fls_error *err = nullptr)
    {
        return fls_journal_record_gap(journal_, &gap, err);
    }
    FLS_MUST_USE fls_status try_set_types(const fls_journal_type *types, std::size_t count,
                                          fls_error *err = nullptr)
    {
        return fls_journal_set_types(journal_, types, count, err);
    }
    FLS_MUST_USE fls_status try_flush(fls_error *err = nullptr)
    {
        return fls_journal_flush(journal_, err);
    }
    FLS_MUST_USE fls_status try_wait_durable(std::uint64_t ordinal, fls_error *err = nullptr)
    {
        return fls_journal_wait_durable(journal_, ordinal, err);
    }
    FLS_MUST_USE fls_status try_sync(fls_error *err = nullptr)
    {
        return fls_journal_sync_now(journal_, err);
    }
    // For options.polled: does what is due; *wait_ns says when something will be.
    FLS_MUST_USE fls_status try_poll(std::uint64_t *wait_ns = nullptr, fls_error *err = nullptr)
    {
        return fls_journal_poll(journal_, wait_ns, err);
    }
    FLS_MUST_USE fls_status try_rotate(fls_error *err = nullptr)
    {
        return fls_journal_rotate(journal_, err);
    }
    FLS_MUST_USE fls_status try_close(fls_error *err = nullptr)
    {
        fls_journal *closing = journal_;
        journal_ = nullptr;
        return fls_journal_close(closing, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit journal(const std::string &path, const journal_options &options = journal_options(),
                     journal_report *report = nullptr)
    {
        fls_error err;
        detail::require(try_open(path, options, report, &err), err);
    }
    // The ordinal that the message got.
    std::uint64_t append(const void *payload, std::size_t size)
    {
        // The error is not cleared before each message: it is read only after a failure sets it.
        fls_error err;
        std::uint64_t ordinal = 0;
        detail::require(fls_journal_append(journal_, payload, size, &ordinal, &err), err);
        return ordinal;
    }
    template <class Built, class = decltype(detail::bytes_of(std::declval<const Built &>(), 0))>
    std::uint64_t append(const Built &built)
    {
        byte_view bytes = detail::bytes_of(built, 0);
        return append(bytes.data(), bytes.size());
    }
    // The ordinal of the first one.
    std::uint64_t append_batch(const fls_journal_entry *entries, std::size_t count,
                               std::size_t *taken = nullptr)
    {
        fls_error err;
        std::uint64_t first = 0;
        detail::require(try_append_batch(entries, count, &first, taken, &err), err);
        return first;
    }
    void record_gap(const fls_journal_gap &gap)
    {
        fls_error err;
        detail::require(try_record_gap(gap, &err), err);
    }
    void set_types(const fls_journal_type *types, std::size_t count)
    {
        fls_error err;
        detail::require(try_set_types(types, count, &err), err);
    }
    void flush()
    {
        fls_error err;
        detail::require(try_flush(&err), err);
    }
    void wait_durable(std::uint64_t ordinal)
    {
        fls_error err;
        detail::require(try_wait_durable(ordinal, &err), err);
    }
    void sync()
    {
        fls_error err;
        detail::require(try_sync(&err), err);
    }
    // In how many nanoseconds something is due.
    std::uint64_t poll()
    {
        fls_error err;
        std::uint64_t wait_ns = 0;
        detail::require(try_poll(&wait_ns, &err), err);
        return wait_ns;
    }
    void rotate()
    {
        fls_error err;
        detail::require(try_rotate(&err), err);
    }
    void close()
    {
        fls_error err;
        detail::require(try_close(&err), err);
    }
#endif

    // As if the process had died: what is in memory is lost.
    void abandon() noexcept
    {
        if (journal_ != nullptr) {
            fls_journal_abandon(journal_);
            journal_ = nullptr;
        }
    }

    std::uint64_t next_ordinal() const noexcept
    {
        return fls_journal_next_ordinal(journal_);
    }
    std::uint64_t durable() const noexcept
    {
        return fls_journal_durable(journal_);
    }
    std::uint64_t written() const noexcept
    {
        return fls_journal_written(journal_);
    }
    std::uint64_t now() const noexcept
    {
        return fls_journal_now(journal_);
    }
    journal_figures figures() const noexcept
    {
        journal_figures now;
        fls_journal_get_figures(journal_, &now);
        return now;
    }
    explicit operator bool() const noexcept
    {
        return journal_ != nullptr;
    }
    fls_journal *get() const noexcept
    {
        return journal_;
    }

  private:
    void finish() noexcept
    {
        if (journal_ != nullptr) {
            fls_status ignored = fls_journal_close(journal_, nullptr);
            static_cast<void>(ignored);
            journal_ = nullptr;
        }
    }

    fls_journal *journal_ = nullptr;
};

} // namespace flatstream

#endif
