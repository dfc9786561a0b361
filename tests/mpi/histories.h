/*
 * Random histories of few records that have much in common: twins, shared numbers, copies, generations, names that come
 * and go; messages, stewards and models on top. Every step goes to the index and to a book of plain facts (book.h).
 */
#pragma once

#include "book.h"

#include "mpi/models.h"

/* ---- what can be said: little, so that everybody is like somebody ---- */

struct words {
    struct mpi_identifier numbers[3];
    struct mpi_name names[2];
    struct str phones[2];
    struct mpi_address address;
    struct mpi_record_input input; /* points into this */
};

#define PICK(random, list)      (list)[hash_random(random) % (sizeof(list) / sizeof(list)[0])]
#define PICK_TEXT(random, list) str_from(PICK(random, list))

static inline struct mpi_identifier words_own_number(uint64_t *random, uint32_t humans)
{
    static const char *const values[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c"};
    return (struct mpi_identifier){hash_random(random) % 8 ? STR("HOSP") : STR("CARD"),
                                   str_from(values[hash_random(random) % humans]), STR("MR")};
}

static inline void words_say_numbers(struct words *words, uint64_t *random, uint32_t humans)
{
    static const char *const nationals[] = {"536220413", "536220414", "418559032"};
    words->numbers[0] = words_own_number(random, humans);
    words->input.identifier_count = 1;
    uint64_t more = hash_random(random) % 8;
    if (more < 3)
        words->numbers[words->input.identifier_count++] =
            (struct mpi_identifier){STR("USA"), PICK_TEXT(random, nationals), STR("SS")};
    if (more == 2 || more == 3) /* another's own, or one that several have */
        words->numbers[words->input.identifier_count++] = words_own_number(random, humans);
}

static inline void words_say_names(struct words *words, uint64_t *random)
{
    static const char *const families[] = {"Lindqvist", "Lindqvist", "Lindqist", "Okonkwo", "Smith"};
    static const char *const givens[] = {"Anna", "Anna", "Anne", "Robert", "Bob", "Jana", "Jane", ""};
    static const char *const suffixes[] = {"", "", "", "", "Jr", "Sr"};
    static const char *const middles[] = {"", "", "", "Rose"};
    size_t count = hash_random(random) % 8 == 0 ? 0 : 1 + (hash_random(random) % 6 == 0);
    for (size_t i = 0; i < count; i++)
        words->names[i] = (struct mpi_name){.family = PICK_TEXT(random, families),
                                            .given = PICK_TEXT(random, givens),
                                            .middle = PICK_TEXT(random, middles),
                                            .suffix = PICK_TEXT(random, suffixes)};
    words->input.demographics.names = words->names;
    words->input.demographics.name_count = count;
}

static inline void words_say_home(struct words *words, uint64_t *random)
{
    static const char *const phones[] = {"2065550143", "2065550143", "2065550199"};
    static const char *const lines[] = {"12 Elm St", "12 Elm Street", "14 Elm St", "7 Oak Ave"};
    struct mpi_demographics *said = &words->input.demographics;
    said->phone_count = hash_random(random) % 4 == 0 ? 2 : hash_random(random) % 2;
    for (size_t i = 0; i < said->phone_count; i++)
        words->phones[i] = PICK_TEXT(random, phones);
    said->phones = words->phones;
    said->address_count = hash_random(random) % 2;
    words->address = (struct mpi_address){.line = PICK_TEXT(random, lines),
                                          .city = STR("Seattle"),
                                          .postcode = hash_random(random) % 3 ? STR("98101") : STR("98102")};
    said->addresses = &words->address;
    if (hash_random(random) % 6 == 0)
        said->mother = (struct mpi_name){.family = hash_random(random) % 2 ? STR("Petit") : STR("Grand")};
}

static inline void words_say_birth(struct words *words, uint64_t *random)
{
    static const struct date births[] = {{1980, 2, 29}, {1980, 2, 29}, {1980, 2, 28}, {1980, 3, 4}, {1980, 4, 3},
                                         {1980, 1, 1},  {1982, 2, 28}, {1980, 0, 0},  {0, 0, 0},    {1955, 2, 28}};
    struct mpi_demographics *said = &words->input.demographics;
    said->birth_date = PICK(random, births);
    said->sex = "FFFM\0"[hash_random(random) % 5];
    said->multiple_birth = hash_random(random) % 10 == 0;
    said->birth_order = hash_random(random) % 10 == 0 ? (uint8_t)(1 + hash_random(random) % 2) : 0;
}

static inline void words_make(uint64_t *random, uint32_t humans, struct words *out)
{
    *out = (struct words){0};
    struct mpi_record_input *input = &out->input;
    input->source = hash_random(random) % 2 ? STR("north") : STR("lake");
    input->identifiers = out->numbers;
    words_say_numbers(out, random, humans);
    words_say_names(out, random);
    words_say_birth(out, random);
    words_say_home(out, random);
    input->cleared_fields = hash_random(random) % 6 == 0 ? (uint32_t)(hash_random(random) & 0x7F) : 0;
    input->deactivate = hash_random(random) % 12 == 0;
    input->keep_known = hash_random(random) % 12 == 0;
}

/* ---- models to change between ---- */

enum { MODELS = 7 };
struct models {
    struct mpi_model *at[MODELS];
    struct buf texts[MODELS];
    struct mpi *facts; /* of the book: one for all histories */
};

static inline void models_make(struct support *support, struct models *out)
{
    /* auto, review, prior, clip, alone: as they are, eager, curious, stern, one for whom a single pair decides, and two
     * for whom nobody is alone */
    static const int32_t changes[MODELS][5] = {{0, 0, 0, 0},
                                               {-12000, -8000, 0, 0},
                                               {-4000, -22000, 0, 0},
                                               {9000, 3000, -2000, 0},
                                               {-6000, -6000, 4000, 30000},
                                               {0, 0, 0, 0, 6000},
                                               {4000, -4000, 0, 0, 9000}};
    for (size_t i = 0; i < MODELS; i++) {
        struct mpi_model model = *mpi_model_general();
        model.auto_mbit += changes[i][0];
        model.review_mbit += changes[i][1];
        model.prior_mbit += changes[i][2];
        model.clip_mbit += changes[i][3];
        model.alone_mbit += changes[i][4];
        out->texts[i] = (struct buf){0};
        mpi_model_write(&model, &out->texts[i]);
        assert_ok(support, mpi_model_read(&support->cx, buf_str(&out->texts[i]), &out->at[i]));
    }
    out->facts = index_new();
}

static inline void models_free(struct models *models)
{
    for (size_t i = 0; i < MODELS; i++) {
        mpi_model_free(models->at[i]);
        buf_fini(&models->texts[i]);
    }
    models->facts->model = models->facts->model_shown = mpi_model_general();
    index_free(models->facts);
}

/* ---- the whole state of an index as bytes ---- */

static inline int state_order(const void *left, const void *right)
{
    return memcmp(left, right, 8);
}

/* Pairs of records that somebody is asked about, without what numbers the questions have. */
static inline void state_put_questions(const struct mpi *mpi, struct buf *out)
{
    uint32_t pairs[BOOK_RECORDS * BOOK_RECORDS][2];
    size_t count = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *at = CHUNK_AT(&mpi->asked, i);
        if (!at->open_applied)
            continue;
        assert_true(count < BOOK_RECORDS * BOOK_RECORDS);
        pairs[count][0] = at->left < at->right ? at->left : at->right;
        pairs[count++][1] = at->left < at->right ? at->right : at->left;
    }
    qsort(pairs, count, sizeof pairs[0], state_order);
    buf_put(out, pairs, count * sizeof pairs[0]);
    assert_int_equal(mpi->applied.reviews_open, count);
}

