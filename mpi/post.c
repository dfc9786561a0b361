#include "people_internal.h"

#include <stdlib.h>

/*
 * Under which keys a record stands. The first of a body stands under all keys of its row; the others of the body only
 * under the identifiers that the first does not have. So a block counts bodies, and ten thousand copies stand in it
 * once.
 *
 * A key held by more than block_cap is over-full, and each of its holders also stands under its narrower keys, and
 * nobody is looked for under the key itself: which keys there are follows from the set of records alone. When a key
 * becomes over-full the narrower ones are filled, when it no longer is they are emptied; both from the cap + 1 holders.
 */

/* ---- one key, one record ---- */

static uint32_t count_at(const struct mpi *mpi, uint64_t key)
{
    return holders_of(mpi, APPLIED, key).count;
}

static uint32_t add(struct mpi *mpi, uint64_t key, uint32_t record)
{
    return mpi->opening ? blocks_add(&mpi->blocks, key, record) : draft_add_key(mpi, key, record);
}

static uint32_t take_away(struct mpi *mpi, uint64_t key, uint32_t record)
{
    return mpi->opening ? blocks_remove(&mpi->blocks, key, record) : draft_remove_key(mpi, key, record);
}

/* A record with the further values of its row, which few ever need. */
struct holder {
    uint32_t record;
    bool known;
    size_t trait_count;
    struct row_trait traits[ROW_TRAITS_MAX];
};

static void know_traits(const struct mpi *mpi, struct holder *holder)
{
    if (!holder->known)
        holder->trait_count = row_traits(entry_at(mpi, APPLIED, holder->record)->row, holder->traits);
    holder->known = true;
}

typedef void stand_fn(struct mpi *mpi, struct holder *holder, const struct row_key *key);
static stand_fn stand, leave;

static void each_narrower(struct mpi *mpi, struct holder *holder, const struct row_key *key, stand_fn *visit)
{
    struct row_key narrower;
    know_traits(mpi, holder);
    for (size_t i = 0; i < holder->trait_count; i++)
        if (row_narrow_key(key, &holder->traits[i], &narrower))
            visit(mpi, holder, &narrower);
}

/* A key has crossed the cap: for all its holders. */
static void cross(struct mpi *mpi, const struct row_key *key, bool over_full, stand_fn *visit)
{
    *VEC_ADD(&mpi->crossings) = (struct crossing){key->key, over_full};
    uint32_t *records, count = holders_list(mpi, APPLIED, key->key, &records);
    for (uint32_t i = 0; i < count; i++) {
        struct holder holder = {.record = records[i]};
        each_narrower(mpi, &holder, key, visit);
    }
    mem_free(records);
}

/* These two call each other's callers down to ROW_NARROW_MAX + ROW_HALVINGS, no deeper. */
static void stand(struct mpi *mpi, struct holder *holder, const struct row_key *key)
{
    uint32_t count = add(mpi, key->key, holder->record), cap = index_cap(mpi, key);
    if (count == cap + 1)
        cross(mpi, key, true, stand);
    else if (count > cap)
        each_narrower(mpi, holder, key, stand);
}

static void leave(struct mpi *mpi, struct holder *holder, const struct row_key *key)
{
    uint32_t cap = index_cap(mpi, key);
    if (count_at(mpi, key->key) > cap)
        each_narrower(mpi, holder, key, leave);
    if (take_away(mpi, key->key, holder->record) == cap)
        cross(mpi, key, false, leave);
}

/* ---- all keys of a record ---- */

static bool has_key(const struct row_keys *keys, uint64_t key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->at[i].key == key)
            return true;
    return false;
}

/* The keys of a row that stands behind the first of its body; first == row: of the first itself. */
static struct row_keys keys_behind(const struct mpi_row *row, const struct mpi_row *first)
{
    struct row_keys all = {.count = row_keys(row, all.at)}, others, kept = {0};
    if (first == row)
        return all;
    others.count = row_keys(first, others.at);
    for (size_t i = 0; i < all.count; i++)
        if (all.at[i].rule == RULE_IDENTIFIER && !has_key(&others, all.at[i].key))
            kept.at[kept.count++] = all.at[i];
    return kept;
}

