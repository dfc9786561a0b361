/*
 * struct loop: one thread that waits on file descriptors, timers and posts from other threads (epoll, eventfd).
 *
 * Threads: loop_post() and loop_stop() from any thread; everything else only on the loop's own thread (or before it
 * runs).
 */
#pragma once

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fn(void *arg);
typedef void loop_ready_fn(void *arg, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */

struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_stop() */
void loop_stop(struct loop *loop);

/* Level-triggered unless EPOLLET is given. One watch per descriptor. */
struct loop_watch *loop_watch_add(struct loop *loop, int fd, uint32_t events, loop_ready_fn *ready, void *arg);
void loop_watch_change(struct loop_watch *watch, uint32_t events);
void loop_watch_remove(struct loop_watch *watch); /* safe inside any callback; does not close the fd; NULL is fine */

/*
 * One-shot timer, of about a millisecond's grain. loop_timer_stop() does nothing when it fired or was stopped before
 * (until loop_free()), so a stale pointer is harmless. The pointer is a handle of the loop's own: never look into it.
 */
struct loop_timer *loop_timer_start(struct loop *loop, int64_t after_us, loop_fn *fired, void *arg);
void loop_timer_stop(struct loop_timer *timer); /* NULL is fine */

/*
 * Run fn(arg) on the loop's thread, in post order, never from inside this call. Wakes the loop at most once per batch.
 * What was posted before loop_stop() is still run before loop_run() returns; later posts wait for the next loop_run()
 * or are dropped.
 */
void loop_post(struct loop *loop, loop_fn *fn, void *arg);
