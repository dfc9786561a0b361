/* Made-up people with the usual slips, from a seed. Small pools, so that strangers look alike too. */
#pragma once

#include "world.h"

static inline const char *people_pick(uint64_t *seed, const char *const *from, size_t count)
{
    return from[hash_random(seed) % count];
}

struct person_text {
    char id[16], family[32], given[32], birth[12], phone[16], ssn[16], line[32];
    struct human human;
};

/* A record of human number `who`, with slips. */
static inline void people_make(uint64_t *seed, uint32_t id, uint32_t who, struct person_text *out)
{
    static const char *const families[] = {"Lindqvist", "Okonkwo", "Smith", "Moreau", "Nakamura", "Petrov"};
    static const char *const givens[] = {"Anna", "Robert", "Claire", "Chidi", "Kenta", "Olga", "John", "Maria"};
    uint64_t of = who * 7919u + 13;
    *out = (struct person_text){0};
    snprintf(out->id, sizeof out->id, "%u", id);
    snprintf(out->family, sizeof out->family, "%s", people_pick(&of, families, 6));
    snprintf(out->given, sizeof out->given, "%s", people_pick(&of, givens, 8));
    snprintf(out->birth, sizeof out->birth, "19%02u%02u%02u", (unsigned)(hash_random(&of) % 4 + 70),
             (unsigned)(hash_random(&of) % 3 + 1), (unsigned)(hash_random(&of) % 3 + 1));
    snprintf(out->phone, sizeof out->phone, "20655501%02u", (unsigned)(hash_random(&of) % 5 + 10));
    snprintf(out->ssn, sizeof out->ssn, "53622%04u", (unsigned)(1000 + who));
    snprintf(out->line, sizeof out->line, "%u Elm St", (unsigned)(hash_random(&of) % 4 + 1));
    uint64_t slip = hash_random(seed) % 10;
    if (slip == 0)
        out->family[1] = 'x';
    if (slip == 1)
        out->given[1] = 'q';
    if (slip == 2)
        out->birth[7] = '9';
    out->human = (struct human){.id = out->id,
                                .family = out->family,
                                .given = out->given,
                                .birth = out->birth,
                                .sex = hash_random(&of) % 2 ? 'F' : 'M'};
    uint64_t has = hash_random(seed);
    if (has & 1)
        out->human.phone = out->phone;
    if ((has & 6) == 6)
        out->human.ssn = out->ssn;
    if (has & 8) {
        out->human.line = out->line;
        out->human.postcode = "98101";
    }
    if ((has & 0xF0) == 0)
        out->human.given = NULL;
    if ((has & 0xF00) == 0)
        out->human.suffix = has & 0x1000 ? "Jr" : "Sr";
}
