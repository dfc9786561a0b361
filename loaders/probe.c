/*
 * Which release is this? Decided by what the files hold (header rows, fixed layout), never by where a publisher put
 * them this year; only RRF files, which have no header, are told by their names.
 */
#include "load.h"

#include "base/file.h"
#include "terminology/shape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 16 * 1024 };

static const struct {
    const char *what;
    enum release_kind kind;
} roles[ROLE_COUNT] = {
    [ROLE_OTHER] = {"unknown", RELEASE_UNKNOWN},
    [ROLE_ICD_ORDER] = {"ICD-10 order file", RELEASE_ICD},
    [ROLE_LOINC_TABLE] = {"LOINC table", RELEASE_LOINC},
    [ROLE_LOINC_MAP_TO] = {"LOINC map-to table", RELEASE_UNKNOWN},
    [ROLE_RXNCONSO] = {"RxNorm names (RXNCONSO)", RELEASE_RXNORM},
    [ROLE_RXNREL] = {"RxNorm relations (RXNREL)", RELEASE_RXNORM},
    [ROLE_RXNSAT] = {"RxNorm attributes (RXNSAT)", RELEASE_RXNORM},
    [ROLE_RXNCUI] = {"RxNorm history (RXNCUI)", RELEASE_RXNORM},
    [ROLE_RXNSAB] = {"RxNorm sources (RXNSAB)", RELEASE_RXNORM},
    [ROLE_RXN_OTHER] = {"other RxNorm file", RELEASE_UNKNOWN},
    [ROLE_RF2_CONCEPT] = {"RF2 concepts", RELEASE_SNOMED},
    [ROLE_RF2_DESCRIPTION] = {"RF2 descriptions", RELEASE_SNOMED},
    [ROLE_RF2_RELATIONSHIP] = {"RF2 relationships", RELEASE_SNOMED},
    [ROLE_RF2_CONCRETE] = {"RF2 concrete values", RELEASE_SNOMED},
    [ROLE_RF2_LANGUAGE] = {"RF2 language refset", RELEASE_SNOMED},
    [ROLE_RF2_ASSOCIATION] = {"RF2 association refset", RELEASE_SNOMED},
    [ROLE_RF2_MAP] = {"RF2 map refset", RELEASE_SNOMED},
    [ROLE_RF2_OTHER] = {"other RF2 file", RELEASE_UNKNOWN},
    [ROLE_MAP_CSV] = {"local map", RELEASE_MAP},
};

/* --- one file --- */

static bool has_column(const struct csv *csv, const char *name)
{
    return csv_column(csv, name) >= 0;
}

static enum release_role role_of_rf2(const struct csv *csv)
{
    if (has_column(csv, "definitionStatusId"))
        return ROLE_RF2_CONCEPT;
    if (has_column(csv, "conceptId") && has_column(csv, "term"))
        return ROLE_RF2_DESCRIPTION;
    if (has_column(csv, "sourceId"))
        return has_column(csv, "value") ? ROLE_RF2_CONCRETE : ROLE_RF2_RELATIONSHIP;
    if (has_column(csv, "acceptabilityId"))
        return ROLE_RF2_LANGUAGE;
    if (has_column(csv, "targetComponentId"))
        return ROLE_RF2_ASSOCIATION;
    if (has_column(csv, "mapTarget"))
        return ROLE_RF2_MAP;
    return ROLE_RF2_OTHER;
}

