#include "resolver.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the loop and the thread; the last of the two frees it. */
struct resolver {
    atomic_int holders;
    int done_fd; /* an eventfd of its own: nothing is posted to a loop that may be gone */
    struct net_address address;
    struct net_endpoint endpoints[RESOLVER_ENDPOINTS_MAX];
    size_t count;
    struct loop_watch *watch; /* from here on: the loop's only */
    resolver_done_fn *done;
    void *arg;
};

static void release(struct resolver *resolver)
{
    if (atomic_fetch_sub(&resolver->holders, 1) != 1)
        return;
    close(resolver->done_fd);
    mem_free(resolver);
}

static void *look_up(void *arg)
{
    struct resolver *resolver = arg;
    struct arena arena;
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    size_t count = 0;
    if (net_resolve(&cx, &resolver->address, resolver->endpoints, RESOLVER_ENDPOINTS_MAX, &count) == STATUS_OK)
        resolver->count = count;
    arena_fini(&arena);
    uint64_t one = 1;
    ssize_t put = write(resolver->done_fd, &one, sizeof one); /* cannot be full: written once */
    (void)put;
    release(resolver);
    return NULL;
}

static void looked_up(void *arg, uint32_t events)
{
    (void)events;
    struct resolver *resolver = arg;
    uint64_t one;
    ssize_t got = read(resolver->done_fd, &one, sizeof one); /* orders the thread's writes before ours */
    (void)got;
    loop_watch_remove(resolver->watch);
    resolver->done(resolver->arg, resolver->endpoints, resolver->count);
    release(resolver);
}

struct resolver *resolver_start(struct loop *loop, const struct net_address *address, resolver_done_fn *done, void *arg)
{
    struct resolver *resolver = mem_alloc(sizeof *resolver);
    resolver->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolver->done_fd < 0) {
        mem_free(resolver);
        return NULL;
    }
    resolver->address = *address;
    resolver->done = done;
    resolver->arg = arg;
    atomic_store(&resolver->holders, 2);
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, look_up, resolver);
    pthread_attr_destroy(&attributes);
    if (failed) {
        close(resolver->done_fd);
        mem_free(resolver);
        return NULL;
    }
    resolver->watch = loop_watch_add(loop, resolver->done_fd, EPOLLIN, looked_up, resolver);
    return resolver;
}

void resolver_abandon(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    loop_watch_remove(resolver->watch);
    release(resolver);
}
