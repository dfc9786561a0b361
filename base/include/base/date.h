/*
 * struct date: a calendar day that may be partly known, as HL7 v2 DTM and FHIR date allow.
 */
#pragma once

#include "base/str.h"

struct date {
    uint16_t year; /* 0 = no date at all */
    uint8_t month; /* 0 = not given */
    uint8_t day;   /* 0 = not given */
};

/* "YYYY[MM[DD[…time]]]" ([HL7 2.5.1 2.A.21] DT, 2.A.22 DTM) or "YYYY-MM-DD". False, and *out untouched, when the day
 * does not exist or the year is outside 1..2200. */
bool date_parse(struct str text, struct date *out);
/* The same of a day that may not exist, as 1964-11-71: a slip of one that does, which says more than nothing. What a
 * source says of somebody's birth is read, kept and compared like this. */
bool date_parse_as_written(struct str text, struct date *out);
bool date_is_valid(struct date date);
/* Days since 1970-01-01, proleptic Gregorian; needs a full date that exists. */
int32_t date_to_days(struct date date);
struct date date_from_days(int32_t days);
/* "1980-02-29", "1980-02", "1980" or "". out has 11 bytes. */
void date_format(struct date date, char out[11]);
