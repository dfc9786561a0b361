/* What may be unpacked: every hostile file of the shared data, and tables of our own. */
#include "base/mem.h"
#include "support.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "call.h"
#include "precheck.h"

#include "grpc/health/v1/health.pb-c.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "idem/identity/v1/identity.pb-c.h"
#include "idem/terminology/v1/terminology.pb-c.h"

enum { TEXT_MAX = LIMIT_FIELD_VALUE_BYTES };

#define LOOKUP     &idem__terminology__v1__lookup_request__descriptor
#define GET_PERSON &idem__identity__v1__get_person_request__descriptor
#define NO_FIELDS  &idem__admin__v1__list_routes_request__descriptor
#define WHY_REPLY  &idem__identity__v1__why_reply__descriptor
#define REPLAY     &idem__admin__v1__replay_reply__descriptor
#define HEALTH     &grpc__health__v1__health_check_response__descriptor

/* None of our messages nests in itself, so a type that does is made by hand: message Nest { repeated Nest a = 1, b = 2,
 * c = 3; } */
static const ProtobufCMessageDescriptor nest;
static const ProtobufCFieldDescriptor nest_fields[] = {
    {.name = "a", .id = 1, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &nest},
    {.name = "b", .id = 2, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &nest},
    {.name = "c", .id = 3, .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &nest},
};
static const ProtobufCIntRange nest_ranges[] = {{1, 0}, {0, 3}};
static const ProtobufCMessageDescriptor nest = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "Nest",
    .n_fields = 3,
    .fields = nest_fields,
    .n_field_ranges = 1,
    .field_ranges = nest_ranges,
};

static const struct {
    const char *file;
    const ProtobufCMessageDescriptor *type;
    const char *want; /* reason; NULL = taken */
} files[] = {
    {"00-empty", LOOKUP, NULL},
    {"01-field0", LOOKUP, "rpc.malformed"},
    {"02-wiretype6", NO_FIELDS, "rpc.malformed"},
    {"03-wiretype7", NO_FIELDS, "rpc.malformed"},
    {"04-varint-11-bytes", GET_PERSON, "rpc.malformed"},
    {"05-varint-unterminated", GET_PERSON, "rpc.malformed"},
    {"06-len-past-end", LOOKUP, "rpc.malformed"},
    {"07-len-4GiB", LOOKUP, "rpc.malformed"},
    {"08-len-2^63", LOOKUP, "rpc.malformed"},
    {"09-len-2^64-1", LOOKUP, "rpc.malformed"},
    {"10-nest-10000-f1", &nest, "rpc.too-deep"},
    {"10-nest-10000-f2", &nest, "rpc.too-deep"},
    {"10-nest-10000-f3", &nest, "rpc.too-deep"},
    {"11-group-unclosed", NO_FIELDS, "rpc.malformed"},
    {"12-endgroup-only", NO_FIELDS, "rpc.malformed"},
    {"13-unknown-100k", LOOKUP, "rpc.too-many-parts"},
    {"14-repeat-scalar-100k", GET_PERSON, NULL}, /* the last one counts */
    {"15-repeat-string-100k", LOOKUP, NULL},     /* the last one counts */
    {"16-bad-utf8", LOOKUP, "rpc.not-utf8"},
    {"17-nul-string", LOOKUP, "rpc.nul-in-text"},
    {"18-packed-short", LOOKUP, "rpc.not-utf8"},
    {"19-fixed64-short", NO_FIELDS, "rpc.malformed"},
    {"20-fixed32-short", NO_FIELDS, "rpc.malformed"},
    {"21-max-field", LOOKUP, NULL},
    {"22-field-2^29", LOOKUP, "rpc.malformed"},
    {"23-wrong-wiretype", LOOKUP, "rpc.malformed"},
    {"24-oneof-both", LOOKUP, NULL},
    {"25-enum-unknown", HEALTH, NULL},
    {"26-merge-submessages", WHY_REPLY, "rpc.repeated-part"},
};

