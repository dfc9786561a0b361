#include "people_internal.h"

#include <stdlib.h>

/* ---- a person's question ---- */

static struct pair by_key(const struct mpi *mpi, const struct question *question)
{
    bool turn = index_comes_before(mpi, question->other, question->record);
    return turn ? (struct pair){question->other, question->record} : (struct pair){question->record, question->other};
}

/* An order of pairs that knows neither sides nor arrival: so two persons who ask about each other ask about one pair.
 */
static bool asks_more(const struct mpi *mpi, const struct question *left, const struct question *right)
{
    if (right->record == 0 || left->score_mbit != right->score_mbit)
        return right->record == 0 || left->score_mbit > right->score_mbit;
    struct pair a = by_key(mpi, left), b = by_key(mpi, right);
    return a.left != b.left ? index_comes_before(mpi, a.left, b.left)
                            : a.right != b.right && index_comes_before(mpi, a.right, b.right);
}

/* The persons that somebody said a person is not. */
struct others {
    uint32_t *at;
    size_t count, cap;
};

static void add_set_apart(const struct mpi *mpi, uint32_t record, struct others *others)
{
    uint32_t cursor = 0;
    for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));)
        if (decision_stands(at, APPLIED) && !decision_ties(at->kind))
            *VEC_ADD(others) = entry_at(mpi, APPLIED, at->left == record ? at->right : at->left)->person;
}

static bool is_among(const struct others *others, uint32_t person)
{
    for (size_t i = 0; i < others->count; i++)
        if (others->at[i] == person)
            return true;
    return false;
}

/* What is known of the bodies of a person's records: one after the other is mostly of the same. */
struct last_body {
    uint64_t body;
    bool is_one;
};

/*
 * Whom a record has to ask about among those who say the same: the first of them. Where saying the same is evidence
 * enough, only who is more than a copy asks: another one is where the first is. 0: nobody.
 */
static uint32_t within_body(const struct mpi *mpi, uint32_t record, struct last_body *last, int32_t *out_score)
{
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    uint32_t first = entry->row ? index_first(mpi, APPLIED, record) : record;
    struct levels levels;
    if (first == record)
        return 0;
    uint64_t body = row_body(entry->row);
    if (body != last->body)
        *last = (struct last_body){body, body_is_one(mpi, entry->row)};
    if (last->is_one && entry->edge_count == 0 && !index_is_decided(mpi, record))
        return 0;
    *out_score = body_score(mpi, entry->row, &levels);
    return *out_score >= mpi->model->review_mbit ? first : 0;
}

static void weigh_question(const struct mpi *mpi, uint32_t record, uint32_t other, int32_t score_mbit,
                           const struct others *apart, struct question *best)
{
    struct question asked = {record, other, score_mbit};
    uint32_t person = entry_at(mpi, APPLIED, other)->person;
    if (person != entry_at(mpi, APPLIED, record)->person && asks_more(mpi, &asked, best) && !is_among(apart, person))
        *best = asked;
}

struct question index_question(const struct mpi *mpi, uint32_t person)
{
    struct question best = {0};
    struct others apart = {0};
    struct last_body last = {0};
    uint32_t record = person;
    do
        add_set_apart(mpi, record, &apart);
    while ((record = entry_at(mpi, APPLIED, record)->ring) != person);
    do {
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        int32_t score;
        for (uint32_t i = 0; i < entry->edge_count; i++)
            weigh_question(mpi, record, entry->edges[i].other, entry->edges[i].score_mbit, &apart, &best);
        uint32_t other = within_body(mpi, record, &last, &score);
        if (other != 0)
            weigh_question(mpi, record, other, score, &apart, &best);
    } while ((record = entry_at(mpi, APPLIED, record)->ring) != person);
    VEC_FINI(&apart);
    return best;
}

static bool is_about(const struct question *question, uint32_t left, uint32_t right)
{
    return (question->record == left && question->other == right) ||
           (question->record == right && question->other == left);
}

bool index_asks(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    uint32_t a = entry_at(mpi, APPLIED, left)->person, b = entry_at(mpi, APPLIED, right)->person;
    if (a == b)
        return false;
    struct question question = index_question(mpi, a);
    if (is_about(&question, left, right))
        return true;
    question = index_question(mpi, b);
    return is_about(&question, left, right);
}

/* ---- whose questions may have changed ---- */

struct asker {
    uint32_t person;
    struct question question;
};
struct askers {
    struct asker *at;
    size_t count, cap;
};

