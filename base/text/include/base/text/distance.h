/*
 * How alike two folded words are. Both count characters (UTF-8 code points), both are symmetric, neither allocates.
 * Only the first TEXT_DISTANCE_MAX characters are compared. Threads: pure.
 */
#pragma once

#include "base/str.h"

enum { TEXT_DISTANCE_MAX = 64 };

/*
 * Jaro–Winkler similarity in parts per thousand, rounded: 1000 = equal, 0 = nothing in common or one of them empty.
 * The prefix (at most 4) counts 0.1 each and only above Jaro 0.7. Source: [Winkler 1990]; MARTHA/MARHTA = 961.
 */
uint32_t text_jaro_winkler(struct str left, struct str right);
/* Is that similarity at least `least`? The same answer at a third of the cost: most words have too few letters in
 * common, and that is seen at once. */
bool text_is_alike(struct str left, struct str right, uint32_t least);

/* No less than that similarity, from the letters the two have in common; 1000 when it cannot be told cheaply. */
uint32_t text_most_alike(struct str left, struct str right);

/*
 * Edits between the two: insert, delete, replace, swap of neighbours (optimal string alignment). Above `max` it answers
 * max + 1 without finishing. Source: [Damerau 1964].
 */
uint32_t text_edit_distance(struct str left, struct str right, uint32_t max);
