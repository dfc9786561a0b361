#include "base/date.h"

#include <stdio.h>

enum { YEAR_MIN = 1, YEAR_MAX = 2200 }; /* registers of old hold people of any century */

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool date_is_valid(struct date date)
{
    if (date.year < YEAR_MIN || date.year > YEAR_MAX)
        return false;
    if (date.month == 0)
        return date.day == 0;
    return date.month <= 12 && date.day <= days_in_month(date.year, date.month);
}

static bool digits(struct str text, size_t from, size_t count, unsigned *out)
{
    if (text.len < from + count)
        return false;
    unsigned value = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = value;
    return true;
}

bool date_parse_as_written(struct str text, struct date *out)
{
    unsigned year, month = 0, day = 0;
    if (!digits(text, 0, 4, &year) || year < YEAR_MIN || year > YEAR_MAX)
        return false;
    size_t dash = text.len > 4 && text.data[4] == '-';
    size_t day_at = 6 + 2 * dash;
    if (text.len > 4 && (!digits(text, 4 + dash, 2, &month) || month == 0))
        return false;
    if (text.len > 6 + dash) {
        if (dash && text.data[7] != '-')
            return false;
        if (!digits(text, day_at, 2, &day) || day == 0)
            return false;
    }
    *out = (struct date){(uint16_t)year, (uint8_t)month, (uint8_t)day};
    return true;
}

bool date_parse(struct str text, struct date *out)
{
    struct date date;
    if (!date_parse_as_written(text, &date) || !date_is_valid(date))
        return false;
    *out = date;
    return true;
}

/* Howard Hinnant's civil calendar arithmetic: eras of 400 years that begin on 1 March. */
int32_t date_to_days(struct date date)
{
    int32_t year = date.year - (date.month <= 2);
    int32_t era = year / 400;
    int32_t year_of_era = year - era * 400;
    int32_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct date date_from_days(int32_t days)
{
    days += 719468;
    int32_t era = (days >= 0 ? days : days - 146096) / 146097;
    int32_t day_of_era = days - era * 146097;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_index = (5 * day_of_year + 2) / 153;
    int32_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    return (struct date){
        .year = (uint16_t)(year_of_era + era * 400 + (month <= 2)),
        .month = (uint8_t)month,
        .day = (uint8_t)(day_of_year - (153 * month_index + 2) / 5 + 1),
    };
}

void date_format(struct date date, char out[11])
{
    out[0] = 0;
    if (date.year == 0)
        return;
    if (date.month == 0)
        snprintf(out, 11, "%04u", date.year % 10000u);
    else if (date.day == 0)
        snprintf(out, 11, "%04u-%02u", date.year % 10000u, date.month % 100u);
    else
        snprintf(out, 11, "%04u-%02u-%02u", date.year % 10000u, date.month % 100u, date.day % 100u);
}
