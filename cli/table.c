#include "cli/show.h"

#include "base/invariant.h"
#include "base/mem.h"

enum { GAP = 2, MIN_DEFAULT = 6 };

void cli_table_init(struct cli_table *table, struct cli_show *show, const struct cli_column *columns, size_t count)
{
    INVARIANT(count > 0 && count <= CLI_COLUMNS_MAX);
    *table = (struct cli_table){.show = show, .columns = columns, .column_count = count};
}

static void add(struct cli_table *table, enum cli_paint paint, struct str safe)
{
    if (table->cell_count == table->cell_cap) {
        table->cell_cap = table->cell_cap ? table->cell_cap * 2 : 64;
        table->cells = mem_grow(table->cells, table->cell_cap, sizeof *table->cells);
    }
    table->cells[table->cell_count++] = (struct cli_cell){safe, paint};
}

void cli_cell(struct cli_table *table, enum cli_paint paint, struct str bytes)
{
    add(table, paint, cli_safe_str(table->show->arena, bytes));
}

void cli_cell_text(struct cli_table *table, const char *nul_ended)
{
    cli_cell(table, CLI_PLAIN, str_from(nul_ended));
}

void cli_cellf(struct cli_table *table, const char *format, ...)
{
    struct buf raw = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    cli_cell(table, CLI_PLAIN, buf_str(&raw));
    buf_fini(&raw);
}

/* Takes columns away from the widest that may shrink, until the row fits or nothing may shrink any more. */
static void fit(const struct cli_table *table, size_t widths[CLI_COLUMNS_MAX], size_t room)
{
    size_t total = GAP * (table->column_count - 1);
    for (size_t c = 0; c < table->column_count; c++)
        total += widths[c];
    while (total > room) {
        size_t widest = table->column_count;
        for (size_t c = 0; c < table->column_count; c++) {
            size_t least = table->columns[c].width_min ? table->columns[c].width_min : MIN_DEFAULT;
            if (!table->columns[c].fixed && widths[c] > least &&
                (widest == table->column_count || widths[c] > widths[widest]))
                widest = c;
        }
        if (widest == table->column_count)
            return;
        widths[widest]--;
        total--;
    }
}

static void put_spaces(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_put_byte(out, ' ');
}

/* Nobody wants blanks at the end of a line when it is copied. */
static void end_row(struct buf *out)
{
    while (out->len && out->data[out->len - 1] == ' ')
        out->len--;
    buf_put_byte(out, '\n');
}

static void put_cell(struct cli_table *table, size_t column, struct cli_cell cell, size_t width)
{
    struct cli_show *show = table->show;
    struct str text = cli_clip(show->arena, cell.text, width);
    size_t used = cli_width(text);
    size_t fill = used < width ? width - used : 0;
    bool is_last = column + 1 == table->column_count;
    if (table->columns[column].right)
        put_spaces(show->out, fill);
    cli_put(show, cell.paint, text);
    if (!table->columns[column].right && !is_last)
        put_spaces(show->out, fill);
    if (!is_last)
        put_spaces(show->out, GAP);
}

void cli_table_end(struct cli_table *table, size_t indent)
{
    INVARIANT(table->cell_count % table->column_count == 0); /* every row is whole */
    size_t widths[CLI_COLUMNS_MAX] = {0};
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = cli_width(str_from(table->columns[c].title));
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = cli_width(table->cells[i].text);
        size_t *most = &widths[i % table->column_count];
        *most = width > *most ? width : *most;
    }
    fit(table, widths, table->show->width > indent ? table->show->width - indent : 1);
    for (size_t c = 0; c < table->column_count && table->cell_count; c++) {
        if (c == 0)
            put_spaces(table->show->out, indent);
        put_cell(table, c, (struct cli_cell){str_from(table->columns[c].title), CLI_DIM}, widths[c]);
        if (c + 1 == table->column_count)
            end_row(table->show->out);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        if (column == 0)
            put_spaces(table->show->out, indent);
        put_cell(table, column, table->cells[i], widths[column]);
        if (column + 1 == table->column_count)
            end_row(table->show->out);
    }
    mem_free(table->cells);
    *table = (struct cli_table){0};
}
