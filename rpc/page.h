/*
 * How many rows one reply of a list holds: asked for, else the usual, never more than the most. What a list has beyond
 * its page is asked for with what the reply says comes next. Identify answers the best, and WhatIfModel the first of
 * what it counts: they are no lists to be read to their end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    MATCHES_USUAL = 10,
    MATCHES_MAX = 100,
    REVIEWS_USUAL = 100,
    REVIEWS_MAX = 1000,
    WORK_ITEMS_USUAL = 100,
    WORK_ITEMS_MAX = 3000,
    MODELS_USUAL = 100,
    MODELS_MAX = 1000,
    CHANGED_USUAL = 100,
    CHANGED_MAX = 10 * 1000,
    LETTERS_USUAL = 100,
    LETTERS_MAX = 10 * 1000,
    MESSAGES_USUAL = 50, /* the most is the engine's */
};

static inline size_t page_rows(uint32_t asked, size_t usual, size_t most)
{
    return asked == 0 ? usual : asked < most ? asked : most;
}
