/*
 * grpc.health.v1: what is served, and telling those who watch. Threads: locks itself.
 */
#pragma once

#include "call.h"

struct health *health_new(void); /* serving nothing yet */
void health_free(struct health *health);
/* `service` NULL = all. */
void health_set(struct health *health, const char *service, bool serving);
/* Everything NOT_SERVING; watchers hear it and their streams end, so that a drain need not wait for them. */
void health_close(struct health *health);

rpc_handler health_check, health_watch;
void health_watch_cancelled(struct rpc_call *call);
