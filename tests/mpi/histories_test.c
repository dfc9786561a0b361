/*
 * A hundred thousand small histories: the index is at every moment what plain facts say it is, refuses what they say
 * must be refused, and gives back byte for byte what was before when an entry is refused or a decision undone.
 *
 * IDEM_HISTORIES says how many; a bug planted in the book shows that each kind would be seen.
 */
#include "histories.h"

enum { HISTORIES = 1500, STEPS = 16, CAPS = 5, OWN_STORE = 40 };

enum plant {
    NO_PLANT,
    UNDO_IS_FORGOTTEN,
    OLDEST_DECISION_WINS,
    FORMER_NAMES_ARE_FORGOTTEN,
    NUMBERS_ARE_FORGOTTEN,
    DEACTIVATED_STILL_MATCH,
    UNLINK_IS_FORGOTTEN,
    RETIRED_IS_FORGOTTEN,
    CLEARED_STAYS,
    MODEL_STAYS,
    QUESTION_IS_FORGOTTEN,
    PLANTS
};

/* ---- one history ---- */

struct undoable { /* a decision, and what held before it; valid while nothing but undone decisions came after */
    uint64_t seq;
    struct buf before;
};
struct life {
    struct world *world;
    const struct models *models;
    struct book book;
    struct book_view view; /* of the book as it is */
    uint64_t random;
    uint32_t humans;
    enum plant plant;
    struct undoable undoable[STEPS];
    size_t undoable_count;
    uint64_t exact_undos, taken_back, refused;
    char wrong[160];
};

static bool is_wrong(struct life *life, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool is_wrong(struct life *life, const char *format, ...)
{
    if (life->wrong[0] == 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(life->wrong, sizeof life->wrong, format, args);
        va_end(args);
    }
    return true;
}

/* ---- bugs, in the book ---- */

static void plant_into(enum plant plant, struct book *book)
{
    switch (plant) {
    case UNDO_IS_FORGOTTEN:
        for (uint32_t i = 0; i < book->decision_count; i++)
            book->decisions[i].undone = false;
        break;
    case OLDEST_DECISION_WINS:
        for (uint32_t i = 0, k = book->decision_count; i + 1 < k--; i++) {
            struct book_decision swap = book->decisions[i];
            book->decisions[i] = book->decisions[k];
            book->decisions[k] = swap;
        }
        break;
    case FORMER_NAMES_ARE_FORGOTTEN:
        for (uint32_t i = 1; i <= book->record_count; i++)
            book->records[i].former_count = 0;
        break;
    case NUMBERS_ARE_FORGOTTEN:
        for (uint32_t i = 1; i <= book->record_count; i++)
            book->records[i].number_count = 1;
        break;
    case DEACTIVATED_STILL_MATCH:
        for (uint32_t i = 1; i <= book->record_count; i++)
            book->records[i].inactive = false;
        break;
    case UNLINK_IS_FORGOTTEN:
        for (uint32_t i = 0; i < book->decision_count; i++)
            book->decisions[i].undone |= book->decisions[i].kind == MPI_DECISION_UNLINK;
        break;
    default:
        break;
    }
}

static void look_again(struct life *life)
{
    struct book seen = life->book;
    plant_into(life->plant, &seen);
    book_look(&seen, &life->view);
    for (uint32_t i = 1; life->plant == RETIRED_IS_FORGOTTEN && i <= life->view.batch.count; i++)
        life->view.batch.retired[i] = 0;
    life->view.asked_count -= life->plant == QUESTION_IS_FORGOTTEN && life->view.asked_count > 2;
}

/* ---- does the index say the same? ---- */

static bool record_differs(struct life *life, uint32_t record)
{
    const struct mpi *mpi = life->world->mpi;
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    const struct mpi_row *row = batch_row(life->view.facts, record);
    if ((entry->row == NULL) != (row == NULL))
        return is_wrong(life, "record %u: takes part in matching: %d", record, entry->row != NULL);
    if (row && (row_bytes(row) != row_bytes(entry->row) || memcmp(row, entry->row, row_bytes(row)) != 0))
        return is_wrong(life, "record %u: another row", record);
    if (entry->person != life->view.person[record])
        return is_wrong(life, "record %u: person %u, want %u", record, entry->person, life->view.person[record]);
    if (entry->retired_into != life->view.batch.retired[record])
        return is_wrong(life, "record %u: retired into %u, want %u", record, entry->retired_into,
                        life->view.batch.retired[record]);
    return false;
}

static bool pair_differs(struct life *life, uint32_t a, uint32_t b)
{
    const struct edge *edge = index_edge(life->world->mpi, APPLIED, a, b),
                      *mirror = index_edge(life->world->mpi, APPLIED, b, a);
    int32_t want = life->view.batch.score[(size_t)a * (life->view.batch.count + 1) + b];
    if ((edge ? edge->score_mbit : INT32_MIN) != want || (mirror ? mirror->score_mbit : INT32_MIN) != want)
        return is_wrong(life, "edge %u-%u is %d, want %d", a, b, edge ? edge->score_mbit : INT32_MIN, want);
    return false;
}

/* The circle of a person passes each of its records once. */
static bool ring_differs(struct life *life, uint32_t record)
{
    const struct mpi *mpi = life->world->mpi;
    uint32_t met = 0, at = record, want = 0;
    do {
        met++;
        at = entry_at(mpi, APPLIED, at)->ring;
        if (life->view.person[at] != life->view.person[record])
            return is_wrong(life, "record %u is in the circle of record %u", at, record);
    } while (at != record && met <= life->view.batch.count);
    for (uint32_t i = 1; i <= life->view.batch.count; i++)
        want += life->view.person[i] == life->view.person[record];
    return met != want && is_wrong(life, "the circle of record %u has %u, want %u", record, met, want);
}

static bool is_asked(const struct life *life, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < life->view.asked_count; i++)
        if (life->view.asked[i][0] == (a < b ? a : b) && life->view.asked[i][1] == (a < b ? b : a))
            return true;
    return false;
}

