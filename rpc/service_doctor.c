/* Doctor: is everything as it should be? Looks, changes nothing; every check says what it saw and, when bad, what to
 * do. */
#include "services.h"

#include "base/clock.h"
#include "base/crypto/pki.h"
#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "terminology/pack.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    CHECKS_MAX = 16,
    APPLY_WAIT_MS = 2000,
    PACK_FILES_MAX = 10 * 1000,
    EXPIRY_WARN_DAYS = 14,
};
static const uint64_t FREE_BYTES_MIN = (uint64_t)512 * 1024 * 1024;

struct doctor {
    struct rpc_call *call;
    struct ctx *cx;
    Idem__Admin__V1__DoctorReply *answer;
};

static void tell(struct doctor *doctor, const char *name, bool ok, struct str detail)
{
    if (doctor->answer->n_checks == CHECKS_MAX)
        return;
    Idem__Admin__V1__DoctorCheck *check = doctor->answer->checks[doctor->answer->n_checks++];
    check->name = message_text(doctor->cx, str_from(name));
    check->ok = ok;
    check->detail = message_text(doctor->cx, detail);
}
#define TELL(doctor, name, ok, ...) tell((doctor), (name), (ok), arena_printf((doctor)->cx->arena, __VA_ARGS__))

/* A check that could not be made is a bad one. */
static void tell_failed(struct doctor *doctor, const char *name)
{
    tell(doctor, name, false, ctx_message(doctor->cx));
    ctx_clear(doctor->cx);
}

static void check_journal(struct doctor *doctor)
{
    struct journal_report report;
    if (journal_verify(doctor->cx, doctor->call->server->data_dir, &report) != STATUS_OK)
        tell_failed(doctor, "journal chain");
    else if (report.bad_seq)
        TELL(doctor, "journal chain", false,
             "bad %s at entry %" PRIu64 " in %s: restore the data directory from a backup", report.bad_why,
             report.bad_seq, report.bad_segment);
    else
        TELL(doctor, "journal chain", true, "%" PRIu64 " entries in %" PRIu64 " segments hold together", report.entries,
             report.segments);
}

/* The writer may be at work: it gets a moment to reach what the journal held when we looked. */
static void check_applied(struct doctor *doctor)
{
    struct engine *engine = doctor->call->server->engine;
    uint64_t last = journal_last_seq(engine_journal(engine));
    uint64_t applied = data_applied_seq(engine_store(engine));
    for (int waited_ms = 0; applied < last && waited_ms < APPLY_WAIT_MS && !atomic_load(&doctor->call->gone);
         waited_ms += 20) {
        usleep(20 * 1000);
        applied = data_applied_seq(engine_store(engine));
    }
    if (applied >= last)
        TELL(doctor, "store", true, "applied up to entry %" PRIu64, applied);
    else
        TELL(doctor, "store", false, "applied %" PRIu64 " of %" PRIu64 " entries after %d ms: look at the log", applied,
             last, APPLY_WAIT_MS);
}

static void check_accounts(struct doctor *doctor)
{
    struct engine_status now;
    if (engine_status(doctor->call->server->engine, doctor->cx, &now) != STATUS_OK) {
        tell_failed(doctor, "deliveries accounted for");
        return;
    }
    TELL(doctor, "deliveries accounted for", now.unaccounted == 0,
         "owed %" PRIu64 " = done %" PRIu64 " + queued %" PRIu64 " + dead %" PRIu64 " + unaccounted %" PRId64,
         now.deliveries_owed, now.deliveries_done, now.deliveries_queued, now.deliveries_dead, now.unaccounted);
    TELL(doctor, "journal takes entries", !now.journal_full, "%s",
         now.journal_full ? "refuses: free space on its file system" : "yes");
}

static bool check_pack(struct doctor *doctor, const char *dir, const char *name)
{
    struct str path = arena_printf(doctor->cx->arena, "%s/%s", dir, name);
    struct pack *pack;
    if (pack_open(doctor->cx, path.data, NULL, &pack) != STATUS_OK) {
        tell_failed(doctor, "code packs");
        return false;
    }
    pack_close(pack);
    return true;
}

static void check_packs(struct doctor *doctor)
{
    const char *path = engine_packs_dir(doctor->call->server->engine);
    DIR *dir = opendir(path);
    size_t good = 0, looked = 0;
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL && looked < PACK_FILES_MAX) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".pack") != 0)
            continue; /* a load at work has a temporary name */
        looked++;
        good += check_pack(doctor, path, entry->d_name);
    }
    if (dir)
        closedir(dir);
    struct codes_snapshot *snapshot = codes_snapshot_ref(engine_codes(doctor->call->server->engine));
    size_t releases = codes_release_count(snapshot);
    codes_snapshot_unref(snapshot);
    if (good == looked)
        TELL(doctor, "code packs", good >= releases, "%zu packs are whole, %zu releases are registered", good,
             releases);
}

static void check_space(struct doctor *doctor)
{
    struct statvfs space;
    if (statvfs(doctor->call->server->data_dir, &space) != 0) {
        TELL(doctor, "disk space", false, "%s cannot be looked at", doctor->call->server->data_dir);
        return;
    }
    uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    TELL(doctor, "disk space", free_bytes >= FREE_BYTES_MIN, "%" PRIu64 " MiB free, at least %" PRIu64 " MiB wanted",
         free_bytes >> 20, FREE_BYTES_MIN >> 20);
}

static void check_certificate(struct doctor *doctor)
{
    const char *path = doctor->call->server->cert_file;
    int64_t until_us;
    if (path == NULL) {
        TELL(doctor, "certificate", true, "none: this daemon speaks plain gRPC on loopback only");
        return;
    }
    if (crypto_pki_expiry(doctor->cx, path, &until_us) != STATUS_OK) {
        tell_failed(doctor, "certificate");
        return;
    }
    int64_t days = (until_us - clock_now_us()) / ((int64_t)24 * 3600 * 1000000);
    TELL(doctor, "certificate", days >= EXPIRY_WARN_DAYS, "%s: %" PRId64 " days left%s", path, days,
         days >= EXPIRY_WARN_DAYS ? "" : ": put a new one in its place, it is read without a restart");
}

status admin_doctor(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    struct doctor doctor = {call, cx, reply};
    MESSAGE_LIST(cx, doctor.answer, checks, &idem__admin__v1__doctor_check__descriptor, CHECKS_MAX);
    doctor.answer->n_checks = 0;
    check_journal(&doctor);
    check_applied(&doctor);
    check_accounts(&doctor);
    if (!atomic_load(&call->gone)) /* packs are large: not for nobody */
        check_packs(&doctor);
    check_space(&doctor);
    check_certificate(&doctor);
    return STATUS_OK;
}
