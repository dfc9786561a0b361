/*
 * Why a call was refused before it reached a service, or never reached the daemon: rows like every other room's.
 */
#pragma once

#include "base/ctx.h"

enum rpc_reason {
    RPC_MALFORMED,         /* rpc.malformed, INVALID_ARGUMENT: not a message of this type */
    RPC_TOO_DEEP,          /* rpc.too-deep, INVALID_ARGUMENT: nesting past LIMIT_GRPC_DEPTH */
    RPC_NOT_UTF8,          /* rpc.not-utf8, INVALID_ARGUMENT */
    RPC_NUL_IN_TEXT,       /* rpc.nul-in-text, INVALID_ARGUMENT */
    RPC_REPEATED_PART,     /* rpc.repeated-part, INVALID_ARGUMENT: a part that may be there once is there twice */
    RPC_TOO_MANY_PARTS,    /* rpc.too-many-parts, INVALID_ARGUMENT */
    RPC_TEXT_TOO_LONG,     /* rpc.text-too-long, INVALID_ARGUMENT */
    RPC_REQUEST_TOO_LARGE, /* rpc.request-too-large, RESOURCE_EXHAUSTED */
    RPC_ARGUMENT,          /* rpc.argument, INVALID_ARGUMENT: the detail names the field */
    RPC_UNKNOWN_METHOD,    /* rpc.unknown-method, UNIMPLEMENTED */
    RPC_NO_ROLE,           /* rpc.no-role, PERMISSION_DENIED: the certificate's name has no role for this method */
    RPC_BUSY,              /* rpc.busy, RESOURCE_EXHAUSTED: too much in flight; try again */
    RPC_DEADLINE,          /* rpc.deadline, DEADLINE_EXCEEDED */
    RPC_CANCELLED,         /* rpc.cancelled, CANCELLED */
    RPC_DRAINING,          /* rpc.draining, UNAVAILABLE: the daemon is going down */
    RPC_REPLY_TOO_LARGE,   /* rpc.reply-too-large, OUT_OF_RANGE */
    RPC_LISTEN,            /* rpc.listen, UNAVAILABLE: address cannot be bound */
    RPC_PLAIN_REFUSED,     /* rpc.plain-refused, FAILED_PRECONDITION: plain is for loopback only */
    RPC_CERTIFICATE,       /* rpc.certificate, FAILED_PRECONDITION: certificate, key or CA cannot be used */
    RPC_SERVICE_UNKNOWN,   /* rpc.service-unknown, NOT_FOUND: health of a service that is not there */
    RPC_UNREACHABLE,       /* rpc.unreachable, UNAVAILABLE: client side */
    RPC_FAILED,            /* rpc.failed, UNKNOWN: client side: a status without a reason */
    RPC_BAD_REPLY,         /* rpc.bad-reply, INTERNAL: client side: the reply is not of the expected type */
    RPC_REASON_COUNT
};
extern const struct reason rpc_reasons[RPC_REASON_COUNT];
