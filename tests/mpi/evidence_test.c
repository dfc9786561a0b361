/* A row holds so many names, phones, addresses and numbers; which ones depends on what they are, never on their order.
 */
#include "base/limits.h"
#include "world.h"

enum { MANY = 9 };

struct plenty {
    char text[MANY][16];
    struct mpi_identifier identifiers[1 + 2 * MANY];
    struct mpi_name names[MANY];
    struct str phones[MANY], emails[MANY];
    char email[MANY][16];
    struct mpi_address addresses[MANY];
};

static void shuffle(uint32_t *order, uint64_t *random)
{
    for (uint32_t i = 0; i < MANY; i++)
        order[i] = i;
    for (uint32_t i = MANY; i > 1; i--) {
        uint32_t k = (uint32_t)(hash_random(random) % i), swap = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swap;
    }
}

/* The same `count` of everything, in another order each time. */
static void make(struct plenty *p, size_t count, uint64_t *random, union row_space *out)
{
    uint32_t order[MANY];
    size_t kept = 0;
    shuffle(order, random);
    *p = (struct plenty){0};
    p->identifiers[0] = world_id("1");
    for (uint32_t i = 0; i < MANY; i++) {
        if (order[i] >= count)
            continue;
        char *text = p->text[order[i]];
        snprintf(text, sizeof p->text[0], "%c%u4471%u", 'k' + (int)order[i], order[i] + 2, order[i]);
        p->identifiers[1 + 2 * kept] = (struct mpi_identifier){str_from(text), STR("5"), STR("MR")};
        p->identifiers[2 + 2 * kept] = (struct mpi_identifier){STR("USA"), str_from(text), STR("SS")};
        p->names[kept] = (struct mpi_name){.family = str_from(text), .given = STR("Ada")};
        p->phones[kept] = str_from(text);
        snprintf(p->email[kept], sizeof p->email[0], "%c@Example.org", 'k' + (int)order[i]);
        p->emails[kept] = str_from(p->email[kept]);
        p->addresses[kept++] = (struct mpi_address){.line = str_from(text), .postcode = STR("98101")};
    }
    struct mpi_demographics said = {.names = p->names,
                                    .name_count = kept,
                                    .phones = p->phones,
                                    .phone_count = kept,
                                    .emails = p->emails,
                                    .email_count = kept,
                                    .addresses = p->addresses,
                                    .address_count = kept};
    row_make(p->identifiers, 1 + 2 * kept, &said, NULL, 0, out);
}

static void check_same_emails(const struct mpi_row *left, const struct mpi_row *right)
{
    uint64_t left_sum = 0, right_sum = 0;
    assert_int_equal(left->email_count, right->email_count);
    for (size_t i = 0; i < left->email_count; i++) {
        left_sum += row_emails(left)[i];
        right_sum += row_emails(right)[i];
    }
    assert_int_equal(left_sum, right_sum);
}

static void check_same(size_t count, bool more_said)
{
    struct plenty plenty;
    union row_space first, again;
    struct row_key keys[ROW_KEYS_MAX], again_keys[ROW_KEYS_MAX];
    uint64_t random = count;
    make(&plenty, count, &random, &first);
    size_t key_count = row_keys(&first.row, keys);
    assert_int_equal((first.row.flags & ROW_MORE_SAID) != 0, more_said);
    for (int round = 0; round < 50; round++) {
        make(&plenty, count, &random, &again);
        assert_int_equal(row_keys(&again.row, again_keys), key_count);
        assert_memory_equal(keys, again_keys, key_count * sizeof keys[0]);
        struct levels same, self;
        compare_rows(&first.row, &again.row, &same);
        compare_rows(&first.row, &first.row, &self);
        assert_memory_equal(&same, &self, sizeof same);
        check_same_emails(&first.row, &again.row);
    }
}

static void test_evidence__is_the_same_in_any_order_at_the_bounds_and_beyond(void **state)
{
    (void)state;
    _Static_assert((int)ROW_ADDRESSES <= (int)ROW_EMAILS && (int)ROW_EMAILS <= (int)ROW_NAMES, "the smallest");
    _Static_assert((int)ROW_NAMES < MANY && (int)ROW_PHONES < MANY && (int)ROW_NATIONALS < MANY, "beyond");
    _Static_assert((int)ROW_SHARED < 2 * MANY, "beyond");
    for (size_t count = 1; count <= MANY; count++)
        check_same(count, count > ROW_ADDRESSES);
}

static void make_named(const char *family, size_t len, union row_space *out_row)
{
    struct mpi_identifier own = world_id("1");
    struct mpi_name name = {.family = str_make(family, len), .given = STR("Anna")};
    row_make(&own, 1, &(struct mpi_demographics){.names = &name, .name_count = 1}, NULL, 0, out_row);
}

