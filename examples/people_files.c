/* People as CSV files, one per source, and the truth beside them. */
#include "ceiling_internal.h"
#include "gen_internal.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

const struct reason gen_write_reason = {"examples.write", STATUS_UNAVAILABLE, 207,
                                        "the sample file could not be written"};

/* RFC 4180: quoted only where it must be. */
static void put_csv(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buf_put_str(out, str_from(text));
        return;
    }
    buf_put_byte(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_put_byte(out, '"');
        buf_put_byte(out, (uint8_t)*text);
    }
    buf_put_byte(out, '"');
}

static void put_birth_date(struct buf *out, const struct gen_record *record)
{
    char text[11];
    date_format(record->birth_date, text);
    buf_put_str(out, str_from(text));
}
static void put_sex(struct buf *out, const struct gen_record *record)
{
    if (record->sex)
        buf_put_byte(out, (uint8_t)record->sex);
}
static void put_source(struct buf *out, const struct gen_record *record)
{
    buf_put_str(out, str_from(gen_source_name(record->source)));
}
static void put_id_type(struct buf *out, const struct gen_record *record)
{
    (void)record;
    buf_put_str(out, STR("MR"));
}
static void put_authority(struct buf *out, const struct gen_record *record)
{
    buf_put_str(out, str_from(gen_source_authority(record->source)));
}

/* A column is either a text inside the record or made by a function. Names: docs/loaders/people.md. */
static const struct column {
    const char *name;
    size_t text_at;
    void (*put)(struct buf *out, const struct gen_record *record);
} columns[] = {
    {"source", 0, put_source},
    {"id", offsetof(struct gen_record, id), NULL},
    {"authority", 0, put_authority},
    {"id_type", 0, put_id_type},
    {"family", offsetof(struct gen_record, family), NULL},
    {"given", offsetof(struct gen_record, given), NULL},
    {"middle", offsetof(struct gen_record, middle), NULL},
    {"suffix", offsetof(struct gen_record, suffix), NULL},
    {"birth_date", 0, put_birth_date},
    {"sex", 0, put_sex},
    {"phone", offsetof(struct gen_record, phone), NULL},
    {"address", offsetof(struct gen_record, line), NULL},
    {"city", offsetof(struct gen_record, city), NULL},
    {"state", offsetof(struct gen_record, state), NULL},
    {"postcode", offsetof(struct gen_record, postcode), NULL},
    {"country", offsetof(struct gen_record, country), NULL},
    {"national_id", offsetof(struct gen_record, national_id), NULL},
    {"mother", offsetof(struct gen_record, mother_family), NULL},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void put_header(struct buf *out)
{
    for (size_t i = 0; i < COLUMNS; i++)
        buf_printf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_put_byte(out, '\n');
}

static void put_record(struct buf *out, const struct gen_record *record)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i > 0)
            buf_put_byte(out, ',');
        if (columns[i].put)
            columns[i].put(out, record);
        else
            put_csv(out, (const char *)record + columns[i].text_at);
    }
    buf_put_byte(out, '\n');
}

/* ---- files ---- */

status gen_file_open(struct ctx *cx, const char *dir, const char *name, FILE **out_file)
{
    struct str path = arena_printf(cx->arena, "%s/%s", dir, name);
    FILE *file = fopen(path.data, "wbe");
    if (!file)
        return ctx_fail(cx, &gen_write_reason, "%s: %s", path.data, strerror(errno));
    *out_file = file;
    return STATUS_OK;
}

status gen_file_put(struct ctx *cx, FILE *file, struct buf *bytes)
{
    size_t len = bytes->len;
    size_t done = len ? fwrite(bytes->data, 1, len, file) : 0;
    buf_clear(bytes);
    return done == len ? STATUS_OK : ctx_fail(cx, &gen_write_reason, "%s", strerror(errno));
}

