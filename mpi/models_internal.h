/*
 * Rows of mpi.model, by the first half of the key:
 *
 *   1, version    the text of a model; a version is one text for ever
 *   2, identity   the version of the text with this identity
 *   3, seq        an activation: version, name, when, who, why; the last one counts
 *   4, 0          which model the stored edges are of
 *
 * Versions below MODELS_FIRST_VERSION belong to built-in models, so that a newer idem may bring more of them.
 */
#pragma once

#include "people_internal.h"

enum models_part { MODELS_TEXT = 1, MODELS_IDENTITY, MODELS_ACTIVATION, MODELS_SCORED };
enum { MODELS_FIRST_VERSION = 100 };

struct stored_activation {
    uint32_t version;
    int64_t time_us;
    struct str name, by, why;
};
void encode_activation(struct buf *out, const struct stored_activation *activation);
status decode_activation(struct ctx *cx, struct str row, struct stored_activation *out_activation);
void encode_scored(struct buf *out, uint64_t identity);
void encode_version(struct buf *out, uint32_t version);
status decode_version(struct ctx *cx, struct str row, uint32_t *out_version);
