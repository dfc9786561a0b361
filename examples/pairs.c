/* Pairwise agreement of two clusterings of the same records. */
#include "examples/gen.h"

#include "base/map.h"

static uint64_t pairs(uint64_t members)
{
    return members * (members - (members > 0)) / 2;
}

struct gen_score gen_score_clusters(const uint64_t *found, const uint64_t *truth, size_t count)
{
    struct map of_truth = {0}, of_found = {0}, of_both = {0};
    struct gen_score score = {.records = count};
    for (size_t i = 0; i < count; i++) {
        uint64_t both[2] = {found[i], truth[i]};
        ++*map_put(&of_found, str_make(&found[i], sizeof found[i]), NULL);
        ++*map_put(&of_truth, str_make(&truth[i], sizeof truth[i]), NULL);
        ++*map_put(&of_both, str_make(both, sizeof both), NULL);
    }
    for (size_t i = 0; i < of_found.used; i++)
        score.pairs_found += pairs(of_found.entries[i].value);
    for (size_t i = 0; i < of_truth.used; i++)
        score.pairs_true += pairs(of_truth.entries[i].value);
    for (size_t i = 0; i < of_both.used; i++)
        score.pairs_right += pairs(of_both.entries[i].value);
    map_fini(&of_found);
    map_fini(&of_truth);
    map_fini(&of_both);
    return score;
}
