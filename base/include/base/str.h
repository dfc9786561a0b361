/*
 * struct str: a borrowed run of bytes, passed by value, never NUL-ended by promise.
 *
 * Memory:  borrows; whoever made the bytes keeps them. Copy into an arena what must outlive its source.
 * Threads: immutable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                                              \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    }                                      /* for static tables */
#define STR_ARGS(s) (int)(s).len, (s).data /* for "%.*s" */
#define STR_NONE    ((struct str){NULL, 0})

static inline struct str str_make(const void *data, size_t len)
{
    return (struct str){(const char *)data, len};
}

static inline struct str str_from(const char *nul_ended)
{
    return (struct str){nul_ended, nul_ended ? strlen(nul_ended) : 0};
}

static inline bool str_eq(struct str left, struct str right)
{
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

static inline bool str_is(struct str left, const char *nul_ended)
{
    return str_eq(left, str_from(nul_ended));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* The bytes from `from` on; empty when `from` lies past the end. */
static inline struct str str_from_at(struct str s, size_t from)
{
    if (from >= s.len)
        return (struct str){s.len > 0 ? s.data + s.len : s.data, 0}; /* NULL + 0 is undefined */
    return (struct str){s.data + from, s.len - from};
}

/* At most `len` bytes from `from`; clipped to what is there. */
static inline struct str str_sub(struct str s, size_t from, size_t len)
{
    struct str tail = str_from_at(s, from);
    if (tail.len > len)
        tail.len = len;
    return tail;
}

/* Byte order first, then length: the order of memcmp, as Berkeley DB sorts keys. */
int str_cmp(struct str left, struct str right);

/* ASCII only: equal but for letter case. */
bool str_eq_nocase(struct str left, struct str right);
static inline char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
/* Looks no further than the first byte that differs. */
static inline bool str_is_nocase(struct str left, const char *nul_ended)
{
    for (size_t i = 0; i < left.len; i++)
        if (nul_ended[i] == 0 || str_lower(left.data[i]) != str_lower(nul_ended[i]))
            return false;
    return nul_ended[left.len] == 0;
}

/* Position of the first `byte`, or -1. */
ptrdiff_t str_find(struct str s, char byte);

/* Without leading and trailing ASCII blanks, tabs, CR and LF. */
struct str str_trim(struct str s);

/* Cut at the first `separator`: answers the part before it and moves *rest behind it. False when *rest was exhausted.
 */
bool str_split(struct str *rest, char separator, struct str *out_part);

/* Unsigned decimal, digits only, no sign, no blanks, 1..20 digits without overflow. */
bool str_to_u64(struct str s, uint64_t *out_value);

/* 64-bit hash, the same on every machine and in every release: it may be stored. Not keyed: bound what strangers feed
 * it. */
uint64_t str_hash(struct str s);

/* The `word` among `count` rows that is nearest to `given` (edit distance <= 3), or NULL: for "did you mean". */
const char *str_nearest(struct str given, const char *const *words, size_t count);

/* True when the bytes are well-formed UTF-8 (no overlongs, no surrogates, at most U+10FFFF). Source: [Unicode 15 D92].
 */
bool str_is_utf8(struct str s);
