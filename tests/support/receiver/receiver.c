/*
 * idem-receiver: a receiving system for the demo and the tests. Takes HL7 v2 over MLLP and acknowledges it; a message
 * that it has seen before (MSH-10) is acknowledged again without a second effect. Can be told to misbehave.
 *
 *   idem-receiver [--listen 127.0.0.1:0] [--list FILE] [--bytes FILE] [--ca FILE --cert FILE --key FILE]
 * [misbehaviour…]
 *
 * Prints "listening on PORT". One line per message goes to --list: time, MSH-10, "new" or "repeat", answer; the bytes
 * of new messages go to --bytes as MLLP frames. Both are written before the acknowledgement is sent. Ends on SIGTERM or
 * SIGINT.
 */
#include "base/clock.h"
#include "base/crypto/stream.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/net.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* Every one of them counts received messages, repeats included; 0 = never. */
struct misbehaviour {
    uint64_t refuse_every, reject_first, no_answer_every, wrong_id_every, close_every, delay_ms;
};

struct receiver {
    struct loop *loop;
    struct crypto_tls *tls;
    struct misbehaviour bad;
    int listen_fd, list_fd, bytes_fd;
    struct map seen;
    uint64_t received, answered;
    struct buf list, bytes, ack, framed;
    struct arena arena;
    char scratch[READ_BYTES];
};

struct sender {
    struct receiver *receiver;
    struct crypto_stream stream;
    struct loop_watch *watch;
    struct mllp_reader reader;
    struct loop_timer *timer;
    struct buf later; /* answers that wait for --delay-ms */
    bool closing;
};

static bool is_nth(uint64_t every, uint64_t number)
{
    return every && number % every == 0;
}

static void write_out(int fd, struct buf *bytes)
{
    for (size_t at = 0; fd >= 0 && at < bytes->len;) {
        ssize_t put = write(fd, bytes->data + at, bytes->len - at);
        if (put < 0) {
            perror("idem-receiver: write");
            exit(1);
        }
        at += (size_t)put;
    }
    buf_clear(bytes);
}

static void end(struct sender *sender)
{
    loop_timer_stop(sender->timer);
    loop_watch_remove(sender->watch);
    crypto_stream_fini(&sender->stream);
    mllp_reader_fini(&sender->reader);
    buf_fini(&sender->later);
    mem_free(sender);
}

static void answer(struct sender *sender, const struct hl7_header *header, enum hl7_ack_code code)
{
    struct receiver *receiver = sender->receiver;
    struct hl7_header to = *header;
    if (is_nth(receiver->bad.wrong_id_every, receiver->received))
        to.control_id = STR("SOMEBODY-ELSE");
    char id[24];
    snprintf(id, sizeof id, "R%" PRIu64, ++receiver->answered);
    static const struct reason refused = {"receiver.refused", STATUS_INVALID_ARGUMENT, 207, "refused as told"};
    buf_clear(&receiver->ack);
    hl7_ack_build(&(struct hl7_ack){.to = &to,
                                    .code = code,
                                    .control_id = str_from(id),
                                    .now_us = clock_now_us(),
                                    .reason = code == HL7_AA || code == HL7_CA ? NULL : &refused},
                  &receiver->ack);
    buf_clear(&receiver->framed);
    mllp_frame(&receiver->framed, buf_str(&receiver->ack));
    if (receiver->bad.delay_ms)
        buf_put_str(&sender->later, buf_str(&receiver->framed));
    else
        crypto_stream_put(&sender->stream, buf_str(&receiver->framed));
}

static enum hl7_ack_code judge(const struct receiver *receiver)
{
    if (receiver->received <= receiver->bad.reject_first)
        return HL7_AR;
    return is_nth(receiver->bad.refuse_every, receiver->received) ? HL7_AE : HL7_AA;
}

