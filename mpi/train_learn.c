#include "train_internal.h"

#include <math.h>

enum {
    ROUNDS_MAX = 200,
    SAME_TRUST = 10, /* pairs that the general model's belief about a field counts as */
    KIN_TRUST = 100,
    LABEL_TRUST = 2, /* decisions about pairs of one pattern that its belief counts as */
};
static const double share_min = 1e-9;

int32_t train_mbit_of(double share)
{
    return (int32_t)lround(log2(fmin(fmax(share, share_min), 1)) * 1000);
}

/* A level that always holds in general says nothing of its own. */
static bool is_learned(size_t field, size_t level)
{
    return model_fields[field].learned && model_fields[field].levels[level] &&
           mpi_model_general()->fields[field][level].same != 0;
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
        for (size_t k = 1; k < LEVELS_MAX && train_counts(i) && compared > 0; k++) {
            double share = trainer->random.at[i][k] / compared;
            share -= trainer->same * trainer->same_at.at[i][k] + trainer->kin * trainer->kin_at.at[i][k];
            share /= 1 - trainer->same - trainer->kin;
            if (is_learned(i, k) && !is_counted(trainer, i, k))
                trainer->strangers_at.at[i][k] = fmax(share, least_share(trainer, i, k, compared));
        }
    }
}

/* Of two persons (not records) picked blindly. That few do not agree does not make it more frequent than in general. */
void train_count_exact_strangers(struct trainer *trainer, const struct agreement agreements[COUNTED_KINDS],
                                 struct mpi_model *model)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        struct agreement at = agreements[counted[i].kind];
        int32_t *strangers = &model->fields[counted[i].field][counted[i].exact].strangers;
        trainer->counted[counted[i].field] = at.of > 0;
        if (at.agreeing > 0)
            *strangers = train_mbit_of(at.agreeing / at.of);
        else if (at.of > 0 && train_mbit_of(1 / at.of) < *strangers)
            *strangers = train_mbit_of(1 / at.of);
    }
}

/* ---- expectation maximisation ---- */

void train_believe_general(struct trainer *trainer)
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
    double said = (double)pattern->said_same + pattern->said_different;
    if (said == 0)
        return belief;
    double same = (LABEL_TRUST * belief.same + pattern->said_same) / (LABEL_TRUST + said), others = 1 - belief.same;
    return (struct belief){same, others > 0 ? (1 - same) * belief.kin / others : 0};
}

double train_surprise(const struct trainer *trainer)
{
    double bits = 0, said = 0;
    for (size_t p = 0; p < trainer->patterns.count; p++) {
        const struct pattern *pattern = &trainer->patterns.at[p];
        double same = fmin(fmax(believe(trainer, pattern).same, share_min), 1 - share_min);
        bits -= pattern->said_same * log2(same) + pattern->said_different * log2(1 - same);
        said += (double)pattern->said_same + pattern->said_different;
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

uint32_t train_learn(struct trainer *trainer, bool listens)
{
    struct trainer *general = mem_alloc(sizeof *general);
    general->mpi = trainer->mpi;
    train_believe_general(general);
    uint32_t rounds = 0;
    for (double moved = 1; rounds < ROUNDS_MAX && moved > 1e-5 && !study_stops(trainer->study); rounds++) {
        estimate_strangers(trainer);
        moved = maximise(trainer, general, listens);
    }
    mem_free(general);
    return rounds;
}

/* ---- into a model ---- */

void train_write_frequencies(const struct trainer *trainer, struct mpi_model *model)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        for (size_t k = 1; k < LEVELS_MAX; k++)
            if (is_learned(i, k))
                model->fields[i][k] = (struct frequency){train_mbit_of(trainer->same_at.at[i][k]),
                                                         train_mbit_of(trainer->strangers_at.at[i][k]),
                                                         train_mbit_of(trainer->kin_at.at[i][k])};
    double strangers = 1 - trainer->same - trainer->kin;
    model->prior_mbit = (int32_t)lround(log2(trainer->same / strangers) * 1000);
    model->kin_mbit = (int32_t)lround(log2(trainer->kin / strangers) * 1000);
}
