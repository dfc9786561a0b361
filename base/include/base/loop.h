/*
 * struct loop: one thread that waits on file descriptors, timers and posts from other threads (epoll, eventfd).
 *
 * Threads: loop_post() and loop_stop() from any thread; everything else only on the loop's own thread (or before it runs).
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
void loop_run(struct loop *loop);  /* until loop_stop() */
void loop_stop(struct loop *loop);

struct loop_watch *loop_watch_add(struct loop *loop, int fd, uint32_t events, loop_ready_fn *ready, void *arg);
void loop_watch_change(struct loop_watch *watch, uint32_t events);
void loop_watch_remove(struct loop_watch *watch); /* safe inside its own callback; does not close the fd */

/* One-shot timer; loop_timer_stop() also after it fired. Timers are embedded in nothing: the loop owns them until they fire or stop. */
struct loop_timer *loop_timer_start(struct loop *loop, int64_t after_us, loop_fn *fired, void *arg);
void loop_timer_stop(struct loop_timer *timer); /* NULL is fine */

/* Run fn(arg) on the loop's thread, in post order. Wakes the loop at most once per batch. */
void loop_post(struct loop *loop, loop_fn *fn, void *arg);