/* Open is what is asked, each pair once, and nothing else. */
static bool questions_differ(struct life *life)
{
    const struct mpi *mpi = life->world->mpi;
    uint32_t open = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *at = CHUNK_AT(&mpi->asked, i);
        if (at->open_applied != is_asked(life, at->left, at->right))
            return is_wrong(life, "the question about %u and %u is %s", at->left, at->right,
                            at->open_applied ? "open" : "closed");
        open += at->open_applied;
    }
    if (open != life->view.asked_count || open != mpi->applied.reviews_open)
        return is_wrong(life, "%u questions are open, want %u", open, life->view.asked_count);
    return false;
}

static bool differs(struct life *life)
{
    const struct mpi *mpi = life->world->mpi;
    uint32_t standing = 0, want = 0;
    look_again(life);
    if (mpi->applied.records != life->book.record_count || mpi->applied.persons != life->view.persons)
        return is_wrong(life, "%u records of %llu persons, want %u of %u", mpi->applied.records,
                        (unsigned long long)mpi->applied.persons, life->book.record_count, life->view.persons);
    for (uint32_t i = 0; i < mpi->applied.decisions; i++)
        standing += decision_stands(CHUNK_AT(&mpi->decisions, i), APPLIED);
    for (uint32_t i = 0; i < life->book.decision_count; i++)
        want += !life->book.decisions[i].undone;
    if (mpi->applied.decisions != life->book.decision_count || standing != want)
        return is_wrong(life, "%u decisions stand, want %u", standing, want);
    for (uint32_t i = 1; i <= mpi->applied.records; i++) {
        if (record_differs(life, i) || ring_differs(life, i))
            return true;
        for (uint32_t k = i + 1; k <= mpi->applied.records; k++)
            if (pair_differs(life, i, k))
                return true;
    }
    return questions_differ(life);
}

/* ---- undone decisions ---- */

static void forget_undoable(struct life *life)
{
    while (life->undoable_count > 0)
        buf_fini(&life->undoable[--life->undoable_count].before);
}

static void note_decision(struct life *life, struct buf *before)
{
    assert_true(life->undoable_count < STEPS);
    life->undoable[life->undoable_count++] = (struct undoable){life->world->seq, *before};
    *before = (struct buf){0};
}