static inline void state_put_record(const struct mpi *mpi, uint32_t record, struct buf *out)
{
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    buf_put(out, &entry->own_key, sizeof entry->own_key);
    buf_put_u32(out, entry->person);
    buf_put_u32(out, entry->retired_into);
    for (uint32_t i = 1; i <= mpi->applied.records; i++) { /* the circle, whatever it begins with */
        uint32_t at = entry->ring, steps = 0;
        while (at != i && at != record && steps++ < mpi->applied.records)
            at = entry_at(mpi, APPLIED, at)->ring;
        buf_put_byte(out, at == i);
    }
    buf_put_u32(out, entry->edge_count);
    for (uint32_t i = 0; i < entry->edge_count; i++)
        buf_put(out, &entry->edges[i], sizeof entry->edges[i]);
    buf_put_u32(out, entry->row ? (uint32_t)row_bytes(entry->row) : 0);
    if (entry->row)
        buf_put(out, entry->row, row_bytes(entry->row));
}

static inline bool state_put_row(void *arg, struct str key, struct str row)
{
    buf_put_lstr(arg, key);
    buf_put_lstr(arg, row);
    return true;
}

/* What holds now, history aside: the index, and the rows of records, members and edges as they would be committed. */
static inline void state_put(struct world *world, struct buf *out)
{
    static const char *const tables[] = {"mpi.record", "mpi.version", "mpi.member", "mpi.edge"};
    const struct mpi *mpi = world->mpi;
    buf_clear(out);
    buf_put_u64(out, mpi_model_identity(mpi->model));
    buf_put_u64(out, mpi->applied.persons);
    for (uint32_t i = 1; i <= mpi->applied.records; i++)
        state_put_record(mpi, i, out);
    state_put_questions(mpi, out);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        assert_ok(&world->support, data_txn_scan(world->txn, data_table(world->store, tables[i]), &world->support.cx,
                                                 STR_NONE, state_put_row, out));
}