static void test_precheck__refuses_the_hostile_files_as_their_manifest_says(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    if (support_data(&s, "adversarial/own/protobuf-wire") == NULL) {
        print_message("skipped: no data\n");
        support_fini(&s);
        skip();
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct str name = arena_printf(&s.arena, "adversarial/own/protobuf-wire/%s.bin", files[i].file);
        struct buf bytes = {0};
        assert_ok(&s, file_read(&s.cx, support_data(&s, name.data), 1 << 20, &bytes));
        ctx_clear(&s.cx);
        status got = precheck(&s.cx, files[i].type, buf_str(&bytes), TEXT_MAX);
        const char *reason = got == STATUS_OK ? NULL : s.cx.reason->name;
        if ((reason == NULL) != (files[i].want == NULL) || (reason && strcmp(reason, files[i].want) != 0))
            fail_msg("%s: got %s, want %s", files[i].file, reason ? reason : "taken",
                     files[i].want ? files[i].want : "taken");
        /* and against every request we have: taken or INVALID_ARGUMENT, in bounded memory */
        for (size_t row = 0; row < rpc_method_count; row++) {
            struct arena arena;
            arena_init(&arena, LIMIT_REQUEST_ARENA_BYTES);
            struct ctx cx = {.arena = &arena};
            void *message;
            int64_t began_us = clock_mono_us();
            status unpacked = message_unpack(&cx, rpc_methods[row].request, buf_str(&bytes), TEXT_MAX, &message);
            assert_true(unpacked == STATUS_OK || unpacked == STATUS_INVALID_ARGUMENT);
            assert_true(clock_mono_us() - began_us < 2000000);
            assert_true(arena.used <= LIMIT_GRPC_ARENA_BYTES + 4096);
            arena_fini(&arena);
        }
        buf_fini(&bytes);
    }
    support_fini(&s);
}

static void test_precheck__takes_and_refuses_small_messages(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const ProtobufCMessageDescriptor *type;
        const char *want;
    } cases[] = {
        {STR_INIT("\x0a\x02LN\x12\x01x"), LOOKUP, NULL},
        {STR_INIT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), LOOKUP, NULL},            /* the largest number */
        {STR_INIT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), LOOKUP, "rpc.malformed"}, /* past 64 bits */
        {STR_INIT("\x8a\x80\x80\x80\x00\x01z"), LOOKUP, NULL}, /* a padded tag is the same tag */
        {STR_INIT("\x0a"), LOOKUP, "rpc.malformed"},
        {STR_INIT("\x12\x03\x01\x80\x01"), REPLAY, NULL},        /* packed: 1, 128 */
        {STR_INIT("\x10\x01\x10\x02"), REPLAY, NULL},            /* the same numbers not packed */
        {STR_INIT("\x12\x02\x01\x80"), REPLAY, "rpc.malformed"}, /* packed, the last one cut */
        {STR_INIT("\x0a\x02\x08\x01\x0a\x00"), WHY_REPLY, "rpc.repeated-part"},
        {STR_INIT("\x0a\x02\x08\x01\x12\x02\x08\x01"), WHY_REPLY, NULL}, /* two different parts */
        {STR_INIT("\x0a\x03\x08\x01"), WHY_REPLY, "rpc.malformed"},      /* the part ends past its parent */
        {STR_INIT("\x0a\x01\x08\x01"), WHY_REPLY, "rpc.malformed"},      /* the number ends past its part */
        {STR_INIT("\x0a\x04Zo\xc3\xab"), LOOKUP, NULL},
        {STR_INIT("\x0a\x03\xed\xa0\x80"), LOOKUP, "rpc.not-utf8"}, /* a surrogate */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        status got = precheck(&s.cx, cases[i].type, cases[i].bytes, TEXT_MAX);
        const char *reason = got == STATUS_OK ? NULL : s.cx.reason->name;
        if ((reason == NULL) != (cases[i].want == NULL) || (reason && strcmp(reason, cases[i].want) != 0))
            fail_msg("case %zu: got %s, want %s", i, reason ? reason : "taken",
                     cases[i].want ? cases[i].want : "taken");
        support_fini(&s);
    }
}

