/*
 * What people and systems write when there is nothing to say: it must not make two strangers alike. A record keeps and
 * shows such values; in matching they are absent.
 *
 * Input:   text folded by text_fold(), blanks between words kept; numbers as their digits.
 * Threads: pure.
 */
#pragma once

#include "base/date.h"

/* Words are kept with their lengths: measuring them again for every record would be most of the cost. */
#define WORD(text) STR_INIT(text)

static inline bool is_one_of(struct str s, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(s, words[i]))
            return true;
    return false;
}

enum placeholder_place {
    PLACEHOLDER_NAME = 1 << 0,
    PLACEHOLDER_CITY = 1 << 1, /* and places of birth */
    PLACEHOLDER_STREET = 1 << 2,
};
bool is_placeholder(struct str folded, enum placeholder_place place);
/* "Baby of Maria", "Baby Boy A", "Twin B": a child that has no name yet. */
bool is_newborn_placeholder(struct str folded);
bool is_birth_placeholder(struct date date);
bool is_number_placeholder(struct str number);
bool is_postcode_placeholder(struct str joined);
/* All digits that were written. */
bool is_phone_placeholder(struct str digits);
/* Lower case, one '@' at least. */
bool is_email_placeholder(struct str address);
