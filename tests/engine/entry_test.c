/* Journal entry bodies: what is encoded comes back; what is damaged is refused or reads the same way twice. */
#include "entry.h"

#include "base/hash.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "entry_bounds.h"
#include "support.h"

static uint64_t seed = 20261121;

static uint64_t next_random(void)
{
    return hash_random(&seed);
}

static struct str random_text(struct arena *arena, size_t len_max)
{
    return support_random_text(arena, &seed, len_max);
}

static struct mpi_name random_name(struct arena *arena)
{
    struct mpi_name name = {.family = random_text(arena, 9), .given = random_text(arena, 9)};
    name.middle = random_text(arena, 3);
    name.suffix = random_text(arena, 3);
    name.prefix = random_text(arena, 3);
    name.type = random_text(arena, 1);
    return name;
}

static struct mpi_record_input random_record(struct arena *arena)
{
    struct mpi_record_input record = {.source = random_text(arena, 8)};
    struct mpi_demographics *d = &record.demographics;
    record.identifier_count = next_random() % 4;
    struct mpi_identifier *identifiers = arena_array(arena, 4, sizeof *identifiers);
    struct mpi_name *names = arena_array(arena, 4, sizeof *names);
    struct mpi_address *addresses = arena_array(arena, 4, sizeof *addresses);
    struct str *phones = arena_array(arena, 4, sizeof *phones);
    struct str *emails = arena_array(arena, 4, sizeof *emails);
    d->name_count = next_random() % 4;
    d->phone_count = next_random() % 4;
    d->email_count = next_random() % 4;
    d->address_count = next_random() % 4;
    for (size_t i = 0; i < 4; i++) {
        identifiers[i] = (struct mpi_identifier){random_text(arena, 5), random_text(arena, 12), random_text(arena, 2)};
        names[i] = random_name(arena);
        phones[i] = random_text(arena, 10);
        emails[i] = random_text(arena, 10);
        addresses[i].line = random_text(arena, 12);
        addresses[i].country = random_text(arena, 2);
    }
    record.identifiers = identifiers;
    d->names = names;
    d->phones = phones;
    d->emails = emails;
    d->birth_place = random_text(arena, 10);
    d->addresses = addresses;
    d->birth_date = (struct date){(uint16_t)next_random(), (uint8_t)next_random(), (uint8_t)next_random()};
    d->sex = (char)next_random();
    d->mother = random_name(arena);
    d->multiple_birth = next_random() & 1;
    d->deceased = next_random() & 1;
    d->birth_order = (uint8_t)next_random();
    return record;
}

enum { KINDS = 6 };

static void encode_random(struct arena *arena, size_t kind, struct buf *out)
{
    struct entry_message message = {random_text(arena, 20), random_text(arena, 5), random_text(arena, 20),
                                    random_text(arena, 300), (int64_t)next_random()};
    struct entry_delivery delivery = {.destination = random_text(arena, 20),
                                      .key = {next_random(), (uint32_t)next_random()},
                                      .message_seq = next_random(),
                                      .state = next_random() & 1 ? DELIVERY_DELIVERED : DELIVERY_DEAD,
                                      .attempts = (uint32_t)next_random(),
                                      .in_doubt = (uint32_t)next_random(),
                                      .first_sent_us = (int64_t)next_random(),
                                      .done_us = (int64_t)next_random(),
                                      .ack_code = random_text(arena, 2),
                                      .why = random_text(arena, 30),
                                      .answer = random_text(arena, 100)};
    struct entry_decision decision = {(enum mpi_decision_kind)(1 + next_random() % 6), next_random(), next_random(),
                                      next_random(), random_text(arena, 40)};
    struct mpi_record_input records[3] = {random_record(arena), random_record(arena), random_record(arena)};
    uint64_t ids[9];
    for (size_t i = 0; i < 9; i++)
        ids[i] = next_random();
    switch (kind) {
    case 0:
        entry_message_encode(out, &message);
        break;
    case 1:
        entry_delivery_encode(out, &delivery);
        break;
    case 2:
        entry_decision_encode(out, &decision);
        break;
    case 3:
        entry_people_encode(out, records, next_random() % 4);
        break;
    case 4:
        entry_model_encode(out, random_text(arena, 200), random_text(arena, 30));
        break;
    default:
        entry_replay_encode(out, ids, next_random() % 10);
        break;
    }
}

