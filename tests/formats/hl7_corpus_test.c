/* The shared data: hostile files have a pinned outcome; every sample parses or is refused, and comes back byte for
 * byte. */
#include "hl7_case.h"
#include "hl7v2/ack.h"
#include "hl7v2/batch.h"
#include "hl7v2/bench.h"
#include "hl7v2/edit.h"

#include <ftw.h>

static struct hl7_case *corpus_case;
static size_t files, messages, refused;

/* The outcome below the engine: index and header. Identity, codes and rights are judged elsewhere. */
static const struct {
    const char *file, *reason;
    uint32_t warnings;
} pinned[] = {
    {"000-valid.hl7", NULL, 0},
    {"001-empty.hl7", "hl7.no-msh", 0},
    {"002-msh-only-3.hl7", "hl7.short-msh", 0},
    {"003-msh-no-encoding.hl7", "hl7.short-msh", 0},
    {"004-msh-enc-truncated.hl7", "hl7.short-msh", 0},
    {"005-enc-chars-equal.hl7", "hl7.bad-delimiters", 0},
    {"006-enc-alnum.hl7", "hl7.bad-delimiters", 0},
    {"007-fieldsep-cr.hl7", "hl7.bad-delimiters", 0},
    {"008-fieldsep-nul.hl7", "hl7.bad-delimiters", 0},
    {"009-enc-5chars-27.hl7", NULL, 0},
    {"010-enc-6chars.hl7", "hl7.bad-delimiters", 0},
    {"011-sep-utf8.hl7", "hl7.bad-delimiters", 0},
    {"012-lf-only.hl7", NULL, 4},
    {"013-crlf.hl7", NULL, 4},
    {"014-mixed.hl7", NULL, 2},
    {"015-no-trailing-cr.hl7", NULL, 0},
    {"016-double-cr.hl7", NULL, 4},
    {"017-leading-spaces.hl7", "hl7.no-msh", 0},
    {"018-bom.hl7", NULL, 1},
    {"019-utf16le.hl7", "hl7.no-msh", 0},
    {"020-utf16be-bom.hl7", "hl7.no-msh", 0},
    {"021-latin1-in-utf8.hl7", "hl7.charset", 0},
    {"022-msh18-lies.hl7", "hl7.charset", 0},
    {"023-msh18-unknown.hl7", "hl7.charset-unknown", 0},
    {"024-iso2022-escape.hl7", NULL, 0},
    {"025-overlong-utf8.hl7", "hl7.charset", 0},
    {"026-surrogate-utf8.hl7", "hl7.charset", 0},
    {"027-5byte-utf8.hl7", "hl7.charset", 0},
    {"028-nul-in-field.hl7", "hl7.nul-byte", 0},
    {"029-all-c0.hl7", NULL, 26},
    {"030-bidi.hl7", NULL, 1},
    {"031-zalgo.hl7", NULL, 1},
    {"032-nfc-expansion.hl7", NULL, 1},
    {"040-esc-unterminated.hl7", NULL, 0},
    {"041-esc-nested.hl7", NULL, 0},
    {"042-esc-hex-odd.hl7", NULL, 0},
    {"043-esc-hex-bad.hl7", NULL, 0},
    {"044-esc-hex-cr-injection.hl7", NULL, 0},
    {"045-esc-delims.hl7", NULL, 0},
    {"046-esc-Z-local.hl7", NULL, 0},
    {"047-esc-highlight.hl7", NULL, 0},
    {"048-esc-100k.hl7", NULL, 0},
    {"049-esc-hex-1MB.hl7", NULL, 0},
    {"050-cr-in-name-raw.hl7", NULL, 0},
    {"051-second-msh.hl7", "hl7.second-msh", 0},
    {"052-msh-in-obx.hl7", NULL, 0},
    {"053-pid-twice.hl7", NULL, 0},
    {"054-cross-patient-merge.hl7", NULL, 0},
    {"055-merge-other-authority.hl7", NULL, 0},
    {"056-source-spoof.hl7", NULL, 0},
    {"057-control-id-reuse.hl7", NULL, 0},
    {"058-control-id-empty.hl7", "hl7.no-control-id", 0},
    {"059-control-id-300.hl7", "hl7.long-control-id", 0},
    {"060-control-id-delims.hl7", NULL, 0},
    {"061-control-id-cr.hl7", NULL, 0},
    {"062-control-id-format.hl7", NULL, 0},
    {"063-control-id-sql.hl7", NULL, 0},
    {"064-path-traversal.hl7", NULL, 0},
    {"065-path-nul.hl7", "hl7.nul-byte", 0},
    {"066-shell.hl7", NULL, 0},
    {"067-csv-formula.hl7", NULL, 0},
    {"068-log-crlf.hl7", NULL, 0},
    {"069-ansi.hl7", NULL, 3},
    {"070-field-1MB.hl7", NULL, 0},
    {"071-fields-100k.hl7", NULL, 0},
    {"072-segments-100k.hl7", "hl7.too-many-segments", 0},
    {"073-reps-100k.hl7", NULL, 0},
    {"074-components-100k.hl7", NULL, 0},
    {"075-subcomponents-100k.hl7", NULL, 0},
    {"076-pid3-20k-ids.hl7", NULL, 0},
    {"077-segment-id-lower.hl7", "hl7.bad-segment", 0},
    {"078-segment-id-2.hl7", "hl7.bad-segment", 0},
    {"079-segment-id-nonascii.hl7", "hl7.bad-segment", 0},
    {"080-order-wrong.hl7", "hl7.no-msh", 0},
    {"081-no-pid.hl7", NULL, 0},
    {"082-version-99.hl7", NULL, 0},
    {"083-version-empty.hl7", "hl7.no-version", 0},
    {"084-type-unknown.hl7", NULL, 0},
    {"085-procid-wrong.hl7", NULL, 0},
    {"086-date-month13.hl7", NULL, 0},
    {"087-date-feb30.hl7", NULL, 0},
    {"088-date-year0.hl7", NULL, 0},
    {"089-date-9999.hl7", NULL, 0},
    {"090-date-leapsec.hl7", NULL, 0},
    {"091-tz-plus99.hl7", NULL, 0},
    {"092-ts-2038.hl7", NULL, 0},
    {"093-number-overflow.hl7", NULL, 0},
    {"094-obx-ed-base64-bad.hl7", NULL, 0},
    {"095-obx-ed-5MB.hl7", NULL, 0},
    {"096-null-quotes.hl7", NULL, 0},
    {"097-deep-batch.hl7", "hl7.no-msh", 0},
    {"098-bts-count-lie.hl7", "hl7.no-msh", 0},
    {"099-ack-as-input.hl7", NULL, 0},
    {"100-ack-wrong-id.hl7", NULL, 0},
    {"101-ack-no-msa.hl7", NULL, 0},
    {"102-ack-code-odd.hl7", NULL, 0},
    {"103-html-reply.hl7", "hl7.no-msh", 0},
    {"104-sud-label.hl7", NULL, 0},
};

