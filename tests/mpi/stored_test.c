/* Rows of the store byte by byte, as they stand in stores that are in use: whatever else changes, they are read. */
#include "stored_internal.h"

#include "base/mem.h"
#include "disk_internal.h"
#include "model_internal.h"
#include "stored_bytes.h"

static void test_record__stands_as_it_always_did(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct mpi_identifier identifiers[] = {{STR("N"), STR("7"), STR("MR")}, {STR("G"), STR("8"), STR("SS")}};
    struct mpi_name names[] = {{STR("a"), STR("b"), STR("c"), STR("d"), STR("e"), STR("L")}},
                    former[] = {{.family = STR("f")}};
    struct mpi_address addresses[] = {{STR("1"), STR("2"), STR("3"), STR("4"), STR("5")}};
    const struct str phones[] = {STR("6")}, emails[] = {STR("x@y")};
    struct stored_record record = {.source = STR("s"),
                                   .identifiers = identifiers,
                                   .identifier_count = 2,
                                   .said = {.names = names,
                                            .name_count = 1,
                                            .birth_date = {.year = 1980, .month = 2, .day = 29},
                                            .sex = 'F',
                                            .phones = phones,
                                            .phone_count = 1,
                                            .emails = emails,
                                            .email_count = 1,
                                            .addresses = addresses,
                                            .address_count = 1,
                                            .mother = {.given = STR("m")},
                                            .birth_place = STR("p"),
                                            .multiple_birth = true,
                                            .birth_order = 2,
                                            .deceased = true},
                                   .former = former,
                                   .former_count = 1,
                                   .first_seq = 1,
                                   .last_seq = 300,
                                   .first_us = 2,
                                   .last_us = 3,
                                   .versions = 4,
                                   .active = true,
                                   .person_level = true},
                         read;
    SCOPED(buf_fini) struct buf row = {0}, again = {0};
    encode_record(&row, &record);
    assert_bytes(buf_str(&row), "0173"                                  /* source */
                                "02 014e 0137 024d52  0147 0138 025353" /* identifiers */
                                "01 0161 0162 0163 0164 0165 014c"      /* names: a to e, type L */
                                "bc0f 02 1d  46 02 07"                  /* 1980-02-29, F, second, flags */
                                "01 0136  01 0131 0132 0133 0134 0135"  /* phone, address */
                                "00 016d 00 00 00 00"                   /* mother */
                                "01 03784079 0170"                      /* e-mail, birth place */
                                "01 0166 00 00 00 00 00"                /* former name */
                                "01 ac02 02 03 04 03" /* seqs, times, versions, flags */);
    assert_ok(&s, decode_record(&s.cx, buf_str(&row), &read));
    assert_str(read.former[0].family, "f");
    assert_str(read.said.addresses[0].country, "5");
    assert_true(read.said.deceased && read.person_level && read.said.sex == 'F');
    encode_record(&again, &read);
    assert_true(str_eq(buf_str(&row), buf_str(&again)));
    support_fini(&s);
}

static void test_record__lists_are_read_up_to_the_most_and_bad_beyond(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct mpi_identifier identifiers[STORED_LIST_MAX + 1] = {{STR("N"), STR("7"), STR("MR")}};
    for (size_t count = STORED_LIST_MAX; count <= STORED_LIST_MAX + 1; count++) {
        struct stored_record record = {.identifiers = identifiers, .identifier_count = count}, read;
        SCOPED(buf_fini) struct buf row = {0};
        encode_record(&row, &record);
        if (count > STORED_LIST_MAX) {
            assert_fails(&s, decode_record(&s.cx, buf_str(&row), &read), "mpi.row-bad");
            continue;
        }
        assert_ok(&s, decode_record(&s.cx, buf_str(&row), &read));
        assert_int_equal(read.identifier_count, count);
    }
    support_fini(&s);
}

