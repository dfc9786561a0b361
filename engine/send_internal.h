/* Shared by send.c and send_flood.c. */
#pragma once

#include "base/crypto/stream.h"
#include "engine/send.h"

/* Connects and shakes hands, blocking at most the time-out. */
status send_connect(struct ctx *cx, const struct send_options *options, struct crypto_stream *out_stream);