static void test_build__hostile_files_have_a_pinned_outcome(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf bytes = {0};
    SCOPED(buf_fini) struct buf answer = {0};
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++) {
        char below[128];
        struct hl7_header header;
        struct hl7_path fault = {0};
        struct hl7_reply reply;
        snprintf(below, sizeof below, "adversarial/own/hl7-malformed/%s", pinned[i].file);
        if (!case_read(&c, below, &bytes))
            break;
        ctx_clear(&c.support.cx);
        hl7_header_read(buf_str(&bytes), &header);
        status got = hl7_index_build(&c.index, &c.support.cx, buf_str(&bytes), NULL);
        if (got == STATUS_OK)
            got = hl7_header_check(&c.support.cx, &header, &fault);
        const char *reason = got == STATUS_OK ? "accepted" : c.support.cx.reason->name;
        if (strcmp(reason, pinned[i].reason ? pinned[i].reason : "accepted") != 0)
            fail_msg("%s: %s", pinned[i].file, reason);
        if (pinned[i].reason == NULL)
            assert_int_equal(hl7_warnings_total(&c.index.warnings), pinned[i].warnings);

        /* whatever it was, it can be answered */
        struct hl7_ack ack = {.to = &header,
                              .code = hl7_ack_code_for(got == STATUS_OK ? NULL : c.support.cx.reason, false),
                              .control_id = STR("I1"),
                              .reason = got == STATUS_OK ? NULL : c.support.cx.reason,
                              .location = &c.index.fault};
        buf_clear(&answer);
        hl7_ack_build(&ack, &answer);
        assert_ok(&c.support, hl7_ack_read(&c.support.cx, buf_str(&answer), &reply));
        assert_int_equal(reply.code, ack.code);
    }
    case_fini(&c);
}

