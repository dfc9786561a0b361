#include "mpi/bench.h"

#include "ask_internal.h"
#include "base/clock.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- people ---- */

/* Names from syllables, drawn with a skew, so that some are common and most are rare, as with real ones. */
static void make_name(uint64_t *seed, char *out, size_t parts)
{
    static const char *const syllables[] = {"ka",  "mar", "ti", "son", "bel", "o",   "ri",  "an",
                                            "der", "wil", "ne", "sa",  "lo",  "pez", "gar", "cia",
                                            "smi", "th",  "jo", "hn",  "ber", "to",  "mül", "ler"};
    size_t len = 0;
    for (size_t i = 0; i < parts; i++) {
        uint64_t a = hash_random(seed) % 24, b = hash_random(seed) % 24;
        const char *part = syllables[a < b ? a : b];
        memcpy(out + len, part, strlen(part));
        len += strlen(part);
    }
    out[len] = 0;
}

struct synthetic {
    char id[24], family[32], given[32], line[64], city[32], postcode[8], phone[16], ssn[12];
    struct mpi_identifier identifiers[2];
    struct mpi_name name;
    struct mpi_address address;
    struct str phone_str;
    struct mpi_demographics said;
};

static void make_person(uint64_t seed, uint64_t number, bool slip, struct synthetic *out)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15ull + number;
    make_name(&state, out->family, 2 + hash_random(&state) % 3);
    make_name(&state, out->given, 1 + hash_random(&state) % 3);
    make_name(&state, out->city, 3);
    snprintf(out->id, sizeof out->id, "%llu%s", (unsigned long long)number, slip ? "x" : "");
    snprintf(out->line, sizeof out->line, "%u %s Street", (unsigned)(hash_random(&state) % 400 + 1), out->city);
    snprintf(out->postcode, sizeof out->postcode, "%05u", (unsigned)(hash_random(&state) % 20000 + 10000));
    snprintf(out->phone, sizeof out->phone, "2%09u", (unsigned)(hash_random(&state) % 1000000000));
    snprintf(out->ssn, sizeof out->ssn, "%09u", (unsigned)(hash_random(&state) % 899999999 + 100000000));
    out->identifiers[0] = (struct mpi_identifier){STR("BENCH"), str_from(out->id), STR("MR")};
    out->identifiers[1] = (struct mpi_identifier){STR("USA"), str_from(out->ssn), STR("SS")};
    if (slip)
        out->family[0] = out->family[0] == 'k' ? 'c' : 'k';
    out->name = (struct mpi_name){.family = str_from(out->family), .given = str_from(out->given)};
    out->address = (struct mpi_address){
        .line = str_from(out->line), .city = str_from(out->city), .postcode = str_from(out->postcode)};
    out->phone_str = str_from(out->phone);
    out->said = (struct mpi_demographics){.names = &out->name,
                                          .name_count = 1,
                                          .addresses = &out->address,
                                          .address_count = 1,
                                          .phones = &out->phone_str,
                                          .phone_count = 1};
    out->said.birth_date = date_from_days((int32_t)(hash_random(&state) % 32000) - 14000);
    out->said.sex = hash_random(&state) & 1 ? 'F' : 'M';
}

/* ---- measuring ---- */

/* CPU time of this thread: the figures must not depend on who else uses the machine. */
static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int order_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double load_people(struct mpi *mpi, uint64_t people, uint64_t seed)
{
    double start = now_us();
    for (uint64_t i = 0; i < people; i++) {
        struct synthetic person;
        union row_space space;
        make_person(seed, i, false, &person);
        row_make(person.identifiers, 2, &person.said, NULL, 0, &space);
        index_load_row(mpi, index_load_record(mpi, row_own_key(person.identifiers, 2)), &space.row);
    }
    index_load_finish(mpi);
    return (now_us() - start) / 1e6;
}

