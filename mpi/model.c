#include "model_internal.h"

#include "base/mem.h"

const char model_prior_field[] = "prior", model_prior_level[] = "two records picked blindly";

/*
 * Weights are round figures from general knowledge of registries (how often values agree by chance, how often they are
 * mistyped), checked on one public training set; they are not fitted to anybody's patients.
 * Exact given and family names weigh less when they are among the names that many share (row.c keeps that list).
 */
const struct mpi_model model_builtin =
    {
        .version = 1,
        .prior_mbit = -14000,
        .auto_mbit = 8000,
        .review_mbit = 0,
        .clip_mbit = 15000,
        .fields =
            {
                [FIELD_FAMILY] = {"family name",
                                  0,
                                  0,
                                  {
                                      [NAME_ABSENT] = {"absent", 0},
                                      [NAME_EXACT] = {"exact", 8500},
                                      [NAME_EXACT_COMMON] = {"exact, a common name", 6000},
                                      [NAME_EDIT] = {"one edit apart", 6000},
                                      [NAME_PART] = {"part of the name shared", 5000},
                                      [NAME_SIMILAR] = {"similar", 4000},
                                      [NAME_SOUND] = {"sounds alike", 2000},
                                      [NAME_SWAPPED] = {"swapped with the given name", 6500},
                                      [NAME_DIFFERS] = {"differs", -3500},
                                  }},
                [FIELD_GIVEN] = {"given name",
                                 0,
                                 0,
                                 {
                                     [NAME_ABSENT] = {"absent", 0},
                                     [NAME_EXACT] = {"exact", 7000},
                                     [NAME_EXACT_COMMON] = {"exact, a common name", 5500},
                                     [NAME_NICKNAME] = {"a nickname of the other", 4500},
                                     [NAME_EDIT] = {"one edit apart", 5000},
                                     [NAME_PART] = {"part of the name shared", 3500},
                                     [NAME_SIMILAR] = {"similar", 3000},
                                     [NAME_INITIAL] = {"initial agrees", 2000},
                                     [NAME_SOUND] = {"sounds alike", 1500},
                                     [NAME_SWAPPED] = {"swapped with the family name", 6500},
                                     [NAME_OTHER] = {"is the other's middle name", 2000},
                                     [NAME_DIFFERS] = {"differs", -5000},
                                 }},
                [FIELD_MIDDLE] =
                    {"middle name",
                     0,
                     0,
                     {
                         [NAME_ABSENT] = {"absent", 0},
                         [NAME_EXACT] = {"exact", 3000},
                         [NAME_INITIAL] = {"initial agrees", 1500},
                         [NAME_SIMILAR] = {"similar", 2000},
                         [NAME_DIFFERS] = {"differs", -1500},
                     }},
                [FIELD_BIRTH] =
                    {"birth date",
                     0,
                     0,
                     {
                         [BIRTH_ABSENT] = {"absent", 0},
                         [BIRTH_EXACT] = {"exact", 13500},
                         [BIRTH_ESTIMATED] = {"year agrees, day estimated", 4500},
                         [BIRTH_SWAPPED] = {"day and month swapped", 9000},
                         [BIRTH_TYPO] = {"one digit apart", 6500},
                         [BIRTH_PARTIAL] = {"known parts agree", 7500},
                         [BIRTH_TWO_PARTS] = {"two of three parts agree", 4000},
                         [BIRTH_YEAR] = {"only the year agrees", 1500},
                         [BIRTH_NEAR] = {"years one apart, day estimated", 1500},
                         [BIRTH_DIFFERS] = {"differs", -6500},
                     }},
                [FIELD_SEX] = {"sex",
                               0,
                               0,
                               {
                                   [SAME_ABSENT] = {"absent", 0},
                                   [SAME_EXACT] = {"same", 900},
                                   [SAME_DIFFERS] = {"differs", -4500},
                               }},
                [FIELD_PHONE] = {"phone",
                                 0,
                                 0,
                                 {
                                     [LIST_ABSENT] = {"absent", 0},
                                     [LIST_EXACT] = {"shared", 8500},
                                     [LIST_EDIT] = {"one digit apart", 4500},
                                     [LIST_DIFFERS] = {"differs", -700},
                                 }},
                [FIELD_ADDRESS] = {"address",
                                   0,
                                   0,
                                   {
                                       [ADDRESS_ABSENT] = {"absent", 0},
                                       [ADDRESS_HOUSE] = {"same house", 9500},
                                       [ADDRESS_STREET] = {"same street", 8000},
                                       [ADDRESS_POSTCODE] = {"same postcode", 6000},
                                       [ADDRESS_CITY] = {"same city", 2500},
                                       [ADDRESS_DIFFERS] = {"differs", -2000},
                                   }},
                [FIELD_NATIONAL] = {"national identifier",
                                    0,
                                    0,
                                    {
                                        [LIST_ABSENT] = {"absent", 0},
                                        [LIST_EXACT] = {"same", 17500},
                                        [LIST_EDIT] = {"one edit apart", 9500},
                                        [LIST_DIFFERS] = {"differs", -5000},
                                    }},
                [FIELD_IDENTIFIER] = {"shared identifier",
                                      0,
                                      0,
                                      {
                                          [SAME_ABSENT] = {"none", 0},
                                          [SAME_EXACT] = {"same authority and value", 17500},
                                      }},
                [FIELD_MOTHER] = {"mother's name",
                                  0,
                                  0,
                                  {
                                      [LIST_ABSENT] = {"absent", 0},
                                      [LIST_EXACT] = {"exact", 5000},
                                      [LIST_EDIT] = {"similar", 2500},
                                      [LIST_DIFFERS] = {"differs", -1500},
                                  }},
                [FIELD_GENERATION] = {"generation suffix",
                                      1u << SAME_DIFFERS,
                                      0,
                                      {
                                          [SAME_ABSENT] = {"absent", 0},
                                          [SAME_EXACT] = {"same", 1500},
                                          [SAME_DIFFERS] = {"differs", -20000},
                                      }},
                [FIELD_BIRTH_ORDER] = {"birth order",
                                       1u << SAME_DIFFERS,
                                       0,
                                       {
                                           [SAME_ABSENT] = {"absent", 0},
                                           [SAME_EXACT] = {"same", 1000},
                                           [SAME_DIFFERS] = {"differs", -25000},
                                       }},
                [FIELD_TWINS] = {"twins",
                                 0,
                                 1u << SAME_DIFFERS,
                                 {
                                     [SAME_ABSENT] = {"no sign", 0},
                                     [SAME_DIFFERS] = {"one day and family, two given names", -35000},
                                 }},
                [FIELD_NEWBORN] = {"newborn",
                                   0,
                                   1u << SAME_DIFFERS,
                                   {
                                       [SAME_ABSENT] = {"no sign", 0},
                                       [SAME_DIFFERS] = {"no given name of its own", -14000},
                                   }},
                /* A shared phone or address says much about strangers and little about a family: where the given name
                 * or the birth date speaks for two people, the home that they share takes most of its evidence back. */
                [FIELD_HOUSEHOLD] = {"household",
                                     0,
                                     0,
                                     {
                                         [HOUSEHOLD_NO_SIGN] = {"no sign", 0},
                                         [HOUSEHOLD_ONE] = {"a family's phone or home, another name or birth", -7000},
                                         [HOUSEHOLD_BOTH] = {"a family's phone and home, another name or birth",
                                                             -13000},
                                     }},
            },
};

const struct mpi_model *model_get(uint32_t version)
{
    return version == model_builtin.version ? &model_builtin : NULL;
}

const struct mpi_model *mpi_model_general(void)
{
    return &model_builtin;
}

void mpi_model_free(struct mpi_model *model)
{
    if (model != &model_builtin)
        mem_free(model);
}
