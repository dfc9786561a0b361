/* A daemon and a receiver as child processes, for the end-to-end benches. */
#include "bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "rpc/client.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_WAIT_MS = 60000, LINE_BYTES = 4096 };

/* The folder this program stands in: idemd and idem-receiver are its neighbours in a build tree or an installation. */
static struct str program(struct arena *arena, const char *const *places, const char *variable)
{
    const char *given = getenv(variable);
    if (given)
        return str_from(given);
    char self[1024];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    while (len > 0 && self[len - 1] != '/')
        len--;
    struct str path = STR_NONE;
    for (size_t i = 0; places[i]; i++) {
        path = arena_printf(arena, "%.*s%s", (int)len, self, places[i]);
        if (access(path.data, X_OK) == 0)
            break;
    }
    return path;
}

static pid_t spawn(const char *const *words, int *out_read_fd, bool quiet)
{
    int ends[2] = {-1, -1};
    if (out_read_fd && pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (out_read_fd) {
            dup2(ends[1], STDOUT_FILENO);
            dup2(ends[1], STDERR_FILENO);
        } else if (quiet) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDOUT_FILENO);
        }
        execv(words[0], (char *const *)words);
        _exit(127);
    }
    if (out_read_fd) {
        close(ends[1]);
        *out_read_fd = ends[0];
    }
    return pid;
}

/* Reads the child's lines until one contains `until`; `seen` looks at each. */
static bool read_lines(int fd, const char *until, void (*seen)(void *arg, const char *line), void *arg)
{
    char line[LINE_BYTES];
    size_t len = 0;
    int64_t give_up = clock_mono_us() + START_WAIT_MS * 1000ll;
    while (clock_mono_us() < give_up) {
        struct pollfd wait = {fd, POLLIN, 0};
        if (poll(&wait, 1, 100) <= 0)
            continue;
        char byte;
        if (read(fd, &byte, 1) != 1)
            return false;
        if (byte != '\n' && len < sizeof line - 1) {
            line[len++] = byte;
            continue;
        }
        line[len] = 0;
        len = 0;
        seen(arg, line);
        if (strstr(line, until))
            return true;
    }
    return false;
}

static void see_daemon_line(void *arg, const char *line)
{
    static const char *const sources[] = {"source=north", "source=lake", "source=lab-feed"};
    struct bench_daemon *daemon = arg;
    const char *port = strstr(line, "port=");
    if (port == NULL) {
        if (strstr(line, "cannot start"))
            cli_say(daemon->bench->run, "%s", line);
        return;
    }
    unsigned number = (unsigned)strtoul(port + 5, NULL, 10);
    if (strstr(line, "grpc.listening"))
        daemon->grpc_port = number;
    for (size_t i = 0; i < 3; i++)
        if (strstr(line, sources[i]))
            daemon->mllp_ports[i] = number;
}

static void see_receiver_line(void *arg, const char *line)
{
    struct bench_daemon *daemon = arg;
    const char *at = strstr(line, "listening on ");
    if (at)
        daemon->receiver_port = (unsigned)strtoul(at + 13, NULL, 10);
}

/* After the start nobody reads the log any more; without this a full pipe would stop the daemon. */
static void *drain(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char bytes[LINE_BYTES];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
    return NULL;
}

static void drain_away(int fd)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, drain, (void *)(intptr_t)fd) == 0)
        pthread_detach(thread);
}

bool bench_daemon_start(struct bench_daemon *daemon)
{
    struct arena *arena = daemon->bench->run->cx->arena;
    static const char *const places[] = {"../idemd/idemd", "idemd", NULL};
    struct str path = program(arena, places, "IDEM_IDEMD");
    struct str config = arena_printf(arena, "%s/idemd.yaml", daemon->dir);
    const char *const words[] = {path.data, "--config", config.data, NULL};
    int64_t began = clock_mono_us();
    daemon->idemd = spawn(words, &daemon->idemd_log, true);
    if (daemon->idemd <= 0 || !read_lines(daemon->idemd_log, "idemd.ready", see_daemon_line, daemon)) {
        cli_say(daemon->bench->run, "%s does not start; set IDEM_IDEMD to the daemon's path", path.data);
        return false;
    }
    daemon->start_seconds = (double)(clock_mono_us() - began) / 1e6;
    drain_away(daemon->idemd_log);
    return true;
}

