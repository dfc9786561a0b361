#include "people_internal.h"

/*
 * The index is a projection of the store's tables: rows are folded again (they are cheap), edges, members and decisions
 * are taken as they are, so that opening never compares records.
 *
 * Where the time goes (5 us a record, one thread): a third into folding and keys, a third into the blocks, a tenth each
 * into reading, edges and fresh pages; once 150 ms for ICU's rules when a Chinese name is met. Rows ready made in a
 * table of their own would not help: reading 250 bytes more costs what folding costs, and every write would pay for it.
 * The next step, when millions must start in seconds, is to fold on a second thread while this one reads and fills the
 * blocks.
 */
struct opening {
    struct mpi *mpi;
    struct ctx *cx;
    status failed;
};

static bool bad(struct opening *opening, const char *table)
{
    opening->failed = ctx_fail(opening->cx, &mpi_reasons[MPI_ROW_BAD], "table %s", table);
    return false;
}

static bool load_record(void *arg, struct str key, struct str row)
{
    struct opening *opening = arg;
    struct mpi *mpi = opening->mpi;
    struct arena_mark mark = arena_mark(opening->cx->arena);
    struct stored_record stored;
    if (key_part(key, 0) != (uint64_t)mpi->applied.records + 1)
        return bad(opening, "mpi.record: a gap");
    opening->failed = decode_record(opening->cx, row, &stored);
    if (opening->failed != STATUS_OK)
        return false;
    union row_space space;
    row_make(stored.identifiers, stored.identifier_count, &stored.said, stored.former, stored.former_count, &space);
    uint32_t record = index_load_record(mpi, row_own_key(stored.identifiers, stored.identifier_count));
    index_load_handles(mpi, record, stored.identifiers, stored.identifier_count);
    if (stored.active)
        index_load_row(mpi, record, &space.row);
    arena_rewind(opening->cx->arena, mark);
    return true;
}

static bool is_record(const struct mpi *mpi, uint64_t record)
{
    return record >= 1 && record <= mpi->applied.records;
}

static bool load_member(void *arg, struct str key, struct str row)
{
    struct opening *opening = arg;
    struct mpi *mpi = opening->mpi;
    uint64_t record = key_part(key, 0);
    struct stored_member member;
    opening->failed = decode_member(opening->cx, row, &member);
    if (opening->failed != STATUS_OK)
        return false;
    if (!is_record(mpi, record) || !is_record(mpi, member.person) ||
        (member.retired_into && !is_record(mpi, member.retired_into)))
        return bad(opening, "mpi.member");
    struct entry *entry = CHUNK_AT(&mpi->entries, record);
    entry->person = (uint32_t)member.person;
    entry->retired_into = (uint32_t)member.retired_into;
    return true;
}

static bool load_edge(void *arg, struct str key, struct str row)
{
    struct opening *opening = arg;
    uint64_t left = key_part(key, 0), right = key_part(key, 1);
    int32_t score_mbit;
    opening->failed = decode_edge(opening->cx, row, &score_mbit);
    if (opening->failed != STATUS_OK)
        return false;
    if (!is_record(opening->mpi, left) || !is_record(opening->mpi, right) || left >= right)
        return bad(opening, "mpi.edge");
    index_load_edge(opening->mpi, (uint32_t)left, (uint32_t)right, score_mbit);
    return true;
}

static bool load_decision(void *arg, struct str key, struct str row)
{
    struct opening *opening = arg;
    struct arena_mark mark = arena_mark(opening->cx->arena);
    struct stored_decision stored;
    opening->failed = decode_decision(opening->cx, row, &stored);
    if (opening->failed != STATUS_OK)
        return false;
    arena_rewind(opening->cx->arena, mark);
    if (stored.kind == MPI_DECISION_UNDO)
        return true;
    if (!is_record(opening->mpi, stored.left) || !is_record(opening->mpi, stored.right) || stored.left == stored.right)
        return bad(opening, "mpi.decision");
    struct decision decision = {.id = key_part(key, 0),
                                .left = (uint32_t)stored.left,
                                .right = (uint32_t)stored.right,
                                .kind = (uint8_t)stored.kind,
                                .undone = stored.undone_by != 0,
                                .undone_applied = stored.undone_by != 0};
    index_load_decision(opening->mpi, &decision);
    return true;
}

