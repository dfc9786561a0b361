/*
 * Prints how long applying takes, and opening afterwards: bench_mpi_print PEOPLE
 * Or how long identify takes while the writer applies at full speed:  bench_mpi_print --busy PEOPLE
 * Or how long the start takes over a daemon's data directory that nobody has open: bench_mpi_print --open DIR
 */
#include "people.h"

#include "base/clock.h"

#include <pthread.h>
#include <time.h>

struct plain_text {
    char id[24], family[16], given[16], birth[16], phone[16], postcode[16];
    struct human human;
};

static void make_plain(uint64_t *seed, uint64_t number, struct plain_text *out)
{
    snprintf(out->postcode, sizeof out->postcode, "%05u", (unsigned)(hash_random(seed) % 20000));
    uint64_t random = hash_random(seed);
    snprintf(out->id, sizeof out->id, "%llu", (unsigned long long)number);
    snprintf(out->family, sizeof out->family, "%c%c%cson", (int)('a' + random % 26), (int)('a' + random / 26 % 26),
             (int)('a' + random / 676 % 26));
    snprintf(out->given, sizeof out->given, "%c%ca", (int)('a' + random / 20000 % 26),
             (int)('a' + random / 520000 % 26));
    snprintf(out->birth, sizeof out->birth, "19%02u%02u%02u", (unsigned)(random >> 30) % 100,
             (unsigned)(random >> 37) % 12 + 1, (unsigned)(random >> 41) % 28 + 1);
    snprintf(out->phone, sizeof out->phone, "2%09u", (unsigned)(hash_random(seed) % 1000000000));
    out->human = (struct human){.id = out->id,
                                .family = out->family,
                                .given = out->given,
                                .birth = out->birth,
                                .sex = 'F',
                                .phone = out->phone,
                                .postcode = out->postcode};
}

static void apply_people(struct world *world, uint64_t *seed, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        struct arena_mark mark = arena_mark(&world->support.arena);
        struct plain_text text;
        make_plain(seed, i, &text);
        (void)world_apply(world, &text.human);
        if (i % 256 == 255)
            world_commit(world);
        arena_rewind(&world->support.arena, mark);
    }
    world_commit(world);
}

static void print_store(uint64_t people)
{
    struct world world;
    world_init(&world);
    uint64_t seed = 1;
    int64_t start = clock_mono_us();
    apply_people(&world, &seed, 0, people);
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

/* ---- a reader beside the writer ---- */

enum { TIMES_MAX = 1 << 20 };

struct asking {
    struct mpi *mpi;
    uint64_t people;
    bool stop; /* atomic */
    struct times {
        double *wall_us, *cpu_us;
        size_t count;
    } times[2]; /* by names and the like only; with the record's identifier as well, which asks the store */
};

static double thread_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void *ask_until_stopped(void *arg)
{
    struct asking *asking = arg;
    struct arena arena = {0};
    uint64_t seed = 77;
    for (size_t i = 0; !__atomic_load_n(&asking->stop, __ATOMIC_ACQUIRE) && i < TIMES_MAX; i++) {
        struct times *times = &asking->times[i % 2];
        struct ctx cx = {.arena = &arena};
        struct arena_mark mark = arena_mark(&arena);
        struct plain_text text;
        struct said said;
        struct mpi_match *matches;
        size_t count;
        make_plain(&seed, hash_random(&seed) % asking->people, &text);
        said_fill(&said, &text.human);
        double wall = (double)clock_mono_us(), cpu = thread_us();
        IGNORE(mpi_identify(asking->mpi, &cx, said.input.identifiers, i % 2, &said.input.demographics, 10, &matches,
                            &count));
        times->cpu_us[times->count] = thread_us() - cpu;
        times->wall_us[times->count++] = (double)clock_mono_us() - wall;
        arena_rewind(&arena, mark);
    }
    arena_fini(&arena);
    return NULL;
}

static int order_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void print_times(const char *what, double *times, size_t count)
{
    qsort(times, count, sizeof *times, order_doubles);
    printf("  %s p50 %.0f us p99 %.0f us p99.9 %.0f us max %.0f us\n", what, times[count / 2], times[count * 99 / 100],
           times[count * 999 / 1000], times[count - 1]);
}

static void print_busy(uint64_t people)
{
    enum { MORE = 20000 };
    struct world world;
    world_init(&world);
    uint64_t seed = 1;
    apply_people(&world, &seed, 0, people);
    struct asking asking = {.mpi = world.mpi, .people = people};
    for (size_t i = 0; i < 2; i++)
        asking.times[i] = (struct times){mem_array(TIMES_MAX, sizeof(double)), mem_array(TIMES_MAX, sizeof(double)), 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_until_stopped, &asking), 0);
    int64_t start = clock_mono_us();
    apply_people(&world, &seed, people, people + MORE);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    __atomic_store_n(&asking.stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    printf("busy: %llu people, writer %.0f records/s\n", (unsigned long long)people, MORE / seconds);
    for (size_t i = 0; i < 2; i++) {
        struct times *times = &asking.times[i];
        printf(" identify %s, %zu times\n", i ? "with an identifier" : "by names, dates, phones", times->count);
        print_times("wall", times->wall_us, times->count);
        print_times("cpu ", times->cpu_us, times->count);
        mem_free(times->wall_us);
        mem_free(times->cpu_us);
    }
    world_fini(&world);
}

/* ---- starting ---- */

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
    printf("data_open wall %.3f s cpu %.3f s  mpi_open wall %.3f s cpu %.3f s  records %llu persons %llu  bytes/record "
           "%.0f\n",
           (double)(opened - start) / 1e6, opened_cpu - start_cpu, (double)(ready - opened) / 1e6,
           ready_cpu - opened_cpu, (unsigned long long)counts.records, (unsigned long long)counts.persons,
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
    if (argc > 2 && strcmp(argv[1], "--busy") == 0) {
        print_busy(strtoull(argv[2], NULL, 10));
        return 0;
    }
    uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    print_store(people);
    return 0;
}
