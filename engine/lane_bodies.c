#include "lane_bodies.h"

#include "base/invariant.h"
#include "base/mem.h"
#include "outbox.h"

enum { BUCKETS = 1024 };

/* What tells bytes apart. Those in a row are that row's own, and no two rows have the same seq and number; the others
 * are of a message. */
struct place {
    enum outbox_where where;
    uint64_t seq;
    uint32_t number;
};

struct lane_body {
    struct lane_body *next, **link;
    struct lane_bodies *bodies;
    struct place place;
    size_t holders;
    struct str bytes; /* in the same allocation */
};

struct lane_bodies {
    struct lane_body *bucket[BUCKETS];
    size_t bytes;
};

struct lane_bodies *lane_bodies_new(void)
{
    return mem_alloc(sizeof(struct lane_bodies));
}

size_t lane_bodies_bytes(const struct lane_bodies *bodies)
{
    return bodies->bytes;
}

void lane_bodies_free(struct lane_bodies *bodies)
{
    for (size_t i = 0; bodies && i < BUCKETS; i++)
        INVARIANT(bodies->bucket[i] == NULL);
    mem_free(bodies);
}

static struct place place_of(const struct lane_item *item)
{
    if (item->where == OUTBOX_HERE)
        return (struct place){OUTBOX_HERE, item->key.seq, item->key.number};
    return (struct place){item->where, item->message_seq, item->shared};
}

static struct lane_body **bucket_of(struct lane_bodies *bodies, struct place place)
{
    return &bodies->bucket[(place.seq * 31 + place.number) % BUCKETS];
}

status lane_body_read(struct engine *engine, struct ctx *cx, const struct lane_item *item, struct str *out_bytes)
{
    struct outbox_row row = {.message_seq = item->message_seq, .where = item->where, .shared = item->shared};
    if (item->where == OUTBOX_HERE) {
        struct str bytes;
        TRY(data_get(engine->outbox, cx, outbox_key(cx->arena, str_from(item->destination), item->key), &bytes));
        TRY(outbox_row_decode(cx, bytes, &row));
    }
    return outbox_bytes(engine, cx, &row, out_bytes);
}

struct lane_body *lane_body_find(struct lane_bodies *bodies, const struct lane_item *item)
{
    struct place place = place_of(item);
    struct lane_body *body = *bucket_of(bodies, place);
    while (body &&
           (body->place.seq != place.seq || body->place.where != place.where || body->place.number != place.number))
        body = body->next;
    if (body)
        body->holders++;
    return body;
}

struct lane_body *lane_body_keep(struct lane_bodies *bodies, const struct lane_item *item, struct str bytes)
{
    struct lane_body *body = mem_alloc(sizeof *body + bytes.len + 1);
    char *text = (char *)(body + 1);
    if (bytes.len)
        memcpy(text, bytes.data, bytes.len);
    body->bodies = bodies;
    body->place = place_of(item);
    body->holders = 1;
    body->bytes = str_make(text, bytes.len);
    body->link = bucket_of(bodies, body->place);
    body->next = *body->link;
    if (body->next)
        body->next->link = &body->next;
    *body->link = body;
    bodies->bytes += bytes.len;
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
    body->bodies->bytes -= body->bytes.len;
    *body->link = body->next;
    if (body->next)
        body->next->link = body->link;
    mem_free(body);
}
