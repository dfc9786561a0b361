/* Who asks without end beside the senders: lists, checks of everything, code sets that are loaded and activated.
 *
 * They stand for other machines: their own part of the work steps back, so that the daemon's is what is measured.
 */
#include "bench.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "rpc/client.h"

#include <inttypes.h>
#include <pthread.h>

enum { CALL_US = 60 * 1000000, ASKER_NICE = 10, MAP_ROWS = 100000 };

struct reader {
    const char *name, *method;
    const ProtobufCMessage *ask;
    const ProtobufCMessageDescriptor *reply;
    struct bench_readers *of;
    uint64_t calls, failed;
    pthread_t thread;
};

enum { ASKERS = 5 };

struct bench_readers {
    struct bench_daemon *daemon;
    bool stop;
    Idem__Admin__V1__GetStatusRequest status_ask;
    Idem__Admin__V1__ListMessagesRequest list_ask;
    Idem__Admin__V1__ListDeadLettersRequest letters_ask;
    Idem__Admin__V1__VerifyJournalRequest verify_ask;
    Idem__Admin__V1__DoctorRequest doctor_ask;
    struct reader askers[ASKERS], loader;
    int started;
    bool loads;
};

struct rpc_client *bench_connect(struct bench_daemon *daemon, struct ctx *cx)
{
    struct rpc_client *client = NULL;
    struct str address = arena_printf(cx->arena, "127.0.0.1:%u", daemon->grpc_port);
    struct rpc_client_options options = {.address = address.data, .plain = true, .timeout_us = CALL_US};
    return rpc_client_connect(cx, &options, &client) == STATUS_OK ? client : NULL;
}

static bool stops(const struct bench_readers *readers)
{
    return __atomic_load_n(&readers->stop, __ATOMIC_ACQUIRE);
}

/* All messages are asked for page by page. */
static void go_on(const ProtobufCMessage *ask, const void *reply)
{
    if (ask->descriptor == &idem__admin__v1__list_messages_request__descriptor)
        ((Idem__Admin__V1__ListMessagesRequest *)(uintptr_t)ask)->before =
            ((const Idem__Admin__V1__ListMessagesReply *)reply)->next_before;
}

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    thread_long(reader->name, ASKER_NICE);
    struct rpc_client *client = bench_connect(reader->of->daemon, &cx);
    reader->failed += client == NULL;
    while (client && !stops(reader->of)) {
        struct arena_mark mark = arena_mark(&arena);
        void *reply;
        if (rpc_client_call(client, &cx, reader->method, reader->ask, reader->reply, 0, &reply) == STATUS_OK)
            go_on(reader->ask, reply);
        else
            reader->failed++;
        reader->calls++;
        ctx_clear(&cx);
        arena_rewind(&arena, mark);
    }
    rpc_client_close(client);
    arena_fini(&arena);
    return NULL;
}

/* ---- a code set ---- */

static status write_map(struct ctx *cx, const char *path)
{
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("source_system,source_code,source_display,target_system,target_code,target_display,"
                           "equivalence\n"));
    for (unsigned i = 0; i < MAP_ROWS; i++)
        buf_printf(&text, "storm,S%u,Made up %u,near,N%u,Nothing %u,equivalent\n", i, i, i, i);
    return file_replace(cx, path, buf_str(&text), 0600);
}

static void *load_on(void *arg)
{
    struct reader *loader = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    thread_long(loader->name, ASKER_NICE); /* the programs it starts as well */
    struct str path = arena_printf(&arena, "%s/storm-map.csv", loader->of->daemon->dir);
    loader->failed += write_map(&cx, path.data) != STATUS_OK;
    while (!stops(loader->of) && loader->failed == 0) {
        struct arena_mark mark = arena_mark(&arena);
        struct str version = arena_printf(&arena, "%" PRIu64, ++loader->calls);
        const char *const words[] = {"codes",     "load",       path.data,    "--system", "map:storm",
                                     "--version", version.data, "--activate", NULL};
        loader->failed += !bench_idem_in(&arena, loader->of->daemon, words);
        arena_rewind(&arena, mark);
    }
    arena_fini(&arena);
    return NULL;
}

/* ---- all of them ---- */

static void make_askers(struct bench_readers *readers)
{
    idem__admin__v1__get_status_request__init(&readers->status_ask);
    idem__admin__v1__list_messages_request__init(&readers->list_ask);
    idem__admin__v1__list_dead_letters_request__init(&readers->letters_ask);
    idem__admin__v1__verify_journal_request__init(&readers->verify_ask);
    idem__admin__v1__doctor_request__init(&readers->doctor_ask);
    readers->list_ask.max = 10000;
    const struct reader askers[ASKERS] = {
        {.name = "status",
         .method = "idem.admin.v1.Admin/GetStatus",
         .ask = &readers->status_ask.base,
         .reply = &idem__admin__v1__status__descriptor},
        {.name = "messages",
         .method = "idem.admin.v1.Admin/ListMessages",
         .ask = &readers->list_ask.base,
         .reply = &idem__admin__v1__list_messages_reply__descriptor},
        {.name = "letters",
         .method = "idem.admin.v1.Admin/ListDeadLetters",
         .ask = &readers->letters_ask.base,
         .reply = &idem__admin__v1__list_dead_letters_reply__descriptor},
        {.name = "verify",
         .method = "idem.admin.v1.Admin/VerifyJournal",
         .ask = &readers->verify_ask.base,
         .reply = &idem__admin__v1__journal_report__descriptor},
        {.name = "doctor",
         .method = "idem.admin.v1.Admin/Doctor",
         .ask = &readers->doctor_ask.base,
         .reply = &idem__admin__v1__doctor_reply__descriptor},
    };
    memcpy(readers->askers, askers, sizeof askers);
    readers->loader = (struct reader){.name = "load"};
}

struct bench_readers *bench_readers_start(struct bench_daemon *daemon)
{
    struct bench_readers *readers = mem_alloc(sizeof *readers);
    readers->daemon = daemon;
    make_askers(readers);
    for (int i = 0; i < ASKERS; i++) {
        readers->askers[i].of = readers;
        if (pthread_create(&readers->askers[i].thread, NULL, read_on, &readers->askers[i]) != 0)
            break;
        readers->started++;
    }
    readers->loader.of = readers;
    readers->loads = pthread_create(&readers->loader.thread, NULL, load_on, &readers->loader) == 0;
    return readers;
}

bool bench_readers_stop(struct bench_readers *readers)
{
    __atomic_store_n(&readers->stop, true, __ATOMIC_RELEASE);
    bool good = readers->started == ASKERS && readers->loads;
    struct cli_run *run = readers->daemon->bench->run;
    for (int i = 0; i <= readers->started; i++) {
        struct reader *reader = i < readers->started ? &readers->askers[i] : &readers->loader;
        if (reader == &readers->loader && !readers->loads)
            break;
        pthread_join(reader->thread, NULL);
        bench_add(readers->daemon->bench, ROW(arena_printf(run->cx->arena, "  calls of %s", reader->name).data, "calls",
                                              (double)reader->calls));
        if (reader->failed > 0)
            cli_say(run, "bench storm: %" PRIu64 " of %" PRIu64 " calls of %s failed", reader->failed, reader->calls,
                    reader->name);
        good = good && reader->failed == 0;
    }
    mem_free(readers);
    return good;
}