status gen_file_close(struct ctx *cx, FILE **file)
{
    FILE *open = *file;
    *file = NULL;
    if (open && fclose(open) != 0)
        return ctx_fail(cx, &gen_write_reason, "%s", strerror(errno));
    return STATUS_OK;
}

enum { TRUTH = GEN_SOURCES, FILES };

static status open_all(struct ctx *cx, const char *dir, FILE *files[FILES], struct buf *text)
{
    for (unsigned s = 0; s < GEN_SOURCES; s++) {
        struct str name = arena_printf(cx->arena, "%s.csv", gen_source_name((enum gen_source)s));
        TRY(gen_file_open(cx, dir, name.data, &files[s]));
        put_header(text);
        TRY(gen_file_put(cx, files[s], text));
    }
    TRY(gen_file_open(cx, dir, "truth.csv", &files[TRUTH]));
    buf_put_str(text, STR("source,authority,id,person,household,twin,namesake\n"));
    return gen_file_put(cx, files[TRUTH], text);
}

static void put_number(struct buf *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_put(out, digits + at, sizeof digits - at);
}

static void put_truth(struct buf *out, const struct gen_human *human, const struct gen_record *record)
{
    static const char *const namesakes[] = {[GEN_NO_NAMESAKE] = "", [GEN_SENIOR] = "senior", [GEN_JUNIOR] = "junior"};
    put_source(out, record);
    buf_put_byte(out, ',');
    put_authority(out, record);
    buf_put_byte(out, ',');
    buf_put_str(out, str_from(record->id));
    buf_put_byte(out, ',');
    put_number(out, human->index + 1);
    buf_put_byte(out, ',');
    put_number(out, human->house.first + 1);
    buf_put_byte(out, ',');
    if (human->self->twin)
        put_number(out, human->self->twin);
    buf_put_byte(out, ',');
    buf_put_str(out, str_from(namesakes[human->self->namesake]));
    buf_put_byte(out, '\n');
}

static status write_human(struct ctx *cx, const struct gen_human *human, const struct gen_record *records, size_t count,
                          FILE *files[FILES], struct buf *text)
{
    for (size_t i = 0; i < count; i++) {
        put_record(text, &records[i]);
        TRY(gen_file_put(cx, files[records[i].source], text));
        put_truth(text, human, &records[i]);
        TRY(gen_file_put(cx, files[TRUTH], text));
    }
    return STATUS_OK;
}

static status write_all(struct ctx *cx, struct gen *gen, const char *dir, struct ceiling *ceiling, FILE *files[FILES],
                        struct gen_people_counts *counts)
{
    SCOPED(buf_fini) struct buf text = {0};
    TRY(open_all(cx, dir, files, &text));
    for (uint64_t index = 0; index < gen->people; index++) {
        struct gen_human human;
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        gen_human(gen, index, &human);
        size_t found = gen_records_of(gen, &human, records);
        counts->records += found;
        counts->pairs_true += found * (found - 1) / 2;
        if (ceiling)
            ceiling_add(ceiling, &human, records, found);
        TRY(write_human(cx, &human, records, found, files, &text));
    }
    return STATUS_OK;
}

status gen_write_people(struct ctx *cx, struct gen *gen, const char *dir, const struct gen_people_options *options,
                        struct gen_people_counts *out_counts)
{
    FILE *files[FILES] = {0};
    struct gen_people_counts counts = {0};
    SCOPED(ceiling_fini) struct ceiling ceiling = {0};
    if (options->ceiling)
        ceiling_init(&ceiling, CEILING_SLOTS_MAX);
    status done = write_all(cx, gen, dir, options->ceiling ? &ceiling : NULL, files, &counts);
    for (size_t i = 0; i < FILES; i++) {
        status closed = gen_file_close(cx, &files[i]);
        done = done == STATUS_OK ? closed : done;
    }
    if (done != STATUS_OK)
        return done;
    if (options->ceiling)
        counts.ceiling = ceiling_answer(&ceiling);
    *out_counts = counts;
    return STATUS_OK;
}
