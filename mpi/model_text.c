/*
 * A model as text: what a site reads, keeps, compares and sends, and what an activation carries in the journal. It is
 * YAML of the plainest kind, read by hand: a model has more lines than a YAML document may have nodes, and a refusal
 * names the line.
 */
#include "model_internal.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/vec.h"
#include "mpi/mpi.h"

#include <inttypes.h>

static const char head[] =
    "# A model of who is alike, for idem. Figures are log2, in bits: how often records of one person (same), of two\n"
    "# strangers, and of two relatives of one home (kin) stand at each level of a field.\n"
    "# Values are hashes with how rare each is, in quarters of a bit, and \"known\" where it is a usual one. No name "
    "and\n"
    "# no number of anybody is in here; but who has a list of names can find out which of them are, so keep it as\n"
    "# carefully as the index it was made from.\n";
static const char head_2[] =
    "# A cost is in questions: what a wrong or a missed link costs beside asking a person once. Of each kind of "
    "value:\n"
    "# how many of a million records say one, and how many of a million said ones are listed. Sources: against how\n"
    "# often it would be by chance, how often two numbers of one source are one person, among those of all sources.\n";

/* ---- what stands before fields and values ---- */

enum scalar_kind { SCALAR_WORD, SCALAR_COUNT, SCALAR_BITS, SCALAR_ODDS /* bits, with the probability behind */ };
struct scalar {
    const char *name;
    enum scalar_kind kind;
    size_t at; /* in struct mpi_model */
    int32_t min_mbit, max_mbit;
    bool may_lack; /* in texts of before; it is 0 then, and is not written */
};
enum { MBIT_END = 64000 };
static const struct scalar scalars[] = {
    {"name", SCALAR_WORD, offsetof(struct mpi_model, name), 0, 0, false},
    {"made_at", SCALAR_WORD, offsetof(struct mpi_model, made_at), 0, 0, false},
    {"records", SCALAR_COUNT, offsetof(struct mpi_model, records), 0, 0, false},
    {"persons", SCALAR_COUNT, offsetof(struct mpi_model, persons), 0, 0, false},
    {"prior", SCALAR_BITS, offsetof(struct mpi_model, prior_mbit), -MBIT_END, MBIT_END, false},
    {"kin", SCALAR_BITS, offsetof(struct mpi_model, kin_mbit), -MBIT_END, MBIT_END, false},
    {"namesakes", SCALAR_BITS, offsetof(struct mpi_model, namesake_mbit), 0, MBIT_END, false},
    {"auto", SCALAR_ODDS, offsetof(struct mpi_model, auto_mbit), -MBIT_END, MBIT_END, false},
    {"review", SCALAR_ODDS, offsetof(struct mpi_model, review_mbit), -MBIT_END, MBIT_END, false},
    {"clip", SCALAR_BITS, offsetof(struct mpi_model, clip_mbit), 1, MBIT_END, false},
    {"alone", SCALAR_BITS, offsetof(struct mpi_model, alone_mbit), 0, MBIT_END, true},
};
enum { SCALARS = sizeof scalars / sizeof scalars[0] };

static bool is_word(struct str text)
{
    static const char marks[] = ".:+-_";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(marks, c)) || c == 0)
            return false;
    }
    return text.len > 0 && text.len <= MODEL_WORD_MAX && text.data[0] != '-' && text.data[text.len - 1] != ':';
}

/* Sources came with the second format. */
static bool has_kind(const struct mpi_model *model, size_t kind)
{
    return kind != VALUE_SOURCE || model->format > 1;
}

/* ---- writing ---- */

static void put_bits(struct buf *out, int32_t mbit)
{
    uint32_t size = (uint32_t)(mbit < 0 ? -mbit : mbit);
    buf_printf(out, "%s%" PRIu32 ".%03" PRIu32, mbit < 0 ? "-" : "", size / 1000, size % 1000);
}

/* What the thresholds are right for; integers, because equal models have equal bytes. */
static void put_costs(struct buf *out, const char *name, uint32_t ppm)
{
    bool is_auto = strcmp(name, "auto") == 0;
    uint32_t rest = is_auto ? 1000000 - ppm : ppm;
    buf_printf(out, "; a %s link costs ", is_auto ? "wrong" : "missed");
    if (rest == 0)
        buf_put_str(out, STR("more than 1000000"));
    else
        buf_printf(out, "%" PRIu32 ".%" PRIu32, 1000000 / rest, 1000000 % rest * 10 / rest);
}

