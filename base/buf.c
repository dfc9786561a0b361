#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>

void buf_fini(struct buf *buf)
{
    if (buf == NULL)
        return;
    mem_free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

void buf_reserve(struct buf *buf, size_t more)
{
    if (buf->cap - buf->len >= more)
        return;
    size_t want = buf->cap ? buf->cap * 2 : 256;
    if (want < buf->len + more)
        want = buf->len + more;
    buf->data = mem_grow(buf->data, want, 1);
    buf->cap = want;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    buf_reserve(buf, len);
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}

void buf_put_byte(struct buf *buf, uint8_t byte)
{
    buf_put(buf, &byte, 1);
}

void buf_put_str(struct buf *buf, struct str s)
{
    buf_put(buf, s.data, s.len);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    buf_reserve(buf, (size_t)len + 1);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_drop_front(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

static void put_big_endian(struct buf *buf, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    buf_put(buf, bytes, width);
}

void buf_put_u16(struct buf *buf, uint16_t value)
{
    put_big_endian(buf, value, 2);
}

void buf_put_u32(struct buf *buf, uint32_t value)
{
    put_big_endian(buf, value, 4);
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
    put_big_endian(buf, value, 8);
}

void buf_put_varint(struct buf *buf, uint64_t value)
{
    while (value >= 0x80) {
        buf_put_byte(buf, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_put_byte(buf, (uint8_t)value);
}

void buf_put_lstr(struct buf *buf, struct str s)
{
    buf_put_varint(buf, s.len);
    buf_put_str(buf, s);
}

struct str cut_bytes(struct cut *cut, size_t len)
{
    if (cut->bad || cut->rest.len < len) {
        cut->bad = true;
        return STR_NONE;
    }
    struct str taken = {cut->rest.data, len};
    cut->rest = str_from_at(cut->rest, len);
    return taken;
}

static uint64_t cut_big_endian(struct cut *cut, size_t width)
{
    struct str bytes = cut_bytes(cut, width);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.data[i];
    return value;
}

uint8_t cut_u8(struct cut *cut)
{
    return (uint8_t)cut_big_endian(cut, 1);
}

uint16_t cut_u16(struct cut *cut)
{
    return (uint16_t)cut_big_endian(cut, 2);
}

uint32_t cut_u32(struct cut *cut)
{
    return (uint32_t)cut_big_endian(cut, 4);
}

uint64_t cut_u64(struct cut *cut)
{
    return cut_big_endian(cut, 8);
}

uint64_t cut_varint(struct cut *cut)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cut_u8(cut);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return cut->bad ? 0 : value;
    }
    cut->bad = true;
    return 0;
}

uint32_t cut_varint_u32(struct cut *cut)
{
    uint64_t value = cut_varint(cut);
    cut->bad |= value > UINT32_MAX;
    return cut->bad ? 0 : (uint32_t)value;
}

struct str cut_lstr(struct cut *cut)
{
    uint64_t len = cut_varint(cut);
    return cut_bytes(cut, len);
}
