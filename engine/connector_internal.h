/* What the kinds of connectors share: one outstanding send, reported once, never from inside connector_send(). */
#pragma once

#include "engine/connector.h"

struct connector_kind {
    void (*send)(struct connector *connector);
    void (*close)(struct connector *connector);
};

/* The beginning of every kind's own struct. */
struct connector {
    const struct connector_kind *kind;
    struct loop *loop;
    const char *name; /* a copy */
    struct str message, control_id;
    const char *file_name;
    connector_done_fn *done; /* NULL = nothing is outstanding */
    void *arg;
};

void connector_init(struct connector *connector, const struct connector_kind *kind, struct loop *loop,
                    const char *name);
void connector_fini(struct connector *connector);
/* Report the outstanding send. The connector may be closed, or used for the next send, by the callback: touch it no
 * more. */
void connector_report(struct connector *connector, const struct connector_outcome *outcome);
