/* A store, a pack folder and small made-up releases for the tests of the code service. */
#pragma once

#include "support.h"

#include "base/mem.h"
#include "terminology/codes.h"
#include "terminology/pack.h"

#include <stdio.h>

struct codes_world {
    struct support s;
    const char *dir;
    struct str packs;
    struct data_store *store;
    struct codes *codes;
    uint64_t seq;
};

static inline void world_open_store(struct codes_world *w)
{
    struct data_options options = {
        .dir = w->dir, .format = 1, .tables = codes_tables, .table_count = codes_table_count};
    assert_ok(&w->s, data_open(&w->s.cx, &options, &w->store));
}

static inline void world_open(struct codes_world *w)
{
    world_open_store(w);
    assert_ok(&w->s, codes_open(&w->s.cx, w->packs.data, w->store, &w->codes));
}

static inline void world_close(struct codes_world *w)
{
    codes_close(w->codes);
    data_close(w->store);
}

static inline int world_setup(void **state)
{
    struct codes_world *w = calloc(1, sizeof *w);
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    w->packs = arena_printf(&w->s.arena, "%s/packs", w->dir);
    world_open(w);
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct codes_world *w = *state;
    world_close(w);
    support_remove_dir(w->dir);
    support_fini(&w->s);
    free(w);
    return 0;
}

static inline void world_publish(void *codes)
{
    codes_publish(codes);
}

/* Applies one entry in its own transaction; a refused one leaves nothing. */
static inline status world_apply(struct codes_world *w,
                                 status (*apply)(struct codes *, struct data_txn *, struct ctx *, uint64_t, struct str),
                                 struct str body)
{
    struct data_txn *txn = data_txn_begin(w->store);
    w->s.cx.now_us += 1000000;
    status done = apply(w->codes, txn, &w->s.cx, ++w->seq, body);
    if (done == STATUS_OK)
        data_txn_commit(txn, w->seq, world_publish, w->codes);
    else
        data_txn_abort(txn);
    return done;
}

/* Writes the builder's pack and answers the body of its registration. */
static inline struct buf world_pack(struct codes_world *w, struct pack_builder *builder, const char *system,
                                    const char *version, const char *kind)
{
    struct pack_name name = {str_from(system), str_from(version), str_from(kind)};
    struct pack_written written;
    uint32_t circle;
    assert_true(pack_builder_order(builder, &circle));
    uint64_t count = pack_builder_concept_count(builder);
    assert_ok(&w->s, pack_builder_write(builder, &w->s.cx, w->packs.data, &name, &written));
    pack_builder_free(builder);
    struct codes_registration registration = {name.system, name.version, name.kind, written.file, {0}, count};
    memcpy(registration.sha256, written.sha256, sizeof written.sha256);
    struct buf body = {0};
    codes_registration_encode(&body, &registration);
    return body;
}

/* How many packs of this world are in memory. */
static inline size_t world_mapped(struct codes_world *w)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    char line[8192];
    size_t count = 0;
    while (fgets(line, sizeof line, maps))
        count += strstr(line, w->packs.data) != NULL;
    fclose(maps);
    return count;
}

/* Path of the pack that the body of a registration names. */
static inline const char *world_pack_path(struct codes_world *w, struct str body)
{
    struct cut cut = {.rest = body};
    for (int i = 0; i < 3; i++)
        cut_lstr(&cut);
    struct str file = cut_lstr(&cut);
    assert_false(cut.bad);
    return arena_printf(&w->s.arena, "%s/%.*s", w->packs.data, STR_ARGS(file)).data;
}

/* Registers; answers the release id. */
static inline uint64_t world_register(struct codes_world *w, struct pack_builder *builder, const char *system,
                                      const char *version, const char *kind)
{
    SCOPED(buf_fini) struct buf body = world_pack(w, builder, system, version, kind);
    assert_ok(&w->s, world_apply(w, codes_apply_register, buf_str(&body)));
    return w->seq;
}

static inline void world_activate(struct codes_world *w, uint64_t id)
{
    SCOPED(buf_fini) struct buf body = {0};
    codes_activation_encode(&body, id);
    assert_ok(&w->s, world_apply(w, codes_apply_activate, buf_str(&body)));
}

static inline status world_roll_back(struct codes_world *w, const char *system)
{
    SCOPED(buf_fini) struct buf body = {0};
    codes_rollback_encode(&body, str_from(system));
    return world_apply(w, codes_apply_activate, buf_str(&body));
}

static inline uint32_t world_concept(struct pack_builder *builder, const char *code, const char *display,
                                     uint32_t flags)
{
    uint32_t concept = pack_builder_concept(builder, str_from(code), NULL);
    assert_int_not_equal(concept, PACK_NONE);
    pack_builder_display(builder, concept, str_from(display));
    pack_builder_flags(builder, concept, flags);
    return concept;
}

/* Four LOINC numbers: in use, in use, replaced by the first, retired without saying by what. */
static inline struct pack_builder *small_loinc(const char *first_display)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_LOINC);
    uint32_t first = world_concept(builder, "2345-7", first_display, 0);
    pack_builder_designation(builder, first, STR("en"), STR("short"), STR("Glucose SerPl-mCnc"));
    world_concept(builder, "2951-2", "Sodium", 0);
    uint32_t old = world_concept(builder, "2340-8", "Glucose by test strip, old", PACK_INACTIVE);
    pack_builder_property(builder, old, STR("replaced-by"), STR("2345-7"));
    world_concept(builder, "1-8", "Retired", PACK_INACTIVE);
    return builder;
}

static inline struct pack_builder *small_icd(void)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_ICD);
    uint32_t head = world_concept(builder, "E11", "Type 2 diabetes mellitus", PACK_HEADER);
    uint32_t leaf = world_concept(builder, "E11.9", "Type 2 diabetes mellitus without complications", 0);
    pack_builder_parent(builder, leaf, head);
    return builder;
}

struct small_row {
    const char *system, *code, *target_system, *target, *equivalence;
};

static inline struct pack_builder *small_map(const struct small_row *rows, size_t count)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_TEXT);
    for (size_t i = 0; i < count; i++)
        pack_builder_map(builder, &(struct pack_map_row){
                                      .source_system = str_from(rows[i].system),
                                      .source_code = str_from(rows[i].code),
                                      .target_system = str_from(rows[i].target_system),
                                      .target_code = str_from(rows[i].target),
                                      .target_display = STR("from the map"),
                                      .equivalence = str_from(rows[i].equivalence),
                                      .line = i + 2,
                                  });
    return builder;
}
