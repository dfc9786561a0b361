/*
 * Name resolution off the loop's thread: getaddrinfo(3) may block for many seconds.
 * Threads: the loop's.
 */
#pragma once

#include "base/loop.h"
#include "base/net.h"

enum { RESOLVER_ENDPOINTS_MAX = 8 };

struct resolver;

/* `count` 0: the name is not known (now). */
typedef void resolver_done_fn(void *arg, const struct net_endpoint *endpoints, size_t count);

/* `done` is called once, later, from the loop; after that the resolver is gone. NULL: no descriptor or thread to be
 * had. */
struct resolver *resolver_start(struct loop *loop, const struct net_address *address, resolver_done_fn *done,
                                void *arg);
/* No more `done`. Does not wait: the thread ends by itself. NULL is fine. */
void resolver_abandon(struct resolver *resolver);
