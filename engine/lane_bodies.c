#include "lane_bodies.h"

#include "base/invariant.h"
#include "base/mem.h"

enum { BUCKETS = 1024 };

struct lane_body {
    struct lane_body *next, **link;
    uint64_t message_seq;
    enum outbox_where where;
    uint32_t shared;
    size_t holders;
    struct str bytes; /* in the same allocation */
};

struct lane_bodies {
    struct lane_body *bucket[BUCKETS];
};

struct lane_bodies *lane_bodies_new(void)
{
    return mem_alloc(sizeof(struct lane_bodies));
}

void lane_bodies_free(struct lane_bodies *bodies)
{
    for (size_t i = 0; bodies && i < BUCKETS; i++)
        INVARIANT(bodies->bucket[i] == NULL);
    mem_free(bodies);
}

static struct lane_body **bucket_of(struct lane_bodies *bodies, const struct outbox_row *row)
{
    return &bodies->bucket[(row->message_seq * 31 + row->shared) % BUCKETS];
}

struct lane_body *lane_body_find(struct lane_bodies *bodies, const struct outbox_row *row)
{
    struct lane_body *body = *bucket_of(bodies, row);
    while (body && (body->message_seq != row->message_seq || body->where != row->where || body->shared != row->shared))
        body = body->next;
    if (body)
        body->holders++;
    return body;
}

struct lane_body *lane_body_keep(struct lane_bodies *bodies, const struct outbox_row *row, struct str bytes)
{
    struct lane_body *body = mem_alloc(sizeof *body + bytes.len + 1);
    char *text = (char *)(body + 1);
    if (bytes.len)
        memcpy(text, bytes.data, bytes.len);
    body->message_seq = row->message_seq;
    body->where = row->where;
    body->shared = row->shared;
    body->holders = 1;
    body->bytes = str_make(text, bytes.len);
    body->link = bucket_of(bodies, row);
    body->next = *body->link;
    if (body->next)
        body->next->link = &body->next;
    *body->link = body;
    return body;
}

struct str lane_body_bytes(const struct lane_body *body)
{
    return body->bytes;
}

void lane_body_let_go(struct lane_body *body)
{
    if (body == NULL || --body->holders > 0)
        return;
    *body->link = body->next;
    if (body->next)
        body->next->link = body->link;
    mem_free(body);
}
