#include "mpi/train.h"

#include "study_internal.h"

#include "base/hash.h"
#include "base/map.h"

#include <math.h>
#include <stdlib.h>

/*
 * Three kinds of pairs: one person (same), two relatives of one home (kin), strangers. How strangers agree is measured,
 * on random pairs; the other two are estimated on patterns of levels. Pairs that share no key are taken for strangers.
 */
enum {
    SEEKERS_MAX = 200000, /* records whose candidates are looked at; of more, an even sample */
    RANDOM_PAIRS = 1000000,
    ROUNDS_MAX = 200,
    SAME_TRUST = 10, /* pairs that the general model's belief about a field counts as */
    KIN_TRUST = 100,
    LABEL_TRUST = 2, /* decisions about pairs of one pattern that its belief counts as */
    NAMESAKES_TOP_MBIT = 8000,
};
static const double share_min = 1e-9;

struct shares {
    double at[FIELD_COUNT][LEVELS_MAX];
};
/* Levels, and how much rarer than their fields alone tell strangers would stand there, and relatives; in bits. */
struct pattern {
    uint8_t at[FIELD_COUNT];
    int8_t rarer, rarer_kin;
    double pairs;
    uint32_t said_same, said_different; /* of these: by stewards */
};
struct trainer {
    struct mpi_study *study;
    const struct mpi *mpi;
    uint32_t seekers;
    double all_pairs;
    struct map known; /* pattern to its place */
    VEC(struct pattern) patterns;
    struct shares random; /* counts among random pairs, and how many were compared in at[field][0] */
    double random_pairs, same, kin;
    struct shares same_at, kin_at, strangers_at;
    double believed[FIELD_COUNT]; /* how much of same_at is the general model's, 0 to 1 */
    bool counted[FIELD_COUNT];    /* how often strangers agree exactly */
};

static int32_t mbit_of(double share)
{
    return (int32_t)lround(log2(fmin(fmax(share, share_min), 1)) * 1000);
}

/* ---- what is seen ---- */

/* Fields that only warn have no frequency. */
static bool counts(size_t field)
{
    return field != FIELD_RELATIVES && field != FIELD_NEWBORN && field != FIELD_CONTRADICTION;
}

static struct levels levels_between(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    struct levels levels;
    compare_rows(entry_at(mpi, APPLIED, left)->row, entry_at(mpi, APPLIED, right)->row, &levels);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!counts(i))
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

/* What stewards said of pairs, beside what is seen of all; one that shares no key is seen here only. */
static void see_labels(struct trainer *trainer, const struct study_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct study_label *label = &labels->at[i];
        struct levels levels = levels_between(trainer->mpi, label->left, label->right);
        struct pattern *pattern = find_pattern(trainer, &levels);
        pattern->said_same += label->same;
        pattern->said_different += !label->same;
        pattern->pairs = fmax(pattern->pairs, pattern->said_same + pattern->said_different);
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

/* Every pair that shares a key, or those of an even sample of records: each pair is then met twice in `every`. */
static uint64_t see_pairs(struct trainer *trainer)
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

/* All pairs of few records; of many a sample. */
static void see_random_pairs(struct trainer *trainer)
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

/* A level that always holds in general says nothing of its own. */
static bool is_learned(size_t field, size_t level)
{
    return model_fields[field].learned && model_fields[field].levels[level] &&
           mpi_model_general()->fields[field][level].same != 0;
}

/* ---- values: how many persons have each ---- */

struct held {
    uint64_t value;
    uint32_t person;
};
struct held_values {
    struct held *at;
    size_t count, cap;
};
static int order_held(const void *left, const void *right)
{
    const struct held *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->person < b->person ? -1 : a->person > b->person;
}

/* A person with three spellings of a name counts once for each, as somebody who could be met under it. */
static struct value_counts count_values(const struct mpi *mpi, enum value_kind kind)
{
    struct held_values held = {0};
    struct value_counts counts = {0};
    uint8_t *has = mem_array((size_t)mpi->applied.records + 1, 1);
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        uint64_t values[ROW_VALUES_ROOM];
        size_t count = row_values(entry->row, kind, values);
        for (size_t i = 0; i < count; i++)
            *VEC_ADD(&held) = (struct held){values[i], entry->person};
        counts.persons += count > 0 && !has[entry->person];
        has[entry->person] |= count > 0;
    }
    if (held.count > 1)
        qsort(held.at, held.count, sizeof held.at[0], order_held);
    for (size_t i = 0; i < held.count; i++) {
        bool new_value = i == 0 || held.at[i].value != held.at[i - 1].value;
        if (new_value)
            *VEC_ADD(&counts) = (struct value_count){.value = held.at[i].value};
        counts.at[counts.count - 1].records++;
        counts.at[counts.count - 1].persons += new_value || held.at[i].person != held.at[i - 1].person;
    }
    mem_free(has);
    VEC_FINI(&held);
    return counts;
}

