/* From local codes to standard ones: rows of active maps, and the decision about one coded element of a message. */
#include "codes_internal.h"

#include "base/bounds.h"

#include <stdlib.h>

/* FHIR R4 concept-map-equivalence, best first; rows that say "there is no target" are not in packs. */
static int equivalence_rank(struct str equivalence)
{
    static const char *const best_first[] = {"equal",    "equivalent",  "wider",     "subsumes",
                                             "narrower", "specializes", "relatedto", "inexact"};
    for (int i = 0; i < (int)(sizeof best_first / sizeof best_first[0]); i++)
        if (str_is(equivalence, best_first[i]))
            return i;
    return 99;
}

/* --- rows of active maps --- */

struct looking {
    const struct codes_snapshot *snapshot;
    struct str target; /* URI; empty = any */
    uint64_t seen;
    void (*take)(struct looking *looking, size_t release, const struct pack_map_row *row);
};

static void look_in(struct looking *looking, struct str source_system, struct str code)
{
    const struct codes_snapshot *snapshot = looking->snapshot;
    for (size_t m = 0; m < snapshot->map_count; m++) {
        size_t release = snapshot->maps[m];
        const struct pack *pack = codes_active_pack(snapshot, release);
        struct pack_range range = pack_map_find(pack, source_system, code);
        for (uint32_t i = 0; i < range.count; i++) {
            struct pack_map_row row = pack_map_row_at(pack, range.first + i);
            if (looking->target.len > 0 && !str_eq(looking->target, row.target_system))
                continue;
            looking->seen++;
            looking->take(looking, release, &row);
        }
    }
}

/* By the maps' names, then by line. */
static void look(struct looking *looking, struct str system, struct str code)
{
    look_in(looking, codes_system_uri(looking->snapshot, system), code);
    if (looking->seen == 0 && systems_find(system) == NULL)
        look_in(looking, STR("*"), code); /* rows for "any local system": never for a code that claims a standard one */
}

static struct codes_translation translation_of(const struct codes_snapshot *snapshot, size_t release,
                                               const struct pack_map_row *held)
{
    struct codes_translation row = {
        .system = held->target_system,
        .code = held->target_code,
        .display = held->target_display,
        .equivalence = held->equivalence,
        .map = snapshot->releases[release].system,
        .map_version = snapshot->releases[release].version,
        .map_row = held->line,
    };
    ptrdiff_t target = codes_active_index(snapshot, held->target_system);
    if (target < 0)
        return row;
    const struct pack *pack = codes_active_pack(snapshot, (size_t)target);
    uint32_t concept;
    if (pack_find(pack, held->target_code, &concept)) {
        struct pack_concept known = pack_concept_at(pack, concept);
        row.code = known.code; /* as the release spells it: "E119" in the map, "E11.9" in the message */
        row.display = known.display.len ? known.display : row.display;
    }
    return row;
}

/* --- all rows, best first --- */

struct found_row {
    struct codes_translation row;
    int rank;
    size_t arrival; /* keeps the order by map name, then by line */
};

static int by_rank(const void *left, const void *right)
{
    const struct found_row *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank - b->rank;
    return a->arrival < b->arrival ? -1 : 1;
}

struct collecting {
    struct looking looking; /* first */
    VEC(struct found_row) rows;
};

static void collect(struct looking *looking, size_t release, const struct pack_map_row *row)
{
    struct collecting *all = (struct collecting *)looking;
    if (looking->seen > CODES_TRANSLATIONS_MAX)
        return; /* refused below */
    size_t arrival = all->rows.count;
    *VEC_ADD(&all->rows) = (struct found_row){translation_of(looking->snapshot, release, row),
                                              equivalence_rank(row->equivalence), arrival};
}

