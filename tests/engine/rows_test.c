/* Rows of the store: what is encoded comes back; truncated or flipped rows are refused or read the same way twice. */
#include "rows.h"

#include "base/hash.h"
#include "base/mem.h"
#include "stored_bytes.h"

static uint64_t seed = 471100;

static uint64_t next_random(void)
{
    return hash_random(&seed);
}

static struct str random_text(struct arena *arena, size_t len_max)
{
    return support_random_text(arena, &seed, len_max);
}

static struct message_row_comparison random_comparison(void)
{
    struct message_row_comparison c = {.evidence_count = (uint32_t)(next_random() % (ROW_EVIDENCE_MAX + 1))};
    if (c.evidence_count == 0)
        return c;
    c.left_record = next_random();
    c.right_record = next_random();
    c.score_mbit = (int32_t)next_random();
    c.probability_ppm = (uint32_t)next_random();
    c.model_version = (uint32_t)next_random();
    for (uint32_t i = 0; i < c.evidence_count; i++)
        c.evidence[i] = (struct message_row_evidence){STR("family name"), STR("exact"), (int32_t)next_random()};
    return c;
}

static void random_lists(struct arena *arena, struct message_row *row)
{
    row->code_count = next_random() % 4;
    row->codes = arena_array(arena, 4, sizeof *row->codes);
    row->change_count = next_random() % 4;
    row->changes = arena_array(arena, 4, sizeof *row->changes);
    row->output_count = next_random() % 4;
    row->outputs = arena_array(arena, 4, sizeof *row->outputs);
    for (size_t i = 0; i < 4; i++) {
        row->codes[i] = (struct message_row_code){.path = random_text(arena, 9),
                                                  .target_display = random_text(arena, 9),
                                                  .map_version = random_text(arena, 9),
                                                  .map_row = next_random()};
        row->changes[i] = (struct message_row_change){
            .path = random_text(arena, 9), .after = random_text(arena, 9), .why = random_text(arena, 9)};
        row->outputs[i] = (struct message_row_output){random_text(arena, 9), random_text(arena, 9)};
    }
}

static void encode_message(struct arena *arena, struct buf *out)
{
    struct message_row row = {.source = random_text(arena, 9),
                              .received_us = (int64_t)next_random(),
                              .principal = random_text(arena, 9),
                              .journaled_us = (int64_t)next_random(),
                              .control_id = random_text(arena, 9),
                              .type = random_text(arena, 9),
                              .detail = random_text(arena, 30),
                              .duplicate_of = next_random(),
                              .warnings = (uint32_t)next_random(),
                              .verdict = STR("linked"),
                              .person = next_random(),
                              .record = next_random(),
                              .comparison = random_comparison(),
                              .routes_version = random_text(arena, 12)};
    random_lists(arena, &row);
    message_row_encode(out, &row);
}

static struct outbox_row random_outbox(struct arena *arena)
{
    struct outbox_row row = {.message_seq = next_random(),
                             .control_id = random_text(arena, 9),
                             .where = (enum outbox_where)(next_random() % 3)};
    if (row.where == OUTBOX_HERE)
        row.bytes = random_text(arena, 60);
    if (row.where == OUTBOX_SHARED)
        row.shared = (uint32_t)next_random();
    return row;
}

static void encode_dead(struct arena *arena, struct buf *out)
{
    struct dead_row row = {.destination = random_text(arena, 9),
                           .key = {next_random(), (uint32_t)next_random()},
                           .message_seq = next_random(),
                           .attempts = (uint32_t)next_random(),
                           .answer = random_text(arena, 40),
                           .outbox = random_outbox(arena)};
    dead_row_encode(out, &row);
}

enum { KINDS = 5 };

static void encode_random(struct arena *arena, size_t kind, struct buf *out)
{
    struct control_row control = {.seq = next_random(), .person = next_random(), .ack = random_text(arena, 90)};
    struct delivery_row delivery = {.state = DELIVERY_DEAD,
                                    .attempts = (uint32_t)next_random(),
                                    .done_us = (int64_t)next_random(),
                                    .why = random_text(arena, 20)};
    struct outbox_row outbox = random_outbox(arena);
    memset(control.digest, (int)next_random(), sizeof control.digest);
    if (kind == 0)
        encode_message(arena, out);
    else if (kind == 1)
        control_row_encode(out, &control);
    else if (kind == 2)
        outbox_row_encode(out, &outbox);
    else if (kind == 3)
        delivery_row_encode(out, &delivery);
    else
        encode_dead(arena, out);
}

