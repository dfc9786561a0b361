#include "base/status.h"

const char *status_text(status s)
{
    static const char *const texts[] = {
        [STATUS_OK] = "ok",
        [STATUS_CANCELLED] = "cancelled",
        [STATUS_UNKNOWN] = "unknown",
        [STATUS_INVALID_ARGUMENT] = "invalid argument",
        [STATUS_DEADLINE_EXCEEDED] = "deadline exceeded",
        [STATUS_NOT_FOUND] = "not found",
        [STATUS_ALREADY_EXISTS] = "already exists",
        [STATUS_PERMISSION_DENIED] = "permission denied",
        [STATUS_RESOURCE_EXHAUSTED] = "resource exhausted",
        [STATUS_FAILED_PRECONDITION] = "failed precondition",
        [STATUS_ABORTED] = "aborted",
        [STATUS_OUT_OF_RANGE] = "out of range",
        [STATUS_UNIMPLEMENTED] = "unimplemented",
        [STATUS_INTERNAL] = "internal",
        [STATUS_UNAVAILABLE] = "unavailable",
        [STATUS_DATA_LOSS] = "data loss",
        [STATUS_UNAUTHENTICATED] = "unauthenticated",
    };
    return (unsigned)s < sizeof texts / sizeof texts[0] ? texts[s] : "unknown";
}
