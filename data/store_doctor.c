#include "store_internal.h"

#include <errno.h>
#include <stdio.h>

static void bad(struct data_doctor_report *report, const char *table, const char *why)
{
    if (report->bad_tables++ > 0)
        return;
    snprintf(report->first_bad, sizeof report->first_bad, "%s", table);
    report->first_bad_why = why;
}

static void say_nothing(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env, (void)prefix, (void)message;
}

/* Berkeley DB's own check of one closed file: page checksums, page links, key order on every level. */
static int verify_file(const char *folder, const char *name)
{
    char path[4096 + 256];
    snprintf(path, sizeof path, "%s/%s.db", folder, name);
    DB *db;
    int error = db_create(&db, NULL, 0);
    if (error != 0)
        return error;
    db->set_errcall(db, say_nothing);
    return db->verify(db, path, NULL, NULL, 0); /* also closes the handle */
}

struct walk {
    struct buf before;
    uint64_t rows;
    bool out_of_order;
};

static bool walk_row(void *arg, struct str key, struct str row)
{
    (void)row;
    struct walk *walk = arg;
    if (walk->rows++ > 0 && str_cmp(buf_str(&walk->before), key) >= 0)
        walk->out_of_order = true;
    buf_clear(&walk->before);
    buf_put_str(&walk->before, key);
    return !walk->out_of_order;
}

static void walk_table(struct data_table *table, struct ctx *cx, struct data_doctor_report *report)
{
    struct walk walk = {0};
    status walked = data_scan(table, cx, STR_NONE, STR_NONE, walk_row, &walk);
    if (walked != STATUS_OK)
        bad(report, table->name, "unreadable");
    else if (walk.out_of_order)
        bad(report, table->name, "key order");
    report->rows += walk.rows;
    buf_fini(&walk.before);
    struct store_change counted = {0};
    if (walked == STATUS_OK && store_count_table(table, cx, &counted) == STATUS_OK &&
        !store_counts_equal(table, &counted))
        bad(report, table->name, "row count");
    store_change_fini(&counted);
}

status data_doctor(struct ctx *cx, const struct data_options *options, struct data_doctor_report *out_report)
{
    struct data_doctor_report report = {.tables = options->table_count};
    struct data_store *store = NULL;
    status opened = data_open(cx, options, &store);
    if (opened == STATUS_DATA_LOSS) {
        bad(&report, "the store", "does not open");
        *out_report = report;
        return STATUS_OK;
    }
    TRY(opened);
    for (size_t i = 0; i < store->table_count; i++)
        walk_table(&store->tables[i], cx, &report);
    data_close(store);
    struct str folder = arena_printf(cx->arena, "%s/store", options->dir);
    for (size_t i = 0; i < options->table_count && report.bad_tables == 0; i++)
        if (verify_file(folder.data, options->tables[i].name) != 0)
            bad(&report, options->tables[i].name, "page checksum or key order");
    *out_report = report;
    return STATUS_OK;
}