static void test_precheck__bounds_depth_text_and_parts(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf deep = {0}; /* built from the inside out; lengths stay below 128 */
    for (int level = 1; level < LIMIT_GRPC_DEPTH; level++) {
        struct buf outer = {0};
        buf_put_byte(&outer, 0x0a);
        buf_put_varint(&outer, deep.len);
        buf_put_str(&outer, buf_str(&deep));
        buf_fini(&deep);
        deep = outer;
    }
    assert_ok(&s, precheck(&s.cx, &nest, buf_str(&deep), TEXT_MAX));
    struct buf deeper = {0};
    buf_put_byte(&deeper, 0x12);
    buf_put_varint(&deeper, deep.len);
    buf_put_str(&deeper, buf_str(&deep));
    assert_fails(&s, precheck(&s.cx, &nest, buf_str(&deeper), TEXT_MAX), "rpc.too-deep");

    struct buf wide = {0};
    for (int i = 0; i < PRECHECK_PARTS_MAX; i++)
        buf_put(&wide, "\x0a\x00", 2);
    assert_ok(&s, precheck(&s.cx, &nest, buf_str(&wide), TEXT_MAX));
    buf_put(&wide, "\x0a\x00", 2);
    assert_fails(&s, precheck(&s.cx, &nest, buf_str(&wide), TEXT_MAX), "rpc.too-many-parts");

    struct buf text = {0};
    buf_put_byte(&text, 0x0a);
    buf_put_varint(&text, TEXT_MAX + 1);
    for (int i = 0; i <= TEXT_MAX; i++)
        buf_put_byte(&text, 'x');
    assert_fails(&s, precheck(&s.cx, LOOKUP, buf_str(&text), TEXT_MAX), "rpc.text-too-long");
    assert_ok(&s, precheck(&s.cx, LOOKUP, buf_str(&text), TEXT_MAX + 1));
    buf_fini(&deep), buf_fini(&deeper), buf_fini(&wide), buf_fini(&text);
    support_fini(&s);
}

static void test_message_unpack__stops_amplification_at_the_arena_limit(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf many = {0}; /* 2 bytes of wire become a whole record with its pointer */
    for (int i = 0; i < PRECHECK_PARTS_MAX; i++)
        buf_put(&many, "\x12\x00", 2);
    void *message;
    status got =
        message_unpack(&s.cx, &idem__identity__v1__load_people_request__descriptor, buf_str(&many), TEXT_MAX, &message);
    assert_true(got == STATUS_OK || got == STATUS_INVALID_ARGUMENT);
    assert_true(s.arena.used <= LIMIT_GRPC_ARENA_BYTES + 4096);
    buf_fini(&many);
    support_fini(&s);
}

static void test_message_text__never_hands_out_what_is_not_utf8(void **state)
{
    (void)state;
    static const struct {
        struct str in;
        const char *want;
    } cases[] = {
        {STR_INIT(""), ""},
        {STR_INIT("plain"), "plain"},
        {STR_INIT("M\xfcller"), "M\xef\xbf\xbdller"}, /* Latin-1 */
        {STR_INIT("Zo\xc3\xab"), "Zo\xc3\xab"},
        {STR_INIT("a\0b"), "a\xef\xbf\xbd"
                           "b"},
        {STR_INIT("\xc3"), "\xef\xbf\xbd"},
        {STR_INIT("\xf0\x9f\x98\x80\xff"), "\xf0\x9f\x98\x80\xef\xbf\xbd"},
    };
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(message_text(&s.cx, cases[i].in), cases[i].want);
    support_fini(&s);
}

static void test_precheck__takes_as_many_unknown_fields_as_it_may(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    SCOPED(buf_fini) struct buf unknown = {0};
    for (int i = 0; i < PRECHECK_UNKNOWN_MAX; i++)
        buf_put(&unknown, "\x78\x01", 2); /* field 15 */
    assert_ok(&s, precheck(&s.cx, LOOKUP, buf_str(&unknown), TEXT_MAX));
    buf_put(&unknown, "\x78\x01", 2);
    assert_fails(&s, precheck(&s.cx, LOOKUP, buf_str(&unknown), TEXT_MAX), "rpc.too-many-parts");
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precheck__refuses_the_hostile_files_as_their_manifest_says),
        cmocka_unit_test(test_precheck__takes_and_refuses_small_messages),
        cmocka_unit_test(test_precheck__bounds_depth_text_and_parts),
        cmocka_unit_test(test_precheck__takes_as_many_unknown_fields_as_it_may),
        cmocka_unit_test(test_message_unpack__stops_amplification_at_the_arena_limit),
        cmocka_unit_test(test_message_text__never_hands_out_what_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
