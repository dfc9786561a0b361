#include "people_rows.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loaders/people.h"

const struct reason people_rows_reason = {"cli.people-file", STATUS_INVALID_ARGUMENT, 207,
                                          "the file of people is not understood"};

enum { PEOPLE_LINE_BYTES_MAX = 1024 * 1024, NOWHERE = -1 };

struct people_rows {
    const struct people_map *map;
    struct str bytes, name; /* name: of the file, without folders and ending */
    struct arena scratch;   /* one row */
    struct csv csv;
    size_t width;
    int place_of[PEOPLE_COLUMNS_MAX]; /* in the file, of the map's columns */
    size_t nth;                       /* of the file */
    uint64_t left_out, first_line;
    const char *first_what;

    struct mpi_identifier identifiers[1 + PEOPLE_LIST_MAX];
    struct mpi_name names[PEOPLE_LIST_MAX];
    struct mpi_address addresses[PEOPLE_LIST_MAX];
    struct str phones[PEOPLE_LIST_MAX], emails[PEOPLE_LIST_MAX];
};

/* ---- the header ---- */

static int place_of(const struct csv *header, struct str column)
{
    for (size_t i = 0; i < header->count; i++)
        if (str_eq_nocase(str_trim(header->fields[i]), column))
            return (int)i;
    for (size_t i = 0; i < header->count; i++) {
        const char *documented = loader_people_column(header->fields[i]);
        if (documented && str_is(column, documented))
            return (int)i;
    }
    return NOWHERE;
}

static status read_header(struct people_rows *rows, struct ctx *cx, const char *path)
{
    ptrdiff_t end = str_find(rows->bytes, '\n');
    struct str line = end < 0 ? rows->bytes : str_sub(rows->bytes, 0, (size_t)end);
    rows->csv.separator = str_find(line, ',') < 0 && str_find(line, '\t') >= 0  ? '\t'
                          : str_find(line, ',') < 0 && str_find(line, ';') >= 0 ? ';'
                                                                                : ',';
    if (line.len > (size_t)PEOPLE_LINE_BYTES_MAX || !csv_next(&rows->csv))
        return ctx_fail(cx, &people_rows_reason, "%s: there is no header line", path);
    rows->width = rows->csv.count;
    for (size_t c = 0; c < rows->map->column_count; c++)
        rows->place_of[c] = place_of(&rows->csv, rows->map->columns[c]);
    return STATUS_OK;
}

static struct str stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_from(slash ? slash + 1 : path), stem;
    (void)str_split(&name, '.', &stem);
    return stem;
}

status people_rows_open(struct ctx *cx, const char *path, const struct people_map *map, size_t place,
                        struct people_rows **out_rows)
{
    struct str bytes;
    TRY(file_map(cx, path, &bytes));
    struct people_rows *rows = mem_alloc(sizeof *rows);
    rows->map = map;
    rows->bytes = bytes;
    rows->nth = place;
    rows->name = stem_of(path);
    arena_init(&rows->scratch, 16 * (size_t)PEOPLE_LINE_BYTES_MAX);
    csv_init(&rows->csv, bytes, ',', true, &rows->scratch);
    status header = read_header(rows, cx, path);
    if (header != STATUS_OK) {
        people_rows_close(rows);
        return header;
    }
    *out_rows = rows;
    return STATUS_OK;
}

void people_rows_close(struct people_rows *rows)
{
    if (rows == NULL)
        return;
    file_unmap(rows->bytes);
    arena_fini(&rows->scratch);
    mem_free(rows);
}

bool people_rows_have(const struct people_rows *rows, size_t column)
{
    return rows->place_of[column] != NOWHERE;
}

struct people_rows_report people_rows_report(const struct people_rows *rows)
{
    return (struct people_rows_report){.bytes_done = rows->bytes.len - rows->csv.rest.len,
                                       .bytes_total = rows->bytes.len,
                                       .left_out = rows->left_out,
                                       .first_line = rows->first_line,
                                       .first_what = rows->first_what};
}

/* ---- values ---- */

static bool is_absent(const struct people_map *map, struct str value)
{
    for (size_t i = 0; i < map->absent.count; i++)
        if (str_eq_nocase(value, map->absent.at[i]))
            return true;
    return false;
}