/* The newest decision was undone: all is as it was before it. */
static void check_undone(struct life *life, uint64_t seq)
{
    if (life->undoable_count == 0 || life->undoable[life->undoable_count - 1].seq != seq) {
        forget_undoable(life);
        return;
    }
    SCOPED(buf_fini) struct buf now = {0};
    struct undoable *last = &life->undoable[--life->undoable_count];
    state_put(life->world, &now);
    if (!str_eq(buf_str(&now), buf_str(&last->before)))
        (void)is_wrong(life, "undoing entry %llu leaves a trace", (unsigned long long)seq);
    buf_fini(&last->before);
    life->exact_undos++;
}

/* ---- steps: to the index, to the book, and what both must answer ---- */

static bool expect(struct life *life, status got, const char *reason)
{
    const struct reason *said = got == STATUS_OK ? NULL : life->world->support.cx.reason;
    life->refused += reason != NULL;
    if (reason ? said && strcmp(said->name, reason) == 0 : got == STATUS_OK)
        return true;
    (void)is_wrong(life, "answered %s, want %s", said ? said->name : "yes", reason ? reason : "yes");
    return false;
}

static void step_say(struct life *life)
{
    struct world *world = life->world;
    struct words words;
    struct mpi_result result;
    words_make(&life->random, life->humans, &words);
    if (life->book.record_count >= life->humans + 3 && book_find(&life->book, words.numbers[0]) == 0)
        return;
    bool known = book_find(&life->book, words.numbers[0]) != 0;
    struct mpi_record_input said = words.input;
    if (life->plant == CLEARED_STAYS)
        said.cleared_fields = 0;
    uint32_t record = book_say(&life->book, &said);
    forget_undoable(life);
    if (!expect(life, mpi_apply_record(world->mpi, world->txn, &world->support.cx, world->seq, &words.input, &result),
                NULL))
        return;
    if (differs(life))
        return;
    bool alone = true;
    for (uint32_t i = 1; i <= life->view.batch.count; i++)
        alone &= i == record || life->view.person[i] != life->view.person[record];
    enum mpi_verdict want = known           ? MPI_VERDICT_KNOWN
                            : !alone        ? MPI_VERDICT_LINKED
                            : result.review ? MPI_VERDICT_REVIEW
                                            : MPI_VERDICT_NEW;
    if (result.record != record || result.person != life->view.person[record] || result.verdict != want)
        (void)is_wrong(life, "record %u of person %u, verdict %d, want %u, %u, %d", (unsigned)result.record,
                       (unsigned)result.person, (int)result.verdict, record, life->view.person[record], (int)want);
}

/* Would merging `right` into `left` close a circle of merges? */
static bool is_cycle(const struct life *life, uint32_t left, uint32_t right)
{
    for (uint32_t at = left, steps = 0; at != 0 && left && right && steps <= BOOK_RECORDS; steps++) {
        if (at == right)
            return true;
        at = life->view.batch.retired[at];
    }
    return false;
}

static const char *why_refused(const struct life *life, enum mpi_decision_kind kind, struct mpi_identifier left,
                               struct mpi_identifier right)
{
    uint32_t a = book_find(&life->book, left), b = book_find(&life->book, right);
    bool one_authority = str_eq(left.authority, right.authority);
    if (one_authority && str_eq(left.value, right.value))
        return "mpi.merge-self";
    if (kind == MPI_DECISION_MERGE && !one_authority)
        return "mpi.merge-authority";
    if (kind != MPI_DECISION_MERGE && (a == 0 || b == 0))
        return "mpi.identifier-unknown";
    if (kind == MPI_DECISION_MERGE && is_cycle(life, a, b))
        return "mpi.merge-cycle";
    const struct book_decision *last = a && b ? book_between(&life->book, a, b) : NULL;
    if (kind == MPI_DECISION_UNLINK && !(last && last->kind == MPI_DECISION_UNLINK) && !book_ties(last) &&
        life->view.person[a] != life->view.person[b])
        return "mpi.link-missing";
    return NULL;
}