static bool load_review(void *arg, struct str key, struct str row)
{
    struct opening *opening = arg;
    struct stored_review stored;
    opening->failed = decode_review(opening->cx, row, &stored);
    if (opening->failed != STATUS_OK)
        return false;
    if (!is_record(opening->mpi, stored.left) || !is_record(opening->mpi, stored.right) || stored.left == stored.right)
        return bad(opening, "mpi.review");
    struct review review = {.id = key_part(key, 0),
                            .left = (uint32_t)stored.left,
                            .right = (uint32_t)stored.right,
                            .score_mbit = stored.comparison.score_mbit};
    index_load_review(opening->mpi, &review);
    return true;
}

/* A table whose keys have so many parts. */
struct loading {
    struct opening *opening;
    data_visit_fn *visit;
    const char *table;
    size_t key_parts;
};

static bool load_row(void *arg, struct str key, struct str row)
{
    const struct loading *loading = arg;
    struct opening *opening = loading->opening;
    opening->failed = key_check(opening->cx, key, loading->key_parts, loading->table);
    return opening->failed == STATUS_OK && loading->visit(opening, key, row);
}

static status load_table(struct opening *opening, struct data_table *table, struct loading loading)
{
    loading.opening = opening;
    TRY(data_scan_all(table, opening->cx, load_row, &loading));
    return opening->failed;
}

static bool take_number(void *arg, struct str key, struct str row)
{
    (void)row;
    *(uint64_t *)arg = key_part(key, 0);
    return false;
}

/* Records are numbered without gaps: the last one tells how many there are. Most bring 7 to 9 keys nobody else has. */
static status make_room(struct opening *opening)
{
    enum { KEYS_OF_ITS_OWN = 7, ROOM_MAX = 1 << 24 }; /* beyond, a number may just as well be damage */
    uint64_t count = 0;
    TRY(data_scan_back(opening->mpi->records, opening->cx, STR_NONE, STR_NONE, take_number, &count));
    index_load_reserve(opening->mpi, (size_t)(count < ROOM_MAX ? count : ROOM_MAX) * KEYS_OF_ITS_OWN);
    return STATUS_OK;
}

static status load_all(struct opening *opening)
{
    struct mpi *mpi = opening->mpi;
    TRY(make_room(opening));
    TRY(load_table(opening, mpi->records,
                   (struct loading){.visit = load_record, .table = "mpi.record", .key_parts = 1}));
    TRY(load_table(opening, mpi->members,
                   (struct loading){.visit = load_member, .table = "mpi.member", .key_parts = 1}));
    TRY(load_table(opening, mpi->edges, (struct loading){.visit = load_edge, .table = "mpi.edge", .key_parts = 2}));
    TRY(load_table(opening, mpi->decided,
                   (struct loading){.visit = load_decision, .table = "mpi.decision", .key_parts = 1}));
    TRY(load_table(opening, mpi->reviews,
                   (struct loading){.visit = load_review, .table = "mpi.review", .key_parts = 1}));
    index_load_finish(mpi);
    return STATUS_OK;
}

status mpi_open(struct ctx *cx, struct data_store *store, struct mpi **out_mpi)
{
    return index_open(cx, store, BLOCK_CAP_DEFAULT, out_mpi);
}

status index_open(struct ctx *cx, struct data_store *store, uint32_t block_cap, struct mpi **out_mpi)
{
    struct mpi *mpi = index_new();
    mpi->block_cap = block_cap;
    mpi->store = store;
    mpi->records = data_table(store, "mpi.record");
    mpi->versions = data_table(store, "mpi.version");
    mpi->members = data_table(store, "mpi.member");
    mpi->edges = data_table(store, "mpi.edge");
    mpi->links = data_table(store, "mpi.link");
    mpi->decided = data_table(store, "mpi.decision");
    mpi->reviews = data_table(store, "mpi.review");
    mpi->events = data_table(store, "mpi.event");
    mpi->models = data_table(store, "mpi.model");
    struct opening opening = {.mpi = mpi, .cx = cx};
    status loaded = models_open(mpi, cx);
    if (loaded == STATUS_OK)
        loaded = load_all(&opening);
    if (loaded != STATUS_OK) {
        index_free(mpi);
        return loaded;
    }
    *out_mpi = mpi;
    return STATUS_OK;
}

void mpi_close(struct mpi *mpi)
{
    index_free(mpi);
}
