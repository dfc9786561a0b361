/* hl7v2/mllp.h: [MLLP R1] frames however the bytes are cut; the hostile streams of the shared data. */
#include "hl7_case.h"
#include "hl7v2/mllp.h"

/* "F(content) L(…) B(…) A N" for the events, in pieces of at most `piece` bytes */
static void read_stream(struct str bytes, struct mllp_options options, size_t piece, uint64_t *seed, struct buf *out,
                        struct mllp_counts *counts)
{
    static const char names[] = {'?', 'F', 'L', 'B', 'A', 'N'};
    struct mllp_reader reader;
    enum mllp_event event;
    struct str frame = STR_NONE;
    mllp_reader_init(&reader, options);
    while (bytes.len > 0) {
        size_t len = seed ? 1 + hash_random(seed) % piece : piece;
        struct str part = str_sub(bytes, 0, len);
        bytes = str_from_at(bytes, len);
        mllp_feed(&reader, part);
        while ((event = mllp_next(&reader, &frame)) != MLLP_MORE) {
            buf_put_byte(out, (uint8_t)names[event]);
            if (event <= MLLP_BROKEN)
                buf_printf(out, "(%.*s)", STR_ARGS(frame));
        }
    }
    if (mllp_idle(&reader, &frame) == MLLP_FRAME)
        buf_printf(out, "I(%.*s)", STR_ARGS(frame));
    *counts = reader.counts;
    mllp_reader_fini(&reader);
}

