#include "people_lanes.h"

#include "base/mem.h"

#include <pthread.h>

enum { QUEUE_MAX = 8 };

struct people_lanes {
    const struct cli_target *target;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct people_chunk *queue[QUEUE_MAX];
    size_t head, count;
    bool ended;
    status got; /* first failure */
    struct arena why_arena;
    struct ctx why;
    struct people_totals totals;
    pthread_t threads[PEOPLE_LANES_MAX];
    size_t thread_count;
};

struct people_chunk *people_chunk_new(struct str source)
{
    struct people_chunk *chunk = mem_alloc(sizeof *chunk);
    arena_init(&chunk->arena, 0);
    chunk->source = arena_str(&chunk->arena, source);
    return chunk;
}

static void free_chunk(struct people_chunk *chunk)
{
    if (!chunk)
        return;
    arena_fini(&chunk->arena);
    mem_free(chunk);
}

bool people_chunk_is_full(const struct people_chunk *chunk)
{
    return chunk->count == PEOPLE_CHUNK_MAX || chunk->arena.used >= PEOPLE_CHUNK_BYTES;
}

static struct people_chunk *take(struct people_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    while (lanes->count == 0 && !lanes->ended)
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    struct people_chunk *chunk = NULL;
    if (lanes->count) {
        chunk = lanes->queue[lanes->head];
        lanes->head = (lanes->head + 1) % QUEUE_MAX;
        lanes->count--;
        pthread_cond_broadcast(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->lock);
    return chunk;
}

static void remember(struct people_lanes *lanes, const struct ctx *cx, status got)
{
    pthread_mutex_lock(&lanes->lock);
    if (lanes->got == STATUS_OK) {
        lanes->got = got;
        cli_copy_failure(&lanes->why, cx, got);
    }
    pthread_mutex_unlock(&lanes->lock);
}

static void count_reply(struct people_lanes *lanes, const Idem__Identity__V1__LoadPeopleReply *reply)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->totals.loaded += reply->loaded;
    lanes->totals.new_persons += reply->new_persons;
    lanes->totals.linked += reply->linked;
    lanes->totals.reviews += reply->reviews;
    pthread_mutex_unlock(&lanes->lock);
}

static status carry(struct people_lanes *lanes, struct rpc_client *client, struct ctx *cx, struct people_chunk *chunk)
{
    Idem__Identity__V1__LoadPeopleRequest ask = IDEM__IDENTITY__V1__LOAD_PEOPLE_REQUEST__INIT;
    ask.source = (char *)chunk->source.data;
    ask.records = chunk->records;
    ask.n_records = chunk->count;
    void *reply;
    TRY(rpc_client_call(client, cx, CLI_IDENTITY("LoadPeople"), &ask.base,
                        &idem__identity__v1__load_people_reply__descriptor, 0, &reply));
    count_reply(lanes, reply);
    return STATUS_OK;
}

static void *run_lane(void *arg)
{
    struct people_lanes *lanes = arg;
    struct arena arena;
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    struct rpc_client *client = NULL;
    status got = cli_connect(&cx, lanes->target, &client);
    if (got != STATUS_OK)
        remember(lanes, &cx, got);
    struct people_chunk *chunk;
    while ((chunk = take(lanes))) { /* also after a failure: who fills the queue must not wait for ever */
        if (!people_lanes_broken(lanes)) {
            struct arena_mark mark = arena_mark(&arena);
            got = carry(lanes, client, &cx, chunk);
            if (got != STATUS_OK)
                remember(lanes, &cx, got);
            arena_rewind(&arena, mark);
        }
        free_chunk(chunk);
    }
    rpc_client_close(client);
    arena_fini(&arena);
    return NULL;
}

struct people_lanes *people_lanes_start(const struct cli_target *target, size_t count)
{
    struct people_lanes *lanes = mem_alloc(sizeof *lanes);
    lanes->target = target;
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->changed, NULL);
    arena_init(&lanes->why_arena, 0);
    lanes->why = (struct ctx){.arena = &lanes->why_arena};
    for (size_t i = 0; i < count && i < PEOPLE_LANES_MAX; i++)
        if (pthread_create(&lanes->threads[lanes->thread_count++], NULL, run_lane, lanes) != 0)
            mem_panic("idem people load", "no thread to be had");
    return lanes;
}

void people_lanes_put(struct people_lanes *lanes, struct people_chunk *chunk)
{
    if (!chunk || chunk->count == 0) {
        free_chunk(chunk);
        return;
    }
    pthread_mutex_lock(&lanes->lock);
    while (lanes->count == QUEUE_MAX)
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    lanes->queue[(lanes->head + lanes->count++) % QUEUE_MAX] = chunk;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
}

bool people_lanes_broken(struct people_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    bool broken = lanes->got != STATUS_OK;
    pthread_mutex_unlock(&lanes->lock);
    return broken;
}

status people_lanes_end(struct people_lanes *lanes, struct ctx *cx, struct people_totals *out_totals)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->ended = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    for (size_t i = 0; i < lanes->thread_count; i++)
        pthread_join(lanes->threads[i], NULL);
    status got = lanes->got;
    *out_totals = lanes->totals;
    if (got != STATUS_OK)
        cli_copy_failure(cx, &lanes->why, got);
    arena_fini(&lanes->why_arena);
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->lock);
    mem_free(lanes);
    return got;
}
