/*
 * status: how a call ended. The numbers are those of google.rpc.Code, so gRPC answers need no table.
 *
 * The compiler insists that every status is looked at. The *reason* (a table row with a name, an HL7 error code and a
 * sentence) and its detail travel in struct ctx, never in the thread.
 */
#pragma once

typedef enum [[nodiscard]] status{
    STATUS_OK = 0,
    STATUS_CANCELLED = 1,
    STATUS_UNKNOWN = 2,
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_DEADLINE_EXCEEDED = 4,
    STATUS_NOT_FOUND = 5,
    STATUS_ALREADY_EXISTS = 6,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_FAILED_PRECONDITION = 9,
    STATUS_ABORTED = 10,
    STATUS_OUT_OF_RANGE = 11,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_INTERNAL = 13,
    STATUS_UNAVAILABLE = 14,
    STATUS_DATA_LOSS = 15,
    STATUS_UNAUTHENTICATED = 16,
} status;

/* "not found", "data loss", …; never NULL. */
const char *status_text(status s);

/* Pass an error up as it is. Scoped handles (SCOPED in base/mem.h) are closed on the way. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        status try_status_ = (call);                                                                                   \
        if (try_status_ != STATUS_OK)                                                                                  \
            return try_status_;                                                                                        \
    } while (0)

/* For the rare call whose failure changes nothing (closing on the way out): say so in a comment beside it. */
#define IGNORE(call)                                                                                                   \
    do {                                                                                                               \
        status ignored_ = (call);                                                                                      \
        (void)ignored_;                                                                                                \
    } while (0)
