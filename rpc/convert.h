/*
 * Between the protos of idem.identity.v1 and the structs of mpi/. Requests are borrowed, replies are built in
 * cx->arena.
 */
#pragma once

#include "message.h"
#include "mpi/mpi.h"

#include "idem/identity/v1/identity.pb-c.h"

struct mpi_identifier convert_identifier(const Idem__Identity__V1__Identifier *identifier);
/* At most LIMIT_IDENTIFIERS_PER_RECORD, every one with a value: rpc.argument. */
status convert_identifiers(struct ctx *cx, Idem__Identity__V1__Identifier *const *identifiers, size_t count,
                           struct mpi_identifier **out_identifiers);
/* rpc.argument for a date that is none, a sex of more than one character, too many names. */
status convert_demographics(struct ctx *cx, const Idem__Identity__V1__Demographics *demographics,
                            struct mpi_demographics *out_demographics);

Idem__Identity__V1__Demographics *convert_demographics_out(struct ctx *cx, const struct mpi_demographics *demographics);
Idem__Identity__V1__Comparison *convert_comparison(struct ctx *cx, const struct mpi_comparison *comparison);
void convert_record(struct ctx *cx, const struct mpi_record_view *record, Idem__Identity__V1__Record *out_record);
