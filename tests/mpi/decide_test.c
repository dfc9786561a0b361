/* Decisions of messages and stewards: merge, unmerge, link, unlink, same, different, undo, reviews, history. */
#include "alike.h"
#include "world.h"

#define ANNA  .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F'
#define NGOZI .family = "Achebe", .given = "Ngozi", .birth = "19850203", .sex = 'F'

static void add(struct world *world, const char *id, bool anna)
{
    struct human one = {.id = id, ANNA}, other = {.id = id, NGOZI};
    (void)world_apply(world, anna ? &one : &other);
}

static void test_merge__retires_the_right_identifier_and_later_messages_do_not_revive_it(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", false);
    struct mpi_result result;
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "2", "1", &result));
    assert_int_equal(result.verdict, MPI_VERDICT_DECIDED);
    assert_int_equal(result.record, 1);
    assert_int_equal(result.person, 2); /* the survivor founds the person although the other is older */
    assert_int_equal(result.person_before, 1);
    assert_int_equal(world_person(&world, "1"), 2);
    struct human update = {.id = "1", ANNA, .phone = "2065550199"};
    result = world_apply(&world, &update);
    assert_int_equal(result.verdict, MPI_VERDICT_KNOWN);
    assert_int_equal(result.person, 2);
    struct mpi_record_view record;
    assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &record));
    assert_int_equal(record.retired_into, 2);
    struct mpi_person_view person;
    assert_ok(&world.support, mpi_person(world.mpi, &world.support.cx, 1, &person));
    assert_int_equal(person.id, 2);
    assert_int_equal(person.asked, 1);
    assert_int_equal(person.record_count, 2);
    world_reopen(&world);
    assert_int_equal(world_person(&world, "1"), 2);
    world_fini(&world);
}

static void test_merge__refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", false);
    add(&world, "3", false);
    struct mpi_result result;
    struct ctx *cx = &world.support.cx;
    assert_fails(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "1", &result), "mpi.merge-self");
    assert_fails(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", " ", &result),
                 "mpi.identifier-missing");
    struct mpi_identifier left = world_id("1"), right = {STR("OTHER"), STR("2"), STR("MR")};
    assert_fails(&world.support,
                 mpi_apply_identifier_decision(world.mpi, world.txn, cx, ++world.seq, MPI_DECISION_MERGE, STR("t"),
                                               left, right, &result),
                 "mpi.merge-authority");
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result));
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "3", "1", &result));
    assert_fails(&world.support, world_message(&world, MPI_DECISION_MERGE, "2", "1", &result), "mpi.merge-cycle");
    assert_fails(&world.support, world_message(&world, MPI_DECISION_MERGE, "2", "3", &result), "mpi.merge-cycle");
    assert_fails(&world.support, world_message(&world, MPI_DECISION_LINK, "1", "77", &result),
                 "mpi.identifier-unknown");
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).records, 3);
    assert_int_equal(mpi_count(world.mpi).persons, 1);
    world_fini(&world);
}

static void test_merge__of_unknown_identifiers_makes_records_so_that_order_does_not_matter(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct mpi_result result;
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result));
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).records, 2);
    add(&world, "2", false);
    add(&world, "1", true);
    assert_int_equal(world_person(&world, "2"), world_person(&world, "1"));
    world_fini(&world);
}

static void test_unmerge__gives_back_the_earlier_persons_whatever_happened_since(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", false);
    add(&world, "3", false); /* with 2: one person */
    struct mpi_result result;
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result));
    uint64_t merge = world.seq;
    assert_int_equal(world_person(&world, "3"), 1);
    assert_ok(&world.support,
              world_message(&world, MPI_DECISION_MERGE, "1", "2", &result)); /* sent twice: nothing new */
    struct human update = {.id = "2", NGOZI, .phone = "2065550199"};
    (void)world_apply(&world, &update);
    world_reopen(&world);
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, merge, &result));
    assert_int_equal(world_person(&world, "1"), 1);
    assert_int_equal(world_person(&world, "2"), 2);
    assert_int_equal(world_person(&world, "3"), 2);
    struct mpi_record_view record;
    assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 2, &record));
    assert_int_equal(record.retired_into, 0);
    assert_int_equal(record.demographics.phone_count, 1); /* the edit stays */
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, merge, &result), "mpi.decision-undone");
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, 999, &result), "mpi.decision-unknown");
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, merge + 3, &result),
                 "mpi.decision-unknown");
    world_fini(&world);
}

