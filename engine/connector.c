#include "connector_internal.h"

#include "base/invariant.h"
#include "base/mem.h"

void connector_init(struct connector *connector, const struct connector_kind *kind, struct loop *loop, const char *name)
{
    connector->kind = kind;
    connector->loop = loop;
    connector->name = mem_copy(name, strlen(name) + 1);
}

void connector_fini(struct connector *connector)
{
    mem_free((void *)connector->name);
}

void connector_send(struct connector *connector, struct str message, struct str control_id, const char *file_name,
                    connector_done_fn *done, void *arg)
{
    INVARIANT(connector->done == NULL);
    connector->message = message;
    connector->control_id = control_id;
    connector->file_name = file_name;
    connector->done = done;
    connector->arg = arg;
    connector->kind->send(connector);
}

void connector_report(struct connector *connector, const struct connector_outcome *outcome)
{
    connector_done_fn *done = connector->done;
    INVARIANT(done);
    connector->done = NULL;
    connector->message = connector->control_id = STR_NONE;
    done(connector->arg, outcome);
}

void connector_close(struct connector *connector)
{
    if (connector == NULL)
        return;
    connector->done = NULL;
    connector->kind->close(connector);
}