static void take(struct sender *sender, struct str message)
{
    struct receiver *receiver = sender->receiver;
    struct hl7_header header;
    hl7_header_read(message, &header);
    receiver->received++;
    if (is_nth(receiver->bad.close_every, receiver->received)) {
        sender->closing = true; /* without a word, and without an effect */
        return;
    }
    bool repeat = map_get(&receiver->seen, header.control_id) != NULL;
    enum hl7_ack_code code = repeat ? HL7_AA : judge(receiver);
    if (code == HL7_AA && !repeat) {
        *map_put(&receiver->seen, header.control_id, NULL) = receiver->received;
        mllp_frame(&receiver->bytes, message);
    }
    char when[28];
    clock_format(clock_now_us(), when);
    bool silent = is_nth(receiver->bad.no_answer_every, receiver->received);
    buf_printf(&receiver->list, "%s\t%.*s\t%s\t%s\n", when, STR_ARGS(header.control_id), repeat ? "repeat" : "new",
               silent ? "-" : hl7_ack_code_text(code));
    struct hl7_ack_mode mode = hl7_ack_mode(&header);
    bool accept_only = mode.enhanced && mode.application == HL7_ACK_NEVER;
    if (accept_only)
        code = code == HL7_AA ? HL7_CA : code == HL7_AE ? HL7_CE : HL7_CR;
    if (!silent)
        answer(sender, &header, code);
}

static void send_answers(struct sender *sender)
{
    if (!crypto_stream_flush(&sender->stream)) {
        end(sender);
        return;
    }
    loop_watch_change(sender->watch,
                      (uint32_t)EPOLLIN | (crypto_stream_is_sending(&sender->stream) ? (uint32_t)EPOLLOUT : 0));
}

static void delay_over(void *arg)
{
    struct sender *sender = arg;
    sender->timer = NULL;
    crypto_stream_put(&sender->stream, buf_str(&sender->later));
    buf_clear(&sender->later);
    send_answers(sender);
}

static void take_bytes(struct sender *sender, struct str bytes)
{
    struct receiver *receiver = sender->receiver;
    struct str frame;
    mllp_feed(&sender->reader, bytes);
    for (enum mllp_event event; !sender->closing && (event = mllp_next(&sender->reader, &frame)) != MLLP_MORE;)
        if (event == MLLP_FRAME)
            take(sender, frame);
    write_out(receiver->list_fd, &receiver->list); /* the effect before the acknowledgement */
    write_out(receiver->bytes_fd, &receiver->bytes);
    if (sender->later.len > 0 && sender->timer == NULL)
        sender->timer = loop_timer_start(receiver->loop, (int64_t)receiver->bad.delay_ms * 1000, delay_over, sender);
}

static void ready(void *arg, uint32_t events)
{
    struct sender *sender = arg;
    if (events & ~(uint32_t)EPOLLOUT) {
        struct str bytes;
        bool full;
        enum crypto_stream_event event =
            crypto_stream_read(&sender->stream, sender->receiver->scratch, READ_BYTES, &bytes, &full);
        if (event == CRYPTO_STREAM_DATA)
            take_bytes(sender, bytes);
        if (event == CRYPTO_STREAM_FAILED)
            (void)crypto_stream_flush(&sender->stream); /* TLS's alert */
        if (event == CRYPTO_STREAM_END || event == CRYPTO_STREAM_FAILED || sender->closing) {
            if (sender->closing)
                (void)crypto_stream_flush(&sender->stream); /* earlier answers still go out */
            end(sender);
            return;
        }
    }
    send_answers(sender);
}

static void accept_ready(void *arg, uint32_t events)
{
    (void)events;
    struct receiver *receiver = arg;
    char peer[NET_PEER_BYTES];
    int fd = net_accept(receiver->listen_fd, peer);
    if (fd < 0)
        return;
    struct sender *sender = mem_alloc(sizeof *sender);
    sender->receiver = receiver;
    crypto_stream_init(&sender->stream, fd, receiver->tls, NULL);
    mllp_reader_init(&sender->reader, (struct mllp_options){0});
    sender->watch = loop_watch_add(receiver->loop, fd, EPOLLIN, ready, sender);
}

