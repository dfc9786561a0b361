/* Readers of every kind while the writer applies at full speed: for the thread sanitizer, and for answers that make
 * sense. */
#include "ask_internal.h"
#include "people.h"

#include <pthread.h>
#include <sched.h>

enum { READERS = 3, STEPS = 300, IDS = 300 };

struct reading {
    struct mpi *mpi;
    uint32_t *stop;
    uint64_t seed, answers;
    const char *wrong; /* what was */
};

static void note(struct reading *reading, status got, const char *what)
{
    reading->answers++;
    if (got != STATUS_OK && got != STATUS_NOT_FOUND && reading->wrong == NULL)
        reading->wrong = what;
}

static void ask_by_everything(struct reading *reading, struct ctx *cx)
{
    struct person_text text;
    struct said said;
    struct mpi_match *matches;
    size_t count = 0;
    people_make(&reading->seed, (uint32_t)(hash_random(&reading->seed) % IDS),
                (uint32_t)(hash_random(&reading->seed) % 60), &text);
    said_fill(&said, &text.human);
    const struct mpi_record_input *input = &said.input;
    note(reading,
         mpi_identify(reading->mpi, cx, input->identifiers, input->identifier_count, &input->demographics, 10, &matches,
                      &count),
         "identify");
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (matches[i].person == matches[k].person)
                reading->wrong = "one person twice";
}

/* A person has at least one record, never one twice, and its number is one of them. */
static void ask_person(struct reading *reading, struct ctx *cx, uint64_t number)
{
    uint32_t *members, person;
    struct data_view look;
    look_begin(reading->mpi, &look);
    size_t count = look_at_members(reading->mpi, cx, number, &members, &person);
    look_end(&look);
    bool founder = false;
    for (size_t i = 0; i < count; i++) {
        founder |= members[i] == person;
        if (i > 0 && members[i - 1] >= members[i])
            reading->wrong = "a record twice in one person";
    }
    if (!founder)
        reading->wrong = "a person without its founder";
    struct mpi_person_view view;
    note(reading, mpi_person(reading->mpi, cx, number, &view), "person");
}

static void ask_once(struct reading *reading, struct ctx *cx)
{
    uint64_t records = mpi_count(reading->mpi).records, number, record, person;
    if (records == 0)
        return;
    number = hash_random(&reading->seed) % records + 1;
    uint64_t other = hash_random(&reading->seed) % records + 1;
    struct mpi_review_page page;
    struct mpi_event *events;
    struct mpi_why why;
    size_t count;
    bool older;
    char id[12];
    ask_by_everything(reading, cx);
    ask_person(reading, cx, number);
    note(reading, mpi_reviews(reading->mpi, cx, 20, 0, &page), "reviews");
    note(reading, mpi_history(reading->mpi, cx, number, NULL, &events, &count, &older), "history");
    note(reading, mpi_why(reading->mpi, cx, number, other, &why), "why");
    snprintf(id, sizeof id, "%llu", (unsigned long long)(hash_random(&reading->seed) % IDS));
    note(reading, mpi_find(reading->mpi, cx, world_id(id), &person, &record), "find");
}

static void *read_until_stopped(void *arg)
{
    struct reading *reading = arg;
    struct arena arena = {0};
    while (!__atomic_load_n(reading->stop, __ATOMIC_ACQUIRE)) {
        struct ctx cx = {.arena = &arena};
        struct arena_mark mark = arena_mark(&arena);
        ask_once(reading, &cx);
        arena_rewind(&arena, mark);
        sched_yield();
    }
    arena_fini(&arena);
    return NULL;
}

static void write_once(struct world *world, uint64_t *random)
{
    static const enum mpi_decision_kind kinds[] = {MPI_DECISION_MERGE, MPI_DECISION_LINK, MPI_DECISION_UNLINK};
    struct mpi_result result;
    uint64_t what = hash_random(random) % 12;
    if (what < 3) {
        char left[12], right[12];
        snprintf(left, sizeof left, "%u", (unsigned)(hash_random(random) % IDS));
        snprintf(right, sizeof right, "%u", (unsigned)(hash_random(random) % IDS));
        IGNORE(world_message(world, kinds[what], left, right, &result)); /* cycles and strangers are refused */
        return;
    }
    struct person_text text;
    struct said said;
    people_make(random, (uint32_t)(hash_random(random) % IDS), (uint32_t)(hash_random(random) % 60), &text);
    said_fill(&said, &text.human);
    said.input.deactivate = what == 3;
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &said.input, &result));
}

static void check_readers(uint64_t seed, uint32_t block_cap)
{
    struct world world;
    world_init_capped(&world, block_cap);
    uint32_t stop = 0;
    uint64_t random = seed, answers = 0;
    struct reading readings[READERS];
    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++) {
        readings[i] = (struct reading){.mpi = world.mpi, .stop = &stop, .seed = seed * 10 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_stopped, &readings[i]), 0);
    }
    for (int step = 0; step < STEPS; step++) {
        struct arena_mark mark = arena_mark(world.support.cx.arena);
        write_once(&world, &random);
        arena_rewind(world.support.cx.arena, mark);
        if (step % 50 == 49)
            world_commit(&world);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        if (readings[i].wrong)
            fail_msg("seed %llu: %s", (unsigned long long)seed, readings[i].wrong);
        answers += readings[i].answers;
    }
    assert_true(answers > 0);
    world_fini(&world);
}

static void test_readers__get_whole_answers_while_the_writer_applies(void **state)
{
    (void)state;
    check_readers(1, BLOCK_CAP_DEFAULT);
    check_readers(2, 6); /* blocks close and open again all the time */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers__get_whole_answers_while_the_writer_applies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
