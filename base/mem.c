#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void mem_panic(const char *where, const char *what)
{
    fprintf(stderr, "idem: fatal: %s: %s\n", where, what);
    abort();
}

void *mem_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (memory == NULL)
        mem_panic("memory", "none left");
    return memory;
}

static size_t array_size(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        mem_panic("memory", "array size overflows");
    return bytes;
}

void *mem_array(size_t count, size_t size)
{
    return mem_alloc(array_size(count, size));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes = array_size(count, size);
    void *memory = realloc(old, bytes ? bytes : 1);
    if (memory == NULL)
        mem_panic("memory", "none left");
    return memory;
}

void *mem_copy(const void *from, size_t size)
{
    void *memory = mem_alloc(size);
    if (size)
        memcpy(memory, from, size);
    return memory;
}

void mem_free(void *memory)
{
    free(memory);
}
