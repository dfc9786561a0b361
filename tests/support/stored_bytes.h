/* Bytes that must stay as they are, because stores in use have them. */
#pragma once

#include "support.h"

#include <string.h>

/* The bytes as hexadecimal digits; blanks in `want` are there for people. */
static inline void assert_bytes(struct str bytes, const char *want)
{
    char *got = test_malloc(2 * bytes.len + 1), *wanted = test_malloc(strlen(want) + 1);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++)
        snprintf(got + 2 * i, 3, "%02x", (unsigned char)bytes.data[i]);
    got[2 * bytes.len] = 0;
    for (; *want; want++)
        if (*want != ' ')
            wanted[len++] = *want;
    wanted[len] = 0;
    assert_string_equal(got, wanted);
    test_free(got);
    test_free(wanted);
}
