#include "mpi/measure.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

double mpi_share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 1;
}

double mpi_f1(double precision, double recall)
{
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

/* ---- clusters: a contingency table of persons and humans, by sorting ---- */

struct cell {
    uint64_t found, truth;
    uint32_t group, humans_records; /* so many records the human has */
};

static int compare_numbers(uint64_t left, uint64_t right)
{
    return left < right ? -1 : left > right;
}

static int by_found(const void *left, const void *right)
{
    const struct cell *l = left, *r = right;
    int order = compare_numbers(l->found, r->found);
    return order ? order : compare_numbers(l->group, r->group);
}

static int by_truth(const void *left, const void *right)
{
    const struct cell *l = left, *r = right;
    int order = compare_numbers(l->truth, r->truth);
    return order ? order : compare_numbers(l->group, r->group);
}

static int by_both(const void *left, const void *right)
{
    const struct cell *l = left, *r = right;
    int order = compare_numbers(l->found, r->found);
    return order ? order : by_truth(left, right);
}

static size_t end_of_person(const struct cell *cells, size_t count, size_t from)
{
    size_t to = from;
    while (to < count && cells[to].found == cells[from].found)
        to++;
    return to;
}

static size_t end_of_human(const struct cell *cells, size_t count, size_t from)
{
    size_t to = from;
    while (to < count && cells[to].truth == cells[from].truth)
        to++;
    return to;
}

static uint64_t pairs_of(uint64_t members)
{
    return members * (members - (members > 0)) / 2;
}

/* Of cells [from, to), whose groups stand together. */
static uint64_t pairs_between_groups(const struct cell *cells, size_t from, size_t to)
{
    uint64_t pairs = pairs_of(to - from);
    for (size_t at = from; at < to;) {
        size_t begin = at;
        while (at < to && cells[at].group == cells[begin].group)
            at++;
        pairs -= pairs_of(at - begin);
    }
    return pairs;
}

static void count_persons(struct cell *cells, size_t count, struct mpi_agreement *agreement)
{
    qsort(cells, count, sizeof *cells, by_found);
    for (size_t from = 0, to; from < count; from = to) {
        to = end_of_person(cells, count, from);
        agreement->persons++;
        agreement->pairs_found += pairs_between_groups(cells, from, to);
    }
}

static void count_humans(struct cell *cells, size_t count, struct mpi_agreement *agreement)
{
    qsort(cells, count, sizeof *cells, by_truth);
    for (size_t from = 0, to; from < count; from = to) {
        to = end_of_human(cells, count, from);
        agreement->humans++;
        agreement->pairs_true += pairs_between_groups(cells, from, to);
        for (size_t i = from; i < to; i++)
            cells[i].humans_records = (uint32_t)(to - from);
    }
}

/* What person and human have in common, human after human; answers how many humans there are in the person. */
static uint64_t count_person(const struct cell *cells, size_t from, size_t to, struct mpi_agreement *agreement)
{
    uint64_t humans = 0;
    for (size_t at = from, end; at < to; at = end) {
        end = end_of_human(cells, to, at);
        double common = (double)(end - at);
        humans++;
        agreement->pairs_right += pairs_between_groups(cells, at, end);
        agreement->b3_precision += common * common / (double)(to - from);
        agreement->b3_recall += common * common / (double)cells[at].humans_records;
    }
    return humans;
}

static void count_both(struct cell *cells, size_t count, struct mpi_agreement *agreement)
{
    qsort(cells, count, sizeof *cells, by_both);
    for (size_t from = 0, to; from < count; from = to) {
        to = end_of_person(cells, count, from);
        uint64_t humans = count_person(cells, from, to, agreement);
        agreement->persons_mixed += humans > 1;
        agreement->persons_exact += humans == 1 && cells[from].humans_records == to - from;
    }
}

void mpi_measure_agreement(const struct mpi_placed *records, size_t count, struct mpi_agreement *out_agreement)
{
    struct mpi_agreement agreement = {.records = count};
    struct cell *cells = mem_array(count + 1, sizeof *cells); /* nothing has no records either */
    for (size_t i = 0; i < count; i++)
        cells[i] = (struct cell){.found = records[i].found, .truth = records[i].truth, .group = records[i].group};
    count_persons(cells, count, &agreement);
    count_humans(cells, count, &agreement);
    count_both(cells, count, &agreement);
    mem_free(cells);
    agreement.b3_precision = count ? agreement.b3_precision / (double)count : 1;
    agreement.b3_recall = count ? agreement.b3_recall / (double)count : 1;
    *out_agreement = agreement;
}

/* ---- probabilities ---- */

const uint32_t mpi_band_ends_ppm[MPI_BANDS] = {10000, 100000, 500000, 900000, 990000, 999000, 1000000};

size_t mpi_calibration_band(uint32_t probability_ppm)
{
    size_t band = 0;
    while (band + 1 < MPI_BANDS && probability_ppm >= mpi_band_ends_ppm[band])
        band++;
    return band;
}

void mpi_calibration_add(struct mpi_calibration *calibration, uint32_t probability_ppm, bool is_right)
{
    size_t band = mpi_calibration_band(probability_ppm);
    calibration->bands[band].pairs++;
    calibration->bands[band].right += is_right;
    calibration->bands[band].ppm_sum += probability_ppm;
}

double mpi_calibration_error(const struct mpi_calibration *calibration)
{
    double pairs = 0, error = 0;
    for (size_t i = 0; i < MPI_BANDS; i++) {
        const struct mpi_band *band = &calibration->bands[i];
        pairs += (double)band->pairs;
        error += fabs((double)band->ppm_sum / 1e6 - (double)band->right);
    }
    return pairs > 0 ? error / pairs : 0;
}

void mpi_share_bounds(uint64_t part, uint64_t whole, double *out_low, double *out_high)
{
    const double z = 1.959964; /* standard deviations of 95 % */
    *out_low = 0;
    *out_high = 1;
    if (whole == 0)
        return;
    double n = (double)whole, share = (double)part / n, spread = z * z / n;
    double middle = (share + spread / 2) / (1 + spread),
           half = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n));
    *out_low = fmax(middle - half, 0);
    *out_high = fmin(middle + half, 1);
}
