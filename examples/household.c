/* Households: what kinds there are, and who is in one. */
#include "household_internal.h"

#include "dice_internal.h"

/* The day on which the made-up world stands still; messages begin on the next. */
static const struct date today = {2026, 9, 30};

enum kind { ALONE, COUPLE, FAMILY, ONE_PARENT, THREE_GENERATIONS, FLATMATES };
static const struct kind_row {
    uint8_t weight, adults_min, adults_max, children_min, children_max, grandparents;
    uint8_t age_min, age_max; /* of the mother, or of whoever is there instead */
} kinds[] = {
    /* weight, adults, children, grandparents, ages */
    [ALONE] = {25, 1, 1, 0, 0, 0, 20, 95},
    [COUPLE] = {25, 2, 2, 0, 0, 0, 25, 92},
    [FAMILY] = {31, 2, 2, 1, 4, 0, 24, 64},
    [ONE_PARENT] = {10, 1, 1, 1, 3, 0, 22, 58},
    [THREE_GENERATIONS] = {5, 2, 2, 1, 3, 1, 26, 54},
    [FLATMATES] = {4, 2, 4, 0, 0, 0, 18, 42},
};
enum { WEIGHTS = 100 };

enum {
    MOTHER_AGE_MIN = 18,
    MOTHER_AGE_MAX = 42,
    YEARS_BETWEEN = 2, /* at least, in calendar years of age: no two births in nine months */
    ADULT_AGE = 18,
    SETTLED_AGE = 25,
    TWIN_PERCENT = 11, /* of younger children: with it 3 of 100 humans are twins, though many have no sibling here */
    ALIKE_PERCENT = 45,
    OTHER_CULTURE_PERCENT = 10,
    HOME_CULTURE_PERCENT = 30,  /* households of the culture that settled in their state */
    MARRIED_FIRST_PERCENT = 70, /* parents who married before the first child */
    KIN_PERCENT = 15,           /* households with the family name and the town of the first of the neighbourhood */
};

/* The culture that settled there, as a number for gen_culture_at(). */
static const uint8_t state_culture[GEN_STATES] = {0, 3, 0, 1, 3, 9, 0, 0};

static uint64_t throw(const struct gen *gen, uint64_t subject, enum gen_salt salt)
{
    return gen_throw(gen->seed, subject, salt);
}

static struct date born_at_age(uint32_t age, uint64_t dice)
{
    int32_t days = date_to_days(today) - (int32_t)(age * 1461 / 4) - (int32_t)gen_part(dice, 1, 365);
    return date_from_days(days);
}

/* Even up to a point, with fewer of the very old. */
static uint32_t age_between(uint64_t dice, uint32_t min, uint32_t max)
{
    uint32_t one = gen_part(dice, 2, max - min + 1), two = gen_part(dice, 3, max - min + 1);
    return min + (one > two && gen_chance(dice, 4, 20) ? two : one);
}

static struct gen_family_name any_family(const struct gen_culture *culture, uint64_t dice)
{
    return (struct gen_family_name){culture, gen_family_pick(culture, dice)};
}

/* ---- one member ---- */

static void give_middle_name(const struct gen *gen, uint64_t index, struct gen_member *member)
{
    uint64_t dice = throw(gen, index, GEN_SALT_MIDDLE);
    member->middle = GEN_NO_NAME;
    if (gen_chance(dice, 1, member->culture->middle_percent))
        member->middle = gen_given_pick(member->culture, member->female, member->birth.year, dice);
}