static void put_scalar(struct buf *out, const struct scalar *scalar, const struct mpi_model *model)
{
    const char *at = (const char *)model + scalar->at;
    if (scalar->may_lack && *(const int32_t *)(const void *)at == 0)
        return;
    buf_printf(out, "%s: ", scalar->name);
    if (scalar->kind == SCALAR_WORD) {
        buf_put_str(out, str_from(at));
    } else if (scalar->kind == SCALAR_COUNT) {
        buf_printf(out, "%" PRIu64, *(const uint64_t *)(const void *)at);
    } else {
        int32_t mbit = *(const int32_t *)(const void *)at;
        uint32_t ppm = probability_ppm(mbit);
        put_bits(out, mbit);
        if (scalar->kind == SCALAR_ODDS)
            buf_printf(out, " # %" PRIu32 ".%04" PRIu32 " %%", ppm / 10000, ppm % 10000);
        if (scalar->kind == SCALAR_ODDS && model->format > 1)
            put_costs(out, scalar->name, ppm);
    }
    buf_put_byte(out, '\n');
}

static void put_level(struct buf *out, const char *level, const struct frequency *frequency)
{
    buf_printf(out, "    %s: {same: ", level);
    put_bits(out, frequency->same);
    buf_put_str(out, STR(", strangers: "));
    put_bits(out, frequency->strangers);
    buf_put_str(out, STR(", kin: "));
    put_bits(out, frequency->kin);
    buf_put_str(out, STR("}\n"));
}

static void put_values(struct buf *out, const struct mpi_model *model, size_t kind)
{
    const struct value_table *table = &model->values[kind];
    buf_printf(out, "    rest: %u\n", table->rest);
    if (model->format > 1)
        buf_printf(out, "    said: %" PRIu32 "\n    listed: %" PRIu32 "\n", model->use[kind].said_ppm,
                   model->use[kind].listed_ppm);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct value_rarity *value = &table->at[i];
        buf_printf(out, "    %016" PRIx64 ": %d%s\n", value->value, value->rarity & RARITY_TOP,
                   value->rarity & RARITY_KNOWN ? " known" : "");
    }
}

void mpi_model_write(const struct mpi_model *model, struct buf *out)
{
    buf_put_str(out, str_from(head));
    if (model->format > 1)
        buf_put_str(out, str_from(head_2));
    buf_printf(out, "format: %u\n", model->format);
    for (size_t i = 0; i < SCALARS; i++)
        put_scalar(out, &scalars[i], model);
    buf_put_str(out, STR("fields:\n"));
    for (size_t field = 0; field < FIELD_COUNT; field++) {
        buf_printf(out, "  %s:\n", model_fields[field].name);
        for (size_t level = 1; level < LEVELS_MAX; level++)
            if (model_fields[field].levels[level])
                put_level(out, model_fields[field].levels[level], &model->fields[field][level]);
    }
    buf_put_str(out, STR("values:\n"));
    for (size_t kind = 0; kind < VALUE_KINDS; kind++) {
        if (!has_kind(model, kind))
            continue;
        buf_printf(out, "  %s:\n", model_value_names[kind]);
        put_values(out, model, kind);
    }
}

uint64_t mpi_model_identity(const struct mpi_model *model)
{
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(model, &text);
    return str_hash(buf_str(&text));
}

/* ---- reading: line by line ---- */

struct reader {
    struct ctx *cx;
    struct str rest;
    struct mpi_model *model;
    uint32_t line; /* the one below */
    bool end;
    size_t indent;
    struct str key, value; /* of "key: value" */
    bool has_scalar[SCALARS], has_level[FIELD_COUNT][LEVELS_MAX], has_values[VALUE_KINDS];
};

/* The text may be any file by mistake, a list of patients too: a refusal says what was expected, never what stood
 * there. */
static status bad(const struct reader *reader, const char *what)
{
    return ctx_fail(reader->cx, &mpi_reasons[MPI_MODEL_BAD], "line %" PRIu32 ": %s", reader->line, what);
}

