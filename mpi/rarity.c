#include "model_internal.h"

#include "base/mem.h"

#include <stdlib.h>

/* ---- values of a row ---- */

static uint64_t value_of(struct str text)
{
    return text.len ? str_hash(text) | 1 : 0;
}

uint64_t row_name_value(struct str name, enum value_kind kind)
{
    return kind == VALUE_FAMILY || name.len > 1 ? value_of(name) : 0; /* an initial is nobody's name */
}

static uint64_t family_value(const struct mpi_row *row, size_t i)
{
    return row_name_value(row_text(row, row_names(row)[i].family), VALUE_FAMILY);
}

static uint64_t given_value(const struct mpi_row *row, size_t i)
{
    return row_name_value(row_text(row, row_names(row)[i].given), VALUE_GIVEN);
}

static uint64_t full_name_value(const struct mpi_row *row, size_t i)
{
    uint64_t family = family_value(row, i), given = given_value(row, i);
    return family && given ? (family * 31 + given) | 1 : 0;
}

static uint64_t given_middle_value(const struct mpi_row *row, size_t i)
{
    struct str middle = row_text(row, row_names(row)[i].middle);
    uint64_t given = given_value(row, i);
    return given && middle.len > 1 ? (given * 37 + value_of(middle)) | 1 : 0;
}

static uint64_t birth_value(const struct mpi_row *row)
{
    return row->day != 0 ? row->year * 10000u + row->month * 100u + row->day : 0;
}

static uint64_t phone_value(const struct mpi_row *row, size_t i)
{
    return row_phones(row)[i];
}

static uint64_t email_value(const struct mpi_row *row, size_t i)
{
    return value_of(row_text(row, row_emails(row)[i]));
}

static uint64_t national_value(const struct mpi_row *row, size_t i)
{
    return value_of(row_text(row, row_nationals(row)[i].text)) ^ (uint64_t)row_nationals(row)[i].kind << 1;
}

/* Street and number; the place is left out, because one of two addresses may not say it. */
static uint64_t house_value(const struct mpi_row *row, size_t i)
{
    const struct mpi_row_address *address = &row_addresses(row)[i];
    uint64_t street = value_of(row_text(row, address->street));
    return street && address->number ? (street * 31 + address->number) | 1 : 0;
}

static uint64_t postcode_value(const struct mpi_row *row, size_t i)
{
    return row_addresses(row)[i].postcode;
}

static uint64_t city_value(const struct mpi_row *row, size_t i)
{
    return value_of(row_text(row, row_addresses(row)[i].city));
}

static uint64_t birth_place_value(const struct mpi_row *row)
{
    return value_of(row_text(row, row->birth_place));
}

static uint64_t source_value(const struct mpi_row *row, size_t i)
{
    (void)i; /* there is one */
    return row->authority;
}

/* The kind of name that is counted by year of birth. */
static enum value_kind named_kind(enum value_kind kind)
{
    return kind == VALUE_FAMILY_YEAR ? VALUE_FAMILY : kind == VALUE_GIVEN_YEAR ? VALUE_GIVEN : VALUE_FULL_NAME;
}