static void measure_identify(struct mpi *mpi, struct ctx *cx, uint64_t people, uint64_t seed, double *times,
                             struct mpi_bench *bench)
{
    for (uint64_t i = 0; i < bench->queries; i++) {
        struct synthetic person;
        make_person(seed, i * 7919 % people, true, &person);
        struct arena_mark mark = arena_mark(cx->arena);
        struct mpi_match *matches;
        size_t count;
        double start = now_us();
        IGNORE(
            mpi_identify(mpi, cx, NULL, 0, &person.said, 10, &matches, &count)); /* cannot fail: within every bound */
        times[i] = now_us() - start;
        arena_rewind(cx->arena, mark);
    }
    qsort(times, bench->queries, sizeof *times, order_doubles);
    bench->identify_us_p50 = times[bench->queries / 2];
    bench->identify_us_p99 = times[bench->queries * 99 / 100];
}

/* As the writer does it: a batch of new records is drafted, then shown at once. */
static void measure_apply(struct mpi *mpi, uint64_t people, uint64_t seed, double *times, struct mpi_bench *bench)
{
    enum { BATCH = 128 };
    uint64_t candidates = 0;
    double total = 0;
    for (uint64_t i = 0; i < bench->queries; i++) {
        struct synthetic person;
        union row_space space;
        struct best best;
        make_person(seed, i & 1 ? i * 7919 % people : people + i, i & 1, &person);
        double start = now_us();
        row_make(person.identifiers, 2, &person.said, NULL, 0, &space);
        row_set_rarity(mpi->model, &space.row);
        mpi->touched.count = mpi->changes.count = mpi->edge_changes.count = 0;
        candidates += index_set_row(mpi, draft_add_record(mpi, row_own_key(person.identifiers, 2)), &space.row, &best);
        index_recluster(mpi);
        times[i] = now_us() - start;
        if (i % BATCH == BATCH - 1) {
            double begun = now_us();
            mpi_publish(mpi);
            double took = now_us() - begun;
            total += took;
            bench->publish_us_max = took > bench->publish_us_max ? took : bench->publish_us_max;
        }
        total += times[i];
    }
    qsort(times, bench->queries, sizeof *times, order_doubles);
    bench->apply_us_mean = total / (double)bench->queries;
    bench->apply_us_p99 = times[bench->queries * 99 / 100];
    bench->candidates_mean = (double)candidates / (double)bench->queries;
}

static void measure_compare(const struct mpi *mpi, uint64_t people, uint64_t seed, struct mpi_bench *bench)
{
    enum { PAIRS = 1000000 };
    uint64_t state = seed;
    int64_t sum = 0;
    double start = now_us();
    for (size_t i = 0; i < PAIRS; i++) {
        struct levels levels;
        uint64_t random = hash_random(&state);
        compare_rows(entry_at(mpi, SHOWN, (uint32_t)(random % people) + 1)->row,
                     entry_at(mpi, SHOWN, (uint32_t)((random >> 32) % people) + 1)->row, &levels);
        sum += weigh_levels(mpi->model, &levels);
    }
    bench->compare_ns =
        (now_us() - start) * 1000 / PAIRS + (sum == 1 ? 1e-9 : 0); /* the sum must not be optimised away */
}

status mpi_bench(struct ctx *cx, uint64_t people, uint64_t seed, struct mpi_bench *out_bench)
{
    if (people == 0 || people > 10 * 1000 * 1000)
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "people 1 to 10000000");
    struct mpi *mpi = index_new();
    struct mpi_bench bench = {.people = people, .queries = 20000};
    double *times = mem_array(bench.queries, sizeof *times);
    bench.load_seconds = load_people(mpi, people, seed);
    bench.index_bytes = mpi_count(mpi).index_bytes;
    measure_compare(mpi, people, seed, &bench);
    measure_identify(mpi, cx, people, seed, times, &bench);
    measure_apply(mpi, people, seed, times, &bench);
    mem_free(times);
    index_free(mpi);
    *out_bench = bench;
    return STATUS_OK;
}
