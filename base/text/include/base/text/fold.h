/*
 * One comparable spelling of a name or address part: lower-case Latin letters and digits, words parted by single
 * blanks.
 *
 * "O'Neil-Núñez" → "oneil nunez", "Łukasz" → "lukasz", "Иван" → "ivan", "毛泽东" → "maozedong", "ｱﾝﾄﾞｳ" → "andou".
 * Apostrophes join, every other mark parts. Letters no rule can write in Latin stay as they are (UTF-8).
 *
 * Input:   UTF-8; broken bytes part words. Only the first TEXT_FOLD_IN_MAX bytes are read.
 * Output:  at most `out_max` bytes, never cut inside a character; not NUL-ended.
 * Threads: any. Words in other scripts than Latin share one set of ICU's rules behind a lock: 20 ms at the first such
 * word of the process, 140 ms more at the first Chinese one, then mostly well under 1 us. Source:  [UAX15] NFKD,
 * [UTS35] Any-Latin, Latin-ASCII.
 */
#pragma once

#include "base/str.h"

enum { TEXT_FOLD_IN_MAX = 512 };

/* Folds as said above; answers the bytes written to `out`. */
size_t text_fold(struct str text, char *out, size_t out_max);

/* The same without any blank: for identifiers, postcodes, house numbers. */
size_t text_fold_joined(struct str text, char *out, size_t out_max);

/* Which version of the rules folding goes by; another may fold otherwise. Static. */
const char *text_rules_version(void);
