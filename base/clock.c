#include "base/clock.h"

#include "base/date.h"

#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

struct wall {
    struct date date;
    unsigned hour, minute, second, micro;
};

static struct wall split(int64_t us)
{
    int64_t day = us / 86400000000;
    int64_t rest = us % 86400000000;
    if (rest < 0) {
        rest += 86400000000;
        day--;
    }
    unsigned seconds = (unsigned)(rest / 1000000);
    return (struct wall){
        .date = date_from_days((int32_t)day),
        .hour = seconds / 3600 % 24,
        .minute = seconds / 60 % 60,
        .second = seconds % 60,
        .micro = (unsigned)(rest % 1000000),
    };
}

void clock_format(int64_t us, char out[28])
{
    struct wall w = split(us);
    snprintf(out, 28, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", w.date.year % 10000u, w.date.month % 100u,
             w.date.day % 100u, w.hour, w.minute, w.second, w.micro % 1000000u);
}

void clock_format_hl7(int64_t us, char out[32])
{
    struct wall w = split(us);
    snprintf(out, 32, "%04u%02u%02u%02u%02u%02u.%03u+0000", w.date.year % 10000u, w.date.month % 100u,
             w.date.day % 100u, w.hour, w.minute, w.second, w.micro / 1000u % 1000u);
}
