#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SHORT_TURN_NS = 100 * 1000 }; /* the shortest there is */

/* The kernel's struct sched_attr as far as it goes back; the C library has none yet. */
struct turns {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns; /* runtime: of SCHED_OTHER, how long a turn is; 0 = as usual */
};

void thread_short(const char *name)
{
    pthread_setname_np(pthread_self(), name);
    struct turns turns = {.size = sizeof turns,
                          .policy = SCHED_OTHER,
                          .nice = getpriority(PRIO_PROCESS, 0), /* stays */
                          .runtime_ns = SHORT_TURN_NS};
    if (sched_getscheduler(0) == SCHED_OTHER) /* else somebody chose otherwise for all of the process */
        (void)syscall(SYS_sched_setattr, 0, &turns, 0);
}

static _Thread_local bool is_long;

void thread_long(const char *name, int nice)
{
    is_long = true;
    pthread_setname_np(pthread_self(), name);
    int now = getpriority(PRIO_PROCESS, 0); /* of this thread */
    (void)setpriority(PRIO_PROCESS, 0, now + nice < 19 ? now + nice : 19);
}

bool thread_is_long(void)
{
    return is_long;
}
