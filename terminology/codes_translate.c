/* From local codes to standard ones: rows of active maps, and the decision about one coded element of a message. */
#include "codes_internal.h"

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
    const struct codes_snapshot *snapshot;
    struct str target; /* URI; empty = any */
    VEC(struct found_row) rows;
};

static void collect(struct collecting *all, size_t release, struct pack_range range)
{
    const struct codes_snapshot *snapshot = all->snapshot;
    const struct pack *pack = codes_active_pack(snapshot, release);
    for (uint32_t i = 0; i < range.count && all->rows.count < CODES_TRANSLATIONS_MAX; i++) {
        struct pack_map_row held = pack_map_row_at(pack, range.first + i);
        if (all->target.len > 0 && !str_eq(all->target, held.target_system))
            continue;
        struct codes_translation row = {
            .system = held.target_system,
            .code = held.target_code,
            .display = held.target_display,
            .equivalence = held.equivalence,
            .map = snapshot->releases[release].system,
            .map_version = snapshot->releases[release].version,
            .map_row = held.line,
        };
        ptrdiff_t target = codes_active_index(snapshot, held.target_system);
        uint32_t concept;
        if (target >= 0 && pack_find(codes_active_pack(snapshot, (size_t)target), held.target_code, &concept)) {
            struct pack_concept known = pack_concept_at(codes_active_pack(snapshot, (size_t)target), concept);
            row.code = known.code; /* as the release spells it: "E119" in the map, "E11.9" in the message */
            row.display = known.display.len ? known.display : row.display;
        }
        size_t arrival = all->rows.count;
        *VEC_ADD(&all->rows) = (struct found_row){row, equivalence_rank(held.equivalence), arrival};
    }
}

static void collect_all(struct collecting *all, struct str source_system, struct str code)
{
    for (size_t m = 0; m < all->snapshot->map_count; m++) {
        size_t release = all->snapshot->maps[m];
        collect(all, release, pack_map_find(codes_active_pack(all->snapshot, release), source_system, code));
    }
}

status codes_translate(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                       struct str target_system, struct codes_translation **out_rows, size_t *out_count)
{
    struct collecting all = {.snapshot = snapshot};
    if (target_system.len > 0)
        all.target = codes_system_uri(snapshot, target_system);
    collect_all(&all, codes_system_uri(snapshot, system), code);
    if (all.rows.count == 0 && systems_find(system) == NULL)
        collect_all(&all, STR("*"),
                    code); /* rows for "any local system": never for a code that claims a standard one */

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

/* The best row whose target may be used today; *refused is set from the first row whose target may not. */
static status usable_translation(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system,
                                 struct str code, struct str target, struct codes_translation *out_row, bool *out_found,
                                 struct codes_verdict *refused, bool *any_refused)
{
    struct codes_translation *rows;
    size_t count;
    TRY(codes_translate(snapshot, cx, system, code, target, &rows, &count));
    *out_found = false;
    for (size_t i = 0; i < count; i++) {
        struct codes_verdict verdict = codes_validate(snapshot, cx, rows[i].system, rows[i].code, STR_NONE);
        if (verdict.validity == CODES_VALID || verdict.validity == CODES_SYSTEM_UNKNOWN) {
            *out_row = rows[i];
            *out_found = true;
            return STATUS_OK;
        }
        if (!*any_refused)
            *refused = verdict;
        *any_refused = true;
    }
    return STATUS_OK;
}

status codes_reconcile(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                       struct str display, const struct str *targets, size_t target_count,
                       struct codes_reconciled *out_reconciled)
{
    struct codes_reconciled done = {.outcome = CODES_OUTCOME_EMPTY, .verdict.validity = CODES_SYSTEM_UNKNOWN};
    if (code.len == 0) {
        *out_reconciled = done;
        return STATUS_OK;
    }
    struct str uri = codes_system_uri(snapshot, system);
    done.verdict = codes_validate(snapshot, cx, uri, code, display);
    bool wanted = target_count == 0;
    for (size_t i = 0; i < target_count; i++)
        wanted = wanted || str_eq(uri, codes_system_uri(snapshot, targets[i]));
    if (wanted && done.verdict.validity == CODES_VALID) {
        done.outcome = CODES_OUTCOME_STANDARD;
        *out_reconciled = done;
        return STATUS_OK;
    }

    struct codes_verdict refused = {0};
    bool any_refused = false;
    for (size_t i = 0; i < target_count; i++) {
        bool found = false;
        TRY(usable_translation(snapshot, cx, uri, code, targets[i], &done.translation, &found, &refused, &any_refused));
        if (!found)
            continue;
        done.outcome = CODES_OUTCOME_TRANSLATED;
        *out_reconciled = done;
        return STATUS_OK;
    }

    bool claims_standard = systems_find(uri) != NULL || done.verdict.validity != CODES_SYSTEM_UNKNOWN;
    bool invalid = done.verdict.validity != CODES_VALID && claims_standard &&
                   (wanted || done.verdict.validity != CODES_SYSTEM_UNKNOWN);
    done.outcome = invalid || any_refused ? CODES_OUTCOME_INVALID : CODES_OUTCOME_UNMAPPED;
    if (!invalid && any_refused)
        done.verdict = refused; /* the map leads to a code that may not be used: say which and why */
    *out_reconciled = done;
    return STATUS_OK;
}
