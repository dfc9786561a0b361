/* What the journal tests share: a scratch folder, opening, appending, made-up bodies that can be told by their number.
 */
#pragma once

#include "base/file.h"
#include "base/hash.h"
#include "data/journal.h"
#include "journal_internal.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

struct world {
    struct support support;
    const char *dir;
};

static inline int setup(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    support_init(&world->support);
    world->dir = support_make_dir(&world->support);
    *state = world;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *world = *state;
    support_remove_dir(world->dir);
    support_fini(&world->support);
    mem_free(world);
    return 0;
}

static inline struct journal *open_journal(struct world *world, struct journal_options options)
{
    options.dir = world->dir;
    struct journal *journal = NULL;
    assert_ok(&world->support, journal_open(&world->support.cx, &options, &journal));
    return journal;
}

static inline uint64_t add(struct world *world, struct journal *journal, struct str body)
{
    uint64_t seq = 0;
    assert_ok(&world->support, journal_append_wait(journal, &world->support.cx, 7, STR("lab"), body, &seq));
    return seq;
}

/* A body that depends on its number only, 0..bytes_max long. */
static inline struct str body_of(struct arena *arena, uint64_t number, size_t bytes_max)
{
    uint64_t random = number * 77 + 5;
    size_t len = bytes_max ? hash_random(&random) % (bytes_max + 1) : 0;
    char *bytes = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)hash_random(&random);
    return str_make(bytes, len);
}

static inline void nap_us(int64_t us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

/* A new seed for each run, printed, or the one to repeat: IDEM_SEED=…. */
static inline uint64_t pick_seed(void)
{
    const char *given = getenv("IDEM_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    printf("IDEM_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    return seed;
}
