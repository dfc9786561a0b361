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

/* Of this thread alone. Where somebody chose another policy for all of the process, that stays. */
static void take_turns(int nice, uint64_t turn_ns)
{
    struct turns turns = {.size = sizeof turns, .policy = SCHED_OTHER, .nice = nice, .runtime_ns = turn_ns};
    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)syscall(SYS_sched_setattr, 0, &turns, 0);
}

void thread_short(const char *name)
{
    pthread_setname_np(pthread_self(), name);
    take_turns(getpriority(PRIO_PROCESS, 0), SHORT_TURN_NS);
}

static _Thread_local bool is_long;

void thread_long(const char *name, int nice)
{
    enum { NICEST = 19 };
    is_long = true;
    pthread_setname_np(pthread_self(), name);
    int now = getpriority(PRIO_PROCESS, 0);
    take_turns(now + nice < NICEST ? now + nice : NICEST, 0); /* not the short ones of who began it */
}

bool thread_is_long(void)
{
    return is_long;
}
