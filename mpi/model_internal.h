/*
 * The Fellegi–Sunter model: fields, their levels, and what each level weighs, in millibits of log2(m/u).
 *
 * A model is data with a version; the built-in one is a table in model.c. A comparison is first a vector of levels
 * (pure facts about two rows), then a sum of weights: any stored vector can be weighed again. Source: [FS69].
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
    FIELD_ADDRESS,
    FIELD_NATIONAL,
    FIELD_IDENTIFIER,
    FIELD_MOTHER,
    FIELD_GENERATION,
    FIELD_BIRTH_ORDER,
    FIELD_TWINS,     /* one day, one family or home, two given names */
    FIELD_NEWBORN,   /* no given name of its own */
    FIELD_HOUSEHOLD, /* relatives at one home: what they share is explained by the home */
    FIELD_COUNT,
};
enum { LEVELS_MAX = 12 };

enum name_level {
    NAME_ABSENT,
    NAME_EXACT,
    NAME_EXACT_COMMON,
    NAME_NICKNAME,
    NAME_EDIT,
    NAME_PART,
    NAME_SIMILAR,
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
    BIRTH_SWAPPED,
    BIRTH_TYPO,
    BIRTH_PARTIAL,
    BIRTH_TWO_PARTS,
    BIRTH_YEAR,
    BIRTH_NEAR,
    BIRTH_DIFFERS
};
enum household_level { HOUSEHOLD_NO_SIGN, HOUSEHOLD_ONE, HOUSEHOLD_BOTH };
enum same_level { SAME_ABSENT, SAME_EXACT, SAME_DIFFERS };
enum list_level { LIST_ABSENT, LIST_EXACT, LIST_EDIT, LIST_DIFFERS };
enum address_level { ADDRESS_ABSENT, ADDRESS_HOUSE, ADDRESS_STREET, ADDRESS_POSTCODE, ADDRESS_CITY, ADDRESS_DIFFERS };

struct model_level {
    const char *name;
    int32_t weight_mbit;
};
struct model_field_spec {
    const char *name;
    uint32_t vetoes; /* bit per level: two persons with records at this level are never one person on evidence */
    uint32_t holds;  /* bit per level: two records at this level do not link by themselves; another record of a decided
                        person may */
    struct model_level levels[LEVELS_MAX];
};
struct mpi_model {
    uint32_t version;
    int32_t prior_mbit;  /* log2 odds that two records picked blindly are one person */
    int32_t auto_mbit;   /* score from which two records are linked */
    int32_t review_mbit; /* from which they are put before a steward; also the floor of an edge */
    int32_t clip_mbit;   /* one pair speaks at most this loudly in a cluster */
    struct model_field_spec fields[FIELD_COUNT];
};

extern const struct mpi_model model_builtin;
/* The names of the evidence line that carries the prior: one place, so that equal evidence has equal bytes. */
extern const char model_prior_field[], model_prior_level[];
/* NULL when this build does not have that version. */
const struct mpi_model *model_get(uint32_t version);

struct levels {
    uint8_t at[FIELD_COUNT];
};

/* Facts about two rows; symmetric. Allocates nothing, about 0.3 us. Threads: pure. */
void compare_rows(const struct mpi_row *left, const struct mpi_row *right, struct levels *out_levels);
int32_t weigh_levels(const struct mpi_model *model, const struct levels *levels);
bool levels_veto(const struct mpi_model *model, const struct levels *levels);
bool levels_hold(const struct mpi_model *model, const struct levels *levels);
/* Levels to evidence: one line per field that speaks, and the prior; the weights add up to the score. */
void explain_levels(const struct mpi_model *model, const struct levels *levels, uint64_t left, uint64_t right,
                    struct mpi_comparison *out_comparison);
/* 2^score / (1 + 2^score) in parts per million, by integers: the same on every machine. */
uint32_t probability_ppm(int32_t score_mbit);
