/* hl7v2/edit.h: cases, and properties over random messages: only what is named changes. */
#include "hl7_case.h"
#include "hl7v2/edit.h"

#include <inttypes.h>

#define M    "MSH|^~\\&|A|B\r"
#define SEED 20261121

static void test_apply__writes_the_least(void **state)
{
    (void)state;
    static const struct {
        const char *before, *path, *value, *after;
        enum hl7_edit_kind kind;
    } rows[] = {
        {M "PID|1|x|y\r", "PID-2", "new", M "PID|1|new|y\r", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID-5.2", "A", M "PID|1||||^A\r", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID-3(2).4.2", "A", M "PID|1||~^^^&A\r", HL7_EDIT_TEXT},
        {M "PID\r", "PID-2", "A", M "PID||A\r", HL7_EDIT_TEXT},
        {M "PID|1||a^b~c\r", "PID-3(2).2", "d", M "PID|1||a^b~c^d\r", HL7_EDIT_TEXT},
        {M "PID|1||a^b~c\r", "PID-3", "z", M "PID|1||z\r", HL7_EDIT_TEXT},
        {M "PID|1||a^b~c\r", "PID-3(1)", "q^r", M "PID|1||q^r~c\r", HL7_EDIT_RAW},
        {M "PID|1||a^b~c\r", "PID-3.2", "q^r", M "PID|1||a^q\\S\\r~c\r", HL7_EDIT_TEXT},
        {M "PID|1||a^b\r", "PID-3.2", "", M "PID|1||a^\r", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID-30", "", M "PID|1\r", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID-3(4).5.6", "", M "PID|1\r", HL7_EDIT_RAW},
        {M "PID|1||a\r", "PID-3", "", M "PID|1||\r", HL7_EDIT_REMOVE},
        {M "PID|1\r", "PID-2", "\"\"", M "PID|1|\"\"\r", HL7_EDIT_RAW},
        {M, "MSH-5", "X", "MSH|^~\\&|A|B|X\r", HL7_EDIT_TEXT},
        {M, "MSH-8", "X", "MSH|^~\\&|A|B||||X\r", HL7_EDIT_TEXT},
        {M "PID|1\rOBX|1\rOBX|2", "OBX(2)-1", "9", M "PID|1\rOBX|1\rOBX|9", HL7_EDIT_TEXT},
        {M "PID|1\rZZZ|x\rPV1|1\r", "ZZZ", "", M "PID|1\rPV1|1\r", HL7_EDIT_REMOVE},
        {M "PID|1\r", "PID", "PID|7|8", M "PID|7|8\r", HL7_EDIT_RAW},
        {M "PID|1\rPV1|1\r", "PID", "ZID|x", M "PID|1\rZID|x\rPV1|1\r", HL7_EDIT_AFTER},
        {M "PID|1", "PID", "ZID|x", M "PID|1\rZID|x", HL7_EDIT_AFTER},
        {"MSH|^~\\&|A\r\nPID|1\r\n", "PID", "ZID|x", "MSH|^~\\&|A\r\nPID|1\r\nZID|x\r\n", HL7_EDIT_AFTER},
        {"\xef\xbb\xbfMSH|^~\\&|A\nPID|1\n\n", "PID-1", "2", "\xef\xbb\xbfMSH|^~\\&|A\nPID|2\n\n", HL7_EDIT_TEXT},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCOPED(buf_fini) struct buf out = {0};
        case_build(&c, str_from(rows[i].before));
        struct hl7_edit edit = {
            .kind = rows[i].kind, .path = hl7_path_make(rows[i].path), .value = str_from(rows[i].value)};
        assert_ok(&c.support, hl7_edit_apply(&c.index, &c.support.cx, &edit, 1, &out));
        if (!str_is(buf_str(&out), rows[i].after))
            fail_msg("row %zu: %.*s", i, STR_ARGS(buf_str(&out)));
    }
    case_fini(&c);
}

static void test_apply__lets_edits_meet_and_keeps_before_and_after(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf out = {0};
    case_build(&c, STR(M "PID|1||a^b\rPV1|1\r"));
    struct hl7_edit edits[] = {
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PV1-3.2"), .value = STR("ward")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-3(3).5"), .value = STR("MR")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-3.2"), .value = STR("first")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-3(3).1"), .value = STR("x&y")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-3.2"), .value = STR("later wins")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-8"), .value = STR("F")},
        {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("PID-7"), .value = STR("1970")},
    };
    assert_ok(&c.support, hl7_edit_apply(&c.index, &c.support.cx, edits, sizeof edits / sizeof edits[0], &out));
    assert_str(buf_str(&out), M "PID|1||a^later wins~~x\\T\\y^^^^MR||||1970|F\rPV1|1||^ward\r");
    assert_str(edits[4].before, "b");
    assert_str(edits[4].after, "later wins");
    assert_true(edits[3].before.data == NULL);
    assert_str(edits[3].after, "x\\T\\y");
    case_fini(&c);
}