size_t row_values(const struct mpi_row *row, enum value_kind kind, uint64_t out_values[ROW_VALUES_ROOM])
{
    if (kind >= VALUE_KINDS) {
        size_t names = row_values(row, named_kind(kind), out_values);
        for (size_t i = 0; i < names; i++)
            out_values[i] = (out_values[i] * 31 + row->year) | 1;
        return names;
    }
    static uint64_t (*const of_list[VALUE_KINDS])(const struct mpi_row *row, size_t i) = {
        [VALUE_FULL_NAME] = full_name_value, [VALUE_GIVEN_MIDDLE] = given_middle_value,
        [VALUE_FAMILY] = family_value,       [VALUE_GIVEN] = given_value,
        [VALUE_PHONE] = phone_value,         [VALUE_EMAIL] = email_value,
        [VALUE_HOUSE] = house_value,         [VALUE_NATIONAL] = national_value,
        [VALUE_POSTCODE] = postcode_value,   [VALUE_CITY] = city_value,
        [VALUE_SOURCE] = source_value};
    const size_t counts[VALUE_KINDS] = {[VALUE_FULL_NAME] = row->name_count,
                                        [VALUE_GIVEN_MIDDLE] = row->name_count,
                                        [VALUE_FAMILY] = row->name_count,
                                        [VALUE_GIVEN] = row->name_count,
                                        [VALUE_PHONE] = row->phone_count,
                                        [VALUE_EMAIL] = row->email_count,
                                        [VALUE_NATIONAL] = row->national_count,
                                        [VALUE_HOUSE] = row->address_count,
                                        [VALUE_POSTCODE] = row->address_count,
                                        [VALUE_CITY] = row->address_count,
                                        [VALUE_BIRTH] = 1,
                                        [VALUE_BIRTH_PLACE] = 1,
                                        [VALUE_SOURCE] = 1};
    size_t count = 0;
    for (size_t i = 0; i < counts[kind]; i++) {
        uint64_t value = of_list[kind]         ? of_list[kind](row, i)
                         : kind == VALUE_BIRTH ? birth_value(row)
                                               : birth_place_value(row);
        size_t k = 0;
        while (k < count && out_values[k] != value)
            k++;
        if (value != 0 && k == count)
            out_values[count++] = value;
    }
    return count;
}

_Static_assert((int)ROW_VALUES_ROOM >= (int)ROW_NAMES && (int)ROW_VALUES_ROOM >= (int)ROW_PHONES &&
                   (int)ROW_VALUES_ROOM >= (int)ROW_NATIONALS && (int)ROW_VALUES_ROOM >= (int)ROW_ADDRESSES,
               "all values of a kind fit");

/* ---- tables ---- */

enum { INDEX_BITS = 12 };

static int order_values(const void *left, const void *right)
{
    uint64_t a = ((const struct value_rarity *)left)->value, b = ((const struct value_rarity *)right)->value;
    return a < b ? -1 : a > b;
}

/* Values are spread over all 64 bits before they are looked up: dates and phones are small numbers. */
static uint64_t spread(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ull;
    return value ^ value >> 31;
}

void value_table_make(struct value_table *table, struct value_rarity *values, size_t count, uint8_t rest)
{
    for (size_t i = 0; i < count; i++)
        values[i].value = spread(values[i].value);
    if (count > 1)
        qsort(values, count, sizeof values[0], order_values);
    value_table_take(table, values, count, rest);
}

void value_table_take(struct value_table *table, struct value_rarity *values, size_t count, uint8_t rest)
{
    *table = (struct value_table){.at = values, .count = (uint32_t)count, .rest = rest};
    table->index = mem_array(((size_t)1 << INDEX_BITS) + 1, sizeof *table->index);
    for (size_t bucket = 0, i = 0; bucket <= (size_t)1 << INDEX_BITS; bucket++) {
        while (i < count && values[i].value >> (64 - INDEX_BITS) < bucket)
            i++;
        table->index[bucket] = (uint32_t)i;
    }
}

struct value_table value_table_copy(const struct value_table *table)
{
    struct value_table copy = *table;
    if (table->at)
        copy.at = mem_copy(table->at, table->count * sizeof *table->at);
    if (table->index)
        copy.index = mem_copy(table->index, (((size_t)1 << INDEX_BITS) + 1) * sizeof *table->index);
    return copy;
}

void value_table_fini(struct value_table *table)
{
    mem_free(table->at);
    mem_free(table->index);
    *table = (struct value_table){0};
}

