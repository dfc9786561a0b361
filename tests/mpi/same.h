/* Two indexes are the same: rows, blocks, edges, clusters, decisions, reviews, numbers; read as one sight shows them.
 */
#pragma once

#include "ask_internal.h"
#include "world.h"

static inline int same_order(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* The records a row finds, as a sorted set on the heap. */
static inline uint32_t *same_candidates(const struct mpi *mpi, enum sight sight, const struct mpi_row *row,
                                        size_t *out_count)
{
    uint32_t *found;
    struct row_keys keys = {.count = row_keys(row, keys.at)};
    *out_count = index_candidates(mpi, sight, row, &keys, 0, &found);
    qsort(found, *out_count, sizeof *found, same_order);
    return found;
}

static inline void same_blocks(const struct mpi *one, const struct mpi *two, enum sight sight, uint32_t record)
{
    const struct mpi_row *row = entry_at(one, sight, record)->row;
    if (row == NULL)
        return;
    size_t a_count, b_count;
    uint32_t *a = same_candidates(one, sight, row, &a_count), *b = same_candidates(two, sight, row, &b_count);
    assert_int_equal(a_count, b_count);
    assert_memory_equal(a, b, a_count * sizeof a[0]);
    mem_free(a);
    mem_free(b);
    struct row_key *a_keys, *b_keys;
    struct row_keys keys = {.count = row_keys(row, keys.at)};
    a_count = index_live_keys(one, sight, row, &keys, &a_keys);
    b_count = index_live_keys(two, sight, row, &keys, &b_keys);
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_int_equal(a_keys[i].key, b_keys[i].key);
        assert_int_equal(holders_of(one, sight, a_keys[i].key).count, holders_of(two, sight, b_keys[i].key).count);
    }
    mem_free(a_keys);
    mem_free(b_keys);
    assert_int_equal(index_first(one, sight, record), index_first(two, sight, record));
}

static inline void same_entry(const struct mpi *one, const struct mpi *two, enum sight sight, uint32_t record)
{
    const struct entry *a = entry_at(one, sight, record), *b = entry_at(two, sight, record);
    assert_int_equal(a->own_key, b->own_key);
    assert_int_equal(a->person, b->person);
    assert_int_equal(a->retired_into, b->retired_into);
    assert_int_equal(a->row != NULL, b->row != NULL);
    if (a->row) {
        assert_int_equal(row_bytes(a->row), row_bytes(b->row));
        assert_memory_equal(a->row, b->row, row_bytes(a->row));
    }
    assert_int_equal(a->edge_count, b->edge_count);
    if (a->edge_count)
        assert_memory_equal(a->edges, b->edges, a->edge_count * sizeof a->edges[0]);
    assert_int_equal(a->decision, b->decision);
    assert_int_equal(a->review, b->review);
}

static inline size_t same_ring(const struct mpi *mpi, enum sight sight, uint32_t record, uint32_t *out, size_t max)
{
    size_t count = 0;
    uint32_t at = record;
    do {
        assert_true(count < max);
        out[count++] = at;
    } while ((at = entry_at(mpi, sight, at)->ring) != record);
    qsort(out, count, sizeof *out, same_order);
    return count;
}

static inline void same_members(const struct mpi *one, const struct mpi *two, enum sight sight, uint32_t record)
{
    uint32_t a[2000], b[2000];
    size_t a_count = same_ring(one, sight, record, a, 2000), b_count = same_ring(two, sight, record, b, 2000);
    assert_int_equal(a_count, b_count);
    assert_memory_equal(a, b, a_count * sizeof a[0]);
}

static inline void same_questions(const struct mpi *one, const struct mpi *two, enum sight sight)
{
    for (uint32_t i = 0; i < tally_of(one, sight)->decisions; i++) {
        const struct decision *a = CHUNK_AT(&one->decisions, i), *b = CHUNK_AT(&two->decisions, i);
        assert_int_equal(a->id, b->id);
        assert_int_equal(decision_stands(a, sight), decision_stands(b, sight));
    }
    for (uint32_t i = 0; i < tally_of(one, sight)->reviews; i++) {
        const struct review *a = CHUNK_AT(&one->asked, i), *b = CHUNK_AT(&two->asked, i);
        bool open = sight == APPLIED ? a->open_applied : a->open;
        assert_int_equal(a->id, b->id);
        assert_int_equal(open, sight == APPLIED ? b->open_applied : b->open);
    }
}

static inline void same_count(void *arg, uint64_t key, uint32_t record)
{
    uint64_t *sum = arg;
    sum[0]++;
    sum[1] += key * 31 + record;
}

/* Nobody stands under a key too many or too few. */
static inline void same_postings(const struct mpi *one, const struct mpi *two)
{
    uint64_t a[2] = {0}, b[2] = {0};
    blocks_each(&one->blocks, same_count, a);
    blocks_each(&two->blocks, same_count, b);
    assert_int_equal(a[0], b[0]);
    assert_int_equal(a[1], b[1]);
}

static inline void same_index(const struct mpi *one, const struct mpi *two, enum sight sight)
{
    const struct tally *a = tally_of(one, sight), *b = tally_of(two, sight);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->persons, b->persons);
    assert_int_equal(a->decisions, b->decisions);
    assert_int_equal(a->reviews, b->reviews);
    assert_int_equal(a->reviews_open, b->reviews_open);
    assert_int_equal(a->row_bytes, b->row_bytes);
    for (uint32_t i = 1; i <= a->records; i++) {
        same_entry(one, two, sight, i);
        same_blocks(one, two, sight, i);
        same_members(one, two, sight, i);
    }
    same_questions(one, two, sight);
    if (sight == SHOWN)
        same_postings(one, two);
}