static void test_apply__refuses_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const struct {
        const char *before, *path, *value, *reason;
        enum hl7_edit_kind kind;
    } rows[] = {
        {M "PID|1\r", "PV1-1", "x", "hl7.edit-path", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID(2)-1", "x", "hl7.edit-path", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID(*)-1", "x", "hl7.edit-path", HL7_EDIT_TEXT},
        {M "PID|1\r", "MSH-1", "x", "hl7.edit-path", HL7_EDIT_TEXT},
        {M "PID|1\r", "MSH-2", "x", "hl7.edit-path", HL7_EDIT_RAW},
        {M "PID|1\r", "MSH", "x", "hl7.edit-path", HL7_EDIT_REMOVE},
        {M "PID|1\r", "PID", "PID|2", "hl7.edit-path", HL7_EDIT_TEXT},
        {M "PID|1\r", "PID-1", "PID|2", "hl7.edit-path", HL7_EDIT_AFTER},
        {M "PID|1\r", "PID", "MSH|2", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID", "PID|2\rZZZ|1", "hl7.edit-value", HL7_EDIT_AFTER},
        {M "PID|1\r", "PID", "nonsense", "hl7.edit-value", HL7_EDIT_AFTER},
        {M "PID|1\r", "PID-1", "a|b", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1", "a\rb", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1", "a\nb", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1(1)", "a~b", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1.1", "a^b", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1.1.1", "a&b", "hl7.edit-value", HL7_EDIT_RAW},
        {M "PID|1\r", "PID-1", "\xc3\xa9", "hl7.cannot-encode", HL7_EDIT_TEXT},
        {"MSH|^|A|B\rPID|1\r", "PID-1(2)", "x", "hl7.edit-path", HL7_EDIT_TEXT},
    };
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf out = {0};
    buf_put_str(&out, STR("kept"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        case_build(&c, str_from(rows[i].before));
        struct hl7_edit edit = {
            .kind = rows[i].kind, .path = hl7_path_make(rows[i].path), .value = str_from(rows[i].value)};
        assert_fails(&c.support, hl7_edit_apply(&c.index, &c.support.cx, &edit, 1, &out), rows[i].reason);
        assert_str(buf_str(&out), "kept");
    }
    case_build(&c, STR(M "PID|1||a^b\r"));
    static const char *const pairs[][2] = {
        {"PID", "PID-3"}, {"PID-3", "PID-3.1"}, {"PID-3(1)", "PID-3.2"}, {"PID-3.1", "PID-3(1).1.1"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct hl7_edit both[] = {{.kind = HL7_EDIT_RAW, .path = hl7_path_make(pairs[i][1]), .value = STR("x")},
                                  {.kind = HL7_EDIT_REMOVE, .path = hl7_path_make(pairs[i][0])}};
        assert_fails(&c.support, hl7_edit_apply(&c.index, &c.support.cx, both, 2, &out), "hl7.edit-overlap");
    }
    case_fini(&c);
}

/* ---- properties */

static void put_random_value(struct buf *out, uint64_t *seed)
{
    static const char *const pieces[] = {"a", "bc", "\\F\\", "\\X0D\\", "\"\"", "", "7 8", "\\.br\\", "Z"};
    for (uint64_t n = hash_random(seed) % 3; n > 0; n--)
        buf_put_str(out, str_from(pieces[hash_random(seed) % (sizeof pieces / sizeof pieces[0])]));
}

static void put_random_message(struct buf *out, uint64_t *seed)
{
    static const char *const names[] = {"PID", "PV1", "OBX", "ZA1"};
    static const char delimiters[] = {'|', '|', '^', '~', '&', '|', '^'};
    buf_put_str(out, STR("MSH|^~\\&|A|B"));
    for (uint64_t n = hash_random(seed) % 6; n > 0; n--) {
        buf_put_byte(out, '\r');
        buf_put_str(out, str_from(names[hash_random(seed) % 4]));
        for (uint64_t parts = hash_random(seed) % 20, i = 0; i < parts; i++) {
            buf_put_byte(out, i == 0 ? '|' : (uint8_t)delimiters[hash_random(seed) % sizeof delimiters]);
            put_random_value(out, seed);
        }
    }
    if (hash_random(seed) % 2)
        buf_put_byte(out, '\r');
}

static struct hl7_path random_path(const struct hl7_index *index, uint64_t *seed)
{
    uint32_t number = (uint32_t)(hash_random(seed) % index->segment_count);
    struct hl7_path path = {.name = index->segments[number].name, .segment = 1};
    for (uint32_t i = 0; i < number; i++)
        path.segment += index->segments[i].name == path.name;
    path.field = (uint16_t)(3 + hash_random(seed) % 8);
    path.repetition = (uint32_t)(hash_random(seed) % 4);
    path.component = (uint16_t)(hash_random(seed) % 4);
    path.subcomponent = path.component ? (uint16_t)(hash_random(seed) % 3) : 0;
    return path;
}

/* Every leaf of `left` outside the field of `path` is the same in `right`. */
static void assert_same_elsewhere(const struct hl7_index *left, const struct hl7_index *right,
                                  const struct hl7_path *path, uint64_t seed)
{
    ptrdiff_t touched = hl7_find_segment(left, path->name, path->segment, 0);
    assert_int_equal(left->segment_count, right->segment_count);
    for (uint32_t i = 0; i < left->segment_count; i++) {
        for (uint32_t field = 1; field <= left->segments[i].fields; field++) {
            if ((ptrdiff_t)i == touched && field == path->field)
                continue;
            if (!str_eq(hl7_field(left, i, field), hl7_field(right, i, field)))
                fail_msg("seed %" PRIu64 ": field %u of segment %u changed", seed, field, i);
        }
    }
}

static void test_property__an_edit_is_read_back_and_nothing_else_moves(void **state)
{
    (void)state;
    static const char *const values[] = {"x", "a|b^c~d&e\\f", "two\rlines", "", "\"\"", "\\F\\"};
    struct hl7_case c;
    case_init(&c);
    struct hl7_index again = {0};
    SCOPED(buf_fini) struct buf message = {0};
    SCOPED(buf_fini) struct buf out = {0};
    for (uint64_t round = 0; round < 20000; round++) {
        uint64_t start = SEED + round, seed = start;
        buf_clear(&message);
        buf_clear(&out);
        put_random_message(&message, &seed);
        case_build(&c, buf_str(&message));
        struct str value = str_from(values[hash_random(&seed) % (sizeof values / sizeof values[0])]);
        struct hl7_edit edit = {.kind = HL7_EDIT_TEXT, .path = random_path(&c.index, &seed), .value = value};
        assert_ok(&c.support, hl7_edit_apply(&c.index, &c.support.cx, &edit, 1, &out));
        assert_ok(&c.support, hl7_index_build(&again, &c.support.cx, buf_str(&out), NULL));
        struct str raw = hl7_get(&again, &edit.path);
        if (!str_eq(raw, edit.after) || !str_eq(hl7_text(&again, c.support.cx.arena, raw, NULL), value))
            fail_msg("seed %" PRIu64 ": \"%.*s\" is read back as \"%.*s\"", start, STR_ARGS(value), STR_ARGS(raw));
        assert_same_elsewhere(&c.index, &again, &edit.path, start);

        /* its sisters in the same field too: setting it back to what it was gives the field's values of before */
        if (edit.before.data != NULL) {
            struct hl7_edit back = {.kind = HL7_EDIT_RAW, .path = edit.path, .value = edit.before};
            SCOPED(buf_fini) struct buf restored = {0};
            assert_ok(&c.support, hl7_edit_apply(&again, &c.support.cx, &back, 1, &restored));
            if (!str_eq(buf_str(&restored), buf_str(&message)))
                fail_msg("seed %" PRIu64 ": not restored", start);
        }
        arena_reset(c.support.cx.arena);
    }
    hl7_index_fini(&again);
    case_fini(&c);
}

/* Building from parts what parsing took apart gives the same bytes. */
static void test_property__parse_and_build_is_identity(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf message = {0};
    SCOPED(buf_fini) struct buf built = {0};
    for (uint64_t round = 0; round < 5000; round++) {
        uint64_t seed = SEED + round;
        buf_clear(&message);
        buf_clear(&built);
        put_random_message(&message, &seed);
        case_build(&c, buf_str(&message));
        for (uint32_t i = 0; i < c.index.segment_count; i++) {
            buf_put_str(&built, i ? STR("\r") : STR(""));
            buf_put(&built, hl7_segment_bytes(&c.index, i).data, 3);
            for (uint32_t field = i == 0 ? 2 : 1; field <= c.index.segments[i].fields; field++) {
                struct str repetitions = hl7_field(&c.index, i, field), repetition, component;
                buf_put_byte(&built, '|');
                for (int r = 0; hl7_next_repetition(&c.index, &repetitions, &repetition); r++) {
                    buf_put_str(&built, r ? STR("~") : STR(""));
                    for (int p = 0; hl7_next_component(&c.index, &repetition, &component); p++) {
                        buf_put_str(&built, p ? STR("^") : STR(""));
                        buf_put_str(&built, component);
                    }
                }
            }
        }
        if (message.data[message.len - 1] == '\r')
            buf_put_byte(&built, '\r');
        if (!str_eq(buf_str(&built), buf_str(&message)))
            fail_msg("seed %" PRIu64, (uint64_t)(SEED + round));
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply__writes_the_least),
        cmocka_unit_test(test_apply__lets_edits_meet_and_keeps_before_and_after),
        cmocka_unit_test(test_apply__refuses_and_leaves_the_output_alone),
        cmocka_unit_test(test_property__an_edit_is_read_back_and_nothing_else_moves),
        cmocka_unit_test(test_property__parse_and_build_is_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
