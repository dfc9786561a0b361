#include "mpi/blocking.h"

#include "ask_internal.h"
#include "study_internal.h"

_Static_assert((int)MPI_BLOCKING_RULES == (int)RULE_COUNT, "every rule is told about");
_Static_assert(RULE_COUNT <= 32, "a set of rules is a word");

struct report {
    const struct mpi *mpi;
    enum sight sight;
    struct mpi_blocking *out;
};

/* A key is counted with the record that is met first under it. */
static bool is_met_first(const struct holders *holders, uint32_t record)
{
    struct holders_at at = {0};
    return holders_next(holders, &at) == record;
}

static void note_size(struct mpi_blocking_rule *rule, uint32_t size)
{
    size_t at = MPI_BLOCKING_LARGEST;
    for (; at > 0 && rule->largest[at - 1] < size; at--)
        if (at < MPI_BLOCKING_LARGEST)
            rule->largest[at] = rule->largest[at - 1];
    if (at < MPI_BLOCKING_LARGEST)
        rule->largest[at] = size;
}

static void count_keys(const struct report *report, uint32_t record, const struct row_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        struct holders holders = holders_of(report->mpi, report->sight, keys->at[i].key);
        struct mpi_blocking_rule *rule = &report->out->rules[keys->at[i].rule];
        if (!is_met_first(&holders, record))
            continue;
        rule->keys++;
        rule->over_full += holders.count > report->mpi->block_cap;
        note_size(rule, holders.count);
    }
}

struct live {
    struct row_key *keys;
    size_t count;
};

static struct live live_keys_of(const struct mpi *mpi, enum sight sight, uint32_t record)
{
    struct live live;
    struct row_keys keys = index_keys(mpi, sight, record);
    live.count = index_live_keys(mpi, sight, entry_at(mpi, sight, record)->row, &keys, &live.keys);
    return live;
}

static void count_pairs(const struct report *report, uint32_t record, const struct live *live)
{
    for (size_t i = 0; i < live->count; i++) {
        struct holders holders = holders_of(report->mpi, report->sight, live->keys[i].key);
        if (!is_met_first(&holders, record))
            continue;
        struct mpi_blocking_rule *rule = &report->out->rules[live->keys[i].rule];
        rule->narrower += live->keys[i].depth > 0;
        rule->pairs += (uint64_t)holders.count * (holders.count - 1) / 2;
    }
}

/* The rules of the keys that both stand under: a bit each. */
static uint32_t common_rules(const struct live *left, const struct live *right)
{
    uint32_t rules = 0;
    for (size_t i = 0, k = 0; i < left->count && k < right->count;) {
        if (left->keys[i].key == right->keys[k].key)
            rules |= 1u << left->keys[i].rule;
        if (left->keys[i].key <= right->keys[k].key)
            i++;
        else
            k++;
    }
    return rules;
}

static void count_linked(const struct report *report, uint32_t record, const struct live *live)
{
    const struct mpi *mpi = report->mpi;
    struct mpi_blocking *out = report->out;
    const struct entry *entry = entry_at(mpi, report->sight, record);
    for (uint32_t i = 0; i < entry->edge_count; i++) {
        if (entry->edges[i].other < record || entry->edges[i].score_mbit < model_of(mpi, report->sight)->auto_mbit)
            continue;
        struct live other = live_keys_of(mpi, report->sight, entry->edges[i].other);
        uint32_t rules = common_rules(live, &other);
        mem_free(other.keys);
        bool alone = (rules & (rules - 1)) == 0;
        for (size_t rule = 0; rule < RULE_COUNT; rule++) {
            out->rules[rule].linked += rules >> rule & 1;
            out->rules[rule].linked_alone += alone && (rules >> rule & 1);
        }
        out->linked++;
        out->found_by[__builtin_popcount(rules)]++;
    }
}

static void count_record(const struct report *report, uint32_t record)
{
    if (entry_at(report->mpi, report->sight, record)->row == NULL)
        return;
    struct row_keys keys = index_keys(report->mpi, report->sight, record);
    struct live live = live_keys_of(report->mpi, report->sight, record);
    report->out->records++;
    report->out->bodies += index_first(report->mpi, report->sight, record) == record;
    count_keys(report, record, &keys);
    count_pairs(report, record, &live);
    count_linked(report, record, &live);
    mem_free(live.keys);
}

static struct mpi_blocking begin(const struct mpi *mpi)
{
    struct mpi_blocking blocking = {.cap = mpi->block_cap};
    for (size_t i = 0; i < RULE_COUNT; i++)
        blocking.rules[i].name = row_rule_name((enum row_rule)i);
    return blocking;
}

uint64_t mpi_blocking_missed(uint64_t once, uint64_t twice)
{
    if (twice == 0)
        return once > 0 ? once * (once - 1) / 2 : 0;
    return once * once / (2 * twice);
}

double mpi_blocking_recall(const struct mpi_blocking *blocking)
{
    double there = (double)blocking->linked + (double)blocking->missed;
    return there > 0 ? (double)blocking->linked / there : 1;
}

status mpi_blocking(struct mpi *mpi, struct ctx *cx, struct mpi_blocking *out_blocking)
{
    enum { SLICE = 256 }; /* records of one look: the writer waits no longer than that */
    struct mpi_blocking blocking = begin(mpi);
    struct report report = {mpi, SHOWN, &blocking};
    uint32_t record = 1;
    for (bool more = true; more;) {
        TRY(ctx_check(cx));
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        for (uint32_t slice = 0; slice < SLICE && record <= mpi->shown.records; slice++)
            count_record(&report, record++);
        more = record <= mpi->shown.records;
    }
    blocking.missed = mpi_blocking_missed(blocking.found_by[1], blocking.found_by[2]);
    *out_blocking = blocking;
    return STATUS_OK;
}

/* ---- of a study ---- */

void mpi_study_blocking(const struct mpi_study *study, struct mpi_blocking *out_blocking)
{
    struct mpi_blocking blocking = begin(study->mpi);
    struct report report = {study->mpi, APPLIED, &blocking};
    for (uint32_t record = 1; record <= mpi_study_records(study); record++)
        count_record(&report, record);
    blocking.missed = mpi_blocking_missed(blocking.found_by[1], blocking.found_by[2]);
    *out_blocking = blocking;
}

bool mpi_study_meets(const struct mpi_study *study, uint32_t left, uint32_t right)
{
    const struct mpi *mpi = study->mpi;
    if (entry_at(mpi, APPLIED, left)->row == NULL || entry_at(mpi, APPLIED, right)->row == NULL)
        return false;
    uint32_t first_left = index_first(mpi, APPLIED, left), first_right = index_first(mpi, APPLIED, right);
    if (first_left == first_right)
        return true;
    struct live keys_left = live_keys_of(mpi, APPLIED, first_left),
                keys_right = live_keys_of(mpi, APPLIED, first_right);
    uint32_t rules = common_rules(&keys_left, &keys_right);
    mem_free(keys_left.keys);
    mem_free(keys_right.keys);
    return rules != 0;
}
