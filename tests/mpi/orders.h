/* Sets of records to be told in any order: made people, FEBRL-like files, cases, a crowd. */
#pragma once

#include "world.h"

#include "examples/gen.h"

enum { SET_MAX = 200, SET_DECISIONS = 16 };

struct told { /* one record; texts in the set's arena */
    struct mpi_identifier numbers[3];
    struct mpi_name names[2];
    struct str phone;
    struct mpi_address address;
    struct mpi_record_input input;
};
struct set_decision { /* by identifier, or a steward's: SAME, DIFFERENT */
    enum mpi_decision_kind kind;
    uint32_t left, right; /* places in the set */
};
struct set {
    const char *name;
    struct told told[SET_MAX];
    uint32_t count;
    struct set_decision decisions[SET_DECISIONS];
    uint32_t decision_count;
    uint32_t block_cap;
};

static inline struct str set_keep(struct arena *arena, const char *text)
{
    return arena_str(arena, str_from(text));
}

/* Fills in what points into `told` itself. */
static inline void set_close(struct told *told, size_t numbers, size_t names)
{
    struct mpi_record_input *input = &told->input;
    const struct mpi_address *home = &told->address;
    input->identifiers = told->numbers;
    input->identifier_count = numbers;
    input->demographics.names = told->names;
    input->demographics.name_count = names;
    input->demographics.phones = &told->phone;
    input->demographics.phone_count = told->phone.len > 0;
    input->demographics.addresses = &told->address;
    input->demographics.address_count = home->line.len + home->city.len + home->postcode.len > 0;
}

static inline struct told *set_add(struct set *set)
{
    assert_true(set->count < SET_MAX);
    return &set->told[set->count++];
}

static inline void set_decide(struct set *set, enum mpi_decision_kind kind, uint32_t left, uint32_t right)
{
    assert_true(set->decision_count < SET_DECISIONS);
    set->decisions[set->decision_count++] = (struct set_decision){kind, left, right};
}

/* ---- made people ---- */

static inline void set_tell_made(struct arena *arena, const struct gen_record *record, struct told *told)
{
    told->numbers[0] = (struct mpi_identifier){set_keep(arena, gen_source_authority(record->source)),
                                               set_keep(arena, record->id), STR("MR")};
    told->numbers[1] = (struct mpi_identifier){STR("NATID"), set_keep(arena, record->national_id), STR("NI")};
    told->names[0] = (struct mpi_name){.family = set_keep(arena, record->family),
                                       .given = set_keep(arena, record->given),
                                       .middle = set_keep(arena, record->middle),
                                       .suffix = set_keep(arena, record->suffix)};
    told->names[1] = (struct mpi_name){
        .family = set_keep(arena, record->former_family), .given = told->names[0].given, .type = STR("M")};
    told->phone = set_keep(arena, record->phone);
    told->address = (struct mpi_address){.line = set_keep(arena, record->line),
                                         .city = set_keep(arena, record->city),
                                         .postcode = set_keep(arena, record->postcode)};
    struct mpi_demographics *said = &told->input.demographics;
    said->birth_date = record->birth_date;
    said->sex = record->sex;
    said->mother.family = set_keep(arena, record->mother_family);
    said->multiple_birth = record->multiple_birth;
    said->birth_order = record->birth_order;
    size_t names = !(record->family[0] || record->given[0]) ? 0 : record->former_family[0] ? 2 : 1;
    set_close(told, record->national_id[0] ? 2 : 1, names);
}

static inline void set_of_made_people(struct arena *arena, uint64_t seed, struct set *out)
{
    struct gen gen;
    *out = (struct set){.name = "made people", .block_cap = 16};
    gen_init(&gen, &(struct gen_options){.seed = seed, .people = 5000});
    for (uint64_t human = 0; out->count + GEN_RECORDS_PER_HUMAN < 150; human++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        size_t count = gen_records(&gen, human, records);
        for (size_t i = 0; i < count; i++)
            set_tell_made(arena, &records[i], set_add(out));
    }
}

/* ---- as FEBRL's third file: up to five copies of an original, up to two changes a field, ten a copy ---- */

enum {
    FEBRL_FIELDS = 8
}; /* given, family, number and street, suburb, postcode, birth, social security number, phone */
struct febrl {
    char field[FEBRL_FIELDS][48];
};