static struct str without_comment(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] == '#' && (i == 0 || line.data[i - 1] == ' '))
            return str_sub(line, 0, i);
    return line;
}

/* The next line that says something. */
static status next_line(struct reader *reader)
{
    struct str line;
    while (str_split(&reader->rest, '\n', &line)) {
        reader->line++;
        line = without_comment(line);
        struct str said = str_trim(line);
        if (said.len == 0)
            continue;
        ptrdiff_t colon = str_find(said, ':');
        if (colon < 0)
            return bad(reader, "\"key: value\" is expected");
        reader->indent = 0;
        while (line.data[reader->indent] == ' ')
            reader->indent++;
        reader->key = str_trim(str_sub(said, 0, (size_t)colon));
        reader->value = str_trim(str_from_at(said, (size_t)colon + 1));
        return STATUS_OK;
    }
    reader->end = true;
    return STATUS_OK;
}

static bool is_below(const struct reader *reader, size_t indent)
{
    return !reader->end && reader->indent >= indent;
}

static bool read_digits(struct str digits, size_t max, int32_t *out_value)
{
    uint64_t value;
    if (digits.len > max || !str_to_u64(digits, &value))
        return false;
    *out_value = (int32_t)value;
    return true;
}

/* Bits with at most three decimals, exactly. */
static bool read_bits(struct str text, int32_t min_mbit, int32_t max_mbit, int32_t *out_mbit)
{
    static const int32_t scale[] = {1000, 100, 10, 1};
    bool negative = text.len > 0 && text.data[0] == '-';
    struct str size = str_from_at(text, negative);
    ptrdiff_t point = str_find(size, '.');
    struct str decimals = point < 0 ? STR_NONE : str_from_at(size, (size_t)point + 1);
    int32_t whole, part = 0;
    if (!read_digits(point < 0 ? size : str_sub(size, 0, (size_t)point), 3, &whole) ||
        (point >= 0 && !read_digits(decimals, 3, &part)))
        return false;
    int32_t mbit = whole * 1000 + part * scale[decimals.len];
    mbit = negative ? -mbit : mbit;
    if (mbit < min_mbit || mbit > max_mbit)
        return false;
    *out_mbit = mbit;
    return true;
}

static status read_scalar(struct reader *reader, size_t i)
{
    const struct scalar *scalar = &scalars[i];
    char *at = (char *)reader->model + scalar->at;
    if (reader->has_scalar[i])
        return bad(reader, "said twice");
    reader->has_scalar[i] = true;
    if (scalar->kind == SCALAR_WORD) {
        if (!is_word(reader->value))
            return bad(reader, "1 to 63 letters, digits and . : + - _ are expected");
        memset(at, 0, MODEL_WORD_MAX + 1);
        memcpy(at, reader->value.data, reader->value.len);
    } else if (scalar->kind == SCALAR_COUNT) {
        if (!str_to_u64(reader->value, (uint64_t *)(void *)at))
            return bad(reader, "a count is expected");
    } else if (!read_bits(reader->value, scalar->min_mbit, scalar->max_mbit, (int32_t *)(void *)at)) {
        return bad(reader,
                   "bits from -64 to 64 (of namesakes, clip and alone, not below 0) with at most 3 decimals are "
                   "expected");
    }
    return next_line(reader);
}

/* "same: -0.218" and a comma or the end. */
static bool cut_frequency(struct str *rest, struct str name, int32_t *out_mbit)
{
    struct str part, key;
    return str_split(rest, ',', &part) && str_split(&part, ':', &key) && str_eq(str_trim(key), name) &&
           read_bits(str_trim(part), -MBIT_END, 0, out_mbit);
}

static status read_level(struct reader *reader, size_t field)
{
    size_t level = 1;
    while (level < LEVELS_MAX &&
           !(model_fields[field].levels[level] && str_is(reader->key, model_fields[field].levels[level])))
        level++;
    if (level == LEVELS_MAX)
        return bad(reader, "the field has no such level");
    if (reader->has_level[field][level])
        return bad(reader, "said twice");
    reader->has_level[field][level] = true;
    struct str value = reader->value;
    bool braces = value.len > 2 && value.data[0] == '{' && value.data[value.len - 1] == '}';
    struct str rest = braces ? str_sub(value, 1, value.len - 2) : STR_NONE;
    struct frequency *into = &reader->model->fields[field][level];
    if (!cut_frequency(&rest, STR("same"), &into->same) || !cut_frequency(&rest, STR("strangers"), &into->strangers) ||
        !cut_frequency(&rest, STR("kin"), &into->kin) || rest.len > 0)
        return bad(reader, "{same: A, strangers: B, kin: C} in bits from -64 to 0 is expected");
    return next_line(reader);
}

