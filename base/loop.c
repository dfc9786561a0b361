#include "base/loop.h"
#include "base/invariant.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, TIMERS_PER_CHUNK = 64 };

struct loop_watch {
    struct loop *loop;
    int fd;
    uint32_t events;
    loop_ready_fn *ready; /* NULL once removed */
    void *arg;
    struct loop_watch *next_dead;
};

/*
 * One timer slot. Slots are never given back before loop_free(), and a handle carries the slot's generation in the bits
 * that an aligned user-space address leaves free, so stopping a timer that fired long ago cannot hit the slot's next
 * user.
 */
struct slot {
    _Alignas(64) struct loop *loop;
    int64_t due_us;
    uint64_t order; /* equal times fire in the order they were started */
    loop_fn *fired;
    void *arg;
    size_t heap_at;
    uint32_t generation;
    bool armed;
    struct slot *next_free;
};

enum { HANDLE_LOW_BITS = 6, HANDLE_ADDRESS_BITS = 48, HANDLE_GENERATIONS = 1 << 22 };

struct post {
    loop_fn *fn;
    void *arg;
};
struct posts {
    struct post *at;
    size_t count, cap;
};

struct loop {
    int epoll_fd, wake_fd;
    struct loop_watch *dead; /* removed in this turn: events of theirs may still be in hand */

    VEC(struct slot *) heap;
    VEC(struct slot *) chunks;
    struct slot *free_first, *free_last;
    uint64_t timers_started;

    pthread_mutex_t posts_lock;
    struct posts posted; /* under posts_lock */
    bool wake_sent;      /* under posts_lock */
    struct posts running;
    atomic_bool stopping;
};

struct loop *loop_new(void)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}; /* NULL marks the wake-up */
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
        mem_panic("loop_new", "no file descriptors left");
    pthread_mutex_init(&loop->posts_lock, NULL);
    return loop;
}

static void bury_dead(struct loop *loop)
{
    while (loop->dead) {
        struct loop_watch *next = loop->dead->next_dead;
        mem_free(loop->dead);
        loop->dead = next;
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    bury_dead(loop);
    for (size_t i = 0; i < loop->chunks.count; i++)
        mem_free(loop->chunks.at[i]);
    VEC_FINI(&loop->chunks);
    VEC_FINI(&loop->heap);
    VEC_FINI(&loop->posted);
    VEC_FINI(&loop->running);
    pthread_mutex_destroy(&loop->posts_lock);
    close(loop->wake_fd);
    close(loop->epoll_fd);
    mem_free(loop);
}

/* ---- posts ---- */

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t put = write(loop->wake_fd, &one, sizeof one); /* EAGAIN: it is awake already */
    (void)put;
}

void loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
    pthread_mutex_lock(&loop->posts_lock);
    *VEC_ADD(&loop->posted) = (struct post){fn, arg};
    bool sleeping = !loop->wake_sent;
    loop->wake_sent = true;
    pthread_mutex_unlock(&loop->posts_lock);
    if (sleeping)
        wake(loop);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake(loop);
}

static void run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->posts_lock);
    struct posts taken = loop->posted;
    loop->posted = loop->running; /* empty: only its memory is of use */
    loop->running = (struct posts){0};
    loop->wake_sent = false;
    pthread_mutex_unlock(&loop->posts_lock);
    for (size_t i = 0; i < taken.count; i++)
        taken.at[i].fn(taken.at[i].arg);
    taken.count = 0;
    loop->running = taken;
}

/* ---- watches ---- */

struct loop_watch *loop_watch_add(struct loop *loop, int fd, uint32_t events, loop_ready_fn *ready, void *arg)
{
    struct loop_watch *watch = mem_alloc(sizeof *watch);
    *watch = (struct loop_watch){.loop = loop, .fd = fd, .events = events, .ready = ready, .arg = arg};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        mem_panic("loop_watch_add", "the descriptor cannot be watched"); /* closed, or watched already: our own fault */
    return watch;
}

void loop_watch_change(struct loop_watch *watch, uint32_t events)
{
    INVARIANT(watch->ready);
    if (watch->events == events)
        return;
    watch->events = events;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
        mem_panic("loop_watch_change", "the descriptor is not watched");
}

void loop_watch_remove(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    INVARIANT(watch->ready);
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->ready = NULL;
    watch->next_dead = watch->loop->dead;
    watch->loop->dead = watch;
}

/* ---- timers: a binary heap of slots ---- */

static bool is_before(const struct slot *left, const struct slot *right)
{
    return left->due_us < right->due_us || (left->due_us == right->due_us && left->order < right->order);
}

static void heap_put(struct loop *loop, size_t at, struct slot *slot)
{
    loop->heap.at[at] = slot;
    slot->heap_at = at;
}

static void heap_up(struct loop *loop, size_t at)
{
    struct slot *slot = loop->heap.at[at];
    for (; at > 0 && is_before(slot, loop->heap.at[(at - 1) / 2]); at = (at - 1) / 2)
        heap_put(loop, at, loop->heap.at[(at - 1) / 2]);
    heap_put(loop, at, slot);
}

