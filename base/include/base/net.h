/*
 * TCP addresses and sockets, the few calls that sources, connectors and clients share. All sockets are non-blocking,
 * close-on-exec and without Nagle's delay.
 *
 * Errors: base.net with what failed, the address (configuration, not patient data) and the errno text.
 */
#pragma once

#include "base/ctx.h"

enum { NET_HOST_BYTES = 256, NET_PEER_BYTES = 64 };

struct net_address {
    char host[NET_HOST_BYTES]; /* without brackets; NUL-ended */
    uint16_t port;
    bool numeric;  /* an IPv4 or IPv6 literal: no name resolution is needed */
    bool loopback; /* 127.0.0.0/8, ::1 or "localhost" */
};

/* "127.0.0.1:2575", "[::1]:2575", "host.example:2575". False, and *out untouched, for anything else. */
bool net_address_read(struct str text, struct net_address *out_address);

struct net_endpoint {            /* a resolved address, ready for connect(2) and bind(2) */
    _Alignas(8) char bytes[128]; /* a struct sockaddr_storage */
    uint32_t len;
};

/* BLOCKS for names (getaddrinfo): never on a loop's thread unless address->numeric. At most `max` answers. */
status net_resolve(struct ctx *cx, const struct net_address *address, struct net_endpoint *out_endpoints, size_t max,
                   size_t *out_count);

/* Bound and listening; port 0 = any free one, *out_port says which. */
status net_listen(struct ctx *cx, const struct net_address *address, int *out_fd, uint16_t *out_port);

/* Begins to connect. The fd, or -1 with errno. Wait for EPOLLOUT, then net_connect_result(): 0 or an errno. */
int net_connect_begin(const struct net_endpoint *endpoint);
int net_connect_result(int fd);

/* The next waiting connection, or -1 with errno; out_peer is "127.0.0.1:41234" or "[::1]:41234". */
int net_accept(int listen_fd, char out_peer[NET_PEER_BYTES]);

extern const struct reason net_reason; /* "base.net", UNAVAILABLE */
