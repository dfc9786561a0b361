/*
 * A lane: the ordered queue of one destination, on the deliver thread.
 *
 * A lane sends the head of its queue and nothing else until the destination's own answer is there: order is kept, a
 * slow or dead destination holds up only itself. The next message goes out while the outcome of the last ones is still
 * becoming durable, or waits for room in the journal, at most UNRECORDED_MAX of them: after a crash exactly these may
 * have been sent although idem does not know, so the first UNRECORDED_MAX + 1 of each queue are then marked "in doubt"
 * and sent again under the same control id.
 *
 * Memory: a lane holds at most HELD_MAX items and about its share of HELD_BYTES_ALL; what is beyond stays in the outbox
 * table and is read when the lane gets there. Bytes that stand once in the store or the journal are read for one send,
 * and held once however many lanes send them (lane_bodies.h).
 */
#include "lane_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    HELD_MAX = 2048,
    HELD_BYTES_MAX = 8 * 1024 * 1024,
    HELD_BYTES_ALL = 64 * 1024 * 1024,
    LOAD_MAX = 512,
    RECORD_AGAIN_US = 200 * 1000,
};

struct lane_item *lane_item_new(struct str destination, struct outbox_key key, uint64_t message_seq,
                                struct str control_id, struct str bytes)
{
    struct lane_item *item = mem_alloc(sizeof *item + control_id.len + bytes.len + 1);
    char *text = (char *)(item + 1);
    item->key = key;
    item->message_seq = message_seq;
    if (control_id.len)
        memcpy(text, control_id.data, control_id.len);
    if (bytes.len)
        memcpy(text + control_id.len, bytes.data, bytes.len);
    item->control_id = str_make(text, control_id.len);
    item->bytes = str_make(text + control_id.len, bytes.len);
    snprintf(item->destination, sizeof item->destination, "%.*s", STR_ARGS(destination));
    return item;
}

static void free_item(struct lane_item *item)
{
    lane_body_let_go(item->body);
    mem_free(item);
}

/* What a lane may hold: the more there are, the less. */
static size_t held_bytes_max(const struct lane *lane)
{
    size_t share = HELD_BYTES_ALL / lane->set->lane_count;
    return share < HELD_BYTES_MAX ? share : HELD_BYTES_MAX;
}

static int key_order(struct outbox_key left, struct outbox_key right)
{
    if (left.seq != right.seq)
        return left.seq < right.seq ? -1 : 1;
    return left.number < right.number ? -1 : left.number > right.number;
}

static void set_state(struct lane *lane, const char *state, const char *error)
{
    pthread_mutex_lock(&lane->set->lock);
    lane->state = state;
    if (error)
        lane->last_error = error;
    pthread_mutex_unlock(&lane->set->lock);
}

static void enqueue(struct lane *lane, struct lane_item *item)
{
    item->next = NULL;
    *lane->tail = item;
    lane->tail = &item->next;
    lane->held++;
    lane->held_bytes += item->bytes.len;
    lane->last = item->key;
}

/* ---- reading the outbox ---- */

struct loading {
    struct lane *lane;
    struct arena *arena;
    size_t loaded;
    bool more;
};

static bool load_row(void *arg, struct str key, struct str bytes)
{
    struct loading *loading = arg;
    struct ctx cx = {.arena = loading->arena};
    struct str destination;
    struct outbox_key at;
    struct outbox_row row;
    bool readable = outbox_key_read(key, &destination, &at);
    if (readable && key_order(at, loading->lane->last) <= 0)
        return true;
    if (loading->loaded == LOAD_MAX || loading->lane->held_bytes >= held_bytes_max(loading->lane)) {
        loading->more = true;
        return false;
    }
    if (!readable || outbox_row_decode(&cx, bytes, &row) != STATUS_OK)
        mem_panic("outbox",
                  "a row cannot be read: stop, remove the store folder and start again to rebuild it from the journal");
    bool here = row.where == OUTBOX_HERE && row.bytes.len < LARGE_BYTES;
    struct lane_item *item =
        lane_item_new(destination, at, row.message_seq, row.control_id, here ? row.bytes : STR_NONE);
    item->elsewhere = !here;
    item->where = row.where;
    item->shared = row.shared;
    enqueue(loading->lane, item);
    loading->loaded++;
    return true;
}

void lane_load(struct lane *lane)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct loading loading = {.lane = lane, .arena = &arena};
    struct str prefix = outbox_prefix(&arena, str_from(lane->name));
    if (data_scan(lane->engine->outbox, &cx, prefix, outbox_key(&arena, str_from(lane->name), lane->last), load_row,
                  &loading) != STATUS_OK)
        mem_panic("outbox", "the table cannot be read");
    lane->more_in_table = loading.more;
    arena_fini(&arena);
}

