#include "terminology/bench.h"

#include "codes_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>

enum { DEFAULT_CONCEPTS = 400 * 1000, MAP_ROWS = 2000, PROBES = 64 * 1024, CODE_BYTES = 24, ELEMENTS = 20 };

struct world {
    struct codes *codes;
    struct data_store *store;
    struct codes_snapshot *snapshot;
    const struct pack *snomed;
    uint32_t concepts;
    char (*probes)[CODE_BYTES]; /* codes in random order */
    double seconds;             /* for each figure */
};

static struct str code_of(uint64_t number, char out[CODE_BYTES])
{
    int len = snprintf(out, CODE_BYTES, "%llu", 100000000ull + number * 1009ull);
    return str_make(out, (size_t)len);
}

/* A tree with a second parent for every tenth concept, as in SNOMED CT in size and shape, not in meaning. */
static struct pack_builder *make_concepts(uint32_t concepts)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_DIGITS);
    uint64_t random = 7;
    for (uint32_t i = 0; i < concepts; i++) {
        char code[CODE_BYTES], display[48];
        uint32_t concept = pack_builder_concept(builder, code_of(i, code), NULL);
        int len = snprintf(display, sizeof display, "Made-up finding number %u", i);
        pack_builder_display(builder, concept, str_make(display, (size_t)len));
        if (i > 0)
            pack_builder_parent(builder, concept, i < 20 ? 0 : (uint32_t)(hash_random(&random) % (i / 4 + 1)));
        if (i > 20 && i % 10 == 0)
            pack_builder_parent(builder, concept, (uint32_t)(hash_random(&random) % (i / 4 + 1)));
    }
    return builder;
}

static struct pack_builder *make_map(void)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_TEXT);
    for (uint32_t i = 0; i < MAP_ROWS; i++) {
        char source[CODE_BYTES], target[CODE_BYTES];
        int len = snprintf(source, sizeof source, "LAB%u", i);
        struct pack_map_row row = {
            .source_system = STR("99LAB"),
            .source_code = str_make(source, (size_t)len),
            .target_system = STR("http://snomed.info/sct"),
            .target_code = code_of(i * 7, target),
            .equivalence = STR("equivalent"),
            .line = i + 2,
        };
        pack_builder_map(builder, &row);
    }
    return builder;
}

static void publish(void *codes)
{
    codes_publish(codes);
}

static status install(struct world *world, struct ctx *cx, const char *dir, struct pack_builder *builder, uint64_t seq,
                      const struct pack_name *name)
{
    uint32_t circle;
    struct pack_written written;
    bool ordered = pack_builder_order(builder, &circle);
    status done = ordered ? pack_builder_write(builder, cx, dir, name, &written) : STATUS_INTERNAL;
    pack_builder_free(builder);
    TRY(done);
    struct codes_registration registration = {name->system, name->version, name->kind, written.file, {0}, 0};
    memcpy(registration.sha256, written.sha256, sizeof written.sha256);
    SCOPED(buf_fini) struct buf body = {0}, activation = {0};
    codes_registration_encode(&body, &registration);
    codes_activation_encode(&activation, seq);
    struct data_txn *txn = data_txn_begin(world->store);
    done = codes_apply_register(world->codes, txn, cx, seq, buf_str(&body));
    if (done == STATUS_OK)
        done = codes_apply_activate(world->codes, txn, cx, seq + 1, buf_str(&activation));
    if (done != STATUS_OK) {
        data_txn_abort(txn);
        return done;
    }
    data_txn_commit(txn, seq + 1, publish, world->codes);
    return STATUS_OK;
}

static status world_init(struct world *world, struct ctx *cx, const char *dir)
{
    struct data_options options = {.dir = dir, .format = 1, .tables = codes_tables, .table_count = codes_table_count};
    struct str packs = arena_printf(cx->arena, "%s/packs", dir);
    TRY(data_open(cx, &options, &world->store));
    TRY(codes_open(cx, packs.data, world->store, &world->codes));
    TRY(install(world, cx, packs.data, make_concepts(world->concepts), 1,
                &(struct pack_name){STR("http://snomed.info/sct"), STR("bench"), STR("snomed")}));
    TRY(install(world, cx, packs.data, make_map(), 3, &(struct pack_name){STR("map:bench"), STR("1"), STR("map")}));
    world->snapshot = codes_snapshot_ref(world->codes);
    world->snomed = codes_active_pack(world->snapshot, 0);
    world->probes = mem_array(PROBES, CODE_BYTES);
    uint64_t random = 11;
    for (size_t i = 0; i < PROBES; i++)
        code_of(hash_random(&random) % world->concepts, world->probes[i]);
    return STATUS_OK;
}

