#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_EACH_ITS_OWN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_EACH_ITS_OWN 1
#endif
#endif
#ifndef ARENA_EACH_ITS_OWN
#define ARENA_EACH_ITS_OWN 0
#endif

enum { BLOCK_BYTES = 16 * 1024, BLOCK_BYTES_MAX = 1024 * 1024, ALIGN = 16 };
static const size_t ARENA_LIMIT_DEFAULT = (size_t)1 << 30;

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

void arena_fini(struct arena *arena)
{
    while (arena->head) {
        struct arena_block *next = arena->head->next;
        mem_free(arena->head);
        arena->head = next;
    }
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    if (arena->head == NULL)
        return;
    if (ARENA_EACH_ITS_OWN) {
        arena_fini(arena);
        return;
    }
    struct arena_block *kept = NULL; /* the newest that is of an everyday size: the largest of these */
    while (arena->head) {
        struct arena_block *next = arena->head->next;
        if (kept == NULL && arena->head->size <= BLOCK_BYTES_MAX)
            kept = arena->head;
        else
            mem_free(arena->head);
        arena->head = next;
    }
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->head = kept;
    arena->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t room = BLOCK_BYTES;
    if (!ARENA_EACH_ITS_OWN && arena->head)
        room = arena->head->size * 2 > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX : arena->head->size * 2;
    if (ARENA_EACH_ITS_OWN || room < size)
        room = size;
    struct arena_block *block = mem_grow(NULL, sizeof *block + room, 1);
    *block = (struct arena_block){.next = arena->head, .size = room};
    arena->head = block;
    return block;
}

void *arena_try(struct arena *arena, size_t size)
{
    size_t limit = arena->limit ? arena->limit : ARENA_LIMIT_DEFAULT;
    if (size > limit || arena->used > limit - size)
        return NULL;
    size_t rounded = ARENA_EACH_ITS_OWN ? (size ? size : 1) : (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *block = arena->head;
    if (block == NULL || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(memory, 0, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_try(arena, size);
    if (memory == NULL)
        mem_panic("arena", "limit passed");
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        mem_panic("arena", "array size overflows");
    return arena_alloc(arena, bytes);
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.data, s.len);
    return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (struct str){text, (size_t)len};
}

struct arena_mark arena_mark(struct arena *arena)
{
    return (struct arena_mark){arena->head, arena->head ? arena->head->used : 0, arena->used};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->head != mark.head) {
        struct arena_block *next = arena->head->next;
        mem_free(arena->head);
        arena->head = next;
    }
    if (arena->head)
        arena->head->used = mark.block_used;
    arena->used = mark.used;
}