static void test_small_rows__stand_as_they_always_did(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    SCOPED(buf_fini) struct buf row = {0};
    struct stored_member member = {.person = 300, .retired_into = 7};
    encode_member(&row, &member);
    assert_bytes(buf_str(&row), "ac02 07");
    buf_clear(&row);
    struct stored_event event = {.what = 9, .time_us = 1, .person = 2, .other = 3, .by = STR("b")};
    encode_event(&row, &event);
    assert_bytes(buf_str(&row), "09 01 02 03 0162");
    static const struct {
        int32_t score_mbit;
        const char *bytes;
    } edges[] = {{0, "00"}, {-1, "01"}, {1, "02"}, {70000, "e0c508"}, {INT32_MIN, "ffffffff0f"}};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        int32_t score_mbit;
        buf_clear(&row);
        encode_edge(&row, edges[i].score_mbit);
        assert_bytes(buf_str(&row), edges[i].bytes);
        assert_ok(&s, decode_edge(&s.cx, buf_str(&row), &score_mbit));
        assert_int_equal(score_mbit, edges[i].score_mbit);
    }
    assert_fails(&s, decode_edge(&s.cx, STR("\x80\x80\x80\x80\x10"), &(int32_t){0}), "mpi.row-bad");
    support_fini(&s);
}

static void test_decision__has_a_number_for_each_kind(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    static const struct {
        enum mpi_decision_kind kind;
        const char *bytes;
    } kinds[] = {{MPI_DECISION_SAME, "01"}, {MPI_DECISION_DIFFERENT, "02"}, {MPI_DECISION_MERGE, "03"},
                 {MPI_DECISION_LINK, "04"}, {MPI_DECISION_UNLINK, "05"},    {MPI_DECISION_UNDO, "06"}};
    struct stored_decision decision = {.left = 1,
                                       .right = 2,
                                       .undoes = 3,
                                       .undone_by = 4,
                                       .note = STR("n"),
                                       .source = STR("s"),
                                       .by = STR("b"),
                                       .time_us = 5},
                           read;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        SCOPED(buf_fini) struct buf row = {0};
        decision.kind = kinds[i].kind;
        encode_decision(&row, &decision);
        assert_bytes(str_sub(buf_str(&row), 0, 1), kinds[i].bytes);
        assert_bytes(str_from_at(buf_str(&row), 1), "01 02 03 04 016e 0173 0162 05");
        assert_ok(&s, decode_decision(&s.cx, buf_str(&row), &read));
        assert_int_equal(read.kind, kinds[i].kind);
        row.data[0] = (char)(i % 2 ? 0 : 7);
        assert_fails(&s, decode_decision(&s.cx, buf_str(&row), &read), "mpi.row-bad");
    }
    support_fini(&s);
}