/* Whoever comes from elsewhere: parents whom only dice know. */
static void be_somebody(const struct gen *gen, uint64_t index, const struct gen_culture *culture, bool female,
                        uint32_t age, struct gen_member *member)
{
    uint64_t body = throw(gen, index, GEN_SALT_BODY), family = throw(gen, index, GEN_SALT_FAMILY);
    uint64_t mother = throw(gen, index, GEN_SALT_MOTHER);
    *member = (struct gen_member){.culture = culture, .female = female, .age = (uint8_t)age};
    member->birth = born_at_age(age, body);
    if (age >= ADULT_AGE && gen_chance(body, 5, culture->january_percent))
        member->birth = (struct date){member->birth.year, 1, 1};
    member->given = gen_given_pick(culture, female, member->birth.year, throw(gen, index, GEN_SALT_GIVEN));
    give_middle_name(gen, index, member);
    member->family = any_family(culture, family);
    member->mother_culture = culture;
    member->mother_family = any_family(culture, mother);
    member->mother_given = gen_given_pick(culture, true, (uint16_t)(member->birth.year - 28), mother << 24);
    if (culture->two_families)
        member->second_family = member->mother_family;
}

static void marry(struct gen_member *member, struct gen_family_name husbands, uint64_t dice)
{
    uint32_t years_max = member->age > 21 ? member->age - 20u : 1;
    member->married_years = (uint8_t)(1 + gen_part(dice, 1, years_max < 45 ? years_max : 45));
    if (member->female && gen_chance(dice, 2, husbands.culture->wife_takes_percent))
        member->married_family = husbands;
}

/* Grown people without a spouse in the house may have had one. */
static void marry_somebody(const struct gen *gen, uint64_t index, uint32_t percent, struct gen_member *member)
{
    uint64_t dice = throw(gen, index, GEN_SALT_MARRIAGE);
    if (member->age >= SETTLED_AGE && gen_chance(dice, 3, percent))
        marry(member, any_family(member->culture, dice), dice);
}

/* ---- parents and their children ---- */

static bool is_named_as_elder(const struct gen_member *child, const struct gen_member *elders,
                              const struct gen_member *at)
{
    for (; elders < at; elders++)
        if (elders->female == child->female && elders->given == child->given)
            return true;
    return false;
}

static void name_child(const struct gen *gen, uint64_t index, const struct gen_member *father,
                       struct gen_member *eldest, struct gen_member *child)
{
    uint64_t dice = throw(gen, index, GEN_SALT_GIVEN);
    bool first_son = !child->female;
    for (const struct gen_member *elder = eldest; elder < child; elder++)
        first_son = first_son && elder->female;
    child->given = gen_given_pick(child->culture, child->female, child->birth.year, dice);
    give_middle_name(gen, index, child);
    if (father && first_son && father->culture == child->culture &&
        gen_chance(dice, 1, child->culture->junior_percent)) {
        child->given = father->given;
        child->middle = father->middle;
        child->namesake = GEN_JUNIOR;
    } else if (child->twin == 2 && child[-1].female == child->female && gen_chance(dice, 2, ALIKE_PERCENT)) {
        child->given = gen_given_beside(child->culture, child->female, child[-1].given);
    }
    while (is_named_as_elder(child, eldest, child)) /* two children of one house never have the same name */
        child->given++;
}

static void leave_home(const struct gen *gen, uint64_t index, struct gen_member *child)
{
    uint64_t dice = throw(gen, index, GEN_SALT_MARRIAGE);
    child->away = child->age >= ADULT_AGE && gen_chance(dice, 4, child->age < SETTLED_AGE ? 40 : 88);
    if (child->away)
        marry_somebody(gen, index, 60, child);
}

/* How old a child is at least, so that it and those after it were born in time. */
static uint32_t youngest_age(uint32_t children_after, uint32_t mother_age)
{
    return YEARS_BETWEEN * children_after + (mother_age > MOTHER_AGE_MAX ? mother_age - MOTHER_AGE_MAX : 0);
}

static uint32_t eldest_age(uint64_t dice, uint32_t children, uint32_t mother_age)
{
    uint32_t high = mother_age - MOTHER_AGE_MIN, low = youngest_age(children - 1, mother_age);
    if (low >= high)
        return high;
    return low + (gen_part(dice, 1, high - low + 1) + gen_part(dice, 2, high - low + 1)) / 2;
}

