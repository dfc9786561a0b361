#include "train_internal.h"

#include "base/hash.h"

enum { RANDOM_PAIRS = 1000000 };

bool train_counts(size_t field)
{
    return field != FIELD_RELATIVES && field != FIELD_NEWBORN && field != FIELD_CONTRADICTION;
}

static struct levels levels_between(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    struct levels levels;
    compare_rows(entry_at(mpi, APPLIED, left)->row, entry_at(mpi, APPLIED, right)->row, &levels);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!train_counts(i))
            levels.at[i] = 0;
    return levels;
}

static int8_t in_bits(int32_t mbit)
{
    int32_t bits = (mbit + (mbit < 0 ? -500 : 500)) / 1000;
    return (int8_t)(bits < -60 ? -60 : bits > 60 ? 60 : bits);
}

static struct pattern pattern_of(const struct mpi_model *model, const struct levels *levels)
{
    struct pattern pattern = {.pairs = 0};
    int32_t strangers = 0, kin = 0;
    memcpy(pattern.at, levels->at, sizeof pattern.at);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (levels->at[i] == 0)
            continue;
        strangers += model->fields[i][levels->at[i]].strangers - strangers_at(model, levels, i);
        kin += model->fields[i][levels->at[i]].kin - kin_at(model, levels, i);
    }
    pattern.rarer = in_bits(strangers);
    pattern.rarer_kin = in_bits(kin);
    return pattern;
}

static struct pattern *find_pattern(struct trainer *trainer, const struct levels *levels)
{
    struct pattern pattern = pattern_of(trainer->mpi->model, levels);
    char key[sizeof pattern.at + 2];
    memcpy(key, pattern.at, sizeof pattern.at);
    key[sizeof pattern.at] = (char)pattern.rarer;
    key[sizeof pattern.at + 1] = (char)pattern.rarer_kin;
    bool added;
    uint64_t *place = map_put(&trainer->known, (struct str){key, sizeof key}, &added);
    if (added) {
        *place = trainer->patterns.count;
        *VEC_ADD(&trainer->patterns) = pattern;
    }
    return &trainer->patterns.at[*place];
}

static void add_pattern(struct trainer *trainer, const struct levels *levels, double weight)
{
    find_pattern(trainer, levels)->pairs += weight;
}

void train_see_labels(struct trainer *trainer, const struct train_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct train_label *label = &labels->at[i];
        struct levels levels = levels_between(trainer->mpi, label->left, label->right);
        struct pattern *pattern = find_pattern(trainer, &levels);
        pattern->said_same += label->same;
        pattern->said_different += !label->same;
        double said = (double)pattern->said_same + pattern->said_different;
        pattern->pairs = pattern->pairs > said ? pattern->pairs : said;
    }
}

/* Records that say the same stand behind the first of them and find nobody: each is seen with that one. */
static uint64_t see_body(struct trainer *trainer, uint32_t record, double weight)
{
    uint32_t first = index_first(trainer->mpi, APPLIED, record);
    if (first == record)
        return 0;
    struct levels levels = levels_between(trainer->mpi, record, first);
    add_pattern(trainer, &levels, weight);
    return 1;
}

uint64_t train_see_pairs(struct trainer *trainer)
{
    const struct mpi *mpi = trainer->mpi;
    uint32_t records = mpi->applied.records, every = records / trainer->seekers + 1;
    uint64_t seen = 0;
    for (uint32_t record = 1; record <= records; record += every) {
        uint32_t *candidates;
        if (record % STUDY_HEED_RECORDS < every && study_stops(trainer->study))
            break;
        struct row_keys keys = index_keys(mpi, APPLIED, record);
        size_t count = index_candidates(mpi, APPLIED, entry_at(mpi, APPLIED, record)->row, &keys, record, &candidates);
        for (size_t i = 0; i < count; i++) {
            if (every == 1 && candidates[i] < record)
                continue;
            struct levels levels = levels_between(mpi, record, candidates[i]);
            add_pattern(trainer, &levels, every == 1 ? 1 : every / 2.0);
            seen++;
        }
        mem_free(candidates);
        seen += see_body(trainer, record, every);
    }
    return seen;
}

static void see_random(struct trainer *trainer, uint32_t left, uint32_t right)
{
    struct levels levels = levels_between(trainer->mpi, left, right);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (levels.at[i] == 0)
            continue;
        trainer->random.at[i][0]++;
        trainer->random.at[i][levels.at[i]]++;
    }
    trainer->random_pairs++;
}

void train_see_random_pairs(struct trainer *trainer)
{
    uint32_t records = trainer->mpi->applied.records;
    uint64_t seed = records;
    if (trainer->all_pairs <= RANDOM_PAIRS) {
        for (uint32_t left = 1; left < records; left++)
            for (uint32_t right = left + 1; right <= records; right++)
                see_random(trainer, left, right);
        return;
    }
    while (trainer->random_pairs < RANDOM_PAIRS) {
        uint64_t random = hash_random(&seed);
        uint32_t left = (uint32_t)(random % records) + 1, right = (uint32_t)((random >> 32) % records) + 1;
        if (left != right)
            see_random(trainer, left, right);
    }
}