/* Decodes, and encodes again what was read. */
static status decode_encode(struct ctx *cx, size_t kind, struct str body, struct buf *out)
{
    struct entry_message message;
    struct entry_delivery delivery;
    struct entry_decision decision;
    struct mpi_record_input *records;
    struct str text, why;
    uint64_t *ids;
    size_t count;
    switch (kind) {
    case 0:
        TRY(entry_message_decode(cx, body, &message));
        entry_message_encode(out, &message);
        break;
    case 1:
        TRY(entry_delivery_decode(cx, body, &delivery));
        entry_delivery_encode(out, &delivery);
        break;
    case 2:
        TRY(entry_decision_decode(cx, body, &decision));
        entry_decision_encode(out, &decision);
        break;
    case 3:
        TRY(entry_people_decode(cx, body, &records, &count));
        entry_people_encode(out, records, count);
        break;
    case 4:
        TRY(entry_model_decode(cx, body, &text, &why));
        entry_model_encode(out, text, why);
        break;
    default:
        TRY(entry_replay_decode(cx, body, &ids, &count));
        entry_replay_encode(out, ids, count);
        break;
    }
    return STATUS_OK;
}

/* Refused as engine.entry-bad, or an entry in its own right: read and written again it stays what it is. */
static void assert_bad_or_stable(struct support *s, size_t kind, struct str body)
{
    struct buf once = {0}, twice = {0};
    ctx_clear(&s->cx);
    if (decode_encode(&s->cx, kind, body, &once) == STATUS_OK) {
        assert_ok(s, decode_encode(&s->cx, kind, buf_str(&once), &twice));
        assert_true(str_eq(buf_str(&once), buf_str(&twice)));
    } else {
        assert_string_equal(s->cx.reason->name, "engine.entry-bad");
    }
    buf_fini(&once);
    buf_fini(&twice);
}

static void test_every_kind__comes_back_byte_for_byte(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t round = 0; round < 2000; round++) {
        uint64_t began = seed;
        struct buf body = {0}, again = {0};
        encode_random(&s.arena, round % KINDS, &body);
        assert_ok(&s, decode_encode(&s.cx, round % KINDS, buf_str(&body), &again));
        if (!str_eq(buf_str(&body), buf_str(&again)))
            fail_msg("kind %zu, seed %llu", round % KINDS, (unsigned long long)began);
        buf_fini(&body);
        buf_fini(&again);
        arena_reset(&s.arena);
    }
    support_fini(&s);
}

static void test_truncation__is_always_refused(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct buf body = {0}, out = {0};
        do {
            buf_clear(&body);
            encode_random(&s.arena, kind, &body);
        } while (body.len < 20);
        for (size_t len = 0; len < body.len; len++)
            assert_fails(&s, decode_encode(&s.cx, kind, str_make(body.data, len), &out), "engine.entry-bad");
        buf_put_byte(&body, 0); /* one byte too many is none of ours either */
        assert_fails(&s, decode_encode(&s.cx, kind, buf_str(&body), &out), "engine.entry-bad");
        buf_fini(&body);
        buf_fini(&out);
    }
    support_fini(&s);
}

static void test_flipped_bytes__never_do_more_than_make_another_entry(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t round = 0; round < 20000; round++) {
        struct buf body = {0};
        encode_random(&s.arena, round % KINDS, &body);
        for (size_t flips = 1 + next_random() % 3; flips > 0 && body.len; flips--)
            body.data[next_random() % body.len] ^= (char)(1 + next_random() % 255);
        assert_bad_or_stable(&s, round % KINDS, buf_str(&body));
        buf_fini(&body);
        arena_reset(&s.arena);
    }
    support_fini(&s);
}

/* One person as format 1 had it, byte by byte: what a journal holds is read for ever. */
static void test_people_of_format_1__are_read_and_say_no_email_and_no_birth_place(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    static const char body[] = "\x01\x01" /* format, one person */
                               "\x05north\x01\x01N\x01"
                               "7\x02MR" /* source, identifier */
                               "\x01\x04Lind\x03"
                               "Ada\0\0\0\x01L" /* name */
                               "\x07\xbc\x02\x1d"
                               "F" /* 1980-02-29, sex */
                               "\x01\x07"
                               "5551234\0" /* phone, no address */
                               "\x04"
                               "Berg\0\0\0\0\0\x03\x02"; /* mother; multiple birth and deceased; second */
    struct mpi_record_input *records;
    size_t count;
    assert_ok(&s, entry_people_decode(&s.cx, str_make(body, sizeof body - 1), &records, &count));
    assert_int_equal(count, 1);
    const struct mpi_demographics *d = &records[0].demographics;
    assert_str(records[0].identifiers[0].value, "7");
    assert_str(d->names[0].given, "Ada");
    assert_int_equal(d->birth_date.year, 1980);
    assert_str(d->phones[0], "5551234");
    assert_str(d->mother.family, "Berg");
    assert_true(d->multiple_birth && d->deceased && d->birth_order == 2);
    assert_int_equal(d->email_count, 0);
    assert_int_equal(d->birth_place.len, 0);
    char newer[sizeof body - 1];
    memcpy(newer, body, sizeof newer);
    newer[0] = 3; /* of an idem that is not yet */
    assert_fails(&s, entry_people_decode(&s.cx, str_make(newer, sizeof newer), &records, &count), "engine.entry-bad");
    support_fini(&s);
}

