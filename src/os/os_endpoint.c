/* Endpoints to and from text; see os_endpoint.h. */
#include "os/os_endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "os/os_error.h"

static fls_status malformed(fls_error *err, const char *text, const char *what)
{
    return flsi_os_error_as(err, FLS_INVALID_ARGUMENT, 0, text, what);
}

static int parse_port(flsi_endpoint *endpoint, const char *digits)
{
    unsigned long port = 0;
    if (*digits == '\0')
        return -1;
    for (const char *at = digits; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        port = port * 10 + (unsigned long)(*at - '0');
        if (port > 65535)
            return -1;
    }
    (void)snprintf(endpoint->port, sizeof endpoint->port, "%lu", port);
    return 0;
}

/* rest is what follows "tcp://" or "udp://". An address of IPv6 has colons of its own, so it needs
 * brackets. */
static fls_status parse_host(flsi_endpoint *endpoint, const char *text, const char *rest,
                             fls_error *err)
{
    const char *colon = strrchr(rest, ':');
    if (colon == NULL)
        return malformed(err, text, "no port in the endpoint, as in tcp://host:9000");
    size_t bytes = (size_t)(colon - rest);
    if (parse_port(endpoint, colon + 1) != 0)
        return malformed(err, text, "the endpoint's port is no number up to 65535");
    if (bytes >= 2 && rest[0] == '[' && rest[bytes - 1] == ']') {
        rest++;
        bytes -= 2;
        if (bytes == 0)
            return malformed(err, text, "no address between the brackets");
    } else if (memchr(rest, ':', bytes) != NULL || memchr(rest, '[', bytes) != NULL) {
        return malformed(err, text, "an IPv6 address stands in brackets, as in tcp://[::1]:9000");
    }
    if (bytes >= sizeof endpoint->host)
        return malformed(err, text, "the endpoint's host name is too long");
    memcpy(endpoint->host, rest, bytes);
    endpoint->host[bytes] = '\0';
    return FLS_OK;
}

static fls_status parse_unix(flsi_endpoint *endpoint, const char *text, const char *path,
                             fls_error *err)
{
    size_t bytes = strlen(path);
    if (bytes == 0)
        return malformed(err, text, "no path in the endpoint, as in unix:/run/telemetry.sock");
    if (bytes >= sizeof endpoint->address.sun_path)
        return malformed(err, text, "the socket's path is longer than the system allows");
    endpoint->is_unix = 1;
    endpoint->address.sun_family = AF_UNIX;
    memcpy(endpoint->address.sun_path, path, bytes + 1);
    return FLS_OK;
}

fls_status flsi_endpoint_parse(flsi_endpoint *endpoint, const char *text, fls_error *err)
{
    memset(endpoint, 0, sizeof *endpoint);
    if (strncmp(text, "tcp://", 6) == 0)
        return parse_host(endpoint, text, text + 6, err);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(endpoint, text, text + 5, err);
    return malformed(err, text, "an endpoint is tcp://host:port or unix:path");
}

fls_status flsi_endpoint_parse_datagram(flsi_endpoint *endpoint, const char *text, fls_error *err)
{
    memset(endpoint, 0, sizeof *endpoint);
    if (strncmp(text, "udp://", 6) == 0)
        return parse_host(endpoint, text, text + 6, err);
    return malformed(err, text, "an endpoint for datagrams is udp://host:port");
}

/* Returns the length of the whole text, or -1 for a family that we do not know. */
static int format_address(const struct sockaddr_storage *address, socklen_t address_bytes,
                          char *buffer, size_t capacity)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        (void)inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        return snprintf(buffer, capacity, "tcp://%s:%u", host, (unsigned)ntohs(v4.sin_port));
    }
    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        return snprintf(buffer, capacity, "tcp://[%s]:%u", host, (unsigned)ntohs(v6.sin6_port));
    }
    if (address->ss_family == AF_UNIX) {
        struct sockaddr_un local;
        memcpy(&local, address, sizeof local);
        size_t front = offsetof(struct sockaddr_un, sun_path);
        size_t bytes = (size_t)address_bytes > front ? (size_t)address_bytes - front : 0;
        if (bytes > sizeof local.sun_path)
            bytes = sizeof local.sun_path;
        return snprintf(buffer, capacity, "unix:%.*s", (int)bytes, local.sun_path);
    }
    return -1;
}

fls_status flsi_endpoint_format(const struct sockaddr_storage *address, socklen_t address_bytes,
                                char *buffer, size_t capacity, fls_error *err)
{
    int length = format_address(address, address_bytes, buffer, capacity);
    if (length >= 0 && (size_t)length < capacity)
        return FLS_OK;
    if (capacity != 0)
        buffer[0] = '\0';
    if (length < 0)
        return flsi_os_error_as(err, FLS_UNSUPPORTED, EAFNOSUPPORT, NULL,
                                "neither a TCP nor a Unix socket");
    return flsi_os_error_as(err, FLS_INVALID_ARGUMENT, 0, NULL,
                            "the endpoint's text does not fit into the buffer");
}
