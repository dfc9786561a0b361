/*
 * One way to write names that are written in several: prefixes with and without a blank, articles, "servant of" names.
 * Two names that are different people's stay different; a name that is none of these stays as it is.
 *
 *   family   O Brien, O'Brien → obrien · Mac Donald → macdonald · Dela Cruz → de la cruz · Vandenberg → van den berg ·
 *            El-Masri, Al Masri → al masri · Ibn Saud, Ben Saud → bin saud
 *   both     Abdul Rahman, Abdelrahman, Abd al-Rahman, Abdurrahman → abdulrahman
 *   given    Abu Bakr, Abou Bakr → abubakr · De Andre → deandre
 *
 * Input:   folded by text_fold(); a generation ("jr") already cut off.
 * Threads: pure.
 */
#pragma once

#include "words_internal.h"

void name_form_family(struct word *family);
/* A given name that only begins one ("Abdul", "Abu") takes the first of the middle names. */
void name_form_given(struct word *given, struct word *middle);

/* A word that many names begin with and that is nobody's name beside another: "van", "bin", "saint". */
bool name_is_particle(struct str word);

/*
 * One name that two customs write in two ways: Lidiya and Lidiia, Mikhail and Mihail, Nadezhda and Nadezda, Nefeli and
 * Nepheli. Nobody has two children called so. False of names of more than 64 bytes.
 */
bool name_is_other_custom(struct str left, struct str right);

/*
 * Other spellings of a name, which stand beside it rather than replace it: "Jörg" is "Jorg" where letters lack their
 * marks and "Joerg" where they are spelled out, but Joerg and Jorg without a mark are two names, as Xue and Xu are.
 */
struct name_spelling {
    struct mpi_name name; /* borrows `text` and what was said */
    struct spelled_text {
        char bytes[TEXT_FOLD_IN_MAX]; /* no more of it is folded */
        size_t len;
    } family, given, middle;
};
/* ä ö ü ø å by two letters each. False when the name has none. */
bool name_spell_out(const struct mpi_name *said, struct name_spelling *out);
/* Prescott-Whitlow → Whitlow-Prescott: which comes first is often not remembered. False without a double name. */
bool name_turn_round(const struct mpi_name *said, struct name_spelling *out);