static struct str cell(const struct people_rows *rows, size_t column)
{
    int place = rows->place_of[column];
    struct str value = place == NOWHERE ? STR_NONE : str_trim(rows->csv.fields[place]);
    return is_absent(rows->map, value) ? STR_NONE : value;
}

static struct str value_of(struct people_rows *rows, struct people_field field)
{
    struct str value = STR_NONE;
    for (size_t i = 0; i < field.count; i++) {
        struct str part = cell(rows, field.at[i]);
        if (value.len && part.len)
            value = arena_printf(&rows->scratch, "%.*s %.*s", STR_ARGS(value), STR_ARGS(part));
        else if (part.len)
            value = part;
    }
    return value;
}

/* 0 when it is absent or no number up to `most` */
static uint16_t number_of(struct people_rows *rows, struct people_field field, uint16_t most)
{
    uint64_t number;
    return str_to_u64(value_of(rows, field), &number) && number <= most ? (uint16_t)number : 0;
}

/* As written: a day that does not exist is a slip of one that does, and here dates are only compared. */
static struct date birth_of(struct people_rows *rows)
{
    const struct people_map *map = rows->map;
    struct date date = {0};
    if (date_parse_as_written(value_of(rows, map->birth_date), &date))
        return date;
    date = (struct date){number_of(rows, map->birth_year, 2200), (uint8_t)number_of(rows, map->birth_month, 99),
                         (uint8_t)number_of(rows, map->birth_day, 99)};
    if (date.month == 0)
        date.day = 0; /* a day of no month tells nothing */
    return date.year ? date : (struct date){0};
}

/* ---- lists: what says nothing is left out ---- */

static void split_full_name(struct str full, struct mpi_name *name)
{
    size_t last = full.len;
    while (last > 0 && full.data[last - 1] != ' ')
        last--;
    name->family = str_from_at(full, last);
    struct str rest = str_trim(str_sub(full, 0, last));
    (void)str_split(&rest, ' ', &name->given);
    name->middle = str_trim(rest);
}

static size_t fill_names(struct people_rows *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->map->name_count; i++) {
        const struct people_name_fields *fields = &rows->map->names[i];
        struct mpi_name name = {.family = value_of(rows, fields->family),
                                .given = value_of(rows, fields->given),
                                .middle = value_of(rows, fields->middle),
                                .suffix = value_of(rows, fields->suffix),
                                .prefix = value_of(rows, fields->prefix)};
        struct str full = value_of(rows, fields->full);
        if (full.len)
            split_full_name(full, &name);
        if (name.family.len + name.given.len)
            rows->names[count++] = name;
    }
    return count;
}

static size_t fill_addresses(struct people_rows *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->map->address_count; i++) {
        const struct people_address_fields *fields = &rows->map->addresses[i];
        struct mpi_address address = {.line = value_of(rows, fields->line),
                                      .city = value_of(rows, fields->city),
                                      .state = value_of(rows, fields->state),
                                      .postcode = value_of(rows, fields->postcode),
                                      .country = value_of(rows, fields->country)};
        if (address.line.len + address.city.len + address.postcode.len + address.state.len)
            rows->addresses[count++] = address;
    }
    return count;
}

static size_t fill_texts(struct people_rows *rows, const struct people_field *fields, size_t field_count,
                         struct str *texts)
{
    size_t count = 0;
    for (size_t i = 0; i < field_count; i++) {
        struct str text = value_of(rows, fields[i]);
        if (text.len)
            texts[count++] = text;
    }
    return count;
}

static size_t fill_identifiers(struct people_rows *rows, struct str authority, struct str id)
{
    size_t count = 0;
    if (id.len == 0)
        id = arena_printf(&rows->scratch, "%llu", (unsigned long long)rows->csv.line);
    struct str type = value_of(rows, rows->map->id_type);
    rows->identifiers[count++] = (struct mpi_identifier){authority, id, type.len ? type : STR("MR")};
    for (size_t i = 0; i < rows->map->identifier_count; i++) {
        const struct people_identifier_field *field = &rows->map->identifiers[i];
        struct str value = value_of(rows, field->value);
        if (value.len)
            rows->identifiers[count++] = (struct mpi_identifier){field->authority, value, field->type};
    }
    return count;
}

