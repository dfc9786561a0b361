/* The queue before the journal's thread, while a sync is held by the test: who offers never waits, room is given in the
 * order asked and kept for who was told. */
#include "journal_world.h"

#include "base/limits.h"
#include "base/mem.h"
#include "held_disk.h"

static int reset_io(void **state)
{
    held_disk_release();
    held_disk_install();
    return setup(state);
}

/* What became of offers and waits, in order. */
struct story {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    VEC(uint64_t) done, told; /* numbers of entries and of waiters */
};

struct offer {
    struct story *story;
    struct journal_waiter waiter;
    uint64_t number;
};

static void on_done(void *arg, status result, uint64_t seq, int64_t time_us)
{
    (void)seq, (void)time_us;
    struct offer *offer = arg;
    pthread_mutex_lock(&offer->story->lock);
    *VEC_ADD(&offer->story->done) = result == STATUS_OK ? offer->number : UINT64_MAX;
    pthread_cond_broadcast(&offer->story->changed);
    pthread_mutex_unlock(&offer->story->lock);
}

static void on_room(void *arg)
{
    struct offer *offer = arg;
    pthread_mutex_lock(&offer->story->lock);
    *VEC_ADD(&offer->story->told) = offer->number;
    pthread_cond_broadcast(&offer->story->changed);
    pthread_mutex_unlock(&offer->story->lock);
}

static void wait_done(struct story *story, size_t count)
{
    pthread_mutex_lock(&story->lock);
    while (story->done.count < count)
        pthread_cond_wait(&story->changed, &story->lock);
    pthread_mutex_unlock(&story->lock);
}

static void wait_told(struct story *story, size_t count)
{
    pthread_mutex_lock(&story->lock);
    while (story->told.count < count)
        pthread_cond_wait(&story->changed, &story->lock);
    pthread_mutex_unlock(&story->lock);
}

static uint64_t told_at(struct story *story, size_t i)
{
    pthread_mutex_lock(&story->lock);
    uint64_t number = story->told.at[i];
    pthread_mutex_unlock(&story->lock);
    return number;
}

static uint64_t done_at(struct story *story, size_t i)
{
    pthread_mutex_lock(&story->lock);
    uint64_t number = story->done.at[i];
    pthread_mutex_unlock(&story->lock);
    return number;
}

static size_t told_now(struct story *story)
{
    pthread_mutex_lock(&story->lock);
    size_t count = story->told.count;
    pthread_mutex_unlock(&story->lock);
    return count;
}

enum { OFFERS = 64, BODY = 1000 };

struct scene {
    struct world *world;
    struct journal *journal;
    struct story story;
    struct offer offers[OFFERS];
    char body[BODY * 8];
};

static bool offer_bytes(struct scene *scene, size_t number, size_t bytes)
{
    bool taken = false;
    struct offer *offer = &scene->offers[number];
    assert_ok(&scene->world->support,
              journal_offer(scene->journal, &scene->world->support.cx, 1, STR("p"), str_make(scene->body, bytes),
                            on_done, offer, &offer->waiter, &taken));
    return taken;
}

static bool offer_one(struct scene *scene, size_t number)
{
    return offer_bytes(scene, number, BODY);
}

/* A journal whose disk is stuck in a sync with entry 0; the queue behind it is empty. */
static void begin_scene(struct scene *scene, struct world *world, struct journal_options options)
{
    *scene = (struct scene){.world = world};
    pthread_mutex_init(&scene->story.lock, NULL);
    pthread_cond_init(&scene->story.changed, NULL);
    for (size_t i = 0; i < OFFERS; i++) {
        struct offer *offer = &scene->offers[i];
        *offer = (struct offer){.story = &scene->story, .number = i};
        offer->waiter = (struct journal_waiter){.room = on_room, .arg = offer};
    }
    memset(scene->body, 'b', sizeof scene->body);
    scene->journal = open_journal(world, options);
    held_disk_hold(scene->journal);
    assert_true(offer_one(scene, 0));
    held_disk_wait_stuck();
}

static void end_scene(struct scene *scene)
{
    held_disk_release();
    struct journal_stats stats;
    journal_stats(scene->journal, &stats);
    assert_int_equal(stats.waiting, 0);
    journal_close(scene->journal);
    VEC_FINI(&scene->story.done);
    VEC_FINI(&scene->story.told);
}

static size_t fill(struct scene *scene)
{
    size_t next = 1;
    while (offer_one(scene, next))
        next++;
    return next; /* found no room */
}

