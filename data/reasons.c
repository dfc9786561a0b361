#include "data/journal.h"

const struct reason data_reasons[DATA_REASON_COUNT] = {
    [DATA_JOURNAL_FULL] = {"data.journal-full", STATUS_RESOURCE_EXHAUSTED, 207, "no space to keep the input"},
    [DATA_JOURNAL_DAMAGED] = {"data.journal-damaged", STATUS_DATA_LOSS, 207, "the journal does not check"},
    [DATA_JOURNAL_NO_ENTRY] = {"data.journal-no-such-entry", STATUS_NOT_FOUND, 204, "no such journal entry"},
    [DATA_JOURNAL_CLOSED] = {"data.journal-closed", STATUS_UNAVAILABLE, 207, "the journal is closing"},
    [DATA_JOURNAL_IN_USE] = {"data.in-use", STATUS_FAILED_PRECONDITION, 207,
                             "another process holds the data directory"},
    [DATA_ROW_UNKNOWN] = {"data.no-such-row", STATUS_NOT_FOUND, 204, "no such row"},
    [DATA_STORE_DAMAGED] = {"data.store-damaged", STATUS_DATA_LOSS, 207,
                            "the store does not check and must be rebuilt from the journal"},
    [DATA_STORE_FORMAT] = {"data.store-format", STATUS_FAILED_PRECONDITION, 207,
                           "the store was written in another format"},
    [DATA_JOURNAL_TOO_LARGE] = {"data.journal-entry-too-large", STATUS_INVALID_ARGUMENT, 207,
                                "the input is longer than the journal accepts"},
};
