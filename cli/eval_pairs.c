/* Pairs of records within a person or a human, by sorting: the work is that of the pairs. */
#include "eval.h"

#include <stdlib.h>

struct member {
    uint32_t of, record; /* of: the person or the human */
};

static int compare_members(const void *left, const void *right)
{
    const struct member *l = left, *r = right;
    return l->of != r->of ? (l->of < r->of ? -1 : 1) : l->record < r->record ? -1 : 1;
}

static uint32_t truth_of(const struct eval_people *people, uint32_t record)
{
    return people->persons.at[record - 1].truth;
}

static bool is_of_one_file(const struct eval_people *people, uint32_t left, uint32_t right)
{
    return people->persons.at[left - 1].file == people->persons.at[right - 1].file;
}

/* Of records whose truth is known. */
static void each_pair_within(const struct eval_people *people, bool across, bool by_person, eval_pair_fn *visit,
                             void *arg)
{
    struct member *members = mem_array(people->persons.count + 1, sizeof *members);
    size_t count = 0;
    for (uint32_t record = 1; record <= people->persons.count; record++)
        if (truth_of(people, record))
            members[count++] =
                (struct member){by_person ? mpi_study_person(people->study, record) : truth_of(people, record), record};
    qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count && members[k].of == members[i].of; k++)
            if (!across || !is_of_one_file(people, members[i].record, members[k].record))
                visit(arg, members[i].record, members[k].record);
    mem_free(members);
}

void eval_each_true_pair(const struct eval_people *people, bool across, eval_pair_fn *visit, void *arg)
{
    each_pair_within(people, across, false, visit, arg);
}

/* ---- pairs that went wrong ---- */

struct search {
    const struct eval_people *people;
    VEC(uint64_t) alike; /* missed pairs that were compared and are alike, sorted */
    eval_miss_fn *visit;
    void *arg;
};

static bool is_one_person(const struct eval_people *people, uint32_t left, uint32_t right)
{
    return mpi_study_person(people->study, left) == mpi_study_person(people->study, right);
}

static int compare_keys(const void *left, const void *right)
{
    uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;
    return l < r ? -1 : l > r;
}

static uint64_t key_of(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

static void keep_missed(void *arg, const struct mpi_study_pair *pair)
{
    struct search *search = arg;
    uint32_t truth = truth_of(search->people, pair->left);
    if (truth && truth == truth_of(search->people, pair->right) &&
        !is_one_person(search->people, pair->left, pair->right))
        *VEC_ADD(&search->alike) = key_of(pair->left, pair->right);
}

static enum eval_cause cause_of(const struct search *search, uint32_t left, uint32_t right)
{
    enum mpi_verdict verdict = mpi_study_verdict(search->people->study, left, right);
    if (verdict == MPI_VERDICT_NEW)
        return EVAL_TOO_LITTLE;
    uint64_t key = key_of(left, right);
    if (!search->alike.count ||
        !bsearch(&key, search->alike.at, search->alike.count, sizeof *search->alike.at, compare_keys))
        return EVAL_NO_KEY;
    return verdict == MPI_VERDICT_REVIEW ? EVAL_ASKED : EVAL_REST;
}

static void look_for_wrong(void *arg, uint32_t left, uint32_t right)
{
    const struct search *search = arg;
    if (truth_of(search->people, left) != truth_of(search->people, right))
        search->visit(search->arg, true, left, right, EVAL_CAUSES);
}

static void look_for_missed(void *arg, uint32_t left, uint32_t right)
{
    const struct search *search = arg;
    if (!is_one_person(search->people, left, right))
        search->visit(search->arg, false, left, right, cause_of(search, left, right));
}

void eval_each_miss(const struct eval_people *people, bool across, eval_miss_fn *visit, void *arg)
{
    struct search search = {.people = people, .visit = visit, .arg = arg};
    each_pair_within(people, across, true, look_for_wrong, &search);
    mpi_study_each_pair(people->study, keep_missed, &search);
    if (search.alike.count)
        qsort(search.alike.at, search.alike.count, sizeof *search.alike.at, compare_keys);
    each_pair_within(people, across, false, look_for_missed, &search);
    VEC_FINI(&search.alike);
}