static void raise_children(const struct gen *gen, struct gen_house *house, uint32_t children, uint32_t mother_age,
                           const struct gen_member *father, const struct gen_member *mother)
{
    struct gen_member *eldest = &house->members[house->size];
    for (uint32_t k = 0; k < children; k++) {
        struct gen_member *child = &house->members[house->size];
        uint64_t index = house->first + house->size, body = throw(gen, index, GEN_SALT_BODY);
        const struct gen_member *parent = father ? father : mother;
        bool twin = k > 0 && child[-1].twin == 0 && gen_chance(body, 6, TWIN_PERCENT);
        uint32_t age = k == 0 ? eldest_age(body, children, mother_age) : child[-1].age;
        if (k > 0 && !twin) {
            uint32_t low = youngest_age(children - 1 - k, mother_age), gap = YEARS_BETWEEN + gen_part(body, 7, 4);
            age = age >= low + gap ? age - gap : low;
        }
        be_somebody(gen, index, parent->culture, gen_chance(body, 8, 49), age, child);
        if (twin) {
            child->birth = child[-1].birth;
            child->female = gen_chance(body, 9, 66) ? child[-1].female : child->female;
            child[-1].twin = 1;
            child->twin = 2;
        }
        child->family = parent->family;
        if (mother || k > 0) { /* whom only dice know is the mother of all */
            child->mother_culture = mother ? mother->culture : eldest->mother_culture;
            child->mother_family = mother ? mother->family : eldest->mother_family;
            child->mother_given = mother ? mother->given : eldest->mother_given;
        }
        child->second_family = parent->culture->two_families ? child->mother_family : (struct gen_family_name){0};
        name_child(gen, index, father, eldest, child);
        leave_home(gen, index, child);
        house->size++;
    }
}

static void add_grandparent(const struct gen *gen, struct gen_house *house, struct gen_member *of)
{
    uint64_t index = house->first + house->size, body = throw(gen, index, GEN_SALT_BODY);
    struct gen_member *elder = &house->members[house->size++];
    bool female = gen_chance(body, 8, 70);
    be_somebody(gen, index, of->culture, female, of->age + 20u + gen_part(body, 9, 18), elder);
    if (!female) {
        elder->family = of->family;
        return;
    }
    marry(elder, of->family, throw(gen, index, GEN_SALT_MARRIAGE));
    of->mother_family = elder->family;
    of->mother_given = elder->given;
    if (of->culture->two_families)
        of->second_family = elder->family;
}

/* ---- the household ---- */

static const struct gen_culture *culture_of(const struct gen *gen, uint64_t index, uint32_t town)
{
    uint64_t dice = throw(gen, index, GEN_SALT_CULTURE);
    if (gen_chance(dice, 1, HOME_CULTURE_PERCENT))
        return gen_culture_at(state_culture[gen_town_state(town)]);
    return gen_culture_pick(dice >> 8);
}

/* Brothers and cousins live near each other: whose family name and town a household has. */
static uint64_t name_giver(const struct gen *gen, uint64_t first)
{
    return gen_chance(throw(gen, first, GEN_SALT_CULTURE), 2, KIN_PERCENT) ? first - first % GEN_NEIGHBOURHOOD : first;
}

/* What the dice of a household say, before anybody is in it. */
struct plan {
    const struct kind_row *row;
    uint64_t dice;
    uint32_t age, adults, children, size;
};

static struct plan plan_of(const struct gen *gen, uint64_t first, uint32_t room)
{
    struct plan plan = {.row = kinds, .dice = throw(gen, first, GEN_SALT_HOUSE)};
    for (uint32_t roll = gen_part(plan.dice, 9, WEIGHTS); roll >= plan.row->weight; plan.row++)
        roll -= plan.row->weight;
    const struct kind_row *row = plan.row;
    if ((uint32_t)(row->adults_max + row->children_max + row->grandparents) > room) /* the neighbourhood ends here */
        row = plan.row = &kinds[ALONE];
    plan.age = age_between(plan.dice, row->age_min, row->age_max);
    plan.adults = row->adults_min + gen_part(plan.dice, 12, row->adults_max - row->adults_min + 1u);
    plan.children = row->children_min + gen_part(plan.dice, 10, row->children_max - row->children_min + 1u);
    if (plan.children > 2 && gen_chance(plan.dice, 11, 60)) /* few have very many */
        plan.children = 2;
    uint32_t affordable = (plan.age - MOTHER_AGE_MIN) / (YEARS_BETWEEN + 1);
    if (plan.children > affordable)
        plan.children = affordable;
    plan.size = plan.adults + plan.children + row->grandparents;
    return plan;
}

