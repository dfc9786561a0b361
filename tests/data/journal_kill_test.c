/*
 * kill -9 at random moments: a child appends from several threads and tells the parent each entry after it was
 * acknowledged; the parent kills it, opens what is left and demands every acknowledged entry. The harness is proved by
 * a planted bug.
 */
#include "journal_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 120, THREADS = 4, BODY_BYTES_MAX = 2000, ROUND_US_MAX = 40000, PLANTED_ROUNDS_MAX = 60 };

struct told {
    uint64_t seq;
    uint32_t crc;
    uint32_t zero;
};

static int tell_fd;

struct promise {
    uint32_t crc;
};

static void tell(void *arg, status result, uint64_t seq, int64_t time_us)
{
    (void)time_us;
    struct promise *promise = arg;
    struct told told = {.seq = seq, .crc = promise->crc};
    if (result == STATUS_OK && write(tell_fd, &told, sizeof told) != sizeof told)
        _exit(3);
    mem_free(promise);
}

struct child {
    struct journal *journal;
    uint64_t random;
};

static void *append_for_ever(void *arg)
{
    struct child *child = arg;
    for (;;) {
        struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        struct str body = body_of(&arena, hash_random(&child->random), BODY_BYTES_MAX);
        struct promise promise = {hash_crc32c(0, body.data, body.len)};
        if (journal_append(child->journal, &cx, 1, STR("p"), body, tell, mem_copy(&promise, sizeof promise)) !=
            STATUS_OK)
            _exit(4);
        if (hash_random(&child->random) % 8 == 0)
            nap_us(50);
        arena_fini(&arena);
    }
    return NULL;
}

static _Noreturn void be_child(const char *dir, uint64_t seed, bool planted)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct journal_options options = {
        .dir = dir, .segment_bytes = 256 * 1024, .queue_bytes_max = 64 * 1024, .plant_ack_before_sync = planted};
    struct child children[THREADS];
    struct journal *journal;
    if (journal_open(&cx, &options, &journal) != STATUS_OK)
        _exit(2);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_t thread;
        children[i] = (struct child){journal, seed * THREADS + i};
        if (pthread_create(&thread, NULL, append_for_ever, &children[i]) != 0)
            _exit(5);
    }
    for (;;)
        pause();
}

typedef VEC(struct told) tolds;

static void *listen_to(void *arg)
{
    void **args = arg;
    tolds *all = args[1];
    struct told told;
    while (read(*(int *)args[0], &told, sizeof told) == sizeof told)
        *VEC_ADD(all) = told;
    return NULL;
}

/* One life and death; adds what was acknowledged. */
static void live_and_die(struct world *world, uint64_t *random, bool planted, tolds *all)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        tell_fd = ends[1];
        close(ends[0]);
        be_child(world->dir, hash_random(random), planted);
    }
    (void)hash_random(random);
    close(ends[1]);
    pthread_t listener;
    void *args[] = {&ends[0], all};
    assert_int_equal(pthread_create(&listener, NULL, listen_to, args), 0);
    nap_us((int64_t)(hash_random(random) % ROUND_US_MAX));
    int how = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    pthread_join(listener, NULL);
    close(ends[0]);
    assert_true(WIFSIGNALED(how)); /* killed, not ended by itself */
}

/* How many of the acknowledged entries from `from` on are not there as promised. */
static uint64_t count_lost(struct world *world, const tolds *all, size_t from)
{
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 256 * 1024});
    uint64_t lost = 0;
    for (size_t i = from; i < all->count; i++) {
        struct support scratch;
        support_init(&scratch);
        struct journal_entry entry;
        status got = journal_read(journal, &scratch.cx, all->at[i].seq, &entry);
        lost += got != STATUS_OK || hash_crc32c(0, entry.body.data, entry.body.len) != all->at[i].crc;
        support_fini(&scratch);
    }
    journal_close(journal);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(&world->support.cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.torn_bytes, 0);
    return lost;
}

static void test_kill__loses_no_acknowledged_entry(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed();
    tolds all = {0};
    uint64_t seq_before = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t from = all.count;
        live_and_die(world, &random, false, &all);
        assert_int_equal(count_lost(world, &all, from), 0);
        for (size_t i = from; i < all.count; i++) { /* acknowledged in order; gaps only where the kill fell between */
            assert_true(all.at[i].seq > seq_before);
            assert_true(i == from || all.at[i].seq == seq_before + 1);
            seq_before = all.at[i].seq;
        }
    }
    assert_int_equal(count_lost(world, &all, 0), 0);
    printf("%d kills, %zu acknowledged entries, none lost\n", ROUNDS, all.count);
    assert_true(all.count > ROUNDS);
    VEC_FINI(&all);
}

static void test_kill__reveals_the_planted_early_acknowledgement(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed(), lost = 0;
    tolds all = {0};
    int round = 0;
    for (; round < PLANTED_ROUNDS_MAX && lost == 0; round++) {
        size_t from = all.count;
        live_and_die(world, &random, true, &all);
        lost += count_lost(world, &all, from);
    }
    printf("planted bug: caught in round %d of at most %d\n", round, PLANTED_ROUNDS_MAX);
    assert_true(lost > 0);
    VEC_FINI(&all);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_kill__loses_no_acknowledged_entry),
        T(test_kill__reveals_the_planted_early_acknowledgement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