/* Each into the other, once what made both possible is undone: the newer one holds, and nobody is retired in a circle.
 */
static void test_merges__of_two_into_each_other_retire_one_of_them(void **state)
{
    (void)state;
    struct world world;
    struct mpi_result result;
    world_init(&world);
    for (int i = 1; i <= 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        add(&world, id, i == 1);
    }
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result));
    assert_ok(&world.support, world_message(&world, MPI_DECISION_UNLINK, "1", "2", &result));
    uint64_t unlink = world.seq;
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "2", "1", &result));
    uint64_t merge = world.seq;
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, unlink, &result));
    assert_int_equal(entry_at(world.mpi, APPLIED, 1)->retired_into, 2);
    assert_int_equal(entry_at(world.mpi, APPLIED, 2)->retired_into, 0);
    assert_int_equal(world_person(&world, "1"), 2);
    assert_fails(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result), "mpi.merge-cycle");
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "3", &result));
    assert_int_equal(entry_at(world.mpi, APPLIED, 3)->retired_into, 1);
    assert_int_equal(world_person(&world, "3"), 2);
    assert_ok(&world.support,
              world_steward(&world, MPI_DECISION_UNDO, 0, 0, merge, &result)); /* the older holds again */
    assert_int_equal(entry_at(world.mpi, APPLIED, 1)->retired_into, 0);
    assert_int_equal(entry_at(world.mpi, APPLIED, 2)->retired_into, 1);
    assert_int_equal(world_person(&world, "3"), 1);
    world_fini(&world);
}

static bool collect_row(void *arg, struct str key, struct str row)
{
    struct buf *out = arg;
    buf_put_lstr(out, key);
    buf_put_lstr(out, row);
    return true;
}

static void collect_state(struct world *world, struct buf *out)
{
    static const char *const tables[] = {"mpi.record", "mpi.version", "mpi.member", "mpi.edge"};
    world_commit(world);
    for (size_t i = 0; i < 4; i++)
        assert_ok(&world->support, data_scan(data_table(world->store, tables[i]), &world->support.cx, STR_NONE,
                                             STR_NONE, collect_row, out));
}

static void test_merge_and_unmerge__leave_every_row_as_it_was_history_aside(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        add(&world, id, i % 3 == 0);
    }
    SCOPED(buf_fini) struct buf before = {0};
    collect_state(&world, &before);
    for (uint64_t left = 1; left <= 8; left++) {
        for (uint64_t right = 1; right <= 8; right++) {
            if (left == right)
                continue;
            char left_id[16], right_id[16];
            snprintf(left_id, sizeof left_id, "%d", (int)left - 1);
            snprintf(right_id, sizeof right_id, "%d", (int)right - 1);
            struct mpi_result result;
            enum mpi_decision_kind kind = (left + right) % 3 == 0 ? MPI_DECISION_LINK : MPI_DECISION_MERGE;
            assert_ok(&world.support, world_message(&world, kind, left_id, right_id, &result));
            assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, world.seq, &result));
            SCOPED(buf_fini) struct buf after = {0};
            collect_state(&world, &after);
            assert_true(str_eq(buf_str(&before), buf_str(&after)));
        }
    }
    world_fini(&world);
}

static void test_link_and_unlink__newest_wins_and_unlink_pins(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", false);
    add(&world, "3", true);
    struct mpi_result result;
    assert_fails(&world.support, world_message(&world, MPI_DECISION_UNLINK, "1", "2", &result), "mpi.link-missing");
    assert_ok(&world.support, world_message(&world, MPI_DECISION_LINK, "1", "2", &result));
    assert_int_equal(world_person(&world, "2"), 1);
    assert_ok(&world.support, world_message(&world, MPI_DECISION_UNLINK, "1", "2", &result));
    uint64_t unlink = world.seq;
    assert_int_equal(world_person(&world, "2"), 2);
    assert_ok(&world.support,
              world_message(&world, MPI_DECISION_UNLINK, "1", "3", &result)); /* linked by evidence only */
    assert_int_equal(world_person(&world, "3"), 3);
    add(&world, "3", true); /* new data do not lift the pin */
    assert_int_equal(world_person(&world, "3"), 3);
    assert_ok(&world.support,
              world_steward(&world, MPI_DECISION_UNDO, 0, 0, unlink, &result)); /* brings the link back */
    assert_int_equal(world_person(&world, "2"), 1);
    world_fini(&world);
}

