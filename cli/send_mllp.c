/* Messages over one MLLP connection: send, wait for what the message asks for, send the next. */
#include "send_job.h"

#include "base/crypto/tls.h"
#include "engine/send.h"
#include "hl7v2/ack.h"

#include <stdio.h>

static const struct reason mllp_no_certificate = {"cli.mllp-no-certificate", STATUS_UNAUTHENTICATED, 207,
                                                  "mllps wants --ca, --cert and --key, or --home"};

static void take_answer(struct ctx *cx, struct send_item *item, const struct send_answer *answer)
{
    struct hl7_reply reply;
    item->state = SEND_ANSWERED;
    snprintf(item->ack_code, sizeof item->ack_code, "%s", answer->code);
    bool is_good = strcmp(answer->code, "AA") == 0 || strcmp(answer->code, "CA") == 0;
    if (!is_good && hl7_ack_read(cx, answer->ack, &reply) == STATUS_OK)
        send_note(item, reply.text.len ? reply.text : reply.error_code);
}

static status exchange(struct ctx *cx, struct send_client *client, struct send_item *item)
{
    struct send_answer answers[SEND_ANSWERS_MAX];
    size_t count = 0;
    item->state = SEND_NO_ANSWER; /* from here on it may have arrived */
    status got = send_message(client, cx, item->message, answers, &count);
    if (count) { /* the last one is the final word, also when more was due */
        take_answer(cx, item, &answers[count - 1]);
        item->took_us = answers[count - 1].took_us;
    } else if (got == STATUS_OK) {
        send_note(item, STR("the message asks for no answer"));
    }
    return got;
}

static status send_all(struct send_job *job, struct ctx *cx, struct send_client *client)
{
    struct send_item *item;
    while ((item = send_take(job))) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(exchange(cx, client, item));
        ctx_clear(cx);
        arena_rewind(cx->arena, mark);
        atomic_fetch_add(&job->done, 1);
    }
    return STATUS_OK;
}

static status open_tls(struct ctx *cx, const struct send_job *job, struct crypto_tls **out_tls)
{
    struct crypto_tls_options options = {
        .ca_path = job->target.ca, .cert_path = job->target.cert, .key_path = job->target.key};
    if (!options.ca_path || !options.cert_path || !options.key_path)
        return ctx_fail(cx, &mllp_no_certificate, NULL);
    return crypto_tls_open(cx, &options, out_tls);
}

status send_over_mllp(struct send_job *job, struct ctx *cx)
{
    struct crypto_tls *tls = NULL;
    struct send_client *client = NULL;
    if (job->tls)
        TRY(open_tls(cx, job, &tls));
    struct send_options options = {.connect = job->to, .tls = tls, .timeout_us = job->target.timeout_ms * 1000};
    status got = send_open(cx, &options, &client);
    if (got == STATUS_OK)
        got = send_all(job, cx, client);
    send_close(client);
    crypto_tls_close(tls);
    return got;
}
