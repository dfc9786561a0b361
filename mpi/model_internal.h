/*
 * The Fellegi–Sunter model with relatives. A comparison of two records is first a vector of levels, pure facts about
 * two rows; then a sum of weights. Any vector can be weighed again.
 *
 * Every level of a field has three frequencies: how often records of one person stand at it (same), how often two
 * strangers do, and how often two relatives of one home do. A field weighs log2(same / strangers); where the value that
 * both share is known to be frequent or rare here, its own frequency stands for the strangers'. What two records share
 * because they are relatives is taken back as one sum, never field by field, because a home explains family name,
 * address and phone at once:
 *
 *     score = prior + sum of weights - log2(1 + 2^(relatives + sum of log2(kin / strangers)))
 *
 * Units: millibits everywhere, integers, so that every machine has the same clusters. Sources: [FS69]; docs/adr/0011.
 */
#pragma once

#include "mpi/model.h"
#include "row_internal.h"

enum model_field {
    FIELD_FAMILY,
    FIELD_GIVEN,
    FIELD_MIDDLE,
    FIELD_BIRTH,
    FIELD_SEX,
    FIELD_PHONE,
    FIELD_EMAIL,
    FIELD_ADDRESS,
    FIELD_NATIONAL,
    FIELD_IDENTIFIER,
    FIELD_MOTHER,
    FIELD_BIRTH_PLACE,
    FIELD_GENERATION,
    FIELD_BIRTH_ORDER,
    FIELD_AUTHORITY, /* who gave the two records their own identifiers */
    FIELD_RELATIVES, /* what looks like two people of one home */
    FIELD_NEWBORN,   /* no given name of its own */
    FIELD_CONTRADICTION,
    FIELD_COUNT,
};
enum { LEVELS_MAX = 16 };

enum name_level {
    NAME_ABSENT,
    NAME_EXACT,
    NAME_NICKNAME,
    NAME_EDIT,       /* one edit apart, and one of the two is nobody's name here: a slip */
    NAME_EDIT_NAMES, /* one edit apart, and both are names */
    NAME_PART,
    NAME_SIMILAR,
    NAME_SIMILAR_NAMES,
    NAME_INITIAL,
    NAME_SOUND,
    NAME_SWAPPED,
    NAME_OTHER,
    NAME_DIFFERS
};
enum birth_level {
    BIRTH_ABSENT,
    BIRTH_EXACT,
    BIRTH_ESTIMATED,
    BIRTH_PARTIAL,
    BIRTH_SWAPPED,
    BIRTH_DAY_SLIP, /* one digit, or two neighbours in each other's place */
    BIRTH_MONTH_SLIP,
    BIRTH_YEAR_SLIP,
    BIRTH_DAY, /* only the day differs, and by more */
    BIRTH_MONTH,
    BIRTH_YEAR,
    BIRTH_ONLY_YEAR, /* only the year agrees */
    BIRTH_NEAR,      /* years one apart, day estimated */
    BIRTH_TWO_SLIPS, /* two digits of the whole date */
    BIRTH_DIFFERS
};
enum same_level { SAME_ABSENT, SAME_EXACT, SAME_DIFFERS };
/* Of two who bear one given name the sex says little more: the name has said it. */
enum sex_level { SEX_ABSENT, SEX_SAME, SEX_DIFFERS, SEX_SAME_AS_NAMED, SEX_DIFFERS_UNLIKE_NAME };
enum list_level { LIST_ABSENT, LIST_EXACT, LIST_EDIT, LIST_DIFFERS };
enum email_level { EMAIL_ABSENT, EMAIL_EXACT, EMAIL_LOCAL, EMAIL_EDIT, EMAIL_DIFFERS };
enum address_level {
    ADDRESS_ABSENT,
    ADDRESS_HOUSE,
    ADDRESS_STREET,
    ADDRESS_LINE, /* street and number, of places that differ */
    ADDRESS_POSTCODE,
    ADDRESS_CITY,
    ADDRESS_AREA, /* postcodes nearly agree */
    ADDRESS_DIFFERS
};
enum relatives_level { RELATIVES_NO_SIGN, RELATIVES_TWINS, RELATIVES_NAMESAKES };
enum contradiction_level { CONTRADICTION_NONE, CONTRADICTION_TWO, CONTRADICTION_MORE };

/* ---- fields.c: what there is to compare; the same in every model ---- */

