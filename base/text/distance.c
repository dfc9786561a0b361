#include "base/text/distance.h"

/* Characters of a word; ASCII words, nearly all of them, are widened without decoding. */
static size_t to_characters(struct str s, uint32_t out[TEXT_DISTANCE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < s.len && count < TEXT_DISTANCE_MAX;) {
        unsigned char first = (unsigned char)s.data[i++];
        uint32_t c = first;
        for (; first >= 0xC0 && i < s.len && ((unsigned char)s.data[i] & 0xC0) == 0x80; i++)
            c = c << 8 | (unsigned char)s.data[i]; /* any injective packing will do */
        out[count++] = c;
    }
    return count;
}

/* Greedy matching depends on who goes first; a fixed order makes the answer symmetric. */
static void put_in_order(struct str *left, struct str *right)
{
    if (left->len > right->len || (left->len == right->len && str_cmp(*left, *right) > 0)) {
        struct str swap = *left;
        *left = *right;
        *right = swap;
    }
}

/* Which letters of two words found each other: a bit for each place. */
struct hits {
    uint64_t left, right;
    uint32_t count;
};

static size_t window_of(size_t left_len, size_t right_len)
{
    size_t longer = left_len > right_len ? left_len : right_len;
    return longer / 2 > 0 ? longer / 2 - 1 : 0;
}

static struct hits find_hits(const uint32_t *left, size_t left_len, const uint32_t *right, size_t right_len)
{
    size_t window = window_of(left_len, right_len);
    struct hits hits = {0};
    for (size_t i = 0; i < left_len; i++) {
        size_t from = i > window ? i - window : 0;
        size_t to = i + window + 1 < right_len ? i + window + 1 : right_len;
        for (size_t k = from; k < to; k++) {
            if (left[i] != right[k] || (hits.right >> k & 1))
                continue;
            hits.left |= 1ull << i;
            hits.right |= 1ull << k;
            hits.count++;
            break;
        }
    }
    return hits;
}

/* The same of words of ASCII, at most 64 letters: where each letter of the right word stands is one number. */
static struct hits find_ascii_hits(struct str left, struct str right)
{
    uint64_t places[128]; /* only of letters that occur */
    size_t window = window_of(left.len, right.len);
    struct hits hits = {0};
    for (size_t i = 0; i < left.len; i++)
        places[(unsigned char)left.data[i]] = 0;
    for (size_t k = 0; k < right.len; k++)
        places[(unsigned char)right.data[k]] = 0;
    for (size_t k = 0; k < right.len; k++)
        places[(unsigned char)right.data[k]] |= 1ull << k;
    for (size_t i = 0; i < left.len; i++) {
        size_t from = i > window ? i - window : 0, span = i + window + 1 - from;
        uint64_t within = (span < 64 ? (1ull << span) - 1 : UINT64_MAX) << from;
        uint64_t here = places[(unsigned char)left.data[i]] & within & ~hits.right, first = here & -here;
        hits.right |= first;
        hits.left |= (uint64_t)(first != 0) << i;
    }
    hits.count = (uint32_t)__builtin_popcountll(hits.right);
    return hits;
}

static uint32_t take_first(uint64_t *places)
{
    uint32_t first = (uint32_t)__builtin_ctzll(*places);
    *places &= *places - 1;
    return first;
}

static uint32_t jaro_ppm(uint32_t matches, uint32_t out_of_order, size_t left_len, size_t right_len)
{
    if (matches == 0)
        return 0;
    uint32_t sum = matches * 1000000 / (uint32_t)left_len + matches * 1000000 / (uint32_t)right_len +
                   (matches - out_of_order / 2) * 1000000 / matches;
    return sum / 3;
}

_Static_assert(TEXT_DISTANCE_MAX <= 64, "hit sets are one word");

enum { PREFIX_LETTERS = 4 };

static uint32_t with_prefix(uint32_t jaro, uint32_t prefix)
{
    if (jaro > 700000)
        jaro += (1000000 - jaro) * prefix / 10;
    return (jaro + 500) / 1000;
}

static bool is_ascii(struct str s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.data[i];
    return all < 0x80;
}

/* left: the one that goes first. */
static uint32_t ascii_jaro_winkler(struct str left, struct str right)
{
    struct hits hits = find_ascii_hits(left, right);
    uint32_t out_of_order = 0, prefix = 0;
    for (uint64_t a = hits.left, b = hits.right; a != 0;)
        out_of_order += left.data[take_first(&a)] != right.data[take_first(&b)];
    while (prefix < PREFIX_LETTERS && prefix < left.len && prefix < right.len &&
           left.data[prefix] == right.data[prefix])
        prefix++;
    return with_prefix(jaro_ppm(hits.count, out_of_order, left.len, right.len), prefix);
}

