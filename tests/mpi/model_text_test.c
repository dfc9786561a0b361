/* A model's text: what is written is read to the same, what is not whole or not true is refused with its line. */
#include "world.h"

#include "base/limits.h"
#include "base/yaml/yaml.h"

static struct str text_of(struct support *support, const struct mpi_model *model)
{
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(model, &text);
    return arena_str(support->cx.arena, buf_str(&text));
}

/* The general model with a few values, as a trained one has. */
static struct mpi_model *make_model(struct support *support)
{
    struct mpi_model *model;
    assert_ok(support, mpi_model_read(&support->cx, text_of(support, mpi_model_general()), &model));
    static const struct value_rarity some[] = {
        {77, 12 | RARITY_KNOWN}, {1, 1}, {UINT64_MAX, RARITY_TOP}, {19800102, 60 | RARITY_KNOWN}};
    model->format = MODEL_FORMAT;
    model->use[VALUE_CITY] = (struct value_use){1000000, 17};
    for (size_t kind = 0; kind < VALUE_KINDS; kind += 2) {
        value_table_fini(&model->values[kind]);
        value_table_make(&model->values[kind], mem_copy(some, sizeof some), 4, (uint8_t)(kind * 3));
    }
    model->prior_mbit = 7;
    model->kin_mbit = -64000;
    model->alone_mbit = 2718;
    model->fields[FIELD_SEX][SEX_SAME].same = -64000;
    struct mpi_model_about about = {
        .name = STR("here-2026"), .made_at = STR("2026-11-29T12:00:00Z"), .records = 12, .persons = 9};
    assert_ok(support, mpi_model_name(&support->cx, model, &about));
    return model;
}

static void test_text__of_a_model_is_read_to_the_same_model(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_model *model = make_model(&support), *again;
    struct str text = text_of(&support, model);
    assert_ok(&support, mpi_model_read(&support.cx, text, &again));
    assert_true(str_eq(text, text_of(&support, again)));
    assert_true(mpi_model_identity(model) == mpi_model_identity(again));
    assert_true(mpi_model_identity(model) != mpi_model_identity(mpi_model_general()));
    assert_int_equal(again->prior_mbit, 7);
    assert_int_equal(again->kin_mbit, -64000);
    assert_int_equal(again->alone_mbit, 2718);
    assert_int_equal(again->fields[FIELD_SEX][SEX_SAME].same, -64000);
    assert_memory_equal(again->fields, model->fields, sizeof model->fields);
    for (uint64_t value = 1; value < 80; value++)
        for (size_t kind = 0; kind < VALUE_KINDS; kind++)
            assert_int_equal(value_table_get(&again->values[kind], value),
                             value_table_get(&model->values[kind], value));
    struct mpi_model_about about = mpi_model_about(again);
    assert_true(str_is(about.name, "here-2026") && about.records == 12 && about.persons == 9);
    assert_int_equal(about.auto_mbit, model_builtin.auto_mbit);
    mpi_model_free(again);
    mpi_model_free(model);
    support_fini(&support);
}

/* A store may have activated a text from before there was such a key: it means what it meant, and hashes to the same.
 */
static void test_text__without_a_word_on_being_alone_is_as_before(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct str text = text_of(&support, mpi_model_general());
    assert_null(memmem(text.data, text.len, "alone", 5));
    struct mpi_model *model;
    assert_ok(&support, mpi_model_read(&support.cx, text, &model));
    assert_int_equal(model->alone_mbit, 0);
    assert_true(mpi_model_identity(model) == mpi_model_identity(mpi_model_general()));
    mpi_model_free(model);
    support_fini(&support);
}

static void test_text__is_yaml(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    const struct yaml_node *root;
    struct mpi_model *model = make_model(&support);
    assert_ok(&support, yaml_parse(&support.cx, text_of(&support, model), &root));
    mpi_model_free(model);
    support_fini(&support);
}