static void fill_alone(const struct gen *gen, const struct plan *plan, struct gen_house *house)
{
    for (; house->size < plan->adults; house->size++) {
        uint64_t index = house->first + house->size, body = throw(gen, index, GEN_SALT_BODY);
        struct gen_member *member = &house->members[house->size];
        be_somebody(gen, index, culture_of(gen, index, house->town), gen_chance(body, 8, 51),
                    house->size ? age_between(body, plan->row->age_min, plan->row->age_max) : plan->age, member);
        marry_somebody(gen, index, 55, member);
    }
}

static void be_parents(const struct gen *gen, const struct plan *plan, struct gen_house *house,
                       struct gen_member **out_father, struct gen_member **out_mother)
{
    uint64_t named_after = name_giver(gen, house->first);
    const struct gen_culture *culture = culture_of(gen, named_after, house->town), *other = culture;
    bool alone = plan->adults == 1, mother_alone = alone && gen_chance(plan->dice, 5, 82);
    struct gen_member *father = NULL, *mother = NULL;
    if (!mother_alone) {
        uint32_t his = plan->age + gen_part(plan->dice, 7, 11);
        father = &house->members[house->size++];
        be_somebody(gen, house->first, culture, false, his < 23 ? 20 : his - 3, father);
        father->family = any_family(culture, throw(gen, named_after, GEN_SALT_FAMILY));
    }
    if (!alone || mother_alone) {
        if (father && gen_chance(plan->dice, 6, OTHER_CULTURE_PERCENT))
            other = gen_culture_pick(plan->dice >> 8);
        mother = &house->members[house->size];
        be_somebody(gen, house->first + house->size++, other, true, plan->age, mother);
    }
    if (father && mother) {
        marry(mother, father->family, throw(gen, house->first, GEN_SALT_MARRIAGE));
        father->married_years = mother->married_years;
    } else if (mother) {
        marry_somebody(gen, house->first, 70, mother);
    }
    *out_father = father;
    *out_mother = mother;
}

static void fill_family(const struct gen *gen, const struct plan *plan, struct gen_house *house)
{
    struct gen_member *father, *mother;
    be_parents(gen, plan, house, &father, &mother);
    const struct gen_member *eldest = &house->members[house->size];
    raise_children(gen, house, plan->children, plan->age, father, mother);
    if (father && mother && plan->children > 0 && father->married_years <= eldest->age &&
        gen_chance(plan->dice, 13, MARRIED_FIRST_PERCENT))
        father->married_years = mother->married_years = (uint8_t)(eldest->age + 1);
    for (const struct gen_member *child = house->members; child < house->members + house->size; child++)
        if (father && child->namesake == GEN_JUNIOR) /* only a junior makes a senior */
            father->namesake = GEN_SENIOR;
    if (plan->row->grandparents)
        add_grandparent(gen, house, gen_chance(plan->dice, 8, 50) ? father : mother);
}

void gen_house_of(const struct gen *gen, uint64_t index, struct gen_house *out_house)
{
    uint64_t first = index - index % GEN_NEIGHBOURHOOD, end = first + GEN_NEIGHBOURHOOD;
    struct plan plan = plan_of(gen, first, GEN_NEIGHBOURHOOD);
    for (; index >= first + plan.size; plan = plan_of(gen, first, (uint32_t)(end - first)))
        first += plan.size;
    out_house->first = first;
    out_house->size = 0;
    out_house->town = gen_town_pick(throw(gen, name_giver(gen, first), GEN_SALT_HOME));
    if (plan.row == &kinds[ALONE] || plan.row == &kinds[FLATMATES])
        fill_alone(gen, &plan, out_house);
    else
        fill_family(gen, &plan, out_house);
}
