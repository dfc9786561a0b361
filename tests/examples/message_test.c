/* Made-up messages: every one is sound HL7, the same every time, about the human it says. */
#include "support.h"

#include "examples/gen.h"

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "hl7v2/batch.h"
#include "hl7v2/header.h"
#include "hl7v2/index.h"

enum { MANY = 2000 };

static struct gen fresh(uint64_t seed)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = seed});
    return gen;
}

static void test_messages__are_sound_hl7_and_say_whom_they_are_about(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct gen gen = fresh(2026);
    SCOPED(buf_fini) struct buf text = {0};
    SCOPED(hl7_index_fini) struct hl7_index index = {0};
    struct map types = {0}, ids = {0}, versions = {0};
    size_t custom = 0, latin1 = 0, news = 0, nulls = 0, truncation = 0;
    for (size_t i = 0; i < MANY; i++) {
        struct gen_message_facts facts;
        buf_clear(&text);
        gen_message(&gen, &text, &facts);
        assert_ok(&s, hl7_index_build(&index, &s.cx, buf_str(&text), NULL));
        assert_int_equal(hl7_warnings_total(&index.warnings), 0);
        struct hl7_header header;
        hl7_header_read(buf_str(&text), &header);
        assert_ok(&s, hl7_header_check(&s.cx, &header, &index.fault));
        assert_str(header.control_id, facts.control_id);
        assert_str(hl7_at(&index, "PID-3.1"), facts.id);
        assert_str(hl7_at(&index, "PID-3.4"), facts.authority);
        assert_true(hl7_at(&index, "PID-5.1").len > 0);
        if (strcmp(facts.type, "ADT^A40") == 0)
            assert_true(hl7_at(&index, "MRG-1.1").len > 0 &&
                        !str_eq(hl7_at(&index, "MRG-1.1"), hl7_at(&index, "PID-3.1")));
        bool added;
        map_put(&ids, header.control_id, &added);
        assert_true(added);
        map_put(&types, str_from(facts.type), NULL);
        map_put(&versions, header.version, NULL);
        custom += header.delimiters.field != '|';
        truncation += header.delimiters.truncation != 0;
        latin1 += str_is(header.charsets, "8859/1");
        news += facts.is_new_identifier;
        nulls += str_is(hl7_at(&index, "PID-13"), "\"\"");
        arena_reset(&s.arena);
    }
    assert_int_equal(types.count, 12);
    assert_true(versions.count >= 7);
    assert_true(custom > 10 && latin1 > 200 && news > 200 && nulls > 10 && truncation > 50);
    map_fini(&types);
    map_fini(&ids);
    map_fini(&versions);
    support_fini(&s);
}

static void test_messages__are_the_same_for_the_same_seed(void **state)
{
    (void)state;
    struct gen first = fresh(5), second = fresh(5), other = fresh(6);
    SCOPED(buf_fini) struct buf a = {0}, b = {0}, c = {0};
    for (size_t i = 0; i < 300; i++) {
        gen_message(&first, &a, NULL);
        gen_message(&second, &b, NULL);
        gen_message(&other, &c, NULL);
    }
    assert_true(str_eq(buf_str(&a), buf_str(&b)));
    assert_false(str_eq(buf_str(&a), buf_str(&c)));
}

static void test_big_message__is_at_least_as_big_as_asked(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    static const size_t sizes[] = {0, 1, 5000, 1024 * 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct gen gen = fresh(1);
        SCOPED(buf_fini) struct buf text = {0};
        SCOPED(hl7_index_fini) struct hl7_index index = {0};
        gen_message_big(&gen, sizes[i], &text, NULL);
        assert_true(text.len >= sizes[i] && text.len < 3 * sizes[i] + 5000);
        assert_ok(&s, hl7_index_build(&index, &s.cx, buf_str(&text), NULL));
    }
    support_fini(&s);
}

static uint64_t count_in(struct support *s, const char *dir)
{
    static const char *const names[] = {"north.hl7", "lake.hl7", "lab-feed.hl7"};
    uint64_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        SCOPED(buf_fini) struct buf text = {0};
        assert_ok(s, file_read(&s->cx, arena_printf(&s->arena, "%s/%s", dir, names[i]).data, 1 << 26, &text));
        struct hl7_batch batch;
        struct hl7_batch_item item;
        hl7_batch_init(&batch, buf_str(&text));
        while (hl7_batch_next(&batch, &s->cx, &item) == STATUS_OK) {
            SCOPED(hl7_index_fini) struct hl7_index index = {0};
            assert_ok(s, hl7_index_build(&index, &s->cx, item.message, NULL));
            count++;
        }
        assert_int_equal(batch.stray_lines, 0);
        assert_int_equal(batch.noise_bytes, 0);
    }
    return count;
}

static void test_write_messages__plain_and_framed_files_hold_all_messages(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (unsigned framed = 0; framed < 2; framed++) {
        const char *dir = support_make_dir(&s);
        struct gen gen = fresh(9);
        assert_ok(&s, gen_write_messages(&s.cx, &gen, dir,
                                         &(struct gen_files_options){.framed = framed, .big = 2, .big_bytes = 100000}));
        assert_int_equal(count_in(&s, dir), GEN_MESSAGES_DEFAULT + 2);
        support_remove_dir(dir);
    }
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages__are_sound_hl7_and_say_whom_they_are_about),
        cmocka_unit_test(test_messages__are_the_same_for_the_same_seed),
        cmocka_unit_test(test_big_message__is_at_least_as_big_as_asked),
        cmocka_unit_test(test_write_messages__plain_and_framed_files_hold_all_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