void lane_take(struct lane *lane, struct lane_item *item)
{
    bool stale = key_order(item->key, lane->last) <= 0; /* it was loaded from the table meanwhile */
    bool full = lane->held >= HELD_MAX || (lane->head && lane->held_bytes + item->bytes.len > held_bytes_max(lane));
    if (stale || item->in_table || lane->more_in_table || full) {
        lane->more_in_table |= !stale;
        free_item(item);
        return;
    }
    enqueue(lane, item);
}

/* ---- bytes that stand elsewhere ---- */

/* The bytes of the item for one send; false: the lane waits for room. */
static bool hold_bytes(struct lane *lane, struct lane_item *item, bool in_turn)
{
    struct lane_bodies *bodies = lane->set->bodies;
    if (!item->elsewhere || item->body)
        return true;
    struct lane_body *body = lane_body_find(bodies, item); /* that costs nothing more */
    if (body == NULL && !lanes_must_wait(lane, item->bytes_known, in_turn)) {
        struct str bytes;
        SCOPED(arena_fini) struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        if (lane_body_read(lane->engine, &cx, item, &bytes) != STATUS_OK)
            mem_panic("outbox",
                      "the bytes of a queued message cannot be read: run idem journal verify and idem doctor");
        item->bytes_known = bytes.len;
        if (!lanes_must_wait(lane, bytes.len, in_turn))
            body = lane_body_keep(bodies, item, bytes);
    }
    if (body == NULL) {
        lanes_wait_for_room(lane, in_turn);
        return false;
    }
    item->body = body;
    item->bytes = lane_body_bytes(body);
    return true;
}

static void let_go_bytes(struct lane *lane, struct lane_item *item)
{
    if (item->body == NULL)
        return;
    lane_body_let_go(item->body);
    item->body = NULL;
    item->bytes = STR_NONE;
    lanes_give_room(lane->set);
}

/* ---- outcomes ---- */

struct outcome {
    struct outcome *next, **link; /* in the set, so that it can be freed when the journal never takes it */
    struct lane *lane;
    struct buf body;
    struct request request;
    struct engine_room room;
};

static void record(void *arg);

static void free_outcome(struct outcome *outcome)
{
    *outcome->link = outcome->next;
    if (outcome->next)
        outcome->next->link = outcome->link;
    buf_fini(&outcome->body);
    mem_free(outcome);
}

void lane_free_outcomes(struct lanes *set)
{
    while (set->outcomes)
        free_outcome(set->outcomes);
}

static void outcome_recorded(void *arg)
{
    struct outcome *outcome = arg;
    struct lane *lane = outcome->lane;
    free_outcome(outcome);
    lane->unrecorded--;
    lane_try(lane, false);
    lanes_let_go(lane);
}

static void record_again(void *arg)
{
    struct outcome *outcome = arg;
    if (outcome->lane->set->ended)
        return; /* lanes_free() has it; the next start doubts this delivery */
    loop_timer_start(outcome->lane->engine->deliver_loop, RECORD_AGAIN_US, record, outcome);
}

static void outcome_durable(struct request *request, status result, uint64_t seq, int64_t time_us)
{
    (void)seq, (void)time_us;
    struct outcome *outcome = (struct outcome *)((char *)request - offsetof(struct outcome, request));
    loop_post(outcome->lane->engine->deliver_loop, result == STATUS_OK ? outcome_recorded : record_again, outcome);
}

/* On the loop: its turn in the journal has come. */
static void hear_room(void *arg)
{
    struct outcome *outcome = arg;
    outcome->lane->in_line--;
    record(outcome);
}

static void on_room(void *arg)
{
    struct outcome *outcome = arg;
    loop_post(outcome->lane->engine->deliver_loop, hear_room, outcome);
}

/* Never waits: what finds no room is kept and recorded in its turn, behind the earlier ones of its lane. */
static void record(void *arg)
{
    struct outcome *outcome = arg;
    struct engine *engine = outcome->lane->engine;
    outcome->room.told = on_room;
    outcome->room.arg = outcome;
    outcome->room.waiter.in_line = outcome->lane->in_line > 0;
    if (outcome->lane->set->ended) { /* the journal is about to close */
        (void)engine_forget(engine, &outcome->room);
        return;
    }
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    enum engine_taken taken = ENGINE_TAKEN;
    outcome->request = (struct request){.durable = outcome_durable};
    if (engine_offer(engine, &cx, ENTRY_DELIVERY, STR_NONE, buf_str(&outcome->body), &outcome->request, &outcome->room,
                     &taken) != STATUS_OK)
        record_again(outcome); /* nothing more is sent that could not be recorded */
    outcome->lane->in_line += taken == ENGINE_FULL;
    arena_fini(&arena);
}