/* Ordered pairs of persons that agree. */
static double agreeing_pairs(const struct value_counts *values)
{
    double agreeing = 0;
    for (size_t i = 0; i < values->count; i++)
        agreeing += (double)values->at[i].persons * (values->at[i].persons - 1.0);
    return agreeing;
}

/* ---- strangers ---- */

/* Fields whose exact agreement can be counted over all pairs, not only over a sample. */
static const struct {
    enum model_field field;
    enum value_kind kind;
    uint8_t exact;
} counted[] = {{FIELD_FAMILY, VALUE_FAMILY, NAME_EXACT},          {FIELD_GIVEN, VALUE_GIVEN, NAME_EXACT},
               {FIELD_BIRTH, VALUE_BIRTH, BIRTH_EXACT},           {FIELD_PHONE, VALUE_PHONE, LIST_EXACT},
               {FIELD_EMAIL, VALUE_EMAIL, EMAIL_EXACT},           {FIELD_NATIONAL, VALUE_NATIONAL, LIST_EXACT},
               {FIELD_BIRTH_PLACE, VALUE_BIRTH_PLACE, LIST_EXACT}};

static bool is_counted(const struct trainer *trainer, size_t field, size_t level)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (counted[i].field == field && counted[i].exact == level)
            return trainer->counted[field];
    return false;
}

/*
 * That strangers never stood at a level is no proof that it says one person, where records of one person never did
 * either: the second source of an index that had one, its first estimated birth date. As far as a field is believed
 * and not seen, it says what it says in general.
 */
static double least_share(const struct trainer *trainer, size_t field, size_t level, double compared)
{
    double general = exp2(mpi_model_general()->fields[field][level].strangers / 1000.0);
    return fmax(fmin(0.5 / compared, general), trainer->believed[field] * general);
}

/* Random pairs hold a few matches and relatives as well: their share is taken out. */
static void estimate_strangers(struct trainer *trainer)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        double compared = trainer->random.at[i][0];
        for (size_t k = 1; k < LEVELS_MAX && counts(i) && compared > 0; k++) {
            double share = trainer->random.at[i][k] / compared;
            share -= trainer->same * trainer->same_at.at[i][k] + trainer->kin * trainer->kin_at.at[i][k];
            share /= 1 - trainer->same - trainer->kin;
            if (is_learned(i, k) && !is_counted(trainer, i, k))
                trainer->strangers_at.at[i][k] = fmax(share, least_share(trainer, i, k, compared));
        }
    }
}

/* Of two persons (not records) picked blindly. That few do not agree does not make it more frequent than in general. */
static void count_exact_strangers(struct trainer *trainer, struct mpi_model *model)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        struct value_counts values = count_values(trainer->mpi, counted[i].kind);
        double persons = (double)values.persons, agreeing = agreeing_pairs(&values);
        int32_t *strangers = &model->fields[counted[i].field][counted[i].exact].strangers;
        trainer->counted[counted[i].field] = persons > 1;
        if (agreeing > 0)
            *strangers = mbit_of(agreeing / (persons * (persons - 1)));
        else if (persons > 1 && mbit_of(1 / (persons * (persons - 1))) < *strangers)
            *strangers = mbit_of(1 / (persons * (persons - 1)));
        VEC_FINI(&values);
    }
}