static void add_asker(struct mpi *mpi, struct askers *askers, uint32_t record)
{
    uint32_t person = entry_at(mpi, APPLIED, record)->person;
    struct note *note = CHUNK_AT(&mpi->notes, person);
    if (note->visit == mpi->visit)
        return;
    note->visit = mpi->visit;
    *VEC_ADD(askers) = (struct asker){.person = person};
}

/* Whoever was set apart from a person by a decision: it depends on who belongs to the person now. */
static void add_set_apart_askers(struct mpi *mpi, struct askers *askers, uint32_t person)
{
    struct others others = {0};
    uint32_t record = person;
    do
        add_set_apart(mpi, record, &others);
    while ((record = entry_at(mpi, APPLIED, record)->ring) != person);
    for (size_t i = 0; i < others.count; i++)
        add_asker(mpi, askers, others.at[i]);
    VEC_FINI(&others);
}

static void find_askers(struct mpi *mpi, struct askers *askers)
{
    index_next_round(mpi);
    for (size_t i = 0; i < mpi->touched.count; i++)
        add_asker(mpi, askers, mpi->touched.at[i]);
    for (size_t i = 0; i < mpi->changes.count; i++) {
        add_asker(mpi, askers, mpi->changes.at[i].record);
        add_asker(mpi, askers, mpi->changes.at[i].person_before); /* whoever its founder belongs to now */
    }
    for (size_t i = 0, moved = askers->count; i < moved; i++)
        add_set_apart_askers(mpi, askers, askers->at[i].person);
    for (size_t i = 0; i < askers->count; i++)
        askers->at[i].question = index_question(mpi, askers->at[i].person);
}

/* ---- reviews follow ---- */

/* Walks the reviews about a record, newest first, as index_next_decision() does. */
static const struct review *next_review(const struct mpi *mpi, uint32_t record, uint32_t *cursor)
{
    if (*cursor == 0) {
        *cursor = entry_at(mpi, APPLIED, record)->review;
    } else {
        const struct review *at = CHUNK_AT(&mpi->asked, *cursor - 1);
        *cursor = at->left == record ? at->next_left : at->next_right;
    }
    return *cursor ? CHUNK_AT(&mpi->asked, *cursor - 1) : NULL;
}

static void answer_reviews(struct mpi *mpi, const struct asker *asker)
{
    uint32_t record = asker->person;
    do {
        uint32_t cursor = 0;
        for (const struct review *at; (at = next_review(mpi, record, &cursor));) {
            bool asks = is_about(&asker->question, at->left, at->right);
            draft_answer_review(mpi, cursor - 1, asks || index_asks(mpi, at->left, at->right));
        }
    } while ((record = entry_at(mpi, APPLIED, record)->ring) != asker->person);
}

static bool was_asked(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    uint32_t cursor = 0;
    for (const struct review *at; (at = next_review(mpi, left, &cursor));)
        if (at->left == right || at->right == right)
            return true;
    return false;
}

static struct question by_number(struct question asked)
{
    return asked.record < asked.other ? asked : (struct question){asked.other, asked.record, asked.score_mbit};
}

static int order_questions(const void *left, const void *right)
{
    const struct question *a = left, *b = right;
    if (a->record != b->record)
        return a->record < b->record ? -1 : 1;
    return a->other < b->other ? -1 : a->other > b->other;
}

void index_reask(struct mpi *mpi, struct questions *out_unasked)
{
    struct askers askers = {0};
    out_unasked->count = 0;
    find_askers(mpi, &askers);
    for (size_t i = 0; i < askers.count; i++)
        answer_reviews(mpi, &askers.at[i]);
    for (size_t i = 0; i < askers.count; i++) {
        struct question asked = by_number(askers.at[i].question);
        if (asked.record != 0 && !was_asked(mpi, asked.record, asked.other))
            *VEC_ADD(out_unasked) = asked;
    }
    VEC_FINI(&askers);
    if (out_unasked->count > 1)
        qsort(out_unasked->at, out_unasked->count, sizeof *out_unasked->at, order_questions);
    size_t kept = 0;
    for (size_t i = 0; i < out_unasked->count; i++) /* both sides may ask the same */
        if (i == 0 || order_questions(&out_unasked->at[i], &out_unasked->at[i - 1]) != 0)
            out_unasked->at[kept++] = out_unasked->at[i];
    out_unasked->count = kept;
}
