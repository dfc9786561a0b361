/* The registry behind codes.h: rows in the store, packs in memory, snapshots for readers. */
#pragma once

#include "terminology/codes.h"

#include "base/map.h"
#include "base/vec.h"
#include "terminology/pack.h"
#include "terminology/systems.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    CODES_TRANSLATIONS_MAX = 50 * 1000, /* rows of one code in all maps; more are refused: a reply holds them all */
    CODES_WORK_ROWS_MAX = 1000 * 1000,  /* distinct work items; past it they are counted per source and path */
    CODES_WORK_TEXT_MAX = 200,          /* bytes kept of a system, code or display nobody knows */
};

/* One open pack. `holders` under the registry's lock, the rest immutable. */
struct codes_pack {
    size_t holders;
    struct str file; /* owned */
    uint8_t sha256[32];
    struct pack *pack;
};

struct codes {
    char *dir;
    struct data_store *store;
    struct data_table *releases, *active, *work;
    pthread_mutex_t changing;       /* held from before an activation is journaled until it is applied */
    struct codes_snapshot *applied; /* the writer's own: what its transaction under way says */
    pthread_mutex_t lock;           /* short, no I/O: everything below */
    struct codes_snapshot *current; /* what readers see: what was committed */
    struct codes_snapshot *unused;  /* given back by everybody */
    VEC(struct codes_pack *) packs; /* open now */
};

struct codes_snapshot {
    struct codes *codes;
    _Atomic uint32_t refs;
    struct codes_snapshot *next_unused;
    struct arena arena;
    struct codes_release *releases;
    struct codes_registration *registrations; /* beside releases */
    ptrdiff_t *before;                        /* beside releases: what a roll back of an active one leads to, or -1 */
    struct codes_pack *_Atomic *packs;        /* beside releases: NULL until it is needed */
    size_t count;
    struct map active; /* every name of a system with an active release -> index + 1 into releases */
    struct map names;  /* every exact name of a known system -> index + 1 into systems_rows */
    size_t *actives;   /* active releases, by name of their system */
    size_t active_count;
    size_t *maps; /* those of them that hold map rows, in the same order */
    size_t map_count;
};

/* --- codes_registry.c: what the store says; a row that cannot be read is data.store-damaged --- */

status codes_row_damaged(struct ctx *cx, const char *table);
struct codes_known {
    uint64_t id;
    struct codes_registration registration; /* borrows the row */
    int64_t registered_us, activated_us;
};
status codes_known_read(struct ctx *cx, struct str key, struct str bytes, struct codes_known *out);
void codes_known_put(struct codes *codes, struct data_txn *txn, const struct codes_known *known);
/* Activated ids of a system, oldest first; never empty. */
struct codes_history {
    uint64_t *ids; /* in cx->arena, room for one more */
    size_t count;
};
status codes_history_decode(struct ctx *cx, struct str row, struct codes_history *out);
/* codes.bad-entry. */
status codes_registration_decode(struct ctx *cx, struct cut *cut, struct codes_registration *out);

/* --- codes_snapshot.c --- */

/* Opens and verifies every registered pack, then shows what the store says. */
status codes_start(struct codes *codes, struct ctx *cx);
/* Builds what the rows say (as `txn` sees them; NULL: as committed) and makes it the writer's snapshot, as the last
 * step of an entry: one that is refused has changed nothing. */
status codes_take_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx);
/* Index of a release, or -1. */
ptrdiff_t codes_release_index(const struct codes_snapshot *snapshot, uint64_t release_id);
/* The pack of any release; opened now when nobody needed it before, then kept as long as the snapshot. */
status codes_pack_of(const struct codes_snapshot *snapshot, struct ctx *cx, size_t index, const struct pack **out_pack);
/* The same for an active one: a snapshot always holds those. */
static inline const struct pack *codes_active_pack(const struct codes_snapshot *snapshot, size_t index)
{
    return atomic_load_explicit(&snapshot->packs[index], memory_order_acquire)->pack;
}

/* --- codes_packs.c --- */

/* Opens the pack a registration names and compares it with what the registration says. */
status codes_pack_load(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                       struct pack **out_pack);
/* The same, shared with whoever has it open already; give it back. */
status codes_pack_hold(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                       struct codes_pack **out_pack);
struct codes_pack *codes_pack_if_open(struct codes *codes, const struct codes_registration *registration);
void codes_pack_release(struct codes *codes, struct codes_pack *pack); /* NULL is fine */
size_t codes_open_packs(struct codes *codes);                          /* how many */

/* Index of the active release of a system by any of its names, or -1. */
ptrdiff_t codes_active_index(const struct codes_snapshot *snapshot, struct str system);
/* Is a text any of the concept's names? Letter case and outer blanks do not count. */
bool codes_display_known(const struct pack *pack, uint32_t concept, struct str display);
/* As codes_validate(), for an active release already found. */
struct codes_verdict codes_judge(const struct codes_snapshot *snapshot, size_t release, struct str code,
                                 struct str display);
