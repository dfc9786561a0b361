/*
 * A small synchronous gRPC client: what `idem`, the tests and the bench speak to the daemon with.
 *
 *   struct rpc_client *client;
 *   TRY(rpc_client_connect(cx, &(struct rpc_client_options){.address = "127.0.0.1:7443", .ca_file = …}, &client));
 *   Idem__Identity__V1__GetPersonRequest ask = IDEM__IDENTITY__V1__GET_PERSON_REQUEST__INIT;
 *   ask.person = 7;
 *   Idem__Identity__V1__Person *person;
 *   TRY(rpc_client_call(client, cx, "idem.identity.v1.Identity/GetPerson", &ask.base,
 *                       &idem__identity__v1__person__descriptor, 0, (void **)&person));
 *
 * Messages are protobuf-c structs of the generated headers ("idem/identity/v1/identity.pb-c.h", target idem_rpc).
 * Replies are in cx->arena: nothing to free.
 *
 * Failures: the status is the gRPC code. cx->reason is a row (in cx->arena) whose name is the daemon's reason name
 * ("mpi.person-unknown") and whose text is the daemon's whole sentence; ctx_message(cx) is ready for people. Without a
 * reason from the daemon the rows are ours: rpc.unreachable (UNAVAILABLE: address, cause, what to do), rpc.deadline,
 * rpc.cancelled, rpc.failed.
 *
 * Threads: one client and its streams belong to one thread at a time; rpc_stream_cancel() may come from any thread.
 */
#pragma once

#include "base/ctx.h"

struct ProtobufCMessage; /* protobuf-c's own struct tags: &request.base and …__descriptor fit as they are */
struct ProtobufCMessageDescriptor;

struct rpc_client;
struct rpc_stream;

struct rpc_client_options {
    const char *address;   /* "127.0.0.1:7443", "[::1]:7443", "idem.example:7443" */
    const char *ca_file;   /* PEM; who may have signed the daemon's certificate */
    const char *cert_file; /* PEM; our own certificate and key: who we are */
    const char *key_file;
    bool plain; /* no TLS: only for a daemon that allows plain on loopback; the three files are then ignored */
    const char *server_name; /* expected in the daemon's certificate; NULL = the host part of `address` */
    int64_t timeout_us;      /* to connect, and for calls that give no timeout of their own; 0 = 10 s */
};

/* Connects and asks the daemon's health service once, so that a wrong address, a daemon that is down and certificates
 * that do not fit are told here and apart. rpc.unreachable; base.file for PEM files that cannot be read. */
status rpc_client_connect(struct ctx *cx, const struct rpc_client_options *options, struct rpc_client **out_client);
/* Streams must be closed before. NULL is fine. */
void rpc_client_close(struct rpc_client *client);

/* One request, one reply. `method` is "idem.admin.v1.Admin/GetStatus". `timeout_us` 0 = the client's. */
status rpc_client_call(struct rpc_client *client, struct ctx *cx, const char *method,
                       const struct ProtobufCMessage *request, const struct ProtobufCMessageDescriptor *reply_type,
                       int64_t timeout_us, void **out_reply);

/* A stream of requests, of replies, or both. `timeout_us` bounds the whole stream; 0 = none. */
status rpc_stream_open(struct rpc_client *client, struct ctx *cx, const char *method,
                       const struct ProtobufCMessageDescriptor *reply_type, int64_t timeout_us,
                       struct rpc_stream **out_stream);
/* One request. Waits while the daemon takes no more: it reads at most RPC_STREAM_AHEAD_MAX messages ahead of its
 * replies, so read replies in between or on the way. For a server stream: send once, then rpc_stream_sent_all(). */
enum { RPC_STREAM_AHEAD_MAX = 64 };
status rpc_stream_send(struct rpc_stream *stream, struct ctx *cx, const struct ProtobufCMessage *request);
/* No more requests. */
status rpc_stream_sent_all(struct rpc_stream *stream, struct ctx *cx);
/* The next reply. STATUS_OK and *out_reply == NULL: the daemon ended the stream well. */
status rpc_stream_next(struct rpc_stream *stream, struct ctx *cx, void **out_reply);
/* The daemon is told to stop; a waiting rpc_stream_next() answers rpc.cancelled. Any thread. */
void rpc_stream_cancel(struct rpc_stream *stream);
/* Cancels when it has not ended yet. NULL is fine. */
void rpc_stream_close(struct rpc_stream *stream);
