/* Where people lived, and which telephone they had, year by year backwards. */
#include "household_internal.h"

#include "dice_internal.h"

static const struct gen_spread stays = {3, 4};   /* years in one dwelling: half of them below ten */
static const struct gen_spread numbers = {4, 4}; /* years with one telephone number */
enum { CHANGES_MAX = 8, SAME_TOWN_PERCENT = 65, OTHER_AREA_PERCENT = 15 };

/* Households and humans are numbered apart: the top bit keeps their dice apart. */
static uint64_t household(const struct gen_house *house)
{
    return house->first | 1ull << 63;
}

/* How many changes back lies that year, when every stay is as long as dice say? */
static uint32_t changes_since(uint64_t dice, struct gen_spread spread, uint32_t years_ago)
{
    uint32_t changes = 0, from = 0;
    for (; changes < CHANGES_MAX; changes++) {
        uint64_t state = dice + changes;
        from += 1 + gen_rank(spread, hash_random(&state));
        if (years_ago < from)
            break;
    }
    return changes;
}

/* Whose home was it: the household's, or one the member had alone, before marriage or after leaving the parents? */
static bool lives_apart(const struct gen_member *member, uint64_t dice, uint32_t years_ago)
{
    if (member->away)
        return years_ago <= gen_part(dice, 1, member->age - 17u);
    return member->married_years > 0 && years_ago >= member->married_years;
}

void gen_home_at(const struct gen *gen, const struct gen_house *house, uint64_t index, uint32_t years_ago,
                 struct gen_home *out_home)
{
    const struct gen_member *member = &house->members[index - house->first];
    uint64_t own = gen_throw(gen->seed, index, GEN_SALT_HOME);
    bool apart = lives_apart(member, own, years_ago);
    uint64_t dice = apart ? own : gen_throw(gen->seed, household(house), GEN_SALT_HOME);
    uint32_t move = changes_since(dice, stays, years_ago);
    uint64_t dwelling = dice ^ (move + 1) * 0x9E3779B97F4A7C15u, settles = hash_random(&dwelling);
    bool same_town = gen_chance(settles, 8, SAME_TOWN_PERCENT) || (move == 0 && !apart);
    gen_settle(same_town ? house->town : gen_town_pick(settles >> 1), hash_random(&dwelling), out_home);
}

void gen_phone_at(const struct gen *gen, const struct gen_house *house, uint64_t index, uint32_t years_ago,
                  bool of_household, char out_digits[11])
{
    uint64_t subject = of_household ? household(house) : index, dice = gen_throw(gen->seed, subject, GEN_SALT_PHONE);
    uint32_t change = changes_since(dice, numbers, years_ago);
    uint64_t number = dice ^ (change + 1) * 0x9E3779B97F4A7C15u;
    uint32_t town = !of_household && gen_chance(dice, 9, OTHER_AREA_PERCENT) ? gen_town_pick(dice) : house->town;
    gen_telephone(town, hash_random(&number), out_digits);
}
