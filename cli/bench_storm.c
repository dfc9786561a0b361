/* Benches of what may not be in each other's way: very much that waits, endless readers, and a burst of large messages.
 */
#include "bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/send.h"
#include "examples/gen.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "rpc/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AWAY = 100, STATUS_CALLS = 200, CALL_US = 60 * 1000000 };

static bool use_routes(struct bench_daemon *daemon)
{
    struct ctx *cx = daemon->bench->run->cx;
    struct str path = arena_printf(cx->arena, "%s/routes.yaml", daemon->dir);
    SCOPED(buf_fini) struct buf text = {0};
    buf_printf(&text, "destinations:\n  - { name: sink, mllp: { connect: \"127.0.0.1:%u\" } }\n",
               daemon->receiver_port);
    for (int i = 0; i < AWAY; i++)
        buf_printf(&text, "  - { name: away%d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n",
                   i);
    buf_put_str(&text, STR("routes:\n  - { name: through, when: { source: [north] }, to: [sink] }\n"
                           "  - { name: waits, when: { source: [lake] }, to: [away0"));
    for (int i = 1; i < AWAY; i++)
        buf_printf(&text, ", away%d", i);
    buf_put_str(&text, STR("] }\n"));
    for (int i = 0; i < 5; i++) /* each changes it in its own way */
        buf_printf(&text,
                   "  - { name: burst%d, when: { source: [lab-feed] }, person_id: { authority: R%d },\n"
                   "      codes: [ { path: \"OBX(*)-3\", to: [LN] } ], to: [away%d] }\n",
                   i, i, i);
    return file_replace(cx, path.data, buf_str(&text), 0600) == STATUS_OK &&
           bench_idem(daemon, (const char *const[]){"route", "apply", path.data, NULL});
}

/* ---- sending ---- */

struct made {
    const char *prefix; /* of the control ids */
    unsigned results;
};

static void make(void *arg, uint64_t number, struct buf *out)
{
    const struct made *made = arg;
    buf_printf(out,
               "MSH|^~\\&|LAB|L|IDEM|HUB|20261121120000||ORU^R01|%s%" PRIu64 "|P|2.5.1\r"
               "PID|1||P%" PRIu64 "^^^NORTH^MR\rOBR|1||%" PRIu64 "|GLU^Glucose^L\r",
               made->prefix, number, number % 1000, number);
    for (unsigned i = 0; i < made->results; i++)
        buf_printf(out, "OBX|%u|NM|GLU%u^Glucose^L||5.4|mmol/L|3.9-5.8|N|||F\r", i + 1, i % 50);
}

static bool send(struct bench_daemon *daemon, unsigned port, struct made made, uint64_t messages, size_t window,
                 struct send_flood_result *out)
{
    struct ctx *cx = daemon->bench->run->cx;
    char connect[32];
    snprintf(connect, sizeof connect, "127.0.0.1:%u", port);
    struct send_flood_options options = {.to = {.connect = connect, .timeout_us = CALL_US},
                                         .connections = 4,
                                         .window = window,
                                         .messages = messages,
                                         .make = make,
                                         .arg = &made};
    if (send_flood(cx, &options, out) != STATUS_OK || out->accepted != messages) {
        cli_say(daemon->bench->run, "bench storm: %" PRIu64 " of %" PRIu64 " accepted", out->accepted, messages);
        return false;
    }
    return true;
}

/* ---- asking ---- */

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void measure_status(struct bench_daemon *daemon)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct rpc_client *client = bench_connect(daemon, &cx);
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    double took_ms[STATUS_CALLS];
    uint64_t queued = 0;
    size_t calls = 0;
    while (client && calls < STATUS_CALLS) {
        struct arena_mark mark = arena_mark(&arena);
        Idem__Admin__V1__Status *now;
        int64_t began = clock_mono_us();
        if (rpc_client_call(client, &cx, "idem.admin.v1.Admin/GetStatus", &ask.base,
                            &idem__admin__v1__status__descriptor, 0, (void **)&now) != STATUS_OK)
            break;
        took_ms[calls++] = (double)(clock_mono_us() - began) / 1e3;
        queued = now->deliveries_queued;
        arena_rewind(&arena, mark);
    }
    rpc_client_close(client);
    arena_fini(&arena);
    if (calls < STATUS_CALLS)
        return;
    qsort(took_ms, calls, sizeof took_ms[0], by_size);
    bench_add(daemon->bench, ROW("status.ms", "ms", took_ms[calls / 2], .goal = 5, .at_most = true,
                                 .note = "median of 200, many rows queued"));
    bench_add(daemon->bench, ROW("  slowest", "ms", took_ms[calls - 1]));
    bench_add(daemon->bench, ROW("  queued", "rows", (double)queued));
}

