/* A study of the people of an index. */
#include "ask_internal.h"
#include "study_internal.h"

struct copying {
    struct mpi_study *study;
    struct ctx *cx;
    enum mpi_copied copied;
    VEC(uint32_t) places; /* of each record of the index, from 1: its number in the study, 0 = none */
    status failed;
};

static void add_record(struct copying *copying, uint64_t own_key, const struct mpi_row *row, bool active)
{
    uint32_t *place = VEC_ADD(&copying->places);
    *place = 0;
    if (!active && copying->copied == MPI_COPY_MATCHED)
        return;
    *place = index_load_record(copying->study->mpi, own_key);
    if (active)
        index_load_row(copying->study->mpi, *place, row);
}

static bool take_record(void *arg, struct str key, struct str row)
{
    struct copying *copying = arg;
    struct arena_mark mark = arena_mark(copying->cx->arena);
    struct stored_record stored;
    copying->failed = ctx_check(copying->cx);
    if (copying->failed == STATUS_OK && key_part(key, 0) != copying->places.count + 1)
        copying->failed = ctx_fail(copying->cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record: a gap");
    if (copying->failed == STATUS_OK)
        copying->failed = decode_record(copying->cx, row, &stored);
    if (copying->failed != STATUS_OK)
        return false;
    union row_space space;
    row_make(stored.identifiers, stored.identifier_count, &stored.said, stored.former, stored.former_count, &space);
    add_record(copying, row_own_key(stored.identifiers, stored.identifier_count), &space.row, stored.active);
    arena_rewind(copying->cx->arena, mark);
    return true;
}

static uint32_t place_of(const struct copying *copying, uint32_t number)
{
    return number <= copying->places.count ? copying->places.at[number - 1] : 0;
}

static void copy_decision(struct copying *copying, const struct decision *decision)
{
    struct decision copy = *decision;
    copy.left = place_of(copying, decision->left);
    copy.right = place_of(copying, decision->right);
    copy.undone_applied = false;
    if (copy.left && copy.right && decision_stands(decision, SHOWN))
        index_load_decision(copying->study->mpi, &copy);
}

/* Some at a time, for the writer's sake. */
static void copy_decisions(struct copying *copying, struct mpi *from)
{
    enum { SLICE = 4096 };
    uint32_t at = 0;
    for (bool more = true; more;) {
        SCOPED(look_end) struct data_view look;
        look_begin(from, &look);
        for (uint32_t slice = 0; slice < SLICE && at < from->shown.decisions; slice++, at++)
            copy_decision(copying, CHUNK_AT(&from->decisions, at));
        more = at < from->shown.decisions;
    }
}

status mpi_study_copy(struct mpi_study *study, struct ctx *cx, struct mpi *from, enum mpi_copied copied)
{
    INVARIANT(mpi_study_records(study) == 0);
    struct copying copying = {.study = study, .cx = cx, .copied = copied};
    status got = data_scan_all(from->records, cx, take_record, &copying);
    if (got == STATUS_OK)
        got = copying.failed;
    if (got == STATUS_OK)
        copy_decisions(&copying, from);
    VEC_FINI(&copying.places);
    return got;
}
