#include "mpi/mpi.h"

const struct reason mpi_reasons[MPI_REASON_COUNT] = {
    [MPI_PERSON_UNKNOWN] = {"mpi.person-unknown", STATUS_NOT_FOUND, 204, "no such person"},
    [MPI_RECORD_UNKNOWN] = {"mpi.record-unknown", STATUS_NOT_FOUND, 204, "no such record"},
    [MPI_IDENTIFIER_UNKNOWN] = {"mpi.identifier-unknown", STATUS_NOT_FOUND, 204, "nobody has this identifier"},
    [MPI_IDENTIFIER_SHARED] = {"mpi.identifier-shared", STATUS_FAILED_PRECONDITION, 204,
                               "records of more than one person have this identifier: it names nobody"},
    [MPI_IDENTIFIER_MISSING] = {"mpi.identifier-missing", STATUS_INVALID_ARGUMENT, 101,
                                "a patient identifier is required"},
    [MPI_MERGE_SELF] = {"mpi.merge-self", STATUS_INVALID_ARGUMENT, 205, "both sides are the same record"},
    [MPI_MERGE_CYCLE] = {"mpi.merge-cycle", STATUS_FAILED_PRECONDITION, 205,
                         "the survivor is itself retired into the other"},
    [MPI_MERGE_AUTHORITY] = {"mpi.merge-authority", STATUS_INVALID_ARGUMENT, 204,
                             "only identifiers of one authority and type can be merged"},
    [MPI_DECISION_UNKNOWN] = {"mpi.decision-unknown", STATUS_NOT_FOUND, 204, "no such decision"},
    [MPI_DECISION_UNDONE] = {"mpi.decision-undone", STATUS_FAILED_PRECONDITION, 205,
                             "the decision was already taken back"},
    [MPI_REVIEW_UNKNOWN] = {"mpi.review-unknown", STATUS_NOT_FOUND, 204, "no such review"},
    [MPI_REVIEW_CLOSED] = {"mpi.review-closed", STATUS_FAILED_PRECONDITION, 205, "the review is closed"},
    [MPI_LINK_MISSING] = {"mpi.link-missing", STATUS_FAILED_PRECONDITION, 204, "the two were never linked"},
    [MPI_TOO_MANY] = {"mpi.too-many", STATUS_RESOURCE_EXHAUSTED, 207, "more than can be kept"},
    [MPI_ROW_BAD] = {"mpi.row-bad", STATUS_DATA_LOSS, 207, "a stored row is damaged"},
    [MPI_MODEL_BAD] = {"mpi.model-bad", STATUS_INVALID_ARGUMENT, 207, "the model cannot be read"},
    [MPI_MODEL_UNKNOWN] = {"mpi.model-unknown", STATUS_NOT_FOUND, 204, "no model of this version was ever activated"},
    [MPI_MODEL_UNREADABLE] = {"mpi.model-unreadable", STATUS_FAILED_PRECONDITION, 207,
                              "this idem cannot read the active model"},
};

const struct data_table_spec mpi_tables[] = {
    {.name = "mpi.record"},
    {.name = "mpi.version"},
    {.name = "mpi.member"},
    {.name = "mpi.edge"},
    {.name = "mpi.link"},
    {.name = "mpi.decision"},
    {.name = "mpi.review"},
    {.name = "mpi.event"},
    {.name = "mpi.model", .added = true},
    {.name = "mpi.changed", .added = true, .local = true},
};
const size_t mpi_table_count = sizeof mpi_tables / sizeof mpi_tables[0];

const char *mpi_verdict_name(enum mpi_verdict verdict)
{
    static const char *const names[] = {
        [MPI_VERDICT_KNOWN] = "known", [MPI_VERDICT_LINKED] = "linked",   [MPI_VERDICT_REVIEW] = "review",
        [MPI_VERDICT_NEW] = "new",     [MPI_VERDICT_DECIDED] = "decided", [MPI_VERDICT_NONE] = "none"};
    return (size_t)verdict < sizeof names / sizeof names[0] ? names[verdict] : "unknown";
}

const char *mpi_decision_name(enum mpi_decision_kind kind)
{
    static const char *const names[] = {"none", "same", "different", "merge", "link", "unlink", "undo"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}