static void world_fini(struct world *world)
{
    codes_snapshot_unref(world->snapshot);
    codes_close(world->codes);
    data_close(world->store);
    mem_free(world->probes);
}

static volatile uint64_t sink; /* keeps the compiler from dropping the work */

typedef uint64_t one_round_fn(struct world *world, struct ctx *cx);

/* Nanoseconds per operation: rounds of `per_round` operations until the time is over; the best of ten slices, which is
 * what the code costs when nobody else uses the machine. */
static double measure(struct world *world, struct ctx *cx, one_round_fn *round, size_t per_round)
{
    double best = 0;
    for (int slice = 0; slice < 10; slice++) {
        int64_t start = clock_mono_us(), until = start + (int64_t)(world->seconds * 100000), now;
        uint64_t operations = 0;
        do {
            struct arena_mark mark = arena_mark(cx->arena);
            sink += round(world, cx);
            arena_rewind(cx->arena, mark);
            operations += per_round;
            now = clock_mono_us();
        } while (now < until);
        double ns = (double)(now - start) * 1000 / (double)operations;
        best = slice == 0 || ns < best ? ns : best;
    }
    return best;
}

static uint64_t round_find(struct world *world, struct ctx *cx)
{
    (void)cx;
    uint64_t sum = 0;
    for (size_t i = 0; i < PROBES; i++) {
        uint32_t index = 0;
        pack_find(world->snomed, str_from(world->probes[i]), &index);
        sum += index;
    }
    return sum;
}

static uint64_t round_lookup(struct world *world, struct ctx *cx)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < PROBES; i++) {
        struct codes_concept concept;
        if (codes_lookup(world->snapshot, cx, STR("SCT"), str_from(world->probes[i]), 0, &concept) == STATUS_OK)
        sum += concept.display.len;
    }
    return sum;
}

static uint64_t round_missing(struct world *world, struct ctx *cx)
{
    (void)cx;
    uint64_t sum = 0;
    for (size_t i = 0; i < PROBES; i++) {
        uint32_t index = 0;
        struct str code = str_from(world->probes[i]);
        sum += pack_find(world->snomed, str_sub(code, 0, code.len - 1), &index);
    }
    return sum;
}

static uint64_t round_is_a(struct world *world, struct ctx *cx)
{
    (void)cx;
    uint64_t sum = 0, random = 3;
    for (size_t i = 0; i < PROBES; i++) {
        uint64_t pair = hash_random(&random);
        sum += pack_is_a(world->snomed, (uint32_t)pair % world->concepts, (uint32_t)(pair >> 32) % world->concepts);
    }
    return sum;
}

static uint64_t round_subsumes(struct world *world, struct ctx *cx)
{
    uint64_t sum = 0;
    for (size_t i = 0; i + 1 < PROBES; i++) {
        bool is = false;
        IGNORE(codes_subsumes(world->snapshot, cx, STR("SCT"), str_from(world->probes[i]),
                              str_from(world->probes[i + 1]), &is)); /* codes of the probes exist: it cannot fail */
        sum += is;
    }
    return sum;
}

static uint64_t round_reconcile(struct world *world, struct ctx *cx)
{
    (void)cx;
    static const struct str targets[] = {STR_INIT("SCT"), STR_INIT("LN")};
    uint64_t sum = 0;
    for (size_t i = 0; i < ELEMENTS; i++) {
        char local[CODE_BYTES];
        int len = snprintf(local, sizeof local, "LAB%zu", i >= 18 ? MAP_ROWS + i : i * 97 % MAP_ROWS);
        bool standard = i >= 12 && i < 18;
        struct codes_reconciled done =
            codes_reconcile(world->snapshot, standard ? STR("SCT") : STR("99LAB"),
                            standard ? str_from(world->probes[i]) : str_make(local, (size_t)len), STR_NONE, targets, 2);
        sum += done.outcome;
    }
    return sum;
}

status codes_bench(struct ctx *cx, const char *dir, uint32_t concepts, double seconds,
                   struct codes_bench_result *out_result)
{
    struct world world = {.concepts = concepts ? concepts : DEFAULT_CONCEPTS, .seconds = seconds / 6};
    status made = world_init(&world, cx, dir);
    if (made == STATUS_OK)
        *out_result = (struct codes_bench_result){
            .concepts = world.concepts,
            .pack_find_ns = measure(&world, cx, round_find, PROBES),
            .lookup_ns = measure(&world, cx, round_lookup, PROBES),
            .missing_ns = measure(&world, cx, round_missing, PROBES),
            .subsumes_ns = measure(&world, cx, round_is_a, PROBES),
            .codes_subsumes_ns = measure(&world, cx, round_subsumes, PROBES),
            .reconcile_20_us = measure(&world, cx, round_reconcile, 1) / 1000,
        };
    world_fini(&world);
    return made;
}