/* ---- expectation maximisation ---- */

static void believe_general(struct trainer *trainer)
{
    const struct mpi_model *general = mpi_model_general();
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        for (size_t k = 0; k < LEVELS_MAX; k++) {
            trainer->same_at.at[i][k] = exp2(general->fields[i][k].same / 1000.0);
            trainer->kin_at.at[i][k] = exp2(general->fields[i][k].kin / 1000.0);
            trainer->strangers_at.at[i][k] = exp2(trainer->mpi->model->fields[i][k].strangers / 1000.0);
        }
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        trainer->believed[i] = 1;
    trainer->same = 0.5 / trainer->mpi->applied.records;
    trainer->kin = 1.0 / trainer->mpi->applied.records;
}

struct belief { /* of a pattern: how likely its pairs are of each kind */
    double same, kin;
};

static struct belief believe(const struct trainer *trainer, const struct pattern *pattern)
{
    double same = trainer->same, kin = trainer->kin * exp2(-pattern->rarer_kin);
    double strangers = (1 - same - trainer->kin) * exp2(-pattern->rarer);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (pattern->at[i] == 0)
            continue;
        same *= trainer->same_at.at[i][pattern->at[i]];
        kin *= trainer->kin_at.at[i][pattern->at[i]];
        strangers *= trainer->strangers_at.at[i][pattern->at[i]];
    }
    double sum = same + kin + strangers;
    return sum > 0 ? (struct belief){same / sum, kin / sum} : (struct belief){0, 0};
}

/* The same with what stewards said of such pairs. */
static struct belief believe_said(const struct trainer *trainer, const struct pattern *pattern)
{
    struct belief belief = believe(trainer, pattern);
    double said = pattern->said_same + pattern->said_different;
    if (said == 0)
        return belief;
    double same = (LABEL_TRUST * belief.same + pattern->said_same) / (LABEL_TRUST + said), others = 1 - belief.same;
    return (struct belief){same, others > 0 ? (1 - same) * belief.kin / others : 0};
}

/* How unexpected a decision is to what was learned, in bits. */
static double surprise(const struct trainer *trainer)
{
    double bits = 0, said = 0;
    for (size_t p = 0; p < trainer->patterns.count; p++) {
        const struct pattern *pattern = &trainer->patterns.at[p];
        double same = fmin(fmax(believe(trainer, pattern).same, share_min), 1 - share_min);
        bits -= pattern->said_same * log2(same) + pattern->said_different * log2(1 - same);
        said += pattern->said_same + pattern->said_different;
    }
    return said > 0 ? bits / said : 0;
}

/* Pairs that were compared in a field. */
static double pairs_of(const struct shares *seen, size_t field)
{
    double sum = 0;
    for (size_t k = 1; k < LEVELS_MAX; k++)
        sum += seen->at[field][k];
    return sum;
}

static void learn_shares(struct shares *shares, const struct shares *seen, const struct shares *general, double trust,
                         bool kin)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        double sum = trust + pairs_of(seen, i);
        if (kin && !model_fields[i].of_a_home)
            continue;
        for (size_t k = 1; k < LEVELS_MAX; k++)
            if (is_learned(i, k))
                shares->at[i][k] = fmax((seen->at[i][k] + trust * general->at[i][k]) / sum, share_min);
    }
}

/* Some pairs are strangers, even where all records seem to be of one person: odds have an end. */
static void learn_sizes(struct trainer *trainer, double same, double kin)
{
    const double strangers_min = 0.5;
    double sum = fmax(same, 0.5) + fmax(kin, 0.5), of = fmax(trainer->all_pairs, sum / (1 - strangers_min));
    trainer->same = fmax(same, 0.5) / of;
    trainer->kin = fmax(kin, 0.5) / of;
}

