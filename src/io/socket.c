/* The public face of sockets: the real system calls. */
#include "flatstream/socket.h"

#include "os/os_datagram.h"
#include "os/os_socket.h"

fls_status fls_socket_connect(const char *endpoint, uint32_t timeout_ms, int *fd, fls_error *err)
{
    return flsi_socket_connect(endpoint, timeout_ms, fd, NULL, err);
}

fls_status fls_socket_listen(const char *endpoint, int *fd, fls_error *err)
{
    return flsi_socket_listen(endpoint, fd, NULL, err);
}

fls_status fls_socket_endpoint(int fd, char *buffer, size_t capacity, fls_error *err)
{
    return flsi_socket_endpoint(fd, buffer, capacity, NULL, err);
}

fls_status fls_socket_accept(int listener, int *fd, char *peer, size_t peer_capacity,
                             fls_error *err)
{
    return flsi_socket_accept(listener, fd, peer, peer_capacity, NULL, err);
}

void fls_socket_close(int fd)
{
    flsi_socket_close(fd, NULL);
}

fls_status fls_socket_finish(int fd, fls_error *err)
{
    return flsi_socket_finish(fd, NULL, err);
}

fls_status fls_datagram_listen(const char *endpoint, int *fd, fls_error *err)
{
    return flsi_datagram_listen(endpoint, fd, NULL, err);
}

fls_status fls_datagram_connect(const char *endpoint, int *fd, fls_error *err)
{
    return flsi_datagram_connect(endpoint, fd, NULL, err);
}

fls_status fls_datagram_receive(int fd, void *buffer, size_t capacity, size_t *size,
                                uint32_t *dropped, fls_error *err)
{
    return flsi_datagram_receive(fd, buffer, capacity, size, dropped, NULL, err);
}

fls_status fls_datagram_send(int fd, const void *data, size_t size, fls_error *err)
{
    return flsi_datagram_send(fd, data, size, NULL, err);
}