static void test_full_queue__refuses_at_once_and_tells_in_the_order_asked(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 8 * BODY});
    size_t first = fill(&scene), after = first + 20;
    assert_int_equal(first, 8); /* seven and their envelopes fit */
    for (size_t i = first + 1; i < after; i++)
        assert_false(offer_one(&scene, i));
    struct journal_stats stats;
    journal_stats(scene.journal, &stats); /* and the journal answers while its disk does not */
    assert_int_equal(stats.waiting, 20);
    assert_int_equal(stats.no_room, 20);
    assert_int_equal(told_now(&scene.story), 0);
    held_disk_release();
    for (size_t i = first; i < after; i++) { /* each comes when it was told, and is taken */
        wait_told(&scene.story, i - first + 1);
        assert_int_equal(told_at(&scene.story, i - first), i);
        assert_true(offer_one(&scene, i));
    }
    wait_done(&scene.story, after);
    for (size_t i = 0; i < after; i++)
        assert_int_equal(done_at(&scene.story, i), i);
    assert_int_equal(told_now(&scene.story), 20);
    assert_int_equal(journal_last_seq(scene.journal), after);
    end_scene(&scene);
}

/* As a daemon has it. */
static void test_queue__has_its_bounds_when_nothing_else_is_said(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){0});
    size_t taken = 0;
    while (offer_bytes(&scene, 1, 0))
        taken++;
    assert_int_equal(taken, LIMIT_JOURNAL_QUEUE_ENTRIES);
    held_disk_release();
    wait_told(&scene.story, 1);
    assert_true(offer_bytes(&scene, 1, 0));
    wait_done(&scene.story, taken + 2); /* with the one that was stuck */
    end_scene(&scene);
}

static void test_entries__are_bounded_too(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_entries_max = 5});
    assert_int_equal(fill(&scene), 6);
    held_disk_release();
    wait_told(&scene.story, 1);
    assert_true(offer_one(&scene, 6));
    wait_done(&scene.story, 7);
    end_scene(&scene);
}

/* Who is told in one round fits, all of them; who comes between finds no room, also when the queue is empty. */
static void test_room__is_kept_for_who_was_told(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 4 * BODY});
    size_t first = fill(&scene);
    assert_int_equal(first, 4);
    for (size_t i = first + 1; i < first + 6; i++)
        assert_false(offer_one(&scene, i));
    held_disk_release();
    wait_told(&scene.story, 3);
    wait_done(&scene.story, first); /* nothing is queued any more; room for three is kept, three more wait */
    assert_int_equal(told_now(&scene.story), 3);
    assert_false(offer_one(&scene, 20));
    for (size_t i = first; i < first + 3; i++)
        assert_true(offer_one(&scene, i));
    wait_told(&scene.story, 6);
    assert_int_equal(told_at(&scene.story, 5), first + 5);
    for (size_t i = first + 3; i < first + 6; i++)
        assert_true(offer_one(&scene, i));
    wait_told(&scene.story, 7);
    assert_int_equal(told_at(&scene.story, 6), 20);
    assert_true(offer_one(&scene, 20));
    wait_done(&scene.story, first + 7);
    end_scene(&scene);
}

static void test_forgotten__waits_no_more_and_gives_its_room_back(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 4 * BODY});
    size_t first = fill(&scene);
    for (size_t i = first + 1; i < first + 6; i++)
        assert_false(offer_one(&scene, i));
    assert_false(journal_forget(scene.journal, &scene.offers[30].waiter)); /* never waited */
    assert_true(journal_forget(scene.journal, &scene.offers[first + 1].waiter));
    assert_true(journal_forget(scene.journal, &scene.offers[first + 5].waiter)); /* the last of the line */
    assert_false(offer_one(&scene, first + 5));
    held_disk_release();
    wait_told(&scene.story, 3); /* first, first + 2, first + 3 */
    for (size_t i = 0; i < 2; i++)
        assert_false(journal_forget(scene.journal, &scene.offers[told_at(&scene.story, i)].waiter));
    wait_told(&scene.story, 5); /* their room goes to the next, although nobody offered anything */
    static const size_t want[] = {0, 2, 3, 4, 5};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(told_at(&scene.story, i), first + want[i]);
    for (size_t i = 2; i < 5; i++)
        assert_true(offer_one(&scene, first + want[i]));
    wait_done(&scene.story, first + 3);
    end_scene(&scene);
}

static void test_entry_larger_than_the_queue__is_taken_when_it_is_empty(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 4 * BODY});
    assert_true(offer_one(&scene, 1));
    assert_false(offer_bytes(&scene, 2, 8 * BODY));
    assert_false(offer_one(&scene, 3)); /* small, but behind it */
    held_disk_release();
    wait_told(&scene.story, 1);
    assert_int_equal(told_at(&scene.story, 0), 2);
    assert_true(offer_bytes(&scene, 2, 8 * BODY));
    wait_told(&scene.story, 2);
    assert_true(offer_one(&scene, 3));
    wait_done(&scene.story, 4);
    end_scene(&scene);
}