static bool start_receiver(struct bench_daemon *daemon)
{
    struct arena *arena = daemon->bench->run->cx->arena;
    static const char *const places[] = {"../tests/support/idem-receiver", "idem-receiver", NULL};
    struct str path = program(arena, places, "IDEM_RECEIVER");
    const char *const words[] = {path.data, "--listen", "127.0.0.1:0", NULL};
    daemon->receiver = spawn(words, &daemon->receiver_log, true);
    if (daemon->receiver <= 0 || !read_lines(daemon->receiver_log, "listening on", see_receiver_line, daemon)) {
        cli_say(daemon->bench->run, "%s does not start; set IDEM_RECEIVER to its path", path.data);
        return false;
    }
    drain_away(daemon->receiver_log);
    return true;
}

bool bench_daemon_open(struct bench *bench, const char *name, struct bench_daemon *out_daemon)
{
    struct ctx *cx = bench->run->cx;
    *out_daemon = (struct bench_daemon){.bench = bench, .dir = arena_printf(cx->arena, "%s/%s", bench->dir, name).data};
    struct str config = arena_printf(cx->arena, "%s/idemd.yaml", out_daemon->dir);
    static const char text[] = "data: ./data\n"
                               "grpc: { listen_plain: 127.0.0.1:0 }\n"
                               "plain_roles: [reader, sender, steward, terminologist, operator]\n"
                               "mllp:\n"
                               "  - { source: north, listen: 127.0.0.1:0 }\n"
                               "  - { source: lake, listen: 127.0.0.1:0 }\n"
                               "  - { source: lab-feed, listen: 127.0.0.1:0 }\n";
    if (file_make_dirs(cx, out_daemon->dir) != STATUS_OK ||
        file_replace(cx, config.data, str_from(text), 0600) != STATUS_OK) {
        cli_failed(bench->run, STATUS_FAILED_PRECONDITION, NULL);
        return false;
    }
    if (start_receiver(out_daemon) && bench_daemon_start(out_daemon))
        return true;
    bench_daemon_close(out_daemon);
    return false;
}

static void end_child(pid_t *pid)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGTERM);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

void bench_daemon_stop(struct bench_daemon *daemon)
{
    end_child(&daemon->idemd);
}

void bench_daemon_close(struct bench_daemon *daemon)
{
    end_child(&daemon->idemd);
    end_child(&daemon->receiver);
}

bool bench_idem_in(struct arena *arena, const struct bench_daemon *daemon, const char *const *words)
{
    enum { WORDS_MAX = 32 };
    char self[1024] = {0};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return false;
    struct str address = arena_printf(arena, "127.0.0.1:%u", daemon->grpc_port);
    const char *all[WORDS_MAX] = {self};
    size_t count = 1;
    for (size_t i = 0; words[i] && count < WORDS_MAX - 4; i++)
        all[count++] = words[i];
    all[count++] = "--plain";
    all[count++] = "--address";
    all[count++] = address.data;
    pid_t pid = spawn(all, NULL, true);
    int how = 0;
    return pid > 0 && waitpid(pid, &how, 0) == pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

bool bench_pin(pid_t pid, int core)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    bool pinned = threads != NULL;
    for (struct dirent *entry; threads && (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            pinned &= sched_setaffinity((pid_t)strtol(entry->d_name, NULL, 10), sizeof one, &one) == 0;
    if (threads)
        closedir(threads);
    return pinned;
}

double bench_rss_mib(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    double kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (file)
        fclose(file);
    return kib / 1024;
}

double bench_cpu_seconds(pid_t pid)
{
    char path[64], line[1024] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = 0;
    char *at = strrchr(line, ')'); /* the name may hold blanks */
    unsigned long user = 0, kernel = 0;
    if (at)
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

bool bench_idem(struct bench_daemon *daemon, const char *const *words)
{
    return bench_idem_in(daemon->bench->run->cx->arena, daemon, words);
}

int64_t bench_delivered(struct bench_daemon *daemon)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str address = arena_printf(&arena, "127.0.0.1:%u", daemon->grpc_port);
    struct rpc_client *client = NULL;
    struct rpc_client_options options = {.address = address.data, .plain = true};
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    Idem__Admin__V1__Status *now = NULL;
    int64_t delivered = -1;
    if (rpc_client_connect(&cx, &options, &client) == STATUS_OK &&
        rpc_client_call(client, &cx, "idem.admin.v1.Admin/GetStatus", &ask.base, &idem__admin__v1__status__descriptor,
                        0, (void **)&now) == STATUS_OK)
        delivered = (int64_t)now->deliveries_done;
    rpc_client_close(client);
    arena_fini(&arena);
    return delivered;
}
