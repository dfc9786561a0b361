/* Benches of the whole daemon: pass-through, full path, lookups, start and memory. */
#include "bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/send.h"
#include "examples/gen.h"
#include "idem/terminology/v1/terminology.pb-c.h"
#include "rpc/bench.h"
#include "rpc/client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECTIONS = 16, WINDOW = 16, DRAIN_S = 120 };

/* ---- one feed: messages made beforehand, so that only sending is timed ---- */

struct feed {
    struct bench_daemon *daemon;
    unsigned port;
    struct buf bytes;
    VEC(size_t) ends; /* of each message in bytes */
    struct send_flood_result result;
    status status;
    pthread_t thread;
    const char *why;
};

static void give(void *arg, uint64_t number, struct buf *out)
{
    struct feed *feed = arg;
    size_t from = number ? feed->ends.at[number - 1] : 0;
    buf_put(out, feed->bytes.data + from, feed->ends.at[number] - from);
}

static void *run_feed(void *arg)
{
    struct feed *feed = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    char connect[32];
    snprintf(connect, sizeof connect, "127.0.0.1:%u", feed->port);
    struct send_flood_options options = {.to = {.connect = connect},
                                         .connections = CONNECTIONS,
                                         .window = WINDOW,
                                         .messages = feed->ends.count,
                                         .make = give,
                                         .arg = feed};
    feed->status = send_flood(&cx, &options, &feed->result);
    feed->why = cx.reason ? cx.reason->text : "";
    arena_fini(&arena);
    return NULL;
}

/* Feed 0, 1, 2 = north, lake, lab-feed; all at once. Answers the seconds until everything is delivered; 0 = failed. */
static double run_feeds(struct bench_daemon *daemon, struct feed *feeds, size_t count, uint64_t deliveries,
                        double *out_acked_s)
{
    int64_t before = bench_delivered(daemon), began = clock_mono_us();
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&feeds[i].thread, NULL, run_feed, &feeds[i]) != 0)
            return 0;
    for (size_t i = 0; i < count; i++)
        pthread_join(feeds[i].thread, NULL);
    *out_acked_s = (double)(clock_mono_us() - began) / 1e6;
    for (size_t i = 0; i < count; i++)
        if (feeds[i].status != STATUS_OK) {
            cli_say(daemon->bench->run, "bench: sending failed: %s", feeds[i].why);
            return 0;
        }
    while (bench_delivered(daemon) - before < (int64_t)deliveries) {
        if (clock_mono_us() - began > DRAIN_S * 1000000ll) {
            cli_say(daemon->bench->run, "bench: %" PRId64 " of %" PRIu64 " delivered, then nothing more",
                    bench_delivered(daemon) - before, deliveries);
            return 0;
        }
        usleep(2000);
    }
    return (double)(clock_mono_us() - began) / 1e6;
}

static void feed_fini(struct feed *feed)
{
    buf_fini(&feed->bytes);
    VEC_FINI(&feed->ends);
}

static bool apply_routes(struct bench_daemon *daemon, const char *format)
{
    struct ctx *cx = daemon->bench->run->cx;
    struct str path = arena_printf(cx->arena, "%s/routes.yaml", daemon->dir);
    struct buf text = {0};
    char port[8];
    snprintf(port, sizeof port, "%u", daemon->receiver_port);
    for (const char *at = format; *at; at++) {
        if (*at == '@')
            buf_put_str(&text, str_from(port));
        else
            buf_put_byte(&text, (uint8_t)*at);
    }
    status got = file_replace(cx, path.data, buf_str(&text), 0600);
    buf_fini(&text);
    return got == STATUS_OK && bench_idem(daemon, (const char *const[]){"route", "apply", path.data, NULL});
}

static void add_rates(struct bench *bench, const char *in_out, double goal, uint64_t in, uint64_t out, double seconds,
                      double acked_s, double cpu_s)
{
    bench_add(bench, ROW(in_out, "msg/s", (double)(in + out) / seconds, .goal = goal,
                         .note = "in + out, all durable and delivered"));
    bench_add(bench, ROW("  acknowledged", "msg/s", (double)in / acked_s));
    bench_add(bench, ROW("  daemon cpu", "us/message", cpu_s * 1e6 / (double)in,
                         .note = "per message in, its deliveries included"));
}