/* No edits, and every field set to what it is: the same bytes. */
static void assert_lossless(struct hl7_case *c, struct str message, const char *name)
{
    enum { EDITS_MAX = 20000 };
    static struct hl7_edit edits[EDITS_MAX];
    SCOPED(buf_fini) struct buf out = {0};
    const struct hl7_index *index = &c->index;
    size_t count = 0;
    assert_ok(&c->support, hl7_edit_apply(index, &c->support.cx, NULL, 0, &out));
    assert_true(str_eq(buf_str(&out), message));
    for (uint32_t i = 0; i < index->segment_count && i < 300; i++) {
        struct hl7_path path = {.name = index->segments[i].name, .segment = 1};
        for (uint32_t before = 0; before < i; before++)
            path.segment += index->segments[before].name == path.name;
        for (uint32_t field = i == 0 ? 3 : 1; field <= index->segments[i].fields && count < EDITS_MAX; field++) {
            path.field = (uint16_t)field;
            edits[count++] = (struct hl7_edit){.kind = HL7_EDIT_RAW, .path = path, .value = hl7_field(index, i, field)};
            assert_true(str_is_utf8(hl7_text(index, c->support.cx.arena, hl7_field(index, i, field), NULL)));
        }
    }
    buf_clear(&out);
    assert_ok(&c->support, hl7_edit_apply(index, &c->support.cx, edits, count, &out));
    if (!str_eq(buf_str(&out), message))
        fail_msg("%s is not the same after edits that change nothing", name);
}

static int visit(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    size_t len = strlen(path);
    struct hl7_case *c = corpus_case;
    (void)where;
    bool wanted =
        kind == FTW_F && (strstr(path, "/hl7v2/") != NULL || (len > 4 && strcmp(path + len - 4, ".hl7") == 0));
    if (!wanted || info->st_size > (8 << 20))
        return 0;
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&c->support, file_read(&c->support.cx, path, 8u << 20, &bytes));
    struct hl7_batch batch;
    struct hl7_batch_item item;
    hl7_batch_init(&batch, buf_str(&bytes));
    while (hl7_batch_next(&batch, &c->support.cx, &item) == STATUS_OK) {
        messages++;
        if (hl7_index_build(&c->index, &c->support.cx, item.message, NULL) == STATUS_OK) {
            assert_lossless(c, item.message, path);
        } else {
            assert_non_null(c->support.cx.reason);
            refused++;
        }
    }
    hl7_batch_fini(&batch);
    arena_reset(c->support.cx.arena);
    files++;
    return 0;
}

static void test_corpus__every_sample_is_kept_byte_for_byte(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    corpus_case = &c;
    const char *folder = support_data(&c.support, "messages");
    if (folder == NULL) {
        printf("skipped: no data (messages)\n");
    } else {
        nftw(folder, visit, 16, FTW_PHYS);
        printf("%zu files, %zu messages, %zu of them refused with a reason\n", files, messages, refused);
        assert_true(files > 100 && refused * 10 < messages);
    }
    case_fini(&c);
}

static void test_bench__measures(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    struct hl7_bench_result result;
    assert_ok(&c.support, hl7_bench_index(&c.support.cx, STR(MSH_251 "PID|1||7\r" MSH_251 "PID|2\r"), 0.01, &result));
    assert_int_equal(result.messages, 2);
    assert_int_equal(result.array_growths, 0);
    assert_true(result.messages_per_s > 0);
    assert_fails(&c.support, hl7_bench_index(&c.support.cx, STR("nothing"), 0.01, &result), "hl7.no-msh");
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build__hostile_files_have_a_pinned_outcome),
        cmocka_unit_test(test_corpus__every_sample_is_kept_byte_for_byte),
        cmocka_unit_test(test_bench__measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