/* A daemon of before said its version and nothing else: its bounds are the first ones. */
static void test_start__says_bounds_and_version_or_as_before_the_version_alone(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    SCOPED(buf_fini) struct buf body = {0};
    struct entry_start start;
    entry_start_encode(&body, &(struct entry_start){ENTRY_BOUNDS_NOW, STR("0.1.0")});
    assert_ok(&s, entry_start_decode(&s.cx, buf_str(&body), &start));
    assert_int_equal(start.bounds, ENTRY_BOUNDS_NOW);
    assert_str(start.version, "0.1.0");
    for (size_t len = 1; len < body.len; len++)
        assert_fails(&s, entry_start_decode(&s.cx, str_make(body.data, len), &start), "engine.entry-bad");
    buf_put_byte(&body, 0);
    assert_fails(&s, entry_start_decode(&s.cx, buf_str(&body), &start), "engine.entry-bad");

    static const char *const before[] = {"0.1.0", "test", ""};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        assert_ok(&s, entry_start_decode(&s.cx, str_from(before[i]), &start));
        assert_int_equal(start.bounds, ENTRY_BOUNDS_FIRST);
        assert_str(start.version, before[i]);
    }
    support_fini(&s);
}

static void test_damaged_count__cannot_ask_for_more_memory_than_the_body_could_fill(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf body = {0};
    buf_put_byte(&body, 1);
    buf_put_varint(&body, 16 * 1024 * 1024); /* one record a byte: none is that small */
    buf_reserve(&body, 16 * 1024 * 1024);
    memset(body.data + body.len, 0, 16 * 1024 * 1024);
    body.len += 16 * 1024 * 1024;
    struct mpi_record_input *records;
    size_t count;
    assert_fails(&s, entry_people_decode(&s.cx, buf_str(&body), &records, &count), "engine.entry-bad");
    assert_true(s.arena.used < 1024 * 1024);
    buf_fini(&body);
    support_fini(&s);
}

static void test_numbers_too_large_for_their_field__are_damage(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf body = {0};
    buf_put_byte(&body, 1);
    buf_put_lstr(&body, STR("lab"));
    buf_put_varint(&body, 7);
    buf_put_varint(&body, 1ull << 32); /* the place within the entry: would read as 0 */
    buf_put_varint(&body, 7);
    buf_put_byte(&body, DELIVERY_DELIVERED);
    for (int i = 0; i < 7; i++)
        buf_put_byte(&body, 0);
    struct entry_delivery delivery;
    assert_fails(&s, entry_delivery_decode(&s.cx, buf_str(&body), &delivery), "engine.entry-bad");
    buf_fini(&body);
    support_fini(&s);
}

static void test_every_kind__has_a_name(void **state)
{
    (void)state;
    for (uint16_t kind = 1; kind < ENTRY_KIND_COUNT; kind++)
        assert_string_not_equal(entry_kind_name(kind), "unknown");
    assert_string_equal(entry_kind_name(0), "unknown");
    assert_string_equal(entry_kind_name(ENTRY_KIND_COUNT), "unknown");
    assert_string_equal(entry_kind_name(UINT16_MAX), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind__comes_back_byte_for_byte),
        cmocka_unit_test(test_truncation__is_always_refused),
        cmocka_unit_test(test_flipped_bytes__never_do_more_than_make_another_entry),
        cmocka_unit_test(test_people_of_format_1__are_read_and_say_no_email_and_no_birth_place),
        cmocka_unit_test(test_start__says_bounds_and_version_or_as_before_the_version_alone),
        cmocka_unit_test(test_damaged_count__cannot_ask_for_more_memory_than_the_body_could_fill),
        cmocka_unit_test(test_numbers_too_large_for_their_field__are_damage),
        cmocka_unit_test(test_every_kind__has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
