/* Households: every human is in one, and families are possible ones. */
#include "support.h"

#include "household_internal.h"

enum { HUMANS = 100000 };

static struct gen fresh(uint64_t seed)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = seed});
    return gen;
}

static void test_households__are_the_same_whoever_of_them_asks(void **state)
{
    (void)state;
    struct gen gen = fresh(7);
    struct gen_house house;
    uint64_t next = 0;
    while (next < 5000) {
        gen_house_of(&gen, next, &house);
        assert_int_equal(house.first, next);
        assert_in_range(house.size, 1, GEN_HOUSE_MAX);
        for (uint64_t index = next; index < next + house.size; index++) {
            struct gen_house again;
            gen_house_of(&gen, index, &again);
            assert_int_equal(again.first, house.first);
            assert_int_equal(again.size, house.size);
            assert_int_equal(again.members[index - next].given, house.members[index - next].given);
        }
        next += house.size;
    }
}

static void check_siblings(const struct gen_member *elder, const struct gen_member *child)
{
    assert_true(elder->female != child->female || elder->given != child->given);
    int32_t apart = date_to_days(child->birth) - date_to_days(elder->birth);
    if (child->twin == 2 && elder->twin == 1)
        assert_int_equal(apart, 0);
    else
        assert_true(apart > 270);
}

static bool is_child_of(const struct gen_member *child, const struct gen_member *mother, const struct gen_member *head)
{
    return child->family.culture == head->family.culture && child->family.number == head->family.number &&
           child->mother_culture == mother->culture && child->mother_given == mother->given &&
           child->mother_family.number == mother->family.number && child->age < mother->age;
}

static void check_family(const struct gen_house *house, const struct gen_member *mother)
{
    const struct gen_member *elder = NULL;
    for (const struct gen_member *child = mother + 1; child < house->members + house->size; child++) {
        if (!is_child_of(child, mother, house->members))
            continue;
        int32_t age_at_birth = (date_to_days(child->birth) - date_to_days(mother->birth)) / 365;
        assert_in_range(age_at_birth, 17, 44);
        if (elder)
            check_siblings(elder, child);
        elder = child;
    }
}

/* Counted over one seed; the bounds are as wide as another seed would need. */
static void test_households__of_a_country(void **state)
{
    (void)state;
    struct gen gen = fresh(7);
    struct gen_house house;
    uint32_t sizes[GEN_HOUSE_MAX + 1] = {0}, ages[11] = {0}, houses = 0, twins = 0, juniors = 0, seniors = 0, away = 0;
    uint32_t changed = 0, large_town = 0;
    for (uint64_t next = 0; next < HUMANS; next += house.size) {
        gen_house_of(&gen, next, &house);
        houses++;
        sizes[house.size]++;
        large_town += house.town == 0;
        check_family(&house, &house.members[house.members[0].female || house.size == 1 ? 0 : 1]);
        for (uint32_t i = 0; i < house.size; i++) {
            const struct gen_member *member = &house.members[i];
            assert_true(date_is_valid(member->birth) && member->birth.year >= 1915);
            assert_true(date_to_days(member->birth) < date_to_days((struct date){2026, 10, 1}));
            ages[member->age / 10]++;
            twins += member->twin > 0;
            juniors += member->namesake == GEN_JUNIOR;
            seniors += member->namesake == GEN_SENIOR;
            away += member->away;
            changed += member->married_family.culture != NULL;
        }
    }
    assert_in_range(houses, 42500, 43500);
    assert_in_range(sizes[1] * 100 / houses, 35, 37);
    assert_in_range(sizes[2] * 100 / houses, 27, 29);
    assert_in_range((sizes[3] + sizes[4]) * 100 / houses, 27, 29);
    assert_in_range((sizes[5] + sizes[6]) * 100 / houses, 6, 8);
    assert_int_equal(sizes[7] + sizes[8], 0);
    assert_in_range(large_town * 1000 / houses, 95, 105); /* a tenth lives in each of the three cities */
    assert_in_range(twins, 2900, 3300);                   /* of a hundred thousand */
    assert_int_equal(juniors, seniors);
    assert_in_range(juniors, 1850, 2100);
    assert_in_range(away, 5500, 6300);
    assert_in_range(changed, 14000, 24000);
    for (unsigned decade = 0; decade < 6; decade++)
        assert_in_range(ages[decade], 9000, 18000);
    assert_true(ages[6] > ages[7] && ages[7] > ages[8] && ages[8] > ages[9] && ages[10] == 0);
}