static void item_ends(struct lane *lane, struct lane_item *item, enum delivery_state state,
                      const struct connector_outcome *how)
{
    struct entry_delivery entry = {.destination = str_from(lane->name),
                                   .key = item->key,
                                   .message_seq = item->message_seq,
                                   .state = state,
                                   .attempts = item->attempts,
                                   .in_doubt = item->in_doubt,
                                   .first_sent_us = item->first_sent_us,
                                   .done_us = clock_now_us(),
                                   .ack_code = str_from(how->ack_code),
                                   .why = str_from(how->why ? how->why : ""),
                                   .answer = state == DELIVERY_DEAD ? how->answer : STR_NONE};
    struct outcome *outcome = mem_alloc(sizeof *outcome);
    outcome->lane = lane;
    outcome->next = lane->set->outcomes;
    outcome->link = &lane->set->outcomes;
    if (outcome->next)
        outcome->next->link = &outcome->next;
    lane->set->outcomes = outcome;
    entry_delivery_encode(&outcome->body, &entry);
    lane->unrecorded++;
    lane->failures = 0;
    lane->head = item->next;
    if (lane->head == NULL)
        lane->tail = &lane->head;
    lane->held--;
    lane->held_bytes -= item->bytes.len;
    free_item(item);
    record(outcome);
}

static void open_lane(struct lane *lane);

static void retry(void *arg)
{
    struct lane *lane = arg;
    lane->timer = NULL;
    if (lane->connector == NULL && lane->config)
        open_lane(lane);
    lane_try(lane, false);
}

/* Twice as long each time, up to the limit; no jitter: one lane is one connection. */
static void back_off(struct lane *lane, const char *why)
{
    if (lane->config == NULL)
        return;
    int64_t wait = lane->config->retry_first_us;
    for (unsigned i = 0; i < lane->failures && wait < lane->config->retry_most_us; i++)
        wait *= 2;
    if (wait > lane->config->retry_most_us)
        wait = lane->config->retry_most_us;
    if (lane->failures == 0)
        log_event(LOG_WARN, "lane.retrying", LOG_NAME("destination", lane->name), LOG_NAME("why", why ? why : "?"));
    lane->failures++;
    set_state(lane, "retrying", why);
    lane->timer = loop_timer_start(lane->engine->deliver_loop, wait, retry, lane);
}

static void on_outcome(void *arg, const struct connector_outcome *outcome)
{
    struct lane *lane = arg;
    struct lane_item *item = lane->sending;
    lane->sending = NULL;
    let_go_bytes(lane, item);
    unsigned give_up = lane->config ? lane->config->give_up_after : 0;
    switch (outcome->kind) {
    case CONNECTOR_DELIVERED:
        item_ends(lane, item, DELIVERY_DELIVERED, outcome);
        break;
    case CONNECTOR_REFUSED:
        item_ends(lane, item, DELIVERY_DEAD, outcome);
        break;
    case CONNECTOR_REJECTED:
        if (give_up && ++item->answered >= give_up)
            item_ends(lane, item, DELIVERY_DEAD, outcome);
        else
            back_off(lane, outcome->why);
        break;
    case CONNECTOR_IN_DOUBT:
        item->in_doubt++;
        if (give_up && ++item->answered >= give_up)
            item_ends(lane, item, DELIVERY_DEAD, outcome);
        else
            back_off(lane, outcome->why);
        break;
    case CONNECTOR_NOT_SENT:
        back_off(lane, outcome->why); /* never given up: the destination is away, the message is fine */
        break;
    }
    lane_try(lane, false);
}

/* ---- sending ---- */

/* A lane is strictly first in, first out: the first ones it sends after a crash are those that the crash may have cut
 * off. */
static void mark_doubtful(struct lane *lane, struct lane_item *item)
{
    if (lane->doubtful_left == 0)
        return;
    lane->doubtful_left--;
    item->in_doubt += item->key.seq <= lane->set->doubtful_to;
}

void lane_try(struct lane *lane, bool in_turn)
{
    if (lane->sending || lane->timer || lane->connector == NULL || lane->set->stopping ||
        lane->unrecorded >= UNRECORDED_MAX)
        return;
    if (lane->head == NULL && lane->more_in_table)
        lane_load(lane);
    struct lane_item *item = lane->head;
    if (item == NULL) {
        set_state(lane, "idle", NULL);
        return;
    }
    set_state(lane, lane->failures ? "retrying" : "sending", NULL);
    if (!hold_bytes(lane, item, in_turn))
        return;
    snprintf(lane->file_name, sizeof lane->file_name, "%016" PRIu64 "-%04" PRIu32, item->key.seq, item->key.number);
    if (item->attempts++ == 0) {
        item->first_sent_us = clock_now_us();
        mark_doubtful(lane, item);
    }
    lane->sending = item;
    connector_send(lane->connector, item->bytes, item->control_id, lane->file_name, on_outcome, lane);
}

