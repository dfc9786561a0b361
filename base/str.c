#include "base/str.h"

#include <endian.h>

int str_cmp(struct str left, struct str right)
{
    size_t both = left.len < right.len ? left.len : right.len;
    int order = both ? memcmp(left.data, right.data, both) : 0;
    if (order != 0)
        return order;
    return left.len < right.len ? -1 : left.len > right.len;
}

bool str_eq_nocase(struct str left, struct str right)
{
    if (left.len != right.len)
        return false;
    for (size_t i = 0; i < left.len; i++)
        if (str_lower(left.data[i]) != str_lower(right.data[i]))
            return false;
    return true;
}

ptrdiff_t str_find(struct str s, char byte)
{
    const char *at = s.len ? memchr(s.data, byte, s.len) : NULL;
    return at ? at - s.data : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char separator, struct str *out_part)
{
    if (rest->data == NULL)
        return false;
    ptrdiff_t at = str_find(*rest, separator);
    if (at < 0) {
        *out_part = *rest;
        *rest = STR_NONE; /* exhausted: NULL, unlike an empty last part */
        return true;
    }
    *out_part = str_sub(*rest, 0, (size_t)at);
    *rest = str_from_at(*rest, (size_t)at + 1);
    return true;
}

bool str_to_u64(struct str s, uint64_t *out_value)
{
    if (s.len == 0 || s.len > 20)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.data[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out_value = value;
    return true;
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.len;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.data + i, sizeof word);
        word = le64toh(word); /* the value is stored, so it must not depend on the machine */
        h = mix(h ^ word) * 0x9fb21c651e98df25u;
    }
    uint64_t tail = 0;
    for (; i < s.len; i++)
        tail = tail << 8 | (uint8_t)s.data[i];
    return mix(h ^ tail);
}

static unsigned edit_distance(struct str a, struct str b)
{
    unsigned row[64];
    if (a.len >= 64 || b.len >= 64)
        return 99;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (str_lower(a.data[i - 1]) != str_lower(b.data[j - 1]));
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b.len];
}

const char *str_nearest(struct str given, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    unsigned best = given.len <= 4 ? 3 : 4; /* short words must be nearer to count */
    for (size_t i = 0; i < count; i++) {
        unsigned distance = edit_distance(given, str_from(words[i]));
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

bool str_is_utf8(struct str s)
{
    if (s.len == 0)
        return true;
    const uint8_t *p = (const uint8_t *)s.data;
    const uint8_t *end = p + s.len;
    while (p < end) {
        if (*p < 0x80) {
            uint64_t eight;
            while (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0))
                p += 8;
            while (p < end && *p < 0x80)
                p++;
            continue;
        }
        size_t more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
        if (*p < 0xc2 || *p > 0xf4 || (size_t)(end - p) <= more)
            return false;
        uint8_t lowest = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;  /* overlongs */
        uint8_t highest = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf; /* surrogates; above U+10FFFF */
        if (p[1] < lowest || p[1] > highest)
            return false;
        for (size_t i = 2; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += more + 1;
    }
    return true;
}