static void test_families__have_the_names_of_a_census(void **state)
{
    (void)state;
    struct gen gen = fresh(7);
    struct gen_house house;
    const struct gen_culture *english = gen_culture_at(0);
    uint32_t all = 0, smith = 0, rare = 0, spanish = 0, garcia = 0;
    for (uint64_t next = 0; next < HUMANS; next += house.size) {
        gen_house_of(&gen, next, &house);
        for (uint32_t i = 0; i < house.size; i++) {
            struct gen_family_name family = house.members[i].family;
            all += family.culture == english;
            smith += family.culture == english && family.number == 0;
            rare += family.culture == english && family.number >= 1020; /* below one of 10,000: ranks_test.c */
            spanish += family.culture->two_families;
            garcia += family.culture->two_families && family.number == 0;
        }
    }
    assert_in_range(all, 56000, 60000);
    assert_in_range(smith * 10000 / all, 85, 115); /* one of a hundred */
    assert_in_range(rare * 100 / all, 50, 54);     /* half of the people */
    assert_in_range(spanish, 15000, 21000);
    assert_in_range(garcia * 1000 / spanish, 24, 31);
}

static void test_junior__has_the_names_of_the_father(void **state)
{
    (void)state;
    struct gen gen = fresh(3);
    struct gen_house house;
    uint32_t juniors = 0;
    for (uint64_t next = 0; next < 20000; next += house.size) {
        gen_house_of(&gen, next, &house);
        for (uint32_t i = 1; i < house.size; i++) {
            const struct gen_member *father = &house.members[0], *child = &house.members[i];
            if (child->namesake != GEN_JUNIOR)
                continue;
            juniors++;
            assert_int_equal(father->namesake, GEN_SENIOR);
            assert_false(child->female || father->female);
            assert_ptr_equal(child->family.culture, father->family.culture);
            assert_int_equal(child->family.number, father->family.number);
            assert_int_equal(child->given, father->given);
            assert_int_equal(child->middle, father->middle);
            assert_true(child->age + 14 < father->age);
        }
    }
    assert_true(juniors > 300);
}

static void test_homes__are_shared_by_who_lives_together_and_left_by_who_moves(void **state)
{
    (void)state;
    struct gen gen = fresh(5);
    struct gen_house house;
    uint32_t together = 0, apart = 0, moved = 0, from_parents = 0;
    for (uint64_t next = 0; next < 20000; next += house.size) {
        gen_house_of(&gen, next, &house);
        struct gen_home first, other, before;
        gen_home_at(&gen, &house, next, 0, &first);
        gen_home_at(&gen, &house, next, 8, &before);
        moved += strcmp(first.line, before.line) != 0;
        for (uint32_t i = 1; i < house.size; i++) {
            gen_home_at(&gen, &house, next + i, 0, &other);
            bool same = strcmp(first.line, other.line) == 0 && strcmp(first.postcode, other.postcode) == 0;
            assert_int_equal(same, !house.members[i].away);
            together += same;
            apart += !same;
            if (house.members[i].away) { /* once, everybody lived where the parents lived then */
                uint32_t born = house.members[i].age;
                gen_home_at(&gen, &house, next + i, born, &other);
                if (house.members[0].married_years == 0 || born < house.members[0].married_years) {
                    gen_home_at(&gen, &house, next, born, &before);
                    from_parents += strcmp(before.line, other.line) == 0;
                }
            }
        }
    }
    assert_in_range(together, 9000, 11000);
    assert_in_range(apart, 1000, 1500);
    assert_in_range(moved, 3000, 6000); /* of 8,600 */
    assert_true(from_parents > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_households__are_the_same_whoever_of_them_asks),
        cmocka_unit_test(test_households__of_a_country),
        cmocka_unit_test(test_families__have_the_names_of_a_census),
        cmocka_unit_test(test_junior__has_the_names_of_the_father),
        cmocka_unit_test(test_homes__are_shared_by_who_lives_together_and_left_by_who_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
