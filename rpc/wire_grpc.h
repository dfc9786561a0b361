/*
 * What the wire_*.c files share and nobody else may include: gRPC-core's own types.
 */
#pragma once

#include "wire.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

/* grpc_init() with all signals blocked in the threads it starts, core's log turned into ours; grpc_shutdown_blocking()
 * undoes it. */
void wire_library_init(void);
void wire_library_fini(void);

/* mTLS credentials whose files are read again for the next handshake after they changed. */
struct wire_creds;
struct wire_creds *wire_creds_new(const char *cert_file, const char *key_file, const char *ca_file);
void wire_creds_free(struct wire_creds *creds);
status wire_creds_check(struct ctx *cx, const struct wire_creds *creds); /* the files can be read now */
grpc_server_credentials *wire_creds_server(struct wire_creds *creds);

/* A slice that takes over `bytes`. */
grpc_slice wire_bytes_slice(struct wire_bytes *bytes);

/* The bytes of a received buffer: borrowed from it when they lie in one piece, else copied into *out_copy (unref it).
 */
bool wire_buffer_bytes(grpc_byte_buffer *buffer, struct str *out_bytes, grpc_slice *out_copy);

static inline struct str wire_slice_str(const grpc_slice *slice)
{
    return str_make(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

/* ThreadSanitizer cannot see that a tag handed to a completion queue comes out on another thread after it. */
#if defined(__SANITIZE_THREAD__)
#define WIRE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WIRE_TSAN 1
#endif
#endif
#ifdef WIRE_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define wire_tag_out(tag) __tsan_release(tag)
#define wire_tag_in(tag)  __tsan_acquire(tag)
#else
#define wire_tag_out(tag) ((void)(tag))
#define wire_tag_in(tag)  ((void)(tag))
#endif
