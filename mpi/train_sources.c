/*
 * Sources: a source that gives two numbers usually means two people, and how usually is its own habit. Counted among
 * the persons that are known so far: of the pairs of one person within any one source, which share is within this one;
 * against chance, the share of its records by itself. What all sources together do is the level's own frequency.
 */
#include "train_internal.h"

#include <math.h>
#include <stdlib.h>

enum {
    SOURCES_MAX = 4096, /* the largest are listed; of the others the level's frequency counts */
    PAIRS_TRUST = 10,   /* pairs of one person that the usual habit counts as */
};

struct held_source { /* a record's */
    uint32_t source, person;
};
struct source {
    uint32_t source;
    double records, pairs;
};
struct sources {
    struct source *at;
    size_t count, cap;
};

static int order_held(const void *left, const void *right)
{
    const struct held_source *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return a->person < b->person ? -1 : a->person > b->person;
}

static int order_sources(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    if (a->records != b->records)
        return a->records > b->records ? -1 : 1;
    return a->source < b->source ? -1 : a->source > b->source;
}

/* Of every source its records, and the pairs of them that are one person. */
static struct sources count_sources(const struct mpi *mpi)
{
    struct sources sources = {0};
    struct held_source *held = mem_array((size_t)mpi->applied.records + 1, sizeof *held);
    size_t count = 0;
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        if (entry->row->authority)
            held[count++] = (struct held_source){entry->row->authority, entry->person};
    }
    if (count > 1)
        qsort(held, count, sizeof held[0], order_held);
    for (size_t i = 0, of_person = 0; i < count; i++) {
        if (i == 0 || held[i].source != held[i - 1].source)
            *VEC_ADD(&sources) = (struct source){.source = held[i].source};
        of_person = i > 0 && order_held(&held[i], &held[i - 1]) == 0 ? of_person + 1 : 0;
        sources.at[sources.count - 1].records++;
        sources.at[sources.count - 1].pairs += (double)of_person;
    }
    mem_free(held);
    return sources;
}

static double square(double x)
{
    return x * x;
}

/* `times`: how many times more of the pairs of one person than chance alone puts into this source. */
static uint8_t rarity_of(double times)
{
    long quarters = lround(log2(times) * 4);
    return (uint8_t)(quarters < 1 ? 1 : quarters > RARITY_TOP ? RARITY_TOP : quarters);
}

void train_write_sources(const struct mpi *mpi, struct mpi_model *model)
{
    struct sources sources = count_sources(mpi);
    double records = 0, pairs = 0, chance = 0; /* that two strangers are of one source */
    for (size_t i = 0; i < sources.count; i++) {
        records += sources.at[i].records;
        pairs += sources.at[i].pairs;
    }
    for (size_t i = 0; i < sources.count; i++)
        chance += square(sources.at[i].records / records);
    if (sources.count > 1) { /* one source has no other to be compared with */
        qsort(sources.at, sources.count, sizeof sources.at[0], order_sources);
        size_t listed = sources.count < SOURCES_MAX ? sources.count : SOURCES_MAX;
        struct value_rarity *values = mem_array(listed, sizeof *values);
        for (size_t i = 0; i < listed; i++) {
            double by_chance = square(sources.at[i].records / records);
            double share = (sources.at[i].pairs + PAIRS_TRUST * by_chance / chance) / (pairs + PAIRS_TRUST);
            values[i] = (struct value_rarity){sources.at[i].source, rarity_of(share / by_chance)};
        }
        value_table_make(&model->values[VALUE_SOURCE], values, listed, 0);
        model->fields[FIELD_AUTHORITY][SAME_EXACT].strangers = train_mbit_of(chance);
        model->fields[FIELD_AUTHORITY][SAME_DIFFERS].strangers = train_mbit_of(1 - chance);
    }
    VEC_FINI(&sources);
}
