/* Stream sockets by name: "tcp://host:port", "tcp://[::1]:port", "unix:path". What comes back is an
 * ordinary descriptor for fls_sink_from_fd and fls_source_from_fd.
 */
#ifndef FLATSTREAM_SOCKET_H
#define FLATSTREAM_SOCKET_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* Connects, and where nobody listens yet tries again until timeout_ms have passed (0: one try).
 * Blocking descriptor, close-on-exec, without Nagle's delay on TCP. FLS_INVALID_ARGUMENT for a
 * malformed endpoint. */
FLS_API FLS_MUST_USE fls_status fls_socket_connect(const char *endpoint, uint32_t timeout_ms,
                                                   int *fd, fls_error *err);

/* Listens. tcp port 0 takes a free port; an empty host ("tcp://:9000") means all addresses. A stale
 * Unix socket file that nobody listens on is replaced; a live one is FLS_LOCKED. */
FLS_API FLS_MUST_USE fls_status fls_socket_listen(const char *endpoint, int *fd, fls_error *err);

/* The endpoint that a listening descriptor is bound to, in the form above, such as
 * "tcp://127.0.0.1:41234". */
FLS_API FLS_MUST_USE fls_status fls_socket_endpoint(int fd, char *buffer, size_t capacity,
                                                    fls_error *err);

/* Waits for one peer. peer (may be NULL) receives its address as text. */
FLS_API FLS_MUST_USE fls_status fls_socket_accept(int listener, int *fd, char *peer,
                                                  size_t peer_capacity, fls_error *err);

/* Closes a descriptor of this header; a listening Unix socket's file is removed. */
FLS_API void fls_socket_close(int fd);

/* Says that no more will be written, and waits until the peer has read all and closed its side, so
 * that a successful end means that the bytes were taken by the peer's process. FLS_CLOSED or FLS_IO
 * when the connection broke before. */
FLS_API FLS_MUST_USE fls_status fls_socket_finish(int fd, fls_error *err);

/* ---- datagrams: "udp://host:port", a message each ---- */

#define FLS_DATAGRAM_BYTES 65535u /* no datagram is larger */

/* Takes what is sent to the endpoint; port and host as for fls_socket_listen. Close with
 * fls_socket_close. */
FLS_API FLS_MUST_USE fls_status fls_datagram_listen(const char *endpoint, int *fd, fls_error *err);

/* For sending to the endpoint. That nobody listens there is not found out by this. */
FLS_API FLS_MUST_USE fls_status fls_datagram_connect(const char *endpoint, int *fd, fls_error *err);

/* One datagram, without waiting: FLS_WOULD_BLOCK when there is none now. *dropped is set to how
 * many datagrams the system has dropped on this descriptor, because nobody took them in time, where
 * the system tells (Linux; modulo 2^32); else it is left as it is. FLS_INVALID_FRAME: it was larger
 * than capacity, and is lost; FLS_DATAGRAM_BYTES are always enough. */
FLS_API FLS_MUST_USE fls_status fls_datagram_receive(int fd, void *buffer, size_t capacity,
                                                     size_t *size, uint32_t *dropped,
                                                     fls_error *err);
/* Sends one. Success says nothing of its arrival. */
FLS_API FLS_MUST_USE fls_status fls_datagram_send(int fd, const void *data, size_t size,
                                                  fls_error *err);

FLS_END_DECLS

#endif
