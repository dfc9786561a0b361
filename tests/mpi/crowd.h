/* Many at once, in an index alone: made strangers, and how much work each change was. */
#pragma once

#include "world.h"

#include <time.h>

/* An index alone, without a store: records come and go, and are shown now and then. */
struct crowd {
    struct support support;
    struct mpi *mpi;
    uint64_t worst_us, total_us, changes;
    uint32_t most_compared;
};

static inline void crowd_init(struct crowd *crowd, uint32_t block_cap)
{
    *crowd = (struct crowd){0};
    support_init(&crowd->support);
    crowd->mpi = index_new();
    crowd->mpi->block_cap = block_cap;
}

static inline void crowd_fini(struct crowd *crowd)
{
    index_free(crowd->mpi);
    support_fini(&crowd->support);
}

/* CPU time of this thread: who else uses the machine says nothing. */
static inline int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void crowd_set(struct crowd *crowd, uint32_t record, const struct mpi_row *row)
{
    struct mpi *mpi = crowd->mpi;
    struct best best;
    int64_t start = now_us();
    mpi->touched.count = mpi->changes.count = mpi->edge_changes.count = 0;
    uint32_t compared = index_set_row(mpi, record, row, &best);
    index_recluster(mpi);
    uint64_t took = (uint64_t)(now_us() - start);
    crowd->worst_us = took > crowd->worst_us ? took : crowd->worst_us;
    crowd->total_us += took;
    crowd->most_compared = compared > crowd->most_compared ? compared : crowd->most_compared;
    if (++crowd->changes % 128 == 0)
        mpi_publish(mpi);
}

static inline uint32_t crowd_add(struct crowd *crowd, const struct human *human)
{
    struct said said;
    union row_space space;
    said_fill(&said, human);
    row_make(said.identifiers, said.input.identifier_count, &said.input.demographics, NULL, 0, &space);
    row_set_rarity(crowd->mpi->model, &space.row);
    uint32_t record = draft_add_record(crowd->mpi, row_own_key(said.identifiers, said.input.identifier_count));
    crowd_set(crowd, record, &space.row);
    return record;
}

static inline void crowd_remove(struct crowd *crowd, uint32_t record)
{
    crowd_set(crowd, record, NULL);
}

/* For whoever reads the log; nothing is asserted about it. */
static inline void crowd_tell(const struct crowd *crowd, const char *what)
{
    print_message("%s: %llu changes, %llu us each, the worst %llu us; at most %u compared; %zu MiB\n", what,
                  (unsigned long long)crowd->changes, (unsigned long long)(crowd->total_us / crowd->changes),
                  (unsigned long long)crowd->worst_us, crowd->most_compared, blocks_bytes(&crowd->mpi->blocks) >> 20);
}

static inline uint32_t person_of(const struct crowd *crowd, uint32_t record)
{
    return entry_at(crowd->mpi, APPLIED, record)->person;
}

struct stranger {
    char id[16], family[16], given[16], birth[12], phone[16], ssn[12], line[32], postcode[8];
    struct human human;
};

static inline void fill_text(char *out, size_t len, const char *prefix, uint64_t random)
{
    size_t used = (size_t)snprintf(out, len, "%s", prefix);
    for (; used + 1 < len && used < 8; random /= 20)
        out[used++] = "bcdfghjklmnprstvwxz"[random % 19];
    out[used] = 0;
}

/* Somebody with nothing in common with anybody, but by chance. */
static inline void make_stranger(uint64_t *random, uint32_t number, struct stranger *out)
{
    *out = (struct stranger){0};
    snprintf(out->id, sizeof out->id, "s%u", number);
    fill_text(out->family, sizeof out->family, "Ma", hash_random(random));
    fill_text(out->given, sizeof out->given, "O", hash_random(random));
    snprintf(out->birth, sizeof out->birth, "%u%02u%02u", (unsigned)(1930 + hash_random(random) % 80),
             (unsigned)(hash_random(random) % 12 + 1), (unsigned)(hash_random(random) % 28 + 1));
    snprintf(out->phone, sizeof out->phone, "2%09u", (unsigned)(hash_random(random) % 1000000000));
    snprintf(out->ssn, sizeof out->ssn, "%09u", (unsigned)(hash_random(random) % 899999999 + 100000000));
    snprintf(out->line, sizeof out->line, "%u %s Rd", (unsigned)(hash_random(random) % 300 + 1), out->family + 2);
    snprintf(out->postcode, sizeof out->postcode, "%05u", (unsigned)(hash_random(random) % 90000 + 10000));
    out->human = (struct human){.id = out->id,
                                .family = out->family,
                                .given = out->given,
                                .birth = out->birth,
                                .phone = out->phone,
                                .ssn = out->ssn,
                                .line = out->line,
                                .postcode = out->postcode,
                                .sex = hash_random(random) & 1 ? 'F' : 'M'};
}
