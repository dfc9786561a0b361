#include "engine/engine.h"

const struct reason engine_reasons[ENGINE_REASON_COUNT] = {
    [ENGINE_DUPLICATE_OTHER] = {"engine.control-id-reused", STATUS_ALREADY_EXISTS, 205,
                                "this control id was used before for another content"},
    [ENGINE_SOURCE_UNKNOWN] = {"engine.source-unknown", STATUS_PERMISSION_DENIED, 207,
                               "this sender may not send as that source"},
    [ENGINE_ROUTES_BAD] = {"engine.routes-bad", STATUS_INVALID_ARGUMENT, 207, "the routes cannot be used"},
    [ENGINE_MESSAGE_UNKNOWN] = {"engine.message-unknown", STATUS_NOT_FOUND, 204, "no such message"},
    [ENGINE_DEAD_UNKNOWN] = {"engine.dead-letter-unknown", STATUS_NOT_FOUND, 204, "no such dead letter"},
    [ENGINE_CLOSING] = {"engine.closing", STATUS_UNAVAILABLE, 207, "shutting down; send again later"},
    [ENGINE_ENTRY_BAD] = {"engine.entry-bad", STATUS_DATA_LOSS, 207, "a journal entry cannot be read"},
    [ENGINE_ROW_BAD] = {"engine.row-bad", STATUS_DATA_LOSS, 207,
                        "a row of the store is damaged; stop and start again: it is made again from the journal"},
    [ENGINE_PATIENT_MISSING] = {"engine.patient-missing", STATUS_INVALID_ARGUMENT, 101, "no patient identifier"},
    [ENGINE_TOO_LARGE] = {"engine.too-large", STATUS_RESOURCE_EXHAUSTED, 207, "larger than this system takes"},
    [ENGINE_WHY_MISSING] = {"engine.why-missing", STATUS_INVALID_ARGUMENT, 207, "a reason has to be given"},
};
