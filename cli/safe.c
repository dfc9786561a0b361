#include "cli/show.h"

#include <stdio.h>

struct range {
    uint32_t first, last;
};

/* Characters that steer the display or are not seen: shown by number. Source: [Unicode 15.0] general categories Cc, Cf,
 * Zl, Zp, Co, Cn of the blocks named; UTS 55 for the bidirectional controls. */
static const struct range steering[] = {
    {0x0080, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c},    {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},    {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffc},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},  {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0xe0000, 0x10ffff},
};

static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf},   {0x05c1, 0x05c2}, {0x05c4, 0x05c5},
    {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc},   {0x06df, 0x06e4}, {0x06e7, 0x06e8},
    {0x06ea, 0x06ed}, {0x0900, 0x0902}, {0x093a, 0x093a}, {0x093c, 0x093c},   {0x0941, 0x0948}, {0x094d, 0x094d},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0x302a, 0x302f}, {0x3099, 0x309a}, {0xfe20, 0xfe2f}, {0x1e8d0, 0x1e8d6},
};

/* Source: [UAX 11] W and F, in whole blocks. */
static const struct range wide[] = {
    {0x1100, 0x115e},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18aff},
    {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

#define IN(ranges, code) is_in((ranges), sizeof(ranges) / sizeof(ranges)[0], (code))

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* The character at the start of `s`; answers its length in bytes, 0 when these bytes are not UTF-8. */
static size_t decode(struct str s, uint32_t *out_code)
{
    uint8_t lead = (uint8_t)s.data[0];
    size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    struct str one = str_sub(s, 0, len);
    if (len == 0 || one.len != len || !str_is_utf8(one))
        return 0;
    uint32_t code = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((uint8_t)one.data[i] & 0x3fu);
    *out_code = code;
    return len;
}

static void put_picture(struct buf *out, uint32_t control)
{
    uint32_t code = control == 0x7f ? 0x2421 : 0x2400 + control;
    buf_put_byte(out, 0xe2);
    buf_put_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    buf_put_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
}

void cli_safe(struct buf *out, struct str bytes)
{
    enum { MARKS_MAX = 4 }; /* Vietnamese needs 2, Hebrew with points 3 */
    unsigned marks = 0;
    for (size_t i = 0; i < bytes.len;) {
        uint32_t code = 0;
        size_t len = decode(str_from_at(bytes, i), &code);
        if (len == 0) {
            buf_printf(out, "<%02X>", (unsigned)(uint8_t)bytes.data[i]);
            i++;
            continue;
        }
        bool is_mark = IN(combining, code);
        marks = is_mark ? marks + 1 : 0;
        if (code < 0x20 || code == 0x7f)
            put_picture(out, code);
        else if (IN(steering, code) || (is_mark && marks > MARKS_MAX))
            buf_printf(out, "<U+%04X>", (unsigned)code);
        else
            buf_put(out, bytes.data + i, len);
        i += len;
    }
}

struct str cli_safe_str(struct arena *arena, struct str bytes)
{
    struct buf safe = {0};
    cli_safe(&safe, bytes);
    struct str kept = arena_str(arena, buf_str(&safe));
    buf_fini(&safe);
    return kept;
}

struct str cli_safe_text(struct arena *arena, const char *nul_ended)
{
    return cli_safe_str(arena, str_from(nul_ended));
}

static size_t columns_of(uint32_t code)
{
    return IN(combining, code) ? 0 : IN(wide, code) ? 2 : 1;
}

size_t cli_width(struct str safe)
{
    size_t columns = 0;
    for (size_t i = 0; i < safe.len;) {
        uint32_t code = 0;
        size_t len = decode(str_from_at(safe, i), &code);
        columns += len ? columns_of(code) : 1;
        i += len ? len : 1;
    }
    return columns;
}

struct str cli_clip(struct arena *arena, struct str safe, size_t columns)
{
    if (columns == 0 || cli_width(safe) <= columns)
        return safe;
    size_t used = 0, kept = 0;
    while (kept < safe.len) {
        uint32_t code = 0;
        size_t len = decode(str_from_at(safe, kept), &code);
        size_t more = len ? columns_of(code) : 1;
        if (used + more > columns - 1)
            break;
        used += more;
        kept += len ? len : 1;
    }
    return arena_printf(arena, "%.*s\u2026", (int)kept, safe.data);
}
