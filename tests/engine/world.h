/*
 * An engine with all its real parts in a scratch directory, and what tests do with it again and again: submit and wait
 * for the answer, apply routes, wait for deliveries. Included by one test program each.
 */
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "engine/engine.h"
#include "patience.h"
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    struct support s;
    const char *dir, *folder;
    struct engine *engine;
    uint64_t queue_bytes; /* of the journal; 0 = as in service */
};

static inline void world_open(struct world *w)
{
    struct engine_options options = {.dir = w->dir, .version = "test", .journal_queue_bytes = w->queue_bytes};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static inline void world_begin_with(struct world *w, uint64_t queue_bytes)
{
    w->queue_bytes = queue_bytes;
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    w->folder = arena_printf(&w->s.arena, "%s/out", w->dir).data;
    world_open(w);
}

static inline void world_begin(struct world *w)
{
    world_begin_with(w, 0);
}

static inline void world_close(struct world *w)
{
    engine_close(w->engine, 2000);
    w->engine = NULL;
}

static inline void world_end(struct world *w)
{
    world_close(w);
    support_remove_dir(w->dir);
    support_fini(&w->s);
}

static inline void world_routes(struct world *w, struct str text)
{
    struct engine_routes_view view;
    assert_ok(&w->s, engine_apply_routes(w->engine, &w->s.cx, text, false, &view));
}

/* What was answered; codes and reasons of each answer, in order. */
struct world_heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char code[2][3], reason[64], ack[2][2048], verdict[32];
    uint64_t seq, person;
    unsigned count;
    bool last, duplicate;
};

static inline void world_hear(void *arg, const struct engine_answer *answer)
{
    struct world_heard *heard = arg;
    pthread_mutex_lock(&heard->lock);
    unsigned i = heard->count++ & 1;
    memcpy(heard->code[i], answer->code, sizeof heard->code[i]);
    snprintf(heard->ack[i], sizeof heard->ack[i], "%.*s", STR_ARGS(answer->ack));
    snprintf(heard->reason, sizeof heard->reason, "%s", answer->reason);
    snprintf(heard->verdict, sizeof heard->verdict, "%s", answer->verdict);
    heard->seq = answer->seq;
    heard->person = answer->person;
    heard->duplicate = answer->duplicate;
    heard->last = answer->last;
    pthread_cond_signal(&heard->changed);
    pthread_mutex_unlock(&heard->lock);
}

static inline void world_send(struct world *w, const char *source, const char *protocol, struct str message,
                              struct world_heard *heard)
{
    *heard = (struct world_heard){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct engine_submission submission = {.source = str_from(source),
                                           .protocol = str_from(protocol),
                                           .peer = STR("127.0.0.1:1"),
                                           .message = message,
                                           .received_us = clock_now_us()};
    submit_patiently(w->engine, &submission, world_hear, heard);
}

static inline void world_wait(struct world_heard *heard)
{
    pthread_mutex_lock(&heard->lock);
    while (!heard->last)
        pthread_cond_wait(&heard->changed, &heard->lock);
    pthread_mutex_unlock(&heard->lock);
}

static inline struct world_heard world_submit(struct world *w, const char *source, struct str message)
{
    struct world_heard heard;
    world_send(w, source, "mllp", message, &heard);
    world_wait(&heard);
    return heard;
}

static inline struct str world_adt(struct world *w, const char *event, const char *control_id, const char *id,
                                   const char *family, const char *rest)
{
    return arena_printf(&w->s.arena,
                        "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^%s|%s|P|2.5.1\r"
                        "EVN|%s|20261121120000\r"
                        "PID|1||%s^^^NORTH^MR||%s^Anna^M||19800229|F|||Main St 1^^Town^ST^12345||5551234\r%s",
                        event, control_id, event, id, family, rest);
}

static inline struct engine_status world_status(struct world *w)
{
    struct engine_status now;
    assert_ok(&w->s, engine_status(w->engine, &w->s.cx, &now));
    assert_int_equal(now.unaccounted, 0);
    return now;
}

/* Until so many deliveries are done and dead. */
static inline void world_settled(struct world *w, uint64_t done, uint64_t dead)
{
    struct engine_status now = {0};
    for (int i = 0; i < 3000; i++) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        now = world_status(w);
        bool there = now.deliveries_done == done && now.deliveries_dead == dead;
        arena_rewind(&w->s.arena, mark);
        if (there)
            return;
        usleep(10000);
    }
    fail_msg("done %llu of %llu, dead %llu of %llu, queued %llu", (unsigned long long)now.deliveries_done,
             (unsigned long long)done, (unsigned long long)now.deliveries_dead, (unsigned long long)dead,
             (unsigned long long)now.deliveries_queued);
}
