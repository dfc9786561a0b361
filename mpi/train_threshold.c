#include "train_internal.h"

#include <math.h>
#include <stdlib.h>

struct scores {
    int32_t *at;
    size_t count, cap;
};

static int order_scores(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return a > b ? -1 : a < b;
}

static bool is_held(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    struct levels levels;
    compare_rows(entry_at(mpi, APPLIED, left)->row, entry_at(mpi, APPLIED, right)->row, &levels);
    return levels_hold(mpi_model_general(), &levels);
}

int32_t study_threshold(int32_t *scores, size_t count)
{
    enum { WRONG_ONE_IN = 5000, HIGHEST_MBIT = 9966 };
    if (count > 1)
        qsort(scores, count, sizeof *scores, order_scores);
    uint64_t wrong_ppm = 0;
    int32_t lowest = HIGHEST_MBIT;
    for (size_t i = 0; i < count; i++) {
        bool with_all_of_it = i + 1 == count || scores[i + 1] < scores[i];
        wrong_ppm += 1000000 - probability_ppm(scores[i]);
        if (with_all_of_it && wrong_ppm * WRONG_ONE_IN <= 1000000 * (uint64_t)(i + 1) && scores[i] < lowest)
            lowest = scores[i];
    }
    return lowest;
}

/* Of the pairs that link or not by the threshold: neither those a rule holds nor those that somebody decided. */
int32_t train_choose_auto(const struct mpi *mpi)
{
    struct scores scores = {0};
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        for (uint32_t i = 0; i < entry->edge_count; i++)
            if (entry->edges[i].other > record && entry->edges[i].score_mbit >= STUDY_LOWEST_MBIT &&
                !index_decision_between(mpi, APPLIED, record, entry->edges[i].other) &&
                !is_held(mpi, record, entry->edges[i].other))
                *VEC_ADD(&scores) = entry->edges[i].score_mbit;
    }
    int32_t threshold = study_threshold(scores.at, scores.count);
    VEC_FINI(&scores);
    return threshold;
}

/* Who was not found is counted as alone: so it is rather too little. */
int32_t train_how_alone(const struct mpi *mpi)
{
    enum { TOP_MBIT = 3000, TRUST = 10 /* records, of which none has another */ };
    uint64_t records = TRUST, alone = TRUST;
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        records += entry->row != NULL;
        alone += entry->row != NULL && entry->ring == record;
    }
    return (int32_t)lround(fmin(log2((double)records / (double)alone) * 1000, TOP_MBIT));
}
