/*
 * Names by culture, typed in from general knowledge: facts about which names exist, not about anybody.
 *
 * `native` is how a hospital that knows Unicode writes it; `latin` is what a system that knows only Latin letters makes
 * of it. Threads: immutable tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gen_word {
    const char *native, *latin;
    const char *native_f, *latin_f; /* the woman's form of a family name; NULL = the same */
};

struct gen_words {
    const struct gen_word *at;
    size_t count;
};

struct gen_culture {
    const char *name;
    uint32_t weight; /* how many of a thousand people */
    struct gen_words men, women, families;
    struct gen_words heads, tails; /* family names may also be put together: "Ash" + "ford"; count 0 = not here */
    bool wife_keeps_name;          /* marriage does not change the name */
    bool two_families;             /* father's and mother's family name */
};

#define GEN_WORDS(table)                                                                                               \
    {                                                                                                                  \
        (table), sizeof(table) / sizeof((table)[0])                                                                    \
    }
#define GEN_NO_WORDS                                                                                                   \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }

enum { GEN_LATIN_CULTURES = 8, GEN_OTHER_CULTURES = 7, GEN_CULTURES = GEN_LATIN_CULTURES + GEN_OTHER_CULTURES };
extern const struct gen_culture gen_latin_cultures[GEN_LATIN_CULTURES]; /* names_latin.c */
extern const struct gen_culture gen_other_cultures[GEN_OTHER_CULTURES]; /* names_other.c */

/* The culture of a person whose dice fell on `roll`; every value is fine, weights decide. */
const struct gen_culture *gen_culture_pick(uint64_t roll);

/* The everyday short form of a Latin given name ("William" -> "Bill"), or NULL. */
const char *gen_nickname(const char *given);