/* Answers true when it was a decision that holds something new. */
static bool message_says(struct life *life, enum mpi_decision_kind kind)
{
    struct world *world = life->world;
    struct book *book = &life->book;
    struct mpi_identifier left = words_own_number(&life->random, life->humans),
                          right = words_own_number(&life->random, life->humans);
    uint32_t a = book_find(book, left), b = book_find(book, right);
    if (kind == MPI_DECISION_MERGE && book->record_count + 2 > life->humans + 3 && (a == 0 || b == 0))
        return false;
    const char *refused = why_refused(life, kind, left, right);
    struct mpi_result result;
    status got = mpi_apply_identifier_decision(world->mpi, world->txn, &world->support.cx, world->seq, kind,
                                               STR("test"), left, right, &result);
    if (!expect(life, got, refused) || refused)
        return false;
    const struct book_decision *last = a && b ? book_between(book, a, b) : NULL;
    if (last && last->kind == kind && (kind != MPI_DECISION_MERGE || last->left == a))
        return false; /* said again */
    bool made = a == 0 || b == 0;
    a = a ? a : book_add(book, left);
    b = b ? b : book_add(book, right);
    book_decide(book, world->seq, kind, a, b);
    if (made) /* which stay when the merge is undone */
        forget_undoable(life);
    return !made;
}

static void step_message(struct life *life)
{
    static const enum mpi_decision_kind kinds[] = {MPI_DECISION_MERGE, MPI_DECISION_MERGE, MPI_DECISION_LINK,
                                                   MPI_DECISION_UNLINK};
    SCOPED(buf_fini) struct buf before = {0};
    state_put(life->world, &before);
    bool made = true, any = false;
    uint64_t seq_decisions = life->book.decision_count;
    for (uint64_t more = 1 + (hash_random(&life->random) % 4 == 0); more > 0;
         more--) { /* an A40 may repeat its group */
        uint32_t records = life->book.record_count;
        any |= message_says(life, PICK(&life->random, kinds));
        made &= life->book.record_count == records;
        if (life->wrong[0] || differs(life))
            return;
    }
    if (any && made)
        note_decision(life, &before);
    else if (life->book.decision_count != seq_decisions)
        forget_undoable(life);
}

static void step_steward(struct life *life)
{
    struct world *world = life->world;
    struct book *book = &life->book;
    SCOPED(buf_fini) struct buf before = {0};
    state_put(world, &before);
    uint32_t a = (uint32_t)(hash_random(&life->random) % (book->record_count + 2)),
             b = (uint32_t)(hash_random(&life->random) % (book->record_count + 1));
    enum mpi_decision_kind kind = hash_random(&life->random) % 2 ? MPI_DECISION_SAME : MPI_DECISION_DIFFERENT;
    const char *refused = a == 0 || b == 0 || a > book->record_count ? "mpi.record-unknown"
                          : a == b                                   ? "mpi.merge-self"
                                                                     : NULL;
    struct mpi_result result;
    status got = mpi_apply_steward_decision(world->mpi, world->txn, &world->support.cx, world->seq, kind, a, b, 0,
                                            STR_NONE, &result);
    if (!expect(life, got, refused) || refused)
        return;
    book_decide(book, world->seq, kind, a, b);
    if (!differs(life))
        note_decision(life, &before);
}

/* Mostly the newest decision, so that undos nest; else any entry, or one that decided nothing. */
static void step_undo(struct life *life)
{
    struct world *world = life->world;
    struct book *book = &life->book;
    uint64_t seq = hash_random(&life->random) % (world->seq + 2);
    if (life->undoable_count > 0 && hash_random(&life->random) % 4)
        seq = life->undoable[life->undoable_count - 1].seq;
    else if (book->decision_count > 0 && hash_random(&life->random) % 4)
        seq = book->decisions[hash_random(&life->random) % book->decision_count].seq;
    bool known = false, undone = false;
    for (uint32_t i = 0; i < book->decision_count; i++) {
        known |= book->decisions[i].seq == seq;
        undone |= book->decisions[i].seq == seq && book->decisions[i].undone;
    }
    const char *refused = !known ? "mpi.decision-unknown" : undone ? "mpi.decision-undone" : NULL;
    struct mpi_result result;
    status got = mpi_apply_steward_decision(world->mpi, world->txn, &world->support.cx, world->seq, MPI_DECISION_UNDO,
                                            0, 0, seq, STR_NONE, &result);
    if (!expect(life, got, refused) || refused)
        return;
    for (uint32_t i = 0; i < book->decision_count; i++)
        book->decisions[i].undone |= book->decisions[i].seq == seq;
    if (!differs(life))
        check_undone(life, seq);
}