/* `text` with the first `from` replaced; a star at its end takes in the rest of the line. */
static struct str with(struct support *support, struct str text, const char *from, const char *to)
{
    bool whole = from[strlen(from) - 1] == '*';
    struct str begins = str_make(from, strlen(from) - whole), line;
    for (size_t i = 0; i < text.len; i++) {
        struct str rest = str_from_at(text, i);
        if (!str_starts(rest, begins))
            continue;
        size_t len = whole && str_split(&rest, '\n', &line) ? line.len : begins.len;
        return arena_printf(support->cx.arena, "%.*s%s%.*s", STR_ARGS(str_sub(text, 0, i)), to,
                            STR_ARGS(str_from_at(text, i + len)));
    }
    fail_msg("no %s in the text", from);
    return text;
}

/* What a site has activated keeps its bytes, and so its identity: format 2 is written only for what has it. */
static void test_text__of_the_first_format_stays_in_it(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_model *again;
    struct str text = text_of(&support, mpi_model_general());
    assert_ok(&support, mpi_model_read(&support.cx, text, &again));
    assert_int_equal(again->format, 1);
    assert_true(str_eq(text, text_of(&support, again)));
    mpi_model_free(again);
    support_fini(&support);
}

static void test_thresholds__are_costs_too(void **state)
{
    (void)state;
    static const struct {
        double wrong, missed;
        int32_t auto_mbit, review_mbit; /* NO_EDGE: refused */
    } cases[] = {
        {1001, 3, 9966, -1000}, /* 99.9 % and a third */
        {5, 5, 2000, -2000},    /* 80 % and 20 % */
        {2, 2, 0, 0},           /* nobody is asked: even odds either way */
        {8, 1, 3000, 3000},     /* missing costs no more than asking: no questions */
        {1, 16, -4000, -4000},  /* a wrong link costs no more than asking */
        {0.5, 3, 0, NO_EDGE},   {1001, 0, 0, NO_EDGE}, {1e10, 3, 0, NO_EDGE},
    };
    struct support support;
    support_init(&support);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
        struct mpi_costs costs = {cases[i].wrong, cases[i].missed};
        if (cases[i].review_mbit == NO_EDGE) {
            assert_fails(&support, mpi_model_price(&support.cx, model, costs), "mpi.model-bad");
            assert_int_equal(model->auto_mbit, mpi_model_general()->auto_mbit);
        } else {
            assert_ok(&support, mpi_model_price(&support.cx, model, costs));
            assert_int_equal(model->auto_mbit, cases[i].auto_mbit);
            assert_int_equal(model->review_mbit, cases[i].review_mbit);
        }
        mem_free(model);
    }
    struct mpi_model *model = make_model(&support);
    assert_ok(&support, mpi_model_price(&support.cx, model, (struct mpi_costs){1001, 3}));
    struct mpi_costs costs = mpi_model_costs(model);
    assert_true(costs.wrong > 1000 && costs.wrong < 1002 && costs.missed > 2.99 && costs.missed < 3.01);
    struct str text = text_of(&support, model);
    (void)with(&support, text, " %; a wrong link costs 100", "");
    (void)with(&support, text, " %; a missed link costs 3.0\n", "");
    mpi_model_free(model);
    support_fini(&support);
}

/* In any order, with comments and lines between, as an editor leaves it. */
static void test_text__may_be_arranged_anew(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct str text = text_of(&support, mpi_model_general());
    ptrdiff_t fields = 0;
    while (!str_starts(str_from_at(text, (size_t)fields), STR("fields:")))
        fields++;
    ptrdiff_t name = 0;
    while (!str_starts(str_from_at(text, (size_t)name), STR("name:")))
        name++;
    struct str arranged = arena_printf(support.cx.arena, "# mine\r\n\nformat: 1 # the first\r\n%.*s\n   # and\n%.*s",
                                       STR_ARGS(str_from_at(text, (size_t)fields)),
                                       STR_ARGS(str_sub(text, (size_t)name, (size_t)(fields - name))));
    struct mpi_model *model;
    assert_ok(&support, mpi_model_read(&support.cx, arranged, &model));
    assert_true(str_eq(text, text_of(&support, model)));
    mpi_model_free(model);
    support_fini(&support);
}

