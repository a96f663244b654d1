/* Stream sockets: what flatstream/socket.h declares, with the system calls to use. calls may be
 * NULL for the real ones.
 */
#ifndef FLSI_OS_SOCKET_H
#define FLSI_OS_SOCKET_H

#include "os/os_file.h"

fls_status flsi_socket_connect(const char *endpoint, uint32_t timeout_ms, int *fd,
                               const flsi_os_calls *calls, fls_error *err);
fls_status flsi_socket_listen(const char *endpoint, int *fd, const flsi_os_calls *calls,
                              fls_error *err);
fls_status flsi_socket_endpoint(int fd, char *buffer, size_t capacity, const flsi_os_calls *calls,
                                fls_error *err);
fls_status flsi_socket_accept(int listener, int *fd, char *peer, size_t peer_capacity,
                              const flsi_os_calls *calls, fls_error *err);
fls_status flsi_socket_finish(int fd, const flsi_os_calls *calls, fls_error *err);
void flsi_socket_close(int fd, const flsi_os_calls *calls);

#endif
