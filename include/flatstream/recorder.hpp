// Recorders in C++: between loops that may not block and a journal.
//
//   flatstream::journal log("flight42");
//   flatstream::recorder rec(log);
//   flatstream::producer out = rec.attach();           // on each thread
//   out.offer(builder);                                // in the hot loop
//   out.detach();
//   rec.close();                                       // reports what the drain met
//
// A recorder frees its producers when it is closed: they have to be gone, or detached, before. Both
// can be moved and not copied.
#ifndef FLATSTREAM_RECORDER_HPP
#define FLATSTREAM_RECORDER_HPP

#include "flatstream/journal.hpp"
#include "flatstream/recorder.h"

namespace flatstream {

// The fields are those of fls_recorder_options.
struct recorder_options : fls_recorder_options {
    recorder_options() noexcept : fls_recorder_options()
    {
        struct_bytes = sizeof(fls_recorder_options);
    }
};

// The fields are those of fls_producer_options; a policy alone will do.
struct producer_options : fls_producer_options {
    producer_options() noexcept : fls_producer_options()
    {
        struct_bytes = sizeof(fls_producer_options);
    }
    producer_options(fls_recorder_policy when_full) noexcept : producer_options()
    {
        policy = when_full;
    }
};

struct producer_figures : fls_producer_figures {
    producer_figures() noexcept : fls_producer_figures()
    {
        struct_bytes = sizeof(fls_producer_figures);
    }
};

// The hot loop's side, for one thread at a time. Leaving the scope detaches it.
class producer {
  public:
    producer() noexcept = default;
    ~producer()
    {
        detach();
    }
    producer(producer &&other) noexcept : producer_(other.producer_)
    {
        other.producer_ = nullptr;
    }
    producer &operator=(producer &&other) noexcept
    {
        if (this != &other) {
            detach();
            producer_ = other.producer_;
            other.producer_ = nullptr;
        }
        return *this;
    }
    producer(const producer &) = delete;
    producer &operator=(const producer &) = delete;

    // FLS_OK also for a message that a policy dropped; FLS_WOULD_BLOCK under FLS_RECORDER_FAIL. It
    // throws nothing, in any build.
    FLS_MUST_USE fls_status try_offer(const void *payload, std::size_t size) noexcept
    {
        return fls_producer_offer(producer_, payload, size);
    }
    template <class Built, class = decltype(detail::bytes_of(std::declval<const Built &>(), 0))>
    FLS_MUST_USE fls_status try_offer(const Built &built) noexcept
    {
        byte_view bytes = detail::bytes_of(built, 0);
        return fls_producer_offer(producer_, bytes.data(), bytes.size());
    }
    // Room in the ring to build in, 8-byte aligned, or null; then publish() what of it is used.
    void *claim(std::size_t size) noexcept
    {
        return fls_producer_claim(producer_, size);
    }
    void publish(std::size_t size) noexcept
    {
        fls_producer_publish(producer_, size);
    }

#if FLATSTREAM_EXCEPTIONS
    // False when the ring is full under FLS_RECORDER_FAIL.
    bool offer(const void *payload, std::size_t size)
    {
        return took(try_offer(payload, size));
    }
    template <class Built, class = decltype(detail::bytes_of(std::declval<const Built &>(), 0))>
    bool offer(const Built &built)
    {
        return took(try_offer(built));
    }
#endif

    void detach() noexcept
    {
        fls_producer_detach(producer_);
        producer_ = nullptr;
    }
    // How many of its messages are durable. Any thread.
    std::uint64_t durable() const noexcept
    {
        return fls_producer_durable(producer_);
    }
    producer_figures figures() const noexcept
    {
        producer_figures now;
        fls_producer_get_figures(producer_, &now);
        return now;
    }
    explicit operator bool() const noexcept
    {
        return producer_ != nullptr;
    }
    fls_producer *get() const noexcept
    {
        return producer_;
    }

  private:
    friend class recorder;

#if FLATSTREAM_EXCEPTIONS
    static bool took(fls_status status)
    {
        if (status != FLS_OK && status != FLS_WOULD_BLOCK) {
            fls_error err;
            detail::require(detail::refuse(&err, status, "the message could not be offered"), err);
        }
        return status == FLS_OK;
    }
#endif

    fls_producer *producer_ = nullptr;
};

// The rings and the thread that drains them into a journal, which has to outlive it. Leaving the
// scope drains everything like close(), but cannot report an error: call close() to know.
class recorder {
  public:
    recorder() noexcept = default;
    ~recorder()
    {
        finish();
    }
    recorder(recorder &&other) noexcept : recorder_(other.recorder_)
    {
        other.recorder_ = nullptr;
    }
    recorder &operator=(recorder &&other) noexcept
    {
        if (this != &other) {
            finish();
            recorder_ = other.recorder_;
            other.recorder_ = nullptr;
        }
        return *this;
    }
    recorder(const recorder &) = delete;
    recorder &operator=(const recorder &) = delete;

    FLS_MUST_USE fls_status try_open(journal &into,
                                     const recorder_options &options = recorder_options(),
                                     fls_error *err = nullptr)
    {
        finish();
        fls_status status = fls_recorder_open(&recorder_, into.get(), &options, err);
        if (status != FLS_OK) {
            recorder_ = nullptr;
        }
        return status;
    }
    // Any thread.
    FLS_MUST_USE fls_status try_attach(producer &made,
                                       const producer_options &options = producer_options(),
                                       fls_error *err = nullptr)
    {
        made.detach();
        return fls_recorder_attach(recorder_, &options, &made.producer_, err);
    }
    // Waits until everything that was published before is durable. Any thread.
    FLS_MUST_USE fls_status try_drain(fls_error *err = nullptr)
    {
        return fls_recorder_drain(recorder_, err);
    }
    // Snapshot mode: writes what is kept.
    FLS_MUST_USE fls_status try_trigger(std::uint64_t *messages = nullptr, fls_error *err = nullptr)
    {
        return fls_recorder_trigger(recorder_, messages, err);
    }
    FLS_MUST_USE fls_status try_close(fls_error *err = nullptr)
    {
        fls_recorder *closing = recorder_;
        recorder_ = nullptr;
        return fls_recorder_close(closing, err);
    }

#if FLATSTREAM_EXCEPTIONS
    explicit recorder(journal &into, const recorder_options &options = recorder_options())
    {
        fls_error err;
        detail::require(try_open(into, options, &err), err);
    }
    producer attach(const producer_options &options = producer_options())
    {
        producer made;
        fls_error err;
        detail::require(try_attach(made, options, &err), err);
        return made;
    }
    void drain()
    {
        fls_error err;
        detail::require(try_drain(&err), err);
    }
    // How many messages were written.
    std::uint64_t trigger()
    {
        fls_error err;
        std::uint64_t messages = 0;
        detail::require(try_trigger(&messages, &err), err);
        return messages;
    }
    void close()
    {
        fls_error err;
        detail::require(try_close(&err), err);
    }
#endif

    // Sums over all producers, those that have gone too.
    producer_figures figures() const noexcept
    {
        producer_figures sum;
        fls_recorder_get_figures(recorder_, &sum);
        return sum;
    }
    explicit operator bool() const noexcept
    {
        return recorder_ != nullptr;
    }
    fls_recorder *get() const noexcept
    {
        return recorder_;
    }

  private:
    void finish() noexcept
    {
        if (recorder_ != nullptr) {
            fls_status ignored = fls_recorder_close(recorder_, nullptr);
            static_cast<void>(ignored);
            recorder_ = nullptr;
        }
    }

    fls_recorder *recorder_ = nullptr;
};

} // namespace flatstream

#endif