status codes_translate(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                       struct str target_system, struct codes_translation **out_rows, size_t *out_count)
{
    struct collecting all = {.looking = {.snapshot = snapshot, .take = collect}};
    if (target_system.len > 0)
        all.looking.target = codes_system_uri(snapshot, target_system);
    look(&all.looking, system, code);
    if (BEYOND(CODES_TRANSLATIONS_MAX, all.looking.seen)) {
        VEC_FINI(&all.rows);
        return ctx_fail(cx, &codes_reasons[CODES_TOO_MANY_ROWS], "%llu rows of all maps, at most %d are answered",
                        (unsigned long long)all.looking.seen, CODES_TRANSLATIONS_MAX);
    }
    struct codes_translation *rows = arena_array(cx->arena, all.rows.count + 1, sizeof *rows);
    if (all.rows.count > 1)
        qsort(all.rows.at, all.rows.count, sizeof *all.rows.at, by_rank);
    for (size_t i = 0; i < all.rows.count; i++)
        rows[i] = all.rows.at[i].row;
    *out_rows = rows;
    *out_count = all.rows.count;
    VEC_FINI(&all.rows);
    return STATUS_OK;
}

/* --- the best row that may be used --- */

enum { RANK_NONE = 1000 }; /* worse than any */

/* The best row whose target may be used today, and the best of those whose target may not. */
struct choosing {
    struct looking looking; /* first */
    int used_rank, refused_rank;
    struct codes_translation used;
    struct codes_verdict refused;
};

static void choose(struct looking *looking, size_t release, const struct pack_map_row *row)
{
    struct choosing *best = (struct choosing *)looking;
    int rank = equivalence_rank(row->equivalence);
    if (rank >= best->used_rank)
        return; /* of equal ones the first wins */
    struct codes_verdict verdict = codes_validate(looking->snapshot, row->target_system, row->target_code, STR_NONE);
    if (verdict.validity == CODES_VALID || verdict.validity == CODES_SYSTEM_UNKNOWN) {
        best->used_rank = rank;
        best->used = translation_of(looking->snapshot, release, row);
    } else if (rank < best->refused_rank) {
        best->refused_rank = rank;
        best->refused = verdict;
    }
}

static struct choosing choose_row(const struct codes_snapshot *snapshot, struct str system, struct str code,
                                  struct str target)
{
    struct choosing best = {
        .looking = {.snapshot = snapshot, .take = choose}, .used_rank = RANK_NONE, .refused_rank = RANK_NONE};
    best.looking.target = codes_system_uri(snapshot, target);
    look(&best.looking, system, code);
    return best;
}

struct codes_reconciled codes_reconcile(const struct codes_snapshot *snapshot, struct str system, struct str code,
                                        struct str display, const struct str *targets, size_t target_count)
{
    struct codes_reconciled done = {.outcome = CODES_OUTCOME_EMPTY, .verdict.validity = CODES_SYSTEM_UNKNOWN};
    if (code.len == 0)
        return done;
    struct str uri = codes_system_uri(snapshot, system);
    done.verdict = codes_validate(snapshot, uri, code, display);
    bool wanted = target_count == 0;
    for (size_t i = 0; i < target_count; i++)
        wanted = wanted || str_eq(uri, codes_system_uri(snapshot, targets[i]));
    if (wanted && done.verdict.validity == CODES_VALID) {
        done.outcome = CODES_OUTCOME_STANDARD;
        return done;
    }

    struct codes_verdict refused = {0};
    bool any_refused = false;
    for (size_t i = 0; i < target_count; i++) {
        struct choosing best = choose_row(snapshot, uri, code, targets[i]);
        if (best.used_rank != RANK_NONE) {
            done.translation = best.used;
            done.outcome = CODES_OUTCOME_TRANSLATED;
            return done;
        }
        if (best.refused_rank != RANK_NONE && !any_refused) {
            refused = best.refused;
            any_refused = true;
        }
    }

    bool claims_standard = systems_find(uri) != NULL || done.verdict.validity != CODES_SYSTEM_UNKNOWN;
    bool invalid = done.verdict.validity != CODES_VALID && claims_standard &&
                   (wanted || done.verdict.validity != CODES_SYSTEM_UNKNOWN);
    done.outcome = invalid || any_refused ? CODES_OUTCOME_INVALID : CODES_OUTCOME_UNMAPPED;
    if (!invalid && any_refused)
        done.verdict = refused; /* the map leads to a code that may not be used: say which and why */
    return done;
}
