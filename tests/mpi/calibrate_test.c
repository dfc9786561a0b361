/* What stewards said against what the active model thinks: counted by hand. */
#include "mpi/calibrate.h"

#include "people.h"

static const struct human anna = {.id = "1", .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F'},
                          again = {.id = "2", .family = "Lindqvist", .given = "Ana", .birth = "19800229", .sex = 'F'},
                          other = {.id = "3", .family = "Lindqvist", .given = "Anna", .birth = "19610711", .sex = 'F'},
                          chidi = {.id = "4", .family = "Okonkwo", .given = "Chidi", .birth = "19750304", .sex = 'M'};

static size_t band_of(struct world *world, uint32_t left, uint32_t right, uint32_t *out_ppm)
{
    struct levels levels;
    compare_rows(entry_at(world->mpi, SHOWN, left)->row, entry_at(world->mpi, SHOWN, right)->row, &levels);
    *out_ppm = probability_ppm(weigh_levels(world->mpi->model_shown, &levels));
    return mpi_calibration_band(*out_ppm);
}

static struct mpi_reviewed calibrate(struct world *world)
{
    struct mpi_reviewed reviewed;
    world_commit(world);
    assert_ok(&world->support, mpi_calibrate(world->mpi, &world->support.cx, &reviewed));
    return reviewed;
}

static uint64_t decided_of(const struct mpi_reviewed *reviewed, uint64_t *out_right)
{
    uint64_t pairs = 0;
    *out_right = 0;
    for (size_t i = 0; i < MPI_BANDS; i++) {
        pairs += reviewed->decided.bands[i].pairs;
        *out_right += reviewed->decided.bands[i].right;
    }
    return pairs;
}

static void steward(struct world *world, enum mpi_decision_kind kind, uint64_t left, uint64_t right)
{
    struct mpi_result result;
    assert_ok(&world->support, world_steward(world, kind, left, right, 0, &result));
}

static void test_calibration__is_of_what_stewards_said_and_stands(void **state)
{
    (void)state;
    struct world world;
    struct mpi_result result;
    uint64_t right, decided_at;
    uint32_t ppm_same, ppm_other;
    world_init(&world);
    (void)world_apply(&world, &anna);
    (void)world_apply(&world, &again);
    (void)world_apply(&world, &other);
    (void)world_apply(&world, &chidi);
    struct mpi_reviewed reviewed = calibrate(&world);
    assert_int_equal(decided_of(&reviewed, &right), 0);
    assert_true(mpi_reviewed_error(&reviewed) == 0);
    steward(&world, MPI_DECISION_SAME, 1, 2);
    steward(&world, MPI_DECISION_DIFFERENT, 1, 3);
    assert_ok(&world.support, world_message(&world, MPI_DECISION_LINK, "1", "4", &result)); /* no judgement */
    reviewed = calibrate(&world);
    assert_int_equal(decided_of(&reviewed, &right), 2);
    assert_int_equal(right, 1);
    size_t same = band_of(&world, 1, 2, &ppm_same), apart = band_of(&world, 1, 3, &ppm_other);
    assert_int_not_equal(same, apart);
    assert_int_equal(reviewed.decided.bands[same].right, 1);
    assert_int_equal(reviewed.decided.bands[same].ppm_sum, ppm_same);
    assert_int_equal(reviewed.decided.bands[apart].pairs, 1);
    assert_int_equal(reviewed.decided.bands[apart].right, 0);
    assert_int_equal(reviewed.decided.bands[apart].ppm_sum, ppm_other);
    decided_at = world.seq - 1;
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_UNDO, 0, 0, decided_at, &result)); /* the second */
    reviewed = calibrate(&world);
    assert_int_equal(decided_of(&reviewed, &right), 1);
    steward(&world, MPI_DECISION_DIFFERENT, 1, 2); /* the later one counts */
    reviewed = calibrate(&world);
    assert_int_equal(decided_of(&reviewed, &right), 1);
    assert_int_equal(right, 0);
    struct said said;
    said_fill(&said, &again);
    said.input.deactivate = true;
    assert_ok(&world.support,
              mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result));
    reviewed = calibrate(&world);
    assert_int_equal(decided_of(&reviewed, &right), 0);
    assert_int_equal(reviewed.left_out, 1);
    world_fini(&world);
}

static void test_pairs_there__are_those_of_the_index_in_each_band(void **state)
{
    (void)state;
    enum { RECORDS = 200, HUMANS = 90 };
    struct world world;
    struct person_text text;
    uint64_t seed = 3, alike = 0, counted = 0;
    world_init(&world);
    for (uint32_t i = 0; i < RECORDS; i++) {
        people_make(&seed, i, i % HUMANS, &text);
        (void)world_apply(&world, &text.human);
    }
    struct mpi_reviewed reviewed = calibrate(&world);
    uint64_t want[MPI_BANDS] = {0};
    for (uint32_t left = 1; left <= RECORDS; left++)
        for (uint32_t right = left + 1; right <= RECORDS; right++) {
            const struct edge *edge = index_edge(world.mpi, SHOWN, left, right);
            if (edge)
                want[mpi_calibration_band(probability_ppm(edge->score_mbit))]++;
            alike += edge != NULL;
        }
    for (size_t i = 0; i < MPI_BANDS; i++) {
        assert_int_equal(reviewed.there[i], want[i]);
        counted += want[i] > 0;
    }
    assert_true(alike > 100 && counted >= 3);
    world_fini(&world);
}

/* Two bands: 4 pairs said .5 of which 1 is right, there are 100; 2 pairs said .95, all right, there are 300. */
static void test_error__weighs_bands_by_how_many_there_are(void **state)
{
    (void)state;
    struct mpi_reviewed reviewed = {0};
    for (size_t i = 0; i < 4; i++)
        mpi_calibration_add(&reviewed.decided, 500000, i == 0);
    for (size_t i = 0; i < 2; i++)
        mpi_calibration_add(&reviewed.decided, 950000, true);
    reviewed.there[mpi_calibration_band(500000)] = 100;
    reviewed.there[mpi_calibration_band(950000)] = 300;
    reviewed.there[0] = 1000; /* nobody decided there */
    double error = mpi_reviewed_error(&reviewed), plain = mpi_calibration_error(&reviewed.decided);
    assert_true(error > .0999 && error < .1001); /* (100 * .25 + 300 * .05) / 400 */
    assert_true(plain > .1833 && plain < .1834); /* (4 * .25 + 2 * .05) / 6 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration__is_of_what_stewards_said_and_stands),
        cmocka_unit_test(test_pairs_there__are_those_of_the_index_in_each_band),
        cmocka_unit_test(test_error__weighs_bands_by_how_many_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