static void test_steward__different_beats_evidence_and_the_newer_decision_wins(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", true);
    struct mpi_result result;
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_DIFFERENT, 1, 2, 0, &result));
    assert_int_equal(world_person(&world, "2"), 2);
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_SAME, 2, 1, 0, &result));
    assert_int_equal(world_person(&world, "2"), 1);
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, world.seq, &result));
    assert_int_equal(world_person(&world, "2"), 2);
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_SAME, 1, 9, 0, &result), "mpi.record-unknown");
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_SAME, 1, 1, 0, &result), "mpi.merge-self");
    world_fini(&world);
}

static void test_review__opens_once_closes_by_decision_and_opens_again_when_that_is_undone(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human one = {.id = "1", .family = "Smith", .given = "John", .birth = "19700505", .sex = 'M'}, two = one;
    two.id = "2";
    (void)world_apply(&world, &one);
    struct mpi_result result = world_apply(&world, &two);
    assert_int_equal(result.verdict, MPI_VERDICT_REVIEW);
    uint64_t id = result.review;
    two.city = "Leeds";
    assert_int_equal(world_apply(&world, &two).review, 0); /* already asked */
    world_commit(&world);
    struct mpi_review review;
    struct mpi_review_page page;
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, 10, 0, &page));
    assert_int_equal(page.count, 1);
    assert_int_equal(page.reviews[0].id, id);
    assert_int_equal(page.reviews[0].state, MPI_REVIEW_OPEN);
    assert_int_equal(mpi_count(world.mpi).reviews_open, 1);
    world.support.cx.principal = STR("steward anna");
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_DIFFERENT, 1, 2, 0, &result));
    uint64_t decision = world.seq;
    world_reopen(&world);
    assert_ok(&world.support, mpi_review(world.mpi, &world.support.cx, id, &review));
    assert_int_equal(review.state, MPI_REVIEW_DIFFERENT);
    assert_int_equal(review.decision, decision);
    assert_str(review.decided_by, "steward anna");
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, 10, 0, &page));
    assert_int_equal(page.count, 0);
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, decision, &result));
    world_commit(&world);
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, 10, 0, &page));
    assert_int_equal(page.count, 1);
    assert_fails(&world.support, mpi_review(world.mpi, &world.support.cx, 12345, &review), "mpi.review-unknown");
    world_fini(&world);
}

/* One entry of many who are alike: as many questions as when they come one by one. */
static void test_reviews__of_one_entry_are_all_asked(void **state)
{
    (void)state;
    for (int one_entry = 0; one_entry < 2; one_entry++) {
        struct world world;
        world_init(&world);
        enum { ALIKE = 40 };
        for (unsigned i = 0; i < ALIKE; i++) {
            char id[8];
            snprintf(id, sizeof id, "%u", i);
            struct human john = {.id = id, .family = "Smith", .given = "John", .birth = "19700505", .sex = 'M'};
            (void)world_apply(&world, &john);
            world.seq -= one_entry && i + 1 < ALIKE;
        }
        world_commit(&world);
        assert_int_equal(mpi_count(world.mpi).reviews_open, ALIKE - 1);
        world_reopen(&world);
        assert_int_equal(mpi_count(world.mpi).reviews_open, ALIKE - 1);
        world_fini(&world);
    }
}

static struct mpi_result apply_alike(struct world *world, unsigned number, const char *prefix, uint64_t seq)
{
    char id[16], birth[9];
    snprintf(id, sizeof id, "%s%u", prefix, number);
    alike_birth(number, birth);
    struct human human = {
        .id = id, .family = alike_family(number), .given = alike_given(number), .birth = birth, .sex = 'M'};
    world->seq = seq - 1; /* many of one entry */
    return world_apply(world, &human);
}

static void test_reviews_of_one_entry__are_opened_for_every_record(void **state)
{
    (void)state;
    enum { MANY = 2500 };
    struct world world;
    world_init(&world);
    for (unsigned i = 0; i <= MANY; i++)
        (void)apply_alike(&world, i, "A", 1 + i / 500);
    uint64_t before = mpi_count(world.mpi).reviews_open, seq = 100;
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(apply_alike(&world, i, "B", seq).review, seq * REVIEW_NUMBERS + i);
    struct mpi_result next = apply_alike(&world, MANY, "B", seq + 1);
    assert_int_equal(next.review, (seq + 1) * REVIEW_NUMBERS);
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).reviews_open, before + MANY + 1);
    world_fini(&world);
}

