#include "loaders/people.h"

#include "base/csv.h"
#include "base/date.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "load.h"

#include <stddef.h>

/* One row per column: the documented name, what people write instead, and where it goes. */
static const struct column {
    const char *names[8];
    size_t at;
} columns[] = {
    {{"source", "system", "facility", "source_system"}, offsetof(struct loader_person, source)},
    {{"id", "mrn", "patient_id", "record_id", "identifier", "pid"}, offsetof(struct loader_person, id)},
    {{"authority", "assigning_authority", "id_authority", "issuer"}, offsetof(struct loader_person, authority)},
    {{"id_type", "identifier_type"}, offsetof(struct loader_person, id_type)},
    {{"family", "last_name", "surname", "lastname", "family_name", "last"}, offsetof(struct loader_person, family)},
    {{"given", "first_name", "firstname", "given_name", "first", "forename"}, offsetof(struct loader_person, given)},
    {{"middle", "middle_name", "middlename", "second_name"}, offsetof(struct loader_person, middle)},
    {{"suffix", "name_suffix"}, offsetof(struct loader_person, suffix)},
    {{"prefix", "title", "name_prefix"}, offsetof(struct loader_person, prefix)},
    {{"birth_date", "dob", "date_of_birth", "birthdate", "birthday"}, offsetof(struct loader_person, birth_date)},
    {{"sex", "gender", "administrative_sex"}, offsetof(struct loader_person, sex)},
    {{"phone", "telephone", "phone_number", "phone_home", "home_phone", "mobile"},
     offsetof(struct loader_person, phone)},
    {{"email", "email_address", "mail"}, offsetof(struct loader_person, email)},
    {{"address", "street", "address_1", "address1", "address_line_1", "street_address"},
     offsetof(struct loader_person, address)},
    {{"address_2", "address2", "address_line_2"}, offsetof(struct loader_person, address2)},
    {{"city", "town", "suburb"}, offsetof(struct loader_person, city)},
    {{"state", "province", "county", "region"}, offsetof(struct loader_person, state)},
    {{"postcode", "zip", "zipcode", "zip_code", "postal_code"}, offsetof(struct loader_person, postcode)},
    {{"country"}, offsetof(struct loader_person, country)},
    {{"national_id", "ssn", "social_security_number", "nhs_number", "soc_sec_id"},
     offsetof(struct loader_person, national_id)},
    {{"mother", "mother_maiden_name", "mothers_maiden_name", "maiden"}, offsetof(struct loader_person, mother)},
    {{"birth_place", "birthplace", "place_of_birth"}, offsetof(struct loader_person, birth_place)},
    {{"race"}, offsetof(struct loader_person, race)},
    {{"ethnicity"}, offsetof(struct loader_person, ethnicity)},
    {{"language", "primary_language"}, offsetof(struct loader_person, language)},
    {{"marital_status", "marital"}, offsetof(struct loader_person, marital_status)},
    {{"religion"}, offsetof(struct loader_person, religion)},
    {{"death_date", "date_of_death", "deceased", "deathdate"}, offsetof(struct loader_person, death_date)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], NAMES_PER_COLUMN = 8 };

struct loader_people {
    struct load load; /* only its findings */
    struct loader_options options;
    struct str bytes, file;
    struct arena keep, scratch; /* keep: findings; scratch: one row */
    struct ctx cx;
    struct csv csv;
    size_t count;
    int column_of[CSV_FIELDS_MAX]; /* row of `columns` by place in the file */
    struct str source, authority;
    uint64_t rows, skipped;
};

static int column_named(const char *plain)
{
    for (int c = 0; c < COLUMN_COUNT; c++)
        for (size_t n = 0; n < NAMES_PER_COLUMN && columns[c].names[n]; n++)
            if (strcmp(plain, columns[c].names[n]) == 0)
                return c;
    return -1;
}

const char *loader_people_column(struct str header)
{
    char plain[64];
    load_plain_name(header, plain);
    int column = column_named(plain);
    return column < 0 ? NULL : columns[column].names[0];
}

static const char *nearest_column(const char *plain)
{
    const char *words[COLUMN_COUNT * NAMES_PER_COLUMN];
    size_t count = 0;
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        for (size_t n = 0; n < NAMES_PER_COLUMN && columns[c].names[n]; n++)
            words[count++] = columns[c].names[n];
    return str_nearest(str_from(plain), words, count);
}

static bool has_column(const struct loader_people *people, const char *name)
{
    int wanted = column_named(name);
    for (size_t i = 0; i < people->count; i++)
        if (people->column_of[i] == wanted)
            return true;
    return false;
}

static status read_header(struct loader_people *people, struct ctx *cx)
{
    const struct reason *reason = &loaders_reasons[LOADERS_PEOPLE_COLUMNS];
    ptrdiff_t end = str_find(people->bytes, '\n');
    struct str line = end < 0 ? people->bytes : str_sub(people->bytes, 0, (size_t)end);
    people->csv.separator = str_find(line, ',') < 0 && str_find(line, '\t') >= 0  ? '\t'
                            : str_find(line, ',') < 0 && str_find(line, ';') >= 0 ? ';'
                                                                                  : ',';
    if (line.len > (size_t)LOAD_LINE_MAX || !csv_next(&people->csv))
        return ctx_fail(cx, reason, "there is no header line");
    people->count = people->csv.count;
    for (size_t i = 0; i < people->count; i++) {
        char plain[64];
        load_plain_name(people->csv.fields[i], plain);
        people->column_of[i] = str_is_utf8(str_from(plain)) ? column_named(plain) : -1;
        if (people->column_of[i] < 0) {
            const char *near = nearest_column(plain);
            return ctx_fail(cx, reason, near ? "column %zu is not known; did you mean %s?" : "column %zu is not known",
                            i + 1, near);
        }
        for (size_t before = 0; before < i; before++)
            if (people->column_of[before] == people->column_of[i])
                return ctx_fail(cx, reason, "columns %zu and %zu are both %s", before + 1, i + 1,
                                columns[people->column_of[i]].names[0]);
    }
    if (!has_column(people, "id"))
        return ctx_fail(cx, reason, "the column id is missing");
    if (!has_column(people, "source") && people->source.len == 0)
        return ctx_fail(cx, reason, "the column source is missing, and no source was given with the load");
    return STATUS_OK;
}

