#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include "send_internal.h"

#include <sys/epoll.h>

enum { READ_BYTES = 64 * 1024, CONNECTIONS_MAX = 1000, WINDOW_MAX = 1000, BUCKETS = 16 * 64 };

struct flood;

struct sender {
    struct flood *flood;
    struct crypto_stream stream;
    struct loop_watch *watch; /* NULL: ended */
    struct mllp_reader reader;
    int64_t *sent_us; /* ring of the messages under way, oldest first: answers come in order */
    size_t first, under_way;
};

struct flood {
    const struct send_flood_options *options;
    struct loop *loop;
    struct loop_timer *timer;
    struct sender *senders;
    size_t sender_count, window, open;
    uint64_t made, under_way, heard_before;
    struct send_flood_result result;
    uint64_t buckets[BUCKETS]; /* sixteen for each doubling */
    struct buf message;
    struct arena arena;
    char scratch[READ_BYTES];
};

static size_t bucket_of(uint64_t us)
{
    if (us < 16)
        return us;
    unsigned top = 63 - (unsigned)__builtin_clzll(us);
    return (top - 3) * 16 + ((us >> (top - 4)) & 15);
}

static int64_t bucket_us(size_t bucket)
{
    if (bucket < 16)
        return (int64_t)bucket;
    size_t top = bucket / 16 + 3;
    return (int64_t)((16 + bucket % 16) << (top - 4));
}

static int64_t percentile(const struct flood *flood, unsigned percent)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        all += flood->buckets[i];
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += flood->buckets[i];
        if (all && seen * 100 >= all * percent)
            return bucket_us(i);
    }
    return 0;
}

static void stop_when_done(struct flood *flood)
{
    if (flood->open == 0 || (flood->under_way == 0 && flood->made == flood->options->messages))
        loop_stop(flood->loop);
}

static void end_sender(struct sender *sender)
{
    loop_watch_remove(sender->watch);
    sender->watch = NULL;
    sender->flood->open--;
    sender->flood->under_way -= sender->under_way;
    sender->under_way = 0;
}

/* Fill the window, one send for all of it. */
static void send_more(struct sender *sender)
{
    struct flood *flood = sender->flood;
    int64_t now_us = clock_mono_us();
    while (sender->under_way < flood->window && flood->made < flood->options->messages) {
        buf_clear(&flood->message);
        buf_put_byte(&flood->message, MLLP_VT);
        flood->options->make(flood->options->arg, flood->made++, &flood->message);
        buf_put(&flood->message, "\x1c\r", 2);
        crypto_stream_put(&sender->stream, buf_str(&flood->message));
        sender->sent_us[(sender->first + sender->under_way++) % flood->window] = now_us;
        flood->under_way++;
        flood->result.sent++;
    }
    if (!crypto_stream_flush(&sender->stream)) {
        end_sender(sender);
        return;
    }
    loop_watch_change(sender->watch,
                      (uint32_t)EPOLLIN | (crypto_stream_is_sending(&sender->stream) ? (uint32_t)EPOLLOUT : 0));
}

static void take_answer(struct sender *sender, struct str frame, int64_t now_us)
{
    struct flood *flood = sender->flood;
    struct ctx cx = {.arena = &flood->arena};
    struct hl7_reply reply;
    if (hl7_ack_read(&cx, frame, &reply) != STATUS_OK) {
        arena_reset(&flood->arena);
        flood->result.unreadable++;
    } else if (reply.code == HL7_AA || reply.code == HL7_CA) {
        flood->result.accepted++;
    } else {
        flood->result.refused++;
    }
    if (sender->under_way == 0)
        return; /* an answer too many: counted above, belongs to none */
    int64_t took_us = now_us - sender->sent_us[sender->first];
    size_t bucket = bucket_of((uint64_t)took_us);
    flood->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (took_us > flood->result.max_us)
        flood->result.max_us = took_us;
    sender->first = (sender->first + 1) % flood->window;
    sender->under_way--;
    flood->under_way--;
}

