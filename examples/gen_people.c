/* People as CSV files, one per source, and the truth beside them. */
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
    buf_printf(text, "source,authority,id,person\n");
    return gen_file_put(cx, files[TRUTH], text);
}

static status write_human(struct ctx *cx, const struct gen *gen, uint64_t human, FILE *files[FILES], struct buf *text,
                          uint64_t *count)
{
    struct gen_record records[GEN_RECORDS_PER_HUMAN];
    size_t found = gen_records(gen, human, records);
    *count += found;
    for (size_t i = 0; i < found; i++) {
        put_record(text, &records[i]);
        TRY(gen_file_put(cx, files[records[i].source], text));
        buf_printf(text, "%s,%s,%s,%llu\n", gen_source_name(records[i].source), gen_source_authority(records[i].source),
                   records[i].id, (unsigned long long)human + 1);
        TRY(gen_file_put(cx, files[TRUTH], text));
    }
    return STATUS_OK;
}

static status write_all(struct ctx *cx, struct gen *gen, const char *dir, FILE *files[FILES], uint64_t *count)
{
    SCOPED(buf_fini) struct buf text = {0};
    TRY(open_all(cx, dir, files, &text));
    for (uint64_t human = 0; human < gen->people; human++)
        TRY(write_human(cx, gen, human, files, &text, count));
    return STATUS_OK;
}

status gen_write_people(struct ctx *cx, struct gen *gen, const char *dir, uint64_t *out_records)
{
    FILE *files[FILES] = {0};
    uint64_t count = 0;
    status done = write_all(cx, gen, dir, files, &count);
    for (size_t i = 0; i < FILES; i++) {
        status closed = gen_file_close(cx, &files[i]);
        done = done == STATUS_OK ? closed : done;
    }
    if (done == STATUS_OK)
        *out_records = count;
    return done;
}
