/*
 * Prints mpi_bench() and what the store adds: bench_mpi_print PEOPLE
 * Or how long the start takes over a daemon's data directory that nobody has open: bench_mpi_print --open DIR
 */
#include "mpi/bench.h"
#include "people.h"

#include "base/clock.h"

#include <time.h>

static void print_memory(uint64_t people)
{
    struct support support;
    support_init(&support);
    struct mpi_bench bench;
    assert_ok(&support, mpi_bench(&support.cx, people, 1, &bench));
    printf("people %llu  bytes/record %.0f  load %.3f s  apply mean %.1f us p99 %.1f us  identify p50 %.1f us p99 %.1f us  "
           "candidates %.1f  compare %.0f ns\n",
           (unsigned long long)people, (double)bench.index_bytes / (double)people, bench.load_seconds, bench.apply_us_mean,
           bench.apply_us_p99, bench.identify_us_p50, bench.identify_us_p99, bench.candidates_mean, bench.compare_ns);
    support_fini(&support);
}

static void print_store(uint64_t people)
{
    struct world world;
    world_init(&world);
    uint64_t seed = 1;
    int64_t start = clock_mono_us();
    for (uint64_t i = 0; i < people; i++) {
        struct arena_mark mark = arena_mark(&world.support.arena);
        char id[24], family[16], given[16], birth[16], phone[16], postcode[16];
        snprintf(postcode, sizeof postcode, "%05u", (unsigned)(hash_random(&seed) % 20000));
        uint64_t random = hash_random(&seed);
        snprintf(id, sizeof id, "%llu", (unsigned long long)i);
        snprintf(family, sizeof family, "%c%c%cson", (int)('a' + random % 26), (int)('a' + random / 26 % 26), (int)('a' + random / 676 % 26));
        snprintf(given, sizeof given, "%c%ca", (int)('a' + random / 20000 % 26), (int)('a' + random / 520000 % 26));
        snprintf(birth, sizeof birth, "19%02u%02u%02u", (unsigned)(random >> 30) % 100, (unsigned)(random >> 37) % 12 + 1, (unsigned)(random >> 41) % 28 + 1);
        snprintf(phone, sizeof phone, "2%09u", (unsigned)(hash_random(&seed) % 1000000000));
        struct human human = {.id = id, .family = family, .given = given, .birth = birth, .sex = 'F', .phone = phone, .postcode = postcode};
        (void)world_apply(&world, &human);
        if (i % 256 == 255)
            world_commit(&world);
        arena_rewind(&world.support.arena, mark);
    }
    world_commit(&world);
    int64_t applied = clock_mono_us();
    printf("store: %llu records applied in %.2f s (%.1f us each, commit every 256)\n", (unsigned long long)people,
           (double)(applied - start) / 1e6, (double)(applied - start) / (double)people);
    data_txn_abort(world.txn);
    mpi_close(world.mpi);
    int64_t opening = clock_mono_us();
    assert_ok(&world.support, mpi_open(&world.support.cx, world.store, &world.mpi));
    printf("store: mpi_open %.3f s\n", (double)(clock_mono_us() - opening) / 1e6);
    world.txn = data_txn_begin(world.store);
    world_fini(&world);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_open(const char *dir)
{
    struct support support;
    support_init(&support);
    struct data_options options = {.dir = dir, .format = 1, .tables = mpi_tables, .table_count = mpi_table_count};
    struct data_store *store;
    struct mpi *mpi;
    int64_t start = clock_mono_us();
    double start_cpu = cpu_seconds();
    assert_ok(&support, data_open(&support.cx, &options, &store));
    int64_t opened = clock_mono_us();
    double opened_cpu = cpu_seconds();
    assert_ok(&support, mpi_open(&support.cx, store, &mpi));
    int64_t ready = clock_mono_us();
    double ready_cpu = cpu_seconds();
    struct mpi_counts counts = mpi_count(mpi);
    printf("data_open wall %.3f s cpu %.3f s  mpi_open wall %.3f s cpu %.3f s  records %llu persons %llu  bytes/record %.0f\n",
           (double)(opened - start) / 1e6, opened_cpu - start_cpu, (double)(ready - opened) / 1e6, ready_cpu - opened_cpu,
           (unsigned long long)counts.records, (unsigned long long)counts.persons,
           (double)counts.index_bytes / (double)counts.records);
    mpi_close(mpi);
    data_close(store);
    support_fini(&support);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--open") == 0) {
        print_open(argv[2]);
        return 0;
    }
    uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    print_memory(people);
    fflush(stdout);
    print_store(people);
    return 0;
}