static status read_field(struct reader *reader)
{
    size_t field = 0;
    while (field < FIELD_COUNT && !str_is(reader->key, model_fields[field].name))
        field++;
    if (reader->indent != 2 || field == FIELD_COUNT || reader->value.len > 0)
        return bad(reader, "the name of a field is expected, two spaces in");
    TRY(next_line(reader));
    while (is_below(reader, 3)) {
        if (reader->indent != 4)
            return bad(reader, "a level is expected, four spaces in");
        TRY(read_level(reader, field));
    }
    return STATUS_OK;
}

static bool read_hash(struct str text, uint64_t *out_hash)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        hash = hash << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out_hash = hash;
    return text.len == 16;
}

static bool read_rarity(struct str text, uint8_t *out_rarity)
{
    struct str number;
    int32_t rarity;
    if (!str_split(&text, ' ', &number) || !read_digits(number, 3, &rarity) || rarity < 1 || rarity > RARITY_TOP ||
        (text.len > 0 && !str_is(text, "known")))
        return false;
    *out_rarity = (uint8_t)(rarity | (text.len > 0 ? RARITY_KNOWN : 0));
    return true;
}

struct listed {
    struct value_rarity *at;
    size_t count, cap;
};

static void listed_fini(struct listed *listed)
{
    VEC_FINI(listed);
}

static status read_share(struct reader *reader, const char *name, uint32_t *out_ppm)
{
    int32_t ppm;
    if (!is_below(reader, 3) || reader->indent != 4 || !str_is(reader->key, name) ||
        !read_digits(reader->value, 7, &ppm) || ppm > 1000000)
        return bad(reader, "said and then listed follow rest, 0 to 1000000 each, four spaces in");
    *out_ppm = (uint32_t)ppm;
    return next_line(reader);
}

static status read_values(struct reader *reader, size_t kind)
{
    SCOPED(listed_fini) struct listed listed = {0};
    int32_t rest;
    if (!is_below(reader, 3) || reader->indent != 4 || !str_is(reader->key, "rest") ||
        !read_digits(reader->value, 3, &rest) || rest > RARITY_TOP)
        return bad(reader, "rest: 0 to 127 quarters of a bit is expected first, four spaces in");
    TRY(next_line(reader));
    if (reader->model->format > 1) {
        TRY(read_share(reader, "said", &reader->model->use[kind].said_ppm));
        TRY(read_share(reader, "listed", &reader->model->use[kind].listed_ppm));
    }
    for (uint64_t before = 0; is_below(reader, 3);) {
        struct value_rarity value;
        if (reader->indent != 4 || !read_hash(reader->key, &value.value) || !read_rarity(reader->value, &value.rarity))
            return bad(reader, "a hash of 16 digits and 1 to 127 quarters of a bit are expected, four spaces in");
        if (value.value <= before)
            return bad(reader, "a value stands above the one before it: they ascend and none comes twice");
        before = value.value;
        *VEC_ADD(&listed) = value;
        TRY(next_line(reader));
    }
    value_table_take(&reader->model->values[kind], listed.at, listed.count, (uint8_t)rest);
    listed = (struct listed){0};
    return STATUS_OK;
}

static status read_kind(struct reader *reader)
{
    size_t kind = 0;
    while (kind < VALUE_KINDS && !str_is(reader->key, model_value_names[kind]))
        kind++;
    if (reader->indent != 2 || kind == VALUE_KINDS || !has_kind(reader->model, kind) || reader->value.len > 0)
        return bad(reader, "the name of a kind of values is expected, two spaces in");
    if (reader->has_values[kind])
        return bad(reader, "said twice");
    reader->has_values[kind] = true;
    TRY(next_line(reader));
    return read_values(reader, kind);
}

