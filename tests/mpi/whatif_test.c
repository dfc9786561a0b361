/* What another model would change, against counting every pair. */
#include "asked.h"
#include "random_history.h"
#include "study_internal.h"

#include "mpi/whatif.h"

enum { PEOPLE = 120 };

static struct mpi_study *make_study(struct support *support, uint64_t seed)
{
    struct mpi_study *study = mpi_study_new();
    for (uint32_t i = 0; i < PEOPLE; i++) {
        struct person_text text;
        struct said said;
        uint32_t record;
        people_make(&seed, i, (uint32_t)(hash_random(&seed) % 40), &text);
        said_fill(&said, &text.human);
        assert_ok(support, mpi_study_add(study, &support->cx, &said.input, &record));
    }
    return study;
}

static struct mpi_model *make_model(struct support *support, int32_t prior_mbit, int32_t auto_mbit)
{
    SCOPED(buf_fini) struct buf text = {0};
    struct mpi_model *model;
    mpi_model_write(mpi_model_general(), &text);
    assert_ok(support, mpi_model_read(&support->cx, buf_str(&text), &model));
    model->prior_mbit = prior_mbit;
    model->auto_mbit = auto_mbit;
    return model;
}

struct plain {
    uint32_t person[PEOPLE + 1];
    bool asks[PEOPLE + 1][PEOPLE + 1]; /* by person */
};

static void take_plain(struct mpi_study *study, const struct mpi_model *model, struct plain *out)
{
    memset(out, 0, sizeof *out);
    mpi_study_link(study, model);
    for (uint32_t i = 1; i <= PEOPLE; i++)
        out->person[i] = mpi_study_person(study, i);
    struct asked_pair *best = asked_all(study->mpi);
    for (uint32_t i = 1; i <= PEOPLE; i++) {
        uint32_t a = out->person[best[i].low], b = out->person[best[i].high];
        if (best[i].low != 0)
            out->asks[a < b ? a : b][a < b ? b : a] = true;
    }
    mem_free(best);
}

/* Answers how many records would change company. */
static size_t check(struct support *support, uint64_t seed, const struct mpi_model *before,
                    const struct mpi_model *after)
{
    static struct plain old, new;
    struct mpi_study *study = make_study(support, seed);
    take_plain(study, before, &old);
    take_plain(study, after, &new);
    struct mpi_whatif want = {0}, have;
    bool moves[PEOPLE + 1] = {0};
    for (uint32_t a = 1; a <= PEOPLE; a++) {
        want.persons_before += old.person[a] == a;
        want.persons_after += new.person[a] == a;
        for (uint32_t b = 1; b <= PEOPLE; b++) {
            bool one_before = old.person[a] == old.person[b], one_after = new.person[a] == new.person[b];
            want.pairs_before += a < b && one_before;
            want.pairs_after += a < b && one_after;
            want.pairs_joined += a < b && one_after && !one_before;
            want.pairs_parted += a < b && one_before && !one_after;
            want.questions_before += old.asks[a][b];
            want.questions_after += new.asks[a][b];
            want.questions_opened += new.asks[a][b] && !old.asks[a][b];
            want.questions_closed += old.asks[a][b] && !new.asks[a][b];
            moves[a] |= one_before != one_after;
        }
    }
    assert_ok(support, mpi_study_whatif(study, &support->cx, before, after, &have));
    assert_int_equal(have.persons_before, want.persons_before);
    assert_int_equal(have.persons_after, want.persons_after);
    assert_int_equal(have.pairs_before, want.pairs_before);
    assert_int_equal(have.pairs_after, want.pairs_after);
    assert_int_equal(have.pairs_joined, want.pairs_joined);
    assert_int_equal(have.pairs_parted, want.pairs_parted);
    assert_int_equal(have.questions_before, want.questions_before);
    assert_int_equal(have.questions_after, want.questions_after);
    assert_int_equal(have.questions_opened, want.questions_opened);
    assert_int_equal(have.questions_closed, want.questions_closed);
    uint32_t groups = 0;
    for (size_t i = 0; i < have.line_count; i++) {
        const struct mpi_whatif_line *line = &have.lines[i], *last = i ? line - 1 : NULL;
        groups += last == NULL || last->group != line->group;
        assert_true(last == NULL || last->group < line->group ||
                    (last->group == line->group && last->record < line->record));
        assert_int_equal(line->before, old.person[line->record]);
        assert_int_equal(line->after, new.person[line->record]);
        moves[line->record] = false;
    }
    assert_int_equal(groups, have.groups);
    for (uint32_t i = 1; i <= PEOPLE; i++)
        assert_false(moves[i]); /* whoever moves is listed */
    size_t lines = have.line_count;
    mpi_whatif_fini(&have);
    mpi_study_free(study);
    return lines;
}