static status decode_encode(struct ctx *cx, size_t kind, struct str bytes, struct buf *out)
{
    struct message_row message;
    struct control_row control;
    struct outbox_row outbox;
    struct delivery_row delivery;
    struct dead_row dead;
    switch (kind) {
    case 0:
        TRY(message_row_decode(cx, bytes, &message));
        message_row_encode(out, &message);
        break;
    case 1:
        TRY(control_row_decode(cx, bytes, &control));
        control_row_encode(out, &control);
        break;
    case 2:
        TRY(outbox_row_decode(cx, bytes, &outbox));
        outbox_row_encode(out, &outbox);
        break;
    case 3:
        TRY(delivery_row_decode(cx, bytes, &delivery));
        delivery_row_encode(out, &delivery);
        break;
    default:
        TRY(dead_row_decode(cx, bytes, &dead));
        dead_row_encode(out, &dead);
        break;
    }
    return STATUS_OK;
}

static void test_every_row__comes_back_byte_for_byte_and_truncated_is_refused(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t round = 0; round < 500; round++) {
        struct buf row = {0}, again = {0};
        encode_random(&s.arena, round % KINDS, &row);
        assert_ok(&s, decode_encode(&s.cx, round % KINDS, buf_str(&row), &again));
        assert_true(str_eq(buf_str(&row), buf_str(&again)));
        for (size_t len = 0; len < row.len; len += 1 + len / 50)
            assert_fails(&s, decode_encode(&s.cx, round % KINDS, str_make(row.data, len), &again), "engine.row-bad");
        buf_fini(&row);
        buf_fini(&again);
        arena_reset(&s.arena);
    }
    support_fini(&s);
}

static void test_flipped_bytes__never_do_more_than_make_another_row(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t round = 0; round < 20000; round++) {
        struct buf row = {0}, once = {0}, twice = {0};
        encode_random(&s.arena, round % KINDS, &row);
        for (size_t flips = 1 + next_random() % 3; flips > 0; flips--)
            row.data[next_random() % row.len] ^= (char)(1 + next_random() % 255);
        ctx_clear(&s.cx);
        if (decode_encode(&s.cx, round % KINDS, buf_str(&row), &once) == STATUS_OK) {
            assert_ok(&s, decode_encode(&s.cx, round % KINDS, buf_str(&once), &twice));
            assert_true(str_eq(buf_str(&once), buf_str(&twice)));
        } else {
            assert_string_equal(s.cx.reason->name, "engine.row-bad");
        }
        buf_fini(&row);
        buf_fini(&once);
        buf_fini(&twice);
        arena_reset(&s.arena);
    }
    support_fini(&s);
}

/* ---- byte by byte, as they stand in stores that are in use ---- */

static void test_message_row__stands_as_it_always_did(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct message_row_code codes[] = {{.path = STR("P"),
                                        .outcome = STR("o"),
                                        .system = STR("s"),
                                        .code = STR("c"),
                                        .target_system = STR("t"),
                                        .target_code = STR("u"),
                                        .target_display = STR("d"),
                                        .map = STR("m"),
                                        .map_version = STR("v"),
                                        .map_row = 300}};
    struct message_row_change changes[] = {{STR("r"), STR("p"), STR("b"), STR("a"), STR("w")}};
    struct message_row_output outputs[] = {{STR("r"), STR("d")}};
    struct message_row_patient patients[] = {{2, 3, 4, 5, STR("k")}};
    struct message_row row = {.source = STR("s"),
                              .protocol = STR("m"),
                              .peer = STR("p"),
                              .received_us = 1,
                              .principal = STR("q"),
                              .journaled_us = 2,
                              .control_id = STR("c"),
                              .type = STR("t"),
                              .ack_code = STR("AA"),
                              .reason = STR("r"),
                              .detail = STR("d"),
                              .duplicate_of = 3,
                              .warnings = 4,
                              .verdict = STR("v"),
                              .person = 5,
                              .record = 6,
                              .review = 7,
                              .routes_version = STR("x"),
                              .codes = codes,
                              .code_count = 1,
                              .changes = changes,
                              .change_count = 1,
                              .outputs = outputs,
                              .output_count = 1};
    static const char head[] = "0173 016d 0170 01  0171 02 0163 0174  024141 0172 0164  03 04  0176 05 06 07",
                      lists[] = "0178"
                                "01 0150 016f 0173 0163 0174 0175 0164 016d 0176 ac02" /* codes */
                                "01 0172 0170 0162 0161 0177"                          /* changes */
                                "01 0172 0164" /* outputs */;
    SCOPED(buf_fini) struct buf bytes = {0};
    message_row_encode(&bytes, &row);
    assert_bytes(buf_str(&bytes), arena_printf(&s.arena, "%s 00 %s", head, lists).data);

    row.patients = patients; /* follow when there are more than one */
    row.patient_count = 1;
    row.comparison = (struct message_row_comparison){.left_record = 1,
                                                     .right_record = 2,
                                                     .score_mbit = -1,
                                                     .probability_ppm = 3,
                                                     .model_version = 4,
                                                     .evidence = {{STR("f"), STR("l"), 1}},
                                                     .evidence_count = 1};
    buf_clear(&bytes);
    message_row_encode(&bytes, &row);
    assert_bytes(buf_str(&bytes),
                 arena_printf(&s.arena, "%s 01 01 02 01 03 04 0166 016c 02 %s 01 02 03 04 05 016b", head, lists).data);
    support_fini(&s);
}

