/*
 * A connector carries one message at a time to one destination and says honestly what became of it.
 *
 * Everything here runs on the delivering loop's thread. One send is outstanding at most; `done` is called exactly once,
 * never from inside connector_send().
 */
#pragma once

#include "base/ctx.h"
#include "base/loop.h"

struct crypto_tls;

enum connector_outcome_kind {
    CONNECTOR_DELIVERED, /* the destination's own answer says so: AA or CA with our control id; or the file is in place
                          */
    CONNECTOR_REFUSED,   /* AE, CE: the content will not be taken; do not send again unchanged */
    CONNECTOR_REJECTED,  /* AR, CR: not now or not here; may be sent again */
    CONNECTOR_NOT_SENT,  /* nothing reached the destination: connect or handshake failed, disk full */
    CONNECTOR_IN_DOUBT,  /* sent, at least in part, and no matching answer came: it may have arrived */
};

struct connector_outcome {
    enum connector_outcome_kind kind;
    char ack_code[3];  /* "AA" …; "" for files */
    struct str answer; /* the answer's bytes, borrowed for the call */
    const char *why;   /* static: "connection refused", "answer timed out", "answer for another message" … */
};
typedef void connector_done_fn(void *arg, const struct connector_outcome *outcome);

struct connector;

/*
 * MLLP: one connection, opened when something is to be sent and kept. What an answer means: AA, CA delivered; AE, CE
 * refused; AR, CR rejected. Only an answer whose MSA-2 is `control_id` counts; any other (late, foreign, unreadable) is
 * noted in the log and waiting goes on until the time-out, which is IN_DOUBT and ends the connection (its answer would
 * come late). Lost before any byte of the message was written: NOT_SENT; after: IN_DOUBT. A kept connection that turns
 * out to be dead as nothing was sent yet is opened anew once, within the same send.
 *
 * Strings of the options are copied. engine.connector: an address that is none, a folder that cannot be made.
 */
struct connector_mllp_options {
    const char *name; /* destination's name, for the log */
    const char *
        connect; /* "127.0.0.1:2600" or "[::1]:2600" or "host:port" (resolved at each connect, off the loop's thread) */
    struct crypto_tls *tls;  /* NULL = plain */
    const char *server_name; /* expected in the peer's certificate; NULL = the host part */
    int64_t connect_timeout_us, answer_timeout_us, idle_close_us; /* 0 = 5 s, 30 s, 5 min */
};
status connector_open_mllp(struct loop *loop, struct ctx *cx, const struct connector_mllp_options *options,
                           struct connector **out_connector);

/*
 * Files: <folder>/<file_name>.hl7 by way of a temporary name, fsync, rename, fsync of the folder, on a worker thread of
 * the connector's own. A file of that name that is there already with the same bytes is left alone (and DELIVERED);
 * with other bytes it is replaced. Disk full and the like: NOT_SENT, `why` says what. A name with '/' or a leading '.'
 * is REFUSED.
 */
struct connector_file_options {
    const char *name;
    const char *folder; /* made when absent */
};
status connector_open_file(struct loop *loop, struct ctx *cx, const struct connector_file_options *options,
                           struct connector **out_connector);

/* `message`, `control_id` and `file_name` must stay until done. `control_id` (MSH-10 as sent) is what the answer's
 * MSA-2 must equal. `file_name` names the file of a file destination: the same delivery has the same name, so a repeat
 * replaces and never duplicates. */
void connector_send(struct connector *connector, struct str message, struct str control_id, const char *file_name,
                    connector_done_fn *done, void *arg);
/* Ends the connection; an outstanding send is not reported any more. Safe inside `done`. NULL is fine. Waits for a file
 * or a name resolution under way. */
void connector_close(struct connector *connector);

extern const struct reason connector_reason; /* "engine.connector", FAILED_PRECONDITION */