static void take_bytes(struct sender *sender, struct str bytes)
{
    int64_t now_us = clock_mono_us();
    struct str frame;
    mllp_feed(&sender->reader, bytes);
    for (enum mllp_event event; (event = mllp_next(&sender->reader, &frame)) != MLLP_MORE;)
        if (event == MLLP_FRAME)
            take_answer(sender, frame, now_us);
}

static void ready(void *arg, uint32_t events)
{
    struct sender *sender = arg;
    struct flood *flood = sender->flood;
    if (events & ~(uint32_t)EPOLLOUT) {
        struct str bytes;
        bool full;
        enum crypto_stream_event event = crypto_stream_read(&sender->stream, flood->scratch, READ_BYTES, &bytes, &full);
        if (event == CRYPTO_STREAM_DATA)
            take_bytes(sender, bytes);
        else if (event != CRYPTO_STREAM_WAIT)
            end_sender(sender);
    }
    if (sender->watch)
        send_more(sender);
    stop_when_done(flood);
}

/* Ends the flood when no answer came during one whole time-out. */
static void look(void *arg)
{
    struct flood *flood = arg;
    uint64_t heard = flood->result.accepted + flood->result.refused + flood->result.unreadable;
    if (heard == flood->heard_before) {
        loop_stop(flood->loop);
        return;
    }
    flood->heard_before = heard;
    flood->timer = loop_timer_start(
        flood->loop, flood->options->to.timeout_us ? flood->options->to.timeout_us : 30000000, look, flood);
}

static status open_senders(struct flood *flood, struct ctx *cx)
{
    for (size_t i = 0; i < flood->sender_count; i++) {
        struct sender *sender = &flood->senders[i];
        sender->flood = flood;
        TRY(send_connect(cx, &flood->options->to, &sender->stream));
        mllp_reader_init(&sender->reader, (struct mllp_options){0});
        sender->sent_us = mem_array(flood->window, sizeof *sender->sent_us);
    }
    return STATUS_OK;
}

static void run(struct flood *flood)
{
    flood->heard_before = UINT64_MAX;
    look(flood);
    int64_t begin_us = clock_mono_us();
    for (size_t i = 0; i < flood->sender_count; i++) {
        struct sender *sender = &flood->senders[i];
        sender->watch = loop_watch_add(flood->loop, sender->stream.fd, EPOLLIN, ready, sender);
        flood->open++;
        send_more(sender);
    }
    stop_when_done(flood);
    loop_run(flood->loop);
    struct send_flood_result *result = &flood->result;
    result->took_us = clock_mono_us() - begin_us;
    uint64_t heard = result->accepted + result->refused + result->unreadable;
    result->unanswered = result->sent > heard ? result->sent - heard : 0;
    result->p50_us = percentile(flood, 50);
    result->p99_us = percentile(flood, 99);
}

status send_flood(struct ctx *cx, const struct send_flood_options *options, struct send_flood_result *out_result)
{
    struct flood *flood = mem_alloc(sizeof *flood);
    flood->options = options;
    flood->loop = loop_new();
    flood->sender_count = options->connections == 0                ? 1
                          : options->connections < CONNECTIONS_MAX ? options->connections
                                                                   : CONNECTIONS_MAX;
    flood->window = options->window == 0 ? 1 : options->window < WINDOW_MAX ? options->window : WINDOW_MAX;
    flood->senders = mem_array(flood->sender_count, sizeof *flood->senders);
    arena_init(&flood->arena, 0);
    for (size_t i = 0; i < flood->sender_count; i++)
        flood->senders[i].stream.fd = -1;

    status opened = open_senders(flood, cx);
    if (opened == STATUS_OK) {
        run(flood);
        *out_result = flood->result;
    }
    for (size_t i = 0; i < flood->sender_count; i++) {
        loop_watch_remove(flood->senders[i].watch);
        crypto_stream_fini(&flood->senders[i].stream);
        mllp_reader_fini(&flood->senders[i].reader);
        mem_free(flood->senders[i].sent_us);
    }
    loop_timer_stop(flood->timer);
    arena_fini(&flood->arena);
    buf_fini(&flood->message);
    mem_free(flood->senders);
    loop_free(flood->loop);
    mem_free(flood);
    return opened;
}