static void heap_down(struct loop *loop, size_t at)
{
    struct slot *slot = loop->heap.at[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= loop->heap.count)
            break;
        if (child + 1 < loop->heap.count && is_before(loop->heap.at[child + 1], loop->heap.at[child]))
            child++;
        if (!is_before(loop->heap.at[child], slot))
            break;
        heap_put(loop, at, loop->heap.at[child]);
        at = child;
    }
    heap_put(loop, at, slot);
}

static void heap_remove(struct loop *loop, size_t at)
{
    struct slot *last = loop->heap.at[--loop->heap.count];
    if (at == loop->heap.count)
        return;
    heap_put(loop, at, last);
    heap_up(loop, at);
    heap_down(loop, last->heap_at);
}

static void slot_give_back(struct loop *loop, struct slot *slot)
{
    slot->armed = false;
    slot->generation = (slot->generation + 1) % HANDLE_GENERATIONS;
    slot->next_free = NULL;
    if (loop->free_last)
        loop->free_last->next_free = slot;
    else
        loop->free_first = slot;
    loop->free_last = slot; /* first in, first out: a generation lasts long */
}

static struct slot *slot_take(struct loop *loop)
{
    if (loop->free_first == NULL) {
        struct slot *chunk = NULL;
        if (posix_memalign((void **)&chunk, _Alignof(struct slot), TIMERS_PER_CHUNK * sizeof *chunk) != 0)
            mem_panic("loop_timer_start", "out of memory");
        memset(chunk, 0, TIMERS_PER_CHUNK * sizeof *chunk);
        *VEC_ADD(&loop->chunks) = chunk;
        for (size_t i = 0; i < TIMERS_PER_CHUNK; i++)
            slot_give_back(loop, &chunk[i]);
    }
    struct slot *slot = loop->free_first;
    loop->free_first = slot->next_free;
    if (loop->free_first == NULL)
        loop->free_last = NULL;
    return slot;
}

static struct loop_timer *handle_of(const struct slot *slot)
{
    uintptr_t high = slot->generation >> HANDLE_LOW_BITS;
    uintptr_t low = slot->generation & ((1u << HANDLE_LOW_BITS) - 1);
    return (struct loop_timer *)((uintptr_t)slot | high << HANDLE_ADDRESS_BITS | low);
}

struct loop_timer *loop_timer_start(struct loop *loop, int64_t after_us, loop_fn *fired, void *arg)
{
    struct slot *slot = slot_take(loop);
    slot->loop = loop;
    slot->due_us = clock_mono_us() + (after_us > 0 ? after_us : 0);
    slot->order = loop->timers_started++;
    slot->fired = fired;
    slot->arg = arg;
    slot->armed = true;
    *VEC_ADD(&loop->heap) = slot;
    heap_up(loop, loop->heap.count - 1);
    return handle_of(slot);
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    uintptr_t address = (uintptr_t)timer & (((uintptr_t)1 << HANDLE_ADDRESS_BITS) - 1) & ~(uintptr_t)63;
    struct slot *slot = (struct slot *)address; /* slots live as long as the loop */
    if (!slot->armed || handle_of(slot) != timer)
        return; /* fired or stopped already */
    heap_remove(slot->loop, slot->heap_at);
    slot_give_back(slot->loop, slot);
}

static void run_timers(struct loop *loop)
{
    if (loop->heap.count == 0)
        return;
    int64_t now_us = clock_mono_us();
    uint64_t newest = loop->timers_started; /* one started by a callback waits for the next turn: no starving */
    while (loop->heap.count > 0 && loop->heap.at[0]->due_us <= now_us && loop->heap.at[0]->order < newest) {
        struct slot *slot = loop->heap.at[0];
        loop_fn *fired = slot->fired;
        void *arg = slot->arg;
        heap_remove(loop, 0);
        slot_give_back(loop, slot);
        fired(arg);
    }
}

static int wait_ms(const struct loop *loop)
{
    if (loop->heap.count == 0)
        return -1;
    int64_t left_us = loop->heap.at[0]->due_us - clock_mono_us();
    if (left_us <= 0)
        return 0;
    int64_t ms = (left_us + 999) / 1000;
    return ms > 60000 ? 60000 : (int)ms;
}

/* ---- the turn ---- */

static void run_events(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = events[i].data.ptr;
        if (watch == NULL) {
            uint64_t wakes;
            ssize_t got = read(loop->wake_fd, &wakes, sizeof wakes);
            (void)got;
            continue;
        }
        if (watch->ready)
            watch->ready(watch->arg, events[i].events);
    }
    bury_dead(loop);
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_PER_TURN];
    while (!atomic_load(&loop->stopping)) {
        int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            mem_panic("loop_run", "epoll_wait failed");
        run_events(loop, events, count);
        run_timers(loop);
        run_posts(loop);
        bury_dead(loop);
    }
    run_posts(loop); /* what was posted before the stop is not lost */
    bury_dead(loop);
    atomic_store(&loop->stopping, false);
}
