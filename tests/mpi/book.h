/*
 * The index as a book of plain facts: what every record says now, what was decided, which model holds. Everything else
 * is worked out from it anew, the slow way (batch.h). Shares rows, keys, comparison and weights with the real thing,
 * and nothing of how that keeps, finds, clusters, takes back or stores.
 *
 * Values are literals: a book is copied by `=`.
 */
#pragma once

#include "batch.h"

enum { BOOK_RECORDS = 16, BOOK_DECISIONS = 96, BOOK_NAMES = 2, BOOK_FORMER = 24, BOOK_NUMBERS = 8 };

struct book_record {
    struct mpi_identifier numbers[BOOK_NUMBERS]; /* its own first */
    struct mpi_name names[BOOK_NAMES], former[BOOK_FORMER];
    struct mpi_name mother;
    struct mpi_address address;
    struct str phones[2];
    struct date birth;
    uint8_t number_count, name_count, former_count, phone_count, address_count, birth_order;
    char sex;
    bool multiple, inactive;
};
struct book_decision {
    uint64_t seq; /* of its entry */
    uint32_t left, right;
    enum mpi_decision_kind kind;
    bool undone;
};
struct book {
    struct book_record records[BOOK_RECORDS + 1]; /* from 1 */
    struct book_decision decisions[BOOK_DECISIONS];
    uint32_t record_count, decision_count;
    const struct mpi_model *model;
    uint32_t block_cap;
};

/* ---- what a statement changes ---- */

static inline bool book_same_name(const struct mpi_name *a, const struct mpi_name *b)
{
    return str_eq(a->family, b->family) && str_eq(a->given, b->given) && str_eq(a->middle, b->middle);
}

static inline bool book_has_name(const struct mpi_name *names, size_t count, const struct mpi_name *name)
{
    for (size_t i = 0; i < count; i++)
        if (book_same_name(&names[i], name))
            return true;
    return false;
}

/* A name that is no longer said was one, until it is said again. What was said together stays so: with two suffixes. */
static inline void book_say_names(struct book_record *record, const struct mpi_record_input *input)
{
    const struct mpi_demographics *said = &input->demographics;
    if (said->name_count == 0) {
        if (input->cleared_fields & MPI_FIELD_NAMES)
            record->name_count = record->former_count = 0;
        return;
    }
    struct mpi_name ever[BOOK_NAMES + BOOK_FORMER];
    size_t count = 0, together = record->name_count;
    for (size_t i = 0; i < record->name_count; i++)
        ever[count++] = record->names[i];
    for (size_t i = 0; i < record->former_count; i++)
        ever[count++] = record->former[i];
    record->name_count = record->former_count = 0;
    for (size_t i = 0; i < said->name_count; i++)
        record->names[record->name_count++] = said->names[i];
    for (size_t i = 0; i < count; i++) {
        if (book_has_name(record->names, record->name_count, &ever[i]) ||
            (i >= together && book_has_name(record->former, record->former_count, &ever[i])))
            continue;
        assert_true(record->former_count < BOOK_FORMER);
        record->former[record->former_count++] = ever[i];
    }
}

static inline bool book_takes_place(const struct mpi_identifier *now, const struct mpi_identifier *before, bool own)
{
    if (!str_eq(now->authority, before->authority))
        return false;
    return str_eq(now->value, before->value) || (!own && str_eq(now->type, before->type));
}

/* Of one authority and type a record has one further number: the last that was said. */
static inline void book_say_numbers(struct book_record *record, const struct mpi_record_input *input)
{
    struct mpi_identifier kept[BOOK_NUMBERS];
    size_t said = 0, count;
    for (size_t i = 0; i < input->identifier_count; i++)
        kept[said++] = input->identifiers[i];
    count = said;
    for (size_t i = 1; i < record->number_count; i++) {
        bool replaced = false;
        for (size_t k = 0; k < said; k++)
            replaced |= book_takes_place(&kept[k], &record->numbers[i], k == 0);
        assert_true(count < BOOK_NUMBERS);
        if (!replaced)
            kept[count++] = record->numbers[i];
    }
    memcpy(record->numbers, kept, count * sizeof kept[0]);
    record->number_count = (uint8_t)count;
}