/* One round; answers how much the number of matches moved, as a share of it. */
static double maximise(struct trainer *trainer, const struct trainer *general, bool listens)
{
    struct shares same_seen = {0}, kin_seen = {0};
    double same = 0, kin = 0;
    for (size_t p = 0; p < trainer->patterns.count; p++) {
        const struct pattern *pattern = &trainer->patterns.at[p];
        struct belief belief = listens ? believe_said(trainer, pattern) : believe(trainer, pattern);
        same += belief.same * pattern->pairs;
        kin += belief.kin * pattern->pairs;
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            same_seen.at[i][pattern->at[i]] += belief.same * pattern->pairs;
            kin_seen.at[i][pattern->at[i]] += belief.kin * pattern->pairs;
        }
    }
    learn_shares(&trainer->same_at, &same_seen, &general->same_at, SAME_TRUST, false);
    learn_shares(&trainer->kin_at, &kin_seen, &general->kin_at, KIN_TRUST, true);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        trainer->believed[i] = SAME_TRUST / (SAME_TRUST + pairs_of(&same_seen, i));
    double before = trainer->same;
    learn_sizes(trainer, same, kin);
    return fabs(trainer->same - before) / trainer->same;
}

/* `listens`: to what stewards said. */
static uint32_t learn(struct trainer *trainer, bool listens)
{
    struct trainer *general = mem_alloc(sizeof *general);
    general->mpi = trainer->mpi;
    believe_general(general);
    uint32_t rounds = 0;
    for (double moved = 1; rounds < ROUNDS_MAX && moved > 1e-5 && !study_stops(trainer->study); rounds++) {
        estimate_strangers(trainer);
        moved = maximise(trainer, general, listens);
    }
    mem_free(general);
    return rounds;
}

/* ---- the model ---- */

struct agreement { /* ordered pairs of persons: that share a value, of all that have any */
    double agreeing, of;
};

/* Of those born in different years. */
static struct agreement agreement_apart(const struct mpi *mpi, enum value_kind kind, enum value_kind kind_and_year)
{
    struct value_counts values = count_values(mpi, kind), same_year = count_values(mpi, kind_and_year);
    double persons = (double)values.persons, agreeing = agreeing_pairs(&values) - agreeing_pairs(&same_year);
    VEC_FINI(&values);
    VEC_FINI(&same_year);
    return (struct agreement){fmax(agreeing, 0), persons * (persons - 1)};
}

/*
 * How many times more often strangers share both names than each name's frequency tells. Counted on pairs born in
 * different years: records of one person that nobody has put together yet would look like namesakes. Where few such
 * pairs can be expected, or no births are known, the general belief counts more.
 */
static int32_t namesakes(const struct mpi *mpi)
{
    enum { TRUST = 10 }; /* pairs */
    struct agreement family = agreement_apart(mpi, VALUE_FAMILY, VALUE_FAMILY_YEAR),
                     given = agreement_apart(mpi, VALUE_GIVEN, VALUE_GIVEN_YEAR),
                     both = agreement_apart(mpi, VALUE_FULL_NAME, VALUE_FULL_NAME_YEAR);
    double expected = both.of > 0 ? both.of * (family.agreeing / family.of) * (given.agreeing / given.of) : 0;
    double general = exp2(mpi_model_general()->namesake_mbit / 1000.0);
    double times = (both.agreeing + TRUST * general) / (expected + TRUST);
    return (int32_t)lround(fmin(fmax(log2(times) * 1000, 0), NAMESAKES_TOP_MBIT));
}

static void write_frequencies(const struct trainer *trainer, struct mpi_model *model)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        for (size_t k = 1; k < LEVELS_MAX; k++)
            if (is_learned(i, k))
                model->fields[i][k] =
                    (struct frequency){mbit_of(trainer->same_at.at[i][k]), mbit_of(trainer->strangers_at.at[i][k]),
                                       mbit_of(trainer->kin_at.at[i][k])};
    double strangers = 1 - trainer->same - trainer->kin;
    model->prior_mbit = (int32_t)lround(log2(trainer->same / strangers) * 1000);
    model->kin_mbit = (int32_t)lround(log2(trainer->kin / strangers) * 1000);
}

