/* Measuring the index: the messages of a corpus again and again. */
#include "hl7v2/bench.h"
#include "hl7v2/batch.h"
#include "index_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"

typedef VEC(struct str) messages_t;

struct held {
    messages_t messages;
    struct hl7_index index;
};

static void held_fini(struct held *held)
{
    VEC_FINI(&held->messages);
    hl7_index_fini(&held->index);
}

/* The messages that the index accepts; the first round also warms its arrays. */
static void gather(struct held *held, struct ctx *cx, struct str corpus, struct hl7_bench_result *result)
{
    struct hl7_batch batch;
    struct hl7_batch_item item;
    hl7_batch_init(&batch, corpus);
    while (hl7_batch_next(&batch, cx, &item) == STATUS_OK) {
        if (hl7_index_build(&held->index, cx, item.message, NULL) != STATUS_OK)
            continue;
        *VEC_ADD(&held->messages) = item.message;
        result->messages++;
        result->bytes += item.message.len;
    }
    hl7_batch_fini(&batch);
}

status hl7_bench_index(struct ctx *cx, struct str corpus, double seconds, struct hl7_bench_result *out_result)
{
    SCOPED(held_fini) struct held held = {0};
    struct hl7_bench_result result = {.scanner = hl7_scanner_name()};
    gather(&held, cx, corpus, &result);
    if (held.messages.count == 0)
        return ctx_fail(cx, &hl7_reasons[HL7_NO_MSH], "no message of the corpus can be indexed");
    ctx_clear(cx);

    uint64_t rounds = 0, refused = 0;
    int64_t begin = clock_mono_us(), now;
    do {
        size_t caps = held.index.marks_cap + held.index.segments_cap;
        for (size_t i = 0; i < held.messages.count; i++)
            refused += hl7_index_build(&held.index, cx, held.messages.at[i], NULL) != STATUS_OK;
        result.array_growths += held.index.marks_cap + held.index.segments_cap != caps;
        rounds++;
        now = clock_mono_us();
    } while ((double)(now - begin) < seconds * 1e6);
    if (refused > 0)
        return ctx_fail(cx, &hl7_reasons[HL7_NO_MSH], "a message was refused the second time");

    double elapsed = (double)(now - begin) / 1e6;
    result.megabytes_per_s = (double)(result.bytes * rounds) / 1e6 / elapsed;
    result.messages_per_s = (double)(result.messages * rounds) / elapsed;
    *out_result = result;
    return STATUS_OK;
}
