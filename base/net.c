#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

const struct reason net_reason = {"base.net", STATUS_UNAVAILABLE, 207, "the network refused"};

_Static_assert(sizeof(struct sockaddr_storage) <= sizeof((struct net_endpoint){0}.bytes),
               "an endpoint holds any address");

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

static bool read_host(struct str host, bool bracketed, struct net_address *address)
{
    if (host.len == 0 || host.len >= NET_HOST_BYTES)
        return false;
    memcpy(address->host, host.data, host.len);
    address->host[host.len] = 0;
    struct in6_addr v6;
    if (bracketed) {
        if (inet_pton(AF_INET6, address->host, &v6) != 1)
            return false;
        address->numeric = true;
        address->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
        return true;
    }
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_byte(host.data[i]))
            return false;
    struct in_addr v4;
    address->numeric = inet_pton(AF_INET, address->host, &v4) == 1;
    address->loopback = address->numeric ? ntohl(v4.s_addr) >> 24 == 127 : str_is(host, "localhost");
    return true;
}

bool net_address_read(struct str text, struct net_address *out_address)
{
    bool bracketed = text.len > 0 && text.data[0] == '[';
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct str host = str_sub(text, 0, colon - 1);
    struct str digits = str_from_at(text, colon);
    uint64_t port;
    if (digits.len > 5 || !str_to_u64(digits, &port) || port > 65535)
        return false;
    if (bracketed) {
        if (host.len < 3 || host.data[host.len - 1] != ']')
            return false;
        host = str_sub(host, 1, host.len - 2);
    }
    struct net_address address = {.port = (uint16_t)port};
    if (!read_host(host, bracketed, &address))
        return false;
    *out_address = address;
    return true;
}

status net_resolve(struct ctx *cx, const struct net_address *address, struct net_endpoint *out_endpoints, size_t max,
                   size_t *out_count)
{
    char port[8];
    snprintf(port, sizeof port, "%u", address->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | (address->numeric ? AI_NUMERICHOST : 0)};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(address->host, port, &hints, &found);
    if (failed != 0)
        return ctx_fail(cx, &net_reason, "resolve %s: %s", address->host, gai_strerror(failed));
    size_t count = 0;
    for (struct addrinfo *one = found; one && count < max; one = one->ai_next) {
        memcpy(out_endpoints[count].bytes, one->ai_addr, one->ai_addrlen);
        out_endpoints[count++].len = one->ai_addrlen;
    }
    freeaddrinfo(found);
    *out_count = count;
    return STATUS_OK;
}

static uint16_t port_of(const struct sockaddr_storage *at)
{
    return ntohs(at->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)at)->sin6_port
                                           : ((const struct sockaddr_in *)(const void *)at)->sin_port);
}

static int stream_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

status net_listen(struct ctx *cx, const struct net_address *address, int *out_fd, uint16_t *out_port)
{
    struct net_endpoint endpoint;
    size_t count;
    TRY(net_resolve(cx, address, &endpoint, 1, &count));
    if (count == 0)
        return ctx_fail(cx, &net_reason, "resolve %s: no address", address->host);
    const struct sockaddr *at = (const struct sockaddr *)endpoint.bytes;
    int fd = stream_socket(at->sa_family);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_storage bound = {0};
    socklen_t bound_len = sizeof bound;
    if (fd < 0 || bind(fd, at, endpoint.len) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &bound_len) != 0) {
        status failed =
            ctx_fail(cx, &net_reason, "listen on %s port %u: %s", address->host, address->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return failed;
    }
    *out_fd = fd;
    *out_port = port_of(&bound);
    return STATUS_OK;
}

int net_connect_begin(const struct net_endpoint *endpoint)
{
    const struct sockaddr *at = (const struct sockaddr *)endpoint->bytes;
    int fd = stream_socket(at->sa_family);
    if (fd < 0)
        return -1;
    if (connect(fd, at, endpoint->len) == 0 || errno == EINPROGRESS || errno == EINTR)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int net_connect_result(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

int net_accept(int listen_fd, char out_peer[NET_PEER_BYTES])
{
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = from.ss_family == AF_INET6;
    const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)&from)->sin6_addr
                           : (const void *)&((const struct sockaddr_in *)(const void *)&from)->sin_addr;
    inet_ntop(from.ss_family, bytes, host, sizeof host);
    snprintf(out_peer, NET_PEER_BYTES, v6 ? "[%s]:%u" : "%s:%u", host, port_of(&from));
    return fd;
}
