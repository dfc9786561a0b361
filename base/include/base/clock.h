/*
 * Time. Only threads at the edge read the clock; apply code takes time from its entry (cx->now_us).
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

int64_t clock_now_us(void);  /* UTC microseconds since 1970-01-01 */
int64_t clock_mono_us(void); /* monotonic microseconds: intervals, deadlines */

/* "2026-11-21T12:25:03.123456Z" into 28 bytes including NUL. */
void clock_format(int64_t us, char out[28]);
/* HL7 time stamp with zone, "20261121122503.123+0000" into 32 bytes including NUL. Source: [HL7 2.5.1 2.A.22] DTM. */
void clock_format_hl7(int64_t us, char out[32]);