static void test_next__cuts_frames(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *want;
        struct mllp_options options;
    } rows[] = {
        {STR_INIT("\x0bone\x1c\r"), "F(one)", {0}},
        {STR_INIT("\x0bone\x1c\r\x0btwo\x1c\r"), "F(one)F(two)", {0}},
        {STR_INIT("one\x1c\r\x0btwo\x1c\r"), "F(two)", {0}},
        {STR_INIT("\x0bone"), "", {0}},
        {STR_INIT("\x0bone\x1c"), "I(one)", {0}},
        {STR_INIT("\x0bone\x1c\x0btwo\x1c\r"), "F(one)F(two)", {0}},
        {STR_INIT("\x0bone\x1c\r\n\x0btwo\x1c\r\n"), "F(one)F(two)", {0}},
        {STR_INIT("\x0b\x0bone\x1c\r"), "F(one)", {0}},
        {STR_INIT("\x0bon\x0b"
                  "e\x1c\r"),
         "B(on)F(e)",
         {0}},
        {STR_INIT("\x0bo\x1cne\x1c\r"), "F(o\x1cne)", {0}},
        {STR_INIT("\x0bo\x1cne\x1c\r"), "F(o)", {.fs_policy = MLLP_FS_ENDS_FRAME}},
        {STR_INIT("\x0bo\x1cne\x1c\r\x0btwo\x1c\r"), "B(o)F(two)", {.fs_policy = MLLP_FS_IS_ERROR}},
        {STR_INIT("\x0bo\x1c\x1c\r"), "F(o\x1c)", {0}},
        {STR_INIT("\x0b\x1c\r\x0b\x1c\r"), "", {0}},
        {STR_INIT("\x0b\x06\x1c\r\x0b\x15\x1c\r"), "AN", {0}},
        {STR_INIT("\x0b"
                  "0123456789\x1c\r\x0bok\x1c\r"),
         "L(0123)F(ok)",
         {.frame_max = 4}},
        {STR_INIT("\x0b"
                  "0123\x1c\r"),
         "F(0123)",
         {.frame_max = 4}},
        {STR_INIT("\x0b"
                  "0123\x1cX\x1c\r\x0bok\x1c\r"),
         "L(0123)F(ok)",
         {.frame_max = 4}},
        {STR_INIT(""), "", {0}},
        {STR_INIT("\x0b"), "", {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mllp_counts whole;
        for (size_t piece = 1; piece <= rows[i].bytes.len + 1;
             piece++) { /* whole first is the last: every cut is tried */
            SCOPED(buf_fini) struct buf got = {0};
            struct mllp_counts counts;
            read_stream(rows[i].bytes, rows[i].options, piece, NULL, &got, &counts);
            if (!str_is(buf_str(&got), rows[i].want))
                fail_msg("row %zu in pieces of %zu: %.*s", i, piece, STR_ARGS(buf_str(&got)));
            if (piece > 1)
                assert_memory_equal(&counts, &whole, sizeof counts);
            whole = counts;
        }
    }
}

static void test_next__borrows_whole_frames(void **state)
{
    (void)state;
    struct mllp_reader reader;
    struct str frame = STR_NONE, bytes = STR("\x0bone\x1c\r\x0btwo\x1c\r\x0bthr");
    mllp_reader_init(&reader, (struct mllp_options){0});
    mllp_feed(&reader, bytes);
    assert_int_equal(mllp_next(&reader, &frame), MLLP_FRAME);
    assert_ptr_equal(frame.data, bytes.data + 1);
    assert_int_equal(mllp_next(&reader, &frame), MLLP_FRAME);
    assert_ptr_equal(frame.data, bytes.data + 7);
    assert_int_equal(mllp_next(&reader, &frame), MLLP_MORE);
    assert_int_equal(mllp_pending(&reader), 3);
    mllp_feed(&reader, STR("ee\x1c\r"));
    assert_int_equal(mllp_next(&reader, &frame), MLLP_FRAME);
    assert_str(frame, "three");
    mllp_reader_fini(&reader);
}

static void test_frame__is_read_back(void **state)
{
    (void)state;
    SCOPED(buf_fini) struct buf out = {0};
    SCOPED(buf_fini) struct buf got = {0};
    struct mllp_counts counts;
    mllp_frame(&out, STR("MSH|x\r"));
    mllp_commit(&out, true);
    mllp_commit(&out, false);
    assert_str(buf_str(&out), "\x0bMSH|x\r\x1c\r\x0b\x06\x1c\r\x0b\x15\x1c\r");
    read_stream(buf_str(&out), (struct mllp_options){0}, 100, NULL, &got, &counts);
    assert_str(buf_str(&got), "F(MSH|x\r)AN");
}

static void test_property__any_cutting_gives_the_same(void **state)
{
    (void)state;
    static const char alphabet[] = {MLLP_VT, MLLP_FS, MLLP_CR, 'a', 'b', '\n', MLLP_ACK};
    for (uint64_t round = 0; round < 20000; round++) {
        uint64_t start = 99 + round, seed = start;
        char bytes[64];
        size_t len = hash_random(&seed) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = alphabet[hash_random(&seed) % sizeof alphabet];
        struct mllp_options options = {.fs_policy = (enum mllp_fs_policy)(round % 3), .frame_max = round % 5 ? 0 : 6};
        struct mllp_counts whole_counts, cut_counts;
        SCOPED(buf_fini) struct buf whole = {0};
        SCOPED(buf_fini) struct buf cut = {0};
        read_stream(str_make(bytes, len), options, sizeof bytes, NULL, &whole, &whole_counts);
        read_stream(str_make(bytes, len), options, 7, &seed, &cut, &cut_counts);
        if (!str_eq(buf_str(&whole), buf_str(&cut)) || memcmp(&whole_counts, &cut_counts, sizeof cut_counts) != 0)
            fail_msg("seed %llu", (unsigned long long)start);
    }
}

/* ../shared/data/adversarial/own/mllp-frames: our policy, pinned */
static void test_next__handles_hostile_streams(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint64_t frames, broken, empty, too_long;
        bool noise, idle_frame;
    } rows[] = {
        {"00-valid.bin", 1, 0, 0, 0, false, false},
        {"01-two-back-to-back.bin", 2, 0, 0, 0, false, false},
        {"02-no-vt.bin", 0, 0, 0, 0, true, false},
        {"03-no-fs.bin", 0, 0, 0, 0, false, false},
        {"04-fs-no-cr.bin", 1, 0, 0, 0, false, true}, /* accepted when the line goes idle */
        {"05-cr-lf-after.bin", 1, 0, 0, 0, true, false},
        {"06-double-vt.bin", 1, 0, 0, 0, true, false},
        {"07-vt-inside.bin", 1, 1, 0, 0, false,
         false}, /* the first part is dropped; the index refuses the second: no MSH */
        {"08-fs-inside.bin", 1, 0, 0, 0, false, false}, /* FS is content; counted */
        {"09-fscr-inside.bin", 1, 0, 0, 0, true, false},
        {"10-garbage-before.bin", 1, 0, 0, 0, true, false},
        {"11-tls-hello.bin", 0, 0, 0, 0, true, false},
        {"12-empty-frame.bin", 0, 0, 1, 0, false, false},
        {"13-10k-empty-frames.bin", 0, 0, 10000, 0, false, false},
        {"14-1MB-no-end.bin", 0, 0, 0, 1, true, false},
        {"15-vt-only.bin", 0, 0, 0, 0, false, false},
        {"16-nul-flood.bin", 0, 0, 0, 0, true, false},
        {"17-ack-flood.bin", 1000, 0, 0, 0, false, false},
        {"18-late-ack-pair.bin", 2, 0, 0, 0, false, false},
        {"19-commit-ack-mode.bin", 1, 0, 0, 0, false, false},
        {"20-mllp2-commit.bin", 0, 0, 0, 0, false, false},
    };
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf bytes = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCOPED(buf_fini) struct buf events = {0};
        struct mllp_counts n;
        char below[128];
        snprintf(below, sizeof below, "adversarial/own/mllp-frames/%s", rows[i].file);
        if (!case_read(&c, below, &bytes))
            break;
        read_stream(buf_str(&bytes), (struct mllp_options){.frame_max = 1000000}, 1000, NULL, &events, &n);
        if (n.frames != rows[i].frames || n.broken_frames != rows[i].broken || n.empty_frames != rows[i].empty ||
            n.long_frames != rows[i].too_long || (n.noise_bytes > 0) != rows[i].noise ||
            (n.fs_without_cr > 0) != rows[i].idle_frame)
            fail_msg("%s: %llu frames, %llu broken, %llu empty, %llu long, %llu noise, %llu without CR", rows[i].file,
                     (unsigned long long)n.frames, (unsigned long long)n.broken_frames,
                     (unsigned long long)n.empty_frames, (unsigned long long)n.long_frames,
                     (unsigned long long)n.noise_bytes, (unsigned long long)n.fs_without_cr);
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next__cuts_frames),
        cmocka_unit_test(test_next__borrows_whole_frames),
        cmocka_unit_test(test_frame__is_read_back),
        cmocka_unit_test(test_property__any_cutting_gives_the_same),
        cmocka_unit_test(test_next__handles_hostile_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
