#include "base/bounds.h"

#define BOUND_NAME(name) [BOUND_##name] = #name,
static const char *const names[BOUND_COUNT] = {BOUNDS(BOUND_NAME)};

static uint64_t times[BOUND_COUNT]; /* atomic */

bool bound_met(enum bound bound)
{
    __atomic_fetch_add(&times[bound], 1, __ATOMIC_RELAXED);
    return true;
}

const char *bound_name(enum bound bound)
{
    return names[bound];
}

uint64_t bound_times(enum bound bound)
{
    return __atomic_load_n(&times[bound], __ATOMIC_RELAXED);
}
