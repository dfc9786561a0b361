#include "reflection.h"

#include "base/buf.h"
#include "base/invariant.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

extern const unsigned char rpc_proto_files[];
extern const size_t rpc_proto_files_size;

typedef Grpc__Reflection__V1__ServerReflectionRequest ask;
typedef Grpc__Reflection__V1__ServerReflectionResponse answer;

enum { FILES_MAX = 64 };

/* Fields of google/protobuf/descriptor.proto that are needed here. */
enum {
    SET_FILE = 1,
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_DEPENDENCY = 3,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    ANY_NAME = 1,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    SERVICE_METHOD = 2,
    METHOD_INPUT = 2,
    METHOD_OUTPUT = 3,
    METHOD_CLIENT_STREAMS = 5,
    METHOD_SERVER_STREAMS = 6,
};

struct file {
    struct str name, bytes;
};
struct method {
    struct str path, input, output;
    bool client_streams, server_streams;
};

struct reflection {
    struct arena arena;
    struct file files[FILES_MAX];
    size_t file_count;
    struct map symbols; /* full name -> file */
    VEC(struct str) services;
    VEC(struct method) methods;
};

struct field {
    uint64_t number, value;
    struct str bytes; /* of a length-delimited field */
};

/* The bytes are our own build's: well-formed by construction, and cut_* stops at the end regardless. */
static bool next_field(struct cut *cut, struct field *out_field)
{
    if (cut->rest.len == 0)
        return false;
    uint64_t tag = cut_varint(cut);
    *out_field = (struct field){.number = tag >> 3};
    if ((tag & 7) == 2)
        out_field->bytes = cut_lstr(cut);
    else
        out_field->value = cut_varint(cut);
    return !cut->bad;
}

static struct str first_text(struct str bytes, uint64_t number)
{
    struct cut cut = {bytes, false};
    struct field field;
    while (next_field(&cut, &field))
        if (field.number == number)
            return field.bytes;
    return STR_NONE;
}

static struct str qualified(struct reflection *reflection, struct str prefix, struct str name)
{
    if (prefix.len == 0)
        return name;
    return arena_printf(&reflection->arena, "%.*s.%.*s", STR_ARGS(prefix), STR_ARGS(name));
}

static void add_symbol(struct reflection *reflection, struct str name, size_t file)
{
    *map_put(&reflection->symbols, name, NULL) = file;
}

static void add_messages(struct reflection *reflection, struct str package, struct str message, size_t file)
{
    struct scope {
        struct str prefix, message;
    };
    VEC(struct scope) open = {0};
    *VEC_ADD(&open) = (struct scope){package, message};
    while (open.count > 0) {
        struct scope scope = open.at[--open.count];
        struct str name = qualified(reflection, scope.prefix, first_text(scope.message, ANY_NAME));
        add_symbol(reflection, name, file);
        struct cut cut = {scope.message, false};
        struct field field;
        while (next_field(&cut, &field)) {
            if (field.number == MESSAGE_NESTED)
                *VEC_ADD(&open) = (struct scope){name, field.bytes};
            else if (field.number == MESSAGE_ENUM)
                add_symbol(reflection, qualified(reflection, name, first_text(field.bytes, ANY_NAME)), file);
        }
    }
    VEC_FINI(&open);
}

static void add_method(struct reflection *reflection, struct str service, struct str bytes, size_t file)
{
    struct str name = first_text(bytes, ANY_NAME);
    add_symbol(reflection, qualified(reflection, service, name), file);
    struct method method = {
        .path = arena_printf(&reflection->arena, "/%.*s/%.*s", STR_ARGS(service), STR_ARGS(name)),
        .input = first_text(bytes, METHOD_INPUT),
        .output = first_text(bytes, METHOD_OUTPUT),
    };
    struct cut cut = {bytes, false};
    struct field field;
    while (next_field(&cut, &field)) {
        if (field.number == METHOD_CLIENT_STREAMS)
            method.client_streams = field.value != 0;
        else if (field.number == METHOD_SERVER_STREAMS)
            method.server_streams = field.value != 0;
    }
    *VEC_ADD(&reflection->methods) = method;
}

static void add_service(struct reflection *reflection, struct str package, struct str bytes, size_t file)
{
    struct str name = qualified(reflection, package, first_text(bytes, ANY_NAME));
    add_symbol(reflection, name, file);
    *VEC_ADD(&reflection->services) = name;
    struct cut cut = {bytes, false};
    struct field field;
    while (next_field(&cut, &field))
        if (field.number == SERVICE_METHOD)
            add_method(reflection, name, field.bytes, file);
}

static void add_file(struct reflection *reflection, struct str bytes)
{
    if (reflection->file_count == FILES_MAX)
        mem_panic("rpc", "more proto files than reflection knows");
    size_t file = reflection->file_count++;
    struct str package = first_text(bytes, FILE_PACKAGE);
    reflection->files[file] = (struct file){.name = first_text(bytes, FILE_NAME), .bytes = bytes};
    struct cut cut = {bytes, false};
    struct field field;
    while (next_field(&cut, &field)) {
        if (field.number == FILE_MESSAGE)
            add_messages(reflection, package, field.bytes, file);
        else if (field.number == FILE_ENUM)
            add_symbol(reflection, qualified(reflection, package, first_text(field.bytes, ANY_NAME)), file);
        else if (field.number == FILE_SERVICE)
            add_service(reflection, package, field.bytes, file);
    }
}

struct reflection *reflection_new(void)
{
    struct reflection *reflection = mem_alloc(sizeof *reflection);
    struct cut cut = {str_make(rpc_proto_files, rpc_proto_files_size), false};
    struct field field;
    while (next_field(&cut, &field))
        if (field.number == SET_FILE)
            add_file(reflection, field.bytes);
    return reflection;
}