void bench_passthrough(struct bench *bench)
{
    static const char routes[] = "destinations:\n  - name: sink\n    mllp: { connect: \"127.0.0.1:@\" }\n"
                                 "routes:\n  - name: through\n    when: { source: [lab-feed] }\n    to: [sink]\n";
    struct bench_daemon daemon;
    if (!bench_daemon_open(bench, "passthrough", &daemon))
        return;
    struct feed feed = {.daemon = &daemon, .port = daemon.mllp_ports[2]};
    for (uint64_t i = 0; i < bench->messages; i++) { /* no patient: what is measured is the way through */
        buf_printf(&feed.bytes,
                   "MSH|^~\\&|LAB|L|IDEM|HUB|20261121120000||ORU^R01|B%" PRIu64 "|P|2.5.1\rOBR|1||%" PRIu64
                   "|GLU^Glucose^L\r"
                   "OBX|1|NM|GLU^Glucose^L||5.4|mmol/L|3.9-5.8|N|||F\rOBX|2|NM|NA^Sodium^L||140|mmol/L|135-145|N|||F\r"
                   "OBX|3|NM|K^Potassium^L||4.1|mmol/L|3.5-5.1|N|||F\r",
                   i, i);
        *VEC_ADD(&feed.ends) = feed.bytes.len;
    }
    if (apply_routes(&daemon, routes)) {
        double cpu = bench_cpu_seconds(daemon.idemd), acked;
        double seconds = run_feeds(&daemon, &feed, 1, bench->messages, &acked);
        if (seconds > 0) {
            add_rates(bench, "passthrough", 8000, bench->messages, bench->messages, seconds, acked,
                      bench_cpu_seconds(daemon.idemd) - cpu);
            bench_add(bench, ROW("  answer p50", "us", (double)feed.result.p50_us, .note = "256 under way"));
            bench_add(bench, ROW("  answer p99", "us", (double)feed.result.p99_us));
        }
    }
    feed_fini(&feed);
    bench_daemon_close(&daemon);
}

/* ---- the full path ---- */

static const char full_routes[] =
    "destinations:\n  - name: sink\n    mllp: { connect: \"127.0.0.1:@\" }\n"
    "routes:\n"
    "  - name: adt\n    when: { source: [north, lake], type: [ADT] }\n    person_id: { authority: IDEM }\n"
    "    codes: [ { path: \"DG1(*)-3\", to: [I10C] }, { path: \"AL1(*)-3\", to: [SCT] } ]\n    to: [sink]\n"
    "  - name: rest\n    local_system: { L: north-lab, \"\": north-lab }\n    person_id: { authority: IDEM }\n"
    "    codes: [ { path: \"OBX(*)-3\", to: [LN] }, { path: \"OBR(*)-4\", to: [LN] }, { path: \"RXA(*)-5\", to: "
    "[RXNORM] } ]\n    to: [sink]\n";

static bool load_codes(struct bench_daemon *daemon)
{
    struct ctx *cx = daemon->bench->run->cx;
    struct str dir = arena_printf(cx->arena, "%s/sets", daemon->dir);
    if (file_make_dirs(cx, dir.data) != STATUS_OK || gen_write_codes(cx, dir.data) != STATUS_OK)
        return false;
    static const struct {
        const char *path, *version;
    } sets[] = {{"codes/icd10cm/icd10cm-order-2026.txt", NULL},
                {"codes/loinc", NULL},
                {"codes/rxnorm", NULL},
                {"codes/snomed", NULL},
                {"maps/north-lab.csv", "1"},
                {"maps/lake-lab.csv", "1"}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct str path = arena_printf(cx->arena, "%s/%s", dir.data, sets[i].path);
        const char *words[] = {"codes",         "load", path.data, "--activate", sets[i].version ? "--version" : NULL,
                               sets[i].version, NULL};
        if (!bench_idem(daemon, words))
            cli_say(daemon->bench->run, "bench: %s could not be loaded", path.data);
    }
    return true;
}

bool bench_load_people(struct bench_daemon *daemon, struct gen *gen)
{
    struct ctx *cx = daemon->bench->run->cx;
    struct str dir = arena_printf(cx->arena, "%s/people", daemon->dir);
    struct gen_people_counts counts;
    if (file_make_dirs(cx, dir.data) != STATUS_OK ||
        gen_write_people(cx, gen, dir.data, &(struct gen_people_options){0}, &counts) != STATUS_OK)
        return false;
    int64_t began = clock_mono_us();
    for (int source = 0; source < GEN_SOURCES; source++) {
        struct str path = arena_printf(cx->arena, "%s/%s.csv", dir.data, gen_source_name((enum gen_source)source));
        if (!bench_idem(daemon, (const char *const[]){"people", "load", path.data, NULL}))
            return false;
    }
    double seconds = (double)(clock_mono_us() - began) / 1e6;
    bench_add(daemon->bench, ROW("people.load", "records/s", (double)counts.records / seconds,
                                 .note = "durable, matched, through gRPC"));
    bench_add(daemon->bench, ROW("  records", "records", (double)counts.records));
    return true;
}