static void test_rows_of_deliveries__stand_as_they_always_did(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    SCOPED(buf_fini) struct buf bytes = {0};
    struct outbox_row here = {300, STR("c"), OUTBOX_HERE, 0, STR("b")},
                      journal = {300, STR("c"), OUTBOX_JOURNAL, 0, STR_NONE},
                      shared = {300, STR("c"), OUTBOX_SHARED, 7, STR_NONE};
    outbox_row_encode(&bytes, &here);
    assert_bytes(buf_str(&bytes), "ac02 0163 00 0162");
    buf_clear(&bytes);
    outbox_row_encode(&bytes, &journal);
    assert_bytes(buf_str(&bytes), "ac02 0163 01 00");
    buf_clear(&bytes);
    outbox_row_encode(&bytes, &shared);
    assert_bytes(buf_str(&bytes), "ac02 0163 02 07");
    buf_clear(&bytes);
    struct delivery_row delivery = {DELIVERY_DELIVERED, 1, 2, 3, 4, STR("AA"), STR("w")}, read;
    delivery_row_encode(&bytes, &delivery);
    assert_bytes(buf_str(&bytes), "01 01 02 03 04 024141 0177");
    bytes.data[0] = 3; /* neither delivered nor dead */
    assert_fails(&s, delivery_row_decode(&s.cx, buf_str(&bytes), &read), "engine.row-bad");
    buf_clear(&bytes);
    struct dead_row dead = {.destination = STR("d"),
                            .key = {300, 1},
                            .message_seq = 2,
                            .attempts = 3,
                            .in_doubt = 4,
                            .first_sent_us = 5,
                            .done_us = 6,
                            .ack_code = STR("AE"),
                            .why = STR("w"),
                            .answer = STR("a"),
                            .outbox = journal};
    dead_row_encode(&bytes, &dead);
    assert_bytes(buf_str(&bytes), "13 01 0164 ac02 01 02 02 03 04 05 06 024145 0177 0161  ac02 0163 01 00");
    buf_clear(&bytes);
    struct control_row control = {
        .seq = 300, .person = 1, .digest = {9}, .ack_code = STR("AA"), .ack = STR("k"), .verdict = STR("v")};
    control_row_encode(&bytes, &control);
    assert_bytes(buf_str(&bytes), "ac02 01 09000000000000000000000000000000 024141 0176 016b");
    support_fini(&s);
}

static void test_damaged_count__cannot_ask_for_more_memory_than_the_row_could_fill(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct message_row row = {0};
    struct buf bytes = {0};
    message_row_encode(&bytes, &row);
    bytes.len -= 3; /* the three counts, all 0 */
    buf_put_varint(&bytes, 8 * 1024 * 1024);
    buf_reserve(&bytes, 8 * 1024 * 1024);
    memset(bytes.data + bytes.len, 0, 8 * 1024 * 1024);
    bytes.len += 8 * 1024 * 1024;
    assert_fails(&s, message_row_decode(&s.cx, buf_str(&bytes), &row), "engine.row-bad");
    assert_true(s.arena.used < 1024 * 1024);
    buf_fini(&bytes);
    support_fini(&s);
}

static void test_outbox_keys__sort_by_entry_and_number_and_come_back(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    static const struct outbox_key order[] = {{0, 0}, {0, 1}, {0, 256}, {1, 0}, {255, 9}, {256, 0}, {UINT64_MAX, 0}};
    struct str last = STR_NONE;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct str key = outbox_key(&s.arena, STR("lab"), order[i]), destination;
        struct outbox_key at;
        assert_true(str_cmp(last, key) < 0);
        assert_true(str_starts(key, outbox_prefix(&s.arena, STR("lab"))));
        assert_true(outbox_key_read(key, &destination, &at));
        assert_str(destination, "lab");
        assert_true(at.seq == order[i].seq && at.number == order[i].number);
        assert_false(outbox_key_read(str_sub(key, 0, key.len - 1), &destination, &at));
        last = key;
    }
    /* "lab" and "lab-2" are different queues */
    assert_false(str_starts(outbox_key(&s.arena, STR("lab-2"), order[0]), outbox_prefix(&s.arena, STR("lab"))));
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row__comes_back_byte_for_byte_and_truncated_is_refused),
        cmocka_unit_test(test_flipped_bytes__never_do_more_than_make_another_row),
        cmocka_unit_test(test_message_row__stands_as_it_always_did),
        cmocka_unit_test(test_rows_of_deliveries__stand_as_they_always_did),
        cmocka_unit_test(test_damaged_count__cannot_ask_for_more_memory_than_the_row_could_fill),
        cmocka_unit_test(test_outbox_keys__sort_by_entry_and_number_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
