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
    CODES_HISTORY_MAX = 64,            /* activations remembered per system, for roll back */
    CODES_TRANSLATIONS_MAX = 1000,     /* rows answered for one code */
    CODES_WORK_ROWS_MAX = 1000 * 1000, /* distinct work items; past it they are counted per source and path only */
    CODES_WORK_TEXT_MAX = 200,         /* bytes kept of a system, code or display nobody knows */
};

struct codes_pack {
    uint64_t release_id;
    struct pack *pack;
};

struct codes {
    char *dir;
    struct data_store *store;
    struct data_table *releases, *active, *work;
    VEC(struct codes_pack) packs;   /* one writer; readers hold the pointers through snapshots */
    struct codes_snapshot *applied; /* the writer's own: what its transaction under way says */
    pthread_mutex_t lock;           /* guards `current` and nothing else */
    struct codes_snapshot *current; /* what readers see: what was committed */
};

struct codes_snapshot {
    _Atomic uint32_t refs;
    struct arena arena;
    struct codes_release *releases;
    const struct pack **packs; /* beside releases */
    size_t count;
    struct map active; /* every name of a system with an active release -> index + 1 into releases */
    struct map names;  /* every exact name of a known system -> index + 1 into systems_rows */
    size_t *maps;      /* active releases that hold map rows, by name */
    size_t map_count;
};

/* Builds what the rows say (as `txn` sees them; NULL: as committed) and makes it the writer's snapshot, as the last
 * step of an entry: one that is refused has changed nothing. */
status codes_take_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx);
const struct pack *codes_pack_of(const struct codes *codes, uint64_t release_id);
void codes_pack_add(struct codes *codes, uint64_t release_id, struct pack *pack);
status codes_registration_decode(struct ctx *cx, struct cut *cut, struct codes_registration *out);
/* Opens the pack a registration names and compares it with what the registration says. */
status codes_pack_load(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                       struct pack **out_pack);

/* Index of the active release of a system by any of its names, or -1. */
ptrdiff_t codes_active_index(const struct codes_snapshot *snapshot, struct str system);
/* Is a text any of the concept's names? Letter case and outer blanks do not count. */
bool codes_display_known(const struct pack *pack, uint32_t concept, struct str display);
/* As codes_validate(), for a release already found. */
struct codes_verdict codes_judge(const struct codes_snapshot *snapshot, size_t release, struct str code,
                                 struct str display);