/* ---- rows ---- */

static struct str truth_of(struct people_rows *rows)
{
    struct str truth = value_of(rows, rows->map->truth);
    if (rows->map->truth_between.len == 0)
        return truth;
    struct str rest = truth, before, between = STR_NONE;
    (void)str_split(&rest, rows->map->truth_between.data[0], &before);
    (void)str_split(&rest, rows->map->truth_between.data[0], &between);
    return between;
}

static char sex_of(struct str text)
{
    char first = text.len ? text.data[0] : 0;
    return first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first;
}

static bool is_yes(struct str text)
{
    return text.len && strchr("YyTt1", text.data[0]);
}

static void fill_row(struct people_rows *rows, struct people_row *row)
{
    const struct people_map *map = rows->map;
    struct str source = value_of(rows, map->source), authority = value_of(rows, map->authority);
    if (source.len == 0)
        source = rows->nth < map->sources.count ? map->sources.at[rows->nth] : rows->name;
    *row = (struct people_row){.line = rows->csv.line,
                               .id = value_of(rows, map->id),
                               .truth = truth_of(rows),
                               .household = value_of(rows, map->household)};
    row->input.source = source;
    row->input.identifiers = rows->identifiers;
    row->input.identifier_count = fill_identifiers(rows, authority.len ? authority : source, row->id);
    row->input.demographics = (struct mpi_demographics){
        .names = rows->names,
        .name_count = fill_names(rows),
        .birth_date = birth_of(rows),
        .sex = sex_of(value_of(rows, map->sex)),
        .phones = rows->phones,
        .phone_count = fill_texts(rows, map->phones, map->phone_count, rows->phones),
        .emails = rows->emails,
        .email_count = fill_texts(rows, map->emails, map->email_count, rows->emails),
        .birth_place = value_of(rows, map->birth_place),
        .addresses = rows->addresses,
        .address_count = fill_addresses(rows),
        .mother = {.family = value_of(rows, map->mother_family), .given = value_of(rows, map->mother_given)},
        .multiple_birth = is_yes(value_of(rows, map->multiple_birth)),
        .birth_order = (uint8_t)number_of(rows, map->birth_order, 99)};
}

static const char *row_fault(const struct people_rows *rows, struct str text)
{
    if (rows->csv.count != rows->width)
        return "another number of columns than the header";
    if (memchr(text.data, 0, text.len) || !str_is_utf8(text))
        return "not UTF-8; save the file as UTF-8";
    for (size_t i = 0; i < rows->csv.count; i++)
        if (rows->csv.fields[i].len > LIMIT_FIELD_VALUE_BYTES)
            return "a value of more than 4,096 bytes";
    return NULL;
}

static void leave_out(struct people_rows *rows, const char *what)
{
    if (rows->left_out++ == 0) {
        rows->first_line = rows->csv.line;
        rows->first_what = what;
    }
}

/* The next line into rows->csv; what cannot be read ends the file. */
static bool read_line(struct people_rows *rows)
{
    arena_reset(&rows->scratch);
    struct str ahead = str_sub(rows->csv.rest, 0, (size_t)PEOPLE_LINE_BYTES_MAX + 1);
    if (ahead.len > (size_t)PEOPLE_LINE_BYTES_MAX && !memchr(ahead.data, '\n', ahead.len)) {
        rows->csv.line = rows->csv.next_line;
        leave_out(rows, "a line of more than 1 MiB; nothing behind it is read");
        return false;
    }
    if (csv_next(&rows->csv))
        return true;
    if (rows->csv.bad)
        leave_out(rows, "a quote that is not closed, or text behind one; nothing behind it is read");
    return false;
}

bool people_rows_next(struct people_rows *rows, struct people_row *out_row)
{
    for (;;) {
        const char *from = rows->csv.rest.data;
        if (!read_line(rows))
            return false;
        const char *fault = row_fault(rows, str_make(from, (size_t)(rows->csv.rest.data - from)));
        if (fault == NULL)
            break;
        leave_out(rows, fault);
    }
    fill_row(rows, out_row);
    return true;
}
