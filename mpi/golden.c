#include "ask_internal.h"

/*
 * Which record each golden value comes from: the most recent legal name, the birth date most records say, the most
 * recent address, phones, e-mail addresses, mother and birth place. Ties go to the later seq, then to the smaller
 * record. Retired records only count when no other says it.
 */
static int rank_name(const struct mpi_name *name)
{
    if (name->family.len + name->given.len == 0)
        return 0;
    if (name->type.len == 0 || str_is(name->type, "L") || str_is(name->type, "D"))
        return 2; /* [HL7 table 0200] legal, display; unsaid means legal */
    return 1;
}

static const struct mpi_name *best_name(const struct mpi_record_view *record)
{
    const struct mpi_name *best = NULL;
    for (size_t i = 0; i < record->demographics.name_count; i++)
        if (rank_name(&record->demographics.names[i]) > (best ? rank_name(best) : 0))
            best = &record->demographics.names[i];
    return best;
}

static bool is_later(const struct mpi_record_view *left, const struct mpi_record_view *right)
{
    bool left_counts = left->active && left->retired_into == 0,
         right_counts = right->active && right->retired_into == 0;
    if (left_counts != right_counts)
        return left_counts;
    return left->last_seq != right->last_seq ? left->last_seq > right->last_seq : left->id < right->id;
}

static void fill_name(struct ctx *cx, struct mpi_person_view *view)
{
    const struct mpi_record_view *from = NULL;
    const struct mpi_name *best = NULL;
    for (size_t i = 0; i < view->record_count; i++) {
        const struct mpi_name *name = best_name(&view->records[i]);
        if (name == NULL)
            continue;
        if (best && rank_name(name) < rank_name(best))
            continue;
        if (best && rank_name(name) == rank_name(best) && !is_later(&view->records[i], from))
            continue;
        best = name;
        from = &view->records[i];
    }
    if (best == NULL)
        return;
    struct mpi_name *copy = arena_array(cx->arena, 1, sizeof *copy);
    *copy = *best;
    view->golden.names = copy;
    view->golden.name_count = 1;
    view->golden_name_record = from->id;
}

static bool same_date(struct date left, struct date right)
{
    return left.year == right.year && left.month == right.month && left.day == right.day;
}

/* A day that does not exist is somebody's slip: any that does goes before it. */
static void fill_birth(struct mpi_person_view *view)
{
    const struct mpi_record_view *best = NULL;
    size_t best_votes = 0;
    for (size_t i = 0; i < view->record_count; i++) {
        struct date date = view->records[i].demographics.birth_date;
        if (date.year == 0)
            continue;
        size_t votes = date_is_valid(date) ? view->record_count : 0;
        for (size_t k = 0; k < view->record_count; k++)
            votes += same_date(view->records[k].demographics.birth_date, date);
        if (best && (votes < best_votes || (votes == best_votes && !is_later(&view->records[i], best))))
            continue;
        best = &view->records[i];
        best_votes = votes;
    }
    if (best == NULL)
        return;
    view->golden.birth_date = best->demographics.birth_date;
    view->golden_birth_record = best->id;
}

enum part { PART_SEX, PART_PHONES, PART_EMAILS, PART_ADDRESSES, PART_MOTHER, PART_BIRTH_PLACE, PART_BIRTH_ORDER };

static bool says(const struct mpi_record_view *record, enum part part)
{
    const struct mpi_demographics *said = &record->demographics;
    switch (part) {
    case PART_SEX:
        return said->sex != 0 && said->sex != 'U';
    case PART_PHONES:
        return said->phone_count > 0;
    case PART_EMAILS:
        return said->email_count > 0;
    case PART_ADDRESSES:
        return said->address_count > 0;
    case PART_MOTHER:
        return said->mother.family.len + said->mother.given.len > 0;
    case PART_BIRTH_PLACE:
        return said->birth_place.len > 0;
    case PART_BIRTH_ORDER:
        return said->birth_order != 0;
    }
    return false;
}

static const struct mpi_record_view *latest_saying(const struct mpi_person_view *view, enum part part)
{
    const struct mpi_record_view *best = NULL;
    for (size_t i = 0; i < view->record_count; i++)
        if (says(&view->records[i], part) && (best == NULL || is_later(&view->records[i], best)))
            best = &view->records[i];
    return best;
}

void golden_fill(struct ctx *cx, struct mpi_person_view *view)
{
    struct mpi_demographics *golden = &view->golden;
    fill_name(cx, view);
    fill_birth(view);
    const struct mpi_record_view *from;
    if ((from = latest_saying(view, PART_SEX)))
        golden->sex = from->demographics.sex;
    if ((from = latest_saying(view, PART_PHONES))) {
        golden->phones = from->demographics.phones;
        golden->phone_count = from->demographics.phone_count;
    }
    if ((from = latest_saying(view, PART_EMAILS))) {
        golden->emails = from->demographics.emails;
        golden->email_count = from->demographics.email_count;
    }
    if ((from = latest_saying(view, PART_ADDRESSES))) {
        golden->addresses = from->demographics.addresses;
        golden->address_count = from->demographics.address_count;
        view->golden_address_record = from->id;
    }
    if ((from = latest_saying(view, PART_MOTHER)))
        golden->mother = from->demographics.mother;
    if ((from = latest_saying(view, PART_BIRTH_PLACE)))
        golden->birth_place = from->demographics.birth_place;
    if ((from = latest_saying(view, PART_BIRTH_ORDER)))
        golden->birth_order = from->demographics.birth_order;
    for (size_t i = 0; i < view->record_count; i++) {
        golden->multiple_birth |= view->records[i].demographics.multiple_birth;
        golden->deceased |= view->records[i].demographics.deceased;
    }
}
