/*
 * ICD-10-CM and ICD-10-PCS order files of CMS. Fixed columns (1-based): 1-5 order number, 7-13 code, 15 flag (0 =
 * heading, 1 = valid for coding), 17-76 short title, 78- long title. Source: CMS "ICD-10-CM order file" readme.
 */
#include "load.h"

#include "base/mem.h"
#include "terminology/shape.h"

/* "E119" is shown "E11.9"; procedure codes have no point. */
static struct str show_code(struct str code, bool procedures, char out[16])
{
    size_t len = 0;
    for (size_t i = 0; i < code.len && len < 15; i++) {
        if (i == 3 && !procedures)
            out[len++] = '.';
        out[len++] = code.data[i];
    }
    return str_make(out, len);
}

/* The nearest shorter code that is there: "T36.0X1" for "T36.0X1A", also where a level is left out. */
static void add_parent(struct load *load, uint32_t concept, struct str code)
{
    for (size_t len = code.len - 1; len >= 3; len--) {
        uint32_t parent = pack_builder_find(load->builder, str_sub(code, 0, len));
        if (parent == PACK_NONE)
            continue;
        pack_builder_parent(load->builder, concept, parent);
        return;
    }
}

struct icd_line {
    struct str order, code, flag, short_title, long_title;
};

static const char *line_fault(const struct icd_line *line, bool procedures)
{
    uint64_t number;
    if (!str_to_u64(line->order, &number))
        return "columns 1 to 5 are not an order number";
    if (!(procedures ? shape_is_icd10pcs(line->code) : shape_is_icd10cm(line->code)))
        return "columns 7 to 13 are not a code";
    if (line->flag.len != 1 || (line->flag.data[0] != '0' && line->flag.data[0] != '1'))
        return "column 15 is neither 0 (heading) nor 1 (valid for coding)";
    if (line->short_title.len == 0 && line->long_title.len == 0)
        return "a code without a title";
    return NULL;
}

static void add_line(struct table *table, const struct icd_line *line, bool procedures)
{
    struct load *load = table->load;
    const char *what = line_fault(line, procedures);
    if (what) {
        load_finding(load, LOAD_FATAL, table->file->name, table_line(table), "icd.line", "%s", what);
        return;
    }
    char shown[16];
    bool added = false;
    uint32_t concept = pack_builder_concept(load->builder, show_code(line->code, procedures, shown), &added);
    if (concept == PACK_NONE)
        return; /* past a bound: reported once, at the end */
    if (!added) {
        load_finding(load, LOAD_FATAL, table->file->name, table_line(table), "icd.duplicate",
                     "the code %.*s comes twice", STR_ARGS(line->code));
        return;
    }
    struct str display = line->long_title.len ? line->long_title : line->short_title;
    pack_builder_display(load->builder, concept, display);
    pack_builder_flags(load->builder, concept, line->flag.data[0] == '0' ? PACK_HEADER : 0);
    pack_builder_designation(load->builder, concept, STR("en"), STR("long"), display);
    if (line->short_title.len && !str_eq(line->short_title, display))
        pack_builder_designation(load->builder, concept, STR("en"), STR("short"), line->short_title);
    add_parent(load, concept, line->code);
}

/* The year in the file's name: "icd10cm-order-2026.txt". */
static struct str year_in_name(struct str name)
{
    for (size_t i = 0; i + 4 <= name.len; i++) {
        struct str four = str_sub(name, i, 4);
        uint64_t year;
        bool alone = (i == 0 || name.data[i - 1] < '0' || name.data[i - 1] > '9') &&
                     (i + 4 == name.len || name.data[i + 4] < '0' || name.data[i + 4] > '9');
        if (alone && str_to_u64(four, &year) && year >= 2010 && year < 2100)
            return four;
    }
    return STR_NONE;
}

void load_icd(struct load *load, const struct release *release)
{
    const struct release_file *file = NULL;
    for (size_t i = 0; i < release->files.count; i++) {
        if (release->files.at[i].role != ROLE_ICD_ORDER)
            continue;
        if (file)
            load_finding(load, LOAD_FATAL, release->files.at[i].name, 0, "icd.two-files",
                         "a second order file in the folder; name the one to load");
        else
            file = &release->files.at[i];
    }
    load_settle_version(load, file->name, year_in_name(file->name), "icd.version");
    struct table *table = mem_alloc(sizeof *table);
    if (table_open(load, file, '\0', false, "icd", table)) { /* one column: the line */
        while (table_next(table)) {
            struct str text = table->csv.fields[0];
            struct icd_line line = {
                .order = str_sub(text, 0, 5),
                .code = str_trim(str_sub(text, 6, 7)),
                .flag = str_sub(text, 14, 1),
                .short_title = str_trim(str_sub(text, 16, 60)),
                .long_title = str_trim(str_from_at(text, 77)),
            };
            add_line(table, &line, release->icd_procedures);
        }
        table_close(table);
    }
    mem_free(table);
}