/* Its place, or the number of values. */
static uint32_t find_value(const struct value_table *table, uint64_t value)
{
    if (value == 0 || table->count == 0)
        return table->count;
    uint64_t wanted = spread(value);
    size_t bucket = (size_t)(wanted >> (64 - INDEX_BITS));
    uint32_t low = table->index[bucket], high = table->index[bucket + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->at[middle].value < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->at[low].value == wanted ? low : table->count;
}

uint8_t value_table_get(const struct value_table *table, uint64_t value)
{
    uint32_t at = find_value(table, value);
    return value == 0 ? 0 : at < table->count ? table->at[at].rarity : table->rest;
}

bool value_table_lists(const struct value_table *table, uint64_t value)
{
    return find_value(table, value) < table->count;
}

/* ---- rows ---- */

/* Without tables: a name that is common anywhere, or one of the many others; any may be a name. */
static uint8_t name_rarity(const struct value_table *table, uint64_t value, bool common, uint8_t if_common,
                           uint8_t if_not)
{
    if (table->count > 0 || value == 0)
        return value_table_get(table, value);
    return (uint8_t)((common ? if_common : if_not) | RARITY_KNOWN);
}

/* Of both names together: as counted, where many share them; else from each, as far as names are independent here. */
static uint8_t full_name_rarity(const struct mpi_model *model, const struct mpi_row *row, size_t i)
{
    const struct mpi_row_name *name = &row_names(row)[i];
    uint8_t listed = value_table_get(&model->values[VALUE_FULL_NAME], full_name_value(row, i)) & RARITY_TOP;
    int32_t family = name->family_rarity & RARITY_TOP, given = name->given_rarity & RARITY_TOP;
    if (listed || !family || !given)
        return listed;
    int32_t both = family + given - model->namesake_mbit / RARITY_MBIT;
    return (uint8_t)(both < 1 ? 1 : both > RARITY_TOP ? RARITY_TOP : both);
}

/* "Ngoc Anh" is one name that is written as two: where many of a given name have the same second one it says little. */
static uint8_t middle_rarity(const struct mpi_model *model, const struct mpi_row *row, size_t i)
{
    uint8_t both = value_table_get(&model->values[VALUE_GIVEN_MIDDLE], given_middle_value(row, i)) & RARITY_TOP;
    uint8_t given = row_names(row)[i].given_rarity & RARITY_TOP;
    return both == 0 || given == 0 ? 0 : both > given ? (uint8_t)(both - given) : 1;
}

void row_set_rarity(const struct mpi_model *model, struct mpi_row *row)
{
    enum { COMMON_FAMILY = 30, OTHER_FAMILY = 50, COMMON_GIVEN = 26, OTHER_GIVEN = 42 }; /* 7.5, 12.5, 6.5, 10.5 bits */
    const struct value_table *values = model->values;
    struct mpi_row_name *names = (void *)((char *)row + row_names_at(row));
    struct mpi_row_address *addresses = (void *)((char *)row + row_addresses_at(row));
    struct mpi_row_national *nationals = (void *)((char *)row + row_nationals_at(row));
    uint8_t *rarities = (uint8_t *)row + row_rarities_at(row);
    for (size_t i = 0; i < row->name_count; i++) {
        struct mpi_row_name *name = &names[i];
        name->family_rarity =
            name_rarity(&values[VALUE_FAMILY], family_value(row, i), name->family_common, COMMON_FAMILY, OTHER_FAMILY);
        name->given_rarity =
            name_rarity(&values[VALUE_GIVEN], given_value(row, i), name->given_common, COMMON_GIVEN, OTHER_GIVEN);
    }
    for (size_t i = 0; i < row->name_count; i++) {
        names[i].full_rarity = full_name_rarity(model, row, i);
        names[i].middle_rarity = middle_rarity(model, row, i);
    }
    for (size_t i = 0; i < row->phone_count; i++)
        rarities[i] = value_table_get(&values[VALUE_PHONE], phone_value(row, i));
    for (size_t i = 0; i < row->email_count; i++)
        rarities[row->phone_count + i] = value_table_get(&values[VALUE_EMAIL], email_value(row, i));
    rarities[row->phone_count + row->email_count] = value_table_get(&values[VALUE_SOURCE], row->authority);
    for (size_t i = 0; i < row->national_count; i++)
        nationals[i].rarity = value_table_get(&values[VALUE_NATIONAL], national_value(row, i));
    for (size_t i = 0; i < row->address_count; i++) {
        addresses[i].house_rarity = value_table_get(&values[VALUE_HOUSE], house_value(row, i));
        addresses[i].postcode_rarity = value_table_get(&values[VALUE_POSTCODE], postcode_value(row, i));
        addresses[i].city_rarity = value_table_get(&values[VALUE_CITY], city_value(row, i));
    }
    row->birth_rarity = value_table_get(&values[VALUE_BIRTH], birth_value(row));
    row->birth_place_rarity = value_table_get(&values[VALUE_BIRTH_PLACE], birth_place_value(row));
}
