/*
 * What mpi/ found out, as the replies that tell it: for the services, and for commands that do the same with files, so
 * that both are told alike. `out` is a new message of its type; what it points to is in cx->arena.
 *
 * Threads: pure.
 */
#pragma once

#include "base/ctx.h"

struct mpi_blocking;
struct mpi_reviewed;
struct mpi_training;
struct mpi_whatif;

/* Idem__Admin__V1__Blocking */
void rpc_tell_blocking(struct ctx *cx, const struct mpi_blocking *blocking, void *out);
/* Idem__Admin__V1__Calibration; `version` stays. */
void rpc_tell_calibration(struct ctx *cx, const struct mpi_reviewed *reviewed, void *out);
/* Idem__Admin__V1__WhatIfModelReply, at most `max` changed records of it; `records` stays. */
void rpc_tell_whatif(struct ctx *cx, const struct mpi_whatif *whatif, size_t max, void *out);
/* Idem__Admin__V1__Training */
void rpc_tell_training(struct ctx *cx, const struct mpi_training *training, void *out);