static void test_word__is_compared_up_to_the_most_bytes(void **state)
{
    (void)state;
    char one[ROW_WORD_MAX + 1], other[ROW_WORD_MAX + 1];
    union row_space left, right;
    for (size_t at = ROW_WORD_MAX - 1; at <= ROW_WORD_MAX; at++) { /* the last byte, and the one beyond it */
        memset(one, 'b', sizeof one);
        memset(other, 'b', sizeof other);
        other[at] = 'x';
        make_named(one, sizeof one, &left);
        make_named(other, sizeof other, &right);
        assert_int_equal(row_same_body(&left.row, &right.row), at == ROW_WORD_MAX);
    }
}

/* Whatever was in the memory before. */
static void test_row__is_made_of_what_is_said_and_nothing_else(void **state)
{
    (void)state;
    struct plenty plenty;
    uint64_t random = 1;
    union row_space over_ones, over_zeros, rest, few, none;
    for (size_t count = 0; count < MANY; count++) {
        memset(&over_ones, 0xFF, sizeof over_ones);
        memset(&over_zeros, 0, sizeof over_zeros);
        make(&plenty, count, &random, &over_ones);
        row_make(plenty.identifiers, 1 + 2 * count,
                 &(struct mpi_demographics){.names = plenty.names,
                                            .name_count = count,
                                            .phones = plenty.phones,
                                            .phone_count = count,
                                            .emails = plenty.emails,
                                            .email_count = count,
                                            .addresses = plenty.addresses,
                                            .address_count = count},
                 NULL, 0, &over_zeros);
        assert_int_equal(row_bytes(&over_ones.row), row_bytes(&over_zeros.row));
        assert_memory_equal(&over_ones, &over_zeros, row_bytes(&over_ones.row));
        row_without_shared(&over_ones.row, &rest);
        assert_int_equal(rest.row.shared_count, 0);
        assert_int_equal(row_bytes(&over_ones.row) - row_bytes(&rest.row),
                         over_ones.row.shared_count * sizeof(uint64_t));
        assert_true(row_same_body(&over_ones.row, &rest.row));
        assert_int_equal(row_body(&over_ones.row), row_body(&rest.row));
    }
    struct mpi_identifier own = world_id("1");
    struct str phone = STR("2065550142");
    row_make(&own, 1, &(struct mpi_demographics){0}, NULL, 0, &none);
    row_make(&own, 1, &(struct mpi_demographics){.phones = &phone, .phone_count = 1}, NULL, 0, &few);
    /* its number, how rare its source is, and the empty text */
    assert_int_equal(row_bytes(&none.row), sizeof none.row + sizeof(uint64_t) + 1 + 1);
    assert_int_equal(row_bytes(&few.row), row_bytes(&none.row) + sizeof(uint32_t) + 1);
}

static void test_legal_name__counts_before_many_others(void **state)
{
    (void)state;
    struct mpi_name names[8];
    char text[8][8];
    for (size_t i = 0; i < 8; i++) {
        snprintf(text[i], sizeof text[i], "Alias%c", 'a' + (int)i);
        names[i] = (struct mpi_name){.family = str_from(text[i]), .given = STR("Ada"), .type = STR("A")};
    }
    names[7] = (struct mpi_name){.family = STR("Okafor"), .given = STR("Ada"), .type = STR("L")};
    struct mpi_identifier own = world_id("1");
    struct mpi_demographics said = {.names = names, .name_count = 8};
    union row_space space;
    row_make(&own, 1, &said, NULL, 0, &space);
    assert_str(row_text(&space.row, row_names(&space.row)[0].family), "okafor");
    assert_int_equal(space.row.name_count, ROW_NAMES);
}

static void test_row__knows_emails_in_any_case_the_birth_place_and_who_gave_the_number(void **state)
{
    (void)state;
    struct str emails[] = {STR(" Ada.Okafor@Example.ORG "), STR("ada.okafor@example.org"), STR("no address"),
                           STR("@example.org"), STR("ada@")};
    struct mpi_identifier own = {.authority = STR("North-1"), .value = STR("7"), .type = STR("MR")};
    struct mpi_identifier same = {.authority = STR("NORTH 1"), .value = STR("8"), .type = STR("MR")};
    struct mpi_demographics said = {.emails = emails, .email_count = 5, .birth_place = STR("S\xC3\xA3o Paulo")};
    struct mpi_demographics other = {.emails = emails + 1, .email_count = 1, .birth_place = STR("unknown")};
    union row_space left, right;
    char longest[256]; /* 254 is the longest address there can be */
    memset(longest, 'a', sizeof longest);
    longest[200] = '@';
    struct str long_emails[] = {{longest, 254}, {longest, 255}};
    row_make(&own, 1, &(struct mpi_demographics){.emails = long_emails, .email_count = 2}, NULL, 0, &left);
    assert_int_equal(left.row.email_count, 1);
    row_make(&own, 1, &said, NULL, 0, &left);
    row_make(&same, 1, &other, NULL, 0, &right);
    assert_int_equal(left.row.email_count, 1);
    assert_int_equal(row_emails(&left.row)[0], row_emails(&right.row)[0]);
    assert_str(row_text(&left.row, left.row.birth_place), "sao paulo");
    assert_int_equal(right.row.birth_place, 0);
    assert_int_not_equal(left.row.authority, 0);
    assert_int_equal(left.row.authority, right.row.authority);
    own.authority = (struct str){0};
    row_make(&own, 1, &other, NULL, 0, &right);
    assert_int_equal(right.row.authority, 0);
}