static inline void febrl_original(uint64_t *random, struct febrl *out)
{
    static const char *const givens[] = {"emiily", "joshua",  "isabella", "lachlan",
                                         "chloe",  "jackson", "georgia",  "matthew"};
    static const char *const families[] = {"clarke", "white",    "nguyen", "campbell",
                                           "ryan",   "mccarthy", "webb",   "green"};
    static const char *const streets[] = {"barrallier street", "goyder street", "crossing place", "degraves crescent"};
    static const char *const suburbs[] = {"toowoomba", "mosman", "frankston", "ballarat", "port noarlunga"};
    unsigned at[6];
    for (size_t i = 0; i < 6; i++)
        at[i] = (unsigned)(hash_random(random) >> 33);
    *out = (struct febrl){0};
    snprintf(out->field[0], 48, "%s", givens[at[0] % 8]);
    snprintf(out->field[1], 48, "%s", families[at[1] % 8]);
    snprintf(out->field[2], 48, "%u %s", at[2] % 40 + 1, streets[at[2] % 4]);
    snprintf(out->field[3], 48, "%s", suburbs[at[3] % 5]);
    snprintf(out->field[4], 48, "%u", 2000 + at[3] % 5 * 113);
    snprintf(out->field[5], 48, "19%02u%02u%02u", 20 + at[4] % 70, at[4] / 70 % 12 + 1, at[4] / 840 % 28 + 1);
    snprintf(out->field[6], 48, "%07u", 1000000 + at[5] % 8999999);
    snprintf(out->field[7], 48, "0%u %08u", 2 + at[5] % 7, at[5] % 99999999);
}

static inline void febrl_slip(uint64_t *random, char *text)
{
    size_t len = strlen(text), at = len ? hash_random(random) % len : 0;
    uint64_t kind = hash_random(random) % 5;
    if (len == 0 || kind == 0) {
        text[0] = 0;
    } else if (kind == 1 && len < 46) {
        memmove(text + at + 1, text + at, len - at + 1);
    } else if (kind == 2) {
        memmove(text + at, text + at + 1, len - at);
    } else if (kind == 3 && at + 1 < len) {
        char swap = text[at];
        text[at] = text[at + 1];
        text[at + 1] = swap;
    } else {
        text[at] = text[at] >= 'a' ? (char)('a' + hash_random(random) % 26) : (char)('0' + hash_random(random) % 10);
    }
}

static inline void febrl_tell(struct arena *arena, const struct febrl *febrl, uint32_t original, uint32_t copy,
                              struct told *told)
{
    told->numbers[0] =
        (struct mpi_identifier){STR("FEBRL"), arena_printf(arena, "rec-%u-dup-%u", original, copy), STR("MR")};
    told->numbers[1] = (struct mpi_identifier){STR("AUS"), set_keep(arena, febrl->field[6]), STR("SS")};
    told->names[0] =
        (struct mpi_name){.given = set_keep(arena, febrl->field[0]), .family = set_keep(arena, febrl->field[1])};
    told->address = (struct mpi_address){.line = set_keep(arena, febrl->field[2]),
                                         .city = set_keep(arena, febrl->field[3]),
                                         .postcode = set_keep(arena, febrl->field[4])};
    told->phone = set_keep(arena, febrl->field[7]);
    (void)date_parse(str_from(febrl->field[5]), &told->input.demographics.birth_date);
    set_close(told, febrl->field[6][0] ? 2 : 1, febrl->field[0][0] || febrl->field[1][0]);
}

static inline void set_like_febrl(struct arena *arena, uint64_t seed, struct set *out)
{
    *out = (struct set){.name = "FEBRL-like", .block_cap = 6};
    for (uint32_t original = 0; out->count + 6 < 150; original++) {
        struct febrl first;
        febrl_original(&seed, &first);
        febrl_tell(arena, &first, original, 0, set_add(out));
        for (uint32_t copy = (uint32_t)(hash_random(&seed) % 6); copy > 0; copy--) {
            struct febrl changed = first;
            for (uint64_t slips = 1 + hash_random(&seed) % 10; slips > 0; slips--)
                febrl_slip(&seed, changed.field[hash_random(&seed) % FEBRL_FIELDS]);
            febrl_tell(arena, &changed, original, copy, set_add(out));
        }
    }
}

/* ---- cases: twins, relatives, generations, shared numbers, newborns, changed names; and what was decided of some ----
 */

