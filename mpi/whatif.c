#include "mpi/whatif.h"
#include "study_internal.h"

#include <stdlib.h>

/* ---- what one model makes of everybody ---- */

struct asked { /* pairs of persons: the smaller number above the larger, ascending, each once */
    uint64_t *at;
    size_t count, cap;
};

static int order_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void keep_each_once(struct asked *asked)
{
    size_t kept = 0;
    if (asked->count > 1)
        qsort(asked->at, asked->count, sizeof asked->at[0], order_numbers);
    for (size_t i = 0; i < asked->count; i++)
        if (kept == 0 || asked->at[kept - 1] != asked->at[i])
            asked->at[kept++] = asked->at[i];
    asked->count = kept;
}

static struct asked ask_all(const struct mpi_study *study)
{
    struct asked asked = {0};
    for (uint32_t person = 1; person <= mpi_study_records(study); person++) {
        struct mpi_study_pair pair;
        if (!mpi_study_question(study, person, &pair))
            continue;
        uint32_t a = mpi_study_person(study, pair.left), b = mpi_study_person(study, pair.right);
        *VEC_ADD(&asked) = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    }
    keep_each_once(&asked);
    return asked;
}

static uint64_t count_shared(const struct asked *left, const struct asked *right)
{
    uint64_t shared = 0;
    for (size_t i = 0, k = 0; i < left->count && k < right->count;) {
        shared += left->at[i] == right->at[k];
        uint64_t low = left->at[i] < right->at[k] ? left->at[i] : right->at[k];
        i += left->at[i] == low;
        k += right->at[k] == low;
    }
    return shared;
}

/* ---- pairs: by contingency, never one by one ---- */

static uint64_t pairs_of(uint64_t records)
{
    return records * (records - 1) / 2;
}

/* Pairs of equal labels, and how many different ones there are. Sorts them. */
static uint64_t count_pairs(uint64_t *labels, size_t count, uint64_t *out_different)
{
    uint64_t pairs = 0, different = 0;
    if (count > 1)
        qsort(labels, count, sizeof labels[0], order_numbers);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && labels[to] == labels[from];)
            to++;
        pairs += pairs_of(to - from);
        different++;
    }
    *out_different = different;
    return pairs;
}

static void compare_pairs(const uint32_t *before, const uint32_t *after, uint32_t records, struct mpi_whatif *whatif)
{
    uint64_t *labels = mem_array((size_t)records + 1, sizeof *labels), both;
    for (uint32_t i = 0; i < records; i++)
        labels[i] = before[i + 1];
    whatif->pairs_before = count_pairs(labels, records, &whatif->persons_before);
    for (uint32_t i = 0; i < records; i++)
        labels[i] = after[i + 1];
    whatif->pairs_after = count_pairs(labels, records, &whatif->persons_after);
    for (uint32_t i = 0; i < records; i++)
        labels[i] = (uint64_t)before[i + 1] << 32 | after[i + 1];
    uint64_t stay = count_pairs(labels, records, &both);
    whatif->pairs_joined = whatif->pairs_after - stay;
    whatif->pairs_parted = whatif->pairs_before - stay;
    mem_free(labels);
}

/* ---- groups: persons before and after that share records ---- */

static uint32_t group_of(uint32_t *group, uint32_t record)
{
    while (group[record] != record)
        record = group[record] = group[group[record]];
    return record;
}

static int order_lines(const void *left, const void *right)
{
    const struct mpi_whatif_line *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

/* A person is named by one of its records, the same one as long as they stay together: so a group changes exactly when
 * one of its records is named anew. */
static void list_changes(const uint32_t *before, const uint32_t *after, uint32_t records, struct mpi_whatif *whatif)
{
    uint32_t *group = mem_array((size_t)records + 1, sizeof *group);
    bool *changes = mem_array((size_t)records + 1, sizeof *changes);
    for (uint32_t i = 1; i <= records; i++)
        group[i] = i;
    for (uint32_t i = 1; i <= records; i++) {
        uint32_t a = group_of(group, before[i]), b = group_of(group, after[i]);
        group[a > b ? a : b] = a < b ? a : b;
    }
    for (uint32_t i = 1; i <= records; i++) {
        bool *of_group = &changes[group_of(group, before[i])];
        whatif->groups += !*of_group && before[i] != after[i];
        *of_group |= before[i] != after[i];
    }
    for (uint32_t i = 1; i <= records; i++)
        whatif->line_count += changes[group_of(group, before[i])];
    whatif->lines = mem_array(whatif->line_count + 1, sizeof *whatif->lines);
    size_t line = 0;
    for (uint32_t i = 1; i <= records; i++)
        if (changes[group_of(group, before[i])])
            whatif->lines[line++] = (struct mpi_whatif_line){group_of(group, before[i]), i, before[i], after[i]};
    if (line > 1)
        qsort(whatif->lines, line, sizeof whatif->lines[0], order_lines);
    mem_free(group);
    mem_free(changes);
}

static uint32_t *persons_of(const struct mpi_study *study)
{
    uint32_t records = mpi_study_records(study), *persons = mem_array((size_t)records + 1, sizeof *persons);
    for (uint32_t i = 1; i <= records; i++)
        persons[i] = mpi_study_person(study, i);
    return persons;
}

struct linked { /* what one model makes of everybody */
    uint32_t *persons;
    struct asked asked;
};

static struct linked link_by(struct mpi_study *study, const struct mpi_model *model)
{
    mpi_study_link(study, model);
    if (study_stops(study))
        return (struct linked){0};
    return (struct linked){persons_of(study), ask_all(study)};
}

static void linked_fini(struct linked *linked)
{
    mem_free(linked->persons);
    VEC_FINI(&linked->asked);
}

status mpi_study_whatif(struct mpi_study *study, struct ctx *cx, const struct mpi_model *before,
                        const struct mpi_model *after, struct mpi_whatif *out_whatif)
{
    uint32_t records = mpi_study_records(study);
    struct mpi_whatif whatif = {0};
    study_heed(study, cx);
    SCOPED(linked_fini) struct linked one = link_by(study, before);
    SCOPED(linked_fini) struct linked two = link_by(study, after);
    TRY(study_heed_end(study));
    uint64_t stay = count_shared(&one.asked, &two.asked);
    whatif.questions_before = one.asked.count;
    whatif.questions_after = two.asked.count;
    whatif.questions_opened = two.asked.count - stay;
    whatif.questions_closed = one.asked.count - stay;
    compare_pairs(one.persons, two.persons, records, &whatif);
    list_changes(one.persons, two.persons, records, &whatif);
    *out_whatif = whatif;
    return STATUS_OK;
}

void mpi_whatif_fini(struct mpi_whatif *whatif)
{
    mem_free(whatif->lines);
    *whatif = (struct mpi_whatif){0};
}