static void test_text__that_is_not_a_model_is_refused_with_its_line(void **state)
{
    (void)state;
    enum { FIRST_OF_VALUES = 29 }; /* from here on in a model of the second format */
    static const struct {
        const char *from, *to, *detail;
    } cases[] = {
        {"format: 1", "format: 3", "line 6: a model begins with \"format: 1\""},
        {"name: general", "name: Ann Lee", "line 7: 1 to 63 letters"},
        {"name: general", "name:", "line 7: 1 to 63 letters"},
        {"records: 0", "records: -1", "line 9: a count"},
        {"records: 0", "persons: 0", "line 10: said twice"}, /* persons stands in the next line */
        {"records: 0\n", "", "records is missing"},
        {"prior: *", "prior: -64.001", "line 11: bits from"},
        {"prior: *", "prior: -19.5000", "line 11: bits from"},
        {"prior: *", "prior: 1e1", "line 11: bits from"},
        {"namesakes: *", "namesakes: -0.001", "line 13: bits from"},
        {"clip: *", "clip: 0", "line 16: bits from"},
        {"clip: *", "clip: 15\nalone: -0.001", "line 17: bits from"},
        {"review: *", "review: 60", "review is above auto"},
        {"clip: *", "Lindqvist, Anna", "line 16: \"key: value\" is expected"},
        {"clip:", "clap:", "line 16: a model has no such key"},
        {"fields:", "fields: all", "line 17: nothing is expected"},
        {"  sex:\n", "  gender:\n", ": the name of a field is expected"},
        {"    same: {", "    alike: {", ": the field has no such level"},
        {"    exact: {", "     exact: {", "line 19: a level is expected, four spaces in"},
        {"    one edit apart: {", "    exact: {", "line 20: said twice"},
        {"    exact: *", "    exact: {same: 0.001, strangers: -1, kin: -1}",
         "line 19: {same: A, strangers: B, kin: C}"},
        {"    exact: *", "    exact: {same: -64.001, strangers: -1, kin: -1}",
         "line 19: {same: A, strangers: B, kin: C}"},
        {"    exact: *", "    exact: {same: -1, strangers: -1}", "line 19: {same: A, strangers: B, kin: C}"},
        {"    exact: *", "    exact: {same: -1, strangers: -1, kin: -1, twin: -1}",
         "line 19: {same: A, strangers: B, kin: C}"},
        {"    differs, unlike the given name:", "    #", "differs, unlike the given name of sex is missing"},
        {"  house:\n", "  castle:\n", ": the name of a kind of values is expected"},
        {"  city:\n    rest: 0\n", "", "city of values is missing"},
        {"  postcode:\n", "  house:\n", "said twice"},
        {"rest: 0", "rest: 128", "rest: 0 to 127"},
        {"rest: 0", "0123456789abcdef: 3", "rest: 0 to 127"},
        {": 12 known", ": 0 known", "a hash of 16 digits"},
        {": 12 known", ": 128", "a hash of 16 digits"},
        {": 12 known", ": 12 seen", "a hash of 16 digits"},
        {"    said: 1000000\n    listed: 17\n", "    said: 1000000\n", "said and then listed follow rest"},
        {"    said: 1000000", "    said: 1000001", "said and then listed follow rest"},
        {"format: 2", "format: 1", "a hash of 16 digits"}, /* said is nothing that the first has */
        {"  source:\n    rest: 36", "  sauce:\n    rest: 36", "the name of a kind of values"},
    };
    struct support support;
    support_init(&support);
    struct mpi_model *model = make_model(&support), *refused = NULL;
    struct str text = text_of(&support, model), general = text_of(&support, mpi_model_general());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool of_values = i >= FIRST_OF_VALUES;
        struct str changed = with(&support, of_values ? text : general, cases[i].from, cases[i].to);
        ctx_clear(&support.cx);
        assert_int_equal(mpi_model_read(&support.cx, changed, &refused), STATUS_INVALID_ARGUMENT);
        assert_ptr_equal(support.cx.reason, &mpi_reasons[MPI_MODEL_BAD]);
        struct str detail = support.cx.detail;
        bool said = false;
        for (size_t at = 0; at < detail.len; at++)
            said |= str_starts(str_from_at(detail, at), str_from(cases[i].detail));
        if (!said)
            fail_msg("%s -> %s: \"%.*s\"", cases[i].from, cases[i].to, STR_ARGS(detail));
    }
    assert_null(refused);
    mpi_model_free(model);
    support_fini(&support);
}