static uint32_t any_jaro_winkler(struct str left, struct str right)
{
    uint32_t left_chars[TEXT_DISTANCE_MAX], right_chars[TEXT_DISTANCE_MAX];
    size_t left_len = to_characters(left, left_chars), right_len = to_characters(right, right_chars);
    struct hits hits = find_hits(left_chars, left_len, right_chars, right_len);
    uint32_t out_of_order = 0, prefix = 0;
    for (uint64_t a = hits.left, b = hits.right; a != 0;)
        out_of_order += left_chars[take_first(&a)] != right_chars[take_first(&b)];
    while (prefix < PREFIX_LETTERS && prefix < left_len && prefix < right_len &&
           left_chars[prefix] == right_chars[prefix])
        prefix++;
    return with_prefix(jaro_ppm(hits.count, out_of_order, left_len, right_len), prefix);
}

uint32_t text_jaro_winkler(struct str left, struct str right)
{
    if (left.len == 0 || right.len == 0)
        return 0;
    if (str_eq(left, right))
        return 1000;
    put_in_order(&left, &right);
    bool plain = right.len <= TEXT_DISTANCE_MAX && is_ascii(left) && is_ascii(right);
    uint32_t alike = plain ? ascii_jaro_winkler(left, right) : any_jaro_winkler(left, right);
    return alike == 1000 ? 999 : alike; /* 1000 is kept for equal words */
}

/* What ASCII words could reach at most: every letter of the shorter one that the longer one has too, in its order. */
static uint32_t most_alike(struct str shorter, struct str longer)
{
    uint64_t letters = 0;
    uint32_t common = 0, prefix = 0;
    for (size_t i = 0; i < longer.len; i++)
        letters |= 1ull << (longer.data[i] & 63);
    for (size_t i = 0; i < shorter.len; i++)
        common += letters >> (shorter.data[i] & 63) & 1;
    if (common == 0)
        return 0;
    while (prefix < PREFIX_LETTERS && prefix < shorter.len && shorter.data[prefix] == longer.data[prefix])
        prefix++;
    uint32_t sum = common * 1000000 / (uint32_t)shorter.len + common * 1000000 / (uint32_t)longer.len + 1000000;
    return with_prefix(sum / 3, prefix);
}

uint32_t text_most_alike(struct str left, struct str right)
{
    struct str shorter = left.len < right.len ? left : right, longer = left.len < right.len ? right : left;
    bool is_short = shorter.len > 0 && longer.len <= TEXT_DISTANCE_MAX;
    return is_short && is_ascii(left) && is_ascii(right) ? most_alike(shorter, longer) : 1000;
}

bool text_is_alike(struct str left, struct str right, uint32_t least)
{
    return text_most_alike(left, right) >= least && text_jaro_winkler(left, right) >= least;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Of two words that neither begin nor end alike: one of them is empty, or all that is left are the letters of one edit.
 */
static bool is_one_edit(const uint32_t *left, size_t left_len, const uint32_t *right, size_t right_len)
{
    if (left_len <= 1 && right_len <= 1)
        return true;
    return left_len == 2 && right_len == 2 && left[0] == right[1] && left[1] == right[0];
}

uint32_t text_edit_distance(struct str left, struct str right, uint32_t max)
{
    if (str_eq(left, right))
        return 0;
    uint32_t left_chars[TEXT_DISTANCE_MAX], right_chars[TEXT_DISTANCE_MAX];
    size_t left_len = to_characters(left, left_chars), right_len = to_characters(right, right_chars);
    size_t gap = left_len > right_len ? left_len - right_len : right_len - left_len;
    if (gap > max)
        return max + 1;
    const uint32_t *a = left_chars, *b = right_chars;
    for (; left_len > 0 && right_len > 0 && *a == *b;
         left_len--, right_len--) /* what both begin or end with costs nothing */
        a++, b++;
    while (left_len > 0 && right_len > 0 && a[left_len - 1] == b[right_len - 1])
        left_len--, right_len--;
    if (left_len + right_len == 0)
        return 0;
    if (max == 1)
        return is_one_edit(a, left_len, b, right_len) ? 1 : 2;
    uint32_t rows[3][TEXT_DISTANCE_MAX + 1];
    for (size_t k = 0; k <= right_len; k++)
        rows[0][k] = (uint32_t)k;
    for (size_t i = 1; i <= left_len; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        uint32_t best = row[0] = (uint32_t)i;
        for (size_t k = 1; k <= right_len; k++) {
            uint32_t cost = a[i - 1] != b[k - 1];
            row[k] = min_u32(above[k - 1] + cost, 1 + min_u32(above[k], row[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = min_u32(row[k], two_above[k - 2] + 1);
            best = min_u32(best, row[k]);
        }
        if (best > max) /* a later row never falls below the smallest of this one */
            return max + 1;
    }
    return min_u32(rows[left_len % 3][right_len], max + 1);
}
