/*
 * The file of a snapshot: frames, then one footer, which is written last. Numbers as this machine has them: only the
 * program that wrote a file ever reads it.
 *
 *   frames of records    of up to SLICE_RECORDS records from `at` on: saved_record, its edges, its row
 *   frames of keys       one for each part of the blocks: the key shifted by four bits, how many records in the bits
 *                        below (KEY_MANY: in the four bytes behind), their numbers
 *
 * Every frame tells its length, kind, place and a CRC-32C of all that; the reader knows which comes next.
 */
#pragma once

#include "people_internal.h"

#include <stdio.h>

enum { SNAPSHOT_RECORDS = 1, SNAPSHOT_KEYS };
enum { KEY_COUNT_BITS = 64 - BLOCK_KEY_BITS, KEY_MANY = (1 << KEY_COUNT_BITS) - 1 };

struct frame {
    uint32_t bytes, crc; /* of what follows the head; of kind, place and count, and of that */
    uint32_t kind, at, count;
};
struct saved_record {
    uint64_t own_key;
    uint32_t person, retired_into, edge_count, row_bytes;
};
struct footer {
    char magic[8];
    uint64_t program, model; /* who wrote it; whose scores and rarities it holds */
    struct moment moment;
    uint64_t keys_at, end; /* where the frames of keys begin, and the footer */
    uint64_t key_count;
    uint32_t records, block_cap;
    uint32_t spare, crc; /* of the bytes before */
};
static const char snapshot_magic[8] = {'i', 'd', 'e', 'm', 'i', 'd', 'x', '1'};

uint32_t frame_crc(const struct frame *frame, const void *bytes);
uint32_t footer_crc(const struct footer *footer);

/* What this program and the libraries it folds names with are; 0 when that cannot be told. Replaceable by tests. */
extern uint64_t (*snapshot_program)(void);

/* Fills an empty index, but for decisions and reviews, and brings it up to the store's last commit. Answers what is
 * wrong, NULL: nothing. When something is, the index is of no use, but holds memory. */
const char *snapshot_load(struct mpi *mpi, struct ctx *cx, const char *path);
/* bring_in.c: reads again what changed since, then compares with the store. Answers as above. */
const char *bring_in(struct mpi *mpi, struct ctx *cx, const struct since *since);

/* Has so much changed that the rows are read as fast? Pure. */
bool snapshot_is_too_old(const struct since *since);

/* Between two slices of a save, for tests: the writer's turn. NULL = nobody waits for it. */
extern void (*snapshot_between)(void);

/* open.c: mpi_open_saved() with another cap. */
status index_open_saved(struct ctx *cx, struct data_store *store, uint32_t block_cap, const char *path,
                        struct mpi **out_mpi);