static inline void set_tell_human(struct arena *arena, const struct human *human, struct told *told)
{
    static const char *const nothing = "";
#define SAID(text) set_keep(arena, (text) ? (text) : nothing)
    told->numbers[0] =
        (struct mpi_identifier){SAID(human->authority ? human->authority : "HOSP"), SAID(human->id), STR("MR")};
    told->numbers[1] = (struct mpi_identifier){STR("USA"), SAID(human->ssn), STR("SS")};
    told->names[0] = (struct mpi_name){.family = SAID(human->family),
                                       .given = SAID(human->given),
                                       .middle = SAID(human->middle),
                                       .suffix = SAID(human->suffix)};
    told->phone = SAID(human->phone);
    told->address =
        (struct mpi_address){.line = SAID(human->line), .city = SAID(human->city), .postcode = SAID(human->postcode)};
    struct mpi_demographics *said = &told->input.demographics;
    if (human->birth)
        (void)date_parse(str_from(human->birth), &said->birth_date);
    said->sex = human->sex;
    said->mother.family = SAID(human->mother);
    said->multiple_birth = human->multiple;
    said->birth_order = human->birth_order;
#undef SAID
    set_close(told, human->ssn ? 2 : 1, human->family || human->given);
}

static inline void set_of_cases(struct arena *arena, struct set *out)
{
#define OAK .phone = "2065550199", .line = "7 Oak Ave", .postcode = "98102"
#define ELM .phone = "2065550143", .line = "12 Elm St", .postcode = "98101"
    static const struct human humans[] = {
        {.family = "Moreau", .given = "Claire", .birth = "20190505", .sex = 'F', .mother = "Petit", OAK},
        {.family = "Moreau", .given = "Juliette", .birth = "20190505", .sex = 'F', .mother = "Petit", OAK},
        {.family = "Moreau", .given = "J", .birth = "20190505", .sex = 'F', .mother = "Petit", OAK},
        {.family = "Moreau", .given = "Baby Girl", .birth = "20190505", .sex = 'F', .mother = "Petit", OAK},
        {.family = "Moreau", .given = "Jana", .birth = "20210505", .sex = 'F', OAK, .multiple = true, .birth_order = 1},
        {.family = "Moreau", .given = "Jane", .birth = "20210505", .sex = 'F', OAK, .multiple = true, .birth_order = 2},
        {.family = "Moreau", .given = "Jane", .birth = "20210505", .sex = 'F', OAK, .multiple = true},
        {.family = "Petit", .given = "Helene", .birth = "19890412", .sex = 'F', .ssn = "536220413", OAK},
        {.family = "Moreau", .given = "Helene", .birth = "19890412", .sex = 'F', .ssn = "536220413", OAK},
        {.family = "Moreau", .given = "Luc", .birth = "19870412", .sex = 'M', .ssn = "536220413", OAK},
        {.family = "Harcourt", .given = "Robert", .birth = "19611112", .sex = 'M', .suffix = "Sr", ELM},
        {.family = "Harcourt", .given = "Robert", .birth = "19891112", .sex = 'M', .suffix = "Jr", ELM},
        {.family = "Harcourt", .given = "Bob", .birth = "19611112", .sex = 'M', ELM},
        {.family = "Harcourt", .given = "Robert", .birth = "1961", .sex = 'M', .phone = "2065550143"},
        {.family = "Harcourt", .given = "R", .birth = "19891112", .sex = 'M', .ssn = "418559032"},
        {.family = "Harcourt", .given = "Robert", .birth = "19891211", .sex = 'M', .ssn = "418559032"},
        {.family = "Okonkwo", .given = "Chidi", .birth = "19750304", .sex = 'M', .phone = "0772300633"},
        {.family = "Okonkwo", .given = "Chidi", .birth = "19750403", .sex = 'M', .phone = "+256772300633"},
        {.family = "Okonkwo", .given = "Chidi", .birth = "19750403", .sex = 'M', .line = "Shelter", .city = "Seattle"},
        {.family = "Okonkwo", .given = "Chima", .birth = "19760304", .sex = 'M', .line = "Shelter", .city = "Seattle"},
        {.family = "Nakamura", .given = "Kenta", .birth = "19910816", .sex = 'M', .phone = "2065550150"},
        {.family = "Kenta", .given = "Nakamura", .birth = "19910816", .sex = 'M', .phone = "2065550150"},
        {.family = "Haddad", .given = "Abdelkarim", .birth = "19790130", .sex = 'M', .phone = "2065550177"},
        {.family = "Al-Haddad", .given = "Abd al-Karim", .birth = "19790130", .sex = 'M', .phone = "2065550177"},
        {.family = "Smith", .given = "John", .birth = "19700101", .sex = 'M'},
        {.family = "Smith", .given = "John", .birth = "19700101", .sex = 'M'},
        {.family = "Smith", .given = "John", .birth = "19700106", .sex = 'M'},
        {.family = "Smith", .given = "John", .birth = "19700106", .sex = 'M', .line = "12 Elm St", .postcode = "98101"},
        {.family = "Smith", .given = "John", .birth = "19700106", .sex = 'M', ELM},
        {.family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F', .ssn = "536221043"},
        {.family = "Sandoval", .given = "Anna", .birth = "19800229", .sex = 'F', .ssn = "536221043", ELM},
        {.family = "Sandoval", .given = "Ana", .birth = "19800229", .sex = 'F', ELM},
        {.family = "Lindqvist", .given = "Anne", .birth = "19800228", .sex = 'F', ELM},
        {.family = "Lindqvist", .given = "Anna", .birth = "19820229", .sex = 'F', ELM},
        {.phone = "2065550143"},
        {.family = "Lindqvist"},
    };
    *out = (struct set){.name = "cases", .block_cap = 3};
    for (size_t copy = 0; copy < 2; copy++) /* two hospitals know nearly all of them */
        for (size_t i = 0; i < sizeof humans / sizeof humans[0]; i++) {
            struct human human = humans[i];
            human.authority = copy ? "LAKE" : "HOSP";
            human.id = arena_printf(arena, "%zu", i).data;
            human.phone = copy && i % 3 == 0 ? NULL : human.phone;
            human.ssn = copy && i % 4 == 0 ? NULL : human.ssn;
            if (copy == 0 || i % 5)
                set_tell_human(arena, &human, set_add(out));
        }
    set_decide(out, MPI_DECISION_SAME, 0, 3);
    set_decide(out, MPI_DECISION_DIFFERENT, 1, 2);
    set_decide(out, MPI_DECISION_MERGE, 16, 17);
    set_decide(out, MPI_DECISION_MERGE, 17, 18);
    set_decide(out, MPI_DECISION_LINK, 24, 28);
    set_decide(out, MPI_DECISION_UNLINK, 24, 28);
    set_decide(out, MPI_DECISION_SAME, 29, 33);
    set_decide(out, MPI_DECISION_DIFFERENT, 30, 32);
    set_decide(out, MPI_DECISION_MERGE, 40, 41);
#undef OAK
#undef ELM
}

/* ---- a crowd: many who say the same, twins among them, and a bit more said by some ---- */

static inline void set_of_crowd(struct arena *arena, uint64_t seed, struct set *out)
{
    static const char *const givens[] = {"Helga", "Hilda", "Helga", "H"};
    static const char *const births[] = {"19800601", "19800601", "19800611", "1980"};
    *out = (struct set){.name = "a crowd", .block_cap = 2};
    for (uint32_t i = 0; i < 120; i++) {
        uint64_t is = hash_random(&seed);
        struct human human = {.id = arena_printf(arena, "%u", i).data, .family = "Thornbury", .sex = 'F'};
        human.authority = is & 1 ? "HOSP" : "LAKE";
        human.given = givens[is >> 1 & 3];
        human.birth = births[is >> 3 & 3];
        human.phone = is >> 5 & 1 ? "2065550143" : NULL;
        human.line = is >> 6 & 1 ? "12 Elm St" : NULL;
        human.postcode = is >> 6 & 1 ? "98101" : NULL;
        human.ssn = (is >> 7 & 15) == 0 ? "536220413" : (is >> 7 & 15) == 1 ? "418559032" : NULL;
        human.birth_order = (is >> 11 & 15) < 2 ? (uint8_t)((is >> 11 & 15) + 1) : 0;
        set_tell_human(arena, &human, set_add(out));
    }
    set_decide(out, MPI_DECISION_DIFFERENT, 3, 4);
    uint32_t other = 6;
    while (!str_eq(out->told[other].numbers[0].authority, out->told[5].numbers[0].authority))
        other++;
    set_decide(out, MPI_DECISION_MERGE, 5, other);
    set_decide(out, MPI_DECISION_LINK, 7, 9);
}