static void run_full(struct bench *bench, struct bench_daemon *daemon, struct gen *gen)
{
    struct feed feeds[GEN_FEEDS] = {0};
    for (int i = 0; i < GEN_FEEDS; i++) {
        feeds[i].daemon = daemon;
        feeds[i].port = daemon->mllp_ports[i];
    }
    for (uint64_t i = 0; i < bench->messages; i++) {
        struct gen_message_facts facts;
        struct buf one = {0};
        gen_message(gen, &one, &facts);
        buf_put_str(&feeds[facts.feed].bytes, buf_str(&one));
        *VEC_ADD(&feeds[facts.feed].ends) = feeds[facts.feed].bytes.len;
        buf_fini(&one);
    }
    double cpu = bench_cpu_seconds(daemon->idemd), acked;
    int64_t before = bench_delivered(daemon);
    double seconds = run_feeds(daemon, feeds, GEN_FEEDS, 0, &acked);
    uint64_t accepted = 0, refused = 0;
    for (int i = 0; i < GEN_FEEDS; i++) {
        accepted += feeds[i].result.accepted;
        refused += feeds[i].result.refused;
    }
    int64_t began = clock_mono_us();
    while (seconds > 0 && bench_delivered(daemon) - before < (int64_t)accepted &&
           clock_mono_us() - began < DRAIN_S * 1000000ll)
        usleep(2000);
    seconds += (double)(clock_mono_us() - began) / 1e6;
    uint64_t delivered = (uint64_t)(bench_delivered(daemon) - before);
    add_rates(bench, "full-path", 3000, bench->messages, delivered, seconds, acked,
              bench_cpu_seconds(daemon->idemd) - cpu);
    bench_add(bench, ROW("  refused", "messages", (double)refused,
                         .note = "bad merges and the like: the generator makes some"));
    for (int i = 0; i < GEN_FEEDS; i++)
        feed_fini(&feeds[i]);
}

void bench_full(struct bench *bench)
{
    struct bench_daemon daemon;
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = 7, .people = (uint32_t)bench->people});
    if (!bench_daemon_open(bench, "full", &daemon))
        return;
    if (apply_routes(&daemon, full_routes) && load_codes(&daemon) && bench_load_people(&daemon, &gen)) {
        run_full(bench, &daemon, &gen);
        bench_add(bench, ROW("memory.after-load", "MiB", bench_rss_mib(daemon.idemd), .goal = 400, .at_most = true));
        bench_daemon_stop(&daemon);
        if (bench_daemon_start(&daemon)) {
            bench_add(bench, ROW("start", "s", daemon.start_seconds, .goal = 2, .at_most = true,
                                 .note = "until ready, same people"));
            bench_add(bench,
                      ROW("memory.after-start", "MiB", bench_rss_mib(daemon.idemd), .goal = 400, .at_most = true));
        }
    }
    bench_daemon_close(&daemon);
}

void bench_lookup(struct bench *bench)
{
    struct bench_daemon daemon;
    if (!bench_daemon_open(bench, "lookup", &daemon))
        return;
    if (load_codes(&daemon)) {
        struct ctx *cx = bench->run->cx;
        struct str address = arena_printf(cx->arena, "127.0.0.1:%u", daemon.grpc_port);
        struct rpc_client_options client = {.address = address.data, .plain = true};
        Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
        ask.system = (char *)"I10C"; /* protobuf-c has no const; it is only read */
        ask.code = (char *)"E11.9";
        bool pinned = bench_pin(daemon.idemd, 0); /* one core for the daemon, the other for the client */
        struct rpc_bench_options options = {
            .in_flight = 64, .run_us = (int64_t)(bench->seconds * 1e6), .server_cpu = -1, .client_cpu = 1};
        struct rpc_bench_result got;
        double cpu = bench_cpu_seconds(daemon.idemd);
        if (rpc_bench_unary_run(cx, &options, &client, "idem.terminology.v1.Terminology/Lookup", &ask.base, &got) ==
            STATUS_OK) {
            bench_add(bench, ROW("grpc.lookup", "calls/s", got.calls_per_s, .goal = 30000,
                                 .note = pinned ? "unary, daemon on one core" : "unary, daemon not pinned"));
            bench_add(bench, ROW("  failed", "calls", (double)got.failed));
            bench_add(bench, ROW("  daemon cpu", "us/call",
                                 (bench_cpu_seconds(daemon.idemd) - cpu) * 1e6 / (double)got.calls));
            bench_add(bench, ROW("  p50", "us", got.p50_us));
            bench_add(bench, ROW("  p99", "us", got.p99_us));
        } else {
            cli_say(bench->run, "bench lookup: %.*s", STR_ARGS(ctx_message(cx)));
        }
    }
    bench_daemon_close(&daemon);
}