static void step_model(struct life *life)
{
    struct world *world = life->world;
    size_t which = hash_random(&life->random) % MODELS;
    struct mpi_activated activated;
    uint64_t before[BOOK_RECORDS + 1], moved = 0;
    for (uint32_t i = 1; i <= life->book.record_count; i++)
        before[i] = life->view.person[i];
    if (!expect(life,
                mpi_apply_model(world->mpi, world->txn, &world->support.cx, world->seq,
                                buf_str(&life->models->texts[which]), STR("test"), &activated),
                NULL))
        return;
    if (life->plant != MODEL_STAYS)
        life->book.model = life->models->at[which];
    forget_undoable(life);
    if (differs(life))
        return;
    for (uint32_t i = 1; i <= life->book.record_count; i++)
        moved += before[i] != life->view.person[i];
    if (activated.moved != moved || activated.persons_after != life->view.persons)
        (void)is_wrong(life, "the model moved %u records, want %u", (unsigned)activated.moved, (unsigned)moved);
}

static void one_step(struct life *life)
{
    uint64_t what = hash_random(&life->random) % 24;
    life->world->seq++;
    ctx_clear(&life->world->support.cx);
    if (life->undoable_count > 0 && hash_random(&life->random) % 3 == 0)
        step_undo(life);
    else if (what < 10 || life->book.record_count < 2)
        step_say(life);
    else if (what < 14)
        step_message(life);
    else if (what < 18)
        step_steward(life);
    else if (what < 23)
        step_undo(life);
    else
        step_model(life);
}

/* An entry that is refused in the end, some steps on. */
static void step_taken_back(struct life *life)
{
    struct world *world = life->world;
    SCOPED(buf_fini) struct buf before = {0};
    SCOPED(buf_fini) struct buf after = {0};
    struct book book = life->book;
    uint64_t seq = world->seq;
    forget_undoable(life);
    state_put(world, &before);
    struct mpi_mark people = mpi_mark(world->mpi);
    size_t rows = data_txn_mark(world->txn);
    for (uint64_t more = 1 + hash_random(&life->random) % 3; more > 0 && !life->wrong[0]; more--)
        one_step(life);
    mpi_undo_to(world->mpi, people);
    data_txn_undo_to(world->txn, rows);
    world->seq = seq;
    life->book = book;
    forget_undoable(life);
    state_put(world, &after);
    if (!str_eq(buf_str(&before), buf_str(&after)))
        (void)is_wrong(life, "what was taken back leaves a trace");
    life->taken_back++;
    (void)differs(life);
}

/* What comes back from the store is what went in. */
static void step_committed(struct life *life)
{
    SCOPED(buf_fini) struct buf before = {0};
    SCOPED(buf_fini) struct buf after = {0};
    state_put(life->world, &before);
    if (hash_random(&life->random) % 3)
        world_commit(life->world);
    else
        world_reopen(life->world);
    state_put(life->world, &after);
    if (!str_eq(buf_str(&before), buf_str(&after)))
        (void)is_wrong(life, "the store brings back something else");
    (void)differs(life);
}

/* Answers at which step it went wrong, -1: never. */
static int live(struct life *life, bool commits)
{
    int step = 0;
    (void)differs(life);
    for (; step < STEPS && !life->wrong[0]; step++) {
        struct arena_mark mark = arena_mark(life->world->support.cx.arena);
        uint64_t how = hash_random(&life->random) % 10;
        if (how == 0)
            step_taken_back(life);
        else if (how == 1 && commits)
            step_committed(life);
        else
            one_step(life);
        arena_rewind(life->world->support.cx.arena, mark);
    }
    return life->wrong[0] ? step - 1 : -1;
}

/* ---- many ---- */

struct sum {
    uint64_t histories, exact_undos, taken_back, refused;
};