static inline void book_say_rest(struct book_record *record, const struct mpi_record_input *input)
{
    const struct mpi_demographics *said = &input->demographics;
    uint32_t cleared = input->cleared_fields;
    if (said->birth_date.year || cleared & MPI_FIELD_BIRTH_DATE)
        record->birth = said->birth_date;
    if (said->sex || cleared & MPI_FIELD_SEX)
        record->sex = said->sex;
    if (said->phone_count || cleared & MPI_FIELD_PHONES) {
        record->phone_count = (uint8_t)said->phone_count;
        for (size_t i = 0; i < said->phone_count; i++)
            record->phones[i] = said->phones[i];
    }
    if (said->address_count || cleared & MPI_FIELD_ADDRESSES) {
        record->address_count = (uint8_t)said->address_count;
        if (said->address_count)
            record->address = said->addresses[0];
    }
    if (said->mother.family.len || cleared & MPI_FIELD_MOTHER)
        record->mother = said->mother;
    if (said->birth_order)
        record->birth_order = said->birth_order;
    record->multiple = record->multiple || said->multiple_birth;
    record->inactive = input->deactivate;
}

static inline uint32_t book_find(const struct book *book, struct mpi_identifier number)
{
    for (uint32_t i = 1; i <= book->record_count; i++)
        if (str_eq(book->records[i].numbers[0].authority, number.authority) &&
            str_eq(book->records[i].numbers[0].value, number.value))
            return i;
    return 0;
}

static inline uint32_t book_add(struct book *book, struct mpi_identifier number)
{
    assert_true(book->record_count < BOOK_RECORDS);
    book->records[++book->record_count] = (struct book_record){.numbers = {number}, .number_count = 1};
    return book->record_count;
}

/* Answers the record. */
static inline uint32_t book_say(struct book *book, const struct mpi_record_input *input)
{
    uint32_t record = book_find(book, input->identifiers[0]);
    if (record != 0 && input->keep_known)
        return record;
    if (record == 0)
        record = book_add(book, input->identifiers[0]);
    book_say_names(&book->records[record], input);
    book_say_numbers(&book->records[record], input);
    book_say_rest(&book->records[record], input);
    return record;
}

/* ---- what a decision changes ---- */

static inline void book_decide(struct book *book, uint64_t seq, enum mpi_decision_kind kind, uint32_t left,
                               uint32_t right)
{
    assert_true(book->decision_count < BOOK_DECISIONS);
    book->decisions[book->decision_count++] = (struct book_decision){seq, left, right, kind, false};
}

/* The newest decision between two that stands, NULL: none. */
static inline const struct book_decision *book_between(const struct book *book, uint32_t a, uint32_t b)
{
    for (uint32_t i = book->decision_count; i-- > 0;) {
        const struct book_decision *at = &book->decisions[i];
        if (!at->undone && ((at->left == a && at->right == b) || (at->left == b && at->right == a)))
            return at;
    }
    return NULL;
}

static inline bool book_ties(const struct book_decision *decision)
{
    return decision && decision->kind != MPI_DECISION_DIFFERENT && decision->kind != MPI_DECISION_UNLINK;
}

/* ---- what follows ---- */

struct book_view {
    struct mpi *facts; /* a bare index: rows, own keys and decisions, nothing found or kept up */
    struct batch batch;
    uint32_t person[BOOK_RECORDS + 1];
    uint32_t persons;
    uint32_t asked[BOOK_RECORDS][2]; /* pairs that are asked about, each once */
    uint32_t asked_count;
};