static void test_reviews__every_page_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    enum { MANY = 25 };
    struct world world;
    struct mpi_review_page whole, page;
    world_init(&world);
    for (unsigned i = 0; i < MANY; i++)
        (void)apply_alike(&world, i, "A", 1);
    for (unsigned i = 0; i < MANY; i++)
        (void)apply_alike(&world, i, "B", 2);
    world_commit(&world);
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, MANY, 0, &whole));
    assert_int_equal(whole.count, MANY);
    assert_int_equal(whole.next, 0);
    for (size_t max = 1; max <= MANY; max++) {
        size_t seen = 0;
        page.next = 0;
        do {
            assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, max, page.next, &page));
            assert_true(page.count > 0 && page.count <= max);
            for (size_t i = 0; i < page.count; i++)
                assert_int_equal(page.reviews[i].id, whole.reviews[seen++].id);
        } while (page.next);
        assert_int_equal(seen, MANY);
    }
    /* the page ended with a review that is answered meanwhile */
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, 3, 0, &page));
    const struct mpi_review *last = &page.reviews[2];
    struct mpi_result result;
    world.seq = 2;
    assert_ok(&world.support,
              world_steward(&world, MPI_DECISION_DIFFERENT, last->left_record, last->right_record, 0, &result));
    world_commit(&world);
    assert_ok(&world.support, mpi_reviews(world.mpi, &world.support.cx, MANY, page.next, &page));
    assert_int_equal(page.count, MANY - 3);
    assert_int_equal(page.reviews[0].id, whole.reviews[3].id);
    assert_fails(&world.support, mpi_reviews(world.mpi, &world.support.cx, 3, 12345, &page), "mpi.review-unknown");
    world_fini(&world);
}

/* A review that has become moot keeps nobody from asking about the same two persons. */
static void test_review__is_opened_beside_a_moot_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human john = {.id = "1", .family = "Smith", .given = "John", .birth = "19700505", .sex = 'M'}, two = john;
    struct human stranger = {.id = "1", .family = "Nakamura", .given = "Kenta", .birth = "19880309", .sex = 'M'};
    two.id = "2";
    (void)world_apply(&world, &john);
    assert_true(world_apply(&world, &two).review != 0);
    (void)world_apply(&world, &stranger); /* record 1 was somebody else's all the time: the review is moot */
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).reviews_open, 0);
    stranger.id = "3";
    (void)world_apply(&world, &stranger);
    assert_int_equal(world_person(&world, "3"), 1);
    struct mpi_result result;
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_SAME, 1, 3, 0, &result));
    john.id = "3";
    assert_true(world_apply(&world, &john).review != 0); /* persons 1 and 2 again, for another reason */
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).reviews_open, 1);
    world_fini(&world);
}

static void test_history__keeps_the_newest_of_very_many_events(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human one = {.id = "1", .family = "Smith", .given = "John", .birth = "19700505", .sex = 'M'};
    enum { UPDATES = 10005 };
    for (unsigned i = 0; i < UPDATES; i++) {
        one.city = i % 2 ? "Leeds" : "York";
        struct arena_mark mark = arena_mark(world.support.cx.arena);
        (void)world_apply(&world, &one);
        arena_rewind(world.support.cx.arena, mark);
    }
    world_commit(&world);
    struct mpi_event *events;
    size_t count;
    bool older;
    assert_ok(&world.support, mpi_history(world.mpi, &world.support.cx, 1, NULL, &events, &count, &older));
    assert_true(older);
    assert_int_equal(count, 10000);
    assert_int_equal(events[count - 1].seq, UPDATES);
    assert_int_equal(events[0].seq, UPDATES - 10000 + 1);
    struct mpi_event *older_events;
    assert_ok(&world.support, mpi_history(world.mpi, &world.support.cx, 1, &events[0], &older_events, &count, &older));
    assert_false(older);
    assert_int_equal(count, UPDATES - 10000);
    assert_int_equal(older_events[0].nth, 0);
    assert_int_equal(older_events[count - 1].seq, UPDATES - 10000);
    world_fini(&world);
}

