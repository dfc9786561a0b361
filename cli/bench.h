/*
 * `idem bench`: figures with the machine's own ceiling beside them, measured in the same run.
 *
 * A bench adds rows; a row may have a goal. Nothing here asserts a time: a noisy machine makes a figure small, not a
 * test red.
 */
#pragma once

#include "cli/run.h"
#include "data/store.h"

#include <sys/types.h>

struct bench_row {
    const char *name, *unit;
    double value;
    double goal;      /* 0 = none */
    bool at_most;     /* the goal is an upper bound */
    const char *note; /* what stands beside it, or NULL */
};

/* ROW("journal.appends", "entries/s", 41000.0, .goal = …, .note = …) */
#define ROW(row_name, row_unit, ...) ((struct bench_row){.name = (row_name), .unit = (row_unit), .value = __VA_ARGS__})

struct bench {
    struct cli_run *run;
    struct bench_row rows[256];
    size_t row_count;
    uint64_t messages, people;      /* --messages, --people */
    uint64_t stored, queued, crowd; /* --stored, --queued, --crowd */
    double seconds;                 /* --seconds, for each small bench */
    const char *dir;                /* scratch folder */
};

void bench_add(struct bench *bench, struct bench_row row);
/* False when it failed; why is said on stderr. */
bool bench_told(struct bench *bench, const char *what, status got);

/* One daemon of its own with a receiving system behind it, plain on loopback, in the scratch folder. */
struct bench_daemon {
    struct bench *bench;
    const char *dir;
    pid_t idemd, receiver;
    int idemd_log, receiver_log; /* read ends */
    unsigned grpc_port, receiver_port;
    unsigned mllp_ports[3]; /* north, lake, lab-feed */
    double start_seconds;   /* from exec until it says ready */
};
/* `name`: of the folder inside bench->dir. */
bool bench_daemon_open(struct bench *bench, const char *name, struct bench_daemon *out_daemon);
/* SIGTERM and wait; the data stays. bench_daemon_start() again measures a start with data. */
void bench_daemon_stop(struct bench_daemon *daemon);
bool bench_daemon_start(struct bench_daemon *daemon);
void bench_daemon_close(struct bench_daemon *daemon);
/* Runs this very program against the daemon: idem WORDS…; true when it answers 0. */
bool bench_idem(struct bench_daemon *daemon, const char *const *words);
/* The same for threads beside the bench's own. */
bool bench_idem_in(struct arena *arena, const struct bench_daemon *daemon, const char *const *words);
/* NULL when it cannot be reached. */
struct rpc_client *bench_connect(struct bench_daemon *daemon, struct ctx *cx);
/* All threads of a process onto one core; false when that cannot be. */
bool bench_pin(pid_t pid, int core);
double bench_rss_mib(pid_t pid);
double bench_cpu_seconds(pid_t pid);
/* Deliveries done so far, from the daemon's status; -1 when it cannot be asked. */
int64_t bench_delivered(struct bench_daemon *daemon);

/* `idem people load` of everybody of the generator; adds the rows people.load. */
struct gen;
bool bench_load_people(struct bench_daemon *daemon, struct gen *gen);

/* bench_readers.c: asking without end, until stopped; false when any of it failed. Adds how many calls they made. */
struct bench_readers;
struct bench_readers *bench_readers_start(struct bench_daemon *daemon);
bool bench_readers_stop(struct bench_readers *readers);

/* bench_look.c: where the daemon waits. */
enum { BENCH_THREADS = 3 };
struct bench_look {
    uint64_t held[DATA_STATS_BUCKETS], waited[DATA_STATS_BUCKETS];     /* as in data_stats() */
    uint64_t waits_us[DATA_WAIT_COUNT], waits_max_us[DATA_WAIT_COUNT]; /* the longest since the start */
    uint64_t commits;
    uint64_t syncs, sync_us; /* of the journal */
    struct {
        double waited_us, times;
    } threads[BENCH_THREADS]; /* runnable without a processor */
};
void bench_look(struct bench_daemon *daemon, struct bench_look *out_look);
/* Adds rows of what came since `before`; `prefix`: of their names. */
void bench_look_add(struct bench_daemon *daemon, const char *prefix, const struct bench_look *before);

/* The benches, in the order of `all`. */
void bench_machine(struct bench *bench);
void bench_hl7(struct bench *bench);
void bench_journal(struct bench *bench);
void bench_store(struct bench *bench);
void bench_codes(struct bench *bench);
void bench_identity(struct bench *bench); /* bench->people of the generator, in this process */
void bench_lookup(struct bench *bench);
void bench_passthrough(struct bench *bench);
void bench_full(struct bench *bench);  /* full path, then start and memory with the same people */
void bench_storm(struct bench *bench); /* many rows queued, readers without end, a burst of large messages */