/* ---- beside readers without end ---- */

static bool send_quietly(struct bench_daemon *daemon, uint64_t messages, struct send_flood_result *out)
{
    struct bench_look before;
    bench_look(daemon, &before);
    if (!send(daemon, daemon->mllp_ports[0], (struct made){"Q", 1}, messages, 1, out))
        return false;
    bench_add(daemon->bench, ROW("storm.quiet-p99", "ms", (double)out->p99_us / 1e3, .note = "nobody else"));
    bench_add(daemon->bench, ROW("  p50", "ms", (double)out->p50_us / 1e3));
    bench_add(daemon->bench, ROW("  slowest", "ms", (double)out->max_us / 1e3));
    bench_look_add(daemon, "", &before);
    return true;
}

static void measure_storm(struct bench_daemon *daemon)
{
    struct bench *bench = daemon->bench;
    uint64_t messages = bench->messages / 8;
    struct send_flood_result quiet, storm;
    struct bench_look before;
    if (!send_quietly(daemon, messages, &quiet))
        return;
    bench_look(daemon, &before);
    struct bench_readers *readers = bench_readers_start(daemon);
    bool sent = send(daemon, daemon->mllp_ports[0], (struct made){"S", 1}, messages, 1, &storm);
    double quiet_ms = (double)quiet.p99_us / 1e3, storm_ms = (double)storm.p99_us / 1e3;
    double goal = quiet_ms * 2 < quiet_ms + 10 ? quiet_ms * 2 : quiet_ms + 10;
    if (sent) {
        bench_add(bench, ROW("storm.answer-p99", "ms", storm_ms, .goal = goal, .at_most = true,
                             .note = "same messages beside status, messages, dead letters, verify, doctor, code sets"));
        bench_add(bench, ROW("  p50", "ms", (double)storm.p50_us / 1e3));
        bench_add(bench, ROW("  slowest", "ms", (double)storm.max_us / 1e3));
        bench_add(bench, ROW("  messages", "msg/s", (double)messages * 1e6 / (double)storm.took_us));
        bench_look_add(daemon, "", &before);
    }
    bench_readers_stop(readers);
}

/* ---- a burst ---- */

static double peak_mib(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    double kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (file)
        fclose(file);
    return kib / 1024;
}

/* The kernel counts the high-water mark from now on; without the right to say so it counts from the start. */
static void forget_peak(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)pid);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

static void measure_burst(struct bench_daemon *daemon)
{
    enum { MESSAGES = 120, RESULTS = 2000 };
    struct send_flood_result got;
    forget_peak(daemon->idemd);
    double quiet = bench_rss_mib(daemon->idemd);
    if (!send(daemon, daemon->mllp_ports[2], (struct made){"B", RESULTS}, MESSAGES, MESSAGES / 4, &got))
        return;
    bench_add(daemon->bench, ROW("burst.memory", "MiB", peak_mib(daemon->idemd) - quiet, .goal = 512, .at_most = true,
                                 .note = "beyond quiet: 120 messages of 2000 results for 5 routes at once"));
    bench_add(daemon->bench, ROW("  slowest answer", "ms", (double)got.max_us / 1e3));
}

/* What is there before anything is measured. No route yet: each message is a row and no more. */
static bool fill(struct bench_daemon *daemon)
{
    struct bench *bench = daemon->bench;
    struct send_flood_result stored;
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = 7, .people = (uint32_t)bench->crowd});
    return (bench->crowd == 0 || bench_load_people(daemon, &gen)) &&
           (bench->stored == 0 ||
            send(daemon, daemon->mllp_ports[0], (struct made){"P", 1}, bench->stored, 64, &stored));
}

void bench_storm(struct bench *bench)
{
    struct bench_daemon daemon;
    struct send_flood_result queued;
    if (!bench_daemon_open(bench, "storm", &daemon))
        return;
    thread_short("bench"); /* it stands for other machines: what it waits for is the daemon */
    if (fill(&daemon) && use_routes(&daemon) &&
        send(&daemon, daemon.mllp_ports[1], (struct made){"W", 1}, (bench->queued + AWAY - 1) / AWAY, 16, &queued)) {
        measure_status(&daemon);
        measure_storm(&daemon);
        measure_burst(&daemon);
    }
    bench_daemon_close(&daemon);
}
