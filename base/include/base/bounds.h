/*
 * How often each bound was met since the process began: something was refused, cut or left out for it, or had to wait.
 * What happens at each is in docs/limits.md under the same name. Bounds of configuration, of lists that go on page
 * after page, and those the process ends at are not counted.
 *
 * Counted where the bound bites, so an entry that is applied again, or rehearsed, counts again.
 *
 *   if (BEYOND(LIMIT_PATIENTS_PER_MESSAGE, count))
 *       return too_many(...);
 *
 * Threads: any; one atomic addition each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOUNDS(ROW)                                                                                                    \
    /* messages */                                                                                                     \
    ROW(LIMIT_MESSAGE_BYTES)                                                                                           \
    ROW(LIMIT_MESSAGE_SEGMENTS)                                                                                        \
    ROW(LIMIT_CONTROL_ID_BYTES)                                                                                        \
    ROW(LIMIT_CODES_PER_MESSAGE)                                                                                       \
    ROW(LIMIT_CODED_BYTES)                                                                                             \
    ROW(LIMIT_MADE_BYTES)                                                                                              \
    ROW(LIMIT_CHANGES_LISTED)                                                                                          \
    /* identity */                                                                                                     \
    ROW(LIMIT_PATIENTS_PER_MESSAGE)                                                                                    \
    ROW(LIMIT_MERGES_PER_MESSAGE)                                                                                      \
    ROW(LIMIT_VALUES_PER_ENTRY)                                                                                        \
    ROW(LIMIT_IDENTITY_ROWS_BYTES)                                                                                     \
    ROW(LIMIT_IDENTIFIERS_PER_RECORD)                                                                                  \
    ROW(LIMIT_NAMES_PER_RECORD)                                                                                        \
    ROW(LIMIT_FIELD_VALUE_BYTES)                                                                                       \
    ROW(LIMIT_PEOPLE_PER_LOAD)                                                                                         \
    ROW(DECISIONS_PER_ENTRY)                                                                                           \
    ROW(FORCED_MAX)                                                                                                    \
    ROW(FORMER_NAMES_MAX)                                                                                              \
    ROW(LIMIT_PERSON_BYTES)                                                                                            \
    ROW(LIMIT_MODEL_BYTES)                                                                                             \
    /* codes */                                                                                                        \
    ROW(CODES_TRANSLATIONS_MAX)                                                                                        \
    ROW(CODES_WORK_ROWS_MAX)                                                                                           \
    /* journal */                                                                                                      \
    ROW(LIMIT_JOURNAL_QUEUE_BYTES)                                                                                     \
    ROW(LIMIT_JOURNAL_QUEUE_ENTRIES)                                                                                   \
    ROW(RESERVE_BYTES)                                                                                                 \
    /* sources and lanes */                                                                                            \
    ROW(LIMIT_MLLP_CONNECTIONS)                                                                                        \
    ROW(MLLP_OUTSTANDING_MAX)                                                                                          \
    ROW(MLLP_PARTIAL_BYTES_MAX)                                                                                        \
    ROW(MLLP_NOISE_BYTES_MAX)                                                                                          \
    ROW(SOURCE_TOTALS_MAX)                                                                                             \
    ROW(LIMIT_LANE_FEED_BYTES)                                                                                         \
    /* gRPC */                                                                                                         \
    ROW(LIMIT_GRPC_MESSAGE_BYTES)                                                                                      \
    ROW(LIMIT_GRPC_ARENA_BYTES)                                                                                        \
    ROW(LIMIT_GRPC_DEPTH)                                                                                              \
    ROW(PRECHECK_PARTS_MAX)                                                                                            \
    ROW(PRECHECK_UNKNOWN_MAX)                                                                                          \
    ROW(RPC_REPLY_BYTES_MAX)                                                                                           \
    ROW(LIMIT_HELD_BYTES)                                                                                              \
    ROW(LIMIT_REHEARSED_BYTES)                                                                                         \
    ROW(LOADS_MAX)                                                                                                     \
    ROW(WATCHERS_MAX)

#define BOUND_NUMBER(name) BOUND_##name,
enum bound { BOUNDS(BOUND_NUMBER) BOUND_COUNT };
#undef BOUND_NUMBER

/* Counts it; always true. */
bool bound_met(enum bound bound);
/* Is it more than the limit? Then that is counted. */
#define BEYOND(limit, value) ((value) > (limit) && bound_met(BOUND_##limit))

const char *bound_name(enum bound bound); /* "LIMIT_MESSAGE_BYTES" */
uint64_t bound_times(enum bound bound);