static int order_counts(const void *left, const void *right)
{
    const struct value_count *a = left, *b = right;
    if (a->persons != b->persons)
        return a->persons > b->persons ? -1 : 1;
    if (a->records != b->records)
        return a->records > b->records ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static uint8_t rarity_of(double persons, double of)
{
    long quarters = lround(log2(of / persons) * 4);
    return (uint8_t)(quarters < 1 ? 1 : quarters > RARITY_TOP ? RARITY_TOP : quarters);
}

/* How many would be met again of what was met `count` times. Source: [Good 1953]. */
static double good_turing(const struct value_counts *values, uint32_t count)
{
    double now = 0, next = 0;
    for (size_t i = 0; i < values->count; i++) {
        now += values->at[i].persons == count;
        next += values->at[i].persons == count + 1;
    }
    double expected = now > 0 ? (count + 1) * next / now : count;
    return fmin(fmax(expected, count * 0.2), count);
}

/* Kinds with a long tail list everything that two have; of the others only what is suspiciously frequent counts. */
static const uint32_t listed_from[VALUE_KINDS] = {
    [VALUE_FAMILY] = 2,   [VALUE_GIVEN] = 2, [VALUE_FULL_NAME] = 8,   [VALUE_GIVEN_MIDDLE] = 4,
    [VALUE_POSTCODE] = 2, [VALUE_CITY] = 2,  [VALUE_BIRTH_PLACE] = 2, [VALUE_BIRTH] = 8,
    [VALUE_PHONE] = 8,    [VALUE_EMAIL] = 8, [VALUE_NATIONAL] = 4,    [VALUE_HOUSE] = 10};

enum { TURING_TO = 3 };

/* How many persons have a value that so many were met with. */
static double expected_persons(const double turing[TURING_TO + 1], uint32_t count)
{
    return count <= TURING_TO ? turing[count] : count;
}

/* Of those who have one of the values from `from` on, in how many persons each may meet it. */
static double persons_of_rest(const struct value_counts *values, size_t from, const double turing[TURING_TO + 1])
{
    double persons = 0, met = 0;
    for (size_t i = from; i < values->count; i++) {
        persons += values->at[i].persons;
        met += values->at[i].persons * expected_persons(turing, values->at[i].persons);
    }
    return persons > 0 ? met / persons : turing[1];
}

/* A slip of the pen is not made twice: what several records say is a name, though one person alone should have it. */
static bool is_name(const struct value_count *count)
{
    enum { KNOWN_PERSONS = 3, KNOWN_RECORDS = 2 };
    return count->persons >= KNOWN_PERSONS || count->records >= KNOWN_RECORDS;
}

static bool is_listed(const struct value_count *count, enum value_kind kind)
{
    bool of_names = kind == VALUE_FAMILY || kind == VALUE_GIVEN;
    return count->persons >= listed_from[kind] || (of_names && is_name(count));
}

void study_tabulate(struct value_counts *values, enum value_kind kind, size_t values_max, struct value_table *out_table)
{
    bool long_tail = listed_from[kind] == 2;
    double persons = (double)values->persons, usual = 0, turing[TURING_TO + 1] = {0};
    for (uint32_t i = 1; i <= TURING_TO; i++)
        turing[i] = good_turing(values, i);
    for (size_t i = 0; i < values->count; i++)
        usual += values->at[i].persons;
    usual = values->count ? usual / (double)values->count : 1;
    if (values->count > 1)
        qsort(values->at, values->count, sizeof values->at[0], order_counts);
    VEC(struct value_rarity) listed = {0};
    for (size_t i = 0; i < values->count && i < values_max && is_listed(&values->at[i], kind); i++) {
        uint32_t count = values->at[i].persons;
        if (!long_tail && kind != VALUE_FULL_NAME && kind != VALUE_GIVEN_MIDDLE && count < 4 * usual)
            break;
        uint8_t rarity = rarity_of(long_tail ? expected_persons(turing, count) : count, persons);
        *VEC_ADD(&listed) = (struct value_rarity){values->at[i].value,
                                                  (uint8_t)(rarity | (is_name(&values->at[i]) ? RARITY_KNOWN : 0))};
    }
    uint8_t rest = long_tail && persons > 0 ? rarity_of(persons_of_rest(values, listed.count, turing), persons) : 0;
    value_table_make(out_table, listed.at, listed.count, rest);
}

static void write_values(const struct mpi *mpi, enum value_kind kind, struct mpi_model *model)
{
    enum { VALUES_MAX = 1 << 16 }; /* of all kinds together less than the text of a model may hold */
    struct value_counts values = count_values(mpi, kind);
    study_tabulate(&values, kind, VALUES_MAX, &model->values[kind]);
    VEC_FINI(&values);
}

/* ---- the threshold ---- */

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
static int32_t choose_auto(const struct mpi *mpi)
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

/* What is counted, before anything is learned: values by the persons that are known so far, and general beliefs. */
static struct mpi_model *count_model(struct trainer *trainer)
{
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    model->namesake_mbit = namesakes(trainer->mpi);
    for (size_t i = 0; i < VALUE_KINDS; i++)
        write_values(trainer->mpi, (enum value_kind)i, model);
    count_exact_strangers(trainer, model);
    return model;
}

/* Frequencies into the model, first as they are without what stewards said, then with it; what that changed is told. */
static void learn_model(struct trainer *trainer, const struct study_labels *labels, struct mpi_model *model,
                        struct mpi_training *training)
{
    struct mpi_taught taught = {0};
    training->rounds = learn(trainer, false);
    write_frequencies(trainer, model);
    if (labels->count > 0) {
        struct mpi_model *without = mem_copy(model, sizeof *model); /* frequencies only */
        taught.surprise_before = surprise(trainer);
        training->rounds = learn(trainer, true);
        write_frequencies(trainer, model);
        taught.surprise_after = surprise(trainer);
        study_tell_taught(without, model, &taught);
        mem_free(without);
    }
    for (size_t i = 0; i < labels->count; i++) {
        taught.same += labels->at[i].same;
        taught.different += !labels->at[i].same;
    }
    training->taught = taught;
}

/*
 * Persons are needed to count values, values to find persons: so it starts with the cautious general model and goes
 * round a few times.
 */
void study_train(struct mpi_study *study, uint32_t seekers, struct mpi_model **out_model,
                 struct mpi_training *out_training)
{
    enum { PASSES = 2 };
    struct trainer *trainer = mem_alloc(sizeof *trainer);
    trainer->study = study;
    trainer->mpi = study->mpi;
    trainer->seekers = seekers;
    double records = study->mpi->applied.records;
    trainer->all_pairs = records * (records - 1) / 2;
    struct mpi_training training = {0};
    struct study_labels labels = study_labels(study);
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct mpi_model *guessing = mpi_model_guessing(model);
    mpi_study_link(study, guessing);
    for (size_t pass = 0; pass < PASSES && records > 1 && !study_stops(study); pass++) {
        struct mpi_model *next = count_model(trainer);
        study_see_by(study, next);
        mpi_model_free(guessing);
        mpi_model_free(model);
        model = next;
        map_clear(&trainer->known);
        trainer->patterns.count = 0;
        trainer->random_pairs = 0;
        trainer->random = (struct shares){0};
        believe_general(trainer);
        training.pairs = see_pairs(trainer);
        see_labels(trainer, &labels);
        see_random_pairs(trainer);
        learn_model(trainer, &labels, model, &training);
        guessing = mpi_model_guessing(model); /* who is one person, as well as is known: not only what is certain */
        mpi_study_link(study, guessing);
    }
    model->auto_mbit = choose_auto(study->mpi);
    study_see_by(study, model);
    mpi_model_free(guessing);
    training.patterns = (uint32_t)trainer->patterns.count;
    training.random_pairs = (uint64_t)trainer->random_pairs;
    training.matches = trainer->same * trainer->all_pairs;
    training.kin = trainer->kin * trainer->all_pairs;
    map_fini(&trainer->known);
    VEC_FINI(&trainer->patterns);
    VEC_FINI(&labels);
    mem_free(trainer);
    *out_model = model;
    *out_training = training;
}

void mpi_study_train(struct mpi_study *study, struct mpi_model **out_model, struct mpi_training *out_training)
{
    study_train(study, SEEKERS_MAX, out_model, out_training);
}
