/* Evidence as bars: to the right of the axis what speaks for one person, to the left what speaks against. */
#include "cli/show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BAR_COLUMNS = 20 };

static int32_t largest(const struct cli_evidence *evidence, size_t count, int32_t rest)
{
    int64_t most = 1000; /* one bit fills no more than it must */
    for (size_t i = 0; i < count; i++) {
        int64_t size = llabs((long long)evidence[i].weight_mbit);
        most = size > most ? size : most;
    }
    int64_t size = llabs((long long)rest);
    most = size > most ? size : most;
    return most > INT32_MAX ? INT32_MAX : (int32_t)most;
}

/* The bar in eighths of a column, so that small weights differ to the eye. */
static struct str bar(struct arena *arena, int32_t weight_mbit, int32_t most)
{
    static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    int64_t size = llabs((long long)weight_mbit);
    int64_t eighths = size * BAR_COLUMNS * 8 / most;
    if (eighths == 0 && size > 0)
        eighths = 1;
    struct buf text = {0};
    for (int64_t i = 0; i < eighths / 8; i++)
        buf_put_str(&text, weight_mbit < 0 ? STR("\u2592") : STR("\u2588"));
    if (weight_mbit > 0)
        buf_put_str(&text, str_from(parts[eighths % 8]));
    else if (weight_mbit < 0 && eighths % 8)
        buf_put_str(&text, STR("\u2592"));
    struct str kept = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

static void put_row(struct cli_table *table, const char *field, const char *level, int32_t weight_mbit, int32_t most)
{
    char bits[24];
    cli_format_bits(weight_mbit, bits);
    cli_cell_text(table, field);
    cli_cell_text(table, level);
    cli_cell_text(table, bits);
    cli_cell(table, weight_mbit < 0 ? CLI_RED : CLI_GREEN, bar(table->show->arena, weight_mbit, most));
}

/* 2^score / (1 + 2^score), for replies that carry the score only. */
static uint32_t probability_of(int32_t score_mbit)
{
    double odds = exp2((double)score_mbit / 1000);
    double ppm = isinf(odds) ? 1e6 : odds / (1 + odds) * 1e6;
    return (uint32_t)(ppm + 0.5);
}

void cli_bars(struct cli_show *show, const struct cli_evidence *evidence, size_t count, int32_t score_mbit,
              uint32_t probability_ppm)
{
    static const struct cli_column columns[] = {
        {"evidence", false, 8, false}, {"how", false, 8, false}, {"bits", true, 0, true}, {"", false, 0, true}};
    int64_t rest = score_mbit;
    for (size_t i = 0; i < count; i++)
        rest -= evidence[i].weight_mbit;
    int32_t most = largest(evidence, count, (int32_t)rest);
    struct cli_table table;
    cli_table_init(&table, show, columns, 4);
    for (size_t i = 0; i < count; i++)
        put_row(&table, evidence[i].field, evidence[i].level, evidence[i].weight_mbit, most);
    if (rest != 0)
        put_row(&table, "prior", "chance that two are one", (int32_t)rest, most);
    char bits[24];
    cli_format_bits(score_mbit, bits);
    cli_cell(&table, CLI_BOLD, STR("score"));
    cli_cell(&table, CLI_PLAIN, STR("sum of the above"));
    cli_cell(&table, CLI_BOLD, str_from(bits));
    if (probability_ppm >= CLI_PROBABILITY_UNKNOWN)
        probability_ppm = probability_of(score_mbit);
    cli_cellf(&table, "%u.%04u %% one person", probability_ppm / 10000, probability_ppm % 10000);
    cli_table_end(&table, 2);
}
