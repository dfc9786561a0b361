/* What is typed when a form insists: values that say nothing. */
#include "gen_internal.h"

#include "dice_internal.h"

#define TEXT(field) offsetof(struct gen_record, field), sizeof((struct gen_record *)NULL)->field

static const struct placeholder_row {
    uint8_t weight;
    size_t text_at, size; /* size 0 = the birth date */
    const char *text;     /* in place of another text, never where nothing was asked */
    struct date birth_date;
} rows[] = {
    {30, 0, 0, NULL, {0}},
    {12, 0, 0, NULL, {1900, 1, 1}},
    {10, TEXT(phone), "999-999-9999", {0}},
    {6, TEXT(phone), "000-000-0000", {0}},
    {12, TEXT(line), "UNKNOWN", {0}},
    {6, TEXT(line), "NO FIXED ABODE", {0}},
    {6, TEXT(postcode), "99999", {0}},
    {10, TEXT(national_id), "999-99-9999", {0}},
    {3, TEXT(national_id), "123-45-6789", {0}},
    {4, TEXT(given), "UNKNOWN", {0}},
    {1, TEXT(family), "TEST", {0}},
};
enum { WEIGHTS = 100 };

void gen_put_placeholder(struct gen_record *record, uint64_t dice)
{
    const struct placeholder_row *row = rows;
    for (uint32_t roll = gen_part(dice, 7, WEIGHTS); roll >= row->weight; row++)
        roll -= row->weight;
    char *text = (char *)record + row->text_at;
    if (row->size == 0) {
        record->birth_date = row->birth_date;
    } else if (text[0]) {
        text[0] = '\0';
        gen_append(text, row->size, str_from(row->text));
    }
}

void gen_leave_unnamed(const struct gen_human *human, struct gen_record *record)
{
    record->given[0] = '\0';
    gen_append(record->given, GEN_TEXT_MAX, human->self->female ? STR("Baby Girl") : STR("Baby Boy"));
    if (human->index % 2) {
        gen_append(record->given, GEN_TEXT_MAX, STR(" of "));
        gen_append(record->given, GEN_TEXT_MAX, str_from(human->mother_given.latin[0]));
    }
}
