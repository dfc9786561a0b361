/*
 * struct buf: owned, growing bytes. All-zero is empty. Growth ends the process when memory is gone (base/mem.h).
 * Threads: one thread.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *data;
    size_t len, cap;
};

void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */
void buf_reserve(struct buf *buf, size_t more);
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_byte(struct buf *buf, uint8_t byte);
void buf_put_str(struct buf *buf, struct str s);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buf_drop_front(struct buf *buf, size_t len);

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

/* Fixed-width stores and loads, big-endian: sorted keys and stored rows. */
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);
/* LEB128 and a length-prefixed string: compact row fields. */
void buf_put_varint(struct buf *buf, uint64_t value);
void buf_put_lstr(struct buf *buf, struct str s);

/* A bounds-checked reader over stored bytes; after the first short read `bad` stays set and every read answers 0 /
 * empty. */
struct cut {
    struct str rest;
    bool bad;
};
uint8_t cut_u8(struct cut *cut);
uint16_t cut_u16(struct cut *cut);
uint32_t cut_u32(struct cut *cut);
uint64_t cut_u64(struct cut *cut);
uint64_t cut_varint(struct cut *cut);
uint32_t cut_varint_u32(struct cut *cut); /* a larger number is damage, not a smaller one */
struct str cut_lstr(struct cut *cut);     /* borrows */
struct str cut_bytes(struct cut *cut, size_t len);