struct model_field_spec {
    const char *name;
    uint32_t vetoes; /* bit per level: two persons with records at this level are never one person on evidence */
    uint32_t holds;  /* bit per level: two records at this level do not link by themselves; another record of a decided
                        person may */
    bool learned;    /* its frequencies are estimated when a model is trained */
    bool of_a_home;  /* those of relatives too; of the other fields they are what families are like anywhere */
    const char *levels[LEVELS_MAX]; /* [0]: silence; NULL: no such level */
};
extern const struct model_field_spec model_fields[FIELD_COUNT];
/* The evidence lines that no field has: one place, so that equal evidence has equal bytes. */
extern const char model_prior_field[], model_prior_level[], model_kin_field[], model_kin_level[];

/* ---- how often values occur here ---- */

enum value_kind {
    VALUE_FAMILY,
    VALUE_GIVEN,
    VALUE_FULL_NAME,
    VALUE_GIVEN_MIDDLE,
    VALUE_BIRTH,
    VALUE_PHONE,
    VALUE_EMAIL,
    VALUE_NATIONAL,
    VALUE_HOUSE,
    VALUE_POSTCODE,
    VALUE_CITY,
    VALUE_BIRTH_PLACE,
    VALUE_SOURCE, /* who gave a record its own identifier: how its two numbers of one person compare with chance */
    VALUE_KINDS,
    /* counted, but in no model: names of one year of birth */
    VALUE_FAMILY_YEAR = VALUE_KINDS,
    VALUE_GIVEN_YEAR,
    VALUE_FULL_NAME_YEAR,
};
/*
 * Rarity: one byte for -log2(frequency of a value) in quarters of a bit, 1 to 127, and a bit that tells that the value
 * is a known one; 0: nothing is known, the level's own frequency counts.
 */
enum { RARITY_MBIT = 250, RARITY_TOP = 127, RARITY_KNOWN = 128 };

struct value_rarity {
    uint64_t value; /* hash of the folded value, never 0 */
    uint8_t rarity;
};
struct value_table {
    struct value_rarity *at; /* ascending value */
    uint32_t count;
    uint8_t rest;    /* rarity of a value that is not listed; 0: the level's frequency */
    uint32_t *index; /* of the first value whose top bits are at least i */
};

/* How the records that a model was made from use a kind of value: in parts per million. */
struct value_use {
    uint32_t said_ppm;   /* records that say one, of all */
    uint32_t listed_ppm; /* values that its table lists, of all that are said */
};

/* ---- a model ---- */

struct frequency {
    int32_t same, strangers, kin; /* millibits of log2, at most 0 */
};
enum { MODEL_WORD_MAX = 63 };
struct mpi_model {
    uint32_t version; /* given when it is activated, not part of its text; 2: the general one, 0: none yet */
    char name[MODEL_WORD_MAX + 1], made_at[MODEL_WORD_MAX + 1]; /* for people; letters, digits and . : + - _ */
    uint64_t records, persons;                                  /* that it was made from; for people */
    int32_t prior_mbit; /* log2 odds that two records picked blindly are one person */
    int32_t kin_mbit;   /* log2 odds that two people picked blindly are relatives of one home */
    /* How much more often strangers share both names than each name's frequency tells: people of one community do. */
    int32_t namesake_mbit;
    int32_t auto_mbit;   /* score from which two records are linked */
    int32_t review_mbit; /* from which they are put before a steward; also the floor of an edge */
    /* How much likelier two are one person that fit each other and nobody else: a record whose human is in the index
     * under other records as well would have met them. -log2 of the share of records that are alone; 0: not counted. */
    int32_t alone_mbit;
    int32_t clip_mbit; /* one pair speaks at most this loudly in a cluster */
    uint8_t format;    /* of its text: 1, or 2 with sources and with how values are used; what one has it keeps */
    struct value_use use[VALUE_KINDS]; /* format 2 */
    bool guesses; /* answers what a person would be asked as well, by the odds alone: for measuring, never live */
    struct frequency fields[FIELD_COUNT][LEVELS_MAX];
    struct value_table values[VALUE_KINDS];
};

enum { MODEL_BUILTIN_VERSION = 2, MODEL_FORMAT = 2 };
extern const struct mpi_model model_builtin;

/* What values are called in a model's text. */
extern const char *const model_value_names[VALUE_KINDS];

