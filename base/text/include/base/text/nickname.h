/*
 * Groups of given names that commonly stand for each other: robert, bob, rob, bobby …; francisco, paco, pancho …
 *
 * A name may be in several groups (alex: alexander, alexandra). Two names that share a group may be the same given
 * name. English and Spanish, our own selection. Input: text_fold() of one given name. Threads: any.
 */
#pragma once

#include "base/str.h"

enum { TEXT_NICKNAME_GROUPS_MAX = 3 };

/* Fills `groups` with group numbers (1…), smallest first; answers how many. */
size_t text_nickname_groups(struct str folded, uint16_t groups[TEXT_NICKNAME_GROUPS_MAX]);
bool text_is_nickname(struct str left, struct str right);
