#include "load.h"

#include "base/file.h"

enum { ROWS_BETWEEN_PROGRESS = 16384 };

bool table_open(struct load *load, const struct release_file *file, char separator, bool quoted, const char *format,
                struct table *out_table)
{
    struct table *table = out_table;
    memset(table, 0, sizeof *table);
    table->load = load;
    table->file = file;
    table->stage = file->name.data;
    if (file_map(load->cx, file->path.data, &table->bytes) != STATUS_OK) {
        load_finding(load, LOAD_FATAL, file->name, 0, "file.open", "%.*s", STR_ARGS(load->cx->detail));
        ctx_clear(load->cx);
        return false;
    }
    arena_init(&table->scratch, 16 * (size_t)LOAD_LINE_MAX);
    csv_init(&table->csv, table->bytes, separator, quoted, &table->scratch);
    table->rule_columns = arena_printf(load->cx->arena, "%s.columns", format).data;
    table->rule_text = arena_printf(load->cx->arena, "%s.text", format).data;
    return true;
}

void table_close(struct table *table)
{
    file_unmap(table->bytes);
    arena_fini(&table->scratch);
}

uint64_t table_line(const struct table *table)
{
    return table->csv.line;
}

struct str table_field(const struct table *table, size_t name)
{
    int place = table->places[name];
    return place < 0 || (size_t)place >= table->csv.count ? STR_NONE : table->csv.fields[place];
}

static void fault(struct table *table, const char *rule, const char *what)
{
    load_finding(table->load, LOAD_FATAL, table->file->name, table->csv.line, rule, "%s", what);
}

/* Steps over a row that is too long before the parser would copy any of it. */
static bool line_fits(struct table *table)
{
    struct str rest = str_sub(table->csv.rest, 0, (size_t)LOAD_LINE_MAX + 1);
    if (rest.len <= (size_t)LOAD_LINE_MAX || memchr(rest.data, '\n', rest.len))
        return true;
    table->csv.line = table->csv.next_line;
    fault(table, table->rule_text, "a line of more than 1 MiB: this is not such a file");
    table->csv.rest = STR_NONE;
    return false;
}

static bool read_record(struct table *table)
{
    arena_reset(&table->scratch);
    if (!line_fits(table))
        return false;
    if (csv_next(&table->csv))
        return true;
    if (table->csv.bad) {
        fault(table, "csv.quote", table->csv.bad);
        table->csv.bad = NULL;
        table->csv.rest = STR_NONE; /* behind a broken quote no line can be trusted */
    }
    return false;
}

static bool text_sound(struct table *table, const char *from)
{
    struct str row = str_make(from, (size_t)(table->csv.rest.data - from));
    if (row.len > (size_t)LOAD_LINE_MAX)
        fault(table, table->rule_text, "a row of more than 1 MiB: a quote is not closed, or this is not such a file");
    else if (memchr(row.data, 0, row.len))
        fault(table, table->rule_text, "a NUL byte in the text");
    else if (!str_is_utf8(row))
        fault(table, table->rule_text, "not UTF-8; save the file as UTF-8");
    else
        return true;
    return false;
}

static bool report_progress(struct table *table)
{
    const struct loader_options *options = table->load->options;
    if (options->progress == NULL || table->rows % ROWS_BETWEEN_PROGRESS != 0)
        return true;
    table->load->cancelled =
        !options->progress(options->arg, table->stage, table->bytes.len - table->csv.rest.len, table->bytes.len);
    return !table->load->cancelled;
}

bool table_next(struct table *table)
{
    while (report_progress(table)) {
        const char *from = table->csv.rest.data;
        if (!read_record(table))
            return false;
        table->rows++;
        table->load->rows++;
        if (!text_sound(table, from))
            continue;
        if (table->columns == 0 || table->csv.count == table->columns)
            return true;
        /* only in a line that is ended: a short last line is that of a file that was cut off */
        if (table->csv.count < table->columns && table->csv.count + table->may_lack >= table->columns &&
            table->csv.rest.data[-1] == '\n') {
            load_finding(table->load, LOAD_WARNING, table->file->name, table->csv.line, table->rule_columns,
                         "the last column, which is not read, is missing");
            return true;
        }
        load_finding(table->load, LOAD_FATAL, table->file->name, table->csv.line, table->rule_columns,
                     "%zu columns where the header has %zu", table->csv.count, table->columns);
    }
    return false;
}

bool table_header(struct table *table, const char *const *names, size_t required, size_t count)
{
    const char *from = table->csv.rest.data;
    if (!read_record(table)) {
        fault(table, table->rule_columns, "the file has no header");
        return false;
    }
    if (!text_sound(table, from))
        return false;
    table->columns = table->csv.count;
    bool complete = true;
    for (size_t i = 0; i < count; i++) {
        table->places[i] = csv_column(&table->csv, names[i]);
        if (table->places[i] >= 0 || i >= required)
            continue;
        load_finding(table->load, LOAD_FATAL, table->file->name, table->csv.line, table->rule_columns,
                     "the header lacks the column %s", names[i]);
        complete = false;
    }
    return complete;
}
