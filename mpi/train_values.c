#include "train_internal.h"

#include <math.h>
#include <stdlib.h>

/* ---- counting ---- */

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
struct value_counts train_count_values(const struct mpi *mpi, enum value_kind kind)
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

static double agreeing_pairs(const struct value_counts *values)
{
    double agreeing = 0;
    for (size_t i = 0; i < values->count; i++)
        agreeing += (double)values->at[i].persons * (values->at[i].persons - 1.0);
    return agreeing;
}

/* ---- namesakes ---- */

/* Of those born in different years. */
static struct agreement apart(const struct agreement *agreements, enum value_kind kind, enum value_kind kind_and_year)
{
    double agreeing = agreements[kind].agreeing - agreements[kind_and_year].agreeing;
    return (struct agreement){fmax(agreeing, 0), agreements[kind].of};
}

/*
 * How many times more often strangers share both names than each name's frequency tells. Counted on pairs born in
 * different years: records of one person that nobody has put together yet would look like namesakes. Where few such
 * pairs can be expected, or no births are known, the general belief counts more.
 */
static int32_t namesakes(const struct agreement *agreements)
{
    enum { TRUST = 10 /* pairs */, NAMESAKES_TOP_MBIT = 8000 };
    struct agreement family = apart(agreements, VALUE_FAMILY, VALUE_FAMILY_YEAR),
                     given = apart(agreements, VALUE_GIVEN, VALUE_GIVEN_YEAR),
                     both = apart(agreements, VALUE_FULL_NAME, VALUE_FULL_NAME_YEAR);
    double expected = both.of > 0 ? both.of * (family.agreeing / family.of) * (given.agreeing / given.of) : 0;
    double general = exp2(mpi_model_general()->namesake_mbit / 1000.0);
    double times = (both.agreeing + TRUST * general) / (expected + TRUST);
    return (int32_t)lround(fmin(fmax(log2(times) * 1000, 0), NAMESAKES_TOP_MBIT));
}

/* ---- how rare ---- */

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

enum { TURING_TO = 3, VALUES_MAX = 1 << 16 };

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

/*
 * A slip of the pen is not made twice: what several records say is a name, though one person alone should have it. But
 * among many people every slip of a common name is made again by others: "Timotyh" beside seventy Timothys. So where a
 * far commoner name is one slip away, it must be the same persons who say it again.
 */
static bool is_name(const struct value_count *count)
{
    enum { KNOWN_PERSONS = 3, KNOWN_RECORDS = 2, SLIPS_ONE_IN = 16 };
    uint64_t persons = count->persons, records = count->records;
    bool is_said_again = records * 4 >= persons * 5, is_common = persons * SLIPS_ONE_IN > count->beside;
    return (persons >= KNOWN_PERSONS || records >= KNOWN_RECORDS) && (is_said_again || is_common);
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

/* So many of each kind that all together are a text that may be read: few kinds are as long as that. */
static size_t values_of_a_kind(const size_t counts[VALUE_KINDS], size_t of_all)
{
    size_t low = 0, high = VALUES_MAX;
    while (low < high) {
        size_t middle = high - (high - low) / 2, sum = 0;
        for (size_t kind = 0; kind < VALUE_KINDS; kind++)
            sum += counts[kind] < middle ? counts[kind] : middle;
        if (sum <= of_all)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static struct agreement write_values(const struct mpi *mpi, enum value_kind kind, size_t values_max,
                                     struct mpi_model *model)
{
    struct value_counts values = train_count_values(mpi, kind);
    double persons = (double)values.persons;
    struct agreement agreement = {agreeing_pairs(&values), persons * (persons - 1)};
    if (kind == VALUE_FAMILY || kind == VALUE_GIVEN)
        train_see_beside(mpi, kind, &values);
    if (kind < VALUE_SOURCE) {
        value_table_fini(&model->values[kind]);
        study_tabulate(&values, kind, values_max, &model->values[kind]);
    }
    VEC_FINI(&values);
    return agreement;
}

/* One kind after the other: of a large index the values of one are many. */
void train_write_values(const struct mpi *mpi, size_t of_all, struct mpi_model *model,
                        struct agreement out_agreements[COUNTED_KINDS])
{
    size_t counts[VALUE_KINDS] = {0};
    for (size_t i = 0; i < COUNTED_KINDS; i++) {
        if (i == VALUE_SOURCE)
            continue; /* train_write_sources() */
        out_agreements[i] = write_values(mpi, (enum value_kind)i, VALUES_MAX, model);
        if (i < VALUE_KINDS)
            counts[i] = model->values[i].count;
    }
    model->namesake_mbit = namesakes(out_agreements);
    size_t values_max = values_of_a_kind(counts, of_all);
    for (size_t i = 0; i < VALUE_SOURCE; i++)
        if (counts[i] > values_max)
            (void)write_values(mpi, (enum value_kind)i, values_max, model);
}
