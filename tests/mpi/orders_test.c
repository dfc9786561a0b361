/*
 * Any order of arrival gives the same index: who is one person, who was retired, which pairs are alike and how much,
 * which questions are open. Orders differ in who comes when, how many come in one call, from which source, when it is
 * committed, when the store is opened again; and each is what everybody put side by side at once gives.
 *
 * IDEM_ORDERS says how many, an argument which of the sets ("*crowd*").
 */
#include "batch.h"
#include "orders.h"

#include "mpi/study.h"

enum { ORDERS = 12 };

struct telling {
    const struct set *set;
    struct world world;
    uint64_t random;
    uint32_t order[SET_MAX];
    uint32_t record[SET_MAX], place[2 * SET_MAX]; /* of each of the set its record, and the other way round; 0 none */
    bool told[SET_MAX];
    uint32_t decided;
};

static uint64_t below(struct telling *telling, uint64_t end)
{
    return hash_random(&telling->random) % end;
}

/* ---- one order ---- */

static int by_source(const void *left, const void *right, void *arg)
{
    const struct telling *telling = arg;
    const struct told *a = &telling->set->told[*(const uint32_t *)left],
                      *b = &telling->set->told[*(const uint32_t *)right];
    int order = str_cmp(a->numbers[0].authority, b->numbers[0].authority);
    return order ? order : *(const uint32_t *)left < *(const uint32_t *)right ? -1 : 1;
}

/* Shuffled; or as it stands, forwards or backwards, from somewhere on; or source after source. */
static void choose_order(struct telling *telling)
{
    uint32_t count = telling->set->count, from = (uint32_t)below(telling, count);
    uint64_t kind = below(telling, 8);
    for (uint32_t i = 0; i < count; i++)
        telling->order[i] = kind == 0 ? (i + from) % count : kind == 1 ? (count - i + from) % count : i;
    if (kind == 2)
        qsort_r(telling->order, count, sizeof telling->order[0], by_source, telling);
    for (uint32_t i = count; i > 1 && kind > 2; i--) {
        uint32_t k = (uint32_t)below(telling, i), swap = telling->order[i - 1];
        telling->order[i - 1] = telling->order[k];
        telling->order[k] = swap;
    }
}

static void tell(struct telling *telling, uint32_t place)
{
    struct world *world = &telling->world;
    struct mpi_record_input input = telling->set->told[place].input;
    struct mpi_result result;
    input.source = below(telling, 2) ? STR("one feed") : STR("another"); /* who brings it says nothing about it */
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, world->seq, &input, &result));
    telling->record[place] = (uint32_t)result.record;
    telling->told[place] = true;
}

/* Of a merge both sides may still be unknown; its records are filled in when they come. */
static bool may_decide(const struct telling *telling, const struct set_decision *next)
{
    return next->kind == MPI_DECISION_MERGE || (telling->told[next->left] && telling->told[next->right]);
}

static void decide_next(struct telling *telling)
{
    struct world *world = &telling->world;
    const struct set_decision *next = &telling->set->decisions[telling->decided++];
    const struct mpi_identifier *left = telling->set->told[next->left].numbers,
                                *right = telling->set->told[next->right].numbers;
    struct mpi_result result;
    world->seq++;
    if (next->kind == MPI_DECISION_SAME || next->kind == MPI_DECISION_DIFFERENT)
        assert_ok(&world->support, world_steward(world, next->kind, telling->record[next->left],
                                                 telling->record[next->right], 0, &result));
    else
        assert_ok(&world->support, mpi_apply_identifier_decision(world->mpi, world->txn, &world->support.cx, world->seq,
                                                                 next->kind, STR("test"), left[0], right[0], &result));
}

/* Decisions keep their order: the newest wins. */
static void decide_some(struct telling *telling, bool all)
{
    while (telling->decided < telling->set->decision_count) {
        const struct set_decision *next = &telling->set->decisions[telling->decided];
        if (!may_decide(telling, next) || (!all && below(telling, 20) != 0))
            return;
        decide_next(telling);
    }
}

static void end_entry(struct telling *telling, uint32_t told)
{
    uint64_t what = below(telling, 64);
    if (what < 16)
        world_commit(&telling->world);
    else if (what == 16 && told > 0)
        world_reopen(&telling->world);
}

