/* Messages over one SubmitStream: many in flight, answers in order. */
#include "send_job.h"

#include "base/clock.h"

#include <stdio.h>

/* Enough to fill the daemon's group commit, few enough that a broken line leaves few in doubt. */
enum { WINDOW = 64 };
enum { WINDOW_BYTES = 8 * 1024 * 1024 };

struct flight {
    struct send_item *items[WINDOW];
    int64_t sent_us[WINDOW];
    size_t head, count, bytes;
};

static void take_reply(struct flight *flight, const Idem__Routing__V1__SubmitReply *reply)
{
    struct send_item *item = flight->items[flight->head];
    item->state = SEND_ANSWERED;
    item->seq = reply->seq;
    item->person = reply->person;
    item->duplicate = reply->duplicate;
    item->took_us = clock_mono_us() - flight->sent_us[flight->head];
    snprintf(item->ack_code, sizeof item->ack_code, "%.3s", reply->code);
    snprintf(item->verdict, sizeof item->verdict, "%.15s", reply->verdict);
    send_note(item, str_from(reply->reason));
    flight->bytes -= item->message.len;
    flight->head = (flight->head + 1) % WINDOW;
    flight->count--;
}

static status send_one(struct send_job *job, struct ctx *cx, struct rpc_stream *stream, struct flight *flight,
                       struct send_item *item)
{
    Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
    ask.source = (char *)job->source;
    ask.message = (ProtobufCBinaryData){item->message.len, (uint8_t *)item->message.data};
    size_t place = (flight->head + flight->count) % WINDOW;
    flight->items[place] = item;
    flight->sent_us[place] = clock_mono_us();
    flight->count++;
    flight->bytes += item->message.len;
    item->state = SEND_NO_ANSWER; /* from here on it may have arrived */
    return rpc_stream_send(stream, cx, &ask.base);
}

static status await_one(struct send_job *job, struct ctx *cx, struct rpc_stream *stream, struct flight *flight)
{
    struct arena_mark mark = arena_mark(cx->arena);
    void *reply = NULL;
    TRY(rpc_stream_next(stream, cx, &reply));
    if (!reply)
        return ctx_fail(
            cx, &(const struct reason){"cli.stream-ended", STATUS_UNAVAILABLE, 207, "the daemon ended the stream"},
            "%zu messages were not answered", flight->count);
    take_reply(flight, reply);
    atomic_fetch_add(&job->done, 1);
    arena_rewind(cx->arena, mark);
    return STATUS_OK;
}

static status pump(struct send_job *job, struct ctx *cx, struct rpc_stream *stream, struct flight *flight)
{
    struct send_item *item;
    while ((item = send_take(job))) {
        while (flight->count == WINDOW || (flight->count && flight->bytes + item->message.len > WINDOW_BYTES))
            TRY(await_one(job, cx, stream, flight));
        TRY(send_one(job, cx, stream, flight, item));
    }
    TRY(rpc_stream_sent_all(stream, cx));
    while (flight->count)
        TRY(await_one(job, cx, stream, flight));
    return STATUS_OK;
}

status send_over_grpc(struct send_job *job, struct ctx *cx)
{
    struct rpc_client *client;
    struct rpc_stream *stream = NULL;
    struct flight flight = {0};
    TRY(cli_connect(cx, &job->target, &client));
    status got = rpc_stream_open(client, cx, CLI_ROUTING("SubmitStream"), &idem__routing__v1__submit_reply__descriptor,
                                 0, &stream);
    if (got == STATUS_OK)
        got = pump(job, cx, stream, &flight);
    rpc_stream_close(stream);
    rpc_client_close(client);
    return got;
}
