/* Journal entry bodies and store rows: whatever the bytes, engine.entry-bad or something that reads the same again. */
#include "engine/engine.h"
#include "entry.h"

#include <stdlib.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void try_people(struct ctx *cx, struct str body)
{
    struct mpi_record_input *records, *again;
    size_t count, count_again;
    if (entry_people_decode(cx, body, &records, &count) != STATUS_OK)
        return;
    struct buf encoded = {0};
    entry_people_encode(&encoded, records, count);
    check(entry_people_decode(cx, buf_str(&encoded), &again, &count_again) == STATUS_OK && count == count_again);
    buf_fini(&encoded);
}

static void try_message(struct ctx *cx, struct str body)
{
    struct entry_message message, again;
    if (entry_message_decode(cx, body, &message) != STATUS_OK)
        return;
    struct buf encoded = {0};
    entry_message_encode(&encoded, &message);
    check(entry_message_decode(cx, buf_str(&encoded), &again) == STATUS_OK && str_eq(again.message, message.message));
    buf_fini(&encoded);
}

static void try_delivery(struct ctx *cx, struct str body)
{
    struct entry_delivery delivery, again;
    if (entry_delivery_decode(cx, body, &delivery) != STATUS_OK)
        return;
    struct buf encoded = {0};
    entry_delivery_encode(&encoded, &delivery);
    check(entry_delivery_decode(cx, buf_str(&encoded), &again) == STATUS_OK && again.attempts == delivery.attempts);
    buf_fini(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena arena;
    arena_init(&arena, 256 * 1024 * 1024); /* past it the process ends: a damaged count must never ask for so much */
    struct ctx cx = {.arena = &arena};
    struct str body = str_make(data + 1, size - 1);
    struct entry_decision decision;
    uint64_t *ids;
    size_t count;
    struct message_row message;
    struct control_row control;
    struct outbox_row outbox;
    struct delivery_row delivery;
    struct dead_row dead;
    struct str destination;
    struct outbox_key key;
    struct str text, why;
    switch (data[0] % 12) {
    case 0:
        try_message(&cx, body);
        break;
    case 1:
        try_delivery(&cx, body);
        break;
    case 2:
        IGNORE(entry_decision_decode(&cx, body, &decision));
        break;
    case 3:
        try_people(&cx, body);
        break;
    case 4:
        IGNORE(entry_replay_decode(&cx, body, &ids, &count));
        break;
    case 5:
        IGNORE(message_row_decode(&cx, body, &message));
        break;
    case 6:
        IGNORE(control_row_decode(&cx, body, &control));
        break;
    case 7:
        IGNORE(outbox_row_decode(&cx, body, &outbox));
        break;
    case 8:
        IGNORE(delivery_row_decode(&cx, body, &delivery));
        break;
    case 9:
        IGNORE(dead_row_decode(&cx, body, &dead));
        break;
    case 10:
        IGNORE(entry_model_decode(&cx, body, &text, &why));
        break;
    default:
        outbox_key_read(body, &destination, &key);
        break;
    }
    arena_fini(&arena);
    return 0;
}