static status read_section(struct reader *reader, status (*read_part)(struct reader *reader))
{
    if (reader->value.len > 0)
        return bad(reader, "nothing is expected behind the colon");
    TRY(next_line(reader));
    while (is_below(reader, 1))
        TRY(read_part(reader));
    return STATUS_OK;
}

static status read_top(struct reader *reader)
{
    size_t i = 0;
    while (i < SCALARS && !str_is(reader->key, scalars[i].name))
        i++;
    if (reader->indent == 0 && i < SCALARS)
        return read_scalar(reader, i);
    if (reader->indent == 0 && str_is(reader->key, "fields"))
        return read_section(reader, read_field);
    if (reader->indent == 0 && str_is(reader->key, "values"))
        return read_section(reader, read_kind);
    return bad(reader, "a model has no such key");
}

/* ---- reading: as a whole ---- */

static status missing(struct ctx *cx, const char *what, const char *of)
{
    return ctx_fail(cx, &mpi_reasons[MPI_MODEL_BAD], "%s%s%s is missing", what, *of ? " of " : "", of);
}

static status check_whole(const struct reader *reader)
{
    struct ctx *cx = reader->cx;
    for (size_t i = 0; i < SCALARS; i++)
        if (!reader->has_scalar[i] && !scalars[i].may_lack)
            return missing(cx, scalars[i].name, "");
    for (size_t field = 0; field < FIELD_COUNT; field++)
        for (size_t level = 1; level < LEVELS_MAX; level++)
            if (model_fields[field].levels[level] && !reader->has_level[field][level])
                return missing(cx, model_fields[field].levels[level], model_fields[field].name);
    for (size_t kind = 0; kind < VALUE_KINDS; kind++)
        if (has_kind(reader->model, kind) && !reader->has_values[kind])
            return missing(cx, model_value_names[kind], "values");
    if (reader->model->review_mbit > reader->model->auto_mbit)
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_BAD], "review is above auto");
    return STATUS_OK;
}

static status read_all(struct reader *reader)
{
    TRY(next_line(reader));
    int32_t format;
    if (reader->end || reader->indent != 0 || !str_is(reader->key, "format") ||
        !read_digits(reader->value, 1, &format) || format < 1 || format > MODEL_FORMAT)
        return bad(reader, "a model begins with \"format: 1\" or 2; idem model export writes one");
    reader->model->format = (uint8_t)format;
    TRY(next_line(reader));
    while (!reader->end)
        TRY(read_top(reader));
    return check_whole(reader);
}

status mpi_model_read(struct ctx *cx, struct str text, struct mpi_model **out_model)
{
    if (BEYOND(LIMIT_MODEL_BYTES, text.len))
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_BAD], "%zu bytes, at most %d", text.len, LIMIT_MODEL_BYTES);
    struct reader reader = {.cx = cx, .rest = text, .model = mem_alloc(sizeof *reader.model)};
    status got = read_all(&reader);
    if (got != STATUS_OK) {
        mpi_model_free(reader.model);
        return got;
    }
    *out_model = reader.model;
    return STATUS_OK;
}

/* ---- what people call it ---- */

status mpi_model_check_name(struct ctx *cx, struct str name)
{
    if (!is_word(name))
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_BAD],
                        "name and time of a model are 1 to 63 letters, digits and . : + - _");
    return STATUS_OK;
}

status mpi_model_name(struct ctx *cx, struct mpi_model *model, const struct mpi_model_about *about)
{
    TRY(mpi_model_check_name(cx, about->name));
    TRY(mpi_model_check_name(cx, about->made_at));
    char name[sizeof model->name] = {0}, made_at[sizeof model->made_at] = {0}; /* they may be the model's own */
    memcpy(name, about->name.data, about->name.len);
    memcpy(made_at, about->made_at.data, about->made_at.len);
    memcpy(model->name, name, sizeof name);
    memcpy(model->made_at, made_at, sizeof made_at);
    model->records = about->records;
    model->persons = about->persons;
    return STATUS_OK;
}

struct mpi_model_about mpi_model_about(const struct mpi_model *model)
{
    return (struct mpi_model_about){.name = str_from(model->name),
                                    .made_at = str_from(model->made_at),
                                    .records = model->records,
                                    .persons = model->persons,
                                    .auto_mbit = model->auto_mbit,
                                    .review_mbit = model->review_mbit};
}
