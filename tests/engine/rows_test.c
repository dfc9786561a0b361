/* Rows of the store: what is encoded comes back; truncated or flipped rows are refused or read the same way twice. */
#include "rows.h"

#include "base/hash.h"
#include "support.h"

static uint64_t seed = 471100;

static uint64_t next_random(void)
{
    return hash_random(&seed);
}

static struct str random_text(struct arena *arena, size_t len_max)
{
    return support_random_text(arena, &seed, len_max);
}

static struct mpi_comparison random_comparison(void)
{
    struct mpi_comparison c = {.evidence_count = (uint32_t)(next_random() % (MPI_EVIDENCE_MAX + 1))};
    if (c.evidence_count == 0)
        return c;
    c.left_record = next_random();
    c.right_record = next_random();
    c.score_mbit = (int32_t)next_random();
    c.probability_ppm = (uint32_t)next_random();
    c.model_version = (uint32_t)next_random();
    for (uint32_t i = 0; i < c.evidence_count; i++)
        c.evidence[i] = (struct mpi_evidence){"family name", "exact", (int32_t)next_random()};
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
        row->codes[i] = (struct engine_code){.path = random_text(arena, 9),
                                             .target_display = random_text(arena, 9),
                                             .map_version = random_text(arena, 9),
                                             .map_row = next_random()};
        row->changes[i] =
            (struct engine_change){.path = random_text(arena, 9), .after = random_text(arena, 9), .why = "why"};
        row->outputs[i] = (struct message_row_output){random_text(arena, 9), random_text(arena, 9)};
    }
}

static void encode_message(struct arena *arena, struct buf *out)
{
    struct message_row row = {.received = {.source = random_text(arena, 9), .received_us = (int64_t)next_random()},
                              .principal = random_text(arena, 9),
                              .journaled_us = (int64_t)next_random(),
                              .control_id = random_text(arena, 9),
                              .type = random_text(arena, 9),
                              .detail = random_text(arena, 30),
                              .duplicate_of = next_random(),
                              .warnings = (uint32_t)next_random(),
                              .verdict = "linked",
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
    struct dead_row row = {.delivery = {.destination = random_text(arena, 9),
                                        .state = DELIVERY_DEAD,
                                        .attempts = (uint32_t)next_random(),
                                        .answer = random_text(arena, 40)},
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

static void test_damaged_count__cannot_ask_for_more_memory_than_the_row_could_fill(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct message_row row = {.verdict = ""};
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
        cmocka_unit_test(test_damaged_count__cannot_ask_for_more_memory_than_the_row_could_fill),
        cmocka_unit_test(test_outbox_keys__sort_by_entry_and_number_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