static void test_whatif__equals_counting_every_pair(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_model *bold = make_model(&support, -9000, 3000), *shy = make_model(&support, -30000, 9966);
    size_t lines = 0;
    for (uint64_t seed = 1; seed < 6; seed++) {
        lines += check(&support, seed, mpi_model_general(), bold);
        lines += check(&support, seed, bold, shy);
        lines += check(&support, seed, shy, mpi_model_general());
        assert_int_equal(check(&support, seed, bold, bold), 0);
    }
    assert_true(lines > 100);
    mpi_model_free(bold);
    mpi_model_free(shy);
    support_fini(&support);
}

static void test_whatif__of_nobody_is_nothing(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = mpi_study_new();
    struct mpi_whatif whatif;
    assert_ok(&support, mpi_study_whatif(study, &support.cx, mpi_model_general(), mpi_model_general(), &whatif));
    assert_int_equal(whatif.persons_before + whatif.persons_after + whatif.groups + whatif.line_count, 0);
    mpi_whatif_fini(&whatif);
    mpi_study_free(study);
    support_fini(&support);
}

/* Would the study ask what the index asks? */
static void check_asked(const struct mpi_study *study, const struct mpi *mpi)
{
    uint64_t asked = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *review = CHUNK_AT(&mpi->asked, i);
        assert_int_equal(review->open_applied, index_asks(study->mpi, review->left, review->right));
    }
    for (uint32_t person = 1; person <= mpi_study_records(study); person++) {
        struct mpi_study_pair pair;
        if (!mpi_study_question(study, person, &pair))
            continue;
        struct question theirs = index_question(study->mpi, mpi_study_person(study, pair.left) == person
                                                                ? mpi_study_person(study, pair.right)
                                                                : mpi_study_person(study, pair.left));
        bool both = (theirs.record == pair.left && theirs.other == pair.right) ||
                    (theirs.record == pair.right && theirs.other == pair.left);
        asked += both ? 1 : 2; /* in halves */
    }
    assert_int_equal(asked, 2 * mpi->applied.reviews_open);
}

/* A study of the people of an index, with what stewards and messages decided, has the index's persons. */
static void test_copy__of_an_index_has_the_same_persons(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++) {
        struct world world;
        world_init(&world);
        uint64_t random = seed;
        for (int step = 0; step < 200; step++)
            history_step(&world, &random);
        world_commit(&world);
        struct mpi_study *study = mpi_study_new(), *matched = mpi_study_new();
        assert_ok(&world.support, mpi_study_copy(study, &world.support.cx, world.mpi, MPI_COPY_ALL));
        assert_ok(&world.support, mpi_study_copy(matched, &world.support.cx, world.mpi, MPI_COPY_MATCHED));
        mpi_study_link(study, mpi_model_general());
        assert_int_equal(mpi_study_records(study), world.mpi->applied.records);
        uint32_t active = 0;
        for (uint32_t record = 1; record <= mpi_study_records(study); record++) {
            assert_int_equal(mpi_study_person(study, record), mpi_applied_person(world.mpi, record));
            active += entry_at(world.mpi, SHOWN, record)->row != NULL;
        }
        assert_int_equal(mpi_study_records(matched), active);
        check_asked(study, world.mpi);
        mpi_study_free(matched);
        mpi_study_free(study);
        world_fini(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whatif__equals_counting_every_pair),
                                       cmocka_unit_test(test_whatif__of_nobody_is_nothing),
                                       cmocka_unit_test(test_copy__of_an_index_has_the_same_persons)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
