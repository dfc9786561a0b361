/* Any bytes as rows of the store, and as what a source might say: decoders refuse or answer, normalising and comparing
 * never break. */
#include "base/mem.h"
#include "model_internal.h"
#include "stored_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str next_text(struct cut *cut)
{
    return cut_bytes(cut, cut_u8(cut) % (cut->rest.len + 1));
}

static void make_row(struct cut *cut, union row_space *space)
{
    struct mpi_name names[3];
    struct mpi_identifier identifiers[3];
    struct str phones[2], emails[2];
    struct mpi_address address;
    for (size_t i = 0; i < 3; i++) {
        names[i] = (struct mpi_name){
            .family = next_text(cut), .given = next_text(cut), .middle = next_text(cut), .suffix = next_text(cut)};
        static const char *const types[] = {"MR", "SS", "DL", "NI"};
        identifiers[i] = (struct mpi_identifier){next_text(cut), next_text(cut), str_from(types[cut_u8(cut) % 4])};
    }
    phones[0] = next_text(cut);
    phones[1] = next_text(cut);
    emails[0] = next_text(cut);
    emails[1] = next_text(cut);
    address = (struct mpi_address){
        .line = next_text(cut), .city = next_text(cut), .state = next_text(cut), .postcode = next_text(cut)};
    struct mpi_demographics said = {.names = names,
                                    .name_count = 3,
                                    .phones = phones,
                                    .phone_count = 2,
                                    .emails = emails,
                                    .email_count = 2,
                                    .birth_place = next_text(cut),
                                    .addresses = &address,
                                    .address_count = 1,
                                    .sex = (char)cut_u8(cut),
                                    .birth_order = cut_u8(cut)};
    said.birth_date = (struct date){cut_u16(cut), cut_u8(cut), cut_u8(cut)};
    row_make(identifiers, 3, &said, NULL, 0, space);
}

static void compare_two(struct str bytes)
{
    union row_space left, right;
    struct cut cut = {.rest = bytes};
    make_row(&cut, &left);
    make_row(&cut, &right);
    struct levels there, back;
    compare_rows(&left.row, &right.row, &there);
    compare_rows(&right.row, &left.row, &back);
    if (memcmp(&there, &back, sizeof there) != 0)
        abort(); /* a comparison must not depend on who is left */
    struct mpi_comparison comparison;
    explain_levels(mpi_model_general(), &there, 1, 2, &comparison);
    int32_t sum = 0;
    for (uint32_t i = 0; i < comparison.evidence_count; i++)
        sum += comparison.evidence[i].weight_mbit;
    struct row_key keys[ROW_KEYS_MAX];
    struct row_trait traits[ROW_TRAITS_MAX];
    if (sum != comparison.score_mbit || row_keys(&left.row, keys) > ROW_KEYS_MAX ||
        row_traits(&left.row, traits) > ROW_TRAITS_MAX ||
        (row_body(&left.row) != row_body(&right.row) && row_same_body(&left.row, &right.row)))
        abort();
}

/* What decodes must encode to something that decodes to the same. */
static void decode_all(struct ctx *cx, struct str bytes)
{
    struct stored_record record;
    if (decode_record(cx, bytes, &record) == STATUS_OK) {
        SCOPED(buf_fini) struct buf again = {0};
        SCOPED(buf_fini) struct buf third = {0};
        encode_record(&again, &record);
        if (decode_record(cx, buf_str(&again), &record) != STATUS_OK)
            abort();
        encode_record(&third, &record);
        if (!str_eq(buf_str(&again), buf_str(&third)))
            abort();
        union row_space space;
        row_make(record.identifiers, record.identifier_count, &record.said, record.former, record.former_count, &space);
    }
    struct stored_member member;
    IGNORE(decode_member(cx, bytes, &member)); /* only that they end */
    struct stored_decision decision;
    IGNORE(decode_decision(cx, bytes, &decision));
    struct stored_review review;
    IGNORE(decode_review(cx, bytes, &review));
    struct mpi_comparison comparison;
    IGNORE(decode_comparison(cx, bytes, &comparison));
    struct stored_event event;
    IGNORE(decode_event(cx, bytes, &event));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct ctx cx = {.arena = &arena};
    struct str bytes = str_make(data, size);
    decode_all(&cx, bytes);
    compare_two(bytes);
    arena_fini(&arena);
    return 0;
}
