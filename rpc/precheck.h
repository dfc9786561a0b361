/*
 * What the wire bytes of a request must be before anything is unpacked from them.
 *
 * protobuf-c recurses without limit, keeps invalid UTF-8, cuts strings at NUL ("adm\0x" becomes "adm") and grows 100
 * bytes for one byte of input. So the bytes are walked first, without recursion and without memory, guided by the
 * descriptors:
 *   - nesting at most LIMIT_GRPC_DEPTH; groups, field 0, field numbers past 2^29-1 and broken lengths refused;
 *   - a known field has its own wire type;
 *   - every `string` is UTF-8, without NUL, at most `text_bytes_max` long;
 *   - a singular sub-message is there at most once (otherwise protobuf-c merges, copying again and again);
 *   - at most PRECHECK_PARTS_MAX fields and packed elements in all, PRECHECK_UNKNOWN_MAX of them unknown to us.
 * Details name fields of the protos, never values.
 */
#pragma once

#include "base/ctx.h"

#include <protobuf-c/protobuf-c.h>

enum { PRECHECK_PARTS_MAX = 250 * 1000, PRECHECK_UNKNOWN_MAX = 1000 };

/* rpc.malformed, rpc.too-deep, rpc.not-utf8, rpc.nul-in-text, rpc.text-too-long, rpc.repeated-part, rpc.too-many-parts
 */
status precheck(struct ctx *cx, const ProtobufCMessageDescriptor *type, struct str bytes, size_t text_bytes_max);

/* True when the walk can keep books of this type and all below it: at most 64 fields each. Asked once, at start. */
bool precheck_supports(const ProtobufCMessageDescriptor *type);