static void test_history__tells_what_happened_oldest_first(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, "1", true);
    add(&world, "2", false);
    struct mpi_result result;
    assert_ok(&world.support, world_message(&world, MPI_DECISION_MERGE, "1", "2", &result));
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, world.seq, &result));
    world_commit(&world);
    struct mpi_event *events;
    size_t count;
    bool older;
    assert_ok(&world.support, mpi_history(world.mpi, &world.support.cx, 2, NULL, &events, &count, &older));
    assert_false(older);
    static const char *const want[] = {"record created", "merged", "moved to another person", "decision undone",
                                       "moved to another person"};
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(events[i].what, want[i]);
    for (size_t at = 0; at < 5; at++) { /* a page that ends anywhere leaves out what comes from there on, no more */
        struct mpi_event *part;
        assert_ok(&world.support, mpi_history(world.mpi, &world.support.cx, 2, &events[at], &part, &count, &older));
        assert_int_equal(count, at);
        for (size_t i = 0; i < count; i++)
            assert_true(part[i].seq == events[i].seq && part[i].record == events[i].record &&
                        part[i].nth == events[i].nth && part[i].what == events[i].what);
    }
    assert_fails(&world.support, mpi_history(world.mpi, &world.support.cx, 99, NULL, &events, &count, &older),
                 "mpi.person-unknown");
    world_fini(&world);
}

static void apply_strangers(struct world *world, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char id[12];
        snprintf(id, sizeof id, "%u", i);
        (void)world_apply(world, &(struct human){.id = id});
    }
}

static void test_decisions_of_one_entry__are_taken_up_to_the_most_and_refused_past_it(void **state)
{
    (void)state;
    struct world world;
    struct mpi_result result;
    world_init(&world);
    apply_strangers(&world, DECISIONS_PER_ENTRY + 2);
    uint64_t entry = world.seq + 1;
    for (unsigned i = 0; i < DECISIONS_PER_ENTRY; i++) {
        world.seq = entry - 1;
        assert_ok(&world.support, world_steward(&world, MPI_DECISION_DIFFERENT, i + 1, i + 2, 0, &result));
    }
    world.seq = entry - 1;
    assert_fails(
        &world.support,
        world_steward(&world, MPI_DECISION_DIFFERENT, DECISIONS_PER_ENTRY + 1, DECISIONS_PER_ENTRY + 2, 0, &result),
        "mpi.too-many");
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_DIFFERENT, DECISIONS_PER_ENTRY + 1,
                                            DECISIONS_PER_ENTRY + 2, 0, &result));
    world_fini(&world);
}

static void test_decisions__tie_as_many_records_as_they_may_and_not_one_more(void **state)
{
    (void)state;
    struct world world;
    struct mpi_result result;
    world_init(&world);
    apply_strangers(&world, FORCED_MAX + 1);
    for (unsigned i = 1; i < FORCED_MAX; i++)
        assert_ok(&world.support, world_steward(&world, MPI_DECISION_SAME, i, i + 1, 0, &result));
    assert_int_equal(world_person(&world, "512"), world_person(&world, "1"));
    assert_fails(&world.support, world_steward(&world, MPI_DECISION_SAME, FORCED_MAX, FORCED_MAX + 1, 0, &result),
                 "mpi.too-many");
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_DIFFERENT, FORCED_MAX, FORCED_MAX + 1, 0, &result));
    world_commit(&world);
    assert_int_equal(mpi_count(world.mpi).persons, 2);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge__retires_the_right_identifier_and_later_messages_do_not_revive_it),
        cmocka_unit_test(test_merge__refuses_what_makes_no_sense),
        cmocka_unit_test(test_merge__of_unknown_identifiers_makes_records_so_that_order_does_not_matter),
        cmocka_unit_test(test_unmerge__gives_back_the_earlier_persons_whatever_happened_since),
        cmocka_unit_test(test_merges__of_two_into_each_other_retire_one_of_them),
        cmocka_unit_test(test_merge_and_unmerge__leave_every_row_as_it_was_history_aside),
        cmocka_unit_test(test_link_and_unlink__newest_wins_and_unlink_pins),
        cmocka_unit_test(test_steward__different_beats_evidence_and_the_newer_decision_wins),
        cmocka_unit_test(test_review__opens_once_closes_by_decision_and_opens_again_when_that_is_undone),
        cmocka_unit_test(test_reviews__of_one_entry_are_all_asked),
        cmocka_unit_test(test_reviews_of_one_entry__are_opened_for_every_record),
        cmocka_unit_test(test_reviews__every_page_goes_on_where_the_last_one_ended),
        cmocka_unit_test(test_review__is_opened_beside_a_moot_one),
        cmocka_unit_test(test_decisions_of_one_entry__are_taken_up_to_the_most_and_refused_past_it),
        cmocka_unit_test(test_decisions__tie_as_many_records_as_they_may_and_not_one_more),
        cmocka_unit_test(test_history__keeps_the_newest_of_very_many_events),
        cmocka_unit_test(test_history__tells_what_happened_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
