/*
 * More than a thousand made-up people of whom no two are alike. Two records of one number are alike enough to ask
 * about, and not enough to be one person without being asked: common names, one year of birth, nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum { ALIKE_PEOPLE_MAX = 41 * 26 };

static inline const char *alike_family(unsigned number)
{
    static const char *const names[41] = {
        "adams",   "baker",   "campbell", "davies",   "edwards",  "flores",   "garcia", "hernandez", "ivanov",
        "jackson", "khan",    "lopez",    "murphy",   "nguyen",   "ortiz",    "patel",  "ramirez",   "schmidt",
        "taylor",  "suzuki",  "turner",   "williams", "zhang",    "hughes",   "brown",  "cruz",      "gomez",
        "hassan",  "kim",     "mitchell", "nelson",   "phillips", "robinson", "singh",  "tran",      "young",
        "walker",  "morales", "huang",    "evans",    "fernandez"};
    return names[number % 41];
}

static inline const char *alike_given(unsigned number)
{
    static const char *const names[26] = {
        "alexander", "benjamin", "carlos", "david",   "eric",    "francisco", "george",  "jacob",    "kevin",
        "luis",      "matthew",  "samuel", "peter",   "ryan",    "timothy",   "william", "nicholas", "dennis",
        "jose",      "mohammed", "paul",   "anthony", "charles", "stephen",   "juan",    "mark"};
    return names[number / 41 % 26];
}

/* "YYYYMMDD": with a name that many have not enough to be sure */
static inline void alike_birth(unsigned number, char out_date[9])
{
    snprintf(out_date, 9, "%04u0505", 1910 + number % 89);
}