status loader_people_open(struct ctx *cx, const struct loader_people_options *options,
                          struct loader_people **out_people)
{
    struct str bytes;
    TRY(file_map(cx, options->path, &bytes));
    struct loader_people *people = mem_alloc(sizeof *people);
    people->bytes = bytes;
    arena_init(&people->keep, 0);
    arena_init(&people->scratch, 16 * (size_t)LOAD_LINE_MAX);
    people->cx = (struct ctx){.arena = &people->keep};
    people->options.findings_max = options->findings_max;
    people->load.cx = &people->cx;
    people->load.options = &people->options;
    const char *slash = strrchr(options->path, '/');
    people->file = arena_str(&people->keep, str_from(slash ? slash + 1 : options->path));
    people->source = arena_str(&people->keep, options->source);
    people->authority = arena_str(&people->keep, options->authority);
    csv_init(&people->csv, bytes, ',', true, &people->scratch);
    status header = read_header(people, cx);
    if (header != STATUS_OK) {
        loader_people_close(people);
        return header;
    }
    *out_people = people;
    return STATUS_OK;
}

void loader_people_close(struct loader_people *people)
{
    if (people == NULL)
        return;
    file_unmap(people->bytes);
    VEC_FINI(&people->load.findings);
    arena_fini(&people->keep);
    arena_fini(&people->scratch);
    mem_free(people);
}

static void fault(struct loader_people *people, const char *rule, const char *what)
{
    load_finding(&people->load, LOAD_WARNING, people->file, people->csv.line, rule, "%s", what);
}

static bool read_record(struct loader_people *people)
{
    arena_reset(&people->scratch);
    struct str ahead = str_sub(people->csv.rest, 0, (size_t)LOAD_LINE_MAX + 1);
    if (ahead.len > (size_t)LOAD_LINE_MAX && !memchr(ahead.data, '\n', ahead.len)) {
        people->csv.line = people->csv.next_line;
        fault(people, "people.text", "a line of more than 1 MiB; nothing behind it is read");
        people->skipped++;
        people->csv.rest = STR_NONE;
        return false;
    }
    if (csv_next(&people->csv))
        return true;
    if (people->csv.bad) {
        fault(people, "csv.quote", "a quote that is not closed, or text behind one; nothing behind it is read");
        people->skipped++;
        people->csv.bad = NULL;
        people->csv.rest = STR_NONE;
    }
    return false;
}

static const char *row_fault(const struct loader_people *people, struct str row)
{
    if (row.len > (size_t)LOAD_LINE_MAX)
        return "a row of more than 1 MiB: a quote is not closed";
    if (memchr(row.data, 0, row.len))
        return "a NUL byte in the text";
    if (!str_is_utf8(row))
        return "not UTF-8; save the file as UTF-8";
    if (people->csv.count != people->count)
        return "another number of columns than the header";
    for (size_t i = 0; i < people->csv.count; i++)
        if (people->csv.fields[i].len > LIMIT_FIELD_VALUE_BYTES)
            return "a value of more than 4,096 bytes";
    return NULL;
}

static void check_date(struct loader_people *people, struct str text, const char *what)
{
    struct date date;
    if (text.len > 0 && !date_parse(text, &date))
        fault(people, "people.date", what);
}

bool loader_people_next(struct loader_people *people, struct loader_person *out_person)
{
    for (;;) {
        const char *from = people->csv.rest.data;
        if (!read_record(people))
            return false;
        people->rows++;
        const char *what = row_fault(people, str_make(from, (size_t)(people->csv.rest.data - from)));
        struct loader_person person = {.line = people->csv.line};
        for (size_t i = 0; !what && i < people->count; i++)
            *(struct str *)((char *)&person + columns[people->column_of[i]].at) = str_trim(people->csv.fields[i]);
        if (person.source.len == 0)
            person.source = people->source;
        if (person.authority.len == 0)
            person.authority = people->authority;
        if (!what && (person.id.len == 0 || person.source.len == 0))
            what = "source or id is empty";
        if (what) {
            fault(people, "people.row", what);
            people->skipped++;
            continue;
        }
        check_date(people, person.birth_date, "birth_date is not a day: YYYY-MM-DD or YYYYMMDD");
        check_date(people, person.death_date, "death_date is not a day: YYYY-MM-DD or YYYYMMDD");
        *out_person = person;
        return true;
    }
}

struct loader_people_report loader_people_report(const struct loader_people *people)
{
    return (struct loader_people_report){
        .rows = people->rows,
        .skipped = people->skipped,
        .findings_total = people->load.findings_total,
        .findings = people->load.findings.at,
        .findings_count = people->load.findings.count,
        .bytes_done = people->bytes.len - people->csv.rest.len,
        .bytes_total = people->bytes.len,
    };
}
