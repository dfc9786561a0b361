/*
 * What the writer's transaction is made of.
 *
 * Every change is an op: table, key, and what the key shall be. Ops are found by hash; per table they are also kept
 * sorted, lazily: new ones wait in a tail until somebody scans or commits. An undo log remembers what each put
 * replaced. One thread; readers look at the sorted ops of one that is being committed (store_commit.c).
 */
#pragma once

#include "store_internal.h"

enum op_kind { OP_NOTHING, OP_PUT, OP_DELETE };

struct op {
    struct str key, row; /* in the transaction's arena */
    uint32_t table;
    enum op_kind kind; /* OP_NOTHING: undone, the committed row shows through */
    bool there;        /* a row with this key is committed: known when looked ahead */
};

struct undo {
    uint32_t op;
    enum op_kind kind;
    struct str row;
};

struct touched {
    VEC(uint32_t) ops; /* indexes of this table's ops; the first `sorted` are in key order */
    size_t sorted;
};

struct data_txn {
    struct data_store *store;
    struct arena arena;
    struct map by_key; /* table number, key → index into ops */
    VEC(struct op) ops;
    VEC(struct undo) undo;
    struct data_txn_work work;
    struct touched *tables;
    struct store_change *changes; /* per table; known when looked ahead */
    struct buf scratch;
};

void store_txn_sort(struct data_txn *txn, struct touched *touched);
/* Of sorted ops; their count when there is none. */
size_t store_txn_first_at_or_after(const struct data_txn *txn, const struct touched *touched, struct str key);
