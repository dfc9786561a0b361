/*
 * Names by culture, typed in from general knowledge: facts about which names exist, not about anybody.
 *
 * A culture has a few dozen common names and makes the rest, so that its names have the long tail of a census: person
 * number one of a hundred is called Smith, and half of the people have a name that fewer than one of ten thousand has.
 * Which name is only a number until it is spelt, so names can be compared and handed on without texts.
 *
 * A word of a table is written like this:
 *   "Walter"                   as it is; the Latin spellings are made letter by letter
 *   "محمد=Mohammed=Muhammad"   native, how Latin letters spell it, how other Latin letters spell it
 *   "Nowak", "Kowalsk+i/a"     stem + ending of a man / ending of a woman
 * Threads: immutable tables, pure functions.
 */
#pragma once

#include "ranks_internal.h"

#include "base/str.h"

enum { GEN_NAME_MAX = 64 }; /* bytes of one name in one spelling with its NUL; longer ones are cut between letters */

struct gen_words {
    const char *const *at;
    uint32_t count;
};
#define GEN_WORDS(table)                                                                                               \
    {                                                                                                                  \
        (table), sizeof(table) / sizeof((table)[0])                                                                    \
    }

enum { GEN_FAMILY_PARTS = 4, GEN_SPELLINGS = 2 };

struct gen_culture {
    const char *name;
    uint32_t weight;                                 /* how many of a thousand households */
    struct gen_words men, women;                     /* from the names of grandparents to those of babies */
    struct gen_words families;                       /* from common to rare */
    struct gen_words family_parts[GEN_FAMILY_PARTS]; /* the rest is put together of these; count 0 = no such part */
    struct gen_words given_heads, men_tails, women_tails;
    struct gen_spread family_spread, given_spread;
    uint8_t wife_takes_percent; /* marriage changes her name */
    uint8_t junior_percent;     /* first sons named after their fathers */
    uint8_t middle_percent;     /* people with a second given name */
    uint8_t january_percent;    /* older people whose day of birth nobody wrote down: the first of January */
    bool says_junior;           /* and they are told apart by Jr and Sr */
    bool two_families;          /* father's and mother's family name */
    bool family_first;          /* the family name is said first, so clerks put it into the wrong box */
    bool german_umlauts;        /* "ü" is "ue" in Latin letters, not "u" */
};

enum { GEN_LATIN_CULTURES = 9, GEN_OTHER_CULTURES = 8, GEN_CULTURES = GEN_LATIN_CULTURES + GEN_OTHER_CULTURES };
extern const struct gen_culture gen_latin_cultures[GEN_LATIN_CULTURES]; /* names_latin.c */
extern const struct gen_culture gen_other_cultures[GEN_OTHER_CULTURES]; /* names_other.c */

/* One of the cultures, in the order latin, other. */
const struct gen_culture *gen_culture_at(uint32_t number);
/* The culture of a household whose dice fell on `dice`; weights decide. */
const struct gen_culture *gen_culture_pick(uint64_t dice);

/* One name in all its spellings. */
struct gen_name {
    char native[GEN_NAME_MAX];
    char latin[GEN_SPELLINGS][GEN_NAME_MAX]; /* two customs of writing it in Latin letters; often the same */
};

/* Which family name, which given name: numbers within the culture, equal for equal names. */
uint32_t gen_family_pick(const struct gen_culture *culture, uint64_t dice);
uint32_t gen_given_pick(const struct gen_culture *culture, bool female, uint16_t birth_year, uint64_t dice);
/* A name that resembles given name `given` (the same first letter) and is another one: how some parents name twins. */
uint32_t gen_given_beside(const struct gen_culture *culture, bool female, uint32_t given);

void gen_family_spell(const struct gen_culture *culture, uint32_t family, bool female, struct gen_name *out_name);
void gen_given_spell(const struct gen_culture *culture, uint32_t given, bool female, struct gen_name *out_name);

/* The everyday short form of a given name ("William" -> "Bill"), or NULL. */
const char *gen_nickname(const char *given);

/* Appends to a NUL-ended text of `size` bytes, whole UTF-8 letters only. */
void gen_append(char *text, size_t size, struct str more);
/* The same letter by letter in Latin letters (Latin with marks, Cyrillic, Greek); others are left out. */
void gen_romanise(const char *native, unsigned spelling, bool german_umlauts, char out[GEN_NAME_MAX]);
