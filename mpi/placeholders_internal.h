/*
 * What people and systems write when there is nothing to say: it must not make two strangers alike. A record keeps and
 * shows such values; in matching they are absent.
 *
 * Input:   text folded by text_fold(), blanks between words kept; numbers as their digits.
 * Threads: pure.
 */
#pragma once

#include "base/date.h"
#include "base/str.h"

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