static void tell_all(struct telling *telling, const struct set *set, uint64_t seed)
{
    *telling = (struct telling){.set = set, .random = seed};
    choose_order(telling);
    world_init_capped(&telling->world, set->block_cap);
    uint32_t calls = (uint32_t)(1 + below(telling, 50));
    for (uint32_t at = 0; at < set->count;) {
        struct arena_mark mark = arena_mark(telling->world.support.cx.arena);
        telling->world.seq++;
        for (uint64_t more = 1 + below(telling, calls); more > 0 && at < set->count; more--)
            tell(telling, telling->order[at++]);
        if (below(telling, 4) == 0) /* a call sent twice */
            tell(telling, telling->order[at - 1]);
        decide_some(telling, false);
        end_entry(telling, at);
        arena_rewind(telling->world.support.cx.arena, mark);
    }
    decide_some(telling, true);
    world_commit(&telling->world);
    for (uint32_t i = 0; i < set->count; i++)
        telling->place[telling->record[i]] = i + 1;
}

/* ---- what came of it, in words of the set ---- */

static int by_number(const void *left, const void *right)
{
    return memcmp(left, right, 2 * sizeof(uint32_t)); /* any order will do */
}

static void put_pairs(struct buf *out, const char *what, uint32_t (*pairs)[3], size_t count)
{
    qsort(pairs, count, sizeof pairs[0], by_number);
    buf_printf(out, "%s", what);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, " %u-%u:%d", pairs[i][0], pairs[i][1], (int32_t)pairs[i][2]);
    buf_printf(out, "\n");
}

/* Of one person everybody has its first of the set. */
static void put_persons(const struct telling *telling, struct buf *out)
{
    const struct mpi *mpi = telling->world.mpi;
    for (uint32_t i = 0; i < telling->set->count; i++) {
        const struct entry *entry = entry_at(mpi, APPLIED, telling->record[i]);
        uint32_t first = 0;
        while (entry_at(mpi, APPLIED, telling->record[first])->person != entry->person)
            first++;
        buf_printf(out, "%u is %u retired into %u\n", i, first,
                   entry->retired_into ? telling->place[entry->retired_into] : 0);
    }
}

static void put_pair(const struct telling *telling, uint32_t left, uint32_t right, int32_t score, uint32_t out[3])
{
    uint32_t a = telling->place[left], b = telling->place[right];
    out[0] = a < b ? a : b;
    out[1] = a < b ? b : a;
    out[2] = (uint32_t)score;
}

static void put_edges(const struct telling *telling, struct buf *out)
{
    const struct mpi *mpi = telling->world.mpi;
    static uint32_t pairs[SET_MAX * SET_MAX][3];
    size_t count = 0;
    for (uint32_t i = 1; i <= mpi->applied.records; i++) {
        const struct entry *entry = entry_at(mpi, APPLIED, i);
        for (uint32_t k = 0; k < entry->edge_count; k++)
            if (entry->edges[k].other > i)
                put_pair(telling, i, entry->edges[k].other, entry->edges[k].score_mbit, pairs[count++]);
    }
    put_pairs(out, "alike", pairs, count);
}

static void put_questions(const struct telling *telling, struct buf *out)
{
    const struct mpi *mpi = telling->world.mpi;
    static uint32_t pairs[SET_MAX * SET_MAX][3];
    size_t count = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *at = CHUNK_AT(&mpi->asked, i);
        if (at->open_applied)
            put_pair(telling, at->left, at->right, at->score_mbit, pairs[count++]);
    }
    put_pairs(out, "questions", pairs, count);
}

static void put_outcome(const struct telling *telling, struct buf *out)
{
    put_persons(telling, out);
    put_edges(telling, out);
    put_questions(telling, out);
}

/* ---- at once ---- */

/* Everybody and every decision copied, put side by side and clustered in one go. */
static void check_at_once(struct telling *telling, uint64_t seed)
{
    struct support *support = &telling->world.support;
    struct mpi *mpi = telling->world.mpi;
    struct mpi_study *study = mpi_study_new();
    assert_ok(support, mpi_study_copy(study, &support->cx, mpi, MPI_COPY_ALL));
    mpi_study_link(study, mpi_model_general());
    for (uint32_t i = 1; i <= mpi->applied.records; i++)
        if (mpi_study_person(study, i) != entry_at(mpi, APPLIED, i)->person)
            fail_msg("%s, order %llu: record %u is of person %u, at once of %u", telling->set->name,
                     (unsigned long long)seed, i, entry_at(mpi, APPLIED, i)->person, mpi_study_person(study, i));
    mpi_study_free(study);
}

