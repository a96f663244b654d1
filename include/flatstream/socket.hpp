// Sockets by name, in C++; see socket.h for the endpoints.
#ifndef FLATSTREAM_SOCKET_HPP
#define FLATSTREAM_SOCKET_HPP

#include "flatstream/error.hpp"
#include "flatstream/socket.h"

namespace flatstream {

// A connected socket, or one that listens. Leaving the scope closes it. For a writer or reader:
// to_fd(socket.get(), false) and from_fd(socket.get(), false) leave it to its owner.
class socket {
  public:
    socket() noexcept = default;
    ~socket()
    {
        close();
    }
    socket(socket &&other) noexcept : fd_(other.release())
    {
    }
    socket &operator=(socket &&other) noexcept
    {
        if (this != &other) {
            close();
            fd_ = other.release();
        }
        return *this;
    }
    socket(const socket &) = delete;
    socket &operator=(const socket &) = delete;

    FLS_MUST_USE fls_status try_connect(const std::string &endpoint, std::uint32_t timeout_ms,
                                        fls_error *err = nullptr)
    {
        close();
        return keep(fls_socket_connect(endpoint.c_str(), timeout_ms, &fd_, err));
    }
    FLS_MUST_USE fls_status try_listen(const std::string &endpoint, fls_error *err = nullptr)
    {
        close();
        return keep(fls_socket_listen(endpoint.c_str(), &fd_, err));
    }
    // Waits for one peer of a listening socket.
    FLS_MUST_USE fls_status try_accept(socket &peer, fls_error *err = nullptr) const
    {
        peer.close();
        return peer.keep(fls_socket_accept(fd_, &peer.fd_, nullptr, 0, err));
    }
    // Says that no more will be written, and waits until the peer has read all.
    FLS_MUST_USE fls_status try_finish(fls_error *err = nullptr) const
    {
        return fls_socket_finish(fd_, err);
    }
    // Where a listening socket is bound, such as "tcp://127.0.0.1:41234"; empty when unknown.
    std::string endpoint() const
    {
        char text[256];
        return fls_socket_endpoint(fd_, text, sizeof text, nullptr) == FLS_OK ? text : "";
    }

#if FLATSTREAM_EXCEPTIONS
    static socket connect(const std::string &endpoint, std::uint32_t timeout_ms = 0)
    {
        socket made;
        fls_error err;
        detail::require(made.try_connect(endpoint, timeout_ms, &err), err);
        return made;
    }
    static socket listen(const std::string &endpoint)
    {
        socket made;
        fls_error err;
        detail::require(made.try_listen(endpoint, &err), err);
        return made;
    }
    socket accept() const
    {
        socket peer;
        fls_error err;
        detail::require(try_accept(peer, &err), err);
        return peer;
    }
    void finish() const
    {
        fls_error err;
        detail::require(try_finish(&err), err);
    }
#endif

    void close() noexcept
    {
        if (fd_ >= 0) {
            fls_socket_close(release());
        }
    }
    int get() const noexcept
    {
        return fd_;
    }
    int release() noexcept
    {
        int fd = fd_;
        fd_ = -1;
        return fd;
    }
    explicit operator bool() const noexcept
    {
        return fd_ >= 0;
    }

  private:
    fls_status keep(fls_status status) noexcept
    {
        if (status != FLS_OK) {
            fd_ = -1;
        }
        return status;
    }

    int fd_ = -1;
};

} // namespace flatstream

#endif