struct row_keys index_keys(const struct mpi *mpi, enum sight sight, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, sight, record)->row;
    return keys_behind(row, entry_at(mpi, sight, index_first(mpi, sight, record))->row);
}

static void change_keys(struct mpi *mpi, uint32_t record, const struct row_keys *before, const struct row_keys *now)
{
    struct holder holder = {.record = record};
    for (size_t i = 0; i < before->count; i++)
        if (!has_key(now, before->at[i].key))
            leave(mpi, &holder, &before->at[i]);
    for (size_t i = 0; i < now->count; i++)
        if (!has_key(before, now->at[i].key))
            stand(mpi, &holder, &now->at[i]);
}

/* ---- the first of a body changes ---- */

static const struct mpi_row *row_of(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->row;
}

/* A record of the body stood behind one record and now stands behind another; itself: it is the first. */
static void stand_behind(struct mpi *mpi, uint32_t record, uint32_t before, uint32_t now)
{
    const struct mpi_row *row = row_of(mpi, record);
    struct row_keys old = keys_behind(row, row_of(mpi, before)), new = keys_behind(row, row_of(mpi, now));
    change_keys(mpi, record, &old, &new);
    if (!mpi->opening)
        *VEC_ADD(&mpi->reposted) = record;
}

/* Does it hold an identifier of one of the two that the other does not have? Few do. */
static bool tells_apart(const struct mpi_row *row, const struct mpi_row *before, const struct mpi_row *now)
{
    for (size_t i = 0; i < row->shared_count; i++) {
        bool had = false, has = false;
        for (size_t k = 0; k < before->shared_count; k++)
            had |= row_shared(before)[k] == row_shared(row)[i];
        for (size_t k = 0; k < now->shared_count; k++)
            has |= row_shared(now)[k] == row_shared(row)[i];
        if (had != has)
            return true;
    }
    return false;
}

static void change_first(struct mpi *mpi, uint64_t body, uint32_t before, uint32_t now)
{
    uint32_t *members, count = holders_list(mpi, APPLIED, body_members_key(body), &members);
    for (uint32_t i = 0; i < count; i++) {
        if (members[i] == before || members[i] == now ||
            tells_apart(row_of(mpi, members[i]), row_of(mpi, before), row_of(mpi, now)))
            stand_behind(mpi, members[i], before, now);
        if (!mpi->opening)
            index_touch(mpi, members[i]); /* they may ask about the first */
    }
    mem_free(members);
}

/* Of two or more there is a note which one is the first. */
static void note_first(struct mpi *mpi, uint64_t body, uint32_t before, uint32_t now)
{
    if (before == now)
        return;
    if (before != 0)
        (void)take_away(mpi, body_first_key(body), before);
    if (now != 0)
        (void)add(mpi, body_first_key(body), now);
}

/* ---- coming and going ---- */

static const struct row_keys no_keys;

void index_join(struct mpi *mpi, uint32_t record)
{
    const struct mpi_row *row = row_of(mpi, record);
    uint64_t body = row_body(row);
    uint32_t others = body ? count_at(mpi, body_members_key(body)) : 0, before = 0, now = record;
    if (others > 0) {
        before = body_first_of(mpi, APPLIED, body);
        now = index_comes_before(mpi, record, before) ? record : before;
        note_first(mpi, body, others > 1 ? before : 0, now);
        if (now == record)
            change_first(mpi, body, before, now);
    }
    if (body)
        (void)add(mpi, body_members_key(body), record);
    struct row_keys keys = keys_behind(row, row_of(mpi, now));
    change_keys(mpi, record, &no_keys, &keys);
}

void index_leave(struct mpi *mpi, uint32_t record)
{
    const struct mpi_row *row = row_of(mpi, record);
    uint64_t body = row_body(row);
    uint32_t before = body ? body_first_of(mpi, APPLIED, body) : record;
    struct row_keys keys = keys_behind(row, row_of(mpi, before));
    change_keys(mpi, record, &keys, &no_keys);
    uint32_t others = body ? take_away(mpi, body_members_key(body), record) : 0;
    if (others == 0)
        return;
    uint32_t members, now = before == record ? body_find_first(mpi, body, &members) : before;
    note_first(mpi, body, before, others > 1 ? now : 0);
    if (before == record)
        change_first(mpi, body, before, now);
    index_touch(mpi, now);
}
