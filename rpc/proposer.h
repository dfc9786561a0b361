/*
 * struct proposer: notices that the active model is no longer that of the people here, and on a schedule makes another
 * one, says what it would change and keeps it. It never activates anything.
 *
 * What is kept is one file of the data directory, MODEL_PROPOSAL_FILE, mode 0600: the packed ModelProposal. It holds
 * what a model holds, and is replaced by the next proposal.
 *
 * Threads: locks itself. Its own thread only waits and asks; the work is done in RPC_POOL_MODEL, so one at a time.
 */
#pragma once

#include "call.h"
#include "mpi/drift.h"

#define MODEL_PROPOSAL_FILE "model-proposal"

struct proposer;

/* `every_us`: how long between two looks; 0: it never looks by itself. */
struct proposer *proposer_new(struct rpc_server *server, int64_t every_us);
/* What is being made ends unfinished. Before the pools are freed. NULL is fine. */
void proposer_stop(struct proposer *proposer);
/* After the pools are. */
void proposer_free(struct proposer *proposer);

/* mpi_drift(), at most a minute old: for what is asked often. */
status proposer_drift(struct proposer *proposer, struct ctx *cx, struct mpi_drift *out_drift);

struct Idem__Admin__V1__ModelProposal;
/* Trains on a copy of the index, tries that model on another, and keeps both. base.cancelled, base.deadline, base.file,
 * mpi.row-bad. */
status proposer_make(struct rpc_server *server, struct ctx *cx, struct Idem__Admin__V1__ModelProposal *out_proposal);
/* When what is kept was made, if it was compared with this version; else 0. Reads the file once. */
int64_t proposer_kept_at(struct proposer *proposer, struct ctx *cx, uint32_t version);
/* What is kept, in cx->arena; NULL: nothing is. */
status proposer_kept(struct rpc_server *server, struct ctx *cx, struct Idem__Admin__V1__ModelProposal **out_proposal);
