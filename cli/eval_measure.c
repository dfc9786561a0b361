#include "eval.h"

/* While the pairs that are alike go by. */
struct count {
    const struct eval_people *people;
    bool across;
    struct eval_report *report;
};

static uint32_t joined_with(uint32_t *joined, uint32_t person)
{
    while (joined[person] != person)
        person = joined[person] = joined[joined[person]];
    return person;
}

static void count_pair(void *arg, const struct mpi_study_pair *pair)
{
    struct count *count = arg;
    struct eval_report *report = count->report;
    const struct eval_person *left = &count->people->persons.at[pair->left - 1],
                             *right = &count->people->persons.at[pair->right - 1];
    bool is_right = left->truth && left->truth == right->truth;
    if (left->truth == 0 || right->truth == 0 || (count->across && left->file == right->file))
        return;
    report->alike++;
    report->alike_right += is_right;
    mpi_calibration_add(&report->calibration, pair->probability_ppm, is_right);
}

static void count_miss(void *arg, bool wrong, uint32_t left, uint32_t right, enum eval_cause cause)
{
    struct count *count = arg;
    if (!wrong) {
        count->report->causes[cause]++;
        return;
    }
    const struct eval_person *persons = count->people->persons.at;
    enum mpi_verdict verdict = mpi_study_verdict(count->people->study, left, right);
    count->report->wrong_by_themselves += verdict == MPI_VERDICT_LINKED;
    count->report->wrong_in_household +=
        persons[left - 1].household && persons[left - 1].household == persons[right - 1].household;
}

/* `joined` NULL: the clusters as they are. */
static void measure_joined(const struct eval_people *people, bool across, uint32_t *joined,
                           struct mpi_agreement *out_agreement)
{
    struct mpi_placed *placed = mem_array(people->persons.count + 1, sizeof *placed);
    size_t count = 0;
    for (uint32_t record = 1; record <= people->persons.count; record++) {
        const struct eval_person *person = &people->persons.at[record - 1];
        uint32_t found = mpi_study_person(people->study, record);
        if (person->truth)
            placed[count++] = (struct mpi_placed){.found = joined ? joined_with(joined, found) : found,
                                                  .truth = person->truth,
                                                  .group = across ? person->file : record};
    }
    mpi_measure_agreement(placed, count, out_agreement);
    mem_free(placed);
}

void eval_measure_clusters(const struct eval_people *people, bool across, struct mpi_agreement *out_agreement)
{
    measure_joined(people, across, NULL, out_agreement);
}

void eval_measure(const struct eval_people *people, bool across, struct eval_report *out_report)
{
    struct eval_report *report = out_report;
    struct count count = {.people = people, .across = across, .report = report};
    uint32_t *joined = mem_array(people->persons.count + 1, sizeof *joined);
    report->records = people->persons.count;
    report->left_out = people->left_out;
    mpi_study_each_pair(people->study, count_pair, &count);
    eval_ask(people, &report->asked, joined);
    measure_joined(people, across, NULL, &report->clusters[EVAL_AUTOMATIC]);
    measure_joined(people, across, joined, &report->clusters[EVAL_ANSWERED]);
    eval_each_miss(people, across, count_miss, &count);
    report->truth_missing = report->records - report->clusters[EVAL_AUTOMATIC].records;
    report->compared = mpi_study_compared(people->study);
    mem_free(joined);
}