void reflection_free(struct reflection *reflection)
{
    if (reflection == NULL)
        return;
    map_fini(&reflection->symbols);
    VEC_FINI(&reflection->services);
    VEC_FINI(&reflection->methods);
    arena_fini(&reflection->arena);
    mem_free(reflection);
}

static ptrdiff_t file_named(const struct reflection *reflection, struct str name)
{
    for (size_t i = 0; i < reflection->file_count; i++)
        if (str_eq(reflection->files[i].name, name))
            return (ptrdiff_t)i;
    return -1;
}

/* The file and everything it imports, each once. */
static void answer_file(const struct reflection *reflection, struct ctx *cx, size_t file, answer *reply)
{
    Grpc__Reflection__V1__FileDescriptorResponse *files =
        message_new(cx, &grpc__reflection__v1__file_descriptor_response__descriptor);
    files->file_descriptor_proto = arena_array(cx->arena, reflection->file_count, sizeof *files->file_descriptor_proto);
    size_t queue[FILES_MAX] = {file}, queued = 1;
    for (size_t next = 0; next < queued; next++) {
        struct str bytes = reflection->files[queue[next]].bytes;
        files->file_descriptor_proto[files->n_file_descriptor_proto++] = message_bytes(bytes);
        struct cut cut = {bytes, false};
        struct field field;
        while (next_field(&cut, &field)) {
            ptrdiff_t needed = field.number == FILE_DEPENDENCY ? file_named(reflection, field.bytes) : -1;
            bool known = needed < 0;
            for (size_t i = 0; i < queued && !known; i++)
                known = queue[i] == (size_t)needed;
            if (!known)
                queue[queued++] = (size_t)needed;
        }
    }
    reply->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    reply->file_descriptor_response = files;
}

static void answer_error(struct ctx *cx, status code, const char *what, answer *reply)
{
    Grpc__Reflection__V1__ErrorResponse *error = message_new(cx, &grpc__reflection__v1__error_response__descriptor);
    error->error_code = (int32_t)code;
    error->error_message = message_text(cx, str_from(what));
    reply->message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    reply->error_response = error;
}

static void answer_services(const struct reflection *reflection, struct ctx *cx, answer *reply)
{
    Grpc__Reflection__V1__ListServiceResponse *list =
        message_new(cx, &grpc__reflection__v1__list_service_response__descriptor);
    MESSAGE_LIST(cx, list, service, &grpc__reflection__v1__service_response__descriptor, reflection->services.count);
    for (size_t i = 0; i < reflection->services.count; i++)
        list->service[i]->name = message_text(cx, reflection->services.at[i]);
    reply->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    reply->list_services_response = list;
}

static void answer_extensions(const struct reflection *reflection, struct ctx *cx, struct str type, answer *reply)
{
    if (map_get(&reflection->symbols, type) == NULL) {
        answer_error(cx, STATUS_NOT_FOUND, "there is no such type", reply);
        return;
    }
    Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
        message_new(cx, &grpc__reflection__v1__extension_number_response__descriptor);
    numbers->base_type_name = message_text(cx, type); /* no proto of ours has extensions */
    reply->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    reply->all_extension_numbers_response = numbers;
}

status reflection_ask(struct rpc_call *call, struct ctx *cx, const void *request, void *unused)
{
    (void)unused;
    const struct reflection *reflection = call->server->reflection;
    const ask *asked = request;
    answer *reply = message_new(cx, &grpc__reflection__v1__server_reflection_response__descriptor);
    reply->valid_host = asked->host;
    reply->original_request = (ask *)(uintptr_t)asked;
    switch (asked->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(reflection, cx, reply);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME: {
        ptrdiff_t file = file_named(reflection, str_from(asked->file_by_filename));
        if (file >= 0)
            answer_file(reflection, cx, (size_t)file, reply);
        else
            answer_error(cx, STATUS_NOT_FOUND, "there is no such file", reply);
        break;
    }
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL: {
        uint64_t *file = map_get(&reflection->symbols, str_from(asked->file_containing_symbol));
        if (file)
            answer_file(reflection, cx, (size_t)*file, reply);
        else
            answer_error(cx, STATUS_NOT_FOUND, "there is no such symbol", reply);
        break;
    }
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(reflection, cx, str_from(asked->all_extension_numbers_of_type), reply);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        answer_error(cx, STATUS_NOT_FOUND, "there are no extensions", reply);
        break;
    default:
        answer_error(cx, STATUS_INVALID_ARGUMENT, "the request asks for nothing", reply);
    }
    rpc_call_send(call, cx, reply);
    return STATUS_OK;
}

void reflection_half_closed(struct rpc_call *call)
{
    rpc_call_end(call);
}

static struct str after_last_dot(struct str name)
{
    while (name.len > 0 && memrchr(name.data, '.', name.len))
        name = str_from_at(name, (size_t)str_find(name, '.') + 1);
    return name;
}

void reflection_check(const struct reflection *reflection)
{
    INVARIANT(reflection->methods.count == rpc_method_count);
    for (size_t i = 0; i < reflection->methods.count; i++) {
        const struct method *method = &reflection->methods.at[i];
        size_t row = 0;
        while (row < rpc_method_count && !str_is(method->path, rpc_methods[row].path))
            row++;
        INVARIANT(row < rpc_method_count);
        INVARIANT(str_is(after_last_dot(method->input), rpc_methods[row].request->short_name));
        INVARIANT(str_is(after_last_dot(method->output), rpc_methods[row].reply->short_name));
        INVARIANT(rpc_methods[row].kind == (method->client_streams   ? WIRE_BIDI
                                            : method->server_streams ? WIRE_SERVER_STREAM
                                                                     : WIRE_UNARY));
    }
}