static size_t first_difference(const struct buf *a, const struct buf *b)
{
    size_t at = 0;
    while (at < a->len && at < b->len && a->data[at] == b->data[at])
        at++;
    while (at > 0 && a->data[at - 1] != '\n' && a->data[at - 1] != ' ')
        at--;
    return at;
}

static void check_orders(const struct set *set)
{
    const char *said = getenv("IDEM_ORDERS");
    uint64_t orders = said ? strtoull(said, NULL, 10) : ORDERS;
    SCOPED(buf_fini) struct buf want = {0};
    static struct telling telling;
    for (uint64_t seed = 0; seed < orders; seed++) {
        SCOPED(buf_fini) struct buf have = {0};
        tell_all(&telling, set, seed * 2654435761u + 1);
        put_outcome(&telling, seed == 0 ? &want : &have);
        if (seed == 0) {
            batch_check(telling.world.mpi, set->name, seed, 0);
            print_message("%s: %u records of %llu persons\n", set->name, telling.world.mpi->applied.records,
                          (unsigned long long)telling.world.mpi->applied.persons);
        } else if (!str_eq(buf_str(&want), buf_str(&have))) {
            size_t at = first_difference(&want, &have);
            fail_msg("%s, order %llu: first \"%.60s\", now \"%.60s\"", set->name, (unsigned long long)seed,
                     want.data + at, have.data + at);
        }
        if (set->block_cap == BLOCK_CAP_DEFAULT) /* which a study has */
            check_at_once(&telling, seed);
        world_fini(&telling.world);
    }
}

/* With keys so few may hold that they are narrowed all the time, and as in life. */
static void check_set(struct set *set)
{
    check_orders(set);
    set->block_cap = BLOCK_CAP_DEFAULT;
    check_orders(set);
}

static void test_orders__of_made_people_make_no_difference(void **state)
{
    (void)state;
    struct support support;
    static struct set set;
    support_init(&support);
    set_of_made_people(&support.arena, 7, &set);
    check_set(&set);
    support_fini(&support);
}

static void test_orders__of_a_febrl_like_file_make_no_difference(void **state)
{
    (void)state;
    struct support support;
    static struct set set;
    support_init(&support);
    set_like_febrl(&support.arena, 3, &set);
    check_set(&set);
    support_fini(&support);
}

static void test_orders__of_hard_cases_and_decisions_make_no_difference(void **state)
{
    (void)state;
    struct support support;
    static struct set set;
    support_init(&support);
    set_of_cases(&support.arena, &set);
    check_set(&set);
    support_fini(&support);
}

static void test_orders__of_a_crowd_of_copies_and_twins_make_no_difference(void **state)
{
    (void)state;
    struct support support;
    static struct set set;
    support_init(&support);
    set_of_crowd(&support.arena, 5, &set);
    check_set(&set);
    support_fini(&support);
}

/* That it would be seen: of two decisions about the same two the newer one holds, so their order does make one. */
static void test_orders__of_two_decisions_make_a_difference(void **state)
{
    (void)state;
    struct support support;
    static struct set set;
    static struct telling telling;
    SCOPED(buf_fini) struct buf before = {0};
    SCOPED(buf_fini) struct buf after = {0};
    support_init(&support);
    set_of_cases(&support.arena, &set);
    tell_all(&telling, &set, 1);
    put_outcome(&telling, &before);
    world_fini(&telling.world);
    set.decision_count = 0;
    set_decide(&set, MPI_DECISION_SAME, 1, 2);
    for (uint32_t i = 0; i < 2; i++) {
        buf_clear(&after);
        tell_all(&telling, &set, 1);
        put_outcome(&telling, &after);
        assert_false(str_eq(buf_str(&before), buf_str(&after)));
        buf_clear(&before);
        buf_put_str(&before, buf_str(&after));
        world_fini(&telling.world);
        set_decide(&set, MPI_DECISION_DIFFERENT, 1, 2);
    }
    support_fini(&support);
}

int main(int count, char **words)
{
    if (count > 1)
        cmocka_set_test_filter(words[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders__of_made_people_make_no_difference),
        cmocka_unit_test(test_orders__of_a_febrl_like_file_make_no_difference),
        cmocka_unit_test(test_orders__of_hard_cases_and_decisions_make_no_difference),
        cmocka_unit_test(test_orders__of_a_crowd_of_copies_and_twins_make_no_difference),
        cmocka_unit_test(test_orders__of_two_decisions_make_a_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