/* ---- its destination ---- */

static bool same_destination(const struct route_destination *left, const struct route_destination *right)
{
    return left->kind == right->kind && left->tls == right->tls && str_eq(left->connect, right->connect) &&
           str_eq(left->server_name, right->server_name) && str_eq(left->folder, right->folder) &&
           left->answer_timeout_us == right->answer_timeout_us;
}

static status open_connector(struct lane *lane, struct ctx *cx)
{
    const struct route_destination *config = lane->config;
    struct loop *loop = lane->engine->deliver_loop;
    if (config->kind == ROUTE_FILE)
        return connector_open_file(loop, cx, &(struct connector_file_options){lane->name, config->folder.data},
                                   &lane->connector);
    if (config->tls && lane->engine->options.client_tls == NULL)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROUTES_BAD],
                        "destination %s wants tls, but no client certificate is configured", lane->name);
    struct connector_mllp_options options = {.name = lane->name,
                                             .connect = config->connect.data,
                                             .tls = config->tls ? lane->engine->options.client_tls : NULL,
                                             .server_name = config->server_name.len ? config->server_name.data : NULL,
                                             .answer_timeout_us = config->answer_timeout_us};
    return connector_open_mllp(loop, cx, &options, &lane->connector);
}

/* What cannot be opened now (a folder on a disk that is not there yet) is tried again: nobody should have to notice. */
static void open_lane(struct lane *lane)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    if (open_connector(lane, &cx) == STATUS_OK) {
        lane->failures = 0;
        set_state(lane, "idle", NULL);
    } else {
        if (lane->failures == 0)
            log_event(LOG_ERROR, "lane.cannot-open", LOG_NAME("destination", lane->name), LOG_WHY(&cx));
        back_off(lane, cx.reason->text);
    }
    arena_fini(&arena);
}

static void close_connector(struct lane *lane)
{
    if (lane->connector == NULL)
        return;
    connector_close(lane->connector);
    lane->connector = NULL;
    if (lane->sending) { /* its answer will not be heard any more */
        lane->sending->in_doubt++;
        let_go_bytes(lane, lane->sending);
        lane->sending = NULL;
    }
}

void lane_configure(struct lane *lane, struct routes *routes, const struct route_destination *config)
{
    bool keep = lane->connector && lane->config && config && same_destination(lane->config, config);
    struct routes *old = lane->routes;
    lane->routes = config ? routes_ref(routes) : NULL;
    lane->config = config;
    if (!keep) {
        close_connector(lane);
        loop_timer_stop(lane->timer);
        lane->timer = NULL;
        lane->failures = 0;
        if (config)
            open_lane(lane);
        else
            set_state(lane, "stopped", "not in the routes");
    }
    routes_unref(old);
    lane_try(lane, false);
}

/* ---- life ---- */

struct lane *lane_new(struct lanes *set, const char *name)
{
    struct lane *lane = mem_alloc(sizeof *lane);
    lane->engine = set->engine;
    lane->set = set;
    snprintf(lane->name, sizeof lane->name, "%s", name);
    lane->tail = &lane->head;
    lane->state = "stopped";
    lane->last_error = "";
    lane->doubtful_left = set->doubtful_to ? UNRECORDED_MAX + 1 : 0;
    return lane;
}

/* Is there something about its queue that only memory knows: what may have been sent, and what was refused how often?
 */
static bool knows_more_than_table(const struct lane *lane)
{
    const struct lane_item *head = lane->head; /* nothing behind it was ever sent */
    if (head && (head->in_doubt > 0 || head->answered > 0))
        return true;
    if (lane->set->doubtful_to == 0)
        return false;
    return head ? head->key.seq <= lane->set->doubtful_to : lane->more_in_table;
}

bool lane_may_go(const struct lane *lane)
{
    return lane->sending == NULL && lane->unrecorded == 0 && !knows_more_than_table(lane);
}

/* Does the queue hold a message that may have been sent already? Only this run knows; a STOP entry would make the next
 * forget. */
bool lane_has_doubt(const struct lane *lane)
{
    for (const struct lane_item *item = lane->head; item; item = item->next)
        if (item->in_doubt)
            return true;
    if (lane->doubtful_left == 0)
        return false;
    return lane->head ? lane->head->key.seq <= lane->set->doubtful_to : lane->more_in_table;
}

void lane_stop(struct lane *lane)
{
    loop_timer_stop(lane->timer);
    lane->timer = NULL;
    close_connector(lane);
}

void lane_free(struct lane *lane)
{
    close_connector(lane);
    while (lane->head) {
        struct lane_item *item = lane->head;
        lane->head = item->next;
        free_item(item);
    }
    routes_unref(lane->routes);
    mem_free(lane);
}
