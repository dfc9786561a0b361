/*
 * A sender of HL7 v2 messages over MLLP: what `idem send`, the tests and the benchmarks use. It blocks its caller.
 *
 * Errors: base.net (no connection, lost, timed out), crypto.*, hl7.not-an-ack. Threads: one at a time.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct crypto_tls;
struct send_client;

struct send_options {
    const char *connect;     /* "127.0.0.1:2575", "host:2575" */
    struct crypto_tls *tls;  /* a client's; NULL = plain */
    const char *server_name; /* NULL = the host part */
    int64_t timeout_us;      /* for the connection, and for the answers of one message; 0 = 30 s */
};
/* Connects (and shakes hands). */
status send_open(struct ctx *cx, const struct send_options *options, struct send_client **out_client);
void send_close(struct send_client *client); /* NULL is fine */

struct send_answer {
    char code[3];    /* MSA-1 */
    struct str ack;  /* the whole answer, in cx->arena */
    int64_t took_us; /* from the send */
};
enum { SEND_ANSWERS_MAX = 2 };

/*
 * Sends one message (without framing) and waits for what it asks for: the application acknowledgement in original mode;
 * in enhanced mode the accept and the application acknowledgement that MSH-15 and MSH-16 demand (AL, SU), none when
 * neither does. An answer for another control id is skipped. On a time-out the answers that came are still in
 * *out_count.
 */
status send_message(struct send_client *client, struct ctx *cx, struct str message,
                    struct send_answer out_answers[SEND_ANSWERS_MAX], size_t *out_count);

/* Many messages, for benchmarks: several connections, each with up to `window` messages under way. */
struct send_flood_options {
    struct send_options to;
    size_t connections; /* 0 = 1 */
    size_t window;      /* messages of one connection without an answer; 0 = 1: one by one */
    uint64_t messages;  /* in all */
    /* Appends message `number` (0, 1, 2 …) without framing. Called in the order of numbers, on the caller's thread. */
    void (*make)(void *arg, uint64_t number, struct buf *out);
    void *arg;
};
struct send_flood_result {
    uint64_t sent, accepted, refused; /* AA, CA; any other code */
    uint64_t unreadable;              /* answers without a code */
    uint64_t unanswered;              /* after the time-out without any answer, or the loss of their connection */
    int64_t took_us;
    int64_t p50_us, p99_us, max_us; /* send to first answer; within 1/16 of the value */
};
status send_flood(struct ctx *cx, const struct send_flood_options *options, struct send_flood_result *out_result);
