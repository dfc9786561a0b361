/* What server and client share: starting the library, its log, bytes. */
#include "base/log.h"
#include "wire_grpc.h"

#include <pthread.h>
#include <signal.h>

/* Core's texts may carry peer addresses and header values: only where it happened is told, not what. */
static void log_core(gpr_log_func_args *args)
{
    const char *file = strrchr(args->file, '/');
    log_event(args->severity == GPR_LOG_SEVERITY_ERROR ? LOG_WARN : LOG_DEBUG, "grpc.core",
              LOG_NAME("file", file ? file + 1 : args->file), LOG_NUM("line", args->line));
}

void wire_library_init(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's business */
    gpr_set_log_function(log_core);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    grpc_init();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void wire_library_fini(void)
{
    grpc_shutdown_blocking(); /* the other one leaves a thread behind that may still clean up when the process ends */
}

/* Always a refcounted slice: bytes of an inlined one would move with every copy of the struct. */
void wire_bytes_init(struct wire_bytes *bytes, size_t len)
{
    grpc_slice slice = grpc_slice_malloc_large(len);
    bytes->owner = slice.refcount;
    bytes->data = slice.data.refcounted.bytes;
    bytes->len = len;
}

grpc_slice wire_bytes_slice(struct wire_bytes *bytes)
{
    grpc_slice slice = {.refcount = bytes->owner};
    slice.data.refcounted.bytes = bytes->data;
    slice.data.refcounted.length = bytes->len;
    *bytes = (struct wire_bytes){0};
    return slice;
}

void wire_bytes_fini(struct wire_bytes *bytes)
{
    if (bytes->owner)
        grpc_slice_unref(wire_bytes_slice(bytes));
}

bool wire_buffer_bytes(grpc_byte_buffer *buffer, struct str *out_bytes, grpc_slice *out_copy)
{
    *out_copy = grpc_empty_slice();
    *out_bytes = STR("");
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, buffer))
        return false;
    size_t length = grpc_byte_buffer_length(buffer);
    grpc_slice *first;
    if (length > 0 && grpc_byte_buffer_reader_peek(&reader, &first)) {
        if (GRPC_SLICE_LENGTH(*first) == length) {
            *out_bytes = wire_slice_str(first);
        } else {
            grpc_byte_buffer_reader_destroy(&reader);
            if (!grpc_byte_buffer_reader_init(&reader, buffer))
                return false;
            *out_copy = grpc_byte_buffer_reader_readall(&reader);
            *out_bytes = wire_slice_str(out_copy); /* out_copy stays where it is: inlined bytes do not move */
        }
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return true;
}