static void test_records__that_say_more_are_counted(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct mpi_name names[5] = {{.family = STR("A1"), .given = STR("x")},
                                {.family = STR("B2"), .given = STR("x")},
                                {.family = STR("C3"), .given = STR("x")},
                                {.family = STR("D4"), .given = STR("x")}};
    struct mpi_identifier own = world_id("1");
    struct mpi_record_input input = {
        .identifiers = &own, .identifier_count = 1, .demographics = {.names = names, .name_count = ROW_NAMES}};
    struct mpi_result result;
    for (size_t names_said = ROW_NAMES; names_said <= ROW_NAMES + 1; names_said++) {
        input.demographics.name_count = names_said;
        assert_ok(&world.support,
                  mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &input, &result));
        world_commit(&world);
        assert_int_equal(mpi_count(world.mpi).more_said, names_said > ROW_NAMES);
    }
    world_reopen(&world);
    assert_int_equal(mpi_count(world.mpi).more_said, 1);
    world_fini(&world);
}

static void apply_numbers(struct world *world, char prefix, size_t count)
{
    struct mpi_identifier ids[LIMIT_IDENTIFIERS_PER_RECORD];
    struct mpi_result result;
    ids[0] = world_id("1");
    for (size_t i = 1; i < count; i++)
        ids[i] = (struct mpi_identifier){arena_printf(&world->support.arena, "%c%zu", prefix, i), STR("5"), STR("MR")};
    struct mpi_record_input input = {.identifiers = ids, .identifier_count = count};
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &input, &result));
    world_commit(world);
}

static size_t left_out_events(struct world *world, const char *what, uint64_t *out_last)
{
    struct mpi_event *events;
    size_t count, found = 0;
    bool older;
    if (mpi_count(world->mpi).records == 0)
        return 0;
    assert_ok(&world->support, mpi_history(world->mpi, &world->support.cx, 1, NULL, &events, &count, &older));
    for (size_t i = 0; i < count; i++)
        if (strcmp(events[i].what, what) == 0) {
            *out_last = events[i].other;
            found++;
        }
    return found;
}

static void test_identifiers__past_the_most_of_a_record_are_left_out_and_the_history_says_so(void **state)
{
    (void)state;
    struct world world;
    struct mpi_record_view record;
    uint64_t left_out;
    world_init(&world);
    apply_numbers(&world, 'A', LIMIT_IDENTIFIERS_PER_RECORD - 2);
    apply_numbers(&world, 'B', 3); /* two more: as many as there may be */
    assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &record));
    assert_int_equal(record.identifier_count, LIMIT_IDENTIFIERS_PER_RECORD);
    assert_int_equal(left_out_events(&world, "old identifiers left out", &left_out), 0);
    apply_numbers(&world, 'C', 2);
    assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &record));
    assert_int_equal(record.identifier_count, LIMIT_IDENTIFIERS_PER_RECORD);
    assert_str(record.identifiers[1].authority, "C1");
    assert_int_equal(left_out_events(&world, "old identifiers left out", &left_out), 1);
    assert_int_equal(left_out, 1);
    world_fini(&world);
}

static void test_former_names__past_the_most_are_left_out_and_the_history_says_so(void **state)
{
    (void)state;
    struct world world;
    uint64_t left_out;
    world_init(&world);
    for (unsigned i = 0; i < FORMER_NAMES_MAX + 2; i++) { /* the last is what the record says now */
        char family[12];
        snprintf(family, sizeof family, "Name%u", i);
        assert_int_equal(left_out_events(&world, "former names left out", &left_out), 0);
        (void)world_apply(&world, &(struct human){.id = "1", .family = family, .given = "Ada"});
        world_commit(&world);
    }
    assert_int_equal(left_out_events(&world, "former names left out", &left_out), 1);
    assert_int_equal(left_out, 1);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word__is_compared_up_to_the_most_bytes),
        cmocka_unit_test(test_evidence__is_the_same_in_any_order_at_the_bounds_and_beyond),
        cmocka_unit_test(test_row__is_made_of_what_is_said_and_nothing_else),
        cmocka_unit_test(test_legal_name__counts_before_many_others),
        cmocka_unit_test(test_row__knows_emails_in_any_case_the_birth_place_and_who_gave_the_number),
        cmocka_unit_test(test_records__that_say_more_are_counted),
        cmocka_unit_test(test_identifiers__past_the_most_of_a_record_are_left_out_and_the_history_says_so),
        cmocka_unit_test(test_former_names__past_the_most_are_left_out_and_the_history_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
