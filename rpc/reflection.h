/*
 * grpc.reflection.v1 (and v1alpha, which is the same on the wire): the protos built into this daemon, for tools that
 * have none. Immutable after reflection_new(). Threads: any.
 */
#pragma once

#include "call.h"

struct reflection *reflection_new(void);
void reflection_free(struct reflection *reflection);

rpc_handler reflection_ask;
void reflection_half_closed(struct rpc_call *call);

/* Asserts that rpc_methods[] has exactly the methods of the protos, with their types and kinds. */
void reflection_check(const struct reflection *reflection);
