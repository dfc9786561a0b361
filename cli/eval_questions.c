#include "eval.h"

#include <stdlib.h>

/*
 * A steward who answers every question rightly. A person asks about the one it is most alike to; after an answer two
 * are one person, or are set apart and ask about the next. Persons that come together are not weighed anew: the daemon
 * might join more by itself then, or ask less.
 */

struct alike { /* two persons and the strongest pair of their records */
    uint32_t left, right;
    int32_t score_mbit;
    bool is_right;
};
struct round {
    const struct eval_people *people;
    uint32_t *joined;         /* by person: another one it is; itself = nobody */
    VEC(struct alike) alike;  /* the strongest first, undecided */
    VEC(struct alike) differ; /* answered: two persons */
    VEC(uint64_t) apart;      /* the same as numbers, ascending */
    bool *asks;               /* by person: it has its question of this round */
};

static uint32_t joined_with(uint32_t *joined, uint32_t person)
{
    while (joined[person] != person)
        person = joined[person] = joined[joined[person]];
    return person;
}

static void take_pair(void *arg, const struct mpi_study_pair *pair)
{
    struct round *round = arg;
    const struct mpi_study *study = round->people->study;
    uint32_t left = mpi_study_person(study, pair->left), right = mpi_study_person(study, pair->right);
    const struct eval_person *persons = round->people->persons.at;
    uint64_t truth = persons[pair->left - 1].truth;
    if (left != right)
        *VEC_ADD(&round->alike) = (struct alike){left < right ? left : right, left < right ? right : left,
                                                 pair->score_mbit, truth && truth == persons[pair->right - 1].truth};
}

static int order_alike(const void *left, const void *right)
{
    const struct alike *a = left, *b = right;
    if (a->score_mbit != b->score_mbit)
        return a->score_mbit > b->score_mbit ? -1 : 1;
    if (a->left != b->left)
        return a->left < b->left ? -1 : 1;
    return a->right < b->right ? -1 : a->right > b->right;
}

static int order_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static uint64_t number_of(struct round *round, const struct alike *alike)
{
    uint32_t a = joined_with(round->joined, alike->left), b = joined_with(round->joined, alike->right);
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static bool is_open(struct round *round, const struct alike *alike)
{
    uint64_t number = number_of(round, alike);
    if (joined_with(round->joined, alike->left) == joined_with(round->joined, alike->right))
        return false;
    return round->apart.count == 0 ||
           bsearch(&number, round->apart.at, round->apart.count, sizeof number, order_numbers) == NULL;
}

/* Drops what the answers so far have settled. */
static void settle(struct round *round)
{
    size_t kept = 0;
    round->apart.count = 0;
    for (size_t i = 0; i < round->differ.count; i++)
        *VEC_ADD(&round->apart) = number_of(round, &round->differ.at[i]);
    if (round->apart.count > 1)
        qsort(round->apart.at, round->apart.count, sizeof *round->apart.at, order_numbers);
    for (size_t i = 0; i < round->alike.count; i++)
        if (is_open(round, &round->alike.at[i]))
            round->alike.at[kept++] = round->alike.at[i];
    round->alike.count = kept;
}

/* Everybody asks once, all at the same time. Answers how many different questions that were. */
static uint64_t ask_all(struct round *round)
{
    size_t persons = round->people->persons.count + 1;
    VEC(struct alike) asked = {0};
    for (size_t i = 0; i < persons; i++)
        round->asks[i] = false;
    for (size_t i = 0; i < round->alike.count; i++) { /* the strongest first: so the first of a person is its own */
        const struct alike *alike = &round->alike.at[i];
        bool *left = &round->asks[joined_with(round->joined, alike->left)],
             *right = &round->asks[joined_with(round->joined, alike->right)];
        if (!*left || !*right)
            *VEC_ADD(&asked) = *alike;
        *left = *right = true;
    }
    for (size_t i = 0; i < asked.count; i++) {
        const struct alike *answered = &asked.at[i];
        if (answered->is_right)
            round->joined[joined_with(round->joined, answered->right)] = joined_with(round->joined, answered->left);
        else
            *VEC_ADD(&round->differ) = *answered;
    }
    uint64_t count = asked.count;
    VEC_FINI(&asked);
    return count;
}

void eval_ask(const struct eval_people *people, struct eval_asked *out_asked, uint32_t *out_joined)
{
    struct round round = {.people = people, .joined = out_joined};
    struct eval_asked asked = {0};
    round.asks = mem_array(people->persons.count + 1, sizeof *round.asks);
    for (uint32_t person = 0; person <= people->persons.count; person++)
        out_joined[person] = person;
    mpi_study_each_pair(people->study, take_pair, &round);
    if (round.alike.count > 1)
        qsort(round.alike.at, round.alike.count, sizeof *round.alike.at, order_alike);
    for (; round.alike.count > 0; settle(&round)) {
        uint64_t questions = ask_all(&round);
        asked.open = asked.rounds++ == 0 ? questions : asked.open;
        asked.in_all += questions;
    }
    *out_asked = asked;
    VEC_FINI(&round.alike);
    VEC_FINI(&round.differ);
    VEC_FINI(&round.apart);
    mem_free(round.asks);
}