static void test_values__ascend_and_none_comes_twice(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct str text = text_of(&support, mpi_model_general());
    static const char *const lists[] = {"    rest: 0\n    00000000000000aa: 3\n    00000000000000aa: 4\n",
                                        "    rest: 0\n    00000000000000ab: 3\n    00000000000000aa: 3\n",
                                        "    rest: 0\n    0000000000000000: 3\n"};
    struct mpi_model *model = NULL;
    for (size_t i = 0; i < 3; i++) {
        struct str changed = with(&support, text, "    rest: 0\n", lists[i]);
        assert_int_equal(mpi_model_read(&support.cx, changed, &model), STATUS_INVALID_ARGUMENT);
    }
    assert_null(model);
    support_fini(&support);
}

/* Every text that ends too early is refused, wherever it ends. */
static void test_text__that_ends_early_is_refused(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct str text = text_of(&support, mpi_model_general());
    struct mpi_model *model = NULL;
    for (size_t len = 0; len + 2 < text.len; len++) { /* the last line may lack its end, or one of its digits */
        struct arena_mark mark = arena_mark(support.cx.arena);
        if (mpi_model_read(&support.cx, str_sub(text, 0, len), &model) == STATUS_OK)
            fail_msg("the first %zu bytes are read as a model", len);
        arena_rewind(support.cx.arena, mark);
    }
    support_fini(&support);
}

static void test_text__is_read_up_to_the_most_bytes_and_refused_past_it(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(mpi_model_general(), &text);
    buf_put_byte(&text, '#');
    while (text.len < LIMIT_MODEL_BYTES)
        buf_put_byte(&text, 'x');
    struct mpi_model *model = NULL;
    assert_ok(&support, mpi_model_read(&support.cx, buf_str(&text), &model));
    mpi_model_free(model);
    model = NULL;
    buf_put_byte(&text, 'x');
    assert_int_equal(mpi_model_read(&support.cx, buf_str(&text), &model), STATUS_INVALID_ARGUMENT);
    assert_ptr_equal(support.cx.reason, &mpi_reasons[MPI_MODEL_BAD]);
    assert_null(model);
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__of_a_model_is_read_to_the_same_model),
        cmocka_unit_test(test_text__without_a_word_on_being_alone_is_as_before),
        cmocka_unit_test(test_text__of_the_first_format_stays_in_it),
        cmocka_unit_test(test_thresholds__are_costs_too),
        cmocka_unit_test(test_text__is_yaml),
        cmocka_unit_test(test_text__may_be_arranged_anew),
        cmocka_unit_test(test_text__that_is_not_a_model_is_refused_with_its_line),
        cmocka_unit_test(test_values__ascend_and_none_comes_twice),
        cmocka_unit_test(test_text__that_ends_early_is_refused),
        cmocka_unit_test(test_text__is_read_up_to_the_most_bytes_and_refused_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
