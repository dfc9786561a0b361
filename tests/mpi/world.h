/* A small world to test the index in: a store in a scratch folder, an open index, entries numbered from 1. */
#pragma once

#include "support.h"

#include "base/hash.h"
#include "people_internal.h"

struct world {
    struct support support;
    const char *dir;
    struct data_store *store;
    struct mpi *mpi;
    struct data_txn *txn; /* open all the time; committed by world_commit() */
    uint64_t seq;
    uint32_t block_cap; /* 0: as in life */
};

static inline void world_open(struct world *world)
{
    struct data_options options = {
        .dir = world->dir, .format = 1, .tables = mpi_tables, .table_count = mpi_table_count};
    assert_ok(&world->support, data_open(&world->support.cx, &options, &world->store));
    assert_ok(&world->support, index_open(&world->support.cx, world->store,
                                          world->block_cap ? world->block_cap : BLOCK_CAP_DEFAULT, &world->mpi));
    world->txn = data_txn_begin(world->store);
}

static inline void world_init_capped(struct world *world, uint32_t block_cap)
{
    *world = (struct world){.block_cap = block_cap};
    support_init(&world->support);
    world->dir = support_make_dir(&world->support);
    world_open(world);
}

static inline void world_init(struct world *world)
{
    world_init_capped(world, BLOCK_CAP_DEFAULT);
}

static inline void world_publish(void *arg)
{
    mpi_publish(arg);
}

/* Readers see what was applied. */
static inline void world_commit(struct world *world)
{
    mpi_note_changes(world->mpi, world->txn, world->seq);
    data_txn_commit(world->txn, world->seq, world_publish, world->mpi);
    world->txn = data_txn_begin(world->store);
}

static inline void world_close(struct world *world)
{
    world_commit(world);
    data_txn_abort(world->txn);
    mpi_close(world->mpi);
    data_close(world->store);
}

static inline void world_reopen(struct world *world)
{
    world_close(world);
    world_open(world);
}

static inline void world_fini(struct world *world)
{
    world_close(world);
    support_remove_dir(world->dir);
    support_fini(&world->support);
}

/* One made-up record in plain words; NULL = not said. */
struct human {
    const char *id, *authority, *family, *given, *middle, *suffix, *birth, *ssn, *phone, *line, *city, *postcode,
        *mother;
    char sex;
    uint8_t birth_order;
    bool multiple;
};

struct said {
    struct mpi_identifier identifiers[2];
    struct mpi_name name;
    struct str phone;
    struct mpi_address address;
    struct mpi_record_input input;
};

static inline void said_fill(struct said *said, const struct human *human)
{
    *said = (struct said){0};
    struct mpi_record_input *input = &said->input;
    said->identifiers[0] =
        (struct mpi_identifier){str_from(human->authority ? human->authority : "HOSP"), str_from(human->id), STR("MR")};
    said->identifiers[1] = (struct mpi_identifier){STR("USA"), str_from(human->ssn), STR("SS")};
    said->name = (struct mpi_name){.family = str_from(human->family),
                                   .given = str_from(human->given),
                                   .middle = str_from(human->middle),
                                   .suffix = str_from(human->suffix)};
    said->phone = str_from(human->phone);
    said->address = (struct mpi_address){
        .line = str_from(human->line), .city = str_from(human->city), .postcode = str_from(human->postcode)};
    input->source = STR("test");
    input->identifiers = said->identifiers;
    input->identifier_count = human->ssn ? 2 : 1;
    struct mpi_demographics *demographics = &input->demographics;
    demographics->names = &said->name;
    demographics->name_count = human->family || human->given;
    if (human->birth)
        (void)date_parse(str_from(human->birth), &demographics->birth_date);
    demographics->sex = human->sex;
    demographics->phones = &said->phone;
    demographics->phone_count = human->phone != NULL;
    demographics->addresses = &said->address;
    demographics->address_count = human->line || human->city || human->postcode;
    demographics->mother.family = str_from(human->mother);
    demographics->multiple_birth = human->multiple;
    demographics->birth_order = human->birth_order;
}

static inline struct mpi_result world_apply(struct world *world, const struct human *human)
{
    struct said said;
    struct mpi_result result = {0};
    said_fill(&said, human);
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &said.input, &result));
    return result;
}

static inline struct mpi_identifier world_id(const char *value)
{
    return (struct mpi_identifier){STR("HOSP"), str_from(value), STR("MR")};
}

static inline status world_message(struct world *world, enum mpi_decision_kind kind, const char *left,
                                   const char *right, struct mpi_result *out_result)
{
    return mpi_apply_identifier_decision(world->mpi, world->txn, &world->support.cx, ++world->seq, kind, STR("test"),
                                         world_id(left), world_id(right), out_result);
}

static inline status world_steward(struct world *world, enum mpi_decision_kind kind, uint64_t left, uint64_t right,
                                   uint64_t undoes, struct mpi_result *out_result)
{
    return mpi_apply_steward_decision(world->mpi, world->txn, &world->support.cx, ++world->seq, kind, left, right,
                                      undoes, STR_NONE, out_result);
}

static inline uint64_t world_person(struct world *world, const char *id)
{
    uint64_t person = 0, record = 0;
    world_commit(world);
    assert_ok(&world->support, mpi_find(world->mpi, &world->support.cx, world_id(id), &person, &record));
    return person;
}