static void life_init(struct life *life, struct world *world, const struct models *models, uint64_t seed)
{
    *life = (struct life){.world = world, .models = models, .random = seed};
    for (int i = 0; i < 4; i++)
        (void)hash_random(&life->random);
    life->humans = (uint32_t)(2 + hash_random(&life->random) % 11);
    life->view.facts = models->facts;
    life->book.model = mpi_model_general();
    life->book.block_cap = world->mpi->block_cap;
}

/* In a store that others use too: nothing of it stays, not even in the index. */
static int live_and_vanish(struct life *life, struct world *world, const struct models *models, uint64_t seed,
                           enum plant plant)
{
    struct mpi_mark people = mpi_mark(world->mpi);
    size_t rows = data_txn_mark(world->txn);
    life_init(life, world, models, seed);
    life->plant = plant;
    int step = live(life, false);
    mpi_undo_to(world->mpi, people);
    data_txn_undo_to(world->txn, rows);
    world->seq = 0;
    forget_undoable(life);
    batch_free(&life->view.batch);
    assert_int_equal(world->mpi->applied.records, 0);
    assert_int_equal(world->mpi->applied.decisions, 0);
    return step;
}

static uint32_t cap_of(uint64_t number)
{
    static const uint32_t caps[CAPS] = {BLOCK_CAP_DEFAULT, 1, 2, 3, 4};
    return caps[number % CAPS];
}

static void live_in_own_store(const struct models *models, uint64_t seed)
{
    struct world world;
    struct life life;
    world_init_capped(&world, cap_of(seed));
    life_init(&life, &world, models, seed);
    int step = live(&life, true);
    if (step >= 0)
        fail_msg("history %llu in its own store, step %d: %s", (unsigned long long)seed, step, life.wrong);
    forget_undoable(&life);
    batch_free(&life.view.batch);
    world_fini(&world);
}

static void test_history__is_at_every_step_what_plain_facts_say(void **state)
{
    (void)state;
    const char *said = getenv("IDEM_HISTORIES"), *from = getenv("IDEM_HISTORIES_FROM");
    uint64_t first = from ? strtoull(from, NULL, 10) : 0, end = first + (said ? strtoull(said, NULL, 10) : HISTORIES);
    struct world worlds[CAPS];
    struct models models;
    struct sum sum = {0};
    for (size_t i = 0; i < CAPS; i++)
        world_init_capped(&worlds[i], cap_of(i));
    models_make(&worlds[0].support, &models);
    for (uint64_t seed = first; seed < end; seed++) {
        struct life life;
        if (seed % OWN_STORE == OWN_STORE - 1)
            live_in_own_store(&models, seed);
        int step = live_and_vanish(&life, &worlds[seed % CAPS], &models, seed, NO_PLANT);
        if (step >= 0)
            fail_msg("history %llu, step %d: %s", (unsigned long long)seed, step, life.wrong);
        sum.histories++;
        sum.exact_undos += life.exact_undos;
        sum.taken_back += life.taken_back;
        sum.refused += life.refused;
    }
    print_message(
        "%llu histories: %llu decisions undone to the byte, %llu entries taken back to the byte, %llu refused\n",
        (unsigned long long)sum.histories, (unsigned long long)sum.exact_undos, (unsigned long long)sum.taken_back,
        (unsigned long long)sum.refused);
    assert_true(sum.histories < 1000 || (sum.exact_undos * 4 > sum.histories && sum.taken_back > sum.histories));
    models_free(&models);
    for (size_t i = 0; i < CAPS; i++)
        world_fini(&worlds[i]);
}

static void test_planted_bugs__are_each_found(void **state)
{
    (void)state;
    enum { AT_MOST = 400 };
    struct world world;
    struct models models;
    world_init(&world);
    models_make(&world.support, &models);
    for (enum plant plant = NO_PLANT + 1; plant < PLANTS; plant++) {
        struct life life;
        uint64_t seed = 0;
        while (seed < AT_MOST && live_and_vanish(&life, &world, &models, seed, plant) < 0)
            seed++;
        if (seed == AT_MOST)
            fail_msg("planted bug %d was not seen", plant);
        print_message("planted bug %d: seen in history %llu: %s\n", plant, (unsigned long long)seed, life.wrong);
    }
    models_free(&models);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history__is_at_every_step_what_plain_facts_say),
        cmocka_unit_test(test_planted_bugs__are_each_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