/* Evidence stands in links and reviews by the number of its field and level: these are what the numbers mean. */
static const struct {
    const char *field, *levels[LEVELS_MAX];
} numbers[] = {
    {"family name",
     {[0] = "absent",
      [1] = "exact",
      [3] = "one edit apart",
      [4] = "one edit apart, both are names",
      [5] = "part of the name shared",
      [6] = "similar",
      [7] = "similar, both are names",
      [9] = "sounds alike",
      [10] = "swapped with the given name",
      [12] = "differs"}},
    {"given name",
     {[0] = "absent",
      [1] = "exact",
      [2] = "a nickname of the other",
      [3] = "one edit apart",
      [4] = "one edit apart, both are names",
      [5] = "part of the name shared",
      [6] = "similar",
      [7] = "similar, both are names",
      [8] = "initial agrees",
      [9] = "sounds alike",
      [10] = "swapped with the family name",
      [11] = "is the other's middle name",
      [12] = "differs"}},
    {"middle name", {[0] = "absent", [1] = "exact", [6] = "similar", [8] = "initial agrees", [12] = "differs"}},
    {"birth date",
     {[0] = "absent",
      [1] = "exact",
      [2] = "year agrees, day estimated",
      [3] = "known parts agree",
      [4] = "day and month swapped",
      [5] = "a slip in the day",
      [6] = "a slip in the month",
      [7] = "a slip in the year",
      [8] = "only the day differs",
      [9] = "only the month differs",
      [10] = "only the year differs",
      [11] = "only the year agrees",
      [12] = "years one apart, day estimated",
      [13] = "two digits apart",
      [14] = "differs"}},
    {"sex",
     {[0] = "absent",
      [1] = "same",
      [2] = "differs",
      [3] = "same, as the given name says",
      [4] = "differs, unlike the given name"}},
    {"phone", {[0] = "absent", [1] = "shared", [2] = "one digit apart", [3] = "differs"}},
    {"e-mail",
     {[0] = "absent", [1] = "shared", [2] = "same name at another provider", [3] = "similar", [4] = "differs"}},
    {"address",
     {[0] = "absent",
      [1] = "same house",
      [2] = "same street",
      [3] = "same street and number, another place",
      [4] = "same postcode",
      [5] = "same city",
      [6] = "same postal area",
      [7] = "differs"}},
    {"national identifier", {[0] = "absent", [1] = "same", [2] = "one edit apart", [3] = "differs"}},
    {"shared identifier", {[0] = "none", [1] = "same authority and value"}},
    {"mother's name", {[0] = "absent", [1] = "exact", [2] = "similar", [3] = "differs"}},
    {"birth place", {[0] = "absent", [1] = "exact", [2] = "similar", [3] = "differs"}},
    {"generation suffix", {[0] = "absent", [1] = "same", [2] = "differs"}},
    {"birth order", {[0] = "absent", [1] = "same", [2] = "differs"}},
    {"source", {[0] = "unknown", [1] = "one source gives two numbers", [2] = "two sources"}},
    {"two of one home",
     {[0] = "no sign",
      [1] = "one day and family, perhaps twins",
      [2] = "years apart, perhaps one named after the other"}},
    {"newborn", {[0] = "no sign", [2] = "no given name of its own"}},
    {"contradictions",
     {[0] = "fewer than two strong fields contradict",
      [1] = "two strong fields contradict",
      [2] = "three or more strong fields contradict"}},
};

static void test_review__names_its_evidence_by_numbers_that_stay(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    assert_int_equal(sizeof numbers / sizeof numbers[0], FIELD_COUNT); /* new ones come at the end */
    for (uint8_t field = 0; field < FIELD_COUNT; field++)
        for (uint8_t level = 0; level < LEVELS_MAX; level++) {
            if (numbers[field].levels[level] == NULL)
                continue;
            char row[] = "\x01\x02\x03"         /* records, when */
                         "\x64\x01\x02\x08\x05" /* model 100, records, score 4, ppm */
                         "\x01\x7f\x7f\x02\x06" /* a line that weighs 1, and the prior */;
            row[9] = (char)field;
            row[10] = (char)level;
            struct stored_review review;
            assert_ok(&s, decode_review(&s.cx, str_make(row, sizeof row - 1), &review));
            assert_string_equal(review.comparison.evidence[0].field, numbers[field].field);
            assert_string_equal(review.comparison.evidence[0].level, numbers[field].levels[level]);
            assert_int_equal(review.comparison.evidence[0].weight_mbit, 1);
            assert_string_equal(review.comparison.evidence[1].field, "prior");
            assert_int_equal(review.comparison.score_mbit, 4);
            SCOPED(buf_fini) struct buf again = {0};
            encode_review(&again, &review);
            assert_true(str_eq(buf_str(&again), str_make(row, sizeof row - 1)));
        }
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record__stands_as_it_always_did),
        cmocka_unit_test(test_record__lists_are_read_up_to_the_most_and_bad_beyond),
        cmocka_unit_test(test_small_rows__stand_as_they_always_did),
        cmocka_unit_test(test_decision__has_a_number_for_each_kind),
        cmocka_unit_test(test_review__names_its_evidence_by_numbers_that_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
