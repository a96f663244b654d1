/* UDP sockets, a message a datagram: what flatstream/socket.h declares of them, with the system
 * calls to use. calls may be NULL for the real ones.
 */
#ifndef FLSI_OS_DATAGRAM_H
#define FLSI_OS_DATAGRAM_H

#include "os/os_file.h"

fls_status flsi_datagram_listen(const char *endpoint, int *fd, const flsi_os_calls *calls,
                                fls_error *err);
fls_status flsi_datagram_connect(const char *endpoint, int *fd, const flsi_os_calls *calls,
                                 fls_error *err);
fls_status flsi_datagram_receive(int fd, void *buffer, size_t capacity, size_t *size,
                                 uint32_t *dropped, const flsi_os_calls *calls, fls_error *err);
fls_status flsi_datagram_send(int fd, const void *data, size_t size, const flsi_os_calls *calls,
                              fls_error *err);

#endif
