/*
 * Words as matching sees them: folded, short, on the stack. Small lists of them.
 *
 * Threads: pure.
 */
#pragma once

#include "base/text/fold.h"
#include "row_internal.h"

/* Words are kept with their lengths: measuring them again for every record would be most of the cost. */
#define WORD(text) STR_INIT(text)

static inline bool is_one_of(struct str s, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(s, words[i]))
            return true;
    return false;
}

struct word {
    char bytes[ROW_WORD_MAX];
    size_t len;
};

static inline struct str word_str(const struct word *word)
{
    return (struct str){word->bytes, word->len};
}

static inline struct word fold_word(struct str text)
{
    struct word word;
    word.len = text_fold(text, word.bytes, sizeof word.bytes);
    return word;
}

/* False when it does not fit: then nothing of it is put. */
static inline bool word_put(struct word *word, struct str text)
{
    if (text.len > sizeof word->bytes - word->len)
        return false;
    if (text.len > 0)
        memcpy(word->bytes + word->len, text.data, text.len);
    word->len += text.len;
    return true;
}
