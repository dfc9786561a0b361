#include "base/csv.h"

#include "base/buf.h"

void csv_init(struct csv *csv, struct str text, char separator, bool quoted, struct arena *arena)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from_at(text, 3);
    csv->rest = text;
    csv->arena = arena;
    csv->separator = separator;
    csv->quoted = quoted;
    csv->line = 0;
    csv->next_line = 1;
    csv->bad = NULL;
    csv->count = 0;
}

/* Copy of a quoted field with each "" made one ". */
static struct str undouble(struct csv *csv, struct str raw)
{
    char *copy = arena_alloc(csv->arena, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        copy[len++] = raw.data[i];
        if (raw.data[i] == '"')
            i++;
    }
    return str_make(copy, len);
}

/* Takes a quoted field whose opening quote is the first byte of rest. */
static bool take_quoted(struct csv *csv, struct str *out)
{
    struct str text = str_from_at(csv->rest, 1);
    bool doubled = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            csv->next_line++;
        if (text.data[i] != '"')
            continue;
        if (i + 1 < text.len && text.data[i + 1] == '"') {
            doubled = true;
            i++;
            continue;
        }
        struct str raw = str_sub(text, 0, i);
        *out = doubled ? undouble(csv, raw) : raw;
        csv->rest = str_from_at(text, i + 1);
        if (csv->rest.len && csv->rest.data[0] != csv->separator && csv->rest.data[0] != '\r' &&
            csv->rest.data[0] != '\n') {
            csv->bad = "text after a closing quote";
            return false;
        }
        return true;
    }
    csv->bad = "quoted field without end";
    return false;
}

static void take_plain(struct csv *csv, struct str *out)
{
    size_t i = 0;
    while (i < csv->rest.len && csv->rest.data[i] != csv->separator && csv->rest.data[i] != '\n' &&
           !(csv->rest.data[i] == '\r' && (i + 1 == csv->rest.len || csv->rest.data[i + 1] == '\n')))
        i++;
    *out = str_sub(csv->rest, 0, i);
    csv->rest = str_from_at(csv->rest, i);
}

static bool take_line_end(struct csv *csv)
{
    struct str rest = csv->rest;
    size_t skip = rest.len && rest.data[0] == '\r' ? 1 : 0;
    if (skip < rest.len && rest.data[skip] == '\n') {
        skip++;
        csv->next_line++;
    }
    csv->rest = str_from_at(rest, skip);
    return skip > 0 || rest.len == 0;
}

bool csv_next(struct csv *csv)
{
    if (csv->bad)
        return false;
    while (csv->rest.len && (csv->rest.data[0] == '\n' || csv->rest.data[0] == '\r')) {
        if (csv->rest.data[0] == '\n')
            csv->next_line++;
        csv->rest = str_from_at(csv->rest, 1);
    }
    csv->count = 0;
    csv->line = csv->next_line;
    if (csv->rest.len == 0)
        return false;
    for (;;) {
        if (csv->count == CSV_FIELDS_MAX) {
            csv->bad = "more than 256 fields";
            return false;
        }
        struct str *field = &csv->fields[csv->count++];
        if (csv->quoted && csv->rest.len && csv->rest.data[0] == '"') {
            if (!take_quoted(csv, field))
                return false;
        } else {
            take_plain(csv, field);
        }
        if (csv->rest.len && csv->rest.data[0] == csv->separator) {
            csv->rest = str_from_at(csv->rest, 1);
            continue;
        }
        take_line_end(csv);
        return true;
    }
}

int csv_column(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->count; i++)
        if (str_eq_nocase(str_trim(csv->fields[i]), str_from(name)))
            return (int)i;
    return -1;
}