static enum release_role role_of_rrf(struct str name)
{
    static const struct {
        const char *name;
        enum release_role role;
    } files[] = {{"RXNCONSO.RRF", ROLE_RXNCONSO},
                 {"RXNREL.RRF", ROLE_RXNREL},
                 {"RXNSAT.RRF", ROLE_RXNSAT},
                 {"RXNCUI.RRF", ROLE_RXNCUI},
                 {"RXNSAB.RRF", ROLE_RXNSAB}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (str_eq_nocase(name, str_from(files[i].name)))
            return files[i].role;
    return ROLE_RXN_OTHER;
}

static bool looks_like_order_file(struct str line, bool *out_procedures)
{
    if (line.len < 18 || line.data[5] != ' ' || line.data[13] != ' ' || line.data[15] != ' ' ||
        (line.data[14] != '0' && line.data[14] != '1'))
        return false;
    for (size_t i = 0; i < 5; i++)
        if (line.data[i] < '0' || line.data[i] > '9')
            return false;
    struct str code = str_trim(str_sub(line, 6, 7));
    *out_procedures = code.len && code.data[0] >= '0' && code.data[0] <= '9';
    return shape_is_icd10cm(code) || shape_is_icd10pcs(code);
}

static char likely_separator(struct str line)
{
    static const char candidates[] = {',', '\t', ';', '|'};
    char best = ',';
    size_t most = 0;
    for (size_t c = 0; c < sizeof candidates; c++) {
        size_t count = 0;
        for (size_t i = 0; i < line.len; i++)
            count += line.data[i] == candidates[c];
        if (count > most) {
            most = count;
            best = candidates[c];
        }
    }
    return best;
}

static bool looks_like_map(const struct csv *csv)
{
    static const char *const telling[] = {"source_code",   "target_code", "source_system",
                                          "target_system", "local_code",  "standard_code"};
    size_t found = 0;
    for (size_t i = 0; i < csv->count; i++) {
        char plain[64];
        load_plain_name(csv->fields[i], plain);
        for (size_t t = 0; t < sizeof telling / sizeof telling[0]; t++)
            found += strcmp(plain, telling[t]) == 0;
    }
    return found >= 2;
}

static enum release_role role_of_header(struct release *release, struct str head, struct release_file *file)
{
    ptrdiff_t end = str_find(head, '\n');
    struct str line = end < 0 ? head : str_sub(head, 0, (size_t)end);
    bool is_procedures;
    if (looks_like_order_file(line, &is_procedures)) {
        release->icd_procedures = is_procedures;
        return ROLE_ICD_ORDER;
    }
    struct arena scratch;
    arena_init(&scratch, 1024 * 1024);
    struct csv csv;
    csv_init(&csv, line, likely_separator(line), true, &scratch);
    enum release_role role = ROLE_OTHER;
    if (csv_next(&csv)) {
        file->columns = csv.count;
        if (has_column(&csv, "LOINC_NUM"))
            role = ROLE_LOINC_TABLE;
        else if (has_column(&csv, "LOINC") && has_column(&csv, "MAP_TO"))
            role = ROLE_LOINC_MAP_TO;
        else if (has_column(&csv, "effectiveTime") && has_column(&csv, "moduleId"))
            role = role_of_rf2(&csv);
        else if (looks_like_map(&csv))
            role = ROLE_MAP_CSV;
    }
    arena_fini(&scratch);
    return role;
}

/* What cannot be looked at might be part of the release: loading the rest would be half of it. */
static status unreadable(struct ctx *cx, struct str path)
{
    return ctx_fail(cx, &file_reason, "open %s: %s", path.data, strerror(errno));
}

static status look_at_file(struct ctx *cx, struct release *release, struct str path)
{
    struct release_file file = {.path = path, .name = path};
    for (size_t i = path.len; i-- > 0;) {
        if (path.data[i] != '/')
            continue;
        file.name = str_from_at(path, i + 1);
        break;
    }
    release->seen++;
    if (file.name.len > 4 && str_eq_nocase(str_from_at(file.name, file.name.len - 4), STR(".RRF"))) {
        file.role = role_of_rrf(file.name);
    } else {
        int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return unreadable(cx, path);
        char head[HEAD_BYTES];
        ssize_t got = pread(fd, head, sizeof head, 0);
        status read = got < 0 ? unreadable(cx, path) : STATUS_OK;
        close(fd);
        TRY(read);
        file.role = got > 0 ? role_of_header(release, str_make(head, (size_t)got), &file) : ROLE_OTHER;
    }
    *VEC_ADD(&release->files) = file;
    return STATUS_OK;
}

/* --- a folder --- */

struct folder {
    struct str path;
    unsigned depth;
};

static int by_path(const void *left, const void *right)
{
    return str_cmp(((const struct release_file *)left)->path, ((const struct release_file *)right)->path);
}

/* What is not looked at might be part of the release. */
static status too_much(struct ctx *cx, int most, const char *what)
{
    return ctx_fail(cx, &loaders_reasons[LOADERS_UNKNOWN_RELEASE], "more than %d %s: name the release's own folder",
                    most, what);
}

struct folders {
    VEC(struct folder) waiting;
};

static status look_at_entry(struct ctx *cx, struct release *release, const struct folder *in, DIR *listing,
                            const char *name, struct folders *folders)
{
    struct str path = arena_printf(cx->arena, "%s/%s", in->path.data, name);
    struct stat info;
    if (fstatat(dirfd(listing), name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return unreadable(cx, path);
    if (S_ISREG(info.st_mode))
        return release->seen == PROBE_FILES_MAX ? too_much(cx, PROBE_FILES_MAX, "files")
                                                : look_at_file(cx, release, path);
    if (!S_ISDIR(info.st_mode))
        return STATUS_OK; /* links and devices are no part of a release */
    if (in->depth == PROBE_DEPTH_MAX)
        return too_much(cx, PROBE_DEPTH_MAX, "folders in each other");
    *VEC_ADD(&folders->waiting) = (struct folder){path, in->depth + 1};
    return STATUS_OK;
}

/* Hidden files are no part of a release. */
static status list_folder(struct ctx *cx, struct release *release, const struct folder *folder, struct folders *folders)
{
    DIR *listing = opendir(folder->path.data);
    if (listing == NULL)
        return unreadable(cx, folder->path);
    status done = STATUS_OK;
    while (done == STATUS_OK) {
        errno = 0;
        struct dirent *entry = readdir(listing);
        if (entry == NULL) {
            done = errno != 0 ? unreadable(cx, folder->path) : STATUS_OK;
            break;
        }
        if (entry->d_name[0] != '.')
            done = look_at_entry(cx, release, folder, listing, entry->d_name, folders);
    }
    closedir(listing);
    return done;
}

static status look_at_folder(struct ctx *cx, struct release *release, struct str root)
{
    struct folders folders = {0};
    *VEC_ADD(&folders.waiting) = (struct folder){root, 0};
    status done = STATUS_OK;
    while (folders.waiting.count > 0 && done == STATUS_OK) {
        struct folder folder = folders.waiting.at[--folders.waiting.count];
        done = list_folder(cx, release, &folder, &folders);
    }
    VEC_FINI(&folders.waiting);
    if (release->files.count > 1)
        qsort(release->files.at, release->files.count, sizeof *release->files.at, by_path); /* readdir has no order */
    return done;
}

static bool path_says(struct str path, const char *word)
{
    return memmem(path.data, path.len, word, strlen(word)) != NULL;
}

/* A package holds Snapshot, Full and Delta of the same rows: only the snapshot is one release. */
static void keep_snapshot(struct release *release)
{
    bool has_snapshot = false;
    for (size_t i = 0; i < release->files.count; i++)
        has_snapshot = has_snapshot || (release->files.at[i].role >= ROLE_RF2_CONCEPT &&
                                        path_says(release->files.at[i].path, "Snapshot"));
    if (!has_snapshot)
        return;
    for (size_t i = 0; i < release->files.count; i++) {
        struct release_file *file = &release->files.at[i];
        if (file->role >= ROLE_RF2_CONCEPT && file->role < ROLE_RF2_OTHER && !path_says(file->path, "Snapshot"))
            file->role = ROLE_RF2_OTHER;
    }
}

/* Of several files in one role (LoincTableCore beside Loinc, a prescribable subset beside the whole) the fullest
 * counts. */
static void keep_one(struct release *release, enum release_role role)
{
    struct release_file *best = NULL;
    for (size_t i = 0; i < release->files.count; i++) {
        struct release_file *file = &release->files.at[i];
        if (file->role != role)
            continue;
        bool better = best == NULL || file->columns > best->columns ||
                      (file->columns == best->columns && file->path.len < best->path.len);
        if (!better) {
            file->role = ROLE_OTHER;
            continue;
        }
        if (best)
            best->role = ROLE_OTHER;
        best = file;
    }
}

static void describe(struct ctx *cx, const struct release *release, struct str *out_probe)
{
    SCOPED(buf_fini) struct buf text = {0};
    buf_printf(&text, "%zu files seen:", release->seen);
    for (enum release_role role = 0; role < ROLE_COUNT; role++) {
        size_t count = 0;
        for (size_t i = 0; i < release->files.count; i++)
            count += release->files.at[i].role == role;
        if (count > 0)
            buf_printf(&text, " %zu %s;", count, roles[role].what);
    }
    if (release->kind == RELEASE_UNKNOWN)
        buf_put_str(&text,
                    STR(" expected the files of one release: an ICD-10 order file, a LOINC table (LOINC_NUM), RxNorm "
                        "RRF files, an RF2 snapshot, or a map CSV (source_system, source_code, target_system, "
                        "target_code)"));
    *out_probe = arena_str(cx->arena, buf_str(&text));
}

static void settle_kind(struct release *release)
{
    for (size_t i = 0; i < release->files.count; i++) {
        enum release_kind kind = roles[release->files.at[i].role].kind;
        if (kind == RELEASE_UNKNOWN || kind == release->kind)
            continue;
        if (release->kind != RELEASE_UNKNOWN) { /* two releases in one folder: say so, do not choose */
            release->kind = RELEASE_UNKNOWN;
            return;
        }
        release->kind = kind;
    }
}

status probe_release(struct ctx *cx, const char *path, struct release *out_release, struct str *out_probe)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return ctx_fail(cx, &file_reason, "open %s: %s", path, strerror(errno));
    struct str root = arena_str(cx->arena, str_from(path));
    if (S_ISDIR(info.st_mode))
        TRY(look_at_folder(cx, out_release, root));
    else
        TRY(look_at_file(cx, out_release, root));
    keep_snapshot(out_release);
    for (enum release_role role = ROLE_LOINC_TABLE; role <= ROLE_RXNSAB; role++)
        keep_one(out_release, role);
    settle_kind(out_release);
    describe(cx, out_release, out_probe);
    return STATUS_OK;
}

void release_fini(struct release *release)
{
    VEC_FINI(&release->files);
}

const struct release_file *release_file(const struct release *release, enum release_role role)
{
    for (size_t i = 0; i < release->files.count; i++)
        if (release->files.at[i].role == role)
            return &release->files.at[i];
    return NULL;
}
