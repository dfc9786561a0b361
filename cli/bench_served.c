/*
 * The index in service: an engine with its journal and a gRPC server, in this process, asked through loopback by a
 * client that waits for each answer. Times by the clock: waiting is what is measured.
 */
#include "bench_people.h"

#include "asked_patient.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "rpc/client.h"
#include "rpc/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { ASKED = 10000, LOADED_AT_ONCE = 1000, LOADERS = 3, REGISTRARS = 32, GRACE_MS = 60000 };

struct served {
    struct bench *bench;
    const struct gen *gen;
    const char *dir;
    struct engine *engine;
    atomic_uint_least64_t next, registered;
    atomic_bool stop, failed;
};

static double seconds_since(int64_t from_us)
{
    return (double)(clock_mono_us() - from_us) / 1e6;
}

/* ---- several threads, each with a ctx of its own ---- */

static void run_threads(struct served *served, pthread_t *threads, size_t count, void *(*run)(void *arg))
{
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, served) != 0)
            mem_panic("bench", "no thread");
}

static void join_threads(const pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* ---- loading ---- */

static size_t make_some(struct served *served, uint64_t from, struct gen_record *records, struct bench_made *made,
                        struct mpi_record_input *inputs)
{
    size_t count = 0;
    uint64_t some = LOADED_AT_ONCE / GEN_RECORDS_PER_HUMAN;
    for (uint64_t human = from; human < from + some && human < served->gen->people; human++)
        count += gen_records(served->gen, human, &records[count]);
    for (size_t i = 0; i < count; i++) {
        bench_make_input(&records[i], &made[i]);
        inputs[i] = made[i].input;
    }
    return count;
}

static void *load_some(void *arg)
{
    struct served *served = arg;
    struct arena arena = {0};
    struct gen_record *records = mem_array(LOADED_AT_ONCE, sizeof *records);
    struct bench_made *made = mem_array(LOADED_AT_ONCE, sizeof *made);
    struct mpi_record_input *inputs = mem_array(LOADED_AT_ONCE, sizeof *inputs);
    uint64_t some = LOADED_AT_ONCE / GEN_RECORDS_PER_HUMAN, from;
    while ((from = atomic_fetch_add(&served->next, some)) < served->gen->people && !served->failed) {
        struct ctx cx = {.arena = &arena};
        struct engine_people_result result;
        uint64_t seq;
        size_t count = make_some(served, from, records, made, inputs);
        if (engine_load_people(served->engine, &cx, inputs, count, &result, &seq) != STATUS_OK)
            served->failed = true;
        arena_reset(&arena);
    }
    mem_free(records);
    mem_free(made);
    mem_free(inputs);
    arena_fini(&arena);
    return NULL;
}

static status load(struct served *served, struct ctx *cx)
{
    pthread_t threads[LOADERS];
    int64_t from_us = clock_mono_us();
    run_threads(served, threads, LOADERS, load_some);
    join_threads(threads, LOADERS);
    double records = (double)mpi_count(engine_mpi(served->engine)).records;
    bench_add(served->bench, ROW("identity.served-load", "records/s", records / seconds_since(from_us),
                                 .note = "durable, matched, 1,000 an entry at most"));
    return served->failed ? ctx_fail(cx, &file_reason, "people could not be loaded") : STATUS_OK;
}

/* ---- starts ---- */

static status start(struct served *served, struct ctx *cx)
{
    struct engine_options options = {.dir = served->dir, .version = "bench", .snapshot_records_min = 1};
    return engine_open(cx, &options, &served->engine);
}

static void stop(struct served *served)
{
    engine_close(served->engine, GRACE_MS);
    served->engine = NULL;
}

static status timed_start(struct served *served, struct ctx *cx, const char *row, double goal, const char *note)
{
    int64_t from_us = clock_mono_us();
    TRY(start(served, cx));
    bench_add(served->bench, ROW(row, "s", seconds_since(from_us), .goal = goal, .at_most = true, .note = note));
    return STATUS_OK;
}

static status measure_starts(struct served *served, struct ctx *cx)
{
    int64_t from_us = clock_mono_us();
    const char *snapshot = arena_printf(cx->arena, "%s/index.snapshot", served->dir).data;
    stop(served);
    bench_add(served->bench, ROW("identity.stop", "s", seconds_since(from_us), .note = "the index is saved"));
    if (unlink(snapshot) != 0)
        return ctx_fail(cx, &file_reason, "there is no snapshot");
    TRY(timed_start(served, cx, "identity.start-from-rows", 0, "without the snapshot, the journal verified"));
    stop(served);
    return timed_start(served, cx, "identity.start", 30, "with the snapshot, the journal verified");
}

/* ---- asking ---- */

static void fill_ask(struct arena *arena, const struct gen_record *record, Idem__Identity__V1__IdentifyRequest *ask)
{
    Idem__Identity__V1__Name *name = asked_name(arena, ask);
    name->family = (char *)record->family; /* protobuf-c has no const; it is only read */
    name->given = (char *)record->given;
    name->middle = (char *)record->middle;
    name->suffix = (char *)record->suffix;
    ask->demographics->birth_date = arena_alloc(arena, 11);
    date_format(record->birth_date, ask->demographics->birth_date);
    ask->demographics->sex = record->sex == 'F' ? (char *)"F" : record->sex == 'M' ? (char *)"M" : (char *)"";
    asked_add_phone(arena, ask, str_from(record->phone));
    if (record->line[0] || record->city[0] || record->postcode[0]) {
        Idem__Identity__V1__Address *address = asked_address(arena, ask);
        address->line = (char *)record->line;
        address->city = (char *)record->city;
        address->postcode = (char *)record->postcode;
    }
}

static status ask_all(struct served *served, struct ctx *cx, struct rpc_client *client, double *times)
{
    for (uint64_t i = 0; i < ASKED; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        Idem__Identity__V1__IdentifyRequest *ask = asked_new(cx->arena);
        fill_ask(cx->arena, bench_next_asked(served->gen, i, records), ask);
        Idem__Identity__V1__IdentifyReply *reply;
        int64_t from_us = clock_mono_us();
        TRY(rpc_client_call(client, cx, "idem.identity.v1.Identity/Identify", &ask->base,
                            &idem__identity__v1__identify_reply__descriptor, 0, (void **)&reply));
        times[i] = (double)(clock_mono_us() - from_us);
        arena_rewind(cx->arena, mark);
    }
    bench_sort(times, ASKED);
    return STATUS_OK;
}

static void add_times(struct served *served, const char *p50, const char *p99, const double *times, const char *note)
{
    bench_add(served->bench,
              ROW(p50, "us", bench_of_sorted(times, ASKED, 50), .goal = 1000, .at_most = true, .note = note));
    bench_add(served->bench, ROW(p99, "us", bench_of_sorted(times, ASKED, 99), .goal = 5000, .at_most = true));
}

/* ---- registering: one record an entry, many at once, each waits until it is durable and applied ---- */

static void *register_some(void *arg)
{
    struct served *served = arg;
    struct arena arena = {0};
    while (!served->stop) {
        uint64_t i = atomic_fetch_add(&served->next, 1), seq;
        struct ctx cx = {.arena = &arena};
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        struct bench_made made;
        struct engine_people_result result;
        char id[32];
        snprintf(id, sizeof id, "SERVED%llu", (unsigned long long)i);
        bench_make_input(bench_next_asked(served->gen, i, records), &made);
        made.identifiers[0].value = str_from(id);
        if (engine_load_people(served->engine, &cx, &made.input, 1, &result, &seq) == STATUS_OK)
            served->registered++;
        else
            served->failed = true;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

static status ask_beside(struct served *served, struct ctx *cx, struct rpc_client *client, double *times)
{
    pthread_t threads[REGISTRARS];
    served->next = served->registered = 0;
    int64_t from_us = clock_mono_us();
    run_threads(served, threads, REGISTRARS, register_some);
    status asked = ask_all(served, cx, client, times);
    double seconds = seconds_since(from_us);
    uint64_t registered = served->registered;
    served->stop = true;
    join_threads(threads, REGISTRARS);
    TRY(asked);
    if (served->failed)
        return ctx_fail(cx, &file_reason, "somebody could not be registered");
    bench_add(served->bench, ROW("identity.registrations", "records/s", (double)registered / seconds, .goal = 2000,
                                 .note = "durable, applied, one an entry, while somebody identifies"));
    add_times(served, "identity.grpc-beside-p50", "identity.grpc-beside-p99", times,
              "identify beside the registrations");
    return STATUS_OK;
}

static status measure_asking(struct served *served, struct ctx *cx, struct rpc_server *server)
{
    struct str address = arena_printf(cx->arena, "127.0.0.1:%u", rpc_server_port(server, 0));
    struct rpc_client_options options = {.address = address.data, .plain = true};
    struct rpc_client *client;
    double *times = mem_array(ASKED, sizeof *times);
    status got = rpc_client_connect(cx, &options, &client);
    if (got == STATUS_OK) {
        got = ask_all(served, cx, client, times);
        if (got == STATUS_OK)
            add_times(served, "identity.grpc-p50", "identity.grpc-p99", times, "through gRPC, one after the other");
        if (got == STATUS_OK)
            got = ask_beside(served, cx, client, times);
        rpc_client_close(client);
    }
    mem_free(times);
    return got;
}

static status serve(struct served *served, struct ctx *cx)
{
    struct rpc_listen listen = {.address = "127.0.0.1:0", .plain = true};
    struct rpc_server_options options = {.listen = &listen,
                                         .listen_count = 1,
                                         .plain_roles = RPC_ROLE_ALL,
                                         .engine = served->engine,
                                         .data_dir = served->dir,
                                         .version = "bench"};
    struct rpc_server *server;
    TRY(rpc_server_start(cx, &options, &server));
    status got = measure_asking(served, cx, server);
    rpc_server_stop(server);
    return got;
}

status bench_served(struct bench *bench, const struct gen *gen)
{
    struct ctx *cx = bench->run->cx;
    struct served served = {.bench = bench, .gen = gen, .dir = arena_printf(cx->arena, "%s/served", bench->dir).data};
    TRY(file_make_dirs(cx, served.dir));
    status got = start(&served, cx);
    if (got == STATUS_OK)
        got = load(&served, cx);
    if (got == STATUS_OK)
        got = measure_starts(&served, cx);
    if (got == STATUS_OK)
        got = serve(&served, cx);
    engine_close(served.engine, GRACE_MS);
    return got;
}
