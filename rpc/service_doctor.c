/* Doctor: is everything as it should be? Looks, changes nothing; every check says what it saw and, when bad, what to
 * do. */
#include "services.h"

#include "base/clock.h"
#include "base/crypto/pki.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "proposer.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    APPLY_WAIT_MS = 2000,
    EXPIRY_WARN_DAYS = 14,
};
static const uint64_t FREE_BYTES_MIN = (uint64_t)512 * 1024 * 1024;

struct doctor {
    struct rpc_call *call;
    struct ctx *cx;
    VEC(Idem__Admin__V1__DoctorCheck *) checks;
};

static void tell(struct doctor *doctor, const char *name, bool ok, struct str detail)
{
    Idem__Admin__V1__DoctorCheck *check = message_new(doctor->cx, &idem__admin__v1__doctor_check__descriptor);
    *VEC_ADD(&doctor->checks) = check;
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
    struct str damage;
    if (data_damage(engine_store(engine), doctor->cx, &damage))
        TELL(doctor, "store", false, "damage was met in %.*s; next: start the daemon again, it makes the store anew",
             STR_ARGS(damage));
    else if (applied >= last)
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

struct recounting {
    struct doctor *doctor;
    size_t bad;
};

static void tell_miscount(void *arg, const struct data_miscount *miscount)
{
    struct recounting *recounting = arg;
    recounting->bad++;
    TELL(recounting->doctor, "kept counts", false,
         "table %s%s%.*s: %" PRIu64 " rows are kept as its count, %" PRIu64
         " are there: stop idemd and have the store made again (operations, Damage)",
         miscount->table, miscount->of_group ? ", group " : "", STR_ARGS(miscount->group), miscount->kept,
         miscount->there);
}

static void check_counts(struct doctor *doctor)
{
    struct recounting recounting = {.doctor = doctor};
    uint64_t rows = 0;
    if (data_recount(engine_store(doctor->call->server->engine), doctor->cx, tell_miscount, &recounting, &rows) !=
        STATUS_OK)
        tell_failed(doctor, "kept counts");
    else if (recounting.bad == 0)
        TELL(doctor, "kept counts", true, "%" PRIu64 " rows of the store are as many as were counted", rows);
}

/* Files that are packs by their name; a load at work has a temporary one. */
static bool count_pack_files(const char *path, size_t *out_count)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    struct dirent *entry;
    size_t count = 0;
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        count += len > 5 && strcmp(entry->d_name + len - 5, ".pack") == 0;
    }
    closedir(dir);
    *out_count = count;
    return true;
}

/* Every registered pack is read again from disk: what is mapped may have been whole when it was opened. One bad check
 * for each that is not whole. */
static void check_packs(struct doctor *doctor)
{
    struct engine *engine = doctor->call->server->engine;
    struct codes_snapshot *snapshot = codes_snapshot_ref(engine_codes(engine));
    size_t releases = codes_release_count(snapshot), whole = 0, files = 0;
    for (size_t i = 0; i < releases && !atomic_load(&doctor->call->gone); i++) {
        if (codes_verify_pack(snapshot, doctor->cx, i) == STATUS_OK)
            whole++;
        else
            tell_failed(doctor, "code packs");
    }
    codes_snapshot_unref(snapshot);
    if (!count_pack_files(engine_packs_dir(engine), &files))
        TELL(doctor, "code packs", false, "%s cannot be looked at", engine_packs_dir(engine));
    else if (whole == releases)
        TELL(doctor, "code packs", true, "%zu registered packs are whole; %zu files are not registered", whole,
             files > releases ? files - releases : 0);
}

/* A model that has grown old is no damage: it links as it did. */
static void check_model(struct doctor *doctor)
{
    struct mpi_drift drift;
    if (proposer_drift(doctor->call->server->proposer, doctor->cx, &drift) != STATUS_OK) {
        tell_failed(doctor, "model");
        return;
    }
    struct str text = mpi_drift_text(doctor->cx, &drift);
    TELL(doctor, "model", true, "version %" PRIu32 ": %.*s%s", drift.version, STR_ARGS(text),
         drift.cause == MPI_DRIFT_NONE ? "" : "; next: idem model propose");
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
    struct doctor doctor = {.call = call, .cx = cx};
    static void (*const checks[])(struct doctor * doctor) = {check_journal, check_applied,    check_accounts,
                                                             check_counts,  check_packs,      check_model,
                                                             check_space,   check_certificate};
    status going = STATUS_OK;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && going == STATUS_OK; i++) {
        checks[i](&doctor);
        going = ctx_check(cx); /* whoever asked may have gone */
    }
    Idem__Admin__V1__DoctorReply *answer = reply;
    answer->n_checks = doctor.checks.count;
    answer->checks = arena_array(cx->arena, doctor.checks.count, sizeof *answer->checks);
    memcpy(answer->checks, doctor.checks.at, doctor.checks.count * sizeof *answer->checks);
    VEC_FINI(&doctor.checks);
    return going;
}