static inline struct mpi_row *book_row(const struct book *book, const struct book_record *record)
{
    struct mpi_demographics said = {.names = record->names,
                                    .name_count = record->name_count,
                                    .birth_date = record->birth,
                                    .sex = record->sex,
                                    .phones = record->phones,
                                    .phone_count = record->phone_count,
                                    .addresses = &record->address,
                                    .address_count = record->address_count,
                                    .mother = record->mother,
                                    .multiple_birth = record->multiple,
                                    .birth_order = record->birth_order};
    union row_space space;
    if (record->inactive)
        return NULL;
    row_make(record->numbers, record->number_count, &said, record->former, record->former_count, &space);
    row_set_rarity(book->model, &space.row);
    return mem_copy(&space.row, row_bytes(&space.row));
}

/* An index keeps much memory ready: one is made and filled again and again. */
static inline void book_fill_facts(const struct book *book, struct mpi *facts)
{
    for (uint32_t i = 1; i <= facts->applied.records; i++) {
        mem_free(CHUNK_AT(&facts->entries, i)->row);
        mem_free(CHUNK_AT(&facts->entries, i)->edges);
    }
    facts->applied = (struct tally){.records = book->record_count};
    facts->model = facts->model_shown = book->model;
    facts->block_cap = book->block_cap;
    for (uint32_t i = 1; i <= book->record_count; i++) {
        const struct book_record *record = &book->records[i];
        *CHUNK_ADD(&facts->entries, i) = (struct entry){.own_key = row_own_key(record->numbers, record->number_count),
                                                        .row = book_row(book, record)};
        *CHUNK_ADD(&facts->notes, i) = (struct note){0};
    }
    for (uint32_t i = 0; i < book->decision_count; i++) {
        const struct book_decision *at = &book->decisions[i];
        struct decision decision = {.id = i + 1,
                                    .left = at->left,
                                    .right = at->right,
                                    .kind = (uint8_t)at->kind,
                                    .undone = at->undone,
                                    .undone_applied = at->undone};
        index_load_decision(facts, &decision);
    }
    facts->shown = facts->applied;
}

/* 0: founds its person before all others; then who takes no part in matching, then who was merged away. */
static inline uint32_t book_rank(const struct book_view *view, uint32_t record)
{
    return view->batch.retired[record] ? 2 : batch_row(view->facts, record) == NULL ? 1 : 0;
}

static inline void book_find_persons(struct book_view *view)
{
    for (uint32_t i = 1; i <= view->batch.count; i++) {
        uint32_t best = i;
        for (uint32_t k = 1; k <= view->batch.count; k++) {
            if (view->batch.group[k] != view->batch.group[i])
                continue;
            uint32_t mine = book_rank(view, k), least = book_rank(view, best);
            if (mine < least || (mine == least && k < best))
                best = k;
        }
        view->person[i] = best;
        view->persons += best == i;
    }
}

/* What each person asks, once persons and edges are known. */
static inline void book_find_questions(struct book_view *view)
{
    struct mpi *facts = view->facts;
    uint32_t count = view->batch.count;
    for (uint32_t i = 1; i <= count; i++) {
        CHUNK_AT(&facts->entries, i)->person = view->person[i];
        for (uint32_t k = i + 1; k <= count; k++)
            if (view->batch.score[(size_t)i * (count + 1) + k] != INT32_MIN)
                index_load_edge(facts, i, k, view->batch.score[(size_t)i * (count + 1) + k]);
    }
    struct asked_pair *best = asked_all(facts);
    for (uint32_t person = 1; person <= count; person++) {
        bool first = best[person].low != 0;
        for (uint32_t before = 1; before < person && first; before++)
            first = best[before].low != best[person].low || best[before].high != best[person].high;
        if (!first)
            continue;
        uint32_t a = best[person].low, b = best[person].high;
        view->asked[view->asked_count][0] = a < b ? a : b;
        view->asked[view->asked_count++][1] = a < b ? b : a;
    }
    mem_free(best);
}

/* `view` has a bare index to fill, and what was seen before or nothing. */
static inline void book_look(const struct book *book, struct book_view *view)
{
    batch_free(&view->batch);
    *view = (struct book_view){.facts = view->facts};
    book_fill_facts(book, view->facts);
    batch_run(view->facts, &view->batch);
    book_find_persons(view);
    book_find_questions(view);
}
