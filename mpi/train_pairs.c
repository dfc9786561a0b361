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

static struct pattern *find_pattern(struct patterns *patterns, const struct pattern *pattern)
{
    char key[sizeof pattern->at + 2];
    memcpy(key, pattern->at, sizeof pattern->at);
    key[sizeof pattern->at] = (char)pattern->rarer;
    key[sizeof pattern->at + 1] = (char)pattern->rarer_kin;
    bool added;
    uint64_t *place = map_put(&patterns->known, (struct str){key, sizeof key}, &added);
    if (added) {
        *place = patterns->count;
        *VEC_ADD(patterns) = *pattern;
        patterns->at[*place].pairs = 0;
    }
    return &patterns->at[*place];
}

static void count_pattern(struct patterns *patterns, const struct pattern *pattern, double pairs)
{
    find_pattern(patterns, pattern)->pairs += pairs;
}

void train_see_labels(struct trainer *trainer, const struct train_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct train_label *label = &labels->at[i];
        struct levels levels = levels_between(trainer->mpi, label->left, label->right);
        struct pattern seen = pattern_of(trainer->mpi->model, &levels),
                       *pattern = find_pattern(&trainer->patterns, &seen);
        pattern->said_same += label->same;
        pattern->said_different += !label->same;
        double said = (double)pattern->said_same + pattern->said_different;
        pattern->pairs = pattern->pairs > said ? pattern->pairs : said;
    }
}

void train_forget_patterns(struct patterns *patterns)
{
    map_fini(&patterns->known);
    VEC_FINI(patterns);
    *patterns = (struct patterns){0};
}

/* ---- pairs that share a key ---- */

enum { SEEN_SLICE = 1024, SLICES_AT_ONCE = 16 };

struct seen { /* by one thread */
    struct patterns patterns;
    uint64_t pairs;
};
struct seeing {
    const struct trainer *trainer;
    uint32_t every;
    uint64_t first; /* of the seekers looked at now */
    struct seen slices[SLICES_AT_ONCE];
};

static void see_pair(const struct mpi *mpi, struct seen *seen, uint32_t left, uint32_t right, double weight)
{
    struct levels levels = levels_between(mpi, left, right);
    struct pattern pattern = pattern_of(mpi->model, &levels);
    count_pattern(&seen->patterns, &pattern, weight);
    seen->pairs++;
}

static void see_around(const struct mpi *mpi, struct seen *seen, uint32_t record, uint32_t every)
{
    uint32_t *candidates;
    struct row_keys keys = index_keys(mpi, APPLIED, record);
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    size_t count = every == 1 ? index_later_candidates(mpi, row, &keys, record, &candidates)
                              : index_candidates(mpi, APPLIED, row, &keys, record, &candidates);
    for (size_t i = 0; i < count; i++)
        see_pair(mpi, seen, record, candidates[i], every == 1 ? 1 : every / 2.0);
    mem_free(candidates);
    uint32_t first = index_first(mpi, APPLIED, record); /* who says the same stands behind it and finds nobody */
    if (first != record)
        see_pair(mpi, seen, record, first, every);
}

static void see_slice(void *arg, size_t slice, uint64_t from, uint64_t to)
{
    struct seeing *seeing = arg;
    for (uint64_t i = from; i < to; i++)
        see_around(seeing->trainer->mpi, &seeing->slices[slice], (uint32_t)((seeing->first + i) * seeing->every) + 1,
                   seeing->every);
}

static void take_seen(struct trainer *trainer, struct seen *seen)
{
    for (size_t i = 0; i < seen->patterns.count; i++)
        count_pattern(&trainer->patterns, &seen->patterns.at[i], seen->patterns.at[i].pairs);
    train_forget_patterns(&seen->patterns);
    seen->pairs = 0;
}

/* Some slices at a time: each has patterns of its own until they are put together. */
uint64_t train_see_pairs(struct trainer *trainer)
{
    enum { AT_ONCE = SEEN_SLICE * SLICES_AT_ONCE };
    uint32_t records = trainer->mpi->applied.records, every = records / trainer->seekers + 1;
    struct seeing *seeing = mem_alloc(sizeof *seeing);
    seeing->trainer = trainer;
    seeing->every = every;
    uint64_t seekers = (records + (uint64_t)every - 1) / every, pairs = 0;
    for (; seeing->first < seekers && !study_stops(trainer->study); seeing->first += AT_ONCE) {
        uint64_t left = seekers - seeing->first;
        struct slices slices = {left < AT_ONCE ? left : AT_ONCE, SEEN_SLICE, see_slice, seeing};
        slices_run(&slices, trainer->threads);
        for (size_t i = 0; i < slices_count(&slices); i++) {
            pairs += seeing->slices[i].pairs;
            take_seen(trainer, &seeing->slices[i]);
        }
    }
    mem_free(seeing);
    return pairs;
}

/* ---- random pairs ---- */

enum { RANDOM_SLICE = 1 << 15 };

struct random_slice {
    struct shares counts;
};
struct drawing {
    const struct mpi *mpi;
    VEC(struct pair) pairs;
    struct random_slice *slices;
};

static void count_random(void *arg, size_t slice, uint64_t from, uint64_t to)
{
    const struct drawing *drawing = arg;
    struct shares *counts = &drawing->slices[slice].counts;
    for (uint64_t at = from; at < to; at++) {
        struct levels levels = levels_between(drawing->mpi, drawing->pairs.at[at].left, drawing->pairs.at[at].right);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            if (levels.at[i] == 0)
                continue;
            counts->at[i][0]++;
            counts->at[i][levels.at[i]]++;
        }
    }
}

/* All pairs of few records; of many a sample. */
static void draw_pairs(const struct trainer *trainer, struct drawing *drawing)
{
    uint32_t records = trainer->mpi->applied.records;
    uint64_t seed = records;
    if (trainer->all_pairs <= RANDOM_PAIRS) {
        for (uint32_t left = 1; left < records; left++)
            for (uint32_t right = left + 1; right <= records; right++)
                *VEC_ADD(&drawing->pairs) = (struct pair){left, right};
        return;
    }
    while (drawing->pairs.count < RANDOM_PAIRS) {
        uint64_t random = hash_random(&seed);
        uint32_t left = (uint32_t)(random % records) + 1, right = (uint32_t)((random >> 32) % records) + 1;
        if (left != right)
            *VEC_ADD(&drawing->pairs) = (struct pair){left, right};
    }
}

void train_see_random_pairs(struct trainer *trainer)
{
    struct drawing drawing = {.mpi = trainer->mpi};
    draw_pairs(trainer, &drawing);
    struct slices slices = {drawing.pairs.count, RANDOM_SLICE, count_random, &drawing};
    drawing.slices = mem_array(slices_count(&slices) + 1, sizeof *drawing.slices);
    slices_run(&slices, trainer->threads);
    trainer->random = (struct shares){0};
    for (size_t slice = 0; slice < slices_count(&slices); slice++)
        for (size_t i = 0; i < FIELD_COUNT; i++)
            for (size_t k = 0; k < LEVELS_MAX; k++)
                trainer->random.at[i][k] += drawing.slices[slice].counts.at[i][k];
    trainer->random_pairs = (double)drawing.pairs.count;
    mem_free(drawing.slices);
    VEC_FINI(&drawing.pairs);
}
