/* How long commits took, by powers of two. */
#include "store_internal.h"

#include "base/log.h"

static uint64_t load(const uint64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

/* One writer: nobody else adds. */
static void set(uint64_t *number, uint64_t value)
{
    __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static size_t bucket_of(uint64_t us)
{
    size_t bucket = us == 0 ? 0 : 64 - (size_t)__builtin_clzll(us);
    return bucket < DATA_STATS_BUCKETS ? bucket : DATA_STATS_BUCKETS - 1;
}

static void note(uint64_t *buckets, uint64_t *max_us, uint64_t us)
{
    uint64_t *bucket = &buckets[bucket_of(us)];
    set(bucket, load(bucket) + 1);
    if (us > load(max_us))
        set(max_us, us);
}

void store_stats_note(struct data_store *store, int64_t waited_us, int64_t held_us)
{
    struct data_stats *stats = &store->stats;
    note(stats->waited, &stats->waited_max_us, waited_us > 0 ? (uint64_t)waited_us : 0);
    note(stats->held, &stats->held_max_us, held_us > 0 ? (uint64_t)held_us : 0);
}

void store_stats_wait(struct data_store *store, enum data_wait wait, int64_t us)
{
    struct data_stats *stats = &store->stats;
    uint64_t waited_us = us > 0 ? (uint64_t)us : 0;
    set(&stats->waits_us[wait], load(&stats->waits_us[wait]) + waited_us);
    if (waited_us > load(&stats->waits_max_us[wait]))
        set(&stats->waits_max_us[wait], waited_us);
}

const char *data_wait_name(enum data_wait wait)
{
    static const char *const names[DATA_WAIT_COUNT] = {"log", "checkpoint", "readers"};
    return names[wait];
}

void store_stats_commit(struct data_store *store)
{
    set(&store->stats.commits, load(&store->stats.commits) + 1);
}

void data_stats(struct data_store *store, struct data_stats *out_stats)
{
    const struct data_stats *stats = &store->stats;
    out_stats->commits = load(&stats->commits);
    out_stats->held_max_us = load(&stats->held_max_us);
    out_stats->waited_max_us = load(&stats->waited_max_us);
    for (size_t i = 0; i < DATA_WAIT_COUNT; i++) {
        out_stats->waits_us[i] = load(&stats->waits_us[i]);
        out_stats->waits_max_us[i] = load(&stats->waits_max_us[i]);
    }
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++) {
        out_stats->held[i] = load(&stats->held[i]);
        out_stats->waited[i] = load(&stats->waited[i]);
    }
}

uint64_t data_stats_us(const uint64_t buckets[DATA_STATS_BUCKETS], unsigned per_mille)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++)
        all += buckets[i];
    for (size_t i = 0; i < DATA_STATS_BUCKETS && all > 0; i++) {
        seen += buckets[i];
        if (seen * 1000 >= all * per_mille)
            return (uint64_t)1 << i;
    }
    return 0;
}

void store_stats_log(struct data_store *store)
{
    struct data_stats stats;
    data_stats(store, &stats);
    if (stats.commits > 0)
        log_event(LOG_INFO, "store.commits", LOG_NUM("count", stats.commits),
                  LOG_NUM("held_p99_us", data_stats_us(stats.held, 990)), LOG_NUM("held_max_us", stats.held_max_us),
                  LOG_NUM("waited_p99_us", data_stats_us(stats.waited, 990)),
                  LOG_NUM("waited_max_us", stats.waited_max_us));
}
