#include "model_internal.h"

#include "base/mem.h"

/*
 * The model for an index that knows nothing about its people yet: round figures from general knowledge of registries,
 * for a region of about a million people. How often values agree by chance, how often they are mistyped, moved or
 * changed, and what families share. Not fitted to anybody's patients.
 */

/* One row: how often records of one person, of two strangers, of two relatives of one home stand at this level. */
#define BITS(share) ((int32_t)(__builtin_log2(share) * 1000 - 0.5))
#define ROW(same, strangers, kin)                                                                                      \
    {                                                                                                                  \
        BITS(same), BITS(strangers), BITS(kin)                                                                         \
    }

const struct mpi_model model_builtin = {
    .version = MODEL_BUILTIN_VERSION,
    .format = 1,
    .name = "general",
    .made_at = "built-in",
    .prior_mbit = -19500,
    .kin_mbit = -18500,
    .namesake_mbit = 1500,
    .auto_mbit = 6644,    /* 99 % */
    .review_mbit = -1000, /* 33 % */
    .clip_mbit = 15000,
    .fields = {
        [FIELD_FAMILY] = {[NAME_EXACT] = ROW(.86, .0012, .72),
                          [NAME_EDIT] = ROW(.03, .0003, .012),
                          [NAME_EDIT_NAMES] = ROW(.015, .0006, .02),
                          [NAME_PART] = ROW(.03, .001, .06),
                          [NAME_SIMILAR] = ROW(.01, .0007, .005),
                          [NAME_SIMILAR_NAMES] = ROW(.005, .001, .01),
                          [NAME_SOUND] = ROW(.01, .003, .01),
                          [NAME_SWAPPED] = ROW(.008, .0000001, .0002),
                          [NAME_DIFFERS] = ROW(.04, .99, .16)},
        [FIELD_GIVEN] = {[NAME_EXACT] = ROW(.83, .006, .03),
                         [NAME_NICKNAME] = ROW(.03, .001, .0007),
                         [NAME_EDIT] = ROW(.035, .0005, .001),
                         [NAME_EDIT_NAMES] = ROW(.02, .0015, .012),
                         [NAME_PART] = ROW(.01, .0005, .002),
                         [NAME_SIMILAR] = ROW(.015, .003, .005),
                         [NAME_SIMILAR_NAMES] = ROW(.006, .004, .015),
                         [NAME_INITIAL] = ROW(.015, .004, .006),
                         [NAME_SOUND] = ROW(.006, .006, .008),
                         [NAME_SWAPPED] = ROW(1, 1, 1), /* said by the family name: one event, not two */
                         [NAME_OTHER] = ROW(.006, .002, .01),
                         [NAME_DIFFERS] = ROW(.006, .975, .91)},
        [FIELD_MIDDLE] = {[NAME_EXACT] = ROW(.62, .012, .05),
                          [NAME_SIMILAR] = ROW(.05, .008, .02),
                          [NAME_INITIAL] = ROW(.25, .06, .1),
                          [NAME_DIFFERS] = ROW(.08, .92, .83)},
        [FIELD_BIRTH] = {[BIRTH_EXACT] = ROW(.93, .00004, .04),
                         [BIRTH_ESTIMATED] = ROW(.015, .0006, .006),
                         [BIRTH_PARTIAL] = ROW(.01, .001, .003),
                         [BIRTH_SWAPPED] = ROW(.006, .00002, .00005),
                         [BIRTH_DAY_SLIP] = ROW(.012, .0003, .001),
                         [BIRTH_MONTH_SLIP] = ROW(.006, .00015, .0006),
                         [BIRTH_YEAR_SLIP] = ROW(.012, .0006, .003),
                         [BIRTH_DAY] = ROW(.004, .0008, .002),
                         [BIRTH_MONTH] = ROW(.003, .0004, .002),
                         [BIRTH_YEAR] = ROW(.002, .002, .003),
                         [BIRTH_ONLY_YEAR] = ROW(.002, .011, .02),
                         [BIRTH_NEAR] = ROW(.002, .001, .004),
                         [BIRTH_TWO_SLIPS] = ROW(.004, .008, .014),
                         [BIRTH_DIFFERS] = ROW(.006, .973, .90)},
        [FIELD_SEX] = {[SEX_SAME] = ROW(.985, .5, .5),
                       [SEX_DIFFERS] = ROW(.015, .5, .5),
                       [SEX_SAME_AS_NAMED] = ROW(.985, .97, .97),
                       [SEX_DIFFERS_UNLIKE_NAME] = ROW(.015, .06, .06)},
        [FIELD_PHONE] = {[LIST_EXACT] = ROW(.55, .000004, .5),
                         [LIST_EDIT] = ROW(.03, .000005, .003),
                         [LIST_DIFFERS] = ROW(.42, 1, .497)},
        [FIELD_EMAIL] = {[EMAIL_EXACT] = ROW(.6, .000002, .15),
                         [EMAIL_LOCAL] = ROW(.08, .00002, .002),
                         [EMAIL_EDIT] = ROW(.07, .0004, .02),
                         [EMAIL_DIFFERS] = ROW(.25, .9995, .83)},
        [FIELD_ADDRESS] = {[ADDRESS_HOUSE] = ROW(.55, .000015, .86),
                           [ADDRESS_STREET] = ROW(.05, .0002, .03),
                           [ADDRESS_POSTCODE] = ROW(.08, .004, .03),
                           [ADDRESS_LINE] = ROW(.02, .00002, .01),
                           [ADDRESS_CITY] = ROW(.1, .02, .03),
                           [ADDRESS_AREA] = ROW(.05, .02, .02),
                           [ADDRESS_DIFFERS] = ROW(.15, .955, .03)},
        [FIELD_NATIONAL] = {[LIST_EXACT] = ROW(.93, .0000002, .004),
                            [LIST_EDIT] = ROW(.04, .0000005, .0005),
                            [LIST_DIFFERS] = ROW(.03, 1, .996)},
        [FIELD_IDENTIFIER] = {[SAME_EXACT] = ROW(.95, .000001, .004)},
        [FIELD_MOTHER] = {[LIST_EXACT] = ROW(.75, .0015, .45),
                          [LIST_EDIT] = ROW(.13, .003, .08),
                          [LIST_DIFFERS] = ROW(.12, .9955, .47)},
        [FIELD_BIRTH_PLACE] =
            {[LIST_EXACT] = ROW(.75, .01, .5), [LIST_EDIT] = ROW(.1, .01, .05), [LIST_DIFFERS] = ROW(.15, .98, .45)},
        [FIELD_GENERATION] = {[SAME_EXACT] = ROW(.97, .35, .2), [SAME_DIFFERS] = ROW(.03, .65, .8)},
        [FIELD_BIRTH_ORDER] = {[SAME_EXACT] = ROW(.97, .5, .1), [SAME_DIFFERS] = ROW(.03, .5, .9)},
        [FIELD_AUTHORITY] = {[SAME_EXACT] = ROW(.12, .4, .4), [SAME_DIFFERS] = ROW(.88, .6, .6)},
    }};

const struct mpi_model *mpi_model_general(void)
{
    return &model_builtin;
}

void mpi_model_free(struct mpi_model *model)
{
    if (model == NULL || model == &model_builtin)
        return;
    for (size_t i = 0; i < VALUE_KINDS; i++)
        value_table_fini(&model->values[i]);
    mem_free(model);
}

struct mpi_model *mpi_model_guessing(const struct mpi_model *model)
{
    struct mpi_model *copy = mem_copy(model, sizeof *copy);
    for (size_t i = 0; i < VALUE_KINDS; i++)
        copy->values[i] = value_table_copy(&model->values[i]);
    copy->auto_mbit = 0;
    copy->guesses = true;
    return copy;
}
