/* The names of stream sockets as text: "tcp://host:port", "tcp://[::1]:port", "unix:path". */
#ifndef FLSI_OS_ENDPOINT_H
#define FLSI_OS_ENDPOINT_H

#include <sys/socket.h>
#include <sys/un.h>

#include "flatstream/status.h"

#define FLSI_HOST_BYTES 256 /* a host name has at most 253 characters */
#define FLSI_PORT_BYTES 6

typedef struct flsi_endpoint {
    int is_unix;
    char host[FLSI_HOST_BYTES]; /* without brackets; empty: every address */
    char port[FLSI_PORT_BYTES]; /* decimal, 0 to 65535 */
    struct sockaddr_un address; /* of a Unix socket */
} flsi_endpoint;

/* FLS_INVALID_ARGUMENT with what is wrong. */
fls_status flsi_endpoint_parse(flsi_endpoint *endpoint, const char *text, fls_error *err);

/* "udp://host:port". */
fls_status flsi_endpoint_parse_datagram(flsi_endpoint *endpoint, const char *text, fls_error *err);

/* Writes an address in the form above; a Unix socket without a name is "unix:".
 * FLS_INVALID_ARGUMENT when it does not fit, FLS_UNSUPPORTED for another family. */
fls_status flsi_endpoint_format(const struct sockaddr_storage *address, socklen_t address_bytes,
                                char *buffer, size_t capacity, fls_error *err);

#endif
