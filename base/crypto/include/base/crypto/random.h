/*
 * Random bytes that may be secrets. Ends the process when the machine has none to give: nothing safe could follow.
 * Threads: any.
 */
#pragma once

#include "base/str.h"

/* Fills `out` from the operating system's generator. */
void crypto_random(void *out_bytes, size_t len);
