/*
 * Release files from strangers. The first byte chooses the loader and, for RF2, which file the rest stands for; the
 * rest is the file, behind the header it would have. A load that is accepted must give a pack that opens.
 */
#include "loaders/codes.h"
#include "loaders/people.h"

#include "base/file.h"
#include "base/mem.h"
#include "terminology/pack.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct form {
    const char *file, *header;
} forms[] = {
    {"order-2026.txt", "00001 A00     0 Cholera                                                      Cholera\r\n"},
    {"order-2026.txt", ""},
    {"Loinc.csv", "LOINC_NUM,COMPONENT,STATUS,LONG_COMMON_NAME,VersionLastChanged\n"},
    {"Loinc.csv", "\"LOINC_NUM\","},
    {"RXNCONSO.RRF", ""},
    {"RXNREL.RRF", ""},
    {"RXNSAT.RRF", ""},
    {"RXNCUI.RRF", ""},
    {"sct2_Concept_Snapshot_INT_20260101.txt", "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"},
    {"sct2_Description_Snapshot_INT_20260101.txt",
     "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\r\n"},
    {"sct2_Relationship_Snapshot_INT_20260101.txt",
     "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId\t"
     "modifierId\r\n"},
    {"der2_Map_Snapshot.txt", "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tmapTarget\tmapGrou"
                              "p\tmapPriority\tmapRule\r\n"},
    {"der2_Association_Snapshot.txt",
     "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\ttargetComponentId\r\n"},
    {"map.csv", "source_system,source_code,target_system,target_code,equivalence\n"},
    {"map.csv", "source_system,source_code,"},
    {"people.csv", "source,id,family,given,birth_date\n"},
    {"people.csv", ""},
    {"anything.csv", ""},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

/* What an RF2 or RxNorm file needs beside it. */
static const char concepts[] = "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"
                               "138875005\t20260101\t1\t900000000000207008\t900000000000074008\r\n"
                               "404684003\t20260101\t1\t900000000000207008\t900000000000074008\r\n"
                               "73211009\t20260101\t1\t900000000000207008\t900000000000074008\r\n";
static const char conso[] = "161|ENG||||||A2||||RXNORM|IN|161|examplol||N||\n";

static char dir[64];

static void remove_dir(void)
{
    char command[128];
    static const char *const below[] = {"packs", "release", ""};
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "%s/%s", dir, below[i]);
        DIR *listing = opendir(command);
        for (struct dirent *entry; listing && (entry = readdir(listing)) != NULL;)
            unlinkat(dirfd(listing), entry->d_name, 0);
        if (listing)
            closedir(listing);
        rmdir(command);
    }
}

static void put(const char *name, struct str header, struct str text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/release/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        abort();
    fwrite(header.data, 1, header.len, file);
    if (text.len > 0)
        fwrite(text.data, 1, text.len, file);
    fclose(file);
}

static void forget(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/release/%s", dir, name);
    unlink(path);
}

static void load(struct ctx *cx)
{
    struct str release = arena_printf(cx->arena, "%s/release", dir), packs = arena_printf(cx->arena, "%s/packs", dir);
    struct loader_options options = {
        .path = release.data, .pack_dir = packs.data, .version = STR("1"), .findings_max = 5};
    struct loader_result result;
    if (loaders_load_codes(cx, &options, &result) != STATUS_OK)
        return;
    struct str path = arena_printf(cx->arena, "%s/%s", packs.data, result.registration.pack_file.data);
    struct pack *pack;
    if (pack_open(cx, path.data, result.registration.sha256, &pack) != STATUS_OK)
        abort();
    for (uint32_t i = 0; i < pack_concept_count(pack); i++) { /* what was accepted is found again */
        uint32_t found;
        struct pack_concept concept = pack_concept_at(pack, i);
        bool there = concept.system.len ? pack_map_find(pack, concept.system, concept.code).count > 0
                                        : pack_find(pack, concept.code, &found) && found == i;
        if (!there)
            abort();
    }
    pack_close(pack);
    unlink(path.data);
}

static void read_people(struct ctx *cx)
{
    struct str path = arena_printf(cx->arena, "%s/release/people.csv", dir);
    struct loader_people_options options = {.path = path.data, .source = STR("fuzz")};
    struct loader_people *people;
    if (loader_people_open(cx, &options, &people) != STATUS_OK)
        return;
    struct loader_person person;
    while (loader_people_next(people, &person))
        if (person.id.len == 0 || !str_is_utf8(person.family))
            abort();
    struct loader_people_report report = loader_people_report(people);
    if (report.skipped > report.rows + 1)
        abort();
    loader_people_close(people);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 64 * 1024)
        return 0;
    if (dir[0] == 0) {
        snprintf(dir, sizeof dir, "%s/idem-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        char below[128];
        if (mkdtemp(dir) == NULL)
            abort();
        snprintf(below, sizeof below, "%s/packs", dir);
        struct arena scratch = {0};
        arena_init(&scratch, 0);
        struct ctx making = {.arena = &scratch};
        IGNORE(file_make_dirs(&making, below)); /* what is missing shows at once below */
        snprintf(below, sizeof below, "%s/release", dir);
        IGNORE(file_make_dirs(&making, below));
        arena_fini(&scratch);
        atexit(remove_dir);
    }
    const struct form *form = &forms[data[0] % FORMS];
    bool rf2 = form >= &forms[9] && form <= &forms[12], rrf = form >= &forms[5] && form <= &forms[7];
    if (rf2)
        put(forms[8].file, str_from(concepts), STR_NONE);
    if (rrf)
        put(forms[4].file, str_from(conso), STR_NONE);
    put(form->file, str_from(form->header), str_make(data + 1, size - 1));

    struct arena arena = {0};
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena, .now_us = 1763726400000000};
    load(&cx);
    if (str_is(str_from(form->file), "people.csv"))
        read_people(&cx);
    arena_fini(&arena);
    forget(form->file);
    forget(forms[8].file);
    forget(forms[4].file);
    return 0;
}