/* With room for all, on an idle journal: who lines up behind its own earlier offer is told in turn, and taken. */
static void test_in_line__waits_for_its_turn_although_there_is_room(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){0});
    held_disk_release();
    wait_done(&scene.story, 1);
    for (size_t i = 1; i < 4; i++) {
        scene.offers[i].waiter.in_line = true;
        assert_false(offer_one(&scene, i));
        wait_told(&scene.story, i);
        assert_int_equal(told_at(&scene.story, i - 1), i);
    }
    for (size_t i = 1; i < 4; i++)
        assert_true(offer_one(&scene, i));
    wait_done(&scene.story, 4);
    end_scene(&scene);
}

static void *append_patiently(void *arg)
{
    struct scene *scene = arg;
    struct support mine;
    support_init(&mine);
    uint64_t seq = 0;
    status got = journal_append_wait(scene->journal, &mine.cx, 1, STR("p"), str_make(scene->body, BODY), &seq);
    support_fini(&mine);
    return (void *)(uintptr_t)(got == STATUS_OK ? seq : 0);
}

static void test_who_waits_in_a_call__has_its_turn_like_all(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 4 * BODY});
    size_t first = fill(&scene); /* waits */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_patiently, &scene), 0);
    struct journal_stats stats = {0};
    while (stats.waiting < 2)
        journal_stats(scene.journal, &stats);
    assert_false(offer_one(&scene, first + 1));
    held_disk_release();
    wait_told(&scene.story, 2);
    assert_true(offer_one(&scene, first));
    assert_true(offer_one(&scene, first + 1));
    void *seq;
    pthread_join(thread, &seq);
    assert_int_not_equal((uintptr_t)seq, 0);
    wait_done(&scene.story, first + 2);
    assert_int_equal(journal_last_seq(scene.journal), first + 3);
    end_scene(&scene);
}

/* ---- many at once ---- */

enum { CROWD = 8, EACH = 500 };

struct person {
    struct scene *scene;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_room;
    uint64_t done, last_seq;
    bool in_order;
};

static void person_done(void *arg, status result, uint64_t seq, int64_t time_us)
{
    (void)time_us;
    struct person *person = arg;
    pthread_mutex_lock(&person->lock);
    person->in_order = person->in_order && result == STATUS_OK && seq > person->last_seq;
    person->last_seq = seq;
    person->done++;
    pthread_cond_signal(&person->changed);
    pthread_mutex_unlock(&person->lock);
}

static void person_room(void *arg)
{
    struct person *person = arg;
    pthread_mutex_lock(&person->lock);
    person->has_room = true;
    pthread_cond_signal(&person->changed);
    pthread_mutex_unlock(&person->lock);
}

static void *offer_many(void *arg)
{
    struct person *person = arg;
    struct support mine;
    support_init(&mine);
    struct journal_waiter waiter = {.room = person_room, .arg = person};
    for (int i = 0; i < EACH; i++) {
        for (bool taken = false; !taken;) {
            if (journal_offer(person->scene->journal, &mine.cx, 1, STR("p"),
                              str_make(person->scene->body, (size_t)(i * 7 % BODY)), person_done, person, &waiter,
                              &taken) != STATUS_OK)
                mem_panic("test", "the offer failed");
            pthread_mutex_lock(&person->lock);
            while (!taken && !person->has_room)
                pthread_cond_wait(&person->changed, &person->lock);
            person->has_room = false;
            pthread_mutex_unlock(&person->lock);
        }
    }
    pthread_mutex_lock(&person->lock);
    while (person->done < EACH)
        pthread_cond_wait(&person->changed, &person->lock);
    pthread_mutex_unlock(&person->lock);
    support_fini(&mine);
    return NULL;
}

static void test_crowd__everybody_is_taken_once_and_in_order(void **state)
{
    struct scene scene;
    begin_scene(&scene, *state, (struct journal_options){.queue_bytes_max = 2 * BODY, .queue_entries_max = 5});
    held_disk_release();
    wait_done(&scene.story, 1);
    struct person crowd[CROWD];
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct person){.scene = &scene, .in_order = true};
        pthread_mutex_init(&crowd[i].lock, NULL);
        pthread_cond_init(&crowd[i].changed, NULL);
        assert_int_equal(pthread_create(&threads[i], NULL, offer_many, &crowd[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        assert_true(crowd[i].in_order);
        assert_int_equal(crowd[i].done, EACH);
    }
    assert_int_equal(journal_last_seq(scene.journal), 1 + CROWD * EACH);
    end_scene(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset_io, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full_queue__refuses_at_once_and_tells_in_the_order_asked),
        TEST(test_queue__has_its_bounds_when_nothing_else_is_said),
        TEST(test_entries__are_bounded_too),
        TEST(test_room__is_kept_for_who_was_told),
        TEST(test_forgotten__waits_no_more_and_gives_its_room_back),
        TEST(test_entry_larger_than_the_queue__is_taken_when_it_is_empty),
        TEST(test_in_line__waits_for_its_turn_although_there_is_room),
        TEST(test_who_waits_in_a_call__has_its_turn_like_all),
        TEST(test_crowd__everybody_is_taken_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