static void signalled(void *arg, uint32_t events)
{
    (void)events;
    loop_stop(arg);
}

/* ---- command line ---- */

static void usage(const char *what)
{
    fprintf(stderr, "idem-receiver: %s\n", what);
    exit(64);
}

struct arguments {
    const char *listen, *list, *bytes, *ca, *cert, *key;
    struct misbehaviour bad;
};

static struct arguments read_arguments(int count, char **texts)
{
    struct arguments arguments = {.listen = "127.0.0.1:0"};
    const struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } options[] = {
        {"--listen", &arguments.listen, NULL},
        {"--list", &arguments.list, NULL},
        {"--bytes", &arguments.bytes, NULL},
        {"--ca", &arguments.ca, NULL},
        {"--cert", &arguments.cert, NULL},
        {"--key", &arguments.key, NULL},
        {"--refuse-every", NULL, &arguments.bad.refuse_every},
        {"--reject-first", NULL, &arguments.bad.reject_first},
        {"--no-answer-every", NULL, &arguments.bad.no_answer_every},
        {"--wrong-id-every", NULL, &arguments.bad.wrong_id_every},
        {"--close-every", NULL, &arguments.bad.close_every},
        {"--delay-ms", NULL, &arguments.bad.delay_ms},
    };
    for (int i = 1; i < count; i += 2) {
        bool known = false;
        for (size_t o = 0; o < sizeof options / sizeof options[0] && !known; o++) {
            known = strcmp(texts[i], options[o].name) == 0;
            if (known && i + 1 == count)
                usage("an option needs a value");
            if (known && options[o].text)
                *options[o].text = texts[i + 1];
            else if (known && !str_to_u64(str_from(texts[i + 1]), options[o].number))
                usage("an option needs a number");
        }
        if (!known)
            usage("unknown option");
    }
    return arguments;
}

static int open_file(const char *path)
{
    if (path == NULL)
        return -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static status listen_on(struct receiver *receiver, struct ctx *cx, const struct arguments *arguments)
{
    const struct crypto_tls_options tls = {
        .server = true, .ca_path = arguments->ca, .cert_path = arguments->cert, .key_path = arguments->key};
    if (arguments->ca && arguments->cert && arguments->key)
        TRY(crypto_tls_open(cx, &tls, &receiver->tls));
    else if (arguments->ca || arguments->cert || arguments->key)
        usage("--ca, --cert and --key belong together");
    struct net_address address;
    if (!net_address_read(str_from(arguments->listen), &address))
        usage("--listen needs an address");
    uint16_t port;
    TRY(net_listen(cx, &address, &receiver->listen_fd, &port));
    loop_watch_add(receiver->loop, receiver->listen_fd, EPOLLIN, accept_ready, receiver);
    printf("listening on %u\n", port);
    fflush(stdout);
    return STATUS_OK;
}

int main(int count, char **texts)
{
    struct arguments arguments = read_arguments(count, texts);
    struct receiver *receiver = mem_alloc(sizeof *receiver);
    arena_init(&receiver->arena, 0);
    struct ctx cx = {.arena = &receiver->arena};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    receiver->loop = loop_new();
    receiver->bad = arguments.bad;
    receiver->list_fd = open_file(arguments.list);
    receiver->bytes_fd = open_file(arguments.bytes);
    loop_watch_add(receiver->loop, signalfd(-1, &ends, SFD_CLOEXEC), EPOLLIN, signalled, receiver->loop);
    if (listen_on(receiver, &cx, &arguments) != STATUS_OK) {
        struct str why = ctx_message(&cx);
        fprintf(stderr, "idem-receiver: %.*s\n", STR_ARGS(why));
        return 1;
    }
    loop_run(receiver->loop);
    return 0; /* the process ends: its memory and sockets with it */
}
