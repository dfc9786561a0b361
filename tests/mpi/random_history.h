/* Random histories: records that come, change and go, messages, stewards. */
#pragma once

#include "people.h"

/* Some steps are refused: cycles, strangers, decisions nobody took. */
static inline void history_step(struct world *world, uint64_t *random)
{
    static const enum mpi_decision_kind messages[] = {MPI_DECISION_MERGE, MPI_DECISION_LINK, MPI_DECISION_UNLINK};
    static const enum mpi_decision_kind stewards[] = {MPI_DECISION_SAME, MPI_DECISION_DIFFERENT, MPI_DECISION_UNDO};
    uint64_t what = hash_random(random) % 16, count = world->mpi->applied.records;
    uint32_t a = (uint32_t)(hash_random(random) % 150), b = (uint32_t)(hash_random(random) % 150);
    struct mpi_result result;
    if (what < 10 || count < 3) {
        struct person_text text;
        struct said said;
        people_make(random, a, (uint32_t)(hash_random(random) % 30), &text);
        said_fill(&said, &text.human);
        said.input.deactivate = what == 0;
        assert_ok(&world->support,
                  mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &said.input, &result));
    } else if (what < 13) {
        char left[12], right[12];
        snprintf(left, sizeof left, "%u", a);
        snprintf(right, sizeof right, "%u", b);
        IGNORE(world_message(world, messages[what - 10], left, right, &result));
    } else {
        IGNORE(world_steward(world, stewards[what - 13], a % count + 1, b % count + 1,
                             hash_random(random) % (world->seq + 1), &result));
    }
}
