/*
 * A key that names which sound alike share: for finding candidates, and as weak evidence. Not for identity.
 *
 * Consonants in classes (b p · f v ph · d t th · s z soft c · k q g hard c · j ch sh sch · l · m n · r), vowels only at
 * the start, doubles once, at most TEXT_SOUND_LETTERS classes. Input: text_fold() of one name; blanks are skipped.
 *
 * Answers 0, "no key", when the name has no Latin letter or any letter that could not be written in Latin:
 * unrelated names of other scripts must never become equal. Compare keys only when both are not 0. Threads: pure.
 */
#pragma once

#include "base/str.h"

enum { TEXT_SOUND_LETTERS = 6 };

/* The sound as said above. */
uint32_t text_sound(struct str folded);