struct levels {
    uint8_t at[FIELD_COUNT];
    uint8_t rarity[FIELD_COUNT]; /* of the value that both share, quarters of a bit; 0: the level's frequency */
};

/* The two may be one name, however spelt. */
static inline bool name_agrees(uint8_t level)
{
    return level != NAME_ABSENT && level != NAME_OTHER && level != NAME_DIFFERS && level != NAME_SWAPPED;
}

/* Facts about two rows; symmetric. Allocates nothing, about 0.3 us. Threads: pure. */
void compare_rows(const struct mpi_row *left, const struct mpi_row *right, struct levels *out_levels);
/* Its steps, in this order, into levels that are all-zero at first. Numbers cost next to nothing. */
void compare_numbers(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels);
void compare_names(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels);
void compare_rest(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels);
int32_t weigh_levels(const struct mpi_model *model, const struct levels *levels);
/* log2 of how often strangers stand at the level of a field, or have just the value that both share. */
int32_t strangers_at(const struct mpi_model *model, const struct levels *levels, size_t field);
/* The same of relatives. */
int32_t kin_at(const struct mpi_model *model, const struct levels *levels, size_t field);
/* What one field says. */
int32_t weigh_field(const struct mpi_model *model, const struct levels *levels, enum model_field field);
/*
 * What is known of two who have several records: adds what two further records of them say. Of every field what speaks
 * most for one person, once, as somebody is known under all names and addresses that were ever said; that one source
 * gave two numbers stays so. In any order. What warns (relatives, newborn, contradictions) is left out.
 */
void levels_join(const struct mpi_model *model, struct levels *known, const struct levels *more);
bool levels_veto(const struct levels *levels);
bool levels_hold(const struct mpi_model *model, const struct levels *levels);
/* Levels to evidence: one line per field that speaks, one for what relatives share, and the prior; the weights add up
 * to the score. */
void explain_levels(const struct mpi_model *model, const struct levels *levels, uint64_t left, uint64_t right,
                    struct mpi_comparison *out_comparison);
/* 2^score / (1 + 2^score) in parts per million, by integers: the same on every machine. */
uint32_t probability_ppm(int32_t score_mbit);
/* log2(1 + 2^x), both in millibits, by integers; within 2 millibits. */
int32_t log2_one_plus(int32_t x_mbit);

/* ---- reach.c: whether two reach a score ---- */

/*
 * Nearly all who share a key are far from alike, and what they share shows it before their names are looked at letter
 * by letter. How much a field can weigh at most, under one model.
 */
struct reach {
    const struct mpi_model *model;
    int32_t most[FIELD_COUNT];           /* of any level, silence too */
    int32_t family_unlike, given_unlike; /* of names that are not equal */
    int32_t address_unlike;              /* of addresses whose postcodes and house numbers are not */
};
/* The model must outlive it. */
void reach_make(struct reach *reach, const struct mpi_model *model);
/*
 * compare_rows() and weigh_levels(), left off once the two cannot come to `least_mbit`: false then, and only then is
 * the score below it. Outputs are told when it is true. Pure.
 */
bool reach_compare(const struct reach *reach, const struct mpi_row *left, const struct mpi_row *right,
                   int32_t least_mbit, struct levels *out_levels, int32_t *out_score_mbit);

/* ---- rarity.c ---- */

/* Writes into a row how rare its values are under a model. Pure. */
void row_set_rarity(const struct mpi_model *model, struct mpi_row *row);
/* Hashes of the values of one kind that a row has, each once; at most ROW_VALUES_ROOM. */
enum { ROW_VALUES_ROOM = 4 };
/* The hash that a family or given name is counted by; 0: it is none. */
uint64_t row_name_value(struct str name, enum value_kind kind);
size_t row_values(const struct mpi_row *row, enum value_kind kind, uint64_t out_values[ROW_VALUES_ROOM]);
/* Sorts `values` (each once) and takes them. */
void value_table_make(struct value_table *table, struct value_rarity *values, size_t count, uint8_t rest);
/* Takes values as a table has them: spread and ascending. */
void value_table_take(struct value_table *table, struct value_rarity *values, size_t count, uint8_t rest);
struct value_table value_table_copy(const struct value_table *table);
void value_table_fini(struct value_table *table);
uint8_t value_table_get(const struct value_table *table, uint64_t value);
bool value_table_lists(const struct value_table *table, uint64_t value);
