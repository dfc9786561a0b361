#include "people_internal.h"

#include <string.h>

/*
 * A body: records whose rows say the same, identifiers aside. What a hundred copies say is what one of them says, so
 * one stands for all: the first, which is the one with the smallest own key, whoever came when.
 */

/* What a row says in fixed places; texts by where they stand, and the bytes they stand in are the rest of it. Rarities
 * follow from the values. No padding: compared as bytes. */
struct facts {
    uint32_t phones[ROW_PHONES], authority;
    uint32_t sites[ROW_ADDRESSES][2];
    uint16_t names[ROW_NAMES][3], streets[ROW_ADDRESSES], cities[ROW_ADDRESSES];
    uint16_t national_kinds[ROW_NATIONALS], nationals[ROW_NATIONALS], emails[ROW_EMAILS];
    uint16_t mother_family, mother_given, birth_place, year;
    uint8_t month, day, sex, generation, birth_order, flags;
    uint8_t name_count, phone_count, email_count, address_count, national_count, spare[3];
};
_Static_assert(sizeof(struct facts) ==
                   4 * (ROW_PHONES + 1 + 2 * ROW_ADDRESSES) +
                       2 * (3 * ROW_NAMES + 2 * ROW_ADDRESSES + 2 * ROW_NATIONALS + ROW_EMAILS + 4) + 14,
               "no padding");

static void take_facts(const struct mpi_row *row, struct facts *facts)
{
    *facts = (struct facts){.authority = row->authority,
                            .mother_family = row->mother_family,
                            .mother_given = row->mother_given,
                            .birth_place = row->birth_place,
                            .year = row->year,
                            .month = row->month,
                            .day = row->day,
                            .sex = (uint8_t)row->sex,
                            .generation = row->generation,
                            .birth_order = row->birth_order,
                            .flags = row->flags & (uint8_t)~ROW_MORE_SAID,
                            .name_count = row->name_count,
                            .phone_count = row->phone_count,
                            .email_count = row->email_count,
                            .address_count = row->address_count,
                            .national_count = row->national_count};
    for (size_t i = 0; i < row->phone_count; i++)
        facts->phones[i] = row_phones(row)[i];
    for (size_t i = 0; i < row->email_count; i++)
        facts->emails[i] = row_emails(row)[i];
    for (size_t i = 0; i < row->name_count; i++) {
        facts->names[i][0] = row_names(row)[i].family;
        facts->names[i][1] = row_names(row)[i].given;
        facts->names[i][2] = row_names(row)[i].middle;
    }
    for (size_t i = 0; i < row->address_count; i++) {
        facts->sites[i][0] = row_addresses(row)[i].postcode;
        facts->sites[i][1] = row_addresses(row)[i].number;
        facts->streets[i] = row_addresses(row)[i].street;
        facts->cities[i] = row_addresses(row)[i].city;
    }
    for (size_t i = 0; i < row->national_count; i++) {
        facts->national_kinds[i] = row_nationals(row)[i].kind;
        facts->nationals[i] = row_nationals(row)[i].text;
    }
}

static struct str all_text(const struct mpi_row *row)
{
    return str_make((const char *)row + row->text_at, row->text_len);
}

uint64_t row_body(const struct mpi_row *row)
{
    if (row->name_count + row->phone_count + row->email_count + row->address_count + row->national_count + row->year ==
        0)
        return 0; /* nothing to be alike in */
    struct facts facts;
    take_facts(row, &facts);
    uint64_t fixed = str_hash(str_make((const char *)&facts, sizeof facts));
    uint64_t text = str_hash(all_text(row));
    return (fixed ^ text * 0x9E3779B97F4A7C15ull) | 1;
}

bool row_same_body(const struct mpi_row *left, const struct mpi_row *right)
{
    if (!str_eq(all_text(left), all_text(right)))
        return false;
    struct facts a, b;
    take_facts(left, &a);
    take_facts(right, &b);
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- what two of one body say about each other ---- */

static int32_t score_within(const struct mpi_model *model, const struct mpi_row *row, struct levels *out_levels)
{
    union row_space other;
    row_without_shared(row, &other);
    compare_rows(row, &other.row, out_levels);
    return weigh_levels(model, out_levels);
}

int32_t body_score(const struct mpi *mpi, const struct mpi_row *row, struct levels *out_levels)
{
    return score_within(mpi->model, row, out_levels);
}

bool body_is_one(const struct mpi *mpi, const struct mpi_row *row)
{
    struct levels levels;
    return body_score(mpi, row, &levels) >= mpi->model->auto_mbit && !levels_veto(&levels) &&
           !levels_hold(mpi->model, &levels);
}

/* ---- who belongs to a body ---- */

bool index_comes_before(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    uint64_t a = entry_at(mpi, APPLIED, left)->own_key, b = entry_at(mpi, APPLIED, right)->own_key;
    return a != b ? a < b : left < right;
}

uint64_t body_members_key(uint64_t body)
{
    return block_key(body ^ 0x3C6EF372FE94F82Bull);
}

uint64_t body_first_key(uint64_t body)
{
    return block_key((body ^ 0xA54FF53A5F1D36F1ull) * 0xBF58476D1CE4E5B9ull);
}

uint32_t body_first_of(const struct mpi *mpi, enum sight sight, uint64_t body)
{
    struct holders members = holders_of(mpi, sight, body_members_key(body));
    struct holders first = members.count > 1 ? holders_of(mpi, sight, body_first_key(body)) : members;
    struct holders_at at = {0};
    return holders_next(&first, &at);
}

uint32_t body_find_first(const struct mpi *mpi, uint64_t body, uint32_t *out_members)
{
    struct holders members = holders_of(mpi, APPLIED, body_members_key(body));
    struct holders_at at = {0};
    uint32_t first = holders_next(&members, &at);
    for (uint32_t record; (record = holders_next(&members, &at)) != 0;)
        if (index_comes_before(mpi, record, first))
            first = record;
    *out_members = members.count;
    return first;
}

uint32_t index_first(const struct mpi *mpi, enum sight sight, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, sight, record)->row;
    uint64_t body = row ? row_body(row) : 0;
    return body ? body_first_of(mpi, sight, body) : record;
}

bool index_alike(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right)
{
    if (index_edge(mpi, sight, left, right))
        return true;
    uint32_t a = index_first(mpi, sight, left), b = index_first(mpi, sight, right);
    if (a != b)
        return index_edge(mpi, sight, a, b) != NULL;
    const struct mpi_row *row = entry_at(mpi, sight, left)->row;
    struct levels levels;
    const struct mpi_model *model = model_of(mpi, sight);
    return left != right && row && score_within(model, row, &levels) >= model->review_mbit;
}

uint32_t index_first_other(const struct mpi *mpi, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    uint64_t body = row ? row_body(row) : 0;
    uint32_t first = body ? body_first_of(mpi, APPLIED, body) : record, best = 0;
    if (first != record)
        return first;
    if (body == 0)
        return 0;
    struct holders members = holders_of(mpi, APPLIED, body_members_key(body));
    struct holders_at at = {0};
    for (uint32_t member; (member = holders_next(&members, &at)) != 0;)
        if (member != record && (best == 0 || index_comes_before(mpi, member, best)))
            best = member;
    return best;
}
