#include "base/text/phonetic.h"

enum { LETTERS_MAX = 64 };
enum sound { NONE, VOWEL, P, F, T, S, K, J, L, M, N, R, H, W };

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

static bool is_front(char c)
{
    return c == 'e' || c == 'i' || c == 'y';
}

/* The sound of the letters at `at`; *used tells how many letters it took. Past the end stand NULs. */
static enum sound sound_at(const char *at, bool first, size_t *used)
{
    *used = 1;
    switch (at[0]) {
    case 'b':
        return P;
    case 'p':
        if (at[1] == 'h')
            return *used = 2, F;
        return P;
    case 'f':
    case 'v':
        return F;
    case 'd':
        if (at[1] == 'g' && is_front(at[2]))
            return *used = 2, J;
        return T;
    case 't':
        if (at[1] == 'h')
            return *used = 2, T;
        if (at[1] == 'c' && at[2] == 'h')
            return *used = 3, J;
        return T;
    case 's':
        if (at[1] == 'c' && at[2] == 'h')
            return *used = 3, J;
        if (at[1] == 'h')
            return *used = 2, J;
        if (at[1] == 'c' && is_front(at[2]))
            return *used = 2, S;
        return S;
    case 'z':
        return S;
    case 'x':
        return first ? S : K;
    case 'c':
        if (at[1] == 'h')
            return *used = 2, is_vowel(at[2]) || at[2] == 0 ? J : K;
        if (at[1] == 'k')
            return *used = 2, K;
        return is_front(at[1]) ? S : K;
    case 'k':
    case 'q':
        return K;
    case 'g':
        if (at[1] == 'h') /* silent inside a word: Wright, Hughes */
            return *used = 2, first ? K : NONE;
        return K;
    case 'j':
        return J;
    case 'l':
        return L;
    case 'm':
        return M;
    case 'n':
        return N;
    case 'r':
        return R;
    case 'h':
        return first ? H : NONE;
    case 'w':
        return first ? W : NONE;
    default:
        return first ? VOWEL : NONE;
    }
}

/* Silent first letters: Knight, Gnad, Pneuma, Wright, Psaki. */
static size_t silent_start(const char *letters)
{
    char a = letters[0], b = letters[1];
    bool silent = ((a == 'k' || a == 'g' || a == 'p') && b == 'n') || (a == 'w' && b == 'r') || (a == 'p' && b == 's');
    return silent ? 1 : 0;
}

uint32_t text_sound(struct str folded)
{
    char letters[LETTERS_MAX + 4] = {0};
    size_t len = 0;
    for (size_t i = 0; i < folded.len; i++) {
        char c = folded.data[i];
        if ((unsigned char)c >= 0x80)
            return 0;
        if (c >= 'a' && c <= 'z' && len < LETTERS_MAX)
            letters[len++] = c;
    }
    uint32_t key = 0;
    enum sound last = NONE;
    size_t used, count = 0;
    for (size_t at = silent_start(letters); at < len && count < TEXT_SOUND_LETTERS; at += used) {
        enum sound sound = sound_at(letters + at, count == 0 && key == 0, &used);
        if (sound != NONE && sound != last) {
            key = key << 4 | (uint32_t)sound;
            count++;
        }
        last = is_vowel(letters[at]) ? NONE : sound != NONE ? sound : last;
    }
    return key;
}
