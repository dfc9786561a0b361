/*
 * Opens a data directory as the daemon does and prints one line: what every row of every projection hashes to, the last
 * journal entry, and how many rows there are to speak of. Two copies of one journal, one with its store and one
 * without, must print the same: the projections are a function of the journal. (Opening adds a START entry: the same
 * one to both.)
 *
 *   rebuild_digest DATA_DIR
 */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>

static status print_digest(struct ctx *cx, struct engine *engine)
{
    uint8_t digest[32];
    struct engine_status now;
    TRY(data_digest(engine_store(engine), cx, digest));
    TRY(engine_status(engine, cx, &now));
    for (size_t i = 0; i < sizeof digest; i++)
        printf("%02x", digest[i]);
    printf(" seq %" PRIu64 " records %" PRIu64 " persons %" PRIu64 " received %" PRIu64 " deliveries %" PRIu64
           " dead %" PRIu64 " work %" PRIu64 " unaccounted %" PRId64 "\n",
           now.applied_seq, now.mpi.records, now.mpi.persons, now.received, now.deliveries_done, now.deliveries_dead,
           now.work_items, now.unaccounted);
    return STATUS_OK;
}

int main(int count, char **texts)
{
    if (count != 2) {
        fputs("usage: rebuild_digest DATA_DIR\n", stderr);
        return 2;
    }
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct engine_options options = {.dir = texts[1], .version = "rebuild_digest"};
    struct engine *engine = NULL;
    status got = engine_open(&cx, &options, &engine);
    if (got == STATUS_OK)
        got = print_digest(&cx, engine);
    if (got != STATUS_OK) {
        struct str why = ctx_message(&cx);
        fprintf(stderr, "rebuild_digest: %.*s\n", STR_ARGS(why));
    }
    engine_close(engine, 2000);
    arena_fini(&arena);
    return got == STATUS_OK ? 0 : 1;
}
