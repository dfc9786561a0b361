/* Models as replies: shared by the service and what proposes models. */
#pragma once

#include "call.h"
#include "mpi/models.h"

struct Idem__Admin__V1__Model;

void service_tell_model(struct ctx *cx, const struct mpi_model *model, uint32_t version,
                        struct Idem__Admin__V1__Model *out);
/* The active one for version 0; to be freed. mpi.model-unknown. */
status service_read_model(struct rpc_server *server, struct ctx *cx, uint32_t version, struct mpi_model **out_model,
                          uint32_t *out_version);
